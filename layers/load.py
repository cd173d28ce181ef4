"""A study from its study.toml: every layer read, brought into one metric CRS and checked, all faults together."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd
import shapely
from pyproj import CRS

from ..gis.crs import DATUMS, as_crs, require_metric, to_crs, transform, working_crs
from ..gis.errors import Fault, InputError
from .config import read_settings
from .contracts import AREA, CONTRACTS
from .files import COORDINATES, RASTER, How, Reading, osm_reading, read_source, sha256_of
from .osmfile import ATTRIBUTION, LICENCE, Ground, Wanted, is_osm, osm_ground, osm_layers
from .osmlayers import in_product_columns, is_tagged
from .study import Note, Source, Study
from .table import check

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .settings import LayerSection, StudySettings
    from .table import Contract

MARGIN_M = 3000.0
"""How far outside the area streets, facilities and barriers still count: twice the longest circle and more."""

BEYOND_AREA = frozenset({"streets", "facilities", "gates", "barriers", "ring_lines"})
"""Layers of which what lies up to `MARGIN_M` outside the area is kept; of the others only what touches the area."""

TOUCH_M = 1.0
"""A feature that overlaps the area by less than this is a neighbour's that shares its boundary."""

CLIP_STATED, CLIP_GUESSED = 0.01, 0.20
"""Share of the area outside an OSM extract from which on it is cut to it: where the header states a box, and not."""

_OSM_OPTIONAL = {"facilities": frozenset({"facility_class"})}


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


@dataclass(frozen=True, slots=True)
class Examined:
    """What came of reading a study: the study where nothing blocks, all faults, and a row for each file."""

    study: Study | None
    faults: tuple[Fault, ...]
    rows: tuple[Row, ...]
    notes: tuple[Note, ...]


@dataclass(slots=True)
class _Read:
    """One file as read, before the study's CRS is known."""

    section: LayerSection
    path: Path
    reading: Reading


@dataclass(slots=True)
class _Work:
    """What gathers while a study is read."""

    settings: StudySettings
    folder: Path
    faults: list[Fault] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    layers: dict[str, gpd.GeoDataFrame] = field(default_factory=dict)
    rasters: dict[str, Path] = field(default_factory=dict)
    grounds: dict[Path, Ground] = field(default_factory=dict)
    hashes: dict[Path, str] = field(default_factory=dict)
    extracts: dict[tuple[Path, str, tuple[str, ...]], gpd.GeoDataFrame] = field(default_factory=dict)

    def path(self, section: LayerSection) -> Path:
        return self.folder / Path(section.path).expanduser()

    def examined(self, study: Study | None) -> Examined:
        return Examined(study, tuple(self.faults), tuple(self.rows), tuple(self.notes))

    def blocked(self) -> bool:
        return any(fault.blocks for fault in self.faults)


def load_study(path: Path | str, *, progress: Callable[[str], None] | None = None) -> Study:
    """Read and check a study.

    Parameters
    ----------
    path
        A study.toml, or the folder that holds one.
    progress
        Called with the name of each layer before it is read.

    Raises
    ------
    MissingFileError
        When there is no study.toml.
    InputError
        With every fault that blocks, of study.toml or of all layers.
    """
    examined = examine(path, progress=progress)
    blocking = [fault for fault in examined.faults if fault.blocks]
    if examined.study is None or blocking:
        message = f"{path} has {len(blocking)} fault(s): {'; '.join(map(str, blocking[:3]))}"
        raise InputError(message, *blocking)
    return examined.study


