"""Renewal rings: from polygons or named boundary lines, ordered inside out, without overlaps, covering the area."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from .ringlines import enclosed_areas
from .study import Note
from .words import say
from .zones import polygonal, zone_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely.geometry.base import BaseGeometry

    from .study import Study

COLUMNS = ("ring_id", "name", "order", "policy", "area_m2")
"""Columns that are known before people are; `count_rings` adds those of the findings that count something."""

SLIVER_M = 50.0
"""Ground between rings that is nowhere wider than this is digitising, not a ring."""


@dataclass(frozen=True, slots=True)
class FoundRings:
    """The rings of a study, and what was done to make them so.

    Parameters
    ----------
    frame
        `COLUMNS` and geometry, from inside out; the rings do not overlap and cover the area exactly.
    notes
        Overlaps removed, an order assumed, ground given to a neighbour.
    """

    frame: gpd.GeoDataFrame
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class _Ring:
    ring_id: str
    name: str
    policy: str
    shape: BaseGeometry


def rings_of(study: Study) -> gpd.GeoDataFrame:
    """Return the rings of a study, ordered inside out; `find_rings` tells also what was mended."""
    return find_rings(study).frame


def find_rings(study: Study) -> FoundRings:
    """Return the rings of a study: its polygons, else those bounded by named lines, else the whole area as one.

    Where polygons overlap, the inner ring keeps the ground; what lies in no ring becomes the last one.

    Parameters
    ----------
    study
        Its layer ``rings``, or the section ``[rings]`` with the layer ``ring_lines`` (or the streets), and its area.

    Raises
    ------
    InputError
        When named lines are missing or do not close around a ring; says where they end.
    """
    area = polygonal(shapely.union_all(study.area.geometry.to_numpy()))
    notes: list[Note] = []
    settings = study.settings.rings
    layer = study.layers.get("rings")
    if layer is not None and not layer.empty:
        rings = _from_polygons(layer, notes)
    elif settings.ring:
        shapes = enclosed_areas(study, settings.ring)
        rings = [
            _Ring(f"R{number}", section.name, section.policy, shape)
            for number, (section, shape) in enumerate(zip(settings.ring, shapes, strict=True), start=1)
        ]
    else:
        whole = say("rings.whole", study.settings.study.language)
        return FoundRings(_frame([_Ring("R1", whole, "none", area)], study), ())
    return FoundRings(_frame(_exclusive(rings, area, study, notes), study), tuple(notes))


def _from_polygons(layer: gpd.GeoDataFrame, notes: list[Note]) -> list[_Ring]:
    """Return the rings of a polygon layer in their order, by size around them where the layer states none."""
    ordered = layer.reset_index(drop=True)
    if "order" in ordered.columns and ordered["order"].notna().all():
        ordered = ordered.sort_values("order", kind="stable")
    else:
        around = shapely.area(shapely.convex_hull(ordered.geometry.to_numpy()))
        ordered = ordered.iloc[np.argsort(around, kind="stable")]
        notes.append(Note("rings.order_by_size", {"names": ", ".join(map(str, ordered["name"]))}))
    ids = ordered["ring_id"] if "ring_id" in ordered.columns else pd.Series(None, index=ordered.index, dtype=object)
    policies = ordered["policy"] if "policy" in ordered.columns else pd.Series(None, index=ordered.index, dtype=object)
    return [
        _Ring(
            f"R{number}" if pd.isna(ring_id) else str(ring_id),
            str(name),
            "none" if pd.isna(policy) else str(policy),
            shape,
        )
        for number, (ring_id, name, policy, shape) in enumerate(
            zip(ids, ordered["name"], policies, ordered.geometry, strict=True), start=1
        )
    ]


def _exclusive(rings: Sequence[_Ring], area: BaseGeometry, study: Study, notes: list[Note]) -> list[_Ring]:
    """Cut the rings to the area and to what the inner ones leave; the ground left over becomes the last ring."""
    left = area
    result: list[_Ring] = []
    shared = 0.0
    for ring in rings:
        inside = polygonal(shapely.intersection(ring.shape, area))
        own = polygonal(shapely.intersection(inside, left))
        shared += inside.area - own.area
        if own.is_empty:
            notes.append(Note("rings.without_ground", {"name": ring.name}))
            continue
        left = polygonal(shapely.difference(left, own))
        result.append(_Ring(ring.ring_id, ring.name, ring.policy, own))
    if shared > 1.0 and study.layers.get("rings") is not None:
        notes.append(Note("rings.overlap_removed", {"hectares": round(shared / 1e4, 2)}))
    return _with_rest(result, left, study, notes)


def _with_rest(rings: list[_Ring], left: BaseGeometry, study: Study, notes: list[Note]) -> list[_Ring]:
    """Return the rings with the ground left over: slivers go to the nearest ring, the rest is the last ring."""
    if left.is_empty:
        return rings
    settings = study.settings.rings
    if not rings or not shapely.is_empty(shapely.buffer(left, -SLIVER_M / 2)):
        name = settings.rest_name or say("rings.rest", study.settings.study.language)
        taken = {ring.ring_id for ring in rings}
        number = next(f"R{n}" for n in range(len(rings) + 1, 2 * len(rings) + 3) if f"R{n}" not in taken)
        return [*rings, _Ring(number, name, settings.rest_policy, left)]
    pieces = shapely.get_parts(left)
    shapes = np.array([ring.shape for ring in rings], dtype=object)
    owner = zone_of(shapely.point_on_surface(pieces), shapes, nearest=True)
    notes.append(Note("rings.slivers", {"hectares": round(left.area / 1e4, 2)}))
    grown = [
        polygonal(shapely.union_all([ring.shape, *pieces[owner == row]])) if (owner == row).any() else ring.shape
        for row, ring in enumerate(rings)
    ]
    return [_Ring(ring.ring_id, ring.name, ring.policy, shape) for ring, shape in zip(rings, grown, strict=True)]


def _frame(rings: Sequence[_Ring], study: Study) -> gpd.GeoDataFrame:
    shapes = np.array([ring.shape for ring in rings], dtype=object)
    columns = {
        "ring_id": pd.Series([ring.ring_id for ring in rings], dtype="str"),
        "name": pd.Series([ring.name for ring in rings], dtype="str"),
        "order": np.arange(1, len(rings) + 1, dtype=np.int64),
        "policy": pd.Series([ring.policy for ring in rings], dtype="str"),
        "area_m2": shapely.area(shapes),
    }
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=study.crs)


def count_rings(
    rings: gpd.GeoDataFrame,
    demand: pd.DataFrame,
    neighbourhoods: pd.DataFrame,
    projects: pd.DataFrame,
) -> gpd.GeoDataFrame:
    """Return the rings with what they hold: people, elders_60, households, compounds, projects.

    Parameters
    ----------
    rings
        As `rings_of` returns them.
    demand
        With ``ring_id``, ``people``, ``elders_60``, ``households``.
    neighbourhoods, projects
        With ``ring_id``.

    Returns
    -------
    GeoDataFrame
        With the columns of `lifecircle.layers.findings.LAYERS`; int64 counts.
    """
    counted = rings.copy()
    people = demand.groupby("ring_id")[["people", "elders_60", "households"]].sum()
    for column in ("people", "elders_60", "households"):
        counted[column] = rings["ring_id"].map(people[column]).fillna(0).astype(np.int64)
    for column, frame in (("compounds", neighbourhoods), ("projects", projects)):
        counted[column] = rings["ring_id"].map(frame["ring_id"].value_counts()).fillna(0).astype(np.int64)
    return counted[[*(name for name in counted.columns if name != "geometry"), "geometry"]]
