"""Who cannot be served and why: rows beyond every candidate, and rows that together need more sites than are allowed.

Set covering and the p-centre have no answer where a row is reached by too few columns, or where more sites are needed
than are allowed. The first is shown row by row. The second is shown by rows of which no two are within reach of one
candidate: each of them needs a site of its own, so there must be at least as many sites as such rows (a packing, the
dual of covering); and by the people whom the best sites leave out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from scipy.sparse import csr_array

from .cover_search import fewest
from .errors import Fault, InputError, SolverError
from .set_cover import needs_of
from .siting_check import Fixed, as_csr, check, check_limits
from .siting_model import CoverModel
from .siting_reduce import pattern

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from .siting_check import Given

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]

NOBODY, BARRED, FEW = "no_candidate", "barred", "too_few"
"""No column is within the limit; only barred ones are; some are, but fewer than are needed."""


@dataclass(frozen=True, slots=True)
class Unreached:
    """Rows of demand with weight that no choice of candidates can serve as often as they need.

    Parameters
    ----------
    rows
        int64 [u], the rows, rising.
    weight
        int64 [u], the weight of each.
    usable
        int64 [u], how many columns that stand or may be chosen reach it.
    reason
        u of ``no_candidate``, ``barred``, ``too_few``.
    nearest, walk
        int64 and float64 [u], the column that is nearest beyond the limit, and its cost; -1 and infinite where that was
        not measured or there is none.
    """

    rows: Ints
    weight: Ints
    usable: Ints
    reason: tuple[str, ...]
    nearest: Ints
    walk: Floats

    def __str__(self) -> str:
        """Say the result in a sentence."""
        return f"{len(self.rows)} rows of demand (weight {int(self.weight.sum())}) are out of reach"


@dataclass(frozen=True, slots=True)
class TooFew:
    """Why so many sites cannot reach everybody.

    Parameters
    ----------
    sites
        How many were allowed beside the existing ones.
    needed
        At least so many are needed.
    apart
        int64 [a], rows of which no two are within reach of one column that may be chosen, none of them served already:
        each needs a site of its own.
    chosen
        int64 [k], the sites that reach the most weight.
    left_out
        int64 [l], rows with weight that those leave out of reach.
    weight
        The weight of those.
    """

    sites: int
    needed: int
    apart: Ints
    chosen: Ints
    left_out: Ints
    weight: int

    def __str__(self) -> str:
        """Say the result in a sentence."""
        return (
            f"{self.sites} sites leave out at least {self.weight} (in {len(self.left_out)} rows); "
            f"{self.needed} are needed to reach everybody"
        )


def unreached(
    reach: Any,  # noqa: ANN401  scipy's sparse matrices and arrays have no common type
    weights: ArrayLike,
    *,
    covered: ArrayLike | None = None,
    times: int = 1,
    fixed: Fixed | None = None,
    beyond: Any = None,  # noqa: ANN401  as above
) -> Unreached:
    """Return the demand that cannot be served as often as it needs, whatever is chosen.

    Parameters
    ----------
    reach
        Sparse [demand, columns]; a stored entry, a zero cost too, means within the limit. In a bool matrix only True
        counts.
    weights
        int64 [demand]; rows of weight 0 need nothing.
    covered
        bool [demand], served already by what is not among the columns; such rows are left out.
    times
        By how many columns each row is to be reached.
    fixed
        Columns that stand already or must not be chosen.
    beyond
        Sparse [demand, columns] of costs measured with a longer limit, to say how far the nearest column is.

    Raises
    ------
    InputError
        All that is wrong with the input, together.

    Examples
    --------
    >>> reach = csr_array(np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 2.0]]))
    >>> far = csr_array(np.array([[1.0, 9.0], [7.0, 8.0], [0.0, 2.0]]))
    >>> who = unreached(reach, [10, 20, 5], fixed=Fixed(barred=[1]), beyond=far)
    >>> who.rows.tolist(), who.reason, who.walk.tolist()
    ([1, 2], ('no_candidate', 'barred'), [7.0, inf])
    """
    fixed = fixed or Fixed()
    matrix, weight, usable, done = _checked(reach, weights, covered, times, fixed)
    entry = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    able = np.bincount(entry[usable[matrix.indices]], minlength=matrix.shape[0])
    every = np.diff(matrix.indptr)
    rows = np.flatnonzero((weight > 0) & ~done & (able < times)).astype(np.int64)
    reason = tuple(
        NOBODY if not every[row] else BARRED if not able[row] and every[row] >= times else FEW for row in rows
    )
    nearest, walk = _nearest(beyond, matrix.shape, usable, rows)
    return Unreached(rows, weight[rows], able[rows].astype(np.int64), reason, nearest, walk)


def _checked(
    reach: Any,  # noqa: ANN401  as above
    weights: ArrayLike,
    covered: ArrayLike | None,
    times: int,
    fixed: Fixed,
) -> tuple[csr_array, Ints, Bools, Bools]:
    """Return the reach, the weights, which columns may serve and which rows are served, or report all faults."""
    matrix = as_csr(reach)
    faults: list[Fault] = []
    if times < 1:
        faults.append(Fault("gis.siting_times", value=times))
    done = np.zeros(matrix.shape[0], dtype=np.bool_) if covered is None else np.asarray(covered, dtype=np.bool_)
    if done.shape != (matrix.shape[0],):
        faults.append(Fault("gis.siting_shape", column="covered", value=done.size, detail={"wanted": matrix.shape[0]}))
    columns, some = matrix.shape[1], pattern(matrix)
    wider = csr_array((some.data, some.indices, some.indptr), shape=(matrix.shape[0], columns + 1))
    faults.extend(
        Fault("gis.siting_column", column=name, value=columns, detail={"columns": columns})
        for name in ("existing", "must", "barred")
        if columns in getattr(fixed, name)
    )
    try:  # with a column that reaches nobody: that all candidates are barred, or that there are none, is no fault here
        given: Given | None = check(wider, weights, fixed=fixed)
    except InputError as error:
        given = None
        faults[:0] = error.faults
    if given is None or faults:
        message = f"the demand out of reach cannot be told: {'; '.join(str(fault) for fault in faults)}"
        raise InputError(message, *faults)
    return matrix, given.weight, ~given.barred[:-1], done


def _nearest(beyond: Any, shape: tuple[int, int], usable: Bools, rows: Ints) -> tuple[Ints, Floats]:  # noqa: ANN401
    """Return the nearest usable column of each row in a longer reach, and its cost."""
    nearest, walk = np.full(len(rows), -1, dtype=np.int64), np.full(len(rows), np.inf)
    if beyond is None:
        return nearest, walk
    longer = as_csr(beyond)
    if longer.shape != shape:
        message = f"the longer reach has the shape {longer.shape}, the reach {shape}"
        raise InputError(message, Fault("gis.unreached_shape", column="beyond", value=str(longer.shape)))
    for place, row in enumerate(rows.tolist()):
        own = slice(longer.indptr[row], longer.indptr[row + 1])
        columns, costs = longer.indices[own], longer.data[own].astype(np.float64)
        able = np.flatnonzero(usable[columns])
        if len(able):
            best = able[int(np.lexsort((columns[able], costs[able]))[0])]
            nearest[place], walk[place] = columns[best], costs[best]
    return nearest, walk


def too_few(
    reach: Any,  # noqa: ANN401  scipy's sparse matrices and arrays have no common type
    weights: ArrayLike,
    *,
    sites: int,
    fixed: Fixed | None = None,
    tie_weights: ArrayLike | None = None,
    seconds: float = 60.0,
) -> TooFew | None:
    """Return why so many sites cannot reach everybody whom some column reaches, None where they can.

    Parameters
    ----------
    reach
        Sparse [demand, columns] within the limit, or within the radius asked about.
    weights
        int64 [demand]; rows of weight 0 need nothing, nor do rows that no column reaches: `unreached` has those.
    sites
        How many may be chosen beside the existing ones.
    fixed
        Columns that stand already, must be or must not be chosen.
    tie_weights
        int64 [demand], for example elders: the most of them are reached by equal choices.
    seconds
        Time for the whole.

    Raises
    ------
    InputError
        All that is wrong with the input, together.
    InfeasibleError
        When there are no candidates.
    SolverError
        When neither was shown in time.

    Examples
    --------
    >>> reach = csr_array(np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1]], dtype=bool))
    >>> why = too_few(reach, [10, 20, 5, 7], sites=1)
    >>> print(why)
    1 sites leave out at least 12 (in 2 rows); 3 are needed to reach everybody
    >>> why.apart.tolist(), why.left_out.tolist()
    ([0, 2, 3], [2, 3])
    """
    fixed = fixed or Fixed()
    check_limits(seconds, 0.0)
    given = check(reach, weights, fixed=fixed, sites=sites, tie_weights=tie_weights)
    bare = csr_array((np.zeros(given.matrix.nnz), given.matrix.indices, given.matrix.indptr), shape=given.matrix.shape)
    needed = fewest(needs_of(given), seconds=seconds / 2)
    if needed.chosen is not None and int(needed.value) <= sites:
        return None
    if needed.bound <= sites:
        message = f"it was not found out in time whether {sites} sites can reach everybody; allow more"
        raise SolverError(message, Fault("gis.siting_no_answer", value=sites))
    stands = _met(bare, given.existing)
    model = CoverModel(
        bare, given.weight, covered=stands, tie_weights=given.tie, site_costs=given.site_cost, sites=sites
    )
    barred = np.flatnonzero(given.barred | given.existing).tolist()
    best = model.solve(sites=sites, must=np.flatnonzero(given.must).tolist(), barred=barred)
    chosen = np.zeros(bare.shape[1], dtype=np.bool_)
    chosen[best.chosen] = True
    usable = ~given.barred
    reachable = _met(bare, usable) & (given.weight > 0)
    left_out = np.flatnonzero(reachable & ~stands & ~_met(bare, chosen)).astype(np.int64)
    apart = _apart(bare, np.flatnonzero(reachable & ~stands), usable)
    return TooFew(
        sites=sites,
        needed=max(int(np.ceil(needed.bound)), len(apart)),
        apart=apart,
        chosen=best.chosen,
        left_out=left_out,
        weight=int(given.weight[left_out].sum()),
    )


def _met(matrix: csr_array, columns: Bools) -> Bools:
    """Return the rows that one of the columns reaches."""
    entry = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    return np.bincount(entry[columns[matrix.indices]], minlength=matrix.shape[0]) > 0


def _apart(matrix: csr_array, rows: Ints, usable: Bools) -> Ints:
    """Return rows of which no two share a usable column: those of few columns first, then lower rows.

    Each row taken rules out fewer others the fewer rows its columns reach, which is counted anew for none of them: a
    greedy packing, not always the largest one.
    """
    sizes = np.bincount(matrix.indices, minlength=matrix.shape[1])
    neighbours = np.array([int(sizes[_columns(matrix, row, usable)].sum()) for row in rows.tolist()], dtype=np.int64)
    taken, apart = np.zeros(matrix.shape[1], dtype=np.bool_), []
    for row in rows[np.lexsort((rows, neighbours))].tolist():
        own = _columns(matrix, row, usable)
        if not taken[own].any():
            taken[own] = True
            apart.append(row)
    return np.sort(np.array(apart, dtype=np.int64))


def _columns(matrix: csr_array, row: int, usable: Bools) -> NDArray[np.integer]:
    """Return the usable columns of a row."""
    own = matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]]
    found: NDArray[np.integer] = own[usable[own]]
    return found
