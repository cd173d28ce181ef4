from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lifecircle.gis.crs import to_crs
from lifecircle.gis.errors import InputError, MissingFileError
from lifecircle.layers.config import read_settings
from lifecircle.layers.load import MARGIN_M, examine, load_study
from lifecircle.layers.words import LANGUAGES, explain, say

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CRS = "EPSG:4548"
X, Y = 500_000.0, 4_057_000.0
BASE = """
[study]
name = "测试"
[area]
path = "area.gpkg"
[layers.streets]
path = "streets.gpkg"
"""


def _at(frame: gpd.GeoDataFrame, x: float, y: float) -> gpd.GeoDataFrame:
    return frame.set_geometry(frame.translate(x, y))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A square kilometre with streets, compounds and facilities, in CGCS2000."""
    gpd.GeoDataFrame({"name": ["范围"]}, geometry=[shapely.box(X, Y, X + 1000, Y + 1000)], crs=CRS).to_file(
        tmp_path / "area.gpkg"
    )
    lines = [shapely.LineString([(X, Y + s), (X + 1000, Y + s)]) for s in range(0, 1001, 250)]
    lines += [shapely.LineString([(X + s, Y), (X + s, Y + 1000)]) for s in range(0, 1001, 250)]
    streets = gpd.GeoDataFrame({"highway": ["residential"] * len(lines)}, geometry=lines, crs=CRS)
    streets.to_file(tmp_path / "streets.gpkg")
    blocks = [
        shapely.box(X + x + 20, Y + y + 20, X + x + 230, Y + y + 230) for x, y in itertools.product((0, 250), (0, 250))
    ]
    gpd.GeoDataFrame(
        {"编号": ["a", "b", "c", "d"], "户数": [100, 200, 0, 50], "权属": ["国有"] * 4}, geometry=blocks, crs=CRS
    ).to_file(tmp_path / "小区.shp", encoding="GBK")
    return tmp_path


def _write(folder: Path, text: str) -> Path:
    path = folder / "study.toml"
    path.write_text(text, encoding="utf-8")
    return path


def _codes(path: Path) -> list[str]:
    with pytest.raises(InputError) as caught:
        load_study(path)
    for fault in caught.value.faults:
        for language in LANGUAGES:
            assert explain(fault, language)
    return [fault.code.removeprefix("faults.") for fault in caught.value.faults]


def _points_csv(folder: Path, datum: str | None, points: np.ndarray, name: str = "f.csv") -> None:
    """Write facilities as a table in some datum."""
    shapes = shapely.points(points)
    moved = shapely.get_coordinates(to_crs(shapes, CRS, datum or "wgs84"))
    rows = [f"F{number},小学,{x:.9f},{y:.9f}" for number, (x, y) in enumerate(moved)]
    (folder / name).write_text("\n".join(["编号,类别,经度,纬度", *rows]), encoding="utf-8")


def test_layers_come_checked_in_one_metric_crs(folder: Path) -> None:
    study = load_study(_write(folder, BASE + '[layers.compounds]\npath = "小区.shp"\n'))
    assert study.crs.to_epsg() == 4548
    assert all(frame.crs == study.crs for frame in (study.area, *study.layers.values()))
    assert all(list(frame.index) == list(range(len(frame))) for frame in study.layers.values())
    compounds = study.layers["compounds"]
    assert compounds["compound_id"].tolist() == ["a", "b", "c", "d"]
    assert compounds["households"].tolist() == [100, 200, 0, 50]
    assert set(compounds["tenure"]) == {"state"}
    assert "facilities" not in study.layers
    assert study.area["name"].tolist() == ["测试"]
    source = next(source for source in study.sources if source.layer == "compounds")
    assert (source.rows_in, source.rows_kept, source.datum) == (4, 4, CRS)
    assert len(source.sha256) == 64
    for note in study.notes:
        assert say(note.code, "zh", **note.detail)


def test_a_study_may_be_named_by_its_folder_and_progress_is_told(folder: Path) -> None:
    _write(folder, BASE)
    heard: list[str] = []
    assert load_study(folder, progress=heard.append).folder == folder.resolve()
    assert heard == ["area", "streets"]


@pytest.mark.parametrize("datum", ["wgs84", "gcj02", "bd09", "cgcs2000", "EPSG:4548"])
def test_every_datum_brings_points_to_the_same_place(folder: Path, datum: str) -> None:
    points = np.array([[X + 100, Y + 100], [X + 900, Y + 400]])
    _points_csv(folder, datum, points)
    study = load_study(_write(folder, BASE + f'[layers.facilities]\npath = "f.csv"\ndatum = "{datum}"\n'))
    found = study.layers["facilities"].geometry.get_coordinates().to_numpy()
    assert np.abs(found - points).max() < 0.002
    assert study.sources[-1].datum == datum


def test_a_table_without_datum_is_never_guessed(folder: Path) -> None:
    _points_csv(folder, None, np.array([[X + 100, Y + 100]]))
    assert _codes(_write(folder, BASE + '[layers.facilities]\npath = "f.csv"\n')) == ["datum_missing"]


def test_faults_of_all_layers_come_together(folder: Path) -> None:
    _points_csv(folder, None, np.array([[X + 100, Y + 100]]))
    text = BASE + (
        '[layers.facilities]\npath = "f.csv"\n'
        '[layers.compounds]\npath = "小区.shp"\nvalues = { tenure = { "国有" = "nobody" } }\n'
        '[layers.districts]\npath = "none.gpkg"\n'
        '[layers.buildings]\npath = "小区.shp"\ncolumns = { storeys = "没有" }\n'
    )
    codes = _codes(_write(folder, text))
    assert sorted(codes) == ["column_missing", "datum_missing", "file_missing", "name_unknown", "unknown_choice"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda frame: _at(frame, 60_000, 0), "far_away"),
        (lambda frame: _at(frame, 1_700, 0), "none_in_area"),
        (
            lambda frame: frame.set_geometry(shapely.transform(frame.geometry.to_numpy(), lambda p: p[:, ::-1])),
            "datum.looks_swapped",
        ),
        (lambda frame: frame.iloc[:0], "layer_empty"),
        (lambda frame: frame.assign(户数=-1), "negative"),
        (lambda frame: frame.assign(户数="x"), "not_number"),
        (lambda frame: frame.assign(编号="same"), "id_twice"),
    ],
)
def test_a_bad_layer_is_named(folder: Path, change: Callable[[gpd.GeoDataFrame], gpd.GeoDataFrame], code: str) -> None:
    frame = gpd.read_file(folder / "小区.shp", encoding="GBK")
    change(frame).to_file(folder / "bad.gpkg")
    codes = _codes(_write(folder, BASE + '[layers.compounds]\npath = "bad.gpkg"\n'))
    assert set(codes) <= {code, "and_more"}
    assert code in codes


def test_degrees_where_metres_are_declared_and_metres_where_degrees_are(folder: Path) -> None:
    _points_csv(folder, "wgs84", np.array([[X + 100, Y + 100]]))
    section = '[layers.facilities]\npath = "f.csv"\ndatum = "{}"\n'
    assert _codes(_write(folder, BASE + section.format("EPSG:4548"))) == ["degrees_declared_metric"]
    _points_csv(folder, "EPSG:4548", np.array([[X + 100, Y + 100]]))
    assert _codes(_write(folder, BASE + section.format("wgs84"))) == ["metres_declared_degrees"]
    assert _codes(_write(folder, BASE + section.format("wgs48"))) == ["gis.crs_unknown"]


def test_coordinates_the_wrong_way_round_are_said_to_look_so(folder: Path) -> None:
    _points_csv(folder, "wgs84", np.array([[X + 100, Y + 100]]))
    text = (folder / "f.csv").read_text(encoding="utf-8").replace("经度,纬度", "纬度,经度")
    (folder / "f.csv").write_text(text, encoding="utf-8")
    study = _write(folder, BASE + '[layers.facilities]\npath = "f.csv"\ndatum = "wgs84"\n')
    faults = [fault for fault in examine(study).faults if fault.blocks]
    assert [fault.code for fault in faults] == ["faults.axes_swapped"]
    assert "像是写反了" in explain(faults[0], "zh")


def test_an_area_apart_from_all_layers_is_one_fault(folder: Path) -> None:
    area = gpd.read_file(folder / "area.gpkg")
    _at(area, 300_000, 0).to_file(folder / "area.gpkg")
    study = _write(folder, BASE + '[layers.compounds]\npath = "小区.shp"\n')
    faults = [fault for fault in examine(study).faults if fault.blocks]
    assert [(fault.code, fault.file, fault.detail["count"]) for fault in faults] == [
        ("faults.area_elsewhere", "area.gpkg", 2)
    ]


def test_a_working_crs_must_be_in_metres(folder: Path) -> None:
    for crs, code in (
        ("EPSG:4326", "gis.crs_geographic"),
        ("EPSG:3857", "gis.crs_not_metres"),
        ("x", "gis.crs_unknown"),
    ):
        assert _codes(_write(folder, BASE.replace('"测试"', f'"测试"\ncrs = "{crs}"'))) == [code]
    study = load_study(_write(folder, BASE.replace('"测试"', '"测试"\ncrs = "EPSG:32650"')))
    assert study.crs.to_epsg() == 32650


def test_what_lies_outside_is_left_out_and_said(folder: Path) -> None:
    inside, near, far = [X + 100, Y + 100], [X + 1000 + 0.9 * MARGIN_M, Y + 500], [X + 1000 + 1.2 * MARGIN_M, Y + 500]
    _points_csv(folder, "wgs84", np.array([inside, near, far]))
    study = load_study(_write(folder, BASE + '[layers.facilities]\npath = "f.csv"\ndatum = "wgs84"\n'))
    assert len(study.layers["facilities"]) == 2
    note = next(note for note in study.notes if note.code == "study.outside_left_out")
    assert note.detail["count"] == 1
    neighbour = gpd.read_file(folder / "小区.shp", encoding="GBK")
    neighbour.loc[0, "geometry"] = shapely.box(X + 1000, Y, X + 1200, Y + 200)  # shares the boundary only
    neighbour.to_file(folder / "n.gpkg")
    study = load_study(_write(folder, BASE + '[layers.compounds]\npath = "n.gpkg"\n'))
    assert study.layers["compounds"]["compound_id"].tolist() == ["b", "c", "d"]


def test_keep_filters_and_several_files_of_one_layer(folder: Path) -> None:
    text = BASE + (
        '[[layers.compounds]]\npath = "小区.shp"\nkeep = { "编号" = ["a", "b"] }\n'
        '[[layers.compounds]]\npath = "小区.shp"\nkeep = { "编号" = "c" }\n'
    )
    study = load_study(_write(folder, text))
    assert study.layers["compounds"]["compound_id"].tolist() == ["a", "b", "c"]
    assert [source.rows_kept for source in study.sources if source.layer == "compounds"] == [2, 1]
    twice = text.replace('"c"', '"a"')
    study = load_study(_write(folder, twice))
    assert study.layers["compounds"]["compound_id"].is_unique
    assert any(note.code == "study.ids_prefixed" for note in study.notes)


def test_without_area_the_hull_of_the_streets_stands_for_it(folder: Path) -> None:
    text = BASE.replace('[area]\npath = "area.gpkg"\n', "")
    study = load_study(_write(folder, text))
    assert study.area.area.iloc[0] == pytest.approx(1e6, rel=1e-4)
    assert [note.code for note in study.notes] == ["study.area_from_streets"]


def test_rasters_are_named_not_read(folder: Path) -> None:
    profile = {"driver": "GTiff", "width": 4, "height": 3, "count": 1, "dtype": "float32"}
    for name, crs in (("dem.tif", CRS), ("bare.tif", None)):
        with rasterio.open(
            folder / name, "w", crs=crs, transform=rasterio.Affine(100, 0, X, 0, -100, Y + 300), **profile
        ) as raster:
            raster.write(np.ones((1, 3, 4), dtype="float32"))
    study = load_study(_write(folder, BASE + '[layers.dem]\npath = "dem.tif"\n'))
    assert dict(study.rasters) == {"dem": folder / "dem.tif"}
    assert study.sources[-1].rows_in == 12
    assert [source.layer for source in study.sources] == ["area", "streets", "dem"]
    (folder / "text.tif").write_text("no raster")
    for name, code in (("bare.tif", "raster_crs"), ("none.tif", "file_missing"), ("text.tif", "unreadable")):
        assert _codes(_write(folder, BASE + f'[layers.population]\npath = "{name}"\n')) == [code]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("", ["key_missing", "key_missing"]),
        ("[study", ["toml"]),
        (BASE + "[siting]\nsecnds = 3\n", ["key_unknown_near"]),
        (BASE + "[zzz]\na = 1\n", ["key_unknown"]),
        (BASE + '[layers.compunds]\npath = "x"\n', ["key_unknown_near"]),
        (BASE + "[people]\nm2_per_person = -3\n", ["key_greater_than"]),
        (BASE + "[people]\nm2_per_person = 'x'\nelders_share = 2\n", ["key_kind_number", "key_less_than_equal"]),
        (BASE.replace('"测试"', '"测试"\nlanguage = "fr"'), ["key_choice"]),
        (BASE.replace('"测试"', "3"), ["key_kind_text"]),
        (BASE.replace('"测试"', '""'), ["key_empty"]),
        (BASE.replace('"测试"', '"测试"\ndate = "spring"'), ["key_kind_date"]),
        (BASE + "[layers.land]\n", ["key_missing"]),
        (BASE + '[[layers.land]]\npath = "a"\npth = "b"\n', ["key_unknown_near"]),
        (BASE + '[[siting.wish]]\nfacility_class = "x"\nsites = 0\n', ["key_greater_than_equal"]),
        (BASE + '[[siting.wish]]\nfacility_class = "x"\nsites = 1.5\n', ["key_kind_whole"]),
    ],
)
def test_faults_of_study_toml_name_key_value_and_mend(folder: Path, text: str, codes: list[str]) -> None:
    assert _codes(_write(folder, text)) == codes


def test_unknown_keys_are_suggested_in_both_languages(folder: Path) -> None:
    path = _write(folder, BASE + "[siting]\nsecnds = 3\n")
    with pytest.raises(InputError) as caught:
        read_settings(path)
    for language in LANGUAGES:
        line = explain(caught.value.faults[0], language)
        assert "siting.secnds" in line
        assert "seconds" in line


def test_a_bad_area_does_not_hide_the_faults_of_other_layers(folder: Path) -> None:
    frame = gpd.read_file(folder / "小区.shp", encoding="GBK")
    frame.assign(户数=-1).iloc[:1].to_file(folder / "bad.gpkg")
    text = BASE.replace("area.gpkg", "none.gpkg") + '[layers.compounds]\npath = "bad.gpkg"\n'
    assert sorted(_codes(_write(folder, text))) == ["file_missing", "negative"]


def test_the_kept_part_of_the_area_decides_the_working_crs(folder: Path) -> None:
    boxes = [shapely.box(117.0, 36.64, 117.02, 36.66), shapely.box(85.0, 40.0, 85.1, 40.1)]
    gpd.GeoDataFrame({"市": ["济南", "别处"]}, geometry=boxes, crs=4326).to_file(folder / "two.gpkg")
    text = BASE.replace('"area.gpkg"', '"two.gpkg"\nkeep = { "市" = "济南" }')
    study = load_study(_write(folder, text))
    assert study.crs.to_epsg() == 4548
    assert (study.sources[0].rows_in, study.sources[0].rows_kept) == (2, 1)
    assert "column_missing" in _codes(_write(folder, text.replace('"市"', '"省"')))


def test_keys_without_effect_are_pointed_out(folder: Path) -> None:
    with rasterio.open(
        folder / "dem.tif",
        "w",
        driver="GTiff",
        width=2,
        height=2,
        count=1,
        dtype="uint8",
        crs=CRS,
        transform=rasterio.Affine(500, 0, X, 0, -500, Y + 1000),
    ) as raster:
        raster.write(np.ones((1, 2, 2), dtype="uint8"))
    study = load_study(_write(folder, BASE + '[layers.dem]\npath = "dem.tif"\ndatum = "gcj02"\n'))
    assert [fault.code for fault in study.warnings] == ["faults.without_effect"]


def test_study_toml_missing_or_in_another_encoding(folder: Path) -> None:
    with pytest.raises(MissingFileError):
        load_study(folder / "none.toml")
    (folder / "study.toml").write_bytes(BASE.encode("gbk"))
    assert _codes(folder / "study.toml") == ["toml_encoding"]
    (folder / "study.toml").write_bytes(b"\xef\xbb\xbf" + BASE.encode())
    assert load_study(folder).settings.study.name == "测试"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.recursive(
        st.one_of(st.booleans(), st.integers(), st.text(max_size=4), st.floats(allow_nan=False)),
        lambda inner: st.one_of(
            st.lists(inner, max_size=2), st.dictionaries(st.sampled_from(["path", "tags", "x"]), inner, max_size=2)
        ),
        max_leaves=4,
    ),
    st.sampled_from(
        ["study", "area", "layers.streets", "layers.odd", "rings.ring", "siting.wish", "walkers.me", "people"]
    ),
)
def test_no_settings_end_in_a_traceback(tmp_path: Path, value: object, key: str) -> None:
    path = tmp_path / "study.toml"
    path.write_text(f'study.name = "x"\nlayers = {{}}\n{key} = {_toml(value)}\n', encoding="utf-8")
    faults: tuple[object, ...] = ()
    try:
        read_settings(path)
    except InputError as error:
        faults = error.faults
        assert faults
    assert all(explain(fault, "zh") for fault in faults)  # type: ignore[arg-type]


def _toml(value: object) -> str:
    """Write a value as TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(sign):08x}" for sign in value if not 0xD800 <= ord(sign) < 0xE000) + '"'
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {_toml(part)}" for name, part in value.items()) + "}"
    return repr(value) if abs(float(str(value))) < 2**63 else "0"


