"""A city whose study.toml was lost is read the same after 'lifecircle init'."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from lifecircle.layers.contracts import CONTRACTS
from lifecircle.layers.load import load_study
from lifecircle.layers.plan import find
from lifecircle.layers.ringguess import guess_rings
from lifecircle.layers.rings import rings_of
from lifecircle.layers.sample import write_sample
from lifecircle.layers.scaffold import Scaffold, init
from lifecircle.layers.survey import OF_RESULTS

if TYPE_CHECKING:
    from pathlib import Path

    from lifecircle.layers.study import Study

PEOPLE = 20_000


@pytest.fixture(scope="module")
def stated(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return load_study(write_sample(tmp_path_factory.mktemp("city"), people=PEOPLE, seed=1))


@pytest.fixture(scope="module")
def made(stated: Study) -> Scaffold:
    (stated.folder / "study.toml").unlink()
    earlier = stated.folder / "结果"
    earlier.mkdir()
    (earlier / "manifest.json").write_text("{}", encoding="utf-8")
    stated.area.to_file(earlier / "findings.gpkg", layer="compounds")
    return init([stated.folder], datum="wgs84")


@pytest.fixture(scope="module")
def guessed(made: Scaffold) -> Study:
    return load_study(made.path)


def test_the_frames_are_those_of_the_study_that_was_stated(stated: Study, guessed: Study) -> None:
    assert set(guessed.layers) == set(stated.layers)
    for layer, frame in stated.layers.items():
        other = guessed.layers[layer]
        used = [column.name for column in CONTRACTS[layer].columns if column.name in frame.columns]
        named = [name for name in used if (layer, name) != ("facilities", "facility_class")]
        assert set(used) <= set(other.columns), layer
        pd.testing.assert_frame_equal(other[named], frame[named], obj=layer)
        assert other.geometry.geom_equals(frame.geometry).all(), layer


def test_the_coverage_of_the_city_is_that_of_the_study_that_was_stated(stated: Study, guessed: Study) -> None:
    head = guessed.settings.study.model_copy(update={"name": stated.settings.study.name})
    # Policies of rings, which sites depend on, stand in study.toml alone.
    own = {"siting": stated.settings.siting, "rings": stated.settings.rings, "study": head}
    alike = guessed.settings.model_copy(update=own)
    tables = [find(study).tables["coverage"] for study in (stated, replace(guessed, settings=alike))]
    one = "group_kind == 'city'"
    city, other = (table.query(one).reset_index(drop=True) for table in tables)
    assert len(city) > 100
    pd.testing.assert_frame_equal(city, other)


def test_rings_are_those_that_the_lines_close(stated: Study, guessed: Study) -> None:
    one, other = rings_of(stated), rings_of(guessed)
    assert other["area_m2"].tolist() == pytest.approx(one["area_m2"].tolist(), abs=1)
    assert other["name"].tolist()[:2] == ["护城路以内", "二环路以内"]


def test_lines_that_close_nothing_are_listed(tmp_path: Path) -> None:
    lines = [shapely.LineString([(5e5, 4_057_000 + s), (501_000, 4_057_000 + s)]) for s in (0, 500)]
    frame = gpd.GeoDataFrame({"名称": ["甲环路", "乙环路"]}, geometry=lines, crs="EPSG:4548")
    assert guess_rings(frame.rename(columns={"名称": "name"})) == ()
    frame.to_file(tmp_path / "环路.gpkg")
    frame.assign(道路等级="支路").drop(columns="名称").to_file(tmp_path / "道路.gpkg")
    text = init([tmp_path]).text
    assert "rings" not in tomllib.loads(text)
    assert "乙环路, 甲环路" in text
    assert "没有圈层" not in text


def test_results_of_earlier_plans_are_no_data(stated: Study, made: Scaffold) -> None:
    assert [part.path for part in made.unused if part.reason == OF_RESULTS] == [stated.folder / "结果"]
    assert not any("结果" in str(path) for _, path in made.used)


def test_columns_that_are_not_used_are_told(made: Scaffold) -> None:
    assert ("projects", "planning.gpkg", ("备注",)) in made.unmatched
