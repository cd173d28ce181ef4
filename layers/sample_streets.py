"""Street segments, lanes inside compounds, walls, gates, expressways and hill paths of the made-up city."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from .sample_blocks import BEND_M, FOOTWAY, HIGHWAYS, SERVICE, Streets, snap_share, spread
from .sample_lots import USE, Lots, lot_points
from .sample_plan import BUILT, EXPRESSWAY, HILL, PARK, RAIL, RIVER, Bools, Floats, Ints, Plan

if TYPE_CHECKING:
    from numpy.typing import NDArray

LANE_SPACING_M = 62.0
"""Lanes inside a compound lie about so far apart."""


@dataclass(frozen=True, slots=True)
class Lanes:
    """Lanes inside plots, straight from side to side; each end may reach the street through the plot's edge.

    Parameters
    ----------
    lot
        int64[n].
    upward
        bool[n]: from bottom to top (else from left to right).
    share
        float64[n]: place as a share of the lot's width (upward) or depth.
    meets
        bool[n, 2]: whether start and end reach the street outside.
    host_line, host_share
        int64[n, 2], float64[n, 2]: the junction on that street.
    """

    lot: Ints
    upward: Bools
    share: Floats
    meets: Bools
    host_line: Ints
    host_share: Floats


def make_lanes(plan: Plan, streets: Streets, lots: Lots) -> Lanes:
    """Return the lanes of all plots that have any: housing, parks, campuses."""
    rng = plan.random(4)
    has = lots.residential | np.isin(lots.use, (USE["G1"], USE["A31"], USE["G3"]))
    parts = []
    for upward in (True, False):
        axis = 0 if upward else 1
        count = np.where(has, np.maximum(1, np.round(lots.size_m[:, axis] / LANE_SPACING_M)), 0).astype(np.int64)
        slots = np.maximum(lots.houses[:, axis], 1)
        count = np.where(lots.kind == PARK, 2, count) * has
        count = np.where(lots.residential, np.minimum(count, np.maximum(slots - 1, 1)), count)
        lot, place = spread(count)
        at = (place + 1) / (count[lot] + 1)
        snapped = np.round(at * slots[lot]) / slots[lot]
        between_houses = lots.residential[lot] & (slots[lot] > count[lot]) & (snapped > 0.02) & (snapped < 0.98)
        parts.append((lot, np.full(len(lot), upward), np.where(between_houses, snapped, at)))
    lot, upright, at = (np.concatenate([part[k] for part in parts]) for k in range(3))
    open_side = np.where(upright[:, None], True, np.stack([lots.first[lot], lots.last[lot]], axis=1))
    reach = np.where(lots.walled[lot], 0.85, 0.92)[:, None]
    meets = open_side & (rng.random((len(lot), 2)) < reach)
    block = lots.block[lot]
    side = streets.blocks.side[block]
    share = streets.blocks.share[block]
    axis_low = np.where(upright, lots.low[lot, 0], lots.low[lot, 1])
    axis_high = np.where(upright, lots.high[lot, 0], lots.high[lot, 1])
    along = axis_low + (axis_high - axis_low) * at
    line = np.where(upright[:, None], side[:, [0, 2]], side[:, [3, 1]])
    stretch = np.where(upright[:, None, None], share[:, [0, 2]], share[:, [3, 1]])
    raw = stretch[..., 0] + (stretch[..., 1] - stretch[..., 0]) * along[:, None]
    host_share = snap_share(raw, streets.lines.length()[line])
    return Lanes(lot, upright, at, meets, line, host_share)


def edge_points(plan: Plan, streets: Streets, lots: Lots, lanes: Lanes) -> Floats:
    """Return ground points where each lane passes its plot's edge, shape (n, 2 ends, 2)."""
    zero, one = np.zeros(len(lanes.share)), np.ones(len(lanes.share))
    up = np.stack([np.stack([lanes.share, zero], 1), np.stack([lanes.share, one], 1)], axis=1)
    right = np.stack([np.stack([zero, lanes.share], 1), np.stack([one, lanes.share], 1)], axis=1)
    share = np.where(lanes.upward[:, None, None], up, right)
    return plan.warp(lot_points(streets, lots, lanes.lot, share))


