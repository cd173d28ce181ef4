"""Compiled inner loops of the floating catchments: over the stored pairs of a reach, row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int32]


@njit(cache=True, nogil=True)
def shared(indptr: Ints, site: Ints, weight: Floats, supply: Floats, demand: Floats) -> Floats:
    """Return what each demand gets of its sites, each shared among all who reach it; without weights all alike."""
    weighted = weight.size > 0
    asked = np.zeros(supply.size)
    for row in range(demand.size):
        for pair in range(indptr[row], indptr[row + 1]):
            asked[site[pair]] += weight[pair] * demand[row] if weighted else demand[row]
    ratio = np.zeros(supply.size)
    for j in range(supply.size):
        if asked[j] > 0:
            ratio[j] = supply[j] / asked[j]
    access = np.zeros(demand.size)
    for row in range(demand.size):
        for pair in range(indptr[row], indptr[row + 1]):
            access[row] += weight[pair] * ratio[site[pair]] if weighted else ratio[site[pair]]
    return access


@njit(cache=True, nogil=True)
def chosen(indptr: Ints, weight: Floats) -> Floats:
    """Return each weight times its share of its row's weights."""
    found = np.zeros(weight.size)
    for row in range(indptr.size - 1):
        whole = 0.0
        for pair in range(indptr[row], indptr[row + 1]):
            whole += weight[pair]
        if whole > 0:
            for pair in range(indptr[row], indptr[row + 1]):
                found[pair] = weight[pair] * weight[pair] / whole
    return found
