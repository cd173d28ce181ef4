"""Covering under limits: a budget, a number of sites, a number of closings; reduction and bound.

    maximise Σ wᵢ yᵢ   subject to   yᵢ ≤ Σ_{j reaches i} xⱼ,   Σⱼ useᵣⱼ xⱼ ≤ mostᵣ,   xⱼ ∈ {0, 1},   0 ≤ yᵢ ≤ 1

With prices 0 ≤ uᵢ ≤ wᵢ and charges tᵣ ≥ 0 no answer exceeds

    L(u, t) = Σ (wᵢ - uᵢ) + Σᵣ tᵣ mostᵣ + Σⱼ max(0, Σ_{i reached by j} uᵢ - Σᵣ tᵣ useᵣⱼ).

Wherever prices and charges come from, L is counted anew in whole numbers, rounded so that it can only grow.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from .kernels_budget import dominators_within
from .kernels_cover import sums_of
from .kernels_limits import lower_within
from .siting_reduce import merged

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]
    Places: TypeAlias = NDArray[np.int32]

MOST_BITS, FINEST = 61, 12
"""Prices are whole multiples of 2 to the power of minus the second, coarser where sums would not fit the first."""
SAFE = 2.0**-40
"""Share of a product of floats that its rounding error is well below."""


@dataclass(frozen=True)
class Limited:
    """A covering problem under limits.

    Parameters
    ----------
    cover
        csr_array int8 [rows, columns] of ones.
    weight, tie
        int64 [rows]; among equal choices by the first the one that covers more of the second.
    use, most
        int64 [limits, columns] and [limits].
    aims
        int64 [aims, columns], sums that decide among equals by both weights, the least is best, the first aim first.
    candidate
        int64 [columns], their numbers in the problem as given.
    """

    cover: csr_array
    weight: Ints
    tie: Ints
    use: Ints
    most: Ints
    aims: Ints
    candidate: Ints

    @cached_property
    def columns(self) -> tuple[Places, Places]:
        """Return the rows each column covers, as in a csc_array."""
        columns = self.cover.tocsc()
        return columns.indptr.astype(np.int32), columns.indices.astype(np.int32)

    @cached_property
    def scale(self) -> int:
        """Return the number by which the first weight counts more than all of the second; 1 where it would not fit."""
        scale = int(self.tie.sum()) + 1
        return scale if int(self.weight.sum()) * scale < 2**62 else 1

    @cached_property
    def key(self) -> Ints:
        """Return one number for each row by which the first weight decides and the second breaks ties."""
        return self.weight * self.scale + (self.tie if self.scale > 1 else 0)

    @cached_property
    def cost(self) -> Ints:
        """Return one number for each column by which the first aim decides, then the second, as far as it fits."""
        cost = np.zeros(self.use.shape[1], dtype=np.int64)
        for aim in self.aims:
            scale = int(np.abs(aim).sum()) + 1
            if int(np.abs(cost).sum()) * scale >= 2**62:
                return cost
            cost = cost * scale + aim
        return cost

    @property
    def begin(self) -> Bools:
        """Return the columns that free a limit, which are in the answer to begin with."""
        return np.asarray((self.use < 0).any(axis=0))

    def holds(self, inside: Bools) -> bool:
        """Say whether an answer keeps to all limits."""
        return bool((self.use @ inside.astype(np.int64) <= self.most).all())

    def covered(self, inside: Bools) -> Bools:
        """Return the rows that an answer covers."""
        return np.asarray(self.cover @ inside.astype(np.int32) > 0)

    def worth(self, inside: Bools) -> tuple[int, int]:
        """Return what an answer covers, as a key, and minus what it costs."""
        return int(self.key[self.covered(inside)].sum()), -int(self.cost[inside].sum())


@dataclass(frozen=True, slots=True)
class Bounded:
    """What prices and charges show.

    Parameters
    ----------
    bound
        No answer covers more.
    out, into
        bool [columns], those that no better answer contains, and those that every better answer contains.
    prices, charges
        float64 [rows] and [limits].
    """

    bound: int
    out: Bools
    into: Bools
    prices: Floats
    charges: Floats


def limited(problem: Limited, keep: Bools, usable: Bools) -> Limited:
    """Return the problem without what cannot matter.

    Rows that no choice can change are dropped and rows with equal cover sets merged; columns are dropped that cannot be
    paid for, and those all of whose rows another one covers that uses no more of any limit and is no dearer. Columns
    that free a limit stay.

    Parameters
    ----------
    keep
        bool [rows], False for those covered already.
    usable
        bool [columns], those that may be in an answer.

    Examples
    --------
    The second column covers less and costs more than the first, the third cannot be paid for:

    >>> from scipy.sparse import csr_array
    >>> cover = csr_array(np.array([[1, 1, 1], [1, 0, 1]], dtype=np.int8))
    >>> none, cost = np.zeros(2, dtype=np.int64), np.array([[4, 5, 9]])
    >>> whole = Limited(cover, np.array([3, 4]), none, cost, np.array([8]), cost, np.arange(3))
    >>> small = limited(whole, np.ones(2, dtype=bool), np.ones(3, dtype=bool))
    >>> small.candidate.tolist(), small.weight.tolist()
    ([0], [7])
    """
    freed = np.minimum(problem.use, 0).sum(axis=1, keepdims=True) - np.minimum(problem.use, 0)
    fixed = problem.begin
    fits = usable & ((problem.use <= problem.most[:, None] - freed).all(axis=0) | fixed)
    rows = np.flatnonzero(keep & ((problem.weight > 0) | (problem.tie > 0)))
    stay = np.flatnonzero(fits)
    for narrow in (_not_empty, _not_dominated):
        cover = problem.cover[rows][:, stay]
        rated = np.vstack([problem.use, problem.aims])[:, stay]  # what it uses, and what decides among equals
        kept = narrow(cover, np.ascontiguousarray(rated), fixed[stay])
        stay = stay[kept]
    cover, weight, tie = merged(problem.cover[rows][:, stay], problem.weight[rows], problem.tie[rows])
    served = np.flatnonzero(np.diff(cover.indptr) > 0)
    return Limited(
        cover[served],
        weight[served],
        tie[served],
        np.ascontiguousarray(problem.use[:, stay]),
        problem.most,
        np.ascontiguousarray(problem.aims[:, stay]),
        problem.candidate[stay],
    )


def _not_empty(cover: Any, use: Ints, fixed: Bools) -> Bools:  # noqa: ANN401, ARG001  a csr_array; as the next one
    """Return the columns that cover something or are fixed."""
    covers: Bools = np.bincount(cover.indices, minlength=cover.shape[1]) > 0
    return covers | fixed


def _not_dominated(cover: Any, use: Ints, fixed: Bools) -> Bools:  # noqa: ANN401  a csr_array
    """Return the columns that no other makes needless."""
    columns = cover.tocsc()
    columns.sort_indices()
    found = dominators_within(cover.indptr, cover.indices, columns.indptr, columns.indices, use, fixed)
    return np.asarray(found < 0)


def judged(problem: Limited, value: int, prices: Floats, charges: Floats) -> Bounded:
    """Return the bound of given prices and charges, counted in whole numbers, and what it rules out.

    A column cannot be in a better answer when forcing it in would push the bound to the value, and must be in every one
    when forcing it out would.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> cost, none = np.array([[2, 3]]), np.zeros(2, dtype=np.int64)
    >>> whole = Limited(csr_array(np.eye(2)), np.array([6, 6]), none, cost, np.array([3]), cost, np.arange(2))
    >>> judged(whole, 6, np.array([6.0, 6.0]), np.array([2.0])).bound
    8
    """
    total, none = int(problem.weight.sum()), np.zeros(problem.use.shape[1], dtype=np.bool_)
    prices = np.clip(np.nan_to_num(prices), 0.0, problem.weight)
    charges = np.maximum(np.nan_to_num(charges), 0.0)
    bits = min(FINEST, MOST_BITS - max(total, 1).bit_length())
    spent, parts = charges @ problem.use, charges @ np.abs(problem.use)
    if bits < 0 or max(parts.max(initial=0.0), float(charges @ np.abs(problem.most))) * 2.0**bits >= 2.0**MOST_BITS:
        return Bounded(total, none, none, prices, charges)
    unit = 2.0**bits
    whole = np.floor(prices * unit).astype(np.int64)
    least = np.floor((spent - SAFE * parts) * unit).astype(np.int64) - 1  # never more than what the column is charged
    held = float(charges @ problem.most) + SAFE * float(charges @ np.abs(problem.most))
    rest = sums_of(*problem.columns, whole) - least
    level = (total << bits) - int(whole.sum()) + int(np.ceil(held * unit)) + 1 + int(np.maximum(rest, 0).sum())
    better = (value + 1) << bits  # weights are whole: better means by one at least
    out = (rest < 0) & (level + rest < better)
    into = (rest > 0) & (level - rest < better)
    return Bounded(min(level >> bits, total), out, into, prices, charges)


def lowered(problem: Limited, value: int, known: Bounded, steps: int) -> Bounded:
    """Return the bound after up to so many primal-dual steps over the columns not ruled out, the old one if better."""
    free = np.flatnonzero(~known.out).astype(np.int64)
    if not len(free) or not problem.weight.any():
        return known
    sizes = np.diff(problem.columns[0])[free]
    scale = max(1.0, float(sizes.mean())) / np.maximum(np.abs(problem.use[:, free]).mean(axis=1), 1e-9)
    prices, charges = known.prices.copy(), known.charges / scale
    use, most = problem.use[:, free] * scale[:, None], problem.most * scale
    lower_within(*problem.columns, problem.weight, free, use, most, prices, charges, float(value), steps)
    found = judged(problem, value, prices, charges * scale)
    return found if found.bound <= known.bound else known


def first_bound(problem: Limited, value: int) -> Bounded:
    """Return the bound of prices that share each row's weight among its columns."""
    prices = problem.weight / np.maximum(np.diff(problem.cover.indptr), 1)
    sums = problem.cover.T @ prices
    used = problem.use / np.maximum(np.abs(problem.most), 1)[:, None]
    rate = float(sums.sum()) / max(float(np.abs(used).sum()), 1e-9)
    return judged(problem, value, prices, rate / np.maximum(np.abs(problem.most), 1))
