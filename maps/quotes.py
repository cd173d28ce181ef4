"""What sheets and documents quote: single figures and names looked up in the findings; nothing is computed here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, cast

import pandas as pd
from pyproj import CRS
from pyproj.exceptions import CRSError

from ..layers.words import LANGUAGES, Language, catalogue, say
from .formats import NOTHING, format_limit, format_number, format_speed
from .style import CIRCLE_OPACITY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..layers.findings import Findings


PEOPLE_ESTIMATED = {"demand.from_floor_area", "demand.compounds_by_ground"}
"""Notes that say that people were worked out from floor area or ground."""
AGES_ESTIMATED = {"demand.ages_assumed"}
"""Notes that say that age groups were worked out from shares."""


@dataclass(frozen=True, slots=True)
class Quote:
    """One row of the table of coverage, read for print.

    Parameters
    ----------
    circle
        Minutes of the living circle that the rule belongs to.
    required
        Whether the standard requires the class there.
    limit, unit
        How far was counted as covered: metres (``m``), or seconds (``s``) for a walker with a speed.
    total, covered, uncovered, unknown
        Counts of the measure.
    rate
        Covered ÷ known; ``None`` where nobody is known.
    buffer_rate
        The same by straight line.
    after_covered, after_rate
        With the proposed sites.
    no_data
        True when the sources hold nothing of this class, so that its numbers say nothing.
    confidence
        How sure the limit is: A to D, empty where nobody says.
    """

    circle: int
    required: bool
    limit: float
    unit: str
    total: int
    covered: int
    uncovered: int
    unknown: int
    rate: float | None
    buffer_rate: float | None
    after_covered: int | None
    after_rate: float | None
    no_data: bool
    confidence: str = ""


def known(value: object) -> float | None:
    """Return a number, or ``None`` where a cell is empty.

    Examples
    --------
    >>> known(3), known(float("nan")), known(None)
    (3.0, None, None)
    """
    return None if value is None or pd.isna(cast("float", value)) else float(cast("float", value))


def text(value: object) -> str:
    """Return a text, empty where a cell is empty.

    Examples
    --------
    >>> text("柳荫里"), text(None), text(float("nan"))
    ('柳荫里', '', '')
    """
    return "" if value is None or pd.isna(cast("float", value)) else str(value)


def quote_of(row: Mapping[str, Any]) -> Quote:
    """Return a row of the table of coverage as a quote."""
    after = known(row["after_covered"])
    return Quote(
        circle=int(row["circle"]),
        required=bool(row["required"]),
        limit=float(row["limit"]),
        unit=str(row["unit"]),
        total=int(row["total"]),
        covered=int(row["covered"]),
        uncovered=int(row["uncovered"]),
        unknown=int(row["unknown"]),
        rate=known(row["rate"]),
        buffer_rate=known(row["buffer_rate"]),
        after_covered=None if after is None else int(after),
        after_rate=known(row["after_rate"]),
        no_data=row["status"] == "no_data",
        confidence=text(row.get("confidence")),
    )


class Coverage:
    """The table of coverage, quick to look a figure up in.

    A class that is required in two living circles has a rule, and so a row, for each; where no circle is named, the
    figure of the class's own circle in the manifest is meant.

    Parameters
    ----------
    findings
        Whose table ``coverage`` is read.
    """

    def __init__(self, findings: Findings) -> None:
        rows = findings.tables["coverage"].to_dict("records")
        self._rows: dict[tuple[str, int, str, str, str], dict[str, Any]] = {
            (
                str(row["facility_class"]),
                int(row["circle"]),
                str(row["group_kind"]),
                text(row["group_id"]),
                str(row["measure"]),
            ): cast("dict[str, Any]", row)
            for row in rows
        }
        self._city = {
            (key, circle, measure): row for (key, circle, kind, _, measure), row in self._rows.items() if kind == "city"
        }
        self._circles: dict[str, tuple[int, ...]] = {}
        for key, circle, *_ in self._rows:
            self._circles[key] = tuple(sorted({*self._circles.get(key, ()), circle}))
        classes = findings.manifest.get("classes", {})
        self._own = {key: self._own_circle(key, classes.get(key, {}).get("circle")) for key in self._circles}
        self._headline = {
            key: self._headline_of(key, str(rule.get("group", "people"))) for key, rule in classes.items()
        }

    def _own_circle(self, key: str, named: object) -> int:
        circles = self._circles[key]
        return next((circle for circle in circles if circle == named), circles[0])

    def _headline_of(self, key: str, group: str) -> str:
        rows = (self._city.get((key, circle, group)) for circle in self._circles.get(key, ()))
        return group if any(row is not None and row["total"] > 0 for row in rows) else "people"

    def headline(self, facility_class: str) -> str:
        """Return the group whose figures stand for a class wherever one figure is shown.

        It is the group that the class is for (elders for day care), or all people where nobody knows that group.
        """
        return self._headline.get(facility_class, "people")

    def circles(self, facility_class: str) -> tuple[int, ...]:
        """Return the living circles (minutes) that coverage of a class was counted in, the smallest first."""
        return self._circles.get(facility_class, ())

    def city(self, facility_class: str, measure: str | None = None, *, circle: int | None = None) -> Quote | None:
        """Return what the whole study area has, of the headline group or another; ``None`` where it was not counted."""
        of = measure or self.headline(facility_class)
        row = self._city.get((facility_class, self._of(facility_class, circle), of))
        return None if row is None else quote_of(row)

    def each(self, facility_class: str, measure: str | None = None) -> list[Quote]:
        """Return what the whole study area has of a class, in each of its living circles."""
        quotes = (self.city(facility_class, measure, circle=circle) for circle in self.circles(facility_class))
        return [quote for quote in quotes if quote is not None]

    def group(
        self, facility_class: str, kind: str, group_id: str, measure: str | None = None, *, circle: int | None = None
    ) -> Quote | None:
        """Return what one ring, sub-district … has, of the headline group or another; ``None`` where not counted."""
        of = measure or self.headline(facility_class)
        row = self._rows.get((facility_class, self._of(facility_class, circle), kind, group_id, of))
        return None if row is None else quote_of(row)

    def _of(self, facility_class: str, circle: int | None) -> int:
        return self._own.get(facility_class, -1) if circle is None else circle

    def groups(self, kind: str) -> list[tuple[str, str]]:
        """Return ids and names of the groups of a kind, in the order of the table."""
        found = {group: text(row["group_name"]) for (_, _, of, group, _), row in self._rows.items() if of == kind}
        return list(found.items())


def records(frame: pd.DataFrame) -> Iterator[Any]:
    """Give the rows of a frame with their cells as attributes, of whatever type they are."""
    return iter(frame.itertuples())


def language_of(findings: Findings, language: Language | None) -> Language:
    """Return the language asked for, or else the study's.

    Examples
    --------
    >>> from lifecircle.layers.findings import Findings
    >>> language_of(Findings({}, {}, {"study": {"language": "zh"}}), None)
    'zh'
    """
    chosen = language or str(findings.manifest["study"].get("language", "zh"))
    return next((known_one for known_one in LANGUAGES if known_one == chosen), "zh")


def class_name(findings: Findings, facility_class: str, language: Language, *, short: bool = False) -> str:
    """Return the name of a facility class, a short one where asked for; its key where the standard gives none."""
    counted = findings.manifest.get("class_names", {})
    rule = findings.manifest["classes"].get(facility_class) or counted.get(facility_class, {})
    brief = text(rule.get(f"short_{language}")) if short else ""
    return brief or str(rule.get(language) or rule.get("en") or rule.get("zh") or facility_class)


def counted_classes(findings: Findings, facility_class: str) -> tuple[str, ...]:
    """Return the classes of the facilities that count for a rule: its own, where the standard names no others."""
    rule = findings.manifest["classes"].get(facility_class, {})
    return tuple(rule.get("met_by") or (facility_class,))


def provision_name(findings: Findings, key: object, language: Language) -> str:
    """Return what a figure of provision is of: a facility class, or all facilities of a living circle.

    Examples
    --------
    >>> from lifecircle.layers.findings import Findings
    >>> provision_name(Findings({}, {}, {"classes": {}}), "circle_15", "zh")
    '15分钟生活圈配套合计'
    """
    minutes = text(key).removeprefix("circle_")
    if minutes == text(key):
        return class_name(findings, text(key), language)
    own = f"report.circle_total_{minutes}"
    return say(own if own in catalogue() else "report.circle_total", language, minutes=minutes)


def titled(name: str, circle: int, circles: Sequence[int], language: Language) -> str:
    """Return the name of a class, with its living circle where the class is required in several.

    Examples
    --------
    >>> titled("幼儿园", 5, (5,), "zh"), titled("幼儿园", 5, (5, 10), "zh")
    ('幼儿园', '幼儿园（5 分钟圈）')
    """
    return name if len(circles) < 2 else say("map.class_of_circle", language, name=name, minutes=circle)


def served(measure: str, language: Language) -> str:
    """Return the name of the group that a figure is of, short enough for brackets.

    Examples
    --------
    >>> served("elders_60", "zh"), served("people", "en")
    ('60 岁及以上', 'residents')
    """
    return label("served", measure, language)


def headed(name: str, circle: int, circles: Sequence[int], measure: str, language: Language) -> str:
    """Return the name of a class as it stands before a figure: with the group, and its circle where it has several.

    Examples
    --------
    >>> headed("日间照料中心", 5, (5,), "elders_60", "zh"), headed("幼儿园", 5, (5, 10), "children_3_6", "zh")
    ('日间照料中心（60 岁及以上）', '幼儿园（5 分钟圈，3–6 岁）')
    """
    group = served(measure, language)
    if len(circles) < 2:
        return say("map.class_for", language, name=name, group=group)
    return say("map.class_of_circle_for", language, name=name, group=group, minutes=circle)


def required_classes(findings: Findings) -> list[str]:
    """Return the classes that the standard requires in any circle, with data or without, in its order."""
    table = findings.tables["facilities_by_class"]
    required = set(table.loc[table["required"].astype(bool), "facility_class"])
    return [key for key, rule in findings.manifest["classes"].items() if key in required or rule["required"]]


def classes_in_state(findings: Findings, state: str) -> list[str]:
    """Return the classes of which the sources hold nothing (``no_data``) or doubtfully few (``few``)."""
    table = findings.tables["facilities_by_class"]
    found = set(table.loc[table["status"] == state, "facility_class"])
    return [key for key in findings.manifest["classes"] if key in found]


def existing_label(findings: Findings, facility_class: str, language: Language) -> str:
    """Return how many facilities of a class stand in the study area, and how many beyond its edge also count."""
    table = findings.tables["facilities_by_class"]
    own = table[table["facility_class"] == facility_class]
    if own.empty:
        return NOTHING
    count = format_number(int(own["existing"].iloc[0]), "count", language)
    outside = int(own["outside"].iloc[0])
    if not outside:
        return count
    return say("map.existing_outside", language, count=count, outside=format_number(outside, "count", language))


def units_name(findings: Findings, language: Language) -> str:
    """Return how the areas are called that stand for neighbourhoods."""
    return say("report.units_cell" if has_cells(findings) else "report.units_compound", language)


def file_name(path: object) -> str:
    r"""Return the last part of a path: where a file lies on the maker's disk is nobody's business.

    Examples
    --------
    >>> file_name("/data/city/zones.shp"), file_name(r"D:\\data\\zones.shp"), file_name(None)
    ('zones.shp', 'zones.shp', '')
    """
    return PurePath(text(path).replace("\\", "/")).name


def nature_of_data(findings: Findings) -> str:
    """Return what the figures rest on: ``made_up``, ``estimated`` (people), ``estimated_ages`` or ``real``."""
    if findings.manifest["study"].get("made_up"):
        return "made_up"
    codes = {str(note["code"]) for note in findings.manifest["notes"]}
    if codes & PEOPLE_ESTIMATED:
        return "estimated"
    return "estimated_ages" if codes & AGES_ESTIMATED else "real"


def in_metres(findings: Findings) -> bool:
    """Return whether walks are counted in metres, as the standards are written, and not in time."""
    return bool(findings.manifest["study"].get("walker_unit", "m") == "m")


def walker_name(findings: Findings, language: Language) -> str:
    """Return who walks; the user's own word for a walker of their own."""
    name = text(findings.manifest["study"].get("walker"))
    key = f"report.walker_{name}"
    own = name == "standard" and not in_metres(findings)
    return say(key, language) if key in catalogue() and not own else name


