"""The fewest sites that reach everybody, each row as often as it needs: reduction, greedy, then HiGHS for the proof.

    minimise Σ cⱼ xⱼ   subject to   Σ_{j reaches i} xⱼ ≥ needᵢ,   xⱼ ∈ {0, 1}

Set covering: Toregas, Swain, ReVelle & Bergman (1971), Operations Research 19.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import highspy
import numpy as np
from scipy.sparse import csr_array

from .errors import SolverError
from .kernels_setcover import torn_and_mended
from .siting_reduce import alike, undominated
from .siting_solve import silent_solver

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]

ROUNDING = 1e-6
ROUNDS, ROUNDS_PER_COLUMN, ROUND_ENTRIES, SEED = (100, 30_000), 40, 10_000_000_000, 0
"""Least and most rounds of tearing an answer and mending it."""


@dataclass(frozen=True, slots=True)
class Needs:
    """A covering problem.

    Parameters
    ----------
    cover
        csr_array int8 [rows, columns] of ones.
    need
        int64 [rows], by how many columns each row is to be reached; no more than there are.
    cost
        float64 [columns], 1 each to find the fewest.
    kept
        bool [columns], those that are chosen in any case.
    """

    cover: csr_array
    need: Ints
    cost: Floats
    kept: Bools

    @property
    def whole(self) -> bool:
        """Say whether all costs are whole numbers."""
        return bool((self.cost == np.floor(self.cost)).all())


@dataclass(frozen=True, slots=True)
class Cover:
    """Columns that meet the needs, None where there are none within the limit asked for; what no choice is below."""

    chosen: Bools | None
    value: float
    bound: float
    late: bool


def fewest(needs: Needs, *, seconds: float, gap: float = 0.0, most: float = np.inf) -> Cover:
    """Return columns of the least cost that meet all needs.

    Parameters
    ----------
    needs
        A covering problem that has an answer.
    seconds, gap
        Limits of the proof.
    most
        What the answer may cost. Any that costs no more will do then, and the bound says when there is none.

    Examples
    --------
    >>> cover = csr_array(np.array([[1, 1, 0], [0, 1, 1], [1, 0, 1]], dtype=np.int8))
    >>> needs = Needs(cover, np.ones(3, dtype=np.int64), np.ones(3), np.zeros(3, dtype=bool))
    >>> fewest(needs, seconds=10).value, fewest(needs, seconds=10, most=1).bound
    (2.0, 2.0)
    """
    small, columns = _reduced(needs)
    fixed = float(needs.cost[needs.kept].sum())
    start = _pruned(small, _greedy(small))
    value = float(small.cost[start].sum()) + fixed
    if len(small.need) == 0:
        return Cover(needs.kept.copy(), fixed, fixed, late=False)
    quick = _quick_bound(small) + fixed
    if value <= most < np.inf or quick >= value or quick > most:
        found: Bools | None = start
        bound, late = min(quick, value), False
    else:
        if most == np.inf:
            start = _bettered(small, start)
        found, bound, late = _prove(small, start, seconds=seconds, gap=gap, most=most - fixed)
        bound += fixed
    if found is None or small.cost[found].sum() + fixed > most:
        return Cover(None, np.inf, bound, late)
    chosen = needs.kept.copy()
    chosen[columns[found]] = True
    value = float(needs.cost[chosen].sum())
    return Cover(chosen, value, min(bound, value), late)


def _reduced(needs: Needs) -> tuple[Needs, Ints]:
    """Return the problem without what the kept columns meet, equal rows once, and its columns.

    A column within another's cover set that costs no less is dropped where every row needs one column only.
    """
    left = needs.need - needs.cover @ needs.kept.astype(np.int64)
    rows = np.flatnonzero(left > 0)
    columns = np.flatnonzero(~needs.kept)
    cover = csr_array(needs.cover[rows][:, columns])
    left = left[rows]
    if len(rows):
        first, group = alike(cover)
        most = np.zeros(len(first), dtype=np.int64)
        np.maximum.at(most, group, left)
        cover, left = cover[first], most
        useful = np.bincount(cover.indices, minlength=len(columns)) > 0
        cover, columns = csr_array(cover[:, np.flatnonzero(useful)]), columns[useful]
        if (left == 1).all() and np.ptp(needs.cost[columns]) == 0:
            stay = undominated(cover)
            cover, columns = csr_array(cover[:, stay]), columns[stay]
    return Needs(cover, left, needs.cost[columns], np.zeros(len(columns), dtype=np.bool_)), columns


def _greedy(needs: Needs) -> Bools:
    """Choose columns one by one, each meeting the most needs for its cost, the first when equal."""
    by_column = csr_array(needs.cover.T.astype(np.int64))
    left, chosen = needs.need.copy(), np.zeros(len(needs.cost), dtype=np.bool_)
    price = np.maximum(needs.cost, ROUNDING)
    gain = by_column @ (left > 0).astype(np.int64)
    rows_of = needs.cover
    while (left > 0).any():
        column = int(np.argmax(np.where(chosen, -1.0, gain / price)))
        if chosen[column] or gain[column] <= 0:
            message = "the needs cannot be met by the columns given"
            raise SolverError(message)
        chosen[column] = True
        own = by_column.indices[by_column.indptr[column] : by_column.indptr[column + 1]]
        met = own[left[own] == 1]
        left[own] -= 1
        for row in met:  # each row is met once, so that all of this costs one pass over the entries
            gain[rows_of.indices[rows_of.indptr[row] : rows_of.indptr[row + 1]]] -= 1
    return chosen


def _pruned(needs: Needs, chosen: Bools) -> Bools:
    """Leave out columns that are not needed any more, the dearest first."""
    by_column = csr_array(needs.cover.T)
    times = needs.cover.astype(np.int64) @ chosen.astype(np.int64)
    stay = chosen.copy()
    for column in sorted(np.flatnonzero(chosen).tolist(), key=lambda one: (-needs.cost[one], -one)):
        own = by_column.indices[by_column.indptr[column] : by_column.indptr[column + 1]]
        if (times[own] > needs.need[own]).all():
            stay[column] = False
            times[own] -= 1
    return stay


def _bettered(needs: Needs, start: Bools) -> Bools:
    """Return the answer after rounds of tearing and mending, more of them the smaller the problem is."""
    by_column = needs.cover.tocsc()
    rounds = int(np.clip(min(ROUND_ENTRIES // needs.cover.nnz, ROUNDS_PER_COLUMN * len(start)), *ROUNDS))
    return torn_and_mended(
        needs.cover.indptr.astype(np.int64),
        needs.cover.indices.astype(np.int32),
        by_column.indptr.astype(np.int64),
        by_column.indices.astype(np.int32),
        needs.need,
        np.maximum(needs.cost, ROUNDING),
        start,
        rounds,
        SEED,
    )


def _quick_bound(needs: Needs) -> float:
    """Return a bound without a solver: each row shares the price of the cheapest share among its columns."""
    sizes = np.bincount(needs.cover.indices, minlength=len(needs.cost))
    share = needs.cost / np.maximum(sizes, 1)
    least = np.full(len(needs.need), np.inf)
    row = np.repeat(np.arange(len(needs.need)), np.diff(needs.cover.indptr))
    np.minimum.at(least, row, share[needs.cover.indices])
    bound = float((needs.need * least).sum())
    return float(np.ceil(bound - ROUNDING)) if needs.whole else bound


def _prove(needs: Needs, start: Bools, *, seconds: float, gap: float, most: float) -> tuple[Bools | None, float, bool]:
    """Run HiGHS from an answer; return the best answer, the proven bound, and whether time ran out."""
    value = float(needs.cost[start].sum())
    if seconds <= 0:
        return start, _quick_bound(needs), True
    solver = silent_solver(seconds=seconds, gap=gap)
    if not needs.whole:
        solver.setOptionValue("mip_abs_gap", ROUNDING)
    limited = np.isfinite(most)
    _pass(solver, needs, most if limited else np.inf)
    if limited:
        solver.setOptionValue("objective_target", float(most) + 0.5 * ROUNDING)
    else:
        solution = highspy.HighsSolution()
        solution.col_value = start.astype(np.float64)
        solver.setSolution(solution)
    solver.run()
    status, info = solver.getModelStatus(), solver.getInfo()
    late = status == highspy.HighsModelStatus.kTimeLimit
    if status == highspy.HighsModelStatus.kInfeasible:
        return None, float(np.floor(most) + 1) if needs.whole else float(np.nextafter(most, np.inf)), late
    bound = info.mip_dual_bound if np.isfinite(info.mip_dual_bound) else 0.0
    bound = float(np.ceil(bound - ROUNDING)) if needs.whole else float(bound) - ROUNDING
    found: Bools | None = None if limited else start
    if info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible:
        chosen = np.asarray(solver.getSolution().col_value) > 0.5
        if limited or needs.cost[chosen].sum() < value:
            found = _pruned(needs, chosen)
    if status == highspy.HighsModelStatus.kOptimal and gap == 0 and not limited and found is not None:
        bound = float(needs.cost[found].sum())
    return found, max(bound, _quick_bound(needs)), late


def _pass(solver: highspy.Highs, needs: Needs, most: float) -> None:
    """Give the solver the model: a row for each need, and one for what the answer may cost."""
    rows, columns = needs.cover.shape
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = columns, rows + 1
    model.col_cost_ = needs.cost
    model.col_lower_, model.col_upper_ = np.zeros(columns), np.ones(columns)
    model.row_lower_ = np.append(needs.need.astype(np.float64), -highspy.kHighsInf)
    model.row_upper_ = np.append(np.full(rows, highspy.kHighsInf), min(most, highspy.kHighsInf))
    model.integrality_ = [highspy.HighsVarType.kInteger] * columns
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = np.append(needs.cover.indptr, needs.cover.nnz + columns).astype(np.int32)
    model.a_matrix_.index_ = np.concatenate([needs.cover.indices, np.arange(columns)]).astype(np.int32)
    model.a_matrix_.value_ = np.concatenate([np.ones(needs.cover.nnz), needs.cost])
    if solver.passModel(model) == highspy.HighsStatus.kError:
        message = "HiGHS refused the covering model"
        raise SolverError(message)


def most_backup(needs: Needs, weight: Ints, chosen: Bools, *, seconds: float) -> tuple[Bools, bool]:
    """Among choices that cost no more, return the one by which the most weight is reached once more than it needs.

    Parameters
    ----------
    needs
        A covering problem.
    weight
        int64 [rows].
    chosen
        bool [columns], an answer of least cost.
    seconds
        Time for the proof.

    Returns
    -------
    The choice, and whether the time was over before it was proven.
    """
    if seconds <= 0:
        return chosen, True
    first, group = alike(needs.cover)  # rows with equal cover sets have equal needs
    needs = replace(needs, cover=csr_array(needs.cover[first]), need=needs.need[first])
    weight = np.bincount(group, weight, minlength=len(first)).astype(np.int64)
    rows, columns = needs.cover.shape
    solver = silent_solver(seconds=seconds, gap=0.0)
    _pass(solver, needs, float(needs.cost[chosen].sum()) + ROUNDING)
    solver.changeColsCost(columns, np.arange(columns, dtype=np.int32), np.zeros(columns))
    kept = np.flatnonzero(needs.kept).astype(np.int32)
    solver.changeColsBounds(len(kept), kept, np.ones(len(kept)), np.ones(len(kept)))
    for row in range(rows):  # a row's backup is what reaches it beyond its need, counted up to once
        own = needs.cover.indices[needs.cover.indptr[row] : needs.cover.indptr[row + 1]]
        solver.addCol(float(weight[row]), 0.0, 1.0, 0, np.zeros(0, dtype=np.int32), np.zeros(0))
        index = np.append(own, columns + row).astype(np.int32)
        value = np.append(np.ones(len(own)), -1.0)
        solver.addRow(float(needs.need[row]), highspy.kHighsInf, len(index), index, value)
    solver.changeObjectiveSense(highspy.ObjSense.kMaximize)
    solution = highspy.HighsSolution()
    start = needs.cover.astype(np.int64) @ chosen.astype(np.int64) > needs.need
    solution.col_value = np.concatenate([chosen, start]).astype(np.float64)
    solver.setSolution(solution)
    solver.run()
    late = solver.getModelStatus() != highspy.HighsModelStatus.kOptimal
    if solver.getInfo().primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        return chosen, True
    return np.asarray(solver.getSolution().col_value)[:columns] > 0.5, late
