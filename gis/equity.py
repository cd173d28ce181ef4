"""Equity: how evenly something is spread over people, and how much of the difference lies between groups of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from .errors import Fault, InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Ints: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Theil:
    """Theil's index and its two parts.

    Parameters
    ----------
    total
        Of everybody; ``between + within``.
    between
        What would be left if everybody had the mean of their group.
    within
        What is left inside the groups, each with its share of the whole.
    """

    total: float
    between: float
    within: float


def weighted_mean(values: ArrayLike, weights: ArrayLike) -> float:
    """Return ``Σ w x / Σ w``; NaN where there is no weight.

    Examples
    --------
    >>> weighted_mean([1.0, 4.0], [2, 1]), weighted_mean([], [])
    (2.0, nan)
    """
    value, weight = _checked(values, weights)
    return float(value @ weight / weight.sum()) if weight.sum() > 0 else float("nan")


def gini(values: ArrayLike, weights: ArrayLike) -> float:
    """Return the Gini coefficient: half the mean difference between any two people, over the mean.

    ``G = Σ_i Σ_j w_i w_j |x_i - x_j| / (2 W² mean)``, worked out from the Lorenz curve of the sorted values.

    Parameters
    ----------
    values
        float [n], not negative.
    weights
        float [n], how many people have each value; not negative.

    Returns
    -------
    float
        0 where all have the same, towards 1 where one has everything; NaN where there is nobody or nothing to share.

    Raises
    ------
    InputError
        When lengths differ, or a value or weight is negative or not a number.

    References
    ----------
    Gini, C. (1912). Variabilità e mutabilità. Dorfman, R. (1979). A formula for the Gini coefficient. Review of
    Economics and Statistics 61, 146-149.

    Examples
    --------
    >>> gini([5.0, 5.0], [10, 20]), round(gini([0.0, 1.0], [3, 1]), 4), gini([0.0], [1])
    (0.0, 0.75, nan)
    """
    value, weight = _checked(values, weights)
    whole = float(value @ weight)
    if whole <= 0:
        return float("nan")
    order = np.argsort(value, kind="stable")
    share = weight[order] / weight.sum()
    lorenz = np.concatenate([[0.0], np.cumsum((value * weight)[order])]) / whole
    area = float((share * (lorenz[1:] + lorenz[:-1])).sum())
    return max(0.0, 1.0 - area)


def theil(values: ArrayLike, weights: ArrayLike, groups: ArrayLike | None = None) -> Theil:
    """Return Theil's T and how it splits into differences between groups and inside them.

    ``T = Σ (w_i / W) (x_i / mean) ln(x_i / mean)``, with 0 ln 0 = 0. With ``s_g`` the share of the whole that group *g*
    has: ``between = Σ s_g ln(mean_g / mean)``, ``within = Σ s_g T_g``.

    Parameters
    ----------
    values, weights
        As for `gini`.
    groups
        int [n], the group of each, not negative; all are one where not given.

    Returns
    -------
    Theil
        NaN where there is nobody or nothing to share.

    Raises
    ------
    InputError
        As `gini`; also for groups of another length.

    References
    ----------
    Theil, H. (1967). Economics and Information Theory. North-Holland, chapter 4. Shorrocks, A. F. (1980). The class of
    additively decomposable inequality measures. Econometrica 48, 613-625.

    Examples
    --------
    >>> apart = theil([1.0, 1.0, 3.0, 3.0], [1, 1, 1, 1], [0, 0, 1, 1])
    >>> round(apart.total, 4), round(apart.between, 4), round(apart.within, 4)
    (0.1308, 0.1308, 0.0)
    >>> mixed = theil([1.0, 3.0, 1.0, 3.0], [1, 1, 1, 1], [0, 0, 1, 1])
    >>> round(mixed.between, 4), round(mixed.within, 4)
    (0.0, 0.1308)
    """
    value, weight = _checked(values, weights)
    group = np.zeros(len(value), dtype=np.int64) if groups is None else np.asarray(groups, dtype=np.int64)
    if group.shape != value.shape or (len(group) and group.min() < 0):
        message = f"{group.size} groups, which must not be negative, for {value.size} values"
        raise InputError(message, Fault("gis.equity_lengths"))
    whole, people = float(value @ weight), float(weight.sum())
    if whole <= 0:
        return Theil(float("nan"), float("nan"), float("nan"))
    held, of_group = np.bincount(group, value * weight), np.bincount(group, weight)
    mean = np.divide(held, of_group, out=np.zeros_like(held), where=of_group > 0)
    between = float((held / whole * _log(mean * people / whole)).sum())
    own = np.divide(value, mean[group], out=np.zeros_like(value), where=mean[group] > 0)
    within = float((value * weight / whole * _log(own)).sum())
    return Theil(between + within, between, within)


def _log(ratio: Floats) -> Floats:
    """Return the logarithm, 0 where nothing is held: it is only ever multiplied by what is."""
    return np.log(ratio, out=np.zeros_like(ratio), where=ratio > 0)


def _checked(values: ArrayLike, weights: ArrayLike) -> tuple[Floats, Floats]:
    """Return values and weights as float64 after refusing those that count nothing."""
    value, weight = np.asarray(values, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    if value.ndim != 1 or value.shape != weight.shape:
        message = f"{value.shape} values and {weight.shape} weights"
        raise InputError(message, Fault("gis.equity_lengths"))
    for name, numbers in (("values", value), ("weights", weight)):
        wrong = np.flatnonzero(~(np.isfinite(numbers) & (numbers >= 0)))
        if len(wrong):
            message = f"{name} must be numbers that are not negative; row {wrong[0]} is {numbers[wrong[0]]}"
            fault = Fault("gis.equity_negative", row=int(wrong[0]), column=name, value=float(numbers[wrong[0]]))
            raise InputError(message, fault)
    return value, weight
