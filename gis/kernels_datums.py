"""Compiled inner loops of the Chinese datums: the published offsets, point by point, and their inverse by iteration."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

KRASOVSKY_A_M = 6378245.0
KRASOVSKY_E2 = 0.00669342162296594323
BD_TURN = math.pi * 3000.0 / 180.0
BD_EAST_DEG, BD_NORTH_DEG = 0.0065, 0.006
BD_RADIUS_DEG, BD_ANGLE_RAD = 2e-5, 3e-6

STEP_DEG = 5e-8
"""The iteration stops when it moves less than 6 mm: each step shrinks the error tenfold and more, so under 1 mm is
left, and within China under 0.1 mm."""
MOST_STEPS = 12
FADE_DEG = 0.1
"""Width of the belt outside China in which the shift fades, so that it can be undone everywhere."""

CHINA_BOXES = np.array(
    [
        (79.4462, 42.8899, 96.3300, 49.2204),
        (109.6872, 39.3742, 135.0002, 54.1415),
        (73.1246, 29.5297, 124.143255, 42.8899),
        (82.9684, 26.7186, 97.0352, 29.5297),
        (97.0253, 20.414096, 124.367395, 29.5297),
        (107.975793, 17.871542, 111.744104, 20.414096),
    ]
)
NOT_CHINA_BOXES = np.array(
    [
        (119.921265, 21.785006, 122.497559, 25.398623),
        (101.8652, 20.0988, 106.6650, 22.2840),
        (106.4525, 20.4878, 108.0510, 21.5422),
        (109.0323, 50.3257, 119.1270, 55.8175),
        (127.4568, 50.2700, 137.0227, 55.8175),
        (127.6800, 49.7000, 137.0227, 55.8175),
        (128.8100, 49.5574, 137.0227, 55.8175),
        (131.2662, 42.5692, 137.0227, 44.8922),
    ]
)
"""Where Chinese maps are shifted: boxes (west, south, east, north) of mainland China, less those of its neighbours.

The three boxes from 127°E on follow the Amur, so that Heihe, Sunwu and Xunke on its southern bank are in China.
"""

BAND_Y_M = np.array([0.0, 1678043.12, 3481989.83, 5591021.0, 8362377.87])
BAND_LAT_DEG = np.array([0.0, 15.000000001955458, 30.00000002225815, 44.999999946547376, 59.99999995967772])
"""Where the bands begin: in Baidu's metres, and the latitude to which the polynomial of the band before leads there."""
BAIDU_LAT_MOST_DEG = 74.0
BAIDU_Y_MOST_M = 12474104.17
TO_DEGREES = np.array(
    [
        (2.890871144776878e-9, 8.983055095805407e-6, -3.068298e-8, 7.47137025468032, -3.53937994e-6,
         -0.02145144861037, -1.234426596e-5, 1.0322952773e-4, -3.23890364e-6, 826088.5),
        (3.09191371068437e-9, 8.983055096812155e-6, 6.995724062e-5, 23.10934304144901, -2.3663490511e-4,
         -0.6321817810242, -0.00663494467273, 0.03430082397953, -0.00466043876332, 2555164.4),
        (-1.981981304930552e-8, 8.983055099779535e-6, 0.03278182852591, 40.31678527705744, 0.65659298677277,
         -4.44255534477492, 0.85341911805263, 0.12923347998204, -0.04625736007561, 4482777.06),
        (-3.030883460898826e-8, 8.98305509983578e-6, 0.30071316287616, 59.74293618442277, 7.357984074871,
         -25.38371002664745, 13.45380521110908, -3.29883767235584, 0.32710905363475, 6856817.37),
        (-7.435856389565537e-9, 8.983055097726239e-6, -0.78625201886289, 96.32687599759846, -1.85204757529826,
         -59.36935905485877, 47.40033549296737, -16.50741931063887, 2.28786674699375, 10260144.86),
    ]
)  # fmt: skip
"""Baidu's coefficients from its metres to degrees by band of latitude: two of x, seven of y, the unit of y in metres.

The latitudes of neighbouring bands overlap by 3 mm at 15° and leave gaps of 3 mm at 30° and 1 cm at 45°.
"""


