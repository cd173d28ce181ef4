"""Age groups and households of people: whole numbers, never more than the people, totals kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..gis.areal import round_in_groups
from .columns import floats
from .contracts import AGE_COLUMNS
from .study import Note
from .zones import zone_of

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from .homes import Homes
    from .study import Study

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Geometries = NDArray[np.object_]

WITHIN = {"elders_65": "elders_60", "elders_80": "elders_65"}
"""Age groups that are part of another; the other groups do not overlap."""


def split_ages(
    study: Study, points: Geometries, people: Ints, notes: list[Note]
) -> tuple[dict[str, Ints], tuple[str, ...]]:
    """Return the age groups of each place, and which of them are known.

    By the shares of the sub-district (else the population zone) that a place lies in, else by the shares of
    study.toml. A group is known only where every zone with people states it. Groups within another never exceed it, and
    elders and children together never exceed the people.

    Parameters
    ----------
    study
        Its layers ``districts`` and ``population``; its ``[people]``.
    points
        object [n].
    people
        int64 [n].
    notes
        Gets what was assumed or left out.

    Returns
    -------
    tuple
        Group → int64 [n] (zeros for unknown groups), and the names of the known ones.
    """
    groups = {name: np.zeros(len(people), dtype=np.int64) for name in AGE_COLUMNS}
    layer = _age_layer(study)
    if layer is None:
        shares = _setting_shares(study)
        zone, held = np.zeros(len(people), dtype=np.int64), np.array([1.0])
        counts = {name: np.array([share]) for name, share in shares.items()}
        if counts:
            said = ", ".join(f"{name} {100 * share:g} %" for name, share in shares.items())
            notes.append(Note("demand.ages_assumed", {"shares": said}))
    else:
        zone = zone_of(points, layer.geometry.to_numpy(), nearest=True)
        held = floats(layer, "people")
        counts = {name: floats(layer, name) for name in AGE_COLUMNS if name in layer.columns}
        partly = [name for name, values in counts.items() if np.isnan(values[held > 0]).any()]
        if partly:
            notes.append(Note("demand.ages_partly", {"groups": ", ".join(partly)}))
        counts = {name: values for name, values in counts.items() if name not in partly}
    if _allot(groups, counts, held, zone, people):
        notes.append(Note("demand.ages_exceed"))
    return groups, tuple(name for name in AGE_COLUMNS if name in counts)


def _allot(groups: dict[str, Ints], counts: dict[str, Floats], held: Floats, zone: Ints, people: Ints) -> bool:
    """Fill the groups from the counts of zones; tell whether a zone states more of a group than it can have."""
    exceeded = False
    left, left_held = people.copy(), held.copy()
    for name in AGE_COLUMNS:
        if name not in counts:
            continue
        outer = _outer(name, counts)
        base, whole = (groups[outer], counts[outer]) if outer else (left, left_held)
        share = np.divide(counts[name], whole, out=np.zeros(len(whole)), where=whole > 0)
        exceeded |= bool((share > 1 + 1e-9).any() or (counts[name] > 0)[(whole <= 0) & (held > 0)].any())
        groups[name] = whole_shares(base, np.clip(np.nan_to_num(share), 0, 1), zone)
        if not outer:
            left, left_held = left - groups[name], np.maximum(left_held - counts[name], 0)
    return exceeded


def _outer(name: str, counts: dict[str, Floats]) -> str | None:
    """Return the nearest known group that holds a group."""
    outer = WITHIN.get(name)
    while outer is not None and outer not in counts:
        outer = WITHIN.get(outer)
    return outer


def whole_shares(base: Ints, share: Floats, zone: Ints) -> Ints:
    """Return whole numbers that are a share of whole numbers, each at most its base, rounded once in each zone.

    Parameters
    ----------
    base
        int64 [n].
    share
        float64 [zones], 0 to 1.
    zone
        int64 [n], -1 for places in none, which get 0.

    Returns
    -------
    int64 [n]
        In each zone they add up to the rounded sum of the shares.

    Examples
    --------
    >>> whole_shares(np.array([3, 3, 4]), np.array([0.5]), np.array([0, 0, 0])).tolist()
    [2, 1, 2]
    """
    exact = np.where(zone >= 0, base * share[zone] if len(share) else 0.0, 0.0)
    sums = np.bincount(zone[zone >= 0], exact[zone >= 0], minlength=len(share))
    totals = np.floor(sums + 0.5).astype(np.int64)
    # Scaling a sum to its rounded total may push a value past its base by a hair; what is cut is given to others.
    result = np.minimum(round_in_groups(exact, zone, totals), base)
    missing = totals - np.bincount(zone[zone >= 0], result[zone >= 0], minlength=len(share)).astype(np.int64)
    for row in np.flatnonzero(missing > 0).tolist():
        room = np.flatnonzero((zone == row) & (result < base))
        result[room[: missing[row]]] += 1
    return result


def split_households(study: Study, homes: Homes, people: Ints, notes: list[Note]) -> Ints:
    """Return the households of each place: those of compounds exactly, else of sub-districts, else of dwellings.

    Where none of them is stated they are people over persons per household. Stated totals are shared by dwellings where
    all buildings of a group state them, else by people.

    Parameters
    ----------
    study
        Its layers ``compounds`` and ``districts``; its ``[people]``.
    homes
        The places.
    people
        int64 [n].
    notes
        Gets what was assumed.

    Returns
    -------
    int64 [n]
    """
    persons = study.settings.people.persons_per_household
    group = np.full(len(people), -1, dtype=np.int64)
    stated = np.zeros(0)
    compounds, districts = study.layers.get("compounds"), study.layers.get("districts")
    if compounds is not None and "households" in compounds.columns and compounds["households"].notna().any():
        stated, group = floats(compounds, "households"), homes.compound
    elif districts is not None and "households" in districts.columns and districts["households"].notna().any():
        stated, group = floats(districts, "households"), zone_of(homes.point, districts.geometry.to_numpy())
    known = np.append(np.isfinite(stated), np.array([False]))
    rest = len(stated)
    owner = np.where(known[group], group, rest) if len(stated) else np.zeros(len(people), dtype=np.int64)
    counted = np.isfinite(homes.dwellings)
    own = np.where(counted, homes.dwellings, people / persons)
    alone = owner == rest
    by_dwellings, others = float(own[alone & counted].sum()), float(own[alone & ~counted].sum())
    totals = np.where(known[:-1], np.floor(np.nan_to_num(stated) + 0.5), 0)
    totals = np.append(totals, np.floor(by_dwellings + others + 0.5))
    if others >= 1:
        notes.append(Note("demand.households_assumed", {"households": round(others), "persons": persons}))
    if by_dwellings >= 1:
        notes.append(Note("demand.households_by_dwellings", {"households": round(by_dwellings)}))
    whole = np.bincount(owner, ~counted, minlength=rest + 1) == 0
    weight = np.where(whole[owner] | alone, own, people.astype(np.float64))
    sums = np.bincount(owner, weight, minlength=rest + 1)
    present = np.bincount(owner, minlength=rest + 1) > 0
    weight = np.where(sums[owner] > 0, weight, 1.0)
    return round_in_groups(weight, owner, np.where(present, totals, 0).astype(np.int64))


def _age_layer(study: Study) -> gpd.GeoDataFrame | None:
    """Return the layer whose zones state people and age groups."""
    for name in ("districts", "population"):
        layer = study.layers.get(name)
        if layer is not None and "people" in layer.columns and layer["people"].notna().any():
            ages = [column for column in AGE_COLUMNS if column in layer.columns]
            if any(layer[column].notna().any() for column in ages):
                return layer
    return None


def _setting_shares(study: Study) -> dict[str, float]:
    people = study.settings.people
    shares = {
        "elders_60": people.elders_share,
        "children_0_3": people.children_0_3_share,
        "children_3_6": people.children_3_6_share,
        "children_6_12": people.children_6_12_share,
    }
    return {name: share for name, share in shares.items() if share is not None}
