"""Planning layers of the made-up city: parcels with controls, renewal projects, idle land and empty buildings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from .sample_anqing import real_grounds, real_projects
from .sample_lots import USE, USES, Lots, block_points, lot_points
from .sample_plan import (
    CORE,
    CRS,
    EXPRESSWAY,
    FIELD,
    HILL,
    INDUSTRY,
    MIDDLE,
    NEW,
    OLD,
    RAIL,
    RIVER,
    VILLAGE,
    Bools,
    Floats,
    Ints,
    Plan,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .sample_blocks import Streets

CONTROLS = {
    "R": (1.9, 0.28, 54.0, 0.32),
    "A": (1.1, 0.30, 24.0, 0.35),
    "B": (2.6, 0.48, 60.0, 0.20),
    "M": (1.2, 0.45, 24.0, 0.15),
    "W": (0.9, 0.45, 20.0, 0.15),
    "S": (0.4, 0.20, 12.0, 0.15),
    "U": (0.6, 0.30, 15.0, 0.25),
    "G": (0.05, 0.03, 9.0, 0.75),
}
"""Floor-area ratio, building density, height limit (m), green ratio of a parcel by first letter of its planned use."""

DIRTY = {
    "R2": ("r2", "Ｒ２", "R2/B1", "二类居住用地", "R22", " R2 ", "R2、B1"),
    "A33": ("a33", "中小学用地", "A33 ", "R22"),
    "B1": ("b1", "商业用地", "B1/B2", "C2", "Ｂ１"),
    "G1": ("g1", "公园绿地"),
    "M1": ("m1", "一类工业用地"),
}
"""How codes stand in real files."""

FIXED = {FIELD: "E2", HILL: "E2", RIVER: "E1", RAIL: "H21", EXPRESSWAY: "S1"}

WAYS_BY_KIND = {
    "棚户区改造": ("拆", "拆", "改"),
    "城中村改造": ("拆", "改", "拆"),
    "老旧小区改造": ("改", "改", "留"),
    "历史文化街区": ("留", "改", "留"),
    "旧厂区": ("改", "拆", "改"),
    "老旧街区": ("改", "留", "改"),
    "其他": ("拆", "改", "留"),
}
STAGES = ("储备", "摸底", "认定", "评估", "公示", "签约", "搬迁", "拆除", "净地", "在建", "竣工", "回迁")
ENDS = {
    "棚户区改造": "棚户区改造项目",
    "城中村改造": "城中村改造项目",
    "老旧小区改造": "老旧小区改造项目",
    "历史文化街区": "历史街区保护更新项目",
    "旧厂区": "老厂区转型项目",
    "老旧街区": "老旧街区更新项目",
    "其他": "低效用地再开发项目",
}
WIDE = ("城中村改造", "历史文化街区")
"""Kinds that take a whole quarter rather than one plot."""

PLANNED_USES = {
    "棚户区改造": ("R2", "二类居住用地"),
    "城中村改造": ("R2 80%/B1 20%", "R2"),
    "老旧小区改造": ("R2", "ｒ２"),
    "旧厂区": ("B2", "R2", "A6"),
    "老旧街区": ("B1", "R2/B1"),
}
"""Planned uses of projects by kind, in turn; the other kinds state none."""
TALL_M = 66.0
"""Planned height of one project, above what its zone allows."""

TENURE_BY_KIND = {"城中村改造": "集体", "旧厂区": "单位自管", "历史文化街区": "直管公房"}


def lot_polygons(plan: Plan, streets: Streets, lots: Lots, lot: Ints) -> NDArray[np.object_]:
    """Return plots on the ground as quadrilaterals."""
    square = np.broadcast_to(np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]), (len(lot), 4, 2))
    return np.asarray(shapely.polygons(plan.warp(lot_points(streets, lots, lot, square))), dtype=object)


def _planned(lots: Lots, rng: np.random.Generator) -> NDArray[np.object_]:
    """Return the planned use of each plot: idle land, old factories in town and poor housing get another one."""
    codes = np.array(USES, dtype=object)[lots.use]
    chance = rng.random(len(codes))
    idle = lots.use == USE["idle"]
    codes[idle] = np.array(["R2", "B1", "R22", "A6", "G1", "A33", "B2", "A51"], dtype=object)[
        np.searchsorted([0.34, 0.50, 0.62, 0.70, 0.80, 0.88, 0.96], chance[idle], side="right")
    ]
    in_town = np.isin(lots.use, (USE["M1"], USE["W1"])) & np.isin(lots.kind, (OLD, MIDDLE))
    codes[in_town] = np.where(chance[in_town] < 0.5, "B2", "R2")
    codes[(lots.use == USE["R3"]) & (chance < 0.8)] = "R2"
    return codes


def make_parcels(plan: Plan, streets: Streets, lots: Lots, cells: NDArray[np.object_]) -> gpd.GeoDataFrame:
    """Return the zoning layer: a parcel for each plot, and for fields, hills, water, railways and expressways."""
    rng = plan.random(9)
    every = np.arange(len(lots.block))
    planned = _planned(lots, rng)
    now = np.array(USES, dtype=object)[lots.use]
    now[lots.use == USE["idle"]] = "空闲地"
    letter = planned.astype("U1")
    control = np.array([CONTROLS[key] for key in letter])
    far = (
        control[:, 0] * np.where((letter == "R") & (lots.kind == CORE), 0.45, 1.0) * rng.uniform(0.75, 1.3, len(letter))
    )
    height = np.where(lots.kind == CORE, np.minimum(control[:, 2], 12.0), control[:, 2])
    table = np.column_stack([np.round(far, 1), np.round(control[:, 1], 2), height, np.round(control[:, 3], 2)])
    table[rng.random(len(table)) < 0.03] = np.nan
    written = planned.copy()
    for code, forms in DIRTY.items():
        here = np.flatnonzero((planned == code) & (rng.random(len(planned)) < 0.035))
        written[here] = np.array(forms, dtype=object)[np.arange(len(here)) % len(forms)]
    kinds = plan.kind.ravel()
    fixed = np.flatnonzero(np.isin(kinds, list(FIXED)))
    codes = np.array([FIXED[int(kind)] for kind in kinds[fixed]], dtype=object)
    codes[(kinds[fixed] == EXPRESSWAY) & ~_carries_expressway(plan).ravel()[fixed]] = "G2"
    empty = np.full((len(fixed), 4), np.nan)
    frame = pd.DataFrame(np.concatenate([table, empty]), columns=["far", "density", "height_m", "green_ratio"])
    frame.insert(0, "land_use_now", np.concatenate([now, codes]))
    frame.insert(0, "land_use", np.concatenate([written, codes]))
    frame.insert(0, "parcel_id", [f"P{number:06d}" for number in range(1, len(frame) + 1)])
    geometry = np.concatenate([lot_polygons(plan, streets, lots, every), cells[fixed]])
    return gpd.GeoDataFrame(frame, geometry=geometry, crs=CRS)


def _carries_expressway(plan: Plan) -> Bools:
    """Return which cells of the expressway strips carry it; beyond the ring they are belts of trees."""
    columns, rows = np.flatnonzero(plan.column_strip == EXPRESSWAY), np.flatnonzero(plan.row_strip == EXPRESSWAY)
    carries = np.zeros(plan.kind.shape, dtype=np.bool_)
    carries[columns[0] : columns[1] + 1, rows[0] : rows[1] + 1] = True
    return carries


def _groups(lots: Lots) -> dict[str, Bools]:
    """Return which plots each kind of project may start from."""
    old_houses = lots.residential & (lots.year < 2003) & np.isin(lots.kind, (OLD, MIDDLE)) & (lots.use == USE["R2"])
    return {
        "城中村改造": (lots.use == USE["R3"]) & (lots.kind == VILLAGE),
        "历史文化街区": lots.residential & (lots.kind == CORE),
        "棚户区改造": (lots.use == USE["R3"]) & np.isin(lots.kind, (CORE, OLD)),
        "老旧小区改造": old_houses,
        "旧厂区": np.isin(lots.use, (USE["M1"], USE["W1"])),
        "老旧街区": (lots.use == USE["B1"]) & np.isin(lots.kind, (CORE, OLD, MIDDLE)),
        "其他": (lots.use == USE["idle"]) & np.isin(lots.kind, (MIDDLE, NEW, INDUSTRY)),
    }


@dataclass(frozen=True, slots=True)
class _Site:
    """Ground of one project: kind, the plot that gives it its name, and its polygon."""

    kind: str
    lot: int
    polygon: shapely.Polygon


def _quarter(plan: Plan, streets: Streets, lots: Lots, lot: int, part: tuple[float, float]) -> shapely.Polygon:
    """Return a part of the superblock around a plot, from one share of its depth to another."""
    i, j = streets.blocks.cell[lots.block[lot]]
    corner = plan.corner[[i, i + 1, i + 1, i], [j, j, j + 1, j + 1]]
    share = np.array([[0.05, part[0]], [0.95, part[0]], [0.95, part[1]], [0.05, part[1]]])
    a, b = share[:, :1], share[:, 1:]
    points = (1 - a) * (1 - b) * corner[0] + a * (1 - b) * corner[1] + a * b * corner[2] + (1 - a) * b * corner[3]
    return shapely.Polygon(plan.warp(points))


def _sites(plan: Plan, streets: Streets, lots: Lots, rng: np.random.Generator) -> list[_Site]:
    """Return the ground of all projects but the real ones: whole villages, quarters of the old town, single plots."""
    cell = streets.blocks.cell[lots.block]
    flat = cell[:, 0] * plan.kind.shape[1] + cell[:, 1]
    taken = np.zeros(len(lots.block), dtype=np.bool_)
    each = max(3, round(plan.people / 60_000))
    found: list[_Site] = []
    for number, (kind, allowed) in enumerate(_groups(lots).items()):
        choices = (allowed & ~taken, ~lots.residential & ~taken, ~taken)  # a tiny town may lack the right kind
        free = rng.permutation(np.flatnonzero(next(choice for choice in choices if choice.any())))
        wide = kind in WIDE
        if wide:
            free = free[np.unique(flat[free], return_index=True)[1]]
        for place, lot in enumerate(free[: each + number % 3].tolist()):
            low = 0.05 if kind == "城中村改造" else (0.05, 0.36, 0.67)[place % 3]
            polygon = (
                _quarter(plan, streets, lots, lot, (low, 0.95 if kind == "城中村改造" else low + 0.28))
                if wide
                else lot_polygons(plan, streets, lots, np.array([lot]))[0]
            )
            taken |= (flat == flat[lot]) if wide else (np.arange(len(taken)) == lot)
            found.append(_Site(kind, lot, polygon))
    return found


def _sums(geometry: NDArray[np.object_], centres: Floats, values: Floats) -> Floats:
    """Return sums of values (k, plots) over the plots whose centres lie in each polygon."""
    polygon, plot = shapely.STRtree(np.asarray(shapely.points(centres), dtype=object)).query(
        geometry, predicate="intersects"
    )
    return np.stack([np.bincount(polygon, weights=row[plot], minlength=len(geometry)) for row in values])


def _after(way: NDArray[np.object_], households: Floats, floor: Floats, area: Floats) -> tuple[Floats, Floats]:
    """Return households and floor area when the projects are done, by way of renewal."""
    rules = [way == "拆", way == "改"]
    homes = np.round(households * np.select(rules, [1.25, 1.0], 0.92))
    homes = np.where((way == "拆") & (households == 0), np.round(area / 90), homes).astype(np.float64)
    return homes, np.round(np.where(floor > 0, floor * np.select(rules, [1.7, 1.04], 1.0), area * 1.6)).astype(
        np.float64
    )


def make_projects(
    plan: Plan, streets: Streets, lots: Lots, by_lot: Floats, stems: NDArray[np.object_]
) -> gpd.GeoDataFrame:
    """Return renewal projects of every kind, way and stage, the three of Anqing first.

    Parameters
    ----------
    by_lot
        float64[3, lots]: people, households and floor area (m²) of each plot.
    stems
        Name of the compound or quarter of each plot.
    """
    rng = plan.random(10)
    sites = _sites(plan, streets, lots, rng)
    geometry = np.array([site.polygon for site in sites], dtype=object)
    centres = plan.warp(block_points(streets.blocks, lots.block, (lots.low + lots.high) / 2))
    homes, floor = _sums(geometry, centres, by_lot[1:])
    area = shapely.area(geometry)
    kinds = np.array([site.kind for site in sites], dtype=object)
    floor = np.where((floor == 0) & (kinds != "其他"), np.round(0.45 * area), floor)
    place = np.arange(len(sites))
    way = np.array([WAYS_BY_KIND[kind][number % 3] for number, kind in enumerate(kinds)], dtype=object)
    homes_after, floor_after = _after(way, homes, floor, area)
    names = [_project_name(site, stems) for site in sites]
    frame = pd.DataFrame(
        {
            "name": names,
            "kind": kinds,
            "way": way,
            "stage": np.array(STAGES, dtype=object)[(5 * place + 3) % len(STAGES)],
            "households": homes,
            "floor_area_m2": floor,
            "households_after": homes_after,
            "floor_area_after_m2": floor_after,
            "year": rng.integers(2021, 2028, len(sites)),
            "tenure": [TENURE_BY_KIND.get(kind, "国有") for kind in kinds],
            "planned_use": _stated_uses(kinds),
            "height_after_m": _heights(kinds, way, floor_after, area),
            "remark": "",
        }
    )
    frame = pd.concat([real_projects(), frame], ignore_index=True)
    frame.insert(0, "project_id", [f"X{number:04d}" for number in range(1, len(frame) + 1)])
    for column in ("households", "households_after"):
        frame[column] = frame[column].astype("Float64").astype("Int64")
    every = np.concatenate([real_grounds(plan, streets, lots, by_lot[0], geometry), geometry])
    return gpd.GeoDataFrame(frame, geometry=every, crs=CRS)


def _stated_uses(kinds: NDArray[np.object_]) -> list[str | None]:
    """Return the planned use that each project states, as planners write it."""
    counted = dict.fromkeys(PLANNED_USES, -1)
    stated: list[str | None] = []
    for kind in kinds.tolist():
        if kind in PLANNED_USES:
            counted[kind] += 1
            stated.append(PLANNED_USES[kind][counted[kind] % len(PLANNED_USES[kind])])
        else:
            stated.append(None)
    return stated


def _heights(kinds: NDArray[np.object_], way: NDArray[np.object_], floor_after: Floats, area: Floats) -> Floats:
    """Return the planned height of what is built anew on a quarter of its ground; one project stands too tall."""
    storeys = np.ceil(floor_after / (0.25 * area))
    height = np.where(way == "拆", 3.0 * storeys, np.nan)
    tall = np.flatnonzero((kinds == "棚户区改造") & (way == "拆"))[:1]
    height[tall] = TALL_M
    return height.astype(np.float64)


def _project_name(site: _Site, stems: NDArray[np.object_]) -> str:
    """Return a project's name; a village's own name is that of its first houses without their number."""
    stem = str(stems[site.lot])
    return (stem.rstrip("区").rstrip("0123456789") if site.kind in WIDE else stem) + ENDS[site.kind]


def make_land(plan: Plan, streets: Streets, lots: Lots, stems: NDArray[np.object_]) -> gpd.GeoDataFrame:
    """Return idle land, cleared sites and vacated factories as polygons: all or a corner of a plot."""
    rng = plan.random(11)
    planned = _planned(lots, plan.random(9))
    idle = (lots.use == USE["idle"]) & (rng.random(len(lots.use)) < 0.85)
    factory = (lots.use == USE["M1"]) & (rng.random(len(lots.use)) < 0.45)
    lot = np.flatnonzero(idle | factory)
    part = np.where(factory[lot, None], 1.0, rng.uniform(0.35, 1.0, (len(lot), 2)))
    square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])[None] * part[:, None]
    # Some of it lies behind other plots: no side of it faces a street.
    behind = ~factory[lot] & (plan.random(23).random(len(lot)) < 0.08)
    square[behind] = np.array([[0.15, 0.38], [0.85, 0.38], [0.85, 0.62], [0.15, 0.62]])
    geometry = shapely.polygons(plan.warp(lot_points(streets, lots, lot, square)))
    area = shapely.area(geometry)
    kind = np.where(factory[lot], "腾退厂房", np.where(rng.random(len(lot)) < 0.3, "拆违空地", "闲置用地"))
    ends = {"腾退厂房": "老厂房", "拆违空地": "拆违地块", "闲置用地": "闲置地块"}
    floor = np.where(factory[lot], np.round(area * rng.uniform(0.4, 0.8, len(lot))), np.nan)
    tenure = np.array(["国有", "集体", "单位自管"], dtype=object)[
        np.where(factory[lot], 2, (lots.kind[lot] == VILLAGE).astype(int))
    ]
    frame = pd.DataFrame(
        {
            "site_id": [f"L{number:05d}" for number in range(1, len(lot) + 1)],
            "name": [f"{stem}{ends[str(what)]}" for stem, what in zip(stems[lot], kind, strict=True)],
            "kind": kind.astype(object),
            "area_m2": np.round(area, 1),
            "floor_area_m2": floor,
            "tenure": tenure,
            "land_use": planned[lot],
            "on_hold": rng.random(len(lot)) < 0.06,
        }
    )
    return gpd.GeoDataFrame(frame, geometry=geometry, crs=CRS)


def make_buildings_to_let(plan: Plan, streets: Streets, lots: Lots, stems: NDArray[np.object_]) -> gpd.GeoDataFrame:
    """Return public buildings and empty buildings that may take a facility, as points, mostly in the old town."""
    rng = plan.random(12)
    weight = np.select(
        [lots.kind == CORE, lots.kind == OLD, lots.kind == MIDDLE, lots.kind == NEW], [1.5, 2.5, 1.6, 0.8], 0.4
    )
    wanted = min(len(weight), max(12, round(plan.people / 4000)))
    lot = np.sort(rng.choice(len(weight), wanted, replace=False, p=weight / weight.sum()))
    across, upper = rng.uniform(0.1, 0.9, wanted), rng.random(wanted) < 0.5
    a = lots.low[lot, 0] + (lots.high[lot, 0] - lots.low[lot, 0]) * across
    b = np.where(upper, lots.high[lot, 1] + 0.3 * (1 - lots.high[lot, 1]), 0.7 * lots.low[lot, 1])
    place = plan.warp(block_points(streets.blocks, lots.block[lot], np.stack([a, b], axis=1)))
    public = rng.random(wanted) < 0.55
    others = plan.random(24).random((2, wanted))
    area, floor = np.round(rng.uniform(200, 1500, wanted), 1), np.round(260 + 2600 * rng.random(wanted) ** 2.2)
    frame = pd.DataFrame(
        {
            "site_id": [f"F{number:05d}" for number in range(1, wanted + 1)],
            "name": stems[lot] + np.where(public, "闲置公房", "闲置楼").astype(object),
            "kind": np.where(public, "国有房产", "空置建筑").astype(object),
            "area_m2": area,
            "floor_area_m2": np.where(~public & (others[1] < 0.06), np.nan, floor),
            "tenure": np.select([public, others[0] < 0.15], ["公房", "私有"], "单位自管").astype(object),
            "land_use": np.where(public, "R22", "B1").astype(object),
            "on_hold": rng.random(wanted) < 0.04,
        }
    )
    return gpd.GeoDataFrame(frame, geometry=shapely.points(place), crs=CRS)
