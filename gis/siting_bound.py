"""An upper bound of what any choice of sites can cover, without a solver, and the candidates it rules out.

Relaxing yᵢ ≤ Σ_{j reaches i} xⱼ with multipliers 0 ≤ uᵢ ≤ wᵢ leaves

    L(u) = Σ (wᵢ - uᵢ) + the p largest column sums Σ_{i reached by j} uᵢ,

which no answer exceeds. It is minimised by subgradient steps (Galvão & ReVelle 1996) and tends to the bound of the
linear relaxation, at the price of two sparse products a step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy.sparse import csr_array

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .siting_reduce import Reduced

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]

STEPS = 600
PATIENCE = 25
"""Steps without a better bound after which the step is halved."""
SMALLEST_STEP = 1e-3
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Relaxed:
    """What the relaxation shows.

    Parameters
    ----------
    bound
        No answer covers more.
    out, into
        bool [candidates], those that no better answer contains, and those that every better answer contains.
    promising
        int64 [p], the candidates with the largest sums at the best bound: a start for the search.
    """

    bound: int
    out: Bools
    into: Bools
    promising: Ints


def relax(problem: Reduced, sites: int, value: int) -> Relaxed:
    """Return the best bound found, and what it says of each candidate beside an answer of the given value.

    Parameters
    ----------
    problem
        A reduced covering problem.
    sites
        How many candidates may be chosen.
    value
        Weight that a known answer covers.

    Examples
    --------
    >>> from lifecircle.gis.siting_reduce import Reduced
    >>> cover = csr_array(np.array([[1, 0, 1], [1, 1, 0], [0, 1, 1]], dtype=np.int8))
    >>> weight, tie = np.array([4, 4, 4]), np.zeros(3, dtype=np.int64)
    >>> relax(Reduced(cover, weight, tie, np.arange(3)), 1, 8).bound
    8
    """
    weight = problem.weight.astype(np.float64)
    ones = np.ones(problem.cover.nnz)
    rows: csr_array = csr_array((ones, problem.cover.indices, problem.cover.indptr), shape=problem.cover.shape)
    columns = rows.T.tocsr()
    count = min(sites, columns.shape[0])
    multiplier = weight / np.maximum(np.diff(problem.cover.indptr), 1)
    best, best_multiplier = np.inf, multiplier
    scale, since_better = 1.0, 0
    for _ in range(STEPS):
        sums = columns @ multiplier
        largest = _largest(sums, count)
        level = float((weight - multiplier).sum() + sums[largest].sum())
        if level < best:
            best, best_multiplier, since_better = level, multiplier, 0
        else:
            since_better += 1
        if since_better >= PATIENCE:
            scale, since_better = scale / 2, 0
            multiplier = best_multiplier
            continue
        if np.floor(best * (1 + ROUNDING)) <= value or scale < SMALLEST_STEP:
            break
        chosen = np.zeros(columns.shape[0])
        chosen[largest] = 1.0
        slope = rows @ chosen - (multiplier < weight)
        slope[((multiplier <= 0) & (slope > 0)) | ((multiplier >= weight) & (slope < 0))] = 0.0  # cannot move further
        length = float(slope @ slope)
        if length == 0:
            break
        multiplier = np.clip(multiplier - scale * (level - value) / length * slope, 0.0, weight)
    return _judged(columns @ best_multiplier, best, count, value)


def _largest(sums: Floats, count: int) -> Ints:
    """Return the columns with the largest sums, the first ones when equal."""
    return np.argsort(-sums, kind="stable")[:count].astype(np.int64)


def _judged(sums: Floats, bound: float, count: int, value: int) -> Relaxed:
    """Say which candidates a better answer cannot or must contain: forcing them would push the bound to the value."""
    order = np.argsort(-sums, kind="stable").astype(np.int64)
    inside, beyond = order[:count], order[count:]
    out, into = np.zeros(len(sums), dtype=np.bool_), np.zeros(len(sums), dtype=np.bool_)
    least = value + 1 - ROUNDING * max(1.0, bound)  # weights are whole: better means by one at least
    if len(beyond):
        out[beyond] = bound - sums[inside[-1]] + sums[beyond] < least
        into[inside] = bound - sums[inside] + sums[beyond[0]] < least
    return Relaxed(int(np.floor(bound + ROUNDING * max(1.0, bound))), out, into, np.sort(inside))
