"""Bad streets through the command line: one clear error, or an answer that says what is not known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import osmium
import pytest
import shapely
from typer.testing import CliRunner

from lifecircle.cli.cli import app
from lifecircle.layers.store import load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

X, Y, CRS = 500_000.0, 4_057_000.0, "EPSG:4548"
TOML = """
[study]
name = "试"
language = "en"
crs = "EPSG:4548"
[area]
path = "area.gpkg"
[layers.compounds]
path = "compounds.gpkg"
[layers.facilities]
path = "facilities.gpkg"
[layers.streets]
"""
MOTORWAY = (
    '<osm version="0.6"><node id="1" lat="36.64" lon="117.0" version="1"/>'
    '<node id="2" lat="36.65" lon="117.0" version="1"/>'
    '<way id="1" version="1"><nd ref="1"/><nd ref="2"/><tag k="highway" v="{}"/></way></osm>'
)
LAUGHS = '<!DOCTYPE osm [<!ENTITY a "x"><!ENTITY b "&a;&a;">]><osm version="0.6"><node id="1" lat="0" lon="&b;"/></osm>'
GRAPH = (
    '<graphml><key id="x" attr.name="x"/><key id="y" attr.name="y"/><key id="c" attr.name="crs"/><graph>'
    '<data key="c">epsg:4326</data>{}<edge source="1" target="2"/></graph></graphml>'
)


def lines() -> list[shapely.LineString]:
    """A grid of three by three streets."""
    across = [shapely.LineString([(X, Y + s), (X + 600, Y + s)]) for s in (0, 300, 600)]
    return across + [shapely.LineString([(X + s, Y), (X + s, Y + 600)]) for s in (0, 300, 600)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    gpd.GeoDataFrame(geometry=[shapely.box(X, Y, X + 600, Y + 600)], crs=CRS).to_file(tmp_path / "area.gpkg")
    blocks = [shapely.box(X + s, Y + 20, X + s + 200, Y + 200) for s in (20, 320)]
    people = {"name": ["A", "B"], "people": [90, 120]}
    gpd.GeoDataFrame(people, geometry=blocks, crs=CRS).to_file(tmp_path / "compounds.gpkg")
    kinds = {"facility_class": ["primary_school"], "name": ["S"]}
    gpd.GeoDataFrame(kinds, geometry=[shapely.Point(X + 290, Y + 10)], crs=CRS).to_file(tmp_path / "facilities.gpkg")
    return tmp_path


def planned(folder: Path, streets: str) -> tuple[int, str]:
    """Run the plan on some streets; return its exit code and what it says."""
    (folder / "study.toml").write_text(f"{TOML}{streets}\n", encoding="utf-8")
    arguments = ["plan", str(folder / "study.toml"), "--out", str(folder / "out"), "--only-findings"]
    result = CliRunner().invoke(app, arguments)
    assert "Traceback" not in result.output
    return result.exit_code, result.output


def _text(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return f'path = "{name}"'


def _broken_off(folder: Path) -> str:
    whole = folder / "whole.osm.pbf"
    with osmium.SimpleWriter(str(whole)) as writer:
        for k in range(20_000):
            writer.add_node(osmium.osm.mutable.Node(id=k + 1, location=(117 + k * 1e-6, 36.64)))
        writer.add_way(osmium.osm.mutable.Way(id=1, nodes=[1, 20_000], tags={"highway": "footway"}))
    data = whole.read_bytes()
    (folder / "part.osm.pbf").write_bytes(data[: len(data) * 2 // 3])
    return 'path = "part.osm.pbf"'


def _layer(folder: Path, shapes: list[shapely.LineString], crs: str) -> str:
    gpd.GeoDataFrame({"highway": ["footway"] * len(shapes)}, geometry=shapes, crs=crs).to_parquet(folder / "s.parquet")
    return 'path = "s.parquet"'


def _not_numbers(folder: Path) -> str:
    with np.errstate(invalid="ignore"):
        broken = shapely.LineString([(X, Y), (np.nan, np.nan), (X + 9, Y)])
        return _layer(folder, [broken] * (1 + len(lines()) // 4) + lines(), CRS)


def _degrees(folder: Path) -> str:
    flat = gpd.GeoSeries(lines(), crs=CRS).to_crs("EPSG:4326").tolist()
    return _layer(folder, flat, CRS)


def _node(name: str, x: object) -> str:
    return f'<node id="{name}"><data key="x">{x}</data><data key="y">36.64</data></node>'


REFUSED: dict[str, tuple[Callable[[Path], str], str]] = {
    "no walkable way": (lambda folder: _text(folder, "s.osm", MOTORWAY.format("motorway")), "streets"),
    "no way at all": (lambda folder: _text(folder, "s.osm", '<osm version="0.6"/>'), "s.osm"),
    "broken off": (_broken_off, "part.osm.pbf"),
    "corrupt": (lambda folder: _text(folder, "s.osm.pbf", "no PBF at all, but text" * 50), "s.osm.pbf"),
    "entities": (lambda folder: _text(folder, "s.osm", LAUGHS), "s.osm"),
    "graph without places": (
        lambda folder: _text(folder, "s.graphml", GRAPH.format('<node id="1"/><node id="2"/>')),
        "streets",
    ),
    "graph with words for places": (
        lambda folder: _text(folder, "s.graphml", GRAPH.format(_node("1", "nan") + _node("2", "east"))),
        "streets",
    ),
    "degrees said to be metres": (_degrees, "degrees"),
    "not numbers": (_not_numbers, "streets"),
}


@pytest.mark.parametrize("name", list(REFUSED))
def test_bad_streets_are_one_clear_error(folder: Path, name: str) -> None:
    make, said = REFUSED[name]
    code, output = planned(folder, make(folder))
    assert code == 2, output
    errors = [line for line in output.splitlines() if line.startswith("error")]
    assert 1 <= len(errors) <= 2, output
    assert said in output
    assert not (folder / "out").exists() or not list((folder / "out").iterdir())


def test_a_graph_without_lengths_and_lines_in_degrees_are_planned_like_others(folder: Path) -> None:
    west, east = (gpd.GeoSeries([shapely.Point(X + s, Y)], crs=CRS).to_crs(4326).iloc[0] for s in (0, 600))
    nodes = "".join(
        f'<node id="{k}"><data key="x">{place.x}</data><data key="y">{place.y}</data></node>'
        for k, place in enumerate((west, east), 1)
    )
    code, output = planned(folder, _text(folder, "s.graphml", GRAPH.format(nodes)))
    assert code == 0, output
    assert load(folder / "out").layers["streets"]["length_m"].sum() == pytest.approx(600, abs=0.1)
    flat = gpd.GeoSeries(lines(), crs=CRS).to_crs("EPSG:4326").tolist()
    code, output = planned(folder, _layer(folder, flat, "EPSG:4326"))
    assert code == 0, output
    assert load(folder / "out").layers["streets"]["length_m"].sum() == pytest.approx(3600, abs=0.5)


def test_a_facility_outside_the_network_is_said_to_be_far_and_reached_by_nobody(folder: Path) -> None:
    kinds = {"facility_class": ["primary_school"] * 2, "name": ["S", "T"]}
    places = [shapely.Point(X + 290, Y + 10), shapely.Point(X + 300, Y + 1_400)]
    (folder / "facilities.gpkg").unlink()
    gpd.GeoDataFrame(kinds, geometry=places, crs=CRS).to_file(folder / "facilities.gpkg")
    code, output = planned(folder, _layer(folder, lines(), CRS))
    assert code == 0, output
    findings = load(folder / "out")
    snapping = findings.tables["snapping"].query("layer == 'facilities'")
    assert sorted(snapping["status"]) == ["far_from_street", "on_street"]
    assert snapping.query("status == 'far_from_street'")["access_m"].isna().all()
    missing = findings.tables["missing"].query("facility_class == 'primary_school'")
    assert set(missing["nearest_name"].dropna()) == {"S"}


def test_no_facility_is_no_data_and_nobody_at_home_is_one_clear_error(folder: Path) -> None:
    (folder / "study.toml").unlink(missing_ok=True)
    streets = _layer(folder, lines(), CRS)
    bare = TOML.replace('[layers.facilities]\npath = "facilities.gpkg"\n', "")
    (folder / "study.toml").write_text(f"{bare}{streets}\n", encoding="utf-8")
    arguments = ["plan", str(folder / "study.toml"), "--out", str(folder / "out"), "--only-findings"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    coverage = load(folder / "out").tables["coverage"]
    assert set(coverage["status"]) == {"no_data"}
    assert (coverage["unknown"] == coverage["total"]).all()
    assert coverage["rate"].isna().all()
    frame = gpd.read_file(folder / "compounds.gpkg").assign(people=0)
    (folder / "compounds.gpkg").unlink()
    frame.to_file(folder / "compounds.gpkg")
    code, output = planned(folder, streets)
    assert code == 2, output
    assert "the people add up to 0" in output
