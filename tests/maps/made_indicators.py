"""Indicators of the made findings: what a standard of its own would report of the made walks."""

from __future__ import annotations

from typing import Any

import numpy as np
from made_town import CLASSES, NO_DATA

TARGET = 0.8
TEXTS = ("standard_name", "name", "formula", "clause")


def indicator_rows(walks: Any, groups: dict[str, dict[str, str]]) -> list[dict[str, Any]]:  # noqa: ANN401  made there
    """Return the share of people covered of each class, as if a standard reported it, for city and rings.

    Parameters
    ----------
    walks
        Who is where (``demand``), whose walk is ``known``, and whom each class has ``covered``.
    groups
        Kind of group → id → name.
    """
    demand, rows = walks.demand, []
    for key, rule in CLASSES.items():
        known, hit = walks.known & (key != NO_DATA), walks.covered(key)
        texts = {f"{of}{end}": f"{rule[name]} {of}" for of in TEXTS for end, name in (("", "zh"), ("_en", "en"))}
        for kind in ("city", "ring"):
            for group, name in groups[kind].items():
                inside = True if kind == "city" else (demand["ring_id"] == group).to_numpy()
                people = demand["people"].to_numpy() * inside
                covered, uncovered, unknown = (int(people[of].sum()) for of in (known & hit, known & ~hit, ~known))
                rows.append(
                    {
                        **texts,
                        "standard": "made-up",
                        "indicator": f"{key}_cover",
                        "group_kind": kind,
                        "group_id": group,
                        "group_name": name,
                        "measure": "people",
                        "basis": "walk",
                        "limit": rule["limit_m"],
                        "unit": "m",
                        "facilities": 1,
                        "total": covered + uncovered + unknown,
                        "covered": covered,
                        "uncovered": uncovered,
                        "unknown": unknown,
                        "numerator": covered,
                        "denominator": covered + uncovered,
                        "value": covered / (covered + uncovered) if covered + uncovered else np.nan,
                        "target": TARGET,
                        "status": "no_data" if key == NO_DATA else _verdict(covered, uncovered, unknown),
                        "confidence": "C",
                    }
                )
    return rows


def _verdict(covered: int, uncovered: int, unknown: int) -> str:
    """Say whether the target is met, whatever the unknown are."""
    least = TARGET * (covered + uncovered + unknown)
    return "met" if covered >= least else "not_met" if covered + unknown < least else "unknown"
