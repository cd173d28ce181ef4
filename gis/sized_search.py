"""The search for sizes: options taken greedily, torn out and mended, the Lagrangian bound, HiGHS.

All steps are counted in work, not in time, so that the clock only ends the search and never steers it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from .kernels_sized import add_options, fill_all, tear_and_mend
from .sized_highs import best_among_equals, prove
from .sized_model import first_rated, lowered, rated

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .median_search import Effort
    from .sized_model import Choices

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]

TIE_ENTRIES, LARGEST_MODEL = 500, 400_000
"""Up to so many entries the best among equals is searched for, and the proof is left to HiGHS."""
ROUNDS, STEPS, LATER_ROUNDS = 3, 150, 6
TRIES, TRIES_WORK = (20, 400), 40_000_000
"""Least and most tries of tearing and mending in a round, and the entries looked at in one."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What the search found: the option of each column, the bound, whether it is proven, ended by time, the work."""

    answer: Ints
    bound: int
    proven: bool
    late: bool
    work: int


def search(problem: Choices, start: Ints, effort: Effort) -> Settled:
    """Choose options so that the most people have a place.

    Parameters
    ----------
    problem
        Columns, their options and limits.
    start
        int64 [columns], an answer that keeps to them.
    effort
        Limits; the first search is not cut short.
    """
    return _Search(problem, start, effort).run()


class _Search:
    """The best answer, the best bound, and what it rules out."""

    def __init__(self, problem: Choices, start: Ints, effort: Effort) -> None:
        self.problem, self.effort, self.work = problem, effort, 0
        self.deadline = time.perf_counter() + effort.seconds
        self.answer, self.worth = start, problem.worth(start)
        used = np.maximum(problem.use, 0) / np.maximum(problem.most, 1)[:, None]
        self.price = np.maximum(used.max(axis=0, initial=0.0), 1e-9)
        for price in (self.price, np.ones(len(problem.column))):
            self._take(self._filled(start, price))
        self.known = first_rated(problem, self.value)
        self.bound = max(self.known.bound, self.value)

    @property
    def value(self) -> int:
        """Return how many have a place."""
        return self.worth[0]

    def _filled(self, start: Ints, price: Floats) -> Ints:
        """Return an answer to which no option that fits adds anybody."""
        problem, taken = self.problem, start.copy()
        spent = problem.use @ problem.taken(start).astype(np.int64)
        flow, left, spare = np.zeros(problem.cover.nnz, dtype=np.int64), problem.weight.copy(), problem.places(start)
        fill_all(*problem.entries, flow, left, spare)
        add_options(
            *problem.entries, flow, left, spare, problem.column, problem.extra, problem.use, problem.most, price,
            spent, taken, True,
        )  # fmt: skip
        return taken

    def _take(self, answer: Ints) -> None:
        """Take an answer that is better."""
        worth = self.problem.worth(answer)
        if worth > self.worth and self.problem.holds(answer):
            self.answer, self.worth = answer, worth

    def late(self) -> bool:
        """Say whether the time is over."""
        return time.perf_counter() > self.deadline

    def done(self) -> bool:
        """Say whether the bound is close enough to the answer."""
        return self.bound - self.value <= self.effort.gap * self.bound

    def run(self) -> Settled:
        """Search until proven or a limit is reached."""
        for _ in range(ROUNDS):
            self._round()
        small = self.problem.cover.nnz <= LARGEST_MODEL
        if small and not self.done() and not self.late():
            left, gap = self.deadline - time.perf_counter(), self.effort.gap
            found, bound = prove(self.problem, self.answer, self.known, seconds=left, gap=gap)
            self._take(found)
            self.bound = max(min(self.bound, bound), self.value)
        while not small and self.work < ROUNDS + LATER_ROUNDS and not self.done() and not self.late():
            self._round()
        proven = self.bound == self.value
        if proven and self.problem.cover.nnz <= TIE_ENTRIES:
            self._take(best_among_equals(self.problem, self.answer, seconds=self.deadline - time.perf_counter()))
            self._lower_numbers()
        self._needed()
        return Settled(self.answer, self.bound, proven, self.late(), self.work)

    def _round(self) -> None:
        """Lower the bound, then tear and mend."""
        if self.done() or self.late() or self.work >= self.effort.nodes:
            return
        problem, self.work = self.problem, self.work + 1
        self.known = lowered(problem, self.value, self.known, STEPS)
        self.bound = max(min(self.bound, self.known.bound), self.value)
        if self.done():
            return
        before = self.value
        tries = int(np.clip(TRIES_WORK // max(1, problem.cover.nnz), *TRIES))
        self._take(
            tear_and_mend(
                *problem.entries, problem.weight, problem.base, problem.column, problem.extra, problem.use,
                problem.most, self.price, problem.cost, problem.must, ~self.known.out, self.answer, tries,
                self.effort.seed + self.work,
            )
        )  # fmt: skip
        if self.value > before:
            self.known = rated(problem, self.value, self.known.prices, self.known.charges)
            self.bound = max(min(self.bound, self.known.bound), self.value)

    def _lower_numbers(self) -> None:
        """Exchange sites for ones with lower numbers that are as good in all else."""
        problem = self.problem
        for one in sorted(self.answer[self.answer >= 0].tolist()):
            same = (problem.use == problem.use[:, [one]]).all(axis=0) & (problem.aims == problem.aims[:, [one]]).all(
                axis=0
            )
            for other in np.flatnonzero(same & (problem.column < problem.column[one])).tolist():
                if self.answer[problem.column[other]] >= 0 or problem.must[problem.column[one]]:
                    continue
                trial = self.answer.copy()
                trial[problem.column[one]], trial[problem.column[other]] = -1, other
                if problem.worth(trial) == self.worth and problem.holds(trial):
                    self.answer = trial
                    break

    def _needed(self) -> None:
        """Leave out or make smaller what can be while as many have a place, the dearest first.

        When the time is over, only what nobody is placed at is left out.
        """
        problem = self.problem
        flow = problem.placed(self.answer)[0]
        starts = np.concatenate([[0], np.cumsum(flow)])[problem.entries[0]]
        empty = np.diff(starts) == 0
        for one in sorted(self.answer[self.answer >= 0].tolist(), key=lambda o: (-problem.cost[o], -o)):
            column = problem.column[one]
            if self.late() and not empty[column]:
                continue
            own = np.arange(problem.options[column], problem.options[column + 1])
            cheaper = own[problem.cost[own] < problem.cost[one]]
            for other in (-1, *cheaper[np.argsort(problem.cost[cheaper], kind="stable")].tolist()):
                trial = self.answer.copy()
                trial[column] = other
                enough = int(problem.places(trial).sum()) >= self.value and problem.holds(trial)
                if enough and problem.worth(trial)[:2] >= self.worth[:2]:
                    self.answer, self.worth = trial, problem.worth(trial)
                    break
