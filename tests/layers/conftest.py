"""Studies made by hand for the tests of layers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import geopandas as gpd
import pytest
import shapely
from pyproj import CRS

from lifecircle.layers.settings import StudySettings
from lifecircle.layers.study import Study

if TYPE_CHECKING:
    from collections.abc import Mapping

CRS_M = CRS.from_epsg(4548)


class MakeStudy(Protocol):
    """Signature of the fixture ``make_study``."""

    def __call__(
        self,
        layers: Mapping[str, gpd.GeoDataFrame] | None = None,
        *,
        side_m: float = 4000.0,
        settings: Mapping[str, Any] | None = None,
        rasters: Mapping[str, Path] | None = None,
    ) -> Study:
        """Return a study of a square with its corner at the origin."""


@pytest.fixture(scope="session")
def make_study() -> MakeStudy:
    """Make a study of a square from frames; nothing is read from disk."""

    def make(
        layers: Mapping[str, gpd.GeoDataFrame] | None = None,
        *,
        side_m: float = 4000.0,
        settings: Mapping[str, Any] | None = None,
        rasters: Mapping[str, Path] | None = None,
    ) -> Study:
        stated = {"study": {"name": "试"}, "layers": {}, **(settings or {})}
        area = gpd.GeoDataFrame({"name": ["试"]}, geometry=[shapely.box(0, 0, side_m, side_m)], crs=CRS_M)
        return Study(
            settings=StudySettings.model_validate(stated),
            folder=Path(),
            crs=CRS_M,
            area=area,
            layers=dict(layers or {}),
            rasters=dict(rasters or {}),
            osm=(),
            sources=(),
        )

    return make
