"""Limits and walks in their own unit: a plan at an elderly pace says minutes everywhere, one by the standard metres."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_findings import made_findings

from lifecircle.layers.load import load_study
from lifecircle.layers.plan import find
from lifecircle.layers.sample import write_sample
from lifecircle.layers.words import LANGUAGES, Language, say
from lifecircle.maps import formats
from lifecircle.maps.page import render_page, write_page
from lifecircle.maps.quotes import Coverage, circle_label
from lifecircle.maps.report import Figure, Report, Table, report_of
from lifecircle.maps.sheet import source_lines, write_sheets
from lifecircle.maps.summary import summary_lines
from lifecircle.maps.workbook import write_workbook

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from playwright.sync_api import Browser

    from lifecircle.layers.findings import Findings

PEOPLE = 20_000
METRES = re.compile(r"(?<![\d.])([\d,.]+)(?: ?米| m\b(?!/))")
"""A length in metres, in Chinese or English; areas are written 平方米 and m²."""
HEIGHT = re.compile("限高|height")
"""What speaks of buildings: their metres are no walks."""


@pytest.fixture(scope="module")
def study_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("city"), people=PEOPLE, seed=3)


@pytest.fixture(scope="module")
def standard(study_file: Path) -> Findings:
    return find(load_study(study_file))


@pytest.fixture(scope="module")
def elderly(study_file: Path) -> Findings:
    text = study_file.read_text(encoding="utf-8")
    copy = study_file.with_name("elderly.toml")
    copy.write_text(text.replace('walker = "standard"', 'walker = "elderly"'), encoding="utf-8")
    return find(load_study(copy))


def _table(report: Report, key: str) -> Table:
    return next(table for table in report.tables() if table.key == key)


def _column(table: Table, title: str) -> list[str]:
    place = [column.title for column in table.columns].index(title)
    return [row[place] for row in table.rows]


QUOTING = {"rules", "refusals_near"}


def _texts(report: Report) -> list[str]:
    """Return every text of a report but the cells of tables that quote metres: of the standard, and of plots."""
    texts = [report.title, report.subtitle, *(words for pair in report.facts for words in pair)]
    for block in report.blocks:
        if isinstance(block, Table):
            texts += [block.caption, block.note, *(column.title for column in block.columns)]
            texts += [] if block.key in QUOTING else [cell for row in block.rows for cell in row]
        elif isinstance(block, Figure):
            texts += [block.caption, *block.source]
        else:
            texts.append(block.text)
    return texts


def _config(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="lifecircle-page">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    config: dict[str, Any] = json.loads(found[1])
    return config


def test_findings_say_the_unit_of_every_limit_and_walk(standard: Findings, elderly: Findings) -> None:
    for findings, unit in ((standard, "m"), (elderly, "s")):
        frames = (findings.layers["gaps"], findings.layers["circles"], findings.tables["missing"])
        for frame in (*frames, findings.tables["coverage"]):
            assert set(frame["unit"]) == {unit}
        assert findings.manifest["study"]["walker_unit"] == unit
    assert standard.manifest["study"]["walker_speed_mps"] is None
    assert elderly.manifest["study"]["walker_speed_mps"] == 0.8
    for frame in (elderly.layers["gaps"], elderly.tables["missing"], elderly.tables["coverage"]):
        assert (frame["limit"] == 60 * frame["circle"]).all()
    assert (elderly.layers["circles"]["limit"] == 60 * elderly.layers["circles"]["minutes"]).all()
    far = elderly.layers["gaps"].query("status == 'too_far'")
    assert (far["walk"].isna() | (far["walk"] > far["limit"])).all()


def test_the_straight_line_stays_in_the_metres_of_the_standard(standard: Findings, elderly: Findings) -> None:
    keys = ["facility_class", "group_kind", "group_id", "measure"]
    rates = [found.tables["coverage"].set_index(keys)["buffer_rate"] for found in (standard, elderly)]
    pd.testing.assert_series_equal(*rates)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_report_says_minutes_and_who_walks(elderly: Findings, language: Language) -> None:
    report = report_of(elderly, language)
    minutes = say("map.unit_min", language)
    table = _table(report, "rules")
    circles = elderly.tables["coverage"].drop_duplicates(["facility_class", "circle"])["circle"]
    wanted = [f"{circle}{minutes}" for circle in circles]
    assert wanted in [[row[place] for row in table.rows] for place in range(len(table.columns))]
    said = _texts(report)
    assert [words for words in said if METRES.search(words) and not HEIGHT.search(words)] == []
    assert sum("0.8 m/s" in words for words in said) >= 3


def test_the_rules_give_the_limit_of_the_standard_and_the_one_used(elderly: Findings) -> None:
    table = _table(report_of(elderly, "zh"), "rules")
    rules = elderly.manifest["classes"].values()
    assert _column(table, "标准限值") == [formats.format_limit(rule["limit_m"], "m", "zh") for rule in rules]
    assert _column(table, "本次限值") == [f"{rule['circle']} 分钟" for rule in rules]
    assert "老年人 0.8 m/s" in table.note


def test_the_report_by_the_standard_says_metres(standard: Findings) -> None:
    report = report_of(standard, "zh")
    rules = standard.manifest["classes"].values()
    metres = [formats.format_limit(rule["limit_m"], "m", "zh") for rule in rules]
    assert _column(_table(report, "rules"), "步行限值") == metres
    assert all("m/s" not in words and "步行者" not in words for words in _texts(report))


def _sheets(findings: Findings, path: Path, language: Language) -> dict[str, list[dict[str, Any]]]:
    book = openpyxl.load_workbook(write_workbook(findings, path, language=language))
    rows = {}
    for name in ("coverage", "missing"):
        head, *cells = book[say(f"report.sheet_{name}", language)].iter_rows(values_only=True)
        rows[name] = [dict(zip(head, row, strict=True)) for row in cells]
    return rows


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_workbook_holds_minutes_under_heads_that_say_so(
    elderly: Findings, standard: Findings, tmp_path: Path, language: Language
) -> None:
    for full, ending, divisor in ((elderly, "min", 60.0), (standard, "m", 1.0)):
        tables = {name: frame.head(300) for name, frame in full.tables.items()}
        layers = {name: frame.head(10) for name, frame in full.layers.items()}
        findings = dataclasses.replace(full, tables=tables, layers=layers)
        found = _sheets(findings, tmp_path / f"{ending}.xlsx", language)
        for name, columns in (("coverage", ["limit"]), ("missing", ["limit", "walk"])):
            table = findings.tables[name]
            assert {row[say("report.head_unit", language)] for row in found[name]} == {
                say(f"report.unit_{ending}", language)
            }
            for column in columns:
                head = say(f"report.head_{column}_{ending}", language)
                shown = np.array([row[head] for row in found[name]], dtype=float)
                np.testing.assert_allclose(shown, table[column].to_numpy(dtype=float) / divisor, rtol=1e-15)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_says_minutes_and_the_metres_only_as_the_standards(elderly: Findings, language: Language) -> None:
    config = _config(render_page(elderly, language=language))
    classes = elderly.manifest["classes"]
    assert config["coverage"]
    for row in config["coverage"]:
        rule = classes[row["key"]]
        metres = formats.format_limit(rule["limit_m"], "m", language)
        limit = formats.format_limit(60.0 * rule["circle"], "s", language)
        assert row["limit"] == say("map.limit_beside", language, limit=limit, standard=metres)
    labels = [layer["label"] for key, layer in config["layers"].items() if key.startswith("circles:")]
    assert labels
    assert all("0.8 m/s" in words and not METRES.search(words) for words in labels)
    assert "0.8 m/s" in " ".join(config["study"]["lines"])


def test_the_page_by_the_standard_says_metres(standard: Findings) -> None:
    config = _config(render_page(standard, language="zh"))
    for row in config["coverage"]:
        assert row["limit"] == formats.format_limit(standard.manifest["classes"][row["key"]]["limit_m"], "m", "zh")
    labels = {layer["label"] for key, layer in config["layers"].items() if key.startswith("circles:")}
    assert {label.partition(" · 本类限值")[0] for label in labels} == {
        "5 分钟步行（300 米）",
        "10 分钟步行（500 米）",
        "15 分钟步行（1,000 米）",
        "步行 800 米",
    }
    assert all("步行者" not in line for line in config["study"]["lines"])


@pytest.mark.browser
def test_popups_say_minutes(elderly: Findings, browser: Browser, tmp_path: Path) -> None:
    page = browser.new_page()
    page.goto(write_page(elderly, tmp_path / "map.html", language="zh").as_uri())
    page.wait_for_selector("html[data-ready=yes]", state="attached")
    page.evaluate("lifecircle.openPopup('compounds', 0)")
    page.wait_for_selector(".lc-missing")
    first = elderly.layers["compounds"]["compound_id"].iloc[0]
    missing = elderly.tables["missing"]
    own = missing[(missing["compound_id"] == first) & missing["walk"].notna()].round(1)
    middle = [say("map.page_walk_middle", "zh", walk=formats.format_walk(walk, "s", "zh")) for walk in own["walk"]]
    longest = [
        say("map.page_walk_longest", "zh", walk=formats.format_walk(walk, "s", "zh")) for walk in own["walk_longest"]
    ]
    assert middle
    assert sorted(page.locator(".lc-missing .lc-far").all_inner_texts()) == sorted(middle + longest)
    gap = elderly.layers["gaps"].iloc[0]
    page.evaluate("key => lifecircle.openPopup(key, 0)", f"gaps:{gap['facility_class']}")
    card = page.locator(".lc-card", has_text="步行限值").inner_text()
    assert formats.format_walk(round(gap["walk"]), "s", "zh") in card
    assert f"{gap['circle']} 分钟" in card
    assert not METRES.search(card)
    values = [0.0, 29.0, 59.9, 300.0, 390.0, 1_234.5]
    for unit in ("m", "s"):
        written = page.evaluate(
            "([values, unit]) => values.map(at => [lifecircle.formatWalk(at, unit), lifecircle.formatLimit(at, unit)])",
            [values, unit],
        )
        expected = [
            [formats.format_walk(value, unit, "zh"), formats.format_limit(value, unit, "zh")] for value in values
        ]
        assert written == expected
    page.close()


def at_a_pace(findings: Findings, **study: object) -> Findings:
    """Return made findings counted in time: limits by the circle's minutes, walks at 0.8 m/s."""

    def timed(frame: Any, minutes: str) -> Any:  # noqa: ANN401  a frame with or without geometry
        walks = {"walk": frame["walk"] / 0.8} if "walk" in frame else {}
        return frame.assign(unit="s", limit=60.0 * frame[minutes], **walks)

    layers = dict(findings.layers)
    layers |= {name: timed(layers[name], column) for name, column in (("gaps", "circle"), ("circles", "minutes"))}
    tables = dict(findings.tables)
    tables |= {name: timed(tables[name], "circle") for name in ("coverage", "missing")}
    said = {"walker": "elderly", "walker_speed_mps": 0.8, "walker_unit": "s", **study}
    manifest = {**findings.manifest, "study": {**findings.manifest["study"], **said}}
    return dataclasses.replace(findings, layers=layers, tables=tables, manifest=manifest)


