from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import pytest
import shapely
from typer.testing import CliRunner

from lifecircle.cli.cli import app

if TYPE_CHECKING:
    from collections.abc import Callable

X, Y, CRS = 500_000.0, 4_057_000.0, "EPSG:4548"
TOML = """
[study]
name = "测试"
language = "zh"
[area]
path = "area.gpkg"
[layers.streets]
path = "streets.gpkg"
[layers.compounds]
path = "compounds.gpkg"
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    area = gpd.GeoDataFrame(geometry=[shapely.box(X, Y, X + 600, Y + 600)], crs=CRS)
    area.to_file(tmp_path / "area.gpkg")
    lines = [shapely.LineString([(X, Y + s), (X + 600, Y + s)]) for s in (0, 300, 600)]
    lines += [shapely.LineString([(X + s, Y), (X + s, Y + 600)]) for s in (0, 300, 600)]
    gpd.GeoDataFrame({"highway": ["residential"] * 6}, geometry=lines, crs=CRS).to_file(tmp_path / "streets.gpkg")
    blocks = [shapely.box(X + s, Y + 20, X + s + 200, Y + 200) for s in (20, 320)]
    frame = gpd.GeoDataFrame({"名称": ["甲", "乙"], "户数": [90, 120]}, geometry=blocks, crs=CRS)
    frame.to_file(tmp_path / "compounds.gpkg")
    (tmp_path / "study.toml").write_text(TOML, encoding="utf-8")
    return tmp_path / "study.toml"


def _compounds(study: Path, change: Callable[[gpd.GeoDataFrame], gpd.GeoDataFrame]) -> None:
    path = study.parent / "compounds.gpkg"
    frame = change(gpd.read_file(path))
    path.unlink()
    frame.to_file(path)


def _csv(study: Path, datum: str) -> None:
    (study.parent / "f.csv").write_text("类别,经度,纬度\n小学,117.002,36.652\n", encoding="utf-8")
    _append(study, f'[layers.facilities]\npath = "f.csv"\n{datum}\n')


def _append(study: Path, text: str) -> None:
    study.write_text(study.read_text(encoding="utf-8") + text, encoding="utf-8")


def _replace(study: Path, old: str, new: str) -> None:
    study.write_text(study.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


BAD: dict[str, tuple[Callable[[Path], None], str]] = {
    "missing study": (lambda study: study.unlink(), "study.toml"),
    "missing file": (lambda study: (study.parent / "compounds.gpkg").unlink(), "文件不存在"),
    "missing streets": (lambda study: _replace(study, "[layers.streets]", "[layers.barriers]"), "道路"),
    "not toml": (lambda study: study.write_text("[study", encoding="utf-8"), "TOML"),
    "no datum": (lambda study: _csv(study, ""), "datum"),
    "unknown datum": (lambda study: _csv(study, 'datum = "wgs48"'), "wgs48"),
    "degrees as metres": (lambda study: _csv(study, 'datum = "EPSG:4548"'), "经纬度"),
    "empty layer": (lambda study: _compounds(study, lambda frame: frame.iloc[:0]), "空"),
    "unknown key": (lambda study: _append(study, "[siting]\nsecnds = 1\n"), "seconds"),
    "unknown layer": (lambda study: _append(study, '[layers.markets]\npath = "x"\n'), "layers.markets"),
    "wrong column": (lambda study: _append(study, 'columns = { households = "户口" }\n'), "户口"),
    "negative households": (lambda study: _compounds(study, lambda frame: frame.assign(户数=-5)), "不能为负数"),
    "text for a number": (lambda study: _compounds(study, lambda frame: frame.assign(户数="很多")), "很多"),
    "far away": (
        lambda study: _compounds(study, lambda frame: frame.set_geometry(frame.translate(90_000, 0))),
        "km",
    ),
    "working CRS in degrees": (lambda study: _replace(study, "[area]", 'crs = "EPSG:4326"\n[area]'), "度"),
    "damaged file": (lambda study: (study.parent / "compounds.gpkg").write_bytes(b"SQLite format 3\0" * 9), "无法读取"),
    "wrong geometry": (
        lambda study: _compounds(study, lambda frame: frame.set_geometry(frame.geometry.centroid)),
        "几何类型",
    ),
}


@pytest.mark.parametrize("name", list(BAD))
def test_bad_input_ends_with_clear_lines_exit_code_2_and_nothing_written(study: Path, name: str) -> None:
    spoil, said = BAD[name]
    spoil(study)
    out = study.parent / "out"
    result = CliRunner().invoke(app, ["plan", str(study), "--out", str(out), "--language", "zh"])
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert "Traceback" not in result.output
    lines = [line for line in result.stderr.splitlines() if line.startswith("错误")]
    assert 1 <= len(lines) <= 2
    assert not out.exists() or list(out.iterdir()) == []


@pytest.mark.parametrize("name", [name for name in BAD if name not in ("missing study", "not toml")])
def test_check_finds_what_plan_refuses(study: Path, name: str) -> None:
    spoil, said = BAD[name]
    spoil(study)
    result = CliRunner().invoke(app, ["check", str(study)])
    assert result.exit_code in (1, 2)
    assert said in result.stdout + result.stderr


def test_check_passes_a_sound_study_and_speaks_json(study: Path) -> None:
    result = CliRunner().invoke(app, ["check", str(study.parent)])
    assert result.exit_code == 0, result.output
    result = CliRunner().invoke(app, ["check", str(study), "--json", "--language", "en"])
    assert json.loads(result.stdout)["blocked"] is False
    _compounds(study, lambda frame: frame.assign(户数=-5))
    result = CliRunner().invoke(app, ["check", str(study), "--json", "--language", "en"])
    assert result.exit_code == 1
    assert {fault["code"] for fault in json.loads(result.stdout)["faults"]} == {"faults.negative"}


def test_all_faults_are_told_at_once(study: Path) -> None:
    _compounds(study, lambda frame: frame.assign(户数=[-5, 3]))
    _csv(study, "")
    _append(study, '[layers.land]\npath = "none.shp"\n')
    result = CliRunner().invoke(app, ["check", str(study), "--language", "en"])
    assert result.exit_code == 1
    assert "must not be negative" in result.stdout
    assert "does not exist" in result.stdout
    assert "coordinate system" in result.stdout
    assert "3 faults" in result.stdout


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="needs a user whom permissions bind")
def test_no_permission_to_write(study: Path) -> None:
    closed = study.parent / "closed"
    closed.mkdir(mode=0o500)
    result = CliRunner().invoke(app, ["plan", str(study), "--out", str(closed / "out")])
    assert result.exit_code == 2
    assert list(closed.iterdir()) == []


@pytest.mark.skipif(not Path("/sys/kernel").is_dir(), reason="needs a file system that nobody may write to")
@pytest.mark.parametrize("command", ["plan", "sample"])
def test_a_place_where_nobody_may_write(study: Path, command: str) -> None:
    place = "/sys/kernel/lifecircle"
    arguments = [str(study), "--out", place] if command == "plan" else [place, "--people", "20000"]
    result = CliRunner().invoke(app, [command, *arguments, "--language", "en"])
    assert result.exit_code == 2
    assert result.stderr.count("error:") == 1
    assert "cannot be written" in result.stderr
    assert not Path(place).exists()


def test_a_file_stands_where_results_should_go(study: Path) -> None:
    place = study.parent / "out"
    place.write_text("mine")
    result = CliRunner().invoke(app, ["init", str(study.parent), "--out", str(place), "--force"])
    assert result.exit_code == 2
    assert "Traceback" not in result.output
    assert place.read_text() == "mine"


@pytest.mark.parametrize("arguments", [["init", "none"], ["init"], ["check", "none.toml"], ["plan", "none.toml"]])
def test_missing_arguments_and_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_fetch_without_a_network_is_one_clear_error(tmp_path: Path) -> None:
    out = tmp_path / "city"
    dead = "http://127.0.0.1:9"
    arguments = [
        "fetch",
        "样例区",
        "--out",
        str(out),
        "--overpass-url",
        dead,
        "--nominatim-url",
        dead,
        "--timeout",
        "5",
    ]
    result = CliRunner().invoke(app, [*arguments, "--language", "en"])
    assert result.exit_code == 2
    assert sum(line.startswith("error") for line in result.stderr.splitlines()) == 1
    assert "Traceback" not in result.output
    assert not out.exists() or list(out.iterdir()) == []
