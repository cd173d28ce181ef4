"""How everything looks, for the map page and the printed sheets alike: palette, symbols, line weights.

Colours keep apart under the common colour blindnesses (Tol's muted set for classes, one sequential ramp for what is
lacking) and in grey print; where two things share a hue they differ in shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from ..layers.words import Language, say

if TYPE_CHECKING:
    from collections.abc import Iterable

Shape: TypeAlias = Literal["circle", "square", "triangle", "diamond", "pentagon", "cross", "star", "down"]

FONTS = (
    "Microsoft YaHei",
    "PingFang SC",
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "sans-serif",
)
"""Families for screens, the first that the reader's machine has is used."""

PAPER, LAND, INK, MUTED, RULE = "#ffffff", "#f5f3ee", "#1f2d3a", "#5d6974", "#dcd8cf"
ACCENT = "#1d5f94"
"""Of the interface: titles, links, what is chosen."""
GAP = "#8e1b5c"
"""People who lack a facility."""
SITE = "#0b4a86"
"""Proposed sites where their classes are not told apart; else a site has the colour of its class."""
CANDIDATE, CANDIDATE_UNFIT = "#3f8f8a", "#9aa1a6"
"""Land and buildings that may carry a facility, and those that may not."""
UNKNOWN = "#c9ccd0"
"""No data: a grey that none of the ramps holds."""
GOOD = "#2a7f6f"
"""Covered people, in bars and charts."""
GOOD_AFTER = "#a9d3ca"
"""Those whom the proposed sites add."""
LACKING_TEXT = "#a8450d"
"""Words that say something is too far, dark enough to read on paper."""


@dataclass(frozen=True, slots=True)
class Look:
    """How an area or a line is drawn.

    Parameters
    ----------
    line
        Colour of the line, ``None`` for no line.
    width_px
        Its width on screen in CSS pixels; on paper `width_pt`.
    fill
        Colour of the area, ``None`` for no fill.
    opacity
        Of the fill, 0 to 1.
    dash
        Lengths on and off in pixels, empty for a full line.
    """

    line: str | None = None
    width_px: float = 1.0
    fill: str | None = None
    opacity: float = 1.0
    dash: tuple[float, ...] = ()

    @property
    def width_pt(self) -> float:
        """Line width on paper in points: a CSS pixel is 0.75 pt, and paper carries finer lines than screens."""
        return self.width_px * 0.55


@dataclass(frozen=True, slots=True)
class Mark:
    """How a point of a class is drawn: shape and colour.

    Parameters
    ----------
    shape
        One of `Shape`.
    color
        Its fill.
    """

    shape: Shape
    color: str

    @property
    def marker(self) -> str:
        """The same shape as a matplotlib marker."""
        return _MARKERS[self.shape]


_MARKERS: dict[Shape, str] = {
    "circle": "o",
    "square": "s",
    "triangle": "^",
    "diamond": "D",
    "pentagon": "p",
    "cross": "P",
    "star": "*",
    "down": "v",
}

WATER = frozenset({"river", "water"})
"""Kinds of barriers that are drawn as water."""
LOOKS: dict[str, Look] = {
    "area": Look(line="#7b8791", width_px=1.4, fill=None, dash=(7, 3, 2, 3)),
    "river": Look(line="#a9c8dd", width_px=2.0, fill="#cfe1ec", opacity=1.0),
    "railway": Look(line="#8d9299", width_px=1.6, dash=(8, 5)),
    "wall": Look(line="#a5917c", width_px=1.0, dash=(3, 2)),
    "street_major": Look(line="#cdbf9f", width_px=2.2),
    "street_middle": Look(line="#d6cfbf", width_px=1.4),
    "street_minor": Look(line="#ded9ce", width_px=0.8),
    "street_path": Look(line="#d9d5cb", width_px=0.6, dash=(3, 2)),
    "rings": Look(line="#3a4855", width_px=2.0, fill=None),
    "districts": Look(line="#7d6d8a", width_px=1.1, dash=(5, 3)),
    "compounds": Look(line="#ffffff", width_px=0.7, opacity=0.86),
    "parcels": Look(line="#ffffff", width_px=0.5, opacity=0.8),
    "projects": Look(line="#1f2d3a", width_px=1.8, opacity=0.4),
    "candidates": Look(line=CANDIDATE, width_px=1.2, fill=CANDIDATE, opacity=0.35),
    "candidates_unfit": Look(line=CANDIDATE_UNFIT, width_px=1.0, fill=CANDIDATE_UNFIT, opacity=0.2),
    "gaps": Look(line="#ffffff", width_px=0.6, fill=GAP, opacity=0.7),
    "gaps_unknown": Look(line="#ffffff", width_px=0.6, fill="#7c8288", opacity=0.6),
    "sites": Look(line="#ffffff", width_px=1.5, fill=SITE, opacity=1.0),
}
"""Looks of the layers whose look does not depend on a value."""

