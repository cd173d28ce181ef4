"""Where best for the money: sites that cost different sums, and a budget."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from .errors import Fault, InfeasibleError
from .limited_answer import Ruled, assigned, columns_of, flagged, planned, why
from .median_search import Effort
from .money import as_units, check_budget, gathered, refuse
from .siting_answer import Case
from .siting_check import as_csr, check_limits
from .siting_cover_check import check_cover, check_sites
from .sized import Sized, Sizes, Standing, budgeted_capacity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray
    from scipy.sparse import csr_array

    from .siting_answer import Status

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]

__all__ = ["Budgeted", "Sized", "Sizes", "Standing", "budgeted_capacity", "budgeted_cover"]


@dataclass(frozen=True, slots=True)
class Budgeted:
    """Sites chosen within a budget, how good they are, and why each was chosen.

    Parameters
    ----------
    chosen
        int64 [k], candidates in the order of weight added.
    added
        int64 [k], weight newly covered at each step of that order; sums to ``objective``.
    served, only_here
        int64 [k], weight within reach of the site, whoever else serves it; and of no other site, old or new.
    runner_up, runner_up_loses
        int64 [k], the candidate that would best stand in for the site within the budget, the others staying, and the
        weight lost by it; -1 where none would add anybody.
    cost
        float64 [k], what each site costs.
    spent, budget
        Their sum, and what may be spent.
    objective, bound, gap, status, seconds, assignment, work, seed
        As in `Siting`; no choice within the budget covers more than ``bound``.
    """

    chosen: Ints
    added: Ints
    served: Ints
    only_here: Ints
    runner_up: Ints
    runner_up_loses: Ints
    cost: Floats
    spent: float
    budget: float
    objective: int
    bound: int
    gap: float
    status: Status
    seconds: float
    assignment: Ints
    work: int = 0
    seed: int = 0

    def __str__(self) -> str:
        """Say the result in a sentence."""
        return (
            f"{len(self.chosen)} sites for {self.spent:g} of {self.budget:g} cover {self.objective} more, "
            f"at most {self.bound} are possible ({self.status})"
        )


def budgeted_cover(  # noqa: PLR0913  the options of maximal covering, and the money
    reach: Any,  # noqa: ANN401  scipy's sparse matrices and arrays have no common type
    weights: ArrayLike,
    *,
    site_costs: ArrayLike,
    budget: float,
    covered: ArrayLike | None = None,
    tie_weights: ArrayLike | None = None,
    must: Sequence[int] = (),
    barred: Sequence[int] = (),
    sites: int | None = None,
    seconds: float = 60.0,
    gap: float = 0.0,
    seed: int = 0,
) -> Budgeted:
    """Choose sites within a budget that bring the most weight within reach, counting what is covered already once.

    Parameters
    ----------
    reach
        Sparse [demand, candidates]; a stored entry, a zero cost too, means within the limit. In a bool matrix only
        True counts.
    weights
        int64 [demand], people or another group; whole and not negative.
    site_costs
        float64 [candidates], for example yuan; finite and not negative, read to six decimals.
    budget
        What all chosen sites may cost together.
    covered
        bool [demand], within reach of an existing facility.
    tie_weights
        int64 [demand], for example elders: among equal choices the one that covers more, then the cheaper one, then
        lower numbers.
    must, barred
        Candidates that are chosen whatever they bring, and that are not chosen.
    sites
        How many may be chosen at most; any number unless said.
    seconds, gap, seed
        Time for the proof, relative gap at which it may stop, seed of the search.

    Raises
    ------
    InputError
        For missing, negative or broken weights and costs, a budget that is not a number or is below the cheapest
        candidate or the required ones, sites that cannot be; all faults together.
    InfeasibleError
        When there are no candidates.

    Notes
    -----
    Budgeted maximum coverage: Khuller, S., Moss, A. & Naor, J. (1999), Information Processing Letters 70.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> reach = csr_array(np.array([[1, 1, 0], [0, 1, 0], [0, 0, 1]], dtype=bool))
    >>> print(budgeted_cover(reach, [10, 20, 25], site_costs=[2, 9, 4], budget=10))
    2 sites for 6 of 10 cover 35 more, at most 35 are possible (optimal)
    """
    began = time.perf_counter()
    matrix = as_csr(reach)
    case, into, out = _checked(
        matrix,
        weights,
        (covered, tie_weights, site_costs),
        budget=budget,
        fixed=(must, barred, sites),
        ends=(seconds, gap),
    )
    units, most = as_units(case.costs, budget)
    use, limit = units[None, :], np.array([most])
    if sites is not None:
        use, limit = np.vstack([use, np.ones_like(units)]), np.append(limit, sites)
    ruled = Ruled(use.astype(np.int64), limit.astype(np.int64), units[None, :], into, out)
    effort = Effort(seconds=seconds, gap=gap, seed=seed)
    plan = planned(case, ruled, effort)
    reason = why(case, ruled, plan.chosen)
    return Budgeted(
        chosen=plan.chosen,
        added=plan.added,
        served=reason.served,
        only_here=reason.only_here,
        runner_up=reason.runner_up,
        runner_up_loses=reason.runner_up_loses,
        cost=case.costs[plan.chosen],
        spent=math.fsum(case.costs[plan.chosen]),
        budget=float(budget),
        objective=plan.objective,
        bound=plan.bound,
        gap=plan.gap,
        status=plan.status,
        seconds=time.perf_counter() - began,
        assignment=assigned(case, plan.chosen),
        work=plan.work,
        seed=seed,
    )


def _checked(
    matrix: csr_array,
    weights: ArrayLike,
    given: tuple[ArrayLike | None, ArrayLike | None, ArrayLike],
    *,
    budget: float,
    fixed: tuple[Sequence[int], Sequence[int], int | None],
    ends: tuple[float, float],
) -> tuple[Case, Bools, Bools]:
    """Return the case and the candidates forced in and out, or report all that is wrong together."""
    covered, tie_weights, site_costs = given
    must, barred, sites = fixed
    count = matrix.shape[1]
    free = ~flagged(barred, count)
    if count and not free.any():
        message = "there are no candidates to choose from"
        raise InfeasibleError(message, Fault("gis.siting_no_candidates"))
    faults: list[Fault] = []
    with gathered(faults):
        weight, tie, done, costs = check_cover(
            matrix, weights, tie_weights=tie_weights, covered=covered, site_costs=site_costs
        )
    with gathered(faults):
        into, out = check_sites(int(free.sum()) if sites is None else sites, must, barred, count)
    with gathered(faults):
        check_limits(*ends)
    refuse([*faults, *check_budget(budget, site_costs, free, must)])
    return Case(matrix, columns_of(matrix), weight, tie, done, costs), into, out
