"""The walk network of a study: from a line layer or OSM, with walls, gates and the terrain, and what it says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import rasterio
from pydantic import ValidationError
from shapely import LineString, Point, box

from lifecircle.gis.errors import InputError, MissingFileError
from lifecircle.gis.reach import nearest, walking_costs
from lifecircle.gis.snap import snap
from lifecircle.gis.walkers import WALKERS
from lifecircle.layers.osmstreets import osm_ways
from lifecircle.layers.settings import StudySettings
from lifecircle.layers.streets import network_of, street_class, walkers_of
from lifecircle.layers.study import Study
from lifecircle.layers.terrain import bilinear, terrain
from lifecircle.layers.words import explain, say

CRS = pyproj.CRS("EPSG:4547")


def study(
    layers: dict[str, gpd.GeoDataFrame] | None = None,
    *,
    osm: tuple[Path, ...] = (),
    rasters: dict[str, Path] | None = None,
    gates: str = "auto",
    walkers: dict[str, dict[str, object]] | None = None,
    crs: pyproj.CRS = CRS,
) -> Study:
    settings = StudySettings.model_validate(
        {"study": {"name": "试", "gates": gates}, "layers": {"streets": {"path": "s.gpkg"}}, "walkers": walkers or {}}
    )
    area = gpd.GeoDataFrame({"name": ["试"]}, geometry=[box(0, 0, 400, 400)], crs=crs)
    return Study(settings, Path(), crs, area, MappingProxyType(layers or {}), MappingProxyType(rasters or {}), osm, ())


def frame(shapes: list[object], **columns: object) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=CRS)


LINES = [
    LineString([(0, 0), (400, 0)]),
    LineString([(200, 0), (200, 400)]),
    LineString([(0, 350), (400, 350)]),
    LineString([(0, 370), (400, 370)]),
]
STREETS = frame(
    LINES,
    highway=["主干路", None, "快速路", "steps"],
    foot=[None, "yes", None, None],
    bridge=[False, False, True, None],
)
COMPOUNDS = frame([box(100, 100, 300, 300), box(0, 10, 90, 90)], compound_id=["甲", "乙"], walled=[True, True])


def test_classes_by_their_chinese_names() -> None:
    assert [street_class(name) for name in ("人行道", "高速公路", " Residential ", "", None, float("nan"))] == [
        "footway",
        "motorway",
        "residential",
        "unclassified",
        "unclassified",
        "unclassified",
    ]


def test_line_layer() -> None:
    done = network_of(study({"streets": STREETS}))
    assert done.network.classes == ("primary", "steps", "unclassified")
    assert done.network.edge_steps.sum() == 2
    assert {note.code for note in done.notes} == {"streets.from_layer", "streets.class_unknown", "streets.policy_open"}
    assert done.warnings == ()


def test_unknown_classes_are_said() -> None:
    done = network_of(study({"streets": frame(LINES[:2], highway=["footway", "滑道"])}))
    assert [fault.value for fault in done.warnings] == ["滑道"]
    assert done.network.edge_length_m.tolist() == [400]


def test_walls_and_gates_and_what_has_no_gate() -> None:
    gates = frame([Point(200, 100), Point(390, 390)], gate_id=["g1", "g2"], compound_id=["甲", "乙"])
    layers = {"streets": STREETS, "compounds": COMPOUNDS, "gates": gates}
    done = network_of(study(layers))
    assert done.network.walls.policy == "gated"
    assert done.network.walls.sealed.tolist() == [True, True]
    assert [fault.row for fault in done.warnings] == ["g2"]
    assert done.network.edge_length_m[done.network.edge_zone == 0].sum() == pytest.approx(200)
    assert done.network.component_length_m.size == 2
    assert network_of(study(layers, gates="open")).network.component_length_m.size == 1
    closed = gates.assign(open=[True, False])
    left = network_of(study({**layers, "gates": closed}))
    assert [(fault.code, fault.row) for fault in left.warnings] == [("streets.no_gate", "乙")]
    assert network_of(study({"streets": STREETS, "compounds": COMPOUNDS})).network.walls.policy == "open"


def test_streets_cut_at_the_study_area_end_there() -> None:
    inside = network_of(study({"streets": frame(LINES[:2], highway=["path", "path"])})).network
    assert sorted(map(tuple, inside.node_xy[inside.boundary].tolist())) == [(0, 0), (200, 400), (400, 0)]
    # Streets that go on beyond the area end at their own rim.
    beyond = frame([*LINES[:2], LineString([(300, 0), (300, -900), (300, -950)])], highway=["path"] * 3)
    found = network_of(study({"streets": beyond})).network
    assert (300, -950) in set(map(tuple, found.node_xy[found.boundary].tolist()))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_note_and_warning_can_be_said(language: str) -> None:
    gates = frame([Point(200, 100), Point(390, 390)], gate_id=["g1", "g2"], compound_id=["甲", None])
    done = network_of(study({"streets": STREETS, "compounds": COMPOUNDS, "gates": gates}))
    assert all(say(note.code, language, **note.detail) for note in done.notes)  # type: ignore[arg-type]
    assert all(explain(fault, language) for fault in done.warnings)  # type: ignore[arg-type]


def test_no_streets_is_one_clear_error() -> None:
    with pytest.raises(InputError) as error:
        network_of(study())
    assert error.value.faults[0].code == "streets.none"


def write_dem(
    path: Path, values: np.ndarray, cell: float = 10.0, nodata: float | None = None, crs: str | None = "EPSG:4547"
) -> Path:
    transform = rasterio.Affine(cell, 0, 0, 0, -cell, values.shape[0] * cell)
    profile = {"driver": "GTiff", "height": values.shape[0], "width": values.shape[1], "count": 1, "dtype": "float32"}
    with rasterio.open(path, "w", **profile, crs=crs, transform=transform, nodata=nodata) as raster:
        raster.write(values.astype(np.float32), 1)
    return path


def test_terrain_is_read_between_cells(tmp_path: Path) -> None:
    x = np.tile(np.arange(40) * 10.0 + 5.0, (40, 1))
    dem = write_dem(tmp_path / "dem.tif", x * 0.1)
    heights = terrain(dem, CRS)
    np.testing.assert_allclose(heights(np.array([[100.0, 100.0], [203.0, 17.0]])), [10.0, 20.3], atol=1e-5)
    assert np.isnan(heights(np.array([[-50.0, 100.0], [100.0, 100.0]]))[0])
    done = network_of(
        study({"streets": frame([LineString([(50, 50), (150, 50)])], highway=["footway"])}, rasters={"dem": dem})
    )
    costs = walking_costs(done.network, WALKERS["adult"])
    assert costs.edge_ahead[0] == pytest.approx(100 / 1.2 * np.exp(3.5 * 0.15 - 0.175), rel=1e-4)
    assert costs.edge_back[0] == pytest.approx(100 / 1.2, rel=1e-4)


def test_unknown_heights_are_flat_and_a_raster_without_crs_is_refused(tmp_path: Path) -> None:
    dem = write_dem(tmp_path / "dem.tif", np.full((40, 40), -9999.0), nodata=-9999.0)
    done = network_of(study({"streets": STREETS}, rasters={"dem": dem}))
    assert np.isnan(done.network.coord_height).all()
    assert walking_costs(done.network, WALKERS["adult"]).edge_ahead.max() == pytest.approx(400 / 0.6 * 1, rel=0.5)
    with pytest.warns(rasterio.errors.NotGeoreferencedWarning):
        bare = rasterio.open(tmp_path / "bare.tif", "w", driver="GTiff", height=2, width=2, count=1, dtype="float32")
    bare.close()
    with pytest.warns(rasterio.errors.NotGeoreferencedWarning), pytest.raises(InputError, match="no CRS"):
        terrain(tmp_path / "bare.tif", CRS)


def test_bilinear_keeps_corners_and_means() -> None:
    cells = np.array([[0.0, 4.0], [8.0, np.nan]])
    assert bilinear(cells, np.array([0.0, 0.0, -0.4]), np.array([0.0, 1.0, 0.0]))[:1].tolist() == [0.0]
    assert np.isnan(bilinear(cells, np.array([0.5]), np.array([0.5])))[0]


OSM = """<?xml version='1.0' encoding='UTF-8'?>
<osm version="0.6" generator="test">
  <bounds minlat="32.0" minlon="118.0" maxlat="32.01" maxlon="118.01"/>
  {ways}
  {nodes}
