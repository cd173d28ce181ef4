"""Coordinates: the metric CRS a place is worked in, the guard that refuses any other, and the datums of Chinese maps.

GCJ-02 and BD-09 are WGS 84 moved by a published formula, up to 700 m and 1.3 km. Both ways are vectorised; the inverse
is solved by iteration, because the one-step inverse in common use is off by up to three metres.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError as ProjError

from .errors import CrsError, Fault, InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd
    from numpy.typing import ArrayLike, NDArray

    Points: TypeAlias = NDArray[np.float64]

KRASOVSKY_A_M = 6378245.0
KRASOVSKY_E2 = 0.00669342162296594323
BD_TURN = np.pi * 3000.0 / 180.0
BD_EAST_DEG, BD_NORTH_DEG = 0.0065, 0.006
BD_RADIUS_DEG, BD_ANGLE_RAD = 2e-5, 3e-6

STEP_DEG = 5e-8
"""The iteration stops when it moves less than 6 mm: each step shrinks the error tenfold, so under 1 mm is left."""
FADE_DEG = 0.1
"""Width of the belt outside China in which the shift fades, so that it can be undone everywhere."""
MOST_STEPS = 12
BLOCK = 1 << 14
"""Points handled at a time, so that the intermediate arrays stay in the processor's cache."""

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
        (127.4568, 49.5574, 137.0227, 55.8175),
        (131.2662, 42.5692, 137.0227, 44.8922),
    ]
)
"""Where Chinese maps are shifted: boxes (west, south, east, north) of mainland China, less those of its neighbours."""

DATUMS: dict[str, str] = {
    "wgs84": "EPSG:4326",
    "cgcs2000": "EPSG:4490",
    "gcj02": "EPSG:4326",
    "bd09": "EPSG:4326",
}
"""Datum names of study.toml → the geographic CRS they are written in; the shifted two become it when undone."""
SHIFTED = ("gcj02", "bd09")


