"""Reading the rules of zoning: those that ship, and a city's TOML, CSV or Excel file, every fault of it at once."""

from __future__ import annotations

import difflib
import math
import tomllib
import unicodedata
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from ..gis.errors import Fault, InputError, MissingFileError
from .controls import Relaxation, SmallRemainder
from .facility_classes import class_of_label
from .facility_words import vocabulary
from .headings import propose_columns
from .reading import How
from .rulebook import Clause, Compatibility, Row
from .rulebook_tables import RowTable, RulesFile
from .sheets import SHEETS
from .table import Column, Contract
from .tables import plain_table
from .zoning import group_names, land_uses

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

TABLES = (".csv", ".txt", *SHEETS)
VERDICTS: dict[str, tuple[str, ...]] = {
    "allowed": ("允许", "可", "是", "兼容", "√", "○"),
    "share": ("按比例兼容", "有条件兼容", "部分兼容", "比例", "△"),
    "vacated": ("腾退后兼容", "腾退", "腾退可用"),
    "rezoning": ("需调整规划", "调规", "需调规", "调整用地性质"),
    "forbidden": ("禁止", "不允许", "不可", "否", "不兼容", "×", "x"),
}
"""Words of a table for each verdict."""
ROWS = Contract(
    "rows",
    (),
    (
        Column("facility", "text", required=True, also=("设施", "设施类别", "设施类型", "设施名称")),
        Column(
            "verdict", "choice", required=True, choices=VERDICTS, also=("判定", "兼容性", "兼容", "是否允许", "结论")
        ),
        Column("land_use", "text", required=True, also=("用地性质", "用地代码", "用地类型", "用地编码")),
        Column("share_most", "float", also=("最大占比", "兼容比例", "最大比例", "占比", "比例", "比例上限")),
        Column("confidence", "text", also=("可信度", "置信度")),
        Column("clause", "text", also=("依据", "条款", "规定", "来源")),
        Column("clause_en", "text"),
    ),
)
"""Columns of a table of rows, and the names they go by."""
KEYS: dict[str, str] = {
    "extra_forbidden": "zoning.rules_unknown_key",
    "missing": "zoning.rules_missing_key",
    "literal_error": "zoning.rules_choice",
}
"""What pydantic finds wrong with a value → what a planner is told; numbers are told by their bounds."""


@dataclass(slots=True)
class _Work:
    """A file that is being read: its name, its faults, and where each row of it stands."""

    file: str
    faults: list[Fault] = field(default_factory=list)
    places: list[int] = field(default_factory=list)

    def fault(
        self, code: str, row: int | str | None, column: str | None, value: object = None, **detail: object
    ) -> None:
        """Note a fault."""
        self.faults.append(Fault(code, self.file, None, row, column, value, detail))

    def close(self) -> None:
        """Raise where anything was wrong."""
        if self.faults:
            message = f"{self.file} holds no rules of zoning: " + "; ".join(str(fault) for fault in self.faults)
            raise InputError(message, *self.faults)


@cache
def shipped_rules() -> Compatibility:
    """Return the rules that ship with the product."""
    text = files(__package__).joinpath("standards", "compatibility.toml").read_text(encoding="utf-8")
    return _built(_shipped_file(text), None, _Work("compatibility.toml"))


@cache
def _shipped_file(text: str) -> RulesFile:
    return RulesFile.model_validate(tomllib.loads(text))


def read_rules(path: Path) -> Compatibility:
    """Return the rules of a city's file; what it leaves out stands as shipped.

    A facility class of which the file has rows, by its own name or its group's, is judged by those alone.

    Parameters
    ----------
    path
        ``.toml``, or a table ``.csv`` or ``.xlsx`` of rows with the columns of `ROWS`.

    Raises
    ------
    MissingFileError
        When there is no such file.
    InputError
        With all faults of the file: row, column, value, and how to mend each.
    """
    name = str(path)
    work = _Work(name)
    if not path.is_file():
        message = f"no such file: {path}"
        raise MissingFileError(message, Fault("zoning.rules_missing", file=name))
    suffix = path.suffix.lower()
    if suffix == ".toml":
        parsed = _parsed_toml(path, work)
    elif suffix in TABLES:
        parsed = _parsed_table(path, work)
    else:
        message = f"{path} is neither TOML nor a table"
        raise InputError(
            message, Fault("zoning.rules_format", file=name, detail={"known": ", ".join((".toml", *TABLES))})
        )
    return _built(parsed, shipped_rules(), work)