@njit(cache=True, nogil=True)
def share_at(lon: float, lat: float) -> float:
    """Return how much of the shift holds at a point: 1 in China, 0 elsewhere, less and less over `FADE_DEG`."""
    inside = False
    for b in range(CHINA_BOXES.shape[0]):
        box = CHINA_BOXES[b]
        inside = inside or (box[0] <= lon <= box[2] and box[1] <= lat <= box[3])
    if inside:
        for b in range(NOT_CHINA_BOXES.shape[0]):
            box = NOT_CHINA_BOXES[b]
            inside = inside and not (box[0] <= lon <= box[2] and box[1] <= lat <= box[3])
    if inside:
        return 1.0
    share = 0.0
    for b in range(CHINA_BOXES.shape[0]):
        box = CHINA_BOXES[b]
        beyond = max(box[0] - lon, lon - box[2], box[1] - lat, lat - box[3])
        share = max(share, 1.0 - beyond / FADE_DEG)
    for b in range(NOT_CHINA_BOXES.shape[0]):
        box = NOT_CHINA_BOXES[b]
        depth = min(lon - box[0], box[2] - lon, lat - box[1], box[3] - lat)
        share = min(share, 1.0 - depth / FADE_DEG)
    return min(max(share, 0.0), 1.0)


@njit(cache=True, nogil=True)
def gcj_offset_at(lon: float, lat: float) -> tuple[float, float]:
    """Return the GCJ-02 offset in degrees at a WGS 84 point, by the published formula.

    All its sines are of multiples of πx/60 and πy/60, so they are had from one sine and cosine each by the formulas for
    multiple angles, in a third of the time; the rounding stays below a nanometre.
    """
    share = share_at(lon, lat)
    if share <= 0.0:
        return 0.0, 0.0  # the formula is not finite at the poles
    x, y = lon - 105.0, lat - 35.0
    root = math.sqrt(abs(x))
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    for axis in range(2):
        t = x if axis == 0 else y
        s1, c1 = math.sin(math.pi / 60.0 * t), math.cos(math.pi / 60.0 * t)
        s2, c2 = 2.0 * s1 * c1, 1.0 - 2.0 * s1 * s1
        s4, c4 = 2.0 * s2 * c2, 1.0 - 2.0 * s2 * s2
        s5, c5 = s4 * c1 + c4 * s1, c4 * c1 - s4 * s1
        s10, c10 = 2.0 * s5 * c5, 1.0 - 2.0 * s5 * s5
        s20, c20 = 2.0 * s10 * c10, 1.0 - 2.0 * s10 * s10
        s60 = s20 * (3.0 - 4.0 * s20 * s20)
        if axis == 0:
            s120 = 2.0 * s60 * c20 * (4.0 * c20 * c20 - 3.0)
            short = 20.0 * s120 * (4.0 - 4.0 * s120 * s120)
            north += short * (2.0 / 3.0)
            east += (short + 20.0 * s60 + 40.0 * s20 + 150.0 * s5 + 300.0 * s2) * (2.0 / 3.0)
        else:
            north += (20.0 * s60 + 40.0 * s20 + 160.0 * s5 + 320.0 * s2) * (2.0 / 3.0)
    phi = math.radians(lat)
    sine = math.sin(phi)
    magic = 1.0 - KRASOVSKY_E2 * sine * sine
    root_magic = math.sqrt(magic)
    d_lon = math.degrees(east * root_magic / (KRASOVSKY_A_M * math.cos(phi)))
    d_lat = math.degrees(north * magic * root_magic / (KRASOVSKY_A_M * (1.0 - KRASOVSKY_E2)))
    return share * d_lon, share * d_lat


@njit(cache=True, nogil=True)
def bd_offset_at(lon: float, lat: float) -> tuple[float, float]:
    """Return the BD-09 offset in degrees at a GCJ-02 point: Baidu's turn, stretch and move.

    The turn is by 3 millionths, so its sine and cosine are their first two terms; what is left out is below 1e-17.
    """
    share = share_at(lon, lat)
    if share <= 0.0:
        return 0.0, 0.0
    stretch = 1.0 + BD_RADIUS_DEG * math.sin(lat * BD_TURN) / math.hypot(lon, lat)
    angle = BD_ANGLE_RAD * math.cos(lon * BD_TURN)
    sine, cosine = angle - angle * angle * angle / 6.0, 1.0 - 0.5 * angle * angle
    d_lon = stretch * (lon * cosine - lat * sine) + BD_EAST_DEG - lon
    d_lat = stretch * (lat * cosine + lon * sine) + BD_NORTH_DEG - lat
    return share * d_lon, share * d_lat


