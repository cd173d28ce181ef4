"""How many people for how many yuan: one point for each budget, begun one from another.

A larger budget allows what a smaller one does: an answer of a budget is one of every larger budget, and a bound of a
budget is one of every smaller one. The prices of a point bound all others too, each counted anew with its own budget.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from .curve_answer import Curve, knee_of, settled
from .limited_answer import Ruled, ordered
from .limited_cover import Limited, judged, limited
from .limited_search import search
from .money import as_units
from .siting_reduce import pattern

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .limited_cover import Bounded
    from .median_search import Effort
    from .siting_answer import Case, Status

    Ints: TypeAlias = NDArray[np.int64]
    Bools: TypeAlias = NDArray[np.bool_]


def curve_of_budgets(
    case: Case, into: Bools, out: Bools, budgets: Sequence[float], effort: Effort, began: float
) -> Curve:
    """Return the curve over rising budgets, each of which pays for what must be.

    Parameters
    ----------
    case
        The problem, with the costs of sites.
    into, out
        bool [candidates], forced in and out.
    budgets
        What the sites may cost together at each point.
    effort
        Limits of the whole.
    began
        When, by the clock of `time.perf_counter`.
    """
    met = case.reached_by(np.flatnonzero(into).astype(np.int64))
    units = as_units(case.costs, budgets[-1])[0][None, :]
    most = [as_units(case.costs, budget)[1] - int(units[0, into].sum()) for budget in budgets]
    whole = Limited(
        pattern(case.matrix), case.left, case.left_tie, units, np.array(most[-1:]), units, np.arange(units.shape[1])
    )
    small = limited(whole, ~case.done & ~met, ~(out | into))
    inside = small.begin
    points: list[_Point] = []
    seen: list[Bounded] = []
    for place, limit in enumerate(most):
        problem = replace(small, most=np.array([limit]))
        share = max(0.0, effort.seconds - (time.perf_counter() - began)) / (len(most) - place)
        point = _Point(problem, inside, 0, late=False)
        if small.weight.any():
            found = search(problem, replace(effort, seconds=share), start=inside)
            point = _Point(problem, found.inside, found.bound, late=found.late)
            inside = found.inside
            if found.known is not None:
                seen.append(found.known)
        points.append(point)
    _tighten(points, seen)
    return _put_together(case, into, out, budgets, units, points, effort, began)


class _Point:
    """A budget: the answer in columns of the reduced problem, and its bound."""

    def __init__(self, problem: Limited, inside: Bools, bound: int, *, late: bool) -> None:
        self.problem, self.inside, self.bound, self.late = problem, inside, bound, late
        self.value = int(problem.weight[problem.covered(inside)].sum())


def _tighten(points: list[_Point], seen: list[Bounded]) -> None:
    """Lower the bounds by what the prices of all points and the larger budgets show."""
    lowest = None
    for point in reversed(points):
        if point.bound > point.value:
            shown = [judged(point.problem, point.value, one.prices, one.charges).bound for one in seen]
            point.bound = max(point.value, min([point.bound, *shown]))
        lowest = point.bound if lowest is None else min(lowest, point.bound)
        point.bound = max(point.value, lowest)


def _put_together(
    case: Case,
    into: Bools,
    out: Bools,
    budgets: Sequence[float],
    units: Ints,
    points: list[_Point],
    effort: Effort,
    began: float,
) -> Curve:
    """Return the curve of the points."""
    base = int(case.left[case.reached_by(np.flatnonzero(into).astype(np.int64))].sum())
    chosen, covered = [], []
    status: list[Status] = []
    ruled = Ruled(units, np.array([units.sum()]), units, into, out)
    for point in points:
        everything = into.copy()
        everything[point.problem.candidate[point.inside]] = True
        picked, added = ordered(case, everything, ruled)
        chosen.append(picked)
        covered.append(int(added.sum()))
        proven, gap = point.bound == point.value, point.bound - point.value <= effort.gap * point.bound
        status.append("optimal" if proven else "within_gap" if gap else "time_limit" if point.late else "work_limit")
    if not case.left.any():
        status = ["all_covered"]
    elif not any(map(len, chosen)) and not any(point.bound for point in points):
        status = ["unreachable"] if not points[-1].problem.weight.any() else status
    found, bound = np.array(covered, dtype=np.int64), base + np.array([point.bound for point in points], dtype=np.int64)
    return Curve(
        sites=np.array([len(one) for one in chosen], dtype=np.int64),
        cost=np.array([math.fsum(case.costs[one]) for one in chosen], dtype=np.float64),
        budget=np.array(budgets, dtype=np.float64),
        covered=found,
        bound=bound,
        gap=(bound - found) / np.maximum(bound, 1),
        chosen=tuple(chosen),
        knee=knee_of(np.array(budgets, dtype=np.float64), found),
        before=int(case.weight[case.done].sum()),
        status=settled(status),
        seconds=time.perf_counter() - began,
        seed=effort.seed,
    )
