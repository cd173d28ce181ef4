"""Walls and gates: which walled compound a street lies in, and where one may pass its wall."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import shapely
from scipy.spatial import cKDTree

from .noding import SAME_M, Lines, insert_vertices, meetings, merge_ids, on_segments, places_of, renumbered
from .shapes import points_of, segments_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

Policy: TypeAlias = Literal["gated", "open", "residents"]
"""``gated``: open gates pass everybody. ``open``: walls do not count. ``residents``: a gate that is not public lets
people out, so that residents use their own gates and nobody else walks through."""

GATE_M = 15.0
"""A gate opens the wall for streets that cross it this near."""
GATE_OF_WALL_M = 30.0
"""A gate that names no compound belongs to the nearest wall within this."""
GATE_CLASS = "gate"


@dataclass(frozen=True, slots=True, eq=False)
class Gates:
    """Gates of walled compounds.

    Parameters
    ----------
    xy
        float64[g, 2], metres.
    open
        bool[g]; a closed gate passes nobody.
    public
        bool[g]; whether it passes everybody, or only who lives inside (this matters to the policy ``residents``).
    zone
        int32[g], the compound it belongs to; -1 where unknown: the nearest wall's.
    """

    xy: NDArray[np.float64]
    open: NDArray[np.bool_]
    public: NDArray[np.bool_]
    zone: NDArray[np.int32]

    @staticmethod
    def none() -> Gates:
        """Return no gates."""
        flags = np.zeros(0, dtype=bool)
        return Gates(np.zeros((0, 2)), flags, flags, np.zeros(0, dtype=np.int32))


@dataclass(frozen=True, slots=True, eq=False)
class Walls:
    """Walled compounds as they were taken.

    Parameters
    ----------
    polygons
        object[z]: polygon of each compound that has a wall, ``None`` for the others; the index is the zone.
    sealed
        bool[z]: entered only through its gates.
    gateless
        int32: zones with a wall and no open gate; they are left open, and the reader must be told.
    gates
        The gates, each with its zone (-1: none within reach).
    unused_gates
        int64: rows of open gates of sealed zones that touch no street on both sides.
    policy
        How the walls were taken.
    """

    polygons: NDArray[np.object_]
    sealed: NDArray[np.bool_]
    gateless: NDArray[np.int32]
    gates: Gates
    unused_gates: NDArray[np.int64]
    policy: Policy

    def zone_of(self, xy: NDArray[np.float64]) -> NDArray[np.int32]:
        """Return the sealed compound each point lies in, -1 outside; in overlapping ones, the smaller."""
        return zone_of(self.polygons, self.sealed, xy)


def walled_off(walls: Walls, ground: shapely.Geometry, sites: NDArray[np.float64]) -> shapely.Geometry:
    """Return some reached ground without the sealed compounds that it laps over but nobody reaches.

    A compound counts as reached when one of its open gates lies on the ground or one of the sites in it.

    Parameters
    ----------
    walls
        As they were taken.
    ground
        Polygons around reached streets.
    sites
        float64[k, 2], places that are walked to.

    Examples
    --------
    >>> compound = np.array([shapely.box(0, 5, 50, 55)], dtype=object)
    >>> def gate(x): return Gates(np.array([[x, 5.0]]), np.array([True]), np.array([True]), np.array([0], np.int32))
    >>> band, site = shapely.box(0, -10, 100, 10), np.array([[99.0, 0.0]])
    >>> [walled_off(take_walls(compound, gate(x), "gated"), band, site).area for x in (10.0, -20.0)]
    [2000.0, 1750.0]
    """
    rows = np.flatnonzero(walls.sealed)
    if rows.size == 0 or shapely.is_empty(ground):
        return ground
    shapely.prepare(ground)
    rows = rows[shapely.intersects(ground, walls.polygons[rows])]
    gates = np.flatnonzero(walls.gates.open & np.isin(walls.gates.zone, rows))
    reached = walls.gates.zone[gates[shapely.intersects_xy(ground, walls.gates.xy[gates])]]
    rows = rows[~np.isin(rows, reached)]
    if rows.size == 0:
        return ground
    held = shapely.STRtree(walls.polygons[rows]).query(points_of(sites), predicate="intersects")[1]
    closed = np.delete(walls.polygons[rows], np.unique(held))
    left = shapely.difference(ground, shapely.union_all(closed))
    parts = shapely.get_parts(left)
    return shapely.MultiPolygon(parts[shapely.get_dimensions(parts) == 2].tolist()) if closed.size else ground


def no_walls() -> Walls:
    """Return walls that are not there."""
    none = np.zeros(0, dtype=object)
    return Walls(none, np.zeros(0, bool), np.zeros(0, np.int32), Gates.none(), np.zeros(0, np.int64), "open")


def zone_of(polygons: NDArray[np.object_], sealed: NDArray[np.bool_], xy: NDArray[np.float64]) -> NDArray[np.int32]:
    """Return the sealed polygon each point lies in, -1 where in none; in overlapping ones the smaller.

    Examples
    --------
    >>> square = np.array([shapely.box(0, 0, 10, 10), None], dtype=object)
    >>> zone_of(square, np.array([True, False]), np.array([[5.0, 5.0], [15.0, 5.0]])).tolist()
    [0, -1]
    """
    zone = np.full(xy.shape[0], -1, dtype=np.int32)
    rows = np.flatnonzero(sealed)
    if rows.size == 0 or xy.shape[0] == 0:
        return zone
    low, high = shapely.total_bounds(polygons[rows]).reshape(2, 2)
    near = np.flatnonzero(((xy >= low) & (xy <= high)).all(axis=1))
    point, polygon = shapely.STRtree(polygons[rows]).query(points_of(xy[near]), predicate="within")
    area = shapely.area(polygons[rows])
    order = np.lexsort((polygon, area[polygon], point))
    found, first = np.unique(point[order], return_index=True)
    zone[near[found]] = rows[polygon[order][first]]
    return zone


def _with_zones(gates: Gates, polygons: NDArray[np.object_], walled: NDArray[np.bool_]) -> Gates:
    """Return the gates, each with the zone it belongs to."""
    zone = np.where(np.isin(gates.zone, np.flatnonzero(walled)), gates.zone, -1).astype(np.int32)
    loose, rows = np.flatnonzero(gates.zone < 0), np.flatnonzero(walled)
    if loose.size and rows.size:
        tree = shapely.STRtree(shapely.boundary(polygons[rows]))
        gate, wall = tree.query_nearest(points_of(gates.xy[loose]), max_distance=GATE_OF_WALL_M)
        order = np.lexsort((wall, gate))
        found, first = np.unique(gate[order], return_index=True)
        zone[loose[found]] = rows[wall[order][first]]
    return replace(gates, zone=zone)


def take_walls(polygons: NDArray[np.object_] | None, gates: Gates | None, policy: Policy) -> Walls:
    """Return which compounds are sealed: those with a wall and an open gate, unless the policy is ``open``."""
    if polygons is None:
        return no_walls()
    walled = ~(shapely.is_missing(polygons) | shapely.is_empty(polygons))
    valid = np.full(polygons.size, None, dtype=object)
    valid[walled] = shapely.make_valid(polygons[walled])
    known = _with_zones(gates if gates is not None else Gates.none(), valid, walled)
    opened = np.zeros(polygons.size, dtype=bool)
    opened[known.zone[known.open & (known.zone >= 0)]] = True
    gateless = np.flatnonzero(walled & ~opened).astype(np.int32)
    sealed = walled & opened if policy != "open" else np.zeros(polygons.size, dtype=bool)
    return Walls(valid, sealed, gateless, known, np.zeros(0, dtype=np.int64), policy)


def split_lines(lines: Lines, at: NDArray[np.int64], zone: NDArray[np.int32] | None = None) -> Lines:
    """Return the lines cut in two at inner vertices; ``zone`` (one a segment, before the cut) becomes the lines'."""
    counts = np.ones(lines.node.size, dtype=np.int64)
    counts[at] = 2
    vertex = np.repeat(np.arange(lines.node.size), counts)
    shift = np.concatenate([[0], np.cumsum(counts)])
    start = np.unique(np.concatenate([shift[lines.start], shift[at] + 1])).astype(np.int64)
    row = lines.line[vertex[start[:-1]]]
    line_zone = lines.zone[row]
    if zone is not None:
        of_vertex = np.full(lines.node.size, -1, dtype=np.int32)
        of_vertex[lines.segments] = zone
        line_zone = of_vertex[vertex[start[:-1]]]
    return replace(
        lines,
        xy=lines.xy[vertex],
        node=lines.node[vertex],
        start=start,
        klass=lines.klass[row],
        forward=lines.forward[row],
        backward=lines.backward[row],
        steps=lines.steps[row],
        spans=lines.spans[row],
        zone=line_zone,
        private=lines.private[row],
    )


