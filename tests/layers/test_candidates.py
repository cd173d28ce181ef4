"""Candidates: every refusal has its reason, and streets stand in where there is no land."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pyproj import CRS
from scipy.spatial.distance import pdist

from lifecircle.gis.network import WalkNetwork, network_from_lines
from lifecircle.layers.candidates import EXTRA, REASONS, candidates_of, classes_sited, street_points, told_apart
from lifecircle.layers.compatibility import load_compatibility
from lifecircle.layers.findings import LAYERS
from lifecircle.layers.settings import StudySettings
from lifecircle.layers.standards import load_standard
from lifecircle.layers.study import Study
from lifecircle.layers.words import LANGUAGES, catalogue, say

METRIC = CRS("EPSG:4547")
DAY_CARE, MARKET, HOME = "elderly_day_care", "food_market", "elderly_home"


def study(layers: dict[str, gpd.GeoDataFrame], **siting: object) -> Study:
    settings = StudySettings.model_validate(
        {"study": {"name": "t"}, "layers": {"streets": {"path": "s.gpkg"}}, "siting": siting}
    )
    area = gpd.GeoDataFrame({"name": ["t"]}, geometry=[shapely.box(0, 0, 1000, 1000)], crs=METRIC)
    return Study(settings, Path(), METRIC, area, layers, {}, (), ())


@pytest.fixture(scope="module")
def streets() -> WalkNetwork:
    lines = [shapely.LineString([(0, y), (1000, y)]) for y in range(0, 1001, 100)]
    lines += [shapely.LineString([(x, 0), (x, 1000)]) for x in range(0, 1001, 100)]
    lines.append(shapely.LineString([(2000, 0), (2600, 0)]))
    return network_from_lines(lines, crs=METRIC, highway=["residential"] * len(lines))


def land(rows: list[dict[str, Any]]) -> gpd.GeoDataFrame:
    defaults = {
        "name": "地",
        "kind": "idle_land",
        "area_m2": 2000.0,
        "floor_area_m2": np.nan,
        "tenure": "state",
        "land_use": "R22",
        "on_hold": False,
        "geometry": shapely.Point(500, 510),
    }
    table = [{"site_id": f"L{number}", **defaults, **row} for number, row in enumerate(rows)]
    return gpd.GeoDataFrame(table, geometry="geometry", crs=METRIC)


@pytest.mark.parametrize(
    ("row", "facility_class", "reason"),
    [
        ({}, DAY_CARE, None),
        ({"on_hold": True}, DAY_CARE, "on_hold"),
        ({"tenure": "private"}, DAY_CARE, "tenure"),
        ({"land_use": "G1"}, DAY_CARE, "land_use"),
        ({"geometry": shapely.Point(1500, 500)}, DAY_CARE, "outside_area;no_street"),
        ({"area_m2": 349.0}, DAY_CARE, "too_small_building"),
        ({"area_m2": 350.0}, DAY_CARE, None),
        ({"area_m2": np.nan}, DAY_CARE, "size_unknown"),
        ({"area_m2": 1749.0, "land_use": "R2"}, DAY_CARE, "too_small_building"),
        ({"area_m2": 1750.0, "land_use": "R2"}, DAY_CARE, None),
        ({"kind": "public_building", "floor_area_m2": 349.0}, DAY_CARE, "too_small_building"),
        ({"kind": "public_building", "floor_area_m2": 351.0, "land_use": "R2"}, DAY_CARE, None),
        ({"kind": "vacated_factory", "floor_area_m2": 900.0, "land_use": "M1"}, MARKET, None),
        ({"land_use": "A33"}, MARKET, "land_use"),
        ({"area_m2": 8000.0, "land_use": "A6"}, HOME, None),
        ({"area_m2": 3000.0, "land_use": "A6"}, HOME, "too_small_building;too_small_land"),
        ({"kind": "public_building", "floor_area_m2": 8000.0, "area_m2": 2000.0, "land_use": "A6"}, HOME, None),
    ],
)
def test_each_refusal_has_its_reason(
    streets: WalkNetwork, row: dict[str, Any], facility_class: str, reason: str | None
) -> None:
    filler = {"area_m2": 90_000.0, "land_use": "A6" if facility_class == HOME else "R22"}
    found = candidates_of(
        study({"land": land([row, filler])}), load_standard("gb50180-2018"), streets, classes=[facility_class]
    )
    first = found.frame.set_index("site_id").loc["L0"]
    assert (first["reason"] or None) == reason
    assert bool(first["fits"]) == (reason is None)


def test_a_row_for_each_place_and_class(streets: WalkNetwork) -> None:
    places = land([{"land_use": "B1"}, {"land_use": None}, {"land_use": "S4", "area_m2": 20_000.0}])
    found = candidates_of(study({"land": places}), load_standard("gb50180-2018"), streets, classes=[DAY_CARE, MARKET])
    assert tuple(found.frame.columns) == (*LAYERS["candidates"], *EXTRA, "geometry")
    assert found.frame["site_id"].tolist() == ["L0", "L0", "L1", "L1", "L2", "L2"]
    assert found.frame["zoning"].tolist() == ["share", "allowed", "unknown", "unknown", "rezoning", "rezoning"]
    assert (found.frame["fits"] == found.frame["reason"].isna()).all()
    assert found.fitting(MARKET)["site_id"].tolist() == ["L0", "L1", "L2"]
    assert "gaps.note_far_unknown" in [note.code for note in found.notes]


def test_parcels_give_use_and_floor_area_ratio(streets: WalkNetwork) -> None:
    parcels = gpd.GeoDataFrame(
        {"parcel_id": ["p"], "land_use": ["B1"], "far": [3.0]}, geometry=[shapely.box(400, 400, 600, 600)], crs=METRIC
    )
    places = land([{"land_use": None, "area_m2": 260.0}])
    standard = load_standard("gb50180-2018")
    with_parcels = candidates_of(study({"land": places, "parcels": parcels}), standard, streets, classes=[MARKET])
    assert with_parcels.frame.loc[0, ["land_use", "zoning", "fits"]].tolist() == ["B1", "allowed", True]
    without = candidates_of(study({"land": places}), standard, streets, classes=[MARKET])
    assert without.frame.loc[0, "reason"] == "too_small_building"


def test_without_land_points_along_streets_stand_in(streets: WalkNetwork) -> None:
    town = study({}, street_spacing_m=250.0)
    found = candidates_of(town, load_standard("gb50180-2018"), streets, classes=[DAY_CARE, HOME])
    codes = [note.code for note in found.notes]
    assert codes[0] == "gaps.note_streets"
    assert {"candidates.untested_slope", "candidates.untested_hazard", "candidates.untested_distance"} <= set(codes)
    points = found.fitting(DAY_CARE)
    assert len(points) == len(found.frame) / 2
    assert set(points["kind"]) == {"street_point"}
    xy = shapely.get_coordinates(points.geometry.to_numpy())
    assert pdist(xy).min() >= 250.0
    assert town.area.covers(shapely.multipoints(xy)).all()  # the stretch beyond the area carries none
    lanes = shapely.union_all([shapely.LineString(line) for line in _lines(streets)])
    assert shapely.distance(points.geometry.to_numpy(), lanes).max() < 1e-6
    again = street_points(town, streets)
    assert again.geometry.geom_equals_exact(points.geometry, 0).all()


def _lines(network: WalkNetwork) -> list[Any]:
    return [network.coords[start:end] for start, end in pairwise(network.coord_start.tolist())]


def test_streets_stand_in_for_a_class_that_no_land_fits(streets: WalkNetwork) -> None:
    found = candidates_of(study({"land": land([{}])}), load_standard("gb50180-2018"), streets, classes=[DAY_CARE, HOME])
    assert found.fitting(DAY_CARE)["site_id"].tolist() == ["L0"]
    assert set(found.fitting(HOME)["kind"]) == {"street_point"}
    note = next(note for note in found.notes if note.code.startswith("gaps.note_streets"))
    assert note.code == "gaps.note_streets_for"
    assert HOME in say(note.code, "zh", **note.detail)


def test_classes_are_those_wished_for_else_those_sited() -> None:
    standard = load_standard("gb50180-2018")
    assert classes_sited(study({}), standard) == tuple(rule.facility_class for rule in standard.rules if rule.sited)
    wish = [{"facility_class": "gym", "sites": 2}, {"facility_class": "gym", "sites": 1}]
    assert classes_sited(study({}, wish=wish), standard) == ("gym",)


def test_every_reason_and_verdict_has_texts() -> None:
    keys = [f"values.reason_{name}" for name in REASONS]
    keys += [f"values.zoning_{name}" for name in ("allowed", "share", "rezoning", "forbidden", "unknown")]
    assert all(catalogue()[key][language] for key in keys for language in LANGUAGES)


@pytest.mark.parametrize(
    ("land_use", "facility_class", "verdict"),
    [
        ("0702", DAY_CARE, "allowed"),
        ("070102", DAY_CARE, "share"),
        ("080701", HOME, "allowed"),
        ("A51", HOME, "share"),
        ("B11", HOME, "rezoning"),
        ("B31", HOME, "forbidden"),
        ("R2/B1", MARKET, "share"),
        ("B1+G1", MARKET, "share"),
        ("S4", MARKET, "rezoning"),
        ("g1", MARKET, "forbidden"),
        ("中小学用地", MARKET, "forbidden"),
        ("二类居住", DAY_CARE, "share"),
        ("规划商业用地（B1）", MARKET, "allowed"),
        ("１４０１", "outdoor_fitness_ground", "allowed"),
        ("？", MARKET, "unknown"),
        (float("nan"), MARKET, "unknown"),
    ],
)
def test_land_use_is_read_from_dirty_columns(land_use: object, facility_class: str, verdict: str) -> None:
    assert load_compatibility().verdict(land_use, facility_class) == verdict


def test_names_that_places_share_are_numbered() -> None:
    names = told_apart(np.array(["地块", None, "地块", "学校", "地块", np.nan], dtype=object))
    assert names.tolist() == ["地块 1", None, "地块 2", "学校", "地块 3", None]
