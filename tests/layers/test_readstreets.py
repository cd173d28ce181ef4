"""Streets read without a study are those that a study gets; faults come all together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pytest
import shapely

from lifecircle.gis.errors import InputError, LifecircleError
from lifecircle.layers.load import load_study
from lifecircle.layers.readstreets import read_streets
from lifecircle.layers.streets import network_of

if TYPE_CHECKING:
    from pathlib import Path

BLOCK = [shapely.LineString([(500_000 + 100 * i, 4_050_000), (500_000 + 100 * i, 4_050_400)]) for i in range(4)]
CROSS = [shapely.LineString([(500_000, 4_050_000 + 100 * j), (500_300, 4_050_000 + 100 * j)]) for j in range(5)]


def write_streets(folder: Path) -> Path:
    path = folder / "streets.gpkg"
    lines = [*BLOCK, *CROSS]
    gpd.GeoDataFrame({"highway": ["footway"] * len(lines)}, geometry=lines, crs="EPSG:4548").to_file(path)
    return path


def test_the_same_network_as_in_a_study(tmp_path: Path) -> None:
    path = write_streets(tmp_path)
    toml = '[study]\nname = "a"\ncrs = "EPSG:4548"\n[layers.streets]\npath = "streets.gpkg"\n'
    (tmp_path / "study.toml").write_text(toml, encoding="utf-8")
    alone, within = read_streets(path, crs="EPSG:4548").network, network_of(load_study(tmp_path)).network
    assert alone.edge_length_m.sum() == within.edge_length_m.sum() == 4 * 400 + 5 * 300
    np.testing.assert_array_equal(alone.coords, within.coords)


def test_walls_and_gates_count(tmp_path: Path) -> None:
    path = write_streets(tmp_path)
    wall = shapely.box(500_050, 4_050_050, 500_250, 4_050_250)
    compounds = gpd.GeoDataFrame({"compound_id": ["a"], "walled": [True]}, geometry=[wall], crs="EPSG:4548")
    gates = gpd.GeoDataFrame({"open": [True]}, geometry=[shapely.Point(500_100, 4_050_050)], crs="EPSG:4548")
    compounds.to_file(tmp_path / "compounds.gpkg")
    gates.to_file(tmp_path / "gates.gpkg")
    beside: dict = {"compounds": tmp_path / "compounds.gpkg", "gates": tmp_path / "gates.gpkg"}
    gated = read_streets(path, crs="EPSG:4548", gates="gated", beside=beside).network
    free = read_streets(path, crs="EPSG:4548", gates="open", beside=beside).network
    assert gated.walls.policy == "gated"
    assert (gated.edge_zone >= 0).any()
    assert gated.node_xy.shape[0] > free.node_xy.shape[0]  # cut at the wall but for its gate


def test_faults_are_told(tmp_path: Path) -> None:
    with pytest.raises(LifecircleError, match=r"nowhere\.gpkg"):
        read_streets(tmp_path / "nowhere.gpkg")
    bare = tmp_path / "bare.csv"
    bare.write_text('wkt,highway\n"LINESTRING (117 36.6, 117.01 36.61)",footway\n', encoding="utf-8")
    with pytest.raises(InputError, match="bare"):
        read_streets(bare, datum="EPSG:4548")
