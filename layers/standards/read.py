"""Reading standards: TOML files that inherit and override by key, every fault of a file at once."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import ValidationError

from ...gis.errors import Fault, InputError, MissingFileError
from .merge import Tables, merge
from .model import Figure, Indicator, LivingCircle, Rule, Standard
from .tables import CIRCLE_KEYS, CircleKey, StandardFile

_Table: TypeAlias = Mapping[str, Any]

NAMED_BY = ("gb50180-2018", "tdt1062-2021")
"""Standards that give names to classes which a study's own standard only counts."""
PLAIN = {
    **dict.fromkeys(("float", "int", "finite"), "standards.bad_number"),
    "bool": "standards.bad_boolean",
    "string": "standards.bad_text",
    "literal_error": "standards.bad_choice",
    "greater_than": "standards.bad_above",
    "greater_than_equal": "standards.bad_least",
}
"""What pydantic finds wrong with a value, or the first word of it → what a planner is told."""
NEEDED = {
    "rule": ("zh", "circle", "required", "group"),
    "circle": ("zh",),
    "indicator": ("zh", "measure", "formula_zh"),
}
"""Keys that a table must have when nothing is inherited."""
OF_CIRCLES = ("walk_m", "people", "dwellings", "land_ha")
RANGES = ("building_m2", "land_m2", "served_people", *OF_CIRCLES)
"""Keys whose value is ``[least]`` or ``[least, most]``."""


@cache
def shipped_standards() -> tuple[str, ...]:
    """Return the keys of the standards that ship with lifecircle.

    Examples
    --------
    >>> "gb50180-2018" in shipped_standards()
    True
    """
    folder = files(__package__)
    keys = []
    for entry in folder.iterdir():
        if entry.name.endswith(".toml"):
            table = tomllib.loads(entry.read_text(encoding="utf-8")).get("standard")
            if isinstance(table, Mapping):
                keys.append(str(table["key"]))
    return tuple(sorted(keys))


def class_names(facility_class: str) -> dict[str, str] | None:
    """Return the names of a facility class as the standards of `NAMED_BY` call it; ``None`` where they do not.

    Examples
    --------
    >>> class_names("pocket_park")
    {'zh': '社区游园/口袋公园', 'en': 'Pocket park', 'short_zh': '口袋公园', 'short_en': 'Pocket park'}
    """
    for key in NAMED_BY:
        for rule in load_standard(key).all_rules:
            if rule.facility_class == facility_class:
                return {name: getattr(rule, name) for name in ("zh", "en", "short_zh", "short_en")}
    return None


def load_standard(key_or_path: str | Path) -> Standard:
    """Return a standard by its key, or read one from a TOML file.

    A file may extend a standard that ships, or another file beside it. A rule that changes its limit without naming
    ``confidence`` gets confidence D, and the clause of the file's own ``[standard]`` table; so do areas and figures.

    Parameters
    ----------
    key_or_path
        A key of `shipped_standards`, or the path of a TOML file.

    Raises
    ------
    MissingFileError
        When it is neither.
    InputError
        With all faults of the file: unknown keys, wrong values, missing keys, a circle of extensions.

    Examples
    --------
    >>> load_standard("gb50180-2018").rule("kindergarten").limit_m
    300.0
    >>> load_standard("gb50180-2019")
    Traceback (most recent call last):
    ...
    lifecircle.gis.errors.MissingFileError: no standard 'gb50180-2019'; those that ship: ...
    """
    chain = _Chain()
    parsed = _read(key_or_path, Path.cwd(), chain)
    name, tables = str(key_or_path), chain.tables
    chain.faults += _incomplete(tables, name)
    if chain.faults:
        said = ", ".join(f"{fault.code} {fault.row or ''} {fault.column or ''}".strip() for fault in chain.faults)
        raise InputError(f"{name} is not a standard: {said}", *chain.faults)
    rules = [_rule(key, table) for key, table in tables.rules.items()]
    return Standard(
        key=parsed.standard.key,
        zh=parsed.standard.zh,
        en=parsed.standard.en,
        edition=parsed.standard.edition,
        rules=tuple(rule for rule in rules if rule.walk_m is not None),
        unmeasured=tuple(rule for rule in rules if rule.walk_m is None),
        extends=tuple(chain.extends),
        circles=tuple(_circle(key, tables.circles[key]) for key in CIRCLE_KEYS if key in tables.circles),
        indicators=tuple(_indicator(key, table) for key, table in tables.indicators.items()),
        source_zh=parsed.standard.source_zh,
        source_en=parsed.standard.source_en or parsed.standard.source_zh,
    )


