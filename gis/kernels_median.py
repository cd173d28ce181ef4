"""Compiled inner loops of the p-median: nearest open sites, greedy, exchanges, and the Lagrangian bound.

A problem is kept twice. By rows, each row's entries in the order of their cost, so that a loop stops at the first entry
that cannot matter; and by columns. Costs are those of the whole row: walk times weight. ``base`` is what a row costs
without any site; no entry costs as much.
"""

# ruff: noqa: PLR0913, PLR0917  compiled functions take flat arrays, one argument each

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Longs = NDArray[np.int64]
    Ints = NDArray[np.int32]
    Bytes = NDArray[np.int8]
    Bools = NDArray[np.bool_]

TINY = 1e-9
PATIENCE = 20
SMALLEST_STEP = 2e-3
KEPT_WAY, OVERSHOOT, LATE_SHARE = 0.3, 1.005, 0.05


@njit(cache=True, nogil=True)
def nearest_two(indptr: Longs, col: Ints, cost: Floats, base: Floats, is_open: Bools) -> tuple[Longs, Floats, Floats]:
    """Return for each row its nearest open column (-1: none), its cost, and the cost without that column."""
    n = base.size
    first = np.full(n, -1, dtype=np.int64)
    near, second = base.copy(), base.copy()
    for i in range(n):
        for k in range(indptr[i], indptr[i + 1]):
            if is_open[col[k]]:
                if first[i] < 0:
                    first[i] = col[k]
                    near[i] = cost[k]
                else:
                    second[i] = cost[k]
                    break
    return first, near, second


@njit(cache=True, nogil=True)
def add_greedily(cptr: Longs, row: Ints, ccost: Floats, near: Floats, is_open: Bools, barred: Bools, count: int) -> int:
    """Open up to ``count`` columns, each the one that saves most then, the first when equal; return how many.

    A saving only shrinks, so the largest old saving that is still the largest when counted anew is the best.
    """
    m = is_open.size
    saving = np.full(m, np.inf)
    counted = np.full(m, -1, dtype=np.int64)
    for j in range(m):
        if is_open[j] or barred[j]:
            saving[j] = -1.0
    done = 0
    while done < count:
        j = int(np.argmax(saving))
        if saving[j] <= 0.0:
            break
        if counted[j] < done:
            total = 0.0
            for k in range(cptr[j], cptr[j + 1]):
                total += max(0.0, near[row[k]] - ccost[k])
            saving[j] = total
            counted[j] = done
            continue
        is_open[j] = True
        saving[j] = -1.0
        for k in range(cptr[j], cptr[j + 1]):
            near[row[k]] = min(near[row[k]], ccost[k])
        done += 1
    return done


@njit(cache=True, nogil=True)
def _leaving_costs(first: Longs, near: Floats, second: Floats, m: int) -> Floats:
    """Return what closing each open column alone would cost."""
    loss = np.zeros(m)
    for i in range(first.size):
        if first[i] >= 0:
            loss[first[i]] += second[i] - near[i]
    return loss


@njit(cache=True, nogil=True)
def _entering(
    begin: int, end: int, row: Ints, ccost: Floats, first: Longs, near: Floats, second: Floats, relief: Floats
) -> float:
    """Return what a column saves when it opens; add to ``relief`` how much cheaper each leaving column becomes."""
    gain = 0.0
    for k in range(begin, end):
        i, c = row[k], ccost[k]
        if c < near[i]:
            gain += near[i] - c
            if first[i] >= 0:
                relief[first[i]] += second[i] - near[i]
        elif c < second[i] and first[i] >= 0:
            relief[first[i]] += second[i] - c
    return gain


