"""Tables without geometry joined to a layer by code or name: sub-districts and their people, ledgers."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from ..gis.errors import Fault
from .agebands import with_age_groups
from .columns import texts
from .contracts import AGE_COLUMNS
from .facility_words import fold
from .headings import propose_columns
from .study import Note

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd

    from .settings import JoinSection
    from .table import Contract

SHOWN_NAMES = 8
LEAST_CODE = 6
"""An id with fewer signs may be a row number, and joins nothing unless ``by`` says so."""
TOWN_CODE, LONG_CODE = 9, 12
"""Digits of a sub-district's code, and of the same with the village's three zeros behind."""
NEAR = 0.6
ROUNDING = 0.5

_OFFICE = re.compile(r"(人民政府|政府|办事处|办|管理委员会|管委会)$")
_KIND = re.compile(r"(街道|地区|镇|乡|社区|小区|新村|花园)$")
_TOTAL = re.compile(r"^(合计|总计|小计|总数|总和|共计|全市|全区|全县|全街道|全市合计|全区合计|total|sum)$")


@dataclass(frozen=True, slots=True)
class _Sides:
    """The layer and the table, how the columns of each are called, and the rows of the table that are totals."""

    frame: gpd.GeoDataFrame
    table: pd.DataFrame
    contract: Contract
    section: JoinSection
    spatial: Mapping[str, str]
    stated: Mapping[str, str]
    totals: set[int]


@dataclass(slots=True)
class Joined:
    """A layer with the figures of a table, and what is to be said of it."""

    frame: gpd.GeoDataFrame
    notes: list[Note] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)
    """Product column → column of the table it was taken from."""


def join_table(
    frame: gpd.GeoDataFrame, table: pd.DataFrame, contract: Contract, section: JoinSection, columns: Mapping[str, str]
) -> Joined:
    """Return a layer with the numbers of a table, matched row by row by code, else by name.

    Codes match whole; of a sub-district's code three zeros at the end do not matter. Names match whole, then without
    办事处 and 人民政府, then without 街道, 镇 … where only one on each side is called so. A row of totals is no place;
    its people are compared with the sum. Where the layer has a column that the table has as well, the table counts.

    Parameters
    ----------
    frame
        The layer as read.
    table
        The table as read: texts or numbers.
    contract
        Of the layer; its columns of numbers are taken from the table.
    section
        What study.toml says of the join: ``by``, ``columns``, ``names``.
    columns
        Product column → column of the layer, as study.toml states them.
    """
    out = Joined(frame)
    spatial = _columns(frame.drop(columns=frame.geometry.name), contract, columns)
    mapped = {name: source for name, source in section.columns.items() if source in table.columns}
    missing = [source for source in section.columns.values() if source not in table.columns]
    if missing:
        listed = ", ".join(map(str, table.columns))
        out.faults += [
            _fault(section, contract, "faults.column_missing", column=one, columns=listed) for one in missing
        ]
        return out
    stated = _columns(table, contract, mapped)
    table, band_notes = with_age_groups(table, [name for name in AGE_COLUMNS if name in stated])
    stated |= {name: name for name in AGE_COLUMNS if name in table.columns and name not in stated}
    table = table.reset_index(drop=True)
    keys = _keys(contract, section, spatial, stated)
    if not keys:
        listed = ", ".join(map(str, table.columns))
        out.faults.append(_fault(section, contract, "faults.join_no_key", columns=listed))
        return out
    totals = _total_rows(table, stated)
    sides = _Sides(frame, table, contract, section, spatial, stated, totals)
    match = _matched(sides, keys)
    _say(out, sides, match)
    figures = [column.name for column in contract.columns if column.kind in ("int", "float") and column.name in stated]
    taken = {spatial[name] for name in figures if name in spatial}
    joined = frame.drop(columns=[name for name in taken if name in frame.columns])
    row_of = {place: row for row, places in match.items() for place in places}
    for name in figures:
        values = table[stated[name]].tolist()
        joined[name] = pd.Series(
            [values[row_of[place]] if place in row_of else None for place in range(len(frame))],
            index=frame.index,
            dtype=object,
        )
    out.frame = joined
    out.columns = {name: stated[name] for name in figures}
    out.notes = [*band_notes, *out.notes]
    return out


def _columns(table: pd.DataFrame, contract: Contract, stated: Mapping[str, str]) -> dict[str, str]:
    """Return product column → the table's column: those stated, and those that are called as the product knows them."""
    present = [str(name) for name in table.columns]
    found = {name: source for name, source in stated.items() if source in present}
    free = [name for name in present if name not in found.values()]
    return found | propose_columns(free, contract, skip=set(stated))


