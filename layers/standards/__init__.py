"""Planning standards as data: which facility within which walk, by which clause, and how sure that is.

A standard is a TOML file with a ``[standard]`` table and one ``[rule.CLASS]`` for each facility class. A local standard
extends another and changes rules by key; what it changes without saying by which clause carries confidence D.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...gis.errors import Fault, InputError, MissingFileError

Circle: TypeAlias = Literal[5, 10, 15]
Group: TypeAlias = Literal["people", "elders_60", "children_0_3", "children_3_6", "children_6_12", "households"]
Confidence: TypeAlias = Literal["A", "B", "C", "D"]
Land: TypeAlias = Literal["own_required", "own_preferred", "shared"]
_Positive = Annotated[float, Field(gt=0)]
_Range = Annotated[list[_Positive], Field(min_length=1, max_length=2)]


@dataclass(frozen=True, slots=True)
class Rule:
    """What a standard asks of one facility class.

    Parameters
    ----------
    facility_class
        The product's class, for example ``"elderly_day_care"``.
    zh, en, short_zh, short_en
        Names as the standard has them, and short ones for maps.
    circle
        The living circle it belongs to, in minutes of walking. Circles are not nested.
    limit_m
        Longest walk along the streets in metres; ``None`` where the standard requires the class but states no radius.
    required
        Whether the standard requires it (▲) or leaves it to need (△).
    group
        Whom it serves.
    clause, clause_en
        Where the limit stands, edition included.
    confidence
        Of the limit (of the requirement where there is no limit): A read in a stored copy, B about 90 % sure, C 60-85 %
        sure, D assumption.
    building_m2_least, building_m2_most, land_m2_least, land_m2_most
        Floor area and land of one facility; ``None`` where not stated.
    confidence_areas
        Of the areas.
    land
        Whether it must or should stand on land of its own, or may share a building.
    served_people_least, served_people_most
        People one facility is for.
    sited
        Whether new sites are looked for when the study does not say.
    note_zh, note_en
        What a planner must know beside the figures; empty where there is nothing.
    """

    facility_class: str
    zh: str
    en: str
    short_zh: str
    short_en: str
    circle: Circle
    limit_m: float | None
    required: bool
    group: Group
    clause: str
    clause_en: str
    confidence: Confidence
    building_m2_least: float | None = None
    building_m2_most: float | None = None
    land_m2_least: float | None = None
    land_m2_most: float | None = None
    confidence_areas: Confidence | None = None
    land: Land = "shared"
    served_people_least: float | None = None
    served_people_most: float | None = None
    sited: bool = False
    note_zh: str = ""
    note_en: str = ""


@dataclass(frozen=True, slots=True)
class Standard:
    """A planning standard: its names, edition and rules.

    Parameters
    ----------
    key, zh, en, edition
        What it is called.
    rules
        The rules that a walk is measured against, in the order of the file; each has a limit.
    unmeasured
        The rules without a limit: required or wished for, but near enough is not defined.
    extends
        Keys of the standards it builds on, nearest first.
    """

    key: str
    zh: str
    en: str
    edition: str
    rules: tuple[Rule, ...]
    unmeasured: tuple[Rule, ...] = ()
    extends: tuple[str, ...] = ()

    def rule(self, facility_class: str) -> Rule:
        """Return the rule of a facility class, measured or not; `KeyError` when the standard has none.

        Examples
        --------
        >>> load_standard("gb50180-2018").rule("elderly_day_care").limit_m
        300.0
        """
        for rule in (*self.rules, *self.unmeasured):
            if rule.facility_class == facility_class:
                return rule
        raise KeyError(facility_class)

    @property
    def classes(self) -> tuple[str, ...]:
        """Facility classes of the measured rules, in their order."""
        return tuple(rule.facility_class for rule in self.rules)

    def __repr__(self) -> str:
        """Say what it is in a sentence."""
        return f"<Standard {self.key}: {len(self.rules)} rules with a walk, {len(self.unmeasured)} without>"


class _Strict(BaseModel):
    """Refuses keys it does not know: a mistyped key must not be ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class _Head(_Strict):
    """``[standard]``."""

    key: Annotated[str, Field(min_length=1)]
    zh: str
    en: str
    edition: str
    clause: str
    clause_en: str | None = None
    extends: str | None = None
    drop: list[str] = []


class _RuleTable(_Strict):
    """``[rule.CLASS]``; of an inheriting standard only what it changes."""

    zh: str | None = None
    en: str | None = None
    short_zh: str | None = None
    short_en: str | None = None
    circle: Circle | None = None
    limit_m: _Positive | None = None
    confidence: Confidence | None = None
    required: bool | None = None
    group: Group | None = None
    sited: bool | None = None
    building_m2: _Range | None = None
    land_m2: _Range | None = None
    confidence_areas: Confidence | None = None
    land: Land | None = None
    served_people: _Range | None = None
    clause: str | None = None
    clause_en: str | None = None
    note_zh: str | None = None
    note_en: str | None = None


class _File(_Strict):
    """A whole standard file."""

    standard: _Head
    rule: dict[str, _RuleTable] = {}


NEEDED = ("zh", "circle", "required", "group")
"""Keys that a rule must have when nothing is inherited."""


@cache
def shipped_standards() -> tuple[str, ...]:
    """Return the keys of the standards that ship with lifecircle.

    Examples
    --------
    >>> shipped_standards()
    ('gb50180-2018', 'tdt1062-2021')
    """
    folder = files(__package__)
    keys = []
    for entry in folder.iterdir():
        if entry.name.endswith(".toml"):
            table = tomllib.loads(entry.read_text(encoding="utf-8")).get("standard")
            if isinstance(table, Mapping):
                keys.append(str(table["key"]))
    return tuple(sorted(keys))


