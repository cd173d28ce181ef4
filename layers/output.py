"""Writing results so that nothing half-written is ever left: everything is written beside its place, then renamed."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..gis.errors import Fault, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""First characters that make a spreadsheet run a text cell as a formula."""


def _refuse(target: Path, error: OSError) -> OutputError:
    """Say that a place cannot be written, and why."""
    reason = error.strerror or type(error).__name__
    fault = Fault("output.cannot_write", file=str(target), detail={"reason": reason})
    return OutputError(f"cannot write {target}: {reason}", fault)


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """Yield an empty folder beside `target`; on success move its entries into `target`, on failure remove it.

    Entries of `target` with other names stay as they are. A reader of `target` sees each entry as it was, or whole.

    Raises
    ------
    OutputError
        When the place cannot be written; found before the work starts.

    Examples
    --------
    >>> place = Path(tempfile.mkdtemp()) / "result"
    >>> with whole_folder(place) as folder:
    ...     _ = (folder / "a.txt").write_text("whole")
    >>> [entry.name for entry in place.iterdir()]
    ['a.txt']
    """
    is_new = not target.exists()
    try:
        target.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=".partial-", dir=target))
    except OSError as error:
        raise _refuse(target, error) from error
    try:
        yield beside
        for entry in sorted(beside.iterdir()):
            _replace(entry, target / entry.name)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
        if is_new and not any(target.iterdir()):
            target.rmdir()


def _replace(entry: Path, place: Path) -> None:
    """Put a finished file or folder in its place, over an older one."""
    try:
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        os.replace(entry, place)  # noqa: PTH105  Path.replace is the same call; this one reads as what it is
    except OSError as error:  # for example a workbook that is open in Excel on Windows
        raise _refuse(place, error) from error


def neutral(text: object) -> object:
    """Return a cell that a spreadsheet shows and never runs: texts that start like a formula get an apostrophe.

    Examples
    --------
    >>> neutral("=HYPERLINK(1)"), neutral("柳荫里"), neutral(-3)
    ("'=HYPERLINK(1)", '柳荫里', -3)
    """
    return f"'{text}" if isinstance(text, str) and text.startswith(FORMULA_STARTS) else text


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table as UTF-8 with a byte order mark, as Excel needs for Chinese; no text cell can run as a formula."""
    safe = table.copy()
    for name in safe.columns[[dtype.kind not in "iufbM" for dtype in safe.dtypes]]:
        safe[name] = safe[name].map(neutral)
    safe.to_csv(path, index=False, encoding="utf-8-sig", lineterminator="\r\n")
