"""p-centre: the published optima, equal to exhaustive search on small instances."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import shortest_path

from lifecircle.gis.errors import InfeasibleError, InputError
from lifecircle.gis.median_search import Effort
from lifecircle.gis.pcentre import p_centre
from lifecircle.gis.siting_check import Fixed

if TYPE_CHECKING:
    from pathlib import Path

Case = tuple[np.ndarray, np.ndarray, np.ndarray, Fixed, int]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    rows, columns = draw(st.integers(1, 8)), draw(st.integers(1, 7))
    entry = st.one_of(*[st.integers(0, 9).map(float)] * 4, st.just(np.inf))
    cost = np.array(draw(st.lists(entry, min_size=rows * columns, max_size=rows * columns))).reshape(rows, columns)
    weight = np.array(draw(st.lists(st.integers(0, 5), min_size=rows, max_size=rows)))
    weight[draw(st.integers(0, rows - 1))] += 1
    tie = np.array(draw(st.lists(st.integers(0, 3), min_size=rows, max_size=rows)))
    kinds = ["f", *draw(st.lists(st.sampled_from("fffemb"), min_size=columns - 1, max_size=columns - 1))]
    named = [[place for place, kind in enumerate(kinds) if kind == letter] for letter in "emb"]
    sites = draw(st.integers(max(1, len(named[1])), sum(kind in "fm" for kind in kinds)))
    return cost, weight, tie, Fixed(*named), sites


def sparse(cost: np.ndarray) -> csr_array:
    row, column = np.nonzero(np.isfinite(cost))
    return csr_array((cost[row, column], (row, column)), shape=cost.shape)


def choices(case: Case) -> list[tuple[int, ...]]:
    cost, _, _, fixed, sites = case
    free = [one for one in range(cost.shape[1]) if one not in {*fixed.existing, *fixed.barred}]
    return [one for one in combinations(free, sites) if set(fixed.must) <= set(one)]


def longest(case: Case, chosen: tuple[int, ...] | list[int], *, weighted: bool = False) -> float:
    cost, weight, _, fixed, _ = case
    walks = cost[:, [*fixed.existing, *chosen]].min(axis=1, initial=np.inf)[weight > 0]
    return float((walks * (weight[weight > 0] if weighted else 1)).max())


@settings(max_examples=200, deadline=None)
@given(cases(), st.booleans())
def test_equals_exhaustive_search(case: Case, weighted: bool) -> None:  # noqa: FBT001  drawn
    cost, weight, tie, fixed, sites = case
    best = min(longest(case, one, weighted=weighted) for one in choices(case))
    try:
        found = p_centre(sparse(cost), weight, sites=sites, weighted=weighted, fixed=fixed, tie_weights=tie)
    except InfeasibleError:
        assert best == np.inf
        return
    chosen = found.chosen.tolist()
    assert found.objective == found.bound == best == longest(case, chosen, weighted=weighted)
    assert found.status == "optimal"
    assert len(chosen) <= sites
    assert set(fixed.must) <= set(chosen)
    spare = [one for one in range(cost.shape[1]) if one not in {*chosen, *fixed.existing, *fixed.barred}]
    for place, site in enumerate(chosen):
        others = [one for one in chosen if one != site]
        rises = [longest(case, [*others, one], weighted=weighted) - best for one in spare]
        assert found.runner_up_loses[place] == pytest.approx(max(0.0, min(rises, default=np.inf)))


@settings(max_examples=100, deadline=None)
@given(cases())
def test_among_equals_elders_walk_less(case: Case) -> None:
    cost, weight, tie, fixed, sites = case
    every = [one for one in choices(case) if np.isfinite(longest(case, one))]
    if not every:
        return
    found = p_centre(sparse(cost), weight, sites=sites, fixed=fixed, tie_weights=tie)

    def walked(chosen: tuple[int, ...] | list[int]) -> float:
        walks = cost[:, [*fixed.existing, *chosen]].min(axis=1, initial=np.inf)
        return float(sum((w * 1000 + v) * walk for w, v, walk in zip(tie, weight, walks, strict=True) if v))

    equal = [walked(one) for one in every if longest(case, one) == found.objective]
    assert walked(found.chosen.tolist()) == min(equal)


@settings(max_examples=60, deadline=None)
@given(cases(), st.randoms(use_true_random=False))
def test_permuting_changes_nothing_and_more_never_hurts(case: Case, random: object) -> None:
    cost, weight, _, _, sites = case
    try:
        found = p_centre(sparse(cost), weight, sites=sites)
    except InfeasibleError:
        return
    rows, columns = list(range(cost.shape[0])), list(range(cost.shape[1]))
    random.shuffle(rows)  # type: ignore[attr-defined]
    random.shuffle(columns)  # type: ignore[attr-defined]
    mixed = p_centre(sparse(cost[np.ix_(rows, columns)]), weight[rows], sites=sites)
    assert (mixed.objective, mixed.bound) == (found.objective, found.bound)
    if sites < cost.shape[1]:
        assert p_centre(sparse(cost), weight, sites=sites + 1).objective <= found.objective
    wider = np.column_stack([cost, np.full(len(cost), 4.0)])
    assert p_centre(sparse(wider), weight, sites=sites).objective <= found.objective


@pytest.mark.parametrize("number", range(1, 11))
def test_published_optimum_is_reached_and_proven(places: Path, number: int) -> None:
    lines = (places / "locopt" / "pmedopt_pcenter.txt").read_text(encoding="ascii").split()
    best = dict(zip(lines[::2], map(int, lines[1::2]), strict=True))
    words = (places / "locopt" / f"pmed{number}.txt").read_text(encoding="ascii").split()
    nodes, edges, sites, *rest = map(int, words)
    graph = np.zeros((nodes, nodes))
    for a, b, length in np.array(rest).reshape(edges, 3):
        graph[a - 1, b - 1] = graph[b - 1, a - 1] = length
    walks = shortest_path(csr_array(graph), directed=False)
    found = p_centre(sparse(walks), np.ones(nodes, dtype=int), sites=sites)
    assert found.objective == found.bound == best[f"pmed{number}"]
    assert found.walk.max() == found.objective


def test_without_time_it_is_said_or_bounded() -> None:
    random = np.random.default_rng(2)
    people, lots = random.uniform(0, 3000, (300, 2)), random.uniform(0, 3000, (80, 2))
    cost = np.hypot(*(people[:, None] - lots[None]).transpose(2, 0, 1))
    whole = p_centre(csr_array(cost), np.ones(300, dtype=int), sites=6)
    assert whole.status == "optimal"
    loose = p_centre(csr_array(cost), np.ones(300, dtype=int), sites=6, effort=Effort(gap=0.2))
    assert loose.bound <= whole.objective <= loose.objective
    hasty = p_centre(csr_array(cost), np.ones(300, dtype=int), sites=6, effort=Effort(seconds=0.0))
    assert hasty.bound <= whole.objective <= hasty.objective
    assert hasty.status == "time_limit"


def test_who_is_out_of_reach_may_be_left_out_and_bad_input_is_told() -> None:
    cost = np.array([[3.0, np.inf], [np.inf, np.inf], [np.inf, 4.0]])
    found = p_centre(sparse(cost), [1, 5, 2], sites=2, leave_unreachable=True)
    assert (found.objective, found.unreachable.tolist()) == (4.0, [1])
    with pytest.raises(InfeasibleError) as caught:
        p_centre(sparse(cost), [1, 0, 2], sites=1)
    assert caught.value.faults[0].detail["needed"] == 2
    with pytest.raises(InputError) as wrong:
        p_centre(sparse(cost), [1, -1, 2], sites=3)
    assert [fault.code for fault in wrong.value.faults] == ["gis.siting_weight", "gis.siting_too_many"]
