"""The search for the best sites: greedy, exchanges, bound, annealing, merging of good answers, branching.

Model of maximal covering (Church & ReVelle 1974), after reduction:

    maximise Σ wᵢ yᵢ   subject to   yᵢ ≤ Σ_{j reaches i} xⱼ,   Σ xⱼ ≤ p,   xⱼ ∈ {0, 1},   0 ≤ yᵢ ≤ 1

All steps are counted in work, not in time, so that the clock only ends the search and never steers it.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy.sparse import csr_array

from .kernels_cover import add_greedily, anneal, covered_times, descend, sums_of
from .siting_bound import STEPS, by_columns, first_prices, judged, lowered
from .siting_branch import Tree
from .siting_highs import best_tie, lp_prices, prove, silent_solver
from .siting_reduce import Reduced, merged

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .median_search import Effort
    from .siting_bound import Columns, Relaxed

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]

__all__ = ["Solved", "Start", "covered_weight", "easy_bound", "silent_solver", "solve"]

TIE_PAIRS = 20_000
"""Up to this many stored pairs, the best by the second weight is searched for among equally good answers."""
BOUND_WORK = 4e9
"""Most stored pairs looked at by the primal-dual steps at the root, and the fewest steps whatever it takes."""
FEWEST_STEPS, FURTHER_STEPS = 150, 400
LP_PAIRS = 1_500_000
"""Up to this many stored pairs the linear relaxation is solved."""
POLISH_STEPS = 50
"""Primal-dual steps from the prices of the linear relaxation."""
CORE_WORK = 1e9
"""Stored pairs looked at in the branching before and after the linear relaxation; twice as many from stage to stage."""
QUICK_PAIRS = 120_000
"""Most stored pairs left open that a what-if branches on."""
BRANCHED = 0.5
"""Work of the branching for each of the annealings before it."""
SHRUNK = 0.7
"""The branching begins anew when what is open has shrunk to this share."""
PICKED = 0.005
"""What the relaxation picks more than this is worth trying first."""
TRIES_EACH, TRIES_MOST = 400, 20_000_000
"""Exchanges tried for each column in an annealing, and the most in one."""
HOT, COLD = 0.03, 0.02
"""Temperature at first, as a share of what a site covers on average; at last, as a share of the first one."""
MERGE_AFTER, MERGED_MOST, MERGE_NODES, MERGE_SHARE = 3, 10, 50, 0.15
"""Annealings between merges, answers merged, and the most nodes and share of the time left in one."""
STALLED_AFTER = 4
"""Annealings without a better answer after which the branching takes its turn; then they grow longer."""
ANNEAL_WORK = 4e8
"""Stored pairs looked at in one of the first annealings at most."""
LINES, WARMER = 2, 1.5
"""Annealings at once, and how much warmer each is than the one before it."""
HEATS = (1.0, 0.5, 2.0, 1.0)
QUICK_WORK, TRIES_QUICK, WARM = 8_000_000, 10, 0.2
"""A what-if's stored pairs looked at for the bound, exchanges tried for each column, and share of the first heat."""


@dataclass(frozen=True, slots=True)
class Start:
    """What is known before a search: an answer, and prices of the bound.

    Parameters
    ----------
    chosen
        int64 [k], columns of the reduced problem.
    prices, picks
        float64 [rows] and [columns], of the relaxation.
    pace
        Seconds an exchange took to try, so that none begins for which there is no time.
    quick
        Whether this is a what-if: only a short search from there, then the proof while time is left.
    """

    chosen: Ints | None = None
    prices: Floats | None = None
    picks: Floats | None = None
    pace: float = 0.0
    quick: bool = False


@dataclass(frozen=True, slots=True)
class Solved:
    """What the search found: columns of the reduced problem, and an upper bound of any answer's weight.

    Parameters
    ----------
    chosen
        int64 [k].
    bound, proven
        No answer covers more; whether the answer covers as much.
    prices, picks
        float64 [rows] and [columns], those of the bound.
    pace, work, late
        Seconds an exchange took to try; annealings; whether the time ended the search.
    """

    chosen: Ints
    bound: int
    proven: bool
    prices: Floats
    picks: Floats
    pace: float
    work: int
    late: bool


def covered_weight(columns: Columns, weight: Ints, chosen: Ints) -> int:
    """Return the weight that the chosen columns cover, each row once."""
    return int(weight[covered_times(columns.cptr, columns.row, chosen, len(weight))[0] > 0].sum())


