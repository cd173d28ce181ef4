"""The small table on the sheet of a facility class: limit and how sure it is, measures by name, with the new sites."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..layers.words import say
from .formats import format_limit, format_number, format_points
from .limits import rule_basis, standard_limit_m, taken_as_metres
from .quotes import has_cells, known, records, served, text, titled

if TYPE_CHECKING:
    from ..layers.findings import Findings
    from ..layers.words import Language
    from .quotes import Coverage, Quote

Facts = list[tuple[str, str]]


def class_facts(findings: Findings, coverage: Coverage, key: str, language: Language) -> Facts:
    """Return what the sheet of a class says in figures; those of each circle where it is required in several.

    Parameters
    ----------
    findings, coverage
        What is quoted.
    key
        The facility class.
    language
        Of the texts.
    """

    def tell(name: str, **parameters: object) -> str:
        return say(f"sheet.{name}", language, **parameters)

    rule = findings.manifest["classes"].get(key, {})
    quotes, circles = coverage.each(key), coverage.circles(key)
    pairs: Facts = []
    for quote in quotes:
        name = titled(tell("fact_limit"), quote.circle, circles, language)
        limit = format_limit(quote.limit, quote.unit, language)
        sure = quote.confidence or text(rule.get("confidence"))
        pairs.append((name, say("map.limit_sure", language, limit=limit, confidence=sure) if sure else limit))
        taken = taken_as_metres(findings, key)
        if taken is not None:
            pairs.append((tell("fact_standard"), format_limit(taken[0] * 60.0, "s", language)))
        metres = standard_limit_m(findings, key, quote.circle)
        if quote.unit != "m" and metres is not None:
            pairs.append((tell("fact_standard"), format_limit(metres, "m", language)))
    if not quotes:
        pairs.append((tell("fact_limit"), format_limit(known(rule.get("limit_m")), "m", language)))
    table = findings.tables["facilities_by_class"]
    for row in records(table[table["facility_class"] == key].head(1)):
        pairs.append((tell("fact_existing"), tell("count_places", count=_count(row.existing, language))))
        if row.outside:
            pairs.append((tell("fact_outside"), tell("count_places", count=_count(row.outside, language))))
        if row.status == "few":
            pairs.append((tell("fact_data"), say("map.few_records", language)))
    if not quotes or all(quote.no_data for quote in quotes):
        return [*pairs, (tell("fact_rate"), tell("no_data"))]
    for quote in quotes:
        facts = _quote_facts(findings, coverage, key, quote, language)
        if len(quotes) == 1:  # the panel has no room for the other measures of several circles
            facts += _measure_facts(findings, coverage, key, quote, language)
        pairs += [(titled(name, quote.circle, circles, language), words) for name, words in facts]
    return pairs


def _count(value: object, language: Language) -> str:
    return format_number(known(value), "count", language)


def _quote_facts(findings: Findings, coverage: Coverage, key: str, quote: Quote, language: Language) -> Facts:
    """Return the figures of a class in one of its circles: each rate says what it is of."""

    def tell(name: str, **parameters: object) -> str:
        return say(f"sheet.{name}", language, **parameters)

    def percent(share: float | None) -> str:
        return format_number(share, "percent", language)

    group = coverage.headline(key)
    pairs: Facts = [(tell("fact_group"), served(group, language)), (tell("fact_rate"), percent(quote.rate))]
    for words, value in (("covered", quote.covered), ("uncovered", quote.uncovered), ("unknown", quote.unknown)):
        if words != "unknown" or value:
            pairs.append((tell(f"fact_{words}"), tell("count_people", count=_count(value, language))))
    if quote.after_rate is not None and (findings.layers["sites"]["facility_class"] == key).any():
        pairs.append((tell("fact_after"), percent(quote.after_rate)))
    people = coverage.city(key, "people", circle=quote.circle)
    if group != "people" and people is not None:
        pairs.append((tell("fact_people_rate"), percent(people.rate)))
    return pairs


def _measure_facts(findings: Findings, coverage: Coverage, key: str, quote: Quote, language: Language) -> Facts:
    """Return the rates of the other measures, and of the straight line with what it claims beyond the streets."""

    def tell(name: str, **parameters: object) -> str:
        return say(f"sheet.{name}", language, **parameters)

    def percent(share: float | None) -> str:
        return format_number(share, "percent", language)

    pairs: Facts = []
    homes = "fact_cells_rate" if has_cells(findings) else "fact_compounds_rate"
    for words, measure in (("fact_land_rate", "residential_m2"), (homes, "compounds")):
        other = coverage.city(key, measure, circle=quote.circle)
        if other is not None and other.rate is not None:
            pairs.append((tell(words), percent(other.rate)))
    people = coverage.city(key, "people", circle=quote.circle)
    if people is not None and people.buffer_rate is not None:
        more = format_points(people.buffer_rate, people.rate, language)
        pairs.append((tell("fact_line_rate"), tell("line_rate", rate=percent(people.buffer_rate), more=more)))
    return pairs


def class_basis(findings: Findings, key: str, language: Language) -> str:
    """Return where the limit of a class stands and how sure it is, as a note; empty where nobody says."""
    basis = rule_basis(findings, key, language)
    return say("sheet.basis", language, basis=basis) if basis else ""
