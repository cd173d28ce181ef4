"""The fewest sites that reach everybody, once or with a backup."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from scipy.sparse import csr_array

from .cover_search import Needs, fewest
from .located import Located, assigned, gap_of, outcome
from .median_search import Effort
from .siting_check import Fixed, check, check_limits, out_of_reach, refuse_unreachable
from .siting_reduce import pattern

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from .siting_check import Given

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]


def needs_of(given: Given, *, times: int = 1, priced: bool = False) -> Needs:
    """Return the covering problem of all demand with weight, each row by as many columns as there are, at most `times`.

    Parameters
    ----------
    given
        Checked input; existing columns count and cost nothing.
    times
        By how many columns each row is to be reached.
    priced
        Whether columns cost what their sites cost; else 1 each.
    """
    wanted = np.flatnonzero(given.weight > 0)
    cover = csr_array(pattern(given.matrix)[wanted])
    stay = ~given.barred[cover.indices]
    ends = np.concatenate([[0], np.cumsum(stay)])[cover.indptr]
    cover = csr_array((cover.data[stay], cover.indices[stay], ends), shape=cover.shape)
    need = np.minimum(times, np.diff(cover.indptr)).astype(np.int64)
    cost = given.site_cost.copy() if priced else np.ones(cover.shape[1])
    cost[given.existing] = 0.0
    return Needs(cover, need, cost, given.existing | given.must)
