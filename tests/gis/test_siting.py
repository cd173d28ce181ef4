"""Siting: equal to exhaustive search on small instances, and honest about its bound."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array, csr_matrix

from lifecircle.gis.errors import InfeasibleError, InputError
from lifecircle.gis.kernels_cover import add_greedily, descend
from lifecircle.gis.siting import max_cover
from lifecircle.gis.siting_bound import by_columns, relax
from lifecircle.gis.siting_reduce import Reduced, pattern, reduce
from lifecircle.gis.siting_solve import covered_weight, easy_bound


@st.composite
def instances(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, int]:
    rows, columns = draw(st.integers(1, 9)), draw(st.integers(1, 7))
    flat = st.lists(st.booleans(), min_size=rows * columns, max_size=rows * columns)
    matrix = np.array(draw(flat)).reshape(rows, columns)

    def column(values: st.SearchStrategy[int]) -> np.ndarray:
        return np.array(draw(st.lists(values, min_size=rows, max_size=rows)))

    weights, ties = column(st.integers(0, 9)), column(st.integers(0, 5))
    weights[draw(st.integers(0, rows - 1))] += 1
    return matrix, weights, ties, column(st.integers(0, 1)).astype(bool), draw(st.integers(1, columns))


def covers(matrix: np.ndarray, chosen: tuple[int, ...] | np.ndarray, weights: np.ndarray, covered: np.ndarray) -> int:
    hit = matrix[:, list(chosen)].any(axis=1) & ~covered
    return int(weights[hit].sum())


def best_of_all(
    matrix: np.ndarray, weights: np.ndarray, ties: np.ndarray, covered: np.ndarray, sites: int
) -> tuple[int, int]:
    every = combinations(range(matrix.shape[1]), sites)
    return max((covers(matrix, one, weights, covered), covers(matrix, one, ties, covered)) for one in every)


@settings(max_examples=150, deadline=None)
@given(instances())
def test_equals_exhaustive_search(instance: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, int]) -> None:
    matrix, weights, ties, covered, sites = instance
    siting = max_cover(csr_array(matrix), weights, sites=sites, covered=covered, tie_weights=ties)
    best, _ = best_of_all(matrix, weights, ties, covered, sites)
    assert siting.objective == best == siting.bound
    assert siting.gap == 0
    assert siting.objective == covers(matrix, siting.chosen, weights, covered)
    assert siting.status == ("optimal" if best else "all_covered" if not weights[~covered].any() else "unreachable")


@settings(max_examples=100, deadline=None)
@given(instances())
def test_among_equals_more_elders(instance: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, int]) -> None:
    matrix, weights, ties, covered, sites = instance
    siting = max_cover(csr_array(matrix), weights, sites=sites, covered=covered, tie_weights=ties)
    if len(siting.chosen) == sites:  # sites that would add nobody are left out, whatever elders they reach
        assert covers(matrix, siting.chosen, ties, covered) == best_of_all(matrix, weights, ties, covered, sites)[1]


@settings(max_examples=80, deadline=None)
@given(instances())
def test_reasons_are_true(instance: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, int]) -> None:
    matrix, weights, ties, covered, sites = instance
    siting = max_cover(csr_array(matrix), weights, sites=sites, covered=covered, tie_weights=ties)
    assert siting.added.sum() == siting.objective
    assert (np.diff(siting.added) <= 0).all()
    chosen = siting.chosen.tolist()
    for place, site in enumerate(chosen):
        before, upto = chosen[:place], chosen[: place + 1]
        assert siting.added[place] == covers(matrix, upto, weights, covered) - covers(matrix, before, weights, covered)
        assert siting.served[place] == weights[matrix[:, site]].sum()
        others = [other for other in chosen if other != site]
        without = covers(matrix, others, weights, covered)
        assert siting.only_here[place] == siting.objective - without
        spare = [one for one in range(matrix.shape[1]) if one not in chosen]
        loss = min((siting.objective - covers(matrix, [*others, one], weights, covered) for one in spare), default=None)
        expected = siting.only_here[place] if loss is None else min(loss, siting.only_here[place])
        assert siting.runner_up_loses[place] == expected >= 0
        if siting.runner_up[place] >= 0:
            stand_in = covers(matrix, [*others, siting.runner_up[place]], weights, covered)
            assert siting.objective - stand_in == expected
        else:
            assert expected == siting.only_here[place]
    served = siting.assignment >= 0
    assert weights[served].sum() == siting.objective
    assert not (served & covered).any()
    assert matrix[np.flatnonzero(served), siting.assignment[served]].all()


@settings(max_examples=60, deadline=None)
@given(instances(), st.randoms(use_true_random=False))
def test_permuting_changes_nothing(
    instance: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, int],
    random: object,
) -> None:
    matrix, weights, ties, covered, sites = instance
    rows, columns = list(range(matrix.shape[0])), list(range(matrix.shape[1]))
    random.shuffle(rows)  # type: ignore[attr-defined]
    random.shuffle(columns)  # type: ignore[attr-defined]
    one = max_cover(csr_array(matrix), weights, sites=sites, covered=covered, tie_weights=ties)
    mixed = csr_array(matrix[np.ix_(rows, columns)])
    other = max_cover(mixed, weights[rows], sites=sites, covered=covered[rows], tie_weights=ties[rows])
    assert (one.objective, one.bound, one.status) == (other.objective, other.bound, other.status)


@settings(max_examples=60, deadline=None)
@given(instances())
def test_more_sites_and_more_candidates_never_hurt(
    instance: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, int],
) -> None:
    matrix, weights, _, covered, sites = instance
    whole = max_cover(csr_array(matrix), weights, sites=sites, covered=covered)
    if sites < matrix.shape[1]:
        assert max_cover(csr_array(matrix), weights, sites=sites + 1, covered=covered).objective >= whole.objective
        fewer = max_cover(csr_array(matrix[:, :-1]), weights, sites=sites, covered=covered)
        assert fewer.objective <= whole.objective


@settings(max_examples=100, deadline=None)
@given(instances())
def test_the_relaxation_bounds_and_rules_out_rightly(
    instance: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, int],
) -> None:
    matrix, weights, ties, _, sites = instance
    none = np.zeros(len(weights), dtype=bool)
    best, _ = best_of_all(matrix, weights, ties, none, sites)
    problem = Reduced(csr_array(matrix.astype(np.int8)), weights, ties, np.arange(matrix.shape[1]))
    for value in {0, best // 2, max(best - 1, 0)}:
        relaxed = relax(problem, sites, value)
        assert relaxed.bound >= best
        assert len(relaxed.promising) == sites
        for choice in combinations(range(matrix.shape[1]), sites):
            if covers(matrix, choice, weights, none) > value:
                assert not relaxed.out[list(choice)].any()
                assert relaxed.into.sum() == relaxed.into[list(choice)].sum()


def city(demand: int, candidates: int, *, seed: int = 1) -> tuple[csr_matrix, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    people, lots = random.uniform(0, 6000, (demand, 2)), random.uniform(0, 6000, (candidates, 2))
    distance = np.hypot(*(people[:, None] - lots[None]).transpose(2, 0, 1))
    row, column = np.nonzero(distance <= 500)
    reach = csr_matrix((distance[row, column], (row, column)), shape=distance.shape)
    weights = random.integers(0, 120, demand)
    return reach, weights, weights // 5


def test_a_city_is_proven_and_comes_out_the_same_twice() -> None:
    reach, weights, elders = city(3000, 250)
    first = max_cover(reach, weights, sites=12, tie_weights=elders)
    again = max_cover(reach, weights, sites=12, tie_weights=elders)
    assert first.status == "optimal"
    assert first.bound == first.objective
    assert (first.chosen == again.chosen).all()
    none = np.zeros(len(weights), dtype=np.int64)
    problem = Reduced(pattern(csr_array(reach)), weights, none, np.arange(250))
    columns = by_columns(problem)
    by_greedy = add_greedily(columns.cptr, columns.row, weights, columns.free, 12)
    swapped = descend(columns.cptr, columns.row, weights, by_greedy, np.arange(250))
    values = [covered_weight(columns, weights, choice) for choice in (by_greedy, swapped, first.chosen)]
    assert values == sorted(values)
    assert values[-1] == first.objective <= easy_bound(columns, by_greedy, 12)


def test_assignment_is_the_nearest_chosen_site() -> None:
    reach, weights, _ = city(800, 60)
    siting = max_cover(reach, weights, sites=6)
    dense = np.where(pattern(csr_array(reach)).toarray() > 0, reach.toarray(), np.inf)[:, siting.chosen]
    served = np.isfinite(dense).any(axis=1)
    assert (siting.assignment[~served] == -1).all()
    assert (siting.assignment[served] == siting.chosen[dense[served].argmin(axis=1)]).all()


def test_without_time_the_bound_still_holds() -> None:
    reach, weights, _ = city(2500, 300, seed=3)
    hasty = max_cover(reach, weights, sites=15, seconds=0.0)
    proven = max_cover(reach, weights, sites=15)
    assert hasty.objective <= proven.objective <= hasty.bound
    assert hasty.status in {"time_limit", "optimal"}
    assert hasty.gap == (hasty.bound - hasty.objective) / hasty.bound
    loose = max_cover(reach, weights, sites=15, seconds=0.0, gap=0.5)
    assert loose.status in {"within_gap", "optimal"}


def test_a_walk_of_no_length_is_within_reach() -> None:
    reach = csr_array((np.array([0.0, 250.0]), (np.array([0, 1]), np.array([0, 1]))), shape=(2, 2))
    assert max_cover(reach, [5, 3], sites=2).objective == 8
    stored_false = csr_array((np.array([True, False]), (np.array([0, 1]), np.array([0, 1]))), shape=(2, 2))
    assert max_cover(stored_false, [5, 3], sites=2).objective == 5


def test_equal_sites_are_taken_by_index() -> None:
    reach = csr_array(np.array([[1, 1, 1], [0, 0, 1]], dtype=bool))
    assert max_cover(reach, [7, 0], sites=1).chosen.tolist() == [0]
    assert max_cover(reach, [7, 0], sites=1, tie_weights=[0, 2]).chosen.tolist() == [2]


def test_reducing_keeps_what_counts() -> None:
    reach, weights, elders = city(2000, 80)
    small = reduce(pattern(csr_array(reach)), weights, elders, keep=np.ones(2000, dtype=bool))
    reached = np.diff(reach.indptr) > 0
    assert small.weight.sum() == weights[reached].sum()
    assert small.tie.sum() == elders[reached].sum()
    assert small.cover.shape[0] < 2000


@pytest.mark.parametrize(
    ("weights", "sites", "code"),
    [
        ([1.0, np.nan], 1, "gis.siting_weight"),
        ([1.0, np.inf], 1, "gis.siting_weight"),
        ([1, -2], 1, "gis.siting_weight"),
        ([1, 2.5], 1, "gis.siting_weight"),
        ([0, 0], 1, "gis.siting_no_weight"),
        ([1, 2, 3], 1, "gis.siting_shape"),
        ([1, 2], 3, "gis.siting_too_many"),
        ([1, 2], 0, "gis.siting_sites"),
    ],
)
def test_bad_input_is_one_clear_error(weights: list[float], sites: int, code: str) -> None:
    with pytest.raises(InputError) as caught:
        max_cover(csr_array(np.eye(2, dtype=bool)), weights, sites=sites)
    assert [fault.code for fault in caught.value.faults] == [code]


def test_faults_are_reported_together() -> None:
    with pytest.raises(InputError) as caught:
        max_cover(csr_array(np.eye(2, dtype=bool)), [1, -1], sites=9, covered=np.array([True]))
    codes = [fault.code for fault in caught.value.faults]
    assert codes == ["gis.siting_weight", "gis.siting_shape", "gis.siting_too_many"]


def test_other_bad_input() -> None:
    with pytest.raises(InfeasibleError, match="no candidates"):
        max_cover(csr_array((3, 0)), [1, 1, 1], sites=1)
    with pytest.raises(InputError, match="sparse"):
        max_cover(np.eye(2), [1, 1], sites=1)
    with pytest.raises(InputError, match="seconds"):
        max_cover(csr_array(np.eye(2, dtype=bool)), [1, 1], sites=1, seconds=-1)
    with pytest.raises(InputError, match="gap"):
        max_cover(csr_array(np.eye(2, dtype=bool)), [1, 1], sites=1, gap=float("nan"))


def test_nothing_to_do_is_an_empty_answer() -> None:
    reach = csr_array(np.array([[True, False], [False, False]]))
    done = max_cover(reach, [3, 4], sites=1, covered=np.array([True, True]))
    assert (done.status, len(done.chosen), done.objective) == ("all_covered", 0, 0)
    far = max_cover(reach, [3, 4], sites=1, covered=np.array([True, False]))
    assert (far.status, len(far.chosen)) == ("unreachable", 0)
    nobody = max_cover(csr_array((2, 2), dtype=bool), [3, 4], sites=1)
    assert nobody.status == "unreachable"
