"""Geometry mended within a limit: each change is a row of the repair log, what cannot be mended is a fault."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ..gis.errors import Fault
from .study import REPAIRS, Note, no_repairs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .table import Shape

    Flags = NDArray[np.bool_]
    Shapes = NDArray[np.object_]

AREA_CHANGE_LIMIT = 0.01
"""Largest change of a polygon's area, as a share of it, that a repair may make."""

SLIVER_WIDTH_M, SLIVER_AREA_M2 = 0.05, 1.0
"""A polygon or a part of one that is both narrower (twice the area over the outline) and smaller is a sliver."""

UNPLACED_SHARE = 0.1
"""Largest share of a layer's rows, and of the people or households in them, that may be left out for want of
coordinates; beyond it the layer is refused. One row of a layer of points or lines may always lack them."""

SHOWN = 5
"""How many features with one fault are listed before the rest is counted."""

_KINDS: dict[Shape, tuple[int, int]] = {"Point": (0, 4), "LineString": (1, 5), "Polygon": (3, 6)}
_DIMENSION: dict[Shape, int] = {"Point": 0, "LineString": 1, "Polygon": 2}
_COUNTS = ("people", "households", "households_after")
"""Columns whose sum would change if a row were left out: a sliver that has them stays."""


@dataclass(frozen=True, slots=True)
class Mended:
    """A layer with its geometry mended, what cannot be mended, what was done, and a row for each change."""

    frame: gpd.GeoDataFrame
    faults: tuple[Fault, ...]
    notes: tuple[Note, ...]
    repairs: pd.DataFrame = field(default_factory=no_repairs)
    """Columns of `lifecircle.layers.study.REPAIRS`."""


@dataclass(slots=True)
class _Log:
    """Where the faults, notes and repairs of one layer's geometry gather."""

    file: str
    layer: str
    rows: pd.Series
    faults: list[Fault] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    repairs: list[tuple[str, str, float, float]] = field(default_factory=list)

    def wrong(self, code: str, places: NDArray[np.int64], *, blocks: bool = True, **detail: object) -> None:
        """Report features: the first few by name, the rest as a number."""
        for place in places[:SHOWN]:
            self.faults.append(Fault(code, self.file, self.layer, self.rows.iloc[place], detail=detail, blocks=blocks))
        if len(places) > SHOWN:
            more = {"count": len(places) - SHOWN}
            self.faults.append(Fault("faults.and_more", self.file, self.layer, detail=more, blocks=blocks))

    def done(self, what: str, places: NDArray[np.int64], before: Shapes, after: Shapes, note: str | None) -> None:
        """Log a change of features: a row each, and their number as a note."""
        if not len(places):
            return
        labels = [str(self.rows.iloc[place]) for place in places]
        areas = (np.nan_to_num(np.round(shapely.area(shapes), 3)) for shapes in (before, after))
        self.repairs += zip(labels, [what] * len(labels), *(area.tolist() for area in areas), strict=True)
        if note is not None:
            detail = {"layer": self.layer, "file": PurePath(self.file).name, "count": len(places)}
            self.notes.append(Note(note, detail))

    def lost(self, places: NDArray[np.int64], counts: dict[str, float]) -> None:
        """Say how many people and households went with rows that were left out."""
        if not counts:
            return
        lost = ", ".join(f"{name} {count:,.0f}" for name, count in counts.items())
        detail = {"layer": self.layer, "file": PurePath(self.file).name, "count": len(places), "lost": lost}
        self.notes.append(Note("study.unplaced_counted", detail))

    def table(self) -> pd.DataFrame:
        """Return the rows of the repair log."""
        if not self.repairs:
            return no_repairs()
        rows = [(self.layer, self.file, *row) for row in self.repairs]
        return pd.DataFrame(rows, columns=list(REPAIRS)).astype(no_repairs().dtypes.to_dict())


