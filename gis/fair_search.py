"""The search for sites under what is asked of groups: exchanges, the Lagrangian bound of both relaxations, HiGHS.

Relaxing what is asked of the groups with prices λ_g ≥ 0, besides yᵢ ≤ Σ xⱼ with prices uᵢ, leaves maximal covering with
weights (1 + λ_g)·wᵢ, of which no answer covers more than

    L(u, λ) = Σ ((1 + λ_g) wᵢ - uᵢ) + the p largest column sums of u - the least Σ λ_g·need_g that meets what is asked.

Without the 1 the same sum below 0 shows that nothing meets it. Prices come from the linear relaxation; whatever they
are, the bound is counted anew in whole numbers (`siting_bound.judged`), and so is what it rules out.
"""

from __future__ import annotations

import time
from copy import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from .fair_highs import Goal, duals, settle
from .fair_problem import among
from .kernels_fair import anneal_groups, search_groups
from .median_search import Effort
from .siting_bound import Columns, lowered
from .siting_reduce import Reduced
from .siting_solve import solve

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .fair_problem import Ask, Grouped
    from .siting_bound import Relaxed

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]

KICKS, KICKED_ENTRIES = (0, 200), 4_000_000
"""Least and most kicks of a search, fewer the more stored pairs there are."""
TRIES_EACH, TRIED_ENTRIES = 800, 1_000_000_000
"""Exchanges tried for each column in an annealing, and the most numbers looked at in one."""
ANNEALINGS, STALLED_AFTER = 30, 5
"""Most annealings of a search, and those without a better answer after which it ends."""
HOT, COLD, HEATS = 0.15, 0.02, (1.0, 2.0, 0.5)
"""Temperature at first, as a share of what a site covers on average; at last, as a share of the first; and by turns."""
PICKED = 0.005
"""What the relaxation picks more than this is tried first."""
LP_PAIRS = 150_000
"""Up to this many stored pairs the linear relaxation is solved; beyond, prices go by steps along the shortage."""
ROUNDS, ROUND_STEPS, POLISH_STEPS = 30, 80, 50
"""Steps of the groups' prices, and of the rows' prices in each; steps after the linear relaxation."""
FINEST, SMALL = 2.0**16, 2_000
"""The groups' prices are whole multiples of one part of so many; so few stored pairs go to HiGHS at once."""
SOLVED_SHARE, CORE_SHARE, LATER_SHARE, SETTLED_PAIRS = 0.3, 0.7, 0.25, 120_000
"""Shares of the time left for the relaxed problem as maximal covering, and for HiGHS with a core of so many pairs."""
TIE_PAIRS = 50_000
"""Up to this many stored pairs, the best by the second weight is searched for among equally good answers."""
CORE_PAIRS = 1_500_000
"""A core of more stored pairs is not given to HiGHS."""


@dataclass(frozen=True, slots=True)
class Most:
    """The most weight under what is asked.

    Parameters
    ----------
    chosen
        int64 [k], columns.
    value, bound
        Weight covered newly, and what no answer exceeds.
    late
        Whether the time ended the search.
    """

    chosen: Ints
    value: int
    bound: int
    late: bool


@dataclass(frozen=True, slots=True)
class Priced:
    """The relaxation at prices of groups, in whole numbers.

    Parameters
    ----------
    unit, prices
        What one unit of weight counts, and what it counts more in each group; the last one, of no group, is 0.
    least
        The least that meeting what is asked is worth.
    relaxed
        The bound of the weighted problem, and what it rules out.
    """

    unit: int
    prices: Ints
    least: int
    relaxed: Relaxed

    @property
    def bound(self) -> int:
        """Return the bound of the weight covered; negative where nothing does what is asked."""
        return (self.relaxed.bound - self.least) // self.unit if self.unit else self.relaxed.bound - self.least


