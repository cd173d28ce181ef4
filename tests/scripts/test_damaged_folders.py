"""Damaged files of a planner's folder: named with the mend, on stderr, never a traceback, and nothing half-written."""

from __future__ import annotations

import csv
import io
import shutil
import warnings
from typing import TYPE_CHECKING

import geopandas as gpd
import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from planner_folder import write_twice
from typer.testing import CliRunner

from lifecircle.cli.cli import app

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

CHECK_BLOCKS, PLAN_BLOCKS = 1, 2
"""Exit codes as the help of the two commands says."""

HEAD = """
[study]
name = "老城区"
[area]
path = "研究范围.kml"
[layers.streets]
path = "道路中心线.shp"
datum = "EPSG:4498"
"""
SECTIONS = {
    "compounds": '[layers.compounds]\npath = "小区.shp"\n',
    "districts": '[layers.districts]\npath = "街道界线.shp"\ndatum = "cgcs2000"\n'
    'join = { path = "七普街道人口.csv" }\n',
    "parcels": '[layers.parcels]\npath = "控规地块.dxf"\nlayer = "地块线"\ndatum = "EPSG:4527"\n',
    "amap": '[layers.facilities]\npath = "高德POI.xlsx"\ndatum = "gcj02"\n',
    "ledger": '[layers.facilities]\npath = "设施台账.csv"\ndatum = "EPSG:4527"\naxes = "north_east"\n',
    "population": '[layers.population]\npath = "人口栅格.tif"\n',
    "buildings": '[layers.buildings]\npath = "建筑.shp"\ndatum = "EPSG:4547"\n',
    "railways": '[layers.barriers]\npath = "铁路.fgb"\n',
    "streets": "",
}
KEPT = ("研究范围", "道路中心线")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_twice(tmp_path_factory.mktemp("whole")).planner.parent


def _folder(whole: Path, to: Path, *sections: str) -> Path:
    """Copy what a study of a few sections reads."""
    to.mkdir(exist_ok=True)
    text = HEAD + "".join(SECTIONS[name] for name in sections)
    for file in whole.iterdir():
        if file.stem in text and file.suffix != ".toml":
            shutil.copy(file, to / file.name)
    (to / "study.toml").write_text(text, encoding="utf-8")
    return to


def _run(folder: Path, *command: str) -> Result:
    result = CliRunner().invoke(app, [command[0], str(folder / "study.toml"), *command[1:]])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return result


def _cut(name: str, share: float) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: int(len(data) * share)])

    return damage


