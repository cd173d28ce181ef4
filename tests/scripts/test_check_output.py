"""What 'lifecircle check' prints: whole rows where no terminal cuts them, and what of the files is not used."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import geopandas as gpd
import shapely
from rich.cells import cell_len
from typer.testing import CliRunner

from lifecircle.cli.cli import app

if TYPE_CHECKING:
    from pathlib import Path

X, Y, CRS = 500_000.0, 4_057_000.0, "EPSG:4548"


def test_nothing_is_cut_and_unused_columns_are_told(tmp_path: Path) -> None:
    deep = tmp_path / "很长的文件夹名称一" / "很长的文件夹名称二"
    deep.mkdir(parents=True)
    gpd.GeoDataFrame({"道路等级": ["支路"]}, geometry=[shapely.LineString([(X, Y), (X + 600, Y)])], crs=CRS).to_file(
        tmp_path / "streets.gpkg"
    )
    columns = {
        "小区名称": ["甲"],
        "建成年份": [1990],
        "总户数": [90],
        "总建筑面积": [9e3],
        "主要层数": [6],
        "备注": ["x"],
    }
    blocks = [shapely.box(X + 20, Y - 200, X + 220, Y + 200)]
    gpd.GeoDataFrame(columns, geometry=blocks, crs=CRS).to_file(deep / "compounds.gpkg")
    gpd.GeoDataFrame(geometry=[shapely.box(X, Y - 300, X + 600, Y + 300)], crs=CRS).to_file(tmp_path / "area.gpkg")
    place = deep.relative_to(tmp_path).as_posix() + "/compounds.gpkg"
    (tmp_path / "study.toml").write_text(
        '[study]\nname = "试"\n[area]\npath = "area.gpkg"\n[layers.streets]\npath = "streets.gpkg"\n'
        f'[layers.compounds]\npath = "{place}"\n',
        encoding="utf-8",
    )
    result = CliRunner().invoke(app, ["check", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert "…" not in result.output
    assert place in result.output
    mapped = "name=小区名称, year_built=建成年份, households=总户数, floor_area_m2=总建筑面积, storeys=主要层数"
    assert mapped in result.output
    assert "没有用到的列：备注" in result.output
    table = [line for line in result.output.splitlines() if line[:1] in "┏┃┡│└"]
    assert len(table) == 7
    assert max(map(cell_len, table)) - cell_len(place) <= 70, "a name of 30 signs stands on a line of 100"
    told = json.loads(CliRunner().invoke(app, ["check", str(tmp_path), "--json"]).output)
    assert [row["unused"] for row in told["files"] if row["layer"] == "compounds"] == [["备注"]]
