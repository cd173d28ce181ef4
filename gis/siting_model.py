"""Maximal covering asked again and again: what was found is kept, so that a what-if begins where the last ended."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from .median_search import Effort
from .siting_answer import Case, Outcome, Siting, answer, nothing
from .siting_check import as_csr, check_limits
from .siting_cover_check import check_cover, check_sites
from .siting_reduce import pattern, traced
from .siting_solve import Start, solve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from .siting_reduce import Reduced, Traced

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]

WHAT_IF_SHARE, WHAT_IF_LEAST = 0.02, 0.01
"""Time of a what-if as a share of the first solve's, and the least, in seconds."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """What a search found, in terms of the problem as given.

    Parameters
    ----------
    chosen
        int64 [k].
    share
        float64 [demand], prices for each unit of weight.
    picks
        float64 [candidates], of the relaxation.
    pace
        Seconds an exchange took to try.
    sites, seconds
        How many were asked for, and what it took.
    """

    chosen: Ints
    share: Floats
    picks: Floats
    pace: float
    sites: int
    seconds: float


class CoverModel:
    """A maximal covering problem that is reduced once and asked many times.

    Parameters
    ----------
    reach
        Sparse [demand, candidates]; a stored entry, a zero cost too, means within the limit. In a bool matrix only
        True counts.
    weights
        int64 [demand], people or another group; whole and not negative.
    covered
        bool [demand], within reach of an existing facility.
    tie_weights
        int64 [demand], for example elders: among equal choices the one that covers more.
    site_costs
        float64 [candidates]: among those, swaps for cheaper sites are made while nothing is lost.
    sites
        How many will be asked for, where that is known: to report what is wrong with it together with the rest.

    Raises
    ------
    InputError
        For missing, negative or broken weights, no weight at all, shapes that differ; all faults together.
    InfeasibleError
        When there are no candidates.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> model = CoverModel(csr_array(np.array([[1, 1, 0], [0, 1, 0], [0, 0, 1]], dtype=bool)), [10, 20, 25])
    >>> model.solve(sites=1).chosen.tolist(), model.what_if(barred=[1]).chosen.tolist()
    ([1], [2])
    >>> print(model.what_if(must=[0]))
    1 sites cover 10 more, at most 10 are possible (optimal)
    """

    def __init__(
        self,
        reach: Any,  # noqa: ANN401  scipy's sparse matrices and arrays have no common type
        weights: ArrayLike,
        *,
        covered: ArrayLike | None = None,
        tie_weights: ArrayLike | None = None,
        site_costs: ArrayLike | None = None,
        sites: int | None = None,
    ) -> None:
        began = time.perf_counter()
        matrix = as_csr(reach)
        weight, tie, done, costs = check_cover(
            matrix, weights, tie_weights=tie_weights, covered=covered, site_costs=site_costs, sites=sites
        )
        self.case = Case(matrix, pattern(matrix).tocsc(), weight, tie, done, costs)
        self._cover = pattern(matrix)
        self._way = traced(self._cover, self.case.left, self.case.left_tie, keep=~done)
        self._kept: _Kept | None = None
        self._built = time.perf_counter() - began

    @property
    def candidates(self) -> int:
        """Return the number of candidates."""
        return int(self.case.columns.shape[1])

    def solve(
        self,
        *,
        sites: int,
        must: Sequence[int] = (),
        barred: Sequence[int] = (),
        effort: Effort | None = None,
    ) -> Siting:
        """Choose sites that bring the most weight within reach.

        Parameters
        ----------
        sites
            How many may be chosen, those of ``must`` among them.
        must, barred
            Candidates that are chosen whatever they bring, and that are not chosen.
        effort
            Limits; 60 s unless said.

        Raises
        ------
        InputError
            For fewer than 1 or more sites than candidates, candidates that do not exist or are in both lists.
        """
        effort = effort or Effort()
        began = time.perf_counter() - (self._built if self._kept is None else 0.0)
        check_limits(effort.seconds, effort.gap)
        into, out = check_sites(sites, must, barred, self.candidates)
        return self._answer(sites, into, out, effort, began, quick=False)

    def what_if(
        self,
        *,
        must: Sequence[int] = (),
        barred: Sequence[int] = (),
        sites: int | None = None,
        effort: Effort | None = None,
    ) -> Siting:
        """Answer at once what changes with sites forced in or out, beginning at the last full answer.

        The bound always holds; where the time does not suffice for its proof, the status says so and `solve` goes on.

        Parameters
        ----------
        must, barred, sites
            As for `solve`; the number of sites of the last solve unless said.
        effort
            Limits; a small share of the time of the last solve unless said.

        Raises
        ------
        InputError
            As for `solve`.
        ValueError
            Before the first `solve`, without ``sites``.
        """
        began = time.perf_counter()
        if self._kept is None:
            if sites is None:
                message = "the number of sites is missing: nothing was solved yet"
                raise ValueError(message)
            return self.solve(sites=sites, must=must, barred=barred, effort=effort)
        sites = self._kept.sites if sites is None else sites
        if effort is None:
            effort = Effort(seconds=max(WHAT_IF_LEAST, WHAT_IF_SHARE * self._kept.seconds))
        check_limits(effort.seconds, effort.gap)
        into, out = check_sites(sites, must, barred, self.candidates)
        return self._answer(sites, into, out, effort, began, quick=True)

    def _answer(self, sites: int, into: Bools, out: Bools, effort: Effort, began: float, *, quick: bool) -> Siting:
        """Solve what the fixed candidates leave open, and put the answer together."""
        case, forced = self.case, np.flatnonzero(into).astype(np.int64)
        way = self._way_without(out)
        met = case.reached_by(forced)
        base = int(case.left[met].sum())
        problem = self._lessened(way, met) if len(forced) else way.problem
        closed = (into | out)[problem.candidate]
        more = min(sites - len(forced), int((~closed).sum()))
        ended = Outcome(base, proven=True, late=False, work=0, into=into, out=out, began=began)
        picked, share, picks, pace = forced, np.zeros(len(case.weight)), np.zeros(self.candidates), 0.0
        if problem.weight.any() and more > 0:
            solved = solve(problem, more, effort, barred=closed, start=self._start(way, problem, quick=quick))
            bound = base + solved.bound
            ended = replace(ended, bound=bound, proven=solved.proven, late=solved.late, work=solved.work)
            picked = np.concatenate([forced, problem.candidate[solved.chosen]])
            by_group = solved.prices / np.maximum(problem.weight, 1)
            picks[problem.candidate], pace = solved.picks, solved.pace
            share = np.where(way.owner >= 0, by_group[np.maximum(way.owner, 0)], 0.0)
        if not quick:
            self._kept = _Kept(picked, share, picks, pace, sites, time.perf_counter() - began)
        if not len(picked) or (not len(forced) and not problem.weight.any()):
            return nothing(case, began, effort.seed)
        return answer(case, picked, ended, effort)

    def _way_without(self, out: Bools) -> Traced:
        """Return the reduction; dropped candidates return where all that cover as much are barred."""
        other = self._way.other
        lost = (other >= 0) & out[other] & ~out
        if not lost.any():
            return self._way
        stay = (other < 0) | lost
        return traced(self._cover, self.case.left, self.case.left_tie, keep=~self.case.done, stay=stay)

    def _lessened(self, way: Traced, met: Bools) -> Reduced:
        """Return the problem without the weight of rows that the forced candidates cover."""
        rows = np.flatnonzero((way.owner >= 0) & ~met)
        sums = []
        for values in (self.case.left, self.case.left_tie):
            total = np.zeros(len(way.problem.weight), dtype=np.int64)
            np.add.at(total, way.owner[rows], values[rows])
            sums.append(total)
        return replace(way.problem, weight=sums[0], tie=sums[1])

    def _start(self, way: Traced, problem: Reduced, *, quick: bool) -> Start | None:
        """Return what is known from the last solve, in terms of this problem."""
        if self._kept is None or not quick:
            return None
        known = self._kept.chosen
        while (self._way.other[known] >= 0).any():
            known = np.unique(np.where(self._way.other[known] >= 0, self._way.other[known], known))
        place = np.full(self.candidates, -1, dtype=np.int64)
        place[problem.candidate] = np.arange(len(problem.candidate))
        rows = np.flatnonzero(way.owner >= 0)
        heads = np.zeros(len(problem.weight), dtype=np.int64)
        heads[way.owner[rows]] = rows  # rows of one group had prices alike, or nearly so
        prices = self._kept.share[heads] * problem.weight
        picks = self._kept.picks[problem.candidate]
        return Start(place[known][place[known] >= 0], prices, picks, self._kept.pace, quick=True)
