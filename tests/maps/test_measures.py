"""Measures, provision, evenness and sensitivity: every figure shown is the table's, in both languages."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

import openpyxl
import pandas as pd
import pytest

from lifecircle.layers.findings import TABLES
from lifecircle.layers.load import load_study
from lifecircle.layers.plan import find
from lifecircle.layers.sample import write_sample
from lifecircle.layers.words import LANGUAGES, say
from lifecircle.maps.formats import format_number, format_points
from lifecircle.maps.pagecoverage import coverage_rows, measures_offered
from lifecircle.maps.pagefields import Names
from lifecircle.maps.quotes import label
from lifecircle.maps.report import Report, Table, report_of
from lifecircle.maps.sections_enough import ROWS_MOST
from lifecircle.maps.workbook import write_workbook

if TYPE_CHECKING:
    from pathlib import Path

    from lifecircle.layers.findings import Findings
    from lifecircle.layers.words import Language


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    """Findings of a sample city, with a repair and a merge as a real place would have them."""
    found = find(load_study(write_sample(tmp_path_factory.mktemp("city"), people=20_000, seed=5)))
    repairs = [("parcels", "/data/a/p.shp", f"P{n}", "invalid", 100.25, 99.5) for n in range(15)]
    merges = [("kindergarten", "K1", "K2", "一幼", "第一幼儿园", 12.34, 0.8, "like_name")]
    rows = {"repairs": repairs, "merges": merges}
    made = {name: pd.DataFrame(row, columns=list(TABLES[name])) for name, row in rows.items()}
    made["indicators"] = pd.DataFrame([_indicator("people", 0.4217), _indicator("count", 17.0)])[
        list(TABLES["indicators"])
    ]
    return dataclasses.replace(found, tables={**found.tables, **made})


def _indicator(measure: str, value: float) -> dict[str, object]:
    """Return an indicator of the city as a standard of its own would have it."""
    names = {"standard_name": "某标准", "standard_name_en": "A standard", "name": "覆盖", "name_en": "Cover"}
    texts = {"clause": "第 1 条", "clause_en": "1", "formula": "甲÷乙", "formula_en": "a ÷ b", "confidence": "C"}
    counts = dict.fromkeys(("total", "covered", "uncovered", "unknown", "numerator", "denominator", "facilities"), 1)
    group = {"group_kind": "city", "group_id": "city", "group_name": "样例"}
    of = {"standard": "some", "indicator": "cover", "measure": measure, "basis": "radius", "limit": 500.0, "unit": "m"}
    return {**of, **names, **group, **counts, **texts, "value": value, "target": 0.8, "status": "not_met"}


@pytest.fixture(scope="module", params=LANGUAGES)
def report(request: pytest.FixtureRequest, findings: Findings) -> Report:
    return report_of(findings, request.param)


def _table(report: Report, key: str) -> Table:
    return next(table for table in report.tables() if table.key == key)


def _city(findings: Findings, table: str, **values: object) -> pd.DataFrame:
    frame = findings.tables[table]
    frame = frame[frame["group_kind"] == "city"] if "group_kind" in frame else frame
    for name, value in values.items():
        frame = frame[frame[name] == value]
    return frame.reset_index(drop=True)


def test_three_measures_stand_beside_the_straight_line(findings: Findings, report: Report) -> None:
    rows = [row for row in _table(report, "coverage").rows if row[8] != "—"]
    people = _city(findings, "coverage", measure="people", status="ok")
    assert len(rows) == len(people)
    for row, (_, of) in zip(rows, people.iterrows(), strict=True):
        same = {"facility_class": of["facility_class"], "circle": of["circle"]}
        land = _city(findings, "coverage", measure="residential_m2", **same).iloc[0]
        homes = _city(findings, "coverage", measure="compounds", **same).iloc[0]
        rates = [of["rate"], land["rate"], homes["rate"], of["buffer_rate"]]
        assert list(row[8:12]) == [format_number(rate, "percent", report.language) for rate in rates]
        assert of["confidence"] in row[1]
        shown = [float(cell.strip("<>%")) for cell in (row[8], row[11])]
        if not re.search("[<>]", row[8] + row[11]):
            assert float(row[12]) == pytest.approx(shown[1] - shown[0]), "as printed, to the tenth"
        assert row[12] == format_points(of["buffer_rate"], of["rate"], report.language)


def test_provision_is_the_tables_and_its_verdicts_are_words(findings: Findings, report: Report) -> None:
    city = _city(findings, "provision")
    shown = city[(city["basis"] == "stated") | city["status"].isin(["short", "unknown"])]
    rows = _table(report, "provision").rows
    assert len(rows) == min(len(shown), ROWS_MOST)
    for row, (_, of) in zip(rows, shown.iterrows(), strict=False):
        assert label("provision", of["status"], report.language) in row[-2]
        assert row[-3] == f"{of['size_unknown']}/{of['facilities']}"
        assert of["confidence"] in row[-1]
        if of["size_unknown"] == of["facilities"] > 0:
            assert row[-7] == row[-5] == row[-4] == "—", "a sum of nothing known is not zero"
            continue
        fine = "tenth" if of["metric"] == "count" else "count"
        assert row[-6] == format_number(of["needed"], fine, report.language)
        assert format_number(of["shortfall"], fine, report.language) in row[-4]


def test_access_is_the_two_step_mean_by_ring_and_who_reaches_none(findings: Findings, report: Report) -> None:
    city = _city(findings, "access", method="2sfca", status="ok")
    table = findings.tables["access"]
    rings = findings.layers["rings"].sort_values("order")["ring_id"]
    rows = _table(report, "access").rows
    assert len(rows) == len(city)
    for row, (_, of) in zip(rows, city.iterrows(), strict=True):
        own = table[(table["facility_class"] == of["facility_class"]) & (table["circle"] == of["circle"])]
        own = own[(own["method"] == "2sfca") & (own["group_kind"] == "ring")].set_index("group_id")["mean_per_1000"]
        means = [of["mean_per_1000"], *(own.loc[ring] for ring in rings)]
        assert list(row[2 : 3 + len(rings)]) == [format_number(mean, "tenth", report.language) for mean in means]
        assert row[-4] == f"{of['without']:,}"
        assert row[-2] == f"{of['unknown']:,}/{of['partly_unknown']:,}"
        assert of["partly_unknown"] + of["without"] + of["unknown"] <= of["total"]
        assert of["confidence"] in row[0]
        assert row[-1] == f"{of['supply_unknown']}/{of['facilities']}"


def test_evenness_and_sensitivity_are_the_tables(findings: Findings, report: Report) -> None:
    equity = _city(findings, "equity", value="walk", measure="people")
    shown = {row[-4:] for row in _table(report, "equity").rows}
    names = ["gini", "theil", "theil_between", "theil_within"]
    every = {tuple(format_number(of[name], "index", report.language) for name in names) for _, of in equity.iterrows()}
    assert shown <= every
    table = findings.tables["sensitivity"]
    own = table[table["walker"] == findings.manifest["study"]["walker"]]
    runs = {
        tuple(format_number(rate, "percent", report.language) for rate in of.sort_values("factor")["rate"])
        for _, of in own.groupby(["facility_class", "circle"])
    }
    assert {row[3:6] for row in _table(report, "sensitivity").rows} <= runs


def test_indicators_are_shares_or_numbers_with_basis_and_verdict(report: Report) -> None:
    share, number = _table(report, "indicators_1").rows
    assert (share[3], number[3]) == ("42.2%", "17")
    assert share[1] == label("measured", "people", report.language)
    assert share[2].startswith(label("basis", "radius", report.language))
    assert share[5] == label("indicator", "not_met", report.language)
    assert "C" in share[6]
    assert _table(report, "indicators_1").note.count("÷") == 1, "the formula in words, once where all have the same"


def test_the_appendix_lists_the_first_rows_and_points_to_the_rest(report: Report) -> None:
    repairs = _table(report, "repairs")
    assert len(repairs.rows) == 12
    assert all(row[1] == "p.shp" for row in repairs.rows), "where a file lies on a disk is nobody's business"
    assert repairs.rows[0][3] == label("repair", "invalid", report.language)
    assert _table(report, "merges").rows == (
        (
            _table(report, "merges").rows[0][0],
            "一幼",
            "第一幼儿园",
            "12.3",
            label("merge", "like_name", report.language),
        ),
    )
    assert any(
        getattr(block, "text", "") == say("report.continued", report.language, count=3) for block in report.blocks
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_workbook_names_every_column_and_code(findings: Findings, language: Language, tmp_path: Path) -> None:
    path = write_workbook(findings, tmp_path / "tables.xlsx", language=language)
    book = openpyxl.load_workbook(path, read_only=True)
    assert book.sheetnames[0] == say("report.sheet_missing", language)
    codes = {"short", "2sfca", "building_m2", "1000_people", "standard", "like_name", "invalid", "circle_15", "stated"}
    for name in ("missing", "provision", "access", "equity", "sensitivity", "repairs", "merges", "indicators"):
        head, *rows = book[say(f"report.sheet_{name}", language)].iter_rows(values_only=True)
        assert not {str(title) for title in head} & set(TABLES[name]), name
        assert len(rows) == len(findings.tables[name])
        if language == "zh":
            assert not {str(cell) for row in rows for cell in row} & codes, name


def test_the_map_offers_each_measure_with_the_figures_of_the_report(findings: Findings) -> None:
    names = Names(findings, "zh")
    assert [item["key"] for item in measures_offered(names)] == ["group", "people", "land", "homes", "line"]
    page = [row for row in coverage_rows(findings, names) if row["others"]]
    rows = [row for row in _table(report_of(findings, "zh"), "coverage").rows if row[8] != "—"]
    assert [tuple(row["others"][key]["text"] for key in ("people", "land", "homes", "line")) for row in page] == [
        row[8:12] for row in rows
    ]
