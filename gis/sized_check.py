"""What covering with sizes is given, checked: options, what stands, money."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from .errors import Fault, InfeasibleError
from .limited_answer import flagged
from .money import check_budget, gathered, refuse
from .siting_check import Fixed, as_csr, check, check_limits, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray
    from scipy.sparse import csr_array

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Sizes:
    """What may be built: one row an option.

    Parameters
    ----------
    candidate
        int64 [options], columns of the reach; a column may have several options.
    capacity
        int64 [options], people it then holds; of an existing site, how many more.
    cost
        float64 [options], for example yuan; finite and not negative, read to six decimals.
    """

    candidate: ArrayLike
    capacity: ArrayLike
    cost: ArrayLike


@dataclass(frozen=True, slots=True)
class Standing:
    """What exists.

    Parameters
    ----------
    existing
        Columns that stand.
    capacity
        int64 [existing], people each holds.
    closable
        Those of them that may be closed.
    closings
        How many may be closed.
    closing_costs
        float64 [closable], what closing costs; nothing unless said.
    """

    existing: Sequence[int] = ()
    capacity: ArrayLike = ()
    closable: Sequence[int] = ()
    closings: int = 0
    closing_costs: ArrayLike | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """The checked input.

    Parameters
    ----------
    matrix, weight, tie, done
        Reach and demand; the second weight no more than the first.
    existing, may, must, barred
        bool [columns], what stands, what of it may close, what must and must not be built.
    base, closing
        int64 and float64 [columns], people an existing site holds, what closing it costs.
    candidate, capacity, cost
        The options.
    budget, sites, closings, least
        The limits.
    """

    matrix: csr_array
    weight: Ints
    tie: Ints
    done: Bools
    existing: Bools
    may: Bools
    must: Bools
    barred: Bools
    base: Ints
    closing: Floats
    candidate: Ints
    capacity: Ints
    cost: Floats
    budget: float | None
    sites: int | None
    closings: int
    least: int


def checked(  # noqa: PLR0913  the input of one function
    reach: Any,  # noqa: ANN401  scipy's sparse matrices and arrays have no common type
    weights: ArrayLike,
    sizes: Sizes,
    standing: Standing,
    demand: tuple[ArrayLike | None, ArrayLike | None],
    fixed: tuple[Sequence[int], Sequence[int]],
    *,
    budget: float | None,
    sites: int | None,
    least: int,
    ends: tuple[float, float],
) -> Asked:
    """Return the checked input, or report all that is wrong with it together.

    Parameters
    ----------
    reach, weights, sizes, standing, budget, sites, least
        As for `budgeted_capacity`.
    demand, fixed, ends
        Covered rows and second weights; columns that must and must not be built; seconds and gap.

    Raises
    ------
    InputError
        All faults together.
    InfeasibleError
        When there is nothing to choose from.
    """
    covered, tie_weights = demand
    must, barred = fixed
    matrix = as_csr(reach)
    rows, count = matrix.shape
    if not count:
        message = "there are no candidates to choose from"
        raise InfeasibleError(message, Fault("gis.siting_no_candidates"))
    faults: list[Fault] = []
    with gathered(faults):
        check_limits(*ends)
    with gathered(faults):  # columns that stand may be extended, so that they may be required or barred, too
        given = check(reach, weights, fixed=Fixed(must=must), tie_weights=tie_weights)
    faults += _columns_named(count, existing=standing.existing, closable=standing.closable, barred=barred)
    out, stands = flagged(barred, count), flagged(standing.existing, count)
    faults += [
        Fault("gis.siting_contradiction", column="barred", value=int(one))
        for one in np.flatnonzero(out & flagged(must, count))
    ]
    done = np.zeros(rows, dtype=np.bool_) if covered is None else np.asarray(covered, dtype=np.bool_)
    if done.shape != (rows,):
        faults.append(Fault("gis.siting_shape", column="covered", value=done.size, detail={"wanted": rows}))
    before = len(faults)
    candidate, capacity, cost = _options(sizes, count, faults)
    may, base, closing = _stands(standing, count, faults)
    if len(faults) == before:
        faults += _wrong(candidate, cost, (out, must), budget, sites, stands)
    if least != int(least) or least < 0:
        faults.append(Fault("gis.siting_weight", column="least", value=least, detail={"count": 1}))
    refuse(faults)
    return Asked(
        matrix, given.weight, np.minimum(given.tie, given.weight), done, stands, may, flagged(must, count), out, base,
        closing, candidate, capacity, cost, budget, sites, int(standing.closings), int(least),
    )  # fmt: skip


def _columns_named(count: int, **named: Sequence[int]) -> list[Fault]:
    """Return which of the columns named do not exist."""
    return [
        Fault("gis.siting_column", column=name, value=one, detail={"columns": count})
        for name, columns in named.items()
        for one in columns
        if one != int(one) or not 0 <= one < count
    ]


def _options(sizes: Sizes, count: int, faults: list[Fault]) -> tuple[Ints, Ints, Floats]:
    """Return the options as arrays, or add what is wrong with them to the faults."""
    columns, costs = np.asarray(sizes.candidate), np.asarray(sizes.cost, dtype=np.float64)
    options = len(columns) if columns.ndim == 1 else -1
    if options <= 0:
        faults.append(Fault("gis.sized_none"))
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0)
    named = columns.astype(np.float64)
    faults += [
        Fault("gis.siting_column", row=int(row), column="sizes.candidate", value=named[row], detail={"columns": count})
        for row in np.flatnonzero(~((named >= 0) & (named < count) & (named == np.floor(named))))
    ]
    capacity = whole(sizes.capacity, "sizes.capacity", options, faults)
    if costs.shape != (options,):
        faults.append(Fault("gis.siting_shape", column="sizes.cost", value=costs.size, detail={"wanted": options}))
    elif not (np.isfinite(costs) & (costs >= 0)).all():
        broken = np.flatnonzero(~(np.isfinite(costs) & (costs >= 0)))
        detail = {"count": len(broken)}
        row = int(broken[0])
        faults.append(
            Fault("gis.siting_site_cost", row=row, column="sizes.cost", value=float(costs[row]), detail=detail)
        )
    return np.nan_to_num(named, nan=-1).astype(np.int64), capacity, costs


def _stands(standing: Standing, count: int, faults: list[Fault]) -> tuple[Bools, Ints, Floats]:
    """Return what may close, what each existing site holds and what closing costs, or add to the faults."""
    existing = [int(one) for one in standing.existing]
    base, closing = np.zeros(count, dtype=np.int64), np.zeros(count)
    held = whole(standing.capacity, "standing.capacity", len(existing), faults)
    inside = [0 <= one < count for one in existing]
    base[np.array(existing, dtype=np.int64)[inside]] = held[inside]
    stands, may = flagged(standing.existing, count), flagged(standing.closable, count)
    faults += [
        Fault("gis.relocate_closable", column="closable", value=int(one)) for one in np.flatnonzero(may & ~stands)
    ]
    if not 0 <= standing.closings <= int(may.sum()):
        detail = {"closable": int(may.sum())}
        faults.append(Fault("gis.relocate_closings", column="closings", value=standing.closings, detail=detail))
    if standing.closing_costs is not None:
        costs, wanted = np.asarray(standing.closing_costs, dtype=np.float64), len(standing.closable)
        if costs.shape != (wanted,):
            detail = {"wanted": wanted}
            faults.append(Fault("gis.siting_shape", column="closing_costs", value=costs.size, detail=detail))
        elif not (np.isfinite(costs) & (costs >= 0)).all():
            row = int(np.flatnonzero(~(np.isfinite(costs) & (costs >= 0)))[0])
            detail = {"count": int((~(np.isfinite(costs) & (costs >= 0))).sum())}
            faults.append(
                Fault("gis.siting_site_cost", row=row, column="closing_costs", value=float(costs[row]), detail=detail)
            )
        elif may.sum() == wanted:
            closing[np.array(standing.closable, dtype=np.int64)] = costs
    return may, base, closing


def _wrong(
    candidate: Ints,
    cost: Floats,
    fixed: tuple[Bools, Sequence[int]],
    budget: float | None,
    sites: int | None,
    stands: Bools,
) -> list[Fault]:
    """Return what is wrong with the limits, given options that are right."""
    out, must = fixed
    faults = [
        Fault("gis.sized_must", column="must", value=int(one)) for one in must if not (candidate == int(one)).any()
    ]
    free = ~out[candidate]
    new = np.unique(candidate[free & ~stands[candidate]])
    fewest = 0 if stands.any() else 1  # what stands may be extended, and closed ones make room
    if sites is not None and sites < fewest:
        faults.append(Fault("gis.siting_sites", value=sites))
    if sites is not None and sites > max(len(new), fewest):
        faults.append(Fault("gis.siting_too_many", value=sites, detail={"candidates": len(new)}))
    asked = len({int(one) for one in must} - set(np.flatnonzero(stands).tolist()))
    if sites is not None and asked > sites >= fewest:
        faults.append(Fault("gis.siting_must", value=asked, detail={"sites": sites}))
    if budget is not None and not faults:
        cheapest = [int(own[np.argmin(cost[own])]) for own in (np.flatnonzero(candidate == int(one)) for one in must)]
        faults += check_budget(budget, cost, free, cheapest)
    return faults
