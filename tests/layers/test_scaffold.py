from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from lifecircle.gis.errors import InputError, MissingFileError, OutputError
from lifecircle.layers.load import load_study
from lifecircle.layers.scaffold import init, quoted
from lifecircle.layers.settings import StudySettings
from lifecircle.layers.survey import survey
from lifecircle.layers.words import LANGUAGES

if TYPE_CHECKING:
    from pathlib import Path

    from lifecircle.layers.words import Language

OSM_HEAD = "<?xml version='1.0' encoding='UTF-8'?>\n<osm version='0.6'>\n"


def _osm(path: Path, lon: float, lat: float, *, residential: bool = False, buildings: int = 4) -> Path:
    """Write an extract of a small grid of streets with some buildings."""
    nodes, ways = [], []

    def node(x: float, y: float) -> int:
        nodes.append(
            f'<node id="{len(nodes) + 1}" lon="{lon + x * 0.001:.7f}" lat="{lat + y * 0.001:.7f}" version="1"/>'
        )
        return len(nodes)

    def way(members: list[int], **tags: str) -> None:
        inner = "".join(f'<nd ref="{member}"/>' for member in members)
        inner += "".join(f'<tag k="{key}" v="{value}"/>' for key, value in tags.items())
        ways.append(f'<way id="{len(ways) + 1}" version="1">{inner}</way>')

    grid = np.array([[node(x, y) for x in range(11)] for y in range(11)])
    for line in (*grid, *grid.T):
        way(line.tolist(), highway="residential")
    for number in range(buildings):
        corners = [node(number + 0.2, 0.2), node(number + 0.6, 0.2), node(number + 0.6, 0.6)]
        way([*corners, corners[0]], building="apartments")
    if residential:
        corners = [node(0.1, 0.1), node(3.9, 0.1), node(3.9, 0.9), node(0.1, 0.9)]
        way([*corners, corners[0]], landuse="residential", name="一村")
    path.write_text(OSM_HEAD + "\n".join((*nodes, *ways)) + "\n</osm>\n", encoding="utf-8")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A planner's folder: streets, compounds in a GBK shapefile, facilities from Amap, people, a raster, a note."""
    data = tmp_path / "济南 数据"
    data.mkdir()
    lines = [shapely.LineString([(5e5, 4_057_000 + s), (501_000, 4_057_000 + s)]) for s in range(0, 1001, 200)]
    frame = gpd.GeoDataFrame({"道路等级": ["支路"] * 6}, geometry=lines, crs="EPSG:4548")
    frame.to_file(data / "道路.gpkg")
    boxes = [shapely.box(500_100, 4_057_100, 500_300, 4_057_300)]
    compounds = gpd.GeoDataFrame({"小区名称": ["甲"], "总户数": [80]}, geometry=boxes, crs="EPSG:4548")
    compounds.to_file(data / "老旧小区.shp", encoding="GBK")
    boundary = gpd.GeoDataFrame(geometry=[shapely.box(5e5, 4_057_000, 501_000, 4_058_000)], crs="EPSG:4548")
    boundary.to_crs(4326).to_file(data / "研究范围.geojson")
    (data / "养老设施.csv").write_text("名称,类别,经度,纬度\n甲,养老院,117.005,36.652\n", encoding="gbk")
    (data / "说明.csv").write_text("项,值\n一,二\n", encoding="utf-8")
    (data / "notes.docx").write_bytes(b"not data")
    return data


def test_a_folder_is_recognised_by_names_columns_and_shapes(folder: Path) -> None:
    found = {part.path.name: part for part in survey([folder])}
    layers = {name: part.layer for name, part in found.items()}
    assert layers == {
        "道路.gpkg": "streets",
        "老旧小区.shp": "compounds",
        "研究范围.geojson": "area",
        "养老设施.csv": "facilities",
        "说明.csv": None,
    }
    assert found["老旧小区.shp"].columns == {"name": "小区名称", "households": "总户数"}
    assert found["说明.csv"].reason == "init.unused_no_place"


def test_a_datum_in_china_is_asked_never_guessed(folder: Path) -> None:
    made = init([folder])
    assert made.path == folder / "study.toml"
    assert len(made.questions) == 1
    assert "养老设施.csv" in made.questions[0]
    with pytest.raises(InputError) as caught:
        load_study(made.path)
    assert [fault.code for fault in caught.value.faults] == ["faults.datum_missing"]
    told = init([folder], datum="gcj02", force=True)
    assert told.questions == ()
    study = load_study(told.path)
    assert set(study.layers) == {"streets", "compounds", "facilities"}
    assert study.settings.study.name == "济南 数据"


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_written_is_commented_and_valid(folder: Path, language: Language) -> None:
    text = init([folder], language=language, name='a "quoted" \\ name').text
    settings = StudySettings.model_validate(tomllib.loads(text))
    assert settings.study.language == language
    assert settings.study.name == 'a "quoted" \\ name'
    assert text.count("#") > 20
    assert "说明.csv" in text
    uncommented = "\n".join(
        line.removeprefix("# ") if line == '# datum = "gcj02"' else line for line in text.split("\n")
    )
    assert StudySettings.model_validate(tomllib.loads(uncommented))


