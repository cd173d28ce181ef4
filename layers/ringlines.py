"""The ground that named lines enclose: ring roads, railways, rivers, with the small gaps between them closed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ..gis.crs import transform
from ..gis.errors import Fault, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from .settings import RingSection
    from .study import Study

    Geometries = NDArray[np.object_]

GAP_M = 200.0
"""Ends of lines this near another line are joined to it: named roads stop short of the crossing."""
TOUCH_M = 1.0
"""A line belongs to a boundary when part of it lies this near."""
LEAST_OF_HULL = 0.2
"""One or two lines enclose a ring only when it fills this share of the ground they span; less is an interchange."""
SHOWN_ENDS = 6
STUDY_FILE = "study.toml"
OSM_LINES = ("highway", "railway", "waterway", "natural=coastline")


@dataclass(frozen=True, slots=True)
class _Linework:
    """Noded edges of the lines around one ring, and the pattern each came from."""

    edges: Geometries
    pattern: NDArray[np.int64]


def enclosed_areas(study: Study, sections: Sequence[RingSection]) -> list[BaseGeometry]:
    """Return for each ring of study.toml the ground that its lines enclose, holes filled, not yet cut to each other.

    Parameters
    ----------
    study
        Lines are taken from the layer ``ring_lines``, else from the streets, else from the OSM extract.
    sections
        The ``[[rings.ring]]`` of study.toml; ``bounded_by`` are regular expressions of whole names.

    Raises
    ------
    InputError
        With all faults of all rings: no line of a name, a pattern that is no regular expression, lines that do not
        close.
    """
    lines = _named_lines(study)
    faults: list[Fault] = []
    shapes: list[BaseGeometry] = []
    for number, section in enumerate(sections, start=1):
        key = f"rings.ring[{number}].bounded_by"
        groups, missing = _matching(lines, section, key)
        faults.extend(missing)
        if missing:
            continue
        shape, open_ends = enclosed(groups)
        if shape is None:
            ends = "; ".join(_describe(end, section.bounded_by) for end in open_ends[:SHOWN_ENDS])
            detail = {"name": section.name, "ends": ends or "-", "gap": round(GAP_M)}
            faults.append(Fault("rings.not_closed", STUDY_FILE, column=key, detail=detail))
            continue
        shapes.append(shape)
    if faults:
        raise InputError(f"rings cannot be drawn: {'; '.join(map(str, faults))}", *faults)
    return shapes


def _named_lines(study: Study) -> gpd.GeoDataFrame:
    """Return the lines that may bound a ring, with a column ``name``."""
    for layer in ("ring_lines", "streets"):
        frame = study.layers.get(layer)
        if frame is not None and "name" in frame.columns:
            return frame[frame["name"].notna()]
    frames = []
    for path in study.osm:
        from .osmfile import osm_features  # noqa: PLC0415  only studies on OSM without ring lines need it

        features = osm_features(path, OSM_LINES, ("LineString",))
        if "name" in features.columns:
            frames.append(transform(features.loc[features["name"].notna(), ["name", "geometry"]], None, study.crs))
    if frames:
        return gpd.GeoDataFrame(pd.concat(frames, ignore_index=True), crs=study.crs)
    return gpd.GeoDataFrame({"name": pd.Series(dtype="str")}, geometry=[], crs=study.crs)


def _matching(lines: gpd.GeoDataFrame, section: RingSection, key: str) -> tuple[list[Geometries], list[Fault]]:
    """Return the lines of each pattern of a ring, and a fault that names the key for each pattern without any."""
    names = [str(name) for name in lines["name"]]
    groups: list[Geometries] = []
    faults: list[Fault] = []
    for text in section.bounded_by:
        try:
            pattern = re.compile(text)
        except re.error as error:
            detail = {"name": section.name, "reason": str(error)}
            faults.append(Fault("rings.bad_pattern", STUDY_FILE, column=key, value=text, detail=detail))
            continue
        chosen = np.array([pattern.fullmatch(name) is not None for name in names], dtype=np.bool_)
        if not chosen.any():
            close = ", ".join(get_close_matches(text, sorted(set(names)), n=3, cutoff=0.4)) or "-"
            detail = {"name": section.name, "close": close}
            faults.append(Fault("rings.no_line", STUDY_FILE, column=key, value=text, detail=detail))
            continue
        parts = shapely.get_parts(shapely.force_2d(lines.geometry.to_numpy()[chosen]))
        groups.append(parts[shapely.length(parts) > 0])
    return groups, faults


@dataclass(frozen=True, slots=True)
class OpenEnd:
    """Where a line ends: position, the pattern it is of, the nearest other line's pattern and how far it is."""

    x: float
    y: float
    pattern: int
    nearest: int
    distance_m: float


