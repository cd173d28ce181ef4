"""Renewal projects: the ring that holds each, people before and after, conflicts with the ring's policy, totals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ..gis.areal import round_in_groups, share_by_area
from .columns import floats, labels, picked, texts
from .study import Note
from .zones import zone_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..gis.areal import Overlaps
    from .demand import Demand
    from .study import Study

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

COLUMNS = (
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
    "planned_use",
    "height_after_m",
    "ring_id",
    "against_policy",
)
"""Columns of the findings' layer ``projects``; the frame has ``against_reason`` too."""

TOLERANCE = 0.10
"""Floor area or people that change by no more than this share of what there was keep to any policy."""
CLEARING = frozenset({"shantytown", "urban_village"})
"""Kinds of project that demolish where they do not say otherwise."""
SUMMED = ("households", "people_before", "people_after")
"""What the table by ring splits into whole numbers."""
UNKNOWN = {
    "households": "households_unknown",
    "floor_area_m2": "floor_area_unknown",
    "people_before": "people_before_unknown",
    "people_after": "people_after_unknown",
}
"""Columns of the table by ring, and the columns that count the projects of a row which state no value for them."""


@dataclass(frozen=True, slots=True)
class FoundProjects:
    """The projects of a study, their totals by ring, and what was assumed.

    Parameters
    ----------
    frame
        `COLUMNS`, ``against_reason`` (a key of the texts ``projects``, missing where nothing is against) and geometry.
        Counts are Int64: missing is unknown, not zero.
    by_ring
        The findings' table ``projects_by_ring``: ring, kind, way, and sums that add up to those of the projects.
    notes
        What was left out or assumed.
    """

    frame: gpd.GeoDataFrame
    by_ring: pd.DataFrame
    notes: tuple[Note, ...]


def projects_of(study: Study, rings: gpd.GeoDataFrame, demand: Demand) -> gpd.GeoDataFrame:
    """Return the projects of a study; `find_projects` tells also the totals by ring and what was assumed."""
    return find_projects(study, rings, demand).frame


def find_projects(study: Study, rings: gpd.GeoDataFrame, demand: Demand) -> FoundProjects:
    """Return the projects of a study with their ring, people before and after, and the totals by ring.

    A project belongs to the ring that holds most of it; in the totals its area, households and floor area are shared by
    the area in each ring, whole numbers by the largest remainder. People before are those who live in it now; where no
    home is known in it, its households times the persons of a household. People after follow from the households after,
    else the floor area after; a project that is kept or converted without figures keeps its people.

    Parameters
    ----------
    study
        Its layer ``projects``; its ``[people]``.
    rings
        As `lifecircle.layers.rings.rings_of` returns them.
    demand
        As `lifecircle.layers.demand.demand_of` returns it.
    """
    raw = study.layers.get("projects")
    notes: list[Note] = []
    if raw is None or raw.empty:
        raw = gpd.GeoDataFrame(geometry=[], crs=study.crs)
    ids = [own or str(row) for row, own in enumerate(texts(raw, "project_id"), start=1)]
    raw = raw.assign(project_id=labels(ids).to_numpy())
    overlaps = share_by_area(raw.geometry.to_numpy(), rings.geometry.to_numpy())
    largest = overlaps.largest()
    if (largest < 0).any():
        notes.append(Note("projects.outside", {"names": ", ".join(np.array(_names(raw))[largest < 0])}))
        raw, largest = raw[largest >= 0], largest[largest >= 0]
        overlaps = share_by_area(raw.geometry.to_numpy(), rings.geometry.to_numpy())
    shapes = raw.geometry.to_numpy()
    project = zone_of(demand.points.geometry.to_numpy(), shapes)
    frame = _frame(raw, study, project, demand, notes)
    frame["ring_id"] = picked(rings, "ring_id", largest)
    reasons = [
        against(policy, way, kind=kind, floor=floor, people=people)
        for policy, way, kind, (floor, people) in zip(
            picked(rings, "policy", largest).fillna("none"),
            texts(raw, "way"),
            texts(raw, "kind"),
            _growth(frame),
            strict=True,
        )
    ]
    frame["against_policy"] = np.array([reason is not None for reason in reasons], dtype=np.bool_)
    frame["against_reason"] = labels([reason or "" for reason in reasons])
    shared = _shared_m2(shapes)
    if shared > 1.0:
        notes.append(Note("projects.overlap", {"hectares": round(shared / 1e4, 2)}))
    table = _by_ring(frame, rings, overlaps, _people_pairs(frame, project, demand, rings, overlaps))
    return FoundProjects(frame[[*COLUMNS, "against_reason", "geometry"]], table, tuple(notes))