def examine(path: Path | str, *, progress: Callable[[str], None] | None = None) -> Examined:
    """Read and check a study as `load_study` does, and return what was found whether or not it can be used.

    Raises
    ------
    InputError
        When study.toml itself cannot be read; then no layer is looked at.
    """
    place = Path(path)
    place = place / "study.toml" if place.is_dir() else place
    settings = read_settings(place)
    work = _Work(settings, place.resolve().parent)
    reads = _read_all(work, progress or (lambda _: None))
    crs_area = _crs_and_area(work, reads)
    if crs_area is None:
        return work.examined(None)
    crs, area = crs_area
    for layer, parts in reads.items():
        if layer != "area":
            _assemble(work, layer, parts, crs, area)
    order = {layer: place for place, layer in enumerate(_sections(settings))}
    work.sources.sort(key=lambda source: order[source.layer])
    work.rows.sort(key=lambda row: order[row.layer])
    if work.blocked():
        return work.examined(None)
    study = Study(
        settings=settings,
        folder=work.folder,
        crs=crs,
        area=area,
        layers=MappingProxyType(work.layers),
        rasters=MappingProxyType(work.rasters),
        osm=tuple(work.grounds),
        sources=tuple(work.sources),
        notes=tuple(work.notes),
        warnings=tuple(fault for fault in work.faults if not fault.blocks),
    )
    return work.examined(study)


def _sections(settings: StudySettings) -> dict[str, list[LayerSection]]:
    """Return the sections of all layers, the area first."""
    listed = {name: part if isinstance(part, list) else [part] for name, part in settings.layers.items()}
    return ({"area": [settings.area]} if settings.area is not None else {}) | {
        str(name): part for name, part in listed.items()
    }


def _read_all(work: _Work, progress: Callable[[str], None]) -> dict[str, list[_Read]]:
    """Read every file of the study in its own CRS; faults of one file do not hide those of the next."""
    reads: dict[str, list[_Read]] = {}
    for layer, sections in _sections(work.settings).items():
        progress(layer)
        for section in sections:
            try:
                read = _read(work, layer, section)
            except InputError as error:
                work.faults += [_placed(fault, layer, section) for fault in error.faults]
                continue
            if read is not None:
                reads.setdefault(layer, []).append(read)
    if work.grounds and "streets" in reads:
        work.faults.append(Fault("faults.streets_mixed", layer="streets"))
    if "streets" not in work.settings.layers:
        work.faults.append(Fault("faults.no_streets", layer="streets"))
    return reads


def _placed(fault: Fault, layer: str, section: LayerSection) -> Fault:
    """Return a fault with its file and layer filled in, the file as the user wrote it."""
    return replace(fault, file=section.path, layer=fault.layer or layer)


def _read(work: _Work, layer: str, section: LayerSection) -> _Read | None:
    """Read one file; None for OSM streets and rasters, which are noted and left to their readers."""
    path = work.path(section)
    suffix = path.suffix.lower()
    if layer == "streets" and is_osm(path):
        work.grounds[path] = ground = osm_ground(path)
        _record(work, layer, section, path, (ground.ways, ground.ways), "EPSG:4326")
        return None
    if layer == "dem" or (layer == "population" and suffix in RASTER):
        work.rasters[layer] = path
        cells, crs = _raster(path, section)
        _record(work, layer, section, path, (cells, cells), crs)
        return None
    if is_osm(path) and section.tags:
        return _Read(section, path, osm_reading(_osm_frame(work, layer, section, path), path))
    contract = AREA if layer == "area" else CONTRACTS[layer]
    columns = {name: source for name, source in section.columns.items() if name in COORDINATES}
    how = How(section.layer, layer, section.encoding, columns, tuple(section.tags), contract.shapes)
    return _Read(section, path, read_source(path, how))


def _osm_frame(work: _Work, layer: str, section: LayerSection, path: Path) -> gpd.GeoDataFrame:
    """Return a section's features of an OSM extract; the first that asks has all sections of the file read in one pass."""
    key = (path, layer, tuple(section.tags))
    if key not in work.extracts:
        keys = {
            (work.path(part), name, tuple(part.tags))
            for name, parts in _sections(work.settings).items()
            for part in parts
            if name != "streets" and work.path(part) == path and part.tags
        }
        try:
            _read_extract(work, path, sorted(keys))
        except InputError:  # perhaps of a filter that another section states: that fault is its own
            _read_extract(work, path, [key])
    return work.extracts.pop(key)


