"""Features of OSM extracts by tag, and the ground an extract covers: PBF and XML, clipped extracts too."""

from __future__ import annotations

import bz2
import gzip
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, cast
from xml.etree.ElementTree import ParseError

import geopandas as gpd
import numpy as np
import osmium
import pandas as pd
import shapely
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from ..gis.errors import Fault, InputError, MissingFileError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from .table import Shape

SUFFIXES: tuple[str, ...] = (".osm.pbf", ".pbf", ".osm", ".osm.gz", ".osm.bz2")
"""How the names of OSM extracts end."""

ATTRIBUTION = "© OpenStreetMap contributors"
LICENCE = "ODbL 1.0"

KEYS: tuple[str, ...] = (
    "name",
    "name:zh",
    "name:en",
    "amenity",
    "shop",
    "leisure",
    "healthcare",
    "healthcare:speciality",
    "social_facility",
    "social_facility:for",
    "office",
    "government",
    "tourism",
    "sport",
    "club",
    "community_centre",
    "community_centre:for",
    "school",
    "isced:level",
    "min_age",
    "max_age",
    "railway",
    "public_transport",
    "highway",
    "station",
    "building",
    "building:levels",
    "building:use",
    "height",
    "landuse",
    "natural",
    "waterway",
    "water",
    "barrier",
    "access",
    "capacity",
    "capacity:beds",
    "beds",
    "operator",
    "operator:type",
    "fitness_station",
    "layer",
    "tunnel",
    "disused",
    "abandoned",
    "start_date",
)
"""Tags that become columns, beside the keys that were asked for, where any feature has them."""

_LINE_KEYS = frozenset({"highway", "railway", "waterway", "barrier", "aerialway", "power", "route"})
_POLYGON_VALUES = frozenset({"riverbank", "dock", "station", "platform"})
_TRAILING = 0.5
"""Street nodes that trail out of an extract on each side, as a multiple of the square root of all: ways that cross an
edge grow with its length, nodes with the ground. Fitted on an Overpass extract of known box: 20 of 2,169."""
_BUDGET_OF_EXPLAINED_TEXT = 200


@dataclass(frozen=True, slots=True)
class TagFilter:
    """One filter of a layer: a key, and the values accepted (none: every value but ``no``).

    Examples
    --------
    >>> clinic = TagFilter.parse("amenity=clinic|doctors")
    >>> clinic.accepts({"amenity": "doctors;dentist"}), clinic.accepts({"amenity": "school"})
    (True, False)
    >>> TagFilter.parse("building").accepts({"building": "no"})
    False
    """

    key: str
    values: frozenset[str]

    @classmethod
    def parse(cls, text: str) -> TagFilter:
        """Read ``key``, ``key=value`` or ``key=one|other``.

        Raises
        ------
        InputError
            When the text has no key or an empty value.
        """
        key, equals, value = text.partition("=")
        values = (
            frozenset(part.strip() for part in value.split("|"))
            if equals and value.strip() != "*"
            else frozenset[str]()
        )
        if not key.strip() or "" in values:
            message = f"not a tag filter: {text!r}"
            raise InputError(message, Fault("faults.osm_tag", value=text))
        return cls(key.strip(), values)

    def accepts(self, tags: Mapping[str, str]) -> bool:
        """Tell whether a feature with these tags passes; ``a;b`` counts as both values."""
        value = tags.get(self.key)
        if value is None:
            return False
        if not self.values:
            return value != "no"
        return value in self.values or not self.values.isdisjoint(part.strip() for part in value.split(";"))


def is_osm(path: Path) -> bool:
    """Tell from the name whether a file is an OSM extract.

    Examples
    --------
    >>> from pathlib import Path
    >>> is_osm(Path("city.osm.pbf")), is_osm(Path("city.gpkg"))
    (True, False)
    """
    return path.name.lower().endswith(SUFFIXES)


def refuse_unsafe(path: Path) -> None:
    """Refuse an OSM file that is missing, is not OSM, or is XML with a document type (entity tricks).

    An OSM file never declares a document type, so its prolog is read and any declaration refused before the reader,
    which would expand entities, sees the file.

    Raises
    ------
    MissingFileError
        When there is no such file.
    InputError
        When the file cannot be an OSM extract or declares a document type.
    """
    if not path.is_file():
        message = f"no such file: {path}"
        raise MissingFileError(message, Fault("faults.file_missing", file=str(path)))
    name = path.name.lower()
    if name.endswith(".pbf"):
        return
    try:
        with _opened(path) as file:
            _, root = next(iterparse(file, events=("start",), forbid_dtd=True))
    except DefusedXmlException as error:
        message = f"the XML declares a document type: {path}"
        raise InputError(message, Fault("faults.osm_entities", file=str(path))) from error
    except (ParseError, StopIteration, OSError, EOFError, ValueError) as error:
        raise _broken(path, error) from error
    if root.tag != "osm":
        raise _broken(path, ValueError(f"<{root.tag}>"))


