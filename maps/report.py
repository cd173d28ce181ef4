"""The report's content, once: sections, paragraphs, numbered figures and tables, as data for any form of document.

Every number is one of the findings, written by the formats of `lifecircle.maps.style`; totals at the foot of a table
are sums of the rows above them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

import pandas as pd

from ..layers.words import Language, say
from .formats import format_date
from .limits import with_confidence
from .quotes import (
    Coverage,
    class_name,
    classes_in_state,
    has_cells,
    has_rings,
    headed,
    in_metres,
    language_of,
    nature_of_data,
    required_classes,
    sited_classes,
    text,
    titled,
    units_name,
    walker_label,
)
from .sheet import IMPORTANT, Plan, plan_sheets, source_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ..layers.findings import Findings
    from .quotes import Quote

STATES = ("present", "partial", "too_small", "too_far", "unknown")
"""Whether a neighbourhood has a class, in the order of the report's columns; without data is unknown."""
_REFERENCE = re.compile("\ue000(figure|table):([^\ue001]+)\ue001")


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; sections have level 1 and are numbered, the summary is not."""

    text: str
    level: int = 1
    numbered: bool = True


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text, an item of a list, or a note in small print."""

    text: str
    kind: Literal["body", "bullet", "note"] = "body"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its head, whether it holds numbers, and its share of the width."""

    title: str
    numeric: bool = False
    width: float = 1.0


@dataclass(frozen=True, slots=True)
class Table:
    """A numbered table of finished texts.

    Parameters
    ----------
    key
        By which texts refer to it.
    caption
        Without its number.
    columns, rows
        One text a cell.
    total
        True when the last row is a total.
    note
        In small print below it.
    number
        Given when the report is put together.
    wide
        True where it needs the width of a page turned on its side.
    """

    key: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    total: bool = False
    note: str = ""
    number: int = 0
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """A numbered map: the key of its sheet, caption, and the source lines below it."""

    key: str
    caption: str
    source: tuple[str, ...]
    number: int = 0


Block: TypeAlias = Heading | Paragraph | Table | Figure


@dataclass(frozen=True, slots=True)
class Report:
    """A report, ready to be written as Word, PDF or a page.

    Parameters
    ----------
    language
        Of its texts.
    title, subtitle
        Of the first page.
    facts
        Pairs of label and text on the first page.
    made_up
        Whether the data are of a made-up place; said on the first page and under each map.
    blocks
        In order.
    date
        Of the study, as YYYY-MM-DD; empty where it has none.
    """

    language: Language
    title: str
    subtitle: str
    facts: tuple[tuple[str, str], ...]
    made_up: bool
    blocks: tuple[Block, ...] = field(repr=False)
    date: str = ""

    def tables(self) -> list[Table]:
        """Return the tables in order."""
        return [block for block in self.blocks if isinstance(block, Table)]

    def figures(self) -> list[Figure]:
        """Return the figures in order."""
        return [block for block in self.blocks if isinstance(block, Figure)]

    def label(self, block: Table | Figure) -> str:
        """Return the label of a table or figure, for example 表3."""
        kind = "table" if isinstance(block, Table) else "figure"
        return say(f"report.{kind}_label", self.language, number=block.number)


def refer(kind: Literal["figure", "table"], key: str) -> str:
    """Return a stand-in for the label of a figure or table, filled in when numbers are known.

    Examples
    --------
    >>> number_blocks([Paragraph(refer("table", "a")), Table("a", "A", (), ())], "en")[0].text
    'Table 1'
    """
    return f"\ue000{kind}:{key}\ue001"


def number_blocks(blocks: Iterable[Block], language: Language) -> tuple[Block, ...]:
    """Give figures and tables their numbers in order of appearance and fill their labels into all texts.

    Raises
    ------
    KeyError
        When a text refers to a figure or table that is not there.
    """
    numbered: list[Block] = []
    labels: dict[tuple[str, str], str] = {}
    counts = {"figure": 0, "table": 0}
    for block in blocks:
        if isinstance(block, Table | Figure):
            kind = "table" if isinstance(block, Table) else "figure"
            counts[kind] += 1
            labels[kind, block.key] = say(f"report.{kind}_label", language, number=counts[kind])
            numbered.append(replace(block, number=counts[kind]))
        else:
            numbered.append(block)

    def fill(words: str) -> str:
        return _REFERENCE.sub(lambda match: labels[match[1], match[2]], words)

    return tuple(replace(block, text=fill(block.text)) if isinstance(block, Paragraph) else block for block in numbered)


class Desk:
    """What every section writes with: the findings, the language, the sheets that exist.

    Parameters
    ----------
    findings
        What the report is about.
    language
        Of its texts.
    """

    def __init__(self, findings: Findings, language: Language) -> None:
        self.findings = findings
        self.language = language
        self.coverage = Coverage(findings)
        self.plans: list[Plan] = plan_sheets(findings, language)
        self.classes: Mapping[str, Mapping[str, object]] = findings.manifest["classes"]
        self.cells = has_cells(findings)
        self.rings = has_rings(findings)
        self._source = tuple(re.sub("[　 ]{2,}", self.say("join"), line) for line in source_lines(findings, language))

    def say(self, key: str, /, **parameters: object) -> str:
        """Return a text of the report."""
        return say(f"report.{key}", self.language, **parameters)

    def join(self, texts: Iterable[str]) -> str:
        """Return texts as one list in a sentence."""
        return self.say("join").join(texts)

    def body(self, key: str, /, **parameters: object) -> Paragraph:
        """Return a paragraph."""
        return Paragraph(self.say(key, **parameters))

    def bullet(self, key: str, /, **parameters: object) -> Paragraph:
        """Return an item of a list."""
        return Paragraph(self.say(key, **parameters), "bullet")

    def name(self, facility_class: str, *, short: bool = False) -> str:
        """Return the name of a facility class; a short one, where the standard gives it, for heads of columns."""
        return class_name(self.findings, facility_class, self.language, short=short)

    def title(self, facility_class: str, circle: int, *, short: bool = False) -> str:
        """Return the name of a facility class, with its circle where it is required in several."""
        name = self.name(facility_class, short=short)
        return titled(name, circle, self.coverage.circles(facility_class), self.language)

    def headed(self, facility_class: str, circle: int, *, short: bool = False) -> str:
        """Return the name of a facility class with the group that its figures are of, as it stands before a figure."""
        name, group = self.name(facility_class, short=short), self.coverage.headline(facility_class)
        return headed(name, circle, self.coverage.circles(facility_class), group, self.language)

    def sure(self, said: str, quote: Quote | None) -> str:
        """Return a figure with the letter that says how sure the limit is that it rests on."""
        return said if quote is None else with_confidence(said, quote.confidence, self.language)

    def units(self) -> str:
        """Return how the areas are called that stand for neighbourhoods."""
        return units_name(self.findings, self.language)

    def figure(self, key: str) -> Figure:
        """Return the figure of a sheet."""
        plan = next(plan for plan in self.plans if plan.key == key)
        return Figure(key, plan.title, self._source)

    def has_figure(self, key: str) -> bool:
        """Return whether the findings give rise to a sheet."""
        return any(plan.key == key for plan in self.plans)

    def key_classes(self) -> list[str]:
        """Return the classes that get columns of their own: those sited, or else the important ones; at most four."""
        chosen = sited_classes(self.findings) or [key for key in IMPORTANT if key in self.classes]
        return chosen[:4]

    def with_data(self, *, required: bool = False) -> list[str]:
        """Return the classes that the sources know something of."""
        return [
            key
            for key in self.classes
            if any(not quote.no_data and (quote.required or not required) for quote in self.coverage.each(key))
        ]

    def without_data(self) -> list[str]:
        """Return the classes that the sources know nothing of."""
        return classes_in_state(self.findings, "no_data")

    def doubtful(self) -> list[str]:
        """Return the classes of which the sources hold so few that they may be incomplete."""
        return classes_in_state(self.findings, "few")

    def required(self) -> list[str]:
        """Return the classes that the standard requires, with data or without."""
        return required_classes(self.findings)

    def lowest(self, most: int) -> list[tuple[str, Quote]]:
        """Return the required classes that cover the smallest shares of whom they serve, and their figures."""
        found = [(key, quote) for key in self.with_data() for quote in self.coverage.each(key) if quote.required]
        ranked = [(key, quote) for key, quote in found if quote.rate is not None]
        return sorted(ranked, key=lambda pair: (pair[1].rate or 0.0, pair[0], pair[1].circle))[:most]

    def lacking(self) -> pd.DataFrame:
        """Return the neighbourhoods where somebody lacks a required class, the largest shortfall first.

        The column ``shortfall`` counts each resident once for each required class beyond the limit.
        """
        table = self.findings.tables["missing"]
        beyond = table.loc[table["required"].astype(bool)].groupby("compound_id")["people_lacking"].sum()
        frame = pd.DataFrame(self.findings.layers["compounds"].drop(columns="geometry"))
        frame = frame.assign(shortfall=beyond.reindex(frame["compound_id"]).fillna(0).astype(int).to_numpy())
        return frame[frame["shortfall"] > 0].sort_values(["shortfall", "compound_id"], ascending=[False, True])

    def states(self) -> dict[tuple[str, int], list[int]]:
        """Return for each class and circle how many neighbourhoods are in each of `STATES`."""
        table = self.findings.tables["missing"]
        table = table.assign(status=table["status"].replace("no_data", "unknown"))
        by = ["facility_class", "circle"]
        counts = table.pivot_table(index=by, columns="status", aggfunc="size", fill_value=0)
        counts = counts.reindex(columns=list(STATES), fill_value=0)
        return {
            (str(key), int(circle)): row
            for (key, circle), row in zip(counts.index, counts.to_numpy().tolist(), strict=True)
        }


def report_of(findings: Findings, language: Language | None = None) -> Report:
    """Return the content of the report of some findings.

    Parameters
    ----------
    findings
        What was found.
    language
        Of the texts; the study's where it is not given.
    """
    from .sections import SECTIONS  # noqa: PLC0415  the sections are written with this module's types

    chosen = language_of(findings, language)
    desk = Desk(findings, chosen)
    blocks: list[Block] = []
    for section in SECTIONS:
        blocks.extend(section(desk))
    study = findings.manifest["study"]
    return Report(
        language=chosen,
        title=str(study["name"]),
        subtitle=desk.say("subtitle"),
        facts=tuple(_facts(desk)),
        made_up=bool(study.get("made_up")),
        blocks=number_blocks(blocks, chosen),
        date=text(study.get("date")),
    )


def _facts(desk: Desk) -> Sequence[tuple[str, str]]:
    """Return what the first page says of the study."""
    study = desk.findings.manifest["study"]
    area = desk.findings.layers["area"]
    place = desk.join(text(name) for name in area["name"] if text(name))
    pairs = [
        (desk.say("fact_place"), place or text(study["name"])),
        (desk.say("fact_date"), format_date(study.get("date"), desk.language)),
        (desk.say("fact_standard"), text(study.get("standard")).upper()),
        (desk.say("fact_data"), desk.say(f"data_{nature_of_data(desk.findings)}")),
    ]
    if not in_metres(desk.findings):
        pairs.insert(3, (desk.say("fact_walker"), walker_label(desk.findings, desk.language)))
    if study.get("map_approval"):
        pairs.append((desk.say("fact_approval"), text(study["map_approval"])))
    return pairs


__all__ = [
    "Block",
    "Column",
    "Desk",
    "Figure",
    "Heading",
    "Paragraph",
    "Report",
    "Table",
    "number_blocks",
    "refer",
    "report_of",
]
