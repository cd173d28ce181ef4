"""Local coordinate systems of cities: fitted to control points by least squares, or given by their parameters.

Three kinds: *similarity* (four parameters: move, turn, scale), *affine* (six), and *seven parameters* (Bursa-Wolf),
which turns one ellipsoid into another and is given or fitted between geocentric coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from pyproj import CRS, Transformer

from .errors import CrsError, Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    Points: TypeAlias = NDArray[np.float64]
    _Fit: TypeAlias = Callable[[Points, Points, "CRS | None", CRS], "LocalSystem"]

Method: TypeAlias = Literal["similarity", "affine", "seven"]
LEAST_POINTS: Mapping[str, int] = {"similarity": 2, "affine": 3, "seven": 3}
LEAST_SPREAD = 0.02
"""Control points whose width is less than this share of their length are taken to lie on one line."""
SECOND_RAD = np.pi / 180 / 3600
PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "similarity": ("east", "north", "scale", "angle_sec"),
    "affine": ("east", "north", "xx", "xy", "yx", "yy"),
    "seven": ("dx", "dy", "dz", "rx_sec", "ry_sec", "rz_sec", "scale_ppm"),
}
"""The parameters of each kind, in metres, seconds of arc and parts per million.

* similarity: ``E = east + k (x cos a - y sin a)``, ``N = north + k (x sin a + y cos a)``, k the scale, a the angle;
* affine: ``E = east + xx x + xy y``, ``N = north + yx x + yy y``;
* seven: ``X' = d + (1 + s) (X + r x X)`` with rotations of the position vector (EPSG method 9606).
"""


@dataclass(frozen=True, slots=True)
class LocalSystem:
    """A local coordinate system: how its coordinates become those of a known CRS.

    Parameters
    ----------
    crs
        The known CRS.
    method
        Which parameters there are.
    parameters
        By the names of `PARAMETERS`.
    origin_m
        Of a fit: the middle of the control points in local coordinates (of *seven*, geocentric), from which the
        parameters count, so that they do not lose digits. Zero for parameters that were given.
    base
        Of *seven*: the CRS on the old ellipsoid that the local coordinates are in.
    """

    crs: CRS
    method: Method
    parameters: Mapping[str, float]
    origin_m: tuple[float, ...] = (0.0, 0.0, 0.0)
    base: CRS | None = None

    def move(self, points: ArrayLike) -> Points:
        """Return positions in the known CRS: float64 [n, 2], east and north (or longitude and latitude).

        Examples
        --------
        >>> town = LocalSystem(CRS("EPSG:4548"), "affine", {"east": 490000.0, "north": 4050000.0, "xx": 1.0, "yy": 1.0})
        >>> town.move([[1000.0, 2000.0]]).tolist()
        [[491000.0, 4052000.0]]
        """
        given = np.asarray(points, dtype=np.float64).reshape(-1, 2)
        if self.method == "seven":
            return self._by_seven(given)
        x, y = (given - self.origin_m[:2]).T
        part = self.parameters
        east, north = part.get("east", 0.0), part.get("north", 0.0)
        if self.method == "affine":
            xx, xy, yx, yy = (part.get(name, 0.0) for name in ("xx", "xy", "yx", "yy"))
        else:
            angle = part.get("angle_sec", 0.0) * SECOND_RAD
            scale = part.get("scale", 1.0)
            xx, yx = scale * np.cos(angle), scale * np.sin(angle)
            xy, yy = -yx, xx
        return np.column_stack([east + xx * x + xy * y, north + yx * x + yy * y])

    def _by_seven(self, given: Points) -> Points:
        """Return positions moved between ellipsoids; heights are zero on both."""
        if self.base is None:
            message = "seven parameters need the CRS that the local coordinates are in"
            raise CrsError(message, Fault("local.base_missing"))
        centre = np.asarray(self.origin_m)
        centred = _geocentric(self.base, given) - centre
        part = self.parameters
        turn = np.array([part.get(name, 0.0) for name in ("rx_sec", "ry_sec", "rz_sec")]) * SECOND_RAD
        shift = np.array([part.get(name, 0.0) for name in ("dx", "dy", "dz")])
        scale = 1 + part.get("scale_ppm", 0.0) * 1e-6
        moved = centre + shift + scale * (centred + np.cross(turn, centred))
        to_plane = Transformer.from_crs(_geocentric_crs(self.crs), self.crs.to_3d(), always_xy=True)
        east, north, _ = to_plane.transform(*moved.T)
        return np.column_stack([east, north])


@dataclass(frozen=True, slots=True)
class LocalFit:
    """A local system with what its control points say of it.

    Parameters
    ----------
    system
        The system fitted.
    residuals_m
        float64 [n, 2]: fitted minus given, east and north, in the order of the points.
    """

    system: LocalSystem
    residuals_m: Points

    @property
    def lengths_m(self) -> Points:
        """How far each point is off."""
        return np.asarray(np.hypot(self.residuals_m[:, 0], self.residuals_m[:, 1]))

    @property
    def rms_m(self) -> float:
        """Root of the mean square of `lengths_m`."""
        return float(np.sqrt(np.mean(self.lengths_m**2)))

    @property
    def checked(self) -> bool:
        """Whether there are more points than the parameters need, so that the residuals say something."""
        return len(self.residuals_m) > LEAST_POINTS[self.system.method]


def fit_local(
    local: ArrayLike, known: ArrayLike, *, method: Method, crs: CRS, limit_m: float, base: CRS | None = None
) -> LocalFit:
    """Fit a local system to control points by least squares.

    Parameters
    ----------
    local, known
        float64 [n, 2]: the points in the local system and in `crs`, east and north in metres.
    method
        Which parameters to fit.
    crs
        The projected CRS of the known coordinates.
    limit_m
        No point may be off by more.
    base
        Of *seven*: the projected CRS on the old ellipsoid that the local coordinates are in.

    Raises
    ------
    CrsError
        ``local.too_few``, ``local.on_a_line``, ``local.swapped`` (within the limit once east and north are exchanged),
        ``local.beyond_limit`` with the worst point, and ``local.base_missing``.

    Examples
    --------
    A town whose origin was moved and whose north was turned by a degree:

    >>> town = np.array([[0.0, 0.0], [5000.0, 0.0], [0.0, 4000.0], [5000.0, 4000.0]])
    >>> turned = LocalSystem(CRS("EPSG:4548"), "similarity", {"east": 5e5, "north": 4e6, "angle_sec": 3600.0})
    >>> fit = fit_local(town, turned.move(town), method="similarity", crs=CRS("EPSG:4548"), limit_m=0.05)
    >>> round(fit.system.parameters["angle_sec"], 3), fit.rms_m < 1e-6
    (3600.0, True)
    """
    given, target = (np.asarray(part, dtype=np.float64).reshape(-1, 2) for part in (local, known))
    _require_spread(given, method)
    if method == "seven" and base is None:
        message = "seven parameters need the CRS that the local coordinates are in"
        raise CrsError(message, Fault("local.base_missing"))
    fitted = _fitted(given, target, method, crs, base)
    off = fitted.lengths_m
    worst = int(off.argmax())
    if not off[worst] <= limit_m:
        exchanged = _fitted(given[:, ::-1], target, method, crs, base)
        code = "local.swapped" if exchanged.lengths_m.max() <= limit_m else "local.beyond_limit"
        detail = {"off_m": round(float(off[worst]), 3), "limit_m": limit_m, "rms_m": round(fitted.rms_m, 3)}
        message = f"control point {worst + 1} is {off[worst]:.3f} m off, more than {limit_m} m"
        raise CrsError(message, Fault(code, row=worst + 1, detail=detail))
    return fitted


def _require_spread(points: Points, method: Method) -> None:
    """Refuse control points that are too few or lie on one line."""
    least = LEAST_POINTS[method]
    if len(points) < least:
        message = f"{method} needs {least} control points, there are {len(points)}"
        raise CrsError(message, Fault("local.too_few", detail={"count": len(points), "least": least}))
    spread = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
    flat = spread[0] < 1.0 or (method != "similarity" and spread[1] < LEAST_SPREAD * spread[0])
    if flat:
        message = f"the {len(points)} control points lie on one line or in one place"
        raise CrsError(message, Fault("local.on_a_line", detail={"count": len(points)}))


def _fitted(given: Points, target: Points, method: Method, crs: CRS, base: CRS | None) -> LocalFit:
    """Return the least-squares fit with its residuals."""
    makers: dict[str, _Fit] = {"similarity": _similarity, "affine": _affine, "seven": _seven}
    system = makers[method](given, target, base, crs)
    return LocalFit(system, system.move(given) - target)


def _similarity(given: Points, target: Points, _base: CRS | None, crs: CRS) -> LocalSystem:
    """Fit move, turn and scale: in complex numbers a line through the points."""
    centre, middle = given.mean(axis=0), target.mean(axis=0)
    one, other = ((part - mean) @ np.array([1, 1j]) for part, mean in ((given, centre), (target, middle)))
    factor = np.vdot(one, other) / np.vdot(one, one).real
    parameters = {
        "east": float(middle[0]),
        "north": float(middle[1]),
        "scale": float(abs(factor)),
        "angle_sec": float(np.angle(factor) / SECOND_RAD),
    }
    return LocalSystem(crs, "similarity", parameters, (*centre.tolist(), 0.0))


def _affine(given: Points, target: Points, _base: CRS | None, crs: CRS) -> LocalSystem:
    """Fit all six parameters of a linear map."""
    centre, middle = given.mean(axis=0), target.mean(axis=0)
    found = np.linalg.lstsq(given - centre, target - middle, rcond=None)[0]
    names = ("east", "north", "xx", "xy", "yx", "yy")
    values = (*middle, found[0, 0], found[1, 0], found[0, 1], found[1, 1])
    return LocalSystem(crs, "affine", dict(zip(names, map(float, values), strict=True)), (*centre.tolist(), 0.0))


def _seven(given: Points, target: Points, base: CRS | None, crs: CRS) -> LocalSystem:
    """Fit the seven parameters around the middle of the points (Molodensky-Badekas), where they are well determined."""
    if base is None:
        message = "seven parameters need the CRS that the local coordinates are in"
        raise CrsError(message, Fault("local.base_missing"))
    before, after = _geocentric(base, given), _geocentric(crs, target)
    centre = before.mean(axis=0)
    x, y, z = (before - centre).T
    rows = np.zeros((len(before), 3, 7))
    rows[:, 0, 0] = rows[:, 1, 1] = rows[:, 2, 2] = 1
    rows[:, 0, 4], rows[:, 0, 5] = z, -y
    rows[:, 1, 3], rows[:, 1, 5] = -z, x
    rows[:, 2, 3], rows[:, 2, 4] = y, -x
    rows[:, :, 6] = before - centre
    # Columns of metres and of radians are brought to one size, so that none counts as zero beside the others.
    size = np.sqrt((rows**2).sum(axis=(0, 1)))
    found = np.linalg.lstsq((rows / size).reshape(-1, 7), (after - before).ravel(), rcond=None)[0] / size
    scale = 1 + found[6]
    values = (*found[:3], *(found[3:6] / scale / SECOND_RAD), found[6] * 1e6)
    parameters = dict(zip(PARAMETERS["seven"], map(float, values), strict=True))
    return LocalSystem(crs, "seven", parameters, tuple(centre.tolist()), base)


def _geocentric_crs(crs: CRS) -> CRS:
    """Return the geocentric CRS of a CRS's own ellipsoid; nothing is moved between ellipsoids on the way."""
    ellipsoid = crs.ellipsoid
    if ellipsoid is None:
        message = f"{crs.name} states no ellipsoid"
        raise CrsError(message, Fault("gis.crs_unknown", value=crs.name))
    datum = crs.geodetic_crs
    if datum is None:
        message = f"{crs.name} states no datum"
        raise CrsError(message, Fault("gis.crs_unknown", value=crs.name))
    return CRS.from_json_dict(
        {
            "type": "GeodeticCRS",
            "name": f"{datum.name} geocentric",
            **{key: value for key, value in datum.to_json_dict().items() if key in ("datum", "datum_ensemble")},
            "coordinate_system": {
                "subtype": "Cartesian",
                "axis": [
                    {
                        "name": f"Geocentric {axis}",
                        "abbreviation": axis,
                        "direction": f"geocentric{axis}",
                        "unit": "metre",
                    }
                    for axis in "XYZ"
                ],
            },
        }
    )


def _geocentric(crs: CRS, points: Points) -> Points:
    """Return positions at height zero as geocentric coordinates on the CRS's own ellipsoid."""
    to_centre = Transformer.from_crs(crs.to_3d(), _geocentric_crs(crs), always_xy=True)
    return np.column_stack(to_centre.transform(points[:, 0], points[:, 1], np.zeros(len(points))))


def named_parameters(method: Method, given: Mapping[str, float]) -> Sequence[str]:
    """Return the names among `given` that are no parameters of a kind of system.

    Examples
    --------
    >>> named_parameters("seven", {"dx": 1.0, "rx": 2.0})
    ['rx']
    """
    return [name for name in given if name not in PARAMETERS[method]]
