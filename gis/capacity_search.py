"""The search for sites that hold only so many: Lagrangian bound, a transport problem for each answer, HiGHS.

    minimise Σ cᵢⱼ xᵢⱼ + Σ penaltyᵢ sᵢ   subject to   Σⱼ xᵢⱼ + sᵢ = wᵢ,   Σᵢ xᵢⱼ ≤ capacityⱼ yⱼ,
    xᵢⱼ ≤ min(wᵢ, capacityⱼ) yⱼ,   at most p new columns open,   yⱼ ∈ {0, 1}

The people of a row may go to several sites. For open sites given it is a transport problem, whose vertices are whole.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import highspy
import numpy as np

from .errors import SolverError
from .kernels_capacity import raise_bound
from .siting_solve import silent_solver

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .median_search import Effort

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]
    States: TypeAlias = NDArray[np.int8]

ROUNDS, STEPS = 8, 80
LARGEST_MODEL = 300_000
"""Up to this many entries the proof is left to the solver; beyond it the Lagrangian bound stands."""
CLOSE, ROUNDING = 1e-9, 1e-6


@dataclass(frozen=True, slots=True)
class Loads:
    """A capacitated problem, its entries by columns.

    Parameters
    ----------
    cptr, row, cost
        int64 [columns + 1], int32 and float64 [entries], cost of a person.
    weight, penalty
        int64 and float64 [rows], people, and what one costs who is not placed.
    capacity
        int64 [columns].
    always, must, barred
        bool [columns], open and not counted, open and counted, closed.
    sites
        How many may be open beside those always open.
    unit
        1 when all costs are whole numbers, else 0.
    everybody
        Whether only answers that place everybody are looked for; the penalty is then above all other costs.
    """

    cptr: Ints
    row: NDArray[np.int32]
    cost: Floats
    weight: Ints
    penalty: Floats
    capacity: Ints
    always: Bools
    must: Bools
    barred: Bools
    sites: int
    unit: float
    everybody: bool = False

    @property
    def column(self) -> Ints:
        """Return the column of each entry."""
        return np.repeat(np.arange(len(self.capacity)), np.diff(self.cptr))


@dataclass(frozen=True, slots=True)
class Placed:
    """An answer: open columns, people by entry, people not placed, cost; the bound, whether time ran out, the work."""

    is_open: Bools
    flow: Ints
    left: Ints
    value: float
    bound: float = -np.inf
    late: bool = False
    work: int = 0


def transport(loads: Loads, is_open: Bools) -> Placed:
    """Place people in the open columns at the least cost.

    Examples
    --------
    Two places of 3 and 4 people, one site that holds 5:

    >>> none = np.zeros(1, dtype=bool)
    >>> far = np.array([90.0, 90.0])
    >>> entries = np.array([0, 2]), np.array([0, 1], dtype=np.int32), np.array([10.0, 20.0])
    >>> loads = Loads(*entries, np.array([3, 4]), far, np.array([5]), none, none, none, 1, 1.0)
    >>> placed = transport(loads, ~none)
    >>> placed.flow.tolist(), placed.left.tolist(), placed.value
    ([3, 2], [0, 2], 250.0)
    """
    column = loads.column
    stay = np.flatnonzero(is_open[column])
    rows, columns = len(loads.weight), len(loads.capacity)
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = len(stay) + rows, rows + columns
    model.col_cost_ = np.concatenate([loads.cost[stay], loads.penalty])
    model.col_lower_ = np.zeros(len(stay) + rows)
    model.col_upper_ = np.concatenate([loads.weight[loads.row[stay]], loads.weight]).astype(np.float64)
    wanted = loads.weight.astype(np.float64)
    model.row_lower_ = np.concatenate([wanted, np.full(columns, -highspy.kHighsInf)])
    model.row_upper_ = np.concatenate([wanted, loads.capacity.astype(np.float64)])
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    pairs = np.column_stack([loads.row[stay], rows + column[stay]]).ravel()
    model.a_matrix_.start_ = np.concatenate([2 * np.arange(len(stay)), 2 * len(stay) + np.arange(rows + 1)]).astype(
        np.int32
    )
    model.a_matrix_.index_ = np.concatenate([pairs, np.arange(rows)]).astype(np.int32)
    model.a_matrix_.value_ = np.ones(len(model.a_matrix_.index_))
    solver = silent_solver(seconds=np.inf, gap=0.0)
    solver.setOptionValue("solver", "simplex")  # a vertex: whole people
    if solver.passModel(model) == highspy.HighsStatus.kError:
        message = "HiGHS refused the transport model"
        raise SolverError(message)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        message = "HiGHS did not solve the transport model"
        raise SolverError(message)
    found = np.rint(np.asarray(solver.getSolution().col_value)).astype(np.int64)
    flow = np.zeros(len(loads.cost), dtype=np.int64)
    flow[stay] = found[: len(stay)]
    left = found[len(stay) :]
    return Placed(is_open.copy(), flow, left, float((flow * loads.cost).sum() + (left * loads.penalty).sum()))


def place(loads: Loads, effort: Effort, start: Bools | None = None) -> Placed:
    """Choose columns and place people at the least cost, and prove it as far as the effort goes.

    Where everybody must be placed and no answer that does so was met, the one returned leaves people out.
    """
    deadline = time.perf_counter() + effort.seconds
    best = transport(loads, loads.always | loads.must if start is None else start)
    state = np.where(loads.always | loads.must, 1, np.where(loads.barred, -1, 0)).astype(np.int8)
    price, bound, scale, work, tried = loads.penalty.copy(), 0.0, 1.0, 1, set()
    for _ in range(ROUNDS):
        goal = _goal(loads, best.value, effort.gap)
        if bound > goal or time.perf_counter() > deadline:
            break
        level, picked = raise_bound(
            loads.cptr, loads.row, loads.cost, loads.weight, loads.capacity, loads.penalty, state, loads.always,
            price, loads.sites, best.value, goal, STEPS, scale,
        )  # fmt: skip
        bound, scale = max(bound, level), scale * 0.7
        if picked.tobytes() not in tried:
            tried.add(picked.tobytes())
            placed = transport(loads, picked)
            work += 1
            best = placed if placed.value < best.value - CLOSE * max(1.0, best.value) else best
    goal = _goal(loads, best.value, effort.gap)
    left = deadline - time.perf_counter()
    late = left <= 0
    met = not (loads.everybody and best.left.any())
    if met and bound <= goal and not late and len(loads.cost) <= LARGEST_MODEL:
        best, bound, late = _prove(loads, best, state, bound, seconds=left, gap=effort.gap)
        work += 1
    if bound > _goal(loads, best.value, 0.0):
        bound = best.value
    return Placed(best.is_open, best.flow, best.left, best.value, min(bound, best.value), late, work)


def _goal(loads: Loads, value: float, gap: float) -> float:
    """Return what an answer must not exceed to be better."""
    slack = CLOSE * max(1.0, value)
    return min(value - loads.unit + slack if loads.unit else value - slack, value * (1 - gap))


def _prove(
    loads: Loads, best: Placed, state: States, bound: float, *, seconds: float, gap: float
) -> tuple[Placed, float, bool]:
    """Run HiGHS on what a better answer may contain; return the best answer, the bound, and whether it was late."""
    solver = silent_solver(seconds=seconds, gap=gap)
    solver.setOptionValue("mip_abs_gap", 0.99 if loads.unit else ROUNDING)
    free = state >= 0
    _pass(solver, loads, free, state > 0)
    solver.setOptionValue("objective_bound", best.value)
    if free[best.is_open].all():
        solution = highspy.HighsSolution()
        stay = free[loads.column]
        solution.col_value = np.concatenate([best.is_open & free, best.flow[stay], best.left]).astype(np.float64)
        solver.setSolution(solution)
    solver.run()
    status, info = solver.getModelStatus(), solver.getInfo()
    late = status == highspy.HighsModelStatus.kTimeLimit
    if status == highspy.HighsModelStatus.kInfeasible:
        return best, best.value, late  # the columns left hold no better answer
    if info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible:
        found = np.asarray(solver.getSolution().col_value)[: len(loads.capacity)] > 0.5
        placed = transport(loads, found & free)
        best = placed if placed.value < best.value - CLOSE * max(1.0, best.value) else best
    if status == highspy.HighsModelStatus.kOptimal and gap == 0:
        return best, best.value, late
    dual = info.mip_dual_bound if np.isfinite(info.mip_dual_bound) else bound
    dual = float(np.ceil(dual - ROUNDING)) if loads.unit else dual - ROUNDING * max(1.0, abs(dual))
    return best, max(bound, min(dual, best.value)), late


def _pass(solver: highspy.Highs, loads: Loads, free: Bools, fixed: Bools) -> None:
    """Give the solver the model: a column for each site, each entry, each row's people not placed."""
    column, rows, columns = loads.column, len(loads.weight), len(loads.capacity)
    stay = np.flatnonzero(free[column])
    entries = len(stay)
    row, column = loads.row[stay].astype(np.int64), column[stay]
    most = np.minimum(loads.weight[row], loads.capacity[column]).astype(np.float64)
    counted = np.flatnonzero(~loads.always)
    entry = columns + np.arange(entries)
    links = rows + columns + np.arange(entries)
    budget = rows + columns + entries
    where = np.concatenate([row, np.arange(rows), rows + column, rows + np.arange(columns), links, links,
                            np.full(len(counted), budget)])  # fmt: skip
    which = np.concatenate([entry, columns + entries + np.arange(rows), entry, np.arange(columns), entry, column,
                            counted])  # fmt: skip
    value = np.concatenate([np.ones(entries + rows + entries), -loads.capacity.astype(np.float64), np.ones(entries),
                            -most, np.ones(len(counted))])  # fmt: skip
    order = np.lexsort((which, where))
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = columns + entries + rows, budget + 1
    model.col_cost_ = np.concatenate([np.zeros(columns), loads.cost[stay], loads.penalty])
    model.col_lower_ = np.concatenate([fixed.astype(np.float64), np.zeros(entries + rows)])
    left = np.zeros(rows) if loads.everybody else loads.weight.astype(np.float64)
    model.col_upper_ = np.concatenate([free.astype(np.float64), most, left])
    wanted = loads.weight.astype(np.float64)
    model.row_lower_ = np.concatenate([wanted, np.full(columns + entries + 1, -highspy.kHighsInf)])
    model.row_upper_ = np.concatenate([wanted, np.zeros(columns + entries), [float(loads.sites)]])
    kinds = highspy.HighsVarType
    model.integrality_ = [kinds.kInteger] * columns + [kinds.kContinuous] * (entries + rows)
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = np.concatenate([[0], np.cumsum(np.bincount(where, minlength=budget + 1))]).astype(np.int32)
    model.a_matrix_.index_ = which[order].astype(np.int32)
    model.a_matrix_.value_ = value[order]
    if solver.passModel(model) == highspy.HighsStatus.kError:
        message = "HiGHS refused the capacitated model"
        raise SolverError(message)
