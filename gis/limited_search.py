"""The search for sites under limits: greedy by gain and by gain for the price, exchanges, bound, annealing, HiGHS.

All steps are counted in work, not in time, so that the clock only ends the search and never steers it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy.sparse import csr_array

from .kernels_budget import anneal_within, descend_within
from .limited_cover import Limited, first_bound, judged, lowered
from .limited_highs import best_among_equals, lp_prices, prove
from .siting_reduce import merged

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .limited_cover import Bounded
    from .median_search import Effort

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]

TIE_PAIRS = 50_000
"""Up to this many stored pairs, the best among equally good answers is searched for."""
BOUND_WORK, FEWEST_STEPS, STEPS, POLISH_STEPS = 4e9, 150, 1000, 50
"""Most stored pairs looked at by the primal-dual steps at the root; fewest and most steps; after the relaxation."""
LP_PAIRS = 1_500_000
"""Up to this many stored pairs the linear relaxation is solved."""
CORE_PAIRS, CORE_SHARE = 120_000, 0.5
"""A core of so few stored pairs is given to HiGHS at once, for this share of the time left; others later."""
LATER_PAIRS, SHRUNK = 1_500_000, 0.7
"""HiGHS begins anew when the core has shrunk to this share."""
TRIES_EACH, TRIES_MOST = 400, 1_000_000
"""Exchanges tried for each column in an annealing, and the most in one."""
HOT, COLD = 0.05, 0.02
"""Temperature at first, as a share of what a site covers on average; at last, as a share of the first one."""
HEATS = (1.0, 0.4, 2.0)
STALLED_AFTER = 6
"""Annealings without a better answer after which HiGHS takes its turn."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the search found.

    Parameters
    ----------
    inside
        bool [columns] of the reduced problem.
    bound, proven
        No answer covers more; whether the answer covers as much.
    late, work
        Whether the time ended the search; annealings it took.
    known
        The bound by prices, where there was anything to choose: they bound other limits too.
    """

    inside: Bools
    bound: int
    proven: bool
    late: bool
    work: int
    known: Bounded | None = None


def search(problem: Limited, effort: Effort, *, start: Bools | None = None) -> Found:
    """Choose columns that cover the most weight under all limits, the most second weight, the least aims when equal.

    Parameters
    ----------
    problem
        A reduced problem, of which the columns that free a limit are an answer.
    effort
        Limits; the first search is not cut short.
    start
        bool [columns], an answer to begin with, where one is known.
    """
    return _Search(problem, effort, start).run()


class _Search:
    """The best answer, the best bound, and what they rule out."""

    def __init__(self, problem: Limited, effort: Effort, start: Bools | None = None) -> None:
        self.problem, self.effort = problem, effort
        self.deadline = time.perf_counter() + effort.seconds
        self.work, self.tried, self.pace, self.out_of_time = 0, np.inf, 0.0, False
        columns = problem.use.shape[1]
        self.none = np.zeros(columns, dtype=np.bool_)
        self.price = (np.maximum(problem.use, 0) / np.maximum(problem.most, 1)[:, None]).max(axis=0, initial=0.0)
        self.price = np.maximum(self.price, 1e-9)
        self.inside = problem.begin
        for price in (self.price, np.ones(columns)):
            self._take(self._descended(problem.begin, price))
        if start is not None and problem.holds(start):
            self._take(self._descended(start))
        self.known: Bounded = first_bound(problem, self.value)
        self.bound = max(self.known.bound, self.value)

    @property
    def value(self) -> int:
        """Return the weight that the best answer covers."""
        return int(self.problem.weight[self.problem.covered(self.inside)].sum())

    def _descended(self, start: Bools, price: Floats | None = None) -> Bools:
        """Return an answer that no addition and no exchange betters."""
        problem = self.problem
        return descend_within(
            *problem.columns, problem.key, problem.use, problem.most, problem.cost,
            self.price if price is None else price, ~self.none, start,
        )  # fmt: skip

    def _take(self, inside: Bools) -> bool:
        """Take an answer that is better; say whether it was."""
        if self.problem.worth(inside) <= self.problem.worth(self.inside) or not self.problem.holds(inside):
            return False
        self.inside = inside
        return True

    def offer(self, inside: Bools) -> None:
        """Take an answer that is better, and see what the bound rules out beside it."""
        before = self.value
        if self._take(inside) and self.value > before:
            self._bound_by(judged(self.problem, self.value, self.known.prices, self.known.charges))

    def _bound_by(self, known: Bounded) -> None:
        """Take what prices show when it is no worse than what is known."""
        if known.bound <= self.known.bound:
            self.known = known
        self.bound = max(min(self.bound, known.bound), self.value)

    def late(self) -> bool:
        """Say whether the time is over."""
        return self.out_of_time or time.perf_counter() > self.deadline

    def left(self) -> float:
        """Return the seconds left."""
        return max(0.0, self.deadline - time.perf_counter())

    def done(self) -> bool:
        """Say whether the bound is close enough to the answer."""
        return self.bound - self.value <= self.effort.gap * self.bound

    def run(self) -> Found:
        """Search until proven or a limit is reached."""
        if not self.done():
            self._lower(STEPS)
        if not self.done() and not self.late():
            self._anneal(HOT)
        self._core(CORE_PAIRS, CORE_SHARE)
        if not self.done() and not self.late():
            self._relax()
            self._core(CORE_PAIRS, CORE_SHARE)
        self._rounds()
        self._core(LATER_PAIRS, 1.0)
        self._rounds()
        proven = self.bound == self.value
        if proven and self.problem.cover.nnz <= TIE_PAIRS:
            self._take(best_among_equals(self.problem, self.inside, seconds=self.left()))
        self._take(self._descended(self.inside))
        return Found(self._needed(), self.bound, proven, self.late(), self.work, self.known)

    def _lower(self, most: int) -> None:
        """Lower the bound by primal-dual steps."""
        pairs = max(1, self.problem.cover.nnz)
        steps = int(np.clip(BOUND_WORK / pairs, min(FEWEST_STEPS, most), most))
        self._bound_by(lowered(self.problem, self.value, self.known, steps))

    def _relax(self) -> None:
        """Take the bound of the linear relaxation."""
        if self.problem.cover.nnz > LP_PAIRS:
            self._lower(STEPS)
            return
        found = lp_prices(self.problem, seconds=self.left())
        if found is not None:
            self._bound_by(judged(self.problem, self.value, *found))
            self._lower(POLISH_STEPS)

    def _core(self, most: int, share: float) -> None:
        """Give what the bound leaves open to HiGHS when it is small, and smaller than the last time."""
        if self.done() or self.late():
            return
        pairs = int(np.diff(self.problem.columns[0])[~self.known.out].sum())
        if pairs > min(most, SHRUNK * self.tried):
            return
        self.tried = pairs
        union = np.flatnonzero(~self.known.out | self.inside)
        small = self._among(union)
        known = replace(self.known, out=self.known.out[union], into=self.known.into[union])
        places, bound = prove(small, self.inside[union], known, seconds=share * self.left(), gap=self.effort.gap)
        found = self.none.copy()
        found[union[places]] = True
        self.offer(self._descended(found))
        self.bound = max(min(self.bound, bound), self.value)

    def _among(self, union: Ints) -> Limited:
        """Return the problem of these columns only; rows that differ only in the others become one."""
        problem = self.problem
        cover, weight, tie = merged(csr_array(problem.cover[:, union]), problem.weight, problem.tie)
        return Limited(
            cover, weight, tie, np.ascontiguousarray(problem.use[:, union]), problem.most,
            np.ascontiguousarray(problem.aims[:, union]), union,
        )  # fmt: skip

    def _anneal(self, hot: float) -> None:
        """Search from the best answer at a falling temperature."""
        problem = self.problem
        entering = np.flatnonzero(~self.known.out).astype(np.int64)
        tries = min(TRIES_MOST, TRIES_EACH * len(entering))
        if not tries or tries * self.pace > self.left():
            self.out_of_time |= bool(tries)
            return
        began = time.perf_counter()
        self.work += 1
        heat = hot * max(1.0, float(problem.key[problem.covered(self.inside)].sum()) / max(1, int(self.inside.sum())))
        found, _ = anneal_within(
            *problem.columns, problem.key, problem.use, problem.most, problem.cost, entering, self.inside,
            heat, heat * COLD, tries, self.effort.seed + self.work,
        )  # fmt: skip
        self.pace = (time.perf_counter() - began) / tries
        self.offer(self._descended(found))

    def _rounds(self) -> None:
        """Anneal until nothing better is found any more, it is proven or a limit is reached."""
        since, turn = 0, 0
        while since < STALLED_AFTER and not self.done() and not self.late() and self.work < self.effort.nodes:
            before = self.problem.worth(self.inside)
            self._anneal(HOT * HEATS[turn % len(HEATS)])
            turn += 1
            since = 0 if self.problem.worth(self.inside) > before else since + 1
            self._core(CORE_PAIRS, CORE_SHARE)

    def _needed(self) -> Bools:
        """Return the best answer without columns that cover nothing alone, the dearest left out first."""
        inside, problem = self.inside.copy(), self.problem
        times = problem.cover @ inside.astype(np.int64)
        indptr, rows = problem.columns
        counts = problem.key > 0
        for one in sorted(np.flatnonzero(inside & ~problem.begin).tolist(), key=lambda j: (-problem.cost[j], -j)):
            own = rows[indptr[one] : indptr[one + 1]]
            if not (counts[own] & (times[own] == 1)).any():
                inside[one] = False
                times[own] -= 1
        return inside
