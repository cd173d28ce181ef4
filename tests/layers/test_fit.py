"""Layers without a datum, or with a wrong one: what they may be is listed, the true one first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pytest
import shapely

from lifecircle.gis.crs import as_crs, to_crs, working_crs
from lifecircle.gis.errors import InputError
from lifecircle.layers.audit import audit
from lifecircle.layers.fit import Reference, middles_of
from lifecircle.layers.fit_stated import _crossing, _distance
from lifecircle.layers.load import load_study
from lifecircle.layers.osmfile import osm_features
from lifecircle.layers.words import LANGUAGES, explain

if TYPE_CHECKING:
    from pathlib import Path

CRS = "EPSG:4548"
X, Y = 508_000.0, 4_057_000.0
SIDE = 3000.0
PROJECTED = ("EPSG:4548", "EPSG:4527", "EPSG:4498", "EPSG:32650", "EPSG:3857")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three kilometres of streets at uneven distances, with their area; both say their CRS."""
    folder = tmp_path_factory.mktemp("town")
    area = gpd.GeoDataFrame({"name": ["范围"]}, geometry=[shapely.box(X, Y, X + SIDE, Y + SIDE)], crs=CRS)
    area.to_file(folder / "area.gpkg")
    area.to_file(folder / "bare_area.shp")
    (folder / "bare_area.prj").unlink()
    streets = gpd.GeoDataFrame({"highway": ["residential"] * len(LINES)}, geometry=LINES, crs=CRS)
    streets.to_file(folder / "streets.gpkg")
    return folder


RANDOM = np.random.default_rng(8)
CUTS = [np.cumsum(RANDOM.uniform(150, 330, 30)) for _ in range(2)]
CUTS = [cuts[cuts < SIDE] for cuts in CUTS]
LINES = [shapely.LineString([(X, Y + cut), (X + SIDE, Y + cut)]) for cut in CUTS[0]]
LINES += [shapely.LineString([(X + cut, Y), (X + cut, Y + SIDE)]) for cut in CUTS[1]]
ALONG = RANDOM.uniform(100, SIDE - 100, (120, 2))
ALONG[:60, 1] = RANDOM.choice(CUTS[0], 60) + 9
ALONG[60:, 0] = RANDOM.choice(CUTS[1], 60) + 9
PLACES = shapely.points(ALONG + np.array([X, Y]))
HOUSES = shapely.buffer(shapely.points(ALONG + np.array([X + 4, Y + 4])), 8, cap_style="square")


def study(folder: Path, facilities: str, *, area: str = 'path = "area.gpkg"') -> Path:
    path = folder / "study.toml"
    path.write_text(
        f'[study]\nname = "镇"\n[area]\n{area}\n[layers.streets]\npath = "streets.gpkg"\n'
        f'[layers.facilities]\npath = "shops.csv"\n{facilities}\n',
        encoding="utf-8",
    )
    return path


def write_shops(folder: Path, system: str, *, swapped: bool = False) -> None:
    x, y = shapely.get_coordinates(to_crs(PLACES, CRS, system)).T
    first, second = (y, x) if swapped else (x, y)
    rows = [f"{a!r},{b!r},clinic" for a, b in zip(first.tolist(), second.tolist(), strict=True)]
    (folder / "shops.csv").write_text("\n".join(["x,y,facility_class", *rows]), encoding="utf-8")


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("system", ["wgs84", "gcj02", "bd09", "bd09mc", *PROJECTED])
def test_the_true_system_is_listed_first_and_what_it_says_mends_the_study(
    town: Path, system: str, *, swapped: bool
) -> None:
    write_shops(town, system, swapped=swapped)
    found = audit(study(town, ""))
    (fault,) = [fault for fault in found.faults if fault.blocks]
    assert fault.code == "faults.datum_missing"
    (data,) = [one for one in found.as_data("en")["faults"] if one["blocks"]]  # type: ignore[attr-defined]
    best, *others = data["candidates"]
    assert (best["datum"], best["swapped"]) == (system, swapped)
    assert best["median_m"] == pytest.approx(9.0, abs=0.6)
    assert best["percent"] == 100
    for language in LANGUAGES:
        text = explain(fault, language)
        assert text.index(best["write"]) < min((text.index(other["write"]) for other in others), default=len(text))
    mended = load_study(study(town, best["write"].replace(", ", "\n")))
    distance = shapely.distance(mended.layers["facilities"].geometry.to_numpy(), PLACES)
    assert distance.max() < 1e-3


