"""Print maps: true to scale, complete on paper, readable text in PDF, the same bytes for the same findings."""

from __future__ import annotations

import dataclasses
import itertools
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from made_findings import made_findings
from matplotlib.image import imread

from lifecircle.maps.paper import areas, extent_around, lines, nice_length_m, outline, text_width, wrap
from lifecircle.maps.sheet import plan_sheets, source_lines, write_sheets

if TYPE_CHECKING:
    from pathlib import Path

    from lifecircle.layers.findings import Findings
    from lifecircle.maps.sheet import Sheet


@pytest.fixture(scope="module")
def findings() -> Findings:
    return made_findings("zh")


@pytest.fixture(scope="module")
def sheets(findings: Findings, tmp_path_factory: pytest.TempPathFactory) -> list[Sheet]:
    return write_sheets(findings, tmp_path_factory.mktemp("sheets"))


def _manifest(findings: Findings, **study: object) -> Findings:
    changed = {**findings.manifest, "study": {**findings.manifest["study"], **study}}
    return dataclasses.replace(findings, manifest=changed)


def _without(findings: Findings, *layers: str) -> Findings:
    empty = {name: findings.layers[name].iloc[:0] for name in layers}
    return dataclasses.replace(findings, layers={**findings.layers, **empty})


def _pdf_text(path: Path) -> str:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (poppler-utils) is not installed")
    raw = subprocess.run(["pdftotext", "-layout", path, "-"], check=True, capture_output=True).stdout
    return raw.decode()


def test_sheets_of_a_full_study(sheets: list[Sheet]) -> None:
    assert [sheet.key for sheet in sheets] == [
        "location",
        "zoning",
        "missing",
        "class_elderly_day_care",
        "class_food_market",
        "overview_1",
        "sites",
    ]
    for sheet in sheets:
        assert set(sheet.paths) == {"png", "svg", "pdf"}
        assert all(path.stat().st_size > 10_000 for path in sheet.paths.values())
        assert sheet.faults == ()


def test_empty_layers_give_no_sheet(findings: Findings) -> None:
    bare = _without(findings, "parcels", "sites", "compounds", "rings", "projects")
    keys = [plan.key for plan in plan_sheets(bare, "zh")]
    assert "zoning" not in keys
    assert "sites" not in keys
    assert "missing" not in keys
    assert plan_sheets(bare, "zh")[0].title == "研究范围图"


def test_draws_with_every_optional_layer_empty(findings: Findings, tmp_path: Path) -> None:
    kept = {"area", "facilities", "circles"}
    bare = _without(findings, *(name for name in findings.layers if name not in kept))
    drawn = write_sheets(bare, tmp_path, formats=("png",))
    assert [sheet.key for sheet in drawn] == ["location", "class_elderly_day_care", "class_food_market", "overview_1"]


def test_pages_are_a4_and_full(sheets: list[Sheet]) -> None:
    for sheet in sheets:
        image = imread(sheet.paths["png"])
        height, width = image.shape[:2]
        assert (width, height) == (pytest.approx(297 / 25.4 * 200, abs=1), pytest.approx(210 / 25.4 * 200, abs=1))
        inked = (image[..., :3].min(axis=2) < 0.97).mean()
        assert inked > 0.2, f"{sheet.key} is nearly blank"
        frame = image[int(height * 0.12) : int(height * 0.88) : 3, int(width * 0.04) : int(width * 0.7) : 3, :3]
        colors = (frame.reshape(-1, 3) * 255).astype(np.uint32) @ np.array([65536, 256, 1], dtype=np.uint32)
        assert len(np.unique(colors)) > 30


def test_every_sheet_says_title_nature_source_date_and_scale(sheets: list[Sheet], findings: Findings) -> None:
    for sheet in sheets:
        words = _pdf_text(sheet.paths["pdf"])
        for expected in (sheet.title, "样例城市，虚构", "OpenStreetMap", "2026年11月22日", "EPSG:4547", "北"):
            assert expected in words, (sheet.key, expected)
        assert re.search(r"\d+ (米|公里)", words), sheet.key
    assert all(line for line in source_lines(findings, "zh"))


def test_figures_on_a_sheet_are_those_of_the_findings(sheets: list[Sheet], findings: Findings) -> None:
    table = findings.tables["coverage"]
    groups = table["facility_class"].map(lambda key: findings.manifest["classes"][key]["group"])
    city = table[(table["group_kind"] == "city") & (table["measure"] == groups)].set_index("facility_class")
    for key in ("elderly_day_care", "food_market"):
        words = _pdf_text(next(sheet.paths["pdf"] for sheet in sheets if sheet.key == f"class_{key}"))
        row = city.loc[key]
        for value in (
            f"{row['covered']:,}",
            f"{row['uncovered']:,}",
            f"{row['rate']:.1%}",
            f"{row['after_rate']:.1%}",
        ):
            assert value in words, (key, value)


