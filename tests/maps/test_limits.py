"""Limits as shown: how sure they are stands beside them, and minutes that were taken as metres are told."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import openpyxl
import pytest
from made_findings import made_findings

from lifecircle.layers.words import LANGUAGES
from lifecircle.maps.classfacts import class_facts
from lifecircle.maps.limits import metres_for_minutes, rule_basis, with_confidence
from lifecircle.maps.page import render_page
from lifecircle.maps.pagecoverage import coverage_rows
from lifecircle.maps.pagefields import Names
from lifecircle.maps.pagelayers import page_content
from lifecircle.maps.quotes import Coverage
from lifecircle.maps.report import Paragraph, report_of
from lifecircle.maps.summary import summary_lines
from lifecircle.maps.workbook import write_workbook

if TYPE_CHECKING:
    from pathlib import Path

    from lifecircle.layers.findings import Findings
    from lifecircle.layers.words import Language

SAID = {"zh": "10 分钟按 500 米计（0.83 m/s）", "en": "10 min as 500 m (0.83 m/s)"}


@pytest.fixture(scope="module", params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> Language:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def findings(language: Language) -> Findings:
    return made_findings(language)


@pytest.fixture(scope="module")
def in_minutes(findings: Findings) -> tuple[str, Findings]:
    """Findings whose standard states ten minutes, and no metres, for one class that was counted to 500 m."""
    classes = findings.manifest["classes"]
    key = next(key for key, rule in classes.items() if rule["limit_m"] == 500.0)
    rule = {**classes[key], "limit_m": None, "limit_minutes": 10.0, "walk_m": 500.0}
    return key, dataclasses.replace(findings, manifest={**findings.manifest, "classes": {**classes, key: rule}})


def test_each_gap_and_own_circle_carries_how_sure_its_limit_is(findings: Findings) -> None:
    classes = findings.manifest["classes"]
    gaps, circles = findings.layers["gaps"], findings.layers["circles"]
    assert len(gaps)
    for name in ("confidence", "clause"):
        assert gaps[name].tolist() == [classes[key][name] for key in gaps["facility_class"]]
    own = [row.limit == classes[row.facility_class]["limit_m"] for row in circles.itertuples()]
    assert circles["confidence"].notna().tolist() == own


def test_closing_lines_and_summary_name_no_rate_without_its_letter(
    findings: Findings, language: Language, tmp_path: Path
) -> None:
    line = summary_lines(findings, tmp_path, language)[1]
    classes = findings.manifest["classes"]
    assert line.count("%") == sum(line.count(with_confidence("%", letter, language)) for letter in "ABCD") > 0
    assert any(rule["confidence"] in line for rule in classes.values())
    bullets = [block.text for block in report_of(findings, language).blocks if isinstance(block, Paragraph)][:6]
    rates = [text for text in bullets if "%" in text]
    assert rates
    assert all(any(with_confidence("%", letter, language) in text for letter in "ABCD") for text in rates)


def test_the_map_says_how_sure_each_limit_is(findings: Findings, language: Language) -> None:
    names = Names(findings, language)
    content = page_content(findings, names)
    gaps = [layer for key, layer in content.layers.items() if key.startswith("gaps:")]
    modes = [mode for mode in content.layers["compounds"]["modes"] if mode["key"]]
    counted = {row["key"] for row in coverage_rows(findings, names)}
    assert gaps
    assert modes
    for key, rule in findings.manifest["classes"].items():
        letter = f"（{rule['confidence']}）" if language == "zh" else f"({rule['confidence']})"
        for note in [mode["note"] for mode in modes if mode["key"] == key]:
            assert (letter in note) == (key in counted)
            assert rule["confidence"] in note
    limits = [row for row in coverage_rows(findings, names) if row["sure"]]
    assert len(limits) == len(coverage_rows(findings, names))
    assert '"sure": "B"' in render_page(findings, language=language) or '"sure":"B"' in render_page(
        findings, language=language
    )


def test_minutes_taken_as_metres_are_said_wherever_the_limit_is(
    in_minutes: tuple[str, Findings], language: Language, tmp_path: Path
) -> None:
    key, findings = in_minutes
    said = metres_for_minutes(findings, key, language)
    minutes = "10 分钟" if language == "zh" else "10 min"
    assert minutes in said
    assert said in rule_basis(findings, key, language)
    assert said in summary_lines(findings, tmp_path, language)[1]
    row = next(row for row in coverage_rows(findings, Names(findings, language)) if row["key"] == key)
    assert minutes in row["limit"]
    facts = class_facts(findings, Coverage(findings), key, language)
    assert minutes in [words for _, words in facts]
    rules = next(table for table in report_of(findings, language).tables() if table.key == "rules")
    assert SAID[language] in rules.note
    assert sum(minutes in cell for line in rules.rows for cell in line[3:4]) == 1
    book = openpyxl.load_workbook(write_workbook(findings, tmp_path / "t.xlsx", language=language))
    cells = [str(cell.value) for cell in book.worksheets[-1]["B"]]
    assert any(SAID[language] in cell for cell in cells)


def test_stated_metres_are_not_told_as_minutes(findings: Findings, language: Language) -> None:
    assert not any(metres_for_minutes(findings, key, language) for key in findings.manifest["classes"])
