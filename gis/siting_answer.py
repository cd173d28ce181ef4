"""The answer of maximal covering: the sites in order, why each was chosen, and what stands in for it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from .kernels_cover import cheaper_columns, covered_times, nearest_of, stand_ins

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from .median_search import Effort

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]

Status: TypeAlias = Literal["optimal", "within_gap", "time_limit", "work_limit", "all_covered", "unreachable"]


@dataclass(frozen=True, slots=True)
class Siting:
    """Chosen sites, how good they are, and why each was chosen.

    Parameters
    ----------
    chosen
        int64 [k], candidates in the order of weight added; fewer than asked for when more would add nobody.
    added
        int64 [k], weight newly covered at each step of that order; sums to ``objective``.
    served
        int64 [k], weight within reach of the site, whoever else serves it.
    only_here
        int64 [k], weight within reach of no other site, old or new.
    runner_up, runner_up_loses
        int64 [k], the candidate that would best stand in for the site, the others staying, and the weight lost by it;
        -1 where no other candidate would add anybody.
    objective
        Weight newly covered.
    bound
        No choice of as many candidates covers more than this.
    gap
        (bound - objective) / bound, 0 when proven.
    status
        ``optimal`` when proven; ``within_gap`` when the proof stopped at the gap allowed; ``time_limit`` or
        ``work_limit`` when it was not finished; ``all_covered`` when nobody is left to cover; ``unreachable`` when no
        candidate reaches those who are left.
    seconds
        What it took.
    assignment
        int64 [demand], the chosen candidate nearest to each newly covered row (the first one where the reach holds no
        costs), -1 for all others.
    work, seed
        Annealings it took, and the seed of what was random.
    """

    chosen: Ints
    added: Ints
    served: Ints
    only_here: Ints
    runner_up: Ints
    runner_up_loses: Ints
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
            f"{len(self.chosen)} sites cover {self.objective} more, at most {self.bound} are possible ({self.status})"
        )


@dataclass(frozen=True, slots=True)
class Case:
    """A maximal covering problem as given.

    Parameters
    ----------
    matrix
        csr_array [demand, candidates].
    columns
        csc_array of ones with the same entries.
    weight, tie
        int64 [demand].
    done
        bool [demand], covered already.
    costs
        float64 [candidates].
    """

    matrix: csr_array
    columns: Any
    weight: Ints
    tie: Ints
    done: Bools
    costs: Floats

    @property
    def left(self) -> Ints:
        """Return the weight not covered yet."""
        return np.where(self.done, 0, self.weight)

    @property
    def left_tie(self) -> Ints:
        """Return the second weight not covered yet."""
        return np.where(self.done, 0, self.tie)

    def times(self, chosen: Ints) -> NDArray[np.int32]:
        """Return by how many of the chosen each row is reached."""
        return covered_times(self.columns.indptr, self.columns.indices, chosen, self.columns.shape[0])[0]

    def reached_by(self, chosen: Ints) -> Bools:
        """Return the rows of demand that one of the chosen reaches."""
        return self.times(chosen) > 0

    def rows(self, candidate: int | np.integer) -> NDArray[np.integer]:
        """Return the demand a candidate reaches."""
        rows: NDArray[np.integer] = self.columns.indices[
            self.columns.indptr[candidate] : self.columns.indptr[candidate + 1]
        ]
        return rows


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a search ended.

    Parameters
    ----------
    bound, proven, late, work
        No answer covers more; whether it is proven; whether the time ended it; annealings it took.
    into, out
        bool [candidates], forced in and out.
    began
        When, by the clock of `time.perf_counter`.
    """

    bound: int
    proven: bool
    late: bool
    work: int
    into: Bools
    out: Bools
    began: float


def nothing(case: Case, began: float, seed: int) -> Siting:
    """Return the answer when there is nothing to choose."""
    none = np.zeros(0, dtype=np.int64)
    return Siting(
        chosen=none,
        added=none,
        served=none,
        only_here=none,
        runner_up=none,
        runner_up_loses=none,
        objective=0,
        bound=0,
        gap=0.0,
        status="unreachable" if case.left.any() else "all_covered",
        seconds=time.perf_counter() - began,
        assignment=np.full(len(case.weight), -1, dtype=np.int64),
        seed=seed,
    )


