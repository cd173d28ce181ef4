"""Rings: exclusive, inside out, covering the area exactly; from polygons and from named lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.gis.errors import InputError
from lifecircle.layers.ringlines import enclosed
from lifecircle.layers.rings import COLUMNS, count_rings, find_rings, rings_of
from lifecircle.layers.words import explain, say
from lifecircle.layers.zones import without_overlaps, zone_of

if TYPE_CHECKING:
    from .conftest import MakeStudy

CRS_M = "EPSG:4548"
AREA_M2 = 4000.0**2
SQUARE = {
    "北路": [(900, 3000), (3100, 3000)],
    "东路": [(3000, 3100), (3000, 900)],
    "南路": [(3100, 1000), (900, 1000)],
    "西路": [(1000, 900), (1000, 3100)],
}


def polygons(rows: list[tuple[str, shapely.Geometry]], **columns: list[object]) -> gpd.GeoDataFrame:
    frame = {"name": [name for name, _ in rows], **columns}
    return gpd.GeoDataFrame(frame, geometry=[shape for _, shape in rows], crs=CRS_M)


def lines(named: dict[str, list[tuple[float, float]]]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"name": list(named)}, geometry=[shapely.LineString(xy) for xy in named.values()], crs=CRS_M
    )


def bounded(*names: str, **more: object) -> dict[str, object]:
    return {"rings": {"ring": [{"name": "内圈", "bounded_by": list(names), "policy": "subtract"}], **more}}


def assert_exclusive_cover(rings: gpd.GeoDataFrame) -> None:
    shapes = rings.geometry.to_numpy()
    assert shapely.area(shapes).sum() == pytest.approx(AREA_M2, rel=1e-9)
    assert shapely.union_all(shapes).area == pytest.approx(AREA_M2, rel=1e-9)
    assert rings["order"].tolist() == list(range(1, len(rings) + 1))
    assert rings["ring_id"].is_unique
    assert shapely.is_valid(shapes).all()
    assert rings["area_m2"].to_numpy() == pytest.approx(shapely.area(shapes))


def test_without_rings_the_whole_area_is_one(make_study: MakeStudy) -> None:
    rings = rings_of(make_study())
    assert list(rings.columns) == [*COLUMNS, "geometry"]
    assert rings[["name", "policy", "area_m2"]].to_numpy().tolist() == [["全域", "none", AREA_M2]]
    assert rings_of(make_study(settings={"study": {"name": "x", "language": "en"}}))["name"].tolist() == ["Whole area"]


def test_nested_discs_become_rings(make_study: MakeStudy) -> None:
    middle = shapely.Point(2000, 2000)
    layer = polygons([("外", middle.buffer(1500)), ("内", middle.buffer(500))], policy=["multiply", "keep"])
    found = find_rings(make_study({"rings": layer}))
    assert found.frame["name"].tolist() == ["内", "外", "其余"]
    assert found.frame["policy"].tolist() == ["keep", "multiply", "none"]
    assert_exclusive_cover(found.frame)
    assert {note.code for note in found.notes} == {"rings.order_by_size", "rings.overlap_removed"}
    assert all(say(note.code, language, **note.detail) for note in found.notes for language in ("zh", "en"))


def test_a_stated_order_counts_before_size(make_study: MakeStudy) -> None:
    layer = polygons([("大", shapely.box(0, 0, 4000, 2500)), ("小", shapely.box(0, 2000, 4000, 4000))], order=[1, 2])
    rings = rings_of(make_study({"rings": layer}))
    assert rings["name"].tolist() == ["大", "小"]
    assert rings["area_m2"].tolist() == pytest.approx([1e7, 6e6])


def test_slivers_go_to_a_neighbour_and_wide_ground_becomes_the_last_ring(make_study: MakeStudy) -> None:
    near = polygons([("西", shapely.box(0, 0, 1995, 4000)), ("东", shapely.box(2005, 0, 4000, 4000))])
    found = find_rings(make_study({"rings": near}))
    assert len(found.frame) == 2
    assert_exclusive_cover(found.frame)
    assert "rings.slivers" in {note.code for note in found.notes}
    wide = polygons([("西", shapely.box(0, 0, 1500, 4000))])
    rings = rings_of(make_study({"rings": wide}, settings={"rings": {"rest_name": "外围", "rest_policy": "multiply"}}))
    assert rings[["name", "policy"]].to_numpy().tolist() == [["西", "none"], ["外围", "multiply"]]


def test_a_ring_without_ground_is_left_out_and_said(make_study: MakeStudy) -> None:
    layer = polygons([("内", shapely.box(0, 0, 4000, 4000)), ("远", shapely.box(9000, 0, 9900, 900))], order=[1, 2])
    found = find_rings(make_study({"rings": layer}))
    assert found.frame["name"].tolist() == ["内"]
    assert ("rings.without_ground", "远") in {(note.code, note.detail.get("name")) for note in found.notes}


boxes = st.lists(st.tuples(*[st.integers(-500, 4200)] * 2, *[st.integers(50, 3000)] * 2), min_size=1, max_size=6)


@settings(deadline=None, max_examples=30)
@given(boxes)
def test_any_polygons_become_an_exclusive_cover(
    make_study: MakeStudy, corners: list[tuple[int, int, int, int]]
) -> None:
    rows = [(f"r{i}", shapely.box(x, y, x + w, y + h)) for i, (x, y, w, h) in enumerate(corners)]
    assert_exclusive_cover(rings_of(make_study({"rings": polygons(rows)})))


@settings(deadline=None)
@given(boxes)
def test_cutting_overlaps_keeps_the_union(corners: list[tuple[int, int, int, int]]) -> None:
    shapes = np.array([shapely.box(x, y, x + w, y + h) for x, y, w, h in corners], dtype=object)
    cut, shared = without_overlaps(shapes)
    assert shapely.area(cut).sum() == pytest.approx(shapely.union_all(shapes).area, rel=1e-9)
    assert shared == pytest.approx(shapely.area(shapes).sum() - shapely.area(cut).sum(), abs=1e-3)
    assert cut[0].equals(shapes[0]), "the first keeps all its ground"


def test_lines_that_cross_enclose_a_ring(make_study: MakeStudy) -> None:
    rings = rings_of(make_study({"ring_lines": lines(SQUARE)}, settings=bounded(*SQUARE)))
    assert rings[["name", "policy"]].to_numpy().tolist() == [["内圈", "subtract"], ["其余", "none"]]
    assert rings["area_m2"].iloc[0] == pytest.approx(2000**2)
    assert_exclusive_cover(rings)


def test_a_name_may_be_a_pattern_of_the_whole_name(make_study: MakeStudy) -> None:
    study = make_study(
        {"ring_lines": lines({**SQUARE, "东路辅路": [(1500, 0), (1500, 4000)]})}, settings=bounded("[北东南西]路")
    )
    assert rings_of(study)["area_m2"].iloc[0] == pytest.approx(2000**2)


@pytest.mark.parametrize("gap", [0.0, 1.0, 60.0, 150.0])
def test_small_gaps_are_closed(make_study: MakeStudy, gap: float) -> None:
    named = {**SQUARE, "东路": [(3000 + gap, 2950), (3000 + gap, 1050)], "北路": [(1000, 3000), (3000, 3000)]}
    rings = rings_of(make_study({"ring_lines": lines(named)}, settings=bounded(*named)))
    assert rings["area_m2"].iloc[0] == pytest.approx(2000 * (2000 + gap), rel=0.02)
    assert_exclusive_cover(rings)


def test_a_dual_carriageway_and_an_interchange_do_not_confuse(make_study: MakeStudy) -> None:
    ring = shapely.Point(2000, 2000).buffer(1000, quad_segs=32).exterior
    outer = shapely.Point(2000, 2000).buffer(1020, quad_segs=32).exterior
    ramp = shapely.Point(3010, 2000).buffer(60).exterior
    layer = gpd.GeoDataFrame({"name": ["二环路"] * 3}, geometry=[ring, outer, ramp], crs=CRS_M)
    rings = rings_of(make_study({"ring_lines": layer}, settings=bounded("二环路")))
    assert rings["area_m2"].iloc[0] == pytest.approx(np.pi * 1000**2, rel=0.05)


def test_a_roundabout_is_not_a_ring(make_study: MakeStudy) -> None:
    layer = gpd.GeoDataFrame(
        {"name": ["二环路"] * 2},
        geometry=[
            shapely.Point(1000, 1000).buffer(40).exterior,
            shapely.LineString([(1040, 1000), (3000, 1000), (3000, 3500)]),
        ],
        crs=CRS_M,
    )
    with pytest.raises(InputError) as caught:
        rings_of(make_study({"ring_lines": layer}, settings=bounded("二环路")))
    assert caught.value.faults[0].code == "rings.not_closed"


def test_rings_inside_out_from_lines_are_exclusive(make_study: MakeStudy) -> None:
    big = {
        f"外{name}": [(2000 + (x - 2000) * 1.7, 2000 + (y - 2000) * 1.7) for x, y in xy] for name, xy in SQUARE.items()
    }
    sections = [{"name": "一", "bounded_by": list(SQUARE)}, {"name": "二", "bounded_by": list(big)}]
    stated = {"rings": {"ring": sections, "rest_name": "三"}}
    rings = rings_of(make_study({"ring_lines": lines({**SQUARE, **big})}, settings=stated))
    assert rings["name"].tolist() == ["一", "二", "三"]
    assert rings["area_m2"].tolist()[:2] == pytest.approx([2000**2, 3400**2 - 2000**2])
    assert_exclusive_cover(rings)


def test_streets_stand_in_for_ring_lines(make_study: MakeStudy) -> None:
    streets = lines(SQUARE).assign(highway="primary")
    assert len(rings_of(make_study({"streets": streets}, settings=bounded(*SQUARE)))) == 2


def test_all_that_is_missing_is_said_at_once(make_study: MakeStudy) -> None:
    three = {name: SQUARE[name] for name in ("北路", "南路", "西路")}
    sections = [
        {"name": "一", "bounded_by": ["北路", "东大路", "(坏"]},
        {"name": "二", "bounded_by": list(three)},
    ]
    with pytest.raises(InputError) as caught:
        rings_of(make_study({"ring_lines": lines(three)}, settings={"rings": {"ring": sections}}))
    faults = caught.value.faults
    assert [fault.code for fault in faults] == ["rings.no_line", "rings.bad_pattern", "rings.not_closed"]
    said = explain(faults[2], "zh")
    assert "3100, 3000" in said, "where a line ends"
    assert "3100, 1000" in said
    assert all(explain(fault, language) for fault in faults for language in ("zh", "en"))


def test_no_lines_enclose_nothing() -> None:
    lonely = np.array([shapely.LineString([(0, 0), (5000, 0)])], dtype=object)
    shape, ends = enclosed([lonely])
    assert shape is None
    assert sorted((end.x, end.y) for end in ends) == [(0, 0), (5000, 0)]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=20))
def test_a_point_lies_in_the_first_zone_that_holds_it(xy: list[tuple[int, int]]) -> None:
    zones = shapely.box([0, 10, 30], [0, 10, 30], [20, 40, 60], [20, 40, 60])
    points = np.array([shapely.Point(pair) for pair in xy], dtype=object)
    expected = [next((row for row, zone in enumerate(zones) if zone.intersects(point)), -1) for point in points]
    assert zone_of(points, zones).tolist() == expected
    assert (zone_of(points, zones, nearest=True) >= 0).all()


def test_counts_of_rings_add_up(make_study: MakeStudy) -> None:
    rings = rings_of(make_study({"rings": polygons([("内", shapely.box(0, 0, 1000, 1000))])}))
    demand = gpd.GeoDataFrame(
        {"ring_id": ["R1", "R2", "R2"], "people": [1, 2, 3], "elders_60": [0, 1, 1], "households": 1}
    )
    neighbourhoods = gpd.GeoDataFrame({"ring_id": ["R2"]})
    projects = gpd.GeoDataFrame({"ring_id": np.array([], dtype="str")})
    counted = count_rings(rings, demand, neighbourhoods, projects)
    assert counted["people"].tolist() == [1, 5]
    assert counted["compounds"].tolist() == [0, 1]
    assert counted["projects"].tolist() == [0, 0]
