"""Layers of the made-up city as tables: area, sub-districts, compounds, gates, streets, buildings, barriers, rings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from .sample_blocks import HIGHWAYS, Streets
from .sample_lots import Lots, lot_points
from .sample_names import compound_names, district_names, street_names
from .sample_people import Houses, Residents, cell_polygons, make_districts
from .sample_plan import CORE, CRS, OLD, PARK, RAIL, RIVER, VILLAGE, Floats, Ints, Plan
from .sample_streets import (
    Lanes,
    edge_points,
    hill_paths,
    lane_lines,
    make_segments,
    marks,
    motorway,
    ramps,
    second_ring,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

CLOSED_SHARE = 0.012
"""Share of walled compounds of which no gate is known."""


def _frame(columns: Mapping[str, object], geometry: object) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(pd.DataFrame(dict(columns)), geometry=np.asarray(geometry, dtype=object), crs=CRS)


def ids(letter: str, count: int) -> list[str]:
    """Return identifiers: a letter and a number of six digits."""
    return [f"{letter}{number:06d}" for number in range(1, count + 1)]


def _compound_polygons(plan: Plan, streets: Streets, lots: Lots, lanes: Lanes, lot: Ints) -> NDArray[np.object_]:
    """Return the plots with a vertex wherever a lane passes their edge, so that a gate lies on the wall exactly."""
    on = np.isin(lanes.lot, lot)
    crossing = edge_points(plan, streets, lots, lanes)[on]
    across, upward = lanes.share[on], lanes.upward[on]
    start = np.where(upward, across, 4.0 - across)
    end = np.where(upward, 3.0 - across, 1.0 + across)
    square = np.broadcast_to(np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]), (len(lot), 4, 2))
    corners = plan.warp(lot_points(streets, lots, lot, square))
    owner = np.concatenate([np.repeat(lot, 4), lanes.lot[on], lanes.lot[on]])
    along = np.concatenate([np.tile(np.arange(4.0), len(lot)), start, end])
    points = np.concatenate([corners.reshape(-1, 2), crossing[:, 0], crossing[:, 1]])
    order = np.lexsort((along, owner))
    _, ring = np.unique(owner[order], return_inverse=True)
    return np.asarray(shapely.polygons(shapely.linearrings(points[order], indices=ring)), dtype=object)


def make_compounds(plan: Plan, streets: Streets, lots: Lots, lanes: Lanes, residents: Residents) -> gpd.GeoDataFrame:
    """Return the compounds: every residential plot, some attributes unknown as in any survey."""
    rng = plan.random(13)
    lot = residents.lot
    kind, year = lots.kind[lot], lots.year[lot]
    count = len(lot)

    def unknown(values: Ints, share: float) -> pd.Series[int]:
        return pd.Series(values).mask(rng.random(count) < share).astype("Int64")

    tenure = np.select(
        [
            kind == VILLAGE,
            (kind == CORE) & (rng.random(count) < 0.45),
            (kind == OLD) & (rng.random(count) < 0.4),
            rng.random(count) < 0.05,
        ],
        ["集体", "公房", "单位", "混合"],
        "国有",
    ).astype(object)
    tenure[rng.random(count) < 0.04] = None
    columns = {
        "compound_id": ids("C", count),
        "name": compound_names(kind, rng),
        "year_built": unknown(year, 0.06),
        "households": residents.households,
        "people": residents.people,
        "floor_area_m2": residents.floor_area_m2,
        "storeys": unknown(lots.storeys[lot], 0.08),
        "tenure": tenure,
        "walled": lots.walled[lot],
        "expropriation": np.where(lots.use[lot] == 2, rng.random(count) < 0.25, rng.random(count) < 0.01),
    }
    return _frame(columns, _compound_polygons(plan, streets, lots, lanes, lot))


def make_gates(plan: Plan, streets: Streets, lots: Lots, lanes: Lanes, residents: Residents) -> gpd.GeoDataFrame:
    """Return gates of walled compounds: at some of the places where a lane passes the wall, some of them closed."""
    rng = plan.random(14)
    lane, end = np.nonzero(lanes.meets & lots.walled[lanes.lot][:, None])
    lot = lanes.lot[lane]
    chance = rng.random(len(lane))
    first = np.zeros(len(lane), dtype=np.bool_)
    order = np.lexsort((-chance, lot))
    first[order[np.flatnonzero(np.diff(lot[order], prepend=-1) != 0)]] = True
    unknown = rng.random(len(lots.block)) < CLOSED_SHARE
    kept = (first | (chance < 0.45)) & ~unknown[lot]
    lane, end, lot, first = lane[kept], end[kept], lot[kept], first[kept]
    place = edge_points(plan, streets, lots, lanes)[lane, end]
    compound = np.zeros(len(lots.block), dtype=np.int64)
    compound[residents.lot] = np.arange(len(residents.lot))
    opened = first | (rng.random(len(lane)) < 0.55)
    columns = {
        "gate_id": ids("G", len(lane)),
        "compound_id": [f"C{number + 1:06d}" for number in compound[lot]],
        "open": opened,
        "passes": np.where(~first & (rng.random(len(lane)) < 0.5), "居民", "公众").astype(object),
    }
    return _frame(columns, shapely.points(place))


def make_streets(plan: Plan, streets: Streets, lots: Lots, lanes: Lanes) -> gpd.GeoDataFrame:
    """Return the street layer: streets by segment, lanes of plots, expressway, ramps, motorway, hill paths, steps."""
    segments = make_segments(plan, streets, lanes)
    highway, bridge, tunnel, level = marks(streets, segments)
    lane_geometry, lane_class = lane_lines(plan, streets, lots, lanes)
    fine = streets.lines.highway[segments.line] >= 4
    paths, steps = hill_paths(plan)
    special = [*second_ring(plan), motorway(plan), *ramps(plan), *paths, *steps]
    kinds = (
        ["trunk"] * 4
        + ["motorway"]
        + ["trunk_link"] * len(ramps(plan))
        + ["path"] * len(paths)
        + ["steps"] * len(steps)
    )
    names = ["二环快速路"] * 4 + ["东出口高速"] + [None] * (len(special) - 5)
    no_foot = np.isin(kinds, ["trunk", "motorway", "trunk_link"])
    up = np.isin(kinds, ["trunk", "motorway"])
    lines = np.array([shapely.linestrings(plan.warp(points)) for points in special], dtype=object)
    n_lane, n_special = len(lane_geometry), len(special)

    def three(first: object, lane: object, last: object) -> NDArray[np.object_]:
        return np.concatenate([np.asarray(part, dtype=object) for part in (first, [lane] * n_lane, last)])

    sidewalk = np.full(len(highway), None, dtype=object)
    sidewalk[np.isin(highway, ["primary", "secondary", "tertiary"])] = "both"
    columns = {
        "highway": np.concatenate(
            [highway.astype(object), np.array(HIGHWAYS, dtype=object)[lane_class], np.array(kinds, dtype=object)]
        ),
        "name": three(street_names(plan, streets.lines.name[segments.line], fine), None, names),
        "level": np.concatenate([level, np.zeros(n_lane, dtype=np.int64), up.astype(np.int64)]),
        "foot": three([None] * len(highway), None, ["no" if forbidden else None for forbidden in no_foot]),
        "sidewalk": three(sidewalk, None, [None] * n_special),
        "bridge": np.concatenate([bridge, np.zeros(n_lane, dtype=np.bool_), up]),
        "tunnel": np.concatenate([tunnel, np.zeros(n_lane + n_special, dtype=np.bool_)]),
    }
    return _frame(columns, np.concatenate([segments.geometry, lane_geometry, lines]))


def make_buildings(houses: Houses) -> gpd.GeoDataFrame:
    """Return residential buildings; storeys of some are unknown."""
    storeys = houses.storeys.astype(np.float64)
    storeys[(houses.lot * 2_654_435_761 + np.arange(len(storeys)) * 97) % 1000 < 60] = np.nan
    columns = {
        "building_id": ids("B", len(storeys)),
        "use": "住宅",
        "storeys": storeys,
        "floor_area_m2": houses.floor_area_m2,
    }
    return _frame(columns, shapely.polygons(houses.corners))


def make_area_and_districts(
    plan: Plan, streets: Streets, lots: Lots, residents: Residents
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Return the study area and its sub-districts with people, households and age groups, sums of their compounds."""
    cell = streets.blocks.cell[lots.block[residents.lot]]
    flat = cell[:, 0] * plan.kind.shape[1] + cell[:, 1]
    people = np.bincount(flat, weights=residents.people, minlength=plan.kind.size).reshape(plan.kind.shape)
    of_cell = make_districts(plan, np.asarray(people, dtype=np.float64)).ravel()
    count = int(of_cell.max()) + 1
    cells = cell_polygons(plan)
    order = np.argsort(of_cell, kind="stable")
    groups = np.split(cells[order], np.cumsum(np.bincount(of_cell))[:-1])
    geometry = np.array([shapely.coverage_union_all(group) for group in groups], dtype=object)
    of_compound = of_cell[flat]

    def sums(values: Ints) -> Ints:
        return np.bincount(of_compound, weights=values, minlength=count).astype(np.int64)

    columns: dict[str, object] = {
        "district_id": [f"340{900 + number // 1000:03d}{number % 1000:03d}" for number in range(1, count + 1)],
        "name": district_names(count, plan.random(15)),
        "people": sums(residents.people),
        "households": sums(residents.households),
    }
    columns |= {key: sums(values) for key, values in residents.ages.items()}
    area = _frame({"name": ["样例城市（虚构）"]}, [shapely.coverage_union_all(cells)])
    return area, _frame(columns, geometry)


