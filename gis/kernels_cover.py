"""Compiled inner loops of maximal covering: greedy, swaps, annealing, and the Lagrangian bound.

A problem is kept by columns only: ``cptr`` and ``row`` hold the rows each column covers. An answer is ``count``, by how
many chosen columns each row is covered, ``place``, the sum of their places in the answer (the place itself where only
one covers the row), and ``loss``, the weight only the column at each place covers. With these, the best exchange for an
entering column is found in one pass over its own rows.
"""

# ruff: noqa: PLR0913, PLR0917, PLR0912, C901, NPY002  compiled: flat arrays, plain loops, the generator numba has

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
HALVINGS, LOOK, ANEW = 50, 25, 100
"""Halvings of a search, steps between looks at the bound, steps between new beginnings."""
BLOCK = 256
"""So many exchanges are tried at each temperature."""


@njit(cache=True, nogil=True)
def row_sums(indptr: Ints, indices: Ints, numbers: Longs) -> Longs:
    """Return the sum of the numbers of each row's columns; overflow wraps."""
    sums = np.zeros(indptr.size - 1, dtype=np.int64)
    for i in range(sums.size):
        total = np.int64(0)
        for k in range(indptr[i], indptr[i + 1]):
            total += numbers[indices[k]]
        sums[i] = total
    return sums


@njit(cache=True, nogil=True)
def lies_within(row: Ints, a: int, a_end: int, b: int, b_end: int) -> bool:
    """Say whether all of the first sorted run stand in the second."""
    while a < a_end:
        while b < b_end and row[b] < row[a]:
            b += 1
        if b == b_end or row[b] != row[a] or b_end - b < a_end - a:
            return False
        a += 1
        b += 1
    return True


@njit(cache=True, nogil=True)
def dominators(rptr: Ints, col: Ints, cptr: Ints, row: Ints) -> Longs:
    """Return for each column another one that covers all it covers (of equal ones the first), -1 where none does.

    Only columns that cover its least covered row can, so few are compared; rows stand sorted in each column.
    """
    other = np.full(cptr.size - 1, -1, dtype=np.int64)
    for j in range(other.size):
        start, end = cptr[j], cptr[j + 1]
        if start == end:
            continue
        least = row[start]
        for k in range(start, end):
            i = row[k]
            if rptr[i + 1] - rptr[i] < rptr[least + 1] - rptr[least]:
                least = i
        for k in range(rptr[least], rptr[least + 1]):
            b = col[k]
            longer = (cptr[b + 1] - cptr[b]) - (end - start)
            if (longer > 0 or (longer == 0 and b < j)) and lies_within(row, start, end, cptr[b], cptr[b + 1]):
                other[j] = b
                break
    return other


@njit(cache=True, nogil=True)
def narrowed(cptr: Ints, row: Ints, columns: Ints, rank: Ints) -> tuple[Ints, Ints]:
    """Return some columns over some rows: ``rank`` is the new number of each row, -1 for those left out."""
    start = np.zeros(columns.size + 1, dtype=np.int32)
    size = 0
    for c in range(columns.size):
        size += cptr[columns[c] + 1] - cptr[columns[c]]
    kept = np.empty(size, dtype=np.int32)
    size = 0
    for c in range(columns.size):
        for k in range(cptr[columns[c]], cptr[columns[c] + 1]):
            if rank[row[k]] >= 0:
                kept[size] = rank[row[k]]
                size += 1
        start[c + 1] = size
    return start, kept[:size].copy()


@njit(cache=True, nogil=True)
def sums_of(cptr: Ints, row: Ints, weight: Longs) -> Longs:
    """Return the weight of the rows each column covers."""
    sums = np.zeros(cptr.size - 1, dtype=np.int64)
    for j in range(sums.size):
        total = 0
        for k in range(cptr[j], cptr[j + 1]):
            total += weight[row[k]]
        sums[j] = total
    return sums


