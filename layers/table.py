"""Column contracts: what a layer's table must hold, and a check that reports every fault of it at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

import pandas as pd

from ..gis.errors import Fault

if TYPE_CHECKING:
    import geopandas as gpd

Kind: TypeAlias = Literal["id", "text", "int", "float", "bool", "choice"]
Shape: TypeAlias = Literal["Point", "LineString", "Polygon"]

SHOWN_PER_COLUMN = 5
"""How many rows of one column with one fault are listed before the rest is counted."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a layer: its name, kind, limits, and the names it goes by in planners' files.

    Parameters
    ----------
    name
        The product's name, unit included.
    kind
        ``id`` (text, unique, present), ``text``, ``int``, ``float``, ``bool`` or ``choice``.
    required
        Whether a layer without the column is refused.
    least
        Smallest value allowed for numbers.
    choices
        For ``choice``: the product's value → the names it goes by in files.
    also
        Names the column goes by in files, Chinese and English; the first is the usual Chinese one.
    """

    name: str
    kind: Kind
    required: bool = False
    least: float | None = None
    choices: dict[str, tuple[str, ...]] = field(default_factory=dict)
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Contract:
    """What a layer must be: its geometry and its columns.

    Parameters
    ----------
    layer
        Its key in study.toml.
    shapes
        Geometry kinds accepted (multi-part ones count as their single kind); empty for tables without geometry.
    columns
        The columns the product reads; others travel along untouched.
    """

    layer: str
    shapes: tuple[Shape, ...]
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column:
        """Return the column of that name; `KeyError` when the contract has none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)