def load_standard(key_or_path: str | Path) -> Standard:
    """Return a standard by its key, or read one from a TOML file.

    A file may extend a standard that ships, or another file beside it. A rule that changes ``limit_m`` without naming
    ``confidence`` gets confidence D, and the clause of the file's own ``[standard]`` table.

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
    >>> load_standard("gb50180-2018")
    <Standard gb50180-2018: 28 rules with a walk, 7 without>
    >>> load_standard("gb50180-2019")
    Traceback (most recent call last):
    ...
    lifecircle.gis.errors.MissingFileError: no standard 'gb50180-2019'; those that ship: gb50180-2018, tdt1062-2021
    """
    head, tables, chain = _read_chain(key_or_path, Path.cwd(), ())
    faults = [
        Fault("standards.missing_key", file=str(key_or_path), row=name, column=needed)
        for name, table in tables.items()
        for needed in NEEDED
        if table.get(needed) is None
    ]
    if faults:
        message = f"rules of {head.key} lack keys: {', '.join(f'{fault.row}.{fault.column}' for fault in faults)}"
        raise InputError(message, *faults)
    rules = [_rule(name, table) for name, table in tables.items()]
    return Standard(
        key=head.key,
        zh=head.zh,
        en=head.en,
        edition=head.edition,
        rules=tuple(rule for rule in rules if rule.limit_m is not None),
        unmeasured=tuple(rule for rule in rules if rule.limit_m is None),
        extends=chain,
    )


def _read_chain(
    key_or_path: str | Path, folder: Path, seen: tuple[str, ...]
) -> tuple[_Head, dict[str, dict[str, object]], tuple[str, ...]]:
    """Read a standard and what it extends: its head, its rule tables after inheritance, and the keys it extends."""
    text, name, beside = _source(key_or_path, folder)
    if name in seen:
        fault = Fault("standards.extends_loop", file=name, detail={"chain": " → ".join((*seen, name))})
        raise InputError(f"standards extend each other: {' → '.join((*seen, name))}", fault)
    parsed = _parse(text, name)
    tables: dict[str, dict[str, object]] = {}
    chain: tuple[str, ...] = ()
    if parsed.standard.extends is not None:
        parent, tables, above = _read_chain(parsed.standard.extends, beside, (*seen, name))
        chain = (parent.key, *above)
    unknown = [drop for drop in parsed.standard.drop if drop not in tables]
    if unknown:
        faults = [Fault("standards.unknown_drop", file=name, column="standard.drop", value=drop) for drop in unknown]
        raise InputError(f"{name} drops rules that it does not inherit: {', '.join(unknown)}", *faults)
    inherited = {rule: table for rule, table in tables.items() if rule not in parsed.standard.drop}
    for rule, table in parsed.rule.items():
        inherited[rule] = _override(inherited.get(rule, {}), table, parsed.standard)
    return parsed.standard, inherited, chain


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
    try:
        return path.read_text(encoding="utf-8"), str(path), path.parent
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8", Fault("standards.not_utf8", file=str(path))) from error


def _parse(text: str, name: str) -> _File:
    """Parse the text of one standard file; every fault of it at once."""
    try:
        return _File.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        fault = Fault("standards.not_toml", file=name, detail={"reason": str(error)})
        raise InputError(f"{name} is not TOML: {error}", fault) from error
    except ValidationError as error:
        faults = []
        for problem in error.errors():
            where = ".".join(str(part) for part in problem["loc"])
            code = {"extra_forbidden": "standards.unknown_key", "missing": "standards.missing_key"}.get(problem["type"])
            row, _, column = where.rpartition(".")
            value = None if code else problem["input"]
            reason = problem["msg"]
            faults.append(
                Fault(
                    code or "standards.bad_value",
                    file=name,
                    row=row or None,
                    column=column,
                    value=value,
                    detail={"reason": reason},
                )
            )
        raise InputError(f"{name} is not a standard: " + "; ".join(str(fault) for fault in faults), *faults) from error


def _override(inherited: Mapping[str, object], table: _RuleTable, head: _Head) -> dict[str, object]:
    """Return the inherited rule with what the table changes; a changed limit has its own clause and note."""
    changed = table.model_dump(exclude_none=True)
    merged = {**inherited, **changed}
    own = not inherited or "limit_m" in changed
    if own:
        merged["clause"] = changed.get("clause", head.clause)
        merged["clause_en"] = changed.get("clause_en", changed.get("clause", head.clause_en or head.clause))
        merged["confidence"] = changed.get("confidence", "D")
        merged["note_zh"] = changed.get("note_zh", changed.get("note_en", ""))
        merged["note_en"] = changed.get("note_en", changed.get("note_zh", ""))
    if {"building_m2", "land_m2"} & changed.keys():
        merged["confidence_areas"] = changed.get("confidence_areas", "D")
    return merged


def _rule(name: str, table: Mapping[str, object]) -> Rule:
    """Make the rule of one complete table."""
    plain = {key: value for key, value in table.items() if key not in {"building_m2", "land_m2", "served_people"}}
    ranges: dict[str, float | None] = {}
    for key in ("building_m2", "land_m2", "served_people"):
        bounds = table.get(key)
        if isinstance(bounds, list):
            ranges[f"{key}_least"] = bounds[0]
            ranges[f"{key}_most"] = bounds[1] if len(bounds) == 2 else None
    zh = str(table["zh"])
    en = str(table.get("en", zh))
    names = {"en": en, "short_zh": table.get("short_zh", zh), "short_en": table.get("short_en", en)}
    return Rule(**{"facility_class": name, "limit_m": None, **plain, **names, **ranges})  # type: ignore[arg-type]
