"""Separated text that is empty or whose rows do not come apart: the row and the mend are said, in both languages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lifecircle.gis.errors import InputError
from lifecircle.layers.files import read_source
from lifecircle.layers.words import LANGUAGES, explain

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "code", "row"),
    [
        ("", "files.csv_empty", None),
        ("\n\n", "files.csv_empty", None),
        ("lon,lat\n117,30\n117,30,甲,乙\n", "files.csv_uneven", 2),
        ('lon,lat,name\n117,30,甲\n117,30,"乙\n', "files.csv_quote", 2),
    ],
)
def test_a_broken_table_says_its_row_and_the_mend(text: str, code: str, row: int | None, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_source(path)
    (fault,) = caught.value.faults
    assert (fault.code, fault.row) == (code, row)
    said = {language: explain(fault, language) for language in LANGUAGES}
    assert not {"columns to parse", "tokenizing"} & {part for words in said.values() for part in words.split("（")}
    assert said["zh"] != said["en"]
    assert all(str(row) in words for words in said.values()) or row is None