@pytest.mark.parametrize("language", LANGUAGES)
def test_sheets_say_minutes_and_who_walks(tmp_path: Path, language: Language) -> None:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (poppler-utils) is not installed")
    findings = at_a_pace(made_findings(language))
    for sheet in write_sheets(findings, tmp_path, formats=("pdf",)):
        raw = subprocess.run(["pdftotext", sheet.paths["pdf"], "-"], check=True, capture_output=True).stdout.decode()
        words = re.sub(r"\s+", " ", raw) if language == "en" else re.sub(r"\s", "", raw)
        assert {"zh": "步行者：老年人0.8m/s", "en": "walker: elderly, 0.8 m/s"}[language] in words
        if sheet.key == "class_food_market":
            circle = {"zh": "10分钟步行（老年人，0.8m/s）", "en": "10-minute walk (elderly, 0.8 m/s)"}[language]
            assert circle in words
            # The one length beside the scale bar's is the standard's.
            assert {"zh": "标准限值", "en": "Limit of the standard"}[language] in words
            assert {"zh": "10分钟", "en": "10 min"}[language] in words


def test_a_walker_of_the_users_own_is_called_by_their_word() -> None:
    own = at_a_pace(made_findings("zh"), walker="推婴儿车", walker_speed_mps=0.95)
    assert circle_label(own, 5, 300.0, "s", "zh") == "5 分钟步行（推婴儿车，0.95 m/s）"
    assert "步行者：推婴儿车 0.95 m/s" in source_lines(own, "zh")[-1]
    named = at_a_pace(made_findings("zh"), walker="standard", walker_speed_mps=1.0)
    assert circle_label(named, 5, 300.0, "s", "zh") == "5 分钟步行（standard，1 m/s）", "one that hides the standard's"


