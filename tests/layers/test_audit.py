from __future__ import annotations

import json
from typing import TYPE_CHECKING

import geopandas as gpd
import pytest
import shapely

from lifecircle.gis.errors import InputError
from lifecircle.layers.audit import audit

if TYPE_CHECKING:
    from pathlib import Path

TOML = """
[study]
name = "测试"
[layers.streets]
path = "streets.gpkg"
[layers.compounds]
path = "c.gpkg"
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    lines = [shapely.LineString([(5e5, 4e6), (501_000, 4e6), (501_000, 4_001_000)])]
    gpd.GeoDataFrame({"highway": ["footway"]}, geometry=lines, crs="EPSG:4548").to_file(tmp_path / "streets.gpkg")
    blocks = [shapely.box(500_900, 4_000_100 + y, 500_950, 4_000_150 + y) for y in (0, 100)]
    frame = gpd.GeoDataFrame({"户数": [5, 7], "小区名称": ["甲", "乙"]}, geometry=blocks, crs="EPSG:4548")
    frame.to_file(tmp_path / "c.gpkg")
    (tmp_path / "study.toml").write_text(TOML, encoding="utf-8")
    return tmp_path / "study.toml"


def test_a_sound_study_blocks_nothing_and_tells_how_columns_were_read(study: Path) -> None:
    found = audit(study)
    assert not found.blocked
    data = found.as_data("zh")
    assert data["faults"] == []
    rows = {row.layer: dict(row.columns) for row in found.rows}
    assert rows["compounds"] == {"name": "小区名称", "households": "户数"}
    assert json.loads(json.dumps(data, ensure_ascii=False)) == data
    assert any("compounds" in note for note in data["notes"])  # type: ignore[union-attr, attr-defined]


def test_faults_carry_place_and_text_as_data(study: Path) -> None:
    frame = gpd.read_file(study.parent / "c.gpkg")
    frame.loc[1, "户数"] = -7
    frame.to_file(study.parent / "c.gpkg")
    found = audit(study)
    assert found.blocked
    (fault,) = found.as_data("en")["faults"]  # type: ignore[misc, attr-defined]
    assert fault["code"] == "faults.negative"
    assert (fault["layer"], fault["row"], fault["column"], fault["value"]) == ("compounds", 2, "户数", "-7")
    assert "must not be negative" in fault["text"]


def test_the_same_study_gives_the_same_audit(study: Path) -> None:
    assert audit(study).as_data("zh") == audit(study.parent).as_data("zh")


def test_without_study_toml_there_is_nothing_to_audit(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        audit(tmp_path / "study.toml")
