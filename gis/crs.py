"""Coordinates: the metric CRS a place is worked in, the guard that refuses any other, and the way between datums.

Positions are moved between a CRS, a Chinese datum (GCJ-02, BD-09, Baidu's metres), a local system, and a CRS of shifted
coordinates, in which a study may work where the law asks for it.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError as ProjError

from . import chinese
from .chinese import in_china
from .errors import CrsError, Fault
from .local import LocalSystem

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd
    from numpy.typing import ArrayLike, NDArray

    Points: TypeAlias = NDArray[np.float64]
    Move: TypeAlias = Callable[[ArrayLike], Points]

DATUMS: dict[str, str] = {
    "wgs84": "EPSG:4326",
    "cgcs2000": "EPSG:4490",
    "gcj02": "EPSG:4326",
    "bd09": "EPSG:4326",
    "bd09mc": "EPSG:4326",
}
"""Datum names of study.toml → the geographic CRS they are written in; the shifted ones become it when undone."""
SHIFTED = ("gcj02", "bd09", "bd09mc")
GCJ_NAME = "GCJ-02"
"""How the geographic part of a CRS of shifted coordinates is called."""


class Mover(Protocol):
    """Moves coordinates as pyproj's Transformer does: easting or longitude first."""

    def transform(self, xx: Any, yy: Any, /) -> tuple[Any, Any]:  # noqa: ANN401  scalars and arrays
        """Return the coordinates moved."""
        ...


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


class _Chain:
    """Moves coordinates between CRS of which one is of shifted coordinates."""

    def __init__(self, source: CRS, target: CRS) -> None:
        self.source, self.target = source, target

    def transform(self, xx: Any, yy: Any, /) -> tuple[Any, Any]:  # noqa: ANN401  scalars and arrays
        """Return the coordinates moved."""
        shape = np.shape(xx)
        points = np.column_stack([np.ravel(xx), np.ravel(yy)]).astype(np.float64)
        moved = moved_points(points, self.source, self.target)
        return moved[:, 0].reshape(shape), moved[:, 1].reshape(shape)


def between(source: CRS, target: CRS) -> Mover:
    """Return what moves coordinates between two CRS, shifted ones among them; easting or longitude first.

    Examples
    --------
    >>> shifted = shifted_crs(as_crs("EPSG:4548"))
    >>> [round(float(part), 1) for part in between(as_crs("EPSG:4326"), shifted).transform(117.0, 36.65)]
    [500522.2, 4057697.9]
    """
    if shift_of(source) or shift_of(target):
        return _Chain(source, target)
    return _mover(source, target) or Transformer.from_crs(source, target, always_xy=True)


def from_degrees(crs: CRS) -> Mover:
    """Return what moves longitude and latitude in WGS 84 to a CRS, set up once for each.

    Examples
    --------
    >>> [round(metres) for metres in from_degrees(CRS("EPSG:4547")).transform(114.0, 30.0)]
    [500000, 3320113]
    """
    return between(_looked_up("EPSG:4326"), crs)


def shifted_crs(crs: CRS) -> CRS:
    """Return the CRS of GCJ-02 coordinates that are projected, or written in degrees, as a CRS does with true ones.

    Lengths in it are those of the shifted ground: up to 0.5 % off, by place and direction, 0.15 % as a rule.

    Parameters
    ----------
    crs
        A projected or geographic CRS.

    Examples
    --------
    >>> shifted_crs(as_crs("EPSG:4548")).name
    'GCJ-02 / 3-degree Gauss-Kruger CM 117E'
    """
    given = crs.to_json_dict()
    given.pop("id", None)
    base = given if crs.is_geographic else given["base_crs"]
    base.pop("id", None)
    base.pop("datum_ensemble", None)
    ellipsoid = {"name": "CGCS2000", "semi_major_axis": 6378137, "inverse_flattening": 298.257222101}
    base["datum"] = {
        "type": "GeodeticReferenceFrame",
        "name": f"{GCJ_NAME} (shifted coordinates of Chinese maps)",
        "ellipsoid": ellipsoid,
    }
    base["name"] = GCJ_NAME
    if not crs.is_geographic:
        given["name"] = f"{GCJ_NAME} / {crs.name.split(' / ')[-1]}"
    return CRS.from_json_dict(given)


def shift_of(crs: CRS) -> str:
    """Return the datum whose shift a CRS has: ``gcj02``, or nothing.

    Examples
    --------
    >>> shift_of(shifted_crs(as_crs("EPSG:4548"))), shift_of(as_crs("EPSG:4548"))
    ('gcj02', '')
    """
    base = crs.geodetic_crs
    return "gcj02" if base is not None and base.name.startswith(GCJ_NAME) else ""


def crs_label(crs: CRS) -> str:
    """Return a CRS as it is tagged: its code, or its name where it has none.

    Examples
    --------
    >>> crs_label(as_crs("EPSG:4548")), crs_label(shifted_crs(as_crs("EPSG:4548")))
    ('EPSG:4548', 'GCJ-02 / 3-degree Gauss-Kruger CM 117E')
    """
    authority = None if shift_of(crs) else crs.to_authority()
    return ":".join(authority) if authority is not None else crs.name


