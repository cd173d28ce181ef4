"""Tests of candidates: each refusal has its figures, what is unknown refuses nothing, relaxing never refuses more."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS
from rasterio.transform import Affine

from lifecircle.gis.network import WalkNetwork, network_from_lines
from lifecircle.layers.candidates import Candidates, candidates_of
from lifecircle.layers.facilities import find_facilities
from lifecircle.layers.findings import TABLES
from lifecircle.layers.settings import StudySettings
from lifecircle.layers.standards import load_standard
from lifecircle.layers.study import Study
from lifecircle.layers.words import LANGUAGES, catalogue, say_note

if TYPE_CHECKING:
    from collections.abc import Mapping

METRIC = CRS("EPSG:4547")
DAY_CARE, MARKET, HOME = "elderly_day_care", "food_market", "elderly_home"
STANDARD = load_standard("gb50180-2018")
X0, Y0 = 500_000.0, 4_000_000.0


def box(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    return shapely.box(X0 + west, Y0 + south, X0 + east, Y0 + north)


def at(x: float) -> shapely.Point:
    """A place beside the southern street."""
    return shapely.Point(X0 + x, Y0 + 3)


def frame(rows: list[dict[str, Any]]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(rows, geometry="geometry", crs=METRIC)


STREETS = [shapely.LineString([(X0, Y0 + y), (X0 + 1000, Y0 + y)]) for y in range(0, 1001, 200)]
STREETS += [shapely.LineString([(X0 + x, Y0), (X0 + x, Y0 + 1000)]) for x in range(0, 1001, 200)]


def lanes(highway: str = "residential") -> WalkNetwork:
    return network_from_lines(STREETS, crs=METRIC, highway=[highway] * len(STREETS))


@pytest.fixture(scope="module")
def network() -> WalkNetwork:
    return lanes()


def made(
    layers: Mapping[str, gpd.GeoDataFrame], *, rasters: Mapping[str, Path] | None = None, folder: Path | None = None
) -> Study:
    siting = {"site_rules": "rules.toml"} if folder is not None else {}
    stated = {"study": {"name": "t"}, "layers": {}, "siting": siting}
    area = gpd.GeoDataFrame({"name": ["t"]}, geometry=[box(0, 0, 1000, 1000)], crs=METRIC)
    return Study(
        StudySettings.model_validate(stated), folder or Path(), METRIC, area, dict(layers), dict(rasters or {}), (), ()
    )


def plot(site_id: str = "L1", geometry: shapely.Geometry | None = None, **other: object) -> dict[str, Any]:
    shape = box(5, 5, 105, 85) if geometry is None else geometry
    known = {"kind": "idle_land", "tenure": "state", "land_use": "B1", "name": site_id, "on_hold": False}
    return {"site_id": site_id, **known, "area_m2": np.nan, "floor_area_m2": np.nan, "geometry": shape, **other}


def tried(
    study: Study, network: WalkNetwork, *classes: str, rings: gpd.GeoDataFrame | None = None, around: bool = True
) -> Candidates:
    facilities = find_facilities(study, STANDARD) if around else None
    return candidates_of(study, STANDARD, network, classes=classes or (MARKET,), facilities=facilities, rings=rings)


def why(found: Candidates, site_id: str = "L1") -> list[str]:
    """Reasons of a site for all classes."""
    return list(dict.fromkeys(found.refusals.loc[found.refusals["site_id"] == site_id, "reason"]))


def figures(found: Candidates, reason: str) -> tuple[float, float, str]:
    row = found.refusals[found.refusals["reason"] == reason].iloc[0]
    return float(row["measured"]), float(row["needed"]), row["unit"]


def terrain(folder: Path, percent: float) -> Path:
    """A slope that rises to the east."""
    path = folder / f"dem{percent}.tif"
    cells = np.tile(np.arange(60) * 20.0 * percent / 100, (60, 1)).astype(np.float32)
    grid = {"transform": Affine(20, 0, X0 - 100, 0, -20, Y0 + 1100), "crs": "EPSG:4547", "dtype": "float32"}
    with rasterio.open(path, "w", driver="GTiff", width=60, height=60, count=1, **grid) as raster:
        raster.write(cells, 1)
    return path


def test_a_good_plot_fits_and_what_is_not_known_is_noted(network: WalkNetwork) -> None:
    found = tried(made({"land": frame([plot()])}), network, MARKET, DAY_CARE)
    assert why(found) == []
    row = found.frame.iloc[0]
    assert row["frontage_m"] == pytest.approx(180, abs=4)  # its south and west sides
    assert row["floor_fits_m2"] == pytest.approx(8000)
    assert row["capacity_fits"] == STANDARD.rule(MARKET).building_m2_most / 10
    assert pd.isna(row["slope_percent"])
    codes = {note.code for note in found.notes}
    assert codes >= {f"candidates.untested_{name}" for name in ("slope", "hazard", "protection", "distance")}
    for note in found.notes:
        assert all(say_note(note.code, note.detail, language) for language in LANGUAGES)


@pytest.mark.parametrize(
    ("shape", "reason", "needed"),
    [
        (box(5, 5, 105, 20), "shape", 18.0),
        (box(60, 60, 140, 140), "frontage", 12.0),
        (box(60, 60, 140, 140), "no_drive", 40.0),
    ],
)
def test_shape_frontage_and_deliveries(
    network: WalkNetwork, shape: shapely.Polygon, reason: str, needed: float
) -> None:
    found = tried(made({"land": frame([plot(geometry=shape)])}), network)
    assert reason in why(found)
    measured, asked, unit = figures(found, reason)
    assert (asked, unit) == (needed, "m")
    assert measured > asked if reason == "no_drive" else measured < asked


def test_a_street_for_walkers_only_takes_no_deliveries() -> None:
    study = made({"land": frame([plot()])})
    assert why(tried(study, lanes("footway"), MARKET)) == ["no_drive"]
    assert why(tried(study, lanes("footway"), DAY_CARE)) == []


def test_slope_is_the_terrains(network: WalkNetwork, tmp_path: Path) -> None:
    for percent, refused in ((9.0, False), (12.0, True)):
        study = made({"land": frame([plot()])}, rasters={"dem": terrain(tmp_path, percent)})
        found = tried(study, network, DAY_CARE)
        assert found.frame["slope_percent"].iloc[0] == pytest.approx(percent, abs=0.01)
        assert ("slope" in why(found)) == refused
        assert "candidates.untested_slope" not in {note.code for note in found.notes}


def test_zones_refuse_or_ask_for_approval(network: WalkNetwork) -> None:
    flood = frame([{"zone_id": "1", "name": "河滩", "kind": "flood", "geometry": box(0, 0, 300, 300)}])
    listed = frame([{"zone_id": "1", "name": "塔", "kind": "heritage_control", "geometry": box(0, 0, 20, 20)}])
    found = tried(made({"land": frame([plot()]), "hazard": flood}), network)
    assert why(found) == ["hazard"]
    assert figures(found, "hazard") == (100.0, 10.0, "percent")
    assert found.refusals["what"].iloc[0] == "河滩"
    beside = tried(made({"land": frame([plot()]), "protection": listed}), network)
    assert why(beside) == []
    assert beside.frame["needs_approval"].tolist() == [True]


def test_a_plot_that_holds_the_class_beside_the_zone_is_not_refused(network: WalkNetwork) -> None:
    wide = plot(geometry=box(5, 5, 195, 195))
    west = frame([{"zone_id": "1", "name": "a", "kind": "flood", "geometry": box(0, 0, 100, 200)}])
    east = frame([{"zone_id": "1", "name": "b", "kind": "heritage", "geometry": box(110, 0, 200, 200)}])
    assert why(tried(made({"land": frame([wide]), "hazard": west}), network)) == []
    assert why(tried(made({"land": frame([wide]), "protection": east}), network)) == []
    together = tried(made({"land": frame([wide]), "hazard": west, "protection": east}), network)
    assert why(together) == ["shape"]
    point = plot(geometry=shapely.Point(X0 + 50, Y0 + 10), area_m2=9000.0)
    assert why(tried(made({"land": frame([point]), "hazard": west}), network)) == ["hazard"]


def school(x: float, y: float) -> gpd.GeoDataFrame:
    where = shapely.Point(X0 + x, Y0 + y)
    rows = {"facility_id": "s", "name": "实验小学", "facility_class": "primary_school", "status": "existing"}
    return frame([{**rows, "geometry": where}])


def test_a_market_keeps_away_from_a_school_gate(network: WalkNetwork) -> None:
    small = plot(geometry=box(5, 5, 30, 45))
    near = tried(made({"land": frame([small]), "facilities": school(40, 20)}), network)
    assert why(near) == ["distance"]
    assert figures(near, "distance") == (10.0, 20.0, "m")
    assert near.refusals["what"].iloc[0] == "实验小学"
    assert near.refusals["confidence"].iloc[0] == "C"
    assert why(tried(made({"land": frame([small]), "facilities": school(51, 20)}), network)) == []
    assert why(tried(made({"land": frame([small]), "facilities": school(40, 20)}), network, around=False)) == []


def test_along_the_streets_where_the_rule_says_so(network: WalkNetwork, tmp_path: Path) -> None:
    rule = '[distance.market_school_gate]\nhow = "network"\nmetres = 400\n'
    (tmp_path / "rules.toml").write_text(rule, encoding="utf-8")
    small = plot(geometry=box(5, 5, 30, 45))
    layers = {"land": frame([small]), "facilities": school(400, 200)}
    assert why(tried(made(layers, folder=tmp_path), network)) == []  # 450 m straight
    found = tried(made({**layers, "facilities": school(200, 60)}, folder=tmp_path), network)
    assert why(found) == ["distance"]
    measured, needed, _ = figures(found, "distance")
    assert needed == 400.0
    assert measured == pytest.approx(17.5 + 25 + 200 + 60)
    assert found.refusals["clause"].iloc[0] == "rules.toml"


def test_elders_keep_away_from_fast_roads_and_heavy_industry(network: WalkNetwork) -> None:
    road = frame([{"highway": "快速路", "name": "东环", "geometry": shapely.LineString([(X0, Y0), (X0, Y0 + 900)])}])
    works = frame(
        [{"parcel_id": "p", "land_use": "B1", "land_use_now": "三类工业用地", "geometry": box(120, 0, 190, 190)}]
    )
    small = plot(geometry=box(12, 5, 45, 45))
    assert why(tried(made({"land": frame([small]), "streets": road}), network, DAY_CARE)) == ["distance"]
    by_works = tried(made({"land": frame([small]), "parcels": works}), network, DAY_CARE)
    assert figures(by_works, "distance") == (75.0, 100.0, "m")


def test_rings_refuse_large_new_buildings_and_what_they_forbid(network: WalkNetwork, tmp_path: Path) -> None:
    whole = {"ring_id": "R1", "name": "历史城区", "geometry": box(0, 0, 1000, 1000)}
    keep, none = (frame([{**whole, "policy": policy}]) for policy in ("keep", "none"))
    large = plot(geometry=box(5, 5, 195, 195), land_use="A6")
    layers = {"land": frame([large, plot("F1", shapely.Point(X0 + 300, Y0 + 4), kind="vacant_building")])}
    layers["land"].loc[1, "floor_area_m2"] = 9000.0
    found = tried(made(layers), network, HOME, rings=keep)
    assert "ring_policy" in why(found)
    assert figures(found, "ring_policy") == (7000.0, 2000.0, "m2")
    assert "ring_policy" not in why(found, "F1")
    assert found.frame["site_id"].iloc[0] == "F1"  # the ring prefers what stands
    assert found.frame["preferred"].tolist() == [True, False]
    assert why(tried(made(layers), network, HOME, rings=none)) == []
    (tmp_path / "rules.toml").write_text('[ring."历史城区"]\nforbids = ["food_market"]\n', encoding="utf-8")
    assert why(tried(made(layers, folder=tmp_path), network, MARKET, rings=none)) == ["ring_policy"]


def test_too_little_floor_area_may_be_enough_under_the_relaxation(network: WalkNetwork) -> None:
    def parcels(far: float) -> gpd.GeoDataFrame:
        return frame([{"parcel_id": "p", "land_use": "B1", "far": far, "geometry": box(0, 0, 200, 200)}])

    small = plot(geometry=box(5, 5, 35, 30))  # 750 m²
    for far, fits, approval in ((1.0, True, False), (0.9, True, True), (0.8, False, False)):
        found = tried(made({"land": frame([small]), "parcels": parcels(far)}), network)
        row = found.frame.iloc[0]
        assert (row["fits"], row["needs_approval"]) == (fits, approval)
        assert row["floor_relaxed_m2"] == pytest.approx(1.2 * row["floor_fits_m2"])


def test_projects_and_facilities_are_places_too(network: WalkNetwork) -> None:
    rows = [
        {"project_id": "1", "name": "甲", "way": "demolish", "stage": "survey", "geometry": box(5, 405, 105, 505)},
        {"project_id": "2", "name": "乙", "way": "keep", "stage": "survey", "geometry": box(405, 405, 505, 505)},
        {"project_id": "3", "name": "丙", "way": "demolish", "stage": "done", "geometry": box(605, 405, 705, 505)},
        {"project_id": "4", "name": "丁", "way": "demolish", "stage": "sign", "geometry": box(0, 0, 150, 150)},
    ]
    homes = {"facility_class": HOME, "status": "existing", "floor_area_m2": 3000.0, "name": "院"}
    rooms = [("a", 300, 9000.0, True), ("b", 900, 9000.0, False), ("c", 600, 2000.0, True)]
    facilities = frame(
        [
            {**homes, "facility_id": name, "land_area_m2": land, "extendable": more, "geometry": at(x)}
            for name, x, land, more in rooms
        ]
    )
    layers = {"land": frame([plot()]), "projects": frame(rows), "facilities": facilities}
    found = tried(made(layers), network, MARKET, HOME)
    assert set(found.frame["source"]) == {"land", "project", "facility"}
    assert set(found.frame["site_id"]) == {
        *("L1", "project-1", "project-2", "project-3"),  # the fourth holds L1
        *("facility-a", "facility-c"),
    }
    assert why(found, "project-2") == ["project_kept"]
    assert why(found, "project-3") == ["project_built"]
    assert set(found.frame.loc[found.frame["source"] == "facility", "facility_class"]) == {HOME}
    assert why(found, "facility-a") == []
    assert "cannot_extend" in why(found, "facility-c")


def test_idle_parcels_stand_in_where_there_is_no_land_layer(network: WalkNetwork) -> None:
    rows = [
        {"parcel_id": "p1", "land_use": "B1", "land_use_now": "空闲地", "far": 2.0, "geometry": box(5, 5, 105, 85)},
        {"parcel_id": "p2", "land_use": "B1", "land_use_now": "B1", "far": 2.0, "geometry": box(205, 5, 305, 85)},
    ]
    found = tried(made({"parcels": frame(rows)}), network)
    assert found.frame["site_id"].tolist() == ["parcel-p1"]
    assert found.frame["fits"].tolist() == [True]


PLOTS = st.lists(
    st.tuples(
        st.floats(0, 900), st.floats(0, 900), st.floats(5, 120), st.floats(5, 120), st.sampled_from(["B1", "R2", None])
    ),
    min_size=2,
    max_size=6,
)


def _land(plots: list[tuple[float, float, float, float, str | None]]) -> gpd.GeoDataFrame:
    return frame(
        [
            plot(f"L{number}", box(x, y, x + wide, y + deep), land_use=use, name="地")
            for number, (x, y, wide, deep, use) in enumerate(plots)
        ]
    )


@given(PLOTS, st.randoms(use_true_random=False))
@settings(max_examples=12, deadline=None)
def test_the_order_of_the_land_changes_nothing(plots: list[Any], draw: Any) -> None:  # noqa: ANN401  hypothesis' random
    land, network = _land(plots), lanes()
    rows = list(range(len(land)))
    draw.shuffle(rows)
    one, other = (tried(made({"land": table}), network, MARKET, HOME) for table in (land, land.iloc[rows]))
    pd.testing.assert_frame_equal(pd.DataFrame(one.frame), pd.DataFrame(other.frame))
    pd.testing.assert_frame_equal(one.refusals, other.refusals)
    assert one.notes == other.notes


@given(PLOTS, st.floats(0.0, 1.0))
@settings(max_examples=12, deadline=None)
def test_relaxing_the_rules_never_refuses_more(plots: list[Any], part: float) -> None:
    network, around = lanes(), school(300, 200)
    hazard = frame([{"zone_id": "1", "name": "a", "kind": "flood", "geometry": box(0, 0, 400, 400)}])
    study = made({"land": _land(plots), "facilities": around, "hazard": hazard})
    strict = tried(study, network, MARKET)
    rules = {
        "need": {"food_market": {"across_m": 18 * part + 0.1, "deep_m": 20 * part + 0.1, "frontage_m": 12 * part}},
        "distance": {"market_school_gate": {"metres": 20 * part}},
        "zone": {"hazard": {"share_most": 1 - 0.9 * part}},
    }
    easy = _with_rules(study, network, rules)
    of_land = (one.frame[one.frame["source"] == "land"].set_index("site_id")["fits"] for one in (strict, easy))
    before, after = of_land
    assert (after >= before.reindex(after.index)).all()


def _with_rules(study: Study, network: WalkNetwork, rules: dict[str, Any]) -> Candidates:
    """Try the study's market sites by rules written to a file."""
    import tempfile  # noqa: PLC0415  hypothesis does not mix with tmp_path

    lines = [
        f"[{table}.{key}]\n" + "".join(f"{name} = {float(value)}\n" for name, value in entry.items())
        for table, entries in rules.items()
        for key, entry in entries.items()
    ]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "rules.toml").write_text("\n".join(lines), encoding="utf-8")
        return tried(made(study.layers, folder=Path(folder)), network, MARKET)


def test_refusals_say_the_same_as_reasons(network: WalkNetwork) -> None:
    plots = [plot(f"L{n}", box(5 + 200 * n, 5, 5 + 200 * n + 8 * (n + 1), 60), tenure="private") for n in range(4)]
    found = tried(made({"land": frame(plots)}), network, MARKET, HOME)
    assert list(found.refusals.columns) == list(TABLES["refusals"])
    listed = found.refusals.drop_duplicates(["site_id", "facility_class", "reason"])
    joined = listed.groupby(["site_id", "facility_class"])["reason"].agg(";".join)
    of_frame = found.frame[found.frame["reason"].notna()].set_index(["site_id", "facility_class"])["reason"]
    pd.testing.assert_series_equal(joined.sort_index(), of_frame.sort_index(), check_dtype=False)
    assert set(found.refusals["unit"].dropna()) <= {"m", "m2", "percent", "places"}
    assert {f"values.refusal_unit_{unit}" for unit in ("m", "m2", "percent", "places")} <= set(catalogue())