def _parsed_toml(path: Path, work: _Work) -> RulesFile:
    """Return the tables of a TOML file."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError, RecursionError) as error:
        message = f"{path} is not TOML: {error}"
        raise InputError(message, Fault("zoning.rules_toml", file=work.file, detail={"reason": str(error)})) from error
    places = list(range(1, len(raw["row"]) + 1)) if isinstance(raw.get("row"), list) else []
    try:
        parsed = RulesFile.model_validate(raw)
    except ValidationError as error:
        wrong = error.errors()
        for problem in wrong:
            where = [part + 1 if isinstance(part, int) else part for part in problem["loc"]]
            _tell(problem, work, ".".join(str(part) for part in where[:-1]) or None, str(where[-1]))
        rest, places = _without(raw, [problem["loc"] for problem in wrong], places)
        try:
            parsed = RulesFile.model_validate(rest)  # what is left may have faults of its own
        except ValidationError:
            work.close()
            raise
    work.places = places
    return parsed


def _without(
    raw: dict[str, Any], wrong: Sequence[tuple[int | str, ...]], places: list[int]
) -> tuple[dict[str, Any], list[int]]:
    """Return the tables of a file without those that something is wrong with, and the places of the rows left."""
    rest = {key: value for key, value in raw.items() if (key,) not in wrong}
    rows = {where[1] for where in wrong if where[0] == "row" and len(where) > 1}
    if rows:
        rest["row"] = [row for place, row in enumerate(rest["row"]) if place not in rows]
    for where in wrong:
        if where[0] != "row" and len(where) > 1 and isinstance(rest.get(str(where[0])), dict):
            table = rest[str(where[0])]
            rest[str(where[0])] = {key: value for key, value in table.items() if key != where[1]}
    return rest, [place for place in places if place - 1 not in rows]


def _tell(problem: Any, work: _Work, row: int | str | None, column: str) -> None:  # noqa: ANN401  pydantic's own dict
    """Note what pydantic finds wrong."""
    kind, context = problem["type"], problem.get("ctx", {})
    bound = next((str(context[key]) for key in ("gt", "ge", "le", "lt") if key in context), "")
    code = KEYS.get(kind) or ("zoning.rules_bound" if bound else "zoning.rules_value")
    value = None if kind == "missing" or isinstance(problem["input"], dict) else problem["input"]
    signs = {"gt": ">", "ge": "≥", "le": "≤", "lt": "<"}
    said = " ".join(f"{signs[key]} {context[key]:g}" for key in signs if key in context)
    work.fault(code, row, column, value, choices=context.get("expected", ""), bound=said, reason=problem["msg"])


def _parsed_table(path: Path, work: _Work) -> RulesFile:
    """Return the rows of a CSV or Excel table."""
    table, _ = plain_table(path, How(prefer="rows"))
    found = propose_columns([str(name) for name in table.columns], ROWS)
    lacking = [column for column in ROWS.columns if column.required and column.name not in found]
    present = ", ".join(str(name) for name in table.columns) or "-"
    for column in lacking:
        also = ", ".join((column.name, *column.also))
        work.fault("zoning.rules_column", None, column.name, None, also=also, columns=present)
    if not len(table):
        work.fault("zoning.rules_empty", None, None)
    work.close()
    rows = []
    for place, (_, record) in enumerate(table.iterrows(), start=2):  # the head is the first row of the file
        values = _cells(record, found)
        if not values:
            continue
        row = _row_of(values, found, work, place)
        if row is not None:
            work.places.append(place)
            rows.append(row)
    return RulesFile(row=rows)


def _cells(record: pd.Series, found: Mapping[str, str]) -> dict[str, str]:
    """Return the texts of a table's row by the product's columns, without empty ones."""
    texts = {name: unicodedata.normalize("NFKC", str(record[source])).strip() for name, source in found.items()}
    return {name: text for name, text in texts.items() if text and text.lower() not in {"nan", "none", "<na>"}}


def _row_of(values: dict[str, str], found: Mapping[str, str], work: _Work, place: int) -> RowTable | None:
    """Return one row of a table as a row of the rules, or note what is wrong with it."""
    words = {word.lower(): verdict for verdict, own in VERDICTS.items() for word in (verdict, *own)}
    raw: dict[str, Any] = dict(values)
    if "verdict" in raw:
        raw["verdict"] = words.get(raw["verdict"].lower(), raw["verdict"])
    if "land_use" in raw:
        raw["land_use"] = [
            part for part in raw["land_use"].replace("、", ",").replace(";", ",").split(",") if part.strip()
        ]
    if "share_most" in raw:
        raw["share_most"] = _share(raw["share_most"])
    if "confidence" in raw:
        raw["confidence"] = raw["confidence"].upper()
    try:
        return RowTable.model_validate(raw)
    except ValidationError as error:
        for problem in error.errors():
            column = str(problem["loc"][0])
            if column == "verdict" and problem["type"] == "literal_error":
                choices = "; ".join(f"{verdict} ({', '.join(own)})" for verdict, own in VERDICTS.items())
                work.fault("zoning.rules_choice", place, found.get(column, column), values[column], choices=choices)
            else:
                _tell({**problem, "input": values.get(column)}, work, place, found.get(column, column))
        if "facility" in raw:
            _facility(raw["facility"], shipped_rules().group_of, _titles(), work, place)
        _codes(raw.get("land_use", ()), work, place)
        return None


def _share(text: str) -> float | str:
    """Return a share written as a number or in percent; the text where it is neither."""
    number = text.removesuffix("%")
    try:
        value = float(number)
    except ValueError:
        return text
    return value / 100 if number != text else value


def _built(parsed: RulesFile, base: Compatibility | None, work: _Work) -> Compatibility:
    """Return the rules of a parsed file over those that it extends."""
    groups = dict(base.group_of) if base else {}
    groups |= _groups(parsed, work)
    head = parsed.table.model_dump(exclude_none=True)
    cap = float(head.get("share_most", base.share_most if base else 1.0))
    stated = _stated(parsed, base, work)
    rows = _rows(parsed, groups, cap, stated, work)
    relaxations = {**(base.relaxations if base else {}), **_relaxations(parsed)}
    named = str(head.get("relaxation", base.relaxation.name if base else ""))
    if named not in relaxations:
        work.fault("zoning.rules_name", "table", "relaxation", named, known=", ".join(relaxations))
    for name in (*parsed.accepts, *(group for listed in parsed.accepts.values() for group in listed)):
        if name not in group_names():
            work.fault("zoning.rules_name", "accepts", name, name, known=", ".join(group_names()))
    if base is not None:
        for code in parsed.conflict.keys() - base.conflicts.keys():
            work.fault("zoning.rules_name", "conflict", code, code, known=", ".join(base.conflicts))
    default = str(head.get("default_group", base.default_group if base else ""))
    if default not in groups.values():
        work.fault(
            "zoning.rules_name", "table", "default_group", default, known=", ".join(sorted(set(groups.values())))
        )
    work.close()
    clauses = {code: _clause(one.clause, one.clause_en, one.confidence) for code, one in parsed.conflict.items()}
    small = parsed.small_remainder
    tenures = head.get("refused_tenures")
    return Compatibility(
        zh=str(head.get("zh", base.zh if base and not rows else stated.clause)),
        en=str(head.get("en", base.en if base and not rows else stated.clause_en)),
        rows=_by_class(base, groups, default, rows),
        group_of=groups,
        default_group=default,
        stated=stated if base is None or rows else base.stated,
        share_most=cap,
        storey_m=float(head.get("storey_m", base.storey_m if base else 0.0)),
        home_storey_m=float(head.get("home_storey_m", base.home_storey_m if base else 0.0)),
        refused_tenures=base.refused_tenures if base and tenures is None else frozenset(tenures or ()),
        relaxations=relaxations,
        relaxation=relaxations[named],
        small_remainder=base.small_remainder if base and small is None else _small(parsed),
        accepts={
            **(base.accepts if base else {}),
            **{group: frozenset(listed) for group, listed in parsed.accepts.items()},
        },
        conflicts={**(base.conflicts if base else {}), **clauses},
        source=None if base is None else work.file,
    )


def _by_class(
    base: Compatibility | None, groups: Mapping[str, str], default: str, rows: Mapping[str, tuple[Row, ...]]
) -> dict[str, tuple[Row, ...]]:
    """Return the rows that judge each class, its own before its group's; as shipped where the file has none of it."""
    classes = [*groups, *(name for name in rows if name not in groups and name not in groups.values())]
    found = {"": rows.get(default, ())} | {
        name: (*rows.get(name, ()), *rows.get(groups.get(name, default), ())) for name in classes
    }
    if base is None:
        return found
    kept = {name: base.rows.get(name, base.rows[""]) for name in (*found, *base.rows)}
    return {name: found.get(name) or listed for name, listed in kept.items()}


