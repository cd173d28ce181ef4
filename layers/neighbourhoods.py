"""Neighbourhoods: the compounds of a study with what they hold, or cells of 400 m that stand for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from .columns import floats, labels, picked, texts
from .words import say
from .zones import zone_of

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from .study import Study

    Ints = NDArray[np.int64]

CELL_M = 400.0
"""Side of the cells that stand for compounds; aligned to its multiples in the working CRS."""

COLUMNS = (
    "compound_id",
    "name",
    "kind",
    "year_built",
    "households",
    "people",
    "elders_60",
    "floor_area_m2",
    "storeys",
    "tenure",
    "walled",
    "ring_id",
    "district_id",
)


def neighbourhoods_of(
    study: Study, points: gpd.GeoDataFrame, compound: Ints, rings: gpd.GeoDataFrame, area: BaseGeometry
) -> tuple[gpd.GeoDataFrame, Ints]:
    """Return the neighbourhoods with what they hold, and the row of each demand point in them.

    Parameters
    ----------
    study
        Its layer ``compounds``; without one a grid of cells stands for them, of which those with people are kept.
    points
        Demand points with ``people``, ``elders_60``, ``households``.
    compound
        int64 [n], row of each point in the layer ``compounds``, -1 for none.
    rings
        With ``ring_id``.
    area
        The study area; cells are cut to it, compounds count when their middle is in it.

    Returns
    -------
    tuple
        A frame of `COLUMNS`, and int64 [n], -1 for points in no neighbourhood.
    """
    compounds = study.layers.get("compounds")
    if compounds is not None and len(compounds):
        frame, row = _compounds(study, compounds, compound, area)
    else:
        frame, row = _cells(study, points, area)
    for column in ("people", "elders_60", "households"):
        values = points[column].to_numpy(dtype=np.int64)
        frame[column] = np.bincount(row[row >= 0], values[row >= 0], minlength=len(frame)).astype(np.int64)
    middle = np.asarray(shapely.point_on_surface(frame.geometry.to_numpy()), dtype=object)
    frame["ring_id"] = picked(rings, "ring_id", zone_of(middle, rings.geometry.to_numpy(), nearest=True))
    districts = study.layers.get("districts")
    if districts is None:
        frame["district_id"] = labels([""] * len(frame))
    else:
        frame["district_id"] = picked(districts, "district_id", zone_of(middle, districts.geometry.to_numpy()))
    return frame[[*COLUMNS, "geometry"]], row


def _compounds(
    study: Study, compounds: gpd.GeoDataFrame, compound: Ints, area: BaseGeometry
) -> tuple[gpd.GeoDataFrame, Ints]:
    """Return the compounds of the area with their own columns, and the row of each demand point."""
    outlines = compounds.geometry.to_numpy()
    shapely.prepare(area)
    inside = np.asarray(shapely.intersects(area, shapely.point_on_surface(outlines)), dtype=np.bool_)
    position = np.append(np.where(inside, np.cumsum(inside) - 1, -1), -1)
    kept = compounds[inside].reset_index(drop=True)
    language = study.settings.study.language
    given = texts(kept, "compound_id")
    ids = [own or f"C{row + 1}" for own, row in zip(given, np.flatnonzero(inside).tolist(), strict=True)]
    names = [
        name or say("demand.compound", language, number=own) for name, own in zip(texts(kept, "name"), ids, strict=True)
    ]
    walled = kept["walled"] if "walled" in kept.columns else pd.Series([None] * len(kept), dtype="boolean")
    columns: dict[str, object] = {
        "compound_id": labels(ids),
        "name": labels(names),
        "kind": labels(["compound"] * len(kept)),
        "year_built": pd.Series(floats(kept, "year_built")).astype("Int64"),
        "floor_area_m2": floats(kept, "floor_area_m2"),
        "storeys": pd.Series(np.round(floats(kept, "storeys"))).astype("Int64"),
        "tenure": labels(texts(kept, "tenure")),
        "walled": walled.astype("boolean"),
    }
    frame = gpd.GeoDataFrame(columns, geometry=outlines[inside], crs=study.crs)
    return frame, np.asarray(position[compound], dtype=np.int64)


def _cells(study: Study, points: gpd.GeoDataFrame, area: BaseGeometry) -> tuple[gpd.GeoDataFrame, Ints]:
    """Return the cells that hold demand, named by row from the north and column from the west, and each point's row."""
    xy = shapely.get_coordinates(points.geometry.to_numpy())
    cell = np.floor(xy / CELL_M).astype(np.int64)
    reading, row = np.unique(cell[:, ::-1] * (-1, 1), axis=0, return_inverse=True)  # from the north-west, row by row
    unique = reading[:, ::-1] * (1, -1)
    left, bottom, right, top = area.bounds
    north, west = int(np.ceil(top / CELL_M)) - 1, int(np.floor(left / CELL_M))
    rows, columns = north - unique[:, 1] + 1, unique[:, 0] - west + 1
    wide = max(2, len(str(max(north - int(np.floor(bottom / CELL_M)) + 1, int(np.ceil(right / CELL_M)) - west))))
    numbers = [f"{r:0{wide}d}-{c:0{wide}d}" for r, c in zip(rows.tolist(), columns.tolist(), strict=True)]
    corner = unique * CELL_M
    boxes = shapely.box(corner[:, 0], corner[:, 1], corner[:, 0] + CELL_M, corner[:, 1] + CELL_M)
    cut = np.asarray(shapely.intersection(boxes, area), dtype=object)
    whole = np.where(shapely.area(cut) > 0, cut, boxes)
    language = study.settings.study.language
    none = len(numbers)
    frame = gpd.GeoDataFrame(
        {
            "compound_id": labels([f"cell-{number}" for number in numbers]),
            "name": labels([say("demand.cell", language, number=number) for number in numbers]),
            "kind": labels(["cell"] * none),
            "year_built": pd.array([None] * none, "Int64"),
            "floor_area_m2": np.full(none, np.nan),
            "storeys": pd.array([None] * none, "Int64"),
            "tenure": labels([""] * none),
            "walled": pd.array([None] * none, "boolean"),
        },
        geometry=whole,
        crs=study.crs,
    )
    return frame, np.asarray(row.reshape(-1), dtype=np.int64)