RING_FILLS = ("#b9a7c9", "#cfc3da", "#dfd8e6", "#ece8f0", "#f4f2f6")
"""Rings inside out, when they are filled (sheets; on the page at `RING_OPACITY`)."""
RING_OPACITY = 0.35

CIRCLE_OPACITY = {5: 0.28, 10: 0.18, 15: 0.12}
"""Fill opacity of the service circle of so many minutes, in the colour of its class."""

MISSING_CUTS = (0, 1, 2, 3, 5, 7)
"""Least number of lacking classes of each step of `MISSING_FILLS`, where few classes lack; see `missing_cuts`."""
MISSING_FILLS = ("#d5e3e6", "#fdeab8", "#fbc878", "#f09a49", "#cd6423", "#8c3309")

STATUS_FILLS = {
    "present": "#5fa79a",
    "partial": "#f7d58f",
    "too_small": "#7b5ea7",
    "too_far": "#cd6423",
    "unknown": "#d3d6da",
    "no_data": "#d3d6da",
}
"""Neighbourhoods by whether they have one facility class within the walk."""

WAY_FILLS = {"keep": "#3b7a57", "convert": "#c98b1b", "demolish": "#a23b3b"}
"""Renewal projects by way 留 改 拆."""
KIND_FILLS = {
    "shantytown": "#a23b3b",
    "urban_village": "#d08c60",
    "old_neighbourhood": "#4477aa",
    "historic": "#8a6d3b",
    "factory": "#6b6e8f",
    "old_street": "#44aa99",
    "other": "#8c8c8c",
}
"""Renewal projects by kind."""

USE_FILLS = {
    "residential": "#fbe9a9",
    "community": "#f2b6a0",
    "public": "#eba3b8",
    "commercial": "#e07b6a",
    "industrial": "#c6a58a",
    "storage": "#b9a7d0",
    "transport": "#c9ccd0",
    "utility": "#a7bcd6",
    "green": "#a9d19b",
    "special": "#9aa58c",
    "reserved": "#e3e0d6",
    "water": "#b9d7e8",
    "vacant": "#f4efe2",
    "rural": "#dde6c0",
    "unknown": "#d9d9d9",
    "none": "#efefec",
    "other": "#d9d9d9",
}
"""Zoning parcels by group of land use (those of ``land_use.toml``), near to Chinese planning drawings but paler."""
_USE_LETTERS = {
    "R": "residential",
    "A": "public",
    "B": "commercial",
    "M": "industrial",
    "W": "storage",
    "S": "transport",
    "U": "utility",
    "G": "green",
    "E1": "water",
    "E": "rural",
    "07": "residential",
    "08": "public",
    "09": "commercial",
    "10": "industrial",
    "11": "storage",
    "12": "transport",
    "13": "utility",
    "14": "green",
    "16": "reserved",
    "17": "water",
}

_FIELDS: dict[str, tuple[tuple[str, str], tuple[str, ...]]] = {
    "elderly": (("#9c4aa5", "#5a1f66"), ("elderly_day_care", "elderly_home", "nursing_care_home", "community_canteen")),
    "health": (("#c9476a", "#86203a"), ("community_health_station", "community_health_centre", "outpatient")),
    "education": (("#a8811a", "#6b4f06"), ("kindergarten", "primary_school", "junior_middle_school", "nursery")),
    "commerce": (
        ("#1c8a43", "#0b4f27"),
        ("food_market", "community_retail", "mall", "convenience_store", "restaurant", "bank"),
    ),
    "culture": (("#4a3db0", "#231a66"), ("culture_station", "culture_centre")),
    "sport": (
        ("#2f948a", "#135e57"),
        (
            "small_sports_ground",
            "outdoor_fitness_ground",
            "medium_multisport_ground",
            "large_multisport_ground",
            "sports_hall_fitness_centre",
            "gym",
        ),
    ),
    "admin": (
        ("#4f7aa3", "#2a4764"),
        ("community_service_station", "street_service_centre", "subdistrict_office", "police_station"),
    ),
    "transport": (
        ("#7a7a7a", "#444444"),
        ("bus_stop", "metro_station", "bus_terminal", "bus_stop_5", "bike_parking", "car_parking"),
    ),
    "municipal": (
        ("#8f7b55", "#5f5034"),
        ("public_toilet", "recycling_point", "refuse_collection_station", "parcel_point"),
    ),
}
"""Fields of service: a light and a dark tone of one hue, which the classes of the field take in turn."""
_SHAPES: tuple[Shape, ...] = ("circle", "square", "triangle", "diamond", "pentagon", "cross", "down", "star")
_SPARE = ("#88572b", "#5b7fbf", "#999933", "#aa5577", "#557755")


