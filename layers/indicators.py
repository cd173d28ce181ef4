"""Indicators that standards report, each by its own definition: residential land, neighbourhoods or people reached."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from ..gis.coverage import Tally, mostly_covered, rates, tally
from .blocks import Block, stacked
from .findings import TABLES
from .provision import kinds_by_place
from .standards import load_standard

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from .indicator_reach import Reached, Reaches
    from .residents import Groups, Residents
    from .standards import Indicator, Rule, Standard
    from .study import Study

    Bools: TypeAlias = NDArray[np.bool_]
    Ints: TypeAlias = NDArray[np.int64]

COUNTS = ("total", "covered", "uncovered", "unknown", "numerator", "denominator")
OF_HOMES = ("compounds", "count")
"""Measures that count neighbourhoods."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One indicator, and the rules whose reach it counts.

    Parameters
    ----------
    standard, indicator
        Whose it is, and what it says.
    rules
        The rules; none where nothing that a study holds tells of it.
    every
        Whether all of the rules must be met, and not just any.
    """

    standard: Standard
    indicator: Indicator
    rules: tuple[Rule, ...]
    every: bool

    @property
    def classes(self) -> frozenset[str]:
        """Facility classes that count for it."""
        return frozenset(name for rule in self.rules for name in rule.classes)

    @property
    def basis(self) -> str:
        """How it is measured: ``meets``, ``radius`` or ``walk``; empty where it is not."""
        if not self.rules:
            return ""
        if self.every:
            return "meets"
        return "walk" if all(rule.measured for rule in self.rules) else "radius"


def asked_of(standard: Standard) -> list[Asked]:
    """Return the indicators of a standard with the rules that they count.

    Examples
    --------
    >>> [len(one.rules) for one in asked_of(load_standard("mohurd-checkup"))]
    [2, 1, 1, 11, 3, 1, 0, 1]
    """
    return [_asked(standard, one) for one in standard.indicators]


def _asked(standard: Standard, indicator: Indicator) -> Asked:
    if not indicator.meets:
        return Asked(standard, indicator, tuple(standard.rule(key) for key in indicator.rules), every=False)
    met = load_standard(indicator.meets)
    rules = tuple(met.rule(key) for key in indicator.meets_rules)
    return Asked(standard, indicator, rules or tuple(rule for rule in met.rules if rule.required), every=True)


def indicators_of(study: Study, own: Standard) -> tuple[Asked, ...]:
    """Return the indicators of the study's own standard, then of those that ``[study] indicators`` names; each once."""
    standards = [own]
    for named in study.settings.study.indicators:
        where: str | Path = study.folder / named if named.endswith(".toml") else named
        standards.append(load_standard(where))
    once = {standard.key: standard for standard in reversed(standards)}
    return tuple(one for standard in reversed(once.values()) for one in asked_of(standard))


def indicator_table(
    asked: Iterable[Asked], reaches: Reaches, residents: Residents, groups: Sequence[Groups]
) -> pd.DataFrame:
    """Return the value of each indicator for the city and every borough, ring, sub-district and zone.

    An indicator with rules counts who is within the limit of any of them: by the walk of the study's walker where the
    rule measures a walk, else by straight line from the facility's ground. One that neighbourhoods must *meet* counts
    those at least half of whose people have each class within the limit, in a facility not known to be too small. In
    every row ``covered + uncovered + unknown = total``, in whole numbers, and ``value = covered ÷ (covered +
    uncovered)``, a sum divided by a sum; an indicator that is a number counts the neighbourhoods that fail.

    ``status`` is ``met`` or ``not_met`` where no unknown could turn it, ``unknown`` where it could or nothing is there,
    ``no_target``, or ``no_data`` where the source holds nothing of a class that would decide, or the study nothing of
    what it counts: then there is no value.

    Parameters
    ----------
    asked
        As `indicators_of` returns them.
    reaches
        Who is within the limit of a rule.
    residents
        Homes and residential land.
    groups
        Kinds of group; those of `lifecircle.layers.provision.BY_PLACE` are counted.

    Returns
    -------
    pandas.DataFrame
        Columns of ``TABLES["indicators"]``.

    Examples
    --------
    See ``tests/layers/test_indicators.py``.
    """
    kinds = kinds_by_place(groups)
    blocks: list[Block] = []
    for one in asked:
        reached = [reaches.of(rule, sized=one.every) for rule in one.rules]
        hit, known, weight = _rows(one, reached, residents, len(kinds[0].of_compound) if kinds else 0)
        blocks += [_block(one, reached, kind, _tally(one, hit, known, weight, kind)) for kind in kinds]
    table = stacked(blocks, TABLES["indicators"])
    return table.assign(**{name: _whole(table[name]) for name in COUNTS})


