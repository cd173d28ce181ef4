"""Line layers become networks: joined on one level, contracted, with nothing dropped in silence."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS
from shapely import LineString, MultiLineString

from lifecircle.gis.errors import CrsError, InputError
from lifecircle.gis.network import WalkNetwork, network_from_lines

METRES = CRS("EPSG:4547")


def build(*paths: object, **options: object) -> WalkNetwork:
    lines = [path if isinstance(path, shapely.Geometry) else LineString(path) for path in paths]  # type: ignore[arg-type]
    highway = options.pop("highway", ["residential"] * len(lines))
    return network_from_lines(lines, crs=METRES, highway=highway, **options)  # type: ignore[arg-type]


def test_plain_crossing_is_joined() -> None:
    network = build([(0, 0), (100, 0)], [(40, -10), (40, 10)])
    assert network.node_xy.shape[0] == 5
    assert sorted(network.edge_length_m.tolist()) == pytest.approx([10, 10, 40, 60])
    assert network.component_length_m.tolist() == pytest.approx([120])


def test_end_that_touches_a_line_is_joined_even_when_drawn_a_little_short() -> None:
    network = build([(0, 0), (100, 0)], [(40, 0.3), (40, 50)])
    assert network.component_length_m.size == 1
    assert build([(0, 0), (100, 0)], [(40, 0.6), (40, 50)]).component_length_m.size == 2
    assert network.edge_length_m.sum() == pytest.approx(149.7, abs=0.5)


def test_shared_vertices_are_joined() -> None:
    network = build([(0, 0), (50, 0), (100, 0)], [(50, -50), (50, 0), (50, 50)])
    assert sorted(network.edge_length_m.tolist()) == [50, 50, 50, 50]


@pytest.mark.parametrize(
    "options", [{"level": np.array([0, 1])}, {"spans": np.array([False, True])}, {"level": np.array([0, -1])}]
)
def test_a_bridge_or_tunnel_does_not_join_what_it_crosses(options: dict[str, np.ndarray]) -> None:
    for middle in ([(50, -50), (50, 50)], [(50, -50), (50, 0), (50, 50)]):
        network = build([(0, 0), (50, 0), (100, 0)], middle, **options)
        assert network.component_length_m.size == 2


def test_a_bridge_is_joined_at_its_ends() -> None:
    street, ramp = [(0, 0), (50, 0), (100, 0)], [(50, 0), (50, 40), (50, 80)]
    level = np.array([0, 1])
    assert build(street, ramp, level=level).component_length_m.size == 1
    assert build([(0, 0), (100, 0)], ramp, level=level).component_length_m.size == 1
    # The end of a street under a bridge is not joined to it.
    assert build([(0, 0), (100, 0)], ramp, level=level[::-1]).component_length_m.size == 2


def test_nodes_of_two_edges_are_contracted_unless_the_kind_changes() -> None:
    paths = [(0, 0), (10, 0)], [(10, 0), (20, 5)], [(20, 5), (30, 5)]
    same = build(*paths)
    assert same.edge_length_m.size == 1
    assert same.coords.tolist() == [[0, 0], [10, 0], [20, 5], [30, 5]]
    assert build(*paths, highway=["residential", "steps", "residential"]).edge_length_m.size == 3
    # Drawn against each other: one edge still.
    assert build(paths[0], paths[1][::-1], paths[2]).edge_length_m.size == 1
    # One-way lines in one direction make one edge; against each other they stay apart.
    one_way = np.array([True, True, True])
    assert build(*paths, one_way=one_way).edge_length_m.size == 1
    against = build(paths[0], paths[1][::-1], paths[2], one_way=one_way)
    assert against.edge_length_m.size == 3
    assert not against.edge_backward.any()


def test_a_closed_ring_and_a_loop_on_a_street() -> None:
    ring = build([(0, 0), (10, 0), (10, 10), (0, 0)])
    assert ring.edge_nodes.tolist() == [[0, 0]]
    loop = build([(0, 0), (50, 0)], [(50, 0), (60, 0), (60, 10), (50, 0)])
    assert sorted(loop.edge_length_m.tolist()) == pytest.approx([20 + 200**0.5, 50])


def test_components_are_listed_longest_first() -> None:
    network = build([(0, 0), (10, 0)], [(0, 100), (70, 100)], [(35, 100), (35, 130)])
    parts = network.components()
    assert parts.length_m.tolist() == pytest.approx([100, 10])
    assert parts.edges.tolist() == [3, 1]
    assert parts.nodes.sum() == network.node_xy.shape[0]
    assert repr(network) == "<WalkNetwork of 6 nodes and 4 edges, 110 m of streets in 2 components>"


def test_ends_of_multilines_empty_and_z() -> None:
    many = MultiLineString([[(0, 0), (10, 0)], [(10, 0), (10, 10)]])
    network = build(many, LineString(), LineString([(10, 10, 5), (20, 10, 7)]))
    assert network.component_length_m.tolist() == pytest.approx([30])


def test_what_nobody_walks_on_is_left_out() -> None:
    paths = [(0, 0), (10, 0)], [(0, 5), (10, 5)], [(0, 9), (10, 9)]
    network = build(*paths, highway=["motorway", "trunk", "footway"])
    assert network.classes == ("footway",)
    network = build(*paths, highway=["motorway", "trunk", "footway"], tags=[{}, {"sidewalk": "both"}, {}])
    assert network.classes == ("footway", "trunk")
    with pytest.raises(InputError, match="no line that one may walk on"):
        build(*paths, highway=["motorway"] * 3)


def test_three_different_errors_of_the_crs() -> None:
    line = [LineString([(0, 0), (1, 1)])]
    messages = []
    for crs in (None, CRS("EPSG:4326"), CRS("EPSG:2263")):
        with pytest.raises(CrsError) as error:
            network_from_lines(line, crs=crs, highway=["footway"])
        messages.append(error.value.faults[0].code)
    assert len(set(messages)) == 3


def test_coordinates_that_are_not_numbers_are_refused() -> None:
    with np.errstate(invalid="ignore"):
        broken = LineString([(0, 0), (np.nan, 1)])
    with pytest.raises(InputError, match="not numbers"):
        build(broken)


def test_arrays_cannot_be_written() -> None:
    network = build([(0, 0), (10, 0)])
    with pytest.raises(ValueError, match="read-only"):
        network.edge_length_m[0] = 1


coordinate = st.integers(0, 12)


@settings(deadline=None, max_examples=120)
@given(st.lists(st.tuples(coordinate, coordinate, coordinate, coordinate), min_size=1, max_size=9))
def test_joined_like_shapely_would(ends: list[tuple[int, int, int, int]]) -> None:
    """Components and length are those of the noded union of the lines (overlapping lines aside)."""
    lines = [LineString([(10 * a, 10 * b), (10 * c, 10 * d)]) for a, b, c, d in ends if (a, b) != (c, d)]
    shared = any(shapely.intersection(a, b).length > 0 for i, a in enumerate(lines) for b in lines[i + 1 :])
    if not lines or shared:
        return
    network = build(*lines)
    noded = shapely.union_all(np.array(lines, dtype=object))
    assert network.edge_length_m.sum() == pytest.approx(noded.length, abs=0.01)
    parts = shapely.get_parts(shapely.union_all(shapely.buffer(np.array(lines, dtype=object), 1e-6)))
    # Ends nearer than the tolerance are joined though the drawing leaves a gap.
    near = shapely.get_parts(shapely.union_all(shapely.buffer(np.array(lines, dtype=object), 0.26)))
    assert near.size <= network.component_length_m.size <= parts.size
