"""Where best for the sum of walks: the p-median, with existing sites and demand beyond the limit."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from .cover_search import fewest
from .errors import Fault, InfeasibleError, InputError, SolverError
from .kernels_median import nearest_two
from .located import Run, Score, StandIns, alternatives, answer, problem_of
from .median_search import Choice, Effort, search
from .set_cover import needs_of
from .siting_check import Fixed, check, check_limits, out_of_reach, refuse_unreachable

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from .located import Located
    from .median_search import Found, Median
    from .siting_check import Given

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]


def p_median(  # noqa: PLR0913  the model, then how it is solved
    reach: Any,  # noqa: ANN401  scipy's sparse matrices and arrays have no common type
    weights: ArrayLike,
    *,
    sites: int,
    beyond: float | None = None,
    leave_unreachable: bool = False,
    fixed: Fixed | None = None,
    tie_weights: ArrayLike | None = None,
    site_costs: ArrayLike | None = None,
    effort: Effort | None = None,
) -> Located:
    """Choose sites so that the sum over all demand of weight times the walk to the nearest site is least.

    Parameters
    ----------
    reach
        Sparse [demand, columns] of walking metres or seconds, zeros stored; what is not stored is beyond the limit.
    weights
        int64 [demand], people or another group; whole and not negative.
    sites
        How many may be chosen beside the existing ones; fewer are when more would shorten no walk.
    beyond
        What a person out of reach of every open site costs; at least the largest cost stored. None: all must be
        reached.
    leave_unreachable
        With ``beyond`` None: leave out demand that no column reaches, instead of refusing.
    fixed
        Columns that stand already, must be or must not be chosen.
    tie_weights
        int64 [demand], for example elders: among equal answers the one with the least sum of their walks.
    site_costs
        float64 [columns]: among those the cheapest, then the lowest columns.
    effort
        Limits of the search.

    Returns
    -------
    Located
        Its objective is the sum of weight times walk, ``beyond`` for those out of reach.

    Raises
    ------
    InputError
        All that is wrong with the input, together.
    InfeasibleError
        Without candidates, with demand that none of them reaches, or when as many sites cannot reach everybody.
    SolverError
        When no answer that reaches everybody was found in time.

    Notes
    -----
    Hakimi, S. L. (1964), Operations Research 12; the method: `lifecircle.gis.median_search`.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> reach = csr_array(np.array([[100.0, 300.0], [400.0, 50.0], [10.0, 200.0]]))
    >>> print(p_median(reach, [10, 20, 5], sites=1, beyond=500))
    1 sites: 5000, no choice is below 5000 (optimal)
    """
    began = time.perf_counter()
    effort = effort or Effort()
    fixed = fixed or Fixed()
    check_limits(effort.seconds, effort.gap)
    given = check(reach, weights, fixed=fixed, sites=sites, tie_weights=tie_weights, site_costs=site_costs)
    unreachable = np.zeros(0, dtype=np.int64)
    if beyond is None:
        unreachable = out_of_reach(given)
        if not leave_unreachable:
            refuse_unreachable(given, unreachable)
    elif not (np.isfinite(beyond) and beyond >= given.matrix.data.max(initial=0.0)):
        largest = float(given.matrix.data.max(initial=0.0))
        message = f"a person beyond reach must cost at least the longest walk stored, {largest:g}; was {beyond}"
        raise InputError(message, Fault("gis.siting_beyond", value=beyond, detail={"largest": largest}))
    problem, everybody = problem_of(given, given.weight, beyond)
    found = _found(given, problem, everybody, sites, effort)
    limit = float(given.matrix.data.max(initial=0.0)) if beyond is None else beyond
    shown, _ = problem_of(given, given.weight, limit)
    others = alternatives(given, problem, found.is_open)
    return answer(
        given,
        shown,
        found.is_open,
        Score(found.value, found.bound, found.late, found.nodes),
        StandIns(np.where(others.loses < everybody, others.other, -1), others.loses),
        Run(began, effort, unreachable),
    )


def _rank(given: Given) -> Any:  # noqa: ANN401  a function or nothing
    """Return by what equal answers are ordered: walks of the second weight, costs of the sites, lowest columns."""
    if not given.tie.any() and not given.site_cost.any():
        return None
    ties, _ = problem_of(given, given.tie, float(given.matrix.data.max(initial=0.0)))

    def rank(is_open: Bools) -> tuple[float, ...]:
        near = nearest_two(ties.indptr, ties.col, ties.cost, ties.base, is_open)[1]
        columns = np.flatnonzero(is_open)
        return (round(float(near.sum()), 6), float(given.site_cost[columns].sum()), *columns.tolist())

    return rank


def _found(given: Given, problem: Median, everybody: float, sites: int, effort: Effort) -> Found:
    """Search; where not everybody was reached, say why, or begin anew from sites that do reach everybody."""
    choice = Choice(sites, given.must, given.barred | given.existing, rank=_rank(given))
    found = search(problem, choice, effort)
    if found.value < everybody:
        return found
    deadline = time.perf_counter() + effort.seconds
    cover = fewest(needs_of(given), seconds=effort.seconds, most=sites)
    if cover.chosen is None and not cover.late:
        message = f"{sites} sites cannot reach everybody: at least {cover.bound:g} are needed"
        detail = {"needed": int(cover.bound)}
        raise InfeasibleError(message, Fault("gis.siting_too_few", value=sites, detail=detail))
    if cover.chosen is not None:
        left = replace(effort, seconds=max(0.0, deadline - time.perf_counter()))
        return search(problem, replace(choice, start=cover.chosen & ~given.existing), left)
    message = f"no {sites} sites that reach everybody were found in {effort.seconds:g} s; allow more time"
    raise SolverError(message, Fault("gis.siting_no_answer", value=sites, detail={"seconds": effort.seconds}))
