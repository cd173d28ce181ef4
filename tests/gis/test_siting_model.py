"""Covering asked again: sites forced in and out equal to a fresh solve, and what-ifs that stay honest."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from lifecircle.gis.errors import InputError
from lifecircle.gis.median_search import Effort
from lifecircle.gis.siting import max_cover
from lifecircle.gis.siting_bound import by_columns, first_prices, judged, lowered
from lifecircle.gis.siting_model import CoverModel
from lifecircle.gis.siting_reduce import pattern, reduce, traced, undominated
from lifecircle.gis.siting_solve import solve


@st.composite
def instances(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray, int, list[int], list[int]]:
    rows, columns = draw(st.integers(1, 9)), draw(st.integers(1, 7))
    matrix = np.array(draw(st.lists(st.booleans(), min_size=rows * columns, max_size=rows * columns)))
    weights = np.array(draw(st.lists(st.integers(0, 9), min_size=rows, max_size=rows)))
    weights[0] += 1
    covered = np.array(draw(st.lists(st.integers(0, 3), min_size=rows, max_size=rows))) == 0
    fate = draw(st.lists(st.sampled_from(["free", "free", "in", "out"]), min_size=columns, max_size=columns))
    if "in" not in fate and "free" not in fate:
        fate[0] = "free"
    must = [one for one, kind in enumerate(fate) if kind == "in"]
    barred = [one for one, kind in enumerate(fate) if kind == "out"]
    sites = draw(st.integers(max(1, len(must)), columns - len(barred)))
    return matrix.reshape(rows, columns), weights, covered, sites, must, barred


def covers(matrix: np.ndarray, chosen: object, left: np.ndarray) -> int:
    return int(left[matrix[:, list(chosen)].any(axis=1)].sum())  # type: ignore[call-overload]


def best_of_all(matrix: np.ndarray, left: np.ndarray, sites: int, must: list[int], barred: list[int]) -> int:
    free = [one for one in range(matrix.shape[1]) if one not in must and one not in barred]
    more = combinations(free, min(len(free), sites - len(must)))
    return max(covers(matrix, [*must, *one], left) for one in more)


@settings(max_examples=200, deadline=None)
@given(instances())
def test_forced_in_and_out_equals_exhaustive_search(
    instance: tuple[np.ndarray, np.ndarray, np.ndarray, int, list[int], list[int]],
) -> None:
    matrix, weights, covered, sites, must, barred = instance
    left = np.where(covered, 0, weights)
    best = best_of_all(matrix, left, sites, must, barred)
    model = CoverModel(csr_array(matrix), weights, covered=covered)
    fresh = model.solve(sites=sites, must=must, barred=barred)
    whole = model.solve(sites=sites)
    again = model.what_if(must=must, barred=barred)
    assert fresh.objective == fresh.bound == best
    assert again.objective <= best <= again.bound
    if again.status == "optimal":
        assert again.objective == best
    assert whole.objective == best_of_all(matrix, left, sites, [], [])
    for one in (fresh, again):
        assert one.objective == covers(matrix, one.chosen, left) == one.added.sum()
        assert not set(one.chosen.tolist()) & set(barred)
        assert not set(one.runner_up.tolist()) & {*barred, *one.chosen.tolist()}
        assert len(one.chosen) <= sites
        if left.any() and one.chosen.size:
            assert set(must) <= set(one.chosen.tolist())


@settings(max_examples=100, deadline=None)
@given(instances(), st.integers(0, 9))
def test_forced_in_and_out_with_elders_equals_exhaustive_search(
    instance: tuple[np.ndarray, np.ndarray, np.ndarray, int, list[int], list[int]], seed: int
) -> None:
    matrix, weights, covered, sites, must, barred = instance
    elders = np.minimum(weights, np.random.default_rng(seed).integers(0, 6, len(weights)))
    model = CoverModel(csr_array(matrix), weights, covered=covered, tie_weights=elders)
    found = model.solve(sites=sites, must=must, barred=barred)
    assert not set(found.chosen.tolist()) & set(barred)
    assert found.objective == best_of_all(matrix, np.where(covered, 0, weights), sites, must, barred)
    scale = int(elders.sum()) + 1
    both = np.where(covered, 0, weights * scale + elders)
    chosen = [*must, *(one for one in found.chosen.tolist() if one not in must)]
    if np.where(covered, 0, weights).any() and found.chosen.size:
        assert covers(matrix, chosen, both) == best_of_all(matrix, both, sites, must, barred)


def test_what_is_barred_stays_barred_among_equals() -> None:
    matrix = csr_array(np.array([[1, 1], [0, 1]], dtype=bool))
    found = CoverModel(matrix, [0, 1], tie_weights=[1, 0]).solve(sites=1, barred=[1])
    assert 1 not in found.chosen


@settings(max_examples=100, deadline=None)
@given(instances(), st.integers(0, 5))
def test_the_cheapest_among_equals_by_single_exchange(
    instance: tuple[np.ndarray, np.ndarray, np.ndarray, int, list[int], list[int]], seed: int
) -> None:
    matrix, weights, covered, sites, _, _ = instance
    costs = np.random.default_rng(seed).integers(0, 4, matrix.shape[1]).astype(float)
    left = np.where(covered, 0, weights)
    answer = CoverModel(csr_array(matrix), weights, covered=covered, site_costs=costs).solve(sites=sites)
    chosen = answer.chosen.tolist()
    assert answer.objective == best_of_all(matrix, left, sites, [], [])
    for site in chosen:
        for other in set(range(matrix.shape[1])) - set(chosen):
            swapped = [*(one for one in chosen if one != site), other]
            if covers(matrix, swapped, left) == answer.objective:
                assert (costs[site], site) < (costs[other], other)


@settings(max_examples=100, deadline=None)
@given(instances(), st.integers(0, 100))
def test_the_bound_holds_for_any_prices(
    instance: tuple[np.ndarray, np.ndarray, np.ndarray, int, list[int], list[int]], seed: int
) -> None:
    matrix, weights, _, sites, _, barred = instance
    out = np.isin(np.arange(matrix.shape[1]), barred)
    best = best_of_all(matrix, weights, min(sites, int((~out).sum())), [], barred)
    columns = by_columns(reduce_nothing(matrix, weights), out)
    wild = np.random.default_rng(seed).normal(3, 5, len(weights))
    wild[0] = np.nan
    for relaxed in (judged(columns, sites, 0, wild), lowered(columns, sites, best, first_prices(columns))):
        assert relaxed.bound >= best
        assert relaxed.out[out].all()


def reduce_nothing(matrix: np.ndarray, weights: np.ndarray) -> object:
    problem = reduce(csr_array(np.eye(1, dtype=np.int8)), np.ones(1, int), np.zeros(1, int), keep=np.ones(1, bool))
    cover = csr_array(matrix.astype(np.int8))
    return type(problem)(cover, weights, np.zeros_like(weights), np.arange(matrix.shape[1]))


@settings(max_examples=150, deadline=None)
@given(instances())
def test_dropped_candidates_lie_within_those_that_stay(
    instance: tuple[np.ndarray, np.ndarray, np.ndarray, int, list[int], list[int]],
) -> None:
    matrix, weights, covered, _, _, _ = instance
    stay = set(undominated(csr_array(matrix.astype(np.int8))).tolist())
    for one in range(matrix.shape[1]):
        within = [
            other
            for other in range(matrix.shape[1])
            if other != one
            and (matrix[:, one] <= matrix[:, other]).all()
            and ((matrix[:, one] < matrix[:, other]).any() or other < one)
        ]
        assert (one in stay) == (not within or not matrix[:, one].any())
    way = traced(csr_array(matrix.astype(np.int8)), weights, weights, keep=~covered)
    for dropped in np.flatnonzero(way.other >= 0):
        rows = ~covered & (weights > 0)
        assert (matrix[rows, dropped] <= matrix[rows, way.other[dropped]]).all()
    kept = way.owner >= 0
    assert way.problem.weight.sum() == weights[kept].sum()


def points(demand: int, *, seed: int = 1, limit: float = 450.0) -> tuple[csr_array, np.ndarray]:
    """Points that are all candidates."""
    random = np.random.default_rng(seed)
    people = random.uniform(0, 6000, (demand, 2))
    distance = np.hypot(*(people[:, None] - people[None]).transpose(2, 0, 1))
    row, column = np.nonzero(distance <= limit)
    matrix = csr_array((distance[row, column], (row, column)), shape=distance.shape)
    return matrix, random.integers(1, 500, demand)


def test_points_that_are_all_candidates_come_out_the_same_twice() -> None:
    reach, weights = points(700)
    effort = Effort(seconds=600.0, gap=0.01)
    first, again = (CoverModel(reach, weights).solve(sites=25, effort=effort) for _ in range(2))
    assert (first.chosen == again.chosen).all()
    assert (first.objective, first.bound, first.status) == (again.objective, again.bound, again.status)
    assert first.status in {"optimal", "within_gap"}
    assert first.gap <= 0.01
    problem = reduce(pattern(reach), weights, np.zeros(700, dtype=np.int64), keep=np.ones(700, dtype=bool))
    hasty = solve(problem, 25, Effort(seconds=0.0))
    assert hasty.bound >= first.objective
    assert hasty.late


def test_a_what_if_is_as_good_as_a_fresh_solve() -> None:
    reach, weights = points(500, seed=4)
    model = CoverModel(reach, weights)
    first = model.solve(sites=8)
    assert first.status == "optimal"
    worst = int(np.argmin(np.diff(reach.tocsc().indptr)))
    full = Effort(seconds=60.0)
    for change in ({"barred": [int(first.chosen[0])]}, {"must": [worst]}, {"barred": first.chosen.tolist()}):
        quick = model.what_if(**change, effort=full)
        fresh = CoverModel(reach, weights).solve(sites=8, **change)
        assert quick.objective == fresh.objective
        assert quick.status == fresh.status == "optimal"
        assert quick.objective <= first.objective
        hasty = model.what_if(**change)
        assert hasty.objective <= fresh.objective <= hasty.bound
    same = model.what_if()
    assert (same.chosen == first.chosen).all()


def test_weights_too_large_to_be_counted_finely() -> None:
    reach, weights = points(60, seed=2, limit=900.0)
    huge = weights * 2**40
    small, large = (max_cover(reach, one, sites=4, tie_weights=weights) for one in (weights, huge))
    assert large.objective == small.objective * 2**40 <= large.bound


@pytest.mark.parametrize(
    ("asked", "codes"),
    [
        ({"sites": 1, "must": [0], "barred": [0]}, ["gis.siting_contradiction"]),
        ({"sites": 1, "must": [0, 1]}, ["gis.siting_must"]),
        ({"sites": 2, "barred": [0, 1]}, ["gis.siting_too_many"]),
        ({"sites": 0, "must": [5]}, ["gis.siting_column", "gis.siting_sites"]),
    ],
)
def test_contradictions_are_one_clear_error(asked: dict[str, object], codes: list[str]) -> None:
    model = CoverModel(csr_array(np.eye(3, dtype=bool)), [1, 2, 3])
    with pytest.raises(InputError) as caught:
        model.solve(**asked)  # type: ignore[arg-type]
    assert [fault.code for fault in caught.value.faults] == codes


def test_other_bad_input() -> None:
    with pytest.raises(InputError) as caught:
        CoverModel(csr_array(np.eye(2, dtype=bool)), [1, 2], site_costs=[1.0, np.nan])
    assert [fault.code for fault in caught.value.faults] == ["gis.siting_site_cost"]
    assert caught.value.faults[0].detail == {"count": 1}
    with pytest.raises(ValueError, match="number of sites"):
        CoverModel(csr_array(np.eye(2, dtype=bool)), [1, 2]).what_if(barred=[0])
