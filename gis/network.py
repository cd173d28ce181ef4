"""WalkNetwork: the streets one may walk on, as arrays; built from lines or OSM ways, contracted, with its components."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from . import kernels
from .errors import CrsError, Fault, InputError
from .noding import JOIN_M, Lines, join_lines, vertex_ids
from .osm import OsmWays, legality, walkable
from .walls import Gates, Policy, Walls, enclose, split_lines, take_walls

if TYPE_CHECKING:
    from collections.abc import Sequence

Heights: TypeAlias = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Heights in metres at places float64[k, 2]; NaN where unknown."""

SPECK_M = 1.0
EDGE_OF_DATA_M = 20.0
"""A dead end this near to the rim of the data read may go on beyond it."""


@dataclass(frozen=True, slots=True, eq=False)
class WalkNetwork:
    """The streets one may walk on.

    Parameters
    ----------
    crs
        Metric CRS of all coordinates.
    node_xy
        float64[n, 2].
    edge_nodes
        int32[m, 2], first and last node of each edge.
    edge_length_m
        float64[m].
    edge_class, classes
        int16[m] into the names of street classes.
    edge_forward, edge_backward
        bool[m], whether one may walk from the first node to the last and back.
    edge_steps
        bool[m], stairs.
    edge_zone
        int32[m], the sealed compound it lies in, -1 outside.
    coords, coord_start
        float64[k, 2] and int64[m + 1]: the vertices of each edge.
    coord_along
        float64[k], metres from the edge's first node.
    coord_height
        float64[k], metres above some datum, NaN unknown; empty without a terrain.
    component, component_length_m
        int32[n] and float64[c]; component 0 is the longest.
    boundary
        bool[n], where the data end and the street may go on.
    signal
        bool[n], where one waits to cross.
    indptr, arc_node, arc_edge, arc_side
        Adjacency: arcs of node i are indptr[i]…indptr[i + 1] - 1; arc_side is 0 where the arc leaves the edge's first node.
    walls
        The walled compounds and gates as they were taken.

    Examples
    --------
    >>> lines = [shapely.LineString([(0, 0), (100, 0)]), shapely.LineString([(50, -50), (50, 50)])]
    >>> network_from_lines(lines, crs=CRS("EPSG:4547"), highway=["residential", "footway"])
    <WalkNetwork of 5 nodes and 4 edges, 200 m of streets in 1 component>
    """

    crs: CRS
    node_xy: NDArray[np.float64]
    edge_nodes: NDArray[np.int32]
    edge_length_m: NDArray[np.float64]
    edge_class: NDArray[np.int16]
    classes: tuple[str, ...]
    edge_forward: NDArray[np.bool_]
    edge_backward: NDArray[np.bool_]
    edge_steps: NDArray[np.bool_]
    edge_zone: NDArray[np.int32]
    coords: NDArray[np.float64]
    coord_start: NDArray[np.int64]
    coord_along: NDArray[np.float64]
    coord_height: NDArray[np.float64]
    component: NDArray[np.int32]
    component_length_m: NDArray[np.float64]
    boundary: NDArray[np.bool_]
    signal: NDArray[np.bool_]
    indptr: NDArray[np.int64]
    arc_node: NDArray[np.int32]
    arc_edge: NDArray[np.int32]
    arc_side: NDArray[np.int8]
    walls: Walls

    def __repr__(self) -> str:
        """Return a sentence a planner can read."""
        n, m, c = self.node_xy.shape[0], self.edge_length_m.size, self.component_length_m.size
        return (
            f"<WalkNetwork of {n:,} nodes and {m:,} edges, {self.edge_length_m.sum():,.0f} m of streets"
            f" in {c:,} component{'s' if c != 1 else ''}>"
        )

    @property
    def edge_component(self) -> NDArray[np.int32]:
        """Return int32[m], the component of each edge."""
        return self.component[self.edge_nodes[:, 0]]

    def components(self) -> Components:
        """Return each component with its length, nodes and edges; the longest first."""
        count = self.component_length_m.size
        nodes = np.bincount(self.component, minlength=count)
        edges = np.bincount(self.edge_component, minlength=count)
        return Components(self.component_length_m, nodes, edges)

    def edge_lines(self) -> NDArray[np.object_]:
        """Return object[m], each edge as a LineString."""
        counts = np.diff(self.coord_start)
        lines: NDArray[np.object_] = shapely.linestrings(self.coords, indices=np.repeat(np.arange(counts.size), counts))
        return lines

    def positions_xy(self, edge: NDArray[np.int32], offset_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return float64[k, 2], the places of positions on edges."""
        edge, offset = edge.astype(np.int32), np.asarray(offset_m, dtype=np.float64)
        columns = [
            kernels.interpolate_along(
                edge, offset, self.coord_start, self.coord_along, np.ascontiguousarray(self.coords[:, axis])
            )
            for axis in (0, 1)
        ]
        return np.column_stack(columns)


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """Components of a network, the longest first: float64 metres, int64 nodes and edges of each."""

    length_m: NDArray[np.float64]
    nodes: NDArray[np.int64]
    edges: NDArray[np.int64]


def check_metric(crs: CRS | None) -> CRS:
    """Return the CRS when it is projected and in metres.

    Raises
    ------
    CrsError
        When it is missing, geographic or in another unit: three different messages.
    """
    if crs is None:
        message = "the streets have no CRS; state their datum"
        raise CrsError(message, Fault("gis.streets_no_crs"))
    if crs.is_geographic:
        message = f"the streets are in degrees ({crs.name}); project them to metres first"
        raise CrsError(message, Fault("gis.streets_degrees", detail={"crs": crs.name}))
    units = {axis.unit_name for axis in crs.axis_info[:2]}
    if units != {"metre"}:
        message = f"the streets are in {', '.join(sorted(units))} ({crs.name}); metres are needed"
        raise CrsError(
            message, Fault("gis.streets_not_metres", detail={"crs": crs.name, "unit": ", ".join(sorted(units))})
        )
    return crs


def network_from_lines(  # noqa: PLR0913  one argument a column of the streets layer
    lines: Sequence[shapely.Geometry] | NDArray[np.object_],
    *,
    crs: CRS | None,
    highway: Sequence[str],
    level: NDArray[np.int64] | None = None,
    spans: NDArray[np.bool_] | None = None,
    one_way: NDArray[np.bool_] | None = None,
    tags: Sequence[dict[str, str]] | None = None,
    walls: NDArray[np.object_] | None = None,
    gates: Gates | None = None,
    policy: Policy = "gated",
    heights: Heights | None = None,
    rim: shapely.Geometry | None = None,
    join_m: float = JOIN_M,
) -> WalkNetwork:
    """Return the walk network of a line layer: joined where lines meet on one level, without what nobody may walk on.

    Parameters
    ----------
    lines
        LineStrings or MultiLineStrings in metres; empty and missing ones are passed over.
    crs
        Their CRS.
    highway
        Street class of each, in OSM's words; decides with ``tags`` by the legality table.
    level
        int64[l], 0 on the ground; lines of different levels meet at ends only. Bridges given by ``spans`` alone are level 1.
    spans
        bool[l], bridges and tunnels.
    one_way
        bool[l], walked in the direction of drawing only.
    tags
        More tags of each line (``foot``, ``sidewalk``, ``access`` …).
    walls, gates, policy
        object[z] polygons of walled compounds (``None`` where a compound has no wall), gates, and how they count.
    heights
        Terrain.
    rim
        Line where the data were cut off; the hull of the network where not given.
    join_m
        How far a line's end may be from the line it touches.

    Raises
    ------
    CrsError
        When the CRS is not in metres.
    InputError
        When coordinates are not numbers, or nothing is left to walk on.
    """
    check_metric(crs)
    geometries = np.asarray(lines, dtype=object)
    parts, row = shapely.get_parts(geometries, return_index=True)
    row = row[~shapely.is_empty(parts)]
    parts = parts[~shapely.is_empty(parts)]
    more = [{}] * geometries.size if tags is None else tags
    verdicts = np.array(
        [legality({**extra, "highway": name}).verdict for name, extra in zip(highway, more, strict=True)], dtype=object
    )
    wanted = (verdicts == "walk") | ((verdicts == "private") & (policy == "open"))
    parts, row = parts[wanted[row]], row[wanted[row]]
    xy, line = shapely.get_coordinates(parts, return_index=True)
    if parts.size == 0:
        raise _nothing_to_walk_on()
    if not np.isfinite(xy).all():
        message = "some street coordinates are not numbers"
        raise InputError(
            message,
            Fault(
                "gis.streets_nan", layer="streets", row=int(row[line[np.flatnonzero(~np.isfinite(xy).all(axis=1))[0]]])
            ),
        )
    start = np.concatenate([[0], np.cumsum(np.bincount(line, minlength=parts.size))]).astype(np.int64)
    bridge = np.zeros(geometries.size, bool) if spans is None else np.asarray(spans, dtype=bool)
    height = np.zeros(geometries.size, np.int32) if level is None else np.asarray(level).astype(np.int32)
    height = np.where((height == 0) & bridge, 1, height).astype(np.int32)[row]
    backward = np.ones(row.size, bool) if one_way is None else ~np.asarray(one_way, dtype=bool)[row]
    classes, klass = np.unique(np.array([str(name) for name in highway], dtype=str)[row], return_inverse=True)
    drawn = Lines(
        xy=xy,
        start=start,
        node=vertex_ids(xy, start, height),
        klass=klass.astype(np.int16),
        classes=tuple(classes.tolist()),
        forward=np.ones(row.size, dtype=bool),
        backward=backward,
        steps=classes[klass] == "steps",
        spans=bridge[row] | (height != 0),
        zone=np.full(row.size, -1, dtype=np.int32),
    )
    taken = take_walls(walls, gates, policy)
    return _assemble(*enclose(join_lines(drawn, height, join_m=join_m), taken), crs=crs, heights=heights, rim=rim)


def network_from_osm(
    ways: OsmWays,
    *,
    crs: CRS | None,
    walls: NDArray[np.object_] | None = None,
    gates: Gates | None = None,
    policy: Policy = "gated",
    heights: Heights | None = None,
    rim: shapely.Geometry | None = None,
) -> WalkNetwork:
    """Return the walk network of an OSM extract: joined by node ids, so bridges do not join what they cross.

    Parameters
    ----------
    ways
        Ways with projected coordinates; nodes the extract lacks are NaN and mark the data's edge.
    crs, walls, gates, policy, heights, rim
        As in `network_from_lines`.

    Raises
    ------
    CrsError
        When the CRS is not in metres.
    InputError
        When the extract has no way one may walk on.
    """
    check_metric(crs)
    lines, _ = walkable(ways, policy=policy)
    if lines.node.size == 0:
        raise _nothing_to_walk_on()
    ids, node = np.unique(lines.node, return_inverse=True)
    found = {
        name: np.flatnonzero(np.isin(ids, getattr(lines, name))).astype(np.int64)
        for name in ("cut", "signals", "blocked")
    }
    compact = replace(lines, node=node.astype(np.int64), **found)
    return _assemble(*enclose(compact, take_walls(walls, gates, policy)), crs=crs, heights=heights, rim=rim)


def _nothing_to_walk_on() -> InputError:
    """Return the error for streets without any one may walk on."""
    message = "the streets hold no line that one may walk on"
    return InputError(message, Fault("gis.nothing_to_walk_on", layer="streets"))


def _ragged(first: NDArray[np.int64], count: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return first[0], first[0] + 1 … (count[0] of them), first[1] …: the index of ragged rows.

    Examples
    --------
    >>> _ragged(np.array([5, 9]), np.array([2, 1])).tolist()
    [5, 6, 9]
    """
    skipped = np.concatenate([[0], np.cumsum(count)[:-1]])
    return np.repeat(first - skipped, count) + np.arange(int(count.sum()))


@dataclass(frozen=True, slots=True, eq=False)
class _Edges:
    """Edges between nodes as stretches of vertices, with their kind packed into one number as walked either way."""

    vertex: NDArray[np.int64]
    start: NDArray[np.int64]
    nodes: NDArray[np.int32]
    kind: NDArray[np.int64]


def _cut_into_edges(lines: Lines) -> tuple[Lines, _Edges]:
    """Return the lines (blocked nodes parted) as edges between the nodes where lines end or meet."""
    if lines.blocked.size:
        inner = np.ones(lines.node.size, dtype=bool)
        inner[lines.start[:-1]] = inner[lines.start[1:] - 1] = False
        lines = split_lines(lines, np.flatnonzero(np.isin(lines.node, lines.blocked) & inner))
        shut = np.flatnonzero(np.isin(lines.node, lines.blocked))
        node = lines.node.copy()
        node[shut] = int(node.max()) + 1 + np.arange(shut.size)
        lines = replace(lines, node=node)
    ids, node = np.unique(lines.node, return_inverse=True)
    keep = np.isin(ids, np.concatenate([lines.signals, lines.cut])) | (np.bincount(node) > 1)
    stop = keep[node]
    stop[lines.start[:-1]] = stop[lines.start[1:] - 1] = True
    stops = np.flatnonzero(stop)
    line = lines.line
    same = line[stops[1:]] == line[stops[:-1]]
    first, last = stops[:-1][same], stops[1:][same]
    used, ends = np.unique(np.stack([node[first], node[last]], axis=1), return_inverse=True)
    of = line[first]
    ways = lines.forward[of].astype(np.int64) + 2 * lines.backward[of]
    sort = (lines.zone[of].astype(np.int64) + 1) * len(lines.classes) + lines.klass[of]
    kind = (sort * 4 + lines.steps[of] * 2 + lines.spans[of]) * 4 + ways
    count = last - first + 1
    start = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    compact = replace(
        lines,
        **{
            name: np.flatnonzero(np.isin(ids[used], getattr(lines, name))).astype(np.int64)
            for name in ("cut", "signals", "blocked")
        },
    )
    return compact, _Edges(_ragged(first, count), start, ends.reshape(-1, 2).astype(np.int32), kind)


def _adjacency(
    nodes: NDArray[np.int32], count: int
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32], NDArray[np.int8]]:
    """Return CSR adjacency of undirected edges: indptr, arc_node, arc_edge, arc_side."""
    m = nodes.shape[0]
    tail = nodes.T.ravel()
    order = np.argsort(tail, kind="stable")
    indptr = np.concatenate([[0], np.cumsum(np.bincount(tail, minlength=count))]).astype(np.int64)
    edge = np.tile(np.arange(m, dtype=np.int32), 2)[order]
    side = np.repeat(np.array([0, 1], dtype=np.int8), m)[order]
    return indptr, nodes.T[::-1].ravel()[order].astype(np.int32), edge, side


