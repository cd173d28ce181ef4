"""The worst-off group first: its rate as high as can be, then the second worst one's, and so on, then the most people.

The k-th worst rate is maximised with those below it kept: is there an answer in which the j-th worst has its rate for
all j < k, and all but k - 1 groups more than the k-th has now? Rates are fractions of whole people, so "more" is a
whole number of people in each group, and the question is answered by an answer that is better or by the proof that
there is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from .fair_answer import Level
from .fair_highs import Goal
from .fair_problem import Ask, rates_asked
from .kernels_fair import gains

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .fair_problem import Grouped
    from .fair_search import Most, Priced, Search

    Ints: TypeAlias = NDArray[np.int64]

HALVINGS, FINEST = 40, 2**40
"""Halvings towards a bound of a rate, and the finest fraction on the way."""
LEVEL_SHARE, RATES_SHARE, FIRST_SHARE = 0.4, 0.75, 0.3
"""Shares of the time left for one question, for the rates before the weight, and for a first good answer."""
PARTS = (Fraction(1, 2), Fraction(1, 4), Fraction(1, 8), Fraction(1, 16), Fraction(1, 64))
"""How far between a rate and its bound an annealing aims."""
SETTLED_PAIRS = 20_000


@dataclass(frozen=True, slots=True)
class Worst:
    """An answer by its rates, the bounds of those looked at, and what it asks of groups."""

    chosen: Ints
    bounds: tuple[Fraction, ...]


def worst_first(search: Search, number: Ints) -> tuple[Most, tuple[Level, ...], Ask]:
    """Return the answer, its rates from the worst to the best with their bounds, and the rates as they are asked.

    Parameters
    ----------
    search
        The problem, with its limits.
    number
        int64 [G], what the groups are called.
    """
    problem = search.problem
    worst = rates_first(search.within(RATES_SHARE), problem.groups)
    ask = rates_asked(problem, sorted(problem.rates(problem.newly(worst.chosen))))
    found = search.most(ask, worst.chosen)
    rates = problem.rates(problem.newly(found.chosen))
    order = sorted(range(problem.groups), key=lambda one: (rates[one], one))
    levels = tuple(
        Level(int(number[one]), rates[one], max(rates[one], bound))
        for one, bound in zip(order, worst.bounds, strict=True)
    )
    return found, levels, rates_asked(problem, sorted(rates))


def rates_first(search: Search, levels: int) -> Worst:
    """Return an answer whose rates from the worst upwards are as high as can be, so many of them proven one by one."""
    problem = search.problem
    best = search.exchanged(None, np.zeros(0, dtype=np.int64), kicks=0)
    caps = highest_rates(problem, search.sites)
    bounds: list[Fraction] = []
    seen = _first_prices(search, best)
    likely = search.likely(seen[0]) if seen else search.everything
    best = search.within(FIRST_SHARE).annealed(None, best, likely)
    while len(bounds) < levels:
        k = len(bounds)
        rates = sorted(problem.rates(problem.newly(best)))
        if rates[k] >= caps[k]:
            bounds.append(rates[k])
            continue
        better: Ints | None = None
        if not search.late():
            better = _aspired(search.within(LEVEL_SHARE), best, k, _bound(problem, rates, k, caps[k], seen), likely)
        if better is None and not search.late():
            met = search.within(LEVEL_SHARE).meeting(rates_asked(problem, rates[:k], above=rates[k]), best)
            if met.impossible:
                bounds.append(rates[k])
                continue
            better = met.chosen
            if met.priced is not None:
                seen.append(met.priced)
        if better is None:
            bounds.append(_bound(problem, rates, k, caps[k], seen))
            continue
        polished = search.exchanged(None, better)
        best = polished if search.better(None, polished, better) else better
        new = sorted(problem.rates(problem.newly(best)))
        same = next(place for place, (old, now) in enumerate(zip(rates, new, strict=True)) if old != now)
        del bounds[same:]  # where a level before was not proven, it may be it that rose
    return Worst(best, tuple(bounds))


def _first_prices(search: Search, best: Ints) -> list[Priced]:
    """Return the relaxations for the lowest rate and for the weight, so that every rate has a bound whatever the time.

    Not for a small problem, whose questions are all answered.
    """
    problem = search.problem
    if problem.cover.nnz <= SETTLED_PAIRS or not search.sites:
        return []
    rates = sorted(problem.rates(problem.newly(best)))
    free = Ask(np.zeros((problem.groups, 1), dtype=np.int64), np.full(1, problem.groups, dtype=np.int64))
    goals = (
        Goal(search.sites, rates_asked(problem, [], above=rates[0])),
        Goal(search.sites, free, problem.weight),
    )
    return [search.priced(goal, 0 if goal.worth is None else search.value(best)) for goal in goals]


def _aspired(search: Search, best: Ints, k: int, high: Fraction, likely: Ints) -> Ints | None:
    """Return an answer with a higher k-th worst rate, looked for by annealings towards rates between it and its bound.

    The groups keep their places in the order, which is one way to do what is asked; not for a small problem, which
    HiGHS settles as fast.
    """
    problem = search.problem
    if problem.cover.nnz <= SETTLED_PAIRS:
        return None
    rates = problem.rates(problem.newly(best))
    order = sorted(range(problem.groups), key=lambda one: (rates[one], one))
    low = rates[order[k]]
    for part in PARTS:
        wanted = dict.fromkeys(order, low + (high - low) * part) | {one: rates[one] for one in order[:k]}
        levels = [ceil(wanted[one] * problem.counts[one]) - int(problem.have[one]) for one in range(problem.groups)]
        need = np.maximum(np.array(levels, dtype=np.int64), 0)
        found = search.annealed(need, best, likely, enough=True)
        if search.better(None, found, best):
            return found
    return None


def highest_rates(problem: Grouped, sites: int) -> list[Fraction]:
    """Return what the k-th worst rate cannot exceed: the k-th lowest of what each group could have for itself.

    For itself a group has no more than all columns cover of it, and no more than the largest columns add up to.
    """
    columns = problem.cover.shape[1]
    rptr, col = problem.cover.indptr.astype(np.int32), problem.cover.indices.astype(np.int32)
    each = gains(rptr, col, problem.weight, problem.tie, problem.group, columns, problem.groups)[:, : problem.groups]
    largest = np.sort(each, axis=0)[::-1][:sites].sum(axis=0)
    possible = np.minimum(problem.newly(np.arange(columns, dtype=np.int64))[: problem.groups], largest)
    return sorted(problem.rates(possible))


def _bound(problem: Grouped, rates: list[Fraction], k: int, cap: Fraction, seen: list[Priced]) -> Fraction:
    """Return a rate that the k-th worst does not exceed: the cap, or less where prices show that it stays below.

    Prices of any relaxation serve: a choice with higher rates would be worth more at them than the relaxation allows.
    """
    high = cap
    for priced in seen:
        prices, low = priced.unit + priced.prices[:-1], rates[k]
        for _ in range(HALVINGS if _beyond(problem, [*rates[:k], high], prices, priced.relaxed.bound) else 0):
            middle = ((low + high) / 2).limit_denominator(FINEST)
            if _beyond(problem, [*rates[:k], middle], prices, priced.relaxed.bound):
                high = middle
            else:
                low = middle
    return high


def _beyond(problem: Grouped, rates: list[Fraction], prices: Ints, bound: int) -> bool:
    """Say whether prices show that no choice has these rates."""
    return rates_asked(problem, rates).least(prices) > bound