def _read_extract(work: _Work, path: Path, keys: Sequence[tuple[Path, str, tuple[str, ...]]]) -> None:
    """Read the layers of an OSM extract and keep them until their sections ask."""
    contracts = {"area": AREA, **CONTRACTS}
    wanted = [Wanted(tags, contracts[layer].shapes) for _, layer, tags in keys]
    work.extracts.update(zip(keys, osm_layers(path, wanted), strict=True))


def _raster(path: Path, section: LayerSection) -> tuple[int, str]:
    """Return the number of cells and the CRS of a raster.

    Raises
    ------
    InputError
        When it cannot be read or states no CRS; the CRS of a raster cannot be stated beside it.
    """
    import rasterio  # noqa: PLC0415  slow to import, needed by few studies
    from rasterio.errors import RasterioError  # noqa: PLC0415

    if not path.is_file():
        message = f"no such file: {path}"
        raise InputError(message, Fault("faults.file_missing", file=section.path))
    try:
        with rasterio.open(path) as raster:
            crs, cells = raster.crs, raster.width * raster.height
    except RasterioError as error:
        message = f"not a readable raster: {path}"
        reason = " ".join(str(error).split())[:200]
        raise InputError(message, Fault("faults.unreadable", file=section.path, detail={"reason": reason})) from error
    if crs is None:
        message = f"the raster {path} states no CRS"
        raise InputError(message, Fault("faults.raster_crs", file=section.path))
    return cells, str(crs.to_string())