def _stated(parsed: RulesFile, base: Compatibility | None, work: _Work) -> Clause:
    """Return what holds where a row says nothing of its clause and confidence."""
    head = parsed.table
    name = work.file.replace("\\", "/").rpartition("/")[2]
    if base is None:
        return _clause(head.clause or "", head.clause_en, head.confidence or "D")
    return _clause(head.clause or head.zh or name, head.clause_en or head.en, head.confidence or "D")


def _clause(zh: str, en: str | None, confidence: str) -> Clause:
    return Clause(zh, en or zh, confidence)


def _groups(parsed: RulesFile, work: _Work) -> dict[str, str]:
    """Return the group of each class that a file names."""
    found: dict[str, str] = {}
    for group, table in parsed.group.items():
        for name in table.classes:
            if name in found:
                work.fault("zoning.rules_two_groups", f"group.{group}", "classes", name, other=found[name])
            found[name] = group
    return found


def _facility(name: str, groups: Mapping[str, str], titles: Mapping[str, str], work: _Work, place: int) -> str | None:
    """Return the class or group that a row means: by its key, its title, or the usual name of a class."""
    if name in groups.values() or name in groups or name in vocabulary().classes:
        return name
    facility = titles.get(name) or class_of_label(name)
    if facility is None:
        known = [*dict.fromkeys(groups.values()), *vocabulary().classes]
        near = difflib.get_close_matches(name, [*known, *titles], n=3, cutoff=0.5)
        work.fault("zoning.rules_facility", place, "facility", name, known=", ".join(near or known[:8]))
    return facility


