"""The search for the sites with the least sum of walks: greedy, exchanges, Lagrangian bound, branch and bound.

The p-median after reduction, with a row's cost without any site bᵢ and its costs cᵢⱼ < bᵢ:

    minimise Σᵢ min(bᵢ, min_{j open} cᵢⱼ)   with at most p columns open.

Relaxing that each row is served once, with prices 0 ≤ vᵢ ≤ bᵢ, leaves

    L(v) = Σ vᵢ + the p least sums ρⱼ = Σᵢ min(0, cᵢⱼ - vᵢ),

which no answer falls below (Cornuéjols, Fisher & Nemhauser 1977; Beasley 1985). A column whose forcing in or out lifts
L above the value of the best answer is fixed; what stays open is settled by branching on columns, each node beginning
at the prices of its parent.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from .kernels_median import add_greedily, exchange, first_costs, lower, nearest_two

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]
    States: TypeAlias = NDArray[np.int8]

ROOT_ROUNDS, ROOT_STEPS, NODE_STEPS = 12, 150, 80
MOST_EXCHANGES = 100_000
NODE_SCALE, STALLED, BRANCH_AT = 0.3, 1e-2, 0.8
TRIED, TRIAL_STEPS = 4, 30
WORTH_SHRINKING = 0.8
TIE_ENTRIES, TIE_NODES = 50_000, 500
"""Up to this many entries, all answers of the proven cost are looked through, in so many nodes at most."""
KICKS, KICKED_ENTRIES = (12, 100), 40_000_000
"""Least and most times the exchanges are begun anew from the best answer with a few columns replaced."""
SETTLED_NODES, SETTLED_EVERY = 50, 8
"""The first nodes, and of the others one in so many, try for an answer with exchanges."""
CLOSE = 1e-9
"""Two sums of costs that differ by less than this share are the same."""


@dataclass(frozen=True, slots=True)
class Median:
    """A problem by rows, each row's entries by rising cost, and by columns.

    Parameters
    ----------
    indptr, col, cost
        int64 [rows + 1], int32 and float64 [entries], weighted costs.
    base
        float64 [rows], the cost of a row without any site; above each of its entries.
    cptr, row, ccost
        The same entries by columns.
    unit
        1 when all costs are whole numbers, so that a better answer is better by 1 at least; else 0.
    """

    indptr: Ints
    col: NDArray[np.int32]
    cost: Floats
    base: Floats
    cptr: Ints
    row: NDArray[np.int32]
    ccost: Floats
    unit: float

    @property
    def columns(self) -> int:
        """Return the number of columns."""
        return len(self.cptr) - 1


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to search.

    Parameters
    ----------
    seconds
        Time for the whole; it only stops the search and never steers it.
    gap
        Relative gap at which the proof may stop.
    nodes
        Most nodes of the branching; a limit that gives the same answer on any machine.
    seed
        Of the random restarts.
    """

    seconds: float = 60.0
    gap: float = 0.0
    nodes: int = 100_000
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Rows:
    """The entries of a problem by rows, as far as they still matter at a node."""

    indptr: Ints
    col: NDArray[np.int32]
    cost: Floats

    def less(self, state: States) -> Rows:
        """Return the rows without the columns that are closed; the same ones when few entries would go."""
        stay = state[self.col] >= 0
        left = int(stay.sum())
        if left > WORTH_SHRINKING * len(stay):
            return self
        ends = np.concatenate([[0], np.cumsum(stay)])
        return Rows(ends[self.indptr].astype(np.int64), self.col[stay], self.cost[stay])


@dataclass(frozen=True, slots=True)
class Node:
    """A part of the answers: the columns fixed in it, and what its bound was reached with.

    Parameters
    ----------
    bound
        No answer of this part costs less.
    state
        int8 [columns], 1 open, -1 closed, 0 free.
    price
        float64 [rows], the prices of the bound.
    often
        float64 [columns], the share of late steps in which each column was picked.
    """

    bound: float
    rows: Rows
    state: States
    price: Floats
    often: Floats


@dataclass(frozen=True, slots=True)
class Choice:
    """What may be chosen.

    Parameters
    ----------
    sites
        Most columns open.
    kept, barred
        bool [columns], those that must be open and must not be; disjoint.
    start
        bool [columns], an answer to begin with.
    rank
        Among answers of the same cost the one with the least rank is taken.
    """

    sites: int
    kept: Bools
    barred: Bools
    start: Bools | None = None
    rank: Callable[[Bools], tuple[float, ...]] | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """An answer: open columns, their cost, a bound that no answer falls below, the nodes, whether time ran out."""

    is_open: Bools
    value: float
    bound: float
    nodes: int
    late: bool


