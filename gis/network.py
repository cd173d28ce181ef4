"""WalkNetwork: the streets one may walk on, as arrays; built from lines or OSM ways."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import shapely

from . import kernels
from .edges import (
    Heights,
    adjacency,
    along_curve,
    contract,
    cut_into_edges,
    drop_specks,
    part_blocked,
    rank_components,
    read_only,
    rim_nodes,
    running_metres,
    vertex_heights,
)
from .errors import CrsError, Fault, InputError
from .noding import JOIN_M, Lines, first_of_twins, ids_of_ends, join_lines, numbered, places_of, renumbered, vertex_ids
from .osm import OsmWays, legality, walkable
from .private import part_private
from .shapes import lines_of
from .walls import Gates, Policy, Walls, enclose, take_walls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from pyproj import CRS

    from .scale import Scale


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
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
    edge_private
        bool[m], left by who lives there and not entered from the main public network: private streets and what
        lies behind them.
    coords, coord_start
        float64[k, 2] and int64[m + 1]: the vertices of each edge.
    coord_along
        float64[k], metres from the edge's first node.
    edge_scale
        float64[m], metres drawn over metres walked; empty where they are the same.
    coord_height
        float64[k], metres above some datum, NaN unknown; empty without a terrain.
    component, component_length_m
        int32[n] and float64[c]; component 0 is the longest.
    boundary
        bool[n], where the data end and the street may go on.
    signal
        bool[n], where one waits to cross.
    lift
        bool[n], where one waits for a lift.
    indptr, arc_node, arc_edge, arc_side
        Adjacency: arcs of node i are indptr[i]…indptr[i + 1] - 1; arc_side is 0 where the
        arc leaves the edge's first node.
    walls
        The walled compounds and gates as they were taken.

    Examples
    --------
    >>> lines = [shapely.LineString([(0, 0), (100, 0)]), shapely.LineString([(50, -50), (50, 50)])]
    >>> from pyproj import CRS
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
    edge_private: NDArray[np.bool_]
    coords: NDArray[np.float64]
    coord_start: NDArray[np.int64]
    coord_along: NDArray[np.float64]
    edge_scale: NDArray[np.float64]
    coord_height: NDArray[np.float64]
    component: NDArray[np.int32]
    component_length_m: NDArray[np.float64]
    boundary: NDArray[np.bool_]
    signal: NDArray[np.bool_]
    lift: NDArray[np.bool_]
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
        return lines_of(self.coords, self.coord_start)

    def positions_xy(self, edge: NDArray[np.int32], offset_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return float64[k, 2], the places of positions on edges."""
        columns = [self.along_edges(edge, offset_m, self.coord_along, self.coords[:, axis]) for axis in (0, 1)]
        return np.column_stack(columns)

    def along_edges(
        self,
        edge: NDArray[np.int32],
        at: NDArray[np.float64],
        from_values: NDArray[np.float64],
        to_values: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Return a quantity known at the vertices of edges (``to_values``) where another (``from_values``) has a value.

        Both are float64[k] by vertex and linear in between; ``from_values`` grows from 0 along each edge.
        """
        arrays = (edge.astype(np.int32), np.asarray(at, dtype=np.float64), self.coord_start, from_values, to_values)
        found: NDArray[np.float64] = kernels.interpolate_along(*(read_only(array) for array in arrays))
        return found


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
    ends: NDArray[np.int64] | None = None,
    walls: NDArray[np.object_] | None = None,
    gates: Gates | None = None,
    policy: Policy = "gated",
    heights: Heights | None = None,
    extent: shapely.Geometry | None = None,
    scale: Scale | None = None,
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
        int64[l], 0 on the ground; lines of different levels meet at ends only. Bridges given by ``spans``
        alone are level 1.
    spans
        bool[l], bridges and tunnels.
    one_way
        bool[l], walked in the direction of drawing only.
    tags
        More tags of each line (``foot``, ``sidewalk``, ``access`` …).
    ends
        int64[l, 2], numbers of the nodes at which each line begins and ends: lines then join at common nodes only,
        and a line drawn in both directions is one. Every line must be in one part.
    walls, gates, policy
        object[z] polygons of walled compounds (``None`` where a compound has no wall), gates, and how they count.
    heights
        Terrain.
    extent
        Polygon that the data cover; the hull of the network where not given. Dead ends at its border or beyond
        it may go on.
    scale
        Metres drawn over metres on the ground by place, as `lifecircle.gis.scale.ground_scale` gives it; lengths are
        taken as they are drawn where not given.
    join_m
        How far a line's end may be from the line it touches.

    Raises
    ------
    CrsError
        When the CRS is not in metres.
    InputError
        When coordinates are not numbers, or nothing is left to walk on.
    """
    crs = check_metric(crs)
    drawn, height = _drawn(lines, highway, level, spans, one_way, tags, ends, policy)
    if ends is None:
        drawn = join_lines(drawn, height, join_m=join_m)
    walled = enclose(drawn, take_walls(walls, gates, policy))
    # What is not needed any more makes room: a province is drawn with millions of vertices.
    del drawn
    return _assemble(*walled, crs=crs, heights=heights, extent=extent, scale=scale)


def _drawn(
    lines: Sequence[shapely.Geometry] | NDArray[np.object_],
    highway: Sequence[str],
    level: NDArray[np.int64] | None,
    spans: NDArray[np.bool_] | None,
    one_way: NDArray[np.bool_] | None,
    tags: Sequence[dict[str, str]] | None,
    ends: NDArray[np.int64] | None,
    policy: Policy,
) -> tuple[Lines, NDArray[np.int32]]:
    """Return the lines that one may walk on with ids where they share vertices, and the level of each."""
    geometries = np.asarray(lines, dtype=object)
    parts, row = _single_lines(geometries)
    names = sorted({str(name) for name in highway})
    number = {name: k for k, name in enumerate(names)}
    code = np.fromiter((number[str(name)] for name in highway), dtype=np.int64, count=geometries.size)
    if tags is None:
        verdicts = np.array([legality({"highway": name}).verdict for name in names], dtype=object)[code]
    else:
        pairs = zip(highway, tags, strict=True)
        verdicts = np.array([legality({**extra, "highway": name}).verdict for name, extra in pairs], dtype=object)
    parts, row = parts[verdicts[row] != "never"], row[verdicts[row] != "never"]
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
    if ends is not None:
        once = np.zeros(row.size, dtype=bool) if one_way is None else np.asarray(one_way, dtype=bool)[row]
        kept = once | first_of_twins(parts, np.asarray(ends)[row])
        parts, row = parts[kept], row[kept]
        xy, line = shapely.get_coordinates(parts, return_index=True)
    start = np.concatenate([[0], np.cumsum(np.bincount(line, minlength=parts.size))]).astype(np.int64)
    bridge = np.zeros(geometries.size, bool) if spans is None else np.asarray(spans, dtype=bool)
    height = np.zeros(geometries.size, np.int32) if level is None else np.asarray(level).astype(np.int32)
    height = np.where((height == 0) & bridge, 1, height).astype(np.int32)[row]
    backward = np.ones(row.size, bool) if one_way is None else ~np.asarray(one_way, dtype=bool)[row]
    used, klass = np.unique(code[row], return_inverse=True)
    classes = np.array(names, dtype=str)[used]
    drawn = Lines(
        xy=xy,
        start=start,
        node=vertex_ids(xy, start, height) if ends is None else ids_of_ends(start, np.asarray(ends)[row]),
        klass=klass.astype(np.int16),
        classes=tuple(classes.tolist()),
        forward=np.ones(row.size, dtype=bool),
        backward=backward,
        steps=classes[klass] == "steps",
        spans=bridge[row] | (height != 0),
        zone=np.full(row.size, -1, dtype=np.int32),
        private=(verdicts[row] == "private") & (policy != "open"),
    )
    return drawn, height


def network_from_osm(
    ways: OsmWays,
    *,
    crs: CRS | None,
    walls: NDArray[np.object_] | None = None,
    gates: Gates | None = None,
    policy: Policy = "gated",
    heights: Heights | None = None,
    extent: shapely.Geometry | None = None,
    scale: Scale | None = None,
) -> WalkNetwork:
    """Return the walk network of an OSM extract: joined by node ids, so bridges do not join what they cross.

    Parameters
    ----------
    ways
        Ways with projected coordinates; nodes the extract lacks are NaN and mark the data's edge.
    crs, walls, gates, policy, heights, extent, scale
        As in `network_from_lines`.

    Raises
    ------
    CrsError
        When the CRS is not in metres.
    InputError
        When the extract has no way one may walk on.
    """
    crs = check_metric(crs)
    lines, _ = walkable(ways, policy=policy)
    if lines.node.size == 0:
        raise _nothing_to_walk_on()
    ids, node = numbered(lines.node)
    compact = renumbered(lines, node, partial(places_of, ids))
    walled = enclose(compact, take_walls(walls, gates, policy))
    return _assemble(*walled, crs=crs, heights=heights, extent=extent, scale=scale)


def _single_lines(geometries: NDArray[np.object_]) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Return the lines that are not empty, those of several parts taken apart, and the row each comes from."""
    if (shapely.get_type_id(geometries) == shapely.GeometryType.LINESTRING).all():
        # Parts are copies: a city's worth of them is only made where it must be.
        parts, row = geometries, np.arange(geometries.size)
    else:
        parts, row = shapely.get_parts(geometries, return_index=True)
    filled = ~shapely.is_empty(parts)
    return parts[filled], row[filled].astype(np.int64)


def _nothing_to_walk_on() -> InputError:
    """Return the error for streets without any one may walk on."""
    message = "the streets hold no line that one may walk on"
    return InputError(message, Fault("gis.nothing_to_walk_on", layer="streets"))


def _assemble(
    lines: Lines,
    walls: Walls,
    *,
    crs: CRS,
    heights: Heights | None,
    extent: shapely.Geometry | None,
    scale: Scale | None,
) -> WalkNetwork:
    """Return the network of lines whose node ids say where they join."""
    lines, edges = cut_into_edges(part_private(part_blocked(lines)))
    edges, used = contract(drop_specks(lines, edges), np.concatenate([lines.signals, lines.lifts, lines.cut]))
    count = int(used.size)
    coords, start = lines.xy[edges.vertex], edges.start
    node_xy = np.empty((count, 2))
    ends = np.concatenate([start[:-1], start[1:] - 1])
    # Joined vertices may lie a little apart: the first edge's end says where the node is, and all edges end there.
    node_xy[edges.nodes.T.ravel()[::-1]] = coords[ends[::-1]]
    coords[ends] = node_xy[edges.nodes.T.ravel()]
    # A search walks from node to node: neighbours that lie near each other in memory are fetched together.
    order = along_curve(node_xy)
    rank = np.empty(count, dtype=np.int32)
    rank[order] = np.arange(count, dtype=np.int32)
    node_xy, used, nodes = node_xy[order], used[order], rank[edges.nodes]
    along = running_metres(coords, start)
    drawn_over_ground = np.zeros(0) if scale is None else scale(coords[(start[:-1] + start[1:]) // 2])
    if drawn_over_ground.size:
        along /= np.repeat(drawn_over_ground, np.diff(start))
    length = along[start[1:] - 1].copy()
    sort, ways = edges.kind >> 2, edges.kind & 3
    spans, steps, private, place = (sort & 1) > 0, (sort & 2) > 0, (sort & 4) > 0, sort >> 3
    component, component_length = rank_components(nodes, length, count)
    indptr, arc_node, arc_edge, arc_side = adjacency(nodes, count)
    boundary = np.isin(used, lines.cut) | rim_nodes(node_xy, np.diff(indptr), extent)
    network = WalkNetwork(
        crs=crs,
        node_xy=node_xy,
        edge_nodes=nodes,
        edge_length_m=length,
        edge_class=(place % len(lines.classes)).astype(np.int16),
        classes=lines.classes,
        edge_forward=(ways & 1) > 0,
        edge_backward=(ways & 2) > 0,
        edge_steps=steps,
        edge_zone=(place // len(lines.classes) - 1).astype(np.int32),
        edge_private=private,
        coords=coords,
        coord_start=start,
        coord_along=along,
        edge_scale=drawn_over_ground,
        coord_height=vertex_heights(coords, start, along, spans, heights),
        component=component,
        component_length_m=component_length,
        boundary=boundary,
        signal=np.isin(used, lines.signals),
        lift=np.isin(used, lines.lifts),
        indptr=indptr,
        arc_node=arc_node,
        arc_edge=arc_edge,
        arc_side=arc_side,
        walls=walls,
    )
    return _fixed(network)


def _fixed(network: WalkNetwork) -> WalkNetwork:
    """Return the network with arrays that nobody can write to."""
    for name in network.__slots__:
        value = getattr(network, name)
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
    return network
