"""Several classes on shared land: equal to exhaustive search, monotone, honest about bound and reasons."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import LinearConstraint, milp
from scipy.sparse import block_diag, csr_array

from lifecircle.gis.errors import InfeasibleError, InputError
from lifecircle.gis.several import ClassProblem, Several, cover_several
from lifecircle.gis.siting import max_cover

FLOORS = {land: float(floor) for land, floor in enumerate([0, 300, 500, 800, 1000])}


@dataclass(frozen=True)
class Town:
    """Small classes, and how land is shared."""

    problems: dict[str, ClassProblem]
    combined: bool
    floors: dict[int, float] | None

    def solve(self) -> Several:
        return cover_several(self.problems, combined=self.combined, land_floor_m2=self.floors)

    def fits(self, choice: dict[str, tuple[int, ...]]) -> bool:
        filled: dict[int, list[float]] = {}
        for name, chosen in choice.items():
            one = self.problems[name]
            if not set(one.must) <= set(chosen) or set(one.barred) & set(chosen) or len(chosen) > one.sites:
                return False
            for site in chosen:
                need = 0.0 if one.floor_m2 is None else float(np.broadcast_to(one.floor_m2, len(one.land))[site])
                filled.setdefault(int(one.land[site]), []).append(need)
        if self.floors is not None and any(max(needs) > self.floors[land] for land, needs in filled.items()):
            return False
        if self.combined:
            assert self.floors is not None
            return all(sum(needs) <= self.floors[land] for land, needs in filled.items())
        return all(len(needs) == 1 for needs in filled.values())

    def worth(self, name: str, chosen: tuple[int, ...] | list[int], weights: object = None) -> int:
        one = self.problems[name]
        hit = one.reach.toarray()[:, list(chosen)].any(axis=1) & ~np.asarray(one.covered)
        return int(np.asarray(one.weights if weights is None else weights)[hit].sum())

    def best(self) -> float:
        every = []
        for name, one in self.problems.items():
            count = range(min(one.sites, len(one.land)) + 1)
            sets = [chosen for size in count for chosen in combinations(range(len(one.land)), size)]
            every.append([(name, chosen) for chosen in sets])
        values = [
            sum(self.problems[name].priority * self.worth(name, chosen) for name, chosen in choice)
            for choice in product(*every)
            if self.fits(dict(choice))
        ]
        return max(values)


@st.composite
def towns(draw: st.DrawFn, *, forced: bool = False) -> Town:
    combined = draw(st.booleans())
    floors = FLOORS if combined or draw(st.booleans()) else None
    problems = {}
    for name in ["market", "daycare", "clinic"][: draw(st.integers(1, 3))]:
        rows, columns = draw(st.integers(1, 6)), draw(st.integers(1, 4))

        def numbers(values: st.SearchStrategy[int], size: int) -> np.ndarray:
            return np.array(draw(st.lists(values, min_size=size, max_size=size)))

        matrix = numbers(st.integers(0, 1), rows * columns).astype(bool).reshape(rows, columns)
        weights = numbers(st.integers(0, 9), rows)
        weights[0] += 1
        land = numbers(st.integers(1, 4), columns)
        barred = [columns - 1] if forced and columns > 1 and draw(st.booleans()) else []
        problems[name] = ClassProblem(
            csr_array(matrix),
            weights,
            sites=draw(st.integers(1, columns - len(barred))),
            land=land,
            floor_m2=None if floors is None else numbers(st.sampled_from([100, 300, 500, 200]), columns).astype(float),
            covered=numbers(st.integers(0, 4), rows) == 0,
            priority=draw(st.sampled_from([1.0, 1.0, 0.5, 2.5])),
            tie_weights=numbers(st.integers(0, 3), rows),
            site_costs=numbers(st.integers(0, 3), columns).astype(float),
            barred=barred,
        )
        if floors is not None:  # a class that fits nowhere is refused: tested apart
            problems[name].floor_m2[0] = 100.0
    town = Town(problems, combined, floors)
    if forced:
        name = next(iter(problems))
        return Town({**problems, name: replace(problems[name], must=[0], barred=[])}, combined, floors)
    return town


@settings(max_examples=120, deadline=None)
@given(towns())
def test_equals_exhaustive_search(town: Town) -> None:
    found = town.solve()
    best = town.best()
    assert found.objective == pytest.approx(best)
    assert found.bound == found.objective
    assert found.gap == 0
    assert town.fits({name: tuple(one.chosen.tolist()) for name, one in found.classes.items()})
    left = any(np.asarray(one.weights)[~one.covered].any() for one in town.problems.values())
    assert found.status == ("optimal" if best else "unreachable" if left else "all_covered")


@settings(max_examples=60, deadline=None)
@given(towns(forced=True))
def test_forced_in_and_out_equals_exhaustive_search(town: Town) -> None:
    found = town.solve()
    assert found.objective == pytest.approx(town.best())
    assert found.status in {"optimal", "unreachable", "all_covered"}
    for name, one in town.problems.items():
        assert set(one.must) <= set(found.classes[name].chosen.tolist())
        assert not set(one.barred) & {*found.classes[name].chosen.tolist(), *found.classes[name].runner_up.tolist()}


@settings(max_examples=60, deadline=None)
@given(towns())
def test_reasons_are_true(town: Town) -> None:
    found = town.solve()
    choice = {name: tuple(one.chosen.tolist()) for name, one in found.classes.items()}
    assert sum(town.problems[name].priority * one.objective for name, one in found.classes.items()) == pytest.approx(
        found.objective
    )
    for name, one in found.classes.items():
        problem, chosen = town.problems[name], one.chosen.tolist()
        assert one.added.sum() == one.objective == town.worth(name, chosen)
        assert one.alone >= one.objective
        assert one.land.tolist() == [int(problem.land[site]) for site in chosen]
        assert (np.diff(one.added) <= 0).all()
        assert np.asarray(problem.weights)[one.assignment >= 0].sum() == one.objective
        for place, site in enumerate(chosen):
            others = [other for other in chosen if other != site]
            assert one.only_here[place] == one.objective - town.worth(name, others)
            losses = [
                one.objective - town.worth(name, [*others, spare])
                for spare in set(range(len(problem.land))) - set(chosen)
                if town.fits({**choice, name: (*others, spare)})
            ]
            assert one.runner_up_loses[place] == min([*losses, one.only_here[place]])
            if one.runner_up[place] >= 0:
                stand_in = (*others, int(one.runner_up[place]))
                assert town.fits({**choice, name: stand_in})
                assert one.objective - town.worth(name, stand_in) == one.runner_up_loses[place]


@settings(max_examples=60, deadline=None)
@given(towns())
def test_more_sites_more_floor_and_more_candidates_never_hurt(town: Town) -> None:
    whole = town.solve()
    name = next(iter(town.problems))
    one = town.problems[name]
    if one.sites < len(one.land):
        more = Town({**town.problems, name: replace(one, sites=one.sites + 1)}, town.combined, town.floors)
        assert more.solve().objective >= whole.objective
    if town.floors is not None:
        larger = Town(town.problems, town.combined, {land: 1.5 * floor for land, floor in town.floors.items()})
        assert larger.solve().objective >= whole.objective
    if one.sites < len(one.land):
        fewer = Town({**town.problems, name: replace(one, barred=[len(one.land) - 1])}, town.combined, town.floors)
        assert fewer.solve().objective <= whole.objective


@settings(max_examples=50, deadline=None)
@given(towns(), st.randoms(use_true_random=False))
def test_permuting_changes_nothing(town: Town, random: object) -> None:
    mixed = {}
    names = list(town.problems)
    random.shuffle(names)  # type: ignore[attr-defined]
    for name in names:
        one = town.problems[name]
        rows, columns = list(range(len(one.weights))), list(range(len(one.land)))
        random.shuffle(rows)  # type: ignore[attr-defined]
        random.shuffle(columns)  # type: ignore[attr-defined]
        mixed[name] = replace(
            one,
            reach=csr_array(one.reach.toarray()[np.ix_(rows, columns)]),
            weights=one.weights[rows],
            covered=one.covered[rows],
            tie_weights=one.tie_weights[rows],
            land=one.land[columns],
            site_costs=one.site_costs[columns],
            floor_m2=None if one.floor_m2 is None else one.floor_m2[columns],
        )
    found, other = town.solve(), Town(mixed, town.combined, town.floors).solve()
    assert (found.objective, found.bound, found.status) == (other.objective, other.bound, other.status)

    def elders(answer: Several, problems: dict[str, ClassProblem]) -> int:
        where = Town(problems, town.combined, town.floors)
        return sum(where.worth(name, one.chosen, problems[name].tie_weights) for name, one in answer.classes.items())

    if all(len(one.chosen) == town.problems[name].sites for name, one in found.classes.items()):
        assert elders(found, town.problems) >= elders(other, mixed)


@settings(max_examples=60, deadline=None)
@given(towns())
def test_one_class_on_land_of_its_own_is_maximal_covering(town: Town) -> None:
    name, one = next(iter(town.problems.items()))
    alone = replace(one, land=np.arange(len(one.land)), floor_m2=None, priority=1.0, site_costs=None)
    found = cover_several({name: alone})
    known = max_cover(one.reach, one.weights, sites=one.sites, covered=one.covered, tie_weights=one.tie_weights)
    assert (found.objective, found.bound, found.status) == (known.objective, known.bound, known.status)
    assert found.classes[name].alone == known.objective


def city(seed: int, *, classes: int = 2, demand: int = 400, plots: int = 60) -> dict[str, ClassProblem]:
    """Points on a plane: candidates of all classes share the plots."""
    random = np.random.default_rng(seed)
    where = random.random((plots, 2))
    problems = {}
    for place in range(classes):
        people = random.random((demand, 2))
        near = ((people[:, None] - where[None]) ** 2).sum(axis=2) <= (0.10 + 0.03 * place) ** 2
        weights = random.integers(1, 50, demand)
        floor = [400.0, 700.0, 300.0][place]
        problems[f"class {place}"] = ClassProblem(csr_array(near), weights, 6, np.arange(plots), floor_m2=floor)
    return problems


def test_together_is_no_worse_than_one_after_the_other() -> None:
    problems = city(1, classes=3)
    found = cover_several(problems, seconds=20)
    assert found.status == "optimal"
    taken: list[int] = []
    worth = 0
    for problem in problems.values():
        one = cover_several({"one": replace(problem, barred=taken)}, seconds=5)
        taken += one.classes["one"].chosen.tolist()
        worth += int(one.objective)
    assert found.objective >= worth
    assert max(len(names) for names in found.carries.values()) == 1
    assert len(found.carries) == sum(len(one.chosen) for one in found.classes.values())


def test_combined_centres_carry_several() -> None:
    problems = city(2, classes=3)
    roomy = dict.fromkeys(range(60), 1400.0)
    tight = dict.fromkeys(range(60), 1000.0)
    apart = cover_several(problems, land_floor_m2=roomy, seconds=20)
    some = cover_several(problems, combined=True, land_floor_m2=tight, seconds=20)
    both = cover_several(problems, combined=True, land_floor_m2=roomy, seconds=20)
    assert apart.objective <= some.objective <= both.objective
    assert both.objective == sum(one.alone for one in both.classes.values())
    needs = {name: one.floor_m2 for name, one in problems.items()}
    for names in some.carries.values():
        assert sum(needs[name] for name in names) <= 1000
    assert any(len(names) > 1 for names in some.carries.values())
    assert "together, at most" in str(both)


def test_no_time_still_has_an_answer_with_a_bound() -> None:
    problems = city(3, classes=3, demand=1500, plots=150)
    hasty = cover_several(problems, seconds=0.0)
    whole = cover_several(problems, seconds=20)
    assert hasty.objective <= whole.objective <= whole.bound <= hasty.bound
    assert hasty.status in {"time_limit", "optimal"}
    allowed = cover_several(problems, seconds=20, gap=0.5)
    assert allowed.status in {"optimal", "within_gap"}
    again = cover_several(problems, seconds=20)
    assert [one.chosen.tolist() for one in whole.classes.values()] == [
        one.chosen.tolist() for one in again.classes.values()
    ]


def by_milp(problems: dict[str, ClassProblem]) -> float:
    """Return the optimum of the model as it is written down, by another solver's interface."""
    sizes = [problem.reach.shape for problem in problems.values()]
    sites, rows = sum(shape[1] for shape in sizes), sum(shape[0] for shape in sizes)
    cover = block_diag([problem.reach.astype(float) for problem in problems.values()])
    classes = block_diag([np.ones((1, shape[1])) for shape in sizes])
    land = np.concatenate([problem.land for problem in problems.values()])
    plots = np.unique(land)[:, None] == land[None, :]
    limits = [
        LinearConstraint(np.hstack([-cover.toarray(), np.eye(rows)]), ub=0),
        LinearConstraint(
            np.hstack([classes.toarray(), np.zeros((len(sizes), rows))]), ub=[one.sites for one in problems.values()]
        ),
        LinearConstraint(np.hstack([plots, np.zeros((len(plots), rows))]), ub=1),
    ]
    weights = np.concatenate([one.priority * np.asarray(one.weights) for one in problems.values()])
    integral = np.concatenate([np.ones(sites), np.zeros(rows)])
    solved = milp(-np.concatenate([np.zeros(sites), weights]), integrality=integral, bounds=(0, 1), constraints=limits)
    return float(-solved.fun)


