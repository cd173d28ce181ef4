"""The datums of Chinese maps: GCJ-02, BD-09 and Baidu's metres, there and back, by the published formulas.

GCJ-02 and BD-09 are WGS 84 moved up to 700 m and 1.3 km. Both ways are compiled; the inverse is solved by iteration,
because the one-step inverse in common use is off by up to three metres.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from .errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Points: TypeAlias = NDArray[np.float64]


def in_china(points: ArrayLike) -> NDArray[np.bool_]:
    """Tell which points lie where Chinese maps are shifted.

    Parameters
    ----------
    points
        float64 [n, 2], longitude and latitude in degrees.

    Returns
    -------
    bool [n]

    Examples
    --------
    Jinan, Seoul:

    >>> in_china(np.array([[117.0, 36.65], [126.98, 37.57]])).tolist()
    [True, False]
    """
    from .kernels_datums import CHINA_BOXES, NOT_CHINA_BOXES  # noqa: PLC0415  numba is slow to import

    given = _given(points)
    lon, lat = given[:, 0], given[:, 1]
    inside = np.zeros(len(given), dtype=np.bool_)
    for boxes, value in ((CHINA_BOXES, True), (NOT_CHINA_BOXES, False)):
        for west, south, east, north in boxes:
            inside[(lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)] = value
    return inside


def wgs84_to_gcj02(points: ArrayLike) -> Points:
    """Move WGS 84 positions to GCJ-02, the datum of Amap, Tencent and Google maps in China.

    Parameters
    ----------
    points
        float64 [n, 2], longitude and latitude in degrees. Points outside China come back as they are.

    Returns
    -------
    float64 [n, 2]

    Examples
    --------
    >>> wgs84_to_gcj02([[117.0, 36.65], [-15.43, 28.1]]).round(6).tolist()
    [[117.00584, 36.650252], [-15.43, 28.1]]
    """
    from .kernels_datums import shifted  # noqa: PLC0415  numba is slow to import

    return np.asarray(shifted(_given(points), False))


def gcj02_to_wgs84(points: ArrayLike) -> Points:
    """Move GCJ-02 positions to WGS 84, the inverse of `wgs84_to_gcj02` to less than a millimetre.

    Examples
    --------
    >>> gcj02_to_wgs84(wgs84_to_gcj02([[117.0, 36.65]])).round(8).tolist()
    [[117.0, 36.65]]
    """
    from .kernels_datums import unshifted  # noqa: PLC0415  numba is slow to import

    return np.asarray(unshifted(_given(points), False))


def gcj02_to_bd09(points: ArrayLike) -> Points:
    """Move GCJ-02 positions to BD-09, the datum of Baidu maps; points outside China come back as they are.

    Examples
    --------
    >>> gcj02_to_bd09([[117.00584, 36.650252]]).round(6).tolist()
    [[117.012244, 36.65659]]
    """
    from .kernels_datums import shifted  # noqa: PLC0415  numba is slow to import

    return np.asarray(shifted(_given(points), True))


def bd09_to_gcj02(points: ArrayLike) -> Points:
    """Move BD-09 positions to GCJ-02, the inverse of `gcj02_to_bd09` to less than a millimetre.

    Examples
    --------
    >>> bd09_to_gcj02(gcj02_to_bd09([[117.0, 36.65]])).round(8).tolist()
    [[117.0, 36.65]]
    """
    from .kernels_datums import unshifted  # noqa: PLC0415  numba is slow to import

    return np.asarray(unshifted(_given(points), True))


def wgs84_to_bd09(points: ArrayLike) -> Points:
    """Move WGS 84 positions to BD-09."""
    return gcj02_to_bd09(wgs84_to_gcj02(points))


def bd09_to_wgs84(points: ArrayLike) -> Points:
    """Move BD-09 positions to WGS 84."""
    return gcj02_to_wgs84(bd09_to_gcj02(points))


def bd09mc_to_bd09(points: ArrayLike) -> Points:
    """Return the BD-09 degrees of positions in Baidu's metres, by Baidu's own polynomials.

    Parameters
    ----------
    points
        float64 [n, 2], easting and northing. Those beyond the ends of Baidu's map (74° north and south) become
        infinite, as with pyproj.

    Returns
    -------
    float64 [n, 2]

    Examples
    --------
    Tiananmen:

    >>> bd09mc_to_bd09([[12958175.0, 4825923.77]]).round(6).tolist()
    [[116.404, 39.915]]
    """
    from .kernels_datums import to_baidu_degrees  # noqa: PLC0415  numba is slow to import

    return np.asarray(to_baidu_degrees(_given(points)))


def bd09_to_bd09mc(points: ArrayLike) -> Points:
    """Return positions in Baidu's metres, the inverse of `bd09mc_to_bd09` to less than a millimetre.

    Baidu publishes another set of polynomials for this way, which is off by up to 3 cm in China. The bands of latitude
    do not quite meet: in gaps of 3 mm at 30° and 1 cm at 45° no point in metres is exactly the one asked for.

    Examples
    --------
    >>> bd09_to_bd09mc([[116.404, 39.915]]).round(1).tolist()
    [[12958175.0, 4825923.8]]
    """
    from .kernels_datums import to_baidu_metres  # noqa: PLC0415  numba is slow to import

    return np.asarray(to_baidu_metres(_given(points)))


def wgs84_to_bd09mc(points: ArrayLike) -> Points:
    """Move WGS 84 positions to Baidu's metres."""
    return bd09_to_bd09mc(wgs84_to_bd09(points))


def bd09mc_to_wgs84(points: ArrayLike) -> Points:
    """Move positions in Baidu's metres to WGS 84."""
    return bd09_to_wgs84(bd09mc_to_bd09(points))


def _given(points: ArrayLike) -> Points:
    """Return positions as the compiled loops take them.

    Raises
    ------
    InputError
        When they are not pairs.
    """
    given = np.ascontiguousarray(points, dtype=np.float64)
    if given.ndim != 2 or given.shape[1] != 2:
        message = f"points must be an array of shape (n, 2), was given {given.shape}"
        raise InputError(message)
    return given
