"""Covering under limits given to HiGHS: the linear relaxation, the proof of a small core, the best among equals."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, TypeAlias

import highspy
import numpy as np

from .errors import SolverError
from .siting_highs import ROUNDING, SLACK, TIE_NODES, silent_solver

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .limited_cover import Bounded, Limited

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]

LARGEST_USE = 1e5
"""Limits are scaled so that no column uses more of them, for the solver's tolerances are absolute."""
RETRIES, HALF = 20, 0.5


def lp_prices(problem: Limited, *, seconds: float) -> tuple[Floats, Floats] | None:
    """Return prices and charges of the linear relaxation by interior point; None where there was no time."""
    if seconds <= 0:
        return None
    solver = silent_solver(seconds=seconds, gap=0.0)
    scale = _pass(solver, problem)
    for option, value in (("solver", "ipm"), ("run_crossover", "off"), ("solve_relaxation", True)):
        solver.setOptionValue(option, value)
    solver.run()
    duals = np.abs(np.asarray(solver.getSolution().row_dual, dtype=np.float64))
    rows = len(problem.weight)
    if len(duals) < rows + len(problem.most):
        return None
    return duals[:rows], duals[rows : rows + len(problem.most)] / scale


def prove(problem: Limited, start: Bools, known: Bounded, *, seconds: float, gap: float) -> tuple[Bools, int]:
    """Run HiGHS from a known answer without the columns ruled out; return its best answer and its bound.

    The bound holds for the answers that may still be better than the start, hence with the start for all.
    """
    if seconds <= 0:
        return start, known.bound
    solver = silent_solver(seconds=seconds, gap=gap)
    _pass(solver, problem)
    for bound, columns in ((0.0, known.out & ~start), (1.0, known.into & start)):
        places = np.flatnonzero(columns).astype(np.int32)
        solver.changeColsBounds(len(places), places, np.full(len(places), bound), np.full(len(places), bound))
    found = _run(solver, problem, start)
    bound, proven = solver.getInfo().mip_dual_bound, known.bound
    if np.isfinite(bound):
        proven = min(proven, int(np.floor(bound + SLACK + ROUNDING * abs(bound))))
    return found, proven


def best_among_equals(problem: Limited, start: Bools, *, seconds: float) -> Bools:
    """Among answers of the same weight return one with the most second weight, then with the least of each aim.

    As far as a search of limited size shows.
    """
    best, columns, rows = start, problem.cover.shape[1], len(problem.weight)
    goals = [np.concatenate([np.zeros(columns), rated]) for rated in (problem.weight, problem.tie)]
    goals += [np.concatenate([-aim.astype(np.float64), np.zeros(rows)]) for aim in problem.aims]
    if seconds <= 0:
        return best
    solver = silent_solver(seconds=seconds, gap=0.0)
    solver.setOptionValue("mip_max_nodes", TIE_NODES)
    _pass(solver, problem)
    every = np.arange(columns + rows, dtype=np.int32)
    for held, goal in itertools.pairwise(goals):
        value = float(held @ np.concatenate([best, problem.covered(best)]))
        places = np.flatnonzero(held).astype(np.int32)
        solver.addRow(value - HALF, highspy.kHighsInf, len(places), places, held[places])
        if goal.any():
            solver.changeColsCost(len(every), every, goal)
            best = _run(solver, problem, best)
    return best


def _run(solver: highspy.Highs, problem: Limited, start: Bools) -> Bools:
    """Solve from an answer; what the solver's tolerances let through although a limit is overdrawn is ruled out."""
    columns = problem.cover.shape[1]
    for _ in range(RETRIES):
        solution = highspy.HighsSolution()
        solution.col_value = np.concatenate([start, problem.covered(start)]).astype(np.float64)
        solver.setSolution(solution)
        solver.run()
        if solver.getInfo().primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
            return start
        inside: Bools = np.asarray(solver.getSolution().col_value)[:columns] > HALF
        if problem.holds(inside):
            return inside
        places = np.arange(columns, dtype=np.int32)
        most = float(inside.sum()) - 1.0
        solver.addRow(-highspy.kHighsInf, most, columns, places, np.where(inside, 1.0, -1.0))
    return start


def _pass(solver: highspy.Highs, problem: Limited) -> Floats:
    """Give the solver the model, columns before rows of demand; return by how much the limits were scaled."""
    rows, columns = problem.cover.shape
    limits = len(problem.most)
    scale: Floats = np.maximum(1.0, np.abs(problem.use).max(axis=1, initial=0) / LARGEST_USE)
    sizes = np.diff(problem.cover.indptr)
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = columns + rows, rows + limits
    model.sense_ = highspy.ObjSense.kMaximize
    model.col_cost_ = np.concatenate([np.zeros(columns), problem.weight.astype(np.float64)])
    model.col_lower_, model.col_upper_ = np.zeros(columns + rows), np.ones(columns + rows)
    model.row_lower_ = np.full(rows + limits, -highspy.kHighsInf)
    model.row_upper_ = np.concatenate([np.zeros(rows), problem.most / scale])
    model.integrality_ = [highspy.HighsVarType.kInteger] * columns + [highspy.HighsVarType.kContinuous] * rows
    starts = np.concatenate([[0], np.cumsum(sizes + 1)])
    own = starts[1:] - 1  # the last entry of each coverage row is its own column
    index, value = np.empty(starts[-1], dtype=np.int32), np.full(starts[-1], -1.0)
    reached = np.ones(starts[-1], dtype=np.bool_)
    reached[own] = False
    index[own], value[own] = columns + np.arange(rows), 1.0
    index[reached] = problem.cover.indices
    ends = starts[-1] + columns * np.arange(1, limits + 1)
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = np.concatenate([starts, ends]).astype(np.int32)
    model.a_matrix_.index_ = np.concatenate([index, np.tile(np.arange(columns), limits)]).astype(np.int32)
    model.a_matrix_.value_ = np.concatenate([value, (problem.use / scale[:, None]).ravel()])
    if solver.passModel(model) == highspy.HighsStatus.kError:
        message = "HiGHS refused the covering model"
        raise SolverError(message)
    return scale
