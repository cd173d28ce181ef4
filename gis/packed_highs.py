"""Options that share room, given to HiGHS: the linear relaxation, and the proof of what the bound leaves open.

With several blocks, a variable says whether a column serves in a block rather than where it begins to: so each block
has the entries of the cover once, and a column that serves goes on to serve.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import highspy
import numpy as np
from scipy.sparse import csr_array, vstack

from .errors import SolverError
from .siting_highs import ROUNDING, SLACK, silent_solver
from .siting_reduce import alike

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .packed import Packed

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Relaxation:
    """The linear relaxation: prices of rows, rates of groups, and how far each option is taken."""

    prices: Floats
    rates: Floats
    picks: Floats


@dataclass(frozen=True, slots=True)
class _Model:
    """The variables of the open options, and the rows they cover.

    Parameters
    ----------
    option, before
        int64 [variables], the option each variable belongs to, and the variable of its column one step earlier or -1.
    at
        int64 [options], the variable of each, -1 for those not open.
    cover
        csr_array [merged rows, variables].
    owner
        int64 [blocks · rows], the merged row of each, -1 where no variable covers it.
    last
        int64 [columns], the last variable of each, -1 without one.
    """

    option: Ints
    before: Ints
    at: Ints
    cover: csr_array
    owner: Ints
    last: Ints


def relaxation(problem: Packed, *, seconds: float) -> Relaxation | None:
    """Return the linear relaxation by interior point, without crossover; None where there was no time."""
    if seconds <= 0:
        return None
    model = _modelled(problem, problem.free)
    weight = _summed(model, problem.weight)
    solver = silent_solver(seconds=seconds, gap=0.0)
    _pass(solver, problem, model, weight.astype(np.float64))
    for option, value in (("solver", "ipm"), ("run_crossover", "off"), ("solve_relaxation", True)):
        solver.setOptionValue(option, value)
    solver.run()
    solution = solver.getSolution()
    duals = np.abs(np.asarray(solution.row_dual, dtype=np.float64))
    merged, groups = len(weight), len(problem.packing.limit)
    if len(duals) < merged + groups:
        return None
    share = np.where(weight > 0, duals[:merged] / np.maximum(weight, 1), 1.0)
    prices: Floats = np.where(model.owner >= 0, np.append(share, 1.0)[model.owner], 1.0) * problem.weight
    variables = np.asarray(solution.col_value)[: len(model.option)]
    earlier = np.where(model.before >= 0, variables[np.maximum(model.before, 0)], 0.0)
    picks = np.zeros(len(problem.free))
    picks[model.option] = variables - earlier
    return Relaxation(prices, duals[merged : merged + groups], picks)


def prove(
    problem: Packed,
    open_options: Bools,
    into: Bools,
    start: Ints,
    *,
    seconds: float,
    gap: float,
    nodes: int | None = None,
) -> tuple[Ints, int]:
    """Run HiGHS over the open options from a known answer; return its best answer and its bound.

    The bound holds for answers of the open options that contain ``into``; it is the sum of all weights without time.
    """
    total = int(problem.weight.sum())
    if seconds <= 0:
        return start, total
    allowed = open_options & problem.free
    allowed[start] = True
    model = _modelled(problem, allowed)
    weight = _summed(model, problem.weight)
    solver = silent_solver(seconds=seconds, gap=gap)
    if nodes is not None:
        solver.setOptionValue("mip_max_nodes", nodes)
    _pass(solver, problem, model, weight.astype(np.float64), into=into & np.isin(np.arange(len(into)), start))
    _pass_start(solver, model, start)
    solver.run()
    bound = solver.getInfo().mip_dual_bound
    if np.isfinite(bound):
        total = min(total, int(np.floor(bound + SLACK + ROUNDING * abs(bound))))
    return _answer(solver, model, start), total


def best_tie(problem: Packed, start: Ints, value: int, *, nodes: int, seconds: float) -> Ints:
    """Among answers of the proven weight return one with the most second weight, as far as a limited search shows."""
    model = _modelled(problem, problem.free)
    solver = silent_solver(seconds=seconds, gap=0.0)
    solver.setOptionValue("mip_max_nodes", nodes)
    _pass(solver, problem, model, _summed(model, problem.tie).astype(np.float64))
    weight = _summed(model, problem.weight)
    heavy = np.flatnonzero(weight)
    columns = (heavy + len(model.option)).astype(np.int32)
    solver.addRow(value - 0.5, highspy.kHighsInf, len(columns), columns, weight[heavy].astype(np.float64))
    _pass_start(solver, model, start)
    solver.run()
    return _answer(solver, model, start)


def any_answer(problem: Packed, *, seconds: float) -> Ints | None:
    """Return options that meet what must be chosen, None where there are none or the time did not suffice.

    Raises
    ------
    SolverError
        When the time did not suffice to find out.
    """
    model = _modelled(problem, problem.free)
    solver = silent_solver(seconds=seconds, gap=0.0)
    _pass(solver, problem, model, np.zeros(model.cover.shape[0]))
    solver.run()
    if solver.getInfo().primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible:
        return _answer(solver, model, np.zeros(0, dtype=np.int64))
    if solver.getModelStatus() == highspy.HighsModelStatus.kTimeLimit:
        message = "the time did not suffice to place the sites that are required; allow more"
        raise SolverError(message)
    return None


def _modelled(problem: Packed, allowed: Bools) -> _Model:
    """Return the variables of the allowed options, with rows alike merged."""
    packing = problem.packing
    columns = problem.cover.shape[1]
    at = np.full(len(allowed), -1, dtype=np.int64)
    latest = np.full(columns, -1, dtype=np.int64)
    option: list[Ints] = []
    before: list[Ints] = []
    covers = []
    size = 0
    for block in range(packing.blocks):
        here = np.flatnonzero(allowed & (packing.first == block))
        before.append(latest[packing.col[here]].copy())
        at[here] = latest[packing.col[here]] = size + np.arange(len(here))
        size += len(here)
        option.append(here.astype(np.int64))
        covers.append(latest.copy())
    stacked = csr_array(vstack([_renamed(problem.cover, names, size) for names in covers], format="csr"))
    owner = np.full(stacked.shape[0], -1, dtype=np.int64)
    some = np.flatnonzero((np.diff(stacked.indptr) > 0) & ((problem.weight > 0) | (problem.tie > 0)))
    stacked = csr_array(stacked[some])
    if len(some):
        heads, owner[some] = alike(stacked)
        stacked = csr_array(stacked[heads])
    return _Model(np.concatenate(option), np.concatenate(before), at, stacked, owner, latest)


def _renamed(cover: csr_array, names: Ints, size: int) -> csr_array:
    """Return the cover with its columns under other names, without those named -1."""
    index = names[cover.indices]
    kept = index >= 0
    ends = np.concatenate([[0], np.cumsum(kept)])[cover.indptr]
    return csr_array((np.ones(int(kept.sum()), dtype=np.int8), index[kept], ends), shape=(cover.shape[0], size))


def _summed(model: _Model, values: Ints) -> Ints:
    """Return the values of rows that were merged."""
    total = np.zeros(model.cover.shape[0], dtype=np.int64)
    some = model.owner >= 0
    np.add.at(total, model.owner[some], values[some])
    return total


def _side_rows(problem: Packed, model: _Model) -> tuple[csr_array, Floats, Floats]:
    """Return the rows that bind the options: groups first, then plots, then that who serves goes on to serve."""
    packing, size = problem.packing, len(model.option)
    variable, earlier = np.arange(size), np.flatnonzero(model.before >= 0)
    taken = packing.size[model.option]
    group = packing.group[model.option]
    rows, index = [group, group[earlier]], [variable, model.before[earlier]]
    value, upper = [taken, -taken[earlier]], [packing.limit]
    height = len(packing.limit)
    lower = [np.full(height, -highspy.kHighsInf)]
    if packing.blocks == 1:
        plot, need = packing.plot[model.option], packing.need[model.option]
        crowded = np.flatnonzero(np.bincount(plot, need, minlength=len(packing.room)) > packing.room)
        place = np.full(len(packing.room), -1, dtype=np.int64)
        place[crowded] = height + np.arange(len(crowded))
        some = place[plot] >= 0
        rows.append(place[plot[some]])
        index.append(variable[some])
        value.append(need[some])
        upper.append(packing.room[crowded])
        lower.append(np.full(len(crowded), -highspy.kHighsInf))
        height += len(crowded)
    nested = height + np.arange(len(earlier))
    rows += [nested, nested]
    index += [earlier, model.before[earlier]]
    value += [np.ones(len(earlier)), -np.ones(len(earlier))]
    lower.append(np.zeros(len(earlier)))
    upper.append(np.full(len(earlier), highspy.kHighsInf))
    shape = (height + len(earlier), size)
    side = csr_array((np.concatenate(value), (np.concatenate(rows), np.concatenate(index))), shape=shape)
    return side, np.concatenate(lower), np.concatenate(upper)


def _pass(
    solver: highspy.Highs, problem: Packed, model: _Model, objective: Floats, *, into: Bools | None = None
) -> None:
    """Give the solver the model: a column for each variable, then one for each row; coverage rows, then what binds."""
    variables, rows = len(model.option), model.cover.shape[0]
    packing = problem.packing
    side, side_lower, side_upper = _side_rows(problem, model)
    lower, upper = np.zeros(variables + rows), np.ones(variables + rows)
    forced = packing.stays if into is None else packing.stays | into
    fixed = np.flatnonzero(forced[model.option])
    lower[fixed] = 1.0
    upper[model.before[fixed][model.before[fixed] >= 0]] = 0.0
    if packing.blocks > 1:
        owed = model.last[packing.owed]
        lower[owed[owed >= 0]] = 1.0
    sizes = np.diff(model.cover.indptr)
    starts = np.concatenate([[0], np.cumsum(sizes + 1)])
    index = np.empty(starts[-1], dtype=np.int32)
    value = np.full(len(index), -1.0)
    own = starts[1:] - 1  # the last entry of each coverage row is its own column
    index[own], value[own] = variables + np.arange(rows), 1.0
    reached = np.ones(len(index), dtype=np.bool_)
    reached[own] = False
    index[reached] = model.cover.indices
    given = highspy.HighsLp()
    given.num_col_, given.num_row_ = variables + rows, rows + side.shape[0]
    given.sense_ = highspy.ObjSense.kMaximize
    given.col_cost_ = np.concatenate([np.zeros(variables), objective])
    given.col_lower_, given.col_upper_ = lower, upper
    given.row_lower_ = np.concatenate([np.full(rows, -highspy.kHighsInf), side_lower])
    given.row_upper_ = np.concatenate([np.zeros(rows), side_upper])
    given.integrality_ = [highspy.HighsVarType.kInteger] * variables + [highspy.HighsVarType.kContinuous] * rows
    given.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    given.a_matrix_.start_ = np.concatenate([starts, starts[-1] + side.indptr[1:]]).astype(np.int32)
    given.a_matrix_.index_ = np.concatenate([index, side.indices.astype(np.int32)])
    given.a_matrix_.value_ = np.concatenate([value, side.data])
    if solver.passModel(given) == highspy.HighsStatus.kError:
        message = "HiGHS refused the covering model"
        raise SolverError(message)


def _pass_start(solver: highspy.Highs, model: _Model, start: Ints) -> None:
    """Give the solver an answer to begin with."""
    x = np.zeros(len(model.option))
    x[model.at[start]] = 1.0
    for variable in np.flatnonzero(model.before >= 0):  # in the order of blocks, so that one passes on to the next
        x[variable] = max(x[variable], x[model.before[variable]])
    solution = highspy.HighsSolution()
    solution.col_value = np.concatenate([x, (model.cover @ x > 0).astype(np.float64)])
    solver.setSolution(solution)


def _answer(solver: highspy.Highs, model: _Model, start: Ints) -> Ints:
    """Return the options the solver chose, or the start where it has no answer."""
    if solver.getInfo().primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        return start
    x = np.asarray(solver.getSolution().col_value)[: len(model.option)] > 0.5
    earlier = np.where(model.before >= 0, x[np.maximum(model.before, 0)], False)
    return np.sort(model.option[x & ~earlier])
