"""A study of a named place from OpenStreetMap's servers: its boundary from Nominatim, its features from Overpass."""

from __future__ import annotations

import os
import socket
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import geopandas as gpd
import numpy as np
import osmnx
import pandas as pd
import requests
from osmnx._errors import InsufficientResponseError, ResponseStatusCodeError

from ..gis.crs import to_crs, working_crs
from ..gis.errors import Fault, FetchError, InputError, LifecircleError, OutputError
from .osmfile import KEYS
from .osmlayers import BARRIER_TAGS, FACILITY_TAGS, LAND_TAGS, in_product_columns
from .output import whole_folder
from .scaffold import STUDY_FILE, Scaffold, init

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from shapely import MultiPolygon, Polygon

    from .words import Language

    Shape: TypeAlias = Polygon | MultiPolygon

MARGIN_M = 1500.0
"""How far beyond the boundary streets and facilities are fetched: the longest circle and half again."""

OVERPASS_VARIABLE, NOMINATIM_VARIABLE = "LIFECIRCLE_OVERPASS_URL", "LIFECIRCLE_NOMINATIM_URL"
BUSY = frozenset({429, 502, 503, 504})
STREET_KEYS: tuple[str, ...] = (
    "highway",
    "name",
    "name:zh",
    "foot",
    "access",
    "sidewalk",
    "sidewalk:left",
    "sidewalk:right",
    "sidewalk:both",
    "bridge",
    "tunnel",
    "layer",
    "oneway:foot",
    "service",
    "area",
    "motorroad",
    "bicycle",
    "surface",
    "incline",
    "level",
)
"""Tags of streets that are kept: what decides whether and how one may walk on them."""


@dataclass(frozen=True, slots=True)
class Servers:
    """Where to ask, and how long to wait.

    Parameters
    ----------
    overpass_url, nominatim_url
        Base addresses; None for the variables ``LIFECIRCLE_OVERPASS_URL`` and ``LIFECIRCLE_NOMINATIM_URL``, else the
        public servers.
    timeout_s
        Seconds to wait for one answer.
    busy_retries
        How often a server that says it is busy is asked again, each time a minute later.
    """

    overpass_url: str | None = None
    nominatim_url: str | None = None
    timeout_s: float = 180.0
    busy_retries: int = 2


def fetch(
    place: str,
    *,
    out: Path,
    servers: Servers | None = None,
    language: Language = "zh",
    force: bool = False,
    progress: Callable[[str], None] | None = None,
) -> Scaffold:
    """Make a study of a place: boundary, streets, facilities, buildings and barriers as GeoPackages, and a study.toml.

    Nothing is left half-written: all files come into `out` together, when the last answer is in.

    Parameters
    ----------
    place
        A name that Nominatim finds, such as 济南市历下区.
    out
        Folder of the study.
    servers
        Where to ask.
    language
        Of the comments in study.toml, and of names where a place has several.
    force
        Overwrite a study.toml that is there.
    progress
        Called with ``fetch.place``, ``fetch.streets`` and so on before each question.

    Raises
    ------
    InputError
        When no place of that name has a boundary, or it holds no streets.
    FetchError
        When a server cannot be reached or does not answer.
    OutputError
        When there is a study.toml already, or the folder cannot be written.
    """
    target = out / STUDY_FILE
    if target.exists() and not force:
        message = f"{target} is there already"
        raise OutputError(message, Fault("init.exists", file=str(target)))
    announce = progress or (lambda _: None)
    with whole_folder(out) as folder:
        with _asking(servers or Servers(), language):
            _fetch_layers(place, folder, announce)
        made = init([folder], name=place, language=language)
    return Scaffold(made.text, target, tuple((layer, out / path.name) for layer, path in made.used), made.unused)


