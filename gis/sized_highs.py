"""Covering with sizes given to HiGHS: the proof, and the best among equals."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import highspy
import numpy as np

from .errors import SolverError
from .siting_highs import ROUNDING, SLACK, silent_solver

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .sized_model import Choices, Rated

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]

LARGEST_USE = 1e5
"""Limits are scaled so that no option uses more of them, for the solver's tolerances are absolute."""
RETRIES, HALF = 20, 0.5
TIE_NODES = 50


@dataclass(frozen=True, slots=True)
class _Block:
    """Rows of a model: where their entries stand, and the sides."""

    row: Ints
    column: Ints
    value: Floats
    least: Floats
    most: Floats


def prove(problem: Choices, start: Ints, known: Rated, *, seconds: float, gap: float) -> tuple[Ints, int]:
    """Run HiGHS from a known answer without the options ruled out; return its best answer and its bound.

    The bound holds for the answers that may still be better than the start, hence with the start for all.
    """
    if seconds <= 0:
        return start, known.bound
    solver = silent_solver(seconds=seconds, gap=gap)
    _pass(solver, problem)
    places = np.flatnonzero(known.out & ~problem.taken(start)).astype(np.int32)
    solver.changeColsBounds(len(places), places, np.zeros(len(places)), np.zeros(len(places)))
    found = _run(solver, problem, start)
    bound, proven = solver.getInfo().mip_dual_bound, known.bound
    if np.isfinite(bound):
        proven = min(proven, int(np.floor(bound + SLACK + ROUNDING * abs(bound))))
    return found, proven


def best_among_equals(problem: Choices, start: Ints, *, seconds: float) -> Ints:
    """Among answers that place as many return one with the most of the second weight, then the least of each aim.

    As far as a search of limited size shows.
    """
    best, options, entries, rows = start, len(problem.column), problem.cover.nnz, len(problem.weight)
    parts = [(0.0, 1.0, 0.0), (0.0, 0.0, 1.0)]
    goals = [np.repeat(part, [options, entries, rows]) for part in parts]
    goals += [np.concatenate([-aim.astype(np.float64), np.zeros(entries + rows)]) for aim in problem.aims]
    if seconds <= 0:
        return best
    solver = silent_solver(seconds=seconds, gap=0.0)
    solver.setOptionValue("mip_max_nodes", TIE_NODES)
    _pass(solver, problem)
    every = np.arange(options + entries + rows, dtype=np.int32)
    for held, goal in itertools.pairwise(goals):
        value = float(held @ _values(problem, best))
        places = np.flatnonzero(held).astype(np.int32)
        solver.addRow(value - HALF, highspy.kHighsInf, len(places), places, held[places])
        if goal.any() and (goal[options + entries :] @ np.ones(rows) == 0 or problem.tie.any()):
            solver.changeColsCost(len(every), every, goal)
            best = _run(solver, problem, best)
    return best


def _values(problem: Choices, answer: Ints) -> Floats:
    """Return the columns of the model at an answer: options, people by entry, second weight placed of each row."""
    flow, _, _ = problem.placed(answer)
    by_row = np.bincount(problem.entries[1], flow, minlength=len(problem.weight))
    return np.concatenate([problem.taken(answer), flow, np.minimum(by_row, problem.tie)]).astype(np.float64)


def _run(solver: highspy.Highs, problem: Choices, start: Ints) -> Ints:
    """Solve from an answer; what the solver's tolerances let through although a limit is overdrawn is ruled out."""
    options = len(problem.column)
    for _ in range(RETRIES):
        solution = highspy.HighsSolution()
        solution.col_value = _values(problem, start)
        solver.setSolution(solution)
        solver.run()
        if solver.getInfo().primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
            return start
        taken = np.asarray(solver.getSolution().col_value)[:options] > HALF
        answer = problem.answer(taken)
        if problem.holds(answer) and (problem.taken(answer) == taken).all():
            return answer
        places = np.arange(options, dtype=np.int32)
        most = float(taken.sum()) - 1.0
        solver.addRow(-highspy.kHighsInf, most, options, places, np.where(taken, 1.0, -1.0))
    return start


