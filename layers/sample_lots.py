"""Plots of the made-up city: each block cut into lots with a use, a year, storeys and the pattern of its houses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .sample_blocks import HALF_WIDTH_M, Blocks, Streets, by_kind, spread
from .sample_plan import (
    BUSINESS,
    CAMPUS,
    CORE,
    INDUSTRY,
    MIDDLE,
    NEW,
    OLD,
    PARK,
    VILLAGE,
    Bools,
    Floats,
    Ints,
    Plan,
)

USES = (
    "R1",
    "R2",
    "R3",
    "A1",
    "A2",
    "A31",
    "A33",
    "A4",
    "A5",
    "A6",
    "A7",
    "B1",
    "B2",
    "G1",
    "G3",
    "M1",
    "W1",
    "S4",
    "U1",
    "idle",
)
"""Present uses: codes of GB 50137-2011, and ``idle`` for land that nobody uses."""

USE = {code: number for number, code in enumerate(USES)}
RESIDENTIAL_USES = (USE["R1"], USE["R2"], USE["R3"])

SHARES: dict[int, dict[str, float]] = {
    CORE: {
        "R3": 0.36,
        "R2": 0.36,
        "A33": 0.04,
        "A2": 0.03,
        "A7": 0.04,
        "A1": 0.03,
        "B1": 0.08,
        "G3": 0.02,
        "idle": 0.04,
    },
    OLD: {
        "R2": 0.62,
        "R3": 0.04,
        "A33": 0.085,
        "A5": 0.03,
        "A1": 0.03,
        "B1": 0.07,
        "B2": 0.02,
        "G1": 0.04,
        "M1": 0.04,
        "idle": 0.05,
    },
    MIDDLE: {
        "R2": 0.60,
        "A33": 0.085,
        "A5": 0.02,
        "A4": 0.02,
        "A6": 0.01,
        "A2": 0.02,
        "B1": 0.07,
        "B2": 0.04,
        "G1": 0.06,
        "M1": 0.04,
    }
    | {"S4": 0.02, "idle": 0.04},
    NEW: {
        "R2": 0.40,
        "R1": 0.04,
        "A33": 0.08,
        "A5": 0.02,
        "A4": 0.02,
        "A2": 0.02,
        "B1": 0.06,
        "B2": 0.07,
        "G1": 0.09,
        "idle": 0.22,
    },
    VILLAGE: {"R3": 0.66, "B1": 0.08, "A33": 0.02, "M1": 0.07, "G3": 0.03, "idle": 0.14},
    INDUSTRY: {"M1": 0.68, "W1": 0.14, "U1": 0.04, "R2": 0.08, "idle": 0.06},
    PARK: {"G1": 1.0},
    CAMPUS: {"A31": 1.0},
    BUSINESS: {"B2": 0.50, "B1": 0.30, "R2": 0.10, "G3": 0.10},
}
"""Shares of lots by use in each kind of superblock."""

LOT_M = {CORE: 100.0, OLD: 95.0, MIDDLE: 125.0, NEW: 230.0, VILLAGE: 90.0, INDUSTRY: 220.0, BUSINESS: 110.0}
"""Wanted width of a lot."""

STOREYS = {
    CORE: ((1, 0.45), (2, 0.35), (3, 0.12), (5, 0.08)),
    OLD: ((4, 0.15), (5, 0.30), (6, 0.40), (7, 0.15)),
    MIDDLE: ((6, 0.55), (7, 0.12), (11, 0.22), (18, 0.11)),
    NEW: ((6, 0.16), (11, 0.42), (18, 0.30), (26, 0.09), (33, 0.03)),
    VILLAGE: ((3, 0.5), (4, 0.35), (5, 0.15)),
    INDUSTRY: ((4, 0.5), (6, 0.5)),
    BUSINESS: ((18, 0.5), (26, 0.5)),
}
"""Storeys of housing and their shares."""

YEARS = {
    CORE: (1936, 1988),
    OLD: (1974, 2002),
    MIDDLE: (1990, 2014),
    NEW: (2006, 2024),
    VILLAGE: (1982, 2010),
    INDUSTRY: (1978, 1999),
    BUSINESS: (2008, 2022),
}
"""First and last year of building of housing."""

WALLED = {CORE: 0.03, OLD: 0.82, MIDDLE: 0.93, NEW: 0.96, INDUSTRY: 0.75, BUSINESS: 0.5}
"""Share of housing behind walls."""


@dataclass(frozen=True, slots=True)
class Lots:
    """Plots of land within blocks.

    Parameters
    ----------
    block
        int64[n].
    first, last
        bool[n]: whether the plot is the block's first (its left side on a street) or last.
    low, high
        float64[n, 2]: its extent in shares of the block's width and depth, streets and gaps taken off.
    size_m
        float64[n, 2]: width and depth in plan metres.
    kind, use
        int64[n]: kind of superblock; present use, into `USES`.
    year, storeys
        int64[n]: of its housing, 0 where there is none.
    walled
        bool[n].
    houses
        int64[n, 2]: buildings across and along.
    house_m
        float64[n, 2]: length and depth of a building.
    across
        bool[n]: whether buildings lie along the width (the side that runs nearer to east-west on the ground).
    """

    block: Ints
    first: Bools
    last: Bools
    low: Floats
    high: Floats
    size_m: Floats
    kind: Ints
    use: Ints
    year: Ints
    storeys: Ints
    walled: Bools
    houses: Ints
    house_m: Floats
    across: Bools

    @property
    def residential(self) -> Bools:
        """Where people live."""
        return np.isin(self.use, RESIDENTIAL_USES)


def block_points(blocks: Blocks, block: Ints, share: Floats) -> Floats:
    """Return plan points at shares (..., 2) of blocks' width and depth, bilinear between the corners."""
    corner = blocks.corner[block]
    extra = (1,) * (share.ndim - 2)
    a, b = share[..., 0:1], share[..., 1:2]
    bl, br, tr, tl = (corner[:, k].reshape(len(block), *extra, 2) for k in range(4))
    return np.asarray((1 - a) * (1 - b) * bl + a * (1 - b) * br + a * b * tr + (1 - a) * b * tl, dtype=np.float64)


