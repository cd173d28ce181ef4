"""The rows of proposed sites: what each adds at its step, whom only it serves, and how good the whole is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from ..gis.coverage import group_sums
from .findings import LAYERS, TABLES
from .siting_case import capacities_of, left_open, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray
    from pyproj import CRS

    from .offers import Kept
    from .siting_case import Case
    from .siting_choice import Choice

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.int64]

PLACE_GROUPS = ("ring", "district")
"""Groups of which the worst off is named: the first kind with at least two."""


def site_rows(case: Case, choice: Choice, kept: Kept, carries: Sequence[str] | None = None) -> pd.DataFrame:
    """Return the chosen sites of a wish: the columns of ``LAYERS["sites"]`` with ``x`` and ``y``.

    Whatever the model: ``added`` counts whom each site newly brings within the limit at its step, ``served`` whom it
    has within the limit, ``only_here`` whom nothing else has, old or new.

    Parameters
    ----------
    case, choice
        The wish and its answer.
    kept
        People by measure.
    carries
        For each site the classes of a combined centre, joined by ";"; its own class where not given.
    """
    chosen = choice.chosen
    places = case.offer.places.iloc[case.fits[chosen]].reset_index(drop=True)
    names = np.array([*case.site_names, None], dtype=object)[choice.runner_up]
    names = names if choice.runner_names is None else choice.runner_names
    gone = _closed(case, choice)
    counts = {name: added(case, chosen, _weights(kept, name), gone) for name in (case.measure, "people", "elders_60")}
    served, only_here = _reached(case, chosen, gone)
    nowhere = np.full(len(chosen), np.nan)
    asks = places["needs_approval"]
    rezoning = pd.Series(places["zoning"] == "rezoning", dtype="boolean")
    columns: dict[str, Any] = {
        "site_id": places["site_id"],
        "facility_class": case.wish.facility_class,
        "rank": np.arange(1, len(chosen) + 1),
        "name": _missing(places["name"]),
        "kind": _missing(places["kind"]),
        "ring_id": _missing(places["ring_id"]),
        "area_m2": places["area_m2"],
        "floor_area_m2": places["floor_area_m2"],
        "weight": case.measure,
        "added": counts[case.measure],
        "people_added": counts["people"],
        "elders_added": counts["elders_60"],
        "served": served,
        "only_here": only_here,
        "needs_rezoning": rezoning.where(~places["zoning"].isin(["unknown", ""])),
        "runner_up": names,
        "runner_up_loses": _whole(choice.runner_up_loses),
        "edge_cut": places["edge_cut"] == 1,
        "phase": _whole(nowhere if choice.phase is None else choice.phase.astype(np.float64)),
        "cost_yuan": nowhere if choice.costs is None else choice.costs[chosen],
        "capacity": _whole(capacities_of(case)[chosen]),
        "carries": case.wish.facility_class if carries is None else list(carries),
        "needs_approval": pd.Series(asks == 1, dtype="boolean").where(asks >= 0),
        "x": places["x"],
        "y": places["y"],
    }
    return pd.DataFrame(columns, index=range(len(chosen)))


def _missing(values: pd.Series[str]) -> pd.Series[str]:
    """Return texts with empty ones missing."""
    return values.where(values != "", None)


def _whole(values: NDArray[np.float64]) -> pd.Series[int]:
    """Return whole numbers, missing where they are not known; parts of one count as one."""
    return pd.Series(np.ceil(np.round(values, 6)), dtype="Float64").where(np.isfinite(values)).astype("Int64")


def _weights(kept: Kept, measure: str) -> Ints | None:
    """Return a group by home; ``None`` where it is not known."""
    counts = kept.residents.counts.get(measure)
    return None if counts is None else np.asarray(counts, dtype=np.int64)[kept.residents.lived_in]


def _closed(case: Case, choice: Choice) -> Bools:
    """Return who is covered by what stays open."""
    if choice.closed is None or not len(choice.closed):
        return case.covered
    return left_open(case, choice.closed)


def added(case: Case, chosen: Ints, weights: Ints | None, covered: Bools) -> pd.Series[int]:
    """Return how many of a group each site newly covers at its step; NA where the group is not known."""
    if weights is None:
        return pd.Series(pd.NA, index=range(len(chosen)), dtype="Int64")
    columns = case.reach.tocsc()
    left, counts = ~covered, []
    for site in chosen.tolist():
        here = columns.indices[columns.indptr[site] : columns.indptr[site + 1]]
        new = here[left[here]]
        counts.append(int(weights[new].sum()))
        left[new] = False
    return pd.Series(counts, dtype="Int64")


def _reached(case: Case, chosen: Ints, covered: Bools) -> tuple[Ints, Ints]:
    """Return the weight within the limit of each site, and of no other, old or new."""
    columns = case.reach.tocsc()
    rows = [columns.indices[columns.indptr[site] : columns.indptr[site + 1]] for site in chosen.tolist()]
    times = np.zeros(case.homes, dtype=np.int64)
    for here in rows:
        times[here] += 1
    alone = (times == 1) & ~covered
    served = [int(case.weights[here].sum()) for here in rows]
    return np.array(served, dtype=np.int64), np.array(
        [int(case.weights[here[alone[here]]].sum()) for here in rows], dtype=np.int64
    )


def siting_row(case: Case, choice: Choice, kept: Kept) -> dict[str, object]:
    """Return the row of a wish: what was asked and found, how good it is, who cannot be reached, who is worst off.

    Parameters
    ----------
    case, choice, kept
        As for `site_rows`.
    """
    open_now = _closed(case, choice)
    after = open_now.copy()
    columns = case.reach.tocsc()
    for site in choice.chosen.tolist():
        after[columns.indices[columns.indptr[site] : columns.indptr[site + 1]]] = True
    before = int(case.weights[case.covered].sum())
    spent = np.nan if choice.costs is None else float(choice.costs[choice.chosen].sum())
    worst, rate = worst_group(case, after, kept)
    return {
        "facility_class": case.wish.facility_class,
        "weight": case.measure,
        "wanted": asked_of(case),
        "chosen": len(choice.chosen),
        "candidates": len(case.fits),
        "total": int(case.weights.sum()),
        "covered_before": before,
        "covered_after": int(case.weights[after].sum()),
        "objective": choice.objective,
        "bound": choice.bound,
        "gap": choice.gap,
        "status": choice.status,
        "model": choice.model or case.wish.model,
        "budget_yuan": choice.budget,
        "spent_yuan": spent,
        "seconds": choice.seconds,
        "seed": choice.seed,
        "unreachable": int(case.weights[out_of_reach(case)].sum()),
        "worst_group": worst,
        "worst_rate": rate,
    }


def asked_of(case: Case) -> object:
    """Return how many sites were wished for; NA where the model says how many."""
    wish = case.wish
    return sum(wish.phases) if wish.phases else pd.NA if wish.sites is None else wish.sites


def out_of_reach(case: Case) -> Bools:
    """Return who is not covered, has a known walk, and is within the limit of no candidate that may be chosen."""
    near = np.diff(case.reach.indptr) > 0
    return case.known & ~case.covered & ~near


def worst_group(case: Case, after: Bools, kept: Kept) -> tuple[str | None, float]:
    """Return the ring (the district, where there is one ring) of which the least share is reached afterwards."""
    for groups in kept.groups:
        if groups.kind not in PLACE_GROUPS:
            continue
        own = groups.of_demand[: case.homes]
        total, reached = (
            group_sums(case.weights[:, None], own, len(groups.ids), rows=rows).ravel()
            for rows in (case.known, case.known & after)
        )
        there = np.flatnonzero(total)
        if len(there) > 1:
            rates = reached[there] / total[there]
            worst = int(np.argmin(rates))
            return str(groups.names[there[worst]]), float(rates[worst])
    return None, np.nan


def unreachable_rows(case: Case, kept: Kept) -> list[dict[str, object]]:
    """Return whom no candidate can cover, by neighbourhood, and why: ``TABLES["unreachable"]``.

    The reason is ``no_land`` where no place that was tried lies within the limit, else the names of
    `lifecircle.layers.candidates.REASONS` (and ``barred``, ``taken``) for which the places there were refused, those
    that refuse the most first.
    """
    lost = out_of_reach(case)
    people = _weights(kept, "people")
    if people is None or not (people[lost] > 0).any():
        return []
    by_kind = {groups.kind: groups for groups in kept.groups}
    rows = np.flatnonzero(lost & (people > 0))
    of = {kind: by_kind[kind].of_demand[rows] if kind in by_kind else np.full(len(rows), -1) for kind in _KEYS}
    keys = pd.DataFrame({**of, "people": people[rows], "row": rows})
    found: list[dict[str, object]] = []
    for key, part in keys.groupby(list(_KEYS), sort=True):
        at = {kind: int(str(row)) for kind, row in zip(_KEYS, key if isinstance(key, tuple) else (), strict=True)}
        known = {kind: by_kind[kind] for kind in _KEYS if kind in by_kind and at[kind] >= 0}
        found.append(
            {
                "facility_class": case.wish.facility_class,
                "ring_id": known["ring"].ids[at["ring"]] if "ring" in known else None,
                "district_id": known["district"].ids[at["district"]] if "district" in known else None,
                "name": known["compound"].names[at["compound"]] if "compound" in known else None,
                "people": int(part["people"].sum()),
                "reason": ";".join(_why(case, part["row"].to_numpy())),
            }
        )
    return found


_KEYS = ("compound", "ring", "district")


def _why(case: Case, rows: Ints) -> list[str]:
    """Return why nothing near these homes may be chosen, what refuses the most places first."""
    matrix = rows_of(case.offer.reach, case.homes)
    entries = np.concatenate([np.arange(matrix.indptr[row], matrix.indptr[row + 1]) for row in rows.tolist()])
    entries = entries[matrix.data[entries] <= case.offer.limit]
    near = np.unique(matrix.indices[entries])
    if not len(near):
        return ["no_land"]
    barred = {*case.barred.tolist()}
    counts: dict[str, int] = {}
    for place in near.tolist():
        said = str(case.offer.places["reason"].iloc[place])
        reasons = said.split(";") if said else ["barred" if place in barred else "taken"]
        for reason in reasons:
            counts[reason] = counts.get(reason, 0) + 1
    return sorted(counts, key=lambda reason: (-counts[reason], reason))


def joined(frames: Iterable[pd.DataFrame], crs: CRS) -> gpd.GeoDataFrame:
    """Return the sites of all wishes as points, an empty frame with the right columns where there are none."""
    filled = [frame for frame in frames if len(frame)]
    columns = list(LAYERS["sites"])
    if not filled:
        none = {name: pd.Series(dtype=object) for name in columns}
        return gpd.GeoDataFrame(none, geometry=gpd.GeoSeries([], crs=crs), crs=crs)
    table = pd.concat(filled, ignore_index=True)
    points = gpd.points_from_xy(table["x"], table["y"])
    return gpd.GeoDataFrame(table[columns], geometry=points, crs=crs)


def table_of(name: str, rows: Sequence[dict[str, object]]) -> pd.DataFrame:
    """Return rows as a table of the findings; counts that may be missing are whole numbers all the same."""
    table = pd.DataFrame(list(rows), columns=list(TABLES[name]))
    whole = [column for column in ("wanted",) if column in table.columns]
    return table.astype(dict.fromkeys(whole, "Int64")) if len(table) else table
