"""An upper bound of what any choice of sites can cover, and the candidates it rules out.

Relaxing yᵢ ≤ Σ_{j reaches i} xⱼ with prices 0 ≤ uᵢ ≤ wᵢ leaves

    L(u) = Σ (wᵢ - uᵢ) + the p largest column sums Σ_{i reached by j} uᵢ,

which no answer exceeds (Galvão & ReVelle 1996). Prices come from primal-dual steps or from the duals of the linear
relaxation, which make L(u) its optimum. Wherever they come from, L(u) is counted anew in whole numbers: prices are
rounded to binary fractions, so that no rounding error can make a bound too small.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from .kernels_cover import lower, sums_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .siting_reduce import Reduced

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]

STEPS = 1000
MOST_BITS = 62
FINEST = 12
"""Prices are whole multiples of 2 to the power of minus this, coarser where sums would not fit."""


@dataclass(frozen=True, slots=True)
class Columns:
    """A covering problem by columns.

    Parameters
    ----------
    cptr, row
        The rows each column covers, int32, as in a csc_array.
    weight
        int64 [rows].
    free
        bool [columns], those that may be chosen.
    """

    cptr: NDArray[np.int32]
    row: NDArray[np.int32]
    weight: Ints
    free: Bools


@dataclass(frozen=True, slots=True)
class Relaxed:
    """What the relaxation shows.

    Parameters
    ----------
    bound
        No answer covers more.
    out, into
        bool [candidates], those that no better answer contains, and those that every better answer contains.
    promising
        int64 [p], the candidates with the largest sums at the best bound: a start for the search.
    prices
        float64 [rows], the prices of the bound.
    often
        float64 [candidates], how far each is picked in the relaxation.
    """

    bound: int
    out: Bools
    into: Bools
    promising: Ints
    prices: Floats
    often: Floats


def by_columns(problem: Reduced, barred: Bools | None = None) -> Columns:
    """Return a reduced problem by columns; barred ones may not be chosen."""
    columns = problem.cover.tocsc()
    free = np.ones(columns.shape[1], dtype=np.bool_) if barred is None else ~barred
    return Columns(columns.indptr.astype(np.int32), columns.indices.astype(np.int32), problem.weight, free)


def relax(problem: Reduced, sites: int, value: int) -> Relaxed:
    """Return the best bound found, and what it says of each candidate beside an answer of the given value.

    Parameters
    ----------
    problem
        A reduced covering problem.
    sites
        How many candidates may be chosen.
    value
        Weight that a known answer covers.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> from lifecircle.gis.siting_reduce import Reduced
    >>> cover = csr_array(np.array([[1, 0, 1], [1, 1, 0], [0, 1, 1]], dtype=np.int8))
    >>> weight, tie = np.array([4, 4, 4]), np.zeros(3, dtype=np.int64)
    >>> relax(Reduced(cover, weight, tie, np.arange(3)), 1, 8).bound
    8
    """
    columns = by_columns(problem)
    return lowered(columns, sites, value, first_prices(columns))


def first_prices(columns: Columns) -> Floats:
    """Return prices to begin with: each row's weight shared among the columns that cover it."""
    return columns.weight / np.maximum(np.bincount(columns.row, minlength=len(columns.weight)), 1)


def lowered(
    columns: Columns, sites: int, value: int, prices: Floats, *, often: Floats | None = None, steps: int = STEPS
) -> Relaxed:
    """Return the bound after up to so many primal-dual steps from given prices.

    Parameters
    ----------
    columns
        The problem.
    sites, value
        As for `relax`.
    prices
        float64 [rows].
    often
        float64 [columns], the picks to begin with.
    steps
        Most steps.
    """
    best = np.clip(np.nan_to_num(prices), 0.0, columns.weight)
    picked = np.zeros(len(columns.free)) if often is None else often.copy()
    cover = (columns.cptr, columns.row, columns.weight, columns.free)
    count = min(sites, int(columns.free.sum()))
    if count and columns.weight.any():
        lower(*cover, count, best, picked, float(value), steps)
    return judged(columns, sites, value, best, picked)


def judged(columns: Columns, sites: int, value: int, prices: Floats, often: Floats | None = None) -> Relaxed:
    """Return the bound of given prices, counted in whole numbers, and what it rules out.

    A column cannot be in a better answer when forcing it in would push the bound to the value, and must be in every one
    when forcing it out would.
    """
    total = int(columns.weight.sum())
    bits = min(FINEST, MOST_BITS - max(total, 1).bit_length() - int(sites).bit_length())
    m, count = len(columns.free), min(sites, int(columns.free.sum()))
    none = np.zeros(m, dtype=np.bool_)
    often = np.zeros(m) if often is None else often
    if bits < 0:
        return Relaxed(total, none, none, np.flatnonzero(columns.free)[:count], prices, often)
    whole = np.floor(np.clip(np.nan_to_num(prices), 0.0, columns.weight) * 2.0**bits).astype(np.int64)
    sums = sums_of(columns.cptr, columns.row, whole)
    sums[~columns.free] = -1
    order = np.argsort(-sums, kind="stable").astype(np.int64)
    inside, beyond = order[:count], order[count:]
    level = (total << bits) - int(whole.sum()) + int(sums[inside].sum())
    out, into = ~columns.free, none
    least = (value + 1) << bits  # weights are whole: better means by one at least
    if len(beyond) and count:
        out = out.copy()
        out[beyond] |= level - sums[inside[-1]] + sums[beyond] < least
        into[inside] = level - sums[inside] + max(int(sums[beyond[0]]), 0) < least
    elif count:
        into[inside] = level - sums[inside] < least
    return Relaxed(min(level >> bits, total), out, into, np.sort(inside), prices, often)
