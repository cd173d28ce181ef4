"""The command line: quick help, the whole plan with every file, exit codes, and nothing left behind by a failure."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lifecircle.cli.cli import app
from lifecircle.cli.options import Language, language_of
from lifecircle.layers.sample import write_sample
from lifecircle.layers.store import CSV_TABLES
from lifecircle.layers.words import say

REPOSITORY = Path(__file__).resolve().parents[2]
ODD = "\U0010fffd"
"""A character for private use, which no font of the maps holds."""
HEAVY = {
    "numpy",
    "pandas",
    "geopandas",
    "shapely",
    "folium",
    "matplotlib",
    "rasterio",
    "osmnx",
    "numba",
    "scipy",
    "docx",
}


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """Folder, stdout and stderr of a plan whose name has a character that no font holds."""
    folder = tmp_path_factory.mktemp("生活 圈")
    study = write_sample(folder / "city", people=20_000, seed=5)
    text = study.read_text(encoding="utf-8")
    study.write_text(re.sub('(?m)^name = "', f'name = "{ODD}', text, count=1), encoding="utf-8")
    result = CliRunner().invoke(app, ["plan", str(study), "--out", str(folder / "out"), "--timings", "--surfaces"])
    assert result.exit_code == 0, result.output
    return folder / "out", result.stdout, result.stderr


def test_help_imports_nothing_heavy() -> None:
    code = "import sys; import lifecircle.cli.cli; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert HEAVY.isdisjoint(loaded)


@pytest.mark.parametrize("command", ["plan", "site", "sample", "init", "check", "fetch"])
def test_every_command_has_help_with_an_example(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert "xample" in result.output
    assert f"lifecircle {command}" in " ".join(result.output.split())


@pytest.mark.parametrize("command", ["plan", "site", "sample", "init", "check", "fetch"])
def test_every_command_runs_by_path(command: str) -> None:
    path = REPOSITORY / "scripts" / f"{command}.py"
    result = subprocess.run([sys.executable, str(path), "--help"], check=False, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_a_plan_leaves_every_file_and_a_summary_of_six_lines(planned: tuple[Path, str, str]) -> None:
    out, stdout, _ = planned
    files = {
        "map.html",
        "report.docx",
        "tables.xlsx",
        "findings.gpkg",
        "manifest.json",
        "timings.json",
        *(f"{name}.csv" for name in CSV_TABLES),
        "sheets",
        "siting",
        "surfaces",
    }
    assert {entry.name for entry in out.iterdir()} == files
    endings = {".png", ".svg", ".pdf"}
    sheets = {path.stem: set() for path in (out / "sheets").iterdir()}
    for path in (out / "sheets").iterdir():
        sheets[path.stem].add(path.suffix)
    assert len(sheets) > 4
    assert all(found == endings for found in sheets.values())
    lines = stdout.splitlines()
    assert str(out / "map.html") in lines[4]
    assert len([line for line in lines[6:] if "\t" in line]) == len(lines) - 6, "after six lines come the timings"


def test_surfaces_are_written_where_they_are_asked_for(planned: tuple[Path, str, str]) -> None:
    names = {path.name for path in (planned[0] / "surfaces").iterdir()}
    assert {"walk-primary_school.tif", "bands-primary_school.tif"} <= names
    assert {name.removeprefix("walk-") for name in names if name.startswith("walk-")} == {
        name.removeprefix("bands-") for name in names if name.startswith("bands-")
    }


def test_what_the_sheets_cannot_show_is_said_on_stderr(planned: tuple[Path, str, str]) -> None:
    notes = [line for line in planned[2].splitlines() if "〓" in line]
    assert notes == [say("cli.warning", "zh", text=say("sheet.glyphs_missing", "zh", characters=ODD))]
    assert "〓" not in planned[1]


def test_the_manifest_can_be_read_by_other_programs(planned: tuple[Path, str, str]) -> None:
    manifest = json.loads((planned[0] / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["totals"]["people"] == 20_000
    assert all(len(source["sha256"]) == 64 for source in manifest["sources"])
    assert {source["layer"] for source in manifest["sources"]} >= {"streets", "facilities", "compounds"}


def test_a_study_that_is_not_there_is_exit_code_2_and_leaves_nothing(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["plan", str(tmp_path / "none.toml"), "--out", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert "none.toml" in result.stderr
    assert not (tmp_path / "out").exists()


def test_an_output_place_that_is_a_file_is_exit_code_2(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    study = write_sample(tmp_path / "city", people=20_000)
    result = CliRunner().invoke(app, ["plan", str(study), "--out", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert (tmp_path / "out").read_text() == "a file"
    assert "Traceback" not in result.output


def test_the_language_is_what_was_asked_then_the_study_then_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = tmp_path / "study.toml"
    study.write_text('[study]\nlanguage = "en"\n', encoding="utf-8")
    monkeypatch.setenv("LIFECIRCLE_LANGUAGE", "zh_CN.UTF-8")
    assert language_of(Language.zh, study) == "zh"
    assert language_of(None, study) == "en"
    assert language_of(None) == "zh"
    monkeypatch.setenv("LIFECIRCLE_LANGUAGE", "en_GB")
    assert language_of(None) == "en"
    study.write_text("[[[ not toml", encoding="utf-8")
    assert language_of(None, study) == "en"