def _opened(path: Path) -> BinaryIO:
    """Open a file that may be packed."""
    suffix = path.suffix.lower()
    if suffix == ".gz":
        return cast("BinaryIO", gzip.open(path, "rb"))
    if suffix == ".bz2":
        return cast("BinaryIO", bz2.open(path, "rb"))
    return path.open("rb")


def _broken(path: Path, error: Exception) -> InputError:
    """Return the error for an extract that cannot be read."""
    reason = " ".join(str(error).split())[:_BUDGET_OF_EXPLAINED_TEXT]
    message = f"not a readable OSM extract: {path} ({reason})"
    return InputError(message, Fault("faults.osm_broken", file=str(path), detail={"reason": reason}))


@dataclass(slots=True)
class _Harvest:
    """Features collected while an extract streams by."""

    geometries: list[object] = field(default_factory=list)
    """WKB in hexadecimal, or the geometry itself."""
    kinds: list[str] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)
    tags: list[dict[str, str]] = field(default_factory=list)
    closed: int = 0
    assembled: int = 0

    def add(self, geometry: object, kind: str, number: int, tags: dict[str, str]) -> None:
        self.geometries.append(geometry)
        self.kinds.append(kind)
        self.ids.append(number)
        self.tags.append(tags)

    def frame(self, keys: Iterable[str]) -> gpd.GeoDataFrame:
        columns: dict[str, object] = {
            "osm_type": pd.array(self.kinds, dtype="str"),
            "osm_id": np.array(self.ids, dtype=np.int64),
        }
        for key in dict.fromkeys(keys):
            values = [tags.get(key) for tags in self.tags]
            if any(value is not None for value in values):
                columns[key] = pd.array(values, dtype="str")
        texts = [entry if isinstance(entry, str) else None for entry in self.geometries]
        geometries = shapely.from_wkb(np.array(texts, dtype=object))
        for place, entry in enumerate(self.geometries):
            if texts[place] is None:
                geometries[place] = entry
        frame = gpd.GeoDataFrame(columns, geometry=geometries, crs="EPSG:4326")
        frame.attrs["skipped"] = max(0, self.closed - self.assembled)
        return frame


def osm_features(
    path: Path, tags: Sequence[str], shapes: Sequence[Shape], *, keys: Sequence[str] = KEYS
) -> gpd.GeoDataFrame:
    """Read the features of an OSM extract that pass any of some tag filters.

    Nodes become points, open ways lines, closed ways and multipolygon relations polygons; a closed way that matched by
    a key of lines (``highway``, ``railway``, ``waterway``, ``barrier``) stays a line unless it says ``area=yes``. Nodes
    that a clipped extract lacks are left out of lines, which then may fall into parts; polygons that lack nodes are
    left out and counted.

    Parameters
    ----------
    path
        PBF, XML, or XML packed with gzip or bzip2.
    tags
        Filters as ``TagFilter.parse`` reads them; a feature that passes one of them is kept.
    shapes
        Which of Point, LineString, Polygon to return.
    keys
        Tags that become columns where any feature has them; the keys of the filters always do.

    Returns
    -------
    GeoDataFrame
        EPSG:4326, with ``osm_type`` (node, way, relation), ``osm_id`` and the tags; ``attrs["skipped"]`` counts closed
        ways that could not be closed for want of nodes.

    Raises
    ------
    MissingFileError
        When there is no such file.
    InputError
        When the file is not an OSM extract, is cut short, or declares entities.
    """
    return osm_layers(path, [Wanted(tuple(tags), tuple(shapes), tuple(keys))])[0]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one layer takes from an extract: tag filters, shapes and the tags that become columns."""

    tags: tuple[str, ...]
    shapes: tuple[Shape, ...]
    keys: tuple[str, ...] = KEYS


def osm_layers(path: Path, wanted: Sequence[Wanted]) -> list[gpd.GeoDataFrame]:
    """Read several layers of an extract in one pass, each as `osm_features` returns it.

    Raises
    ------
    MissingFileError
        When there is no such file.
    InputError
        When the file is not an OSM extract, is cut short, or declares entities; when a filter is none.
    """
    refuse_unsafe(path)
    filters = [[TagFilter.parse(text) for text in layer.tags] for layer in wanted]
    keys = dict.fromkeys(rule.key for rules in filters for rule in rules)
    harvests = [_Harvest() for _ in wanted]
    factory = osmium.geom.WKBFactory()
    has_key = osmium.filter.KeyFilter(*keys)
    try:
        processor = osmium.FileProcessor(str(path))
        areas = any("Polygon" in layer.shapes for layer in wanted)
        processor = processor.with_areas(has_key) if areas else processor.with_locations()
        for item in processor.with_filter(has_key):
            found = {tag.k: tag.v for tag in item.tags}
            for layer, rules, harvest in zip(wanted, filters, harvests, strict=True):
                passed = [rule.key for rule in rules if rule.accepts(found)]
                if passed:
                    _collect(item, found, passed, layer.shapes, factory, harvest)
    except RuntimeError as error:
        raise _broken(path, error) from error
    return [
        harvest.frame((*(rule.key for rule in rules), *layer.keys))
        for layer, rules, harvest in zip(wanted, filters, harvests, strict=True)
    ]


def _collect(
    item: object,
    tags: dict[str, str],
    passed: list[str],
    shapes: Sequence[Shape],
    factory: osmium.geom.WKBFactory,
    harvest: _Harvest,
) -> None:
    """Add a feature to the harvest in the geometry that its kind and tags ask for."""
    if isinstance(item, osmium.osm.Node):
        if "Point" in shapes and item.location.valid():
            harvest.add(factory.create_point(item), "node", item.id, tags)
        return
    linear = _is_line(tags, passed)
    if isinstance(item, osmium.osm.Area):
        if "Polygon" in shapes and not (linear and item.from_way()):
            harvest.assembled += item.from_way()
            kind = "way" if item.from_way() else "relation"
            harvest.add(factory.create_multipolygon(item), kind, item.orig_id(), tags)
    elif isinstance(item, osmium.osm.Way):
        closed = item.is_closed() and len(item.nodes) > 3
        harvest.closed += closed and not linear and "Polygon" in shapes
        if "LineString" in shapes and (linear or not closed):
            line = _line(item)
            if line is not None:
                harvest.add(line, "way", item.id, tags)


def _is_line(tags: Mapping[str, str], passed: Iterable[str]) -> bool:
    """Tell whether a closed way with these tags is a line, by the keys that let it pass."""
    if tags.get("area") == "yes":
        return False
    return all(key in _LINE_KEYS and tags[key] not in _POLYGON_VALUES for key in passed)


def _line(way: osmium.osm.Way) -> shapely.Geometry | None:
    """Return a way's line from the nodes that the extract holds; None where fewer than two in a row are."""
    parts: list[list[tuple[float, float]]] = [[]]
    for node in way.nodes:
        if node.location.valid():
            parts[-1].append((node.lon, node.lat))
        elif parts[-1]:
            parts.append([])
    lines = [shapely.LineString(part) for part in parts if len(part) > 1]
    if not lines:
        return None
    return lines[0] if len(lines) == 1 else shapely.MultiLineString(lines)


