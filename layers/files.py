"""Any source in, one frame out: vector files, drawings, tables, OSM extracts, in the file's own CRS."""

from __future__ import annotations

import hashlib
import warnings
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely

from ..gis.errors import Fault, InputError, MissingFileError
from .cad import read_drawing
from .encodings import beside, redecode, shapefile_text
from .graphml import GRAPHML, graphml_frame
from .osmfile import is_osm, osm_features
from .reading import How, Reading, refuse_archive, refuse_entities, unreadable
from .study import Note
from .tables import place_rows, read_table

if TYPE_CHECKING:
    from pathlib import Path

VECTOR = (".gpkg", ".shp", ".geojson", ".json", ".fgb", ".kml", ".kmz", ".gdb", ".dxf")
TABLE = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm")
PARQUET = (".parquet", ".geoparquet", ".pq")
RASTER = (".tif", ".tiff", ".vrt")

NEEDED = (".shx", ".dbf")
"""Companions without which a shapefile is not whole."""

INSTEAD = {".dwg": "dwg", ".xls": "xls", ".et": "xls", ".mdb": "mdb", ".zip": "zip", ".rar": "zip", ".7z": "zip"}
"""Kinds of file that are not read, but whose owner can save them as one that is: a key ``files.instead_…``."""


def read_source(path: Path, how: How | None = None) -> Reading:
    """Read the features of any supported file.

    Parameters
    ----------
    path
        GeoPackage, Shapefile, GeoJSON, GeoParquet, FlatGeobuf, KML, file geodatabase; DXF drawing; CSV or Excel with
        coordinates; GraphML of streets; OSM extract with tags.
    how
        What the study says about it.

    Raises
    ------
    MissingFileError
        When the file does not exist.
    InputError
        When it cannot be read as what its name says, a layer in it must be named, or a table has no coordinates.
    """
    if not path.exists():
        message = f"no such file: {path}"
        raise MissingFileError(message, Fault("faults.file_missing", file=str(path)))
    try:
        return _read_kind(path, how or How())
    except InputError:
        raise
    except OSError as error:  # a folder under a file's name, no right to read, a disk that went away
        raise unreadable(path, error) from error


def _read_kind(path: Path, how: How) -> Reading:
    """Read a file by the kind that its name says."""
    if is_osm(path):
        if not how.tags:
            message = f"no tags say which features of {path} are meant"
            raise InputError(message, Fault("faults.osm_no_tags", file=str(path)))
        return osm_reading(osm_features(path, how.tags, how.shapes), path)
    suffix = path.suffix.lower()
    if suffix == ".dxf":
        return read_drawing(path, how)
    if len(how.layers) > 1:
        message = f"{path} is no drawing; one layer of it can be read at a time"
        raise InputError(message, Fault("files.one_layer", file=str(path), value=", ".join(how.layers)))
    if suffix in TABLE:
        return read_table(path, how)
    if suffix in PARQUET:
        return _read_parquet(path, how)
    if suffix in GRAPHML:
        return Reading(graphml_frame(path))
    if suffix in VECTOR:
        return _read_vector(path, how)
    message = f"unknown kind of file: {path}"
    if suffix in INSTEAD:
        raise InputError(message, Fault(f"files.instead_{INSTEAD[suffix]}", file=str(path)))
    known = ", ".join((*VECTOR, *PARQUET, *TABLE, *GRAPHML, ".osm.pbf", ".osm"))
    raise InputError(message, Fault("faults.format", file=str(path), detail={"known": known}))


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file; of a shapefile or file geodatabase, that of its parts by name.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "empty.csv"
    >>> file.touch()
    >>> sha256_of(file)[:8]
    'e3b0c442'
    """
    parts = [path]
    if path.suffix.lower() == ".shp":
        found = (beside(path, suffix) for suffix in (".cpg", ".dbf", ".prj", ".shp", ".shx"))
        parts = [part for part in found if part is not None]
    elif path.is_dir():
        parts = sorted(part for part in path.rglob("*") if part.is_file())
    digest = hashlib.sha256()
    for part in parts:
        with part.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def osm_reading(frame: gpd.GeoDataFrame, path: Path) -> Reading:
    """Return features of an OSM extract as a reading, what the extract cut off noted."""
    skipped = int(frame.attrs.pop("skipped", 0))
    notes = (Note("study.osm_skipped", {"file": path.name, "count": skipped}),) if skipped else ()
    return Reading(frame, osm=True, notes=notes)


def list_layers(path: Path) -> list[tuple[str, bool]]:
    """Return the name of each layer in a vector file, and whether it has geometry.

    Raises
    ------
    InputError
        When the file cannot be opened.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what GDAL has to say comes again when the layer is read
            return [(str(name), kind is not None) for name, kind in pyogrio.list_layers(path)]
    except (pyogrio.errors.DataSourceError, UnicodeDecodeError) as error:  # pyogrio's own, of a name that is no text
        raise unreadable(path, error) from error


