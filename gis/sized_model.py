"""Covering with sizes: what each column may be made into, how many people it then holds, and the bound.

    maximise Σ xᵢⱼ   subject to   Σⱼ xᵢⱼ ≤ wᵢ,   Σᵢ xᵢⱼ ≤ baseⱼ + Σ_{o of j} extraₒ zₒ,   Σ_{o of j} zₒ ≤ 1,
    Σₒ useᵣₒ zₒ ≤ mostᵣ,   zₒ ∈ {0, 1},   xᵢⱼ ≥ 0 where j reaches i

A new site has no places to begin with; an existing one has its own, an extension adds some, closing takes them away.
For options given it is a transport problem, whose vertices are whole people. With prices 0 ≤ vᵢ ≤ 1 of a person and
charges tᵣ ≥ 0 no answer exceeds

    L(v, t) = Σ wᵢ vᵢ + Σ tᵣ mostᵣ + Σⱼ max over the options of j of (what filling it up gains at 1 - vᵢ - Σ tᵣ useᵣₒ),

counted in whole numbers that are rounded so that it can only grow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from .kernels_sized import fill_all, knapsack, lower_people, worth_of

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]
    Places: TypeAlias = NDArray[np.int32]

MOST_BITS, FINEST, SAFE = 61, 12, 2.0**-40
"""As in `limited_cover`: the finest fractions of prices, and what rounding errors of products are below."""
CHARGE_ROUNDS, HALVINGS = 2, 50
TABLE = 50_000_000
"""Most steps of filling a limit exactly."""


@dataclass(frozen=True)
class Choices:
    """A covering problem with sizes.

    Parameters
    ----------
    cover
        csr_array int8 [rows, columns] of ones.
    weight, tie
        int64 [rows], people; and those of them who come first among equal choices.
    base
        int64 [columns], places of a column without an option.
    must
        bool [columns], those that need an option.
    column, extra
        int64 [options], rising, the column of each option; the places it adds.
    use, most
        int64 [limits, options] and [limits].
    aims
        int64 [aims, options], sums that decide among equals, the least is best, the first aim first.
    """

    cover: csr_array
    weight: Ints
    tie: Ints
    base: Ints
    must: Bools
    column: Ints
    extra: Ints
    use: Ints
    most: Ints
    aims: Ints

    @cached_property
    def entries(self) -> tuple[Places, Places, Places, Places, Places]:
        """Return the entries by columns and by rows, and where each of those by rows stands by columns."""
        by_row = self.cover
        column, row = by_row.indices, np.repeat(np.arange(by_row.shape[0]), np.diff(by_row.indptr))
        order = np.lexsort((row, column))
        at = np.empty(len(order), dtype=np.int32)
        at[order] = np.arange(len(order))
        starts = np.concatenate([[0], np.cumsum(np.bincount(column, minlength=by_row.shape[1]))])
        small = [starts, row[order], by_row.indptr, column]
        cptr, rows, rptr, columns = (one.astype(np.int32) for one in small)
        return cptr, rows, rptr, columns, at

    @cached_property
    def options(self) -> Ints:
        """Return where the options of each column begin, and where the last ones end."""
        return np.searchsorted(self.column, np.arange(len(self.base) + 1)).astype(np.int64)

    @cached_property
    def cost(self) -> Ints:
        """Return one number for each option by which the first aim decides, then the second, as far as it fits."""
        cost = np.zeros(len(self.column), dtype=np.int64)
        for aim in self.aims:
            scale = int(np.abs(aim).sum()) + 1
            if int(np.abs(cost).sum()) * scale >= 2**62:
                return cost
            cost = cost * scale + aim
        return cost

    def taken(self, answer: Ints) -> Bools:
        """Return the options of an answer as flags."""
        flags = np.zeros(len(self.column), dtype=np.bool_)
        flags[answer[answer >= 0]] = True
        return flags

    def answer(self, flags: Bools) -> Ints:
        """Return the option of each column, -1 for none."""
        answer = np.full(len(self.base), -1, dtype=np.int64)
        answer[self.column[flags]] = np.flatnonzero(flags)
        return answer

    def holds(self, answer: Ints) -> bool:
        """Say whether an answer keeps to all limits and to what must be."""
        used = self.use @ self.taken(answer).astype(np.int64)
        return bool((used <= self.most).all() and (answer[self.must] >= 0).all())

    def places(self, answer: Ints) -> Ints:
        """Return how many each column holds."""
        places, some = self.base.copy(), answer >= 0
        places[some] += self.extra[answer[some]]
        return places

    def placed(self, answer: Ints) -> tuple[Ints, int, int]:
        """Return people by entry, those of the second weight first; how many have a place, of all and of those."""
        flow, left, spare = np.zeros(self.cover.nnz, dtype=np.int64), self.tie.copy(), self.places(answer)
        first = fill_all(*self.entries, flow, left, spare)
        left += self.weight - self.tie
        return flow, first + fill_all(*self.entries, flow, left, spare), first

    def worth(self, answer: Ints) -> tuple[int, int, int]:
        """Return what makes an answer better than another: people placed, those of the second weight, minus costs."""
        _, people, first = self.placed(answer)
        return people, first, -int(self.cost[answer[answer >= 0]].sum())


@dataclass(frozen=True, slots=True)
class Rated:
    """What prices and charges show: no answer places more; options in no better answer; the prices and charges."""

    bound: int
    out: Bools
    prices: Floats
    charges: Floats


def rated(problem: Choices, value: int, prices: Floats, charges: Floats) -> Rated:
    """Return the bound of given prices and charges, counted in whole numbers, and the options it rules out.

    Examples
    --------
    Seven people and one site of five places: at a price of nothing for a person the bound is five.

    >>> from scipy.sparse import csr_array
    >>> one, none = np.ones(1, dtype=np.int64), np.zeros(1, dtype=np.int64)
    >>> cover = csr_array(np.ones((1, 1), dtype=np.int8))
    >>> site = Choices(cover, 7 * one, none, none, none > 0, none, 5 * one, one[None, :], one, one[None, :])
    >>> rated(site, 0, np.zeros(1), np.zeros(1)).bound
    5
    """
    total, none = int(problem.weight.sum()), np.zeros(len(problem.column), dtype=np.bool_)
    prices, charges = np.clip(np.nan_to_num(prices), 0.0, 1.0), np.maximum(np.nan_to_num(charges), 0.0)
    bits = min(FINEST, MOST_BITS - max(total, 1).bit_length() - 1)
    spent, parts = charges @ problem.use, charges @ np.abs(problem.use)
    if bits < 0 or max(parts.max(initial=0.0), float(charges @ np.abs(problem.most))) * 2.0**bits >= 2.0**MOST_BITS:
        return Rated(total, none, prices, charges)
    unit, one = 2.0**bits, 1 << bits
    price = np.floor(prices * unit).astype(np.int64)
    bare, full = np.zeros(len(problem.base), dtype=np.int64), np.zeros(len(problem.column), dtype=np.int64)
    cptr, row = problem.entries[:2]
    worth_of(cptr, row, problem.weight, problem.base, problem.extra, problem.options, one - price, bare, full)
    full -= np.floor((spent - SAFE * parts) * unit).astype(np.int64) - 1  # never more than what it is charged
    best = np.where(problem.must, -(2**62), bare)
    np.maximum.at(best, problem.column, full)
    held = float(charges @ problem.most) + SAFE * float(charges @ np.abs(problem.most))
    level = int((problem.weight * price).sum()) + int(np.ceil(held * unit)) + 1 + int(best.sum())
    better = (value + 1) << bits  # people are whole: better means by one at least
    out = level - best[problem.column] + full < better
    return Rated(min(level >> bits, total), out, prices, charges)


def filled(problem: Choices, known: Rated) -> Rated:
    """Return the bound when one limit is filled exactly by whole options, the charges of the others staying.

    Each unit of the limit is a step of a table, so that is done where the limit is small.

    Examples
    --------
    A limit of three holds one site of two, not one and a half:

    >>> from scipy.sparse import csr_array
    >>> two, none = 2 * np.ones(2, dtype=np.int64), np.zeros(2, dtype=np.int64)
    >>> cover = csr_array(np.eye(2, dtype=np.int8))
    >>> use, most = two[None, :], np.array([3])
    >>> sites = Choices(cover, 9 * two, none, none, none > 0, np.arange(2), 4 * two, use, most, use)
    >>> known = rated(sites, 0, np.zeros(2), np.array([4.0]))
    >>> known.bound, filled(sites, known).bound
    (12, 8)
    """
    steps = (problem.most + 1) * max(1, len(problem.column))
    fits = (problem.use >= 0).all(axis=1) & (problem.most >= 0) & (steps <= TABLE)
    total = int(problem.weight.sum())
    bits = min(FINEST, MOST_BITS - max(total, 1).bit_length() - 1)
    if not fits.any() or not len(problem.column) or bits < 0 or known.bound == total:
        return known
    limit = int(np.argmax(np.where(fits, known.charges * problem.most, -1.0)))
    charges = known.charges.copy()
    charges[limit] = 0.0
    unit, one = 2.0**bits, 1 << bits
    price = np.floor(known.prices * unit).astype(np.int64)
    bare, full = np.zeros(len(problem.base), dtype=np.int64), np.zeros(len(problem.column), dtype=np.int64)
    cptr, row = problem.entries[:2]
    worth_of(cptr, row, problem.weight, problem.base, problem.extra, problem.options, one - price, bare, full)
    parts = charges @ np.abs(problem.use)
    full -= np.floor((charges @ problem.use - SAFE * parts) * unit).astype(np.int64) - 1
    held = float(charges @ problem.most) + SAFE * float(charges @ np.abs(problem.most))
    level = int((problem.weight * price).sum()) + int(np.ceil(held * unit)) + 1
    level += knapsack(problem.options, bare, full, problem.use[limit], int(problem.most[limit]), problem.must)
    return replace(known, bound=min(known.bound, level >> bits))


def first_rated(problem: Choices, value: int) -> Rated:
    """Return the bound of charges alone, which is close where places are few: what the options hold for the money.

    At a price of nothing for a person, the bound is convex in each charge; it is halved down to its least value.
    """
    zero = np.zeros(len(problem.weight))
    cptr, row = problem.entries[:2]
    bare, full = np.zeros(len(problem.base), dtype=np.int64), np.zeros(len(problem.column), dtype=np.int64)
    people = np.ones(len(problem.weight), dtype=np.int64)
    worth_of(cptr, row, problem.weight, problem.base, problem.extra, problem.options, people, bare, full)
    charges = np.zeros(len(problem.most))

    def slope(limit: int) -> float:
        gains = full - charges @ problem.use
        best = np.where(problem.must, -np.inf, bare)
        np.maximum.at(best, problem.column, gains)
        picked = np.flatnonzero((gains >= best[problem.column]) & (gains > bare[problem.column]))
        _, first = np.unique(problem.column[picked], return_index=True)
        return float(problem.most[limit] - problem.use[limit, picked[first]].sum())

    for limit in [*range(len(charges))] * CHARGE_ROUNDS if len(problem.column) else []:
        charges[limit] = 0.0
        if slope(limit) >= 0:
            continue
        low, high = 0.0, 2.0 * float(full.max()) / max(1.0, float(np.abs(problem.use[limit]).mean()))
        for _ in range(HALVINGS):
            charges[limit] = (low + high) / 2.0
            low, high = (low, charges[limit]) if slope(limit) >= 0 else (charges[limit], high)
        charges[limit] = high
    return min(
        (filled(problem, rated(problem, value, prices, charges)) for prices in (zero, np.full(len(zero), 0.5))),
        key=lambda known: known.bound,
    )


def lowered(problem: Choices, value: int, known: Rated, steps: int) -> Rated:
    """Return the bound after up to so many subgradient steps over the options not ruled out, the old one if better."""
    if not len(problem.column) or not problem.weight.any():
        return known
    scale = max(1.0, np.abs(problem.extra).mean()) / np.maximum(np.abs(problem.use).mean(axis=1), 1e-9)
    prices, charges = known.prices.copy(), known.charges / scale
    cptr, row = problem.entries[:2]
    lower_people(
        cptr, row, problem.weight, problem.base, problem.extra, problem.options, ~known.out, problem.must,
        problem.use * scale[:, None], problem.most * scale, prices, charges, float(value), steps,
    )  # fmt: skip
    found = filled(problem, rated(problem, value, prices, charges * scale))
    return found if found.bound <= known.bound else known
