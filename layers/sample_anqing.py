"""The three real projects in the made-up city: figures of Anqing on made-up ground that can carry them."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from .sample_lots import block_points, lot_points
from .sample_plan import NEW, OLD

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .sample_blocks import Streets
    from .sample_lots import Lots
    from .sample_plan import Bools, Floats, Ints, Plan

ANQING = (
    ("港华路二期", 375, 91_200.0, OLD, (-0.15, -0.2)),
    ("东部新城滨江片一期", 866, 361_700.0, NEW, (0.7, 0.25)),
    ("华中东路北片", 381, 91_600.0, OLD, (0.25, -0.15)),
)
"""Households and floor area (m²) of three real projects of Yingjiang district, Anqing, about 2016; places made up."""

ANQING_REMARK = "户数与建筑面积为安庆市迎江区真实项目数据（约2016年），位置为虚构"

PERSONS = 2.6
"""Persons in a household of these projects, for the choice of their ground."""

FAR_MOST = 2.8
"""Floor-area ratio that their ground is chosen for, at most."""

PEOPLE_OFF = 0.1
"""Share by which people who live on the ground may differ from households times `PERSONS`."""

LOTS_MOST = 24
"""Plots of one project at most."""

JOINED_M = 20.0
"""Half the widest street between two plots of one project."""


def real_grounds(
    plan: Plan, streets: Streets, lots: Lots, people: Floats, taken: NDArray[np.object_]
) -> NDArray[np.object_]:
    """Return polygons for the three projects: neighbouring plots that hold their people and their floor area.

    From each plot of the wanted kind, nearest to the wanted place first, neighbouring plots of the same superblock
    (where that never fits, of any) are added by distance until people fit households times `PERSONS` within
    `PEOPLE_OFF` and the floor-area ratio is at most `FAR_MOST`. Where no plot of a small town leads there, the ground
    that comes nearest is taken.

    Parameters
    ----------
    people
        float64 [plots], who live on each plot.
    taken
        Polygons of the other projects; plots that touch one are left out.
    """
    every = np.arange(len(lots.block))
    square = np.broadcast_to(np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]), (len(every), 4, 2))
    plots = np.asarray(shapely.polygons(plan.warp(lot_points(streets, lots, every, square))), dtype=object)
    free = np.ones(len(every), dtype=np.bool_)
    free[shapely.STRtree(plots).query(taken, predicate="intersects")[1]] = False
    middle = block_points(streets.blocks, lots.block, (lots.low + lots.high) / 2)
    cell = streets.blocks.cell[lots.block]
    flat = cell[:, 0] * plan.kind.shape[1] + cell[:, 1]
    found = []
    for _, households, floor_m2, kind, at in ANQING:
        away = np.hypot(*(middle - np.array(at) * plan.half_m).T)
        starts = _starts(lots, kind, away, free)
        chosen = _grow(starts, flat, middle, plots, np.where(free, people, np.nan), households * PERSONS, floor_m2)
        free[chosen] = False
        found.append(_joined(plots[chosen]))
    return np.array(found, dtype=object)


def _starts(lots: Lots, kind: int, away: Floats, free: Bools) -> Ints:
    """Return the free plots of housing, those of the kind first, nearest first."""
    order = np.lexsort([away, lots.kind != kind])
    return np.asarray(order[(free & lots.residential)[order]], dtype=np.int64)


def _grow(
    starts: Ints,
    cell: Ints,
    middle: Floats,
    plots: NDArray[np.object_],
    people: Floats,
    wanted: float,
    floor_m2: float,
) -> Ints:
    """Return the plots of the first group that fits, else of the one that comes nearest; NaN people: not free."""
    area = shapely.area(plots)
    best, least = starts[:1], np.inf
    free = np.isfinite(people)
    for wide, start in itertools.product((False, True), starts.tolist()):
        near = np.flatnonzero(free if wide else free & (cell == cell[start]))
        near = near[np.argsort(np.hypot(*(middle[near] - middle[start]).T), kind="stable")][:LOTS_MOST]
        people_off = np.abs(np.cumsum(people[near]) / wanted - 1)
        tight = floor_m2 / (FAR_MOST * np.cumsum(area[near])) - 1
        miss = np.maximum(people_off - PEOPLE_OFF, 0) + np.maximum(tight, 0)
        for count in np.flatnonzero(miss < least) + 1:
            if miss[count - 1] < least and isinstance(_joined(plots[near[:count]]), shapely.Polygon):
                best, least = near[:count], float(miss[count - 1])
        if least == 0:
            break
    return np.asarray(best, dtype=np.int64)


def _joined(plots: NDArray[np.object_]) -> shapely.Geometry:
    """Return plots as one polygon with the lanes between them; several polygons where a wide street parts them."""
    grown = shapely.buffer(shapely.union_all(plots), JOINED_M, join_style="mitre")
    return shapely.make_valid(shapely.buffer(grown, -JOINED_M, join_style="mitre"))


def real_projects() -> pd.DataFrame:
    """Return the three projects with their real figures; what is not published stays unknown."""
    return pd.DataFrame(
        {
            "name": [row[0] for row in ANQING],
            "kind": "棚户区改造",
            "way": "拆",
            "stage": ["净地", "在建", "净地"],
            "households": [float(row[1]) for row in ANQING],
            "floor_area_m2": [row[2] for row in ANQING],
            "households_after": np.nan,
            "floor_area_after_m2": np.nan,
            "planned_use": None,
            "height_after_m": np.nan,
            "year": 2016,
            "tenure": "国有",
            "remark": ANQING_REMARK,
        }
    )
