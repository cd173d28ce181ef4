"""People of a population layer (raster, cells, points) put to homes, or kept where they are when no home is near."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from ..gis.areal import raster_cells, share_by_area, zones_to_points
from .homes import Homes, pieces
from .study import Note
from .zones import zone_of

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from .study import Study

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Geometries = NDArray[np.object_]

LEAST_PART = 0.1
"""A cell that holds less of a building than this gives it nobody: its people live in buildings that stand in it."""


def with_population(
    study: Study, area: BaseGeometry, homes: Homes, estimate: Floats, notes: list[Note]
) -> tuple[Homes, Floats]:
    """Return homes and their people by a population layer: each zone's people shared by the estimates of its homes.

    A building that stands in several zones takes from each by the share of its ground there.

    The people of a zone without a home stay at the zone: it becomes a place of its own, so that nobody is lost. A zone
    that the border of the area cuts counts by its share inside. A layer of points is itself the places.

    Parameters
    ----------
    study
        Its raster or layer ``population``.
    area
        The study area.
    homes, estimate
        Places and how many people their floor area suggests.
    notes
        Gets how many people live in zones without a home.
    """
    layer = study.layers.get("population")
    if "population" in study.rasters:
        cells = raster_cells(study.rasters["population"], area, study.crs)
        shapes, people = np.asarray(cells.shape, dtype=object), np.asarray(cells.value, dtype=np.float64)
    elif layer is not None and (shapely.area(layer.geometry.to_numpy()) == 0).all():
        points = np.asarray(shapely.point_on_surface(layer.geometry.to_numpy()), dtype=object)
        return _places(points, _people(layer))
    elif layer is not None:
        everybody = _people(layer)
        shapes, people = _cut(layer.geometry.to_numpy(), everybody, area)
        beyond = float(everybody.sum() - people.sum())
        if beyond >= 1:
            notes.append(Note("demand.population_cut", {"people": round(beyond)}))
    else:
        return homes, estimate
    home, zone, share = _in_zones(homes, shapes)
    counts = inside_area(study, homes, area)[home]  # what is given to a home beyond the border would be lost
    home, zone, share = home[counts], zone[counts], share[counts]
    given = zones_to_points(people, zone, estimate[home] * share).values  # noqa: PD011  not pandas
    shared = np.bincount(home, given, minlength=len(homes)).astype(np.float64)
    empty = np.ones(len(shapes), dtype=np.bool_)
    empty[zone] = False
    empty &= people > 0
    if not empty.any():
        return homes, shared
    points, owner, share = pieces(shapes[empty])
    own = people[empty][owner] * share
    if len(homes):
        notes.append(Note("demand.cells_without_homes", {"count": int(empty.sum()), "people": round(float(own.sum()))}))
    none = np.full(len(points), -1, dtype=np.int64)
    compounds = study.layers.get("compounds")
    if compounds is not None:
        none = zone_of(points, compounds.geometry.to_numpy())
        none = np.where((none >= 0) & _middles(compounds, area)[none], none, -1)
    more = homes.and_more(points, np.zeros(len(points)), np.full(len(points), np.nan), none)
    return more, np.concatenate([shared, own])


def inside_area(study: Study, homes: Homes, area: BaseGeometry) -> NDArray[np.bool_]:
    """Tell which homes count: those in the area, and those of a compound when its middle is in the area."""
    shapely.prepare(area)
    inside = np.asarray(shapely.intersects(area, homes.point), dtype=np.bool_)
    compounds = study.layers.get("compounds")
    if compounds is not None and len(compounds):
        inside = np.where(homes.compound >= 0, _middles(compounds, area)[homes.compound], inside)
    return inside


def _middles(compounds: gpd.GeoDataFrame, area: BaseGeometry) -> NDArray[np.bool_]:
    """Tell which compounds have their middle in the area."""
    return np.asarray(shapely.intersects(area, shapely.point_on_surface(compounds.geometry.to_numpy())), dtype=np.bool_)


def _in_zones(homes: Homes, shapes: Geometries) -> tuple[Ints, Ints, Floats]:
    """Return pairs of homes and zones with the share of the home in the zone.

    A building takes from each cell that holds at least `LEAST_PART` of it; one of which every part is less, and a home
    that is only a point, from the cell of its point.
    """
    overlaps = share_by_area(homes.ground, shapes)
    built = shapely.area(homes.ground) > 0
    keep = (overlaps.share >= LEAST_PART) & built[overlaps.polygon]
    home, zone, share = overlaps.polygon[keep], overlaps.zone[keep], overlaps.share[keep]
    rest = np.setdiff1d(np.arange(len(homes)), home)
    at = zone_of(homes.point[rest], shapes)
    home, zone = np.concatenate([home, rest[at >= 0]]), np.concatenate([zone, at[at >= 0]])
    share = np.concatenate([share, np.ones(int((at >= 0).sum()))])
    order = np.lexsort((zone, home))
    return home[order].astype(np.int64), zone[order].astype(np.int64), share[order]


def _places(points: Geometries, people: Floats) -> tuple[Homes, Floats]:
    nothing = np.zeros(len(points))
    unknown = np.full(len(points), np.nan)
    return Homes(points, nothing, people, np.full(len(points), -1, dtype=np.int64), points, unknown), people


def _cut(shapes: Geometries, people: Floats, area: BaseGeometry) -> tuple[Geometries, Floats]:
    """Return zones cut to the area, with the share of their people that lives inside."""
    part = shapely.intersection(shapes, area)
    share = shapely.area(part) / np.maximum(shapely.area(shapes), 1e-9)
    keep = share > 0
    return part[keep], (people * np.minimum(share, 1.0))[keep]


def _people(layer: pd.DataFrame) -> Floats:
    return pd.to_numeric(layer["people"], errors="coerce").fillna(0).to_numpy(dtype=np.float64)
