"""Reach equals brute force on a graph with the positions inserted as nodes."""

from __future__ import annotations

import itertools

import networkx as nx
import numpy as np
import pytest
import shapely
from array_network import METRES, network_of_edges
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.gis import reach as reach_module
from lifecircle.gis.errors import TooLargeError
from lifecircle.gis.network import WalkNetwork, network_from_lines
from lifecircle.gis.reach import Nearest, edge_cut, nearest, node_costs, reach, walking_costs
from lifecircle.gis.snap import Positions, snap
from lifecircle.gis.walkers import WALKERS, Walker

SIGNALS = Walker("waits", 1.0, signal_seconds=7.0)


def add_edge(
    graph: nx.MultiDiGraph, network: WalkNetwork, edge: int, on_edge: list[tuple[float, tuple[str, int]]]
) -> None:
    length = float(network.edge_length_m[edge])
    inner = sorted({offset for offset, _ in on_edge if 0.0 < offset < length})
    # An edge of no length still has two ends, and may be one-way.
    places = [(0.0, 0), *((offset, 0) for offset in inner), (length, 1)]
    for begin, end in itertools.pairwise(places):
        if network.edge_forward[edge]:
            graph.add_edge((edge, begin), (edge, end), weight=end[0] - begin[0])
        if network.edge_backward[edge]:
            graph.add_edge((edge, end), (edge, begin), weight=end[0] - begin[0])
    for node, place in zip(network.edge_nodes[edge].tolist(), (places[0], places[-1]), strict=True):
        graph.add_edge(("out", node), (edge, place), weight=0.0)
        graph.add_edge((edge, place), ("in", node), weight=0.0)
    for (offset, key), place in itertools.product(on_edge, places):
        if place[0] == offset and key[0] == "demand":
            graph.add_edge(key, (edge, place), weight=0.0)
        elif place[0] == offset:
            graph.add_edge((edge, place), key, weight=0.0)


def brute_force(network: WalkNetwork, demand: Positions, sites: Positions, wait: float = 0.0) -> np.ndarray:
    """Costs of all pairs by networkx, every position a node of its own; waiting is paid on leaving a node."""
    graph = nx.MultiDiGraph()
    # Each node is two, so that arriving and leaving are told apart: the wait lies between.
    for node in range(network.node_xy.shape[0]):
        graph.add_edge(("in", node), ("out", node), weight=wait if network.signal[node] else 0.0)
    on_edge: dict[int, list[tuple[float, tuple[str, int]]]] = {}
    for kind, positions in (("demand", demand), ("site", sites)):
        for k in range(positions.edge.size):
            on_edge.setdefault(int(positions.edge[k]), []).append((float(positions.offset_m[k]), (kind, k)))
    for edge in range(network.edge_length_m.size):
        add_edge(graph, network, edge, on_edge.get(edge, []))
    costs = np.full((demand.count, sites.count), np.inf)
    for i in range(demand.edge.size):
        distance = nx.single_source_dijkstra_path_length(graph, ("demand", i)) if ("demand", i) in graph else {}
        for j in range(sites.edge.size):
            walked = distance.get(("site", j), np.inf) + demand.access_m[i] + sites.access_m[j]
            pair = int(demand.owner[i]), int(sites.owner[j])
            costs[pair] = min(costs[pair], walked)
    return costs


@st.composite
def cases(draw: st.DrawFn) -> tuple[WalkNetwork, Positions, Positions, int]:
    nodes = draw(st.integers(1, 7))
    node = st.integers(0, nodes - 1)
    edges = draw(
        st.lists(st.tuples(node, node, st.integers(0, 12), st.sampled_from([1, 2, 3, 3, 3])), min_size=1, max_size=12)
    )

    def positions(most: int) -> Positions:
        count = draw(st.integers(0, most))
        rows = draw(
            st.lists(
                st.tuples(
                    st.integers(0, max(count - 1, 0)),
                    st.integers(0, len(edges) - 1),
                    st.integers(0, 12),
                    st.integers(0, 3),
                ),
                max_size=8,
            )
        )
        rows = rows if count else []
        return Positions(
            np.array([row[0] for row in rows], dtype=np.int64),
            np.array([row[1] for row in rows], dtype=np.int32),
            np.array([min(row[2], edges[row[1]][2]) for row in rows], dtype=np.float64),
            np.array([row[3] for row in rows], dtype=np.float64),
            count,
        )

    return network_of_edges(nodes, edges), positions(5), positions(4), draw(st.integers(0, 40))


