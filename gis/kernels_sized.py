"""Compiled inner loops of covering with sizes: placing people, options taken greedily and torn out again, the bound.

People are placed by augmenting paths. The entries of a problem are kept by columns (``cptr``, ``row``) and by rows
(``rptr``, ``col``, and ``at``, where each stands by columns). A state is ``flow``, people of each entry, ``left``,
people of each row without a place, and ``spare``, places free in each column.
"""

# ruff: noqa: PLR0913, PLR0917, PLR0912, C901, FBT001, NPY002  compiled: flat arrays, loops, numba's generator

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Longs = NDArray[np.int64]
    Ints = NDArray[np.int32]
    Bools = NDArray[np.bool_]

PATIENCE, SMALLEST_SCALE, OVERSHOOT = 20, 1e-3, 1.002
TORN_MOST = 4
"""At most so many options are torn out at once."""


@njit(cache=True, nogil=True)
def fill_column(
    cptr: Ints, row: Ints, rptr: Ints, col: Ints, at: Ints, flow: Longs, left: Longs, spare: Longs, j: int, dead: Bools
) -> int:
    """Place as many more people as the free places of a column allow, moving others on; return how many.

    ``dead`` rows lead to nobody without a place; those found to be so are added to them.
    """
    placed = 0
    for k in range(cptr[j], cptr[j + 1]):
        some = min(left[row[k]], spare[j])
        flow[k] += some
        left[row[k]] -= some
        spare[j] -= some
        placed += some
    if spare[j] == 0:
        return placed
    via, back = np.full(left.size, -1, dtype=np.int64), np.full(spare.size, -1, dtype=np.int64)
    queue, seen = np.empty(spare.size, dtype=np.int64), np.zeros(spare.size, dtype=np.bool_)
    while spare[j] > 0:
        via[:] = -1
        seen[:] = False
        queue[0], seen[j] = j, True
        head, tail, end = 0, 1, -1
        while head < tail and end < 0:
            a = queue[head]
            head += 1
            for k in range(cptr[a], cptr[a + 1]):
                i = row[k]
                if via[i] >= 0 or dead[i]:
                    continue
                via[i] = k
                if left[i] > 0:
                    end = i
                    break
                for q in range(rptr[i], rptr[i + 1]):
                    b = col[q]
                    if not seen[b] and flow[at[q]] > 0:
                        seen[b], back[b] = True, at[q]
                        queue[tail] = b
                        tail += 1
        if end < 0:
            for i in range(via.size):
                dead[i] |= via[i] >= 0
            return placed
        some, i = min(left[end], spare[j]), end
        while True:  # the column that takes a row's people gives away others, until the one with free places
            a = np.searchsorted(cptr, via[i], side="right") - 1
            if a == j:
                break
            some = min(some, flow[back[a]])
            i = row[back[a]]
        left[end] -= some
        i = end
        while True:
            flow[via[i]] += some
            a = np.searchsorted(cptr, via[i], side="right") - 1
            if a == j:
                break
            flow[back[a]] -= some
            i = row[back[a]]
        spare[j] -= some
        placed += some
    return placed


@njit(cache=True, nogil=True)
def fill_all(cptr: Ints, row: Ints, rptr: Ints, col: Ints, at: Ints, flow: Longs, left: Longs, spare: Longs) -> int:
    """Place as many more people as there can be; return how many."""
    placed, dead = 0, np.zeros(left.size, dtype=np.bool_)
    for j in range(spare.size):
        if spare[j] > 0:
            placed += fill_column(cptr, row, rptr, col, at, flow, left, spare, j, dead)
    return placed


@njit(cache=True, nogil=True)
def resize(cptr: Ints, row: Ints, flow: Longs, left: Longs, spare: Longs, j: int, change: int) -> int:
    """Change the places of a column; return how many people lose theirs by it."""
    spare[j] += change
    lost = 0
    for k in range(cptr[j], cptr[j + 1]):
        if spare[j] >= 0:
            break
        some = min(flow[k], -spare[j])
        flow[k] -= some
        left[row[k]] += some
        spare[j] += some
        lost += some
    return lost


