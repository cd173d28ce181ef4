"""One Chinese font for all that matplotlib draws: found, made fit for embedding, and checked for what it lacks.

PostScript outlines (CFF), which nearly all free Chinese fonts have, are embedded by matplotlib in a way that readers of
PDF complain about, so the characters of GB 2312 and those a study needs beyond it are turned into a small TrueType font
once and kept in matplotlib's cache folder. The font that is installed with lifecircle comes first: maps then look the
same, to the bit, on every machine, and it is free to publish; fonts of the system are the way out where it is absent.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fontTools import subset
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont, newTable

from ..gis.errors import Fault, LifecircleError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SYSTEM_FAMILIES = (
    "Microsoft YaHei",
    "SimHei",
    "PingFang SC",
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
)
"""Families tried in this order where the packaged font is absent."""

SYMBOLS = "㎡㎞°℃←→↑↓≤≥≠≈×÷±−·–—…“”‘’①②③④⑤⑥⑦⑧⑨⑩©®™‰●○■□▲△◆◇★☆〓"
"""Drawn by maps besides letters and the characters of GB 2312."""

FALLBACK = "DejaVu Sans"
"""Comes with matplotlib; draws the Latin, Greek and Cyrillic letters that a Chinese font lacks."""

SUBSTITUTE = "〓"
"""Drawn for a character that the font lacks: the printer's mark for a missing sort."""

_MAKE = "1"
"""Part of the cache key: raised when the way the font is made changes."""


@dataclass(frozen=True, slots=True)
class MapFont:
    """A font ready to draw with.

    Parameters
    ----------
    family
        Name that matplotlib finds it by; no other font has it.
    file
        The TrueType file.
    characters
        Code points that it or `FALLBACK` can draw.
    """

    family: str
    file: Path
    characters: frozenset[int]

    def drawable(self, text: str) -> str:
        """Return the text with every character the font lacks replaced by `SUBSTITUTE`.

        Examples
        --------
        >>> font = MapFont("f", Path("f.ttf"), frozenset(map(ord, "市场")))
        >>> font.drawable("市𫠊场")
        '市〓场'
        """
        return "".join(letter if ord(letter) in self.characters or letter == "\n" else SUBSTITUTE for letter in text)

    def lacking(self, texts: Iterable[str]) -> tuple[Fault, ...]:
        """Return a warning that lists the characters of the texts the font lacks; empty where it has them all.

        Examples
        --------
        >>> font = MapFont("f", Path("f.ttf"), frozenset(map(ord, "市场")))
        >>> font.lacking(["市场"]), font.lacking(["市𫠊场"])[0].detail["characters"]
        ((), '𫠊')
        """
        lacking = sorted(set("".join(texts)) - {"\n"} - set(map(chr, self.characters)))
        if not lacking:
            return ()
        detail = {"characters": "".join(lacking), "font": self.family}
        return (Fault("sheet.glyphs_missing", detail=detail, blocks=False),)


@cache
def gb2312() -> frozenset[int]:
    """Return the code points of Latin letters, the characters of GB 2312 and `SYMBOLS`.

    Examples
    --------
    >>> ord("镇") in gb2312(), ord("A") in gb2312(), ord("𬒈") in gb2312()
    (True, True, False)
    """
    points = set(range(0x20, 0x7F)) | set(range(0xA0, 0x180)) | set(map(ord, SYMBOLS))
    for row in range(0xA1, 0xF8):
        for cell in range(0xA1, 0xFF):
            points.update(map(ord, bytes((row, cell)).decode("gb2312", errors="ignore")))
    return frozenset(points)


def source_font() -> tuple[Path, int]:
    """Return the file of the Chinese font to draw with and the face in it (0 but for collections).

    Raises
    ------
    LifecircleError
        When neither the packaged font nor one of `SYSTEM_FAMILIES` is there.

    Examples
    --------
    >>> source_font()[0].suffix
    '.otf'
    """
    found = find_spec("pylopdf_fonts_zh_cn")
    if found is not None and found.origin is not None:
        packaged = Path(found.origin).with_name("NotoSansSC-Regular.otf")
        if packaged.is_file():
            return packaged, 0
    from matplotlib.font_manager import fontManager  # noqa: PLC0415  reading its list of fonts takes seconds

    for family in SYSTEM_FAMILIES:
        for entry in fontManager.ttflist:
            if entry.name == family and entry.style == "normal" and entry.weight in (400, "normal", "regular"):
                return Path(entry.fname), int(getattr(entry, "index", 0))
    message = f"no Chinese font: install pylopdf-fonts-zh-cn with pip, or one of {', '.join(SYSTEM_FAMILIES)}"
    raise LifecircleError(message, Fault("sheet.font_missing", detail={"families": "、".join(SYSTEM_FAMILIES)}))


