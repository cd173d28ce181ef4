"""Compiled inner loop of set covering: tear columns out, mend, keep what is no worse."""

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
    Bools = NDArray[np.bool_]

TORN_SHARE = 0.3
TINY = 1e-9


@njit(cache=True, nogil=True)
def _put(
    column: int, change: int, indptr: Longs, col: Ints, cptr: Longs, row: Ints, need: Longs, times: Longs, gain: Longs
) -> int:
    """Open (1) or close (-1) a column; return by how many fewer rows are short then."""
    met = 0
    for k in range(cptr[column], cptr[column + 1]):
        i = row[k]
        short = times[i] < need[i]
        times[i] += change
        if short == (times[i] < need[i]):
            continue
        step = -1 if short else 1
        met -= step
        for place in range(indptr[i], indptr[i + 1]):
            gain[col[place]] += step
    return met


@njit(cache=True, nogil=True)
def _mend(
    short: int,
    indptr: Longs,
    col: Ints,
    cptr: Longs,
    row: Ints,
    need: Longs,
    price: Floats,
    chosen: Bools,
    times: Longs,
    gain: Longs,
) -> None:
    """Open columns until no row is short, at random among those that are best; close those not needed any more."""
    m = chosen.size
    while short > 0:
        best, equals, found = 0.0, 0, -1
        for j in range(m):
            if chosen[j] or gain[j] <= 0:
                continue
            worth = gain[j] / price[j]
            if worth > best * (1.0 + TINY):
                best, equals, found = worth, 1, j
            elif worth >= best * (1.0 - TINY):
                equals += 1
                if np.random.random() * equals < 1.0:  # noqa: NPY002  the generator of compiled code
                    found = j
        chosen[found] = True
        short -= _put(found, 1, indptr, col, cptr, row, need, times, gain)
    opened = np.flatnonzero(chosen)
    np.random.shuffle(opened)  # noqa: NPY002  as above
    for place in range(opened.size):
        j = int(opened[place])
        spare = True
        for k in range(cptr[j], cptr[j + 1]):
            if times[row[k]] <= need[row[k]]:
                spare = False
                break
        if spare:
            chosen[j] = False
            _put(j, -1, indptr, col, cptr, row, need, times, gain)


@njit(cache=True, nogil=True)
def _tear(
    indptr: Longs, col: Ints, cptr: Longs, row: Ints, need: Longs, chosen: Bools, times: Longs, gain: Longs
) -> int:
    """Close the columns that reach rows near a row at random; return how many rows are short then."""
    short = 0
    middle = np.random.randint(need.size)  # noqa: NPY002  as above
    for place in range(indptr[middle], indptr[middle + 1]):
        j = col[place]
        near = row[cptr[j] + np.random.randint(cptr[j + 1] - cptr[j])]  # noqa: NPY002  as above
        if np.random.random() > TORN_SHARE:  # noqa: NPY002  as above
            continue
        for other in range(indptr[near], indptr[near + 1]):
            one = col[other]
            if chosen[one]:
                chosen[one] = False
                short -= _put(one, -1, indptr, col, cptr, row, need, times, gain)
    return short


@njit(cache=True, nogil=True)
def torn_and_mended(
    indptr: Longs, col: Ints, cptr: Longs, row: Ints, need: Longs, price: Floats, start: Bools, rounds: int, seed: int
) -> Bools:
    """Better an answer: close the columns around a row, mend, keep it when it costs no more (Schrimpf et al. 2000)."""
    np.random.seed(seed)  # noqa: NPY002  as above
    m = start.size
    times, gain = np.zeros(need.size, np.int64), np.zeros(m, np.int64)
    for i in range(need.size):
        for k in range(indptr[i], indptr[i + 1]):
            gain[col[k]] += 1
    chosen, best = np.zeros(m, np.bool_), start.copy()
    for j in np.flatnonzero(start):
        chosen[j] = True
        _put(int(j), 1, indptr, col, cptr, row, need, times, gain)
    current, least = price[start].sum(), price[start].sum()
    kept = chosen.copy()
    for _ in range(rounds):
        kept[:] = chosen
        short = _tear(indptr, col, cptr, row, need, chosen, times, gain)
        _mend(short, indptr, col, cptr, row, need, price, chosen, times, gain)
        cost = price[chosen].sum()
        if cost <= current + TINY:
            current = cost
            if cost < least - TINY:
                least = cost
                best[:] = chosen
            continue
        for j in np.flatnonzero(chosen != kept):
            _put(int(j), 1 if kept[j] else -1, indptr, col, cptr, row, need, times, gain)
        chosen[:] = kept
    return best