@njit(cache=True, nogil=True)
def exchange(
    indptr: Longs,
    col: Ints,
    cost: Floats,
    base: Floats,
    cptr: Longs,
    row: Ints,
    ccost: Floats,
    is_open: Bools,
    kept: Bools,
    barred: Bools,
    most: int,
) -> int:
    """Exchange an open column for a closed one while that saves, at most ``most`` times; return how many were made.

    Fast interchange (Whitaker 1983; Resende & Werneck 2007): a column's gain, and its effect on the loss of every
    leaving column, take one pass over its entries.
    """
    m = is_open.size
    first, near, second = nearest_two(indptr, col, cost, base, is_open)
    loss = _leaving_costs(first, near, second, m)
    relief = np.zeros(m)
    opened = np.flatnonzero(is_open)
    tolerance = TINY * max(1.0, near.sum())
    made, since, j = 0, 0, 0
    while since < m and made < most:
        if not is_open[j] and not barred[j]:
            gain = _entering(cptr[j], cptr[j + 1], row, ccost, first, near, second, relief)
            best, leaving = tolerance, -1
            for at in range(opened.size):
                r = opened[at]
                if not kept[r] and gain - loss[r] + relief[r] > best:
                    best = gain - loss[r] + relief[r]
                    leaving = at
                relief[r] = 0.0
            if leaving >= 0:
                is_open[opened[leaving]] = False
                is_open[j] = True
                opened[leaving] = j
                first, near, second = nearest_two(indptr, col, cost, base, is_open)
                loss = _leaving_costs(first, near, second, m)
                made += 1
                since = 0
        since += 1
        j = (j + 1) % m
    return made


@njit(cache=True, nogil=True)
def stand_ins(
    indptr: Longs,
    col: Ints,
    cost: Floats,
    base: Floats,
    cptr: Longs,
    row: Ints,
    ccost: Floats,
    is_open: Bools,
    barred: Bools,
) -> tuple[Longs, Floats, Floats]:
    """Return for each open column the closed one that best takes its place, what that costs, and closing it at all."""
    m = is_open.size
    first, near, second = nearest_two(indptr, col, cost, base, is_open)
    loss = _leaving_costs(first, near, second, m)
    relief = np.zeros(m)
    opened = np.flatnonzero(is_open)
    other = np.full(m, -1, dtype=np.int64)
    costs = np.full(m, np.inf)
    for j in range(m):
        if is_open[j] or barred[j]:
            continue
        gain = _entering(cptr[j], cptr[j + 1], row, ccost, first, near, second, relief)
        for r in opened:
            if loss[r] - relief[r] - gain < costs[r]:
                costs[r] = loss[r] - relief[r] - gain
                other[r] = j
            relief[r] = 0.0
    return other, costs, loss


@njit(cache=True, nogil=True)
def pick(sums: Floats, state: Bytes, count: int, picked: Bools) -> tuple[float, float]:
    """Pick the forced columns and the ``count`` free ones with the least sums; return the last in and the first out."""
    free = np.empty(state.size)
    size = 0
    for j in range(state.size):
        picked[j] = state[j] > 0
        if state[j] == 0:
            free[size] = sums[j]
            size += 1
    if count <= 0 or size == 0:
        return -np.inf, free[:size].min() if size else np.inf
    if size <= count:
        for j in range(state.size):
            picked[j] = state[j] >= 0
        return free[:size].max(), np.inf
    ordered = np.partition(free[:size], count)
    last, beyond = ordered[:count].max(), ordered[count]
    left = count
    for j in range(state.size):
        if state[j] == 0 and sums[j] < last:
            picked[j] = True
            left -= 1
    for j in range(state.size):
        if left > 0 and state[j] == 0 and sums[j] == last:
            picked[j] = True
            left -= 1
    return last, beyond


@njit(cache=True, nogil=True)
def _level(
    indptr: Longs, col: Ints, cost: Floats, state: Bytes, price: Floats, count: int, sums: Floats, picked: Bools
) -> tuple[float, float, float]:
    """Return the bound at the given prices, and the sums of the last column inside and the first outside."""
    sums[:] = 0.0
    total = 0.0
    for i in range(price.size):
        total += price[i]
        for k in range(indptr[i], indptr[i + 1]):
            if cost[k] >= price[i]:
                break
            sums[col[k]] += cost[k] - price[i]
    last, beyond = pick(sums, state, count, picked)
    for j in range(picked.size):
        if picked[j]:
            total += sums[j]
    return total, last, beyond