@njit(cache=True, nogil=True)
def _fits(use: Longs, spent: Longs, most: Longs, o: int, old: int) -> bool:
    """Say whether an option may be taken in place of another one of its column (-1: of none)."""
    for r in range(most.size):
        now = spent[r] + use[r, o] - (use[r, old] if old >= 0 else 0)
        if now > most[r]:
            return False
    return True


@njit(cache=True, nogil=True)
def _take(use: Longs, extra: Longs, spent: Longs, taken: Longs, j: int, o: int) -> int:
    """Write an option (-1: none) as that of its column; return by how much the places change."""
    old, change = taken[j], 0
    if old >= 0:
        spent -= use[:, old]
        change -= extra[old]
    if o >= 0:
        spent += use[:, o]
        change += extra[o]
    taken[j] = o
    return change


@njit(cache=True, nogil=True)
def add_options(
    cptr: Ints,
    row: Ints,
    rptr: Ints,
    col: Ints,
    at: Ints,
    flow: Longs,
    left: Longs,
    spare: Longs,
    column: Longs,
    extra: Longs,
    use: Longs,
    most: Longs,
    price: Floats,
    spent: Longs,
    taken: Longs,
    thorough: bool,
) -> int:
    """Take options while one that fits brings people a place, the one with most people for its price first.

    What an option brings is judged by the people without a place in its reach; where ``thorough``, in the end also by
    whom others could pass on to it. Returns how many people got a place.
    """
    placed = 0
    while True:
        best, worth = -1, 0.0
        for o in range(column.size):
            j, old = column[o], taken[column[o]]
            more = extra[o] - (extra[old] if old >= 0 else 0)
            if more <= 0 or old == o or not _fits(use, spent, most, o, old):
                continue
            near, room = 0, more + spare[j]
            for k in range(cptr[j], cptr[j + 1]):
                near += left[row[k]]
                if near >= room:
                    break
            paid = price[o] - (price[old] if old >= 0 else 0.0)
            rate = min(near, room) / max(paid, 1e-9)
            if rate > worth:
                best, worth = o, rate
        if best >= 0:
            j = column[best]
            spare[j] += _take(use, extra, spent, taken, j, best)
            placed += fill_column(cptr, row, rptr, col, at, flow, left, spare, j, np.zeros(left.size, dtype=np.bool_))
            continue
        if thorough:
            for o in range(column.size):
                j, old = column[o], taken[column[o]]
                more = extra[o] - (extra[old] if old >= 0 else 0)
                if more <= 0 or old == o or not _fits(use, spent, most, o, old):
                    continue
                a, b, c = flow.copy(), left.copy(), spare.copy()
                c[j] += more
                gain = fill_column(cptr, row, rptr, col, at, a, b, c, j, np.zeros(left.size, dtype=np.bool_))
                if gain > 0:
                    flow[:], left[:], spare[:] = a, b, c
                    _take(use, extra, spent, taken, j, o)
                    placed += gain
                    best = o
                    break
        if best < 0:
            return placed


