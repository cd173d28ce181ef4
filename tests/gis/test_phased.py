"""Plans by phases: equal to exhaustive search, nested, monotone, honest about bound and reasons."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import LinearConstraint, milp
from scipy.sparse import csr_array

from lifecircle.gis.budgeted import budgeted_cover
from lifecircle.gis.errors import InfeasibleError, InputError
from lifecircle.gis.phased import Phased, phased_cover
from lifecircle.gis.siting import max_cover


@dataclass(frozen=True)
class Plan:
    """A small plan by phases."""

    matrix: np.ndarray
    weights: np.ndarray
    ties: np.ndarray
    covered: np.ndarray
    costs: np.ndarray
    phases: tuple[int, ...] | None
    budgets: tuple[float, ...] | None
    years: tuple[float, ...]
    must: tuple[int, ...] | dict[int, int] = ()
    barred: tuple[int, ...] = ()

    def solve(self) -> Phased:
        return phased_cover(
            csr_array(self.matrix),
            self.weights,
            phases=self.phases,
            budgets=self.budgets,
            site_costs=self.costs,
            year_weights=self.years,
            covered=self.covered,
            tie_weights=self.ties,
            must=self.must,
            barred=self.barred,
        )

    @property
    def number(self) -> int:
        return len(self.years)

    def fits(self, when: tuple[int, ...]) -> bool:
        """Say whether sites may be built in these phases, -1 for never."""
        for phase in range(self.number):
            here = [site for site, at in enumerate(when) if at == phase]
            if self.phases is not None and len(here) > self.phases[phase]:
                return False
            if self.budgets is not None and self.costs[here].sum() > self.budgets[phase] + 1e-9:
                return False
        if any(when[site] < 0 for site in self.must) or any(when[site] >= 0 for site in self.barred):
            return False
        return not isinstance(self.must, dict) or all(when[site] == at for site, at in self.must.items())

    def after(self, when: tuple[int, ...], weights: np.ndarray | None = None) -> list[int]:
        """Return the weight newly covered after each phase."""
        weights = self.weights if weights is None else weights
        open_by = [[site for site, at in enumerate(when) if 0 <= at <= phase] for phase in range(self.number)]
        return [int(weights[self.matrix[:, sites].any(axis=1) & ~self.covered].sum()) for sites in open_by]

    def worth(self, when: tuple[int, ...], weights: np.ndarray | None = None) -> float:
        return sum(year * after for year, after in zip(self.years, self.after(when, weights), strict=True))

    def when(self, found: Phased) -> tuple[int, ...]:
        phase = dict(zip(found.chosen.tolist(), found.phase.tolist(), strict=True))
        return tuple(phase.get(site, -1) for site in range(self.matrix.shape[1]))

    def every(self) -> list[tuple[int, ...]]:
        return [one for one in product(range(-1, self.number), repeat=self.matrix.shape[1]) if self.fits(one)]


@st.composite
def plans(draw: st.DrawFn, *, forced: bool = False) -> Plan:
    rows, columns, number = draw(st.integers(1, 7)), draw(st.integers(1, 5)), draw(st.integers(1, 3))

    def numbers(values: st.SearchStrategy[int], size: int) -> np.ndarray:
        return np.array(draw(st.lists(values, min_size=size, max_size=size)))

    matrix = numbers(st.integers(0, 1), rows * columns).astype(bool).reshape(rows, columns)
    weights = numbers(st.integers(0, 9), rows)
    weights[0] += 1
    costs = numbers(st.integers(1, 9), columns) / 10
    phases, budgets = None, None
    if draw(st.booleans()) and number <= columns:
        phases = [1] * number
        for _ in range(draw(st.integers(0, columns - number))):
            phases[draw(st.integers(0, number - 1))] += 1
    else:
        budgets = tuple(float(one) for one in costs.min() + numbers(st.integers(0, 12), number) / 10)
    years = tuple(draw(st.sampled_from([1.0, 1.0, 2.0, 0.5])) for _ in range(number))
    plan = Plan(
        matrix,
        weights,
        numbers(st.integers(0, 3), rows),
        numbers(st.integers(0, 4), rows) == 0,
        costs,
        None if phases is None else tuple(phases),
        budgets,
        years,
    )
    if not forced:
        return plan
    cheapest = int(np.argmin(costs))
    must = {cheapest: draw(st.integers(0, number - 1))} if draw(st.booleans()) else (cheapest,)
    other = (cheapest + 1) % columns
    room = phases is None or sum(phases) <= columns - 1
    return replace(plan, must=must, barred=(other,) if other != cheapest and room and draw(st.booleans()) else ())


@settings(max_examples=150, deadline=None)
@given(plans())
def test_equals_exhaustive_search(plan: Plan) -> None:
    found = plan.solve()
    best = max(plan.worth(one) for one in plan.every())
    assert found.objective == pytest.approx(best)
    assert found.bound == found.objective
    assert found.gap == 0
    assert plan.fits(plan.when(found))
    left = plan.weights[~plan.covered].any()
    assert found.status == ("optimal" if best else "unreachable" if left else "all_covered")


@settings(max_examples=80, deadline=None)
@given(plans(forced=True))
def test_forced_in_and_out_equals_exhaustive_search(plan: Plan) -> None:
    found = plan.solve()
    assert found.objective == pytest.approx(max(plan.worth(one) for one in plan.every()))
    assert plan.fits(plan.when(found))
    assert not set(plan.barred) & {*found.chosen.tolist(), *found.runner_up.tolist()}


@settings(max_examples=80, deadline=None)
@given(plans())
def test_reasons_are_true_and_phases_are_nested(plan: Plan) -> None:
    found = plan.solve()
    when = plan.when(found)
    assert (np.diff(found.phase) >= 0).all()
    assert len(set(found.chosen.tolist())) == len(found.chosen)
    assert found.covered_after.tolist() == plan.after(when)
    assert found.objective == pytest.approx(sum(np.array(plan.years) * found.covered_after))
    assert found.added.sum() == found.covered_after[-1] == plan.weights[found.assignment >= 0].sum()
    for phase in range(plan.number):
        assert found.added[found.phase <= phase].sum() == found.covered_after[phase]
        assert found.spent[phase] == pytest.approx(plan.costs[found.chosen[found.phase == phase]].sum())
    for place, site in enumerate(found.chosen.tolist()):
        without = [-1 if one == site else at for one, at in enumerate(when)]
        assert found.served[place] == plan.weights[plan.matrix[:, site]].sum()
        assert found.only_here[place] == found.covered_after[-1] - plan.after(tuple(without))[-1]
        losses = {}
        for spare in [one for one, at in enumerate(when) if at < 0]:
            instead = tuple(int(found.phase[place]) if one == spare else at for one, at in enumerate(without))
            if plan.fits(instead):
                losses[spare] = found.objective - plan.worth(instead)
        nobody = found.objective - plan.worth(tuple(without))
        assert found.runner_up_loses[place] == pytest.approx(min([*losses.values(), nobody]))
        if found.runner_up[place] >= 0:
            assert losses[int(found.runner_up[place])] == pytest.approx(found.runner_up_loses[place])


@settings(max_examples=60, deadline=None)
@given(plans())
def test_more_sites_more_money_and_more_candidates_never_hurt(plan: Plan) -> None:
    whole = plan.solve()
    if plan.phases is not None and sum(plan.phases) < plan.matrix.shape[1]:
        more = replace(plan, phases=(plan.phases[0] + 1, *plan.phases[1:]))
        assert more.solve().objective >= whole.objective
        fewer = replace(plan, barred=(plan.matrix.shape[1] - 1,))
        assert fewer.solve().objective <= whole.objective
    if plan.budgets is not None:
        more = replace(plan, budgets=(*plan.budgets[:-1], plan.budgets[-1] + 0.3))
        assert more.solve().objective >= whole.objective
        dearest = int(np.argmax(plan.costs))
        if plan.costs[dearest] > plan.costs.min():
            assert replace(plan, barred=(dearest,)).solve().objective <= whole.objective


@settings(max_examples=60, deadline=None)
@given(plans(), st.randoms(use_true_random=False))
def test_permuting_changes_nothing(plan: Plan, random: object) -> None:
    rows, columns = list(range(plan.matrix.shape[0])), list(range(plan.matrix.shape[1]))
    random.shuffle(rows)  # type: ignore[attr-defined]
    random.shuffle(columns)  # type: ignore[attr-defined]
    mixed = replace(
        plan,
        matrix=plan.matrix[np.ix_(rows, columns)],
        weights=plan.weights[rows],
        ties=plan.ties[rows],
        covered=plan.covered[rows],
        costs=plan.costs[columns],
    )
    found, other = plan.solve(), mixed.solve()
    assert (found.objective, found.bound, found.status) == (other.objective, other.bound, other.status)
    assert found.covered_after.sum() >= 0
    if len(found.chosen) == len(other.chosen) == plan.matrix.shape[1]:
        assert plan.worth(plan.when(found), plan.ties) == mixed.worth(mixed.when(other), mixed.ties)


@settings(max_examples=80, deadline=None)
@given(plans())
def test_among_equals_more_elders(plan: Plan) -> None:
    found = plan.solve()
    if plan.phases is not None and len(found.chosen) == sum(plan.phases):
        best = max((round(plan.worth(one), 6), plan.worth(one, plan.ties)) for one in plan.every())
        assert plan.worth(plan.when(found), plan.ties) == pytest.approx(best[1])


@settings(max_examples=80, deadline=None)
@given(plans())
def test_one_phase_is_the_model_without_phases(plan: Plan) -> None:
    options = {"covered": plan.covered, "tie_weights": plan.ties}
    cover = csr_array(plan.matrix)
    if plan.phases is not None:
        one = phased_cover(cover, plan.weights, phases=plan.phases[:1], **options)
        known = max_cover(cover, plan.weights, sites=plan.phases[0], **options)
        assert (one.objective, one.bound, one.status) == (known.objective, known.bound, known.status)
    else:
        assert plan.budgets is not None
        one = phased_cover(cover, plan.weights, budgets=plan.budgets[:1], site_costs=plan.costs, **options)
        paid = budgeted_cover(cover, plan.weights, site_costs=plan.costs, budget=plan.budgets[0], **options)
        assert (one.objective, one.bound) == (paid.objective, paid.bound)
    assert set(one.phase.tolist()) <= {0}


def plane(seed: int, *, demand: int = 300, sites: int = 60) -> tuple[csr_array, np.ndarray, np.ndarray]:
    """Points on a plane, and what each site costs."""
    random = np.random.default_rng(seed)
    people, where = random.random((demand, 2)), random.random((sites, 2))
    near = ((people[:, None] - where[None]) ** 2).sum(axis=2) <= 0.12**2
    return csr_array(near), random.integers(1, 50, demand), random.integers(20, 90, sites) / 10


def written_down(reach: csr_array, weights: np.ndarray, costs: np.ndarray, limits: list[float]) -> float:
    """Return the optimum of the model with one variable for each site and phase, by another solver's interface."""
    (rows, columns), number = reach.shape, len(limits)
    sites, people = number * columns, number * rows
    dense, constraints = reach.toarray().astype(float), []
    for phase in range(number):
        upto = np.zeros((rows, sites + people))
        spent = np.zeros((1, sites + people))
        for built in range(phase + 1):
            upto[:, built * columns : (built + 1) * columns] = -dense
        upto[:, sites + phase * rows : sites + (phase + 1) * rows] = np.eye(rows)
        spent[0, phase * columns : (phase + 1) * columns] = costs
        constraints += [LinearConstraint(upto, ub=0), LinearConstraint(spent, ub=limits[phase])]
    once = np.hstack([np.tile(np.eye(columns), number), np.zeros((columns, people))])
    constraints.append(LinearConstraint(once, ub=1))
    worth = -np.concatenate([np.zeros(sites), np.tile(weights, number)])
    integral = np.concatenate([np.ones(sites), np.zeros(people)])
    solved = milp(worth, integrality=integral, bounds=(0, 1), constraints=constraints, options={"mip_rel_gap": 0})
    return float(-solved.fun)


