"""What is known of each candidate whatever the class: land, floor area that fits, ring, streets, slope, zones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd
import shapely

from ..gis.frontage import frontage_m
from ..gis.snap import snap
from .candidate_sources import (
    BUILDING_KINDS,
    EXISTING_FACILITY,
    STREET_POINT,
    VACATED_KINDS,
    column_of,
    public_edges,
)
from .columns import floats, texts
from .controls import fits_under, relaxed
from .study import Note
from .terrain import terrain
from .zones import zone_of

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import ArrayLike, NDArray

    from ..gis.network import WalkNetwork
    from ..gis.snap import Snapped
    from .compatibility import Compatibility
    from .site_rules import SiteRules
    from .study import Study

    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]
    Objects: TypeAlias = NDArray[np.object_]

DRIVEN = frozenset(
    (
        *("trunk", "trunk_link", "primary", "primary_link", "secondary", "secondary_link", "tertiary", "tertiary_link"),
        *("unclassified", "residential", "living_street", "service", "road"),
    )
)
"""Classes of street that a van may use to the door."""
ZONE_LAYERS = ("hazard", "protection")
SLOPE_REACH_M = 30.0
"""Heights are compared over no less than this on each side of a place: what terrain grids can tell."""


@dataclass(frozen=True, slots=True, eq=False)
class InZone:
    """How much of each place lies in the zones of one kind: share 0 to 1, float64 [n], and the zone's name.

    ``shapes`` are all zones of the kind.
    """

    layer: str
    kind: str
    share: Floats
    name: Objects
    shapes: Objects


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """The places as arrays, one row each; NaN and None are unknown.

    Parameters
    ----------
    table
        As `lifecircle.layers.candidate_sources.places_of` returns it.
    points, xy
        A point on each place.
    land_use
        Of the place, else of the parcel it lies in.
    land_m2, floor_m2
        Land, and floor area that stands and may be used.
    built_m2, relaxed_m2
        Floor area that a new building could have under the parcel's controls, and under the named relaxation.
    building, vacated, street, new
        Kinds: ``new`` where nothing stands that could be used.
    ring_name, policy
        Of the ring it lies in.
    street_m, drive_m
        From the outline to the nearest street one may walk on, and that a van may use.
    frontage_m, slope_percent
        NaN where the plot is a point, stands, or no terrain is given.
    zones
        Hazard and protection zones of the study, by kind; empty where it has none. ``zone_layers`` says which it has.
    snapped
        Where the places come to the street.
    """

    table: gpd.GeoDataFrame
    points: Objects
    xy: Floats
    land_use: Objects
    land_m2: Floats
    floor_m2: Floats
    built_m2: Floats
    relaxed_m2: Floats
    building: Bools
    vacated: Bools
    street: Bools
    new: Bools
    ring_name: Objects
    policy: Objects
    street_m: Floats
    drive_m: Floats
    frontage_m: Floats
    slope_percent: Floats
    zones: tuple[InZone, ...]
    zone_layers: frozenset[str]
    snapped: Snapped

    def __len__(self) -> int:
        """Return the number of places."""
        return len(self.table)

    @property
    def shapes(self) -> Objects:
        """Outlines or points."""
        shapes: Objects = self.table.geometry.to_numpy()
        return shapes

    @property
    def plots(self) -> Bools:
        """Which are land to be built on whose outline is known."""
        return np.asarray(self.new & (shapely.area(self.shapes) > 0), dtype=np.bool_)


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What places are looked at with: the study, its streets, rings (or none), rules of sites and of zoning."""

    study: Study
    network: WalkNetwork
    rings: gpd.GeoDataFrame | None
    rules: SiteRules
    zoning: Compatibility


