"""What sheets and documents quote: single figures and names looked up in the findings; nothing is computed here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pandas as pd

from ..layers.words import LANGUAGES, Language, catalogue, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..layers.findings import Findings


@dataclass(frozen=True, slots=True)
class Quote:
    """One row of the table of coverage, read for print.

    Parameters
    ----------
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
    """

    total: int
    covered: int
    uncovered: int
    unknown: int
    rate: float | None
    buffer_rate: float | None
    after_covered: int | None
    after_rate: float | None
    no_data: bool


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
        total=int(row["total"]),
        covered=int(row["covered"]),
        uncovered=int(row["uncovered"]),
        unknown=int(row["unknown"]),
        rate=known(row["rate"]),
        buffer_rate=known(row["buffer_rate"]),
        after_covered=None if after is None else int(after),
        after_rate=known(row["after_rate"]),
        no_data=row["status"] == "no_data",
    )


class Coverage:
    """The table of coverage, quick to look a figure up in.

    Parameters
    ----------
    findings
        Whose table ``coverage`` is read.
    """

    def __init__(self, findings: Findings) -> None:
        rows = findings.tables["coverage"].to_dict("records")
        self._rows = {
            (str(row["facility_class"]), str(row["group_kind"]), text(row["group_id"]), str(row["measure"])): row
            for row in rows
        }
        self._city: dict[tuple[str, str], dict[str, Any]] = {
            (key, measure): cast("dict[str, Any]", row)
            for (key, kind, _, measure), row in self._rows.items()
            if kind == "city"
        }

    def city(self, facility_class: str, measure: str = "people") -> Quote | None:
        """Return what the whole study area has; ``None`` where the measure was not counted."""
        row = self._city.get((facility_class, measure))
        return None if row is None else quote_of(row)

    def group(self, facility_class: str, kind: str, group_id: str, measure: str = "people") -> Quote | None:
        """Return what one ring, sub-district … has; ``None`` where it was not counted."""
        row = self._rows.get((facility_class, kind, group_id, measure))
        return None if row is None else quote_of(cast("dict[str, Any]", row))

    def groups(self, kind: str) -> list[tuple[str, str]]:
        """Return ids and names of the groups of a kind, in the order of the table."""
        found = {group: text(row["group_name"]) for (_, of, group, _), row in self._rows.items() if of == kind}
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
    rule = findings.manifest["classes"].get(facility_class, {})
    brief = text(rule.get(f"short_{language}")) if short else ""
    return brief or str(rule.get(language) or rule.get("en") or rule.get("zh") or facility_class)


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
