"""One facility from many records: names compared, merges that can be undone, doors, capacity, what counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS

from lifecircle.gis.errors import InputError
from lifecircle.gis.network import network_from_lines
from lifecircle.gis.walkers import WALKERS
from lifecircle.layers.duplicates import COLUMNS, REASONS, ByHand, merge_duplicates
from lifecircle.layers.facilities import find_facilities
from lifecircle.layers.facility_classes import class_of_poi
from lifecircle.layers.facility_counts import counted_now
from lifecircle.layers.facility_names import contradict, likeness, spoken
from lifecircle.layers.facility_rows import classify
from lifecircle.layers.facility_words import vocabulary
from lifecircle.layers.standards import load_standard
from lifecircle.layers.walks import Walk
from lifecircle.layers.words import say

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import MakeStudy

STANDARD = load_standard("gb50180-2018")
CRS_M = "EPSG:4548"
MARKET = "food_market"


def records(rows: list[tuple[str, float, float]], facility_class: str = MARKET) -> gpd.GeoDataFrame:
    """Records of one class: name and place."""
    columns = {
        "facility_id": [f"f{row}" for row in range(len(rows))],
        "name": pd.Series([name or None for name, *_ in rows], dtype="str"),
        "facility_class": pd.Series([facility_class] * len(rows), dtype="str"),
        "status": pd.Series(["existing"] * len(rows), dtype="str"),
        **{name: np.full(len(rows), np.nan) for name in ("capacity", "floor_area_m2", "land_area_m2")},
        "year": pd.array([pd.NA] * len(rows), dtype="Int64"),
    }
    return gpd.GeoDataFrame(columns, geometry=[shapely.Point(x, y) for _, x, y in rows], crs=CRS_M)


def layer(rows: list[dict[str, object]], step_m: float = 900.0) -> gpd.GeoDataFrame:
    points = [shapely.Point(200 + step_m * row, 200) for row in range(len(rows))]
    return gpd.GeoDataFrame(pd.DataFrame(rows), geometry=points, crs=CRS_M)


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("141204", "", ("kindergarten", "high")),
        ("141203", "南门小学", ("primary_school", "high")),
        ("060703", "西市", ("food_market", "high")),
        ("60705", "", ("food_market", "high")),
        ("060701", "小商品城", None),
        ("060700", "西市农贸市场", ("food_market", "high")),
        ("090102", "五里桥街道社区卫生服务中心", ("community_health_centre", "high")),
        ("170000|060703", "", ("food_market", "high")),
        ("150700", "西市(公交站)", ("bus_stop", "high")),
        ("010100", "加油站", None),
        ("购物;集市", "", ("food_market", "medium")),
        ("医疗;药店", "", ("community_retail", "high")),
        ("教育培训;幼儿园", "春苗托育园", ("nursery", "high")),
        ("政府机构;居民委员会", "", ("community_service_station", "high")),
    ],
)
def test_codes_and_strings_of_map_services(text: str, name: str, expected: tuple[str, str] | None) -> None:
    found = class_of_poi(text, name)
    assert (found[0] if found else None) == expected


def test_codes_and_strings_of_a_line_agree() -> None:
    lines = [line for line in vocabulary().amap if line.starts and line.codes]
    assert len(lines) > 30
    for line in lines:
        (third,) = sorted(line.otherwise_third)[:1] or [""]
        by_string = class_of_poi(f"{line.starts};{third}" if third else line.starts)
        for code in line.codes:
            if not line.otherwise_third:
                assert class_of_poi(code.ljust(6, "0")) == by_string, line.starts


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("幸福里社区菜市场", "幸福里菜市场(东门)"),
        ("幸福里菜市场", "幸福里农贸市场"),
        ("济南市市中区舜玉路菜市场", "舜玉路菜市场"),
        ("舜玉路菜市场南门", "舜玉路菜市场"),
        ("Mercado Central", "mercado central (north gate)"),
    ],
)
def test_names_of_one_place(one: str, other: str) -> None:
    assert likeness(spoken(one, MARKET), spoken(other, MARKET)) >= 0.8


@pytest.mark.parametrize(
    ("one", "other", "facility_class"),
    [
        ("南门第一小学", "南门第二小学", "primary_school"),
        ("南门小学", "南门2小学", "primary_school"),
        ("漱玉平民大药房(舜玉路店)", "漱玉平民大药房(玉函路店)", "community_retail"),
        ("全家便利店-舜玉路店", "全家便利店-玉函路店", "community_retail"),
        ("东风里菜市场", "西风里菜市场", MARKET),
        ("幸福里菜市场", "平安里菜市场", MARKET),
        ("双善社区卫生服务站", "印村示范社区卫生服务站", "community_health_station"),
        ("大明里菜市场", "小明里菜市场", MARKET),
    ],
)
def test_names_of_two_places(one: str, other: str, facility_class: str) -> None:
    assert likeness(spoken(one, facility_class), spoken(other, facility_class)) == 0


names = st.text(alphabet="东西南北一二三幸福平安里路社区菜市场第小学门()店 -a1", max_size=12)


@settings(deadline=None)
@given(names, names)
def test_likeness_is_even_handed_and_within_bounds(one: str, other: str) -> None:
    first, second = spoken(one, MARKET), spoken(other, MARKET)
    assert likeness(first, second) == pytest.approx(likeness(second, first))
    assert 0 <= likeness(first, second) <= 1
    assert contradict(first, second) == contradict(second, first)
    if first.core:
        assert likeness(first, first) == 1


def test_a_shop_of_the_same_chain_next_door_stays_apart() -> None:
    rows = records([("惠康药店(一店)", 0, 0), ("惠康药店(二店)", 5, 0), ("惠康药店", 8, 0)], "community_retail")
    found = merge_duplicates(rows)
    assert len(found.kept) == 2
    assert set(found.merges["dropped"]) <= {"f2", "f0", "f1"}


def test_gates_become_doors() -> None:
    rows = records(
        [("幸福里菜市场", 0, 0), ("幸福里菜市场(东门)", 40, 0), ("幸福里菜市场西门", -40, 0), ("平安里菜市场", 5, 0)]
    )
    found = merge_duplicates(rows)
    assert found.kept["facility_id"].tolist() == ["f0", "f3"]
    assert sorted(found.merges["dropped"]) == ["f1", "f2"]
    assert list(found.merges.columns) == list(COLUMNS)
    assert set(found.merges["why"]) <= set(REASONS)
    assert found.door_owner.tolist() == [0, 0, 0, 1]
    assert sorted(point.x for point in found.doors[:3]) == [-40, 0, 40]


def test_a_polygon_with_gates_is_entered_by_them_only() -> None:
    rows = records([("南门小学", 0, 0), ("南门小学(正门)", 0, 0)], "primary_school")
    rows = rows.set_geometry([shapely.box(0, 0, 100, 80), shapely.Point(100, 40)])
    found = merge_duplicates(rows)
    assert [(point.x, point.y) for point in found.doors] == [(100, 40)]


def test_merges_by_hand_and_their_undoing() -> None:
    rows = records([("幸福里菜市场", 0, 0), ("幸福里农贸市场", 10, 0), ("河边大集", 900, 0)])
    assert len(merge_duplicates(rows).kept) == 2
    assert len(merge_duplicates(rows, ByHand(apart=frozenset({(0, 1)}))).kept) == 3
    found = merge_duplicates(rows, ByHand(together=((1, 2),)))
    assert len(found.kept) == 1
    assert found.merges.set_index("dropped")["why"].to_dict()["f2"] == "by_hand"


places = st.lists(
    st.tuples(
        st.sampled_from(
            ["", "菜市场", "幸福里菜市场", "幸福里菜市场(东门)", "幸福里二菜市场", "平安里菜市场", "幸福里新村菜场"]
        ),
        st.integers(0, 30),
        st.integers(0, 6),
    ),
    max_size=25,
)
pairs = st.lists(st.tuples(st.integers(0, 24), st.integers(0, 24)), max_size=4)


@settings(deadline=None)
@given(places, pairs)
def test_no_record_is_lost_and_those_kept_apart_stay_apart(
    rows: list[tuple[str, int, int]], apart: list[tuple[int, int]]
) -> None:
    frame = records([(name, x * 4.0, y * 4.0) for name, x, y in rows])
    kept_apart = frozenset((min(pair), max(pair)) for pair in apart if pair[0] != pair[1] and max(pair) < len(rows))
    found = merge_duplicates(frame, ByHand(apart=kept_apart))
    assert sorted([*found.kept["facility_id"], *found.merges["dropped"]]) == sorted(frame["facility_id"])
    head = dict(zip(found.merges["dropped"], found.merges["kept"], strict=True))
    for one, other in kept_apart:
        assert head.get(f"f{one}", f"f{one}") != head.get(f"f{other}", f"f{other}")
    assert np.array_equal(np.unique(found.door_owner), np.arange(len(found.kept)))
    numbers = frame.set_index("facility_id")["name"].fillna("").map(lambda name: "二" in name)
    named = found.merges[(found.merges["kept_name"] != "") & (found.merges["dropped_name"] != "")]
    specific = named[~named[["kept_name", "dropped_name"]].isin(["菜市场"]).any(axis=1)]
    assert (specific["kept"].map(numbers) == specific["dropped"].map(numbers)).all()


def test_settings_name_facilities_by_id(make_study: MakeStudy) -> None:
    rows = [
        {"facility_id": key, "facility_class": "菜市场", "name": name} for key, name in [("A1", "东"), ("A2", "西")]
    ]
    made = {"facilities": {"merge": [["A1", "A2"]]}}
    found = find_facilities(make_study({"facilities": layer(rows)}, settings=made), STANDARD)
    assert found.frame["facility_id"].tolist() == ["A1"]
    wrong = {"facilities": {"merge": [["A1", "A9"]], "keep_apart": [["A1", "B7", "A9"]]}}
    with pytest.raises(InputError) as caught:
        find_facilities(make_study({"facilities": layer(rows)}, settings=wrong), STANDARD)
    codes = [(fault.code, fault.value) for fault in caught.value.faults]
    assert codes[:3] == [("facilities.id_unknown", name) for name in ("B7", "A9", "A9")]
    assert codes[3:] == [("facilities.id_both", None)]
    for fault in caught.value.faults:
        for language in ("zh", "en"):
            assert say(fault.code, language, value=fault.value, **fault.detail)


def test_parts_of_a_hospital_are_no_facilities(make_study: MakeStudy) -> None:
    label = "医疗保健服务;综合医院;综合医院"
    names = ["第六人民医院", "第六人民医院急诊楼", "第六人民医院-检验科", "住院部(第六人民医院)"]
    rows = [{"facility_class": label, "name": name} for name in names]
    found = find_facilities(make_study({"facilities": layer(rows)}), STANDARD)
    assert found.frame["name"].tolist() == ["第六人民医院"]
    assert {note.code: note.detail for note in found.notes}["facilities.parts"]["count"] == 3
    own = [{"facility_class": "门诊部", "name": "第六人民医院急诊楼"}]
    assert len(find_facilities(make_study({"facilities": layer(own)}), STANDARD).frame) == 1, "a stated class counts"


COMING = [
    {"facility_class": "菜市场", "name": "甲", "status": "existing", "year": None},
    {"facility_class": "菜市场", "name": "乙", "status": "building", "year": 2026},
    {"facility_class": "菜市场", "name": "丙", "status": "planned", "year": 2027},
    {"facility_class": "菜市场", "name": "丁", "status": "planned", "year": 2035},
    {"facility_class": "菜市场", "name": "戊", "status": "planned", "year": None},
    {"facility_class": "菜市场", "name": "己", "status": "closed", "year": None},
]


@pytest.mark.parametrize(
    ("stated", "counted", "code"),
    [
        ({}, "甲", "not_yet"),
        ({"count": "building"}, "甲乙", "counted_to_come"),
        ({"count": "planned"}, "甲乙丙丁戊", "counted_to_come"),
        ({"count": "planned", "until": 2030}, "甲乙丙", "counted_until"),
        ({"count": "building", "until": 2025}, "甲", "counted_until"),
    ],
)
def test_what_is_to_come_counts_only_when_the_study_says_so(
    make_study: MakeStudy, stated: dict[str, object], counted: str, code: str
) -> None:
    found = find_facilities(make_study({"facilities": layer(COMING)}, settings={"facilities": stated}), STANDARD)
    assert "".join(found.frame["name"][counted_now(found.frame)]) == counted
    note = next(note for note in found.notes if note.code == f"facilities.{code}")
    for language in ("zh", "en"):
        assert say(note.code, language, **note.detail)


def test_capacity_is_estimated_on_request_only_and_marked(make_study: MakeStudy) -> None:
    rows: list[dict[str, object]] = [
        {"facility_class": "养老院", "name": "甲", "capacity": 40.0, "floor_area_m2": 9000.0},
        {"facility_class": "养老院", "name": "乙", "capacity": None, "floor_area_m2": 3600.0},
        {"facility_class": "养老院", "name": "丙", "capacity": None, "floor_area_m2": None},
        {"facility_class": "派出所", "name": "丁", "capacity": None, "floor_area_m2": 900.0},
    ]
    plain = find_facilities(make_study({"facilities": layer(rows)}), STANDARD).frame
    assert plain["capacity"].tolist()[:1] == [40.0]
    assert plain["capacity"].isna().tolist() == [False, True, True, True]
    asked = make_study({"facilities": layer(rows)}, settings={"facilities": {"estimate_capacity": True}})
    found = find_facilities(asked, STANDARD)
    assert found.frame["capacity"].tolist()[:2] == [40.0, 102.0]
    assert found.frame["capacity_from"].fillna("-").tolist() == ["stated", "estimated", "-", "-"]
    note = next(note for note in found.notes if note.code == "facilities.capacity_estimated")
    assert (note.detail["count"], note.detail["confidence"]) == (1, "A")


@pytest.mark.places
def test_shanghai_facilities(places: Path) -> None:
    """Two downloads of one city overlap: every school that stands in both is one, none that has a number loses it."""
    parts = [pd.read_csv(places / "poi_shanghai" / name) for name in ("小学.csv", "shanghai_school.csv")]
    rows = pd.concat(parts, ignore_index=True)
    rows = rows[rows["type"].eq("科教文化服务;学校;小学")].reset_index(drop=True)
    points = gpd.GeoSeries(gpd.points_from_xy(rows["lon"], rows["lat"]), crs=4326).to_crs(CRS_M)
    frame = records([(str(name), p.x, p.y) for name, p in zip(rows["name"], points, strict=True)], "primary_school")
    found = merge_duplicates(frame)
    assert 0.4 < len(found.kept) / len(frame) < 0.6
    assert not found.kept["name"].duplicated(keep=False).mean() > 0.05
    alike = found.merges[found.merges["why"] == "same_name"]
    assert len(alike) > 0.9 * len(found.merges)
    assert found.merges["distance_m"].max() <= vocabulary().classes["primary_school"].merge_m * 2


def test_every_door_of_a_facility_is_walked_to() -> None:
    street = network_from_lines(
        [shapely.LineString([(0, 0), (1000, 0)])], crs=CRS.from_user_input(CRS_M), highway=["footway"]
    )
    walk = Walk(street, WALKERS["standard"], 200.0, np.ones(len(street.edge_length_m), dtype=bool))
    rows = records(
        [
            ("幸福里菜市场(西门)", 480, 30),
            ("幸福里菜市场", 500, 30),
            ("幸福里菜市场(东门)", 540, 30),
            ("平安里菜市场", 800, 10),
        ]
    )
    found = merge_duplicates(rows)
    snapped = walk.place_doors(found.doors, found.door_owner, len(found.kept))
    assert snapped.positions.count == len(found.kept) == 2
    assert sorted(zip(snapped.positions.owner.tolist(), snapped.positions.offset_m.tolist(), strict=True)) == [
        (0, 480.0), (0, 500.0), (0, 540.0), (1, 800.0),
    ]  # fmt: skip
    assert snapped.access_m.tolist() == [30.0, 10.0]


@settings(deadline=None)
@given(st.text(max_size=30), st.text(max_size=30))
def test_any_text_is_a_name_and_a_class(name: str, label: str) -> None:
    rows = pd.DataFrame({"name": [name, None], "facility_class": [label, label]})
    for found in classify(rows, STANDARD):
        assert {key for key, _ in found} <= set(vocabulary().classes)
    assert 0 <= likeness(spoken(name, MARKET), spoken(label, MARKET)) <= 1
