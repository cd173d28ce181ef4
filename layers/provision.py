"""Enough, not only near: what the facilities of a group add up to against what its people need by the standard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..gis.coverage import group_sums
from .blocks import Block, stacked
from .columns import floats
from .facility_counts import counted_now
from .findings import TABLES
from .standards import Figure

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from .residents import Groups, Residents
    from .standards import Rule, Standard

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

COLUMN_OF: dict[str, str] = {
    "building_m2": "floor_area_m2",
    "land_m2": "land_area_m2",
    "green_m2": "land_area_m2",
    "places": "capacity",
}
"""Which column of the facilities a metric adds up; ``count`` counts them."""
BASE_OF: dict[str, tuple[str, float]] = {
    "person": ("people", 1.0),
    "1000_people": ("people", 1000.0),
    "100_households": ("households", 100.0),
    "1000_elders_60": ("elders_60", 1000.0),
    "100_elders_60": ("elders_60", 100.0),
    "1000_children_0_3": ("children_0_3", 1000.0),
    "1000_children_3_6": ("children_3_6", 1000.0),
}
"""Who a figure is for, and how many of them; figures for one facility or one place are no figures of provision."""
BY_PLACE: tuple[str, ...] = ("city", "borough", "ring", "district", "zone")
"""Kinds of group that are wide enough to be asked for facilities of their own."""


LEAST_NEEDED = 0.5
"""A group that needs less than half a facility is not asked for one of its own."""


@dataclass(frozen=True, slots=True)
class Need:
    """One figure and the classes whose facilities count for it.

    Parameters
    ----------
    key
        Facility class of the rule, or ``circle_15`` for all classes of a living circle.
    circle, required
        Of the rule.
    classes
        Facility classes that count.
    figure
        What is asked for.
    basis
        ``stated`` or ``derived``.
    """

    key: str
    circle: int
    required: bool
    classes: tuple[str, ...]
    figure: Figure
    basis: str


@dataclass(frozen=True, slots=True)
class Stock:
    """The facilities that exist, and which group each stands in.

    Parameters
    ----------
    frame
        ``facility_class``, ``capacity``, ``floor_area_m2``, ``land_area_m2``.
    of_group
        Kind of group → int64 [facilities], the group's index, -1 for none.
    with_data
        Classes that the source holds at all.
    """

    frame: pd.DataFrame
    of_group: Mapping[str, Ints]
    with_data: frozenset[str]


def needs_of(standard: Standard) -> list[Need]:
    """Return every figure of a standard that asks for so much for so many people.

    The figures of a rule, and ``total`` of those of a living circle, which the facilities of all rules of that circle
    add up to. A rule that says for how many people one facility is, and states no number of them, asks for one
    facility for the most people it serves: that is derived. Classes that no walk is measured to are not kept of a
    study's facilities, so nothing is asked of them alone.
    """
    found: list[Need] = []
    rules = [*standard.rules, *standard.unmeasured]
    kept = frozenset(standard.counted)
    for rule in rules:
        own = [figure for figure in rule.figures if _usable(figure)]
        found += [
            Need(
                rule.facility_class, rule.circle, rule.required, figure.classes or rule.classes, figure, basis="stated"
            )
            for figure in own
        ]
        derived = _derived(rule)
        if derived is not None and not any(figure.metric == "count" for figure in own):
            found.append(Need(rule.facility_class, rule.circle, rule.required, rule.classes, derived, basis="derived"))
    for circle in standard.circles:
        of_circle = tuple(
            dict.fromkeys(name for rule in rules if rule.circle == circle.minutes for name in rule.classes)
        )
        for figure in circle.figures:
            if _usable(figure) and figure.category == "total" and of_circle:
                key = f"circle_{circle.minutes}"
                found.append(Need(key, circle.minutes, required=True, classes=of_circle, figure=figure, basis="stated"))
    return [need for need in found if not kept.isdisjoint(need.classes)]


def _usable(figure: Figure) -> bool:
    """Tell whether a figure asks for so much of what facilities state, for so many people."""
    asked = figure.metric in COLUMN_OF or figure.metric == "count"
    return asked and figure.per in BASE_OF and figure.least is not None


def _derived(rule: Rule) -> Figure | None:
    """Return how many facilities a thousand people need when each serves as many as it may."""
    if not rule.served_people_most:
        return None
    least = 1000.0 / rule.served_people_most
    return Figure("count", "1000_people", least, None, rule.clause, rule.clause_en, rule.confidence)


def provision_table(standard: Standard, stock: Stock, residents: Residents, groups: Iterable[Groups]) -> pd.DataFrame:
    """Return what stands in each group against what its people need: a row for each figure and group.

    ``existing`` adds up the figures that are known, ``size_unknown`` counts the facilities whose figure is not:
    unknown is not zero. ``enough`` where the known ones reach the need; ``short`` where they do not and all are known;
    ``unknown`` where the others, or a class that counts too and of which the source holds nothing, might fill it, or
    nobody knows how many people there are; ``no_data`` where the source holds nothing of any class that counts;
    ``few_people`` where a number of facilities is asked for and the people need less than half of one.

    Parameters
    ----------
    standard
        Its figures.
    stock
        The facilities that exist.
    residents, groups
        Who lives in which group; kinds other than `BY_PLACE` are left out.

    Returns
    -------
    pandas.DataFrame
        Columns of ``TABLES["provision"]``.
    """
    kinds = [kind for kind in groups if kind.kind in BY_PLACE]
    needs = needs_of(standard)
    measures = {BASE_OF[need.figure.per][0] for need in needs}
    bases = {(kind.kind, measure): _base(residents, kind, measure) for kind in kinds for measure in measures}
    blocks = [
        _block(need, stock, kind, bases[kind.kind, BASE_OF[need.figure.per][0]]) for need in needs for kind in kinds
    ]
    table = stacked(blocks, TABLES["provision"])
    people = table["base"].astype(np.float64)
    return table.assign(base=people.fillna(0).astype("Int64").where(people.notna()))


def _base(residents: Residents, groups: Groups, measure: str) -> Floats:
    """Return how many of a measure live in each group; NaN where nobody knows."""
    if measure not in residents.counts:
        return np.full(len(groups.ids), np.nan)
    counts = np.asarray(residents.counts[measure], dtype=np.int64)[:, None]
    return group_sums(counts, groups.of_demand, len(groups.ids))[:, 0].astype(np.float64)


def _block(need: Need, stock: Stock, groups: Groups, base: Floats) -> Block:
    """Return the rows of one figure for one kind of group."""
    figure, count = need.figure, len(groups.ids)
    has_data = not stock.with_data.isdisjoint(need.classes)
    all_data = stock.with_data.issuperset(need.classes)
    facilities, known, existing = _sums(need, stock, groups.kind, count)
    unknown = facilities - known
    unit = BASE_OF[figure.per][1]
    needed = (figure.least or 0.0) * base / unit
    shortfall = np.maximum(needed - existing, 0.0)
    sure = (unknown == 0) & all_data
    status = np.where(shortfall <= 0, "enough", np.where(sure, "short", "unknown")).astype(object)
    status[np.isnan(base)] = "unknown"
    # So few people that the nearest whole number of facilities is none: a share of one cannot be built.
    few = (figure.metric == "count") & (needed < LEAST_NEEDED) & (shortfall > 0)
    status[few], shortfall[few] = "few_people", 0.0
    if not has_data:
        status[:] = "no_data"
        existing, shortfall = np.full(count, np.nan), np.full(count, np.nan)
    per = np.divide(existing * unit, base, out=np.full(count, np.nan), where=base > 0)
    return {
        "facility_class": need.key,
        "circle": need.circle,
        "required": need.required,
        "group_kind": groups.kind,
        "group_id": np.asarray(groups.ids, dtype=object),
        "group_name": np.asarray(groups.names, dtype=object),
        "metric": figure.metric,
        "per": figure.per,
        "least": figure.least,
        "most": np.nan if figure.most is None else figure.most,
        "base": base,
        "facilities": facilities,
        "size_unknown": unknown,
        "existing": existing,
        "existing_per": per,
        "needed": needed,
        "shortfall": shortfall,
        "status": status,
        "basis": need.basis,
        "confidence": figure.confidence,
        "clause": figure.clause,
        "clause_en": figure.clause_en,
    }


def _sums(need: Need, stock: Stock, kind: str, count: int) -> tuple[Ints, Ints, Floats]:
    """Return by group the facilities of some classes, those whose figure is known, and the sum of these."""
    group = stock.of_group[kind]
    rows = stock.frame["facility_class"].isin(need.classes).to_numpy() & (group >= 0)
    values = (
        np.ones(len(stock.frame))
        if need.figure.metric == "count"
        else floats(stock.frame, COLUMN_OF[need.figure.metric])
    )
    sure = rows & ~np.isnan(values)
    return (
        np.bincount(group[rows], minlength=count).astype(np.int64),
        np.bincount(group[sure], minlength=count).astype(np.int64),
        np.bincount(group[sure], values[sure], minlength=count).astype(np.float64),
    )


def stock_of(frame: pd.DataFrame, with_data: frozenset[str], of_group: Mapping[str, Ints]) -> Stock:
    """Return the stock of a study: only facilities that exist count.

    Parameters
    ----------
    frame
        The facilities, with ``status``.
    with_data
        Classes that the source holds at all.
    of_group
        Kind of group → int64 [facilities], the group's index.
    """
    exists = counted_now(frame)
    return Stock(
        frame[exists].reset_index(drop=True), {kind: index[exists] for kind, index in of_group.items()}, with_data
    )


def kinds_by_place(groups: Sequence[Groups]) -> list[Groups]:
    """Return the kinds of group of `BY_PLACE`."""
    return [kind for kind in groups if kind.kind in BY_PLACE]