</osm>
"""


def write_osm(path: Path, nodes: dict[int, tuple[float, float, str]], ways: dict[int, tuple[list[int], str]]) -> Path:
    def tags(text: str) -> str:
        return "".join('<tag k="{}" v="{}"/>'.format(*pair.split("=")) for pair in text.split())

    node_lines = [
        f'<node id="{i}" version="1" lon="{118 + x / 100000}" lat="{32 + y / 100000}">{tags(text)}</node>'
        for i, (x, y, text) in nodes.items()
    ]
    way_lines = [
        f'<way id="{i}" version="1">{"".join(f"<nd ref={chr(34)}{ref}{chr(34)}/>" for ref in refs)}{tags(text)}</way>'
        for i, (refs, text) in ways.items()
    ]
    path.write_text(OSM.format(ways="\n".join(way_lines), nodes="\n".join(node_lines)), encoding="utf-8")
    return path


def walled_extract(path: Path, gate: str) -> Path:
    """A lane from the street through the wall of a compound at node 5, another through it at no node."""
    nodes = {
        1: (0, 0, ""),
        2: (500, 0, ""),
        3: (200, 0, ""),
        4: (200, 200, ""),
        5: (200, 100, gate),
        11: (100, 100, ""),
        12: (300, 100, ""),
        13: (300, 300, ""),
        14: (100, 300, ""),
        20: (250, 0, ""),
        21: (250, 200, ""),
    }
    ways = {
        100: ([1, 3, 20, 2], "highway=residential"),
        101: ([3, 5, 4], "highway=service"),
        102: ([11, 5, 12, 13, 14, 11], "barrier=wall"),
        103: ([20, 21], "highway=footway"),
        104: ([2, 999], "highway=footway"),
    }
    return write_osm(path, nodes, ways)


def test_osm_ways_may_come_before_nodes_and_name_missing_ones(tmp_path: Path) -> None:
    found = osm_ways([walled_extract(tmp_path / "a.osm", "barrier=gate")])
    assert found.way_id.tolist() == [100, 101, 102, 103, 104]
    assert np.isnan(found.lonlat[found.node == 999]).all()
    assert np.isfinite(found.lonlat[found.node != 999]).all()
    assert found.box == pytest.approx((118.0, 32.0, 118.01, 32.01))
    assert found.node_tags == {5: {"barrier": "gate"}}


def test_closed_osm_walls_are_passed_where_ways_share_a_node(tmp_path: Path) -> None:
    path = walled_extract(tmp_path / "a.osm", "barrier=gate")
    done = network_of(study(osm=(path,), crs=pyproj.CRS("EPSG:4548")))
    assert done.network.walls.sealed.tolist() == [True]
    assert done.network.component_length_m.size == 2  # the footway that crosses the wall at no node is parted
    opened = network_of(study(osm=(path,), crs=pyproj.CRS("EPSG:4548"), gates="open"))
    assert opened.network.component_length_m.size == 1
    shut = network_of(
        study(
            osm=(walled_extract(tmp_path / "b.osm", "barrier=gate access=no"),),
            crs=pyproj.CRS("EPSG:4548"),
            gates="gated",
        )
    )
    assert not shut.network.walls.sealed.any()
    assert {note.code for note in shut.notes} >= {"streets.osm_walls_open", "streets.clipped"}


def test_unreadable_and_missing_extracts(tmp_path: Path) -> None:
    broken = tmp_path / "broken.osm.pbf"
    broken.write_bytes(b"\x00\x00\x00\x0d\x0a\x09OSMHeader" + b"\x00" * 40)
    text = tmp_path / "text.osm"
    text.write_text("<osm><way id='1'>", encoding="utf-8")
    for path in (broken, text):
        with pytest.raises(InputError, match="cannot be read as OSM"):
            osm_ways([path])
    with pytest.raises(MissingFileError):
        osm_ways([tmp_path / "none.osm.pbf"])
    empty = write_osm(tmp_path / "empty.osm", {}, {})
    with pytest.raises(InputError, match="one may walk on"):
        network_of(study(osm=(empty,)))


def test_xml_entities_are_not_expanded(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret", encoding="utf-8")
    bomb = tmp_path / "bomb.osm"
    bomb.write_text(
        f'<?xml version="1.0"?><!DOCTYPE osm [<!ENTITY x SYSTEM "file://{secret}">]>'
        '<osm version="0.6"><way id="1" version="1"><nd ref="1"/><tag k="highway" v="&x;"/></way></osm>',
        encoding="utf-8",
    )
    with pytest.raises(InputError, match="cannot be read as OSM"):
        osm_ways([bomb])


def test_walkers_of_the_study() -> None:
    found = walkers_of(study(walkers={"slow": {"speed_mps": 0.5, "steps": False}}))
    assert found["slow"].speed_mps == 0.5
    assert not found["slow"].steps
    assert found["elderly"] is WALKERS["elderly"]


def test_squares_mapped_as_relations_are_crossed_and_not_through_what_stands_in_them(tmp_path: Path) -> None:
    nodes = {
        1: (0, 0, ""), 2: (200, 0, ""), 3: (200, 200, ""), 4: (0, 200, ""),
        5: (90, 90, ""), 6: (110, 90, ""), 7: (110, 110, ""), 8: (90, 110, ""),
        9: (100, 0, ""), 10: (0, 100, ""), 21: (-100, 0, ""), 23: (300, 200, ""), 29: (100, -100, ""),
        30: (-100, 100, ""),
    }  # fmt: skip
    ways = {
        100: ([1, 9, 2, 3], ""),
        101: ([1, 10, 4, 3], ""),
        102: ([5, 6, 7, 8, 5], "building=kiosk"),
        103: ([21, 1], "highway=footway"),
        104: ([3, 23], "highway=footway"),
        105: ([9, 29], "highway=footway"),
        106: ([10, 30], "highway=footway"),
    }
    path = write_osm(tmp_path / "a.osm", nodes, ways)
    members = "".join(
        f'<member type="way" ref="{way}" role="{role}"/>'
        for way, role in ((100, "outer"), (101, "outer"), (102, "inner"))
    )
    tags = '<tag k="type" v="multipolygon"/><tag k="highway" v="pedestrian"/>'
    text = path.read_text(encoding="utf-8").replace(
        "</osm>", f'<relation id="7" version="1">{members}{tags}</relation></osm>'
    )
    path.write_text(text, encoding="utf-8")
    network = network_of(study(osm=(path,), crs=pyproj.CRS("EPSG:4548"))).network
    ends = np.sort(
        np.linalg.norm(network.node_xy[network.edge_nodes[:, 0]] - network.node_xy[network.edge_nodes[:, 1]], axis=1)
    )
    straight = np.isclose(
        network.edge_length_m,
        np.linalg.norm(np.diff(network.node_xy[network.edge_nodes], axis=1)[:, 0], axis=1),
        rtol=1e-3,
    )
    assert network.component_length_m.size == 1
    # The two side entries see each other; the corners do not, for the kiosk stands between.
    across = np.hypot(100 * 0.9427, 100 * 1.109)
    assert np.isclose(network.edge_length_m[straight], across, rtol=0.01).sum() == 1
    assert ends.max() < 200 * np.hypot(0.9427, 1.109) * 0.99


def test_waiting_at_signals_and_for_lifts_is_a_setting_of_the_walker(tmp_path: Path) -> None:
    section = {"speed_mps": 1.0, "signal_seconds": 25, "lift_seconds": 40}
    old = walkers_of(study(walkers={"old": section}))["old"]
    assert (old.signal_seconds, old.lift_seconds, WALKERS["elderly"].signal_seconds) == (25.0, 40.0, 0.0)
    nodes = {1: (0, 0, ""), 2: (100, 0, "highway=crossing crossing=traffic_signals"), 3: (200, 0, "")}
    path = write_osm(tmp_path / "a.osm", nodes, {10: ([1, 2, 3], "highway=footway")})
    network = network_of(study(osm=(path,), crs=pyproj.CRS("EPSG:4548"))).network
    ends = snap(network, network.node_xy[np.diff(network.indptr) == 1]).positions
    one, other = (ends.without(np.arange(2) == k) for k in (1, 0))
    waits, strolls = (
        nearest(network, sites=one, demand=other, limit=1e4, walker=walker).cost[1]
        for walker in (old, replace(old, signal_seconds=0.0))
    )
    assert waits - strolls == pytest.approx(25.0)
    with pytest.raises(ValidationError):
        study(walkers={"old": {"speed_mps": 1.0, "signal_seconds": -1}})


def test_a_way_out_of_the_middle_of_a_square_joins_it(tmp_path: Path) -> None:
    nodes = {
        1: (0, 0, ""),
        2: (100, 0, ""),
        3: (100, 100, ""),
        4: (0, 100, ""),
        11: (40, 40, ""),
        12: (60, 40, ""),
        13: (60, 60, ""),
        14: (40, 60, ""),
        20: (-50, 0, ""),
        21: (50, 50, ""),
    }
    ways = {
        100: ([1, 2, 3, 4, 1], ""),
        101: ([11, 12, 13, 14, 11], ""),
        102: ([20, 1], "highway=footway"),
        103: ([11, 21], "highway=footway"),
    }
    path = write_osm(tmp_path / "a.osm", nodes, ways)
    members = "".join(
        f'<member type="way" ref="{way}" role="{role}"/>' for way, role in ((100, "outer"), (101, "inner"))
    )
    tags = '<tag k="type" v="multipolygon"/><tag k="highway" v="pedestrian"/>'
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("</osm>", f'<relation id="7" version="1">{members}{tags}</relation></osm>'), encoding="utf-8"
    )
    network = network_of(study(osm=(path,), crs=pyproj.CRS("EPSG:4548"))).network
    assert network.component_length_m.size == 1
    # The outline and its approach, the way from the middle, and the walk from the entry to it.
    metres = 4 * 100 + 50 + np.hypot(10, 10) + np.hypot(40, 40)
    assert network.edge_length_m.sum() == pytest.approx(metres, rel=0.1)
