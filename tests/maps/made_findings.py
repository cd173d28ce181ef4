"""A small findings made by hand, for the tests of maps: every layer and table, plausible content, totals that add up.

Twelve compounds in four square rings, thirty demand points, three facility classes with data and one without. Walking
distances are taken as 1.3 times the straight line, which is enough to draw and to count; no network is built.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely import LineString, Point, box

from lifecircle.layers.contracts import AGE_COLUMNS
from lifecircle.layers.findings import LAYERS, TABLES, Findings

if TYPE_CHECKING:
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


def _frame(layer: str, rows: list[dict[str, Any]]) -> gpd.GeoDataFrame:
    """Return the rows as a frame with exactly the columns of the layer."""
    columns = [*LAYERS[layer], "geometry"]
    return gpd.GeoDataFrame(pd.DataFrame(rows, columns=columns), geometry="geometry", crs=CRS)


def _square(half: float) -> shapely.Polygon:
    return box(X0 - half, Y0 - half, X0 + half, Y0 + half)


def _rings(language: Language) -> list[tuple[str, shapely.Geometry]]:
    """Return names and exclusive areas inside out."""
    squares = [_square(half) for half in (500, 1100, 1700, 2400)]
    areas = [squares[0], *(outer.difference(inner) for inner, outer in itertools.pairwise(squares))]
    return list(zip(RING_NAMES[language], areas, strict=True))


def _ring_of(point: Point, rings: list[tuple[str, shapely.Geometry]]) -> str:
    return next(f"r{order}" for order, (_, area) in enumerate(rings, 1) if area.covers(point))


def _compounds(rings: list[tuple[str, shapely.Geometry]]) -> list[dict[str, Any]]:
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
                "ring_id": _ring_of(centre, rings),
                "district_id": "d1" if dx < 0 else "d2",
                "geometry": box(centre.x - 110, centre.y - 80, centre.x + 110, centre.y + 80),
            }
        )
    return rows


def _demand(compounds: list[dict[str, Any]]) -> list[dict[str, Any]]:
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


def _facilities() -> list[dict[str, Any]]:
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


def _sites() -> list[dict[str, Any]]:
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


class _Walks:
    """Who reaches what: made walking distances between the points, and what follows from them."""

    def __init__(self, demand: pd.DataFrame, facilities: pd.DataFrame, sites: pd.DataFrame) -> None:
        self.demand = demand
        self.known = (demand["snap"] == "on_street").to_numpy()
        self.facilities = facilities
        self.sites = sites

    def _metres(self, targets: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.float64]]:
        points = np.asarray(self.demand.geometry)[:, None]
        return np.asarray(shapely.distance(points, np.asarray(targets.geometry)[None, :]) * DETOUR)

    def nearest(self, key: str) -> tuple[Any, Any]:
        """Return metres to the nearest existing facility of the class, and its row."""
        rows = np.flatnonzero((self.facilities["facility_class"] == key).to_numpy())
        metres = self._metres(self.facilities.iloc[rows])
        return metres.min(axis=1), rows[metres.argmin(axis=1)]

    def covered(self, key: str) -> Any:  # noqa: ANN401  a boolean array
        """Return whom the existing facilities cover."""
        if key == NO_DATA:
            return np.zeros(len(self.demand), dtype=bool)
        return self.known & (self.nearest(key)[0] <= CLASSES[key]["limit_m"])

    def by_site(self, key: str) -> Any:  # noqa: ANN401  a boolean array
        """Return whom each proposed site of the class reaches: demand × sites."""
        chosen = self.sites[self.sites["facility_class"] == key]
        return self.known[:, None] & (self._metres(chosen) <= CLASSES[key]["limit_m"])


def _coverage(walks: _Walks, groups: dict[str, dict[str, str]]) -> list[dict[str, Any]]:
    demand = walks.demand
    rows = []
    for key, rule in CLASSES.items():
        has_data = key != NO_DATA
        known = walks.known & has_data
        covered = walks.covered(key)
        after = covered | walks.by_site(key).any(axis=1)
        for kind, names in groups.items():
            for group, name in names.items():
                inside = (
                    np.ones(len(demand), dtype=bool) if kind == "city" else (demand[f"{kind}_id"] == group).to_numpy()
                )
                for measure in ("people", "elders_60", "children_3_6", "children_6_12", "households"):
                    weight = demand[measure].to_numpy() * inside
                    counts = [
                        int(weight[mask].sum()) for mask in (known & covered, known & ~covered, ~known, known & after)
                    ]
                    rows.append(_coverage_row(key, rule, (kind, group, name, measure), counts, has_data=has_data))
                rows.append(
                    _compound_row(key, rule, (kind, group, name), demand[inside], (known, covered, after), inside)
                )
    return rows


def _compound_row(
    key: str,
    rule: dict[str, Any],
    group: tuple[str, str, str],
    demand: pd.DataFrame,
    masks: tuple[Any, Any, Any],
    inside: Any,  # noqa: ANN401  a boolean array
) -> dict[str, Any]:
    """Count the neighbourhoods of which everybody is covered."""
    table = pd.DataFrame({name: mask[inside] for name, mask in zip(("known", "covered", "after"), masks, strict=True)})
    whole = table.groupby(demand["compound_id"].to_numpy()).all()
    known = whole["known"]
    counts = [int((known & whole["covered"]).sum()), int((known & ~whole["covered"]).sum()), int((~known).sum())]
    counts.append(int((known & whole["after"]).sum()))
    return _coverage_row(key, rule, (*group, "compounds"), counts, has_data=key != NO_DATA)


def _coverage_row(
    key: str, rule: dict[str, Any], group: tuple[str, str, str, str], counts: list[int], *, has_data: bool
) -> dict[str, Any]:
    covered, uncovered, unknown, after = counts
    known = covered + uncovered
    return {
        "facility_class": key,
        "circle": rule["circle"],
        "required": rule["required"],
        "limit": rule["limit_m"],
        "unit": "m",
        "group_kind": group[0],
        "group_id": group[1],
        "group_name": group[2],
        "measure": group[3],
        "total": known + unknown,
        "covered": covered,
        "uncovered": uncovered,
        "unknown": unknown,
        "rate": covered / known if known else np.nan,
        "buffer_rate": min(1.0, 1.2 * covered / known) if known else np.nan,
        "after_covered": after,
        "after_rate": after / known if known else np.nan,
        "status": "ok" if has_data else "no_data",
        "confidence": rule["confidence"],
        "clause": rule["clause"],
    }


def _missing(walks: _Walks, compounds: pd.DataFrame) -> list[dict[str, Any]]:
    rows = []
    for key, rule in CLASSES.items():
        metres, nearest = walks.nearest(key) if key != NO_DATA else (None, None)
        covered = walks.covered(key)
        for compound in compounds.itertuples():
            inside = (walks.demand["compound_id"] == compound.compound_id).to_numpy()
            far = int(np.argmax(np.where(inside, metres, -1.0))) if metres is not None else -1
            status = "no_data" if metres is None else "unknown" if not walks.known[inside].all() else "present"
            status = "too_far" if status == "present" and not covered[inside].all() else status
            people = walks.demand.loc[inside, ["people", "elders_60", "households"]].sum()
            facility = walks.facilities.iloc[nearest[far]] if nearest is not None else None
            rows.append(
                {
                    "compound_id": compound.compound_id,
                    "compound_name": compound.name,
                    "ring_id": compound.ring_id,
                    "district_id": compound.district_id,
                    "facility_class": key,
                    "circle": rule["circle"],
                    "required": rule["required"],
                    "status": status,
                    "nearest_id": facility["facility_id"] if facility is not None else None,
                    "nearest_name": facility["name"] if facility is not None else None,
                    "walk_m": float(metres[far]) if metres is not None else np.nan,
                    "limit": rule["limit_m"],
                    "unit": "m",
                    **{name: int(value) for name, value in people.items()},
                }
            )
    return rows


def _gaps(walks: _Walks) -> list[dict[str, Any]]:
    rows = []
    for key, rule in CLASSES.items():
        if key == NO_DATA:
            continue
        metres, _ = walks.nearest(key)
        lacking = np.flatnonzero(~walks.covered(key))
        for place in lacking:
            point = walks.demand.iloc[place]
            rows.append(
                {
                    "demand_id": point["demand_id"],
                    "facility_class": key,
                    "circle": rule["circle"],
                    "status": "too_far" if walks.known[place] else "unknown",
                    "people": int(point["people"]),
                    "group_people": int(point[rule["group"]]),
                    "walk_m": float(metres[place]),
                    "limit_m": rule["limit_m"],
                    "geometry": point["geometry"],
                }
            )
    return rows


def _circles(facilities: pd.DataFrame) -> list[dict[str, Any]]:
    """Return octagons for circles: they stand for what a network would give."""
    rows = []
    for key in CLASSES:
        points = facilities.loc[facilities["facility_class"] == key, "geometry"]
        for minutes, metres in ((5, 300.0), (10, 500.0), (15, 1000.0)):
            area = shapely.union_all([point.buffer(metres / DETOUR, quad_segs=2) for point in points])
            if not area.is_empty:
                rows.append(
                    {
                        "facility_class": key,
                        "minutes": minutes,
                        "limit_m": metres,
                        "sites": len(points),
                        "area_m2": area.area,
                        "geometry": area,
                    }
                )
    return rows


def _projects(rings: list[tuple[str, shapely.Geometry]]) -> list[dict[str, Any]]:
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
                "ring_id": _ring_of(area.centroid, rings),
                "against_policy": index == 1,
                "geometry": area,
            }
        )
    return rows


def _parcels(rings: list[tuple[str, shapely.Geometry]]) -> list[dict[str, Any]]:
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
                "ring_id": _ring_of(area.centroid, rings),
                "geometry": area,
            }
        )
    return rows


def _candidates() -> list[dict[str, Any]]:
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
                "reason": None if fits else "land_use",
                "geometry": box(centre.x - 25, centre.y - 20, centre.x + 25, centre.y + 20),
            }
        )
    return rows


def _streets() -> list[dict[str, Any]]:
    rows = []
    for step in range(-2_250, 2_251, 250):
        kind = "primary" if step % 1_000 == 0 else "tertiary" if step % 500 == 0 else "residential"
        lines = (
            LineString([(X0 + step, Y0 - 2_400), (X0 + step, Y0 + 2_400)]),
            LineString([(X0 - 2_400, Y0 + step), (X0 + 2_400, Y0 + step)]),
        )
        rows.extend({"highway": kind, "length_m": line.length, "component": 0, "geometry": line} for line in lines)
    return rows


def _barriers() -> list[dict[str, Any]]:
    course = LineString(
        [(X0 + 1_250, Y0 - 2_400), (X0 + 1_350, Y0), (X0 + 1_100, Y0 + 1_300), (X0 + 1_250, Y0 + 2_400)]
    )
    return [
        {"kind": "river", "name": "清河", "geometry": course.buffer(60)},
        {"kind": "railway", "name": "铁路", "geometry": LineString([(X0 - 2_400, Y0 - 1_000), (X0 + 2_400, Y0 - 900)])},
    ]


def _sites_filled(walks: _Walks, rings: list[tuple[str, shapely.Geometry]]) -> list[dict[str, Any]]:
    """Return the sites with what follows from the walks."""
    rows = _sites()
    for key in dict.fromkeys(row["facility_class"] for row in rows):
        covered = walks.covered(key)
        reached = walks.by_site(key)
        weight = walks.demand[CLASSES[key]["group"]].to_numpy()
        done = covered.copy()
        for column, row in enumerate(row for row in rows if row["facility_class"] == key):
            new = reached[:, column] & ~done
            others = covered | np.delete(reached, column, axis=1).any(axis=1)
            row.update(
                ring_id=_ring_of(row["geometry"], rings),
                added=int(weight[new].sum()),
                people_added=int(walks.demand["people"].to_numpy()[new].sum()),
                elders_added=int(walks.demand["elders_60"].to_numpy()[new].sum()),
                served=int(weight[reached[:, column]].sum()),
                only_here=int(weight[reached[:, column] & ~others].sum()),
                runner_up_loses=int(weight[new].sum() // 4),
            )
            done |= new
    return rows


def _layers(language: Language) -> tuple[dict[str, gpd.GeoDataFrame], _Walks]:
    rings = _rings(language)
    compounds = _compounds(rings)
    demand = _frame("demand", _demand(compounds))
    facilities = _frame("facilities", _facilities())
    walks = _Walks(demand, facilities, _frame("sites", _sites()))
    sites = _frame("sites", _sites_filled(walks, rings))
    counts = ["people", "elders_60", "households"]
    by_ring = demand.groupby("ring_id")[counts].sum()
    by_district = demand.groupby("district_id")[counts].sum()
    by_compound = demand.groupby("compound_id")[counts].sum()
    frame = pd.DataFrame(compounds).drop(columns="geometry")
    missing = pd.DataFrame(_missing(walks, frame))
    lacking = (
        missing[missing["required"] & (missing["status"] == "too_far")]
        .groupby("compound_id")["facility_class"]
        .agg(list)
    )
    for row in compounds:
        row.update(by_compound.loc[row["compound_id"]].to_dict())
        classes = lacking.get(row["compound_id"], [])
        row.update(missing=";".join(classes), missing_count=len(classes))
    policies = ("keep", "subtract", "none", "multiply")
    projects = _frame("projects", _projects(rings))
    layers = {
        "area": _frame("area", [{"name": "样例城市", "geometry": _square(2_400)}]),
        "rings": _frame(
            "rings",
            [
                {
                    "ring_id": f"r{order}",
                    "name": name,
                    "order": order,
                    "policy": policies[order - 1],
                    "area_m2": area.area,
                    **by_ring.loc[f"r{order}"].to_dict(),
                    "compounds": int((frame["ring_id"] == f"r{order}").sum()),
                    "projects": int((projects["ring_id"] == f"r{order}").sum()),
                    "geometry": area,
                }
                for order, (name, area) in enumerate(rings, 1)
            ],
        ),
        "districts": _frame(
            "districts",
            [
                {
                    "district_id": key,
                    "name": name,
                    "area_m2": area.area,
                    **by_district.loc[key].to_dict(),
                    "compounds": int((frame["district_id"] == key).sum()),
                    "geometry": area,
                }
                for key, name, area in (
                    ("d1", "西城街道", box(X0 - 2_400, Y0 - 2_400, X0, Y0 + 2_400)),
                    ("d2", "东城街道", box(X0, Y0 - 2_400, X0 + 2_400, Y0 + 2_400)),
                )
            ],
        ),
        "compounds": _frame("compounds", compounds),
        "parcels": _frame("parcels", _parcels(rings)),
        "projects": projects,
        "facilities": facilities,
        "demand": demand,
        "circles": _frame("circles", _circles(facilities)),
        "gaps": _frame("gaps", _gaps(walks)),
        "sites": sites,
        "candidates": _frame("candidates", _candidates()),
        "streets": _frame("streets", _streets()),
        "barriers": _frame("barriers", _barriers()),
    }
    return layers, walks


def _siting(walks: _Walks) -> list[dict[str, Any]]:
    rows = []
    for key in walks.sites["facility_class"].unique():
        weight = walks.demand[CLASSES[key]["group"]].to_numpy()
        before = walks.covered(key)
        after = before | walks.by_site(key).any(axis=1)
        gained = float(weight[after & ~before].sum())
        chosen = int((walks.sites["facility_class"] == key).sum())
        rows.append(
            {
                "facility_class": key,
                "weight": CLASSES[key]["group"],
                "wanted": chosen,
                "chosen": chosen,
                "candidates": 6,
                "total": int(weight.sum()),
                "covered_before": int(weight[before].sum()),
                "covered_after": int(weight[after].sum()),
                "objective": gained,
                "bound": gained,
                "gap": 0.0,
                "status": "optimal",
                "seconds": 0.02,
            }
        )
    return rows


def _tables(layers: dict[str, gpd.GeoDataFrame], walks: _Walks) -> dict[str, pd.DataFrame]:
    names = {
        kind: dict(zip(layers[f"{kind}s"][f"{kind}_id"], layers[f"{kind}s"]["name"], strict=True))
        for kind in ("ring", "district", "compound", "project")
    }
    groups = {"city": {"city": "样例城市"}, **names}
    parcels = layers["parcels"].assign(floor_area_m2=layers["parcels"]["area_m2"] * layers["parcels"]["far"])
    zoning = parcels.groupby(["ring_id", "use_group"], as_index=False)[["area_m2", "floor_area_m2"]].sum()
    zoning["share"] = zoning["area_m2"] / zoning.groupby("ring_id")["area_m2"].transform("sum")
    zoning["ring_name"] = zoning["ring_id"].map(names["ring"])
    projects = layers["projects"].assign(projects=1)
    summed = ["projects", "area_m2", "households", "floor_area_m2", "people_before", "people_after"]
    by_ring = projects.groupby(["ring_id", "kind", "way"], as_index=False)[summed].sum()
    by_ring["ring_name"] = by_ring["ring_id"].map(names["ring"])
    facilities = layers["facilities"].groupby("facility_class")["capacity"].agg(["size", "sum"])
    demand = layers["demand"]
    content: dict[str, pd.DataFrame | list[dict[str, Any]]] = {
        "coverage": _coverage(walks, groups),
        "missing": _missing(walks, layers["compounds"]),
        "siting": _siting(walks),
        "zoning": zoning,
        "projects_by_ring": by_ring,
        "facilities_by_class": [
            {
                "facility_class": key,
                "circle": rule["circle"],
                "required": rule["required"],
                "existing": int(facilities["size"].get(key, 0)),
                "capacity": float(facilities["sum"].get(key, 0.0)),
                "status": "no_data" if key == NO_DATA else "ok",
            }
            for key, rule in CLASSES.items()
        ],
        "snapping": [
            {
                "layer": "demand",
                "id": row.demand_id,
                "status": row.snap,
                "access_m": row.access_m,
                "highway": "tertiary",
                "component": 0,
            }
            for row in demand.itertuples()
        ],
        "components": [
            {
                "component": 0,
                "length_m": 182_400.0,
                "people": int(demand["people"].sum()),
                "facilities": len(FACILITIES),
            }
        ],
    }
    tables = {name: pd.DataFrame(rows)[list(TABLES[name])] for name, rows in content.items()}
    return tables | {"sites": pd.DataFrame(layers["sites"].drop(columns="geometry"))}


def made_findings(language: Language = "zh") -> Findings:
    """Return the findings of a made-up town; deterministic.

    Parameters
    ----------
    language
        Language of the study and of the names of its rings.
    """
    layers, walks = _layers(language)
    tables = _tables(layers, walks)
    demand = layers["demand"]
    manifest = {
        "study": {
            "name": "样例城市更新规划" if language == "zh" else "Renewal plan of the sample city",
            "language": language,
            "made_up": True,
            "date": "2026-11-22",
            "map_approval": None,
            "crs": CRS,
            "walker": "standard",
            "gates": "gated",
            "standard": "gb50180-2018",
        },
        "sources": [
            {
                "layer": "streets",
                "file": "streets.gpkg",
                "sha256": "0" * 64,
                "rows_in": 38,
                "rows_kept": 38,
                "datum": "cgcs2000",
                "maker": "OpenStreetMap",
                "licence": "ODbL 1.0",
            },
            {
                "layer": "compounds",
                "file": "compounds.gpkg",
                "sha256": "1" * 64,
                "rows_in": 12,
                "rows_kept": 12,
                "datum": "cgcs2000",
                "maker": "lifecircle",
                "licence": None,
            },
        ],
        "attribution": ["© OpenStreetMap contributors, ODbL 1.0"],
        "notes": [],
        "warnings": [],
        "classes": CLASSES,
        "settings": {},
        "versions": {"lifecircle": "0.1.0"},
        "timings": {"read": 0.4, "network": 0.3, "reach": 0.2, "siting": 0.1},
        "totals": {
            **{name: int(demand[name].sum()) for name in ("people", "elders_60", "households")},
            "compounds": 12,
            "projects": 3,
            "facilities": len(FACILITIES),
        },
    }
    return Findings(layers=layers, tables=tables, manifest=manifest)
