"""Compiled inner loops of walking: positions on edges, cut-off searches. Arrays in, arrays out, nothing checked.

Every kernel releases the interpreter lock and is compiled once and cached on disk. Arrays have one dtype each, so
that each kernel is compiled for one signature only: indices int32 (node, edge) or int64 (row pointers), costs float64.
"""

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
    Bytes = NDArray[np.int8]


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
def order_by(key: Longs, count: int) -> tuple[Longs, Longs]:
    """Return the stable order of rows by a key 0…count-1, and int64[count + 1]: where each key begins in that order."""
    start = np.zeros(count + 1, np.int64)
    for i in range(key.size):
        start[key[i] + 1] += 1
    for k in range(count):
        start[k + 1] += start[k]
    at = start[:-1].copy()
    order = np.empty(key.size, np.int64)
    for i in range(key.size):
        order[at[key[i]]] = i
        at[key[i]] += 1
    return order, start


@njit(cache=True, nogil=True)
def _ends(
    coming: bool,  # noqa: FBT001  compiled functions have no options
    offset: float,
    ahead: float,
    back: float,
    length: float,
    edge_ahead: float,
    edge_back: float,
) -> tuple[float, float]:
    """Return the costs of walking to node 0 and node 1 of an edge, or (``coming``) from them; inf where one may not.

    A position at a node is at the node, whatever its edge allows.
    """
    first, last = np.inf, np.inf
    if coming:
        if np.isfinite(edge_ahead):
            first = ahead
        if np.isfinite(edge_back):
            last = edge_back - back
    else:
        if np.isfinite(edge_back):
            first = back
        if np.isfinite(edge_ahead):
            last = edge_ahead - ahead
    return 0.0 if offset <= 0.0 else first, 0.0 if offset >= length else last


@njit(cache=True, nogil=True)
def place(
    coming: bool,  # noqa: FBT001  compiled functions have no options
    edge: Ints,
    offset: Floats,
    ahead: Floats,
    back: Floats,
    access: Floats,
    length: Floats,
    edge_ahead: Floats,
    edge_back: Floats,
) -> Floats:
    """Return float64[k, 6] of positions: offset, cost ahead, cost back, costs at the two ends (see `_ends`), access."""
    where = np.empty((edge.size, 6), np.float64)
    for i in range(edge.size):
        e = edge[i]
        first, last = _ends(coming, offset[i], ahead[i], back[i], length[e], edge_ahead[e], edge_back[e])
        where[i, 0], where[i, 1], where[i, 2] = offset[i], ahead[i], back[i]
        where[i, 3], where[i, 4], where[i, 5] = first, last, access[i]
    return where


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
def _add(node: int, cost: float, owner: int, queue: Ints, queue_cost: Floats, queue_source: Longs, size: int) -> int:
    """Add a node to a heap ordered by (cost, source); return the size of the heap."""
    at = size
    while at > 0:
        up = (at - 1) >> 1
        if queue_cost[up] < cost or (queue_cost[up] == cost and queue_source[up] <= owner):
            break
        queue[at], queue_cost[at], queue_source[at] = queue[up], queue_cost[up], queue_source[up]
        at = up
    queue[at], queue_cost[at], queue_source[at] = node, cost, owner
    return size + 1


@njit(cache=True, nogil=True)
def _drop(queue: Ints, queue_cost: Floats, queue_source: Longs, size: int) -> int:
    """Take the root off a heap ordered by (cost, source); return the size of the rest."""
    size -= 1
    node, cost, owner = queue[size], queue_cost[size], queue_source[size]
    at = 0
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        if child + 1 < size:
            left, right = queue_cost[child], queue_cost[child + 1]
            if right < left or (right == left and queue_source[child + 1] < queue_source[child]):
                child += 1
        if cost < queue_cost[child] or (cost == queue_cost[child] and owner <= queue_source[child]):
            break
        queue[at], queue_cost[at], queue_source[at] = queue[child], queue_cost[child], queue_source[child]
        at = child
    queue[at], queue_cost[at], queue_source[at] = node, cost, owner
    return size


