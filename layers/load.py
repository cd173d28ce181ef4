"""A study from its study.toml: every layer read, brought into one metric CRS and checked, all faults together."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ..gis.crs import transform
from ..gis.errors import Fault, InputError
from .agreement import disagreements
from .config import read_settings
from .contracts import AREA, CONTRACTS
from .dburl import is_database
from .facility_hand import facility_faults
from .files import RASTER, osm_reading, read_source
from .fit import with_candidates
from .fit_stated import add_fits, doubts, reference_of
from .gather import (
    Examined,
    Read,
    Work,
    datum_name,
    keep_rows,
    move_to,
    named_columns,
    old_survey,
    placed,
    record,
    sections_of,
    swap_axes,
)
from .local import read_local
from .named import named_faults, ring_faults, standard_named
from .osmfile import Wanted, is_osm, osm_ground, osm_layers
from .osmlayers import in_product_columns, is_tagged
from .place import crs_and_area
from .plausible import plausible_faults
from .postgis import Database, read_database
from .prepare import prepare
from .rasters import raster_faults
from .reading import How
from .study import Note, Study
from .table import check
from .tables import COORDINATES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyproj import CRS

    from .settings import LayerSection, StudySettings
    from .table import Contract

MARGIN_M = 3000.0
"""How far outside the area streets, facilities and barriers still count: twice the longest circle and more."""

BEYOND_AREA = frozenset({"streets", "facilities", "gates", "barriers", "ring_lines"})
"""Layers of which what lies up to `MARGIN_M` outside the area is kept; of the others only what touches the area."""

TOUCH_M = 1.0
"""A feature that overlaps the area by less than this is a neighbour's that shares its boundary."""

LEAST_ELSEWHERE = 2
"""From so many layers on it is the area that is thought to lie elsewhere, when all of them lie apart from it."""

TOGETHER_KM = 50.0
"""Layers whose distances from the area differ by less are taken to lie together."""

_FRAME_KEYS = ("layer", "datum", "encoding", "columns", "values", "keep", "tags")
"""Keys that say nothing of OSM streets and rasters, whose CRS and content are their own."""

_OSM_OPTIONAL = {"facilities": frozenset({"facility_class"})}


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


def examine(path: Path | str, *, progress: Callable[[str], None] | None = None, fits: bool = False) -> Examined:
    """Read and check a study as `load_study` does, and return what was found whether or not it can be used.

    With ``fits``, each file's row also says how well it fits the streets and the area.

    Raises
    ------
    InputError
        When study.toml itself cannot be read; then no layer is looked at.
    """
    place = Path(path)
    place = place / "study.toml" if place.is_dir() else place
    return examine_settings(read_settings(place), place.resolve().parent, progress=progress, fits=fits)


def examine_settings(
    settings: StudySettings, folder: Path, *, progress: Callable[[str], None] | None = None, fits: bool = False
) -> Examined:
    """Read and check the study that settings describe; their relative paths start at ``folder``."""
    work = Work(settings, folder)
    work.faults += named_faults(settings, work.folder)
    work.locals, faults = read_local(settings.local, work.folder)
    work.faults += faults
    work.notes += [note for local in work.locals.values() for note in local.notes()]
    reads = _read_all(work, progress or (lambda _: None))
    crs_area = crs_and_area(work, reads)
    if crs_area is None:
        with_candidates(work, reads)
        return work.examined(None)
    crs, area = crs_area
    if settings.study.datum is not None:
        work.notes.append(Note("datum.shifted"))
    if area is not None:
        work.faults += raster_faults(work, crs, area.geometry.iloc[0])
    for layer, parts in reads.items():
        if layer != "area":
            _assemble(work, layer, parts, crs, area)
    _one_for_the_area(work)
    with_candidates(work, reads)
    reference = reference_of(work, reads, always=fits)
    work.faults += doubts(reads, reference)
    if fits:
        add_fits(work, reads, reference)
    work.faults += plausible_faults(work.layers, work.rows, {str(fault.layer) for fault in work.faults if fault.blocks})
    order = {layer: place for place, layer in enumerate(sections_of(settings))}
    work.sources.sort(key=lambda source: order[source.layer])
    work.rows.sort(key=lambda row: order[row.layer])
    if area is not None:
        known, _ = standard_named(settings.study.standard, work.folder)
        work.faults += disagreements(work.layers, work.rows, area.geometry.iloc[0], standard=known)
    if area is None or work.blocked():
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
        local=MappingProxyType(work.locals),
        repairs=work.repaired(),
    )
    if not study.osm or "ring_lines" in study.layers:
        work.faults += ring_faults(study)
    work.faults += facility_faults(study)
    return work.examined(None if work.blocked() else study)


