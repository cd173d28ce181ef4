"""What every choice of sites is given, checked once: the reach, weights, sites that stand, must or must not be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np
from scipy.sparse import csr_array, issparse

from .errors import Fault, InfeasibleError, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]

LARGEST = 2**53
"""Whole numbers below this are exact as floats."""
NAMED = 5
"""So many rows are named in the sentence of an error; all of them stand in the fault's detail ``rows``."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """Columns of the reach that are not free to choose.

    Parameters
    ----------
    existing
        They stand already, serve, and are not counted among the sites asked for.
    must
        They are chosen whatever they bring, and are counted.
    barred
        They are not chosen.
    """

    existing: Sequence[int] = ()
    must: Sequence[int] = ()
    barred: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Given:
    """Checked input of a model.

    Parameters
    ----------
    matrix
        csr_array float64 [demand, columns] of costs, stored zeros kept.
    weight, tie
        int64 [demand].
    site_cost
        float64 [columns].
    existing, must, barred
        bool [columns].
    """

    matrix: csr_array
    weight: Ints
    tie: Ints
    site_cost: Floats
    existing: Bools
    must: Bools
    barred: Bools


def as_csr(reach: Any) -> csr_array:  # noqa: ANN401  scipy's sparse matrices and arrays have no common type
    """Return the reach as CSR with sorted, single entries; stored False is not reach, stored zeros are."""
    if not issparse(reach):
        message = "the reach must be a sparse matrix of demand by candidates"
        raise InputError(message, Fault("gis.siting_reach"))
    matrix: csr_array = csr_array(cast("csr_array", reach))
    if not matrix.has_canonical_format:
        matrix = matrix.copy()
        matrix.sum_duplicates()
    if matrix.dtype == np.bool_ and not matrix.data.all():
        matrix = matrix.copy()
        matrix.eliminate_zeros()
    return matrix


def whole(values: ArrayLike, name: str, wanted: int, faults: list[Fault]) -> Ints:
    """Return whole, non-negative numbers as int64, or add what is wrong to the faults."""
    numbers = np.asarray(values)
    if numbers.shape != (wanted,):
        faults.append(Fault("gis.siting_shape", column=name, value=numbers.size, detail={"wanted": wanted}))
        return np.zeros(wanted, dtype=np.int64)
    plain = numbers.astype(np.float64)
    bad = np.flatnonzero(~(np.isfinite(plain) & (plain >= 0) & (plain == np.floor(plain)) & (plain < LARGEST)))
    if len(bad):
        row = int(bad[0])
        faults.append(
            Fault("gis.siting_weight", row=row, column=name, value=float(plain[row]), detail={"count": len(bad)})
        )
        return np.zeros(wanted, dtype=np.int64)
    return numbers.astype(np.int64)


def check_limits(seconds: float, gap: float) -> None:
    """Refuse limits that are no limits."""
    for name, value in (("seconds", seconds), ("gap", gap)):
        if not value >= 0:
            message = f"{name} must not be negative, was {value}"
            raise InputError(message, Fault("gis.siting_limit", column=name, value=value))


def check(
    reach: Any,  # noqa: ANN401  as above
    weights: ArrayLike,
    *,
    fixed: Fixed,
    sites: int | None = None,
    tie_weights: ArrayLike | None = None,
    site_costs: ArrayLike | None = None,
) -> Given:
    """Return the input of a model, or report all that is wrong with it together.

    Parameters
    ----------
    reach
        Sparse [demand, columns]; stored entries are costs within the limit, zero among them. A bool matrix has no
        costs: they count as 0.
    weights, tie_weights
        int64 [demand], whole and not negative.
    fixed
        Columns that are not free.
    sites
        How many are asked for, where that is asked.
    site_costs
        float64 [columns], for example yuan; finite and not negative.

    Raises
    ------
    InputError
        All faults together.
    InfeasibleError
        When there are no candidates.

    Examples
    --------
    >>> one = csr_array(np.array([[3.0, 4.0]]))
    >>> check(one, [1], fixed=Fixed(existing=[0], must=[0]), sites=1)
    Traceback (most recent call last):
    ...
    lifecircle.gis.errors.InputError: the sites cannot be chosen: gis.siting_contradiction (column=must, value=0)
    """
    matrix = as_csr(reach)
    demand, columns = matrix.shape
    faults: list[Fault] = []
    costs = np.zeros(matrix.nnz) if matrix.dtype == np.bool_ else matrix.data.astype(np.float64)
    broken = np.flatnonzero(~(np.isfinite(costs) & (costs >= 0)))
    if len(broken):
        faults.append(Fault("gis.siting_cost", value=float(costs[broken[0]]), detail={"count": len(broken)}))
    weight = whole(weights, "weights", demand, faults)
    tie = np.zeros(demand, dtype=np.int64) if tie_weights is None else whole(tie_weights, "tie_weights", demand, faults)
    if not faults and not weight.any():
        faults.append(Fault("gis.siting_no_weight"))
    price = _site_costs(site_costs, columns, faults)
    existing, must, barred = _columns(fixed, columns, faults)
    free = int((~existing & ~barred).sum())
    if sites is not None:
        _check_count(sites, free, int(must.sum()), faults)
    if not free:
        message = "there are no candidates to choose from"
        raise InfeasibleError(message, *faults, Fault("gis.siting_no_candidates"))
    if faults:
        message = f"the sites cannot be chosen: {'; '.join(str(fault) for fault in faults)}"
        raise InputError(message, *faults)
    return Given(
        csr_array((costs, matrix.indices, matrix.indptr), shape=matrix.shape),
        weight,
        tie,
        price,
        existing,
        must,
        barred,
    )


def _check_count(sites: int, free: int, must: int, faults: list[Fault]) -> None:
    """Add what is wrong with the number of sites to the faults."""
    if sites < 1:
        faults.append(Fault("gis.siting_sites", value=sites))
    if sites > free > 0:
        faults.append(Fault("gis.siting_too_many", value=sites, detail={"candidates": free}))
    if must > sites >= 1:
        faults.append(Fault("gis.siting_must", value=must, detail={"sites": sites}))


def _site_costs(values: ArrayLike | None, columns: int, faults: list[Fault]) -> Floats:
    """Return the costs of sites, zeros where none are given."""
    if values is None:
        return np.zeros(columns)
    costs = np.asarray(values, dtype=np.float64)
    if costs.shape != (columns,):
        faults.append(Fault("gis.siting_shape", column="site_costs", value=costs.size, detail={"wanted": columns}))
        return np.zeros(columns)
    broken = np.flatnonzero(~(np.isfinite(costs) & (costs >= 0)))
    if len(broken):
        row = int(broken[0])
        faults.append(Fault("gis.siting_site_cost", row=row, value=float(costs[row]), detail={"count": len(broken)}))
    return costs


def _columns(fixed: Fixed, columns: int, faults: list[Fault]) -> tuple[Bools, Bools, Bools]:
    """Return the fixed columns as flags; each may be fixed in one way only."""
    flags: list[Bools] = []
    for name in ("existing", "must", "barred"):
        flag = np.zeros(columns, dtype=np.bool_)
        for column in getattr(fixed, name):
            if not (0 <= column < columns) or column != int(column):
                faults.append(Fault("gis.siting_column", column=name, value=column, detail={"columns": columns}))
                continue
            if any(other[int(column)] for other in flags):
                faults.append(Fault("gis.siting_contradiction", column=name, value=int(column)))
            flag[int(column)] = True
        flags.append(flag)
    return flags[0], flags[1], flags[2]


def out_of_reach(given: Given, need: Ints | None = None) -> Ints:
    """Return the rows with weight that fewer columns can serve than they need (one each unless said)."""
    usable = (~given.barred).astype(np.int64)
    sizes = np.concatenate([[0], np.cumsum(usable[given.matrix.indices])])
    options = sizes[given.matrix.indptr[1:]] - sizes[given.matrix.indptr[:-1]]
    rows: Ints = np.flatnonzero((given.weight > 0) & (options < (1 if need is None else need))).astype(np.int64)
    return rows


def refuse_unreachable(given: Given, rows: Ints, times: int = 1) -> None:
    """Say which demand no candidate, or too few of them, can serve.

    Raises
    ------
    InfeasibleError
        Where there is such demand; the fault's detail has all rows and their weight.
    """
    if not len(rows):
        return
    weight = int(given.weight[rows].sum())
    named = ", ".join(str(row) for row in rows[:NAMED].tolist()) + (" …" if len(rows) > NAMED else "")
    message = f"{len(rows)} rows of demand (weight {weight}) are within reach of fewer than {times} sites: {named}"
    detail = {"count": len(rows), "weight": weight, "times": times, "named": named, "rows": rows.tolist()}
    raise InfeasibleError(message, Fault("gis.siting_out_of_reach", row=int(rows[0]), detail=detail))
