"""The spatial layers of the findings: which columns each has."""

from __future__ import annotations

from .contracts import AGE_COLUMNS

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
    "zones": ("zone_id", "name", "area_m2", "people", "elders_60", "households", "compounds"),
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
        "too_small",  # required classes near enough, whose facilities there are all known to be too small
        "too_small_count",
    ),
    "parcels": (
        "parcel_id",
        "land_use",  # as [zoning] land_use says: planned, or now
        "land_use_gb",  # the same in codes of GB 50137-2011, and of the land and sea classification
        "land_use_ls",
        "use_group",
        "land_use_now",
        "use_group_now",
        "far",
        "density",
        "height_m",
        "green_ratio",
        "area_m2",
        "ring_id",
    ),
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
        "planned_use",  # as its file states it
        "height_after_m",
        "ring_id",  # of the ring that holds most of it
        "against_policy",  # True when it grows by more than a tenth in a ring whose policy is subtract, and the like
    ),
    "facilities": (
        "facility_id",
        "name",
        "facility_class",
        "capacity",
        "capacity_from",  # stated, or estimated from floor area on request; missing where unknown
        "floor_area_m2",
        "land_area_m2",
        "status",
        "year",
        "counts",  # True where it is walked to: existing, or to come and taken in by [facilities] count
        "source",
        "access_m",
        "snap",
        "edge_cut",  # True where people beyond the end of the streets data may walk here within the class's limit
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
    "circles": (
        "facility_class",
        "minutes",
        "limit",
        "unit",
        "sites",
        "area_m2",
        "confidence",  # of the limit, with its clause, where it is the class's own; NA of the other circles
        "clause",
    ),
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
        "confidence",  # of the limit
        "clause",
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
        "edge_cut",  # as of facilities: more people than were counted may be near
        "phase",  # 1, 2 …; of the plan's phases, NA where it has none
        "cost_yuan",  # NA where no cost is known
        "capacity",  # places; NA where neither floor area nor the class's m² a place is known
        "carries",  # classes that a combined centre holds, joined by ";"; the site's own class elsewhere
        "needs_approval",  # True where it fits under a named relaxation only
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
        "source",  # land, building, project, facility, osm, street
        "floor_fits_m2",  # under the parcel's controls
        "floor_relaxed_m2",  # under the named relaxation
        "needs_approval",
        "capacity_fits",  # places
        "frontage_m",
        "slope_percent",
    ),
    "streets": ("highway", "length_m", "component"),
    "barriers": ("kind", "name"),
}
"""Columns of each spatial layer of the findings; all are in the study's CRS. A layer may be empty, never absent."""
