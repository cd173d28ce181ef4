"""What maximal covering can do besides: closing what stands, fairness, phases, and the curve of people reached."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..gis.curve import cover_curve
from ..gis.errors import Fault, InfeasibleError, InputError
from ..gis.fair import fair_cover, worst_first_cover
from ..gis.phased import phased_cover
from ..gis.relocate import Money, relocate
from .offers import beside, pick
from .siting_case import costs_of, rows_of, stand_rows
from .siting_choice import plainly, sites_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .offers import Kept
    from .residents import Groups
    from .settings import SitingSection
    from .siting_case import Case
    from .siting_choice import Choice

    Ints = NDArray[np.int64]

CURVE_TIMES, CURVE_LEAST = 2, 5
"""A curve that nobody limited goes to so many times the sites wished for, and to so many at least."""
QUARTERS = 4
CURVE_SHARE = 0.5
"""Share of the time of a wish that the curve may take."""


def closing(case: Case, siting: SitingSection) -> Choice:
    """Return new sites and what is closed for them: each closing frees a site more."""
    offer, wish = case.offer, case.wish
    first = len(offer.stand)
    stand = rows_of(pick(offer.stand_reach, limit=offer.limit), case.homes)
    closable = stand_rows(offer, wish.close, "close")
    costs = costs_of(case, needed=False)
    priced = None if costs is None else Money(np.concatenate([np.zeros(first), costs]))
    answer = relocate(
        beside(stand, case.reach),
        case.weights,
        existing=range(first),
        closable=closable.tolist(),
        sites=sites_of(case),
        closings=min(wish.closings or len(closable), len(closable)),
        tie_weights=case.tie,
        must=(case.must + first).tolist(),
        money=priced,
        seconds=siting.seconds,
        gap=siting.gap,
        seed=siting.seed,
    )
    plain = plainly(answer, costs=costs, closed=answer.closed)
    more, bound = plain.objective - answer.before, plain.bound - answer.before
    ids = [*offer.stand["name"].where(offer.stand["name"] != "", offer.stand["facility_id"]), *case.site_names]
    names = np.array([ids[one] if one >= 0 else None for one in answer.runner_up.tolist()], dtype=object)
    return replace(
        plain,
        model="relocate",
        chosen=plain.chosen - first,
        objective=more,
        bound=bound,
        gap=(bound - more) / bound if bound > 0 else 0.0,
        runner_names=names,
    )


def groups_asked(case: Case, kept: Kept) -> Groups:
    """Return the groups that a wish is to be fair to.

    Raises
    ------
    InputError
        Where the findings have no such groups.
    """
    kind = case.wish.groups or "ring"
    for groups in kept.groups:
        if groups.kind == kind and len(groups.ids):
            return groups
    fault = Fault("siting.no_groups", detail={"facility_class": case.wish.facility_class, "given": kind})
    message = f"{case.wish.facility_class}: there is no {kind} to be fair to"
    raise InputError(message, fault)


def fair(case: Case, siting: SitingSection, kept: Kept) -> Choice:
    """Return the sites with a least share of each group reached, or the worst-off group first."""
    groups = groups_asked(case, kept)
    costs = costs_of(case, needed=False)
    weights = np.where(case.known, case.weights, 0)
    own = groups.of_demand[: case.homes]
    given = {
        "sites": sites_of(case),
        "covered": case.covered,
        "tie_weights": np.where(case.known, case.tie, 0),
        "site_costs": costs,
        "must": case.must.tolist(),
        "seconds": siting.seconds,
        "gap": siting.gap,
    }
    try:
        if case.wish.worst_first:
            answer = worst_first_cover(case.reach, weights, own, **given)
        else:
            answer = fair_cover(case.reach, weights, own, least=case.wish.least or 0.0, **given)
    except InfeasibleError as error:
        faults = [_named(fault, groups) for fault in error.faults]
        raise InfeasibleError(str(error), *faults) from error
    return replace(plainly(answer, costs=costs), model="worst_first" if case.wish.worst_first else "fair")


def _named(fault: Fault, groups: Groups) -> Fault:
    """Return a fault of fairness that names the groups as the study does."""
    detail = dict(fault.detail)
    if isinstance(detail.get("group"), int):
        detail["group"] = groups.names[int(str(detail["group"]))]
    listed = detail.get("groups")
    if isinstance(listed, list):
        detail["named"] = ", ".join(str(groups.names[one]) for one in listed)
    named = detail["group"] if "group" in detail else detail.get("named", fault.value)
    return replace(fault, value=named, detail=detail)


def phased(case: Case, siting: SitingSection) -> Choice:
    """Return the sites of each phase: what is built first stays."""
    wish = case.wish
    costs = costs_of(case, needed=bool(wish.phase_yuan))
    answer = phased_cover(
        case.reach,
        case.weights,
        phases=list(wish.phases) or None,
        budgets=list(wish.phase_yuan) or None,
        site_costs=costs,
        covered=case.covered,
        tie_weights=case.tie,
        must=case.must.tolist(),
        seconds=siting.seconds,
        gap=siting.gap,
        seed=siting.seed,
    )
    budget = float(sum(wish.phase_yuan)) if wish.phase_yuan else np.nan
    plain = plainly(answer, costs=costs, budget=budget, phase=np.asarray(answer.phase, dtype=np.int64) + 1)
    return replace(plain, model="phased")


def curve_rows(case: Case, siting: SitingSection) -> list[dict[str, object]]:
    """Return people reached against sites, or yuan: ``TABLES["curve"]``.

    For maximal covering every number of sites up to a largest one; for a budget its quarters up to twice as much.

    Parameters
    ----------
    case
        A wish of maximal covering, or for a budget, without closings, fairness or phases.
    siting
        Time and seed; the curve takes at most half the time of a wish.
    """
    wish = case.wish
    if not case.weights[~case.covered].any():
        return []
    costs = costs_of(case, needed=False)
    given = {
        "covered": case.covered,
        "tie_weights": case.tie,
        "site_costs": costs,
        "must": case.must.tolist(),
        "seconds": CURVE_SHARE * siting.seconds,
        "gap": siting.gap,
        "seed": siting.seed,
    }
    if wish.budget_yuan is not None and costs is not None:
        least = max(float(costs.min()), float(costs[case.must].sum()))
        steps = [wish.budget_yuan * step / QUARTERS for step in range(1, CURVE_TIMES * QUARTERS + 1)]
        curve = cover_curve(case.reach, case.weights, budgets=[one for one in steps if one >= least], **given)
    else:
        most = wish.curve or max(CURVE_LEAST, CURVE_TIMES * (wish.sites or 0))
        most = min(max(most, len(case.must), 1), len(case.fits))
        curve = cover_curve(case.reach, case.weights, most_sites=most, **given)
    return [
        {
            "facility_class": wish.facility_class,
            "sites": int(curve.sites[place]),
            "cost_yuan": np.nan if costs is None else float(curve.cost[place]),
            "covered": int(curve.covered[place]),
            "bound": int(curve.bound[place]),
            "gap": float(curve.gap[place]),
            "knee": place == curve.knee,
        }
        for place in range(len(curve.sites))
    ]
