from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from lifecircle.layers.contracts import CONTRACTS
from lifecircle.layers.headings import propose_columns
from lifecircle.layers.repair import AREA_CHANGE_LIMIT, mend
from lifecircle.layers.table import SHOWN_PER_COLUMN, UNSAID, Column, Contract, check, without_control
from lifecircle.layers.words import LANGUAGES, explain, say

CRS = "EPSG:4548"


def squares(count: int, **columns: object) -> gpd.GeoDataFrame:
    shapes = [shapely.box(x * 200, 0, x * 200 + 100, 100) for x in range(count)]
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=CRS)


def codes(checked: object) -> list[str]:
    return [fault.code for fault in checked.faults]  # type: ignore[attr-defined]


def test_all_faults_of_a_layer_come_together() -> None:
    frame = squares(
        4,
        编号=["a", "b", "b", None],
        小区名称=["一", "二", "三", "四"],
        户数=["120", "-3", "十二", "10.5"],
        权属=["国有", "集体", "不明", "国有"],
        封闭=["是", "否", "也许", ""],
    )
    frame.loc[0, "geometry"] = shapely.Point(0, 0)
    checked = check(frame, CONTRACTS["compounds"], file="小区.shp")
    expected = [
        "id_missing",
        "id_twice",
        "negative",
        "not_bool",
        "not_number",
        "not_whole",
        "unknown_choice",
        "wrong_shape",
    ]
    assert sorted(codes(checked)) == [f"faults.{name}" for name in expected]
    for fault in checked.faults:
        for language in LANGUAGES:
            text = explain(fault, language)
            assert "小区.shp" in text
            assert ("小区图层" if language == "zh" else "compounds") in text


def test_a_choice_is_offered_in_the_words_of_the_reader_and_ids_are_called_ids() -> None:
    frame = squares(2, 编号=["C01", "C02"], 权属=["国有", "不明"])
    fault = check(frame, CONTRACTS["compounds"], file="f").faults[0]
    assert "国有／国有土地、集体／集体土地" in explain(fault, "zh")
    assert "编号 C02" in explain(fault, "zh")
    assert "state, collective" in explain(fault, "en")
    unnumbered = check(frame.drop(columns="编号"), CONTRACTS["compounds"], file="f").faults[0]
    assert "第 2 行" in explain(unnumbered, "zh")


def test_words_of_one_column_win_over_those_of_all() -> None:
    frame = squares(3, 是否封闭管理=["封闭", "开放", "否"])
    assert check(frame, CONTRACTS["compounds"], file="f").frame["walled"].tolist() == [True, False, False]


def test_columns_and_values_are_mapped_and_the_rest_travels_along() -> None:
    frame = squares(2, XM=["甲", "乙"], LX=["棚户", "旧村"], 备注=["x", "y"])
    checked = check(
        frame,
        CONTRACTS["projects"],
        file="p.shp",
        columns={"name": "XM", "kind": "LX"},
        values={"kind": {"棚户": "shantytown", "旧村": "urban_village"}},
    )
    assert checked.faults == ()
    assert checked.frame["name"].tolist() == ["甲", "乙"]
    assert checked.frame["kind"].tolist() == ["shantytown", "urban_village"]
    assert checked.frame["备注"].tolist() == ["x", "y"]
    assert checked.frame["project_id"].tolist() == ["1", "2"]
    assert [note.code for note in checked.notes] == ["study.ids_generated"]


def test_missing_values_stay_unknown() -> None:
    frame = squares(3, 户数=["12", "", None], 人口=[30.0, np.nan, 0.0], 封闭=[True, None, False])
    checked = check(frame, CONTRACTS["compounds"], file="c")
    assert checked.faults == ()
    out = checked.frame
    assert out["households"].tolist()[0] == 12
    assert out["households"].isna().tolist() == [False, True, True]
    assert out["people"].isna().tolist() == [False, True, False]
    assert out["walled"].isna().tolist() == [False, True, False]
    assert "floor_area_m2" not in out


