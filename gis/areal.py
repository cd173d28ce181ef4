"""Sum-preserving transfer: from rasters and zones to buildings, parcels and points, nothing lost unseen.

Each transfer returns what every receiver got and what no receiver could take; the two add up to what the source held.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from .crs import as_crs, to_crs
from .errors import CrsError, Fault, InputError, MissingFileError

if TYPE_CHECKING:
    from pathlib import Path

    from affine import Affine
    from numpy.typing import ArrayLike, NDArray
    from pyproj import CRS

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Geometries = NDArray[np.object_]

SHARE_TOLERANCE = 1e-9
"""Shares of one polygon that add up to more than 1 by this much come from zones that overlap."""


@dataclass(frozen=True, slots=True)
class Overlaps:
    """How polygons lie in zones: one row for each pair that shares area.

    Parameters
    ----------
    polygon, zone
        int64 [k], row of the polygon and of the zone; sorted by polygon, then zone.
    area_m2
        float64 [k], shared area in the square of the coordinates' unit.
    share
        float64 [k], of the polygon's area; the shares of one polygon add up to at most 1.
    outside
        float64 [n polygons], the share that lies in no zone.
    """

    polygon: Ints
    zone: Ints
    area_m2: Floats
    share: Floats
    outside: Floats

    def largest(self) -> Ints:
        """Return for each polygon the zone that holds most of it, the lower one when equal, -1 when none does."""
        best = np.full(len(self.outside), -1, dtype=np.int64)
        order = np.lexsort((-self.zone, self.share, self.polygon))  # the last row of a polygon is its best
        best[self.polygon[order]] = self.zone[order]
        return best


@dataclass(frozen=True, slots=True)
class Transfer:
    """What receivers got, and what nobody could take.

    Parameters
    ----------
    values
        float64 [n receivers].
    total
        What the source held where it was read.
    lost
        Of the total, what had no receiver; ``values.sum() + lost`` equals ``total`` to rounding.
    lost_parts
        How many source parts (cells, zones) lost something.
    """

    values: Floats
    total: float
    lost: float
    lost_parts: int


@dataclass(frozen=True, slots=True)
class Cells:
    """Raster cells that hold something, in a metric CRS.

    Parameters
    ----------
    xy
        float64 [n, 2], centre of the part of each cell that counts.
    value
        float64 [n], the cell's value times the fraction of the cell that counts.
    shape
        object [n], the part of each cell that counts, as a polygon.
    total
        Sum of the values.
    outside
        What the cells touched by the area hold beyond it, and what was read but lies in no area.
    """

    xy: Floats
    value: Floats
    shape: Geometries
    total: float
    outside: float


def round_to_total(values: ArrayLike, total: int | None = None) -> Ints:
    """Round numbers to integers that add up: the largest remainders are rounded up, ties by position.

    Parameters
    ----------
    values
        float [n], not negative. They are scaled to the total where their sum differs from it.
    total
        What the integers add up to; the rounded sum of the values where it is not given.

    Returns
    -------
    int64 [n]

    Raises
    ------
    InputError
        For negative or missing values, and for a total that no value can take.

    Notes
    -----
    Method of the largest remainder (Hare-Niemeyer).

    Examples
    --------
    >>> round_to_total([1.5, 1.5, 1.0]).tolist(), round_to_total([1, 1, 1], 100).tolist(), round_to_total([]).tolist()
    ([2, 1, 1], [34, 33, 33], [])
    """
    numbers = _checked(values, "values")
    wanted = int(np.floor(numbers.sum() + 0.5)) if total is None else int(total)
    return round_in_groups(numbers, np.zeros(len(numbers), dtype=np.int64), np.array([wanted], dtype=np.int64))


def round_in_groups(values: ArrayLike, group: Ints, totals: Ints) -> Ints:
    """Round numbers to integers that add up to a total in each group: largest remainders, ties by position.

    Parameters
    ----------
    values
        float [n], not negative; scaled to its group's total.
    group
        int64 [n], index of the group, -1 for values that become 0.
    totals
        int64 [number of groups], not negative.

    Returns
    -------
    int64 [n]

    Raises
    ------
    InputError
        For negative or missing values, and for a group with a total but no value above zero.

    Examples
    --------
    >>> round_in_groups([1, 1, 1, 5], np.array([0, 0, 1, 1]), np.array([3, 7])).tolist()
    [2, 1, 1, 6]
    """
    numbers, owner, wanted = (
        _checked(values, "values"),
        np.asarray(group, dtype=np.int64),
        np.asarray(totals, dtype=np.int64),
    )
    if np.any(wanted < 0):
        message = "totals must not be negative"
        raise InputError(message, Fault("gis.areal_negative", column="totals", value=int(wanted.min())))
    inside = np.flatnonzero(owner >= 0)
    sums = _sums(owner[inside], numbers[inside], len(wanted))
    empty = np.flatnonzero((sums <= 0) & (wanted > 0))
    if len(empty):
        message = f"{len(empty)} groups have a total to share but nothing to share it by, the first is group {empty[0]}"
        raise InputError(
            message, Fault("gis.areal_no_weights", value=int(wanted[empty[0]]), detail={"count": len(empty)})
        )
    # A sum that is the total already must not be disturbed by rounding in the scaling.
    settled = np.isclose(sums, wanted, rtol=1e-12, atol=0)[owner[inside]]
    share = np.divide(numbers[inside], sums[owner[inside]], out=np.zeros(len(inside)), where=sums[owner[inside]] > 0)
    scaled = np.zeros(len(numbers))
    scaled[inside] = np.where(settled, numbers[inside], share * wanted[owner[inside]])
    whole = np.floor(scaled)
    missing = wanted - np.bincount(owner[inside], whole[inside], minlength=len(wanted)).astype(np.int64)
    order = inside[np.lexsort((inside, -(scaled - whole)[inside], owner[inside]))]
    position = np.arange(len(order)) - np.searchsorted(owner[order], owner[order])
    result = whole.astype(np.int64)
    result[order] += (position < missing[owner[order]]).astype(np.int64)
    return result


def share_by_area(polygons: Geometries, zones: Geometries) -> Overlaps:
    """Share polygons among zones by the area they have in common.

    Zones that overlap take their shares in proportion, so that no polygon counts more than once. A polygon without area
    (a point, a line) belongs to the first zone that it touches.

    Parameters
    ----------
    polygons, zones
        object [n], [m]: valid shapely geometries in one metric CRS. Missing and empty ones share nothing.

    Returns
    -------
    Overlaps

    Examples
    --------
    >>> parcels = shapely.box([0, 8], 0, [4, 12], 2)
    >>> overlaps = share_by_area(parcels, shapely.box([0, 10], 0, [10, 20], 10))
    >>> overlaps.polygon.tolist(), overlaps.zone.tolist(), overlaps.share.tolist(), overlaps.largest().tolist()
    ([0, 1, 1], [0, 0, 1], [1.0, 0.5, 0.5], [0, 0])
    """
    parts = np.asarray(polygons, dtype=object)
    others = np.asarray(zones, dtype=object)
    polygon, zone = shapely.STRtree(others).query(parts, predicate="intersects")
    order = np.lexsort((zone, polygon))
    polygon, zone = polygon[order].astype(np.int64), zone[order].astype(np.int64)
    whole = shapely.area(parts)
    shapely.prepare(others)
    within = shapely.covers(others[zone], parts[polygon])
    area = np.where(within, whole[polygon], 0.0)
    cut = np.flatnonzero(~within)
    area[cut] = shapely.area(shapely.intersection(parts[polygon[cut]], others[zone[cut]]))
    flat = (whole[polygon] == 0) & (np.r_[-1, polygon[:-1]] != polygon)
    share = np.where(flat, 1.0, np.divide(area, whole[polygon], out=np.zeros(len(area)), where=whole[polygon] > 0))
    keep = share > 0
    polygon, zone, area, share = polygon[keep], zone[keep], area[keep], share[keep]
    sums = _sums(polygon, share, len(parts))
    over = np.where(sums > 1 + SHARE_TOLERANCE, sums, 1.0)
    outside = np.clip(1 - sums, 0, 1)
    outside[outside < SHARE_TOLERANCE] = 0.0
    return Overlaps(polygon, zone, area / over[polygon], share / over[polygon], outside)


def zones_to_points(totals: ArrayLike, zone: Ints, weights: ArrayLike | None = None) -> Transfer:
    """Share each zone's total among its points by their weights: dasymetric mapping.

    Parameters
    ----------
    totals
        float [number of zones], not negative.
    zone
        int64 [n points], the zone of each point, -1 for none.
    weights
        float [n points], not negative: floor area, dwellings … Equal where not given. A zone whose points all weigh
        nothing shares equally among them.

    Returns
    -------
    Transfer
        ``lost`` is what zones hold that have no point.

    Examples
    --------
    >>> shared = zones_to_points([90, 10], np.array([0, 0, -1]), [2, 1, 5])
    >>> shared.values.tolist(), shared.lost, shared.lost_parts
    ([60.0, 30.0, 0.0], 10.0, 1)
    """
    held, owner = _checked(totals, "totals"), np.asarray(zone, dtype=np.int64)
    weight = np.ones(len(owner)) if weights is None else _checked(weights, "weights")
    inside = np.flatnonzero(owner >= 0)
    count = np.bincount(owner[inside], minlength=len(held))
    sums = _sums(owner[inside], weight[inside], len(held))
    values = np.zeros(len(owner))
    home = owner[inside]
    equal = sums[home] <= 0
    values[inside] = held[home] * np.where(equal, 1.0, weight[inside]) / np.where(equal, count[home], sums[home])
    empty = (count == 0) & (held > 0)
    return Transfer(values, float(held.sum()), float(held[empty].sum()), int(empty.sum()))


def raster_cells(path: Path, area: shapely.Geometry, crs: CRS) -> Cells:
    """Read the cells of a raster of counts within an area; a cell that the border cuts counts by its fraction inside.

    Nodata, NaN, masked and zero cells hold nobody. Only the window around the area is read.

    Parameters
    ----------
    path
        A raster that rasterio reads; the first band holds counts per cell (people, not densities).
    area
        Polygon in ``crs``.
    crs
        The metric CRS of the area and of the result.

    Raises
    ------
    MissingFileError, CrsError, InputError
        When the file is absent, states no CRS, or holds negative counts.
    """
    boxes, values, raster_crs = _boxes(path, area, crs)
    moved = to_crs(area, crs, raster_crs)
    shapely.prepare(moved)
    inside = shapely.covers(moved, boxes)
    part = boxes.copy()
    cut = np.flatnonzero(~inside)
    part[cut] = shapely.intersection(boxes[cut], moved)
    fraction = shapely.area(part) / shapely.area(boxes)
    fraction[inside] = 1.0
    keep = fraction > 0
    value = values[keep] * fraction[keep]
    shape = to_crs(part[keep], raster_crs, crs)
    xy = shapely.get_coordinates(shapely.centroid(shape)) if len(shape) else np.zeros((0, 2))
    total = float(value.sum())
    return Cells(xy, value, shape, total, float(values.sum()) - total)


def raster_to_zones(path: Path, zones: Geometries, crs: CRS) -> Transfer:
    """Sum a raster of counts by zone, each cell shared by the fraction of its area in each zone.

    Zones that overlap take a cell in proportion, so the sum over zones never exceeds what the cells hold.

    Parameters
    ----------
    path
        As in `raster_cells`.
    zones
        object [m], polygons in ``crs``.
    crs
        CRS of the zones.

    Returns
    -------
    Transfer
        ``total`` is what the cells that touch the zones hold; ``lost`` is their part outside all zones.
    """
    shapes = np.asarray(zones, dtype=object)
    boxes, values, raster_crs = _boxes(path, shapely.box(*shapely.total_bounds(shapes)), crs)
    overlaps = share_by_area(boxes, to_crs(shapes, crs, raster_crs))
    touched = np.zeros(len(boxes), dtype=np.bool_)
    touched[overlaps.polygon] = True
    received = _sums(overlaps.zone, overlaps.share * values[overlaps.polygon], len(shapes))
    lost = values * overlaps.outside * touched
    return Transfer(received, float(values[touched].sum()), float(lost.sum()), int((lost > 0).sum()))


def raster_to_points(
    path: Path, xy: Floats, crs: CRS, *, area: shapely.Geometry, weights: ArrayLike | None = None, spill_m: float = 0.0
) -> Transfer:
    """Share each cell's count among the points in it by their weights; a cut cell counts by its fraction in the area.

    Parameters
    ----------
    path
        As in `raster_cells`.
    xy
        float64 [n, 2], the receivers (buildings, compounds) in ``crs``.
    crs
        Metric CRS of the points and the area.
    area
        Polygon: the study area.
    weights
        float [n], not negative, for example residential floor area; equal where not given.
    spill_m
        A cell without a receiver gives to the nearest one within this distance of its centre; 0 for none.

    Returns
    -------
    Transfer
        ``lost`` is what cells hold that found no receiver.
    """
    cells = raster_cells(path, area, crs)
    points = _points(xy)
    weight = np.ones(len(points)) if weights is None else _checked(weights, "weights")
    point, cell = shapely.STRtree(cells.shape).query(points, predicate="intersects")
    first = np.unique(point, return_index=True)[1]  # a point on the line between two cells belongs to one
    point, cell = point[first], cell[first]
    home = np.full(len(points), -1, dtype=np.int64)
    home[point] = cell
    shared = zones_to_points(cells.value, home, weight)
    taken = np.bincount(cell, minlength=len(cells.value)) > 0
    left = np.flatnonzero(~taken)
    values, lost, parts = shared.values, shared.lost, shared.lost_parts
    if spill_m > 0 and len(points) and len(left):
        centres = _points(cells.xy[left])
        source, target = shapely.STRtree(points).query_nearest(centres, max_distance=spill_m, all_matches=False)
        values = values + _sums(target, cells.value[left[source]], len(points))
        still = np.setdiff1d(left, left[source])
        lost, parts = float(cells.value[still].sum()), len(still)
    return Transfer(values, cells.total, lost, parts)


def _boxes(path: Path, area: shapely.Geometry, crs: CRS) -> tuple[Geometries, Floats, CRS]:
    """Read the cells that hold something around an area: their outlines and values, in the raster's CRS."""
    import rasterio  # noqa: PLC0415  slow to import
    from rasterio.windows import Window  # noqa: PLC0415

    if not path.is_file():
        message = f"{path} does not exist"
        raise MissingFileError(message, Fault("faults.file_missing", file=str(path)))
    with rasterio.open(path) as raster:
        if raster.crs is None:
            message = f"{path} states no coordinate reference system"
            raise CrsError(message, Fault("gis.crs_missing", file=str(path)))
        raster_crs = as_crs(raster.crs.to_wkt())
        bounds = to_crs(shapely.segmentize(shapely.box(*shapely.bounds(area)), _longest(area)), crs, raster_crs).bounds
        whole = Window(0, 0, raster.width, raster.height)
        corners = shapely.get_coordinates(shapely.box(*bounds))
        columns, rows = _mapped(~raster.transform, corners[:, 0], corners[:, 1])
        left, top = int(np.floor(columns.min())), int(np.floor(rows.min()))
        right, bottom = int(np.ceil(columns.max())), int(np.ceil(rows.max()))
        left, right = np.clip([left, right], 0, whole.width).tolist()
        top, bottom = np.clip([top, bottom], 0, whole.height).tolist()
        if right <= left or bottom <= top:
            return np.zeros(0, dtype=object), np.zeros(0), raster_crs
        band = raster.read(1, window=Window(left, top, right - left, bottom - top), masked=True)
        transform = raster.transform
    counts = np.ma.filled(band.astype(np.float64), 0.0)
    counts = np.where(np.isfinite(counts), counts, 0.0)
    if (counts < 0).any():
        message = f"{path} holds negative counts; state its nodata value"
        raise InputError(message, Fault("gis.areal_raster_negative", file=str(path), value=float(counts.min())))
    row, column = np.nonzero(counts)
    ring = np.array([(0, 0), (1, 0), (1, 1), (0, 1)])
    x, y = _mapped(transform, column[:, None] + left + ring[:, 0], row[:, None] + top + ring[:, 1])
    outlines = np.asarray(shapely.polygons(np.stack([x, y], axis=2)), dtype=object)
    return outlines, counts[row, column], raster_crs


