"""study.toml as read: its syntax, its keys and its values, each fault with the key, the value and the mend."""

from __future__ import annotations

import difflib
import tomllib
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from ..gis.errors import Fault, InputError, MissingFileError
from .contracts import CONTRACTS
from .settings import StudySettings
from .table import without_control
from .wishes import check_wishes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

LAYER_NAMES: tuple[str, ...] = (*CONTRACTS, "dem")

_KINDS: dict[str, str] = {
    "string_type": "text",
    "float_type": "number",
    "float_parsing": "number",
    "finite_number": "number",
    "int_type": "whole",
    "int_parsing": "whole",
    "int_from_float": "whole",
    "bool_type": "boolean",
    "bool_parsing": "boolean",
    "list_type": "list",
    "dict_type": "table",
    "model_type": "table",
    "date_type": "date",
    "date_parsing": "date",
    "date_from_datetime_parsing": "date",
    "date_from_datetime_inexact": "date",
}
"""Pydantic's error types that say a value is of another kind → what it should be (a key ``faults.kind_…``)."""


def read_settings(path: Path) -> StudySettings:
    """Read and check a study.toml.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    MissingFileError
        When it does not exist.
    InputError
        When it is not TOML, or with one fault for each unknown key, missing key and wrong value.
    """
    raw = _printable(read_toml(path))
    try:
        settings = StudySettings.model_validate(raw)
    except ValidationError as error:
        faults = settings_faults(error.errors(include_url=False), raw, str(path))
        message = f"{path} has {len(faults)} fault(s): {faults[0]}"
        raise InputError(message, *faults) from error
    unheard = check_wishes(settings.siting, str(path))
    if unheard:
        message = f"{path} has {len(unheard)} fault(s): {unheard[0]}"
        raise InputError(message, *unheard)
    return settings


def _printable(raw: dict[str, Any]) -> dict[str, Any]:
    """Return a study.toml without control signs in what is printed: names, sources, the approval number."""
    return {key: _cleaned(value) if key in ("study", "rings") else _sourced(value) for key, value in raw.items()}


def _cleaned(value: Any) -> Any:  # noqa: ANN401  any value of TOML
    """Return a value of TOML with the control signs taken out of its texts, however deep."""
    if isinstance(value, str):
        return without_control(value)
    if isinstance(value, list):
        return [_cleaned(part) for part in value]
    return {key: _cleaned(part) for key, part in value.items()} if isinstance(value, dict) else value


def _sourced(value: Any) -> Any:  # noqa: ANN401  any value of TOML
    """Return a section with maker and licence clean; paths, column names and values of files stay as they are."""
    if isinstance(value, list):
        return [_sourced(part) for part in value]
    if not isinstance(value, dict):
        return value
    return {key: _cleaned(part) if key in ("source", "licence") else _sourced(part) for key, part in value.items()}


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file; a byte order mark, as Windows' editor writes it, is forgiven.

    Raises
    ------
    MissingFileError
        When it does not exist.
    InputError
        When it cannot be read, is not UTF-8 or not TOML.
    """
    if not path.exists():
        message = f"no such file: {path}"
        raise MissingFileError(message, Fault("faults.study_missing", file=str(path)))
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        message = f"{path} is not TOML: {error}"
        raise InputError(message, Fault("faults.toml", file=str(path), detail={"reason": str(error)})) from error
    except UnicodeDecodeError as error:
        message = f"{path} is not UTF-8"
        raise InputError(message, Fault("faults.toml_encoding", file=str(path))) from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        message = f"cannot read {path}: {reason}"
        raise InputError(message, Fault("faults.unreadable", file=str(path), detail={"reason": reason})) from error


def settings_faults(
    errors: Iterable[ErrorDetails], raw: Mapping[str, Any], file: str, *, model: type[BaseModel] = StudySettings
) -> list[Fault]:
    """Translate pydantic's errors to faults that name the key as the user wrote it; ``model`` is what was read.

    A layer may be one table or a list of tables; pydantic reports both readings, and the one that was meant is kept.

    Examples
    --------
    >>> raw = {"study": {"name": "甲", "walkr": "elderly"}, "layers": {}}
    >>> try:
    ...     StudySettings.model_validate(raw)
    ... except ValidationError as error:
    ...     print(*settings_faults(error.errors(), raw, "study.toml"))
    faults.key_unknown_near (file=study.toml, value=elderly, setting=study.walkr, near=walker)
    """
    faults = []
    for error in errors:
        loc = _meant(error["loc"], raw)
        if loc is not None:
            faults.append(_fault(error, loc, file, model))
    return faults


def _meant(loc: tuple[int | str, ...], raw: Mapping[str, Any]) -> tuple[int | str, ...] | None:
    """Return a location without the names of pydantic's branches; None for the branch that was not meant."""
    if len(loc) > 2 and loc[0] == "layers" and loc[2] in ("LayerSection", "list[LayerSection]"):
        listed = isinstance(raw.get("layers", {}).get(loc[1]), list)
        return (*loc[:2], *loc[3:]) if listed == (loc[2] == "list[LayerSection]") else None
    return loc


