"""`lifecircle site`: the same wishes give what the plan gave, other wishes other sites, and nothing is half-written."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from lifecircle.cli.cli import app
from lifecircle.layers.findings import LAYERS, TABLES, Findings
from lifecircle.layers.sample import write_sample
from lifecircle.layers.store import load

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Findings of a small made-up city, without map and report."""
    folder = tmp_path_factory.mktemp("site")
    study = write_sample(folder / "city", people=20_000, seed=3)
    result = CliRunner().invoke(app, ["plan", str(study), "--out", str(folder / "out"), "--only-findings"])
    assert result.exit_code == 0, result.output
    return folder / "out"


def site(*arguments: object) -> Result:
    """Run the command."""
    return CliRunner().invoke(app, ["site", *map(str, arguments), "--only-findings"])


def sited(planned: Path, out: Path, *arguments: object) -> Findings:
    """Findings after the command."""
    result = site(planned, "--out", out, *arguments)
    assert result.exit_code == 0, result.output
    return load(out)


def row_of(findings: Findings, facility_class: str) -> pd.Series[object]:
    """Row of a class in the table of wishes."""
    table = findings.tables["siting"]
    return table[table["facility_class"] == facility_class].iloc[0]


def test_the_same_wishes_give_what_the_plan_gave(planned: Path, tmp_path: Path) -> None:
    again = sited(planned, tmp_path / "again")
    first = load(planned)
    for name in LAYERS:
        pd.testing.assert_frame_equal(first.layers[name], again.layers[name])
    for name in TABLES:
        skip = ["seconds"] if name == "siting" else []
        one, other = (found.tables[name].drop(columns=skip) for found in (first, again))
        pd.testing.assert_frame_equal(one, other)
    assert first.manifest == again.manifest
    for path in (planned / "siting").iterdir():
        assert path.read_bytes() == (tmp_path / "again" / "siting" / path.name).read_bytes()


def test_it_may_be_asked_again_and_again_in_the_same_folder(planned: Path, tmp_path: Path) -> None:
    folder = tmp_path / "own"
    shutil.copytree(planned, folder)
    assert site(folder, "--class", "food_market", "--sites", 3).exit_code == 0
    more = load(folder)
    assert (more.layers["sites"]["facility_class"] == "food_market").sum() == 3
    assert site(folder, "--class", "food_market", "--sites", 1).exit_code == 0
    pd.testing.assert_frame_equal(load(folder).layers["sites"], load(planned).layers["sites"])


def test_more_sites_reach_more_and_coverage_says_so(planned: Path, tmp_path: Path) -> None:
    few, many = load(planned), sited(planned, tmp_path / "many", "--class", "food_market", "--sites", 4)
    before, after = row_of(few, "food_market"), row_of(many, "food_market")
    assert after["objective"] > before["objective"]
    assert after["covered_before"] == before["covered_before"]
    coverage = many.tables["coverage"]
    city = coverage[
        (coverage["group_kind"] == "city")
        & (coverage["facility_class"] == "food_market")
        & (coverage["measure"] == "people")
    ].iloc[0]
    assert city["after_covered"] == after["covered_after"]
    same = coverage["facility_class"] != "food_market"
    columns = [name for name in coverage if not name.startswith("after")]
    pd.testing.assert_frame_equal(coverage[columns], few.tables["coverage"][columns])
    elsewhere = ["kindergarten", "clinic"]
    rows = same & coverage["facility_class"].isin(elsewhere)
    pd.testing.assert_frame_equal(coverage[rows], few.tables["coverage"][rows])
    assert many.manifest["totals"]["sites"] == len(many.layers["sites"])


def test_barred_sites_are_not_chosen_and_required_ones_are(planned: Path, tmp_path: Path) -> None:
    first = load(planned).layers["sites"].set_index("facility_class")["site_id"]
    barred = sited(planned, tmp_path / "bar", "--class", "food_market", "--bar", first["food_market"])
    chosen = barred.layers["sites"].set_index("facility_class")["site_id"]
    assert chosen["food_market"] != first["food_market"]
    free = barred.layers["candidates"]
    free = free[(free["facility_class"] == "food_market") & free["fits"].astype(bool)]["site_id"]
    other = next(name for name in free if name not in set(first))
    required = sited(planned, tmp_path / "must", "--class", "food_market", "--must", other)
    assert required.layers["sites"].set_index("facility_class")["site_id"]["food_market"] == other
    assert row_of(required, "food_market")["objective"] <= row_of(load(planned), "food_market")["objective"]