def _mapped(
    transform: Affine, x: NDArray[np.integer] | Floats, y: NDArray[np.integer] | Floats
) -> tuple[Floats, Floats]:
    """Apply an affine transform; its own operator differs between the versions of the package."""
    return transform.a * x + transform.b * y + transform.c, transform.d * x + transform.e * y + transform.f


def _points(xy: Floats) -> Geometries:
    """Return an array of points, of length 0 when there are none."""
    return np.asarray(shapely.points(np.asarray(xy, dtype=np.float64).reshape(-1, 2)), dtype=object)


def _sums(group: NDArray[np.integer], values: Floats, count: int) -> Floats:
    """Return the sum of the values of each group."""
    return np.asarray(np.bincount(group, values, minlength=count), dtype=np.float64)


def _longest(area: shapely.Geometry) -> float:
    """Return a length that cuts the sides of the area's bounds into pieces, so that a bent side is not cut off."""
    west, south, east, north = shapely.bounds(area).tolist()
    return float(max(east - west, north - south, 1e-9) / 16)


def _checked(values: ArrayLike, name: str) -> Floats:
    """Return numbers as float64 after refusing negative and missing ones."""
    numbers = np.asarray(values, dtype=np.float64)
    wrong = np.flatnonzero(~(np.isfinite(numbers) & (numbers >= 0)))
    if len(wrong):
        message = f"{name} must be numbers that are not negative; row {wrong[0]} is {numbers[wrong[0]]}"
        fault = Fault("gis.areal_negative", row=int(wrong[0]), column=name, value=float(numbers[wrong[0]]))
        raise InputError(message, fault)
    return numbers
