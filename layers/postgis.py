"""Layers out of PostGIS: one table or one question, read-only, and never a password in what is said."""

from __future__ import annotations

import difflib
import hashlib
import re
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from ..gis.errors import Fault, InputError
from .dburl import without_password
from .reading import How, Reading
from .sheets import distinct_names
from .tables import find_coordinates, place_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import psycopg

CONNECT_SECONDS = 10
"""How long a server may take to answer."""

SHOWN_TABLES = 20
"""How many tables are named where one is not there."""

_GEOMETRIES = ("geometry", "geography")
_AUTHORITIES = ("EPSG", "ESRI")
_ORDERED = re.compile(r"\border\s+by\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Database:
    """Where a layer is: an address, shown without its password, and a table or an SQL question in it.

    Parameters
    ----------
    url
        ``postgresql://user@host:port/database``; what it leaves out comes from libpq's own places: ``PGPASSWORD``,
        ``PGPASSFILE`` or ``~/.pgpass``, ``PGSERVICE`` and so on.
    password
        Where the address held one.
    table
        ``schema.table``, or a table on the search path.
    sql
        One ``select``.
    """

    url: str
    password: str | None = None
    table: str | None = None
    sql: str | None = None

    @classmethod
    def of(cls, url: str, *, table: str | None = None, sql: str | None = None) -> Database:
        """Return a database by its address, with or without a password in it."""
        shown, password = without_password(url)
        return cls(shown, password, table, sql)

    def __repr__(self) -> str:
        """Show no password."""
        return f"Database({self.url!r}, table={self.table!r}, sql={self.sql!r})"


def _refusal(code: str, where: Database, value: object = None, **detail: object) -> InputError:
    """Return an error about a database."""
    message = f"{code} ({where.url})"
    return InputError(message, Fault(f"postgis.{code}", file=where.url, value=value, detail=detail))


def reason_of(error: Exception, where: Database) -> str:
    """Return what a database says, on one line, without the password."""
    said = " ".join(str(error).split())[:300] or type(error).__name__
    return said.replace(where.password, "***") if where.password else said


@contextmanager
def connected(where: Database, *, read_only: bool) -> Iterator[psycopg.Connection[Any]]:
    """Yield a connection in one transaction: kept on success, undone on failure.

    Raises
    ------
    InputError
        When the driver is not installed, the address cannot be understood, nobody answers, or there is no PostGIS.
    """
    try:
        import psycopg  # noqa: PLC0415  an optional dependency
    except ImportError as error:
        raise _refusal("no_driver", where) from error
    try:
        options = {"password": where.password} if where.password is not None else {}
        connection = psycopg.connect(where.url, connect_timeout=CONNECT_SECONDS, **options)  # type: ignore[arg-type]
    except psycopg.ProgrammingError as error:
        raise _refusal("address", where) from error
    except (psycopg.OperationalError, UnicodeError) as error:
        raise _refusal("unreachable", where, reason=reason_of(error, where)) from None
    with connection:
        connection.read_only = read_only
        if _geometry_types(connection) == {}:
            raise _refusal("no_postgis", where)
        yield connection


def _geometry_types(connection: psycopg.Connection[Any]) -> dict[int, str]:
    """Return the type numbers of geometries in a database."""
    query = "SELECT oid::int8, typname FROM pg_type WHERE typname = ANY(%s)"
    return {int(number): str(name) for number, name in connection.execute(query, (list(_GEOMETRIES),)).fetchall()}


def read_database(where: Database, how: How, path: Path) -> Reading:
    """Read a table, or the answer to one ``select``, in a read-only transaction.

    Rows come in the order of the primary key or of ``order by``, else sorted by what they hold, so that the same data
    give the same layer. Without a geometry column the coordinates are looked for as in any table.

    Parameters
    ----------
    where
        The database with a table or SQL.
    how
        Names of coordinate columns.
    path
        What to call it where a file would be named.

    Raises
    ------
    InputError
        When it cannot be reached, the table is not there, the SQL is wrong, or it has no or several geometry columns.
    """
    import psycopg  # noqa: PLC0415

    if (where.table is None) == (where.sql is None):
        raise _refusal("table_or_sql", where)
    with connected(where, read_only=True) as connection:
        types = _geometry_types(connection)
        try:
            query, ordered = _table_query(connection, where) if where.table is not None else _stated_query(where)
            # Prepared, so that the server itself refuses more than one statement.
            cursor = connection.execute(query, prepare=True)
            if cursor.description is None:
                raise _refusal("no_rows", where)
            names = distinct_names([column.name for column in cursor.description])
            kinds = [types.get(column.type_code) for column in cursor.description]
            rows = cursor.fetchall()
        except psycopg.Error as error:
            raise _refusal("refused", where, where.table, reason=reason_of(error, where)) from None
        if not ordered:
            rows = sorted(rows, key=lambda row: tuple(map(str, row)))
        spatial = [place for place, kind in enumerate(kinds) if kind is not None]
        if len(spatial) > 1:
            raise _refusal("several_geometries", where, names=", ".join(names[place] for place in spatial))
        digest = hashlib.sha256(repr(names).encode())
        for row in rows:
            digest.update(repr(row).encode("utf-8", errors="surrogateescape"))
        table = pd.DataFrame(
            {name: _plain([row[place] for row in rows]) for place, name in enumerate(names) if place not in spatial}
        )
        if not spatial:
            if find_coordinates(names, how.columns) is None:
                raise _refusal("no_geometry", where, where.table, columns=", ".join(names))
            return Reading(place_rows(table, path, how), sha256=digest.hexdigest())
        shapes, srid = _shapes([row[spatial[0]] for row in rows], where)
        crs = _crs(connection, srid, where)
    frame = gpd.GeoDataFrame(table, geometry=shapes, crs=crs)
    return Reading(frame, sha256=digest.hexdigest())


def _stated_query(where: Database) -> tuple[bytes, bool]:
    """Return the SQL as stated, and whether it orders its rows."""
    text = (where.sql or "").strip().rstrip(";")
    return text.encode(), _ORDERED.search(text) is not None


def _table_query(connection: psycopg.Connection[Any], where: Database) -> tuple[Any, bool]:
    """Return the query for a table, every name quoted, and whether a key orders its rows.

    Raises
    ------
    InputError
        When there is no such table.
    """
    from psycopg import sql  # noqa: PLC0415

    schema, _, name = (where.table or "").rpartition(".")
    found = connection.execute(
        "SELECT n.nspname, c.relname, c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p') AND c.relname = %s "
        "AND (n.nspname = %s OR (%s = '' AND pg_table_is_visible(c.oid)))",
        (name, schema, schema),
    ).fetchone()
    if found is None:
        raise _no_table(connection, where)
    schema, name, number = found
    columns = connection.execute(
        "SELECT a.attname, t.typname FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid "
        "WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
        (number,),
    ).fetchall()
    keys = connection.execute(
        "SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey) "
        "WHERE i.indrelid = %s AND i.indisprimary ORDER BY array_position(i.indkey::int2[], a.attnum)",
        (number,),
    ).fetchall()
    parts = [
        sql.SQL("ST_CurveToLine({0}::geometry) AS {0}").format(sql.Identifier(column))
        if kind in _GEOMETRIES
        else sql.Identifier(column)
        for column, kind in columns
    ]
    query = sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(parts), sql.Identifier(schema, name))
    if keys:
        listed = sql.SQL(", ").join(sql.Identifier(key) for (key,) in keys)
        query = sql.SQL("{} ORDER BY {}").format(query, listed)
    return query, bool(keys)


