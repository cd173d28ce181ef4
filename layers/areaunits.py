"""Columns of areas held against the ground: which unit they are really in, where that is not the one they say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from ..gis.crs import as_crs, to_crs
from ..gis.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from .gather import Row

SIZES_M2: dict[str, float] = {"m²": 1.0, "mu (亩)": 2000 / 3, "ha": 1e4, "km²": 1e6}
"""Units of area, each with its square metres."""

DEGREES, MERCATOR = "deg²", "m² in EPSG:3857"
METRES_A_DEGREE = 111_320.0

FITS = 1.25
"""Stated and measured area may differ by this factor and still be the same area: plots are drawn roughly."""

CLOSE = 1.05
"""The same for Web Mercator, whose square metres are near the true ones and exact."""

ALIKE_SHARE = 0.7
"""Share of a column's rows that must agree on one unit before it is named."""

FLOOR_LEAST, FLOOR_MOST = 0.1, 25.0
"""Floor area over ground, from a yard with a hut to the densest towers."""

_GROUND = ("area_m2", "land_area_m2")
_AREA = re.compile("area|面积|mianji", re.IGNORECASE)
_NOT_GROUND = re.compile("floor|build|建筑|房屋|套|人均|户均|rea_code|代码|编号|name|名称", re.IGNORECASE)
_SAID: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile("km2|km²|km\\^2|sqkm|平方公里|平方千米", re.IGNORECASE), "km²"),
    (re.compile("公顷|hectare|万平|万m|(?:^|[_(（\\s])ha(?:$|[_)）\\s])", re.IGNORECASE), "ha"),
    (re.compile("亩|(?:^|[_(（\\s])mu(?:$|[_)）\\s])", re.IGNORECASE), "mu (亩)"),
    (re.compile("m2|m²|sqm|㎡|平方米|平米", re.IGNORECASE), "m²"),
)


def stated_unit(column: str) -> str | None:
    """Return the unit of area that the name of a column states.

    Examples
    --------
    >>> stated_unit("area_km2"), stated_unit("用地面积（公顷）"), stated_unit("面积_亩"), stated_unit("面积")
    ('km²', 'ha', 'mu (亩)', None)
    """
    return next((unit for pattern, unit in _SAID if pattern.search(column)), None)


def area_unit_faults(layers: Mapping[str, gpd.GeoDataFrame], rows: Sequence[Row]) -> list[Fault]:
    """Return a warning for each column of areas whose figures are in another unit than it says.

    Where most rows of a column have the same ratio to the area of their polygons, that ratio tells the unit: square
    metres, mu, hectares, square kilometres, square degrees (areas taken without a projection) or the square metres of
    Web Mercator. A column without a unit in its name is held to be in m² where the product reads it so.

    Parameters
    ----------
    layers
        Checked layers in metres.
    rows
        The files they came from.

    Examples
    --------
    >>> import geopandas as gpd
    >>> import shapely
    >>> plots = [shapely.box(500_000 + x, 4_057_000, 500_050 + x, 4_057_000 + x) for x in (100, 200, 300)]
    >>> land = gpd.GeoDataFrame({"area_m2": [7.5, 15.0, 22.5]}, geometry=plots, crs="EPSG:4548")
    >>> [fault.detail["likely"] for fault in area_unit_faults({"land": land}, ())]
    ['mu (亩)']
    """
    by_layer = {row.layer: row for row in rows}
    faults = []
    for layer, frame in layers.items():
        ground = np.asarray(frame.geometry.area, dtype=np.float64)
        if not (ground > 0).any():
            continue
        row = by_layer.get(layer)
        for column, called, expected in _columns(frame, row):
            values = pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype="float64", na_value=np.nan)
            usable = (values > 0) & (ground > 1.0)
            if not usable.any():
                continue
            likely = _likely(values[usable] / ground[usable], _ratios(frame, expected))
            if likely is None or likely == expected or (expected is None and likely not in (DEGREES, MERCATOR)):
                continue
            detail = {"stated": expected or "m²", "likely": likely}
            file = None if row is None else row.file
            faults.append(Fault("files.area_unit", file, layer, column=called, detail=detail, blocks=False))
        faults += _floor_faults(layer, frame, ground, row)
    return faults


def _columns(frame: gpd.GeoDataFrame, row: Row | None) -> Iterator[tuple[str, str, str | None]]:
    """Yield the columns of ground area with what the file calls them and the unit they should be in."""
    product = {} if row is None else dict(row.columns)
    for column in map(str, frame.columns):
        called = product.get(column, column)
        if column in _GROUND:
            yield column, called, "m²"
        elif column != frame.geometry.name and column not in product and _is_ground(column):
            yield column, called, stated_unit(column)


def _is_ground(column: str) -> bool:
    """Tell whether the name of a column is one of an area of ground; the product's own have been seen to."""
    return bool(_AREA.search(column)) and not _NOT_GROUND.search(column) and not column.endswith("_m2")


def _ratios(frame: gpd.GeoDataFrame, expected: str | None) -> dict[str, float]:
    """Return for each unit the figure that one square metre of ground has in it, at the latitude of a layer."""
    west, south, east, north = frame.total_bounds
    centre = ((west + east) / 2, (south + north) / 2)
    shape = to_crs(np.array([shapely.Point(centre)], dtype=object), as_crs(frame.crs), "EPSG:4326")
    shrink = float(np.cos(np.deg2rad(shapely.get_y(shape)[0])))
    ratios = {unit: 1 / size for unit, size in SIZES_M2.items()}
    ratios[DEGREES] = 1 / (METRES_A_DEGREE**2 * shrink)
    if expected in SIZES_M2 and expected != "m²":  # degrees taken for metres, then turned into the unit
        ratios[f"{DEGREES} → {expected}"] = ratios[DEGREES] / SIZES_M2[expected]
    if 1 / shrink**2 > FITS:
        ratios[MERCATOR] = 1 / shrink**2
    return ratios


def _likely(ratio: NDArray[np.float64], units: Mapping[str, float]) -> str | None:
    """Return the unit on which most rows agree; None where they do not."""
    names = list(units)
    away = np.abs(np.log(ratio)[:, None] - np.log(np.array([units[name] for name in names]))[None, :])
    nearest = away.argmin(axis=1)
    fits = np.log([CLOSE if name == MERCATOR else FITS for name in names])
    close = away[np.arange(len(ratio)), nearest] <= fits[nearest]
    counts = np.bincount(nearest[close], minlength=len(names))
    best = int(counts.argmax())
    return names[best] if counts[best] >= ALIKE_SHARE * len(ratio) else None


def _floor_faults(layer: str, frame: gpd.GeoDataFrame, ground: NDArray[np.float64], row: Row | None) -> list[Fault]:
    """Return a warning where floor areas are so small for their ground that they must be in 10,000 m²."""
    if "floor_area_m2" not in frame.columns or layer == "facilities":
        return []
    floor = pd.to_numeric(frame["floor_area_m2"], errors="coerce").to_numpy(dtype="float64", na_value=np.nan)
    usable = (floor > 0) & (ground > 1.0)
    if not usable.any():
        return []
    middle = float(np.median(floor[usable] / ground[usable])) * SIZES_M2["ha"]
    if not FLOOR_LEAST <= middle <= FLOOR_MOST:
        return []
    called = "floor_area_m2" if row is None else row.columns.get("floor_area_m2", "floor_area_m2")
    detail = {"stated": "m²", "likely": "10⁴ m² (万平方米)"}
    return [
        Fault("files.area_unit", None if row is None else row.file, layer, column=called, detail=detail, blocks=False)
    ]
