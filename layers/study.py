"""Study: one place's checked layers in one metric CRS, with what was read, from where, and what was assumed."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import geopandas as gpd
    from pyproj import CRS

    from ..gis.errors import Fault
    from .local import Local
    from .settings import StudySettings

REPAIRS: tuple[str, ...] = ("layer", "file", "feature", "what", "area_before_m2", "area_after_m2")
"""Columns of the repair log: a row for each change that was made to a geometry."""


def no_repairs() -> pd.DataFrame:
    """Return an empty repair log.

    Examples
    --------
    >>> no_repairs().shape
    (0, 6)
    """
    return pd.DataFrame({name: pd.Series(dtype="float64" if name.endswith("_m2") else "str") for name in REPAIRS})


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence for the reader of the findings, as data: a key of the text catalogue and its parameters.

    Used for what was assumed, mended or left out; the report repeats each note in its own language.
    """

    code: str
    detail: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Source:
    """Where a layer came from: file, hash, rows read and kept, datum, maker and licence."""

    layer: str
    file: str
    sha256: str
    rows_in: int
    rows_kept: int
    datum: str
    maker: str | None = None
    licence: str | None = None


@dataclass(frozen=True, slots=True)
class Study:
    """One place, ready to compute on.

    Parameters
    ----------
    settings
        The study.toml as read.
    folder
        Where study.toml lies; relative paths of it start there.
    crs
        The metric CRS that every layer is in.
    area
        One row: the study area.
    layers
        Checked tables by name of `lifecircle.layers.contracts.CONTRACTS`, index 0…n-1. A layer that was not given is
        absent, which is not the same as empty.
    rasters
        ``dem`` and, when people come as a raster, ``population``: paths, with the CRS in the file.
    osm
        OSM extracts that the streets layer names, if it does; then ``layers`` has no ``streets``.
    sources
        One for each file read.
    notes
        What was assumed or mended.
    warnings
        Faults that do not block.
    local
        The local coordinate systems that study.toml names.
    repairs
        What was changed of geometries, a row each: columns of `REPAIRS`.
    """

    settings: StudySettings
    folder: Path
    crs: CRS
    area: gpd.GeoDataFrame
    layers: Mapping[str, gpd.GeoDataFrame]
    rasters: Mapping[str, Path]
    osm: tuple[Path, ...]
    sources: tuple[Source, ...]
    notes: tuple[Note, ...] = ()
    warnings: tuple[Fault, ...] = ()
    repairs: pd.DataFrame = field(default_factory=no_repairs, compare=False)
    local: Mapping[str, Local] = field(default_factory=lambda: MappingProxyType({}))
