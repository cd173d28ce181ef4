"""The balance of land uses by ring and sub-district, now and planned, in whole square metres that add up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import pandas as pd
import shapely

from ..gis.areal import round_in_groups, round_to_total, share_by_area
from .columns import floats, labels, picked, texts
from .study import Note
from .zones import polygonal, without_overlaps
from .zoning import NO_ZONING, clean_code, group_names, land_uses

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from .study import Study

    Floats: TypeAlias = NDArray[np.float64]
    Ints: TypeAlias = NDArray[np.int64]
    Geometries: TypeAlias = NDArray[np.object_]

When: TypeAlias = Literal["now", "planned"]

COLUMNS = ("ring_id", "ring_name", "district_id", "district_name", "when", "use_group", "area_m2", "share")
"""Columns of the findings' table ``land_balance``."""
SAME_M2 = 1e-3
"""Areas that differ by less are the same ground summed in another order."""
SLIVER_M2 = 1.0
"""Ground of a ring and a sub-district below this is where their lines were drawn twice."""


@dataclass(frozen=True, slots=True)
class Cells:
    """The pieces that rings and sub-districts cut the study area into.

    Parameters
    ----------
    shapes
        object [n], polygons that do not overlap and together are the study area.
    ring, district
        int64 [n], rows of the rings and of the sub-districts; -1 for ground in no sub-district.
    area_m2
        int64 [n], whole square metres; those of a ring add up to the ring's, those of all to the study area's.
    """

    shapes: Geometries
    ring: Ints
    district: Ints
    area_m2: Ints


@dataclass(frozen=True, slots=True)
class FoundBalance:
    """The balance of a study: its table, and which columns it was read from."""

    table: pd.DataFrame
    notes: tuple[Note, ...]


def cells_of(rings: gpd.GeoDataFrame, districts: gpd.GeoDataFrame | None = None) -> Cells:
    """Cut the study area by rings and sub-districts.

    Parameters
    ----------
    rings
        As `lifecircle.layers.rings.rings_of` returns them: together the study area.
    districts
        The sub-districts; where they overlap the earlier one keeps the ground.

    Examples
    --------
    >>> import geopandas as gpd
    >>> rings = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 10, 10)], crs="EPSG:4547")
    >>> halves = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 5.03, 10), shapely.box(8, 0, 20, 10)], crs="EPSG:4547")
    >>> cells = cells_of(rings, halves)
    >>> cells.district.tolist(), cells.area_m2.tolist()
    ([0, 1, -1], [50, 20, 30])
    """
    whole = rings.geometry.to_numpy()
    parts: list[tuple[object, int, int]] = []
    zones = np.zeros(0, dtype=object)
    if districts is not None and len(districts):
        zones, _ = without_overlaps(districts.geometry.to_numpy())
    tree = shapely.STRtree(zones)
    for ring, shape in enumerate(whole):
        near = np.sort(tree.query(shape, predicate="intersects"))
        pieces = [polygonal(piece) for piece in shapely.intersection(shape, zones[near])]
        rest = polygonal(shapely.difference(shape, shapely.union_all(zones[near]))) if len(near) else shape
        found = [*zip(pieces, near.tolist(), strict=True), (rest, -1)]
        kept = [(piece, ring, zone) for piece, zone in found if piece.area >= SLIVER_M2]
        parts += kept or [(shape, ring, -1)]
    shapes = np.array([piece for piece, _, _ in parts], dtype=object)
    owner = np.array([ring for _, ring, _ in parts], dtype=np.int64)
    of_rings = round_to_total(shapely.area(whole))
    return Cells(
        shapes=shapes,
        ring=owner,
        district=np.array([zone for _, _, zone in parts], dtype=np.int64),
        area_m2=round_in_groups(shapely.area(shapes), owner, of_rings),
    )


def areas_by_use(shapes: Geometries, values: list[str], cells: Cells) -> Ints:
    """Return how many square metres of each cell each use takes, mixed uses split by their shares.

    Parameters
    ----------
    shapes
        object [p], parcels that do not overlap.
    values
        Their land use, as `lifecircle.layers.zoning.land_uses` reads it.
    cells
        As `cells_of` returns them.

    Returns
    -------
    int64 [cells, uses]
        Uses in the order of `lifecircle.layers.zoning.group_names`; ground without a parcel is the use ``none``. Each
        row adds up to the cell's area.

    Notes
    -----
    The fractions of a square metre go to the uses with the largest remainders (Hare-Niemeyer).

    Examples
    --------
    >>> import geopandas as gpd
    >>> rings = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 10, 10)], crs="EPSG:4547")
    >>> found = areas_by_use(np.array([shapely.box(0, 0, 5, 5)]), ["R2 70%/B1 30%"], cells_of(rings))
    >>> {name: area for name, area in zip(group_names(), found[0].tolist()) if area}
    {'residential': 18, 'commercial': 7, 'none': 75}
    """
    return _rounded(_exact(shapes, values, cells), cells)