def _pass(solver: highspy.Highs, problem: Choices) -> None:
    """Give the solver the model: a column for each option, each entry, and each row's second weight."""
    options, entries, rows = len(problem.column), problem.cover.nnz, len(problem.weight)
    count = options + entries + rows
    blocks = [*_people(problem), _links(problem), _one_each(problem), _limits(problem)]
    starts = np.cumsum([0, *(len(block.most) for block in blocks)])
    row = np.concatenate([block.row + start for block, start in zip(blocks, starts[:-1], strict=True)])
    column = np.concatenate([block.column for block in blocks])
    order = np.lexsort((column, row))
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = count, int(starts[-1])
    model.sense_ = highspy.ObjSense.kMaximize
    model.col_cost_ = np.repeat([0.0, 1.0, 0.0], [options, entries, rows])
    model.col_lower_ = np.zeros(count)
    by_entry = problem.weight[problem.entries[1]]
    model.col_upper_ = np.concatenate([np.ones(options), by_entry, problem.tie]).astype(np.float64)
    model.row_lower_ = np.concatenate([block.least for block in blocks])
    model.row_upper_ = np.concatenate([block.most for block in blocks])
    kinds = highspy.HighsVarType
    model.integrality_ = [kinds.kInteger] * options + [kinds.kContinuous] * (entries + rows)
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    sizes = np.bincount(row, minlength=int(starts[-1]))
    model.a_matrix_.start_ = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    model.a_matrix_.index_ = column[order].astype(np.int32)
    model.a_matrix_.value_ = np.concatenate([block.value for block in blocks])[order]
    if solver.passModel(model) == highspy.HighsStatus.kError:
        message = "HiGHS refused the model with sizes"
        raise SolverError(message)


def _people(problem: Choices) -> tuple[_Block, _Block, _Block]:
    """Return that each person has one place, that the second weight placed is placed, and that columns hold so many."""
    options, entries, rows = len(problem.column), problem.cover.nnz, len(problem.weight)
    cptr, row = problem.entries[0], problem.entries[1].astype(np.int64)
    entry, every = options + np.arange(entries), np.arange(rows)
    of = np.repeat(np.arange(len(problem.base)), np.diff(cptr))
    none = np.full(rows, -highspy.kHighsInf)
    once = _Block(row, entry, np.ones(entries), none, problem.weight.astype(np.float64))
    second = _Block(
        np.concatenate([row, every]),
        np.concatenate([entry, options + entries + every]),
        np.repeat([-1.0, 1.0], [entries, rows]),
        none,
        np.zeros(rows),
    )
    held = _Block(
        np.concatenate([of, problem.column]),
        np.concatenate([entry, np.arange(options)]),
        np.concatenate([np.ones(entries), -problem.extra.astype(np.float64)]),
        np.full(len(problem.base), -highspy.kHighsInf),
        problem.base.astype(np.float64),
    )
    return once, second, held


def _links(problem: Choices) -> _Block:
    """Return that an entry holds no more people than its row has or its column's option has places for."""
    cptr, row = problem.entries[:2]
    options = len(problem.column)
    of = np.repeat(np.arange(len(problem.base)), np.diff(cptr))
    weight, begin = problem.weight[row], problem.options
    counts = (begin[1:] - begin[:-1])[of]
    entry = np.repeat(np.arange(len(of)), counts)
    option = begin[of][entry] + np.arange(len(entry)) - np.repeat(np.cumsum(counts) - counts, counts)
    bare = np.minimum(weight, problem.base[of])
    more = np.minimum(weight[entry], problem.base[of][entry] + problem.extra[option]) - bare[entry]
    some = more != 0
    return _Block(
        np.concatenate([np.arange(len(of)), entry[some]]),
        np.concatenate([options + np.arange(len(of)), option[some]]),
        np.concatenate([np.ones(len(of)), -more[some].astype(np.float64)]),
        np.full(len(of), -highspy.kHighsInf),
        bare.astype(np.float64),
    )


def _one_each(problem: Choices) -> _Block:
    """Return that a column has one option at most, and one where it must."""
    options, columns = len(problem.column), len(problem.base)
    least = np.where(problem.must, 1.0, 0.0)
    return _Block(problem.column, np.arange(options), np.ones(options), least, np.ones(columns))


def _limits(problem: Choices) -> _Block:
    """Return the limits, scaled."""
    limits, options = problem.use.shape
    scale = np.maximum(1.0, np.abs(problem.use).max(axis=1, initial=0) / LARGEST_USE)
    return _Block(
        np.repeat(np.arange(limits), options),
        np.tile(np.arange(options), limits),
        (problem.use / scale[:, None]).ravel(),
        np.full(limits, -highspy.kHighsInf),
        problem.most / scale,
    )