@njit(cache=True, nogil=True)
def tear_and_mend(
    cptr: Ints,
    row: Ints,
    rptr: Ints,
    col: Ints,
    at: Ints,
    weight: Longs,
    base: Longs,
    column: Longs,
    extra: Longs,
    use: Longs,
    most: Longs,
    price: Floats,
    cost: Longs,
    must: Bools,
    live: Bools,
    start: Longs,
    tries: int,
    seed: int,
) -> Longs:
    """Return the best answer met when options are torn out, one is put in at random and the rest filled up again.

    An answer is the option of each column, -1 for none. Better is more people, or as many for less.
    """
    np.random.seed(seed)
    taken, spent = start.copy(), np.zeros(most.size, dtype=np.int64)
    flow, left, spare = np.zeros(row.size, dtype=np.int64), weight.copy(), base.copy()
    paid, value = 0, 0
    for j in range(taken.size):
        if taken[j] >= 0:
            spent += use[:, taken[j]]
            spare[j] += extra[taken[j]]
            paid += cost[taken[j]]
    value += fill_all(cptr, row, rptr, col, at, flow, left, spare)
    wanted = np.flatnonzero(live)
    for _ in range(tries):
        if wanted.size == 0:
            break
        t, s, f, p, c = taken.copy(), spent.copy(), flow.copy(), left.copy(), spare.copy()
        now = value
        o = wanted[np.random.randint(0, wanted.size)]
        if t[column[o]] == o:
            continue
        now -= resize(cptr, row, f, p, c, column[o], _take(use, extra, s, t, column[o], o))
        torn, most_torn = 0, np.random.randint(1, TORN_MOST + 1)
        members = np.flatnonzero(t >= 0)
        np.random.shuffle(members)
        for m in range(members.size):
            j, over = int(members[m]), False
            for r in range(most.size):
                over |= s[r] > most[r]
            if j == column[o] or must[j] or (torn >= most_torn and not over):
                continue
            now -= resize(cptr, row, f, p, c, j, _take(use, extra, s, t, j, -1))
            torn += 1
        over = False
        for r in range(most.size):
            over |= s[r] > most[r]
        if over:
            continue
        now += fill_all(cptr, row, rptr, col, at, f, p, c)
        noise = price * (0.6 + 0.8 * np.random.random(price.size))
        now += add_options(cptr, row, rptr, col, at, f, p, c, column, extra, use, most, noise, s, t, False)
        total = 0
        for j in range(t.size):
            if t[j] >= 0:
                total += cost[t[j]]
        if now > value or (now == value and total < paid):
            taken[:], spent[:], flow[:], left[:], spare[:] = t, s, f, p, c
            value, paid = now, total
    return taken


@njit(cache=True, nogil=True)
def stand_in_of(
    cptr: Ints,
    row: Ints,
    rptr: Ints,
    col: Ints,
    at: Ints,
    flow: Longs,
    left: Longs,
    spare: Longs,
    column: Longs,
    extra: Longs,
    cost: Longs,
    wanted: Longs,
) -> tuple[int, int]:
    """Return which of the wanted options, by falling places, brings most people a place, and how many: -1 for none.

    Of equal ones the cheapest, then the first of the lowest column.
    """
    best, most, everybody = -1, 0, int(left.sum())
    for k in range(wanted.size):
        o = int(wanted[k])
        if min(int(extra[o]), everybody) < max(most, 1):
            break
        a, b, c = flow.copy(), left.copy(), spare.copy()
        c[column[o]] += extra[o]
        gain = fill_column(cptr, row, rptr, col, at, a, b, c, column[o], np.zeros(left.size, dtype=np.bool_))
        if gain > most or (gain == most > 0 and (cost[o] < cost[best] or (cost[o] == cost[best] and o < best))):
            best, most = o, gain
    return best, most


@njit(cache=True, nogil=True)
def worth_of(
    cptr: Ints, row: Ints, weight: Longs, base: Longs, extra: Longs, optr: Longs, gain: Longs, none: Longs, full: Longs
) -> None:
    """Write what each column's people are worth at gains for a person, without an option and with each.

    Options stand by columns, those of column j from ``optr[j]`` on; ``gain`` is a whole number of each row.
    """
    for j in range(base.size):
        begin, end = cptr[j], cptr[j + 1]
        order = np.argsort(-gain[row[begin:end]], kind="mergesort")
        for o in range(optr[j] - 1, optr[j + 1]):
            room, total = base[j], np.int64(0)
            if o >= optr[j]:
                room += extra[o]
            for place in order:
                i = row[begin + place]
                if gain[i] <= 0 or room <= 0:
                    break
                some = min(weight[i], room)
                total += some * gain[i]
                room -= some
            if o < optr[j]:
                none[j] = total
            else:
                full[o] = total


@njit(cache=True, nogil=True)
def knapsack(optr: Longs, none: Longs, worth: Longs, use: Longs, most: int, must: Bools) -> int:
    """Return the most that one option a column, or none, is worth within a limit of whole numbers.

    Parameters
    ----------
    none, worth
        Of each column without an option (not for those that must have one), and of each option.
    use
        What each option uses of the limit, 0 or more.
    """
    lowest = -(2**62)
    best = np.zeros(most + 1, dtype=np.int64)
    for j in range(none.size):
        now = np.full(most + 1, lowest, dtype=np.int64) if must[j] else best + none[j]
        for o in range(optr[j], optr[j + 1]):
            for room in range(use[o], most + 1):
                if best[room - use[o]] > lowest:
                    now[room] = max(now[room], best[room - use[o]] + worth[o])
        best = now
    return int(best.max())