def _turned_kind(kind: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the kind of edges as walked the other way: the two direction bits change places."""
    turned: NDArray[np.int64] = (kind & ~np.int64(3)) | ((kind & 1) << 1) | ((kind & 2) >> 1)
    return turned


def _contract(edges: _Edges, keep: NDArray[np.int64]) -> tuple[_Edges, NDArray[np.int32]]:
    """Return the edges with chains of one kind through nodes of two edge ends made one each, and the nodes that stay."""
    count = int(edges.nodes.max()) + 1
    indptr, _, arc_edge, arc_side = _adjacency(edges.nodes, count)
    through = np.diff(indptr) == 2
    through[keep] = False
    start, order, turned = kernels.chains(
        indptr, arc_edge, arc_side, edges.nodes, edges.kind, _turned_kind(edges.kind), through
    )
    head = np.zeros(order.size, dtype=bool)
    head[start[:-1]] = True
    counts = np.diff(edges.start)[order] - ~head
    position = (
        np.arange(int(counts.sum()))
        - np.repeat(np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
        + np.repeat(~head, counts)
    )
    first, last = edges.start[order], edges.start[order + 1] - 1
    place = np.where(np.repeat(turned, counts), np.repeat(last, counts) - position, np.repeat(first, counts) + position)
    ends = np.where(turned[:, None], edges.nodes[order][:, ::-1], edges.nodes[order])
    vertex_start = np.concatenate([[0], np.cumsum(np.add.reduceat(counts, start[:-1]))]).astype(np.int64)
    used, nodes = np.unique(np.stack([ends[start[:-1], 0], ends[start[1:] - 1, 1]], axis=1), return_inverse=True)
    kind = np.where(turned, _turned_kind(edges.kind[order]), edges.kind[order])[start[:-1]]
    return _Edges(edges.vertex[place], vertex_start, nodes.reshape(-1, 2).astype(np.int32), kind), used


def _drop_specks(lines: Lines, edges: _Edges) -> _Edges:
    """Return the edges without loops shorter than a metre, which joining leaves where two vertices fall together."""
    step = np.hypot(*np.diff(lines.xy[edges.vertex], axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(step)])
    length = along[edges.start[1:] - 1] - along[edges.start[:-1]]
    kept = (edges.nodes[:, 0] != edges.nodes[:, 1]) | (length >= SPECK_M)
    count = np.diff(edges.start)[kept]
    vertex = edges.vertex[_ragged(edges.start[:-1][kept], count)]
    start = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    return _Edges(vertex, start, edges.nodes[kept], edges.kind[kept])


def _along(coords: NDArray[np.float64], start: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return metres from each edge's first vertex; summed edge by edge, so that one edge does not depend on another."""
    step = np.zeros(coords.shape[0])
    step[1:] = np.hypot(*np.diff(coords, axis=0).T)
    step[start[:-1]] = 0.0
    along: NDArray[np.float64] = kernels.running_sums(step, start)
    return along


def _heights(
    coords: NDArray[np.float64],
    start: NDArray[np.int64],
    along: NDArray[np.float64],
    spans: NDArray[np.bool_],
    heights: Heights | None,
) -> NDArray[np.float64]:
    """Return the height of every vertex: of the terrain, or on bridges and in tunnels straight from end to end."""
    if heights is None:
        return np.zeros(0)
    z = np.asarray(heights(coords), dtype=np.float64)
    edge = np.repeat(np.arange(start.size - 1), np.diff(start))
    first, last = start[:-1][edge], start[1:][edge] - 1
    share = along / np.where(along[last] > 0, along[last], 1.0)
    return np.where(spans[edge], z[first] + share * (z[last] - z[first]), z)


def _components(
    nodes: NDArray[np.int32], length: NDArray[np.float64], count: int
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return each node's component and the components' lengths, the longest first (ties: lowest node first)."""
    graph = coo_array((np.ones(nodes.shape[0], dtype=np.int8), (nodes[:, 0], nodes[:, 1])), shape=(count, count))
    number, label = connected_components(graph, directed=False)
    total = np.bincount(label[nodes[:, 0]], weights=length, minlength=number)
    first = np.full(number, count)
    np.minimum.at(first, label, np.arange(count))
    order = np.lexsort((first, -total))
    rank = np.empty(number, dtype=np.int32)
    rank[order] = np.arange(number, dtype=np.int32)
    return rank[label], total[order]


def _rim_nodes(
    node_xy: NDArray[np.float64], degree: NDArray[np.int64], rim: shapely.Geometry | None
) -> NDArray[np.bool_]:
    """Return the dead ends at the rim of the data."""
    border = shapely.boundary(shapely.convex_hull(shapely.multipoints(node_xy))) if rim is None else rim
    flagged = np.zeros(degree.size, dtype=bool)
    ends = np.flatnonzero(degree == 1)
    shapely.prepare(border)
    flagged[ends] = shapely.dwithin(border, shapely.points(node_xy[ends]), EDGE_OF_DATA_M)
    return flagged


def _assemble(
    lines: Lines, walls: Walls, *, crs: CRS, heights: Heights | None, rim: shapely.Geometry | None
) -> WalkNetwork:
    """Return the network of lines whose node ids say where they join."""
    lines, edges = _cut_into_edges(lines)
    edges, used = _contract(_drop_specks(lines, edges), np.concatenate([lines.signals, lines.cut]))
    count = int(used.size)
    coords, start = lines.xy[edges.vertex], edges.start
    node_xy = np.empty((count, 2))
    ends = np.concatenate([start[:-1], start[1:] - 1])
    # Joined vertices may lie a little apart: the first edge's end says where the node is, and all edges end there.
    node_xy[edges.nodes.T.ravel()[::-1]] = coords[ends[::-1]]
    coords[ends] = node_xy[edges.nodes.T.ravel()]
    along = _along(coords, start)
    length = along[start[1:] - 1].copy()
    sort, ways = edges.kind >> 2, edges.kind & 3
    spans, steps, place = (sort & 1) > 0, (sort & 2) > 0, sort >> 2
    component, component_length = _components(edges.nodes, length, count)
    indptr, arc_node, arc_edge, arc_side = _adjacency(edges.nodes, count)
    boundary = np.isin(used, lines.cut) | _rim_nodes(node_xy, np.diff(indptr), rim)
    network = WalkNetwork(
        crs=crs,
        node_xy=node_xy,
        edge_nodes=edges.nodes,
        edge_length_m=length,
        edge_class=(place % len(lines.classes)).astype(np.int16),
        classes=lines.classes,
        edge_forward=(ways & 1) > 0,
        edge_backward=(ways & 2) > 0,
        edge_steps=steps,
        edge_zone=(place // len(lines.classes) - 1).astype(np.int32),
        coords=coords,
        coord_start=start,
        coord_along=along,
        coord_height=_heights(coords, start, along, spans, heights),
        component=component,
        component_length_m=component_length,
        boundary=boundary,
        signal=np.isin(used, lines.signals),
        indptr=indptr,
        arc_node=arc_node,
        arc_edge=arc_edge,
        arc_side=arc_side,
        walls=walls,
    )
    for name in network.__slots__:
        value = getattr(network, name)
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
    return network