@pytest.mark.parametrize("seed", range(2))
def test_agrees_with_the_model_written_down(seed: int) -> None:
    reach, weights, costs = plane(seed, demand=120, sites=25)
    by_number = phased_cover(reach, weights, phases=[2, 1, 2], seconds=20)
    by_money = phased_cover(reach, weights, budgets=[9.0, 6.0, 11.0], site_costs=costs, seconds=20)
    assert by_number.status == by_money.status == "optimal"
    assert by_number.objective == pytest.approx(written_down(reach, weights, np.ones(25), [2, 1, 2]))
    assert by_money.objective == pytest.approx(written_down(reach, weights, costs, [9, 6, 11]))
    assert (by_money.spent <= [9, 6, 11]).all()


def test_no_worse_than_one_phase_after_the_other() -> None:
    reach, weights, _ = plane(5)
    plan = phased_cover(reach, weights, phases=[2, 2, 2], seconds=20)
    assert plan.status == "optimal"
    done, greedy, after = np.zeros(len(weights), dtype=bool), 0, 0
    for _ in range(3):
        one = max_cover(reach, weights, sites=2, covered=done, seconds=5)
        done |= one.assignment >= 0
        after += one.objective
        greedy += after
    assert plan.objective >= greedy
    assert "after each phase" in str(plan)
    later = phased_cover(reach, weights, phases=[2, 2, 2], year_weights=[1, 1, 10], seconds=20)
    assert later.covered_after[-1] >= plan.covered_after[-1]
    assert later.covered_after[-1] <= max_cover(reach, weights, sites=6, seconds=5).objective


