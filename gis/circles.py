"""Service circles: polygons around the streets from which a site is within reach.

They are pictures: people are counted on the network.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias, cast

import numpy as np
import shapely
from contourpy import FillType, contour_generator

from . import kernels_lines
from .costs import STANDARD, Costs, walking_costs
from .nearest import labels_of
from .shapes import points_of, segments_of
from .snap import Positions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .network import WalkNetwork
    from .walkers import Walker

WIDTH_M = 25.0
"""Half width of the band around a reached street."""
LEAST_HOLE_M2 = 5000.0
"""Smaller holes are filled."""
CELL_M = 8.0
"""Spacing of the grid on which distances from the streets are taken; wider where a city would need too many points."""
MOST_CELLS = 25_000_000
SIMPLIFY_M = 1.0
SLIT_M = 0.5

Segments: TypeAlias = "tuple[NDArray[np.float64], NDArray[np.float64]]"


def _stretches(
    network: WalkNetwork, costs: Costs, sites: Positions, label: NDArray[np.float64], limit: float, walker: Walker
) -> tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]]:
    """Return the reached stretches of edges: edge, from, to (metres from its first node); stretches may overlap."""
    leave = limit - (label + costs.wait)
    start, along = network.coord_start, network.coord_along
    nodes, length = network.edge_nodes, network.edge_length_m

    def where(edge: NDArray[np.int32], cost: NDArray[np.float64], table: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the offset at which a cost from the first node is reached."""
        places: NDArray[np.float64] = network.along_edges(edge, cost, table, along)
        return places

    low = np.flatnonzero((leave[nodes[:, 0]] >= 0) & np.isfinite(costs.edge_back)).astype(np.int32)
    low_to = where(low, np.minimum(leave[nodes[low, 0]], costs.edge_back[low]), costs.back)
    high = np.flatnonzero((leave[nodes[:, 1]] >= 0) & np.isfinite(costs.edge_ahead)).astype(np.int32)
    high_from = where(high, np.maximum(costs.edge_ahead[high] - leave[nodes[high, 1]], 0.0), costs.ahead)
    rest = limit - walker.cost(sites.access_m)
    near = rest >= 0
    edge, offset, rest = sites.edge[near].astype(np.int32), sites.offset_m[near], rest[near]
    ahead, back = (network.along_edges(edge, offset, along, table) for table in (costs.ahead, costs.back))
    own_from = where(edge, np.maximum(ahead - rest, 0.0), costs.ahead)
    own_to = where(edge, np.minimum(back + rest, costs.back[start[edge + 1] - 1]), costs.back)
    own_from = np.where(np.isfinite(costs.edge_ahead[edge]), own_from, offset)
    own_to = np.where(np.isfinite(costs.edge_back[edge]), own_to, offset)
    return (
        np.concatenate([low, high, edge]),
        np.concatenate([np.zeros(low.size), high_from, own_from]),
        np.concatenate([low_to, length[high], own_to]),
    )


def _pieces(
    network: WalkNetwork, edge: NDArray[np.int32], low: NDArray[np.float64], high: NDArray[np.float64]
) -> Segments:
    """Return the straight pieces (ends a and b) of stretches of edges."""
    first = network.coord_start[edge]
    count = network.coord_start[edge + 1] - 1 - first
    stretch = np.repeat(np.arange(edge.size), count)
    vertex = np.arange(int(count.sum())) + np.repeat(first - np.concatenate([[0], np.cumsum(count)[:-1]]), count)
    begin, end = network.coord_along[vertex], network.coord_along[vertex + 1]
    lowest, highest = np.maximum(begin, low[stretch]), np.minimum(end, high[stretch])
    kept = lowest <= highest
    vertex, begin, run = vertex[kept], begin[kept], (end - begin)[kept]
    run[run == 0] = 1.0
    a, b = network.coords[vertex], network.coords[vertex + 1]
    from_share, to_share = (lowest[kept] - begin) / run, (highest[kept] - begin) / run
    return a + from_share[:, None] * (b - a), a + to_share[:, None] * (b - a)


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
    costs = walking_costs(network, walker)
    label, _ = labels_of(network, costs, sites, limit=limit, walker=walker)
    a, b = _pieces(network, *_stretches(network, costs, sites, label, limit, walker))
    return segments_of(a, b)


