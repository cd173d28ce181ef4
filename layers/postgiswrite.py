"""Findings into PostGIS: every layer and table of a schema replaced in one transaction, or nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from ..gis.errors import Fault, OutputError
from .findings import LAYERS, TABLES
from .postgis import Database, connected, reason_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    import geopandas as gpd
    import psycopg

    from .findings import Findings

SCHEMA = "lifecircle"
"""Schema that findings are written into where none is named."""

OURS = "lifecircle: findings"
"""Comment of each table that was written from here: no other is ever replaced."""

GEOMETRY = "geom"
MANIFEST = "manifest"

OWN_SRIDS = (910_000, 998_999)
"""Numbers for coordinate systems without an EPSG code, within those that PostGIS leaves to its users."""

NAME_MOST = 63
"""Bytes of a name, beyond which PostgreSQL would cut it in silence."""


@dataclass(frozen=True, slots=True)
class _Table:
    """One table to write: its columns with their types, its rows, and the SRID of its geometry."""

    name: str
    columns: tuple[tuple[str, str], ...]
    rows: Iterable[tuple[object, ...]]
    count: int
    spatial: bool


def check_target(where: Database, schema: str = SCHEMA) -> None:
    """Raise where findings could not be written: nobody answers, the schema may not be written, a table is another's.

    Raises
    ------
    InputError
        When the database cannot be reached.
    OutputError
        When the schema cannot be written.
    """
    with connected(where, read_only=False) as connection:
        _make_schema(connection, schema, where)
        _refuse_foreign(connection, schema, where)
        connection.rollback()


def write_findings(findings: Findings, where: Database, schema: str = SCHEMA) -> dict[str, int]:
    """Write findings into a schema and return the rows of each table.

    Layers get a column ``geom`` in the study's CRS with a spatial index, tables stand beside them, and ``manifest``
    holds the manifest as JSON. All is one transaction: readers see the old findings until the new ones are whole, and a
    failure leaves the old. Tables whose columns are the same are emptied and filled, so that rights and views on them
    stay; others are made anew. A table that was not written from here is never touched.

    Parameters
    ----------
    findings
        As `lifecircle.layers.plan.find` or `lifecircle.layers.store.load` returns them.
    where
        The database; its table and SQL do not matter.
    schema
        Made where it is not there.

    Raises
    ------
    InputError
        When the database cannot be reached.
    OutputError
        When it refuses; nothing is changed then.
    """
    import psycopg  # noqa: PLC0415  an optional dependency

    with connected(where, read_only=False) as connection:
        _make_schema(connection, schema, where)
        _refuse_foreign(connection, schema, where)
        try:
            # Two runs at once would wait for each other table by table, and might do so for ever.
            connection.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (f"{OURS} {schema}",))
            srid = _srid(connection, CRS.from_user_input(findings.layers["area"].crs))
            tables = [*_tables(findings), _manifest(findings)]
            for table in tables:
                _replace(connection, schema, table, srid)
        except psycopg.Error as error:
            raise _cannot(where, schema, reason_of(error, where)) from None
    return {table.name: table.count for table in tables}


def _cannot(where: Database, schema: str, reason: str) -> OutputError:
    """Return the error for a schema that cannot be written."""
    message = f"cannot write to {where.url}, schema {schema}: {reason}"
    return OutputError(message, Fault("postgis.cannot_write", file=where.url, value=schema, detail={"reason": reason}))


def _make_schema(connection: psycopg.Connection[Any], schema: str, where: Database) -> None:
    """Make the schema where it is not there."""
    import psycopg  # noqa: PLC0415
    from psycopg import sql  # noqa: PLC0415

    if not schema or len(schema.encode()) > NAME_MOST or "\0" in schema:
        raise _cannot(where, schema, f"1…{NAME_MOST} bytes")
    try:
        if connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (schema,)).fetchone() is None:
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
        query = "SELECT has_schema_privilege(%s, 'CREATE')"
        allowed = connection.execute(query, (schema,)).fetchone()
    except psycopg.Error as error:
        raise _cannot(where, schema, reason_of(error, where)) from None
    if not allowed or not allowed[0]:
        raise _cannot(where, schema, "CREATE")


def _refuse_foreign(connection: psycopg.Connection[Any], schema: str, where: Database) -> None:
    """Raise where a table of one of the names is there that was not written from here."""
    names = [*LAYERS, *TABLES, MANIFEST]
    rows = connection.execute(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = %s AND c.relname = ANY(%s) AND c.relkind <> 'i' "
        "AND coalesce(obj_description(c.oid, 'pg_class'), '') <> %s ORDER BY 1",
        (schema, names, OURS),
    ).fetchall()
    if rows:
        listed = ", ".join(str(name) for (name,) in rows)
        message = f"{schema} holds tables of another: {listed}"
        raise OutputError(message, Fault("postgis.foreign", file=where.url, value=schema, detail={"names": listed}))


def _srid(connection: psycopg.Connection[Any], crs: CRS) -> int:
    """Return the number of a CRS in the database; one without an EPSG code, or unknown there, is entered."""
    code = crs.to_epsg(min_confidence=100)
    text = crs.to_wkt("WKT1_GDAL")
    if code is not None:
        known = connection.execute("SELECT 1 FROM spatial_ref_sys WHERE srid = %s", (code,)).fetchone()
        number, authority = code, ("EPSG", code)
    else:
        known = connection.execute("SELECT srid FROM spatial_ref_sys WHERE srtext = %s", (text,)).fetchone()
        if known is not None:
            return int(known[0])
        query = "SELECT coalesce(max(srid) + 1, %s) FROM spatial_ref_sys WHERE srid BETWEEN %s AND %s"
        free = connection.execute(query, (OWN_SRIDS[0], *OWN_SRIDS)).fetchone()
        number, authority = int(free[0]) if free else OWN_SRIDS[0], ("lifecircle", OWN_SRIDS[0])
    if known is None:
        connection.execute(
            "INSERT INTO spatial_ref_sys (srid, auth_name, auth_srid, srtext, proj4text) VALUES (%s, %s, %s, %s, %s)",
            (number, authority[0], authority[1] if code is not None else number, text, ""),
        )
    return number


def _tables(findings: Findings) -> list[_Table]:
    """Return all layers and tables of findings as tables to write."""
    spatial = [_table(name, findings.layers[name], GEOMETRY) for name in LAYERS]
    return [*spatial, *(_table(name, findings.tables[name], None) for name in TABLES if name not in LAYERS)]


def _table(name: str, frame: pd.DataFrame | gpd.GeoDataFrame, geometry: str | None) -> _Table:
    """Return a frame as a table to write."""
    own = getattr(frame, "_geometry_column_name", None) if geometry else None
    names = [str(column) for column in frame.columns if column != own]
    columns = [(column, _type(frame[column])) for column in names]
    cells = [_cells(frame[column], kind) for column, kind in columns]
    if geometry:
        columns.append((geometry, "geometry"))
        cells.append(list(np.atleast_1d(frame[own].to_numpy() if own else np.full(len(frame), None))))
    return _Table(name, tuple(columns), zip(*cells, strict=True), len(frame), bool(geometry))


def _manifest(findings: Findings) -> _Table:
    """Return the manifest as a table of one row."""
    content = json.dumps(findings.manifest, ensure_ascii=False).replace("\\u0000", "")
    return _Table(MANIFEST, (("content", "jsonb"),), [(content,)], 1, spatial=False)


def _type(values: pd.Series) -> str:
    """Return the type that a column is written as."""
    if pd.api.types.is_bool_dtype(values.dtype):
        return "boolean"
    if pd.api.types.is_integer_dtype(values.dtype):
        return "bigint"
    if pd.api.types.is_float_dtype(values.dtype):
        return "double precision"
    known = values.dropna()
    return "boolean" if len(known) and {type(value) for value in known} <= {bool, np.bool_} else "text"


def _cells(values: pd.Series, kind: str) -> list[object]:
    """Return the cells of a column as the database takes them; a missing value and no number are NULL."""
    missing = values.isna().to_numpy()
    as_kind = {"boolean": bool, "bigint": int, "double precision": float}.get(kind, _text)
    return [None if absent else as_kind(value) for value, absent in zip(values, missing, strict=True)]


def _text(value: object) -> str:
    """Return a text without the one sign that PostgreSQL cannot hold."""
    return str(value).replace("\0", "")


def _replace(connection: psycopg.Connection[Any], schema: str, table: _Table, srid: int) -> None:
    """Empty and fill a table whose columns are the same; else make it anew."""
    from psycopg import sql  # noqa: PLC0415

    place = sql.Identifier(schema, table.name)
    kinds = [(name, f"geometry(Geometry,{srid})" if kind == "geometry" else kind) for name, kind in table.columns]
    present = connection.execute(
        "SELECT a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a WHERE a.attrelid = to_regclass(%s) "
        "AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
        (place.as_string(connection),),
    ).fetchall()
    if [(str(name), str(kind)) for name, kind in present] == kinds:
        connection.execute(sql.SQL("TRUNCATE {}").format(place))
    else:
        connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(place))
        listed = sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in kinds
        )
        connection.execute(sql.SQL("CREATE TABLE {} ({})").format(place, listed))
        connection.execute(sql.SQL("COMMENT ON TABLE {} IS {}").format(place, sql.Literal(OURS)))
        if table.spatial:
            connection.execute(sql.SQL("CREATE INDEX ON {} USING gist ({})").format(place, sql.Identifier(GEOMETRY)))
    names = sql.SQL(", ").join(sql.Identifier(name) for name, _ in kinds)
    with connection.cursor().copy(sql.SQL("COPY {} ({}) FROM STDIN").format(place, names)) as copy:
        for row in table.rows:
            copy.write_row((*row[:-1], _wkb(row[-1], srid)) if table.spatial else row)


def _wkb(shape: object, srid: int) -> str | None:
    """Return a geometry as the database reads it, with its SRID."""
    if not isinstance(shape, shapely.Geometry):
        return None
    return str(shapely.to_wkb(shapely.set_srid(shape, srid), hex=True, include_srid=True))
