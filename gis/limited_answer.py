"""The answer of covering under limits: the sites in order, why each was chosen, and what stands in for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from .kernels_budget import stand_ins_within
from .kernels_cover import nearest_of
from .limited_cover import Limited, limited
from .limited_search import Found, search
from .siting_reduce import pattern

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from .median_search import Effort
    from .siting_answer import Case, Status

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Ruled:
    """What the columns of a case are subject to.

    Parameters
    ----------
    use, most
        int64 [limits, columns] and [limits].
    aims
        int64 [aims, columns], what decides among equals.
    into, out
        bool [columns], forced in and out.
    """

    use: Ints
    most: Ints
    aims: Ints
    into: Bools
    out: Bools


@dataclass(frozen=True, slots=True)
class Planned:
    """A choice and how good it is.

    Parameters
    ----------
    chosen, added
        int64 [k], columns in the order of the weight they add, and that weight.
    objective, bound, gap, status, work
        As in `Siting`.
    """

    chosen: Ints
    added: Ints
    objective: int
    bound: int
    gap: float
    status: Status
    work: int


@dataclass(frozen=True, slots=True)
class Reasons:
    """Why each chosen column was chosen; the names are those of `Siting`."""

    served: Ints
    only_here: Ints
    runner_up: Ints
    runner_up_loses: Ints


def columns_of(matrix: csr_array) -> Any:  # noqa: ANN401  a csc_array, as `Case` takes it
    """Return a reach by columns, ones where an entry is stored, with the indices that compiled loops take."""
    columns = pattern(matrix).tocsc()
    columns.sort_indices()
    columns.indptr, columns.indices = columns.indptr.astype(np.int32), columns.indices.astype(np.int32)
    return columns


def flagged(named: Sequence[int], count: int) -> Bools:
    """Return the named columns as flags; names that no column has are left to the checks.

    Examples
    --------
    >>> flagged([1, 7], 3).tolist()
    [False, True, False]
    """
    flags = np.zeros(count, dtype=np.bool_)
    flags[[int(one) for one in named if one == int(one) and 0 <= one < count]] = True
    return flags


def planned(case: Case, ruled: Ruled, effort: Effort) -> Planned:
    """Choose the columns that cover the most weight under the limits, and put them in order.

    Parameters
    ----------
    case
        The covering problem.
    ruled
        Its limits. Columns that free a limit stand already; with them and those forced in, all limits are kept to.
    effort
        Limits of the search.
    """
    forced = ruled.into
    met = case.reached_by(np.flatnonzero(forced))
    base = int(case.left[met].sum())
    whole = Limited(
        pattern(case.matrix), case.left, case.left_tie, ruled.use,
        ruled.most - ruled.use[:, forced].sum(axis=1), ruled.aims, np.arange(ruled.use.shape[1]),
    )  # fmt: skip
    small = limited(whole, ~case.done & ~met, ~(ruled.out | forced))
    found = Found(small.begin, 0, proven=True, late=False, work=0)
    if small.weight.any():
        found = search(small, effort)
    inside = forced.copy()
    inside[small.candidate[found.inside]] = True
    chosen, added = ordered(case, inside, ruled)
    objective, bound = int(added.sum()), base + found.bound
    gap = (bound - objective) / bound if bound else 0.0
    status: Status = "time_limit" if found.late else "work_limit"
    if not small.weight.any() and not len(chosen):
        status = "unreachable" if case.left.any() else "all_covered"
    elif found.proven:
        status = "optimal"
    elif gap <= effort.gap:
        status = "within_gap"
    return Planned(chosen, added, objective, bound, gap, status, found.work)


def ordered(case: Case, inside: Bools, ruled: Ruled) -> tuple[Ints, Ints]:
    """Order columns by weight added, second weight, aims and number; those that add nothing stay where they must."""
    left, left_tie = case.left, case.left_tie
    stay = ruled.into | (ruled.use < 0).any(axis=0)
    rest = np.flatnonzero(inside).tolist()
    aims = {one: tuple((-ruled.aims[:, one]).tolist()) for one in rest}
    worth = {one: (int(left[case.rows(one)].sum()), int(left_tie[case.rows(one)].sum())) for one in rest}
    chosen, added = [], []
    while rest:
        best = max(rest, key=lambda one: (*worth[one], *aims[one], -one))
        rows = case.rows(best)
        now = (int(left[rows].sum()), int(left_tie[rows].sum()))
        if now != worth[best]:  # what a column adds only shrinks, so it is counted anew only when it comes up
            worth[best] = now
            continue
        rest.remove(best)
        if now[0] > 0 or stay[best]:
            chosen.append(best)
            added.append(now[0])
            left[rows] = 0
            left_tie[rows] = 0
    return np.array(chosen, dtype=np.int64), np.array(added, dtype=np.int64)


def why(case: Case, ruled: Ruled, chosen: Ints, asked: Ints | None = None) -> Reasons:
    """Return whom each of the columns asked for serves, and what would stand in for it within the limits.

    Parameters
    ----------
    chosen
        int64 [k], all columns of the answer.
    asked
        int64 [a], those of them to explain; all unless said.
    """
    asked = chosen if asked is None else asked
    inside = np.zeros(ruled.use.shape[1], dtype=np.bool_)
    inside[chosen] = True
    matrix = case.matrix
    indptr, indices = matrix.indptr.astype(np.int32), matrix.indices.astype(np.int32)
    free = ~ruled.out
    only, other, loses = stand_ins_within(
        indptr, indices, case.columns.indptr, case.columns.indices, case.left, ruled.use, ruled.most,
        ruled.aims[0], free, inside, asked,
    )  # fmt: skip
    served = np.array([case.weight[case.rows(one)].sum() for one in asked], dtype=np.int64)
    return Reasons(served, only, other, loses)


def assigned(case: Case, chosen: Ints) -> Ints:
    """Return for each row not covered before the nearest of the columns, the first one when equal, -1 where none is."""
    matrix = case.matrix
    assignment = np.full(matrix.shape[0], -1, dtype=np.int64)
    rank = np.full(matrix.shape[1], -1, dtype=np.int64)
    rank[chosen] = np.arange(len(chosen))
    costs = np.zeros(1) if matrix.dtype == np.bool_ else matrix.data.astype(np.float64, copy=False)
    nearest_of(matrix.indptr, matrix.indices, costs, rank, case.done, assignment)
    return assignment
