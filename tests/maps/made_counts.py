"""Who reaches what in the made town, and the rows that follow from it: coverage, the missing list, gaps, siting."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import shapely
from made_town import CLASSES, DETOUR, NO_DATA

LISTED = ["people", "elders_60", "households"]


class Walks:
    """Who reaches what: made walking distances between the points, and what follows from them."""

    def __init__(self, demand: pd.DataFrame, facilities: pd.DataFrame, sites: pd.DataFrame) -> None:
        self.demand = demand
        self.known = (demand["snap"] == "on_street").to_numpy()
        self.facilities = facilities
        self.sites = sites

    def _metres(self, targets: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.float64]]:
        points = np.asarray(self.demand.geometry)[:, None]
        return np.asarray(shapely.distance(points, np.asarray(targets.geometry)[None, :]) * DETOUR)

    def nearest(self, key: str) -> tuple[Any, Any]:
        """Return metres to the nearest existing facility of the class, and its row."""
        rows = np.flatnonzero((self.facilities["facility_class"] == key).to_numpy())
        metres = self._metres(self.facilities.iloc[rows])
        return metres.min(axis=1), rows[metres.argmin(axis=1)]

    def covered(self, key: str) -> Any:  # noqa: ANN401  a boolean array
        """Return whom the existing facilities cover."""
        if key == NO_DATA:
            return np.zeros(len(self.demand), dtype=bool)
        return self.known & (self.nearest(key)[0] <= CLASSES[key]["limit_m"])

    def by_site(self, key: str) -> Any:  # noqa: ANN401  a boolean array
        """Return whom each proposed site of the class reaches: demand × sites."""
        chosen = self.sites[self.sites["facility_class"] == key]
        return self.known[:, None] & (self._metres(chosen) <= CLASSES[key]["limit_m"])


def coverage_rows(walks: Walks, groups: dict[str, dict[str, str]]) -> list[dict[str, Any]]:
    demand = walks.demand
    rows = []
    for key, rule in CLASSES.items():
        has_data = key != NO_DATA
        known = walks.known & has_data
        covered = walks.covered(key)
        after = covered | walks.by_site(key).any(axis=1)
        for kind, names in groups.items():
            for group, name in names.items():
                inside = (
                    np.ones(len(demand), dtype=bool) if kind == "city" else (demand[f"{kind}_id"] == group).to_numpy()
                )
                for measure in ("people", "elders_60", "children_3_6", "children_6_12", "households"):
                    weight = demand[measure].to_numpy() * inside
                    counts = [
                        int(weight[mask].sum()) for mask in (known & covered, known & ~covered, ~known, known & after)
                    ]
                    rows.append(_coverage_row(key, rule, (kind, group, name, measure), counts, has_data=has_data))
                rows.append(
                    _compound_row(key, rule, (kind, group, name), demand[inside], (known, covered, after), inside)
                )
    return rows


def _compound_row(
    key: str,
    rule: dict[str, Any],
    group: tuple[str, str, str],
    demand: pd.DataFrame,
    masks: tuple[Any, Any, Any],
    inside: Any,  # noqa: ANN401  a boolean array
) -> dict[str, Any]:
    """Count the neighbourhoods of which at least half of the people are covered."""
    people = demand["people"].to_numpy()
    known, covered, after = (mask[inside] for mask in masks)
    sums = (
        pd.DataFrame({"known": people * known, "now": people * (known & covered), "then": people * (known & after)})
        .groupby(demand["compound_id"].to_numpy())
        .sum()
    )
    sure, now, then = sums["known"] > 0, 2 * sums["now"] >= sums["known"], 2 * sums["then"] >= sums["known"]
    counts = [int((sure & now).sum()), int((sure & ~now).sum()), int((~sure).sum()), int((sure & then).sum())]
    return _coverage_row(key, rule, (*group, "compounds"), counts, has_data=key != NO_DATA)


def _coverage_row(
    key: str, rule: dict[str, Any], group: tuple[str, str, str, str], counts: list[int], *, has_data: bool
) -> dict[str, Any]:
    covered, uncovered, unknown, after = counts
    known = covered + uncovered
    return {
        "facility_class": key,
        "circle": rule["circle"],
        "required": rule["required"],
        "limit": rule["limit_m"],
        "unit": "m",
        "group_kind": group[0],
        "group_id": group[1],
        "group_name": group[2],
        "measure": group[3],
        "total": known + unknown,
        "covered": covered,
        "uncovered": uncovered,
        "unknown": unknown,
        "rate": covered / known if known else np.nan,
        "buffer_rate": min(1.0, 1.2 * covered / known) if known else np.nan,
        "after_covered": after,
        "after_rate": after / known if known else np.nan,
        "status": "ok" if has_data else "no_data",
        "confidence": rule["confidence"],
        "clause": rule["clause"],
    }


def missing_rows(walks: Walks, compounds: pd.DataFrame) -> list[dict[str, Any]]:
    rows = []
    for key, rule in CLASSES.items():
        metres, nearest = walks.nearest(next(iter(CLASSES)) if key == NO_DATA else key)
        known = walks.known & (key != NO_DATA)
        beyond = known & ~walks.covered(key)
        for compound in compounds.itertuples():
            inside = (walks.demand["compound_id"] == compound.compound_id).to_numpy()
            line = _line(walks, metres, inside & known)
            middle = line[(len(line) - 1) // 2] if line else -1
            facility = walks.facilities.iloc[nearest[middle]]
            lives = walks.demand.loc[inside, LISTED].sum()
            lacks = walks.demand.loc[inside & beyond, LISTED].sum()
            half = len(line) - 2 * int(lacks["people"])
            sure = "too_far" if half < 0 else "partial" if lacks["people"] else "present"
            rows.append(
                {
                    "compound_id": compound.compound_id,
                    "compound_name": compound.name,
                    "ring_id": compound.ring_id,
                    "district_id": compound.district_id,
                    "facility_class": key,
                    "circle": rule["circle"],
                    "required": rule["required"],
                    "status": "no_data" if key == NO_DATA else sure if line else "unknown",
                    "nearest_id": facility["facility_id"] if line else None,
                    "nearest_name": facility["name"] if line else None,
                    "walk": float(metres[middle]) if line else np.nan,
                    "walk_longest": float(metres[line[-1]]) if line else np.nan,
                    "limit": rule["limit_m"],
                    "unit": "m",
                    **{name: int(lives[name]) for name in LISTED},
                    **{f"{name}_lacking": int(lacks[name]) if line else pd.NA for name in LISTED},
                    "size_known": True,
                    "none_yet": False,
                    "people_too_small": 0,
                    "confidence": rule["confidence"],
                    "clause": rule["clause"],
                }
            )
    return rows


def _line(walks: Walks, metres: Any, chosen: Any) -> list[int]:  # noqa: ANN401  arrays
    """Return the row of each person where ``chosen``, in the order of their walks."""
    rows = sorted(np.flatnonzero(chosen).tolist(), key=lambda row: (metres[row], row))
    return [row for row in rows for _ in range(walks.demand["people"].iloc[row])]


def gap_rows(walks: Walks) -> list[dict[str, Any]]:
    rows = []
    for key, rule in CLASSES.items():
        if key == NO_DATA:
            continue
        metres, _ = walks.nearest(key)
        lacking = np.flatnonzero(~walks.covered(key))
        for place in lacking:
            point = walks.demand.iloc[place]
            rows.append(
                {
                    "demand_id": point["demand_id"],
                    "facility_class": key,
                    "circle": rule["circle"],
                    "status": "too_far" if walks.known[place] else "unknown",
                    "people": int(point["people"]),
                    "group_people": int(point[rule["group"]]),
                    "walk": float(metres[place]),
                    "limit": rule["limit_m"],
                    "unit": "m",
                    "confidence": rule["confidence"],
                    "clause": rule["clause"],
                    "geometry": point["geometry"],
                }
            )
    return rows


def siting_rows(walks: Walks) -> list[dict[str, Any]]:
    rows = []
    for key in walks.sites["facility_class"].unique():
        weight = walks.demand[CLASSES[key]["group"]].to_numpy()
        before = walks.covered(key)
        after = before | walks.by_site(key).any(axis=1)
        gained = float(weight[after & ~before].sum())
        chosen = int((walks.sites["facility_class"] == key).sum())
        rows.append(
            {
                "facility_class": key,
                "weight": CLASSES[key]["group"],
                "wanted": chosen,
                "chosen": chosen,
                "candidates": 6,
                "total": int(weight.sum()),
                "covered_before": int(weight[before].sum()),
                "covered_after": int(weight[after].sum()),
                "objective": gained,
                "bound": gained,
                "gap": 0.0,
                "status": "optimal",
                "seconds": 0.02,
            }
        )
    return rows
