"""Rectangles in polygons: equal to Carver's condition and to a brute search; larger ground never refuses more."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import affinity

from lifecircle.gis.errors import InputError
from lifecircle.gis.rectangles import SLACK, fits_rectangle, largest_like

SIDE = st.floats(8.0, 60.0)
TURN = st.floats(0.0, 180.0)
SMALLER = 1 - SLACK - 1e-4


def inside_rectangle(across: float, deep: float, width: float, height: float) -> bool:
    """Carver (1957): whether a rectangle fits into another, turned any way."""
    p, q = max(across, deep), min(across, deep)
    a, b = max(width, height), min(width, height)
    if p <= a and q <= b:
        return True
    long = p * p + q * q
    return p > a and q <= b and b * long >= 2 * p * q * a + (p * p - q * q) * np.sqrt(max(long - a * a, 0.0))


def searched(polygon: shapely.Geometry, across: float, deep: float) -> bool:
    """Try every 3 degrees and every place of a grid of half metres: finds only rectangles that really fit."""
    shapely.prepare(polygon)
    west, south, east, north = polygon.bounds
    x, y = np.meshgrid(np.arange(west, east, 0.5), np.arange(south, north, 0.5))
    for angle in np.arange(0, 180, 3.0):
        box = affinity.rotate(shapely.box(-across / 2, -deep / 2, across / 2, deep / 2), angle)
        corners = shapely.get_coordinates(box)
        boxes = shapely.polygons(corners[None] + np.stack([x.ravel(), y.ravel()], axis=1)[:, None])
        if shapely.covers(polygon, boxes).any():
            return True
    return False


@given(SIDE, SIDE, TURN, SIDE, SIDE)
@settings(max_examples=150, deadline=None)
def test_equals_carvers_condition_in_turned_rectangles(
    width: float, height: float, turn: float, across: float, deep: float
) -> None:
    plot = affinity.rotate(shapely.box(0, 0, width, height), turn)
    found = bool(fits_rectangle([plot], across, deep)[0])
    if inside_rectangle(across, deep, width, height):
        assert found
    if found:
        assert inside_rectangle(across * SMALLER, deep * SMALLER, width, height)


@given(st.floats(4.0, 12.0), st.floats(4.0, 12.0), TURN, st.floats(3.0, 14.0), st.floats(3.0, 14.0))
@settings(max_examples=15, deadline=None)
def test_never_refuses_what_a_search_finds_in_an_l_shape(
    wide: float, thick: float, turn: float, across: float, deep: float
) -> None:
    corner = shapely.Polygon([(0, 0), (16, 0), (16, thick), (wide, thick), (wide, 16), (0, 16)])
    plot = affinity.rotate(corner, turn)
    found = bool(fits_rectangle([plot], across, deep)[0])
    if searched(plot, across, deep):
        assert found
    along = (across <= 16 and deep <= thick) or (across <= wide and deep <= 16)
    if along or (deep <= 16 and across <= thick) or (deep <= wide and across <= 16):
        assert found
    if across * deep > plot.area:
        assert not found


@given(st.lists(st.tuples(SIDE, SIDE), min_size=4, max_size=8, unique=True), SIDE, SIDE, st.floats(1.0, 1.5))
@settings(max_examples=60, deadline=None)
def test_more_ground_and_smaller_sides_never_refuse_more(
    points: list[tuple[float, float]], across: float, deep: float, more: float
) -> None:
    plot = shapely.MultiPoint(points).convex_hull.buffer(0.5)
    assert fits_rectangle([plot], across, deep)[0] == fits_rectangle([plot], deep, across)[0]
    if fits_rectangle([plot], across, deep)[0]:
        assert fits_rectangle([affinity.scale(plot, 1.02 * more, 1.02 * more)], across, deep)[0]
        assert fits_rectangle([plot], across / (1.02 * more), deep / (1.02 * more))[0]


def test_holes_parts_and_what_is_no_polygon() -> None:
    holed = shapely.box(0, 0, 30, 30).difference(shapely.box(10, 10, 20, 20))
    apart = shapely.MultiPolygon([shapely.box(0, 0, 10, 30), shapely.box(10.5, 0, 20, 30)])
    shapes = [holed, apart, shapely.Point(0, 0), shapely.Polygon()]
    assert fits_rectangle(shapes, 12, 12).tolist() == [False, False, False, False]
    assert fits_rectangle(shapes, 10, 30).tolist() == [True, True, False, False]


def test_the_largest_of_its_form_fits_and_is_not_far_from_more() -> None:
    plot = affinity.rotate(shapely.box(0, 0, 25, 60), 33)
    scale = largest_like(plot, 50, 60)
    assert scale == pytest.approx(0.5, abs=0.02)
    assert fits_rectangle([plot], scale * 50, scale * 60)[0]


@pytest.mark.parametrize("side", [0.0, -3.0, np.nan, np.inf])
def test_sides_must_be_lengths(side: float) -> None:
    with pytest.raises(InputError) as error:
        fits_rectangle([shapely.box(0, 0, 9, 9)], side, side)
    assert [fault.column for fault in error.value.faults] == ["across_m", "deep_m"]
