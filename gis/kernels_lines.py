"""Compiled inner loops on lines: where segments meet, chains of edges. Nothing is checked."""

# ruff: noqa: PLR0913, PLR0917  compiled functions take flat arrays, one argument each
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int32]
    Longs = NDArray[np.int64]
    Bools = NDArray[np.bool_]
    Bytes = NDArray[np.int8]


@njit(cache=True, nogil=True)
def chains(
    indptr: Longs,
    arc_edge: Ints,
    arc_side: Bytes,
    edge_nodes: Ints,
    kind: Longs,
    back_kind: Longs,
    through: Bools,
) -> tuple[Longs, Ints, Bools]:
    """Return the chains of edges that `through` nodes join: starts, edges in order, which of them are turned round.

    ``kind`` is an edge's attributes as walked from its node 0, ``back_kind`` as walked from its node 1; a chain only
    goes on through a node of two edge ends where both edges are of the same kind in the direction of the chain.
    """
    m = edge_nodes.shape[0]
    used = np.zeros(m, np.bool_)
    start = np.empty(m + 1, np.int64)
    order = np.empty(m, np.int32)
    turned = np.empty(m, np.bool_)
    tail = np.empty(m, np.int32)
    tail_turned = np.empty(m, np.bool_)
    filled, found = 0, 0
    for first in range(m):
        if used[first]:
            continue
        used[first] = True
        start[found] = filled
        found += 1
        sort = kind[first]
        # Backwards from node 0 of the first edge, to find where the chain starts.
        back = 0
        node = edge_nodes[first, 0]
        while through[node]:
            here = indptr[node]
            arc = here if not used[arc_edge[here]] else here + 1
            e = arc_edge[arc]
            # Walked along the chain the edge ends at this node: it leaves from its other end.
            flip = arc_side[arc] == 0
            if used[e] or (back_kind[e] if flip else kind[e]) != sort:
                break
            used[e] = True
            tail[back] = e
            tail_turned[back] = flip
            back += 1
            node = edge_nodes[e, 1] if flip else edge_nodes[e, 0]
        for i in range(back):
            order[filled] = tail[back - 1 - i]
            turned[filled] = tail_turned[back - 1 - i]
            filled += 1
        order[filled] = first
        turned[filled] = False
        filled += 1
        node = edge_nodes[first, 1]
        while through[node]:
            here = indptr[node]
            arc = here if not used[arc_edge[here]] else here + 1
            e = arc_edge[arc]
            flip = arc_side[arc] == 1
            if used[e] or (back_kind[e] if flip else kind[e]) != sort:
                break
            used[e] = True
            order[filled] = e
            turned[filled] = flip
            filled += 1
            node = edge_nodes[e, 0] if flip else edge_nodes[e, 1]
    start[found] = filled
    return start[: found + 1].copy(), order[:filled].copy(), turned[:filled].copy()


@njit(cache=True, nogil=True)
def joined_chains(
    vertex: Longs, edge_start: Longs, edge_nodes: Ints, start: Longs, order: Ints, turned: Bools
) -> tuple[Longs, Longs, Ints]:
    """Return chains of edges as one stretch of vertices each: the vertices, where each begins, its two nodes.

    ``start``, ``order`` and ``turned`` are what `chains` returns; where two edges meet, their vertex is there once.
    """
    count = start.size - 1
    begins = np.empty(count + 1, np.int64)
    ends = np.empty((count, 2), np.int32)
    begins[0] = 0
    for chain in range(count):
        size = 1
        for i in range(start[chain], start[chain + 1]):
            size += edge_start[order[i] + 1] - edge_start[order[i]] - 1
        begins[chain + 1] = begins[chain] + size
    joined = np.empty(begins[count], np.int64)
    for chain in range(count):
        head, tail = start[chain], start[chain + 1] - 1
        ends[chain, 0] = edge_nodes[order[head], 1 if turned[head] else 0]
        ends[chain, 1] = edge_nodes[order[tail], 0 if turned[tail] else 1]
        filled = begins[chain]
        for i in range(head, tail + 1):
            low, high = edge_start[order[i]], edge_start[order[i] + 1]
            for k in range(0 if i == head else 1, high - low):
                joined[filled] = vertex[high - 1 - k] if turned[i] else vertex[low + k]
                filled += 1
    return joined, begins, ends


