"""Findings: everything a study found, in one bundle that maps and documents read and QGIS opens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .contracts import AGE_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    import geopandas as gpd
    import pandas as pd

GROUPS: tuple[str, ...] = ("city", "ring", "district", "compound", "project")
"""Kinds of group that coverage is counted for, from wide to narrow."""

MEASURES: tuple[str, ...] = (
    "people",
    "elders_60",
    "children_0_3",
    "children_3_6",
    "children_6_12",
    "households",
    "compounds",
)
"""What is counted; ``compounds`` counts neighbourhoods, covered where at least half of their people are."""

LAYERS: dict[str, tuple[str, ...]] = {
    "area": ("name",),
    "rings": (
        "ring_id",
        "name",
        "order",
        "policy",
        "area_m2",
        "people",
        "elders_60",
        "households",
        "compounds",
        "projects",
    ),
    "districts": ("district_id", "name", "area_m2", "people", "elders_60", "households", "compounds"),
    "compounds": (
        "compound_id",
        "name",
        "kind",  # compound, or cell where the study has no compounds and a grid stands for them
        "year_built",
        "households",
        "people",
        "elders_60",
        "floor_area_m2",
        "storeys",
        "tenure",
        "walled",
        "ring_id",
        "district_id",
        "missing",  # classes too far for more than half of the people, joined by ";", required ones only
        "missing_count",
        "partial",  # required classes too far for some of the people, at most half of them
        "partial_count",
    ),
    "parcels": ("parcel_id", "land_use", "use_group", "far", "density", "height_m", "area_m2", "ring_id"),
    "projects": (
        "project_id",
        "name",
        "kind",
        "way",
        "stage",
        "year",
        "tenure",
        "area_m2",
        "households",
        "households_after",
        "floor_area_m2",
        "floor_area_after_m2",
        "people_before",
        "people_after",
        "ring_id",  # of the ring that holds most of it
        "against_policy",  # True when it grows by more than a tenth in a ring whose policy is subtract, and the like
    ),
    "facilities": (
        "facility_id",
        "name",
        "facility_class",
        "capacity",
        "floor_area_m2",
        "status",
        "source",
        "access_m",
        "snap",
    ),
    "demand": (
        "demand_id",
        "people",
        *AGE_COLUMNS,
        "households",
        "compound_id",
        "ring_id",
        "district_id",
        "project_id",
        "access_m",  # straight walk from the point to the street
        "snap",  # on_street, far_from_street, other_component
        "edge_cut",  # True where the longest walk counted touches the end of the streets data: more may be near
    ),
    "circles": ("facility_class", "minutes", "limit", "unit", "sites", "area_m2"),
    "gaps": (
        "demand_id",
        "facility_class",
        "circle",
        "status",
        "people",
        "group_people",
        "walk",  # in unit; NaN beyond the search
        "limit",
        "unit",  # m or s, as the walker counts
    ),
    "sites": (
        "site_id",
        "facility_class",
        "rank",
        "name",
        "kind",
        "ring_id",
        "area_m2",
        "floor_area_m2",
        "weight",  # the group that was maximised: people, elders_60 …
        "added",  # of that group, newly covered at this step
        "people_added",
        "elders_added",
        "served",  # of that group, within the limit of this site, whoever else serves them
        "only_here",  # of that group, within the limit of no other site, old or new
        "needs_rezoning",
        "runner_up",
        "runner_up_loses",
    ),
    "candidates": (
        "site_id",
        "name",
        "kind",
        "area_m2",
        "floor_area_m2",
        "tenure",
        "land_use",
        "facility_class",
        "fits",
        "reason",
    ),
    "streets": ("highway", "length_m", "component"),
    "barriers": ("kind", "name"),
}
"""Columns of each spatial layer of the findings; all are in the study's CRS. A layer may be empty, never absent."""

TABLES: dict[str, tuple[str, ...]] = {
    "coverage": (
        "facility_class",
        "circle",  # 5, 10, 15 minutes
        "required",
        "limit",
        "unit",  # m or s
        "group_kind",
        "group_id",
        "group_name",
        "measure",
        "total",
        "covered",
        "uncovered",
        "unknown",
        "rate",  # covered / (covered + uncovered); NaN where that is 0
        "buffer_rate",  # the same by straight line, for comparison only
        "after_covered",  # with the proposed sites
        "after_rate",
        "status",  # ok, no_data
        "confidence",
        "clause",
    ),
    "missing": (
        "compound_id",
        "compound_name",
        "ring_id",
        "district_id",
        "facility_class",
        "circle",
        "required",
        "status",  # present: all are within the limit; partial: at least half; too_far: fewer; no_data, unknown
        "nearest_id",  # for the resident in the middle
        "nearest_name",
        "walk",  # of the resident in the middle, in unit; NaN beyond the search
        "walk_longest",  # of the resident with the longest walk
        "limit",
        "unit",
        "people",  # who live in the compound
        "elders_60",
        "households",
        "people_lacking",  # of those, beyond the limit; NA where not known
        "elders_60_lacking",
        "households_lacking",
    ),
    "sites": (),  # the layer of that name without its geometry
    "siting": (
        "facility_class",
        "weight",
        "wanted",
        "chosen",
        "candidates",
        "total",
        "covered_before",
        "covered_after",
        "objective",
        "bound",
        "gap",
        "status",
    ),
    "zoning": ("ring_id", "ring_name", "use_group", "area_m2", "share", "floor_area_m2"),
    "projects_by_ring": (
        "ring_id",
        "ring_name",
        "kind",
        "way",
        "projects",
        "area_m2",
        "households",
        "floor_area_m2",
        "people_before",
        "people_after",
        "households_unknown",  # projects with ground in the row that state no households: the sum is of the others
        "floor_area_unknown",
        "people_before_unknown",
        "people_after_unknown",
    ),
    "facilities_by_class": (
        "facility_class",
        "circle",
        "required",
        "existing",  # inside the study area
        "outside",  # beyond its edge; they count for those who can walk there
        "capacity",  # of those inside
        "status",  # ok, no_data, few (so few that the source is doubtful)
    ),
    "snapping": ("layer", "id", "status", "access_m", "highway", "component"),
    "components": ("component", "length_m", "people", "facilities"),
}
"""Columns of each plain table of the findings."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What a study found: layers, tables and a manifest.

    Parameters
    ----------
    layers
        The frames of `LAYERS`, all in one metric CRS.
    tables
        The frames of `TABLES`.
    manifest
        JSON-like:

        * ``study``: name, language, made_up, date, map_approval, crs, walker, walker_speed_mps (``None`` where
          metres are counted), walker_unit (m or s, of every limit and walk), gates, standard;
        * ``sources``: for each file layer, file, sha256, rows_in, rows_kept, datum, maker, licence;
        * ``attribution``: sentences to print on every map;
        * ``notes``, ``warnings``: code and detail, for `lifecircle.layers.words.say`;
        * ``classes``: for each facility class in the order of the standard zh, en, circle, limit_m (of the standard,
          whoever walks), required, group, building_m2_least, land_m2_least, confidence_areas, clause, confidence,
          sited;
        * ``settings``, ``versions``, ``totals`` (people, elders_60, households, compounds …).

    Examples
    --------
    >>> len(LAYERS), len(TABLES)
    (14, 9)
    """

    layers: Mapping[str, gpd.GeoDataFrame]
    tables: Mapping[str, pd.DataFrame]
    manifest: Mapping[str, Any]
