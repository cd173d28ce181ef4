"""Drawings made by another library are read as a planner means them: parcels with their texts, nothing in silence."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import ezdxf
import geopandas as gpd
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lifecircle.gis.errors import InputError
from lifecircle.layers.cadshapes import CLOSING_M, outlines
from lifecircle.layers.files import read_source
from lifecircle.layers.reading import How, Reading
from lifecircle.layers.words import LANGUAGES, explain

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ezdxf.document import Drawing
    from ezdxf.layouts import Modelspace

X, Y = 500_000.0, 4_057_000.0
PARCELS = How(layers=("地块",), shapes=("Polygon",))


def at(*points: tuple[float, float]) -> list[tuple[float, float]]:
    return [(X + x, Y + y) for x, y in points]


def square(x: float, y: float, side: float = 100) -> list[tuple[float, float]]:
    return at((x, y), (x + side, y), (x + side, y + side), (x, y + side))


def drawn(
    path: Path, draw: Callable[[Modelspace], object], *, version: str = "R2010", units: int = 6, page: str = "ANSI_936"
) -> Path:
    document: Drawing = ezdxf.new(version, setup=True)  # type: ignore[attr-defined]
    document.header["$INSUNITS"] = units
    if version == "R2000":
        document.encoding = "gbk"
    draw(document.modelspace())
    document.saveas(path)
    # What Chinese CAD writes whatever the version: the code page of the system.
    path.write_bytes(path.read_bytes().replace(b"ANSI_1252", page.encode()))
    return path


def text(space: Modelspace, words: str, layer: str, x: float, y: float) -> None:
    space.add_text(words, height=5, dxfattribs={"layer": layer}).set_placement(at((x, y))[0])


def ring(space: Modelspace, points: list[tuple[float, float]], layer: str = "地块") -> None:
    space.add_lwpolyline(points, close=True, dxfattribs={"layer": layer})


def codes(reading: Reading) -> list[str]:
    for fault in reading.warnings:
        assert all(explain(fault, language) for language in LANGUAGES)
        assert not fault.blocks
    return [fault.code for fault in reading.warnings]


def refused(path: Path, how: How = PARCELS) -> str:
    with pytest.raises(InputError) as caught:
        read_source(path, how)
    (fault,) = caught.value.faults
    assert all(explain(fault, language) for language in LANGUAGES)
    return fault.code


@pytest.mark.parametrize(("version", "encoding"), [("R2000", "gb18030"), ("R2010", "utf-8")])
def test_closed_lines_are_parcels_with_the_texts_inside_as_columns(tmp_path: Path, version: str, encoding: str) -> None:
    def draw(space: Modelspace) -> None:
        ring(space, square(0, 0))
        ring(space, square(200, 0))
        for x, number in ((0, "A-01"), (200, "A-02")):
            text(space, number, "编号", x + 20, 20)
        text(space, "R2", "用地性质", 20, 50)
        text(space, "二类居住", "用地性质", 20, 40)
        space.add_mtext(
            "地块名称：东园\\P容积率: 2.5", dxfattribs={"layer": "说明", "insert": at((220, 60))[0], "char_height": 4}
        )
        text(space, "图名", "图框", 5000, 5000)
        space.doc.layout("Layout1").add_lwpolyline(square(0, 0), close=True, dxfattribs={"layer": "地块"})

    reading = read_source(drawn(tmp_path / "图.dxf", draw, version=version), PARCELS)
    frame = reading.frame.sort_values("编号")
    assert reading.encoding == encoding
    assert frame["cad_layer"].tolist() == ["地块", "地块"]
    assert frame["编号"].tolist() == ["A-01", "A-02"]
    assert frame["用地性质"].tolist()[0] == "R2 二类居住"
    assert frame["地块名称"].tolist()[1] == "东园"
    assert frame["容积率"].tolist()[1] == "2.5"
    assert frame.area.tolist() == [10_000.0, 10_000.0]
    assert frame.crs is None
    assert codes(reading) == ["files.cad_texts"]


def test_lines_and_arcs_that_meet_within_the_tolerance_enclose_a_parcel(tmp_path: Path) -> None:
    def draw(space: Modelspace) -> None:
        like = {"layer": "地块"}
        space.add_line(*at((0, 0), (100, 0)), dxfattribs=like)
        space.add_arc(at((100, 50))[0], 50, -90, 90, dxfattribs=like)
        space.add_line(*at((100, 100), (0, 100.04)), dxfattribs=like)
        space.add_line(*at((0, 100), (0.03, 0)), dxfattribs=like)
        space.add_circle(at((300, 50))[0], 50, dxfattribs=like)
        space.add_lwpolyline(at((500, 0), (600, 0), (600, 90)), dxfattribs=like)

    reading = read_source(drawn(tmp_path / "a.dxf", draw), PARCELS)
    half = math.pi * 50**2
    assert sorted(reading.frame.area) == pytest.approx([half, 10_000 + half / 2], rel=1e-3)
    assert codes(reading) == ["files.cad_open"]
    assert reading.warnings[0].detail["count"] == 1


def test_parcels_that_share_lines_fill_the_block_once(tmp_path: Path) -> None:
    def draw(space: Modelspace) -> None:
        for a, b in (((0, 0), (300, 0)), ((300, 0), (300, 100)), ((300, 100), (0, 100)), ((0, 100), (0, 0))):
            space.add_line(*at(a, b), dxfattribs={"layer": "地块"})
        for x in (100, 200):  # these end a little before the line they should meet
            space.add_line(*at((x, 0.02), (x, 99.95)), dxfattribs={"layer": "地块"})

    frame = read_source(drawn(tmp_path / "a.dxf", draw), PARCELS).frame
    assert len(frame) == 3
    assert frame.area.sum() == pytest.approx(30_000, rel=1e-3)
    assert frame.union_all().area == pytest.approx(frame.area.sum(), rel=1e-9)


def test_a_ring_within_another_is_cut_out_and_is_a_hole_where_only_the_other_has_a_text(tmp_path: Path) -> None:
    def draw(space: Modelspace) -> None:
        ring(space, square(0, 0))
        ring(space, square(20, 20, 30))
        ring(space, square(200, 0))
        ring(space, square(220, 20, 30))
        ring(space, square(0, 0))  # drawn twice
        for words, x, y in (("A", 10, 80), ("B", 210, 80), ("C", 230, 30)):
            text(space, words, "编号", x, y)

    reading = read_source(drawn(tmp_path / "a.dxf", draw), PARCELS)
    areas = dict(zip(reading.frame["编号"], reading.frame.area, strict=True))
    assert areas == {"A": 9100.0, "B": 9100.0, "C": 900.0}
    assert codes(reading) == ["files.cad_holes"]


def test_hatches_blocks_and_their_attributes(tmp_path: Path) -> None:
    def draw(space: Modelspace) -> None:
        hatch = space.add_hatch(dxfattribs={"layer": "地块"})
        hatch.paths.add_polyline_path(square(0, 0), is_closed=True, flags=1)
        hatch.paths.add_polyline_path(square(30, 30, 30), is_closed=True, flags=16)
        yard = space.doc.blocks.new("院")
        yard.add_lwpolyline([(0, 0), (50, 0), (50, 50), (0, 50)], close=True, dxfattribs={"layer": "0"})
        space.add_blockref("院", at((200, 0))[0], dxfattribs={"layer": "地块", "xscale": 2})
        label = space.doc.blocks.new("标签")
        label.add_circle((0, 0), 3)
        label.add_attdef("编号", (0, 0), dxfattribs={"height": 4})
        label.add_attdef("容积率", (0, -5), dxfattribs={"height": 4})
        for x, values in ((80, {"编号": "甲 1", "容积率": "2.5"}), (250, {"编号": "乙", "容积率": "1.8"})):
            space.add_blockref("标签", at((x, 25))[0], dxfattribs={"layer": "标注"}).add_auto_attribs(values)

    path = drawn(tmp_path / "a.dxf", draw)
    frame = read_source(path, PARCELS).frame.set_index("编号")
    assert frame.area.to_dict() == {"甲 1": 9100.0, "乙": 5000.0}
    assert frame["容积率"].to_dict() == {"甲 1": "2.5", "乙": "1.8"}
    points = read_source(path, How(layers=("标注",), shapes=("Point",))).frame
    assert points["编号"].tolist() == ["甲 1", "乙"]
    assert points.geom_type.tolist() == ["Point", "Point"]


def test_layers_of_lines_and_of_points_take_what_is_theirs(tmp_path: Path) -> None:
    def draw(space: Modelspace) -> None:
        space.add_lwpolyline(at((0, 0), (100, 0)), dxfattribs={"layer": "道路"})
        ring(space, square(0, 0), "河流")
        space.add_point(at((5, 5))[0], dxfattribs={"layer": "大门"})
        text(space, "第一小学", "学校", 30, 30)

    path = drawn(tmp_path / "a.dxf", draw)
    assert read_source(path, How(layers=("道路",), shapes=("LineString",))).frame.length.tolist() == [100.0]
    both = read_source(path, How(layers=("道路", "河流"), shapes=("LineString", "Polygon"))).frame
    assert set(both.geom_type) == {"LineString"}
    assert read_source(path, How(layer="大门", shapes=("Point",))).frame.geom_type.tolist() == ["Point"]
    school = read_source(path, How(layers=("学校",), shapes=("Point", "Polygon"))).frame
    assert school["cad_text"].tolist() == ["第一小学"]
    reading = read_source(path, How(shapes=("Polygon",)))
    assert len(reading.frame) == 1
    assert refused(path, How(layers=("道路",), shapes=("Polygon",))) == "files.cad_nothing"
    assert refused(path, How(layers=("没有",), shapes=("Polygon",))) == "faults.sublayer_missing"


def test_several_cad_layers_without_a_choice_are_said(tmp_path: Path) -> None:
    path = drawn(tmp_path / "a.dxf", lambda space: (ring(space, square(0, 0)), ring(space, square(9, 9, 9), "建筑")))
    assert codes(read_source(path, How(shapes=("Polygon",)))) == ["files.cad_layers"]
    assert codes(read_source(path, How(layers=("地块", "建筑"), shapes=("Polygon",)))) == []


def test_units_are_judged_by_header_and_coordinates(tmp_path: Path) -> None:
    metres = drawn(tmp_path / "m.dxf", lambda space: ring(space, square(0, 0, 900)), units=4)
    assert codes(read_source(metres, PARCELS)) == ["files.cad_units_header"]
    big = [(x * 1000, y * 1000) for x, y in square(0, 0, 900)]
    assert refused(drawn(tmp_path / "mm.dxf", lambda space: ring(space, big), units=4)) == "files.cad_units"
    feet = drawn(tmp_path / "ft.dxf", lambda space: ring(space, square(0, 0, 900)), units=2)
    assert refused(feet) == "files.cad_units"


def test_what_is_no_text_drawing_says_how_to_save_it(tmp_path: Path) -> None:
    for name, data, code in (
        ("a.dwg", b"AC1032", "files.instead_dwg"),
        ("b.dxf", b"AC1032\0\0\0", "files.instead_dwg"),
        ("c.dxf", b"AutoCAD Binary DXF\r\n\x1a\0", "files.cad_binary"),
        ("d.dxf", b"  0\nSECTION\n", "faults.unreadable"),
        ("e.dxf", b"", "faults.unreadable"),
    ):
        (tmp_path / name).write_bytes(data)
        assert refused(tmp_path / name) in (code, "files.cad_nothing")


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(cut=st.integers(0, 20_000), junk=st.binary(max_size=12))
def test_a_damaged_drawing_is_a_fault_or_read_never_a_traceback(tmp_path: Path, cut: int, junk: bytes) -> None:
    path = tmp_path / "whole.dxf"
    if not path.exists():
        drawn(path, lambda space: (ring(space, square(0, 0)), text(space, "A", "编号", 20, 20)))
    data = path.read_bytes()
    cut = len(data) - cut % len(data)
    broken = tmp_path / "broken.dxf"
    broken.write_bytes(data[:cut] + junk + data[cut + 20 :])
    frame, faults = gpd.GeoDataFrame(), ("none",)
    try:
        frame = read_source(broken, PARCELS).frame
    except InputError as error:
        faults = tuple(fault.code for fault in error.faults)
    assert isinstance(frame, gpd.GeoDataFrame)
    assert faults


@settings(max_examples=60, deadline=None)
@given(
    xs=st.lists(st.integers(1, 40), min_size=1, max_size=4, unique=True),
    shift=st.floats(-CLOSING_M / 3, CLOSING_M / 3),
    seed=st.randoms(use_true_random=False),
)
def test_any_order_of_loose_lines_gives_the_same_faces(xs: list[int], shift: float, seed: object) -> None:
    places = [0.0, *(float(x) * 10 for x in sorted(xs))]
    lines = [shapely.LineString([(x + shift, 0), (x, 100)]) for x in places]
    for a, b in itertools.pairwise(places):
        lines += [shapely.LineString([(a, 0), (b, 0)]), shapely.LineString([(b, 100), (a, 100)])]
    seed.shuffle(lines)  # type: ignore[attr-defined]
    found = outlines(pd.DataFrame({"layer": ["a"] * len(lines), "geometry": lines}))
    assert len(found.polygons) == len(xs)
    assert found.loose == 0
    assert shapely.area(found.polygons).sum() == pytest.approx(100 * max(places), rel=0.01)