def _fetch_layers(place: str, folder: Path, announce: Callable[[str], None]) -> None:
    """Ask for each layer of a place and write it into a folder; without streets there is nothing to plan."""
    announce("fetch.place")
    boundary = _boundary(place)
    outline = cast("Shape", boundary.geometry.iloc[0])
    wide = _widened(outline)
    _save(boundary, folder / "boundary.gpkg")
    announce("fetch.streets")
    streets = _features(wide, ["highway"])
    lines = streets[streets.geom_type.isin(["LineString", "MultiLineString"])]
    if lines.empty:
        message = f"OpenStreetMap holds no streets in {place!r}"
        raise InputError(message, Fault("fetch.no_streets", value=place))
    _save(_columns(lines, "streets", STREET_KEYS), folder / "streets.gpkg")
    announce("fetch.facilities")
    asked = [tag for tag in FACILITY_TAGS if not tag.startswith("highway")]
    stops = streets[(streets["highway"] == "bus_stop").to_numpy()]
    _save_if_any(pd.concat([_features(wide, asked), stops]), "facilities", ("Point", "Polygon"), folder)
    announce("fetch.buildings")
    _save_if_any(_features(outline, ["building"]), "buildings", ("Polygon",), folder)
    announce("fetch.barriers")
    _save_if_any(_features(wide, BARRIER_TAGS), "barriers", ("LineString", "Polygon"), folder)
    announce("fetch.land")
    land = [tag for tag in LAND_TAGS if ":" not in tag]
    _save_if_any(_features(outline, land), "land", ("Point", "Polygon"), folder)


@contextmanager
def _asking(servers: Servers, language: Language) -> Iterator[None]:
    """Set OSMnx up for these servers, turn its failures into ours, and leave it and the socket as they were."""
    overpass = servers.overpass_url or os.environ.get(OVERPASS_VARIABLE)
    nominatim = servers.nominatim_url or os.environ.get(NOMINATIM_VARIABLE)
    wanted: dict[str, Any] = {
        "use_cache": False,
        "log_console": False,
        "log_file": False,
        "requests_timeout": servers.timeout_s,
        "requests_kwargs": {"hooks": {"response": _Patience(servers.busy_retries)}},
        "http_accept_language": "zh-CN,zh;q=0.9,en;q=0.5" if language == "zh" else "en",
        "http_user_agent": "lifecircle (OSMnx)",
    }
    if nominatim is not None:
        wanted["nominatim_url"] = nominatim
    if overpass is not None:
        # A server of one's own has no slots to wait for, and its name need not be asked of a public resolver.
        wanted |= {"overpass_url": overpass, "overpass_rate_limit": False, "doh_url_template": None}
    kept = {name: getattr(osmnx.settings, name) for name in wanted}
    resolver = socket.getaddrinfo
    try:
        for name, value in wanted.items():
            setattr(osmnx.settings, name, value)
        yield
    except (requests.exceptions.RequestException, ResponseStatusCodeError, OSError) as error:
        if isinstance(error, LifecircleError):
            raise
        asked = f"{osmnx.settings.nominatim_url}, {osmnx.settings.overpass_url}"
        raise _unanswered(asked, error) from error
    finally:
        for name, value in kept.items():
            setattr(osmnx.settings, name, value)
        socket.getaddrinfo = resolver


def _unanswered(server: str, error: Exception) -> FetchError:
    """Return the error for a server that gave no usable answer."""
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    message = f"no usable answer from {server}: {reason}"
    return FetchError(message, Fault("fetch.no_answer", detail={"server": server, "reason": reason}))


class _Patience:
    """Watches answers: a busy server is asked again a few times, any other refusal ends the work with one error."""

    def __init__(self, retries: int) -> None:
        self.left = retries

    def __call__(self, response: requests.Response, *_: object, **__: object) -> requests.Response:
        """Let an answer pass, or raise."""
        if response.status_code in (429, 504) and self.left > 0:
            self.left -= 1
            return response
        if response.status_code >= 400 and not response.url.endswith("/status"):
            reason = f"HTTP {response.status_code} {response.reason}"
            server = response.url.split("?")[0]
            busy = "fetch.busy" if response.status_code in BUSY else "fetch.no_answer"
            message = f"{server} answered {reason}"
            response.close()
            raise FetchError(message, Fault(busy, detail={"server": server, "reason": reason}))
        return response


