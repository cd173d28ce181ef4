"""One figure a class: the same rate of the same group on screen, on the map, on the sheets and in the report."""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING, cast

import pytest
from made_findings import made_findings

from lifecircle.layers.load import load_study
from lifecircle.layers.plan import find
from lifecircle.layers.sample import write_sample
from lifecircle.maps.page import render_page
from lifecircle.maps.quotes import Coverage, class_name, required_classes, served
from lifecircle.maps.report import report_of
from lifecircle.maps.sheet import write_sheets
from lifecircle.maps.summary import summary_lines

if TYPE_CHECKING:
    from pathlib import Path

    from lifecircle.layers.findings import Findings


@pytest.fixture(scope="module", params=["made", "sample"])
def findings(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Findings:
    """Findings made by hand, and those of a sample city of 20,000."""
    if request.param == "made":
        return made_findings("zh")
    return find(load_study(write_sample(tmp_path_factory.mktemp("city"), people=20_000, seed=3)))


def _config(findings: Findings) -> dict[str, object]:
    found = re.search(r'id="lifecircle-page">(.*?)</script>', render_page(findings, language="zh"), re.DOTALL)
    assert found is not None
    return cast("dict[str, object]", json.loads(found[1]))


def _texts(path: Path) -> str:
    return html.unescape("\n".join(re.findall(r"<!-- (.*?) -->", path.read_text(encoding="utf-8"))))


def test_screen_map_sheets_and_report_show_one_figure_for_a_class(findings: Findings, tmp_path: Path) -> None:
    coverage = Coverage(findings)
    table = {(row[0], row[2]): row for row in _rows(findings, "coverage")}
    page = {(row["key"], row["name"]): row for row in cast("list[dict[str, str]]", _config(findings)["coverage"])}
    line = summary_lines(findings, tmp_path, "zh")[1]
    sheets = {sheet.key: _texts(sheet.paths["svg"]) for sheet in write_sheets(findings, tmp_path, formats=("svg",))}
    shown = 0
    for (key, name), row in page.items():
        group = served(coverage.headline(key), "zh")
        assert group in name
        full = class_name(findings, key, "zh")
        of_report = next(cells for (title, of), cells in table.items() if title.startswith(full) and of == group)
        assert of_report[7] == row["rate_text"]
        short = class_name(findings, key, "zh", short=True)
        said = re.search(re.escape(f"{short}（{group}）") + r"([\d.]+%)", line)
        if said is not None:
            assert said[1] == row["rate_text"]
            shown += 1
        if f"class_{key}" in sheets and row["rate"] is not None:
            words = sheets[f"class_{key}"]
            assert group in words
            assert row["rate_text"] in words
            people = coverage.city(key, "people")
            if coverage.headline(key) != "people" and people is not None:
                assert "常住人口覆盖率" in words
    assert shown >= 1


def test_the_bars_before_and_after_are_those_of_the_sheet_of_sites(findings: Findings, tmp_path: Path) -> None:
    coverage = Coverage(findings)
    sheets = write_sheets(findings, tmp_path, formats=("svg",))
    words = next(_texts(sheet.paths["svg"]) for sheet in sheets if sheet.key == "sites")
    for key in findings.tables["siting"]["facility_class"]:
        quote = coverage.city(key)
        assert quote is not None
        assert quote.rate is not None
        assert quote.after_rate is not None
        assert f"{quote.rate:.1%} → {quote.after_rate:.1%}" in words
        assert served(coverage.headline(key), "zh") in words


def test_required_classes_are_counted_alike(findings: Findings, tmp_path: Path) -> None:
    count = len(required_classes(findings))
    said = [block.text for block in report_of(findings, "zh").blocks if getattr(block, "kind", "") == "bullet"]
    assert f"必配设施 {count} 类" in summary_lines(findings, tmp_path, "zh")[2]
    assert any(f"必配设施 {count} 类" in text for text in said)


def test_only_what_was_written_is_named(findings: Findings, tmp_path: Path) -> None:
    lines = summary_lines(findings, tmp_path, "zh", drawn=False)
    assert not any("map.html" in line or "report.docx" in line for line in lines)
    assert str(tmp_path) in lines[-1]


def _rows(findings: Findings, key: str) -> list[tuple[str, ...]]:
    return next(list(table.rows) for table in report_of(findings, "zh").tables() if table.key == key)
