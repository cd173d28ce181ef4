"""What all printed maps stand on: extent, base map of land, water, railways and streets, boundaries, names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from matplotlib.figure import Figure
from shapely import box

from ..layers.words import Language, say
from .formats import format_number
from .paper import (
    INCH_MM,
    MAP_MM,
    POINT_MM,
    Entry,
    Extent,
    areas,
    extent_around,
    lines,
    render,
    text_width,
)
from .quotes import Coverage, has_rings, records, text
from .style import INK, LAND, LOOKS, PAPER, WATER, class_marks, ring_fill, street_tier

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from ..layers.findings import Findings
    from .fonts import MapFont

BASE_DPI = 300
NAMES_MOST = 40
RING_SHADE = 0.8
"""Opacity of ring fills under the streets."""
TIERS = ("street_path", "street_minor", "street_middle", "street_major")


class Ground:
    """The shared part of all maps of one findings; the base map is drawn once for each size of frame.

    Parameters
    ----------
    findings
        What to draw.
    language
        Of the texts.
    font
        What they are drawn with.
    """

    def __init__(self, findings: Findings, language: Language, font: MapFont) -> None:
        self._findings = findings
        self._language = language
        self._font = font
        self._rings = findings.layers["rings"] if has_rings(findings) else findings.layers["rings"].iloc[:0]
        self._bounds = findings.layers["area"].total_bounds
        self._extent = extent_around(self._bounds, ratio=MAP_MM[2] / MAP_MM[3])
        self._coverage = Coverage(findings)
        self._marks = class_marks(findings.manifest["classes"])
        self._taken: list[tuple[float, float, float, float]] = []
        self._bases: dict[tuple[float, float, str], NDArray[np.uint8]] = {}

    def _say(self, key: str, /, **parameters: object) -> str:
        return say(f"sheet.{key}", self._language, **parameters)

    def _number(self, value: float | None, kind: str = "count") -> str:
        return format_number(value, kind, self._language)

    # -- the base that all maps share

    def _base(self, axes: Axes, extent: Extent, place_mm: Sequence[float], *, kind: str) -> None:
        """Lay land, water, railways and streets under a map, as one image made once for each kind and size of frame.

        ``rings`` colours the rings under the streets, ``small`` leaves minor streets out.
        """
        size = (round(place_mm[2], 3), round(place_mm[3], 3), kind)
        if size not in self._bases:
            self._bases[size] = self._base_image(extent, size[0], size[1], kind)
        span = (extent.west, extent.east, extent.south, extent.north)
        axes.imshow(self._bases[size], extent=span, aspect="auto", interpolation="antialiased", zorder=0)
        axes.set_xlim(extent.west, extent.east)
        axes.set_ylim(extent.south, extent.north)

    def _base_image(self, extent: Extent, width_mm: float, height_mm: float, kind: str) -> NDArray[np.uint8]:
        layers, small = self._findings.layers, kind == "small"
        figure = Figure(figsize=(width_mm / INCH_MM, height_mm / INCH_MM), facecolor=PAPER)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.set_xlim(extent.west, extent.east)
        axes.set_ylim(extent.south, extent.north)
        thin = 0.5 if small else 1.0
        axes.add_collection(areas(layers["area"].geometry, facecolors=LAND, edgecolors="none"), autolim=False)
        if kind == "rings":
            fills = [ring_fill(int(order)) for order in self._rings["order"]]
            washes = areas(self._rings.geometry, facecolors=fills or "none", alpha=RING_SHADE, edgecolors="none")
            axes.add_collection(washes, autolim=False)
        barriers = layers["barriers"]
        water = barriers[barriers["kind"].isin(WATER)].geometry
        wet = water[water.geom_type.isin(["Polygon", "MultiPolygon"])]
        river, rail = LOOKS["river"], LOOKS["railway"]
        axes.add_collection(areas(wet, facecolors=river.fill, edgecolors=river.fill, linewidths=0.4), autolim=False)
        runs = lines(water[~water.index.isin(wet.index)], colors=river.line, linewidths=river.width_pt * 2 * thin)
        axes.add_collection(runs, autolim=False)
        tiers = layers["streets"]["highway"].fillna("").astype(str).map(street_tier)
        for tier in TIERS[2:] if small else TIERS:
            look = LOOKS[tier]
            ways = layers["streets"].geometry[tiers == tier]
            axes.add_collection(lines(ways, colors=look.line, linewidths=look.width_pt * thin), autolim=False)
        rails = barriers[barriers["kind"] == "railway"].geometry
        dashed = {"linestyles": [(0, rail.dash)]} if rail.dash else {}
        axes.add_collection(lines(rails, colors=rail.line, linewidths=rail.width_pt * thin, **dashed), autolim=False)
        return render(figure, BASE_DPI)

    def _base_legend(self) -> list[Entry]:
        """Return the legend of what is on the base map, of what there is."""
        layers = self._findings.layers
        kinds = set(layers["barriers"]["kind"])
        entries = []
        if kinds & WATER:
            entries.append(Entry(self._say("river"), "area", fill=LOOKS["river"].fill))
        if "railway" in kinds:
            rail = LOOKS["railway"]
            entries.append(Entry(self._say("railway"), "line", line=rail.line, width_pt=rail.width_pt, dash=rail.dash))
        if len(layers["streets"]):
            entries.append(Entry(self._say("street"), "line", line=LOOKS["street_major"].line, width_pt=1.2))
        look = LOOKS["area"]
        return [*entries, Entry(self._say("area"), "line", line=look.line, width_pt=look.width_pt, dash=look.dash)]

    def _area_edge(self, axes: Axes) -> None:
        look = LOOKS["area"]
        edge = lines(self._findings.layers["area"].geometry, colors=look.line, linewidths=look.width_pt * 1.3)
        edge.set_linestyle((0, look.dash))
        edge.set_zorder(9)
        axes.add_collection(edge, autolim=False)

    def _ring_edges(self, axes: Axes, *, width: float = 1.0) -> None:
        look = LOOKS["rings"]
        rings = lines(self._rings.geometry, colors=look.line, linewidths=look.width_pt * width)
        rings.set_zorder(6)
        axes.add_collection(rings, autolim=False)

    def _ring_entry(self) -> list[Entry]:
        if not len(self._rings):
            return []
        return [Entry(self._say("ring_boundary"), "line", line=LOOKS["rings"].line, width_pt=LOOKS["rings"].width_pt)]

    def _names(self, axes: Axes, frame: gpd.GeoDataFrame, *, size_pt: float, above: bool = False) -> None:
        """Write names in their areas, or above small ones, the largest first; one without a free place is left out."""
        metres_per_pt = self._extent.width_m / MAP_MM[2] * POINT_MM
        order = np.argsort(-frame.geometry.area.to_numpy(), kind="stable")[:NAMES_MOST]
        for row in records(frame.iloc[order]):
            name = text(row.name)
            wide = (text_width(name) / 2 + 0.5) * size_pt * metres_per_pt
            tall = 0.85 * size_pt * metres_per_pt
            for x, y in _places(row.geometry, tall if above else None):
                box = (x - wide, y - tall, x + wide, y + tall)
                if not name or any(_overlap(box, other) for other in self._taken) or not self._within(box):
                    continue
                self._taken.append(box)
                back = {"facecolor": PAPER, "edgecolor": "none", "alpha": 0.75, "pad": 1.2}
                words = self._font.drawable(name)
                axes.text(x, y, words, fontsize=size_pt, color=INK, ha="center", va="center", zorder=12, bbox=back)
                break

    def _corners(self) -> list[tuple[float, float, float, float]]:
        """Return the places of scale bar and north arrow, which no name may cover."""
        shown, mm = self._extent, self._extent.width_m / MAP_MM[2]
        bar = (shown.west, shown.south, shown.west + 72 * mm, shown.south + 14 * mm)
        return [bar, (shown.east - 16 * mm, shown.north - 24 * mm, shown.east, shown.north)]

    def reserve(self, x: float, y: float, *, radius_pt: float) -> None:
        """Keep names off a place, given in metres."""
        reach = radius_pt * self._extent.width_m / MAP_MM[2] * POINT_MM
        self._taken.append((x - reach, y - reach, x + reach, y + reach))

    def _within(self, box: tuple[float, float, float, float]) -> bool:
        """Return whether a box lies in the frame."""
        shown = self._extent
        return box[0] > shown.west and box[1] > shown.south and box[2] < shown.east and box[3] < shown.north


def _places(geometry: shapely.Geometry, above_m: float | None) -> list[tuple[float, float]]:
    """Return where a name may stand: in the area and its four sides, or above and below it at a distance in metres."""
    west, south, east, north = shapely.bounds(geometry)
    x, y = (west + east) / 2, (south + north) / 2
    if above_m is not None:
        return [(x, north + above_m), (x, south - above_m), (x, north + 3 * above_m), (x, south - 3 * above_m)]
    halves = ((west, y, east, north), (west, south, east, y), (west, south, x, north), (x, south, east, north))
    parts = [geometry, *(shapely.intersection(geometry, box(*half)) for half in halves)]
    points = [shapely.point_on_surface(part) for part in parts if not part.is_empty]
    return [(point.x, point.y) for point in points]


def _overlap(first: tuple[float, float, float, float], second: tuple[float, float, float, float]) -> bool:
    return first[0] < second[2] and second[0] < first[2] and first[1] < second[3] and second[1] < first[3]
