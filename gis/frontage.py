"""Street frontage: how many metres of a plot's outline face a street that runs near it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

PIECE_M = 2.0
"""Outlines are looked at in pieces no longer than this, unless they would be more than `PIECES`."""
PIECES = 200
FACING = np.cos(np.deg2rad(45.0))
"""A piece faces a street whose nearest point lies within 45° of straight outwards."""


def frontage_m(polygons: ArrayLike, streets: ArrayLike, *, within_m: float) -> NDArray[np.float64]:
    """Return how many metres of each polygon's outer outline face one of some streets.

    The outline is taken in pieces of at most `PIECE_M`; a piece counts where the nearest point of some street is at
    most ``within_m`` away and lies outwards of it, no more than 45° aside. A side that runs square to the street does
    not count, nor does one that has the plot itself between. Precise to a piece at each end of a side.

    Parameters
    ----------
    polygons
        object [n]; what is no polygon has no outline and gives NaN.
    streets
        object [m], centre lines of the streets that count.
    within_m
        How far the outline may be from the centre line, metres.

    Returns
    -------
    float64 [n]

    Examples
    --------
    >>> plot = shapely.box(0, 0, 30, 20)
    >>> south = shapely.LineString([(-50, -8), (80, -8)])
    >>> frontage_m([plot, shapely.Point(0, 0)], [south], within_m=15).tolist()
    [30.0, nan]
    """
    shapes = np.asarray(polygons, dtype=object).ravel()
    lines = np.asarray(streets, dtype=object).ravel()
    areal = np.isin(shapely.get_type_id(shapes), (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON))
    result = np.where(areal & ~shapely.is_empty(shapes), 0.0, np.nan)
    rows = np.flatnonzero(~np.isnan(result))
    if not len(rows) or not len(lines):
        return np.asarray(result, dtype=np.float64)
    middle, outward, length, owner = _pieces(shapes[rows])
    points = np.asarray(shapely.points(middle), dtype=object)
    piece, line = shapely.STRtree(lines).query(points, predicate="dwithin", distance=within_m)
    there = shapely.line_interpolate_point(lines[line], shapely.line_locate_point(lines[line], points[piece]))
    step = shapely.get_coordinates(there) - middle[piece]
    away = np.hypot(step[:, 0], step[:, 1])
    faces = (step * outward[piece]).sum(axis=1) >= FACING * away
    facing = np.unique(piece[faces])
    result[rows] = np.bincount(owner[facing], length[facing], minlength=len(rows))
    return np.asarray(result, dtype=np.float64)


def _pieces(
    shapes: NDArray[np.object_],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Return the outlines in pieces: middle and direction outwards, float64 [k, 2], length and polygon of each."""
    parts, of = shapely.get_parts(shapes, return_index=True)
    rings = shapely.get_exterior_ring(shapely.orient_polygons(parts, exterior_cw=False))
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    side = np.flatnonzero(ring[1:] == ring[:-1])
    start, step, owner = xy[side], xy[side + 1] - xy[side], of[ring[side]].astype(np.int64)
    length = np.hypot(step[:, 0], step[:, 1])
    around = np.bincount(owner, length, minlength=len(shapes))
    piece_m = np.maximum(PIECE_M, around / PIECES)[owner]
    parts_of = np.maximum(np.ceil(length / piece_m), 1).astype(np.int64)
    row = np.repeat(np.arange(len(side)), parts_of)
    place = np.arange(len(row)) - np.repeat(np.cumsum(parts_of) - parts_of, parts_of)
    middle = start[row] + step[row] * ((place + 0.5) / parts_of[row])[:, None]
    unit = np.divide(step, length[:, None], out=np.zeros_like(step), where=length[:, None] > 0)
    outward = np.column_stack([unit[:, 1], -unit[:, 0]])  # counter-clockwise: outside is on the right
    return middle, outward[row], (length / parts_of)[row], owner[row]