def mend(
    frame: gpd.GeoDataFrame,
    shapes: Sequence[Shape],
    *,
    layer: str,
    file: str,
    rows: pd.Series,
    numbered: str | None = None,
) -> Mended:
    """Mend the geometry of a layer and log each change: what, and the area before and after.

    Changes are: ``empty`` (no geometry: left out), ``no_number`` (a coordinate that is NaN: the whole row left out),
    ``height`` (heights dropped), ``mixed`` (of a collection the parts
    that the layer may hold), ``invalid`` and ``self_overlap`` (rebuilt by `shapely.make_valid`, structure method),
    ``collapsed`` (a line without length, a polygon without area: left out), ``sliver`` (left out; of several parts only
    the sliver) and ``duplicate`` (a line or polygon that repeats another with all its values: left out; points may
    repeat). A polygon whose area would change by more than 1 % is a fault, since then nobody can know which of its
    readings was meant; so are infinite coordinates and features of another kind than the layer's, and so many rows
    without coordinates that the layer would tell another story without them (`UNPLACED_SHARE`). Lines of many parts
    become one row a part where the layer is of lines only.

    Parameters
    ----------
    frame
        The layer, in a metric CRS.
    shapes
        Kinds of geometry that the layer may hold.
    layer, file, rows
        What to call the layer, its file and its rows in faults.
    numbered
        Column that the product numbered: rows that differ in nothing else are duplicates.

    Returns
    -------
    Mended
        Index 0…n-1.

    Examples
    --------
    >>> ear = shapely.from_wkt("POLYGON ((0 0, 100 0, 100 100, 0 100, 0 0, -1 0, 0 0))")
    >>> parcels = gpd.GeoDataFrame({"name": ["a", "b"]}, geometry=[ear, None], crs="EPSG:4547")
    >>> mended = mend(parcels, ("Polygon", "Point"), layer="parcels", file="p.shp", rows=pd.Series(["a", "b"]))
    >>> mended.frame.is_valid.tolist(), [note.code for note in mended.notes]
    ([True], ['study.geometry_dropped', 'study.geometry_mended'])
    >>> mended.repairs[["feature", "what", "area_before_m2", "area_after_m2"]].values.tolist()
    [['b', 'empty', 0.0, 0.0], ['a', 'invalid', 10000.0, 10000.0]]
    """
    log = _Log(file, layer, rows)
    out = _usable(frame, shapes, numbered, log)
    if out.empty and not log.faults:
        log.faults.append(Fault("faults.layer_empty", file, layer))
    mended = _single(out, shapes).reset_index(drop=True)
    return Mended(mended, tuple(log.faults), tuple(log.notes), log.table())


def _usable(frame: gpd.GeoDataFrame, shapes: Sequence[Shape], numbered: str | None, log: _Log) -> gpd.GeoDataFrame:
    """Return the features that can be used, mended; log what was changed, left out or refused."""
    geometry = _flat(np.asarray(frame.geometry.to_numpy(), dtype=object), log)
    usable = _placed(frame, geometry, shapes, log)
    geometry = _unmixed(geometry, usable, shapes, log)
    geometry, gone = _valid(geometry, usable, shapes, log)
    usable &= ~gone
    allowed = np.isin(shapely.get_type_id(geometry), [number for shape in shapes for number in _KINDS[shape]])
    strangers = np.flatnonzero(~allowed & usable)
    if len(strangers):
        found = sorted({str(geometry[place].geom_type) for place in strangers})
        log.wrong("faults.wrong_shape", strangers, found=", ".join(found), shapes=", ".join(shapes))
    usable &= allowed
    geometry, slivers = _without_slivers(frame, geometry, usable, log)
    usable &= ~slivers
    usable &= ~_duplicates(frame, geometry, usable, numbered, log)
    return frame.set_geometry(gpd.GeoSeries(geometry, index=frame.index, crs=frame.crs))[usable]


def _placed(frame: gpd.GeoDataFrame, geometry: Shapes, shapes: Sequence[Shape], log: _Log) -> Flags:
    """Return which features have coordinates, all of them numbers; log what was left out or refused."""
    absent = shapely.is_missing(geometry) | shapely.is_empty(geometry)
    coordinates, owner = shapely.get_coordinates(geometry, return_index=True)
    nan, infinite = np.zeros(len(geometry), dtype=bool), np.zeros(len(geometry), dtype=bool)
    nan[owner[np.isnan(coordinates).any(axis=1)]] = True
    infinite[owner[np.isinf(coordinates).any(axis=1)]] = True
    log.wrong("faults.bad_coordinate", np.flatnonzero(infinite))
    unplaced = (absent | nan) & ~infinite
    places = np.flatnonzero(unplaced)
    counts = _counts(frame, unplaced)
    allowed = max(UNPLACED_SHARE * len(geometry), 0.0 if tuple(shapes) == ("Polygon",) else 1.0)
    lost = {name: part for name, (part, _) in counts.items() if part > 0}
    if len(places) > allowed or any(part > UNPLACED_SHARE * whole for part, whole in counts.values()):
        rows = ", ".join(str(log.rows.iloc[place]) for place in places[:SHOWN])
        detail = {"count": len(places), "all": len(geometry), "rows": rows, "percent": round(100 * UNPLACED_SHARE)}
        log.faults.append(Fault("faults.unplaced", log.file, log.layer, detail=detail))
    for what, which, note in (
        ("empty", absent & ~infinite, "study.geometry_dropped"),
        ("no_number", nan & ~absent & ~infinite, "study.nan_dropped"),
    ):
        nothing = np.full(int(which.sum()), None, dtype=object)
        log.done(what, np.flatnonzero(which), nothing, nothing, note)
    log.lost(places, lost)
    return np.asarray(~unplaced & ~infinite, dtype=bool)


