"""Service circles are near the band around the streets really reached, nested, and keep off barriers."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import shapely
from pyproj import CRS
from shapely import LineString

from lifecircle.gis.circles import LEAST_HOLE_M2, WIDTH_M, reached_streets, service_circle, site_circles
from lifecircle.gis.network import WalkNetwork, network_from_lines
from lifecircle.gis.reach import nearest
from lifecircle.gis.snap import Positions, snap
from lifecircle.gis.walkers import WALKERS

METRES = CRS("EPSG:4547")


def crooked_city(seed: int, side: int = 12, **options: object) -> WalkNetwork:
    rng = np.random.default_rng(seed)
    x, y = np.meshgrid(np.arange(side) * 90.0, np.arange(side) * 110.0)
    places = np.stack([x, y], axis=-1) + rng.uniform(-25, 25, (side, side, 2))
    pairs = [(places[i, j], places[i, j + 1]) for i in range(side) for j in range(side - 1)]
    pairs += [(places[i, j], places[i + 1, j]) for i in range(side - 1) for j in range(side)]
    kept = [LineString(pair) for pair in pairs if rng.random() < 0.8]
    one_way = rng.random(len(kept)) < 0.1
    return network_from_lines(kept, crs=METRES, highway=["residential"] * len(kept), one_way=one_way, **options)  # type: ignore[arg-type]


def truth(streets: np.ndarray) -> shapely.Geometry:
    """The exact band: reached parts of streets, buffered, small holes filled."""
    band = shapely.union_all(shapely.buffer(shapely.union_all(streets), WIDTH_M))
    parts = []
    for polygon in shapely.get_parts(band):
        holes = [ring for ring in polygon.interiors if shapely.Polygon(ring).area >= LEAST_HOLE_M2]
        parts.append(shapely.Polygon(polygon.exterior, holes))
    return shapely.union_all(np.array(parts, dtype=object))


@pytest.mark.parametrize("seed", range(4))
def test_near_the_exact_band_and_nested(seed: int) -> None:
    network = crooked_city(seed)
    sites = snap(network, np.random.default_rng(seed).uniform(0, 900, (3, 2))).positions
    limits = [150.0, 300.0, 500.0]
    circles = service_circle(network, sites, limits=limits)
    for limit, circle in zip(limits, circles, strict=True):
        exact = truth(reached_streets(network, sites, limit=limit))
        overlap = circle.intersection(exact).area / circle.union(exact).area
        assert overlap > 0.97
        assert circle.is_valid
    for inner, outer in itertools.pairwise(circles):
        assert inner.difference(outer).area < 1e-6 * inner.area


@pytest.mark.parametrize("walker", ["standard", "elderly"])
def test_reached_streets_are_those_from_which_a_site_is_reached(walker: str) -> None:
    def heights(xy: np.ndarray) -> np.ndarray:
        return 10 * np.sin(xy[:, 0] / 80)

    network = crooked_city(9, side=7, heights=heights)
    who = WALKERS[walker]
    sites = snap(network, np.array([[200.0, 200.0], [400.0, 500.0]])).positions
    reached = shapely.union_all(reached_streets(network, sites, limit=260.0, walker=who))
    rng = np.random.default_rng(1)
    edge = rng.integers(0, network.edge_length_m.size, 500).astype(np.int32)
    offset = rng.uniform(0, 1, 500) * network.edge_length_m[edge]
    asked = Positions(np.arange(500), edge, offset, np.zeros(500), 500)
    cost = nearest(network, sites=sites, demand=asked, limit=1e9, walker=who).cost
    away = shapely.distance(shapely.points(network.positions_xy(edge, offset)), reached)
    clear = np.abs(cost - 260.0) > 1e-6
    np.testing.assert_array_equal((cost <= 260.0)[clear], (away < 1e-6)[clear])


def test_keeps_off_barriers_and_what_lies_beyond() -> None:
    network = network_from_lines([LineString([(0, 0), (400, 0)])], crs=METRES, highway=["footway"])
    site = snap(network, np.array([[200.0, 0.0]])).positions
    river, rail = shapely.box(-100, 10, 500, 60), LineString([(-100, -15), (500, -15)])
    circle = service_circle(network, site, limits=[100], barriers=np.array([river, rail], dtype=object))[0]
    assert circle.bounds[1] == pytest.approx(-14.5, abs=0.1)
    assert circle.bounds[3] == pytest.approx(10, abs=0.1)


def test_each_site_on_its_own_and_nothing_reached() -> None:
    network = crooked_city(3, side=6)
    sites = snap(network, np.array([[100.0, 100.0], [9000.0, 0.0], [350.0, 400.0]])).positions
    circles = site_circles(network, sites, limits=[200.0])
    assert len(circles) == 3
    assert circles[1][0].is_empty
    dissolved = service_circle(network, sites, limits=[200.0])[0]
    both = shapely.union(circles[0][0], circles[2][0])
    assert both.symmetric_difference(dissolved).area < 0.03 * dissolved.area
    assert service_circle(network, sites, limits=[]) == []
    none = snap(network, np.zeros((0, 2))).positions
    assert service_circle(network, none, limits=[300.0])[0].is_empty


def test_limits_in_any_order_and_straight_walks_count() -> None:
    network = network_from_lines([LineString([(0, 0), (1000, 0)])], crs=METRES, highway=["footway"])
    site = snap(network, np.array([[500.0, 60.0]])).positions
    wide, none, narrow = service_circle(network, site, limits=[200, 50, 100])
    assert none.is_empty
    assert narrow.area == pytest.approx(2 * 40 * 2 * WIDTH_M + np.pi * WIDTH_M**2, rel=0.03)
    assert wide.area == pytest.approx(2 * 140 * 2 * WIDTH_M + np.pi * WIDTH_M**2, rel=0.03)
