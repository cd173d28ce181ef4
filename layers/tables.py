"""Tables with coordinates: CSV and Excel as planners keep them, their rows placed as points."""

from __future__ import annotations

import csv
import io
import warnings
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import shapely

from ..gis.errors import Fault, InputError, MissingFileError
from .encodings import decode_text
from .reading import Reading, unreadable
from .study import Note

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from .reading import How

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


def read_table(path: Path, how: How) -> Reading:
    """Read CSV or Excel and place its rows by their coordinates."""
    if path.suffix.lower() in (".xlsx", ".xlsm"):
        table, encoding = _read_excel(path, how), None
    else:
        text, encoding = decode_text(path.read_bytes(), file=str(path), encoding=how.encoding)
        table = _read_csv(text, path)
    frame = place_rows(table, path, how)
    if encoding is None or encoding == "utf-8":
        return Reading(frame, encoding)
    note = Note("study.encoding", {"file": path.name, "encoding": encoding, "by": "bytes"})
    return Reading(frame, encoding, notes=(note,))


def plain_table(path: Path, how: How) -> tuple[pd.DataFrame, str | None]:
    """Return the rows of a CSV or Excel file that has no coordinates, and the encoding of its text.

    Raises
    ------
    MissingFileError, InputError
        When it does not exist, or cannot be read.
    """
    if not path.is_file():
        message = f"no such file: {path}"
        raise MissingFileError(message, Fault("faults.file_missing", file=str(path)))
    if path.suffix.lower() in (".xlsx", ".xlsm"):
        table, encoding = _read_excel(path, how), None
    else:
        text, encoding = decode_text(path.read_bytes(), file=str(path), encoding=how.encoding)
        table = _read_csv(text, path)
    table.columns = pd.Index([str(name).strip() for name in table.columns])
    return table, encoding


def _read_csv(text: str, path: Path) -> pd.DataFrame:
    """Read separated text: comma, semicolon or tab, whichever the header has most of."""
    header = text.lstrip().split("\n", 1)[0]
    separator = max((",", ";", "\t"), key=header.count)
    try:
        return pd.read_csv(
            io.StringIO(text), sep=separator, dtype="str", keep_default_na=False, na_values=[""], skipinitialspace=True
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, csv.Error, ValueError) as error:
        raise unreadable(path, error) from error


def _read_excel(path: Path, how: How) -> pd.DataFrame:
    """Read one sheet; the header is the first row that names coordinates, else the first with two texts."""
    rows = _sheet_rows(path, how)
    top = _header_row(rows, how)
    if top is None:
        raise unreadable(path, ValueError("no header row"))
    names = [str(cell).strip() if cell is not None else f"column_{place + 1}" for place, cell in enumerate(rows[top])]
    body = [row for row in rows[top + 1 :] if any(cell is not None for cell in row)]
    return pd.DataFrame(body, columns=pd.Index(distinct_names(names))).convert_dtypes()


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
        raise unreadable(path, error) from error
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


def distinct_names(names: list[str]) -> list[str]:
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


def place_rows(table: pd.DataFrame, path: Path, how: How) -> gpd.GeoDataFrame:
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
        raise unreadable(path, error) from error
    return gpd.GeoDataFrame(table.drop(columns=[column]), geometry=shapes)
