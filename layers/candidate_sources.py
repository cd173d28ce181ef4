"""Where candidates come from: land and buildings, OSM, project parcels, facilities to extend, points along streets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from .columns import floats, texts
from .facility_rows import record_ids
from .study import Note
from .zones import zone_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..gis.network import WalkNetwork
    from .study import Study

    Floats: TypeAlias = NDArray[np.float64]
    Ints: TypeAlias = NDArray[np.int64]

BUILDING_KINDS = ("public_building", "vacant_building")
"""Kinds that are a building: their floor area counts, not the land."""
VACATED_KINDS = ("vacated_factory", "vacant_building")
"""Kinds whose old use is gone: they may be reused."""
STREET_POINT, PROJECT_PARCEL, EXISTING_FACILITY = "street_point", "project_parcel", "existing_facility"
SOURCES: tuple[str, ...] = ("land", "building", "osm", "project", "facility", "street")
"""In the order of the candidates."""
PLACE_COLUMNS: tuple[str, ...] = (
    "site_id",
    "name",
    "kind",
    "source",
    "area_m2",
    "floor_area_m2",
    "tenure",
    "land_use",
    "on_hold",
    "only_class",  # of a facility that may be extended: what it is
    "way",  # of a project
    "stage",
    "storeys",
)
PROBES = 4
"""Places tried along a street for each spacing."""
_IDLE = re.compile("空闲|闲置|空地|未利用|低效|idle|vacant", re.IGNORECASE)
_DIGITS = re.compile(r"(\d+)")


def places_of(study: Study, facilities: gpd.GeoDataFrame | None, notes: list[Note]) -> gpd.GeoDataFrame:
    """Return every place of a study that may carry a facility, in the order of `SOURCES` and of their ids.

    Parameters
    ----------
    study
        Its layers ``land`` (without one, the parcels whose present use is idle), ``projects`` and ``facilities``.
    facilities
        As `lifecircle.layers.facilities.find_facilities` classes them; without them none is offered to be extended.
    notes
        Takes what was left out.

    Returns
    -------
    GeoDataFrame
        `PLACE_COLUMNS` and geometry; the order does not depend on that of the files.
    """
    land = _land_places(study, notes)
    parts = [land, _project_places(study, land, notes)]
    if facilities is not None:
        parts.append(_facility_places(study, facilities))
    filled = [part for part in parts if len(part)]
    whole = pd.concat(filled, ignore_index=True) if filled else _frame({}, [], study)
    order = sorted(range(len(whole)), key=lambda row: _place_key(whole["source"].iloc[row], whole["site_id"].iloc[row]))
    return gpd.GeoDataFrame(whole.iloc[order].reset_index(drop=True), geometry="geometry", crs=study.crs)


def _place_key(source: str, site_id: str) -> tuple[int, list[tuple[int, str]]]:
    """Return what places are put in order by: source, then id with its numbers by value."""
    parts = [(int(part), "") if part.isdigit() else (-1, part) for part in _DIGITS.split(site_id) if part]
    return SOURCES.index(source), [*parts, (-2, site_id)]


def _frame(columns: dict[str, object], geometry: object, study: Study) -> gpd.GeoDataFrame:
    """Return places with every column, missing where a source does not know it."""
    count = len(geometry) if hasattr(geometry, "__len__") else 0
    missing: dict[str, object] = {name: np.full(count, None, dtype=object) for name in PLACE_COLUMNS}
    missing |= dict.fromkeys(("area_m2", "floor_area_m2", "storeys"), np.full(count, np.nan))
    missing |= {"on_hold": np.zeros(count, dtype=np.bool_)}
    return gpd.GeoDataFrame(missing | columns, geometry=geometry, crs=study.crs)[[*PLACE_COLUMNS, "geometry"]]


def column_of(table: pd.DataFrame, name: str) -> NDArray[np.object_]:
    """Return a column as objects, None where it is missing or empty."""
    if name not in table.columns:
        return np.full(len(table), None, dtype=object)
    values: NDArray[np.object_] = table[name].astype(object).to_numpy(dtype=object, copy=True)
    values[pd.isna(values)] = None
    return values


def _land_places(study: Study, notes: list[Note]) -> gpd.GeoDataFrame:
    """Return the land and buildings of the land layer; without one, parcels that lie idle now."""
    land = study.layers.get("land")
    if land is None or not len(land):
        return _idle_parcels(study, notes)
    building_site = np.array(texts(land, "landuse"), dtype=object) == "construction"
    if building_site.any():
        notes.append(Note("candidates.construction", {"count": int(building_site.sum())}))
    table = land[~building_site].reset_index(drop=True)
    kind = column_of(table, "kind")
    from_osm = ~pd.isna(column_of(table, "osm_id"))
    source = np.where(from_osm, "osm", np.where(np.isin(kind, BUILDING_KINDS), "building", "land")).astype(object)
    held = pd.Series(column_of(table, "on_hold")).astype("boolean").fillna(value=False).to_numpy(dtype=np.bool_)
    storeys = floats(table, "building:levels")
    columns: dict[str, object] = {
        **{name: column_of(table, name) for name in ("site_id", "name", "kind", "tenure", "land_use")},
        "source": source,
        "area_m2": floats(table, "area_m2"),
        "floor_area_m2": floats(table, "floor_area_m2"),
        "on_hold": held,
        "storeys": np.where(storeys > 0, storeys, np.nan),
    }
    return _frame(columns, table.geometry.to_numpy(), study)


def _idle_parcels(study: Study, notes: list[Note]) -> gpd.GeoDataFrame:
    """Return the parcels whose present use says that they lie idle."""
    parcels = study.layers.get("parcels")
    idle = [] if parcels is None else [bool(_IDLE.search(text)) for text in texts(parcels, "land_use_now")]
    if parcels is None or not any(idle):
        return _frame({}, [], study)
    table = parcels[idle].reset_index(drop=True)
    own = [text or str(row) for row, text in enumerate(texts(table, "parcel_id"), start=1)]
    notes.append(Note("candidates.idle_parcels", {"count": len(table)}))
    columns: dict[str, object] = {
        "site_id": np.array([f"parcel-{name}" for name in own], dtype=object),
        "name": np.array(own, dtype=object),
        "kind": np.full(len(table), "idle_land", dtype=object),
        "source": np.full(len(table), "land", dtype=object),
        "land_use": column_of(table, "land_use"),
    }
    return _frame(columns, table.geometry.to_numpy(), study)


def _project_places(study: Study, land: gpd.GeoDataFrame, notes: list[Note]) -> gpd.GeoDataFrame:
    """Return the parcels of renewal projects, but those in which the land layer names a place of its own."""
    projects = study.layers.get("projects")
    if projects is None or not len(projects):
        return _frame({}, [], study)
    held = zone_of(shapely.point_on_surface(land.geometry.to_numpy()), projects.geometry.to_numpy())
    finer = np.isin(np.arange(len(projects)), held)
    if finer.any():
        notes.append(Note("candidates.projects_finer", {"count": int(finer.sum())}))
    ids = [own or str(row) for row, own in enumerate(texts(projects, "project_id"), start=1)]
    columns: dict[str, object] = {
        "site_id": np.array([f"project-{name}" for name in ids], dtype=object),
        "kind": np.full(len(projects), PROJECT_PARCEL, dtype=object),
        "source": np.full(len(projects), "project", dtype=object),
        **{name: column_of(projects, name) for name in ("name", "tenure", "way", "stage")},
    }
    return _frame(columns, projects.geometry.to_numpy(), study)[~finer]


def _facility_places(study: Study, facilities: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return existing facilities that the study says may be extended, each for its own class."""
    raw = study.layers.get("facilities")
    if raw is None or "extendable" not in raw.columns or not len(facilities):
        return _frame({}, [], study)
    may = raw["extendable"].astype("boolean").fillna(value=False).to_numpy(dtype=np.bool_)
    ids = {name for name, yes in zip(record_ids(raw), may.tolist(), strict=True) if yes}
    stands = column_of(facilities, "status") == "existing"
    rows = np.array([name in ids for name in texts(facilities, "facility_id")], dtype=np.bool_) & stands
    table = facilities[rows].reset_index(drop=True)
    columns: dict[str, object] = {
        "site_id": np.array([f"facility-{name}" for name in texts(table, "facility_id")], dtype=object),
        "name": column_of(table, "name"),
        "kind": np.full(len(table), EXISTING_FACILITY, dtype=object),
        "source": np.full(len(table), "facility", dtype=object),
        "area_m2": floats(table, "land_area_m2"),
        "floor_area_m2": floats(table, "floor_area_m2"),
        "only_class": column_of(table, "facility_class"),
    }
    return _frame(columns, table.geometry.to_numpy(), study)


