"""The tables of a standard file as they may be written: unknown keys and values out of range are refused."""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from .model import Circle, Confidence, Group, Land, Measure, Metric, Per  # noqa: TC001  read by pydantic

CircleKey: TypeAlias = Literal["15", "10", "5", "block"]
CIRCLE_KEYS: dict[CircleKey, Circle] = {"15": 15, "10": 10, "5": 5, "block": 0}
"""How circles are written in a file, from wide to narrow."""


def _rising(bounds: list[float]) -> list[float]:
    """Refuse a range whose end lies below its start."""
    if len(bounds) == 2 and bounds[0] > bounds[1]:
        message = f"{bounds[0]:g} > {bounds[1]:g}"
        raise ValueError(message)
    return bounds


Positive: TypeAlias = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Range: TypeAlias = Annotated[list[Positive], Field(min_length=1, max_length=2), AfterValidator(_rising)]
Name: TypeAlias = Annotated[str, Field(min_length=1)]


class _Strict(BaseModel):
    """Refuses keys it does not know: a mistyped key must not be ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Head(_Strict):
    """``[standard]``."""

    key: Name
    zh: str
    en: str
    edition: str
    clause: str
    clause_en: str | None = None
    source_zh: str = ""
    source_en: str = ""
    extends: str | None = None
    keep: list[str] | None = None
    drop: list[str] = []


class FigureTable(_Strict):
    """``[[rule.CLASS.figure]]`` and ``[[circle.N.figure]]``."""

    metric: Metric
    per: Per
    category: str = ""
    least: Positive | None = None
    most: Positive | None = None
    better: Positive | None = None
    clause: str | None = None
    clause_en: str | None = None
    confidence: Confidence = "D"
    classes: list[str] = []
    source: str = ""
    note_zh: str = ""
    note_en: str = ""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        """Refuse a figure without a value, and one whose end lies below its start."""
        if self.least is None and self.most is None:
            message = "least or most"
            raise ValueError(message)
        if self.least is not None and self.most is not None:
            _rising([self.least, self.most])
        return self


class RuleTable(_Strict):
    """``[rule.CLASS]``; of an inheriting standard only what it changes."""

    zh: Name | None = None
    en: Name | None = None
    short_zh: Name | None = None
    short_en: Name | None = None
    circle: Circle | None = None
    also_circles: list[Circle] | None = None
    optional_circles: list[Circle] | None = None
    limit_m: Positive | None = None
    limit_minutes: Positive | None = None
    measured: bool | None = None
    confidence: Confidence | None = None
    required: bool | None = None
    group: Group | None = None
    sited: bool | None = None
    met_by: list[Name] | None = None
    building_m2: Range | None = None
    land_m2: Range | None = None
    confidence_areas: Confidence | None = None
    land: Land | None = None
    served_people: Range | None = None
    clause: str | None = None
    clause_en: str | None = None
    source: str | None = None
    note_zh: str | None = None
    note_en: str | None = None
    figure: list[FigureTable] | None = None
    drop_figures: list[str] = []
    unset: list[str] = []


class CircleTable(_Strict):
    """``[circle.15]``, ``[circle.10]``, ``[circle.5]``, ``[circle.block]``."""

    zh: Name | None = None
    en: Name | None = None
    walk_m: Range | None = None
    confidence_walk: Confidence | None = None
    people: Range | None = None
    dwellings: Range | None = None
    confidence: Confidence | None = None
    land_ha: Range | None = None
    confidence_land: Confidence | None = None
    bounded_by_zh: str | None = None
    bounded_by_en: str | None = None
    clause: str | None = None
    clause_en: str | None = None
    source: str | None = None
    figure: list[FigureTable] | None = None
    drop_figures: list[str] = []


class IndicatorTable(_Strict):
    """``[indicator.KEY]``."""

    zh: Name | None = None
    en: Name | None = None
    measure: Measure | None = None
    rules: list[str] | None = None
    meets: str | None = None
    meets_rules: list[str] | None = None
    formula_zh: str | None = None
    formula_en: str | None = None
    target: Annotated[float, Field(gt=0, le=1)] | None = None
    clause: str | None = None
    clause_en: str | None = None
    confidence: Confidence | None = None
    source: str | None = None


class StandardFile(_Strict):
    """A whole standard file."""

    standard: Head
    rule: dict[Name, RuleTable] = {}
    circle: dict[CircleKey, CircleTable] = {}
    indicator: dict[Name, IndicatorTable] = {}
