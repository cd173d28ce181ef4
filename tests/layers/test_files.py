from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lifecircle.gis.errors import InputError, MissingFileError
from lifecircle.layers.encodings import codec_of, decode_text
from lifecircle.layers.files import read_source, sha256_of
from lifecircle.layers.reading import How
from lifecircle.layers.tables import find_coordinates

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def schools() -> gpd.GeoDataFrame:
    points = [shapely.Point(117.0, 36.6), shapely.Point(117.01, 36.61)]
    return gpd.GeoDataFrame(
        {"name": ["实验小学", "南门幼儿园"], "places": [900, 270]}, geometry=points, crs="EPSG:4490"
    )


def _named(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """KML's own column for names starts with a capital, and it is always WGS 84."""
    return frame.to_crs(4326).rename(columns={"name": "Name"})


WRITERS: dict[str, Callable[[gpd.GeoDataFrame, Path], None]] = {
    "gpkg": lambda frame, path: frame.to_file(path, driver="GPKG"),
    "geojson": lambda frame, path: frame.to_crs(4326).to_file(path, driver="GeoJSON"),
    "fgb": lambda frame, path: frame.to_file(path, driver="FlatGeobuf"),
    "parquet": lambda frame, path: frame.to_parquet(path),
    "shp": lambda frame, path: frame.to_file(path, encoding="UTF-8"),
    "kml": lambda frame, path: _named(frame).to_file(path, driver="KML", layer="schools"),
}


@pytest.mark.parametrize("ending", list(WRITERS))
def test_every_format_gives_the_same_places_and_names(schools: gpd.GeoDataFrame, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"学校 数据.{ending}"
    WRITERS[ending](schools, path)
    reading = read_source(path)
    frame = reading.frame.rename(columns={"Name": "name"})
    assert frame.crs is not None
    assert set(frame["name"]) == {"实验小学", "南门幼儿园"}
    order = frame.sort_values("name", ascending=False)
    away = shapely.distance(order.geometry.to_numpy(), schools.sort_values("name", ascending=False).geometry.to_numpy())
    assert float(away.max()) < 1e-9
    assert len(sha256_of(path)) == 64


@pytest.mark.parametrize(
    ("written", "cpg", "expected"),
    [
        ("GBK", None, "gb18030"),
        ("UTF-8", None, "utf-8"),
        ("GBK", "936", "gb18030"),
        ("UTF-8", "UTF-8", "utf-8"),
        ("GBK", "UTF-8", "gb18030"),  # the .cpg is wrong: no byte of the table would decode by it
    ],
)
def test_shapefile_encodings(
    schools: gpd.GeoDataFrame, tmp_path: Path, written: str, cpg: str | None, expected: str
) -> None:
    path = tmp_path / "a.shp"
    schools.rename(columns={"name": "名称"}).to_file(path, encoding=written)
    (tmp_path / "a.cpg").unlink(missing_ok=True)
    if cpg is not None:
        (tmp_path / "a.cpg").write_text(cpg)
    reading = read_source(path)
    assert reading.encoding == expected
    assert reading.frame["名称"].tolist() == ["实验小学", "南门幼儿园"]
    assert reading.notes[0].code == "study.encoding"


def test_names_and_values_cut_in_the_middle_of_a_character_are_read(schools: gpd.GeoDataFrame, tmp_path: Path) -> None:
    path = tmp_path / "a.shp"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # GDAL warns that it cuts
        long = schools.assign(name=["长" * 100, "短"]).rename(columns={"name": "小区的名称", "places": "户数"})
        long.to_file(path, encoding="UTF-8")
    (tmp_path / "a.cpg").unlink()
    frame = read_source(path).frame
    assert frame.columns[0] == "小区的"
    assert set(frame.columns[0]) <= set("小区的名称")
    assert frame.iloc[1, 0] == "短"
    assert set(frame.iloc[0, 0]) == {"长"}


def test_a_stated_encoding_counts_and_an_unknown_one_is_a_fault(schools: gpd.GeoDataFrame, tmp_path: Path) -> None:
    path = tmp_path / "a.shp"
    schools.to_file(path, encoding="GBK")
    (tmp_path / "a.cpg").unlink()
    assert read_source(path, How(encoding="gbk")).frame["name"].tolist() == ["实验小学", "南门幼儿园"]
    with pytest.raises(InputError) as caught:
        read_source(path, How(encoding="no such"))
    assert caught.value.faults[0].code == "faults.encoding_unknown"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_with_two_columns(tmp_path: Path, encoding: str, separator: str) -> None:
    path = tmp_path / "a.csv"
    rows = ["名称|经度|纬度", "甲|117.5|36.5", "乙||", "丙|117.6|36.6"]
    path.write_bytes("\r\n".join(rows).replace("|", separator).encode(encoding))
    frame = read_source(path).frame
    assert frame.crs is None
    assert frame["名称"].tolist() == ["甲", "乙", "丙"]
    assert frame.geometry.isna().tolist() == [False, True, False]
    assert frame.geometry[0].coords[0] == (117.5, 36.5)


def test_csv_with_one_column_of_both_and_with_wkt(tmp_path: Path) -> None:
    path = tmp_path / "amap.csv"
    path.write_text('name,location\n甲,"117.5,36.5"\n乙,"117.6，36.6"\n', encoding="utf-8")
    assert read_source(path).frame.geometry.x.tolist() == [117.5, 117.6]
    path = tmp_path / "wkt.csv"
    path.write_text('name,wkt\n甲,"POLYGON ((0 0, 1 0, 1 1, 0 0))"\n', encoding="utf-8")
    assert read_source(path).frame.geom_type.tolist() == ["Polygon"]


def test_coordinate_columns_may_be_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("n,e,nn\na,500100,4057000\n", encoding="utf-8")
    frame = read_source(path, How(columns={"lon": "e", "lat": "nn"})).frame
    assert frame.geometry[0].coords[0] == (500100.0, 4057000.0)
    with pytest.raises(InputError) as caught:
        read_source(path)
    assert caught.value.faults[0].code == "faults.no_coordinates"


def test_own_names_win_over_usual_ones() -> None:
    assert find_coordinates(["x", "y", "lon_g", "lat_g"], {"lon": "lon_g", "lat": "lat_g"}) == ("lon_g", "lat_g")
    assert find_coordinates(["X", "Y"], {}) == ("X", "Y")
    assert find_coordinates(["a", "b"], {}) is None
    assert find_coordinates(["a"], {"lonlat": "b"}) is None


def test_coordinates_that_are_no_numbers_are_faults_with_their_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("name,lon,lat\na,117,36\nb,东经,36\nc,117,inf\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_source(path)
    assert [(fault.row, fault.column) for fault in caught.value.faults] == [(2, "lon"), (3, "lat")]


def test_excel_finds_its_header_below_a_title(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "设施"
    for row in (
        ["2026年设施一览表"],
        [None],
        ["名称", "经度", "纬度", "床位"],
        ["甲", 117.5, 36.5, 20],
        ["乙", 117.6, 36.6, None],
    ):
        sheet.append(row)
    book.create_sheet("说明").append(["没有表"])
    path = tmp_path / "a.xlsx"
    book.save(path)
    frame = read_source(path).frame
    assert frame["名称"].tolist() == ["甲", "乙"]
    assert frame.geometry.y.tolist() == [36.5, 36.6]
    assert frame["床位"].isna().tolist() == [False, True]
    with pytest.raises(InputError) as caught:
        read_source(path, How(layer="无"))
    assert caught.value.faults[0].code == "faults.sublayer_missing"


def test_one_of_several_layers_must_be_named_unless_one_is_named_as_the_product_does(
    schools: gpd.GeoDataFrame, tmp_path: Path
) -> None:
    path = tmp_path / "all.gpkg"
    schools.to_file(path, layer="facilities")
    schools.iloc[:1].to_file(path, layer="other")
    assert len(read_source(path, How(layer="other")).frame) == 1
    assert len(read_source(path, How(prefer="facilities")).frame) == 2
    for how, code in ((How(), "faults.sublayer_which"), (How(layer="x"), "faults.sublayer_missing")):
        with pytest.raises(InputError) as caught:
            read_source(path, how)
        assert caught.value.faults[0].code == code


def test_plain_parquet_with_coordinates(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pd.DataFrame({"lon": [1.0], "lat": [2.0], "n": [3]}).to_parquet(path)
    assert read_source(path).frame.geometry[0].coords[0] == (1.0, 2.0)


def test_a_missing_file_and_an_unknown_kind(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError):
        read_source(tmp_path / "none.gpkg")
    for name, code in (("a.odd", "faults.format"), ("a.dwg", "files.instead_dwg"), ("a.XLS", "files.instead_xls")):
        (tmp_path / name).touch()
        with pytest.raises(InputError) as caught:
            read_source(tmp_path / name)
        assert caught.value.faults[0].code == code


@pytest.mark.parametrize("ending", ["gpkg", "shp", "geojson", "parquet", "fgb", "kml", "csv", "xlsx", "osm", "osm.pbf"])
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.binary(max_size=200))
def test_broken_files_are_faults_never_tracebacks(tmp_path: Path, ending: str, data: bytes) -> None:
    path = tmp_path / f"broken.{ending}"
    path.write_bytes(data)
    faults: tuple[object, ...] = ("none",)
    try:
        frame = read_source(path, How(tags=("building",))).frame
    except InputError as error:
        frame, faults = gpd.GeoDataFrame(), error.faults
    assert isinstance(frame, gpd.GeoDataFrame)
    assert faults


@given(st.text(max_size=40))
def test_text_survives_either_encoding(text: str) -> None:
    for encoding in ("utf-8", "gb18030"):
        data = text.encode(encoding, errors="ignore")
        decoded, found = decode_text(data, file="f")
        if found == encoding:
            assert decoded == data.decode(encoding).removeprefix("\ufeff")


def test_encodings_by_their_names() -> None:
    assert {codec_of(name) for name in ("GBK", "936", "GB2312", "ANSI 936", "cp936")} == {"gb18030"}
    assert codec_of("88591") is None or codec_of("88591") == "iso8859-1"


def test_the_hash_of_a_shapefile_covers_its_table(schools: gpd.GeoDataFrame, tmp_path: Path) -> None:
    schools.to_file(tmp_path / "a.shp")
    before = sha256_of(tmp_path / "a.shp")
    data = bytearray((tmp_path / "a.dbf").read_bytes())
    data[-3] ^= 1
    (tmp_path / "a.dbf").write_bytes(bytes(data))
    assert sha256_of(tmp_path / "a.shp") != before


@pytest.mark.places
def test_beijing_without_cpg_reads_right(places: Path) -> None:
    reading = read_source(places / "boundaries" / "beijing_subdistricts" / "beijing.shp")
    assert reading.encoding == "utf-8"
    assert len(reading.frame) == 331
    assert "展览路街道" in set(reading.frame["乡"])
    assert set(reading.frame["市"]) == {"北京市"}


@pytest.mark.places
def test_amap_points_have_no_datum(places: Path) -> None:
    frame = read_source(places / "poi_shanghai" / "shanghai_hospital.csv").frame
    assert frame.crs is None
    assert len(frame) == 7513
    assert np.isfinite(frame.total_bounds).all()
