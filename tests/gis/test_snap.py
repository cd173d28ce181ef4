"""Points come to the nearest legal position, in the main component where they can, and say why when not."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS
from shapely import LineString

from lifecircle.gis.errors import InputError
from lifecircle.gis.network import network_from_lines
from lifecircle.gis.snap import snap

LINES = [
    LineString([(0, 0), (50, 10), (300, 0)]),
    LineString([(300, 0), (300, 200)]),
    LineString([(120, 100), (180, 100)]),  # an island
]
NETWORK = network_from_lines(LINES, crs=CRS("EPSG:4547"), highway=["residential", "footway", "path"])


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.floats(-400, 700), st.floats(-400, 700)), min_size=1, max_size=20))
def test_nearest_position_of_the_main_component(points: list[tuple[float, float]]) -> None:
    xy = np.array(points)
    found = snap(NETWORK, xy, limit_m=200)
    distance = np.array([min(shapely.distance(line, shapely.points(point)) for line in LINES[:2]) for point in xy])
    island = shapely.distance(LINES[2], shapely.points(xy))
    clear = np.abs(distance - 200) > 1e-9
    main = found.status == "on_street"
    np.testing.assert_array_equal(main[clear], distance[clear] <= 200)
    np.testing.assert_allclose(found.access_m[main], distance[main], atol=1e-9)
    other = found.status == "other_component"
    np.testing.assert_allclose(found.access_m[other], island[other], atol=1e-9)
    assert (found.component[other] == 1).all()
    assert np.isnan(found.access_m[found.status == "far_from_street"]).all()
    places = NETWORK.positions_xy(found.positions.edge, found.positions.offset_m)
    back = np.hypot(*(places - xy[found.positions.owner]).T)
    np.testing.assert_allclose(back, found.positions.access_m, atol=1e-6)


def test_several_entrances_and_objects_without_points() -> None:
    xy = np.array([[10.0, 5.0], [290.0, 100.0], [0.0, 900.0]])
    found = snap(NETWORK, xy, owner=np.array([2, 2, 0]), count=4)
    assert found.status.tolist() == ["far_from_street", "far_from_street", "on_street", "far_from_street"]
    assert found.positions.owner.tolist() == [2, 2]
    assert found.access_m[2] == pytest.approx(found.positions.access_m.min())


def test_only_usable_edges() -> None:
    usable = np.array([name == "footway" for name in np.array(NETWORK.classes)[NETWORK.edge_class]])
    found = snap(NETWORK, np.array([[250.0, 10.0]]), usable=usable)
    assert found.access_m[0] == pytest.approx(50)


def test_a_point_beyond_the_end_stands_exactly_at_the_end() -> None:
    found = snap(NETWORK, np.array([[310.0, 230.0]]))
    edge = found.positions.edge[0]
    assert found.positions.offset_m[0] in {0.0, NETWORK.edge_length_m[edge]}


def test_coordinates_that_are_not_numbers_are_refused_and_none_is_fine() -> None:
    with pytest.raises(InputError, match="not numbers"):
        snap(NETWORK, np.array([[0.0, np.nan]]))
    none = snap(NETWORK, np.zeros((0, 2)))
    assert none.positions.count == 0
    assert none.status.size == 0
