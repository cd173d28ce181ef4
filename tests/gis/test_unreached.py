"""Who is out of reach and why: row by row, and by rows that need a site each."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from lifecircle.gis.errors import InfeasibleError, InputError, SolverError
from lifecircle.gis.pcentre import p_centre
from lifecircle.gis.set_cover import set_cover
from lifecircle.gis.siting_check import Fixed
from lifecircle.gis.unreached import too_few, unreached


@st.composite
def instances(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, list[int], list[int]]:
    rows, columns = draw(st.integers(1, 9)), draw(st.integers(2, 7))
    flat = st.lists(st.booleans(), min_size=rows * columns, max_size=rows * columns)
    weights = np.array(draw(st.lists(st.integers(0, 9), min_size=rows, max_size=rows)))
    weights[0] += 1
    fate = draw(st.lists(st.sampled_from("fffeb"), min_size=columns, max_size=columns))
    fate[0] = "f"
    existing = [one for one, kind in enumerate(fate) if kind == "e"]
    barred = [one for one, kind in enumerate(fate) if kind == "b"]
    return np.array(draw(flat)).reshape(rows, columns), weights, existing, barred


@settings(max_examples=120, deadline=None)
@given(instances(), st.integers(1, 3))
def test_out_of_reach_is_what_set_covering_refuses(
    instance: tuple[np.ndarray, np.ndarray, list[int], list[int]], times: int
) -> None:
    matrix, weights, existing, barred = instance
    fixed = Fixed(existing=existing, barred=barred)
    who = unreached(csr_array(matrix), weights, times=times, fixed=fixed)
    left = set_cover(csr_array(matrix), weights, times=times, leave_unreachable=True, fixed=fixed)
    assert who.rows.tolist() == left.unreachable.tolist()
    assert who.weight.tolist() == weights[who.rows].tolist()
    for row, usable, reason in zip(who.rows, who.usable, who.reason, strict=True):
        able = [one for one in range(matrix.shape[1]) if matrix[row, one] and one not in barred]
        assert usable == len(able) < times
        if reason == "no_candidate":
            assert not matrix[row].any()
        elif reason == "barred":
            assert not able
            assert matrix[row].sum() >= times
        else:
            assert matrix[row].any()
    none = unreached(csr_array(matrix), weights, covered=np.ones(len(weights), bool), times=times, fixed=fixed)
    assert not len(none.rows)


@settings(max_examples=120, deadline=None)
@given(instances(), st.data())
def test_too_few_sites_are_explained_by_rows_that_need_one_each(
    instance: tuple[np.ndarray, np.ndarray, list[int], list[int]], data: st.DataObject
) -> None:
    matrix, weights, existing, barred = instance
    free = [one for one in range(matrix.shape[1]) if one not in existing and one not in barred]
    sites = data.draw(st.integers(1, len(free)))
    usable = [*free, *existing]
    reachable = matrix[:, usable].any(axis=1) & (weights > 0)
    left = {
        one: reachable & ~matrix[:, [*one, *existing]].any(axis=1)
        for size in range(len(free) + 1)
        for one in combinations(free, size)
    }
    needed = min(len(one) for one, out in left.items() if not out.any())
    why = too_few(csr_array(matrix), weights, sites=sites, fixed=Fixed(existing=existing, barred=barred))
    if needed <= sites:
        assert why is None
        return
    assert why is not None
    assert why.needed == needed
    assert len(why.apart) <= needed
    for one, other in combinations(why.apart.tolist(), 2):
        assert not (matrix[one] & matrix[other])[usable].any()
    assert not matrix[why.apart][:, existing].any()
    assert reachable[why.apart].all()
    assert why.weight == min(weights[out].sum() for one, out in left.items() if len(one) <= sites)
    assert why.left_out.tolist() == np.flatnonzero(left[tuple(sorted(why.chosen.tolist()))]).tolist()
    with pytest.raises(InfeasibleError):
        p_centre(
            csr_array(matrix[reachable]),
            weights[reachable],
            sites=sites,
            fixed=Fixed(existing=existing, barred=barred),
        )


def test_how_far_the_nearest_candidate_is() -> None:
    near = csr_array(np.array([[100.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]))
    far = csr_array(np.array([[100.0, 900.0, 0.0], [700.0, 700.0, 650.0], [0.0, 0.0, 0.0]]))
    who = unreached(near, [5, 6, 7], beyond=far, fixed=Fixed(barred=[2]))
    assert who.rows.tolist() == [1, 2]
    assert who.nearest.tolist() == [0, -1]
    assert who.walk.tolist() == [700.0, np.inf]
    assert str(who) == "2 rows of demand (weight 13) are out of reach"


def test_all_candidates_barred_or_none_is_told_row_by_row() -> None:
    assert unreached(csr_array((2, 0)), [3, 4]).reason == ("no_candidate", "no_candidate")
    who = unreached(csr_array(np.eye(2, dtype=bool)), [3, 4], fixed=Fixed(barred=[0, 1]))
    assert who.reason == ("barred", "barred")


def test_bad_input_is_reported_together() -> None:
    with pytest.raises(InputError) as caught:
        unreached(csr_array(np.eye(2, dtype=bool)), [1, -1], times=0, covered=[True], fixed=Fixed(barred=[2]))
    assert [fault.code for fault in caught.value.faults] == [
        "gis.siting_weight",
        "gis.siting_times",
        "gis.siting_shape",
        "gis.siting_column",
    ]
    with pytest.raises(InputError, match="shape"):
        unreached(csr_array(np.eye(2, dtype=bool)), [1, 1], beyond=csr_array(np.eye(3)))
    with pytest.raises(InputError) as caught:
        too_few(csr_array(np.eye(2, dtype=bool)), [1, 1], sites=3)
    assert [fault.code for fault in caught.value.faults] == ["gis.siting_too_many"]


def test_without_time_it_says_that_it_does_not_know() -> None:
    random = np.random.default_rng(1)
    reach = csr_array(random.random((60, 40)) < 0.08)
    rows = np.flatnonzero(np.diff(reach.indptr) > 0)
    why: object = None
    for sites in range(5, 25):
        try:
            why = too_few(reach[rows], np.ones(len(rows), int), sites=sites, seconds=0)
        except SolverError as error:
            why = error
            break
    assert isinstance(why, SolverError)
