"""Street graphs as OSMnx and networkx hold them: nodes with x and y, edges with tags and perhaps a line."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyproj
import shapely

from .errors import CrsError, Fault, InputError
from .network import WalkNetwork, network_from_lines
from .noding import JOIN_M
from .osm import LEGAL_KEYS, Verdict, legality
from .scale import ground_scale

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from .edges import Heights
    from .walls import Gates, Policy

_OPENNESS: dict[Verdict, int] = {"never": 0, "private": 1, "walk": 2}
TAG_KEYS = frozenset({*LEGAL_KEYS, "bridge", "tunnel", "highway"})


class Graph(Protocol):
    """A networkx graph, as far as it is read."""

    graph: Mapping[str, Any]

    def nodes(self, *, data: bool) -> Iterable[tuple[Any, Mapping[str, Any]]]:
        """Return (node, attributes) of every node."""
        ...

    def edges(self, *, data: bool) -> Iterable[tuple[Any, Any, Mapping[str, Any]]]:
        """Return (node, node, attributes) of every edge."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class StreetGraph:
    """A street graph as arrays, one row an edge, in the graph's own CRS.

    Parameters
    ----------
    lines
        object[e], LineStrings from the first node to the last.
    ends
        int64[e, 2], numbers of those nodes.
    tags
        The OSM tags that matter for walking.
    crs
        As the graph states it; ``None`` where it does not.
    stated_m
        float64[e], lengths that edges without a line state; NaN for all others.
    """

    lines: NDArray[np.object_]
    ends: NDArray[np.int64]
    tags: Sequence[dict[str, str]]
    crs: str | None
    stated_m: NDArray[np.float64]


def one_value(key: str, value: object) -> str:
    """Return the one value of a tag of an edge made of several ways: the one that lets through the fewest.

    Lists come as lists, or as text of lists from files.

    Examples
    --------
    >>> one_value("highway", ["residential", "motorway"]), one_value("highway", "['path', 'steps']")
    ('motorway', 'steps')
    """
    several = value
    if isinstance(value, str) and value.startswith("["):
        try:
            several = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            several = value
    if not isinstance(several, (list, tuple, set)):
        return str(several)
    texts = sorted(str(each) for each in several)
    if key != "highway":
        return texts[0] if texts else ""
    ranked = sorted(texts, key=lambda text: (_OPENNESS[legality({"highway": text}).verdict], text != "steps", text))
    return ranked[0] if ranked else ""


def street_graph(
    nodes: Iterable[tuple[Any, Mapping[str, Any]]],
    edges: Iterable[tuple[Any, Any, Mapping[str, Any]]],
    crs: object,
) -> StreetGraph:
    """Return a street graph from its nodes and edges with their attributes.

    An edge without a line is straight from node to node. Lengths that the graph states are not used: they are
    measured; where there is no line to measure, they are kept beside it.

    Raises
    ------
    InputError
        When a node lacks its coordinates, they are not numbers, or a line cannot be read; all such nodes and edges.
    """
    number: dict[object, int] = {}
    places: list[tuple[float, float]] = []
    faults: list[Fault] = []
    for name, data in nodes:
        try:
            place = float(data["x"]), float(data["y"])
        except (KeyError, TypeError, ValueError):
            place = (np.nan, np.nan)
        if not np.isfinite(place).all():
            faults.append(Fault("gis.graph_node", layer="streets", row=str(name)))
        number[name] = len(places)
        places.append(place)
    ends, given, tags, stated = [], [], [], []
    for first, last, data in edges:
        if first not in number or last not in number:
            faults.append(Fault("gis.graph_edge", layer="streets", row=f"{first}-{last}"))
            continue
        ends.append((number[first], number[last]))
        given.append(data.get("geometry"))
        stated.append(np.nan if given[-1] is not None else _metres(data.get("length")))
        tags.append({key: one_value(key, data[key]) for key in sorted(TAG_KEYS & data.keys()) if data[key] is not None})
    if faults:
        message = f"the street graph has {len(faults)} nodes or edges that cannot be placed"
        raise InputError(message, *faults[:20])
    pairs = np.array(ends, dtype=np.int64).reshape(-1, 2)
    xy = np.array(places, dtype=np.float64).reshape(-1, 2)
    lines = _lines(given, xy[pairs])
    return StreetGraph(lines, pairs, tags, None if crs is None else str(crs), np.array(stated, dtype=np.float64))


def _metres(value: object) -> float:
    """Return a length that a graph states; NaN where it is no number."""
    try:
        return float(str(value))
    except ValueError:
        return float("nan")


def _lines(given: Sequence[object], ends: NDArray[np.float64]) -> NDArray[np.object_]:
    """Return each edge's line: the one it states, as a geometry or as text, else straight."""
    lines: NDArray[np.object_] = np.asarray(shapely.linestrings(ends), dtype=object).reshape(len(given))
    texts = np.array([isinstance(each, str) for each in given], dtype=bool)
    shapes = np.array([isinstance(each, shapely.LineString) for each in given], dtype=bool)
    if texts.any():
        try:
            lines[texts] = shapely.from_wkt([each for each in given if isinstance(each, str)])
        except shapely.errors.GEOSException as error:
            message = f"the street graph has lines that cannot be read: {error}"
            raise InputError(message, Fault("gis.graph_line", layer="streets", detail={"error": str(error)})) from error
    for row in np.flatnonzero(shapes).tolist():
        lines[row] = given[row]
    return lines


