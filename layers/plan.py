"""From a study to its findings: the one verb of the product, as a chain of named steps."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from .candidates import candidates_of, classes_sited
from .columns import floats
from .compatibility import compatibility_of
from .contracts import AGE_COLUMNS
from .demand import Demand, demand_of
from .facilities import FoundFacilities, few_notes, few_recorded, find_facilities
from .facility_counts import counted_now
from .findings import LAYERS, MEASURES, TABLES, Findings, empty_table
from .gaps import coverage_table, gap_rows, missing_by_compound, missing_table
from .groups import Areas, areas_of, counted_zones, groups_of
from .indicators import Asked, indicators_of
from .landpieces import Land, land_of, with_land
from .manifest import manifest_of
from .measured import Case, measured
from .offers import Kept, offers_of
from .projects import FoundProjects, find_projects
from .proposals import Proposals, propose
from .residents import Groups, Residents, Walks
from .rings import count_rings, find_rings
from .standards import Rule, Standard, load_standard
from .steps import Steps
from .streets import Streets, network_of
from .surfaces import write_surfaces
from .walks import (
    Walk,
    arrivals_cut,
    boundaries,
    circles_of,
    component_rows,
    edge_cuts,
    known_walks,
    no_way_notes,
    snap_rows,
    some,
    walk_of,
    walks_of,
    xy_of,
)
from .zoned import FoundZoning, verdict_table, zoned
from .zones import zone_of
from .zoning import find_parcels

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ..gis.snap import Positions, Snapped
    from .study import Note, Study


@dataclass(frozen=True, slots=True)
class _Ground:
    """What a study says before anybody walks."""

    study: Study
    standard: Standard
    asked: tuple[Asked, ...]
    rings: gpd.GeoDataFrame
    facilities: FoundFacilities
    demand: Demand
    projects: FoundProjects
    parcels: gpd.GeoDataFrame
    zoning: FoundZoning
    areas: Areas
    land: Land
    groups: list[Groups]
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class _Placed:
    """Demand, facilities and candidates on the network; ``positions`` are of the demand and the land after it."""

    walk: Walk
    residents: Residents
    positions: Positions
    demand: Snapped
    facilities: Snapped
    candidates: gpd.GeoDataFrame
    sites: Snapped
    edge_cut: NDArray[np.bool_]
    notes: tuple[Note, ...]
    refusals: pd.DataFrame


def find(study: Study, *, steps: Steps | None = None, surfaces: Path | None = None) -> Findings:
    """Return everything a study finds: groups, people, walks, circles, coverage, gaps, sites, with notes.

    Parameters
    ----------
    study
        As `lifecircle.layers.load.load_study` returns it.
    steps
        Told of each step, measures it.
    surfaces
        Folder for a raster of the walk to each facility class; none are made when not given.

    Raises
    ------
    InputError
        When the study holds no streets, or nothing that says where people live.
    """
    steps = steps or Steps()
    with steps.step("steps.groups"):
        standard = load_standard(_standard_path(study))
        rings = find_rings(study)
        asked = indicators_of(study, standard)
        beside = frozenset(name for one in asked for name in one.classes)
        facilities = find_facilities(study, standard, beside=beside)
    with steps.step("steps.people"):
        demand = demand_of(study, rings=rings.frame)
        projects = find_projects(study, rings.frame, demand)
        parcels = find_parcels(study, rings.frame)
        zoning = zoned(study, rings.frame, parcels.frame, projects.frame)
        notes = (*rings.notes, *demand.notes, *facilities.notes, *projects.notes, *parcels.notes, *zoning.notes)
        areas = areas_of(study, rings.frame, demand, projects.frame)
        land = land_of(parcels.frame, demand.neighbourhoods, areas.polygons)
        groups = groups_of(study.settings.study.name, areas, demand, land)
        notes = (*notes, *areas.notes, *land.notes)
        ground = _Ground(
            study=study,
            standard=standard,
            asked=asked,
            rings=rings.frame,
            facilities=facilities,
            demand=demand,
            projects=projects,
            parcels=parcels.frame,
            zoning=zoning,
            areas=areas,
            land=land,
            groups=groups,
            notes=notes,
        )
    with steps.step("steps.network"):
        streets = network_of(study)
    with steps.step("steps.snapping"):
        placed = _place(ground, streets)
    with steps.step("steps.reach"):
        found = (facilities.frame, placed.facilities.positions, facilities.with_data)
        walks = walks_of(placed.walk, placed.residents, placed.positions, standard.rules, found)
    with steps.step("steps.circles"):
        circles = _circles(ground, placed)
        if surfaces is not None:
            where = (facilities.frame, placed.facilities.positions)
            west, south, east, north = study.area.total_bounds.tolist()
            write_surfaces(placed.walk, where, surfaces, bounds=(west, south, east, north))
    with steps.step("steps.siting"):
        kept = _kept(ground, placed, walks)
        sited = [rule.facility_class for rule in standard.rules if rule.sited]
        proposals = propose(kept, study.settings.siting, sited)
    with steps.step("steps.coverage"):
        layers, tables = _gaps(ground, placed, walks, proposals)
        layers |= {"circles": circles, **_drawn(ground, streets)}
        tables |= _audits(ground, placed)
        layers = {name: _ordered(_unknown_as_missing(layers[name], demand), LAYERS[name]) for name in LAYERS}
        tables |= _mended(ground)
        measures, measured_notes = measured(_case(ground, placed, walks))
        tables |= measures
        tables = {name: tables[name] if name in tables else empty_table(name) for name in TABLES}
        notes = (
            *ground.notes,
            *few_notes(_few(ground)),
            *streets.notes,
            *placed.notes,
            *no_way_notes(placed.residents, walks),
            *measured_notes,
            *proposals.notes,
        )
        manifest = manifest_of(
            study,
            standard,
            layers,
            tables,
            walker=placed.walk.walker,
            gates=streets.network.walls.policy,
            notes=notes,
            warnings=(*demand.warnings, *streets.warnings, *proposals.warnings),
        )
    return Findings(layers=layers, tables=tables, manifest=manifest, kept=kept)


def _standard_path(study: Study) -> str | Path:
    """Return the standard a study names: a key, or a path from where study.toml lies."""
    named = study.settings.study.standard
    return study.folder / named if named.endswith(".toml") else named


def _place(ground: _Ground, streets: Streets) -> _Placed:
    """Return demand, facilities and candidates on the network."""
    study, demand = ground.study, ground.demand
    walk = walk_of(study, streets.network)
    at_home = walk.place(demand.points.geometry)
    residents = Residents(
        demand_id=demand.points["demand_id"].tolist(),
        xy=xy_of(demand.points.geometry),
        counts={name: demand.points[name].to_numpy(dtype=np.int64) for name in MEASURES if name in demand.known},
        compound=demand.compound,
        known=known_walks(at_home),
    )
    on_land = walk.place_xy(ground.land.xy)
    residents = with_land(residents, ground.land, known_walks(on_land))
    people = demand.points["people"].to_numpy(dtype=np.int64)
    edge_cut, cut_notes = edge_cuts(walk, at_home.positions, ground.standard.rules, people)
    candidates = candidates_of(
        study, ground.standard, streets.network, facilities=ground.facilities, rings=ground.rings
    )
    frame = candidates.frame.reset_index(drop=True)
    spots = frame.geometry.representative_point()
    ring = zone_of(spots.to_numpy(), ground.rings.geometry.to_numpy(), nearest=True)
    frame["cost_yuan"] = _costs(study, frame)
    frame["ring_id"] = ground.rings["ring_id"].to_numpy()[ring]
    return _Placed(
        walk,
        residents,
        at_home.positions.plus(on_land.positions),
        at_home,
        walk.place_doors(ground.facilities.doors, ground.facilities.door_owner, len(ground.facilities.frame)),
        frame,
        walk.place(spots, arriving=True),
        edge_cut,
        (*cut_notes, *candidates.notes),
        candidates.refusals,
    )


def _costs(study: Study, frame: gpd.GeoDataFrame) -> NDArray[np.float64]:
    """Return what each candidate costs by the land layer; NaN where it states nothing."""
    land = study.layers.get("land")
    if land is None or "cost_yuan" not in land.columns:
        return np.full(len(frame), np.nan)
    stated = pd.Series(floats(land, "cost_yuan"), index=land["site_id"].astype(str))
    costs = frame["site_id"].astype(str).map(stated[~stated.index.duplicated()])
    return np.asarray(costs, dtype=np.float64)


def _kept(ground: _Ground, placed: _Placed, walks: dict[str, Walks]) -> Kept:
    """Return all that siting needs, to choose sites now and again later."""
    offers = offers_of(
        placed.walk,
        (placed.residents, placed.positions),
        ground.standard.rules,
        walks,
        (ground.facilities.frame, placed.facilities.positions),
        (placed.candidates, placed.sites.positions),
        ground.study.settings.siting,
        classes=classes_sited(ground.study, ground.standard),
    )
    return Kept(placed.residents, ground.groups, offers, ground.study.crs)


def _circles(ground: _Ground, placed: _Placed) -> gpd.GeoDataFrame:
    """Return the service circles of every class that has facilities: 5 to 15 minutes, and its own limit."""
    frame = ground.facilities.frame
    exists = counted_now(frame)
    walls = boundaries(ground.study.layers, "river", "water", "railway", "wall")

    def rows_of(rule: Rule) -> list[dict[str, object]]:
        of_class = exists & frame["facility_class"].isin(rule.classes).to_numpy()
        if not of_class.any():
            return []
        sites = some(placed.facilities.positions, of_class)
        fixed = {"facility_class": rule.facility_class, "unit": placed.walk.walker.unit, "sites": sites.count}
        return [
            {**fixed, "minutes": minutes, "limit": limit, "area_m2": shapely.area(shape), "geometry": shape}
            | ({"confidence": rule.confidence, "clause": rule.clause} if limit == placed.walk.limit(rule) else {})
            for minutes, limit, shape in circles_of(placed.walk, sites, walls, rule)
        ]

    # The work is in compiled code that lets other threads run; the order of the rows is the standard's all the same.
    with ThreadPoolExecutor() as pool:
        rows = [row for found in pool.map(rows_of, ground.standard.rules) for row in found]
    columns = [*LAYERS["circles"], "geometry"]
    return gpd.GeoDataFrame(pd.DataFrame(rows, columns=columns), geometry="geometry", crs=ground.study.crs)


def _case(ground: _Ground, placed: _Placed, walks: dict[str, Walks]) -> Case:
    """Return what provision, access, equity, sensitivity and indicators are counted from."""
    return Case(
        study=ground.study,
        standard=ground.standard,
        areas=ground.areas,
        groups=ground.groups,
        walk=placed.walk,
        residents=placed.residents,
        demand=placed.positions,
        facilities=(ground.facilities.frame, placed.facilities.positions, ground.facilities.with_data),
        walks=walks,
        found=ground.facilities,
        asked=ground.asked,
    )


def _gaps(
    ground: _Ground, placed: _Placed, walks: dict[str, Walks], proposals: Proposals
) -> tuple[dict[str, gpd.GeoDataFrame], dict[str, pd.DataFrame]]:
    """Return what is counted: coverage, the missing list, gaps and sites."""
    rules, homes = ground.standard.rules, ground.demand.neighbourhoods
    later = {
        name: replace(found, after_cost=proposals.after.get(name), after_alone=name in proposals.closed)
        for name, found in walks.items()
    }
    missing = missing_table(placed.residents, homes, rules, walks)
    lacking = missing_by_compound(missing, homes)
    stand = ground.facilities.frame
    facilities = stand.assign(
        access_m=placed.facilities.access_m,
        snap=placed.facilities.status.astype(object),
        edge_cut=arrivals_cut(placed.walk, placed.facilities.positions, stand["facility_class"], rules),
    )
    demand = ground.demand.points.assign(
        access_m=placed.demand.access_m, snap=placed.demand.status.astype(object), edge_cut=placed.edge_cut
    )
    layers = {
        "compounds": homes.assign(**{str(name): lacking[name] for name in lacking.columns}),
        "facilities": facilities,
        "demand": demand,
        "gaps": gap_rows(placed.residents, rules, walks, crs=ground.study.crs),
        "sites": proposals.sites,
        "candidates": placed.candidates,
    }
    tables = {
        "coverage": coverage_table(placed.residents, ground.groups, rules, later),
        "missing": missing,
        "sites": pd.DataFrame(proposals.sites.drop(columns="geometry")),
        "siting": proposals.siting,
        "curve": proposals.curve,
        "unreachable": proposals.unreachable,
        "facilities_by_class": _by_class(ground, rules, walks),
    }
    return layers, tables


def _by_class(ground: _Ground, rules: tuple[Rule, ...], walks: dict[str, Walks]) -> pd.DataFrame:
    """Return how many facilities of each class exist in and around the area, and what the source says of the class."""
    frame = ground.facilities.frame
    frame = frame[counted_now(frame)]
    inside = shapely.covers(ground.study.area.union_all(), frame.geometry.to_numpy())
    exists = frame[inside].groupby("facility_class")
    count, capacity = exists.size(), exists["capacity"].sum(min_count=1)
    outside = frame[~inside].groupby("facility_class").size()
    few = _few(ground)
    return pd.DataFrame(
        [
            {
                "facility_class": rule.facility_class,
                "circle": rule.circle,
                "required": rule.required,
                "existing": int(count.reindex(list(rule.classes)).sum()),
                "outside": int(outside.reindex(list(rule.classes)).sum()),
                "capacity": float(capacity.reindex(list(rule.classes)).sum(min_count=1)),
                "status": (
                    "no_data"
                    if not walks[rule.facility_class].has_data
                    else "few"
                    if rule.facility_class in few
                    else "ok"
                ),
            }
            for rule in rules
        ],
        columns=list(TABLES["facilities_by_class"]),
    )


def _few(ground: _Ground) -> dict[str, int]:
    """Return the required classes of which the source holds doubtfully few."""
    people = int(ground.demand.points["people"].sum())
    return few_recorded(ground.facilities.frame, ground.standard.rules, people)


def _drawn(ground: _Ground, streets: Streets) -> dict[str, gpd.GeoDataFrame]:
    """Return the layers that are shown as they are, with their counts."""
    study, demand, network = ground.study, ground.demand, streets.network
    points = demand.points
    homes = demand.neighbourhoods
    drawn = network.edge_length_m > 0
    edges = gpd.GeoDataFrame(
        {
            "highway": np.asarray(network.classes, dtype=object)[network.edge_class[drawn]],
            "length_m": network.edge_length_m[drawn],
            "component": network.edge_component[drawn].astype(np.int64),
        },
        geometry=network.edge_lines()[drawn],
        crs=study.crs,
    )
    area = gpd.GeoDataFrame({"name": [study.settings.study.name]}, geometry=[study.area.union_all()], crs=study.crs)
    return {
        "area": area,
        "rings": count_rings(ground.rings, points, homes, ground.projects.frame),
        "districts": _counted_districts(study, points, homes),
        "zones": _or_empty(counted_zones(ground.areas, ground.groups, demand), "zones", study),
        "parcels": ground.parcels,
        "projects": ground.projects.frame,
        "streets": edges,
        "barriers": _barriers(study),
    }


def _counted_districts(study: Study, points: pd.DataFrame, homes: pd.DataFrame) -> gpd.GeoDataFrame:
    """Return the sub-districts with the people counted in them by this study."""
    layer = study.layers.get("districts")
    if layer is None:
        return _empty("districts", study)
    counted = ("people", "elders_60", "households")
    counts = points.groupby("district_id")[[*counted]].sum()
    of_district = {name: layer["district_id"].map(counts[name]).fillna(0).astype(np.int64) for name in counted}
    compounds = layer["district_id"].map(homes["district_id"].value_counts()).fillna(0).astype(np.int64)
    plain = layer[["district_id", "name", "geometry"]]
    return gpd.GeoDataFrame(plain.assign(area_m2=layer.area, **of_district, compounds=compounds))


def _barriers(study: Study) -> gpd.GeoDataFrame:
    """Return rivers, railways and walls for drawing."""
    layer = study.layers.get("barriers")
    if layer is None:
        return _empty("barriers", study)
    named = layer if "name" in layer.columns else layer.assign(name=None)
    return gpd.GeoDataFrame(named[["kind", "name", "geometry"]])


def _or_empty(layer: gpd.GeoDataFrame | None, name: str, study: Study) -> gpd.GeoDataFrame:
    """Return a layer, one without rows where there is none."""
    return _empty(name, study) if layer is None else layer


def _empty(name: str, study: Study) -> gpd.GeoDataFrame:
    """Return a layer of the findings that has no rows."""
    columns = {column: pd.Series(dtype=object) for column in LAYERS[name]}
    return gpd.GeoDataFrame(columns, geometry=gpd.GeoSeries([], crs=study.crs), crs=study.crs)


def _audits(ground: _Ground, placed: _Placed) -> dict[str, pd.DataFrame]:
    """Return the tables that let a reader check: land use, projects, snapping, components."""
    people = ground.demand.points["people"].to_numpy(dtype=np.int64)
    network = placed.walk.network
    snapping = [
        snap_rows(network, "demand", ground.demand.points["demand_id"], placed.demand),
        snap_rows(network, "facilities", ground.facilities.frame["facility_id"], placed.facilities),
        snap_rows(network, "candidates", placed.candidates["site_id"], placed.sites).drop_duplicates("id"),
    ]
    return {
        **ground.zoning.tables,
        "land_verdicts": verdict_table(placed.candidates, compatibility_of(ground.study)),
        "projects_by_ring": ground.projects.by_ring,
        "refusals": placed.refusals,
        "snapping": pd.concat(snapping, ignore_index=True),
        "components": component_rows(network, placed.demand, people, placed.facilities),
    }


def _mended(ground: _Ground) -> dict[str, pd.DataFrame]:
    """Return what reading mended and what was merged away, for a reader who wants to undo it."""
    found = {"repairs": ground.study.repairs, "merges": ground.facilities.merges}
    return {
        name: empty_table(name) if table.empty else table.reindex(columns=list(TABLES[name]))
        for name, table in found.items()
    }


def _unknown_as_missing(frame: gpd.GeoDataFrame, demand: Demand) -> gpd.GeoDataFrame:
    """Return a layer in which a group that nobody counted is missing, where a 0 would be taken for a count."""
    groups = ("elders_60", *AGE_COLUMNS)
    unknown = [name for name in dict.fromkeys(groups) if name in frame.columns and name not in demand.known]
    missing = pd.Series(pd.NA, index=frame.index, dtype="Int64")
    return gpd.GeoDataFrame(frame.assign(**dict.fromkeys(unknown, missing)))


def _ordered(frame: gpd.GeoDataFrame, columns: tuple[str, ...]) -> gpd.GeoDataFrame:
    """Return a layer with its columns in the order of the findings, and nothing else."""
    return gpd.GeoDataFrame(frame[[*columns, "geometry"]].reset_index(drop=True))
