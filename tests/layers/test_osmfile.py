from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import osmium
import pytest
import shapely

from lifecircle.gis.errors import InputError, MissingFileError
from lifecircle.layers.osmfile import TagFilter, osm_features, osm_ground
from lifecircle.layers.osmlayers import TAGS, in_product_columns
from lifecircle.layers.words import explain_error

if TYPE_CHECKING:
    from pathlib import Path

XML = """<?xml version='1.0' encoding='UTF-8'?>
<osm version="0.6" generator="test">
  <node id="1" lat="36.00" lon="117.00" version="1"><tag k="amenity" v="clinic;doctors"/><tag k="name" v="诊所"/></node>
  <node id="2" lat="36.00" lon="117.01" version="1"/>
  <node id="3" lat="36.01" lon="117.01" version="1"/>
  <node id="4" lat="36.01" lon="117.00" version="1"/>
  <node id="5" lat="36.02" lon="117.00" version="1"/>
  <way id="10" version="1"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="4"/><nd ref="1"/>
    <tag k="building" v="yes"/><tag k="building:levels" v="6"/></way>
  <way id="11" version="1"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="1"/><tag k="railway" v="rail"/></way>
  <way id="12" version="1"><nd ref="1"/><nd ref="4"/><nd ref="99"/><nd ref="3"/><nd ref="2"/><nd ref="98"/><nd ref="5"/>
    <tag k="waterway" v="river"/></way>
  <way id="13" version="1"><nd ref="1"/><nd ref="97"/><nd ref="3"/><nd ref="1"/><tag k="building" v="yes"/></way>
  <way id="14" version="1"><nd ref="1"/><nd ref="3"/><nd ref="5"/><tag k="highway" v="residential"/></way>
  <way id="15" version="1"><nd ref="2"/><nd ref="3"/><nd ref="4"/><nd ref="2"/><tag k="building" v="no"/></way>
  <relation id="20" version="1"><member type="way" ref="10" role="outer"/>
    <tag k="type" v="multipolygon"/><tag k="landuse" v="brownfield"/></relation>
</osm>
"""

LAUGHS = """<?xml version="1.0"?>
<!DOCTYPE osm [
 <!ENTITY a "haha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">
]>
<osm version="0.6"><node id="1" lat="0" lon="0"><tag k="name" v="&c;"/></node></osm>
"""

OUTSIDE = """<?xml version="1.0"?>
<!DOCTYPE osm [<!ENTITY file SYSTEM "file:///etc/hostname">]>
<osm version="0.6"><node id="1" lat="0" lon="0"><tag k="name" v="&file;"/></node></osm>
"""


@pytest.fixture
def extract(tmp_path: Path) -> Path:
    path = tmp_path / "老城 extract.osm"
    path.write_text(XML, encoding="utf-8")
    return path


def test_nodes_ways_and_areas_get_their_geometry(extract: Path) -> None:
    frame = osm_features(extract, ["amenity", "building", "landuse=brownfield"], ["Point", "Polygon"])
    kinds = dict(zip(frame["osm_type"].str[0] + frame["osm_id"].astype(str), frame.geom_type, strict=True))
    assert kinds == {"n1": "Point", "w10": "MultiPolygon", "r20": "MultiPolygon"}
    assert frame.crs.to_epsg() == 4326
    assert frame.attrs["skipped"] == 1  # way 13 lacks a node; way 15 is no building
    assert frame.set_index("osm_id").loc[1, "name"] == "诊所"


def test_lines_are_split_where_the_extract_lacks_nodes(extract: Path) -> None:
    frame = osm_features(extract, ["waterway=river", "railway=rail"], ["LineString", "Polygon"]).set_index("osm_id")
    assert frame.geometry[11].geom_type == "LineString"  # a closed railway is a loop, not a lake
    assert frame.geometry[12].geom_type == "MultiLineString"
    assert [len(part.coords) for part in frame.geometry[12].geoms] == [2, 2]


def test_only_the_shapes_and_tags_asked_for(extract: Path) -> None:
    assert osm_features(extract, ["building"], ["Point"]).empty
    assert osm_features(extract, ["amenity=school"], ["Point"]).empty
    frame = osm_features(extract, ["amenity=doctors"], ["Point"], keys=("name",))
    assert list(frame.columns) == ["osm_type", "osm_id", "amenity", "name", "geometry"]


def test_packed_xml_and_pbf_read_the_same(extract: Path, tmp_path: Path) -> None:
    packed = tmp_path / "a.osm.gz"
    packed.write_bytes(gzip.compress(extract.read_bytes()))
    pbf = tmp_path / "a.osm.pbf"
    with osmium.SimpleWriter(str(pbf)) as writer:
        for item in osmium.FileProcessor(str(extract)):
            writer.add(item)
    expected = osm_features(extract, ["building", "amenity"], ["Point", "Polygon"])
    for path in (packed, pbf):
        assert osm_features(path, ["building", "amenity"], ["Point", "Polygon"]).equals(expected)


