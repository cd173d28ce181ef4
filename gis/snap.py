"""Snapping: from points to legal positions on street edges, with the straight walk to them and the reason of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from .edges import ragged
from .errors import Fault, InputError
from .shapes import points_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .network import WalkNetwork

ON_STREET = "on_street"
FAR_FROM_STREET = "far_from_street"
OTHER_COMPONENT = "other_component"


@dataclass(frozen=True, slots=True, eq=False)
class Positions:
    """Places on the network where objects stand; an object with several entrances has several.

    Parameters
    ----------
    owner
        int64[k], row of the object.
    edge
        int32[k].
    offset_m
        float64[k], metres from the edge's first node.
    access_m
        float64[k], straight walk from the object to the position.
    count
        Number of objects; some may have no position.
    """

    owner: NDArray[np.int64]
    edge: NDArray[np.int32]
    offset_m: NDArray[np.float64]
    access_m: NDArray[np.float64]
    count: int

    def plus(self, others: Positions) -> Positions:
        """Return the positions of these objects and others, whose numbers follow on."""
        return Positions(
            np.concatenate([self.owner, others.owner + self.count]),
            np.concatenate([self.edge, others.edge]),
            np.concatenate([self.offset_m, others.offset_m]),
            np.concatenate([self.access_m, others.access_m]),
            self.count + others.count,
        )

    def without(self, gone: NDArray[np.bool_]) -> Positions:
        """Return the positions less those of the objects that are gone (bool[count]); the numbers stay."""
        kept = ~gone[self.owner]
        return Positions(self.owner[kept], self.edge[kept], self.offset_m[kept], self.access_m[kept], self.count)


@dataclass(frozen=True, slots=True, eq=False)
class Snapped:
    """Positions of objects, and for each object how it came to the street.

    Parameters
    ----------
    positions
        Where objects stand on the network.
    status
        str[count]: ``on_street``, ``far_from_street`` (no street within the limit) or ``other_component`` (only streets
        that the main network does not reach are near).
    access_m
        float64[count], the shortest straight walk; NaN when far from a street.
    edge, component
        int32[count] of that position; -1 when far from a street.
    """

    positions: Positions
    status: NDArray[np.str_]
    access_m: NDArray[np.float64]
    edge: NDArray[np.int32]
    component: NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """Nearest edge of points: row of the point, edge, offset, access."""

    point: NDArray[np.int64]
    edge: NDArray[np.int32]
    offset_m: NDArray[np.float64]
    access_m: NDArray[np.float64]

    @staticmethod
    def join(parts: list[_Found]) -> _Found:
        """Return several finds as one."""
        return _Found(
            np.concatenate([part.point for part in parts] or [np.zeros(0, np.int64)]),
            np.concatenate([part.edge for part in parts] or [np.zeros(0, np.int32)]),
            np.concatenate([part.offset_m for part in parts] or [np.zeros(0)]),
            np.concatenate([part.access_m for part in parts] or [np.zeros(0)]),
        )


def _nearest(
    network: WalkNetwork,
    lines: NDArray[np.object_],
    edges: NDArray[np.int64],
    xy: NDArray[np.float64],
    rows: NDArray[np.int64],
    limit_m: float,
) -> _Found:
    """Return the nearest of some edges to the points ``rows`` within the limit; ties go to the lower edge."""
    if edges.size == 0 or rows.size == 0:
        return _Found.join([])
    points = points_of(xy[rows])
    scale = network.edge_scale
    drawn_m = limit_m * float(scale.max()) if scale.size else limit_m
    which, nearest = shapely.STRtree(lines[edges]).query_nearest(points, max_distance=drawn_m)
    edge = edges[nearest]
    order = np.lexsort((edge, which))
    found, first = np.unique(which[order], return_index=True)
    edge = edge[order][first]
    located = np.asarray(shapely.line_locate_point(lines[edge], points[found]))
    access = np.asarray(shapely.distance(lines[edge], points[found]))
    if scale.size:
        located, access = located / scale[edge], access / scale[edge]
    offset = np.clip(located, 0.0, network.edge_length_m[edge])
    # The end of the line counts to the last bit as the edge's end, so that one may leave it either way.
    offset = np.where(offset >= network.edge_length_m[edge] - 1e-9, network.edge_length_m[edge], offset)
    near = access <= limit_m
    return _Found(rows[found[near]].astype(np.int64), edge[near].astype(np.int32), offset[near], access[near])


def _main_first(
    network: WalkNetwork,
    lines: NDArray[np.object_],
    edges: NDArray[np.int64],
    main: NDArray[np.bool_],
    xy: NDArray[np.float64],
    rows: NDArray[np.int64],
    limit_m: float,
) -> tuple[_Found, _Found]:
    """Return the finds in the main network, and for the other points those in any."""
    inside = _nearest(network, lines, edges[main[edges]], xy, rows, limit_m)
    rest = np.setdiff1d(rows, inside.point)
    return inside, _nearest(network, lines, edges[~main[edges]], xy, rest, limit_m)


def _in_zones(
    network: WalkNetwork,
    lines: NDArray[np.object_],
    allowed: NDArray[np.bool_],
    main: NDArray[np.bool_],
    xy: NDArray[np.float64],
    zone: NDArray[np.int32],
    limit_m: float,
) -> list[_Found]:
    """Return the finds of points in sealed compounds: their lanes, else their gates, else lanes that lead nowhere."""
    zones = np.unique(zone[zone >= 0])
    edges = np.flatnonzero((network.edge_zone >= 0) & allowed)
    edges = edges[np.argsort(network.edge_zone[edges], kind="stable")]
    points = np.argsort(zone, kind="stable")
    of_edge = (
        np.searchsorted(network.edge_zone[edges], zones),
        np.searchsorted(network.edge_zone[edges], zones, "right"),
    )
    of_point = np.searchsorted(zone[points], zones), np.searchsorted(zone[points], zones, "right")
    inside, loose = [], []
    for k in range(zones.size):
        own = np.sort(edges[of_edge[0][k] : of_edge[1][k]])
        rows = np.sort(points[of_point[0][k] : of_point[1][k]])
        found, rest = _main_first(network, lines, own, main, xy, rows, limit_m)
        inside.append(found)
        loose.append(rest)
    lanes, nowhere = _Found.join(inside), _Found.join(loose)
    without = np.setdiff1d(np.flatnonzero(zone >= 0), lanes.point)
    gates = _by_gates(network, lines, allowed & main, xy, without, zone, limit_m)
    kept = ~np.isin(nowhere.point, gates.point)
    rest = _Found(nowhere.point[kept], nowhere.edge[kept], nowhere.offset_m[kept], nowhere.access_m[kept])
    return [lanes, gates, rest]


def _by_gates(
    network: WalkNetwork,
    lines: NDArray[np.object_],
    allowed: NDArray[np.bool_],
    xy: NDArray[np.float64],
    rows: NDArray[np.int64],
    zone: NDArray[np.int32],
    limit_m: float,
) -> _Found:
    """Return, for points in compounds, the street positions at their open gates: straight to gate, then to street."""
    if rows.size == 0:
        return _Found.join([])
    gates = network.walls.gates
    used = np.flatnonzero(gates.open & np.isin(gates.zone, zone[rows]))
    outside = np.flatnonzero((network.edge_zone == -1) & allowed)
    at = _nearest(network, lines, outside, gates.xy, used, limit_m)
    order = np.argsort(gates.zone[at.point], kind="stable")
    zone_of_gate = gates.zone[at.point][order]
    first, last = np.searchsorted(zone_of_gate, zone[rows]), np.searchsorted(zone_of_gate, zone[rows], "right")
    point = np.repeat(rows, last - first)
    gate = order[ragged(first, last - first)]
    walk = np.hypot(*(xy[point] - gates.xy[at.point[gate]]).T)
    if network.edge_scale.size:
        walk /= network.edge_scale[at.edge[gate]]
    return _Found(point.astype(np.int64), at.edge[gate], at.offset_m[gate], walk + at.access_m[gate])


def snap(
    network: WalkNetwork,
    xy: NDArray[np.float64],
    *,
    owner: NDArray[np.int64] | None = None,
    count: int | None = None,
    limit_m: float = 200.0,
    zone: NDArray[np.int32] | None = None,
    usable: NDArray[np.bool_] | None = None,
    arriving: bool = False,
) -> Snapped:
    """Return where points come to the street: the nearest position on a legal edge within a limit.

    Positions in the main component are preferred; only where none is within the limit does a point stand in a smaller
    one (``other_component``). For places that people walk to, private streets count as not in it. A point in a sealed
    compound comes to that compound's lanes; where it has none that lead out, to the street at each open gate, the
    straight walk to the gate counted and not limited. No other point comes to lanes inside a sealed compound. Beyond
    the limit a point has no position at all.

    Parameters
    ----------
    network
        The streets.
    xy
        float64[p, 2], metres, in the network's CRS.
    owner
        int64[p], row of the object each point belongs to (entrances of one facility); each its own when not given.
    count
        Number of objects; needed where the last ones may have no point.
    limit_m
        Longest straight walk to the street.
    zone
        int32[p], sealed compound of each point, -1 outside; found from the walls when not given.
    usable
        bool[m], edges that may be snapped to; all when not given.
    arriving
        People walk to these points, so they are looked for on streets that everybody may enter first.

    Raises
    ------
    InputError
        When coordinates are not numbers.

    Examples
    --------
    >>> from pyproj import CRS
    >>> from lifecircle.gis.network import network_from_lines
    >>> street = network_from_lines([shapely.LineString([(0, 0), (100, 0)])], crs=CRS("EPSG:4547"), highway=["footway"])
    >>> found = snap(street, np.array([[30.0, 40.0], [50.0, 300.0]]))
    >>> found.status.tolist(), found.positions.offset_m.tolist(), found.access_m.tolist()
    (['on_street', 'far_from_street'], [30.0], [40.0, nan])
    """
    xy = _finite(xy)
    owner = np.arange(xy.shape[0], dtype=np.int64) if owner is None else np.asarray(owner, dtype=np.int64)
    objects = (int(owner.max()) + 1 if owner.size else 0) if count is None else count
    lines = network.edge_lines()
    zone = _sealed_zone(network, xy, zone)
    allowed = np.ones(network.edge_length_m.size, dtype=bool) if usable is None else np.asarray(usable, dtype=bool)
    main = (network.edge_component == 0) & ~(network.edge_private & arriving)
    outside = np.flatnonzero((network.edge_zone == -1) & allowed)
    parts = list(_main_first(network, lines, outside, main, xy, np.flatnonzero(zone == -1), limit_m))
    parts += _in_zones(network, lines, allowed, main, xy, zone, limit_m)
    return _audit(network, _Found.join(parts), main, owner, objects)


def _finite(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return points as float64[p, 2], or the fault of those that are no numbers."""
    xy = np.asarray(xy, dtype=np.float64).reshape(-1, 2)
    bad = np.flatnonzero(~np.isfinite(xy).all(axis=1))
    if bad.size:
        message = f"{bad.size} points have coordinates that are not numbers"
        raise InputError(message, *(Fault("gis.point_nan", row=int(row)) for row in bad[:5]))
    return xy