def enclosed(groups: Sequence[Geometries]) -> tuple[BaseGeometry | None, list[OpenEnd]]:
    """Return the ground that groups of lines enclose together, or `None` and where the lines end.

    The largest face whose boundary every group has a part of; where no single face has, the joined faces. Ends up to
    `GAP_M` from another line are joined to it first when the lines alone do not close.

    Parameters
    ----------
    groups
        For each name its lines, in a metric CRS.

    Returns
    -------
    tuple
        A polygon without holes and no ends, or ``None`` and the open ends, the nearest to another line first.

    Examples
    --------
    >>> sides = [[(0, 0), (900, 0)], [(900, 0), (900, 900)], [(900, 900), (0, 900)], [(0, 900), (0, 0)]]
    >>> lines = [np.array([shapely.LineString(side)]) for side in sides]
    >>> enclosed(lines)[0].area
    810000.0
    >>> enclosed(lines[:3])[0] is None
    True
    """
    work = _noded(groups)
    shape = _face(work, groups)
    if shape is not None:
        return shape, []
    bridges = _bridges(work)
    if len(bridges):
        joined = _noded([*groups, bridges])
        shape = _face(joined, groups)
        if shape is not None:
            return shape, []
    return None, _open_ends(work)


def _noded(groups: Sequence[Geometries]) -> _Linework:
    """Return the lines split wherever they meet, each edge with the first group that it came from."""
    everything = shapely.union_all(np.concatenate(list(groups)))
    edges = shapely.get_parts(shapely.node(everything))
    edges = edges[shapely.length(edges) > 0]
    middle = shapely.line_interpolate_point(edges, 0.5, normalized=True)
    owner = np.concatenate([np.full(len(group), number) for number, group in enumerate(groups)])
    tree = shapely.STRtree(np.concatenate(list(groups)))
    edge, line = tree.query_nearest(middle, all_matches=False)
    pattern = np.zeros(len(edges), dtype=np.int64)
    pattern[edge] = owner[line]
    return _Linework(edges, pattern)


def _face(work: _Linework, groups: Sequence[Geometries]) -> BaseGeometry | None:
    """Return the ground that edges enclose when every group bounds it."""
    faces = shapely.get_parts(shapely.polygonize(work.edges))
    if not len(faces):
        return None
    faces = faces[np.argsort(-shapely.area(faces), kind="stable")]
    joined = shapely.get_parts(shapely.union_all(faces))
    joined = joined[np.argsort(-shapely.area(joined), kind="stable")]
    hull = shapely.area(shapely.convex_hull(shapely.union_all(work.edges)))
    for candidate in (faces[0], joined[0]):
        whole = shapely.Polygon(candidate.exterior)
        near = shapely.buffer(whole.exterior, TOUCH_M)
        bounds = [shapely.length(shapely.intersection(shapely.union_all(group), near)) for group in groups]
        filled = len(groups) > 2 or whole.area >= LEAST_OF_HULL * hull
        if filled and min(bounds) > 4 * TOUCH_M:
            return whole
    return None