def _fault(error: ErrorDetails, loc: tuple[int | str, ...], file: str, model: type[BaseModel]) -> Fault:
    """Return the fault for one error of pydantic."""
    value = error["input"]
    code, detail = _code(error, loc, model)
    key = _dotted([part for part in loc if part != "[key]"])
    shown = value if isinstance(value, str | int | float | bool) else None
    return Fault(code, file, value=shown, detail={"setting": key, **detail})


def _code(error: ErrorDetails, loc: tuple[int | str, ...], model: type[BaseModel]) -> tuple[str, dict[str, object]]:
    """Return the text key for one error of pydantic, and what the text needs beside the key and the value."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden" or loc[-1] == "[key]":
        known = LAYER_NAMES if loc[-1] == "[key]" else _siblings(loc, model)
        near = difflib.get_close_matches(str(loc[-2] if loc[-1] == "[key]" else loc[-1]), known, n=1)
        if near:
            return "faults.key_unknown_near", {"near": near[0]}
        return "faults.key_unknown", {"known": ", ".join(known)}
    if kind == "literal_error":
        return "faults.key_choice", {"choices": context.get("expected", "")}
    if kind in ("greater_than", "greater_than_equal", "less_than_equal"):
        return f"faults.key_{kind}", {"bound": next(iter(context.values()), "")}
    plain = {"missing": "faults.key_missing", "string_too_short": "faults.key_empty"}
    if kind in _KINDS:
        plain[kind] = f"faults.key_kind_{_KINDS[kind]}"
    return (plain[kind], {}) if kind in plain else ("faults.key_wrong", {"reason": error["msg"]})


def _dotted(parts: Iterable[int | str]) -> str:
    """Write a key as in TOML, entries of a list numbered from 1.

    Examples
    --------
    >>> _dotted(("rings", "ring", 0, "name"))
    'rings.ring[1].name'
    """
    text = ""
    for part in parts:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _siblings(loc: tuple[int | str, ...], model: type[BaseModel]) -> tuple[str, ...]:
    """Return the keys that stand where an unknown key was found."""
    node: Any = model.model_json_schema()
    definitions = node["$defs"]
    for part in loc[:-1]:
        node = _resolved(node, definitions)
        if not isinstance(part, int):  # a list stands for its entries already
            node = node.get("properties", {}).get(part) or node.get("additionalProperties", {})
    return tuple(_resolved(node, definitions).get("properties", {}))


def _resolved(node: Any, definitions: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ANN401  a JSON schema
    """Follow references and unions of a JSON schema to the object or list that they stand for."""
    while True:
        if "$ref" in node:
            node = definitions[node["$ref"].rsplit("/", 1)[-1]]
        elif "anyOf" in node:
            node = next((part for part in node["anyOf"] if "$ref" in part), node["anyOf"][0])
        elif node.get("type") == "array" and "$ref" in node.get("items", {}):
            node = node["items"]
        else:
            return dict(node)
