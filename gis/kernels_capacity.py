"""Compiled inner loops of the capacitated models: the Lagrangian bound when sites hold only so many."""

# ruff: noqa: PLR0913, PLR0917  compiled functions take flat arrays, one argument each

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from .kernels_median import fix, pick

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Longs = NDArray[np.int64]
    Ints = NDArray[np.int32]
    Bytes = NDArray[np.int8]
    Bools = NDArray[np.bool_]

PATIENCE = 15
SMALLEST_STEP = 2e-3
OVERSHOOT = 1.005


@njit(cache=True, nogil=True)
def _fill(cptr: Longs, row: Ints, cost: Floats, weight: Longs, capacity: Longs, price: Floats, used: Floats) -> Floats:
    """Fill each column with the people who gain most by it at the prices; return what each column gains, below 0."""
    m = capacity.size
    sums = np.zeros(m)
    for j in range(m):
        begin, end = cptr[j], cptr[j + 1]
        asked = 0
        for k in range(begin, end):
            used[k] = 0.0
            if cost[k] < price[row[k]]:
                asked += weight[row[k]]
                used[k] = weight[row[k]]
        if asked > capacity[j]:
            order = np.argsort(cost[begin:end] - price[row[begin:end]], kind="mergesort")
            left = capacity[j]
            for place in order:
                k = begin + place
                used[k] = min(used[k], float(left))
                left -= int(used[k])
        for k in range(begin, end):
            sums[j] += used[k] * (cost[k] - price[row[k]])
    return sums


@njit(cache=True, nogil=True)
def _slopes(
    cptr: Longs,
    row: Ints,
    weight: Longs,
    used: Floats,
    picked: Bools,
    now: Floats,
    penalty: Floats,
    slope: Floats,
) -> float:
    """Set the slope of the bound at the prices, the people of each row less the places taken; return its square."""
    slope[:] = weight
    for j in range(picked.size):
        if picked[j]:
            for k in range(cptr[j], cptr[j + 1]):
                slope[row[k]] -= used[k]
    length = 0.0
    for i in range(now.size):
        if (slope[i] > 0 and now[i] >= penalty[i]) or (slope[i] < 0 and now[i] <= 0):
            slope[i] = 0.0
        length += slope[i] * slope[i]
    return length


@njit(cache=True, nogil=True)
def raise_bound(
    cptr: Longs,
    row: Ints,
    cost: Floats,
    weight: Longs,
    capacity: Longs,
    penalty: Floats,
    state: Bytes,
    always: Bools,
    price: Floats,
    sites: int,
    target: float,
    goal: float,
    steps: int,
    scale: float,
) -> tuple[float, Bools]:
    """Raise the bound by subgradient steps; fix columns on the way; return it and the columns picked at it.

    Relaxing that everybody is placed or left out at a penalty, with prices 0 ≤ vᵢ ≤ penaltyᵢ for a person, leaves
    Σ wᵢ vᵢ + the sums of what the open columns gain, each filled up to its capacity on its own.

    Parameters
    ----------
    state
        1 open, -1 closed, 0 free; changed in place.
    always
        Columns that are open and not counted among the sites.
    price
        Where to begin; the best prices found are left in it.
    target, goal
        The value of a known answer, and the value an answer must not exceed to be of interest.
    """
    m, n = state.size, price.size
    picked = np.zeros(m, dtype=np.bool_)
    used, slope = np.zeros(row.size), np.zeros(n)
    best, best_picked, now = -np.inf, picked.copy(), price.copy()
    count = sites
    for j in range(m):
        count -= state[j] > 0 and not always[j]
    since = 0
    for step in range(steps):
        sums = _fill(cptr, row, cost, weight, capacity, now, used)
        last, beyond = pick(sums, state, count, picked)
        level = (weight * now).sum() + (sums * picked).sum()
        count -= fix(state, sums, picked, level, last, beyond, goal, count)
        if level > best + 1e-9 * abs(best) or step == 0:
            best, since = level, 0
            price[:] = now
            best_picked[:] = picked
        else:
            since += 1
        if best > goal:
            break
        if since >= PATIENCE:
            since, scale = 0, scale * 0.5
            now[:] = price
            if scale < SMALLEST_STEP:
                break
            continue
        length = _slopes(cptr, row, weight, used, picked, now, penalty, slope)
        if length == 0.0:
            break
        t = scale * (max(target, best) * OVERSHOOT - level) / length
        for i in range(n):
            now[i] = min(max(now[i] + t * slope[i], 0.0), penalty[i])
    return best, best_picked