@njit(cache=True, nogil=True)
def offset_at(lon: float, lat: float, baidu: bool) -> tuple[float, float]:  # noqa: FBT001  compiled, called by place
    """Return the offset of BD-09 from GCJ-02, or of GCJ-02 from WGS 84."""
    return bd_offset_at(lon, lat) if baidu else gcj_offset_at(lon, lat)


@njit(cache=True, nogil=True)
def shifted(points: Floats, baidu: bool) -> Floats:  # noqa: FBT001  as above
    """Return points moved by the offset."""
    out = np.empty_like(points)
    for i in range(points.shape[0]):
        lon, lat = points[i, 0], points[i, 1]
        d_lon, d_lat = offset_at(lon, lat, baidu)
        out[i, 0], out[i, 1] = lon + d_lon, lat + d_lat
    return out


@njit(cache=True, nogil=True)
def unshifted(points: Floats, baidu: bool) -> Floats:  # noqa: FBT001  as above
    """Return points with the offset undone: p + offset(p) = point by fixed-point iteration."""
    out = np.empty_like(points)
    for i in range(points.shape[0]):
        lon, lat = points[i, 0], points[i, 1]
        d_lon, d_lat = offset_at(lon, lat, baidu)
        x, y = lon - d_lon, lat - d_lat
        for _ in range(MOST_STEPS):
            d_lon, d_lat = offset_at(x, y, baidu)
            moved = max(abs(lon - d_lon - x), abs(lat - d_lat - y))
            x, y = lon - d_lon, lat - d_lat
            if not moved > STEP_DEG:  # NaN ends it too: no step can mend it
                break
        out[i, 0], out[i, 1] = x, y
    return out


@njit(cache=True, nogil=True)
def baidu_latitude(band: int, y: float) -> tuple[float, float]:
    """Return the latitude of a northing in Baidu's metres by the polynomial of a band, and its slope."""
    row = TO_DEGREES[band]
    c = y / row[9]
    value, slope = 0.0, 0.0
    for k in range(8, 1, -1):
        slope = slope * c + value
        value = value * c + row[k]
    return value, slope / row[9]


@njit(cache=True, nogil=True)
def to_baidu_degrees(points: Floats) -> Floats:
    """Return BD-09 degrees of Baidu's metres; infinite beyond the ends of its map, as with pyproj."""
    out = np.full_like(points, np.inf)
    for i in range(points.shape[0]):
        x, y = points[i, 0], abs(points[i, 1])
        if math.isnan(x + y):
            out[i] = np.nan
        if not y <= BAIDU_Y_MOST_M + 1.0:
            continue
        band = 0
        while band < 4 and y >= BAND_Y_M[band + 1]:
            band += 1
        lat, _ = baidu_latitude(band, y)
        lon = TO_DEGREES[band, 0] + TO_DEGREES[band, 1] * abs(x)
        out[i, 0], out[i, 1] = math.copysign(lon, x), math.copysign(lat, points[i, 1])
    return out


@njit(cache=True, nogil=True)
def to_baidu_metres(points: Floats) -> Floats:
    """Return Baidu's metres of BD-09 degrees, the inverse of `to_baidu_degrees` by Newton's method."""
    out = np.full_like(points, np.inf)
    for i in range(points.shape[0]):
        lon, lat = points[i, 0], abs(points[i, 1])
        if math.isnan(lon + lat):
            out[i] = np.nan
        if not lat <= BAIDU_LAT_MOST_DEG:
            continue
        band = 0
        while band < 4 and lat >= BAND_LAT_DEG[band + 1]:
            band += 1
        y = BAND_Y_M[band] + (lat - BAND_LAT_DEG[band]) * 111320.0
        for _ in range(MOST_STEPS):
            value, slope = baidu_latitude(band, y)
            step = (lat - value) / slope
            y += step
            if not abs(step) > 1e-5:
                break
        x = (abs(lon) - TO_DEGREES[band, 0]) / TO_DEGREES[band, 1]
        out[i, 0], out[i, 1] = math.copysign(x, lon), math.copysign(max(y, BAND_Y_M[band]), points[i, 1])
    return out