def _counts(frame: gpd.GeoDataFrame, rows: Flags) -> dict[str, tuple[float, float]]:
    """Return the sums over some rows and over all rows of the columns that count people and households."""
    sums = {}
    for name in _COUNTS:
        if name in frame.columns:
            counted = pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype="float64", na_value=np.nan)
            counted = np.where(counted > 0, counted, 0.0)
            sums[name] = float(counted[rows].sum()), float(counted.sum())
    return sums


def _flat(geometry: Shapes, log: _Log) -> Shapes:
    """Return geometries without heights; heights of zero, as drawing programs write them, are no loss."""
    high = np.flatnonzero(shapely.has_z(geometry))
    flat = np.asarray(shapely.force_2d(geometry), dtype=object)
    if len(high):
        points, owner = shapely.get_coordinates(geometry[high], include_z=True, return_index=True)
        lost = high[np.unique(owner[np.isfinite(points[:, 2]) & (points[:, 2] != 0)])]
        log.done("height", lost, geometry[lost], flat[lost], None)
    return flat


def _unmixed(geometry: Shapes, usable: Flags, shapes: Sequence[Shape], log: _Log) -> Shapes:
    """Return geometries with collections brought to the parts that the layer may hold; one without any stays."""
    places = np.flatnonzero(usable & (shapely.get_type_id(geometry) == 7))
    if not len(places):
        return geometry
    parts = [_parts_of(geometry[place], shapes) for place in places]
    places = places[[part is not None for part in parts]]
    after = np.array([part for part in parts if part is not None], dtype=object)
    before = geometry[places]
    beyond = _beyond(before, after)
    log.wrong("faults.geometry_mixed", places[beyond], percent=round(100 * AREA_CHANGE_LIMIT))
    log.done("mixed", places[~beyond], before[~beyond], after[~beyond], "study.geometry_unmixed")
    out = geometry.copy()
    out[places] = after
    return out


def _valid(geometry: Shapes, usable: Flags, shapes: Sequence[Shape], log: _Log) -> tuple[Shapes, Flags]:
    """Return the geometries with invalid ones rebuilt, and which are nothing or refused, beyond the limit."""
    gone = np.zeros(len(geometry), dtype=bool)
    places = np.flatnonzero(usable & ~shapely.is_valid(geometry))
    if not len(places):
        return geometry, gone
    old = geometry[places]
    whole = shapely.make_valid(old, method="structure", keep_collapsed=False)
    parts = [_parts_of(shape, shapes) if shapely.get_type_id(shape) == 7 else shape for shape in whole]
    rebuilt = np.array([shapely.GeometryCollection() if part is None else part for part in parts], dtype=object)
    shared = ~shapely.is_valid(rebuilt)  # parts along one edge, which the method leaves apart now and then
    rebuilt[shared] = shapely.buffer(rebuilt[shared], 0)
    none = shapely.is_empty(rebuilt) & (shapely.area(old) == 0)
    beyond = ~none & (_beyond(old, rebuilt) | shapely.is_empty(rebuilt) | ~shapely.is_valid(rebuilt))
    log.wrong("faults.geometry_invalid", places[beyond], percent=round(100 * AREA_CHANGE_LIMIT))
    log.done("collapsed", places[none], old[none], rebuilt[none], "study.geometry_collapsed")
    overlap = ~none & ~beyond & np.array([_parts_overlap(shape) for shape in old], dtype=bool)
    crossing = ~none & ~beyond & ~overlap
    log.done("self_overlap", places[overlap], old[overlap], rebuilt[overlap], "study.geometry_overlap")
    log.done("invalid", places[crossing], old[crossing], rebuilt[crossing], "study.geometry_mended")
    out = geometry.copy()
    out[places] = rebuilt
    gone[places[none | beyond]] = True
    return out, gone


