"""The section on land: its figures are those of the tables, in both languages, and the sums stand below them."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

import pytest
from made_findings import made_findings

from lifecircle.layers.findings import empty_table
from lifecircle.layers.words import LANGUAGES, say
from lifecircle.layers.zoning import group_names
from lifecircle.maps.formats import format_number
from lifecircle.maps.report import Heading, Report, Table, report_of
from lifecircle.maps.sections_zoning import BUNDLES

if TYPE_CHECKING:
    from lifecircle.layers.findings import Findings
    from lifecircle.layers.words import Language


@pytest.fixture(scope="module", params=LANGUAGES)
def pair(request: pytest.FixtureRequest) -> tuple[Findings, Report]:
    findings = made_findings(request.param)
    return findings, report_of(findings)


def _table(report: Report, key: str) -> Table:
    return next(table for table in report.tables() if table.key == key)


def hectares(area: float, language: Language) -> str:
    return format_number(area / 1e4, "decimal", language)


def test_every_use_has_one_bundle() -> None:
    listed = [use for uses in BUNDLES.values() for use in uses]
    assert sorted(listed) == sorted(group_names())


def test_the_balance_is_that_of_the_findings(pair: tuple[Findings, Report]) -> None:
    findings, report = pair
    frame = findings.tables["land_balance"]
    rows = {row[0]: row[1:] for row in _table(report, "land_balance").rows}
    sums = frame.groupby(["use_group", "when"])["area_m2"].sum()
    for use in frame["use_group"].unique():
        now, _, planned, _ = rows[say(f"values.use_{use}", report.language)]
        for cell, when in ((now, "now"), (planned, "planned")):
            area = sums.get((use, when), 0)
            assert cell == (hectares(area, report.language) if area else "—")
    whole = frame[frame["when"] == "now"]["area_m2"].sum()
    last = rows[say("report.total", report.language)]
    assert last[0] == last[2] == hectares(whole, report.language)


def test_rings_and_districts_say_now_and_planned(pair: tuple[Findings, Report]) -> None:
    findings, report = pair
    frame = findings.tables["land_balance"]
    rings = findings.layers["rings"].sort_values("order")
    table = _table(report, "land_rings")
    assert [column.title for column in table.columns[1:]] == rings["name"].tolist()
    green = next(row for row in table.rows if row[0] == say("values.use_green", report.language))
    for ring, cell in zip(rings["ring_id"], green[1:], strict=True):
        own = frame[(frame["ring_id"] == ring) & (frame["use_group"] == "green")]
        area = own.loc[own["when"] == "planned", "area_m2"].sum()
        assert cell == (f"— → {hectares(area, report.language)}" if area else "—")
    table = _table(report, "land_districts")
    assert len(table.rows) == len(findings.layers["districts"]) + 1
    assert table.total


def test_each_conflict_is_a_row_with_its_clause(pair: tuple[Findings, Report]) -> None:
    findings, report = pair
    frame, table = findings.tables["conflicts"], _table(report, "conflicts")
    assert len(table.rows) == len(frame)
    clause = "clause" if report.language == "zh" else "clause_en"
    for row, (_, conflict) in zip(table.rows, frame.iterrows(), strict=True):
        assert conflict[clause] in row[-1]
        assert conflict["confidence"] in row[-1]
        assert row[0] in ("", conflict["name"])
        assert not re.search(r"[{}]|None|nan", " ".join(row))
    assert table.rows[0][0] == frame["name"].iloc[0]


def test_verdicts_name_the_row_and_the_share(pair: tuple[Findings, Report]) -> None:
    findings, report = pair
    frame, table = findings.tables["land_verdicts"], _table(report, "land_verdicts")
    assert len(table.rows) == len(frame)
    for row, (_, verdict) in zip(table.rows, frame.iterrows(), strict=True):
        assert bool(row[3]) == (verdict["verdict"] == "share")
        assert row[4] == format_number(verdict["sites"], "count", report.language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_study_without_land_has_no_such_section(language: Language) -> None:
    findings = made_findings(language)
    bare = {name: empty_table(name) for name in ("land_balance", "conflicts", "land_verdicts")}
    without = dataclasses.replace(
        findings,
        tables={**findings.tables, **bare},
        layers={**findings.layers, **{name: findings.layers[name].head(0) for name in ("parcels", "projects")}},
    )
    heads = [block.text for block in report_of(without).blocks if isinstance(block, Heading)]
    assert say("land.title", language) not in heads
    planned = findings.tables["land_balance"]
    planned = planned[planned["when"] == "planned"]
    one = dataclasses.replace(findings, tables={**findings.tables, "land_balance": planned})
    table = _table(report_of(one), "land_balance")
    assert len(table.columns) == 3
    assert all("→" not in cell for row in _table(report_of(one), "land_rings").rows for cell in row)