def known_places(table: gpd.GeoDataFrame, ground: Ground, notes: list[Note]) -> Places:
    """Return what is known of places whatever the class.

    Parameters
    ----------
    table
        As `lifecircle.layers.candidate_sources.places_of` or ``street_points`` returns it.
    ground
        What they lie in.
    notes
        Takes what was assumed.
    """
    shapes = table.geometry.to_numpy()
    points = shapely.point_on_surface(shapes)
    xy = shapely.get_coordinates(points)
    kind = column_of(table, "kind")
    street, building = kind == STREET_POINT, np.isin(kind, BUILDING_KINDS)
    outline_m2 = shapely.area(shapes)
    outline_m2 = np.where(outline_m2 > 0, outline_m2, np.nan)
    land_m2 = np.where(np.isnan(floats(table, "area_m2")), outline_m2, floats(table, "area_m2"))
    storeys = np.nan_to_num(floats(table, "storeys"), nan=1.0)  # one storey at least
    stated = floats(table, "floor_area_m2")
    floor_m2 = np.where(building & np.isnan(stated), outline_m2 * storeys, stated)
    new = ~building & ~street & (kind != EXISTING_FACILITY) & np.isnan(floor_m2)
    use, controls = _parcels(ground.study, points)
    own_use = column_of(table, "land_use")
    built, wider = _floor_areas(land_m2, controls, ground, (new | (kind == EXISTING_FACILITY)) & ~street, notes)
    ring = _rings(points, ground.rings)
    edges = public_edges(ground.network)
    lines = ground.network.edge_lines()[edges]
    driven = np.array([name in DRIVEN for name in ground.network.classes], dtype=np.bool_)
    vans = lines[driven[ground.network.edge_class[edges]]]
    radius = np.where(outline_m2 > 0, 0.0, np.sqrt(np.nan_to_num(land_m2) / np.pi))
    plots = np.array(shapes, dtype=object)
    plots[~new] = None
    return Places(
        table=table,
        points=points,
        xy=xy,
        land_use=np.where(pd.isna(own_use), use, own_use),
        land_m2=land_m2,
        floor_m2=floor_m2,
        built_m2=built,
        relaxed_m2=wider,
        building=building,
        vacated=np.isin(kind, VACATED_KINDS),
        street=street,
        new=new,
        ring_name=ring[0],
        policy=ring[1],
        street_m=_nearest_m(shapes, lines, radius),
        drive_m=_nearest_m(shapes, vans, radius),
        frontage_m=frontage_m(plots, lines, within_m=ground.rules.street_within_m),
        slope_percent=np.where(building | (floor_m2 > 0), np.nan, slope_percent(ground.study, xy, land_m2)),
        zones=tuple(_zones(ground.study, shapes)),
        zone_layers=frozenset(name for name in ZONE_LAYERS if ground.study.layers.get(name) is not None),
        snapped=snap(ground.network, xy, limit_m=ground.study.settings.study.snap_limit_m),
    )


def _rings(points: Objects, rings: gpd.GeoDataFrame | None) -> tuple[Objects, Objects]:
    """Return name and policy of the ring of each point; None where none is known."""
    none = np.full(len(points), None, dtype=object)
    if rings is None or not len(rings):
        return none, none.copy()
    row = zone_of(points, rings.geometry.to_numpy(), nearest=True)
    return column_of(rings, "name")[row], column_of(rings, "policy")[row]


def _parcels(study: Study, points: Objects) -> tuple[Objects, dict[str, Floats]]:
    """Return land use and controls of the parcel each point lies in, None and NaN where none does."""
    names = {"far": "far", "density": "density", "height_m": "height_m", "green": "green_ratio"}
    use = np.full(len(points), None, dtype=object)
    controls = {name: np.full(len(points), np.nan) for name in names}
    parcels = study.layers.get("parcels")
    if parcels is None or parcels.empty or not len(points):
        return use, controls
    row = zone_of(points, parcels.geometry.to_numpy())
    inside = row >= 0
    use[inside] = column_of(parcels, "land_use")[row[inside]]
    for name, column in names.items():
        controls[name][inside] = floats(parcels, column)[row[inside]]
    controls["height_m"] = np.where(controls["height_m"] > 0, controls["height_m"], np.nan)
    return use, controls


