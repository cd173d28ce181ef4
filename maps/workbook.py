"""The findings as an Excel workbook: one sheet a table, complete, for those who calculate on.

Texts are written as texts: nothing in a name can become a formula or a link.
"""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, Any

import pandas as pd
import xlsxwriter

from ..layers.words import Language, catalogue, say
from .formats import format_date
from .limits import minutes_taken
from .paper import text_width
from .quotes import (
    file_name,
    has_cells,
    in_metres,
    label,
    language_of,
    nature_of_data,
    provision_name,
    text,
    walker_called,
    walker_label,
)
from .report import Desk
from .sections import sentence, warning
from .sections_candidates import of_candidates
from .sections_zoning import conflict_said
from .style import STATUS_FILLS, text_on

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from ..layers.findings import Findings

CREATED = dt.datetime(2000, 1, 1)  # noqa: DTZ001  xlsxwriter wants a time without a zone
WIDEST, NARROWEST = 48.0, 7.0
"""Widths of columns in characters."""
FROZEN = {"missing": 2}
"""Columns that stay in sight beside the first one of the other sheets."""
WIDE_PAPER = 170.0
"""A sheet wider than so many characters is printed on A3, the others on A4."""
SAMPLED_ROWS = 400
"""Rows looked at to find a column's width."""
EXCEL_ROWS = 1_048_576

SHEETS = (
    ("missing", "missing"),
    ("coverage", "coverage"),
    ("indicators", "indicators"),
    ("provision", "provision"),
    ("access", "access"),
    ("equity", "equity"),
    ("sensitivity", "sensitivity"),
    ("sites", "sites"),
    ("siting", "siting"),
    ("curve", "curve"),
    ("unreachable", "unreachable"),
    ("candidates", "candidates"),
    ("refusals", "refusals"),
    ("zoning", "zoning"),
    ("land_balance", "land_balance"),
    ("conflicts", "conflicts"),
    ("land_verdicts", "land_verdicts"),
    ("projects_by_ring", "projects_by_ring"),
    ("projects", "projects"),
    ("compounds", "compounds"),
    ("facilities_by_class", "facilities_by_class"),
    ("facilities", "facilities"),
    ("repairs", "repairs"),
    ("merges", "merges"),
    ("snapping", "snapping"),
    ("components", "components"),
)
"""Sheets in order, what planners print first in front: the name of its text, and the table (or layer) it holds."""

NUMBERS = {
    "rate": "0.0%",
    "worst_rate": "0.0%",
    "buffer_rate": "0.0%",
    "after_rate": "0.0%",
    "share": "0.0%",
    "share_without": "0.0%",
    "share_most": "0.0%",
    "share_all": "0.0%",
    "green_ratio": "0.00",
    "change": "+0.0%;-0.0%;0.0%",
    "factor": "0%",
    "least": "#,##0.###",
    "most": "#,##0.###",
    "existing_per": "#,##0.###",
    "needed": "#,##0.0",
    "existing": "#,##0.##",
    "shortfall": "#,##0.0",
    "mean_per_1000": "#,##0.0",
    "mean": "#,##0.000",
    "gini": "0.000",
    "theil": "0.000",
    "theil_between": "0.000",
    "theil_within": "0.000",
    "against_all": "0.00",
    "distance_m": "#,##0.0",
    "likeness": "0.00",
    "value": "#,##0.###",
    "target": "#,##0.###",
    "area_before_m2": "#,##0.0",
    "area_after_m2": "#,##0.0",
    "gap": "0.00%",
    "walk_min": "0.0",
    "walk_longest_min": "0.0",
    "limit_min": "0.0",
    "frontage_m": "#,##0.0",
    "slope_percent": "0.0",
    "measured": "#,##0.##",
    "far": "0.00",
    "density": "0.00",
    "seconds": "0.00",
    "year": "0",
    "year_built": "0",
    "order": "0",
    "rank": "0",
    "circle": "0",
    "component": "0",
}
"""Excel number formats of columns that are not plain counts."""
WALKED = ("walk", "walk_longest", "limit", "mean")
"""Columns in the unit of the column ``unit``."""
MIXED = "mean"
"""A column whose rows are walks and shares by turns."""
CODED = {
    "weight": "measure",
    "model": "model",
    "group_kind": "group",
    "kind": "kind",
    "way": "way",
    "stage": "stage",
    "tenure": "tenure",
    "policy": "policy",
    "use_group": "use",
    "use_group_now": "use",
    "when": "when",
    "code": "conflict",
    "verdict": "zoning",
    "snap": "snap",
    "highway": "highway",
    "layer": "layer",
    "metric": "metric",
    "per": "per",
    "supply": "metric",
    "basis": "basis",
    "method": "method",
    "capacity_from": "capacity",
    "what": "repair",
    "why": "merge",
}
"""Columns of codes and the kind of name in the catalogue."""
STATUS = {
    "missing": "missing",
    "snapping": "snap",
    "facilities": "status",
    "provision": "provision",
    "access": "access_status",
    "indicators": "indicator",
}
"""What the column ``status`` of a table means; elsewhere it is ``ok`` or ``no_data`` or the solver's."""


