"""Where best for the money when a site can be built in several sizes, and what stands extended or closed."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from .errors import Fault, InfeasibleError, SolverError
from .median_search import Effort
from .money import as_units
from .siting_reduce import merged, pattern
from .sized_answer import Sized, in_order, placement, stand_ins
from .sized_check import Asked, Sizes, Standing, checked
from .sized_model import Choices
from .sized_search import search

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from .siting_answer import Status
    from .sized_search import Settled

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]

__all__ = ["Sized", "Sizes", "Standing", "budgeted_capacity"]


def budgeted_capacity(  # noqa: PLR0913  the options of maximal covering, the money, and what stands
    reach: Any,  # noqa: ANN401  scipy's sparse matrices and arrays have no common type
    weights: ArrayLike,
    *,
    sizes: Sizes,
    budget: float | None,
    covered: ArrayLike | None = None,
    tie_weights: ArrayLike | None = None,
    must: Sequence[int] = (),
    barred: Sequence[int] = (),
    sites: int | None = None,
    standing: Standing | None = None,
    least: int = 0,
    seconds: float = 60.0,
    gap: float = 0.0,
    seed: int = 0,
    runners_up: bool = True,
) -> Sized:
    """Choose sites and their sizes so that the most people have a place within reach.

    The people of a row may go to several sites, and are whole people. At most one size of a site is built.

    Parameters
    ----------
    reach
        Sparse [demand, columns]; a stored entry, a zero cost too, means within the limit. In a bool matrix only True
        counts.
    weights
        int64 [demand], people.
    sizes
        What may be built where: places and cost of each option. Options of existing sites are extensions: their places
        come on top.
    budget
        What building, extending and closing may cost together; None where only ``sites`` limits it.
    covered
        bool [demand], those who need no place.
    tie_weights
        int64 [demand], for example elders, no more than the people of a row: among equal choices the one by which more
        of them have a place, then the one with fewer closings, then the cheaper one, then lower numbers.
    must, barred
        Columns that are built or extended whatever they bring, and those that are not.
    sites
        How many new sites may be built at most; each existing one that is closed makes room for one more.
    standing
        What exists, what it holds, and what of it may be closed.
    least
        How many people must have a place.
    seconds, gap, seed
        Time for the proof, relative gap at which it may stop, seed of the search.
    runners_up
        Whether to look for the stand-in of each site.

    Raises
    ------
    InputError
        All that is wrong with the input, together.
    InfeasibleError
        When there are no candidates, or fewer people than ``least`` can have a place.
    SolverError
        When there was no time to find places for ``least`` people.

    Notes
    -----
    Covering with capacities: Current, J. & Storbeck, J. (1988), Environment and Planning B 15; with sizes: Pirkul, H. &
    Schilling, D. (1991), Management Science 37.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> reach = csr_array(np.array([[1, 1], [0, 1]], dtype=bool))
    >>> sizes = Sizes(candidate=[0, 1, 1], capacity=[30, 15, 40], cost=[5, 4, 7])
    >>> found = budgeted_capacity(reach, [10, 20], sizes=sizes, budget=9)
    >>> print(found)
    1 sites for 7: 30 people have a place, 0 have none, at most 30 could have one (optimal)
    >>> found.option.tolist(), found.load.tolist()
    ([2], [0, 30])
    """
    began = time.perf_counter()
    asked = checked(
        reach, weights, sizes, standing or Standing(), (covered, tie_weights), (must, barred),
        budget=budget, sites=sites, least=least, ends=(seconds, gap),
    )  # fmt: skip
    built = _built(asked)
    effort = Effort(seconds=seconds, gap=gap, seed=seed)
    settled = search(built.problem, built.start, effort)
    _enough(asked, settled, built.problem.placed(settled.answer)[1], seconds)
    return _sized(asked, built, settled, effort, began, runners_up=runners_up)


@dataclass(frozen=True)
class Built:
    """A problem of columns and options, and how it came from the one asked.

    Parameters
    ----------
    problem
        The problem of the columns that can hold anybody.
    start
        int64 [columns], the least that must be built.
    column
        int64 [columns], their numbers in the problem asked.
    option
        int64 [options], rows of the sizes, -1 - column (as asked) for closing it.
    """

    problem: Choices
    start: Ints
    column: Ints
    option: Ints = field(repr=False)


def _built(asked: Asked) -> Built:
    """Return the problem without rows, columns and options that cannot matter."""
    may = np.flatnonzero(asked.may)
    free = np.flatnonzero(~asked.barred[asked.candidate])
    column = np.concatenate([asked.candidate[free], may])
    extra = np.concatenate([asked.capacity[free], -asked.base[may]])
    price = np.concatenate([asked.cost[free], asked.closing[may]])
    closes = np.repeat([0, 1], [len(free), len(may)])
    counts = np.where(closes == 1, -1, np.where(asked.existing[column], 0, 1))
    option = np.concatenate([free, -1 - may])
    units, most = as_units(price, np.inf if asked.budget is None else asked.budget)
    rules = [(closes, asked.closings)]
    if asked.budget is not None:
        rules.append((units, most))
    if asked.sites is not None:
        rules.append((counts, asked.sites))
    use, limit = np.array([one for one, _ in rules], dtype=np.int64), np.array([one for _, one in rules], np.int64)
    aims = np.array([closes, units], dtype=np.int64)
    stay = _useful(column, extra, use, limit, aims)
    columns = np.union1d(column[stay], np.flatnonzero(asked.base > 0))
    order = stay[np.lexsort((option[stay], column[stay]))]
    rows = np.flatnonzero((asked.weight > 0) & ~asked.done)
    cover, weight, tie = merged(pattern(asked.matrix)[rows][:, columns], asked.weight[rows], asked.tie[rows])
    served = np.flatnonzero(np.diff(cover.indptr) > 0)
    problem = Choices(
        cover[served], weight[served], tie[served], asked.base[columns], asked.must[columns],
        np.searchsorted(columns, column[order]), extra[order], np.ascontiguousarray(use[:, order]), limit,
        np.ascontiguousarray(aims[:, order]),
    )  # fmt: skip
    start = np.full(len(columns), -1, dtype=np.int64)
    for one in np.flatnonzero(problem.must).tolist():
        own = np.arange(problem.options[one], problem.options[one + 1])
        own = own[problem.aims[0, own] == 0]
        start[one] = own[np.argmin(problem.aims[1, own])]
    return Built(problem, start, columns.astype(np.int64), option[order])


def _useful(column: Ints, extra: Ints, use: Ints, most: Ints, aims: Ints) -> Ints:
    """Return the options that can be paid for and than which no other one of the column holds more for no more."""
    freed = np.minimum(use, 0)
    fits = (use <= most[:, None] - freed.sum(axis=1, keepdims=True) + freed).all(axis=0)
    rated = np.vstack([use, aims, -extra[None, :]])
    stay = []
    for own in np.split(np.argsort(column, kind="stable"), np.flatnonzero(np.diff(np.sort(column))) + 1):
        for one in own[fits[own]].tolist():
            no_worse = (rated[:, own] <= rated[:, [one]]).all(axis=0)
            better = no_worse & ((rated[:, own] < rated[:, [one]]).any(axis=0) | (own < one))
            if not better.any():
                stay.append(one)
    return np.array(stay, dtype=np.int64)


def _enough(asked: Asked, settled: Settled, people: int, seconds: float) -> None:
    """Refuse an answer by which fewer people have a place than must have one."""
    if settled.bound < asked.least:
        message = f"at most {settled.bound} people can have a place, {asked.least} must have one"
        raise InfeasibleError(message, Fault("gis.sized_least", value=asked.least, detail={"most": settled.bound}))
    if people < asked.least:
        message = f"no places for {asked.least} people were found in {seconds:g} s; allow more time"
        raise SolverError(message, Fault("gis.siting_no_answer", value=asked.least))


def _sized(asked: Asked, built: Built, settled: Settled, effort: Effort, began: float, *, runners_up: bool) -> Sized:
    """Put the answer together."""
    problem, answer = built.problem, settled.answer
    taken = answer[answer >= 0]
    order, added = in_order(problem, answer, taken[built.option[taken] >= 0])
    objective, bound = problem.placed(answer)[1], settled.bound
    others = stand_ins(problem, answer, objective, order, runners_up=runners_up)
    places = np.zeros(len(asked.base), dtype=np.int64)
    places[built.column] = problem.places(answer)
    weight = np.where(asked.done, 0, asked.weight)
    placed = placement(pattern(asked.matrix), weight, np.minimum(asked.tie, weight), places)
    load = np.asarray(placed.sum(axis=0), dtype=np.int64)
    closed = -1 - built.option[taken[built.option[taken] < 0]]
    option = built.option[order]
    cost = asked.cost[option]
    gap = (bound - objective) / bound if bound else 0.0
    status: Status = "time_limit" if settled.late else "work_limit"
    if settled.proven:
        status = "optimal" if bound else "unreachable" if weight.any() else "all_covered"
    elif gap <= effort.gap:
        status = "within_gap"
    other = np.full(len(order), -1, dtype=np.int64)
    other[others.other >= 0] = built.option[others.other[others.other >= 0]]
    return Sized(
        chosen=built.column[problem.column[order]],
        option=option,
        capacity=problem.extra[order],
        cost=cost,
        added=added,
        only_here=others.only_here,
        runner_up=np.where(other >= 0, asked.candidate[np.maximum(other, 0)], -1),
        runner_up_option=other,
        runner_up_loses=others.loses,
        closed=np.sort(closed),
        load=load,
        spare=places - load,
        placed=placed,
        left_out=weight - np.asarray(placed.sum(axis=1), dtype=np.int64),
        before=problem.placed(np.full(len(answer), -1, dtype=np.int64))[1],
        objective=objective,
        bound=bound,
        gap=gap,
        status=status,
        seconds=time.perf_counter() - began,
        spent=math.fsum([*cost, *asked.closing[closed]]),
        budget=np.inf if asked.budget is None else float(asked.budget),
        work=settled.work,
        seed=effort.seed,
    )
