"""Compiled inner loops: searches, joining of segments, chains, distance fields. Arrays in, arrays out, nothing checked.

Every kernel releases the interpreter lock and is compiled once and cached on disk. Arrays have one dtype each, so
that each kernel is compiled for one signature only: indices int32 (node, edge) or int64 (row pointers), costs float64.
"""

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


@njit(cache=True, nogil=True)
def interpolate_along(edge: Ints, offset: Floats, start: Longs, along: Floats, value: Floats) -> Floats:
    """Return `value` at positions: linear between the vertices of each position's edge."""
    out = np.empty(edge.size, np.float64)
    for i in range(edge.size):
        low, high = start[edge[i]], start[edge[i] + 1] - 1
        last = high
        while high - low > 1:
            middle = (low + high) // 2
            if along[middle] <= offset[i]:
                low = middle
            else:
                high = middle
        run = along[high] - along[low]
        share = (offset[i] - along[low]) / run if run > 0.0 else 0.0
        out[i] = value[low] + share * (value[high] - value[low]) if offset[i] < along[last] else value[last]
    return out


@njit(cache=True, nogil=True)
def running_sums(step: Floats, start: Longs) -> Floats:
    """Return the running sum of `step` within each row of a ragged array."""
    total = np.empty(step.size, np.float64)
    for row in range(start.size - 1):
        value = 0.0
        for i in range(start[row], start[row + 1]):
            value += step[i]
            total[i] = value
    return total


@njit(cache=True, nogil=True)
def _sift_up(heap: Ints, place: Ints, label: Floats, source: Longs, at: int) -> None:
    """Move the node at `at` towards the root while its (label, source) is smaller than its parent's."""
    node = heap[at]
    cost, owner = label[node], source[node]
    while at > 0:
        up = (at - 1) >> 1
        other = heap[up]
        if label[other] < cost or (label[other] == cost and source[other] <= owner):
            break
        heap[at] = other
        place[other] = at
        at = up
    heap[at] = node
    place[node] = at


@njit(cache=True, nogil=True)
def _pop(heap: Ints, place: Ints, label: Floats, source: Longs, size: int) -> int:
    """Take the root off a heap of `size` nodes and return it; the heap then has one node less."""
    top = heap[0]
    size -= 1
    if size > 0:
        node = heap[size]
        cost, owner = label[node], source[node]
        at = 0
        while True:
            child = 2 * at + 1
            if child >= size:
                break
            if child + 1 < size:
                left, right = heap[child], heap[child + 1]
                if label[right] < label[left] or (label[right] == label[left] and source[right] < source[left]):
                    child += 1
            other = heap[child]
            if cost < label[other] or (cost == label[other] and owner <= source[other]):
                break
            heap[at] = other
            place[other] = at
            at = child
        heap[at] = node
        place[node] = at
    return int(top)


@njit(cache=True, nogil=True)
def label_nodes(
    indptr: Longs,
    arc_node: Ints,
    arc_cost: Floats,
    wait: Floats,
    seed_node: Ints,
    seed_cost: Floats,
    seed_source: Longs,
    limit: float,
) -> tuple[Floats, Longs]:
    """Return the least cost from any seed to every node and that seed's source; inf and -1 beyond the limit.

    Labels are settled in the order of (cost, source), so that ties go to the lower source.
    """
    n = indptr.size - 1
    label = np.full(n, np.inf)
    source = np.full(n, -1, np.int64)
    heap = np.empty(n, np.int32)
    place = np.full(n, -1, np.int32)
    size = 0
    for i in range(seed_node.size):
        node, cost, owner = seed_node[i], seed_cost[i], seed_source[i]
        if cost <= limit and (cost < label[node] or (cost == label[node] and owner < source[node])):
            label[node] = cost
            source[node] = owner
            if place[node] < 0:
                heap[size] = node
                place[node] = size
                size += 1
            _sift_up(heap, place, label, source, place[node])
    while size > 0:
        node = _pop(heap, place, label, source, size)
        size -= 1
        owner = source[node]
        leave = label[node] + wait[node]
        for arc in range(indptr[node], indptr[node + 1]):
            cost = leave + arc_cost[arc]
            other = arc_node[arc]
            if cost <= limit and (cost < label[other] or (cost == label[other] and owner < source[other])):
                label[other] = cost
                source[other] = owner
                if place[other] < 0:
                    heap[size] = other
                    place[other] = size
                    size += 1
                _sift_up(heap, place, label, source, place[other])
    return label, source


