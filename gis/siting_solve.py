"""The search for the best sites: lazy greedy, swaps until none helps, then HiGHS for the proof.

Model of maximal covering (Church & ReVelle 1974), after reduction:

    maximise Σ wᵢ yᵢ   subject to   yᵢ ≤ Σ_{j reaches i} xⱼ,   Σ xⱼ ≤ p,   xⱼ ∈ {0, 1},   0 ≤ yᵢ ≤ 1
"""

from __future__ import annotations

import heapq
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import highspy
import numpy as np

from .errors import SolverError
from .siting_bound import relax

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csc_array, csr_array

    from .siting_bound import Relaxed
    from .siting_reduce import Reduced

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]

WHOLE = 0.99
"""Weights are whole numbers, so a bound less than one above an answer proves it."""
TIE_PAIRS = 50_000
"""Up to this many stored pairs, the best by the second weight is searched for among equally good answers."""
TIE_NODES = 500
SLACK, ROUNDING = 1e-4, 1e-9
"""What the solver's bound may be off by: whole weights and `WHOLE` leave a hundredth."""


@dataclass(frozen=True, slots=True)
class Solved:
    """What the search found: columns of the reduced problem, and an upper bound of any answer's weight."""

    chosen: Ints
    bound: int
    proven: bool


def solve(problem: Reduced, sites: int, *, seconds: float, gap: float) -> Solved:
    """Choose columns that cover the most weight, the most second weight when equal.

    Parameters
    ----------
    problem
        A reduced covering problem.
    sites
        How many columns may be chosen at most, at least 1.
    seconds
        Time for the proof; the search before it is not cut short.
    gap
        Relative gap at which the proof may stop.
    """
    deadline = time.perf_counter() + seconds
    columns = problem.cover.tocsc()
    key, scale = _keys(problem)
    chosen = improved(problem.cover, columns, key, greedy(columns, key, sites))
    value = covered_weight(columns, problem.weight, chosen)
    bound = easy_bound(columns, problem.weight, chosen, sites)
    if bound - value > gap * bound:
        relaxed = relax(problem, sites, value)
        chosen = _better(problem, columns, key, chosen, relaxed.promising)
        if covered_weight(columns, problem.weight, chosen) > value:  # a better answer rules more candidates out
            value = covered_weight(columns, problem.weight, chosen)
            relaxed = relax(problem, sites, value)
        bound = max(min(bound, relaxed.bound), value)
        if bound - value > gap * bound:
            left = deadline - time.perf_counter()
            found, solver_bound = _prove(problem, sites, chosen, relaxed, seconds=left, gap=gap)
            chosen = _better(problem, columns, key, chosen, found)
            value = covered_weight(columns, problem.weight, chosen)
            bound = max(min(bound, solver_bound), value)
    proven = bound == value
    if proven and scale > 1 and problem.cover.nnz <= TIE_PAIRS:
        chosen = _best_tie(problem, sites, chosen, value)
    return Solved(np.sort(chosen), bound, proven)


def _better(problem: Reduced, columns: csc_array, key: Ints, known: Ints, other: Ints) -> Ints:
    """Return the better of a known answer and another one after swaps; the known one when equal."""
    swapped = improved(problem.cover, columns, key, other)
    return swapped if covered_weight(columns, key, swapped) > covered_weight(columns, key, known) else known


def _keys(problem: Reduced) -> tuple[Ints, int]:
    """Return one whole number for each row by which the first weight decides and the second only breaks ties."""
    scale = int(problem.tie.sum()) + 1
    if int(problem.weight.sum()) * scale >= 2**62:
        scale = 1
    return problem.weight * scale + (problem.tie if scale > 1 else 0), scale


def covered_weight(columns: csc_array, weight: Ints, chosen: Ints) -> int:
    """Return the weight that the chosen columns cover, each row once."""
    return int(weight[_covered(columns, chosen) > 0].sum())


def _covered(columns: csc_array, chosen: Ints) -> Ints:
    """Return how many of the chosen columns cover each row."""
    count = np.zeros(columns.shape[0], dtype=np.int64)
    for column in chosen:
        count[_rows(columns, column)] += 1
    return count


def _rows(columns: csc_array, column: int | np.integer) -> NDArray[np.integer]:
    """Return the rows a column covers."""
    rows: NDArray[np.integer] = columns.indices[columns.indptr[column] : columns.indptr[column + 1]]
    return rows


