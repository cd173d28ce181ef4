"""Lines as arrays with a node id at every vertex; joining them where they meet on one level."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from . import kernels_lines as kernels

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

JOIN_M = 0.5
"""A line's end this near to another line is taken as touching it: the common slip of drawing."""
SAME_M = 0.001
"""Vertices nearer than this are one."""


def _no_ids() -> NDArray[np.int64]:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Lines that one may walk on, before they are cut into edges.

    Parameters
    ----------
    xy
        float64[k, 2], metres.
    start
        int64[l + 1], where each line begins in ``xy`` and ``node``.
    node
        int64[k]: vertices with one id are one point of the network.
    klass, classes
        int16[l] into the names of street classes.
    forward, backward
        bool[l], whether one may walk along and against the line.
    steps, spans
        bool[l]: stairs; bridges and tunnels, whose height is not the terrain's.
    zone
        int32[l], walled compound the line lies in, -1 outside.
    private
        bool[l], for those who live there.
    cut, signals, lifts, blocked
        Ids of nodes where the data end, where one waits for signals and for a lift, and where nobody passes.
    """

    xy: NDArray[np.float64]
    start: NDArray[np.int64]
    node: NDArray[np.int64]
    klass: NDArray[np.int16]
    classes: tuple[str, ...]
    forward: NDArray[np.bool_]
    backward: NDArray[np.bool_]
    steps: NDArray[np.bool_]
    spans: NDArray[np.bool_]
    zone: NDArray[np.int32]
    private: NDArray[np.bool_]
    cut: NDArray[np.int64] = field(default_factory=_no_ids)
    signals: NDArray[np.int64] = field(default_factory=_no_ids)
    lifts: NDArray[np.int64] = field(default_factory=_no_ids)
    blocked: NDArray[np.int64] = field(default_factory=_no_ids)

    @property
    def line(self) -> NDArray[np.int64]:
        """Return the line of every vertex."""
        return np.repeat(np.arange(self.start.size - 1), np.diff(self.start))

    @property
    def segments(self) -> NDArray[np.int64]:
        """Return the first vertex of every segment."""
        inner = np.ones(self.node.size, dtype=bool)
        inner[self.start[1:] - 1] = False
        return np.flatnonzero(inner)


def renumbered(
    lines: Lines, node: NDArray[np.int64], number: Callable[[NDArray[np.int64]], NDArray[np.int64]]
) -> Lines:
    """Return the lines with other node ids; ``number`` says the new ids of the marked nodes."""
    cut, signals, lifts = number(lines.cut), number(lines.signals), number(lines.lifts)
    return replace(lines, node=node, cut=cut, signals=signals, lifts=lifts, blocked=number(lines.blocked))


def numbered(values: NDArray[np.integer]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the distinct values in order, and which of them each value is: `numpy.unique` in time that grows evenly.

    Values that lie close together are counted instead of sorted, which a city's worth of nodes needs.

    Examples
    --------
    >>> [part.tolist() for part in numbered(np.array([7, 5, 7, 9]))]
    [[5, 7, 9], [1, 0, 1, 2]]
    """
    flat = values.ravel()
    least, most = (int(flat.min()), int(flat.max())) if flat.size else (0, 0)
    if most - least >= 8 * flat.size + 1024:
        ids, number = np.unique(flat, return_inverse=True)
        return ids.astype(np.int64), number.astype(np.int64)
    there = np.zeros(most - least + 1, dtype=bool)
    there[flat - least] = flat.size > 0
    ids = np.flatnonzero(there) if flat.size else np.zeros(0, dtype=np.int64)
    place = np.zeros(there.size, dtype=np.int64)
    place[ids] = np.arange(ids.size)
    return ids + least, place[flat - least]


