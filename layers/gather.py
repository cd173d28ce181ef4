"""What gathers while a study is read: files as read, their faults, notes and sources."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer

from ..gis.crs import DATUMS, SHIFTED, as_crs, transform
from ..gis.errors import Fault, InputError
from ..gis.zones import contradiction
from .files import sha256_of
from .osmfile import ATTRIBUTION, LICENCE, Ground, is_osm
from .study import Note, Source, Study, no_repairs
from .tables import COORDINATES

if TYPE_CHECKING:
    import geopandas as gpd
    from pyproj import CRS

    from ..gis.local import LocalSystem
    from .local import Local
    from .reading import Reading
    from .settings import JoinSection, LayerSection, StudySettings


LATITUDE_MOST, LONGITUDE_MOST = 90.0, 180.0


OLD_SURVEYS = ("Beijing 1954", "Xian 1980")
"""Surveys before CGCS2000, whose local distortions only control points undo."""


@dataclass(frozen=True, slots=True)
class Fit:
    """How well a file fits as its datum is stated, by features spread evenly over it."""

    features: int
    """How many were looked at."""
    median_m: float | None
    """Distance of the middle one from the nearest street; None of streets, and where there are none."""
    inside: float | None
    """Share of them in the study area; None where there is none."""


@dataclass(frozen=True, slots=True)
class Row:
    """One file of a study, for the table of ``lifecircle check``."""

    layer: str
    file: str
    rows_in: int
    rows_kept: int
    datum: str
    encoding: str | None
    columns: MappingProxyType[str, str]
    """Product column → file column."""
    unused: tuple[str, ...] = ()
    """Columns of the file that no column of the product is read from; of OSM features none is listed."""
    fit: Fit | None = None
    """None of the area, of rasters and tables, and where nobody asked for it."""


@dataclass(frozen=True, slots=True)
class Examined:
    """What came of reading a study: the study where nothing blocks, all faults, and a row for each file."""

    study: Study | None
    faults: tuple[Fault, ...]
    rows: tuple[Row, ...]
    notes: tuple[Note, ...]
    repairs: pd.DataFrame


@dataclass(slots=True)
class Read:
    """One file as read, before the study's CRS is known."""

    section: LayerSection
    path: Path
    reading: Reading
    rows_in: int
    """Rows of the file, before the ``keep`` filter."""
    system: LocalSystem | None = None
    """The local system that the section's ``datum`` names."""
    row: int | None = None
    """Which of the rows of the study is this file's."""


@dataclass(slots=True)
class Work:
    """What gathers while a study is read."""

    settings: StudySettings
    folder: Path
    faults: list[Fault] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    repairs: list[pd.DataFrame] = field(default_factory=list)
    layers: dict[str, gpd.GeoDataFrame] = field(default_factory=dict)
    rasters: dict[str, Path] = field(default_factory=dict)
    grounds: dict[Path, Ground] = field(default_factory=dict)
    locals: dict[str, Local] = field(default_factory=dict)
    hashes: dict[Path, str] = field(default_factory=dict)
    extracts: dict[tuple[Path, str, tuple[str, ...]], gpd.GeoDataFrame] = field(default_factory=dict)
    joined: dict[tuple[str, str], tuple[str, dict[str, str]]] = field(default_factory=dict)
    """Layer and file → the table joined to it, and which of its columns each product column was taken from."""

    def path(self, section: LayerSection | JoinSection) -> Path:
        """Return where a section's file lies."""
        return self.folder / Path(section.path).expanduser()

    def of_table(self, fault: Fault, section: LayerSection) -> Fault:
        """Return a fault of a joined figure with the file and the column that the user has to look at."""
        table, columns = self.joined.get((str(fault.layer), section.path), ("", {}))
        parts = str(fault.column).split("+")
        if not columns.keys() >= set(parts):
            return fault
        return replace(fault, file=table, column="+".join(columns[part] for part in parts))

    def examined(self, study: Study | None) -> Examined:
        """Return what was found, with the study where it can be used."""
        return Examined(study, tuple(self.faults), tuple(self.rows), tuple(self.notes), self.repaired())

    def repaired(self) -> pd.DataFrame:
        """Return the repair log of all layers."""
        logs = [log for log in self.repairs if len(log)]
        return pd.concat(logs, ignore_index=True) if logs else no_repairs()

    def blocked(self) -> bool:
        """Tell whether a fault forbids to go on."""
        return any(fault.blocks for fault in self.faults)


