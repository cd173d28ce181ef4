"""p-centre: the published optima, equal to exhaustive search on small instances."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from siting_cases import Walks, published, read_graph, shuffled, sparse, town, walks

from lifecircle.gis.errors import InfeasibleError, InputError
from lifecircle.gis.median_search import Effort
from lifecircle.gis.pcentre import p_centre

if TYPE_CHECKING:
    from pathlib import Path


def longest(case: Walks, chosen: tuple[int, ...] | list[int], *, weighted: bool = False) -> float:
    far = case.walks(chosen)[case.weight > 0]
    return float((far * (case.weight[case.weight > 0] if weighted else 1)).max())


@settings(max_examples=200, deadline=None)
@given(walks(near=4), st.booleans())
def test_equals_exhaustive_search(case: Walks, weighted: bool) -> None:  # noqa: FBT001  drawn
    weight, tie, fixed, sites = case.weight, case.tie, case.fixed, case.sites
    best = min(longest(case, one, weighted=weighted) for one in case.choices())
    try:
        found = p_centre(case.reach, weight, sites=sites, weighted=weighted, fixed=fixed, tie_weights=tie)
    except InfeasibleError:
        assert best == np.inf
        return
    chosen = found.chosen.tolist()
    assert found.objective == found.bound == best == longest(case, chosen, weighted=weighted)
    assert found.status == "optimal"
    assert len(chosen) <= sites
    assert set(fixed.must) <= set(chosen)
    spare = case.free(chosen)
    for place, site in enumerate(chosen):
        others = [one for one in chosen if one != site]
        rises = [longest(case, [*others, one], weighted=weighted) - best for one in spare]
        assert found.runner_up_loses[place] == pytest.approx(max(0.0, min(rises, default=np.inf)))


@settings(max_examples=100, deadline=None)
@given(walks(near=4))
def test_among_equals_elders_walk_less(case: Walks) -> None:
    weight, tie, fixed, sites = case.weight, case.tie, case.fixed, case.sites
    every = [one for one in case.choices() if np.isfinite(longest(case, one))]
    if not every:
        return
    found = p_centre(case.reach, weight, sites=sites, fixed=fixed, tie_weights=tie)

    def walked(chosen: tuple[int, ...] | list[int]) -> float:
        far = case.walks(chosen)
        return float(sum((w * 1000 + v) * walk for w, v, walk in zip(tie, weight, far, strict=True) if v))

    equal = [walked(one) for one in every if longest(case, one) == found.objective]
    assert walked(found.chosen.tolist()) == min(equal)


@settings(max_examples=60, deadline=None)
@given(walks(near=4), st.randoms(use_true_random=False))
def test_permuting_changes_nothing_and_more_never_hurts(case: Walks, random: object) -> None:
    cost, weight, sites = case.cost, case.weight, case.sites
    try:
        found = p_centre(sparse(cost), weight, sites=sites)
    except InfeasibleError:
        return
    rows, columns = (shuffled(random, count) for count in cost.shape)
    mixed = p_centre(sparse(cost[np.ix_(rows, columns)]), weight[rows], sites=sites)
    assert (mixed.objective, mixed.bound) == (found.objective, found.bound)
    if sites < cost.shape[1]:
        assert p_centre(sparse(cost), weight, sites=sites + 1).objective <= found.objective
    wider = np.column_stack([cost, np.full(len(cost), 4.0)])
    assert p_centre(sparse(wider), weight, sites=sites).objective <= found.objective


@pytest.mark.parametrize("number", range(1, 11))
def test_published_optimum_is_reached_and_proven(places: Path, number: int) -> None:
    best = published(places / "locopt" / "pmedopt_pcenter.txt")
    reach, sites = read_graph(places / "locopt" / f"pmed{number}.txt")
    found = p_centre(reach, np.ones(reach.shape[0], dtype=int), sites=sites)
    assert found.objective == found.bound == best[f"pmed{number}"]
    assert found.walk.max() == found.objective


def test_without_time_it_is_said_or_bounded() -> None:
    reach, _ = town(300, 80, seed=2)
    whole = p_centre(reach, np.ones(300, dtype=int), sites=6)
    assert whole.status == "optimal"
    loose = p_centre(reach, np.ones(300, dtype=int), sites=6, effort=Effort(gap=0.2))
    assert loose.bound <= whole.objective <= loose.objective
    hasty = p_centre(reach, np.ones(300, dtype=int), sites=6, effort=Effort(seconds=0.0))
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
