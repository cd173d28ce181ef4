"""The search for the best options that share room: greedy, exchanges that push others out, bound, annealing, HiGHS.

All steps are counted in work, not in time, so that the clock only ends the search and never steers it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from .errors import Fault, InfeasibleError
from .kernels_packed import add_greedily, anneal, cheaper, descend, empty, fits, gain_of, option_sums, put_in, take_out
from .packed_bound import first_prices, judged
from .packed_highs import any_answer, best_tie, prove, relaxation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .kernels_packed import State
    from .median_search import Effort
    from .packed import Packed
    from .packed_bound import Judged

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]

TIE_PAIRS, TIE_NODES = 20_000, 500
"""Up to this many pairs, the best by the second weight is searched for among equally good answers."""
TUNED_OPTIONS = 5_000
"""Up to so many options better rates are looked for, for given prices."""
LP_PAIRS = 3_000_000
"""Up to this many pairs the linear relaxation is solved, and HiGHS asked for the proof."""
LP_SHARE, CORE_SHARE, MERGE_SHARE, PROOF_SHARE = 0.5, 0.4, 0.15, 0.4
CORE_PAIRS = 30_000
"""A core of so few pairs is given to HiGHS before the annealings."""
SHRUNK = 0.8
"""HiGHS begins anew when the core has shrunk to this share."""
ALL_PAIRS, DRAWN = 200_000, 16
"""Beyond so many pairs, options that fill a group in the exchanges are drawn, not all looked through."""
TRIES_EACH, TRIES_MOST, LONGER = 200, 1_000_000, 4
"""Steps tried for each option in an annealing, the most in one, and how much longer they are later."""
HOT, COLD, HEATS = 0.03, 0.02, (1.0, 0.5, 2.0, 1.0)
"""Temperature at first, as a share of what an option covers on average; at last, as a share of the first one."""
MERGE_AFTER, MERGED_MOST, MERGE_NODES = 3, 8, 50
STALLED_AFTER = 4
"""Annealings without a better answer after which they grow longer, and then HiGHS takes its turn."""
PICKED = 0.01
"""What the relaxation takes more of than this is worth trying first."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the search found.

    Parameters
    ----------
    chosen
        int64 [k], options.
    value, bound
        Weight covered, and what no answer covers more than.
    proven, late, work
        Whether they are equal, whether the time ended the search, and annealings it took.
    """

    chosen: Ints
    value: int
    bound: int
    proven: bool
    late: bool
    work: int


def search(
    problem: Packed,
    effort: Effort,
    *,
    began: float,
    starts: Sequence[Ints] = (),
    bound: int | None = None,
) -> Found:
    """Choose options that cover the most weight; when equal, more second weight, then lower prices, then lower numbers.

    Parameters
    ----------
    problem
        The problem.
    effort
        Limits.
    began
        When the time began, by `time.perf_counter`.
    starts
        Options worth beginning with, the most important first; those that do not fit are left out.
    bound
        What is known that no answer exceeds.

    Raises
    ------
    InfeasibleError
        When what must be chosen has no room.
    """
    run = _Search(problem, effort, began)
    if bound is not None:
        run.bound = min(run.bound, bound)
    return run.run(starts)


class _Search:
    """The best answer, the best bound, and what they rule out."""

    def __init__(self, problem: Packed, effort: Effort, began: float) -> None:
        self.problem, self.effort = problem, effort
        self.packing = problem.packing
        self.deadline = began + effort.seconds
        self.scale = int(problem.tie.sum()) + 1
        if int(problem.weight.sum()) * self.scale >= 2**62:
            self.scale = 1  # both weights do not fit into one number
        self.key = problem.weight * self.scale + (problem.tie if self.scale > 1 else 0)
        self.worth = option_sums(self.packing, self.key)
        self.samples = 0 if problem.pairs <= ALL_PAIRS else DRAWN
        self.chosen = np.zeros(0, dtype=np.int64)
        self.best, self.value = -1, 0
        self.bound = int(problem.weight.sum())
        self.elites: list[tuple[int, Ints]] = []
        self.picks = np.zeros(len(problem.free))
        self.work, self.pace, self.out_of_time, self.tried = 0, 0.0, False, np.inf
        self.forced = self._forced()
        prices = first_prices(problem)
        self.known: Judged = judged(problem, prices, np.zeros(len(self.packing.limit)), -1, tune=self._tunable())
        self.bound = min(self.bound, self.known.bound)

    def _tunable(self) -> bool:
        """Say whether looking for better rates takes little."""
        return len(self.problem.free) <= TUNED_OPTIONS

    def late(self) -> bool:
        """Say whether the time is over."""
        return self.out_of_time or time.perf_counter() > self.deadline

    def left(self) -> float:
        """Return the seconds left."""
        return max(0.0, self.deadline - time.perf_counter())

    def done(self) -> bool:
        """Say whether the bound is close enough to the answer."""
        return self.bound - self.value <= self.effort.gap * self.bound

    def _forced(self) -> Ints:
        """Return options that meet what must be chosen, in the best place for each, the largest first."""
        packing, state = self.packing, empty(self.packing)
        for one in np.flatnonzero(packing.stays):
            put_in(packing, self.key, state, int(one))
        sizes = np.zeros(len(packing.room))
        np.maximum.at(sizes, packing.plot, packing.size)
        owed = np.flatnonzero(packing.owed)
        for plot in owed[np.argsort(-sizes[owed], kind="stable")]:
            here = packing.plist[packing.pptr[plot] : packing.pptr[plot + 1]]
            able = [int(one) for one in here if self.problem.free[one] and fits(packing, state, one)]
            if not able:
                break
            put_in(packing, self.key, state, max(able, key=lambda one: gain_of(packing, self.key, state, one)))
        else:
            return np.sort(state.members[: state.tally[0]])
        found = any_answer(self.problem, seconds=max(self.left(), 1.0))
        if found is None:
            message = "the sites that are required cannot all be built within what each phase may spend"
            raise InfeasibleError(message, Fault("gis.siting_must_phases"))
        forced: Ints = found[packing.stays[found] | packing.owed[packing.plot[found]]]
        return forced

    def _state(self, options: Ints) -> State:
        """Return the answer of these options that fit, beginning with what must be chosen."""
        packing, state = self.packing, empty(self.packing)
        met = np.zeros(len(packing.room), dtype=np.bool_)
        given = options[packing.stays[options] | packing.owed[packing.plot[options]]]
        forced = given if len(given) == len(self.forced) else self.forced
        for one in (*forced, *options):
            able = self.problem.free[one] or packing.stays[one]
            if able and fits(packing, state, one) and not (packing.owed[packing.plot[one]] and met[packing.plot[one]]):
                put_in(packing, self.key, state, int(one))
                met[packing.plot[one]] = True
        return state

    def _bettered(self, options: Ints, power: float) -> None:
        """Fill up an answer greedily, exchange until nothing betters it, and take it when it is better."""
        state = self._state(options)
        add_greedily(self.packing, self.key, state, self.problem.free, power)
        descend(self.packing, self.key, state, self.problem.free, self.samples, self.effort.seed, power)
        self._offer(np.sort(state.members[: state.tally[0]]), int(state.tally[1]))

    def _offer(self, options: Ints, worth: int) -> None:
        """Take an answer that is better, by the second weight when equal."""
        self.elites.append((worth, options))
        if worth <= self.best:
            return
        self.chosen, self.best = options, worth
        value = worth // self.scale
        if value > self.value:
            self.value = value
            self.known = judged(self.problem, self.known.prices, self.known.rates, value)
            self.bound = max(min(self.bound, self.known.bound), value)

    def _powers(self) -> tuple[float, ...]:
        """Return how sizes count in the greedy: not at all where all take the same."""
        size = self.packing.size
        return (0.0,) if len(size) == 0 or np.ptp(size) == 0 else (1.0, 0.0)

    def run(self, starts: Sequence[Ints]) -> Found:
        """Search until proven or a limit is reached."""
        for power in self._powers():
            for options in (np.zeros(0, dtype=np.int64), *starts):
                if self.best < 0 or not self.late():
                    self._bettered(options, power)
        if not self.done() and not self.late():
            self._relax()
        self._core(CORE_PAIRS, CORE_SHARE)
        self._rounds(TRIES_EACH)
        self._rounds(LONGER * TRIES_EACH)
        self.tried = np.inf
        self._core(LP_PAIRS, 1.0)
        proven = self.bound <= self.value
        if proven and self.scale > 1 and self.problem.pairs <= TIE_PAIRS and not self.late():
            self._take(best_tie(self.problem, self.chosen, self.value, nodes=TIE_NODES, seconds=self.left()))
        return Found(self._tidied(), self.value, max(self.bound, self.value), proven, self.late(), self.work)

    def _relax(self) -> None:
        """Take the bound of the linear relaxation, and begin at what it picks."""
        if self.problem.pairs > LP_PAIRS:
            return
        relaxed = relaxation(self.problem, seconds=LP_SHARE * self.left())
        if relaxed is None:
            return
        known = judged(self.problem, relaxed.prices, relaxed.rates, self.value, tune=self._tunable())
        if known.bound <= self.known.bound:
            self.known = known
        self.bound = max(min(self.bound, known.bound), self.value)
        self.picks = relaxed.picks
        order = np.argsort(-relaxed.picks, kind="stable")
        self._bettered(order[relaxed.picks[order] > 0.5].astype(np.int64), self._powers()[0])

    def _core(self, most: int, share: float) -> None:
        """Give what the bound leaves open to HiGHS when it is small, and smaller than the last time."""
        if self.done() or self.late():
            return
        opened = ~self.known.out
        sizes = np.diff(self.packing.cptr).astype(np.int64)
        columns = np.zeros((self.packing.blocks, len(sizes)), dtype=np.bool_)
        columns[self.packing.first[opened], self.packing.col[opened]] = True
        pairs = int((np.logical_or.accumulate(columns, axis=0) * sizes).sum())
        if pairs > min(most, SHRUNK * self.tried):
            return
        self.tried = pairs
        seconds, gap = share * self.left(), self.effort.gap
        found, bound = prove(self.problem, opened, self.known.into, self.chosen, seconds=seconds, gap=gap)
        self._take(found)
        self.bound = max(min(self.bound, bound), self.value)

    def _take(self, options: Ints) -> None:
        """Take the answer of a solver, where it keeps to the limits to the last digit."""
        state = self._state(options)
        if state.tally[0] == len(options):
            self._offer(np.sort(options), int(state.tally[1]))

    def _anneal(self, each: int, hot: float, *, narrow: bool) -> None:
        """Search from the best answer at a falling temperature, narrowly among what the relaxation picks."""
        wanted = ~self.known.out
        if narrow and (self.picks > PICKED).sum() > len(self.chosen):
            wanted &= self.picks > PICKED
        entering = np.flatnonzero(wanted).astype(np.int64)
        tries = min(TRIES_MOST, each * len(entering))
        if not tries:
            return
        if tries * self.pace > self.left():
            self.out_of_time = True
            return
        began = time.perf_counter()
        mean = max(float(self.best) / max(len(self.chosen), 1), 1.0)
        state = self._state(self.chosen)
        seed = (self.effort.seed * 1_000_003 + self.work) % 2**31
        self.work += 1
        heat = (hot * mean, hot * COLD * mean)
        met = anneal(self.packing, self.key, state, self.problem.free, entering, heat, tries, seed)
        self._bettered(np.sort(met), self._powers()[0])
        self.pace = (time.perf_counter() - began) / tries

    def _merge(self) -> None:
        """Find the best answer among the options of the best answers met."""
        self.elites = sorted(self.elites, key=lambda one: -one[0])[:MERGED_MOST]
        among = np.zeros(len(self.problem.free), dtype=np.bool_)
        for _, options in self.elites:
            among[options] = True
        none = np.zeros_like(among)
        seconds = MERGE_SHARE * self.left()
        found, _ = prove(self.problem, among, none, self.chosen, seconds=seconds, gap=0.0, nodes=MERGE_NODES)
        self._take(found)
        self._bettered(self.chosen, self._powers()[0])

    def _rounds(self, each: int) -> None:
        """Anneal and merge until nothing better is found any more, it is proven or a limit is reached."""
        since, turn, large = 0, 0, self.problem.pairs > LP_PAIRS
        kept = 0.0 if large else PROOF_SHARE * self.effort.seconds
        while since < STALLED_AFTER and not self.done() and self.work < self.effort.nodes and self.left() > kept:
            before = self.best
            self._anneal(each, HOT * HEATS[turn % len(HEATS)], narrow=large or turn % 2 == 0)
            turn += 1
            if turn % MERGE_AFTER == 0 and not large and not self.done() and not self.late():
                self._merge()
            if self.best > before:
                since = 0
                self._core(CORE_PAIRS, CORE_SHARE)
            else:
                since += 1

    def _tidied(self) -> Ints:
        """Return the answer with cheaper options where as good, and without those that cover nothing alone."""
        packing, state = self.packing, self._state(self.chosen)
        cheaper(packing, self.key, state, self.problem.able, self.problem.price)
        stay = packing.stays | packing.owed[packing.plot]
        for one in sorted(state.members[: state.tally[0]].tolist(), key=lambda k: (-self.problem.price[k], -k)):
            if state.loss[one] == 0 and not stay[one]:
                take_out(packing, self.key, state, one)
        return np.sort(state.members[: state.tally[0]])
