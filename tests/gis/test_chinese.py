"""Baidu's metres and the shifts: round trips to the millimetre over all China, and nothing moved elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pyproj import Geod

from lifecircle.gis import chinese
from lifecircle.gis.kernels_datums import BAND_LAT_DEG, BAND_Y_M

if TYPE_CHECKING:
    from collections.abc import Callable

    Move = Callable[[np.ndarray], np.ndarray]

GEOD = Geod(ellps="WGS84")
PAIRS = [
    (chinese.wgs84_to_gcj02, chinese.gcj02_to_wgs84),
    (chinese.gcj02_to_bd09, chinese.bd09_to_gcj02),
    (chinese.wgs84_to_bd09, chinese.bd09_to_wgs84),
    (chinese.bd09_to_bd09mc, chinese.bd09mc_to_bd09),
    (chinese.wgs84_to_bd09mc, chinese.bd09mc_to_wgs84),
]
BORDER_DEG = 2e-7
"""Twice the gap between Baidu's bands of latitude at 45°."""


def apart_m(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.asarray(GEOD.inv(one[:, 0], one[:, 1], other[:, 0], other[:, 1])[2])


def away_from_borders(lat: np.ndarray) -> np.ndarray:
    return np.asarray((np.abs(lat[:, None] - BAND_LAT_DEG) > BORDER_DEG).all(axis=1))


@pytest.mark.parametrize(("there", "back"), PAIRS)
@settings(deadline=None, max_examples=300)
@given(st.floats(73.0, 136.0), st.floats(17.0, 55.0))
def test_there_and_back_anywhere_in_china(there: Move, back: Move, lon: float, lat: float) -> None:
    point = np.array([[lon, lat]])
    assume(away_from_borders(chinese.wgs84_to_bd09(point)[:, 1])[0] and away_from_borders(point[:, 1])[0])
    assert apart_m(back(there(point)), point)[0] < 1e-3


@pytest.mark.parametrize(("there", "back"), PAIRS)
def test_there_and_back_over_a_million_places(there: Move, back: Move) -> None:
    random = np.random.default_rng(5)
    points = np.column_stack([random.uniform(73, 136, 200_000), random.uniform(17, 55, 200_000)])
    points = points[away_from_borders(points[:, 1]) & away_from_borders(chinese.wgs84_to_bd09(points)[:, 1])]
    assert apart_m(back(there(points)), points).max() < 1e-3


def test_baidus_metres_are_those_its_own_maps_give() -> None:
    # Degrees and metres of one place as Baidu's converter pairs them: equal but for the 2 cm between its two formulas.
    degrees, metres = np.array([[116.404, 39.915]]), np.array([[12958175.0, 4825923.77]])
    assert np.abs(chinese.bd09_to_bd09mc(degrees) - metres).max() < 0.05
    assert apart_m(chinese.bd09mc_to_bd09(metres), degrees)[0] < 0.05


def test_metres_and_back_in_metres() -> None:
    random = np.random.default_rng(6)
    metres = np.column_stack([random.uniform(8.2e6, 1.5e7, 100_000), random.uniform(2e6, 7.2e6, 100_000)])
    metres = metres[(np.abs(metres[:, 1, None] - BAND_Y_M) > 0.1).all(axis=1)]
    assert np.abs(chinese.bd09_to_bd09mc(chinese.bd09mc_to_bd09(metres)) - metres).max() < 1e-3


def test_metres_grow_with_degrees_and_change_sign_with_them() -> None:
    lat = np.linspace(0.001, 73.9, 50_001)
    metres = chinese.bd09_to_bd09mc(np.column_stack([np.full(lat.size, 117.0), lat]))
    assert (np.diff(metres[:, 1]) > 0).all()
    south_west = chinese.bd09_to_bd09mc(np.array([[-70.0, -30.5]]))
    assert (south_west == -chinese.bd09_to_bd09mc(np.array([[70.0, 30.5]]))).all()
    assert (chinese.bd09_to_bd09mc(np.array([[0.0, 0.0]])).round(1) == 0).all()


def test_the_borders_of_the_bands_cost_no_more_than_they_are_apart() -> None:
    for border in (15.0, 30.0, 45.0):
        lat = border + np.linspace(-2e-7, 2e-7, 4001)
        points = np.column_stack([np.full(lat.size, 117.0), lat])
        back = chinese.bd09mc_to_bd09(chinese.bd09_to_bd09mc(points))
        assert apart_m(back, points).max() < {15.0: 1e-3, 30.0: 0.003, 45.0: 0.01}[border]


def test_beyond_the_map_is_infinite_and_missing_stays_missing() -> None:
    found = chinese.bd09_to_bd09mc(np.array([[100.0, 80.0], [np.nan, np.nan], [117.0, 36.0]]))
    assert np.isinf(found[0]).all()
    assert np.isnan(found[1]).all()
    assert np.isfinite(found[2]).all()
    assert np.isinf(chinese.bd09mc_to_wgs84(np.array([[1e7, 2e7]]))).all()


@settings(deadline=None)
@given(st.floats(-180, 180), st.floats(-73, 73))
def test_outside_china_baidus_degrees_are_wgs84(lon: float, lat: float) -> None:
    assume(not (71 <= lon <= 139 and 16 <= lat <= 56))
    point = np.array([[lon, lat]])
    assert (chinese.wgs84_to_bd09(point) == point).all()
    assert (chinese.bd09_to_wgs84(point) == point).all()


def test_towns_on_the_border_rivers_are_in_china() -> None:
    towns = {"Heihe": (127.53, 50.245), "Sunwu": (127.33, 49.43), "Xunke": (128.478, 49.564), "Aihui": (127.49, 49.98)}
    abroad = {"Blagoveshchensk": (127.55, 50.29), "Khabarovsk": (135.07, 48.48), "Ussuriysk": (131.95, 43.80)}
    assert chinese.in_china(np.array(list(towns.values()))).all()
    assert apart_m(chinese.wgs84_to_gcj02(list(towns.values())), np.array(list(towns.values()))).min() > 100.0
    assert not chinese.in_china(np.array(list(abroad.values()))).any()
