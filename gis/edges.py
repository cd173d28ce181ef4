"""Edges: lines cut where they end or meet, contracted through nodes where nothing happens, with their components."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from . import kernels, kernels_lines
from .noding import numbered, places_of, renumbered
from .shapes import points_of
from .walls import split_lines

if TYPE_CHECKING:
    from .noding import Lines

Heights: TypeAlias = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Heights in metres at places float64[k, 2]; NaN where unknown."""

SPECK_M = 1.0
EDGE_OF_DATA_M = 20.0
"""A dead end this near to the rim of the data read may go on beyond it."""


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """Return a contiguous view that cannot be written to; kernels are compiled once for such arrays only."""
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


def ragged(first: NDArray[np.int64], count: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return first[0], first[0] + 1 … (count[0] of them), first[1] …: the index of ragged rows.

    Examples
    --------
    >>> ragged(np.array([5, 9]), np.array([2, 1])).tolist()
    [5, 6, 9]
    """
    skipped = np.cumsum(count) - count
    return np.repeat(first - skipped, count) + np.arange(int(count.sum()))


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """Edges between nodes as stretches of vertices, with their kind packed into one number as walked either way."""

    vertex: NDArray[np.int64]
    start: NDArray[np.int64]
    nodes: NDArray[np.int32]
    kind: NDArray[np.int64]


def part_blocked(lines: Lines) -> Lines:
    """Return the lines parted at the nodes where nobody passes."""
    if lines.blocked.size == 0:
        return lines
    inner = np.ones(lines.node.size, dtype=bool)
    inner[lines.start[:-1]] = inner[lines.start[1:] - 1] = False
    lines = split_lines(lines, np.flatnonzero(np.isin(lines.node, lines.blocked) & inner))
    shut = np.flatnonzero(np.isin(lines.node, lines.blocked))
    node = lines.node.copy()
    node[shut] = int(node.max()) + 1 + np.arange(shut.size)
    return replace(lines, node=node)


def cut_into_edges(lines: Lines) -> tuple[Lines, Edges]:
    """Return the lines as edges between the nodes where lines end or meet."""
    ids, node = numbered(lines.node)
    keep = np.isin(ids, np.concatenate([lines.signals, lines.lifts, lines.cut])) | (np.bincount(node) > 1)
    stop = keep[node]
    stop[lines.start[:-1]] = stop[lines.start[1:] - 1] = True
    stops = np.flatnonzero(stop)
    line = lines.line
    same = line[stops[1:]] == line[stops[:-1]]
    first, last = stops[:-1][same], stops[1:][same]
    used, ends = numbered(np.stack([node[first], node[last]], axis=1))
    of = line[first]
    ways = lines.forward[of].astype(np.int64) + 2 * lines.backward[of]
    sort = (lines.zone[of].astype(np.int64) + 1) * len(lines.classes) + lines.klass[of]
    kind = (sort * 8 + lines.private[of] * 4 + lines.steps[of] * 2 + lines.spans[of]) * 4 + ways
    count = last - first + 1
    start = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    compact = renumbered(lines, lines.node, partial(places_of, ids[used]))
    return compact, Edges(ragged(first, count), start, ends.reshape(-1, 2).astype(np.int32), kind)


def along_curve(xy: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the order of places float64[n, 2] along a Z-shaped curve: those near on the ground are near in it.

    The bits of row and column of a grid of 65,536 squares a side are interleaved (Morton 1966); places of one square
    keep their order.

    Examples
    --------
    >>> along_curve(np.array([[0.0, 0.0], [9.0, 9.0], [1.0, 0.0], [9.0, 8.0]])).tolist()
    [0, 2, 3, 1]
    """
    low = xy.min(axis=0)
    square = ((xy - low) * (65535.0 / max(float((xy.max(axis=0) - low).max()), SPECK_M))).astype(np.uint32)
    for shift, mask in ((8, 0x00FF00FF), (4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555)):
        square = (square | (square << np.uint32(shift))) & np.uint32(mask)
    return np.argsort(square[:, 0] | (square[:, 1] << np.uint32(1)), kind="stable")


def adjacency(
    nodes: NDArray[np.int32], count: int
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32], NDArray[np.int8]]:
    """Return CSR adjacency of undirected edges: indptr, arc_node, arc_edge, arc_side."""
    m = nodes.shape[0]
    tail = nodes.T.ravel()
    order, indptr = kernels.order_by(read_only(tail.astype(np.int64)), count)
    edge = np.tile(np.arange(m, dtype=np.int32), 2)[order]
    side = np.repeat(np.array([0, 1], dtype=np.int8), m)[order]
    return indptr, nodes.T[::-1].ravel()[order].astype(np.int32), edge, side


