"""Where best when what stands may be closed: some sites close, as many more may open."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from .errors import Fault
from .limited_answer import Ruled, assigned, columns_of, flagged, ordered, planned, why
from .median_search import Effort
from .money import as_units, check_budget, gathered, refuse
from .siting_answer import Case
from .siting_check import Fixed, as_csr, check, check_limits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from .siting_answer import Status
    from .siting_check import Given

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]

__all__ = ["Money", "Relocated", "relocate"]


@dataclass(frozen=True, slots=True)
class Money:
    """What building and closing cost.

    Parameters
    ----------
    site_costs
        float64 [columns], of building each candidate; finite and not negative, read to six decimals.
    budget
        What building and closing may cost together; without one, costs only decide among equals.
    closing_costs
        float64 [columns], of closing each existing site; nothing unless said.
    """

    site_costs: ArrayLike
    budget: float | None = None
    closing_costs: ArrayLike | None = None


@dataclass(frozen=True, slots=True)
class Relocated:
    """Sites chosen and sites closed, how good that is, and why each.

    Parameters
    ----------
    chosen, closed, kept
        int64, candidates in the order of weight they add to what is kept; existing sites closed; those that stay open.
    added
        int64 [chosen], weight each new site adds at its step to what the kept ones and those before it reach.
    served, only_here
        int64 [chosen], weight within its reach; and within reach of no other open site.
    runner_up, runner_up_loses
        int64 [chosen], what would best stand in for the site, another candidate or an existing site left open, and the
        weight lost by it; -1 where none would add anybody.
    closed_served, closed_left
        int64 [closed], weight within reach of each closed site; and of those whom nothing open reaches any more.
    before
        Weight within reach of what stands today.
    objective, bound
        Weight within reach of what is open then, each person once; and what no other choice exceeds.
    gap, status, seconds, work, seed
        As in `Siting`.
    spent
        What building and closing cost.
    assignment
        int64 [demand], the open column nearest to each row, -1 where none is within reach or the row was covered.
    """

    chosen: Ints
    closed: Ints
    kept: Ints
    added: Ints
    served: Ints
    only_here: Ints
    runner_up: Ints
    runner_up_loses: Ints
    closed_served: Ints
    closed_left: Ints
    before: int
    objective: int
    bound: int
    gap: float
    status: Status
    seconds: float
    spent: float
    assignment: Ints
    work: int = 0
    seed: int = 0

    def __str__(self) -> str:
        """Say the result in a sentence."""
        return (
            f"{len(self.chosen)} sites open and {len(self.closed)} close: {self.objective} are covered instead of "
            f"{self.before}, at most {self.bound} could be ({self.status})"
        )


def relocate(  # noqa: PLR0913  the options of maximal covering, and what may close
    reach: Any,  # noqa: ANN401  scipy's sparse matrices and arrays have no common type
    weights: ArrayLike,
    *,
    existing: Sequence[int],
    closable: Sequence[int],
    sites: int,
    closings: int,
    covered: ArrayLike | None = None,
    tie_weights: ArrayLike | None = None,
    must: Sequence[int] = (),
    barred: Sequence[int] = (),
    money: Money | None = None,
    seconds: float = 60.0,
    gap: float = 0.0,
    seed: int = 0,
) -> Relocated:
    """Choose new sites and existing ones to close so that the most weight is within reach of what is open then.

    Parameters
    ----------
    reach
        Sparse [demand, columns], existing sites and candidates; a stored entry, a zero cost too, means within the
        limit. In a bool matrix only True counts.
    weights
        int64 [demand], people or another group; whole and not negative.
    existing
        Columns that stand.
    closable
        Those of them that may be closed.
    sites
        How many new sites may be chosen beside those that closed ones make room for.
    closings
        How many existing sites may be closed; each makes room for one more new site.
    covered
        bool [demand], within reach of something that is not among the columns; not counted.
    tie_weights
        int64 [demand], for example elders: among equal choices the one that reaches more of them, then the one with
        fewer closings, then the cheaper one, then lower numbers.
    must, barred
        Candidates that are chosen whatever they bring, and that are not chosen.
    money
        Costs, and a budget.
    seconds, gap, seed
        Time for the proof, relative gap at which it may stop, seed of the search.

    Raises
    ------
    InputError
        All that is wrong with the input, together.
    InfeasibleError
        When there are no candidates.

    Notes
    -----
    Covering with sites that close: Wang, Q., Batta, R., Bhadury, J. & Rump, C. M. (2003), Computers & Operations
    Research 30, for the median.

    Examples
    --------
    The second site, which stands, reaches fewer than the third would:

    >>> from scipy.sparse import csr_array
    >>> reach = csr_array(np.array([[1, 0, 0], [0, 1, 1], [0, 0, 1]], dtype=bool))
    >>> found = relocate(reach, [10, 20, 25], existing=[0, 1], closable=[1], sites=0, closings=1)
    >>> print(found)
    1 sites open and 1 close: 55 are covered instead of 30, at most 55 could be (optimal)
    >>> found.closed.tolist(), found.closed_left.tolist()
    ([1], [0])
    """
    began = time.perf_counter()
    wish = Wish(Fixed(existing, must, barred), closable, sites, closings, money)
    faults: list[Fault] = []
    with gathered(faults):
        check_limits(seconds, gap)
    given, done = checked(reach, weights, covered, tie_weights, wish, faults)
    old = Case(given.matrix, columns_of(given.matrix), given.weight, given.tie, done, given.site_cost)
    may = flagged(closable, len(given.site_cost))
    stay = np.flatnonzero(given.existing & ~may)
    case = replace(old, done=done | old.reached_by(stay))
    base = int(old.left[case.done].sum())
    ruled, closing = _ruled(given, may, wish)
    plan = planned(case, ruled, Effort(seconds=seconds, gap=gap, seed=seed))
    inside = np.zeros(len(may), dtype=np.bool_)
    inside[plan.chosen] = True
    kept, closed = np.flatnonzero(given.existing & ~(may & ~inside)), np.flatnonzero(may & ~inside)
    chosen, added = ordered(replace(old, done=done | old.reached_by(kept)), inside & ~may, ruled)
    reasons = why(case, ruled, plan.chosen, chosen)
    is_open = np.concatenate([chosen, kept])
    nobody = ~done & ~old.reached_by(is_open)
    objective, bound = base + plan.objective, base + plan.bound
    return Relocated(
        chosen=chosen,
        closed=closed,
        kept=kept,
        added=added,
        served=reasons.served,
        only_here=reasons.only_here,
        runner_up=reasons.runner_up,
        runner_up_loses=reasons.runner_up_loses,
        closed_served=np.array([given.weight[old.rows(one)].sum() for one in closed], dtype=np.int64),
        closed_left=np.array([(given.weight * nobody)[old.rows(one)].sum() for one in closed], dtype=np.int64),
        before=int(old.left[old.reached_by(np.flatnonzero(given.existing))].sum()),
        objective=objective,
        bound=bound,
        gap=(bound - objective) / bound if bound else 0.0,
        status=plan.status,
        seconds=time.perf_counter() - began,
        spent=math.fsum([*given.site_cost[chosen], *closing[closed]]),
        assignment=assigned(old, is_open),
        work=plan.work,
        seed=seed,
    )


@dataclass(frozen=True, slots=True)
class Wish:
    """What may be done: fixed columns, those that may close, how many open and close, what it may cost."""

    fixed: Fixed
    closable: Sequence[int]
    sites: int | None
    closings: int
    money: Money | None


def checked(
    reach: Any,  # noqa: ANN401  as above
    weights: ArrayLike,
    covered: ArrayLike | None,
    tie_weights: ArrayLike | None,
    wish: Wish,
    faults: list[Fault],
) -> tuple[Given, Bools]:
    """Return the checked input and the rows covered already, or report all that is wrong, with faults found before.

    Parameters
    ----------
    reach, weights, covered, tie_weights
        As for `relocate`.
    wish
        What may be done.
    faults
        What is known to be wrong.

    Raises
    ------
    InputError
        All faults together.
    """
    demand, count = as_csr(reach).shape
    money, fixed = wish.money, wish.fixed
    with gathered(faults):
        given = check(
            reach, weights, fixed=fixed, tie_weights=tie_weights, site_costs=money.site_costs if money else None
        )
    done = np.zeros(demand, dtype=np.bool_) if covered is None else np.asarray(covered, dtype=np.bool_)
    if done.shape != (demand,):
        faults.append(Fault("gis.siting_shape", column="covered", value=done.size, detail={"wanted": demand}))
    stands, may = flagged(fixed.existing, count), flagged(wish.closable, count)
    faults += [
        Fault("gis.relocate_closable", column="closable", value=one)
        for one in wish.closable
        if one != int(one) or not 0 <= one < count or not stands[int(one)]
    ]
    if not 0 <= wish.closings <= len(set(wish.closable)):
        detail = {"closable": len(set(wish.closable))}
        faults.append(Fault("gis.relocate_closings", column="closings", value=wish.closings, detail=detail))
    free = ~stands & ~flagged(fixed.barred, count)
    faults += _wrong_count(wish, int(free.sum()))
    if money is not None:
        faults += _wrong_money(money, free, may, fixed.must)
    refuse(faults)
    return given, done


def _wrong_count(wish: Wish, free: int) -> list[Fault]:
    """Return what is wrong with the number of new sites."""
    faults: list[Fault] = []
    if wish.sites is None:
        return faults
    most = wish.sites + max(wish.closings, 0)
    if wish.sites < 0 or most < 1:
        faults.append(Fault("gis.siting_sites", value=wish.sites))
    if wish.sites > free:
        faults.append(Fault("gis.siting_too_many", value=wish.sites, detail={"candidates": free}))
    if len(set(wish.fixed.must)) > most >= 1:
        faults.append(Fault("gis.siting_must", value=len(set(wish.fixed.must)), detail={"sites": most}))
    return faults


def _wrong_money(money: Money, free: Bools, may: Bools, must: Sequence[int]) -> list[Fault]:
    """Return what is wrong with the costs of closing and with the budget."""
    faults: list[Fault] = []
    closing = np.zeros(len(may)) if money.closing_costs is None else np.asarray(money.closing_costs, dtype=np.float64)
    if closing.shape != may.shape:
        detail = {"wanted": len(may)}
        faults.append(Fault("gis.siting_shape", column="closing_costs", value=closing.size, detail=detail))
    elif not (np.isfinite(closing) & (closing >= 0))[may].all():
        broken = np.flatnonzero(may & ~(np.isfinite(closing) & (closing >= 0)))
        detail = {"count": len(broken)}
        one = int(broken[0])
        faults.append(
            Fault("gis.siting_site_cost", row=one, column="closing_costs", value=float(closing[one]), detail=detail)
        )
    if money.budget is not None:
        faults += check_budget(money.budget, money.site_costs, free, must)
    return faults


def _ruled(given: Given, may: Bools, wish: Wish) -> tuple[Ruled, Floats]:
    """Return the limits of a relocation and what closing costs; what may be closed frees limits by staying open."""
    money, stay = wish.money or Money(given.site_cost), given.existing & ~may
    closing = np.zeros(len(may)) if money.closing_costs is None else np.asarray(money.closing_costs, dtype=np.float64)
    closing = np.where(may, closing, 0.0)
    price = np.where(may, closing, np.where(given.existing, 0.0, given.site_cost))
    units, most = as_units(price, np.inf if money.budget is None else money.budget)
    paid, closed, every = np.where(may, -units, units), -may.astype(np.int64), int(may.sum())
    rules = [(np.ones(len(may), dtype=np.int64), (wish.sites or 0) + every), (closed, wish.closings - every)]
    if money.budget is not None:
        rules.append((paid, most - int(units[may].sum())))
    use = np.ascontiguousarray([use for use, _ in rules], dtype=np.int64)
    limits = np.array([limit for _, limit in rules], dtype=np.int64)
    return Ruled(use, limits, np.ascontiguousarray([closed, paid]), given.must, given.barred | stay), closing
