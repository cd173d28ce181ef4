"""What each printed map shows: layers from the findings, in the order they are laid on paper, and their legends."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import shapely

from ..layers.words import say
from .classfacts import class_basis, class_facts
from .formats import format_area, format_limit
from .ground import RING_SHADE, Ground
from .limits import with_confidence
from .paper import (
    MAP_MM,
    POINT_MM,
    WIDE_MM,
    Entry,
    Extent,
    Panel,
    Paper,
    areas,
    extent_around,
    legend_row,
    lines,
    wrap,
)
from .quotes import circle_label, class_name, counted_classes, has_cells, known, label, records, served, text
from .style import (
    CIRCLE_OPACITY,
    GOOD,
    INK,
    KIND_FILLS,
    LOOKS,
    MISSING_FILLS,
    MUTED,
    PAPER,
    SITE,
    UNKNOWN,
    USE_FILLS,
    missing_cuts,
    missing_labels,
    missing_step,
    ring_fill,
    use_fill,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from matplotlib.axes import Axes

    from .quotes import Quote

OVERVIEW_MOST = 12
"""Small maps on one sheet at most."""
MANY = 4000
"""Layers of more features than this go into SVG and PDF as an image."""
LISTS_MM = 128.0
"""Height of the panel that the lists of sites may take."""
SITE_MARKERS = ("o", "s", "D", "p", "h")
MARK_SIZES = {"o": 150, "s": 130, "D": 115, "p": 190, "h": 175}
"""Areas of the marks in square points that hold a number of two digits."""
NAMED_MOST = 12
"""Up to so many projects are named on the map, more are numbered."""


class Scenes(Ground):
    """Draws the maps of one findings; what they share (extent, base map, look-ups) is made once.

    Parameters
    ----------
    findings
        What to draw.
    language
        Of the texts.
    font
        What they are drawn with.
    """

    def draw(self, paper: Paper, key: str, classes: Sequence[str]) -> None:
        """Draw the sheet of a key (see `lifecircle.maps.sheet.Plan`) on a paper that has head and foot."""
        if key.startswith("overview_"):
            self._overview(paper, classes)
            return
        axes = paper.map_axes(MAP_MM, self._extent)
        self._taken = self._corners()
        self._base(axes, self._extent, MAP_MM, kind="rings" if key == "location" else "plain")
        panel = Panel(paper)
        if key.startswith("class_"):
            self._class(axes, panel, classes[0])
        else:
            {"location": self._location, "zoning": self._zoning, "missing": self._missing, "sites": self._sites}[key](
                axes, panel
            )
        self._area_edge(axes)
        paper.scale_bar(axes, self._extent, MAP_MM[2])
        paper.north_arrow(axes, self._extent, MAP_MM[2], self._say("north"))

    # -- one method a kind of sheet

    def _location(self, axes: Axes, panel: Panel) -> None:
        layers = self._findings.layers
        rings, projects = self._rings, layers["projects"]
        if len(layers["districts"]):
            look = LOOKS["districts"]
            edges = lines(layers["districts"].geometry, colors=look.line, linewidths=look.width_pt)
            edges.set_linestyle((0, look.dash))
            axes.add_collection(edges, autolim=False)
        self._ring_edges(axes)
        kinds = projects["kind"].map(lambda kind: text(kind) or "other")
        colors = [KIND_FILLS.get(kind, KIND_FILLS["other"]) for kind in kinds]
        patches = areas(projects.geometry, facecolors=colors or "none", edgecolors=INK, linewidths=0.7, zorder=7)
        axes.add_collection(patches, autolim=False)
        few = len(projects) <= NAMED_MOST
        if not few:
            self._numbers(axes, projects)
        self._names(axes, rings, size_pt=12)
        if few:
            self._names(axes, projects, size_pt=8, above=True)
        panel.heading(self._say("facts_heading"))
        panel.facts(self._totals())
        panel.heading(self._say("legend"))
        panel.legend(
            Entry(text(ring.name), "area", fill=ring_fill(int(ring.order)), opacity=RING_SHADE, line=INK)
            for ring in records(rings.sort_values("order"))
        )
        panel.legend(
            Entry(label("kind", kind, self._language), "area", fill=color, line=INK)
            for kind, color in KIND_FILLS.items()
            if kind in set(kinds)
        )
        extra = []
        if len(layers["districts"]):
            look = LOOKS["districts"]
            name = self._say("district_boundary")
            extra = [Entry(name, "line", line=look.line, width_pt=look.width_pt, dash=look.dash)]
        panel.legend([*self._ring_entry(), *extra, *self._base_legend()])
        if not few:
            panel.note(self._say("numbers_note"))

    def _numbers(self, axes: Axes, frame: gpd.GeoDataFrame) -> None:
        """Write at each area its place in the list of the report."""
        for place, row in enumerate(records(frame), 1):
            at = shapely.point_on_surface(row.geometry)
            axes.scatter([at.x], [at.y], s=62, c=PAPER, edgecolors=INK, linewidths=0.6, zorder=12)
            axes.text(at.x, at.y, str(place), fontsize=6.5, color=INK, ha="center", va="center_baseline", zorder=13)
            self.reserve(at.x, at.y, radius_pt=5)

    def _totals(self) -> list[tuple[str, str]]:
        """Return what the study area holds."""
        totals = self._findings.manifest["totals"]
        cells = has_cells(self._findings)
        area = self._findings.layers["area"].geometry.area.sum()
        pairs = [(self._say("fact_area"), format_area(area, self._language))]
        for name, words, unit in (
            ("people", "fact_people", "count_people"),
            ("elders_60", "fact_elders_total", "count_people"),
            ("households", "fact_households", "count_households"),
            ("compounds", "fact_cells" if cells else "fact_compounds", "count_things"),
        ):
            if known(totals.get(name)):
                pairs.append((self._say(words), self._say(unit, count=self._number(totals[name]))))
        projects = len(self._findings.layers["projects"])
        if projects:
            pairs.append((self._say("fact_projects"), self._say("count_things", count=self._number(projects))))
        return pairs

    def _zoning(self, axes: Axes, panel: Panel) -> None:
        parcels = self._findings.layers["parcels"]
        look = LOOKS["parcels"]
        fills = [use_fill(text(group)) for group in parcels["use_group"]]
        patches = areas(parcels.geometry, facecolors=fills, edgecolors=look.line, linewidths=look.width_pt * 0.6)
        patches.set_alpha(0.92)
        patches.set_rasterized(len(parcels) > MANY)
        axes.add_collection(patches, autolim=False)
        self._ring_edges(axes)
        found = [text(group) for group in parcels["use_group"].unique()]
        order = [*[group for group in USE_FILLS if group in found], *[g for g in found if g not in USE_FILLS]]
        panel.heading(self._say("legend"))
        panel.legend(Entry(label("use", group, self._language), "area", fill=use_fill(group)) for group in order)
        panel.legend([*self._ring_entry(), *self._base_legend()])

    def _missing(self, axes: Axes, panel: Panel) -> None:
        compounds = self._findings.layers["compounds"]
        look = LOOKS["compounds"]
        cuts = missing_cuts(compounds["missing_count"])
        steps = compounds["missing_count"].map(lambda count: missing_step(count, cuts))
        patches = areas(
            compounds.geometry,
            facecolors=[MISSING_FILLS[step] for step in steps],
            edgecolors=look.line,
            linewidths=look.width_pt * 0.5,
        )
        patches.set_rasterized(len(compounds) > MANY)
        axes.add_collection(patches, autolim=False)
        self._ring_edges(axes, width=0.8)
        panel.heading(self._say("missing_heading"))
        counts = steps.value_counts()
        panel.legend(
            Entry(
                self._say("missing_step", step=words, count=self._number(int(counts.get(step, 0)))), "area", fill=fill
            )
            for step, (words, fill) in enumerate(zip(missing_labels(self._language, cuts), MISSING_FILLS, strict=False))
        )
        panel.note(self._say("missing_note"))
        panel.heading(self._say("legend"))
        panel.legend([*self._ring_entry(), *self._base_legend()])

    def _class(self, axes: Axes, panel: Panel, key: str) -> None:
        circles = self._circles(axes, key)
        self._ring_edges(axes, width=0.7)
        gaps = self._gap_points(axes, key)
        self._facility_points(axes, key, size=46)
        sites = self._findings.layers["sites"]
        sites = sites[sites["facility_class"] == key]
        self._site_points(axes, sites, Entry("", "mark", fill=SITE))
        panel.heading(self._say("facts_heading"))
        panel.facts(class_facts(self._findings, self._coverage, key, self._language))
        panel.heading(self._say("legend"))
        mark = self._marks[key]
        entries = [Entry(self._say("facility_existing"), "mark", fill=mark.color, marker=mark.marker, size_pt=7)]
        if len(sites):
            entries.append(Entry(self._say("site"), "mark", fill=SITE, size_pt=9))
        panel.legend([*entries, *circles, *gaps])
        panel.legend([*self._ring_entry(), *self._base_legend()])
        panel.note(self._say("not_picture"))
        basis = class_basis(self._findings, key, self._language)
        if basis:
            panel.note(basis)

    def _circles(self, axes: Axes, key: str) -> list[Entry]:
        """Draw the service circles of a class, widest first, its own limit outlined, and return their legend."""
        circles = self._findings.layers["circles"]
        circles = circles[circles["facility_class"] == key].sort_values("minutes", ascending=False)
        own = {quote.limit: quote.confidence for quote in self._coverage.each(key)}
        clear, entries = 1.0, []
        for row in records(circles):
            opacity = CIRCLE_OPACITY.get(int(row.minutes), min(CIRCLE_OPACITY.values()))
            clear *= 1 - opacity
            edge = 0.7 if row.limit in own else 0.0
            axes.add_collection(areas([row.geometry], facecolors=GOOD, alpha=opacity, edgecolors="none"), autolim=False)
            if edge:
                axes.add_collection(lines([row.geometry], colors=GOOD, linewidths=edge), autolim=False)
            words = circle_label(self._findings, int(row.minutes), float(row.limit), row.unit, self._language)
            words = with_confidence(words, own.get(row.limit, ""), self._language)
            line = GOOD if edge else None
            entries.append(Entry(words, "area", fill=GOOD, opacity=1 - clear, line=line, width_pt=edge))
        return entries[::-1]

    def _gap_points(self, axes: Axes, key: str) -> list[Entry]:
        """Draw who lacks the class, by number of people, and return the legend of what was drawn."""
        gaps = self._findings.layers["gaps"]
        gaps = gaps[gaps["facility_class"] == key]
        unknown = (gaps["status"] == "unknown").to_numpy()
        entries = []
        for chosen, name, words in ((unknown, "gaps_unknown", "gap_unknown"), (~unknown, "gaps", "gap")):
            some = gaps[chosen]
            if not len(some):
                continue
            look = LOOKS[name]
            points = shapely.get_coordinates(some.geometry.centroid.to_numpy())
            people = some["people"].to_numpy(dtype=float)
            size = 2.0 + 14.0 * np.sqrt(people / max(float(gaps["people"].max()), 1.0))
            axes.scatter(
                points[:, 0],
                points[:, 1],
                s=size,
                c=look.fill,
                alpha=look.opacity,
                linewidths=0,
                zorder=8,
                rasterized=len(some) > MANY // 4,
            )
            entries.append(Entry(self._say(words), "mark", fill=look.fill, opacity=look.opacity, size_pt=4))
        return entries[::-1]

    def _facility_points(self, axes: Axes, key: str, *, size: float, marker: str = "") -> None:
        facilities = self._findings.layers["facilities"]
        some = facilities[facilities["facility_class"].isin(counted_classes(self._findings, key))]
        if len(some):
            points = shapely.get_coordinates(shapely.centroid(some.geometry.to_numpy()))
            mark = self._marks[key]
            edge = 0.8 if size > 20 else 0.3
            axes.scatter(
                points[:, 0],
                points[:, 1],
                s=size,
                c=mark.color,
                marker=marker or mark.marker,
                edgecolors=PAPER,
                linewidths=edge,
                zorder=10,
            )

    def _site_points(self, axes: Axes, sites: gpd.GeoDataFrame, look: Entry) -> None:
        """Draw proposed sites as marks that carry their rank."""
        if not len(sites):
            return
        points = shapely.get_coordinates(shapely.centroid(sites.geometry.to_numpy()))
        axes.scatter(
            points[:, 0],
            points[:, 1],
            s=MARK_SIZES.get(look.marker, 150),
            c=look.fill,
            marker=look.marker,
            edgecolors=PAPER,
            linewidths=1.2,
            zorder=13,
        )
        for (x, y), rank in zip(points, sites["rank"], strict=True):
            axes.text(x, y, str(int(rank)), fontsize=8.5, color=PAPER, ha="center", va="center_baseline", zorder=14)
            self.reserve(x, y, radius_pt=8)

    def _sites(self, axes: Axes, panel: Panel) -> None:
        sites = self._findings.layers["sites"]
        compounds = self._findings.layers["compounds"]
        compounds = compounds[compounds["kind"] != "cell"]
        quiet = areas(compounds.geometry, facecolors=UNKNOWN, alpha=0.55, edgecolors="none")
        quiet.set_rasterized(len(compounds) > MANY)
        axes.add_collection(quiet, autolim=False)
        self._ring_edges(axes)
        classes = list(dict.fromkeys(sites["facility_class"]))
        most = max(int((LISTS_MM / len(classes) - 29) / 5.2), 1)
        shapes = dict(zip(classes, itertools.cycle(SITE_MARKERS)))
        for key in classes:
            some = sites[sites["facility_class"] == key].sort_values("rank")
            look = Entry("", "mark", fill=self._marks[key].color, marker=shapes[key], size_pt=8.5)
            self._facility_points(axes, key, size=14, marker=shapes[key])
            self._site_points(axes, some, look)
            panel.heading(class_name(self._findings, key, self._language))
            panel.facts(self._class_gain(key))
            panel.facts([(self._say("fact_added"), self._proven(key, served(some["weight"].iloc[0], self._language)))])
            panel.ranks(self._site_list(some.head(most)), look)
            if len(some) > most:
                panel.note(self._say("more", count=len(some) - most))
        self._names(axes, self._rings, size_pt=10)
        panel.heading(self._say("legend"))
        panel.legend(
            [
                Entry(self._say("site"), "mark", fill=INK, size_pt=9),
                Entry(self._say("facility_existing"), "mark", fill=INK, size_pt=4),
                *([Entry(self._say("compounds"), "area", fill=UNKNOWN, opacity=0.55)] if len(compounds) else []),
                *self._ring_entry(),
                *self._base_legend(),
            ]
        )

    def _class_gain(self, key: str) -> list[tuple[str, str]]:
        """Return the rate of coverage before and after, in one line."""
        quote: Quote | None = self._coverage.city(key)
        if quote is None or quote.after_rate is None:
            return []
        rates = f"{self._number(quote.rate, 'percent')} → {self._number(quote.after_rate, 'percent')}"
        group = served(self._coverage.headline(key), self._language)
        limit = with_confidence(format_limit(quote.limit, quote.unit, self._language), quote.confidence, self._language)
        return [
            (say("map.class_for", self._language, name=self._say("fact_rate"), group=group), rates),
            (self._say("fact_limit"), limit),
        ]

    def _proven(self, key: str, group: str) -> str:
        """Return whom the sites of a class were chosen for, and how far they are from the best possible."""
        table = self._findings.tables["siting"]
        for row in records(table[table["facility_class"] == key].head(1)):
            if row.status == "optimal":
                return f"{group} · {say('report.solver_optimal', self._language)}"
            return f"{group} · {self._say('fact_gap', gap=self._number(known(row.gap), 'percent'))}"
        return group

    def _site_list(self, sites: gpd.GeoDataFrame) -> list[tuple[str, str, str]]:
        """Return rank, name and how many of the served group are added of each site."""
        rows = []
        for site in records(sites):
            name = text(site.name) or label("kind", site.kind, self._language)
            added = self._say("count_people", count=self._number(known(site.added)))
            rows.append((str(int(site.rank)), name, f"+{added}"))
        return rows

    def _overview(self, paper: Paper, classes: Sequence[str]) -> None:
        """Draw one small map a class: what lies within its limit, and its facilities."""
        columns, rows = self._grid(len(classes))
        left, bottom, width, height = WIDE_MM
        bottom, height = bottom + 8, height - 8
        step_x, step_y = (width + 4) / columns, height / rows
        frame = (step_x - 4, step_y - 13)
        extent = extent_around(self._bounds, ratio=frame[0] / frame[1], margin=0.02)
        for place, key in enumerate(classes):
            row, column = divmod(place, columns)
            x, y = left + column * step_x, bottom + height - (row + 1) * step_y
            axes = paper.map_axes((x, y + 1, *frame), extent)
            self._base(axes, extent, (x, y, *frame), kind="small")
            self._small_map(axes, key)
            if all(quote.no_data for quote in self._coverage.each(key)):
                box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 4}
                axes.text(
                    *(0.5, 0.5), self._say("no_data"), transform=axes.transAxes, ha="center", va="center",
                    size=11, color=MUTED, zorder=50, bbox=box,
                )  # fmt: skip
            name = class_name(self._findings, key, self._language, short=True)
            paper.write(x, y + step_y - 6, wrap(name, frame[0] / (10 * POINT_MM))[0], size_pt=10)
            paper.write(x, y + step_y - 10.4, self._rate_line(key), size_pt=9)
        dot = LOOKS["area"]
        entries = [
            Entry(self._say("overview_circle"), "area", fill=INK, opacity=0.35),
            Entry(self._say("facility_existing"), "mark", fill=INK, size_pt=4),
            Entry(self._say("area"), "line", line=dot.line, dash=dot.dash, width_pt=dot.width_pt),
        ]
        legend_row(paper, entries, (left, WIDE_MM[1], width - 70, 7))
        # one scale and one arrow for all maps of the sheet, in a strip of the same scale beside the legend
        strip_mm, scale = (left + width - 70, WIDE_MM[1] - 2, 70.0, 10.0), extent.width_m / frame[0]
        strip = Extent(0.0, 0.0, strip_mm[2] * scale, strip_mm[3] * scale)
        bare = paper.map_axes(strip_mm, strip)
        bare.set_axis_off()
        paper.scale_bar(bare, strip, strip_mm[2], longest_mm=36.0)
        paper.north_arrow(bare, strip, strip_mm[2], self._say("north"), size=0.5)

    def _grid(self, count: int) -> tuple[int, int]:
        """Return columns and rows that show so many maps of this area the largest."""
        west, south, east, north = self._bounds

        def scale(columns: int) -> float:
            rows = -(-count // columns)
            wide, tall = (WIDE_MM[2] + 4) / columns - 4, (WIDE_MM[3] - 8) / rows - 13
            return float(min(wide / (east - west), tall / (north - south)))

        columns = max(range(1, count + 1), key=lambda columns: (round(scale(columns), 9), -columns))
        return columns, -(-count // columns)

    def _small_map(self, axes: Axes, key: str) -> None:
        """Draw a class's facilities and the widest circle that its limit holds, never one that goes beyond it."""
        circles = self._findings.layers["circles"]
        limit = max((quote.limit for quote in self._coverage.each(key)), default=0.0)
        within = circles[(circles["facility_class"] == key) & (circles["limit"] <= limit)]
        chosen = within[within["limit"] == within["limit"].max()]
        color = self._marks[key].color
        axes.add_collection(areas(chosen.geometry, facecolors=color, alpha=0.4, edgecolors="none"), autolim=False)
        facilities = self._findings.layers["facilities"]
        some = facilities[facilities["facility_class"].isin(counted_classes(self._findings, key))]
        points = shapely.get_coordinates(shapely.centroid(some.geometry.to_numpy()))
        axes.scatter(points[:, 0], points[:, 1], s=5, c=color, linewidths=0, zorder=10, rasterized=len(some) > MANY)
        self._area_edge(axes)

    def _rate_line(self, key: str) -> str:
        """Return limit and rate of a class, of each of its circles where it is required in several."""
        said = []
        for quote in self._coverage.each(key):
            limit = format_limit(quote.limit, quote.unit, self._language)
            limit = with_confidence(limit, quote.confidence, self._language)
            rate = self._say("no_data") if quote.no_data else self._number(quote.rate, "percent")
            group = served(self._coverage.headline(key), self._language)
            words = "overview_none" if quote.no_data else "overview_rate"
            said.append(self._say(words, limit=limit, rate=rate, group=group))
        return self._say("semicolon").join(said) or self._say("no_data")