def _exact(shapes: Geometries, values: list[str], cells: Cells) -> Floats:
    """Return the square metres of each cell that each use takes, before rounding: float64 [cells, uses]."""
    groups = {name: column for column, name in enumerate(group_names())}
    overlaps = share_by_area(shapes, cells.shapes)
    uses = [land_uses(value) for value in values]
    count = np.array([len(uses[parcel]) for parcel in overlaps.polygon], dtype=np.int64)
    listed = [(groups[use.group], use.share) for parcel in overlaps.polygon for use in uses[parcel]]
    column = np.array([group for group, _ in listed], dtype=np.int64)
    share = np.array([part for _, part in listed], dtype=np.float64)
    areas = np.zeros((len(cells.shapes), len(groups)))
    np.add.at(areas, (np.repeat(overlaps.zone, count), column), np.repeat(overlaps.area_m2, count) * share)
    whole = shapely.area(cells.shapes)
    areas[:, groups[NO_ZONING]] += np.maximum(whole - areas.sum(axis=1), 0.0)
    return areas


def _rounded(areas: Floats, cells: Cells, before: tuple[Floats, Ints] | None = None) -> Ints:
    """Return whole square metres that add up to each cell; a use that takes what it took before keeps its figure."""
    owner = np.repeat(np.arange(len(areas)), areas.shape[1]).reshape(areas.shape)
    if before is None:
        return round_in_groups(areas.ravel(), owner.ravel(), cells.area_m2).reshape(areas.shape)
    kept = np.abs(areas - before[0]) < SAME_M2
    left = cells.area_m2 - np.where(kept, before[1], 0).sum(axis=1)
    plain = (left < 0) | ((left > 0) & (np.where(kept, 0.0, areas).sum(axis=1) <= 0))
    kept &= ~plain[:, None]
    left = np.where(plain, cells.area_m2, left)
    changed = round_in_groups(areas.ravel(), np.where(kept, -1, owner).ravel(), left).reshape(areas.shape)
    return np.where(kept, before[1], changed)


def find_balance(
    study: Study, parcels: gpd.GeoDataFrame, projects: gpd.GeoDataFrame, cells: Cells, rings: gpd.GeoDataFrame
) -> FoundBalance:
    """Return the land of each ring and sub-district by use, now and planned.

    Planned uses are the parcels' ``land_use``, present ones their ``land_use_now``. Where ``[zoning] land_use = "now"``
    says that ``land_use`` is the present use, what the projects state as ``planned_use`` lies over it as planned.

    Parameters
    ----------
    study
        Its layers ``districts`` and ``projects``, and ``[zoning]``.
    parcels
        As `lifecircle.layers.zoning.parcels_of` returns them.
    projects
        As `lifecircle.layers.projects.projects_of` returns them.
    cells, rings
        As `cells_of` cut the rings.
    """
    layers = _uses(study, parcels, projects)
    if not layers:
        return FoundBalance(pd.DataFrame({name: pd.Series(dtype=object) for name in COLUMNS}), ())
    frames: dict[When, pd.DataFrame] = {}
    before: tuple[Floats, Ints] | None = None
    for when, (shapes, values) in layers.items():
        exact = _exact(shapes, values, cells)
        before = (exact, _rounded(exact, cells, before))
        frames[when] = _table(before[1], cells, when)
    table = pd.concat([frames[when] for when in sorted(frames)], ignore_index=True)
    districts = study.layers.get("districts")
    ring, district = (table[name].to_numpy(dtype=np.int64) for name in ("ring", "district"))
    unnamed = pd.Series([None] * len(table), dtype="str")
    parts = None if districts is None or districts.empty else districts
    table = table.assign(
        ring_id=picked(rings, "ring_id", ring),
        ring_name=picked(rings, "name", ring),
        district_id=unnamed if parts is None else picked(parts, "district_id", district),
        district_name=unnamed if parts is None else picked(parts, "name", district),
    )
    return FoundBalance(table[list(COLUMNS)], _notes(study, parcels, layers))