def dense(matrix: object, shape: tuple[int, int]) -> np.ndarray:
    full = np.full(shape, np.inf)
    coo = matrix.tocoo()  # type: ignore[attr-defined]
    full[coo.row, coo.col] = coo.data
    return full


@settings(deadline=None, max_examples=150)
@given(cases(), st.sampled_from([WALKERS["standard"], SIGNALS]))
def test_equals_brute_force(case: tuple[WalkNetwork, Positions, Positions, int], walker: Walker) -> None:
    network, demand, sites, limit = case
    expected = brute_force(network, demand, sites, walker.signal_seconds)
    expected[expected > limit] = np.inf
    found = reach(network, demand=demand, sites=sites, limit=limit, walker=walker, workers=1)
    costs = dense(found.matrix, (demand.count, sites.count))
    np.testing.assert_array_equal(costs, expected)
    assert found.matrix.nnz == np.isfinite(expected).sum()
    assert found.matrix.has_sorted_indices or found.matrix.nnz < 2
    best = nearest(network, sites=sites, demand=demand, limit=limit, walker=walker)
    if sites.count:
        np.testing.assert_array_equal(best.cost, costs.min(axis=1, initial=np.inf))
        lowest = np.where(np.isfinite(best.cost), costs.argmin(axis=1), -1)
        np.testing.assert_array_equal(best.site, lowest)
    else:
        assert (best.site == -1).all()
        assert np.isinf(best.cost).all()


@settings(deadline=None, max_examples=60)
@given(cases(), st.integers(0, 10))
def test_monotone_in_the_limit_and_unchanged_when_nodes_are_renumbered(
    case: tuple[WalkNetwork, Positions, Positions, int], more: int
) -> None:
    network, demand, sites, limit = case
    shape = (demand.count, sites.count)
    few = dense(reach(network, demand=demand, sites=sites, limit=limit).matrix, shape)
    many = dense(reach(network, demand=demand, sites=sites, limit=limit + more).matrix, shape)
    np.testing.assert_array_equal(few, np.where(many <= limit, many, np.inf))
    nodes = network.node_xy.shape[0]
    turned = network_of_edges(
        nodes,
        [
            (nodes - 1 - a, nodes - 1 - b, int(length), int(f) + 2 * int(g))
            for (a, b), length, f, g in zip(
                network.edge_nodes.tolist(),
                network.edge_length_m,
                network.edge_forward,
                network.edge_backward,
                strict=True,
            )
        ],
    )
    np.testing.assert_array_equal(few, dense(reach(turned, demand=demand, sites=sites, limit=limit).matrix, shape))


def street_grid(side: int, step: float = 100.0) -> WalkNetwork:
    width = (side - 1) * step
    lines = [shapely.LineString([(0, i * step), (width, i * step)]) for i in range(side)]
    lines += [shapely.LineString([(i * step, 0), (i * step, width)]) for i in range(side)]
    return network_from_lines(lines, crs=METRES, highway=["residential"] * len(lines))


def test_same_bits_with_any_number_of_threads() -> None:
    network = street_grid(15)
    rng = np.random.default_rng(5)
    sites = snap(network, rng.uniform(0, 1400, (150, 2))).positions
    demand = snap(network, rng.uniform(0, 1400, (700, 2))).positions
    one, many = (
        reach(network, demand=demand, sites=sites, limit=700.0, walker=WALKERS["elderly"], workers=workers)
        for workers in (1, 5)
    )
    assert one.matrix.indptr.tobytes() == many.matrix.indptr.tobytes()
    assert one.matrix.indices.tobytes() == many.matrix.indices.tobytes()
    assert one.matrix.data.tobytes() == many.matrix.data.tobytes()
    best = nearest(network, sites=sites, demand=demand, limit=700.0, walker=WALKERS["elderly"])
    lowest = dense(one.matrix, (demand.count, sites.count)).min(axis=1)
    assert best.cost.tobytes() == lowest.tobytes()


def test_symmetric_without_one_way_streets() -> None:
    network = street_grid(5)
    rng = np.random.default_rng(2)
    places = snap(network, rng.uniform(0, 400, (30, 2))).positions
    costs = dense(reach(network, demand=places, sites=places, limit=1e9).matrix, (30, 30))
    np.testing.assert_allclose(costs, costs.T, rtol=0, atol=1e-9)
    straight = 2 * places.access_m
    np.testing.assert_array_equal(np.diag(costs), straight)
    # Access is paid at every stop, so the walk through a third place is longer by both of its accesses.
    through = costs[:, :, None] + costs[None, :, :]
    assert (costs[:, None, :] <= through + 1e-9).all()


