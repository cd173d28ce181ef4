"""Walkers: how fast somebody walks, on the flat, on steps and on a slope, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOBLER_STEEPNESS = 3.5
TOBLER_EASIEST_SLOPE = -0.05
"""Walking is fastest slightly downhill (Tobler 1993, see `tobler`)."""


@dataclass(frozen=True, slots=True)
class Walker:
    """Somebody who walks.

    Parameters
    ----------
    name
        Its key.
    speed_mps
        Speed on the flat in metres a second. ``None`` counts metres only: steps, slopes and waiting do not matter.
    steps
        False: cannot use steps at all.
    steps_factor
        Speed on steps over speed on the flat.
    slope
        Whether the terrain counts, where heights are known.
    max_slope
        Steepest slope (rise over run) that can be walked; ``None`` for any.
    signal_seconds
        Mean wait at a crossing with signals.
    lift_seconds
        Mean wait for and ride in a lift.

    Examples
    --------
    >>> WALKERS["elderly"].unit, WALKERS["elderly"].limit(300, 5), WALKERS["standard"].limit(300, 5)
    ('s', 300.0, 300.0)
    """

    name: str
    speed_mps: float | None
    steps: bool = True
    steps_factor: float = 0.5
    slope: bool = True
    max_slope: float | None = None
    signal_seconds: float = 0.0
    lift_seconds: float = 30.0

    @property
    def unit(self) -> Literal["m", "s"]:
        """Return what its costs are counted in: metres or seconds."""
        return "m" if self.speed_mps is None else "s"

    def limit(self, limit_m: float, minutes: float) -> float:
        """Return a limit in the walker's unit: the metres as they are, or the minutes as seconds."""
        return float(limit_m) if self.speed_mps is None else float(minutes) * 60.0

    def cost(self, distance_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the cost of distances on the flat, in the walker's unit.

        Examples
        --------
        >>> WALKERS["elderly"].cost(np.array([8.0])).tolist()
        [10.0]
        """
        return distance_m if self.speed_mps is None else distance_m / self.speed_mps


WALKERS: dict[str, Walker] = {
    walker.name: walker
    for walker in (
        Walker("standard", None),
        Walker("adult", 1.2),
        Walker("elderly", 0.8),
        Walker("frail", 0.6, steps_factor=0.4),
        Walker("wheelchair", 0.8, steps=False, max_slope=1 / 12),
    )
}
"""Profiles that ship: ``standard`` counts metres as the codes' circles do; GB 55019-2021 has ramps to 1:12."""


def tobler(slope: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the speed on a slope over the speed on the flat, by Tobler's hiking function scaled to 1 on the flat.

    ``exp(-3.5 |S + 0.05|) / exp(-0.175)``, with S = rise over run in the direction walked.

    Parameters
    ----------
    slope
        float64, any shape; positive is uphill. NaN (height unknown) counts as flat.

    References
    ----------
    Tobler, W. (1993). Three Presentations on Geographical Analysis and Modeling. NCGIA Technical Report 93-1.

    Examples
    --------
    >>> tobler(np.array([0.0, 0.1, -0.1, np.nan])).round(4).tolist()
    [1.0, 0.7047, 1.0, 1.0]
    """
    known = np.where(np.isnan(slope), 0.0, slope)
    easiest = abs(TOBLER_EASIEST_SLOPE)
    factor: NDArray[np.float64] = np.exp(TOBLER_STEEPNESS * (easiest - np.abs(known + easiest)))
    return factor