def easy_bound(columns: Columns, chosen: Ints, sites: int) -> int:
    """Return an upper bound that needs no solver: what is reachable, and the covered plus the largest further gains.

    Covering has diminishing returns: no answer exceeds f(S) + the p largest gains over any S (Nemhauser et al. 1978).
    """
    weight = columns.weight
    count, _ = covered_times(columns.cptr, columns.row, chosen, len(weight))
    left = np.where(count == 0, weight, 0)

    def largest(of: Ints) -> int:
        return int(np.sort(sums_of(columns.cptr, columns.row, of)[columns.free])[::-1][:sites].sum())

    within = int(
        weight[covered_times(columns.cptr, columns.row, np.flatnonzero(columns.free), len(weight))[0] > 0].sum()
    )
    return min(within, largest(weight), int(weight.sum() - left.sum()) + largest(left))


def solve(
    problem: Reduced, sites: int, effort: Effort, *, barred: Bools | None = None, start: Start | None = None
) -> Solved:
    """Choose columns that cover the most weight, the most second weight when equal.

    Parameters
    ----------
    problem
        A reduced covering problem.
    sites
        How many columns may be chosen at most, at least 1.
    effort
        Limits; the first search is not cut short.
    barred
        bool [columns], those that may not be chosen.
    start
        What is known already, from a problem much like this one.
    """
    return _Search(problem, sites, effort, barred, start or Start()).run()