def sections_of(settings: StudySettings) -> dict[str, list[LayerSection]]:
    """Return the sections of all layers, the area first."""
    listed = {name: part if isinstance(part, list) else [part] for name, part in settings.layers.items()}
    return ({"area": [settings.area]} if settings.area is not None else {}) | {
        str(name): part for name, part in listed.items()
    }


def placed(fault: Fault, layer: str, section: LayerSection) -> Fault:
    """Return a fault with its file and layer filled in, the file as the user wrote it."""
    return replace(fault, file=section.path, layer=fault.layer or layer)


def record(
    work: Work,
    layer: str,
    section: LayerSection | JoinSection,
    path: Path,
    rows: tuple[int, int],
    datum: str,
    *,
    encoding: str | None = None,
    columns: dict[str, str] | None = None,
) -> None:
    """Add a file to the list of sources; OSM is attributed without being asked."""
    osm = is_osm(path)
    if path not in work.hashes:
        work.hashes[path] = sha256_of(path)
    maker, licence = section.source or (ATTRIBUTION if osm else None), section.licence or (LICENCE if osm else None)
    file = " ".join(part for part in (section.path, getattr(section, "table", None)) if part)
    work.sources.append(Source(layer, file, work.hashes[path], *rows, datum, maker, licence))
    work.rows.append(Row(layer, file, *rows, datum, encoding, MappingProxyType(columns or {})))


def move_to(layer: str, read: Read, crs: CRS) -> gpd.GeoDataFrame:
    """Return a layer in a CRS.

    Raises
    ------
    InputError
        When nothing states its datum, when the datum is unknown, or when the coordinates cannot be what is stated:
        degrees where it says metres, zone numbers where it says none, northings first.
    """
    frame, datum = read.reading.frame, read.section.datum
    if frame.crs is None and datum is None:
        message = f"{layer}: neither the file nor the study states a datum"
        raise InputError(message, Fault("faults.datum_missing", layer=layer))
    if read.system is None:
        _require_possible(layer, frame, datum)
    try:
        moved = transform(frame, read.system or datum, crs)
    except InputError as error:
        faults = [_looks_like(fault, layer) for fault in error.faults]
        raise InputError(str(error), *faults) from error
    before, after = (shapely.get_coordinates(part.geometry.to_numpy()) for part in (frame, moved))
    lost = np.flatnonzero(np.isfinite(before).all(axis=1) & ~np.isfinite(after).all(axis=1))
    if len(lost):
        first = ", ".join(f"{part:.10g}" for part in before[lost[0]])
        message = f"{layer}: coordinates like ({first}) lie nowhere in {datum_name(read)}"
        detail = {"count": len(lost), "stated": datum_name(read)}
        raise InputError(message, Fault("datum.off_the_map", layer=layer, value=f"({first})", detail=detail))
    return moved