def gains(columns: csc_array, weight: Ints) -> Ints:
    """Return the weight of the rows each column covers."""
    running = np.zeros(len(columns.indices) + 1, dtype=np.int64)
    np.cumsum(weight[columns.indices], out=running[1:])
    sums: Ints = running[columns.indptr[1:]] - running[columns.indptr[:-1]]
    return sums


def greedy(columns: csc_array, weight: Ints, sites: int) -> Ints:
    """Choose columns one by one, each covering the most weight not yet covered, the first when equal.

    Lazy evaluation (Minoux 1978): a gain only shrinks, so the largest old gain that is still the largest when counted
    anew is the best. Stops early when no column adds anything.
    """
    heap = [(-int(gain), column, 0) for column, gain in enumerate(gains(columns, weight)) if gain > 0]
    heapq.heapify(heap)
    left = weight.copy()
    chosen: list[int] = []
    while heap and len(chosen) < sites:
        _, column, counted = heapq.heappop(heap)
        if counted == len(chosen):
            chosen.append(column)
            left[_rows(columns, column)] = 0
            continue
        fresh = int(left[_rows(columns, column)].sum())
        if fresh > 0:
            heapq.heappush(heap, (-fresh, column, len(chosen)))
    return np.array(chosen, dtype=np.int64)


def improved(cover: csr_array, columns: csc_array, weight: Ints, chosen: Ints) -> Ints:
    """Exchange one chosen column for another while that covers more; no single exchange betters the answer.

    A round costs one pass over the stored pairs: what a column would add is known for uncovered rows, and for the rows
    that only the leaving column covers it is summed over those rows.
    """
    best = chosen.copy()
    count = _covered(columns, best)
    added = gains(columns, np.where(count == 0, weight, 0))
    since_change, position = 0, 0
    while len(best) and since_change < len(best):
        leaving = best[position]
        own = _rows(columns, leaving)
        alone = own[count[own] == 1]
        delta = added + _column_sums(cover, alone, weight)
        delta[best] = -1
        entering = int(np.argmax(delta))
        if delta[entering] > weight[alone].sum():
            best[position] = entering
            count[own] -= 1
            count[_rows(columns, entering)] += 1
            added = gains(columns, np.where(count == 0, weight, 0))
            since_change = 0
        else:
            since_change += 1
        position = (position + 1) % len(best)
    return best


def _column_sums(cover: csr_array, rows: NDArray[np.integer], weight: Ints) -> Ints:
    """Return for each column the weight of those of the rows that it covers."""
    sizes = np.diff(cover.indptr)[rows]
    starts = np.repeat(cover.indptr[rows] - np.r_[0, np.cumsum(sizes)[:-1]], sizes) if len(rows) else rows
    entries = starts + np.arange(int(sizes.sum()))
    sums = np.zeros(cover.shape[1], dtype=np.int64)
    np.add.at(sums, cover.indices[entries], np.repeat(weight[rows], sizes))
    return sums


def easy_bound(columns: csc_array, weight: Ints, chosen: Ints, sites: int) -> int:
    """Return an upper bound that needs no solver: what is reachable, and the covered plus the largest further gains.

    Covering has diminishing returns: no answer exceeds f(S) + the p largest gains over any S (Nemhauser et al. 1978).
    """
    left = np.where(_covered(columns, chosen) == 0, weight, 0)
    further = np.sort(gains(columns, left))[::-1][:sites].sum()
    single = np.sort(gains(columns, weight))[::-1][:sites].sum()
    return int(min(weight.sum(), single, weight.sum() - left.sum() + further))


def _prove(
    problem: Reduced, sites: int, start: Ints, relaxed: Relaxed, *, seconds: float, gap: float
) -> tuple[Ints, int]:
    """Run HiGHS from an answer on what the relaxation leaves open; return the best answer and the proven bound.

    The bound holds for answers better than the start: the relaxation has ruled out that others are.
    """
    if seconds <= 0:
        return start, relaxed.bound
    solver = silent_solver(seconds=seconds, gap=gap)
    _pass_model(solver, problem, sites, problem.weight.astype(np.float64))
    _fix(solver, relaxed, start)
    _pass_start(solver, problem, start)
    solver.run()
    info = solver.getInfo()
    bound = info.mip_dual_bound
    total = int(problem.weight.sum())
    proven = total if not np.isfinite(bound) else min(total, int(np.floor(bound + SLACK + ROUNDING * bound)))
    return _answer(solver, problem, start), proven


