"""Existing sites that may close: equal to exhaustive search, true in its reasons, never worse than leaving all open."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from siting_cases import Covering, coverings, shuffled, subsets, town, whole_numbers

from lifecircle.gis.errors import InfeasibleError, InputError
from lifecircle.gis.relocate import Money, Relocated, relocate
from lifecircle.gis.siting import max_cover


@dataclass(frozen=True)
class Case:
    """A covering problem in which some sites stand."""

    given: Covering
    existing: tuple[int, ...]
    closable: tuple[int, ...]
    sites: int
    closings: int
    costs: np.ndarray
    closing: np.ndarray
    budget: float | None

    def solve(self, **options: object) -> Relocated:
        given = self.given
        wanted = {
            "existing": self.existing,
            "closable": self.closable,
            "sites": self.sites,
            "closings": self.closings,
            "covered": given.covered,
            "tie_weights": given.tie,
            "money": Money(self.costs, self.budget, self.closing),
            **options,
        }
        return relocate(given.reach, given.weight, **wanted)  # type: ignore[arg-type]

    @property
    def free(self) -> list[int]:
        return [one for one in range(self.given.columns) if one not in self.existing]

    def paid(self, new: tuple[int, ...], closed: tuple[int, ...]) -> float:
        return float(self.costs[list(new)].sum() + self.closing[list(closed)].sum())

    def allowed(self, new: tuple[int, ...], closed: tuple[int, ...]) -> bool:
        fits = len(new) <= self.sites + len(closed) and len(closed) <= self.closings
        return fits and (self.budget is None or self.paid(new, closed) <= self.budget)

    def standing(self, closed: tuple[int, ...]) -> list[int]:
        return [one for one in self.existing if one not in closed]

    def best(self) -> tuple[int, int, int, float]:
        every = (
            (new, closed)
            for closed in subsets(self.closable, self.closings)
            for new in subsets(self.free, self.sites + len(closed))
            if self.allowed(new, closed)
        )
        return max(
            (*self.given.both([*self.standing(closed), *new]), -len(closed), -self.paid(new, closed))
            for new, closed in every
        )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    given = draw(coverings())
    columns = given.columns
    kinds = ["f", *draw(st.lists(st.sampled_from("ffec"), min_size=columns - 1, max_size=columns - 1))]
    existing = tuple(at for at, kind in enumerate(kinds) if kind != "f")
    closable = tuple(at for at, kind in enumerate(kinds) if kind == "c")
    closings = draw(st.integers(0, len(closable)))
    sites = draw(st.integers(0 if closings else 1, columns - len(existing)))
    costs, closing = whole_numbers(draw, columns, 6).astype(float), whole_numbers(draw, columns, 2).astype(float)
    free = [at for at, kind in enumerate(kinds) if kind == "f"]
    budget = draw(st.none() | st.integers(0, 15).map(lambda more: float(costs[free].min() + more)))
    return Case(given, existing, closable, sites, closings, costs, closing, budget)


@settings(max_examples=120, deadline=None)
@given(cases())
def test_equals_exhaustive_search_then_elders_then_fewer_closings_then_cost(case: Case) -> None:
    found = case.solve()
    new, closed = tuple(found.chosen.tolist()), tuple(found.closed.tolist())
    is_open = [*case.standing(closed), *new]
    assert case.allowed(new, closed)
    assert set(closed) <= set(case.closable)
    assert (*case.given.both(is_open), -len(closed), -found.spent) == case.best()
    assert found.objective == found.bound == case.given.covers(is_open)
    assert found.status in {"optimal", "unreachable", "all_covered"}
    assert found.before == case.given.covers(case.existing) <= found.objective
    assert found.spent == pytest.approx(case.paid(new, closed))
    assert found.kept.tolist() == case.standing(closed)


@settings(max_examples=60, deadline=None)
@given(cases())
def test_reasons_are_true(case: Case) -> None:
    given, found = case.given, case.solve()
    chosen, closed, kept = found.chosen.tolist(), found.closed.tolist(), found.kept.tolist()
    assert given.covers(kept) + found.added.sum() == found.objective
    for place, site in enumerate(chosen):
        others = [*kept, *(one for one in chosen if one != site)]
        assert found.only_here[place] == found.objective - given.covers(others)
        other = int(found.runner_up[place])
        if other >= 0:
            assert found.runner_up_loses[place] == found.objective - given.covers([*others, other])
            new = tuple(one for one in [*chosen, other] if one not in {site, *closed})
            assert case.allowed(new, tuple(one for one in closed if one != other))
    for place, site in enumerate(closed):
        rows = given.matrix[:, site]
        assert found.closed_served[place] == given.weight[rows].sum()
        assert found.closed_left[place] == given.covers([*kept, *chosen, site]) - found.objective
    served = found.assignment >= 0
    assert given.weight[served].sum() == found.objective
    assert given.matrix[np.flatnonzero(served), found.assignment[served]].all()


@settings(max_examples=60, deadline=None)
@given(cases(), st.randoms(use_true_random=False))
def test_order_changes_nothing_and_more_never_hurts(case: Case, random: object) -> None:
    found = case.solve()
    rows, columns = (shuffled(random, count) for count in case.given.matrix.shape)
    where = {column: place for place, column in enumerate(columns)}
    mixed = replace(
        case,
        given=case.given.mixed(rows, columns),
        existing=tuple(where[one] for one in case.existing),
        closable=tuple(where[one] for one in case.closable),
        costs=case.costs[columns],
        closing=case.closing[columns],
    ).solve()
    assert (mixed.objective, mixed.bound, len(mixed.closed)) == (found.objective, found.bound, len(found.closed))
    assert mixed.spent == pytest.approx(found.spent)
    if case.closings < len(case.closable):
        assert case.solve(closings=case.closings + 1).objective >= found.objective
    if case.sites < len(case.free):
        assert case.solve(sites=case.sites + 1).objective >= found.objective
    if case.budget is not None:
        assert case.solve(money=Money(case.costs, case.budget + 3, case.closing)).objective >= found.objective


def test_without_closings_it_is_maximal_covering() -> None:
    reach, weights = town(600, 60, seed=9, limit=400)
    existing = list(range(10))
    covered = np.asarray(reach[:, existing].sum(axis=1) > 0)
    plain = max_cover(reach[:, 10:], weights, sites=8, covered=covered)
    found = relocate(reach, weights, existing=existing, closable=[], sites=8, closings=0)
    assert found.objective - found.before == plain.objective
    freed = relocate(reach, weights, existing=existing, closable=existing, sites=8, closings=5)
    assert freed.status == "optimal"
    assert freed.objective > found.objective
    assert len(freed.chosen) == 8 + len(freed.closed)
    hasty = relocate(reach, weights, existing=existing, closable=existing, sites=8, closings=5, seconds=0.0)
    assert hasty.objective <= freed.objective <= hasty.bound


def test_every_choice_of_closings_is_covered_in_the_small() -> None:
    matrix = np.random.default_rng(4).random((30, 8)) < 0.25
    weight = np.random.default_rng(4).integers(1, 40, 30)
    found = relocate(csr_array(matrix), weight, existing=[0, 1, 2, 3], closable=[0, 1, 2, 3], sites=0, closings=2)
    best = max(
        int(weight[matrix[:, [*(one for one in range(4) if one not in closed), *new]].any(axis=1)].sum())
        for closed in subsets(range(4), 2)
        for new in combinations(range(4, 8), len(closed))
    )
    assert found.objective == found.bound == best


@pytest.mark.parametrize(
    ("options", "codes"),
    [
        ({"closable": [2]}, ["gis.relocate_closable"]),
        ({"closable": [9]}, ["gis.relocate_closable"]),
        ({"closings": 2}, ["gis.relocate_closings"]),
        ({"closings": -1}, ["gis.relocate_closings"]),
        ({"sites": -1}, ["gis.siting_sites"]),
        ({"sites": 0, "closings": 0}, ["gis.siting_sites"]),
        ({"sites": 3}, ["gis.siting_too_many"]),
        ({"existing": [7], "closable": []}, ["gis.siting_column", "gis.relocate_closings"]),
        ({"must": [0]}, ["gis.siting_contradiction"]),
        ({"weights": [1, -1, 1]}, ["gis.siting_weight"]),
        ({"covered": [True]}, ["gis.siting_shape"]),
        ({"money": Money([1, 1, np.nan])}, ["gis.siting_site_cost"]),
        ({"money": Money([5, 5, 5], budget=2)}, ["gis.budget_low"]),
        ({"money": Money([5, 5, 5], budget=8, closing_costs=[-1, 0, 0])}, ["gis.siting_site_cost"]),
        ({"money": Money([5, 5, 5], budget=8, closing_costs=[1])}, ["gis.siting_shape"]),
        ({"gap": np.nan}, ["gis.siting_limit"]),
    ],
)
def test_bad_input_is_told_at_once(options: dict[str, object], codes: list[str]) -> None:
    wanted = {"weights": [3, 4, 5], "existing": [0], "closable": [0], "sites": 1, "closings": 1, **options}
    with pytest.raises(InputError) as caught:
        relocate(csr_array(np.eye(3, dtype=bool)), **wanted)  # type: ignore[arg-type]
    assert [fault.code for fault in caught.value.faults] == codes


def test_there_must_be_something_to_choose() -> None:
    with pytest.raises(InfeasibleError, match="no candidates"):
        relocate(csr_array(np.eye(2)), [1, 1], existing=[0, 1], closable=[], sites=1, closings=0)
