"""An upper bound of what options that share room can cover, and the options it rules out.

Relaxing yᵢ ≤ Σ zₖ with prices 0 ≤ uᵢ ≤ wᵢ and the limits of the groups with rates μ ≥ 0 leaves

    L(u, μ) = Σ (wᵢ - uᵢ) + Σ_g μ_g limit_g + Σ_plots the most that fits there of Σₖ (Σ_{i covered by k} uᵢ - μ sizeₖ),

which no answer exceeds, whatever the prices and rates are. Each plot is settled exactly, by looking through what may
stand on it together. The duals of the linear relaxation make L at least as tight as the relaxation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from .kernels_packed import option_sums, plot_worth

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from .packed import Packed

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]

ROUNDING, SLACK = 1e-11, 1e-6
"""What a sum of floats may be off by: weights are whole, so that a bound is rounded down from a little above."""
GOLDEN = (5**0.5 - 1) / 2
HALVINGS, SWEEPS = 30, 2


@dataclass(frozen=True, slots=True)
class Judged:
    """What prices and rates show.

    Parameters
    ----------
    bound
        No answer covers more.
    out, into
        bool [options], those that no better answer contains, and those that every better answer contains.
    prices, rates
        float64 [blocks · rows] and [groups].
    """

    bound: int
    out: Bools
    into: Bools
    prices: Floats
    rates: Floats


def first_prices(problem: Packed) -> Floats:
    """Return prices to begin with: each row's weight shared among the columns that cover it."""
    sizes = np.maximum(np.diff(problem.cover.indptr), 1)
    shares: Floats = problem.weight / np.tile(sizes, problem.packing.blocks)
    return shares


def judged(problem: Packed, prices: Floats, rates: Floats, value: int, *, tune: bool = False) -> Judged:
    """Return the bound of prices and rates, and what it says of each option beside an answer of the given value.

    Parameters
    ----------
    problem
        The problem.
    prices, rates
        float64 [blocks · rows] and [groups]; any numbers give a bound that holds.
    value
        Weight that a known answer covers.
    tune
        Whether better rates are looked for.
    """
    packing = problem.packing
    price = np.clip(np.nan_to_num(prices), 0.0, problem.weight)
    sums = np.where(problem.free, option_sums(packing, price), -np.inf)
    rate = np.maximum(np.nan_to_num(rates), 0.0)
    within, without = np.empty(len(sums)), np.empty(len(sums))
    rest = float((problem.weight - price).sum())

    def level(tried: Floats) -> float:
        worth = sums - tried[packing.group] * packing.size
        return rest + float(tried @ packing.limit) + float(plot_worth(packing, worth, within, without))

    if tune:
        rate = _tuned(level, rate, _steepest(problem, sums))
    most = level(rate)
    most += SLACK + ROUNDING * abs(most)
    with np.errstate(invalid="ignore"):
        out, into = most - within < value + 1, most - without < value + 1
    bound = min(int(np.floor(most)), int(problem.weight.sum()))
    return Judged(bound, out | ~problem.free, into & problem.free, price, rate)


def _steepest(problem: Packed, sums: Floats) -> Floats:
    """Return for each group a rate at which none of its options is worth its size."""
    packing = problem.packing
    most = np.zeros(len(packing.limit))
    some = problem.free & (packing.size > 0)
    np.maximum.at(most, packing.group[some], sums[some] / packing.size[some])
    return np.maximum(most, 0.0)


def _tuned(level: Callable[[Floats], float], rates: Floats, most: Floats) -> Floats:
    """Return rates with a lower bound, one group after the other: the bound is convex in each."""
    best, lowest = rates, level(rates)
    for _ in range(SWEEPS):
        for g in range(len(rates)):
            low, high = 0.0, float(most[g])
            for _ in range(HALVINGS):
                left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
                levels = []
                for rate in (left, right):
                    tried = best.copy()
                    tried[g] = rate
                    levels.append(level(tried))
                    if levels[-1] < lowest:
                        lowest, best = levels[-1], tried
                if levels[0] < levels[1]:
                    high = right
                else:
                    low = left
    return best
