"""``lifecircle standards``: what it prints for people and programs, its exit codes, and that faults go to stderr."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lifecircle.cli.cli import app
from lifecircle.layers.standards import differences, load_standard, shipped_standards

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "standards.py"
FAULTY = '[standard]\nkey="a"\nzh="a"\nen="a"\nedition="1"\nclause="c"\n[rule.library]\nlimt_m=900\ncircle=7\n'


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["standards", *arguments])
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize("command", [[], ["list"], ["show"], ["diff"]])
def test_help_has_an_example(command: list[str]) -> None:
    code, out, _ = run(*command, "--help")
    assert code == 0
    assert "xample" in out
    assert f"lifecircle standards {' '.join(command)}".strip() in " ".join(out.split())


@pytest.mark.parametrize("arguments", [["list"], ["show", "gb50437-2007"], ["diff", "gb50180-2018", "tdt1062-2021"]])
def test_it_runs_by_path_and_pipes(arguments: list[str]) -> None:
    command = [sys.executable, str(SCRIPT), *arguments, "--json"]
    result = subprocess.run(command, check=False, capture_output=True, text=True, encoding="utf-8")
    assert result.returncode == 0, result.stderr
    assert not result.stderr
    assert json.loads(result.stdout)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_list_names_every_standard_with_its_confidence(language: str) -> None:
    code, out, _ = run("list", "--csv", "-l", language)
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 0
    assert tuple(row["standard"] for row in rows) == shipped_standards()
    for row in rows:
        standard = load_standard(row["standard"])
        assert int(row["rules"]) == len(standard.rules)
        assert int(row["D"]) == 0
        assert row["title"] == getattr(standard, language)
    code, table, _ = run("list", "-l", language)
    assert all(key in table for key in shipped_standards())


@pytest.mark.parametrize("key", shipped_standards())
def test_a_standard_is_shown_with_clause_and_confidence_of_each_rule(key: str) -> None:
    standard = load_standard(key)
    code, out, _ = run("show", key, "--csv", "-l", "en")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 0
    assert [row["facility_class"] for row in rows] == [rule.facility_class for rule in standard.all_rules]
    for row, rule in zip(rows, standard.all_rules, strict=True):
        assert row["clause"] == rule.clause_en
        assert row["confidence"] == rule.confidence
        assert (float(row["limit_m"]) if row["limit_m"] else None) == rule.limit_m
    code, table, _ = run("show", key, "-l", "zh")
    assert all(rule.zh in table and rule.clause in table for rule in standard.all_rules)
    assert all(figure.clause in table for circle in standard.circles for figure in circle.figures)
    assert all(one.formula_zh in table for one in standard.indicators)


def test_a_template_is_a_standard(tmp_path: Path) -> None:
    code, out, _ = run("show", "tdt1062-2021", "--toml")
    assert code == 0
    (tmp_path / "local.toml").write_text(out, encoding="utf-8")
    code, out, _ = run("diff", "tdt1062-2021", str(tmp_path / "local.toml"), "--json", "--exit-code")
    assert (code, json.loads(out)) == (0, [])


def test_differences_are_told_and_give_an_exit_code_when_asked() -> None:
    there = differences(load_standard("gb50180-2018"), load_standard("tdt1062-2021"))
    code, out, _ = run("diff", "gb50180-2018", "tdt1062-2021", "--csv", "--exit-code")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 1
    assert [(row["change"], row["key"], row["field"]) for row in rows] == [
        (one.change, one.key, one.field) for one in there
    ]
    assert run("diff", "gb50180-2018", "tdt1062-2021")[0] == 0
    code, out, _ = run("diff", "gb50180-2018", "gb50180-2018", "-l", "en")
    assert (code, out.strip()) == (0, "the two standards do not differ")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_all_faults_of_a_file_go_to_stderr(tmp_path: Path, language: str) -> None:
    path = tmp_path / "local.toml"
    path.write_text(FAULTY, encoding="utf-8")
    code, out, err = run("show", str(path), "-l", language)
    assert (code, out) == (2, "")
    assert "limt_m" in err
    assert "circle" in err
    assert "Traceback" not in err


def test_an_unknown_standard_is_told_with_those_that_ship() -> None:
    code, out, err = run("show", "gb1", "-l", "en")
    assert (code, out) == (2, "")
    assert all(key in err for key in shipped_standards())


def test_two_formats_at_once_are_refused() -> None:
    code, out, err = run("show", "gb50180-2018", "--json", "--csv")
    assert (code, out) == (2, "")
    assert "--toml" in err
