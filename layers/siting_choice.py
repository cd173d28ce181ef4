"""The answer to a wish, whatever the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..gis.median_search import Effort

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .settings import SitingSection
    from .siting_case import Case

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]


COVERING = ("max_cover", "budgeted", "relocate", "fair", "worst_first", "together", "combined")
"""Models whose objective is people newly within the limit."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The answer to a wish, whatever the model.

    Parameters
    ----------
    chosen
        int64 [k], candidates of the case in their order.
    objective, bound, gap, status, seconds, seed
        As the model states them.
    runner_up, runner_up_loses
        int64 and float64 [k], the candidate that best stands in for the site, -1 for none, and how much worse the
        objective gets by it; NaN for none.
    costs
        float64 [candidates], yuan; ``None`` where no costs were asked for.
    budget
        Yuan that might be spent; NaN where there is none.
    room
        int64 [candidates], places each would have in people; ``None`` where no places were asked for.
    phase
        int64 [k], counted from 1; ``None`` where there are no phases.
    closed
        int64, rows of what stands that are to be closed.
    model
        What the model is called where the wish's name of it does not say all.
    runner_names
        object [k], names of stand-ins where some are no candidates.
    """

    chosen: Ints
    objective: float
    bound: float
    gap: float
    status: str
    seconds: float
    seed: int
    runner_up: Ints
    runner_up_loses: Floats
    costs: Floats | None = None
    budget: float = np.nan
    room: Ints | None = None
    phase: Ints | None = None
    closed: Ints | None = None
    model: str | None = None
    runner_names: NDArray[np.object_] | None = None


def effort_of(siting: SitingSection) -> Effort:
    """Return the limits of a search."""
    return Effort(seconds=siting.seconds, gap=siting.gap, seed=siting.seed)


def sites_of(case: Case) -> int:
    """Return how many sites may be chosen: as many as wished for, at most all candidates."""
    asked = case.wish.sites or len(case.fits)
    return min(asked, len(case.fits))


def plainly(answer: Any, **more: Any) -> Choice:  # noqa: ANN401  the answers of the models have no common type
    """Return an answer of a model as a choice."""
    other = np.asarray(answer.runner_up, dtype=np.int64)
    loses = np.where(other >= 0, np.asarray(answer.runner_up_loses, dtype=np.float64), np.nan)
    return Choice(
        chosen=np.asarray(answer.chosen, dtype=np.int64),
        objective=float(answer.objective),
        bound=float(answer.bound),
        gap=float(answer.gap),
        status=str(answer.status),
        seconds=float(answer.seconds),
        seed=int(getattr(answer, "seed", 0)),
        runner_up=other,
        runner_up_loses=np.where(np.isfinite(loses), loses, np.nan),
        **more,
    )


def nothing_left(status: str, seed: int) -> Choice:
    """Return the answer where nobody is left to be reached."""
    none = np.zeros(0, dtype=np.int64)
    return Choice(none, 0.0, 0.0, 0.0, status, 0.0, seed, none, np.zeros(0))