def _edit(old: str, new: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        study = folder / "study.toml"
        text = study.read_text(encoding="utf-8")
        assert old in text
        study.write_text(text.replace(old, new), encoding="utf-8")

    return damage


def _shape(name: str, change: Callable[[gpd.GeoDataFrame], gpd.GeoDataFrame]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        frame = change(gpd.read_file(folder / name, encoding="GBK").set_crs(4490))
        for part in folder.glob(f"{(folder / name).stem}.*"):
            part.unlink()
        frame.to_file(folder / name, encoding="GBK")

    return damage


def _drawing(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        path = folder / "控规地块.dxf"
        path.write_bytes(change(path.read_bytes()))

    return damage


def _empty_book(folder: Path) -> None:
    openpyxl.Workbook().save(folder / "高德POI.xlsx")


def _header_only(folder: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["名称", "type", "location"])
    book.save(folder / "高德POI.xlsx")


def _cells(column: int, value: object) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        book = openpyxl.load_workbook(folder / "高德POI.xlsx")
        for row in book.active.iter_rows(min_row=5):
            row[column].value = value
        book.save(folder / "高德POI.xlsx")

    return damage


def _people(value: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        path = folder / "七普街道人口.csv"
        rows = list(csv.reader(io.StringIO(path.read_bytes().decode("gb18030"))))
        rows[2][rows[0].index("常住人口")] = value
        text = io.StringIO()
        csv.writer(text).writerows(rows)
        path.write_bytes(text.getvalue().encode("gb18030"))

    return damage


def _directory(folder: Path) -> None:
    (folder / "小区.shp").unlink()
    (folder / "小区.shp").mkdir()


def _damaged_crs(folder: Path) -> None:
    path = folder / "小区.prj"
    path.write_bytes(path.read_bytes().replace(b"China_2000", b"Ch\x9fna_2000"))


def _raster_nowhere(folder: Path) -> None:
    import rasterio  # noqa: PLC0415  slow to import

    path = folder / "人口栅格.tif"
    with rasterio.open(path) as raster:
        cells, crs = raster.read(1), raster.crs
    profile = {"driver": "GTiff", "height": cells.shape[0], "width": cells.shape[1], "count": 1, "dtype": cells.dtype}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with rasterio.open(path, "w", **profile, crs=crs) as target:
            target.write(cells, 1)


def _far_raster(folder: Path) -> None:
    import rasterio  # noqa: PLC0415  slow to import

    with rasterio.open(folder / "人口栅格.tif", "r+") as raster:
        place = raster.transform
        raster.transform = type(place)(place.a, place.b, place.c + 300_000, place.d, place.e, place.f)


# What is damaged → the section it is in, how, and words that must be said: the file, the column, the value.
DAMAGED: dict[str, tuple[str, Callable[[Path], None], tuple[str, ...]]] = {
    "table cut short": ("compounds", _cut("小区.dbf", 0.5), ("小区.shp",)),
    "table without head": ("compounds", _cut("小区.dbf", 0.0), ("小区.shp",)),
    "shapes without head": ("compounds", _cut("小区.shp", 0.001), ("小区.shp",)),
    "CRS damaged": ("compounds", _damaged_crs, ("小区.shp", ".prj")),
    "streets without index": ("streets", lambda folder: (folder / "道路中心线.shx").unlink(), (".shx", "道路中心线")),
    "book cut short": ("amap", _cut("高德POI.xlsx", 0.6), ("高德POI.xlsx",)),
    "book empty": ("amap", _empty_book, ("高德POI.xlsx",)),
    "book with a header only": ("amap", _header_only, ("高德POI.xlsx", "空")),
    "no place is a number": ("amap", _cells(5, "待定"), ("高德POI.xlsx", "坐标", "105", "S000001")),
    "no place at all": ("amap", _cells(5, None), ("高德POI.xlsx",)),
    "sizes in words": ("amap", _cells(7, "约三百"), ("高德POI.xlsx", "建筑面积", "约三百", "S000001")),
    "drawing cut short": ("parcels", _cut("控规地块.dxf", 0.3), ("控规地块.dxf",)),
    "drawing of lines": (
        "parcels",
        _edit('layer = "地块线"', 'layer = "图名"'),
        ("控规地块.dxf",),
    ),
    "drawing without that layer": ("parcels", _edit('"地块线"', '"宗地"'), ("控规地块.dxf", "宗地", "地块线")),
    "drawing without zone number": ("parcels", _edit("EPSG:4527", "EPSG:4548"), ("控规地块.dxf", "EPSG:4527")),
    "axes not turned": ("ledger", _edit('axes = "north_east"\n', ""), ("设施台账.csv", "north_east")),
    "axes turned twice": (
        "compounds",
        _edit('path = "小区.shp"\n', 'path = "小区.shp"\naxes = "north_east"\n'),
        ("小区.shp",),
    ),
    "raster elsewhere": ("population", _far_raster, ("人口栅格.tif",)),
    "raster without place": ("population", _raster_nowhere, ("人口栅格.tif", "配准")),
    "raster cut short": ("population", _cut("人口栅格.tif", 0.4), ("人口栅格.tif",)),
    "negative people": ("districts", _people("-41"), ("七普街道人口.csv", "常住人口", "-41")),
    "people in words": ("districts", _people("很多"), ("七普街道人口.csv", "常住人口", "很多")),
    "a folder for a file": ("compounds", _directory, ("小区.shp",)),
    "no such standard": (
        "compounds",
        _edit('name = "老城区"', 'name = "a"\nstandard = "本市标准.toml"'),
        ("本市标准.toml",),
    ),
    "another encoding of study.toml": (
        "compounds",
        lambda folder: (folder / "study.toml").write_bytes((HEAD + SECTIONS["compounds"]).encode("gbk")),
        ("study.toml", "UTF-8"),
    ),
    "no name column": (
        "districts",
        _shape("街道界线.shp", lambda frame: frame.drop(columns=["街道名称", "街道代码"])),
        ("街道界线.shp",),
    ),
    "all rows empty": (
        "compounds",
        _shape("小区.shp", lambda frame: frame.assign(geometry=None)),
        ("小区.shp",),
    ),
}


@pytest.mark.parametrize("damage", list(DAMAGED))
def test_what_blocks_is_named_and_nothing_is_written(whole: Path, tmp_path: Path, damage: str) -> None:
    section, hurt, words = DAMAGED[damage]
    folder = _folder(whole, tmp_path / "数据", section)
    hurt(folder)
    checked = _run(folder, "check")
    assert checked.exit_code in (CHECK_BLOCKS, PLAN_BLOCKS), checked.output
    for word in words:
        assert word in checked.output, checked.output
    out = tmp_path / "out"
    planned = _run(folder, "plan", "--only-findings", "--out", str(out))
    assert planned.exit_code == PLAN_BLOCKS
    for word in words:
        assert word in planned.stderr, planned.stderr
    assert not out.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["数据"]


FUZZED = {
    "compounds": ("小区.shp", "小区.dbf", "小区.shx", "小区.prj"),
    "districts": ("七普街道人口.csv",),
    "parcels": ("控规地块.dxf",),
    "amap": ("高德POI.xlsx",),
    "ledger": ("设施台账.csv",),
    "population": ("人口栅格.tif",),
    "railways": ("铁路.fgb",),
    "streets": ("研究范围.kml", "道路中心线.shp", "道路中心线.dbf"),
}
PLACES = [(section, name) for section, names in FUZZED.items() for name in names]


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    place=st.sampled_from(PLACES),
    at=st.floats(0, 1),
    junk=st.binary(min_size=0, max_size=40),
    cut=st.integers(0, 400),
    ends=st.booleans(),
)
def test_no_damage_of_bytes_ends_in_a_traceback(
    whole: Path, tmp_path: Path, place: tuple[str, str], at: float, junk: bytes, cut: int, *, ends: bool
) -> None:
    section, name = place
    shutil.rmtree(tmp_path / "数据", ignore_errors=True)
    folder = _folder(whole, tmp_path / "数据", section)
    data = (folder / name).read_bytes()
    start = int(at * len(data))
    (folder / name).write_bytes(data[:start] + junk + (b"" if ends else data[start + cut :]))
    checked = _run(folder, "check")
    assert checked.exit_code in (0, CHECK_BLOCKS, PLAN_BLOCKS)
    if checked.exit_code:
        assert "错误" in checked.output


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.floats(0, 1), junk=st.binary(max_size=20), cut=st.integers(0, 30))
def test_no_damage_of_study_toml_ends_in_a_traceback(
    whole: Path, tmp_path: Path, at: float, junk: bytes, cut: int
) -> None:
    folder = _folder(whole, tmp_path / "数据", "districts")
    study = folder / "study.toml"
    data = study.read_bytes()
    start = int(at * len(data))
    study.write_bytes(data[:start] + junk + data[start + cut :])
    checked = _run(folder, "check")
    assert checked.exit_code in (0, CHECK_BLOCKS, PLAN_BLOCKS)