@njit(cache=True, nogil=True)
def label_nodes(
    indptr: Longs,
    arc_node: Ints,
    arc_cost: Floats,
    wait: Floats,
    seed_node: Ints,
    seed_cost: Floats,
    seed_source: Longs,
    group_start: Longs,
    limit: float,
) -> tuple[Floats, Longs]:
    """Return the least cost from any seed to every node and that seed's source; inf and -1 beyond the limit.

    Labels are settled in the order of (cost, source), so that ties go to the lower source. Seeds are taken group by
    group: a later one only mends the labels that it betters, so the groups do not change the answer.
    """
    n = indptr.size - 1
    label, source = np.full(n, np.inf), np.full(n, -1, np.int64)
    room = arc_node.size + seed_node.size
    queue, queue_cost, queue_source = np.empty(room, np.int32), np.empty(room, np.float64), np.empty(room, np.int64)
    for group in range(group_start.size - 1):
        size = 0
        for i in range(group_start[group], group_start[group + 1]):
            node, cost, owner = seed_node[i], seed_cost[i], seed_source[i]
            if cost <= limit and (cost < label[node] or (cost == label[node] and owner < source[node])):
                label[node], source[node] = cost, owner
                size = _add(node, cost, owner, queue, queue_cost, queue_source, size)
        while size > 0:
            node, least, owner = queue[0], queue_cost[0], queue_source[0]
            size = _drop(queue, queue_cost, queue_source, size)
            # A node whose label fell was queued once more: its older entries are passed over.
            if least != label[node] or owner != source[node]:
                continue
            leave = least + wait[node]
            for arc in range(indptr[node], indptr[node + 1]):
                cost = leave + arc_cost[arc]
                other = arc_node[arc]
                if cost <= limit and (cost < label[other] or (cost == label[other] and owner < source[other])):
                    label[other], source[other] = cost, owner
                    size = _add(other, cost, owner, queue, queue_cost, queue_source, size)
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
    coming: bool,  # noqa: FBT001  compiled functions have no options
    leaving: Floats,
    source: Longs,
    edge_nodes: Ints,
    edge_ahead: Floats,
    edge_back: Floats,
    length: Floats,
    owner: Longs,
    edge: Ints,
    offset: Floats,
    ahead: Floats,
    back: Floats,
    access: Floats,
    begin: int,
    end: int,
    has_site: Bytes,
    site_start: Longs,
    site_where: Floats,
    site_owner: Longs,
    limit: float,
    best: Floats,
    chosen: Longs,
) -> None:
    """Lower each owner's least cost and its site by the labels of nodes and the sites on the same edge.

    Rows ``begin``…``end`` - 1 of the positions are looked at. ``leaving`` is a label and the wait there, inf where
    no site is within the limit. ``site_where`` is float64[k, 6] as `place` returns it, by edge (``site_start``).
    """
    for i in range(begin, end):
        e, row = edge[i], owner[i]
        from_first, from_last = leaving[edge_nodes[e, 0]], leaving[edge_nodes[e, 1]]
        # Most of a city may be out of reach: what is not needed is not even looked up.
        if from_first == np.inf and from_last == np.inf and not has_site[e]:
            continue
        first, last = _ends(coming, offset[i], ahead[i], back[i], length[e], edge_ahead[e], edge_back[e])
        for side in range(2):
            cost = (from_last + last if side else from_first + first) + access[i]
            if cost <= limit and cost <= best[row]:
                found = source[edge_nodes[e, side]]
                if cost < best[row] or found < chosen[row]:
                    best[row] = cost
                    chosen[row] = found
        if not has_site[e]:
            continue
        ways = (1 if np.isfinite(edge_ahead[e]) else 0) + (2 if np.isfinite(edge_back[e]) else 0)
        for j in range(site_start[e], site_start[e + 1]):
            direct = _direct(offset[i], ahead[i], back[i], site_where[j, 0], site_where[j, 1], site_where[j, 2], ways)
            cost = (site_where[j, 5] + direct) + access[i]
            if cost <= limit and (cost < best[row] or (cost == best[row] and site_owner[j] < chosen[row])):
                best[row] = cost
                chosen[row] = site_owner[j]


@njit(cache=True, nogil=True)
def offer(
    node: int, cost: float, epoch: int, seen: Ints, label: Floats, queue: Ints, queue_cost: Floats, size: int
) -> int:
    """Take a cost for a node when it is the best so far and queue the node; return the size of the queue.

    The queue is a heap by cost. A node whose cost falls is queued once more: its older entries are passed over when
    they come up, by their cost.
    """
    if seen[node] == epoch and cost >= label[node]:
        return size
    seen[node] = epoch
    label[node] = cost
    at = size
    while at > 0:
        up = (at - 1) >> 1
        if queue_cost[up] <= cost:
            break
        queue[at], queue_cost[at] = queue[up], queue_cost[up]
        at = up
    queue[at], queue_cost[at] = node, cost
    return size + 1


@njit(cache=True, nogil=True)
def drop_first(queue: Ints, queue_cost: Floats, size: int) -> int:
    """Take the least off a queue of at least one entry; return the size of the rest."""
    size -= 1
    node, cost = queue[size], queue_cost[size]
    at = 0
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        if child + 1 < size and queue_cost[child + 1] < queue_cost[child]:
            child += 1
        if cost <= queue_cost[child]:
            break
        queue[at], queue_cost[at] = queue[child], queue_cost[child]
        at = child
    queue[at], queue_cost[at] = node, cost
    return size


@njit(cache=True, nogil=True)
def _meet(row: int, cost: float, epoch: int, met: Ints, slot: Longs, rows: Ints, costs: Floats, filled: int) -> int:
    """Take a cost for a demand row when it is the best so far; return how many rows are filled."""
    if met[row] != epoch:
        met[row] = epoch
        slot[row] = filled
        rows[filled] = row
        costs[filled] = cost
        return filled + 1
    costs[slot[row]] = min(costs[slot[row]], cost)
    return filled


