"""Compiled inner loops of covering under limits: budgets, numbers of sites, numbers of closings.

Columns use up limits: ``use`` [limits, columns] of whole numbers, of which each limit holds ``most``. What an answer
leaves is ``spare``; an exchange is only made when no limit is overdrawn by it. Numbers may be negative: a column that
stands already frees a limit by staying.

An answer is ``inside``, ``count``, by how many of its columns each row is covered, ``owner``, the sum of their numbers
(the column itself where only one covers the row), and ``loss``, the weight only each column covers.
"""

# ruff: noqa: PLR0913, PLR0917, SIM110, NPY002  compiled: flat arrays, loops, numba's generator

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from .kernels_cover import lies_within, put_in, sums_of, take_out

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Longs = NDArray[np.int64]
    Ints = NDArray[np.int32]
    Bools = NDArray[np.bool_]

BLOCK = 256
"""So many exchanges are tried at each temperature."""


@njit(cache=True, nogil=True)
def _uses_no_more(use: Longs, b: int, j: int) -> tuple[bool, bool]:
    """Say whether column b uses no more of any limit than column j, and whether it uses less of one."""
    less = False
    for r in range(use.shape[0]):
        if use[r, b] > use[r, j]:
            return False, False
        less |= use[r, b] < use[r, j]
    return True, less


@njit(cache=True, nogil=True)
def dominators_within(rptr: Ints, col: Ints, cptr: Ints, row: Ints, use: Longs, fixed: Bools) -> Longs:
    """Return for each column another one that covers all it covers and uses no more, -1 where none does.

    Of equal ones the first stays. ``fixed`` columns are kept whatever covers them.
    """
    other = np.full(cptr.size - 1, -1, dtype=np.int64)
    for j in range(other.size):
        start, end = cptr[j], cptr[j + 1]
        if start == end or fixed[j]:
            continue
        least = row[start]
        for k in range(start, end):
            i = row[k]
            if rptr[i + 1] - rptr[i] < rptr[least + 1] - rptr[least]:
                least = i
        for k in range(rptr[least], rptr[least + 1]):
            b = col[k]
            if b == j:
                continue
            longer = (cptr[b + 1] - cptr[b]) - (end - start)
            if longer < 0:
                continue
            no_more, less = _uses_no_more(use, b, j)
            if no_more and (longer > 0 or less or b < j) and lies_within(row, start, end, cptr[b], cptr[b + 1]):
                other[j] = b
                break
    return other


@njit(cache=True, nogil=True)
def _put(
    cptr: Ints, row: Ints, key: Longs, use: Longs, count: Ints, owner: Longs, loss: Longs, spare: Longs, b: int
) -> None:
    """Take a column into the answer; it is its own place there."""
    put_in(cptr, row, key, count, owner, loss, b, b)
    for r in range(spare.size):
        spare[r] -= use[r, b]


@njit(cache=True, nogil=True)
def _drop(
    cptr: Ints, row: Ints, key: Longs, use: Longs, count: Ints, owner: Longs, loss: Longs, spare: Longs, a: int
) -> None:
    """Take a column out of the answer."""
    take_out(cptr, row, key, count, owner, loss, a, a)
    for r in range(spare.size):
        spare[r] += use[r, a]


@njit(cache=True, nogil=True)
def _state(
    cptr: Ints, row: Ints, key: Longs, use: Longs, most: Longs, inside: Bools
) -> tuple[Ints, Longs, Longs, Longs]:
    """Return count, owner, loss and spare of an answer."""
    count, owner = np.zeros(key.size, dtype=np.int32), np.zeros(key.size, dtype=np.int64)
    loss, spare = np.zeros(inside.size, dtype=np.int64), most.copy()
    for j in range(inside.size):
        if inside[j]:
            _put(cptr, row, key, use, count, owner, loss, spare, j)
    return count, owner, loss, spare


@njit(cache=True, nogil=True)
def _room(use: Longs, spare: Longs, b: int) -> bool:
    """Say whether a column may be taken in addition."""
    for r in range(spare.size):
        if use[r, b] > spare[r]:
            return False
    return True