def either(hits: Sequence[Bools], known: Sequence[Bools]) -> tuple[Bools, Bools]:
    """Return who reaches any of several things, and of whom that is known: one that is reached, or none of all.

    Examples
    --------
    >>> yes, no = np.array([True]), np.array([False])
    >>> either([yes, no], [yes, no]), either([no, no], [yes, no])
    ((array([ True]), array([ True])), (array([False]), array([False])))
    """
    hit = np.any([one & sure for one, sure in zip(hits, known, strict=True)], axis=0)
    return hit, hit | np.all(known, axis=0)


def each(hits: Sequence[Bools], known: Sequence[Bools]) -> tuple[Bools, Bools]:
    """Return who reaches all of several things, and of whom that is known: all that are reached, or one that is not.

    Examples
    --------
    >>> yes, no = np.array([True]), np.array([False])
    >>> each([yes, no], [yes, no]), each([no, no], [yes, no])
    ((array([False]), array([False])), (array([False]), array([ True])))
    """
    fails, known_of = either([~one for one in hits], known)
    return ~fails & known_of, known_of


def _rows(
    asked: Asked, reached: Sequence[Reached], residents: Residents, homes: int
) -> tuple[Bools, Bools, Ints | None]:
    """Return who (or which neighbourhood) is covered, of whom that is known, and how many each row counts for."""
    measure = asked.indicator.measure
    people = np.asarray(residents.counts["people"], dtype=np.int64)
    if not reached:
        return np.zeros(0, dtype=np.bool_), np.zeros(0, dtype=np.bool_), None
    hits, known = [one.hit for one in reached], [one.known for one in reached]
    if measure not in OF_HOMES:
        weight = residents.counts.get(measure)
        return *either(hits, known), None if weight is None else np.asarray(weight, dtype=np.int64)
    one_each = np.ones(homes, dtype=np.int64)
    if not asked.every:
        covered, sure = either(hits, known)
        return *mostly_covered(covered, sure, people, residents.compound, homes), one_each
    mostly = [
        mostly_covered(hit, sure, people, residents.compound, homes) for hit, sure in zip(hits, known, strict=True)
    ]
    return *each([covered for covered, _ in mostly], [sure for _, sure in mostly]), one_each


def _tally(asked: Asked, hit: Bools, known: Bools, weight: Ints | None, groups: Groups) -> Tally | None:
    """Count one indicator by group; nothing where the study does not know what it counts."""
    if weight is None:
        return None
    of_group = groups.of_compound if asked.indicator.measure in OF_HOMES else groups.of_demand
    return tally(hit, known, weight[:, None], of_group, len(groups.ids))


