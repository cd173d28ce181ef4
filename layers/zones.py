"""Zones: which zone a point lies in, and polygons that do not overlap."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    Geometries = NDArray[np.object_]


def zone_of(points: Geometries, zones: Geometries, *, nearest: bool = False) -> NDArray[np.int64]:
    """Return for each point the zone it lies in, the first where several hold it, -1 where none does.

    Parameters
    ----------
    points
        object [n], points in the CRS of the zones.
    zones
        object [m], polygons.
    nearest
        Whether a point in no zone belongs to the nearest one.

    Returns
    -------
    int64 [n]

    Examples
    --------
    >>> points = shapely.points([[1, 1], [9, 9]])
    >>> zone_of(points, shapely.box([0, 0], 0, [2, 3], 2)).tolist()
    [0, -1]
    >>> zone_of(points, shapely.box([0], 0, [2], 2), nearest=True).tolist(), zone_of(points, np.array([])).tolist()
    ([0, 0], [-1, -1])
    """
    found = np.full(len(points), -1, dtype=np.int64)
    if not len(points) or not len(zones):
        return found
    shapely.prepare(zones)
    tree = shapely.STRtree(zones)
    point, zone = tree.query(points)
    inside = shapely.intersects(zones[zone], points[point])  # the zone first: it is the prepared one
    point, zone = point[inside], zone[inside]
    order = np.lexsort((-zone, point))  # the lowest zone of a point is written last
    found[point[order]] = zone[order]
    if nearest:
        left = np.flatnonzero(found < 0)
        if len(left):
            source, target = tree.query_nearest(points[left], all_matches=False)
            found[left[source]] = target
    return found


def polygonal(geometry: BaseGeometry) -> BaseGeometry:
    """Return what of a geometry has area: points and lines that a cut left behind fall away.

    Examples
    --------
    >>> mixed = shapely.GeometryCollection([shapely.box(0, 0, 1, 1), shapely.LineString([(2, 2), (3, 3)])])
    >>> polygonal(mixed).wkt, polygonal(shapely.Point(0, 0)).wkt
    ('POLYGON ((1 0, 1 1, 0 1, 0 0, 1 0))', 'POLYGON EMPTY')
    """
    parts = shapely.get_parts(geometry)
    if shapely.get_type_id(geometry) == shapely.GeometryType.GEOMETRYCOLLECTION:
        parts = shapely.get_parts(parts)
    faces = [part for part in parts if part.geom_type == "Polygon" and not part.is_empty]
    if not faces:
        return shapely.Polygon()
    return faces[0] if len(faces) == 1 else shapely.MultiPolygon(faces)


def without_overlaps(polygons: Geometries) -> tuple[Geometries, float]:
    """Cut from each polygon what an earlier one covers.

    Parameters
    ----------
    polygons
        object [n], valid polygons; earlier ones keep what is shared.

    Returns
    -------
    tuple
        The polygons, object [n], some perhaps empty, and the area that was shared.

    Examples
    --------
    >>> cut, shared = without_overlaps(shapely.box([0, 1], 0, [2, 3], 2))
    >>> shapely.area(cut).tolist(), shared
    ([4.0, 2.0], 2.0)
    """
    result = np.array(polygons, dtype=object)
    if not len(result):
        return result, 0.0
    later, earlier = shapely.STRtree(result).query(result, predicate="intersects")
    pairs = (earlier < later) & ~shapely.touches(result[later], result[earlier])
    later, earlier = later[pairs], earlier[pairs]
    order = np.lexsort((earlier, later))
    later, earlier = later[order], earlier[order]
    before = shapely.area(result).sum()
    for row in np.unique(later):
        cover = shapely.union_all(result[earlier[later == row]])
        result[row] = polygonal(shapely.difference(result[row], cover))
    return result, float(before - shapely.area(result).sum())
