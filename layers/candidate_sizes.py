"""How large a facility a candidate could carry: verdict of zoning, floor area, land, places, and what is too small."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd

from .candidate_checks import Check, check_of
from .candidate_sources import EXISTING_FACILITY, column_of
from .facility_words import vocabulary
from .site_rules import Clause

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from .candidate_places import Ground, Places
    from .standards import Rule

    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class PlaceArea:
    """What one place (bed, seat, stall) of a class takes.

    Parameters
    ----------
    floor_m2, land_m2
        m² a place; NaN where nothing states it.
    least
        Fewest places of one facility; NaN where not stated.
    clause
        Of the fewest places.
    stated
        Whether the study's standard says the floor area; else it is the vocabulary's, whose ``source`` and
        ``confidence`` are told.
    source, confidence
        Of the floor area.
    """

    floor_m2: float
    land_m2: float
    least: float
    clause: Clause
    stated: bool
    source: str
    confidence: str


@dataclass(frozen=True, slots=True, eq=False)
class Sized:
    """The checks of size for one class, and what would fit: columns of `lifecircle.layers.candidate_tests.Tried`."""

    checks: tuple[Check, ...]
    columns: pd.DataFrame


def place_area(rule: Rule) -> PlaceArea:
    """Return what one place of a class takes: by the figures of the standard, else by the vocabulary of classes.

    Examples
    --------
    >>> from lifecircle.layers.standards import load_standard
    >>> found = place_area(load_standard("gb50437-2007").rule("elderly_home"))
    >>> found.floor_m2, found.land_m2, found.least, found.stated
    (35.0, 18.0, 20.0, True)
    >>> found = place_area(load_standard("gb50180-2018").rule("food_market"))
    >>> found.floor_m2, found.stated, found.confidence
    (10.0, False, 'D')
    """
    figures = {(figure.metric, figure.per): figure for figure in reversed(rule.figures) if figure.least is not None}
    floor, land = figures.get(("building_m2", "place")), figures.get(("land_m2", "place"))
    fewest = figures.get(("places", "facility"))
    clause = Clause()
    if fewest is not None:
        clause = Clause(clause=fewest.clause, clause_en=fewest.clause_en, confidence=fewest.confidence)
    known = vocabulary().classes.get(rule.facility_class)
    usual = known.place if known is not None else None
    source, confidence = "", "D"
    if floor is not None:
        source, confidence = floor.clause, floor.confidence
    elif usual is not None:
        source, confidence = usual.source, usual.confidence
    return PlaceArea(
        floor_m2=_least(floor.least if floor is not None else usual.m2 if usual is not None else None),
        land_m2=_least(land.least if land is not None else None),
        least=_least(fewest.least if fewest is not None else None),
        clause=clause,
        stated=floor is not None,
        source=source,
        confidence=confidence,
    )


def _least(value: float | None) -> float:
    return np.nan if value is None else float(value)


def sized(places: Places, rule: Rule, ground: Ground) -> Sized:
    """Return what of a class would fit on each place, and the checks of land use and size.

    Where zoning lets the class only share a new building, that share of the floor area counts; where the land would be
    rezoned, all of it. Floor area that is too small under the controls but not under the named relaxation needs
    approval and is not refused. A building is as large as it stands; a facility to be extended as it would be then.
    """
    judged = ground.zoning.judged(places.land_use.tolist(), rule.facility_class, vacated=places.vacated.tolist())
    verdict = judged["verdict"].to_numpy(dtype=object)
    extended = column_of(places.table, "kind") == EXISTING_FACILITY
    shared = (verdict == "share") & ~places.building & ~extended
    share = np.where(shared, judged["share"].to_numpy(dtype=np.float64), 1.0)
    floor = _floor(places, places.built_m2 * share, extended)
    wider = _floor(places, places.relaxed_m2 * share, extended)
    least = np.nan if rule.building_m2_least is None else rule.building_m2_least
    approval = (floor < least) & (wider >= least)
    area = place_area(rule)
    places_fit = _capacity(np.where(approval, wider, floor), places.land_m2, rule, area, whole=~places.building)
    forbidden = check_of(places, "land_use", verdict == "forbidden", what=places.land_use)
    told = {name: judged[name].to_numpy(dtype=object) for name in ("clause", "clause_en", "confidence")}
    checks = [
        forbidden.quoting(**told),
        *_size_checks(places, rule, np.fmax(floor, wider), extended),
        check_of(places, "too_few_places", places_fit < area.least, places_fit, area.least, "places", area.clause),
    ]
    stands = np.nan_to_num(places.floor_m2)
    no_more = extended & (wider <= stands)
    checks.append(check_of(places, "cannot_extend", no_more, wider, stands, "m2"))
    columns = pd.DataFrame(
        {
            "zoning": verdict,
            "floor_fits_m2": floor,
            "floor_relaxed_m2": np.fmax(floor, wider),
            "needs_approval": approval,
            "capacity_fits": places_fit,
        }
    )
    return Sized(tuple(checks), columns)


def _floor(places: Places, built: Floats, extended: Bools) -> Floats:
    """Return the floor area of each place: what stands and may be used, else what could be built."""
    floor = np.where(np.isnan(places.floor_m2), built, places.floor_m2)
    return np.where(extended, np.fmax(places.floor_m2, built), floor)


def _size_checks(places: Places, rule: Rule, floor: Floats, extended: Bools) -> Iterable[Check]:
    """Return the checks against the least floor area and land that the rule asks of one facility."""
    clause = Clause(clause=rule.clause, clause_en=rule.clause_en, confidence=rule.confidence_areas or rule.confidence)
    unknown = np.zeros(len(places), dtype=np.bool_)
    if rule.building_m2_least is not None:
        least = rule.building_m2_least
        unknown |= (np.isnan(floor) & ~places.street) | (extended & np.isnan(places.built_m2))
        yield check_of(places, "too_small_building", floor < least, floor, least, "m2", clause)
    if rule.land_m2_least is not None and (rule.land != "shared" or rule.building_m2_least is None):
        housed = places.building & (rule.land != "own_required") & (rule.building_m2_least is not None)
        needed = ~housed & ~places.street
        unknown |= needed & np.isnan(places.land_m2)
        small = needed & (places.land_m2 < rule.land_m2_least)
        yield check_of(places, "too_small_land", small, places.land_m2, rule.land_m2_least, "m2", clause)
    yield check_of(places, "size_unknown", unknown, clause=clause)


def _capacity(floor: Floats, land: Floats, rule: Rule, area: PlaceArea, *, whole: Bools) -> Floats:
    """Return the whole places that fit in floor area (up to the standard's most) and, on land of its own, in the land.

    NaN where the floor area, or what a place takes, is not known.
    """
    most = np.inf if rule.building_m2_most is None else rule.building_m2_most
    fit = np.minimum(floor, most) / area.floor_m2
    if rule.land != "shared":
        fit = np.where(whole, np.fmin(fit, land / area.land_m2), fit)
    # What is whole but for rounding counts as whole.
    return np.asarray(np.floor(fit * (1 + 1e-12)), dtype=np.float64)
