"""Addresses of databases: recognised, and shown without the password."""

from __future__ import annotations

from urllib.parse import unquote

SCHEMES = ("postgresql://", "postgres://")

_SECRET = ("password=", "sslpassword=")


def is_database(path: str) -> bool:
    """Tell whether the path of a layer is a database's.

    Examples
    --------
    >>> is_database("postgresql://planner@db/city"), is_database("city.gpkg")
    (True, False)
    """
    return path.strip().lower().startswith(SCHEMES)


def without_password(url: str) -> tuple[str, str | None]:
    """Return an address as it may be shown, and the password that stood in it.

    Examples
    --------
    >>> without_password("postgresql://planner:s%40fe@db:5432/city?sslmode=require")
    ('postgresql://planner@db:5432/city?sslmode=require', 's@fe')
    >>> without_password("postgresql://planner:odd/p@ss@db/city?password=other")
    ('postgresql://planner@db/city', 'other')
    >>> without_password("postgresql:///city")
    ('postgresql:///city', None)
    """
    url = url.strip()
    scheme, _, rest = url.partition("://")
    secret = None
    if "@" in rest:
        info, _, place = rest.rpartition("@")
        user, colon, password = info.partition(":")
        secret = unquote(password) if colon else None
        rest = f"{user}@{place}"
    body, _, query = rest.partition("?")
    kept = []
    for part in query.split("&") if query else []:
        if part.lower().startswith(_SECRET):
            secret = unquote(part.partition("=")[2]) if part.lower().startswith("password=") else secret
        else:
            kept.append(part)
    return f"{scheme}://{body}" + (f"?{'&'.join(kept)}" if kept else ""), secret
