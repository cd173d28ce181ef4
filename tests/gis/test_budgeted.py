"""Covering within a budget: equal to exhaustive search, honest about its bound, true in its reasons."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from siting_cases import Covering, coverings, shuffled, subsets, town, whole_numbers

from lifecircle.gis.budgeted import Budgeted, budgeted_cover
from lifecircle.gis.errors import InfeasibleError, InputError
from lifecircle.gis.limited_cover import Limited, first_bound, judged, lowered
from lifecircle.gis.limited_search import search
from lifecircle.gis.median_search import Effort
from lifecircle.gis.money import as_units


@dataclass(frozen=True)
class Case:
    """A covering problem with money."""

    given: Covering
    costs: np.ndarray
    budget: float
    sites: int | None
    must: tuple[int, ...]
    barred: tuple[int, ...]

    def solve(self, **options: object) -> Budgeted:
        given = self.given
        wanted = {
            "site_costs": self.costs,
            "budget": self.budget,
            "covered": given.covered,
            "tie_weights": given.tie,
            "sites": self.sites,
            "must": self.must,
            "barred": self.barred,
            **options,
        }
        return budgeted_cover(given.reach, given.weight, **wanted)  # type: ignore[arg-type]

    def paid(self, chosen: tuple[int, ...] | list[int]) -> float:
        return round(math.fsum(self.costs[list(chosen)]), 6)

    def choices(self) -> list[tuple[int, ...]]:
        """Return every choice that can be paid for."""
        free = [one for one in range(self.given.columns) if one not in self.barred]
        every = (one for one in subsets(free, self.sites) if set(self.must) <= set(one))
        return [one for one in every if self.paid(one) <= self.budget + 1e-9]

    def best(self) -> tuple[int, int, float]:
        return max((*self.given.both(one), -self.paid(one)) for one in self.choices())


@st.composite
def cases(draw: st.DrawFn, *, fixed: bool = True) -> Case:
    given = draw(coverings())
    columns = given.columns
    costs = whole_numbers(draw, columns, 6) * draw(st.sampled_from([1.0, 0.1, 10_000.0]))
    letters = st.sampled_from("ffffmb" if fixed else "f")
    kinds = ["f", *draw(st.lists(letters, min_size=columns - 1, max_size=columns - 1))]
    must, barred = (tuple(at for at, kind in enumerate(kinds) if kind == letter) for letter in "mb")
    free = [at for at, kind in enumerate(kinds) if kind != "b"]
    least = float(costs[list(must)].sum()) if must else float(costs[free].min())
    budget = round(least + draw(st.integers(0, 20)) / 20 * float(costs.sum()), 6)
    sites = draw(st.none() | st.integers(max(1, len(must)), len(free)))
    return Case(given, costs, budget, sites, must, barred)


@settings(max_examples=120, deadline=None)
@given(cases())
def test_equals_exhaustive_search_then_elders_then_cost(case: Case) -> None:
    found = case.solve()
    people, elders, paid = case.best()
    assert found.objective == found.bound == people == case.given.covers(found.chosen)
    assert (found.gap, found.spent, math.fsum(found.cost)) == (0.0, pytest.approx(-paid), found.spent)
    assert case.given.both(found.chosen) == (people, elders)
    assert found.spent <= case.budget * (1 + 1e-12)
    assert set(case.must) <= set(found.chosen.tolist())
    assert not set(case.barred) & set(found.chosen.tolist())
    nobody = "all_covered" if not case.given.weight[~case.given.covered].any() else "unreachable"
    assert found.status == ("optimal" if people or len(found.chosen) else nobody)


@settings(max_examples=60, deadline=None)
@given(cases())
def test_reasons_are_true(case: Case) -> None:
    given, found = case.given, case.solve()
    chosen = found.chosen.tolist()
    assert found.added.sum() == found.objective
    assert (np.diff(found.added) <= 0).all()
    for place, site in enumerate(chosen):
        others = [one for one in chosen if one != site]
        assert found.added[place] == given.covers(chosen[: place + 1]) - given.covers(chosen[:place])
        assert found.served[place] == given.weight[given.matrix[:, site]].sum()
        assert found.only_here[place] == found.objective - given.covers(others)
        spare = [one for one in range(given.columns) if one not in {*chosen, *case.barred}]
        affordable = [one for one in spare if case.paid([*others, one]) <= case.budget + 1e-9]
        losses = [found.objective - given.covers([*others, one]) for one in affordable]
        assert found.runner_up_loses[place] == min([*losses, found.only_here[place]])
        if found.runner_up[place] >= 0:
            stand_in = [*others, int(found.runner_up[place])]
            assert case.paid(stand_in) <= case.budget + 1e-9
            assert found.objective - given.covers(stand_in) == found.runner_up_loses[place]
    served = found.assignment >= 0
    assert given.weight[served].sum() == found.objective
    assert not (served & given.covered).any()


@settings(max_examples=60, deadline=None)
@given(cases(fixed=False), st.randoms(use_true_random=False))
def test_order_changes_nothing_and_more_money_or_sites_or_candidates_never_hurt(case: Case, random: object) -> None:
    found = case.solve()
    rows, columns = (shuffled(random, count) for count in case.given.matrix.shape)
    mixed = replace(case, given=case.given.mixed(rows, columns), costs=case.costs[columns]).solve()
    assert (mixed.objective, mixed.bound, mixed.status) == (found.objective, found.bound, found.status)
    assert mixed.spent == pytest.approx(found.spent)
    assert case.solve(budget=case.budget * 1.5).objective >= found.objective
    assert case.solve(sites=None).objective >= found.objective
    wider = np.column_stack([case.given.matrix, np.arange(len(rows)) % 2 == 0])
    more = replace(case, given=replace(case.given, matrix=wider), costs=np.append(case.costs, case.costs.max()))
    assert more.solve().objective >= found.objective
    closer = case.given.matrix | (np.indices(case.given.matrix.shape).sum(axis=0) % 3 == 0)  # a longer limit
    assert replace(case, given=replace(case.given, matrix=closer)).solve().objective >= found.objective


@settings(max_examples=80, deadline=None)
@given(cases(fixed=False), st.lists(st.floats(0, 12), min_size=8, max_size=8), st.floats(0, 5))
def test_any_prices_bound_and_rule_out_rightly(case: Case, prices: list[float], charge: float) -> None:
    given = case.given
    units, most = as_units(case.costs, case.budget)
    weight = np.where(given.covered, 0, given.weight)
    use = units[None, :].astype(np.int64)
    problem = Limited(
        csr_array(given.matrix.astype(np.int8)), weight, given.tie, use, np.array([most]), use, np.arange(given.columns)
    )
    every = [one for one in replace(case, sites=None).choices() if units[list(one)].sum() <= most]
    best = max(int(weight[given.matrix[:, list(one)].any(axis=1)].sum()) for one in every)
    for value in {0, best // 2, max(best - 1, 0)}:
        for known in (
            judged(problem, value, np.array(prices[: len(weight)]), np.array([charge])),
            lowered(problem, value, first_bound(problem, value), 60),
        ):
            assert known.bound >= best
            for choice in every:
                if weight[given.matrix[:, list(choice)].any(axis=1)].sum() > value:
                    assert not known.out[list(choice)].any()
                    assert known.into.sum() == known.into[list(choice)].sum()


def test_a_town_is_proven_and_comes_out_the_same_twice() -> None:
    reach, weights = town(1500, 150, seed=3, limit=250)
    costs = np.random.default_rng(3).integers(40, 400, 150) * 10_000.0
    first, again = (
        budgeted_cover(reach, weights, site_costs=costs, budget=2e7, tie_weights=weights // 5) for _ in range(2)
    )
    assert first.status == "optimal"
    assert first.chosen.tolist() == again.chosen.tolist()
    hasty = budgeted_cover(reach, weights, site_costs=costs, budget=2e7, seconds=0.0)
    assert hasty.objective <= first.objective <= hasty.bound
    assert hasty.status in {"time_limit", "optimal"}
    assert hasty.gap == (hasty.bound - hasty.objective) / hasty.bound
    loose = budgeted_cover(reach, weights, site_costs=costs, budget=2e7, gap=0.2)
    assert loose.status in {"within_gap", "optimal"}
    less = budgeted_cover(reach, weights, site_costs=costs, budget=1e7)
    assert less.objective < first.objective


def test_the_search_finds_what_the_greedy_choice_misses() -> None:
    reach = csr_array(np.array([[1, 1, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=bool))
    found = budgeted_cover(reach, [1, 6, 6, 20], site_costs=[1, 1, 4], budget=4)
    assert (found.chosen.tolist(), found.objective, found.spent) == ([2], 20, 4)


def test_equal_sites_are_taken_by_elders_then_cost_then_number() -> None:
    reach = csr_array(np.ones((1, 3), dtype=bool))
    assert budgeted_cover(reach, [7], site_costs=[2, 1, 1], budget=3).chosen.tolist() == [1]
    two = csr_array(np.array([[1, 0, 0], [0, 1, 1]], dtype=bool))
    assert budgeted_cover(two, [7, 7], site_costs=[1, 3, 3], budget=3, tie_weights=[1, 2]).chosen.tolist() == [1]


def test_a_budget_is_kept_to_the_cent() -> None:
    reach = csr_array(np.eye(2, dtype=bool))
    assert len(budgeted_cover(reach, [1, 1], site_costs=[0.1, 0.2], budget=0.3).chosen) == 2
    assert len(budgeted_cover(reach, [1, 1], site_costs=[0.1, 0.200001], budget=0.3).chosen) == 1
    large = budgeted_cover(reach, [1, 1], site_costs=[123_456_789.01, 87_654_321.02], budget=211_111_110.02)
    assert len(large.chosen) == 1


@pytest.mark.parametrize("seed", range(3))
def test_odd_costs_are_held_by_the_solver(seed: int) -> None:
    random = np.random.default_rng(seed)
    matrix, cost = random.random((12, 10)) < 0.3, random.integers(10**8, 10**9, 10)
    weight, none = random.integers(1, 50, 12), np.zeros(12, dtype=np.int64)
    most = int(cost.sum() // 3)
    use = cost[None, :].astype(np.int64)
    problem = Limited(csr_array(matrix.astype(np.int8)), weight, none, use, np.array([most]), use, np.arange(10))
    found = search(problem, Effort())
    best = max(
        int(weight[matrix[:, list(one)].any(axis=1)].sum())
        for one in subsets(range(10))
        if cost[list(one)].sum() <= most
    )
    assert found.bound == best == weight[problem.covered(found.inside)].sum()


@pytest.mark.parametrize(
    ("options", "codes"),
    [
        ({"budget": 1}, ["gis.budget_low"]),
        ({"budget": np.nan}, ["gis.budget_number"]),
        ({"budget": -1}, ["gis.budget_number"]),
        ({"budget": np.inf}, ["gis.budget_number"]),
        ({"site_costs": [2, np.nan]}, ["gis.siting_site_cost"]),
        ({"site_costs": [2, -3]}, ["gis.siting_site_cost"]),
        ({"site_costs": [2]}, ["gis.siting_shape"]),
        ({"weights": [1, -1], "budget": 0}, ["gis.siting_weight", "gis.budget_low"]),
        ({"weights": [1, np.nan]}, ["gis.siting_weight"]),
        ({"weights": [0, 0]}, ["gis.siting_no_weight"]),
        ({"covered": [True]}, ["gis.siting_shape"]),
        ({"tie_weights": [1, 0.5]}, ["gis.siting_weight"]),
        ({"sites": 3}, ["gis.siting_too_many"]),
        ({"sites": 0}, ["gis.siting_sites"]),
        ({"must": [0, 1]}, ["gis.budget_must"]),
        ({"must": [0], "barred": [0], "budget": 9}, ["gis.siting_contradiction"]),
        ({"barred": [5]}, ["gis.siting_column"]),
        ({"seconds": -1}, ["gis.siting_limit"]),
    ],
)
def test_bad_input_is_told_at_once(options: dict[str, object], codes: list[str]) -> None:
    wanted = {"weights": [3, 4], "site_costs": [2, 3], "budget": 3, **options}
    with pytest.raises(InputError) as caught:
        budgeted_cover(csr_array(np.eye(2, dtype=bool)), **wanted)  # type: ignore[arg-type]
    assert [fault.code for fault in caught.value.faults] == codes


def test_nothing_to_choose_and_nobody_to_reach() -> None:
    with pytest.raises(InfeasibleError, match="no candidates"):
        budgeted_cover(csr_array((2, 0)), [1, 1], site_costs=[], budget=1)
    with pytest.raises(InfeasibleError, match="no candidates"):
        budgeted_cover(csr_array(np.eye(2)), [1, 1], site_costs=[1, 1], budget=1, barred=[0, 1])
    nobody = budgeted_cover(csr_array((2, 2), dtype=bool), [3, 4], site_costs=[1, 1], budget=1)
    assert (nobody.status, nobody.chosen.tolist(), nobody.spent) == ("unreachable", [], 0.0)
    done = budgeted_cover(csr_array(np.eye(2)), [3, 4], site_costs=[1, 1], budget=1, covered=[True, True])
    assert (done.status, done.objective) == ("all_covered", 0)
