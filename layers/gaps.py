"""Who lacks what: coverage by group and measure, and the missing list of every compound (缺什么补什么).

The functions work on plain arrays that `lifecircle.layers.plan` assembles: `Residents` (who lives where), `Groups` (how
they are summed) and, for each facility class, `Walks` (how far its nearest facility is).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import geopandas as gpd
import numpy as np
import pandas as pd

from ..gis.coverage import group_sums, middle_and_last, mostly_covered, rates, tally, within, within_straight
from .findings import LAYERS, TABLES
from .residents import WIDE_LIMIT_M, Groups, Residents, RuleLike, Walks, check_lengths, no_data

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray
    from pyproj import CRS

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]
    _Block: TypeAlias = dict[str, Any]

__all__ = [
    "COMPOUND_MEASURES",
    "WIDE_LIMIT_M",
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

COMPOUND_MEASURES: tuple[str, ...] = ("people", "elders_60", "households")
"""What is counted compound by compound, besides the group that a rule is for: more would only swell the table."""


LISTED: tuple[str, ...] = ("people", "elders_60", "households")
"""Who is counted in the missing list: those who live there, and those of them beyond the limit."""


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
    blocks: list[_Block] = []
    for rule in rules:
        if rule.walk_m is None or rule.facility_class not in walks:
            continue
        walk = walks[rule.facility_class]
        hits = _hits(residents, rule.walk_m, walk)
        blocks.extend(_block(residents, kind, rule, walk, hits) for kind in kinds)
    return _stacked(blocks, TABLES["coverage"])


def _stacked(blocks: Sequence[_Block], names: Sequence[str]) -> pd.DataFrame:
    """Return blocks of columns one below the other as one frame; single values fill their block."""
    columns: dict[str, list[NDArray[Any]]] = {name: [] for name in names}
    for block in blocks:
        count = max((len(value) for value in block.values() if isinstance(value, np.ndarray)), default=0)
        for name in names:
            value = block[name]
            if not isinstance(value, np.ndarray):
                value = np.full(count, value, dtype=object if isinstance(value, str) else None)
            columns[name].append(value)
    if not blocks:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in names})
    return pd.DataFrame({name: np.concatenate(values) for name, values in columns.items()})


def _hits(residents: Residents, limit_m: float, walk: Walks) -> tuple[Bools, Bools, Bools]:
    """Tell who is within the limit now, with the proposed sites, and by straight line."""
    now = within(walk.cost, walk.limit)
    after = now if walk.after_cost is None else now | within(walk.after_cost, walk.limit)
    return now, after, within_straight(residents.xy, walk.site_xy, limit_m)


def _block(
    residents: Residents, groups: Groups, rule: RuleLike, walk: Walks, hits: tuple[Bools, Bools, Bools]
) -> _Block:
    """Return the coverage rows of one rule for one kind of group: group by group, measure by measure."""
    measures, weights = _counted(residents, groups.kind, rule.group)
    known = residents.known & walk.has_data
    now, after, straight = hits
    count = len(groups.ids)
    counted = tally(now, known, weights, groups.of_demand, count)
    # Where the class has no data, the proposed sites still reach people, who are then known to be covered afterwards.
    then = group_sums(weights * (after & residents.known)[:, None], groups.of_demand, count)
    buffered = group_sums(weights * (straight & known)[:, None], groups.of_demand, count)
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
        homes = _homes(residents, groups, hits, walk)
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


def _counted(residents: Residents, kind: str, group: str) -> tuple[tuple[str, ...], Ints]:
    """Return the measures counted for a kind of group, and their weights."""
    measures, weights = residents.measures, residents.weights
    if kind != "compound":
        return measures, weights
    keep = [index for index, measure in enumerate(measures) if measure in COMPOUND_MEASURES or measure == group]
    return tuple(measures[index] for index in keep), weights[:, keep]


def _homes(residents: Residents, groups: Groups, hits: tuple[Bools, Bools, Bools], walk: Walks) -> dict[str, Ints]:
    """Count compounds by group: in all, covered now, afterwards and by straight line, and unknown."""
    compounds, count = len(groups.of_compound), len(groups.ids)
    people = np.asarray(residents.counts["people"], dtype=np.int64)
    one = np.ones((compounds, 1), dtype=np.int64)
    now, after, straight = (mostly_covered(hit, residents.known, people, residents.compound, compounds) for hit in hits)
    known = now[1] & walk.has_data
    counted = tally(now[0], known, one, groups.of_compound, count)
    return {
        "total": counted.total,
        "covered": counted.covered,
        "uncovered": counted.uncovered,
        "unknown": counted.unknown,
        "after_covered": group_sums(one * after[0][:, None], groups.of_compound, count),
        "buffered": group_sums(one * (straight[0] & known)[:, None], groups.of_compound, count),
    }


def missing_table(
    residents: Residents, compounds: pd.DataFrame, rules: Iterable[RuleLike], walks: Mapping[str, Walks]
) -> pd.DataFrame:
    """List for every compound and rule whether the class is there, and how far it is: the table planners print first.

    ``status`` is ``present`` (everybody whose walk is known is within the limit), ``partial`` (at least half of them
    are), ``too_far`` (fewer are), ``no_data`` (the source holds nothing of the class) or ``unknown`` (nobody lives
    there, or nobody's walk is known). ``walk`` and the nearest facility are those of the resident in the middle, when
    people are put in order of their walk; ``walk_longest`` is the last one's. So too far means ``walk > limit`` and
    present ``walk_longest <= limit``; NaN is beyond the search. Walks are in ``unit``. ``people``, ``elders_60`` and
    ``households`` live in the compound; those with ``_lacking`` are beyond the limit, NA where that is not known.

    Parameters
    ----------
    residents
        The demand points; ``residents.compound`` points into ``compounds``.
    compounds
        ``compound_id``, ``name``, ``ring_id``, ``district_id``.
    rules, walks
        As for `coverage_table`.

    Returns
    -------
    pandas.DataFrame
        Columns of ``TABLES["missing"]``, compound by compound.
    """
    check_lengths(residents, [], walks)
    table = compounds.reset_index(drop=True)
    names = {name: table[name].to_numpy(dtype=object) for name in ("compound_id", "name", "ring_id", "district_id")}
    blocks = [
        _missing(residents, names, rule, walks[rule.facility_class])
        for rule in rules
        if rule.walk_m is not None and rule.facility_class in walks
    ]
    rows = _stacked(blocks, TABLES["missing"])
    counts = [name for measure in LISTED for name in (measure, f"{measure}_lacking")]
    rows[[*counts, "people_too_small"]] = rows[[*counts, "people_too_small"]].astype("Int64")
    rows["size_known"] = rows["size_known"].astype("boolean")
    by_compound = np.arange(len(rows)).reshape(max(len(blocks), 1), -1).T.ravel()
    return rows.iloc[by_compound].reset_index(drop=True)


def _missing(residents: Residents, compounds: Mapping[str, NDArray[np.object_]], rule: RuleLike, walk: Walks) -> _Block:
    """Return the missing list of one rule, a row for each compound."""
    count = len(compounds["compound_id"])
    people = np.asarray(residents.counts["people"], dtype=np.int64)
    hit = within(walk.cost, walk.limit)
    status = _status(residents, walk, hit, count)
    counted = np.where(residents.known & walk.has_data, people, 0)
    middle, last = middle_and_last(walk.cost, counted, residents.compound, count)
    nearest = _at(walk.site, middle, -1)
    return {
        "compound_id": compounds["compound_id"],
        "compound_name": compounds["name"],
        "ring_id": compounds["ring_id"],
        "district_id": compounds["district_id"],
        "facility_class": rule.facility_class,
        "circle": rule.circle,
        "required": rule.required,
        "status": status,
        "nearest_id": _looked_up(walk.site_ids, nearest),
        "nearest_name": _looked_up(walk.site_names, nearest),
        "walk": _finite(_at(walk.cost, middle, np.inf)),
        "walk_longest": _finite(_at(walk.cost, last, np.inf)),
        "limit": float(walk.limit),
        "unit": walk.unit,
        "size_known": np.full(count, pd.NA, dtype=object),
        "people_too_small": np.full(count, pd.NA, dtype=object),
        **_listed(residents, status, hit, count),
    }


def _status(residents: Residents, walk: Walks, hit: Bools, count: int) -> NDArray[np.object_]:
    """Return whether each compound has the class."""
    status = np.full(count, "unknown" if walk.has_data else "no_data", dtype=object)
    if not walk.has_data:
        return status
    people = np.asarray(residents.counts["people"], dtype=np.int64)
    most, known = mostly_covered(hit, residents.known, people, residents.compound, count)
    beyond = group_sums((people * (residents.known & ~hit))[:, None], residents.compound, count)[:, 0]
    status[known] = np.where(most, np.where(beyond == 0, "present", "partial"), "too_far")[known]
    return status


def _at(values: NDArray[Any], rows: Ints, otherwise: float) -> NDArray[Any]:
    """Return values by row, another one for -1."""
    found: NDArray[Any] = np.append(values, values.dtype.type(otherwise))[rows]
    return found


def _finite(cost: Floats) -> Floats:
    """Return walks, NaN where they are beyond the search."""
    return np.where(np.isfinite(cost), cost, np.nan)


def _listed(residents: Residents, status: NDArray[np.object_], hit: Bools, count: int) -> _Block:
    """Count who lives in each compound and who of them is beyond the limit; what nobody knows is NA."""
    beyond = residents.known & ~hit
    unsure = np.isin(status, ("no_data", "unknown"))
    listed: _Block = {}
    for measure in LISTED:
        if measure not in residents.counts:
            listed[measure] = listed[f"{measure}_lacking"] = np.full(count, pd.NA, dtype=object)
            continue
        weight = np.asarray(residents.counts[measure], dtype=np.int64)
        sums = group_sums(np.column_stack([weight, weight * beyond]), residents.compound, count)
        listed[measure], lacking = sums.astype(object).T
        lacking[unsure] = pd.NA
        listed[f"{measure}_lacking"] = lacking
    return listed


def _looked_up(names: Sequence[str], rows: Ints) -> NDArray[np.object_]:
    """Return names by row, None for -1."""
    table = np.empty(len(names) + 1, dtype=object)
    table[:-1] = list(names)
    found: NDArray[np.object_] = table[rows]
    return found


def missing_by_compound(missing: pd.DataFrame, compounds: pd.DataFrame) -> pd.DataFrame:
    """Return for each compound the required classes it lacks or has for a part, joined by ";", and their numbers.

    Parameters
    ----------
    missing
        Result of `missing_table`.
    compounds
        With ``compound_id``; sets the order.

    Returns
    -------
    pandas.DataFrame
        Columns ``missing`` and ``missing_count`` (status ``too_far``), ``partial`` and ``partial_count``, the index of
        ``compounds``.

    Examples
    --------
    >>> rows = [["a", "market", True, "too_far"], ["a", "clinic", True, "partial"], ["b", "gym", False, "too_far"]]
    >>> listed = pd.DataFrame(rows, columns=["compound_id", "facility_class", "required", "status"])
    >>> missing_by_compound(listed, pd.DataFrame({"compound_id": ["a", "b"]})).to_numpy().tolist()
    [['market', 1, 'clinic', 1], ['', 0, '', 0]]
    """
    columns: dict[str, list[Any]] = {}
    for name, status in (("missing", "too_far"), ("partial", "partial")):
        rows = missing[missing["required"].astype(bool) & (missing["status"] == status)]
        by_compound = rows.groupby("compound_id", sort=False)["facility_class"].agg(list)
        classes = [by_compound.get(key, []) for key in compounds["compound_id"]]
        columns[name] = [";".join(keys) for keys in classes]
        columns[f"{name}_count"] = [len(keys) for keys in classes]
    return pd.DataFrame(columns, index=compounds.index)


def gap_rows(
    residents: Residents, rules: Iterable[RuleLike], walks: Mapping[str, Walks], *, crs: CRS
) -> gpd.GeoDataFrame:
    """Return the gaps as points: a row for each demand point with people and each class that it does not reach.

    ``status`` is ``too_far``, or ``unknown`` where the point is off the street network. Classes without data have no
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
        }
        blocks.append(pd.DataFrame(block))
        places.append(rows)
    columns = list(LAYERS["gaps"])
    table = pd.concat(blocks, ignore_index=True) if blocks else pd.DataFrame({name: [] for name in columns})
    xy = residents.xy[np.concatenate(places)] if places else np.zeros((0, 2))
    return gpd.GeoDataFrame(table[columns], geometry=gpd.points_from_xy(xy[:, 0], xy[:, 1]), crs=crs)
