"""Large enough: which facilities are known to reach the least size that a rule asks of one, and which to miss it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from .columns import floats

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]


class SizedRule(Protocol):
    """What is read of a `lifecircle.layers.standards.Rule`."""

    @property
    def building_m2_least(self) -> float | None:
        """Least floor area of one facility."""

    @property
    def land_m2_least(self) -> float | None:
        """Least land of one facility."""

    @property
    def land(self) -> str:
        """Whether it stands on land of its own, or may share a building."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How facilities of a class compare with the least size.

    Parameters
    ----------
    small
        bool [n], known to be below it.
    sure
        bool [n], known to reach it in all that is asked for.
    """

    small: Bools
    sure: Bools


def sizes_of(rule: SizedRule, facilities: pd.DataFrame) -> Sizes | None:
    """Return which facilities are too small by what is known of them; ``None`` where the rule asks for no size.

    Land counts for classes that must or should have their own. One known figure below its least is enough to be too
    small; to be large enough all that are asked for must be known.

    Parameters
    ----------
    rule
        Least floor area and land.
    facilities
        ``floor_area_m2`` and ``land_area_m2``, NaN where nobody stated them.

    Examples
    --------
    >>> import pandas as pd
    >>> from lifecircle.layers.standards import load_standard
    >>> day_care = load_standard("gb50180-2018").rule("elderly_day_care")
    >>> found = sizes_of(day_care, pd.DataFrame({"floor_area_m2": [200.0, 350.0, None]}))
    >>> found.small.tolist(), found.sure.tolist()
    ([True, False, False], [False, True, False])
    """
    asked = [("floor_area_m2", rule.building_m2_least)]
    if rule.land != "shared":
        asked.append(("land_area_m2", rule.land_m2_least))
    stated = [(floats(facilities, column), least) for column, least in asked if least is not None]
    if not stated:
        return None
    small = np.any([values < least for values, least in stated], axis=0)
    sure = np.all([values >= least for values, least in stated], axis=0)
    return Sizes(np.asarray(small, dtype=np.bool_), np.asarray(sure, dtype=np.bool_))
