"""Sensitivity: how many are covered when the limit is a fifth shorter or longer, or somebody else walks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..gis.coverage import rates, tally, within
from ..gis.reach import nearest
from ..gis.walkers import WALKERS
from .access import measure_of
from .facility_counts import counted_now
from .findings import TABLES, empty_table
from .walks import Walk, some

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import geopandas as gpd
    from numpy.typing import NDArray

    from ..gis.snap import Positions
    from .residents import Residents, Walks
    from .standards import Rule

    Floats = NDArray[np.float64]

COUNTED = ("total", "covered", "uncovered", "unknown")
FACTORS: tuple[float, ...] = (0.8, 1.0, 1.2)
"""Of the limit."""
BESIDE: tuple[str, ...] = ("standard", "adult", "elderly")
"""Walkers beside the study's own: they use the same streets, so nobody stands at another one."""


def sensitivity_table(
    walk: Walk,
    residents: Residents,
    demand: Positions,
    rules: Iterable[Rule],
    walks: Mapping[str, Walks],
    facilities: tuple[gpd.GeoDataFrame, Positions],
) -> pd.DataFrame:
    """Return for each class who is covered in the city, by walker and factor of the limit.

    Each walker is measured by its own limit of the rule (metres, or the circle's minutes) times the factor. Covered
    never falls as the factor rises. ``change`` is in rate against the study's own walker and limit.

    Parameters
    ----------
    walk
        Network and the study's walker.
    residents, demand
        Who lives where; only rows where people live count.
    rules, walks
        As for `lifecircle.layers.gaps.coverage_table`; the study's walker was searched for already.
    facilities
        Frame and positions.

    Returns
    -------
    pandas.DataFrame
        Columns of ``TABLES["sensitivity"]``.
    """
    rows = residents.lived_in
    homes = some(demand, rows)
    frame, positions = facilities
    exists = counted_now(frame)
    found: list[dict[str, object]] = []
    for rule in rules:
        own = walks.get(rule.facility_class)
        if own is None or not own.has_data:
            continue
        sites = some(positions, exists & frame["facility_class"].isin(rule.classes).to_numpy())
        costs = {walk.walker.name: (own.limit, own.unit, own.cost[rows])}
        for name in BESIDE:
            if name not in costs:
                other = Walk(walk.network, WALKERS[name], walk.snap_limit_m, walk.usable)
                limit = other.limit(rule)
                far = limit * max(FACTORS)
                cost = nearest(walk.network, sites=sites, demand=homes, limit=far, walker=other.walker).cost
                costs[name] = (limit, other.walker.unit, cost)
        found += _rows(rule, residents, costs, walk.walker.name)
    return pd.DataFrame(found, columns=list(TABLES["sensitivity"])) if found else empty_table("sensitivity")


def _rows(
    rule: Rule, residents: Residents, costs: Mapping[str, tuple[float, str, Floats]], own: str
) -> list[dict[str, object]]:
    """Return the rows of one class."""
    measure = measure_of(rule, residents)
    rows = residents.lived_in
    people = np.asarray(residents.counts[measure], dtype=np.int64)[rows][:, None]
    known, whole = residents.known[rows], np.zeros(int(rows.sum()), dtype=np.int64)
    found: list[dict[str, object]] = []
    base = np.nan
    for walker, (limit, unit, cost) in costs.items():
        for factor in FACTORS:
            counted = tally(within(cost, limit * factor), known, people, whole, 1)
            rate = float(rates(counted.covered, counted.covered + counted.uncovered)[0, 0])
            base = rate if walker == own and factor == 1.0 else base
            found.append(
                {
                    "facility_class": rule.facility_class,
                    "circle": rule.circle,
                    "measure": measure,
                    "walker": walker,
                    "factor": factor,
                    "limit": limit * factor,
                    "unit": unit,
                    **{name: int(getattr(counted, name)[0, 0]) for name in COUNTED},
                    "rate": rate,
                    "confidence": rule.confidence,
                    "clause": rule.clause,
                }
            )
    return [{**row, "change": float(str(row["rate"])) - base} for row in found]
