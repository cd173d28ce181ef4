"""Where a study is: its metric CRS and its area, cut to the ground that the data cover."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from ..gis.crs import as_crs, require_metric, shifted_crs, to_crs, working_crs
from ..gis.errors import Fault, InputError
from .contracts import AREA
from .gather import datum_name, move_to, named_columns, placed, record
from .study import Note
from .table import check

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .gather import Read, Work

CLIP_STATED, CLIP_GUESSED = 0.01, 0.20
"""Share of the area outside an OSM extract from which on it is cut to it: where the header states a box, and not."""


def crs_and_area(work: Work, reads: dict[str, list[Read]]) -> tuple[CRS, gpd.GeoDataFrame | None] | None:
    """Choose the working CRS and return it with the study area in it.

    The area is None where faults forbid it; the other layers can then still be checked, in the CRS of the streets. All
    is None where nothing says where the study is.
    """
    given = reads.get("area", [])
    if given:
        shapes = [_degrees(work, "area", read) for read in given]
    elif work.grounds:
        shapes = [gpd.GeoSeries([ground.hull for ground in work.grounds.values()], crs="EPSG:4326")]
    else:
        hulls = [_degrees(work, "streets", read) for read in reads.get("streets", [])]
        shapes = [gpd.GeoSeries([_hull(shape.to_numpy())], crs="EPSG:4326") for shape in hulls if shape is not None]
    usable = [shape.total_bounds for shape in shapes if shape is not None and not shape.is_empty.all()]
    if not usable:
        if given and not work.blocked():
            work.faults.append(Fault("faults.layer_empty", file=given[0].section.path, layer="area"))
        return None
    low, high = pd.DataFrame(usable).min(), pd.DataFrame(usable).max()
    crs = _crs(work, (low[0], low[1], high[2], high[3]))
    if crs is None:
        return None
    if given:
        area = _given_area(work, given, crs)
    elif work.settings.area is not None:
        return crs, None
    else:
        work.notes.append(Note("study.area_from_streets"))
        outlines = [to_crs(shape.union_all(), shape.crs, crs) for shape in shapes if shape is not None]
        area = gpd.GeoDataFrame({"name": [work.settings.study.name]}, geometry=[shapely.union_all(outlines)], crs=crs)
    return crs, None if area is None else _clipped(work, area, crs)


def _hull(shapes: NDArray[np.object_]) -> shapely.Geometry:
    """Return the convex hull of shapes; coordinates that are not numbers are reported when the layer is checked."""
    xy = shapely.get_coordinates(shapes)
    return shapely.MultiPoint(xy[np.isfinite(xy).all(axis=1)]).convex_hull


def _crs(work: Work, bounds: tuple[float, float, float, float]) -> CRS | None:
    """Return the working CRS: the one stated, when it is metric, or the one for these bounds in degrees."""
    stated = work.settings.study.crs
    shifted = work.settings.study.datum is not None
    try:
        crs = working_crs(bounds) if stated == "auto" else require_metric(as_crs(stated), "study.crs")
        return shifted_crs(crs) if shifted else crs
    except InputError as error:
        work.faults += [replace(fault, file="study.toml", layer=None, column="study.crs") for fault in error.faults]
        return None


def _degrees(work: Work, layer: str, read: Read) -> gpd.GeoSeries | None:
    """Return a layer's geometry in WGS 84 degrees; None and a fault where its datum is unknown."""
    try:
        return move_to(layer, read, CRS.from_epsg(4326)).geometry
    except InputError as error:
        work.faults += [placed(fault, layer, read.section) for fault in error.faults]
        return None


def _given_area(work: Work, given: Sequence[Read], crs: CRS) -> gpd.GeoDataFrame | None:
    """Return the study area of the files that draw it, dissolved to one row."""
    shapes = []
    for read in given:
        try:
            moved = move_to("area", read, crs)
        except InputError as error:
            work.faults += [placed(fault, "area", read.section) for fault in error.faults]
            continue
        checked = check(moved, AREA, file=read.section.path, columns=named_columns(read.section))
        work.faults += checked.faults
        work.notes += [replace(note, detail={"layer": "area", **note.detail}) for note in read.reading.notes]
        work.notes += checked.notes
        work.repairs.append(checked.repairs)
        shapes.append(checked.frame)
        rows = (read.rows_in, len(checked.frame))
        record(work, "area", read.section, read.path, rows, datum_name(read), encoding=read.reading.encoding)
    if all(shape.empty for shape in shapes):
        return None
    outline = shapely.union_all([geometry for shape in shapes for geometry in shape.geometry])
    return gpd.GeoDataFrame({"name": [work.settings.study.name]}, geometry=[outline], crs=crs)


def _clipped(work: Work, area: gpd.GeoDataFrame, crs: CRS) -> gpd.GeoDataFrame:
    """Return the area cut to the ground that the OSM extracts cover, where much of it lies outside, and say so."""
    if not work.grounds:
        return area
    boxes = [to_crs(shapely.segmentize(ground.box, 0.01), "EPSG:4326", crs) for ground in work.grounds.values()]
    limit = CLIP_STATED if all(ground.stated for ground in work.grounds.values()) else CLIP_GUESSED
    outline = area.geometry.iloc[0]
    inside = shapely.intersection(outline, shapely.union_all(boxes))
    share = 1 - inside.area / outline.area
    path = work.settings.area.path if work.settings.area is not None else None
    if inside.area == 0:
        work.faults.append(Fault("faults.area_apart", file=path, layer="area"))
        return area
    if share <= limit:
        return area
    work.notes.append(Note("study.area_clipped", {"percent": round(100 * share, 1)}))
    return area.set_geometry([inside], crs=crs)