@njit(cache=True, nogil=True)
def _direct(at: float, ahead: float, back: float, to: float, to_ahead: float, to_back: float, ways: int) -> float:
    """Return the cost along one edge from one position to another; `ways` has bit 1 for forward, bit 2 for backward."""
    if at == to:
        return 0.0
    if at < to:
        return to_ahead - ahead if ways & 1 else np.inf
    return back - to_back if ways & 2 else np.inf


@njit(cache=True, nogil=True)
def nearest_of_labels(
    label: Floats,
    source: Longs,
    wait: Floats,
    edge_nodes: Ints,
    edge_ways: NDArray[np.int8],
    edge: Ints,
    where: Floats,
    owner: Longs,
    count: int,
    site_start: Longs,
    site_where: Floats,
    site_owner: Longs,
    limit: float,
) -> tuple[Floats, Longs]:
    """Return each owner's least cost and its site, from the labels of nodes and the sites on the same edge.

    ``where`` and ``site_where`` are float64[k, 6]: offset, cost ahead, cost back, cost to (from) node 0, node 1, access.
    """
    best = np.full(count, np.inf)
    chosen = np.full(count, -1, np.int64)
    for i in range(edge.size):
        e, row = edge[i], owner[i]
        access = where[i, 5]
        for side in range(2):
            node = edge_nodes[e, side]
            cost = (label[node] + wait[node]) + where[i, 3 + side] + access
            if cost <= limit and (cost < best[row] or (cost == best[row] and source[node] < chosen[row])):
                best[row] = cost
                chosen[row] = source[node]
        for j in range(site_start[e], site_start[e + 1]):
            direct = _direct(
                where[i, 0],
                where[i, 1],
                where[i, 2],
                site_where[j, 0],
                site_where[j, 1],
                site_where[j, 2],
                edge_ways[e],
            )
            cost = (site_where[j, 5] + direct) + access
            if cost <= limit and (cost < best[row] or (cost == best[row] and site_owner[j] < chosen[row])):
                best[row] = cost
                chosen[row] = site_owner[j]
    return best, chosen


@njit(cache=True, nogil=True)
def _lift(heap: Ints, place: Ints, label: Floats, at: int) -> None:
    """Move the node at `at` towards the root while its label is smaller than its parent's."""
    node = heap[at]
    cost = label[node]
    while at > 0:
        up = (at - 1) >> 1
        other = heap[up]
        if label[other] <= cost:
            break
        heap[at] = other
        place[other] = at
        at = up
    heap[at] = node
    place[node] = at


@njit(cache=True, nogil=True)
def _take(heap: Ints, place: Ints, label: Floats, size: int) -> int:
    """Take the root off a heap of `size` nodes ordered by label alone and return it."""
    top = heap[0]
    size -= 1
    if size > 0:
        node = heap[size]
        cost = label[node]
        at = 0
        while True:
            child = 2 * at + 1
            if child >= size:
                break
            if child + 1 < size and label[heap[child + 1]] < label[heap[child]]:
                child += 1
            other = heap[child]
            if cost <= label[other]:
                break
            heap[at] = other
            place[other] = at
            at = child
        heap[at] = node
        place[node] = at
    return int(top)