def test_complete_columns_are_plain_numbers_and_booleans() -> None:
    out = check(squares(2, 户数=["1,200", "３０"], 封闭=["是", "否"]), CONTRACTS["compounds"], file="c").frame
    assert out["households"].tolist() == [1200, 30]
    assert out["households"].dtype == np.int64
    assert out["walled"].dtype == np.bool_


def test_what_a_table_says_is_not_known_is_unknown_and_counted() -> None:
    said = ["12", "—", " 不详 ", "N/A", "／", None]
    checked = check(squares(6, 户数=said), CONTRACTS["compounds"], file="c.xlsx")
    assert checked.faults == ()
    assert checked.frame["households"].isna().tolist() == [False, True, True, True, True, True]
    (note,) = [note for note in checked.notes if note.code == "study.unsaid"]
    assert (note.detail["count"], note.detail["column"]) == (4, "户数")
    for language in LANGUAGES:
        assert "户数" in say(note.code, language, **note.detail)


def test_a_number_that_must_be_there_may_not_be_unknown() -> None:
    people = next(column for column in CONTRACTS["population"].columns if column.name == "people")
    assert people.required
    assert "faults.not_number" in codes(check(squares(2, people=["5", "—"]), CONTRACTS["population"], file="c.csv"))
    assert codes(check(squares(1, 户数=["无"]), CONTRACTS["compounds"], file="c")) == ["faults.not_number"]


def test_numeric_ids_are_text_without_decimals() -> None:
    out = check(squares(2, 编号=[1.0, 2.0]), CONTRACTS["compounds"], file="c").frame
    assert out["compound_id"].tolist() == ["1", "2"]


def test_many_faults_of_one_column_are_counted() -> None:
    checked = check(squares(12, 户数=[-1] * 12), CONTRACTS["compounds"], file="c")
    assert codes(checked) == ["faults.negative"] * SHOWN_PER_COLUMN + ["faults.and_more"]
    assert checked.faults[-1].detail["count"] == 12 - SHOWN_PER_COLUMN


def test_a_required_column_that_lacks_lists_what_there_is() -> None:
    checked = check(squares(1, foo=[1]), CONTRACTS["population"], file="pop.csv")
    assert codes(checked) == ["faults.column_required"]
    assert "foo" in explain(checked.faults[0], "zh")


def test_a_wrong_column_map_names_both_sides() -> None:
    frame = squares(1, 人口=[1.0])
    checked = check(frame, CONTRACTS["population"], file="f", columns={"people": "人囗", "peeple": "人口"})
    assert sorted(codes(checked)) == ["faults.column_missing", "faults.column_unknown"]


def test_an_empty_layer_is_one_fault() -> None:
    assert codes(check(squares(0, 人口=[]), CONTRACTS["population"], file="f")) == ["faults.layer_empty"]


def test_a_file_column_with_a_product_name_does_not_hide_the_mapped_one() -> None:
    frame = squares(1, people=["wrong"], 常住=[7])
    checked = check(frame, CONTRACTS["population"], file="f", columns={"people": "常住"})
    assert checked.faults == ()
    assert checked.frame["people"].tolist() == [7]
    assert checked.frame["people_file"].tolist() == ["wrong"]


def test_ten_byte_names_of_shapefiles_are_recognised() -> None:
    cut = "建筑面积_m2".encode("gb18030")[:10].decode("gb18030", errors="ignore")
    assert propose_columns([cut, "规划建筑"], CONTRACTS["compounds"]) == {"floor_area_m2": cut}


def test_contract_names_its_columns() -> None:
    with pytest.raises(KeyError):
        CONTRACTS["compounds"].column("nothing")