def ends_of(lines: NDArray[np.object_], first: NDArray[np.int64], last: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Return int64[l, 2], the node at which each line begins and ends; None where lines of one node do not meet.

    A table of edges names two nodes a line, but not always in the direction of drawing: a node is where the most of
    its lines have an end.

    Parameters
    ----------
    lines
        object[l], LineStrings in metres.
    first, last
        int64[l], numbers 0… of the nodes.

    Examples
    --------
    >>> lines = np.array([shapely.LineString([(0, 0), (9, 0)]), shapely.LineString([(9, 5), (9, 0)])], dtype=object)
    >>> ends_of(lines, np.array([0, 1]), np.array([1, 2])).tolist()
    [[0, 1], [2, 1]]
    """
    begin = shapely.get_coordinates(shapely.get_point(lines, 0))
    end = shapely.get_coordinates(shapely.get_point(lines, -1))
    node, place = np.concatenate([first, first, last, last]), np.concatenate([begin, end, begin, end])
    spots, where = np.unique(np.column_stack([node, np.rint(place / JOIN_M)]), axis=0, return_inverse=True)
    count = np.bincount(where.ravel(), minlength=len(spots))
    order = np.lexsort((-count, spots[:, 0]))
    of_node, best = np.unique(spots[order, 0].astype(np.int64), return_index=True)
    at = np.full((int(node.max()) + 1, 2), np.nan)
    at[of_node] = spots[order][best, 1:] * JOIN_M
    # Where two places have as many lines (at dead ends), the other node of the line decides.
    rival = np.minimum(best + 1, order.size - 1)
    tied = (spots[order][rival, 0] == of_node) & (count[order][rival] == count[order][best]) & (rival > best)
    at[of_node[tied]] = np.nan
    straight, turned = (
        _apart(begin, at[first]) + _apart(end, at[last]),
        _apart(end, at[first]) + _apart(begin, at[last]),
    )
    # Two nodes with no other street: either way will do, as long as all streets between them are taken alike.
    ahead = (begin[:, 0] < end[:, 0]) | ((begin[:, 0] == end[:, 0]) & (begin[:, 1] < end[:, 1]))
    flip = np.where(np.abs(straight - turned) <= JOIN_M, (first < last) != ahead, turned < straight) & (first != last)
    ends = np.where(flip[:, None], np.column_stack([last, first]), np.column_stack([first, last]))
    low, high = np.full(at.shape, np.inf), np.full(at.shape, -np.inf)
    np.minimum.at(low, ends.T.ravel(), np.concatenate([begin, end]))
    np.maximum.at(high, ends.T.ravel(), np.concatenate([begin, end]))
    return ends if ((high - low)[of_node] <= 2 * JOIN_M).all() else None


def _apart(xy: NDArray[np.float64], place: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far points are from places; 0 where the place is not known."""
    far: NDArray[np.float64] = np.nan_to_num(np.hypot(*(xy - place).T), nan=0.0)
    return far


def network_from_graph(
    graph: Graph | StreetGraph,
    *,
    crs: pyproj.CRS,
    walls: NDArray[np.object_] | None = None,
    gates: Gates | None = None,
    policy: Policy = "gated",
    heights: Heights | None = None,
    extent: shapely.Geometry | None = None,
) -> WalkNetwork:
    """Return the walk network of a street graph: joined at its nodes only, both directions of a street as one.

    Parameters
    ----------
    graph
        A networkx graph (OSMnx makes them) whose nodes have ``x`` and ``y``, whose edges may have ``geometry`` and
        OSM tags, and whose attribute ``crs`` says in what; or what `street_graph` returned.
    crs
        Metric CRS of the network; coordinates are projected to it.
    walls, gates, policy, heights, extent
        As in `lifecircle.gis.network.network_from_lines`.

    Raises
    ------
    CrsError
        When the graph states no CRS.
    InputError
        When nodes cannot be placed or nothing is left to walk on.

    Examples
    --------
    >>> import networkx as nx
    >>> town = nx.MultiDiGraph(crs="EPSG:4326")
    >>> town.add_node(1, x=114.0, y=22.5), town.add_node(2, x=114.001, y=22.5)
    (None, None)
    >>> town.add_edge(1, 2, highway="residential"), town.add_edge(2, 1, highway="residential")
    (0, 0)
    >>> network_from_graph(town, crs=pyproj.CRS("EPSG:4547"))
    <WalkNetwork of 2 nodes and 1 edges, 103 m of streets in 1 component>
    """
    streets = graph
    if not isinstance(streets, StreetGraph):
        streets = street_graph(streets.nodes(data=True), streets.edges(data=True), streets.graph.get("crs"))
    if streets.crs is None:
        message = "the street graph states no CRS; set its attribute crs"
        raise CrsError(message, Fault("gis.streets_no_crs", layer="streets"))
    lines = streets.lines
    if len(lines):
        change = pyproj.Transformer.from_crs(streets.crs, crs, always_xy=True)
        lines = shapely.transform(lines, lambda xy: np.column_stack(change.transform(xy[:, 0], xy[:, 1])))
    return network_from_lines(
        lines,
        crs=crs,
        highway=[tags.get("highway", "unclassified") for tags in streets.tags],
        spans=np.array(
            [any(tags.get(key, "no") != "no" for key in ("bridge", "tunnel")) for tags in streets.tags], dtype=bool
        ),
        tags=[{key: value for key, value in tags.items() if key != "highway"} for tags in streets.tags],
        ends=streets.ends,
        walls=walls,
        gates=gates,
        policy=policy,
        heights=heights,
        extent=extent,
        # What is drawn in metres already is taken as it is drawn.
        scale=ground_scale(crs) if pyproj.CRS(streets.crs).is_geographic else None,
    )