def lot_points(streets: Streets, lots: Lots, lot: Ints, share: Floats) -> Floats:
    """Return plan points at shares (..., 2) of lots' own width and depth."""
    extra = (1,) * (share.ndim - 2)
    low = lots.low[lot].reshape(len(lot), *extra, 2)
    high = lots.high[lot].reshape(len(lot), *extra, 2)
    return block_points(streets.blocks, lots.block[lot], (1 - share) * low + share * high)


def _choose(kind: Ints, table: dict[int, tuple[tuple[int, float], ...]], rng: np.random.Generator) -> Ints:
    """Return for each item a value drawn by the shares of its kind; 0 where the table has none."""
    chance = rng.random(len(kind))
    chosen = np.zeros(len(kind), dtype=np.int64)
    for key, pairs in table.items():
        here = kind == key
        edges = np.cumsum([share for _, share in pairs])
        values = np.array([value for value, _ in pairs])
        place = np.minimum(np.searchsorted(edges, chance[here] * edges[-1], side="right"), len(values) - 1)
        chosen[here] = values[place]
    return chosen


def _house(storeys: Ints, kind: Ints) -> tuple[Floats, Floats]:
    """Return length and depth of buildings, and the spacing along and across them, metres, by storeys (sunlight)."""
    village = kind == VILLAGE
    low, slab, middle = (
        (storeys <= 3) & ~village,
        (storeys > 3) & (storeys <= 7) & ~village,
        (storeys > 7) & (storeys <= 11),
    )
    rules = [village, low, slab, middle]
    length, depth = np.select(rules, [13.0, 17.0, 44.0, 46.0], 30.0), np.select(rules, [11.0, 9.5, 12.0, 14.0], 18.0)
    along = length + np.select(rules, [6.0, 4.5, 9.0, 14.0], 34.0)
    across = depth + np.select(rules, [8.0, 6.0, 3.3 * storeys + 2.0, 36.0], 24.0 + 1.5 * storeys)
    return np.stack([length, depth], axis=1), np.stack([along, across], axis=1)


