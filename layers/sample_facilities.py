"""Facilities of the made-up city: classes, number, place, size; dense and old in the middle, few in new districts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from .sample_lots import RESIDENTIAL_USES, USE, Lots, block_points, lot_points
from .sample_plan import CORE, MIDDLE, NEW, OLD, VILLAGE, Floats, Ints, Plan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .sample_blocks import Streets

EVEN = (1.0, 1.0, 1.0, 1.0, 1.0)
DENSER_INSIDE = (1.3, 1.35, 1.0, 0.45, 0.4)
"""Supply per resident in core, old city, middle, new districts, villages."""


@dataclass(frozen=True, slots=True)
class Supply:
    """How one class is provided.

    Parameters
    ----------
    zh
        The class as the planner's list calls it.
    short
        What its names end in.
    people
        Residents per facility.
    zones
        Supply in core, old city, middle, new districts, villages, relative.
    capacity, floor_m2, land_m2
        Smallest and largest; ``None`` where the class has none.
    uses
        Present uses of plots that carry it; empty for shops and rooms along streets beside housing.
    inside
        Share that lies inside compounds, behind the wall.
    """

    zh: str
    short: str
    people: float
    zones: tuple[float, ...] = EVEN
    capacity: tuple[float, float] | None = None
    floor_m2: tuple[float, float] | None = None
    land_m2: tuple[float, float] | None = None
    uses: tuple[str, ...] = ()
    inside: float = 0.0


SUPPLY: dict[str, Supply] = {
    "elderly_day_care": Supply(
        "老年人日间照料中心", "日间照料中心", 2_600, (0.75, 1.5, 1.1, 0.5, 0.2), (15, 60), (260, 900), None, (), 0.2
    ),
    "elderly_home": Supply(
        "养老院", "养老院", 30_000, (0.8, 1.4, 1.1, 0.5, 0.2), (80, 320), (3600, 12_000), (3000, 9000), ("A6", "R2")
    ),
    "nursing_care_home": Supply(
        "老年养护院", "养护院", 110_000, DENSER_INSIDE, (100, 260), (3500, 9000), (2000, 6000), ("A6", "A5")
    ),
    "food_market": Supply(
        "菜市场", "菜市场", 4_400, (0.8, 1.5, 1.05, 0.5, 0.7), (40, 160), (800, 3200), None, ("B1", "R2", "R3")
    ),
    "community_health_station": Supply(
        "社区卫生服务站", "卫生服务站", 3_300, DENSER_INSIDE, None, (110, 320), None, (), 0.1
    ),
    "community_health_centre": Supply(
        "社区卫生服务中心",
        "社区卫生服务中心",
        24_000,
        DENSER_INSIDE,
        (20, 90),
        (1500, 4200),
        (1500, 4000),
        ("A5", "R2"),
    ),
    "outpatient": Supply("门诊部", "门诊部", 20_000, DENSER_INSIDE, None, (300, 1500)),
    "kindergarten": Supply(
        "幼儿园", "幼儿园", 3_000, (0.8, 1.2, 1.15, 0.8, 0.5), (120, 420), (1800, 4800), (2500, 7500), (), 0.45
    ),
    "nursery": Supply("托儿所", "托育园", 14_000, (0.5, 1.1, 1.2, 0.8, 0.2), (20, 90), (200, 700)),
    "primary_school": Supply(
        "小学", "小学", 3_600, (1.1, 1.2, 1.0, 0.7, 0.5), (540, 1900), (5000, 16_000), (9000, 30_000), ("A33",)
    ),
    "junior_middle_school": Supply(
        "初中", "初级中学", 17_000, DENSER_INSIDE, (600, 2400), (8000, 20_000), (14_000, 42_000), ("A33",)
    ),
    "community_service_station": Supply(
        "社区服务站", "社区服务站", 2_900, (1.3, 1.3, 1.0, 0.65, 0.7), None, (180, 1100), None, (), 0.3
    ),
    "street_service_centre": Supply(
        "街道社区服务中心", "便民服务中心", 42_000, EVEN, None, (700, 1800), None, ("A1", "B2", "R2")
    ),
    "subdistrict_office": Supply(
        "街道办事处", "街道办事处", 34_000, EVEN, None, (1000, 2600), None, ("A1", "B2", "R2")
    ),
    "police_station": Supply("派出所", "派出所", 40_000, DENSER_INSIDE, None, (900, 1900), None, ("A1", "B2", "R2")),
    "culture_station": Supply("文化活动站", "文化活动站", 6_000, DENSER_INSIDE, (30, 150), (180, 900), None, (), 0.25),
    "culture_centre": Supply(
        "文化活动中心", "文化活动中心", 62_000, DENSER_INSIDE, (150, 600), (2600, 6000), None, ("A2", "B2")
    ),
    "outdoor_fitness_ground": Supply(
        "室外综合健身场地",
        "健身广场",
        2_600,
        (0.7, 1.1, 1.2, 0.9, 0.5),
        None,
        None,
        (150, 900),
        ("G1", "G3", "R2"),
        0.5,
    ),
    "small_sports_ground": Supply(
        "小型多功能运动场地", "球类场地", 3_900, (0.4, 1.0, 1.3, 0.9, 0.3), None, None, (600, 1400), ("G1", "A4", "R2")
    ),
    "medium_multisport_ground": Supply(
        "中型多功能运动场地", "运动场", 9_000, (0.3, 1.0, 1.3, 1.0, 0.3), None, None, (1300, 2600), ("A4", "G1")
    ),
    "large_multisport_ground": Supply(
        "大型多功能运动场地",
        "体育公园",
        75_000,
        (0.2, 1.0, 1.2, 1.2, 0.3),
        None,
        None,
        (3100, 6000),
        ("A4", "G1", "A31"),
    ),
    "mall": Supply("商场", "百货商场", 11_000, DENSER_INSIDE, None, (1500, 20_000), None, ("B1", "B2")),
    "restaurant": Supply("餐饮设施", "饭店", 1900, DENSER_INSIDE, None, (60, 700)),
    "bank": Supply("银行营业网点", "银行支行", 7500, DENSER_INSIDE, None, (120, 500)),
    "telecom": Supply("电信营业网点", "电信营业厅", 18_000, DENSER_INSIDE, None, (80, 300)),
    "post_office": Supply("邮政营业场所", "邮政所", 38_000, DENSER_INSIDE, None, (100, 400)),
    "bus_stop": Supply("公交车站", "公交站", 2300, (0.5, 1.0, 1.1, 1.2, 0.8)),
    "community_canteen": Supply("社区食堂", "社区食堂", 21_000, (0.9, 1.3, 1.0, 0.4, 0.1), (30, 120), (120, 500)),
    "community_retail": Supply(
        "社区商业网点", "便民超市", 1700, (1.4, 1.3, 1.0, 0.6, 0.9), None, (60, 900), None, (), 0.25
    ),
    "refuse_collection_station": Supply("生活垃圾收集站", "垃圾收集站", 9500, EVEN, None, None, (80, 220)),
    "public_toilet": Supply("公共厕所", "公厕", 4800, (2.6, 1.4, 0.8, 0.5, 0.9), None, (30, 90)),
    "convenience_store": Supply("便利店", "便利店", 1500, (1.4, 1.2, 1.0, 0.7, 1.2), None, (30, 120), None, (), 0.2),
    "parcel_point": Supply("快件送达设施", "快递驿站", 2200, (0.7, 1.0, 1.1, 1.1, 1.0), None, (20, 80), None, (), 0.5),
}
"""Classes of GB 50180-2018 that the city's list holds. Gyms, recycling points, bus terminals, fire stations and car
parks are left out on purpose: "no data" needs something to show."""

STATUS = np.array(["现状", "在建", "规划", "停用"], dtype=object)
MISSING_CAPACITY = 0.15


def _spread_order(points: Floats) -> Ints:
    """Return the order of points along a Morton curve, so that a systematic sample of it is spread over the map."""
    span = np.maximum(np.ptp(points, axis=0).max(), 1.0)
    cell = ((points - points.min(axis=0)) / span * 65_535).astype(np.uint64)
    code = np.zeros(len(points), dtype=np.uint64)
    for bit in range(16):
        for axis in (0, 1):
            code |= ((cell[:, axis] >> np.uint64(bit)) & np.uint64(1)) << np.uint64(2 * bit + axis)
    return np.argsort(code, kind="stable")


def _sample(weights: Floats, order: Ints, wanted: int, rng: np.random.Generator) -> Ints:
    """Return items drawn at even steps of the weight summed along an order; heavy ones may be drawn more than once."""
    total = np.cumsum(weights[order])
    if len(order) == 0 or total[-1] <= 0:
        return np.empty(0, dtype=np.int64)
    at = (np.arange(wanted) + rng.uniform(0.1, 0.9, wanted)) * total[-1] / wanted
    return np.asarray(order[np.minimum(np.searchsorted(total, at), len(order) - 1)], dtype=np.int64)


def _places(plan: Plan, streets: Streets, lots: Lots, chosen: Ints, supply: Supply, rng: np.random.Generator) -> Floats:
    """Return ground points: on the plot near the street, inside a compound, or on the street front outside its wall."""
    count = len(chosen)
    upper = rng.random(count) < 0.5
    across = rng.uniform(0.12, 0.88, count)
    own = np.stack([across, np.where(upper, 0.85, 0.15)], axis=1)
    on_plot = lot_points(streets, lots, chosen, own)
    low, high = lots.low[chosen], lots.high[chosen]
    a = low[:, 0] + (high[:, 0] - low[:, 0]) * across
    b = np.where(upper, high[:, 1] + 0.35 * (1 - high[:, 1]), 0.65 * low[:, 1])
    in_front = block_points(streets.blocks, lots.block[chosen], np.stack([a, b], axis=1))
    lives = np.isin(lots.use[chosen], RESIDENTIAL_USES)
    inside = ~lives | (rng.random(count) < supply.inside)
    return plan.warp(np.where(inside[:, None], on_plot, in_front))


def _between(span: tuple[float, float] | None, size: Floats, rng: np.random.Generator) -> Floats:
    """Return values between the ends, larger where ``size`` (0-1) is; NaN where the class has none."""
    if span is None:
        return np.full(len(size), np.nan)
    mixed = np.clip(0.7 * size + 0.3 * rng.random(len(size)), 0, 1)
    return np.asarray(np.round(span[0] + (span[1] - span[0]) * mixed**1.6), dtype=np.float64)


def make_facilities(
    plan: Plan, streets: Streets, lots: Lots, people: Floats, stems: NDArray[np.object_]
) -> pd.DataFrame:
    """Return the list of facilities with the product's column names, ``x`` and ``y`` on the ground.

    Parameters
    ----------
    people
        float64[lots]: residents of each plot.
    stems
        What the names of facilities on each plot begin with.
    """
    rng = plan.random(8)
    zone = np.select(
        [lots.kind == CORE, lots.kind == OLD, lots.kind == MIDDLE, lots.kind == NEW, lots.kind == VILLAGE], range(5), 2
    )
    middle = plan.warp(block_points(streets.blocks, lots.block, (lots.low + lots.high) / 2))
    order = _spread_order(middle)
    residents = np.where(lots.residential, people, 0.0)
    by_block = np.bincount(lots.block, weights=residents, minlength=len(streets.blocks.kind))[lots.block]
    frames = []
    for key, supply in SUPPLY.items():
        if supply.uses:
            allowed = np.isin(lots.use, [USE[use] for use in supply.uses])
            weights = np.where(allowed, 200.0 + by_block, 0.0) * np.where(lots.residential, 0.35, 1.0)
        else:
            weights = residents
        weights = weights * np.array(supply.zones)[zone]
        chosen = _sample(weights, order, max(1, round(plan.people / supply.people)), rng)
        if supply.uses:
            chosen = np.unique(chosen)
        place = _places(plan, streets, lots, chosen, supply, rng)
        size = rng.random(len(chosen)) * np.where(zone[chosen] <= 1, 0.75, 1.0)
        capacity = _between(supply.capacity, size, rng)
        capacity[rng.random(len(chosen)) < MISSING_CAPACITY] = np.nan
        built = (
            np.array([1958, 1978, 1992, 2008, 1998])[zone[chosen]]
            + rng.integers(0, 14, len(chosen))
            + rng.integers(0, 8, len(chosen))
        )
        status = STATUS[np.searchsorted([0.955, 0.975, 0.99], rng.random(len(chosen)), side="right")]
        year = np.select([status == "在建", status == "规划"], [2026, 2028], np.minimum(built, 2025))
        frames.append(
            pd.DataFrame(
                {
                    "facility_class": key,
                    "name": stems[chosen] + supply.short,
                    "capacity": capacity,
                    "floor_area_m2": _between(supply.floor_m2, size, rng),
                    "land_area_m2": _between(supply.land_m2, size, rng),
                    "status": status,
                    "year": year,
                    "x": place[:, 0],
                    "y": place[:, 1],
                }
            )
        )
    return _with_room(_with_doubles(pd.concat(frames, ignore_index=True), rng))


def _with_room(frame: pd.DataFrame) -> pd.DataFrame:
    """Add whether a facility may be extended: homes for the aged whose floor area leaves some of their land free."""
    homes = frame["facility_class"].isin(["elderly_home", "nursing_care_home"]) & (frame["status"] == STATUS[0])
    room = frame["floor_area_m2"] < 1.2 * frame["land_area_m2"]
    said = pd.Series(np.where(room, "是", "否"), index=frame.index, dtype=object)
    at = frame.columns.get_loc("x")
    frame.insert(int(at) if isinstance(at, int) else len(frame.columns), "extendable", said.where(homes, None))
    return frame


def _with_doubles(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return the list with a few facilities twice, a few metres apart, as lists merged from two sources have them."""
    double = frame[rng.random(len(frame)) < 0.004].copy()
    double["x"] += rng.uniform(-9, 9, len(double))
    double["y"] += rng.uniform(-9, 9, len(double))
    double[["capacity", "floor_area_m2"]] = np.nan
    everything = pd.concat([frame, double], ignore_index=True)
    everything.insert(0, "facility_id", [f"S{number:06d}" for number in range(1, len(everything) + 1)])
    return everything
