"""Streets from every kind of file (GraphML, GeoPackage, Shapefile, GeoParquet), and bad files: one clear error each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import networkx as nx
import numpy as np
import pyogrio
import pyproj
import pytest
import shapely
from shapely import LineString

from lifecircle.gis.errors import InputError
from lifecircle.gis.graphs import network_from_graph
from lifecircle.layers.graphml import read_graphml
from lifecircle.layers.load import load_study
from lifecircle.layers.osmstreets import osm_ways
from lifecircle.layers.streets import network_of

if TYPE_CHECKING:
    from pathlib import Path

    from lifecircle.layers.streets import Streets

X, Y, CRS = 500_000.0, 4_057_000.0, "EPSG:4548"


def lines_frame() -> gpd.GeoDataFrame:
    """A grid of three by three streets, a bridge over it, and a line in two parts."""
    grid = [LineString([(X, Y + s), (X + 600, Y + s)]) for s in (0, 300, 600)]
    grid += [LineString([(X + s, Y), (X + s, Y + 600)]) for s in (0, 300, 600)]
    bridge = LineString([(X + 10, Y - 100), (X + 10, Y + 700)])
    parts = shapely.MultiLineString([[(X, Y), (X - 50, Y)], [(X + 600, Y + 600), (X + 650, Y + 600)]])
    return gpd.GeoDataFrame(
        {"highway": ["residential"] * 6 + ["footway", "path"], "bridge": ["no"] * 6 + ["yes", "no"]},
        geometry=[*grid, bridge, parts],
        crs=CRS,
    )


def streets_of(folder: Path, file: str, more: str = "") -> Streets:
    toml = f'[study]\nname = "试"\n[layers.streets]\npath = "{file}"\n{more}'
    (folder / "study.toml").write_text(toml, encoding="utf-8")
    return network_of(load_study(folder))


@pytest.mark.parametrize("file", ["s.gpkg", "s.shp", "s.parquet", "s.geojson"])
def test_line_layers_of_every_format_make_one_network(tmp_path: Path, file: str) -> None:
    frame = lines_frame()
    if file.endswith(".parquet"):
        frame.to_parquet(tmp_path / file)
    else:
        written = frame.to_crs("EPSG:4326") if file.endswith("json") else frame
        pyogrio.write_dataframe(written, tmp_path / file)
    network = streets_of(tmp_path, file).network
    assert network.edge_length_m.sum() == pytest.approx(6 * 600 + 800 + 100, rel=1e-4)
    assert network.component_length_m.tolist() == pytest.approx([3700, 800], rel=1e-4)


def graph() -> nx.MultiDiGraph:
    town = nx.MultiDiGraph(crs="epsg:4326", simplified=True)
    for node, (x, y) in {1: (114.0, 22.5), 2: (114.01, 22.5), 3: (114.005, 22.495), 4: (114.005, 22.505)}.items():
        town.add_node(node, x=x, y=y)
    for a, b in ((1, 2), (3, 4), (2, 4)):
        for u, v in ((a, b), (b, a)):
            town.add_edge(u, v, highway=str(["residential", "tertiary"]), osmid=str([a, b]))
    return town


def test_graphml_without_lengths_is_measured_and_joins_at_nodes_only(tmp_path: Path) -> None:
    nx.write_graphml(graph(), tmp_path / "s.graphml")
    done = streets_of(tmp_path, "s.graphml")
    assert done.notes[0].code == "streets.from_graph"
    assert done.network.edge_length_m.size == 1  # one street through three nodes, the crossing is none
    whole = network_from_graph(read_graphml(tmp_path / "s.graphml"), crs=done.network.crs)
    assert done.network.edge_length_m.sum() == pytest.approx(whole.edge_length_m.sum())
    assert done.network.edge_length_m.sum() == pytest.approx(1029 + 1107 + 758, abs=5)


def test_a_graph_that_states_lengths_but_no_lines_is_taken_straight_and_says_so(tmp_path: Path) -> None:
    town = graph()
    for _, _, data in town.edges(data=True):
        data["length"] = 1500.0
    nx.write_graphml(town, tmp_path / "s.graphml")
    done = streets_of(tmp_path, "s.graphml")
    assert done.network.edge_length_m.sum() == pytest.approx(1029 + 1107 + 758, abs=5)
    said = {note.code: note.detail for note in done.notes}["streets.graph_straight"]
    assert said["edges"] == "6"
    assert float(said["km"]) == pytest.approx(2 * (4.5 - 2.894), abs=0.06)
    for _, _, data in town.edges(data=True):
        data["geometry"] = LineString([(town.nodes[1]["x"], 22.5), (town.nodes[2]["x"], 22.5)]).wkt
    nx.write_graphml(town, tmp_path / "t.graphml")
    assert "streets.graph_straight" not in {note.code for note in streets_of(tmp_path, "t.graphml").notes}


def test_a_graph_of_osmnx_whose_straight_edges_have_no_line_says_nothing(tmp_path: Path) -> None:
    town = graph()
    geod = pyproj.Geod(ellps="WGS84")
    for a, b, data in town.edges(data=True):
        data["length"] = geod.inv(*(town.nodes[end][axis] for end in (a, b) for axis in ("x", "y")))[2] * 1.002
    nx.write_graphml(town, tmp_path / "s.graphml")
    assert [note.code for note in streets_of(tmp_path, "s.graphml").notes if "straight" in note.code] == []


def test_end_nodes_that_do_not_meet_are_not_believed(tmp_path: Path) -> None:
    frame = lines_frame()[:6].assign(u=[1, 1, 1, 2, 2, 2], v=[3, 3, 3, 4, 4, 4])
    frame.to_parquet(tmp_path / "s.parquet")
    done = streets_of(tmp_path, "s.parquet")
    assert done.notes[0].code == "streets.from_layer"
    assert done.network.component_length_m.size == 1


BAD_GRAPHS = {
    "text": "not a graph",
    "empty": "",
    "broken off": "<graphml><graph><node id='1'>",
    "no nodes": "<graphml><graph/></graphml>",
    "entities": "<!DOCTYPE g [<!ENTITY a 'x'><!ENTITY b '&a;&a;'>]><graphml><graph><node id='&b;'/></graph></graphml>",
    "no places": "<graphml><graph><node id='1'/><node id='2'/><edge source='1' target='2'/></graph></graphml>",
    "no such node": (
        "<graphml><key id='a' attr.name='x'/><key id='b' attr.name='y'/><graph>"
        "<node id='1'><data key='a'>1</data><data key='b'>1</data></node>"
        "<edge source='1' target='2'/></graph></graphml>"
    ),
}


@pytest.mark.parametrize("kind", BAD_GRAPHS)
def test_bad_graphml_is_one_clear_error(tmp_path: Path, kind: str) -> None:
    (tmp_path / "s.graphml").write_text(BAD_GRAPHS[kind], encoding="utf-8")
    with pytest.raises(InputError) as error:
        streets_of(tmp_path, "s.graphml")
    assert error.value.faults
    assert {fault.layer for fault in error.value.faults} == {"streets"}


def test_graphml_without_crs_asks_for_its_datum(tmp_path: Path) -> None:
    town = graph()
    del town.graph["crs"]
    nx.write_graphml(town, tmp_path / "s.graphml")
    with pytest.raises(InputError) as error:
        streets_of(tmp_path, "s.graphml")
    assert error.value.faults[0].code == "faults.datum_missing"
    assert streets_of(tmp_path, "s.graphml", 'datum = "wgs84"').network.edge_length_m.size == 1


def test_degrees_that_are_said_to_be_metres_are_refused(tmp_path: Path) -> None:
    frame = lines_frame().to_crs("EPSG:4326").set_crs(CRS, allow_override=True)
    pyogrio.write_dataframe(frame, tmp_path / "s.gpkg")
    with pytest.raises(InputError) as error:
        streets_of(tmp_path, "s.gpkg")
    assert error.value.faults[0].code == "faults.degrees_declared_metric"
    bare = gpd.GeoDataFrame(
        lines_frame().drop(columns="geometry"), geometry=lines_frame().to_crs(4326).geometry.to_numpy()
    )
    bare.to_parquet(tmp_path / "b.parquet")
    with pytest.raises(InputError) as error:
        streets_of(tmp_path, "b.parquet")
    assert error.value.faults[0].code == "faults.datum_missing"


def test_lines_with_coordinates_that_are_not_numbers(tmp_path: Path) -> None:
    frame = lines_frame()
    for row in (0, 1):
        with np.errstate(invalid="ignore"):
            frame.loc[row, "geometry"] = LineString([(X, Y), (np.nan, np.nan), (X + 600, Y)])
        frame.to_parquet(tmp_path / "s.parquet")
        if row == 0:  # one street may be broken: it is left out, and said by its row
            streets_of(tmp_path, "s.parquet")
            study = load_study(tmp_path)
            assert len(study.layers["streets"]) == len(frame)  # one less, and one comes in two parts
            assert study.repairs["layer"].eq("streets").sum() == 1
    with pytest.raises(InputError) as error:
        streets_of(tmp_path, "s.parquet")
    assert [fault.code for fault in error.value.faults] == ["faults.unplaced"]


def test_nothing_to_walk_on_is_one_clear_error(tmp_path: Path) -> None:
    pyogrio.write_dataframe(lines_frame()[:3].assign(highway="motorway"), tmp_path / "s.gpkg")
    with pytest.raises(InputError, match="one may walk on"):
        streets_of(tmp_path, "s.gpkg")


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.999])
def test_a_pbf_that_is_broken_off_is_refused(places: Path, tmp_path: Path, share: float) -> None:
    whole = places / "osm" / "porto_alegre.osm.pbf"
    if not whole.is_file():
        pytest.skip(f"{whole} is not there")
    data = whole.read_bytes()
    part = tmp_path / "part.osm.pbf"
    part.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(InputError, match="cannot be read as OSM"):
        osm_ways([part])


def test_a_pbf_with_broken_bytes_is_refused(places: Path, tmp_path: Path) -> None:
    whole = places / "osm" / "porto_alegre.osm.pbf"
    if not whole.is_file():
        pytest.skip(f"{whole} is not there")
    data = bytearray(whole.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4000] = bytes(4000)
    part = tmp_path / "part.osm.pbf"
    part.write_bytes(bytes(data))
    with pytest.raises(InputError, match="cannot be read as OSM"):
        osm_ways([part])


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE o [<!ENTITY a "x">]><osm version="0.6"><way id="1" version="1"><tag k="&a;" v="x"/></way></osm>',
        '<osm version="0.6"><way id="1" version="1"><nd ref="1"/><tag k="highway" v="&unknown;"/></way></osm>',
        '<osm version="0.6"><node id="1" lat="91" lon="500"/></osm',
    ],
)
def test_xml_with_tricks_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.osm"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="cannot be read as OSM"):
        osm_ways([path])


@pytest.mark.places
def test_a_graphml_of_osmnx(places: Path, tmp_path: Path) -> None:
    path = places / "networks" / "shenzhen_futian_drive.graphml"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    done = streets_of(tmp_path, str(path))
    assert done.network.edge_length_m.sum() / 1000 == pytest.approx(208.7, rel=0.002)
    assert done.network.crs.to_epsg() == 4547
    direct = network_from_graph(read_graphml(path), crs=done.network.crs)
    assert direct.edge_length_m.sum() == pytest.approx(done.network.edge_length_m.sum(), abs=1e-3)


@pytest.mark.places
def test_a_city_in_geoparquet_with_a_crs_of_its_own(places: Path, tmp_path: Path) -> None:
    path = places / "networks" / "wuhan_8989_original.parquet"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    done = streets_of(tmp_path, str(path))
    assert done.notes[0].code == "streets.from_graph"
    assert done.network.edge_length_m.sum() / 1000 == pytest.approx(5716.3, rel=0.002)
    assert not {"motorway", "trunk"} & set(done.network.classes)