def _keys(
    contract: Contract, section: JoinSection, spatial: Mapping[str, str], stated: Mapping[str, str]
) -> list[tuple[str, bool]]:
    """Return the columns to match by, codes first, and whether each is one of codes."""
    wanted = [(column.name, column.kind == "id") for column in contract.columns if column.kind == "id"]
    wanted.append(("name", False))
    if section.by is not None:
        wanted = [(name, is_id) for name, is_id in wanted if name == section.by]
    return [(name, is_id) for name, is_id in wanted if name in spatial and name in stated]


def code_of(text: str) -> str:
    """Return a code as it is compared: a sub-district's without three zeros at its end.

    Examples
    --------
    >>> code_of("370102001000"), code_of("370102001"), code_of("370102001.0")
    ('370102001', '370102001', '370102001')
    """
    plain = re.sub(r"\.0$", "", fold(text)) if text else ""
    return plain[:TOWN_CODE] if len(plain) == LONG_CODE and plain.isdigit() and plain.endswith("000") else plain


def name_forms(text: str) -> tuple[str, str, str]:
    """Return a name as it is compared: whole, without its office, and without its kind.

    Examples
    --------
    >>> name_forms("西市街道办事处"), name_forms("西市街道")
    (('西市街道办事处', '西市街道', '西市'), ('西市街道', '西市街道', '西市'))
    """
    whole = re.sub(r"\(.*?\)", "", fold(text))
    office = whole
    while (shorter := _OFFICE.sub("", office)) != office and len(shorter) >= 2:
        office = shorter
    kind = _KIND.sub("", office)
    return whole, office, kind if len(kind) >= 2 else office


def _matched(sides: _Sides, keys: Sequence[tuple[str, bool]]) -> dict[int, list[int]]:
    """Return row of the table → places in the layer; several where a name is not clear."""
    match: dict[int, list[int]] = {}
    section = sides.section
    rows = [row for row in range(len(sides.table)) if row not in sides.totals]
    for key, is_code in keys:
        places, given = texts(sides.frame, sides.spatial[key]), texts(sides.table, sides.stated[key])
        if is_code:
            least = 1 if section.by == key else LEAST_CODE
            forms = [([code_of(text)] if len(text) >= least else [""]) for text in places]
            wanted = [([code_of(text)] if len(text) >= least else [""]) for text in given]
        else:
            forms = [list(name_forms(text)) if text else [""] for text in places]
            wanted = [list(name_forms(section.names.get(text, text))) if text else [""] for text in given]
        for stage in range(max((len(form) for form in forms), default=0)):
            free = [row for row in rows if row not in match]
            done = {place for found in match.values() for place in found}
            table_forms = [wanted[row][stage] for row in free if len(wanted[row]) > stage]
            for row in free:
                form = wanted[row][stage] if len(wanted[row]) > stage else ""
                last = not is_code and stage == len(wanted[row]) - 1
                found = [
                    place
                    for place, own in enumerate(forms)
                    if form and len(own) > stage and own[stage] == form and not (last and place in done)
                ]
                if found and not (last and (len(found) > 1 or table_forms.count(form) > 1)):
                    match[row] = found
    return match


