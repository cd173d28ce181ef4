"""What a planning standard is made of: rules, figures, living circles, indicators."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias

Circle: TypeAlias = Literal[0, 5, 10, 15]
"""Minutes of walking; 0 is the residential block (居住街坊), whose facilities are at the door."""
Group: TypeAlias = Literal["people", "elders_60", "children_0_3", "children_3_6", "children_6_12", "households"]
Confidence: TypeAlias = Literal["A", "B", "C", "D"]
Land: TypeAlias = Literal["own_required", "own_preferred", "shared"]
Metric: TypeAlias = Literal[
    "building_m2", "land_m2", "green_m2", "places", "count", "car_stalls", "bike_stalls", "width_m"
]
"""What a figure counts: floor area, land, public green, places (beds, seats, stalls: what ``capacity`` holds),
facilities, parking, the least width of a piece of land."""
Per: TypeAlias = Literal[
    "person",
    "1000_people",
    "100_households",
    "1000_elders_60",
    "100_elders_60",
    "1000_children_0_3",
    "1000_children_3_6",
    "facility",
    "place",
    "100_building_m2",
]
"""What a figure is counted against; ``facility`` and ``place`` are those of the class itself."""
Measure: TypeAlias = Literal["people", "residential_m2", "compounds", "places", "count"]
"""What an indicator is a share or a number of."""

MINUTES_M: tuple[tuple[float, float], ...] = ((0.0, 0.0), (5.0, 300.0), (10.0, 500.0), (15.0, 1000.0))
"""Minutes and the walk they stand for, GB 50180-2018 2.0.2 to 2.0.4 (the upper end of 800-1000 m)."""


def metres_of_minutes(minutes: float) -> float:
    """Return the walk that minutes stand for where a standard states no metres.

    GB 50180-2018 equates 5 minutes with 300 m, 10 with 500 m and 15 with 800-1000 m. Between these the walk is
    interpolated along a line, beyond 15 minutes it goes on at 1000 m a quarter of an hour.

    Examples
    --------
    >>> [metres_of_minutes(minutes) for minutes in (5, 8, 10, 15, 30)]
    [300.0, 420.0, 500.0, 1000.0, 2000.0]
    """
    for (before, near), (after, far) in pairwise(MINUTES_M):
        if minutes <= after:
            return near + (far - near) * (minutes - before) / (after - before)
    last, metres = MINUTES_M[-1]
    return metres * minutes / last


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that a standard asks for: so much of something for so many of something else.

    Parameters
    ----------
    metric, per
        What is counted, and against what: 1050 ``building_m2`` for ``1000_people``.
    least, most
        The range allowed; ``None`` where it is open.
    clause, clause_en
        Where it stands, edition included.
    confidence
        A to D, as for `Rule`.
    better
        A higher value that the standard recommends beyond the least; ``None`` where there is none.
    category
        Of a circle's figure: ``total``, or the part that it is of (``public``, ``commercial``, ``transport``,
        ``community``, ``green``, ``park``). Categories add up to the total.
    classes
        Facility classes whose provision is added up before it is compared; the rule's own where empty.
    source
        Where the value was read; empty where it is recalled.
    note_zh, note_en
        What a planner must know beside it.
    """

    metric: Metric
    per: Per
    least: float | None
    most: float | None
    clause: str
    clause_en: str
    confidence: Confidence
    better: float | None = None
    category: str = ""
    classes: tuple[str, ...] = ()
    source: str = ""
    note_zh: str = ""
    note_en: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a standard asks of one facility class.

    Parameters
    ----------
    facility_class
        The product's class, for example ``"elderly_day_care"``.
    zh, en, short_zh, short_en
        Names as the standard has them, and short ones for maps.
    circle
        The living circle it belongs to, in minutes of walking; 0 is the residential block. Circles are not nested.
    limit_m
        Longest walk along the streets in metres; ``None`` where the standard states none.
    required
        Whether the standard requires it (▲) or leaves it to need (△).
    group
        Whom it serves.
    clause, clause_en
        Where the limit stands, edition included.
    confidence
        Of the limit (of the requirement where there is no limit): A read in a stored copy, B about 90 % sure, C 60-85 %
        sure, D assumption.
    building_m2_least, building_m2_most, land_m2_least, land_m2_most
        Floor area and land of one facility; ``None`` where not stated.
    confidence_areas
        Of the areas.
    land
        Whether it must or should stand on land of its own, or may share a building.
    served_people_least, served_people_most
        People one facility is for.
    sited
        Whether new sites are looked for when the study does not say.
    note_zh, note_en
        What a planner must know beside the figures; empty where there is nothing.
    limit_minutes
        Longest walk in minutes where the standard states minutes; ``None`` where it states metres or nothing.
    measured
        False where a stated radius is not a walk of residents (waste carts, the block at the door): it is listed, and
        nobody's walk is measured against it.
    also_circles, optional_circles
        Other circles in which the standard requires the same class, or leaves it to need, within the same limit.
    met_by
        Facility classes that count for the rule; its own class where empty. So a class can be asked for in two circles
        with two limits, under two keys.
    figures
        What it asks for per head and per facility.
    source
        Where the limit was read; empty where it is recalled.
    """

    facility_class: str
    zh: str
    en: str
    short_zh: str
    short_en: str
    circle: Circle
    limit_m: float | None
    required: bool
    group: Group
    clause: str
    clause_en: str
    confidence: Confidence
    building_m2_least: float | None = None
    building_m2_most: float | None = None
    land_m2_least: float | None = None
    land_m2_most: float | None = None
    confidence_areas: Confidence | None = None
    land: Land = "shared"
    served_people_least: float | None = None
    served_people_most: float | None = None
    sited: bool = False
    note_zh: str = ""
    note_en: str = ""
    limit_minutes: float | None = None
    measured: bool = True
    also_circles: tuple[Circle, ...] = ()
    optional_circles: tuple[Circle, ...] = ()
    met_by: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    source: str = ""

    @property
    def classes(self) -> tuple[str, ...]:
        """Facility classes that count for the rule: those of ``met_by``, else its own."""
        return self.met_by or (self.facility_class,)

    @property
    def walk_m(self) -> float | None:
        """Metres that a walker without a speed, and a straight line, are measured by; ``None`` where none is measured.

        The stated metres, else those that the stated minutes stand for (`metres_of_minutes`).
        """
        if not self.measured:
            return None
        if self.limit_m is None and self.limit_minutes is not None:
            return metres_of_minutes(self.limit_minutes)
        return self.limit_m

    @property
    def walk_minutes(self) -> float:
        """Minutes that a walker with a speed is measured by: the stated ones, else those of the circle."""
        return self.circle if self.limit_minutes is None else self.limit_minutes

    @property
    def confidences(self) -> tuple[Confidence, ...]:
        """Every confidence that stands in the rule: of the limit, of the areas where there are any, of the figures."""
        areas = () if self.confidence_areas is None else (self.confidence_areas,)
        return (self.confidence, *areas, *(figure.confidence for figure in self.figures))


@dataclass(frozen=True, slots=True)
class LivingCircle:
    """What a standard says of a living circle itself.

    Parameters
    ----------
    minutes
        5, 10, 15, or 0 for the residential block.
    zh, en
        Its names.
    walk_m_least, walk_m_most, confidence_walk
        The walk it stands for; ``None`` for the block.
    people_least, people_most, dwellings_least, dwellings_most
        How large it is.
    land_ha_least, land_ha_most, confidence_land
        Its land.
    bounded_by_zh, bounded_by_en
        The streets that bound it.
    clause, clause_en, confidence
        Of people and dwellings, and where the circle is defined.
    figures
        What it needs in all and by category. Circles are not nested: add those that apply.
    source
        Where it was read; empty where it is recalled.
    """

    minutes: Circle
    zh: str
    en: str
    walk_m_least: float | None
    walk_m_most: float | None
    confidence_walk: Confidence | None
    people_least: float | None
    people_most: float | None
    dwellings_least: float | None
    dwellings_most: float | None
    land_ha_least: float | None
    land_ha_most: float | None
    confidence_land: Confidence | None
    bounded_by_zh: str
    bounded_by_en: str
    clause: str
    clause_en: str
    confidence: Confidence
    figures: tuple[Figure, ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True)
class Indicator:
    """A share or a number that a standard reports, with its formula and, where it has one, its target.

    Parameters
    ----------
    key, zh, en
        What it is called.
    measure
        What is counted: ``residential_m2`` residential land, ``compounds`` neighbourhoods, ``people``, ``places``,
        ``count`` (a number, not a share).
    rules
        Keys of the rules of the same standard whose reach it counts, that of any; empty where it is not of walks.
    formula_zh, formula_en
        How it is computed.
    clause, clause_en, confidence
        Where it stands, and how sure its definition is.
    target
        Share from 0 to 1 to reach at least; ``None`` where none is stated.
    source
        Where it was read; empty where it is recalled.
    meets
        Key of a standard that ships, every required rule of which a neighbourhood must meet to be counted.
    meets_rules
        Those of its rules that must be met, where not all required ones are.
    """

    key: str
    zh: str
    en: str
    measure: Measure
    rules: tuple[str, ...]
    formula_zh: str
    formula_en: str
    clause: str
    clause_en: str
    confidence: Confidence
    target: float | None = None
    source: str = ""
    meets: str = ""
    meets_rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Standard:
    """A planning standard: its names, edition and rules.

    Parameters
    ----------
    key, zh, en, edition
        What it is called.
    rules
        The rules that a walk is measured against, in the order of the file; each has a limit in metres or minutes.
    unmeasured
        The rules without one: required or wished for, but near enough is not defined, or is no walk of residents.
    extends
        Keys of the standards it builds on, nearest first.
    circles
        What it says of the living circles themselves, from wide to narrow.
    indicators
        The shares and numbers it reports.
    source_zh, source_en
        Where its values come from, in a sentence.
    """

    key: str
    zh: str
    en: str
    edition: str
    rules: tuple[Rule, ...]
    unmeasured: tuple[Rule, ...] = ()
    extends: tuple[str, ...] = ()
    circles: tuple[LivingCircle, ...] = ()
    indicators: tuple[Indicator, ...] = ()
    source_zh: str = ""
    source_en: str = ""

    def rule(self, facility_class: str) -> Rule:
        """Return the rule of a facility class, measured or not; `KeyError` when the standard has none.

        Examples
        --------
        >>> from lifecircle.layers.standards import load_standard
        >>> load_standard("gb50180-2018").rule("elderly_day_care").limit_m
        300.0
        """
        for rule in self.all_rules:
            if rule.facility_class == facility_class:
                return rule
        raise KeyError(facility_class)

    @property
    def all_rules(self) -> tuple[Rule, ...]:
        """The measured rules, then the others."""
        return (*self.rules, *self.unmeasured)

    @property
    def classes(self) -> tuple[str, ...]:
        """Facility classes of the measured rules, in their order."""
        return tuple(rule.facility_class for rule in self.rules)

    @property
    def counted(self) -> tuple[str, ...]:
        """Facility classes that count for some measured rule, in the order of the rules."""
        return tuple(dict.fromkeys(key for rule in self.rules for key in rule.classes))

    def __repr__(self) -> str:
        """Say what it is in a sentence."""
        return f"<Standard {self.key}: {len(self.rules)} rules with a walk, {len(self.unmeasured)} without>"
