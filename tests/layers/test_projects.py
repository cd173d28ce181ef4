"""Projects: totals by ring that add up, people before and after, policy, what lies outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.layers.demand import demand_of
from lifecircle.layers.findings import LAYERS, TABLES
from lifecircle.layers.projects import FoundProjects, against, find_projects, projects_of
from lifecircle.layers.rings import rings_of
from lifecircle.layers.words import say

if TYPE_CHECKING:
    from .conftest import MakeStudy

CRS_M = "EPSG:4548"
ANQING = [("港华路二期", 375, 91200.0), ("东部新城滨江片一期", 866, 361700.0), ("华中东路北片", 381, 91600.0)]


def projects(shapes: list[shapely.Geometry], **columns: object) -> gpd.GeoDataFrame:
    named = {"name": [f"项目 {row}" for row in range(len(shapes))], **columns}
    return gpd.GeoDataFrame(named, geometry=shapes, crs=CRS_M)


def rings(policies: list[str]) -> gpd.GeoDataFrame:
    shapes = [shapely.Point(2000, 2000).buffer(800 * (row + 1)) for row in range(len(policies))]
    names = [f"圈{row}" for row in range(len(policies))]
    return gpd.GeoDataFrame(
        {"name": names, "policy": policies, "order": range(len(policies))}, geometry=shapes, crs=CRS_M
    )


def buildings() -> gpd.GeoDataFrame:
    corners = [(x, y) for x in range(10, 4000, 100) for y in range(10, 4000, 100)]
    shapes = [shapely.box(x, y, x + 35, y + 10) for x, y in corners]
    return gpd.GeoDataFrame({"use": "house", "storeys": [2.0] * len(shapes)}, geometry=shapes, crs=CRS_M)


def found(make_study: MakeStudy, layer: gpd.GeoDataFrame, policies: list[str] | None = None) -> FoundProjects:
    study = make_study({"projects": layer, "rings": rings(policies or ["none"]), "buildings": buildings()})
    drawn = rings_of(study)
    return find_projects(study, drawn, demand_of(study, rings=drawn))


def test_the_three_projects_of_anqing_add_up(make_study: MakeStudy) -> None:
    shapes = [shapely.box(500 * row, 1800, 500 * row + 300, 2600) for row in range(3)]
    layer = projects(shapes, kind=["shantytown"] * 3, way=["demolish"] * 3, households=[h for _, h, _ in ANQING],
                     floor_area_m2=[f for *_, f in ANQING])  # fmt: skip
    result = found(make_study, layer, ["subtract"])
    assert result.frame["households"].sum() == 1622
    assert result.by_ring["households"].sum() == 1622
    assert result.by_ring["floor_area_m2"].sum() == pytest.approx(544500)
    assert result.by_ring["projects"].sum() == 3
    assert list(result.by_ring.columns) == list(TABLES["projects_by_ring"])
    assert list(result.frame.columns) == [*LAYERS["projects"], "against_reason", "geometry"]


squares = st.lists(
    st.tuples(st.integers(-3, 38), st.integers(-3, 38), st.integers(1, 12), st.integers(0, 3000), st.booleans()),
    max_size=6,
)


@settings(deadline=None, max_examples=30)
@given(squares)
def test_any_projects_add_up_by_ring(make_study: MakeStudy, rows: list[tuple[int, int, int, int, bool]]) -> None:
    shapes = [shapely.box(x * 100, y * 100, (x + size) * 100, (y + size) * 100) for x, y, size, *_ in rows]
    households = [None if unknown else number for *_, number, unknown in rows]
    layer = projects(
        shapes, households=pd.Series(households, dtype="Int64"), floor_area_m2=[10.0 * n for *_, n, _ in rows]
    )
    result = found(make_study, layer, ["subtract", "multiply"])
    frame, table = result.frame, result.by_ring
    for column in ("households", "people_before", "people_after"):
        assert table[column].sum() == frame[column].sum()
    assert table["area_m2"].sum() == pytest.approx(frame["area_m2"].sum())
    assert table["floor_area_m2"].sum() == pytest.approx(frame["floor_area_m2"].sum())
    assert table["projects"].sum() == len(frame)
    assert frame["ring_id"].notna().all()
    for note in result.notes:
        assert say(note.code, "zh", **note.detail)
        assert say(note.code, "en", **note.detail)


def test_people_before_live_there_and_are_counted_in_their_ring(make_study: MakeStudy) -> None:
    layer = projects([shapely.box(1000, 1900, 3000, 2100)])
    result = found(make_study, layer, ["none"])
    assert result.frame["people_before"].tolist() == [2 * 20 * 20]
    by_ring = result.by_ring.set_index("ring_name")["people_before"]
    assert by_ring["圈0"] == 2 * 16 * 20, "sixteen columns of houses lie within the disc"
    assert by_ring.sum() == 800


def test_people_before_without_homes_come_from_households(make_study: MakeStudy) -> None:
    result = found(make_study, projects([shapely.box(50, 50, 90, 90)], households=[100]))
    assert result.frame["people_before"].tolist() == [260]
    assert "projects.people_by_households" in {note.code for note in result.notes}


def test_people_after_follow_the_figures_that_are_there(make_study: MakeStudy) -> None:
    shapes = [shapely.box(0, y, 200, y + 200) for y in (0, 1000, 2000, 3000)]
    ways = ["demolish", "demolish", "convert", "demolish"]
    layer = projects(shapes, way=ways, households_after=[100, None, None, None],
                     floor_area_after_m2=[9e9, 3500.0, None, None])  # fmt: skip
    after = found(make_study, layer).frame["people_after"]
    assert after.tolist()[:2] == [260, 100]
    assert after[2] == 80, "a converted project without figures keeps its people"
    assert pd.isna(after[3]), "what comes after a demolition without figures is unknown"


def test_overlapping_projects_count_people_once_and_say_so(make_study: MakeStudy) -> None:
    shapes = [shapely.box(0, 0, 1000, 1000), shapely.box(500, 0, 1500, 1000)]
    result = found(make_study, projects(shapes))
    assert result.frame["people_before"].tolist() == [2000, 1000]
    assert next(note for note in result.notes if note.code == "projects.overlap").detail["hectares"] == 50


def test_a_project_outside_is_left_out_and_named(make_study: MakeStudy) -> None:
    shapes = [shapely.box(9000, 0, 9100, 100), shapely.box(0, 0, 100, 100)]
    result = found(make_study, projects(shapes))
    assert result.frame["project_id"].tolist() == ["2"]
    assert next(note for note in result.notes if note.code == "projects.outside").detail["names"] == "项目 0"


def test_no_projects_is_an_empty_table(make_study: MakeStudy) -> None:
    study = make_study({"buildings": buildings()})
    drawn = rings_of(study)
    demand = demand_of(study, rings=drawn)
    assert projects_of(study, drawn, demand).empty
    table = find_projects(study, drawn, demand).by_ring
    assert table.empty
    assert list(table.columns) == list(TABLES["projects_by_ring"])


@pytest.mark.parametrize(
    ("policy", "way", "floor", "people", "reason"),
    [
        ("keep", "demolish", -0.5, None, "demolishes_where_kept"),
        ("keep", "convert", 0.5, 0.0, "grows_where_less_is_wanted"),
        ("keep", "convert", 0.04, 0.0, None),
        ("subtract", "demolish", 0.101, None, "grows_where_less_is_wanted"),
        ("subtract", "demolish", 0.10, 0.0, None),
        ("subtract", "demolish", -0.3, 0.25, "grows_where_less_is_wanted"),
        ("subtract", "demolish", None, None, None),
        ("multiply", "convert", -0.5, 0.5, "shrinks_where_more_is_wanted"),
        ("multiply", "convert", None, -0.5, "shrinks_where_more_is_wanted"),
        ("multiply", "convert", -0.05, None, None),
        ("none", "demolish", 9.0, 9.0, None),
    ],
)
def test_against_the_policy_of_the_ring(
    policy: str, way: str, floor: float | None, people: float | None, reason: str | None
) -> None:
    assert against(policy, way, floor=floor, people=people) == reason
    if reason:
        assert say(f"projects.{reason}", "zh")
        assert say(f"projects.{reason}", "en")


def test_rounding_of_a_register_is_no_growth(make_study: MakeStudy) -> None:
    layer = projects([shapely.box(1900, 1900, 2100, 2100)], floor_area_m2=[9098.6], floor_area_after_m2=[9099.0])
    assert not found(make_study, layer, ["keep"]).frame["against_policy"].any()


def test_a_project_that_grows_in_a_ring_of_subtraction_is_flagged(make_study: MakeStudy) -> None:
    shapes = [shapely.box(1900, 1900, 2100, 2100), shapely.box(0, 0, 100, 100)]
    layer = projects(shapes, floor_area_m2=[100.0, 100.0], floor_area_after_m2=[200.0, 200.0])
    frame = found(make_study, layer, ["subtract"]).frame
    assert frame["against_policy"].tolist() == [True, False]
    assert frame["against_reason"].tolist()[0] == "grows_where_less_is_wanted"


def test_sums_count_the_projects_without_the_value(make_study: MakeStudy) -> None:
    shapes = [shapely.box(x, 1900, x + 100, 2000) for x in (1500, 1700, 1900)]
    layer = projects(shapes, kind=["factory"] * 3, way=["demolish"] * 3, households=[10.0, None, None],
                     floor_area_m2=[100.0, 200.0, None])  # fmt: skip
    row = found(make_study, layer).by_ring.iloc[0]
    assert (row["projects"], row["households"], row["floor_area_m2"]) == (3, 10, 300)
    assert (row["households_unknown"], row["floor_area_unknown"], row["people_after_unknown"]) == (2, 1, 3)
    assert row["people_before_unknown"] == 0


def test_growth_within_a_tenth_is_no_conflict(make_study: MakeStudy) -> None:
    shapes = [shapely.box(x, 1900, x + 100, 2000) for x in (1500, 1700, 1900, 2100)]
    layer = projects(shapes, way=["convert"] * 4, floor_area_m2=[1000.0, 1000, 0, 0],
                     floor_area_after_m2=[1040.0, 1700, 500, 0])  # fmt: skip
    assert found(make_study, layer, ["subtract"]).frame["against_policy"].tolist() == [False, True, True, False]