def answer(case: Case, picked: Ints, ended: Outcome, effort: Effort) -> Siting:
    """Order the sites by what each brings, say whom each serves and what stands in for it.

    Parameters
    ----------
    case
        The problem.
    picked
        int64 [k], the chosen candidates, forced ones among them.
    ended, effort
        How the search ended, and its limits.
    """
    picked = _needed(case, _cheapest(case, picked, ended), ended.into)
    chosen, added = _ordered(case, picked, ended.into)
    objective = int(added.sum())
    gap = (ended.bound - objective) / ended.bound if ended.bound else 0.0
    free = ~ended.out
    free[chosen] = False
    left, cover = case.left, (case.matrix.indptr, case.matrix.indices, case.columns.indptr, case.columns.indices)
    only_here, runner_up, loses = stand_ins(*cover, left, chosen, free)
    status: Status = "time_limit" if ended.late else "work_limit"
    return Siting(
        chosen=chosen,
        added=added,
        served=np.array([case.weight[case.rows(one)].sum() for one in chosen], dtype=np.int64),
        only_here=only_here,
        runner_up=runner_up,
        runner_up_loses=loses,
        objective=objective,
        bound=ended.bound,
        gap=gap,
        status="optimal" if ended.proven else "within_gap" if gap <= effort.gap else status,
        seconds=time.perf_counter() - ended.began,
        assignment=_assigned(case, chosen),
        work=ended.work,
        seed=effort.seed,
    )


def _cheapest(case: Case, picked: Ints, ended: Outcome) -> Ints:
    """Return sites that cover as much of both weights and are cheaper, with lower numbers where as cheap."""
    tie = case.left_tie
    scale = int(tie.sum()) + 1
    if int(case.left.sum()) * scale >= 2**62:  # both weights do not fit into one number
        return picked
    free, chosen = ~ended.out, np.sort(picked)
    free[chosen] = False
    cover = (case.matrix.indptr, case.matrix.indices, case.columns.indptr, case.columns.indices)
    cheaper_columns(*cover, case.left * scale + tie, case.costs, chosen, ended.into[chosen], free)
    return chosen


def _needed(case: Case, picked: Ints, into: Bools) -> Ints:
    """Return the picked without those that cover nothing alone, the dearest left out first."""
    count, weighs = case.times(picked), (case.left > 0) | (case.left_tie > 0)
    stay = []
    for one in sorted(picked.tolist(), key=lambda site: (-case.costs[site], -site)):
        rows = case.rows(one)
        if into[one] or (weighs[rows] & (count[rows] == 1)).any():
            stay.append(one)
        else:
            count[rows] -= 1
    return np.sort(np.array(stay, dtype=np.int64))


def _ordered(case: Case, picked: Ints, into: Bools) -> tuple[Ints, Ints]:
    """Order the picked by weight added, second weight and index; those that add nothing stay only where forced in."""
    left, left_tie = case.left, case.left_tie
    rest = sorted(picked.tolist())
    chosen, added = [], []
    while rest:
        worth = [(int(left[rows].sum()), int(left_tie[rows].sum())) for rows in map(case.rows, rest)]
        best = max(range(len(rest)), key=lambda place: (*worth[place], -rest[place]))
        candidate = rest.pop(best)
        if worth[best][0] == 0 and not into[candidate]:
            rest = [one for one in rest if into[one]]
            continue
        chosen.append(candidate)
        added.append(worth[best][0])
        rows = case.rows(candidate)
        left[rows] = 0
        left_tie[rows] = 0
    return np.array(chosen, dtype=np.int64), np.array(added, dtype=np.int64)


def _assigned(case: Case, chosen: Ints) -> Ints:
    """Return for each newly covered row the nearest chosen candidate, the one chosen first when equal."""
    matrix = case.matrix
    assignment = np.full(matrix.shape[0], -1, dtype=np.int64)
    rank = np.full(matrix.shape[1], -1, dtype=np.int64)
    rank[chosen] = np.arange(len(chosen))
    costs = np.zeros(1) if matrix.dtype == np.bool_ else matrix.data.astype(np.float64, copy=False)
    nearest_of(matrix.indptr, matrix.indices, costs, rank, case.done, assignment)
    return assignment
