"""Surfaces of minutes as cloud-optimised GeoTIFFs, and their 5, 10 and 15 minute bands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..gis.crs import crs_label
from ..gis.errors import Fault, OutputError
from ..gis.surface import Surface, grid_of, surface
from .facility_counts import counted_now
from .walks import CIRCLE_LIMIT_M, Walk, some

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import geopandas as gpd
    from numpy.typing import NDArray

    from ..gis.snap import Positions

_COLOURS = {1: (26, 120, 90, 255), 2: (110, 180, 140, 255), 3: (200, 225, 205, 255)}


def write_surfaces(
    walk: Walk,
    facilities: tuple[gpd.GeoDataFrame, Positions],
    folder: Path,
    *,
    bounds: tuple[float, float, float, float] | None = None,
) -> list[Path]:
    """Write for each class of facilities that exist how far it is from everywhere: ``walk-*.tif`` and ``bands-*.tif``.

    Parameters
    ----------
    walk
        Who walks where.
    facilities
        The frame (``facility_class``, ``status``) and its positions.
    folder
        Where to; made where it is not there.
    bounds
        West, south, east, north in metres; those of the network when not given.

    Raises
    ------
    OutputError
        When a file cannot be written.
    """
    frame, positions = facilities
    exists = counted_now(frame)
    limits = {minutes: walk.walker.limit(limit_m, minutes) for minutes, limit_m in CIRCLE_LIMIT_M.items()}
    grid = grid_of(walk.network, bounds=bounds, usable=walk.usable)
    written = []
    for name in sorted(frame.loc[exists, "facility_class"].dropna().unique()):
        sites = some(positions, exists & (frame["facility_class"] == name).to_numpy())
        limit = max(limits.values())
        found = surface(walk.network, grid=grid, sites=sites, limit=limit, walker=walk.walker)
        written += [
            write_surface(found, folder / f"walk-{name}.tif"),
            write_bands(found, folder / f"bands-{name}.tif", limits),
        ]
    return written


def write_surface(surface: Surface, path: Path) -> Path:
    """Write a surface as a GeoTIFF: minutes for a walker with a speed, metres for one without; nodata is NaN.

    Raises
    ------
    OutputError
        When the file cannot be written.
    """
    minutes = surface.unit == "s"
    cells = surface.cost / np.float32(60) if minutes else surface.cost
    return _write(surface, path, cells.astype(np.float32), np.nan, {"unit": "min" if minutes else "m"})


def write_bands(surface: Surface, path: Path, limits: Mapping[int, float]) -> Path:
    """Write the bands of a surface as a GeoTIFF of small numbers: the minutes of the first circle that holds the cell.

    Parameters
    ----------
    surface
        The walks.
    path
        Where to.
    limits
        Minutes of each circle → its limit in the surface's unit, rising. Cells in none have nodata, which is 0.

    Raises
    ------
    OutputError
        When the file cannot be written.
    """
    minutes = sorted(limits)
    number = np.array([0, *minutes], dtype=np.uint8)
    bands = number[surface.bands([limits[circle] for circle in minutes])]
    colours = {circle: _COLOURS[min(place, 3)] for place, circle in enumerate(minutes, start=1)}
    return _write(surface, path, bands, 0, {"unit": "min"}, colours=colours)


def _write(
    surface: Surface,
    path: Path,
    cells: NDArray[np.float32] | NDArray[np.uint8],
    nodata: float,
    tags: Mapping[str, str],
    *,
    colours: Mapping[int, tuple[int, int, int, int]] | None = None,
) -> Path:
    """Write cells as a cloud-optimised GeoTIFF."""
    import rasterio  # noqa: PLC0415  slow to load, needed by few runs

    profile = {
        "driver": "COG",
        "height": cells.shape[0],
        "width": cells.shape[1],
        "count": 1,
        "dtype": cells.dtype.name,
        "nodata": nodata,
        "crs": surface.crs.to_wkt(),
        "transform": rasterio.Affine(surface.cell_m, 0, surface.west, 0, -surface.cell_m, surface.north),
        "compress": "DEFLATE",
        "overview_resampling": "nearest",
    }
    with rasterio.MemoryFile() as memory:
        with memory.open(**profile) as raster:
            if colours is not None:
                raster.write_colormap(1, dict(colours))
            raster.write(cells, 1)
            raster.update_tags(1, **tags)
            raster.update_tags(crs=crs_label(surface.crs))
        content = memory.read()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        message = f"cannot write {path}: {error.strerror}"
        fault = Fault("output.cannot_write", file=str(path), detail={"reason": error.strerror})
        raise OutputError(message, fault) from error
    return path
