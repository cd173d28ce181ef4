"""Tables joined by code or name, age bands summed, and people of mixed buildings, dwellings, cells and grids."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.gis.errors import InputError
from lifecircle.layers.agebands import GROUPS, age_faults, band_of, with_age_groups
from lifecircle.layers.contracts import AGE_COLUMNS, CONTRACTS
from lifecircle.layers.demand import demand_of
from lifecircle.layers.joined import join_table
from lifecircle.layers.load import examine, load_study
from lifecircle.layers.settings import JoinSection
from lifecircle.layers.words import say

if TYPE_CHECKING:
    from pathlib import Path

    from lifecircle.layers.joined import Joined

    from .conftest import MakeStudy

CRS_M = "EPSG:4548"


def zones(names: list[str], codes: list[str] | None = None, side_m: float = 1000.0) -> gpd.GeoDataFrame:
    shapes = [shapely.box(side_m * row, 0, side_m * (row + 1), side_m) for row in range(len(names))]
    given = {"街道代码": codes} if codes is not None else {}
    return gpd.GeoDataFrame({**given, "名称": names}, geometry=shapes, crs=CRS_M)


def joined(frame: gpd.GeoDataFrame, table: dict[str, list[object]], **section: object) -> Joined:
    stated = JoinSection.model_validate({"path": "人口.csv", **section})
    return join_table(frame, pd.DataFrame(table), CONTRACTS["districts"], stated, {})


def numbers(values: pd.Series) -> list[float]:
    return pd.to_numeric(values, errors="coerce").astype(float).fillna(-1).tolist()


def test_offices_are_their_sub_districts() -> None:
    frame = zones(["西市街道", "东市街道", "城关镇"])
    found = joined(
        frame, {"街道办": ["东市街道办事处", "城关镇人民政府", "西市街道办事处"], "常住人口": ["1,000", "20", "300"]}
    )
    assert found.faults == []
    assert [str(value).replace(",", "") for value in found.frame["people"]] == ["300", "1000", "20"]


def test_codes_come_before_names() -> None:
    frame = zones(["甲街道", "乙街道"], ["370102001", "370102002"])
    table = {"代码": ["370102002000", "370102001000"], "名称": ["甲街道", "乙街道"], "人口": [7, 5]}
    assert numbers(joined(frame, table).frame["people"]) == [5, 7]
    assert numbers(joined(frame, table, by="name").frame["people"]) == [7, 5]


def test_row_numbers_join_nothing_unless_told_to() -> None:
    frame = zones(["甲街道", "乙街道"], ["2", "1"])
    table = {"编号": ["1", "2"], "名称": ["甲街道", "乙街道"], "人口": [5, 7]}
    assert numbers(joined(frame, table).frame["people"]) == [5, 7]
    assert numbers(joined(frame, table, by="district_id").frame["people"]) == [7, 5]


def test_rows_that_match_nothing_are_listed_together() -> None:
    frame = zones(["西市街道", "东市街道", "南市街道"])
    found = joined(frame, {"名称": ["西市街道", "东巿街道", "外地镇", "合计"], "人口": [1, 2, 3, 6]})
    assert [(fault.code, fault.blocks) for fault in found.faults] == [
        ("faults.join_left", True),
        ("faults.join_bare", False),
    ]
    assert "东巿街道（东市街道？）、外地镇" in str(found.faults[0].detail["names"])
    assert found.faults[0].detail["people"] == "5"
    mended = joined(frame, {"名称": ["西市街道", "东巿街道"], "人口": [1, 2]}, names={"东巿街道": "东市街道"})
    assert numbers(mended.frame["people"]) == [1, 2, -1]
    assert [fault.blocks for fault in mended.faults] == [False]
    for fault in (*found.faults, *mended.faults):
        for language in ("zh", "en"):
            assert say(fault.code, language, layer=fault.layer, **fault.detail)


def test_what_is_not_clear_is_refused() -> None:
    twice = joined(zones(["西市街道"]), {"名称": ["西市街道", "西市街道办事处"], "人口": [1, 2]})
    several = joined(zones(["城关镇", "城关镇"]), {"名称": ["城关镇"], "人口": [9]})
    nothing = joined(zones(["甲街道"]), {"年份": [2020], "数": [1]})
    codes = [[fault.code for fault in found.faults if fault.blocks] for found in (twice, several, nothing)]
    assert codes == [["faults.join_twice"], ["faults.join_several"], ["faults.join_no_key"]]


def test_a_row_of_totals_is_no_place_and_must_add_up() -> None:
    frame = zones(["甲街道", "乙街道"])
    rows = {"名称": ["甲街道", "乙街道", "合  计"], "人口": ["10", "20", "30"]}
    assert joined(frame, rows).faults == []
    rows["人口"][2] = "31"
    assert [fault.code for fault in joined(frame, rows).faults] == ["faults.join_total"]


@settings(deadline=None)
@given(
    st.permutations(range(6)), st.sampled_from(["", "办事处"]), st.lists(st.integers(0, 10**6), min_size=6, max_size=6)
)
def test_the_order_of_a_table_does_not_matter(order: list[int], ending: str, people: list[int]) -> None:
    names = [f"{sign}里街道" for sign in "甲乙丙丁戊己"]
    found = joined(
        zones(names), {"名称": [names[row] + ending for row in order], "人口": [people[row] for row in order]}
    )
    assert numbers(found.frame["people"]) == people
    assert found.faults == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("60-64岁", (60, 65, "")), ("60～64岁人口", (60, 65, "")), ("６５—６９岁（男）", (65, 70, "男")),
        ("85岁及以上", (85, None, "")), ("八十五岁以上", (85, None, "")), ("100+", (100, None, "")),
        ("0-4岁_女", (0, 5, "女")), ("3岁", (3, 4, "")), ("age_60_64", (60, 65, "")), ("60至64岁小计", (60, 65, "")),
        ("总人口", None), ("2020年", None), ("60岁平均", None), ("64-60岁", None),
    ],
)  # fmt: skip
def test_bands(name: str, expected: tuple[int, int | None, str] | None) -> None:
    band = band_of(name)
    assert (None if band is None else (band.least, band.below, band.sex)) == expected


counts = st.lists(st.integers(0, 5000), min_size=101, max_size=101)


@settings(deadline=None, max_examples=40)
@given(counts, st.sampled_from([1, 5]))
def test_groups_are_the_years_they_hold(years: list[int], width: int) -> None:
    table = pd.DataFrame(
        {
            (f"{low}岁" if width == 1 else f"{low}-{low + width - 1}岁"): [sum(years[low : low + width])]
            for low in range(0, 100, width)
        }
        | {"100岁及以上": [years[100]]}
    )
    found, notes = with_age_groups(table)
    exact = width == 1
    for group, (least, below) in GROUPS.items():
        if exact or below is None:
            assert found[group].iloc[0] == sum(years[least:below])
        assert 0 <= found[group].iloc[0] <= sum(years)
    assert [note.code for note in notes] == ["demand.bands_summed", *([] if exact else ["demand.bands_shared"])]
    assert found["elders_80"].iloc[0] <= found["elders_65"].iloc[0] <= found["elders_60"].iloc[0]


def test_sexes_are_added_and_gaps_leave_a_group_unknown() -> None:
    halves = {f"{low}-{low + 4}岁{sex}": [1] for low in range(60, 80, 5) for sex in "男女"}
    found, _ = with_age_groups(pd.DataFrame(halves))
    assert "elders_60" not in found.columns, "nothing says how many are 80 and over"
    found, _ = with_age_groups(pd.DataFrame({**halves, "80岁以上男": [3], "80岁以上女": [4]}))
    assert found[["elders_60", "elders_65", "elders_80"]].iloc[0].tolist() == [15, 13, 7]
    stated, _ = with_age_groups(pd.DataFrame({**halves, "80岁以上": [7]}), ["elders_60"])
    assert "elders_60" not in stated.columns


def test_ages_that_cannot_be_are_pointed_out() -> None:
    table = pd.DataFrame({"people": [100, 50], "elders_60": [20, 40], "elders_65": [25, 10], "children_0_3": [1, 20]})
    found = age_faults(table, file="a", layer="districts", names=["甲", "乙"])
    assert [(fault.row, fault.column) for fault in found] == [("甲", "elders_65"), ("乙", "elders_60+children_0_3")]
    assert not any(fault.blocks for fault in found)
    for fault in found:
        for language in ("zh", "en"):
            assert say(fault.code, language, row=fault.row, column=fault.column, value=fault.value, **fault.detail)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A study whose sub-districts have no figures of their own: they stand in a GBK table with bands."""
    zones(["西市街道", "东市街道"]).to_file(tmp_path / "街道.gpkg")
    street = gpd.GeoDataFrame(
        {"道路类型": ["residential"]},
        geometry=[shapely.LineString(shapely.box(0, 0, 2000, 1000).exterior.coords)],
        crs=CRS_M,
    )
    street.to_file(tmp_path / "道路.gpkg")
    text = "2020年各街道人口,,,,\n街道名称,常住人口,60-64岁,65-79岁,80岁以上\n"
    text = (
        text.split("\n", 1)[1]
        + '西市街道办事处,"1,200",100,90,30\n东市街道办事处,800,50,40,10\n合计,"2,000",150,130,40\n'
    )
    (tmp_path / "人口.csv").write_bytes(text.encode("gb18030"))
    (tmp_path / "study.toml").write_text(
        '[study]\nname = "试"\ncrs = "EPSG:4548"\n[layers.streets]\npath = "道路.gpkg"\n'
        '[layers.districts]\npath = "街道.gpkg"\n[layers.districts.join]\npath = "人口.csv"\n',
        encoding="utf-8",
    )
    return tmp_path


