"""Who is within the limit, counted exactly: covered + uncovered + unknown = total, in every group.

All counts are integers, and a group's rate is a sum divided by a sum, never a mean of rates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy.spatial import cKDTree

from . import kernels_coverage
from .edges import read_only
from .errors import Fault, InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]

EXACT = 2**53
"""Sums up to here stay exact when they are divided or written as numbers in double precision."""
MOST = 2.0**62
"""Where whole numbers of 64 bits come near their end."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts by group and measure.

    Parameters
    ----------
    total, covered, uncovered, unknown
        int64 [number of groups, number of measures]; the last three add up to the first.
    """

    total: Ints
    covered: Ints
    uncovered: Ints
    unknown: Ints

    @property
    def rate(self) -> Floats:
        """Covered share of those whose walk is known; NaN where there are none."""
        return rates(self.covered, self.covered + self.uncovered)


def rates(part: Ints, whole: Ints) -> Floats:
    """Return part ÷ whole, NaN where the whole is 0.

    Examples
    --------
    >>> rates(np.array([1, 0]), np.array([4, 0])).tolist()
    [0.25, nan]
    """
    share = np.full(np.shape(whole), np.nan)
    np.divide(part, whole, out=share, where=np.asarray(whole) > 0)
    return share


def within(cost: Floats, limit: float) -> Bools:
    """Tell who is within the limit: cost <= limit, unrounded.

    Examples
    --------
    >>> within(np.array([300.0, 300.0001, np.inf]), 300.0).tolist()
    [True, False, False]
    """
    return np.asarray(cost <= limit, dtype=np.bool_)


def group_sums(weights: Ints, groups: Ints, n_groups: int, *, rows: Bools | None = None) -> Ints:
    """Sum integer weights by group, exactly.

    Parameters
    ----------
    weights
        int64 [n, k].
    groups
        int64 [n], -1 for rows of no group.
    n_groups
        How many groups there are.
    rows
        bool [n], the rows that count; all where not given.

    Returns
    -------
    int64 [n_groups, k]

    Raises
    ------
    InputError
        When the sums are larger than `EXACT`.

    Examples
    --------
    >>> group_sums(np.array([[5], [7], [9]]), np.array([1, 0, 1]), 2).tolist()
    [[7], [14]]
    """
    counted = np.ones(len(groups), dtype=np.bool_) if rows is None else rows
    whole = float(max(weights.max(initial=0), -weights.min(initial=0))) * len(weights)  # at most, and quickly
    if whole >= EXACT:
        whole = float(np.abs(weights).sum(axis=0, dtype=np.float64).max())
    sums = kernels_coverage.sums_by_group(
        read_only(weights.astype(np.int64, copy=False)),
        read_only(groups.astype(np.int64, copy=False)),
        read_only(counted),
        n_groups,
    )
    if whole >= EXACT and (np.abs(sums).max() >= EXACT or whole >= MOST):
        message = "the sums are too large to be exact"
        raise InputError(message, Fault("gis.coverage_too_large", value=whole))
    return sums


def tally(covered: Bools, known: Bools, weights: Ints, groups: Ints, n_groups: int) -> Tally:
    """Count covered, uncovered and unknown by group.

    Parameters
    ----------
    covered
        bool [n], within the limit. Rows that are not known count as unknown whatever stands here.
    known
        bool [n], whether the row's walk could be measured at all.
    weights
        int64 [n, k], who lives there: one column a measure.
    groups
        int64 [n], -1 for rows of no group.
    n_groups
        How many groups there are.

    Returns
    -------
    Tally

    Raises
    ------
    InputError
        When weights are not integers or negative, or shapes differ.

    Examples
    --------
    >>> people = np.array([[10], [20], [30]])
    >>> counted = tally(np.array([True, False, True]), np.array([True, True, False]), people, np.array([0, 0, 0]), 1)
    >>> counted.total.item(), counted.covered.item(), counted.uncovered.item(), counted.unknown.item()
    (60, 10, 20, 30)
    """
    _check(covered, known, weights, groups, n_groups)
    total = group_sums(weights, groups, n_groups)
    unknown = group_sums(weights, groups, n_groups, rows=~known)
    reached = group_sums(weights, groups, n_groups, rows=covered & known)
    return Tally(total, reached, total - unknown - reached, unknown)


def mostly_covered(covered: Bools, known: Bools, people: Ints, groups: Ints, n_groups: int) -> tuple[Bools, Bools]:
    """Tell which groups (compounds) are covered: at least half of their people whose walk is known are.

    Parameters
    ----------
    covered, known
        bool [n], as in `tally`.
    people
        int64 [n].
    groups
        int64 [n], the compound of each row, -1 for none.
    n_groups
        How many compounds there are.

    Returns
    -------
    covered, known
        bool [n_groups] each; a compound without people, or whose people's walks are all unknown, is not known.

    Examples
    --------
    >>> hit, known = np.array([True, False, False]), np.array([True, True, True])
    >>> mostly_covered(hit, known, np.array([5, 5, 5]), np.array([0, 0, 1]), 3)
    (array([ True, False, False]), array([ True,  True, False]))
    """
    counted = tally(covered, known, people[:, None], groups, n_groups)
    inside, outside = counted.covered[:, 0], counted.uncovered[:, 0]
    sure = inside + outside > 0
    return sure & (inside >= outside), sure


def middle_and_last(cost: Floats, people: Ints, groups: Ints, n_groups: int) -> tuple[Ints, Ints]:
    """Find in each group the resident in the middle and the one with the longest walk.

    People are put in order of their walk. The one in the middle is the first with whom at least half of the group's
    people are counted, so that ``cost[middle] <= limit`` exactly when at least half of them are within the limit; so
    ``cost[last] <= limit`` exactly when all are.

    Parameters
    ----------
    cost
        float64 [n], walks; inf where beyond the search. Not NaN.
    people
        int64 [n]; rows without people count for nothing.
    groups
        int64 [n], -1 for rows of no group.
    n_groups
        How many groups there are.

    Returns
    -------
    middle, last
        int64 [n_groups] each: rows, -1 for groups without people; of equal walks the first row is the middle.

    Examples
    --------
    >>> middle, last = middle_and_last(np.array([900.0, 80.0, 200.0]), np.array([9, 5, 4]), np.array([0, 0, 0]), 2)
    >>> middle.tolist(), last.tolist()
    ([2, -1], [0, -1])
    """
    rows = np.flatnonzero((groups >= 0) & (people > 0))
    order = rows[np.lexsort((rows, cost[rows], groups[rows]))]
    found, start, size = np.unique(groups[order], return_index=True, return_counts=True)
    end = start + size
    so_far = np.concatenate([[0], np.cumsum(people[order])])
    of_row = np.repeat(np.arange(len(found)), size)
    before_half = 2 * (so_far[1:] - so_far[start][of_row]) < (so_far[end] - so_far[start])[of_row]
    middle, last = np.full((2, n_groups), -1, dtype=np.int64)
    middle[found] = order[start + np.bincount(of_row[before_half], minlength=len(found))]
    last[found] = order[end - 1]
    return middle, last


def within_straight(xy: Floats, sites_xy: Floats, limit_m: float) -> Bools:
    """Tell who is within the limit by straight line: only ever shown beside the walk, for comparison.

    Parameters
    ----------
    xy, sites_xy
        float64 [n, 2] and [m, 2] in one metric CRS.
    limit_m
        Metres; "within" is <=.

    Returns
    -------
    bool [n]

    Examples
    --------
    >>> within_straight(np.array([[0.0, 0.0], [0.0, 4.0]]), np.array([[3.0, 0.0]]), 3.0).tolist()
    [True, False]
    """
    if not len(sites_xy) or not len(xy):
        return np.zeros(len(xy), dtype=np.bool_)
    distance, _ = cKDTree(sites_xy).query(xy)
    return within(np.asarray(distance, dtype=np.float64), limit_m)


def _check(covered: Bools, known: Bools, weights: Ints, groups: Ints, n_groups: int) -> None:
    """Refuse shapes that differ, weights that are not counts, and groups that do not exist."""
    if weights.ndim != 2 or not len(covered) == len(known) == len(weights) == len(groups):
        message = (
            f"covered {covered.shape}, known {known.shape}, weights {weights.shape}, groups {groups.shape} do not fit"
        )
        raise InputError(message, Fault("gis.coverage_shapes"))
    if not np.issubdtype(weights.dtype, np.integer) or (weights < 0).any():
        message = "weights must be integers that are not negative"
        raise InputError(message, Fault("gis.coverage_weights"))
    if len(groups) and int(groups.max()) >= n_groups:
        message = f"group {int(groups.max())} does not exist, there are {n_groups}"
        raise InputError(message, Fault("gis.coverage_shapes"))