def choose_layer(path: Path, how: How) -> str | None:
    """Return the layer of a file to read: the one stated, the only one, or the one named as the product names it.

    Raises
    ------
    InputError
        When the stated layer is not there, or there are several and none is stated.
    """
    listed = list_layers(path)
    names = [name for name, _ in listed]
    mapped = [name for name, spatial in listed if spatial]
    if how.layer is not None:
        if how.layer in names:
            return how.layer
        message = f"{path} has no layer {how.layer!r}"
        detail = {"names": ", ".join(names)}
        raise InputError(message, Fault("faults.sublayer_missing", file=str(path), value=how.layer, detail=detail))
    if len(mapped) <= 1:
        return mapped[0] if mapped else (names[0] if names else None)
    if how.prefer in mapped:
        return how.prefer
    message = f"{path} has {len(mapped)} layers; state which"
    raise InputError(message, Fault("faults.sublayer_which", file=str(path), detail={"names": ", ".join(mapped)}))


def _read_vector(path: Path, how: How) -> Reading:
    """Read a vector file with GDAL; a shapefile byte for byte, so that cut names and odd encodings come through."""
    _refuse_what_is_not_whole(path)
    shapefile = path.suffix.lower() == ".shp"
    notes: list[Note] = []
    faults: list[Fault] = []
    codec = None
    if shapefile:
        found = shapefile_text(path, encoding=how.encoding)
        codec = found.codec
        faults += found.doubts(str(path))
        notes.append(Note("study.encoding", {"file": path.name, "encoding": codec, "by": found.by}))
    layer = choose_layer(path, how)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            encoding = "ISO-8859-1" if shapefile else how.encoding
            frame = pyogrio.read_dataframe(path, layer=layer, encoding=encoding)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pyogrio.errors.FeatureError) as error:
        raise unreadable(path, error) from error
    except (UnicodeDecodeError, shapely.errors.GEOSException, ValueError, RuntimeError) as error:
        raise unreadable(path, error) from error
    except UnboundLocalError as error:  # pyogrio's own, of a CRS that GDAL cannot write down
        message = f"the CRS of {path} cannot be read"
        raise InputError(message, Fault("files.crs_damaged", file=str(path))) from error
    except (OSError, TypeError, OverflowError, LookupError, MemoryError) as error:
        raise unreadable(path, error) from error
    said = dict.fromkeys(str(warning.message) for warning in caught if warning.category is RuntimeWarning)
    faults += [Fault("faults.reader_said", file=str(path), detail={"said": text}, blocks=False) for text in said]
    if codec is not None:
        frame = _redecoded(frame, codec)
    if not isinstance(frame, gpd.GeoDataFrame):
        frame = place_rows(frame, path, how)
    return Reading(frame, codec, notes=tuple(notes), warnings=tuple(faults))


def _refuse_what_is_not_whole(path: Path) -> None:
    """Raise where a shapefile lacks a companion, a KML declares entities, or an archive would unpack without end."""
    suffix = path.suffix.lower()
    if suffix == ".shp":
        missing = [ending for ending in NEEDED if beside(path, ending) is None]
        if missing:
            message = f"{path} lacks {', '.join(missing)}"
            raise InputError(message, Fault("files.companion", file=str(path), detail={"missing": ", ".join(missing)}))
    elif suffix == ".kml":
        refuse_entities(path)
    elif suffix == ".kmz":
        refuse_archive(path)


def _redecoded(frame: pd.DataFrame, codec: str) -> pd.DataFrame:
    """Return a frame that was read as Latin-1 with names and texts in their true encoding."""
    geometry = frame.geometry.name if isinstance(frame, gpd.GeoDataFrame) else None
    for name in frame.columns:
        if name != geometry and (frame[name].dtype == object or isinstance(frame[name].dtype, pd.StringDtype)):
            frame[name] = pd.Series(redecode(frame[name].array, codec), index=frame.index, dtype="str")
    names = [name if name == geometry else str(redecode([name], codec)[0]) for name in frame.columns]
    frame.columns = pd.Index(names)
    return frame


def _read_parquet(path: Path, how: How) -> Reading:
    """Read GeoParquet, or a plain Parquet table with coordinates."""
    from pyarrow import parquet  # type: ignore[import-untyped]  # noqa: PLC0415  slow to import

    try:
        metadata = parquet.read_schema(path).metadata or {}
        if b"geo" in metadata:
            with np.errstate(invalid="ignore"):  # coordinates that are not numbers are a fault of the layer, said there
                return Reading(gpd.read_parquet(path))
        return Reading(place_rows(pd.read_parquet(path), path, how))
    except InputError:
        raise
    except (ValueError, OSError, KeyError, TypeError) as error:
        raise unreadable(path, error) from error
