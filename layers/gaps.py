"""Who lacks what: coverage by group and measure, and the gaps as points.

The functions work on plain arrays that `lifecircle.layers.plan` assembles: `Residents` (who lives where), `Groups` (how
they are summed) and, for each facility class, `Walks` (how far its nearest facility is).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import geopandas as gpd
import numpy as np
import pandas as pd

from ..gis.coverage import group_sums, mostly_covered, rates, tally, within, within_straight
from .blocks import Block, stacked
from .findings import LAYERS, TABLES
from .missing import LISTED, missing_by_compound, missing_table
from .residents import Groups, Residents, RuleLike, Walks, check_lengths, no_data

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray
    from pyproj import CRS

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]

__all__ = [
    "COMPOUND_MEASURES",
    "LISTED",
    "Groups",
    "Residents",
    "RuleLike",
    "Walks",
    "coverage_table",
    "gap_rows",
    "missing_by_compound",
    "missing_table",
    "no_data",
]

COMPOUND_MEASURES: tuple[str, ...] = ("people", "elders_60", "households", "residential_m2")
"""What is counted compound by compound, besides the group that a rule is for: more would only swell the table."""


def coverage_table(
    residents: Residents, groups: Iterable[Groups], rules: Iterable[RuleLike], walks: Mapping[str, Walks]
) -> pd.DataFrame:
    """Count who is covered: a row for each rule, group and measure.

    ``covered + uncovered + unknown = total`` in every row. Unknown are points off the street network, and everybody
    where the class has no data. The measure ``compounds`` counts compounds: covered when at least half of their
    people with a known walk are; unknown when they have none. A measure that nobody knows has no rows.
    ``buffer_rate`` is the covered share by straight line of the same people; ``after_covered`` counts those within the
    limit of an existing or a proposed site.

    Parameters
    ----------
    residents
        The demand points.
    groups
        Kinds of group, in the order wanted.
    rules
        Rules of the standard, in its order; those without a limit or without walks are left out.
    walks
        Facility class → what the searches found.

    Returns
    -------
    pandas.DataFrame
        Columns of ``TABLES["coverage"]``.

    Raises
    ------
    InputError
        When ``people`` is unknown or array lengths differ.

    Examples
    --------
    See ``tests/layers/test_gaps.py``.
    """
    kinds = list(groups)
    check_lengths(residents, kinds, walks)
    blocks: list[Block] = []
    whole = residents.measures, residents.weights
    for rule in rules:
        if rule.walk_m is None or rule.facility_class not in walks:
            continue
        walk = walks[rule.facility_class]
        hits = _hits(residents, rule.walk_m, walk, len(kinds[0].of_compound) if kinds else 0)
        own = _of_compounds(*whole, rule.group)
        blocks.extend(
            _block(residents, kind, rule, walk, hits, own if kind.kind == "compound" else whole) for kind in kinds
        )
    return stacked(blocks, TABLES["coverage"])


@dataclass(frozen=True, slots=True)
class _Hits:
    """Who is within the limit now, with the proposed sites, and by straight line; and so which compounds."""

    now: Bools
    after: Bools
    straight: Bools
    homes: tuple[tuple[Bools, Bools], ...]


def _hits(residents: Residents, limit_m: float, walk: Walks, compounds: int) -> _Hits:
    """Tell who, and which compounds, are within the limit."""
    now = within(walk.cost, walk.limit)
    after = now if walk.after_cost is None else within(walk.after_cost, walk.limit)
    after = after if walk.after_alone else now | after
    hits = now, after, within_straight(residents.xy, walk.site_xy, limit_m)
    people = np.asarray(residents.counts["people"], dtype=np.int64)
    homes = (mostly_covered(hit, residents.known, people, residents.compound, compounds) for hit in hits)
    return _Hits(*hits, tuple(homes))


def _block(
    residents: Residents,
    groups: Groups,
    rule: RuleLike,
    walk: Walks,
    hits: _Hits,
    counts: tuple[tuple[str, ...], Ints],
) -> Block:
    """Return the coverage rows of one rule for one kind of group: group by group, measure by measure."""
    measures, weights = counts
    known = residents.known & walk.has_data
    now, after, straight = hits.now, hits.after, hits.straight
    count = len(groups.ids)
    counted = tally(now, known, weights, groups.of_demand, count)
    # Where the class has no data, the proposed sites still reach people, who are then known to be covered afterwards.
    then = group_sums(weights, groups.of_demand, count, rows=after & residents.known)
    buffered = group_sums(weights, groups.of_demand, count, rows=straight & known)
    parts = {
        "total": counted.total,
        "covered": counted.covered,
        "uncovered": counted.uncovered,
        "unknown": counted.unknown,
        "after_covered": then,
        "buffered": buffered,
    }
    if groups.kind != "compound":
        measures = (*measures, "compounds")
        homes = _homes(groups, hits, walk)
        parts = {name: np.column_stack([parts[name], homes[name]]) for name in parts}
    flat = {name: values.ravel() for name, values in parts.items()}
    sure = flat["covered"] + flat["uncovered"]
    return {
        "facility_class": rule.facility_class,
        "circle": rule.circle,
        "required": rule.required,
        "limit": float(walk.limit),
        "unit": walk.unit,
        "group_kind": groups.kind,
        "group_id": np.repeat(np.asarray(groups.ids, dtype=object), len(measures)),
        "group_name": np.repeat(np.asarray(groups.names, dtype=object), len(measures)),
        "measure": np.tile(np.asarray(measures, dtype=object), count),
        **{name: flat[name] for name in ("total", "covered", "uncovered", "unknown")},
        "rate": rates(flat["covered"], sure),
        "buffer_rate": rates(flat["buffered"], sure),
        "after_covered": flat["after_covered"],
        "after_rate": rates(flat["after_covered"], sure),
        "status": "ok" if walk.has_data else "no_data",
        "confidence": rule.confidence,
        "clause": rule.clause,
    }


def _of_compounds(measures: tuple[str, ...], weights: Ints, group: str) -> tuple[tuple[str, ...], Ints]:
    """Return the measures counted compound by compound, and their weights."""
    keep = [index for index, measure in enumerate(measures) if measure in COMPOUND_MEASURES or measure == group]
    return tuple(measures[index] for index in keep), weights[:, keep]


def _homes(groups: Groups, hits: _Hits, walk: Walks) -> dict[str, Ints]:
    """Count compounds by group: in all, covered now, afterwards and by straight line, and unknown."""
    count = len(groups.ids)
    one = np.ones((len(groups.of_compound), 1), dtype=np.int64)
    now, after, straight = hits.homes
    known = now[1] & walk.has_data
    counted = tally(now[0], known, one, groups.of_compound, count)
    return {
        "total": counted.total,
        "covered": counted.covered,
        "uncovered": counted.uncovered,
        "unknown": counted.unknown,
        "after_covered": group_sums(one, groups.of_compound, count, rows=after[0]),
        "buffered": group_sums(one, groups.of_compound, count, rows=straight[0] & known),
    }


def gap_rows(
    residents: Residents, rules: Iterable[RuleLike], walks: Mapping[str, Walks], *, crs: CRS
) -> gpd.GeoDataFrame:
    """Return the gaps as points: a row for each demand point with people and each class that it does not reach.

    ``status`` is ``too_far``, or ``unknown`` where the point is off the street network; ``walk`` is NaN where no way
    leads to any facility of the class. Classes without data have no
    gap rows: nothing is known of anybody. ``group_people`` counts the people the class is for, NA where not known.

    Parameters
    ----------
    residents, rules, walks
        As for `coverage_table`.
    crs
        CRS of the points.

    Returns
    -------
    geopandas.GeoDataFrame
        Columns of ``LAYERS["gaps"]`` and the points.
    """
    check_lengths(residents, [], walks)
    people = np.asarray(residents.counts["people"], dtype=np.int64)
    ids = np.asarray(residents.demand_id, dtype=object)
    blocks, places = [], []
    for rule in rules:
        walk = walks.get(rule.facility_class)
        if walk is None or rule.walk_m is None or not walk.has_data:
            continue
        rows = np.flatnonzero((people > 0) & ~(within(walk.cost, walk.limit) & residents.known))
        known = residents.known[rows]
        cost = walk.cost[rows]
        group = residents.counts.get(rule.group)
        block = {
            "demand_id": ids[rows],
            "facility_class": rule.facility_class,
            "circle": rule.circle,
            "status": np.where(known, "too_far", "unknown").astype(object),
            "people": people[rows],
            "group_people": pd.Series(pd.NA if group is None else group[rows], index=range(len(rows)), dtype="Int64"),
            "walk": np.where(known & np.isfinite(cost), cost, np.nan),
            "limit": float(walk.limit),
            "unit": walk.unit,
            "confidence": rule.confidence,
            "clause": rule.clause,
        }
        blocks.append(pd.DataFrame(block))
        places.append(rows)
    columns = list(LAYERS["gaps"])
    table = pd.concat(blocks, ignore_index=True) if blocks else pd.DataFrame({name: [] for name in columns})
    xy = residents.xy[np.concatenate(places)] if places else np.zeros((0, 2))
    return gpd.GeoDataFrame(table[columns], geometry=gpd.points_from_xy(xy[:, 0], xy[:, 1]), crs=crs)
