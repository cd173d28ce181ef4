"""Capacitated siting: equal to exhaustive search with a min-cost flow of its own, and people add up."""

from __future__ import annotations

from dataclasses import dataclass

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from siting_cases import Walks, town, walks, whole_numbers

from lifecircle.gis.capacitated import Loaded, capacitated_cover, capacitated_median
from lifecircle.gis.errors import InfeasibleError, InputError
from lifecircle.gis.median_search import Effort

BEYOND = 12


@dataclass(frozen=True)
class Case(Walks):
    """A small instance of walks whose sites hold only so many."""

    capacity: np.ndarray


@st.composite
def cases(draw: st.DrawFn) -> Case:
    plain = draw(walks(rows=5, columns=5))
    capacity = whole_numbers(draw, plain.cost.shape[1], 8)
    return Case(plain.cost, plain.weight, plain.tie, plain.fixed, plain.sites, capacity)


def cheapest(case: Case, chosen: tuple[int, ...], penalty: int, *, bare: bool = False) -> int:
    """Return the least cost of placing people in the chosen and existing columns, by a flow of networkx."""
    cost, weight, capacity, fixed = case.cost, case.weight, case.capacity, case.fixed
    graph = nx.DiGraph()
    graph.add_node("end", demand=int(weight.sum()))
    for row, people in enumerate(weight.tolist()):
        graph.add_node(("row", row), demand=-people)
        graph.add_edge(("row", row), "end", weight=penalty)
        for column in (*fixed.existing, *chosen):
            if np.isfinite(cost[row, column]):
                graph.add_edge(("row", row), ("site", column), weight=0 if bare else int(cost[row, column]))
    for column in (*fixed.existing, *chosen):
        graph.add_edge(("site", column), "end", capacity=int(capacity[column]), weight=0)
    return int(nx.min_cost_flow_cost(graph))


def sums(case: Case, found: Loaded) -> None:
    """Check that people add up and nobody is where there is no room."""
    cost, weight, capacity, fixed, sites = case.cost, case.weight, case.capacity, case.fixed, case.sites
    flows = found.placed.toarray()
    assert (flows.sum(axis=1) + found.left_out == weight).all()
    assert (flows.sum(axis=0) == found.load).all()
    assert (found.load <= capacity).all()
    assert np.isfinite(cost[flows > 0]).all()
    assert len(found.chosen) <= sites
    assert set(fixed.must) <= set(found.chosen.tolist())
    assert not set(np.flatnonzero(found.load)) - {*found.chosen.tolist(), *fixed.existing}


@settings(max_examples=60, deadline=None)
@given(cases())
def test_the_median_equals_exhaustive_search(case: Case) -> None:
    weight, capacity, fixed, sites = case.weight, case.capacity, case.fixed, case.sites
    found = capacitated_median(case.reach, weight, capacity, sites=sites, beyond=BEYOND, fixed=fixed)
    best = min(cheapest(case, one, BEYOND) for one in case.choices())
    assert found.objective == found.bound == best
    assert found.status == "optimal"
    sums(case, found)
    for at, site in enumerate(found.chosen.tolist()):
        others = tuple(one for one in found.chosen.tolist() if one != site)
        assert found.without[at] == cheapest(case, others, BEYOND) - best
        spare = case.free(found.chosen.tolist())
        rises = [cheapest(case, (*others, one), BEYOND) - best for one in spare]
        if found.runner_up[at] >= 0:
            assert found.runner_up_loses[at] == min(rises)


@settings(max_examples=60, deadline=None)
@given(cases())
def test_everybody_has_a_place_or_the_least_shortfall_is_named(case: Case) -> None:
    weight, capacity, fixed, sites = case.weight, case.capacity, case.fixed, case.sites
    cover = capacitated_cover(case.reach, weight, capacity, sites=sites, fixed=fixed)
    short = min(cheapest(case, one, 1, bare=True) for one in case.choices())
    assert cover.objective == cover.bound == short == cover.left_out.sum()
    sums(case, cover)
    try:
        found = capacitated_median(case.reach, weight, capacity, sites=sites, fixed=fixed)
    except InfeasibleError as error:
        fault = error.faults[0]
        named = fault.detail["weight" if fault.code == "gis.siting_out_of_reach" else "short"]
        refused = (fault.code, named)
    else:
        assert short == 0
        assert found.objective == found.bound == min(cheapest(case, one, 10_000) for one in case.choices())
        sums(case, found)
        return
    assert short > 0
    assert refused[0] == "gis.siting_out_of_reach" or refused == ("gis.siting_no_room", short)


def test_a_town_of_beds() -> None:
    reach, weights = town(120, 25, seed=7, limit=1500)
    weights, beds = weights // 4 + 1, np.random.default_rng(7).integers(100, 400, 25)
    effort = Effort(seconds=60)
    found = capacitated_median(reach, weights, beds, sites=12, beyond=3000, effort=effort, runners_up=False)
    assert found.bound <= found.objective
    assert found.gap < 0.01
    assert (found.placed.sum(axis=1) + found.left_out == weights).all()
    more = capacitated_median(reach, weights, beds * 2, sites=12, beyond=3000, effort=effort, runners_up=False)
    assert more.bound <= found.objective
    hasty = capacitated_median(
        reach, weights, beds, sites=12, beyond=3000, effort=Effort(seconds=0.0), runners_up=False
    )
    assert hasty.bound <= found.objective <= hasty.objective


def test_bad_input_is_told() -> None:
    reach = csr_array(np.array([[1.0, 2.0], [3.0, 4.0]]))
    for options, code in (
        ({"capacities": [1, -1]}, "gis.siting_weight"),
        ({"capacities": [1]}, "gis.siting_shape"),
        ({"beyond": 1.0}, "gis.siting_beyond"),
    ):
        with pytest.raises(InputError) as caught:
            capacitated_median(
                reach,
                [1, 1],
                **{"capacities": [1, 1], "sites": 1, **options},  # type: ignore[arg-type]
            )
        assert [fault.code for fault in caught.value.faults] == [code]
    with pytest.raises(InfeasibleError, match="at least 3 people"):
        capacitated_median(reach, [2, 3], [1, 1], sites=2)