def class_marks(keys: Iterable[str]) -> dict[str, Mark]:
    """Return a mark for each facility class: the hue says its field (elderly, health, …), tone and shape the class.

    A class of the Chinese standard looks the same in every study; classes of a user's own standard take spare colours
    in the order given.

    Examples
    --------
    >>> marks = class_marks(["elderly_day_care", "elderly_home", "my_library"])
    >>> [mark.shape for mark in marks.values()], marks["my_library"].color
    (['circle', 'square', 'circle'], '#88572b')
    """
    known = {
        key: Mark(_SHAPES[place % len(_SHAPES)], tones[place % 2])
        for tones, members in _FIELDS.values()
        for place, key in enumerate(members)
    }
    marks: dict[str, Mark] = {}
    spare = 0
    for key in keys:
        mark = known.get(key) or known.get(key.removeprefix("td_"))
        if mark is None:
            mark = Mark(_SHAPES[spare // len(_SPARE) % len(_SHAPES)], _SPARE[spare % len(_SPARE)])
            spare += 1
        marks[key] = mark
    return marks


def missing_cuts(counts: Iterable[float]) -> tuple[int, ...]:
    """Return the least number of each step of `MISSING_FILLS`: the usual, or even shares where most lack more.

    Numbers that are not known do not count. There are at most as many steps as fills.

    Examples
    --------
    >>> missing_cuts([0, 1, 2, 3, 5, 8]), missing_cuts([9, 10, 11, 12, 13, 14, 15, 16])
    ((0, 1, 2, 3, 5, 7), (0, 1, 11, 12, 14, 15))
    """
    values = np.asarray(list(counts), dtype=float)
    values = np.sort(values[np.isfinite(values)])
    if not len(values) or np.median(values) < MISSING_CUTS[-1]:
        return MISSING_CUTS
    shares = np.quantile(values[values > 0], (0.2, 0.4, 0.6, 0.8), method="higher")
    return tuple(int(cut) for cut in sorted({0, 1, *shares}))


def missing_step(count: float, cuts: tuple[int, ...] = MISSING_CUTS) -> int:
    """Return the step of `MISSING_FILLS` for a number of lacking classes.

    Examples
    --------
    >>> [missing_step(count) for count in (0, 1, 4, 22)]
    [0, 1, 3, 5]
    """
    return sum(count >= cut for cut in cuts[1:])


def missing_labels(language: Language, cuts: tuple[int, ...] = MISSING_CUTS) -> tuple[str, ...]:
    """Return the legend text of each step of `MISSING_FILLS`.

    Examples
    --------
    >>> missing_labels("en")
    ('none', '1', '2', '3–4', '5–6', '7 or more')
    """
    labels = [say("map.missing_none", language)]
    for low, high in zip(cuts[1:], [*cuts[2:], None], strict=True):
        if high is None:
            labels.append(say("map.missing_more", language, count=low))
        else:
            labels.append(str(low) if high == low + 1 else f"{low}–{high - 1}")
    return tuple(labels)


def text_on(fill: str) -> str:
    """Return the colour of words that can be read on a fill.

    Examples
    --------
    >>> text_on("#fdeab8") == INK, text_on("#6a3d7c") == PAPER
    (True, True)
    """
    red, green, blue = (int(fill[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return INK if 0.299 * red + 0.587 * green + 0.114 * blue > 0.52 else PAPER


def ring_fill(order: int) -> str:
    """Return the fill of the ring of that order (1 = innermost); rings beyond the palette share its last colour.

    Examples
    --------
    >>> ring_fill(1) == RING_FILLS[0], ring_fill(9) == RING_FILLS[-1]
    (True, True)
    """
    return RING_FILLS[min(max(order, 1), len(RING_FILLS)) - 1]


def use_fill(group: str | None) -> str:
    """Return the fill of a zoning parcel by its group of land use, given by name or by code (R2, 0701).

    Examples
    --------
    >>> use_fill("residential") == use_fill("R2") == use_fill("070102")
    True
    """
    name = (group or "").strip()
    name = name if name in USE_FILLS else _USE_LETTERS.get(name[:2]) or _USE_LETTERS.get(name[:1].upper(), "other")
    return USE_FILLS[name]


def street_tier(highway: str) -> str:
    """Return which of the four street looks a street class (OSM's ``highway``) has.

    Examples
    --------
    >>> street_tier("primary_link"), street_tier("residential"), street_tier("steps")
    ('street_major', 'street_minor', 'street_path')
    """
    kind = highway.removesuffix("_link")
    if kind in {"motorway", "trunk", "primary"}:
        return "street_major"
    if kind in {"secondary", "tertiary"}:
        return "street_middle"
    return (
        "street_path"
        if kind in {"footway", "path", "steps", "cycleway", "track", "bridleway", "corridor"}
        else "street_minor"
    )
