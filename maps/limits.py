"""Limits as they are shown: metres or minutes, the clause they stand in, and the letter that says how sure they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..layers.words import Language, say
from .formats import format_limit, format_speed
from .quotes import Coverage, Quote, in_metres, known, text

if TYPE_CHECKING:
    from ..layers.findings import Findings


def standard_limit_m(findings: Findings, facility_class: str, circle: int) -> float | None:
    """Return the metres that the standard states for a class in a circle; ``None`` where it is silent."""
    rule = findings.manifest["classes"].get(facility_class, {})
    return known(rule.get("limit_m")) if rule.get("circle") == circle else None


def confidence_of(findings: Findings, facility_class: str) -> str:
    """Return how sure the limit of a class is, A to D; empty where nobody says."""
    return text(findings.manifest["classes"].get(facility_class, {}).get("confidence"))


def with_confidence(said: str, confidence: str, language: Language) -> str:
    """Return a limit, or a figure that rests on one, with the letter that says how sure the limit is.

    Examples
    --------
    >>> with_confidence("300 米", "B", "zh"), with_confidence("300 m", "", "en")
    ('300 米（B）', '300 m')
    """
    return say("report.limit_sure", language, limit=said, confidence=confidence) if confidence else said


def taken_as_metres(findings: Findings, facility_class: str) -> tuple[float, float] | None:
    """Return the minutes that the standard states for a class without metres, and the metres counted for them.

    ``None`` where the standard states metres, and where walks are counted as time, so that minutes are minutes.
    """
    rule = findings.manifest["classes"].get(facility_class, {})
    minutes, metres = known(rule.get("limit_minutes")), known(rule.get("walk_m"))
    if minutes is None or metres is None or known(rule.get("limit_m")) is not None or not in_metres(findings):
        return None
    return minutes, metres


def metres_for_minutes(findings: Findings, facility_class: str, language: Language) -> str:
    """Return in words which metres were counted for the minutes of the standard; empty where it states metres.

    Examples
    --------
    >>> from lifecircle.layers.findings import Findings
    >>> rule = {"limit_m": None, "limit_minutes": 10.0, "walk_m": 500.0}
    >>> metres_for_minutes(Findings({}, {}, {"study": {}, "classes": {"market": rule}}), "market", "zh")
    '标准写作 10 分钟，按 500 米计（0.83 m/s）'
    """
    found = taken_as_metres(findings, facility_class)
    return "" if found is None else _minutes_said("map.minutes_as_metres", found, language)


def minutes_taken(findings: Findings, language: Language) -> str:
    """Return which metres were counted for which minutes of the standard; empty where it states metres throughout."""
    taken = (taken_as_metres(findings, key) for key in findings.manifest["classes"])
    said = {found: _minutes_said("report.minutes_taken", found, language) for found in taken if found is not None}
    return say("report.join", language).join(said.values())


def _minutes_said(key: str, found: tuple[float, float], language: Language) -> str:
    """Return minutes, the metres counted for them, and the speed that makes them equal."""
    minutes, metres = found
    return say(
        key,
        language,
        minutes=format_limit(minutes * 60.0, "s", language),
        metres=format_limit(metres, "m", language),
        speed=format_speed(round(metres / minutes / 60.0, 2), language),
    )


def rule_basis(findings: Findings, facility_class: str, language: Language) -> str:
    """Return the clause that a class's limit stands in and how sure we are of it; empty where neither is known.

    Where the standard states minutes and metres were counted, that is said too.
    """
    rule = findings.manifest["classes"].get(facility_class, {})
    clause = text(rule.get(f"clause_{language}")) or text(rule.get("clause"))
    sure = text(rule.get("confidence"))
    basis = say("map.basis", language, clause=clause, confidence=sure) if clause and sure else clause
    taken = metres_for_minutes(findings, facility_class, language)
    return say("map.and_also", language, first=basis, second=taken) if basis and taken else basis or taken


def limit_label(findings: Findings, facility_class: str, quote: Quote, language: Language) -> str:
    """Return the limit that was counted with, with that of the standard beside it where the two differ in kind."""
    limit = format_limit(quote.limit, quote.unit, language)
    taken = taken_as_metres(findings, facility_class)
    if taken is not None and quote.unit == "m":
        stated = format_limit(taken[0] * 60.0, "s", language)
        return say("map.limit_beside", language, limit=limit, standard=stated)
    metres = standard_limit_m(findings, facility_class, quote.circle)
    if quote.unit == "m" or metres is None:
        return limit
    return say("map.limit_beside", language, limit=limit, standard=format_limit(metres, "m", language))


def limits_said(findings: Findings, coverage: Coverage, facility_class: str, language: Language) -> str:
    """Return the limits that a class was counted with, each with how sure it is; empty where it was not counted."""
    quotes = {(quote.limit, quote.unit): quote for quote in coverage.each(facility_class)}.values()
    limits = (
        with_confidence(limit_label(findings, facility_class, quote, language), quote.confidence, language)
        for quote in quotes
    )
    return say("report.join", language).join(limits)
