"""Demand: who lives where, in whole people whose totals are kept, with their age groups and households."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from ..gis.areal import round_in_groups
from ..gis.errors import Fault, InputError
from .ages import split_ages, split_households
from .columns import floats, labels, picked
from .contracts import AGE_COLUMNS
from .gathered import gather_places
from .homes import Homes, homes_of, pieces
from .ledger import changed_note, compound_people, differing
from .neighbourhoods import neighbourhoods_of
from .popcells import inside_area, with_population
from .rings import rings_of
from .study import Note
from .zones import polygonal, zone_of

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from .study import Study

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Geometries = NDArray[np.object_]

INSIDE_SHARE = 0.999
"""A district with this share of its ground in the study area counts as inside it."""


@dataclass(frozen=True, slots=True)
class Demand:
    """Who lives where.

    Parameters
    ----------
    points
        One row a place: ``demand_id``, ``people``, the age groups, ``households`` (all int64), ``compound_id``,
        ``ring_id``, ``district_id``, ``project_id`` (missing where it lies in none), geometry. A measure that is not in
        ``known`` is 0.
    known
        The measures that are known, of people, the age groups and households; what is not here is unknown, not zero.
    neighbourhoods
        Compounds, or the cells that stand for them, with what they hold: the columns of the findings' layer
        ``compounds`` less ``missing``, ``partial`` and their counts.
    compound
        int64 [n], row in ``neighbourhoods`` of each place, -1 for none.
    notes
        Where the figures come from, and what was assumed.
    warnings
        Where sources of people disagree.
    """

    points: gpd.GeoDataFrame
    known: tuple[str, ...]
    neighbourhoods: gpd.GeoDataFrame
    compound: NDArray[np.int64]
    notes: tuple[Note, ...]
    warnings: tuple[Fault, ...] = ()


def demand_of(study: Study, *, rings: gpd.GeoDataFrame | None = None) -> Demand:
    """Return who lives where in a study.

    People come from the first of: sub-districts that state them, compounds (people, or households times persons), a
    population layer, residential floor area. Within each they are shared among homes by floor area, and rounded to
    whole people by the largest remainder so that the totals stay. As ``[people] places`` says, the places are then
    gathered by compound or by cell.

    Parameters
    ----------
    study
        Its layers ``districts``, ``compounds``, ``buildings``, ``population``, ``parcels``, ``projects``, and its
        section ``[people]``.
    rings
        As `lifecircle.layers.rings.rings_of` returns them; drawn here when not given.

    Raises
    ------
    InputError
        When no layer says where people live.
    """
    area = polygonal(shapely.union_all(study.area.geometry.to_numpy()))
    notes: list[Note] = []
    homes = homes_of(study, notes).in_order()
    estimate = np.where(np.isnan(homes.people), homes.floor_m2 / study.settings.people.m2_per_person, homes.people)
    stated, totals, homes, estimate = _stated_people(study, area, homes, estimate, notes)
    people = _rounded(estimate, stated, totals, homes.compound)
    warnings = _against_ledger(study, homes, estimate, people, totals, notes)
    ages, known = split_ages(study, homes.point, people, notes)
    households = split_households(study, homes, people, notes)
    inside = inside_area(study, homes, area)
    lives = inside & ((people > 0) | (households > 0))
    if not lives.any():
        message = "no layer says where people live: buildings, compounds, districts or population are needed"
        raise InputError(message, Fault("demand.nobody"))
    points = _points(study, homes, lives, people, ages, households)
    zones = rings_of(study) if rings is None else rings
    points["ring_id"] = picked(
        zones, "ring_id", zone_of(points.geometry.to_numpy(), zones.geometry.to_numpy(), nearest=True)
    )
    known = ("people", *known, "households")
    neighbourhoods, compound = neighbourhoods_of(study, points, homes.compound[lives], zones, area)
    points["compound_id"] = picked(neighbourhoods, "compound_id", compound)
    points, compound = gather_places(points, compound, study.settings.people, notes)
    alone = int(points["people"].to_numpy()[compound < 0].sum())
    if alone:
        notes.append(Note("demand.outside_compounds", {"people": alone}))
    unknown = [column for column in AGE_COLUMNS if column not in known]
    if unknown:
        notes.append(Note("demand.ages_unknown", {"groups": ", ".join(unknown)}))
    return Demand(points[_order(points)], known, neighbourhoods, compound, tuple(notes), tuple(warnings))


def _stated_people(
    study: Study, area: BaseGeometry, homes: Homes, estimate: Floats, notes: list[Note]
) -> tuple[Ints, Ints, Homes, Floats]:
    """Return for each home the group whose total is stated, the totals, and homes and estimates, perhaps more."""
    districts = _states_people(study)
    by_district = districts is not None
    compounds = compound_people(study)
    if compounds is not None and np.isfinite(compounds).any():
        estimate = _scaled(estimate, homes.compound, compounds)
        if "population" in study.layers or "population" in study.rasters:
            notes.append(Note(f"demand.population_not_used{'_districts' if by_district else ''}"))
        if not by_district:
            return *_by_compound(homes, estimate, compounds, study, notes), homes, estimate
    elif "population" in study.layers or "population" in study.rasters:
        homes, estimate = with_population(study, area, homes, estimate, notes)
        if not by_district:
            total = int(np.floor(estimate.sum() + 0.5))
            notes.append(Note("demand.from_population", {"people": total}))
            return np.zeros(len(homes), dtype=np.int64), np.array([total], dtype=np.int64), homes, estimate
    if districts is not None:
        return _by_district(districts, area, homes, estimate, notes, shares=_shares(study, homes, compounds))
    total = int(np.floor(estimate.sum() + 0.5))
    detail = {
        "people": total,
        "hectares": round(float(homes.floor_m2.sum()) / 1e4, 1),
        "m2_per_person": study.settings.people.m2_per_person,
    }
    notes.append(Note("demand.from_floor_area", detail))
    return np.zeros(len(homes), dtype=np.int64), np.array([total], dtype=np.int64), homes, estimate


def _rounded(estimate: Floats, group: Ints, totals: Ints, compound: Ints) -> Ints:
    """Return whole people of homes that meet the totals, rounded by compound first so that compounds stay whole."""
    pairs, unit = np.unique(np.stack([group, compound], axis=1), axis=0, return_inverse=True)
    unit = unit.reshape(-1).astype(np.int64)
    sums = np.bincount(unit, estimate, minlength=len(pairs)).astype(np.float64)
    return round_in_groups(estimate, unit, round_in_groups(sums, pairs[:, 0], totals))


def _states_people(study: Study) -> gpd.GeoDataFrame | None:
    """Return the districts when they state people."""
    districts = study.layers.get("districts")
    stated = districts is not None and "people" in districts.columns and districts["people"].notna().any()
    return districts if stated else None


def _shares(study: Study, homes: Homes, compounds: Floats | None) -> str:
    """Return what tells how the people of a district are shared among its homes: a part of a note's code."""
    if compounds is not None and np.isfinite(compounds).any():
        return "compounds"
    if "population" in study.layers or "population" in study.rasters:
        return "population"
    return "floor_area" if np.isnan(homes.people).all() else "buildings"


