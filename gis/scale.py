"""How long a metre of a projection is on the ground."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pyproj

from .noding import numbered

if TYPE_CHECKING:
    from numpy.typing import NDArray

Scale: TypeAlias = Callable[["NDArray[np.float64]"], "NDArray[np.float64]"]
"""Metres drawn over metres on the ground at places float64[k, 2]."""

CELL_M = 1000.0
"""The scale is taken once for each square of this width: within it a Gauss projection changes by less than 1 in 10⁵."""


def ground_scale(crs: pyproj.CRS) -> Scale | None:
    """Return a projection's scale by place: metres on its plane over metres on the ellipsoid.

    Dividing lengths on the plane by it gives the lengths that routers and surveyors state. UTM draws everything 1 in
    2,500 too short on its middle meridian, which is 2 m on a walk of 5 km; the CGCS2000 zones of three degrees draw up
    to 1 in 3,400 too long at their rim. Of projections that stretch directions differently, it is the mean of both.

    Parameters
    ----------
    crs
        A projected CRS.

    Returns
    -------
    Callable or None
        float64[k, 2] places in the CRS → float64[k]; None for local systems, of which nobody knows it.

    Examples
    --------
    >>> scale = ground_scale(pyproj.CRS("EPSG:32628"))
    >>> scale(np.array([[457_500.0, 3_108_500.0]])).round(6).tolist()
    [0.999622]
    """
    if not crs.is_projected:
        return None
    try:
        projection = pyproj.Proj(crs)
    except pyproj.exceptions.ProjError:
        return None

    def scale(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        if not len(xy):
            return np.zeros(0)
        cell = np.floor(xy / CELL_M).astype(np.int64)
        rows, least = int(np.ptp(cell[:, 1])) + 1, cell.min(axis=0)
        cells, of = numbered((cell[:, 0] - least[0]) * rows + cell[:, 1] - least[1])
        column, row = np.divmod(cells, rows)
        lon, lat = projection((column + least[0] + 0.5) * CELL_M, (row + least[1] + 0.5) * CELL_M, inverse=True)
        factors = projection.get_factors(lon, lat)
        areal = np.asarray(factors.areal_scale, dtype=np.float64)
        # Off the map there is no scale; lengths then stay as they are drawn.
        known = np.isfinite(areal) & (areal > 0)
        each: NDArray[np.float64] = np.sqrt(np.where(known, areal, 1.0))[of]
        return each

    return scale
