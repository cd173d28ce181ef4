"""Covering with groups given to HiGHS.

With rows i of weight wᵢ, columns j, groups g and what is asked of them by levels k (`fair_problem.Ask`):

    maximise   Σ wᵢ yᵢ,   or   δ
    subject to yᵢ ≤ Σ_{j reaches i} xⱼ,   Σ xⱼ ≤ p,   xⱼ ∈ {0, 1},   0 ≤ yᵢ ≤ 1,
               Σ_{i in g} wᵢ yᵢ ≥ need_g1 + Σ_{k > 1} (need_gk - need_g(k-1)) z_gk + D_g δ   for each group,
               Σ_g z_gk ≥ groups_k,   z_gk ≤ z_g(k-1),   z_gk ∈ {0, 1}.

The ordered levels are Ogryczak & Śliwiński's (2003) way to say "the k-th worst". Needs are whole, so half a person is
taken off each of them and no tolerance of the solver can call an answer impossible that is one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import highspy
import numpy as np
from scipy.sparse import coo_array, csr_array

from .errors import SolverError
from .siting_highs import ROUNDING, SLACK, silent_solver

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .fair_problem import Ask, Grouped

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]

HALF, CLOSE = 0.5, 1e-6


@dataclass(frozen=True, slots=True)
class Goal:
    """What is maximised, and what holds besides.

    Parameters
    ----------
    sites
        How many columns may be chosen.
    ask
        What is asked of the groups.
    worth
        int64 [rows], weight of each row in the sum; None to maximise what all groups have alike above what is asked.
    at_least
        Weight that is to be covered in all; None where that does not matter.
    """

    sites: int
    ask: Ask
    worth: Ints | None = None
    at_least: int | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """How the solver ended.

    Parameters
    ----------
    chosen
        int64 [k], its best answer, None where it has none.
    bound
        No answer is worth more; infinite where it does not say.
    impossible
        Whether it proved that there is no answer.
    """

    chosen: Ints | None
    bound: float
    impossible: bool


def duals(problem: Grouped, goal: Goal, *, seconds: float) -> tuple[Floats, Floats] | None:
    """Return the prices of rows and of groups by the linear relaxation, None where there was no time for them."""
    if seconds <= 0:
        return None
    solver = silent_solver(seconds=seconds, gap=0.0)
    _pass(solver, problem, goal)
    for option, value in (("solver", "ipm"), ("run_crossover", "off"), ("solve_relaxation", True)):
        solver.setOptionValue(option, value)
    if (
        goal.worth is None
    ):  # what the groups have alike may fall short of what is asked: the prices then show by how much
        solver.changeColBounds(solver.getNumCol() - 1, -highspy.kHighsInf, highspy.kHighsInf)
    solver.run()
    values = np.abs(np.asarray(solver.getSolution().row_dual, dtype=np.float64))
    rows = len(problem.weight)
    if len(values) < rows + 1 + problem.groups or not np.isfinite(values).all():
        return None
    return values[:rows], values[rows + 1 : rows + 1 + problem.groups]


def settle(
    problem: Grouped, goal: Goal, *, seconds: float, gap: float, start: Ints | None, into: Bools | None = None
) -> Proof:
    """Run HiGHS to the end or the limit, from an answer where one is known.

    Parameters
    ----------
    problem, goal
        What is to be solved.
    seconds, gap
        Limits.
    start
        int64 [k], columns of an answer that does what is asked.
    into
        bool [columns], those that every answer looked for contains.
    """
    if seconds <= 0:
        return Proof(start, np.inf, impossible=False)
    solver = silent_solver(seconds=seconds, gap=gap)
    columns = problem.cover.shape[1]
    _pass(solver, problem, goal)
    if goal.worth is None:
        solver.setOptionValue("mip_abs_gap", CLOSE * worth_alike(problem))
    if into is not None and into.any():
        fixed = np.flatnonzero(into).astype(np.int32)
        solver.changeColsBounds(len(fixed), fixed, np.ones(len(fixed)), np.ones(len(fixed)))
    if start is not None:
        solution = highspy.HighsSolution()
        solution.col_value = _values(problem, goal, start)
        solver.setSolution(solution)
    solver.run()
    status, info = solver.getModelStatus(), solver.getInfo()
    if status == highspy.HighsModelStatus.kInfeasible:
        return Proof(None, -np.inf, impossible=True)
    bound = float(info.mip_dual_bound)
    bound = float(np.floor(bound + SLACK + ROUNDING * abs(bound))) if goal.worth is not None else bound
    chosen = start
    if info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible:
        chosen = np.flatnonzero(np.asarray(solver.getSolution().col_value)[:columns] > HALF).astype(np.int64)
    return Proof(chosen, bound, impossible=False)


def worth_alike(problem: Grouped) -> float:
    """Return what the share that all groups have alike counts: as many people as there are, for prices near 1."""
    return float(sum(problem.counts))


def _values(problem: Grouped, goal: Goal, chosen: Ints) -> Floats:
    """Return the variables of an answer."""
    x = np.zeros(problem.cover.shape[1])
    x[chosen] = 1.0
    y = (problem.cover @ x > 0).astype(np.float64)
    newly = problem.newly(chosen)[: problem.groups, None]
    z = (newly >= goal.ask.need[:, 1:]).astype(np.float64).ravel()
    return np.concatenate([x, y, z, [0.0]])


def _pass(solver: highspy.Highs, problem: Grouped, goal: Goal) -> None:
    """Give the solver the model: columns x, y, z by group and level, δ; rows as above, in their order."""
    rows, columns = problem.cover.shape
    groups, levels = problem.groups, max(0, goal.ask.need.shape[1] - 1)
    z, delta = columns + rows, columns + rows + groups * levels
    matrix, lower, upper = _rows(problem, goal, z, delta)
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = delta + 1, len(lower)
    model.sense_ = highspy.ObjSense.kMaximize
    cost = np.zeros(delta + 1)
    top = np.ones(delta + 1)
    if goal.worth is None:
        cost[delta], top[delta] = worth_alike(problem), highspy.kHighsInf
    else:
        cost[columns:z], top[delta] = goal.worth, 0.0
    model.col_cost_, model.col_lower_, model.col_upper_ = cost, np.zeros(delta + 1), top
    kinds = [highspy.HighsVarType.kInteger] * columns + [highspy.HighsVarType.kContinuous] * rows
    model.integrality_ = [
        *kinds,
        *([highspy.HighsVarType.kInteger] * (delta - z)),
        highspy.HighsVarType.kContinuous,
    ]
    model.row_lower_, model.row_upper_ = lower, upper
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = matrix.indptr.astype(np.int32)
    model.a_matrix_.index_ = matrix.indices.astype(np.int32)
    model.a_matrix_.value_ = matrix.data
    if solver.passModel(model) == highspy.HighsStatus.kError:
        message = "HiGHS refused the covering model with groups"
        raise SolverError(message)


def _rows(problem: Grouped, goal: Goal, z: int, delta: int) -> tuple[csr_array, Floats, Floats]:
    """Return the matrix of the model, and the limits of its rows."""
    rows, columns = problem.cover.shape
    groups, need = problem.groups, goal.ask.need
    levels = max(0, need.shape[1] - 1)
    own = np.flatnonzero(problem.group < groups)
    entry = np.repeat(np.arange(rows), np.diff(problem.cover.indptr))
    place = np.arange(groups * levels).reshape(groups, levels)
    below = place[:, 1:].ravel()
    first, sites, some, chain = 0, rows, rows + 1 + groups, rows + 1 + groups + levels
    parts = [
        (first + entry, problem.cover.indices, np.full(len(entry), -1.0)),
        (np.arange(rows), columns + np.arange(rows), np.ones(rows)),
        (np.full(columns, sites), np.arange(columns), np.ones(columns)),
        (sites + 1 + problem.group[own], columns + own, problem.weight[own]),
        (sites + 1 + np.repeat(np.arange(groups), levels), z + place.ravel(), -np.diff(need, axis=1).ravel()),
        (some + np.tile(np.arange(levels), groups), z + place.ravel(), np.ones(groups * levels)),
        (chain + np.arange(len(below)), z + below, np.ones(len(below))),
        (chain + np.arange(len(below)), z + place[:, :-1].ravel(), np.full(len(below), -1.0)),
    ]
    lower: list[Floats] = [
        np.full(rows + 1, -highspy.kHighsInf),
        need[:, 0].astype(np.float64) - HALF,
        goal.ask.groups[1:].astype(np.float64),
    ]
    lower.append(np.full(len(below), -highspy.kHighsInf))
    upper: list[Floats] = [np.zeros(rows), np.array([float(goal.sites)]), np.full(groups + levels, highspy.kHighsInf)]
    upper.append(np.zeros(len(below)))
    if goal.worth is None:
        counts = np.array([-float(count) for count in problem.counts])
        parts.append((sites + 1 + np.arange(groups), np.full(groups, delta), counts))
    if goal.at_least is not None:
        heavy = np.flatnonzero(problem.weight)
        parts.append((np.full(len(heavy), chain + len(below)), columns + heavy, problem.weight[heavy]))
        lower.append(np.array([goal.at_least - HALF]))
        upper.append(np.array([highspy.kHighsInf]))
    row, column, value = (np.concatenate(one) for one in zip(*parts, strict=True))
    shape = (sum(map(len, lower)), delta + 1)
    matrix = csr_array(coo_array((value.astype(np.float64), (row, column)), shape=shape))
    return matrix, np.concatenate(lower), np.concatenate(upper)
