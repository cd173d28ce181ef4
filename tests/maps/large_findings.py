"""The made findings blown up to a city of 300,000 people, for the size of the map page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from made_findings import CLASSES, CRS, X0, Y0, made_findings

from lifecircle.layers.findings import LAYERS, TABLES, Findings

if TYPE_CHECKING:
    from numpy.typing import NDArray

CITY_M = 7_000.0
"""Half the width of the city."""
COMPOUNDS, DEMAND, STREETS, FACILITIES, NUMBER_OF_CLASSES = 600, 8_000, 20_000, 2_000, 15
_KINDS = np.array(["primary", "tertiary", "residential", "footway"])


def _points(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    return rng.uniform(-CITY_M, CITY_M, (count, 2)) + np.array((X0, Y0))


def _frame(layer: str, columns: dict[str, object], shapes: object) -> gpd.GeoDataFrame:
    """Return a frame of the layer; columns that were not given are empty."""
    return gpd.GeoDataFrame({name: columns.get(name) for name in LAYERS[layer]}, geometry=shapes, crs=CRS)


def _streets(rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Return winding segments on a fine grid, as a real network has them."""
    side = int(np.sqrt(STREETS / 2))
    spacing = 2 * CITY_M / side
    corners = np.stack(np.meshgrid(np.arange(side), np.arange(side), indexing="ij"), axis=-1).reshape(-1, 2) * spacing
    corners = corners - CITY_M + (X0, Y0) + rng.normal(0, 12, corners.shape)
    lines = []
    for step in ((spacing, 0.0), (0.0, spacing)):
        along = corners[:, None, :] + np.linspace(0, 1, 4)[None, :, None] * np.array(step)
        along[:, 1:-1] += rng.normal(0, 6, (len(corners), 2, 2))
        lines.append(shapely.linestrings(along))
    shapes = np.concatenate(lines)
    highway = rng.choice(_KINDS, len(shapes), p=(0.05, 0.15, 0.6, 0.2))
    return _frame("streets", {"highway": highway, "length_m": shapely.length(shapes), "component": 0}, shapes)


def _circles(facilities: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return frayed circles with as many corners as buffered streets leave."""
    rows, shapes = [], []
    rng = np.random.default_rng(3)
    for key, own in facilities.groupby("facility_class"):
        for minutes, metres in ((5, 300.0), (10, 500.0), (15, 1_000.0)):
            turns = np.linspace(0, 2 * np.pi, 72, endpoint=False)
            reach = metres * rng.uniform(0.55, 0.8, (len(own), len(turns)))
            around = np.stack([np.cos(turns), np.sin(turns)], axis=-1)[None] * reach[:, :, None]
            frayed = shapely.polygons(around + shapely.get_coordinates(own.geometry)[:, None, :])
            area = shapely.union_all(shapely.make_valid(frayed))
            rows.append(
                {
                    "facility_class": key,
                    "minutes": minutes,
                    "limit": metres,
                    "unit": "m",
                    "sites": len(own),
                    "area_m2": area.area,
                }
            )
            shapes.append(area)
    return gpd.GeoDataFrame(pd.DataFrame(rows), geometry=shapes, crs=CRS)


def large_findings() -> Findings:
    """Return findings of the size of a city of 300,000 people; deterministic."""
    rng = np.random.default_rng(7)
    made = made_findings()
    rules = list(CLASSES.values())
    classes = {
        f"class_{index:02d}": {**rules[index % 3], "zh": f"设施类别 {index}"} for index in range(NUMBER_OF_CLASSES)
    }
    keys = np.array(list(classes))
    centres = _points(rng, COMPOUNDS)
    ids = np.array([f"c{index:04d}" for index in range(COMPOUNDS)])
    people = rng.integers(1, 80, DEMAND)
    owner = rng.integers(0, COMPOUNDS, DEMAND)
    homes = shapely.points(centres[owner] + rng.normal(0, 60, (DEMAND, 2)))
    demand_ids = np.array([f"p{index:05d}" for index in range(DEMAND)])
    place, lacking = np.nonzero(rng.random((DEMAND, NUMBER_OF_CLASSES)) < 0.5)
    facilities = _frame(
        "facilities",
        {
            "facility_id": [f"f{index}" for index in range(FACILITIES)],
            "name": [
                f"第{index}号{rng.choice(['幼儿园', '卫生站', '菜市场', '活动中心'])}" for index in range(FACILITIES)
            ],
            "facility_class": keys[rng.integers(0, len(keys), FACILITIES)],
            "floor_area_m2": rng.uniform(100, 5_000, FACILITIES),
            "source": "made",
            "access_m": rng.uniform(2, 60, FACILITIES),
            "snap": "on_street",
        },
        shapely.points(_points(rng, FACILITIES)),
    )
    counts = pd.Series(lacking).groupby(owner[place]).nunique().reindex(range(COMPOUNDS), fill_value=0)
    layers = dict(made.layers) | {
        "compounds": _frame(
            "compounds",
            {
                "compound_id": ids,
                "name": [f"第{index}小区" for index in range(COMPOUNDS)],
                "kind": "compound",
                "people": rng.integers(100, 1_500, COMPOUNDS),
                "households": rng.integers(40, 600, COMPOUNDS),
                "missing": "",
                "missing_count": counts.to_numpy(),
                "partial": "",
                "partial_count": 0,
            },
            shapely.box(*(centres - 90).T, *(centres + 90).T),
        ),
        "demand": _frame(
            "demand",
            {
                "demand_id": demand_ids,
                "people": people,
                "compound_id": ids[owner],
                "access_m": 5.0,
                "snap": "on_street",
            },
            homes,
        ),
        "gaps": _frame(
            "gaps",
            {
                "demand_id": demand_ids[place],
                "facility_class": keys[lacking],
                "circle": 5,
                "status": "too_far",
                "people": people[place],
                "group_people": people[place] // 5,
                "walk": rng.uniform(300, 4_000, len(place)),
                "limit": 300.0,
                "unit": "m",
            },
            homes[place],
        ),
        "facilities": facilities,
        "circles": _circles(facilities),
        "streets": _streets(rng),
    }
    rows = pd.MultiIndex.from_product([range(COMPOUNDS), keys]).to_frame(index=False, name=["place", "facility_class"])
    nearest = rng.integers(0, FACILITIES, len(rows))
    missing = pd.DataFrame(
        {
            "compound_id": ids[rows["place"]],
            "compound_name": [f"第{index}小区" for index in rows["place"]],
            "facility_class": rows["facility_class"],
            "circle": 5,
            "required": True,
            "status": rng.choice(["present", "partial", "too_far", "no_data"], len(rows)),
            "nearest_id": facilities["facility_id"].to_numpy()[nearest],
            "nearest_name": facilities["name"].to_numpy()[nearest],
            "walk": rng.uniform(20, 4_000, len(rows)),
            "walk_longest": 4_200.0,
            "limit": 300.0,
            "unit": "m",
            "people": 800,
            "people_lacking": rng.integers(0, 400, len(rows)),
        },
        columns=list(TABLES["missing"]),
    )
    manifest = dict(made.manifest) | {"classes": {**classes, **CLASSES}}
    return Findings(layers=layers, tables=dict(made.tables) | {"missing": missing}, manifest=manifest)
