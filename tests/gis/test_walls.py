"""A walled compound is entered at its gates only, and never sealed in silence."""

from __future__ import annotations

import numpy as np
import pytest
from pyproj import CRS
from shapely import LineString, box

from lifecircle.gis.circles import service_circle
from lifecircle.gis.network import WalkNetwork, network_from_lines
from lifecircle.gis.reach import nearest
from lifecircle.gis.snap import snap
from lifecircle.gis.walls import Gates, Policy, walled_off

METRES = CRS("EPSG:4547")
COMPOUND = box(100, 100, 300, 300)
STREETS = [
    LineString([(0, 0), (400, 0)]),  # south street
    LineString([(400, 0), (400, 400)]),
    LineString([(400, 400), (0, 400)]),  # north street
    LineString([(0, 400), (0, 0)]),
    LineString([(200, 0), (200, 400)]),  # a lane right through the compound
    LineString([(200, 200), (250, 200)]),  # a lane inside
]
SOUTH, NORTH = (200.0, 100.0), (200.0, 300.0)


def gates(*places: tuple[float, float], opened: bool = True, public: bool = False, zone: int = -1) -> Gates:
    count = len(places)
    return Gates(
        np.array(places, dtype=float).reshape(-1, 2),
        np.full(count, opened),
        np.full(count, public),
        np.full(count, zone, dtype=np.int32),
    )


def build(known: Gates | None, policy: Policy = "gated", streets: list[LineString] | None = None) -> WalkNetwork:
    lines = STREETS if streets is None else streets
    walls = np.array([None, COMPOUND], dtype=object)
    return network_from_lines(
        lines, crs=METRES, highway=["residential"] * len(lines), walls=walls, gates=known, policy=policy
    )


def walk(network: WalkNetwork, start: tuple[float, float], end: tuple[float, float]) -> float:
    places = [snap(network, np.array([place])).positions for place in (start, end)]
    return float(nearest(network, sites=places[1], demand=places[0], limit=1e9).cost[0])


def test_one_gate_gives_the_walk_around_the_wall() -> None:
    network = build(gates(SOUTH))
    # From the inner lane at (250, 200) to the north street at (200, 400): 50 to the middle lane, 200 south through the
    # gate to the south street, 200 along it, 400 along the side street, 200 along the north street.
    assert walk(network, (250, 200), (200, 400)) == pytest.approx(50 + 200 + 200 + 400 + 200)
    assert walk(build(gates(SOUTH, NORTH)), (250, 200), (200, 400)) == pytest.approx(250)
    assert walk(build(gates(SOUTH), "open"), (250, 200), (200, 400)) == pytest.approx(250)
    assert set(network.edge_zone.tolist()) == {-1, 1}
    assert network.edge_length_m[network.edge_zone == 1].sum() == pytest.approx(250)


def test_residents_leave_by_their_gates_but_nobody_walks_through() -> None:
    through = (200.0, 0.0), (200.0, 400.0)
    assert walk(build(gates(SOUTH, NORTH)), *through) == pytest.approx(400)
    residents = build(gates(SOUTH, NORTH), "residents")
    assert walk(residents, *through) == pytest.approx(800)
    assert walk(residents, (250, 200), (200, 400)) == pytest.approx(250)
    assert walk(residents, (200, 400), (250, 200)) == np.inf
    public = build(gates(SOUTH, NORTH, public=True), "residents")
    assert walk(public, *through) == pytest.approx(400)


@pytest.mark.parametrize("known", [None, gates(), gates(SOUTH, opened=False), gates((0.0, 0.0))])
def test_a_wall_without_an_open_gate_is_left_open_and_reported(known: Gates | None) -> None:
    network = build(known)
    assert network.walls.gateless.tolist() == [1]
    assert not network.walls.sealed.any()
    assert walk(network, (250, 200), (200, 400)) == pytest.approx(250)


def test_a_gate_opens_the_wall_within_its_reach_only() -> None:
    assert walk(build(gates((214.0, 100.0))), (250, 200), (200, 0)) == pytest.approx(250)
    far = build(gates((216.0, 100.0)))
    assert far.walls.unused_gates.tolist() == [0]
    # The lanes inside lead nowhere; who lives there walks straight to the gate, and on to the street.
    inside = snap(far, np.array([[250.0, 200.0]]))
    assert inside.status.tolist() == ["on_street"]
    assert inside.access_m[0] == pytest.approx(np.hypot(34, 100) + 16)


def test_a_gate_near_a_lane_inside_and_a_street_outside_joins_them() -> None:
    streets = [LineString([(0, 92), (400, 92)]), LineString([(200, 110), (200, 200)])]
    network = build(gates((205.0, 100.0)), streets=streets)
    assert network.component_length_m.size == 1
    assert walk(network, (200, 200), (205, 92)) == pytest.approx(90 + np.hypot(5, 10) + 8)
    apart = build(gates((220.0, 100.0)), streets=streets)
    assert apart.component_length_m.size == 2
    assert apart.walls.unused_gates.tolist() == [0]


def test_a_compound_without_lanes_is_left_by_its_gates() -> None:
    network = build(gates(SOUTH, (300.0, 200.0)), streets=STREETS[:4])
    found = snap(network, np.array([[150.0, 150.0]]))
    assert found.status.tolist() == ["on_street"]
    assert sorted(found.positions.access_m.tolist()) == pytest.approx([np.hypot(50, 50) + 100, np.hypot(150, 50) + 100])


def test_nobody_outside_comes_to_lanes_inside() -> None:
    network = build(gates(SOUTH))
    near_wall = snap(network, np.array([[200.0, 299.0], [250.0, 301.0]]))
    assert network.edge_zone[near_wall.edge].tolist() == [1, -1]
    assert near_wall.access_m[1] == pytest.approx(50)


def test_two_compounds_side_by_side_and_one_in_the_other() -> None:
    lane = LineString([(0, 50), (400, 50)])
    walls = np.array([box(100, 0, 200, 100), box(200, 0, 300, 100), box(240, 40, 260, 60)], dtype=object)
    known = gates((100.0, 50.0), (300.0, 50.0))
    network = network_from_lines([lane], crs=METRES, highway=["service"], walls=walls, gates=known)
    assert network.walls.gateless.tolist() == [2]
    assert sorted(network.component_length_m.tolist()) == pytest.approx([200, 200])
    joined = network_from_lines(
        [lane], crs=METRES, highway=["service"], walls=walls, gates=gates((100.0, 50.0), (200.0, 50.0), (300.0, 50.0))
    )
    assert joined.component_length_m.tolist() == pytest.approx([400])


def test_a_circle_laps_over_no_compound_whose_gates_are_out_of_reach() -> None:
    network = build(gates(SOUTH, zone=1))
    sites = snap(network, np.array([[200.0, 400.0]])).positions
    circles = service_circle(network, sites, limits=[150.0, 300.0, 1200.0])
    door = network.positions_xy(sites.edge, sites.offset_m)
    near, middle, far = (walled_off(network.walls, circle, door) for circle in circles)
    assert near.intersection(COMPOUND).area == pytest.approx(0, abs=1e-6)
    assert far.intersection(COMPOUND).area > 25 * 2 * 200
    assert near.difference(middle).area < 1e-6
    assert middle.difference(far).area < 1e-6
    inside = np.array([[200.0, 250.0]])
    assert walled_off(network.walls, COMPOUND, inside).area == COMPOUND.area