def _boundary(place: str) -> gpd.GeoDataFrame:
    """Return the boundary of a place, one row in EPSG:4326.

    Raises
    ------
    InputError
        When nothing of that name is found, or what is found has no area.
    """
    try:
        found = osmnx.geocode_to_gdf(place)
    except (InsufficientResponseError, TypeError, KeyError, ValueError) as error:
        if isinstance(error, requests.exceptions.RequestException):
            raise
        message = f"no place with a boundary is called {place!r}"
        raise InputError(message, Fault("fetch.no_place", value=place)) from error
    name = str(found["name"].iloc[0]) if "name" in found and found["name"].notna().all() else place
    columns = {"name": [name]}
    for given, kept in (("osm_type", "osm_type"), ("osm_id", "osm_id")):
        if given in found:
            columns[kept] = [found[given].iloc[0]]
    return gpd.GeoDataFrame(columns, geometry=[found.geometry.iloc[0]], crs="EPSG:4326")


def _widened(outline: Shape) -> Shape:
    """Return an outline in degrees, widened by the margin."""
    crs = working_crs(outline.bounds)
    wide: Shape = to_crs(to_crs(outline, "EPSG:4326", crs).buffer(MARGIN_M, quad_segs=4), crs, "EPSG:4326")
    return wide


def _query(tags: Sequence[str]) -> dict[str, bool | str | list[str]]:
    """Write tag filters as OSMnx takes them; a key without values takes all.

    Examples
    --------
    >>> _query(["building", "natural=water", "waterway=river|canal"])
    {'building': True, 'natural': ['water'], 'waterway': ['river', 'canal']}
    """
    query: dict[str, bool | str | list[str]] = {}
    for tag in tags:
        key, _, values = tag.partition("=")
        known = query.get(key)
        more = values.split("|") if values else True
        query[key] = [*known, *more] if isinstance(known, list) and isinstance(more, list) else more
    return query


def _features(outline: Shape, tags: Sequence[str]) -> gpd.GeoDataFrame:
    """Return the features with some tags in an outline, empty where there are none."""
    try:
        found = osmnx.features_from_polygon(outline, _query(tags))
    except InsufficientResponseError:
        return gpd.GeoDataFrame({"osm_type": [], "osm_id": [], "highway": []}, geometry=[], crs="EPSG:4326")
    flat = found.reset_index(names=["osm_type", "osm_id"])
    flat["osm_id"] = flat["osm_id"].astype(np.int64)
    if "highway" not in flat:
        flat["highway"] = None
    return flat


def _columns(frame: gpd.GeoDataFrame, layer: str, keys: Sequence[str]) -> gpd.GeoDataFrame:
    """Return a frame with the tags that are kept, and the product's columns of a layer made of them."""
    plain = frame[["osm_type", "osm_id", "geometry"]].copy()
    for key in keys:
        if key in frame and frame[key].notna().any():
            plain[key] = frame[key].map(lambda value: value if value is None or isinstance(value, str) else None)
    return in_product_columns(plain.reset_index(drop=True), layer)


def _save_if_any(frame: gpd.GeoDataFrame, layer: str, shapes: Sequence[str], folder: Path) -> None:
    """Write a layer's file where there are features of its shapes."""
    fits = frame[frame.geom_type.str.removeprefix("Multi").isin(shapes)]
    fits = fits.drop_duplicates(["osm_type", "osm_id"])
    if not fits.empty:
        _save(_columns(fits, layer, KEYS), folder / f"{layer}.gpkg")


def _save(frame: gpd.GeoDataFrame, path: Path) -> None:
    """Write a GeoPackage of one layer named as the file."""
    frame.to_file(path, layer=path.stem, driver="GPKG", engine="pyogrio")
