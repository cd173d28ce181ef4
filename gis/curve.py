"""How many people for how many sites or how much money: the whole curve in one run, a bound at each point, its knee."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

from .curve_answer import Curve, knee_of
from .curve_money import curve_of_budgets
from .curve_sites import Tracing
from .errors import Fault
from .limited_answer import flagged
from .median_search import Effort
from .money import check_budget, gathered, refuse
from .siting_answer import Case
from .siting_check import as_csr, check_limits
from .siting_cover_check import check_cover, check_sites
from .siting_open import opened
from .siting_reduce import pattern

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Bools: TypeAlias = NDArray[np.bool_]

__all__ = ["Curve", "cover_curve", "knee_of"]


def cover_curve(  # noqa: PLR0913  the options that every model has
    reach: Any,  # noqa: ANN401  scipy's sparse matrices and arrays have no common type
    weights: ArrayLike,
    *,
    most_sites: int | None = None,
    budgets: Sequence[float] | None = None,
    covered: ArrayLike | None = None,
    tie_weights: ArrayLike | None = None,
    site_costs: ArrayLike | None = None,
    must: Sequence[int] = (),
    barred: Sequence[int] = (),
    seconds: float = 60.0,
    gap: float = 0.0,
    seed: int = 0,
) -> Curve:
    """Choose the sites that cover the most for every number of sites up to a largest one, or for every budget.

    Parameters
    ----------
    reach
        Sparse [demand, candidates]; a stored entry, a zero cost too, means within the limit. In a bool matrix only
        True counts.
    weights
        int64 [demand], people or another group; whole and not negative.
    most_sites
        The largest number of sites. The curve begins at one site, or at the number of sites that must be, and ends
        earlier where more sites would add nobody.
    budgets
        Instead of it, what the sites may cost together: rising sums, each of which pays for the cheapest candidate and
        for what must be. One point for each.
    covered
        bool [demand], within reach of an existing facility.
    tie_weights
        int64 [demand], for example elders: among equal choices the one that covers more.
    site_costs
        float64 [candidates], yuan: among equal choices the cheaper one; also what ``cost`` adds up. Budgets need them.
    must, barred
        Candidates that are chosen whatever they bring, and that are not chosen.
    seconds, gap, seed
        Time for the whole curve, relative gap at which the proof of a point may stop, seed of the search.

    Raises
    ------
    InputError
        All that is wrong with the input, together.
    InfeasibleError
        When there are no candidates.

    Notes
    -----
    Maximal covering location problem: Church, R. & ReVelle, C. (1974), Papers of the Regional Science Association 32,
    who drew this curve.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.sparse import csr_array
    >>> reach = csr_array(np.array([[1, 1, 0], [0, 1, 0], [0, 0, 1]], dtype=bool))
    >>> curve = cover_curve(reach, [10, 20, 25], most_sites=3)
    >>> curve.sites.tolist(), curve.covered.tolist(), curve.bound.tolist()
    ([1, 2], [30, 55], [30, 55])
    >>> print(curve)
    2 points up to 55 more, the knee at 1 sites (optimal)
    """
    effort, began = Effort(seconds=seconds, gap=gap, seed=seed), time.perf_counter()
    matrix = as_csr(reach)
    faults: list[Fault] = []
    usable = ~flagged(barred, matrix.shape[1])
    asked = most_sites if most_sites is not None else int(usable.sum())
    with gathered(faults):
        check_limits(seconds, gap)
    with gathered(faults):
        weight, tie, done, costs = check_cover(
            matrix, weights, tie_weights=tie_weights, covered=covered, site_costs=site_costs
        )
    with gathered(faults):
        into, out = check_sites(asked, must, barred, matrix.shape[1])
    faults.extend(_wrong_axis(most_sites, budgets, site_costs, usable, must))
    refuse(faults)
    case = Case(matrix, pattern(matrix).tocsc(), weight, tie, done, costs)
    if budgets is not None:
        return curve_of_budgets(case, into, out, [float(one) for one in budgets], effort, began)
    tracing = Tracing(opened(case, into, out), asked, effort, began)
    tracing.run()
    return tracing.curve()


def _wrong_axis(
    most_sites: int | None,
    budgets: Sequence[float] | None,
    site_costs: ArrayLike | None,
    usable: Bools,
    must: Sequence[int],
) -> list[Fault]:
    """Return what is wrong with what the curve is drawn against."""
    if (most_sites is None) == (budgets is None):
        return [Fault("gis.curve_axis")]
    if budgets is None:
        return []
    if site_costs is None:
        return [Fault("gis.siting_budget_costs")]
    sums = [float(one) for one in budgets]
    if not sums or any(not later > one for one, later in pairwise(sums)):
        return [Fault("gis.curve_budgets", column="budgets")]
    return [fault for one in sums for fault in check_budget(one, site_costs, usable, must)]
