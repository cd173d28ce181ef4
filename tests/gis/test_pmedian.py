"""p-median: the published optima, equal to exhaustive search on small instances, honest about its bound."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from siting_cases import Walks, published, read_graph, shuffled, town, walks

from lifecircle.gis.errors import InfeasibleError, InputError
from lifecircle.gis.located import problem_of
from lifecircle.gis.median_search import Effort
from lifecircle.gis.pmedian import p_median
from lifecircle.gis.siting_check import Fixed, check

if TYPE_CHECKING:
    from pathlib import Path

    from lifecircle.gis.located import Located

BEYOND = 12.0


class Case(Walks):
    """A small instance and what it costs."""

    def total(self, chosen: tuple[int, ...] | list[int], beyond: float, weight: np.ndarray | None = None) -> float:
        weights = self.weight if weight is None else weight
        far = np.minimum(self.walks(chosen), beyond)
        return float(sum(w * walk for w, walk in zip(weights, far, strict=True) if w))

    def solve(self, beyond: float | None = BEYOND, **options: object) -> Located:
        return p_median(
            self.reach,
            self.weight,
            sites=self.sites,
            beyond=beyond,
            fixed=self.fixed,
            **options,  # type: ignore[arg-type]
        )


@st.composite
def cases(draw: st.DrawFn, *, fixed: bool = True) -> Case:
    plain = draw(walks(near=1, fixed=fixed))
    return Case(plain.cost, plain.weight, plain.tie, plain.fixed, plain.sites)


@settings(max_examples=150, deadline=None)
@given(cases())
def test_equals_exhaustive_search(case: Case) -> None:
    found = case.solve()
    best = min(case.total(one, BEYOND) for one in case.choices())
    assert found.objective == found.bound == best == case.total(found.chosen.tolist(), BEYOND)
    assert (found.status, found.gap) == ("optimal", 0.0)
    assert set(case.fixed.must) <= set(found.chosen.tolist())
    assert not set(found.chosen.tolist()) & {*case.fixed.existing, *case.fixed.barred}


@settings(max_examples=150, deadline=None)
@given(cases())
def test_everybody_is_reached_or_it_is_said_why_not(case: Case) -> None:
    best = min(case.total(one, np.inf) for one in case.choices())
    try:
        found = case.solve(beyond=None)
    except InfeasibleError as error:
        assert best == np.inf
        fault = error.faults[0]
        usable = [column for column in range(case.cost.shape[1]) if column not in case.fixed.barred]
        alone = np.flatnonzero(~np.isfinite(case.cost[:, usable]).any(axis=1) & (case.weight > 0))
        if len(alone):
            assert fault.code == "gis.siting_out_of_reach"
            assert fault.detail["rows"] == alone.tolist()
            assert fault.detail["weight"] == case.weight[alone].sum()
        else:
            assert fault.code == "gis.siting_too_few"
            assert fault.detail["needed"] > case.sites
    else:
        assert found.objective == found.bound == best
        assert np.isfinite(found.walk[case.weight > 0]).all()


@settings(max_examples=100, deadline=None)
@given(cases())
def test_among_equals_elders_walk_less(case: Case) -> None:
    found = case.solve(tie_weights=case.tie)
    best = min((case.total(one, BEYOND), case.total(one, 9.0, case.tie)) for one in case.choices())
    if len(found.chosen) == case.sites:  # sites that would shorten nobody's walk are left out
        limit = float(case.cost[np.isfinite(case.cost)].max(initial=0.0))
        best = min((case.total(one, BEYOND), case.total(one, limit, case.tie)) for one in case.choices())
        assert (found.objective, case.total(found.chosen.tolist(), limit, case.tie)) == best


@settings(max_examples=80, deadline=None)
@given(cases(fixed=False))
def test_reasons_are_true(case: Case) -> None:
    found = case.solve()
    chosen = found.chosen.tolist()
    assert found.saved.sum() == pytest.approx(case.total([], BEYOND) - found.objective)
    assert (np.diff(found.saved) <= 1e-9).all()
    for place, site in enumerate(chosen):
        others = [other for other in chosen if other != site]
        spare = case.free(chosen)
        rises = [case.total([*others, one], BEYOND) - found.objective for one in spare]
        assert found.runner_up_loses[place] == pytest.approx(min(rises, default=np.inf))
        if rises:
            swapped = case.total([*others, int(found.runner_up[place])], BEYOND)
            assert swapped - found.objective == pytest.approx(min(rises))
        assert found.served[place] == case.weight[found.assignment == site].sum()
        alone = np.isfinite(case.cost[:, site]) & ~np.isfinite(case.cost[:, others]).any(axis=1)
        assert found.only_here[place] == case.weight[alone].sum()
    assert (found.walk == case.walks(chosen)).all()
    near = found.assignment >= 0
    assert (case.cost[np.flatnonzero(near), found.assignment[near]] == found.walk[near]).all()


@settings(max_examples=60, deadline=None)
@given(cases(fixed=False), st.randoms(use_true_random=False))
def test_permuting_changes_nothing_and_more_never_hurts(case: Case, random: object) -> None:
    found = case.solve()
    rows, columns = (shuffled(random, count) for count in case.cost.shape)
    mixed = Case(case.cost[np.ix_(rows, columns)], case.weight[rows], case.tie[rows], Fixed(), case.sites).solve()
    assert (mixed.objective, mixed.bound, mixed.status) == (found.objective, found.bound, found.status)
    if case.sites < case.cost.shape[1]:
        assert Case(case.cost, case.weight, case.tie, Fixed(), case.sites + 1).solve().objective <= found.objective
        assert Case(case.cost[:, 1:], case.weight, case.tie, Fixed(), case.sites).solve().objective >= found.objective


def test_unrounded_metres_are_proven_and_come_out_the_same_twice() -> None:
    reach, weights = town(600, 120, seed=1)
    first, again = (p_median(reach, weights, sites=10) for _ in range(2))
    assert first.status == "optimal"
    assert first.objective == pytest.approx(float((first.walk * weights).sum()))
    assert (first.chosen == again.chosen).all()
    assert first.work == again.work
    fewer = p_median(reach, weights, sites=9)
    assert fewer.objective > first.objective


def test_a_limit_of_nodes_stops_at_the_same_answer() -> None:
    reach, weights = town(500, 500, seed=4, limit=700)
    whole = p_median(reach, weights, sites=12, beyond=1000)
    some, same = (p_median(reach, weights, sites=12, beyond=1000, effort=Effort(nodes=1)) for _ in range(2))
    assert some.bound <= whole.objective <= some.objective
    assert (some.objective, some.bound, some.chosen.tolist()) == (same.objective, same.bound, same.chosen.tolist())
    assert some.status in {"work_limit", "optimal"}
    loose = p_median(reach, weights, sites=12, beyond=1000, effort=Effort(gap=0.05))
    assert loose.status in {"within_gap", "optimal"}
    assert loose.bound <= whole.objective <= loose.objective <= whole.objective * 1.06
    hasty = p_median(reach, weights, sites=12, beyond=1000, effort=Effort(seconds=0.0))
    assert hasty.bound <= whole.objective <= hasty.objective


@pytest.mark.parametrize("number", range(1, 11))
def test_published_optimum_is_reached_and_proven(places: Path, number: int) -> None:
    best = published(places / "locopt" / "pmedopt_pmedian.txt")
    reach, sites = read_graph(places / "locopt" / f"pmed{number}.txt")
    found = p_median(reach, np.ones(reach.shape[0], dtype=int), sites=sites)
    assert found.objective == found.bound == best[f"pmed{number}"]
    assert found.status == "optimal"


def test_all_costs_equal_to_the_limit_leave_nothing_to_choose() -> None:
    found = p_median(csr_array(np.full((3, 2), 5.0)), [1, 2, 3], sites=1, beyond=5)
    assert (found.objective, found.bound, len(found.chosen)) == (30.0, 30.0, 0)
    empty = p_median(csr_array((2, 2)), [1, 2], sites=1, beyond=5)
    assert (empty.objective, empty.chosen.tolist(), empty.assignment.tolist()) == (15.0, [], [-1, -1])


def test_the_existing_serve_and_are_not_counted() -> None:
    reach = csr_array(np.array([[100.0, 1.0, 60.0], [900.0, 100.0, 60.0]]))
    found = p_median(reach, [1, 1], sites=1, fixed=Fixed(existing=[0]))
    assert found.chosen.tolist() == [1]
    assert found.objective == 101
    assert p_median(reach, [9, 1], sites=1, fixed=Fixed(existing=[1])).assignment.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("options", "codes"),
    [
        ({"weights": [1, np.nan]}, ["gis.siting_weight"]),
        ({"weights": [1, -1], "sites": 9}, ["gis.siting_weight", "gis.siting_too_many"]),
        ({"weights": [0, 0]}, ["gis.siting_no_weight"]),
        ({"sites": 0}, ["gis.siting_sites"]),
        ({"sites": 4}, ["gis.siting_too_many"]),
        ({"sites": 3, "fixed": Fixed(existing=[0])}, ["gis.siting_too_many"]),
        ({"beyond": 3.0}, ["gis.siting_beyond"]),
        ({"beyond": np.nan}, ["gis.siting_beyond"]),
        ({"fixed": Fixed(must=[0], barred=[0])}, ["gis.siting_contradiction"]),
        ({"fixed": Fixed(must=[7])}, ["gis.siting_column"]),
        ({"fixed": Fixed(must=[0, 1])}, ["gis.siting_must"]),
        ({"site_costs": [1, 2, -3]}, ["gis.siting_site_cost"]),
        ({"site_costs": [1, 2]}, ["gis.siting_shape"]),
        ({"tie_weights": [1]}, ["gis.siting_shape"]),
        ({"effort": Effort(seconds=-1)}, ["gis.siting_limit"]),
    ],
)
def test_bad_input_is_told_at_once(options: dict[str, object], codes: list[str]) -> None:
    reach = csr_array(np.array([[1.0, 2.0, 9.0], [4.0, 5.0, 6.0]]))
    with pytest.raises(InputError) as caught:
        p_median(reach, **{"weights": [1, 1], "sites": 1, **options})  # type: ignore[arg-type]
    assert [fault.code for fault in caught.value.faults] == codes


def test_other_bad_input() -> None:
    with pytest.raises(InputError) as caught:
        p_median(csr_array(np.array([[np.nan, -1.0]])), [1], sites=1)
    assert [fault.code for fault in caught.value.faults] == ["gis.siting_cost"]
    with pytest.raises(InfeasibleError, match="no candidates"):
        p_median(csr_array((3, 0)), [1, 1, 1], sites=1)
    with pytest.raises(InfeasibleError, match="no candidates"):
        p_median(csr_array(np.ones((1, 2))), [1], sites=1, fixed=Fixed(barred=[0, 1]))
    left_out = p_median(csr_array(np.array([[3.0], [np.inf]]))[:1], [4], sites=1, leave_unreachable=True)
    assert left_out.objective == 12


def test_who_is_out_of_reach_may_be_left_out() -> None:
    reach = csr_array(([3.0, 4.0], ([0, 2], [0, 1])), shape=(3, 2))
    found = p_median(reach, [1, 5, 2], sites=2, leave_unreachable=True)
    assert found.unreachable.tolist() == [1]
    assert found.objective == 11
    with pytest.raises(InfeasibleError, match="weight 5"):
        p_median(reach, [1, 5, 2], sites=2)


def test_a_row_out_of_reach_costs_more_than_all_others() -> None:
    reach, weights = town(50, 20, seed=2, limit=900)
    problem, everybody = problem_of(check(reach, weights, fixed=Fixed()), weights, None)
    assert everybody > problem.cost.sum() / reach.shape[1]
    assert set(np.unique(problem.base)) <= {0.0, everybody}
