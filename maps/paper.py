"""The paper of a printed map: A4 landscape with title, badge, map frame, scale bar, north arrow, panel, source lines.

Everything is placed in millimetres from the lower left corner, as on a drawing board.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import shapely
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon, Rectangle
from matplotlib.path import Path as Outline

from .formats import format_length
from .style import ACCENT, INK, MUTED, PAPER, RULE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from ..layers.words import Language
    from .fonts import MapFont

WIDTH_MM, HEIGHT_MM, INCH_MM = 297.0, 210.0, 25.4
MAP_MM = (10.0, 22.0, 207.0, 166.0)
"""Left, bottom, width and height of the map frame beside a panel."""
WIDE_MM = (10.0, 22.0, 277.0, 166.0)
"""The same without a panel."""
PANEL_MM = (222.0, 22.0, 65.0, 166.0)
POINT_MM = 0.3528
BADGE_MADE_UP, BADGE_REAL = "#a23b3b", "#2a7f6f"


@dataclass(frozen=True, slots=True)
class Extent:
    """What a map frame shows, in metres of the study's CRS."""

    west: float
    south: float
    east: float
    north: float

    @property
    def width_m(self) -> float:
        """Metres from west to east."""
        return self.east - self.west


def extent_around(bounds: Iterable[float], *, ratio: float, margin: float = 0.03) -> Extent:
    """Return the least extent of a width-to-height ratio that holds the bounds and a margin.

    Parameters
    ----------
    bounds
        West, south, east, north in metres.
    ratio
        Width ÷ height of the frame.
    margin
        Share of the longer side left free on each side.

    Examples
    --------
    >>> extent_around((0, 0, 1000, 1000), ratio=2.0, margin=0.0)
    Extent(west=-500.0, south=0.0, east=1500.0, north=1000.0)
    """
    west, south, east, north = map(float, bounds)
    spare = margin * max(east - west, north - south, 1.0)
    width, height = east - west + 2 * spare, north - south + 2 * spare
    width, height = max(width, height * ratio), max(height, width / ratio)
    x, y = (west + east) / 2, (south + north) / 2
    return Extent(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def nice_length_m(longest_m: float) -> float:
    """Return the longest length of the series 1, 2, 5, 10 … that is not longer than asked.

    Examples
    --------
    >>> nice_length_m(1_730), nice_length_m(510), nice_length_m(99)
    (1000.0, 500.0, 50.0)
    """
    power = 10.0 ** math.floor(math.log10(longest_m))
    steps = (share * power for share in (0.5, 1.0, 2.0, 5.0, 10.0))  # the power is one off where the logarithm rounds
    return max(step for step in steps if step <= longest_m)


def text_width(text: str) -> float:
    """Return the width of a text in ems: full for Chinese, about half for Latin letters.

    Examples
    --------
    >>> text_width("覆盖"), text_width("ab")
    (2.0, 1.12)
    """
    return sum(1.0 if unicodedata.east_asian_width(letter) in "WFA" else 0.56 for letter in text)


def shortened(text: str, width_em: float) -> str:
    """Return a text with its middle left out where it is wider than a width: what names end with tells them apart.

    Examples
    --------
    >>> shortened("streets.gpkg", 12), shortened("las-palmas-de-gran-canaria-2024-streets.gpkg", 12)
    ('streets.gpkg', 'las-palma…reets.gpkg')
    """
    if text_width(text) <= width_em:
        return text
    head, tail = text[: len(text) // 2], text[len(text) // 2 :]
    while head and tail and text_width(f"{head}…{tail}") > width_em:
        head, tail = (head[:-1], tail) if text_width(head) >= text_width(tail) else (head, tail[1:])
    return f"{head}…{tail}"


_BEFORE_UNIT = re.compile(r"\d (?=(?:m/s|m²|km²|min|ha|km|m|s)(?![A-Za-z]))")


def wrap(text: str, width_em: float) -> list[str]:
    """Break a text into lines of at most a width: Chinese anywhere, Latin words whole where they fit.

    Examples
    --------
    >>> wrap("老年人日间照料中心", 5), wrap("food market nearby", 7)
    (['老年人日间', '照料中心'], ['food market', 'nearby'])
    """
    lines, line, used = [], "", 0.0
    for piece in pieces(text):
        width = text_width(piece)
        if line and used + text_width(piece.rstrip()) > width_em:
            lines.append(line.rstrip())
            line, used = "", 0.0
        line, used = line + piece, used + width
    return [*lines, line.rstrip()] if line.strip() or not lines else lines


def pieces(text: str) -> list[str]:
    """Split a text where a line may break; closing punctuation stays with what it closes, a unit with its number.

    Examples
    --------
    >>> pieces("food 市场，near"), pieces("慢 0.8 m/s）")
    (['food ', '市', '场，', 'near'], ['慢 ', '0.8 m/s）'])
    """
    units = {match.end() for match in _BEFORE_UNIT.finditer(text)}
    found: list[str] = []
    for place, letter in enumerate(text):
        wide = unicodedata.east_asian_width(letter) in "WF"
        closes = letter in "，。；：、）》！？"
        joined = found and not found[-1].endswith((" ", "　")) and (closes or not (wide or _wide_end(found[-1])))
        if joined or (found and (letter in " 　" or place in units)):
            found[-1] += letter
        else:
            found.append(letter)
    return found


def _wide_end(piece: str) -> bool:
    return unicodedata.east_asian_width(piece[-1]) in "WF"


def outline(geometry: shapely.Geometry) -> Outline:
    """Return a (multi)polygon as one path whose holes stay open."""
    rings, codes = [], []
    for part in shapely.get_parts(geometry):
        if part.geom_type != "Polygon" or part.is_empty:
            continue
        turned = shapely.orient_polygons(part)
        for ring in (turned.exterior, *turned.interiors):
            points = shapely.get_coordinates(ring)
            rings.append(points)
            codes.append(
                np.array([Outline.MOVETO, *[Outline.LINETO] * (len(points) - 2), Outline.CLOSEPOLY], dtype=np.uint8)
            )
    if not rings:
        return Outline(np.empty((0, 2)))
    return Outline(np.concatenate(rings), np.concatenate(codes))


def areas(geometries: Iterable[shapely.Geometry], **look: object) -> PathCollection:
    """Return polygons as one artist; options are those of matplotlib's collections."""
    return PathCollection([outline(geometry) for geometry in geometries], **look)  # type: ignore[arg-type]


def lines(geometries: Iterable[shapely.Geometry], **look: object) -> LineCollection:
    """Return lines, or the outlines of polygons, as one artist."""
    parts = shapely.get_parts(np.asarray(list(geometries), dtype=object))
    kinds = shapely.get_type_id(parts)
    edges = shapely.get_parts(shapely.boundary(parts[kinds == 3]))
    parts = np.concatenate([parts[(kinds == 1) | (kinds == 2)], edges])
    points, owner = shapely.get_coordinates(parts, return_index=True)
    cuts = np.flatnonzero(np.diff(owner)) + 1
    return LineCollection([] if not len(points) else np.split(points, cuts), **look)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a legend: a swatch and what it stands for.

    Parameters
    ----------
    label
        The text.
    swatch
        ``area``, ``line``, ``mark``, or ``none`` for a heading.
    fill, line
        Colours, ``None`` for none.
    width_pt, dash
        Of the line.
    marker, size_pt
        Of a mark: matplotlib's letter, and its size.
    opacity
        Of the fill.
    """

    label: str
    swatch: Literal["area", "line", "mark", "none"]
    fill: str | None = None
    line: str | None = None
    width_pt: float = 0.8
    dash: tuple[float, ...] = ()
    marker: str = "o"
    size_pt: float = 6.5
    opacity: float = 1.0


@dataclass(slots=True)
class Paper:
    """One sheet in the making.

    Parameters
    ----------
    font
        What every text is drawn with.
    language
        Of numbers and of the letter on the north arrow.
    """

    font: MapFont
    language: Language
    figure: Figure = field(init=False)

    def __post_init__(self) -> None:
        """Lay an empty sheet."""
        self.figure = Figure(figsize=(WIDTH_MM / INCH_MM, HEIGHT_MM / INCH_MM), facecolor=PAPER)

    def axes(self, place_mm: Sequence[float]) -> Axes:
        """Return bare axes at a place: left, bottom, width, height in millimetres."""
        left, bottom, width, height = place_mm
        axes = self.figure.add_axes((left / WIDTH_MM, bottom / HEIGHT_MM, width / WIDTH_MM, height / HEIGHT_MM))
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_facecolor(PAPER)
        for spine in axes.spines.values():
            spine.set(edgecolor=MUTED, linewidth=0.8)
        return axes

    def map_axes(self, place_mm: Sequence[float], extent: Extent) -> Axes:
        """Return axes that show an extent true to scale; the extent must have the place's ratio."""
        axes = self.axes(place_mm)
        axes.set_xlim(extent.west, extent.east)
        axes.set_ylim(extent.south, extent.north)
        axes.set_autoscale_on(False)
        return axes

    def write(self, x_mm: float, y_mm: float, text: str, *, size_pt: float, color: str = INK, ha: str = "left") -> None:
        """Write a line of text with its baseline at a place."""
        self.figure.text(
            x_mm / WIDTH_MM,
            y_mm / HEIGHT_MM,
            self.font.drawable(text),
            fontsize=size_pt,
            color=color,
            ha=ha,
            va="baseline",
        )

    def head(self, title: str, subtitle: str, badge: str, *, made_up: bool) -> None:
        """Write title, subtitle and the badge that says whether the data are real."""
        self.write(10, 198.5, title, size_pt=20)
        self.write(10, 191.3, subtitle, size_pt=11, color=MUTED)
        color = BADGE_MADE_UP if made_up else BADGE_REAL
        width = text_width(badge) * 12 * POINT_MM + 6
        left = WIDTH_MM - 10 - width
        frame = Rectangle((left / WIDTH_MM, 193.5 / HEIGHT_MM), width / WIDTH_MM, 8.6 / HEIGHT_MM)
        frame.set(facecolor=PAPER, edgecolor=color, linewidth=1.2, transform=self.figure.transFigure)
        self.figure.add_artist(frame)
        self.write(left + width / 2, 196.2, badge, size_pt=12, color=color, ha="center")

    def foot(self, texts: Sequence[str]) -> None:
        """Write the source lines under the map, wrapped, at most five."""
        size = 7.5
        wrapped = [line for text in texts for line in wrap(text, 277 / (size * POINT_MM))]
        for row, line in enumerate(wrapped[:5]):
            self.write(10, 17.6 - 3.4 * row, line, size_pt=size, color=MUTED)

    def scale_bar(self, axes: Axes, extent: Extent, frame_width_mm: float, *, longest_mm: float = 50.0) -> None:
        """Draw a scale bar of two fields in the lower left corner of a map."""
        mm = extent.width_m / frame_width_mm
        length = nice_length_m(longest_mm * mm)
        x, y = extent.west + 6 * mm, extent.south + 4 * mm
        end = format_length(length, self.language)
        right = max(text_width(end) * 9 * POINT_MM / 2 + 2, 4)
        back = Rectangle((x - 4 * mm, y - 2 * mm), length + (4 + right) * mm, 9.5 * mm)
        back.set(facecolor=PAPER, edgecolor="none", alpha=0.85, zorder=20)
        axes.add_patch(back)
        for half, color in ((0, INK), (1, PAPER)):
            bar = Rectangle((x + half * length / 2, y), length / 2, 1.6 * mm)
            bar.set(facecolor=color, edgecolor=INK, linewidth=0.7, zorder=21)
            axes.add_patch(bar)
        for at, words in ((x, "0"), (x + length, end)):
            words = self.font.drawable(words)  # noqa: PLW2901  the same words, fit for the font
            axes.text(at, y + 2.6 * mm, words, fontsize=9, color=INK, ha="center", zorder=22)

    def north_arrow(self, axes: Axes, extent: Extent, frame_width_mm: float, letter: str, *, size: float = 1.0) -> None:
        """Draw a north arrow in the upper right corner of a map; up is grid north."""
        mm = size * extent.width_m / frame_width_mm
        x, y = extent.east - 9 * mm, extent.north - 19 * mm
        for side, color in ((-1, INK), (1, PAPER)):
            half = Polygon([(x, y + 11 * mm), (x + side * 3.6 * mm, y), (x, y + 2.6 * mm)], closed=True)
            half.set(facecolor=color, edgecolor=INK, linewidth=0.8, zorder=21)
            axes.add_patch(half)
        letter = self.font.drawable(letter)
        axes.text(x, y + 12 * mm, letter, fontsize=12 * size, color=INK, ha="center", zorder=22)


class Panel:
    """The column beside the map: headings, pairs of label and figure, legend, from the top down.

    Parameters
    ----------
    paper
        The sheet.
    place_mm
        Left, bottom, width, height.
    """

    def __init__(self, paper: Paper, place_mm: Sequence[float] = PANEL_MM) -> None:
        self._paper = paper
        self._width = place_mm[2]
        self.left_mm = place_mm[3]
        """Height that is still free."""
        self._axes = paper.axes(place_mm)
        self._axes.set_xlim(0, place_mm[2])
        self._axes.set_ylim(0, place_mm[3])
        self._axes.patch.set_visible(False)
        for spine in self._axes.spines.values():
            spine.set_visible(False)

    def _write(self, x: float, text: str, *, size: float, color: str = INK, ha: str = "left") -> None:
        text = self._paper.font.drawable(text)
        self._axes.text(x, self.left_mm, text, fontsize=size, color=color, ha=ha, va="baseline")

    def heading(self, text: str) -> None:
        """Write a heading over a rule."""
        self.left_mm -= 5.4
        self._write(0, text, size=11.5, color=ACCENT)
        self.left_mm -= 1.8
        self._axes.add_line(Line2D([0, self._width], [self.left_mm, self.left_mm], color=RULE, linewidth=0.8))
        self.left_mm -= 0.6

    def facts(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Write labels at the left and their figures at the right."""
        for words, figure in pairs:
            self.left_mm -= 5.6
            self._write(0, words, size=10, color=MUTED)
            self._write(self._width, figure, size=10.5, ha="right")
        self.left_mm -= 2.2

    def ranks(self, rows: Iterable[tuple[str, str, str]], look: Entry) -> None:
        """Write lines of rank, name and figure, the rank in a mark."""
        for rank, name, figure in rows:
            self.left_mm -= 5.2
            draw_swatch(self._axes, look, -1.5, self.left_mm + 1.2)
            self._axes.text(3.0, self.left_mm + 1.2, rank, fontsize=6.5, color=PAPER, ha="center", va="center_baseline")
            room = self._width - 7 - text_width(figure) * 9.5 * POINT_MM
            self._write(6.5, wrap(name, room / (9.5 * POINT_MM))[0], size=9.5)
            self._write(self._width, figure, size=9.5, ha="right")
        self.left_mm -= 2.0

    def note(self, text: str, *, size: float = 8.5, color: str = MUTED) -> None:
        """Write a wrapped sentence."""
        for line in wrap(text, self._width / (size * POINT_MM)):
            self.left_mm -= size * POINT_MM * 1.35
            self._write(0, line, size=size, color=color)
        self.left_mm -= 1.6

    def legend(self, entries: Iterable[Entry]) -> None:
        """Draw swatches and their labels, as many as fit."""
        for entry in entries:
            rows = wrap(entry.label, (self._width - (0 if entry.swatch == "none" else 12)) / (10 * POINT_MM))
            if self.left_mm - 5.4 * len(rows) < 0:
                break
            self.left_mm -= 5.6
            middle = self.left_mm + 1.3
            draw_swatch(self._axes, entry, 0.0, middle)
            for row in rows:
                self._write(0 if entry.swatch == "none" else 12, row, size=10)
                self.left_mm -= 4.3
            self.left_mm += 4.3
        self.left_mm -= 2.2


def draw_swatch(axes: Axes, entry: Entry, x: float, middle: float) -> None:
    """Draw what stands before a label of a legend, 9 mm wide, on axes in millimetres."""
    style: Any = (0, entry.dash) if entry.dash else "-"
    if entry.swatch == "area":
        patch = Rectangle((x + 0.3, middle - 1.7), 8.4, 3.6)
        patch.set(facecolor=entry.fill or "none", alpha=entry.opacity, linewidth=0)
        edge = Rectangle((x + 0.3, middle - 1.7), 8.4, 3.6)
        edge.set(facecolor="none", edgecolor=entry.line or "none", linewidth=entry.width_pt, linestyle=style)
        axes.add_patch(patch)
        axes.add_patch(edge)
    elif entry.swatch == "line":
        ends = [x + 0.3, x + 8.7], [middle, middle]
        axes.add_line(Line2D(*ends, color=entry.line or INK, linewidth=entry.width_pt, linestyle=style))
    elif entry.swatch == "mark":
        axes.plot(
            [x + 4.5],
            [middle],
            linestyle="none",
            marker=entry.marker,
            markersize=entry.size_pt,
            markerfacecolor=entry.fill or PAPER,
            markeredgecolor=entry.line or PAPER,
            markeredgewidth=entry.width_pt,
            alpha=entry.opacity,
        )


def legend_row(paper: Paper, entries: Iterable[Entry], place_mm: Sequence[float]) -> None:
    """Draw a legend in one row, for sheets without a panel."""
    axes = paper.axes(place_mm)
    axes.set_xlim(0, place_mm[2])
    axes.set_ylim(0, place_mm[3])
    axes.set_axis_off()
    x = 0.0
    for entry in entries:
        draw_swatch(axes, entry, x, place_mm[3] / 2)
        label = paper.font.drawable(entry.label)
        axes.text(x + 11, place_mm[3] / 2 - 1.2, label, fontsize=10, color=INK, va="baseline")
        x += 11 + text_width(entry.label) * 10 * POINT_MM + 8


def render(figure: Figure, dpi: int) -> NDArray[np.uint8]:
    """Return a figure as an image: rows × columns × red, green, blue, opacity."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415  only the base map needs it

    figure.set_dpi(dpi)
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba()).copy()
