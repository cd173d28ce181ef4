"""environment.yml, pyproject.toml and the locks say the same; what is installed is inside the ranges."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import yaml
from packaging.requirements import Requirement

REPOSITORY = Path(__file__).resolve().parent.parent
CONDA_NAMES = {"matplotlib": "matplotlib-base", "osmium": "pyosmium"}


def declared() -> dict[str, Requirement]:
    """Requirements of pyproject.toml by name."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {requirement.name: requirement for requirement in map(Requirement, project["dependencies"])}


def test_environment_yml_equals_pyproject() -> None:
    entries = yaml.safe_load((REPOSITORY / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    from_pip = next(entry["pip"] for entry in entries if isinstance(entry, dict))
    from_conda = [entry for entry in entries if isinstance(entry, str) and entry not in {"pip", "python>=3.11"}]
    assert "python>=3.11" in entries
    assert from_pip[-1] == "-e ."
    expected = {
        f"{CONDA_NAMES.get(name, name)}{requirement.specifier}"
        for name, requirement in declared().items()
        if not str(requirement.specifier).startswith("==")
    }
    pinned = {str(requirement) for requirement in declared().values() if str(requirement.specifier).startswith("==")}
    assert set(from_conda) == expected
    assert set(from_pip[:-1]) == pinned


def test_installed_versions_are_inside_the_ranges() -> None:
    outside = {
        name: version(name)
        for name, requirement in declared().items()
        if not requirement.specifier.contains(version(name), prereleases=True)
    }
    assert outside == {}


def test_locks_hold_every_dependency_with_hashes_and_name_no_host() -> None:
    for lock, names in (
        ("requirements.lock", set(declared())),
        ("requirements-dev.lock", set(declared()) | {"pytest", "ruff", "mypy"}),
    ):
        text = (REPOSITORY / lock).read_text(encoding="utf-8")
        pinned = dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", text, flags=re.MULTILINE))
        assert names <= set(pinned)
        assert "://" not in text
        blocks = re.split(r"\n(?=[a-z0-9._-]+==)", text)[1:]
        assert all("--hash=sha256:" in block for block in blocks)


def test_locked_versions_are_inside_the_ranges() -> None:
    text = (REPOSITORY / "requirements.lock").read_text(encoding="utf-8")
    for name, pin in re.findall(r"^([a-z0-9._-]+)==([^ ;\\]+)", text, flags=re.MULTILINE):
        if name in declared():
            assert declared()[name].specifier.contains(pin), (name, pin)
