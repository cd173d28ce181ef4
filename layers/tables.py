"""Tables with coordinates: CSV and Excel as planners keep them, their rows placed as points."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ..gis.errors import Fault, InputError, MissingFileError
from .encodings import decode_text, doubts
from .reading import Reading, unreadable
from .sheets import SHEETS, read_sheet
from .study import Note
from .table import UNSAID

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

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

_WIDE = str.maketrans("０１２３４５６７８９．－＋", "0123456789.-+")

COORDINATES = ("lon", "lat", "lonlat")
"""Names in a layer's ``columns`` that say where a table's coordinates are: two columns, or one with ``lon,lat``."""

_DEGREES = re.compile(
    r"""^[东西南北]?[经纬]?\s*[NSEW]?\s*(\d{1,3})\s*[°度d]\s*
    (?:(\d{1,2}(?:\.\d+)?)\s*[′'分m]\s*)?(?:(\d{1,2}(?:\.\d+)?)\s*(?:″|"|''|′′|秒|s)\s*)?[NSEW]?$""",
    re.IGNORECASE | re.VERBOSE,
)
"""Degrees, minutes and seconds, as maps and surveys write them."""


def read_table(path: Path, how: How) -> Reading:
    """Read CSV or Excel and place its rows by their coordinates."""
    if path.suffix.lower() in SHEETS:
        table, notes = read_sheet(path, how, _header_names(how), placed=True)
        return Reading(place_rows(table, path, how), notes=notes)
    text, encoding = decode_text(path.read_bytes(), file=str(path), encoding=how.encoding)
    frame = place_rows(_read_csv(text, path), path, how)
    if encoding == "utf-8":
        return Reading(frame, encoding)
    note = Note("study.encoding", {"file": path.name, "encoding": encoding, "by": "bytes"})
    return Reading(frame, encoding, notes=(note,), warnings=tuple(doubts(text, encoding, str(path))))


def _header_names(how: How) -> set[str]:
    """Return the names by which the header of a sheet is known, in lower case."""
    return {*LON_NAMES, *LAT_NAMES, *PAIR_NAMES, *WKT_NAMES, *(name.strip().lower() for name in how.columns.values())}


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
    encoding: str | None = None
    if path.suffix.lower() in SHEETS:
        table, _ = read_sheet(path, how, (name.strip().lower() for name in how.columns.values()), placed=False)
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
    except pd.errors.EmptyDataError as error:
        message = f"{path} holds no rows"
        raise InputError(message, Fault("files.csv_empty", file=str(path))) from error
    except (pd.errors.ParserError, csv.Error, ValueError) as error:
        raise _broken(path, error) from error


def _broken(path: Path, error: Exception) -> InputError:
    """Return the error for separated text whose rows do not come apart: which row, and why."""
    uneven = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
    if uneven:
        wanted, line, found = uneven.groups()
        detail = {"wanted": wanted, "found": found}
        fault = Fault("files.csv_uneven", file=str(path), row=int(line) - 1, detail=detail)
        return InputError(f"line {line} of {path} has {found} cells, not {wanted}", fault)
    quote = re.search(r"EOF inside string starting at row (\d+)", str(error))
    if quote:
        fault = Fault("files.csv_quote", file=str(path), row=int(quote[1]))
        return InputError(f"a quotation mark opened in row {quote[1]} of {path} is never closed", fault)
    return unreadable(path, error)


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
    """Return a table as points; rows whose coordinates are left open get no geometry, others must be numbers."""
    table.columns = pd.Index([str(name).strip() for name in table.columns])
    found = find_coordinates(list(table.columns), how.columns)
    if found is None:
        message = f"{path} has no coordinate columns"
        listed = ", ".join(table.columns) or "-"
        raise InputError(message, Fault("faults.no_coordinates", file=str(path), detail={"columns": listed}))
    if len(found) == 1 and found[0].lower() in WKT_NAMES:
        return _from_wkt(table, found[0], path)
    if len(found) == 1:
        cells = table[found[0]].astype("object").fillna("").astype("str")  # a column without any value is not text
        pair = cells.str.normalize("NFKC").str.strip(" ()[]").str.split(r"[,;\s]+", regex=True)
        texts = (pair.str[0], pair.str[1])
        given = (table[found[0]], table[found[0]])
    else:
        given = (table[found[0]], table[found[1]])
        texts = given
    x, y = (_numbers(text) for text in texts)
    faults = []
    for name, numbers, part, cells in zip((found[0], found[-1]), (x, y), texts, given, strict=True):
        wrong = np.flatnonzero(~np.isfinite(numbers) & ~_unsaid(part.where(part.notna(), cells)))
        faults += [
            Fault("faults.not_number", str(path), row=int(row) + 1, column=name, value=str(cells.iloc[row]))
            for row in wrong[:5]
        ]
        if faults and len(found) == 1:
            break
    if faults:
        message = f"{path} has coordinates that are no numbers"
        raise InputError(message, *faults)
    points = np.full(len(table), None, dtype=object)
    usable = np.isfinite(x) & np.isfinite(y)
    points[usable] = shapely.points(x[usable], y[usable])
    return gpd.GeoDataFrame(table.drop(columns=list(found)), geometry=points)


def _unsaid(cells: pd.Series) -> NDArray[np.bool_]:
    """Return which coordinates are left open: no value, or a word such as NaN or 不详 that stands for none.

    Examples
    --------
    >>> _unsaid(pd.Series(["117.5", None, "NaN", " ", "不详", "abc"])).tolist()
    [False, True, True, True, True, False]
    """
    words = cells.astype("object").fillna("").astype("str").str.strip().str.lower()
    return np.asarray(words.isin({"", *UNSAID}), dtype=bool)


def _numbers(cells: pd.Series) -> NDArray[np.float64]:
    """Return coordinates as numbers: full-width digits and degrees with minutes and seconds are read, NaN is left.

    Examples
    --------
    >>> _numbers(pd.Series(["117.5", "１１７.５", "117°30′36″", "E117度30分", "东经", None])).tolist()
    [117.5, 117.5, 117.51, 117.5, nan, nan]
    """
    numbers = pd.to_numeric(cells, errors="coerce").to_numpy(dtype="float64", na_value=np.nan)
    missing = cells.isna().to_numpy()
    numbers = np.array(numbers)
    for place in np.flatnonzero(~np.isfinite(numbers) & ~missing):
        text = str(cells.iloc[place]).translate(_WIDE).strip()
        match = _DEGREES.match(text)
        if match:
            whole, minutes, seconds = (float(part or 0) for part in match.groups())
            numbers[place] = round(whole + minutes / 60 + seconds / 3600, 12)
        elif re.fullmatch(r"[-+]?\d+(\.\d+)?", text):
            numbers[place] = float(text)
    return numbers


def _from_wkt(table: pd.DataFrame, column: str, path: Path) -> gpd.GeoDataFrame:
    """Return a table whose geometry is text."""
    texts = table[column].astype(object).where(table[column].notna(), None).to_numpy()
    try:
        shapes = shapely.from_wkt(texts)
    except (shapely.errors.GEOSException, TypeError) as error:
        raise unreadable(path, error) from error
    return gpd.GeoDataFrame(table.drop(columns=[column]), geometry=shapes)
