"""Service circles: polygons around the streets from which a site is within reach.

They are pictures: people are counted on the network.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import shapely

from . import kernels_circles
from .costs import STANDARD, Costs, Placed, neighbours_first, order_by, place, walking_costs
from .shapes import points_of, segments_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .network import WalkNetwork
    from .snap import Positions
    from .walkers import Walker

Pieces: TypeAlias = "tuple[NDArray[np.int64], NDArray[np.float64]]"
"""Where each group begins, and straight pieces of streets (ax, ay, bx, by)."""

WIDTH_M = 25.0
"""Half width of the band around a reached street."""
LEAST_HOLE_M2 = 5000.0
"""Smaller holes are filled."""
CELL_M = 12.0
"""Spacing of the grid on which distances from the streets are taken; wider where a city would need too many points."""
MOST_CELLS = 25_000_000
SLACK_M = 1.0
"""How far an outline may be thinned away from the contour of the grid, along the grid's lines."""
BEND_M = 2.0
"""Streets are drawn straight where they bend less."""
SLIT_M = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class _Ground:
    """What searches for circles share: a walker's costs, and sites by their objects, in an order ``turn`` of these."""

    network: WalkNetwork
    costs: Costs
    sites: Placed
    site_start: NDArray[np.int64]
    turn: NDArray[np.int64]
    start: NDArray[np.int64]
    coords: NDArray[np.float64]
    along: NDArray[np.float64]
    ahead: NDArray[np.float64]
    back: NDArray[np.float64]

    def pieces(self, first: int, last: int, limits: NDArray[np.float64]) -> Pieces:
        """Return the reached pieces of streets of the objects first…last-1 for each limit, as `reached_pieces` does."""
        network, costs = self.network, self.costs
        found: Pieces = kernels_circles.reached_pieces(
            network.indptr,
            network.arc_node,
            network.arc_edge,
            network.arc_side,
            costs.into,
            costs.wait,
            network.edge_nodes,
            self.start,
            self.coords,
            self.along,
            self.ahead,
            self.back,
            costs.edge_ahead,
            costs.edge_back,
            self.site_start,
            self.sites.edge,
            self.sites.where(network, costs),
            first,
            last,
            limits,
        )
        return found


def _ground(network: WalkNetwork, sites: Positions, walker: Walker, *, each: bool, slack_m: float = BEND_M) -> _Ground:
    """Return what searches share; all sites are one object unless ``each`` is its own."""
    costs = walking_costs(network, walker)
    turn, place_of = neighbours_first(sites, network.edge_length_m.size)
    owner, count = (place_of[sites.owner], sites.count) if each else (np.zeros(sites.owner.size, np.int64), 1)
    order, site_start = order_by(owner, count)
    start, kept = network.coord_start, np.ones(network.coord_along.size, dtype=bool)
    if slack_m > 0.0:
        kept = kernels_circles.bends(start, network.coords, slack_m)
        start = np.concatenate([[0], np.cumsum(np.add.reduceat(kept, start[:-1], dtype=np.int64))])
    placed = place(network, costs, sites, walker, order, coming=True)
    along = network.coord_along[kept]
    # Metres cost what they are long, both ways.
    ahead, back = (along, along) if walker.speed_mps is None else (costs.ahead[kept], costs.back[kept])
    return _Ground(network, costs, placed, site_start, turn, start, network.coords[kept], along, ahead, back)


def reached_streets(
    network: WalkNetwork, sites: Positions, *, limit: float, walker: Walker = STANDARD
) -> NDArray[np.object_]:
    """Return the parts of streets from which some site is within the limit, as straight two-point lines.

    Parameters
    ----------
    network, sites
        The streets and where the sites stand on them.
    limit
        In the walker's unit.
    walker
        Who walks.
    """
    _, pieces = _ground(network, sites, walker, each=False, slack_m=0.0).pieces(0, 1, np.array([float(limit)]))
    return segments_of(pieces[:, :2], pieces[:, 2:])


def _bands(bounds: NDArray[np.int64], pieces: NDArray[np.float64]) -> NDArray[np.object_]:
    """Return the ground within 25 m of each group of pieces, small holes filled, as multipolygons."""
    xy, *starts = kernels_circles.outlines(bounds, pieces, WIDTH_M, CELL_M, MOST_CELLS, LEAST_HOLE_M2, SLACK_M)
    return shapely.from_ragged_array(shapely.GeometryType.MULTIPOLYGON, xy, tuple(starts))