def lane_lines(plan: Plan, streets: Streets, lots: Lots, lanes: Lanes) -> tuple[NDArray[np.object_], Ints]:
    """Return the lanes' lines on the ground and their highway classes.

    Lanes of one plot cross without a shared vertex, as drawn plans have them; whoever reads them must node them.
    """
    at_edge = edge_points(plan, streets, lots, lanes)
    line = lanes.host_line.ravel()
    host = plan.warp(streets.lines.point(line, lanes.host_share.ravel())).reshape(-1, 2, 2)
    stub = at_edge + 0.05 * (at_edge[:, ::-1] - at_edge)
    edge = np.where(lanes.meets[..., None], at_edge, np.round(stub, 3))
    points = np.stack([host[:, 0], edge[:, 0], edge[:, 1], host[:, 1]], axis=1)
    keep = np.stack(
        [lanes.meets[:, 0], np.ones(len(line) // 2, bool), np.ones(len(line) // 2, bool), lanes.meets[:, 1]], 1
    )
    index = np.repeat(np.arange(len(points)), keep.sum(axis=1))
    lines = shapely.linestrings(points[keep], indices=index)
    highway = np.where(lots.walled[lanes.lot], SERVICE, FOOTWAY)
    return lines, np.where(lots.residential[lanes.lot] & lanes.upward, SERVICE, highway)


@dataclass(frozen=True, slots=True)
class Segments:
    """Street segments from junction to junction: geometry and the line each is part of."""

    geometry: NDArray[np.object_]
    line: Ints


def make_segments(plan: Plan, streets: Streets, lanes: Lanes) -> Segments:
    """Return all streets cut at their junctions, bent by the plan's warp."""
    lines = streets.lines
    existing = np.flatnonzero(lines.exists)
    node_line = np.concatenate([existing, existing, streets.node_line, lanes.host_line[lanes.meets]])
    node_share = np.concatenate(
        [np.zeros(len(existing)), np.ones(len(existing)), streets.node_share, lanes.host_share[lanes.meets]]
    )
    order = np.lexsort((node_share, node_line))
    node_line, node_share = node_line[order], node_share[order]
    new = np.ones(len(order), dtype=np.bool_)
    new[1:] = (np.diff(node_line) > 0) | (np.diff(node_share) > 0)
    node_line, node_share = node_line[new], node_share[new]
    start = np.flatnonzero(node_line[:-1] == node_line[1:])
    line, low, high = node_line[start], node_share[start], node_share[start + 1]
    pieces = np.maximum(1, np.ceil(lines.length()[line] * (high - low) / BEND_M)).astype(np.int64)
    segment, place = spread(pieces + 1)
    step = place / pieces[segment]
    share = np.where(place == pieces[segment], high[segment], low[segment] + step * (high - low)[segment])
    points = plan.warp(lines.point(line[segment], share))
    return Segments(np.asarray(shapely.linestrings(points, indices=segment), dtype=object), line)


def strip_middle(plan: Plan, axis: int, position: int, low: int, high: int) -> Floats:
    """Return plan points along the middle of a strip from interval ``low`` to ``high``, off crossing streets."""
    corner = plan.corner if axis == 0 else plan.corner.transpose(1, 0, 2)
    middle = (corner[position] + corner[position + 1]) / 2
    at = (np.arange(low, high)[:, None] + np.array([0.125, 0.375, 0.625, 0.875])).ravel()
    index = at.astype(np.int64)
    part = (at - index)[:, None]
    return np.asarray((1 - part) * middle[index] + part * middle[index + 1], dtype=np.float64)


def second_ring(plan: Plan) -> list[Floats]:
    """Return plan points of the expressway ring's sides: south, east, north, west, meeting at shared corners."""
    columns, rows = np.flatnonzero(plan.column_strip == EXPRESSWAY), np.flatnonzero(plan.row_strip == EXPRESSWAY)
    (west, east), (south, north) = (int(columns[0]), int(columns[1])), (int(rows[0]), int(rows[1]))

    def corner(i: int, j: int) -> Floats:
        return np.asarray(plan.corner[i : i + 2, j : j + 2].mean(axis=(0, 1))[None, :], dtype=np.float64)

    sw, se, ne, nw = corner(west, south), corner(east, south), corner(east, north), corner(west, north)
    return [
        np.concatenate([sw, strip_middle(plan, 1, south, west + 1, east), se]),
        np.concatenate([se, strip_middle(plan, 0, east, south + 1, north), ne]),
        np.concatenate([nw, strip_middle(plan, 1, north, west + 1, east), ne]),
        np.concatenate([sw, strip_middle(plan, 0, west, south + 1, north), nw]),
    ]


def motorway(plan: Plan) -> Floats:
    """Return plan points of the motorway that leaves the second ring eastwards, beside a street and above it."""
    east = int(np.flatnonzero(plan.column_strip == EXPRESSWAY)[1])
    row = int(plan.row_bound[1, 0])
    points = plan.corner[east + 1 :, row]
    middle = (plan.corner[east, row] + plan.corner[east + 1, row]) / 2
    shifted = points + np.array([31.0, -11.0])
    beyond = shifted[-1] + np.array([[0.12 * plan.half_m, 0.0], [0.24 * plan.half_m, -0.01 * plan.half_m]])
    return np.concatenate([middle[None] + np.array([0.0, -11.0]), shifted, beyond])


def ramps(plan: Plan) -> list[Floats]:
    """Return plan lines of the ramps from the expressway down to the streets beside it, two a side."""
    found = []
    for axis, strip in ((0, plan.column_strip), (1, plan.row_strip)):
        corner = plan.corner if axis == 0 else plan.corner.transpose(1, 0, 2)
        bound = (plan.row_bound if axis == 0 else plan.column_bound)[1]
        for position in np.flatnonzero(strip == EXPRESSWAY):
            for line in (int(bound[0]), int(bound[1])):
                middle = strip_middle(plan, axis, int(position), line, line + 1)[1]
                found.append(np.stack([middle, corner[position + 1, line]]))
    return found


def hill_paths(plan: Plan) -> tuple[list[Floats], list[Floats]]:
    """Return plan lines of paths and of steps that climb from the last streets into the hills."""
    built_corner = np.zeros(plan.corner.shape[:2], dtype=np.bool_)
    built = np.isin(plan.kind, BUILT)
    for di in (0, 1):
        for dj in (0, 1):
            built_corner[di : di + built.shape[0], dj : dj + built.shape[1]] |= built
    i, j = np.nonzero(plan.kind == HILL)
    top = built_corner[i, j + 1]
    i, j = i[top], j[top]
    start = plan.corner[i, j + 1]
    rng = plan.random(16)
    width = np.hypot(*(plan.corner[i + 1, j + 1] - start).T)[:, None]
    depth = np.hypot(*(plan.corner[i, j] - start).T)[:, None]
    right = (plan.corner[i + 1, j + 1] - start) / width
    down = (plan.corner[i, j] - start) / depth
    step = depth * rng.uniform(0.13, 0.20, (len(i), 1))
    sway = width * rng.uniform(0.04, 0.46, (5, len(i), 1))
    stops = [start] + [start + number * step * down + sway[number] * right for number in range(1, 5)]
    top = stops[-1] + 0.1 * depth * down
    return list(np.stack(stops, axis=1)), list(np.stack([stops[-1], top], axis=1))


def marks(streets: Streets, segments: Segments) -> tuple[NDArray[np.str_], Bools, Bools, Ints]:
    """Return class, bridge, tunnel and level of each segment: bridges over the river, underpasses below the railway."""
    passes = streets.lines.passes[segments.line]
    bridge, tunnel = passes == RIVER, passes == RAIL
    level = np.where(bridge, 1, np.where(tunnel, -1, 0))
    return np.array(HIGHWAYS)[streets.lines.highway[segments.line]], bridge, tunnel, level