def _best_tie(problem: Reduced, sites: int, start: Ints, value: int) -> Ints:
    """Among answers of the proven weight return one with the most second weight, as far as a limited search shows."""
    solver = silent_solver(seconds=np.inf, gap=0.0)
    solver.setOptionValue("mip_max_nodes", TIE_NODES)
    _pass_model(solver, problem, sites, problem.tie.astype(np.float64))
    heavy = np.flatnonzero(problem.weight).astype(np.int32)
    rows = (heavy + problem.cover.shape[1]).astype(np.int32)
    solver.addRow(value - 0.5, highspy.kHighsInf, len(rows), rows, problem.weight[heavy].astype(np.float64))
    _pass_start(solver, problem, start)
    solver.run()
    found = _answer(solver, problem, start)
    columns = problem.cover.tocsc()
    same = covered_weight(columns, problem.weight, found) == value
    more = covered_weight(columns, problem.tie, found) > covered_weight(columns, problem.tie, start)
    return found if same and more else start


def _fix(solver: highspy.Highs, relaxed: Relaxed, start: Ints) -> None:
    """Take the candidates out that no better answer contains; the start keeps its own, so that it stays an answer."""
    kept = np.isin(np.arange(len(relaxed.out)), start)
    for bounds, columns in (((0.0, 0.0), relaxed.out & ~kept), ((1.0, 1.0), relaxed.into & kept)):
        rows = np.flatnonzero(columns).astype(np.int32)
        solver.changeColsBounds(len(rows), rows, np.full(len(rows), bounds[0]), np.full(len(rows), bounds[1]))


def silent_solver(*, seconds: float, gap: float) -> highspy.Highs:
    """Return a silent, single-threaded solver, so that the same input gives the same answer."""
    solver = highspy.Highs()  # type: ignore[no-untyped-call]  # its constructor has no annotations
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("parallel", "off")
    solver.setOptionValue("random_seed", 0)
    if np.isfinite(seconds):
        solver.setOptionValue("time_limit", float(seconds))
    solver.setOptionValue("mip_rel_gap", float(gap))
    solver.setOptionValue("mip_abs_gap", WHOLE)
    return solver


def _pass_model(solver: highspy.Highs, problem: Reduced, sites: int, objective: Floats) -> None:
    """Give the solver the model: a column for each candidate, then one for each row; coverage rows, then the budget."""
    rows, candidates = problem.cover.shape
    sizes = np.diff(problem.cover.indptr)
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = candidates + rows, rows + 1
    model.sense_ = highspy.ObjSense.kMaximize
    model.col_cost_ = np.concatenate([np.zeros(candidates), objective])
    model.col_lower_ = np.zeros(candidates + rows)
    model.col_upper_ = np.ones(candidates + rows)
    model.row_lower_ = np.full(rows + 1, -highspy.kHighsInf)
    model.row_upper_ = np.append(np.zeros(rows), float(sites))
    model.integrality_ = [highspy.HighsVarType.kInteger] * candidates + [highspy.HighsVarType.kContinuous] * rows
    starts = np.concatenate([[0], np.cumsum(sizes + 1)])
    index = np.empty(starts[-1] + candidates, dtype=np.int32)
    value = np.full(len(index), -1.0)
    own = starts[1:] - 1  # the last entry of each coverage row is its own column
    index[own], value[own] = candidates + np.arange(rows), 1.0
    reached = np.ones(starts[-1], dtype=np.bool_)
    reached[own] = False
    index[: starts[-1]][reached] = problem.cover.indices
    index[starts[-1] :], value[starts[-1] :] = np.arange(candidates), 1.0
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = np.append(starts, len(index)).astype(np.int32)
    model.a_matrix_.index_ = index
    model.a_matrix_.value_ = value
    if solver.passModel(model) == highspy.HighsStatus.kError:
        message = "HiGHS refused the covering model"
        raise SolverError(message)


def _pass_start(solver: highspy.Highs, problem: Reduced, start: Ints) -> None:
    """Give the solver an answer to begin with."""
    candidates = problem.cover.shape[1]
    x = np.zeros(candidates)
    x[start] = 1.0
    y = (problem.cover @ x > 0).astype(np.float64)
    solution = highspy.HighsSolution()
    solution.col_value = np.concatenate([x, y])
    solver.setSolution(solution)


def _answer(solver: highspy.Highs, problem: Reduced, start: Ints) -> Ints:
    """Return the columns the solver chose, or the start where it has no answer."""
    if solver.getInfo().primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        return start
    x = np.asarray(solver.getSolution().col_value)[: problem.cover.shape[1]]
    return np.flatnonzero(x > 0.5).astype(np.int64)
