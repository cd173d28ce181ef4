"""Costs as whole numbers, so that a budget is kept to the last cent; what is wrong with a budget."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from .errors import Fault, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]

DECIMALS = 6
"""Costs are read to so many decimals."""
WHOLE = 1e-12
"""A float this close to a whole number, as a share of it, is that number."""
LARGEST = 2.0**52


def as_units(costs: Floats, budget: float) -> tuple[Ints, int]:
    """Return costs and a budget as whole numbers of the largest unit that expresses the costs.

    Costs with more than six decimals are rounded up and the budget down, so that what is chosen can be paid.

    Parameters
    ----------
    costs
        float64 [n], finite and not negative.
    budget
        Not negative; an infinite one holds everything.

    Examples
    --------
    >>> as_units(np.array([0.1, 0.2, 0.4]), 0.3)
    (array([1, 2, 4]), 3)
    >>> as_units(np.array([250000.0, 400000.0]), 600000)
    (array([5, 8]), 12)
    """
    total = float(costs.sum())
    for places in range(DECIMALS + 1):
        factor = 10.0**places
        if places and total * factor * 10 > LARGEST:
            break
        units = costs * factor
        near = np.rint(units)
        whole = np.abs(units - near) <= WHOLE * np.maximum(1.0, np.abs(units))
        if whole.all():
            break
    numbers = np.where(whole, near, np.ceil(units)).astype(np.int64)
    most = int(np.floor(min(budget, total + 1.0) * factor * (1.0 + WHOLE)))
    unit = int(np.gcd.reduce(numbers)) if len(numbers) else 1
    return (numbers // unit, most // unit) if unit > 1 else (numbers, most)


def check_budget(
    budget: float, costs: ArrayLike, usable: Bools | None = None, must: Sequence[int] | Ints = ()
) -> list[Fault]:
    """Return what is wrong with a budget, nothing where the costs are broken too.

    Parameters
    ----------
    budget
        Finite and not negative.
    costs
        float64 [n], what there is to be paid for.
    usable
        bool [n], which of it may be chosen; all unless said.
    must
        What has to be paid for.

    Examples
    --------
    >>> print(check_budget(3, [4.0, 5.0])[0])
    gis.budget_low (value=3, cheapest=4)
    """
    if not (np.isfinite(budget) and budget >= 0):
        return [Fault("gis.budget_number", column="budget", value=budget)]
    prices = np.asarray(costs, dtype=np.float64)
    if prices.ndim != 1 or not len(prices) or not (np.isfinite(prices) & (prices >= 0)).all():
        return []
    numbers, most = as_units(prices, budget)
    needed = [int(one) for one in must if 0 <= one < len(prices)]
    if int(numbers[needed].sum()) > most:
        return [Fault("gis.budget_must", value=budget, detail={"needed": f"{prices[needed].sum():.15g}"})]
    options = prices if usable is None or usable.shape != prices.shape else prices[usable]
    if not needed and len(options) and as_units(options, budget)[0].min() > as_units(options, budget)[1]:
        return [Fault("gis.budget_low", value=budget, detail={"cheapest": f"{options.min():.15g}"})]
    return []


@contextmanager
def gathered(faults: list[Fault]) -> Iterator[None]:
    """Add the faults of an error to those found already, so that they are reported together.

    Examples
    --------
    >>> faults = [Fault("gis.siting_no_weight")]
    >>> with gathered(faults):
    ...     raise InputError("broken", Fault("gis.budget_number"))
    >>> [fault.code for fault in faults]
    ['gis.siting_no_weight', 'gis.budget_number']
    """
    try:
        yield
    except InputError as error:
        faults.extend(fault for fault in error.faults if fault not in faults)


def refuse(faults: Sequence[Fault]) -> None:
    """Report the faults together, where there are any.

    Raises
    ------
    InputError
        With all of them.
    """
    if faults:
        message = f"the sites cannot be chosen: {'; '.join(str(fault) for fault in faults)}"
        raise InputError(message, *faults)