def test_places_near_the_edge_of_the_data_are_flagged() -> None:
    network = network_from_lines(
        [shapely.LineString([(0, 0), (1000, 0)]), shapely.LineString([(500, 0), (500, 300)])],
        crs=METRES,
        highway=["footway"] * 2,
    )
    places = snap(network, np.array([[100.0, 0.0], [400.0, 0.0], [500.0, 20.0]])).positions
    found = reach(network, demand=places, sites=places, limit=150.0)
    assert found.demand_cut.tolist() == [True, False, False]
    assert found.site_cut.tolist() == [True, False, False]
    assert reach(network, demand=places, sites=places, limit=400.0).demand_cut.all()
    # The data cover less than the streets that were read: those beyond may go on too.
    part = network_from_lines(
        [shapely.LineString([(0, 0), (1000, 0)])], crs=METRES, highway=["path"], extent=shapely.box(-50, -50, 800, 50)
    )
    assert part.node_xy[part.boundary].tolist() == [[1000, 0]]


def test_no_sites_and_no_demand_give_empty_answers() -> None:
    network = street_grid(3)
    none = snap(network, np.zeros((0, 2))).positions
    some = snap(network, np.array([[50.0, 0.0]])).positions
    assert reach(network, demand=some, sites=none, limit=100).matrix.shape == (1, 0)
    assert reach(network, demand=none, sites=some, limit=100).matrix.shape == (0, 1)
    assert nearest(network, sites=none, demand=some, limit=100).site.tolist() == [-1]
    assert nearest(network, sites=some, demand=none, limit=100).cost.size == 0
    assert np.isinf(node_costs(network, none, limit=100)).all()


def test_an_answer_that_does_not_fit_is_refused_before_it_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    network = street_grid(5)
    places = snap(network, np.random.default_rng(0).uniform(0, 400, (300, 2))).positions
    monkeypatch.setattr(reach_module, "free_memory", lambda: 100_000)
    with pytest.raises(TooLargeError, match="pairs of demand and site"):
        reach(network, demand=places, sites=places, limit=1000)


def test_slope_by_tobler_and_steps() -> None:
    def heights(xy: np.ndarray) -> np.ndarray:
        return xy[:, 0] * 0.1

    network = network_from_lines(
        [shapely.LineString([(0, 0), (100, 0)])], crs=METRES, highway=["footway"], heights=heights
    )
    costs = walking_costs(network, WALKERS["elderly"])
    # 100 m at 0.8 m/s are 125 s; uphill at 10 % the factor is exp(-3.5*0.15)/exp(-0.175), downhill it is 1.
    assert costs.edge_ahead[0] == pytest.approx(125 * np.exp(3.5 * 0.15 - 0.175))
    assert costs.edge_back[0] == pytest.approx(125)
    assert np.isinf(walking_costs(network, WALKERS["wheelchair"]).edge_ahead[0])
    assert walking_costs(network).edge_ahead[0] == 100.0
    flight = network_from_lines([shapely.LineString([(0, 0), (8, 0)])], crs=METRES, highway=["steps"])
    assert walking_costs(flight, WALKERS["elderly"]).edge_ahead[0] == pytest.approx(20)
    assert np.isinf(walking_costs(flight, WALKERS["wheelchair"]).edge_ahead[0])


def test_a_bridge_is_straight_over_the_valley() -> None:
    def heights(xy: np.ndarray) -> np.ndarray:
        return -np.abs(50.0 - np.abs(xy[:, 0] - 50.0))

    path = [(0, 0), (50, 0), (100, 0)]
    over, through = (
        network_from_lines(
            [shapely.LineString(path)], crs=METRES, highway=["footway"], spans=np.array([flag]), heights=heights
        )
        for flag in (True, False)
    )
    assert walking_costs(over, WALKERS["adult"]).edge_ahead[0] == pytest.approx(100 / 1.2)
    assert walking_costs(through, WALKERS["adult"]).edge_ahead[0] > 200


