"""The most people within reach, with the least share of each group as a condition, or the worst-off group first."""

from __future__ import annotations

import time
from dataclasses import replace
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from .errors import Fault, SolverError
from .fair_answer import FairSiting, Level, answer_fair
from .fair_check import Least, check_fair
from .fair_problem import Ask, grouped
from .fair_search import Most, Search
from .fair_why import refuse
from .fair_worst import worst_first
from .median_search import Effort
from .siting_answer import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from .fair_check import FairCase

    Ints: TypeAlias = NDArray[np.int64]
    Bools: TypeAlias = NDArray[np.bool_]

__all__ = ["FairSiting", "Level", "fair_cover", "worst_first_cover"]


def fair_cover(  # noqa: PLR0913  the options that every model has
    reach: Any,  # noqa: ANN401  scipy's sparse matrices and arrays have no common type
    weights: ArrayLike,
    groups: ArrayLike,
    *,
    sites: int,
    least: Least,
    covered: ArrayLike | None = None,
    tie_weights: ArrayLike | None = None,
    site_costs: ArrayLike | None = None,
    must: Sequence[int] = (),
    barred: Sequence[int] = (),
    seconds: float = 60.0,
    gap: float = 0.0,
    seed: int = 0,
) -> FairSiting:
    """Choose sites that cover the most weight while each group has at least a share of its people covered.

    Parameters
    ----------
    reach
        Sparse [demand, candidates]; a stored entry, a zero cost too, means within the limit. In a bool matrix only
        True counts.
    weights
        int64 [demand], people; whole and not negative.
    groups
        int64 [demand], for example the ring or district of each row; -1 for none. A group without people asks nothing.
    sites
        How many may be chosen.
    least
        The least share of every group, 0 … 1, or shares by group. A decimal counts as it is written, 0.8 as 8 ÷ 10;
        people covered by existing facilities count.
    covered
        bool [demand], within reach of an existing facility.
    tie_weights
        int64 [demand], for example elders: among equal choices the one that covers more.
    site_costs
        float64 [candidates]: among those, exchanges for cheaper sites are made while nothing is lost.
    must, barred
        Candidates that are chosen whatever they bring, and that are not chosen.
    seconds
        Time for the whole.
    gap, seed
        Relative gap at which the proof may stop, seed of the search.

    Returns
    -------
    FairSiting
        Its bound is of the choices that give each group its share.

    Raises
    ------
    InputError
        All that is wrong with the input, together.
    InfeasibleError
        When there are no candidates, or no choice gives the groups their shares: the faults name the groups and the
        best rates possible.
    SolverError
        When neither a choice that does nor a proof that there is none was found in time.

    Notes
    -----
    Maximal covering (Church & ReVelle 1974) with coverage of each group as a constraint.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> reach = csr_array(np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=bool))
    >>> fair_cover(reach, [30, 25, 5], [0, 0, 1], sites=2, least=0).chosen.tolist()
    [0, 1]
    >>> fair = fair_cover(reach, [30, 25, 5], [0, 0, 1], sites=2, least={1: 0.5})
    >>> fair.chosen.tolist(), fair.objective, fair.after.tolist(), fair.people.tolist()
    ([0, 2], 35, [30, 5], [55, 5])
    """
    effort, began = Effort(seconds=seconds, gap=gap, seed=seed), time.perf_counter()
    case = check_fair(
        reach,
        weights,
        groups,
        least=least,
        sites=sites,
        forced=(must, barred),
        limits=(seconds, gap),
        others={"covered": covered, "tie_weights": tie_weights, "site_costs": site_costs},
    )
    shares = zip(case.least, case.groups.people.tolist(), strict=True)
    asked = np.array([ceil(share * people) for share, people in shares], dtype=np.int64)
    problem = grouped(case.left, case.groups.of, case.have, list(map(Fraction, case.groups.people.tolist())))
    search = Search(problem, sites - len(case.left.forced), effort, began + seconds)
    ask = Ask(np.maximum(asked - case.have, 0)[:, None], np.array([len(asked)], dtype=np.int64))
    start = search.meeting(ask, np.zeros(0, dtype=np.int64))
    if start.chosen is None and not start.impossible:
        message = "neither sites that give the groups their shares nor a proof that there are none were found in time"
        raise SolverError(message, Fault("gis.fair_no_answer", value=sites))
    if start.chosen is None:
        refuse(case, search, asked)
    found = search.most(ask, start.chosen)
    return answer_fair(
        case,
        case.left.free[problem.candidate[found.chosen]],
        _ended(case, found, search.work, began),
        effort,
        least=asked,
        fair=lambda after: np.asarray((after >= asked).all(axis=1)),
    )


