"""Workbooks as bureaus send them: titles, merged headers, sums, several sheets; and archives that would burst."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import numpy as np
import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lifecircle.gis.errors import InputError
from lifecircle.layers.files import read_source
from lifecircle.layers.reading import How
from lifecircle.layers.sheets import distinct_names
from lifecircle.layers.words import LANGUAGES, explain, say

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def book(
    path: Path, sheets: dict[str, Sequence[Sequence[object]]], merged: dict[str, Sequence[str]] | None = None
) -> Path:
    out = openpyxl.Workbook()
    out.remove(out.worksheets[0])
    for name, rows in sheets.items():
        sheet = out.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
        for area in (merged or {}).get(name, ()):
            sheet.merge_cells(area)
    out.save(path)
    return path


def code(path: Path, how: How | None = None) -> str:
    with pytest.raises(InputError) as caught:
        read_source(path, how)
    (fault,) = caught.value.faults
    assert all(explain(fault, language) for language in LANGUAGES)
    return fault.code


def test_a_header_of_two_merged_rows_below_a_title(tmp_path: Path) -> None:
    rows = [
        ["2026年养老设施一览表", None, None, None, None],
        ["单位：张", None, None, None, None],
        ["街道", "名称", "坐标", None, "床位"],
        [None, None, "经度", "纬度", None],
        ["甲街道", "一号院", "117.50", "３６.５", "20"],
        [None, "二号院", "117°30′", "36°30′36″", "1,030"],
        ["合计", None, None, None, 1050],
    ]
    merged = ["A1:E1", "A3:A4", "B3:B4", "C3:D3", "E3:E4", "A5:A6"]
    reading = read_source(book(tmp_path / "a.xlsx", {"表": rows}, {"表": merged}))
    assert list(reading.frame.columns) == ["街道", "名称", "床位", "geometry"]
    assert reading.frame["街道"].tolist() == ["甲街道", "甲街道", "合计"]
    points = np.array([point.coords[0] for point in reading.frame.geometry[:2]])
    assert points == pytest.approx(np.array([[117.5, 36.5], [117.5, 36.51]]))
    assert reading.frame.geometry.isna().tolist() == [False, False, True]
    (note,) = reading.notes
    assert note.detail["row"] == 4
    assert all(say(note.code, language, layer="x", **note.detail) for language in LANGUAGES)


def test_groups_of_a_merged_header_tell_equal_names_apart(tmp_path: Path) -> None:
    rows = [
        ["名称", "lonlat", "60岁以上", None, "80岁以上", None],
        [None, None, "男", "女", "男", "女"],
        ["甲", "117.5，36.5", 1, 2, 3, 4],
    ]
    merged = ["A1:A2", "B1:B2", "C1:D1", "E1:F1"]
    frame = read_source(book(tmp_path / "a.xlsx", {"s": rows}, {"s": merged})).frame
    assert list(frame.columns)[1:5] == ["60岁以上_男", "60岁以上_女", "80岁以上_男", "80岁以上_女"]
    assert frame.iloc[0, 1:5].tolist() == [1, 2, 3, 4]


def test_a_number_in_merged_cells_counts_once(tmp_path: Path) -> None:
    rows = [["名称", "lon", "lat", "户数"], ["甲", 117, 36, 90], ["乙", 117, 36, None]]
    frame = read_source(book(tmp_path / "a.xlsx", {"s": rows}, {"s": ["D2:D3"]})).frame
    assert frame["户数"].sum() == 90


def test_of_several_sheets_the_one_with_coordinates_is_read_and_of_two_the_user_must_say(tmp_path: Path) -> None:
    data = [["名称", "经度", "纬度"], ["甲", 117, 36]]
    other = [["说明", "内容"], ["来源", "民政局"]]
    one = read_source(book(tmp_path / "a.xlsx", {"说明": other, "数据": data}))
    assert one.frame["名称"].tolist() == ["甲"]
    assert [note.code for note in one.notes] == ["files.sheet_chosen"]
    two = book(tmp_path / "b.xlsx", {"一": data, "二": [data[0], ["乙", 117, 36]]})
    assert code(two) == "faults.sublayer_which"
    assert read_source(two, How(layer="二")).frame["名称"].tolist() == ["乙"]
    assert read_source(two, How(prefer="一")).frame["名称"].tolist() == ["甲"]
    assert code(book(tmp_path / "c.xlsx", {"说明": other})) == "faults.no_coordinates"


def test_an_archive_that_would_burst_is_refused(tmp_path: Path) -> None:
    for ending in ("xlsx", "kmz"):
        path = tmp_path / f"bomb.{ending}"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("doc.kml", "w") as file:
            for _ in range(300):
                file.write(b" " * (1 << 20))
        assert code(path) == "files.unpacks"


def test_an_empty_book_and_one_of_charts(tmp_path: Path) -> None:
    assert code(book(tmp_path / "a.xlsx", {"s": []})) == "faults.unreadable"
    with zipfile.ZipFile(tmp_path / "b.xlsx", "w") as archive:
        archive.writestr("a.txt", "a")
    assert code(tmp_path / "b.xlsx") == "faults.unreadable"


cell = st.one_of(
    st.none(),
    st.integers(-5, 5),
    st.floats(allow_nan=False, allow_infinity=False, width=16),
    st.sampled_from(["经度", "纬度", "lonlat", "甲", "117,36", ""]),
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    rows=st.lists(st.lists(cell, min_size=1, max_size=4), max_size=6), area=st.sampled_from(["A1:B1", "A1:A2", "B2:C4"])
)
def test_any_sheet_is_read_or_refused(tmp_path: Path, rows: list[list[object]], area: str) -> None:
    path = book(tmp_path / "a.xlsx", {"s": rows}, {"s": [area]})
    faults: tuple[object, ...] = ("none",)
    try:
        frame = read_source(path).frame
    except InputError as error:
        faults = error.faults
    else:
        assert frame.columns.is_unique
    assert faults


@given(st.lists(st.sampled_from(["a", "a_2", "b", "a_2_"]), max_size=8))
def test_names_are_made_distinct_and_keep_their_beginning(names: list[str]) -> None:
    out = distinct_names(names)
    assert len(set(out)) == len(names)
    assert all(new.startswith(old) for new, old in zip(out, names, strict=True))
