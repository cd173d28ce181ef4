"""The answer of covering with sizes: the sites in order, why each was chosen, and who goes where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy.sparse import csr_array

from .kernels_sized import fill_all, stand_in_of
from .sized_model import Choices

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .siting_answer import Status

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Sized:
    """Sites and their sizes, how good they are, and why each was chosen.

    Parameters
    ----------
    chosen
        int64 [k], columns that are built or extended, in the order of the people they bring a place.
    option
        int64 [k], the row of the sizes each is built in.
    capacity, cost
        int64 and float64 [k], the places that brings, and what it costs.
    added
        int64 [k], people who get a place at each step of that order, others moving on where that makes room.
    only_here
        int64 [k], people who would have no place without it.
    runner_up, runner_up_option, runner_up_loses
        int64 [k], the column and the row of the sizes that would best stand in for it within the limits, the others
        staying, and how many more would have no place; -1 where none would help or where it was not asked for.
    closed
        int64, existing sites that are closed.
    load, spare
        int64 [columns], people placed at each column, existing ones too, and places left there.
    placed
        csr_array int64 [demand, columns], people of each row at each column.
    left_out
        int64 [demand], people with no place; none of rows covered already.
    before
        People who have a place in what stands today.
    objective, bound, gap
        People who have a place; what no choice within the limits exceeds; (bound - objective) / bound.
    status, seconds, work, seed
        As in `Siting`.
    spent, budget
        What building, extending and closing cost; what they may, infinite without a budget.
    """

    chosen: Ints
    option: Ints
    capacity: Ints
    cost: Floats
    added: Ints
    only_here: Ints
    runner_up: Ints
    runner_up_option: Ints
    runner_up_loses: Ints
    closed: Ints
    load: Ints
    spare: Ints
    placed: csr_array
    left_out: Ints
    before: int
    objective: int
    bound: int
    gap: float
    status: Status
    seconds: float
    spent: float
    budget: float
    work: int = 0
    seed: int = 0

    def __str__(self) -> str:
        """Say the result in a sentence."""
        closed = f", {len(self.closed)} close" if len(self.closed) else ""
        return (
            f"{len(self.chosen)} sites for {self.spent:g}{closed}: {self.objective} people have a place, "
            f"{int(self.left_out.sum())} have none, at most {self.bound} could have one ({self.status})"
        )


@dataclass(frozen=True, slots=True)
class StandIns:
    """For each chosen option: people without a place where it is left out, the best in its place, people that loses."""

    only_here: Ints
    other: Ints
    loses: Ints


def in_order(problem: Choices, answer: Ints, built: Ints) -> tuple[Ints, Ints]:
    """Return the built options in the order of the people each adds to those before it, and how many it adds.

    Parameters
    ----------
    problem, answer
        The problem, and the option of each column.
    built
        int64 [k], the options to order; the others of the answer are there from the beginning.
    """
    bare = answer.copy()
    bare[problem.column[built]] = -1
    value = problem.placed(bare)[1]
    gain: dict[int, int] = {one: int(problem.extra[one]) for one in built.tolist()}  # no more than it holds
    counted = dict.fromkeys(gain, -1)
    order: list[int] = []
    added: list[int] = []
    while gain:
        best = max(gain, key=lambda one: (gain[one], -problem.cost[one], -one))
        if counted[best] < len(order):  # what an option adds only shrinks, so it is counted anew when it comes up
            trial = bare.copy()
            trial[problem.column[best]] = best
            gain[best], counted[best] = problem.placed(trial)[1] - value, len(order)
            continue
        order.append(best)
        added.append(gain.pop(best))
        bare[problem.column[best]] = best
        value += added[-1]
    return np.array(order, dtype=np.int64), np.array(added, dtype=np.int64)


def stand_ins(problem: Choices, answer: Ints, value: int, built: Ints, *, runners_up: bool) -> StandIns:
    """Return what leaving each built option out costs, and its best stand-in.

    Parameters
    ----------
    problem, answer
        The problem, and the option of each column.
    value
        People who have a place by it.
    built
        int64 [k], the options to explain.
    runners_up
        Whether to look for stand-ins.
    """
    only, other = np.zeros(len(built), dtype=np.int64), np.full(len(built), -1, dtype=np.int64)
    loses = np.zeros(len(built), dtype=np.int64)
    for place, one in enumerate(built.tolist()):
        rest = answer.copy()
        rest[problem.column[one]] = -1
        flow, left, spare = np.zeros(problem.cover.nnz, dtype=np.int64), problem.weight.copy(), problem.places(rest)
        without = fill_all(*problem.entries, flow, left, spare)
        only[place] = loses[place] = value - without
        if not runners_up:
            continue
        used = problem.use @ problem.taken(rest).astype(np.int64)
        free = (rest[problem.column] < 0) & (problem.column != problem.column[one])
        free &= (used[:, None] + problem.use <= problem.most[:, None]).all(axis=0) & (problem.extra > 0)
        wanted = np.flatnonzero(free)
        wanted = wanted[np.argsort(-problem.extra[wanted], kind="stable")]
        other[place], gain = stand_in_of(
            *problem.entries, flow, left, spare, problem.column, problem.extra, problem.cost, wanted
        )
        loses[place] = value - without - gain
    return StandIns(only, other, loses)


def placement(matrix: csr_array, weight: Ints, tie: Ints, places: Ints) -> csr_array:
    """Return how many people of each row go to each column, as many as can be, those of the second weight first.

    Parameters
    ----------
    matrix
        csr_array [demand, columns] of ones.
    weight, tie
        int64 [demand].
    places
        int64 [columns].

    Examples
    --------
    >>> reach = csr_array(np.array([[1, 1], [1, 0]], dtype=np.int8))
    >>> placement(reach, np.array([3, 4]), np.array([1, 1]), np.array([4, 2])).toarray().tolist()
    [[1, 2], [3, 0]]
    """
    is_open = np.flatnonzero(places > 0)
    rows = np.flatnonzero(weight > 0)
    none = np.zeros(0, dtype=np.int64)
    part = csr_array(csr_array(matrix[rows])[:, is_open])
    bare = np.zeros(len(is_open), dtype=np.bool_)
    empty = np.zeros((0, 0), dtype=np.int64)
    small = Choices(part, weight[rows], tie[rows], places[is_open], bare, none, none, empty, none, empty)
    flow, _, _ = small.placed(np.full(len(is_open), -1, dtype=np.int64))
    some = flow > 0
    cptr, row = small.entries[:2]
    column = np.repeat(is_open, np.diff(cptr))
    return csr_array((flow[some], (rows[row[some]], column[some])), shape=matrix.shape)
