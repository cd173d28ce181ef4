"""Equity: how evenly walks and access are spread over people, ring against ring, elders against all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..gis.equity import gini, theil, weighted_mean
from .findings import TABLES, empty_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from .residents import Groups, Residents, Walks
    from .standards import Rule

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

WHO: tuple[str, ...] = ("people", "elders_60")
"""For whom evenness is measured, where they are known."""


def equity_table(
    residents: Residents,
    groups: Mapping[str, Groups],
    rules: Iterable[Rule],
    walks: Mapping[str, Walks],
    access: Mapping[str, Floats],
) -> pd.DataFrame:
    """Return how evenly the walk to the nearest facility, and access, are spread: a row for the city and each ring.

    From whom no way leads to any facility is told in ``beyond`` and left out of means and indices of walks. Theil's
    index of the city splits exactly into what lies between the rings and inside them. ``against_all`` is a mean over
    that of all people of the city: above 1 for walks is farther, for access is more.

    Parameters
    ----------
    residents
        The demand points.
    groups
        Kinds ``city`` and ``ring``.
    rules, walks
        As for `lifecircle.layers.gaps.coverage_table`.
    access
        Facility class → access of each home; NaN where it is not known, who is then left out.

    Returns
    -------
    pandas.DataFrame
        Columns of ``TABLES["equity"]``.
    """
    rows = residents.lived_in
    rings = groups["ring"].of_demand[rows]
    known = residents.known[rows] & (rings >= 0)
    counts = {who: np.asarray(residents.counts[who])[rows][known] for who in WHO if who in residents.counts}
    found: list[dict[str, object]] = []
    for rule in rules:
        walk = walks.get(rule.facility_class)
        if walk is None or not walk.has_data:
            continue
        cost = walk.cost[rows][known]
        fixed = {"facility_class": rule.facility_class, "circle": rule.circle}
        label = {**fixed, "value": "walk", "unit": walk.unit}
        found += _rows(label, cost, counts, (groups, rings[known]))
        if rule.facility_class in access:
            own = access[rule.facility_class][known]
            sure = ~np.isnan(own)
            told = {who: people[sure] for who, people in counts.items()}
            label = {**fixed, "value": "access", "unit": "per_person"}
            found += _rows(label, own[sure], told, (groups, rings[known][sure]))
    return pd.DataFrame(found, columns=list(TABLES["equity"])) if found else empty_table("equity")


def _rows(
    fixed: Mapping[str, object],
    values: Floats,
    counts: Mapping[str, Ints],
    rings: tuple[Mapping[str, Groups], Ints],
) -> list[dict[str, object]]:
    """Return the rows of one value, inf where there is none: the city and each ring, for each of `WHO`."""
    groups, ring = rings
    order = np.argsort(values, kind="stable")  # once: all that follows is quick with sorted values
    values, ring = values[order], ring[order]
    end = int(np.searchsorted(values, np.inf))
    everybody = weighted_mean(values[:end], counts["people"][order][:end])
    found = []
    for who, unsorted in counts.items():
        people = unsorted[order]
        parts = theil(values[:end], people[:end], ring[:end])
        city = groups["city"]
        row = _row(values, people, everybody)
        row |= {"theil": parts.total, "theil_between": parts.between, "theil_within": parts.within}
        found.append({**fixed, "measure": who, **_named(city, 0), **row})
        for number in range(len(groups["ring"].ids)):
            own = ring == number
            row = _row(values[own], people[own], everybody)
            found.append({**fixed, "measure": who, **_named(groups["ring"], number), **row})
    return found


def _named(groups: Groups, number: int) -> dict[str, object]:
    """Return which group a row is of."""
    return {"group_kind": groups.kind, "group_id": groups.ids[number], "group_name": groups.names[number]}


def _row(values: Floats, people: Ints, everybody: float) -> dict[str, object]:
    """Return what is measured of one group; ``values`` rise."""
    end = int(np.searchsorted(values, np.inf))
    whole, beyond = int(people.sum()), int(people[end:].sum())
    values, people = values[:end], people[:end]
    mean = weighted_mean(values, people)
    return {
        "people": whole,
        "beyond": beyond,
        "mean": mean,
        "gini": gini(values, people),
        "theil": theil(values, people).total,
        "theil_between": np.nan,
        "theil_within": np.nan,
        "against_all": mean / everybody if everybody > 0 else np.nan,
    }
