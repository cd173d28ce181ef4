"""Streets in OSM files: ways, walls and gates as arrays, from PBF or XML, clipped or whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import shapely

from ..gis.errors import Fault, MissingFileError
from ..gis.osm import GATE_BARRIERS, LEAST_WALLED_M2, PRIVATE, WALL_BARRIERS
from ..gis.walls import Gates
from .osmread import nodes_of, read_objects
from .osmsquares import add_squares

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ..gis.crs import Mover
    from ..gis.osm import Tags
    from .osmread import Objects
    from .osmsquares import Ways

WAY_KEYS = ("highway", "barrier", "railway", "public_transport")
NODE_KEYS = ("barrier", "entrance", "crossing", "highway")


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
    holes
        Of squares: row of the outline → rows of the outlines of what nobody crosses in it.
    """

    way_id: NDArray[np.int64]
    start: NDArray[np.int64]
    node: NDArray[np.int64]
    lonlat: NDArray[np.float64]
    tags: list[dict[str, str]]
    node_tags: dict[int, dict[str, str]]
    node_place: dict[int, tuple[float, float]]
    box: tuple[float, float, float, float] | None
    holes: Mapping[int, Sequence[int]] = field(default_factory=dict)


def osm_ways(paths: Iterable[Path]) -> Extract:
    """Return the streets, walls and barrier nodes of OSM files (PBF or XML).

    Ways may come before their nodes, may name nodes that the file lacks, and may stand in several files.

    Raises
    ------
    MissingFileError
        When a file does not exist.
    InputError
        When a file cannot be read as OSM.
    """
    files = list(paths)
    ways: Ways = {}
    holes: dict[int, list[int]] = {}
    node_tags: dict[int, dict[str, str]] = {}
    node_place: dict[int, tuple[float, float]] = {}
    read = []
    for path in files:
        if not path.is_file():
            message = f"{path} does not exist"
            raise MissingFileError(message, Fault("faults.file_missing", file=str(path), layer="streets"))
        found = read_objects(path, {*WAY_KEYS, *NODE_KEYS})
        ways |= {number: way for number, way in found.ways.items() if _is_wanted(way[1])}
        holes |= add_squares(path, found.relations, ways)
        for number, (tags, lon, lat) in found.nodes.items():
            if not tags.keys().isdisjoint(NODE_KEYS):
                node_tags[number], node_place[number] = tags, (lon, lat)
        read.append(found)
    way_id = np.array(sorted(ways), dtype=np.int64)
    node, lonlat, counts = nodes_of([ways[way][0] for way in way_id.tolist()])
    _fill_in(node, lonlat, read)
    row_of = {way: row for row, way in enumerate(way_id.tolist())}
    return Extract(
        way_id,
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        node,
        lonlat,
        [ways[way][1] for way in way_id.tolist()],
        node_tags,
        node_place,
        _box_of(read),
        {row_of[outline]: [row_of[hole] for hole in inside] for outline, inside in holes.items()},
    )


def _is_wanted(tags: Tags) -> bool:
    """Return whether a way is a street, a platform or a wall."""
    platform = tags.get("railway") == "platform" or tags.get("public_transport") == "platform"
    return "highway" in tags or platform or tags.get("barrier") in WALL_BARRIERS


def _fill_in(node: NDArray[np.int64], lonlat: NDArray[np.float64], read: list[Objects]) -> None:
    """Fill in the places of nodes that come after their ways, or in another file."""
    unknown = np.flatnonzero(np.isnan(lonlat[:, 0]))
    places: dict[int, tuple[float, float]] = {}
    for number in np.unique(node[unknown]).tolist():
        for found in read:
            place = found.place_of(number)
            if place is not None:
                places[number] = place
    for row in unknown.tolist():
        lonlat[row] = places.get(int(node[row]), (np.nan, np.nan))


def _box_of(read: list[Objects]) -> tuple[float, float, float, float] | None:
    """Return the bounds that all files together state; nothing where one states none."""
    boxes = [found.box for found in read if found.box is not None]
    if not boxes or len(boxes) < len(read):
        return None
    west, south, east, north = zip(*boxes, strict=True)
    return min(west), min(south), max(east), max(north)


def _on_streets(extract: Extract) -> set[int]:
    """Return the nodes of streets."""
    on_street = np.zeros(extract.node.size, dtype=bool)
    for row, tags in enumerate(extract.tags):
        if "highway" in tags:
            on_street[extract.start[row] : extract.start[row + 1]] = True
    return set(np.unique(extract.node[on_street]).tolist())


def osm_walls(extract: Extract, xy: NDArray[np.float64], first_zone: int) -> tuple[NDArray[np.object_], Gates]:
    """Return the closed walls of an extract as compounds, and the nodes by which they are entered as gates.

    A wall is entered at its gate and entrance nodes, and wherever a street shares a node with it.
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
    joined = _on_streets(extract) if kept else set()
    places: list[tuple[int, int]] = []
    for zone, k in enumerate(kept):
        vertices = range(rings[k].start, rings[k].stop - 1)
        places += [
            (v, zone)
            for v in vertices
            if int(extract.node[v]) in joined or _is_gate(extract.node_tags.get(int(extract.node[v]), {}))
        ]
    of_gate = [extract.node_tags.get(int(extract.node[v]), {}) for v, _ in places]
    walls = np.empty(len(kept), dtype=object)
    walls[:] = [polygons[k] for k in kept]
    gates = Gates(
        xy[[v for v, _ in places]].reshape(-1, 2),
        np.array([_is_open(tag) for tag in of_gate], dtype=bool),
        np.array([_is_public(tag) for tag in of_gate], dtype=bool),
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


def osm_gates(extract: Extract, to_metres: Mover) -> Gates:
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


def extent_of(box: tuple[float, float, float, float] | None, to_metres: Mover) -> shapely.Geometry | None:
    """Return the bounds that an extract states, in metres."""
    if box is None:
        return None
    fine = shapely.segmentize(shapely.box(*box), 0.01)
    return shapely.transform(fine, lambda lonlat: np.column_stack(to_metres.transform(lonlat[:, 0], lonlat[:, 1])))