@pytest.mark.parametrize(
    ("truth", "swapped", "stated", "code", "write"),
    [
        ("EPSG:4527", False, "EPSG:4548", "datum.looks_zone", "EPSG:4527"),
        ("EPSG:4548", False, "EPSG:4527", "datum.looks_plain", "EPSG:4548"),
        ("EPSG:4498", False, "EPSG:4527", "datum.looks_zone", "EPSG:4498"),
        ("EPSG:4548", True, "EPSG:4548", "datum.looks_swapped", "EPSG:4548"),
        ("EPSG:4548", False, "bd09mc", "datum.looks_plain", "EPSG:4548"),
        ("bd09mc", False, "EPSG:4548", "datum.looks_web", "bd09mc"),
    ],
)
def test_a_contradiction_is_one_fault_that_says_what_to_write(
    town: Path, truth: str, stated: str, code: str, write: str, *, swapped: bool
) -> None:
    write_shops(town, truth, swapped=swapped)
    path = study(town, f'datum = "{stated}"')
    with pytest.raises(InputError) as caught:
        load_study(path)
    (fault,) = caught.value.faults
    assert (fault.code, fault.detail["write"]) == (code, write)
    for language in LANGUAGES:
        assert f'datum = "{write}"' in explain(fault, language)


@pytest.mark.parametrize(
    ("truth", "stated", "code"),
    [
        ("EPSG:4548", "EPSG:4547", "faults.far_away"),
        ("wgs84", "EPSG:4548", "faults.degrees_declared_metric"),
        ("wgs84", "bd09mc", "faults.degrees_declared_metric"),
        ("EPSG:4527", "wgs84", "faults.metres_declared_degrees"),
        ("bd09mc", "bd09", "faults.metres_declared_degrees"),
        ("bd09mc", "EPSG:3857", "faults.far_away"),
    ],
)
def test_a_wrong_statement_lists_the_true_one(town: Path, truth: str, stated: str, code: str) -> None:
    write_shops(town, truth)
    (fault,) = [fault for fault in audit(study(town, f'datum = "{stated}"')).faults if fault.blocks]
    assert fault.code == code
    assert f'datum = "{truth}"' in explain(fault, "zh").split("\n")[2]


@pytest.mark.parametrize(("truth", "stated"), [("gcj02", "wgs84"), ("bd09", "wgs84"), ("bd09", "gcj02")])
def test_a_shifted_layer_stated_otherwise_is_doubted(town: Path, truth: str, stated: str) -> None:
    write_shops(town, truth)
    found = audit(study(town, f'datum = "{stated}"'))
    assert not found.blocked
    (fault,) = [fault for fault in found.faults if fault.code == "datum.doubtful"]
    assert fault.detail["write"] == truth
    for language in LANGUAGES:
        assert truth in explain(fault, language)


@pytest.mark.parametrize("truth", ["wgs84", "gcj02", "bd09", "bd09mc", "EPSG:4527"])
def test_a_right_statement_is_not_doubted(town: Path, truth: str) -> None:
    write_shops(town, truth)
    found = audit(study(town, f'datum = "{truth}"'))
    assert not [fault for fault in found.faults if fault.code.startswith("datum.")]


def test_an_old_survey_is_told(town: Path) -> None:
    write_shops(town, "EPSG:2436")
    codes = {fault.code for fault in audit(study(town, 'datum = "EPSG:2436"')).faults}
    assert codes & {"datum.old_survey", "datum.old_survey_unmoved"}