@pytest.mark.parametrize("seed", range(3))
def test_crowded_land_agrees_with_the_model_written_down(seed: int) -> None:
    random = np.random.default_rng(seed)
    problems = {
        name: ClassProblem(
            csr_array(random.random((60, 24)) < 0.1),
            random.integers(1, 9, 60),
            5,
            np.arange(24) // 2,
            priority=priority,
        )
        for name, priority in (("a", 1.0), ("b", 1.5), ("c", 0.25))
    }
    found = cover_several(problems, seconds=20)
    assert found.status == "optimal"
    assert found.objective == pytest.approx(by_milp(problems))
    assert len(found.carries) == sum(len(one.chosen) for one in found.classes.values())


FINE = ClassProblem(csr_array(np.eye(3, dtype=bool)), [1, 2, 3], 1, [1, 2, 3], floor_m2=100.0)


@pytest.mark.parametrize(
    ("change", "options", "codes"),
    [
        ({"sites": 4}, {}, {"siting_too_many"}),
        ({"sites": 0}, {}, {"siting_sites"}),
        ({"sites": float("nan")}, {}, {"siting_whole"}),
        ({"sites": 1.5}, {}, {"siting_whole"}),
        ({"land": [1, 2]}, {}, {"siting_shape"}),
        ({"land": [1, 2, -3]}, {}, {"siting_land"}),
        ({"land": [1, 2, float("nan")]}, {}, {"siting_land"}),
        ({"weights": [1, float("nan"), 2]}, {}, {"siting_weight"}),
        ({"weights": [1, -1, 2], "land": [1], "sites": 9}, {}, {"siting_weight", "siting_shape", "siting_too_many"}),
        ({"weights": [0, 0, 0]}, {}, {"siting_no_weight"}),
        ({"tie_weights": [1, 2]}, {}, {"siting_shape"}),
        ({"site_costs": [1, 2, float("nan")]}, {}, {"siting_site_cost"}),
        ({"covered": [True]}, {}, {"siting_shape"}),
        ({"reach": np.eye(3)}, {}, {"siting_reach"}),
        ({"priority": 0.0}, {}, {"siting_priority"}),
        ({"priority": float("nan")}, {}, {"siting_priority"}),
        ({"priority": 1 / 3}, {}, {"siting_decimals"}),
        ({"must": [0, 1]}, {}, {"siting_must"}),
        ({"must": [5], "barred": [-1]}, {}, {"siting_column"}),
        ({"must": [1], "barred": [1]}, {}, {"siting_contradiction"}),
        ({}, {"combined": True}, {"siting_floor_missing"}),
        ({"floor_m2": None}, {"land_floor_m2": {1: 5.0, 2: 5.0, 3: 5.0}}, {"siting_floor_need"}),
        ({"floor_m2": [1.0, 2.0]}, {"land_floor_m2": {1: 5.0, 2: 5.0, 3: 5.0}}, {"siting_shape"}),
        ({"floor_m2": -1.0}, {"land_floor_m2": {1: 500.0, 2: 5.0, 3: 5.0}}, {"siting_floor"}),
        ({}, {"land_floor_m2": {1: 500.0, 2: float("nan"), 3: -5.0}}, {"siting_floor"}),
        ({}, {"land_floor_m2": {1: 500.0}}, {"siting_floor_unknown"}),
        ({}, {"land_floor_m2": {1: 50.0, 2: 60.0, 3: 70.0}}, {"siting_floor_small"}),
        ({"must": [0]}, {"land_floor_m2": {1: 50.0, 2: 600.0, 3: 70.0}}, {"siting_must_land"}),
        ({"land": [1, 1, 3], "must": [0, 1], "sites": 2}, {}, {"siting_must_room"}),
        ({}, {"seconds": float("nan")}, {"siting_limit"}),
        ({}, {"gap": -0.1}, {"siting_limit"}),
    ],
)
def test_bad_input_is_named(change: dict[str, object], options: dict[str, object], codes: set[str]) -> None:
    with pytest.raises(InputError) as caught:
        cover_several({"market": FINE, "daycare": replace(FINE, **change)}, **options)  # type: ignore[arg-type]
    assert {fault.code for fault in caught.value.faults} == {f"gis.{code}" for code in codes}


def test_faults_of_all_classes_stand_together() -> None:
    with pytest.raises(InputError) as caught:
        cover_several({"market": replace(FINE, sites=9), "daycare": replace(FINE, weights=[1, -1, 1])})
    assert [(fault.code, fault.layer) for fault in caught.value.faults] == [
        ("gis.siting_too_many", "market"),
        ("gis.siting_weight", "daycare"),
    ]
    with pytest.raises(InputError, match="siting_no_classes"):
        cover_several({})
    empty = replace(FINE, reach=csr_array((3, 0)), land=[])
    with pytest.raises(InfeasibleError, match="no candidates"):
        cover_several({"market": FINE, "daycare": empty})
