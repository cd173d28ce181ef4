"""Demand: whole people, totals kept to the person, age groups within people, nobody in two places."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.transform import Affine

from lifecircle.gis.errors import InputError
from lifecircle.layers.ages import whole_shares
from lifecircle.layers.contracts import AGE_COLUMNS
from lifecircle.layers.demand import Demand, demand_of
from lifecircle.layers.findings import LAYERS
from lifecircle.layers.homes import Homes, pieces, residential
from lifecircle.layers.neighbourhoods import COLUMNS as HELD
from lifecircle.layers.words import say

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import MakeStudy

CRS_M = "EPSG:4548"


def layer(shapes: list[shapely.Geometry], **columns: object) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=CRS_M)


def houses(count: int = 300, *, seed: int = 0, **columns: object) -> gpd.GeoDataFrame:
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(0, 3970, (2, count))
    shapes = list(shapely.box(x, y, x + rng.uniform(8, 25, count), y + 15))
    return layer(
        shapes, **{"use": ["apartments"] * count, "storeys": rng.integers(1, 12, count).astype(float), **columns}
    )


def districts(people: list[float | None], **ages: object) -> gpd.GeoDataFrame:
    edges = np.linspace(0, 4000, len(people) + 1)
    shapes = [shapely.box(a, 0, b, 4000) for a, b in itertools.pairwise(edges)]
    ids = [f"3701{row:02d}" for row in range(len(people))]
    return layer(shapes, district_id=ids, name=ids, people=np.array(people, dtype=float), **ages)


def codes(demand: Demand) -> set[str]:
    return {note.code for note in demand.notes}


def assert_sound(demand: Demand) -> None:
    points = demand.points
    wanted = [name for name in LAYERS["demand"] if name not in {"access_m", "snap", "edge_cut"}]
    assert list(points.columns) == [*wanted, "geometry"]
    for column in ("people", *AGE_COLUMNS, "households"):
        assert points[column].dtype == np.int64
        assert (points[column] >= 0).all()
    assert (points["elders_65"] <= points["elders_60"]).all() or "elders_60" not in demand.known
    groups = points["elders_60"] + points["children_0_3"] + points["children_3_6"] + points["children_6_12"]
    assert (groups <= points["people"]).all()
    for column in set(AGE_COLUMNS) - set(demand.known):
        assert (points[column] == 0).all()
    held = demand.neighbourhoods
    assert set(HELD) <= set(LAYERS["compounds"])
    assert list(held.columns) == [
        *HELD,
        "geometry",
    ]
    inside = demand.compound >= 0
    for column in ("people", "elders_60", "households"):
        assert held[column].sum() == points[column].to_numpy()[inside].sum()
    assert points["ring_id"].notna().all()
    for note in demand.notes:
        assert say(note.code, "zh", **note.detail)
        assert say(note.code, "en", **note.detail)


def test_floor_area_gives_people_when_nothing_else_does(make_study: MakeStudy) -> None:
    buildings = houses()
    demand = demand_of(make_study({"buildings": buildings}))
    floor = float((buildings.geometry.area * buildings["storeys"]).sum())
    assert demand.points["people"].sum() == round(floor / 35)
    assert demand.known == ("people", "households")
    assert {"demand.from_floor_area", "demand.ages_unknown", "demand.households_assumed"} <= codes(demand)
    assert set(demand.neighbourhoods["kind"]) == {"cell"}
    assert_sound(demand)


def test_sub_districts_pin_the_totals_and_carry_ages(make_study: MakeStudy) -> None:
    stated = districts([10001, 5000], elders_60=[2000.0, 1501], elders_65=[1500.0, 900], elders_80=[200.0, 150],
                       children_3_6=[300.0, 101], households=[4000.0, 2001])  # fmt: skip
    demand = demand_of(make_study({"buildings": houses(), "districts": stated}))
    sums = demand.points.groupby("district_id")[["people", *AGE_COLUMNS, "households"]].sum()
    assert sums["people"].tolist() == [10001, 5000]
    for column in ("elders_60", "elders_65", "elders_80", "children_3_6", "households"):
        assert sums[column].tolist() == stated[column].tolist()
    assert set(demand.known) == {"people", "elders_60", "elders_65", "elders_80", "children_3_6", "households"}
    assert_sound(demand)


def test_people_follow_floor_area_within_a_sub_district(make_study: MakeStudy) -> None:
    two = [shapely.box(100, 100, 120, 120), shapely.box(200, 100, 220, 120)]
    buildings = layer(two, use=["住宅", "住宅"], storeys=[3.0, 6.0])
    demand = demand_of(make_study({"buildings": buildings, "districts": districts([900])}))
    assert demand.points["people"].tolist() == [300, 600]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(0, 3e4), min_size=1, max_size=4), st.integers(1, 60), st.data())
def test_any_sub_districts_keep_their_totals(
    make_study: MakeStudy, people: list[float], count: int, data: st.DataObject
) -> None:
    shares = data.draw(st.lists(st.floats(0, 1), min_size=3, max_size=3))
    elders = [p * shares[0] for p in people]
    ages = {
        "elders_60": elders,
        "elders_80": [e * shares[1] for e in elders],
        "children_3_6": [(p - e) * shares[2] for p, e in zip(people, elders, strict=True)],
    }
    layers = {"buildings": houses(count), "districts": districts(list(people), **ages)}
    whole = [int(np.floor(p + 0.5)) for p in people]
    if not sum(whole):
        with pytest.raises(InputError):
            demand_of(make_study(layers))
        return
    demand = demand_of(make_study(layers))
    assert demand.points["people"].sum() == sum(whole)
    sums = demand.points.groupby("district_id")[["people", "elders_60"]].sum()
    for row, total in enumerate(whole):
        if total:
            assert sums.loc[f"3701{row:02d}", "people"] == total
            assert abs(sums.loc[f"3701{row:02d}", "elders_60"] - elders[row]) <= 1
    assert (demand.points["elders_80"] <= demand.points["elders_60"]).all()
    assert_sound(demand)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(-1, 2)), max_size=40),
    st.lists(st.floats(0, 1), min_size=3, max_size=3),
)
def test_whole_shares_stay_within_their_base(rows: list[tuple[int, int]], shares: list[float]) -> None:
    base = np.array([number for number, _ in rows], dtype=np.int64)
    zone = np.array([row for _, row in rows], dtype=np.int64)
    result = whole_shares(base, np.array(shares), zone)
    assert ((result >= 0) & (result <= base)).all()
    for row, share in enumerate(shares):
        assert result[zone == row].sum() == int(np.floor((base[zone == row] * share).sum() + 0.5))
    assert (result[zone < 0] == 0).all()


def test_compounds_give_people_by_households(make_study: MakeStudy) -> None:
    shapes = [shapely.box(0, 0, 500, 500), shapely.box(600, 600, 1000, 1000), shapely.box(2000, 2000, 2050, 2100)]
    compounds = layer(
        shapes,
        compound_id=["a", "b", "c"],
        name=["甲", "乙", None],
        households=[300, 10, None],
        people=[None, 1000, None],
    )
    demand = demand_of(make_study({"buildings": houses(), "compounds": compounds}))
    held = demand.neighbourhoods.set_index("compound_id")
    assert held.loc["a", "people"] == 780
    assert held.loc["b", "people"] == 1000
    assert held.loc[["a", "b"], "households"].tolist() == [300, 10]
    assert held.loc["c", "name"] == "小区 c"
    assert held["kind"].tolist() == ["compound"] * 3
    assert "demand.outside_compounds" in codes(demand)
    assert demand.points["compound_id"].isna().sum() == (demand.compound < 0).sum()
    assert_sound(demand)


def test_a_large_compound_without_buildings_is_split(make_study: MakeStudy) -> None:
    compounds = layer([shapely.box(0, 0, 600, 600), shapely.box(900, 900, 950, 950)], households=[1000, 7])
    demand = demand_of(make_study({"compounds": compounds}))
    assert demand.points["households"].sum() == 1007
    assert (demand.compound == 1).sum() == 1
    assert (demand.compound == 0).sum() == 16
    assert_sound(demand)


def test_sub_districts_pin_compounds_too(make_study: MakeStudy) -> None:
    compounds = layer([shapely.box(0, 0, 100, 100), shapely.box(300, 0, 400, 100)], households=[100, 300])
    demand = demand_of(make_study({"compounds": compounds, "districts": districts([2000])}))
    assert demand.neighbourhoods["people"].tolist() == [500, 1500]
    assert demand.neighbourhoods["households"].tolist() == [100, 300], "a compound's own households stay"


def test_population_cells_are_shared_by_floor_area_and_nobody_is_lost(make_study: MakeStudy) -> None:
    two = layer(
        [shapely.box(100, 100, 120, 120), shapely.box(200, 100, 220, 120)], use=["house"] * 2, storeys=[1.0, 3.0]
    )
    cells = layer([shapely.box(0, 0, 400, 400), shapely.box(400, 0, 800, 400), shapely.box(3800, 0, 4200, 400)],
                  people=[100.0, 40.2, 60.0], elders_60=[25.0, 10.0, 0.0])  # fmt: skip
    demand = demand_of(make_study({"buildings": two, "population": cells}))
    assert demand.points["people"].sum() == round(100 + 40.2 + 30)
    assert demand.points["people"].tolist()[:2] == [25, 75]
    assert demand.points["elders_60"].sum() == 35
    assert {"demand.cells_without_homes", "demand.population_cut"} <= codes(demand)
    assert_sound(demand)


def test_a_population_raster_keeps_its_sum(make_study: MakeStudy, tmp_path: Path) -> None:
    path = tmp_path / "people.tif"
    values = np.random.default_rng(3).uniform(0, 40, (40, 40)).astype("float32")
    values[0, 0] = -9999
    transform = Affine(100, 0, 0, 0, -100, 4000)
    with rasterio.open(path, "w", driver="GTiff", height=40, width=40, count=1, dtype="float32", nodata=-9999,
                       crs=CRS_M, transform=transform) as raster:  # fmt: skip
        raster.write(values, 1)
    expected = values[values >= 0].astype(float).sum()
    for layers in ({}, {"buildings": houses()}):
        demand = demand_of(make_study(layers, rasters={"population": path}))
        assert demand.points["people"].sum() == round(expected)
        assert_sound(demand)


def test_a_sub_district_without_homes_keeps_its_people(make_study: MakeStudy) -> None:
    demand = demand_of(make_study({"districts": districts([1234, 0])}))
    assert demand.points["people"].sum() == 1234
    assert "demand.districts_without_homes" in codes(demand)
    assert_sound(demand)


def test_a_sub_district_cut_by_the_border_counts_by_its_share(make_study: MakeStudy) -> None:
    wide = layer([shapely.box(0, 0, 8000, 4000)], district_id=["1"], name=["宽"], people=[1000.0])
    demand = demand_of(make_study({"buildings": houses(), "districts": wide}))
    assert demand.points["people"].sum() == 500
    assert "demand.districts_cut" in codes(demand)
    beyond = layer([*houses().geometry, shapely.box(6000, 0, 6020, 20)], use=["house"] * 301, storeys=[1.0] * 301)
    known = demand_of(make_study({"buildings": beyond, "districts": wide}))
    assert 900 < known.points["people"].sum() < 1000, "where homes are known beyond the border, they tell the share"


def test_ages_that_some_sub_districts_do_not_state_are_unknown(make_study: MakeStudy) -> None:
    stated = districts([1000, 1000], elders_60=[100.0, np.nan], elders_80=[10.0, 20.0])
    demand = demand_of(make_study({"buildings": houses(), "districts": stated}))
    assert demand.known == ("people", "elders_80", "households")
    assert "demand.ages_partly" in codes(demand)
    assert_sound(demand)


def test_shares_of_the_settings_stand_in_for_ages(make_study: MakeStudy) -> None:
    people = {"elders_share": 0.2, "children_3_6_share": 0.03}
    demand = demand_of(make_study({"buildings": houses()}, settings={"people": people}))
    total = demand.points["people"].sum()
    assert demand.points["elders_60"].sum() == round(total * 0.2)
    assert abs(demand.points["children_3_6"].sum() - total * 0.03) <= 1
    assert "demand.ages_assumed" in codes(demand)
    assert_sound(demand)


def test_more_elders_than_people_is_capped_and_said(make_study: MakeStudy) -> None:
    demand = demand_of(make_study({"buildings": houses(), "districts": districts([100], elders_60=[150.0])}))
    assert demand.points["elders_60"].sum() == 100
    assert "demand.ages_exceed" in codes(demand)


def test_which_buildings_are_homes(make_study: MakeStudy) -> None:
    shapes = [shapely.box(x, 0, x + 10, 10) for x in range(0, 160, 20)]
    buildings = layer(shapes, use=["yes", "yes", "retail", "apartments", "yes", None, "住宅", "yes"],
                      shop=[None, "bakery", None, "bakery", None, None, None, None])  # fmt: skip
    buildings.loc[4, "geometry"] = shapely.box(80, 0, 83, 3)
    parcels = layer([shapely.box(135, 0, 160, 10)], land_use=["M1"])
    notes: list[object] = []
    found = residential(buildings, make_study({"parcels": parcels}), notes)  # type: ignore[arg-type]
    assert found.tolist() == [True, False, False, True, False, True, True, False]
    assert notes[0].detail == {"count": 3, "named": 2}  # type: ignore[attr-defined]


def test_a_school_ground_holds_no_homes(make_study: MakeStudy) -> None:
    buildings = layer([shapely.box(10, 10, 40, 40), shapely.box(200, 200, 240, 240)], use=["yes", "yes"])
    school = layer([shapely.box(0, 0, 100, 100)], facility_class=["小学"])
    assert residential(buildings, make_study({"facilities": school}), []).tolist() == [False, True]


def test_nobody_anywhere_is_an_error(make_study: MakeStudy) -> None:
    with pytest.raises(InputError) as caught:
        demand_of(make_study())
    assert caught.value.faults[0].code == "demand.nobody"


def test_homes_beyond_the_border_do_not_count(make_study: MakeStudy) -> None:
    buildings = layer(
        [shapely.box(0, 0, 35, 10), shapely.box(5000, 0, 5035, 10)], use=["house"] * 2, storeys=[2.0, 2.0]
    )
    assert demand_of(make_study({"buildings": buildings})).points["people"].tolist() == [20]


def test_cells_are_named_from_the_north_west(make_study: MakeStudy) -> None:
    corners = [(10, 3900), (3900, 10)]
    buildings = layer([shapely.box(x, y, x + 50, y + 50) for x, y in corners], use=["house"] * 2, storeys=[2.0] * 2)
    cells = demand_of(make_study({"buildings": buildings})).neighbourhoods
    assert cells["name"].tolist() == ["格 01-01", "格 10-10"]
    assert cells.geometry.area.tolist() == pytest.approx([160000] * 2)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 900), st.integers(1, 900)), max_size=6))
def test_pieces_share_a_polygon_fully(sizes: list[tuple[int, int]]) -> None:
    shapes = np.array([shapely.box(0, 0, w, h) for w, h in sizes], dtype=object)
    points, owner, share = pieces(shapes)
    assert len(points) == len(owner) == len(share)
    for row, shape in enumerate(shapes):
        assert share[owner == row].sum() == pytest.approx(1.0)
        assert shapely.intersects(shape, points[owner == row]).all()


def test_the_same_study_gives_the_same_people(make_study: MakeStudy) -> None:
    layers = {"buildings": houses(), "districts": districts([7777, 3333], elders_60=[1000.0, 500])}
    first, second = (demand_of(make_study(layers)) for _ in range(2))
    assert first.points.drop(columns="geometry").equals(second.points.drop(columns="geometry"))


def ledger(people: list[float], **columns: object) -> gpd.GeoDataFrame:
    shapes = [shapely.box(100 + 1000 * row, 100, 900 + 1000 * row, 900) for row in range(len(people))]
    names = [f"小区{row}" for row in range(len(people))]
    return layer(shapes, compound_id=names, name=names, people=people, **columns)


def test_notes_say_which_source_gave_totals_and_which_shares(make_study: MakeStudy) -> None:
    raster = layer([shapely.box(0, 0, 4000, 4000)], people=[5000.0])
    only = {"districts": districts([3000, 1000]), "buildings": houses()}
    assert "demand.from_districts_floor_area" in codes(demand_of(make_study(only)))
    assert "demand.from_districts_population" in codes(demand_of(make_study({**only, "population": raster})))
    every = {**only, "population": raster, "compounds": ledger([1500, 1500, 600, 400])}
    found = demand_of(make_study(every))
    assert {"demand.from_districts_compounds", "demand.population_not_used_districts"} <= codes(found)
    assert not {"demand.population_not_used", "demand.outside_districts"} & codes(found)


def test_people_that_differ_from_the_ledger_are_noted_and_large_differences_warned_of(make_study: MakeStudy) -> None:
    kept = demand_of(make_study({"districts": districts([3000, 1000]), "compounds": ledger([1500, 1500, 600, 400])}))
    assert "demand.ledger_kept" in codes(kept)
    assert kept.warnings == ()
    layers = {"districts": districts([3000, 1000]), "compounds": ledger([1500, 1500, 600, 600])}
    changed = demand_of(make_study(layers))
    note = next(note for note in changed.notes if note.code == "demand.ledger_changed")
    assert (note.detail["count"], note.detail["all"], note.detail["most"]) == (2, 4, 100)
    assert [(fault.detail["name"], fault.detail["percent"], fault.blocks) for fault in changed.warnings] == [
        ("370101", 20, False)
    ]
    for language in ("zh", "en"):
        assert "370101" in say(changed.warnings[0].code, language, **changed.warnings[0].detail)


def test_people_do_not_depend_on_the_order_of_the_file() -> None:
    random = np.random.default_rng(4)
    places = shapely.points(random.integers(0, 40, (60, 2)) * 10.0)
    noise = shapely.transform(places, lambda xy: xy + random.uniform(-1e-8, 1e-8, xy.shape))
    empty = np.full(60, np.nan)
    turn = random.permutation(60)
    weight, none = np.arange(60.0), np.full(60, -1, dtype=np.int64)
    one = Homes(places, weight, empty, none, places, empty).in_order()
    other = Homes(noise[turn], weight[turn], empty, none, noise[turn], empty).in_order()
    alike = shapely.distance(one.point, other.point)
    assert alike.max() < 1e-6
