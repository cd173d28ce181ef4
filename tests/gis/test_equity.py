"""Equity: what Gini and Theil must be, whatever the people and the values."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.gis.equity import gini, theil, weighted_mean
from lifecircle.gis.errors import InputError

ROWS = st.lists(
    st.tuples(st.integers(0, 1000).map(lambda v: v / 8), st.integers(0, 20), st.integers(0, 3)), min_size=1, max_size=12
).filter(lambda rows: sum(value * weight for value, weight, _ in rows) > 0)
Rows = list[tuple[float, int, int]]


def columns(rows: Rows) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    value, weight, group = zip(*rows, strict=True)
    return np.array(value), np.array(weight), np.array(group)


@settings(deadline=None)
@given(ROWS)
def test_gini_is_half_the_mean_difference_over_the_mean(rows: Rows) -> None:
    value, weight, _ = columns(rows)
    pairs = np.abs(value[:, None] - value[None]) * weight[:, None] * weight[None]
    expected = pairs.sum() / (2 * weight.sum() ** 2 * weighted_mean(value, weight))
    assert gini(value, weight) == pytest.approx(expected, abs=1e-9)
    assert 0 <= gini(value, weight) < 1


@settings(deadline=None)
@given(ROWS)
def test_theil_splits_exactly_into_between_and_within(rows: Rows) -> None:
    value, weight, group = columns(rows)
    mean = weighted_mean(value, weight)
    expected = sum(
        count / weight.sum() * (x / mean) * math.log(x / mean)
        for x, count in zip(value.tolist(), weight.tolist(), strict=True)
        if x > 0 and count > 0
    )
    found = theil(value, weight, group)
    assert found.total == pytest.approx(expected, abs=1e-9)
    assert found.between + found.within == pytest.approx(found.total, abs=1e-12)
    assert found.between >= -1e-12
    assert found.within >= -1e-12
    assert theil(value, weight).between == pytest.approx(0.0, abs=1e-12)
    assert found.total <= math.log(max(weight.sum(), 1)) + 1e-9


@settings(deadline=None)
@given(ROWS, st.floats(0.01, 1000.0), st.integers(1, 5))
def test_scale_and_replication_change_nothing(rows: Rows, factor: float, times: int) -> None:
    value, weight, group = columns(rows)
    for measure in (gini, lambda x, w: theil(x, w).total):
        assert measure(value * factor, weight) == pytest.approx(measure(value, weight), abs=1e-9)
        assert measure(value, weight * times) == pytest.approx(measure(value, weight), abs=1e-9)
        assert measure(np.tile(value, times), np.tile(weight, times)) == pytest.approx(measure(value, weight), abs=1e-9)
        assert measure(value[::-1], weight[::-1]) == pytest.approx(measure(value, weight), abs=1e-9)
    assert theil(value * factor, weight, group).between == pytest.approx(theil(value, weight, group).between, abs=1e-9)


@settings(deadline=None)
@given(st.lists(st.integers(1, 20), min_size=1, max_size=10), st.floats(0.1, 500.0))
def test_equal_values_are_equal(weights: list[int], value: float) -> None:
    values = np.full(len(weights), value)
    assert gini(values, weights) == pytest.approx(0.0, abs=1e-12)
    assert theil(values, weights, np.arange(len(weights))).total == pytest.approx(0.0, abs=1e-12)


@settings(deadline=None)
@given(ROWS, st.data())
def test_giving_from_the_better_off_to_the_worse_off_makes_it_more_equal(rows: Rows, data: st.DataObject) -> None:
    value, _, _ = columns(rows)
    if len(value) < 2 or value.max() == value.min():
        return
    rich, poor = int(value.argmax()), int(value.argmin())
    given_away = data.draw(st.floats(0, 0.5)) * (value[rich] - value[poor])
    moved = value.copy()
    moved[rich] -= given_away
    moved[poor] += given_away
    one = np.ones(len(value))
    assert gini(moved, one) <= gini(value, one) + 1e-9
    assert theil(moved, one).total <= theil(value, one).total + 1e-9


def test_one_has_everything() -> None:
    assert gini([0.0, 1.0], [999, 1]) == pytest.approx(0.999)
    assert theil([0.0, 1.0], [999, 1]).total == pytest.approx(math.log(1000))


def test_nobody_and_nothing_have_no_measure() -> None:
    for values, weights in (([], []), ([1.0], [0]), ([0.0, 0.0], [1, 2])):
        assert math.isnan(gini(values, weights))
        assert math.isnan(theil(values, weights).total)


def test_bad_input() -> None:
    with pytest.raises(InputError, match="values must be numbers"):
        gini([1.0, math.inf], [1, 1])
    with pytest.raises(InputError, match="weights must be numbers"):
        gini([1.0], [-1])
    with pytest.raises(InputError, match="1 groups"):
        theil([1.0, 2.0], [1, 1], [0])
    with pytest.raises(InputError, match="weights"):
        gini([1.0, 2.0], [1])
