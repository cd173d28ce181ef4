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
        float64[n, 4, 2]: start and end of the stretch on that line; bottom and top left to right, left and right upwards.
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


def _beside(flags: Bools) -> tuple[Bools, Bools]:
    """Return for vertical and horizontal lattice edges whether a flagged cell lies on either side."""
    nx, ny = flags.shape
    vertical = np.zeros((nx + 1, ny), dtype=np.bool_)
    vertical[:-1] |= flags
    vertical[1:] |= flags
    horizontal = np.zeros((nx, ny + 1), dtype=np.bool_)
    horizontal[:, :-1] |= flags
    horizontal[:, 1:] |= flags
    return vertical, horizontal


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
    built = np.isin(plan.kind, BUILT)
    vertical, horizontal = _beside(built)
    for side in (0, 1):  # the outer ring road goes all the way round
        horizontal[slice(*plan.column_bound[3]), plan.row_bound[3, side]] = True
        vertical[plan.column_bound[3, side], slice(*plan.row_bound[3])] = True
    # A street passes a strip only where streets go on behind both of its banks.
    corner_has = np.zeros((nx + 1, ny + 1), dtype=np.bool_)
    corner_has[:, :-1] |= vertical
    corner_has[:, 1:] |= vertical
    both_sides = corner_has[:-1] & corner_has[1:]
    crossing = plan.crosses_column & both_sides
    corner_has[:] = False
    corner_has[:-1] |= horizontal
    corner_has[1:] |= horizontal
    vertical = np.where(
        plan.row_strip[None, :] >= 0, plan.crosses_row & corner_has[:, :-1] & corner_has[:, 1:], vertical
    )
    horizontal = np.where(plan.column_strip[:, None] >= 0, crossing, horizontal)
    x, y = plan.corner[:, ny // 2, 0], plan.corner[nx // 2, :, 1]
    across = _line_class(ny + 1, plan.row_bound, int(np.argmin(np.abs(y))), rng)
    along = _line_class(nx + 1, plan.column_bound, int(np.argmin(np.abs(x))), rng)
    in_core_v, in_core_h = _beside(plan.kind == CORE)
    deep_v = in_core_v & (_beside(plan.kind != CORE)[0] == False)  # noqa: E712  element-wise
    deep_h = in_core_h & (_beside(plan.kind != CORE)[1] == False)  # noqa: E712  element-wise
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


def _spread(counts: Ints) -> tuple[Ints, Ints]:
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
    wanted = np.array([BLOCK_M.get(k, (1e9, 1e9))[0] for k in range(int(kind.max()) + 1)])[kind]
    height = np.hypot(*(corner[:, 3] - corner[:, 0]).T)
    rows = np.maximum(1, np.round(height / wanted * rng.uniform(0.85, 1.15, len(i)))).astype(np.int64)
    return _Cells(np.stack([i, j], axis=1), kind, corner, side, rows, np.hypot(*(corner[:, 1] - corner[:, 0]).T))


def _row_lines(cells: _Cells, lines: Lines, rng: np.random.Generator) -> tuple[Lines, Ints, Floats, Ints, Floats]:
    """Return the streets between rows, and their junctions: lines and shares of left and right ends."""
    group, place = _spread(cells.rows - 1)
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


def cut(plan: Plan) -> Streets:
    """Return all streets and the blocks between them.

    Each superblock is cut into rows by streets from side to side, each row into blocks by streets from row to row, so
    that fine lanes meet as T-junctions as they do in an old town and coarse streets as crossings.

    Examples
    --------
    >>> from lifecircle.layers.sample_plan import make_plan
    >>> streets = cut(make_plan(20_000, 1))
    >>> len(streets.blocks.kind) > 100
    True
    """
    rng = plan.random(2)
    lattice = lattice_lines(plan)
    cells = _cells(plan, rng)
    row_lines, left_line, left, right_line, right = _row_lines(cells, lattice, rng)
    lines = lattice.joined(row_lines)
    # One item a row: its bottom and top line and the shares at which it meets the superblock's left and right side.
    cell, row = _spread(cells.rows)
    first_row_line = len(lattice.highway) + np.cumsum(cells.rows - 1) - (cells.rows - 1)
    last = row == cells.rows[cell] - 1
    bottom = np.where(row == 0, cells.side[cell, 0], first_row_line[cell] + row - 1)
    top = np.where(last, cells.side[cell, 2], first_row_line[cell] + row)
    left_at = np.concatenate([np.zeros(len(lattice.highway)), left])
    right_at = np.concatenate([np.zeros(len(lattice.highway)), right])
    left_share = np.stack([np.where(row == 0, 0.0, left_at[bottom]), np.where(last, 1.0, left_at[top])], axis=1)
    right_share = np.stack([np.where(row == 0, 0.0, right_at[bottom]), np.where(last, 1.0, right_at[top])], axis=1)
    # Blocks of each row.
    wanted = np.array([BLOCK_M.get(k, (1e9, 1e9))[1] for k in range(int(cells.kind.max()) + 1)])[cells.kind[cell]]
    parts = np.maximum(1, np.round(cells.width_m[cell] / wanted * rng.uniform(0.75, 1.25, len(cell)))).astype(np.int64)
    group, place = _spread(parts - 1)
    length = np.minimum(lines.length()[bottom[group]], lines.length()[top[group]])
    at = snap_share((place + 1 + 0.2 * rng.uniform(-1, 1, len(group))) / parts[group], length)
    fine = np.isin(cells.kind[cell[group]], (CORE, VILLAGE))
    count = len(group)
    columns = Lines(
        start=lines.point(bottom[group], at),
        end=lines.point(top[group], at),
        highway=np.where(fine, np.where(rng.random(count) < 0.5, FOOTWAY, LIVING), RESIDENTIAL),
        name=np.where(fine, -1, 2_000_000 + np.arange(count)),
        passes=np.full(count, -1),
        exists=np.ones(count, dtype=np.bool_),
    )
    first_column = len(lines.highway) + np.cumsum(parts - 1) - (parts - 1)
    everything = lines.joined(columns)
    node_line = np.concatenate([left_line, right_line, bottom[group], top[group]])
    node_share = np.concatenate([left, right, at, at])
    # One item a block.
    block_row, block = _spread(parts)
    first, final = block == 0, block == parts[block_row] - 1
    number = first_column[block_row] + block
    column_at = np.concatenate([np.zeros(len(lines.highway)), at, [0.0]])
    west = np.where(first, cells.side[cell[block_row], 3], number - 1)
    east = np.where(final, cells.side[cell[block_row], 1], np.minimum(number, len(everything.highway) - 1))
    low = np.where(first, 0.0, column_at[np.minimum(number - 1, len(column_at) - 1)])
    high = np.where(final, 1.0, column_at[np.minimum(number, len(column_at) - 1)])
    whole = np.array([0.0, 1.0])
    share = np.stack(
        [
            np.stack([low, high], axis=1),
            np.where(final[:, None], right_share[block_row], whole),
            np.stack([low, high], axis=1),
            np.where(first[:, None], left_share[block_row], whole),
        ],
        axis=1,
    )
    down, up = bottom[block_row], top[block_row]
    corner = np.stack(
        [
            everything.point(down, low),
            everything.point(down, high),
            everything.point(up, high),
            everything.point(up, low),
        ],
        axis=1,
    )
    where = cells.cell[cell[block_row]]
    blocks = Blocks(
        cell=where,
        kind=cells.kind[cell[block_row]],
        ring=plan.ring[where[:, 0], where[:, 1]],
        corner=corner,
        side=np.stack([down, east, up, west], axis=1),
        share=share,
    )
    return Streets(everything, node_line, node_share, blocks)
