"""Sizes within a budget, extensions and closings: equal to exhaustive search with flows, people add up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from siting_cases import Covering, coverings, most_placed, shuffled, town, whole_numbers

from lifecircle.gis.capacitated import capacitated_cover
from lifecircle.gis.errors import InfeasibleError, InputError, SolverError
from lifecircle.gis.sized import Sized, Sizes, Standing, budgeted_capacity

Choice = tuple[tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True)
class Case:
    """A covering problem with sizes; each option is a column, places and a cost."""

    given: Covering
    options: tuple[tuple[int, int, int], ...]
    existing: tuple[int, ...]
    held: tuple[int, ...]
    closable: tuple[int, ...]
    closings: int
    closing: tuple[int, ...]
    budget: float | None
    sites: int | None
    must: tuple[int, ...] = ()

    def solve(self, **options: object) -> Sized:
        given = self.given
        wanted = {
            "sizes": Sizes(*(list(part) for part in zip(*self.options, strict=True))),
            "budget": self.budget,
            "covered": given.covered,
            "tie_weights": given.tie,
            "sites": self.sites,
            "must": self.must,
            "standing": Standing(self.existing, self.held, self.closable, self.closings, self.closing),
            **options,
        }
        return budgeted_capacity(given.reach, given.weight, **wanted)  # type: ignore[arg-type]

    def paid(self, choice: Choice) -> int:
        taken, closed = choice
        costs = dict(zip(self.closable, self.closing, strict=True))
        return sum(self.options[one][2] for one in taken) + sum(costs[one] for one in closed)

    def allowed(self, choice: Choice) -> bool:
        taken, closed = choice
        columns = [self.options[one][0] for one in taken]
        new = sum(column not in self.existing for column in columns)
        return (
            len(set(columns)) == len(columns)
            and not set(columns) & set(closed)
            and set(self.must) <= set(columns)
            and len(closed) <= self.closings
            and (self.sites is None or new <= self.sites + len(closed))
            and (self.budget is None or self.paid(choice) <= self.budget)
        )

    def choices(self) -> list[Choice]:
        states: list[list[object]] = []
        for column in range(self.given.columns):
            own = [at for at, option in enumerate(self.options) if option[0] == column]
            states.append([None, *own, *(["closed"] if column in self.closable else [])])
        found = []
        for state in product(*states):
            taken = tuple(one for one in state if isinstance(one, int))
            choice = (taken, tuple(column for column, one in enumerate(state) if one == "closed"))
            if self.allowed(choice):
                found.append(choice)
        return found

    def places(self, choice: Choice) -> dict[int, int]:
        taken, closed = choice
        places = {one: room for one, room in zip(self.existing, self.held, strict=True) if one not in closed}
        for column, room, _ in (self.options[one] for one in taken):
            places[column] = places.get(column, 0) + room
        return places

    def placed(self, choice: Choice, *, elders: bool = False) -> int:
        weight = np.where(self.given.covered, 0, self.given.tie if elders else self.given.weight)
        return most_placed(self.given.matrix, weight, self.places(choice))

    def best(self) -> tuple[int, int, int, int]:
        best = (-1, 0, 0, 0)
        for choice in self.choices():
            people = self.placed(choice)
            if people >= best[0]:
                elders = self.placed(choice, elders=True)
                best = max(best, (people, elders, -len(choice[1]), -self.paid(choice)))
        return best


@st.composite
def cases(draw: st.DrawFn) -> Case:
    given = draw(coverings(rows=5, columns=4))
    columns = given.columns
    kinds = ["f", *draw(st.lists(st.sampled_from("fffec"), min_size=columns - 1, max_size=columns - 1))]
    existing = tuple(at for at, kind in enumerate(kinds) if kind != "f")
    closable = tuple(at for at, kind in enumerate(kinds) if kind == "c")
    held = tuple(whole_numbers(draw, len(existing), 8).tolist())
    closing = tuple(whole_numbers(draw, len(closable), 2).tolist())
    option = st.tuples(st.integers(0, columns - 1), st.integers(0, 10), st.integers(0, 6))
    options = ((0, draw(st.integers(0, 10)), draw(st.integers(0, 6))), *draw(st.lists(option, max_size=5)))
    new = {one[0] for one in options} - set(existing)
    sites = draw(st.none() | st.integers(1, len(new)))
    must = draw(st.sampled_from([(), (), (options[-1][0],)]))
    least = min(one[2] for one in options if not must or one[0] in must)
    more = st.integers(0, 12).map(lambda beyond: float(least + beyond))
    budget = draw(more if sites is None else st.none() | more)
    closings = draw(st.integers(0, len(closable)))
    return Case(given, options, existing, held, closable, closings, closing, budget, sites, must)


def choice_of(found: Sized) -> Choice:
    return tuple(found.option.tolist()), tuple(found.closed.tolist())


@settings(max_examples=80, deadline=None)
@given(cases())
def test_equals_exhaustive_search_then_elders_then_fewer_closings_then_cost(case: Case) -> None:
    found = case.solve()
    choice = choice_of(found)
    assert case.allowed(choice)
    people, elders, closed, paid = case.best()
    assert found.objective == found.bound == people == case.placed(choice)
    assert (case.placed(choice, elders=True), -len(found.closed), -found.spent) == (elders, closed, paid)
    assert found.before == case.placed(((), ()))
    assert found.status in {"optimal", "unreachable", "all_covered"}


@settings(max_examples=50, deadline=None)
@given(cases())
def test_people_add_up_and_reasons_are_true(case: Case) -> None:
    given, found = case.given, case.solve()
    flows, choice = found.placed.toarray(), choice_of(found)
    assert (flows.sum(axis=1) + found.left_out == np.where(given.covered, 0, given.weight)).all()
    assert (flows.sum(axis=0) == found.load).all()
    assert given.matrix[flows > 0].all()
    assert flows.sum() == found.objective
    places = case.places(choice)
    assert (found.load + found.spare == [places.get(one, 0) for one in range(given.columns)]).all()
    bare = case.placed(((), choice[1]))
    assert bare + found.added.sum() == found.objective
    assert [case.options[one][0] for one in choice[0]] == found.chosen.tolist()
    for at, option in enumerate(choice[0]):
        rest = tuple(one for one in choice[0] if one != option)
        assert found.only_here[at] == found.objective - case.placed((rest, choice[1]))
        shut = {found.chosen[at], *choice[1], *(case.options[one][0] for one in rest)}
        others = [one for one, (column, _, _) in enumerate(case.options) if column not in shut]
        relaxed = replace(case, must=())
        swaps = [one for one in others if relaxed.allowed(((*rest, one), choice[1]))]
        losses = [found.objective - case.placed(((*rest, one), choice[1])) for one in swaps]
        assert found.runner_up_loses[at] == min([*losses, found.only_here[at]])
        if found.runner_up[at] >= 0:
            assert case.options[found.runner_up_option[at]][0] == found.runner_up[at]


@settings(max_examples=40, deadline=None)
@given(cases(), st.randoms(use_true_random=False))
def test_order_changes_nothing_and_more_never_hurts(case: Case, random: object) -> None:
    found = case.solve(runners_up=False)
    rows, columns = (shuffled(random, count) for count in case.given.matrix.shape)
    where = {column: place for place, column in enumerate(columns)}
    mixed = replace(
        case,
        given=case.given.mixed(rows, columns),
        options=tuple((where[column], room, cost) for column, room, cost in reversed(case.options)),
        existing=tuple(where[one] for one in case.existing),
        closable=tuple(where[one] for one in case.closable),
        must=tuple(where[one] for one in case.must),
    ).solve(runners_up=False)
    assert (mixed.objective, mixed.bound, mixed.spent) == (found.objective, found.bound, found.spent)
    if case.budget is not None:
        assert case.solve(budget=case.budget + 3, runners_up=False).objective >= found.objective
    larger = replace(case, options=(*case.options, (0, 12, 1)))
    assert larger.solve(runners_up=False).objective >= found.objective
    wider = case.given.matrix | (np.indices(case.given.matrix.shape).sum(axis=0) % 3 == 0)  # a longer limit
    assert replace(case, given=replace(case.given, matrix=wider)).solve(runners_up=False).objective >= found.objective


def test_one_size_and_no_budget_is_capacitated_covering() -> None:
    reach, weights = town(150, 20, seed=6, limit=700)
    room = np.random.default_rng(6).integers(200, 900, 20)
    found = budgeted_capacity(reach, weights, sizes=Sizes(np.arange(20), room, np.ones(20)), budget=None, sites=6)
    plain = capacitated_cover(reach, weights, room, sites=6, runners_up=False)
    assert found.objective == weights.sum() - plain.objective
    assert (found.status, found.budget) == ("optimal", np.inf)
    money = budgeted_capacity(reach, weights, sizes=Sizes(np.arange(20), room, np.ones(20)), budget=6)
    assert money.objective == found.objective
    assert len(money.chosen) == 6


def test_without_time_the_bound_still_holds_and_the_same_comes_out_twice() -> None:
    reach, weights = town(120, 16, seed=8, limit=600)
    random = np.random.default_rng(8)
    sizes = Sizes(
        np.repeat(np.arange(16), 2), np.tile([400, 900], 16), random.integers(20, 60, 32) * np.tile([1, 2], 16)
    )
    whole, again = (budgeted_capacity(reach, weights, sizes=sizes, budget=300, runners_up=False) for _ in range(2))
    hasty = budgeted_capacity(reach, weights, sizes=sizes, budget=300, seconds=0.0, runners_up=False)
    assert hasty.objective <= whole.objective <= whole.bound <= hasty.bound
    assert whole.option.tolist() == again.option.tolist()
    assert whole.spent <= 300


def test_what_stands_is_extended_where_that_is_cheaper() -> None:
    reach = csr_array(np.ones((1, 2), dtype=bool))
    sizes, standing = Sizes([0, 1], [10, 10], [3, 5]), Standing([0], [20])
    found = budgeted_capacity(reach, [30], sizes=sizes, budget=9, standing=standing)
    assert (found.chosen.tolist(), found.before, found.objective, found.spent) == ([0], 20, 30, 3)
    assert (found.load.tolist(), found.runner_up.tolist()) == ([30, 0], [1])


def test_elders_have_a_place_first() -> None:
    reach = csr_array(np.array([[1], [1]], dtype=bool))
    found = budgeted_capacity(reach, [5, 5], sizes=Sizes([0], [5], [1]), budget=1, tie_weights=[1, 3])
    assert (found.placed.toarray()[:, 0] >= [1, 3]).all()


@pytest.mark.parametrize(
    ("options", "codes"),
    [
        ({"budget": 1}, ["gis.budget_low"]),
        ({"budget": np.nan}, ["gis.budget_number"]),
        ({"sizes": Sizes([], [], [])}, ["gis.sized_none"]),
        ({"sizes": Sizes([0, 5], [1, 1], [1, 1])}, ["gis.siting_column"]),
        ({"sizes": Sizes([0, 1], [1, -1], [1, np.nan])}, ["gis.siting_weight", "gis.siting_site_cost"]),
        ({"sizes": Sizes([0, 1], [1.5, 1], [1, -1])}, ["gis.siting_weight", "gis.siting_site_cost"]),
        ({"sizes": Sizes([0, 1], [1], [1])}, ["gis.siting_shape", "gis.siting_shape"]),
        ({"weights": [1, -1]}, ["gis.siting_weight"]),
        ({"weights": [0, 0]}, ["gis.siting_no_weight"]),
        ({"sites": 3}, ["gis.siting_too_many"]),
        ({"sites": 0}, ["gis.siting_sites"]),
        ({"must": [0, 1], "budget": 4}, ["gis.budget_must"]),
        ({"must": [0], "sizes": Sizes([1], [1], [1])}, ["gis.sized_must"]),
        ({"must": [0], "barred": [0]}, ["gis.siting_contradiction"]),
        ({"standing": Standing([1], [5, 6])}, ["gis.siting_shape"]),
        ({"standing": Standing([1], [5], [0], 1)}, ["gis.relocate_closable"]),
        ({"standing": Standing([1], [5], [1], 2)}, ["gis.relocate_closings"]),
        ({"standing": Standing([1], [5], [1], 1, [-1.0])}, ["gis.siting_site_cost"]),
        ({"least": -1}, ["gis.siting_weight"]),
        ({"covered": [True]}, ["gis.siting_shape"]),
        ({"seconds": np.nan}, ["gis.siting_limit"]),
    ],
)
def test_bad_input_is_told_at_once(options: dict[str, object], codes: list[str]) -> None:
    wanted = {"weights": [3, 4], "sizes": Sizes([0, 1], [2, 9], [2, 3]), "budget": 3, **options}
    with pytest.raises(InputError) as caught:
        budgeted_capacity(csr_array(np.eye(2, dtype=bool)), **wanted)  # type: ignore[arg-type]
    assert [fault.code for fault in caught.value.faults] == codes


def test_too_few_places_are_told() -> None:
    reach, sizes = csr_array(np.eye(2, dtype=bool)), Sizes([0, 1], [2, 9], [2, 3])
    with pytest.raises(InfeasibleError, match="at most 4 people can have a place, 5 must") as caught:
        budgeted_capacity(reach, [3, 4], sizes=sizes, budget=3, least=5)
    assert caught.value.faults[0].detail["most"] == 4
    assert budgeted_capacity(reach, [3, 4], sizes=sizes, budget=3, least=4).objective == 4
    with pytest.raises(InfeasibleError, match="no candidates"):
        budgeted_capacity(csr_array((2, 0)), [3, 4], sizes=sizes, budget=3)
    nobody = budgeted_capacity(csr_array((2, 2), dtype=bool), [3, 4], sizes=sizes, budget=3)
    assert (nobody.status, nobody.objective, nobody.chosen.tolist()) == ("unreachable", 0, [])


def test_too_little_time_for_the_places_wanted_is_told() -> None:
    reach, weights = town(400, 60, seed=12, limit=500)
    sizes = Sizes(np.repeat(np.arange(60), 2), np.tile([300, 700], 60), np.tile([3, 5], 60))
    free = budgeted_capacity(reach, weights, sizes=sizes, budget=60, seconds=0.0, runners_up=False)
    if free.bound > free.objective:
        with pytest.raises(SolverError, match="allow more time"):
            budgeted_capacity(reach, weights, sizes=sizes, budget=60, seconds=0.0, least=free.bound)
