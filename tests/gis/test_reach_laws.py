"""Laws that walks obey on any network: symmetry, the triangle, limits, the way back, and names that do not matter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from array_network import network_of_edges
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lifecircle.gis.reach import Reach, edge_cut, nearest, node_costs, reach
from lifecircle.gis.snap import Positions
from lifecircle.gis.walkers import WALKERS, Walker

if TYPE_CHECKING:
    from lifecircle.gis.network import WalkNetwork

STANDARD = WALKERS["standard"]
WALKED = st.sampled_from([STANDARD, Walker("waits", 1.0, signal_seconds=7.0)])
LAWS = settings(deadline=None, max_examples=70)


@dataclass(frozen=True)
class Edge:
    """An edge between two nodes: whole metres, so that sums are exact; ways 1 ahead, 2 back, 3 both."""

    first: int
    last: int
    metres: int
    ways: int


@dataclass(frozen=True)
class Case:
    """A network with demand, sites and a limit."""

    nodes: int
    edges: list[Edge]
    signal: list[bool]
    rim: list[bool]
    demand: Positions
    sites: Positions
    limit: float

    @property
    def network(self) -> WalkNetwork:
        return network_of(self.nodes, self.edges, self.signal, self.rim)


def network_of(nodes: int, edges: list[Edge], signal: list[bool], rim: list[bool]) -> WalkNetwork:
    """A network straight from its arrays."""
    return network_of_edges(
        nodes, [(edge.first, edge.last, edge.metres, edge.ways) for edge in edges], signal=signal, boundary=rim
    )


@st.composite
def cases(draw: st.DrawFn, *, ways: tuple[int, ...] = (1, 2, 3, 3)) -> Case:
    """Multi-edges, loops, edges of no length, one-way edges, islands, places on one edge, several entrances, ties."""
    nodes = draw(st.integers(1, 8))
    node = st.integers(0, nodes - 1)
    edge = st.builds(Edge, node, node, st.integers(0, 9), st.sampled_from(ways))
    edges = draw(st.lists(edge, min_size=1, max_size=14))

    def positions(most: int) -> Positions:
        count = draw(st.integers(0, most))
        row = st.tuples(
            st.integers(0, max(count - 1, 0)), st.integers(0, len(edges) - 1), st.integers(0, 9), st.integers(0, 3)
        )
        rows = draw(st.lists(row, max_size=8)) if count else []
        return Positions(
            np.array([who for who, *_ in rows], dtype=np.int64),
            np.array([on for _, on, *_ in rows], dtype=np.int32),
            np.array([min(at, edges[on].metres) for _, on, at, _ in rows], dtype=np.float64),
            np.array([access for *_, access in rows], dtype=np.float64),
            count,
        )

    flags = st.lists(st.booleans(), min_size=nodes, max_size=nodes)
    rim = draw(st.lists(st.sampled_from([True, False, False]), min_size=nodes, max_size=nodes))
    return Case(nodes, edges, draw(flags), rim, positions(5), positions(5), float(draw(st.integers(0, 40))))


def full(found: Reach) -> np.ndarray:
    """The matrix with inf where nobody comes."""
    costs = np.full(found.matrix.shape, np.inf)
    pairs = found.matrix.tocoo()
    costs[pairs.row, pairs.col] = pairs.data
    return costs


def costs_of(case: Case, walker: Walker, limit: float = 1e9) -> np.ndarray:
    return full(reach(case.network, demand=case.demand, sites=case.sites, limit=limit, walker=walker))


@LAWS
@given(cases(ways=(3,)), WALKED)
def test_as_far_back_as_there_where_no_street_is_one_way(case: Case, walker: Walker) -> None:
    there = reach(case.network, demand=case.demand, sites=case.sites, limit=case.limit, walker=walker)
    back = reach(case.network, demand=case.sites, sites=case.demand, limit=case.limit, walker=walker)
    np.testing.assert_array_equal(full(there), full(back).T)
    np.testing.assert_array_equal(there.demand_cut, back.site_cut)
    np.testing.assert_array_equal(there.site_cut, back.demand_cut)


@LAWS
@given(cases(), WALKED)
def test_the_way_back_is_the_way_there_with_all_streets_turned(case: Case, walker: Walker) -> None:
    turned = [replace(edge, ways={1: 2, 2: 1, 3: 3}[edge.ways]) for edge in case.edges]
    network = network_of(case.nodes, turned, case.signal, case.rim)
    there = reach(case.network, demand=case.demand, sites=case.sites, limit=case.limit, walker=walker)
    back = reach(network, demand=case.sites, sites=case.demand, limit=case.limit, walker=walker)
    np.testing.assert_array_equal(full(there), full(back).T)
    np.testing.assert_array_equal(there.site_cut, back.demand_cut)


@LAWS
@given(cases())
def test_no_detour_is_shorter(case: Case) -> None:
    both = case.demand.plus(case.sites)
    # Each entrance for itself: nobody walks through the houses, nor back by standing at both ends of no length.
    whole = np.array([edge.metres > 0 or edge.ways == 3 for edge in case.edges])[both.edge]
    apart = replace(both, owner=np.arange(both.edge.size), count=both.edge.size)
    everybody = apart.without(~whole)
    costs = full(reach(case.network, demand=everybody, sites=everybody, limit=1e9))
    # The straight walks to a stop on the way are paid twice.
    assert (costs[:, None, :] <= costs[:, :, None] + costs[None, :, :]).all()
    to_nodes = node_costs(case.network, case.sites, limit=1e9)
    for edge in case.edges:
        if edge.ways & 1:
            assert to_nodes[edge.first] <= to_nodes[edge.last] + edge.metres
        if edge.ways & 2:
            assert to_nodes[edge.last] <= to_nodes[edge.first] + edge.metres


@LAWS
@given(cases(), WALKED, st.integers(0, 15))
def test_a_longer_limit_only_adds(case: Case, walker: Walker, more: int) -> None:
    network, near, far = case.network, case.limit, case.limit + more
    few, many = (
        reach(network, demand=case.demand, sites=case.sites, limit=limit, walker=walker) for limit in (near, far)
    )
    np.testing.assert_array_equal(full(few), np.where(full(many) <= near, full(many), np.inf))
    assert (few.demand_cut <= many.demand_cut).all()
    assert (few.site_cut <= many.site_cut).all()
    first, second = (
        nearest(network, demand=case.demand, sites=case.sites, limit=limit, walker=walker) for limit in (near, far)
    )
    within = second.cost <= near
    np.testing.assert_array_equal(first.cost, np.where(within, second.cost, np.inf))
    np.testing.assert_array_equal(first.site, np.where(within, second.site, -1))
    short, long = (node_costs(network, case.sites, limit=limit, walker=walker) for limit in (near, far))
    np.testing.assert_array_equal(short, np.where(long <= near, long, np.inf))


@LAWS
@given(cases())
def test_from_nodes_it_is_as_far_as_from_places_at_them(case: Case) -> None:
    to_nodes = node_costs(case.network, case.sites, limit=case.limit)
    for row, edge in enumerate(case.edges):
        if edge.metres == 0:
            continue  # a place on it is at both ends
        ends = Positions(np.arange(2), np.full(2, row, np.int32), np.array([0.0, edge.metres]), np.zeros(2), 2)
        found = nearest(case.network, demand=ends, sites=case.sites, limit=case.limit)
        np.testing.assert_array_equal(found.cost, to_nodes[[edge.first, edge.last]])


@st.composite
def renamed(draw: st.DrawFn) -> tuple[Case, Case, list[int]]:
    """A case, the same with nodes and edges renumbered and edges drawn the other way, and the new number of nodes."""
    case = draw(cases())
    node = draw(st.permutations(range(case.nodes)))
    order = draw(st.permutations(range(len(case.edges))))
    flip = draw(st.lists(st.booleans(), min_size=len(case.edges), max_size=len(case.edges)))
    edges = []
    for old in order:
        edge = case.edges[old]
        ends, ways = (node[edge.first], node[edge.last]), edge.ways
        if flip[old]:
            ends, ways = ends[::-1], {1: 2, 2: 1, 3: 3}[ways]
        edges.append(Edge(*ends, edge.metres, ways))
    number = np.argsort(order)
    turned, metres = np.array(flip), np.array([edge.metres for edge in case.edges], dtype=np.float64)

    def moved(positions: Positions) -> Positions:
        old = positions.edge
        offset = np.where(turned[old], metres[old] - positions.offset_m, positions.offset_m)
        return replace(positions, edge=number[old].astype(np.int32), offset_m=offset)

    back = np.argsort(node)
    signal, rim = ([flags[old] for old in back] for flags in (case.signal, case.rim))
    other = Case(case.nodes, edges, signal, rim, moved(case.demand), moved(case.sites), case.limit)
    return case, other, list(node)


@LAWS
@given(renamed(), WALKED)
def test_numbers_of_nodes_and_edges_and_the_direction_of_drawing_do_not_matter(
    both: tuple[Case, Case, list[int]], walker: Walker
) -> None:
    *pair, node = both
    case, other = pair
    found = [
        reach(each.network, demand=each.demand, sites=each.sites, limit=each.limit, walker=walker) for each in pair
    ]
    np.testing.assert_array_equal(full(found[0]), full(found[1]))
    np.testing.assert_array_equal(found[0].demand_cut, found[1].demand_cut)
    np.testing.assert_array_equal(found[0].site_cut, found[1].site_cut)
    to_nodes = [node_costs(each.network, each.sites, limit=each.limit, walker=walker) for each in pair]
    np.testing.assert_array_equal(to_nodes[0], to_nodes[1][node])
    best = [
        nearest(each.network, demand=each.demand, sites=each.sites, limit=each.limit, walker=walker) for each in pair
    ]
    np.testing.assert_array_equal(best[0].cost, best[1].cost)
    np.testing.assert_array_equal(best[0].site, best[1].site)
    np.testing.assert_array_equal(best[0].edge_cut(), best[1].edge_cut())
    gone = np.arange(0, case.sites.count, 2)
    fewer = [each.with_sites_removed(gone) for each in best]
    np.testing.assert_array_equal(fewer[0].cost, fewer[1].cost)
    np.testing.assert_array_equal(fewer[0].site, fewer[1].site)
    more = [each.with_sites_added(of.demand) for each, of in zip(fewer, (case, other), strict=True)]
    np.testing.assert_array_equal(more[0].cost, more[1].cost)
    np.testing.assert_array_equal(more[0].site, more[1].site)


@LAWS
@given(cases(), WALKED)
def test_sites_that_come_and_go_bring_back_what_was(case: Case, walker: Walker) -> None:
    before = nearest(case.network, demand=case.demand, sites=case.sites, limit=case.limit, walker=walker)
    added = before.with_sites_added(case.demand)
    assert (added.cost <= before.cost).all()
    after = added.with_sites_removed(np.arange(case.sites.count, case.sites.count + case.demand.count))
    np.testing.assert_array_equal(after.cost, before.cost)
    np.testing.assert_array_equal(after.site, before.site)
    none = before.with_sites_removed(np.arange(case.sites.count))
    assert np.isinf(none.cost).all()
    assert (none.site == -1).all()


@LAWS
@given(cases(), WALKED)
def test_whoever_may_come_to_where_the_data_end_is_flagged(case: Case, walker: Walker) -> None:
    # A place on a one-way edge of no length stands at both its ends, so one may step back through it.
    assume(all(edge.metres > 0 or edge.ways == 3 for edge in case.edges))
    network = case.network
    rows = [
        (row, offset)
        for row, edge in enumerate(case.edges)
        for end, offset in ((edge.first, 0.0), (edge.last, float(edge.metres)))
        if case.rim[end]
    ]
    edge = np.array([row for row, _ in rows], dtype=np.int32)
    rim = Positions(np.arange(len(rows)), edge, np.array([at for _, at in rows]), np.zeros(len(rows)), len(rows))
    out = reach(network, demand=case.demand, sites=rim, limit=case.limit, walker=walker)
    into = reach(network, demand=rim, sites=case.sites, limit=case.limit, walker=walker)
    flagged = edge_cut(network, case.demand, limit=case.limit, walker=walker)
    # Nobody waits to leave a place at the end of an edge along it, and all wait to leave a node: flags may be fewer.
    assert (flagged <= np.isfinite(full(out)).any(axis=1)).all()
    if walker is STANDARD:
        np.testing.assert_array_equal(flagged, np.isfinite(full(out)).any(axis=1))
        reached = np.isfinite(full(into)).any(axis=0)
        np.testing.assert_array_equal(
            edge_cut(network, case.sites, limit=case.limit, walker=walker, coming=True), reached
        )
