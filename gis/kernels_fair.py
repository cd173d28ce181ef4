"""Compiled inner loops of covering with groups: who of each is covered, and the best exchange by a rule of groups.

An answer is ``count``, by how many chosen columns each row is covered; ``total`` [groups + 2], the weight covered of
each group, of rows without a group, and of all rows by the second weight; and ``gain`` [columns, groups + 2], what each
column would add to these. Scores are compared place by place, the larger the better:

* the shortage of the groups below what they need (negative), the weight, the second weight;
* or the rates of the groups from the worst to the best, the weight, the second weight.

A quotient of two whole numbers below 2²⁶ is told from any other one as a float, and equal ones are equal floats.
"""

# ruff: noqa: PLR0913, PLR0917, PLR0912, PLR0915, C901, NPY002  compiled: flat arrays, plain loops, the generator numba has

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


PENALTY = 3.0
"""What a person short of the need counts in an annealing."""
LIGHT, LIGHTER = 0.02, 0.4
"""What a person counts beside the rates, and what each rate counts of what the next worse one does."""
BLOCK = 256
"""So many exchanges are tried at each temperature."""


@njit(cache=True, nogil=True)
def gains(rptr: Ints, col: Ints, weight: Longs, tie: Longs, group: Longs, columns: int, groups: int) -> Longs:
    """Return what each column adds when none is chosen."""
    gain = np.zeros((columns, groups + 2), dtype=np.int64)
    for i in range(weight.size):
        for q in range(rptr[i], rptr[i + 1]):
            gain[col[q], group[i]] += weight[i]
            gain[col[q], groups + 1] += tie[i]
    return gain


@njit(cache=True, nogil=True)
def put_in(
    rptr: Ints,
    col: Ints,
    cptr: Ints,
    row: Ints,
    weight: Longs,
    tie: Longs,
    group: Longs,
    count: Ints,
    total: Longs,
    gain: Longs,
    b: int,
) -> None:
    """Put a column into the answer."""
    last = total.size - 1
    for k in range(cptr[b], cptr[b + 1]):
        i = row[k]
        count[i] += 1
        if count[i] == 1:
            total[group[i]] += weight[i]
            total[last] += tie[i]
            for q in range(rptr[i], rptr[i + 1]):
                gain[col[q], group[i]] -= weight[i]
                gain[col[q], last] -= tie[i]


@njit(cache=True, nogil=True)
def take_out(
    rptr: Ints,
    col: Ints,
    cptr: Ints,
    row: Ints,
    weight: Longs,
    tie: Longs,
    group: Longs,
    count: Ints,
    total: Longs,
    gain: Longs,
    a: int,
) -> None:
    """Take a column out of the answer."""
    last = total.size - 1
    for k in range(cptr[a], cptr[a + 1]):
        i = row[k]
        count[i] -= 1
        if count[i] == 0:
            total[group[i]] -= weight[i]
            total[last] -= tie[i]
            for q in range(rptr[i], rptr[i + 1]):
                gain[col[q], group[i]] += weight[i]
                gain[col[q], last] += tie[i]


@njit(cache=True, nogil=True)
def _score(total: Longs, more: Longs, need: Longs, have: Floats, people: Floats, score: Floats) -> None:
    """Write the score of an answer to which a column is added; needs of -1 ask for the rates."""
    groups = total.size - 2
    summed = 0
    for g in range(groups + 1):
        summed += total[g] + more[g]
    if groups > 0 and need[0] < 0:
        for g in range(groups):
            rate = (have[g] + total[g] + more[g]) / people[g]
            k = g
            while k > 0 and score[k - 1] > rate:
                score[k] = score[k - 1]
                k -= 1
            score[k] = rate
    else:
        short = 0
        for g in range(groups):
            short += max(0, need[g] - total[g] - more[g])
        score[0] = -float(short)
    score[score.size - 2] = float(summed)
    score[score.size - 1] = float(total[groups + 1] + more[groups + 1])


