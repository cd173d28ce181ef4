"""A planner's folder gives the findings of the clean version of the same city, to the person."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import shapely
from planner_folder import Twice, write_twice
from typer.testing import CliRunner

from lifecircle.cli.cli import app
from lifecircle.layers.findings import LAYERS, TABLES
from lifecircle.layers.load import load_study
from lifecircle.layers.store import load

if TYPE_CHECKING:
    from pathlib import Path

    from lifecircle.layers.findings import Findings

APART_M = 1e-3
"""What coordinates written and moved back may differ by; GCJ-02 is undone to 0.1 mm."""
COUNTED = {"repairs", "merges"}
"""Tables of what was done to the files, which are not the same files."""
CLOCK = "seconds"
"""What the solver took is another in each run."""
LONG = re.compile(r"\d+\.\d+")
WORDS_OF_FILES = {"source"}


@dataclass(frozen=True)
class Both:
    """Findings of the clean folder and of the planner's, and the folders."""

    twice: Twice
    clean: Findings
    planner: Findings


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Both:
    folder = tmp_path_factory.mktemp("twice")
    twice = write_twice(folder)
    found = []
    for name, study in (("clean", twice.clean), ("planner", twice.planner)):
        out = folder / f"out_{name}"
        result = CliRunner().invoke(app, ["plan", str(study), "--only-findings", "--out", str(out)])
        assert result.exit_code == 0, result.output
        found.append(load(out))
    return Both(twice, *found)


def _sorted(frame: pd.DataFrame, layer: str) -> pd.DataFrame:
    """Return facilities and what was snapped in the order of their ids: one file may be two in the other folder."""
    key = {"facilities": ["facility_id"], "snapping": ["layer", "id"]}.get(layer)
    return frame if key is None else frame.sort_values(key).reset_index(drop=True)


def _rounded(text: object) -> object:
    """Return a text with its fractions to four digits."""
    return LONG.sub(lambda found: f"{float(found[0]):.4g}", text) if isinstance(text, str) else text


def _same(layer: str, clean: pd.DataFrame, planner: pd.DataFrame) -> None:
    """Assert that two frames say the same: counts, ids and words equal, metres within what coordinates lose."""
    clean, planner = _sorted(clean, layer), _sorted(planner, layer)
    assert list(clean.columns) == list(planner.columns)
    assert len(clean) == len(planner), layer
    for name in clean.columns.drop([*WORDS_OF_FILES, CLOCK], errors="ignore"):
        left, right = clean[name], planner[name]
        if name == "detail":  # JSON, whose areas lose what coordinates lose
            left, right = (side.astype("object").map(_rounded) for side in (left, right))
        where = f"{layer}.{name}"
        if name == "geometry":
            apart = shapely.hausdorff_distance(np.asarray(left), np.asarray(right))
            assert not len(left) or np.nanmax(apart, initial=0.0) < APART_M, where
        elif pd.api.types.is_float_dtype(left):
            a, b = left.to_numpy(np.float64, na_value=np.nan), right.to_numpy(np.float64, na_value=np.nan)
            # Areas are sides times millimetres.
            tolerance = 1.0 if layer == "circles" else APART_M
            np.testing.assert_allclose(a, b, rtol=1e-6, atol=tolerance, err_msg=where)
        else:
            pd.testing.assert_series_equal(left, right, check_dtype=False, obj=where)


@pytest.mark.parametrize("layer", list(LAYERS))
def test_layers_are_the_same(both: Both, layer: str) -> None:
    _same(layer, pd.DataFrame(both.clean.layers[layer]), pd.DataFrame(both.planner.layers[layer]))


@pytest.mark.parametrize("table", [name for name in TABLES if name not in COUNTED])
def test_tables_are_the_same(both: Both, table: str) -> None:
    _same(table, both.clean.tables[table], both.planner.tables[table])


def test_every_count_is_the_same_to_the_person_and_rates_to_the_bit(both: Both) -> None:
    clean, planner = both.clean.tables["coverage"], both.planner.tables["coverage"]
    assert len(clean) > 10_000
    for name in ("total", "covered", "uncovered", "unknown", "rate", "buffer_rate", "after_covered", "after_rate"):
        pd.testing.assert_series_equal(clean[name], planner[name], check_exact=True)
    for table in ("missing", "provision", "siting"):
        left, right = both.clean.tables[table], both.planner.tables[table]
        whole = [name for name in left.columns if pd.api.types.is_integer_dtype(left[name])]
        assert whole
        pd.testing.assert_frame_equal(left[whole], right[whole], check_exact=True)
    assert both.clean.manifest["totals"] == both.planner.manifest["totals"]
    assert both.clean.manifest["totals"]["people"] == both.twice.city.people


def test_the_planner_states_only_what_cannot_be_guessed(both: Both) -> None:
    text = both.twice.planner.read_text(encoding="utf-8")
    assert "columns" not in text
    assert "values" not in text
    assert "encoding" not in text


def test_check_says_what_was_read_and_how(both: Both) -> None:
    result = CliRunner().invoke(app, ["check", str(both.twice.planner), "--json"])
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    codecs = {row["encoding"] for row in said["files"] if row["file"].endswith((".shp", ".dxf", ".csv"))}
    assert codecs == {"gb18030"}
    assert not [fault for fault in said["faults"] if fault["blocks"]]


def test_init_proposes_a_study_that_reads_the_same_city(both: Both, tmp_path: Path) -> None:
    """Nothing is stated by hand: the best proposal of each datum is uncommented, as the user who agrees does."""
    folder = tmp_path / "bare"
    shutil.copytree(both.twice.planner.parent, folder, ignore=shutil.ignore_patterns("study.toml"))
    result = CliRunner().invoke(app, ["init", str(folder)])
    assert result.exit_code == 0, result.output
    study = folder / "study.toml"
    asked = False
    lines = []
    for line in study.read_text(encoding="utf-8").splitlines():
        first = asked and line.startswith("# datum = ") and not lines[-1].startswith("datum = ")
        axes = line.startswith("# axes = ") and lines[-1].startswith("datum = ")
        lines.append(line[2:] if first or axes else line)
        asked = line.startswith("#") and not (first or axes) and (asked or "最吻合的在前" in line)
    study.write_text("\n".join(lines), encoding="utf-8")
    made, stated = load_study(study), load_study(both.twice.planner)
    assert set(made.layers) == set(stated.layers)
    assert set(made.rasters) == set(stated.rasters)
    for layer, frame in stated.layers.items():
        key = next((name for name in frame.columns if name.endswith("_id") and frame[name].is_unique), None)
        left, right = made.layers[layer], frame
        if key is not None:
            left, right = (one.sort_values(key, ignore_index=True) for one in (left, right))
        apart = shapely.hausdorff_distance(left.geometry.to_numpy(), right.geometry.to_numpy())
        assert apart.max() < APART_M, layer
        assert set(left.columns) == set(right.columns), layer
        pd.testing.assert_frame_equal(
            pd.DataFrame(left.drop(columns="geometry")), pd.DataFrame(right[left.columns].drop(columns="geometry"))
        )


def test_a_list_in_the_wrong_datum_is_doubted(both: Both) -> None:
    """Amap's list taken for WGS 84 lies half a kilometre off."""
    text = both.twice.planner.read_text(encoding="utf-8")
    wrong = both.twice.planner.with_name("wrong.toml")
    wrong.write_text(text.replace('datum = "gcj02"', 'datum = "wgs84"'), encoding="utf-8")
    result = CliRunner().invoke(app, ["check", str(wrong)])
    wrong.unlink()
    assert result.exit_code == 0, result.output
    assert "gcj02" in result.output
