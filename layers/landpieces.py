"""Residential land as pieces of at most 50 m that are walked from like homes, every square metre in one piece."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely

from ..gis.areal import round_in_groups, round_to_total
from .columns import texts
from .study import Note
from .zones import polygonal, without_overlaps
from .zoning import land_uses

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    from numpy.typing import NDArray

    from .residents import Residents

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]
    Geometries = NDArray[np.object_]

PIECE_M = 50.0
"""Side of the cells, aligned to its multiples, that residential land is cut by."""
RESIDENTIAL = "residential"
"""The use group that counts: R of GB 50137-2011, 07 of the land and sea classification, less their services."""
MEASURE = "residential_m2"
LEAST_M2 = 1e-4
"""What a cut leaves that is smaller than this is rounding of coordinates."""
THREAD_M = 0.002
"""Ground no wider than this joins nothing."""


@dataclass(frozen=True, slots=True)
class Land:
    """Residential land, one row a piece.

    Parameters
    ----------
    xy
        float64 [k, 2], a point inside each piece.
    m2
        int64 [k], residential m², more than 0; a mixed parcel's by the share of the use.
    owner
        int64 [k], row of the parcel (or compound) it is cut from.
    groups
        Kind of group → int64 [k], the group's index, -1 for none.
    notes
        Where the land comes from.
    """

    xy: Floats
    m2: Ints
    owner: Ints
    groups: Mapping[str, Ints]
    notes: tuple[Note, ...]

    def __len__(self) -> int:
        """Return the number of pieces."""
        return len(self.m2)


def land_of(parcels: gpd.GeoDataFrame, compounds: gpd.GeoDataFrame, zones: Mapping[str, Geometries]) -> Land:
    """Return the residential land of a study, cut by the boundaries of every group and by a grid.

    Parcels of the use group `RESIDENTIAL` count, mixed ones with the share of that use; where no parcel has it the
    ground of compounds stands for them. Land outside the first kind of zone (the rings, which cover the area) falls
    away. The square metres of each parcel are whole numbers that add up to its rounded total, so those of any group do.

    Parameters
    ----------
    parcels
        As `lifecircle.layers.zoning.parcels_of` returns them, without overlaps.
    compounds
        The neighbourhoods, with ``kind``; cells of a grid are nobody's land.
    zones
        Kind of group → its polygons in order; the first kind covers the study area. Ground that several zones of a
        kind claim counts in the first.

    Returns
    -------
    Land
    """
    shapes, share, notes = _sources(parcels, compounds)
    owner = np.arange(len(shapes), dtype=np.int64)
    groups: dict[str, Ints] = {}
    for number, (kind, areas) in enumerate(zones.items()):
        shapes, row, zone = cut_by(shapes, without_overlaps(areas)[0], rest=number > 0)
        owner = owner[row]
        groups = {**{name: index[row] for name, index in groups.items()}, kind: zone}
    shapes, row = in_cells(shapes)
    owner, groups = owner[row], {name: index[row] for name, index in groups.items()}
    exact = shapely.area(shapes) * share[owner]
    wanted = round_to_total(np.bincount(owner, exact, minlength=len(share)))
    m2 = round_in_groups(exact, owner, wanted)
    keep = m2 > 0
    land = Land(
        _inside(shapes[keep]), m2[keep], owner[keep], {name: index[keep] for name, index in groups.items()}, notes
    )
    return land if len(land) else replace(land, notes=(Note("coverage.land_unknown"),))


def _sources(parcels: gpd.GeoDataFrame, compounds: gpd.GeoDataFrame) -> tuple[Geometries, Floats, tuple[Note, ...]]:
    """Return what residential land is cut from, the share of each that is residential, and a note of it."""
    uses = {text: land_uses(text) for text in set(texts(parcels, "land_use"))}
    share = np.array(
        [sum(use.share for use in uses[text] if use.group == RESIDENTIAL) for text in texts(parcels, "land_use")],
        dtype=np.float64,
    )
    if (share > 0).any():
        return parcels.geometry.to_numpy()[share > 0], share[share > 0], ()
    own = compounds.geometry.to_numpy()[(compounds["kind"] == "compound").to_numpy(dtype=bool)]
    notes = (Note("coverage.land_from_compounds", {"count": len(own)}),) if len(own) else ()
    return without_overlaps(own)[0], np.ones(len(own)), notes


def cut_by(shapes: Geometries, zones: Geometries, *, rest: bool) -> tuple[Geometries, Ints, Ints]:
    """Cut polygons by zones that do not overlap.

    Parameters
    ----------
    shapes
        object [n], polygons.
    zones
        object [m], polygons.
    rest
        Whether what lies in no zone is kept, as zone -1.

    Returns
    -------
    tuple
        The parts object [k], the row of the polygon int64 [k], the zone int64 [k]; in the order of rows, then zones.

    Examples
    --------
    >>> parts, row, zone = cut_by(np.array([shapely.box(0, 0, 4, 1)]), np.array([shapely.box(1, 0, 3, 1)]), rest=True)
    >>> shapely.area(parts).tolist(), row.tolist(), zone.tolist()
    ([2.0, 2.0], [0, 0], [-1, 0])
    """
    shapely.prepare(zones)
    row, zone = (
        shapely.STRtree(zones).query(shapes, predicate="intersects") if len(zones) else np.zeros((2, 0), dtype=np.int64)
    )
    whole = shapely.covers(zones[zone], shapes[row])
    held = np.zeros(len(shapes), dtype=np.bool_)
    held[row[whole]] = True
    cut = np.flatnonzero(~held[row])
    part = shapes[row]
    part[cut] = shapely.intersection(shapes[row[cut]], zones[zone[cut]])
    keep = whole | (~held[row] & (shapely.area(part) > LEAST_M2))
    row, zone, part = row[keep], zone[keep], part[keep]
    if rest:
        left, of = _left(shapes, np.flatnonzero(~held), row, part)
        row, zone = np.concatenate([row, of]), np.concatenate([zone, np.full(len(of), -1, dtype=np.int64)])
        part = np.concatenate([part, left])
    order = np.lexsort((zone, row))
    part, row, zone = part[order], row[order].astype(np.int64), zone[order].astype(np.int64)
    return np.array([shape if shape.geom_type == "Polygon" else polygonal(shape) for shape in part], object), row, zone


def _left(shapes: Geometries, open_rows: Ints, row: Ints, part: Geometries) -> tuple[Geometries, Ints]:
    """Return what of some polygons none of their parts takes, and the row of each."""
    taken = np.bincount(row, shapely.area(part), minlength=len(shapes))[open_rows]
    some_left = open_rows[shapely.area(shapes[open_rows]) - taken > LEAST_M2]
    left = shapes[some_left]
    touched = np.flatnonzero(np.isin(some_left, row))
    first, last = (np.searchsorted(np.sort(row), some_left[touched], side=side) for side in ("left", "right"))
    parts = part[np.argsort(row, kind="stable")]
    for place, start, end in zip(touched.tolist(), first.tolist(), last.tolist(), strict=True):
        left[place] = shapely.difference(left[place], shapely.union_all(parts[start:end]))
    keep = shapely.area(left) > LEAST_M2
    return left[keep], some_left[keep]


def in_cells(shapes: Geometries, *, side_m: float = PIECE_M) -> tuple[Geometries, Ints]:
    """Cut polygons by a grid aligned to multiples of its side.

    Returns
    -------
    tuple
        The parts object [k] and the row of the polygon int64 [k]; polygons inside one cell stay whole.

    Examples
    --------
    >>> parts, row = in_cells(np.array([shapely.box(40, 0, 110, 20), shapely.box(1, 1, 9, 9)]))
    >>> shapely.area(parts).tolist(), row.tolist()
    ([200.0, 1000.0, 200.0, 64.0], [0, 0, 0, 1])
    """
    bounds = shapely.bounds(shapes).reshape(-1, 4)
    low, high = np.floor(bounds[:, :2] / side_m).astype(np.int64), np.ceil(bounds[:, 2:] / side_m).astype(np.int64)
    wide = np.maximum(high - low, 1)
    count = wide.prod(axis=1)
    row = np.repeat(np.arange(len(shapes), dtype=np.int64), count)
    place = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    west = (low[row, 0] + place % wide[row, 0]) * side_m
    south = (low[row, 1] + place // wide[row, 0]) * side_m
    part = shapes[row]
    cut = np.flatnonzero(count[row] > 1)
    boxes = shapely.box(west[cut], south[cut], west[cut] + side_m, south[cut] + side_m)
    part[cut] = shapely.intersection(boxes, part[cut])
    keep = shapely.area(part) > LEAST_M2
    return part[keep], row[keep]


def _inside(shapes: Geometries) -> Floats:
    """Return a point inside each polygon: its centroid where that lies in it, else its largest part's.

    Parts that hang together by less than `THREAD_M` count as apart, so that it is not the rounding of coordinates that
    tells from which part the land is walked.
    """
    middle = shapely.centroid(shapes)
    out = np.flatnonzero(~shapely.intersects(shapes, middle))
    inner = shapely.buffer(shapes[out], -THREAD_M / 2, join_style="mitre")
    inner = np.where(shapely.is_empty(inner), shapes[out], inner)
    parts, of = shapely.get_parts(inner, return_index=True)
    last = np.cumsum(np.bincount(of, minlength=len(out))) - 1
    largest = parts[np.lexsort((shapely.area(parts), of))[last]]
    at = shapely.centroid(largest)
    bent = ~shapely.intersects(shapes[out], at)
    at[bent] = shapely.point_on_surface(largest[bent])
    middle[out] = at
    return np.asarray(shapely.get_coordinates(middle), dtype=np.float64).reshape(-1, 2)


def with_land(residents: Residents, land: Land, known: Bools) -> Residents:
    """Return the residents followed by the pieces of land, on which nobody lives and which are m² of `MEASURE`.

    Parameters
    ----------
    residents
        The demand points.
    land
        The pieces; ``groups["compound"]`` says whose they are.
    known
        bool [k], whether each piece could be put on the street network.
    """
    if not len(land):
        return residents
    none = np.zeros(len(land), dtype=np.int64)
    counts = {name: np.concatenate([values, none]) for name, values in residents.counts.items()}
    nothing = np.zeros(len(residents), dtype=np.int64)
    return replace(
        residents,
        demand_id=[*residents.demand_id, *(f"L{number:06d}" for number in range(1, len(land) + 1))],
        xy=np.concatenate([residents.xy, land.xy]),
        counts={**counts, MEASURE: np.concatenate([nothing, land.m2])},
        compound=np.concatenate([residents.compound, land.groups["compound"]]),
        known=np.concatenate([residents.known, known]),
        homes=len(residents),
    )
