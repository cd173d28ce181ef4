"""Access: what the supply within a walk leaves for each when all who are near share it, class by class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..gis.catchment import gaussian_to, luo_qi, three_step, two_step
from ..gis.coverage import group_sums, rates, within
from ..gis.reach import nearest, reach
from .blocks import Block, stacked
from .columns import floats
from .facility_counts import counted_now
from .findings import TABLES
from .provision import COLUMN_OF
from .study import Note
from .walks import some

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from ..gis.reach import Reach
    from ..gis.snap import Positions
    from .residents import Groups, Residents
    from .standards import Rule
    from .walks import Walk

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

METHODS: tuple[str, ...] = ("2sfca", "e2sfca", "e2sfca_steps", "3sfca")
"""The floating catchments that are counted; `MAIN` for every kind of group, the others for `WIDE` ones."""
MAIN = "e2sfca"
WIDE: tuple[str, ...] = ("city", "borough", "ring", "district", "zone")


@dataclass(frozen=True, slots=True)
class Access:
    """Access of every class whose supply is known.

    Parameters
    ----------
    table
        Columns of ``TABLES["access"]``.
    values
        Facility class → float64 [homes], access by `MAIN`: supply for each of the class's measure; NaN where all
        that is near does not state its supply.
    notes
        Classes of which nobody states what they offer.
    """

    table: pd.DataFrame
    values: dict[str, Floats]
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class _Shared:
    """One class: who shares what."""

    rule: Rule
    limit: float
    unit: str
    supply: str
    measure: str
    facilities: int
    unknown: int


def measure_of(rule: Rule, residents: Residents) -> str:
    """Return whom a class is counted for: its own group, all people where nobody knows that group or it is empty."""
    known = residents.counts.get(rule.group)
    return rule.group if known is not None and known.any() else "people"


def access_of(
    walk: Walk,
    residents: Residents,
    demand: Positions,
    groups: Sequence[Groups],
    rules: Iterable[Rule],
    facilities: tuple[pd.DataFrame, Positions, frozenset[str]],
    *,
    supply: str,
) -> Access:
    """Share out the supply of each class among those within its limit, by every method of `METHODS`.

    Only facilities that state the supply take part; the others are counted in ``supply_unknown``, and who has only such
    within the limit is ``unknown``, neither with nor ``without``. A class of which none does is ``no_supply`` and has
    one row. Who has both a stated and an unstated one near is ``partly_unknown``: the known part is counted, and theirs
    is too low. The decay of ``e2sfca`` and ``3sfca`` is a Gaussian that ends at the limit,
    that of ``e2sfca_steps`` falls in thirds of it.

    Parameters
    ----------
    walk, residents, demand
        Who walks from where; only rows where people live take part.
    groups
        Kinds of group.
    rules
        Rules with a limit.
    facilities
        Frame, positions, and the classes that the source holds.
    supply
        What is shared: ``places``, ``building_m2``, ``land_m2`` or ``count`` (each facility offers one).
    """
    frame, positions, with_data = facilities
    exists = counted_now(frame)
    offered = np.ones(len(frame)) if supply == "count" else floats(frame, COLUMN_OF[supply])
    homes = some(demand, residents.lived_in)
    blocks: list[Block] = []
    values: dict[str, Floats] = {}
    silent: list[str] = []
    for rule in rules:
        of_class = exists & frame["facility_class"].isin(rule.classes).to_numpy()
        stated = of_class & np.isfinite(offered)
        unstated = of_class & ~stated
        measure, counts = measure_of(rule, residents), (int(of_class.sum()), int(unstated.sum()))
        case = _Shared(rule, walk.limit(rule), walk.walker.unit, supply, measure, *counts)
        if with_data.isdisjoint(rule.classes) or not offered[stated].any():
            has_data = not with_data.isdisjoint(rule.classes)
            blocks.append(_silent(case, residents, groups[0], "no_supply" if has_data else "no_data"))
            if has_data:
                silent.append(rule.facility_class)
            continue
        reached = reach(walk.network, demand=homes, sites=some(positions, stated), limit=case.limit, walker=walk.walker)
        found = _by_method(reached, offered[stated], _asking(residents, case.measure), case.limit)
        near = np.diff(reached.matrix.indptr) > 0
        silent_near = _near(walk, homes, some(positions, unstated), case.limit)
        values[rule.facility_class] = np.where(~near & silent_near, np.nan, found[MAIN])
        for kind in groups:
            methods = METHODS if kind.kind in WIDE else (MAIN,)
            blocks += _blocks(case, residents, kind, {method: found[method] for method in methods}, (near, silent_near))
    notes = (Note("coverage.supply_unknown", {"classes": ", ".join(silent)}),) if silent else ()
    return Access(stacked(blocks, TABLES["access"]), values, notes)


def _near(walk: Walk, homes: Positions, sites: Positions, limit: float) -> Bools:
    """Return which homes have one of the sites within the limit."""
    if not sites.count:
        return np.zeros(homes.count, dtype=np.bool_)
    return within(nearest(walk.network, sites=sites, demand=homes, limit=limit, walker=walk.walker).cost, limit)


def _asking(residents: Residents, measure: str) -> Floats:
    """Return how many ask at each home: those who are on the street network."""
    rows = residents.lived_in
    return np.asarray((residents.counts[measure] * residents.known)[rows], dtype=np.float64)


def _by_method(reached: Reach, supply: Floats, asking: Floats, limit: float) -> dict[str, Floats]:
    """Return the access of each home by each method."""
    bell = gaussian_to(limit)
    return {
        "2sfca": two_step(reached, supply, asking),
        "e2sfca": two_step(reached, supply, asking, decay=bell),
        "e2sfca_steps": two_step(reached, supply, asking, decay=luo_qi(limit)),
        "3sfca": three_step(reached, supply, asking, decay=bell),
    }


def _fixed(case: _Shared, groups: Groups, method: str, status: str) -> dict[str, object]:
    """Return the columns that say what was counted."""
    return {
        "facility_class": case.rule.facility_class,
        "circle": case.rule.circle,
        "limit": float(case.limit),
        "unit": case.unit,
        "method": method,
        "supply": case.supply,
        "measure": case.measure,
        "group_kind": groups.kind,
        "group_id": np.asarray(groups.ids, dtype=object),
        "group_name": np.asarray(groups.names, dtype=object),
        "facilities": case.facilities,
        "supply_unknown": case.unknown,
        "status": status,
        "confidence": case.rule.confidence,
        "clause": case.rule.clause,
    }


def _blocks(
    case: _Shared, residents: Residents, groups: Groups, found: dict[str, Floats], stands: tuple[Bools, Bools]
) -> list[Block]:
    """Return the rows of one class for one kind of group, method by method.

    ``stands`` tells which homes have a stated supply within the limit, and which one that nobody stated.
    """
    near, silent = stands
    rows = residents.lived_in
    group, count = groups.of_demand[rows], len(groups.ids)
    people = np.asarray(residents.counts[case.measure], dtype=np.int64)[rows]
    on_street = residents.known[rows]
    known = on_street & (near | ~silent)
    split = (np.ones_like(known), ~known, known & ~near, on_street & near & silent)
    sums = group_sums(np.column_stack([people * part for part in split]), group, count)
    sure = sums[:, 0] - sums[:, 1]
    counts = {"total": sums[:, 0], "unknown": sums[:, 1], "without": sums[:, 2], "partly_unknown": sums[:, 3]}
    share = rates(sums[:, 2], sure)
    inside = group >= 0
    blocks = []
    for method, access in found.items():
        had = np.bincount(group[inside], (people * known * access)[inside], minlength=count)
        mean = np.divide(1000.0 * had, sure, out=np.full(count, np.nan), where=sure > 0)
        blocks.append({**_fixed(case, groups, method, "ok"), **counts, "share_without": share, "mean_per_1000": mean})
    return blocks


def _silent(case: _Shared, residents: Residents, city: Groups, status: str) -> Block:
    """Return the one row of a class of which nothing can be shared."""
    people = np.asarray(residents.counts[case.measure], dtype=np.int64)
    total = group_sums(people[:, None], city.of_demand, len(city.ids))[:, 0]
    nothing = np.full(len(total), np.nan)
    counts = {"total": total, "unknown": total, "without": np.zeros_like(total)}
    counts["partly_unknown"] = np.zeros_like(total)
    return {**_fixed(case, city, MAIN, status), **counts, "share_without": nothing, "mean_per_1000": nothing}
