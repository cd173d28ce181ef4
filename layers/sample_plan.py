"""The plan of the made-up city: superblocks cut by river, railway and expressway, and the map that bends them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from numpy.typing import NDArray

Floats: TypeAlias = "NDArray[np.float64]"
Ints: TypeAlias = "NDArray[np.int64]"
Bools: TypeAlias = "NDArray[np.bool_]"

LEAST_PEOPLE, MOST_PEOPLE = 20_000, 20_000_000
REFERENCE_PEOPLE = 300_000
"""Size at which the radii below hold; they grow with the square root of people."""

RADII_KM = (0.56, 1.12, 1.68, 2.32, 2.88)
"""Half widths of historic core, inner, second and outer ring road, and city at the reference size."""

PITCH_M = 560.0
"""Spacing of main streets at the reference size and above."""

RIVER_M, RAIL_M, EXPRESSWAY_M = 150.0, 48.0, 64.0
"""Widths of the strips that streets cross only here and there."""

CORE, OLD, MIDDLE, NEW, VILLAGE, INDUSTRY, PARK, CAMPUS, BUSINESS, FIELD, HILL, RIVER, RAIL, EXPRESSWAY = range(14)
KINDS = 14
"""Kinds of lattice cell: ten of superblocks, hills among them, three of strips and open fields."""

BUILT = (CORE, OLD, MIDDLE, NEW, VILLAGE, INDUSTRY, PARK, CAMPUS, BUSINESS)
"""Kinds with streets around them."""

ORIGIN = (444_000.0, 3_675_000.0)
"""Centre of the city in `CRS`: farmland, so that no real town is mistaken for it."""

CRS = "EPSG:4548"
"""CGCS2000, 3-degree Gauss-Kruger, central meridian 117 E."""


TURNS = (((0.66, -0.34), 0.36, 0.42), ((-0.62, 0.70), 0.34, -0.36), ((0.74, 0.74), 0.30, 0.30))
"""New districts whose streets run at an angle: centre and reach relative to the city's half width, turn in radians."""


