"""Where best: the sites that bring the most people within reach, with a proof of how good the answer is."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from .errors import Fault, InfeasibleError, InputError
from .siting_check import as_csr, check_limits, whole
from .siting_reduce import pattern, reduce
from .siting_solve import gains, solve

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from scipy.sparse import csr_array

    Ints: TypeAlias = NDArray[np.int64]
    Bools: TypeAlias = NDArray[np.bool_]

Status: TypeAlias = Literal["optimal", "within_gap", "time_limit", "all_covered", "unreachable"]


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
        ``optimal`` when proven; ``within_gap`` when the proof stopped at the gap allowed; ``time_limit`` when it was
        not finished; ``all_covered`` when nobody is left to cover; ``unreachable`` when no candidate reaches those who
        are left.
    seconds
        What it took.
    assignment
        int64 [demand], the chosen candidate nearest to each newly covered row (the first one where the reach holds no
        costs), -1 for all others.
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

    def __str__(self) -> str:
        """Say the result in a sentence."""
        return (
            f"{len(self.chosen)} sites cover {self.objective} more, at most {self.bound} are possible ({self.status})"
        )


def max_cover(
    reach: Any,  # noqa: ANN401  scipy's sparse matrices and arrays have no common type
    weights: ArrayLike,
    *,
    sites: int,
    covered: Bools | None = None,
    tie_weights: ArrayLike | None = None,
    seconds: float = 60.0,
    gap: float = 0.0,
) -> Siting:
    """Choose sites that bring the most weight within reach, counting what is covered already once.

    Parameters
    ----------
    reach
        Sparse [demand, candidates]; a stored entry, a zero cost too, means within the limit. In a bool matrix only
        True counts.
    weights
        int64 [demand], people or another group; whole and not negative.
    sites
        How many may be chosen.
    covered
        bool [demand], within reach of an existing facility.
    tie_weights
        int64 [demand], for example elders: among equal choices the one that covers more, then lower indices.
    seconds
        Time for the proof.
    gap
        Relative gap at which the proof may stop.

    Returns
    -------
    Siting

    Raises
    ------
    InputError
        For missing, negative or broken weights, no weight at all, fewer than 1 or more sites than candidates, shapes
        that differ; all faults together.
    InfeasibleError
        When there are no candidates.

    Notes
    -----
    Maximal covering location problem: Church, R. & ReVelle, C. (1974), Papers of the Regional Science Association 32.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> reach = csr_array(np.array([[1, 1, 0], [0, 1, 0], [0, 0, 1]], dtype=bool))
    >>> print(max_cover(reach, [10, 20, 25], sites=1))
    1 sites cover 30 more, at most 30 are possible (optimal)
    >>> max_cover(reach, [10, 20, 25], sites=2).chosen.tolist()
    [1, 2]
    """
    began = time.perf_counter()
    matrix = as_csr(reach)
    weight, tie, done = _checked(matrix, weights, tie_weights, covered, sites)
    check_limits(seconds, gap)
    cover = pattern(matrix)
    left = np.where(done, 0, weight)
    small = reduce(cover, left, np.where(done, 0, tie), keep=~done)
    if not left.any() or not small.weight.any():
        status: Status = "unreachable" if left.any() else "all_covered"
        return _nothing(matrix.shape[0], status, time.perf_counter() - began)
    solved = solve(small, sites, seconds=seconds, gap=gap)
    picked = small.candidate[solved.chosen]
    columns = cover.tocsc()
    chosen, added = _ordered(columns, picked, left, np.where(done, 0, tie))
    objective = int(added.sum())
    open_gap = (solved.bound - objective) / solved.bound
    count = _times(columns, chosen)
    only_here, runner_up, loses = _alternatives(columns, chosen, left, count)
    return Siting(
        chosen=chosen,
        added=added,
        served=np.asarray(gains(columns, weight)[chosen], dtype=np.int64),
        only_here=only_here,
        runner_up=runner_up,
        runner_up_loses=loses,
        objective=objective,
        bound=solved.bound,
        gap=open_gap,
        status="optimal" if solved.proven else "within_gap" if open_gap <= gap else "time_limit",
        seconds=time.perf_counter() - began,
        assignment=_assigned(matrix, chosen, (count > 0) & ~done),
    )


def _checked(
    matrix: csr_array, weights: ArrayLike, tie_weights: ArrayLike | None, covered: Bools | None, sites: int
) -> tuple[Ints, Ints, Bools]:
    """Return weights, second weights and what is covered, or report all that is wrong with them together."""
    demand, candidates = matrix.shape
    if not candidates:
        message = "there are no candidates to choose from"
        raise InfeasibleError(message, Fault("gis.siting_no_candidates"))
    faults: list[Fault] = []
    weight = whole(weights, "weights", demand, faults)
    tie = np.zeros(demand, dtype=np.int64) if tie_weights is None else whole(tie_weights, "tie_weights", demand, faults)
    done = np.zeros(demand, dtype=np.bool_) if covered is None else np.asarray(covered, dtype=np.bool_)
    if len(done) != demand:
        faults.append(Fault("gis.siting_shape", column="covered", value=len(done), detail={"wanted": demand}))
    if not faults and not weight.any():
        faults.append(Fault("gis.siting_no_weight"))
    if sites < 1:
        faults.append(Fault("gis.siting_sites", value=sites))
    if sites > candidates:
        faults.append(Fault("gis.siting_too_many", value=sites, detail={"candidates": candidates}))
    if faults:
        message = f"the sites cannot be chosen: {'; '.join(str(fault) for fault in faults)}"
        raise InputError(message, *faults)
    return weight, tie, done


def _nothing(demand: int, status: Status, seconds: float) -> Siting:
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
        status=status,
        seconds=seconds,
        assignment=np.full(demand, -1, dtype=np.int64),
    )


def _reached(columns: Any, column: int | np.integer) -> NDArray[np.integer]:  # noqa: ANN401  a csc_array
    """Return the demand a candidate reaches."""
    rows: NDArray[np.integer] = columns.indices[columns.indptr[column] : columns.indptr[column + 1]]
    return rows


def _times(columns: Any, chosen: Ints) -> Ints:  # noqa: ANN401  as above
    """Return by how many of the chosen each row is reached."""
    count = np.zeros(columns.shape[0], dtype=np.int64)
    for candidate in chosen:
        count[_reached(columns, candidate)] += 1
    return count


def _ordered(columns: Any, picked: Ints, weight: Ints, tie: Ints) -> tuple[Ints, Ints]:  # noqa: ANN401  as above
    """Order the picked candidates by weight added, second weight and index; leave out those that add nothing."""
    left, left_tie = weight.copy(), tie.copy()
    rest = sorted(picked.tolist())
    chosen, added = [], []
    while rest:
        worth = [
            (int(left[rows].sum()), int(left_tie[rows].sum())) for rows in (_reached(columns, one) for one in rest)
        ]
        best = max(range(len(rest)), key=lambda place: (*worth[place], -rest[place]))
        if worth[best][0] == 0:
            break
        candidate = rest.pop(best)
        chosen.append(candidate)
        added.append(worth[best][0])
        rows = _reached(columns, candidate)
        left[rows] = 0
        left_tie[rows] = 0
    return np.array(chosen, dtype=np.int64), np.array(added, dtype=np.int64)


def _alternatives(columns: Any, chosen: Ints, left: Ints, count: Ints) -> tuple[Ints, Ints, Ints]:  # noqa: ANN401  as above
    """Return for each chosen site what only it serves, its best stand-in and what that would lose."""
    only_here = np.zeros(len(chosen), dtype=np.int64)
    runner_up = np.full(len(chosen), -1, dtype=np.int64)
    loses = np.zeros(len(chosen), dtype=np.int64)
    unserved = np.where(count == 0, left, 0)
    for place, candidate in enumerate(chosen):
        rows = _reached(columns, candidate)
        alone = rows[count[rows] == 1]
        only_here[place] = left[alone].sum()
        free = unserved.copy()
        free[alone] = left[alone]
        worth = gains(columns, free)
        worth[chosen] = 0
        best = int(np.argmax(worth))
        if worth[best] > 0:
            runner_up[place] = best
        loses[place] = only_here[place] - worth[best]
    return only_here, runner_up, loses


def _assigned(matrix: csr_array, chosen: Ints, newly: Bools) -> Ints:
    """Return for each newly covered row the nearest chosen candidate, the one chosen first when equal."""
    assignment = np.full(matrix.shape[0], -1, dtype=np.int64)
    best = np.full(matrix.shape[0], np.inf)
    columns = matrix.tocsc()
    costs = matrix.dtype != np.bool_
    for candidate in chosen:
        rows = _reached(columns, candidate)
        cost = columns.data[columns.indptr[candidate] : columns.indptr[candidate + 1]] if costs else np.zeros(len(rows))
        nearer = (cost < best[rows]) & newly[rows]
        assignment[rows[nearer]] = candidate
        best[rows[nearer]] = cost[nearer]
    return assignment