@njit(cache=True, nogil=True)
def _room_for(use: Longs, spare: Longs, b: int, a: int) -> bool:
    """Say whether a column may be taken in exchange for another."""
    for r in range(spare.size):
        if use[r, b] > spare[r] + use[r, a]:
            return False
    return True


@njit(cache=True, nogil=True)
def _add_all(
    cptr: Ints,
    row: Ints,
    key: Longs,
    use: Longs,
    price: Floats,
    free: Bools,
    inside: Bools,
    count: Ints,
    owner: Longs,
    loss: Longs,
    spare: Longs,
) -> None:
    """Take free columns while one that has room adds something, the one that adds most for its price first.

    A gain only shrinks, so the largest old one that is still the largest when counted anew is the best.
    """
    left = np.where(count == 0, key, 0)
    gain = sums_of(cptr, row, left)
    for j in range(gain.size):
        if not free[j] or inside[j]:
            gain[j] = 0
    counted, turn = np.zeros(gain.size, dtype=np.int64), 0
    while True:
        best, worth = -1, 0.0
        for j in range(gain.size):
            if gain[j] > 0 and gain[j] / price[j] > worth and _room(use, spare, j):
                best, worth = j, gain[j] / price[j]
        if best < 0:
            return
        if counted[best] < turn:
            total = 0
            for k in range(cptr[best], cptr[best + 1]):
                total += left[row[k]]
            gain[best], counted[best] = total, turn
            continue
        inside[best], gain[best] = True, 0
        turn += 1
        _put(cptr, row, key, use, count, owner, loss, spare, best)
        for k in range(cptr[best], cptr[best + 1]):
            left[row[k]] = 0


@njit(cache=True, nogil=True)
def _best_exchange(
    cptr: Ints,
    row: Ints,
    key: Longs,
    use: Longs,
    cost: Longs,
    count: Ints,
    owner: Longs,
    loss: Longs,
    spare: Longs,
    both: Longs,
    members: Longs,
    size: int,
    b: int,
) -> tuple[int, int, bool]:
    """Return what the column would change, in place of which (-1: in addition), and whether there is room at all.

    Among equals the exchange that leaves the dearest column out.
    """
    gain = 0
    for k in range(cptr[b], cptr[b + 1]):
        i = row[k]
        if count[i] == 0:
            gain += key[i]
        elif count[i] == 1:
            both[owner[i]] += key[i]
    best, place, found = 0, -1, False
    if _room(use, spare, b):
        best, found = gain, True
    for s in range(size):
        a = members[s]
        if _room_for(use, spare, b, a):
            better = gain - loss[a] + both[a]
            if not found or better > best or (better == best and (place < 0 or cost[a] > cost[place])):
                best, place, found = better, a, True
    for s in range(size):
        both[members[s]] = 0
    return best, place, found


@njit(cache=True, nogil=True)
def _exchange(members: Longs, at: Longs, size: int, inside: Bools, a: int, b: int) -> int:
    """Write column b in place of a (-1: in addition) into the list of members; return its size."""
    if a < 0:
        members[size], at[b] = b, size
        inside[b] = True
        return size + 1
    members[at[a]], at[b] = b, at[a]
    inside[a], inside[b] = False, True
    return size


@njit(cache=True, nogil=True)
def _listed(inside: Bools) -> tuple[Longs, Longs, int]:
    """Return the columns of an answer with room for more, the place of each column among them, and how many."""
    members, at = np.empty(inside.size, dtype=np.int64), np.zeros(inside.size, dtype=np.int64)
    size = 0
    for j in range(inside.size):
        if inside[j]:
            members[size], at[j] = j, size
            size += 1
    return members, at, size


