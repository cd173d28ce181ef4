"""Geometry mended within a limit: what was done is noted, what cannot be mended is a fault."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from ..gis.errors import Fault
from .study import Note

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from .table import Shape

AREA_CHANGE_LIMIT = 0.01
"""Largest change of a polygon's area, as a share of it, that a repair may make."""

SHOWN = 5
"""How many features with one fault are listed before the rest is counted."""

_KINDS: dict[Shape, tuple[int, int]] = {"Point": (0, 4), "LineString": (1, 5), "Polygon": (3, 6)}
_DIMENSION: dict[Shape, int] = {"Point": 0, "LineString": 1, "Polygon": 2}


@dataclass(frozen=True, slots=True)
class Mended:
    """A layer with its geometry mended, what cannot be mended, and what was done."""

    frame: gpd.GeoDataFrame
    faults: tuple[Fault, ...]
    notes: tuple[Note, ...]


@dataclass(slots=True)
class _Log:
    """Where the faults and notes of one layer's geometry gather."""

    file: str
    layer: str
    rows: pd.Series
    faults: list[Fault] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    def wrong(self, code: str, places: np.ndarray, **detail: object) -> None:
        for place in places[:SHOWN]:
            self.faults.append(Fault(code, self.file, self.layer, self.rows.iloc[place], detail=detail))
        if len(places) > SHOWN:
            self.faults.append(Fault("faults.and_more", self.file, self.layer, detail={"count": len(places) - SHOWN}))

    def done(self, code: str, count: int) -> None:
        if count:
            self.notes.append(Note(code, {"layer": self.layer, "file": PurePath(self.file).name, "count": count}))


def mend(frame: gpd.GeoDataFrame, shapes: Sequence[Shape], *, layer: str, file: str, rows: pd.Series) -> Mended:
    """Mend the geometry of a layer: heights dropped, rings repaired, empty features left out.

    Invalid polygons are rebuilt (`shapely.make_valid`, structure method); a rebuilt polygon whose area differs by more
    than 1 % is a fault, since then nobody can know which of its readings was meant. Features of another kind than the
    layer's and coordinates that are no numbers are faults. Lines of many parts become one row a part where the layer is
    of lines only.

    Parameters
    ----------
    frame
        The layer, in a metric CRS.
    shapes
        Kinds of geometry that the layer may hold.
    layer, file, rows
        What to call the layer, its file and its rows in faults.

    Returns
    -------
    Mended
        Index 0…n-1.

    Examples
    --------
    >>> import pandas as pd
    >>> ear = shapely.from_wkt("POLYGON ((0 0, 100 0, 100 100, 0 100, 0 0, -1 0, 0 0))")
    >>> parcels = gpd.GeoDataFrame({"name": ["a", "b"]}, geometry=[ear, None], crs="EPSG:4547")
    >>> mended = mend(parcels, ("Polygon",), layer="parcels", file="p.shp", rows=pd.Series(["a", "b"]))
    >>> mended.frame.is_valid.tolist(), [note.code for note in mended.notes]
    ([True], ['study.geometry_dropped', 'study.geometry_mended'])
    """
    log = _Log(file, layer, rows)
    geometry = np.asarray(shapely.force_2d(frame.geometry.to_numpy()), dtype=object)
    absent = shapely.is_missing(geometry) | shapely.is_empty(geometry)
    log.done("study.geometry_dropped", int(absent.sum()))
    coordinates, owner = shapely.get_coordinates(geometry, return_index=True)
    finite = np.ones(len(geometry), dtype=bool)
    finite[owner[~np.isfinite(coordinates).all(axis=1)]] = False
    log.wrong("faults.bad_coordinate", np.flatnonzero(~absent & ~finite))
    geometry = _valid(geometry, ~absent & finite, shapes, log)
    allowed = np.isin(shapely.get_type_id(geometry), [number for shape in shapes for number in _KINDS[shape]])
    strangers = np.flatnonzero(~allowed & ~absent & finite)
    if len(strangers):
        found = sorted({str(geometry[place].geom_type) for place in strangers})
        log.wrong("faults.wrong_shape", strangers, found=", ".join(found), shapes=", ".join(shapes))
    out = frame.set_geometry(gpd.GeoSeries(geometry, index=frame.index, crs=frame.crs))
    out = out[~absent & finite & allowed]
    if out.empty and not log.faults:
        log.faults.append(Fault("faults.layer_empty", file, layer))
    return Mended(_single(out, shapes).reset_index(drop=True), tuple(log.faults), tuple(log.notes))


def _valid(geometry: np.ndarray, usable: np.ndarray, shapes: Sequence[Shape], log: _Log) -> np.ndarray:
    """Return the geometries with invalid ones rebuilt; report those whose area changed beyond the limit."""
    places = np.flatnonzero(usable & ~shapely.is_valid(geometry))
    if not len(places):
        return geometry
    rebuilt = shapely.make_valid(geometry[places], method="structure", keep_collapsed=False)
    rebuilt = np.array([_parts_of(shape, shapes) for shape in rebuilt], dtype=object)
    before, after = shapely.area(geometry[places]), shapely.area(rebuilt)
    beyond = np.abs(after - before) > AREA_CHANGE_LIMIT * np.maximum(before, after)
    beyond |= shapely.is_empty(rebuilt)
    log.wrong("faults.geometry_invalid", places[beyond], percent=round(100 * AREA_CHANGE_LIMIT))
    log.done("study.geometry_mended", int((~beyond).sum()))
    out = geometry.copy()
    out[places] = rebuilt
    return out


def _parts_of(shape: shapely.Geometry, shapes: Sequence[Shape]) -> shapely.Geometry:
    """Return the parts of a mixed geometry that a layer may hold; anything else unchanged."""
    if not isinstance(shape, shapely.GeometryCollection):
        return shape
    widest = max(_DIMENSION[kind] for kind in shapes)
    parts = shapely.get_parts(shape)
    return shapely.union_all(parts[shapely.get_dimensions(parts) == widest])


def _single(frame: gpd.GeoDataFrame, shapes: Sequence[Shape]) -> gpd.GeoDataFrame:
    """Make multi-part features single: those of one part, points, and lines of a layer that holds only lines."""
    geometry = frame.geometry.to_numpy()
    lone = (shapely.get_type_id(geometry) >= 4) & (shapely.get_num_geometries(geometry) == 1)
    if lone.any():
        single = np.asarray(geometry, dtype=object).copy()
        single[lone] = shapely.get_geometry(single[lone], 0)
        frame = frame.set_geometry(gpd.GeoSeries(single, index=frame.index, crs=frame.crs))
    types = shapely.get_type_id(frame.geometry.to_numpy())
    if (types == 4).any():
        points = frame.geometry.where(types != 4, frame.geometry.representative_point())
        frame = frame.set_geometry(points)
    if tuple(shapes) == ("LineString",) and (types == 5).any():
        frame = frame.explode(index_parts=False)
    return frame
