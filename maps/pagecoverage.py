"""The coverage panel of the map page: each class by the group it is for, by other measures and by straight line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..layers.words import say
from . import formats
from .limits import limit_label, rule_basis
from .quotes import classes_in_state, headed, titled

if TYPE_CHECKING:
    from ..layers.findings import Findings
    from .pagefields import Names
    from .quotes import Coverage, Quote

MEASURES = {"people": "people", "land": "residential_m2", "homes": "compounds"}
"""Measures that the panel offers beside the group a class is for, and what they are called in the findings."""
LINE = "line"
"""The straight line, of all residents."""


def coverage_rows(findings: Findings, names: Names) -> list[dict[str, Any]]:
    """Return coverage of the whole city by class, each for the group the class is for and by the other measures."""
    coverage = names.coverage
    rows = []
    for key in names.classes:
        of = (key, coverage.circles(key), coverage.headline(key))
        for quote in coverage.each(key):
            row = _row(findings, names, of, quote)
            rows.append(row | {"others": _others(coverage, names, key, quote)})
    return rows


def measures_offered(names: Names) -> list[dict[str, str]]:
    """Return key and name of each measure that the panel can show; the group a class is for comes first."""
    coverage = names.coverage
    quotes = [(key, quote) for key in names.classes for quote in coverage.each(key)]
    found = {name for key, quote in quotes for name in _others(coverage, names, key, quote)}
    keys = ["group", *(name for name in (*MEASURES, LINE) if name in found)]
    told = {"homes": f"measure_{names.homes}"}
    return [{"key": key, "name": say(f"map.{told.get(key, f'measure_{key}')}", names.language)} for key in keys]


def _others(coverage: Coverage, names: Names, key: str, quote: Quote) -> dict[str, dict[str, Any]]:
    """Return the rates of a class in one circle by each other measure that is known."""
    found: dict[str, dict[str, Any]] = {}
    for name, measure in MEASURES.items():
        other = coverage.city(key, measure, circle=quote.circle)
        if other is not None and not other.no_data and other.rate is not None:
            found[name] = {"rate": other.rate, "text": formats.format_number(other.rate, "percent", names.language)}
    people = coverage.city(key, "people", circle=quote.circle)
    if people is not None and not people.no_data and people.buffer_rate is not None:
        more = formats.format_points(people.buffer_rate, people.rate, names.language)
        text = formats.format_number(people.buffer_rate, "percent", names.language)
        note = say("map.line_more", names.language, more=more)
        found[LINE] = {"rate": people.buffer_rate, "text": text, "note": note}
    return found


def _row(findings: Findings, names: Names, of: tuple[str, tuple[int, ...], str], quote: Quote) -> dict[str, Any]:
    """Return the row of a class in one of its circles, for the group it is for."""
    spoken = names.language
    key, circles, group = of
    known = not quote.no_data and quote.rate is not None
    lacking = formats.format_people(quote.uncovered, spoken)
    unknown = formats.format_people(quote.unknown, spoken)
    rate = formats.format_number(quote.rate, "percent", spoken)
    gained = known and quote.after_rate is not None and quote.after_rate > (quote.rate or 0.0)
    return {
        "key": key,
        "name": headed(names.short(key), quote.circle, circles, group, spoken),
        "plain": titled(names.short(key), quote.circle, circles, spoken),
        "full": headed(names.of_class(key), quote.circle, circles, group, spoken),
        "group": group,
        "section": "no_data" if not known else "required" if quote.required else "optional",
        "limit": limit_label(findings, key, quote, spoken),
        "sure": say("map.sure", spoken, confidence=quote.confidence) if quote.confidence else "",
        "basis": rule_basis(findings, key, spoken),
        "rate": quote.rate if known else None,
        "rate_text": rate if known else say("map.no_data", spoken),
        "after": quote.after_rate if gained else None,
        "after_text": formats.format_number(quote.after_rate, "percent", spoken) if gained else "",
        "lacking": say("map.lacking", spoken, people=lacking, group=say(f"values.measure_{group}", spoken))
        if known
        else "",
        "few": say("map.few_records", spoken) if key in classes_in_state(findings, "few") else "",
        "unknown": say("map.unknown_people", spoken, people=unknown) if known and quote.unknown else "",
    }