@njit(cache=True, nogil=True)
def reach_block(
    indptr: Longs,
    arc_node: Ints,
    arc_edge: Ints,
    arc_side: NDArray[np.int8],
    arc_cost: Floats,
    wait: Floats,
    edge_nodes: Ints,
    edge_ways: NDArray[np.int8],
    site_start: Longs,
    site_edge: Ints,
    site_where: Floats,
    first: int,
    last: int,
    demand_start: Longs,
    demand_owner: Longs,
    demand_where: Floats,
    demand_count: int,
    limit: float,
) -> tuple[Longs, Longs, Floats]:
    """Return, for sites first…last-1, how many demand rows each reaches, and those rows with their costs.

    One cut-off search a site, against the direction of walking. Site positions are sorted by site (``site_start``),
    demand positions by edge (``demand_start``); ``where`` columns as in `nearest_of_labels`.
    """
    n = indptr.size - 1
    label = np.empty(n, np.float64)
    heap = np.empty(n, np.int32)
    place = np.empty(n, np.int32)
    seen = np.zeros(n, np.int32)
    cost_of = np.empty(demand_count, np.float64)
    met = np.zeros(demand_count, np.int32)
    counts = np.zeros(last - first, np.int64)
    rows = np.empty(1024, np.int64)
    costs = np.empty(1024, np.float64)
    touched = np.empty(demand_count, np.int64)
    filled = 0
    for site in range(first, last):
        epoch = site - first + 1
        size = 0
        found = 0
        for p in range(site_start[site], site_start[site + 1]):
            e = site_edge[p]
            access = site_where[p, 5]
            for q in range(demand_start[e], demand_start[e + 1]):
                direct = _direct(
                    demand_where[q, 0],
                    demand_where[q, 1],
                    demand_where[q, 2],
                    site_where[p, 0],
                    site_where[p, 1],
                    site_where[p, 2],
                    edge_ways[e],
                )
                cost = (access + direct) + demand_where[q, 5]
                row = demand_owner[q]
                if cost <= limit:
                    if met[row] != epoch:
                        met[row] = epoch
                        cost_of[row] = cost
                        touched[found] = row
                        found += 1
                    elif cost < cost_of[row]:
                        cost_of[row] = cost
            for side in range(2):
                node = edge_nodes[e, side]
                cost = access + site_where[p, 3 + side]
                if cost <= limit and (seen[node] != epoch or cost < label[node]):
                    label[node] = cost
                    if seen[node] != epoch:
                        seen[node] = epoch
                        heap[size] = node
                        place[node] = size
                        size += 1
                    _lift(heap, place, label, place[node])
        while size > 0:
            node = _take(heap, place, label, size)
            size -= 1
            leave = label[node] + wait[node]
            for arc in range(indptr[node], indptr[node + 1]):
                e = arc_edge[arc]
                side = arc_side[arc]
                for q in range(demand_start[e], demand_start[e + 1]):
                    cost = leave + demand_where[q, 3 + side] + demand_where[q, 5]
                    row = demand_owner[q]
                    if cost <= limit:
                        if met[row] != epoch:
                            met[row] = epoch
                            cost_of[row] = cost
                            touched[found] = row
                            found += 1
                        elif cost < cost_of[row]:
                            cost_of[row] = cost
                cost = leave + arc_cost[arc]
                other = arc_node[arc]
                if cost <= limit and (seen[other] != epoch or cost < label[other]):
                    label[other] = cost
                    if seen[other] != epoch:
                        seen[other] = epoch
                        heap[size] = other
                        place[other] = size
                        size += 1
                    _lift(heap, place, label, place[other])
        if filled + found > rows.size:
            room = max(2 * rows.size, filled + found)
            more_rows = np.empty(room, np.int64)
            more_costs = np.empty(room, np.float64)
            more_rows[:filled] = rows[:filled]
            more_costs[:filled] = costs[:filled]
            rows, costs = more_rows, more_costs
        for i in range(found):
            rows[filled + i] = touched[i]
            costs[filled + i] = cost_of[touched[i]]
        filled += found
        counts[site - first] = found
    return counts, rows[:filled].copy(), costs[:filled].copy()


