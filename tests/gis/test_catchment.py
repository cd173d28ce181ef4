"""Floating catchments: nothing of the supply is lost or made, and each method equals its paper written out plainly."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_matrix

from lifecircle.gis.catchment import (
    LUO_QI_FAST,
    gaussian,
    gaussian_to,
    luo_qi,
    steps,
    three_step,
    two_step,
)
from lifecircle.gis.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT = 900.0
DECAYS: dict[str, Any] = {
    "none": None,
    "gaussian": gaussian(400.0),
    "gaussian_to": gaussian_to(LIMIT),
    "luo_qi": luo_qi(LIMIT, bands=LUO_QI_FAST),
}


def reach_of(costs: np.ndarray) -> SimpleNamespace:
    """Who reaches which site: pairs whose cost is finite and within the limit; a cost of 0 is stored."""
    row, site = np.nonzero(costs <= LIMIT)
    return SimpleNamespace(matrix=csr_matrix((costs[row, site], (row, site)), shape=costs.shape))


@st.composite
def towns(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n, m = draw(st.integers(1, 8)), draw(st.integers(1, 5))
    costs = draw(arrays(np.float64, (n, m), elements=st.sampled_from([0.0, 50.0, 300.0, 450.0, 899.0, LIMIT, np.inf])))
    people = draw(arrays(np.float64, n, elements=st.integers(0, 500).map(float)))
    supply = draw(arrays(np.float64, m, elements=st.integers(0, 90).map(float)))
    return costs, people, supply


def plain(
    costs: np.ndarray, people: np.ndarray, supply: np.ndarray, weight: Callable[[float], float], *, choose: bool
) -> list[float]:
    """The methods as the papers write them: sums over demand and sites, one after the other."""
    n, m = costs.shape
    near = [[costs[i, j] <= LIMIT for j in range(m)] for i in range(n)]

    def chosen(i: int, j: int) -> float:
        if not choose:
            return 1.0
        whole = sum(weight(costs[i, k]) for k in range(m) if near[i][k])
        return weight(costs[i, j]) / whole if whole else 0.0

    ratio = []
    for j in range(m):
        asked = sum(chosen(i, j) * weight(costs[i, j]) * people[i] for i in range(n) if near[i][j])
        ratio.append(supply[j] / asked if asked > 0 else 0.0)
    return [sum(chosen(i, j) * weight(costs[i, j]) * ratio[j] for j in range(m) if near[i][j]) for i in range(n)]


@settings(deadline=None)
@given(towns(), st.sampled_from(sorted(DECAYS)))
def test_each_method_equals_its_paper(town: tuple[np.ndarray, np.ndarray, np.ndarray], name: str) -> None:
    costs, people, supply = town
    decay = DECAYS[name]

    def weight(cost: float) -> float:
        return 1.0 if decay is None else float(decay(np.array([cost]))[0])

    reach = reach_of(costs)
    expected = plain(costs, people, supply, weight, choose=False)
    assert two_step(reach, supply, people, decay=decay) == pytest.approx(expected, rel=1e-9, abs=1e-12)
    if decay is not None:
        expected = plain(costs, people, supply, weight, choose=True)
        assert three_step(reach, supply, people, decay=decay) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@settings(deadline=None)
@given(towns(), st.sampled_from(sorted(DECAYS)))
def test_what_is_shared_out_is_the_supply_of_the_sites_reached(
    town: tuple[np.ndarray, np.ndarray, np.ndarray], name: str
) -> None:
    costs, people, supply = town
    reach, decay = reach_of(costs), DECAYS[name]
    weight = np.where(costs <= LIMIT, 1.0 if decay is None else decay(np.where(costs <= LIMIT, costs, LIMIT)), 0.0)
    wanted = (weight * people[:, None]).sum(axis=0) > 0
    for access in (
        two_step(reach, supply, people, decay=decay),
        three_step(reach, supply, people, decay=decay or gaussian(1e9)),
    ):
        assert float(access @ people) == pytest.approx(float(supply[wanted].sum()), rel=1e-9, abs=1e-9)
        assert (access >= 0).all()
        assert (access[~(costs <= LIMIT).any(axis=1)] == 0).all()


@settings(deadline=None)
@given(towns(), st.floats(0.01, 100.0))
def test_access_scales_with_supply_and_against_demand(
    town: tuple[np.ndarray, np.ndarray, np.ndarray], factor: float
) -> None:
    costs, people, supply = town
    reach, decay = reach_of(costs), gaussian(400.0)
    for method in (two_step, three_step):
        base = method(reach, supply, people, decay=decay)
        assert method(reach, supply * factor, people, decay=decay) == pytest.approx(base * factor, rel=1e-9)
        assert method(reach, supply, people * factor, decay=decay) == pytest.approx(base / factor, rel=1e-9)


def test_a_town_worked_out_by_hand() -> None:
    """Three places, two clinics of 10 and 6 doctors, bands of 300 m with weights 1, 0.68, 0.22."""
    costs = np.array([[200.0, 800.0], [500.0, 500.0], [np.inf, 100.0]])
    people, supply, reach = np.array([1000.0, 2000.0, 500.0]), np.array([10.0, 6.0]), reach_of(costs)
    # 2SFCA: 10 / 3000 and 6 / 3500.
    assert two_step(reach, supply, people) == pytest.approx([10 / 3000 + 6 / 3500] * 2 + [6 / 3500], rel=1e-12)
    # E2SFCA: 10 / (1000 + 0.68 · 2000) = 10 / 2360 and 6 / (0.22 · 1000 + 0.68 · 2000 + 500) = 6 / 2080.
    one, two = 10 / 2360, 6 / 2080
    expected = [one + 0.22 * two, 0.68 * one + 0.68 * two, two]
    assert two_step(reach, supply, people, decay=luo_qi(LIMIT)) == pytest.approx(expected, rel=1e-12)
    # 3SFCA: the first place chooses 1 / 1.22 and 0.22 / 1.22, the second half and half, the third its only clinic.
    near, far = 1 / 1.22, 0.22 / 1.22
    one = 10 / (near * 1000 + 0.5 * 0.68 * 2000)
    two = 6 / (far * 0.22 * 1000 + 0.5 * 0.68 * 2000 + 500)
    expected = [near * one + far * 0.22 * two, 0.34 * one + 0.34 * two, two]
    assert three_step(reach, supply, people, decay=luo_qi(LIMIT)) == pytest.approx(expected, rel=1e-12)


def test_decays_are_one_at_the_door_and_never_rise() -> None:
    cost = np.linspace(0, 1200, 49)
    for decay in (gaussian(300.0), gaussian_to(LIMIT), luo_qi(LIMIT)):
        weight = decay(cost)
        assert weight[0] == 1.0
        assert (np.diff(weight) <= 0).all()
        assert (weight >= 0).all()
    assert gaussian(300.0)(np.array([300.0]))[0] == pytest.approx(math.exp(-0.5))
    assert gaussian_to(LIMIT)(np.array([LIMIT]))[0] == 0.0


def test_nobody_and_no_site() -> None:
    for shape in ((0, 2), (3, 0)):
        reach = SimpleNamespace(matrix=csr_matrix(shape, dtype=np.float64))
        assert two_step(reach, np.ones(shape[1]), np.ones(shape[0])).tolist() == [0.0] * shape[0]
        assert three_step(reach, np.ones(shape[1]), np.ones(shape[0]), decay=gaussian(1.0)).tolist() == [0.0] * shape[0]


@pytest.mark.parametrize(
    ("supply", "people", "match"),
    [
        ([1.0], [1.0, 1.0], "supply has the shape"),
        ([1.0, 1.0], [1.0], "demand has the shape"),
        ([1.0, -1.0], [1.0, 1.0], "supply must be numbers"),
        ([1.0, 1.0], [1.0, math.nan], "demand must be numbers"),
    ],
)
def test_bad_input(supply: list[float], people: list[float], match: str) -> None:
    with pytest.raises(InputError, match=match):
        two_step(reach_of(np.zeros((2, 2))), supply, people)


def test_bad_decays() -> None:
    with pytest.raises(InputError, match="must rise"):
        steps((200.0, 100.0), (1.0, 0.5))
    with pytest.raises(InputError, match="must rise"):
        steps((100.0, 200.0), (1.0,))
    with pytest.raises(InputError, match="not negative"):
        two_step(reach_of(np.ones((1, 1))), [1.0], [1.0], decay=lambda cost: -cost)


def test_a_plain_matrix_of_any_origin_will_do() -> None:
    costs = np.array([[0.0, 250.0], [np.inf, 400.0], [100.0, np.inf]])
    row, site = np.nonzero(np.isfinite(costs))
    pairs = csr_matrix((costs[row, site], (row, site)), shape=costs.shape)
    supply, people = [4.0, 9.0], [10.0, 20.0, 30.0]
    expected = two_step(reach_of(costs), supply, people)
    assert pairs.nnz == 4
    for given_pairs in (pairs, pairs.tocoo(), pairs.tocsc(), pairs.astype(np.float32)):
        assert two_step(given_pairs, supply, people).tolist() == expected.tolist()
        assert three_step(given_pairs, supply, people, decay=gaussian(300.0)).tolist() == (
            three_step(reach_of(costs), supply, people, decay=gaussian(300.0)).tolist()
        )


def test_a_limit_cuts_pairs_but_not_those_at_the_door() -> None:
    pairs = csr_matrix(([0.0, 250.0, 400.0], ([0, 0, 1], [0, 1, 1])), shape=(2, 2))
    assert two_step(pairs, [4.0, 9.0], [10.0, 20.0], limit=250.0).tolist() == [0.4 + 0.9, 0.0]
    assert pairs.nnz == 3


@pytest.mark.parametrize("wrong", [[[1.0, 2.0]], csr_matrix([[-1.0, 2.0]]), csr_matrix([[math.nan, 2.0]])])
def test_what_is_no_reach_is_refused(wrong: csr_matrix) -> None:
    with pytest.raises(InputError):
        two_step(wrong, [1.0, 1.0], [1.0])
