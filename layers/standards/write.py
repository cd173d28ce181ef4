"""A standard for others to read: as plain data, as a table of rules, and as a file to copy for a local standard."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ..words import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..words import Language
    from .model import Figure, LivingCircle, Rule, Standard

COLUMNS = (
    "facility_class",
    "name",
    "circle",
    "required",
    "limit_m",
    "limit_minutes",
    "building_m2",
    "land_m2",
    "served_people",
    "figures",
    "clause",
    "source",
    "confidence",
    "confidence_areas",
    "note",
)
"""Columns of the table of rules."""
RULE_FIELDS = ("circle", "also_circles", "optional_circles", "limit_m", "limit_minutes", "required", "group", "sited")
SURE = frozenset({"clause", "clause_en", "confidence", "source"})
AFTER_FIELDS = ("land", "met_by", "measured")
"""Fields of a rule that a template shows as they are, before and after its confidence and areas."""


def as_data(standard: Standard) -> dict[str, Any]:
    """Return a standard as JSON-like data, everything in it."""
    data = asdict(standard)
    data["confidence"] = confidence_counts(standard)
    return data


def confidence_counts(standard: Standard) -> dict[str, int]:
    """Return how many limits, areas and figures of a standard carry each confidence.

    Examples
    --------
    >>> from lifecircle.layers.standards import load_standard
    >>> sum(confidence_counts(load_standard("complete-community-2020")).values())
    20
    """
    counts: Counter[str] = Counter()
    for rule in standard.all_rules:
        counts.update(rule.confidences)
    for circle in standard.circles:
        own = (circle.confidence, circle.confidence_walk, circle.confidence_land)
        counts.update(letter for letter in own if letter is not None)
        counts.update(figure.confidence for figure in circle.figures)
    counts.update(indicator.confidence for indicator in standard.indicators)
    return {letter: counts[letter] for letter in "ABCD"}


def rule_rows(standard: Standard, language: Language) -> list[dict[str, str | float | bool | None]]:
    """Return the table of rules, measured or not: a row a rule, with the columns of `COLUMNS`."""
    return [_row(rule, language) for rule in standard.all_rules]


def _row(rule: Rule, language: Language) -> dict[str, str | float | bool | None]:
    """Return one row of the table of rules."""
    figures = say("cli.list_mark", language).join(figure_text(figure, language) for figure in rule.figures)
    return {
        "facility_class": rule.facility_class,
        "name": rule.zh if language == "zh" else rule.en,
        "circle": rule.circle,
        "required": rule.required,
        "limit_m": rule.limit_m,
        "limit_minutes": rule.limit_minutes,
        "building_m2": range_text(rule.building_m2_least, rule.building_m2_most),
        "land_m2": range_text(rule.land_m2_least, rule.land_m2_most),
        "served_people": range_text(rule.served_people_least, rule.served_people_most),
        "figures": figures,
        "clause": rule.clause if language == "zh" else rule.clause_en,
        "source": rule.source,
        "confidence": rule.confidence,
        "confidence_areas": rule.confidence_areas,
        "note": rule.note_zh if language == "zh" else rule.note_en,
    }


def range_text(least: float | None, most: float | None) -> str:
    """Return a range as a reader writes it; empty where there is none.

    Examples
    --------
    >>> range_text(750, 2500), range_text(40, None), range_text(None, 500), range_text(0.45, 0.45)
    ('750–2500', '≥40', '≤500', '0.45')
    """
    if least is None and most is None:
        return ""
    if least is None or most is None:
        return f"≤{_number(most)}" if least is None else f"≥{_number(least)}"
    return _number(least) if least == most else f"{_number(least)}–{_number(most)}"


def figure_text(figure: Figure, language: Language) -> str:
    """Return a figure in words, with how sure it is.

    Examples
    --------
    >>> from lifecircle.layers.standards import load_standard
    >>> beds = load_standard("gb50437-2007").rule("elderly_home").figures[0]
    >>> figure_text(beds, "en"), figure_text(beds, "zh")
    ('places per 1000 people of 60 or over: ≥40 [A]', '每千名 60 岁及以上老人座位（床位）数：≥40〔A〕')
    """
    return say(
        "standards.figure",
        language,
        what=figure_name(figure, language),
        value=range_text(figure.least, figure.most),
        confidence=figure.confidence,
    )


def figure_name(figure: Figure, language: Language) -> str:
    """Return what a figure counts, against what, and of which category."""
    metric = say(f"standards.metric_{figure.metric}", language)
    per = say(f"standards.per_{figure.per}", language)
    name = say("standards.figure_name", language, metric=metric, per=per)
    if not figure.category:
        return name
    return say("standards.figure_of", language, name=name, category=say(f"standards.of_{figure.category}", language))


def _number(value: float | None) -> str:
    """Return a number without a needless point."""
    return "" if value is None else f"{value:.10g}"


def template(standard: Standard, extends: str, language: Language) -> str:
    """Return a TOML file that extends a standard and changes nothing yet: everything to change stands in it as comment.

    Clause and confidence of the values stand beside them for the reader and are not taken over: a value that somebody
    states anew is a value of their own, D until they say by which clause and how sure they are.

    Parameters
    ----------
    standard
        The one to extend.
    extends
        How the file is to name it: its key, or the path of its file.
    language
        Of the comments.
    """
    head = [
        *(f"# {line}" for line in say("standards.template", language, name=getattr(standard, language)).split("\n")),
        "",
        "[standard]",
        'key = "local"',
        f"zh = {_toml(say('standards.template_name', 'zh'))}",
        f"en = {_toml(say('standards.template_name', 'en'))}",
        f"edition = {_toml(standard.edition)}",
        f"clause = {_toml(say('standards.template_clause', 'zh'))}",
        f"clause_en = {_toml(say('standards.template_clause', 'en'))}",
        f"extends = {_toml(extends)}",
        "drop = []",
    ]
    tables = [
        *(
            _commented(f"circle.{circle.minutes or 'block'}", _circle_lines(circle), circle.figures)
            for circle in standard.circles
        ),
        *(_commented(f"rule.{rule.facility_class}", _rule_lines(rule), rule.figures) for rule in standard.all_rules),
    ]
    return "\n".join([*head, *(line for table in tables for line in ("", *table)), ""])


def _commented(name: str, lines: Iterator[str], figures: tuple[Figure, ...]) -> list[str]:
    """Return a table and its figures, every line a comment."""
    text = [f"[{name}]", *lines]
    for figure in figures:
        fields = {
            key: value for key, value in asdict(figure).items() if value not in (None, "", ()) and key not in SURE
        }
        text += [f"[[{name}.figure]]", *(f"{key} = {_toml(value)}" for key, value in fields.items())]
        text.append(_sure(figure.clause, figure.confidence))
    return [f"# {line}" for line in text]


def _circle_lines(circle: LivingCircle) -> Iterator[str]:
    """Yield the lines of a circle."""
    yield f"zh = {_toml(circle.zh)}"
    yield f"en = {_toml(circle.en)}"
    for name in ("walk_m", "people", "dwellings", "land_ha"):
        yield from _range_lines(circle, name)
    yield _sure(circle.clause, circle.confidence)


def _rule_lines(rule: Rule) -> Iterator[str]:
    """Yield the lines of a rule that a local standard may change."""
    for name in ("zh", "en", "short_zh", "short_en", *RULE_FIELDS):
        value = getattr(rule, name)
        if value not in (None, (), "") and not (name == "sited" and not value):
            yield f"{name} = {_toml(value)}"
    yield _sure(rule.clause, rule.confidence)
    for name in ("building_m2", "land_m2", "served_people"):
        yield from _range_lines(rule, name)
    for name in AFTER_FIELDS:
        value = getattr(rule, name)
        if value not in (None, ()) and value is not True:
            yield f"{name} = {_toml(value)}"


def _sure(clause: str, confidence: str) -> str:
    """Return a comment that stays one: where a value stands and how sure it is."""
    return f"# {clause} [{confidence}]"


def _range_lines(one: Rule | LivingCircle, name: str) -> Iterator[str]:
    """Yield the line of a range, none where it is open at both ends."""
    least, most = getattr(one, f"{name}_least"), getattr(one, f"{name}_most")
    if least is not None:
        yield f"{name} = {_toml((least,) if most is None else (least, most))}"


def _toml(value: object) -> str:
    """Return a value as TOML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(one) for one in value)}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return _number(value) if isinstance(value, float) else str(value)
