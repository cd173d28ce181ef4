"""Making a covering problem small without changing its answer.

Three reductions: demand that no choice can change is dropped; demand with equal cover sets becomes one row with the
summed weight; a candidate whose cover set lies within another's is dropped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy.sparse import csr_array

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints: TypeAlias = NDArray[np.int64]
    Bools: TypeAlias = NDArray[np.bool_]

CHEAP_PAIRS = 50_000_000
"""Dominated candidates are looked for when comparing them takes no more than this many steps."""
HASH_SEED = 20180
"""Seed of the random numbers by which cover sets are told apart."""


@dataclass(frozen=True, slots=True)
class Reduced:
    """A covering problem of distinct cover sets.

    Parameters
    ----------
    cover
        csr_array int8 [rows, candidates], 1 where the candidate reaches the row.
    weight, tie
        int64 [rows], summed over the demand of each row.
    candidate
        int64 [candidates], their columns in the problem as given.
    """

    cover: csr_array
    weight: Ints
    tie: Ints
    candidate: Ints


def pattern(matrix: csr_array) -> csr_array:
    """Return a matrix of ones where an entry is stored; stored zeros are walks of no length and stay."""
    ones = np.ones(len(matrix.indices), dtype=np.int8)
    return csr_array((ones, matrix.indices, matrix.indptr), shape=matrix.shape)


def reduce(cover: csr_array, weight: Ints, tie: Ints, *, keep: Bools) -> Reduced:
    """Return the problem without what cannot matter.

    Parameters
    ----------
    cover
        csr_array [demand, candidates] of ones.
    weight, tie
        int64 [demand].
    keep
        bool [demand], False for demand that is covered already.

    Examples
    --------
    Two equal rows become one, and the second candidate lies within the first:

    >>> cover = csr_array(np.array([[1, 1], [1, 1], [1, 0]], dtype=np.int8))
    >>> small = reduce(cover, np.array([2, 3, 4]), np.zeros(3, dtype=np.int64), keep=np.ones(3, dtype=bool))
    >>> small.cover.shape, small.weight.tolist(), small.candidate.tolist()
    ((1, 1), [9], [0])
    """
    rows = np.flatnonzero(keep & ((weight > 0) | (tie > 0)) & (np.diff(cover.indptr) > 0))
    small, summed, ties = _merged(cover[rows], weight[rows], tie[rows])
    columns = np.flatnonzero(np.bincount(small.indices, minlength=small.shape[1]) > 0)
    small = small[:, columns]
    kept = undominated(small)
    if len(kept) < len(columns):
        small, summed, ties = _merged(small[:, kept], summed, ties)
    return Reduced(small, summed, ties, columns[kept])


def alike(cover: csr_array) -> tuple[Ints, Ints]:
    """Return the first row of each group of rows with equal cover sets, and the group of each row.

    They are told by their size and two sums of random numbers over their candidates; groups are in the order of their
    first rows.

    Examples
    --------
    >>> alike(csr_array(np.array([[1, 0], [1, 1], [1, 0]], dtype=np.int8)))
    (array([0, 1]), array([0, 1, 0]))
    """
    random = np.random.default_rng(HASH_SEED).integers(0, 2**63, size=(2, cover.shape[1]), dtype=np.int64)
    sizes = np.diff(cover.indptr)
    sums = []
    for numbers in random:
        running = np.zeros(len(cover.indices) + 1, dtype=np.int64)  # overflow wraps, which is wanted
        np.cumsum(numbers[cover.indices], out=running[1:])
        sums.append(running[cover.indptr[1:]] - running[cover.indptr[:-1]])
    keys = np.column_stack([sizes.astype(np.int64), *sums])
    _, first, group = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return first[order].astype(np.int64), rank[group.ravel()]


def _merged(cover: csr_array, weight: Ints, tie: Ints) -> tuple[csr_array, Ints, Ints]:
    """Merge rows with equal cover sets."""
    if not cover.shape[0]:
        return cover, weight, tie
    first, owner = alike(cover)
    merged = [np.zeros(len(first), dtype=np.int64) for _ in range(2)]
    for total, values in zip(merged, (weight, tie), strict=True):
        np.add.at(total, owner, values)
    return cover[first], merged[0], merged[1]


def undominated(cover: csr_array) -> Ints:
    """Return the candidates that lie within no other's cover set; of equal ones the first."""
    count = cover.shape[1]
    everyone = np.arange(count, dtype=np.int64)
    sizes = np.diff(cover.indptr).astype(np.float64)
    if float((sizes * sizes).sum()) > CHEAP_PAIRS or not count:
        return everyone
    wide = csr_array((np.ones(len(cover.indices), dtype=np.int32), cover.indices, cover.indptr), shape=cover.shape)
    common = (wide.T @ wide).tocoo()
    own = np.bincount(cover.indices, minlength=count)
    inner, outer = common.coords[0].astype(np.int64), common.coords[1].astype(np.int64)
    within = (common.data == own[inner]) & (inner != outer)
    equal = own[inner] == own[outer]
    beaten = within & (~equal | (outer < inner))
    drop = np.zeros(count, dtype=np.bool_)
    drop[inner[beaten]] = True
    return np.flatnonzero(~drop)
