"""Streets of a study: from OSM extracts or a line layer, with compounds' walls and gates and the terrain, to the walk network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyproj
import shapely

from ..gis.errors import Fault, InputError, MissingFileError
from ..gis.network import WalkNetwork, network_from_lines, network_from_osm
from ..gis.osm import GATE_BARRIERS, LEAST_WALLED_M2, PRIVATE, WALKED, WALL_BARRIERS, OsmWays
from ..gis.walls import Gates
from .study import Note

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import geopandas as gpd
    from numpy.typing import NDArray

    from ..gis.network import Heights
    from ..gis.osm import Tags
    from ..gis.walls import Policy
    from .study import Study

STREET_NAMES: dict[str, str] = {
    **dict.fromkeys(("高速公路", "高速", "快速路", "城市快速路", "expressway", "freeway", "highway"), "motorway"),
    **dict.fromkeys(("国道", "主干路", "主干道", "城市主干路", "arterial"), "primary"),
    **dict.fromkeys(("省道", "次干路", "次干道", "城市次干路", "collector"), "secondary"),
    **dict.fromkeys(("县道", "支路", "城市支路"), "tertiary"),
    **dict.fromkeys(("街巷", "巷道", "巷", "胡同", "里弄", "居住区道路", "local"), "residential"),
    **dict.fromkeys(("内部道路", "小区道路", "小区内部路", "其他道路", "乡道"), "service"),
    **dict.fromkeys(("人行道", "步道", "步行道", "绿道", "人行天桥", "天桥", "地下通道", "sidewalk"), "footway"),
    **dict.fromkeys(("步行街", "广场"), "pedestrian"),
    **dict.fromkeys(("台阶", "梯道", "stairs"), "steps"),
    **dict.fromkeys(("自行车道", "非机动车道"), "cycleway"),
    **dict.fromkeys(("机耕路", "土路"), "track"),
}
"""How planners' files call streets → the OSM class whose rules apply; others are taken as OSM classes as they are."""
UNNAMED_CLASS = "unclassified"
"""Class of a line that states none: open to walkers, and said in the notes."""
WAY_KEYS = ("highway", "barrier", "railway", "public_transport")
NODE_KEYS = ("barrier", "entrance", "crossing", "highway")