@given(st.lists(st.one_of(st.none(), st.text(max_size=6), st.floats(), st.integers()), min_size=1, max_size=12))
def test_any_cell_is_read_or_reported_never_lost(values: list[object]) -> None:
    frame = squares(len(values))
    frame["n"] = pd.Series(values, dtype=object)
    contract = Contract("x", ("Polygon",), (Column("n", "float", least=0),))
    checked = check(frame, contract, file="f")
    assert len(checked.frame) == len(values)
    numbers = checked.frame["n"]
    assert numbers.dtype == np.float64
    assert not np.isinf(numbers).any()
    wrong = sum(1 for fault in checked.faults if fault.code != "faults.and_more")
    more = sum(int(str(fault.detail["count"])) for fault in checked.faults if fault.code == "faults.and_more")
    bare = [without_control(str(value)).strip().lower() for value in values]
    absent = sum(1 for value, text in zip(values, bare, strict=True) if pd.isna(value) or not text or text in UNSAID)
    read = int(numbers.notna().sum()) - int((numbers < 0).sum())
    assert read + wrong + more + absent == len(values)


def test_repair_keeps_area_within_its_limit_and_says_so() -> None:
    ear = shapely.Polygon([(0, 0), (100, 0), (100, 100), (0, 100), (0, 0), (-1, 0), (0, 0)])
    frame = gpd.GeoDataFrame(geometry=[ear, shapely.box(0, 0, 1, 1)], crs=CRS)
    mended = mend(frame, ("Polygon",), layer="l", file="f", rows=pd.Series([1, 2], dtype=object))
    assert mended.frame.is_valid.all()
    assert abs(mended.frame.area[0] - 10_000) <= AREA_CHANGE_LIMIT * 10_000
    assert [note.code for note in mended.notes] == ["study.geometry_mended"]
    for note in mended.notes:
        assert say(note.code, "zh", **note.detail)


def test_a_bow_tie_is_refused() -> None:
    tie = shapely.Polygon([(0, 0), (100, 100), (100, 0), (0, 100)])
    mended = mend(gpd.GeoDataFrame(geometry=[tie], crs=CRS), ("Polygon",), layer="l", file="f", rows=pd.Series([1]))
    assert [fault.code for fault in mended.faults] == ["faults.geometry_invalid"]


def test_heights_nulls_and_numbers_that_are_none() -> None:
    high = shapely.from_wkt("POLYGON Z ((0 0 5, 9 0 5, 9 9 5, 0 0 5))")
    with np.errstate(invalid="ignore"):
        broken = shapely.from_wkt("POLYGON ((0 0, 9 0, 9 nan, 0 0))")
    whole = [shapely.affinity.translate(high, 20 * step) for step in range(27)]
    frame = gpd.GeoDataFrame(geometry=[*whole, None, shapely.Polygon(), broken], crs=CRS)
    mended = mend(frame, ("Polygon",), layer="l", file="f", rows=pd.Series(range(1, 31), dtype=object))
    assert not mended.faults
    assert not mended.frame.has_z.any()
    assert len(mended.frame) == 27
    logged = mended.repairs[mended.repairs["what"] != "height"]
    assert logged[["feature", "what"]].to_numpy().tolist() == [["28", "empty"], ["29", "empty"], ["30", "no_number"]]
    assert {note.code: note.detail["count"] for note in mended.notes} == {
        "study.geometry_dropped": 2,
        "study.nan_dropped": 1,
    }


def test_parts_stand_alone_only_where_each_is_a_feature_of_its_own() -> None:
    lines = gpd.GeoDataFrame(geometry=[shapely.from_wkt("MULTILINESTRING ((0 0, 1 0), (5 5, 6 6))")], crs=CRS)
    rows = pd.Series([1])
    assert len(mend(lines, ("LineString",), layer="l", file="f", rows=rows).frame) == 2
    assert len(mend(lines, ("LineString", "Polygon"), layer="l", file="f", rows=rows).frame) == 1
    lone = gpd.GeoDataFrame(geometry=[shapely.from_wkt("MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)))")], crs=CRS)
    assert mend(lone, ("Polygon",), layer="l", file="f", rows=rows).frame.geom_type.tolist() == ["Polygon"]
    points = gpd.GeoDataFrame(geometry=[shapely.from_wkt("MULTIPOINT ((0 0), (4 4))")], crs=CRS)
    assert mend(points, ("Point",), layer="l", file="f", rows=rows).frame.geom_type.tolist() == ["Point"]