def walker_called(findings: Findings, name: str, language: Language) -> str:
    """Return the name of any walker of the findings: the study's own, or one it is compared with."""
    if name == text(findings.manifest["study"].get("walker")):
        return walker_name(findings, language)
    key = f"report.walker_{name}"
    return say(key, language) if key in catalogue() else name


def walker_label(findings: Findings, language: Language) -> str:
    """Return who walks and how fast.

    Examples
    --------
    >>> from lifecircle.layers.findings import Findings
    >>> study = {"walker": "elderly", "walker_speed_mps": 0.8, "walker_unit": "s"}
    >>> walker_label(Findings({}, {}, {"study": study}), "zh"), walker_label(Findings({}, {}, {"study": study}), "en")
    ('老年人 0.8 m/s', 'elderly, 0.8 m/s')
    """
    speed = known(findings.manifest["study"].get("walker_speed_mps"))
    name = walker_name(findings, language)
    return name if speed is None else say("map.walker", language, name=name, speed=format_speed(speed, language))


def circle_label(findings: Findings, minutes: int, limit: float, unit: str, language: Language) -> str:
    """Return what a service circle shows: its minutes, with the metres walked, or with who walks them.

    Examples
    --------
    >>> from lifecircle.layers.findings import Findings
    >>> elderly = Findings({}, {}, {"study": {"walker": "elderly", "walker_speed_mps": 0.8, "walker_unit": "s"}})
    >>> circle_label(elderly, 5, 300.0, "s", "zh"), circle_label(elderly, 5, 300.0, "m", "zh")
    ('5 分钟步行（老年人，0.8 m/s）', '5 分钟步行（300 米）')
    """
    speed = known(findings.manifest["study"].get("walker_speed_mps"))
    if unit == "m" or speed is None:
        if minutes not in CIRCLE_OPACITY:
            return say("map.circle_own", language, limit=format_limit(limit, unit, language))
        return say("map.circle", language, minutes=minutes, limit=format_limit(limit, unit, language))
    name = walker_name(findings, language)
    return say("map.circle_walker", language, minutes=minutes, name=name, speed=format_speed(speed, language))


