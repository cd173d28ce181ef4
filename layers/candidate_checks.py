"""What a check of candidates says: whom it refuses, what was measured and needed; checks of plot, ring and zones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import shapely

from ..gis.rectangles import fits_rectangle, largest_like
from ..gis.snap import FAR_FROM_STREET
from .candidate_sources import column_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    from .candidate_ground import GroundLeft
    from .candidate_places import Ground, InZone, Places
    from .site_rules import Clause, ZoneRule
    from .standards import Rule

    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]
    Objects: TypeAlias = NDArray[np.object_]

REASONS: tuple[str, ...] = (
    "outside_area",
    "on_hold",
    "tenure",
    "project_kept",
    "project_built",
    "ring_policy",
    "land_use",
    "size_unknown",
    "too_small_building",
    "too_small_land",
    "too_few_places",
    "cannot_extend",
    "shape",
    "frontage",
    "no_street",
    "no_drive",
    "slope",
    "hazard",
    "protection",
    "distance",
)
"""Why a candidate is refused for a class, as ``reason`` lists them; texts are ``values.reason_<name>``."""
BUILT_STAGES = ("build", "done", "return")
"""Stages from which on a project's plan is no longer to be changed."""


@dataclass(frozen=True, slots=True, eq=False)
class Check:
    """One check of all places; a row of each array is a place.

    Parameters
    ----------
    reason
        One of `REASONS`.
    against
        bool [n], the places that it refuses.
    measured, needed
        float64 [n], in ``unit``; NaN where there is no figure.
    unit
        m, m2, percent, places, or empty.
    what
        object [n]: what stands in the way (a zone, a school, a ring, a land use), None where nothing has a name.
    clause, clause_en, confidence
        object [n], where it is written.
    """

    reason: str
    against: Bools
    measured: Floats
    needed: Floats
    unit: str
    what: Objects
    clause: Objects
    clause_en: Objects
    confidence: Objects

    def quoting(self, *, clause: Objects, clause_en: Objects, confidence: Objects) -> Check:
        """Return the check with a clause of its own for each place."""
        return replace(self, clause=clause, clause_en=clause_en, confidence=confidence)


def check_of(
    places: Places,
    reason: str,
    against: NDArray[np.bool_],
    measured: ArrayLike = np.nan,
    needed: ArrayLike = np.nan,
    unit: str = "",
    clause: Clause | None = None,
    *,
    what: Objects | None = None,
) -> Check:
    """Return a check, single figures and the clause spread over all places."""
    count = len(places)
    said = ("", "", "") if clause is None else (clause.clause, clause.clause_en, clause.confidence)
    quoted = [np.full(count, text or None, dtype=object) for text in said]
    return Check(
        reason,
        np.asarray(against, dtype=np.bool_),
        np.broadcast_to(np.asarray(measured, dtype=np.float64), (count,)),
        np.broadcast_to(np.asarray(needed, dtype=np.float64), (count,)),
        unit,
        np.full(count, None, dtype=object) if what is None else np.asarray(what, dtype=object),
        *quoted,
    )


def place_checks(places: Places, ground: Ground) -> Iterator[Check]:
    """Yield the checks that hold whatever the class: area, hold, tenure, stage of a project, street."""
    area = ground.study.area.geometry.union_all()
    shapely.prepare(area)
    away = shapely.distance(area, places.points)
    outside = ~shapely.contains_xy(area, places.xy)
    yield check_of(places, "outside_area", outside, away, 0.0, "m")
    yield check_of(places, "on_hold", column_of(places.table, "on_hold") == np.True_)
    tenure = column_of(places.table, "tenure")
    yield check_of(places, "tenure", np.isin(tenure, list(ground.zoning.refused_tenures)), what=tenure)
    yield check_of(places, "project_kept", column_of(places.table, "way") == "keep")
    stage = column_of(places.table, "stage")
    yield check_of(places, "project_built", np.isin(stage, BUILT_STAGES), what=stage)
    limit = ground.study.settings.study.snap_limit_m
    far = np.asarray(places.snapped.status == FAR_FROM_STREET)
    yield check_of(places, "no_street", far, places.street_m, limit, "m")


