"""Real places: the network keeps its length, components and classes; a change must be meant, and looked at."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import numpy as np
import pyproj
import pytest
import shapely

from lifecircle.gis.circles import LEAST_HOLE_M2, WIDTH_M, reached_streets, service_circle, site_circles
from lifecircle.gis.reach import nearest, reach
from lifecircle.gis.snap import snap
from lifecircle.layers.streets import network_of

if TYPE_CHECKING:
    from pathlib import Path

    from lifecircle.gis.network import WalkNetwork
    from lifecircle.gis.snap import Positions
    from lifecircle.layers.study import Study

pytestmark = pytest.mark.places


def network(places: Path, name: str, epsg: int, gates: str = "open") -> WalkNetwork:
    """The walk network of an extract, without the other layers of a study."""
    path = places / "osm" / name
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    study = SimpleNamespace(
        rasters={},
        osm=(path,),
        crs=pyproj.CRS.from_epsg(epsg),
        layers={},
        settings=SimpleNamespace(study=SimpleNamespace(gates=gates)),
    )
    return network_of(cast("Study", study)).network


# Kilometres in all and in the main component, components, kilometres by class; counted on 2026-11-22.
FIGURES = [
    (
        "las_palmas_20230221.osm.pbf",
        32628,
        2152.8,
        2048.5,
        944,
        {"footway": 132.6, "pedestrian": 174.2, "residential": 622.2, "steps": 14.1},
    ),
    (
        "nanjing_gulou_2021.osm",
        4549,
        85.1,
        80.5,
        44,
        {"footway": 8.8, "pedestrian": 2.6, "residential": 25.0, "primary": 7.6},
    ),
    (
        "porto_alegre.osm.pbf",
        32722,
        1915.1,
        1890.4,
        56,
        {"footway": 90.0, "pedestrian": 23.9, "residential": 612.4, "primary": 84.5},
    ),
    ("beijing_cau.osm", 4548, 59.1, 53.0, 14, {"footway": 10.5, "primary": 12.3, "residential": 3.4}),
]


@pytest.mark.parametrize(("name", "epsg", "total", "main", "components", "classes"), FIGURES)
def test_lengths_by_class_and_component(
    places: Path, name: str, epsg: int, total: float, main: float, components: int, classes: dict[str, float]
) -> None:
    found = network(places, name, epsg)
    assert found.edge_length_m.sum() / 1000 == pytest.approx(total, rel=0.002)
    assert found.component_length_m[0] / 1000 == pytest.approx(main, rel=0.002)
    assert found.component_length_m.size == pytest.approx(components, abs=3)
    by_class = np.bincount(found.edge_class, weights=found.edge_length_m, minlength=len(found.classes)) / 1000
    for street, length in classes.items():
        assert by_class[found.classes.index(street)] == pytest.approx(length, rel=0.01, abs=0.05)
    assert not {"motorway", "motorway_link", "construction", "proposed"} & set(found.classes)


def test_walls_of_las_palmas_part_little_and_only_where_they_have_a_way_in(places: Path) -> None:
    found = network(places, "las_palmas_20230221.osm.pbf", 32628, gates="gated")
    assert found.walls.sealed.sum() == pytest.approx(63, abs=3)
    assert found.walls.gateless.size == pytest.approx(60, abs=3)
    assert found.component_length_m[0] / 1000 == pytest.approx(2051.4, rel=0.002)


def test_private_streets_of_porto_alegre_are_left_and_not_entered(places: Path) -> None:
    found = network(places, "porto_alegre.osm.pbf", 32722, gates="gated")
    private = found.edge_private & (found.edge_component == 0)
    assert found.edge_length_m[private].sum() / 1000 == pytest.approx(54.3, rel=0.01)
    assert found.component_length_m[0] / 1000 == pytest.approx(1888.7, rel=0.002)
    rng = np.random.default_rng(3)
    drawn = found.edge_length_m > 1.0
    kinds = {"in": private & drawn, "out": ~found.edge_private & drawn}
    edge = {kind: rng.choice(np.flatnonzero(rows), 60) for kind, rows in kinds.items()}
    xy = {kind: found.positions_xy(rows, found.edge_length_m[rows] / 2) for kind, rows in edge.items()}
    homes, doors = snap(found, xy["in"]), snap(found, xy["in"], arriving=True)
    streets = snap(found, xy["out"])
    assert private[homes.edge].all()
    assert not private[doors.edge[doors.status == "on_street"]].any()
    out = nearest(found, sites=streets.positions, demand=homes.positions, limit=1e9)
    into = nearest(found, sites=homes.positions, demand=streets.positions, limit=1e9)
    assert np.isfinite(out.cost).all()
    assert np.isinf(into.cost[streets.component == 0]).mean() > 0.9


def test_nearest_is_the_best_of_reach_to_the_bit_and_circles_are_quick_pictures(places: Path) -> None:
    found = network(places, "las_palmas_20230221.osm.pbf", 32628)
    rng = np.random.default_rng(7)
    xy = found.node_xy[rng.integers(0, found.node_xy.shape[0], 3000)] + rng.normal(0, 30, (3000, 2))
    demand, sites = snap(found, xy[100:]), snap(found, xy[:100])
    pairs = reach(found, demand=demand.positions, sites=sites.positions, limit=900.0).matrix
    best = nearest(found, sites=sites.positions, demand=demand.positions, limit=900.0)
    full = np.full(pairs.shape, np.inf)
    rows = np.repeat(np.arange(pairs.shape[0]), np.diff(pairs.indptr))
    full[rows, pairs.indices] = pairs.data
    np.testing.assert_array_equal(best.cost, full.min(axis=1))
    assert demand.status.tolist().count("on_street") > 0.98 * demand.status.size
    circle = service_circle(found, sites.positions, limits=[900.0])[0]
    assert circle.is_valid


def exact_band(network: WalkNetwork, sites: Positions, limit: float) -> shapely.Geometry:
    """What a circle is a picture of: reached parts of streets, buffered, holes under half a hectare filled."""
    streets = reached_streets(network, sites, limit=limit)
    band = shapely.union_all(shapely.buffer(streets, WIDTH_M, quad_segs=4))
    filled = [
        shapely.Polygon(part.exterior, [ring for ring in part.interiors if shapely.Polygon(ring).area >= LEAST_HOLE_M2])
        for part in shapely.get_parts(band)
    ]
    return shapely.union_all(np.array(filled, dtype=object))


def test_circles_are_near_the_exact_band(places: Path) -> None:
    """Area-weighted overlap with the buffered reached streets, over 200 random sites, 5 to 15 minutes."""
    found = network(places, "las_palmas_20230221.osm.pbf", 32628)
    rng = np.random.default_rng(11)
    sites = snap(found, found.node_xy[rng.integers(0, found.node_xy.shape[0], 200)]).positions
    limits = [300.0, 500.0, 1000.0]
    circles = site_circles(found, sites, limits=limits)

    def areas(owner: int) -> tuple[float, float]:
        alone = sites.without(np.arange(sites.count) != owner)
        k = owner % 3
        exact = exact_band(found, alone, limits[k])
        return circles[owner][k].intersection(exact).area, circles[owner][k].union(exact).area

    with ThreadPoolExecutor(2) as pool:
        common, everything = np.array(list(pool.map(areas, range(200)))).sum(axis=0)
    assert common / everything >= 0.97
    for inner, middle, outer in circles:
        assert inner.difference(middle).area + middle.difference(outer).area < 1e-6 * outer.area
        assert all(shape.is_valid for shape in (inner, middle, outer))