def test_a_table_of_sub_districts_reaches_the_people(folder: Path) -> None:
    study = load_study(folder)
    demand = demand_of(study)
    sums = demand.points.groupby("district_id")[["people", "elders_60", "elders_65", "elders_80"]].sum()
    assert sums.to_numpy().tolist() == [[1200, 220, 120, 30], [800, 100, 50, 10]]
    assert {"people", "elders_60", "elders_65", "elders_80"} <= set(demand.known)
    assert [source.file for source in study.sources if source.layer == "districts"] == ["人口.csv", "街道.gpkg"]
    assert {"study.joined", "demand.bands_summed"} <= {note.code for note in study.notes}
    for note in study.notes:
        for language in ("zh", "en"):
            assert say(note.code, language, **note.detail)


def test_a_table_that_is_not_there_is_one_fault(folder: Path) -> None:
    (folder / "人口.csv").unlink()
    faults = [fault for fault in examine(folder).faults if fault.blocks]
    assert [(fault.code, fault.file) for fault in faults] == [("faults.file_missing", "人口.csv")]


def test_facilities_that_the_study_names_are_checked(folder: Path) -> None:
    with (folder / "study.toml").open("a", encoding="utf-8") as file:
        file.write('[facilities]\nkeep_apart = [["甲", "乙"]]\n')
    assert [fault.code for fault in examine(folder).faults if fault.blocks] == ["facilities.id_unknown"] * 2
    with pytest.raises(InputError):
        load_study(folder)


