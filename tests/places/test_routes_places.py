"""Foot routes of real towns are as long as an independent calculation on the ellipsoid says, to the centimetre."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import networkx as nx
import numpy as np
import osmium
import pyproj
import pytest
from scipy.spatial import KDTree

from lifecircle.gis import osm
from lifecircle.gis.reach import reach
from lifecircle.gis.snap import Positions
from lifecircle.layers.readstreets import read_streets

if TYPE_CHECKING:
    from pathlib import Path

    from lifecircle.gis.network import WalkNetwork

pytestmark = pytest.mark.places

TOWNS = [("las_palmas_20230221.osm.pbf", 32628), ("porto_alegre.osm.pbf", 32722)]
COUNT = 60
LIMIT_M = 5000.0
"""Long enough that UTM's scale, 1 in 2,500, would be seen as 2 m."""


def walk_network(path: Path, epsg: int) -> WalkNetwork:
    """Return the network of an extract, walls open."""
    return read_streets(path, crs=f"EPSG:{epsg}", gates="open").network


def raw_graph(path: Path) -> tuple[nx.DiGraph, dict[int, tuple[float, float]]]:
    """Return every OSM node of a legal way with geodesic lengths between neighbours, and where the nodes are."""
    geod = pyproj.Geod(ellps="WGS84")
    graph, place = nx.DiGraph(), {}
    squares = osmium.FileProcessor(str(path)).with_filter(osmium.filter.EntityFilter(osmium.osm.RELATION))
    members = {
        each.ref for square in squares if "highway" in square.tags for each in square.members if each.type == "w"
    }
    for way in osmium.FileProcessor(str(path)).with_locations().with_filter(osmium.filter.EntityFilter(osmium.osm.WAY)):
        tags = dict(way.tags)
        street = "highway" in tags or "platform" in {tags.get("railway"), tags.get("public_transport")}
        # The outline of a square that is mapped as a relation is walked too.
        if not (way.id in members or (street and osm.legality(tags).verdict != "never")):
            continue
        for a, b in pairwise(way.nodes):
            if not (a.location.valid() and b.location.valid()):
                continue
            metres = geod.inv(a.lon, a.lat, b.lon, b.lat)[2]
            place |= {a.ref: (a.lon, a.lat), b.ref: (b.lon, b.lat)}
            for first, last in ((a.ref, b.ref), (b.ref, a.ref)):
                known = graph.get_edge_data(first, last, {"metres": np.inf})["metres"]
                graph.add_edge(first, last, metres=min(metres, known))
    return graph, place


def at_nodes(network: WalkNetwork, nodes: np.ndarray) -> Positions:
    """Return positions at nodes of a network, each on some edge of its node."""
    arc = network.indptr[nodes]
    edge = network.arc_edge[arc]
    offset = np.where(network.arc_side[arc] == 0, 0.0, network.edge_length_m[edge])
    return Positions(np.arange(nodes.size), edge.astype(np.int32), offset, np.zeros(nodes.size), nodes.size)


@pytest.mark.parametrize(("name", "epsg"), TOWNS)
def test_routes_equal_geodesic_ones_over_osm_nodes(
    places: Path, monkeypatch: pytest.MonkeyPatch, name: str, epsg: int
) -> None:
    path = places / "osm" / name
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    graph, place = raw_graph(path)
    ids = np.array(list(place))
    to_metres = pyproj.Transformer.from_crs(4326, epsg, always_xy=True)
    tree = KDTree(np.column_stack(to_metres.transform(*np.array(list(place.values())).T)))
    crossed = walk_network(path, epsg)
    # Routers go around squares, which cannot be told from a router's length: first without crossing them.
    monkeypatch.setattr(osm, "_squares", lambda *_: [])
    network = walk_network(path, epsg)
    pick = np.random.default_rng(5).choice(np.flatnonzero(network.component == 0), 2 * COUNT, replace=False)
    away, row = tree.query(network.node_xy[pick])
    assert away.max() < 0.01
    walked = [
        reach(found, demand=at_nodes(found, by[:COUNT]), sites=at_nodes(found, by[COUNT:]), limit=LIMIT_M)
        for found, by in ((network, pick), (crossed, KDTree(crossed.node_xy).query(network.node_xy[pick])[1]))
    ]
    around, across = (found.matrix.toarray() for found in walked)
    compared = 0
    for k in range(COUNT):
        expected = nx.single_source_dijkstra_path_length(graph, int(ids[row[k]]), cutoff=LIMIT_M, weight="metres")
        for j in range(COUNT):
            metres = expected.get(int(ids[row[COUNT + j]]))
            if metres is None or metres > LIMIT_M - 1:
                continue
            compared += 1
            assert around[k, j] == pytest.approx(metres, abs=0.01)
            assert across[k, j] <= metres + 0.01
    assert compared > 500
