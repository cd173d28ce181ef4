"""The workbook, read back: equal to the findings, and harmless."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import openpyxl
import pandas as pd
import pytest
from made_findings import made_findings

from lifecircle.layers.words import LANGUAGES, say
from lifecircle.maps.formats import format_date
from lifecircle.maps.workbook import SHEETS, write_workbook

if TYPE_CHECKING:
    from pathlib import Path

    from lifecircle.layers.findings import Findings
    from lifecircle.layers.words import Language

HOSTILE = ('=HYPERLINK("http://x")', "+1+1", "-2+3", "@SUM(A1)", "http://example.org", "{=1+1}", "\t=1")


@pytest.fixture(scope="module", params=LANGUAGES)
def written(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Findings, Language, openpyxl.Workbook]:
    findings = made_findings(request.param)
    path = write_workbook(findings, tmp_path_factory.mktemp("book") / "tables.xlsx")
    return findings, request.param, openpyxl.load_workbook(path)


def _rows(book: openpyxl.Workbook, name: str, language: Language) -> list[tuple[Any, ...]]:
    return list(book[say(f"report.sheet_{name}", language)].iter_rows(values_only=True))


def test_every_number_is_the_findings_to_sixteen_digits(
    written: tuple[Findings, Language, openpyxl.Workbook],
) -> None:
    findings, language, book = written
    for name, source in SHEETS:
        frame = findings.tables.get(source)
        if frame is None:
            frame = pd.DataFrame(findings.layers[source].drop(columns="geometry"))
        if source == "siting":
            frame = frame.drop(columns="seconds")
        head, *rows = _rows(book, name, language)
        assert len(rows) == len(frame)
        assert len(head) == len(frame.columns)
        for place, column in enumerate(frame.columns):
            if not pd.api.types.is_numeric_dtype(frame[column]) or pd.api.types.is_bool_dtype(frame[column]):
                continue
            for row, value in zip(rows, frame[column], strict=True):
                shown = row[place]
                assert (shown is None) if pd.isna(value) else shown == pytest.approx(value, rel=1e-15)


def test_sheets_are_named_frozen_and_filtered(written: tuple[Findings, Language, openpyxl.Workbook]) -> None:
    _, language, book = written
    assert book.sheetnames == [say(f"report.sheet_{name}", language) for name, _ in SHEETS] + [
        say("report.sheet_sources", language),
        say("report.sheet_notes", language),
    ]
    for sheet in book.worksheets:
        assert sheet.freeze_panes in {"B2", "C2"}
        assert sheet.auto_filter.ref


def test_heads_and_codes_are_in_the_language(written: tuple[Findings, Language, openpyxl.Workbook]) -> None:
    findings, language, book = written
    head, *rows = _rows(book, "coverage", language)
    assert head[0] == {"zh": "设施类别", "en": "Facility class"}[language]
    assert {row[0] for row in rows} == {rule[language] for rule in findings.manifest["classes"].values()}
    for sheet in book.worksheets:
        for row in sheet.iter_rows(values_only=True):
            assert not {"elderly_day_care", "too_far", "partial", "no_data", "elders_60", "on_street"} & set(
                map(str, row)
            )


def test_the_missing_sheet_tells_who_lives_there_from_who_lacks(
    written: tuple[Findings, Language, openpyxl.Workbook],
) -> None:
    findings, language, book = written
    head, *rows = _rows(book, "missing", language)
    named = {
        "zh": ["居中居民步行（米）", "最远居民步行（米）", "人口", "缺少人口"],
        "en": ["Walk of the middle resident (m)", "Longest walk (m)", "People", "People lacking it"],
    }[language]
    missing = findings.tables["missing"]
    for title, column in zip(named, ["walk", "walk_longest", "people", "people_lacking"], strict=True):
        shown = sorted(row[head.index(title)] or 0 for row in rows)
        assert shown == pytest.approx(sorted(missing[column].fillna(0).tolist()))


def test_english_has_no_chinese_head(written: tuple[Findings, Language, openpyxl.Workbook]) -> None:
    _, language, book = written
    if language == "en":
        heads = "".join(str(cell) for sheet in book.worksheets for cell in next(sheet.iter_rows(values_only=True)))
        assert heads.isascii() or not any("\u4e00" <= letter <= "\u9fff" for letter in heads)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_name_becomes_a_formula_or_a_link(hostile: str, tmp_path: Path) -> None:
    findings = made_findings("zh")
    coverage = findings.tables["coverage"].head(3).assign(group_name=hostile)
    changed = dataclasses.replace(findings, tables={**findings.tables, "coverage": coverage})
    book = openpyxl.load_workbook(write_workbook(changed, tmp_path / "a.xlsx"))
    sheet = book["覆盖"]
    place = list(coverage.columns).index("group_name") + 1
    for row in range(2, 5):
        cell = sheet.cell(row, place)
        assert cell.data_type == "s"
        assert cell.value == hostile
        assert cell.hyperlink is None


def test_notes_say_that_the_data_are_made_up(written: tuple[Findings, Language, openpyxl.Workbook]) -> None:
    _, language, book = written
    rows = _rows(book, "notes", language)
    said = dict(row[:2] for row in rows[1:])
    assert said[say("report.note_made_up", language)] == say("report.data_made_up", language)
    assert said[say("report.note_approval", language)] == say("report.none", language)
    assert said[say("report.note_date", language)] == format_date("2026-11-22", language)
    assert rows[-1][1:] == ("© OpenStreetMap contributors, ODbL 1.0",)


def test_same_findings_same_bytes(tmp_path: Path) -> None:
    first, second = (write_workbook(made_findings("zh"), tmp_path / name) for name in ("a.xlsx", "b.xlsx"))
    assert first.read_bytes() == second.read_bytes()


def test_empty_tables_keep_their_heads(tmp_path: Path) -> None:
    findings = made_findings("zh")
    tables = {name: frame.iloc[:0] for name, frame in findings.tables.items()}
    layers = {name: frame.iloc[:0] for name, frame in findings.layers.items()}
    bare = dataclasses.replace(findings, tables=tables, layers=layers)
    book = openpyxl.load_workbook(write_workbook(bare, tmp_path / "a.xlsx"))
    assert book["建议选址"].max_row == 1
    assert book["建议选址"]["A1"].value == "地块编号"