@pytest.mark.parametrize("text", [LAUGHS, OUTSIDE])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entity_tricks_are_refused(tmp_path: Path, text: str, encoding: str, *, packed: bool) -> None:
    path = tmp_path / ("a.osm.gz" if packed else "a.osm")
    data = text.replace('version="1.0"?', f'version="1.0" encoding="{encoding}"?').encode(encoding)
    path.write_bytes(gzip.compress(data) if packed else data)
    for read in (lambda: osm_features(path, ["name"], ["Point"]), lambda: osm_ground(path)):
        with pytest.raises(InputError) as caught:
            read()
        assert [fault.code for fault in caught.value.faults] == ["faults.osm_entities"]
        assert len(explain_error(caught.value, "zh")) == 1


@pytest.mark.parametrize("content", [b"", b"<html></html>", b"<osm><node", b"no xml", XML.encode()[:900]])
def test_what_is_no_extract_is_one_fault(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.osm"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        osm_features(path, ["building"], ["Polygon"])
    assert [fault.code for fault in caught.value.faults] == ["faults.osm_broken"]


def test_a_truncated_pbf_is_one_fault(extract: Path, tmp_path: Path) -> None:
    whole = tmp_path / "a.osm.pbf"
    with osmium.SimpleWriter(str(whole)) as writer:
        for item in osmium.FileProcessor(str(extract)):
            writer.add(item)
    cut = tmp_path / "cut.osm.pbf"
    cut.write_bytes(whole.read_bytes()[:-40])
    with pytest.raises(InputError) as caught:
        osm_features(cut, ["building"], ["Polygon"])
    assert [fault.code for fault in caught.value.faults] == ["faults.osm_broken"]


def test_missing_file_and_bad_filters(tmp_path: Path, extract: Path) -> None:
    with pytest.raises(MissingFileError):
        osm_features(tmp_path / "none.osm", ["building"], ["Point"])
    for wrong in ("", "=x", "a=", "a=b||c"):
        with pytest.raises(InputError) as caught:
            osm_features(extract, [wrong], ["Point"])
        assert caught.value.faults[0].code == "faults.osm_tag"
    assert TagFilter.parse("a=*").accepts({"a": "b"})


def test_the_ground_is_the_hull_of_the_streets(extract: Path, tmp_path: Path) -> None:
    ground = osm_ground(extract)
    assert not ground.stated
    assert ground.ways == 1
    assert ground.box.covers(ground.hull)
    empty = tmp_path / "empty.osm"
    empty.write_text("<osm version='0.6'></osm>")
    with pytest.raises(InputError) as caught:
        osm_ground(empty)
    assert [fault.code for fault in caught.value.faults] == ["faults.osm_no_streets"]


def test_tags_fill_the_columns_of_layers(extract: Path) -> None:
    land = in_product_columns(osm_features(extract, TAGS["land"], ["Point", "Polygon"]), "land")
    assert land[["site_id", "kind"]].to_numpy().tolist() == [["r20", "cleared_site"]]
    barriers = in_product_columns(osm_features(extract, TAGS["barriers"], ["LineString", "Polygon"]), "barriers")
    assert sorted(barriers["kind"]) == ["railway", "river"]


def test_standing_water_is_no_river(tmp_path: Path) -> None:
    ring = '<nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="1"/>'
    kinds = ("lake", "river", "reservoir", None)
    ways = "".join(
        f'<way id="{row}" version="1">{ring}<tag k="natural" v="water"/>'
        + (f'<tag k="water" v="{kind}"/></way>' if kind else "</way>")
        for row, kind in enumerate(kinds, 30)
    )
    path = tmp_path / "water.osm"
    path.write_text(XML.replace("</osm>", f"{ways}</osm>"), encoding="utf-8")
    barriers = in_product_columns(osm_features(path, TAGS["barriers"], ["LineString", "Polygon"]), "barriers")
    found = barriers[barriers["natural"] == "water"].sort_values("osm_id")["kind"].tolist()
    assert found == ["water", "river", "water", "water"]


@pytest.mark.places
def test_las_palmas_clipped_extract(places: Path) -> None:
    path = places / "osm" / "las_palmas_20230221.osm.pbf"
    buildings = osm_features(path, ["building"], ["Polygon"])
    assert len(buildings) > 22_500
    assert buildings.is_valid.all()
    assert buildings["osm_id"].groupby(buildings["osm_type"]).nunique().sum() == len(buildings)
    markets = osm_features(path, ["amenity=marketplace"], ["Point", "Polygon"])
    assert len(markets) >= 4
    assert osm_ground(path).stated


@pytest.mark.places
def test_nanjing_without_bounds_is_trimmed_to_its_box(places: Path) -> None:
    ground = osm_ground(places / "osm" / "nanjing_gulou_2021.osm")
    assert not ground.stated
    asked = shapely.box(118.763, 32.034, 118.796, 32.053)
    overlap = ground.hull.intersection(asked).area / ground.hull.union(asked).area
    assert overlap > 0.9
    assert ground.ways > 300