@st.composite
def changes(draw: st.DrawFn) -> tuple[WalkNetwork, Positions, list[Positions], list[int], float]:
    """A network with lengths whose sums round, demand, lots of sites that come one after the other, and who goes."""
    nodes = draw(st.integers(2, 9))
    node = st.integers(0, nodes - 1)
    metres = st.sampled_from([0.0, 0.1, 0.2, 0.3, 0.7, 1e-17, 1.1, 2.0])
    edges = draw(st.lists(st.tuples(node, node, metres, st.sampled_from([1, 2, 3, 3, 3])), min_size=nodes, max_size=20))

    def positions(count: int) -> Positions:
        edge = draw(st.lists(st.integers(0, len(edges) - 1), min_size=count, max_size=count))
        share = draw(st.lists(st.sampled_from([0.0, 1.0, 0.5, 0.3]), min_size=count, max_size=count))
        access = draw(st.lists(st.sampled_from([0.0, 0.1, 0.3]), min_size=count, max_size=count))
        length = np.array([edges[e][2] for e in edge], dtype=np.float64)
        offset = length * np.array(share, dtype=np.float64)
        return Positions(np.arange(count), np.array(edge, dtype=np.int32), offset, np.array(access), count)

    lots = [positions(count) for count in draw(st.lists(st.integers(0, 3), min_size=2, max_size=4))]
    total = sum(lot.count for lot in lots)
    gone = draw(st.lists(st.integers(0, total - 1), unique=True)) if total else []
    return network_of_edges(nodes, edges), positions(6), lots, gone, draw(st.sampled_from([0.4, 1.0, 3.0, 50.0]))  # type: ignore[arg-type]


def same(a: Nearest, b: Nearest) -> None:
    assert a.cost.tobytes() == b.cost.tobytes()
    assert a.site.tolist() == b.site.tolist()
    assert a._search.label.tobytes() == b._search.label.tobytes()
    assert a._search.source.tolist() == b._search.source.tolist()


@settings(deadline=None, max_examples=300)
@given(changes(), st.sampled_from([WALKERS["standard"], SIGNALS]))
def test_sites_that_come_and_go_leave_what_a_fresh_search_finds(
    case: tuple[WalkNetwork, Positions, list[Positions], list[int], float], walker: Walker
) -> None:
    network, demand, lots, gone, limit = case
    sites = lots[0]
    found = nearest(network, sites=sites, demand=demand, limit=limit, walker=walker)
    for lot in lots[1:]:
        sites, found = sites.plus(lot), found.with_sites_added(lot)
        same(found, nearest(network, sites=sites, demand=demand, limit=limit, walker=walker))
    for row in gone:
        found = found.with_sites_removed(np.array([row]))
        sites = sites.without(np.arange(sites.count) == row)
        same(found, nearest(network, sites=sites, demand=demand, limit=limit, walker=walker))
    found = found.with_sites_added(lots[0])
    same(found, nearest(network, sites=sites.plus(lots[0]), demand=demand, limit=limit, walker=walker))


def test_changes_of_sites_on_a_grid_of_equal_walks() -> None:
    network = street_grid(25, step=0.1)
    rng = np.random.default_rng(4)
    node = rng.integers(0, 25, (90, 2)) * 0.1
    demand = snap(network, rng.uniform(0, 2.4, (400, 2))).positions
    lots = [snap(network, node[k : k + 30]).positions for k in (0, 30, 60)]
    found = nearest(network, sites=lots[0], demand=demand, limit=1.5)
    found = found.with_sites_added(lots[1]).with_sites_removed(np.arange(5, 40)).with_sites_added(lots[2])
    sites = lots[0].plus(lots[1]).without(np.isin(np.arange(60), np.arange(5, 40))).plus(lots[2])
    same(found, nearest(network, sites=sites, demand=demand, limit=1.5))


def test_only_answers_that_a_site_beyond_the_edge_could_change_are_flagged() -> None:
    lines = [shapely.LineString([(0, 0), (1000, 0)]), shapely.LineString([(500, 0), (500, 300)])]
    network = network_from_lines(lines, crs=METRES, highway=["footway"] * 2)
    demand = snap(network, np.array([[100.0, 0.0], [400.0, 0.0]])).positions
    site = snap(network, np.array([[150.0, 0.0]])).positions
    found = nearest(network, sites=site, demand=demand, limit=450.0)
    assert found.cost.tolist() == [50, 250]
    assert found.edge_cut().tolist() == [False, False]
    assert found.with_sites_removed(np.array([0])).edge_cut().tolist() == [True, True]
    assert edge_cut(network, demand, limit=450.0).tolist() == [True, True]