def _extent(streets: Streets, block: Ints, place: Ints, parts: Ints) -> tuple[Floats, Floats, Floats]:
    """Return low and high shares of lots within their blocks, and their sizes in metres."""
    blocks = streets.blocks
    corner = blocks.corner[block]
    width = (np.hypot(*(corner[:, 1] - corner[:, 0]).T) + np.hypot(*(corner[:, 2] - corner[:, 3]).T)) / 2
    depth = (np.hypot(*(corner[:, 3] - corner[:, 0]).T) + np.hypot(*(corner[:, 2] - corner[:, 1]).T)) / 2
    margin = HALF_WIDTH_M[streets.lines.highway[blocks.side[block]]]
    first, last = place == 0, place == parts - 1
    low_a = place / parts + np.where(first, margin[:, 3], 2.0) / width
    high_a = (place + 1) / parts - np.where(last, margin[:, 1], 2.0) / width
    low, high = np.stack([low_a, margin[:, 0] / depth], axis=1), np.stack([high_a, 1 - margin[:, 2] / depth], axis=1)
    return low, high, (high - low) * np.stack([width, depth], axis=1)


def make_lots(plan: Plan, streets: Streets) -> Lots:
    """Return all plots of the city.

    Examples
    --------
    >>> from lifecircle.layers.sample_blocks import cut
    >>> from lifecircle.layers.sample_plan import make_plan
    >>> plan = make_plan(20_000, 1)
    >>> lots = make_lots(plan, cut(plan))
    >>> bool((lots.size_m > 0).all())
    True
    """
    rng = plan.random(3)
    blocks = streets.blocks
    width = np.hypot(*(blocks.corner[:, 1] - blocks.corner[:, 0]).T)
    wanted = by_kind(LOT_M, blocks.kind, 1e9)
    parts = np.maximum(1, np.round(width / wanted * rng.uniform(0.7, 1.15, len(width)))).astype(np.int64)
    block, place = spread(parts)
    low, high, size = _extent(streets, block, place, parts[block])
    kind = blocks.kind[block]
    use = _choose(
        kind, {key: tuple((USE[code], share) for code, share in row.items()) for key, row in SHARES.items()}, rng
    )
    lives = np.isin(use, RESIDENTIAL_USES)
    storeys = np.where(lives, _choose(kind, STOREYS, rng), 0)
    storeys = np.where(use == USE["R1"], 3, storeys)
    since, until = (by_kind({key: years[end] for key, years in YEARS.items()}, kind, 2000.0) for end in (0, 1))
    tall = (storeys >= 11) & (kind == MIDDLE)
    year = np.floor(since + (until - since + 1) * rng.random(len(kind)) ** 0.9).astype(np.int64)
    year = np.where(lives, np.where(tall, np.maximum(year, 2003), year), 0)
    walled = lives & (rng.random(len(kind)) < by_kind(WALLED, kind, 0.0))
    house, pitch = _house(storeys, kind)
    edge = plan.warp(
        block_points(
            blocks, block, np.stack([np.stack([low[:, 0], low[:, 1]], 1), np.stack([high[:, 0], low[:, 1]], 1)], 1)
        )
    )
    run = np.abs(edge[:, 1] - edge[:, 0])
    across = run[:, 0] >= run[:, 1]
    order = np.where(across[:, None], pitch, pitch[:, ::-1])
    houses = np.where(lives[:, None], np.maximum(1, np.floor(size / order)), 0).astype(np.int64)
    return Lots(
        block=block,
        first=place == 0,
        last=place == parts[block] - 1,
        low=low,
        high=high,
        size_m=size,
        kind=kind,
        use=use,
        year=year,
        storeys=storeys,
        walled=walled,
        houses=houses,
        house_m=house,
        across=across,
    )
