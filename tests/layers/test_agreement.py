from __future__ import annotations

import geopandas as gpd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from lifecircle.layers.agreement import GATE_APART_M, disagreements
from lifecircle.layers.words import LANGUAGES, explain

CRS = "EPSG:4548"
AREA = shapely.box(-5000, -5000, 9000, 9000)


def _town(shift: float = 0.0, *, people: float = 3000.0) -> dict[str, gpd.GeoDataFrame]:
    """Ten compounds in a row with a gate and a house each, and a sub-district around them."""
    boxes = [shapely.box(300 * n + shift, 0, 300 * n + 200 + shift, 200) for n in range(10)]
    ids = [f"C{n}" for n in range(10)]
    ground = {"compound_id": ids, "floor_area_m2": [9000.0] * 10}
    houses = [shapely.box(300 * n + 90, 90, 300 * n + 110, 110) for n in range(10)]
    return {
        "compounds": gpd.GeoDataFrame(ground, geometry=boxes, crs=CRS),
        "gates": gpd.GeoDataFrame(
            {"compound_id": ids}, geometry=[shapely.Point(300 * n, 100) for n in range(10)], crs=CRS
        ),
        "buildings": gpd.GeoDataFrame({"building_id": ids}, geometry=houses, crs=CRS),
        "districts": gpd.GeoDataFrame({"people": [people]}, geometry=[shapely.box(0, 0, 3000, 200)], crs=CRS),
    }


def _codes(layers: dict[str, gpd.GeoDataFrame]) -> list[str]:
    faults = disagreements(layers, (), AREA)
    for fault in faults:
        for language in LANGUAGES:
            assert "{" not in explain(fault, language)
    return [fault.code.removeprefix("agreement.") for fault in faults]


@given(st.floats(0, GATE_APART_M))
def test_layers_in_one_place_are_not_doubted(shift: float) -> None:
    assert _codes(_town(-shift)) == []


@pytest.mark.parametrize("shift", [500.0, -530.0, 4000.0])
def test_a_layer_that_lies_elsewhere_is_told(shift: float) -> None:
    codes = _codes(_town(shift))
    assert "gates_apart" in codes


def test_compounds_beside_all_buildings_are_told() -> None:
    assert "compounds_bare" in _codes(_town(150.0))


def test_gates_of_compounds_that_are_not_there_are_told_inside_the_area_only() -> None:
    town = _town()
    town["compounds"] = town["compounds"].iloc[:6]
    faults = disagreements(town, (), AREA)
    assert [(fault.code, fault.detail["count"]) for fault in faults] == [("agreement.gates_of_nobody", 4)]
    assert disagreements(town, (), shapely.box(-99, -99, 1750, 300)) == []


def test_nobody_blocks_and_people_in_thousands_are_doubted() -> None:
    faults = disagreements(_town(people=0.0), (), AREA)
    assert [(fault.code, fault.blocks) for fault in faults] == [("agreement.nobody", True)]
    assert _codes(_town(people=3.0)) == ["people_few"]


def test_a_list_of_unknown_classes_is_told() -> None:
    points = [shapely.Point(n, n) for n in range(4)]
    frame = gpd.GeoDataFrame({"facility_class": ["加油站", "", "小学", "加油站"]}, geometry=points, crs=CRS)
    faults = disagreements({"facilities": frame}, (), AREA)
    assert [(fault.code, fault.detail["count"]) for fault in faults] == [("agreement.unclassed", 3)]
    assert not faults[0].blocks
    assert disagreements({"facilities": frame.iloc[[2]]}, (), AREA) == []
