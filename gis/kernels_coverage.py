"""Compiled inner loop of coverage: integer sums by group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Longs = NDArray[np.int64]


@njit(cache=True, nogil=True)
def sums_by_group(weights: Longs, groups: Longs, rows: NDArray[np.bool_], n_groups: int) -> Longs:
    """Return int64 [n_groups, k], the sums of the weights of the rows wanted; rows of group -1 count nowhere."""
    sums = np.zeros((n_groups, weights.shape[1]), dtype=np.int64)
    for row in range(weights.shape[0]):
        group = groups[row]
        if group >= 0 and rows[row]:
            for column in range(weights.shape[1]):
                sums[group, column] += weights[row, column]
    return sums
