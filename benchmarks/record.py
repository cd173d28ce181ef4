"""The results of a benchmark, written into README.md in place of those of the last run."""

from __future__ import annotations

import datetime as dt
import os
import platform
from importlib.metadata import version
from pathlib import Path

README = Path(__file__).resolve().parent / "README.md"
OWN = ("numba", "numpy", "scipy", "shapely", "osmium", "highspy")


def machine() -> str:
    """Return a line that says on what a run was made: its figures hold for that, the ratios for most machines."""
    own = ", ".join(f"{name} {version(name)}" for name in OWN)
    day = dt.datetime.now(tz=dt.UTC).date().isoformat()
    return f"{day}, {os.cpu_count()} processors ({platform.machine()}), Python {platform.python_version()}, {own}."


def record(section: str, text: str) -> None:
    """Write the results of one benchmark between the marks of its section.

    Raises
    ------
    ValueError
        When README.md has no such marks.
    """
    begin, end = f"<!-- begin: {section} -->", f"<!-- end: {section} -->"
    page = README.read_text(encoding="utf-8")
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        message = f"README.md has no marks of {section}"
        raise ValueError(message)
    beside = README.with_suffix(".md.part")
    beside.write_text(f"{before}{begin}\n\n{machine()}\n\n{text.strip()}\n\n{end}{after}", encoding="utf-8")
    beside.replace(README)