def ring_checks(places: Places, rule: Rule, ground: Ground) -> Iterator[Check]:
    """Yield what rings refuse: large new buildings by their policy, classes and kinds that a ring forbids by name."""
    for policy, bound in ground.rules.policy.items():
        if rule.building_m2_least is not None and bound.new_floor_most_m2 is not None:
            large = rule.building_m2_least > bound.new_floor_most_m2
            against = (places.policy == policy) & places.new & large
            figures = rule.building_m2_least, bound.new_floor_most_m2, "m2", bound
            yield check_of(places, "ring_policy", against, *figures, what=places.ring_name)
    kind = column_of(places.table, "kind")
    for name, own in ground.rules.ring.items():
        against = (places.ring_name == name) & (np.isin(kind, own.forbids) | (rule.facility_class in own.forbids))
        yield check_of(places, "ring_policy", against, clause=own, what=places.ring_name)


def preferred(places: Places, rule: Rule, ground: Ground) -> Bools:
    """Return which places their ring prefers, by its policy or by name: they go first among equals."""
    kind = column_of(places.table, "kind")
    found = np.zeros(len(places), dtype=np.bool_)
    for policy, bound in ground.rules.policy.items():
        found |= (places.policy == policy) & np.isin(kind, bound.prefers)
    for name, own in ground.rules.ring.items():
        found |= (places.ring_name == name) & (np.isin(kind, own.prefers) | (rule.facility_class in own.prefers))
    return found


def plot_checks(places: Places, rule: Rule, ground: Ground, untested: dict[str, int]) -> Iterator[Check]:
    """Yield the checks of the plot: shape, frontage, deliveries, slope; what is not known is counted, not refused.

    Shape, frontage and slope are of land to be built on; a building stands as it is.
    """
    need = ground.rules.need_of(rule.facility_class)
    plots = np.flatnonzero(places.plots)
    untested["shape"] = int(places.new.sum()) - len(plots)
    shapes = places.shapes
    narrow = np.zeros(len(places), dtype=np.bool_)
    narrow[plots] = ~fits_rectangle(shapes[plots], need.across_m, need.deep_m)
    across = np.full(len(places), np.nan)
    for row in np.flatnonzero(narrow):
        across[row] = need.across_m * largest_like(shapes[row], need.across_m, need.deep_m)
    yield check_of(places, "shape", narrow, across, need.across_m, "m", need)
    if need.frontage_m > 0:
        untested["frontage"] = int((places.new & np.isnan(places.frontage_m)).sum())
        short = places.frontage_m < need.frontage_m
        yield check_of(places, "frontage", short, places.frontage_m, need.frontage_m, "m", need)
    if need.delivery:
        within = ground.rules.drive_within_m
        yield check_of(places, "no_drive", places.drive_m > within, places.drive_m, within, "m", ground.rules)
    slope = ground.rules.slope_of(rule.facility_class)
    if slope.most_percent > 0:
        untested["slope"] = int(((places.new | places.street) & np.isnan(places.slope_percent)).sum())
        steep = places.slope_percent > slope.most_percent
        yield check_of(places, "slope", steep, places.slope_percent, slope.most_percent, "percent", slope)


def _ruled(places: Places, ground: Ground, effect: str) -> Iterator[tuple[InZone, ZoneRule]]:
    """Yield the zones that have a certain effect, each with its rule."""
    for zone in places.zones:
        bound = ground.rules.zone_of(zone.layer, zone.kind)
        if bound is not None and bound.effect == effect:
            yield zone, bound


def zone_checks(places: Places, ground: Ground, left: GroundLeft, untested: dict[str, int]) -> Iterator[Check]:
    """Yield a check for each kind of hazard or protection zone that refuses; layers not given are not tested.

    A plot that holds the class beside the zone is not refused.
    """
    for layer in ("hazard", "protection"):
        untested[layer] = 0 if layer in places.zone_layers else len(places)
    for zone, bound in _ruled(places, ground, "refuse"):
        figures = 100 * zone.share, 100 * bound.share_most, "percent", bound
        against = left.still_against(zone.share > bound.share_most, zone.shapes)
        yield check_of(places, zone.layer, against, *figures, what=zone.name)


def in_approval_zone(places: Places, ground: Ground) -> Bools:
    """Return which places lie in a zone where an authority must agree."""
    found = np.zeros(len(places), dtype=np.bool_)
    for zone, bound in _ruled(places, ground, "approval"):
        found |= zone.share > bound.share_most
    return found