@dataclass(frozen=True, slots=True)
class Ground:
    """The ground that an extract covers, in EPSG:4326.

    Parameters
    ----------
    hull
        Convex hull of its street nodes, without what trails out of the extract.
    box
        The box that its header states, else that of all its street nodes.
    stated
        Whether the header states the box.
    ways
        Number of its streets.
    """

    hull: shapely.Polygon
    box: shapely.Polygon
    stated: bool
    ways: int


def osm_ground(path: Path) -> Ground:
    """Return the ground that an OSM extract covers.

    Streets are cut to the box that the file's header states. Where it states none, ways that start inside the extract
    trail outside; the outermost nodes on each side, half the square root of their number, are then left out of the
    hull.

    Raises
    ------
    MissingFileError
        When there is no such file.
    InputError
        When it is not a readable extract, or holds no street.
    """
    refuse_unsafe(path)
    nodes, stated, ways = _street_nodes(path)
    inside = nodes
    if len(nodes):
        share = min(_TRAILING / np.sqrt(len(nodes)), 0.25)
        low, high = np.quantile(nodes, [share, 1 - share], axis=0)
        if stated is not None:
            low, high = np.array(stated[:2]), np.array(stated[2:])
        inside = nodes[((nodes >= low) & (nodes <= high)).all(axis=1)]
    hull = shapely.MultiPoint(inside).convex_hull
    if not isinstance(hull, shapely.Polygon):  # too few streets to trim
        hull = shapely.MultiPoint(nodes).convex_hull
    if not isinstance(hull, shapely.Polygon):
        message = f"the extract holds no streets: {path}"
        raise InputError(message, Fault("faults.osm_no_streets", file=str(path)))
    box = shapely.box(*stated) if stated is not None else shapely.box(*nodes.min(axis=0), *nodes.max(axis=0))
    return Ground(hull, box, stated is not None, ways)


def _street_nodes(path: Path) -> tuple[np.ndarray, tuple[float, float, float, float] | None, int]:
    """Return lon/lat of the nodes of all highways, float64[n, 2], the header's box if any, and the highways' number."""
    lon: list[float] = []
    lat: list[float] = []
    count = 0
    entities = osmium.osm.NODE | osmium.osm.WAY
    try:
        processor = osmium.FileProcessor(str(path), entities)
        box = processor.header.box()
        ways = processor.with_locations().with_filter(osmium.filter.EntityFilter(osmium.osm.WAY))
        for way in ways.with_filter(osmium.filter.KeyFilter("highway")):
            count += 1
            for node in cast("osmium.osm.Way", way).nodes:
                if node.location.valid():
                    lon.append(node.lon)
                    lat.append(node.lat)
    except RuntimeError as error:
        raise _broken(path, error) from error
    stated = (box.bottom_left.lon, box.bottom_left.lat, box.top_right.lon, box.top_right.lat) if box.valid() else None
    return np.column_stack([np.array(lon), np.array(lat)]), stated, count
