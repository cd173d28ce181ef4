"""The report's content: every number is the findings', captions run through and are referred to, two languages."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

import pytest
from made_findings import made_findings

from lifecircle.layers.words import LANGUAGES, catalogue, say
from lifecircle.maps.formats import format_number
from lifecircle.maps.quotes import served
from lifecircle.maps.report import Figure, Heading, Paragraph, Report, Table, number_blocks, refer, report_of

if TYPE_CHECKING:
    from lifecircle.layers.findings import Findings
    from lifecircle.layers.words import Language


@pytest.fixture(scope="module", params=LANGUAGES)
def pair(request: pytest.FixtureRequest) -> tuple[Findings, Report]:
    findings = made_findings(request.param)
    return findings, report_of(findings)


def _table(report: Report, key: str) -> Table:
    return next(table for table in report.tables() if table.key == key)


def _texts(report: Report) -> list[str]:
    texts = [report.title, report.subtitle, *(words for pair in report.facts for words in pair)]
    for block in report.blocks:
        if isinstance(block, Table):
            texts += [block.caption, block.note, *(column.title for column in block.columns)]
            texts += [cell for row in block.rows for cell in row]
        elif isinstance(block, Figure):
            texts += [block.caption, *block.source]
        else:
            texts.append(block.text)
    return texts


def test_numbers_of_coverage_are_the_findings(pair: tuple[Findings, Report]) -> None:
    findings, report = pair
    rows = _table(report, "coverage").rows
    coverage = findings.tables["coverage"]
    for row, (key, rule) in zip(rows, findings.manifest["classes"].items(), strict=True):
        of_class = coverage[(coverage["facility_class"] == key) & (coverage["group_kind"] == "city")].set_index(
            "measure"
        )
        headline = rule["group"] if rule["group"] in of_class.index else "people"
        group = of_class.loc[headline]
        assert row[0] == rule[report.language]
        assert rule["confidence"] in row[1]
        assert row[2] == served(headline, report.language)
        assert row[3] == f"{group['total']:,}"
        if group["status"] == "no_data":
            assert row[4:6] == ("—", "—")
            assert row[6] == f"{group['unknown']:,}"
            assert row[7] in {"无数据", "no data"}
            assert set(row[8:]) == {"—"}
            continue
        assert row[4:7] == tuple(f"{group[name]:,}" for name in ("covered", "uncovered", "unknown"))
        assert group["covered"] + group["uncovered"] + group["unknown"] == group["total"]
        assert row[7] == f"{group['rate']:.1%}"


@pytest.mark.parametrize("kind", ["ring", "district"])
def test_numbers_by_group_are_the_findings(pair: tuple[Findings, Report], kind: str) -> None:
    findings, report = pair
    coverage = findings.tables["coverage"]
    *groups, city = _table(report, f"by_{kind}").rows
    for name, total, *cells in groups:
        for place, key in enumerate(("elderly_day_care", "food_market")):
            of_group = (coverage["group_kind"] == kind) & (coverage["group_name"] == name)
            some = coverage[(coverage["facility_class"] == key) & of_group]
            assert total == f"{some[some['measure'] == 'people'].iloc[0]['total']:,}"
            row = some[some["measure"] == findings.manifest["classes"][key]["group"]].iloc[0]
            assert cells[2 * place : 2 * place + 2] == [f"{row['rate']:.1%}", f"{row['uncovered']:,}"]
    for column in (3, 5):
        assert sum(int(row[column].replace(",", "")) for row in groups) == int(city[column].replace(",", ""))


def test_neighbourhoods_by_state_agree_with_coverage(pair: tuple[Findings, Report]) -> None:
    findings, report = pair
    rows = findings.tables["coverage"].query("group_kind == 'city' and measure == 'compounds' and status == 'ok'")
    listed = [tuple(map(int, row[2:])) for row in _table(report, "lacking_classes").rows]
    expected = [tuple(row) for row in rows[["covered", "uncovered", "unknown"]].itertuples(index=False)]
    found = [(present + partial + small, far, unknown) for present, partial, small, far, unknown in listed]
    assert sorted(found) == sorted(expected)
    missing = findings.tables["missing"]
    counts = missing[missing["required"]].groupby("facility_class")["status"].value_counts()
    assert sum(row[1] for row in listed) == counts.get(("kindergarten", "partial"), 0) > 0


def test_the_largest_shortfalls_come_first(pair: tuple[Findings, Report]) -> None:
    findings, report = pair
    missing = findings.tables["missing"]
    beyond = missing[missing["required"]].groupby("compound_name")["people_lacking"].sum()
    table = _table(report, "lacking")
    titles = [column.title for column in table.columns]
    at = titles.index(say("report.col_shortfall", report.language))
    shown = [int(row[at].replace(",", "")) for row in table.rows]
    assert shown == sorted(shown, reverse=True)
    assert dict(zip([row[0] for row in table.rows], shown, strict=True)) == beyond[beyond > 0].astype(int).to_dict()
    compounds = findings.layers["compounds"].set_index("name")
    for row in table.rows:
        counts = compounds.loc[row[0], ["missing_count", "partial_count"]].tolist()
        assert [int(cell) for cell in row[at + 1 : at + 3]] == counts


def test_totals_are_the_manifests(pair: tuple[Findings, Report]) -> None:
    findings, report = pair
    totals = findings.manifest["totals"]
    last = _table(report, "rings").rows[-1]
    assert last[3:] == tuple(
        f"{totals[name]:,}" for name in ("people", "elders_60", "households", "compounds", "projects")
    )
    *rows, last = _table(report, "land_balance").rows
    for column in (1, 3):
        values = [0.0 if row[column] == "—" else float(row[column].replace(",", "")) for row in rows]
        assert sum(values) == pytest.approx(float(last[column].replace(",", "")), abs=0.01 * len(rows))
    assert _table(report, "projects_by_ring").rows[-1][-6] == str(totals["projects"])


def test_sites_carry_their_proof(pair: tuple[Findings, Report]) -> None:
    findings, report = pair
    siting = findings.tables["siting"]
    for row, (_, found) in zip(_table(report, "siting").rows, siting.iterrows(), strict=True):
        names = ("wanted", "candidates", "chosen", "covered_before", "covered_after", "objective", "bound")
        assert row[2:9] == tuple(format_number(found[name], "count", report.language) for name in names)
        assert row[9] == "0.0%"
    listed = [row[1] for table in report.tables() if table.key.startswith("sites_") for row in table.rows]
    assert sorted(listed) == sorted(findings.tables["sites"]["name"])


def test_captions_run_through_and_each_is_referred_to(pair: tuple[Findings, Report]) -> None:
    _, report = pair
    assert [table.number for table in report.tables()] == list(range(1, len(report.tables()) + 1))
    assert [figure.number for figure in report.figures()] == list(range(1, len(report.figures()) + 1))
    said = " ".join(block.text for block in report.blocks if isinstance(block, Paragraph))
    for block in [*report.tables(), *report.figures()]:
        assert re.search(rf"{report.label(block)}(?!\d)", said), f"nothing refers to {report.label(block)}"
    assert "\ue000" not in "".join(_texts(report))


def test_every_row_has_its_columns(pair: tuple[Findings, Report]) -> None:
    for table in pair[1].tables():
        assert table.rows, table.key
        assert {len(row) for row in table.rows} == {len(table.columns)}, table.key


def test_summary_has_six_points(pair: tuple[Findings, Report]) -> None:
    blocks = pair[1].blocks
    assert isinstance(blocks[0], Heading)
    assert [getattr(block, "kind", "") for block in blocks[1:8]] == ["bullet"] * 6 + ["note"]


def test_no_value_leaks_as_nan_or_code(pair: tuple[Findings, Report]) -> None:
    for words in _texts(pair[1]):
        assert not re.search(r"\b(nan|None|NaT|<NA>)\b", words), words
        assert not re.search(r"\b(elderly_day_care|food_market|too_far|elders_60|idle_land)\b", words), words


def test_english_has_no_chinese_but_names() -> None:
    findings = made_findings("en")
    names = {str(name) for layer in findings.layers.values() if "name" in layer for name in layer["name"]}
    names |= {rule["clause"] for rule in findings.manifest["classes"].values()}
    for words in _texts(report_of(findings)):
        rest = words
        for name in sorted(names, key=len, reverse=True):
            rest = rest.replace(name, "")
        assert not re.search("[\u4e00-\u9fff]", rest), words


@pytest.mark.parametrize("language", LANGUAGES)
def test_bare_study_says_what_it_lacks(language: Language) -> None:
    full = made_findings(language)
    empty = ("rings", "projects", "parcels", "sites", "districts")
    layers = {**full.layers, **{name: full.layers[name].iloc[:0] for name in empty}}
    tables = {
        **full.tables,
        **{name: full.tables[name].iloc[:0] for name in ("siting", "zoning", "projects_by_ring", "sites")},
    }
    coverage = full.tables["coverage"]
    tables["coverage"] = coverage[coverage["group_kind"].isin(["city", "compound"]) & (coverage["measure"] == "people")]
    totals = {**full.manifest["totals"], "elders_60": None}
    compounds = full.layers["compounds"].assign(kind="cell", year_built=float("nan"))
    bare = dataclasses.replace(
        full, layers={**layers, "compounds": compounds}, tables=tables, manifest={**full.manifest, "totals": totals}
    )
    report = report_of(bare, language)
    said = " ".join(_texts(report))
    for key in ("report.summary_no_rings", "report.projects_none", "report.sites_none", "report.lacking_cell_note"):
        assert catalogue()[key][language] in said
    assert catalogue()["report.summary_elders_unknown"][language] in said
    assert {figure.key for figure in report.figures()} == {
        "location",
        "missing",
        "class_elderly_day_care",
        "class_food_market",
        "overview_1",
    }


def test_notes_and_warnings_are_repeated() -> None:
    findings = made_findings("zh")
    notes = [{"code": "study.ids_generated", "detail": {"layer": "compounds", "count": 12}}]
    fault = {
        "code": "faults.negative",
        "layer": "compounds",
        "row": 7,
        "column": "households",
        "value": -3,
        "detail": {},
    }
    manifest = {**findings.manifest, "notes": notes, "warnings": [fault] * 3}
    said = _texts(report_of(dataclasses.replace(findings, manifest=manifest)))
    assert any("已按顺序编号（12 行）" in words for words in said)
    assert sum("households" in words and "-3" in words for words in said) == 1, "equal warnings are said once"


def test_a_partly_empty_column_has_a_lower_bound_for_total() -> None:
    findings = made_findings("zh")
    by_ring = findings.tables["projects_by_ring"].copy()
    by_ring["households"] = by_ring["households"].astype(float)
    by_ring.loc[0, "households"] = float("nan")
    changed = dataclasses.replace(findings, tables={**findings.tables, "projects_by_ring": by_ring})
    table = _table(report_of(changed), "projects_by_ring")
    assert table.rows[-1][-4].startswith("≥ ")
    assert table.note


def test_a_sum_without_some_projects_is_a_lower_bound_in_its_row_and_the_total() -> None:
    findings = made_findings("zh")
    by_ring = findings.tables["projects_by_ring"].copy()
    by_ring.loc[0, "people_after_unknown"] = 2
    changed = dataclasses.replace(findings, tables={**findings.tables, "projects_by_ring": by_ring})
    table = _table(report_of(changed), "projects_by_ring")
    assert [row[-1].startswith("≥ ") for row in table.rows] == [True, *[False] * (len(by_ring) - 1), True]


def test_every_project_against_its_ring_is_marked_in_the_list() -> None:
    findings = made_findings("zh")
    projects = findings.layers["projects"].assign(against_policy=True)
    report = report_of(dataclasses.replace(findings, layers={**findings.layers, "projects": projects}))
    table = _table(report, "projects")
    assert {row[-1] for row in table.rows} == {"不一致"}
    assert table.columns[-1].title == "圈层导向"


def test_a_reference_to_nothing_is_an_error() -> None:
    with pytest.raises(KeyError):
        number_blocks([Paragraph(refer("table", "nowhere"))], "zh")
