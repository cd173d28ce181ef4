"""Coverage: totals that add up, exactly, in every group."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lifecircle.gis.coverage import (
    group_sums,
    middle_and_last,
    mostly_covered,
    rates,
    tally,
    within,
    within_straight,
)
from lifecircle.gis.errors import InputError

GROUPS = 4


@st.composite
def counts(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    n = draw(st.integers(0, 40))
    covered, known = draw(arrays(bool, n)), draw(arrays(bool, n))
    weights = draw(arrays(np.int64, (n, 2), elements=st.integers(0, 10**12)))
    return covered, known, weights, draw(arrays(np.int64, n, elements=st.integers(-1, GROUPS - 1)))


@settings(deadline=None)
@given(counts())
def test_parts_add_up_exactly(case: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]) -> None:
    covered, known, weights, groups = case
    counted = tally(covered, known, weights, groups, GROUPS)
    assert (counted.covered + counted.uncovered + counted.unknown == counted.total).all()
    for group in range(GROUPS):
        mine = groups == group
        assert (counted.total[group] == weights[mine].sum(axis=0)).all()
        assert (counted.covered[group] == weights[mine & known & covered].sum(axis=0)).all()
        assert (counted.unknown[group] == weights[mine & ~known].sum(axis=0)).all()
    everybody = tally(covered, known, weights, np.zeros_like(groups), 1)
    nowhere = weights[groups < 0].sum(axis=0)
    assert (everybody.total[0] == counted.total.sum(axis=0) + nowhere).all()


@settings(deadline=None)
@given(counts())
def test_order_does_not_matter_and_more_reach_covers_more(
    case: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
) -> None:
    covered, known, weights, groups = case
    counted = tally(covered, known, weights, groups, GROUPS)
    turned = tally(covered[::-1], known[::-1], weights[::-1], groups[::-1], GROUPS)
    assert (turned.covered == counted.covered).all()
    more = tally(np.ones_like(covered), known, weights, groups, GROUPS)
    assert (more.covered >= counted.covered).all()
    assert (more.uncovered == 0).all()


@settings(deadline=None)
@given(counts())
def test_a_rate_is_a_sum_over_a_sum(case: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]) -> None:
    counted = tally(*case, GROUPS)
    sure = counted.covered + counted.uncovered
    assert (np.isnan(counted.rate) == (sure == 0)).all()
    assert np.nan_to_num(counted.rate[sure > 0] * sure[sure > 0] - counted.covered[sure > 0]) == pytest.approx(0, abs=1)


def test_within_is_less_or_equal_unrounded() -> None:
    cost = np.array([299.99999999, 300.0, np.nextafter(300.0, np.inf), np.inf, np.nan])
    assert within(cost, 300.0).tolist() == [True, True, False, False, False]


def test_compounds_count_when_half_of_those_known_are_covered() -> None:
    covered = np.array([True, False, True, False, False, True, True])
    known = np.array([True, False, True, True, True, True, False])
    people = np.array([5, 5, 5, 5, 1, 0, 9])
    hit, sure = mostly_covered(covered, known, people, np.array([0, 0, 1, 1, 4, 2, 3]), 5)
    assert hit.tolist() == [True, True, False, False, False]
    assert sure.tolist() == [True, True, False, False, True]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 299.9, 300.0, 300.1, np.inf]), st.integers(0, 4), st.integers(-1, 2)),
        max_size=12,
    )
)
def test_the_middle_resident_equals_a_line_of_people(rows: list[tuple[float, int, int]]) -> None:
    cost = np.array([row[0] for row in rows])
    people, groups = (np.array([row[at] for row in rows], dtype=np.int64) for at in (1, 2))
    middle, last = middle_and_last(cost, people, groups, 4)
    hit, sure = mostly_covered(within(cost, 300.0), np.ones(len(rows), dtype=np.bool_), people, groups, 4)
    for group in range(4):
        line = sorted(row[0] for row in rows if row[2] == group for _ in range(row[1]))
        assert sure[group] == bool(line)
        if not line:
            assert middle[group] == last[group] == -1
            continue
        at_most = [walk for walk in line if 2 * sum(other <= walk for other in line) >= len(line)]
        assert cost[middle[group]] == min(at_most)
        assert cost[last[group]] == max(line)
        assert people[middle[group]] > 0
        assert groups[middle[group]] == groups[last[group]] == group
        assert hit[group] == (cost[middle[group]] <= 300.0)


@settings(deadline=None)
@given(
    arrays(np.float64, (6, 2), elements=st.integers(-500, 500)),
    arrays(np.float64, (3, 2), elements=st.integers(-500, 500)),
)
def test_straight_line_equals_brute_force(xy: np.ndarray, sites: np.ndarray) -> None:
    distance = np.sqrt(((xy[:, None] - sites[None]) ** 2).sum(axis=2)).min(axis=1)
    assert (within_straight(xy, sites, 250.0) == (distance <= 250.0)).all()


def test_no_sites_and_no_people() -> None:
    assert not within_straight(np.zeros((2, 2)), np.zeros((0, 2)), 100.0).any()
    assert within_straight(np.zeros((0, 2)), np.zeros((2, 2)), 100.0).shape == (0,)
    assert group_sums(np.zeros((0, 3), dtype=np.int64), np.zeros(0, dtype=np.int64), 2).tolist() == [[0, 0, 0]] * 2
    assert np.isnan(rates(np.array([0]), np.array([0]))).all()


@pytest.mark.parametrize(
    ("weights", "groups", "match"),
    [
        (np.array([[1.5]]), np.array([0]), "integers"),
        (np.array([[-1]]), np.array([0]), "integers"),
        (np.array([[1], [2]]), np.array([0]), "do not fit"),
        (np.array([1]), np.array([0]), "do not fit"),
        (np.array([[1]]), np.array([4]), "does not exist"),
        (np.array([[2**53]]), np.array([0]), "too large"),
    ],
)
def test_bad_input(weights: np.ndarray, groups: np.ndarray, match: str) -> None:
    with pytest.raises(InputError, match=match):
        tally(np.array([True]), np.array([True]), weights, groups, GROUPS)
