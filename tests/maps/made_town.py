"""The made town: where things lie and what they are, row by row; nothing is counted here."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely import LineString, Point, box

from lifecircle.layers.contracts import AGE_COLUMNS
from lifecircle.layers.findings import LAYERS

if TYPE_CHECKING:
    import shapely

    from lifecircle.layers.words import Language

CRS = "EPSG:4547"
X0, Y0 = 528_000.0, 3_386_000.0
DETOUR = 1.3

CLASSES: dict[str, dict[str, Any]] = {
    "elderly_day_care": {
        "zh": "老年人日间照料中心(托老所)",
        "en": "Elderly day-care centre",
        "circle": 5,
        "limit_m": 300.0,
        "required": True,
        "group": "elders_60",
        "clause": "GB 50180-2018 附录 C.0.3",
        "clause_en": "GB 50180-2018, Appendix C.0.3",
        "confidence": "A",
        "sited": True,
    },
    "kindergarten": {
        "zh": "幼儿园",
        "en": "Kindergarten",
        "circle": 5,
        "limit_m": 300.0,
        "required": True,
        "group": "children_3_6",
        "clause": "GB 50180-2018 附录 C.0.3",
        "clause_en": "GB 50180-2018, Appendix C.0.3",
        "confidence": "A",
        "sited": False,
    },
    "food_market": {
        "zh": "菜市场或生鲜超市",
        "en": "Food market or fresh supermarket",
        "circle": 10,
        "limit_m": 500.0,
        "required": True,
        "group": "people",
        "clause": "GB 50180-2018 附录 C.0.2",
        "clause_en": "GB 50180-2018, Appendix C.0.2",
        "confidence": "A",
        "sited": True,
    },
    "culture_station": {
        "zh": "文化活动站",
        "en": "Culture station",
        "circle": 5,
        "limit_m": 500.0,
        "required": False,
        "group": "people",
        "clause": "GB 50180-2018 附录 C.0.3",
        "clause_en": "GB 50180-2018, Appendix C.0.3",
        "confidence": "B",
        "sited": False,
    },
}
NO_DATA = "culture_station"
RING_NAMES = {
    "zh": ("历史城区", "一环至二环", "中心城区", "其他建成区"),
    "en": ("Historic core", "First to second ring", "Central city", "Other built-up area"),
}
COMPOUND_NAMES = (
    "和平里",
    "东风社区",
    "老城根",
    "机床厂宿舍",
    "棉纺小区",
    "滨河苑",
    "铁路新村",
    "向阳里",
    "建设新村",
    "南门里",
    "西苑",
    "桂花园",
)
FACILITIES = (
    ("elderly_day_care", -250, 150, "和平里日间照料中心", 30),
    ("elderly_day_care", 900, -500, "铁路新村托老所", 20),
    ("kindergarten", -100, -200, "第一幼儿园", 180),
    ("kindergarten", 700, 600, "滨河幼儿园", 270),
    ("kindergarten", -1200, 500, "机床厂幼儿园", 150),
    ("kindergarten", 1500, -1300, "南门幼儿园", 210),
    ("food_market", 100, 300, "中心菜市场", 0),
    ("food_market", -1000, -700, "棉纺生鲜超市", 0),
)
PLACES = (
    *((-350, 250), (250, 350), (-200, -300), (-1150, 700), (-900, -750), (800, 750), (950, -600), (150, 1200)),
    *((-1800, -200), (1600, -1500), (-1900, 1700), (1900, 1300)),
)
"""Centres of the compounds in metres from the city's centre."""


def frame(layer: str, rows: list[dict[str, Any]]) -> gpd.GeoDataFrame:
    """Return the rows as a frame with exactly the columns of the layer."""
    columns = [*LAYERS[layer], "geometry"]
    return gpd.GeoDataFrame(pd.DataFrame(rows, columns=columns), geometry="geometry", crs=CRS)


def square_around(half: float) -> shapely.Polygon:
    return box(X0 - half, Y0 - half, X0 + half, Y0 + half)


def ring_areas(language: Language) -> list[tuple[str, shapely.Geometry]]:
    """Return names and exclusive areas inside out."""
    squares = [square_around(half) for half in (500, 1100, 1700, 2400)]
    areas = [squares[0], *(outer.difference(inner) for inner, outer in itertools.pairwise(squares))]
    return list(zip(RING_NAMES[language], areas, strict=True))


