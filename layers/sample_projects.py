"""Planning layers of the made-up city: parcels with controls, renewal projects, idle land and empty buildings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from .sample_blocks import Streets
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
ANQING = (
    ("港华路二期", 375, 91_200.0, OLD, (-0.15, -0.2)),
    ("东部新城滨江片一期", 866, 361_700.0, NEW, (0.7, 0.25)),
    ("华中东路北片", 381, 91_600.0, OLD, (0.25, -0.15)),
)
"""Households and floor area (m²) of three real projects of Yingjiang district, Anqing, about 2016; placed here at will."""

ANQING_REMARK = "户数与建筑面积为安庆市迎江区真实项目数据（约2016年），位置为虚构"


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
    code = np.array([FIXED[int(kind)] for kind in kinds[fixed]], dtype=object)
    empty = np.full((len(fixed), 4), np.nan)
    frame = pd.DataFrame(np.concatenate([table, empty]), columns=["far", "density", "height_m", "green_ratio"])
    frame.insert(0, "land_use_now", np.concatenate([now, code]))
    frame.insert(0, "land_use", np.concatenate([written, code]))
    frame.insert(0, "parcel_id", [f"P{number:06d}" for number in range(1, len(frame) + 1)])
    geometry = np.concatenate([lot_polygons(plan, streets, lots, every), cells[fixed]])
    return gpd.GeoDataFrame(frame, geometry=geometry, crs=CRS)


def _groups(lots: Lots) -> dict[str, Bools]:
    """Return which plots each kind of project may start from."""
    old_houses = lots.residential & (lots.year < 2003) & np.isin(lots.kind, (OLD, MIDDLE)) & (lots.use == USE["R2"])
    return {
        "棚户区改造": (lots.use == USE["R3"]) & np.isin(lots.kind, (CORE, OLD)),
        "城中村改造": (lots.use == USE["R3"]) & (lots.kind == VILLAGE),
        "老旧小区改造": old_houses,
        "历史文化街区": (lots.use == USE["R2"]) & (lots.kind == CORE),
        "旧厂区": np.isin(lots.use, (USE["M1"], USE["W1"])),
        "老旧街区": (lots.use == USE["B1"]) & np.isin(lots.kind, (CORE, OLD, MIDDLE)),
        "其他": (lots.use == USE["idle"]) & np.isin(lots.kind, (MIDDLE, NEW, INDUSTRY)),
    }


def _near(plan: Plan, streets: Streets, lots: Lots, kind: int, at: tuple[float, float], taken: Bools) -> int:
    """Return the free plot of housing of a kind nearest to a place relative to the city's half width."""
    middle = block_points(streets.blocks, lots.block, (lots.low + lots.high) / 2) / plan.half_m
    free = lots.residential & ~taken & (lots.kind == kind)
    free = free if free.any() else lots.residential & ~taken
    return int(np.argmin(np.where(free, np.hypot(middle[:, 0] - at[0], middle[:, 1] - at[1]), np.inf)))


def make_projects(
    plan: Plan, streets: Streets, lots: Lots, households: Floats, floor_area_m2: Floats, stems: NDArray[np.object_]
) -> gpd.GeoDataFrame:
    """Return renewal projects of every kind, way and stage, the three of Anqing first.

    Parameters
    ----------
    households, floor_area_m2
        float64[lots]: of each plot.
    stems
        Name of the compound or quarter of each plot.
    """
    rng = plan.random(10)
    taken = np.zeros(len(lots.block), dtype=np.bool_)
    rows: list[tuple[object, ...]] = []
    chosen: list[int] = []
    for number, (name, homes, floor, kind, at) in enumerate(ANQING):
        lot = _near(plan, streets, lots, kind, at, taken)
        taken[lot] = True
        chosen.append(lot)
        stage, year = STAGES[(8, 9, 8)[number]], 2016
        rows.append((name, "棚户区改造", "拆", stage, homes, floor, np.nan, np.nan, year, "国有", ANQING_REMARK))
    groups = _groups(lots)
    each = max(2, round(plan.people / 60_000))
    for kind_number, (kind_name, allowed) in enumerate(groups.items()):
        free = np.flatnonzero(allowed & ~taken)
        picked = rng.permutation(free)[: each + kind_number % 3]
        taken[picked] = True
        for place, lot in enumerate(picked.tolist()):
            way = WAYS_BY_KIND[kind_name][place % 3]
            stage = STAGES[(5 * kind_number + 7 * place) % len(STAGES)]
            homes, floor = households[lot], floor_area_m2[lot]
            grow = {"拆": 1.7, "改": 1.04, "留": 1.0}[way]
            after = round(homes * {"拆": 1.25, "改": 1.0, "留": 0.92}[way]) if homes else (220 if way == "拆" else 0)
            floor = (
                floor if floor > 0 else round(float(lots.size_m[lot].prod()) * (0.45 if kind_name != "其他" else 0.0))
            )
            floor_after = round(floor * grow) if floor else round(float(lots.size_m[lot].prod()) * 1.6)
            tenure = {"城中村改造": "集体", "旧厂区": "单位自管", "历史文化街区": "直管公房"}.get(kind_name, "国有")
            chosen.append(lot)
            rows.append(
                (
                    f"{stems[lot]}{ENDS[kind_name]}",
                    kind_name,
                    way,
                    stage,
                    homes,
                    floor,
                    after,
                    floor_after,
                    int(rng.integers(2021, 2028)),
                    tenure,
                    "",
                )
            )
    columns = [
        "name",
        "kind",
        "way",
        "stage",
        "households",
        "floor_area_m2",
        "households_after",
        "floor_area_after_m2",
        "year",
        "tenure",
        "remark",
    ]
    frame = pd.DataFrame(rows, columns=columns)
    frame.insert(0, "project_id", [f"X{number:04d}" for number in range(1, len(frame) + 1)])
    for column in ("households", "households_after"):
        frame[column] = frame[column].astype("Float64").astype("Int64")
    return gpd.GeoDataFrame(frame, geometry=lot_polygons(plan, streets, lots, np.array(chosen)), crs=CRS)


def make_land(plan: Plan, streets: Streets, lots: Lots, stems: NDArray[np.object_]) -> gpd.GeoDataFrame:
    """Return idle land, cleared sites and vacated factories as polygons: all or a corner of a plot."""
    rng = plan.random(11)
    planned = _planned(lots, plan.random(9))
    idle = (lots.use == USE["idle"]) & (rng.random(len(lots.use)) < 0.85)
    factory = (lots.use == USE["M1"]) & (rng.random(len(lots.use)) < 0.45)
    lot = np.flatnonzero(idle | factory)
    part = np.where(factory[lot, None], 1.0, rng.uniform(0.35, 1.0, (len(lot), 2)))
    square = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])[None] * part[:, None]
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
    frame = pd.DataFrame(
        {
            "site_id": [f"F{number:05d}" for number in range(1, wanted + 1)],
            "name": stems[lot] + np.where(public, "闲置公房", "闲置楼").astype(object),
            "kind": np.where(public, "国有房产", "空置建筑").astype(object),
            "area_m2": np.round(rng.uniform(200, 1500, wanted), 1),
            "floor_area_m2": np.round(260 + 2600 * rng.random(wanted) ** 2.2),
            "tenure": np.where(public, "公房", "单位自管").astype(object),
            "land_use": np.where(public, "R22", "B1").astype(object),
            "on_hold": rng.random(wanted) < 0.04,
        }
    )
    return gpd.GeoDataFrame(frame, geometry=shapely.points(place), crs=CRS)
