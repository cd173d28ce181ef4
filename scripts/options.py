"""What the commands share: language, error reporting and progress."""

from __future__ import annotations

import locale
import os
import sys
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lifecircle.layers.words import Language as LanguageName

SHOWN_FAULTS = 40
"""How many faults are printed before the rest is counted."""


class Language(StrEnum):
    """Languages that lifecircle speaks."""

    zh = "zh"
    en = "en"


LanguageOption = Annotated[
    Language | None,
    typer.Option(
        "--language", "-l", help="zh or en; else the study's own, else the system's. 语言。", show_default=False
    ),
]
OutOption = Annotated[Path, typer.Option("--out", "-o", help="Folder for the results; made if needed. 输出文件夹。")]


def language_of(option: Language | None, study: Path | None = None) -> LanguageName:
    """Return the language to speak: what was asked for, else the study's own, else the system's.

    The study is read only for this one word; what is wrong with it is told later, in that language. A system that names
    no language gets Chinese, as most users of the product do.
    """
    if option is not None:
        return option.value
    if study is not None and study.is_file():
        import tomllib

        try:
            wanted = tomllib.loads(study.read_text(encoding="utf-8")).get("study", {}).get("language", "zh")
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, AttributeError, OSError):
            wanted = None
        if wanted in {"zh", "en"}:
            return "en" if wanted == "en" else "zh"
    system = os.environ.get("LIFECIRCLE_LANGUAGE") or os.environ.get("LANG") or locale.getlocale()[0] or ""
    silent = system.split(".")[0] in {"", "C", "POSIX"}
    return "zh" if silent or system.lower().startswith(("zh", "chinese")) else "en"


@contextmanager
def reporting(language: LanguageName) -> Iterator[None]:
    """Turn lifecircle's errors into lines on stderr and exit code 2; anything else is a bug and keeps its traceback."""
    from lifecircle.gis.errors import LifecircleError
    from lifecircle.layers.words import explain_error, say

    try:
        yield
    except LifecircleError as error:
        lines = explain_error(error, language)
        for line in lines[:SHOWN_FAULTS]:
            typer.echo(say("cli.error", language, text=line), err=True)
        if len(lines) > SHOWN_FAULTS:
            typer.echo(say("cli.and_more", language, count=len(lines) - SHOWN_FAULTS), err=True)
        raise typer.Exit(2) from error
    except KeyboardInterrupt:
        typer.echo(say("cli.interrupted", language), err=True)
        raise typer.Exit(130) from None


@contextmanager
def progress(language: LanguageName, total: int) -> Iterator[Callable[[str], None]]:
    """Show a bar of steps on stderr while it is a terminal; yield the function that announces the next step."""
    from lifecircle.layers.words import say

    if not sys.stderr.isatty():
        yield lambda key: typer.echo(f"· {say(key, language)}", err=True)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total)

        def announce(key: str) -> None:
            bar.update(task, description=say(key, language), advance=1)

        yield announce
