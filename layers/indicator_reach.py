"""Who is within the limit of a rule that an indicator counts: by the walks already searched, a search, or a radius."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import pandas as pd
import shapely

from ..gis.coverage import within
from ..gis.reach import nearest
from .columns import floats
from .facility_counts import counted_now
from .sizes import sizes_of
from .walks import some

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from ..gis.snap import Positions
    from .facilities import FoundFacilities
    from .residents import Residents, Walks
    from .standards import Rule
    from .walks import Walk

    Bools: TypeAlias = NDArray[np.bool_]
    Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reached:
    """Who is within the limit of one rule.

    Parameters
    ----------
    hit, known
        bool [n] by row of the residents; where it is not known ``hit`` says nothing.
    has_data
        Whether the source holds anything of the rule's classes.
    limit, unit
        What was measured by: the walker's unit, metres of a radius.
    facilities
        Rows of the facilities that count, int64.
    """

    hit: Bools
    known: Bools
    has_data: bool
    limit: float
    unit: Literal["m", "s"]
    facilities: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Places:
    """Facilities that indicators count.

    Parameters
    ----------
    frame
        ``facility_class``, ``status``, sizes; a row each.
    positions
        Where they stand on the network.
    shapes
        As they were drawn, object [n].
    with_data
        Classes that the source holds at all.
    """

    frame: pd.DataFrame
    positions: Positions
    shapes: NDArray[np.object_]
    with_data: frozenset[str]


def places_of(walk: Walk, found: FoundFacilities, positions: Positions) -> Places:
    """Return the facilities of a study's rules, which stand at ``positions``, and those kept beside them."""
    frame, shapes, with_data = found.frame, found.shapes, found.with_data
    if found.beside is not None and len(found.beside.frame):
        others = found.beside
        frame = pd.concat([frame, others.frame], ignore_index=True)
        shapes, with_data = np.concatenate([shapes, others.shapes]), with_data | others.with_data
        positions = positions.plus(walk.place_doors(others.doors, others.door_owner, len(others.frame)).positions)
    return Places(frame, positions, shapes, with_data)


@dataclass(frozen=True, slots=True)
class Reaches:
    """Says for each rule who is within its limit; what was found once is not searched again.

    Parameters
    ----------
    walk, residents, demand
        Who walks from where.
    places
        What is walked to.
    rules, walks
        The study's own rules, and their walks by facility class.
    """

    walk: Walk
    residents: Residents
    demand: Positions
    places: Places
    rules: Iterable[Rule]
    walks: Mapping[str, Walks]
    _found: dict[tuple[Rule, bool], Reached] = field(default_factory=dict)
    _costs: dict[tuple[bytes, float], Floats] = field(default_factory=dict)

    def of(self, rule: Rule, *, sized: bool = False) -> Reached:
        """Return who is within the limit of a rule.

        A rule whose walk is measured is walked, as coverage is. Of any other its metres are a radius from the
        facility's ground; where it is graded by area, those count whose land is in its range, and who is near only such
        as state none is not known.

        Parameters
        ----------
        rule
            With a limit.
        sized
            Whether facilities that are known to be too small for the rule do not count.
        """
        key = rule, sized
        if key not in self._found:
            self._found[key] = self._walked(rule, sized=sized) if rule.measured else self._near(rule)
        return self._found[key]

    def _walked(self, rule: Rule, *, sized: bool) -> Reached:
        """Return who walks to a facility within the limit."""
        limit, unit = self.walk.limit(rule), self.walk.walker.unit
        rows = self._rows(rule)
        sizes = sizes_of(rule, self.places.frame) if sized else None
        large = rows if sizes is None else rows & ~sizes.small
        if self.places.with_data.isdisjoint(rule.classes):
            return self._nothing(limit, unit)
        searched = self._searched(rule) if bool((large == rows).all()) else None
        cost = self._cost(large, limit) if searched is None else searched
        return Reached(within(cost, limit), self.residents.known, True, limit, unit, np.flatnonzero(large))

    def _rows(self, rule: Rule) -> Bools:
        """Return the facilities that count for a rule."""
        frame = self.places.frame
        return np.asarray(counted_now(frame) & frame["facility_class"].isin(rule.classes).to_numpy(), dtype=np.bool_)

    def _nothing(self, limit: float, unit: Literal["m", "s"]) -> Reached:
        """Return that nothing is known of anybody."""
        nobody = np.zeros(len(self.residents), dtype=np.bool_)
        return Reached(nobody, nobody, False, limit, unit, np.zeros(0, dtype=np.int64))

    def _searched(self, rule: Rule) -> Floats | None:
        """Return the walk to the nearest of a rule's classes from the study's own; ``None`` where they lack."""
        own = {frozenset(one.classes): self.walks[one.facility_class] for one in self.rules}
        sets = [frozenset(rule.classes)]
        if sets[0] not in own:
            sets = [frozenset((name,)) for name in rule.classes]
        if any(one not in own for one in sets):
            return None
        return np.asarray(np.min([own[one].cost for one in sets], axis=0), dtype=np.float64)

    def _cost(self, rows: Bools, limit: float) -> Floats:
        """Return the walk to the nearest of some facilities, as far as a limit."""
        key = rows.tobytes(), limit
        if key not in self._costs:
            sites = some(self.places.positions, rows)
            walk = self.walk
            found = nearest(walk.network, sites=sites, demand=self.demand, limit=limit, walker=walk.walker)
            self._costs[key] = found.cost
        return self._costs[key]

    def _near(self, rule: Rule) -> Reached:
        """Return who is within a radius of the ground of a facility in the rule's range of land."""
        limit = float(rule.limit_m or 0.0)
        if self.places.with_data.isdisjoint(rule.classes):
            return self._nothing(limit, "m")
        rows = self._rows(rule)
        land = floats(self.places.frame, "land_area_m2")
        silent = np.isnan(land)
        graded = rule.land_m2_least is not None or rule.land_m2_most is not None
        inside = (land >= (rule.land_m2_least or 0.0)) & (land <= (rule.land_m2_most or np.inf))
        by_name = (self.places.frame["facility_class"] == rule.facility_class).to_numpy()  # the class itself says it
        sure = rows & (inside | (silent & by_name)) if graded else rows
        open_ = rows & silent & ~by_name if graded else np.zeros(len(rows), dtype=np.bool_)
        hit = self._within(sure, limit)
        return Reached(hit, hit | ~self._within(open_, limit), True, limit, "m", np.flatnonzero(sure | open_))

    def _within(self, rows: Bools, limit_m: float) -> Bools:
        """Return who is within a radius of the ground of some facilities."""
        near = np.zeros(len(self.residents), dtype=np.bool_)
        if rows.any():
            points = shapely.points(self.residents.xy)
            tree = shapely.STRtree(self.places.shapes[rows])
            near[tree.query_nearest(points, max_distance=limit_m, all_matches=False)[0]] = True
        return near


__all__ = ["Places", "Reached", "Reaches", "places_of"]