def against(
    policy: str, way: str, *, kind: str = "", floor: float | None = None, people: float | None = None
) -> str | None:
    """Return why a project goes against its ring's policy, or `None`.

    In a ring that is to lose (``subtract``) or keep what it has, floor area or people must not grow by more than
    `TOLERANCE`; where something is to be kept nothing is demolished, and a project of a kind that usually clears its
    ground must state another way; in a ring that is to gain (``multiply``), floor area (where it is unknown, people)
    must not shrink by more.

    Parameters
    ----------
    policy
        ``keep``, ``subtract``, ``multiply`` or ``none``.
    way
        ``keep``, ``convert``, ``demolish`` or empty.
    kind
        A kind of `lifecircle.layers.contracts.PROJECT_KINDS`, or empty.
    floor, people
        Growth of floor area and of people as a share of what there was, below 0 where it shrinks; ``None`` unknown.

    Examples
    --------
    >>> against("subtract", "demolish", floor=0.7), against("subtract", "convert", floor=0.04, people=0.0)
    ('grows_where_less_is_wanted', None)
    >>> against("keep", "demolish"), against("multiply", "convert", floor=-0.2)
    ('demolishes_where_kept', 'shrinks_where_more_is_wanted')
    """
    known = [growth for growth in (floor, people) if growth is not None]
    if policy == "keep" and way == "demolish":
        return "demolishes_where_kept"
    if policy == "keep" and not way and kind in CLEARING:
        return "clears_where_kept"
    if policy in {"subtract", "keep"} and any(growth > TOLERANCE for growth in known):
        return "grows_where_less_is_wanted"
    if policy == "multiply" and known and known[0] < -TOLERANCE:
        return "shrinks_where_more_is_wanted"
    return None


def _names(raw: gpd.GeoDataFrame) -> list[str]:
    return [name or f"#{row}" for row, name in enumerate(texts(raw, "name"), start=1)]


def _frame(raw: gpd.GeoDataFrame, study: Study, project: Ints, demand: Demand, notes: list[Note]) -> gpd.GeoDataFrame:
    """Return the columns that need no ring."""
    settings = study.settings.people
    people = demand.points["people"].to_numpy(dtype=np.int64)
    lived = np.bincount(project[project >= 0], people[project >= 0], minlength=len(raw)).astype(np.float64)
    households, after = floats(raw, "households"), floats(raw, "households_after")
    floor, floor_after = floats(raw, "floor_area_m2"), floats(raw, "floor_area_after_m2")
    by_households = (lived == 0) & (households > 0)
    before = np.where(by_households, np.round(households * settings.persons_per_household), lived)
    if by_households.any():
        detail = {"count": int(by_households.sum()), "persons": settings.persons_per_household}
        notes.append(Note("projects.people_by_households", detail))
    way = np.array(texts(raw, "way"), dtype=object)
    later = np.round(after * settings.persons_per_household)
    later = np.where(np.isnan(later), np.round(floor_after / settings.m2_per_person), later)
    later = np.where(np.isnan(later) & (way != "demolish"), before, later)
    columns: dict[str, object] = {
        "project_id": labels(texts(raw, "project_id")),
        "name": labels(_names(raw)),
        **{name: labels(texts(raw, name)) for name in ("kind", "way", "stage", "tenure")},
        "year": _whole(floats(raw, "year")),
        "area_m2": shapely.area(raw.geometry.to_numpy()),
        "households": _whole(households),
        "households_after": _whole(after),
        "floor_area_m2": floor,
        "floor_area_after_m2": floor_after,
        "people_before": _whole(before),
        "people_after": _whole(later),
        "planned_use": labels(texts(raw, "planned_use")),
        "height_after_m": floats(raw, "height_after_m"),
    }
    return gpd.GeoDataFrame(columns, geometry=raw.geometry.to_numpy(), crs=study.crs)


def _whole(values: Floats) -> pd.Series[int]:
    return pd.Series(np.round(values)).astype("Int64")


def _growth(frame: pd.DataFrame) -> list[tuple[float | None, float | None]]:
    """Return by what share floor area and people of each project grow; `None` where unknown.

    People grow as households do where both figures of them are stated, for those compare like with like; people before
    and after, one of them worked out, only speak where neither households nor floor area do.
    """
    floor = _grown(frame, "floor_area_m2", "floor_area_after_m2")
    households = _grown(frame, "households", "households_after")
    worked_out = np.where(np.isnan(floor), _grown(frame, "people_before", "people_after"), np.nan)
    people = np.where(np.isnan(households), worked_out, households)
    pairs = zip(floor.tolist(), people.tolist(), strict=True)
    return [(None if np.isnan(a) else a, None if np.isnan(b) else b) for a, b in pairs]