def _cross_walls(lines: Lines, walls: Walls) -> Lines:
    """Return the lines with a vertex wherever they cross a sealed wall, cut there, each with its zone."""
    rings = shapely.boundary(walls.polygons[walls.sealed])
    xy, ring = shapely.get_coordinates(shapely.get_parts(rings), return_index=True)
    inner = np.flatnonzero(ring[1:] == ring[:-1])
    level = np.zeros(lines.start.size - 1, dtype=np.int32)
    vertex, share, _, _ = meetings(lines, level, join_m=0.0, walls=(xy[inner], xy[inner + 1]))
    place = lines.xy[vertex] + share[:, None] * (lines.xy[vertex + 1] - lines.xy[vertex])
    # Neighbours share walls: two crossings at one place are one.
    order = np.lexsort((share, vertex))
    vertex, share, place = vertex[order], share[order], place[order]
    apart = np.ones(vertex.size, dtype=bool)
    apart[1:] = (vertex[1:] != vertex[:-1]) | (np.hypot(*np.diff(place, axis=0).T) > SAME_M)
    vertex, share, place = vertex[apart], share[apart], place[apart]
    node, new = on_segments(lines, vertex, share, place, int(lines.node.max()) + 1)
    lines = insert_vertices(lines, vertex[new], share[new], place[new], node[new])
    first = lines.segments
    zone = walls.zone_of((lines.xy[first] + lines.xy[first + 1]) / 2)
    # A change of zone between two segments of one line lies at the first vertex of the second.
    changes = np.flatnonzero((zone[1:] != zone[:-1]) & (first[1:] == first[:-1] + 1)) + 1
    return split_lines(lines, first[changes], zone)


