"""Streets, walls, rings and projects of the made-up city: the river joins only by bridges, gates lie on walls."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from lifecircle.layers.sample import City, make_city
from lifecircle.layers.sample_anqing import ANQING
from lifecircle.layers.sample_blocks import cut, snap_share
from lifecircle.layers.sample_lots import block_points, make_lots
from lifecircle.layers.sample_names import numbered
from lifecircle.layers.sample_people import whole_shares
from lifecircle.layers.sample_plan import EXPRESSWAY, RIVER, make_plan
from lifecircle.layers.sample_projects import ENDS, STAGES

SIZES = [(20_000, 1), (100_000, 4), (300_000, 1), (300_000, 9)]


@pytest.fixture(scope="module")
def city() -> City:
    return make_city()


def _walkable(city: City) -> np.ndarray:
    streets = city.layers["streets"]
    return (streets["foot"] != "no").to_numpy()


def _components(lines: np.ndarray) -> tuple[int, np.ndarray]:
    """Return components of lines joined where they share an end, and the component of each line."""
    ends = np.concatenate([shapely.get_coordinates(shapely.get_point(lines, at)) for at in (0, -1)])
    _, node = np.unique(ends, axis=0, return_inverse=True)
    node = node.ravel()
    first, second = node[: len(lines)], node[len(lines) :]
    graph = coo_array((np.ones(len(lines)), (first, second)), shape=(node.max() + 1, node.max() + 1))
    count, label = connected_components(graph, directed=False)
    return count, label[first]


@pytest.mark.parametrize(("people", "seed"), SIZES)
def test_both_banks_are_joined_by_bridges_and_by_nothing_else(people: int, seed: int) -> None:
    city = make_city(people=people, seed=seed)
    streets = city.layers["streets"]
    river = city.layers["water"].geometry.iloc[0]
    main = _walkable(city) & streets["highway"].isin(["primary", "secondary", "tertiary", "residential"]).to_numpy()
    lines, bridge = streets.geometry.to_numpy()[main], streets["bridge"].to_numpy()[main]
    over = shapely.crosses(lines, river)
    assert over.any()
    assert np.array_equal(over, bridge)
    assert 2 <= bridge.sum() <= 12
    count, label = _components(lines)
    assert (label == np.bincount(label).argmax()).mean() > 0.99
    cut_off, label = _components(lines[~bridge])
    assert cut_off > count
    ground = shapely.get_parts(city.layers["area"].geometry.iloc[0].difference(river))
    banks = ground[np.argsort(shapely.area(ground))[-2:]]
    on = [set(label[shapely.within(lines[~bridge], bank)].tolist()) for bank in banks]
    assert on[0]
    assert on[1]
    assert not on[0] & on[1]


@pytest.mark.parametrize(("people", "seed"), SIZES)
def test_railways_are_crossed_rarely_and_below(people: int, seed: int) -> None:
    city = make_city(people=people, seed=seed)
    streets = city.layers["streets"][_walkable(city)]
    rails = shapely.union_all(city.layers["railways"].geometry.to_numpy())
    crossing = shapely.crosses(streets.geometry.to_numpy(), rails)
    assert crossing.any()
    tunnels = streets["tunnel"].to_numpy()
    bridges = streets["bridge"].to_numpy()
    assert (crossing <= (tunnels | bridges)).all()
    assert (streets["level"].to_numpy()[tunnels] == -1).all()


def test_the_expressway_is_closed_to_walkers_and_shares_no_vertex_with_streets(city: City) -> None:
    streets = city.layers["streets"]
    fast = streets["highway"].isin(["trunk", "motorway"]).to_numpy()
    assert (streets["foot"].to_numpy()[fast] == "no").all()
    assert (streets["level"].to_numpy()[fast] == 1).all()
    above = shapely.get_coordinates(streets.geometry.to_numpy()[fast])
    ground = shapely.get_coordinates(streets.geometry.to_numpy()[_walkable(city)])
    assert not {tuple(point) for point in above.tolist()} & {tuple(point) for point in ground.tolist()}
    assert shapely.crosses(
        streets.geometry.to_numpy()[_walkable(city)], shapely.union_all(streets.geometry.to_numpy()[fast])
    ).any()


def test_gates_lie_on_walls_and_on_lanes_and_some_are_closed(city: City) -> None:
    compounds, gates = city.layers["compounds"].set_index("compound_id"), city.layers["gates"]
    own = compounds.loc[gates["compound_id"]]
    assert own["walled"].all()
    walls = shapely.boundary(own.geometry.to_numpy())
    assert shapely.distance(walls, gates.geometry.to_numpy()).max() < 0.002
    lanes = city.layers["streets"].geometry.to_numpy()
    distance = shapely.STRtree(lanes).query_nearest(gates.geometry.to_numpy(), return_distance=True)[1]
    assert distance.max() < 0.002
    assert 0.1 < (~gates["open"]).mean() < 0.5
    assert set(gates["passes"]) == {"公众", "居民"}
    gated = set(gates["compound_id"])
    without = [name for name in compounds.index[compounds["walled"]] if name not in gated]
    assert 0 < len(without) < 0.08 * compounds["walled"].sum()
    assert (gates[gates["open"]].groupby("compound_id").size() >= 1).all()


def test_walls_matter_because_lanes_pass_them_where_no_gate_is(city: City) -> None:
    compounds, gates = city.layers["compounds"], city.layers["gates"]
    walls = shapely.boundary(compounds.geometry.to_numpy()[compounds["walled"]])
    lines = city.layers["streets"].geometry.to_numpy()
    wall, line = shapely.STRtree(lines).query(walls, predicate="intersects")
    points = shapely.get_parts(shapely.intersection(walls[wall], lines[line]))
    points = points[shapely.get_type_id(points) == 0]
    to_gate = shapely.STRtree(gates.geometry.to_numpy()).query_nearest(points, return_distance=True, all_matches=False)[
        1
    ]
    assert 0.2 < (to_gate > 1.0).mean() < 0.8


def test_compounds_neither_overlap_nor_leave_their_lot(city: City) -> None:
    polygons = city.layers["compounds"].geometry.to_numpy()
    first, second = shapely.STRtree(polygons).query(polygons, predicate="intersects")
    apart = first < second
    assert shapely.area(shapely.intersection(polygons[first[apart]], polygons[second[apart]])).sum() == pytest.approx(0)


def test_buildings_stand_in_their_compounds(city: City) -> None:
    buildings, compounds = city.layers["buildings"], city.layers["compounds"]
    inside = shapely.STRtree(compounds.geometry.to_numpy()).query(
        buildings.geometry.centroid.to_numpy(), predicate="within"
    )
    assert len(inside[0]) == len(buildings)
    sums = np.bincount(inside[1], weights=buildings["floor_area_m2"], minlength=len(compounds))
    assert np.abs(sums - compounds["floor_area_m2"]).max() < 0.2
    assert 0.02 < buildings["storeys"].isna().mean() < 0.12


def test_ring_lines_close_four_rings_inside_out(city: City) -> None:
    lines = city.layers["ring_lines"].set_index("name").geometry
    area = city.layers["area"].geometry.iloc[0]
    sizes = []
    for names in (
        ["护城东路", "护城南路", "护城西路", "护城北路"],
        ["二环东路", "二环南路", "二环西路", "二环北路"],
        ["绕城东路", "绕城南路", "绕城北路", "西环铁路"],
    ):
        faces = shapely.get_parts(shapely.polygonize([shapely.union_all(lines.loc[names].to_numpy())]))
        assert len(faces) == 1
        assert faces[0].within(area.buffer(100))
        sizes.append(faces[0])
    assert sizes[0].within(sizes[1])
    assert sizes[1].within(sizes[2])
    assert sizes[2].area < 0.95 * area.area


@pytest.mark.parametrize(("people", "seed"), SIZES)
def test_projects_are_of_every_kind_way_and_stage(people: int, seed: int) -> None:
    projects = make_city(people=people, seed=seed).layers["projects"]
    assert set(projects["way"]) == {"留", "改", "拆"}
    assert set(projects["kind"]) == set(ENDS)
    assert set(projects["stage"]) == set(STAGES)
    assert projects["name"].notna().all()
    real = projects.iloc[:3]
    assert real["households"].sum() == 1622
    assert real["floor_area_m2"].sum() == pytest.approx(544_500)
    assert list(real["name"]) == [row[0] for row in ANQING]
    assert real["remark"].str.contains("真实").all()
    assert (projects.iloc[3:]["remark"] == "").all()


def test_projects_do_not_overlap(city: City) -> None:
    polygons = city.layers["projects"].geometry.to_numpy()
    first, second = shapely.STRtree(polygons).query(polygons, predicate="intersects")
    apart = first < second
    assert shapely.area(shapely.intersection(polygons[first[apart]], polygons[second[apart]])).sum() == pytest.approx(0)


def test_zoning_has_clean_and_dirty_codes_and_land_lies_in_parcels(city: City) -> None:
    codes = set(city.layers["parcels"]["land_use"])
    assert {"R2", "A33", "B1", "G1", "E2", "E1"} <= codes
    assert codes & {"r2", "Ｒ２", "R2/B1", "二类居住用地"}
    land = city.layers["land"]
    assert {"闲置用地", "腾退厂房", "拆违空地"} <= set(land["kind"])
    assert {"国有房产", "空置建筑"} <= set(city.layers["empty_buildings"]["kind"])
    assert (land.geometry.area - land["area_m2"]).abs().max() < 0.1


def test_parcels_do_not_overlap(city: City) -> None:
    polygons = city.layers["parcels"].geometry.to_numpy()
    first, second = shapely.STRtree(polygons).query(polygons, predicate="intersects")
    apart = first < second
    overlap = shapely.area(shapely.intersection(polygons[first[apart]], polygons[second[apart]]))
    assert overlap.sum() < 1e-4 * shapely.area(polygons).sum()


def test_compounds_tell_their_age_and_some_do_not(city: City) -> None:
    compounds = city.layers["compounds"]
    assert 400 <= len(compounds) <= 700
    assert 0.02 < compounds["year_built"].isna().mean() < 0.12
    assert 0.02 < compounds["storeys"].isna().mean() < 0.15
    assert 0.01 < compounds["tenure"].isna().mean() < 0.10
    assert (compounds["year_built"] < 2006).mean() > 0.3
    assert compounds["name"].is_unique


@pytest.mark.parametrize("people", [20_000, 300_000, 2_000_000])
def test_blocks_meet_their_streets_to_the_bit(people: int) -> None:
    plan = make_plan(people, 1)
    streets = cut(plan)
    blocks, lines = streets.blocks, streets.lines
    for side, (start, end) in enumerate(((0, 1), (1, 2), (3, 2), (0, 3))):
        for corner, at in ((start, 0), (end, 1)):
            point = lines.point(blocks.side[:, side], blocks.share[:, side, at])
            assert np.array_equal(point, blocks.corner[:, corner])


@pytest.mark.parametrize("people", [20_000, 300_000, 2_000_000])
def test_the_warp_keeps_every_block_right_way_round(people: int) -> None:
    plan = make_plan(people, 1)
    lots = make_lots(plan, cut(plan))
    blocks = cut(plan).blocks
    ground = plan.warp(block_points(blocks, lots.block, (lots.low + lots.high) / 2))
    assert len(np.unique(ground, axis=0)) == len(ground)
    shapes = shapely.polygons(plan.warp(blocks.corner))
    flat = shapely.polygons(blocks.corner)
    assert shapely.is_valid(shapes).all()
    assert np.array_equal(
        shapely.is_ccw(shapely.get_exterior_ring(shapes)), shapely.is_ccw(shapely.get_exterior_ring(flat))
    )


def test_size_grows_with_people_and_strips_stay_few() -> None:
    small, large = make_plan(300_000, 1), make_plan(3_000_000, 1)
    assert large.half_m > 2.5 * small.half_m
    for plan in (small, large):
        assert (plan.row_strip == RIVER).sum() == 1
        assert (plan.column_strip == EXPRESSWAY).sum() == 2


@given(
    st.lists(st.floats(0, 1e6), min_size=1, max_size=60).filter(lambda values: sum(values) > 1e-6),
    st.integers(0, 10**7),
)
@settings(deadline=None)
def test_whole_shares_add_up_and_stay_near(weights: list[float], total: int) -> None:
    shares = whole_shares(np.array(weights), total)
    assert shares.sum() == total
    assert (np.abs(shares - np.array(weights) * (total / sum(weights))) < 1.0 + 1e-6 * total).all()


@given(st.floats(0, 1), st.floats(10, 2000))
def test_snapped_junctions_never_reach_the_ends(share: float, length: float) -> None:
    at = snap_share(np.array([share]), np.array([length]))[0]
    assert 0 < at < 1


def test_equal_names_get_numbers() -> None:
    names = numbered(np.array(["安泰里"] * 3 + ["文昌巷"], dtype=object))
    assert len(set(names)) == 4