@njit(cache=True, nogil=True)
def _step(
    cptr: Ints,
    row: Ints,
    weight: Longs,
    base: Longs,
    extra: Longs,
    optr: Longs,
    live: Bools,
    must: Bools,
    charged: Floats,
    price: Floats,
    slope: Floats,
    picked: Longs,
) -> float:
    """Return what the columns add to the bound at prices of a person, and set the slope for each row."""
    level = 0.0
    slope[:] = weight
    for j in range(base.size):
        begin, end = cptr[j], cptr[j + 1]
        order = np.argsort(price[row[begin:end]], kind="mergesort")
        best, picked[j] = -np.inf, -1
        for o in range(optr[j] - 1, optr[j + 1]):
            if (o < optr[j] and must[j]) or (o >= optr[j] and not live[o]):
                continue
            room, total = base[j], 0.0
            if o >= optr[j]:
                room += extra[o]
                total -= charged[o]
            for place in order:
                i = row[begin + place]
                if price[i] >= 1.0 or room <= 0:
                    break
                some = min(weight[i], room)
                total += some * (1.0 - price[i])
                room -= some
            if total > best:
                best, picked[j] = total, o if o >= optr[j] else -1
        level += max(best, 0.0) if best == -np.inf else best
        room = base[j]
        if picked[j] >= 0:
            room += extra[picked[j]]
        for place in order:
            i = row[begin + place]
            if price[i] >= 1.0 or room <= 0:
                break
            some = min(weight[i], room)
            slope[i] -= some
            room -= some
    return level


@njit(cache=True, nogil=True)
def lower_people(
    cptr: Ints,
    row: Ints,
    weight: Longs,
    base: Longs,
    extra: Longs,
    optr: Longs,
    live: Bools,
    must: Bools,
    use: Floats,
    most: Floats,
    price: Floats,
    charge: Floats,
    value: float,
    steps: int,
) -> float:
    """Lower the bound by subgradient steps; the best prices and charges are left in place.

    Relaxing that each person has one place, with prices 0 ≤ v ≤ 1, and the limits, with charges t ≥ 0, leaves
    Σ wᵢ vᵢ + Σ tᵣ mostᵣ and for each column the best of its options, each filled up on its own.
    """
    now, due = price.copy(), charge.copy()
    slope, slope_due = np.zeros(weight.size), np.zeros(most.size)
    picked = np.zeros(base.size, dtype=np.int64)
    best, scale, since = np.inf, 1.0, 0
    charged = np.zeros(extra.size)
    for _ in range(steps):
        charged[:] = 0.0
        for r in range(most.size):
            charged += due[r] * use[r]
        level = _step(cptr, row, weight, base, extra, optr, live, must, charged, now, slope, picked)
        level += (weight * now).sum() + (due * most).sum()
        if level < best - 1e-9 * abs(best) or best == np.inf:
            best, since = level, 0
            price[:], charge[:] = now, due
        else:
            since += 1
        if best < value + 1.0:
            break
        if since >= PATIENCE:
            scale, since = scale * 0.5, 0
            now[:], due[:] = price, charge
            if scale < SMALLEST_SCALE:
                break
            continue
        slope_due[:] = most
        for j in range(base.size):
            if picked[j] >= 0:
                slope_due -= use[:, picked[j]]
        length = 0.0
        for i in range(weight.size):
            if (slope[i] > 0 and now[i] <= 0.0) or (slope[i] < 0 and now[i] >= 1.0):
                slope[i] = 0.0
            length += slope[i] * slope[i]
        for r in range(most.size):
            if slope_due[r] > 0 and due[r] <= 0.0:
                slope_due[r] = 0.0
            length += slope_due[r] * slope_due[r]
        if length == 0.0:
            break
        t = scale * (level - min(value, best) / OVERSHOOT) / length
        for i in range(weight.size):
            now[i] = min(max(now[i] - t * slope[i], 0.0), 1.0)
        for r in range(most.size):
            due[r] = max(due[r] - t * slope_due[r], 0.0)
    return best