def candidates_by_file(settings: StudySettings, folder: Path) -> tuple[Fault, ...]:
    """Return a fault for each file of which nothing states the datum, with what it may be, best fit first.

    Parameters
    ----------
    settings
        A study, perhaps not yet complete.
    folder
        Where its paths start.
    """
    work = Work(settings, folder)
    reads = _read_all(work, lambda _: None)
    work.faults = [
        Fault("faults.datum_missing", read.section.path, layer)
        for layer, parts in reads.items()
        for read in parts
        if read.reading.frame.crs is None and read.section.datum is None
    ]
    with_candidates(work, reads)
    return tuple(work.faults)


def _read_all(work: Work, progress: Callable[[str], None]) -> dict[str, list[Read]]:
    """Read every file of the study in its own CRS; faults of one file do not hide those of the next."""
    reads: dict[str, list[Read]] = {}
    for layer, sections in sections_of(work.settings).items():
        progress(layer)
        for section in sections:
            try:
                read = _read(work, layer, section)
            except InputError as error:
                work.faults += [placed(fault, layer, section) for fault in error.faults]
                continue
            if read is not None:
                if section.datum in work.settings.local:
                    if section.datum not in work.locals:
                        continue  # that system's own fault says why
                    read.system = work.locals[section.datum].system
                swap_axes(read)
                kept = keep_rows(work, layer, section, read.reading.frame)
                read.reading = replace(read.reading, frame=kept)
                reads.setdefault(layer, []).append(read)
    if work.grounds and "streets" in reads:
        work.faults.append(Fault("faults.streets_mixed", layer="streets"))
    if "streets" not in work.settings.layers:
        work.faults.append(Fault("faults.no_streets", layer="streets"))
    return reads


def _read(work: Work, layer: str, section: LayerSection) -> Read | None:
    """Read one file; None for OSM streets and rasters, which are noted and left to their readers."""
    if is_database(section.path):
        return _read_database(work, layer, section)
    if section.table is not None or section.sql is not None:
        message = f"{layer}: table and sql are for databases"
        raise InputError(message, Fault("postgis.no_database"))
    path = work.path(section)
    suffix = path.suffix.lower()
    raster = layer == "dem" or (layer == "population" and suffix in RASTER)
    if raster or (layer == "streets" and is_osm(path)):
        idle = [name for name in _FRAME_KEYS if getattr(section, name)]
        if idle:
            detail = {"settings": ", ".join(idle)}
            work.faults.append(Fault("faults.without_effect", section.path, layer, detail=detail, blocks=False))
    if layer == "streets" and is_osm(path):
        work.grounds[path] = ground = osm_ground(path)
        record(work, layer, section, path, (ground.ways, ground.ways), "EPSG:4326")
        return None
    if raster:
        cells, crs = _raster(path, section)
        work.rasters[layer] = path
        record(work, layer, section, path, (cells, cells), crs)
        return None
    if is_osm(path) and section.tags:
        reading = osm_reading(_osm_frame(work, layer, section, path), path)
        return Read(section, path, reading, len(reading.frame))
    contract = AREA if layer == "area" else CONTRACTS[layer]
    columns = {name: source for name, source in section.columns.items() if name in COORDINATES}
    how = How(
        layer=section.layers[0] if section.layers else None,
        layers=section.layers,
        prefer=layer,
        encoding=section.encoding,
        columns=columns,
        tags=tuple(section.tags),
        shapes=contract.shapes,
    )
    reading = read_source(path, how)
    return Read(section, path, reading, len(reading.frame))


