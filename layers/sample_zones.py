"""Hazard and protection zones of the made-up city: ground that the river may flood, and what stands protected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from .sample_lots import USE, Lots
from .sample_plan import CRS, Plan
from .sample_projects import lot_polygons

if TYPE_CHECKING:
    from .sample_blocks import Streets

FLOODED_M = 110.0
"""How far from the river's bank the ground may be flooded."""
CONTROL_M = 40.0
"""Width of the ground around a listed site where building is controlled."""


def make_hazards(water: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the ground on both banks that the river (the first of the waters) may flood.

    Parameters
    ----------
    water
        As `lifecircle.layers.sample_map.make_barriers` returns it.
    """
    river = water.to_crs(CRS).geometry.iloc[0]
    banks = shapely.difference(shapely.buffer(river, FLOODED_M, cap_style="flat", join_style="mitre"), river)
    parts = shapely.get_parts(banks)
    parts = parts[np.argsort(-shapely.area(parts), kind="stable")]
    frame = pd.DataFrame(
        {
            "zone_id": [f"Z{number:03d}" for number in range(1, len(parts) + 1)],
            "name": [f"{water['name'].iloc[0]}洪水淹没区"] * len(parts),
            "kind": ["洪水淹没"] * len(parts),
        }
    )
    return gpd.GeoDataFrame(frame, geometry=parts, crs=CRS)


def make_protections(plan: Plan, streets: Streets, lots: Lots) -> gpd.GeoDataFrame:
    """Return the grounds of listed sites with the zone around each in which building is controlled."""
    lot = np.flatnonzero(lots.use == USE["A7"])
    if not len(
        lot
    ):  # a tiny town may have none: its first cultural plot, else its first of all, stands under protection
        lot = np.flatnonzero(lots.use == USE["A2"])[:1] if (lots.use == USE["A2"]).any() else np.array([0])
    core = lot_polygons(plan, streets, lots, lot)
    around = shapely.difference(shapely.buffer(core, CONTROL_M, join_style="mitre"), shapely.union_all(core))
    frame = pd.DataFrame(
        {
            "zone_id": [f"H{number:03d}" for number in range(1, 2 * len(lot) + 1)],
            "name": [f"文物保护单位 {number}" for number in [*range(1, len(lot) + 1)] * 2],
            "kind": ["文物保护范围"] * len(lot) + ["建设控制地带"] * len(lot),
        }
    )
    return gpd.GeoDataFrame(frame, geometry=np.concatenate([core, around]), crs=CRS)
