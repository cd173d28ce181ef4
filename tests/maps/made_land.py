"""The land of the made town: its balance now and planned, a conflict of each kind, what may stand on its candidates."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import shapely

from lifecircle.layers.compatibility import load_compatibility
from lifecircle.layers.conflicts import KINDS
from lifecircle.layers.zoned import verdict_table

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

DETAILS: dict[str, dict[str, Any]] = {
    "use_not_zoned": {"planned": "R2 80%/B1 20%", "hectares": 1.41, "share": 0.192, "zoned": "industrial"},
    "homes_not_zoned": {"households": 695.0, "zoned": "green", "share": 0.83},
    "far_above": {
        "planned_m2": 23_548.0,
        "allowed_m2": 20_468.3,
        "relaxed_m2": 24_561.9,
        "planned_far": 3.32,
        "allowed_far": 2.89,
        "relaxation": "更新项目密度、容积率放宽",
        "relaxation_en": "density and floor area of renewal projects relaxed",
    },
    "form_above": {
        "planned_m2": 23_548.0,
        "allowed_m2": 9_000.0,
        "relaxed_m2": 9_900.0,
        "planned_far": 3.32,
        "allowed_far": 1.2,
    },
    "height_above": {"planned_m": 66.0, "allowed_m": 54.0},
    "grows_where_less_is_wanted": {
        "policy": "subtract",
        "kind": "shantytown",
        "way": "demolish",
        "floor_area_m2": 13_852.0,
        "floor_area_after_m2": 23_548.0,
        "households": 145.0,
        "households_after": None,
    },
}


def balance_rows(layers: dict[str, gpd.GeoDataFrame]) -> list[dict[str, Any]]:
    """Return the balance of the town: each parcel in its ring and sub-district, industry still there now."""
    rows = []
    districts = layers["districts"]
    for _, ring in layers["rings"].iterrows():
        for _, district in districts.iterrows():
            cell = shapely.intersection(ring.geometry, district.geometry)
            whole = round(cell.area)
            for when in ("now", "planned"):
                areas: dict[str, int] = {}
                for _, parcel in layers["parcels"].iterrows():
                    use = "vacant" if when == "now" and parcel["use_group"] == "green" else parcel["use_group"]
                    areas[use] = areas.get(use, 0) + int(shapely.intersection(parcel.geometry, cell).area)
                areas["none"] = whole - sum(areas.values())
                rows += [
                    {
                        "ring_id": ring["ring_id"],
                        "ring_name": ring["name"],
                        "district_id": district["district_id"],
                        "district_name": district["name"],
                        "when": when,
                        "use_group": use,
                        "area_m2": area,
                        "share": area / whole,
                    }
                    for use, area in areas.items()
                    if area
                ]
    return rows


def conflict_rows(projects: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a conflict of each kind, in turn of the projects."""
    clauses = load_compatibility().conflicts
    rows = []
    for place, (code, detail) in enumerate(DETAILS.items()):
        project = projects.iloc[place * len(projects) // len(DETAILS)]
        stated = clauses[code]
        rows.append(
            {
                "project_id": project["project_id"],
                "name": project["name"],
                "kind": KINDS[code],
                "code": code,
                "ring_id": project["ring_id"],
                "detail": json.dumps(detail, ensure_ascii=False),
                "clause": stated.clause,
                "clause_en": stated.clause_en,
                "confidence": stated.confidence,
            }
        )
    return rows


def verdicts(candidates: pd.DataFrame) -> pd.DataFrame:
    """Return what may stand on the town's candidates."""
    return verdict_table(candidates, load_compatibility())
