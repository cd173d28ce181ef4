"""Findings on disk come back as they were, are the same to the bit, and open styled in QGIS."""

from __future__ import annotations

import dataclasses
import sqlite3
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from geopandas.testing import assert_geodataframe_equal
from made_findings import made_findings
from pandas.testing import assert_frame_equal

from lifecircle.gis.errors import InputError, MissingFileError
from lifecircle.layers.findings import LAYERS, TABLES, Findings
from lifecircle.layers.store import load, save
from lifecircle.maps.qgis import write_styles
from lifecircle.maps.summary import summary_lines


@pytest.fixture(scope="module")
def findings() -> Findings:
    return made_findings("zh")


def test_findings_come_back_as_they_were(findings: Findings, tmp_path: Path) -> None:
    save(findings, tmp_path)
    back = load(tmp_path)
    assert set(back.layers) == set(LAYERS)
    assert set(back.tables) == set(TABLES)
    for name, layer in findings.layers.items():
        assert_geodataframe_equal(back.layers[name], layer, check_dtype=False, check_like=False)
    for name, table in findings.tables.items():
        clock = ["seconds"] if name == "siting" else []  # kept with the timings, as it is another in each run
        assert_frame_equal(back.tables[name].drop(columns=clock), table.drop(columns=clock), check_dtype=False)
    assert back.manifest == findings.manifest


def test_same_findings_same_bytes(findings: Findings, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        save(findings, tmp_path / name)
        write_styles(findings, tmp_path / name / "findings.gpkg", language="zh")
    for file in sorted((tmp_path / "a").iterdir()):
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes(), file.name


def test_a_folder_without_findings_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError) as caught:
        load(tmp_path)
    assert caught.value.faults[0].code == "output.no_findings"


def _without(path: Path, *layers: str) -> None:
    with sqlite3.connect(path) as database:
        for name in layers:
            database.execute(f"DELETE FROM gpkg_contents WHERE table_name = '{name}'")  # noqa: S608  names of the test
            database.execute(f"DELETE FROM gpkg_ogr_contents WHERE table_name = '{name}'")  # noqa: S608
            database.execute(f"DELETE FROM gpkg_geometry_columns WHERE table_name = '{name}'")  # noqa: S608
    database.close()


def test_findings_of_an_older_version_have_what_is_newer_empty(findings: Findings, tmp_path: Path) -> None:
    old = {name: layer.drop(columns=["confidence"], errors="ignore") for name, layer in findings.layers.items()}
    save(dataclasses.replace(findings, layers=old), tmp_path)
    _without(tmp_path / "findings.gpkg", "indicators", "curve")
    back = load(tmp_path)
    assert back.tables["indicators"].empty
    assert {name: tuple(table.columns) for name, table in back.tables.items() if name in ("indicators", "curve")} == {
        name: TABLES[name] for name in ("indicators", "curve")
    }
    assert tuple(back.layers["gaps"].columns) == (*LAYERS["gaps"], "geometry")
    assert back.layers["gaps"]["confidence"].isna().all()
    assert back.layers["gaps"].crs == findings.layers["gaps"].crs


def test_findings_that_lack_a_layer_or_are_damaged_are_one_clear_error(findings: Findings, tmp_path: Path) -> None:
    save(findings, tmp_path)
    _without(tmp_path / "findings.gpkg", "rings")
    with pytest.raises(InputError) as caught:
        load(tmp_path)
    assert [(fault.code, fault.detail["layers"]) for fault in caught.value.faults] == [("output.findings_old", "rings")]
    (tmp_path / "findings.gpkg").write_bytes(b"junk" * 99)
    with pytest.raises(InputError) as caught:
        load(tmp_path)
    assert [fault.code for fault in caught.value.faults] == ["output.findings_damaged"]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_layer_has_a_default_style_that_names_real_columns(
    findings: Findings, tmp_path: Path, language: str
) -> None:
    save(findings, tmp_path)
    path = tmp_path / "findings.gpkg"
    write_styles(findings, path, language=language)  # type: ignore[arg-type]
    with sqlite3.connect(path) as database:
        rows = database.execute("SELECT f_table_name, styleQML, useAsDefault FROM layer_styles").fetchall()
        tables = {row[0] for row in database.execute("SELECT table_name FROM gpkg_contents")}
    assert {row[0] for row in rows} == set(LAYERS)
    assert set(LAYERS) | set(TABLES) <= tables
    for layer, qml, default in rows:
        assert default == 1
        renderer = ET.fromstring(qml).find("renderer-v2")  # noqa: S314  our own text
        assert renderer is not None
        attribute = renderer.get("attr")
        assert attribute is None or attribute in findings.layers[layer].columns
        entries = [*renderer.iter("category"), *renderer.iter("range")]
        symbols = {symbol.get("name") for symbol in renderer.iter("symbol")}
        assert {entry.get("symbol") for entry in entries} <= symbols


def test_the_summary_is_six_lines_with_the_figures_of_the_tables(findings: Findings) -> None:
    lines = summary_lines(findings, Path("out"), "en")
    assert len(lines) == 6
    assert f"{findings.manifest['totals']['people']:,}" in lines[0]
    row = findings.tables["siting"].iloc[0]
    assert f"{row.covered_after - row.covered_before:,}" in lines[3]
    lacking = int((findings.layers["compounds"]["missing_count"] > 0).sum())
    assert lines[2].startswith(f"{lacking} of {len(findings.layers['compounds'])} neighbourhoods")
