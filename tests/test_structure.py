"""What nothing else would notice: imports go one way, every folder is packaged, examples in docstrings run."""

from __future__ import annotations

import ast
import doctest
import importlib
import pkgutil
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lifecircle.layers import words

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).resolve().parent.parent
FOLDERS = {"gis": "gis", "layers": "layers", "maps": "maps", "scripts": "cli"}
ORDER = ("gis", "layers", "maps", "cli")


def sources() -> Iterator[tuple[str, Path]]:
    """Package name within lifecircle and path of every source file."""
    for folder, package in FOLDERS.items():
        for path in sorted((REPOSITORY / folder).rglob("*.py")):
            yield package, path


def modules() -> list[str]:
    """Importable names of all modules."""
    names = []
    for _, path in sources():
        folder, *inner = path.relative_to(REPOSITORY).with_suffix("").parts
        parts = [part for part in inner if part != "__init__"]
        names.append(".".join(["lifecircle", FOLDERS[folder], *parts]))
    return names


def imported_rooms(path: Path, package: str) -> set[str]:
    """Rooms of lifecircle that a file imports, relative and absolute."""
    rooms = set()
    inner = path.relative_to(REPOSITORY).parts[1:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            here = ["lifecircle", package, *inner]
            target = [*here[: len(here) - (node.level - 1)], *(node.module or "").split(".")]
            names = [target[1]] if len(target) > 1 and target[1] else [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            target = (node.module or "").split(".")
            names = target[1:2] or [alias.name for alias in node.names] if target[0] == "lifecircle" else []
        elif isinstance(node, ast.Import):
            names = [alias.name.split(".")[1] for alias in node.names if alias.name.startswith("lifecircle.")]
        else:
            continue
        rooms.update(names)
    return rooms & set(ORDER)


@pytest.mark.parametrize(
    ("package", "path"), list(sources()), ids=lambda value: str(value).removeprefix(f"{REPOSITORY}/")
)
def test_imports_go_one_way(package: str, path: Path) -> None:
    allowed = set(ORDER[: ORDER.index(package) + 1])
    assert imported_rooms(path, package) <= allowed


def test_every_package_folder_is_declared() -> None:
    setup = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    found = set()
    for folder, package in FOLDERS.items():
        for init in (REPOSITORY / folder).rglob("__init__.py"):
            inner = init.parent.relative_to(REPOSITORY / folder).parts
            found.add(".".join(["lifecircle", package, *inner]))
    assert found == set(setup["packages"])


def test_every_data_file_is_declared() -> None:
    setup = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    for package, patterns in setup["package-data"].items():
        _, room, *inner = package.split(".")
        folder = next(name for name, alias in FOLDERS.items() if alias == room)
        files = {
            path
            for path in (REPOSITORY / folder).joinpath(*inner).iterdir()
            if path.is_file() and path.suffix not in {".py", ".pyc"}
        }
        assert {path.name for path in files if not any(path.match(pattern) for pattern in patterns)} == set()


def test_nothing_happens_on_import() -> None:
    statements = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign, ast.If)
    for _, path in sources():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            registers = path.name == "cli.py" and ast.unparse(node).startswith(("app.command(", "app.add_typer("))
            assert isinstance(node, statements) or is_text or registers, f"{path}:{node.lineno}"


@pytest.mark.parametrize("name", modules())
def test_docstring_examples(name: str) -> None:
    failures, _ = doctest.testmod(
        importlib.import_module(name),
        optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.IGNORE_EXCEPTION_DETAIL,
    )
    assert failures == 0


def test_every_text_stands_in_both_languages_with_the_same_placeholders() -> None:
    for key, languages in words.catalogue().items():
        assert set(languages) == set(words.LANGUAGES), key
        holes = [set(re.findall(r"\{(\w+)", text)) for text in languages.values()]
        assert holes[0] == holes[1], key


def test_every_fault_and_note_that_is_raised_has_a_text() -> None:
    used = set()
    for _, path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"Fault", "Note", "say"} and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    used.add(first.value)
    assert used - set(words.catalogue()) == set()
    assert len(used) > 10


def test_all_modules_are_found() -> None:
    for alias in FOLDERS.values():
        package = importlib.import_module(f"lifecircle.{alias}")
        for module in pkgutil.iter_modules(package.__path__):
            assert f"lifecircle.{alias}.{module.name}" in modules()