@njit(cache=True, nogil=True)
def descend_within(
    cptr: Ints,
    row: Ints,
    key: Longs,
    use: Longs,
    most: Longs,
    cost: Longs,
    price: Floats,
    free: Bools,
    start: Bools,
) -> Bools:
    """Fill an answer up and exchange columns while that covers more, as much for less, or as much with lower numbers.

    Parameters
    ----------
    key
        What is covered, one whole number for each row.
    cost, price
        What decides among equals, and what a gain is divided by when the answer is filled up.
    free
        Columns that may enter.
    """
    inside = start.copy()
    count, owner, loss, spare = _state(cptr, row, key, use, most, inside)
    _add_all(cptr, row, key, use, price, free, inside, count, owner, loss, spare)
    members, at, size = _listed(inside)
    both = np.zeros(inside.size, dtype=np.int64)
    since, b = 0, 0
    while since < inside.size:
        if free[b] and not inside[b]:
            better, a, room = _best_exchange(
                cptr, row, key, use, cost, count, owner, loss, spare, both, members, size, b
            )
            saves = a >= 0 and (cost[b] < cost[a] or (cost[b] == cost[a] and b < a))
            if room and (better > 0 or (better == 0 and saves)):
                if a >= 0:
                    _drop(cptr, row, key, use, count, owner, loss, spare, a)
                _put(cptr, row, key, use, count, owner, loss, spare, b)
                size = _exchange(members, at, size, inside, a, b)
                since = 0
        b = (b + 1) % inside.size
        since += 1
    return inside


@njit(cache=True, nogil=True)
def anneal_within(
    cptr: Ints,
    row: Ints,
    key: Longs,
    use: Longs,
    most: Longs,
    cost: Longs,
    entering: Longs,
    start: Bools,
    hot: float,
    cold: float,
    steps: int,
    seed: int,
) -> tuple[Bools, int]:
    """Return the best answer met, and what it covers, while exchanges that lose are made ever more rarely.

    A random column enters where it does best; an exchange that loses d is made with probability exp(-d / temperature).
    """
    np.random.seed(seed)
    inside, best = start.copy(), start.copy()
    count, owner, loss, spare = _state(cptr, row, key, use, most, inside)
    members, at, size = _listed(inside)
    both = np.zeros(inside.size, dtype=np.int64)
    value = 0
    for i in range(key.size):
        if count[i] > 0:
            value += key[i]
    top, temperature = value, hot
    shrink = (cold / hot) ** (1.0 / max(1, steps // BLOCK))
    for step in range(steps):
        if step % BLOCK == BLOCK - 1:
            temperature *= shrink
        b = entering[np.random.randint(0, entering.size)]
        if inside[b]:
            continue
        better, a, room = _best_exchange(cptr, row, key, use, cost, count, owner, loss, spare, both, members, size, b)
        if not room or (better < 0 and np.random.random() >= np.exp(better / temperature)):
            continue
        if a >= 0:
            _drop(cptr, row, key, use, count, owner, loss, spare, a)
        _put(cptr, row, key, use, count, owner, loss, spare, b)
        size = _exchange(members, at, size, inside, a, b)
        value += better
        if value > top:
            top = value
            best[:] = inside
    return best, top


@njit(cache=True, nogil=True)
def stand_ins_within(
    rptr: Ints,
    col: Ints,
    cptr: Ints,
    row: Ints,
    weight: Longs,
    use: Longs,
    most: Longs,
    cost: Longs,
    free: Bools,
    inside: Bools,
    asked: Longs,
) -> tuple[Longs, Longs, Longs]:
    """Return for each column asked for the weight only it covers, the best there is room for in its place, the loss.

    Of equal stand-ins the cheapest, then the first; -1 where none adds anything.
    """
    count, _, loss, spare = _state(cptr, row, weight, use, most, inside)
    gain = sums_of(cptr, row, np.where(count == 0, weight, 0))
    extra = np.zeros(gain.size, dtype=np.int64)
    only, other = np.zeros(asked.size, dtype=np.int64), np.full(asked.size, -1, dtype=np.int64)
    loses = np.zeros(asked.size, dtype=np.int64)
    for s in range(asked.size):
        a = asked[s]
        only[s] = loss[a]
        for k in range(cptr[a], cptr[a + 1]):
            i = row[k]
            if count[i] == 1:
                for q in range(rptr[i], rptr[i + 1]):
                    extra[col[q]] += weight[i]
        best, worth = -1, 0
        for b in range(gain.size):
            total = gain[b] + extra[b]
            extra[b] = 0
            if inside[b] or not free[b] or total < max(worth, 1) or not _room_for(use, spare, b, a):
                continue
            if total > worth or cost[b] < cost[best]:
                best, worth = b, total
        other[s], loses[s] = best, only[s] - worth
    return only, other, loses
