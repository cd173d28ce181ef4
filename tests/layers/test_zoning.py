"""Zoning: dirty codes of both systems, shares that add up, balances that add up to the area."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.layers import zoning
from lifecircle.layers.contracts import CONTRACTS
from lifecircle.layers.land_balance import zoning_balance
from lifecircle.layers.rings import rings_of
from lifecircle.layers.table import check
from lifecircle.layers.words import say
from lifecircle.layers.zoning import (
    clean_code,
    coded,
    find_parcels,
    group_name,
    land_uses,
    other_code,
    parcels_of,
    use_group,
)

if TYPE_CHECKING:
    from .conftest import MakeStudy

CRS_M = "EPSG:4548"


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("R2", ["R2"]),
        ("ｒ２", ["R2"]),
        (" r2 ", ["R2"]),
        ("R2/B1", ["R2", "B1"]),
        ("R2、B1", ["R2", "B1"]),
        ("R2+A33+G1", ["R2", "A33", "G1"]),
        ("R2 B1", ["R2", "B1"]),
        ("0701+0901", ["0701", "0901"]),
        ("701", ["0701"]),
        ("70102", ["070102"]),
        ("080701", ["080701"]),
        ("Rx2", ["R22"]),
        ("R2二类居住用地", ["R2"]),
        ("二类居住用地(R2)", ["R2"]),
        ("二类居住用地", ["R2"]),
        ("社会福利用地", ["A6"]),
        ("城镇社区服务设施用地", ["0702"]),
        ("C2", ["B1"]),
        ("Residential", ["R"]),
        ("", [""]),
        ("??", [""]),
        ("99", [""]),
    ],
)
def test_dirty_codes_become_clean(text: str, codes: list[str]) -> None:
    assert [use.code for use in land_uses(text)] == codes


def test_stated_shares_count() -> None:
    uses = land_uses("B1(30%)/R2(70%)")
    assert [(use.code, use.share) for use in uses] == [("R2", 0.7), ("B1", 0.3)]
    assert [use.share for use in land_uses("B1(30%)/R2")] == [0.5, 0.5], "a share that only some state says nothing"


codes_in_files = st.lists(
    st.sampled_from(["R2", "b1", "0701", "080701", "A33", "ｇ１", "16", "住宅用地", "?", "M1", "E2", "17"]),
    min_size=1,
    max_size=4,
)


@settings(deadline=None)
@given(codes_in_files, st.sampled_from(["/", "+", "、", "，", ";"]))
def test_the_shares_of_a_parcel_add_up(parts: list[str], join: str) -> None:
    uses = land_uses(join.join(parts))
    assert sum(use.share for use in uses) == pytest.approx(1.0)
    assert all(group_name(use.group, "zh") and group_name(use.group, "en") for use in uses)


@settings(deadline=None)
@given(st.text(max_size=12))
def test_no_text_breaks_the_reader(text: str) -> None:
    assert land_uses(text)
    assert land_uses(clean_code(text)) == land_uses(clean_code(clean_code(text)))


def test_both_systems_say_the_same_group() -> None:
    for code, other in (("A6", "0807"), ("B1", "0901"), ("R22", "0702"), ("G1", "1401"), ("W", "11"), ("M", "1001")):
        assert other_code(code, "gb") == other
        assert use_group(code) == use_group(other)


def parcels(rows: list[tuple[str, float | None, shapely.Geometry]]) -> gpd.GeoDataFrame:
    columns = {"land_use": [use for use, *_ in rows], "far": [far for _, far, _ in rows]}
    return gpd.GeoDataFrame(columns, geometry=[shape for *_, shape in rows], crs=CRS_M)


boxes = st.lists(
    st.tuples(
        st.integers(-5, 40),
        st.integers(-5, 40),
        st.integers(1, 25),
        st.integers(1, 25),
        st.sampled_from(["R2", "B1/R2", "x"]),
    ),
    max_size=8,
)


@settings(deadline=None, max_examples=30)
@given(boxes)
def test_the_balance_adds_up_to_every_ring(make_study: MakeStudy, rows: list[tuple[int, int, int, int, str]]) -> None:
    shapes = [(use, 2.0, shapely.box(x * 100, y * 100, (x + w) * 100, (y + h) * 100)) for x, y, w, h, use in rows]
    rings = gpd.GeoDataFrame({"name": ["内"]}, geometry=[shapely.Point(2000, 2000).buffer(900)], crs=CRS_M)
    layers = {"rings": rings, **({"parcels": parcels(shapes)} if shapes else {})}
    study = make_study(layers)
    drawn = rings_of(study)
    balance = zoning_balance(parcels_of(study, drawn), drawn)
    assert balance["area_m2"].sum() == pytest.approx(4000.0**2, rel=1e-6)
    by_ring = balance.groupby("ring_id")[["area_m2", "share"]].sum()
    assert by_ring["share"].to_numpy() == pytest.approx(1.0, rel=1e-6)
    assert by_ring["area_m2"].to_numpy() == pytest.approx(
        drawn.set_index("ring_id")["area_m2"][by_ring.index].to_numpy(), rel=1e-6
    )
    assert (balance["area_m2"] > 0).all()


def test_ground_without_a_parcel_is_its_own_use(make_study: MakeStudy) -> None:
    study = make_study()
    rings = rings_of(study)
    balance = zoning_balance(parcels_of(study, rings), rings)
    assert balance[["use_group", "area_m2", "share"]].to_numpy().tolist() == [["none", 16e6, 1.0]]


def test_overlaps_and_unknown_codes_are_said(make_study: MakeStudy) -> None:
    rows = [("R2", 2.0, shapely.box(0, 0, 200, 200)), ("乱码", None, shapely.box(100, 0, 300, 200))]
    study = make_study({"parcels": parcels(rows)})
    found = find_parcels(study, rings_of(study))
    assert [note.code for note in found.notes] == ["zoning.overlap_removed", "zoning.unknown_code"]
    assert found.frame["area_m2"].tolist() == pytest.approx([40000, 20000])
    assert found.frame["use_group"].tolist() == ["residential", "unknown"]
    assert all(say(note.code, language, **note.detail) for note in found.notes for language in ("zh", "en"))


def test_floor_area_is_ground_times_ratio_where_known(make_study: MakeStudy) -> None:
    rows = [("R2", 2.0, shapely.box(0, 0, 100, 100)), ("G1", None, shapely.box(200, 0, 300, 100))]
    study = make_study({"parcels": parcels(rows)})
    rings = rings_of(study)
    balance = zoning_balance(parcels_of(study, rings), rings).set_index("use_group")
    assert balance.loc["residential", "floor_area_m2"] == pytest.approx(20000)
    assert balance["floor_area_m2"].isna()[["green", "none"]].all()


def test_both_systems_stand_side_by_side_with_present_uses(make_study: MakeStudy) -> None:
    rows = [
        (use, None, shapely.box(row * 100, 0, row * 100 + 90, 90))
        for row, use in enumerate(["r2/b1", "0807", "16", "？"])
    ]
    layer = parcels(rows).assign(land_use_now=["M1", None, "空闲地", "E2"], green_ratio=[0.3, None, 0.35, None])
    study = make_study({"parcels": layer})
    frame = find_parcels(study, rings_of(study)).frame
    assert frame["land_use_gb"].fillna("").tolist() == ["R2/B1", "A6", "", ""]
    assert frame["land_use_ls"].fillna("").tolist() == ["070102/0901", "0807", "16", ""]
    assert frame["land_use_now"].fillna("").tolist() == ["M1", "", "2301", "E2"]
    assert frame["use_group_now"].fillna("").tolist() == ["industrial", "", "vacant", "rural"]
    assert frame["green_ratio"].fillna(-1).tolist() == [0.3, -1, 0.35, -1]


@settings(deadline=None)
@given(codes_in_files, st.sampled_from(["gb", "ls"]))
def test_a_code_of_the_other_system_is_of_the_same_group(parts: list[str], system: str) -> None:
    text = "/".join(parts)
    other = coded(text, "gb" if system == "gb" else "ls")
    if other:
        assert sum(use.share for use in land_uses(other)) == pytest.approx(1.0)
        groups = {use.group for use in land_uses(text)}
        assert {use.group for use in land_uses(other)} <= groups | {"rural", "water", "special"}


def test_every_code_of_the_tables_has_a_group_and_its_counterpart_exists() -> None:
    data = tomllib.loads(Path(zoning.__file__).with_name("standards").joinpath("land_use.toml").read_text("utf-8"))
    for system, other in (("gb", "ls"), ("ls", "gb")):
        for code, entry in data[system].items():
            assert entry["group"] in data["group"], code
            if other in entry:
                assert entry[other] in data[other], code
                alike = data[other][entry[other]]["group"] == entry["group"]
                assert alike or code == "080404", code  # kindergartens are public in one system, services in the other
    for code in (*data["old"].values(), *data["word"].values()):
        assert use_group(code) != "unknown", code


def test_controls_are_read_as_plans_write_them() -> None:
    written = {
        "用地性质": ["R2", "B1", "G1"],
        "容积率": ["≤2.5", "1.0-1.8", "—"],
        "建筑密度": ["28%", "35", "0.3"],
        "建筑限高（m）": ["不大于24米", "54", None],
        "绿地率": ["≥35%", "0.3", "30"],
    }
    shapes = [shapely.box(row * 10, 0, row * 10 + 9, 9) for row in range(3)]
    checked = check(gpd.GeoDataFrame(written, geometry=shapes, crs=CRS_M), CONTRACTS["parcels"], file="p.gpkg")
    assert not checked.faults
    frame = checked.frame
    assert frame["far"].fillna(-1).tolist() == [2.5, 1.8, -1]
    assert frame["density"].tolist() == [0.28, 0.35, 0.3]
    assert frame["height_m"].fillna(-1).tolist() == [24.0, 54.0, -1]
    assert frame["green_ratio"].tolist() == [0.35, 0.3, 0.3]
    assert {note.code: note.detail["count"] for note in checked.notes if note.code == "study.percent"}
    wrong = gpd.GeoDataFrame(
        {"用地性质": ["R2"], "绿地率": ["350"], "容积率": ["二点五"]}, geometry=shapes[:1], crs=CRS_M
    )
    faults = check(wrong, CONTRACTS["parcels"], file="p.gpkg").faults
    assert {(fault.code, fault.column) for fault in faults} == {
        ("faults.not_share", "绿地率"),
        ("faults.not_number", "容积率"),
    }
