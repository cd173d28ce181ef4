"""The answer of every model that minimises: where, how good, and why each site."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from .kernels_median import stand_ins
from .median_search import arrange

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .median_search import Effort, Median
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
        float64 [k], what the site brings at its step of that order: what it takes off the sum of weighted walks (the
        limit counts for those not reached yet); where only reach counts, the weight newly reached.
    served
        int64 [k], weight that has the site as its nearest.
    only_here
        int64 [k], weight within reach of no other site, old or new.
    runner_up, runner_up_loses
        int64 and float64 [k], the candidate that best takes the place of the site, the others staying, and by how much
        the objective rises then; -1 and infinity where none can.
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
class Score:
    """How good an answer is, whether the time ran out, and how many nodes or solver runs it took."""

    objective: float
    bound: float
    late: bool
    work: int


@dataclass(frozen=True, slots=True)
class StandIns:
    """For each column of the reach, the best other one in its place and what the objective rises by."""

    other: Ints
    loses: Floats


@dataclass(frozen=True, slots=True)
class Run:
    """When a model began, with what effort, and the demand it left out."""

    began: float
    effort: Effort
    unreachable: Ints


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


def problem_of(given: Given, weight: Ints, beyond: float | None) -> tuple[Median, float]:
    """Return the weighted problem over the candidates, and what one row out of reach costs if all must be reached.

    Such a row costs more than all others together can, so that an answer reaching everybody is below any other.

    Parameters
    ----------
    given
        The input of the model; demand that no column reaches is left out.
    weight
        int64 [demand].
    beyond
        Cost of a person out of reach; None when all must be reached.
    """
    matrix = given.matrix
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    cost: Floats = np.asarray(matrix.data, dtype=np.float64) * weight[row]
    stands = given.existing[matrix.indices]
    free = ~stands & ~given.barred[matrix.indices]
    if beyond is None:
        most = np.zeros(matrix.shape[0])
        np.maximum.at(most, row, cost)
        everybody = float(np.ceil(most.sum())) + 1.0
        usable = np.bincount(row[free | stands], minlength=len(weight)) > 0
        base = np.where((weight > 0) & usable, everybody, 0.0)
    else:
        everybody = np.inf
        base = weight.astype(np.float64) * beyond
    np.minimum.at(base, row[stands], cost[stands])
    return arrange(row[free], matrix.indices[free], cost[free], base, matrix.shape[1]), everybody


def answer(given: Given, shown: Median, new: Bools, score: Score, others: StandIns, run: Run) -> Located:
    """Order the new sites by what each brings at its step, say whom each serves, and put the answer together.

    Parameters
    ----------
    given
        The input of the model.
    shown
        What each site brings: costs by row, and what a row costs without any new site.
    new
        bool [columns], the chosen ones.
    score, others, run
        The rest of the answer.
    """
    columns = given.matrix.tocsc()
    chosen, saved = _in_order(shown, new)
    assignment, walk = assigned(given, new | given.existing)
    count = np.zeros(given.matrix.shape[0], dtype=np.int64)
    for column in np.flatnonzero(new | given.existing):
        count[reached(columns, column)] += 1
    served = np.zeros(len(new), dtype=np.int64)
    np.add.at(served, assignment[assignment >= 0], given.weight[assignment >= 0])
    alone = [given.weight[own[count[own] == 1]].sum() for own in (reached(columns, column) for column in chosen)]
    other = others.other[chosen]
    loses = np.where(other < 0, np.inf, others.loses[chosen])
    return Located(
        chosen=chosen,
        saved=saved,
        served=served[chosen],
        only_here=np.array(alone, dtype=np.int64),
        runner_up=other,
        runner_up_loses=loses,
        objective=score.objective,
        bound=score.bound,
        gap=gap_of(score.objective, score.bound),
        status=outcome(score.objective, score.bound, allowed=run.effort.gap, late=score.late),
        seconds=time.perf_counter() - run.began,
        work=score.work,
        seed=run.effort.seed,
        assignment=assignment,
        walk=walk,
        unreachable=run.unreachable,
    )


def reached(columns: Any, column: int | np.integer) -> NDArray[np.integer]:  # noqa: ANN401  a csc_array
    """Return the demand a column reaches."""
    rows: NDArray[np.integer] = columns.indices[columns.indptr[column] : columns.indptr[column + 1]]
    return rows


def _in_order(shown: Median, new: Bools) -> tuple[Ints, Floats]:
    """Order the new columns by what each brings."""
    rest, near = np.flatnonzero(new).tolist(), shown.base.copy()
    chosen, saved = [], []
    while rest:
        worth = [_saving(shown, near, column) for column in rest]
        best = max(range(len(rest)), key=lambda place: (worth[place], -rest[place]))
        column = rest.pop(best)
        chosen.append(column)
        saved.append(worth[best])
        own = slice(shown.cptr[column], shown.cptr[column + 1])
        near[shown.row[own]] = np.minimum(near[shown.row[own]], shown.ccost[own])
    return np.array(chosen, dtype=np.int64), np.array(saved, dtype=np.float64)


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


def alternatives(given: Given, problem: Median, new: Bools) -> StandIns:
    """Return for each column the best one in its place by the sum of costs, and what that costs."""
    closed = given.barred | given.existing
    other, costs, _ = stand_ins(
        problem.indptr, problem.col, problem.cost, problem.base, problem.cptr, problem.row, problem.ccost, new, closed
    )
    return StandIns(other, np.maximum(costs, 0.0))
