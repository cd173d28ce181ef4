"""Street graphs of OSMnx and networkx: joined at their nodes only, both directions of a street as one."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
import shapely
from pyproj import CRS

from lifecircle.gis.errors import CrsError, InputError
from lifecircle.gis.graphs import network_from_graph, one_value
from lifecircle.gis.network import network_from_lines

METRES = CRS("EPSG:4547")


def town(**attributes: object) -> nx.MultiDiGraph:
    """A crossing where one street passes over another, in metres; two-way streets have an edge each way."""
    graph = nx.MultiDiGraph(crs="EPSG:4547", **attributes)
    places = {1: (0, 0), 2: (100, 0), 3: (50, -50), 4: (50, 50), 5: (100, 100)}
    for node, (x, y) in places.items():
        graph.add_node(node, x=x, y=y)
    for a, b, tags in (
        (1, 2, {"highway": "residential", "oneway": False}),
        (2, 1, {"highway": "residential", "oneway": False}),
        (3, 4, {"highway": ["footway", "steps"]}),
        (
            4,
            5,
            {"highway": "primary", "oneway": True, "geometry": shapely.LineString([(50, 50), (50, 100), (100, 100)])},
        ),
        (2, 5, {"highway": "path"}),
        (2, 3, {"highway": "motorway"}),
    ):
        graph.add_edge(a, b, **tags)
    return graph


def test_streets_join_at_nodes_only_and_are_measured() -> None:
    network = network_from_graph(town(), crs=METRES)
    assert network.edge_length_m.sum() == pytest.approx(100 + 100 + 100 + 100)
    assert network.component_length_m.size == 1
    assert network.edge_steps.sum() == 1
    assert network.edge_forward.all()
    assert network.edge_backward.all()
    assert set(network.classes) == {"residential", "steps", "primary", "path"}


def test_parallel_streets_and_loops_stay() -> None:
    graph = town()
    graph.add_edge(1, 2, highway="path", geometry=shapely.LineString([(0, 0), (50, 30), (100, 0)]))
    graph.add_edge(2, 1, highway="path", geometry=shapely.LineString([(100, 0), (50, 30), (0, 0)]))
    loop = shapely.LineString([(0, 0), (0, -60), (-60, 0), (0, 0)])
    graph.add_edge(1, 1, highway="path", geometry=loop)
    graph.add_edge(1, 1, highway="path", geometry=shapely.reverse(loop))
    more = (
        network_from_graph(graph, crs=METRES).edge_length_m.sum()
        - network_from_graph(town(), crs=METRES).edge_length_m.sum()
    )
    assert more == pytest.approx(2 * np.hypot(50, 30) + loop.length)


def test_undirected_and_simple_graphs_and_text_lines() -> None:
    graph = nx.Graph(crs=METRES)
    graph.add_node("a", x="0", y="0")
    graph.add_node("b", x=10.0, y=0.0)
    graph.add_edge("a", "b", geometry="LINESTRING (0 0, 0 10, 10 0)")
    network = network_from_graph(graph, crs=METRES)
    assert network.edge_length_m.tolist() == pytest.approx([10 + np.hypot(10, 10)])
    assert network.classes == ("unclassified",)


def test_graphs_in_degrees_are_projected() -> None:
    graph = nx.MultiDiGraph(crs="epsg:4326")
    graph.add_node(1, x=114.0, y=22.5)
    graph.add_node(2, x=114.0, y=22.509)
    graph.add_edge(1, 2, highway="footway", length=12.0)
    assert network_from_graph(graph, crs=METRES).edge_length_m[0] == pytest.approx(996.6, abs=0.5)


def test_faults_of_graphs() -> None:
    with pytest.raises(CrsError, match="states no CRS"):
        network_from_graph(nx.MultiDiGraph(), crs=METRES)
    empty = nx.MultiDiGraph(crs="EPSG:4326")
    with pytest.raises(InputError, match="one may walk on"):
        network_from_graph(empty, crs=METRES)
    graph = town()
    graph.add_node(8, x=1.0)
    graph.add_node(9, x=float("nan"), y=0.0)
    with pytest.raises(InputError, match="2 nodes or edges") as error:
        network_from_graph(graph, crs=METRES)
    assert [fault.row for fault in error.value.faults] == ["8", "9"]
    graph = town()
    graph.add_edge(1, 4, highway="path", geometry="LINESTRING (0 0, oops")
    with pytest.raises(InputError, match="cannot be read"):
        network_from_graph(graph, crs=METRES)


def test_the_strictest_of_several_classes_counts() -> None:
    assert one_value("highway", ["tertiary", "trunk"]) == "trunk"
    assert one_value("highway", "['footway', 'steps']") == "steps"
    assert one_value("highway", "[broken") == "[broken"
    assert one_value("highway", []) == ""


def test_lines_with_ends_join_nowhere_else() -> None:
    lines = [shapely.LineString([(0, 0), (100, 0)]), shapely.LineString([(50, -50), (50, 50)])]
    ends = np.array([[10, 20], [30, 40]])
    crossing = network_from_lines(lines, crs=METRES, highway=["path"] * 2)
    apart = network_from_lines(lines, crs=METRES, highway=["path"] * 2, ends=ends)
    assert (crossing.component_length_m.size, apart.component_length_m.size) == (1, 2)
