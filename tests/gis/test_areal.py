"""Areal transfer: nothing is lost unseen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import rasterio
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS
from rasterio.transform import Affine

from lifecircle.gis.areal import (
    raster_cells,
    raster_to_points,
    raster_to_zones,
    round_in_groups,
    round_to_total,
    share_by_area,
    zones_to_points,
)
from lifecircle.gis.crs import to_crs
from lifecircle.gis.errors import CrsError, InputError, MissingFileError

if TYPE_CHECKING:
    from pathlib import Path

METRIC = CRS("EPSG:32733")
amounts = st.lists(st.floats(0, 1e6), min_size=1, max_size=30)


@settings(deadline=None)
@given(amounts)
def test_rounding_keeps_the_sum_and_stays_near(values: list[float]) -> None:
    whole = round_to_total(values)
    assert whole.dtype == np.int64
    assert whole.sum() == int(np.floor(np.sum(values) + 0.5))
    assert (np.abs(whole - np.array(values)) < 1).all()


@settings(deadline=None)
@given(amounts, st.integers(0, 10**7))
def test_rounding_to_a_total(values: list[float], total: int) -> None:
    if sum(values) == 0 and total > 0:
        with pytest.raises(InputError, match="nothing to share"):
            round_to_total(values, total)
        return
    whole = round_to_total(values, total)
    assert whole.sum() == total
    assert (whole >= 0).all()
    assert (whole == round_to_total(values, total)).all()
    assert (whole[np.array(values) == 0] == 0).all()


def test_integers_stay_as_they_are_and_ties_go_by_position() -> None:
    assert round_to_total([3.0, 0.0, 7.0]).tolist() == [3, 0, 7]
    assert round_to_total([0.5, 0.5, 0.5, 0.5], 2).tolist() == [1, 1, 0, 0]
    assert round_to_total([0, 0]).tolist() == [0, 0]


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.1, 100), st.integers(-1, 3)), min_size=1, max_size=30),
    st.lists(st.integers(0, 500), min_size=4, max_size=4),
)
def test_rounding_in_groups_equals_group_by_group(rows: list[tuple[float, int]], totals: list[int]) -> None:
    values, group = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    totals_there = np.array([total if (group == index).any() else 0 for index, total in enumerate(totals)])
    whole = round_in_groups(values, group, totals_there)
    assert (whole[group < 0] == 0).all()
    for index in range(4):
        mine = group == index
        assert whole[mine].sum() == totals_there[index]
        if mine.any():
            assert (whole[mine] == round_to_total(values[mine], int(totals_there[index]))).all()


@pytest.mark.parametrize("values", [[-1.0], [np.nan], [np.inf]])
def test_rounding_refuses_what_is_no_amount(values: list[float]) -> None:
    with pytest.raises(InputError, match="not negative"):
        round_to_total(values)


def test_negative_totals_are_refused() -> None:
    with pytest.raises(InputError, match="totals"):
        round_to_total([1.0], -1)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 90), st.integers(0, 90), st.integers(1, 60), st.integers(1, 60)),
        min_size=1,
        max_size=8,
    )
)
def test_shares_of_a_partition_are_whole(corners: list[tuple[int, int, int, int]]) -> None:
    polygons = np.array([shapely.box(x, y, x + w, y + h) for x, y, w, h in corners], dtype=object)
    zones = np.array([shapely.box(x, y, x + 50, y + 50) for x in (0, 50) for y in (0, 50)], dtype=object)
    overlaps = share_by_area(polygons, zones)
    sums = np.bincount(overlaps.polygon, overlaps.share, minlength=len(polygons))
    assert sums + overlaps.outside == pytest.approx(1)
    assert overlaps.area_m2.sum() == pytest.approx(
        shapely.area(shapely.intersection(polygons, shapely.box(0, 0, 100, 100))).sum()
    )
    largest = overlaps.largest()
    for row, polygon in enumerate(polygons):
        areas = shapely.area(shapely.intersection(zones, polygon))
        assert areas[largest[row]] == pytest.approx(areas.max()) if areas.max() > 0 else largest[row] == -1


def test_overlapping_zones_do_not_count_twice() -> None:
    zones = np.array([shapely.box(0, 0, 10, 10), shapely.box(0, 0, 10, 10)], dtype=object)
    overlaps = share_by_area(np.array([shapely.box(2, 2, 4, 4)], dtype=object), zones)
    assert overlaps.share.tolist() == [0.5, 0.5]
    assert overlaps.largest().tolist() == [0]
    assert overlaps.outside.tolist() == [0.0]


def test_awkward_shapes() -> None:
    polygons = np.array([shapely.Point(5, 5), None, shapely.Polygon(), shapely.box(90, 90, 99, 99)], dtype=object)
    zones = np.array([shapely.box(0, 0, 5, 10), shapely.box(5, 0, 10, 10)], dtype=object)
    overlaps = share_by_area(polygons, zones)
    assert (overlaps.polygon.tolist(), overlaps.zone.tolist(), overlaps.share.tolist()) == ([0], [0], [1.0])
    assert overlaps.largest().tolist() == [0, -1, -1, -1]


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 1000), min_size=3, max_size=3),
    st.lists(st.tuples(st.integers(-1, 2), st.floats(0, 50)), min_size=1, max_size=20),
)
def test_zones_to_points_keeps_the_sum(totals: list[int], points: list[tuple[int, float]]) -> None:
    zone, weights = np.array([point[0] for point in points]), np.array([point[1] for point in points])
    shared = zones_to_points(totals, zone, weights)
    assert shared.values.sum() + shared.lost == pytest.approx(sum(totals))
    for index, total in enumerate(totals):
        mine = zone == index
        assert shared.values[mine].sum() == pytest.approx(total if mine.any() else 0)
    assert shared.lost_parts == sum(total > 0 and not (zone == index).any() for index, total in enumerate(totals))


def raster(folder: Path, counts: np.ndarray, **options: object) -> Path:
    path = folder / "people.tif"
    profile = {
        "driver": "GTiff",
        "width": counts.shape[1],
        "height": counts.shape[0],
        "count": 1,
        "dtype": "float32",
        "crs": "EPSG:32733",
        "transform": Affine(100, 0, 500_000, 0, -100, 9_500_000),
        **options,
    }
    with rasterio.open(path, "w", **profile) as file:
        file.write(counts.astype("float32"), 1)
    return path


def test_a_cut_cell_counts_by_its_fraction(tmp_path: Path) -> None:
    path = raster(tmp_path, np.array([[10.0, 20.0], [30.0, np.nan]]))
    zones = np.array(
        [shapely.box(500_000, 9_499_900, 500_050, 9_500_000), shapely.box(500_050, 9_499_850, 500_200, 9_500_000)]
    )
    shared = raster_to_zones(path, zones, METRIC)
    assert shared.values == pytest.approx([5.0, 5.0 + 20.0 + 30.0 / 4])
    assert shared.values.sum() + shared.lost == pytest.approx(shared.total)
    assert (shared.total, shared.lost_parts) == (60.0, 1)
    cells = raster_cells(path, shapely.box(500_050, 9_499_900, 500_200, 9_500_000), METRIC)
    assert cells.value == pytest.approx([5.0, 20.0])
    assert cells.xy == pytest.approx(np.array([[500_075, 9_499_950], [500_150, 9_499_950]]))
    assert cells.outside == pytest.approx(5.0)


def test_people_in_cells_without_a_receiver_are_reported(tmp_path: Path) -> None:
    path = raster(tmp_path, np.array([[10.0, 20.0], [30.0, 0.0]]))
    area = shapely.box(500_000, 9_499_800, 500_200, 9_500_000)
    houses = np.array([[500_020, 9_499_950], [500_080, 9_499_950], [500_150, 9_499_850]], dtype=float)
    shared = raster_to_points(path, houses, METRIC, area=area, weights=[1, 3, 1])
    assert shared.values == pytest.approx([2.5, 7.5, 0.0])
    assert (shared.total, shared.lost, shared.lost_parts) == pytest.approx((60.0, 50.0, 2))
    spilled = raster_to_points(path, houses, METRIC, area=area, weights=[1, 3, 1], spill_m=120.0)
    assert spilled.values.sum() == pytest.approx(60.0)
    assert spilled.lost == 0
    nobody = raster_to_points(path, np.zeros((0, 2)), METRIC, area=area)
    assert (nobody.lost, nobody.total) == (60.0, 60.0)


def test_nodata_is_nobody_and_negative_counts_are_refused(tmp_path: Path) -> None:
    area = shapely.box(500_000, 9_499_800, 500_200, 9_500_000)
    counts = np.array([[10.0, -9999.0], [30.0, 0.0]])
    assert raster_cells(raster(tmp_path, counts, nodata=-9999), area, METRIC).total == 40.0
    with pytest.raises(InputError, match="negative"):
        raster_cells(raster(tmp_path, counts), area, METRIC)
    with pytest.raises(CrsError):
        raster_cells(raster(tmp_path, counts, crs=None), area, METRIC)
    with pytest.raises(MissingFileError):
        raster_cells(tmp_path / "absent.tif", area, METRIC)


def test_an_area_beside_the_raster_holds_nobody(tmp_path: Path) -> None:
    path = raster(tmp_path, np.ones((2, 2)))
    cells = raster_cells(path, shapely.box(600_000, 9_499_800, 600_200, 9_500_000), METRIC)
    assert (len(cells.value), cells.total, cells.outside, cells.xy.shape) == (0, 0.0, 0.0, (0, 2))


@pytest.mark.places
def test_a_real_raster_keeps_its_sum_through_zones_and_points(places: Path) -> None:
    path = places / "population" / "worldpop_pointe_noire_100m.tif"
    with rasterio.open(path) as file:
        bounds = file.bounds
    outline = shapely.segmentize(shapely.box(*bounds).buffer(0.002, join_style="mitre"), 0.01)
    area = to_crs(outline, "wgs84", METRIC)
    west, south, east, north = area.bounds
    x, y = np.meshgrid(np.linspace(west, east, 14), np.linspace(south, north, 11))
    zones = shapely.box(x[:-1, :-1], y[:-1, :-1], x[1:, 1:], y[1:, 1:]).ravel()
    shared = raster_to_zones(path, zones, METRIC)
    assert shared.total == pytest.approx(266_831.5, abs=0.1)
    assert shared.values.sum() + shared.lost == pytest.approx(shared.total, rel=1e-9)
    assert shared.lost <= 1e-6 * shared.total
    random = np.random.default_rng(3)
    houses = np.column_stack([random.uniform(west, east, 2000), random.uniform(south, north, 2000)])
    given_out = raster_to_points(path, houses, METRIC, area=area, weights=random.uniform(0, 9, 2000), spill_m=2000.0)
    assert given_out.values.sum() + given_out.lost == pytest.approx(266_831.5, abs=0.1)
    assert given_out.lost == 0
    half = shapely.box(west, south, (west + east) / 2, north)
    left, right = raster_cells(path, half, METRIC), raster_cells(path, area.difference(half), METRIC)
    assert left.total + right.total == pytest.approx(266_831.5, abs=0.1)