def write_workbook(findings: Findings, path: Path, *, language: Language | None = None) -> Path:
    """Write all tables of the findings into one workbook.

    Every cell is the findings' own value, unrounded: formats only show it. Codes (kinds, measures, classes) are written
    as names in the language; limits and walks that were counted in seconds stand in minutes, and their heads say so.

    Parameters
    ----------
    findings
        What to write.
    path
        The .xlsx file.
    language
        Of heads and codes; the study's where it is not given.
    """
    chosen = language_of(findings, language)
    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "nan_inf_to_errors": False,
    }
    with xlsxwriter.Workbook(str(path), options) as book:
        study = findings.manifest["study"]
        book.set_properties({"title": str(study["name"]), "author": "lifecircle", "created": CREATED})
        writer = _Writer(book, findings, chosen)
        for name, source in SHEETS:
            if source not in findings.tables and source not in findings.layers:
                continue
            frame = findings.tables.get(source)
            if frame is None or not len(frame.columns):
                frame = pd.DataFrame(findings.layers[source].drop(columns="geometry"))
            if source == "siting":  # differs from run to run; it stands with the timings
                frame = frame.drop(columns="seconds", errors="ignore")
            writer.table(name, frame)
        writer.table("sources", pd.DataFrame(findings.manifest["sources"]))
        writer.rows("notes", _notes(findings, chosen))
    return path


def _notes(findings: Findings, language: Language) -> pd.DataFrame:
    """Return notes, warnings and attribution as rows of kind and sentence."""
    desk = Desk(findings, language)
    study = findings.manifest["study"]
    rows = [
        ("date", format_date(study.get("date"), language)),
        ("approval", text(study.get("map_approval")) or say("report.none", language)),
        ("made_up", say(f"report.data_{nature_of_data(findings)}", language)),
        ("walker", walker_label(findings, language)),
    ]
    taken = minutes_taken(findings, language)
    rows += [("walker", say("report.rules_minutes_note", language, list=taken))] if taken else []
    rows += [("note", sentence(desk, note)) for note in findings.manifest["notes"]]
    rows += [("warning", warning(desk, fault)) for fault in findings.manifest["warnings"]]
    rows += [("attribution", str(words)) for words in findings.manifest["attribution"]]
    named = [(say(f"report.note_{kind}", language), words) for kind, words in rows]
    return pd.DataFrame(named, columns=["note_kind", "note_text"])