def _grown(frame: pd.DataFrame, before: str, after: str) -> Floats:
    """Return growth as a share of what there was: infinite from nothing to something, 0 from nothing to nothing."""
    was, will = floats(frame, before), floats(frame, after)
    change = will - was
    share = np.divide(change, was, out=np.where(change > 0, np.inf, change), where=was > 0)
    return np.asarray(share, dtype=np.float64)


def _shared_m2(shapes: NDArray[np.object_]) -> float:
    """Return the ground that several projects claim, counted once for each claim beyond the first."""
    if not len(shapes):
        return 0.0
    return float(shapely.area(shapes).sum() - shapely.union_all(shapes).area)


def _people_pairs(
    frame: pd.DataFrame, project: Ints, demand: Demand, rings: gpd.GeoDataFrame, overlaps: Overlaps
) -> Ints:
    """Return the people before of each pair of project and ring: where they live, else shared by area."""
    before = floats(frame, "people_before")
    split = _split(overlaps, before)
    pair = {key: row for row, key in enumerate(zip(overlaps.polygon.tolist(), overlaps.zone.tolist(), strict=True))}
    largest = overlaps.largest()
    ring = {ring_id: row for row, ring_id in enumerate(rings["ring_id"])}
    lived = np.zeros(len(split), dtype=np.int64)
    inside = demand.points[["ring_id", "people"]][project >= 0].assign(project=project[project >= 0])
    counted: set[int] = set()
    sums = inside.groupby(["project", "ring_id"], as_index=False)["people"].sum()
    for own, ring_id, people in zip(
        sums["project"].tolist(), sums["ring_id"].tolist(), sums["people"].tolist(), strict=True
    ):
        counted.add(own)
        lived[pair.get((own, ring[ring_id]), pair[own, int(largest[own])])] += people
    by_place = np.isin(overlaps.polygon, sorted(counted))
    return np.where(by_place, lived, split)


def _split(overlaps: Overlaps, totals: Floats) -> Ints:
    """Return whole totals of projects split among the rings by area; 0 where the total is unknown."""
    return round_in_groups(overlaps.share, overlaps.polygon, np.nan_to_num(totals).astype(np.int64))


def _by_ring(frame: gpd.GeoDataFrame, rings: gpd.GeoDataFrame, overlaps: Overlaps, before: Ints) -> pd.DataFrame:
    """Return the table of projects by ring, kind and way; each sum adds up to that of the projects.

    A sum is of the projects that state the value; those of a row which do not are counted beside it.
    """
    inside = np.bincount(overlaps.polygon, overlaps.share, minlength=len(frame))
    share = overlaps.share / inside[overlaps.polygon]  # ground beyond the study area goes along with the rest
    own = overlaps.polygon
    largest = overlaps.largest()
    rows = pd.DataFrame(
        {"ring": overlaps.zone, "kind": frame["kind"].to_numpy()[own], "way": frame["way"].to_numpy()[own]}
    )
    rows["projects"] = (overlaps.zone == largest[own]).astype(np.int64)
    for column in ("area_m2", "floor_area_m2"):
        rows[column] = floats(frame, column)[own] * share
    for column in SUMMED:
        total = floats(frame, column)
        whole = before if column == "people_before" else _split(overlaps, total)
        rows[column] = pd.Series(np.where(np.isnan(total[own]), np.nan, whole)).astype("Int64")
    for column, counted in UNKNOWN.items():
        rows[counted] = rows[column].isna().astype(np.int64)
    rows[["kind", "way"]] = rows[["kind", "way"]].fillna("")
    grouped = rows.groupby(["ring", "kind", "way"], sort=True)
    sums = grouped[["area_m2", "floor_area_m2", *SUMMED]].sum(min_count=1)
    table = sums.join(grouped[["projects", *UNKNOWN.values()]].sum()).reset_index()
    ring = table["ring"].to_numpy(dtype=np.int64)
    table.insert(0, "ring_id", picked(rings, "ring_id", ring))
    table.insert(1, "ring_name", picked(rings, "name", ring))
    table["kind"], table["way"] = labels(table["kind"].tolist()), labels(table["way"].tolist())
    order = ["ring_id", "ring_name", "kind", "way", "projects", "area_m2"]
    return table[[*order, *UNKNOWN, *UNKNOWN.values()]]