def test_real_data_and_map_approval_are_said(findings: Findings, tmp_path: Path) -> None:
    real = _without(_manifest(findings, made_up=False, map_approval="京S(2026)001号"), "parcels", "sites", "compounds")
    drawn = write_sheets(real, tmp_path, formats=("pdf",))
    words = _pdf_text(drawn[0].paths["pdf"])
    assert "实际数据" in words
    assert "虚构" not in words
    assert "审图号：京S(2026)001号" in words


def test_same_findings_same_bytes(findings: Findings, tmp_path: Path) -> None:
    few = _without(findings, "parcels", "compounds", "projects")
    runs = []
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        write_sheets(few, folder)
        runs.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert runs[0].keys() == runs[1].keys()
    assert [name for name in runs[0] if runs[0][name] != runs[1][name]] == []


def test_english_has_no_chinese_but_names(tmp_path: Path) -> None:
    english = made_findings("en")
    drawn = write_sheets(english, tmp_path, formats=("pdf",))
    names = {str(name) for layer in ("area", "projects", "sites") for name in english.layers[layer]["name"]}
    for sheet in drawn:
        words = _pdf_text(sheet.paths["pdf"])
        for name in names:
            words = words.replace(name, "")
        assert not re.search("[\u4e00-\u9fff]", words), sheet.key


def test_a_character_the_font_lacks_is_reported(findings: Findings, tmp_path: Path) -> None:
    odd = _without(_manifest(findings, name="\U0010fffd市"), "parcels", "sites", "compounds")
    drawn = write_sheets(odd, tmp_path, formats=("png",))
    assert [fault.code for sheet in drawn for fault in sheet.faults] == ["sheet.glyphs_missing"]


@given(
    st.floats(-1e6, 1e6),
    st.floats(-1e6, 1e6),
    st.floats(1, 1e5),
    st.floats(1, 1e5),
    st.floats(0.3, 3.0),
)
def test_extent_holds_its_bounds_at_the_ratio(
    west: float, south: float, width: float, height: float, ratio: float
) -> None:
    extent = extent_around((west, south, west + width, south + height), ratio=ratio)
    assert extent.west <= west
    assert extent.south <= south
    assert extent.east >= west + width
    assert extent.north >= south + height
    assert extent.width_m / (extent.north - extent.south) == pytest.approx(ratio)


@given(st.floats(1, 1e7))
def test_scale_bar_is_the_longest_round_length(longest: float) -> None:
    length = nice_length_m(longest)
    assert length <= longest < 2.51 * length


@given(st.text(alphabet="缺口覆盖，。 abc-", max_size=60), st.integers(3, 20))
def test_wrapping_loses_no_letter(words: str, width: int) -> None:
    parts = wrap(words, width)
    assert "".join(parts).replace(" ", "") == words.replace(" ", "")
    assert all(text_width(part) <= width or " " not in part for part in parts)


def test_holes_stay_open() -> None:
    shape = shapely.box(0, 0, 4, 4).difference(shapely.box(1, 1, 2, 2))
    path = outline(shape)
    assert path.contains_point((3, 3))
    turns = [shapely.LinearRing(part).is_ccw for part in (path.vertices[:5], path.vertices[5:])]
    assert turns == [True, False], "outer and inner rings turn opposite ways, so every viewer leaves the hole open"


def test_collections_of_nothing_and_of_mixed_geometry() -> None:
    assert len(areas([]).get_paths()) == 0
    assert len(lines([]).get_segments()) == 0
    mixed = [shapely.box(0, 0, 1, 1), shapely.LineString([(0, 0), (1, 1)]), shapely.MultiLineString([[(0, 0), (2, 0)]])]
    assert len(lines(mixed).get_segments()) == 3
    assert len(areas(mixed).get_paths()) == 3


def test_overviews_share_classes_out(findings: Findings) -> None:
    many = {f"class_{place}": {**findings.manifest["classes"]["kindergarten"]} for place in range(30)}
    wide = dataclasses.replace(
        findings, manifest={**findings.manifest, "classes": {**findings.manifest["classes"], **many}}
    )
    plans = [plan for plan in plan_sheets(wide, "zh") if plan.key.startswith("overview_")]
    assert [len(plan.classes) for plan in plans] == [10, 11, 11]
    shown = list(itertools.chain.from_iterable(plan.classes for plan in plans))
    assert shown == [key for key in wide.manifest["classes"] if key not in {"elderly_day_care", "food_market"}]