def _keep_off(circle: shapely.Geometry, barriers: NDArray[np.object_], pieces: NDArray[np.float64]) -> shapely.Geometry:
    """Return a circle without the barriers and without what then no street leads to."""
    near = barriers[shapely.STRtree(barriers).query(circle, predicate="intersects")]
    if near.size == 0:
        return circle
    area = shapely.get_dimensions(near) == 2
    solid = np.where(area, near, shapely.buffer(near, SLIT_M, cap_style="flat"))
    parts = shapely.get_parts(shapely.difference(circle, shapely.union_all(solid)))
    parts = parts[shapely.get_dimensions(parts) == 2]
    middle = points_of((pieces[:, :2] + pieces[:, 2:]) / 2)
    walked = np.unique(shapely.STRtree(middle).query(parts, predicate="intersects")[0])
    return shapely.MultiPolygon(shapely.get_parts(parts[walked]).tolist())


def service_circle(
    network: WalkNetwork,
    sites: Positions,
    *,
    limits: Sequence[float],
    walker: Walker = STANDARD,
    barriers: NDArray[np.object_] | None = None,
) -> list[shapely.Geometry]:
    """Return the ground from which some site is within each limit, as one (multi)polygon a limit.

    The reached parts of streets, 25 m wide on both sides, holes under half a hectare filled. A greater limit's
    circle holds the smaller ones.

    Parameters
    ----------
    network, sites
        The streets and where the sites stand on them.
    limits
        In the walker's unit, in any order.
    walker
        Who walks.
    barriers
        Polygons and lines (rivers, railways, walls) that a circle does not lap over.

    Examples
    --------
    >>> from pyproj import CRS
    >>> from lifecircle.gis.network import network_from_lines
    >>> from lifecircle.gis.snap import snap
    >>> street = network_from_lines([shapely.LineString([(0, 0), (999, 0)])], crs=CRS("EPSG:4547"), highway=["footway"])
    >>> site = snap(street, np.array([[500.0, 0.0]])).positions
    >>> [round(circle.area, -3) for circle in service_circle(street, site, limits=[100, 300])]
    [12000.0, 32000.0]
    """
    return _circles(_ground(network, sites, walker, each=False), 0, 1, limits, barriers)[0]


def _circles(
    ground: _Ground, first: int, last: int, limits: Sequence[float], barriers: NDArray[np.object_] | None
) -> list[list[shapely.Geometry]]:
    """Return the circles of the objects first…last-1: one list an object, one (multi)polygon a limit."""
    if not len(limits):
        return [[] for _ in range(first, last)]
    rising, place_of = np.unique(np.asarray(limits, dtype=np.float64), return_inverse=True)
    bounds, pieces = ground.pieces(first, last, rising)
    del ground  # where nobody else needs it, its room is needed for the outlines
    bands = _bands(bounds, pieces)
    if barriers is not None and len(barriers):
        for k in np.flatnonzero(np.diff(bounds)).tolist():
            bands[k] = _keep_off(bands[k], barriers, pieces[bounds[k] : bounds[k + 1]])
    rows = bands.reshape(last - first, rising.size)
    for k in range(1, rising.size):
        rows[:, k] = shapely.union(rows[:, k], rows[:, k - 1])
    circles: list[list[shapely.Geometry]] = rows[:, place_of].tolist()
    return circles


def site_circles(
    network: WalkNetwork,
    sites: Positions,
    *,
    limits: Sequence[float],
    walker: Walker = STANDARD,
    barriers: NDArray[np.object_] | None = None,
    workers: int | None = None,
) -> list[list[shapely.Geometry]]:
    """Return the service circles of every site on its own: one list a site, as `service_circle` gives.

    Spread over threads (``workers``; all processors when not given); the result does not depend on their number.
    """
    ground = _ground(network, sites, walker, each=True)
    threads = max(1, workers if workers is not None else (os.cpu_count() or 1))
    bounds = np.unique(np.linspace(0, sites.count, 4 * threads + 1).astype(np.int64)).tolist()
    with ThreadPoolExecutor(threads) as pool:
        blocks = pool.map(lambda ends: _circles(ground, ends[0], ends[1], limits, barriers), pairwise(bounds))
    circles: list[list[shapely.Geometry]] = [[] for _ in range(sites.count)]
    for site, found in zip(ground.turn.tolist(), chain.from_iterable(blocks), strict=True):
        circles[site] = found
    return circles
