"""A study whose layers are in a city's own coordinates, and one that works in GCJ-02 throughout."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely

from lifecircle.gis.chinese import wgs84_to_gcj02
from lifecircle.gis.crs import GCJ_NAME, shift_of, to_crs
from lifecircle.gis.errors import InputError
from lifecircle.layers.audit import audit
from lifecircle.layers.load import load_study
from lifecircle.layers.local import read_local
from lifecircle.layers.plan import find
from lifecircle.layers.settings import LocalSection
from lifecircle.layers.store import load, save
from lifecircle.layers.words import LANGUAGES, explain, say_note
from lifecircle.maps.pack import degrees

if TYPE_CHECKING:
    from pathlib import Path

CRS = "EPSG:4548"
X, Y = 500_000.0, 4_057_000.0
ANGLE = np.radians(2.0)
TURN = np.array([[np.cos(ANGLE), -np.sin(ANGLE)], [np.sin(ANGLE), np.cos(ANGLE)]])


def to_town(points: np.ndarray) -> np.ndarray:
    """The town's own coordinates: another origin, two degrees of turn."""
    return np.asarray((points - np.array([X, Y])) @ TURN + np.array([20_000.0, 10_000.0]))


CONTROLS = np.array([(X, Y), (X + 3000, Y + 200), (X + 2800, Y + 3100), (X - 100, Y + 2900), (X + 1500, Y + 1500)])
ROWS = np.column_stack([to_town(CONTROLS), CONTROLS]).round(4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("town")
    area = gpd.GeoDataFrame({"name": ["范围"]}, geometry=[shapely.box(X, Y, X + 1500, Y + 1500)], crs=CRS)
    area.to_file(place / "area.gpkg")
    lines = [shapely.LineString([(X, Y + s), (X + 1500, Y + s)]) for s in range(0, 1501, 250)]
    lines += [shapely.LineString([(X + s, Y), (X + s, Y + 1500)]) for s in range(0, 1501, 250)]
    streets = gpd.GeoDataFrame({"highway": ["residential"] * len(lines)}, geometry=lines, crs=CRS)
    streets.to_file(place / "streets.gpkg")
    blocks = np.array(
        [
            shapely.box(X + x + 20, Y + y + 20, X + x + 230, Y + y + 230)
            for x, y in itertools.product((0, 500), (0, 750))
        ]
    )
    columns = {"编号": list("abcd"), "名称": list("甲乙丙丁"), "户数": [100, 200, 30, 50]}
    own = gpd.GeoDataFrame(columns, geometry=shapely.transform(blocks, to_town), crs=CRS)
    own.to_file(place / "own.shp", encoding="utf-8")
    (place / "own.prj").unlink()
    gpd.GeoDataFrame(columns, geometry=blocks, crs=CRS).to_file(place / "true.gpkg")
    shops = shapely.points([(X + 260, Y + 240), (X + 900, Y + 1010)])
    for system in ("wgs84", "gcj02", "bd09"):
        x, y = shapely.get_coordinates(to_crs(shops, CRS, system)).T
        rows = [f"{a!r},{b!r},{kind}" for a, b, kind in zip(x.tolist(), y.tolist(), ("clinic", "market"), strict=True)]
        (place / f"{system}.csv").write_text("\n".join(["lon,lat,facility_class", *rows]), encoding="utf-8")
    names = ["一号", "二号", "三号", "四号", "五号"]
    table = "\n".join(",".join([name, *map(repr, row)]) for name, row in zip(names, ROWS.tolist(), strict=True))
    (place / "control.csv").write_text(f"点名,x,y,east,north\n{table}\n", encoding="gb18030")
    return place


def write(folder: Path, text: str, head: str = "") -> Path:
    path = folder / "study.toml"
    path.write_text(
        f'[study]\nname = "镇"\n{head}\n[area]\npath = "area.gpkg"\n[layers.streets]\npath = "streets.gpkg"\n{text}\n',
        encoding="utf-8",
    )
    return path


OWN = '[layers.compounds]\npath = "own.shp"\ndatum = "town"\n'


def test_a_layer_in_the_towns_own_coordinates_lies_where_it_should(folder: Path) -> None:
    local = f'[local.town]\ncrs = "{CRS}"\npoints = "control.csv"\nlimit_m = 0.01\n'
    found = load_study(write(folder, OWN + local))
    true = gpd.read_file(folder / "true.gpkg")
    assert (
        shapely.hausdorff_distance(found.layers["compounds"].geometry.to_numpy(), true.geometry.to_numpy()).max() < 0.01
    )
    assert found.sources[-1].datum == "town"
    (note,) = [note for note in found.notes if note.code == "local.fitted"]
    for language in LANGUAGES:
        assert "town" in say_note(note.code, note.detail, language)
    data = json.loads(json.dumps(found.local["town"].as_data()))
    assert [row["point"] for row in data["residuals"]] == ["一号", "二号", "三号", "四号", "五号"]
    assert data["parameters"]["scale"] == pytest.approx(1, abs=1e-6)


def test_points_in_the_study_and_parameters_give_the_same(folder: Path) -> None:
    rows = f'[local.town]\ncrs = "{CRS}"\nmethod = "affine"\npoints = {ROWS.tolist()}\n'
    fitted = load_study(write(folder, OWN + rows)).layers["compounds"].geometry.to_numpy()
    start = np.array([X, Y]) - np.array([20_000.0, 10_000.0]) @ TURN.T
    east, north = start.tolist()
    given = f'[local.town]\ncrs = "{CRS}"\nparameters = {{ east = {east!r}, north = {north!r}, angle_sec = 7200 }}\n'
    moved = load_study(write(folder, OWN + given)).layers["compounds"].geometry.to_numpy()
    assert shapely.hausdorff_distance(fitted, moved).max() < 0.01


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("points = [[0, 0, 500000, 4057000]]", "local.too_few"),
        ("", "local.points_or_parameters"),
        ("parameters = { east = 1.0, nord = 2.0 }", "local.parameters"),
        ('points = "absent.csv"', "faults.file_missing"),
        ('points = "wgs84.csv"', "local.columns"),
        ('method = "seven"\nparameters = { dx = 1.0, dy = 1.0, dz = 1.0 }', "local.base_missing"),
        ("points = [[0, 0, 0, 0], [1, 0, 1000, 0], [0, 1, 0, 1000]]", "local.scale"),
        ("points = [[0, 0, 0, 0], [1000, 0, 1000, 0], [0, 1000, 0, 1040]]", "local.beyond_limit"),
        ("points = [[nan, 0, 0, 0], [1000, 0, 1000, 0], [0, 1000, 0, 1040]]", "local.not_numbers"),
    ],
)
def test_a_local_system_that_cannot_be_used_is_one_fault(folder: Path, text: str, code: str) -> None:
    path = write(folder, f'{OWN}[local.town]\ncrs = "{CRS}"\n{text}\n')
    with pytest.raises(InputError) as caught:
        load_study(path)
    assert [fault.code for fault in caught.value.faults] == [code]
    for language in LANGUAGES:
        assert explain(caught.value.faults[0], language)


