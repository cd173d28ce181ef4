"""Where best for the longest walk: the p-centre.

The longest walk of an answer is one of the costs stored. For a radius, as many sites reach everybody within it or they
do not, which is a set covering problem; the least radius is found by halving (Minieka 1970). Each covering problem is
put to the solver for a few rows only: those that the answer for them leaves out are added until none is left out or
there is no answer (Chen & Chen 2009), and rows once added stay for the next radius.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from scipy.sparse import csr_array

from .cover_search import Needs, fewest
from .errors import Fault, InfeasibleError, SolverError
from .located import Run, Score, StandIns, answer, problem_of
from .median_search import Choice, Effort, search
from .set_cover import needs_of
from .siting_check import Fixed, check, check_limits, out_of_reach, refuse_unreachable

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from .located import Located
    from .siting_check import Given

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]

ADDED = 10
"""Rows added at least to a covering problem whose answer leaves rows out, as far as so many have no site in common."""
TIE_NODES, TIE_SCALE = 100, 1000


def p_centre(
    reach: Any,  # noqa: ANN401  scipy's sparse matrices and arrays have no common type
    weights: ArrayLike,
    *,
    sites: int,
    weighted: bool = False,
    leave_unreachable: bool = False,
    fixed: Fixed | None = None,
    tie_weights: ArrayLike | None = None,
    effort: Effort | None = None,
) -> Located:
    """Choose sites so that the longest walk of anybody to the nearest site is least.

    Parameters
    ----------
    reach
        Sparse [demand, columns] of walking metres or seconds, zeros stored; what is not stored is beyond the limit.
    weights
        int64 [demand]; rows of weight 0 are not looked at.
    sites
        How many may be chosen beside the existing ones.
    weighted
        Whether a walk counts times its row's weight.
    leave_unreachable
        Leave out demand that no column reaches, instead of refusing.
    fixed
        Columns that stand already, must be or must not be chosen.
    tie_weights
        int64 [demand], for example elders: among answers with the same longest walk the one with the least sum of
        walks is taken as far as a short search finds it, theirs counting a thousandfold beside all people's.
    effort
        Limits of the search.

    Returns
    -------
    Located
        Its objective is the longest walk, of those in ``unreachable`` not counted; ``work`` counts covering problems.

    Raises
    ------
    InputError
        All that is wrong with the input, together.
    InfeasibleError
        Without candidates, with demand that none of them reaches, or when as many sites cannot reach everybody.
    SolverError
        When no answer that reaches everybody was found in time.

    Notes
    -----
    Hakimi, S. L. (1964), Operations Research 12; Minieka, E. (1970), SIAM Review 12; Chen, D. & Chen, R. (2009),
    Computers & Operations Research 36.

    Examples
    --------
    >>> reach = csr_array(np.array([[100.0, 300.0], [400.0, 50.0], [10.0, 200.0]]))
    >>> print(p_centre(reach, [10, 20, 5], sites=1))
    1 sites: 300, no choice is below 300 (optimal)
    """
    began = time.perf_counter()
    effort = effort or Effort()
    check_limits(effort.seconds, effort.gap)
    given = check(reach, weights, fixed=fixed or Fixed(), sites=sites, tie_weights=tie_weights)
    unreachable = out_of_reach(given)
    if not leave_unreachable:
        refuse_unreachable(given, unreachable)
    halving = _Halving(given, sites, weighted=weighted, deadline=began + effort.seconds)
    halving.run(effort.gap)
    new = _tidied(given, halving, effort)
    shown, _ = problem_of(given, given.weight, float(given.matrix.data.max(initial=0.0)))
    return answer(
        given,
        shown,
        new,
        Score(halving.radius, halving.bound, halving.late, halving.work),
        halving.stand_ins(new, ~new & ~given.existing & ~given.barred),
        Run(began, effort, unreachable),
    )


class _Halving:
    """The search for the least radius: an answer with its radius, and a radius that no answer is below."""

    def __init__(self, given: Given, sites: int, *, weighted: bool, deadline: float) -> None:
        self.given, self.sites, self.deadline, self.weighted = given, sites, deadline, weighted
        needs = needs_of(given)
        self.wanted = np.flatnonzero(given.weight > 0)[needs.need > 0]
        matrix = csr_array(given.matrix[self.wanted])
        factor = given.weight[self.wanted].astype(np.float64) if weighted else np.ones(len(self.wanted))
        row = np.repeat(np.arange(len(self.wanted)), np.diff(matrix.indptr))
        cost = matrix.data * factor[row]
        stands = given.existing[matrix.indices]
        self.already = np.full(len(self.wanted), np.inf)
        np.minimum.at(self.already, row[stands], cost[stands])
        stay = ~stands & ~given.barred[matrix.indices]
        ends = np.concatenate([[0], np.cumsum(stay)])[matrix.indptr]
        self.cost: csr_array = csr_array((cost[stay], matrix.indices[stay], ends), shape=matrix.shape)
        self.least = self.already.copy()
        np.minimum.at(self.least, row[stay], cost[stay])
        self.pool: list[int] = []
        self.work, self.late = 0, False
        self.chosen, self.radius = given.must.copy(), np.inf
        self.bound = float(self.least.max(initial=0.0))

    def run(self, gap: float) -> None:
        """Halve the radii between the bound and the answer until they meet, or the time is over."""
        radii = np.unique(np.concatenate([self.cost.data, self.already[np.isfinite(self.already)], [self.bound]]))
        radii = radii[radii >= self.bound]
        self._try(float(radii[-1]))
        if not np.isfinite(self.radius):
            self._refuse()
        while not self.late and self.bound < self.radius and self.radius - self.bound > gap * self.radius:
            low, high = np.searchsorted(radii, [self.bound, self.radius])
            middle = float(radii[(low + high) // 2])
            if not self._try(middle) and not self.late:
                self.bound = float(radii[np.searchsorted(radii, middle, side="right")])

    def _refuse(self) -> None:
        """Say why there is no answer."""
        needed = fewest(needs_of(self.given), seconds=max(0.0, self.deadline - time.perf_counter()))
        if needed.bound <= self.sites:
            message = f"no {self.sites} sites that reach everybody were found in time; allow more"
            raise SolverError(message, Fault("gis.siting_no_answer", value=self.sites))
        message = f"{self.sites} sites cannot reach everybody: at least {needed.bound:g} are needed"
        detail = {"needed": int(needed.bound)}
        raise InfeasibleError(message, Fault("gis.siting_too_few", value=self.sites, detail=detail))

    def _near(self, chosen: Bools) -> Floats:
        """Return each row's walk."""
        near = self.already.copy()
        row = np.repeat(np.arange(len(near)), np.diff(self.cost.indptr))
        usable = chosen[self.cost.indices]
        np.minimum.at(near, row[usable], self.cost.data[usable])
        return near

    def _within(self, rows: Ints, radius: float) -> csr_array:
        """Return which columns reach the rows within the radius."""
        some = csr_array(self.cost[rows])
        stay = some.data <= radius
        ends = np.concatenate([[0], np.cumsum(stay)])[some.indptr]
        return csr_array((np.ones(int(stay.sum()), dtype=np.int8), some.indices[stay], ends), shape=some.shape)

    def _try(self, radius: float) -> bool:
        """Say whether as many sites reach everybody within the radius; keep the answer."""
        while True:
            rows = np.array(self.pool, dtype=np.int64)
            rows = rows[self.already[rows] > radius]
            cover = self._within(rows, radius)
            needs = Needs(cover, np.ones(len(rows), dtype=np.int64), np.ones(cover.shape[1]), self.given.must)
            left = self.deadline - time.perf_counter()
            found = fewest(needs, seconds=left, most=self.sites)
            self.work += 1
            if found.chosen is None:
                self.late = found.late
                return False
            chosen = self._filled(found.chosen, radius)
            near = self._near(chosen)
            longest = float(near.max(initial=0.0))
            if longest < self.radius:
                self.chosen, self.radius = chosen, longest
            if longest <= radius:
                return True
            self._add(near, radius)

    def _filled(self, chosen: Bools, radius: float) -> Bools:
        """Use the sites that are left for the rows out of reach, each where it reaches the most."""
        chosen = chosen.copy()
        spare = self.sites - int(chosen.sum())
        if spare <= 0:
            return chosen
        out = np.flatnonzero(self._near(chosen) > radius)
        cover = self._within(out, radius)
        for _ in range(spare):
            gain = np.bincount(cover.indices, minlength=cover.shape[1])
            if not gain.any():
                break
            best = int(np.argmax(gain))
            chosen[best] = True
            met = (cover[:, [best]].sum(axis=1) > 0).ravel()
            cover = csr_array(cover[np.flatnonzero(~met)])
        return chosen

    def _add(self, near: Floats, radius: float) -> None:
        """Add rows out of reach to the pool, the farthest first, no two with a site in common."""
        out = np.flatnonzero(near > radius)
        out = out[np.argsort(-near[out], kind="stable")]
        cover = self._within(out, radius)
        taken = np.zeros(cover.shape[1], dtype=np.bool_)
        added = 0
        for place, row in enumerate(out.tolist()):
            own = cover.indices[cover.indptr[place] : cover.indptr[place + 1]]
            if not taken[own].any():
                taken[own] = True
                self.pool.append(row)
                added += 1
                if added >= max(ADDED, self.sites // 4):
                    break

    def stand_ins(self, new: Bools, closed: Bools) -> StandIns:
        """Return for each new column the closed one in whose stead the longest walk is least, the first when equal."""
        count = len(new)
        other, loses = np.full(count, -1, dtype=np.int64), np.full(count, np.inf)
        candidates = np.flatnonzero(closed)
        for column in np.flatnonzero(new):
            without = new.copy()
            without[column] = False
            near = self._near(without)
            longest = np.full(count, self.radius)
            for row in np.flatnonzero(near > self.radius):
                own = slice(self.cost.indptr[row], self.cost.indptr[row + 1])
                walk = np.full(count, near[row])
                walk[self.cost.indices[own]] = np.minimum(near[row], self.cost.data[own])
                np.maximum(longest, walk, out=longest)
            if len(candidates):
                best = int(candidates[np.argmin(longest[candidates])])
                if np.isfinite(longest[best]):
                    other[column], loses[column] = best, longest[best] - self.radius
        return StandIns(other, loses)


def _tidied(given: Given, halving: _Halving, effort: Effort) -> Bools:
    """Among choices whose longest walk is no longer, return the one with the least sum of walks a short search finds.

    The second weight counts a thousandfold beside all people's.
    """
    matrix = given.matrix
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    factor = given.weight[row] if halving.weighted else 1
    stay = matrix.data * factor <= halving.radius
    ends = np.concatenate([[0], np.cumsum(stay)])[matrix.indptr]
    within: csr_array = csr_array((matrix.data[stay], matrix.indices[stay], ends), shape=matrix.shape)
    weight = np.where(given.weight > 0, given.tie * TIE_SCALE + given.weight, 0)
    problem, everybody = problem_of(replace(given, matrix=within), weight, None)
    choice = Choice(halving.sites, given.must, given.barred | given.existing, start=halving.chosen)
    left = max(0.0, halving.deadline - time.perf_counter())
    found = search(problem, choice, replace(effort, seconds=left, nodes=min(effort.nodes, TIE_NODES)))
    return found.is_open if found.value < everybody else halving.chosen