@dataclass(frozen=True, slots=True, eq=False)
class Streets:
    """The walk network of a study and what the reader should know about it.

    Parameters
    ----------
    network
        The streets. Its zones are the rows of the study's compounds layer; zones beyond are walls found in OSM.
    notes
        What was assumed.
    warnings
        What may be wrong with the streets, walls and gates.
    """

    network: WalkNetwork
    notes: tuple[Note, ...]
    warnings: tuple[Fault, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Extract:
    """What an OSM file holds of streets: ways and the nodes that matter, in degrees.

    Parameters
    ----------
    way_id, start, node
        As in `lifecircle.gis.osm.OsmWays`.
    lonlat
        float64[k, 2]; NaN where the file lacks the node.
    tags
        One dictionary a way.
    node_tags, node_place
        Tags and lon, lat of barrier, entrance and signal nodes.
    box
        Bounds that the file states, if it does.
    """

    way_id: NDArray[np.int64]
    start: NDArray[np.int64]
    node: NDArray[np.int64]
    lonlat: NDArray[np.float64]
    tags: list[dict[str, str]]
    node_tags: dict[int, dict[str, str]]
    node_place: dict[int, tuple[float, float]]
    box: tuple[float, float, float, float] | None


def osm_ways(paths: Iterable[Path]) -> Extract:
    """Return the streets, walls and barrier nodes of OSM files (PBF or XML), each read once for ways and once for nodes.

    Ways may come before their nodes, may name nodes that the file lacks, and may stand in several files.

    Raises
    ------
    MissingFileError
        When a file does not exist.
    InputError
        When a file cannot be read as OSM.
    """
    files = list(paths)
    ways: dict[int, tuple[list[int], dict[str, str]]] = {}
    for path in files:
        if not path.is_file():
            message = f"{path} does not exist"
            raise MissingFileError(message, Fault("faults.file_missing", file=str(path), layer="streets"))
        _read(path, ways)
    way_id = np.array(sorted(ways), dtype=np.int64)
    refs = [ways[way][0] for way in way_id.tolist()]
    node = np.array([ref for row in refs for ref in row], dtype=np.int64)
    start = np.concatenate([[0], np.cumsum([len(row) for row in refs], dtype=np.int64)]).astype(np.int64)
    ids = np.unique(node)
    places = np.full((ids.size, 2), np.nan)
    node_tags: dict[int, dict[str, str]] = {}
    node_place: dict[int, tuple[float, float]] = {}
    boxes = [_read_nodes(path, ids, places, node_tags, node_place) for path in files]
    known = [box for box in boxes if box is not None]
    box = None
    if known and len(known) == len(files):
        corners = np.array(known)
        west, south = corners[:, :2].min(axis=0).tolist()
        east, north = corners[:, 2:].max(axis=0).tolist()
        box = (west, south, east, north)
    lonlat = places[np.searchsorted(ids, node)]
    tags = [ways[way][1] for way in way_id.tolist()]
    return Extract(way_id, start, node, lonlat, tags, node_tags, node_place, box)


def _unreadable(path: Path, error: Exception) -> InputError:
    """Return the error for a file that is not OSM, or broken off."""
    message = f"{path} cannot be read as OSM: {error}"
    return InputError(
        message, Fault("streets.osm_unreadable", file=str(path), layer="streets", detail={"error": str(error)})
    )


def _read(path: Path, ways: dict[int, tuple[list[int], dict[str, str]]]) -> None:
    """Add a file's streets, platforms and walls to the ways."""
    import osmium  # noqa: PLC0415  slow to load, needed for OSM input only

    try:
        found = osmium.FileProcessor(str(path), osmium.osm.WAY).with_filter(osmium.filter.KeyFilter(*WAY_KEYS))
        for way in found:
            tags = {tag.k: tag.v for tag in way.tags}
            platform = tags.get("railway") == "platform" or tags.get("public_transport") == "platform"
            if "highway" in tags or platform or tags.get("barrier") in WALL_BARRIERS:
                ways[way.id] = ([node.ref for node in way.nodes], tags)
    except RuntimeError as error:
        raise _unreadable(path, error) from error


def _read_nodes(
    path: Path,
    ids: NDArray[np.int64],
    places: NDArray[np.float64],
    node_tags: dict[int, dict[str, str]],
    node_place: dict[int, tuple[float, float]],
) -> tuple[float, float, float, float] | None:
    """Fill in the places of nodes, and the tags of those that matter; return the bounds that the file states."""
    import osmium  # noqa: PLC0415  slow to load, needed for OSM input only

    places_of = osmium.index.create_map("flex_mem")
    lookup = osmium.NodeLocationsForWays(places_of)
    lookup.ignore_errors()
    try:
        osmium.apply(str(path), lookup)
        for row, node_id in enumerate(ids.tolist()):
            try:
                place = places_of.get(node_id)
            except KeyError:
                continue
            if place.valid():
                places[row] = place.lon, place.lat
        tagged = osmium.FileProcessor(str(path), osmium.osm.NODE)
        stated = tagged.header.box()
        for node in tagged.with_filter(osmium.filter.KeyFilter(*NODE_KEYS)):
            if node.location.valid():
                node_tags[node.id] = {tag.k: tag.v for tag in node.tags}
                node_place[node.id] = (node.lon, node.lat)
    except RuntimeError as error:
        raise _unreadable(path, error) from error
    if not stated.valid():
        return None
    return (stated.bottom_left.lon, stated.bottom_left.lat, stated.top_right.lon, stated.top_right.lat)


def _column(frame: gpd.GeoDataFrame, name: str) -> pd.Series[Any] | None:
    """Return a column, or nothing where the layer lacks it."""
    return frame[name] if name in frame.columns else None


def _flags(frame: gpd.GeoDataFrame, name: str, *, default: bool) -> NDArray[np.bool_]:
    """Return a yes/no column as bool, with a default where it is missing or empty."""
    column = _column(frame, name)
    if column is None:
        return np.full(len(frame), default)
    flags: NDArray[np.bool_] = column.astype("boolean").fillna(value=default).to_numpy(dtype=bool)
    return flags


def street_class(name: object) -> str:
    """Return the OSM class for what a file calls a street; ``unclassified`` where it says nothing.

    Examples
    --------
    >>> street_class("次干路"), street_class("Footway "), street_class(None)
    ('secondary', 'footway', 'unclassified')
    """
    text = "" if name is None or name is pd.NA or name != name else str(name).strip().lower()  # noqa: PLR0124  NaN differs from itself
    return STREET_NAMES.get(text, text) or UNNAMED_CLASS


def _walls_of(study: Study) -> tuple[NDArray[np.object_] | None, Gates]:
    """Return the compounds' walls (``None`` for those without one) and the gates of the study's layers."""
    compounds, gates = study.layers.get("compounds"), study.layers.get("gates")
    if compounds is None:
        return None, Gates.none()
    walled = _flags(compounds, "walled", default=False)
    polygons = np.full(len(compounds), None, dtype=object)
    polygons[walled] = compounds.geometry.to_numpy()[walled]
    if gates is None or not len(gates):
        return polygons, Gates.none()
    rows = {str(name): row for row, name in enumerate(compounds["compound_id"])} if "compound_id" in compounds else {}
    owners = _column(gates, "compound_id")
    zone = np.full(len(gates), -1) if owners is None else np.array([rows.get(str(name), -1) for name in owners])
    passes = _column(gates, "passes")
    public = (
        np.zeros(len(gates), dtype=bool)
        if passes is None
        else (passes == "all").fillna(value=False).to_numpy(dtype=bool)
    )
    xy = shapely.get_coordinates(shapely.centroid(gates.geometry.to_numpy()))
    return polygons, Gates(xy, _flags(gates, "open", default=True), public, zone.astype(np.int32))


def _osm_walls(extract: Extract, xy: NDArray[np.float64], first_zone: int) -> tuple[NDArray[np.object_], Gates]:
    """Return the closed walls of an extract as compounds, and the nodes by which they are entered as gates.

    A wall is entered at its gate and entrance nodes, and wherever a street shares a node with it: the mapper joined them.
    """
    rows = [
        row
        for row, tags in enumerate(extract.tags)
        if tags.get("barrier") in WALL_BARRIERS
        and "highway" not in tags
        and extract.start[row + 1] - extract.start[row] >= 4
        and extract.node[extract.start[row]] == extract.node[extract.start[row + 1] - 1]
    ]
    stretches = [slice(int(extract.start[row]), int(extract.start[row + 1])) for row in rows]
    rings = [stretch for stretch in stretches if np.isfinite(xy[stretch]).all()]
    polygons = [shapely.Polygon(xy[stretch]) for stretch in rings]
    kept = [k for k, polygon in enumerate(polygons) if polygon.is_valid and polygon.area >= LEAST_WALLED_M2]
    on_street = np.zeros(extract.node.size, dtype=bool)
    for row, tags in enumerate(extract.tags):
        if "highway" in tags:
            on_street[extract.start[row] : extract.start[row + 1]] = True
    joined = set(np.unique(extract.node[on_street]).tolist())
    places: list[tuple[int, int]] = []
    for zone, k in enumerate(kept):
        vertices = range(rings[k].start, rings[k].stop - 1)
        places += [
            (v, zone)
            for v in vertices
            if int(extract.node[v]) in joined or _is_gate(extract.node_tags.get(int(extract.node[v]), {}))
        ]
    tags = [extract.node_tags.get(int(extract.node[v]), {}) for v, _ in places]
    walls = np.empty(len(kept), dtype=object)
    walls[:] = [polygons[k] for k in kept]
    gates = Gates(
        xy[[v for v, _ in places]].reshape(-1, 2),
        np.array([_is_open(tag) for tag in tags], dtype=bool),
        np.array([_is_public(tag) for tag in tags], dtype=bool),
        np.array([first_zone + zone for _, zone in places], dtype=np.int32),
    )
    return walls, gates


def _is_gate(tags: Tags) -> bool:
    """Return whether a node is a way in."""
    return tags.get("barrier") in GATE_BARRIERS or "entrance" in tags


def _is_open(tags: Tags) -> bool:
    """Return whether somebody on foot may pass a gate."""
    return tags.get("foot") != "no" and (
        tags.get("access") != "no" or tags.get("foot") in {"yes", "designated", "permissive"}
    )


def _is_public(tags: Tags) -> bool:
    """Return whether a gate is for everybody as far as one knows."""
    return tags.get("foot", tags.get("access", "yes")) not in PRIVATE


def _osm_gates(extract: Extract, to_metres: pyproj.Transformer) -> Gates:
    """Return the gate nodes of an extract, for the compounds whose walls they stand in."""
    ids = [node for node in sorted(extract.node_tags) if extract.node_tags[node].get("barrier") in GATE_BARRIERS]
    if not ids:
        return Gates.none()
    lon, lat = np.array([extract.node_place[node] for node in ids]).T
    tags = [extract.node_tags[node] for node in ids]
    return Gates(
        np.column_stack(to_metres.transform(lon, lat)),
        np.array([_is_open(tag) for tag in tags], dtype=bool),
        np.array([_is_public(tag) for tag in tags], dtype=bool),
        np.full(len(ids), -1, dtype=np.int32),
    )


def _join_gates(*gates: Gates) -> Gates:
    """Return several sets of gates as one."""
    return Gates(
        np.vstack([some.xy for some in gates]),
        np.concatenate([some.open for some in gates]),
        np.concatenate([some.public for some in gates]),
        np.concatenate([some.zone for some in gates]),
    )


def terrain(path: Path, crs: pyproj.CRS) -> Heights:
    """Return a function that reads heights off an elevation raster: bilinear between cell centres, NaN where unknown.

    Parameters
    ----------
    path
        Raster of metres; its CRS is in the file.
    crs
        CRS of the places that will be asked for.

    Raises
    ------
    InputError
        When the raster has no CRS.
    """
    import rasterio  # noqa: PLC0415  slow to load, needed with a terrain only

    with rasterio.open(path) as raster:
        stated = raster.crs
    if stated is None:
        message = f"{path} has no CRS"
        raise InputError(message, Fault("streets.dem_no_crs", file=str(path), layer="dem"))
    change = pyproj.Transformer.from_crs(crs, pyproj.CRS.from_user_input(stated.to_wkt()), always_xy=True)

    def heights(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = change.transform(xy[:, 0], xy[:, 1])
        with rasterio.open(path) as raster:
            column, row = ~raster.transform * (np.asarray(x), np.asarray(y))
            column, row = column - 0.5, row - 0.5
            low_row, low_column = max(0, int(np.floor(row.min()))), max(0, int(np.floor(column.min())))
            high_row = min(raster.height, int(np.floor(row.max())) + 2)
            high_column = min(raster.width, int(np.floor(column.max())) + 2)
            if high_row <= low_row or high_column <= low_column:
                return np.full(xy.shape[0], np.nan)
            window = rasterio.windows.Window(low_column, low_row, high_column - low_column, high_row - low_row)
            cells = raster.read(1, window=window, masked=True).astype(np.float64).filled(np.nan)
        return bilinear(cells, row - low_row, column - low_column)

    return heights


def bilinear(cells: NDArray[np.float64], row: NDArray[np.float64], column: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values between cell centres (row, column in cells, 0 at the first centre); NaN outside or beside unknown cells.

    Up to half a cell outside the outermost centres the nearest centre counts.

    Examples
    --------
    >>> bilinear(np.array([[0.0, 10.0], [20.0, 30.0]]), np.array([0.5, 3.0]), np.array([0.5, 0.0])).tolist()
    [15.0, nan]
    """
    height, width = cells.shape
    outside = (row < -0.5) | (column < -0.5) | (row > height - 0.5) | (column > width - 0.5)
    row, column = np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)
    top, left = (
        np.minimum(row.astype(np.int64), max(height - 2, 0)),
        np.minimum(column.astype(np.int64), max(width - 2, 0)),
    )
    bottom, right = np.minimum(top + 1, height - 1), np.minimum(left + 1, width - 1)
    down, across = row - top, column - left
    upper = cells[top, left] * (1 - across) + cells[top, right] * across
    lower = cells[bottom, left] * (1 - across) + cells[bottom, right] * across
    return np.where(outside, np.nan, upper * (1 - down) + lower * down)


def _policy(study: Study, gates: Gates, walls: NDArray[np.object_] | None) -> Policy:
    """Return how walls count: as the study says, or ``gated`` where walls and gates are known."""
    stated = study.settings.study.gates
    if stated != "auto":
        return stated
    return "gated" if walls is not None and gates.xy.shape[0] else "open"


def network_of(study: Study) -> Streets:
    """Return the walk network of a study, with what was assumed and what may be wrong.

    From the OSM extracts that the streets layer names, else from the layer ``streets``. Walls are those of the compounds
    marked ``walled`` and, with OSM, closed walls and fences; gates those of the layer ``gates`` and of OSM.

    Raises
    ------
    InputError
        When the study has no streets, or none that one may walk on.
    """
    heights = terrain(study.rasters["dem"], study.crs) if "dem" in study.rasters else None
    if study.osm:
        return _from_osm(study, heights)
    if "streets" not in study.layers:
        message = "the study has no streets; name a line layer or an OSM extract under [layers.streets]"
        raise InputError(message, Fault("streets.none", layer="streets"))
    return _from_layer(study, study.layers["streets"], heights)


def _from_osm(study: Study, heights: Heights | None) -> Streets:
    """Return the walk network of OSM extracts."""
    extract = osm_ways(study.osm)
    to_metres = pyproj.Transformer.from_crs("EPSG:4326", study.crs, always_xy=True)
    xy = np.full(extract.lonlat.shape, np.nan)
    known = np.isfinite(extract.lonlat).all(axis=1)
    xy[known] = np.column_stack(to_metres.transform(*extract.lonlat[known].T))
    walls, gates = _walls_of(study)
    count = 0 if walls is None else walls.size
    found, entries = _osm_walls(extract, xy, count)
    everything = found if walls is None else np.concatenate([walls, found])
    gates = _join_gates(gates, entries, _osm_gates(extract, to_metres) if count else Gates.none())
    policy = _policy(study, gates, everything)
    ways = OsmWays(extract.way_id, extract.start, extract.node, xy, extract.tags, extract.node_tags)
    network = network_from_osm(
        ways,
        crs=study.crs,
        walls=everything,
        gates=gates,
        policy=policy,
        heights=heights,
        rim=_rim(extract.box, to_metres),
    )
    notes = [Note("streets.from_osm", {"km": f"{network.edge_length_m.sum() / 1000:,.1f}"})]
    missing = int((~known).sum())
    if missing:
        notes.append(Note("streets.clipped", {"nodes": f"{missing:,}"}))
    return _report(study, network, notes)


def _rim(box: tuple[float, float, float, float] | None, to_metres: pyproj.Transformer) -> shapely.Geometry | None:
    """Return the border of the bounds that an extract states, in metres."""
    if box is None:
        return None
    border = shapely.segmentize(shapely.boundary(shapely.box(*box)), 0.01)
    return shapely.transform(border, lambda lonlat: np.column_stack(to_metres.transform(lonlat[:, 0], lonlat[:, 1])))


def _from_layer(study: Study, streets: gpd.GeoDataFrame, heights: Heights | None) -> Streets:
    """Return the walk network of a line layer."""
    column = _column(streets, "highway")
    classes = [UNNAMED_CLASS] * len(streets) if column is None else [street_class(name) for name in column]
    tags: list[dict[str, str]] = [{} for _ in classes]
    for key in ("foot", "sidewalk", "access"):
        values = _column(streets, key)
        if values is not None:
            for row, value in enumerate(values.where(values.notna(), "").astype(str).str.strip().str.lower()):
                if value:
                    tags[row][key] = value
    levels = _column(streets, "level")
    bridge, tunnel = _flags(streets, "bridge", default=False), _flags(streets, "tunnel", default=False)
    level = np.zeros(len(streets), dtype=np.int64) if levels is None else levels.fillna(0).to_numpy(dtype=np.int64)
    level = np.where((level == 0) & tunnel, -1, np.where((level == 0) & bridge, 1, level))
    walls, gates = _walls_of(study)
    network = network_from_lines(
        streets.geometry.to_numpy(),
        crs=study.crs,
        highway=classes,
        level=level,
        spans=bridge | tunnel,
        one_way=_flags(streets, "oneway_foot", default=False),
        tags=tags,
        walls=walls,
        gates=gates,
        policy=_policy(study, gates, walls),
        heights=heights,
    )
    notes = [Note("streets.from_layer", {"km": f"{network.edge_length_m.sum() / 1000:,.1f}"})]
    unnamed = sum(name == UNNAMED_CLASS for name in classes)
    if unnamed:
        notes.append(Note("streets.class_unknown", {"rows": f"{unnamed:,}"}))
    strange = sorted({name for name in classes if name not in KNOWN_CLASSES})
    warnings = [
        Fault("streets.class_strange", layer="streets", column="highway", value=name, blocks=False) for name in strange
    ]
    done = _report(study, network, notes)
    return Streets(done.network, done.notes, (*warnings, *done.warnings))


KNOWN_CLASSES: frozenset[str] = WALKED | {
    UNNAMED_CLASS,
    "motorway",
    "motorway_link",
    "trunk",
    "trunk_link",
    "cycleway",
    "construction",
    "proposed",
}


def _report(study: Study, network: WalkNetwork, notes: list[Note]) -> Streets:
    """Return the network with notes on walls and slopes, and a warning for each walled compound left open."""
    walls = network.walls
    compounds = study.layers.get("compounds")
    known = 0 if compounds is None else len(compounds)
    warnings: list[Fault] = []
    for zone in walls.gateless.tolist():
        if compounds is not None and zone < known:
            name = compounds["compound_id"].iloc[zone] if "compound_id" in compounds else zone
            warnings.append(Fault("streets.no_gate", layer="compounds", row=str(name), blocks=False))
    beyond = int((walls.gateless >= known).sum())
    if beyond:
        notes.append(Note("streets.osm_walls_open", {"walls": f"{beyond:,}"}))
    gates = study.layers.get("gates")
    given = 0 if gates is None or compounds is None else len(gates)
    for row in walls.unused_gates[walls.unused_gates < given].tolist():
        name = gates["gate_id"].iloc[row] if gates is not None and "gate_id" in gates else row
        warnings.append(Fault("streets.gate_unused", layer="gates", row=str(name), blocks=False))
    passed = walls.gates.open & (walls.gates.zone >= 0)
    counts = {"walls": f"{int(walls.sealed.sum()):,}", "gates": f"{int(passed.sum()):,}"}
    notes.append(Note(f"streets.policy_{walls.policy}", counts))
    if network.component_length_m.size > 1:
        rest = float(network.component_length_m[1:].sum())
        notes.append(
            Note(
                "streets.islands", {"islands": f"{network.component_length_m.size - 1:,}", "km": f"{rest / 1000:,.1f}"}
            )
        )
    return Streets(network, tuple(notes), tuple(warnings))


def walkers_of(study: Study) -> Mapping[str, Any]:
    """Return the walkers a study may name: those that ship and its own."""
    from ..gis.walkers import WALKERS, Walker  # noqa: PLC0415

    own = {name: Walker(name=name, **section.model_dump()) for name, section in study.settings.walkers.items()}
    return {**WALKERS, **own}
