"""Where best when sites hold only so many: beds, seats, stalls."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from scipy.sparse import csr_array

from .capacity_search import Loads, place, transport
from .errors import Fault, InfeasibleError, InputError, SolverError
from .located import gap_of, outcome
from .median_search import Effort
from .siting_check import Fixed, check, check_limits, out_of_reach, refuse_unreachable, whole

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from .capacity_search import Placed
    from .located import Outcome
    from .siting_check import Given

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Loaded:
    """Chosen sites that hold only so many, and who goes where.

    Parameters
    ----------
    chosen
        int64 [k], columns of the reach in the order of the people they take.
    load, spare
        int64 [columns], people placed at each column, existing ones too, and places left there; 0 where it is closed.
    without
        float64 [k], by how much the objective rises when the site is left out and nothing takes its place.
    runner_up, runner_up_loses
        int64 and float64 [k], the candidate that best takes the place of the site, the others staying, and by how much
        the objective rises then; -1 and infinity where none can, or where it was not asked for.
    placed
        csr_array int64 [demand, columns], people of each row at each column.
    left_out
        int64 [demand], people with no place.
    objective, bound, gap, status, seconds, work
        As in `Located`.
    """

    chosen: Ints
    load: Ints
    spare: Ints
    without: Floats
    runner_up: Ints
    runner_up_loses: Floats
    placed: csr_array
    left_out: Ints
    objective: float
    bound: float
    gap: float
    status: Outcome
    seconds: float
    work: int

    def __str__(self) -> str:
        """Say the result in a sentence."""
        people, none = int(self.load.sum()), int(self.left_out.sum())
        return f"{len(self.chosen)} sites: {people} have a place, {none} have none; {self.objective:g} ({self.status})"


def capacitated_median(
    reach: Any,  # noqa: ANN401  scipy's sparse matrices and arrays have no common type
    weights: ArrayLike,
    capacities: ArrayLike,
    *,
    sites: int,
    beyond: float | None = None,
    fixed: Fixed | None = None,
    effort: Effort | None = None,
    runners_up: bool = True,
) -> Loaded:
    """Choose sites and give people places so that the sum of walks is least.

    The people of a row may go to several sites. Existing columns hold their capacity and are not counted.

    Parameters
    ----------
    reach
        Sparse [demand, columns] of walking metres or seconds, zeros stored.
    weights
        int64 [demand], people.
    capacities
        int64 [columns], how many each site holds.
    sites
        How many may be chosen beside the existing ones.
    beyond
        What a person without a place costs; at least the largest cost stored. None: all must have a place.
    fixed
        Columns that stand already, must be or must not be chosen.
    effort
        Limits of the search.
    runners_up
        Whether to look for the stand-in of each site, which takes a transport problem for each other candidate.

    Raises
    ------
    InputError
        All that is wrong with the input, together.
    InfeasibleError
        Where not everybody can have a place; the fault says the least number who cannot.

    Notes
    -----
    Capacitated p-median with people who may be split: Ross, G. T. & Soland, R. M. (1977), Management Science 24.

    Examples
    --------
    >>> reach = csr_array(np.array([[100.0, 300.0], [400.0, 50.0]]))
    >>> found = capacitated_median(reach, [10, 20], [30, 15], sites=2)
    >>> found.placed.toarray().tolist(), found.objective
    ([[10, 0], [5, 15]], 3750.0)
    """
    began = time.perf_counter()
    given, capacity, effort = _checked(reach, weights, capacities, sites, fixed, effort)
    largest = float(given.matrix.data.max(initial=0.0))
    if beyond is None:
        refuse_unreachable(given, out_of_reach(given))
    elif not (np.isfinite(beyond) and beyond >= largest):
        message = f"a person without a place must cost at least the longest walk stored, {largest:g}; was {beyond}"
        raise InputError(message, Fault("gis.siting_beyond", value=beyond, detail={"largest": largest}))
    whole_costs = bool((given.matrix.data == np.floor(given.matrix.data)).all())
    if beyond is None:
        penalty = float(np.ceil(largest * given.weight.sum())) + 1.0
        loads = _loads(given, capacity, sites, penalty, unit=float(whole_costs), everybody=True)
    else:
        loads = _loads(given, capacity, sites, beyond, unit=float(whole_costs and beyond == np.floor(beyond)))
    placed = place(loads, effort)
    if beyond is None and placed.left.any():
        start = _room_for_all(given, capacity, sites, effort)
        placed = place(loads, replace(effort, seconds=max(0.0, effort.seconds - time.perf_counter() + began)), start)
    return _loaded(loads, placed, effort, began, runners_up=runners_up)


def capacitated_cover(
    reach: Any,  # noqa: ANN401  scipy's sparse matrices and arrays have no common type
    weights: ArrayLike,
    capacities: ArrayLike,
    *,
    sites: int,
    fixed: Fixed | None = None,
    effort: Effort | None = None,
    runners_up: bool = True,
) -> Loaded:
    """Choose sites so that the most people have a place within reach.

    Parameters
    ----------
    reach
        Sparse [demand, columns]; a stored entry, a zero cost too, means within the limit.
    weights, capacities, sites, fixed, effort, runners_up
        As in `capacitated_median`.

    Returns
    -------
    Loaded
        Its objective is the number of people who have no place, so that the bound says how many at least have none.

    Raises
    ------
    InputError
        All that is wrong with the input, together.
    InfeasibleError
        When there are no candidates.

    Notes
    -----
    Current, J. & Storbeck, J. (1988), Environment and Planning B 15.

    Examples
    --------
    >>> reach = csr_array(np.array([[1, 1], [0, 1]], dtype=bool))
    >>> found = capacitated_cover(reach, [10, 20], [30, 15], sites=1)
    >>> found.chosen.tolist(), found.load.tolist(), found.left_out.tolist()
    ([1], [0, 15], [10, 5])
    """
    began = time.perf_counter()
    given, capacity, effort = _checked(reach, weights, capacities, sites, fixed, effort)
    loads = _cover_loads(given, capacity, sites)
    return _loaded(loads, place(loads, effort), effort, began, runners_up=runners_up)


def _checked(
    reach: Any,  # noqa: ANN401  as above
    weights: ArrayLike,
    capacities: ArrayLike,
    sites: int,
    fixed: Fixed | None,
    effort: Effort | None,
) -> tuple[Given, Ints, Effort]:
    """Return the checked input of both models."""
    effort = effort or Effort()
    check_limits(effort.seconds, effort.gap)
    given = check(reach, weights, fixed=fixed or Fixed(), sites=sites)
    faults: list[Fault] = []
    capacity = whole(capacities, "capacities", given.matrix.shape[1], faults)
    if faults:
        message = f"the capacities are broken: {'; '.join(str(fault) for fault in faults)}"
        raise InputError(message, *faults)
    return given, capacity, effort


def _loads(given: Given, capacity: Ints, sites: int, penalty: float, *, unit: float, everybody: bool = False) -> Loads:
    """Return the problem by columns."""
    columns = given.matrix.tocsc()
    columns.sort_indices()
    return Loads(
        cptr=columns.indptr.astype(np.int64),
        row=columns.indices.astype(np.int32),
        cost=columns.data.astype(np.float64),
        weight=given.weight,
        penalty=np.full(len(given.weight), float(penalty)),
        capacity=capacity,
        always=given.existing,
        must=given.must,
        barred=given.barred,
        sites=sites,
        unit=unit,
        everybody=everybody,
    )


def _cover_loads(given: Given, capacity: Ints, sites: int) -> Loads:
    """Return the problem in which only having no place costs something."""
    matrix = given.matrix
    bare = csr_array((np.zeros(matrix.nnz), matrix.indices, matrix.indptr), shape=matrix.shape)
    return _loads(replace(given, matrix=bare), capacity, sites, 1.0, unit=1.0)


def _room_for_all(given: Given, capacity: Ints, sites: int, effort: Effort) -> Bools:
    """Return sites that hold everybody.

    Raises
    ------
    InfeasibleError
        When there are none; it says for how many there is no place at least.
    """
    cover = place(_cover_loads(given, capacity, sites), effort)
    if cover.bound > 0:
        short = int(np.ceil(cover.bound))
        message = f"{sites} sites cannot hold everybody: at least {short} people have no place"
        detail = {"short": short, "best": int(cover.value), "rows": np.flatnonzero(cover.left).tolist()}
        raise InfeasibleError(message, Fault("gis.siting_no_room", value=sites, detail=detail))
    if cover.value > 0:
        message = f"no {sites} sites that hold everybody were found in {effort.seconds:g} s; allow more time"
        raise SolverError(message, Fault("gis.siting_no_answer", value=sites))
    return cover.is_open


def _loaded(loads: Loads, placed: Placed, effort: Effort, began: float, *, runners_up: bool) -> Loaded:
    """Put the answer together."""
    count = len(loads.capacity)
    load = np.zeros(count, dtype=np.int64)
    np.add.at(load, loads.column, placed.flow)
    used = placed.is_open & (loads.always | loads.must | (load > 0))  # what takes nobody need not be built
    new = np.flatnonzero(used & ~loads.always)
    chosen = new[np.lexsort((new, -load[new]))].astype(np.int64)
    without, other, loses = _why(loads, placed.value, used, chosen, runners_up=runners_up)
    shape = (len(loads.weight), count)
    some = placed.flow > 0
    flows: csr_array = csr_array((placed.flow[some], (loads.row[some], loads.column[some])), shape=shape)
    return Loaded(
        chosen=chosen,
        load=load,
        spare=np.where(used, loads.capacity - load, 0),
        without=without,
        runner_up=other,
        runner_up_loses=loses,
        placed=flows,
        left_out=placed.left,
        objective=placed.value,
        bound=placed.bound,
        gap=gap_of(placed.value, placed.bound),
        status=outcome(placed.value, placed.bound, allowed=effort.gap, late=placed.late),
        seconds=time.perf_counter() - began,
        work=placed.work,
    )


def _why(loads: Loads, value: float, used: Bools, chosen: Ints, *, runners_up: bool) -> tuple[Floats, Ints, Floats]:
    """Return for each chosen column what leaving it out costs, and its best stand-in with what that costs."""
    without, loses = np.full(len(chosen), np.inf), np.full(len(chosen), np.inf)
    other = np.full(len(chosen), -1, dtype=np.int64)
    for at, column in enumerate(chosen.tolist()):
        rest = used.copy()
        rest[column] = False
        bare = transport(loads, rest)
        if not (loads.everybody and bare.left.any()):
            without[at] = bare.value - value
        for one in np.flatnonzero(~used & ~loads.barred).tolist() if runners_up else ():
            rest[one] = True
            swapped = transport(loads, rest)
            rest[one] = False
            if not (loads.everybody and swapped.left.any()) and swapped.value - value < loses[at]:
                other[at], loses[at] = one, swapped.value - value
    return without, other, loses
