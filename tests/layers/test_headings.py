from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecircle.layers.contracts import CONTRACTS, STAGES
from lifecircle.layers.headings import folded, number_of, propose_columns, propose_values


@pytest.mark.parametrize(
    ("layer", "names"),
    [
        (
            "compounds",
            {"小区代码": "compound_id", "主要层数": "storeys", "土地权属": "tenure", "是否封闭管理": "walled"},
        ),
        ("compounds", {"小区ID": "compound_id", "封闭管理": "walled", "建筑面积（㎡）": "floor_area_m2"}),
        ("compounds", {"小区编码": "compound_id", "总户数（户）": "households", "小区 名称": "name"}),
        ("gates", {"大门编码": "gate_id", "小区代码": "compound_id", "是否开放": "open"}),
        ("gates", {"编号": "gate_id", "小区编号": "compound_id"}),
        (
            "districts",
            {
                "街道代码": "district_id",
                "六十周岁及以上": "elders_60",
                "65岁及以上老年人口": "elders_65",
                "八十岁以上": "elders_80",
                "零至三岁": "children_0_3",
                "3～6岁儿童": "children_3_6",
                "六到十二岁": "children_6_12",
            },
        ),
        ("facilities", {"规模": "capacity", "设施类别": "facility_class"}),
        ("projects", {"项目代码": "project_id", "项目名称": "name", "项目阶段": "stage"}),
        ("land", {"资源类型": "kind", "地块代码": "site_id"}),
        ("parcels", {"规划用地代码": "land_use", "现状用地代码": "land_use_now", "地块编码": "parcel_id"}),
    ],
)
def test_usual_names_are_recognised(layer: str, names: dict[str, str]) -> None:
    assert propose_columns(list(names), CONTRACTS[layer]) == dict(
        sorted(((column, name) for name, column in names.items()), key=lambda pair: _place(layer, pair[0]))
    )


def _place(layer: str, column: str) -> int:
    return [known.name for known in CONTRACTS[layer].columns].index(column)


@pytest.mark.parametrize(
    ("layer", "name"),
    [
        ("districts", "总人口（万人）"),
        ("parcels", "用地编号"),
        ("compounds", "建筑面积（万平方米）"),
        ("districts", "60岁以上占比"),
        ("compounds", "街道代码"),
    ],
)
def test_other_units_and_other_things_are_left_alone(layer: str, name: str) -> None:
    assert propose_columns([name], CONTRACTS[layer]) == {}


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8"])
@pytest.mark.parametrize(
    ("layer", "name", "column"),
    [
        ("compounds", "是否封闭管理", "walled"),
        ("parcels", "规划用地代码", "land_use"),
        ("districts", "六十五周岁及以上", "elders_65"),
        ("districts", "八十周岁及以上", "elders_80"),
    ],
)
def test_names_cut_to_ten_bytes_are_recognised(layer: str, name: str, column: str, encoding: str) -> None:
    cut = name.encode(encoding)[:10].decode(encoding, errors="ignore")
    assert propose_columns([cut], CONTRACTS[layer]) in ({column: cut}, {})
    if encoding == "gb18030":
        assert propose_columns([cut], CONTRACTS[layer]) == {column: cut}


def test_of_two_that_fit_alike_neither_is_taken() -> None:
    assert propose_columns(["六十五周岁以上", "65岁及以上"], CONTRACTS["districts"]) == {}


names = st.sampled_from(
    [known for contract in CONTRACTS.values() for column in contract.columns for known in (column.name, *column.also)]
)
mangled = st.builds(
    lambda name, how: how(name),
    names | st.text(max_size=8),
    st.sampled_from(
        [
            str,
            lambda name: f"是否{name}",
            lambda name: f"{name}（m2）",
            lambda name: name.encode("gb18030", errors="ignore")[:10].decode("gb18030", errors="ignore"),
            lambda name: name.replace("编号", "代码"),
            lambda name: f" {name} ",
        ]
    ),
)


@given(st.lists(mangled, unique=True, max_size=12), st.sampled_from(list(CONTRACTS)))
def test_no_column_is_used_twice_and_all_are_of_the_file(present: list[str], layer: str) -> None:
    found = propose_columns(present, CONTRACTS[layer])
    assert len(set(found.values())) == len(found)
    assert set(found.values()) <= set(present)
    for column in CONTRACTS[layer].columns:
        for name in present:
            assert folded(folded(name, column), column) == folded(name, column) or name not in found.values()


@given(st.integers(0, 99))
def test_numerals_are_read(number: int) -> None:
    digits = "零一二三四五六七八九"
    tens, ones = divmod(number, 10)
    text = digits[ones] if tens == 0 else f"{digits[tens] if tens > 1 else ''}十{digits[ones] if ones else ''}"
    assert number_of(text) == number


def test_values_are_proposed_only_where_they_speak_of_one_choice() -> None:
    proposed, unknown = propose_values(["净地", "已竣工", "施工阶段", "在建中", "未完成", "建设及安置", "甲"], STAGES)
    assert proposed == {"已竣工": "done", "施工阶段": "build", "在建中": "build"}
    assert unknown == ["未完成", "建设及安置", "甲"]