class _Search:
    """The best answer, the best bound, and what they rule out."""

    def __init__(self, problem: Reduced, sites: int, effort: Effort, barred: Bools | None, start: Start) -> None:
        self.problem, self.effort, self.known = problem, effort, start
        self.columns = by_columns(problem, barred)
        self.sites = min(sites, int(self.columns.free.sum()))
        self.deadline = time.perf_counter() + effort.seconds
        self.key, self.scale = _keys(problem)
        self.entering = np.flatnonzero(self.columns.free).astype(np.int64)
        self.elites: list[Ints] = []
        self.work, self.tried = 0, np.inf
        self.tree: Tree | None = None
        self.stage, self.spent = 0, 0.0
        self.pace, self.out_of_time = start.pace, False
        self.chosen = self._first()
        self.lines = [self.chosen] * LINES
        self.value = covered_weight(self.columns, problem.weight, self.chosen)
        self.bound = max(self.value, easy_bound(self.columns, self.chosen, self.sites))
        prices = first_prices(self.columns) if start.prices is None else start.prices
        self.relaxed = judged(self.columns, self.sites, self.value, prices, start.picks)
        self._take_bound(self.relaxed)

    def _first(self) -> Ints:
        """Return an answer no exchange betters: from greedy, or from what is known, filled up by greedy."""
        columns, known = self.columns, self.known.chosen
        left = self.key
        kept = np.zeros(0, dtype=np.int64)
        if known is not None:
            kept = known[columns.free[known]][: self.sites]
            left = np.where(covered_times(columns.cptr, columns.row, kept, len(left))[0] == 0, left, 0)
        more = add_greedily(columns.cptr, columns.row, left, columns.free, self.sites - len(kept))
        return self._descended(np.concatenate([kept, more]))

    def _descended(self, chosen: Ints) -> Ints:
        """Return an answer, sorted, after exchanges until none betters it."""
        return np.sort(descend(self.columns.cptr, self.columns.row, self.key, chosen, self.entering))

    def late(self) -> bool:
        """Say whether the time is over."""
        return self.out_of_time or time.perf_counter() > self.deadline

    def left(self) -> float:
        """Return the seconds left."""
        return max(0.0, self.deadline - time.perf_counter())

    def done(self) -> bool:
        """Say whether the bound is close enough to the answer."""
        return self.bound - self.value <= self.effort.gap * self.bound

    def offer(self, chosen: Ints) -> bool:
        """Take an answer that is better, by the second weight when equal; say whether it was."""
        old, new = (covered_weight(self.columns, self.key, one) for one in (self.chosen, chosen))
        if new <= old:
            return False
        self.chosen = chosen
        self.value = covered_weight(self.columns, self.problem.weight, chosen)
        self.bound = max(self.bound, self.value)
        return True

    def _take_bound(self, relaxed: Relaxed) -> None:
        """Take a relaxation when its bound is lower."""
        if relaxed.bound <= self.relaxed.bound:
            self.relaxed = relaxed
        self.bound = max(min(self.bound, relaxed.bound), self.value)

    def _judge(self) -> None:
        """See anew what the best prices rule out, after a better answer was found."""
        relaxed = judged(self.columns, self.sites, self.value, self.relaxed.prices, self.relaxed.often)
        self.relaxed = relaxed
        self.bound = max(min(self.bound, relaxed.bound), self.value)

    def run(self) -> Solved:
        """Search until proven or a limit is reached."""
        full = len(self.chosen) == self.sites
        if self.known.quick:
            self._begin_again()
        else:
            self._begin()
        while not self.done() and not self.late() and self._within_work():
            before = self.spent
            if full:
                self._rounds(TRIES_EACH * 2**self.stage)
            self._core(BRANCHED * (self.spent - before))
            self.stage += 1
        proven = self.bound == self.value
        pairs = self.problem.cover.nnz
        if proven and self.scale > 1 and pairs <= TIE_PAIRS:
            free, left = self.columns.free, self.left()
            self.offer(best_tie(self.problem, self.sites, free, self.chosen, self.value, seconds=left))
        return Solved(
            np.sort(self.chosen),
            self.bound,
            proven,
            self.relaxed.prices,
            self.relaxed.often,
            self.pace,
            self.work,
            self.late(),
        )

    def _begin(self) -> None:
        """Find a first bound and a good answer; prove it where the core is small."""
        if not self.done():
            self._bound_roughly()
        if not self.done() and len(self.chosen) == self.sites:
            self._anneal(TRIES_EACH, HOT, narrow=True)
        self._core(CORE_WORK)
        if not self.done() and not self.late():
            self._relax()
            self._core(CORE_WORK)

    def _begin_again(self) -> None:
        """Begin at what is known: few steps of the bound, a short annealing."""
        if self.done():
            return
        known, pairs = self.relaxed, max(1, len(self.columns.row))
        steps = min(POLISH_STEPS, QUICK_WORK // pairs + 1)
        self._take_bound(lowered(self.columns, self.sites, self.value, known.prices, often=known.often, steps=steps))
        if not self.done() and not self.late() and len(self.chosen) == self.sites:
            self._anneal(TRIES_QUICK, HOT * WARM)
        if self._open_pairs() <= QUICK_PAIRS:
            self._core(np.inf)

    def _bound_roughly(self) -> None:
        """Lower the bound by primal-dual steps, and try the columns it likes best."""
        pairs = max(1, len(self.columns.row))
        steps = int(np.clip(BOUND_WORK / pairs, FEWEST_STEPS, STEPS))
        self._take_bound(lowered(self.columns, self.sites, self.value, self.relaxed.prices, steps=steps))
        if not self.done() and self.offer(self._descended(self.relaxed.promising)):
            self._judge()

    def _relax(self) -> None:
        """Take the bound of the linear relaxation."""
        if len(self.columns.row) > LP_PAIRS:
            self._lower_further()
            return
        prices = lp_prices(self.problem, self.sites, self.columns.free, seconds=self.left())
        if prices is not None and len(prices) == len(self.key):
            self._take_bound(lowered(self.columns, self.sites, self.value, prices, steps=POLISH_STEPS))

    def _lower_further(self) -> None:
        """Lower the bound by more steps, over the columns that a better answer may contain."""
        known = self.relaxed
        columns = replace(self.columns, free=self.columns.free & ~known.out)
        count = min(self.sites, int(columns.free.sum()))
        self._take_bound(lowered(columns, count, self.value, known.prices, often=known.often, steps=FURTHER_STEPS))

    def _core(self, work: float) -> None:
        """Branch on what the bound leaves open; go on with the last tree until a much smaller one can be begun."""
        if self.done() or self.late():
            return
        pairs = self._open_pairs()
        if self.tree is None or pairs <= SHRUNK * self.tried:
            self.tree, self.tried = self._tree(), pairs
        tree = self.tree
        tree.value = max(tree.value, self.value)
        found = tree.run(work=tree.work + work, gap=self.effort.gap, late=self.late)
        self.bound = max(min(self.bound, found.bound), self.value)

    def _open_pairs(self) -> int:
        """Return the stored pairs of the columns that a better answer may contain."""
        return int(np.diff(self.columns.cptr)[~self.relaxed.out].sum())

    def _tree(self) -> Tree:
        """Return the root over the columns left open; rows that differ only in columns ruled out become one."""
        union = np.union1d(np.flatnonzero(~self.relaxed.out), self.chosen)
        small = by_columns(self._among(union))
        prices, picks = first_prices(small), self.relaxed.often[union]
        root = lowered(small, self.sites, self.value, prices, often=picks, steps=FEWEST_STEPS)

        def offer(places: Ints) -> int:
            if self.offer(self._descended(union[places])):
                self._judge()
            return self.value

        return Tree(small, self.sites, root, self.value, offer, nodes=self.effort.nodes)

    def _anneal(self, each: int, hot: float, *, narrow: bool = False) -> None:
        """Search on along each line at a falling temperature, narrowly among what the relaxation picks.

        One line goes on from the best answer, the others from their own, all at once; they meet where they are merged.
        """
        entering = self._entering(narrow=narrow)
        most = ANNEAL_WORK * max(1, each // TRIES_EACH) * len(self.columns.free) / max(1, len(self.columns.row))
        tries = min(TRIES_MOST, int(most), each * len(self._entering(narrow=True)))
        if not tries:
            return
        if tries * self.pace > self.left():
            self.out_of_time = True
            return
        began = time.perf_counter()
        columns, mean = self.columns, float(self.key.sum()) / self.sites
        self.lines[0] = self.chosen

        def search(line: int) -> Ints:
            seed = self.effort.seed * 1_000_003 + self.work + line * 500_009
            heat = hot * mean * WARMER**line
            start = self.lines[line]
            found, _ = anneal(columns.cptr, columns.row, self.key, start, entering, heat, COLD * heat, tries, seed)
            return self._descended(found)

        with ThreadPoolExecutor(LINES) as pool:
            self.lines = list(pool.map(search, range(LINES)))
        self.work += 1
        self.pace = (time.perf_counter() - began) / tries
        self.spent += tries * len(columns.row) / max(1, len(columns.free))
        for found in self.lines:
            if not any(np.array_equal(found, one) for one in self.elites):
                self.elites.append(found)
            if self.offer(found):
                self._judge()

    def _entering(self, *, narrow: bool) -> Ints:
        """Return the columns that may enter; narrowly those the relaxation picks where it picks enough."""
        wanted = ~self.relaxed.out
        if narrow and (self.relaxed.often > PICKED).sum() > self.sites:
            wanted &= self.relaxed.often > PICKED
        return np.flatnonzero(wanted).astype(np.int64)

    def _among(self, union: Ints) -> Reduced:
        """Return the problem of these columns only."""
        rows, weight, tie = merged(csr_array(self.problem.cover[:, union]), self.problem.weight, self.problem.tie)
        return Reduced(rows, weight, tie, union)

    def _merge(self) -> None:
        """Find the best answer among the columns of the best answers met."""
        ranked = sorted(self.elites, key=lambda one: -covered_weight(self.columns, self.key, one))
        self.elites = ranked[:MERGED_MOST]
        union = np.unique(np.concatenate([*self.elites, self.chosen]))
        small = self._among(union)
        start = np.searchsorted(union, self.chosen)
        relaxed = lowered(by_columns(small), self.sites, self.value, first_prices(by_columns(small)))
        found, _ = prove(
            small, self.sites, start, relaxed, seconds=MERGE_SHARE * self.left(), gap=0.0, nodes=MERGE_NODES
        )
        if self.offer(self._descended(union[found])):
            self._judge()

    def _within_work(self) -> bool:
        """Say whether the limit that does not depend on the machine leaves anything to do."""
        return self.work + (self.tree.count if self.tree else 0) < self.effort.nodes and not self.settled()

    def settled(self) -> bool:
        """Say whether the branching has nothing open."""
        return self.tree is not None and not self.tree.open

    def _rounds(self, each: int) -> None:
        """Anneal and merge until nothing better is found any more, it is proven or a limit is reached."""
        since, turn, large = 0, 0, len(self.columns.row) > LP_PAIRS  # then a wide one would take too long
        while since < STALLED_AFTER and not self.done() and not self.late() and self._within_work():
            before = covered_weight(self.columns, self.key, self.chosen)
            self._anneal(each, HOT * HEATS[turn % len(HEATS)], narrow=large or turn % 2 == 0)
            turn += 1
            if turn % MERGE_AFTER == 0 and not self.done() and not self.late():
                self._merge()
            if covered_weight(self.columns, self.key, self.chosen) > before:
                since = 0
                if self._open_pairs() <= SHRUNK * self.tried:
                    self._core(CORE_WORK)
            else:
                since += 1


def _keys(problem: Reduced) -> tuple[Ints, int]:
    """Return one whole number for each row by which the first weight decides and the second only breaks ties."""
    scale = int(problem.tie.sum()) + 1
    if int(problem.weight.sum()) * scale >= 2**62:
        scale = 1
    return problem.weight * scale + (problem.tie if scale > 1 else 0), scale
