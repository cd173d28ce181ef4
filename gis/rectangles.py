"""Does a rectangle of given sides fit into a polygon, turned any way: to half a percent, never refused wrongly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from .errors import Fault, InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

SLACK = 0.005
"""A rectangle counts as fitting where one smaller by this share of its sides does."""
TOUCH_M = 1e-3
"""Sides are taken shorter by this, so that a rectangle that fills a polygon exactly is not lost to rounding."""
QUARTER = np.pi / 2
DIRECTIONS = 6
"""Sides of so many directions are tried first; most rectangles that fit lie along one."""
ALIKE = np.deg2rad(2.0)
"""Sides that differ by less have one direction, the longest side's."""
STEPS = 6
"""Halvings by which `largest_like` finds the size that fits."""


def fits_rectangle(polygons: ArrayLike, across_m: float, deep_m: float) -> NDArray[np.bool_]:
    r"""Tell for each polygon whether a rectangle fits into it, turned any way.

    For one direction the answer is exact: the places of a rectangle's corner are the polygon eroded by the rectangle.
    All directions are searched by halving: where a rectangle scaled by

    .. math:: k(\delta) = \min\left\{\frac{a}{a\cos\delta + b\sin\delta}, \frac{b}{b\cos\delta + a\sin\delta}\right\}

    does not fit at an angle, the whole one fits nowhere within :math:`\delta` of it. The search ends where that scale
    is nearer to 1 than `SLACK`; so no rectangle that fits is refused, and none is accepted of which one smaller by
    `SLACK` would not fit.

    Parameters
    ----------
    polygons
        object [n], polygons with or without holes, of one part or several; others never hold a rectangle.
    across_m, deep_m
        The sides, metres.

    Returns
    -------
    bool [n]

    Raises
    ------
    InputError
        When a side is not a number above 0.

    Notes
    -----
    Erosion as the complement of a Minkowski sum: de Berg et al., *Computational Geometry*, chapter 13.

    Examples
    --------
    >>> yard = shapely.from_wkt("POLYGON ((0 0, 30 0, 30 10, 10 10, 10 40, 0 40, 0 0))")
    >>> [bool(fits_rectangle([yard], across, deep)[0]) for across, deep in ((10, 40), (30, 10), (12, 12), (11, 41))]
    [True, True, False, False]
    """
    _check_sides(across_m, deep_m)
    shapes = np.asarray(polygons, dtype=object).ravel()
    fits = np.zeros(len(shapes), dtype=np.bool_)
    for row in np.flatnonzero(_may_hold(shapes, across_m, deep_m)):
        parts = [part for part in shapely.get_parts(shapes[row]) if part.geom_type == "Polygon"]
        fits[row] = any(_one_fits(part, across_m, deep_m) for part in parts)
    return fits


def largest_like(polygon: shapely.Geometry, across_m: float, deep_m: float) -> float:
    """Return by how much a rectangle must be scaled to fit along one of the sides of a polygon; at most 1.

    Only the directions of the polygon's longest sides are tried, and the scale is found to one part in 2 to the power
    of `STEPS`: a figure to tell a reader how far a plot is from being wide enough, never above what fits.

    Examples
    --------
    >>> round(largest_like(shapely.box(0, 0, 30, 10), 20, 20), 1)
    0.5
    """
    _check_sides(across_m, deep_m)
    finest = 2**STEPS
    best = 0
    for part in shapely.get_parts(polygon):
        for angle in _side_angles(part) if part.geom_type == "Polygon" else []:
            high = finest + 1
            while high - best > 1:
                # First whether it beats the best of the directions before at all.
                scale = best + 1 if high > finest else (best + high) // 2
                if _fits_at(part, angle, scale / finest * across_m, scale / finest * deep_m):
                    best, high = scale, min(high, finest)
                else:
                    high = scale
    return float(best / finest)


def _check_sides(across_m: float, deep_m: float) -> None:
    """Refuse sides that are no lengths, both faults together."""
    sides = (("across_m", across_m), ("deep_m", deep_m))
    faults = [
        Fault("gis.rectangle_side", column=name, value=side)
        for name, side in sides
        if not (np.isfinite(side) and side > 0)
    ]
    if faults:
        message = "the sides of a rectangle must be numbers of metres above 0"
        raise InputError(message, *faults)


