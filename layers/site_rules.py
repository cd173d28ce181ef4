"""What a site must be beside its land use and size: shape, access, slope, rings, zones, distances; as data."""

from __future__ import annotations

import difflib
import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..gis.errors import Fault, InputError, MissingFileError
from .candidate_sources import EXISTING_FACILITY, PROJECT_PARCEL
from .config import read_toml, settings_faults
from .contracts import HAZARD_KINDS, LAND_KINDS, POLICIES, PROTECTION_KINDS
from .standards.model import Confidence  # noqa: TC001  pydantic reads the annotations when the module runs

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

Metres = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Side = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]

DEFAULT = "default"
"""Needs of a class that has no entry of its own."""
ENTRIES = ("need", "slope", "policy", "zone", "distance", "ring")
"""Tables whose entries a city's file replaces one by one."""


class _Strict(BaseModel):
    """Frozen, and refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Clause(_Strict):
    """Where a figure is written, and how sure it is.

    Parameters
    ----------
    clause, clause_en
        Edition and number, or that it is an assumption.
    confidence
        A to D, as of `lifecircle.layers.standards.model.Rule`.
    """

    clause: str = ""
    clause_en: str = ""
    confidence: Confidence = "D"


class Need(Clause):
    """What a building of a facility class needs of its plot.

    Parameters
    ----------
    across_m, deep_m
        Sides of the rectangle that must fit into the plot.
    frontage_m
        Metres of the outline that must face a street one may walk on; 0 none.
    delivery
        Whether a street that vans may use must be near.
    """

    across_m: Side
    deep_m: Side
    frontage_m: Metres
    delivery: bool


class SlopeRule(Clause):
    """How steep land may be: mean slope in percent; 0 is not tested."""

    most_percent: Metres


class PolicyRule(Clause):
    """What a ring's policy means for new buildings.

    Parameters
    ----------
    new_floor_most_m2
        Floor area of the largest new building; ``None`` where it is not bound.
    prefers
        Kinds of candidate that go first among equals.
    """

    new_floor_most_m2: Metres | None = None
    prefers: tuple[str, ...] = ()


class ZoneRule(Clause):
    """What lying in a hazard or protection zone means.

    Parameters
    ----------
    effect
        ``refuse``, or ``approval`` where an authority must agree.
    share_most
        Share of the plot that may lie in the zone.
    """

    effect: Literal["refuse", "approval"]
    share_most: Share


class DistanceRule(Clause):
    """How far some classes must be from something.

    Parameters
    ----------
    classes
        Facility classes that must keep away.
    of
        ``facility``, ``use`` (of parcels) or ``street``.
    what
        Facility classes, land-use codes (the beginnings count) or street classes.
    metres
        The least distance; 0 is not tested.
    how
        ``straight``, or ``network``: the walk along the streets to a facility's door.
    """

    classes: tuple[str, ...]
    of: Literal["facility", "use", "street"]
    what: tuple[str, ...]
    metres: Metres
    how: Literal["straight", "network"] = "straight"


class RingRule(Clause):
    """What one ring forbids or prefers: facility classes or kinds of candidate."""

    forbids: tuple[str, ...] = ()
    prefers: tuple[str, ...] = ()


class SiteRules(Clause):
    """All of them.

    Parameters
    ----------
    street_within_m, drive_within_m
        How near the centre line of a street must be for a side to face it, and for vans to reach the plot.
    far_unknown
        Floor-area ratio where none is stated.
    need, slope, policy, zone, distance, ring
        By facility class (two of them), by policy, by layer or kind of zone, by key, by the ring's name.
    """

    street_within_m: Side
    drive_within_m: Side
    far_unknown: Side
    need: dict[str, Need]
    slope: dict[str, SlopeRule]
    policy: dict[str, PolicyRule] = {}
    zone: dict[str, ZoneRule] = {}
    distance: dict[str, DistanceRule] = {}
    ring: dict[str, RingRule] = {}

    def need_of(self, facility_class: str) -> Need:
        """Return what a class needs: its own entry, else the default."""
        return self.need.get(facility_class, self.need[DEFAULT])

    def slope_of(self, facility_class: str) -> SlopeRule:
        """Return how steep the land of a class may be: its own entry, else the default."""
        return self.slope.get(facility_class, self.slope[DEFAULT])

    def name_faults(self, file: str, classes: frozenset[str]) -> list[Fault]:
        """Return a fault for each name that nothing has: facility classes, kinds of land, policies, zones.

        Parameters
        ----------
        file
            Where the names stand.
        classes
            All facility classes.

        Examples
        --------
        >>> from lifecircle.layers.facility_words import vocabulary
        >>> classes = frozenset(vocabulary().classes)
        >>> default_rules().name_faults("own.toml", classes)
        []
        >>> wrong = default_rules().model_copy(update={"ring": {"老城": RingRule(forbids=("food_markt",))}})
        >>> print(*wrong.name_faults("own.toml", classes))
        faults.name_unknown_near (file=own.toml, value=food_markt, setting=ring.老城.forbids, near=food_market)
        """
        zones = {*HAZARD_KINDS, *PROTECTION_KINDS, "hazard", "protection"}
        known = classes | {*LAND_KINDS, PROJECT_PARCEL, EXISTING_FACILITY}
        asked: list[tuple[str, tuple[str, ...], Collection[str]]] = [
            ("need", tuple(self.need), classes | {DEFAULT}),
            ("slope", tuple(self.slope), classes | {DEFAULT}),
            ("policy", tuple(self.policy), POLICIES),
            ("zone", tuple(self.zone), zones),
        ]
        for key, rule in self.distance.items():
            asked.append((f"distance.{key}.classes", rule.classes, classes))
            if rule.of == "facility":
                asked.append((f"distance.{key}.what", rule.what, classes))
        for name, ring in self.ring.items():
            asked += [(f"ring.{name}.forbids", ring.forbids, known), (f"ring.{name}.prefers", ring.prefers, known)]
        asked += [(f"policy.{name}.prefers", rule.prefers, known) for name, rule in self.policy.items()]
        return [
            _unknown(setting, value, names, file)
            for setting, values, names in asked
            for value in values
            if value not in names
        ]

    def zone_of(self, layer: str, kind: str) -> ZoneRule | None:
        """Return what lying in a zone means: the entry of its kind, else of its layer."""
        return self.zone.get(kind) or self.zone.get(layer)


def _unknown(setting: str, value: str, known: Collection[str], file: str) -> Fault:
    """Return the fault for a name that is not known: with the nearest one, where some is near."""
    near = difflib.get_close_matches(value, sorted(known), n=1)
    if near:
        return Fault("faults.name_unknown_near", file, value=value, detail={"setting": setting, "near": near[0]})
    listed = ", ".join(sorted(known))
    return Fault("faults.name_unknown", file, value=value, detail={"setting": setting, "known": listed})


@cache
def default_rules() -> SiteRules:
    """Return the rules that ship with the product.

    Examples
    --------
    >>> rules = default_rules()
    >>> rules.need_of("food_market").delivery, rules.need_of("gym") == rules.need["default"]
    (True, True)
    >>> rules.distance["market_school_gate"].metres
    20.0
    """
    return SiteRules.model_validate(_shipped())


def _shipped() -> dict[str, Any]:
    text = files(__package__).joinpath("standards", "site_rules.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def load_rules(path: Path | None = None) -> SiteRules:
    """Return the site rules: those that ship, with the entries of a city's own file in their place.

    Parameters
    ----------
    path
        A TOML file of the form of ``standards/site_rules.toml``; any part of it may be left out.

    Raises
    ------
    MissingFileError
        When there is no such file.
    InputError
        When it is not TOML, or with one fault for each unknown key and wrong value.

    Examples
    --------
    >>> load_rules() == default_rules()
    True
    """
    if path is None:
        return default_rules()
    if not path.is_file():
        message = f"no such file: {path}"
        raise MissingFileError(message, Fault("faults.file_missing", file=str(path)))
    own = read_toml(path)
    try:
        return SiteRules.model_validate(_merged(_shipped(), own, path.name))
    except ValidationError as error:
        faults = settings_faults(error.errors(include_url=False), own, str(path), model=SiteRules)
        message = f"{path} has {len(faults)} fault(s): {faults[0]}"
        raise InputError(message, *faults) from error


def _merged(shipped: dict[str, Any], own: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the shipped rules with a city's entries; what it changes without a clause is quoted as its own file's."""
    quoted = {"clause": name, "clause_en": name, "confidence": "A"}
    merged: dict[str, Any] = {**shipped, **{key: value for key, value in own.items() if key not in ENTRIES}}
    for table in ENTRIES:
        shipped.setdefault(table, {})
        entries = own.get(table, {})
        if not isinstance(entries, dict):
            merged[table] = entries  # not a table: the check says so
            continue
        before = dict(shipped[table])
        for key, entry in entries.items():
            default = shipped[table].get(DEFAULT, {})
            known = before.get(key, default)
            before[key] = {**known, **quoted, **entry} if isinstance(entry, dict) else entry
        merged[table] = before
    return merged
