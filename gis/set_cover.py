"""The fewest sites that reach everybody, once or with a backup."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from scipy.sparse import csr_array

from .cover_search import Needs, fewest, most_backup
from .errors import Fault, InputError, SolverError
from .located import Run, Score, StandIns, answer, problem_of, reached
from .median_search import Effort
from .siting_check import Fixed, check, check_limits, out_of_reach, refuse_unreachable
from .siting_reduce import pattern

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from .located import Located
    from .median_search import Median
    from .siting_check import Given

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]


def needs_of(given: Given, *, times: int = 1, priced: bool = False) -> Needs:
    """Return the covering problem of all demand with weight, each row by as many columns as there are, at most `times`.

    Parameters
    ----------
    given
        Checked input; existing columns count and cost nothing.
    times
        By how many columns each row is to be reached.
    priced
        Whether columns cost what their sites cost; else 1 each.
    """
    wanted = np.flatnonzero(given.weight > 0)
    cover = csr_array(pattern(given.matrix)[wanted])
    stay = ~given.barred[cover.indices]
    ends = np.concatenate([[0], np.cumsum(stay)])[cover.indptr]
    cover = csr_array((cover.data[stay], cover.indices[stay], ends), shape=cover.shape)
    need = np.minimum(times, np.diff(cover.indptr)).astype(np.int64)
    cost = given.site_cost.copy() if priced else np.ones(cover.shape[1])
    cost[given.existing] = 0.0
    return Needs(cover, need, cost, given.existing | given.must)


def set_cover(
    reach: Any,  # noqa: ANN401  scipy's sparse matrices and arrays have no common type
    weights: ArrayLike,
    *,
    times: int = 1,
    prefer_backup: bool = False,
    leave_unreachable: bool = False,
    fixed: Fixed | None = None,
    site_costs: ArrayLike | None = None,
    effort: Effort | None = None,
) -> Located:
    """Choose the fewest sites, or the cheapest, so that all demand with weight is within reach.

    Parameters
    ----------
    reach
        Sparse [demand, columns]; a stored entry, a zero cost too, means within the limit. In a bool matrix only True
        counts.
    weights
        int64 [demand]; rows of weight 0 need nothing.
    times
        By how many sites, existing ones too, each row is to be reached: 2 for a backup.
    prefer_backup
        Among equally few take the sites that reach the most weight twice.
    leave_unreachable
        Let demand that too few columns reach have as many as there are, instead of refusing.
    fixed
        Columns that stand already, must be or must not be chosen.
    site_costs
        float64 [columns]; then the sum of costs is least, not the number.
    effort
        Limits of the search; its nodes and seed do not matter here.

    Returns
    -------
    Located
        Its objective is the number of sites beside the existing ones, or their cost; ``saved`` is the weight newly
        reached; ``unreachable`` holds the rows that too few columns reach.

    Raises
    ------
    InputError
        All that is wrong with the input, together.
    InfeasibleError
        Without candidates, or with demand that too few columns reach.

    Notes
    -----
    Toregas, C. et al. (1971), Operations Research 19; backup: Hogan, K. & ReVelle, C. (1986), Management Science 32.

    Examples
    --------
    >>> reach = csr_array(np.array([[1, 1, 0], [0, 1, 0], [0, 0, 1]], dtype=bool))
    >>> set_cover(reach, [10, 20, 25]).chosen.tolist()
    [1, 2]
    """
    began = time.perf_counter()
    effort = effort or Effort()
    check_limits(effort.seconds, effort.gap)
    given = check(reach, weights, fixed=fixed or Fixed(), site_costs=site_costs)
    if times < 1:
        message = f"each row must be reached at least once, was {times}"
        raise InputError(message, Fault("gis.siting_times", value=times))
    unreachable = out_of_reach(given, np.full(len(given.weight), times))
    if not leave_unreachable:
        refuse_unreachable(given, unreachable, times)
    needs = needs_of(given, times=times, priced=site_costs is not None)
    cover = fewest(needs, seconds=effort.seconds, gap=effort.gap)
    late, open_columns = cover.late, cover.chosen
    if open_columns is None:
        message = "the solver lost the answer it began with"
        raise SolverError(message)
    if prefer_backup:
        wanted = given.weight[given.weight > 0]
        left = effort.seconds - (time.perf_counter() - began)
        open_columns, backup_late = most_backup(needs, wanted, open_columns, seconds=left)
        late |= backup_late
    new = open_columns & ~given.existing
    score = Score(float(needs.cost[new].sum()), cover.bound, late, 1)
    shown = newly_reached(given)
    others = _stand_ins(needs, open_columns, ~open_columns & ~given.barred)
    return answer(given, shown, new, score, others, Run(began, effort, unreachable))


def newly_reached(given: Given) -> Median:
    """Return the problem in which a site saves the weight that it brings within reach."""
    bare = csr_array((np.zeros(given.matrix.nnz), given.matrix.indices, given.matrix.indptr), shape=given.matrix.shape)
    return problem_of(replace(given, matrix=bare), given.weight, 1.0)[0]


def _stand_ins(needs: Needs, open_columns: Bools, closed: Bools) -> StandIns:
    """Return for each open column the cheapest one that meets the needs in its place, the first when equal."""
    count = len(open_columns)
    other, loses = np.full(count, -1, dtype=np.int64), np.full(count, np.inf)
    times = needs.cover.astype(np.int64) @ open_columns.astype(np.int64)
    columns = needs.cover.tocsc()
    for column in np.flatnonzero(open_columns):
        own = reached(columns, column)
        short = own[times[own] <= needs.need[own]]
        meets = np.bincount(needs.cover[short].indices, minlength=count) == len(short)
        able = np.flatnonzero(meets & closed)
        if len(able):
            other[column] = able[np.argmin(needs.cost[able])]
            loses[column] = needs.cost[other[column]] - needs.cost[column]
    return StandIns(other, loses)