def _block(asked: Asked, reached: Sequence[Reached], groups: Groups, counted: Tally | None) -> Block:
    """Return the rows of one indicator for one kind of group."""
    standard, one = asked.standard, asked.indicator
    limits = {(reach.limit, reach.unit) for reach in reached}
    limit, unit = limits.pop() if len(limits) == 1 else (np.nan, reached[0].unit if reached else "")
    return {
        "standard": standard.key,
        "standard_name": standard.zh,
        "standard_name_en": standard.en,
        "indicator": one.key,
        "name": one.zh,
        "name_en": one.en,
        "group_kind": groups.kind,
        "group_id": np.asarray(groups.ids, dtype=object),
        "group_name": np.asarray(groups.names, dtype=object),
        "measure": one.measure,
        "basis": asked.basis,
        "limit": float(limit),
        "unit": unit,
        "facilities": len(np.unique(np.concatenate([reach.facilities for reach in reached]))) if reached else 0,
        "target": np.nan if one.target is None else one.target,
        "confidence": one.confidence,
        "formula": one.formula_zh,
        "formula_en": one.formula_en,
        "clause": one.clause,
        "clause_en": one.clause_en,
        **_values(one, counted, len(groups.ids), has_data=all(reach.has_data for reach in reached)),
    }


def _values(indicator: Indicator, counted: Tally | None, count: int, *, has_data: bool) -> Block:
    """Return counts, value and verdict of one indicator by group."""
    if counted is None:
        nothing = np.full(count, np.nan)
        return {**dict.fromkeys((*COUNTS, "value"), nothing), "status": "no_data"}
    columns = (counted.total, counted.covered, counted.uncovered, counted.unknown)
    total, covered, uncovered, unknown = (column[:, 0] for column in columns)
    sure = covered + uncovered
    number = indicator.measure == "count"
    numerator = uncovered if number else covered
    value = np.where(sure > 0, uncovered, np.nan) if number else rates(covered, sure)
    # A class without data leaves a share open only where somebody's answer hangs on it.
    silent = ~np.full(count, has_data) & ((unknown > 0) | (sure == 0))
    return {
        "total": total,
        "covered": covered,
        "uncovered": uncovered,
        "unknown": unknown,
        "numerator": numerator,
        "denominator": np.full(count, np.nan) if number else sure,
        "value": np.where(silent, np.nan, value),
        "status": np.where(silent, "no_data", verdicts(indicator.target, counted)).astype(object),
    }


def verdicts(target: float | None, counted: Tally) -> NDArray[np.object_]:
    """Return by group whether a target is met, exactly: no unknown may be able to turn the answer.

    Parameters
    ----------
    target
        Share of the total from 0 to 1; ``None`` where there is none.
    counted
        Counts of one measure by group.

    Returns
    -------
    numpy.ndarray of str
        ``met``, ``not_met``, ``no_target``, ``unknown``.

    Examples
    --------
    >>> counts = [np.array([[10], [10], [10], [0]]), np.array([[8], [7], [5], [0]]), np.array([[2], [2], [5], [0]])]
    >>> verdicts(0.8, Tally(*counts, counts[0] - counts[1] - counts[2])).tolist()
    ['met', 'unknown', 'not_met', 'unknown']
    """
    total, covered, uncovered = (column[:, 0] for column in (counted.total, counted.covered, counted.uncovered))
    found = np.full(len(total), "no_target", dtype=object)
    if target is not None:
        share = Fraction(str(target))
        most = [share.numerator * whole for whole in total.tolist()]  # Python's integers have no end
        met = [share.denominator * part >= least for part, least in zip(covered.tolist(), most, strict=True)]
        lost = [
            share.denominator * (whole - part) < least
            for whole, part, least in zip(total.tolist(), uncovered.tolist(), most, strict=True)
        ]
        found[:] = "unknown"
        found[met] = "met"
        found[lost] = "not_met"
    found[covered + uncovered == 0] = "unknown"
    return found


def _whole(column: pd.Series[float]) -> pd.Series[int]:
    """Return counts as whole numbers, NA where there are none."""
    values = column.astype(np.float64)  # exact: sums are below 2**53
    return values.fillna(0).astype("Int64").where(values.notna())


__all__ = ["Asked", "asked_of", "each", "either", "indicator_table", "indicators_of", "verdicts"]