@njit(cache=True, nogil=True)
def _meet_along(
    leave: float,
    beyond: float,
    side: int,
    first: int,
    last: int,
    owner: Longs,
    where: Floats,
    limit: float,
    epoch: int,
    met: Ints,
    slot: Longs,
    rows: Ints,
    costs: Floats,
    filled: int,
) -> int:
    """Take the costs of the demand on an edge (positions first…last-1), from the node on a side and from the other."""
    for q in range(first, last):
        cost = min((leave + where[q, 3 + side]) + where[q, 5], (beyond + where[q, 4 - side]) + where[q, 5])
        if cost <= limit:
            filled = _meet(owner[q], cost, epoch, met, slot, rows, costs, filled)
    return filled


@njit(cache=True, nogil=True)
def reach_block(  # noqa: C901, PLR0912  one loop nest: a compiled function cannot share its scratch arrays
    indptr: Longs,
    arc_node: Ints,
    arc_edge: Ints,
    arc_side: Bytes,
    arc_cost: Floats,
    wait: Floats,
    edge_nodes: Ints,
    edge_ways: Bytes,
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
) -> tuple[Longs, Ints, Floats]:
    """Return, for sites first…last-1, how many demand rows each reaches, and those rows with their costs.

    One cut-off search a site, against the direction of walking. Site positions are sorted by site (``site_start``),
    demand positions by edge (``demand_start``); ``where`` columns as in `nearest_of_labels`.
    """
    n = indptr.size - 1
    label, seen, settled = np.empty(n, np.float64), np.zeros(n, np.int32), np.empty(n, np.int32)
    room = arc_node.size + 2 * int(np.diff(site_start[first : last + 1]).max())
    queue, queue_cost = np.empty(room, np.int32), np.empty(room, np.float64)
    met, slot = np.zeros(demand_count, np.int32), np.empty(demand_count, np.int64)
    counts = np.zeros(last - first, np.int64)
    rows, costs = np.empty(2 * demand_count, np.int32), np.empty(2 * demand_count, np.float64)
    filled = 0
    for site in range(first, last):
        epoch = site - first + 1
        size, nodes, before = 0, 0, filled
        if filled + demand_count > rows.size:
            more_rows, more_costs = np.empty(2 * rows.size, np.int32), np.empty(2 * rows.size, np.float64)
            more_rows[:filled] = rows[:filled]
            more_costs[:filled] = costs[:filled]
            rows, costs = more_rows, more_costs
        for p in range(site_start[site], site_start[site + 1]):
            e, access = site_edge[p], site_where[p, 5]
            at, ahead, back = site_where[p, 0], site_where[p, 1], site_where[p, 2]
            for q in range(demand_start[e], demand_start[e + 1]):
                direct = _direct(
                    demand_where[q, 0], demand_where[q, 1], demand_where[q, 2], at, ahead, back, edge_ways[e]
                )
                cost = (access + direct) + demand_where[q, 5]
                if cost <= limit:
                    filled = _meet(demand_owner[q], cost, epoch, met, slot, rows, costs, filled)
            for side in range(2):
                cost = access + site_where[p, 3 + side]
                if cost <= limit:
                    size = offer(edge_nodes[e, side], cost, epoch, seen, label, queue, queue_cost, size)
        while size > 0:
            node, least = queue[0], queue_cost[0]
            size = drop_first(queue, queue_cost, size)
            if least > label[node]:
                continue
            settled[nodes] = node
            nodes += 1
            leave = least + wait[node]
            for arc in range(indptr[node], indptr[node + 1]):
                cost = leave + arc_cost[arc]
                if cost <= limit:
                    size = offer(arc_node[arc], cost, epoch, seen, label, queue, queue_cost, size)
        for i in range(nodes):
            node = settled[i]
            leave = label[node] + wait[node]
            for arc in range(indptr[node], indptr[node + 1]):
                e, side, other = arc_edge[arc], arc_side[arc], arc_node[arc]
                both = seen[other] == epoch
                # An edge both of whose ends were reached is looked at once, from its first.
                if both and side == 1:
                    continue
                beyond = label[other] + wait[other] if both else np.inf
                filled = _meet_along(
                    leave,
                    beyond,
                    side,
                    demand_start[e],
                    demand_start[e + 1],
                    demand_owner,
                    demand_where,
                    limit,
                    epoch,
                    met,
                    slot,
                    rows,
                    costs,
                    filled,
                )
        counts[site - first] = filled - before
    return counts, rows[:filled], costs[:filled]


@njit(cache=True, nogil=True)
def put_columns(
    columns: Longs, counts: Longs, rows: Ints, costs: Floats, start: Longs, to_rows: Ints, to_costs: Floats
) -> None:
    """Put columns that stand one after another (`counts` entries each) to where each begins in larger arrays."""
    at = 0
    for i in range(columns.size):
        first = start[columns[i]]
        for k in range(counts[i]):
            to_rows[first + k] = rows[at + k]
            to_costs[first + k] = costs[at + k]
        at += counts[i]