def _require_possible(layer: str, frame: gpd.GeoDataFrame, datum: str | None) -> None:
    """Refuse coordinates whose range contradicts the CRS in metres that the study or the file states.

    Raises
    ------
    InputError
        With what the coordinates look like.
    """
    named = (datum or "").strip().lower()
    baidu = named == "bd09mc"
    stated = as_crs("EPSG:3857") if baidu else frame.crs if datum is None or named in DATUMS else as_crs(datum, layer)
    if stated is None or stated.is_geographic or frame.empty:
        return
    shown = datum if datum is not None and (baidu or named not in DATUMS) else stated.to_string()[:60]
    west, south, east, north = frame.total_bounds
    if -180 <= west <= east <= 180 and -90 <= south <= north <= 90:
        message = f"{layer} is in degrees, its datum {shown} in metres"
        raise InputError(message, Fault("faults.degrees_declared_metric", layer=layer, value=shown))
    points = shapely.get_coordinates(frame.geometry.to_numpy())
    looks = contradiction(stated, points)
    if looks is None:
        return
    code = "datum.looks_swapped" if looks.swapped else f"datum.looks_{looks.kind}"
    first = ", ".join(f"{part:.10g}" for part in points[np.isfinite(points).all(axis=1)][0])
    likely = "Baidu Mercator" if looks.datum in SHIFTED else as_crs(looks.datum).name
    message = f"{layer}: coordinates like ({first}) are not of {stated.name}; they look like {likely}"
    detail = {
        "stated": shown,
        "name": "Baidu Mercator" if baidu else stated.name,
        "write": looks.datum,
        "likely": likely,
    }
    raise InputError(message, Fault(code, layer=layer, value=f"({first})", detail=detail))


def _looks_like(fault: Fault, layer: str) -> Fault:
    """Say of coordinates that cannot be degrees what they look like: metres, or latitude before longitude."""
    if fault.code != "gis.crs_not_degrees" or not isinstance(fault.value, tuple):
        return fault
    x, y = (abs(float(part)) for part in fault.value)
    code = "faults.axes_swapped" if x <= LATITUDE_MOST < y <= LONGITUDE_MOST else "faults.metres_declared_degrees"
    shown = ", ".join(f"{part:.10g}" for part in fault.value)
    return replace(fault, code=code, layer=layer, value=f"({shown})")


def datum_name(read: Read) -> str:
    """Return how the datum of a file is called in the list of sources."""
    if read.section.datum is not None:
        return read.section.datum
    crs = as_crs(read.reading.frame.crs)
    authority = crs.to_authority()
    return ":".join(authority) if authority is not None else crs.name


def old_survey(layer: str, read: Read, crs: CRS) -> list[Fault]:
    """Return a warning where a layer is moved from Beijing 1954 or Xian 1980 by national parameters, with how good."""
    datum = read.section.datum
    named = datum is not None and datum.strip().lower() in DATUMS
    if read.system is not None:
        return []
    stated = read.reading.frame.crs if datum is None or named else as_crs(datum)
    base = None if stated is None else as_crs(stated).geodetic_crs
    if base is None or base.name not in OLD_SURVEYS:
        return []
    best = Transformer.from_crs(base, crs, always_xy=True).accuracy
    code = "datum.old_survey" if best > 0 else "datum.old_survey_unmoved"
    detail = {"name": as_crs(stated).name, "accuracy": f"{best:g}"}
    return [Fault(code, read.section.path, layer, detail=detail, blocks=False)]


def swap_axes(read: Read) -> None:
    """Exchange the coordinates of a file whose section says that the northing or the latitude comes first."""
    frame = read.reading.frame
    if read.section.axes == "north_east" and not read.reading.osm:
        turned = shapely.transform(frame.geometry.to_numpy(), lambda points: points[:, ::-1])
        read.reading = replace(read.reading, frame=frame.set_geometry(turned, crs=frame.crs))


def named_columns(section: LayerSection) -> dict[str, str]:
    """Return a section's column map without where its coordinates are."""
    return {name: source for name, source in section.columns.items() if name not in COORDINATES}


def keep_rows(work: Work, layer: str, section: LayerSection, frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the rows that the ``keep`` filters of a section let through."""
    for column, wanted in section.keep.items():
        if column not in frame.columns:
            detail = {"columns": ", ".join(str(name) for name in frame.columns if name != frame.geometry.name)}
            work.faults.append(Fault("faults.column_missing", section.path, layer, column=column, detail=detail))
            continue
        values = {wanted} if isinstance(wanted, str) else set(wanted)
        frame = frame[frame[column].astype("str").str.strip().isin(values)]
    return frame