def _sealed_zone(network: WalkNetwork, xy: NDArray[np.float64], zone: NDArray[np.int32] | None) -> NDArray[np.int32]:
    """Return the sealed compound of each point, -1 outside and in compounds that are left open."""
    sealed = network.walls.sealed
    if not sealed.size:
        return np.full(xy.shape[0], -1, dtype=np.int32)
    of = network.walls.zone_of(xy) if zone is None else np.asarray(zone, dtype=np.int32)
    return np.where((of >= 0) & sealed[np.clip(of, 0, sealed.size - 1)], of, -1).astype(np.int32)


def _audit(
    network: WalkNetwork, found: _Found, main: NDArray[np.bool_], owner: NDArray[np.int64], count: int
) -> Snapped:
    """Return the finds as positions of objects, and each object's best one as its audit row."""
    who = owner[found.point]
    order = np.lexsort((found.offset_m, found.edge, found.access_m, who))
    who, edge = who[order], found.edge[order]
    offset, access = found.offset_m[order], found.access_m[order]
    component = network.edge_component[edge]
    # An object that comes to the main network by one entrance is not held to the island of another.
    reach_main = np.zeros(count, dtype=bool)
    reach_main[who[main[edge]]] = True
    kept = main[edge] | ~reach_main[who]
    who, edge, offset, access, component = who[kept], edge[kept], offset[kept], access[kept], component[kept]
    rows, first = np.unique(who, return_index=True)
    status = np.full(count, FAR_FROM_STREET, dtype="<U15")
    status[rows] = np.where(main[edge[first]], ON_STREET, OTHER_COMPONENT)
    shortest, best_edge = np.full(count, np.nan), np.full(count, -1, dtype=np.int32)
    best_component = np.full(count, -1, dtype=np.int32)
    shortest[rows], best_edge[rows], best_component[rows] = access[first], edge[first], component[first]
    positions = Positions(who, edge, offset, access, count)
    return Snapped(positions, status, shortest, best_edge, best_component)
