"""Metres on the ground: lengths, positions and the straight walk to the street do not depend on the projection."""

from __future__ import annotations

import numpy as np
import pyproj
import pytest
import shapely
from pyproj import CRS

from lifecircle.gis.network import network_from_lines
from lifecircle.gis.reach import nearest
from lifecircle.gis.scale import ground_scale
from lifecircle.gis.snap import snap

PLACE = (114.9, 30.6)
"""Near the rim of the zone of 114° and far from the middle of UTM's."""


@pytest.mark.parametrize("epsg", [4547, 32650, 32649])
def test_walks_are_as_long_in_every_projection(epsg: int) -> None:
    geod = pyproj.Geod(ellps="WGS84")
    to_plane = pyproj.Transformer.from_crs(4326, epsg, always_xy=True)
    east = [geod.fwd(*PLACE, 90, metres)[:2] for metres in (0, 2_000)]
    beside = geod.fwd(*geod.fwd(*PLACE, 90, 500)[:2], 0, 150)[:2]
    crs = CRS.from_epsg(epsg)
    line = shapely.LineString([to_plane.transform(*place) for place in east])
    street = network_from_lines([line], crs=crs, highway=["footway"], scale=ground_scale(crs))
    assert street.edge_length_m[0] == pytest.approx(2_000, abs=0.05)
    site = snap(street, np.array([to_plane.transform(*east[1])]))
    home = snap(street, np.array([to_plane.transform(*beside)]))
    assert home.access_m[0] == pytest.approx(150, abs=0.05)
    found = nearest(street, sites=site.positions, demand=home.positions, limit=5_000)
    assert found.cost[0] == pytest.approx(1_650, abs=0.2)
    at = street.positions_xy(home.positions.edge, home.positions.offset_m)
    assert np.hypot(*(at - np.array([to_plane.transform(*geod.fwd(*PLACE, 90, 500)[:2])])).T)[0] < 0.2


def test_the_limit_of_the_straight_walk_is_on_the_ground() -> None:
    geod = pyproj.Geod(ellps="WGS84")
    middle = (117.0, 30.6)
    crs = CRS.from_epsg(32650)
    to_plane = pyproj.Transformer.from_crs(4326, crs, always_xy=True)
    ends = [to_plane.transform(*geod.fwd(*middle, bearing, 900)[:2]) for bearing in (270, 90)]
    street = network_from_lines([shapely.LineString(ends)], crs=crs, highway=["path"], scale=ground_scale(crs))
    near, far = (to_plane.transform(*geod.fwd(*middle, 0, metres)[:2]) for metres in (199.9, 200.04))
    assert np.hypot(*(np.array(far) - shapely.get_coordinates(street.edge_lines()[0]).mean(axis=0))) < 200.0
    assert snap(street, np.array([near, far])).status.tolist() == ["on_street", "far_from_street"]


def test_local_systems_have_no_known_scale_and_the_ends_of_the_map_none() -> None:
    assert ground_scale(CRS.from_epsg(4326)) is None
    scale = ground_scale(CRS.from_epsg(32650))
    assert scale is not None
    assert scale(np.array([[500_000.0, 3_000_000.0], [1e12, 1e12]])).round(4).tolist() == [0.9996, 1.0]
    assert scale(np.zeros((0, 2))).size == 0