def _read_database(work: Work, layer: str, section: LayerSection) -> Read:
    """Read a layer out of PostGIS."""
    if layer == "dem":
        message = "rasters are not read from a database"
        raise InputError(message, Fault("postgis.no_raster"))
    columns = {name: source for name, source in section.columns.items() if name in COORDINATES}
    where = Database(section.path, section.password, section.table, section.sql)
    path = Path(f"{layer}.{section.table or 'sql'}.{len(work.hashes)}")
    reading = read_database(where, How(columns=columns), path)
    work.hashes[path] = reading.sha256 or ""
    return Read(section, path, reading, len(reading.frame))


def _osm_frame(work: Work, layer: str, section: LayerSection, path: Path) -> gpd.GeoDataFrame:
    """Return a section's features of an extract; the first that asks has all sections of the file read in one pass."""
    key = (path, layer, tuple(section.tags))
    if key not in work.extracts:
        keys = {
            (work.path(part), name, tuple(part.tags))
            for name, parts in sections_of(work.settings).items()
            for part in parts
            if name != "streets" and work.path(part) == path and part.tags
        }
        try:
            _read_extract(work, path, sorted(keys))
        except InputError:  # perhaps of a filter that another section states: that fault is its own
            _read_extract(work, path, [key])
    return work.extracts.pop(key)


def _read_extract(work: Work, path: Path, keys: Sequence[tuple[Path, str, tuple[str, ...]]]) -> None:
    """Read the layers of an OSM extract and keep them until their sections ask."""
    contracts = {"area": AREA, **CONTRACTS}
    wanted = [Wanted(tags, contracts[layer].shapes) for _, layer, tags in keys]
    work.extracts.update(zip(keys, osm_layers(path, wanted), strict=True))


def _raster(path: Path, section: LayerSection) -> tuple[int, str]:
    """Return the number of cells and the CRS of a raster.

    Raises
    ------
    InputError
        When it cannot be read or does not state its CRS and place; the CRS of a raster cannot be stated beside it.
    """
    import rasterio  # noqa: PLC0415  slow to import, needed by few studies
    from rasterio.errors import NotGeoreferencedWarning, RasterioError  # noqa: PLC0415

    if not path.is_file():
        message = f"no such file: {path}"
        raise InputError(message, Fault("faults.file_missing", file=section.path))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)  # said below
            with rasterio.open(path) as raster:
                crs, cells = raster.crs, raster.width * raster.height
                placed_nowhere = raster.transform.is_identity
    except RasterioError as error:
        message = f"not a readable raster: {path}"
        reason = " ".join(str(error).split())[:200]
        raise InputError(message, Fault("faults.unreadable", file=section.path, detail={"reason": reason})) from error
    if crs is not None and placed_nowhere:
        message = f"the raster {path} states no place"
        raise InputError(message, Fault("files.raster_no_place", file=section.path))
    if crs is None:
        message = f"the raster {path} states no CRS"
        raise InputError(message, Fault("faults.raster_crs", file=section.path))
    return cells, str(crs.to_string())


def _assemble(work: Work, layer: str, parts: Sequence[Read], crs: CRS, area: gpd.GeoDataFrame | None) -> None:
    """Bring a layer's files into the study's CRS and its contract, and put them together."""
    contract = CONTRACTS[layer]
    frames = []
    for number, read in enumerate(parts, start=1):
        try:
            frame = _one(work, contract, read, crs, area)
        except InputError as error:
            work.faults += [placed(fault, layer, read.section) for fault in error.faults]
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


