"""The tables of a file of zoning rules as they may be written: unknown keys and values out of range are refused."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from .rulebook import RowVerdict  # noqa: TC001  read by pydantic

Name: TypeAlias = Annotated[str, Field(min_length=1)]
Positive: TypeAlias = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative: TypeAlias = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]
AtLeastOne: TypeAlias = Annotated[float, Field(ge=1, allow_inf_nan=False)]
Confidence: TypeAlias = Literal["A", "B", "C", "D"]


class _Strict(BaseModel):
    """Refuses keys it does not know: a mistyped key must not be ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class HeadTable(_Strict):
    """``[table]``: what holds for all rows."""

    zh: Name | None = None
    en: Name | None = None
    clause: str | None = None
    clause_en: str | None = None
    confidence: Confidence | None = None
    share_most: Share | None = None
    storey_m: Positive | None = None
    home_storey_m: Positive | None = None
    refused_tenures: list[str] | None = None
    default_group: Name | None = None
    relaxation: Name | None = None


class GroupTable(_Strict):
    """``[group.NAME]``: facility classes that one row may speak of."""

    zh: Name
    en: Name | None = None
    classes: Annotated[list[Name], Field(min_length=1)]


class RowTable(_Strict):
    """``[[row]]``, and a row of a CSV or Excel table."""

    facility: Name
    verdict: RowVerdict
    land_use: Annotated[list[Name], Field(min_length=1)]
    share_most: Share | None = None
    confidence: Confidence | None = None
    clause: str | None = None
    clause_en: str | None = None


class RelaxationTable(_Strict):
    """``[relaxation.NAME]``."""

    zh: Name
    en: Name | None = None
    clause: Name
    clause_en: str | None = None
    confidence: Confidence = "D"
    far_factor: AtLeastOne = 1.0
    density_factor: AtLeastOne = 1.0
    height_factor: AtLeastOne = 1.0
    green_factor: Share = 1.0
    density_most: Annotated[float, Field(gt=0, le=1)] = 1.0


class SmallRemainderTable(_Strict):
    """``[small_remainder]``."""

    housing_m2: NotNegative
    other_m2: NotNegative
    clause: Name
    clause_en: str | None = None
    confidence: Confidence = "D"


class ClauseTable(_Strict):
    """``[conflict.CODE]``."""

    clause: Name
    clause_en: str | None = None
    confidence: Confidence = "D"


class RulesFile(_Strict):
    """A whole file of zoning rules; all of it may be left out but what a city has of its own."""

    table: HeadTable = HeadTable()
    group: dict[str, GroupTable] = {}
    row: list[RowTable] = []
    relaxation: dict[str, RelaxationTable] = {}
    small_remainder: SmallRemainderTable | None = None
    accepts: dict[str, list[str]] = {}
    conflict: dict[str, ClauseTable] = {}