def ring_of(point: Point, rings: list[tuple[str, shapely.Geometry]]) -> str:
    return next(f"r{order}" for order, (_, area) in enumerate(rings, 1) if area.covers(point))


def compounds_rows(rings: list[tuple[str, shapely.Geometry]]) -> list[dict[str, Any]]:
    rows = []
    for index, ((dx, dy), name) in enumerate(zip(PLACES, COMPOUND_NAMES, strict=True)):
        centre = Point(X0 + dx, Y0 + dy)
        rows.append(
            {
                "compound_id": f"c{index + 1:02d}",
                "name": name,
                "kind": "compound",
                "year_built": 1975 + 3 * index,
                "floor_area_m2": 42_000.0 + 6_500 * index,
                "storeys": 4 + index % 7,
                "tenure": ("state", "work_unit", "mixed")[index % 3],
                "walled": index % 2 == 0,
                "ring_id": ring_of(centre, rings),
                "district_id": "d1" if dx < 0 else "d2",
                "geometry": box(centre.x - 110, centre.y - 80, centre.x + 110, centre.y + 80),
            }
        )
    return rows


def demand_rows(compounds: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return thirty points, two or three a compound; the last one is far from any street."""
    rows = []
    for index in range(30):
        compound = compounds[index % 12]
        people = 260 + 37 * (index * 7 % 11)
        shares = dict(zip(AGE_COLUMNS, (0.24, 0.17, 0.04, 0.02, 0.03, 0.06), strict=True))
        centre = compound["geometry"].centroid
        rows.append(
            {
                "demand_id": f"p{index + 1:02d}",
                "people": people,
                **{age: round(people * share) for age, share in shares.items()},
                "households": round(people / 2.6),
                "compound_id": compound["compound_id"],
                "ring_id": compound["ring_id"],
                "district_id": compound["district_id"],
                "project_id": "x1" if compound["compound_id"] == "c03" else None,
                "access_m": 12.0 if index < 29 else 240.0,
                "snap": "on_street" if index < 29 else "far_from_street",
                "geometry": Point(centre.x + 70 * (index // 12 - 1), centre.y + 25 * (index % 3 - 1)),
            }
        )
    return rows


def facilities_rows() -> list[dict[str, Any]]:
    return [
        {
            "facility_id": f"f{index + 1}",
            "name": name,
            "facility_class": key,
            "capacity": float(capacity) if capacity else np.nan,
            "floor_area_m2": 900.0 + 150 * index,
            "status": "existing",
            "source": "made",
            "access_m": 8.0,
            "snap": "on_street",
            "geometry": Point(X0 + dx, Y0 + dy),
        }
        for index, (key, dx, dy, name, capacity) in enumerate(FACILITIES)
    ]


def sites_rows() -> list[dict[str, Any]]:
    places = (("elderly_day_care", -1050, 800), ("elderly_day_care", 1550, -1420), ("food_market", 850, 650))
    names = ("机床厂旧食堂", "南门闲置地块", "滨河路空地")
    kinds = ("vacated_factory", "idle_land", "cleared_site")
    return [
        {
            "site_id": f"s{index + 1}",
            "facility_class": key,
            "rank": 2 if index == 1 else 1,
            "name": names[index],
            "kind": kinds[index],
            "area_m2": 1_250.0 + 400 * index,
            "floor_area_m2": 980.0 + 300 * index,
            "weight": CLASSES[key]["group"],
            "needs_rezoning": index == 1,
            "runner_up": f"s{index + 4}",
            "geometry": Point(X0 + dx, Y0 + dy),
        }
        for index, (key, dx, dy) in enumerate(places)
    ]


def projects_rows(rings: list[tuple[str, shapely.Geometry]]) -> list[dict[str, Any]]:
    rows = []
    kinds = (("historic", "keep"), ("shantytown", "demolish"), ("old_neighbourhood", "convert"))
    for index, ((dx, dy), (kind, way)) in enumerate(zip(((-200, -300), (-950, -800), (800, 760)), kinds, strict=True)):
        area = box(X0 + dx - 160, Y0 + dy - 130, X0 + dx + 160, Y0 + dy + 130)
        rows.append(
            {
                "project_id": f"x{index + 1}",
                "name": ("老城根历史街区", "棉纺片区棚改", "滨河老旧小区改造")[index],
                "kind": kind,
                "way": way,
                "stage": ("planned", "sign", "build")[index],
                "year": 2024 + index,
                "tenure": "state",
                "area_m2": area.area,
                "households": 320 + 110 * index,
                "households_after": (320, 900, 540)[index],
                "floor_area_m2": 26_000.0 + 9_000 * index,
                "floor_area_after_m2": (26_000.0, 88_000.0, 46_000.0)[index],
                "people_before": 820 + 290 * index,
                "people_after": (820, 2_340, 1_400)[index],
                "ring_id": ring_of(area.centroid, rings),
                "against_policy": index == 1,
                "geometry": area,
            }
        )
    return rows


def parcels_rows(rings: list[tuple[str, shapely.Geometry]]) -> list[dict[str, Any]]:
    uses = (("R2", "residential"), ("A2", "public"), ("B1", "commercial"), ("M1", "industrial"), ("G1", "green"))
    rows = []
    for index, (dx, dy) in enumerate(itertools.product((-1200, -400, 400, 1200), (-1300, 1000))):
        code, group = uses[index % len(uses)]
        area = box(X0 + dx - 150, Y0 + dy - 110, X0 + dx + 150, Y0 + dy + 110)
        rows.append(
            {
                "parcel_id": f"k{index + 1}",
                "land_use": code,
                "use_group": group,
                "far": 1.2 + 0.2 * index,
                "density": 0.28,
                "height_m": 24.0 + 6 * index,
                "area_m2": area.area,
                "ring_id": ring_of(area.centroid, rings),
                "geometry": area,
            }
        )
    return rows


def candidates_rows() -> list[dict[str, Any]]:
    rows = []
    for index in range(6):
        centre = Point(X0 - 1_300 + 560 * index, Y0 + 880 - 410 * index)
        fits = index != 4
        rows.append(
            {
                "site_id": f"s{index + 1}",
                "name": f"候选 {index + 1}",
                "kind": ("idle_land", "vacated_factory", "cleared_site")[index % 3],
                "area_m2": 900.0 + 350 * index,
                "floor_area_m2": 700.0 + 200 * index,
                "tenure": "state",
                "land_use": "A6" if fits else "G1",
                "facility_class": "elderly_day_care" if index < 4 else "food_market",
                "fits": fits,
                "reason": None if fits else "land_use;frontage",
                "source": ("land", "building", "osm")[index % 3],
                "floor_fits_m2": 700.0 + 200 * index,
                "floor_relaxed_m2": 840.0 + 240 * index,
                "needs_approval": index == 1,
                "capacity_fits": 35.0 + 10 * index,
                "frontage_m": 4.0 if index == 4 else 40.0,
                "slope_percent": 1.5,
                "geometry": box(centre.x - 25, centre.y - 20, centre.x + 25, centre.y + 20),
            }
        )
    return rows


def refusals_rows() -> list[dict[str, Any]]:
    """Why the candidates that do not fit were refused."""
    refused = [row for row in candidates_rows() if not row["fits"]]
    said = {
        "land_use": {"what": "G1", "clause": "地方规定", "clause_en": "local rule", "confidence": "D"},
        "frontage": {"measured": 4.0, "needed": 12.0, "unit": "m", "confidence": "D"},
    }
    return [
        {**{name: row[name] for name in ("site_id", "name", "facility_class")}, "reason": reason, **said[reason]}
        for row in refused
        for reason in row["reason"].split(";")
    ]


def streets_rows() -> list[dict[str, Any]]:
    rows = []
    for step in range(-2_250, 2_251, 250):
        kind = "primary" if step % 1_000 == 0 else "tertiary" if step % 500 == 0 else "residential"
        lines = (
            LineString([(X0 + step, Y0 - 2_400), (X0 + step, Y0 + 2_400)]),
            LineString([(X0 - 2_400, Y0 + step), (X0 + 2_400, Y0 + step)]),
        )
        rows.extend({"highway": kind, "length_m": line.length, "component": 0, "geometry": line} for line in lines)
    return rows


def barriers_rows() -> list[dict[str, Any]]:
    course = LineString(
        [(X0 + 1_250, Y0 - 2_400), (X0 + 1_350, Y0), (X0 + 1_100, Y0 + 1_300), (X0 + 1_250, Y0 + 2_400)]
    )
    return [
        {"kind": "river", "name": "清河", "geometry": course.buffer(60)},
        {"kind": "water", "name": "镜湖", "geometry": Point(X0 - 1_900, Y0 + 2_000).buffer(120)},
        {"kind": "railway", "name": "铁路", "geometry": LineString([(X0 - 2_400, Y0 - 1_000), (X0 + 2_400, Y0 - 900)])},
    ]
