"""Covering problems given to HiGHS: the linear relaxation, the proof of a small core, equals by a second weight.

maximise Σ wᵢ yᵢ   subject to   yᵢ ≤ Σ_{j reaches i} xⱼ,   Σ xⱼ ≤ p,   xⱼ ∈ {0, 1},   0 ≤ yᵢ ≤ 1
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import highspy
import numpy as np

from .errors import SolverError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .siting_bound import Relaxed
    from .siting_reduce import Reduced

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]

WHOLE = 0.99
"""Weights are whole numbers, so a bound less than one above an answer proves it."""
TIE_NODES = 500
SLACK, ROUNDING = 1e-4, 1e-9
"""What the solver's bound may be off by: whole weights and `WHOLE` leave a hundredth."""


def lp_prices(problem: Reduced, sites: int, free: Bools, *, seconds: float) -> Floats | None:
    """Return the prices of the linear relaxation by interior point, without crossover; None where there was no time."""
    if seconds <= 0:
        return None
    solver = silent_solver(seconds=seconds, gap=0.0)
    pass_model(solver, problem, sites, problem.weight.astype(np.float64), free=free)
    for option, value in (("solver", "ipm"), ("run_crossover", "off"), ("solve_relaxation", True)):
        solver.setOptionValue(option, value)
    solver.run()
    duals = np.asarray(solver.getSolution().row_dual, dtype=np.float64)
    if len(duals) <= len(problem.weight):
        return None
    return np.abs(duals[: len(problem.weight)])


def prove(
    problem: Reduced,
    sites: int,
    start: Ints,
    relaxed: Relaxed,
    *,
    seconds: float,
    gap: float,
    nodes: int | None = None,
) -> tuple[Ints, int]:
    """Run HiGHS from a known answer without the columns ruled out; return its best answer and its bound.

    The bound holds for the answers that may still be better than the start, hence with the start for all.
    """
    if seconds <= 0:
        return start, relaxed.bound
    solver = silent_solver(seconds=seconds, gap=gap)
    if nodes is not None:
        solver.setOptionValue("mip_max_nodes", nodes)
    pass_model(solver, problem, sites, problem.weight.astype(np.float64))
    _fix(solver, relaxed, start)
    _pass_start(solver, problem, start)
    solver.run()
    bound = solver.getInfo().mip_dual_bound
    proven = relaxed.bound
    if np.isfinite(bound):
        proven = min(proven, int(np.floor(bound + SLACK + ROUNDING * bound)))
    return _answer(solver, problem, start), proven


def best_tie(problem: Reduced, sites: int, free: Bools, start: Ints, value: int, *, seconds: float) -> Ints:
    """Among answers of the proven weight return one with the most second weight, as far as a limited search shows."""
    if seconds <= 0:
        return start
    solver = silent_solver(seconds=seconds, gap=0.0)
    solver.setOptionValue("mip_max_nodes", TIE_NODES)
    pass_model(solver, problem, sites, problem.tie.astype(np.float64), free=free)
    heavy = np.flatnonzero(problem.weight).astype(np.int32)
    rows = (heavy + problem.cover.shape[1]).astype(np.int32)
    solver.addRow(value - 0.5, highspy.kHighsInf, len(rows), rows, problem.weight[heavy].astype(np.float64))
    _pass_start(solver, problem, start)
    solver.run()
    return _answer(solver, problem, start)


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


def pass_model(
    solver: highspy.Highs, problem: Reduced, sites: int, objective: Floats, *, free: Bools | None = None
) -> None:
    """Give the solver the model: a column for each candidate, then one for each row; coverage rows, then the budget."""
    rows, candidates = problem.cover.shape
    sizes = np.diff(problem.cover.indptr)
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = candidates + rows, rows + 1
    model.sense_ = highspy.ObjSense.kMaximize
    model.col_cost_ = np.concatenate([np.zeros(candidates), objective])
    model.col_lower_ = np.zeros(candidates + rows)
    upper = np.ones(candidates + rows)
    if free is not None:
        upper[:candidates] = free
    model.col_upper_ = upper  # only whole: what is read from the model is a copy
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
