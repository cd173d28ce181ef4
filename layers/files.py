"""Any source in, one frame out: vector files, tables with coordinates, OSM extracts, in the file's own CRS."""

from __future__ import annotations

import csv
import hashlib
import io
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyogrio
import shapely

from ..gis.errors import Fault, InputError, MissingFileError
from .encodings import beside, decode_text, redecode, shapefile_encoding
from .graphml import GRAPHML, graphml_frame
from .osmfile import is_osm, osm_features
from .study import Note

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from .table import Shape

VECTOR = (".gpkg", ".shp", ".geojson", ".json", ".fgb", ".kml", ".kmz", ".gdb", ".dxf")
TABLE = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm")
PARQUET = (".parquet", ".geoparquet", ".pq")
RASTER = (".tif", ".tiff", ".vrt")

LON_NAMES = (
    "lon",
    "lng",
    "longitude",
    "long",
    "经度",
    "东经",
    "lon_wgs84",
    "wgs84_lon",
    "x",
    "x坐标",
    "point_x",
    "coord_x",
)
LAT_NAMES = ("lat", "latitude", "纬度", "北纬", "lat_wgs84", "wgs84_lat", "y", "y坐标", "point_y", "coord_y")
PAIR_NAMES = ("lonlat", "lnglat", "lon,lat", "lng,lat", "location", "坐标", "经纬度", "coordinates")
WKT_NAMES = ("wkt", "geometry", "geom", "the_geom")

COORDINATES = ("lon", "lat", "lonlat")
"""Names in a layer's ``columns`` that say where a table's coordinates are: two columns, or one with ``lon,lat``."""

_HEADER_ROWS = 20


@dataclass(frozen=True, slots=True)
class Reading:
    """What came out of one file.

    Parameters
    ----------
    frame
        Features in the file's own CRS; ``crs`` is None where the file states none.
    encoding
        Of its text, where that was in question.
    osm
        Whether it is an OSM extract.
    notes, warnings
        What the reader did or said.
    """

    frame: gpd.GeoDataFrame
    encoding: str | None = None
    osm: bool = False
    notes: tuple[Note, ...] = ()
    warnings: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class How:
    """How to read a file, beside its path: layer inside it, encoding, coordinate columns, OSM tags, shapes wanted."""

    layer: str | None = None
    prefer: str | None = None
    """Name of the layer to take where a file holds several and none is stated."""
    encoding: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    tags: Sequence[str] = ()
    shapes: Sequence[Shape] = ("Point", "LineString", "Polygon")


def read_source(path: Path, how: How | None = None) -> Reading:
    """Read the features of any supported file.

    Parameters
    ----------
    path
        GeoPackage, Shapefile, GeoJSON, GeoParquet, FlatGeobuf, KML, file geodatabase; CSV or Excel with coordinates;
        GraphML of streets; OSM extract with tags.
    how
        What the study says about it.

    Raises
    ------
    MissingFileError
        When the file does not exist.
    InputError
        When it cannot be read as what its name says, a layer in it must be named, or a table has no coordinates.
    """
    how = how or How()
    if not path.exists():
        message = f"no such file: {path}"
        raise MissingFileError(message, Fault("faults.file_missing", file=str(path)))
    if is_osm(path):
        if not how.tags:
            message = f"no tags say which features of {path} are meant"
            raise InputError(message, Fault("faults.osm_no_tags", file=str(path)))
        return osm_reading(osm_features(path, how.tags, how.shapes), path)
    suffix = path.suffix.lower()
    if suffix in TABLE:
        return _read_table(path, how)
    if suffix in PARQUET:
        return _read_parquet(path, how)
    if suffix in GRAPHML:
        return Reading(graphml_frame(path))
    if suffix in VECTOR:
        return _read_vector(path, how)
    known = ", ".join((*VECTOR, *PARQUET, *TABLE, *GRAPHML, ".osm.pbf", ".osm"))
    message = f"unknown kind of file: {path}"
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


