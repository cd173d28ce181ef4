"""The section on candidates and its sheets: their counts are those of the findings, in both languages."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from made_findings import made_findings
from openpyxl import load_workbook

from lifecircle.layers.findings import empty_table
from lifecircle.layers.words import LANGUAGES, say
from lifecircle.maps.report import Block, Desk, Table, report_of
from lifecircle.maps.sections_candidates import candidates
from lifecircle.maps.workbook import write_workbook

if TYPE_CHECKING:
    from pathlib import Path

    from lifecircle.layers.words import Language


@pytest.fixture(scope="module", params=LANGUAGES)
def desk(request: pytest.FixtureRequest) -> Desk:
    return Desk(made_findings(request.param), request.param)


def table(blocks: list[Block], key: str) -> Table:
    return next(block for block in blocks if isinstance(block, Table) and block.key == key)


def test_tried_is_fit_and_refused(desk: Desk) -> None:
    findings, blocks = desk.findings, candidates(desk)
    frame = findings.layers["candidates"]
    rows = table(blocks, "candidates").rows
    assert len(rows) == frame["facility_class"].nunique()
    for row in rows:
        tried, fit, approval, refused = (int(cell) for cell in row[1:])
        assert tried == fit + refused
        assert approval <= fit
    assert sum(int(row[1]) for row in rows) == len(frame)
    assert sum(int(row[2]) for row in rows) == frame["fits"].sum()


def test_reasons_are_counted_by_class(desk: Desk) -> None:
    findings, blocks = desk.findings, candidates(desk)
    refusals = findings.tables["refusals"]
    found = table(blocks, "refusals")
    assert sum(int(cell) for row in found.rows for cell in row[1:-1]) == len(
        refusals.drop_duplicates(["site_id", "facility_class", "reason"])
    )
    names = {say(f"values.reason_{reason}", desk.language) for reason in refusals["reason"]}
    assert {row[0] for row in found.rows} == names


def test_places_refused_for_one_thing_are_listed_nearest_first(desk: Desk) -> None:
    findings = desk.findings
    refusals = findings.tables["refusals"]
    alone = refusals[refusals["reason"] == "frontage"]
    other = alone.assign(site_id="s9", name="又一处", measured=11.0)
    changed = dataclasses.replace(
        findings, tables={**findings.tables, "refusals": pd.concat([alone, other], ignore_index=True)}
    )
    rows = table(candidates(Desk(changed, desk.language)), "refusals_near").rows
    assert rows[0][0] == "又一处"
    assert rows[0][3].startswith("11 ")


def test_without_land_there_is_no_such_section() -> None:
    findings = made_findings("zh")
    streets = findings.layers["candidates"].assign(source="street")
    bare = dataclasses.replace(
        findings,
        layers={**findings.layers, "candidates": streets},
        tables={**findings.tables, "refusals": empty_table("refusals")},
    )
    assert candidates(Desk(bare, "zh")) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_report_holds_it(language: Language) -> None:
    keys = [found.key for found in report_of(made_findings(language)).tables()]
    assert {"candidates", "refusals"} <= set(keys)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_workbook_has_every_candidate_and_refusal(language: Language, tmp_path: Path) -> None:
    findings = made_findings(language)
    book = load_workbook(write_workbook(findings, tmp_path / "tables.xlsx"))
    tried, refused = (book[say(f"report.sheet_{name}", language)] for name in ("candidates", "refusals"))
    assert tried.max_row == len(findings.layers["candidates"]) + 1
    assert refused.max_row == len(findings.tables["refusals"]) + 1
    cells = {cell.value for row in refused.iter_rows() for cell in row}
    assert say("values.reason_frontage", language) in cells
    assert "frontage" not in cells
    heads = [cell.value for cell in refused[1]]
    assert not any("_" in str(head) for head in heads)
    assert not any("_" in str(cell.value) for cell in tried[1])
