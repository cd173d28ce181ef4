"""Nothing half-written: results are moved into place whole, or not at all."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from lifecircle.gis.errors import OutputError
from lifecircle.layers.output import neutral, whole_folder, write_csv

if TYPE_CHECKING:
    from pathlib import Path


def test_a_failure_leaves_the_target_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "map.html").write_text("old")

    def fail_half_way() -> None:
        with whole_folder(tmp_path) as folder:
            (folder / "map.html").write_text("new, but not whole")
            (folder / "gone").read_text()

    with pytest.raises(FileNotFoundError):
        fail_half_way()
    assert [entry.name for entry in tmp_path.iterdir()] == ["map.html"]
    assert (tmp_path / "map.html").read_text() == "old"


def test_a_second_run_replaces_files_and_folders_and_keeps_the_rest(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("the user's own")
    for content in ("first", "second"):
        with whole_folder(tmp_path) as folder:
            (folder / "map.html").write_text(content)
            (folder / "sheets").mkdir()
            (folder / "sheets" / f"{content}.png").write_text(content)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["map.html", "notes.txt", "sheets"]
    assert (tmp_path / "map.html").read_text() == "second"
    assert [entry.name for entry in (tmp_path / "sheets").iterdir()] == ["second.png"]


def test_a_place_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OutputError) as caught, whole_folder(tmp_path / "file" / "out"):
        pytest.fail("the work must not start")
    assert caught.value.faults[0].code == "output.cannot_write"
    assert str(tmp_path / "file" / "out") in str(caught.value)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1+cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "\r=1"])
def test_texts_that_start_like_formulas_are_made_inert(text: str) -> None:
    assert neutral(text) == f"'{text}"


def test_csv_is_utf8_with_a_mark_and_keeps_numbers(tmp_path: Path) -> None:
    table = pd.DataFrame({"name": ["=1+1", "柳荫里", None], "people": [-3, 4, 5], "rate": [-0.5, 0.25, None]})
    write_csv(table, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    with (tmp_path / "t.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [["name", "people", "rate"], ["'=1+1", "-3", "-0.5"], ["柳荫里", "4", "0.25"], ["", "5", ""]]