def _beyond(before: Shapes, after: Shapes) -> Flags:
    """Tell which changes of area are beyond the limit."""
    old, new = shapely.area(before), shapely.area(after)
    return np.asarray(np.abs(new - old) > AREA_CHANGE_LIMIT * np.maximum(old, new), dtype=bool)


def _parts_overlap(shape: shapely.Geometry) -> bool:
    """Tell whether it is only together that the parts of a geometry are invalid."""
    return bool(shapely.get_type_id(shape) == 6 and shapely.is_valid(shapely.get_parts(shape)).all())


def _parts_of(shape: shapely.Geometry, shapes: Sequence[Shape]) -> shapely.Geometry | None:
    """Return the parts of a mixed geometry that a layer may hold, of the widest kind there is; None without any."""
    parts = shapely.get_parts(shape)
    while (shapely.get_type_id(parts) == 7).any():
        parts = shapely.get_parts(parts)
    for dimension in sorted({_DIMENSION[kind] for kind in shapes}, reverse=True):
        fitting = parts[(shapely.get_dimensions(parts) == dimension) & ~shapely.is_empty(parts)]
        if len(fitting):
            joined = shapely.union_all(fitting) if dimension == 2 else shapely.multilinestrings(fitting)
            return joined if dimension else shapely.multipoints(fitting)
    return None


def _thin(polygons: Shapes) -> Flags:
    """Tell which polygons are slivers."""
    area, length = shapely.area(polygons), shapely.length(polygons)
    return np.asarray((area < SLIVER_AREA_M2) & (2 * area < SLIVER_WIDTH_M * length), dtype=bool)


def _without_slivers(frame: gpd.GeoDataFrame, geometry: Shapes, usable: Flags, log: _Log) -> tuple[Shapes, Flags]:
    """Return the geometries without parts that are slivers, and which features are nothing but one."""
    kinds = shapely.get_type_id(geometry)
    alone = usable & (kinds == 3)
    alone[alone] = _thin(geometry[alone])
    for name in _COUNTS:
        if name in frame.columns:
            counted = pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype="float64", na_value=np.nan)
            alone &= ~(counted > 0)
    places = np.flatnonzero(alone)
    log.done("sliver", places, geometry[places], np.full(len(places), None, dtype=object), "study.slivers_dropped")
    several = np.flatnonzero(usable & (kinds == 6))
    parts, owner = shapely.get_parts(geometry[several], return_index=True)
    thin = _thin(parts)
    left = np.bincount(owner[~thin], minlength=len(several))
    touched = np.intersect1d(np.unique(owner[thin]), np.flatnonzero(left))
    if not len(touched):
        return geometry, alone
    cleaned = np.array([shapely.multipolygons(parts[(owner == place) & ~thin]) for place in touched], dtype=object)
    kept = ~_beyond(geometry[several[touched]], cleaned)
    places = several[touched[kept]]
    log.done("sliver", places, geometry[places], cleaned[kept], "study.sliver_parts_dropped")
    out = geometry.copy()
    out[places] = cleaned[kept]
    return out, alone


def _duplicates(frame: gpd.GeoDataFrame, geometry: Shapes, usable: Flags, numbered: str | None, log: _Log) -> Flags:
    """Return which lines and polygons repeat an earlier one with all its values; point at polygons that do without."""
    again = np.zeros(len(geometry), dtype=bool)
    places = np.flatnonzero(usable & (shapely.get_dimensions(geometry) > 0))
    boxes = pd.DataFrame(shapely.bounds(geometry[places])).assign(length=shapely.length(geometry[places]).round(6))
    places = places[boxes.duplicated(keep=False).to_numpy()]
    if not len(places):
        return again
    shapes = pd.Series(shapely.to_wkb(shapely.normalize(geometry[places])))
    values = frame.iloc[places].drop(columns=[frame.geometry.name, *([numbered] if numbered else [])])
    keys = pd.concat([shapes, values.astype("str").reset_index(drop=True)], axis=1)
    whole = keys.duplicated().to_numpy()
    again[places[whole]] = True
    log.done(
        "duplicate",
        places[whole],
        geometry[places[whole]],
        np.full(int(whole.sum()), None, dtype=object),
        "study.duplicates_dropped",
    )
    same = places[~whole & shapes.duplicated().to_numpy()]
    log.wrong("faults.same_geometry", same[shapely.get_dimensions(geometry[same]) == 2], blocks=False)
    return again


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
