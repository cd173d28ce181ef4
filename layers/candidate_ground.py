"""The ground of a plot that is left when zones and distances take their part, and whether it holds the facility."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import shapely

from ..gis.rectangles import fits_rectangle, largest_like
from .candidate_checks import check_of
from .zones import polygonal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from .candidate_checks import Check
    from .candidate_places import Places
    from .site_rules import Clause, Need
    from .standards import Rule

    Bools: TypeAlias = NDArray[np.bool_]

ARC_SEGMENTS = 32
"""Segments of a quarter circle: what a distance takes of a plot is too small by no more than 0.03 %."""


class GroundLeft:
    """Keeps for one class what each plot loses, and tells whether the rest holds the class.

    A plot is land to be built on whose outline is known; a building stands where it stands.

    Parameters
    ----------
    places
        The places.
    rule, need
        Of the class: the land and the rectangle that must be left.
    """

    def __init__(self, places: Places, rule: Rule, need: Need) -> None:
        self._places = places
        self._need = need
        asked = rule.land_m2_least if rule.land != "shared" or rule.building_m2_least is None else None
        self._land_m2 = 0.0 if asked is None else asked
        self._taken: dict[int, list[shapely.Geometry]] = {}

    def still_against(self, against: Bools, takers: NDArray[np.object_], *, metres: float = 0.0) -> Bools:
        """Return whom a check still refuses: not the plots that hold the class on the ground that is left.

        Parameters
        ----------
        against
            bool [n], the places that come too near or lie too far inside.
        takers
            object [m], what takes ground.
        metres
            All around them.
        """
        left = np.array(against, dtype=np.bool_)
        rows = np.flatnonzero(left & self._places.plots)
        if not len(rows) or not len(takers):
            return left
        shapes = self._places.shapes[rows]
        place, taker = shapely.STRtree(takers).query(shapes, predicate="dwithin", distance=metres)
        for number, row in enumerate(rows.tolist()):
            near = takers[taker[place == number]]
            cut = shapely.union_all(shapely.buffer(near, metres, quad_segs=ARC_SEGMENTS) if metres > 0 else near)
            if self._holds(self._places.shapes[row], [cut]):
                left[row] = False
                self._taken.setdefault(row, []).append(cut)
        return left

    def check(self, clause: Clause) -> Check:
        """Return the check of plots of which each thing alone leaves enough, and all together do not."""
        against = np.zeros(len(self._places), dtype=np.bool_)
        across = np.full(len(self._places), np.nan)
        for row, cuts in self._taken.items():
            shape = self._places.shapes[row]
            if len(cuts) > 1 and not self._holds(shape, cuts):
                against[row] = True
                rest = self._rest(shape, cuts)
                across[row] = self._need.across_m * largest_like(rest, self._need.across_m, self._need.deep_m)
        return check_of(self._places, "shape", against, across, self._need.across_m, "m", clause)

    @staticmethod
    def _rest(shape: shapely.Geometry, cuts: Iterable[shapely.Geometry]) -> shapely.Geometry:
        return polygonal(shapely.difference(shape, shapely.union_all(list(cuts))))

    def _holds(self, shape: shapely.Geometry, cuts: Iterable[shapely.Geometry]) -> bool:
        rest = self._rest(shape, cuts)
        fits = bool(fits_rectangle(np.array([rest], dtype=object), self._need.across_m, self._need.deep_m)[0])
        return fits and float(shapely.area(rest)) >= self._land_m2