def _turned_kind(kind: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the kind of edges as walked the other way: the two direction bits change places."""
    turned: NDArray[np.int64] = (kind & ~np.int64(3)) | ((kind & 1) << 1) | ((kind & 2) >> 1)
    return turned


def contract(edges: Edges, keep: NDArray[np.int64]) -> tuple[Edges, NDArray[np.int64]]:
    """Return the edges with chains of one kind through nodes of two edge ends made one each, and the nodes left."""
    count = int(edges.nodes.max()) + 1
    indptr, _, arc_edge, arc_side = adjacency(edges.nodes, count)
    through = np.diff(indptr) == 2
    through[keep] = False
    start, order, turned = kernels_lines.chains(
        indptr, arc_edge, arc_side, edges.nodes, edges.kind, _turned_kind(edges.kind), through
    )
    vertex, vertex_start, ends = kernels_lines.joined_chains(
        edges.vertex, edges.start, edges.nodes, start, order, turned
    )
    used, nodes = numbered(ends)
    first = start[:-1]
    kind = np.where(turned[first], _turned_kind(edges.kind[order[first]]), edges.kind[order[first]])
    return Edges(vertex, vertex_start, nodes.reshape(-1, 2).astype(np.int32), kind), used


def drop_specks(lines: Lines, edges: Edges) -> Edges:
    """Return the edges without loops shorter than a metre, which joining leaves where two vertices fall together."""
    step = np.hypot(*np.diff(lines.xy[edges.vertex], axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(step)])
    length = along[edges.start[1:] - 1] - along[edges.start[:-1]]
    kept = (edges.nodes[:, 0] != edges.nodes[:, 1]) | (length >= SPECK_M)
    count = np.diff(edges.start)[kept]
    vertex = edges.vertex[ragged(edges.start[:-1][kept], count)]
    start = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    return Edges(vertex, start, edges.nodes[kept], edges.kind[kept])


def running_metres(coords: NDArray[np.float64], start: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return metres from each edge's first vertex; summed edge by edge, so that one edge does not depend on another."""
    step = np.zeros(coords.shape[0])
    step[1:] = np.hypot(*np.diff(coords, axis=0).T)
    step[start[:-1]] = 0.0
    along: NDArray[np.float64] = kernels.running_sums(step, read_only(start))
    return along


def vertex_heights(
    coords: NDArray[np.float64],
    start: NDArray[np.int64],
    along: NDArray[np.float64],
    spans: NDArray[np.bool_],
    heights: Heights | None,
) -> NDArray[np.float64]:
    """Return the height of every vertex: of the terrain, or on bridges and in tunnels straight from end to end."""
    if heights is None:
        return np.zeros(0)
    z = np.asarray(heights(coords), dtype=np.float64)
    edge = np.repeat(np.arange(start.size - 1), np.diff(start))
    first, last = start[:-1][edge], start[1:][edge] - 1
    share = along / np.where(along[last] > 0, along[last], 1.0)
    return np.where(spans[edge], z[first] + share * (z[last] - z[first]), z)


def rank_components(
    nodes: NDArray[np.int32], length: NDArray[np.float64], count: int
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return each node's component and the components' lengths, the longest first (ties: lowest node first)."""
    graph = coo_array((np.ones(nodes.shape[0], dtype=np.int8), (nodes[:, 0], nodes[:, 1])), shape=(count, count))
    number, label = connected_components(graph, directed=False)
    total = np.bincount(label[nodes[:, 0]], weights=length, minlength=number)
    first = np.full(number, count)
    np.minimum.at(first, label, np.arange(count))
    order = np.lexsort((first, -total))
    rank = np.empty(number, dtype=np.int32)
    rank[order] = np.arange(number, dtype=np.int32)
    return rank[label], total[order].astype(np.float64)


def rim_nodes(
    node_xy: NDArray[np.float64], degree: NDArray[np.int64], extent: shapely.Geometry | None
) -> NDArray[np.bool_]:
    """Return the dead ends at or beyond the rim of what the data cover; their hull where that is not given."""
    # A line through all nodes has their hull, and takes far less room than so many points.
    covered = shapely.convex_hull(shapely.linestrings(np.vstack([node_xy[:1], node_xy]))) if extent is None else extent
    border = shapely.boundary(covered)
    flagged = np.zeros(degree.size, dtype=bool)
    ends = np.flatnonzero(degree == 1)
    places = points_of(node_xy[ends])
    shapely.prepare(border)
    shapely.prepare(covered)
    flagged[ends] = shapely.dwithin(border, places, EDGE_OF_DATA_M) | ~shapely.intersects(covered, places)
    return flagged
