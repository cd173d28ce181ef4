"""Branching on sites: finds and proves what HiGHS proves, and its bound holds whenever it ends."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from lifecircle.gis.siting_bound import by_columns, first_prices, judged, lowered
from lifecircle.gis.siting_branch import Tree
from lifecircle.gis.siting_highs import prove
from lifecircle.gis.siting_reduce import Reduced
from lifecircle.gis.siting_solve import covered_weight


def problem(rows: int, candidates: int, share: float, seed: int) -> Reduced:
    random = np.random.default_rng(seed)
    cover = csr_array((random.random((rows, candidates)) < share).astype(np.int8))
    weight = random.integers(1, 50, rows).astype(np.int64)
    return Reduced(cover, weight, np.zeros(rows, dtype=np.int64), np.arange(candidates))


def grown(small: Reduced, sites: int, value: int, *, nodes: int = 10**6) -> tuple[Tree, list[int]]:
    columns = by_columns(small)
    found: list[int] = []

    def offer(chosen: np.ndarray) -> int:
        assert len(chosen) <= sites
        found.append(covered_weight(columns, small.weight, chosen))
        return found[-1]

    root = judged(columns, sites, value, first_prices(columns))
    return Tree(columns, sites, root, value, offer, nodes=nodes), found


@settings(max_examples=60, deadline=None)
@given(st.integers(5, 60), st.integers(3, 16), st.integers(1, 4), st.integers(0, 999), st.integers(0, 60))
def test_finds_and_proves_the_optimum(rows: int, candidates: int, sites: int, seed: int, less: int) -> None:
    small, sites = problem(rows, candidates, 0.25, seed), min(sites, candidates)
    columns = by_columns(small)
    start = np.arange(sites)
    best, bound = prove(small, sites, start, judged(columns, sites, 0, first_prices(columns)), seconds=60.0, gap=0.0)
    optimum = covered_weight(columns, small.weight, best)
    assert bound == optimum
    tree, found = grown(small, sites, max(0, optimum - less))
    ended = tree.run(work=np.inf, gap=0.0, late=lambda: False)
    assert ended.ended
    assert ended.bound == tree.value == optimum
    assert max(found, default=optimum) == optimum


def test_the_bound_holds_and_falls_with_work() -> None:
    small, sites = problem(400, 60, 0.06, 5), 8
    full, _ = grown(small, sites, 0)
    optimum = full.run(work=np.inf, gap=0.0, late=lambda: False).bound
    tree, _ = grown(small, sites, 0)
    bounds = [tree.bound()]
    while tree.open:
        bounds.append(tree.run(work=tree.work + 1.0, gap=0.0, late=lambda: False).bound)
    assert len(bounds) > 5
    assert all(after <= before for before, after in pairwise(bounds))
    assert min(bounds) == bounds[-1] == optimum
    few, _ = grown(small, sites, 0, nodes=5)
    assert few.run(work=np.inf, gap=0.0, late=lambda: False).bound >= optimum
    assert few.count <= 6


def test_a_gap_or_the_clock_ends_it() -> None:
    small, sites = problem(400, 60, 0.06, 5), 8
    tree, _ = grown(small, sites, 0)
    ended = tree.run(work=np.inf, gap=0.0, late=lambda: True)
    assert not ended.ended
    assert ended.bound == tree.bound() >= tree.run(work=np.inf, gap=0.02, late=lambda: False).bound
    assert tree.bound() - tree.value <= 0.02 * tree.bound()


@pytest.mark.parametrize("room", [0, 10**9])
def test_without_room_for_prices_the_answer_is_the_same(room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lifecircle.gis.siting_branch.KEPT_BYTES", room)
    small, sites = problem(300, 50, 0.06, 7), 6
    tree, _ = grown(small, sites, 0)
    tree.run(work=np.inf, gap=0.0, late=lambda: False)
    columns = by_columns(small)
    relaxed = lowered(columns, sites, 0, first_prices(columns))
    _, bound = prove(small, sites, np.arange(sites), relaxed, seconds=60.0, gap=0.0)
    assert tree.value == bound
    assert tree.kept == 0