def _zone_nodes(lines: Lines) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64], NDArray[np.int64]]:
    """Return the (node, zone) pairs of nodes that lie in several zones, their places, and every vertex's pair id."""
    zone = lines.zone[lines.line]
    span = np.int64(zone.max()) + 2
    key = lines.node * span + zone + 1
    pairs, first, pair_of = np.unique(key, return_index=True, return_inverse=True)
    node = pairs // span
    count = np.bincount(np.unique(node, return_inverse=True)[1])
    several = np.repeat(count, count) > 1
    rows = np.flatnonzero(several)
    return rows, zone[first[rows]], lines.xy[first[rows]], pair_of.astype(np.int64)


def _unmet_gates(lines: Lines, walls: Walls) -> NDArray[np.int64]:
    """Return the open gates of sealed zones that no street crosses the wall at."""
    gates = walls.gates
    rows = np.flatnonzero(gates.open & (gates.zone >= 0))
    rows = rows[walls.sealed[gates.zone[rows]]]
    _, zone, place, _ = _zone_nodes(lines)
    met = np.zeros(rows.size, dtype=bool)
    if zone.size:
        near = cKDTree(place).query_ball_point(gates.xy[rows], GATE_M)
        met = np.array(
            [bool(np.any(zone[found] == gates.zone[row])) for row, found in zip(rows, near, strict=True)], dtype=bool
        )
    unmet: NDArray[np.int64] = rows[~met].astype(np.int64)
    return unmet


