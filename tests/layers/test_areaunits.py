"""Areas in another unit than they say are told, with the likely unit; rough or honest ones are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from lifecircle.layers.areaunits import FITS, area_unit_faults, stated_unit
from lifecircle.layers.files import read_source
from lifecircle.layers.words import LANGUAGES, explain

if TYPE_CHECKING:
    from pathlib import Path

X, Y = 500_000.0, 4_057_000.0
SIZES = np.array([400.0, 900.0, 2_500.0, 10_000.0])


def plots(**columns: object) -> gpd.GeoDataFrame:
    shapes = [
        shapely.box(X + 200 * place, Y, X + 200 * place + side, Y + side) for place, side in enumerate(SIZES**0.5)
    ]
    return gpd.GeoDataFrame(columns, geometry=shapes, crs="EPSG:4548")


def told(frame: gpd.GeoDataFrame, layer: str = "land") -> list[tuple[str | None, object]]:
    faults = area_unit_faults({layer: frame}, ())
    assert all(not fault.blocks and explain(fault, language) for fault in faults for language in LANGUAGES)
    return [(fault.column, fault.detail["likely"]) for fault in faults]


DEGREES2 = plots().to_crs(4326).geometry.map(lambda shape: shape.area).to_numpy()
MERCATOR = plots().to_crs(3857).area.to_numpy()


@pytest.mark.parametrize(
    ("column", "values", "likely"),
    [
        ("area_m2", SIZES, None),
        ("area_m2", SIZES / 10_000, "ha"),
        ("area_m2", SIZES * 3 / 2000, "mu (亩)"),
        ("area_m2", SIZES / 1e6, "km²"),
        ("area_m2", DEGREES2, "deg²"),
        ("area_m2", MERCATOR, "m² in EPSG:3857"),
        ("area_km2", DEGREES2, "deg²"),
        ("area_km2", SIZES / 1e6, None),
        ("area_km2", SIZES, "m²"),
        ("面积_亩", SIZES, "m²"),
        ("面积_亩", SIZES * 3 / 2000, None),
        ("用地面积（公顷）", SIZES / 10_000, None),
        ("Shape_Area", DEGREES2, "deg²"),
        ("Shape_Area", SIZES, None),
        ("面积", SIZES / 10_000, None),  # no unit said, and not read: nothing is contradicted
        ("area_m2", SIZES * np.array([0.1, 3, 9, 0.01]), None),
        ("建筑面积备注", SIZES / 1e6, None),
        ("area_m2", ["x", None, "", "-"], None),
    ],
)
def test_the_likely_unit_is_named(column: str, values: object, likely: str | None) -> None:
    assert told(plots(**{column: values})) == ([] if likely is None else [(column, likely)])


def test_floor_areas_in_ten_thousand_square_metres() -> None:
    assert told(plots(floor_area_m2=SIZES * 2.5 / 10_000), "compounds") == [("floor_area_m2", "10⁴ m² (万平方米)")]
    assert told(plots(floor_area_m2=SIZES * 2.5), "compounds") == []
    points = plots(area_m2=SIZES / 1e4)
    assert told(points.set_geometry(points.centroid)) == []


@given(st.lists(st.floats(1 / FITS + 0.01, FITS - 0.01), min_size=4, max_size=4))
def test_rough_figures_in_the_right_unit_are_never_told(rough: list[float]) -> None:
    assert told(plots(area_m2=SIZES * np.array(rough))) == []


def test_units_in_names() -> None:
    names = {"AREA_SQM": "m²", "总面积(万平方米)": "ha", "shape_area": None, "area_ha": "ha", "mu": "mu (亩)"}
    assert {name: stated_unit(name) for name in names} == names


@pytest.mark.places
def test_the_wrong_column_of_real_parcels_is_told(places: Path) -> None:
    frame = read_source(places / "parcels" / "urban_villages_bj_sh_gz.geojson").frame
    beijing = frame[frame["city"] == frame["city"].iloc[0]]
    metric = gpd.GeoDataFrame(
        beijing.set_geometry(shapely.force_2d(beijing.geometry)).set_crs(4326, allow_override=True)
    )
    assert told(metric.to_crs(32650), "projects") == [("area_km2", "deg² → km²")]