@dataclass(slots=True)
class _Chain:
    """What was read on the way from a standard up to the one that extends nothing, and what is wrong with it."""

    tables: Tables = field(default_factory=Tables)
    extends: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def _read(key_or_path: str | Path, folder: Path, chain: _Chain, seen: tuple[str, ...] = ()) -> StandardFile:
    """Read a standard and what it extends into the chain; return its own file."""
    text, name, beside = _source(key_or_path, folder)
    if name in seen:
        loop = " → ".join((*seen, name))
        raise InputError(
            f"standards extend each other: {loop}", Fault("standards.extends_loop", file=name, detail={"chain": loop})
        )
    parsed = _parse(text, name)
    if parsed.standard.extends is not None:
        parent = _read(parsed.standard.extends, beside, chain, (*seen, name))
        chain.extends.insert(0, parent.standard.key)
    chain.tables, faults = merge(chain.tables, parsed, name)
    chain.faults += faults
    return parsed


def _source(key_or_path: str | Path, folder: Path) -> tuple[str, str, Path]:
    """Return the text of a standard, the name to call it by, and the folder that its own ``extends`` starts from."""
    name = str(key_or_path)
    if name in shipped_standards():
        resource = files(__package__)
        return resource.joinpath(f"{name}.toml").read_text(encoding="utf-8"), name, folder
    path = folder / Path(key_or_path)
    if path.suffix != ".toml" or not path.is_file():
        shipped = ", ".join(shipped_standards())
        fault = Fault("standards.not_found", file=name, detail={"shipped": shipped})
        raise MissingFileError(f"no standard {name!r}; those that ship: {shipped}", fault)
    # One file has one name, however it is pointed to: otherwise a loop through ".." would not be seen.
    path = path.resolve()
    try:
        return path.read_text(encoding="utf-8-sig"), str(path), path.parent
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8", Fault("standards.not_utf8", file=str(path))) from error
    except OSError as error:
        fault = Fault("standards.unreadable", file=str(path), detail={"reason": error.strerror or str(error)})
        raise InputError(f"{path} cannot be read: {error}", fault) from error


@lru_cache(maxsize=32)
def _parse(text: str, name: str) -> StandardFile:
    """Parse the text of one standard file; every fault of it at once."""
    try:
        return StandardFile.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        fault = Fault("standards.not_toml", file=name, detail={"reason": str(error)})
        raise InputError(f"{name} is not TOML: {error}", fault) from error
    except ValidationError as error:
        faults = [_fault(problem, name) for problem in error.errors()]
        raise InputError(f"{name} is not a standard: " + "; ".join(str(fault) for fault in faults), *faults) from error


def _fault(problem: Any, name: str) -> Fault:  # noqa: ANN401  pydantic's own dict
    """Return the fault that a validation error tells of."""
    where = ".".join(str(part) for part in problem["loc"])
    kind = problem["type"]
    code = {"extra_forbidden": "standards.unknown_key", "missing": "standards.missing_key"}.get(kind)
    row, _, column = where.rpartition(".")
    own = kind == "value_error"
    plain = PLAIN.get(kind) or PLAIN.get(kind.partition("_")[0], "")
    context = problem.get("ctx", {})
    return Fault(
        code or plain or "standards.bad_value",
        file=name,
        row=row or None,
        column=column,
        value=None if code or isinstance(problem["input"], dict) else problem["input"],
        detail={
            "reason": str(problem["ctx"]["error"]) if own else problem["msg"],
            "choices": context.get("expected", ""),
            "bound": context.get("gt", context.get("ge", "")),
        },
    )


