"""Branch and bound on the sites: what the prices leave open is proved, or its bound lowered, node by node.

A node forces some columns in and takes others out. Its bound comes from a few primal-dual steps that begin at the
prices of its parent; columns that no better answer below it contains, or that every one contains, are fixed before it
is parted on the column the relaxation is least sure of. The open node of the highest bound comes first, so the highest
bound among the open ones holds for the whole problem whenever the search ends.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from .kernels_cover import narrowed
from .siting_bound import Columns, lowered

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from .siting_bound import Relaxed

    Ints: TypeAlias = NDArray[np.int64]
    Bools: TypeAlias = NDArray[np.bool_]

NODE_STEPS = 200
ROUNDS = 6
"""Times a node is bounded anew at most, while that fixes columns."""
WORTH = 0.05
"""A node is bounded anew when this share of its columns was fixed."""
KEPT_BYTES = 400_000_000
"""Room for the prices of open nodes; beyond it the children begin at those of the root."""


@dataclass(frozen=True, slots=True)
class Branched:
    """What the branching found.

    Parameters
    ----------
    bound
        No answer covers more than this, or than the best known answer where that is higher.
    work
        Stored pairs looked at.
    ended
        Whether nothing is open any more.
    """

    bound: int
    work: float
    ended: bool


@dataclass(frozen=True, slots=True)
class _Node:
    """Columns forced in, columns still open, and where the bound begins."""

    into: NDArray[np.int32]
    free: NDArray[np.int32]
    prices: NDArray[np.float32] | None
    picks: NDArray[np.float32] | None


class Tree:
    """The open nodes of a covering problem by columns.

    Parameters
    ----------
    columns
        The problem; those not free are out.
    sites
        How many may be chosen.
    root
        What is known of its relaxation.
    value
        Weight of the best answer known.
    offer
        Called with int64 columns that cover more than ``value``; returns the weight of the best answer made of them.
    nodes
        Most nodes that are opened.
    """

    def __init__(
        self,
        columns: Columns,
        sites: int,
        root: Relaxed,
        value: int,
        offer: Callable[[Ints], int],
        *,
        nodes: int,
    ) -> None:
        self.columns, self.sites, self.root, self.value, self.offer = columns, sites, root, value, offer
        self.nodes = nodes
        self.rank = np.empty(len(columns.weight), dtype=np.int32)
        free = np.flatnonzero(columns.free & ~root.out).astype(np.int32)
        self.total = int(columns.weight.sum())
        self.open: list[tuple[int, int, int, _Node]] = [
            (-min(root.bound, self.total), 0, 0, _Node(np.zeros(0, dtype=np.int32), free, None, None))
        ]
        self.count, self.work, self.kept = 1, 0.0, 0

    def bound(self) -> int:
        """Return what no answer exceeds: the highest bound still open, or the best answer."""
        return max(self.value, -self.open[0][0]) if self.open else self.value

    def run(self, *, work: float, gap: float, late: Callable[[], bool]) -> Branched:
        """Look at nodes until none is open, the bound is close enough, the work is done or it is late."""
        while self._wanted(gap) and self.work < work and not late():
            level, depth, _, node = heapq.heappop(self.open)
            if node.prices is not None:
                self.kept -= node.prices.nbytes
            self._look(node, -level, depth)
        if self.open and -self.open[0][0] <= self.value:
            self.open.clear()
            self.kept = 0
        return Branched(self.bound(), self.work, not self.open)

    def _wanted(self, gap: float) -> bool:
        """Say whether there is a node left to look at."""
        close = self.bound() - self.value <= gap * self.bound()
        return bool(self.open) and not close and self.count < self.nodes

    def _look(self, node: _Node, level: int, depth: int) -> None:
        """Bound a node, fix what can be fixed, and part it."""
        into, free = node.into, node.free
        met = self._met(into)
        base = int(self.columns.weight[met].sum())
        prices = np.array(self.root.prices if node.prices is None else node.prices, dtype=np.float64)
        picks = np.array(self.root.often[free] if node.picks is None else node.picks, dtype=np.float64)
        for _ in range(ROUNDS):
            more = self.sites - len(into)
            if more == 0 or len(free) <= more:
                self._offer(np.concatenate([into, free]) if more else into)
                return
            rows = np.flatnonzero(~met)
            cptr, row = self._narrowed(rows, free)
            small = Columns(cptr, row, self.columns.weight[rows], np.ones(len(free), dtype=np.bool_))
            self.work += float(NODE_STEPS * len(row))
            found = lowered(small, more, self.value - base, prices[rows], often=picks, steps=NODE_STEPS)
            level = min(level, base + found.bound)
            if level <= self.value:
                return
            self._offer(np.concatenate([into, free[found.promising]]))
            if level <= self.value:
                return
            into = np.concatenate([into, free[found.into]])
            open_ = ~(found.out | found.into)
            fixed = 1.0 - open_.mean()
            prices[rows] = found.prices
            met = self._met(into) if found.into.any() else met
            base = int(self.columns.weight[met].sum())
            free, picks = free[open_], found.often[open_]
            if fixed < WORTH:
                break
        if self.sites > len(into) and len(free) > self.sites - len(into):
            self._part((into, free), prices.astype(np.float32), picks.astype(np.float32), (level, depth))
        else:
            self._offer(np.concatenate([into, free]) if self.sites > len(into) else into)

    def _part(
        self,
        columns: tuple[NDArray[np.int32], NDArray[np.int32]],
        prices: NDArray[np.float32],
        picks: NDArray[np.float32],
        rank: tuple[int, int],
    ) -> None:
        """Open a node with the least sure column in, and one with it out."""
        (forced, free), (level, depth) = columns, rank
        j = int(np.argmin(np.abs(picks - 0.5)))
        others = np.arange(len(free)) != j
        room = self.kept + 2 * prices.nbytes <= KEPT_BYTES
        for into in (np.append(forced, free[j]), forced):
            child = _Node(into.astype(np.int32), free[others], prices if room else None, picks[others])
            self.kept += prices.nbytes if room else 0
            heapq.heappush(self.open, (-level, -depth - 1, self.count, child))
            self.count += 1

    def _offer(self, chosen: NDArray[np.int32]) -> None:
        """Hand on an answer that covers more than the best."""
        if int(self.columns.weight[self._met(chosen)].sum()) > self.value:
            self.value = max(self.value, self.offer(chosen.astype(np.int64)))

    def _met(self, chosen: NDArray[np.int32]) -> Bools:
        """Tell which rows the columns cover."""
        met = np.zeros(len(self.columns.weight), dtype=np.bool_)
        for j in chosen:
            met[self.columns.row[self.columns.cptr[j] : self.columns.cptr[j + 1]]] = True
        return met

    def _narrowed(self, rows: Ints, free: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return the free columns over the given rows only."""
        self.rank[:] = -1
        self.rank[rows] = np.arange(len(rows), dtype=np.int32)
        return narrowed(self.columns.cptr, self.columns.row, free, self.rank)