def working_crs(bounds: tuple[float, float, float, float]) -> CRS:
    """Choose the metric CRS for an extent: the CGCS2000 3-degree zone of its centre in China, UTM elsewhere.

    Parameters
    ----------
    bounds
        West, south, east, north in degrees.

    Returns
    -------
    CRS
        EPSG:4534 to 4554 (central meridians 75°E to 135°E, no zone number in the easting), EPSG:326xx or 327xx; polar
        stereographic beyond UTM's reach.

    Raises
    ------
    CrsError
        When the bounds are not an extent in degrees.

    Examples
    --------
    Jinan, and Las Palmas:

    >>> working_crs((116.9, 36.6, 117.1, 36.7)).to_epsg(), working_crs((-15.46, 28.05, -15.40, 28.17)).to_epsg()
    (4548, 32628)
    """
    west, south, east, north = (float(value) for value in bounds)
    in_degrees = -180 <= west <= east <= 180 and -90 <= south <= north <= 90
    if not in_degrees:
        message = f"the bounds {bounds} are not west, south, east, north in degrees"
        raise CrsError(message, Fault("gis.crs_bounds", value=tuple(bounds)))
    lon, lat = (west + east) / 2, (south + north) / 2
    if bool(in_china(np.array([[lon, lat]]))[0]):
        meridian = int(np.clip(np.floor(lon / 3 + 0.5), 25, 45)) * 3
        return as_crs(f"EPSG:{4534 + (meridian - 75) // 3}")
    if lat >= 84:
        return as_crs("EPSG:32661")
    if lat < -80:
        return as_crs("EPSG:32761")
    zone = int((lon + 180) // 6) % 60 + 1
    return as_crs(f"EPSG:{(32600 if lat >= 0 else 32700) + zone}")


def require_metric(crs: object, layer: str) -> CRS:
    """Return the CRS when distances may be measured in it; otherwise say which of the things it lacks.

    Parameters
    ----------
    crs
        Anything pyproj understands, or None.
    layer
        The layer's name, for the message.

    Raises
    ------
    CrsError
        With the code ``gis.crs_missing`` when there is none, ``gis.crs_geographic`` when it is in degrees,
        ``gis.crs_not_metres`` when its unit is another or its metres are not metres on the ground (Mercator).

    Examples
    --------
    >>> require_metric("EPSG:4548", "streets").name
    'CGCS2000 / 3-degree Gauss-Kruger CM 117E'
    >>> require_metric("EPSG:4326", "streets")
    Traceback (most recent call last):
    ...
    lifecircle.gis.errors.CrsError: streets is in degrees (WGS 84); project it to a CRS in metres
    """
    if crs is None:
        message = f"{layer} has no coordinate reference system; state its datum"
        raise CrsError(message, Fault("gis.crs_missing", layer=layer))
    found = as_crs(crs, layer)
    if found.is_geographic:
        message = f"{layer} is in degrees ({found.name}); project it to a CRS in metres"
        raise CrsError(message, Fault("gis.crs_geographic", layer=layer, value=found.name))
    horizontal = found.axis_info[:2]
    unit = horizontal[0].unit_name if horizontal else "unknown"
    metres = len(horizontal) == 2 and all(axis.unit_conversion_factor == 1 for axis in horizontal)
    plane = found.is_projected or found.is_engineering
    if not (plane and metres) or _is_mercator(found):
        message = f"{layer} is not in metres on the ground ({found.name}, unit {unit}); project it to a CRS in metres"
        raise CrsError(message, Fault("gis.crs_not_metres", layer=layer, value=found.name, detail={"unit": unit}))
    return found


def as_crs(crs: object, layer: str | None = None) -> CRS:
    """Return the CRS that a name, code, WKT or CRS object stands for.

    Raises
    ------
    CrsError
        When nothing of that name is known.

    Examples
    --------
    >>> as_crs("EPSG:4547").name
    'CGCS2000 / 3-degree Gauss-Kruger CM 114E'
    """
    if isinstance(crs, CRS):
        return crs
    try:
        return _looked_up(crs) if isinstance(crs, str | int) else CRS.from_user_input(crs)
    except ProjError as error:
        message = f"{crs!r} is not a known coordinate reference system"
        raise CrsError(message, Fault("gis.crs_unknown", layer=layer, value=crs)) from error


@cache
def _looked_up(name: str | int) -> CRS:
    """Return the CRS of a name, looked up once: pyproj takes a tenth of a second for each."""
    return CRS.from_user_input(name)


@cache
def _mover(source: CRS, target: CRS) -> Transformer | None:
    """Return the transformer between two CRS, None when they are the same."""
    return None if source == target else Transformer.from_crs(source, target, always_xy=True)


def from_degrees(crs: CRS) -> Transformer:
    """Return the transformer from longitude and latitude in WGS 84, set up once for each CRS.

    Examples
    --------
    >>> [round(metres) for metres in from_degrees(CRS("EPSG:4547")).transform(114.0, 30.0)]
    [500000, 3320113]
    """
    degrees = _looked_up("EPSG:4326")
    return _mover(degrees, crs) or Transformer.from_crs(degrees, crs, always_xy=True)


def _is_mercator(crs: CRS) -> bool:
    """Whether lengths grow with latitude as in web maps: 25 % too long at 37°N."""
    flat = crs.source_crs if crs.is_bound and crs.source_crs is not None else crs
    parts = [flat, *flat.sub_crs_list]
    methods = [part.coordinate_operation.method_name for part in parts if part.coordinate_operation is not None]
    return any("Pseudo Mercator" in name or name.startswith("Mercator") for name in methods)


def in_china(points: Points) -> NDArray[np.bool_]:
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
    lon, lat = points[:, 0], points[:, 1]
    inside = np.zeros(len(points), dtype=np.bool_)
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
    return _blockwise(points, lambda block: block + _gcj_offset(block))


def gcj02_to_wgs84(points: ArrayLike) -> Points:
    """Move GCJ-02 positions to WGS 84, the inverse of `wgs84_to_gcj02` to less than a millimetre.

    Examples
    --------
    >>> gcj02_to_wgs84(wgs84_to_gcj02([[117.0, 36.65]])).round(8).tolist()
    [[117.0, 36.65]]
    """
    return _blockwise(points, lambda block: _undone(block, _gcj_offset))


def gcj02_to_bd09(points: ArrayLike) -> Points:
    """Move GCJ-02 positions to BD-09, the datum of Baidu maps; points outside China come back as they are.

    Examples
    --------
    >>> gcj02_to_bd09([[117.00584, 36.650252]]).round(6).tolist()
    [[117.012244, 36.65659]]
    """
    return _blockwise(points, lambda block: block + _bd_offset(block))


def bd09_to_gcj02(points: ArrayLike) -> Points:
    """Move BD-09 positions to GCJ-02, the inverse of `gcj02_to_bd09` to less than a millimetre.

    Examples
    --------
    >>> bd09_to_gcj02(gcj02_to_bd09([[117.0, 36.65]])).round(8).tolist()
    [[117.0, 36.65]]
    """
    return _blockwise(points, lambda block: _undone(block, _bd_offset))


def wgs84_to_bd09(points: ArrayLike) -> Points:
    """Move WGS 84 positions to BD-09."""
    return gcj02_to_bd09(wgs84_to_gcj02(points))


def bd09_to_wgs84(points: ArrayLike) -> Points:
    """Move BD-09 positions to WGS 84."""
    return gcj02_to_wgs84(bd09_to_gcj02(points))


def _blockwise(points: ArrayLike, move: Callable[[Points], Points]) -> Points:
    """Apply a move to points in blocks that fit the cache."""
    given = np.asarray(points, dtype=np.float64)
    if given.ndim != 2 or given.shape[1] != 2:
        message = f"points must be an array of shape (n, 2), was given {given.shape}"
        raise InputError(message)
    moved = np.empty_like(given)
    for start in range(0, len(given), BLOCK):
        moved[start : start + BLOCK] = move(given[start : start + BLOCK])
    return moved


def _gcj_offset(points: Points) -> Points:
    """Return the GCJ-02 offset in degrees at WGS 84 points, by the published formula.

    All its sines are of multiples of πx/60 and πy/60, so they are had from one sine and cosine each by the formulas for
    multiple angles, in a third of the time; the rounding stays below a nanometre.
    """
    x, y = points[:, 0] - 105.0, points[:, 1] - 35.0
    root = np.sqrt(np.abs(x))
    x30, x12, x3, x1, x_short = _sines(x)
    y30, y12, y3, y1, _ = _sines(y)
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    north += (x_short + 20 * y1 + 40 * y3 + 160 * y12 + 320 * y30) * (2 / 3)
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    east += (x_short + 20 * x1 + 40 * x3 + 150 * x12 + 300 * x30) * (2 / 3)
    latitude = np.radians(points[:, 1])
    magic = 1 - KRASOVSKY_E2 * np.sin(latitude) ** 2
    root_magic = np.sqrt(magic)
    offset = np.empty_like(points)
    offset[:, 0] = np.degrees(east * root_magic / (KRASOVSKY_A_M * np.cos(latitude)))
    offset[:, 1] = np.degrees(north * magic * root_magic / (KRASOVSKY_A_M * (1 - KRASOVSKY_E2)))
    return _faded(points, offset)


def _sines(t: Points) -> tuple[Points, Points, Points, Points, Points]:
    """Return sin πt/30, sin πt/12, sin πt/3, sin πt and 20 sin 2πt + 20 sin 6πt."""
    s1, c1 = np.sin(np.pi / 60 * t), np.cos(np.pi / 60 * t)
    s2, c2 = 2 * s1 * c1, 1 - 2 * s1 * s1
    s4, c4 = 2 * s2 * c2, 1 - 2 * s2 * s2
    s5, c5 = s4 * c1 + c4 * s1, c4 * c1 - s4 * s1
    s10, c10 = 2 * s5 * c5, 1 - 2 * s5 * s5
    s20, c20 = 2 * s10 * c10, 1 - 2 * s10 * s10
    s60 = s20 * (3 - 4 * s20 * s20)
    s120 = 2 * s60 * c20 * (4 * c20 * c20 - 3)
    return s2, s5, s20, s60, 20 * s120 * (4 - 4 * s120 * s120)


def _bd_offset(points: Points) -> Points:
    """Return the BD-09 offset in degrees at GCJ-02 points: Baidu's turn, stretch and move."""
    x, y = points[:, 0], points[:, 1]
    radius = np.hypot(x, y) + BD_RADIUS_DEG * np.sin(y * BD_TURN)
    angle = np.arctan2(y, x) + BD_ANGLE_RAD * np.cos(x * BD_TURN)
    offset = np.empty_like(points)
    offset[:, 0] = radius * np.cos(angle) + BD_EAST_DEG - x
    offset[:, 1] = radius * np.sin(angle) + BD_NORTH_DEG - y
    return _faded(points, offset)


def _faded(points: Points, offset: Points) -> Points:
    """Let an offset fade to nothing over `FADE_DEG` outside China, so that there is exactly one way back everywhere."""
    outside = np.flatnonzero(~in_china(points))
    if len(outside):
        lon, lat = points[outside, 0], points[outside, 1]
        share = np.zeros(len(outside))
        for west, south, east, north in CHINA_BOXES:
            beyond = np.maximum(np.maximum(west - lon, lon - east), np.maximum(south - lat, lat - north))
            np.maximum(share, 1 - beyond / FADE_DEG, out=share)
        for west, south, east, north in NOT_CHINA_BOXES:
            depth = np.minimum(np.minimum(lon - west, east - lon), np.minimum(lat - south, north - lat))
            np.minimum(share, 1 - depth / FADE_DEG, out=share)
        offset[outside] *= np.clip(share, 0, 1)[:, None]
        offset[outside[share <= 0]] = 0.0  # the formula is not finite at the poles
    return offset


def _undone(target: Points, offset: Callable[[Points], Points]) -> Points:
    """Solve p + offset(p) = target by fixed-point iteration; the offset varies slowly, so steps gain a digit or two."""
    first = target - offset(target)
    found = target - offset(first)
    open_rows = np.flatnonzero(np.abs(found - first).max(axis=1, initial=0.0) > STEP_DEG)
    for _ in range(MOST_STEPS):
        if not len(open_rows):
            break
        before = found[open_rows]
        better = target[open_rows] - offset(before)
        found[open_rows] = better
        # NaN compares false: no step can mend it.
        open_rows = open_rows[np.abs(better - before).max(axis=1) > STEP_DEG]
    return found


_TO_WGS84: dict[str, Callable[[ArrayLike], Points]] = {"gcj02": gcj02_to_wgs84, "bd09": bd09_to_wgs84}
_FROM_WGS84: dict[str, Callable[[ArrayLike], Points]] = {"gcj02": wgs84_to_gcj02, "bd09": wgs84_to_bd09}


def to_crs(geometries: Any, source: object, target: object) -> Any:  # noqa: ANN401  shapely takes and gives scalars and arrays
    """Move geometries from one datum or CRS to another.

    Parameters
    ----------
    geometries
        A shapely geometry or an array of them; x is easting or longitude. Z is dropped by the shifted datums.
    source, target
        A datum name of `DATUMS` (``wgs84``, ``cgcs2000``, ``gcj02``, ``bd09``; then in degrees) or a CRS.

    Raises
    ------
    CrsError
        When a CRS is unknown, or coordinates that should be degrees are not.

    Examples
    --------
    >>> shapely.to_wkt(to_crs(shapely.Point(117.00584031, 36.65025196), "gcj02", "wgs84"), rounding_precision=7)
    'POINT (117 36.65)'
    """
    before, after = _datum(source), _datum(target)
    start, end = (as_crs(DATUMS.get(name, given)) for name, given in ((before, source), (after, target)))
    if before == after and start == end:
        return geometries
    if start.is_geographic:
        _require_degrees(geometries, before or start.name)
    moved = geometries
    if before in SHIFTED:
        moved = shapely.transform(moved, _TO_WGS84[before])
    mover = _mover(start, end)  # the shifted datums are WGS 84 here
    if mover is not None:
        moved = _projected(moved, mover)
    if after in SHIFTED:
        moved = shapely.transform(moved, _FROM_WGS84[after])
    return moved


def _projected(geometries: Any, mover: Transformer) -> Any:  # noqa: ANN401  as above
    """Move every coordinate by a transformer."""
    return shapely.transform(geometries, lambda points: np.column_stack(mover.transform(points[:, 0], points[:, 1])))


def _datum(crs: object) -> str:
    """Return the name of `DATUMS` that was given, or nothing; pyproj would search long for it as a CRS."""
    name = crs.strip().lower() if isinstance(crs, str) else ""
    return name if name in DATUMS else ""


def _require_degrees(geometries: Any, name: str) -> None:  # noqa: ANN401  as above
    """Refuse coordinates that cannot be longitudes and latitudes."""
    points = shapely.get_coordinates(geometries)
    far = np.flatnonzero((np.abs(points[:, 0]) > 180) | (np.abs(points[:, 1]) > 90))
    if len(far):
        worst = tuple(points[far[0]].tolist())
        message = f"coordinates like {worst} are not degrees, which {name} needs; the layer is in another CRS"
        raise CrsError(message, Fault("gis.crs_not_degrees", value=worst, detail={"crs": name, "count": len(far)}))


def transform(frame: gpd.GeoDataFrame, datum: str | None, crs: object) -> gpd.GeoDataFrame:
    """Return a layer in another CRS, the shift of a Chinese datum undone.

    A stated datum counts before the file's own CRS. ``wgs84`` and ``cgcs2000`` name a datum, not a projection: where
    the file is projected, that stays. Shifted coordinates that a file has projected go back to degrees first.

    Parameters
    ----------
    frame
        A layer, with or without a CRS of its own.
    datum
        A name of `DATUMS`, ``EPSG:n``, or None for the file's own CRS.
    crs
        The CRS wanted.

    Raises
    ------
    CrsError
        When neither the file nor the study states a datum, or the coordinates contradict it.

    Examples
    --------
    >>> import geopandas as gpd
    >>> schools = gpd.GeoDataFrame({"name": ["A"]}, geometry=[shapely.Point(117.00584031, 36.65025196)])
    >>> moved = transform(schools, "gcj02", "EPSG:4548")
    >>> moved.geometry.x.round(1).tolist(), moved.geometry.y.round(1).tolist()
    ([500000.0], [4057669.9])
    """
    if datum is None and frame.crs is None:
        message = "the layer has no CRS and no datum is stated"
        raise CrsError(message, Fault("gis.crs_missing"))
    geometries = frame.geometry.array
    plain = np.asarray(geometries, dtype=object)
    source: object = frame.crs if datum is None else datum
    named = _datum(datum)
    if named and frame.crs is not None and not as_crs(frame.crs).is_geographic:
        if named in SHIFTED:
            plain = to_crs(plain, frame.crs, "EPSG:4326")
        else:
            source = frame.crs
    moved = to_crs(plain, source, crs)
    bare = frame.copy()
    bare[bare.geometry.name] = moved
    return bare.set_geometry(bare.geometry.name).set_crs(as_crs(crs), allow_override=True)
