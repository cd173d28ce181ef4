"""Coordinates: there and back to the millimetre, and three different answers to a CRS that cannot measure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS, Geod

from lifecircle.gis.chinese import (
    bd09_to_gcj02,
    bd09_to_wgs84,
    gcj02_to_bd09,
    gcj02_to_wgs84,
    in_china,
    wgs84_to_bd09,
    wgs84_to_gcj02,
)
from lifecircle.gis.crs import require_metric, to_crs, transform, working_crs
from lifecircle.gis.errors import CrsError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable

GEOD = Geod(ellps="WGS84")
PLACES = {"Jinan": (117.0, 36.65), "Shijiazhuang": (114.5, 38.04), "Anqing": (117.05, 30.53)}


def apart_m(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.asarray(GEOD.inv(one[:, 0], one[:, 1], other[:, 0], other[:, 1])[2])


def around(lon: float, lat: float, count: int = 4000) -> np.ndarray:
    random = np.random.default_rng(7)
    return np.column_stack([random.uniform(lon - 0.25, lon + 0.25, count), random.uniform(lat - 0.2, lat + 0.2, count)])


def published(lon: float, lat: float) -> tuple[float, float]:
    """GCJ-02 as the public repositories write it, sine by sine."""
    x, y, pi = lon - 105, lat - 35, math.pi
    both = (20 * math.sin(6 * x * pi) + 20 * math.sin(2 * x * pi)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x)) + both
    north += (20 * math.sin(y * pi) + 40 * math.sin(y / 3 * pi)) * 2 / 3
    north += (160 * math.sin(y / 12 * pi) + 320 * math.sin(y * pi / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x)) + both
    east += (20 * math.sin(x * pi) + 40 * math.sin(x / 3 * pi)) * 2 / 3
    east += (150 * math.sin(x / 12 * pi) + 300 * math.sin(x / 30 * pi)) * 2 / 3
    a, ee, phi = 6378245.0, 0.00669342162296594323, math.radians(lat)
    magic = 1 - ee * math.sin(phi) ** 2
    north = north * 180 / (a * (1 - ee) / (magic * math.sqrt(magic)) * pi)
    return lon + east * 180 / (a / math.sqrt(magic) * math.cos(phi) * pi), lat + north


def test_gcj02_is_the_published_formula() -> None:
    points = np.vstack([around(*place, count=300) for place in PLACES.values()])
    expected = np.array([published(lon, lat) for lon, lat in points])
    assert apart_m(wgs84_to_gcj02(points), expected).max() < 1e-6


@pytest.mark.parametrize(
    ("place", "least_m", "most_m", "bd09_m"),
    [("Jinan", 483, 567, 1306), ("Shijiazhuang", 509, 561, 1325), ("Anqing", 556, 586, 1201)],
)
def test_known_offsets(place: str, least_m: float, most_m: float, bd09_m: float) -> None:
    points = around(*PLACES[place])
    offset = apart_m(points, wgs84_to_gcj02(points))
    assert least_m - 25 < offset.min()
    assert offset.max() < most_m + 25
    assert abs(apart_m(points, wgs84_to_bd09(points)).mean() - bd09_m) < 60


@pytest.mark.parametrize(
    ("there", "back"),
    [(wgs84_to_gcj02, gcj02_to_wgs84), (gcj02_to_bd09, bd09_to_gcj02), (wgs84_to_bd09, bd09_to_wgs84)],
)
def test_there_and_back_over_china_to_a_millimetre(
    there: Callable[[np.ndarray], np.ndarray], back: Callable[[np.ndarray], np.ndarray]
) -> None:
    random = np.random.default_rng(11)
    points = np.column_stack([random.uniform(72, 138, 200_000), random.uniform(3, 55, 200_000)])
    assert apart_m(back(there(points)), points).max() < 1e-3
    assert apart_m(there(back(points)), points).max() < 1e-3


@settings(deadline=None)
@given(st.floats(-180, 180), st.floats(-90, 90))
def test_outside_china_nothing_moves(lon: float, lat: float) -> None:
    point = np.array([[lon, lat]])
    far = not (71 <= lon <= 139 and 16 <= lat <= 56)
    if far:
        assert (wgs84_to_gcj02(point) == point).all()
        assert (gcj02_to_wgs84(point) == point).all()
        assert (bd09_to_wgs84(point) == point).all()


def test_neighbours_are_not_china() -> None:
    cities = {"Seoul": (126.98, 37.57), "Hanoi": (105.85, 21.03), "Ulaanbaatar": (106.9, 47.9), "Tokyo": (139.7, 35.7)}
    points = np.array(list(cities.values()))
    assert not in_china(points).any()
    assert (wgs84_to_gcj02(points) == points).all()


def test_missing_coordinates_stay_missing_and_do_not_spoil_others() -> None:
    points = np.array([[np.nan, np.nan], [117.0, 36.65]])
    moved = gcj02_to_wgs84(points)
    assert np.isnan(moved[0]).all()
    assert np.isfinite(moved[1]).all()
    assert wgs84_to_gcj02(np.zeros((0, 2))).shape == (0, 2)
    with pytest.raises(InputError, match=r"\(n, 2\)"):
        wgs84_to_gcj02([117.0, 36.65])


@pytest.mark.parametrize(
    ("bounds", "code"),
    [
        ((116.9, 36.6, 117.1, 36.7), 4548),  # Jinan
        ((114.3, 37.9, 114.7, 38.2), 4547),  # Shijiazhuang
        ((117.0, 30.4, 117.1, 30.6), 4548),  # Anqing
        ((75.9, 39.4, 76.1, 39.6), 4534),  # Kashgar
        ((118.4, 32.0, 118.6, 32.1), 4549),  # the border of two zones belongs to the eastern one
        ((-15.5, 28.0, -15.4, 28.2), 32628),  # Las Palmas
        ((-51.3, -30.3, -51.0, -29.9), 32722),  # Porto Alegre
        ((11.8, -4.9, 12.0, -4.7), 32732),  # Pointe-Noire
        ((126.9, 37.5, 127.1, 37.6), 32652),  # Seoul
        ((179.0, -17.0, 180.0, -16.0), 32760),
        ((0.0, 86.0, 10.0, 88.0), 32661),
    ],
)
def test_working_crs(bounds: tuple[float, float, float, float], code: int) -> None:
    found = working_crs(bounds)
    assert found.to_epsg() == code
    assert require_metric(found, "area") == found


@pytest.mark.parametrize("bounds", [(500000.0, 0.0, 500100.0, 100.0), (10.0, 0.0, 5.0, 1.0), (math.nan, 0.0, 1.0, 1.0)])
def test_bounds_that_are_not_degrees(bounds: tuple[float, float, float, float]) -> None:
    with pytest.raises(CrsError, match="degrees"):
        working_crs(bounds)


@pytest.mark.parametrize(
    ("crs", "code"),
    [
        (None, "gis.crs_missing"),
        ("EPSG:4326", "gis.crs_geographic"),
        ("EPSG:4490", "gis.crs_geographic"),
        ("EPSG:2263", "gis.crs_not_metres"),  # New York, US feet
        ("EPSG:3857", "gis.crs_not_metres"),  # web maps: metres 25 % too long at 37°N
        ("EPSG:4978", "gis.crs_not_metres"),
        ("EPSG:999999", "gis.crs_unknown"),
    ],
)
def test_a_crs_that_cannot_measure_is_refused_with_its_own_reason(crs: str | None, code: str) -> None:
    with pytest.raises(CrsError) as caught:
        require_metric(crs, "streets")
    assert [fault.code for fault in caught.value.faults] == [code]
    assert caught.value.faults[0].layer == "streets"


@pytest.mark.parametrize(
    "crs", ["EPSG:4548", "EPSG:4527", "EPSG:32650", "EPSG:28992", 'LOCAL_CS["CAD",UNIT["metre",1]]']
)
def test_metric_crs_pass(crs: str) -> None:
    assert require_metric(crs, "streets") == CRS(crs)


def school(lon: float, lat: float, crs: str | None = None) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"name": ["A", "B"]}, geometry=[shapely.Point(lon, lat), None], crs=crs, index=[5, 9])


@pytest.mark.parametrize("datum", ["wgs84", "cgcs2000", "gcj02", "bd09", "GCJ02", "EPSG:4490"])
def test_every_datum_brings_a_place_to_the_same_spot(datum: str) -> None:
    true = np.array([[117.0, 36.65]])
    moved = {"gcj02": wgs84_to_gcj02, "bd09": wgs84_to_bd09}.get(datum.lower(), np.asarray)(true)
    layer = transform(school(*moved[0]), datum, "EPSG:4548")
    assert layer.crs == CRS("EPSG:4548")
    assert layer.index.tolist() == [5, 9]
    assert layer.geometry.iloc[1] is None
    expected = to_crs(shapely.Point(117.0, 36.65), "wgs84", "EPSG:4548")
    assert layer.geometry.iloc[0].distance(expected) < 1e-3


def test_a_stated_datum_counts_before_the_files_crs() -> None:
    gcj = wgs84_to_gcj02([[117.0, 36.65]])[0]
    expected = to_crs(shapely.Point(117.0, 36.65), "wgs84", "EPSG:4548")
    degrees = transform(school(*gcj, crs="EPSG:4326"), "gcj02", "EPSG:4548")
    assert degrees.geometry.iloc[0].distance(expected) < 1e-3
    web = school(*gcj, crs="EPSG:4326").to_crs(3857)
    assert transform(web, "gcj02", "EPSG:4548").geometry.iloc[0].distance(expected) < 1e-3
    utm = school(117.0, 36.65, crs="EPSG:4326").to_crs(32650)
    assert transform(utm, "wgs84", "EPSG:4548").geometry.iloc[0].distance(expected) < 1e-3
    assert transform(utm, None, "EPSG:4548").geometry.iloc[0].distance(expected) < 1e-3


def test_a_layer_without_any_datum_is_refused() -> None:
    with pytest.raises(CrsError) as caught:
        transform(school(117.0, 36.65), None, "EPSG:4548")
    assert caught.value.faults[0].code == "gis.crs_missing"


@pytest.mark.parametrize("datum", ["wgs84", "gcj02", "EPSG:4490"])
def test_metres_are_not_taken_for_degrees(datum: str) -> None:
    with pytest.raises(CrsError) as caught:
        transform(school(500000.0, 4057669.9), datum, "EPSG:4548")
    assert caught.value.faults[0].code == "gis.crs_not_degrees"


def test_export_to_a_shifted_datum_is_the_way_back() -> None:
    line = shapely.LineString([(500000, 4057669), (500900, 4058000)])
    shifted = to_crs(line, "EPSG:4548", "gcj02")
    back = to_crs(shifted, "gcj02", "EPSG:4548")
    assert shapely.hausdorff_distance(line, back) < 1e-3
    assert to_crs(line, "EPSG:4548", "EPSG:4548") is line