def test_the_worst_point_is_called_by_its_name(folder: Path) -> None:
    rows = ROWS.copy()
    rows[2, 2] += 30
    table = "\n".join(",".join([name, *map(repr, row)]) for name, row in zip("甲乙丙丁戊", rows.tolist(), strict=True))
    (folder / "bad.csv").write_text(f"点号,x,y,east,north\n{table}\n", encoding="utf-8")
    found, faults = read_local({"town": LocalSection(crs=CRS, points="bad.csv")}, folder)
    assert not found
    assert (faults[0].code, faults[0].row, faults[0].file) == ("local.beyond_limit", "丙", "bad.csv")


def test_names_of_datums_are_taken_and_bare_fits_are_told(folder: Path) -> None:
    _, faults = read_local({"GCJ02": LocalSection(crs=CRS, parameters={"east": 0.0, "north": 0.0})}, folder)
    assert [fault.code for fault in faults] == ["local.name_taken"]
    found, faults = read_local({"town": LocalSection(crs=CRS, points=ROWS[:2].tolist())}, folder)
    assert found
    assert [(fault.code, fault.blocks) for fault in faults] == [("local.unchecked", False)]


def test_in_degrees_nothing_can_be_local(folder: Path) -> None:
    _, faults = read_local({"town": LocalSection(crs="EPSG:4490", points=ROWS.tolist())}, folder)
    assert [fault.code for fault in faults] == ["gis.crs_geographic"]


LAYERS = '[layers.compounds]\npath = "true.gpkg"\n' + "".join(
    f'[[layers.facilities]]\npath = "{system}.csv"\ndatum = "{system}"\n' for system in ("wgs84", "gcj02", "bd09")
)


def test_a_study_in_gcj02_has_everything_in_gcj02(folder: Path) -> None:
    study = load_study(write(folder, LAYERS, 'datum = "gcj02"'))
    assert study.crs.name.startswith(GCJ_NAME)
    assert shift_of(study.crs) == "gcj02"
    spots = shapely.get_coordinates(study.layers["facilities"].geometry.to_numpy()).reshape(3, 2, 2)
    assert np.abs(spots - spots[0]).max() < 1e-3  # whatever datum they came in
    true = to_crs(shapely.points([(X + 260, Y + 240)]), CRS, "wgs84")
    shifted = wgs84_to_gcj02(shapely.get_coordinates(true))
    on_map = shapely.get_coordinates(degrees(study.layers["facilities"].iloc[:1]))
    assert np.abs(on_map - shifted).max() < 1e-8  # the map page's degrees are GCJ-02 too
    assert "datum.shifted" in {note.code for note in study.notes}
    assert not [fault for fault in audit(folder / "study.toml").faults if fault.blocks]


def test_findings_in_gcj02_count_the_same_people_and_say_their_datum(folder: Path, tmp_path: Path) -> None:
    true = find(load_study(write(folder, LAYERS)))
    shifted = find(load_study(write(folder, LAYERS, 'datum = "gcj02"')), surfaces=tmp_path / "surfaces")
    for name in ("people", "households", "compounds", "facilities"):
        assert shifted.manifest["totals"][name] == true.manifest["totals"][name]
    assert shifted.manifest["study"]["datum"] == GCJ_NAME
    lengths = [found.layers["streets"].length.sum() for found in (true, shifted)]
    assert lengths[1] == pytest.approx(lengths[0], rel=0.005)
    save(shifted, tmp_path)
    again = load(tmp_path)
    assert all(layer.crs is None or layer.crs.name.startswith(GCJ_NAME) for layer in again.layers.values())
    assert again.layers["streets"].crs is not None
    raster = min((tmp_path / "surfaces").glob("*.tif"))
    with rasterio.open(raster) as surface:
        assert surface.tags()["crs"].startswith(GCJ_NAME)
        assert GCJ_NAME in surface.crs.to_wkt()