@njit(cache=True, nogil=True)
def fix(
    state: Bytes, sums: Floats, picked: Bools, level: float, last: float, beyond: float, goal: float, count: int
) -> int:
    """Fix the columns without which, or with which, no answer is below the goal; return how many more are inside."""
    inside = 0
    for j in range(state.size):
        if state[j] != 0:
            continue
        if picked[j]:
            if level - sums[j] + min(beyond, 0.0) > goal:
                state[j] = 1
                inside += 1
        elif count <= 0 or level - last + sums[j] > goal:
            state[j] = -1
    return inside


@njit(cache=True, nogil=True)
def _slopes(
    indptr: Longs, col: Ints, cost: Floats, cap: Floats, now: Floats, picked: Bools, slope: Floats, move: Floats
) -> float:
    """Set the slope of the bound at the prices, and the way to move; return their product, 0 at a summit.

    The slope of a row is 1 less the picked columns that serve it; the way keeps a part of the last one.
    """
    length = 0.0
    for i in range(now.size):
        g = 1.0
        for k in range(indptr[i], indptr[i + 1]):
            if cost[k] >= now[i]:
                break
            if picked[col[k]]:
                g -= 1.0
        if (g > 0 and now[i] >= cap[i]) or (g < 0 and now[i] <= 0):
            g = 0.0
        slope[i] = g
        move[i] = g + KEPT_WAY * move[i]
        length += g * move[i]
    if length <= 0.0:
        move[:] = slope
        length = (slope * slope).sum()
    return length


@njit(cache=True, nogil=True)
def lower(
    indptr: Longs,
    col: Ints,
    cost: Floats,
    cap: Floats,
    state: Bytes,
    price: Floats,
    sites: int,
    target: float,
    goal: float,
    steps: int,
    scale: float,
    often: Floats,
) -> tuple[float, int, Bools]:
    """Raise the Lagrangian bound by subgradient steps; fix columns on the way.

    Parameters
    ----------
    cap
        No row costs more in an answer that keeps to the states, so no price need be higher.
    state
        1 open, -1 closed, 0 free; changed in place.
    price
        Where to begin; the best prices found are left in it.
    target, goal
        The value of a known answer, and the value an answer must not exceed to be of interest.
    often
        How often each column was picked of late, as a share; left for branching.

    Returns
    -------
    The bound, the number of steps made, and the columns picked at the best bound.
    """
    m, n = state.size, price.size
    sums, picked = np.zeros(m), np.zeros(m, dtype=np.bool_)
    best, best_picked, now = -np.inf, picked.copy(), price.copy()
    slope, move = np.zeros(n), np.zeros(n)
    count = sites
    for j in range(m):
        count -= state[j] > 0
    since, made = 0, 0
    for step in range(steps):
        made = step + 1
        level, last, beyond = _level(indptr, col, cost, state, now, count, sums, picked)
        count -= fix(state, sums, picked, level, last, beyond, goal, count)
        for j in range(m):
            often[j] += LATE_SHARE * (picked[j] - often[j])
        if level > best + TINY * abs(best) or step == 0:
            if level > best + 1e-6 * abs(best) or step == 0:
                since = 0
            best = level
            price[:] = now
            best_picked[:] = picked
        else:
            since += 1
        if best > goal:
            break
        if since >= PATIENCE:
            since = 0
            scale *= 0.5
            now[:] = price
            if scale < SMALLEST_STEP:
                break
            continue
        length = _slopes(indptr, col, cost, cap, now, picked, slope, move)
        if length == 0.0:
            break
        t = scale * (max(target, best) * OVERSHOOT - level) / length
        for i in range(n):
            now[i] = min(max(now[i] + t * move[i], 0.0), cap[i])
    return best, made, best_picked


@njit(cache=True, nogil=True)
def first_costs(indptr: Longs, col: Ints, cost: Floats, base: Floats, state: Bytes) -> Floats:
    """Return what each row costs at most: at its nearest column that is certain to be open."""
    cap = base.copy()
    for i in range(base.size):
        for k in range(indptr[i], indptr[i + 1]):
            if state[col[k]] > 0:
                cap[i] = cost[k]
                break
    return cap