def buildings(**columns: object) -> gpd.GeoDataFrame:
    count = len(next(iter(columns.values())))  # type: ignore[arg-type]
    shapes = [shapely.box(100 + 100 * row, 100, 120 + 100 * row, 120) for row in range(count)]
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=CRS_M)


def test_shops_below_homes_hold_nobody(make_study: MakeStudy) -> None:
    rows = buildings(
        use=["住宅", "商住", "商住", "办公"], storeys=[6.0, 6.0, 6.0, 6.0], residential_m2=[None, None, 700.0, 350.0]
    )
    demand = demand_of(make_study({"buildings": rows}))
    assert demand.points["people"].tolist() == [69, 57, 20, 10]
    assert "demand.mixed_use" in {note.code for note in demand.notes}


def test_dwellings_are_households(make_study: MakeStudy) -> None:
    rows = buildings(use=["住宅", "住宅"], storeys=[6.0, 6.0], dwellings=[24.0, None])
    demand = demand_of(make_study({"buildings": rows}, settings={"people": {"persons_per_household": 2.5}}))
    assert demand.points["people"].tolist() == [60, 69]
    assert demand.points["households"].tolist() == [24, 28]
    assert {"demand.by_dwellings", "demand.households_by_dwellings"} <= {note.code for note in demand.notes}