def _total_rows(table: pd.DataFrame, stated: Mapping[str, str]) -> set[int]:
    """Return the rows that are totals, not places, and those that name none."""
    named = [texts(table, stated[name]) for name in stated if name == "name" or name.endswith("_id")]
    return {
        row
        for row in range(len(table))
        if any(_TOTAL.match(fold(column[row])) for column in named) or not any(column[row] for column in named)
    }


def _fault(section: JoinSection, contract: Contract, code: str, *, blocks: bool = True, **detail: object) -> Fault:
    column = detail.pop("column", None)
    return Fault(code, section.path, contract.layer, None, column, None, detail, blocks=blocks)  # type: ignore[arg-type]


def _listed(names: Sequence[str]) -> str:
    shown = "、".join(names[:SHOWN_NAMES])
    return shown if len(names) <= SHOWN_NAMES else f"{shown} … (+{len(names) - SHOWN_NAMES})"


def _say(out: Joined, sides: _Sides, match: Mapping[int, list[int]]) -> None:
    """Say what was matched, what matches nothing on either side, what is not clear, and totals that differ."""
    frame, table, contract, section = sides.frame, sides.table, sides.contract, sides.section
    spatial, stated, totals = sides.spatial, sides.stated, sides.totals
    key = "name" if "name" in stated else next(iter(stated))
    called = texts(table, stated[key])
    places = texts(frame, spatial["name"]) if "name" in spatial else [str(row + 1) for row in range(len(frame))]
    rows = [row for row in range(len(table)) if row not in totals]
    doubled = [called[row] for row, found in match.items() if len(found) > 1]
    taken: dict[int, list[str]] = {}
    for row, found in match.items():
        for place in found:
            taken.setdefault(place, []).append(called[row])
    twice = [
        "＝".join(dict.fromkeys(names))
        for names in taken.values()
        if len(set(names)) > 1 or (len(names) > 1 and names[0] not in doubled)
    ]
    for code, names in (("faults.join_several", doubled), ("faults.join_twice", twice)):
        if names:
            out.faults.append(_fault(section, contract, code, names=_listed(names), count=len(names)))
    left = [row for row in rows if row not in match]
    bare = [places[place] for place in range(len(frame)) if place not in taken]
    out.notes.append(Note("study.joined", {"file": section.path, "layer": contract.layer, "count": len(match)}))
    if left:
        near = {row: difflib.get_close_matches(called[row], bare, n=1, cutoff=NEAR) for row in left}
        spoken = [called[row] + (f"（{near[row][0]}？）" if near[row] else "") for row in left]
        blocks = not match or any(near.values())
        detail = {"names": _listed(spoken), "count": len(left), "people": _people(table, stated, left)}
        out.faults.append(_fault(section, contract, "faults.join_left", blocks=blocks, **detail))
    if bare and match:
        detail = {"names": _listed(bare), "count": len(bare)}
        out.faults.append(_fault(section, contract, "faults.join_bare", blocks=False, **detail))
    if "people" in stated:
        numbers = pd.to_numeric(table[stated["people"]].astype("str").str.replace(",", ""), errors="coerce")
        total = [float(numbers.iloc[row]) for row in sorted(totals) if pd.notna(numbers.iloc[row])]
        added = float(numbers.iloc[rows].sum())
        if total and abs(max(total) - added) > ROUNDING:
            detail = {"total": f"{max(total):,.0f}", "sum": f"{added:,.0f}"}
            out.faults.append(_fault(section, contract, "faults.join_total", blocks=False, **detail))


def _people(table: pd.DataFrame, stated: Mapping[str, str], rows: Sequence[int]) -> str:
    if "people" not in stated:
        return "?"
    numbers = pd.to_numeric(table[stated["people"]].astype("str").str.replace(",", ""), errors="coerce")
    return f"{float(numbers.iloc[list(rows)].sum()):,.0f}"
