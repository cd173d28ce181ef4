"""Packs frames for the browser: rounded WGS 84 coordinates as differences, columns as lists, all as gzip in base64.

The script ``assets/data.js`` unpacks what this module packs; both follow the same description, given at `pack_shapes`.
"""

from __future__ import annotations

import base64
import gzip
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

STEPS_PER_DEGREE = 1_000_000
"""Coordinates are whole millionths of a degree: 0.11 m at most."""
WGS84 = "EPSG:4326"


def degrees(frame: gpd.GeoDataFrame | gpd.GeoSeries, *, simplify_m: float = 0.0) -> NDArray[np.object_]:
    """Return the shapes in WGS 84, simplified by a tolerance in metres before they leave the metric CRS.

    Shapes that are missing come back as empty ones. Topology of each single shape is kept.
    """
    shapes = frame.geometry
    if simplify_m > 0:
        # Lines keep their ends either way; only areas can be turned inside out, and keeping that right costs time.
        areas = bool((shapely.get_dimensions(np.asarray(shapes.array, dtype=object)) == 2).any())
        shapes = shapes.simplify(simplify_m, preserve_topology=areas)
    turned: NDArray[np.object_] = np.asarray(shapes.to_crs(WGS84).array, dtype=object)
    turned[shapely.is_missing(turned)] = shapely.GeometryCollection()
    return turned


def _differences(points: NDArray[np.float64]) -> list[int]:
    """Return x and y in turn, each as the difference from the point before."""
    whole = np.rint(points * STEPS_PER_DEGREE).astype(np.int64)
    steps = np.diff(whole, axis=0, prepend=np.zeros((1, 2), dtype=np.int64))
    return [int(step) for step in steps.ravel()]


def _parts(shapes: NDArray[np.object_], dimension: int) -> tuple[NDArray[np.object_], NDArray[np.intp]]:
    """Return the single polygons (dimension 2) or lines (1) of all shapes, and the shape each belongs to."""
    single, owner = shapely.get_parts(shapes, return_index=True)
    nested = shapely.get_type_id(single) >= 4
    while nested.any():  # collections hold multi-part shapes
        deeper, inner = shapely.get_parts(single, return_index=True)
        single, owner = deeper, owner[inner]
        nested = shapely.get_type_id(single) >= 4
    kept = (shapely.get_dimensions(single) == dimension) & ~shapely.is_empty(single)
    return single[kept], owner[kept]


def pack_points(shapes: NDArray[np.object_]) -> dict[str, Any]:
    """Return points packed: ``{"type": "point", "xy": differences}``; other shapes give a point inside them.

    Examples
    --------
    >>> pack_points(shapely.points([[114.0, 30.0], [114.000002, 30.000001]]))
    {'type': 'point', 'xy': [114000000, 30000000, 2, 1]}
    """
    points = np.where(shapely.get_type_id(shapes) == 0, shapes, shapely.point_on_surface(shapes))
    return {"type": "point", "xy": _differences(shapely.get_coordinates(points).reshape(-1, 2))}


def pack_shapes(shapes: NDArray[np.object_], *, kind: str) -> dict[str, Any]:
    """Return lines or polygons packed.

    ``xy`` are differences of x and y in turn over all vertices; ``rings`` the number of vertices of each line or ring
    (the last vertex of a ring, which repeats its first, is left out); ``parts``, of polygons only, the number of rings
    of each polygon, hull first; ``features`` the number of parts of each feature. What is neither line nor polygon in a
    collection is left out; a feature without any part is drawn as nothing.

    Parameters
    ----------
    shapes
        In WGS 84 degrees, as `degrees` returns them.
    kind
        ``"line"`` or ``"polygon"``.

    Examples
    --------
    >>> square = shapely.box(0, 0, 0.000002, 0.000003)
    >>> pack_shapes(np.array([square]), kind="polygon")
    {'type': 'polygon', 'xy': [2, 0, 0, 3, -2, 0, 0, -3], 'rings': [4], 'parts': [1], 'features': [1]}
    """
    shapes = np.asarray(shapes, dtype=object)
    if kind == "line":
        shapes = np.where(shapely.get_dimensions(shapes) == 2, shapely.boundary(shapes), shapes)
        parts, owner = _parts(shapes, 1)
        rings = parts
        packed: dict[str, Any] = {"type": "line"}
    else:
        parts, owner = _parts(shapes, 2)
        rings, ring_owner = shapely.get_rings(parts, return_index=True)
        packed = {"type": "polygon"}
    points, ring = shapely.get_coordinates(rings, return_index=True)
    if kind == "polygon" and len(points):
        last = np.append(ring[1:] != ring[:-1], True)
        points, ring = points[~last], ring[~last]
    packed["xy"] = _differences(points)
    packed["rings"] = np.bincount(ring, minlength=len(rings)).tolist()
    if kind == "polygon":
        packed["parts"] = np.bincount(ring_owner, minlength=len(parts)).tolist()
    packed["features"] = np.bincount(owner, minlength=len(shapes)).tolist()
    return packed


def plain(value: object, *, digits: int = 2) -> Any:  # noqa: ANN401  whatever JSON can hold
    """Return a cell as JSON holds it: not-a-number and missing as ``None``, whole floats as integers.

    Examples
    --------
    >>> [plain(value) for value in (np.float64(3.0), float("nan"), np.int64(4), np.True_, "a", 0.123456)]
    [3, None, 4, True, 'a', 0.12]
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        number = float(value)
        if not np.isfinite(number):
            return None
        return int(number) if number.is_integer() else round(number, digits)
    return None if pd.isna(value) else str(value)  # type: ignore[call-overload]


def squeeze(data: object) -> str:
    """Return JSON as gzip in base64: the same text for the same data, whenever it is made.

    Examples
    --------
    >>> unsqueeze(squeeze({"名称": [1, 2]}))
    {'名称': [1, 2]}
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(gzip.compress(text.encode("utf-8"), compresslevel=9, mtime=0)).decode("ascii")


def unsqueeze(text: str) -> Any:  # noqa: ANN401  whatever JSON can hold
    """Return what `squeeze` packed."""
    return json.loads(gzip.decompress(base64.b64decode(text)))


def script_json(data: object) -> str:
    r"""Return JSON that may stand inside a ``<script>`` element: no ``<``, ``>`` or ``&`` is left that HTML could read.

    Examples
    --------
    >>> script_json("</script><!--")
    '"\\u003c/script\\u003e\\u003c!--"'
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text
