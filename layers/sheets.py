"""Excel as planners keep it: titles above the header, merged cells, several sheets."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import openpyxl
import pandas as pd

from ..gis.errors import Fault, InputError
from .reading import refuse_archive, unreadable
from .study import Note

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from .reading import How

    Cells = list[list[object]]

SHEETS = (".xlsx", ".xlsm")
HEADER_ROWS = 20
"""How many rows are looked at for the header."""

MERGED_MOST_BYTES = 8 << 20
"""A larger workbook is read as a stream, which does not say what cells are merged."""


@dataclass(frozen=True, slots=True)
class _Sheet:
    """The cells of a sheet, and for each row the columns that a merge joins to the row below."""

    name: str
    cells: Cells
    joined: tuple[frozenset[int], ...]

    def header(self, wanted: frozenset[str]) -> tuple[int, int] | None:
        """Return the first and last row of the header: rows that name what is wanted, and those merged to them."""
        texts = [
            {str(cell).strip().lower() for cell in row if isinstance(cell, str)} for row in self.cells[:HEADER_ROWS]
        ]
        first = next((number for number, row in enumerate(texts) if not wanted.isdisjoint(row)), None)
        if first is None:
            return None
        last = first
        while last + 1 < len(texts) and (self.joined[last] or not wanted.isdisjoint(texts[last + 1])):
            last += 1
        while first and any(column in self.joined[first - 1] for column in range(len(self.cells[first]))):
            first -= 1
        return first, last


def read_sheet(path: Path, how: How, wanted: Iterable[str], *, placed: bool) -> tuple[pd.DataFrame, tuple[Note, ...]]:
    """Read one sheet of a workbook: the one stated, the one named as the product's layer, else the one that fits.

    The header is the first row that has one of the wanted names, with the rows that merged cells join to it; else the
    first row with two texts. Texts of merged cells count for each cell; numbers only for the first, so that their sum
    stays.

    Parameters
    ----------
    path
        The workbook.
    how
        The sheet stated, the name preferred.
    wanted
        Names by which the header is known, in lower case.
    placed
        Whether its rows must have coordinates, so that a sheet without them is none to choose.

    Raises
    ------
    InputError
        When it is no workbook, the sheet is not there, several fit, or there is no header.
    """
    refuse_archive(path)
    known = frozenset(wanted)
    sheets = _sheets(path, how)
    fitting = [sheet for sheet in sheets if sheet.header(known) is not None] if placed else sheets[:1]
    if len(fitting) > 1:
        message = f"{path} has {len(fitting)} sheets with coordinates; state which"
        names = ", ".join(sheet.name for sheet in fitting)
        raise InputError(message, Fault("faults.sublayer_which", file=str(path), detail={"names": names}))
    sheet = fitting[0] if fitting else sheets[0]
    notes = []
    if len(sheets) > 1 and fitting and placed:
        notes.append(Note("files.sheet_chosen", {"file": path.name, "sheet": sheet.name}))
    rows = sheet.header(known) or _first_texts(sheet)
    if rows is None:
        raise unreadable(path, ValueError("no header row"))
    first, last = rows
    if first:
        notes.append(Note("files.header_below", {"file": path.name, "row": last + 1, "above": first}))
    body = [row for row in sheet.cells[last + 1 :] if any(cell is not None for cell in row)]
    columns = pd.Index(distinct_names(_names(sheet.cells[first : last + 1])))
    return pd.DataFrame(body, columns=columns).convert_dtypes(), tuple(notes)


def _sheets(path: Path, how: How) -> list[_Sheet]:
    """Return the sheets among which to choose."""
    stream = path.stat().st_size > MERGED_MOST_BYTES
    try:
        with warnings.catch_warnings(), path.open("rb") as file:  # which openpyxl leaves open when it is broken
            warnings.simplefilter("ignore")  # openpyxl warns of styles and extensions that do not matter here
            book = openpyxl.load_workbook(file, read_only=stream, data_only=True)
            names = [sheet.title for sheet in book.worksheets]
            chosen = [how.layer] if how.layer is not None else [how.prefer] if how.prefer in names else names
            found = [_sheet(book[name], merged=not stream) for name in chosen if name in names]
            book.close()
    except Exception as error:  # openpyxl raises whatever its parts raise on a broken archive
        raise unreadable(path, error) from error
    if not found:
        message = f"{path} has no sheet {how.layer!r}"
        detail = {"names": ", ".join(names)}
        raise InputError(message, Fault("faults.sublayer_missing", file=str(path), value=how.layer, detail=detail))
    return found


def _sheet(sheet: object, *, merged: bool) -> _Sheet:
    """Return a sheet's cells with the texts of merged cells in each."""
    cells = [list(row) for row in sheet.iter_rows(values_only=True)]  # type: ignore[attr-defined]
    joined: list[set[int]] = [set() for _ in cells]
    for area in sheet.merged_cells.ranges if merged else ():  # type: ignore[attr-defined]
        left, top, right, bottom = (number - 1 for number in area.bounds)
        value = cells[top][left] if top < len(cells) and left < len(cells[top]) else None
        for row in range(top, min(bottom + 1, len(cells))):
            for column in range(left, min(right + 1, len(cells[row]))):
                if isinstance(value, str):
                    cells[row][column] = value
                if row < bottom and top < HEADER_ROWS:
                    joined[row].add(column)
    return _Sheet(str(sheet.title), cells, tuple(map(frozenset, joined)))  # type: ignore[attr-defined]


def _first_texts(sheet: _Sheet) -> tuple[int, int] | None:
    """Return the first row with two different texts, which is the header where no name is known."""
    for number, row in enumerate(sheet.cells[:HEADER_ROWS]):
        if len({cell for cell in row if isinstance(cell, str)}) >= 2:
            return number, number
    return None


def _names(rows: Cells) -> list[str]:
    """Return the names of columns from the rows of a header: the lowest text, with the one above where it repeats."""
    stacks = []
    for column in range(max(map(len, rows))):
        stack = [str(row[column]).strip() for row in rows if column < len(row) and row[column] is not None]
        stacks.append(list(dict.fromkeys(text for text in stack if text)))
    lowest = [stack[-1] if stack else f"column_{place + 1}" for place, stack in enumerate(stacks)]
    return [
        f"{stack[-2]}_{stack[-1]}" if len(stack) > 1 and lowest.count(name) > 1 else name
        for stack, name in zip(stacks, lowest, strict=True)
    ]


def distinct_names(names: Sequence[str]) -> list[str]:
    """Return names with those that repeat numbered.

    Examples
    --------
    >>> distinct_names(["a", "b", "a"])
    ['a', 'b', 'a_2']
    """
    seen: dict[str, int] = {}
    out: list[str] = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        own = name if seen[name] == 1 else f"{name}_{seen[name]}"
        while own in out:
            own += "_"
        out.append(own)
    return out
