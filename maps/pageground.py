"""The ground of the map page: the area's outline, water, railways and walls, streets merged by width."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from . import style
from .pack import degrees, pack_shapes
from .pagefields import Names, tell
from .pagetree import Content, area_item, line_item

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..layers.findings import Findings

STREET_TOLERANCE_M, GROUND_TOLERANCE_M = 2.5, 1.0
"""How far a drawn line may lie from the given one."""


def ground(content: Content, findings: Findings, names: Names) -> list[dict[str, Any]]:
    """Add the ground: the area's outline, water, railways and walls, streets merged by width."""
    nodes = []
    area = findings.layers["area"]
    if not area.empty:
        content.datasets["area"] = _ground(degrees(area, simplify_m=GROUND_TOLERANCE_M), ["area"] * len(area), "line")
        nodes.append(_ground_layer(content, "area", tell("layer_area", names), ["area"], names))
    barriers = findings.layers["barriers"]
    is_area = shapely.get_dimensions(np.asarray(barriers.geometry)) == 2
    drawn = {
        "water": ("river", "polygon", is_area & barriers["kind"].isin(style.WATER).to_numpy()),
        "stream": ("river", "line", ~is_area & barriers["kind"].isin(style.WATER).to_numpy()),
        "railway": ("railway", "line", (barriers["kind"] == "railway").to_numpy()),
        "wall": ("wall", "line", (barriers["kind"] == "wall").to_numpy()),
    }
    for key, (look, kind, chosen) in drawn.items():
        own = barriers[chosen]
        if not own.empty:
            content.datasets[key] = _ground(degrees(own, simplify_m=GROUND_TOLERANCE_M), [look] * len(own), kind)
            nodes.append(_ground_layer(content, key, tell(f"layer_{key}", names), [look], names))
    streets = findings.layers["streets"]
    if not streets.empty:
        tiers = streets["highway"].fillna("").astype(str).map(style.street_tier)
        present = [
            tier for tier in ("street_path", "street_minor", "street_middle", "street_major") if (tiers == tier).any()
        ]
        lines = np.asarray(streets.geometry.array, dtype=object)
        merged = np.array([_merged(lines[(tiers == tier).to_numpy()]) for tier in present], dtype=object)
        shapes = degrees(gpd.GeoSeries(merged, crs=streets.crs), simplify_m=STREET_TOLERANCE_M)
        content.datasets["streets"] = _ground(shapes, present, "line")
        nodes.append(_ground_layer(content, "streets", tell("layer_streets", names), present[::-1], names))
    return nodes


def _merged(lines: NDArray[np.object_]) -> shapely.Geometry:
    """Return streets as one shape, joined where two of them meet; they are noded already."""
    whole: shapely.Geometry = shapely.line_merge(shapely.MultiLineString(shapely.get_parts(lines).tolist()))
    return whole


def _ground(shapes: Any, looks: list[str], kind: str) -> dict[str, Any]:  # noqa: ANN401  an object array
    return {"shapes": pack_shapes(shapes, kind=kind), "columns": {"look": looks}, "fields": [], "noun": ""}


def _ground_layer(content: Content, key: str, label: str, looks: list[str], names: Names) -> dict[str, Any]:
    symbol = area_item if content.datasets[key]["shapes"]["type"] == "polygon" else None
    legend = [
        symbol(label, style.LOOKS[look].fill, look)
        if symbol
        else line_item(tell(f"look_{look}", names) if look.startswith("street") else label, look)
        for look in looks
    ]
    return content.add(key, label=label, dataset=key, draw="ground", shown=True, legend=legend)