def font_for(texts: Iterable[str] = ()) -> MapFont:
    """Return the font, able to draw GB 2312 and all of the texts that the source font can draw, known to matplotlib.

    The first call on a machine makes it (some seconds); later ones read it from the cache.

    Parameters
    ----------
    texts
        Everything that will be drawn.

    Examples
    --------
    >>> font = font_for(["样例城市 300 m"])
    >>> font.drawable("老年人日间照料中心"), font.family.startswith("lifecircle")
    ('老年人日间照料中心', True)
    """
    beyond = "".join(sorted(set("".join(texts)) - set(map(chr, gb2312()))))
    return _font_with(beyond)


@cache
def _font_with(beyond: str) -> MapFont:
    """Return the font of GB 2312 and the characters beyond it."""
    import matplotlib as mpl  # noqa: PLC0415  heavy; only wanted when something is drawn
    from matplotlib.font_manager import findfont, fontManager  # noqa: PLC0415

    source, face = source_font()
    wanted = gb2312() | set(map(ord, beyond))
    stamp = f"{_MAKE}|{source.name}|{source.stat().st_size}|{face}|{sorted(wanted)}"
    family = f"lifecircle {hashlib.sha256(stamp.encode()).hexdigest()[:12]}"
    file = Path(mpl.get_cachedir()) / f"{family.replace(' ', '-')}.ttf"
    if not file.is_file():
        _replace(file, _truetype(source, face, wanted, family))
    has: set[int] = set()
    for path in (file, findfont(FALLBACK)):
        with TTFont(path, lazy=True) as font:
            has.update(font.getBestCmap())
    if all(entry.name != family for entry in fontManager.ttflist):
        fontManager.addfont(file)
    return MapFont(family, file, frozenset(has))


def _truetype(source: Path, face: int, points: Iterable[int], family: str) -> TTFont:
    """Return the part of a font that draws the code points, with TrueType outlines and a name of its own."""
    font = TTFont(source, fontNumber=face, recalcTimestamp=False)
    options = subset.Options()
    options.layout_features = []
    options.hinting = False
    options.notdef_outline = True
    options.desubroutinize = True
    options.name_languages = ["*"]
    options.drop_tables += ["GSUB", "GPOS", "BASE", "VORG", "vhea", "vmtx", "DSIG"]
    chosen = subset.Subsetter(options)
    chosen.populate(unicodes=points)
    chosen.subset(font)
    if "CFF " in font:
        _to_quadratic(font)
    for record in list(font["name"].names):
        if record.nameID in {1, 4, 16}:
            record.string = family
        elif record.nameID == 6:
            record.string = family.replace(" ", "-")
    return font


def _to_quadratic(font: TTFont) -> None:
    """Replace the cubic outlines of a font (table CFF) by quadratic ones (glyf), within a thousandth of the em."""
    outlines = font.getGlyphSet()
    order = font.getGlyphOrder()
    table = newTable("glyf")
    table.glyphOrder = order
    table.glyphs = {}
    for name in order:
        pen = TTGlyphPen(outlines)
        outlines[name].draw(Cu2QuPen(pen, font["head"].unitsPerEm / 1000, reverse_direction=True))
        table.glyphs[name] = pen.glyph()
    font["glyf"], font["loca"] = table, newTable("loca")
    del font["CFF "]
    limits = font["maxp"]
    limits.tableVersion = 0x00010000
    limits.maxZones = 1
    for name in (
        "maxTwilightPoints",
        "maxStorage",
        "maxFunctionDefs",
        "maxInstructionDefs",
        "maxStackElements",
        "maxSizeOfInstructions",
        "maxComponentElements",
        "maxComponentDepth",
    ):
        setattr(limits, name, 0)
    font["post"].formatType = 3.0
    font.sfntVersion = "\x00\x01\x00\x00"


def _replace(file: Path, font: TTFont) -> None:
    """Write a font beside its place and move it there, so that two runs at once never see half a file."""
    handle, name = tempfile.mkstemp(suffix=".ttf", dir=file.parent)
    os.close(handle)
    try:
        font.save(name)
        Path(name).replace(file)
    finally:
        Path(name).unlink(missing_ok=True)


@contextmanager
def drawing_with(font: MapFont) -> Iterator[None]:
    """Let matplotlib draw with this font alone, embed it as TrueType, and write the same bytes for the same drawing.

    Examples
    --------
    >>> import matplotlib as mpl
    >>> with drawing_with(font_for()):
    ...     mpl.rcParams["pdf.fonttype"], mpl.rcParams["axes.unicode_minus"]
    (42, False)
    """
    import matplotlib as mpl  # noqa: PLC0415

    chosen: dict[Any, Any] = {
        "font.family": [font.family, FALLBACK],
        "axes.unicode_minus": False,
        "pdf.fonttype": 42,
        "svg.fonttype": "path",
        "svg.hashsalt": "lifecircle",
        "path.simplify": True,
        "agg.path.chunksize": 20000,
    }
    with mpl.rc_context(chosen):
        yield