def _unreadable(path: Path, error: Exception) -> InputError:
    """Return the error for a file that its reader refuses."""
    reason = " ".join(str(error).split())[:200]
    message = f"cannot read {path}: {reason}"
    return InputError(message, Fault("faults.unreadable", file=str(path), detail={"reason": reason}))


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
    except pyogrio.errors.DataSourceError as error:
        raise _unreadable(path, error) from error


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
    shapefile = path.suffix.lower() == ".shp"
    notes: list[Note] = []
    codec = None
    if shapefile:
        codec, by = shapefile_encoding(path, encoding=how.encoding)
        notes.append(Note("study.encoding", {"file": path.name, "encoding": codec, "by": by}))
    layer = choose_layer(path, how)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            encoding = "ISO-8859-1" if shapefile else how.encoding
            frame = pyogrio.read_dataframe(path, layer=layer, encoding=encoding)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pyogrio.errors.FeatureError) as error:
        raise _unreadable(path, error) from error
    except (UnicodeDecodeError, shapely.errors.GEOSException, ValueError, RuntimeError) as error:
        raise _unreadable(path, error) from error
    said = dict.fromkeys(str(warning.message) for warning in caught if warning.category is RuntimeWarning)
    faults = tuple(Fault("faults.reader_said", file=str(path), detail={"said": text}, blocks=False) for text in said)
    if codec is not None:
        frame = _redecoded(frame, codec)
    if not isinstance(frame, gpd.GeoDataFrame):
        frame = _placed(frame, path, how)
    return Reading(frame, codec, notes=tuple(notes), warnings=faults)


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
        return Reading(_placed(pd.read_parquet(path), path, how))
    except InputError:
        raise
    except (ValueError, OSError, KeyError, TypeError) as error:
        raise _unreadable(path, error) from error


def _read_table(path: Path, how: How) -> Reading:
    """Read CSV or Excel and place its rows by their coordinates."""
    if path.suffix.lower() in (".xlsx", ".xlsm"):
        table, encoding = _read_excel(path, how), None
    else:
        text, encoding = decode_text(path.read_bytes(), file=str(path), encoding=how.encoding)
        table = _read_csv(text, path)
    frame = _placed(table, path, how)
    if encoding is None or encoding == "utf-8":
        return Reading(frame, encoding)
    note = Note("study.encoding", {"file": path.name, "encoding": encoding, "by": "bytes"})
    return Reading(frame, encoding, notes=(note,))


def _read_csv(text: str, path: Path) -> pd.DataFrame:
    """Read separated text: comma, semicolon or tab, whichever the header has most of."""
    header = text.lstrip().split("\n", 1)[0]
    separator = max((",", ";", "\t"), key=header.count)
    try:
        return pd.read_csv(
            io.StringIO(text), sep=separator, dtype="str", keep_default_na=False, na_values=[""], skipinitialspace=True
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, csv.Error, ValueError) as error:
        raise _unreadable(path, error) from error


def _read_excel(path: Path, how: How) -> pd.DataFrame:
    """Read one sheet; the header is the first row that names coordinates, else the first with two texts."""
    rows = _sheet_rows(path, how)
    top = _header_row(rows, how)
    if top is None:
        raise _unreadable(path, ValueError("no header row"))
    names = [str(cell).strip() if cell is not None else f"column_{place + 1}" for place, cell in enumerate(rows[top])]
    body = [row for row in rows[top + 1 :] if any(cell is not None for cell in row)]
    return pd.DataFrame(body, columns=pd.Index(_distinct(names))).convert_dtypes()