def _no_table(connection: psycopg.Connection[Any], where: Database) -> InputError:
    """Return the error for a table that is not there, with those that are: the nearest names first."""
    rows = connection.execute(
        "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p') AND n.nspname NOT LIKE 'pg\\_%' "
        "AND n.nspname <> 'information_schema' "
        "AND c.relname NOT IN ('spatial_ref_sys', 'geometry_columns', 'geography_columns') ORDER BY 1"
    ).fetchall()
    names = [str(name) for (name,) in rows]
    near = difflib.get_close_matches(where.table or "", names, n=SHOWN_TABLES, cutoff=0.4)
    listed = ", ".join(list(dict.fromkeys([*near, *names]))[:SHOWN_TABLES]) or "-"
    return _refusal("no_table", where, where.table, names=listed)


def _plain(values: Sequence[object]) -> list[object]:
    """Return the cells of a column as plain numbers, texts and times."""
    return [
        float(value)
        if isinstance(value, Decimal)
        else value
        if value is None or isinstance(value, (str, int, float, bool)) or hasattr(value, "isoformat")
        else str(value)
        for value in values
    ]


def _shapes(cells: Sequence[object], where: Database) -> tuple[np.ndarray, int]:
    """Return geometries and the one SRID that they have, 0 where they state none.

    Raises
    ------
    InputError
        When they have several, or are of a kind that no file can hold.
    """
    try:
        shapes = np.asarray(shapely.from_wkb(np.array(cells, dtype=object)), dtype=object)
    except (shapely.errors.GEOSException, TypeError) as error:
        raise _refusal("geometry_kind", where, where.table, reason=reason_of(error, where)) from None
    srids = {int(srid) for srid in shapely.get_srid(shapes[~shapely.is_missing(shapes)])} or {0}
    if len(srids) > 1:
        raise _refusal("several_srids", where, where.table, srids=", ".join(map(str, sorted(srids))))
    return np.asarray(shapely.set_srid(shapes, 0), dtype=object), srids.pop()


def _crs(connection: psycopg.Connection[Any], srid: int, where: Database) -> CRS | None:
    """Return the CRS of an SRID as the database knows it; None for 0."""
    if srid == 0:
        return None
    query = "SELECT auth_name, auth_srid, srtext FROM spatial_ref_sys WHERE srid = %s"
    row = connection.execute(query, (srid,)).fetchone()
    try:
        if row is not None and row[0] in _AUTHORITIES and row[1]:
            return CRS.from_authority(row[0], row[1])
        return CRS.from_wkt(row[2]) if row is not None and row[2] else CRS.from_epsg(srid)
    except CRSError as error:
        raise _refusal("srid_unknown", where, srid) from error
