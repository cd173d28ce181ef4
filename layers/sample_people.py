"""Houses and people of the made-up city: buildings, households, ages, sub-districts, population and terrain grids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from .sample_blocks import Streets, by_kind, spread
from .sample_lots import Lots, lot_points
from .sample_plan import BUSINESS, CORE, INDUSTRY, MIDDLE, NEW, OLD, RIVER, VILLAGE, Floats, Ints, Plan

if TYPE_CHECKING:
    from numpy.typing import NDArray

M2_PER_PERSON = {CORE: 21.0, OLD: 28.0, MIDDLE: 34.0, NEW: 43.0, VILLAGE: 30.0, INDUSTRY: 28.0, BUSINESS: 40.0}
"""Floor area per resident before the total is met."""

ELDERS = {CORE: 0.30, OLD: 0.27, MIDDLE: 0.20, NEW: 0.12, VILLAGE: 0.14, INDUSTRY: 0.24, BUSINESS: 0.09}
"""Share of people of 60 and over."""

CELL_M = 100.0
"""Cell of the population raster."""


@dataclass(frozen=True, slots=True)
class Houses:
    """Residential buildings: lot, centre on the ground, footprint corners, storeys, floor area, people."""

    lot: Ints
    centre: Floats
    corners: Floats
    storeys: Ints
    floor_area_m2: Floats
    people: Ints


@dataclass(frozen=True, slots=True)
class Residents:
    """Per residential lot (row = compound): lot number, people, households, age groups, floor area, buildings."""

    lot: Ints
    people: Ints
    households: Ints
    ages: dict[str, Ints]
    floor_area_m2: Floats


def whole_shares(weights: Floats, total: int) -> Ints:
    """Return whole numbers in proportion to the weights that add up to the total exactly (largest remainder).

    Examples
    --------
    >>> import numpy as np
    >>> whole_shares(np.array([1.0, 1.0, 1.0]), 10).tolist()
    [4, 3, 3]
    """
    exact = weights * (total / weights.sum())
    whole = np.floor(exact).astype(np.int64)
    short = total - int(whole.sum())
    largest = np.argsort(-(exact - whole), kind="stable")[:short]
    whole[largest] += 1
    return np.asarray(whole, dtype=np.int64)


def make_houses(plan: Plan, streets: Streets, lots: Lots) -> Houses:
    """Return all residential buildings, and people in them that add up to the city's people."""
    rng = plan.random(5)
    count = lots.houses.prod(axis=1)
    lot, place = spread(count)
    keep = (rng.random(len(lot)) > 0.05) | (count[lot] < 4)
    lot, place = lot[keep], place[keep]
    shape = lots.houses[lot]
    share = np.stack([(place % shape[:, 0] + 0.5) / shape[:, 0], (place // shape[:, 0] + 0.5) / shape[:, 1]], axis=1)
    centre = plan.warp(lot_points(streets, lots, lot, share))
    every = np.arange(len(lots.block))
    ends = plan.warp(lot_points(streets, lots, every, np.broadcast_to([[0.0, 0.5], [1.0, 0.5]], (len(every), 2, 2))))
    axis = ends[:, 1] - ends[:, 0]
    axis = axis / np.hypot(*axis.T)[:, None]
    normal = np.stack([-axis[:, 1], axis[:, 0]], axis=1)
    size = np.where(lots.across[lot][:, None], lots.house_m[lot], lots.house_m[lot][:, ::-1])
    size = np.minimum(size * rng.uniform(0.9, 1.06, (len(lot), 1)), 0.86 * lots.size_m[lot] / shape)
    half_a, half_b = axis[lot] * size[:, :1] / 2, normal[lot] * size[:, 1:] / 2
    corners = np.stack(
        [centre - half_a - half_b, centre + half_a - half_b, centre + half_a + half_b, centre - half_a + half_b], axis=1
    )
    lower = (rng.random(len(lot)) < 0.15) & (lots.storeys[lot] > 2)
    storeys = lots.storeys[lot] - lower
    floor_area = np.round(size.prod(axis=1) * storeys, 1)
    per_person = by_kind(M2_PER_PERSON, lots.kind, 35.0)
    lived_in = rng.uniform(0.78, 1.05, len(per_person))
    people = whole_shares(floor_area * (lived_in / per_person)[lot], plan.people)
    return Houses(lot, centre, np.round(corners, 2), storeys, floor_area, people)


def make_residents(plan: Plan, lots: Lots, houses: Houses) -> Residents:
    """Return people, households and age groups of each compound, all whole numbers."""
    rng = plan.random(6)
    total = len(lots.block)
    people_by_lot = np.bincount(houses.lot, weights=houses.people, minlength=total)
    floor_by_lot = np.bincount(houses.lot, weights=houses.floor_area_m2, minlength=total)
    lot = np.flatnonzero(lots.residential)
    people = np.round(people_by_lot[lot]).astype(np.int64)
    kind = lots.kind[lot]
    elders = by_kind(ELDERS, kind, 0.2)
    elders = np.clip(elders * rng.uniform(0.7, 1.3, len(lot)), 0.03, 0.5)
    young = np.clip(0.33 - 0.75 * elders, 0.05, 0.3) * rng.uniform(0.8, 1.2, len(lot))
    elders_60 = np.round(people * elders).astype(np.int64)
    ages = {
        "elders_60": elders_60,
        "elders_65": np.floor(elders_60 * rng.uniform(0.64, 0.74, len(lot))).astype(np.int64),
        "elders_80": np.floor(elders_60 * rng.uniform(0.10, 0.17, len(lot))).astype(np.int64),
        "children_0_3": np.floor(people * young * 0.16).astype(np.int64),
        "children_3_6": np.floor(people * young * 0.19).astype(np.int64),
        "children_6_12": np.floor(people * young * 0.40).astype(np.int64),
    }
    households = np.maximum(np.round(people / rng.uniform(2.2, 3.0, len(lot))), people > 0).astype(np.int64)
    return Residents(lot, people, households, ages, np.round(floor_by_lot[lot], 1))


def make_districts(plan: Plan, people: Floats) -> Ints:
    """Return the sub-district of each lattice cell: rectangles of about equal people, halved until small enough.

    Parameters
    ----------
    people
        float64[nx, ny].
    """
    wanted = min(32_000.0, plan.people / 6)
    district = np.zeros(plan.kind.shape, dtype=np.int64)
    found = 0
    waiting = [(0, plan.kind.shape[0], 0, plan.kind.shape[1])]
    while waiting:
        i0, i1, j0, j1 = waiting.pop()
        part = people[i0:i1, j0:j1]
        x, y = plan.corner[i0 : i1 + 1, j0, 0], plan.corner[i0, j0 : j1 + 1, 1]
        wide = (x[-1] - x[0] >= y[-1] - y[0] and i1 - i0 > 1) or j1 - j0 == 1
        along = part.sum(axis=1) if wide else part.sum(axis=0)
        if part.sum() <= 1.35 * wanted or len(along) < 2:
            district[i0:i1, j0:j1] = found
            found += 1
            continue
        parts = max(2, round(float(part.sum()) / wanted))
        goal = part.sum() * (parts // 2) / parts
        cut = 1 + int(np.argmin(np.abs(np.cumsum(along)[:-1] - goal)))
        if wide:
            waiting += [(i0 + cut, i1, j0, j1), (i0, i0 + cut, j0, j1)]
        else:
            waiting += [(i0, i1, j0 + cut, j1), (i0, i1, j0, j0 + cut)]
    return district


def cell_polygons(plan: Plan) -> NDArray[np.object_]:
    """Return the lattice cells on the ground, [nx * ny]; neighbours share vertices, so that unions leave no gap."""
    share = np.arange(8) / 8
    c = plan.corner
    bl, br, tr, tl = c[:-1, :-1], c[1:, :-1], c[1:, 1:], c[:-1, 1:]

    def side(a: Floats, b: Floats, *, reverse: bool) -> Floats:
        # Backwards through the same points as the neighbour walks forwards.
        t = (1 - share if reverse else share)[None, None, :, None]
        return np.asarray((1 - t) * a[:, :, None] + t * b[:, :, None], dtype=np.float64)

    ring = np.concatenate(
        [
            side(bl, br, reverse=False),
            side(br, tr, reverse=False),
            side(tl, tr, reverse=True),
            side(bl, tl, reverse=True),
        ],
        axis=2,
    )
    points = plan.warp(ring).reshape(-1, 32, 2)
    return np.asarray(shapely.polygons(shapely.linearrings(points)), dtype=object)


def population_grid(houses: Houses) -> tuple[Floats, float, float]:
    """Return people per cell (row 0 in the north) and the west and north edge of the grid."""
    west, south = np.floor(houses.centre.min(axis=0) / CELL_M) * CELL_M
    column = np.floor((houses.centre[:, 0] - west) / CELL_M).astype(np.int64)
    row = np.floor((houses.centre[:, 1] - south) / CELL_M).astype(np.int64)
    nx, ny = int(column.max()) + 1, int(row.max()) + 1
    counts = np.bincount(row * nx + column, weights=houses.people, minlength=nx * ny).reshape(ny, nx)
    return np.asarray(counts[::-1], dtype=np.float64), float(west), float(south + ny * CELL_M)


def terrain_grid(plan: Plan, cell_m: float) -> tuple[Floats, float, float]:
    """Return metres above sea level (row 0 in the north), west and north edge: plain, valley, hills in the south."""
    half = plan.half_m * 1.3
    centre = plan.warp(np.zeros((1, 2)))[0]
    n = int(np.ceil(2 * half / cell_m))
    west, north = np.floor(centre[0] - half), np.ceil(centre[1] + half)
    x = (west + (np.arange(n) + 0.5) * cell_m - centre[0])[None, :] / plan.half_m
    y = (north - (np.arange(n) + 0.5) * cell_m - centre[1])[:, None] / plan.half_m
    rng = plan.random(7)
    rough = np.zeros((n, n))
    for octave in range(4):
        for _ in range(4):
            angle, phase = rng.uniform(0, np.pi), rng.uniform(0, 2 * np.pi)
            frequency = 4.0 * 1.9**octave
            rough += 0.55**octave * np.cos(frequency * (np.cos(angle) * x + np.sin(angle) * y) + phase)
    rough /= 5.0
    rise = np.clip((-y - 0.66 + 0.06 * np.sin(4 * x)) / 0.55, 0, 1)
    rise = rise * rise * (3 - 2 * rise)
    hills = 240.0 * rise * (0.75 + 0.5 * rough)
    river = int(np.flatnonzero(plan.row_strip == RIVER)[0])
    bed = (plan.warp((plan.corner[:, river] + plan.corner[:, river + 1]) / 2) - centre) / plan.half_m
    valley = 5.0 * np.exp(-(((y - np.interp(x[0], bed[:, 0], bed[:, 1])[None, :]) / 0.1) ** 2))
    return np.round(31.0 - 4.0 * y + 1.6 * rough - valley + hills, 2), float(west), float(north)
