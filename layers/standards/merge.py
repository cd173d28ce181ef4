"""Inheritance of standards: what a file changes of the one it extends, by key."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from ...gis.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .tables import CircleTable, Head, IndicatorTable, RuleTable, StandardFile

_Table: TypeAlias = dict[str, Any]

LIMITS = frozenset({"limit_m", "limit_minutes"})
AREAS = frozenset({"building_m2", "land_m2"})
ORDERS = frozenset({"unset", "drop_figures", "figure"})
"""Keys that say how a table changes, or are merged by a key of their own."""


@dataclass(frozen=True, slots=True)
class Tables:
    """Rules, circles and indicators by key, as plain tables."""

    rules: Mapping[str, _Table] = field(default_factory=dict)
    circles: Mapping[str, _Table] = field(default_factory=dict)
    indicators: Mapping[str, _Table] = field(default_factory=dict)


def merge(inherited: Tables, file: StandardFile, name: str) -> tuple[Tables, list[Fault]]:
    """Return what a file makes of the tables it inherits, and what is wrong with it.

    ``keep`` and ``drop`` act first, then each table of the file changes the inherited one of the same key. A changed
    limit replaces both metres and minutes, and takes clause, source, note and confidence with it (D where it names
    none). A figure replaces the inherited one of the same metric, ``per`` and category.

    Parameters
    ----------
    inherited
        Of the standard that the file extends; empty where it extends none.
    file, name
        The file, and what to call it in faults.
    """
    head = file.standard
    faults: list[Fault] = []
    rules, circles, indicators = _left(inherited, head, name, faults)
    for key, rule in file.rule.items():
        rules[key] = _changed_rule(rules.get(key, {}), rule, head, _Where(name, key, faults))
    for number, circle in file.circle.items():
        where = _Where(name, f"circle.{number}", faults)
        circles[number] = _changed_circle(circles.get(number, {}), circle, head, where)
    for key, indicator in file.indicator.items():
        indicators[key] = _changed_indicator(indicators.get(key, {}), indicator, head)
    return Tables(rules, circles, indicators), faults


@dataclass(frozen=True, slots=True)
class _Where:
    """Where in a file something stands, and where its faults go."""

    file: str
    row: str
    faults: list[Fault]

    def unknown(self, code: str, column: str, values: Iterable[str]) -> None:
        """Note a fault for each value."""
        found = (Fault(code, file=self.file, row=self.row, column=column, value=value) for value in values)
        self.faults.extend(found)


def _left(
    inherited: Tables, head: Head, name: str, faults: list[Fault]
) -> tuple[dict[str, _Table], dict[str, _Table], dict[str, _Table]]:
    """Return the inherited tables that ``keep`` and ``drop`` leave; an indicator goes with any rule that it counts."""
    known = {
        *inherited.rules,
        *(f"circle.{key}" for key in inherited.circles),
        *(f"indicator.{key}" for key in inherited.indicators),
    }
    for column, asked, possible in (("keep", head.keep or [], set(inherited.rules)), ("drop", head.drop, known)):
        faults += [
            Fault("standards.unknown_drop", file=name, column=f"standard.{column}", value=key)
            for key in asked
            if key not in possible
        ]
    kept = set(inherited.rules if head.keep is None else head.keep) - set(head.drop)
    rules = {key: dict(table) for key, table in inherited.rules.items() if key in kept}
    circles = {key: dict(table) for key, table in inherited.circles.items() if f"circle.{key}" not in head.drop}
    indicators = {
        key: dict(table)
        for key, table in inherited.indicators.items()
        if f"indicator.{key}" not in head.drop and set(table.get("rules") or ()) <= rules.keys()
    }
    return rules, circles, indicators


def _changed_rule(inherited: _Table, table: RuleTable, head: Head, where: _Where) -> _Table:
    """Return the inherited rule with what the table changes; a changed limit has its own clause, source and note."""
    changed = table.model_dump(exclude_none=True, exclude=set(ORDERS))
    where.unknown("standards.unknown_unset", "unset", (key for key in table.unset if key not in inherited))
    merged = {key: value for key, value in inherited.items() if key not in table.unset}
    own = not inherited or bool(LIMITS & {*changed, *table.unset})
    if LIMITS & changed.keys():
        merged = {key: value for key, value in merged.items() if key not in LIMITS}
    merged |= changed
    if own:
        merged |= _referred(changed, head)
        merged["note_zh"] = changed.get("note_zh", changed.get("note_en", ""))
        merged["note_en"] = changed.get("note_en", changed.get("note_zh", ""))
    if AREAS & changed.keys():
        merged["confidence_areas"] = changed.get("confidence_areas", "D")
    if not AREAS & merged.keys():
        merged.pop("confidence_areas", None)
    return _with_figures(merged, table, head, where)


def _changed_circle(inherited: _Table, table: CircleTable, head: Head, where: _Where) -> _Table:
    """Return the inherited circle with what the table changes."""
    changed = table.model_dump(exclude_none=True, exclude=set(ORDERS))
    merged = inherited | changed
    if not inherited or {"people", "dwellings"} & changed.keys():
        merged |= _referred(changed, head)
    for value, sure in (("walk_m", "confidence_walk"), ("land_ha", "confidence_land")):
        if value in changed:
            merged[sure] = changed.get(sure, "D")
    return _with_figures(merged, table, head, where)


def _changed_indicator(inherited: _Table, table: IndicatorTable, head: Head) -> _Table:
    """Return the inherited indicator with what the table changes."""
    changed = table.model_dump(exclude_none=True)
    merged = inherited | changed
    if not inherited or {"measure", "rules", "meets", "meets_rules", "formula_zh", "target"} & changed.keys():
        merged |= _referred(changed, head)
    return merged


def _referred(changed: _Table, head: Head) -> _Table:
    """Return clause, source and confidence of what a file states itself: D where it does not say how sure it is."""
    return {
        "clause": changed.get("clause", head.clause),
        "clause_en": changed.get("clause_en", changed.get("clause", head.clause_en or head.clause)),
        "confidence": changed.get("confidence", "D"),
        "source": changed.get("source", ""),
    }


def figure_key(figure: Mapping[str, Any]) -> str:
    """Return what a figure is known by: metric, per, and its category where it has one.

    Examples
    --------
    >>> figure_key({"metric": "building_m2", "per": "1000_people", "category": "public"})
    'building_m2/1000_people/public'
    """
    return "/".join(filter(None, (figure["metric"], figure["per"], figure.get("category", ""))))


def _with_figures(merged: _Table, table: RuleTable | CircleTable, head: Head, where: _Where) -> _Table:
    """Return a table with its inherited figures, those dropped left out and those of the file put in by key."""
    figures = {figure_key(figure): figure for figure in merged.pop("figure", ())}
    where.unknown("standards.unknown_drop", "drop_figures", (key for key in table.drop_figures if key not in figures))
    figures = {key: figure for key, figure in figures.items() if key not in table.drop_figures}
    for one in table.figure or ():
        figure = one.model_dump()
        figures[figure_key(figure)] = figure | _referred(one.model_dump(exclude_unset=True, exclude_none=True), head)
    return merged | {"figure": list(figures.values())} if figures else merged
