"""Every text that a user reads, by key and language: the one place where Chinese and English stand side by side.

The texts are TOML files in ``layers/texts``; ``[file_missing]`` in ``faults.toml`` has the key ``faults.file_missing``
and two values, ``zh`` and ``en``, which are templates for `str.format`.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from ..gis.errors import Fault, LifecircleError

Language: TypeAlias = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """Return all texts: key → language → template.

    Returns
    -------
    dict
        Keys are ``<file>.<name>``.

    Examples
    --------
    >>> sorted(catalogue()["faults.file_missing"])
    ['en', 'zh']
    """
    texts: dict[str, dict[str, str]] = {}
    for source in sorted(files(__package__).joinpath("texts").iterdir(), key=lambda entry: entry.name):
        if source.name.endswith(".toml"):
            stem = source.name.removesuffix(".toml")
            for name, languages in tomllib.loads(source.read_text(encoding="utf-8")).items():
                texts[f"{stem}.{name}"] = languages
    return texts


def say(key: str, language: Language, /, **parameters: object) -> str:
    """Return the text of a key in a language, its parameters filled in.

    Raises
    ------
    KeyError
        When the catalogue lacks the key, or the text names a parameter that was not given.

    Examples
    --------
    >>> say("faults.file_missing", "en", file="a.shp")
    'the file does not exist; check the path in study.toml'
    """
    template = catalogue()[key][language]
    return template.format(**parameters)


def explain(fault: Fault, language: Language) -> str:
    """Return one line for a fault: where it is, the value found, what is wrong and how to mend it.

    Examples
    --------
    >>> from lifecircle.gis.errors import Fault
    >>> explain(Fault("faults.negative", layer="compounds", row=7, column="households", value=-3), "en")
    'layer compounds, row 7, column households, value -3: must not be negative; correct the value in the source'
    """
    places = [
        say(f"faults.at_{name}", language, **{name: value})
        for name in ("file", "layer", "row", "column", "value")
        if (value := getattr(fault, name)) is not None
    ]
    known = {name: getattr(fault, name) for name in ("file", "layer", "row", "column", "value")}
    text = say(fault.code, language, **{**known, **fault.detail})
    where = say("faults.join", language).join(places)
    return say("faults.line", language, where=where, text=text) if where else text


def explain_error(error: LifecircleError, language: Language) -> list[str]:
    """Return the lines to print for an error: one a fault, or its own message where it carries none."""
    return [explain(fault, language) for fault in error.faults] or [str(error)]
