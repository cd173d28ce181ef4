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
    from collections.abc import Mapping

    from ..gis.errors import Fault, LifecircleError

Language: TypeAlias = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")
SHOWN_SIGNS = 80
"""How much of a long value is shown; a cell may hold a whole drawing's texts."""


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


class _Grouped(int):
    """A whole number that a text without a format of its own writes with thousands separators."""

    def __format__(self, spec: str) -> str:
        return format(int(self), spec or ",")


def grouped(detail: Mapping[str, object]) -> dict[str, object]:
    """Return the parameters of a text with whole numbers that are written as 13,506; years stay as they are.

    Examples
    --------
    >>> "{people} {year} {name}".format(**grouped({"people": 13506, "year": 2026, "name": "A 1000"}))
    '13,506 2026 A 1000'
    """
    return {
        name: _Grouped(value) if isinstance(value, int) and not isinstance(value, bool) and name != "year" else value
        for name, value in detail.items()
    }


def layer_name(layer: str, language: Language) -> str:
    """Return what a layer is called; its own name where the catalogue has none.

    Examples
    --------
    >>> layer_name("compounds", "zh"), layer_name("ring_lines", "en"), layer_name("other", "zh")
    ('小区', 'Ring lines', 'other')
    """
    key = f"values.layer_{layer}"
    return say(key, language) if key in catalogue() else layer


def say_note(code: str, detail: Mapping[str, object], language: Language) -> str:
    """Return a note of a study as a sentence, its numbers with thousands separators.

    Examples
    --------
    >>> say_note("demand.outside_districts", {"people": 13506}, "en")
    '13,506 more people were estimated outside the sub-districts.'
    >>> say_note("study.encoding", {"layer": "districts", "file": "街道.shp", "encoding": "gb18030"}, "zh")
    '图层 街道：街道.shp 的文字按 gb18030 读取。'
    """
    named = {**detail, "layer": layer_name(str(detail["layer"]), language)} if "layer" in detail else detail
    return say(code, language, **grouped(named))


def _place_key(name: str, value: object) -> str:
    """Return how a place is called: a row by its number is a row, by its id an id."""
    return "id" if name == "row" and isinstance(value, str) else name


def _short(value: object) -> object:
    """Return what is shown of a value: of a long text its beginning."""
    return f"{value[:SHOWN_SIGNS]}…" if isinstance(value, str) and len(value) > SHOWN_SIGNS + 1 else value


def explain(fault: Fault, language: Language) -> str:
    """Return one line for a fault: where it is, the value found, what is wrong and how to mend it.

    Examples
    --------
    >>> from lifecircle.gis.errors import Fault
    >>> explain(Fault("faults.negative", layer="compounds", row=7, column="households", value=-3), "en")
    'layer compounds, row 7, column households, value -3: must not be negative; correct the value in the source'
    >>> explain(Fault("faults.negative", row="C07"), "zh")
    '编号 C07：不能为负数，请在源数据中改正'
    """
    places = [
        say(
            f"faults.at_{_place_key(name, value)}",
            language,
            # In English a layer's own name, as study.toml has it, reads well.
            **{name: layer_name(str(value), language) if name == "layer" and language != "en" else value},
        )
        for name in ("file", "layer", "row", "column", "value")
        if (value := getattr(fault, name) if name == "file" else _short(getattr(fault, name))) is not None
    ]
    known = {name: getattr(fault, name) for name in ("file", "layer", "row", "column", "value")}
    text = say(fault.code, language, **{**known, **grouped(fault.detail), **_reasons(fault.detail, language)})
    where = say("faults.join", language).join(places)
    line = say("faults.line", language, where=where, text=text) if where else text
    candidates = candidates_of(fault)
    if not candidates:
        return line
    listed = (f"    {explain(candidate, language)}" for candidate in candidates)
    return "\n".join([line, f"  {say('datum.candidates', language)}", *listed])


def _reasons(detail: Mapping[str, object], language: Language) -> dict[str, str]:
    """Return in words why a candidate was refused, where a fault names the reasons, joined by ";"."""
    if "reasons" not in detail:
        return {}
    keys = [f"values.reason_{name}" for name in str(detail["reasons"]).split(";")]
    known = catalogue()
    said = [say(key, language) if key in known else key.removeprefix("values.reason_") for key in keys]
    return {"reasons": say("faults.join", language).join(said)}


def candidates_of(fault: Fault) -> tuple[Fault, ...]:
    """Return the coordinate systems that a fault of a datum lists, best fit first; none for any other fault."""
    listed = fault.detail.get("candidates", ())
    return listed if isinstance(listed, tuple) else ()


def explain_error(error: LifecircleError, language: Language) -> list[str]:
    """Return the lines to print for an error: one a fault, or its own message where it carries none."""
    return [explain(fault, language) for fault in error.faults] or [str(error)]