@njit(cache=True, nogil=True)
def _above(one: Floats, other: Floats) -> bool:
    """Say whether one score is above the other."""
    for k in range(one.size):
        if one[k] != other[k]:
            return bool(one[k] > other[k])
    return False


@njit(cache=True, nogil=True)
def search_groups(
    rptr: Ints,
    col: Ints,
    cptr: Ints,
    row: Ints,
    weight: Longs,
    tie: Longs,
    group: Longs,
    need: Longs,
    have: Floats,
    people: Floats,
    start: Longs,
    sites: int,
    entering: Longs,
    kicks: int,
    seed: int,
) -> Longs:
    """Return the best answer met: the start filled up greedily, exchanges, and kicks that are kept when not worse.

    A kick takes some columns out and puts others in at random; none of ``start`` outside ``entering`` comes back.
    """
    np.random.seed(seed)
    columns, groups = cptr.size - 1, people.size
    count = np.zeros(weight.size, dtype=np.int32)
    total = np.zeros(groups + 2, dtype=np.int64)
    gain = gains(rptr, col, weight, tie, group, columns, groups)
    inside = np.zeros(columns, dtype=np.bool_)
    chosen = np.empty(sites, dtype=np.int64)
    size = 0
    for a in start:
        if size < sites and not inside[a]:
            put_in(rptr, col, cptr, row, weight, tie, group, count, total, gain, a)
            inside[a] = True
            chosen[size] = a
            size += 1
    length = (groups if groups > 0 and need[0] < 0 else 1) + 2
    score, top, best = np.empty(length), np.empty(length), np.empty(length)
    nothing = np.zeros(groups + 2, dtype=np.int64)
    kept = np.empty(0, dtype=np.int64)
    for turn in range(kicks + 1):
        if turn > 0 and size > 0:
            for _ in range(1 + np.random.randint(0, max(1, min(4, size // 3)))):
                s = np.random.randint(0, size)
                b = entering[np.random.randint(0, entering.size)]
                if inside[b]:
                    continue
                take_out(rptr, col, cptr, row, weight, tie, group, count, total, gain, chosen[s])
                inside[chosen[s]] = False
                put_in(rptr, col, cptr, row, weight, tie, group, count, total, gain, b)
                inside[b] = True
                chosen[s] = b
        changed = True
        while changed:
            changed = False
            for s in range(sites):
                old = -1
                if s < size:
                    old = chosen[s]
                    take_out(rptr, col, cptr, row, weight, tie, group, count, total, gain, old)
                    inside[old] = False
                new = old
                _score(total, gain[old] if old >= 0 else nothing, need, have, people, top)
                for b in entering:
                    if inside[b] or b == old:
                        continue
                    _score(total, gain[b], need, have, people, score)
                    if _above(score, top):
                        new = b
                        top[:] = score
                if new < 0:
                    break
                put_in(rptr, col, cptr, row, weight, tie, group, count, total, gain, new)
                inside[new] = True
                changed = changed or new != old
                if s >= size:
                    size = s + 1
                chosen[s] = new
        _score(total, nothing, need, have, people, score)
        if turn == 0 or not _above(best, score):
            best[:] = score
            kept = chosen[:size].copy()
        else:
            for s in range(size):
                take_out(rptr, col, cptr, row, weight, tie, group, count, total, gain, chosen[s])
                inside[chosen[s]] = False
            size = kept.size
            for s in range(size):
                put_in(rptr, col, cptr, row, weight, tie, group, count, total, gain, kept[s])
                inside[kept[s]] = True
                chosen[s] = kept[s]
    return kept


@njit(cache=True, nogil=True)
def _worth(total: Longs, need: Longs, have: Floats, people: Floats, sorted_rates: Floats) -> float:
    """Return what an answer is worth in an annealing: people less the shortage, or the rates, the worse the heavier."""
    groups = total.size - 2
    worth, everybody = 0.0, 0.0
    for g in range(groups + 1):
        worth += total[g]
    if groups == 0 or need[0] >= 0:
        for g in range(groups):
            worth -= PENALTY * max(0, need[g] - total[g])
        return worth
    for g in range(groups):
        everybody += people[g]
        rate = (have[g] + total[g]) / people[g]
        k = g
        while k > 0 and sorted_rates[k - 1] > rate:
            sorted_rates[k] = sorted_rates[k - 1]
            k -= 1
        sorted_rates[k] = rate
    worth *= LIGHT
    share = 1.0
    for k in range(groups):
        worth += share * everybody * sorted_rates[k]
        share *= LIGHTER
    return worth


@njit(cache=True, nogil=True)
def anneal_groups(
    cptr: Ints,
    row: Ints,
    weight: Longs,
    group: Longs,
    need: Longs,
    have: Floats,
    people: Floats,
    start: Longs,
    entering: Longs,
    heat: Floats,
    tries: int,
    seed: int,
) -> Longs:
    """Return the best answer met while exchanges that lose are made ever more rarely.

    A column at random enters in the place where it does best. ``place`` is the sum of the places whose columns cover a
    row, so the place itself where only one does; ``loss`` is what only the column at each place covers of each group.
    ``heat`` holds the temperatures at first and at last.
    """
    np.random.seed(seed)
    groups, sites = people.size, start.size
    count, place = np.zeros(weight.size, dtype=np.int32), np.zeros(weight.size, dtype=np.int32)
    total, loss = np.zeros(groups + 2, dtype=np.int64), np.zeros((sites, groups + 2), dtype=np.int64)
    inside = np.zeros(cptr.size - 1, dtype=np.bool_)
    chosen = start.copy()
    for s in range(sites):
        inside[chosen[s]] = True
        _step(cptr, row, weight, group, count, place, total, loss, chosen[s], s, 1)
    rates, gain, extra = np.zeros(groups), np.zeros(groups + 2, dtype=np.int64), np.zeros_like(loss)
    after = np.zeros(groups + 2, dtype=np.int64)
    now = _worth(total, need, have, people, rates)
    top, best = now, chosen.copy()
    cooling = (heat[1] / heat[0]) ** (BLOCK / max(BLOCK, tries))
    temperature = heat[0]
    for turn in range(tries if entering.size and sites else 0):
        if turn % BLOCK == BLOCK - 1:
            temperature *= cooling
        b = entering[np.random.randint(0, entering.size)]
        if inside[b]:
            continue
        gain[:] = 0
        extra[:] = 0
        for k in range(cptr[b], cptr[b + 1]):
            i = row[k]
            if count[i] == 0:
                gain[group[i]] += weight[i]
            elif count[i] == 1:
                extra[place[i], group[i]] += weight[i]
        at, new = -1, -np.inf
        for s in range(sites):
            for g in range(groups + 1):
                after[g] = total[g] + gain[g] - loss[s, g] + extra[s, g]
            worth = _worth(after, need, have, people, rates)
            if worth > new:
                at, new = s, worth
        if new >= now or np.random.random() < np.exp((new - now) / temperature):
            now = new
            inside[chosen[at]], inside[b] = False, True
            _step(cptr, row, weight, group, count, place, total, loss, chosen[at], at, -1)
            _step(cptr, row, weight, group, count, place, total, loss, b, at, 1)
            chosen[at] = b
            if now > top:
                top = now
                best[:] = chosen
    return best


@njit(cache=True, nogil=True)
def _step(
    cptr: Ints,
    row: Ints,
    weight: Longs,
    group: Longs,
    count: Ints,
    place: Ints,
    total: Longs,
    loss: Longs,
    j: int,
    s: int,
    sign: int,
) -> None:
    """Put a column into a place (1) or take it out (-1)."""
    for k in range(cptr[j], cptr[j + 1]):
        i = row[k]
        if count[i] == 1:
            loss[place[i], group[i]] -= weight[i]
        elif count[i] == 0:
            total[group[i]] += weight[i]
        count[i] += sign
        place[i] += sign * s
        if count[i] == 1:
            loss[place[i], group[i]] += weight[i]
        elif count[i] == 0:
            total[group[i]] -= weight[i]
