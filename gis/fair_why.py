"""Why no choice gives the groups what is asked: which of them stand against each other, and what is possible."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING, NoReturn, TypeAlias

import numpy as np

from .errors import Fault, InfeasibleError
from .fair_problem import Ask
from .fair_search import Search
from .fair_worst import rates_first

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .fair_check import FairCase

    Ints: TypeAlias = NDArray[np.int64]


ALONE_SHARE, PART_SHARE = 0.3, 0.4
"""Shares of the time left for what each group can have for itself, and for what all can have, before it is asked which
of them are in the way."""


def refuse(case: FairCase, search: Search, asked: Ints) -> NoReturn:
    """Say which groups cannot have what is asked, alone or together, and the best rates possible.

    Parameters
    ----------
    case
        A problem of which it is known that nothing does what is asked.
    search
        The searches on it.
    asked
        int64 [G], weight of each group that is to be covered.

    Raises
    ------
    InfeasibleError
        With a fault for each group that cannot have its share even for itself; where all of them can, one for the
        groups that cannot have theirs together, without those that could be shown in time not to matter. The best
        rate of a group in a conflict is the one at which all of them have the same part of what is asked.
    """
    faults, groups = [], case.groups
    wanting = np.flatnonzero(asked > case.have)
    for place in wanting.tolist():
        most = _alone(search.within(ALONE_SHARE / len(wanting)), place)
        if most < asked[place] - case.have[place]:
            people, possible = int(groups.people[place]), int(case.have[place]) + most
            detail = {
                "group": int(groups.number[place]),
                "asked": _percent(case.least[place]),
                "best": _percent(Fraction(possible, people)),
                "people": people,
                "possible": possible,
                "sites": case.sites,
            }
            faults.append(Fault("gis.fair_alone", column="least", value=detail["group"], detail=detail))
    if not faults:
        faults.append(_together(case, search, asked, wanting.tolist()))
    message = f"the groups cannot have what is asked: {'; '.join(str(fault) for fault in faults)}"
    raise InfeasibleError(message, *faults)


def _alone(search: Search, place: int) -> int:
    """Return the most weight of one group that can be covered, or what it cannot exceed where time was short."""
    problem = search.problem
    weight = np.where(problem.group == place, problem.weight, 0)
    none = np.zeros(0, dtype=np.int64)
    own = replace(problem, weight=weight, tie=np.zeros_like(weight), group=np.zeros_like(weight), have=none, counts=())
    single = Search(own, search.sites, search.effort, search.deadline)
    return single.most(Ask(np.zeros((0, 1), dtype=np.int64), np.zeros(1, dtype=np.int64)), none).bound


def _together(case: FairCase, search: Search, asked: Ints, wanting: list[int]) -> Fault:
    """Return the fault of groups that can have what is asked one by one, but not all at once."""
    conflict = list(wanting)
    part = _part_for_all(case, search.within(PART_SHARE), conflict)
    for tried, place in enumerate(wanting):
        fewer = [one for one in conflict if one != place]
        need = np.zeros((len(asked), 1), dtype=np.int64)
        need[fewer, 0] = asked[fewer] - case.have[fewer]
        ask = Ask(need, np.array([len(asked)], dtype=np.int64))
        if fewer and not search.late():
            some = search.within(1 / (len(wanting) - tried + 1))
            conflict = fewer if some.meeting(ask, np.zeros(0, dtype=np.int64)).impossible else conflict
    if len(conflict) < len(wanting):
        part = _part_for_all(case, search, conflict)
    groups = [int(case.groups.number[place]) for place in conflict]
    shares = _percents([case.least[place] for place in conflict])
    best = [part * case.least[place] for place in conflict]
    detail = {
        "named": ", ".join(map(str, groups)),
        "asked": shares,
        "best": _percents(best) if _percents(best) != shares else f"< {shares}",
        "groups": groups,
        "rates": best,
        "sites": case.sites,
    }
    return Fault("gis.fair_together", column="least", value=detail["named"], detail=detail)


def _part_for_all(case: FairCase, search: Search, conflict: list[int]) -> Fraction:
    """Return the largest part of what is asked that all groups of a conflict can have, or what it cannot exceed."""
    problem = search.problem
    place = np.full(problem.groups + 1, len(conflict), dtype=np.int64)
    place[conflict] = np.arange(len(conflict))
    counts = tuple(case.least[one] * problem.counts[one] for one in conflict)
    own = replace(problem, group=place[problem.group], have=problem.have[conflict], counts=counts)
    return min(Fraction(1), rates_first(Search(own, search.sites, search.effort, search.deadline), 1).bounds[0])


def _percent(share: Fraction) -> str:
    """Return a share in percent with up to one decimal, not rounded up."""
    tenths = floor(share * 1000)
    return f"{tenths / 10:g}"


def _percents(shares: Sequence[Fraction]) -> str:
    """Return shares in percent, one where all are the same."""
    written = list(map(_percent, shares))
    return f"{written[0]} %" if len(set(written)) == 1 else ", ".join(f"{one} %" for one in written)