def _rows(
    parsed: RulesFile, groups: Mapping[str, str], cap: float, stated: Clause, work: _Work
) -> dict[str, tuple[Row, ...]]:
    """Return the rows of a file by facility, each code one row; the same code twice must say the same."""
    titles = _titles() | {title: key for key, one in parsed.group.items() for title in (one.zh, one.en) if title}
    found: dict[str, dict[tuple[str, bool], Row]] = {}
    places = work.places or list(range(1, len(parsed.row) + 1))
    for place, table in zip(places, parsed.row, strict=True):
        facility = _facility(table.facility, groups, titles, work, place)
        share = _share_of(table, cap, work, place)
        for code in _codes(table.land_use, work, place):
            clause = _clause(table.clause or stated.clause, table.clause_en if table.clause else stated.clause_en, "")
            confidence = table.confidence or stated.confidence
            row = Row(facility or "", table.verdict, code, share, confidence, clause.clause, clause.clause_en, place)
            own = found.setdefault(facility or "", {})
            first = own.setdefault((code, table.verdict == "vacated"), row)
            if (first.verdict, str(first.share_most)) != (row.verdict, str(row.share_most)):
                work.fault("zoning.rules_twice", place, "land_use", code, first=first.place, facility=table.facility)
    return {facility: tuple(own.values()) for facility, own in found.items()}


def _share_of(table: RowTable, cap: float, work: _Work, place: int) -> float:
    """Return the share of a row: as stated, else the most that all shared uses may take."""
    shares = table.verdict in ("share", "vacated")
    if table.share_most is None:
        return cap if shares else math.nan
    if not shares:
        work.fault("zoning.rules_share_idle", place, "share_most", table.share_most, verdict=table.verdict)
    elif table.share_most > cap:
        work.fault("zoning.rules_share_above", place, "share_most", table.share_most, cap=cap)
    return table.share_most


def _codes(given: Iterable[str], work: _Work, place: int) -> list[str]:
    """Return the clean codes of a row's land uses."""
    codes = []
    for text in given:
        uses = [use.code for use in land_uses(text) if use.code]
        if not uses:
            work.fault("zoning.rules_code", place, "land_use", text)
        codes += uses
    return codes


def _titles() -> dict[str, str]:
    """Return the titles of the groups that ship, to their keys."""
    text = files(__package__).joinpath("standards", "compatibility.toml").read_text(encoding="utf-8")
    groups = _shipped_file(text).group
    return {title: key for key, one in groups.items() for title in (one.zh, one.en) if title}


def _relaxations(parsed: RulesFile) -> dict[str, Relaxation]:
    return {
        name: Relaxation(
            name=name, **{**one.model_dump(), "en": one.en or one.zh, "clause_en": one.clause_en or one.clause}
        )
        for name, one in parsed.relaxation.items()
    }


def _small(parsed: RulesFile) -> SmallRemainder:
    """Return the rule on small remainders; without one no land is too small."""
    one = parsed.small_remainder
    if one is None:
        return SmallRemainder(0.0, 0.0, "", "", "D")
    return SmallRemainder(one.housing_m2, one.other_m2, one.clause, one.clause_en or one.clause, one.confidence)