@njit(cache=True, nogil=True)
def add_greedily(cptr: Ints, row: Ints, weight: Longs, free: Bools, sites: int) -> Longs:
    """Choose free columns one by one, each covering the most weight not yet covered, the first when equal.

    A gain only shrinks, so the largest old gain that is still the largest when counted anew is the best. Stops early
    when no column adds anything.
    """
    left = weight.copy()
    gain = sums_of(cptr, row, weight)
    counted = np.zeros(gain.size, dtype=np.int64)
    for j in range(gain.size):
        if not free[j]:
            gain[j] = 0
    chosen = np.empty(sites, dtype=np.int64)
    size = 0
    while size < sites:
        j = int(np.argmax(gain))
        if gain[j] <= 0:
            break
        if counted[j] < size:
            total = 0
            for k in range(cptr[j], cptr[j + 1]):
                total += left[row[k]]
            gain[j] = total
            counted[j] = size
            continue
        chosen[size] = j
        size += 1
        gain[j] = 0
        for k in range(cptr[j], cptr[j + 1]):
            left[row[k]] = 0
    return chosen[:size]


@njit(cache=True, nogil=True)
def covered_times(cptr: Ints, row: Ints, chosen: Longs, rows: int) -> tuple[Ints, Ints]:
    """Return for each row by how many of the chosen it is covered, and the sum of their places."""
    count = np.zeros(rows, dtype=np.int32)
    place = np.zeros(rows, dtype=np.int32)
    for s in range(chosen.size):
        for k in range(cptr[chosen[s]], cptr[chosen[s] + 1]):
            count[row[k]] += 1
            place[row[k]] += s
    return count, place


@njit(cache=True, nogil=True)
def _losses(weight: Longs, count: Ints, place: Ints, sites: int) -> Longs:
    """Return the weight that only the column at each place covers."""
    loss = np.zeros(sites, dtype=np.int64)
    for i in range(weight.size):
        if count[i] == 1:
            loss[place[i]] += weight[i]
    return loss


@njit(cache=True, nogil=True)
def _best_place(
    cptr: Ints, row: Ints, weight: Longs, count: Ints, place: Ints, loss: Longs, both: Longs, b: int
) -> tuple[int, int]:
    """Return what the column would change in the place where it changes the answer for the best, and that place."""
    gain = 0
    for k in range(cptr[b], cptr[b + 1]):
        i = row[k]
        if count[i] == 0:
            gain += weight[i]
        elif count[i] == 1:
            both[place[i]] += weight[i]
    least, where = loss[0] - both[0], 0
    for s in range(loss.size):
        left = loss[s] - both[s]
        both[s] = 0
        if left < least:
            least, where = left, s
    return gain - least, where


@njit(cache=True, nogil=True)
def take_out(
    cptr: Ints, row: Ints, weight: Longs, count: Ints, place: Ints | Longs, loss: Longs, a: int, s: int
) -> None:
    """Take the column at a place out of the answer."""
    for k in range(cptr[a], cptr[a + 1]):
        i = row[k]
        count[i] -= 1
        place[i] -= s
        if count[i] == 1:
            loss[place[i]] += weight[i]
    loss[s] = 0


@njit(cache=True, nogil=True)
def put_in(cptr: Ints, row: Ints, weight: Longs, count: Ints, place: Ints | Longs, loss: Longs, b: int, s: int) -> None:
    """Put a column into an empty place of the answer; the column itself may be its place."""
    own = 0
    for k in range(cptr[b], cptr[b + 1]):
        i = row[k]
        if count[i] == 0:
            own += weight[i]
        elif count[i] == 1:
            loss[place[i]] -= weight[i]
        count[i] += 1
        place[i] += s
    loss[s] = own


