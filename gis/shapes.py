"""Arrays of coordinates as arrays of geometries."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

Shapes = NDArray[np.object_]


def points_of(xy: NDArray[np.float64]) -> Shapes:
    """Return object[p], a Point for each row of float64[p, 2].

    Examples
    --------
    >>> points_of(np.array([[1.0, 2.0]]))[0].wkt, points_of(np.zeros((0, 2))).size
    ('POINT (1 2)', 0)
    """
    return np.asarray(shapely.points(xy), dtype=object)


def segments_of(a: NDArray[np.float64], b: NDArray[np.float64]) -> Shapes:
    """Return object[s], straight LineStrings between the rows of two float64[s, 2]."""
    return np.asarray(shapely.linestrings(np.stack([a, b], axis=1)), dtype=object)


def lines_of(xy: NDArray[np.float64], start: NDArray[np.int64]) -> Shapes:
    """Return object[l], LineStrings of the vertices float64[k, 2]; line i begins at start[i]."""
    indices = np.repeat(np.arange(start.size - 1), np.diff(start))
    return np.asarray(shapely.linestrings(xy, indices=indices), dtype=object)
