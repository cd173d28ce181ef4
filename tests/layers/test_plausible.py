"""Figures that can be read but not be true are told; people that no ground can hold block."""

from __future__ import annotations

import geopandas as gpd
import pytest
import shapely

from lifecircle.layers.plausible import SHOWN, plausible_faults
from lifecircle.layers.words import LANGUAGES, explain


def squares(count: int, **columns: object) -> gpd.GeoDataFrame:
    shapes = [shapely.box(x * 200, 0, x * 200 + 100, 100) for x in range(count)]
    return gpd.GeoDataFrame(columns, geometry=shapes, crs="EPSG:4548")


def told(**layers: gpd.GeoDataFrame) -> list[tuple[str, object, bool]]:
    faults = plausible_faults(layers, ())
    assert all(explain(fault, language) for fault in faults for language in LANGUAGES)
    return [(fault.code.removeprefix("faults."), fault.row, fault.blocks) for fault in faults]


def test_densities_and_ratios_beyond_reason_are_told() -> None:
    parcels = squares(3, parcel_id=["a", "b", "c"], density=[0.35, 35.0, None], far=[2.5, 30.0, None])
    assert told(parcels=parcels) == [("density_over", "b", False), ("far_over", "b", False)]


def test_years_name_their_row_and_the_rest_is_counted() -> None:
    compounds = squares(8, compound_id=list("abcdefgh"), year_built=[1990, 20190, 1200, *[3000] * 5])
    found = told(compounds=compounds)
    assert found[0] == ("year_odd", "b", False)
    assert len(found) == SHOWN + 1
    assert found[-1][0] == "and_more"
    assert told(compounds=squares(1, year_built=[2026])) == []


@pytest.mark.parametrize("layer", ["compounds", "districts", "population"])
def test_people_that_no_ground_can_hold_block(layer: str) -> None:
    assert told(**{layer: squares(3, people=[4_999.0, 5_001.0, 1e12])}) == [
        ("people_over_ground", 2, True),
        ("people_over_ground", 3, True),
    ]


def test_people_that_no_floor_can_hold_block_and_towers_are_no_fault() -> None:
    compounds = squares(2, people=[900.0, 900.0], floor_area_m2=[3.2, 32_000.0])
    assert told(compounds=compounds) == [("people_over_floor", 1, True)]
    assert told(buildings=squares(1, people=[50_000.0], storeys=[30.0])) == []
    points = gpd.GeoDataFrame({"people": [1e5]}, geometry=[shapely.Point(0, 0)], crs="EPSG:4548")
    assert told(population=points) == []


def test_gates_without_walls_are_told() -> None:
    gates = gpd.GeoDataFrame({"gate_id": ["1"]}, geometry=[shapely.Point(0, 0)], crs="EPSG:4548")
    assert told(gates=gates, compounds=squares(1)) == [("gates_no_walled_column", None, False)]
    assert told(gates=gates) == [("gates_no_walled_column", None, False)]
    assert plausible_faults({"gates": gates}, [], {"compounds"}) == []
    assert told(gates=gates, compounds=squares(2, walled=[False, None])) == [("gates_none_walled", None, False)]
    assert told(gates=gates, compounds=squares(2, walled=[True, False])) == []
