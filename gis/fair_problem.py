"""Covering with groups: the reduced problem, and what is asked of the groups, in whole people.

A rate of a group is (what it had + what is newly covered) ÷ what it counts. "At least t" of a group that counts D asks
for ⌈t·D⌉ of its people, "more than t" for ⌊t·D⌋ + 1, so that fractions are compared as whole numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array, hstack

from .siting_reduce import alike, undominated

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

    from numpy.typing import NDArray

    from .siting_open import Opened

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Grouped:
    """A reduced covering problem whose rows belong to groups.

    Parameters
    ----------
    cover
        csr_array int8 [rows, columns], 1 where the column reaches the row; rows of equal cover set and group are one.
    weight, tie
        int64 [rows].
    group
        int64 [rows], 0 … G - 1, and G for rows without a group.
    candidate
        int64 [columns], what they are in the problem before.
    have
        int64 [G], weight of each group that is covered already.
    counts
        G fractions above 0, by what the rate of each group is taken: its people, or a share of them.
    """

    cover: csr_array
    weight: Ints
    tie: Ints
    group: Ints
    candidate: Ints
    have: Ints
    counts: tuple[Fraction, ...]

    @property
    def groups(self) -> int:
        """Return the number of groups."""
        return len(self.have)

    def newly(self, chosen: Ints) -> Ints:
        """Return the weight of each group that columns cover newly; the last number is of rows without a group."""
        picked = np.zeros(self.cover.shape[1], dtype=np.int64)
        picked[chosen] = 1
        met = self.cover.astype(np.int64) @ picked > 0
        sums = np.zeros(self.groups + 1, dtype=np.int64)
        np.add.at(sums, self.group[met], self.weight[met])
        return sums

    def rates(self, newly: Ints) -> list[Fraction]:
        """Return the rate of each group."""
        return [
            (int(have) + int(more)) / count for have, more, count in zip(self.have, newly, self.counts, strict=False)
        ]


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of the groups.

    Parameters
    ----------
    need
        int64 [G, J], weight to be covered newly for each level, not negative, not falling from level to level.
    groups
        int64 [J], how many groups have to reach each level.
    """

    need: Ints
    groups: Ints

    def met(self, newly: Ints) -> bool:
        """Say whether an answer does what is asked.

        Parameters
        ----------
        newly
            int64 [G] or longer, weight newly covered of each group.
        """
        reached = newly[: len(self.need), None] >= self.need
        return bool((reached.sum(axis=0) >= self.groups).all())

    def least(self, prices: Ints) -> int:
        """Return the least sum of price times need by which what is asked can be met.

        Each group takes a level; as groups may stay below a level only as far as it is asked of fewer, who takes which
        is an assignment problem.

        Parameters
        ----------
        prices
            int64 [G], for one unit of weight.
        """
        if not len(self.need):
            return 0
        slot = np.repeat(np.arange(len(self.groups)), -np.diff(self.groups, append=0))
        costs = prices[:, None] * self.need[:, slot]
        one, other = linear_sum_assignment(costs.astype(np.float64))
        return int(costs[one, other].sum())


def rates_asked(problem: Grouped, levels: Sequence[Fraction], *, above: Fraction | None = None) -> Ask:
    """Return what asks for rates from the worst group upwards: the k-th worst is to have at least the k-th level.

    Parameters
    ----------
    problem
        A problem with groups.
    levels
        Rates, rising.
    above
        All groups but so many as there are levels are to have more than this.

    Examples
    --------
    Of two groups of 3 and 4 people the worse one is to have a half, the other one more than that:

    >>> from fractions import Fraction
    >>> half, none = Fraction(1, 2), np.zeros(0, dtype=np.int64)
    >>> empty = csr_array((0, 1), dtype=np.int8)
    >>> counts, have = (Fraction(3), Fraction(4)), np.zeros(2, dtype=np.int64)
    >>> problem = Grouped(empty, none, none, none, np.arange(1), have, counts)
    >>> ask = rates_asked(problem, [half], above=half)
    >>> ask.need.tolist(), ask.groups.tolist()
    ([[2, 2], [2, 3]], [2, 1])
    """
    needs = [[ceil(level * count) for count in problem.counts] for level in levels]
    if above is not None:
        needs.append([floor(above * count) + 1 for count in problem.counts])
    need = np.array(needs, dtype=np.int64).reshape(len(needs), problem.groups).T - problem.have[:, None]
    return Ask(np.maximum(need, 0), problem.groups - np.arange(len(needs), dtype=np.int64))


def grouped(left: Opened, groups: Ints, have: Ints, counts: Sequence[Fraction]) -> Grouped:
    """Return the reduced problem of what is left open.

    A column within another one's cover set is dropped: the other one serves every group as well.

    Parameters
    ----------
    left
        A covering problem without its forced candidates.
    groups
        int64 [demand], 0 … G - 1, and G for rows without a group.
    have, counts
        As of `Grouped`.
    """
    case = left.case
    rows = np.flatnonzero(~left.met & ((case.weight > 0) | (case.tie > 0)) & (np.diff(left.cover.indptr) > 0))
    small, owner = _merged(left.cover[rows], groups[rows])
    columns = np.flatnonzero(np.bincount(small.indices, minlength=small.shape[1]) > 0)
    columns = columns[undominated(small[:, columns])]
    small, again = _merged(small[:, columns], _of(groups[rows], owner, small.shape[0]))
    owner = again[owner]
    sums = []
    for values in (case.weight, case.tie):
        total = np.zeros(small.shape[0], dtype=np.int64)
        np.add.at(total, owner, values[rows])
        sums.append(total)
    group = _of(groups[rows], owner, small.shape[0])
    return Grouped(small, sums[0], sums[1], group, columns, have, tuple(counts))


def _merged(cover: csr_array, group: Ints) -> tuple[csr_array, Ints]:
    """Return rows with equal cover sets and groups once, and which of them each row is."""
    if not cover.shape[0]:
        return cover, np.zeros(0, dtype=np.int64)
    ones = np.ones(len(group), dtype=np.int8)
    own = csr_array((ones, group, np.arange(len(group) + 1)), shape=(len(group), int(group.max()) + 1))
    first, owner = alike(csr_array(hstack([cover, own], format="csr")))
    return csr_array(cover[first]), owner


def _of(group: Ints, owner: Ints, rows: int) -> Ints:
    """Return the group of each merged row."""
    merged = np.zeros(rows, dtype=np.int64)
    merged[owner] = group
    return merged


def among(problem: Grouped, union: Ints) -> Grouped:
    """Return the problem of some columns only, with rows that differ in none of them merged."""
    small, owner = _merged(csr_array(problem.cover[:, union]), problem.group)
    weight, tie = (np.zeros(small.shape[0], dtype=np.int64) for _ in range(2))
    np.add.at(weight, owner, problem.weight)
    np.add.at(tie, owner, problem.tie)
    group = _of(problem.group, owner, small.shape[0])
    return Grouped(small, weight, tie, group, union, problem.have, problem.counts)
