"""What maximal covering is given, checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from .errors import Fault, InfeasibleError, InputError
from .siting_check import whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray
    from scipy.sparse import csr_array

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]


def check_cover(
    matrix: csr_array,
    weights: ArrayLike,
    *,
    tie_weights: ArrayLike | None = None,
    covered: ArrayLike | None = None,
    site_costs: ArrayLike | None = None,
    sites: int | None = None,
) -> tuple[Ints, Ints, Bools, Floats]:
    """Return weights, second weights, what is covered and costs of sites, or report all that is wrong together.

    Parameters
    ----------
    matrix
        csr_array [demand, candidates].
    weights, tie_weights
        int64 [demand], whole and not negative.
    covered
        bool [demand].
    site_costs
        float64 [candidates], finite and not negative.
    sites
        How many are asked for, where that is known already.

    Raises
    ------
    InputError
        All faults together.
    InfeasibleError
        When there are no candidates.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> check_cover(csr_array(np.eye(2)), [1, -1])
    Traceback (most recent call last):
    ...
    lifecircle.gis.errors.InputError: the sites cannot be chosen: gis.siting_weight (row=1, column=weights, value=-1.0)
    """
    demand, candidates = matrix.shape
    if not candidates:
        message = "there are no candidates to choose from"
        raise InfeasibleError(message, Fault("gis.siting_no_candidates"))
    faults: list[Fault] = []
    weight = whole(weights, "weights", demand, faults)
    tie = np.zeros(demand, dtype=np.int64) if tie_weights is None else whole(tie_weights, "tie_weights", demand, faults)
    done = np.zeros(demand, dtype=np.bool_) if covered is None else np.asarray(covered, dtype=np.bool_)
    if done.shape != (demand,):
        faults.append(Fault("gis.siting_shape", column="covered", value=done.size, detail={"wanted": demand}))
    costs = np.zeros(candidates) if site_costs is None else np.asarray(site_costs, dtype=np.float64)
    if costs.shape != (candidates,):
        faults.append(Fault("gis.siting_shape", column="site_costs", value=costs.size, detail={"wanted": candidates}))
    elif not (np.isfinite(costs) & (costs >= 0)).all():
        broken = np.flatnonzero(~(np.isfinite(costs) & (costs >= 0)))
        row, detail = int(broken[0]), {"count": len(broken)}
        faults.append(Fault("gis.siting_site_cost", row=row, value=float(costs[row]), detail=detail))
    if not faults and not weight.any():
        faults.append(Fault("gis.siting_no_weight"))
    if sites is not None:
        _count(sites, candidates, faults)
    _refuse(faults)
    return weight, tie, done, costs


def check_sites(sites: int, must: Sequence[int], barred: Sequence[int], candidates: int) -> tuple[Bools, Bools]:
    """Return the candidates forced in and forced out as flags, or report all that is wrong together.

    Raises
    ------
    InputError
        For candidates that do not exist or are in both lists, and for a number of sites that cannot be.

    Examples
    --------
    >>> check_sites(1, [0], [2], 3)[1].tolist()
    [False, False, True]
    """
    faults: list[Fault] = []
    into, out = np.zeros(candidates, dtype=np.bool_), np.zeros(candidates, dtype=np.bool_)
    for name, flags, asked in (("must", into, must), ("barred", out, barred)):
        for one in asked:
            if one != int(one) or not 0 <= one < candidates:
                faults.append(Fault("gis.siting_column", column=name, value=one, detail={"columns": candidates}))
            else:
                flags[int(one)] = True
    faults.extend(
        Fault("gis.siting_contradiction", column="barred", value=int(one)) for one in np.flatnonzero(into & out)
    )
    _count(sites, candidates - int(out.sum()), faults)
    if int(into.sum()) > sites >= 1:
        faults.append(Fault("gis.siting_must", value=int(into.sum()), detail={"sites": sites}))
    _refuse(faults)
    return into, out


def _count(sites: int, candidates: int, faults: list[Fault]) -> None:
    """Add what is wrong with the number of sites to the faults."""
    if sites < 1:
        faults.append(Fault("gis.siting_sites", value=sites))
    if sites > candidates:
        faults.append(Fault("gis.siting_too_many", value=sites, detail={"candidates": candidates}))


def _refuse(faults: list[Fault]) -> None:
    """Report the faults together, where there are any."""
    if faults:
        message = f"the sites cannot be chosen: {'; '.join(str(fault) for fault in faults)}"
        raise InputError(message, *faults)
