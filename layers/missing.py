"""The missing list 缺什么补什么: for every neighbourhood and class whether it is there, how far, and how large."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from ..gis.coverage import group_sums, middle_and_last, mostly_covered, within
from .blocks import Block, stacked
from .findings import TABLES
from .residents import Residents, RuleLike, Walks, check_lengths

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]

LISTED: tuple[str, ...] = ("people", "elders_60", "households")
"""Who is counted in the missing list: those who live there, and those of them beyond the limit."""


def missing_table(
    residents: Residents, compounds: pd.DataFrame, rules: Iterable[RuleLike], walks: Mapping[str, Walks]
) -> pd.DataFrame:
    """List for every compound and rule whether the class is there, and how far it is: the table planners print first.

    ``status`` is ``present`` (everybody whose walk is known is within the limit), ``partial`` (at least half of them
    are), ``too_small`` (at least half are, but fewer than half of a facility that is not known to be below the rule's
    least size), ``too_far`` (fewer are), ``no_data`` (the source holds nothing of the class) or ``unknown`` (nobody
    lives there, or nobody's walk is known). ``walk`` and the nearest facility are those of the resident in the middle,
    when people are put in order of their walk; ``walk_longest`` is the last one's. So too far means ``walk > limit``
    and present ``walk_longest <= limit``; NaN is where no way leads to any. Walks are in ``unit``. ``people``,
    ``elders_60`` and ``households`` live in the compound; those with ``_lacking`` are beyond the limit, NA where that
    is not known.
    ``none_yet`` tells that the class has data but no facility that exists: all are still to come.
    ``size_known`` is false where fewer than half are within the limit of a facility that is known to be large enough.

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
    rows = stacked(blocks, TABLES["missing"])
    counts = [name for measure in LISTED for name in (measure, f"{measure}_lacking")]
    rows[[*counts, "people_too_small"]] = rows[[*counts, "people_too_small"]].astype("Int64")
    rows["size_known"] = rows["size_known"].astype("boolean")
    by_compound = np.arange(len(rows)).reshape(max(len(blocks), 1), -1).T.ravel()
    return rows.iloc[by_compound].reset_index(drop=True)


def _missing(residents: Residents, compounds: Mapping[str, NDArray[np.object_]], rule: RuleLike, walk: Walks) -> Block:
    """Return the missing list of one rule, a row for each compound."""
    count = len(compounds["compound_id"])
    people = np.asarray(residents.counts["people"], dtype=np.int64)
    hit = within(walk.cost, walk.limit)
    status, size_known, too_small = _status(residents, walk, hit, count)
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
        "size_known": size_known,
        "none_yet": walk.has_data and not len(walk.site_ids),
        "people_too_small": too_small,
        "confidence": rule.confidence,
        "clause": rule.clause,
        **_listed(residents, status, hit, count),
    }


def _status(
    residents: Residents, walk: Walks, hit: Bools, count: int
) -> tuple[NDArray[np.object_], NDArray[np.object_], NDArray[np.object_]]:
    """Return whether each compound has the class, whether that is known to be large enough, whom small ones serve."""
    status = np.full(count, "unknown" if walk.has_data else "no_data", dtype=object)
    size_known, too_small = np.full((2, count), pd.NA, dtype=object)
    if not walk.has_data:
        return status, size_known, too_small
    people = np.asarray(residents.counts["people"], dtype=np.int64)
    most, known = mostly_covered(hit, residents.known, people, residents.compound, count)
    beyond = group_sums((people * (residents.known & ~hit))[:, None], residents.compound, count)[:, 0]
    status[known] = np.where(most, np.where(beyond == 0, "present", "partial"), "too_far")[known]
    if walk.large_cost is None or walk.sure_cost is None:
        return status, size_known, too_small
    large, sure = (hit & within(cost, walk.limit) for cost in (walk.large_cost, walk.sure_cost))
    status[known & most & ~mostly_covered(large, residents.known, people, residents.compound, count)[0]] = "too_small"
    small = group_sums((people * (residents.known & hit & ~large))[:, None], residents.compound, count)[:, 0]
    too_small[known] = small.astype(object)[known]
    told = mostly_covered(sure, residents.known, people, residents.compound, count)[0] | (status == "too_small")
    size_known[known & most] = told[known & most]
    return status, size_known, too_small


def _at(values: NDArray[Any], rows: Ints, otherwise: float) -> NDArray[Any]:
    """Return values by row, another one for -1."""
    found: NDArray[Any] = np.append(values, values.dtype.type(otherwise))[rows]
    return found


def _finite(cost: Floats) -> Floats:
    """Return walks, NaN where there is none."""
    return np.where(np.isfinite(cost), cost, np.nan)


def _listed(residents: Residents, status: NDArray[np.object_], hit: Bools, count: int) -> Block:
    """Count who lives in each compound and who of them is beyond the limit; what nobody knows is NA."""
    beyond = residents.known & ~hit
    unsure = np.isin(status, ("no_data", "unknown"))
    listed: Block = {}
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
        Columns ``missing`` and ``missing_count`` (status ``too_far``), ``partial`` and ``partial_count``, ``too_small``
        and ``too_small_count``, the index of ``compounds``.

    Examples
    --------
    >>> rows = [["a", "market", True, "too_far"], ["a", "clinic", True, "partial"], ["b", "gym", False, "too_far"]]
    >>> listed = pd.DataFrame(rows, columns=["compound_id", "facility_class", "required", "status"])
    >>> missing_by_compound(listed, pd.DataFrame({"compound_id": ["a", "b"]})).to_numpy().tolist()
    [['market', 1, 'clinic', 1, '', 0], ['', 0, '', 0, '', 0]]
    """
    columns: dict[str, list[Any]] = {}
    for name, status in (("missing", "too_far"), ("partial", "partial"), ("too_small", "too_small")):
        rows = missing[missing["required"].astype(bool) & (missing["status"] == status)]
        by_compound = rows.groupby("compound_id", sort=False)["facility_class"].agg(list)
        classes = [by_compound.get(key, []) for key in compounds["compound_id"]]
        columns[name] = [";".join(keys) for keys in classes]
        columns[f"{name}_count"] = [len(keys) for keys in classes]
    return pd.DataFrame(columns, index=compounds.index)
