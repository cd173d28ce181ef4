"""Controls of a parcel: the floor area that fits under them, under a named relaxation, and what is too small alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd

from ..gis.errors import Fault, InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]

CONTROLS: tuple[str, ...] = ("far", "density", "height_m", "green")
"""The controls of a parcel that bound what may be built; NaN is one that nobody stated."""
BOUNDS: tuple[str, ...] = ("far", "density", "height", "green")
"""What ``bound_by`` names, ";" between two that bind together."""
SHARES = frozenset({"density", "green"})
ROUNDING_SHARE = 1e-9
"""By so much a height may miss a whole number of storeys, and two floor areas differ that are the same."""


@dataclass(frozen=True, slots=True)
class Relaxation:
    """What a named rule lets a renewal project exceed, as factors of the stated controls; always needs approval.

    Parameters
    ----------
    name
        Key of the rule.
    zh, en
        What it is called.
    clause, clause_en
        Where it is written.
    confidence
        A read in a stored source, B and C recalled, D an assumption.
    far_factor, density_factor, height_factor
        At least 1: how many times the stated figure may be reached.
    green_factor
        0 to 1: the part of the stated green ratio that is still asked for.
    density_most
        No building density goes beyond it, whatever the factor.
    """

    name: str
    zh: str
    en: str
    clause: str
    clause_en: str
    confidence: str
    far_factor: float = 1.0
    density_factor: float = 1.0
    height_factor: float = 1.0
    green_factor: float = 1.0
    density_most: float = 1.0


@dataclass(frozen=True, slots=True)
class SmallRemainder:
    """Land too small to be built alone, which is steered to public use.

    Parameters
    ----------
    housing_m2, other_m2
        Land for housing, and other land, below these areas is not built alone.
    clause, clause_en
        Where it is written.
    confidence
        As of `Relaxation`.
    """

    housing_m2: float
    other_m2: float
    clause: str
    clause_en: str
    confidence: str

    def applies(self, land_m2: ArrayLike, *, housing: ArrayLike) -> Bools:
        """Tell which land is a small remainder; land of unknown area is not said to be one.

        Parameters
        ----------
        land_m2
            float [n], m², NaN unknown.
        housing
            bool [n], whether the land is for housing.

        Examples
        --------
        >>> rule = SmallRemainder(5000.0, 3000.0, "", "", "A")
        >>> rule.applies([4000.0, 4000.0, 2999.0, float("nan")], housing=[True, False, False, True]).tolist()
        [True, False, True, False]
        """
        limit = np.where(np.asarray(housing, dtype=np.bool_), self.housing_m2, self.other_m2)
        return np.asarray(np.asarray(land_m2, dtype=np.float64) < limit, dtype=np.bool_)


def fits_under(
    land_m2: ArrayLike,
    *,
    far: ArrayLike,
    density: ArrayLike,
    height_m: ArrayLike,
    green: ArrayLike,
    storey_m: ArrayLike,
) -> pd.DataFrame:
    r"""Return the most floor area above ground that fits on land under its controls, and which of them binds.

    .. math:: F = \min\{a f,\; a \min(d, 1 - g) \lfloor h / s \rfloor\}

    with land *a*, floor-area ratio *f*, density *d*, green ratio *g*, height limit *h* and height of a storey *s*; a
    control that is not stated bounds nothing. It is a bound, not a design: roads, parking, fire lanes and setbacks
    take their part of the ground too.

    Parameters
    ----------
    land_m2
        float [n], m², NaN unknown.
    far
        float [n] or one: floor area over land; NaN not stated, as of all that follow.
    density, green
        float [n] or one: footprint and green over land, 0 to 1.
    height_m, storey_m
        float [n] or one: the height limit and the height of a storey, metres.

    Returns
    -------
    DataFrame
        ``footprint_m2`` (the most, NaN where neither density nor green is stated), ``storeys`` (the most, NaN where no
        height is), ``floor_m2`` (NaN where the controls that are stated bound none), ``bound_by`` (names of `BOUNDS`,
        joined by ";", missing where ``floor_m2`` is).

    Raises
    ------
    InputError
        For negative or infinite numbers, shares above 1 and storeys without height, all faults together.

    Notes
    -----
    The controls of a regulatory detailed plan (控制性详细规划).

    Examples
    --------
    >>> fits_under(
    ...     [1000.0, 1000.0, 1000.0, 1000.0],
    ...     far=[2.0, 2.0, float("nan"), float("nan")],
    ...     density=[0.4, 0.2, 0.8, float("nan")],
    ...     height_m=[24.0, 24.0, 12.0, 24.0],
    ...     green=[0.3, 0.3, 0.35, float("nan")],
    ...     storey_m=3.6,
    ... )
       footprint_m2  storeys  floor_m2        bound_by
    0         400.0      6.0    2000.0             far
    1         200.0      6.0    1200.0  density;height
    2         650.0      3.0    1950.0    green;height
    3           NaN      6.0       NaN             NaN
    """
    land, values = _checked(
        land_m2, {"far": far, "density": density, "height_m": height_m, "green": green, "storey_m": storey_m}
    )
    ground = np.fmin(values["density"], 1 - values["green"])
    storeys = np.floor(values["height_m"] / values["storey_m"] * (1 + ROUNDING_SHARE))
    by_ratio = land * values["far"]
    by_shape = np.where(storeys == 0, 0.0 * land, land * ground * storeys)
    floor = np.fmin(by_ratio, by_shape)
    ratio_binds = ~(by_ratio > by_shape * (1 + ROUNDING_SHARE)) & ~np.isnan(by_ratio)
    ground_name = np.where(values["density"] > 1 - values["green"], "green", "density")
    ground_name = np.where(np.isnan(values["density"]), "green", ground_name)
    shape_name = np.where(storeys == 0, "height", np.char.add(ground_name.astype("U16"), ";height"))
    bound = np.where(ratio_binds, "far", shape_name).astype(object)
    bound[np.isnan(floor)] = None
    return pd.DataFrame(
        {
            "footprint_m2": land * ground,
            "storeys": storeys,
            "floor_m2": floor,
            "bound_by": pd.Series(bound, dtype="str"),
        }
    )


def relaxed(
    land_m2: ArrayLike,
    relaxation: Relaxation,
    *,
    far: ArrayLike,
    density: ArrayLike,
    height_m: ArrayLike,
    green: ArrayLike,
    storey_m: ArrayLike,
) -> pd.DataFrame:
    """Return what fits on land under a named relaxation of its controls: a case for approval, not a right.

    Parameters
    ----------
    land_m2, far, density, height_m, green, storey_m
        As of `fits_under`, the controls as they are stated.
    relaxation
        Its factors apply to the controls that are stated; one that is not stated stays so.

    Returns
    -------
    DataFrame
        The columns of `fits_under`, ``relaxation`` (its name) and ``needs_approval``: True where more fits than under
        the controls as stated.

    Raises
    ------
    InputError
        As `fits_under`.

    Examples
    --------
    >>> rule = Relaxation("renewal", "更新", "renewal", "", "", "D", far_factor=1.2, density_factor=1.1)
    >>> controls = {"far": 2.0, "density": [0.4, 0.2], "height_m": 24.0, "green": 0.3, "storey_m": 3.6}
    >>> relaxed([1000.0, 1000.0], rule, **controls)[["floor_m2", "bound_by", "needs_approval"]]
       floor_m2        bound_by  needs_approval
    0    2400.0             far            True
    1    1320.0  density;height            True
    """
    stated = fits_under(land_m2, far=far, density=density, height_m=height_m, green=green, storey_m=storey_m)
    dense = np.asarray(density, dtype=np.float64)
    most = np.maximum(dense, np.fmin(dense * relaxation.density_factor, relaxation.density_most))
    wider = fits_under(
        land_m2,
        far=np.asarray(far, dtype=np.float64) * relaxation.far_factor,
        density=np.minimum(most, 1.0),
        height_m=np.asarray(height_m, dtype=np.float64) * relaxation.height_factor,
        green=np.asarray(green, dtype=np.float64) * relaxation.green_factor,
        storey_m=storey_m,
    )
    more = wider["floor_m2"].to_numpy() > stated["floor_m2"].to_numpy() * (1 + ROUNDING_SHARE)
    return wider.assign(relaxation=relaxation.name, needs_approval=more)


def _checked(land_m2: ArrayLike, given: dict[str, ArrayLike]) -> tuple[Floats, dict[str, Floats]]:
    """Return land and controls as arrays of one length; all that no parcel can have is told at once."""
    land = np.atleast_1d(np.asarray(land_m2, dtype=np.float64))
    arrays = {"land_m2": land} | {name: np.asarray(value, dtype=np.float64) for name, value in given.items()}
    faults = [
        Fault("zoning.controls_length", column=name, value=array.size, detail={"rows": land.size})
        for name, array in arrays.items()
        if array.ndim and array.shape != land.shape
    ]
    if faults:
        message = "controls must be one number or one for each piece of land"
        raise InputError(message, *faults)
    spread = {name: np.broadcast_to(array, land.shape) for name, array in arrays.items()}
    for name, array in spread.items():
        wrong = (array < 0) | np.isinf(array)
        wrong |= (array > 1) if name in SHARES else (array == 0) if name == "storey_m" else False
        wrong |= np.isnan(array) if name == "storey_m" else False
        code = "zoning.controls_share" if name in SHARES else "zoning.controls_number"
        faults += [Fault(code, row=int(row), column=name, value=float(array[row])) for row in np.flatnonzero(wrong)]
    if faults:
        message = f"controls of parcels must be numbers that a parcel can have: {faults[0]}"
        raise InputError(message, *faults)
    return land, {name: np.asarray(array, dtype=np.float64) for name, array in spread.items() if name != "land_m2"}
