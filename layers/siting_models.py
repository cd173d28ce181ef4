"""Which model answers a wish: the solvers of `lifecircle.gis` behind one kind of answer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..gis.budgeted import budgeted_cover
from ..gis.capacitated import capacitated_cover
from ..gis.errors import Fault, InputError
from ..gis.pcentre import p_centre
from ..gis.pmedian import p_median
from ..gis.set_cover import set_cover
from ..gis.siting import CoverModel
from ..gis.siting_check import Fixed
from .offers import FAR_MODELS, beside, pick
from .siting_case import costs_of, room_of, rows_of
from .siting_choice import Choice, effort_of, nothing_left, plainly, sites_of
from .siting_features import closing, fair, phased

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from .offers import Kept
    from .settings import SitingSection
    from .siting_case import Case

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

RUNNERS_MOST = 200
"""Up to so many candidates, stand-ins of sites with places are looked for: each takes a transport problem."""


def choose(case: Case, siting: SitingSection, kept: Kept) -> Choice:
    """Return the answer to a wish by the model that it names.

    Parameters
    ----------
    case
        The wish made ready; it has candidates.
    siting
        Time, gap and seed.
    kept
        The groups that the answer is to be fair to, where that is asked.

    Raises
    ------
    InputError
        For what the model lacks or refuses.
    InfeasibleError
        Where there is no answer; the faults say why.
    """
    wish = case.wish
    if wish.close:
        return closing(case, siting)
    if wish.least is not None or wish.worst_first:
        return fair(case, siting, kept)
    if wish.phases or wish.phase_yuan:
        return phased(case, siting)
    return MODELS[wish.model](case, siting)


def _max_cover(case: Case, siting: SitingSection) -> Choice:
    """Return the sites that bring the most within the limit."""
    costs = costs_of(case, needed=False)
    model = CoverModel(case.reach, case.weights, covered=case.covered, tie_weights=case.tie, site_costs=costs)
    answer = model.solve(sites=sites_of(case), must=case.must.tolist(), effort=effort_of(siting))
    return plainly(answer, costs=costs)


def _budgeted(case: Case, siting: SitingSection) -> Choice:
    """Return the sites that bring the most within the limit for the money."""
    costs = costs_of(case, needed=True)
    budget = float(case.wish.budget_yuan or 0.0)
    answer = budgeted_cover(
        case.reach,
        case.weights,
        site_costs=costs if costs is not None else [],
        budget=budget,
        covered=case.covered,
        tie_weights=case.tie,
        must=case.must.tolist(),
        sites=None if case.wish.sites is None else sites_of(case),
        seconds=siting.seconds,
        gap=siting.gap,
        seed=siting.seed,
    )
    return plainly(answer, costs=costs, budget=budget)


def _set_cover(case: Case, siting: SitingSection) -> Choice:
    """Return the fewest, or the cheapest, sites that reach all whom a candidate reaches."""
    left = np.where(case.covered, 0, case.weights)
    left[np.diff(case.reach.indptr) == 0] = 0
    costs = costs_of(case, needed=case.wish.cost_yuan is not None or case.wish.cost_yuan_per_m2 is not None)
    if not left.any():
        return nothing_left("unreachable" if (case.weights[~case.covered] > 0).any() else "all_covered", siting.seed)
    fixed = Fixed(must=case.must.tolist())
    answer = set_cover(
        case.reach, left, leave_unreachable=True, fixed=fixed, site_costs=costs, effort=effort_of(siting)
    )
    return plainly(answer, costs=costs)


def _with_what_stands(case: Case) -> tuple[csr_array, Ints, Fixed]:
    """Return walks to what stands and to the candidates beside it, the weights with a known walk, and what is fixed."""
    offer, count = case.offer, case.homes
    stand = rows_of(offer.stand_reach, count)
    new = rows_of(pick(offer.reach, columns=case.fits), count)
    first = stand.shape[1]
    fixed = Fixed(existing=range(first), must=(case.must + first).tolist())
    return beside(stand, new), np.where(case.known, case.weights, 0), fixed


def _without_what_stands(choice: Choice, first: int) -> Choice:
    """Return a choice whose columns count from the first candidate."""
    other = np.where(choice.runner_up >= 0, choice.runner_up - first, -1)
    return replace(choice, chosen=choice.chosen - first, runner_up=other)


def _p_median(case: Case, siting: SitingSection) -> Choice:
    """Return the sites with the least sum of walks; beyond the farthest walk known, that walk counts."""
    walks, weights, fixed = _with_what_stands(case)
    first = len(case.offer.stand)
    costs = costs_of(case, needed=False)
    priced = None if costs is None else np.concatenate([np.zeros(first), costs])
    tie = np.where(case.known, case.tie, 0)
    answer = p_median(
        walks,
        weights,
        sites=sites_of(case),
        beyond=case.offer.farthest,
        fixed=fixed,
        tie_weights=tie,
        site_costs=priced,
        effort=effort_of(siting),
    )
    return _without_what_stands(plainly(answer, costs=costs), first)


def _p_centre(case: Case, siting: SitingSection) -> Choice:
    """Return the sites with the shortest longest walk of those whom any can reach."""
    walks, weights, fixed = _with_what_stands(case)
    tie = np.where(case.known, case.tie, 0)
    answer = p_centre(
        walks,
        weights,
        sites=sites_of(case),
        leave_unreachable=True,
        fixed=fixed,
        tie_weights=tie,
        effort=effort_of(siting),
    )
    return _without_what_stands(plainly(answer), len(case.offer.stand))


def _capacitated(case: Case, siting: SitingSection) -> Choice:
    """Return the sites that give the most people a place within the limit."""
    stand_room, room = room_of(case)
    walks, weights, fixed = _with_what_stands(case)
    answer = capacitated_cover(
        pick(walks, limit=case.offer.limit),
        weights,
        np.concatenate([stand_room, room]),
        sites=sites_of(case),
        fixed=fixed,
        effort=effort_of(siting),
        runners_up=len(case.fits) <= RUNNERS_MOST,
    )
    return _without_what_stands(plainly(answer, room=room), len(case.offer.stand))


MODELS: dict[str, Callable[[Case, SitingSection], Choice]] = {
    "max_cover": _max_cover,
    "budgeted": _budgeted,
    "set_cover": _set_cover,
    "p_median": _p_median,
    "p_centre": _p_centre,
    "capacitated": _capacitated,
}


def check_far(case: Case) -> None:
    """Refuse a model that looks beyond the limit where no longer walks are kept.

    Raises
    ------
    InputError
        Then.
    """
    if case.wish.model in FAR_MODELS and case.offer.farthest <= case.offer.limit:
        detail = {"facility_class": case.offer.facility_class, "model": case.wish.model, "given": case.offer.farthest}
        fault = Fault("siting.not_far", detail=detail)
        message = f"{case.offer.facility_class}: walks are known up to {case.offer.farthest:g} only"
        raise InputError(message, fault)
