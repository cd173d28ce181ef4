"""Facilities: classes from every kind of source, duplicates merged, unknown ones said, no data not zero."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.layers.duplicates import merge_duplicates
from lifecircle.layers.facilities import COLUMNS, facilities_of, find_facilities
from lifecircle.layers.facility_classes import class_of_poi, class_of_tags, osm_filters
from lifecircle.layers.facility_rows import classify
from lifecircle.layers.facility_words import vocabulary
from lifecircle.layers.osmfile import osm_features
from lifecircle.layers.standards import load_standard, shipped_standards
from lifecircle.layers.words import say

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import MakeStudy

STANDARD = load_standard("gb50180-2018")
CRS_M = "EPSG:4548"


def frame(rows: list[dict[str, object]], geometries: list[object]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(pd.DataFrame(rows), geometry=geometries, crs=CRS_M)


def point(x: float, y: float) -> shapely.Point:
    return shapely.Point(x, y)


def test_every_class_of_every_standard_is_in_the_vocabulary() -> None:
    for key in shipped_standards():
        standard = load_standard(key)
        assert {rule.facility_class for rule in (*standard.rules, *standard.unmeasured)} <= set(vocabulary().classes)


def test_every_line_of_the_vocabulary_names_known_classes() -> None:
    words = vocabulary()
    assert all(next(iter(line.tags.values())) for line in words.osm), "lines are found by their first tag"
    for line in (*words.osm, *words.amap):
        assert {*line.classes, *line.also, *([line.otherwise] if line.otherwise else [])} <= set(words.classes)


@pytest.mark.parametrize("rule", [*STANDARD.rules, *STANDARD.unmeasured], ids=lambda rule: rule.facility_class)
def test_a_class_is_known_by_every_name_of_the_standard(rule: object) -> None:
    names = [rule.facility_class, rule.zh, rule.en, rule.short_zh, rule.short_en]  # type: ignore[attr-defined]
    found = classify(pd.DataFrame({"facility_class": names}), STANDARD)
    assert [classes[0] for classes in found] == [(rule.facility_class, "high")] * len(names)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("医疗保健服务;综合医院;三级甲等医院", "上海长征医院", ["outpatient"]),
        ("医疗保健服务;综合医院;综合医院|医疗保健服务;诊所;诊所", "瑞金康复医院", ["outpatient"]),
        ("医疗保健服务;综合医院;卫生院", "五里桥街道社区卫生服务中心", ["community_health_centre"]),
        ("医疗保健服务;诊所;诊所", "打浦社区卫生服务站", ["community_health_station"]),
        ("医疗保健服务;动物医疗场所;宠物诊所", "爱心宠物诊所", []),
        ("科教文化服务;学校;小学", "蓬莱路第二小学", ["primary_school"]),
        ("科教文化服务;学校;小学", "向明九年一贯制学校", ["primary_school", "junior_middle_school"]),
        ("科教文化服务;学校;中学", "卢湾高级中学", []),
        ("科教文化服务;学校;中学", "市八初级中学", ["junior_middle_school"]),
        ("科教文化服务；学校；幼儿园", "思南路幼儿园", ["kindergarten"]),
        ("购物服务;综合市场;蔬菜市场", "顺昌路", ["food_market"]),
        ("购物服务;综合市场;花鸟鱼虫市场", "万商花鸟", []),
        ("购物服务;超级市场;超市", "家乐", ["community_retail", "food_market", "supermarket"]),
        ("医疗保健服务;医药保健销售店;药房", "同仁堂", ["community_retail", "pharmacy"]),
        ("生活服务;洗衣店;洗衣店", "", ["community_retail", "laundry"]),
        ("生活服务;美容美发店;美容美发店", "", ["community_retail", "hairdresser"]),
        ("体育休闲服务;运动场馆;足球场", "", ["medium_multisport_ground", "football_ground"]),
        ("风景名胜;公园广场;城市广场", "人民广场", ["outdoor_fitness_ground", "park_square"]),
        ("医疗;药店", "", ["community_retail", "pharmacy"]),
        ("购物;超市", "", ["community_retail", "food_market", "supermarket"]),
        ("政府机构及社会团体;公检法机构;公安警察", "打浦桥派出所", ["police_station"]),
    ],
)
def test_map_service_strings(text: str, name: str, expected: list[str]) -> None:
    assert [key for key, _ in class_of_poi(text, name)] == expected


@pytest.mark.parametrize(
    ("tags", "land_m2", "expected"),
    [
        ({"amenity": "pharmacy"}, None, ["community_retail", "pharmacy"]),
        ({"shop": "dry_cleaning"}, None, ["community_retail", "laundry"]),
        ({"shop": "hairdresser"}, None, ["community_retail", "hairdresser"]),
        ({"shop": "supermarket"}, None, ["community_retail", "food_market", "supermarket"]),
        ({"leisure": "pitch", "sport": "soccer"}, 5000.0, ["large_multisport_ground", "football_ground"]),
        ({"leisure": "pitch", "sport": "tennis"}, 900.0, ["small_sports_ground"]),
        ({"place": "square"}, None, ["park_square"]),
    ],
)
def test_one_place_counts_for_each_class_that_a_standard_may_ask_for(
    tags: dict[str, str], land_m2: float | None, expected: list[str]
) -> None:
    assert [key for key, _ in class_of_tags(tags, land_area_m2=land_m2)] == expected


@pytest.mark.parametrize("standard", ["convenience-2021", "tdt1063-2021", "complete-community-2020"])
def test_every_walked_class_of_these_standards_can_be_found_in_osm_or_a_map_service(standard: str) -> None:
    words = vocabulary()
    told = {
        key for line in (*words.osm, *words.amap, *words.baidu) for key in (*line.classes, *line.also, line.otherwise)
    }
    wanted = {"pharmacy", "laundry", "hairdresser", "supermarket", "football_ground", "park_square"}
    asked = {key for rule in load_standard(standard).rules for key in rule.classes}
    assert asked & wanted <= told


@pytest.mark.parametrize(
    ("tags", "name", "expected"),
    [
        (
            {"amenity": "social_facility", "social_facility": "day_care", "social_facility:for": "senior"},
            "",
            "elderly_day_care",
        ),
        (
            {"amenity": "social_facility", "social_facility": "group_home", "social_facility:for": "senior"},
            "",
            "elderly_home",
        ),
        ({"amenity": "social_facility", "social_facility": "shelter"}, "", None),
        ({"amenity": "social_facility", "social_facility:for": "child"}, "Casa", None),
        ({"amenity": "school"}, "C.E.I.P. Cervantes", "primary_school"),
        ({"amenity": "school"}, "I.E.S. Schamann", "junior_middle_school"),
        ({"amenity": "school"}, "Escuela de Flamenco", None),
        ({"amenity": "school"}, "南京市第三高级中学", None),
        ({"amenity": "clinic;pharmacy"}, "Centro de Salud Alcaravaneras", "community_health_centre"),
        ({"highway": "bus_stop"}, "", "bus_stop"),
        ({"railway": "station"}, "", None),
        ({"railway": "station", "station": "subway"}, "", "metro_station"),
    ],
)
def test_osm_tags(tags: dict[str, str], name: str, expected: str | None) -> None:
    found = class_of_tags(tags, name)
    assert (found[0][0] if found else None) == expected


@settings(deadline=None)
@given(st.floats(0, 1e5))
def test_a_pitch_is_of_the_largest_class_its_ground_allows(area: float) -> None:
    found = class_of_tags({"leisure": "pitch"}, land_area_m2=area)
    sizes = {
        key: vocabulary().classes[key].area_m2 or 0
        for key in (
            "outdoor_fitness_ground",
            "small_sports_ground",
            "medium_multisport_ground",
            "large_multisport_ground",
        )
    }
    fitting = [key for key, least in sizes.items() if least <= area]
    assert [key for key, _ in found] == fitting[-1:]


def test_unknown_classes_are_counted_not_dropped_in_silence(make_study: MakeStudy) -> None:
    rows = [{"facility_class": label} for label in ["菜市场", "加油站", "加油站", "银行"]]
    found = find_facilities(make_study({"facilities": frame(rows, [point(i * 500, 0) for i in range(4)])}), STANDARD)
    notes = {note.code: note.detail for note in found.notes}
    assert notes["facilities.unknown_class"]["count"] == 2
    assert "加油站 (2)" in str(notes["facilities.unknown_class"]["labels"])
    assert notes["facilities.not_measured"]["count"] == 1
    for note in found.notes:
        assert say(note.code, "zh", **note.detail)
        assert say(note.code, "en", **note.detail)


def test_benches_are_not_facilities_of_unknown_class(make_study: MakeStudy) -> None:
    rows = [{"amenity": "bench"}, {"amenity": "social_facility", "social_facility": "shelter"}]
    found = find_facilities(make_study({"facilities": frame(rows, [point(0, 0), point(900, 0)])}), STANDARD)
    notes = {note.code: note.detail for note in found.notes}
    assert notes["facilities.other_features"]["labels"] == "amenity=bench (1)"
    assert notes["facilities.unknown_class"]["labels"] == "amenity=social_facility (1)"


def test_no_facilities_layer_is_no_data_of_any_class(make_study: MakeStudy) -> None:
    found = find_facilities(make_study(), STANDARD)
    assert found.frame.empty
    assert set(COLUMNS) <= set(found.frame.columns)
    assert found.with_data == frozenset()
    assert [note.code for note in found.notes] == ["facilities.none"]


def test_a_planned_facility_is_data_but_not_there_yet(make_study: MakeStudy) -> None:
    rows = [{"facility_class": "托老所", "status": "planned"}, {"facility_class": "菜市场", "status": None}]
    found = find_facilities(make_study({"facilities": frame(rows, [point(0, 0), point(900, 0)])}), STANDARD)
    assert found.with_data == {"elderly_day_care", "food_market"}
    assert found.frame.set_index("facility_class")["status"].to_dict() == {
        "elderly_day_care": "planned",
        "food_market": "existing",
    }


def test_node_and_polygon_of_one_school_are_one(make_study: MakeStudy) -> None:
    ground = shapely.box(0, 0, 100, 80)
    rows = [
        {"amenity": "school", "name": "南门小学", "osm_type": "node", "osm_id": 1, "capacity": None},
        {"amenity": "school", "name": "南门小学(东校区)", "osm_type": "way", "osm_id": 2, "capacity": None},
        {"amenity": "school", "name": "北门小学", "osm_type": "node", "osm_id": 3, "capacity": 500},
    ]
    found = find_facilities(make_study({"facilities": frame(rows, [point(50, 50), ground, point(60, 60)])}), STANDARD)
    assert found.frame["facility_id"].tolist() == ["w2", "n3"]
    assert found.merges[["kept", "dropped", "distance_m"]].to_numpy().tolist() == [["w2", "n1", 0.0]]
    assert found.frame["land_area_m2"].iloc[0] == pytest.approx(8000)
    assert ground.contains(found.frame.geometry.iloc[0])


def test_a_supermarket_serves_as_two_classes_with_ids_of_their_own(make_study: MakeStudy) -> None:
    rows = [{"shop": "supermarket", "osm_type": "node", "osm_id": 9}]
    found = find_facilities(make_study({"facilities": frame(rows, [point(0, 0)])}), STANDARD)
    assert found.frame["facility_id"].is_unique
    assert dict(zip(found.frame["facility_class"], found.frame["confidence"], strict=True)) == {
        "community_retail": "high",
        "food_market": "medium",
    }


def test_private_and_disused_places_do_not_count(make_study: MakeStudy) -> None:
    rows = [{"leisure": "playground", "access": "private"}, {"leisure": "playground", "access": "yes"}]
    found = find_facilities(make_study({"facilities": frame(rows, [point(0, 0), point(900, 0)])}), STANDARD)
    assert len(found.frame) == 1


places_and_names = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 60), st.sampled_from(["", "一小", "第一小学", "第二小学"])),
    max_size=25,
)


@settings(deadline=None)
@given(places_and_names)
def test_merging_loses_no_record_and_is_stable(rows: list[tuple[int, int, str]]) -> None:
    columns = {
        "facility_id": [f"f{i}" for i in range(len(rows))],
        "name": pd.Series([name or None for *_, name in rows], dtype="str"),
        "facility_class": pd.Series(["primary_school"] * len(rows), dtype="str"),
        "status": pd.Series(["existing"] * len(rows), dtype="str"),
        "capacity": np.full(len(rows), np.nan),
        "floor_area_m2": np.full(len(rows), np.nan),
        "land_area_m2": np.full(len(rows), np.nan),
        "year": pd.array([pd.NA] * len(rows), dtype="Int64"),
    }
    points = gpd.GeoDataFrame(columns, geometry=[point(x * 5, y * 5) for x, y, _ in rows], crs=CRS_M)
    found = merge_duplicates(points)
    kept, merges = found.kept, found.merges
    assert sorted([*kept["facility_id"], *merges["dropped"]]) == sorted(points["facility_id"])
    assert set(merges["kept"]) <= set(kept["facility_id"])
    again = merge_duplicates(points).kept
    assert again["facility_id"].tolist() == kept["facility_id"].tolist()
    assert {name for *_, name in rows if name} == set(kept["name"].dropna()), "no name disappears"


def test_filters_find_what_the_vocabulary_reads() -> None:
    filters = osm_filters(STANDARD.classes)
    assert any(text.startswith("amenity=") and "marketplace" in text for text in filters)
    assert not any("restaurant" in text for text in filters), "classes without a walk are not read"


@pytest.mark.places
def test_las_palmas(places: Path, make_study: MakeStudy) -> None:
    path = places / "osm" / "las_palmas_20230221.osm.pbf"
    raw = osm_features(path, osm_filters(STANDARD.classes), ("Point", "Polygon")).to_crs("EPSG:32628")
    found = facilities_of(make_study({"facilities": raw.reset_index(drop=True)}), STANDARD)
    counts = found["facility_class"].value_counts()
    assert counts["food_market"] > 100
    assert counts["primary_school"] > counts["junior_middle_school"] > 10
    assert counts["community_health_centre"] >= 10
    assert found["facility_id"].is_unique


@pytest.mark.places
def test_shanghai_schools_of_amap(places: Path) -> None:
    rows = pd.read_csv(places / "poi_shanghai" / "小学.csv").rename(columns={"type": "facility_class"})
    found = classify(rows, STANDARD)
    share = sum(any(key == "primary_school" for key, _ in classes) for classes in found) / len(found)
    assert share > 0.95
