"""All classes at once on the land that they share: each site with one use, or centres of several classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..gis.errors import Fault, InputError
from ..gis.several import ClassProblem, cover_several
from .siting_case import costs_of, floors_of
from .siting_choice import Choice, sites_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .settings import SitingSection
    from .siting_case import Case

NAMED = 5


def choose_together(cases: Sequence[Case], siting: SitingSection) -> tuple[list[tuple[Case, Choice]], list[list[str]]]:
    """Return the answer to all wishes at once, and for each site of each of them the classes that it carries.

    Each class has its own objective; its bound is what it could reach with all land for itself. Gap, status and seconds
    are of all together.

    Parameters
    ----------
    cases
        The wishes, made ready with all land.
    siting
        ``together`` says whether centres may carry several.

    Raises
    ------
    InputError
        Where floor areas that a centre needs are not known.
    """
    land = _land(cases)
    combined = siting.together == "combined"
    needs, rooms = _floors(cases, land) if combined else ({}, None)
    problems = {
        case.wish.facility_class: ClassProblem(
            reach=case.reach,
            weights=case.weights,
            sites=sites_of(case),
            land=[land[name] for name in case.site_ids],
            floor_m2=needs.get(case.wish.facility_class),
            covered=case.covered,
            tie_weights=case.tie,
            site_costs=costs_of(case, needed=False),
            must=case.must.tolist(),
        )
        for case in cases
    }
    found = cover_several(
        problems, combined=combined, land_floor_m2=rooms, seconds=siting.seconds, gap=siting.gap, seed=siting.seed
    )
    solved, carries = [], []
    for case in cases:
        own = found.classes[case.wish.facility_class]
        other = np.asarray(own.runner_up, dtype=np.int64)
        choice = Choice(
            chosen=np.asarray(own.chosen, dtype=np.int64),
            objective=float(own.objective),
            bound=float(own.alone),
            gap=float(found.gap),
            status=str(found.status),
            seconds=float(found.seconds),
            seed=int(found.seed),
            runner_up=other,
            runner_up_loses=np.where(other >= 0, np.asarray(own.runner_up_loses, dtype=np.float64), np.nan),
            costs=costs_of(case, needed=False),
            model="combined" if combined else "together",
        )
        solved.append((case, choice))
        carries.append([";".join(found.carries[int(one)]) for one in own.land])
    return solved, carries


def _land(cases: Sequence[Case]) -> dict[str, int]:
    """Return a number for each plot that is a candidate of any class."""
    names = dict.fromkeys(name for case in cases for name in case.site_ids)
    return {name: number for number, name in enumerate(names)}


def _floors(cases: Sequence[Case], land: dict[str, int]) -> tuple[dict[str, float], dict[int, float]]:
    """Return the floor area that each class needs, and that each plot has room for.

    Raises
    ------
    InputError
        Where one of them is not known: no centre is promised more than it holds.
    """
    faults = []
    needs = {case.wish.facility_class: case.offer.floor_m2_least for case in cases}
    for name, need in needs.items():
        if np.isnan(need):
            faults.append(Fault("siting.floor_need_unknown", detail={"facility_class": name}))
    rooms: dict[int, float] = {}
    for case in cases:
        for name, floor in zip(case.site_ids, floors_of(case).tolist(), strict=True):
            rooms[land[name]] = max(floor, rooms.get(land[name], floor))
    lacks = [name for name, number in land.items() if np.isnan(rooms[number])]
    if lacks:
        named = ", ".join(lacks[:NAMED]) + (" …" if len(lacks) > NAMED else "")
        faults.append(Fault("siting.floor_unknown", detail={"given": len(lacks), "named": named}))
    if faults:
        message = f"the land of combined centres: {'; '.join(map(str, faults))}"
        raise InputError(message, *faults)
    return needs, rooms
