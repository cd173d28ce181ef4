"""``lifecircle init`` names what it does not use, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd
import shapely
from typer.testing import CliRunner

from lifecircle.cli.cli import app

if TYPE_CHECKING:
    from pathlib import Path


def test_sheets_without_coordinates_are_named(tmp_path: Path) -> None:
    street = shapely.LineString([(500_000, 4_057_000), (500_600, 4_057_000)])
    gpd.GeoDataFrame({"highway": ["residential"]}, geometry=[street], crs="EPSG:4548").to_file(
        tmp_path / "streets.gpkg"
    )
    with pd.ExcelWriter(tmp_path / "台账.xlsx") as book:
        pd.DataFrame({"名称": ["甲"], "设施类别": ["菜市场"], "经度": [117.0], "纬度": [36.6]}).to_excel(
            book, sheet_name="设施", index=False
        )
        pd.DataFrame({"年度": [2025], "投资": [3.5]}).to_excel(book, sheet_name="投资计划", index=False)
    result = CliRunner().invoke(app, ["init", str(tmp_path), "--datum", "wgs84", "--language", "zh"])
    assert result.exit_code == 0, result.output
    assert "台账.xlsx / 投资计划：表中没有坐标列" in result.output
    assert "台账.xlsx / 设施：" not in result.output