@dataclass(frozen=True, slots=True)
class Meeting:
    """Whether something does what is asked.

    Parameters
    ----------
    chosen
        int64 [k], columns that do; None where none were found.
    priced
        The relaxation, where there may be some that were not found; None where it is proven that there are none.
    """

    chosen: Ints | None
    priced: Priced | None = None

    @property
    def impossible(self) -> bool:
        """Say whether it is proven that nothing does."""
        return self.chosen is None and self.priced is None


class Search:
    """Searches on one problem, with a common end of the time."""

    def __init__(self, problem: Grouped, sites: int, effort: Effort, deadline: float) -> None:
        self.problem, self.effort, self.deadline = problem, effort, deadline
        by_column = problem.cover.tocsc()
        self.rptr, self.col = problem.cover.indptr.astype(np.int32), problem.cover.indices.astype(np.int32)
        self.cptr, self.row = by_column.indptr.astype(np.int32), by_column.indices.astype(np.int32)
        self.sites = min(sites, problem.cover.shape[1])
        self.everything = np.arange(problem.cover.shape[1], dtype=np.int64)
        self.work = 0

    def left(self) -> float:
        """Return the seconds left."""
        return max(0.0, self.deadline - time.perf_counter())

    def late(self) -> bool:
        """Say whether the time is over."""
        return time.perf_counter() > self.deadline

    def value(self, chosen: Ints) -> int:
        """Return the weight that columns cover newly."""
        return int(self.problem.newly(chosen).sum())

    def exchanged(self, need: Ints | None, start: Ints, *, kicks: int | None = None) -> Ints:
        """Return the best answer of exchanges: by what is short of the need, or by the worst rates without one."""
        problem = self.problem
        if not self.sites:
            return np.zeros(0, dtype=np.int64)
        if kicks is None:
            kicks = int(np.clip(KICKED_ENTRIES // max(1, problem.cover.nnz), *KICKS))
        self.work += 1
        return search_groups(
            self.rptr,
            self.col,
            self.cptr,
            self.row,
            problem.weight,
            problem.tie,
            problem.group,
            *self._rule(need),
            start,
            self.sites,
            self.everything,
            kicks,
            self.effort.seed * 1_000_003 + self.work,
        )

    def within(self, share: float) -> Search:
        """Return the same search with a share of the time left."""
        other = copy(self)
        other.deadline = time.perf_counter() + share * self.left()
        return other

    def annealed(self, need: Ints | None, start: Ints, likely: Ints, *, enough: bool = False) -> Ints:
        """Return what annealings make of an answer until they stall, or until nothing is short any more.

        They are among the likely columns and among all by turns.
        """
        problem, best = self.problem, start
        mean = max(1.0, float(problem.weight.sum()) / max(1, self.sites))
        each = problem.cover.nnz // max(1, len(self.everything)) + self.sites * (problem.groups + 1)
        since, turn = 0, 0
        while len(best) and since < STALLED_AFTER and turn < ANNEALINGS and not self.late():
            self.work += 1
            entering = likely if turn % 2 == 0 and len(likely) else self.everything
            tries = int(min(TRIES_EACH * len(entering), TRIED_ENTRIES // max(1, each)))
            hot = HOT * HEATS[turn % len(HEATS)] * mean
            found = anneal_groups(
                self.cptr,
                self.row,
                problem.weight,
                problem.group,
                *self._rule(need),
                best,
                entering,
                np.array([hot, COLD * hot]),
                tries,
                self.effort.seed * 1_000_003 + self.work,
            )
            found = self.exchanged(need, found, kicks=0)
            since, turn = since + 1, turn + 1
            if self.better(need, found, best):
                best, since = found, 0
            if enough and self._key(need, best)[0] == 0:
                break
        return best

    def better(self, need: Ints | None, one: Ints, other: Ints) -> bool:
        """Say whether one answer is better than another: by the shortage or the rates, then the weights."""
        return self._key(need, one) > self._key(need, other)

    def _key(self, need: Ints | None, chosen: Ints) -> tuple[object, tuple[int, int]]:
        """Return what answers are compared by, the larger the better."""
        newly = self.problem.newly(chosen)
        if need is None:
            return sorted(self.problem.rates(newly)), self._worth(chosen)
        return -int(np.maximum(0, need - newly[: len(need)]).sum()), self._worth(chosen)

    def _rule(self, need: Ints | None) -> tuple[Ints, Floats, Floats]:
        """Return what the kernels judge an answer by: needs of -1 ask for the rates."""
        problem = self.problem
        return (
            np.full(problem.groups, -1, dtype=np.int64) if need is None else need,
            problem.have.astype(np.float64),
            np.array([float(count) for count in problem.counts]),
        )

    def most(self, ask: Ask, start: Ints) -> Most:
        """Return columns that cover the most weight and do what is asked, from an answer that does.

        With one level the exchanges keep to its needs, with several to the worst rates, which those levels are.
        """
        need = ask.need[:, 0] if ask.need.shape[1] == 1 else None
        best, reachable = start, int(self.problem.weight.sum()) if self.sites else 0

        def offer(chosen: Ints) -> None:
            nonlocal best
            new, old = (self._worth(one) for one in (chosen, best))
            if new > old and ask.met(self.problem.newly(chosen)):
                best = chosen

        def done(bound: int) -> bool:
            return bound - self.value(best) <= self.effort.gap * bound

        bound = reachable
        if not done(bound) and self.sites:
            goal = Goal(self.sites, ask, self.problem.weight)
            priced = self.priced(goal, self.value(best))
            offer(self.exchanged(need, priced.relaxed.promising, kicks=0))
            offer(self.exchanged(need, best))
            bound = max(min(bound, priced.bound), self.value(best))
            if not done(bound):
                offer(self.annealed(need, best, self.likely(priced)))
                bound = max(bound, self.value(best))
            if not done(bound) and self._wide(priced):
                other, chosen = self._solved(priced)
                offer(chosen)
                offer(self.exchanged(need, chosen, kicks=0))
                bound = max(min(bound, (other - priced.least) // priced.unit), self.value(best))
            if not done(bound) and not self.late():
                proof_bound, chosen = self._core(goal, self._again(goal, priced, self.value(best)), best)
                offer(chosen)
                bound = max(min(bound, proof_bound), self.value(best))
        if bound == self.value(best):
            offer(self._most_tie(ask, best))
        return Most(np.sort(best), self.value(best), bound, self.late())

    def _worth(self, chosen: Ints) -> tuple[int, int]:
        """Return both weights that columns cover."""
        picked = np.zeros(len(self.everything), dtype=np.int64)
        picked[chosen] = 1
        met = self.problem.cover.astype(np.int64) @ picked > 0
        return int(self.problem.weight[met].sum()), int(self.problem.tie[met].sum())

    def meeting(self, ask: Ask, start: Ints) -> Meeting:
        """Return columns that do what is asked, or that there are none, or what the relaxation says of them.

        Parameters
        ----------
        ask
            What is asked of the groups.
        start
            int64 [k], columns to begin with.
        """
        need = ask.need[:, 0] if ask.need.shape[1] == 1 else None
        chosen = self._tried(ask, start, (0, None) if self.sites else ())
        if chosen is not None or not self.sites:
            return Meeting(chosen)
        goal = Goal(self.sites, ask)
        priced = self.priced(goal, 0)
        if priced.bound < 0:
            return Meeting(None)
        near = self.annealed(need, self.exchanged(need, start, kicks=0), self.likely(priced), enough=True)
        chosen = self._tried(ask, near, ())
        if chosen is None and self._wide(priced) and not self.late():
            other, near = self._solved(priced)
            chosen = self._tried(ask, near, (0,))
            if other < priced.least:
                return Meeting(None)
        if chosen is not None:
            return Meeting(chosen)
        chosen = self._tried(ask, self.annealed(need, near, self.likely(priced), enough=True), ())
        if chosen is not None:
            return Meeting(chosen)
        return self._proof(ask, priced)

    def _proof(self, ask: Ask, priced: Priced) -> Meeting:
        """Let HiGHS say whether anything does what is asked, among the columns that are not ruled out."""
        goal, union = Goal(self.sites, ask), np.flatnonzero(~priced.relaxed.out).astype(np.int64)
        if self.late() or self._pairs(union) > CORE_PAIRS:
            return Meeting(None, priced)
        small, seconds = among(self.problem, union), self._core_seconds(union)
        proof = settle(small, goal, seconds=seconds, gap=0.0, start=None, into=priced.relaxed.into[union])
        if proof.chosen is not None and ask.met(self.problem.newly(union[proof.chosen])):
            return Meeting(union[proof.chosen])
        return Meeting(None, None if proof.impossible else priced)

    def _tried(self, ask: Ask, start: Ints, kicks: tuple[int | None, ...]) -> Ints | None:
        """Return the first of the start and what exchanges make of it that does what is asked, None where none does."""
        need = ask.need[:, 0] if ask.need.shape[1] == 1 else None
        for some in kicks:
            if ask.met(self.problem.newly(start)):
                return start
            start = self.exchanged(need, start, kicks=some)
        return start if ask.met(self.problem.newly(start)) else None

    def likely(self, priced: Priced) -> Ints:
        """Return the columns that the relaxation picks and that a better answer may contain."""
        wanted = ~priced.relaxed.out & (priced.relaxed.often > PICKED)
        if wanted.sum() <= self.sites:
            wanted = ~priced.relaxed.out
        return np.flatnonzero(wanted).astype(np.int64)

    def _pairs(self, union: Ints) -> int:
        """Return the stored pairs of some columns."""
        return int(np.diff(self.cptr)[union].sum())

    def _wide(self, priced: Priced) -> bool:
        """Say whether what the bound leaves open is too much for HiGHS to settle at once."""
        return self._pairs(np.flatnonzero(~priced.relaxed.out)) > SMALL and bool(priced.prices.any() or priced.unit)

    def priced(self, goal: Goal, value: int) -> Priced:
        """Return the relaxation at the best prices found.

        Parameters
        ----------
        goal
            What is maximised; without worth it is asked whether anything does what is asked.
        value
            Weight that a known answer covers.
        """
        if self.problem.cover.nnz <= LP_PAIRS:
            found = duals(self.problem, goal, seconds=self.left())
            if found is not None:
                return self._at(goal, value, found[1], prices=found[0])
        return self._stepped(goal, value)

    def _at(
        self,
        goal: Goal,
        value: int,
        by_group: Floats,
        *,
        prices: Floats | None = None,
        known: Priced | None = None,
        steps: int = POLISH_STEPS,
    ) -> Priced:
        """Return the relaxation at prices of groups, from prices of rows or from what is known."""
        base = 0.0 if goal.worth is None else 1.0
        scale = FINEST / max(base, float(by_group.max(initial=0.0)), 1e-300)
        unit, whole = int(base * scale), np.append(np.rint(by_group * scale), 0).astype(np.int64)
        if unit == 0 and not whole.any():
            whole[:-1] = 1
        weight = (unit + whole[self.problem.group]) * self.problem.weight
        columns = Columns(self.cptr, self.row, weight, np.ones(len(self.everything), dtype=np.bool_))
        least = goal.ask.least(whole[:-1])
        beyond = least - 1 if goal.worth is None else unit * (value + 1) + least - 1
        if known is not None:
            share = known.relaxed.prices / np.maximum(1, self._weights(known))
            relaxed = lowered(columns, self.sites, beyond, share * weight, often=known.relaxed.often, steps=steps)
        else:
            first = weight / np.maximum(1, np.diff(self.rptr)) if prices is None else prices * scale
            relaxed = lowered(columns, self.sites, beyond, first, steps=steps)
        return Priced(unit, whole, least, relaxed)

    def _weights(self, priced: Priced) -> Ints:
        """Return the weights of a relaxation."""
        return (priced.unit + priced.prices[self.problem.group]) * self.problem.weight

    def _again(self, goal: Goal, priced: Priced, value: int) -> Priced:
        """Return the relaxation judged anew beside a better answer."""
        return self._at(goal, value, priced.prices[:-1] / priced.unit, known=priced, steps=1)

    def _stepped(self, goal: Goal, value: int) -> Priced:
        """Return the best relaxation met while prices of groups rise where the picks fall short of the need."""
        problem = self.problem
        people = np.array([float(count) for count in problem.counts])
        by_group = np.zeros(problem.groups) if goal.worth is not None else 1.0 / people

        def height(priced: Priced) -> float:
            return float(priced.bound) if priced.unit else priced.bound / max(1e-12, float(priced.prices[:-1] @ people))

        best = now = self._at(goal, value, by_group, steps=ROUND_STEPS)
        for turn in range(ROUNDS if problem.groups else 0):
            if self.late() or best.bound < 0:
                break
            picks = problem.cover.astype(np.float64) @ np.clip(now.relaxed.often, 0.0, 1.0)
            met = np.bincount(problem.group, problem.weight * np.minimum(1.0, picks), minlength=problem.groups + 1)
            short = (goal.ask.need[:, -1] - met[: problem.groups]) / people
            size = 1.0 if goal.worth is not None else float(by_group.max())
            by_group = np.maximum(0.0, by_group + size * short / max(1e-12, float(np.abs(short).max())) / (turn + 1))
            if goal.worth is None and not by_group.any():
                break
            now = self._at(goal, value, by_group, known=now, steps=ROUND_STEPS)
            if height(now) < height(best):
                best = now
        return best

    def _solved(self, priced: Priced) -> tuple[int, Ints]:
        """Return the bound and the answer of maximal covering by the weights of a relaxation."""
        problem = self.problem
        weight = self._weights(priced)
        plain = Reduced(problem.cover, weight, np.zeros_like(weight), self.everything)
        close = max(1, priced.unit) / 2 / max(1, priced.relaxed.bound)  # half a person
        limits = Effort(SOLVED_SHARE * self.left(), close, self.effort.nodes, self.effort.seed)
        solved = solve(plain, self.sites, limits)
        self.work += solved.work
        return solved.bound, solved.chosen

    def _core_seconds(self, union: Ints) -> float:
        """Return the time for HiGHS: a large core is not settled anyhow, but may still give a better answer."""
        return (CORE_SHARE if self._pairs(union) <= SETTLED_PAIRS else LATER_SHARE) * self.left()

    def _core(self, goal: Goal, priced: Priced, best: Ints) -> tuple[int, Ints]:
        """Let HiGHS settle what the bound leaves open."""
        union = np.union1d(np.flatnonzero(~priced.relaxed.out), best)
        if self._pairs(union) > CORE_PAIRS:
            return priced.bound, best
        small = among(self.problem, union)
        inside = priced.relaxed.into[union] & np.isin(union, best)
        proof = settle(
            small,
            replace(goal, worth=small.weight),
            seconds=self._core_seconds(union),
            gap=self.effort.gap,
            start=np.searchsorted(union, best).astype(np.int64),
            into=inside,
        )
        chosen = best if proof.chosen is None else union[proof.chosen]
        return int(min(priced.bound, proof.bound)) if np.isfinite(proof.bound) else priced.bound, chosen

    def _most_tie(self, ask: Ask, best: Ints) -> Ints:
        """Return among answers of the proven weight one with the most second weight, where the problem is small."""
        if not self.problem.tie.any() or self.problem.cover.nnz > TIE_PAIRS or self.late():
            return best
        goal = Goal(self.sites, ask, self.problem.tie, at_least=self.value(best))
        proof = settle(self.problem, goal, seconds=self.left(), gap=0.0, start=best)
        return best if proof.chosen is None else proof.chosen
