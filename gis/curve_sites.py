"""How many people for how many sites: the points of the curve begun one from another.

Let f(p) be the most weight that p sites cover. Four facts let the points help each other:

* f(p) ≤ f(p + 1), so a bound of p + 1 is one of p, and an answer of p is one of p + 1;
* f(p) ÷ p does not rise: the least loss of leaving one of p + 1 sites out is at most a (p + 1)-th of what they cover
  (Nemhauser, Wolsey & Fisher 1978), so bound(q) = ⌊bound(p)·q ÷ p⌋ holds for q > p;
* prices u of the demand bound every point at once: L(u, p) = Σ (wᵢ - uᵢ) + the p largest column sums, concave in p;
* an answer of p + 1 without the site that loses least is an answer of p.

f itself need not be concave, so the hull of the points is no bound and none is made of it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from .curve_answer import Curve, knee_of, settled
from .kernels_cover import covered_times, sums_of
from .median_search import Effort
from .siting_answer import Outcome, answer
from .siting_bound import FINEST, MOST_BITS, by_columns
from .siting_solve import Start, solve

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .siting_answer import Siting, Status
    from .siting_bound import Columns
    from .siting_open import Opened
    from .siting_reduce import Reduced

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]

ROUNDS = 3
"""So often the points that are not proven are gone through; each round with other random numbers."""


@dataclass
class _Point:
    """One number of sites: the best answer, in columns of the reduced problem, and its bound; both without the base."""

    sites: int
    chosen: Ints
    value: int
    bound: int
    late: bool = False
    work: int = 0


class Tracing:
    """The points of a curve over the number of free sites, begun one from another."""

    def __init__(self, left: Opened, most_sites: int, effort: Effort, began: float) -> None:
        self.left, self.effort, self.began = left, effort, began
        self.problem: Reduced = left.reduced().problem
        self.columns: Columns = by_columns(self.problem)
        self.all = int(self.problem.weight.sum())
        self.most = most_sites - len(left.forced)
        self.points: list[_Point] = []
        self.bounds = np.full(max(0, self.most), self.all, dtype=np.int64)
        self.start = Start()

    def left_seconds(self) -> float:
        """Return the seconds left of the whole."""
        return max(0.0, self.effort.seconds - (time.perf_counter() - self.began))

    def open(self, point: _Point) -> bool:
        """Say whether the point is to be looked at again."""
        return point.bound - point.value > self.effort.gap * point.bound

    def run(self) -> None:
        """Go up point by point, then again through those that are not proven while time is left."""
        for sites in range(1, self.most + 1):
            if self.points and self.points[-1].value == self.all:
                break
            known = self.points[-1].chosen if self.points else np.zeros(0, dtype=np.int64)
            if not self.all:
                break
            self.points.append(_Point(sites, known, self.value(known), self.all))
            self._solve(self.points[-1], self.left_seconds() / (self.most - sites + 1), seed=self.effort.seed)
        self._settle()
        for again in range(1, ROUNDS):
            todo = [point for point in self.points if self.open(point)]
            for place, point in enumerate(reversed(todo)):
                if self.left_seconds() > 0 and self.open(point):
                    share = self.left_seconds() / (len(todo) - place)
                    self._solve(point, share, seed=self.effort.seed + again)
            self._settle()

    def value(self, chosen: Ints) -> int:
        """Return the weight that columns cover."""
        count, _ = covered_times(self.columns.cptr, self.columns.row, chosen, len(self.problem.weight))
        return int(self.problem.weight[count > 0].sum())

    def _solve(self, point: _Point, seconds: float, *, seed: int) -> None:
        """Search for a better answer of a point from the one known, and take its prices for all points."""
        limits = Effort(seconds, self.effort.gap, self.effort.nodes, seed)
        solved = solve(
            self.problem, point.sites, limits, start=Start(point.chosen, self.start.prices, None, self.start.pace)
        )
        value = self.value(solved.chosen)
        if value >= point.value:
            point.chosen, point.value = solved.chosen, value
        point.late, point.work = solved.late, point.work + solved.work
        self.start = Start(None, solved.prices, None, solved.pace)
        place = point.sites - 1
        self.bounds[place] = min(int(self.bounds[place]), solved.bound)
        np.minimum(self.bounds, bounds_of_prices(self.columns, solved.prices, self.most), out=self.bounds)
        point.bound = max(int(self.bounds[place]), point.value)

    def _settle(self) -> None:
        """Let the points help each other: answers from the next larger and smaller one, bounds from all."""
        for above, point in zip(self.points[:0:-1], self.points[-2::-1], strict=True):
            fewer = self._without_least(above.chosen) if len(above.chosen) > point.sites else above.chosen
            value = self.value(fewer)
            if value > point.value:
                point.chosen, point.value = fewer, value
        for below, point in zip(self.points, self.points[1:], strict=False):
            if below.value > point.value:
                point.chosen, point.value = below.chosen, below.value
        self.bounds[:] = tightened(self.bounds)
        for point in self.points:
            point.bound = max(int(self.bounds[point.sites - 1]), point.value)

    def _without_least(self, chosen: Ints) -> Ints:
        """Return the columns without the one that only covers the least."""
        count, places = covered_times(self.columns.cptr, self.columns.row, chosen, len(self.problem.weight))
        alone = np.bincount(places[count == 1], self.problem.weight[count == 1], minlength=len(chosen))
        return np.delete(chosen, int(np.argmin(alone)))

    def curve(self) -> Curve:
        """Put the points together."""
        left, forced = self.left, len(self.left.forced)
        sitings: list[Siting] = []
        if forced:
            sitings.append(self._answer(_Point(0, np.zeros(0, dtype=np.int64), 0, 0)))
        sitings.extend(self._answer(point) for point in self.points)
        counts = np.array(([0] if forced else []) + [point.sites for point in self.points], dtype=np.int64) + forced
        found = np.array([one.objective for one in sitings], dtype=np.int64)
        cost = np.array([left.case.costs[one.chosen].sum() for one in sitings], dtype=np.float64)
        empty: Status = "unreachable" if left.case.left.any() else "all_covered"
        return Curve(
            sites=counts,
            cost=cost,
            budget=np.full(len(counts), np.inf),
            covered=found,
            bound=np.array([one.bound for one in sitings], dtype=np.int64),
            gap=np.array([one.gap for one in sitings], dtype=np.float64),
            chosen=tuple(one.chosen for one in sitings),
            knee=knee_of(counts, found),
            before=int(left.case.weight[left.case.done].sum()),
            status=settled([one.status for one in sitings] or [empty]),
            seconds=time.perf_counter() - self.began,
            seed=self.effort.seed,
        )

    def _answer(self, point: _Point) -> Siting:
        """Return a point as the answer that maximal covering would give."""
        left = self.left
        picked = np.concatenate([left.forced, left.free[self.problem.candidate[point.chosen]]])
        ended = Outcome(
            bound=left.base + point.bound,
            proven=point.bound == point.value,
            late=point.late,
            work=point.work,
            into=left.into,
            out=left.out,
            began=self.began,
        )
        return answer(left.case, picked, ended, self.effort)


def bounds_of_prices(columns: Columns, prices: Floats, most: int) -> Ints:
    """Return for 1 … ``most`` sites what no choice of as many columns exceeds, by the same prices of demand.

    Counted in whole numbers, prices rounded to binary fractions, as `siting_bound.judged` does for one number of sites.

    Examples
    --------
    >>> from lifecircle.gis.siting_bound import Columns
    >>> columns = Columns(np.array([0, 2, 3], np.int32), np.array([0, 1, 1], np.int32), np.array([5, 7]),
    ...                   np.ones(2, bool))
    >>> bounds_of_prices(columns, np.array([5.0, 7.0]), 2).tolist()
    [12, 12]
    """
    total = int(columns.weight.sum())
    bits = min(FINEST, MOST_BITS - max(total, 1).bit_length() - int(most).bit_length())
    if bits < 0:
        return np.full(most, total, dtype=np.int64)
    whole = np.floor(np.clip(np.nan_to_num(prices), 0.0, columns.weight) * 2.0**bits).astype(np.int64)
    sums = np.sort(sums_of(columns.cptr, columns.row, whole)[columns.free])[::-1][:most]
    levels: Ints = (total << bits) - int(whole.sum()) + np.cumsum(sums)
    levels = np.concatenate([levels, np.full(most - len(levels), levels[-1] if len(levels) else 0, dtype=np.int64)])
    bounded: Ints = np.minimum(levels >> bits, total)
    return bounded


def tightened(bounds: Ints) -> Ints:
    """Return bounds of 1, 2, … sites, each lowered by what those of fewer and of more sites say.

    Examples
    --------
    >>> tightened(np.array([10, 25, 24, 40])).tolist()
    [10, 20, 24, 32]
    """
    lower = [int(bound) for bound in bounds]
    for place in range(1, len(lower)):
        lower[place] = min(lower[place], lower[place - 1] * (place + 1) // place)
    for place in range(len(lower) - 2, -1, -1):
        lower[place] = min(lower[place], lower[place + 1])
    return np.array(lower, dtype=np.int64)