def _floor_areas(
    land_m2: Floats, controls: dict[str, Floats], ground: Ground, wanted: Bools, notes: list[Note]
) -> tuple[Floats, Floats]:
    """Return the floor area that fits under the controls and under the relaxation; a low ratio where none bounds it."""
    options: dict[str, ArrayLike] = {**controls, "storey_m": ground.zoning.storey_m}
    fits = fits_under(land_m2, **options)["floor_m2"].to_numpy(dtype=np.float64)
    wider = relaxed(land_m2, ground.zoning.relaxation, **options)["floor_m2"].to_numpy(dtype=np.float64)
    unbound = np.isnan(fits) & ~np.isnan(land_m2)
    assumed = int((unbound & wanted).sum())
    if assumed:
        notes.append(Note("gaps.note_far_unknown", {"count": assumed, "far": ground.rules.far_unknown}))
    low = land_m2 * ground.rules.far_unknown
    return np.where(unbound, low, fits), np.where(unbound, low, np.fmax(wider, fits))


def _nearest_m(shapes: Objects, lines: Objects, radius_m: Floats) -> Floats:
    """Return the distance from outlines to the nearest line; of a point from the circle of the same land."""
    if not len(lines) or not len(shapes):
        return np.full(len(shapes), np.inf)
    found, apart = shapely.STRtree(lines).query_nearest(shapes, all_matches=False, return_distance=True)
    metres = np.full(len(shapes), np.inf)
    metres[found[0]] = apart
    return np.maximum(metres - radius_m, 0.0)


def slope_percent(study: Study, xy: Floats, land_m2: Floats) -> Floats:
    """Return the mean slope of places in percent: heights compared across each, at least `SLOPE_REACH_M` both ways.

    Parameters
    ----------
    study
        Its raster ``dem``; without one nothing is known.
    xy
        float64 [n, 2].
    land_m2
        float64 [n], NaN unknown; larger plots are compared across their width.
    """
    path = study.rasters.get("dem")
    if path is None or not len(xy):
        return np.full(len(xy), np.nan)
    heights = terrain(path, study.crs)
    reach = np.fmax(np.sqrt(np.nan_to_num(land_m2)) / 2, SLOPE_REACH_M)
    ends = [xy + reach[:, None] * np.array(way) for way in ((1, 0), (-1, 0), (0, 1), (0, -1))]
    east, west, north, south = (heights(end) for end in ends)
    return np.asarray(100 * np.hypot(east - west, north - south) / (2 * reach), dtype=np.float64)


def _zones(study: Study, shapes: Objects) -> list[InZone]:
    """Return how much of each place lies in the hazard and protection zones of each kind."""
    found: list[InZone] = []
    area = shapely.area(shapes)
    for layer in ZONE_LAYERS:
        frame = study.layers.get(layer)
        if frame is None or frame.empty:
            continue
        kinds = np.array([text or "other" for text in texts(frame, "kind")], dtype=object)
        names = np.array([text or None for text in texts(frame, "name")], dtype=object)
        for kind in sorted(set(kinds)):
            zones, called = frame.geometry.to_numpy()[kinds == kind], names[kinds == kind]
            share, name = np.zeros(len(shapes)), np.full(len(shapes), None, dtype=object)
            place, zone = shapely.STRtree(zones).query(shapes, predicate="intersects")
            inside = shapely.area(shapely.intersection(shapes[place], zones[zone]))
            part = np.where(area[place] > 0, inside / np.where(area[place] > 0, area[place], 1.0), 1.0)
            np.add.at(share, place, part)
            order = np.lexsort((-zone, part, place))  # the last written is the largest part, the first zone of equals
            name[place[order]] = called[zone[order]]
            found.append(InZone(layer, str(kind), np.minimum(share, 1.0), name, zones))
    return found