def _incomplete(tables: Tables, name: str) -> list[Fault]:
    """Return what tables lack after inheritance, and indicators that count rules which are not there."""
    kinds = {"rule": tables.rules, "circle": tables.circles, "indicator": tables.indicators}
    faults = [
        Fault("standards.missing_key", file=name, row=key if kind == "rule" else f"{kind}.{key}", column=needed)
        for kind, of_kind in kinds.items()
        for key, table in of_kind.items()
        for needed in NEEDED[kind]
        if table.get(needed) is None
    ]
    for key, table in tables.indicators.items():
        asked = [("rules", rule) for rule in table.get("rules") or () if rule not in tables.rules]
        met = table.get("meets")
        if met is not None and met not in shipped_standards():
            faults.append(_not_shipped(met, name, key))
        else:  # a standard cannot wait for itself
            known = set(tables.rules if met == name else () if met is None else load_standard(met).classes)
            asked += [("meets_rules", rule) for rule in table.get("meets_rules") or () if rule not in known]
        faults += [
            Fault("standards.unknown_rule", file=name, row=f"indicator.{key}", column=column, value=rule)
            for column, rule in asked
        ]
    return faults


def _not_shipped(met: str, name: str, key: str) -> Fault:
    """Return the fault of an indicator that neighbourhoods are to meet by a standard that does not ship."""
    detail = {"reason": ", ".join(shipped_standards())}
    return Fault("standards.bad_value", file=name, row=f"indicator.{key}", column="meets", value=met, detail=detail)


def _spread(table: _Table) -> dict[str, Any]:
    """Return a table with each range as ``_least`` and ``_most``, lists as tuples and figures as `Figure`."""
    spread: dict[str, Any] = {}
    for key, value in table.items():
        if key in RANGES:
            spread[f"{key}_least"] = value[0]
            spread[f"{key}_most"] = value[1] if len(value) == 2 else None
        elif key == "figure":
            spread["figures"] = tuple(Figure(**{**one, "classes": tuple(one["classes"])}) for one in value)
        else:
            spread[key] = tuple(value) if isinstance(value, list) else value
    return spread


def _named(table: _Table) -> dict[str, str]:
    """Return the English name beside the Chinese one, which stands in where there is none."""
    return {"zh": str(table["zh"]), "en": str(table.get("en", table["zh"]))}


def _rule(key: str, table: _Table) -> Rule:
    """Make the rule of one complete table."""
    names = _named(table)
    short = {f"short_{language}": str(table.get(f"short_{language}", names[language])) for language in names}
    return Rule(**{"facility_class": key, "limit_m": None, **_spread(table), **names, **short})


def _circle(key: CircleKey, table: _Table) -> LivingCircle:
    """Make the circle of one complete table."""
    empty = {
        f"{name}_{end}": None for name in ("walk_m", "people", "dwellings", "land_ha") for end in ("least", "most")
    }
    fixed = {
        "minutes": CIRCLE_KEYS[key],
        "confidence_land": None,
        "confidence_walk": None,
        "bounded_by_zh": "",
        "bounded_by_en": "",
    }
    return LivingCircle(**{**fixed, **empty, **_spread(table), **_named(table)})


def _indicator(key: str, table: _Table) -> Indicator:
    """Make the indicator of one complete table."""
    formula = {"formula_en": table.get("formula_en", table["formula_zh"])}
    return Indicator(**{"key": key, "rules": (), **_spread(table), **_named(table), **formula})