def arrange(row: NDArray[np.integer], col: NDArray[np.integer], cost: Floats, base: Floats, columns: int) -> Median:
    """Return the problem of these entries; those that cost as much as their row without any site are left out.

    Examples
    --------
    >>> two = arrange(np.array([0, 0, 1]), np.array([0, 1, 1]), np.array([5.0, 2.0, 9.0]), np.array([9.0, 9.0]), 2)
    >>> two.col.tolist(), two.cost.tolist(), two.unit
    ([1, 0], [2.0, 5.0], 1.0)
    """
    keep = cost < base[row]
    row, col, cost = row[keep], col[keep], cost[keep]
    order = np.lexsort((col, cost, row))
    row, col, cost = row[order], col[order], cost[order]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(base)))]).astype(np.int64)
    by_column = np.lexsort((row, col))
    cptr = np.concatenate([[0], np.cumsum(np.bincount(col, minlength=columns))]).astype(np.int64)
    whole = bool((cost == np.floor(cost)).all() and (base == np.floor(base)).all() and base.sum() < 2**52)
    return Median(
        indptr=indptr,
        col=col.astype(np.int32),
        cost=cost.astype(np.float64),
        base=base.astype(np.float64),
        cptr=cptr,
        row=row[by_column].astype(np.int32),
        ccost=cost[by_column].astype(np.float64),
        unit=1.0 if whole else 0.0,
    )


def value_of(problem: Median, is_open: Bools) -> float:
    """Return what an answer costs."""
    return float(nearest_two(problem.indptr, problem.col, problem.cost, problem.base, is_open)[1].sum())


def settle(problem: Median, is_open: Bools, kept: Bools, barred: Bools, sites: int) -> tuple[Bools, float]:
    """Open the best further columns up to ``sites``, exchange while that saves; return the answer and its cost."""
    answer = is_open.copy()
    near = nearest_two(problem.indptr, problem.col, problem.cost, problem.base, answer)[1]
    add_greedily(problem.cptr, problem.row, problem.ccost, near, answer, barred, sites - int(answer.sum()))
    rows = (problem.indptr, problem.col, problem.cost, problem.base)
    exchange(*rows, problem.cptr, problem.row, problem.ccost, answer, kept, barred, MOST_EXCHANGES)
    return answer, value_of(problem, answer)