def test_a_study_that_is_there_is_kept_unless_forced(folder: Path) -> None:
    (folder / "study.toml").write_text("mine")
    with pytest.raises(OutputError):
        init([folder])
    assert (folder / "study.toml").read_text() == "mine"
    init([folder], force=True)
    assert (folder / "study.toml").read_text() != "mine"


def test_without_streets_nothing_is_written(folder: Path) -> None:
    (folder / "道路.gpkg").unlink()
    with pytest.raises(InputError) as caught:
        init([folder])
    assert [fault.code for fault in caught.value.faults] == ["init.no_streets"]
    assert not (folder / "study.toml").exists()
    with pytest.raises(MissingFileError):
        init([folder / "none"])


def test_an_extract_alone_makes_a_study(tmp_path: Path) -> None:
    extract = _osm(tmp_path / "小镇.osm", 117.0, 36.65)
    made = init([extract], out=tmp_path / "study")
    study = load_study(made.path)
    assert study.osm == (extract,)
    assert len(study.layers["buildings"]) == 4
    assert {"compounds", "facilities"}.isdisjoint(study.layers)
    assert {source.licence for source in study.sources} == {"ODbL 1.0"}
    assert study.settings.study.name == "小镇"


def test_residential_land_stands_for_compounds_only_where_buildings_lie_in_it(tmp_path: Path) -> None:
    extract = _osm(tmp_path / "a.osm", 117.0, 36.65, residential=True)
    study = load_study(init([extract], out=tmp_path).path)
    assert study.layers["compounds"]["name"].tolist() == ["一村"]
    spread = _osm(tmp_path / "b.osm", 117.0, 36.65, residential=True, buildings=9)
    assert "compounds" not in load_study(init([spread], out=tmp_path, force=True).path).layers


def test_a_boundary_and_a_table_of_people_abroad_need_no_answer(tmp_path: Path) -> None:
    extract = _osm(tmp_path / "town.osm", -51.2, -30.0)
    outline = shapely.box(-51.3, -30.1, -51.195, -29.0)
    gpd.GeoDataFrame({"NOM": ["x"]}, geometry=[outline], crs=4326).to_file(tmp_path / "municipality.geojson")
    rows = [f"{n},{-51.199 + n * 0.001:.4f},-29.995,{n * 10}" for n in range(4)]
    (tmp_path / "cells.csv").write_text("\n".join(["id,lon,lat,population", *rows]))
    made = init(
        [extract, tmp_path / "municipality.geojson", tmp_path / "cells.csv"], out=tmp_path / "out", language="en"
    )
    assert made.questions == ()
    assert 'datum = "wgs84"' in made.text
    study = load_study(made.path)
    assert study.layers["population"]["people"].sum() == 60
    assert [note.code for note in study.notes].count("study.area_clipped") == 1
    assert study.area.area.iloc[0] < 1.5e6
    assert study.crs.to_epsg() == 32722


@given(st.text(max_size=30))
def test_any_text_survives_quoting(text: str) -> None:
    plain = text.encode("utf-8", errors="ignore").decode()
    assert tomllib.loads(f"a = {quoted(plain)}")["a"] == plain


@pytest.mark.places
@pytest.mark.parametrize(
    ("files", "layers"),
    [
        (
            (
                "osm/las_palmas_20230221.osm.pbf",
                "osm/Las_Palmas_de_Gran_Canaria_-_Centro_Nacional_de_Informacion_Geografica_-_WGS84_-_EPSG4326.geojson",
            ),
            {"facilities", "buildings", "barriers", "land"},
        ),
        (("osm/nanjing_gulou_2021.osm",), {"facilities", "buildings", "barriers"}),
        (
            ("osm/porto_alegre.osm.pbf", "population/porto_alegre_hexgrid.csv"),
            {"facilities", "buildings", "population"},
        ),
    ],
)
def test_real_places_load_without_editing_a_line(
    places: Path, tmp_path: Path, files: tuple[str, ...], layers: set[str]
) -> None:
    made = init([places / file for file in files], out=tmp_path)
    assert made.questions == ()
    study = load_study(made.path)
    assert layers <= set(study.layers)
    if "population" in layers:
        assert study.layers["population"]["people"].sum() > 0.98 * 812_935
    assert any("OpenStreetMap" in (source.maker or "") for source in study.sources)