class _Writer:
    """Writes frames as sheets of one workbook."""

    def __init__(self, book: Any, findings: Findings, language: Language) -> None:  # noqa: ANN401  xlsxwriter is not typed
        self._book = book
        self._findings = findings
        self._language = language
        self._head = book.add_format(
            {"bold": True, "bottom": 1, "text_wrap": True, "valign": "top", "bg_color": "#EDF1F4"}
        )
        self._formats: dict[str, Any] = {}

    def table(self, name: str, frame: pd.DataFrame) -> None:
        """Write a table of the findings, its codes as names."""
        if name == "conflicts":
            said = [conflict_said(*row, self._language) for row in zip(frame["code"], frame["detail"], strict=True)]
            frame = frame.assign(detail=pd.Series(said, frame.index, dtype=object))
        named = self._in_minutes(frame)
        for column in frame.columns:
            to_name = self._namer(name, str(column))
            if to_name is not None:
                values = {value: to_name(value) for value in frame[column].drop_duplicates() if text(value)}
                named[column] = pd.Series([values.get(value) for value in frame[column].tolist()], frame.index, object)
        self.rows(name, named)

    def _in_minutes(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return a table with its walks and limits in metres or minutes, as its column ``unit`` says; so do its heads.

        Only a table that holds both, of which no study has any, keeps heads without a unit.
        """
        walked = [column for column in WALKED if column in frame.columns and "unit" in frame.columns]
        if not walked:
            return frame.copy()
        timed = frame["unit"] == "s"
        values = {column: frame[column].where(~timed, frame[column] / 60.0) for column in walked}
        names = {"s": "report.unit_min", "m": "report.unit_m"}
        units = {
            unit: say(names[unit], self._language) if unit in names else label("unit", unit, self._language)
            for unit in map(str, frame["unit"].unique())
        }
        shown = frame.assign(unit=[units[str(unit)] for unit in frame["unit"]], **values)
        if MIXED in walked or (timed.any() and not timed.all()):
            return shown
        ending = "min" if timed.any() or (frame.empty and not in_metres(self._findings)) else "m"
        return shown.rename(columns={column: f"{column}_{ending}" for column in walked})

    def _namer(self, table: str, column: str) -> Callable[[Any], str] | None:
        """Return what turns the codes of a column into names; ``None`` for a column without codes."""
        language, findings = self._language, self._findings
        cell = say("report.units_cell", language) if has_cells(findings) else label("measure", "compounds", language)

        def named(kind: str) -> Callable[[Any], str]:
            return lambda value: label(kind, value, language)

        def class_of(value: object) -> str:
            return provision_name(findings, value, language)

        def classes_of(value: object) -> str:
            return say("report.join", language).join(map(class_of, str(value).split(";")))

        def reasons_of(value: object) -> str:
            parts = (label("reason", part, language) for part in str(value).split(";"))
            return say("report.join", language).join(parts)

        namers: dict[str, Callable[[Any], str]] = {
            **{coded: named(kind) for coded, kind in CODED.items()},
            "measure": lambda value: cell if value == "compounds" else label("measure", value, language),
            "facility_class": class_of,
            **({"value": named("value")} if table == "equity" else {}),
            "walker": lambda value: walker_called(findings, str(value), language),
            "missing": classes_of,
            "carries": classes_of,
            **({"reason": reasons_of} if table == "unreachable" else {}),
            "partial": classes_of,
            "too_small": classes_of,
            "status": named(STATUS[table]) if table in STATUS else lambda value: _state(str(value), language),
            "group_id": lambda value: label("group", value, language) if value == "city" else str(value),
            "file": file_name,
            "source": file_name,
            "datum": lambda value: str(value).upper(),
            **(of_candidates(table, language) if table in {"candidates", "refusals"} else {}),
        }
        return namers.get(column)

    def rows(self, name: str, frame: pd.DataFrame) -> None:
        """Write a frame: head in the language, frozen and filtered, columns as wide as what they hold."""
        sheet = self._book.add_worksheet(say(f"report.sheet_{name}", self._language))
        frame = frame.head(EXCEL_ROWS - 1)
        across = 0.0
        for place, column in enumerate(map(str, frame.columns)):
            head = self._title(name, column)
            values = frame[column].tolist()
            shown = self._format(column, values)
            sheet.write_string(0, place, head, self._head)
            for row, value in enumerate(values, 1):
                _write(sheet, row, place, value, self._language)
            width = _width(head, values, shown.num_format)
            hidden = {"hidden": True} if self._language == "zh" and column.endswith("_en") else {}
            sheet.set_column(place, place, width, shown, hidden)
            across += 0.0 if hidden else width
            if (name, column) == ("missing", "status"):
                self._colour(sheet, place, len(values))
        sheet.freeze_panes(1, min(FROZEN.get(name, 1), len(frame.columns)))
        _for_print(sheet, wide=across > WIDE_PAPER)
        if len(frame.columns):
            sheet.autofilter(0, 0, max(len(frame), 1), len(frame.columns) - 1)

    def _title(self, name: str, column: str) -> str:
        """Return the head of a column: that of its table where it has one of its own."""
        keys = (f"report.head_{name}_{column}", f"report.head_{column}")
        key = next((key for key in keys if key in catalogue()), "")
        return say(key, self._language) if key else column

    def _colour(self, sheet: Any, place: int, count: int) -> None:  # noqa: ANN401  xlsxwriter is not typed
        """Fill the cells of a column of statuses with the colours of the map."""
        for status, fill in STATUS_FILLS.items():
            shade = self._book.add_format({"bg_color": fill, "font_color": text_on(fill)})
            words = label("missing", status, self._language)
            rule = {"type": "cell", "criteria": "==", "value": f'"{words}"', "format": shade}
            sheet.conditional_format(1, place, max(count, 1), place, rule)

    def _format(self, column: str, values: Sequence[object]) -> Any:  # noqa: ANN401
        """Return the number format of a column."""
        pattern = NUMBERS.get(column)
        if pattern is None:
            said = any(isinstance(value, str) for value in values)
            numeric = any(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
            pattern = "#,##0" if numeric and not said else "@"
        if pattern not in self._formats:
            self._formats[pattern] = self._book.add_format({"num_format": pattern})
        return self._formats[pattern]


def _for_print(sheet: Any, *, wide: bool) -> None:  # noqa: ANN401  xlsxwriter is not typed
    """Set a sheet to print across on A4, a wide one on A3, all columns on the page, its head on each."""
    sheet.set_landscape()
    sheet.set_paper(8 if wide else 9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    sheet.set_footer("&C&P / &N")


def _state(value: str, language: Language) -> str:
    """Return the name of a state of coverage or of the solver."""
    for key in (f"report.solver_{value}", f"report.{value}"):
        if key in catalogue():
            return say(key, language)
    return value


def _write(sheet: Any, row: int, place: int, value: object, language: Language) -> None:  # noqa: ANN401
    """Write one cell as what it is; an unknown value stays empty."""
    if isinstance(value, str):
        if value:
            sheet.write_string(row, place, value)
    elif isinstance(value, bool):
        sheet.write_string(row, place, say("report.yes" if value else "report.no", language))
    elif isinstance(value, int | float):
        if math.isfinite(value):
            sheet.write_number(row, place, value)
    elif text(value):
        sheet.write_string(row, place, text(value))


def _width(head: str, values: Iterable[object], pattern: str) -> float:
    """Return a width that shows the head on two lines and what the first rows hold, numbers as they are formatted."""
    sample = [_as_shown(value, pattern) for _, value in zip(range(SAMPLED_ROWS), values, strict=False)]
    widest = max((1.9 * text_width(words) for words in sample), default=0.0)
    return min(max(widest + 2, 1.1 * text_width(head) + 4, NARROWEST), WIDEST)


def _as_shown(value: object, pattern: str) -> str:
    """Return about what a cell shows: a number with the digits of its format."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return text(value)
    digits = pattern.partition(";")[0].partition(".")[2].rstrip("%")
    percent = "%" in pattern
    return f"{value * (100 if percent else 1):,.{len(digits)}f}{'%' if percent else ''}"
