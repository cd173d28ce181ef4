"""Surfaces hold the walks that people are counted by, and come back from their files as they went in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from pyproj import CRS
from shapely import LineString

from lifecircle.gis.errors import OutputError
from lifecircle.gis.network import WalkNetwork, network_from_lines
from lifecircle.gis.reach import nearest, walking_costs
from lifecircle.gis.snap import snap
from lifecircle.gis.surface import grid_of, surface
from lifecircle.gis.walkers import WALKERS
from lifecircle.layers.surfaces import write_bands, write_surface, write_surfaces
from lifecircle.layers.walks import Walk

if TYPE_CHECKING:
    from pathlib import Path

LIMITS = {5: 300.0, 10: 600.0, 15: 900.0}


def town() -> WalkNetwork:
    lines = [LineString([(s, 0), (s, 800)]) for s in range(0, 801, 160)]
    lines += [LineString([(0, s), (800, s)]) for s in range(0, 801, 160)]
    return network_from_lines(lines, crs=CRS("EPSG:4547"), highway=["residential"] * len(lines))


@pytest.mark.parametrize("walker", ["standard", "elderly"])
def test_cells_are_walked_from_as_people_are(walker: str) -> None:
    network, who = town(), WALKERS[walker]
    sites = snap(network, np.array([[10.0, 10.0], [700.0, 333.0]])).positions
    found = surface(network, grid=grid_of(network, cell_m=30), sites=sites, limit=900, walker=who)
    rows, columns = found.cost.shape
    row, column = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
    xy = np.column_stack([found.west + (column.ravel() + 0.5) * 30, found.north - (row.ravel() + 0.5) * 30])
    asked = snap(network, xy, limit_m=25).positions
    expected = nearest(network, sites=sites, demand=asked, limit=900, walker=who).cost
    got = found.cost.ravel().astype(float)
    np.testing.assert_allclose(got[np.isfinite(expected)], expected[np.isfinite(expected)], rtol=1e-6)
    assert np.isnan(got[np.isinf(expected)]).all()
    away = shapely.distance(shapely.union_all(network.edge_lines()), shapely.points(xy)) > 25 + 1e-9
    assert np.isnan(got[away]).all()


def test_bands_are_nested_and_exact() -> None:
    network = town()
    sites = snap(network, np.array([[400.0, 400.0]])).positions
    found = surface(network, grid=grid_of(network), sites=sites, limit=900)
    bands = found.bands([*LIMITS.values()])
    for place, limit in enumerate(LIMITS.values(), start=1):
        np.testing.assert_array_equal((bands > 0) & (bands <= place), found.cost <= limit)


def test_files_come_back_as_they_went_in(tmp_path: Path) -> None:
    network = town()
    sites = snap(network, np.array([[400.0, 330.0]])).positions
    found = surface(network, grid=grid_of(network), sites=sites, limit=900, walker=WALKERS["elderly"])
    with rasterio.open(write_surface(found, tmp_path / "minutes.tif")) as raster:
        np.testing.assert_allclose(raster.read(1) * 60, found.cost, rtol=1e-6)
        assert np.isnan(raster.nodata)
        assert raster.crs.to_epsg() == 4547
        assert (raster.bounds.left, raster.bounds.top, raster.res) == (found.west, found.north, (20.0, 20.0))
        assert raster.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert raster.tags(1)["unit"] == "min"
        row, column = raster.index(401.0, 321.0)
        assert raster.read(1)[row, column] == pytest.approx((10 + 10 + 10) / 0.8 / 60)
    with rasterio.open(write_bands(found, tmp_path / "bands.tif", LIMITS)) as raster:
        cells = raster.read(1)
        assert raster.nodata == 0
        assert set(np.unique(cells)) == {0, 5, 10, 15}
        np.testing.assert_array_equal((cells == 5), found.cost <= 300)
        assert set(raster.colormap(1)) >= {5, 10, 15}


def test_no_sites_is_an_empty_surface_and_a_place_that_is_no_folder_an_error(tmp_path: Path) -> None:
    network = town()
    none = snap(network, np.zeros((0, 2))).positions
    found = surface(network, grid=grid_of(network), sites=none, limit=900)
    assert np.isnan(found.cost).all()
    assert not found.bands([300]).any()
    (tmp_path / "file").touch()
    with pytest.raises(OutputError):
        write_surface(found, tmp_path / "file" / "a.tif")


def test_every_class_that_exists_has_its_surface_and_bands(tmp_path: Path) -> None:
    network = town()
    frame = gpd.GeoDataFrame(
        {"facility_class": ["clinic", "school", "market"], "status": ["existing", "existing", "planned"]},
        geometry=gpd.points_from_xy([0.0, 800.0, 400.0], [0.0, 800.0, 400.0]),
        crs=network.crs,
    )
    walk = Walk(network, WALKERS["standard"], 200.0, walking_costs(network).usable)
    positions = walk.place(frame.geometry, arriving=True).positions
    written = write_surfaces(walk, (frame, positions), tmp_path / "out", bounds=(0, 0, 800, 800))
    assert [path.name for path in written] == [
        "walk-clinic.tif",
        "bands-clinic.tif",
        "walk-school.tif",
        "bands-school.tif",
    ]
    with rasterio.open(written[0]) as clinic, rasterio.open(written[2]) as school:
        assert clinic.shape == school.shape == (40, 40)
        assert np.unravel_index(np.nanargmin(clinic.read(1)), clinic.shape) == (39, 0)
        assert np.unravel_index(np.nanargmin(school.read(1)), school.shape) == (0, 39)