def worst_first_cover(  # noqa: PLR0913  the options that every model has
    reach: Any,  # noqa: ANN401  scipy's sparse matrices and arrays have no common type
    weights: ArrayLike,
    groups: ArrayLike,
    *,
    sites: int,
    covered: ArrayLike | None = None,
    tie_weights: ArrayLike | None = None,
    site_costs: ArrayLike | None = None,
    must: Sequence[int] = (),
    barred: Sequence[int] = (),
    seconds: float = 60.0,
    gap: float = 0.0,
    seed: int = 0,
) -> FairSiting:
    """Choose sites so that the worst-off group fares best, then the second worst, and so on, then the most weight.

    Parameters
    ----------
    reach, weights, groups, sites, covered, tie_weights, site_costs, must, barred, seconds, seed
        As of `fair_cover`.
    gap
        Relative gap of the weight at which its proof may stop; the rates are compared exactly.

    Returns
    -------
    FairSiting
        ``levels`` has the rates from the worst to the best, each with its proven bound; ``objective`` and ``bound`` are
        of the weight among choices with the same rates. The status is ``optimal`` when all of them are proven.

    Raises
    ------
    InputError
        All that is wrong with the input, together; also where no row belongs to a group with people.
    InfeasibleError
        When there are no candidates.

    Notes
    -----
    Lexicographic maximin by ordered outcomes: Ogryczak, W. & Śliwiński, T. (2003), On solving linear programs with the
    ordered weighted averaging objective, European Journal of Operational Research 148. A rate that several groups have
    counts once for each, so that who is the worst is not fixed beforehand.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> reach = csr_array(np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=bool))
    >>> worst = worst_first_cover(reach, [30, 25, 5], [0, 0, 1], sites=1)
    >>> worst.chosen.tolist(), [str(level.rate) for level in worst.levels]
    ([2], ['0', '1'])
    """
    effort, began = Effort(seconds=seconds, gap=gap, seed=seed), time.perf_counter()
    case = check_fair(
        reach,
        weights,
        groups,
        least=0,
        sites=sites,
        forced=(must, barred),
        limits=(seconds, gap),
        others={"covered": covered, "tie_weights": tie_weights, "site_costs": site_costs},
    )
    problem = grouped(case.left, case.groups.of, case.have, list(map(Fraction, case.groups.people.tolist())))
    search = Search(problem, sites - len(case.left.forced), effort, began + seconds)
    found, levels, ask = worst_first(search, case.groups.number)
    need = ask.need.T + case.have

    def fair(after: Ints) -> Bools:
        return np.asarray(((after[:, None, :] >= need).sum(axis=2) >= ask.groups).all(axis=1))

    answered = answer_fair(
        case,
        case.left.free[problem.candidate[found.chosen]],
        _ended(case, found, search.work, began),
        effort,
        least=np.zeros(len(case.have), dtype=np.int64),
        fair=fair,
    )
    return _with_levels(answered, levels)


def _ended(case: FairCase, found: Most, work: int, began: float) -> Outcome:
    """Return how the search ended."""
    return Outcome(
        bound=case.left.base + found.bound,
        proven=found.bound == found.value,
        late=found.late,
        work=work,
        into=case.left.into,
        out=case.left.out,
        began=began,
    )


def _with_levels(one: FairSiting, levels: tuple[Level, ...]) -> FairSiting:
    """Return the answer with its rates; it is proven where all of them are."""
    if all(level.proven for level in levels):
        return replace(one, levels=levels)
    return replace(one, levels=levels, status="time_limit")