def _uses(
    study: Study, parcels: gpd.GeoDataFrame, projects: gpd.GeoDataFrame
) -> dict[When, tuple[Geometries, list[str]]]:
    """Return the parcels' uses, now and planned, as far as they are stated; that of ``land_use`` comes first."""
    if parcels.empty:
        return {}
    shapes, stated = parcels.geometry.to_numpy(), texts(parcels, "land_use")
    now = texts(parcels, "land_use_now")
    if study.settings.zoning.land_use == "planned":
        found: dict[When, tuple[Geometries, list[str]]] = {"planned": (shapes, stated)}
        return found | ({"now": (shapes, now)} if any(now) else {})
    over = projects[[bool(clean_code(use)) for use in texts(projects, "planned_use")]] if len(projects) else projects
    if not len(over):
        return {"now": (shapes, stated)}
    ground, _ = without_overlaps(np.concatenate([over.geometry.to_numpy(), shapes]))
    kept = ~shapely.is_empty(ground)
    values = [*texts(over, "planned_use"), *stated]
    later = [value for value, keep in zip(values, kept.tolist(), strict=True) if keep]
    return {"now": (shapes, stated), "planned": (ground[kept], later)}


def _table(areas: Ints, cells: Cells, when: When) -> pd.DataFrame:
    """Return the rows of cells and uses that have ground."""
    cell, use = np.nonzero(areas)
    area = areas[cell, use]
    return pd.DataFrame(
        {
            "ring": cells.ring[cell],
            "district": cells.district[cell],
            "when": when,
            "use_group": labels([group_names()[column] for column in use.tolist()]),
            "area_m2": area,
            "share": area / cells.area_m2[cell],
        }
    )


def _notes(
    study: Study, parcels: gpd.GeoDataFrame, layers: dict[When, tuple[Geometries, list[str]]]
) -> tuple[Note, ...]:
    """Return which columns the balance was read from, and what it lacks."""
    planned = study.settings.zoning.land_use == "planned"
    if not planned:
        code = "zoning.balance_now" if "planned" in layers else "zoning.balance_now_only"
        return (Note(code),)
    if "now" not in layers:
        return (Note("zoning.balance_planned_only"),)
    unsaid = sum(not value for value in texts(parcels, "land_use_now"))
    return (Note("zoning.balance_both", {"count": unsaid}),) if unsaid else (Note("zoning.balance_whole"),)


def zoning_balance(parcels: gpd.GeoDataFrame, rings: gpd.GeoDataFrame, cells: Cells | None = None) -> pd.DataFrame:
    """Return how much of each ring each use takes; the ground of no parcel is a use of its own.

    A parcel that a ring line cuts counts in each ring with the area it has there; a mixed one is split by its shares.

    Parameters
    ----------
    parcels
        As `lifecircle.layers.zoning.parcels_of` returns them, without overlaps.
    rings
        As `lifecircle.layers.rings.rings_of` returns them: together the study area.
    cells
        The pieces that the areas are summed from, as of the balance by sub-district; the rings where not given.

    Returns
    -------
    DataFrame
        ``ring_id``, ``ring_name``, ``use_group``, ``area_m2`` (whole, those of a ring add up to it), ``share`` of the
        ring, ``floor_area_m2`` (area times floor-area ratio of the parcels that state one, NaN where none does).
    """
    found = cells_of(rings) if cells is None else cells
    by_cell = areas_by_use(parcels.geometry.to_numpy(), texts(parcels, "land_use"), found)
    areas = np.zeros((len(rings), len(group_names())), dtype=np.int64)
    np.add.at(areas, found.ring, by_cell)
    floor = _floor_areas(parcels, rings)
    ring, use = np.nonzero(areas)
    return pd.DataFrame(
        {
            "ring_id": picked(rings, "ring_id", ring),
            "ring_name": picked(rings, "name", ring),
            "use_group": labels([group_names()[column] for column in use.tolist()]),
            "area_m2": areas[ring, use],
            "share": areas[ring, use] / areas.sum(axis=1)[ring],
            "floor_area_m2": floor[ring, use],
        }
    )


def _floor_areas(parcels: gpd.GeoDataFrame, rings: gpd.GeoDataFrame) -> Floats:
    """Return the floor area that each use may have in each ring, NaN where no parcel states its ratio."""
    groups = {name: column for column, name in enumerate(group_names())}
    far, values = floats(parcels, "far"), texts(parcels, "land_use")
    overlaps = share_by_area(parcels.geometry.to_numpy(), rings.geometry.to_numpy())
    sums = np.full((len(rings), len(groups)), np.nan)
    for parcel, ring, area in zip(overlaps.polygon, overlaps.zone, overlaps.area_m2, strict=True):
        if not np.isnan(far[parcel]):
            for use in land_uses(values[parcel]):
                cell = (ring, groups[use.group])
                sums[cell] = np.nansum([sums[cell], area * use.share * far[parcel]])
    return sums
