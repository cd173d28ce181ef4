"""Set covering: equal to exhaustive search on small instances, with backups, costs and sites that stand already."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from lifecircle.gis.cover_search import Needs, _bettered, fewest
from lifecircle.gis.errors import InfeasibleError, InputError
from lifecircle.gis.median_search import Effort
from lifecircle.gis.set_cover import set_cover
from lifecircle.gis.siting_check import Fixed

Case = tuple[np.ndarray, np.ndarray, np.ndarray, Fixed, int]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    rows, columns = draw(st.integers(1, 8)), draw(st.integers(1, 7))
    matrix = np.array(draw(st.lists(st.booleans(), min_size=rows * columns, max_size=rows * columns)))
    weight = np.array(draw(st.lists(st.integers(0, 5), min_size=rows, max_size=rows)))
    weight[draw(st.integers(0, rows - 1))] += 1
    costs = np.array(draw(st.lists(st.integers(1, 9), min_size=columns, max_size=columns)), dtype=float)
    kinds = ["f", *draw(st.lists(st.sampled_from("fffemb"), min_size=columns - 1, max_size=columns - 1))]
    named = [[place for place, kind in enumerate(kinds) if kind == letter] for letter in "emb"]
    return matrix.reshape(rows, columns), weight, costs, Fixed(*named), draw(st.integers(1, 3))


def answers(case: Case) -> list[tuple[int, ...]]:
    """Return every choice that gives each row with weight what it needs, as far as there are columns for it."""
    matrix, weight, _, fixed, times = case
    wanted = matrix[weight > 0].copy()
    wanted[:, list(fixed.barred)] = False
    need = np.minimum(wanted.sum(axis=1), times)
    columns = [one for one in range(matrix.shape[1]) if one not in {*fixed.existing, *fixed.barred}]
    every = (one for size in range(len(columns) + 1) for one in combinations(columns, size))
    return [
        one
        for one in every
        if set(fixed.must) <= set(one) and (wanted[:, [*fixed.existing, *one]].sum(axis=1) >= need).all()
    ]


@settings(max_examples=150, deadline=None)
@given(cases())
def test_equals_exhaustive_search(case: Case) -> None:
    matrix, weight, costs, fixed, times = case
    reach = csr_array(matrix)
    every = answers(case)
    found = set_cover(reach, weight, times=times, fixed=fixed, leave_unreachable=True)
    assert found.objective == found.bound == len(found.chosen) == min(map(len, every))
    assert tuple(sorted(found.chosen.tolist())) in every
    assert found.status == "optimal"
    cheap = set_cover(reach, weight, times=times, fixed=fixed, leave_unreachable=True, site_costs=costs)
    assert cheap.objective == cheap.bound == min(costs[list(one)].sum() for one in every)
    backed = set_cover(reach, weight, times=times, fixed=fixed, leave_unreachable=True, prefer_backup=True)
    usable = matrix[:, [one for one in range(matrix.shape[1]) if one not in fixed.barred]].sum(axis=1)

    def backup(chosen: tuple[int, ...] | list[int]) -> int:
        reached = matrix[:, [*fixed.existing, *chosen]].sum(axis=1)
        return int(weight[reached > np.minimum(usable, times)].sum())

    assert len(backed.chosen) == len(found.chosen)
    assert backup(backed.chosen.tolist()) == max(backup(one) for one in every if len(one) == len(found.chosen))


@settings(max_examples=80, deadline=None)
@given(cases())
def test_who_cannot_be_reached_is_named(case: Case) -> None:
    matrix, weight, _, fixed, times = case
    usable = [one for one in range(matrix.shape[1]) if one not in fixed.barred]
    short = np.flatnonzero((matrix[:, usable].sum(axis=1) < times) & (weight > 0))
    left = set_cover(csr_array(matrix), weight, times=times, fixed=fixed, leave_unreachable=True)
    assert left.unreachable.tolist() == short.tolist()
    if not len(short):
        assert set_cover(csr_array(matrix), weight, times=times, fixed=fixed).objective == left.objective
        return
    with pytest.raises(InfeasibleError) as caught:
        set_cover(csr_array(matrix), weight, times=times, fixed=fixed)
    fault = caught.value.faults[0]
    assert fault.code == "gis.siting_out_of_reach"
    assert fault.detail["rows"] == short.tolist()
    assert fault.detail["weight"] == weight[short].sum()


@settings(max_examples=80, deadline=None)
@given(cases())
def test_reasons_are_true(case: Case) -> None:
    matrix, weight, _, fixed, times = case
    found = set_cover(csr_array(matrix), weight, times=times, fixed=fixed, leave_unreachable=True)
    every, chosen = set(answers(case)), found.chosen.tolist()
    stands = matrix[:, list(fixed.existing)].any(axis=1)
    assert found.saved.sum() == weight[matrix[:, chosen].any(axis=1) & ~stands].sum()
    spare = [one for one in range(matrix.shape[1]) if one not in {*chosen, *fixed.existing, *fixed.barred}]
    for place, site in enumerate(chosen):
        others = [one for one in chosen if one != site]
        able = [one for one in spare if site in fixed.must or tuple(sorted([*others, one])) in every]
        if found.runner_up[place] < 0:
            assert site in fixed.must or not able
        else:
            assert found.runner_up[place] in able
            assert found.runner_up_loses[place] == 0
        alone = matrix[:, site] & ~matrix[:, [*others, *fixed.existing]].any(axis=1)
        assert found.only_here[place] == weight[alone].sum()


@settings(max_examples=60, deadline=None)
@given(cases(), st.randoms(use_true_random=False))
def test_permuting_changes_nothing_and_more_never_hurts(case: Case, random: object) -> None:
    matrix, weight, _, _, times = case
    found = set_cover(csr_array(matrix), weight, times=times, leave_unreachable=True)
    rows, columns = list(range(matrix.shape[0])), list(range(matrix.shape[1]))
    random.shuffle(rows)  # type: ignore[attr-defined]
    random.shuffle(columns)  # type: ignore[attr-defined]
    mixed = set_cover(csr_array(matrix[np.ix_(rows, columns)]), weight[rows], times=times, leave_unreachable=True)
    assert (mixed.objective, mixed.bound) == (found.objective, found.bound)
    if times == 1 and not len(found.unreachable):
        wider = csr_array(np.column_stack([matrix, np.ones(len(weight), dtype=bool)]))
        assert set_cover(wider, weight).objective == min(found.objective, 1)


def town(demand: int, sites: int, *, seed: int, limit: float) -> tuple[csr_array, np.ndarray]:
    random = np.random.default_rng(seed)
    people, lots = random.uniform(0, 3000, (demand, 2)), random.uniform(0, 3000, (sites, 2))
    cost = np.hypot(*(people[:, None] - lots[None]).transpose(2, 0, 1))
    row, column = np.nonzero(cost <= limit)
    return csr_array((cost[row, column], (row, column)), shape=cost.shape), random.integers(1, 120, demand)


def test_a_town_is_proven_and_wider_reach_needs_no_more() -> None:
    counts = []
    for limit in (500, 700, 1000):
        reach, weights = town(800, 120, seed=3, limit=limit)
        found = set_cover(reach, weights, leave_unreachable=True)
        assert found.status == "optimal"
        reached = np.isfinite(found.walk)
        assert not reached[found.unreachable].any()
        assert reached.sum() + len(found.unreachable) == 800
        counts.append((len(found.unreachable), found.objective))
    assert counts[1][1] >= counts[2][1]
    again = set_cover(reach, weights, leave_unreachable=True)
    assert (again.chosen == found.chosen).all()
    twice = set_cover(reach, weights, times=2, leave_unreachable=True)
    assert twice.objective > found.objective


def test_without_time_the_bound_still_holds() -> None:
    reach, weights = town(800, 200, seed=5, limit=450)
    hasty = set_cover(reach, weights, leave_unreachable=True, effort=Effort(seconds=0.0))
    proven = set_cover(reach, weights, leave_unreachable=True)
    assert hasty.bound <= proven.objective <= hasty.objective
    assert hasty.status in {"time_limit", "optimal"}


def test_the_number_that_is_allowed_is_answered_exactly() -> None:
    reach, weights = town(300, 60, seed=6, limit=700)
    cover = csr_array((np.ones(reach.nnz, dtype=np.int8), reach.indices, reach.indptr), shape=reach.shape)
    needs = Needs(
        cover, np.minimum(np.diff(reach.indptr), 1).astype(np.int64), np.ones(60), np.zeros(60, dtype=np.bool_)
    )
    least = fewest(needs, seconds=30).value
    assert fewest(needs, seconds=30, most=least).value <= least
    refused = fewest(needs, seconds=30, most=least - 1)
    assert refused.chosen is None
    assert refused.bound >= least
    assert weights.sum() > 0


def test_bad_input_is_told() -> None:
    reach = csr_array(np.eye(2, dtype=bool))
    for options, code in (
        ({"times": 0}, "gis.siting_times"),
        ({"fixed": Fixed(existing=[0], barred=[0])}, "gis.siting_contradiction"),
        ({"site_costs": [1, np.nan]}, "gis.siting_site_cost"),
    ):
        with pytest.raises(InputError) as caught:
            set_cover(reach, [1, 1], **options)  # type: ignore[arg-type]
        assert [fault.code for fault in caught.value.faults] == [code]
    with pytest.raises(InputError, match="no_weight"):
        set_cover(reach, [0, 0])
    nothing = set_cover(reach, [3, 0], fixed=Fixed(existing=[0]))
    assert (nothing.objective, nothing.bound, len(nothing.chosen)) == (0.0, 0.0, 0)


def test_tearing_and_mending_keeps_the_needs_met_and_comes_out_the_same_twice() -> None:
    reach, _ = town(500, 150, seed=8, limit=500)
    rows = np.flatnonzero(np.diff(reach.indptr) > 1)
    small = csr_array(reach[rows])
    cover = csr_array((np.ones(small.nnz, dtype=np.int8), small.indices, small.indptr), shape=small.shape)
    needs = Needs(cover, np.full(len(rows), 2), np.ones(150), np.zeros(150, dtype=np.bool_))
    start = np.ones(150, dtype=np.bool_)
    better, again = (_bettered(needs, start) for _ in range(2))
    assert (better == again).all()
    assert (cover.astype(int) @ better.astype(int) >= 2).all()
    assert fewest(needs, seconds=30).value <= better.sum() < 100
