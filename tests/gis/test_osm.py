"""Who may walk where, by OSM's tags."""

from __future__ import annotations

import numpy as np
import pytest
from pyproj import CRS

from lifecircle.gis.errors import InputError
from lifecircle.gis.network import WalkNetwork, network_from_osm
from lifecircle.gis.osm import LEGALITY, OsmWays, legality, walkable
from lifecircle.gis.reach import nearest, walking_costs
from lifecircle.gis.snap import snap
from lifecircle.gis.walkers import WALKERS


@pytest.mark.parametrize(
    ("tags", "verdict"),
    [
        ("highway=footway", "walk"),
        ("highway=steps", "walk"),
        ("highway=residential sidewalk=no", "walk"),
        ("highway=primary", "walk"),
        ("highway=motorway foot=yes", "never"),
        ("highway=motorway_link", "never"),
        ("highway=primary motorroad=yes", "never"),
        ("highway=trunk", "never"),
        ("highway=trunk foot=yes", "walk"),
        ("highway=trunk sidewalk=both", "walk"),
        ("highway=trunk sidewalk:left=yes", "walk"),
        ("highway=trunk sidewalk=separate", "never"),
        ("highway=trunk expressway=yes sidewalk=both", "never"),
        ("highway=residential foot=use_sidepath", "never"),
        ("highway=residential foot=no", "never"),
        ("highway=cycleway", "never"),
        ("highway=cycleway foot=designated", "walk"),
        ("highway=construction construction=footway", "never"),
        ("highway=proposed", "never"),
        ("highway=service access=private", "private"),
        ("highway=service access=private foot=yes", "walk"),
        ("highway=footway access=no", "never"),
        ("highway=footway access=no foot=permissive", "walk"),
        ("railway=platform", "walk"),
        ("railway=rail", "never"),
        ("route=ferry", "never"),
        ("highway=bus_guideway", "never"),
        ("highway=corridor indoor=yes", "walk"),
        ("highway=something_new", "never"),
        ("highway=primary sidewalk=separate", "walk"),
        ("highway=primary sidewalk=no", "walk"),
        ("highway=unclassified access=no motor_vehicle=yes", "never"),
        ("highway=platform", "walk"),
        ("highway=elevator", "walk"),
        ("highway=cycleway segregated=yes", "walk"),
        ("highway=path foot=private", "private"),
    ],
)
def test_legality(tags: str, verdict: str) -> None:
    assert legality(dict(pair.split("=") for pair in tags.split())).verdict == verdict


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ("highway=residential foot=use_sidepath", "foot_beside"),
        ("highway=primary sidewalk=separate", "sidewalk_apart"),
        ("highway=primary sidewalk=no", "without_sidewalk"),
        ("highway=trunk sidewalk=separate", "trunk_sidewalk_apart"),
        ("route=ferry", "ferry"),
        ("highway=footway", "walked_class"),
        ("highway=footway foot=no", "foot_forbidden"),
    ],
)
def test_the_reason_is_kept(tags: str, reason: str) -> None:
    assert legality(dict(pair.split("=") for pair in tags.split())).reason == reason


def test_every_rule_has_a_reason_and_the_last_one_catches_all() -> None:
    assert all(rule.reason for rule in LEGALITY)
    assert not LEGALITY[-1].when