def _is_mercator(crs: CRS) -> bool:
    """Whether lengths grow with latitude as in web maps: 25 % too long at 37°N."""
    flat = crs.source_crs if crs.is_bound and crs.source_crs is not None else crs
    parts = [flat, *flat.sub_crs_list]
    methods = [part.coordinate_operation.method_name for part in parts if part.coordinate_operation is not None]
    return any("Pseudo Mercator" in name or name.startswith("Mercator") for name in methods)


_TO_WGS84: dict[str, Move] = {
    "gcj02": chinese.gcj02_to_wgs84,
    "bd09": chinese.bd09_to_wgs84,
    "bd09mc": chinese.bd09mc_to_wgs84,
}
_FROM_WGS84: dict[str, Move] = {
    "gcj02": chinese.wgs84_to_gcj02,
    "bd09": chinese.wgs84_to_bd09,
    "bd09mc": chinese.wgs84_to_bd09mc,
}


def to_crs(geometries: Any, source: object, target: object) -> Any:  # noqa: ANN401  shapely takes and gives scalars and arrays
    """Move geometries from one datum or CRS to another.

    Parameters
    ----------
    geometries
        A shapely geometry or an array of them; x is easting or longitude. Z is dropped by the shifted datums.
    source, target
        A datum name of `DATUMS` (``bd09mc`` in Baidu's metres, the others in degrees), a CRS, a CRS of `shifted_crs`,
        or, as the source, a `LocalSystem`.

    Raises
    ------
    CrsError
        When a CRS is unknown, or coordinates that should be degrees are not.

    Examples
    --------
    >>> shapely.to_wkt(to_crs(shapely.Point(117.00584031, 36.65025196), "gcj02", "wgs84"), rounding_precision=7)
    'POINT (117 36.65)'
    """
    if isinstance(source, LocalSystem):
        return to_crs(shapely.transform(geometries, source.move), source.crs, target)
    before, after = _datum(source), _datum(target)
    start, end = (as_crs(DATUMS.get(name, given)) for name, given in ((before, source), (after, target)))
    if before == after and start == end:
        return geometries
    if start.is_geographic and before != "bd09mc":
        _require_degrees(geometries, before or start.name)
    if before in SHIFTED or after in SHIFTED or shift_of(start) or shift_of(end):
        return shapely.transform(geometries, lambda points: moved_points(points, source, target))
    mover = _mover(start, end)
    return geometries if mover is None else _projected(geometries, mover)


def moved_points(points: Points, source: object, target: object) -> Points:
    """Move positions of which one side is shifted: to degrees, from shift to shift, and on.

    Parameters
    ----------
    points
        float64 [n, 2].
    source, target
        As for `to_crs`, without local systems.
    """
    before, after = _datum(source), _datum(target)
    start, end = (as_crs(DATUMS.get(name, given)) for name, given in ((before, source), (after, target)))
    shifts = (before if before in SHIFTED else shift_of(start), after if after in SHIFTED else shift_of(end))
    moved = points
    if not start.is_geographic:
        moved = _by(_mover(start, _degrees_of(start)), moved)
    if shifts[0] != shifts[1]:
        moved = _reshifted(moved, *shifts)
    return moved if end.is_geographic else _by(_mover(_degrees_of(end), end), moved)


def _reshifted(points: Points, before: str, after: str) -> Points:
    """Return degrees (of ``bd09mc`` Baidu's metres) of one shift as those of another; nothing stands for WGS 84."""
    if (before, after) == ("bd09", "gcj02"):
        return chinese.bd09_to_gcj02(points)
    if (before, after) == ("bd09mc", "gcj02"):
        return chinese.bd09_to_gcj02(chinese.bd09mc_to_bd09(points))
    true = _TO_WGS84[before](points) if before else points
    return _FROM_WGS84[after](true) if after else true


def _degrees_of(crs: CRS) -> CRS:
    """Return the degrees that a CRS is moved through: of a shifted one its own, else WGS 84."""
    base = crs.geodetic_crs
    return base if base is not None and shift_of(crs) else _looked_up("EPSG:4326")


def _by(mover: Transformer | None, points: Points) -> Points:
    """Return positions moved by a transformer, where there is one."""
    return points if mover is None else np.column_stack(mover.transform(points[:, 0], points[:, 1]))


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


def transform(frame: gpd.GeoDataFrame, datum: str | LocalSystem | None, crs: object) -> gpd.GeoDataFrame:
    """Return a layer in another CRS, the shift of a Chinese datum undone.

    A stated datum counts before the file's own CRS. ``wgs84`` and ``cgcs2000`` name a datum, not a projection: where
    the file is projected, that stays. Shifted coordinates that a file has projected go back to degrees first.

    Parameters
    ----------
    frame
        A layer, with or without a CRS of its own.
    datum
        A name of `DATUMS`, ``EPSG:n``, a local system, or None for the file's own CRS.
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
        if named == "bd09mc":
            source = named  # Baidu's metres are taken for those of other web maps, and their files say so
        elif named in SHIFTED:
            plain = to_crs(plain, frame.crs, "EPSG:4326")
        else:
            source = frame.crs
    moved = to_crs(plain, source, crs)
    bare = frame.copy()
    bare[bare.geometry.name] = moved
    return bare.set_geometry(bare.geometry.name).set_crs(as_crs(crs), allow_override=True)
