"""The answer of every model that minimises: where, how good, and why each site."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from .kernels_median import stand_ins

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .median_search import Median
    from .siting_check import Given

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]

Outcome: TypeAlias = Literal["optimal", "within_gap", "time_limit", "work_limit"]
"""Proven; proven up to the gap allowed; stopped by the clock; stopped by the limit of the work."""


@dataclass(frozen=True, slots=True)
class Located:
    """Chosen sites, how good they are, and why each was chosen.

    Parameters
    ----------
    chosen
        int64 [k], columns of the reach in the order of what each saves at its step.
    saved
        float64 [k], what the site takes off the sum of weighted walks at its step of that order.
    served
        int64 [k], weight that has the site as its nearest.
    only_here
        int64 [k], weight within reach of no other site, old or new.
    runner_up, runner_up_loses
        int64 and float64 [k], the candidate that best takes the place of the site, the others staying, and by how much
        the objective rises; -1 and infinity where none can.
    objective
        What the model minimises.
    bound
        No choice of as many sites is below it.
    gap
        (objective - bound) / objective, 0 when proven.
    status
        ``optimal`` when proven; ``within_gap`` when the proof stopped at the gap allowed; ``time_limit`` or
        ``work_limit`` when it was not finished.
    seconds, work, seed
        What it took: time, nodes or solver runs; and the seed of what was random.
    assignment
        int64 [demand], the nearest open column, an existing one too; -1 where none is in reach.
    walk
        float64 [demand], the cost to it; infinite where none is in reach.
    unreachable
        int64 [u], rows with weight that no column can serve and that were left out.
    """

    chosen: Ints
    saved: Floats
    served: Ints
    only_here: Ints
    runner_up: Ints
    runner_up_loses: Floats
    objective: float
    bound: float
    gap: float
    status: Outcome
    seconds: float
    work: int
    seed: int
    assignment: Ints
    walk: Floats
    unreachable: Ints

    def __str__(self) -> str:
        """Say the result in a sentence."""
        return f"{len(self.chosen)} sites: {self.objective:g}, no choice is below {self.bound:g} ({self.status})"


@dataclass(frozen=True, slots=True)
class Reasons:
    """The part of an answer that says why each site was chosen; see `Located`."""

    chosen: Ints
    saved: Floats
    served: Ints
    only_here: Ints
    assignment: Ints
    walk: Floats


def gap_of(objective: float, bound: float) -> float:
    """Return the relative gap of a minimum.

    Examples
    --------
    >>> gap_of(200.0, 190.0), gap_of(0.0, 0.0)
    (0.05, 0.0)
    """
    return (objective - bound) / objective if objective > 0 else 0.0


def outcome(objective: float, bound: float, *, allowed: float, late: bool) -> Outcome:
    """Say how a search ended."""
    if bound >= objective:
        return "optimal"
    if gap_of(objective, bound) <= allowed:
        return "within_gap"
    return "time_limit" if late else "work_limit"


def reasons(given: Given, problem: Median, new: Bools) -> Reasons:
    """Order the new sites by what each saves at its step, and say whom each serves.

    Parameters
    ----------
    given
        The input of the model.
    problem
        Its weighted costs, with what each row costs without any new site.
    new
        bool [columns], the chosen ones.
    """
    columns = given.matrix.tocsc()
    is_open = new | given.existing
    rest = np.flatnonzero(new).tolist()
    near = problem.base.copy()
    chosen, saved = [], []
    while rest:
        worth = [_saving(problem, near, column) for column in rest]
        best = max(range(len(rest)), key=lambda place: (worth[place], -rest[place]))
        column = rest.pop(best)
        chosen.append(column)
        saved.append(worth[best])
        own = slice(problem.cptr[column], problem.cptr[column + 1])
        near[problem.row[own]] = np.minimum(near[problem.row[own]], problem.ccost[own])
    assignment, walk = assigned(given, is_open)
    count = np.zeros(given.matrix.shape[0], dtype=np.int64)
    for column in np.flatnonzero(is_open):
        count[columns.indices[columns.indptr[column] : columns.indptr[column + 1]]] += 1
    weight = np.bincount(assignment[assignment >= 0], given.weight[assignment >= 0], minlength=len(is_open))
    alone = [
        int(given.weight[own[count[own] == 1]].sum())
        for own in (columns.indices[columns.indptr[column] : columns.indptr[column + 1]] for column in chosen)
    ]
    order = np.array(chosen, dtype=np.int64)
    return Reasons(
        order,
        np.array(saved),
        weight[order].astype(np.int64),
        np.array(alone, dtype=np.int64),
        assignment,
        walk,
    )


def _saving(problem: Median, near: Floats, column: int) -> float:
    """Return what a column would take off the costs."""
    own = slice(problem.cptr[column], problem.cptr[column + 1])
    return float(np.maximum(near[problem.row[own]] - problem.ccost[own], 0.0).sum())


def assigned(given: Given, is_open: Bools) -> tuple[Ints, Floats]:
    """Return for each row of demand the nearest open column and its cost; -1 and infinity where none is in reach."""
    matrix = given.matrix
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    usable = is_open[matrix.indices]
    row, column, cost = row[usable], matrix.indices[usable], matrix.data[usable]
    order = np.lexsort((column, cost, row))
    first = order[np.unique(row[order], return_index=True)[1]]
    assignment, walk = np.full(matrix.shape[0], -1, dtype=np.int64), np.full(matrix.shape[0], np.inf)
    assignment[row[first]] = column[first]
    walk[row[first]] = cost[first]
    return assignment, walk


def alternatives(given: Given, problem: Median, new: Bools, chosen: Ints) -> tuple[Ints, Floats]:
    """Return for each chosen column its best stand-in and what that costs."""
    closed = given.barred | given.existing
    other, costs, _ = stand_ins(
        problem.indptr, problem.col, problem.cost, problem.base, problem.cptr, problem.row, problem.ccost, new, closed
    )
    return other[chosen], np.maximum(costs[chosen], 0.0)
