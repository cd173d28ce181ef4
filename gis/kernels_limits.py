"""Compiled inner loops of the bound of covering under limits: primal-dual steps, charges of the limits."""

# ruff: noqa: PLR0913, PLR0917, PLR0912, C901  compiled functions take flat arrays, one argument each

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

PACE = 30.0
"""How fast picks move for each move of the prices, in units of their usual sizes."""
LOOK, ANEW = 25, 100
"""Steps between looks at the bound, and between new beginnings."""
ROUNDS, HALVINGS, DOUBLINGS = 3, 45, 100


@njit(cache=True, nogil=True)
def _slope(rest: Floats, use: Floats, most: float, charge: float) -> float:
    """Return how the bound changes with the charge of a limit: what the limit holds less what is taken at it."""
    slope = most
    for c in range(rest.size):
        if rest[c] > charge * use[c]:
            slope -= use[c]
    return slope


@njit(cache=True, nogil=True)
def _charged(rest: Floats, use: Floats, most: float, guess: float) -> float:
    """Return the charge of a limit at which the bound is least."""
    if _slope(rest, use, most, 0.0) >= 0.0:
        return 0.0
    low, high = 0.0, max(guess, 1e-9)
    for _ in range(DOUBLINGS):
        if _slope(rest, use, most, high) >= 0.0:
            break
        low, high = high, 2.0 * high
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        if _slope(rest, use, most, middle) >= 0.0:
            high = middle
        else:
            low = middle
    return high


@njit(cache=True, nogil=True)
def charge_limits(sums: Floats, use: Floats, most: Floats, charge: Floats) -> float:
    """Set the charges of the limits so that the bound is least; return what picks and limits add to it.

    For charges t >= 0 that is Σ tᵣ mostᵣ + Σⱼ max(0, sumⱼ - Σᵣ tᵣ useᵣⱼ), which is convex in each: halving finds where
    its slope changes sign, for one limit after the other.
    """
    limits = most.size
    rest = sums.copy()
    for r in range(limits):
        rest -= charge[r] * use[r]
    for _ in range(ROUNDS if limits > 1 else 1):
        for r in range(limits):
            rest += charge[r] * use[r]
            charge[r] = _charged(rest, use[r], most[r], charge[r])
            rest -= charge[r] * use[r]
    level = 0.0
    for r in range(limits):
        level += charge[r] * most[r]
    for c in range(rest.size):
        level += max(rest[c], 0.0)
    return level


@njit(cache=True, nogil=True)
def _sums(cptr: Ints, row: Ints, columns: Longs, price: Floats, sums: Floats) -> None:
    """Set the sum of the prices of the rows each column covers."""
    for c in range(columns.size):
        total = 0.0
        for k in range(cptr[columns[c]], cptr[columns[c] + 1]):
            total += price[row[k]]
        sums[c] = total


@njit(cache=True, nogil=True)
def _degrees(cptr: Ints, row: Ints, columns: Longs, use: Floats, rows: int) -> tuple[Floats, Floats, Floats]:
    """Return how many columns cover each row, and the sums of each column's and each limit's entries."""
    degree, size, held = np.zeros(rows), np.zeros(columns.size), np.zeros(use.shape[0])
    for c in range(columns.size):
        size[c] = max(1, cptr[columns[c] + 1] - cptr[columns[c]])
        for r in range(use.shape[0]):
            size[c] += abs(use[r, c])
            held[r] += abs(use[r, c])
        for k in range(cptr[columns[c]], cptr[columns[c] + 1]):
            degree[row[k]] += 1.0
    return degree, size, held


@njit(cache=True, nogil=True)
def lower_within(
    cptr: Ints,
    row: Ints,
    weight: Longs,
    columns: Longs,
    use: Floats,
    most: Floats,
    price: Floats,
    charge: Floats,
    value: float,
    steps: int,
) -> int:
    """Lower the bound in up to so many primal-dual steps, until it proves the value; return how many were taken.

    The linear relaxation is the saddle point of Σ (wᵢ - uᵢ) + Σᵣ tᵣ mostᵣ + Σⱼ xⱼ (Σ_{i reached by j} uᵢ - Σᵣ tᵣ useᵣⱼ)
    over prices 0 ≤ u ≤ w, charges t ≥ 0 and picks 0 ≤ x ≤ 1. All sides step in turn (Chambolle & Pock 2011, steps of
    Pock & Chambolle 2011) and begin anew at their mean. The best prices and their charges are left in place.

    Parameters
    ----------
    columns
        The columns that may be picked.
    use, most
        What they use of each limit [limits, columns], and what it holds, so scaled that a column's use is about the
        number of rows it covers.
    """
    n, m, limits = weight.size, columns.size, most.size
    degree, step, held = _degrees(cptr, row, columns, use, n)
    pick, sums = np.zeros(m), np.zeros(m)
    _sums(cptr, row, columns, price, sums)
    best_charge = charge.copy()
    best = (weight - price).sum() + charge_limits(sums, use, most, best_charge)
    charge[:] = best_charge
    for c in range(m):  # the picks of the charges to begin with
        used = 0.0
        for r in range(limits):
            used += charge[r] * use[r, c]
        pick[c] = 1.0 if sums[c] > used else 0.0
    pace = PACE * max(1.0, pick.sum()) / m * (weight > 0).sum() / max(float(weight.sum()), 1.0)
    now, ahead, mean = price.copy(), price.copy(), np.zeros(n)
    due, due_ahead, due_mean = charge.copy(), charge.copy(), np.zeros(limits)
    times, mean_pick = np.zeros(n), np.zeros(m)
    since = 0
    for taken in range(1, steps + 1):
        _sums(cptr, row, columns, ahead, sums)
        times[:] = 0.0
        for c in range(m):
            moved = sums[c]
            for r in range(limits):
                moved -= due_ahead[r] * use[r, c]
            pick[c] = min(max(pick[c] + pace / step[c] * moved, 0.0), 1.0)
            if pick[c] > 0.0:
                for k in range(cptr[columns[c]], cptr[columns[c] + 1]):
                    times[row[k]] += pick[c]
        since += 1
        for i in range(n):
            to = min(max(now[i] - (times[i] - 1.0) / (pace * max(degree[i], 1.0)), 0.0), float(weight[i]))
            ahead[i] = 2.0 * to - now[i]
            now[i] = to
            mean[i] += (to - mean[i]) / since
        for r in range(limits):
            to = max(due[r] + ((use[r] * pick).sum() - most[r]) / (pace * max(held[r], 1e-12)), 0.0)
            due_ahead[r] = 2.0 * to - due[r]
            due[r] = to
            due_mean[r] += (to - due_mean[r]) / since
        mean_pick += (pick - mean_pick) / since
        if taken % LOOK == 0 or taken == steps:
            for turn in range(2):
                prices = mean if turn == 0 else now
                trial = due_mean.copy() if turn == 0 else due.copy()
                _sums(cptr, row, columns, prices, sums)
                level = (weight - prices).sum() + charge_limits(sums, use, most, trial)
                if level < best:
                    best = level
                    price[:] = prices
                    charge[:] = trial
            if best < value + 1.0:
                return taken
        if since == ANEW:
            now[:], ahead[:], pick[:] = mean, mean, mean_pick
            due[:], due_ahead[:] = due_mean, due_mean
            since = 0
    return steps