@pytest.mark.parametrize(
    ("model", "extra"),
    [
        ("set_cover", ()),
        ("p_median", ("--sites", "2")),
        ("budgeted", ("--budget", "2500000", "--cost", "1000000")),
    ],
)
def test_every_model_answers_with_its_bound(planned: Path, tmp_path: Path, model: str, extra: tuple[str, ...]) -> None:
    found = sited(planned, tmp_path / "other", "--class", "food_market", "--model", model, *extra)
    row = row_of(found, "food_market")
    assert row["model"] == model
    assert row["status"] == "optimal"
    assert row["bound"] == pytest.approx(row["objective"])
    assert row["covered_after"] >= row["covered_before"]
    if model == "budgeted":
        assert row["spent_yuan"] <= row["budget_yuan"] == 2_500_000
        assert row["chosen"] == 2
    if model == "set_cover":
        assert row["covered_after"] + row["unreachable"] == row["total"]


def test_wishes_of_a_file_replace_those_of_the_plan(planned: Path, tmp_path: Path) -> None:
    wishes = tmp_path / "wishes.toml"
    wishes.write_text(
        '[siting]\nseconds = 9.0\n[[siting.wish]]\nfacility_class = "food_market"\nsites = 2\n', encoding="utf-8"
    )
    found = sited(planned, tmp_path / "out", "--wishes", wishes)
    assert found.tables["siting"]["facility_class"].tolist() == ["food_market"]
    assert found.manifest["settings"]["siting"]["seconds"] == 9.0
    assert not found.manifest["classes"]["elderly_day_care"]["sited"]
    coverage = found.tables["coverage"]
    day_care = coverage[coverage["facility_class"] == "elderly_day_care"]
    np.testing.assert_array_equal(day_care["after_covered"], day_care["covered"])


REFUSED: dict[str, tuple[tuple[str, ...], str]] = {
    "unknown class": (("--class", "cinema", "--sites", "2"), "cinema"),
    "unknown id": (("--class", "food_market", "--must", "L99999"), "L99999"),
    "no class": (("--sites", "2"), "--class"),
    "unread by the model": (("--class", "food_market", "--model", "set_cover", "--sites", "2"), "siting.wish[3].sites"),
    "no budget": (("--class", "food_market", "--model", "budgeted", "--cost", "5"), "budget_yuan"),
    "both required and barred": (("--class", "food_market", "--must", "L00007", "--bar", "L00007"), "L00007"),
    "no cost": (("--class", "food_market", "--model", "budgeted", "--budget", "5"), "cost_yuan"),
    "budget below all": (
        ("--class", "food_market", "--model", "budgeted", "--budget", "5", "--cost", "9"),
        "9",
    ),
    "no time": (("--seconds", "0"), "siting.seconds"),
    "no file": (("--wishes", "none.toml"), "none.toml"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_honoured_is_said_and_nothing_is_written(planned: Path, tmp_path: Path, case: str) -> None:
    arguments, named = REFUSED[case]
    result = site(planned, "--out", tmp_path / "out", *arguments)
    assert result.exit_code == 2
    assert named in result.stderr
    assert "Traceback" not in result.output
    assert not (tmp_path / "out").exists()


def test_a_plan_is_not_asked_for_what_a_wish_cannot_honour(planned: Path, tmp_path: Path) -> None:
    study = planned.parent / "city" / "study.toml"
    text = study.read_text(encoding="utf-8")
    wish = (
        '\n[[siting.wish]]\nfacility_class = "food_market"\nsites = 2\nbudget_yuan = 5.0\nleast = 0.5\nclose = ["F1"]\n'
    )
    (study.parent / "wrong.toml").write_text(text + wish, encoding="utf-8")
    result = CliRunner().invoke(app, ["plan", str(study.parent / "wrong.toml"), "--out", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert "budget_yuan" in result.stderr
    assert "least" in result.stderr
    assert "close" in result.stderr
    assert not (tmp_path / "out").exists()


def damaged(folder: Path, what: str) -> None:
    """Change a folder so that it is no longer whole."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    if what == "changed":
        (folder / "siting" / "01-reach.npz").write_bytes((folder / "siting" / "02-stand.npz").read_bytes())
    elif what == "gone":
        (folder / "siting" / "people.npz").unlink()
    elif what == "older":
        del manifest["siting"]
    elif what == "format":
        manifest["siting"]["format"] = 99
    else:
        shutil.rmtree(folder)
    if folder.exists():
        (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


@pytest.mark.parametrize("what", ["changed", "gone", "older", "format", "nothing"])
def test_stale_or_missing_data_are_refused(planned: Path, tmp_path: Path, what: str) -> None:
    folder = tmp_path / "own"
    shutil.copytree(planned, folder)
    damaged(folder, what)
    result = site(folder, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "Traceback" not in result.output
    assert result.stderr.strip().splitlines()[-1]
    assert not (tmp_path / "out").exists()


def test_findings_alone_do_not_leave_a_map_of_other_sites(planned: Path, tmp_path: Path) -> None:
    folder = tmp_path / "own"
    shutil.copytree(planned, folder)
    (folder / "map.html").write_text("a map", encoding="utf-8")
    result = site(folder)
    assert result.exit_code == 2
    assert "map.html" in result.stderr
