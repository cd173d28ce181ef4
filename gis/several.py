"""Several classes of facilities at once, on land that they share: each plot carries one, or a combined centre several.

    maximise Σ_c π_c Σᵢ w_ci y_ci   subject to   y_ci ≤ Σ_{j reaches i} x_cj,   Σⱼ x_cj ≤ p_c   for each class c,
    Σ_{c, j on plot r} x_cj ≤ 1   or, combined,   Σ_{c, j on plot r} a_cj x_cj ≤ A_r,   x ∈ {0, 1},   0 ≤ y ≤ 1

Maximal covering (Church & ReVelle 1974) of each class, bound together by the land, and solved as one problem.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from scipy.sparse import block_diag, csr_array

from .kernels_cover import stand_ins
from .median_search import Effort
from .packed import Packed, Takes, pack
from .packed_search import search
from .several_check import check_several
from .siting_answer import Outcome, answer
from .siting_check import check_limits
from .siting_model import CoverModel
from .siting_reduce import alike, pattern

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from .packed_search import Found
    from .several_check import Checked, CheckedClass
    from .siting_answer import Case, Siting, Status

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]

ALONE_SHARE = 0.3
"""Share of the time in which the classes are solved one by one, for a start and a bound."""


@dataclass(frozen=True, slots=True)
class ClassProblem:
    """One class of facilities and its candidates.

    Parameters
    ----------
    reach
        Sparse [demand, candidates]; a stored entry, a zero cost too, means within the limit. In a bool matrix only
        True counts. Each class has its own demand and its own candidates.
    weights
        int64 [demand], people or another group; whole and not negative.
    sites
        How many may be chosen, those of ``must`` among them.
    land
        int64 [candidates], the plot of land each candidate stands on, 0 or more; equal in all classes for the same
        plot.
    floor_m2
        float64 [candidates] or one number: the floor area a facility needs, in m².
    covered
        bool [demand], within reach of an existing facility.
    priority
        By how much a covered weight counts beside those of other classes, above 0.
    tie_weights
        int64 [demand], for example elders: among equal choices the one that covers more.
    site_costs
        float64 [candidates], for example yuan: among those, cheaper sites.
    must, barred
        Candidates that are chosen whatever they bring, and that are not chosen.
    """

    reach: Any
    weights: ArrayLike
    sites: int
    land: ArrayLike
    floor_m2: ArrayLike | None = None
    covered: ArrayLike | None = None
    priority: float = 1.0
    tie_weights: ArrayLike | None = None
    site_costs: ArrayLike | None = None
    must: Sequence[int] = ()
    barred: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class ClassSites:
    """The sites of one class.

    Parameters
    ----------
    chosen, land
        int64 [k], candidates in the order of weight added, and the plots they stand on.
    added, served, only_here
        int64 [k], weight newly covered at each step of that order, weight within reach, and within reach of no other
        site, old or new.
    runner_up, runner_up_loses
        int64 [k], the candidate of the class that would best stand in for the site on land with room for it, all other
        sites of all classes staying, and the weight lost by it; -1 where no other candidate would add anybody.
    objective
        Weight of the class newly covered.
    alone
        The class would cover no more than this if it had all land for itself.
    assignment
        int64 [demand], the chosen candidate nearest to each newly covered row, -1 for all others.
    """

    chosen: Ints
    land: Ints
    added: Ints
    served: Ints
    only_here: Ints
    runner_up: Ints
    runner_up_loses: Ints
    objective: int
    alone: int
    assignment: Ints


@dataclass(frozen=True, slots=True)
class Several:
    """Sites of several classes, and how good they are together.

    Parameters
    ----------
    classes
        The sites by class.
    objective
        Sum over the classes of priority times weight newly covered.
    bound, gap
        No choice on this land reaches more; (bound - objective) / bound, 0 when proven.
    status
        As of `siting_answer.Siting`, for all classes together.
    seconds, work, seed
        What it took; annealings it took, and the seed of what was random.
    """

    classes: Mapping[str, ClassSites]
    objective: float
    bound: float
    gap: float
    status: Status
    seconds: float
    work: int = 0
    seed: int = 0

    def __str__(self) -> str:
        """Say the result in a sentence."""
        sites = ", ".join(f"{name} {len(one.chosen)} sites for {one.objective}" for name, one in self.classes.items())
        return f"{sites}: {self.objective:g} together, at most {self.bound:g} are possible ({self.status})"

    @property
    def carries(self) -> dict[int, tuple[str, ...]]:
        """Return for each plot that was chosen the classes it carries: several make it a combined centre."""
        found: dict[int, list[str]] = {}
        for name, one in self.classes.items():
            for land in one.land.tolist():
                found.setdefault(land, []).append(name)
        return {land: tuple(found[land]) for land in sorted(found)}


def cover_several(
    problems: Mapping[str, ClassProblem],
    *,
    combined: bool = False,
    land_floor_m2: Mapping[int, float] | None = None,
    seconds: float = 60.0,
    gap: float = 0.0,
    seed: int = 0,
) -> Several:
    """Choose sites of all classes together that bring the most weight within reach, on land that they share.

    Parameters
    ----------
    problems
        The classes by name.
    combined
        False: each plot carries one facility. True: a plot carries several, a combined centre, as long as the sum of
        ``floor_m2`` they need is no more than its ``land_floor_m2``.
    land_floor_m2
        Floor area that each plot has room for, by land id, in m². Where it is given, no facility is put on a plot that
        is too small for it, combined or not.
    seconds
        Time for the proof.
    gap
        Relative gap at which the proof may stop.
    seed
        Of what is random.

    Raises
    ------
    InputError
        For what `max_cover` refuses in any class, land ids that do not fit the candidates, floor area that is missing,
        negative, or less than the smallest need of a class, required sites that have no room; all faults together.
    InfeasibleError
        When a class has no candidates.

    Notes
    -----
    Maximal covering location problem: Church, R. & ReVelle, C. (1974), Papers of the Regional Science Association 32.

    Examples
    --------
    Both classes want the plot 1, where the market covers 9 and the day care 5; together they do better apart:

    >>> from scipy.sparse import csr_array
    >>> near = csr_array(np.array([[1, 0], [0, 1]], dtype=bool))
    >>> market = ClassProblem(near, [9, 7], sites=1, land=[1, 2])
    >>> daycare = ClassProblem(near, [5, 1], sites=1, land=[1, 3])
    >>> print(cover_several({"market": market, "daycare": daycare}))
    market 1 sites for 7, daycare 1 sites for 5: 12 together, at most 12 are possible (optimal)
    """
    began = time.perf_counter()
    check_limits(seconds, gap)
    checked = check_several(problems, combined=combined, land_floor_m2=land_floor_m2)
    effort = Effort(seconds=seconds, gap=gap, seed=seed)
    share = Effort(seconds=ALONE_SHARE * seconds / len(problems), gap=gap, seed=seed)
    single = {name: _alone(one, share) for name, one in checked.classes.items()}
    problem, offsets = _joint(checked)
    bound = sum(one.factor * single[name].bound for name, one in checked.classes.items())
    starts = [_start(checked, single, offsets)]
    found = search(problem, effort, began=began, starts=starts, bound=bound)
    return _answered(checked, single, offsets, found, effort, began)


def _alone(one: CheckedClass, effort: Effort) -> Siting:
    """Return the sites of a class that has all land for itself."""
    case, able = one.case, int((~one.out).sum())
    model = CoverModel(case.matrix, case.weight, covered=case.done)  # equals are told apart in the joint search
    must, barred = np.flatnonzero(one.into).tolist(), np.flatnonzero(one.out).tolist()
    return model.solve(sites=min(one.sites, able), must=must, barred=barred, effort=effort)


def _joint(checked: Checked) -> tuple[Packed, list[int]]:
    """Return all classes as one problem, and where the options of each begin."""
    covers: list[csr_array] = []
    weights: list[Ints] = []
    ties: list[Ints] = []
    for one in checked.classes.values():
        case = one.case
        rows = np.flatnonzero(((case.left > 0) | (case.left_tie > 0)) & (np.diff(case.matrix.indptr) > 0))
        cover = csr_array(pattern(case.matrix)[rows])
        heads, owner = alike(cover) if len(rows) else (rows, rows)
        covers.append(csr_array(cover[heads]) if len(rows) else cover)
        for sums, values in ((weights, case.left * one.factor), (ties, case.left_tie)):
            total = np.zeros(len(heads), dtype=np.int64)
            np.add.at(total, owner, values[rows])
            sums.append(total)
    classes = list(checked.classes.values())
    cover = csr_array(block_diag(covers, format="csr"))
    counts = [len(one.plot) for one in classes]
    options = int(sum(counts))
    groups = Takes(
        np.repeat(np.arange(len(classes)), counts),
        np.ones(options),
        np.array([one.sites for one in classes], dtype=float),
    )
    plots = Takes(
        np.concatenate([one.plot for one in classes]), np.concatenate([one.need for one in classes]), checked.room
    )
    packing = pack(
        cover,
        blocks=1,
        columns=(np.arange(options), np.zeros(options, dtype=np.int64)),
        groups=groups,
        plots=plots,
        stays=np.concatenate([one.into for one in classes]),
        owed=np.zeros(len(checked.land), dtype=np.bool_),
    )
    free = ~np.concatenate([one.out for one in classes])
    price = np.concatenate([one.case.costs for one in classes])
    problem = Packed(cover, np.concatenate(weights), np.concatenate(ties), packing, free, free, price)
    return problem, [0, *np.cumsum(counts).tolist()]


def _start(checked: Checked, single: Mapping[str, Siting], offsets: list[int]) -> Ints:
    """Return the sites that each class would choose alone, those that bring the most first."""
    options, worth = [], []
    for (name, one), offset in zip(checked.classes.items(), offsets, strict=False):
        options.append(single[name].chosen + offset)
        worth.append(single[name].added * one.factor)
    order = np.argsort(-np.concatenate(worth), kind="stable")
    chosen: Ints = np.concatenate(options)[order]
    return chosen


def _answered(
    checked: Checked,
    single: Mapping[str, Siting],
    offsets: list[int],
    found: Found,
    effort: Effort,
    began: float,
) -> Several:
    """Put the answer together: each class in the order of what its sites bring, then what stands in for each."""
    sited = {}
    for place, (name, one) in enumerate(checked.classes.items()):
        own = found.chosen[(found.chosen >= offsets[place]) & (found.chosen < offsets[place + 1])] - offsets[place]
        others = np.ones(len(one.plot), dtype=np.bool_)
        others[own] = False  # no other candidate is taken instead: its plot may be another's
        ended = Outcome(single[name].bound, proven=False, late=False, work=0, into=one.into, out=others, began=began)
        sited[name] = answer(one.case, own, ended, effort)
    filled = np.zeros(len(checked.land))
    for name, one in checked.classes.items():
        np.add.at(filled, one.plot[sited[name].chosen], one.need[sited[name].chosen])
    classes = {}
    for name, one in checked.classes.items():
        site = sited[name]
        runner_up, loses = _stand_ins(one, site, checked.room - filled)
        classes[name] = ClassSites(
            chosen=site.chosen,
            land=checked.land[one.plot[site.chosen]],
            added=site.added,
            served=site.served,
            only_here=site.only_here,
            runner_up=runner_up,
            runner_up_loses=loses,
            objective=site.objective,
            alone=max(site.bound, site.objective),
            assignment=site.assignment,
        )
    left = any(one.case.left.any() for one in checked.classes.values())
    share = (found.bound - found.value) / found.bound if found.bound else 0.0
    return Several(
        classes=classes,
        objective=found.value * checked.unit,
        bound=found.bound * checked.unit,
        gap=share,
        status=status_of(found, share, effort, nothing=not found.bound, left=left),
        seconds=time.perf_counter() - began,
        work=found.work,
        seed=effort.seed,
    )


def status_of(found: Found, share: float, effort: Effort, *, nothing: bool, left: bool) -> Status:
    """Say how a search ended."""
    if nothing:
        return "unreachable" if left else "all_covered"
    if found.proven:
        return "optimal"
    if share <= effort.gap:
        return "within_gap"
    return "time_limit" if found.late else "work_limit"


def _stand_ins(one: CheckedClass, site: Siting, spare: Floats) -> tuple[Ints, Ints]:
    """Return what would best stand in for each site where the land has room for it, and what is lost by it.

    A site's own plot has room for what fits once the site is gone.
    """
    case: Case = one.case
    free = ~one.out & (one.need <= spare[one.plot])
    free[site.chosen] = False
    cover = (case.matrix.indptr, case.matrix.indices, case.columns.indptr, case.columns.indices)
    _, runner_up, loses = stand_ins(*cover, case.left, site.chosen, free)
    for place, chosen in enumerate(site.chosen):
        beside = ~one.out & (one.plot == one.plot[chosen]) & (one.need <= spare[one.plot] + one.need[chosen])
        beside[site.chosen] = False
        if (beside & ~free).any():
            _, other, lost = stand_ins(*cover, case.left, site.chosen, free | beside)
            runner_up[place], loses[place] = other[place], lost[place]
    return runner_up, loses