def test_the_closing_lines_say_who_walks(tmp_path: Path) -> None:
    assert "老年人 0.8 m/s" in summary_lines(at_a_pace(made_findings("zh")), tmp_path, "zh")[1]
    assert "m/s" not in "".join(summary_lines(made_findings("zh"), tmp_path, "zh"))


@given(st.floats(0, 1e5), st.sampled_from(LANGUAGES))
def test_seconds_are_never_written_as_metres(value: float, language: Language) -> None:
    for write in (formats.format_walk, formats.format_limit):
        assert write(value, "s", language).endswith(say("map.unit_min", language))
        assert write(value, "m", language).endswith(say("map.unit_m", language))
        shown = float(write(value, "s", language).split()[0].replace(",", ""))
        assert abs(60 * shown - value) <= 3.0 + 1e-6 * value


def in_two_circles(findings: Findings, key: str, circle: int, limit: float, *, first: bool) -> Findings:
    """Return findings in which a class is required in a second circle too, where everybody known is covered."""

    def second(table: pd.DataFrame, **changed: object) -> pd.DataFrame:
        rows = table[table["facility_class"] == key].assign(circle=circle, limit=limit, **changed)
        return pd.concat([rows, table] if first else [table, rows], ignore_index=True)

    coverage = findings.tables["coverage"]
    own = coverage[coverage["facility_class"] == key]
    everybody: Mapping[str, Any] = {
        "covered": own["covered"] + own["uncovered"],
        "uncovered": 0,
        "rate": 1.0,
        "after_rate": 1.0,
        "after_covered": own["covered"] + own["uncovered"],
    }
    tables = {**findings.tables, "coverage": second(coverage, **everybody)}
    tables["missing"] = second(findings.tables["missing"], status="present")
    return dataclasses.replace(findings, tables=tables)


