"""Where people may live: residential buildings, compounds without buildings, cells of a population layer."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from .columns import floats, texts
from .study import Note
from .zones import zone_of

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from .study import Study

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]
    Geometries = NDArray[np.object_]

LEAST_HOME_M2 = 20.0
"""A building with less ground than this is a shed."""
PIECE_M = 150.0
"""Side of the pieces that a large compound without buildings is split into."""
MOST_PIECES = 1000
"""A larger polygon is split into larger pieces: a mountain town of 200 km² is no place of 9,000 homes."""
LARGE_COMPOUND_M2 = 40_000.0
"""A compound without buildings and larger than this is split; 4 ha is the upper end of a block of GB 50180-2018."""
PLOT_RATIO_UNKNOWN = 1.0
"""Floor area over ground of a compound that states no floor area, households, people or storeys."""
ORDER_M = 0.0137
"""Side of the grid by which homes are put in order."""
SITE_COVERAGE = 0.25
"""Building ground over compound ground, where only storeys are known."""


@dataclass(frozen=True, slots=True)
class Homes:
    """Places where people may live, one row each.

    Parameters
    ----------
    point
        object [n], a point of each.
    floor_m2
        float64 [n], residential floor area, known or assumed: the weight that people are shared by.
    people
        float64 [n], people that the building itself states; NaN where it states none.
    compound
        int64 [n], row of the compound it lies in, -1 for none.
    ground
        object [n], the building's outline, else the point: what of it lies in which population cell.
    dwellings
        float64 [n], dwellings that the building states; NaN where it states none.
    """

    point: Geometries
    floor_m2: Floats
    people: Floats
    compound: Ints
    ground: Geometries
    dwellings: Floats

    def __len__(self) -> int:
        """Return the number of places."""
        return len(self.point)

    def in_order(self) -> Homes:
        """Return these homes from west to east and south to north, so that no figure depends on the order of a file.

        The grid is no round number of centimetres: what differs by the rounding of a projection keeps its place.
        """
        xy = shapely.get_coordinates(self.point)
        if len(xy) != len(self):
            return self
        east, north = np.floor(xy / ORDER_M).T
        order = np.lexsort((north, east))
        return Homes(*(getattr(self, name)[order] for name in self.__slots__))

    def and_more(self, point: Geometries, floor_m2: Floats, people: Floats, compound: Ints) -> Homes:
        """Return these homes followed by others."""
        return Homes(
            np.concatenate([self.point, point]),
            np.concatenate([self.floor_m2, floor_m2]),
            np.concatenate([self.people, people]),
            np.concatenate([self.compound, compound]),
            np.concatenate([self.ground, point]),
            np.concatenate([self.dwellings, np.full(len(point), np.nan)]),
        )


@cache
def _uses() -> dict[str, frozenset[str]]:
    text = files(__package__).joinpath("standards", "building_uses.toml").read_text(encoding="utf-8")
    return {key: frozenset(values) for key, values in tomllib.loads(text).items()}


def homes_of(study: Study, notes: list[Note]) -> Homes:
    """Return the places where people may live: residential buildings, and compounds that hold none of them.

    Parameters
    ----------
    study
        Its layers ``buildings``, ``compounds``, ``parcels`` and ``facilities`` are read.
    notes
        Gets what was assumed.
    """
    compounds = study.layers.get("compounds")
    outlines = compounds.geometry.to_numpy() if compounds is not None else np.array([], dtype=object)
    homes = _building_homes(study, outlines, notes)
    if compounds is None or compounds.empty:
        return homes
    settled = np.zeros(len(compounds), dtype=np.bool_)
    settled[homes.compound[homes.compound >= 0]] = True
    empty = np.flatnonzero(~settled)
    floor, guessed = _compound_floor(compounds, study)
    if guessed[empty].any():
        notes.append(
            Note("demand.compounds_by_ground", {"count": int(guessed[empty].sum()), "ratio": PLOT_RATIO_UNKNOWN})
        )
    points, owner, share = pieces(outlines[empty])
    own = empty[owner]
    return homes.and_more(points, floor[own] * share, np.full(len(own), np.nan), own)


def _building_homes(study: Study, outlines: Geometries, notes: list[Note]) -> Homes:
    """Return the residential buildings with their floor area."""
    buildings = study.layers.get("buildings")
    if buildings is None or buildings.empty:
        nothing = np.zeros(0)
        none = np.array([], dtype=object)
        return Homes(none, nothing, nothing, np.zeros(0, dtype=np.int64), none, nothing)
    lived_in = residential(buildings, study, notes)
    chosen = buildings[lived_in]
    ground = shapely.area(chosen.geometry.to_numpy())
    storeys = floats(chosen, "storeys")
    stated = floats(chosen, "floor_area_m2")
    people = floats(chosen, "people")
    unknown = np.isnan(stated) & ~(storeys > 0)
    assumed = study.settings.people.storeys_unknown
    floor = np.where(np.isnan(stated), ground * np.where(storeys > 0, storeys, assumed), stated)
    floor = _lived_in(chosen, floor, np.where(storeys > 0, storeys, assumed), notes)
    dwellings = floats(chosen, "dwellings")
    counted = np.isnan(people) & (dwellings > 0)
    if counted.any():
        persons = study.settings.people.persons_per_household
        people = np.where(counted, dwellings * persons, people)
        notes.append(Note("demand.by_dwellings", {"count": int(counted.sum()), "persons": persons}))
    if (unknown & np.isnan(people)).any():
        count = int((unknown & np.isnan(people)).sum())
        notes.append(Note("demand.storeys_unknown", {"count": count, "total": len(chosen), "storeys": assumed}))
    points = shapely.point_on_surface(chosen.geometry.to_numpy())
    places = np.asarray(points, dtype=object)
    return Homes(places, floor, people, zone_of(points, outlines), chosen.geometry.to_numpy(), dwellings)


def _lived_in(buildings: gpd.GeoDataFrame, floor: Floats, storeys: Floats, notes: list[Note]) -> Floats:
    """Return the floor area that people live in: as stated, of mixed use without the ground floor, else all of it.

    A mixed building of one storey is counted by half.
    """
    stated = floats(buildings, "residential_m2")
    mixed = _lower(buildings, "use").isin(_uses()["mixed"]).to_numpy() & np.isnan(stated)
    if mixed.any():
        notes.append(Note("demand.mixed_use", {"count": int(mixed.sum())}))
    share = np.where(storeys >= 2, (storeys - 1) / np.maximum(storeys, 1), 0.5)
    return np.where(np.isnan(stated), np.where(mixed, floor * share, floor), stated)


def residential(buildings: gpd.GeoDataFrame, study: Study, notes: list[Note]) -> Bools:
    """Tell which buildings people live in: by use, and where no use is stated, unless tags, land or a facility say no.

    Parameters
    ----------
    buildings
        With ``use`` and any OSM tags as columns.
    study
        Its parcels and the grounds of its facilities tell what stands on other land.
    notes
        Gets how many were counted without a stated use.

    Returns
    -------
    bool [n]
    """
    uses = _uses()
    use = _lower(buildings, "use")
    also = _lower(buildings, "building:use")
    ground = shapely.area(buildings.geometry.to_numpy())
    people = floats(buildings, "people")
    homes = uses["residential"] | uses["mixed"]
    named = use.isin(homes).to_numpy() | also.isin(homes).to_numpy() | (floats(buildings, "residential_m2") > 0)
    nobody = floats(buildings, "residential_m2") == 0
    unstated = use.isin(uses["unstated"]).to_numpy() & (also == "").to_numpy() & ~named
    for key in uses["other_tags"] & set(buildings.columns):
        unstated &= ~_lower(buildings, key).ne("").to_numpy()
    if unstated.any():
        points = shapely.point_on_surface(buildings.geometry.to_numpy())
        unstated &= zone_of(points, _other_ground(study)) < 0
    if unstated.any() and not named.all():
        notes.append(Note("demand.use_unstated", {"count": int(unstated.sum()), "named": int(named.sum())}))
    lived_in = (named | unstated) & (ground >= LEAST_HOME_M2) & ~nobody
    return np.asarray(lived_in | (people > 0), dtype=np.bool_)


def _other_ground(study: Study) -> Geometries:
    """Return ground where nobody lives: parcels of other uses, and the grounds of facilities."""
    from .zoning import use_group  # noqa: PLC0415  only studies with parcels need it

    grounds: list[BaseGeometry] = []
    parcels = study.layers.get("parcels")
    if parcels is not None:
        groups = parcels["land_use"].map(lambda code: use_group(str(code)))
        grounds.extend(parcels.geometry[groups.isin(_uses()["other_land"])])
    facilities = study.layers.get("facilities")
    if facilities is not None:
        own_building = _lower(facilities, "building").ne("").to_numpy()
        area = shapely.area(facilities.geometry.to_numpy())
        grounds.extend(facilities.geometry[(area > 0) & ~own_building])
    return np.array(grounds, dtype=object)


def _compound_floor(compounds: gpd.GeoDataFrame, study: Study) -> tuple[Floats, Bools]:
    """Return the floor area of compounds, stated or worked out, and where it is only guessed from the ground."""
    people = study.settings.people
    ground = shapely.area(compounds.geometry.to_numpy())
    households, storeys = floats(compounds, "households"), floats(compounds, "storeys")
    floor = floats(compounds, "floor_area_m2")
    for other in (
        floats(compounds, "people") * people.m2_per_person,
        households * people.persons_per_household * people.m2_per_person,
        np.where(storeys > 0, ground * SITE_COVERAGE * storeys, np.nan),
    ):
        floor = np.where(np.isnan(floor), other, floor)
    guessed = np.isnan(floor)
    return np.where(guessed, ground * PLOT_RATIO_UNKNOWN, floor), guessed


def pieces(
    polygons: Geometries, *, side_m: float = PIECE_M, least_m2: float = LARGE_COMPOUND_M2
) -> tuple[Geometries, Ints, Floats]:
    """Split large polygons into pieces of a grid, each a point with its share of the polygon's area.

    Parameters
    ----------
    polygons
        object [n].
    side_m
        Side of the grid's cells, aligned to multiples of it; a multiple of it for polygons of more than `MOST_PIECES`.
    least_m2
        A polygon up to this size stays in one piece.

    Returns
    -------
    tuple
        Points object [k], row of the polygon int64 [k], share of its area float64 [k]; the shares of one add up to 1.

    Examples
    --------
    >>> points, owner, share = pieces(np.array([shapely.box(0, 0, 300, 150), shapely.box(0, 0, 9, 9)]), least_m2=100)
    >>> owner.tolist(), share.tolist()
    ([0, 0, 1], [0.5, 0.5, 1.0])
    """
    area = shapely.area(polygons) if len(polygons) else np.zeros(0)
    small = np.flatnonzero(~(area > least_m2))
    parts: list[Geometries] = [polygons[small]]
    owners: list[Ints] = [small.astype(np.int64)]
    for row in np.flatnonzero(area > least_m2).tolist():
        side = side_m * max(1, int(np.ceil(np.sqrt(area[row] / (MOST_PIECES * side_m**2)))))
        shapely.prepare(polygons[row])
        cells = _grid(polygons[row], side)
        cells = cells[shapely.intersects(polygons[row], cells)]
        cut = shapely.intersection(cells, polygons[row])
        cut = cut[shapely.area(cut) > 0]
        parts.append(cut)
        owners.append(np.full(len(cut), row, dtype=np.int64))
    part, owner = np.concatenate(parts), np.concatenate(owners)
    order = np.argsort(owner, kind="stable")
    part, owner = part[order], owner[order]
    size = shapely.area(part)
    whole = np.bincount(owner, size, minlength=len(polygons))[owner] if len(owner) else np.zeros(0)
    share = np.divide(size, whole, out=np.ones(len(part)), where=whole > 0)
    return np.asarray(shapely.point_on_surface(part), dtype=object), owner, share


def _grid(polygon: BaseGeometry, side_m: float) -> Geometries:
    """Return the cells of the aligned grid that touch a polygon's box."""
    left, bottom, right, top = polygon.bounds
    x = np.arange(np.floor(left / side_m), np.ceil(right / side_m)) * side_m
    y = np.arange(np.floor(bottom / side_m), np.ceil(top / side_m)) * side_m
    west, south = (grid.ravel() for grid in np.meshgrid(x, y))
    return np.asarray(shapely.box(west, south, west + side_m, south + side_m), dtype=object)


def _lower(frame: pd.DataFrame, column: str) -> pd.Series[str]:
    """Return a column as lower-case texts, empty where it is absent or missing."""
    return pd.Series(texts(frame, column), index=frame.index, dtype="str").str.lower()