def has_rings(findings: Findings) -> bool:
    """Return whether the study is divided: one ring around everything is no division."""
    return len(findings.layers["rings"]) > 1


def has_cells(findings: Findings) -> bool:
    """Return whether cells of a grid stand for neighbourhoods."""
    return bool((findings.layers["compounds"]["kind"] == "cell").any())


def sited_classes(findings: Findings) -> list[str]:
    """Return the classes for which sites were looked for, in the order of the standard."""
    looked = set(findings.tables["siting"]["facility_class"])
    return [key for key in findings.manifest["classes"] if key in looked]


def measured(findings: Findings, measure: str) -> bool:
    """Return whether the findings know of anybody of a measure (elders, households …)."""
    table = findings.tables["coverage"]
    return bool((table.loc[(table["measure"] == measure) & (table["group_kind"] == "city"), "total"] > 0).any())


def label(kind: str, value: object, language: Language) -> str:
    """Return the name of a coded value, for example of a project's kind; the code itself where the catalogue has none.

    Examples
    --------
    >>> label("kind", "urban_village", "zh"), label("kind", "海绵城市", "zh")
    ('城中村改造', '海绵城市')
    """
    key = f"values.{kind}_{text(value)}"
    if not text(value):
        return say("report.not_stated", language)
    return say(key, language) if key in catalogue() else text(value)


def crs_label(named: object, language: Language) -> str:
    """Return a CRS as a planner says it: its datum, and the code in brackets; any other text as it stands.

    Examples
    --------
    >>> crs_label("EPSG:4548", "zh"), crs_label("epsg:4326", "en"), crs_label("gcj02", "zh"), crs_label("Plan 92", "en")
    ('CGCS2000（EPSG:4548）', 'WGS 84 (EPSG:4326)', 'GCJ-02（火星坐标）', 'Plan 92')
    """
    code = text(named).upper()
    datum = f"values.datum_{code.lower()}"
    if datum in catalogue():
        return say(datum, language)
    if not code.startswith("EPSG:"):
        return text(named)
    try:
        name = CRS.from_user_input(code).name
    except CRSError:
        return code
    datum = name.split(" / ")[0].replace("China Geodetic Coordinate System 2000", "CGCS2000")
    return f"{datum}（{code}）" if language == "zh" else f"{datum} ({code})"