@pytest.mark.parametrize("first", [True, False])
def test_a_class_required_in_two_circles_shows_both(first: bool, tmp_path: Path) -> None:  # noqa: FBT001  pytest gives it by name
    made = made_findings("zh")
    both = in_two_circles(made, "food_market", 15, 1000.0, first=first)
    coverage, alone = Coverage(both), Coverage(made)
    assert coverage.circles("food_market") == (10, 15)
    assert coverage.city("food_market") == alone.city("food_market"), "the circle of the manifest is the class's own"
    assert [quote.limit for quote in coverage.each("food_market")] == [500.0, 1000.0]
    for group, _ in coverage.groups("ring"):
        wide = coverage.group("food_market", "ring", group, circle=15)
        own = alone.group("food_market", "ring", group)
        assert wide is not None
        assert own is not None
        assert (wide.covered, wide.uncovered) == (own.covered + own.uncovered, 0)
    rows = {row[0]: row for row in _table(report_of(both), "coverage").rows}
    name = made.manifest["classes"]["food_market"]["zh"]
    narrow, wide_row = rows[f"{name}（10 分钟圈）"], rows[f"{name}（15 分钟圈）"]
    assert narrow[7] != "100.0%"
    assert wide_row[7] == "100.0%"
    page = [row for row in _config(render_page(both))["coverage"] if row["key"] == "food_market"]
    assert [row["limit"] for row in page] == ["500 米", "1,000 米"]
    assert page[0]["rate"] < page[1]["rate"] == 1.0
    assert "（15 分钟圈，常住人口）100.0%（" in summary_lines(both, tmp_path, "zh")[1]


@pytest.mark.browser
def test_the_popup_tells_two_circles_apart(browser: Browser, tmp_path: Path) -> None:
    both = in_two_circles(made_findings("zh"), "food_market", 15, 1000.0, first=False)
    page = browser.new_page()
    page.goto(write_page(both, tmp_path / "map.html").as_uri())
    page.wait_for_selector("html[data-ready=yes]", state="attached")
    page.evaluate("lifecircle.openPopup('compounds', 10)")
    page.wait_for_selector(".lc-missing")
    heads = [words.split("\n")[0] for words in page.locator(".lc-missing tbody th").all_inner_texts()]
    assert {"菜市场或生鲜超市（10 分钟圈）", "菜市场或生鲜超市（15 分钟圈）"} <= set(heads)
    page.close()
