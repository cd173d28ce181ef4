"""The rules of zoning as data types: what may stand where and by which row, relaxations, clauses of conflicts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import pandas as pd

from .zoning import land_uses, other_code

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .controls import Relaxation, SmallRemainder
    from .zoning import LandUse

Verdict: TypeAlias = Literal["allowed", "share", "rezoning", "forbidden", "unknown"]
"""May stand as it is; may take a share of the floor area; only after rezoning; never; the land's use is not stated."""

RowVerdict: TypeAlias = Literal["allowed", "share", "vacated", "rezoning", "forbidden"]
"""What a row of the rules says; ``vacated`` is a share of a vacated factory or an empty building only."""

JUDGED: tuple[str, ...] = ("verdict", "share", "rule", "confidence", "clause", "clause_en")
"""Columns of `Compatibility.judged`."""


@dataclass(frozen=True, slots=True)
class Row:
    """What the rules say of a group of facility classes on land of one use.

    Parameters
    ----------
    facility
        A facility class, or a group of them.
    verdict
        See `RowVerdict`.
    code
        Land whose code begins so.
    share_most
        Of the floor area, where a share is allowed; NaN elsewhere.
    confidence, clause, clause_en
        How sure the row is and where it stands.
    place
        Row of its file, for messages; 0 of the rules that ship.
    """

    facility: str
    verdict: RowVerdict
    code: str
    share_most: float
    confidence: str
    clause: str
    clause_en: str
    place: int = 0


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether a facility class may stand on land of a use, and by which row.

    Parameters
    ----------
    verdict
        See `Verdict`.
    share
        Most share of the floor area that the class may take: 1 where it is allowed, 0 where it needs rezoning or is
        forbidden, NaN where the use is not known.
    rows
        The rows that decided, one for each use of the land; ``None`` where no row has the use.
    confidence
        Of the least sure of them.
    """

    verdict: Verdict
    share: float
    rows: tuple[Row | None, ...]
    confidence: str


@dataclass(frozen=True, slots=True)
class Clause:
    """Where a rule is written and how sure that is."""

    clause: str
    clause_en: str
    confidence: str


@dataclass(frozen=True, slots=True)
class Compatibility:
    """The rules of zoning: what may stand where, relaxations, small remainders, tenures refused.

    Parameters
    ----------
    zh, en
        What the rules are called.
    rows
        Facility class → the rows that judge it, its own before its group's; "" → those of all other classes.
    group_of
        Facility class → its group.
    default_group
        Of facility classes that no group names.
    stated
        What holds where no row does.
    share_most
        Largest share of a building's floor area that all shared uses together may take.
    storey_m, home_storey_m
        Height of a storey of a public facility, and of housing.
    refused_tenures
        Values of the column ``tenure``.
    relaxations
        Name → relaxation.
    relaxation
        The one that is computed.
    small_remainder
        What is too small to be built alone.
    accepts
        Use group of land → use groups that may stand on it beside its own.
    conflicts
        Code of a conflict → its clause.
    source
        File that replaced rules; None where all are those that ship.
    """

    zh: str
    en: str
    rows: Mapping[str, tuple[Row, ...]]
    group_of: Mapping[str, str]
    default_group: str
    stated: Clause
    share_most: float
    storey_m: float
    home_storey_m: float
    refused_tenures: frozenset[str]
    relaxations: Mapping[str, Relaxation]
    relaxation: Relaxation
    small_remainder: SmallRemainder
    accepts: Mapping[str, frozenset[str]]
    conflicts: Mapping[str, Clause]
    source: str | None = None

    def verdict(self, land_use: object, facility_class: str, *, vacated: bool = False) -> Verdict:
        """Tell whether a facility class may stand on land of a use; `judge` tells by which row.

        Land of mixed use is allowed where all of its uses are, and takes a share where one of them does.

        Parameters
        ----------
        land_use
            A value that `lifecircle.layers.zoning.land_uses` understands; anything else is unknown.
        facility_class
            The product's class.
        vacated
            True for a vacated factory or an empty building, which may be reused.

        Examples
        --------
        >>> from lifecircle.layers.compatibility import load_compatibility
        >>> table = load_compatibility()
        >>> table.verdict("R22", "elderly_day_care"), table.verdict("r2／b1", "food_market")
        ('allowed', 'share')
        >>> table.verdict("M1", "food_market"), table.verdict("M1", "food_market", vacated=True)
        ('rezoning', 'share')
        >>> table.verdict("公园绿地", "elderly_home"), table.verdict(None, "elderly_home")
        ('forbidden', 'unknown')
        """
        return self.judge(land_use, facility_class, vacated=vacated).verdict

    def judge(self, land_use: object, facility_class: str, *, vacated: bool = False) -> Judgement:
        """Tell whether a facility class may stand on land of a use, how much of it, and by which rows.

        Of mixed land the class may take each part by that part's own row: a part where it is allowed wholly, of the
        parts where it shares their share, but of all these together no more than ``share_most``.

        Parameters
        ----------
        land_use, facility_class, vacated
            As of `verdict`.

        Examples
        --------
        >>> from lifecircle.layers.compatibility import load_compatibility
        >>> table = load_compatibility()
        >>> found = table.judge("R2 70%/B1 30%", "food_market")
        >>> found.verdict, round(found.share, 3), [row.code for row in found.rows], found.confidence
        ('share', 0.44, ['R2', 'B1'], 'D')
        >>> table.judge("S4", "food_market").rows, table.judge("070102", "elderly_day_care").share
        ((None,), 0.2)
        """
        uses = [use for use in land_uses(land_use) if use.code] if isinstance(land_use, str) else []
        if not uses:
            return Judgement("unknown", math.nan, (), self.stated.confidence)
        rows = tuple(self._row(use, facility_class, vacated=vacated) for use in uses)
        verdicts = {_said(row) for row in rows}
        whole = sum(use.share for use in uses)
        parts = [(use.share / whole, row) for use, row in zip(uses, rows, strict=True)]
        alone = sum(part for part, row in parts if _said(row) == "allowed")
        shared = sum(part * row.share_most for part, row in parts if row is not None and _said(row) == "share")
        verdict: Verdict = (
            next(iter(verdicts)) if len(verdicts) == 1 else "share" if verdicts & {"allowed", "share"} else "rezoning"
        )
        confidence = max(self.stated.confidence if row is None else row.confidence for row in rows)
        return Judgement(
            verdict, 1.0 if verdict == "allowed" else alone + min(shared, self.share_most), rows, confidence
        )

    def judged(
        self, land_use: Sequence[object], facility_class: str, *, vacated: Sequence[bool] | None = None
    ) -> pd.DataFrame:
        """Judge many places for one class, each distinct use once.

        Returns
        -------
        DataFrame
            `JUDGED`; ``rule`` is the code of the row that decided: ";" between those of mixed land, missing where no
            row has the use.

        Examples
        --------
        >>> from lifecircle.layers.compatibility import load_compatibility
        >>> load_compatibility().judged(["R2", "A6", None], "elderly_home")[["verdict", "share", "rule", "confidence"]]
           verdict  share rule confidence
        0    share    0.2   R2          D
        1  allowed    1.0   A6          A
        2  unknown    NaN  NaN          D
        """
        gone = [False] * len(land_use) if vacated is None else [bool(value) for value in vacated]
        pairs = [(use if isinstance(use, str) else None, away) for use, away in zip(land_use, gone, strict=True)]
        known = {
            pair: self._told(self.judge(pair[0], facility_class, vacated=pair[1])) for pair in dict.fromkeys(pairs)
        }
        table = pd.DataFrame([known[pair] for pair in pairs], columns=list(JUDGED))
        return table.astype({name: "str" for name in JUDGED if name != "share"} | {"share": np.float64})

    def _told(self, judgement: Judgement) -> tuple[str, float, str | None, str, str, str]:
        """Return a judgement as a row of `judged`."""
        found = list(dict.fromkeys(row for row in judgement.rows if row is not None))
        said: list[Row | Clause] = [*found]
        said += [self.stated] if len(found) < len(judgement.rows) or not found else []
        rules = ";".join(dict.fromkeys(row.code for row in found)) or None
        clauses = [(one.clause, one.clause_en) for one in said]
        zh, en = ("; ".join(dict.fromkeys(pair[side] for pair in clauses if pair[side])) for side in (0, 1))
        return judgement.verdict, judgement.share, rules, judgement.confidence, zh, en

    def _row(self, use: LandUse, facility_class: str, *, vacated: bool) -> Row | None:
        """Return the row that decides on one use: the longest code; a class's own row before its group's."""
        listed = self.rows.get(facility_class, self.rows[""])
        codes = [use.code]
        if use.system is not None and (other := other_code(use.code, use.system)) is not None:
            codes.append(other)
        for code in codes:
            fitting = [row for row in listed if code.startswith(row.code) and (vacated or row.verdict != "vacated")]
            if fitting:
                return max(fitting, key=lambda row: len(row.code))  # the first of equals: the class's own
        return None


def _said(row: Row | None) -> Verdict:
    """Return the verdict of a row, that of no row."""
    if row is None:
        return "rezoning"
    return "share" if row.verdict == "vacated" else row.verdict