def test_a_building_in_two_cells_takes_from_both(make_study: MakeStudy) -> None:
    home = gpd.GeoDataFrame(
        {"use": ["住宅", "住宅"], "storeys": [1.0, 1.0]},
        geometry=[shapely.box(80, 0, 120, 40), shapely.box(0, 0, 20, 40)],
        crs=CRS_M,
    )
    cells = gpd.GeoDataFrame(
        {"people": [90.0, 60.0, 12.0]},
        geometry=[shapely.box(0, 0, 100, 100), shapely.box(100, 0, 200, 100), shapely.box(300, 0, 400, 100)],
        crs=CRS_M,
    )
    demand = demand_of(make_study({"buildings": home, "population": cells}))
    by_place = demand.points.iloc[demand.points.geometry.x.argsort()]
    assert by_place["people"].tolist() == [45, 45 + 60, 12]
    note = next(note for note in demand.notes if note.code == "demand.cells_without_homes")
    assert (note.detail["count"], note.detail["people"]) == (1, 12)


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.tuples(st.integers(0, 780), st.integers(0, 780), st.integers(5, 60)), min_size=1, max_size=25),
    st.lists(st.integers(0, 400), min_size=64, max_size=64),
)
def test_cells_keep_their_people_whatever_is_built_in_them(
    make_study: MakeStudy, homes: list[tuple[int, int, int]], people: list[int]
) -> None:
    if not sum(people):
        return
    built = gpd.GeoDataFrame(
        {"use": ["住宅"] * len(homes), "storeys": [3.0] * len(homes)},
        geometry=[shapely.box(x, y, x + side, y + side) for x, y, side in homes],
        crs=CRS_M,
    )
    cells = gpd.GeoDataFrame(
        {"people": [float(count) for count in people]},
        geometry=[
            shapely.box(100 * (row % 8), 100 * (row // 8), 100 * (row % 8) + 100, 100 * (row // 8) + 100)
            for row in range(64)
        ],
        crs=CRS_M,
    )
    demand = demand_of(make_study({"buildings": built, "population": cells}, side_m=800.0))
    assert demand.points["people"].sum() == sum(people)


@pytest.mark.parametrize("how", ["compounds", "grid"])
def test_gathered_places_keep_every_total(make_study: MakeStudy, how: str) -> None:
    rng = np.random.default_rng(5)
    x, y = rng.uniform(0, 3970, (2, 250))
    homes = gpd.GeoDataFrame(
        {"use": ["住宅"] * 250, "storeys": rng.integers(1, 9, 250).astype(float)},
        geometry=list(shapely.box(x, y, x + 20, y + 15)),
        crs=CRS_M,
    )
    stated = zones(["甲街道", "乙街道", "丙街道", "丁街道"], side_m=1000.0)
    stated = stated.set_geometry([shapely.box(1000 * row, 0, 1000 * row + 1000, 4000) for row in range(4)])
    stated = stated.assign(
        district_id=list("abcd"), name=stated["名称"], people=[900.0, 800, 700, 600], elders_60=[90.0, 80, 70, 60]
    )
    compounds = gpd.GeoDataFrame(
        {"compound_id": ["1", "2"], "name": ["一", "二"]},
        geometry=[shapely.box(0, 0, 1500, 1500), shapely.box(2000, 2000, 3500, 3500)],
        crs=CRS_M,
    )
    layers = {"buildings": homes, "districts": stated, "compounds": compounds}
    every = demand_of(make_study(layers))
    found = demand_of(make_study(layers, settings={"people": {"places": how, "grid_m": 500}}))
    assert len(found.points) < len(every.points)
    summed = ["people", *AGE_COLUMNS, "households"]
    for zone in ("district_id", "compound_id", "ring_id"):
        one, other = (one.points.groupby(zone, dropna=False)[summed].sum() for one in (every, found))
        pd.testing.assert_frame_equal(one, other)
    homes_xy = {tuple(xy) for xy in shapely.get_coordinates(every.points.geometry.to_numpy()).tolist()}
    assert {tuple(xy) for xy in shapely.get_coordinates(found.points.geometry.to_numpy()).tolist()} <= homes_xy
    assert found.neighbourhoods["people"].tolist() == every.neighbourhoods["people"].tolist()


def test_a_district_cut_by_the_border_is_cut_though_cells_end_there(make_study: MakeStudy) -> None:
    homes = gpd.GeoDataFrame(
        {"use": ["住宅"] * 2, "storeys": [3.0] * 2},
        geometry=[shapely.box(100, 100, 120, 120), shapely.box(5000, 100, 5020, 120)],
        crs=CRS_M,
    )
    wide = gpd.GeoDataFrame(
        {"district_id": ["1"], "name": ["宽"], "people": [1000.0]}, geometry=[shapely.box(0, 0, 8000, 4000)], crs=CRS_M
    )
    cells = gpd.GeoDataFrame({"people": [300.0]}, geometry=[shapely.box(0, 0, 400, 400)], crs=CRS_M)
    demand = demand_of(make_study({"buildings": homes, "districts": wide, "population": cells}))
    assert demand.points["people"].sum() == 500
    assert "demand.districts_cut" in {note.code for note in demand.notes}


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(0, 300), min_size=16, max_size=16), st.integers(100, 700))
def test_compounds_across_the_border_take_nobody_away(make_study: MakeStudy, people: list[int], edge: int) -> None:
    """Cells keep their people in the area whether the compound above them counts or not."""
    if not sum(people):
        return
    cells = gpd.GeoDataFrame(
        {"people": [float(count) for count in people]},
        geometry=[
            shapely.box(100 * (k % 4), 100 * (k // 4), 100 * (k % 4) + 100, 100 * (k // 4) + 100) for k in range(16)
        ],
        crs=CRS_M,
    )
    compounds = gpd.GeoDataFrame(
        {"compound_id": ["1"], "name": ["一"]}, geometry=[shapely.box(350, 50, 350 + edge, 350)], crs=CRS_M
    )
    home = gpd.GeoDataFrame({"use": ["住宅"], "storeys": [3.0]}, geometry=[shapely.box(360, 60, 390, 90)], crs=CRS_M)
    layers = {"buildings": home, "population": cells, "compounds": compounds}
    assert demand_of(make_study(layers, side_m=400.0)).points["people"].sum() == sum(people)


@settings(deadline=None)
@given(st.lists(st.text(max_size=8), max_size=6), st.lists(st.text(max_size=8), min_size=1, max_size=4))
def test_any_table_is_joined_or_refused(names: list[str], headings: list[str]) -> None:
    columns: dict[str, list[object]] = {heading: list(names) for heading in dict.fromkeys(headings)}
    found = joined(zones(["西市街道", "东市街道"]), {"名称": list(names), **columns})
    assert len(found.frame) == 2
    assert all(fault.code.startswith("faults.join") for fault in found.faults)
    for heading in headings:
        band_of(heading)
