"""The curve of people covered against sites or yuan, and its knee."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from .siting_answer import Status

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Curve:
    """People covered against sites or yuan, one point for each number of sites or each budget.

    Parameters
    ----------
    sites
        int64 [k], how many were allowed, or how many were chosen where budgets were asked.
    cost
        float64 [k], what the chosen sites cost; 0 where no costs are given.
    budget
        float64 [k], what they were allowed to cost; infinite where the number of sites was limited.
    covered
        int64 [k], weight newly covered; never falls.
    bound
        int64 [k], no choice within the same limit covers more newly.
    gap
        float64 [k], (bound - covered) / bound, 0 when proven.
    chosen
        k arrays int64, the candidates in the order of weight added.
    knee
        The place of the knee in these arrays, -1 where the curve is straight.
    before
        Weight that was covered already.
    status
        As of `Siting`: ``optimal`` when every point is proven.
    seconds, seed
        What it took, and the seed of what was random.
    """

    sites: Ints
    cost: Floats
    budget: Floats
    covered: Ints
    bound: Ints
    gap: Floats
    chosen: tuple[Ints, ...]
    knee: int
    before: int
    status: Status
    seconds: float
    seed: int = 0

    def __str__(self) -> str:
        """Say the result in a sentence."""
        knee = f"the knee at {self.sites[self.knee]} sites" if self.knee >= 0 else "no knee"
        return f"{len(self.sites)} points up to {self.covered.max(initial=0)} more, {knee} ({self.status})"


def knee_of(spent: ArrayLike, covered: ArrayLike) -> int:
    """Return the place of the knee: the point farthest above the chord from nothing spent to the last point.

    With both axes brought to 0 … 1 this is the largest value of the difference curve of Kneedle; of equal ones the
    first is taken. Whole numbers are compared as whole numbers.

    Parameters
    ----------
    spent
        [k], sites or yuan, above 0 and rising.
    covered
        [k], weight covered, not falling.

    Returns
    -------
    -1 where no point lies above the chord.

    Notes
    -----
    Satopaa, V., Albrecht, J., Irwin, D. & Raghavan, B. (2011): Finding a "kneedle" in a haystack. ICDCS Workshops. The
    knee depends on where the curve ends.

    Examples
    --------
    >>> knee_of([1, 2, 3, 4], [60, 90, 95, 100]), knee_of([1, 2, 3], [10, 20, 30])
    (1, -1)
    """
    x, y = np.asarray(spent).tolist(), np.asarray(covered).tolist()
    if len(x) < 2:
        return -1
    above = [y[i] * x[-1] - x[i] * y[-1] for i in range(len(x))]  # Python's whole numbers do not overflow
    best = max(range(len(x)), key=lambda place: (above[place], -place))
    return best if above[best] > 0 else -1


def settled(status: list[Status]) -> Status:
    """Return the status of a curve: the least that can be said of all its points.

    Examples
    --------
    >>> settled(["optimal", "time_limit"])
    'time_limit'
    """
    order: tuple[Status, ...] = ("time_limit", "work_limit", "within_gap", "optimal", "unreachable", "all_covered")
    return next(one for one in order if one in status)