def _one(
    work: Work, contract: Contract, read: Read, crs: CRS, area: gpd.GeoDataFrame | None
) -> gpd.GeoDataFrame | None:
    """Return one file of a layer, moved, filtered, cut to the area and checked; None where nothing of it is left."""
    layer, section, reading = contract.layer, read.section, read.reading
    rows_in = read.rows_in
    if reading.osm:
        read.reading = replace(reading, frame=in_product_columns(reading.frame, layer))
    frame = prepare(work, contract, section, move_to(layer, read, crs))
    work.faults += old_survey(layer, read, crs)
    work.notes += [replace(note, detail={"layer": layer, **note.detail}) for note in reading.notes]
    work.faults += [placed(fault, layer, section) for fault in reading.warnings]
    if area is not None and not frame.empty:
        near = _near(work, contract, read, frame, area)
        if near is None:
            return None
        frame = near
    if frame.empty and reading.osm:
        record(work, layer, section, read.path, (rows_in, 0), datum_name(read))
        work.notes.append(Note("study.osm_none", {"layer": layer}))
        return None
    optional = _OSM_OPTIONAL.get(layer, frozenset()) if is_tagged(frame.columns) else frozenset[str]()
    columns = named_columns(section)
    checked = check(frame, contract, file=section.path, columns=columns, values=section.values, optional=optional)
    work.faults += [work.of_table(fault, section) for fault in checked.faults]
    work.notes += checked.notes
    work.repairs.append(checked.repairs)
    rows, found = (rows_in, len(checked.frame)), dict(checked.found)
    texts = [str(name) for name in reading.frame.columns if name != reading.frame.geometry.name]
    unused = [] if reading.osm or is_tagged(texts) else [name for name in texts if name not in found.values()]
    record(work, layer, section, read.path, rows, datum_name(read), encoding=reading.encoding, columns=found)
    work.rows[-1] = replace(work.rows[-1], unused=tuple(unused))
    read.row = len(work.rows) - 1
    return checked.frame


def _near(
    work: Work, contract: Contract, read: Read, frame: gpd.GeoDataFrame, area: gpd.GeoDataFrame
) -> gpd.GeoDataFrame | None:
    """Return the features in or near the area; None and a fault where the whole layer lies elsewhere."""
    layer, path = contract.layer, read.section.path
    outline = area.geometry.iloc[0]
    reach = outline.buffer(MARGIN_M if layer in BEYOND_AREA else -TOUCH_M)
    box = shapely.box(*outline.buffer(MARGIN_M).bounds)
    if not np.isfinite(frame.total_bounds).all():
        return frame  # without any place: the check of the layer says so
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


def _one_for_the_area(work: Work) -> None:
    """Put one fault of the area in place of one for each layer, where all lie elsewhere than it, but together."""
    far = [fault for fault in work.faults if fault.code == "faults.far_away"]
    if work.settings.area is None or len(far) < LEAST_ELSEWHERE or work.layers or work.grounds:
        return
    distances = [float(str(fault.detail["km"])) for fault in far]
    if max(distances) - min(distances) > TOGETHER_KM:
        return
    detail = {"count": len(far), "km": round(min(distances))}
    one = Fault("faults.area_elsewhere", work.settings.area.path, "area", detail=detail)
    work.faults[:] = [one, *(fault for fault in work.faults if fault.code != "faults.far_away")]


def _swapped_fits(read: Read, frame: gpd.GeoDataFrame, box: shapely.Polygon) -> bool:
    """Tell whether the layer would lie in the study area if its axes were exchanged."""
    source = read.reading.frame
    swapped = shapely.transform(source.geometry.to_numpy(), lambda points: points[:, ::-1])
    try:
        moved = transform(
            source.set_geometry(gpd.GeoSeries(swapped, index=source.index, crs=source.crs)),
            read.system or read.section.datum,
            frame.crs,
        )
    except InputError:
        return False
    bounds = moved.total_bounds
    return bool(np.isfinite(bounds).all() and shapely.box(*bounds).intersects(box))
