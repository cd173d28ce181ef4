"""Covering with groups: equal to exhaustive search, rates compared as whole people, and conflicts named."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations
from math import ceil
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from lifecircle.gis import fair_search, fair_worst
from lifecircle.gis.errors import InfeasibleError, InputError, SolverError
from lifecircle.gis.fair import FairSiting, fair_cover, worst_first_cover
from lifecircle.gis.fair_problem import Ask
from lifecircle.gis.siting import max_cover
from lifecircle.layers.words import say

if TYPE_CHECKING:
    from collections.abc import Iterator

SHARES = [0.0, 0.2, 0.5, 0.8, 1.0]


@dataclass(frozen=True)
class Town:
    """A small instance with everything that can be said of it."""

    matrix: np.ndarray
    weights: np.ndarray
    ties: np.ndarray
    groups: np.ndarray
    covered: np.ndarray
    costs: np.ndarray
    sites: int
    must: list[int]
    barred: list[int]

    @property
    def options(self) -> dict[str, object]:
        return {
            "sites": self.sites,
            "covered": self.covered,
            "tie_weights": self.ties,
            "site_costs": self.costs,
            "must": self.must,
            "barred": self.barred,
        }

    @property
    def named(self) -> list[int]:
        return [one for one in range(int(self.groups.max()) + 1) if self.weights[self.groups == one].sum() > 0]

    @property
    def people(self) -> list[int]:
        return [int(self.weights[self.groups == one].sum()) for one in self.named]

    def choices(self) -> Iterator[tuple[int, ...]]:
        free = [one for one in range(self.matrix.shape[1]) if one not in self.must and one not in self.barred]
        for more in combinations(free, min(len(free), self.sites - len(self.must))):
            yield (*self.must, *more)

    def after(self, chosen: object) -> list[int]:
        hit = self.matrix[:, list(chosen)].any(axis=1) | self.covered  # type: ignore[call-overload]
        return [int(self.weights[hit & (self.groups == one)].sum()) for one in self.named]

    def newly(self, chosen: object) -> tuple[int, int]:
        hit = self.matrix[:, list(chosen)].any(axis=1) & ~self.covered  # type: ignore[call-overload]
        return int(self.weights[hit].sum()), int(self.ties[hit].sum())

    def rates(self, chosen: object) -> list[Fraction]:
        return [Fraction(after, people) for after, people in zip(self.after(chosen), self.people, strict=True)]

    def fair(self, least: dict[int, float], **more: object) -> FairSiting:
        given = self.options | more
        return fair_cover(csr_array(self.matrix), self.weights, self.groups, least=least, **given)  # type: ignore[arg-type]

    def worst(self, **more: object) -> FairSiting:
        given = self.options | more
        return worst_first_cover(csr_array(self.matrix), self.weights, self.groups, **given)  # type: ignore[arg-type]


@st.composite
def towns(draw: st.DrawFn) -> Town:
    rows, columns = draw(st.integers(1, 10)), draw(st.integers(1, 7))
    flat = st.lists(st.booleans(), min_size=rows * columns, max_size=rows * columns)

    def column(values: st.SearchStrategy[int], size: int = rows) -> np.ndarray:
        return np.array(draw(st.lists(values, min_size=size, max_size=size)))

    matrix = np.array(draw(flat)).reshape(rows, columns)
    weights, groups = column(st.integers(0, 9)), column(st.integers(-1, 3))
    weights[0], groups[0] = weights[0] + 1, max(0, groups[0])
    fate = draw(st.lists(st.sampled_from(["free", "free", "free", "in", "out"]), min_size=columns, max_size=columns))
    if "in" not in fate and "free" not in fate:
        fate[0] = "free"
    must = [one for one, kind in enumerate(fate) if kind == "in"]
    barred = [one for one, kind in enumerate(fate) if kind == "out"]
    sites = draw(st.integers(max(1, len(must)), columns - len(barred)))
    covered = column(st.integers(0, 4)) == 0
    costs = column(st.integers(0, 3), columns).astype(float)
    return Town(matrix, weights, column(st.integers(0, 5)), groups, covered, costs, sites, must, barred)


def best_fair(town: Town, least: dict[int, float]) -> tuple[int, int] | None:
    asked = [
        ceil(Fraction(str(least.get(one, 0))) * people) for one, people in zip(town.named, town.people, strict=True)
    ]
    fair = [one for one in town.choices() if all(a >= b for a, b in zip(town.after(one), asked, strict=True))]
    return max((town.newly(one) for one in fair), default=None)


def shares_of(town: Town, drawn: list[float]) -> dict[int, float]:
    return dict(zip(town.named, drawn, strict=False))


@settings(max_examples=150, deadline=None)
@given(towns(), st.lists(st.sampled_from(SHARES), min_size=4, max_size=4))
def test_equals_exhaustive_search(town: Town, drawn: list[float]) -> None:
    least = shares_of(town, drawn)
    best = best_fair(town, least)
    if best is None:
        with pytest.raises(InfeasibleError) as caught:
            town.fair(least)
        assert {fault.code for fault in caught.value.faults} <= {"gis.fair_alone", "gis.fair_together"}
        return
    answer = town.fair(least)
    assert answer.objective == answer.bound == best[0] == town.newly(answer.chosen)[0] == answer.added.sum()
    assert answer.after.tolist() == town.after(answer.chosen)
    assert answer.people.tolist() == town.people
    assert (answer.after >= answer.least).all()
    assert answer.status in {"optimal", "all_covered", "unreachable"}
    assert answer.gap == 0
    if len(answer.chosen) == town.sites:  # sites that would add nobody are left out, whatever elders they reach
        assert town.newly(answer.chosen)[1] == best[1]
    assert not set(answer.chosen.tolist()) & set(town.barred)


@settings(max_examples=120, deadline=None)
@given(towns())
def test_worst_first_equals_exhaustive_search(town: Town) -> None:
    best = max((sorted(town.rates(one)), *town.newly(one)) for one in town.choices())
    answer = town.worst()
    assert [level.rate for level in answer.levels] == best[0] == sorted(town.rates(answer.chosen))
    assert all(level.proven for level in answer.levels)
    assert answer.objective == answer.bound == best[1]
    named = dict(zip(answer.groups.tolist(), town.rates(answer.chosen), strict=True))
    assert sorted(level.group for level in answer.levels) == answer.groups.tolist()
    assert all(named[level.group] == level.rate for level in answer.levels)
    assert answer.worst == (answer.levels[0].group, answer.levels[0].rate)


@pytest.mark.parametrize("path", ["no exchanges", "by steps", "the weighted problem", "prices first", "all"])
@settings(max_examples=30, deadline=None)
@given(town=towns(), drawn=st.lists(st.sampled_from(SHARES), min_size=4, max_size=4))
def test_every_way_to_the_proof_gives_the_same(path: str, town: Town, drawn: list[float]) -> None:
    least = shares_of(town, drawn)
    best = best_fair(town, least)
    with pytest.MonkeyPatch.context() as patch:
        if path in {"no exchanges", "all"}:

            def lazy(self: fair_search.Search, _need: object, start: np.ndarray, **_: object) -> np.ndarray:
                return start[: self.sites]

            patch.setattr(fair_search.Search, "exchanged", lazy)
        if path in {"by steps", "all"}:
            patch.setattr(fair_search, "LP_PAIRS", 0)
        if path in {"the weighted problem", "all"}:
            patch.setattr(fair_search, "SMALL", 0)
        if path in {"prices first", "all"}:
            patch.setattr(fair_worst, "SETTLED_PAIRS", 0)
        if best is None:
            with pytest.raises(InfeasibleError):
                town.fair(least)
        else:
            answer = town.fair(least)
            assert answer.objective == answer.bound == best[0]
        rates = max(sorted(town.rates(one)) for one in town.choices())
        assert [level.bound for level in town.worst().levels] == rates


@settings(max_examples=80, deadline=None)
@given(towns())
def test_without_a_least_share_it_is_maximal_covering(town: Town) -> None:
    most = min(town.sites, town.matrix.shape[1])
    town = replace(town, must=[], barred=[], sites=most)
    plain = max_cover(csr_array(town.matrix), town.weights, sites=most, covered=town.covered, tie_weights=town.ties)
    fair = town.fair({})
    assert (fair.objective, fair.bound, fair.gap) == (plain.objective, plain.bound, plain.gap)
    assert fair.status == plain.status
    if len(fair.chosen) == len(plain.chosen) == most:  # else sites that add elders, but no people, are left out
        assert town.newly(fair.chosen)[1] == town.newly(plain.chosen)[1]


def weight_of(town: Town, least: float, **more: object) -> int:
    try:
        return town.fair(dict.fromkeys(town.named, least), **more).objective
    except InfeasibleError:
        return -1


@settings(max_examples=60, deadline=None)
@given(towns())
def test_monotone_in_sites_and_antitone_in_the_least_share(town: Town) -> None:
    by_share = [weight_of(town, least) for least in SHARES]
    assert by_share == sorted(by_share, reverse=True)
    most = town.matrix.shape[1] - len(town.barred)
    by_sites = [weight_of(town, 0.5, sites=sites) for sites in range(max(1, len(town.must)), most + 1)]
    assert by_sites == sorted(by_sites)
    wider = replace(town, matrix=town.matrix | (np.arange(town.matrix.size).reshape(town.matrix.shape) % 3 == 0))
    assert weight_of(wider, 0.5) >= weight_of(town, 0.5)


@settings(max_examples=60, deadline=None)
@given(towns(), st.lists(st.booleans(), min_size=10, max_size=10))
def test_one_more_candidate_never_hurts(town: Town, reached: list[bool]) -> None:
    column = np.array(reached[: len(town.weights)])[:, None]
    more = replace(town, matrix=np.hstack([town.matrix, column]), costs=np.append(town.costs, 1.0))
    assert weight_of(more, 0.5) >= weight_of(town, 0.5)
    rates, old = ([level.rate for level in one.worst().levels] for one in (more, town))
    assert rates >= old


@settings(max_examples=60, deadline=None)
@given(towns(), st.randoms(use_true_random=False))
def test_the_order_of_the_input_changes_nothing(town: Town, random: object) -> None:
    rows, columns = np.arange(len(town.weights)), np.arange(town.matrix.shape[1])
    random.shuffle(rows)  # type: ignore[attr-defined]
    random.shuffle(columns)  # type: ignore[attr-defined]
    place = np.argsort(columns)
    mixed = Town(
        town.matrix[rows][:, columns],
        town.weights[rows],
        town.ties[rows],
        town.groups[rows],
        town.covered[rows],
        town.costs[columns],
        town.sites,
        place[town.must].tolist(),
        place[town.barred].tolist(),
    )
    for least in (0.0, 0.5):
        assert weight_of(mixed, least) == weight_of(town, least)
    one, other = mixed.worst(), town.worst()
    assert [level.rate for level in one.levels] == [level.rate for level in other.levels]
    assert (one.objective, one.bound) == (other.objective, other.bound)


@settings(max_examples=80, deadline=None)
@given(towns(), st.sampled_from(SHARES))
def test_runners_up_keep_the_shares_and_nothing_cheaper_does_as_well(town: Town, least: float) -> None:
    shares = dict.fromkeys(town.named, least)
    assume(best_fair(town, shares) is not None)
    answer = town.fair(shares)
    chosen = answer.chosen.tolist()
    others = [one for one in range(town.matrix.shape[1]) if one not in chosen and one not in town.barred]
    for place, site in enumerate(chosen):
        swaps = {one: [*(other for other in chosen if other != site), one] for one in others}
        fair = [one for one in others if np.array(town.after(swaps[one]) >= answer.least).all()]
        loses = {one: answer.objective - town.newly(swaps[one])[0] for one in fair}
        kept = town.newly([one for one in chosen if one != site])[0]
        best = min((loses[one] for one in fair if answer.objective - loses[one] > kept), default=None)
        if best is None:
            assert answer.runner_up[place] == -1
        else:
            assert answer.runner_up_loses[place] == loses[int(answer.runner_up[place])] == best
        if site not in town.must:
            for one in fair:
                if town.newly(swaps[one]) == town.newly(chosen):
                    assert (town.costs[site], site) <= (town.costs[one], one)


def test_a_decimal_share_counts_as_it_is_written() -> None:
    reach = csr_array(np.vstack([np.ones((8, 1)), np.zeros((2, 1))]).astype(bool))
    answer = fair_cover(reach, np.ones(10, int), np.zeros(10, int), sites=1, least=0.8)
    assert (answer.least.tolist(), answer.after.tolist()) == ([8], [8])  # 0.8 as a float is above eight tenths
    with pytest.raises(InfeasibleError):
        fair_cover(reach, np.ones(10, int), np.zeros(10, int), sites=1, least=Fraction(8_000_001, 10_000_000))


def test_a_group_that_cannot_have_its_share_is_named_with_the_best_rate() -> None:
    reach = csr_array(np.array([[1, 0], [0, 1], [0, 0]], dtype=bool))
    with pytest.raises(InfeasibleError) as caught:
        fair_cover(reach, [30, 5, 3], [7, 4, 4], sites=2, least={4: 0.9, 7: 1.0})
    (fault,) = caught.value.faults
    assert fault.code == "gis.fair_alone"
    assert {key: fault.detail[key] for key in ("group", "asked", "best", "possible", "people", "sites")} == {
        "group": 4,
        "asked": "90",
        "best": "62.5",
        "possible": 5,
        "people": 8,
        "sites": 2,
    }
    for language in ("zh", "en"):
        assert "62.5 %" in say(fault.code, language, **fault.detail)


def test_groups_that_stand_against_each_other_are_named_without_the_others() -> None:
    matrix = np.eye(3, dtype=bool)
    matrix = np.vstack([matrix, [[True, True, True]]])
    with pytest.raises(InfeasibleError) as caught:
        fair_cover(csr_array(matrix), [10, 10, 10, 4], [0, 1, 1, 2], sites=1, least={0: 0.6, 1: 0.4, 2: 1.0})
    (fault,) = caught.value.faults
    assert fault.code == "gis.fair_together"
    assert fault.detail["groups"] == [0, 1]
    assert fault.detail["rates"] == [0, 0]
    both = csr_array(np.array([[1, 0, 1], [1, 0, 0], [0, 1, 1], [0, 1, 0]], dtype=bool))
    with pytest.raises(InfeasibleError) as caught:
        fair_cover(both, [5, 5, 5, 5], [0, 0, 1, 1], sites=1, least=0.8)
    (fault,) = caught.value.faults
    assert fault.detail["named"] == "0, 1"
    assert fault.detail["best"] == "50 %"
    for language in ("zh", "en"):
        assert "50 %" in say(fault.code, language, **fault.detail)


@pytest.mark.parametrize(
    ("changed", "codes"),
    [
        ({"least": 1.5}, ["gis.fair_least"]),
        ({"least": float("nan")}, ["gis.fair_least"]),
        ({"least": {0: -0.1}}, ["gis.fair_least_of"]),
        ({"least": {9: 0.5}}, ["gis.fair_no_group"]),
        ({"groups": [0]}, ["gis.siting_shape"]),
        ({"groups": [0.0, float("nan")]}, ["gis.fair_groups"]),
        ({"groups": [0.5, 1]}, ["gis.fair_groups"]),
        ({"groups": [-2, 1]}, ["gis.fair_groups"]),
        ({"groups": ["a", "b"]}, ["gis.fair_groups"]),
        ({"groups": [-1, -1]}, ["gis.fair_no_groups"]),
        ({"weights": [0, 5], "groups": [0, -1]}, ["gis.fair_no_groups"]),
        ({"weights": [1, float("nan")]}, ["gis.siting_weight"]),
        ({"weights": [0, 0]}, ["gis.siting_no_weight"]),
        ({"sites": 3}, ["gis.siting_too_many"]),
        ({"sites": 0}, ["gis.siting_sites"]),
        ({"must": [0], "barred": [0]}, ["gis.siting_contradiction"]),
        ({"seconds": -1.0}, ["gis.siting_limit"]),
        (
            {"least": 2.0, "sites": 9, "weights": [1, -1]},
            ["gis.fair_least", "gis.siting_too_many", "gis.siting_weight"],
        ),
    ],
)
def test_bad_input_is_one_clear_sentence_each(changed: dict[str, object], codes: list[str]) -> None:
    given_all = {"weights": [3, 4], "groups": [0, 1], "sites": 1, "least": 0.5} | changed
    weights, groups = given_all.pop("weights"), given_all.pop("groups")
    with pytest.raises(InputError) as caught:
        fair_cover(csr_array(np.eye(2, dtype=bool)), weights, groups, **given_all)  # type: ignore[arg-type]
    assert [fault.code for fault in caught.value.faults] == codes
    for fault in caught.value.faults:
        for language in ("zh", "en"):
            assert say(fault.code, language, **{"value": fault.value, **fault.detail})


def middling(seed: int = 3) -> tuple[csr_array, np.ndarray, np.ndarray]:
    """Points in a square, in four quarters."""
    random = np.random.default_rng(seed)
    homes, lots = random.uniform(0, 4000, (300, 2)), random.uniform(0, 4000, (40, 2))
    distance = np.hypot(*(homes[:, None] - lots[None]).transpose(2, 0, 1))
    groups = (homes[:, 0] > 2000) * 2 + (homes[:, 1] > 1200)
    return csr_array(np.where(distance <= 600, distance, 0)), random.integers(1, 90, 300), groups.astype(int)


def test_a_middling_town_is_proven_and_honest() -> None:
    reach, weights, groups = middling()
    plain = max_cover(reach, weights, sites=5)
    worst = worst_first_cover(reach, weights, groups, sites=5, seconds=5)
    assert [level.rate for level in worst.levels] == sorted(level.rate for level in worst.levels)
    assert all(level.rate <= level.bound for level in worst.levels)
    assert worst.objective <= plain.bound
    fair = fair_cover(reach, weights, groups, sites=5, least=worst.levels[0].rate, seconds=5)
    assert worst.objective <= fair.bound
    assert fair.objective <= fair.bound <= plain.bound
    assert (fair.after >= fair.least).all()
    above = worst.levels[0].bound + Fraction(1, 10**6)
    with pytest.raises((InfeasibleError, SolverError)):
        fair_cover(reach, weights, groups, sites=5, least=above, seconds=5)
    assert fair_cover(reach, weights, groups, sites=5, least=0.0).objective == plain.objective


def test_what_is_asked_by_levels_is_an_assignment() -> None:
    ask = Ask(np.array([[1, 5], [2, 3]]), np.array([2, 1]))
    assert ask.met(np.array([1, 3]))
    assert ask.met(np.array([5, 2]))
    assert not ask.met(np.array([4, 2]))
    assert ask.least(np.array([1, 1])) == 4
    assert ask.least(np.array([1, 9])) == 23
