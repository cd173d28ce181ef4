"""Layers that should agree with each other: gates with their compounds, compounds with buildings, people with floors.

Each may be sound alone. What lies half a kilometre off, names compounds that are not there, or counts in tens of
thousands shows only beside another layer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import shapely

from ..gis.errors import Fault
from .columns import floats, texts
from .facility_rows import classify

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import geopandas as gpd
    from shapely.geometry.base import BaseGeometry

    from .gather import Row
    from .standards import Standard

GATE_APART_M = 30.0
"""Gates whose middle one lies farther from its compound than this are not in the same place as the compounds."""
HELD_LEAST, FEW = 0.5, 5
"""Share of compounds that should hold a building, and how many compounds tell something."""
FLOOR_MOST_M2 = 400.0
"""Residential floor a person, beyond which the people are thought to be counted in another unit."""
UNCLASSED = 0.5
"""Share of a list's facilities that no class fits, from which on it is said."""
SHOWN = 5
Finding: TypeAlias = "tuple[str, str, Mapping[str, object], bool]"
"""Text key, layer, what the text needs, whether it blocks."""


def disagreements(
    layers: Mapping[str, gpd.GeoDataFrame],
    rows: Sequence[Row],
    area: BaseGeometry,
    *,
    standard: Standard | None = None,
) -> list[Fault]:
    r"""Return a warning for each pair of checked layers that cannot both be right, and a fault where nobody lives.

    Parameters
    ----------
    layers
        Checked layers in metres.
    rows
        The files they came from.
    area
        The study area: of gates beyond it the compounds were not read.
    standard
        Whose names of classes are understood beside the usual ones.

    Examples
    --------
    >>> import geopandas as gpd
    >>> compounds = gpd.GeoDataFrame({"compound_id": ["A"]}, geometry=[shapely.box(0, 0, 90, 90)], crs="EPSG:4548")
    >>> gates = gpd.GeoDataFrame({"compound_id": ["A", "B"]}, geometry=[shapely.Point(590, 9)] * 2, crs="EPSG:4548")
    >>> area = shapely.box(-999, -999, 999, 999)
    >>> print(*disagreements({"compounds": compounds, "gates": gates}, (), area), sep="\n")
    agreement.gates_of_nobody (layer=gates, count=1, names=B)
    agreement.gates_apart (layer=gates, metres=500, count=1)
    """
    files: dict[str, str] = {}
    for row in rows:
        files.setdefault(row.layer, row.file)
    found = [*_gates(layers, area), *_compounds(layers), *_people(layers), *_classes(layers, standard)]
    return [
        Fault(code, files.get(layer), layer, detail=dict(detail), blocks=blocks)
        for code, layer, detail, blocks in found
    ]


def _gates(layers: Mapping[str, gpd.GeoDataFrame], area: BaseGeometry) -> Iterator[Finding]:
    """Yield gates of compounds that are not there, and gates that lie apart from theirs."""
    gates, compounds = layers.get("gates"), layers.get("compounds")
    if gates is None or compounds is None or "compound_id" not in gates.columns:
        return
    place = {name: number for number, name in enumerate(texts(compounds, "compound_id"))}
    gates = gates[shapely.intersects(area.buffer(-GATE_APART_M), gates.geometry.to_numpy())]
    named = texts(gates, "compound_id")
    unknown = list(dict.fromkeys(name for name in named if name and name not in place))
    if unknown:
        count = sum(name in set(unknown) for name in named)
        yield "agreement.gates_of_nobody", "gates", {"count": count, "names": "、".join(unknown[:SHOWN])}, False
    known = np.array([place.get(name, -1) for name in named], dtype=np.int64)
    own = np.flatnonzero(known >= 0)
    if not len(own):
        return
    apart = shapely.distance(gates.geometry.to_numpy()[own], compounds.geometry.to_numpy()[known[own]])
    if float(np.median(apart)) > GATE_APART_M:
        detail = {"metres": round(float(np.median(apart))), "count": len(own)}
        yield "agreement.gates_apart", "gates", detail, False


def _compounds(layers: Mapping[str, gpd.GeoDataFrame]) -> Iterator[Finding]:
    """Yield compounds most of which hold no building, where buildings are given all around."""
    buildings, compounds = layers.get("buildings"), layers.get("compounds")
    if buildings is None or compounds is None or len(compounds) < FEW or len(buildings) < len(compounds):
        return
    middles = shapely.point_on_surface(buildings.geometry.to_numpy())
    hit, _ = shapely.STRtree(middles).query(compounds.geometry.to_numpy(), predicate="intersects")
    bare = len(compounds) - len(np.unique(hit))
    if bare > (1 - HELD_LEAST) * len(compounds):
        yield "agreement.compounds_bare", "compounds", {"count": bare, "total": len(compounds)}, False


def _people(layers: Mapping[str, gpd.GeoDataFrame]) -> Iterator[Finding]:
    """Yield layers that count nobody, and people far too few for the floors stated."""
    for layer in ("districts", "compounds", "population", "buildings"):
        frame = layers.get(layer)
        if frame is None or "people" not in frame.columns:
            continue
        people = floats(frame, "people")
        total = float(np.nansum(people))
        if np.isfinite(people).any() and total == 0:
            yield "agreement.nobody", layer, {}, True
            continue
        compounds = layers.get("compounds")
        floor = 0.0 if compounds is None else float(np.nansum(floats(compounds, "floor_area_m2")))
        if layer in ("districts", "population") and total > 0 and floor > FLOOR_MOST_M2 * total:
            detail = {"people": round(total), "floor_m2": round(floor), "each": round(floor / total)}
            yield "agreement.people_few", layer, detail, False


def _classes(layers: Mapping[str, gpd.GeoDataFrame], standard: Standard | None) -> Iterator[Finding]:
    """Yield a list of facilities most of which are of no class that the product knows."""
    frame = layers.get("facilities")
    if frame is None or frame.empty or "facility_class" not in frame.columns:
        return
    labels = texts(frame, "facility_class")
    unknown = [label for label, found in zip(labels, classify(frame, standard), strict=True) if not found]
    if len(unknown) >= UNCLASSED * len(frame):
        listed = "、".join(list(dict.fromkeys(label or "（空）" for label in unknown))[:SHOWN])
        yield "agreement.unclassed", "facilities", {"count": len(unknown), "total": len(frame), "names": listed}, False