def _lattice_run(plan: Plan, axis: int, line: int, low: int, high: int) -> Floats:
    """Return ground points along a lattice line between two others, past both ends by a tenth of a superblock."""
    corner = plan.corner[:, line] if axis == 1 else plan.corner[line]
    run = corner[low : high + 1]
    run = np.concatenate([run[:1] + 0.1 * (run[:1] - run[1:2]), run, run[-1:] + 0.1 * (run[-1:] - run[-2:-1])])
    share = np.arange(8)[None, :, None] / 8
    points = ((1 - share) * run[:-1, None] + share * run[1:, None]).reshape(-1, 2)
    return plan.warp(np.concatenate([points, run[-1:]]))


def _strip_run(plan: Plan, axis: int, position: int, part: float) -> Floats:
    """Return ground points along a strip at a part of its width, from beyond one edge of the city to the other."""
    corner = plan.corner if axis == 0 else plan.corner.transpose(1, 0, 2)
    run = (1 - part) * corner[position] + part * corner[position + 1]
    away = np.array([0.0, 0.10]) if axis == 0 else np.array([0.10, 0.0])
    run = np.concatenate([run[:1] - away * plan.half_m, run, run[-1:] + away * plan.half_m])
    share = np.arange(8)[None, :, None] / 8
    points = ((1 - share) * run[:-1, None] + share * run[1:, None]).reshape(-1, 2)
    return plan.warp(np.concatenate([points, run[-1:]]))