def _may_hold(shapes: NDArray[np.object_], across_m: float, deep_m: float) -> NDArray[np.bool_]:
    """Tell which polygons are large, long and wide enough to be worth a search."""
    large = shapely.area(shapes) >= across_m * deep_m * (1 - SLACK) ** 2
    long = shapely.minimum_bounding_radius(shapes) * 2 >= np.hypot(across_m, deep_m) * (1 - SLACK)
    may = np.asarray(large & long, dtype=np.bool_)
    radius = min(across_m, deep_m) / 2 * (1 - SLACK) - TOUCH_M
    if radius > 0:
        rows = np.flatnonzero(may)
        may[rows] = ~shapely.is_empty(shapely.buffer(shapes[rows], -radius))
    return may


def _one_fits(polygon: shapely.Geometry, across_m: float, deep_m: float) -> bool:
    """Tell whether a rectangle fits into a polygon of one part: along its sides first, then by halving all angles."""
    for angle in _side_angles(polygon):
        if _fits_at(polygon, angle, across_m, deep_m):
            return True
    square = abs(across_m - deep_m) <= TOUCH_M
    span = QUARTER if square else 2 * QUARTER  # a rectangle comes back to itself after half a turn
    waiting = [(span / 2, span / 2)]
    while waiting:
        middle, half = waiting.pop()
        scale = _scale(half, across_m, deep_m)
        if not _fits_at(polygon, middle, scale * across_m, scale * deep_m):
            continue
        if 1 - scale <= SLACK or _fits_at(polygon, middle, across_m, deep_m):
            return True
        waiting += [(middle - half / 2, half / 2), (middle + half / 2, half / 2)]
    return False


def _scale(turn: float, across_m: float, deep_m: float) -> float:
    """Return the scale at which a rectangle lies inside itself turned by any angle up to ``turn``."""

    def least(side: float, other: float) -> float:
        worst = min(turn, float(np.arctan2(other, side)))  # where the side reaches farthest
        return side / (side * float(np.cos(worst)) + other * float(np.sin(worst)))

    return min(least(across_m, deep_m), least(deep_m, across_m))


def _side_angles(polygon: shapely.Geometry) -> list[float]:
    """Return the directions of a polygon's longest sides and those square to them, each once."""
    steps, length = [], []
    for ring in shapely.get_rings(polygon):
        step = np.diff(shapely.get_coordinates(ring), axis=0)
        steps.append(step)
        length.append(np.hypot(step[:, 0], step[:, 1]))
    step, long = np.concatenate(steps), np.concatenate(length)
    angle = np.arctan2(step[:, 1], step[:, 0]) % QUARTER
    order = np.lexsort((angle, -np.round(long, 3)))
    once: list[float] = []
    for one in angle[order][long[order] > TOUCH_M].tolist():
        apart = [abs(one - other) for other in once]
        if all(min(away, QUARTER - away) > ALIKE for away in apart):
            once.append(one)
        if len(once) == DIRECTIONS:
            break
    return [turned for one in once for turned in (one, one + QUARTER)]


def _fits_at(polygon: shapely.Geometry, angle: float, across_m: float, deep_m: float) -> bool:
    """Tell whether a rectangle fits into a polygon at one angle, by eroding the polygon turned back by it."""
    sides = np.maximum([across_m - TOUCH_M, deep_m - TOUCH_M], TOUCH_M)
    cosine, sine = np.cos(angle), np.sin(angle)
    turned = shapely.transform(polygon, lambda xy: xy @ np.array([[cosine, -sine], [sine, cosine]]))
    bounds = shapely.bounds(turned)
    if (bounds[2:] - bounds[:2] < sides).any():
        return False
    rings = [shapely.get_coordinates(ring) for ring in shapely.get_rings(turned)]
    ends = np.concatenate([np.stack([ring[:-1], ring[1:]], axis=1) for ring in rings])
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]) * sides
    # Where the lower left corner may not lie: any place from which the rectangle crosses a side.
    swept = ends[:, :, None, :] - corners[None, None, :, :]
    hulls = shapely.convex_hull(shapely.multipoints(swept.reshape(-1, 2), indices=np.repeat(np.arange(len(ends)), 8)))
    left = shapely.difference(turned, shapely.union_all(hulls))
    return bool(shapely.area(left) > 0)


__all__ = ["fits_rectangle", "largest_like"]
