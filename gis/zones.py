"""Gauss-Krüger zones of Chinese surveys, recognised by the range of their coordinates: zone numbers, swapped axes.

A range says what coordinates may be, never what they are: whoever asks confirms it against the ground.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike
    from pyproj import CRS

Kind: TypeAlias = Literal["degrees", "zone", "plain", "web", "other"]
"""How coordinates are written: degrees; metres with the zone's number before the easting, or without; metres of web
maps; anything else."""

NORTHING_M = (1_600_000.0, 6_200_000.0)
"""Northings of China, 14° to 56° north."""
EASTING_M = (50_000.0, 950_000.0)
"""Eastings without a zone number: 500 km in the middle of a zone."""
WEB_X_M, WEB_Y_M = (8_000_000.0, 15_200_000.0), (1_600_000.0, 7_500_000.0)
"""China in the metres of web maps, Baidu's among them."""
SIX_DEGREES, THREE_DEGREES = range(13, 24), range(25, 46)
"""Zone numbers of China; the two kinds of zone share none."""


@dataclass(frozen=True, slots=True)
class System:
    """A survey of China and the EPSG codes of its first zones: with number and by meridian, 3° and 6° wide."""

    name: str
    zone_3: int
    meridian_3: int
    zone_6: int
    meridian_6: int


SYSTEMS = (
    System("CGCS2000", 4513, 4534, 4491, 4502),
    System("Xian 1980", 2349, 2370, 2327, 2338),
    System("Beijing 1954", 2401, 2422, 21413, 21453),
)
FIRST_MERIDIAN = 75


@dataclass(frozen=True, slots=True)
class Guess:
    """What coordinates may be: the words for study.toml, and whether northing or latitude comes first."""

    datum: str
    kind: Kind
    swapped: bool = False


def guesses(x: float, y: float) -> tuple[Guess, ...]:
    """Return everything that coordinates like these may be, by their range.

    Parameters
    ----------
    x, y
        First and second coordinate of a point in the middle of the layer, as they stand in the file.

    Returns
    -------
    tuple of Guess
        Of surveys CGCS2000 before Xian 1980 before Beijing 1954. Empty where no range fits.

    Examples
    --------
    Zone 39 of three degrees, and the same with the northing first:

    >>> [guess.datum for guess in guesses(39_500_000, 4_057_670)]
    ['EPSG:4527', 'EPSG:2363', 'EPSG:2415']
    >>> [(guess.datum, guess.swapped) for guess in guesses(4_057_670, 39_500_000)][:1]
    [('EPSG:4527', True)]
    """
    if not np.isfinite([x, y]).all():
        return ()
    return (*_guessed(x, y, swapped=False), *_guessed(y, x, swapped=True))


def _guessed(east: float, north: float, *, swapped: bool) -> Iterator[Guess]:
    """Yield what coordinates may be that are read as east and north."""
    if abs(east) <= 180 and abs(north) <= 90:
        in_china = 70 <= east <= 140 and 3 <= north <= 56
        if in_china or not swapped:
            yield from (Guess(name, "degrees", swapped) for name in ("wgs84", "gcj02", "bd09"))
        return
    if _within(east, WEB_X_M) and _within(north, WEB_Y_M):
        yield Guess("bd09mc", "web", swapped)
        yield Guess("EPSG:3857", "web", swapped)
    if not _within(north, NORTHING_M):
        return
    zone, rest = divmod(east, 1_000_000)
    if _within(rest, EASTING_M) and zone in THREE_DEGREES:
        yield from (Guess(f"EPSG:{system.zone_3 + int(zone) - 25}", "zone", swapped) for system in SYSTEMS)
    if _within(rest, EASTING_M) and zone in SIX_DEGREES:
        yield from (Guess(f"EPSG:{system.zone_6 + int(zone) - 13}", "zone", swapped) for system in SYSTEMS)
    if _within(east, EASTING_M):
        # A zone of six degrees has the same coordinates as the one of three degrees on its meridian.
        for system in SYSTEMS:
            yield from (Guess(f"EPSG:{system.meridian_3 + step}", "plain", swapped) for step in range(21))
        yield from (Guess(f"EPSG:{code}", "plain", swapped) for code in range(32643, 32654))


def _within(value: float, limits: tuple[float, float]) -> bool:
    """Whether a coordinate lies in a range."""
    return limits[0] <= value <= limits[1]


def kind_of(crs: CRS) -> tuple[Kind, int | None]:
    """Return how coordinates of a CRS are written, and the number of its zone where they carry it.

    Examples
    --------
    >>> from pyproj import CRS
    >>> kind_of(CRS("EPSG:4527")), kind_of(CRS("EPSG:4548")), kind_of(CRS("EPSG:4490"))
    (('zone', 39), ('plain', None), ('degrees', None))
    """
    if crs.is_geographic:
        return "degrees", None
    operation = crs.coordinate_operation
    if operation is None:
        return "other", None
    if "Mercator" in operation.method_name and "Transverse" not in operation.method_name:
        return "web", None
    false_easting = next((part.value for part in operation.params if part.name == "False easting"), None)
    if operation.method_name != "Transverse Mercator" or false_easting is None:
        return "other", None
    number = int(float(false_easting) // 1_000_000)
    return ("zone", number) if number else ("plain", None)


def meridian_of(crs: CRS) -> float | None:
    """Return the middle meridian of a zone in degrees; None for a CRS that is no zone.

    Examples
    --------
    >>> from pyproj import CRS
    >>> meridian_of(CRS("EPSG:4527"))
    117.0
    """
    operation = crs.coordinate_operation
    if operation is None or operation.method_name != "Transverse Mercator":
        return None
    named = (part.value for part in operation.params if part.name == "Longitude of natural origin")
    return next((float(value) for value in named), None)


def contradiction(crs: CRS, points: ArrayLike) -> Guess | None:
    """Return what coordinates look like that cannot be of the CRS stated; None where they may be, or nothing is known.

    Parameters
    ----------
    crs
        What the file or the study states.
    points
        float64 [n, 2], as they stand in the file. The point in the middle is judged.

    Examples
    --------
    Eastings that begin with a zone's number, under a CRS that has none:

    >>> from pyproj import CRS
    >>> contradiction(CRS("EPSG:4548"), [[39_500_000.0, 4_057_670.0]])
    Guess(datum='EPSG:4527', kind='zone', swapped=False)
    """
    given = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    finite = given[np.isfinite(given).all(axis=1)]
    kind, number = kind_of(crs)
    if not len(finite) or kind == "other":
        return None
    x, y = np.median(finite, axis=0).tolist()
    found = guesses(x, y)
    for guess in found:
        if guess.kind == kind and not guess.swapped and (kind != "zone" or int(x // 1_000_000) == number):
            return None
    return _on_meridian(found, crs)


def _on_meridian(found: tuple[Guess, ...], crs: CRS) -> Guess | None:
    """Return the guess on the meridian of the CRS stated, for that is the most likely; else the first."""
    from .crs import DATUMS, as_crs  # noqa: PLC0415  crs builds on this module

    meridian = meridian_of(crs)
    projected = (guess for guess in found if guess.datum not in DATUMS)
    same = (guess for guess in projected if meridian is not None and meridian_of(as_crs(guess.datum)) == meridian)
    return next(same, found[0] if found else None)