def make_ring_lines(plan: Plan) -> gpd.GeoDataFrame:
    """Return the named lines that bound the rings: core streets, second and outer ring road, railway."""
    names: list[str] = []
    lines: list[Floats] = []
    rows, columns = plan.row_bound, plan.column_bound
    for side, end in ((0, "南"), (1, "北")):
        names.append(f"护城{end}路")
        lines.append(_lattice_run(plan, 1, int(rows[0, side]), *columns[0].tolist()))
    for side, end in ((0, "西"), (1, "东")):
        names.append(f"护城{end}路")
        lines.append(_lattice_run(plan, 0, int(columns[0, side]), *rows[0].tolist()))
    for points, end in zip(second_ring(plan), "南东北西", strict=True):
        over = [
            points[:1] + 0.4 * (points[:1] - points[1:2]),
            points,
            points[-1:] + 0.4 * (points[-1:] - points[-2:-1]),
        ]
        names.append(f"二环{end}路")
        lines.append(plan.warp(np.concatenate(over)))
    for side, end in ((0, "南"), (1, "北")):
        names.append(f"绕城{end}路")
        lines.append(_lattice_run(plan, 1, int(rows[3, side]), int(columns[3, 0]) - 1, int(columns[3, 1])))
    names.append("绕城东路")
    lines.append(_lattice_run(plan, 0, int(columns[3, 1]), *rows[3].tolist()))
    names.append("西环铁路")
    lines.append(_strip_run(plan, 0, int(np.flatnonzero(plan.column_strip == RAIL)[0]), 0.5))
    return _frame({"name": names}, [shapely.linestrings(points) for points in lines])


def make_barriers(plan: Plan) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Return water (polygons of river and lakes) and railways (lines)."""
    river = int(np.flatnonzero(plan.row_strip == RIVER)[0])
    width = float(plan.corner[0, river + 1, 1] - plan.corner[0, river, 1])
    bank = 16.0 / width
    south, north = _strip_run(plan, 1, river, bank), _strip_run(plan, 1, river, 1 - bank)
    water, names = [shapely.polygons(np.concatenate([south, north[::-1]]))], ["清源河"]
    angle = np.linspace(0, 2 * np.pi, 49)[:-1]
    radius = 0.135 + 0.018 * np.sin(3 * angle + 1) + 0.012 * np.sin(5 * angle)
    at = 0.5 + np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    i, j = np.nonzero((plan.kind == PARK) & (plan.ring <= 2))
    for number, (column, row) in enumerate(zip(i.tolist(), j.tolist(), strict=True)):
        bl, br = plan.corner[column, row], plan.corner[column + 1, row]
        tr, tl = plan.corner[column + 1, row + 1], plan.corner[column, row + 1]
        a, b = at[:, :1], at[:, 1:]
        points = (1 - a) * (1 - b) * bl + a * (1 - b) * br + a * b * tr + (1 - a) * b * tl
        water.append(shapely.polygons(plan.warp(points)))
        names.append("明镜湖" if number == 0 else f"公园湖{number}")
    rails = [
        shapely.linestrings(_strip_run(plan, 0, int(np.flatnonzero(plan.column_strip == RAIL)[0]), 0.5)),
        shapely.linestrings(_strip_run(plan, 1, int(np.flatnonzero(plan.row_strip == RAIL)[0]), 0.5)),
    ]
    return (
        _frame({"kind": ["河流"] + ["湖泊"] * (len(water) - 1), "name": names}, water),
        _frame({"kind": ["铁路"] * 2, "name": ["西环铁路", "东西干线铁路"]}, rails),
    )


def name_stems(
    plan: Plan, streets: Streets, lots: Lots, compounds: gpd.GeoDataFrame, residents: Residents
) -> NDArray[np.object_]:
    """Return for each plot what names of things on it begin with: its compound, else the street along it."""
    stems = street_names(
        plan, streets.lines.name[streets.blocks.side[lots.block, 0]], np.isin(lots.kind, (CORE, VILLAGE))
    )
    stems[pd.isna(stems)] = "内街"
    stems[residents.lot] = compounds["name"].to_numpy(dtype=object)
    return stems