@njit(cache=True, nogil=True)
def chains(
    indptr: Longs,
    arc_edge: Ints,
    arc_side: NDArray[np.int8],
    edge_nodes: Ints,
    kind: Longs,
    back_kind: Longs,
    through: Bools,
) -> tuple[Longs, Ints, Bools]:
    """Return the chains of edges that `through` nodes join: where each starts, its edges in order, which are turned round.

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
def meeting_pairs(
    cell_start: Longs,
    segments: Ints,
    ax: Floats,
    ay: Floats,
    bx: Floats,
    by: Floats,
    side: NDArray[np.int8],
    level: Ints,
    node_a: Longs,
    node_b: Longs,
    end_a: Bools,
    end_b: Bools,
    reach_m: float,
) -> tuple[Ints, Floats, Ints, Floats]:
    """Return where segments meet: segment i at share t of it, segment j at share u; pairs may repeat.

    Segments of one cell are compared. With ``side`` all 0 lines are joined among themselves: a line's end that comes
    within ``reach_m`` of another segment of a level it may join, and plain crossings on one level; segments that share
    a node already are left alone. With sides 1 and 2 only crossings between the two are looked for.
    """
    room = 1024
    first, second = np.empty(room, np.int32), np.empty(room, np.int32)
    share, other_share = np.empty(room, np.float64), np.empty(room, np.float64)
    filled = 0
    for c in range(cell_start.size - 1):
        for a in range(cell_start[c], cell_start[c + 1]):
            i = segments[a]
            for b in range(a + 1, cell_start[c + 1]):
                j = segments[b]
                joining = side[i] == 0 and side[j] == 0
                if side[i] == side[j] and side[i] != 0:
                    continue
                if min(ax[i], bx[i]) - reach_m > max(ax[j], bx[j]) or min(ax[j], bx[j]) - reach_m > max(ax[i], bx[i]):
                    continue
                if min(ay[i], by[i]) - reach_m > max(ay[j], by[j]) or min(ay[j], by[j]) - reach_m > max(ay[i], by[i]):
                    continue
                if joining and (
                    node_a[i] == node_a[j] or node_a[i] == node_b[j] or node_b[i] == node_a[j] or node_b[i] == node_b[j]
                ):
                    continue
                if filled + 4 > room:
                    room *= 2
                    first2, second2 = np.empty(room, np.int32), np.empty(room, np.int32)
                    share2, other2 = np.empty(room, np.float64), np.empty(room, np.float64)
                    first2[:filled] = first[:filled]
                    second2[:filled] = second[:filled]
                    share2[:filled] = share[:filled]
                    other2[:filled] = other_share[:filled]
                    first, second, share, other_share = first2, second2, share2, other2
                before = filled
                if joining:
                    for turn in range(2):
                        p, q = (i, j) if turn == 0 else (j, i)
                        if level[p] != level[q] and (level[p] == 0 or level[q] != 0):
                            continue
                        for at in range(2):
                            if not (end_a[p] if at == 0 else end_b[p]):
                                continue
                            px, py = (ax[p], ay[p]) if at == 0 else (bx[p], by[p])
                            t, distance = _foot(px, py, ax[q], ay[q], bx[q], by[q])
                            if distance <= reach_m:
                                first[filled], share[filled] = p, float(at)
                                second[filled], other_share[filled] = q, t
                                filled += 1
                if filled > before or (joining and level[i] != level[j]):
                    continue
                dx, dy, ex, ey = bx[i] - ax[i], by[i] - ay[i], bx[j] - ax[j], by[j] - ay[j]
                cross = dx * ey - dy * ex
                if cross == 0.0:
                    continue
                gx, gy = ax[j] - ax[i], ay[j] - ay[i]
                t = (gx * ey - gy * ex) / cross
                u = (gx * dy - gy * dx) / cross
                if 0.0 <= t <= 1.0 and 0.0 <= u <= 1.0:
                    first[filled], share[filled] = i, t
                    second[filled], other_share[filled] = j, u
                    filled += 1
    return first[:filled].copy(), share[:filled].copy(), second[:filled].copy(), other_share[:filled].copy()


@njit(cache=True, nogil=True)
def distance_field(ax: Floats, ay: Floats, bx: Floats, by: Floats, cell: float, margin: float, field: Floats) -> None:
    """Lower `field` (rows y, columns x, grid points `cell` apart from 0, 0) to the distance of the segments within a margin."""
    height, width = field.shape
    for s in range(ax.size):
        left = max(0, int(np.ceil((min(ax[s], bx[s]) - margin) / cell)))
        right = min(width - 1, int(np.floor((max(ax[s], bx[s]) + margin) / cell)))
        low = max(0, int(np.ceil((min(ay[s], by[s]) - margin) / cell)))
        high = min(height - 1, int(np.floor((max(ay[s], by[s]) + margin) / cell)))
        dx, dy = bx[s] - ax[s], by[s] - ay[s]
        length2 = dx * dx + dy * dy
        for row in range(low, high + 1):
            py = row * cell - ay[s]
            for column in range(left, right + 1):
                px = column * cell - ax[s]
                t = (px * dx + py * dy) / length2 if length2 > 0.0 else 0.0
                t = min(1.0, max(0.0, t))
                distance = np.sqrt((px - t * dx) ** 2 + (py - t * dy) ** 2)
                if distance < field[row, column]:
                    field[row, column] = distance