@njit(cache=True, nogil=True)
def descend(cptr: Ints, row: Ints, weight: Longs, start: Longs, entering: Longs) -> Longs:
    """Exchange one chosen column for one of ``entering`` while that covers more; none betters the answer then."""
    chosen = start.copy()
    if chosen.size == 0 or entering.size == 0:
        return chosen
    count, place = covered_times(cptr, row, chosen, weight.size)
    loss = _losses(weight, count, place, chosen.size)
    both = np.zeros(chosen.size, dtype=np.int64)
    inside = np.zeros(cptr.size - 1, dtype=np.bool_)
    inside[chosen] = True
    since, e = 0, 0
    while since < entering.size:
        b = entering[e]
        e = (e + 1) % entering.size
        since += 1
        if inside[b]:
            continue
        better, s = _best_place(cptr, row, weight, count, place, loss, both, b)
        if better > 0:
            a = chosen[s]
            take_out(cptr, row, weight, count, place, loss, a, s)
            put_in(cptr, row, weight, count, place, loss, b, s)
            inside[a], inside[b] = False, True
            chosen[s] = b
            since = 0
    return chosen


@njit(cache=True, nogil=True)
def anneal(
    cptr: Ints, row: Ints, weight: Longs, start: Longs, entering: Longs, hot: float, cold: float, steps: int, seed: int
) -> tuple[Longs, int]:
    """Return the best answer met, and its weight, while exchanges that lose are made ever more rarely.

    A random column enters where it does best; an exchange that loses d is made with probability exp(-d / temperature).
    """
    np.random.seed(seed)
    chosen, best = start.copy(), start.copy()
    count, place = covered_times(cptr, row, chosen, weight.size)
    loss = _losses(weight, count, place, chosen.size)
    both = np.zeros(chosen.size, dtype=np.int64)
    inside = np.zeros(cptr.size - 1, dtype=np.bool_)
    inside[chosen] = True
    value = 0
    for i in range(weight.size):
        if count[i] > 0:
            value += weight[i]
    most = value
    temperature = hot
    shrink = (cold / hot) ** (1.0 / max(1, steps // BLOCK))
    for step in range(steps):
        if step % BLOCK == BLOCK - 1:
            temperature *= shrink
        b = entering[np.random.randint(0, entering.size)]
        if inside[b]:
            continue
        better, s = _best_place(cptr, row, weight, count, place, loss, both, b)
        if better < 0 and np.random.random() >= np.exp(better / temperature):
            continue
        a = chosen[s]
        take_out(cptr, row, weight, count, place, loss, a, s)
        put_in(cptr, row, weight, count, place, loss, b, s)
        inside[a], inside[b] = False, True
        chosen[s] = b
        value += better
        if value > most:
            most = value
            best[:] = chosen
    return best, most


@njit(cache=True, nogil=True)
def _picked(pick: Floats, step: Floats, sums: Floats, sites: int) -> None:
    """Move the picks along their sums and back to where they are within 0 and 1 and add up to ``sites``."""
    low, high = sums.min() - 1.0 / step.min(), sums.max() + 1.0 / step.min()
    for _ in range(HALVINGS):
        middle, total = (low + high) / 2.0, 0.0
        for c in range(pick.size):
            total += min(max(pick[c] + step[c] * (sums[c] - middle), 0.0), 1.0)
        if total > sites:
            low = middle
        else:
            high = middle
    for c in range(pick.size):
        pick[c] = min(max(pick[c] + step[c] * (sums[c] - high), 0.0), 1.0)


@njit(cache=True, nogil=True)
def _level(cptr: Ints, row: Ints, weight: Longs, columns: Longs, sites: int, price: Floats, sums: Floats) -> float:
    """Return the bound of prices; the sums of the columns are left in ``sums``."""
    level = 0.0
    for i in range(weight.size):
        level += weight[i] - price[i]
    for c in range(columns.size):
        total = 0.0
        for k in range(cptr[columns[c]], cptr[columns[c] + 1]):
            total += price[row[k]]
        sums[c] = total
    ranked = np.sort(sums)
    for c in range(max(0, columns.size - sites), columns.size):
        level += ranked[c]
    return level


@njit(cache=True, nogil=True)
def lower(
    cptr: Ints, row: Ints, weight: Longs, free: Bools, sites: int, price: Floats, pick: Floats, value: float, steps: int
) -> int:
    """Lower the bound in up to so many primal-dual steps, until it proves the value; return how many were taken.

    The linear relaxation is the saddle point of Σ (wᵢ - uᵢ) + Σⱼ xⱼ Σ_{i reached by j} uᵢ over prices 0 ≤ u ≤ w and
    picks 0 ≤ x ≤ 1 that add up to p. Both sides step in turn (Chambolle & Pock 2011, steps of Pock & Chambolle 2011),
    and begin anew at their mean (Applegate et al. 2021). The best prices and the last picks are left in place.
    """
    n, columns = weight.size, np.flatnonzero(free)
    degree, step, now_pick = np.zeros(n), np.zeros(columns.size), np.zeros(columns.size)
    heavy, rows = 0.0, 0
    for i in range(n):
        heavy += weight[i]
        rows += weight[i] > 0
    pace = PACE * sites / columns.size * rows / max(heavy, 1.0)
    for c in range(columns.size):
        now_pick[c] = pick[columns[c]]
        step[c] = pace / max(1, cptr[columns[c] + 1] - cptr[columns[c]])
        for k in range(cptr[columns[c]], cptr[columns[c] + 1]):
            degree[row[k]] += 1.0
    if abs(now_pick.sum() - sites) > 1e-3 * sites:
        now_pick[:] = sites / columns.size
    now, ahead, mean = price.copy(), price.copy(), np.zeros(n)
    times, sums, mean_pick = np.zeros(n), np.zeros(columns.size), np.zeros(columns.size)
    best = _level(cptr, row, weight, columns, sites, price, sums)
    since = 0
    for taken in range(1, steps + 1):
        for c in range(columns.size):
            total = 0.0
            for k in range(cptr[columns[c]], cptr[columns[c] + 1]):
                total += ahead[row[k]]
            sums[c] = total
        _picked(now_pick, step, sums, sites)
        times[:] = 0.0
        for c in range(columns.size):
            if now_pick[c] > 0.0:
                for k in range(cptr[columns[c]], cptr[columns[c] + 1]):
                    times[row[k]] += now_pick[c]
        since += 1
        for i in range(n):
            moved = now[i] - (times[i] - 1.0) / (pace * max(degree[i], 1.0))
            moved = min(max(moved, 0.0), float(weight[i]))
            ahead[i] = 2.0 * moved - now[i]
            now[i] = moved
            mean[i] += (moved - mean[i]) / since
        mean_pick += (now_pick - mean_pick) / since
        if taken % LOOK == 0 or taken == steps:
            for prices in (mean, now):
                level = _level(cptr, row, weight, columns, sites, prices, sums)
                if level < best:
                    best = level
                    price[:] = prices
            for c in range(columns.size):
                pick[columns[c]] = mean_pick[c]
            if best < value + 1.0:
                return taken
        if since == ANEW:
            now[:], ahead[:], now_pick[:] = mean, mean, mean_pick
            since = 0
    return steps


@njit(cache=True, nogil=True)
def _extra(
    rptr: Ints, col: Ints, cptr: Ints, row: Ints, weight: Longs, count: Ints, a: int, extra: Longs, touched: Longs
) -> tuple[int, int]:
    """Add up for each column the weight of rows only the chosen one covers; return how many columns, and the sum."""
    size, alone = 0, 0
    for k in range(cptr[a], cptr[a + 1]):
        i = row[k]
        if count[i] != 1 or weight[i] == 0:
            continue
        alone += weight[i]
        for q in range(rptr[i], rptr[i + 1]):
            b = col[q]
            if extra[b] == 0:
                touched[size] = b
                size += 1
            extra[b] += weight[i]
    return size, alone


@njit(cache=True, nogil=True)
def stand_ins(
    rptr: Ints, col: Ints, cptr: Ints, row: Ints, weight: Longs, chosen: Longs, free: Bools
) -> tuple[Longs, Longs, Longs]:
    """Return for each chosen column the weight only it covers, the free one best in its place (-1: none), the loss.

    Columns that share no row with it stand in by what they add anyway, which is counted once for all of them.
    """
    count, _ = covered_times(cptr, row, chosen, weight.size)
    gain = sums_of(cptr, row, np.where(count == 0, weight, 0))
    extra, touched = np.zeros(gain.size, dtype=np.int64), np.zeros(gain.size, dtype=np.int64)
    top = -1
    for j in range(gain.size):
        if free[j] and gain[j] > 0 and (top < 0 or gain[j] > gain[top]):
            top = j
    only, other = np.zeros(chosen.size, dtype=np.int64), np.full(chosen.size, -1, dtype=np.int64)
    loses = np.zeros(chosen.size, dtype=np.int64)
    for s in range(chosen.size):
        size, only[s] = _extra(rptr, col, cptr, row, weight, count, chosen[s], extra, touched)
        best, most = top, gain[top] if top >= 0 else 0
        for t in range(size):
            b = touched[t]
            worth = gain[b] + extra[b]
            extra[b] = 0
            if free[b] and (worth > most or (worth == most and b < best)):
                best, most = b, worth
        other[s] = best
        loses[s] = only[s] - most
    return only, other, loses


@njit(cache=True, nogil=True)
def cheaper_columns(
    rptr: Ints, col: Ints, cptr: Ints, row: Ints, weight: Longs, cost: Floats, chosen: Longs, stays: Bools, free: Bools
) -> None:
    """Exchange chosen columns for cheaper ones, lower ones when as cheap, while the weight covered stays the same.

    ``chosen`` and ``free`` are changed in place.
    """
    count, _ = covered_times(cptr, row, chosen, weight.size)
    gain = sums_of(cptr, row, np.where(count == 0, weight, 0))
    extra, touched = np.zeros(gain.size, dtype=np.int64), np.zeros(gain.size, dtype=np.int64)
    changed = True
    while changed:
        changed = False
        for s in range(chosen.size):
            a = chosen[s]
            if stays[s]:
                continue
            size, alone = _extra(rptr, col, cptr, row, weight, count, a, extra, touched)
            best = a
            for b in range(gain.size):
                same = free[b] and alone > 0 and gain[b] + extra[b] == alone
                if same and (cost[b] < cost[best] or (cost[b] == cost[best] and b < best)):
                    best = b
            for t in range(size):
                extra[touched[t]] = 0
            if best == a:
                continue
            changed = True
            for sign, j in ((-1, a), (1, best)):
                for k in range(cptr[j], cptr[j + 1]):
                    i = row[k]
                    count[i] += sign
                    if count[i] == (0 if sign < 0 else 1):
                        for q in range(rptr[i], rptr[i + 1]):
                            gain[col[q]] -= sign * weight[i]
            chosen[s], free[a], free[best] = best, True, False


@njit(cache=True, nogil=True)
def nearest_of(rptr: Ints, col: Ints, cost: Floats, rank: Longs, done: Bools, nearest: Longs) -> None:
    """Write for each row not done the ranked column of least cost, of least rank when equal; one cost means none."""
    known = cost.size == col.size
    for i in range(done.size):
        if done[i]:
            continue
        least, first = np.inf, -1
        for k in range(rptr[i], rptr[i + 1]):
            r = rank[col[k]]
            if r < 0:
                continue
            walk = cost[k] if known else 0.0
            if first < 0 or walk < least or (walk == least and r < first):
                least, first = walk, r
                nearest[i] = col[k]
