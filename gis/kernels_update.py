"""Compiled inner loops that bring the labels of nodes up to date when sites come or go."""

# ruff: noqa: PLR0913, PLR0917  compiled functions take flat arrays, one argument each
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from .kernels import _pop, _sift_up

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int32]
    Longs = NDArray[np.int64]


@njit(cache=True, nogil=True)
def spread(
    indptr: Longs,
    arc_node: Ints,
    arc_cost: Floats,
    wait: Floats,
    seed_node: Ints,
    seed_cost: Floats,
    seed_source: Longs,
    limit: float,
    label: Floats,
    source: Longs,
) -> tuple[Ints, Floats, Longs]:
    """Improve labels and sources in place from seeds; return the nodes that changed with what they had before."""
    n = indptr.size - 1
    heap = np.empty(n, np.int32)
    place = np.full(n, -1, np.int32)
    seen = np.zeros(n, np.bool_)
    changed, old_label, old_source = np.empty(n, np.int32), np.empty(n, np.float64), np.empty(n, np.int64)
    size, count = 0, 0
    for i in range(seed_node.size):
        node, cost, owner = seed_node[i], seed_cost[i], seed_source[i]
        if cost <= limit and (cost < label[node] or (cost == label[node] and owner < source[node])):
            if not seen[node]:
                seen[node] = True
                changed[count], old_label[count], old_source[count] = node, label[node], source[node]
                count += 1
            label[node], source[node] = cost, owner
            if place[node] < 0:
                heap[size] = node
                place[node] = size
                size += 1
            _sift_up(heap, place, label, source, place[node])
    while size > 0:
        node = _pop(heap, place, label, source, size)
        place[node] = -1
        size -= 1
        owner = source[node]
        leave = label[node] + wait[node]
        for arc in range(indptr[node], indptr[node + 1]):
            cost = leave + arc_cost[arc]
            other = arc_node[arc]
            if cost <= limit and (cost < label[other] or (cost == label[other] and owner < source[other])):
                if not seen[other]:
                    seen[other] = True
                    changed[count], old_label[count], old_source[count] = other, label[other], source[other]
                    count += 1
                label[other], source[other] = cost, owner
                if place[other] < 0:
                    heap[size] = other
                    place[other] = size
                    size += 1
                _sift_up(heap, place, label, source, place[other])
    return changed[:count].copy(), old_label[:count].copy(), old_source[:count].copy()


@njit(cache=True, nogil=True)
def unsupported(
    indptr: Longs,
    arc_node: Ints,
    arc_cost: Floats,
    wait: Floats,
    changed: Ints,
    old_label: Floats,
    old_source: Longs,
    label: Floats,
    source: Longs,
) -> Ints:
    """Return the nodes whose label may stand on one that has changed though nothing better came of the change.

    That happens where two sums round to the same cost: the way goes on from another site than before.
    """
    lost = np.zeros(indptr.size - 1, np.bool_)
    found = np.empty(indptr.size - 1, np.int32)
    count = 0
    for i in range(changed.size):
        node = changed[i]
        if old_source[i] < 0:
            continue
        leave = old_label[i] + wait[node]
        for arc in range(indptr[node], indptr[node + 1]):
            other = arc_node[arc]
            if not lost[other] and source[other] == old_source[i] and label[other] == leave + arc_cost[arc]:
                lost[other] = True
                found[count] = other
                count += 1
    done = 0
    while done < count:
        node = found[done]
        done += 1
        leave = label[node] + wait[node]
        for arc in range(indptr[node], indptr[node + 1]):
            other = arc_node[arc]
            if not lost[other] and source[other] == source[node] and label[other] == leave + arc_cost[arc]:
                lost[other] = True
                found[count] = other
                count += 1
    return found[:count].copy()


@njit(cache=True, nogil=True)
def offers(
    indptr: Longs, arc_node: Ints, arc_cost: Floats, wait: Floats, lost: Ints, label: Floats, source: Longs
) -> tuple[Ints, Floats, Longs]:
    """Return what the neighbours of nodes without a label offer them; ``arc_cost`` is that of leaving along an arc."""
    most = 0
    for i in range(lost.size):
        most += indptr[lost[i] + 1] - indptr[lost[i]]
    node, cost, owner = np.empty(most, np.int32), np.empty(most, np.float64), np.empty(most, np.int64)
    count = 0
    for i in range(lost.size):
        for arc in range(indptr[lost[i]], indptr[lost[i] + 1]):
            other = arc_node[arc]
            if source[other] >= 0:
                node[count], owner[count] = lost[i], source[other]
                cost[count] = (label[other] + wait[other]) + arc_cost[arc]
                count += 1
    return node[:count].copy(), cost[:count].copy(), owner[:count].copy()