def _ends(work: _Linework) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the positions where only one edge ends, and that edge."""
    first = shapely.get_coordinates(shapely.get_point(work.edges, 0))
    last = shapely.get_coordinates(shapely.get_point(work.edges, -1))
    both = np.concatenate([first, last])
    edge = np.tile(np.arange(len(work.edges)), 2)
    _, index, count = np.unique(both, axis=0, return_index=True, return_counts=True)
    single = np.sort(index[count == 1])
    return both[single], edge[single]


def _components(work: _Linework) -> NDArray[np.int64]:
    """Return for each edge the connected piece of linework it belongs to."""
    from scipy.sparse import coo_array  # noqa: PLC0415  only rings drawn from lines need it
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    ends = np.concatenate([shapely.get_coordinates(shapely.get_point(work.edges, end)) for end in (0, -1)])
    _, node = np.unique(ends, axis=0, return_inverse=True)
    node = node.reshape(2, -1)
    size = int(node.max()) + 1
    graph = coo_array((np.ones(node.shape[1]), (node[0], node[1])), shape=(size, size))
    return np.asarray(connected_components(graph, directed=False)[1][node[0]], dtype=np.int64)


def _bridges(work: _Linework) -> Geometries:
    """Return straight links from the ends of lines to other ends and other lines within `GAP_M`."""
    xy, edge = _ends(work)
    if not len(xy):
        return np.array([], dtype=object)
    points = np.asarray(shapely.points(xy), dtype=np.object_)
    links: list[BaseGeometry] = []
    one, other = shapely.STRtree(points).query(points, predicate="dwithin", distance=GAP_M)
    nearest: dict[int, tuple[float, int]] = {}
    for k, m in zip(one.tolist(), other.tolist(), strict=True):
        if edge[k] != edge[m]:
            nearest[k] = min(nearest.get(k, (np.inf, -1)), (float(np.hypot(*(xy[k] - xy[m]))), m))
    links.extend(shapely.LineString([xy[k], xy[m]]) for k, (distance, m) in nearest.items() if distance > 0)
    component = _components(work)
    source, target = shapely.STRtree(work.edges).query(points, predicate="dwithin", distance=GAP_M)
    foreign = (component[target] != component[edge[source]]) | (work.pattern[target] != work.pattern[edge[source]])
    source, target = source[foreign], target[foreign]
    gap = shapely.distance(points[source], work.edges[target])
    order = np.lexsort((target, gap, source))
    once = np.unique(source[order], return_index=True)[1]
    best_end, best_edge = points[source[order][once]], work.edges[target[order][once]]
    links.extend(np.asarray(shapely.shortest_line(best_end, best_edge)).tolist())
    return np.array([_extended(link) for link in links if link.length > 0], dtype=np.object_)


def _extended(link: BaseGeometry) -> BaseGeometry:
    """Return a link a hair longer, so that it crosses what it was drawn to."""
    (x0, y0), (x1, y1) = shapely.get_coordinates(link)[[0, -1]]
    grow = 1e-3 / max(link.length, 1e-3)
    return shapely.LineString([(x0, y0), (x1 + (x1 - x0) * grow, y1 + (y1 - y0) * grow)])


def _open_ends(work: _Linework) -> list[OpenEnd]:
    """Return where the lines end, the nearest to a line of another name or piece first."""
    xy, edge = _ends(work)
    component = _components(work)
    found = []
    for (x, y), own in zip(xy.tolist(), edge.tolist(), strict=True):
        others = np.flatnonzero((work.pattern != work.pattern[own]) | (component != component[own]))
        if not len(others):
            found.append(OpenEnd(x, y, int(work.pattern[own]), -1, np.inf))
            continue
        gaps = shapely.distance(shapely.Point(x, y), work.edges[others])
        best = int(np.argmin(gaps))
        found.append(OpenEnd(x, y, int(work.pattern[own]), int(work.pattern[others[best]]), float(gaps[best])))
    return sorted(found, key=lambda end: (end.distance_m, end.x, end.y))


def _describe(end: OpenEnd, names: Sequence[str]) -> str:
    """Return an open end as figures that need no language."""
    near = f" → {names[end.nearest]} {end.distance_m:.0f} m" if end.nearest >= 0 else ""
    return f"{names[end.pattern]} ({end.x:.0f}, {end.y:.0f}){near}"