def _against_ledger(
    study: Study, homes: Homes, estimate: Floats, people: Ints, totals: Ints, notes: list[Note]
) -> list[Fault]:
    """Note how far the people counted differ from those compounds state; warn of districts that do not fit them."""
    districts, stated, compounds = _states_people(study), compound_people(study), study.layers.get("compounds")
    if districts is None or stated is None or compounds is None or not np.isfinite(stated).any():
        return []
    changed = changed_note(compounds, stated, homes.compound, people)
    if changed is not None:
        notes.append(changed)
    zone = zone_of(homes.point, districts.geometry.to_numpy())
    counts = np.where(zone >= 0, np.where(np.isnan(estimate), 0.0, estimate), 0.0)
    known = (homes.compound >= 0) & np.isfinite(np.append(stated, np.nan))[homes.compound]
    sums = [
        np.bincount(zone[rows], counts[rows], minlength=len(districts)).astype(np.float64)
        for rows in ((zone >= 0) & known, (zone >= 0) & ~known)
    ]
    own = floats(districts, "people")  # where the border cut it, the whole district's people are no measure
    whole = np.where(np.floor(own + 0.5) == totals[: len(own)], own, np.nan)
    return differing(districts, whole, sums[0], sums[1])


def _scaled(estimate: Floats, group: Ints, totals: Floats) -> Floats:
    """Return estimates scaled so that each group with a total adds up to it; equal shares where all are zero."""
    member = group >= 0
    sums = np.bincount(group[member], estimate[member], minlength=len(totals))
    counts = np.bincount(group[member], minlength=len(totals))
    known = np.isfinite(totals)
    factor = np.divide(totals, sums, out=np.ones(len(totals)), where=known & (sums > 0))
    result = estimate.copy()
    result[member] *= factor[group[member]]
    flat = member & (group >= 0) & np.where(group >= 0, (known & (sums <= 0))[group], False)
    result[flat] = totals[group[flat]] / counts[group[flat]]
    return result