def places_of(ids: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where in ``ids`` some wanted ids stand; those that are not there are passed over."""
    return np.flatnonzero(np.isin(ids, wanted)).astype(np.int64)


def insert_vertices(
    lines: Lines,
    vertex: NDArray[np.int64],
    share: NDArray[np.float64],
    xy: NDArray[np.float64],
    node: NDArray[np.int64],
) -> Lines:
    """Return the lines with new vertices on the segments that begin at ``vertex``, ``share`` (0…1) along them."""
    order = np.lexsort((node, share, vertex))
    vertex = vertex[order]
    added = np.searchsorted(vertex, lines.start[:-1], side="left")
    start = lines.start + np.concatenate([added, [vertex.size]])
    return replace(
        lines,
        xy=np.insert(lines.xy, vertex + 1, xy[order], axis=0),
        node=np.insert(lines.node, vertex + 1, node[order]),
        start=start.astype(np.int64),
    )


def merge_ids(node: NDArray[np.int64], a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return node ids (0…n-1) of vertices after the nodes ``a[i]`` and ``b[i]`` were made one, the lowest id for all.

    Examples
    --------
    >>> merge_ids(np.array([0, 1, 2, 3]), np.array([3]), np.array([1])).tolist()
    [0, 1, 2, 1]
    """
    if a.size == 0 or node.size == 0:
        return node
    n = int(max(node.max(), a.max(), b.max())) + 1
    graph = coo_array((np.ones(a.size, dtype=np.int8), (a, b)), shape=(n, n))
    _, label = connected_components(graph, directed=False)
    lowest = np.full(int(label.max()) + 1, n, dtype=np.int64)
    np.minimum.at(lowest, label, np.arange(n))
    merged: NDArray[np.int64] = lowest[label[node]]
    return merged


def vertex_ids(xy: NDArray[np.float64], start: NDArray[np.int64], level: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return node ids of the vertices of lines: vertices at one place and level are one node.

    The end of a bridge or tunnel stands on the ground: ends meet whatever is at their place on level 0, or another end.

    Parameters
    ----------
    xy
        float64[k, 2], metres.
    start
        int64[l + 1].
    level
        int32[l], 0 on the ground.
    """
    cells = np.rint((xy - xy.min(axis=0)) / SAME_M).astype(np.int64)
    place = numbered(cells[:, 0] * (cells[:, 1].max() + 1) + cells[:, 1])[1]
    height = np.repeat(level.astype(np.int64), np.diff(start))
    span = int(np.abs(height).max()) + 1
    key = (place * (2 * span + 1)) + height + span
    is_end = np.zeros(xy.shape[0], dtype=bool)
    is_end[start[:-1]] = True
    is_end[start[1:] - 1] = True
    landing = is_end & (height != 0) & ~np.isin(key, key[~is_end])
    key[landing] = place[landing] * (2 * span + 1) + span
    return numbered(key)[1]


def ids_of_ends(start: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return node ids of the vertices of lines that join at the given end nodes only.

    Examples
    --------
    >>> ids_of_ends(np.array([0, 3, 5]), np.array([[70, 50], [50, 60]])).tolist()
    [2, 3, 0, 0, 1]
    """
    _, compact = numbered(ends)
    compact = compact.reshape(-1, 2)
    first, last = start[:-1], start[1:] - 1
    node = np.full(int(start[-1]), -1, dtype=np.int64)
    node[first], node[last] = compact[:, 0], compact[:, 1]
    inner = np.flatnonzero(node < 0)
    node[inner] = (int(compact.max()) + 1 if compact.size else 0) + np.arange(inner.size)
    return node


def first_of_twins(lines: NDArray[np.object_], ends: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which lines are the first of those on one way between two nodes, drawn from either end.

    Parameters
    ----------
    lines
        object[l], LineStrings; equal within a millimetre is equal.
    ends
        int64[l, 2], their end nodes.
    """
    rounded = shapely.transform(lines, lambda xy: np.round(xy, 3) + 0.0)
    ahead, back = shapely.to_wkb(rounded).tolist(), shapely.to_wkb(shapely.reverse(rounded)).tolist()
    seen: set[tuple[int, int, bytes]] = set()
    first = np.zeros(len(lines), dtype=bool)
    for row, (a, b) in enumerate(ends.tolist()):
        turned = b < a or (a == b and back[row] < ahead[row])
        key = (b, a, back[row]) if turned else (a, b, ahead[row])
        first[row] = key not in seen
        seen.add(key)
    return first


def meetings(
    lines: Lines,
    level: NDArray[np.int32],
    *,
    join_m: float,
    walls: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Return where segments meet: first vertex of segment i, share of it, first vertex of segment j (or wall), share.

    Parameters
    ----------
    lines
        The lines.
    level
        int32[l].
    join_m
        How far a line's end may be from what it touches.
    walls
        Ends a and b, float64[w, 2] each, of wall segments: then only crossings of lines with walls are returned.
    """
    first = lines.segments
    line = lines.line[first]
    a, b = lines.xy[first], lines.xy[first + 1]
    count = first.size
    is_end = np.zeros(lines.node.size, dtype=bool)
    is_end[lines.start[:-1]] = True
    is_end[lines.start[1:] - 1] = True
    node = np.column_stack([lines.node[first], lines.node[first + 1]])
    end = np.column_stack([is_end[first], is_end[first + 1]])
    levels, side = level[line].astype(np.int32), np.zeros(count, dtype=np.int8)
    if walls is not None:
        extra = walls[0].shape[0]
        a, b = np.vstack([a, walls[0]]), np.vstack([b, walls[1]])
        side = np.concatenate([np.full(count, 1, np.int8), np.full(extra, 2, np.int8)])
        levels = np.concatenate([levels, np.zeros(extra, np.int32)])
        node = np.vstack([node, np.full((extra, 2), -1, np.int64)])
        end = np.vstack([end, np.zeros((extra, 2), dtype=bool)])
    origin = np.minimum(a, b).min(axis=0) - join_m - 1.0
    ax, ay, bx, by = (np.ascontiguousarray(values) for values in (*(a - origin).T, *(b - origin).T))
    cell = float(max(20.0, np.mean(np.hypot(bx - ax, by - ay))))
    across = int(max(ax.max(), bx.max()) / cell) + 3
    cells, segments = kernels.cells_of_segments(ax, ay, bx, by, cell, join_m, across)
    order = np.argsort(cells, kind="stable")
    bounds = np.concatenate([[0], np.flatnonzero(np.diff(cells[order])) + 1, [cells.size]]).astype(np.int64)
    pairs, shares = kernels.meeting_pairs(
        bounds, segments[order], ax, ay, bx, by, side, levels, node, end, float(join_m)
    )
    rows = np.unique(np.column_stack([pairs, shares]), axis=0)
    i, j = rows[:, 0].astype(np.int64), rows[:, 1].astype(np.int64)
    other = first[j] if walls is None else j - count
    return first[i], rows[:, 2].copy(), other, rows[:, 3].copy()


def on_segments(
    lines: Lines, vertex: NDArray[np.int64], share: NDArray[np.float64], xy: NDArray[np.float64], fresh: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the node id of each place on a segment, and whether it needs a new vertex (ids from ``fresh`` on)."""
    at_a = np.hypot(*(lines.xy[vertex] - xy).T) <= SAME_M
    at_b = np.hypot(*(lines.xy[vertex + 1] - xy).T) <= SAME_M
    at_a |= share <= 0.0
    at_b |= share >= 1.0
    new = ~(at_a | at_b)
    node = np.where(at_a, lines.node[vertex], lines.node[vertex + 1])
    node[new] = fresh + np.arange(int(new.sum()))
    return node, new


def join_lines(lines: Lines, level: NDArray[np.int32], *, join_m: float = JOIN_M) -> Lines:
    """Return the lines joined where they meet on one level: shared vertices, ends that touch, plain crossings.

    Bridges, tunnels and lines of different levels only meet at their ends.

    Parameters
    ----------
    lines
        Lines with ids from `vertex_ids`.
    level
        int32[l].
    join_m
        How far a line's end may be from what it touches.
    """
    if lines.node.size == 0:
        return lines
    i, t, j, u = meetings(lines, level, join_m=join_m)
    if i.size == 0:
        return lines
    place = lines.xy[i] + t[:, None] * (lines.xy[i + 1] - lines.xy[i])
    fresh = int(lines.node.max()) + 1
    node_i, new_i = on_segments(lines, i, t, place, fresh)
    node_j, new_j = on_segments(lines, j, u, place, fresh + int(new_i.sum()))
    joined = insert_vertices(
        lines,
        np.concatenate([i[new_i], j[new_j]]),
        np.concatenate([t[new_i], u[new_j]]),
        np.vstack([place[new_i], place[new_j]]),
        np.concatenate([node_i[new_i], node_j[new_j]]),
    )
    return replace(joined, node=merge_ids(joined.node, node_i, node_j))
