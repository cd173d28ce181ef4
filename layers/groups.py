"""Groups that coverage is counted for: the city, boroughs, rings, sub-districts, zones, neighbourhoods, projects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from .columns import labels, picked, texts
from .residents import Groups
from .study import Note
from .zones import without_overlaps, zone_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .demand import Demand
    from .landpieces import Land
    from .study import Study

    Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Areas:
    """The polygons that people, land and facilities are grouped by.

    Parameters
    ----------
    frames
        Kind of group (ring, district, zone, project, compound) → frame with ``<kind>_id``, ``name``, polygons; kinds
        that the study lacks are absent. The rings come first and cover the study area.
    boroughs
        Names of boroughs in their order, and int64 [districts], the borough of each, -1 for none.
    notes
        What was mended.
    """

    frames: dict[str, gpd.GeoDataFrame]
    boroughs: tuple[list[str], Ints]
    notes: tuple[Note, ...]

    @property
    def polygons(self) -> dict[str, NDArray[np.object_]]:
        """Kind of group → its polygons."""
        return {kind: frame.geometry.to_numpy() for kind, frame in self.frames.items()}


def areas_of(study: Study, rings: gpd.GeoDataFrame, demand: Demand, projects: gpd.GeoDataFrame) -> Areas:
    """Return the areas that a study is grouped by.

    Parameters
    ----------
    study
        Its layers ``districts`` (with the column ``borough``, where it says to which each belongs) and ``zones``.
    rings, projects
        As they were found.
    demand
        Its neighbourhoods.
    """
    frames = {"ring": rings}
    names: list[str] = []
    of_district = np.zeros(0, dtype=np.int64)
    districts = study.layers.get("districts")
    if districts is not None and len(districts):
        frames["district"] = districts
        given = texts(districts, "borough")
        names = [name for name in dict.fromkeys(given) if name]
        number = {name: row for row, name in enumerate(names)}
        of_district = np.array([number.get(name, -1) for name in given], dtype=np.int64)
    zones, notes = zones_of(study)
    if len(zones):
        frames["zone"] = zones
    if len(projects):
        frames["project"] = projects
    frames["compound"] = demand.neighbourhoods
    return Areas(frames, (names, of_district), notes)


def zones_of(study: Study) -> tuple[gpd.GeoDataFrame, tuple[Note, ...]]:
    """Return the user's own zones (``zone_id``, ``name``), without overlaps, and a note of what was shared."""
    layer = study.layers.get("zones")
    if layer is None or layer.empty:
        empty = {"zone_id": pd.Series(dtype="str"), "name": pd.Series(dtype="str")}
        return gpd.GeoDataFrame(empty, geometry=gpd.GeoSeries([], crs=study.crs), crs=study.crs), ()
    shapes, shared = without_overlaps(layer.geometry.to_numpy())
    ids = [own or f"Z{row}" for row, own in enumerate(texts(layer, "zone_id"), start=1)]
    names = [name or own for name, own in zip(texts(layer, "name"), ids, strict=True)]
    zones = gpd.GeoDataFrame({"zone_id": labels(ids), "name": labels(names)}, geometry=shapes, crs=study.crs)
    notes = (Note("coverage.zones_overlap", {"hectares": round(shared / 1e4, 2)}),) if shared > 1.0 else ()
    return zones[~zones.geometry.is_empty].reset_index(drop=True), notes


def groups_of(name: str, areas: Areas, demand: Demand, land: Land) -> list[Groups]:
    """Return every kind of group with the demand points, pieces of land and neighbourhoods that count in each.

    Parameters
    ----------
    name
        What the whole is called.
    areas
        As `areas_of` returns them.
    demand
        Who lives where.
    land
        Residential land, cut by the same areas; its pieces follow the demand points.
    """
    points, homes = demand.points, demand.neighbourhoods
    whole = np.zeros(len(points) + len(land), dtype=np.int64)
    groups = [Groups("city", ["city"], [name], whole, np.zeros(len(homes), dtype=np.int64))]
    for kind, frame in areas.frames.items():
        if kind == "compound":
            own, middle = demand.compound, np.arange(len(homes), dtype=np.int64)
        else:
            own = _of_points(kind, frame, points)
            inside = homes.geometry.representative_point().to_numpy()
            middle = zone_of(inside, frame.geometry.to_numpy(), nearest=kind == "ring")
        ids = picked(frame, f"{kind}_id", np.arange(len(frame))).tolist()
        found = Groups(kind, ids, texts(frame, "name"), _followed(own, land, kind), middle)
        if kind == "district" and areas.boroughs[0]:
            groups.append(_boroughs(found, areas))
        groups.append(found)
    return groups


def _of_points(kind: str, frame: gpd.GeoDataFrame, points: gpd.GeoDataFrame) -> Ints:
    """Return the area that each demand point was put in; those of zones are found here."""
    column = f"{kind}_id"
    if column not in points.columns:
        return zone_of(points.geometry.to_numpy(), frame.geometry.to_numpy())
    number = {key: row for row, key in enumerate(picked(frame, column, np.arange(len(frame))))}
    return np.asarray(points[column].map(number).fillna(-1), dtype=np.int64)


def _followed(own: Ints, land: Land, kind: str) -> Ints:
    """Return the groups of the demand points followed by those of the land."""
    return np.concatenate([own, land.groups[kind]]) if len(land) else own


def _boroughs(districts: Groups, areas: Areas) -> Groups:
    """Return the boroughs as what their sub-districts hold."""
    names, of_district = areas.boroughs
    borough = np.append(of_district, -1)
    return Groups("borough", names, names, borough[districts.of_demand], borough[districts.of_compound])


def group_of_points(points: NDArray[np.object_], areas: Areas, groups: Groups, inside: NDArray[np.bool_]) -> Ints:
    """Return the group that each of some points (facilities) stands in, -1 for none.

    Parameters
    ----------
    points
        object [n], points.
    areas
        As `areas_of` returns them.
    groups
        The kind of group.
    inside
        bool [n], whether each point is in the study area.
    """
    if groups.kind == "city":
        return np.where(inside, 0, -1).astype(np.int64)
    if groups.kind == "borough":
        district = zone_of(points, areas.frames["district"].geometry.to_numpy())
        return np.asarray(np.append(areas.boroughs[1], -1)[district], dtype=np.int64)
    return zone_of(points, areas.frames[groups.kind].geometry.to_numpy())


def counted_zones(areas: Areas, groups: list[Groups], demand: Demand) -> gpd.GeoDataFrame | None:
    """Return the user's zones with what they hold: the findings' layer ``zones``; ``None`` where there are none."""
    found = next((kind for kind in groups if kind.kind == "zone"), None)
    if found is None:
        return None
    frame, points = areas.frames["zone"], demand.points
    zone = found.of_demand[: len(points)]
    counts = {
        name: np.bincount(zone[zone >= 0], points[name].to_numpy()[zone >= 0], minlength=len(frame)).astype(np.int64)
        for name in ("people", "elders_60", "households")
    }
    homes = np.bincount(found.of_compound[found.of_compound >= 0], minlength=len(frame))
    return gpd.GeoDataFrame(frame.assign(area_m2=frame.area, **counts, compounds=homes.astype(np.int64)))


__all__ = ["Areas", "areas_of", "counted_zones", "group_of_points", "groups_of", "zones_of"]