def _band(a: NDArray[np.float64], b: NDArray[np.float64]) -> shapely.Geometry:
    """Return the ground within 25 m of segments, small holes filled: a contour of their distance on a grid."""
    if a.shape[0] == 0:
        return shapely.MultiPolygon()
    low, high = np.minimum(a, b).min(axis=0) - 2 * WIDTH_M, np.maximum(a, b).max(axis=0) + 2 * WIDTH_M
    cell = float(max(CELL_M, np.sqrt(np.prod(high - low) / MOST_CELLS)))
    # The grid hangs on the coordinates, not on what was reached, so that equal streets make equal outlines.
    low = np.floor(low / cell) * cell
    width, height = (np.ceil((high - low) / cell).astype(np.int64) + 1).tolist()
    margin = WIDTH_M + 2 * cell
    field = np.full((height, width), margin)
    ax, ay, bx, by = (np.ascontiguousarray(values) for values in (*(a - low).T, *(b - low).T))
    kernels_lines.distance_field(ax, ay, bx, by, cell, margin, field)
    contours = contour_generator(z=field, fill_type=FillType.OuterOffset)
    points, offsets = cast("tuple[list[NDArray[np.float64]], list[NDArray[np.uint32]]]", contours.filled(-1.0, WIDTH_M))
    polygons = [_polygon(low + cell * xy, offset) for xy, offset in zip(points, offsets, strict=True)]
    whole = shapely.MultiPolygon(polygons)
    smooth = shapely.simplify(whole, SIMPLIFY_M)
    return smooth if shapely.is_valid(smooth) else shapely.make_valid(smooth, method="structure")


def _polygon(xy: NDArray[np.float64], offset: NDArray[np.uint32]) -> shapely.Polygon:
    """Return a polygon of an outer ring and holes, the small ones left out."""
    rings = [xy[i:j] for i, j in pairwise(offset)]
    holes = [ring for ring in rings[1:] if _ring_area(ring) >= LEAST_HOLE_M2]
    return shapely.Polygon(rings[0], holes)


def _ring_area(ring: NDArray[np.float64]) -> float:
    """Return the area of a closed ring."""
    x, y = (ring - ring[0]).T
    return float(abs(np.dot(x[:-1], y[1:]) - np.dot(x[1:], y[:-1])) / 2)


def _keep_off(circle: shapely.Geometry, barriers: NDArray[np.object_], streets: Segments) -> shapely.Geometry:
    """Return a circle without the barriers and without what then no street leads to."""
    near = barriers[shapely.STRtree(barriers).query(circle, predicate="intersects")]
    if near.size == 0:
        return circle
    area = shapely.get_dimensions(near) == 2
    solid = np.where(area, near, shapely.buffer(near, SLIT_M, cap_style="flat"))
    parts = shapely.get_parts(shapely.difference(circle, shapely.union_all(solid)))
    parts = parts[shapely.get_dimensions(parts) == 2]
    middle = points_of((streets[0] + streets[1]) / 2)
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
    return _circles(network, walking_costs(network, walker), sites, limits, walker, barriers)


def _circles(
    network: WalkNetwork,
    costs: Costs,
    sites: Positions,
    limits: Sequence[float],
    walker: Walker,
    barriers: NDArray[np.object_] | None,
) -> list[shapely.Geometry]:
    """Return `service_circle` from what `walking_costs` said."""
    if not len(limits):
        return []
    label, _ = labels_of(network, costs, sites, limit=max(limits), walker=walker)
    circles: dict[float, shapely.Geometry] = {}
    inner: shapely.Geometry = shapely.MultiPolygon()
    for limit in sorted(set(limits)):
        streets = _pieces(network, *_stretches(network, costs, sites, label, limit, walker))
        circle = _band(*streets)
        if barriers is not None and len(barriers) and not shapely.is_empty(circle):
            circle = _keep_off(circle, barriers, streets)
        inner = shapely.union(circle, inner) if not shapely.is_empty(inner) else circle
        circles[limit] = inner
    return [circles[limit] for limit in limits]


def site_circles(
    network: WalkNetwork,
    sites: Positions,
    *,
    limits: Sequence[float],
    walker: Walker = STANDARD,
    barriers: NDArray[np.object_] | None = None,
) -> list[list[shapely.Geometry]]:
    """Return the service circles of every site on its own: one list a site, as `service_circle` gives."""
    costs = walking_costs(network, walker)
    order = np.argsort(sites.owner, kind="stable")
    bounds = np.searchsorted(sites.owner[order], np.arange(sites.count + 1))
    circles = []
    for first, last in pairwise(bounds):
        rows = order[first:last]
        own = Positions(np.zeros(rows.size, np.int64), sites.edge[rows], sites.offset_m[rows], sites.access_m[rows], 1)
        circles.append(_circles(network, costs, own, limits, walker, barriers))
    return circles