@pytest.mark.places
def test_beijing_districts_of_one_county(places: Path, tmp_path: Path) -> None:
    shp = (places / "boundaries" / "beijing_subdistricts" / "beijing.shp").as_posix()
    osm = (places / "osm" / "beijing_cau.osm").as_posix()
    text = f"""
[study]
name = "海淀"
[area]
path = "{shp}"
keep = {{ "县" = "海淀区" }}
[layers.streets]
path = "{osm}"
[layers.districts]
path = "{shp}"
columns = {{ name = "乡" }}
"""
    study = load_study(_write(tmp_path, text))
    assert study.crs.to_epsg() == 4548
    assert study.osm == (places / "osm" / "beijing_cau.osm",)
    assert "streets" not in study.layers
    assert [note.code for note in study.notes].count("study.area_clipped") == 1
    box = to_crs(shapely.box(116.34403, 39.99767, 116.35974, 40.00888), "EPSG:4326", study.crs)
    assert study.area.area.iloc[0] <= box.area * 1.0001
    assert all("区" not in name or len(name) > 2 for name in study.layers["districts"]["name"])


@pytest.mark.places
def test_renewal_parcels_with_real_dirt_are_read(places: Path, tmp_path: Path) -> None:
    dirt = (places / "parcels" / "urban_villages_bj_sh_gz.geojson").as_posix()
    gpd.GeoDataFrame(geometry=[shapely.LineString([(116.2, 39.7), (116.6, 40.1)])], crs=4326).to_file(
        tmp_path / "s.gpkg"
    )
    text = f"""
[study]
name = "城中村"
[area]
path = "{dirt}"
keep = {{ city = "Beijing" }}
[layers.streets]
path = "s.gpkg"
[layers.projects]
path = "{dirt}"
keep = {{ city = "Beijing" }}
columns = {{ name = "name", project_id = "id" }}
"""
    examined = examine(_write(tmp_path, text))
    if examined.study is None:
        assert {fault.code for fault in examined.faults if fault.blocks} <= {
            "faults.geometry_invalid",
            "faults.and_more",
        }
    else:
        assert not examined.study.layers["projects"].has_z.any()
