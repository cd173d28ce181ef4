"""Streets and blocks of the made-up city: superblocks cut into rows and blocks, every junction shared to the bit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .sample_plan import (
    BUILT,
    BUSINESS,
    CAMPUS,
    CORE,
    INDUSTRY,
    KINDS,
    MIDDLE,
    NEW,
    OLD,
    PARK,
    VILLAGE,
    Bools,
    Floats,
    Ints,
    Plan,
    beside,
    street_edges,
)

HIGHWAYS = ("primary", "secondary", "tertiary", "residential", "living_street", "pedestrian", "service", "footway")
PRIMARY, SECONDARY, TERTIARY, RESIDENTIAL, LIVING, PEDESTRIAN, SERVICE, FOOTWAY = range(len(HIGHWAYS))
HALF_WIDTH_M = np.array([21.0, 16.0, 11.0, 8.0, 3.0, 4.0, 2.5, 1.5])
"""From the middle of a street to the wall of the plots beside it."""

STEP_M = 12.0
"""Junctions along one street coincide or lie at least so far apart."""

BEND_M = 90.0
"""Longest straight piece of a street that the warp bends."""

BLOCK_M = {
    CORE: (66.0, 120.0),
    OLD: (150.0, 170.0),
    MIDDLE: (200.0, 200.0),
    NEW: (300.0, 300.0),
    VILLAGE: (70.0, 110.0),
    INDUSTRY: (300.0, 300.0),
    PARK: (600.0, 600.0),
    CAMPUS: (600.0, 600.0),
    BUSINESS: (150.0, 150.0),
}
"""Wanted depth of a row and width of a block by kind of superblock."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Straight street lines of the plan; a junction is a line and a share of its length.

    Parameters
    ----------
    start, end
        float64[n, 2], plan coordinates.
    highway
        int64[n], into `HIGHWAYS`.
    name
        int64[n]: number of the street's name, -1 for lanes without one.
    passes
        int64[n]: the strip that the line passes (`RIVER`, `RAIL`, `EXPRESSWAY`), -1 for none.
    exists
        bool[n].
    """

    start: Floats
    end: Floats
    highway: Ints
    name: Ints
    passes: Ints
    exists: Bools

    def point(self, line: Ints, share: Floats) -> Floats:
        """Return plan points, exact at both ends, so that a line which starts on another shares its junction."""
        t = share[:, None]
        return np.asarray((1.0 - t) * self.start[line] + t * self.end[line], dtype=np.float64)

    def length(self) -> Floats:
        """Return plan lengths in metres."""
        return np.asarray(np.hypot(*(self.end - self.start).T), dtype=np.float64)

    def joined(self, other: Lines) -> Lines:
        """Return both, the other's numbers following."""
        return Lines(*(np.concatenate([getattr(self, key), getattr(other, key)]) for key in self.__slots__))


@dataclass(frozen=True, slots=True)
class Blocks:
    """Blocks between streets: four plan corners and the stretch of street along each side.

    Parameters
    ----------
    cell
        int64[n, 2]: superblock.
    kind, ring
        int64[n].
    corner
        float64[n, 4, 2]: bottom left, bottom right, top right, top left, in the superblock's own sense.
    side
        int64[n, 4]: line along bottom, right, top, left.
    share
        float64[n, 4, 2]: start and end of the stretch on that line, left to right and upwards.
    """

    cell: Ints
    kind: Ints
    ring: Ints
    corner: Floats
    side: Ints
    share: Floats


@dataclass(frozen=True, slots=True)
class Streets:
    """All lines, the junctions on them, and the blocks between."""

    lines: Lines
    node_line: Ints
    node_share: Floats
    blocks: Blocks


def snap_share(share: Floats, length_m: Floats) -> Floats:
    """Return shares moved to steps of about `STEP_M`, never onto the ends."""
    steps = np.maximum(np.round(length_m / STEP_M), 2.0)
    return np.asarray(np.clip(np.round(share * steps), 1.0, steps - 1.0) / steps, dtype=np.float64)