def street_points(study: Study, network: WalkNetwork) -> gpd.GeoDataFrame:
    """Return points along the streets of the study area, no two nearer to each other than the settings' spacing.

    Streets inside sealed compounds, stairs and streets that the main network does not reach carry none. Edges are
    taken in their order, so the same network gives the same points.
    """
    spacing_m = study.settings.siting.street_spacing_m
    xy = _along(network, spacing_m / PROBES)
    area = study.area.geometry.union_all()
    shapely.prepare(area)
    xy = xy[shapely.contains_xy(area, xy)]
    kept = xy[_spread(xy, spacing_m)]
    count = len(kept)
    columns: dict[str, object] = {
        "site_id": np.array([f"S{number:05d}" for number in range(1, count + 1)], dtype=object),
        "kind": np.full(count, STREET_POINT, dtype=object),
        "source": np.full(count, "street", dtype=object),
    }
    return _frame(columns, gpd.points_from_xy(kept[:, 0], kept[:, 1]), study)


def public_edges(network: WalkNetwork) -> Ints:
    """Return the edges of the main network that anybody may walk on, outside walls; stairs are left out."""
    main = network.component[network.edge_nodes[:, 0]] == 0
    return np.flatnonzero(main & (network.edge_zone < 0) & ~network.edge_steps & ~network.edge_private)


def _along(network: WalkNetwork, step_m: float) -> Floats:
    """Return points on the streets that may carry a facility, evenly along each edge, its middle where it is short."""
    edges = public_edges(network)
    lines = network.edge_lines()[edges]
    parts = np.maximum(np.floor(network.edge_length_m[edges] / step_m), 1).astype(np.int64)
    line = np.repeat(np.arange(len(edges)), parts)
    position = np.arange(len(line)) - np.repeat(np.cumsum(parts) - parts, parts)
    share = (position + 0.5) / parts[line]
    points = shapely.line_interpolate_point(lines[line], share, normalized=True)
    return np.asarray(shapely.get_coordinates(points), dtype=np.float64)


def _spread(xy: Floats, spacing_m: float) -> Ints:
    """Return rows such that kept points are at least a spacing apart and each other point has a kept one nearer."""
    if not len(xy):
        return np.zeros(0, dtype=np.int64)
    tree = cKDTree(xy)
    free = np.ones(len(xy), dtype=np.bool_)
    kept = []
    for row in range(len(xy)):
        if free[row]:
            kept.append(row)
            free[tree.query_ball_point(xy[row], np.nextafter(spacing_m, 0))] = False
    return np.array(kept, dtype=np.int64)
