"""Making a covering problem small without changing its answer.

Three reductions: demand that no choice can change is dropped; demand with equal cover sets becomes one row with the
summed weight; a candidate whose cover set lies within another's is dropped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy.sparse import csr_array

from .kernels_cover import dominators, row_sums

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints: TypeAlias = NDArray[np.int64]
    Bools: TypeAlias = NDArray[np.bool_]

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


@dataclass(frozen=True, slots=True)
class Traced:
    """A reduced problem, and how it came from the one given.

    Parameters
    ----------
    problem
        The reduced problem.
    owner
        int64 [demand], the row of the reduced problem each row of demand went into, -1 where it was dropped.
    other
        int64 [candidates], for a dropped candidate one that covers all it covers; -1 for all others.
    """

    problem: Reduced
    owner: Ints
    other: Ints


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
    return traced(cover, weight, tie, keep=keep).problem


def traced(cover: csr_array, weight: Ints, tie: Ints, *, keep: Bools, stay: Bools | None = None) -> Traced:
    """Return the reduced problem with the way back.

    Parameters
    ----------
    cover, weight, tie, keep
        As for `reduce`.
    stay
        bool [candidates], those that remain where it is known already; else it is found out.

    Examples
    --------
    >>> cover = csr_array(np.array([[1, 1], [1, 1], [1, 0]], dtype=np.int8))
    >>> way = traced(cover, np.array([2, 3, 4]), np.zeros(3, dtype=np.int64), keep=np.ones(3, dtype=bool))
    >>> way.owner.tolist(), way.other.tolist()
    ([0, 0, 0], [-1, 0])
    """
    owner = np.full(len(weight), -1, dtype=np.int64)
    other = np.full(cover.shape[1], -1, dtype=np.int64)
    rows = np.flatnonzero(keep & ((weight > 0) | (tie > 0)) & (np.diff(cover.indptr) > 0))
    small, group = _groups(cover[rows] if len(rows) < cover.shape[0] else cover)
    owner[rows] = group
    columns = np.flatnonzero(np.bincount(small.indices, minlength=small.shape[1]) > 0)
    small = small[:, columns]
    if stay is None:
        other[columns] = _back(_dominators(small), columns)
        kept = np.flatnonzero(other[columns] < 0)
    else:
        kept = np.flatnonzero(stay[columns])
    if len(kept) < len(columns):
        small, second = _groups(small[:, kept])
        owner[rows] = second[owner[rows]]
    small, owner[rows] = _side_by_side(small, owner[rows])
    sums = []
    for values in (weight, tie):
        total = np.zeros(small.shape[0], dtype=np.int64)
        np.add.at(total, owner[rows], values[rows])
        sums.append(total)
    return Traced(Reduced(small, sums[0], sums[1], columns[kept]), owner, other)


def _side_by_side(cover: csr_array, owner: Ints) -> tuple[csr_array, Ints]:
    """Order rows by their first candidate: the rows of a column then lie in few runs, and are read from memory fast."""
    if not cover.shape[0] or not cover.shape[1]:
        return cover, owner
    cover.sort_indices()
    order = np.argsort(cover.indices[cover.indptr[:-1]], kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return cover[order], rank[owner]


def _back(found: Ints, columns: Ints) -> Ints:
    """Return numbers of some columns as numbers of all, -1 as it is."""
    return np.where(found >= 0, columns[np.maximum(found, 0)] if len(columns) else -1, -1)


def _groups(cover: csr_array) -> tuple[csr_array, Ints]:
    """Return rows with equal cover sets once, and which of them each row is."""
    if not cover.shape[0]:
        return cover, np.zeros(0, dtype=np.int64)
    first, group = alike(cover)
    return cover[first], group


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
    sizes = np.diff(cover.indptr).astype(np.int64)
    keys = [sizes, *(row_sums(cover.indptr, cover.indices, numbers) for numbers in random)]
    order = np.lexsort(keys)  # stable, so that the first of each group is its lowest row
    new = np.ones(len(order), dtype=np.bool_)
    if len(order):
        new[1:] = np.any([key[order[1:]] != key[order[:-1]] for key in keys], axis=0)
    heads = order[new]
    rank = np.empty(len(heads), dtype=np.int64)
    rank[np.argsort(heads)] = np.arange(len(heads))
    group = np.empty(len(order), dtype=np.int64)
    group[order] = rank[np.cumsum(new) - 1]
    return np.sort(heads).astype(np.int64), group


def merged(cover: csr_array, weight: Ints, tie: Ints) -> tuple[csr_array, Ints, Ints]:
    """Merge rows with equal cover sets."""
    if not cover.shape[0]:
        return cover, weight, tie
    first, owner = alike(cover)
    merged = [np.zeros(len(first), dtype=np.int64) for _ in range(2)]
    for total, values in zip(merged, (weight, tie), strict=True):
        np.add.at(total, owner, values)
    return cover[first], merged[0], merged[1]


def undominated(cover: csr_array) -> Ints:
    """Return the candidates that lie within no other's cover set; of equal ones the first.

    Examples
    --------
    >>> undominated(csr_array(np.array([[1, 1, 0], [0, 1, 1]], dtype=np.int8)))
    array([1])
    """
    return np.flatnonzero(_dominators(cover) < 0).astype(np.int64)


def _dominators(cover: csr_array) -> Ints:
    """Return for each candidate another one that covers all it covers, -1 where none does."""
    columns = cover.tocsc()
    columns.sort_indices()
    return dominators(cover.indptr, cover.indices, columns.indptr, columns.indices)