class _Tree:
    """Branch and bound: the best answer, and what is still open."""

    def __init__(self, problem: Median, choice: Choice, effort: Effort) -> None:
        self.problem, self.effort = problem, effort
        self.sites, self.kept, self.barred, self.rank = choice.sites, choice.kept, choice.barred, choice.rank
        self.deadline = time.perf_counter() + effort.seconds
        start = choice.kept if choice.start is None else choice.start
        self.answer, self.value = settle(problem, start, self.kept, self.barred, self.sites)
        self.nodes = 0
        self.equals = False

    @property
    def goal(self) -> float:
        """Return what an answer must not exceed to be of interest: better than the best one, or as good."""
        slack = self.slack
        if self.equals:
            return self.value + slack
        better = self.value - self.problem.unit + slack if self.problem.unit else self.value - slack
        return min(better, self.value * (1 - self.effort.gap))

    @property
    def slack(self) -> float:
        """Return the difference below which two costs are the same."""
        return CLOSE * max(1.0, self.value)

    def offer(self, is_open: Bools) -> None:
        """Take an answer's best neighbour when it is better, or as good and of a better rank."""
        answer, value = settle(self.problem, is_open, self.kept, self.barred, self.sites)
        if value < self.value - self.slack:
            self.answer, self.value = answer, value
        elif self.rank and value <= self.value + self.slack and self.rank(answer) < self.rank(self.answer):
            self.answer, self.value = answer, min(value, self.value)

    def kick(self) -> None:
        """Begin anew from the best answer with some columns closed, the more often the smaller the problem is."""
        random = np.random.default_rng(self.effort.seed)
        kicks = int(np.clip(KICKED_ENTRIES / max(len(self.problem.col), 1), *KICKS))
        for turn in range(kicks):
            free = np.flatnonzero(self.answer & ~self.kept)
            if len(free) < 2 or self.late():
                return
            leave = random.choice(free, size=min(len(free), 2 + turn % 3 * max(1, len(free) // 10)), replace=False)
            answer = self.answer.copy()
            answer[leave] = False
            shut = self.barred.copy()
            shut[leave] = True  # else greedy would put them straight back
            spread, _ = settle(self.problem, answer, self.kept, shut, self.sites)
            self.offer(spread)

    def late(self) -> bool:
        """Say whether the time is over."""
        return time.perf_counter() > self.deadline

    def lower(self, node: Node, steps: int, scale: float) -> tuple[Node, Bools]:
        """Raise the bound of a node and fix columns; return it with the columns picked at the bound."""
        state, price, often = node.state.copy(), node.price.copy(), node.often.copy()
        rows = node.rows.less(state)
        cap = first_costs(rows.indptr, rows.col, rows.cost, self.problem.base, state)
        np.minimum(price, cap, out=price)
        bound, _, picked = lower(
            rows.indptr, rows.col, rows.cost, cap, state, price, self.sites, self.value, self.goal, steps, scale, often
        )
        return Node(max(node.bound, bound), rows, state, price, often), picked

    def root(self) -> Node:
        """Raise the bound of the whole problem, trying an answer at each round."""
        state = np.where(self.kept, 1, np.where(self.barred, -1, 0)).astype(np.int8)
        problem = self.problem
        _, near, second = nearest_two(problem.indptr, problem.col, problem.cost, problem.base, self.answer)
        rows = Rows(problem.indptr, problem.col, problem.cost)
        ends = np.maximum(problem.indptr[1:] - 1, 0)
        largest = problem.cost[ends] if len(problem.cost) else np.zeros(len(near))
        price = np.minimum((near + second) / 2, np.maximum(largest, 1.0))  # a base may be far above all costs
        node = Node(-np.inf, rows, state, price, np.zeros(len(state)))
        scale = 1.0
        for turn in range(ROOT_ROUNDS):
            before, value = node.bound, self.value
            node, picked = self.lower(node, ROOT_STEPS, scale)
            self.offer(picked | self.kept)
            if node.bound > self.goal or self.late():
                break
            if turn > 1 and node.bound - before < STALLED * (self.value - before) and value == self.value:
                break
            scale = max(scale * 0.7, 0.05)
        return node

    def run(self) -> Found:
        """Search until proven or a limit is reached."""
        self.kick()
        left = self._branch(self.effort.nodes)
        proven = self.value if self.effort.gap == 0 else max(self.goal, 0.0)
        bound = min(self.value, left, proven)
        if self.rank and bound == self.value and len(self.problem.col) <= TIE_ENTRIES:
            self.equals = True
            self._branch(self.nodes + TIE_NODES)
        return Found(self.answer, self.value, bound, self.nodes, self.late())

    def _branch(self, most: int) -> float:
        """Go through the tree until nothing of interest is left or a limit is reached; return the bound of the rest."""
        stack = [self.root()]
        while stack and self.nodes < most and not self.late():
            node = stack.pop()
            if node.bound <= self.goal:
                self.nodes += 1
                stack.extend(self._children(node))
        return min((node.bound for node in stack if node.bound <= self.goal), default=np.inf)

    def _children(self, node: Node) -> list[Node]:
        """Split a node on a column; return those halves that may hold a better answer, the more promising last."""
        opened, free = node.state > 0, np.flatnonzero(node.state == 0)
        if not len(free) or opened.sum() >= self.sites or (node.state >= 0).sum() <= self.sites:
            self.offer(opened if opened.sum() >= self.sites else node.state >= 0)
            return []
        halves = []
        for half in self._split(node, free):
            refined, picked = self.lower(half, NODE_STEPS, NODE_SCALE)
            if refined.bound <= self.goal:
                if self.nodes <= SETTLED_NODES or self.nodes % SETTLED_EVERY == 0:
                    self.offer(picked)
                halves.append(refined)
        return sorted(halves, key=lambda half: -half.bound)

    def _split(self, node: Node, free: Ints) -> list[Node]:
        """Return the halves of a node on the column that lifts both bounds most, tried on a few (strong branching).

        Where one half holds nothing of interest only the other one is returned.
        """
        closeness = np.abs(node.often[free] - BRANCH_AT)
        best, score = [node], -1.0
        for column in free[np.argsort(closeness, kind="stable")[:TRIED]]:
            halves = []
            for side in (-1, 1):
                state = node.state.copy()
                state[column] = side
                half, _ = self.lower(replace(node, state=state), TRIAL_STEPS, NODE_SCALE)
                if half.bound <= self.goal:
                    halves.append(half)
            if len(halves) < 2:
                return halves
            gains = [max(half.bound - node.bound, CLOSE * self.value) for half in halves]
            if gains[0] * gains[1] > score:
                best, score = halves, gains[0] * gains[1]
        return best


def search(problem: Median, choice: Choice, effort: Effort) -> Found:
    """Choose columns at the least cost, and prove it as far as the effort goes.

    Examples
    --------
    >>> row, col, cost = np.array([0, 0, 1]), np.array([0, 1, 1]), np.array([5.0, 2.0, 9.0])
    >>> problem = arrange(row, col, cost, np.array([20.0, 20.0]), 2)
    >>> none = np.zeros(2, dtype=bool)
    >>> found = search(problem, Choice(1, none, none), Effort())
    >>> found.is_open.tolist(), found.value, found.bound
    ([False, True], 11.0, 11.0)
    """
    return _Tree(problem, choice, effort).run()
