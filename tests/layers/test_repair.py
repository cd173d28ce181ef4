"""Every change of a geometry is a row, within the limit of area; beyond it an error."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.layers.contracts import CONTRACTS
from lifecircle.layers.repair import AREA_CHANGE_LIMIT, Mended, mend
from lifecircle.layers.study import REPAIRS
from lifecircle.layers.table import check
from lifecircle.layers.words import LANGUAGES, explain, say

CRS = "EPSG:4548"
SQUARE = shapely.box(0, 0, 100, 100)


def mended(shapes: list[object], kinds: tuple[str, ...] = ("Polygon",), **columns: object) -> Mended:
    frame = gpd.GeoDataFrame(columns, geometry=shapes, crs=CRS)
    rows = pd.Series([f"r{place}" for place in range(len(shapes))], dtype=object)
    found = mend(frame, kinds, layer="l", file="f.shp", rows=rows)  # type: ignore[arg-type]
    assert tuple(found.repairs.columns) == REPAIRS
    for language in LANGUAGES:
        assert all(say(note.code, language, **note.detail) for note in found.notes)
        assert all(explain(fault, language) for fault in found.faults)
    return found


def log(found: Mended) -> list[list[object]]:
    return [list(row) for row in found.repairs[["feature", "what", "area_before_m2", "area_after_m2"]].to_numpy()]


def test_heights_are_logged_only_where_they_say_something() -> None:
    high = shapely.force_3d(shapely.box(200, 0, 300, 100), 5.0)
    flat = shapely.force_3d(SQUARE, 0.0)
    found = mended([high, flat])
    assert log(found) == [["r0", "height", 10_000.0, 10_000.0]]
    assert not found.frame.has_z.any()


def test_of_a_collection_the_fitting_parts_stay() -> None:
    mixed = shapely.GeometryCollection([SQUARE, shapely.Point(5, 5), shapely.LineString([(0, 0), (1, 1)])])
    found = mended([mixed])
    assert log(found) == [["r0", "mixed", 10_000.0, 10_000.0]]
    assert found.frame.geometry[0].equals(SQUARE)
    both = mended([shapely.GeometryCollection([shapely.LineString([(0, 0), (5, 0)])])], ("LineString", "Polygon"))
    assert both.frame.geom_type.tolist() == ["LineString"]
    overlapping = shapely.GeometryCollection([SQUARE, shapely.box(50, 0, 150, 100)])
    assert [fault.code for fault in mended([overlapping]).faults] == ["faults.geometry_mixed"]
    wrong = mended([shapely.GeometryCollection([shapely.Point(5, 5), shapely.LineString([(0, 0), (1, 1)])])])
    assert [fault.code for fault in wrong.faults] == ["faults.wrong_shape"]


def test_parts_that_overlap_a_little_are_joined_and_much_are_refused() -> None:
    little = shapely.MultiPolygon([SQUARE, shapely.box(99.5, 0, 200, 100)])
    found = mended([little])
    assert log(found) == [["r0", "self_overlap", 20_050.0, 20_000.0]]
    assert found.frame.is_valid.all()
    much = shapely.MultiPolygon([SQUARE, shapely.box(50, 0, 200, 100)])
    assert [fault.code for fault in mended([much]).faults] == ["faults.geometry_invalid"]


def test_what_has_no_length_or_area_is_left_out() -> None:
    lines = mended([shapely.LineString([(1, 1), (1, 1)]), shapely.LineString([(0, 0), (9, 0)])], ("LineString",))
    assert log(lines) == [["r0", "collapsed", 0.0, 0.0]]
    assert len(lines.frame) == 1
    polygons = mended([shapely.Polygon([(0, 0), (9, 0), (5, 0)]), SQUARE])
    assert log(polygons) == [["r0", "collapsed", 0.0, 0.0]]


def test_slivers_are_left_out_unless_people_are_on_them() -> None:
    thin = shapely.box(0, 0, 10, 0.01)
    assert log(mended([thin, SQUARE])) == [["r0", "sliver", pytest.approx(0.1), 0.0]]
    assert log(mended([thin, SQUARE], people=[7, 9])) == []
    parts = mended([shapely.MultiPolygon([SQUARE, shapely.box(200, 0, 210, 0.01)])])
    assert log(parts) == [["r0", "sliver", pytest.approx(10_000.1), 10_000.0]]
    assert parts.frame.geom_type.tolist() == ["Polygon"]


def test_a_feature_that_repeats_another_with_all_its_values_is_left_out() -> None:
    turned = shapely.Polygon([(100, 0), (100, 100), (0, 100), (0, 0)])
    found = mended([SQUARE, turned, shapely.box(1, 0, 2, 9)], name=["a", "a", "a"])
    assert log(found) == [["r1", "duplicate", 10_000.0, 0.0]]
    other = mended([SQUARE, turned], name=["a", "b"])
    assert (len(other.frame), log(other)) == (2, [])
    assert [(fault.code, fault.row, fault.blocks) for fault in other.faults] == [("faults.same_geometry", "r1", False)]
    points = mended([shapely.Point(0, 0)] * 2, ("Point",), name=["a", "a"])
    assert len(points.frame) == 2


def test_a_number_that_the_product_gave_does_not_tell_rows_apart() -> None:
    frame = gpd.GeoDataFrame({"parcel_id": ["1", "2"]}, geometry=[SQUARE, SQUARE], crs=CRS)
    rows = pd.Series([1, 2], dtype=object)
    assert len(mend(frame, ("Polygon",), layer="l", file="f", rows=rows, numbered="parcel_id").frame) == 1
    assert len(mend(frame, ("Polygon",), layer="l", file="f", rows=rows).frame) == 2


def test_rows_are_named_as_in_the_file_also_where_some_were_left_out() -> None:
    frame = gpd.GeoDataFrame({"name": list("abc")}, geometry=[SQUARE, SQUARE, None], crs=CRS, index=[0, 7, 9])
    checked = check(frame.iloc[1:], CONTRACTS["compounds"], file="f.shp")
    assert checked.repairs["feature"].tolist() == ["10"]
    wrong = check(frame.assign(households=[1, -2, 3]), CONTRACTS["compounds"], file="f.shp")
    assert [fault.row for fault in wrong.faults if fault.code == "faults.negative"] == [8]


coordinate = st.integers(0, 12).map(float)
ring = st.lists(st.tuples(coordinate, coordinate), min_size=3, max_size=7)


@settings(max_examples=150, deadline=None)
@given(st.lists(ring, min_size=1, max_size=4), st.booleans())
def test_any_polygons_come_out_valid_and_each_is_kept_logged_or_refused(
    rings: list[list[tuple[float, float]]],
    joined: bool,  # noqa: FBT001  hypothesis gives it by place
) -> None:
    polygons = [shapely.Polygon(points) for points in rings]
    shapes: list[object] = [shapely.MultiPolygon(polygons)] if joined else list(polygons)
    found = mended(shapes, name=[str(place) for place in range(len(shapes))])
    assert found.frame.is_valid.all()
    assert (found.frame.area > 0).all()
    rows = found.repairs.set_index("feature")
    refused = {fault.row for fault in found.faults if fault.blocks and fault.row is not None}
    dropped = set(rows.index[rows["what"].isin(["collapsed", "sliver"])]) if len(rows) else set()
    kept = set(found.frame["name"].map(lambda name: f"r{name}"))
    assert kept | refused | dropped >= {f"r{place}" for place in range(len(shapes))}
    changed = found.repairs[found.repairs["what"].isin(["invalid", "self_overlap"])]
    change = np.abs(changed["area_after_m2"] - changed["area_before_m2"])
    most = np.maximum(changed["area_after_m2"], changed["area_before_m2"])
    assert (change <= AREA_CHANGE_LIMIT * most + 0.002).all()
