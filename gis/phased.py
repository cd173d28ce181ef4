"""A plan by phases: which sites first, so that the most people are covered over all the years.

    maximise Σ_t v_t Σᵢ wᵢ y_ti   subject to   y_ti ≤ Σ_{j reaches i} x_tj,   x_{t-1,j} ≤ x_tj,
    Σⱼ cⱼ (x_tj - x_{t-1,j}) ≤ B_t,   x ∈ {0, 1},   0 ≤ y ≤ 1

with cⱼ = 1 where each phase has a number of new sites. What is built stays, and is counted from its phase on.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from scipy.sparse import csr_array

from .kernels_cover import dominators, sums_of
from .median_search import Effort
from .packed import Packed, Takes, pack
from .packed_search import search
from .phased_check import ANY, FREE, Asked, check_phased
from .several import status_of
from .siting_answer import Outcome, answer
from .siting_check import check_limits
from .siting_model import CoverModel
from .siting_reduce import alike, pattern

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from .packed_search import Found
    from .phased_check import Checked
    from .siting_answer import Status

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]

ALONE_SHARE = 0.3
"""Share of the time in which the phases are solved one by one, for a start and a bound."""


@dataclass(frozen=True, slots=True)
class Phased:
    """Sites by phases, how good the plan is, and why each was chosen.

    Parameters
    ----------
    chosen, phase
        int64 [k], candidates by phase and, within it, in the order of weight added; the phase of each, from 0.
    added, served, only_here
        int64 [k], weight newly covered at each step of that order, weight within reach, and, at the end of the plan,
        within reach of no other site, old or new.
    runner_up, runner_up_loses
        int64 [k], the candidate that would best stand in for the site in its phase, all others staying, and what the
        objective loses by it, float64 [k]; -1 where no other would add anybody.
    covered_after
        int64 [phases], weight newly covered after each phase.
    spent
        float64 [phases], costs of the sites of each phase.
    objective
        Sum over the phases of year weight times weight newly covered after the phase.
    bound, gap
        No plan reaches more; (bound - objective) / bound, 0 when proven.
    status
        As of `siting_answer.Siting`.
    seconds, work, seed
        What it took; annealings it took, and the seed of what was random.
    assignment
        int64 [demand], the chosen candidate nearest to each row newly covered at the end, -1 for all others.
    """

    chosen: Ints
    phase: Ints
    added: Ints
    served: Ints
    only_here: Ints
    runner_up: Ints
    runner_up_loses: Floats
    covered_after: Ints
    spent: Floats
    objective: float
    bound: float
    gap: float
    status: Status
    seconds: float
    assignment: Ints
    work: int = 0
    seed: int = 0

    def __str__(self) -> str:
        """Say the result in a sentence."""
        steps = ", ".join(str(one) for one in self.covered_after)
        return (
            f"{len(self.chosen)} sites cover {steps} more after each phase: {self.objective:g} in all, "
            f"at most {self.bound:g} are possible ({self.status})"
        )


def phased_cover(  # noqa: PLR0913  as of all covering models
    reach: Any,  # noqa: ANN401  scipy's sparse matrices and arrays have no common type
    weights: ArrayLike,
    *,
    phases: Sequence[int] | None = None,
    budgets: Sequence[float] | None = None,
    site_costs: ArrayLike | None = None,
    year_weights: Sequence[float] | None = None,
    covered: ArrayLike | None = None,
    tie_weights: ArrayLike | None = None,
    must: Sequence[int] | Mapping[int, int] = (),
    barred: Sequence[int] = (),
    seconds: float = 60.0,
    gap: float = 0.0,
    seed: int = 0,
) -> Phased:
    """Choose sites and the phase of each, so that the sum over the phases of the weight covered is largest.

    Parameters
    ----------
    reach
        Sparse [demand, candidates]; a stored entry, a zero cost too, means within the limit. In a bool matrix only
        True counts.
    weights
        int64 [demand], people or another group; whole and not negative.
    phases
        How many new sites each phase may build, at least 1.
    budgets
        In place of ``phases``: what each phase may spend, in the unit of ``site_costs``; what is left of it does not
        pass on to the next.
    site_costs
        float64 [candidates], for example yuan. Without budgets: among equal plans cheaper sites.
    year_weights
        By how much the weight covered after each phase counts, for example its years; 1 each unless given.
    covered
        bool [demand], within reach of an existing facility.
    tie_weights
        int64 [demand], for example elders: among equal plans the one that covers more, summed as the weights are.
    must
        Candidates that are built, in whichever phase is best; as a mapping, in the phase given, from 0.
    barred
        Candidates that are not built.
    seconds
        Time for the proof.
    gap
        Relative gap at which the proof may stop.
    seed
        Of what is random.

    Raises
    ------
    InputError
        For what `max_cover` refuses, phases without a site or with a budget below the cheapest candidate, more sites
        than candidates, weights of years that are not above 0, required sites that fit no phase; all faults together.
    InfeasibleError
        When there are no candidates, or the required sites cannot all be built.

    Notes
    -----
    Maximal covering location problem: Church, R. & ReVelle, C. (1974), Papers of the Regional Science Association 32;
    nested over periods as in Schilling, D. (1980), Dynamic location modeling for public-sector facilities, Decision
    Sciences 11.

    Examples
    --------
    The middle site is the best single one, but the outer two cover all; what is built first has to stay:

    >>> reach = csr_array(np.array([[1, 0, 0], [1, 1, 0], [0, 1, 1], [0, 0, 1]], dtype=bool))
    >>> plan = phased_cover(reach, [6, 5, 5, 6], phases=[1, 1])
    >>> print(plan)
    2 sites cover 11, 22 more after each phase: 33 in all, at most 33 are possible (optimal)
    >>> plan.chosen.tolist(), plan.phase.tolist()
    ([0, 2], [0, 1])
    """
    began = time.perf_counter()
    check_limits(seconds, gap)
    asked = Asked(phases, budgets, year_weights, must, barred)
    checked = check_phased(reach, weights, asked, covered=covered, tie_weights=tie_weights, site_costs=site_costs)
    effort = Effort(seconds=seconds, gap=gap, seed=seed)
    problem = _problem(checked)
    starts: list[Ints] = []
    bound = None
    if budgets is None:
        starts, bound = _one_by_one(checked, effort)
    found = search(problem, effort, began=began, starts=starts, bound=bound)
    return _answered(checked, found, effort, began)


def _problem(checked: Checked) -> Packed:
    """Return the plan as options: each candidate in each phase, which serves from there on."""
    case, number = checked.case, len(checked.limit)
    candidates = len(checked.size)
    rows = np.flatnonzero(((case.left > 0) | (case.left_tie > 0)) & (np.diff(case.matrix.indptr) > 0))
    cover = csr_array(pattern(case.matrix)[rows])
    heads, owner = alike(cover) if len(rows) else (rows, rows)
    cover = csr_array(cover[heads]) if len(rows) else cover
    sums = []
    for values in (case.left, case.left_tie):
        total = np.zeros(len(heads), dtype=np.int64)
        np.add.at(total, owner, values[rows])
        sums.append(np.concatenate([year * total for year in checked.years]))
    column, phase = np.tile(np.arange(candidates), number), np.repeat(np.arange(number), candidates)
    size, built = checked.size[column], checked.built[column]
    able = ~checked.out[column] & (size <= checked.limit[phase]) & ((built < 0) | (built == phase))
    packing = pack(
        cover,
        blocks=number,
        columns=(column, phase),
        groups=Takes(phase, size, checked.limit),
        plots=Takes(column, np.ones(len(column)), np.ones(candidates)),
        stays=able & (built >= 0),
        owed=checked.built == ANY,
    )
    free = able & ~_dominated(checked, cover)[column]
    return Packed(cover, sums[0], sums[1], packing, free, able, case.costs[column])


def _dominated(checked: Checked, cover: csr_array) -> Bools:
    """Return the candidates in whose place another one that takes no more always serves as well.

    Where the other stands in the plan later, it moves to the place of the first, which is given up. One that must be
    built cannot move, so it stands in for none.
    """
    drop = np.zeros(len(checked.size), dtype=np.bool_)
    loose = np.flatnonzero(~checked.out & (checked.built == FREE))
    if not cover.nnz or not len(loose):
        return drop
    small = csr_array(cover[:, loose])
    columns = small.tocsc()
    columns.sort_indices()
    other = dominators(small.indptr, small.indices, columns.indptr, columns.indices)
    size = checked.size[loose]
    drop[loose] = (other >= 0) & (size[np.maximum(other, 0)] <= size)
    return drop


def _one_by_one(checked: Checked, effort: Effort) -> tuple[list[Ints], int]:
    """Return plans that begin with the best sites of a single phase, and the sum of what each phase alone can reach."""
    case, candidates = checked.case, len(checked.size)
    model = CoverModel(case.matrix, case.weight, covered=case.done)  # equals are told apart in the joint search
    share = Effort(seconds=ALONE_SHARE * effort.seconds / len(checked.limit), gap=effort.gap, seed=effort.seed)
    phase = np.repeat(np.arange(len(checked.limit)), checked.limit.astype(np.int64))
    starts, bound = [], 0
    for year, sites in zip(checked.years, np.cumsum(checked.limit).astype(int).tolist(), strict=True):
        best = model.solve(sites=sites, barred=np.flatnonzero(checked.out).tolist(), effort=share)
        starts.append(phase[: len(best.chosen)] * candidates + best.chosen)
        bound += year * best.bound
    return starts, bound


def _answered(checked: Checked, found: Found, effort: Effort, began: float) -> Phased:
    """Put the answer together: phase by phase in the order of what the sites bring."""
    case, candidates = checked.case, len(checked.size)
    number = len(checked.limit)
    forced = checked.built != FREE
    left, left_tie = case.left, case.left_tie
    chosen, phases, added = [], [], []
    for phase in range(number):
        rest = sorted((found.chosen[found.chosen // candidates == phase] % candidates).tolist())
        while rest:
            worth = [(int(left[rows].sum()), int(left_tie[rows].sum())) for rows in map(case.rows, rest)]
            best = max(range(len(rest)), key=lambda place: (*worth[place], -rest[place]))
            site = rest.pop(best)
            if worth[best][0] or forced[site]:
                chosen.append(site)
                phases.append(phase)
                added.append(worth[best][0])
                rows = case.rows(site)
                left[rows] = left_tie[rows] = 0
    order, when = np.array(chosen, dtype=np.int64), np.array(phases, dtype=np.int64)
    brought = np.array(added, dtype=np.int64)
    others = np.ones(candidates, dtype=np.bool_)
    others[order] = False
    ended = Outcome(0, proven=False, late=False, work=0, into=~others, out=others, began=began)
    site = answer(case, order, ended, effort)
    only_here = dict(zip(site.chosen.tolist(), site.only_here.tolist(), strict=True))
    runner_up, loses = _stand_ins(checked, order, when)
    share = (found.bound - found.value) / found.bound if found.bound else 0.0
    spent: Floats = np.bincount(when, case.costs[order], minlength=number).astype(np.float64)
    lost: Floats = (loses * checked.unit).astype(np.float64)
    after = np.cumsum(np.bincount(when, brought, minlength=number)).astype(np.int64)
    return Phased(
        chosen=order,
        phase=when,
        added=brought,
        served=np.array([case.weight[case.rows(one)].sum() for one in order], dtype=np.int64),
        only_here=np.array([only_here[one] for one in order.tolist()], dtype=np.int64),
        runner_up=runner_up,
        runner_up_loses=lost,
        covered_after=after,
        spent=spent,
        objective=found.value * checked.unit,
        bound=found.bound * checked.unit,
        gap=share,
        status=status_of(found, share, effort, nothing=not found.bound, left=bool(case.left.any())),
        seconds=time.perf_counter() - began,
        assignment=site.assignment,
        work=found.work,
        seed=effort.seed,
    )


def _stand_ins(checked: Checked, chosen: Ints, phase: Ints) -> tuple[Ints, Ints]:
    """Return what would best stand in for each site in its phase, and what the objective loses by it.

    A row counts for all phases from the first in which it is covered; without the site, from the first of the others.
    """
    case, number = checked.case, len(checked.limit)
    worth = np.append(np.cumsum(checked.years[::-1])[::-1], 0)  # of a row covered from each phase on; never: nothing
    runner_up, loses = np.full(len(chosen), -1, dtype=np.int64), np.zeros(len(chosen), dtype=np.int64)
    spare = checked.limit - np.bincount(phase, checked.size[chosen], minlength=number)
    columns = case.columns
    for place, site in enumerate(chosen):
        first = np.full(len(case.weight), number, dtype=np.int64)
        for other in np.flatnonzero(np.arange(len(chosen)) != place)[::-1]:  # from the last phase to the first
            first[case.rows(chosen[other])] = phase[other]
        here = np.maximum(worth[phase[place]] - worth[first], 0) * case.left
        sums = sums_of(columns.indptr, columns.indices, here)
        loses[place] = sums[site]
        able = ~checked.out & (checked.size <= spare[phase[place]] + checked.size[site])
        able[chosen] = False
        gains = np.where(able, sums, 0)
        best = int(np.argmax(gains))
        if gains[best] > 0:
            runner_up[place] = best
            loses[place] -= int(gains[best])
    return runner_up, loses