Way = tuple[list[int], str]
PLACES = {n: (100.0 * (n % 10), 100.0 * (n // 10)) for n in range(100)}


def extract(*ways: Way, nodes: dict[int, str] | None = None, missing: tuple[int, ...] = ()) -> OsmWays:
    node = np.array([n for refs, _ in ways for n in refs], dtype=np.int64)
    xy = np.array([(np.nan, np.nan) if n in missing else PLACES[n] for n in node.tolist()]).reshape(-1, 2)
    start = np.concatenate([[0], np.cumsum([len(refs) for refs, _ in ways])]).astype(np.int64)
    tags = [dict(pair.split("=") for pair in text.split()) for _, text in ways]
    node_tags = {n: dict(pair.split("=") for pair in text.split()) for n, text in (nodes or {}).items()}
    return OsmWays(np.arange(len(ways)), start, node, xy, tags, node_tags)


def build(*ways: Way, policy: str = "gated", **options: object) -> WalkNetwork:
    return network_from_osm(extract(*ways, **options), crs=CRS("EPSG:4547"), policy=policy)  # type: ignore[arg-type]


def test_ways_join_at_shared_nodes_only() -> None:
    crossing = ([1, 11, 21], "highway=footway"), ([10, 11, 12], "highway=footway")
    assert build(*crossing).node_xy.shape[0] == 5
    over = ([1, 21], "highway=footway bridge=yes"), ([10, 11, 12], "highway=footway")
    assert build(*over).component_length_m.size == 2


def test_a_clipped_way_is_kept_as_far_as_it_is_known() -> None:
    network = build(([1, 2, 3, 4, 5, 6], "highway=footway"), missing=(3, 6))
    assert sorted(network.edge_length_m.tolist()) == [100, 100]
    cut = {tuple(place) for place in network.node_xy[network.boundary].tolist()}
    assert {PLACES[2], PLACES[4], PLACES[5]} <= cut
    assert build(([1, 2], "highway=footway"), ([3, 4], "highway=footway"), missing=(3,)).edge_length_m.tolist() == [100]


def test_only_oneway_for_feet_counts() -> None:
    both = build(([1, 2], "highway=residential oneway=yes"))
    assert both.edge_forward.all()
    assert both.edge_backward.all()
    ahead, back = build(([1, 2], "highway=footway oneway:foot=yes")), build(([1, 2], "highway=footway oneway:foot=-1"))
    assert ahead.edge_forward[0] != back.edge_forward[0]
    assert ahead.edge_backward[0] != back.edge_backward[0]


def test_a_closed_barrier_parts_the_way_and_a_private_one_does_not() -> None:
    way = ([1, 2, 3], "highway=footway")
    assert build(way, nodes={2: "barrier=gate access=no"}).component_length_m.size == 2
    assert build(way, nodes={2: "barrier=gate access=no foot=yes"}).component_length_m.size == 1
    assert build(way, nodes={2: "barrier=gate access=private"}).component_length_m.size == 1
    assert build(way, nodes={2: "barrier=gate access=no"}, policy="open").component_length_m.size == 1
    assert build(way, nodes={2: "barrier=bollard"}).component_length_m.size == 1


def walk(network: WalkNetwork, start: int, end: int) -> float:
    demand, sites = (snap(network, np.array([PLACES[node]], dtype=float)).positions for node in (start, end))
    return float(nearest(network, sites=sites, demand=demand, limit=1e9).cost[0])


def test_a_private_way_is_walked_out_of_and_not_through() -> None:
    ring = ([1, 2, 3, 13, 23, 22, 21, 11, 1], "highway=residential")
    short = ([2, 12, 22], "highway=service access=private")
    network = build(ring, short)
    assert network.edge_length_m[network.edge_private].sum() == 200
    assert network.component_length_m.size == 1
    assert (walk(network, 12, 2), walk(network, 12, 22)) == (100, 100)
    assert walk(network, 2, 22) == 400
    assert walk(network, 2, 12) == np.inf
    opened = build(ring, short, policy="open")
    assert not opened.edge_private.any()
    assert (walk(opened, 2, 22), walk(opened, 2, 12)) == (200, 100)


def test_what_lies_behind_private_ways_is_left_by_them() -> None:
    main = ([1, 2, 3, 4, 5], "highway=residential")
    lane = ([2, 12], "highway=service access=private"), ([3, 13], "highway=service access=private")
    yard = ([12, 22, 23, 13], "highway=footway")
    network = build(main, *lane, yard)
    assert network.edge_length_m[network.edge_private].sum() == 500
    assert walk(network, 22, 2) == 200
    assert walk(network, 12, 13) == 300
    assert walk(network, 1, 3) == 200
    assert walk(network, 1, 22) == np.inf
    closed = build(main, *lane, yard, nodes={12: "barrier=gate access=no"})
    assert walk(closed, 22, 2) == 400


def test_places_that_people_walk_to_are_looked_for_on_public_ways() -> None:
    network = build(([1, 2, 3], "highway=residential"), ([2, 12, 22, 32], "highway=service access=private"))
    xy = np.array([PLACES[12], PLACES[32]], dtype=float)
    leaving, arriving = snap(network, xy), snap(network, xy, arriving=True)
    assert leaving.status.tolist() == ["on_street", "on_street"]
    assert leaving.access_m.tolist() == [0, 0]
    assert arriving.status.tolist() == ["on_street", "other_component"]
    assert arriving.access_m.tolist() == [100, 0]
    alone = build(([1, 2, 3], "highway=service access=private"))
    assert (walk(alone, 1, 3), snap(alone, xy[:1]).status.tolist()) == (200, ["on_street"])


def test_lifts_take_time_and_ramps_carry_wheels() -> None:
    nodes = {2: "highway=elevator"}
    by_point = walking_costs(build(([1, 2, 3], "highway=footway"), nodes=nodes), WALKERS["adult"])
    assert by_point.wait.sum() == 30
    way = build(([1, 2], "highway=elevator"))
    assert walking_costs(way, WALKERS["adult"]).edge_ahead.tolist() == pytest.approx([100 / 1.2 + 30])
    assert walking_costs(way).edge_ahead.tolist() == [100]
    stairs = build(([1, 2], "highway=steps"), ([2, 3], "highway=steps ramp:wheelchair=yes"))
    assert sorted(walking_costs(stairs, WALKERS["wheelchair"]).edge_ahead.tolist()) == [125, np.inf]


def test_squares_are_crossed() -> None:
    square = ([11, 13, 33, 31, 11], "highway=pedestrian area=yes")
    streets = ([1, 11], "highway=footway"), ([33, 43], "highway=footway")
    network = build(square, *streets)
    across = np.isclose(network.edge_length_m, 200 * 2**0.5)
    assert across.sum() == 1


def test_signals_are_nodes() -> None:
    network = build(([1, 2, 3], "highway=footway"), nodes={2: "highway=crossing crossing=traffic_signals"})
    assert network.node_xy[network.signal].tolist() == [list(PLACES[2])]


def test_counts_of_rules_and_nothing_to_walk_on() -> None:
    ways = extract(([1, 2], "highway=motorway"), ([2, 3], "highway=footway"), ([2, 4], "barrier=wall"))
    assert walkable(ways)[1] == {"motorway": 1, "walked_class": 1, "unknown_class": 1}
    with pytest.raises(InputError, match="one may walk on"):
        build(([1, 2], "highway=motorway"))
    with pytest.raises(InputError, match="one may walk on"):
        build()