@njit(cache=True, nogil=True)
def cells_of_segments(
    ax: Floats, ay: Floats, bx: Floats, by: Floats, cell: float, margin: float, across: int
) -> tuple[Longs, Ints]:
    """Return (cell number, segment) for every cell of a square grid that a segment, widened by a margin, may touch."""
    cells = np.empty(2 * ax.size + 16, np.int64)
    segments = np.empty(2 * ax.size + 16, np.int32)
    filled = 0
    for s in range(ax.size):
        if ay[s] <= by[s]:
            x0, y0, x1, y1 = ax[s], ay[s], bx[s], by[s]
        else:
            x0, y0, x1, y1 = bx[s], by[s], ax[s], ay[s]
        low, high = int((y0 - margin) // cell), int((y1 + margin) // cell)
        rise = y1 - y0
        for row in range(low, high + 1):
            # The stretch of the segment within this row of cells, a margin wider on all sides.
            t0, t1 = 0.0, 1.0
            if rise > 0.0:
                t0 = min(1.0, max(0.0, (row * cell - margin - y0) / rise))
                t1 = min(1.0, max(0.0, ((row + 1) * cell + margin - y0) / rise))
            xa, xb = x0 + t0 * (x1 - x0), x0 + t1 * (x1 - x0)
            left, right = int((min(xa, xb) - margin) // cell), int((max(xa, xb) + margin) // cell)
            for column in range(left, right + 1):
                if filled == cells.size:
                    more_cells = np.empty(2 * filled, np.int64)
                    more_segments = np.empty(2 * filled, np.int32)
                    more_cells[:filled] = cells
                    more_segments[:filled] = segments
                    cells, segments = more_cells, more_segments
                cells[filled] = row * across + column
                segments[filled] = s
                filled += 1
    return cells[:filled].copy(), segments[:filled].copy()


@njit(cache=True, nogil=True)
def _foot(px: float, py: float, ax: float, ay: float, bx: float, by: float) -> tuple[float, float]:
    """Return where on a segment (0…1) a point is nearest, and its distance."""
    dx, dy = bx - ax, by - ay
    length2 = dx * dx + dy * dy
    t = ((px - ax) * dx + (py - ay) * dy) / length2 if length2 > 0.0 else 0.0
    t = min(1.0, max(0.0, t))
    return t, np.hypot(ax + t * dx - px, ay + t * dy - py)


@njit(cache=True, nogil=True)
def _apart(i: int, j: int, ax: Floats, ay: Floats, bx: Floats, by: Floats, reach_m: float) -> bool:
    """Return whether the boxes around two segments are further apart than ``reach_m``."""
    if min(ax[i], bx[i]) - reach_m > max(ax[j], bx[j]) or min(ax[j], bx[j]) - reach_m > max(ax[i], bx[i]):
        return True
    return bool(min(ay[i], by[i]) - reach_m > max(ay[j], by[j]) or min(ay[j], by[j]) - reach_m > max(ay[i], by[i]))


@njit(cache=True, nogil=True)
def _cross(i: int, j: int, ax: Floats, ay: Floats, bx: Floats, by: Floats) -> tuple[float, float]:
    """Return the shares of two segments at which they cross; -1 where they do not."""
    dx, dy, ex, ey = bx[i] - ax[i], by[i] - ay[i], bx[j] - ax[j], by[j] - ay[j]
    cross = dx * ey - dy * ex
    if cross == 0.0:
        return -1.0, -1.0
    gx, gy = ax[j] - ax[i], ay[j] - ay[i]
    t, u = (gx * ey - gy * ex) / cross, (gx * dy - gy * dx) / cross
    if 0.0 <= t <= 1.0 and 0.0 <= u <= 1.0:
        return t, u
    return -1.0, -1.0


@njit(cache=True, nogil=True)
def _share_node(i: int, j: int, node: NDArray[np.int64]) -> bool:
    """Return whether two segments end at one node."""
    near, far = node[i, 0], node[i, 1]
    return bool(near == node[j, 0] or near == node[j, 1] or far == node[j, 0] or far == node[j, 1])


@njit(cache=True, nogil=True)
def _grown(pairs: Ints, shares: Floats, filled: int) -> tuple[Ints, Floats]:
    """Return room for at least four more rows, what is filled kept."""
    if filled + 4 <= pairs.shape[0]:
        return pairs, shares
    more_pairs, more_shares = np.empty((2 * filled + 8, 2), np.int32), np.empty((2 * filled + 8, 2), np.float64)
    more_pairs[:filled] = pairs[:filled]
    more_shares[:filled] = shares[:filled]
    return more_pairs, more_shares


@njit(cache=True, nogil=True)
def _touch(
    p: int,
    q: int,
    ax: Floats,
    ay: Floats,
    bx: Floats,
    by: Floats,
    end: Bools,
    reach_m: float,
    pairs: Ints,
    shares: Floats,
    filled: int,
) -> int:
    """Add the line ends of segment p that touch segment q; return how many rows are filled then."""
    for at in range(2):
        if end[p, at]:
            px, py = (ax[p], ay[p]) if at == 0 else (bx[p], by[p])
            t, distance = _foot(px, py, ax[q], ay[q], bx[q], by[q])
            if distance <= reach_m:
                pairs[filled, 0], shares[filled, 0] = p, float(at)
                pairs[filled, 1], shares[filled, 1] = q, t
                filled += 1
    return filled


@njit(cache=True, nogil=True)
def meeting_pairs(
    cell_start: Longs,
    segments: Ints,
    ax: Floats,
    ay: Floats,
    bx: Floats,
    by: Floats,
    side: Bytes,
    level: Ints,
    node: Longs,
    end: Bools,
    reach_m: float,
) -> tuple[Ints, Floats]:
    """Return pairs of segments that meet and the shares (0…1) of both at which they do; pairs may repeat.

    Segments of one cell are compared. With ``side`` all 0 lines are joined among themselves: a line's end that comes
    within ``reach_m`` of another segment of a level it may join, and plain crossings on one level; segments that share
    a node already are left alone. With sides 1 and 2 only crossings between the two are looked for. ``node`` and
    ``end`` have a column for either end of a segment.
    """
    pairs, shares = np.empty((1024, 2), np.int32), np.empty((1024, 2), np.float64)
    filled = 0
    for c in range(cell_start.size - 1):
        for a in range(cell_start[c], cell_start[c + 1]):
            i = segments[a]
            for b in range(a + 1, cell_start[c + 1]):
                j = segments[b]
                joining = side[i] == 0
                if (side[i] == side[j] and not joining) or _apart(i, j, ax, ay, bx, by, reach_m):
                    continue
                pairs, shares = _grown(pairs, shares, filled)
                before = filled
                if joining:
                    if _share_node(i, j, node):
                        continue
                    # The end of a bridge may stand on a street; the end of a street does not touch a bridge above it.
                    if level[i] == level[j] or (level[i] != 0 and level[j] == 0):
                        filled = _touch(i, j, ax, ay, bx, by, end, reach_m, pairs, shares, filled)
                    if level[i] == level[j] or (level[j] != 0 and level[i] == 0):
                        filled = _touch(j, i, ax, ay, bx, by, end, reach_m, pairs, shares, filled)
                if filled > before or (joining and level[i] != level[j]):
                    continue
                t, u = _cross(i, j, ax, ay, bx, by)
                if t >= 0.0:
                    pairs[filled, 0], shares[filled, 0] = i, t
                    pairs[filled, 1], shares[filled, 1] = j, u
                    filled += 1
    return pairs[:filled].copy(), shares[:filled].copy()
