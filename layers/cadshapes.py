"""Lines and texts of a drawing as polygons with columns: rings closed, nested rings cut out, texts put inside."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    Shapes = NDArray[np.object_]
    Flags = NDArray[np.bool_]

CLOSING_M = 0.1
"""Ends of lines that lie no farther apart meet."""

SAME_M = 0.001
"""Outlines that differ by less are drawn twice."""

NESTED_MOST = 0.999
"""A ring with this share of the ring around it or more is the same ring."""

LINE_HEIGHT, LATIN_WIDTH = 1.5, 0.6
"""Line spacing and width of a letter in text heights; a Chinese character is as wide as it is high."""

_PAIR = re.compile(r"^\s*([^\s:：=]{1,16})\s*[:：=]\s*(\S.*?)\s*$")
_STYLE = {name: re.compile(rf"[(,]{name}:(-?[\d.]+)") for name in ("s", "p", "a")}


@dataclass(frozen=True, slots=True)
class Outlines:
    """Polygons drawn by lines, with the CAD layer of each; lines that close nothing, counted, and where they end."""

    polygons: Shapes
    layers: NDArray[np.object_]
    parent: NDArray[np.int64]
    """Of a ring within another of its CAD layer that other's place, else -1; it is cut out of that already."""
    loose: int
    ends: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts of a drawing: the column each belongs to, where it stands, and where its own anchor is."""

    column: NDArray[np.object_]
    source: NDArray[np.object_]
    text: NDArray[np.object_]
    centre: Shapes
    anchor: Shapes


def outlines(entities: pd.DataFrame) -> Outlines:
    """Return the polygons that the lines and hatches of a drawing make, each CAD layer for itself.

    Closed lines are polygons as they stand. Of the open ones those whose ends meet within 0.1 m are joined, crossings
    and shared lines included, and every face that they enclose is a polygon. Outlines drawn twice count once. A ring
    within another of the same CAD layer is cut out of it.

    Parameters
    ----------
    entities
        Columns ``layer`` and ``geometry``, in metres.

    Examples
    --------
    >>> import pandas as pd
    >>> lines = [shapely.LineString(xy) for xy in ([(0, 0), (9, 0)], [(9, 0.05), (9, 9), (0, 0)], [(20, 0), (30, 0)])]
    >>> found = outlines(pd.DataFrame({"layer": ["a", "a", "a"], "geometry": lines}))
    >>> shapely.area(found.polygons).round().tolist(), found.loose
    ([40.0], 1)
    """
    polygons: list[shapely.Polygon] = []
    layers: list[str] = []
    loose, ends = 0, [np.zeros((0, 2))]
    for layer, part in entities.groupby("layer", sort=True):
        shapes = shapely.get_parts(part["geometry"].to_numpy())
        shapes = shapely.get_parts(shapes)
        areas = list(shapes[shapely.get_type_id(shapes) == 3])
        lines = shapes[(shapely.get_type_id(shapes) == 1) & (shapely.length(shapes) > 0)]
        rings, open_lines = _closed(lines)
        faces, left, stray = _chained(open_lines)
        found = _once([*areas, *rings, *faces])
        polygons += found
        layers += [str(layer)] * len(found)
        loose += left
        ends.append(stray)
    whole = np.array(polygons, dtype=object)
    named = np.array(layers, dtype=object)
    cut, parent = _nested(whole, named)
    return Outlines(cut, named, parent, loose, np.concatenate(ends))


def _closed(lines: Shapes) -> tuple[list[shapely.Polygon], Shapes]:
    """Return the polygons of lines that close by themselves within the tolerance, and the other lines."""
    if not len(lines):
        return [], lines
    first, last = (shapely.get_coordinates(shapely.get_point(lines, place)) for place in (0, -1))
    apart = np.hypot(*(first - last).T)
    closes = (apart <= CLOSING_M) & (shapely.get_num_points(lines) >= 4) & (shapely.length(lines) > 10 * CLOSING_M)
    rings = []
    for line in lines[closes]:
        points = shapely.get_coordinates(line)
        points[-1] = points[0]
        polygon = shapely.Polygon(points)
        if polygon.area > 0:
            rings.append(polygon)
    return rings, lines[~closes]


def _chained(lines: Shapes) -> tuple[list[shapely.Polygon], int, NDArray[np.float64]]:
    """Return the faces that open lines enclose, how many lines enclose nothing, and where these end."""
    if not len(lines):
        return [], 0, np.zeros((0, 2))
    joined = _ends_joined(lines)
    noded = shapely.union_all(joined)
    faces, cuts, dangles, invalid = shapely.polygonize_full(shapely.get_parts(noded))
    polygons = [shapely.Polygon(face.exterior) for face in shapely.get_parts(faces)]
    left = shapely.union_all(np.array([cuts, dangles, invalid], dtype=object))
    if left.is_empty:
        return polygons, 0, np.zeros((0, 2))
    touched = shapely.STRtree(joined).query(shapely.get_parts(left), predicate="intersects")[1]
    along = shapely.length(shapely.intersection(joined[np.unique(touched)], left)) > CLOSING_M
    places = np.unique(touched)[along]
    return polygons, len(places), shapely.get_coordinates(shapely.get_point(joined[places], -1))


def _ends_joined(lines: Shapes) -> Shapes:
    """Return lines with ends that lie within the tolerance of each other, or of a line, brought together."""
    ends = np.concatenate([shapely.get_coordinates(shapely.get_point(lines, place)) for place in (0, -1)])
    pairs = cKDTree(ends).query_pairs(CLOSING_M, output_type="ndarray")
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(ends), len(ends)))
    _, cluster = connected_components(graph, directed=False)
    first = np.full(int(cluster.max()) + 1, len(ends), dtype=np.int64)
    np.minimum.at(first, cluster, np.arange(len(ends)))
    moved = ends[first[cluster]]
    out = []
    for place, line in enumerate(lines):
        points = shapely.get_coordinates(line)
        points[0], points[-1] = moved[place], moved[place + len(lines)]
        out.append(shapely.LineString(points))
    joined = np.array(out, dtype=object)
    alone = np.bincount(cluster, minlength=int(cluster.max()) + 1)[cluster] == 1
    return _ends_on_lines(joined, moved[alone]) if alone.any() else joined


def _ends_on_lines(lines: Shapes, ends: NDArray[np.float64]) -> Shapes:
    """Return lines with a corner put in wherever the end of another line all but touches them."""
    points = np.asarray(shapely.points(ends), dtype=object)
    near, on = shapely.STRtree(lines).query(points, predicate="dwithin", distance=CLOSING_M)
    out = lines.copy()
    for place in np.unique(on).tolist():
        here = points[near[on == place]]
        at = shapely.line_locate_point(lines[place], here)
        inner = (at > CLOSING_M) & (at < lines[place].length - CLOSING_M)
        if inner.any():
            corners = shapely.get_coordinates(lines[place])
            steps = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(corners, axis=0).T))])
            order = np.argsort(np.concatenate([steps, at[inner]]), kind="stable")
            out[place] = shapely.LineString(np.concatenate([corners, shapely.get_coordinates(here[inner])])[order])
    return out


def _once(polygons: Sequence[shapely.Polygon]) -> list[shapely.Polygon]:
    """Return polygons without those that repeat another."""
    if not polygons:
        return []
    shapes = np.array(polygons, dtype=object)
    keys = shapely.to_wkb(shapely.normalize(shapely.set_precision(shapes, SAME_M, mode="pointwise")))
    return [
        polygons[place]
        for place in sorted(dict(zip(reversed(keys), range(len(keys) - 1, -1, -1), strict=True)).values())
    ]


def _nested(polygons: Shapes, layers: NDArray[np.object_]) -> tuple[Shapes, NDArray[np.int64]]:
    """Return polygons with the rings within them cut out, and for each the smallest ring of its layer around it."""
    parent = np.full(len(polygons), -1, dtype=np.int64)
    usable = np.flatnonzero(shapely.is_valid(polygons))
    inner, outer = shapely.STRtree(polygons[usable]).query(polygons[usable], predicate="covered_by")
    inner, outer = usable[inner], usable[outer]
    area = shapely.area(polygons)
    real = (layers[inner] == layers[outer]) & (area[inner] < NESTED_MOST * area[outer])
    order = np.lexsort((area[outer[real]], inner[real]))
    child, around = inner[real][order], outer[real][order]
    parent[child[::-1]] = around[::-1]  # the smallest comes last and stays
    cut = polygons.copy()
    for place in np.unique(parent[parent >= 0]).tolist():
        cut[place] = shapely.difference(polygons[place], shapely.union_all(polygons[parent == place]))
    return cut, parent


def texts_of(entities: pd.DataFrame, inserts: pd.DataFrame) -> Texts:
    """Return the texts of a drawing: those of text entities by CAD layer, those of blocks by tag.

    A line ``key: value`` belongs to the column ``key``.
    """
    columns: list[str] = []
    sources: list[str] = []
    texts: list[str] = []
    centres: list[shapely.Point] = []
    anchors: list[shapely.Point] = []

    def add(column: str, source: str, text: str, at: tuple[shapely.Point, shapely.Point]) -> None:
        for values, value in zip((columns, sources, texts), (column, source, text), strict=True):
            values.append(value)
        anchors.append(at[0])
        centres.append(at[1])

    spoken = entities[entities["text"].notna()]
    cells = (spoken[name].tolist() for name in ("layer", "text", "style", "geometry"))
    for layer, text, style, point in zip(*cells, strict=True):
        if point.geom_type != "Point":
            continue
        at = (point, _centre(point, str(text), str(style)))
        rest = []
        for line in str(text).splitlines():
            pair = _PAIR.match(line)
            if pair:
                add(pair[1], layer, pair[2], at)
            elif line.strip():
                rest.append(line.strip())
        if rest:
            add(layer, layer, " ".join(rest), at)
    for layer, values, point in zip(inserts["layer"], inserts["values"], inserts["geometry"], strict=True):
        for tag, value in values.items():
            add(tag, layer, value, (point, point))
    as_objects = [np.array(values, dtype=object) for values in (columns, sources, texts)]
    shapes = [np.array(points, dtype=object) for points in (centres, anchors)]
    return Texts(as_objects[0], as_objects[1], as_objects[2], shapes[0], shapes[1])


def _centre(anchor: shapely.Point, text: str, style: str) -> shapely.Point:
    """Return the middle of a text from its anchor, height, turn and which of its corners the anchor is."""
    found = {name: pattern.search(style) for name, pattern in _STYLE.items()}
    height, corner, angle = (
        float(match[1]) if match else default for match, default in zip(found.values(), (0, 1, 0), strict=True)
    )
    lines = text.splitlines() or [""]
    width = height * max(sum(1.0 if ord(sign) > 0x2E80 else LATIN_WIDTH for sign in line) for line in lines)
    tall = height * (1 + LINE_HEIGHT * (len(lines) - 1))
    column, row = (int(corner) - 1) % 3, (int(corner) - 1) // 3
    right = (0.5 - 0.5 * column) * width
    up = (0.5 * tall, 0.0, -0.5 * tall, 0.5 * tall)[min(max(row, 0), 3)]
    turn = np.deg2rad(angle)
    return shapely.Point(
        anchor.x + right * np.cos(turn) - up * np.sin(turn), anchor.y + right * np.sin(turn) + up * np.cos(turn)
    )


def labelled(found: Outlines, texts: Texts, layer_column: str) -> tuple[gpd.GeoDataFrame, Flags, int]:
    """Return outlines as a frame with the texts inside each as columns, which texts found a place, and how many holes.

    A text belongs to the smallest polygon that its middle lies in, else its anchor. Several of one column are joined in
    reading order. A ring within another that has no text, where the one around it has, is a hole and no feature.
    """
    inside = np.full(len(texts.text), -1, dtype=np.int64)
    if len(found.polygons) and len(texts.text):
        area = shapely.area(found.polygons)
        tree = shapely.STRtree(found.polygons)
        for points in (texts.anchor, texts.centre):
            text, polygon = tree.query(points, predicate="intersects")
            order = np.argsort(-area[polygon], kind="stable")
            inside[text[order]] = polygon[order]
    spoken = np.bincount(inside[inside >= 0], minlength=len(found.polygons)) > 0
    hole = (found.parent >= 0) & ~spoken & spoken[found.parent]
    x, y = (np.round(of(texts.centre), 1) for of in (shapely.get_x, shapely.get_y))
    cells: dict[str, dict[int, list[str]]] = {}
    for text in np.lexsort((texts.text.astype(str), x, -y)).tolist():  # in reading order
        if inside[text] >= 0:
            cells.setdefault(texts.column[text], {}).setdefault(int(inside[text]), []).append(texts.text[text])
    columns: dict[str, NDArray[np.object_]] = {}
    for column in sorted(cells):
        columns[column] = np.full(len(found.polygons), None, dtype=object)
        for place, words in cells[column].items():
            columns[column][place] = " ".join(words)
    frame = gpd.GeoDataFrame({layer_column: found.layers, **columns}, geometry=found.polygons)[~hole]
    return frame.reset_index(drop=True), inside >= 0, int(hole.sum())
