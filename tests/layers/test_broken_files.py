"""Files that are cut short, altered or not what their name says: a fault or a frame, never a traceback."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

import geopandas as gpd
import openpyxl
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from lifecircle.cli.cli import app
from lifecircle.gis.errors import InputError
from lifecircle.layers.files import read_source
from lifecircle.layers.load import examine
from lifecircle.layers.reading import How
from lifecircle.layers.words import LANGUAGES, explain

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PLACES = gpd.GeoDataFrame(
    {"name": ["甲园", "乙园"], "people": [120, 80]},
    geometry=[shapely.box(117, 36, 117.01, 36.01), shapely.box(117.02, 36, 117.03, 36.01)],
    crs="EPSG:4326",
)


def _book(path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["名称", "经度", "纬度"], ["甲", 117, 36]):
        book.worksheets[0].append(row)
    book.save(path)


MAKERS: dict[str, Callable[[Path], object]] = {
    "gpkg": lambda path: PLACES.to_file(path, driver="GPKG"),
    "geojson": lambda path: PLACES.to_file(path, driver="GeoJSON"),
    "fgb": lambda path: PLACES.to_file(path, driver="FlatGeobuf"),
    "kml": lambda path: PLACES.to_file(path, driver="KML", layer="a"),
    "kmz": lambda path: PLACES.to_file(path, driver="LIBKML", layer="a"),
    "parquet": PLACES.to_parquet,
    "shp": lambda path: PLACES.to_file(path, encoding="GBK"),
    "csv": lambda path: path.write_text("名称,经度,纬度\n甲,117,36\n", encoding="gb18030"),
    "xlsx": _book,
    "graphml": lambda path: path.write_text(
        '<graphml><graph edgedefault="directed"><node id="1"/></graph></graphml>', encoding="utf-8"
    ),
    "osm": lambda path: path.write_text(
        '<osm version="0.6"><node id="1" lat="36" lon="117"><tag k="amenity" v="school"/></node></osm>',
        encoding="utf-8",
    ),
}


def outcome(path: Path, how: How | None = None) -> tuple[str, ...]:
    """Codes of the faults, or ``read``; each fault can be told in either language."""
    try:
        frame = read_source(path, how or How(tags=("amenity",))).frame
    except InputError as error:
        assert all(explain(fault, language) for fault in error.faults for language in LANGUAGES)  # noqa: PT017
        return tuple(fault.code for fault in error.faults)
    return ("read",) if isinstance(frame, gpd.GeoDataFrame) else ()


@pytest.mark.parametrize("ending", ["gpkg", "geojson", "fgb", "kml", "kmz", "parquet", "shp", "csv", "xlsx", "osm"])
def test_the_whole_file_is_read(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"数据 a.{ending}"
    MAKERS[ending](path)
    assert outcome(path) == ("read",)


def test_a_file_geodatabase_is_read(tmp_path: Path) -> None:
    path = tmp_path / "城市.gdb"
    PLACES.astype({"people": "int32"}).to_file(path, driver="OpenFileGDB", layer="小区")
    frame = read_source(path, How(layer="小区")).frame
    assert sorted(frame["name"]) == ["乙园", "甲园"]
    assert frame.crs.to_epsg() == 4326


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(cut=st.floats(0, 1), junk=st.binary(max_size=8), flip=st.floats(0, 0.999))
@pytest.mark.parametrize("ending", list(MAKERS))
def test_cut_short_and_altered(tmp_path: Path, ending: str, cut: float, junk: bytes, flip: float) -> None:
    whole = tmp_path / f"whole.{ending}"
    if not whole.exists():
        MAKERS[ending](whole)
    data = bytearray(whole.read_bytes())
    broken = tmp_path / f"broken.{ending}"
    for part in tmp_path.glob("whole.*"):
        if part != whole:
            (tmp_path / f"broken{part.suffix}").write_bytes(part.read_bytes())
    broken.write_bytes(bytes(data[: int(len(data) * cut)]))
    assert outcome(broken)
    place = int(len(data) * flip)
    data[place : place + len(junk)] = junk
    broken.write_bytes(bytes(data))
    assert outcome(broken)


@pytest.mark.parametrize("lost", [".shx", ".dbf"])
def test_a_shapefile_without_its_companions_says_which(tmp_path: Path, lost: str) -> None:
    path = tmp_path / "a.shp"
    MAKERS["shp"](path)
    path.with_suffix(lost).unlink()
    assert outcome(path) == ("files.companion",)


@pytest.mark.parametrize("part", [".shx", ".dbf"])
@pytest.mark.parametrize("kept", [0, 20, 60])
def test_a_shapefile_with_a_cut_companion(tmp_path: Path, part: str, kept: int) -> None:
    path = tmp_path / "a.shp"
    MAKERS["shp"](path)
    whole = path.with_suffix(part).read_bytes()
    path.with_suffix(part).write_bytes(whole[:kept])
    assert outcome(path)


@pytest.mark.parametrize("ending", [*MAKERS, "osm.pbf", "gdb", "dxf", "json", "tsv"])
@pytest.mark.parametrize("other", ["png", "empty", "text", "folder"])
def test_something_else_under_its_name(tmp_path: Path, ending: str, other: str) -> None:
    path = tmp_path / f"a.{ending}"
    if other == "folder":
        path.mkdir()
    else:
        path.write_bytes({"png": b"\x89PNG\r\n\x1a\n" + bytes(64), "empty": b"", "text": "不是数据".encode()}[other])
    assert outcome(path) != ("read",)


@pytest.mark.parametrize("ending", ["kml", "osm", "graphml"])
def test_entities_are_refused_and_no_other_file_is_read(tmp_path: Path, ending: str) -> None:
    (tmp_path / "secret").write_text("SECRET")
    path = tmp_path / f"a.{ending}"
    laughs = "".join(f'<!ENTITY l{n} "{"&l" + str(n - 1) + ";" if n else "ha"}{"" if not n else ("&l" + str(n - 1) + ";") * 9}">' for n in range(9))  # noqa: E501  # fmt: skip
    root = {"kml": "kml", "osm": "osm", "graphml": "graphml"}[ending]
    for entity in (laughs, f'<!ENTITY l8 SYSTEM "{(tmp_path / "secret").as_uri()}">'):
        path.write_text(
            f'<?xml version="1.0"?><!DOCTYPE {root} [{entity}]><{root}><Document><name>&l8;</name></Document></{root}>',
            encoding="utf-8",
        )
        found = outcome(path)
        assert found != ("read",)
        assert "SECRET" not in str(found)


def _png(path: Path) -> None:
    """Write a picture of one pixel, which rasters' readers open whatever it is called."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_folder_of_broken_files_is_one_list_and_nothing_is_written(tmp_path: Path) -> None:
    lines = gpd.GeoDataFrame(geometry=[shapely.LineString([(117, 36), (117.02, 36.01)])], crs="EPSG:4326")
    lines.to_file(tmp_path / "s.gpkg")
    _png(tmp_path / "dem.tif")
    (tmp_path / "p.dxf").write_text("  0\nSECTION\n  2\nENTITIES\n  0\nENDSEC\n  0\nEOF\n")
    (tmp_path / "c.gpkg").write_bytes((tmp_path / "s.gpkg").read_bytes()[:5000])
    (tmp_path / "f.xlsx").write_bytes(b"PK\3\4 no archive")
    (tmp_path / "d.parquet").write_bytes(b"PAR1 no table PAR1")
    (tmp_path / "study.toml").write_text(
        '[study]\nname = "x"\n[layers.streets]\npath = "s.gpkg"\n[layers.dem]\npath = "dem.tif"\n'
        '[layers.parcels]\npath = "p.dxf"\n[layers.compounds]\npath = "c.gpkg"\n'
        '[layers.facilities]\npath = "f.xlsx"\n[layers.districts]\npath = "d.parquet"\n[layers.land]\npath = "l.dwg"\n',
        encoding="utf-8",
    )
    (tmp_path / "l.dwg").write_bytes(b"AC1032")
    before = sorted(path.name for path in tmp_path.iterdir())
    faults = [fault for fault in examine(tmp_path).faults if fault.blocks]
    assert {fault.layer for fault in faults} == {"dem", "parcels", "compounds", "facilities", "districts", "land"}
    out = tmp_path / "out"
    run = CliRunner().invoke(app, ["plan", str(tmp_path), "--out", str(out), "--language", "zh"])
    assert run.exit_code == 2
    assert "Traceback" not in run.output
    assert "DXF" in run.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == before
