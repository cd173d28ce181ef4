"""Places where people live gathered by compound or by cell of a grid, so that a large study has fewer of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from .columns import labels
from .contracts import AGE_COLUMNS
from .study import Note

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .settings import PeopleSection

    Ints = NDArray[np.int64]

SUMMED = ("people", *AGE_COLUMNS, "households")
ZONES = ("ring_id", "district_id", "project_id")


def gather_places(
    points: gpd.GeoDataFrame, compound: Ints, settings: PeopleSection, notes: list[Note]
) -> tuple[gpd.GeoDataFrame, Ints]:
    """Return places gathered as ``[people] places`` says, and the neighbourhood of each.

    Places are put together only within one neighbourhood, ring, district and project, so that the totals of all of them
    stay to the person; by compound, a place outside compounds stays alone. A gathered place stands at the home nearest
    to the middle of its people: a place that is lived in, on its own side of every wall.

    Parameters
    ----------
    points
        Places with `SUMMED` (int64), `ZONES` and ``demand_id``.
    compound
        int64 [n], the neighbourhood of each place, -1 for none.
    settings
        ``[people]``.
    notes
        Gets how many were gathered.

    Returns
    -------
    tuple
        The places, in the order of the first of each, and int64 [k].

    Examples
    --------
    >>> from lifecircle.layers.settings import PeopleSection
    >>> rows = {"demand_id": ["D1", "D2", "D3"], **{name: [1, 2, 4] for name in SUMMED}, **dict.fromkeys(ZONES, "x")}
    >>> homes = gpd.GeoDataFrame(rows, geometry=gpd.points_from_xy([0, 10, 900], [0, 0, 0]), crs="EPSG:4547")
    >>> found, _ = gather_places(homes, np.array([-1, -1, -1]), PeopleSection(places="grid", grid_m=100), [])
    >>> found["people"].tolist(), found.geometry.x.tolist()
    ([3, 4], [10.0, 900.0])
    """
    if settings.places == "homes":
        return points, compound
    xy = shapely.get_coordinates(points.geometry.to_numpy())
    if settings.places == "grid":
        cell = np.floor(xy / settings.grid_m).astype(np.int64)
    else:
        alone = np.where(compound < 0, np.arange(len(points)), -1)
        cell = np.stack([alone, np.zeros_like(alone)], axis=1)
    codes = [pd.factorize(points[name])[0] for name in ZONES]
    group, count = _grouped(np.column_stack([compound, cell, *codes]))
    weight = np.maximum(points["people"].to_numpy(dtype=np.float64), 1e-9)
    mass = np.bincount(group, weight, minlength=count)
    middle = np.stack([np.bincount(group, weight * xy[:, axis], minlength=count) / mass for axis in (0, 1)], axis=1)
    away = np.hypot(*(xy - middle[group]).T)
    nearest = np.lexsort((np.arange(len(points)), away, group))
    home = nearest[np.searchsorted(group[nearest], np.arange(count))]
    sums = {
        name: np.bincount(group, points[name].to_numpy(dtype=np.int64), minlength=count).astype(np.int64)
        for name in SUMMED
    }
    chosen = points.iloc[home].reset_index(drop=True)
    ids = labels([f"D{number:06d}" for number in range(1, count + 1)])
    detail = {"before": len(points), "count": count, "metres": f"{settings.grid_m:g}"}
    notes.append(Note(f"demand.gathered_{settings.places}", detail))
    return gpd.GeoDataFrame(chosen.assign(demand_id=ids, **sums)), compound[home]


def _grouped(key: Ints) -> tuple[Ints, int]:
    """Return the group of each row, numbered by the first row of each key, and how many groups there are."""
    _, first, group = np.unique(key, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank[group.reshape(-1)], len(order)