def by_kind(table: dict[int, float], kind: Ints, default: float) -> Floats:
    """Return the table's value for each kind.

    Examples
    --------
    >>> by_kind({1: 0.5}, np.array([0, 1, 1]), 0.0).tolist()
    [0.0, 0.5, 0.5]
    """
    values = np.full(KINDS, default)
    values[list(table)] = list(table.values())
    return np.asarray(values[kind], dtype=np.float64)


def _line_class(count: int, bound: Ints, centre: int, rng: np.random.Generator) -> Ints:
    """Return the street class of each lattice line: ring roads and the central axis first, the rest in turn."""
    highway = np.where((np.arange(count) + rng.integers(2)) % 2 == 0, SECONDARY, TERTIARY)
    highway[[0, count - 1]] = TERTIARY
    highway[bound[2]] = SECONDARY
    highway[np.concatenate([bound[1], bound[3]])] = PRIMARY
    highway[centre] = PRIMARY
    highway[bound[0]] = SECONDARY
    return highway


def lattice_lines(plan: Plan) -> Lines:
    """Return the streets along the lattice: first the horizontal edges [nx, ny + 1], then the vertical [nx + 1, ny]."""
    rng = plan.random(1)
    nx, ny = plan.kind.shape
    horizontal, vertical = street_edges(plan)
    x, y = plan.corner[:, ny // 2, 0], plan.corner[nx // 2, :, 1]
    across = _line_class(ny + 1, plan.row_bound, int(np.argmin(np.abs(y))), rng)
    along = _line_class(nx + 1, plan.column_bound, int(np.argmin(np.abs(x))), rng)
    core_v, core_h = beside(plan.kind == CORE)
    outside_v, outside_h = beside(plan.kind != CORE)
    deep_v, deep_h = core_v & ~outside_v, core_h & ~outside_h
    h_class = np.where(deep_h, np.maximum(across[None, :], SECONDARY), across[None, :])
    v_class = np.where(deep_v, np.maximum(along[:, None], SECONDARY), along[:, None])
    h_name = np.broadcast_to(np.arange(ny + 1)[None, :], horizontal.shape)
    v_name = np.broadcast_to((ny + 1 + np.arange(nx + 1))[:, None], vertical.shape)
    h_pass = np.broadcast_to(plan.column_strip[:, None], horizontal.shape)
    v_pass = np.broadcast_to(plan.row_strip[None, :], vertical.shape)
    corner = plan.corner
    return Lines(
        start=np.concatenate([corner[:-1, :].reshape(-1, 2), corner[:, :-1].reshape(-1, 2)]),
        end=np.concatenate([corner[1:, :].reshape(-1, 2), corner[:, 1:].reshape(-1, 2)]),
        highway=np.concatenate([h_class.ravel(), v_class.ravel()]),
        name=np.concatenate([h_name.ravel(), v_name.ravel()]),
        passes=np.concatenate([h_pass.ravel(), v_pass.ravel()]),
        exists=np.concatenate([horizontal.ravel(), vertical.ravel()]),
    )


def spread(counts: Ints) -> tuple[Ints, Ints]:
    """Return for items numbered through groups of these sizes: the group of each and its place in the group."""
    group = np.repeat(np.arange(len(counts)), counts)
    return group, np.arange(len(group)) - np.repeat(np.cumsum(counts) - counts, counts)


@dataclass(frozen=True, slots=True)
class _Cells:
    """Superblocks to cut: corners and side lines, turned where rows shall run north-south."""

    cell: Ints
    kind: Ints
    corner: Floats
    side: Ints
    rows: Ints
    width_m: Floats


def _wanted(kind: Ints, which: int) -> Floats:
    """Return wanted row depth (0) or block width (1) for superblocks of these kinds."""
    return by_kind({key: sizes[which] for key, sizes in BLOCK_M.items()}, kind, 1e9)


def _cells(plan: Plan, rng: np.random.Generator) -> _Cells:
    nx, ny = plan.kind.shape
    i, j = np.nonzero(np.isin(plan.kind, BUILT))
    kind = plan.kind[i, j]
    corner = np.stack(
        [plan.corner[i, j], plan.corner[i + 1, j], plan.corner[i + 1, j + 1], plan.corner[i, j + 1]], axis=1
    )
    first_vertical = nx * (ny + 1)
    bottom, top = i * (ny + 1) + j, i * (ny + 1) + j + 1
    left, right = first_vertical + i * ny + j, first_vertical + (i + 1) * ny + j
    side = np.stack([bottom, right, top, left], axis=1)
    turned = (rng.random(len(i)) < 0.45) & ~np.isin(kind, (CORE, VILLAGE))
    corner[turned] = corner[turned][:, [0, 3, 2, 1]]
    side[turned] = side[turned][:, [3, 2, 1, 0]]
    wanted = _wanted(kind, 0)
    height = np.hypot(*(corner[:, 3] - corner[:, 0]).T)
    rows = np.maximum(1, np.round(height / wanted * rng.uniform(0.85, 1.15, len(i)))).astype(np.int64)
    return _Cells(np.stack([i, j], axis=1), kind, corner, side, rows, np.hypot(*(corner[:, 1] - corner[:, 0]).T))


def _row_lines(cells: _Cells, lines: Lines, rng: np.random.Generator) -> tuple[Lines, Ints, Floats, Ints, Floats]:
    """Return the streets between rows, and their junctions: lines and shares of left and right ends."""
    group, place = spread(cells.rows - 1)
    kind = cells.kind[group]
    base = (place + 1) / cells.rows[group]
    slack = 0.16 / cells.rows[group]
    left_line, right_line = cells.side[group, 3], cells.side[group, 1]
    length = lines.length()
    left = snap_share(base + slack * rng.uniform(-1, 1, len(group)), length[left_line])
    right = snap_share(base + slack * rng.uniform(-1, 1, len(group)), length[right_line])
    fine = np.isin(kind, (CORE, VILLAGE))
    central = (place + 1 == cells.rows[group] // 2) & ~fine
    highway = np.where(
        fine, np.where(rng.random(len(group)) < 0.3, PEDESTRIAN, LIVING), np.where(central, TERTIARY, RESIDENTIAL)
    )
    start, end = lines.point(left_line, left), lines.point(right_line, right)
    count = len(group)
    rows = Lines(start, end, highway, 1_000_000 + np.arange(count), np.full(count, -1), np.ones(count, dtype=np.bool_))
    return rows, left_line, left, right_line, right


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows of superblocks: bottom and top line, and where these meet the superblock's left and right side."""

    cell: Ints
    bottom: Ints
    top: Ints
    left: Floats
    right: Floats


def _rows(cells: _Cells, lattice_count: int, left: Floats, right: Floats) -> _Rows:
    """Return all rows; the lines between them are numbered from ``lattice_count`` on."""
    cell, row = spread(cells.rows)
    first_line = lattice_count + np.cumsum(cells.rows - 1) - (cells.rows - 1)
    first, last = row == 0, row == cells.rows[cell] - 1
    bottom = np.where(first, cells.side[cell, 0], first_line[cell] + row - 1)
    top = np.where(last, cells.side[cell, 2], first_line[cell] + row)
    shares = []
    for met in (left, right):
        at = np.concatenate([np.zeros(lattice_count), met])
        shares.append(np.stack([np.where(first, 0.0, at[bottom]), np.where(last, 1.0, at[top])], axis=1))
    return _Rows(cell, bottom, top, *shares)


def _column_lines(
    cells: _Cells, rows: _Rows, lines: Lines, rng: np.random.Generator
) -> tuple[Lines, Ints, Ints, Floats]:
    """Return the streets across rows, the number of blocks in each row, and the row and share of each street."""
    wanted = _wanted(cells.kind[rows.cell], 1)
    width = cells.width_m[rows.cell]
    parts = np.maximum(1, np.round(width / wanted * rng.uniform(0.75, 1.25, len(width)))).astype(np.int64)
    group, place = spread(parts - 1)
    bottom, top = rows.bottom[group], rows.top[group]
    length = lines.length()
    raw = (place + 1 + 0.2 * rng.uniform(-1, 1, len(group))) / parts[group]
    share = snap_share(raw, np.minimum(length[bottom], length[top]))
    fine = np.isin(cells.kind[rows.cell[group]], (CORE, VILLAGE))
    count = len(group)
    columns = Lines(
        start=lines.point(bottom, share),
        end=lines.point(top, share),
        highway=np.where(fine, np.where(rng.random(count) < 0.5, FOOTWAY, LIVING), RESIDENTIAL),
        name=np.where(fine, -1, 2_000_000 + np.arange(count)),
        passes=np.full(count, -1),
        exists=np.ones(count, dtype=np.bool_),
    )
    return columns, parts, group, share


def _blocks(plan: Plan, cells: _Cells, rows: _Rows, lines: Lines, parts: Ints, across: Floats) -> Blocks:
    """Return the blocks of all rows; the streets between them are the last ones of ``lines``, met at ``across``."""
    row, place = spread(parts)
    cell = rows.cell[row]
    first, final = place == 0, place == parts[row] - 1
    first_column = len(lines.highway) - len(across)
    number = (np.cumsum(parts - 1) - (parts - 1))[row] + place
    at = np.concatenate([across, [0.0]])
    low = np.where(first, 0.0, at[np.maximum(number - 1, 0)])
    high = np.where(final, 1.0, at[np.minimum(number, len(across))])
    west = np.where(first, cells.side[cell, 3], first_column + number - 1)
    east = np.where(final, cells.side[cell, 1], first_column + number)
    along = np.stack([low, high], axis=1)
    whole = np.array([0.0, 1.0])
    right = np.where(final[:, None], rows.right[row], whole)
    left = np.where(first[:, None], rows.left[row], whole)
    down, up = rows.bottom[row], rows.top[row]
    corner = [lines.point(down, low), lines.point(down, high), lines.point(up, high), lines.point(up, low)]
    where = cells.cell[cell]
    return Blocks(
        cell=where,
        kind=cells.kind[cell],
        ring=plan.ring[where[:, 0], where[:, 1]],
        corner=np.stack(corner, axis=1),
        side=np.stack([down, east, up, west], axis=1),
        share=np.stack([along, right, along, left], axis=1),
    )


def cut(plan: Plan) -> Streets:
    """Return all streets and the blocks between them.

    Each superblock is cut into rows by streets from side to side, each row into blocks by streets from row to row, so
    that fine lanes meet as T-junctions as they do in an old town and coarse streets as crossings.

    Examples
    --------
    >>> from lifecircle.layers.sample_plan import make_plan
    >>> streets = cut(make_plan(20_000, 1))
    >>> len(streets.blocks.kind) > 50
    True
    """
    rng = plan.random(2)
    lattice = lattice_lines(plan)
    cells = _cells(plan, rng)
    row_lines, left_line, left, right_line, right = _row_lines(cells, lattice, rng)
    rows = _rows(cells, len(lattice.highway), left, right)
    lines = lattice.joined(row_lines)
    columns, parts, row, across = _column_lines(cells, rows, lines, rng)
    lines = lines.joined(columns)
    return Streets(
        lines=lines,
        node_line=np.concatenate([left_line, right_line, rows.bottom[row], rows.top[row]]),
        node_share=np.concatenate([left, right, across, across]),
        blocks=_blocks(plan, cells, rows, lines, parts, across),
    )