def test_no_time_still_has_an_answer_with_a_bound() -> None:
    reach, weights, costs = plane(6, demand=1500, sites=150)
    for options in ({"phases": [3, 3, 3]}, {"budgets": [15.0, 14.0, 16.0], "site_costs": costs}):
        hasty = phased_cover(reach, weights, seconds=0.0, **options)  # type: ignore[arg-type]
        whole = phased_cover(reach, weights, seconds=15, gap=0.01, **options)  # type: ignore[arg-type]
        again = phased_cover(reach, weights, seconds=15, gap=0.01, **options)  # type: ignore[arg-type]
        assert hasty.objective <= whole.bound <= hasty.bound
        assert whole.objective <= whole.bound
        assert hasty.status in {"time_limit", "optimal"}
        assert whole.gap <= 0.01
        assert (whole.chosen.tolist(), whole.phase.tolist()) == (again.chosen.tolist(), again.phase.tolist())


EYE = csr_array(np.eye(3, dtype=bool))


@pytest.mark.parametrize(
    ("options", "codes"),
    [
        ({"phases": [2, 2]}, {"siting_too_many"}),
        ({"phases": [1, 1, 1], "barred": [0]}, {"siting_too_many"}),
        ({"phases": [1, 0]}, {"siting_phase_sites"}),
        ({"phases": [1, -1]}, {"siting_phase_sites"}),
        ({"phases": [1.5, float("nan")]}, {"siting_whole"}),
        ({"phases": []}, {"siting_phase_none"}),
        ({"budgets": []}, {"siting_phase_none"}),
        ({}, {"siting_phases"}),
        ({"phases": [1], "budgets": [5.0]}, {"siting_phases"}),
        ({"budgets": [5.0]}, {"siting_budget_costs"}),
        ({"budgets": [5.0, 1.0], "site_costs": [2.0, 3.0, 4.0]}, {"budget_low"}),
        ({"budgets": [5.0, float("nan")], "site_costs": [2.0, 3.0, 4.0]}, {"budget_number"}),
        ({"budgets": [5.0, -1.0], "site_costs": [2.0, 3.0, 4.0]}, {"budget_number"}),
        ({"budgets": [5.0], "site_costs": [2.0, float("nan"), 4.0]}, {"siting_site_cost"}),
        ({"budgets": [5.0], "site_costs": [2.0, 3.0]}, {"siting_shape"}),
        ({"phases": [1], "year_weights": [1.0, 2.0]}, {"siting_shape"}),
        ({"phases": [1, 1], "year_weights": [1.0, 0.0]}, {"siting_year_weight"}),
        ({"phases": [1, 1], "year_weights": [1.0, float("nan")]}, {"siting_year_weight"}),
        ({"phases": [1, 1], "year_weights": [1.0, 1 / 3]}, {"siting_decimals"}),
        ({"phases": [1], "must": [0, 1]}, {"siting_must"}),
        ({"phases": [1, 1], "must": {0: 2}}, {"siting_phase"}),
        ({"phases": [1, 1], "must": {0: 0, 1: 0}}, {"siting_must_phases"}),
        ({"budgets": [2.0], "site_costs": [2.0, 3.0, 4.0], "must": [2]}, {"siting_must_phases"}),
        ({"phases": [1], "must": [7]}, {"siting_column"}),
        ({"phases": [1], "must": [1], "barred": [1]}, {"siting_contradiction"}),
        ({"phases": [1], "weights": [1, float("nan"), 1]}, {"siting_weight"}),
        (
            {"phases": [9], "weights": [1, -1, 1], "year_weights": [0]},
            {"siting_weight", "siting_too_many", "siting_year_weight"},
        ),
        ({"phases": [1], "weights": [0, 0, 0]}, {"siting_no_weight"}),
        ({"phases": [1], "covered": [True]}, {"siting_shape"}),
        ({"phases": [1], "seconds": -1}, {"siting_limit"}),
    ],
)
def test_bad_input_is_named(options: dict[str, object], codes: set[str]) -> None:
    options = dict(options)
    weights = options.pop("weights", [1, 2, 3])
    with pytest.raises(InputError) as caught:
        phased_cover(EYE, weights, **options)  # type: ignore[arg-type]
    assert {fault.code for fault in caught.value.faults} == {f"gis.{code}" for code in codes}


def test_what_cannot_be_built_is_infeasible() -> None:
    with pytest.raises(InfeasibleError, match="no candidates"):
        phased_cover(csr_array((3, 0)), [1, 2, 3], phases=[1])
    costs = [3.0, 3.0, 3.0]
    with pytest.raises(InfeasibleError) as caught:
        phased_cover(EYE, [1, 2, 3], budgets=[5.0, 5.0], site_costs=costs, must=[0, 1, 2])
    assert [fault.code for fault in caught.value.faults] == ["gis.siting_must_phases"]


def test_required_sites_are_packed_where_a_simple_order_fails() -> None:
    costs = np.array([6.0, 5.0, 5.0, 4.0, 4.0, 4.0])  # fills 14 + 14 only as 6 + 4 + 4 and 5 + 5 + 4
    plan = phased_cover(
        csr_array(np.eye(6, dtype=bool)), [9, 1, 1, 1, 1, 9], budgets=[14.0, 14.0], site_costs=costs, must=range(6)
    )
    assert plan.status == "optimal"
    assert plan.spent.tolist() == [14, 14]
    assert plan.objective == 19 + 22
