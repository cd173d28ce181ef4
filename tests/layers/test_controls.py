"""Controls: what fits equals a search over designs, is monotone, and a relaxation never takes anything away."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.gis.errors import InputError
from lifecircle.layers.controls import BOUNDS, Relaxation, SmallRemainder, fits_under, relaxed
from lifecircle.layers.words import say

RULE = Relaxation("r", "放宽", "relaxed", "条", "clause", "D", far_factor=1.2, density_factor=1.1, density_most=0.5)
NONE = float("nan")

land = st.integers(100, 20_000).map(float)
far = st.one_of(st.just(NONE), st.integers(1, 50).map(lambda tenths: tenths / 10))
share = st.one_of(st.just(NONE), st.integers(0, 20).map(lambda parts: parts / 20))
height = st.one_of(st.just(NONE), st.integers(0, 60).map(float))


def searched(area: float, ratio: float, dense: float, limit: float, green: float, storey: float) -> float:
    """Return the largest floor area over all designs of whole storeys on the most ground that is free for them."""
    ground = min((value for value in (dense, 1 - green) if not math.isnan(value)), default=NONE)
    most = NONE if math.isnan(limit) else max(k for k in range(100) if k * storey <= limit + 1e-9)
    by_shape = (
        0.0 if most == 0 else max((area * ground * k for k in range(int(most) + 1)), default=NONE) if most > 0 else NONE
    )
    by_shape = NONE if math.isnan(ground) and most != 0 else by_shape
    known = [value for value in (area * ratio, by_shape) if not math.isnan(value)]
    return min(known, default=NONE)


@settings(deadline=None)
@given(land, far, share, height, share, st.sampled_from([3.0, 3.6, 4.5]))
def test_the_floor_area_is_that_of_the_best_design(
    area: float, ratio: float, dense: float, limit: float, green: float, storey: float
) -> None:
    controls = {"far": ratio, "density": dense, "height_m": limit, "green": green}
    row = fits_under([area], **controls, storey_m=storey).iloc[0]
    assert row["floor_m2"] == pytest.approx(searched(area, ratio, dense, limit, green, storey), nan_ok=True)
    if math.isnan(row["floor_m2"]):
        assert pd.isna(row["bound_by"])
        return
    names = row["bound_by"].split(";")
    assert set(names) <= set(BOUNDS)
    freed = controls | {"height_m" if name == "height" else name: NONE for name in names}
    after = fits_under([area], **freed, storey_m=storey)["floor_m2"].iloc[0]
    assert math.isnan(after) or after >= row["floor_m2"] - 1e-6, "what binds is what holds the floor area down"


rules = st.builds(
    lambda far_factor, density_factor, height_factor, green_factor: dataclasses.replace(
        RULE,
        far_factor=far_factor,
        density_factor=density_factor,
        height_factor=height_factor,
        green_factor=green_factor,
    ),
    st.floats(1.0, 3.0),
    st.floats(1.0, 3.0),
    st.floats(1.0, 3.0),
    st.floats(0.0, 1.0),
)


@settings(deadline=None)
@given(land, far, share, height, share, rules)
def test_a_relaxation_never_takes_away_and_says_where_it_gives(
    area: float, ratio: float, dense: float, limit: float, green: float, rule: Relaxation
) -> None:
    controls = {"far": ratio, "density": dense, "height_m": limit, "green": green, "storey_m": 3.6}
    before = fits_under([area], **controls)["floor_m2"].iloc[0]
    after = relaxed([area], rule, **controls).iloc[0]
    assert math.isnan(before) == math.isnan(after["floor_m2"])
    if not math.isnan(before):
        assert after["floor_m2"] >= before * (1 - 1e-9)
        assert bool(after["needs_approval"]) == (after["floor_m2"] > before * (1 + 1e-9))
    if not math.isnan(dense):
        assert after["footprint_m2"] <= area * max(rule.density_most, dense) + 1e-6


def test_a_storey_that_just_fits_counts() -> None:
    row = fits_under([1000.0], far=9.0, density=0.5, height_m=10.8, green=NONE, storey_m=3.6).iloc[0]
    assert (row["storeys"], row["floor_m2"], row["bound_by"]) == (3.0, 1500.0, "density;height")


def test_no_control_bounds_nothing_and_land_of_unknown_area_holds_nothing_known() -> None:
    none = {"far": NONE, "density": NONE, "height_m": NONE, "green": NONE}
    assert fits_under([500.0], **none, storey_m=3.6)["floor_m2"].isna().all()
    unknown = fits_under([NONE], far=2.0, density=0.3, height_m=24.0, green=0.3, storey_m=3.6)
    assert unknown[["floor_m2", "bound_by", "footprint_m2"]].isna().all(axis=None)
    assert fits_under([], far=2.0, density=0.3, height_m=24.0, green=0.3, storey_m=3.6).empty


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(InputError) as caught:
        fits_under([100.0, -1.0], far=[-2.0, math.inf], density=28.0, height_m=-3.0, green=[0.3, 1.2], storey_m=0.0)
    faults = caught.value.faults
    assert {fault.column for fault in faults} == {"land_m2", "far", "density", "height_m", "green", "storey_m"}
    with pytest.raises(InputError) as lengths:
        fits_under([100.0], far=[1.0, 2.0], density=0.3, height_m=[1.0, 2.0], green=0.3, storey_m=3.6)
    assert [fault.column for fault in lengths.value.faults] == ["far", "height_m"]
    for fault in (*faults, *lengths.value.faults):
        assert all(say(fault.code, language, value=fault.value, **fault.detail) for language in ("zh", "en"))


def test_small_remainders_by_use() -> None:
    rule = SmallRemainder(5000.0, 3000.0, "", "", "A")
    areas = np.array([4999.9, 5000.0, 2999.9, 3000.0, NONE])
    housing = np.array([True, True, False, False, False])
    assert rule.applies(areas, housing=housing).tolist() == [True, False, True, False, False]