def _record(
    work: _Work,
    layer: str,
    section: LayerSection,
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
    work.sources.append(Source(layer, section.path, work.hashes[path], *rows, datum, maker, licence))
    work.rows.append(Row(layer, section.path, *rows, datum, encoding, MappingProxyType(columns or {})))


def _crs_and_area(work: _Work, reads: dict[str, list[_Read]]) -> tuple[CRS, gpd.GeoDataFrame] | None:
    """Choose the working CRS and return it with the study area in it; None where faults forbid either."""
    given = reads.get("area", [])
    if work.settings.area is not None and not given:
        return None
    if given:
        shapes = [_degrees(work, "area", read) for read in given]
    elif work.grounds:
        shapes = [gpd.GeoSeries([ground.hull for ground in work.grounds.values()], crs="EPSG:4326")]
    else:
        hulls = [_degrees(work, "streets", read) for read in reads.get("streets", [])]
        shapes = [
            gpd.GeoSeries([shape.union_all().convex_hull], crs="EPSG:4326") for shape in hulls if shape is not None
        ]
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
    else:
        work.notes.append(Note("study.area_from_streets"))
        outlines = [shape.to_crs(crs).union_all() for shape in shapes if shape is not None]
        area = gpd.GeoDataFrame({"name": [work.settings.study.name]}, geometry=[shapely.union_all(outlines)], crs=crs)
    return None if area is None else (crs, _clipped(work, area, crs))


def _crs(work: _Work, bounds: tuple[float, float, float, float]) -> CRS | None:
    """Return the working CRS: the one stated, when it is metric, or the one for these bounds in degrees."""
    stated = work.settings.study.crs
    try:
        if stated != "auto":
            return require_metric(as_crs(stated), "study.crs")
        return working_crs(bounds)
    except InputError as error:
        work.faults += [replace(fault, file="study.toml", layer=None, column="study.crs") for fault in error.faults]
        return None


def _degrees(work: _Work, layer: str, read: _Read) -> gpd.GeoSeries | None:
    """Return a layer's geometry in WGS 84 degrees; None and a fault where its datum is unknown."""
    try:
        return _moved(layer, read, CRS.from_epsg(4326)).geometry
    except InputError as error:
        work.faults += [_placed(fault, layer, read.section) for fault in error.faults]
        return None


def _moved(layer: str, read: _Read, crs: CRS) -> gpd.GeoDataFrame:
    """Return a layer in a CRS.

    Raises
    ------
    InputError
        When nothing states its datum, when the datum is unknown, or when degrees stand where it says metres.
    """
    frame, datum = read.reading.frame, read.section.datum
    if frame.crs is None and datum is None:
        message = f"{layer}: neither the file nor the study states a datum"
        raise InputError(message, Fault("faults.datum_missing", layer=layer))
    if datum is not None and datum.strip().lower() not in DATUMS:
        declared = as_crs(datum, layer)
        west, south, east, north = frame.total_bounds
        if not declared.is_geographic and -180 <= west <= east <= 180 and -90 <= south <= north <= 90:
            message = f"{layer} is in degrees, its datum {datum} in metres"
            raise InputError(message, Fault("faults.degrees_declared_metric", layer=layer, value=datum))
    return transform(frame, datum, crs)


def _datum_name(read: _Read) -> str:
    """Return how the datum of a file is called in the list of sources."""
    if read.section.datum is not None:
        return read.section.datum
    crs = as_crs(read.reading.frame.crs)
    authority = crs.to_authority()
    return ":".join(authority) if authority is not None else crs.name


def _given_area(work: _Work, given: Sequence[_Read], crs: CRS) -> gpd.GeoDataFrame | None:
    """Return the study area of the files that draw it, dissolved to one row."""
    shapes = []
    for read in given:
        try:
            moved = _kept(work, "area", read, _moved("area", read, crs))
        except InputError as error:
            work.faults += [_placed(fault, "area", read.section) for fault in error.faults]
            continue
        checked = check(moved, AREA, file=read.section.path, columns=_named_columns(read.section))
        work.faults += checked.faults
        work.notes += [replace(note, detail={"layer": "area", **note.detail}) for note in read.reading.notes]
        work.notes += checked.notes
        shapes.append(checked.frame)
        rows = (len(read.reading.frame), len(checked.frame))
        _record(work, "area", read.section, read.path, rows, _datum_name(read), encoding=read.reading.encoding)
    if all(shape.empty for shape in shapes):
        return None
    outline = shapely.union_all([geometry for shape in shapes for geometry in shape.geometry])
    return gpd.GeoDataFrame({"name": [work.settings.study.name]}, geometry=[outline], crs=crs)


def _clipped(work: _Work, area: gpd.GeoDataFrame, crs: CRS) -> gpd.GeoDataFrame:
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


def _named_columns(section: LayerSection) -> dict[str, str]:
    """Return a section's column map without where its coordinates are."""
    return {name: source for name, source in section.columns.items() if name not in COORDINATES}


def _kept(work: _Work, layer: str, read: _Read, frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the rows that the ``keep`` filters of a section let through."""
    for column, wanted in read.section.keep.items():
        if column not in frame.columns:
            detail = {"columns": ", ".join(str(name) for name in frame.columns if name != frame.geometry.name)}
            work.faults.append(Fault("faults.column_missing", read.section.path, layer, column=column, detail=detail))
            continue
        values = {wanted} if isinstance(wanted, str) else set(wanted)
        frame = frame[frame[column].astype("str").str.strip().isin(values)]
    return frame


def _assemble(work: _Work, layer: str, parts: Sequence[_Read], crs: CRS, area: gpd.GeoDataFrame) -> None:
    """Bring a layer's files into the study's CRS and its contract, and put them together."""
    contract = CONTRACTS[layer]
    frames = []
    for number, read in enumerate(parts, start=1):
        try:
            frame = _one(work, contract, read, crs, area)
        except InputError as error:
            work.faults += [_placed(fault, layer, read.section) for fault in error.faults]
            continue
        if frame is not None:
            frames.append((number, frame))
    if not frames:
        return
    key = next((column.name for column in contract.columns if column.kind == "id"), None)
    if key is not None and len(frames) > 1:
        joined = pd.concat([frame[key] for _, frame in frames])
        if joined.duplicated().any():
            frames = [(number, frame.assign(**{key: f"{number}-" + frame[key]})) for number, frame in frames]
            work.notes.append(Note("study.ids_prefixed", {"layer": layer}))
    together = pd.concat([frame for _, frame in frames], ignore_index=True) if len(frames) > 1 else frames[0][1]
    work.layers[layer] = gpd.GeoDataFrame(together, crs=crs)


def _one(work: _Work, contract: Contract, read: _Read, crs: CRS, area: gpd.GeoDataFrame) -> gpd.GeoDataFrame | None:
    """Return one file of a layer, moved, filtered, cut to the area and checked; None where nothing of it is left."""
    layer, section, reading = contract.layer, read.section, read.reading
    rows_in = len(reading.frame)
    if reading.osm:
        read.reading = replace(reading, frame=in_product_columns(reading.frame, layer))
    frame = _kept(work, layer, read, _moved(layer, read, crs))
    work.notes += [replace(note, detail={"layer": layer, **note.detail}) for note in reading.notes]
    work.faults += [_placed(fault, layer, section) for fault in reading.warnings]
    if not frame.empty:
        near = _near(work, contract, read, frame, area)
        if near is None:
            return None
        frame = near
    if frame.empty and reading.osm:
        _record(work, layer, section, read.path, (rows_in, 0), _datum_name(read))
        work.notes.append(Note("study.osm_none", {"layer": layer}))
        return None
    optional = _OSM_OPTIONAL.get(layer, frozenset()) if is_tagged(frame.columns) else frozenset[str]()
    columns = _named_columns(section)
    checked = check(frame, contract, file=section.path, columns=columns, values=section.values, optional=optional)
    work.faults += checked.faults
    work.notes += checked.notes
    rows, found = (rows_in, len(checked.frame)), dict(checked.found)
    _record(work, layer, section, read.path, rows, _datum_name(read), encoding=reading.encoding, columns=found)
    return checked.frame


def _near(
    work: _Work, contract: Contract, read: _Read, frame: gpd.GeoDataFrame, area: gpd.GeoDataFrame
) -> gpd.GeoDataFrame | None:
    """Return the features in or near the area; None and a fault where the whole layer lies elsewhere."""
    layer, path = contract.layer, read.section.path
    outline = area.geometry.iloc[0]
    reach = outline.buffer(MARGIN_M if layer in BEYOND_AREA else -TOUCH_M)
    box = shapely.box(*outline.buffer(MARGIN_M).bounds)
    extent = shapely.box(*frame.total_bounds)
    if not extent.intersects(box):
        if read.reading.osm:
            return frame.iloc[:0]
        kilometres = round(extent.distance(outline) / 1000, 1)
        code = "faults.far_away_swapped" if _swapped_fits(read, frame, box) else "faults.far_away"
        work.faults.append(Fault(code, path, layer, detail={"km": kilometres}))
        return None
    shapely.prepare(reach)
    geometries = frame.geometry.to_numpy()
    absent = shapely.is_missing(geometries) | ~shapely.is_valid(geometries)
    keep = absent | shapely.intersects(reach, geometries)
    if not keep.any() and not read.reading.osm:
        work.faults.append(Fault("faults.none_in_area", path, layer))
        return None
    if not keep.all():
        work.notes.append(
            Note("study.outside_left_out", {"layer": layer, "file": read.path.name, "count": int((~keep).sum())})
        )
    kept: gpd.GeoDataFrame = frame[keep]
    return kept


def _swapped_fits(read: _Read, frame: gpd.GeoDataFrame, box: shapely.Polygon) -> bool:
    """Tell whether the layer would lie in the study area if its axes were exchanged."""
    source = read.reading.frame
    swapped = shapely.transform(source.geometry.to_numpy(), lambda points: points[:, ::-1])
    try:
        moved = transform(
            source.set_geometry(gpd.GeoSeries(swapped, index=source.index, crs=source.crs)),
            read.section.datum,
            frame.crs,
        )
    except InputError:
        return False
    return bool(shapely.box(*moved.total_bounds).intersects(box))