def _sheet_rows(path: Path, how: How) -> list[list[object]]:
    """Return the cells of a sheet: the one stated, the one named as the product's layer, or the first."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of styles and extensions that do not matter here
            book = openpyxl.load_workbook(path, read_only=True, data_only=True)
            names = [str(name) for name in book.sheetnames]
            wanted = how.layer or (how.prefer if how.prefer in names else names[0])
            rows = [list(row) for row in book[wanted].iter_rows(values_only=True)] if wanted in names else None
            book.close()
    except Exception as error:  # openpyxl raises whatever its parts raise on a broken archive
        raise _unreadable(path, error) from error
    if rows is None:
        message = f"{path} has no sheet {wanted!r}"
        detail = {"names": ", ".join(names)}
        raise InputError(message, Fault("faults.sublayer_missing", file=str(path), value=wanted, detail=detail))
    return [list(row) for row in rows]


def _header_row(rows: Sequence[Sequence[object]], how: How) -> int | None:
    """Return the number of the header row of a sheet."""
    wanted = {*LON_NAMES, *PAIR_NAMES, *WKT_NAMES, *(name.lower() for name in how.columns.values())}
    texts = [[str(cell).strip().lower() for cell in row if isinstance(cell, str)] for row in rows[:_HEADER_ROWS]]
    for number, row in enumerate(texts):
        if not wanted.isdisjoint(row):
            return number
    return next((number for number, row in enumerate(texts) if len(row) >= 2), None)


def _distinct(names: list[str]) -> list[str]:
    """Return names with those that repeat numbered."""
    seen: dict[str, int] = {}
    out = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        out.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return out


def find_coordinates(names: Sequence[str], columns: Mapping[str, str]) -> tuple[str, ...] | None:
    """Find the coordinate columns of a table: (lon, lat), one with both, or one with WKT.

    Examples
    --------
    >>> find_coordinates(["名称", "经度", "纬度"], {}), find_coordinates(["name", "location"], {})
    (('经度', '纬度'), ('location',))
    """
    if "lonlat" in columns:
        return (columns["lonlat"],) if columns["lonlat"] in names else None
    lower = {name.strip().lower(): name for name in reversed(names)}
    lon = columns.get("lon") or next((lower[name] for name in LON_NAMES if name in lower), None)
    lat = columns.get("lat") or next((lower[name] for name in LAT_NAMES if name in lower), None)
    if lon in names and lat in names and lon is not None and lat is not None:
        return (lon, lat)
    single = next((lower[name] for name in (*PAIR_NAMES, *WKT_NAMES) if name in lower), None)
    return (single,) if single is not None else None


def _placed(table: pd.DataFrame, path: Path, how: How) -> gpd.GeoDataFrame:
    """Return a table as points; rows without coordinates get no geometry, coordinates must be numbers."""
    table.columns = pd.Index([str(name).strip() for name in table.columns])
    found = find_coordinates(list(table.columns), how.columns)
    if found is None:
        message = f"{path} has no coordinate columns"
        listed = ", ".join(table.columns) or "-"
        raise InputError(message, Fault("faults.no_coordinates", file=str(path), detail={"columns": listed}))
    if len(found) == 1 and found[0].lower() in WKT_NAMES:
        return _from_wkt(table, found[0], path)
    if len(found) == 1:
        pair = table[found[0]].astype("str").str.normalize("NFKC").str.strip(" ()[]").str.split(r"[,;\s]+", regex=True)
        texts = (pair.str[0], pair.str[1])
        given = (table[found[0]], table[found[0]])
    else:
        given = (table[found[0]], table[found[1]])
        texts = given
    x, y = (pd.to_numeric(text, errors="coerce").to_numpy(dtype="float64", na_value=np.nan) for text in texts)
    faults = []
    for name, numbers, cells in zip((found[0], found[-1]), (x, y), given, strict=True):
        wrong = np.flatnonzero(~np.isfinite(numbers) & cells.notna().to_numpy())
        faults += [
            Fault("faults.not_number", str(path), row=int(row) + 1, column=name, value=str(cells.iloc[row]))
            for row in wrong[:5]
        ]
        if len(found) == 1:
            break
    if faults:
        message = f"{path} has coordinates that are no numbers"
        raise InputError(message, *faults)
    points = np.full(len(table), None, dtype=object)
    usable = np.isfinite(x) & np.isfinite(y)
    points[usable] = shapely.points(x[usable], y[usable])
    return gpd.GeoDataFrame(table.drop(columns=list(found)), geometry=points)


def _from_wkt(table: pd.DataFrame, column: str, path: Path) -> gpd.GeoDataFrame:
    """Return a table whose geometry is text."""
    texts = table[column].astype(object).where(table[column].notna(), None).to_numpy()
    try:
        shapes = shapely.from_wkt(texts)
    except (shapely.errors.GEOSException, TypeError) as error:
        raise _unreadable(path, error) from error
    return gpd.GeoDataFrame(table.drop(columns=[column]), geometry=shapes)
