"""Covering by options that share room: what several classes on shared land and plans by phases have in common.

    maximise Σ wᵢ yᵢ   subject to   yᵢ ≤ Σ_{k covers i} z_k,   Σ_{k in group g} sizeₖ zₖ ≤ limit_g,
    Σ_{k on plot r} needₖ zₖ ≤ room_r,   zₖ ∈ {0, 1},   0 ≤ yᵢ ≤ 1

A group is a class of facilities with its number of sites, or a phase with its number or its budget. A plot is a piece
of land, or a candidate that is built in one phase only.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from .kernels_packed import Packing
from .siting_check import LARGEST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]

CLOSE = 1e-9
"""Floor areas may exceed what there is by this share: sums of decimal fractions are not exact."""
MOST_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Takes:
    """What options take, and what there is.

    Parameters
    ----------
    of
        int64 [options], the group or plot of each.
    much
        float64 [options], what each takes.
    limit
        float64 [groups or plots], what there is.
    """

    of: Ints
    much: Floats
    limit: Floats


@dataclass(frozen=True, slots=True)
class Packed:
    """A covering problem with options.

    Parameters
    ----------
    cover
        csr_array int8 [rows, columns] of ones, the same for all blocks.
    weight, tie
        int64 [blocks · rows].
    packing
        The options.
    free
        bool [options], those that are searched; with several blocks each column is a plot with room for one.
    able
        bool [options], those that may be chosen, where they are cheaper and as good as one that was searched.
    price
        float64 [options]: among equal answers cheaper options are taken.
    """

    cover: csr_array
    weight: Ints
    tie: Ints
    packing: Packing
    free: Bools
    able: Bools
    price: Floats

    @property
    def pairs(self) -> int:
        """Return how many pairs of a row and a column are looked at in all blocks."""
        return int(self.cover.nnz) * self.packing.blocks


def pack(
    cover: csr_array,
    *,
    blocks: int,
    columns: tuple[Ints, Ints],
    groups: Takes,
    plots: Takes,
    stays: Bools,
    owed: Bools,
) -> Packing:
    """Return options as flat arrays.

    Parameters
    ----------
    cover
        csr_array [rows, columns] of ones.
    blocks
        How many times the rows stand one after the other.
    columns
        int64 [options] the column of each, and the first block it serves.
    groups, plots
        What options take of their groups and plots.
    stays, owed
        bool [options] that must be chosen, bool [plots] of which one option must be.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> one = Takes(np.zeros(2, dtype=int), np.ones(2), np.ones(1))
    >>> none = np.zeros(2, dtype=bool)
    >>> two = (np.arange(2), np.zeros(2, dtype=int))
    >>> cover = csr_array(np.eye(2, dtype=np.int8))
    >>> pack(cover, blocks=1, columns=two, groups=one, plots=one, stays=none, owed=none[:1]).glist.tolist()
    [0, 1]
    """
    by_column = cover.tocsc()
    gptr, glist = _lists(groups)
    pptr, plist = _lists(plots)
    return Packing(
        cptr=by_column.indptr.astype(np.int32),
        row=by_column.indices.astype(np.int32),
        stride=int(cover.shape[0]),
        blocks=blocks,
        col=columns[0].astype(np.int64),
        first=columns[1].astype(np.int64),
        group=groups.of.astype(np.int64),
        size=groups.much.astype(np.float64),
        limit=groups.limit.astype(np.float64),
        plot=plots.of.astype(np.int64),
        need=plots.much.astype(np.float64),
        room=plots.limit.astype(np.float64),
        stays=stays,
        owed=owed,
        gptr=gptr,
        glist=glist,
        pptr=pptr,
        plist=plist,
    )


def _lists(takes: Takes) -> tuple[Ints, Ints]:
    """Return the options of each group, one group after the other."""
    counts = np.bincount(takes.of, minlength=len(takes.limit))
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return starts, np.argsort(takes.of, kind="stable").astype(np.int64)


def loosened(limit: Floats) -> Floats:
    """Return limits that a sum of decimal fractions which should equal them does not exceed."""
    return limit.astype(np.float64) * (1.0 + CLOSE)


def common_scale(factors: Sequence[float]) -> tuple[list[int], Fraction] | None:
    """Return whole numbers in the ratio of the factors, and what one of them is worth; None for too many decimals.

    Factors are read as they are written in decimals.

    Examples
    --------
    >>> common_scale([1.0, 0.5, 1.5])
    ([2, 1, 3], Fraction(1, 2))
    >>> common_scale([1 / 3, 1.0]) is None
    True
    """
    exact = [Fraction(repr(float(one))) for one in factors]
    shared = lcm(*(one.denominator for one in exact))
    if shared > 10**MOST_DIGITS:
        return None
    whole = [int(one * shared) for one in exact]
    divisor = gcd(*whole) or 1
    return [one // divisor for one in whole], Fraction(divisor, shared)


def fits_exactly(total: int) -> bool:
    """Say whether a sum of weights is small enough to be counted exactly."""
    return total < LARGEST
