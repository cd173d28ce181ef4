"""Terrain: heights of places from an elevation raster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..gis.crs import as_crs, between
from ..gis.errors import Fault, InputError

if TYPE_CHECKING:
    from pathlib import Path

    import pyproj
    from numpy.typing import NDArray

    from ..gis.edges import Heights


def terrain(path: Path, crs: pyproj.CRS) -> Heights:
    """Return a function that reads heights off an elevation raster: bilinear between cell centres, NaN where unknown.

    Parameters
    ----------
    path
        Raster of metres; its CRS is in the file.
    crs
        CRS of the places that will be asked for.

    Raises
    ------
    InputError
        When the raster has no CRS.
    """
    import rasterio  # noqa: PLC0415  slow to load, needed with a terrain only

    with rasterio.open(path) as raster:
        stated = raster.crs
    if stated is None:
        message = f"{path} has no CRS"
        raise InputError(message, Fault("streets.dem_no_crs", file=str(path), layer="dem"))
    change = between(crs, as_crs(stated.to_wkt()))

    def heights(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = change.transform(xy[:, 0], xy[:, 1])
        with rasterio.open(path) as raster:
            cell = ~raster.transform
            column = cell.a * np.asarray(x) + cell.b * np.asarray(y) + cell.c - 0.5
            row = cell.d * np.asarray(x) + cell.e * np.asarray(y) + cell.f - 0.5
            low_row, low_column = max(0, int(np.floor(row.min()))), max(0, int(np.floor(column.min())))
            high_row = min(raster.height, int(np.floor(row.max())) + 2)
            high_column = min(raster.width, int(np.floor(column.max())) + 2)
            if high_row <= low_row or high_column <= low_column:
                return np.full(xy.shape[0], np.nan)
            window = rasterio.windows.Window(low_column, low_row, high_column - low_column, high_row - low_row)
            cells = raster.read(1, window=window, masked=True).astype(np.float64).filled(np.nan)
        return bilinear(cells, row - low_row, column - low_column)

    return heights


def bilinear(cells: NDArray[np.float64], row: NDArray[np.float64], column: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values between cell centres (row, column in cells, 0 at the first); NaN outside or beside unknown cells.

    Up to half a cell outside the outermost centres the nearest centre counts.

    Examples
    --------
    >>> bilinear(np.array([[0.0, 10.0], [20.0, 30.0]]), np.array([0.5, 3.0]), np.array([0.5, 0.0])).tolist()
    [15.0, nan]
    """
    height, width = cells.shape
    outside = (row < -0.5) | (column < -0.5) | (row > height - 0.5) | (column > width - 0.5)
    row, column = np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)
    top, left = (
        np.minimum(row.astype(np.int64), max(height - 2, 0)),
        np.minimum(column.astype(np.int64), max(width - 2, 0)),
    )
    bottom, right = np.minimum(top + 1, height - 1), np.minimum(left + 1, width - 1)
    down, across = row - top, column - left
    value = np.zeros(row.size)
    for cell, share in (
        (cells[top, left], (1 - down) * (1 - across)),
        (cells[top, right], (1 - down) * across),
        (cells[bottom, left], down * (1 - across)),
        (cells[bottom, right], down * across),
    ):
        # An unknown cell that has no part in the value does not make it unknown.
        value += np.where(share > 0, cell * share, 0.0)
    return np.where(outside, np.nan, value)
