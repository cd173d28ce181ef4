"""Names in study.toml that nothing has are faults of it, before anything is computed."""

from __future__ import annotations

import re
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from typer.testing import CliRunner

from lifecircle.cli.cli import app
from lifecircle.gis.errors import InputError
from lifecircle.layers.load import examine, load_study
from lifecircle.layers.named import named_faults
from lifecircle.layers.settings import StudySettings
from lifecircle.layers.words import LANGUAGES, explain

X, Y, CRS = 500_000.0, 4_057_000.0, "EPSG:4548"
TOML = """
[study]
name = "测\\u0007试"
[area]
path = "area.gpkg"
[layers.streets]
path = "streets.gpkg"
[layers.compounds]
path = "compounds.gpkg"
[rings]
rest_name = "外"
[[rings.ring]]
name = "二环以内"
bounded_by = ["二环[东南西北]路"]
[[siting.wish]]
facility_class = "food_market"
sites = 1
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    area = gpd.GeoDataFrame(geometry=[shapely.box(X, Y, X + 600, Y + 600)], crs=CRS)
    area.to_file(tmp_path / "area.gpkg")
    sides = [shapely.LineString([(X, Y + s), (X + 600, Y + s)]) for s in (0, 600)]
    sides += [shapely.LineString([(X + s, Y), (X + s, Y + 600)]) for s in (0, 600)]
    names = ["二环南路", "二环北路", "二环西路", "二环东路"]
    gpd.GeoDataFrame({"路名": names}, geometry=sides, crs=CRS).to_file(tmp_path / "streets.gpkg")
    blocks = [shapely.box(X + s, Y + 20, X + s + 200, Y + 200) for s in (20, 320)]
    frame = gpd.GeoDataFrame({"名称": ["\x07bell\x0bvt", "乙\n村"], "户数": [90, 120]}, geometry=blocks, crs=CRS)
    frame.to_file(tmp_path / "compounds.gpkg")
    (tmp_path / "study.toml").write_text(TOML, encoding="utf-8")
    return tmp_path / "study.toml"


def _change(study: Path, old: str, new: str) -> None:
    text = study.read_text(encoding="utf-8")
    assert old in text
    study.write_text(text.replace(old, new), encoding="utf-8")


WRONG = {
    "walker": ("[area]", 'walker = "eldery"\n[area]', ("study.walker", "eldery", "elderly", "wheelchair")),
    "standard": ("[area]", 'standard = "gb99999"\n[area]', ("study.standard", "gb99999", "gb50180-2018")),
    "a standard of one's own": ("[area]", 'standard = "mine.toml"\n[area]', ("mine.toml",)),
    "wish": ('"food_market"', '"market"', ("siting.wish[1].facility_class", "market", "food_market")),
    "ring pattern": ('"二环[东南西北]路"', '"二环[东南"', ("rings.ring[1].bounded_by", "二环[东南", "study.toml")),
    "ring line": ('"二环[东南西北]路"', '"三环南路"', ("rings.ring[1].bounded_by", "三环南路", "二环南路")),
    "column of values": (
        "[rings]",
        "[layers.compounds.values]\ntenur = { a = 'state' }\n[rings]",
        ("layers.compounds.values", "tenure"),
    ),
    "target of values": (
        "[rings]",
        "[layers.compounds.values]\ntenure = { a = 'stat' }\n[rings]",
        ("layers.compounds.values.tenure", "stat", "collective"),
    ),
    "class of a facility": (
        "[rings]",
        "[layers.facilities]\npath='x.csv'\nvalues.facility_class = { '菜场' = 'food_markt' }\n[rings]",
        ("layers.facilities.values.facility_class", "food_markt", "food_market"),
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_name_that_nothing_has_is_a_fault_with_its_key_and_what_there_is(study: Path, case: str) -> None:
    old, new, said = WRONG[case]
    assert [fault for fault in examine(study).faults if fault.blocks] == []
    _change(study, old, new)
    faults = [fault for fault in examine(study).faults if fault.blocks and fault.layer != "facilities"]
    assert len(faults) == 1
    for language in LANGUAGES:
        text = explain(faults[0], language)
        assert all(part in text for part in said), text
    with pytest.raises(InputError):
        load_study(study)


@pytest.mark.parametrize("case", ["wish", "walker", "ring line"])
def test_check_and_plan_end_with_their_codes_and_no_traceback(study: Path, case: str) -> None:
    _change(study, *WRONG[case][:2])
    for command, code in (("check", 1), ("plan", 2)):
        options = ["--out", str(study.parent / "out")] if command == "plan" else []
        result = CliRunner().invoke(app, [command, str(study), *options])
        assert result.exit_code == code, result.output
        assert re.search(r"study\.toml", result.output)
        assert "Traceback" not in result.output
    assert not (study.parent / "out").exists()


def test_own_walkers_classes_and_words_of_choices_are_known() -> None:
    stated = {
        "study": {"name": "甲", "walker": "nurse", "standard": "tdt1062-2021"},
        "walkers": {"nurse": {"speed_mps": 1.0}},
        "layers": {
            "facilities": {"path": "f", "values": {"facility_class": {"a": "food_market", "b": "菜市场"}}},
            "compounds": {"path": "c", "values": {"tenure": {"a": "国有"}, "walled": {"半": "true", "全": "封闭"}}},
        },
    }
    assert named_faults(StudySettings.model_validate(stated), Path()) == []


def test_control_signs_are_taken_out_of_names_and_counted(study: Path) -> None:
    loaded = load_study(study)
    assert loaded.settings.study.name == "测试"
    assert loaded.layers["compounds"]["name"].tolist() == ["bellvt", "乙 村"]
    noted = [note for note in loaded.notes if note.code == "study.control_signs"]
    assert [note.detail["count"] for note in noted] == [2]
