"""Every check of candidates for one facility class after the other: sizes, ring, plot, zones, distances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .candidate_checks import (
    REASONS,
    Check,
    check_of,
    in_approval_zone,
    place_checks,
    plot_checks,
    preferred,
    ring_checks,
    zone_checks,
)
from .candidate_ground import GroundLeft
from .candidate_sizes import sized
from .distance_rules import Surroundings, distances_to, things_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from .candidate_places import Ground, Places
    from .distance_rules import Things
    from .facilities import FoundFacilities
    from .standards import Rule


@dataclass(frozen=True, slots=True, eq=False)
class Tried:
    """The checks of one class on all places, and what they found beside refusals.

    Parameters
    ----------
    checks
        In the order of `lifecircle.layers.candidate_checks.REASONS`.
    columns
        ``zoning``, ``floor_fits_m2``, ``floor_relaxed_m2``, ``needs_approval``, ``capacity_fits``, ``preferred``.
    untested
        Name of a check (a reason, or the key of a distance rule) → number of places that it could not be made for.
    """

    checks: tuple[Check, ...]
    columns: pd.DataFrame
    untested: dict[str, int]


class Tester:
    """Tests places for one class after the other; things to keep away from are looked up once.

    Parameters
    ----------
    ground
        Study, streets, rings, rules.
    facilities
        Classed facilities, for distances; ``None`` where nobody looked.
    """

    def __init__(self, ground: Ground, facilities: FoundFacilities | None) -> None:
        self._ground = ground
        self._around = Surroundings(ground.study, ground.network, facilities)
        self._things: dict[tuple[str, tuple[str, ...]], Things | None] = {}

    def tried(self, places: Places, rule: Rule) -> Tried:
        """Return the checks of one class on all places."""
        ground = self._ground
        untested: dict[str, int] = {}
        sizes = sized(places, rule, ground)
        need = ground.rules.need_of(rule.facility_class)
        left = GroundLeft(places, rule, need)
        checks = [
            *place_checks(places, ground),
            *ring_checks(places, rule, ground),
            *sizes.checks,
            *plot_checks(places, rule, ground, untested),
            *zone_checks(places, ground, left, untested),
            *self._distances(places, rule, left, untested),
        ]
        checks.append(left.check(need))
        checks.sort(key=lambda check: REASONS.index(check.reason))
        approval = sizes.columns["needs_approval"].to_numpy(dtype=np.bool_) | in_approval_zone(places, ground)
        columns = sizes.columns.assign(needs_approval=approval, preferred=preferred(places, rule, ground))
        return Tried(tuple(checks), columns, {name: count for name, count in untested.items() if count})

    def _distances(self, places: Places, rule: Rule, left: GroundLeft, untested: dict[str, int]) -> Iterator[Check]:
        """Yield a check for each distance rule of the class; a rule whose things nobody knows is not tested.

        Of straight rules a plot that holds the class farther off is not refused.
        """
        for key, wanted in self._ground.rules.distance.items():
            if rule.facility_class not in wanted.classes or wanted.metres == 0:
                continue
            looked = wanted.of, wanted.what
            if looked not in self._things:
                self._things[looked] = things_of(wanted, self._around)
            things = self._things[looked]
            if things is None:
                untested[key] = len(places)
                continue
            streets, positions = self._ground.network, places.snapped.positions
            found = distances_to(wanted, things, places.shapes, network=streets, positions=positions)
            untested[key] = int(np.isnan(found.metres).sum())
            near = found.metres < wanted.metres
            if wanted.how == "straight":
                near = left.still_against(near, things.shapes, metres=wanted.metres)
            figures = found.metres, wanted.metres, "m", wanted
            yield check_of(places, "distance", near, *figures, what=found.nearest)