def _by_compound(
    homes: Homes, estimate: Floats, compounds: Floats, study: Study, notes: list[Note]
) -> tuple[Ints, Ints]:
    """Return groups and totals where compounds state people; the homes outside them are one more group."""
    known = np.isfinite(compounds)
    rest = len(compounds)
    group = np.where(
        (homes.compound >= 0) & np.where(homes.compound >= 0, known[homes.compound], False), homes.compound, rest
    )
    outside = float(estimate[group == rest].sum())
    totals = np.append(np.where(known, np.floor(np.where(known, compounds, 0) + 0.5), 0), np.floor(outside + 0.5))
    people = study.settings.people
    detail = {"people": int(totals[:-1].sum()), "persons": people.persons_per_household}
    notes.append(Note("demand.from_compounds", detail))
    if totals[-1]:
        guess = {"people": int(totals[-1]), "m2_per_person": people.m2_per_person}
        notes.append(Note("demand.estimated_outside", guess))
    return group.astype(np.int64), totals.astype(np.int64)


def _by_district(
    districts: gpd.GeoDataFrame,
    area: BaseGeometry,
    homes: Homes,
    estimate: Floats,
    notes: list[Note],
    *,
    shares: str,
) -> tuple[Ints, Ints, Homes, Floats]:
    """Return groups and totals where districts state people; those without homes get places on their ground."""
    shapes = districts.geometry.to_numpy()
    stated = floats(districts, "people")
    zone = zone_of(homes.point, shapes)
    totals = np.where(np.isfinite(stated), stated, 0.0)
    totals = _cut_to_area(shapes, totals, area, homes.point[estimate > 0], zone[estimate > 0], notes)
    settled = np.bincount(zone[zone >= 0], estimate[zone >= 0], minlength=len(shapes)) > 0
    bare = np.flatnonzero(np.isfinite(stated) & (totals > 0) & ~settled)
    if len(bare):
        points, owner, share = pieces(shapely.intersection(shapes[bare], area))
        weight = share * totals[bare[owner]]
        none = np.full(len(points), -1, dtype=np.int64)
        homes = homes.and_more(points, np.zeros(len(points)), np.full(len(points), np.nan), none)
        estimate, zone = np.concatenate([estimate, weight]), np.concatenate([zone, bare[owner]])
        notes.append(Note("demand.districts_without_homes", {"count": len(bare), "people": int(totals[bare].sum())}))
    rest = len(shapes)
    group = np.where((zone >= 0) & np.where(zone >= 0, np.isfinite(stated)[zone], False), zone, rest)
    outside = float(estimate[group == rest].sum())
    whole = np.append(np.floor(totals + 0.5), np.floor(outside + 0.5)).astype(np.int64)
    notes.append(Note(f"demand.from_districts_{shares}", {"people": int(whole[:-1].sum())}))
    if whole[-1]:
        notes.append(Note("demand.outside_districts", {"people": int(whole[-1])}))
    return group.astype(np.int64), whole, homes, estimate


def _cut_to_area(
    shapes: Geometries, totals: Floats, area: BaseGeometry, lived_in: Geometries, zone: Ints, notes: list[Note]
) -> Floats:
    """Return totals of districts cut to the study area by ground, where no home beyond it tells the share."""
    share = shapely.area(shapely.intersection(shapes, area)) / np.maximum(shapely.area(shapes), 1e-9)
    shapely.prepare(area)
    beyond = ~shapely.intersects(area, lived_in)
    outside = np.bincount(zone[(zone >= 0) & beyond], minlength=len(shapes)) > 0
    cut = (share < INSIDE_SHARE) & ~outside & (totals > 0)
    if cut.any():
        left = float((totals * (1 - share))[cut].sum())
        notes.append(Note("demand.districts_cut", {"count": int(cut.sum()), "people": round(left)}))
    return np.where(cut, totals * share, totals)


def _points(
    study: Study, homes: Homes, lives: NDArray[np.bool_], people: Ints, ages: dict[str, Ints], households: Ints
) -> gpd.GeoDataFrame:
    """Return the places where people live as a frame, with the districts and projects they lie in."""
    point = homes.point[lives]
    columns: dict[str, object] = {
        "demand_id": labels([f"D{number:06d}" for number in range(1, len(point) + 1)]),
        "people": people[lives],
        **{name: ages[name][lives] for name in AGE_COLUMNS},
        "households": households[lives],
    }
    for layer, column in (("districts", "district_id"), ("projects", "project_id")):
        frame = study.layers.get(layer)
        if frame is None or frame.empty:
            columns[column] = labels([""] * len(point))
        else:
            columns[column] = picked(frame, column, zone_of(point, frame.geometry.to_numpy()))
    return gpd.GeoDataFrame(columns, geometry=point, crs=study.crs)


def _order(points: gpd.GeoDataFrame) -> list[str]:
    first = ["demand_id", "people", *AGE_COLUMNS, "households", "compound_id", "ring_id", "district_id", "project_id"]
    return [*first, "geometry"] if set(first) <= set(points.columns) else list(points.columns)
