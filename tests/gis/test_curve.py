"""The curve of people against sites or yuan: each point equal to solving it alone, bounds that hold, a stated knee."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from lifecircle.gis.budgeted import budgeted_cover
from lifecircle.gis.curve import cover_curve, knee_of
from lifecircle.gis.curve_sites import bounds_of_prices, tightened
from lifecircle.gis.errors import InfeasibleError, InputError
from lifecircle.gis.siting import CoverModel, max_cover
from lifecircle.gis.siting_bound import by_columns
from lifecircle.gis.siting_reduce import Reduced
from lifecircle.layers.words import say

Instance = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


@st.composite
def instances(draw: st.DrawFn) -> Instance:
    rows, columns = draw(st.integers(1, 9)), draw(st.integers(1, 7))
    flat = st.lists(st.booleans(), min_size=rows * columns, max_size=rows * columns)

    def column(values: st.SearchStrategy[int], size: int = rows) -> np.ndarray:
        return np.array(draw(st.lists(values, min_size=size, max_size=size)))

    matrix = np.array(draw(flat)).reshape(rows, columns)
    weights = column(st.integers(0, 9))
    weights[0] += 1
    covered = column(st.integers(0, 3)) == 0
    return matrix, weights, column(st.integers(0, 4)), covered, column(st.integers(1, 5), columns).astype(float)


@settings(max_examples=120, deadline=None)
@given(instances())
def test_every_point_equals_solving_it_alone(instance: Instance) -> None:
    matrix, weights, ties, covered, costs = instance
    reach, most = csr_array(matrix), matrix.shape[1]
    curve = cover_curve(reach, weights, most_sites=most, covered=covered, tie_weights=ties, site_costs=costs)
    for place, sites in enumerate(curve.sites.tolist()):
        alone = max_cover(reach, weights, sites=sites, covered=covered, tie_weights=ties)
        assert curve.covered[place] == curve.bound[place] == alone.objective
        chosen = curve.chosen[place]
        hit = matrix[:, chosen].any(axis=1) & ~covered
        assert weights[hit].sum() == curve.covered[place]
        assert len(chosen) <= sites
        assert curve.cost[place] == costs[chosen].sum()
    whole = max_cover(reach, weights, sites=most, covered=covered)
    assert curve.covered.max(initial=0) == whole.objective  # where it ends, more sites add nobody
    assert curve.sites.tolist() == list(range(1, len(curve.sites) + 1))
    assert curve.status == whole.status
    assert curve.before == weights[covered].sum()


@settings(max_examples=80, deadline=None)
@given(instances(), st.data())
def test_sites_that_must_be_and_must_not(instance: Instance, data: st.DataObject) -> None:
    matrix, weights, _, covered, _ = instance
    columns = matrix.shape[1]
    fate = data.draw(st.lists(st.sampled_from("fio"), min_size=columns, max_size=columns))
    must = [one for one, kind in enumerate(fate) if kind == "i"]
    barred = [one for one, kind in enumerate(fate) if kind == "o"]
    if len(barred) == columns:
        barred.pop()
    most = columns - len(barred)
    curve = cover_curve(csr_array(matrix), weights, most_sites=most, covered=covered, must=must, barred=barred)
    model = CoverModel(csr_array(matrix), weights, covered=covered)
    assert curve.sites[:1].tolist() in ([], [max(1, len(must))])
    for place, sites in enumerate(curve.sites.tolist()):
        alone = model.solve(sites=sites, must=must, barred=barred)
        assert curve.covered[place] == curve.bound[place] == alone.objective
        assert set(must) <= set(curve.chosen[place].tolist())
        assert not set(barred) & set(curve.chosen[place].tolist())


@settings(max_examples=80, deadline=None)
@given(instances(), st.sets(st.integers(1, 25), min_size=1, max_size=5))
def test_every_budget_equals_solving_it_alone(instance: Instance, sums: set[int]) -> None:
    matrix, weights, ties, covered, costs = instance
    reach = csr_array(matrix)
    budgets = sorted(one for one in sums if one >= costs.min()) or [float(costs.min())]
    curve = cover_curve(reach, weights, budgets=budgets, covered=covered, tie_weights=ties, site_costs=costs)
    assert curve.budget.tolist() == budgets
    for place, budget in enumerate(budgets):
        alone = budgeted_cover(reach, weights, site_costs=costs, budget=budget, covered=covered, tie_weights=ties)
        every = (one for size in range(len(costs) + 1) for one in combinations(range(len(costs)), size))
        best = max(
            weights[matrix[:, list(one)].any(axis=1) & ~covered].sum()
            for one in every
            if costs[list(one)].sum() <= budget
        )
        assert curve.covered[place] == curve.bound[place] == alone.objective == best
        assert curve.cost[place] == costs[curve.chosen[place]].sum() <= budget
        assert curve.sites[place] == len(curve.chosen[place])
    assert (np.diff(curve.covered) >= 0).all()


@settings(max_examples=80, deadline=None)
@given(instances(), st.lists(st.floats(-3, 15), min_size=9, max_size=9))
def test_bounds_hold_for_any_prices_and_after_they_are_tightened(instance: Instance, prices: list[float]) -> None:
    matrix, weights, ties, _, _ = instance
    most = matrix.shape[1]
    columns = by_columns(Reduced(csr_array(matrix.astype(np.int8)), weights, ties, np.arange(most)))
    bounds = bounds_of_prices(columns, np.array(prices[: len(weights)]), most)
    best = np.array(
        [
            max(weights[matrix[:, list(one)].any(axis=1)].sum() for one in combinations(range(most), sites))
            for sites in range(1, most + 1)
        ]
    )
    assert (bounds >= best).all()
    assert (tightened(bounds) >= best).all()
    assert (tightened(bounds) <= bounds).all()
    assert tightened(best).tolist() == best.tolist()


def points(demand: int, *, seed: int = 5) -> tuple[csr_array, np.ndarray]:
    random = np.random.default_rng(seed)
    people = random.uniform(0, 4000, (demand, 2))
    distance = np.hypot(*(people[:, None] - people[None]).transpose(2, 0, 1))
    row, column = np.nonzero(distance <= 450)
    return csr_array((distance[row, column], (row, column)), shape=distance.shape), random.integers(1, 500, demand)


def test_a_larger_curve_never_falls_and_its_bounds_hold() -> None:
    reach, weights = points(300)
    curve = cover_curve(reach, weights, most_sites=12, seconds=8)
    assert (curve.bound >= curve.covered).all()
    assert (np.diff(curve.covered) >= 0).all()
    assert (np.diff(curve.bound) >= 0).all()
    assert 0 <= curve.knee < 12
    for sites in (3, 9):
        alone = max_cover(reach, weights, sites=sites)
        assert alone.objective <= curve.bound[sites - 1]
        assert curve.covered[sites - 1] <= alone.bound
    short = cover_curve(reach, weights, most_sites=12, seconds=0)
    assert (short.bound >= curve.covered).all()
    assert (short.covered <= curve.bound).all()
    assert short.status == "time_limit"


def test_the_knee_is_farthest_above_the_chord_and_the_first_of_equal_ones() -> None:
    assert knee_of([1, 2, 3, 4], [50, 80, 90, 92]) == 1
    assert knee_of([1, 2, 3, 4], [40, 80, 100, 120]) == 1
    assert knee_of([10.0, 20.0, 80.0], [10, 60, 80]) == 1
    for straight in ([], [7], [5, 10, 15], [0, 0, 0]):
        assert knee_of(range(1, len(straight) + 1), straight) == -1
    large = 2**60  # products of such numbers do not fit into 64 bits, and as floats these points are on the chord
    assert knee_of([1, 2, 3], [2 * large, 4 * large + 1, 6 * large]) == 1


def test_nothing_to_choose_is_an_empty_curve() -> None:
    reach = csr_array(np.array([[True, False], [False, False]]))
    done = cover_curve(reach, [3, 4], most_sites=2, covered=[True, True])
    assert (done.status, len(done.sites), done.knee, done.before) == ("all_covered", 0, -1, 7)
    far = cover_curve(reach, [3, 4], most_sites=2, covered=[True, False])
    assert (far.status, len(far.sites)) == ("unreachable", 0)
    money = cover_curve(reach, [3, 4], budgets=[5, 6], site_costs=[1, 1], covered=[True, False])
    assert (money.status, money.covered.tolist()) == ("unreachable", [0, 0])


@pytest.mark.parametrize(
    ("changed", "codes"),
    [
        ({"most_sites": 3}, ["gis.siting_too_many"]),
        ({"most_sites": 0}, ["gis.siting_sites"]),
        ({}, ["gis.curve_axis"]),
        ({"most_sites": 1, "budgets": [3]}, ["gis.curve_axis"]),
        ({"budgets": [3]}, ["gis.siting_budget_costs"]),
        ({"budgets": [], "site_costs": [1, 2]}, ["gis.curve_budgets"]),
        ({"budgets": [3, 3], "site_costs": [1, 2]}, ["gis.curve_budgets"]),
        ({"budgets": [1, 3], "site_costs": [2, 4]}, ["gis.budget_low"]),
        ({"budgets": [float("nan")], "site_costs": [2, 4]}, ["gis.budget_number"]),
        ({"budgets": [3], "site_costs": [2, 4, 6]}, ["gis.siting_shape"]),
        ({"budgets": [3], "site_costs": [2, 4], "must": [1]}, ["gis.budget_must"]),
        (
            {"weights": [1, -1], "most_sites": 9, "seconds": -1},
            ["gis.siting_limit", "gis.siting_weight", "gis.siting_too_many"],
        ),
    ],
)
def test_bad_input_is_one_clear_sentence_each(changed: dict[str, object], codes: list[str]) -> None:
    weights = changed.pop("weights", [3, 4])
    with pytest.raises(InputError) as caught:
        cover_curve(csr_array(np.eye(2, dtype=bool)), weights, **changed)  # type: ignore[arg-type]
    assert [fault.code for fault in caught.value.faults] == codes
    for fault in caught.value.faults:
        for language in ("zh", "en"):
            assert say(fault.code, language, **{"value": fault.value, **fault.detail})


def test_no_candidates() -> None:
    with pytest.raises(InfeasibleError, match="no candidates"):
        cover_curve(csr_array((3, 0)), [1, 1, 1], most_sites=1)


def test_a_broken_cost_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        cover_curve(csr_array(np.eye(2, dtype=bool)), [3, 4], budgets=[3], site_costs=[2, float("nan")])
    assert [fault.code for fault in caught.value.faults] == ["gis.siting_site_cost"]
