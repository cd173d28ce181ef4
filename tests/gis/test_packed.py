"""Options that share room: the bound holds for any prices and rates, crowded plots too; factors are counted exactly."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy.sparse import csr_array

from lifecircle.gis.packed import Packed, Takes, common_scale, pack
from lifecircle.gis.packed_bound import first_prices, judged


def crowded(seed: int, *, options: int, room: float) -> Packed:
    """Two plots, the first with all options but one; two groups with limits of their own."""
    random = np.random.default_rng(seed)
    cover = csr_array((random.random((12, options)) < 0.3).astype(np.int8))
    plot = np.zeros(options, dtype=np.int64)
    plot[-1] = 1
    none = np.zeros(options, dtype=bool)
    packing = pack(
        cover,
        blocks=1,
        columns=(np.arange(options), np.zeros(options, dtype=np.int64)),
        groups=Takes(np.arange(options) % 2, np.ones(options), np.array([2.0, 1.0])),
        plots=Takes(plot, random.integers(1, 4, options).astype(float), np.array([room, 3.0])),
        stays=none,
        owed=none[:2],
    )
    weight = random.integers(0, 20, 12)
    return Packed(cover, weight, np.zeros_like(weight), packing, ~none, ~none, np.zeros(options))


def answers(problem: Packed) -> list[tuple[int, tuple[int, ...]]]:
    """Return all answers with what they cover."""
    packing, dense = problem.packing, problem.cover.toarray().astype(bool)
    found = []
    for size in range(4):
        for chosen in combinations(range(len(problem.free)), size):
            some = list(chosen)
            used = np.bincount(packing.group[some], packing.size[some], minlength=2)
            filled = np.bincount(packing.plot[some], packing.need[some], minlength=2)
            if (used <= packing.limit).all() and (filled <= packing.room).all():
                found.append((int(problem.weight[dense[:, some].any(axis=1)].sum()), chosen))
    return found


@pytest.mark.parametrize("options", [4, 8, 15])
@pytest.mark.parametrize("room", [1.0, 4.0, 6.0])
def test_the_bound_and_what_it_rules_out_hold(options: int, room: float) -> None:
    for seed in range(15):
        problem = crowded(seed, options=options, room=room)
        every = answers(problem)
        best = max(value for value, _ in every)
        random = np.random.default_rng(seed)
        wild = random.normal(5, 8, 12)
        wild[0] = np.nan
        for prices, rates in ((first_prices(problem), np.zeros(2)), (wild, random.normal(4, 4, 2))):
            for value in (best - 1, best // 2):
                known = judged(problem, prices, rates, value, tune=bool(seed % 2))
                assert known.bound >= best
                better = [set(chosen) for worth, chosen in every if worth > value]
                assert not any(set(np.flatnonzero(known.out).tolist()) & chosen for chosen in better)
                assert all(set(np.flatnonzero(known.into).tolist()) <= chosen for chosen in better)


def test_factors_are_whole_numbers_in_the_ratio_written() -> None:
    for factors in ([0.1, 0.25, 3.0], [7.0, 14.0], [1e-6, 1.0]):
        scaled = common_scale(factors)
        assert scaled is not None
        whole, unit = scaled
        assert [float(one * unit) for one in whole] == factors
    assert common_scale([1e-7, 1.0]) is None