def _nearest_segment(
    lines: Lines, rows: NDArray[np.int64], xy: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the segment of ``rows`` nearest to each point within a gate's reach (-1: none), share, foot."""
    found = np.full(xy.shape[0], -1, dtype=np.int64)
    share, foot = np.zeros(xy.shape[0]), xy.copy()
    if rows.size and xy.shape[0]:
        ends = np.stack([lines.xy[rows], lines.xy[rows + 1]], axis=1)
        segments = segments_of(ends[:, 0], ends[:, 1])
        point, nearest = shapely.STRtree(segments).query_nearest(points_of(xy), max_distance=GATE_M)
        order = np.lexsort((nearest, point))
        who, first = np.unique(point[order], return_index=True)
        nearest = nearest[order][first]
        found[who] = rows[nearest]
        share[who] = shapely.line_locate_point(segments[nearest], points_of(xy[who]), normalized=True)
        foot[who] = ends[nearest, 0] + share[who, None] * (ends[nearest, 1] - ends[nearest, 0])
    return found, share, foot


def _connect_gates(lines: Lines, walls: Walls) -> tuple[Lines, NDArray[np.int64]]:
    """Return the lines with a short walk through each gate near a street on both sides, and the other gates."""
    unmet = _unmet_gates(lines, walls)
    if unmet.size == 0:
        return lines, unmet
    first, zone = lines.segments, lines.zone[lines.line[lines.segments]]
    xy = walls.gates.xy[unmet]
    outer, outer_share, outer_foot = _nearest_segment(lines, first[zone == -1], xy)
    inner = np.full(unmet.size, -1, dtype=np.int64)
    inner_share, inner_foot = np.zeros(unmet.size), xy.copy()
    for z in np.unique(walls.gates.zone[unmet]):
        who = np.flatnonzero(walls.gates.zone[unmet] == z)
        inner[who], inner_share[who], inner_foot[who] = _nearest_segment(lines, first[zone == z], xy[who])
    both = np.flatnonzero((outer >= 0) & (inner >= 0))
    if both.size == 0:
        return lines, unmet
    vertex, share = np.concatenate([inner[both], outer[both]]), np.concatenate([inner_share[both], outer_share[both]])
    place = np.vstack([inner_foot[both], outer_foot[both]])
    fresh = int(lines.node.max()) + 1
    node, new = on_segments(lines, vertex, share, place, fresh)
    lines = insert_vertices(lines, vertex[new], share[new], place[new], node[new])
    n = both.size
    gate_node = fresh + int(new.sum()) + np.arange(n)
    half = np.stack([np.stack([node[:n], gate_node], 1), np.stack([gate_node, node[n:]], 1)], axis=1).reshape(-1)
    half_xy = np.stack([np.stack([place[:n], xy[both]], 1), np.stack([xy[both], place[n:]], 1)], axis=1).reshape(-1, 2)
    zones = np.stack([walls.gates.zone[unmet[both]], np.full(n, -1, np.int32)], axis=1).reshape(-1)
    lines = add_lines(lines, half_xy, half, zone=zones.astype(np.int32), class_name=GATE_CLASS)
    return lines, np.delete(unmet, both)


def add_lines(
    lines: Lines,
    xy: NDArray[np.float64],
    node: NDArray[np.int64],
    *,
    zone: NDArray[np.int32],
    class_name: str,
    one_way: bool = False,
    private: bool = False,
) -> Lines:
    """Return the lines and more lines of two vertices each, of one class."""
    count = zone.size
    classes = lines.classes if class_name in lines.classes else (*lines.classes, class_name)
    yes, no = np.ones(count, dtype=bool), np.zeros(count, dtype=bool)
    return replace(
        lines,
        xy=np.vstack([lines.xy, xy]),
        node=np.concatenate([lines.node, node]),
        start=np.concatenate([lines.start, lines.start[-1] + 2 * np.arange(1, count + 1)]),
        klass=np.concatenate([lines.klass, np.full(count, classes.index(class_name), np.int16)]),
        classes=classes,
        forward=np.concatenate([lines.forward, yes]),
        backward=np.concatenate([lines.backward, no if one_way else yes]),
        steps=np.concatenate([lines.steps, no]),
        spans=np.concatenate([lines.spans, no]),
        zone=np.concatenate([lines.zone, zone]),
        private=np.concatenate([lines.private, yes if private else no]),
    )


def _passages(
    walls: Walls, rows: NDArray[np.int64], zone: NDArray[np.int32], place: NDArray[np.float64], node: NDArray[np.int64]
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Return the (node, zone) pairs that gates make one, and those that let people out but not in."""
    gates = walls.gates
    usable = np.flatnonzero(gates.open & (gates.zone >= 0))
    if rows.size == 0 or usable.size == 0:
        return [], []
    public = gates.public | (walls.policy == "gated")
    joins: set[tuple[int, int]] = set()
    exits: set[tuple[int, int]] = set()
    by_node: dict[int, list[int]] = {}
    for k, row in enumerate(rows.tolist()):
        by_node.setdefault(int(node[row]), []).append(k)
    tree = cKDTree(place)
    for gate in usable.tolist():
        found = tree.query_ball_point(gates.xy[gate], GATE_M)
        for k in (k for k in found if zone[k] == gates.zone[gate]):
            for other in by_node[int(node[rows[k]])]:
                if other != k and public[gate]:
                    joins.add((int(rows[k]), int(rows[other])))
                elif other != k and zone[other] == -1:
                    exits.add((int(rows[k]), int(rows[other])))
    return sorted(joins), sorted(exits)


def _pass_gates(lines: Lines, walls: Walls) -> Lines:
    """Return the lines with nodes parted by zone, and joined again (or left one way) where a gate lets people pass."""
    rows, zone, place, pair_of = _zone_nodes(lines)
    node = np.zeros(int(pair_of.max()) + 1, dtype=np.int64)
    node[pair_of] = lines.node
    parted = renumbered(lines, pair_of, partial(places_of, node))
    joins, exits = _passages(walls, rows, zone, place, node)
    if exits:
        ends = np.array(exits, dtype=np.int64)
        where, zone_of_pair = np.zeros((node.size, 2)), np.full(node.size, -1, dtype=np.int32)
        where[pair_of], zone_of_pair[pair_of] = lines.xy, lines.zone[lines.line]
        inside = zone_of_pair[ends[:, 0]]
        ends = ends.ravel()
        parted = add_lines(parted, where[ends], ends, zone=inside, class_name=GATE_CLASS, one_way=True)
    if joins:
        a, b = np.array(joins, dtype=np.int64).T
        ids = merge_ids(np.arange(node.size), a, b)
        parted = renumbered(parted, ids[parted.node], lambda marked: np.unique(ids[marked]))
    return parted


def enclose(lines: Lines, walls: Walls) -> tuple[Lines, Walls]:
    """Return the lines with the sealed compounds' walls standing: passed at open gates only.

    A street that crosses a sealed wall is parted there unless an open gate of that compound lies within 15 m of the
    crossing. A gate at which no street crosses joins the nearest lane inside and street outside where both are within
    15 m of it, else it is reported.

    Parameters
    ----------
    lines
        Lines with node ids 0…n-1.
    walls
        From `take_walls`.
    """
    if lines.node.size == 0 or not walls.sealed.any():
        return lines, walls
    lines = _cross_walls(lines, walls)
    lines, unused = _connect_gates(lines, walls)
    return _pass_gates(lines, walls), replace(walls, unused_gates=unused)
