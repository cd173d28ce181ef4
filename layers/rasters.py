"""Rasters of a study looked at before anything is computed: they lie over the area, can be read, and hold something."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import shapely

from ..gis.crs import as_crs, to_crs
from ..gis.errors import Fault, InputError
from .gather import sections_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from pyproj import CRS
    from rasterio import DatasetReader
    from shapely.geometry.base import BaseGeometry

    from .gather import Work

ROWS_AT_ONCE = 1024
SIDES = 32
"""Pieces that each side of a raster is cut into before it is moved, so that it bends with the CRS."""
LEFT_OUT = 0.2
"""Share of the study area beyond a raster from which on it is said; grids often end with the last house."""


def raster_faults(work: Work, crs: CRS, area: BaseGeometry) -> list[Fault]:
    """Return what is wrong with the rasters of a study.

    Parameters
    ----------
    work
        With its ``rasters``.
    crs
        The metric CRS of the study.
    area
        The study area in it.
    """
    faults: list[Fault] = []
    for layer, path in work.rasters.items():
        file = next(section.path for section in sections_of(work.settings)[layer] if work.path(section) == path)
        try:
            faults += _looked_at(path, file, layer, crs, area)
        except InputError as error:
            faults += error.faults
    return faults


def _looked_at(path: Path, file: str, layer: str, crs: CRS, area: BaseGeometry) -> list[Fault]:
    """Return the faults of one raster."""
    import rasterio  # noqa: PLC0415  slow to import, needed by few studies
    from rasterio.errors import NotGeoreferencedWarning, RasterioError  # noqa: PLC0415

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)  # said below
            raster = rasterio.open(path)
        with raster:
            if raster.crs is None:  # said when it was read
                return []
            outline = _outline(raster, crs)
            if outline is None:
                return [Fault("files.raster_no_place", file, layer)]
            if not outline.intersects(area):
                kilometres = round(outline.distance(area) / 1000, 1)
                return [Fault("faults.far_away", file, layer, detail={"km": kilometres})]
            faults = _content(raster, file, layer, to_crs(area, crs, as_crs(raster.crs.to_wkt())))
    except RasterioError as error:
        reason = " ".join(str(error).split())[:200]
        return [Fault("faults.unreadable", file, layer, detail={"reason": reason})]
    beyond = 1 - outline.intersection(area).area / area.area
    if beyond > LEFT_OUT:
        detail = {"percent": round(100 * beyond)}
        faults.append(Fault("files.raster_partly", file, layer, detail=detail, blocks=False))
    return faults


def _outline(raster: DatasetReader, crs: CRS) -> BaseGeometry | None:
    """Return the outline of a raster in a CRS, None where it does not say where it lies."""
    box = shapely.box(*raster.bounds)
    moved = to_crs(shapely.segmentize(box, max(box.length / (4 * SIDES), 1e-9)), as_crs(raster.crs.to_wkt()), crs)
    return moved if np.isfinite(moved.bounds).all() and not raster.transform.is_identity else None


def _content(raster: DatasetReader, file: str, layer: str, area: BaseGeometry) -> list[Fault]:
    """Return the faults of what a raster holds around the area."""
    least, most = np.inf, -np.inf
    for cells in _strips(raster, area):
        known = cells[np.isfinite(cells)]
        if known.size:
            least, most = min(least, float(known.min())), max(most, float(known.max()))
    people = layer == "population"
    if people and least < 0:
        return [Fault("gis.areal_raster_negative", file, layer, value=least)]
    if most == -np.inf or (people and most == 0):
        return [Fault("files.raster_nothing", file, layer, blocks=people)]
    return []


def _strips(raster: DatasetReader, area: BaseGeometry) -> Iterator[NDArray[np.float64]]:
    """Yield the cells around an area, some rows at a time; NaN where there is no data."""
    from rasterio.windows import Window  # noqa: PLC0415  slow to import

    corners = shapely.get_coordinates(shapely.box(*area.bounds))
    cell = ~raster.transform
    columns = cell.a * corners[:, 0] + cell.b * corners[:, 1] + cell.c
    rows = cell.d * corners[:, 0] + cell.e * corners[:, 1] + cell.f
    left, right = np.clip([np.floor(columns.min()), np.ceil(columns.max())], 0, raster.width).astype(int).tolist()
    top, bottom = np.clip([np.floor(rows.min()), np.ceil(rows.max())], 0, raster.height).astype(int).tolist()
    for start in range(top, bottom, ROWS_AT_ONCE):
        window = Window(left, start, right - left, min(ROWS_AT_ONCE, bottom - start))
        if right > left:
            yield raster.read(1, window=window, masked=True).astype(np.float64).filled(np.nan)
