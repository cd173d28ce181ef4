"""A small findings made by hand, for the tests of maps: every layer and table, plausible content, totals that add up.

Twelve compounds in four square rings, thirty demand points, three facility classes with data and one without. Walking
distances are taken as 1.3 times the straight line, which is enough to draw and to count; no network is built.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from made_counts import LISTED, Walks, coverage_rows, gap_rows, missing_rows, siting_rows
from made_indicators import indicator_rows
from made_land import balance_rows, conflict_rows, verdicts
from made_town import (
    CLASSES,
    CRS,
    DETOUR,
    FACILITIES,
    NO_DATA,
    X0,
    Y0,
    barriers_rows,
    candidates_rows,
    compounds_rows,
    demand_rows,
    facilities_rows,
    frame,
    parcels_rows,
    projects_rows,
    refusals_rows,
    ring_areas,
    ring_of,
    sites_rows,
    square_around,
    streets_rows,
)
from shapely import box

from lifecircle.layers.findings import TABLES, Findings, empty_table

if TYPE_CHECKING:
    import geopandas as gpd

    from lifecircle.layers.words import Language


def _circles(facilities: pd.DataFrame) -> list[dict[str, Any]]:
    """Return octagons for circles: they stand for what a network would give."""
    rows = []
    for key in CLASSES:
        points = facilities.loc[facilities["facility_class"] == key, "geometry"]
        for minutes, metres in ((5, 300.0), (10, 500.0), (15, 1000.0)):
            area = shapely.union_all([point.buffer(metres / DETOUR, quad_segs=2) for point in points])
            own = metres == CLASSES[key]["limit_m"]
            if not area.is_empty:
                rows.append(
                    {
                        "facility_class": key,
                        "minutes": minutes,
                        "limit": metres,
                        "unit": "m",
                        "sites": len(points),
                        "area_m2": area.area,
                        **({name: CLASSES[key][name] for name in ("confidence", "clause")} if own else {}),
                        "geometry": area,
                    }
                )
    return rows


def _sites_filled(walks: Walks, rings: list[tuple[str, shapely.Geometry]]) -> list[dict[str, Any]]:
    """Return the sites with what follows from the walks."""
    rows = sites_rows()
    for key in dict.fromkeys(row["facility_class"] for row in rows):
        covered = walks.covered(key)
        reached = walks.by_site(key)
        weight = walks.demand[CLASSES[key]["group"]].to_numpy()
        done = covered.copy()
        for column, row in enumerate(row for row in rows if row["facility_class"] == key):
            new = reached[:, column] & ~done
            others = covered | np.delete(reached, column, axis=1).any(axis=1)
            row.update(
                ring_id=ring_of(row["geometry"], rings),
                added=int(weight[new].sum()),
                people_added=int(walks.demand["people"].to_numpy()[new].sum()),
                elders_added=int(walks.demand["elders_60"].to_numpy()[new].sum()),
                served=int(weight[reached[:, column]].sum()),
                only_here=int(weight[reached[:, column] & ~others].sum()),
                runner_up_loses=int(weight[new].sum() // 4),
            )
            done |= new
    return rows


def _layers(language: Language) -> tuple[dict[str, gpd.GeoDataFrame], Walks]:
    rings = ring_areas(language)
    compounds = compounds_rows(rings)
    demand = frame("demand", demand_rows(compounds))
    facilities = frame("facilities", facilities_rows())
    walks = Walks(demand, facilities, frame("sites", sites_rows()))
    sites = frame("sites", _sites_filled(walks, rings))
    counts = ["people", "elders_60", "households"]
    by_ring = demand.groupby("ring_id")[counts].sum()
    by_district = demand.groupby("district_id")[counts].sum()
    by_compound = demand.groupby("compound_id")[counts].sum()
    plain = pd.DataFrame(compounds).drop(columns="geometry")
    missing = pd.DataFrame(missing_rows(walks, plain))
    for row in compounds:
        row.update(by_compound.loc[row["compound_id"]].to_dict())
        own = missing[missing["required"] & (missing["compound_id"] == row["compound_id"])]
        for name, status in (("missing", "too_far"), ("partial", "partial"), ("too_small", "too_small")):
            classes = own.loc[own["status"] == status, "facility_class"]
            row.update({name: ";".join(classes), f"{name}_count": len(classes)})
    policies = ("keep", "subtract", "none", "multiply")
    projects = frame("projects", projects_rows(rings))
    layers = {
        "area": frame("area", [{"name": "样例城市", "geometry": square_around(2_400)}]),
        "rings": frame(
            "rings",
            [
                {
                    "ring_id": f"r{order}",
                    "name": name,
                    "order": order,
                    "policy": policies[order - 1],
                    "area_m2": area.area,
                    **by_ring.loc[f"r{order}"].to_dict(),
                    "compounds": int((plain["ring_id"] == f"r{order}").sum()),
                    "projects": int((projects["ring_id"] == f"r{order}").sum()),
                    "geometry": area,
                }
                for order, (name, area) in enumerate(rings, 1)
            ],
        ),
        "districts": frame(
            "districts",
            [
                {
                    "district_id": key,
                    "name": name,
                    "area_m2": area.area,
                    **by_district.loc[key].to_dict(),
                    "compounds": int((plain["district_id"] == key).sum()),
                    "geometry": area,
                }
                for key, name, area in (
                    ("d1", "西城街道", box(X0 - 2_400, Y0 - 2_400, X0, Y0 + 2_400)),
                    ("d2", "东城街道", box(X0, Y0 - 2_400, X0 + 2_400, Y0 + 2_400)),
                )
            ],
        ),
        "zones": frame("zones", []),
        "compounds": frame("compounds", compounds),
        "parcels": frame("parcels", parcels_rows(rings)),
        "projects": projects,
        "facilities": facilities,
        "demand": demand,
        "circles": frame("circles", _circles(facilities)),
        "gaps": frame("gaps", gap_rows(walks)),
        "sites": sites,
        "candidates": frame("candidates", candidates_rows()),
        "streets": frame("streets", streets_rows()),
        "barriers": frame("barriers", barriers_rows()),
    }
    return layers, walks


def _tables(layers: dict[str, gpd.GeoDataFrame], walks: Walks) -> dict[str, pd.DataFrame]:
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
    by_ring[[name for name in TABLES["projects_by_ring"] if name.endswith("_unknown")]] = 0
    facilities = layers["facilities"].groupby("facility_class")["capacity"].agg(["size", "sum"])
    demand = layers["demand"]
    content: dict[str, pd.DataFrame | list[dict[str, Any]]] = {
        "coverage": coverage_rows(walks, groups),
        "missing": missing_rows(walks, layers["compounds"]),
        "indicators": indicator_rows(walks, groups),
        "siting": siting_rows(walks),
        "zoning": zoning,
        "land_balance": balance_rows(layers),
        "conflicts": conflict_rows(layers["projects"]),
        "refusals": refusals_rows(),
        "land_verdicts": verdicts(layers["candidates"]),
        "projects_by_ring": by_ring,
        "facilities_by_class": [
            {
                "facility_class": key,
                "circle": rule["circle"],
                "required": rule["required"],
                "existing": int(facilities["size"].get(key, 0)),
                "outside": 0,
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
    tables = {name: pd.DataFrame(rows).reindex(columns=list(TABLES[name])) for name, rows in content.items()}
    counts = [*LISTED, *(f"{name}_lacking" for name in LISTED), "people_too_small"]
    tables["missing"] = tables["missing"].astype({**dict.fromkeys(counts, "Int64"), "size_known": "boolean"})
    empty = {name: empty_table(name) for name in TABLES if name not in tables and name != "sites"}
    return tables | empty | {"sites": pd.DataFrame(layers["sites"].drop(columns="geometry"))}


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
            "walker_speed_mps": None,
            "walker_unit": "m",
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