def test_an_area_without_datum_is_judged_by_the_streets(town: Path) -> None:
    write_shops(town, "wgs84")
    found = audit(study(town, 'datum = "wgs84"', area='path = "bare_area.shp"'))
    (fault,) = [fault for fault in found.faults if fault.code == "faults.datum_missing"]
    assert fault.layer == "area"
    (data,) = [one for one in found.as_data("zh")["faults"] if one["layer"] == "area"]  # type: ignore[attr-defined]
    assert data["candidates"][0]["datum"] == CRS
    assert data["candidates"][0]["percent"] == 100


def test_coordinates_off_the_map_are_a_fault(town: Path) -> None:
    (town / "shops.csv").write_text("x,y,facility_class\n500000,99000000,clinic\n", encoding="utf-8")
    codes = [fault.code for fault in audit(study(town, 'datum = "bd09mc"')).faults if fault.blocks]
    assert codes == ["datum.off_the_map"]


@pytest.mark.parametrize("datum", ["nosuch", "EPSG:999999", " "])
def test_an_unknown_datum_is_one_fault(town: Path, datum: str) -> None:
    write_shops(town, "wgs84")
    codes = [fault.code for fault in audit(study(town, f'datum = "{datum}"')).faults]
    assert codes == ["gis.crs_unknown"]


def ground(path: Path) -> Reference:
    lines = osm_features(path, ["highway"], ("LineString",)).geometry
    lon, lat = np.median(shapely.get_coordinates(lines.to_numpy()), axis=0).tolist()
    crs = working_crs((lon, lat, lon, lat))
    return Reference(crs, lines.to_crs(crs).to_numpy(), None)


@pytest.mark.places
@pytest.mark.parametrize("name", ["nanjing_gulou_2021.osm", "beijing_cau.osm"])
def test_on_real_streets_right_data_are_not_doubted_and_shifted_buildings_are(places: Path, name: str) -> None:
    path = places / "osm" / name
    reference = ground(path)
    for tags, shapes, judge in (
        (["building"], ("Polygon",), _crossing),
        (["amenity", "shop"], ("Point",), _distance),
        (["amenity", "leisure", "landuse"], ("Polygon",), _crossing),
    ):
        given = osm_features(path, tags, shapes).geometry  # type: ignore[arg-type]
        given = given[~given.is_empty].to_numpy()
        true = to_crs(given, "wgs84", reference.crs)
        near = reference.from_streets_m(middles_of(true)) <= 300
        for other in ("gcj02", "bd09"):
            moved = to_crs(given, other, reference.crs)
            if (reference.from_streets_m(middles_of(moved[near])) <= 300).mean() >= 0.9:
                assert judge(true[near], moved[near], reference) is None
            if tags == ["building"] and other == "gcj02":
                assert judge(moved[near], true[near], reference) is not None
    assert as_crs(reference.crs).is_projected


@pytest.mark.places
def test_a_true_layer_is_never_doubted_whatever_it_is_compared_with(places: Path) -> None:
    path = places / "osm" / "nanjing_gulou_2021.osm"
    reference = ground(path)
    random = np.random.default_rng(2)
    houses = osm_features(path, ["building"], ("Polygon",)).geometry
    shops = osm_features(path, ["amenity", "shop"], ("Point",)).geometry
    for given, judge in ((houses[~houses.is_empty], _crossing), (shops, _distance)):
        true = to_crs(given.to_numpy(), "wgs84", reference.crs)
        true = true[reference.from_streets_m(middles_of(true)) <= 300][:300]
        caught = 0
        for angle, metres in zip(random.uniform(0, 2 * np.pi, 15), random.uniform(300, 600, 15), strict=True):
            step = metres * np.array([np.cos(angle), np.sin(angle)])
            moved = shapely.transform(true, lambda points, step=step: points + step)  # type: ignore[misc]
            if (reference.from_streets_m(middles_of(moved)) <= 300).mean() >= 0.9:
                assert judge(true, moved, reference) is None
                caught += judge(moved, true, reference) is not None
        assert caught >= 5