@dataclass(frozen=True, slots=True)
class Warp:
    """The map from plan to ground: river bends, turned districts, gentle curves, rounded rings, a turn of all.

    Every step is one to one, so streets never cross where the plan has no crossing.
    """

    half_m: float
    river_y: float
    phase: tuple[float, ...]

    def __call__(self, points: Floats) -> Floats:
        """Return ground coordinates (metres, `CRS`) of plan points, shape (..., 2), rounded to millimetres."""
        half = self.half_m
        x, y = points[..., 0] / half, points[..., 1] / half
        river = self.river_y / half
        near = np.exp(-(((y - river) / 0.34) ** 2))
        y = y + near * (0.075 * np.sin(3.3 * x + self.phase[0]) + 0.022 * np.sin(8.1 * x + self.phase[1]))
        for centre, reach, turn in TURNS:
            dx, dy = x - centre[0], y - centre[1]
            angle = turn * np.exp(-((dx * dx + dy * dy) / reach**2))
            cosine, sine = np.cos(angle), np.sin(angle)
            x, y = centre[0] + cosine * dx - sine * dy, centre[1] + sine * dx + cosine * dy
        x = x + 0.030 * np.sin(3.1 * y + self.phase[2]) + 0.010 * np.sin(9.0 * y + self.phase[3])
        y = y + 0.026 * np.sin(2.7 * x + self.phase[4]) + 0.009 * np.sin(8.3 * x + self.phase[5])
        x, y = x * np.sqrt(1 - 0.26 * y * y), y * np.sqrt(1 - 0.26 * x * x)
        cosine, sine = np.cos(0.09), np.sin(0.09)
        ground = np.stack([cosine * x - sine * y, sine * x + cosine * y], axis=-1) * half + np.array(ORIGIN)
        return np.asarray(np.round(ground, 3), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Plan:
    """The lattice: its lines, what each cell is, and where streets cross its strips.

    Parameters
    ----------
    people, seed
        As asked for.
    half_m
        Half width of the lattice in plan metres.
    corner
        float64[nx + 1, ny + 1, 2]: lattice points in the plan.
    kind, ring
        int64[nx, ny]: kind of each cell; ring 0 (core) to 4 (outside the outer ring).
    column_strip, row_strip
        int64[nx], int64[ny]: `RIVER`, `RAIL` or `EXPRESSWAY` where the column or row is a strip, else -1.
    column_bound, row_bound
        int64[4, 2]: first and last lattice line of core, inner, second and outer ring.
    crosses_column, crosses_row
        bool[nx, ny + 1], bool[nx + 1, ny]: where a street along a lattice line passes over or under a strip.
    warp
        The map to the ground.
    """

    people: int
    seed: int
    half_m: float
    corner: Floats
    kind: Ints
    ring: Ints
    column_strip: Ints
    row_strip: Ints
    column_bound: Ints
    row_bound: Ints
    crosses_column: Bools
    crosses_row: Bools
    warp: Warp

    @property
    def scale(self) -> float:
        """Lengths over those at the reference size."""
        return float(np.sqrt(self.people / REFERENCE_PEOPLE))

    def random(self, subject: int) -> np.random.Generator:
        """Return a generator of its own for a subject, so that a change in one leaves the others as they were."""
        return np.random.Generator(np.random.PCG64([self.seed, self.people, subject]))


def _counts(scale: float, pitch_m: float) -> list[int]:
    """Return the number of superblocks across core, inner, second, outer ring and city: all odd or all even."""
    radii = np.array(RADII_KM) * 1000 * scale
    counts = [max(1, round(2 * radii[0] / pitch_m))]
    for inside, outside in pairwise(radii):
        counts.append(counts[-1] + 2 * max(1, round((outside - inside) / pitch_m)))
    return counts


def _axis(
    counts: list[int], pitch_m: float, strips: dict[int, tuple[int, float]], rng: np.random.Generator
) -> tuple[Floats, Ints, Ints, Ints]:
    """Return lattice lines, strip of each interval, ring of each, and first and last line of the four inner rings.

    ``strips``: the superblock before which a strip lies → its kind and width in metres.
    """
    total = counts[-1]
    index = np.arange(total)
    inside = [(total - count) // 2 for count in counts[:-1]]
    ring = np.select([(index >= low) & (index < total - low) for low in inside], [0, 1, 2, 3], default=4)
    widths = pitch_m * rng.uniform(0.88, 1.12, total)
    keys = sorted(strips)
    before = np.array(keys, dtype=np.int64)
    strip = np.insert(np.full(total, -1), before, [strips[key][0] for key in keys])
    outer_ring = np.maximum(ring[np.maximum(before - 1, 0)], ring[np.minimum(before, total - 1)])
    all_rings = np.insert(ring, before, outer_ring)
    lines = np.concatenate([[0.0], np.cumsum(np.insert(widths, before, [strips[key][1] for key in keys]))])
    bound = np.array([[np.flatnonzero(all_rings <= k)[0], np.flatnonzero(all_rings <= k)[-1] + 1] for k in range(4)])
    core = bound[0]
    return lines - (lines[core[0]] + lines[core[1]]) / 2, strip, all_rings, bound


def _crossings(strip: Ints, lines: Floats, always: list[int], spacing_m: dict[int, float]) -> Bools:
    """Return bool[intervals, lines of the other axis]: lines that cross each strip: the wanted ones, then spaced."""
    crosses = np.zeros((len(strip), len(lines)), dtype=np.bool_)
    for position in np.flatnonzero(strip >= 0):
        taken = sorted(set(always)) if strip[position] == RIVER else []
        for line in [*always, *range(1, len(lines) - 1)]:
            if all(abs(lines[line] - lines[other]) >= spacing_m[int(strip[position])] for other in taken):
                taken.append(line)
        crosses[position, taken] = True
    return crosses


def _jitter(lines: Floats, strip: Ints, others: int, fixed: Ints, pitch_m: float, rng: np.random.Generator) -> Floats:
    """Return how far each line moves at each line of the other axis; ring lines stay, strips keep their width."""
    moved = rng.uniform(-0.07, 0.07, (len(lines), others)) * pitch_m
    still = np.zeros(len(lines), dtype=np.bool_)
    still[fixed] = True
    for position in np.flatnonzero(strip >= 0):
        still[[position, position + 1]] = True
    still[[0, -1]] = True
    moved[still] = 0.0
    return moved


def _noise(x: Floats, y: Floats, rng: np.random.Generator) -> Floats:
    """Return a smooth field between about -1 and 1 over coordinates relative to the city's half width."""
    total = np.zeros(np.broadcast(x, y).shape)
    for _ in range(8):
        angle, frequency, phase = rng.uniform(0, np.pi), rng.uniform(2.5, 7.0), rng.uniform(0, 2 * np.pi)
        total += np.cos(frequency * (np.cos(angle) * x + np.sin(angle) * y) + phase)
    return np.asarray(total / 4.0, dtype=np.float64)


def _kinds(ring: Ints, x: Floats, y: Floats, rng: np.random.Generator) -> Ints:
    """Return the kind of each superblock from its ring and its place (relative to the city's half width)."""
    noise, chance = _noise(x, y, rng), rng.random(ring.shape)
    kind = np.choose(ring, [CORE, OLD, MIDDLE, NEW, NEW])
    kind = np.where((ring == 1) & (chance > 0.94), PARK, kind)
    kind = np.where((ring == 2) & (chance < 0.05), CAMPUS, kind)
    kind = np.where((ring == 2) & (chance > 0.95), PARK, kind)
    west = (x < -0.30) & (np.abs(y + 0.1) < 0.36)
    kind = np.where(west & (ring >= 2) & (ring <= 3) & (chance > 0.30), INDUSTRY, kind)
    kind = np.where((ring >= 3) & (kind == NEW) & (chance < 0.06), VILLAGE, kind)
    kind = np.where((ring >= 3) & (kind == NEW) & (chance > 0.95), PARK, kind)
    kind = np.where((ring == 3) & (kind == NEW) & (noise < -0.62), FIELD, kind)
    kind = np.where((ring == 4) & (noise + 0.5 * np.maximum(x, 0) < 0.12), FIELD, kind)
    south = y < -0.70 + 0.10 * noise
    return np.asarray(np.where((ring >= 3) & south, HILL, kind), dtype=np.int64)


def _landmarks(kind: Ints, ring: Ints, x: Floats, y: Floats) -> None:
    """Give every city, however small, a park beside the core, a business centre, a campus, factories and a village."""

    def put(what: int, wanted_ring: int, at: tuple[float, float]) -> None:
        free = ring == wanted_ring
        if not free.any():
            return
        distance = np.where(free, np.hypot(x - at[0], y - at[1]), np.inf)
        kind[np.unravel_index(int(np.argmin(distance)), kind.shape)] = what

    put(PARK, 1, (0.28, 0.10))
    put(BUSINESS, 1, (0.30, -0.12))
    put(CAMPUS, 2, (-0.30, 0.45))
    put(INDUSTRY, 2, (-0.45, -0.12))
    put(INDUSTRY, 3, (-0.65, -0.1))
    put(VILLAGE, 3, (0.2, 0.68))
    put(VILLAGE, 3, (-0.62, -0.5))
    put(NEW, 3, (0.68, -0.3))
    put(NEW, 3, (0.68, 0.2))
    put(NEW, 3, (0.5, 0.66))
    put(BUSINESS, 3, (0.66, -0.1))


def beside(flags: Bools) -> tuple[Bools, Bools]:
    """Return for vertical and horizontal lattice edges whether a flagged cell lies on either side."""
    nx, ny = flags.shape
    vertical = np.zeros((nx + 1, ny), dtype=np.bool_)
    vertical[:-1] |= flags
    vertical[1:] |= flags
    horizontal = np.zeros((nx, ny + 1), dtype=np.bool_)
    horizontal[:, :-1] |= flags
    horizontal[:, 1:] |= flags
    return vertical, horizontal


def street_edges(plan: Plan) -> tuple[Bools, Bools]:
    """Return which horizontal [nx, ny + 1] and vertical [nx + 1, ny] lattice edges are streets.

    Every superblock that is built has streets around it, the outer ring road goes all the way round, and a street
    passes a strip only where streets go on behind both of its banks.
    """
    nx, ny = plan.kind.shape
    vertical, horizontal = beside(np.isin(plan.kind, BUILT))
    for side in (0, 1):
        horizontal[slice(*plan.column_bound[3]), plan.row_bound[3, side]] = True
        vertical[plan.column_bound[3, side], slice(*plan.row_bound[3])] = True
    meets_vertical = np.zeros((nx + 1, ny + 1), dtype=np.bool_)
    meets_vertical[:, :-1] |= vertical
    meets_vertical[:, 1:] |= vertical
    meets_horizontal = np.zeros((nx + 1, ny + 1), dtype=np.bool_)
    meets_horizontal[:-1] |= horizontal
    meets_horizontal[1:] |= horizontal
    over_rows = plan.crosses_row & meets_horizontal[:, :-1] & meets_horizontal[:, 1:]
    over_columns = plan.crosses_column & meets_vertical[:-1] & meets_vertical[1:]
    vertical = np.where(plan.row_strip[None, :] >= 0, over_rows, vertical)
    return np.where(plan.column_strip[:, None] >= 0, over_columns, horizontal), vertical


def _without_islands(plan: Plan) -> Plan:
    """Return the plan with superblocks that no street joins to the rest turned back into fields."""
    horizontal, vertical = street_edges(plan)
    number = np.arange(plan.corner[..., 0].size).reshape(plan.corner.shape[:2])
    start = np.concatenate([number[:-1][horizontal], number[:, :-1][vertical]])
    end = np.concatenate([number[1:][horizontal], number[:, 1:][vertical]])
    joined = coo_array((np.ones(len(start)), (start, end)), shape=(number.size, number.size))
    label = connected_components(joined, directed=False)[1]
    main = (label == np.bincount(label).argmax()).reshape(number.shape)
    island = np.isin(plan.kind, BUILT) & ~main[:-1, :-1]
    return replace(plan, kind=np.where(island, FIELD, plan.kind))


def _pitch(people: int) -> tuple[float, float]:
    """Return the size of a superblock in metres, and how much smaller small cities are built."""
    smaller = min(1.0, (people / REFERENCE_PEOPLE) ** 0.37)
    return PITCH_M * smaller, smaller


def _corners(
    x: Floats, y: Floats, strips: tuple[Ints, Ints], fixed: tuple[Ints, Ints], rng: np.random.Generator
) -> Floats:
    """Return lattice points, moved a little so that streets are not quite parallel."""
    (column_strip, row_strip), pitch = strips, float(np.median(np.diff(x)))
    corner = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1)
    corner[..., 0] += _jitter(x, column_strip, len(y), fixed[0], pitch, rng)
    corner[..., 1] += _jitter(y, row_strip, len(x), fixed[1], pitch, rng).T
    for position in np.flatnonzero(row_strip >= 0):
        corner[:, position + 1, 0] = corner[:, position, 0]
    for position in np.flatnonzero(column_strip >= 0):
        corner[position + 1, :, 1] = corner[position, :, 1]
    return corner


def make_plan(people: int, seed: int) -> Plan:
    """Return the plan of a made-up city of so many people.

    Examples
    --------
    >>> plan = make_plan(300_000, 1)
    >>> plan.kind.shape == plan.ring.shape, int((plan.row_strip == RIVER).sum())
    (True, 1)
    """
    rng = np.random.Generator(np.random.PCG64([seed, people, 0]))
    scale = float(np.sqrt(people / REFERENCE_PEOPLE))
    pitch, smaller = _pitch(people)
    counts = _counts(scale, pitch)
    total = counts[-1]
    low = [(total - count) // 2 for count in counts]
    above_core = total - low[0] + (low[0] - low[1]) // 2
    ring_road = dict.fromkeys((low[2], total - low[2]), (EXPRESSWAY, EXPRESSWAY_M))
    river = (RIVER, RIVER_M * float(np.clip(scale, 0.5, 2.0)))
    x, column_strip, column_ring, column_bound = _axis(counts, pitch, {**ring_road, low[3]: (RAIL, RAIL_M)}, rng)
    y, row_strip, row_ring, row_bound = _axis(
        counts, pitch, {**ring_road, above_core: river, low[1]: (RAIL, RAIL_M)}, rng
    )
    half = float(max(x[-1], -x[0], y[-1], -y[0]))
    spacing = {RIVER: 1900.0, RAIL: 1100.0 * smaller, EXPRESSWAY: 950.0 * smaller}
    centre = [int(np.argmin(np.abs(x))), int(np.argmin(np.abs(y)))]
    crosses_row = _crossings(row_strip, x, [centre[0], *column_bound[1:3].ravel().tolist()], spacing).T
    crosses_column = _crossings(column_strip, y, [centre[1], *row_bound[1].tolist()], spacing)
    crosses_column[np.flatnonzero(column_strip >= 0)[:, None], row_bound[3]] = True
    crosses_row[column_bound[3][:, None], np.flatnonzero(row_strip >= 0)] = True
    corner = _corners(x, y, (column_strip, row_strip), (column_bound.ravel(), row_bound.ravel()), rng)
    ring = np.maximum(column_ring[:, None], row_ring[None, :])
    middle_x = np.broadcast_to(((x[:-1] + x[1:]) / 2 / half)[:, None], ring.shape)
    middle_y = np.broadcast_to(((y[:-1] + y[1:]) / 2 / half)[None, :], ring.shape)
    kind = _kinds(ring, middle_x, middle_y, rng)
    strip = np.where(row_strip[None, :] >= 0, row_strip[None, :], column_strip[:, None])
    _landmarks(kind, np.where(strip >= 0, -1, ring), middle_x, middle_y)
    water = int(np.flatnonzero(row_strip == RIVER)[0])
    phases = tuple(float(value) for value in rng.uniform(0, 2 * np.pi, 6))
    plan = Plan(
        people=people,
        seed=seed,
        half_m=half,
        corner=corner,
        kind=np.where(strip >= 0, strip, kind),
        ring=ring,
        column_strip=column_strip,
        row_strip=row_strip,
        column_bound=column_bound,
        row_bound=row_bound,
        crosses_column=crosses_column,
        crosses_row=crosses_row,
        warp=Warp(half, float((y[water] + y[water + 1]) / 2), phases),
    )
    return _without_islands(plan)
