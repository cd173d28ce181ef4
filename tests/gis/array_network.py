"""A walk network straight from its arrays, without ground: for laws and exhaustive searches on any graph."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import shapely
from pyproj import CRS

from lifecircle.gis.network import WalkNetwork, network_from_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

METRES = CRS("EPSG:4547")


def network_of_edges(
    nodes: int,
    edges: Sequence[tuple[int, int, int, int]],
    *,
    signal: Sequence[bool] | None = None,
    boundary: Sequence[bool] | None = None,
) -> WalkNetwork:
    """Edges are (node, node, metres, ways), ways 1 ahead, 2 back, 3 both; each third node waits if not told."""
    base = network_from_lines([shapely.LineString([(0, 0), (1, 0)])], crs=METRES, highway=["footway"])
    m = len(edges)
    ends = np.array([edge[:2] for edge in edges], dtype=np.int32).reshape(m, 2)
    length = np.array([edge[2] for edge in edges], dtype=np.float64)
    ways = np.array([edge[3] for edge in edges])
    tail = ends.T.ravel()
    order = np.argsort(tail, kind="stable")
    return replace(
        base,
        node_xy=np.zeros((nodes, 2)),
        edge_nodes=ends,
        edge_length_m=length,
        edge_class=np.zeros(m, np.int16),
        edge_forward=(ways & 1) > 0,
        edge_backward=(ways & 2) > 0,
        edge_steps=np.zeros(m, bool),
        edge_zone=np.full(m, -1, np.int32),
        edge_private=np.zeros(m, bool),
        coords=np.zeros((2 * m, 2)),
        coord_start=2 * np.arange(m + 1),
        coord_along=np.column_stack([np.zeros(m), length]).ravel(),
        component=np.zeros(nodes, np.int32),
        boundary=np.zeros(nodes, bool) if boundary is None else np.array(boundary),
        signal=np.arange(nodes) % 3 == 1 if signal is None else np.array(signal),
        lift=np.zeros(nodes, bool),
        indptr=np.concatenate([[0], np.cumsum(np.bincount(tail, minlength=nodes))]).astype(np.int64),
        arc_node=ends.T[::-1].ravel()[order].astype(np.int32),
        arc_edge=np.tile(np.arange(m, dtype=np.int32), 2)[order],
        arc_side=np.repeat(np.array([0, 1], np.int8), m)[order],
    )
