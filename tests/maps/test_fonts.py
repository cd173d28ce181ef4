"""The font of the maps: found, complete, embedded so that text can be searched, and honest about what it lacks."""

from __future__ import annotations

import io
import shutil
import subprocess
import warnings
from typing import TYPE_CHECKING

import pytest
from fontTools.ttLib import TTFont
from matplotlib.figure import Figure

from lifecircle.layers.words import catalogue, explain
from lifecircle.maps.fonts import SUBSTITUTE, drawing_with, font_for, gb2312, source_font

if TYPE_CHECKING:
    from pathlib import Path


def test_draws_every_text_of_the_catalogue() -> None:
    font = font_for()
    shown = [
        words for key, texts in catalogue().items() if key.startswith(("sheet.", "values.")) for words in texts.values()
    ]
    assert font.lacking(shown) == ()


def test_draws_gb2312_and_what_a_place_name_needs_beyond_it() -> None:
    rare = "垟堽塱"
    font = font_for([rare])
    assert gb2312() <= font.characters
    assert font.drawable(f"{rare}社区") == f"{rare}社区"
    assert font.family != font_for().family, "another font file, so that neither run sees the other's"


def test_says_which_characters_it_lacks() -> None:
    font = font_for(["\U0010fffd市场"])
    fault = font.lacking(["\U0010fffd市场"])[0]
    assert not fault.blocks
    assert "\U0010fffd" in explain(fault, "zh")
    assert font.drawable("\U0010fffd市场") == f"{SUBSTITUTE}市场"


def test_is_truetype_and_made_once() -> None:
    font = font_for()
    with TTFont(font.file) as read:
        assert "glyf" in read
        assert "CFF " not in read
    stamp = font.file.stat().st_mtime_ns
    assert font_for(["覆盖"]) == font
    assert font.file.stat().st_mtime_ns == stamp


def test_source_is_the_packaged_font() -> None:
    file, face = source_font()
    assert (file.name, face) == ("NotoSansSC-Regular.otf", 0)


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_draws_without_warnings_and_to_the_bit(ending: str) -> None:
    texts = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(2):
            held = io.BytesIO()
            with drawing_with(font_for()):
                figure = Figure(figsize=(4, 3))
                figure.text(0.1, 0.5, "老年人日间照料中心 −3 ㎡ Łódź")
                metadata = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}.get(ending)
                figure.savefig(held, format=ending, metadata=metadata)
            texts.append(held.getvalue())
    assert texts[0] == texts[1]


@pytest.mark.skipif(shutil.which("pdffonts") is None, reason="pdffonts (poppler-utils) is not installed")
def test_pdf_embeds_truetype_that_readers_accept(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    with drawing_with(font_for()):
        figure = Figure(figsize=(4, 3))
        figure.text(0.1, 0.5, "老年人日间照料中心 300 m")
        figure.savefig(path)
    listed = subprocess.run(["pdffonts", path], check=True, capture_output=True, text=True)
    assert "TrueType" in listed.stdout
    assert "Type 3" not in listed.stdout
    assert listed.stderr == ""
    read = subprocess.run(["pdftotext", path, "-"], check=True, capture_output=True)
    assert "老年人日间照料中心 300 m" in read.stdout.decode()
