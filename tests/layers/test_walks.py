"""The nearest facility however far, against networkx; nobody who has a way is left without, nobody without gets one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import CRS

from lifecircle.gis.network import network_from_lines
from lifecircle.gis.reach import nearest
from lifecircle.gis.walkers import WALKERS
from lifecircle.layers import words
from lifecircle.layers.gaps import gap_rows, missing_table
from lifecircle.layers.load import load_study
from lifecircle.layers.plan import find
from lifecircle.layers.residents import Groups, Residents
from lifecircle.layers.sample import write_sample
from lifecircle.layers.standards import Rule
from lifecircle.layers.walks import WIDE_LIMIT_M, Walk, known_walks, no_way_notes, walks_of
from lifecircle.maps.report import report_of

if TYPE_CHECKING:
    from pathlib import Path

CRS_M = CRS.from_epsg(4547)
STEP_M = 900.0
SIDE = 7
ISLAND = 20_000.0


def rule(limit_m: float = 300.0) -> Rule:
    return Rule(
        *("food_market", "菜市场", "Food market", "菜市场", "Market"),
        circle=5,
        limit_m=limit_m,
        required=True,
        group="people",
        clause="甲 1",
        clause_en="A 1",
        confidence="B",
    )


def town(seed: int) -> tuple[nx.Graph, np.ndarray]:
    """Return a grid of streets with some left out, and an island far off; and where people live, at its nodes."""
    random = np.random.default_rng(seed)
    graph = nx.relabel_nodes(
        nx.grid_2d_graph(SIDE, SIDE), {(x, y): (x * STEP_M, y * STEP_M) for x in range(SIDE) for y in range(SIDE)}
    )
    lines = list(graph.edges)
    graph.remove_edges_from(lines[row] for row in random.choice(len(lines), 25, replace=False))
    graph.add_edge((ISLAND, 0.0), (ISLAND, 500.0))
    nodes = [node for node in graph if graph.degree[node]]
    graph = graph.subgraph(nodes).copy()
    for first, last in graph.edges:
        graph.edges[first, last]["length"] = float(np.hypot(first[0] - last[0], first[1] - last[1]))
    return graph, np.array(nodes)


def searched(graph: nx.Graph, xy: np.ndarray, sites: np.ndarray, *, walker: str = "standard", limit_m: float = 300.0):  # noqa: ANN201  three things
    lines = [shapely.LineString(edge) for edge in graph.edges]
    network = network_from_lines(lines, crs=CRS_M, highway=["footway"] * len(lines))
    walk = Walk(network, WALKERS[walker], 200.0, np.ones(len(network.edge_length_m), dtype=bool))
    home, place = walk.place_xy(xy), walk.place_xy(sites, arriving=True)
    count = len(xy)
    residents = Residents(
        [f"d{row}" for row in range(count)],
        xy,
        {"people": np.full(count, 10, dtype=np.int64)},
        np.arange(count),
        known_walks(home),
    )
    frame = gpd.GeoDataFrame(
        {
            "facility_id": [f"f{row}" for row in range(len(sites))],
            "name": "",
            "facility_class": "food_market",
            "status": "existing",
        },
        geometry=gpd.points_from_xy(*sites.T) if len(sites) else [],
        crs=CRS_M,
    )
    found = walks_of(
        walk, residents, home.positions, [rule(limit_m)], (frame, place.positions, frozenset({"food_market"}))
    )
    return walk, residents, found, home, place


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("walker", ["standard", "elderly"])
def test_the_nearest_is_named_however_far_and_equals_networkx(seed: int, walker: str) -> None:
    graph, xy = town(seed)
    sites = xy[np.random.default_rng(seed).choice(len(xy) - 2, 2, replace=False)]
    walk, _, found, home, place = searched(graph, xy, sites, walker=walker)
    cost, site = found["food_market"].cost, found["food_market"].site
    pace = 1.0 if walk.walker.speed_mps is None else walk.walker.speed_mps
    truth = {
        row: nx.single_source_dijkstra_path_length(graph, tuple(at), weight="length") for row, at in enumerate(sites)
    }
    for row, at in enumerate(map(tuple, xy)):
        costs = [truth[number].get(at, np.inf) / pace for number in range(len(sites))]
        assert cost[row] == pytest.approx(min(costs), rel=1e-9)
        assert site[row] == (int(np.argmin(costs)) if np.isfinite(min(costs)) else -1) or len(set(costs)) == 1
    assert np.isfinite(cost).any()
    assert not np.isfinite(cost[-2:]).any(), "the island has none"
    wide = walk.walker.cost(np.array([WIDE_LIMIT_M]))[0]
    first = nearest(walk.network, sites=place.positions, demand=home.positions, limit=wide, walker=walk.walker)
    near = np.isfinite(first.cost)
    assert (cost[near] == first.cost[near]).all()
    assert (site[near] == first.site[near]).all()
    assert (cost[~near] > wide).all()


def test_a_row_too_far_names_the_nearest_but_on_an_island() -> None:
    graph, xy = town(1)
    sites = xy[:1]
    _, residents, found, *_ = searched(graph, xy, sites)
    ids = [f"c{row}" for row in range(len(xy))]
    homes = pd.DataFrame({"compound_id": ids, "name": ids, "ring_id": "r", "district_id": None})
    missing = missing_table(residents, homes, [rule()], found)
    reached = np.array([nx.has_path(graph, tuple(sites[0]), tuple(at)) for at in xy])
    far = (missing["status"] == "too_far").to_numpy()
    assert far.sum() > 10
    assert (missing["walk"] > WIDE_LIMIT_M).any()
    assert missing.loc[far & reached, ["nearest_id", "walk", "walk_longest"]].notna().all(axis=None)
    assert missing.loc[far & ~reached, ["nearest_id", "walk", "walk_longest"]].isna().all(axis=None)
    gaps = gap_rows(residents, [rule()], found, crs=CRS_M)
    lost = gaps.loc[gaps["walk"].isna(), "demand_id"]
    assert sorted(lost) == sorted(f"d{row}" for row in np.flatnonzero(~reached))
    (note,) = no_way_notes(residents, found)
    people = f"{10 * (~reached).sum():,}"
    assert (note.code, dict(note.detail)) == ("streets.no_way", {"people": people, "labels": f"food_market ({people})"})
    assert people in words.say_note(note.code, note.detail, "zh")


def test_a_class_of_which_none_exists_yet_is_told_apart_from_an_island() -> None:
    graph, xy = town(2)
    _, residents, found, *_ = searched(graph, xy, np.zeros((0, 2)))
    assert not np.isfinite(found["food_market"].cost).any()
    (note,) = no_way_notes(residents, found)
    assert (note.code, dict(note.detail)) == ("facilities.none_yet", {"labels": "food_market"})


def test_equity_leaves_out_who_has_no_way_and_says_how_many() -> None:
    from lifecircle.layers.equity import equity_table  # noqa: PLC0415  with what it needs only here

    graph, xy = town(3)
    _, residents, found, *_ = searched(graph, xy, xy[:1])
    count = len(xy)
    none = np.zeros(0, dtype=np.int64)
    groups = {
        "city": Groups("city", ["city"], ["甲市"], np.zeros(count, dtype=np.int64), none),
        "ring": Groups("ring", ["r0", "r1"], ["内", "外"], (xy[:, 0] > ISLAND / 2).astype(np.int64), none),
    }
    table = equity_table(residents, groups, [rule()], found, {}).set_index("group_id")
    cost = found["food_market"].cost
    fine = np.isfinite(cost)
    assert table.loc["city", "people"] == 10 * count
    assert table.loc["city", "beyond"] == 10 * (~fine).sum() > 0
    assert table.loc["city", "mean"] == pytest.approx(cost[fine].mean())
    assert (table.loc["r1", "people"], table.loc["r1", "beyond"]) == (20, 20)
    assert table.loc[["r1"], ["mean", "gini", "theil", "against_all"]].isna().all(axis=None)
    assert table.loc["r0", "against_all"] == pytest.approx(1.0)


def test_in_the_made_up_city_only_a_class_without_any_has_no_nearest(tmp_path: Path) -> None:
    write_sample(tmp_path, people=20_000)
    findings = find(load_study(tmp_path / "study.toml"))
    missing = findings.tables["missing"]
    far = missing[missing["status"] == "too_far"]
    none = far[far["walk"].isna()]
    assert (far["nearest_id"].isna() == far["walk"].isna()).all()
    noted = [
        str(note["detail"]["labels"]) for note in findings.manifest["notes"] if note["code"] == "facilities.none_yet"
    ]
    assert set(none["facility_class"]) == {key for labels in noted for key in labels.split(", ")}
    assert set(missing.loc[missing["none_yet"].astype(bool), "facility_class"]) == set(none["facility_class"])


def test_a_class_that_is_all_under_construction_is_said_so_in_the_missing_list(tmp_path: Path) -> None:
    write_sample(tmp_path, people=20_000)
    path = tmp_path / "facilities.csv"
    table = pd.read_csv(path, dtype="str")
    markets = table["设施类别"].str.contains("菜市场")
    table.loc[markets, "建设状态"] = "在建"
    table.to_csv(path, index=False)
    findings = find(load_study(tmp_path / "study.toml"))
    missing = findings.tables["missing"].set_index("facility_class")
    assert markets.any()
    assert missing.loc["food_market", "none_yet"].astype(bool).all()
    assert set(missing.loc["food_market", "status"]) == {"too_far"}
    assert not missing.drop(index="food_market")["none_yet"].astype(bool).all()
    rows = next(table.rows for table in report_of(findings, "zh").tables() if table.key == "lacking_classes")
    assert [row[0] for row in rows if "仅在建或规划" in row[0] and "菜市场" in row[0]]
