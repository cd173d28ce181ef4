"""Floating catchments: what supply within a walk leaves for each, once all who are within a walk of it share it.

One family on `lifecircle.gis.reach.Reach`: 2SFCA (Luo and Wang 2003), E2SFCA with weights that fall with the walk (Luo
and Qi 2009), 3SFCA with a choice among the sites (Wan, Zou and Sternberg 2012). All share out exactly what there is:
``Σ access · demand = Σ supply`` of the sites that anybody reaches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from scipy.sparse import csr_matrix, issparse

from . import kernels_catchment
from .errors import Fault, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray
    from scipy.sparse import sparray, spmatrix

    from .reach import Reach

    Floats: TypeAlias = NDArray[np.float64]
    Decay: TypeAlias = Callable[[Floats], Floats]
    Pairs: TypeAlias = Reach | spmatrix | sparray

LUO_QI_SLOW = (1.0, 0.68, 0.22)
"""Weights of three bands of equal width, the slower decay of Luo and Qi (2009, p. 1104)."""
LUO_QI_FAST = (1.0, 0.42, 0.09)
"""The faster decay of Luo and Qi (2009)."""


def gaussian(width: float) -> Decay:
    """Return weights ``exp(-d² / (2 width²))``: 1 at the door, 0.61 at ``width``.

    Examples
    --------
    >>> gaussian(500.0)(np.array([0.0, 500.0])).round(4).tolist()
    [1.0, 0.6065]
    """

    def weights(cost: Floats) -> Floats:
        bell: Floats = np.exp(-(cost**2) / (2.0 * width**2))
        return bell

    return weights


def gaussian_to(limit: float) -> Decay:
    """Return weights of a Gaussian that is 1 at the door and 0 at the limit and beyond.

    ``(exp(-(d / limit)² / 2) - exp(-1/2)) / (1 - exp(-1/2))``.

    References
    ----------
    Dai, D. (2010). Black residential segregation, disparities in spatial access to health care facilities, and
    late-stage breast cancer diagnosis in metropolitan Detroit. Health & Place 16, 1038-1052, equation 3.

    Examples
    --------
    >>> gaussian_to(500.0)(np.array([0.0, 250.0, 500.0, 900.0])).round(4).tolist()
    [1.0, 0.7014, 0.0, 0.0]
    """
    floor = float(np.exp(-0.5))

    def weights(cost: Floats) -> Floats:
        bell: Floats = np.maximum((np.exp(-((cost / limit) ** 2) / 2.0) - floor) / (1.0 - floor), 0.0)
        return bell

    return weights


def steps(ends: Sequence[float], weights: Sequence[float]) -> Decay:
    """Return the weight of the band that a cost lies in; a band holds its end, and beyond the last the weight is 0.

    Examples
    --------
    >>> steps((100, 200, 300), LUO_QI_SLOW)(np.array([0.0, 100.0, 100.1, 300.0, 301.0])).tolist()
    [1.0, 1.0, 0.68, 0.22, 0.0]
    """
    bounds, values = np.asarray(ends, dtype=np.float64), np.append(np.asarray(weights, dtype=np.float64), 0.0)
    if len(bounds) + 1 != len(values) or (np.diff(bounds) <= 0).any():
        message = f"{len(bounds)} ends of bands, which must rise, for {len(values) - 1} weights"
        raise InputError(message, Fault("gis.catchment_bands"))

    def banded(cost: Floats) -> Floats:
        found: Floats = values[np.searchsorted(bounds, cost, side="left")]
        return found

    return banded


def luo_qi(limit: float, *, bands: Sequence[float] = LUO_QI_SLOW) -> Decay:
    """Return stepped weights over bands of equal width up to the limit.

    Examples
    --------
    >>> luo_qi(900.0)(np.array([300.0, 600.0, 900.0])).tolist()
    [1.0, 0.68, 0.22]
    """
    ends = [limit * (number + 1) / len(bands) for number in range(len(bands))]
    ends[-1] = limit
    return steps(ends, bands)


def two_step(
    reach: Pairs, supply: ArrayLike, demand: ArrayLike, *, decay: Decay | None = None, limit: float | None = None
) -> Floats:
    """Return the access of each demand by the two-step floating catchment (2SFCA; with a decay, E2SFCA).

    Step 1, for each site *j*: ``R_j = S_j / Σ_k w(d_kj) P_k`` over the demand *k* within the limit. Step 2, for each
    demand *i*: ``A_i = Σ_j w(d_ij) R_j`` over the sites within the limit. Without a decay all weights are 1.

    Parameters
    ----------
    reach
        Who reaches which site, n × m: a `Reach`, or a sparse matrix of costs of any origin, in which a stored 0 is a
        site at the door and what is not stored is out of reach. A table of pairs becomes one by
        ``csr_matrix((cost, (demand, site)), shape=(n, m))``, which keeps zeros; from a dense array they are lost.
    supply
        float [m], what each site offers (beds, places, m²); not negative.
    demand
        float [n], who asks for it; not negative.
    decay
        From costs to weights, for example `gaussian_to` or `luo_qi`.
    limit
        Pairs that cost more do not count; all stored ones do where it is not given.

    Returns
    -------
    float64 [n]
        Supply for each of the demand; 0 where no site is within the limit. Sites that no demand weighs on offer
        nothing to anybody.

    Raises
    ------
    InputError
        When lengths do not fit, or a value or weight is negative or not a number.

    References
    ----------
    Luo, W. and Wang, F. (2003). Measures of spatial accessibility to health care in a GIS environment. Environment and
    Planning B 30, 865-884. Luo, W. and Qi, Y. (2009). An enhanced two-step floating catchment area (E2SFCA) method for
    measuring spatial accessibility to primary care physicians. Health & Place 15, 1100-1107.

    Examples
    --------
    >>> from scipy.sparse import csr_matrix
    >>> walks = csr_matrix(([100.0, 400.0, 300.0], ([0, 0, 1], [0, 1, 1])), shape=(2, 2))
    >>> two_step(walks, [30.0, 40.0], [100.0, 300.0]).round(4).tolist()
    [0.4, 0.1]
    >>> two_step(walks, [30.0, 40.0], [100.0, 300.0], limit=300.0).round(4).tolist()
    [0.3, 0.1333]
    """
    pairs = _pairs(reach, limit)
    offered, asked = _checked(pairs, supply, demand)
    weight = np.zeros(0) if decay is None else _weights(pairs, decay)
    return kernels_catchment.shared(pairs.indptr, pairs.indices, weight, offered, asked)


def three_step(
    reach: Pairs, supply: ArrayLike, demand: ArrayLike, *, decay: Decay, limit: float | None = None
) -> Floats:
    """Return the access of each demand by the three-step floating catchment (3SFCA).

    As `two_step`, with demand that chooses among the sites within the limit: ``G_ij = w(d_ij) / Σ_k w(d_ik)``, so that
    ``R_j = S_j / Σ_i G_ij w(d_ij) P_i`` and ``A_i = Σ_j G_ij w(d_ij) R_j``. Sites near each other no longer make the
    same demand count several times.

    Parameters
    ----------
    reach, supply, demand, decay, limit
        As for `two_step`.

    Returns
    -------
    float64 [n]

    Raises
    ------
    InputError
        As `two_step`.

    References
    ----------
    Wan, N., Zou, B. and Sternberg, T. (2012). A three-step floating catchment area method for analyzing spatial access
    to health services. International Journal of Geographical Information Science 26, 1073-1089.

    Examples
    --------
    >>> from scipy.sparse import csr_matrix
    >>> walks = csr_matrix([[100.0, 100.0]])
    >>> three_step(walks, [30.0, 40.0], [100.0], decay=gaussian(300.0)).round(4).tolist()
    [0.7]
    """
    pairs = _pairs(reach, limit)
    offered, asked = _checked(pairs, supply, demand)
    weight = kernels_catchment.chosen(pairs.indptr, _weights(pairs, decay))
    return kernels_catchment.shared(pairs.indptr, pairs.indices, weight, offered, asked)


def _weights(pairs: csr_matrix[np.float64], decay: Decay) -> Floats:
    """Return the weight of each stored pair."""
    weight = np.asarray(decay(pairs.data), dtype=np.float64)
    if weight.shape != pairs.data.shape or not (np.isfinite(weight) & (weight >= 0)).all():
        message = "the decay must give each cost a weight that is a number and not negative"
        raise InputError(message, Fault("gis.catchment_decay"))
    return weight


def _pairs(reach: Pairs, limit: float | None) -> csr_matrix[np.float64]:
    """Return the pairs that count, row by row; stored zeros stay."""
    held = getattr(reach, "matrix", reach)
    if not issparse(held):
        message = f"the reach must be a Reach or a sparse matrix of costs, was given {type(reach).__name__}"
        raise InputError(message, Fault("gis.catchment_pairs", value=type(reach).__name__))
    sparse: Any = held
    pairs: csr_matrix[np.float64] = csr_matrix(sparse, dtype=np.float64)
    wrong = np.flatnonzero(~(pairs.data >= 0))
    if len(wrong):
        message = f"costs must be numbers that are not negative; one is {pairs.data[wrong[0]]}"
        raise InputError(message, Fault("gis.catchment_cost", value=float(pairs.data[wrong[0]])))
    if limit is None or not (pairs.data > limit).any():
        return pairs
    keep = pairs.data <= limit
    start = np.concatenate([[0], np.cumsum(keep)])[pairs.indptr]
    return csr_matrix((pairs.data[keep], pairs.indices[keep], start), shape=pairs.shape)


def _checked(pairs: csr_matrix[np.float64], supply: ArrayLike, demand: ArrayLike) -> tuple[Floats, Floats]:
    """Return supply and demand as float64 after refusing lengths that do not fit and values that count nothing."""
    found = []
    for name, values, length in (("demand", demand, pairs.shape[0]), ("supply", supply, pairs.shape[1])):
        numbers = np.asarray(values, dtype=np.float64)
        if numbers.shape != (length,):
            message = f"{name} has the shape {numbers.shape}, the reach has {length}"
            raise InputError(message, Fault("gis.catchment_length", column=name, value=numbers.size))
        wrong = np.flatnonzero(~(np.isfinite(numbers) & (numbers >= 0)))
        if len(wrong):
            message = f"{name} must be numbers that are not negative; row {wrong[0]} is {numbers[wrong[0]]}"
            fault = Fault("gis.catchment_negative", row=int(wrong[0]), column=name, value=float(numbers[wrong[0]]))
            raise InputError(message, fault)
        found.append(numbers)
    return found[1], found[0]
