"""Findings: everything a study found, in one bundle that maps and documents read and QGIS opens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from .finding_layers import LAYERS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    import geopandas as gpd

    from .offers import Kept

__all__ = ["GROUPS", "LAYERS", "MEASURES", "TABLES", "Findings", "empty_table"]

GROUPS: tuple[str, ...] = ("city", "borough", "ring", "district", "zone", "compound", "project")
"""Kinds of group that coverage is counted for: ``district`` is the sub-district, ``borough`` what several of them make
up, where the study says so; ``zone`` an area of the user's own."""

MEASURES: tuple[str, ...] = (
    "people",
    "elders_60",
    "children_0_3",
    "children_3_6",
    "children_6_12",
    "households",
    "residential_m2",
    "compounds",
)
"""What is counted; ``residential_m2`` is residential land in whole m², ``compounds`` counts neighbourhoods, covered
where at least half of their people are."""

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
        "status",  # present: all are within the limit; partial: at least half; too_far: fewer; no_data, unknown;
        # too_small: at least half are, but fewer than half of one that is not known to be below the standard's size
        "size_known",  # False: that it is large enough is not known; NA where no size is asked for or none is near
        "none_yet",  # True: no facility of the class exists, some are under construction or planned
        "nearest_id",  # for the resident in the middle
        "nearest_name",
        "walk",  # of the resident in the middle, in unit, however far; NaN where no way leads to any
        "walk_longest",  # of the resident with the longest walk
        "limit",
        "unit",
        "people",  # who live in the compound
        "elders_60",
        "households",
        "people_lacking",  # of those, beyond the limit; NA where not known
        "elders_60_lacking",
        "households_lacking",
        "people_too_small",  # of those within the limit, all of whose facilities there are known to be too small
        "confidence",  # of the rule's limit
        "clause",
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
        "model",  # max_cover, set_cover, p_median, p_centre, capacitated, budgeted …
        "budget_yuan",
        "spent_yuan",
        "seconds",  # of the solver
        "seed",
        "unreachable",  # of the weight, not covered now and within the limit of no candidate that fits
        "worst_group",  # ring or district with the lowest rate after
        "worst_rate",
    ),
    "curve": (  # how far each further site (or yuan) goes
        "facility_class",
        "sites",
        "cost_yuan",
        "covered",  # of the weight, newly
        "bound",
        "gap",
        "knee",  # True in one row of a class: the sites after it bring fewer on average than those of the whole curve
    ),
    "unreachable": (  # whom no candidate that fits can cover
        "facility_class",
        "ring_id",
        "district_id",
        "name",
        "people",
        "reason",
    ),
    "refusals": (  # why a candidate was not taken for a class: a row for each thing that speaks against it
        "site_id",
        "name",
        "facility_class",
        "reason",  # of lifecircle.layers.candidate_checks.REASONS
        "measured",  # in unit; NaN where there is no figure
        "needed",
        "unit",  # m, m2, percent, places
        "what",  # stands in the way: a zone, a school, a ring, a land use
        "clause",
        "clause_en",
        "confidence",
    ),
    "zoning": ("ring_id", "ring_name", "use_group", "area_m2", "share", "floor_area_m2"),
    "land_balance": (
        "ring_id",
        "ring_name",
        "district_id",  # NA on ground of no sub-district
        "district_name",
        "when",  # now, planned
        "use_group",
        "area_m2",
        "share",
    ),
    "conflicts": (  # projects that their zone or ring does not allow
        "project_id",
        "name",
        "kind",  # use, far, form (density, green and height), height: of the zone; ring: its policy
        "code",
        "ring_id",
        "detail",  # JSON: the figures that the text of the code names
        "clause",
        "clause_en",
        "confidence",
    ),
    "land_verdicts": (  # what may stand on the land of the candidates, by class and land use
        "facility_class",
        "land_use",
        "vacated",  # a vacated factory or an empty building, which may be reused
        "verdict",  # allowed, share, rezoning, forbidden, unknown
        "share_most",  # of the floor area; all shared uses of a building together take no more than share_all
        "share_all",
        "sites",  # candidates on such land
        "rule",  # codes of the rows of the rules that decided, ";" between those of mixed land; NA where none has it
        "clause",
        "clause_en",
        "confidence",
    ),
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
    "provision": (  # enough, not only near: what stands in a group against what its people need
        "facility_class",
        "circle",
        "required",
        "group_kind",
        "group_id",
        "group_name",
        "metric",  # building_m2, land_m2, places, count
        "per",  # 1000_people, 100_households …
        "least",  # the standard's figure, in metric per `per`
        "most",
        "base",  # how many people (elders, households …) the group has; NA where not known
        "facilities",  # existing ones in the group
        "size_unknown",  # of those, whose figure nobody stated: unknown is not zero
        "existing",  # sum of the figures that are known
        "existing_per",  # existing ÷ base, in metric per `per`
        "needed",  # least × base
        "shortfall",  # needed - existing, at least 0; at most so much where `status` is unknown
        "status",  # enough, short, unknown, no_data, few_people (for less than half a facility)
        "basis",  # stated: the standard gives the figure; derived: from the people one facility serves at most
        "confidence",
        "clause",
        "clause_en",
    ),
    "access": (  # supply within the walk shared among those who compete for it (floating catchments)
        "facility_class",
        "circle",
        "limit",
        "unit",
        "method",  # 2sfca, e2sfca, e2sfca_steps, 3sfca
        "supply",  # what is shared: places, building_m2, land_m2, count
        "measure",  # who shares it: the group the class is for, people where that is not known
        "group_kind",
        "group_id",
        "group_name",
        "total",
        "unknown",  # of those, off the street network
        "partly_unknown",  # of those, who have beside a known supply one near that nobody stated: theirs is too low
        "without",  # of those, with none within the limit
        "share_without",  # without / (total - unknown)
        "mean_per_1000",  # supply per 1000 of the measure; NaN where nobody's walk is known
        "facilities",  # of the class, in and around the study area
        "supply_unknown",  # of those, whose supply nobody stated and which are left out
        "status",  # ok, no_supply, no_data
        "confidence",  # of the limit
        "clause",
    ),
    "equity": (
        "facility_class",
        "circle",
        "value",  # walk (to the nearest), access (e2sfca)
        "unit",
        "group_kind",  # city, ring
        "group_id",
        "group_name",
        "measure",  # people, elders_60
        "people",  # of the measure, whose value is known
        "beyond",  # of those, from whom no way leads to any; left out of what follows
        "mean",
        "gini",
        "theil",
        "theil_between",  # of the rings; the two add up to theil; of the city only
        "theil_within",
        "against_all",  # mean ÷ mean of all people of the city
    ),
    "sensitivity": (
        "facility_class",
        "circle",
        "measure",  # the group the class is for, people where that is not known
        "walker",
        "factor",  # of the limit
        "limit",
        "unit",
        "total",
        "covered",
        "uncovered",
        "unknown",
        "rate",
        "change",  # in rate against the study's walker and limit
        "confidence",  # of the limit, before the factor
        "clause",
    ),
    "indicators": (  # shares and numbers that standards report, by their own definitions
        "standard",
        "standard_name",
        "standard_name_en",
        "indicator",
        "name",
        "name_en",
        "group_kind",
        "group_id",
        "group_name",
        "measure",  # people, residential_m2, compounds, places; count: of compounds
        "basis",  # walk, radius (straight), meets (neighbourhoods that meet every rule asked for)
        "limit",  # in unit; NaN where it counts by several
        "unit",  # m or s
        "facilities",  # that count for it, in and around the study area
        "total",  # NA where the study knows nothing of the measure
        "covered",
        "uncovered",
        "unknown",
        "numerator",  # covered; of a count the uncovered
        "denominator",  # covered + uncovered; NA of a count
        "value",  # numerator ÷ denominator; of a count its numerator; NaN where a class that would decide has no data
        "target",
        "status",  # met, not_met, no_target, unknown (what is not known would decide, or nothing is there), no_data
        "confidence",
        "formula",
        "formula_en",
        "clause",
        "clause_en",
    ),
    "repairs": ("layer", "file", "feature", "what", "area_before_m2", "area_after_m2"),
    "merges": ("facility_class", "kept", "dropped", "kept_name", "dropped_name", "distance_m", "likeness", "why"),
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
    kept
        What siting needs to be asked again; ``None`` where the findings were read from disk, whence
        `lifecircle.layers.offerstore.load_kept` reads it when it is wanted.

    Examples
    --------
    >>> len(LAYERS), len(TABLES)
    (15, 22)
    """

    layers: Mapping[str, gpd.GeoDataFrame]
    tables: Mapping[str, pd.DataFrame]
    manifest: Mapping[str, Any]
    kept: Kept | None = None


def empty_table(name: str) -> pd.DataFrame:
    """Return a table of the findings without rows.

    Examples
    --------
    >>> empty_table("repairs").shape
    (0, 6)
    """
    return pd.DataFrame({column: pd.Series(dtype=object) for column in TABLES[name]})
