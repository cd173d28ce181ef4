"""Column contracts: what a layer's table must hold, and a check that reports every fault of it at once."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import pandas as pd

from ..gis.errors import Fault
from .headings import cut_from, propose_columns
from .repair import mend
from .study import Note, no_repairs

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd

Kind: TypeAlias = Literal["id", "text", "int", "float", "bool", "choice"]
Shape: TypeAlias = Literal["Point", "LineString", "Polygon"]

LIMITED = re.compile(
    r"(?:[≤≥<>]=?|不大于|不小于|不超过|不低于|不高于|小于等于|大于等于|最大|最高)?\s*"
    r"(?:\d+(?:\.\d+)?\s*%?\s*[-~—–至]\s*)?(\d+(?:\.\d+)?)\s*(%|m|米|M)?"
)
"""A control as plans write it: with its sign, its unit, or from a least figure to the limit."""
BREAKS = re.compile(r"[\t\n\r]+")
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""Signs that neither XML nor a cell of a spreadsheet can hold, and those that no font draws."""

SHOWN_PER_COLUMN = 5
"""How many rows of one column with one fault are listed before the rest is counted."""

TRUE_WORDS = frozenset(
    {
        *("true", "t", "yes", "y", "1", "1.0", "是", "有", "真", "√", "开", "开放"),
        *("viaduct", "movable", "covered", "boardwalk", "building_passage", "culvert"),  # kinds of OSM bridges, tunnels
    }
)
FALSE_WORDS = frozenset({"false", "f", "no", "n", "0", "0.0", "否", "无", "假", "×", "关", "封闭", "关闭"})
UNSAID = frozenset(
    {
        *("-", "--", "—", "——", "–", "/", "\\", "n/a", "#n/a", "na", "nan", "null", "none", "?", "unknown"),
        *("不详", "未知", "暂无", "待定", "缺", "缺失", "未填", "无数据"),
    }
)
"""What tables write in a column of numbers for "not known"; 无 is none of them, as it may mean zero."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a layer: its name, kind, limits, and the names it goes by in planners' files.

    Parameters
    ----------
    name
        The product's name, unit included.
    kind
        ``id`` (text, unique, present), ``text``, ``int``, ``float``, ``bool`` or ``choice``.
    required
        Whether a layer without the column is refused.
    least
        Smallest value allowed for numbers.
    choices
        For ``choice``: the product's value → the names it goes by in files. For ``bool``: ``true`` and ``false`` →
        words that mean so in this column, though elsewhere they may not.
    also
        Names the column goes by in files, Chinese and English; the first is the usual Chinese one.
    control
        Whether it is a control of a plan: ``≤2.5``, ``不大于24米`` and ``1.0-2.5`` are read as their limit.
    share
        Whether it is a share from 0 to 1; above 1 it is read as percent.
    """

    name: str
    kind: Kind
    required: bool = False
    least: float | None = None
    choices: dict[str, tuple[str, ...]] = field(default_factory=dict)
    also: tuple[str, ...] = ()
    control: bool = False
    share: bool = False


@dataclass(frozen=True, slots=True)
class Contract:
    """What a layer must be: its geometry and its columns.

    Parameters
    ----------
    layer
        Its key in study.toml.
    shapes
        Geometry kinds accepted (multi-part ones count as their single kind); empty for tables without geometry.
    columns
        The columns the product reads; others travel along untouched.
    """

    layer: str
    shapes: tuple[Shape, ...]
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column:
        """Return the column of that name; `KeyError` when the contract has none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Checked:
    """A layer after its check: the frame as the product reads it, what is wrong with it, what was done to it."""

    frame: gpd.GeoDataFrame
    faults: tuple[Fault, ...]
    notes: tuple[Note, ...]
    found: Mapping[str, str] = field(default_factory=dict)
    """Product column → the file's column it was read from."""
    repairs: pd.DataFrame = field(default_factory=no_repairs)
    """What was changed of its geometries: columns of `lifecircle.layers.study.REPAIRS`."""


def check(
    frame: gpd.GeoDataFrame,
    contract: Contract,
    *,
    file: str,
    columns: Mapping[str, str] | None = None,
    values: Mapping[str, Mapping[str, str]] | None = None,
    optional: frozenset[str] = frozenset(),
) -> Checked:
    """Bring a layer into the form of its contract and report every fault of it at once.

    Columns are named by the column map, else by the contract's own names, else by the names they go by. Numbers become
    float64 (``int`` becomes int64 where no value is missing), ``bool`` becomes bool (``boolean`` where values are
    missing), the rest text. A missing value stays missing: it is unknown, not zero. Columns that the file lacks stay
    absent, except the id, which is then numbered from 1. The geometry is mended by `lifecircle.layers.repair.mend`.

    Parameters
    ----------
    frame
        The layer in a metric CRS (area changes are judged by it). Its index is the place of each row in the file.
    contract
        What it must be.
    file
        Name of its file, for the faults.
    columns
        Product column → file column.
    values
        Product column → file value → product value.
    optional
        Required columns that this source may lack.

    Returns
    -------
    Checked
        The frame has index 0…n-1. It may be used only when no fault blocks.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import Point
    >>> cells = gpd.GeoDataFrame({"人口": ["12", "-3"]}, geometry=[Point(0, 0), Point(9, 0)], crs="EPSG:4547")
    >>> people = Column("people", "float", required=True, least=0, also=("人口",))
    >>> checked = check(cells, Contract("population", ("Point",), (people,)), file="cells.csv")
    >>> print(*checked.faults)
    faults.negative (file=cells.csv, layer=population, row=2, column=人口, value=-3)
    >>> checked.frame["people"].tolist()
    [12.0, -3.0]
    """
    places = frame.index
    frame, cleaned = printable(frame.reset_index(drop=True))
    if frame.empty:
        return Checked(frame, (Fault("faults.layer_empty", file=file, layer=contract.layer),), ())
    report = _Report(file, contract.layer)
    found = _named(frame, contract, columns or {}, report, optional)
    report.rows = _row_labels(frame, found, contract, places)
    report.notes += _cut_notes(found, contract, columns or {}, file)
    if cleaned:
        report.notes.append(Note("study.control_signs", {"layer": contract.layer, "file": file, "count": cleaned}))
    out = _as_asked(frame, found, contract, values or {}, report)
    numbered = next(
        (column.name for column in contract.columns if column.kind == "id" and column.name not in found), None
    )
    mended = mend(out, contract.shapes, layer=contract.layer, file=file, rows=report.rows, numbered=numbered)
    faults, notes = (*report.faults, *mended.faults), (*report.notes, *mended.notes)
    return Checked(mended.frame, faults, notes, found, mended.repairs)


def _as_asked(
    frame: gpd.GeoDataFrame,
    found: Mapping[str, str],
    contract: Contract,
    values: Mapping[str, Mapping[str, str]],
    report: _Report,
) -> gpd.GeoDataFrame:
    """Return a layer with the contract's columns by their names and kinds; columns of no contract travel along."""
    taken = set(found.values())
    product = {column.name for column in contract.columns}
    clash = {name: f"{name}_file" for name in frame.columns if name in product and name not in taken}
    out = frame.rename(columns=clash)
    for column in contract.columns:
        source = found.get(column.name)
        if source is None:
            if column.kind == "id":
                out[column.name] = pd.array([str(number + 1) for number in range(len(out))], dtype="str")
                report.notes.append(Note("study.ids_generated", {"layer": contract.layer, "count": len(out)}))
            continue
        out[column.name] = _typed(frame[source], column, values.get(column.name, {}), report)
    return out.drop(columns=[name for name in taken if name not in product and name in out.columns])


def printable(frame: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, int]:
    r"""Return a layer with the control signs taken out of its texts, and how many cells had some.

    Documents and spreadsheets cannot hold them; line breaks and tabs become a space.

    Examples
    --------
    >>> import geopandas as gpd
    >>> frame = gpd.GeoDataFrame({"name": ["\x07甲\x0b园", "乙\n村", None]}, geometry=[None] * 3)
    >>> cleaned, count = printable(frame)
    >>> cleaned["name"].tolist()[:2], count
    (['甲园', '乙 村'], 2)
    """
    changed: dict[str, pd.Series] = {}
    count = 0
    for name in frame.columns:
        values = frame[name]
        if name == frame.geometry.name or not (values.dtype == object or isinstance(values.dtype, pd.StringDtype)):
            continue
        if CONTROL.search(" ".join(value for value in values if isinstance(value, str))) is None:
            continue
        dirty = np.array([isinstance(value, str) and CONTROL.search(value) is not None for value in values], dtype=bool)
        count += int(dirty.sum())
        clean = [without_control(value) if wrong else value for value, wrong in zip(values, dirty, strict=True)]
        changed[name] = pd.Series(clean, index=frame.index, dtype=values.dtype)
    return (frame.assign(**changed), count) if changed else (frame, 0)


def without_control(text: str) -> str:
    """Return a text without control signs; line breaks and tabs become a space."""
    return CONTROL.sub("", BREAKS.sub(" ", text))


@dataclass(slots=True)
class _Report:
    """Where the faults and notes of one layer gather."""

    file: str
    layer: str
    rows: pd.Series = field(default_factory=lambda: pd.Series(dtype=object))
    faults: list[Fault] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    def cells(self, code: str, column: str, wrong: pd.Series, given: pd.Series, **detail: object) -> None:
        """Report the rows of a column for which ``wrong`` holds: the first few by name, the rest as a number."""
        places = np.flatnonzero(wrong.to_numpy(dtype=bool))
        for place in places[:SHOWN_PER_COLUMN]:
            value = given.iloc[place]
            shown = None if pd.isna(value) else str(value)
            self.faults.append(Fault(code, self.file, self.layer, self.rows.iloc[place], column, shown, detail))
        more = len(places) - SHOWN_PER_COLUMN
        if more > 0:
            self.faults.append(Fault("faults.and_more", self.file, self.layer, column=column, detail={"count": more}))


def _named(
    frame: gpd.GeoDataFrame,
    contract: Contract,
    columns: Mapping[str, str],
    report: _Report,
    optional: frozenset[str],
) -> dict[str, str]:
    """Find the file's column for each column of the contract; report maps that miss, and what is required and lacks."""
    present = [str(name) for name in frame.columns if name != frame.geometry.name]
    listed = ", ".join(present) or "-"
    product = {column.name for column in contract.columns}
    for name, source in columns.items():
        if name not in product:
            known = ", ".join(sorted(product))
            fault = Fault("faults.column_unknown", report.file, report.layer, column=name, detail={"known": known})
            report.faults.append(fault)
        elif source not in present:
            fault = Fault("faults.column_missing", report.file, report.layer, column=source, detail={"columns": listed})
            report.faults.append(fault)
    found = {name: source for name, source in columns.items() if source in present}
    found |= propose_columns([name for name in present if name not in found.values()], contract, skip=set(columns))
    for column in contract.columns:
        if column.required and column.name not in found and column.name not in columns and column.name not in optional:
            detail = {"columns": listed, "also": ", ".join(column.also) or column.name}
            report.faults.append(
                Fault("faults.column_required", report.file, report.layer, column=column.name, detail=detail)
            )
    return found


def _cut_notes(found: Mapping[str, str], contract: Contract, columns: Mapping[str, str], file: str) -> list[Note]:
    """Return a note for each column that was recognised by a name that a shapefile cut short."""
    notes = []
    for name, source in found.items():
        whole = None if name in columns else cut_from(source, contract.column(name))
        if whole is not None:
            detail = {"layer": contract.layer, "file": PurePath(file).name, "source": source, "name": whole}
            notes.append(Note("files.column_cut", detail))
    return notes


def _row_labels(frame: gpd.GeoDataFrame, found: Mapping[str, str], contract: Contract, places: pd.Index) -> pd.Series:
    """Return what a user finds each row by: its id where it has one of its own, else its number in the file from 1.

    The places are those of the file: rows that lie elsewhere or that a filter left out were counted.
    """
    known = pd.api.types.is_integer_dtype(places.dtype) and places.is_unique and bool((places >= 0).all())
    numbers = pd.Series((places + 1 if known else range(1, len(frame) + 1)), dtype=object)
    for column in contract.columns:
        source = found.get(column.name)
        if column.kind == "id" and source is not None:
            ids = _text(frame[source])
            return ids.astype(object).where(ids.notna() & ~ids.duplicated(keep=False), numbers)
    return numbers


def _text(values: pd.Series) -> pd.Series:
    """Return values as stripped text, whole numbers without a decimal point, empty text as missing."""
    if pd.api.types.is_float_dtype(values):
        whole = values.dropna()
        if bool((whole == whole.round()).all()):
            values = values.astype("Int64")
    text = values.astype("str").str.strip()
    return text.mask(values.isna().to_numpy() | (text == "").to_numpy())


def _typed(given: pd.Series, column: Column, mapped: Mapping[str, str], report: _Report) -> pd.Series:
    """Return a column of the file as its kind asks, and report the cells that cannot be."""
    name = str(given.name)
    if mapped:
        text = _text(given)
        given = text.map(mapped).where(text.isin(list(mapped)), text).rename(name)
    if column.kind in ("int", "float"):
        return _number(given, column, name, report)
    if column.kind == "bool":
        return _boolean(given, column, name, report)
    text = _text(given)
    if column.kind == "choice":
        return _choice(text, column, name, report)
    if column.kind == "id":
        report.cells("faults.id_missing", name, text.isna(), given)
        report.cells("faults.id_twice", name, text.notna() & text.duplicated(keep="first"), given)
    return text


def _number(given: pd.Series, column: Column, name: str, report: _Report) -> pd.Series:
    """Return numbers: text with thousands separators is read, "not known" is missing, what is no number is reported."""
    if pd.api.types.is_numeric_dtype(given) and not pd.api.types.is_bool_dtype(given):
        numbers = given.astype("float64")
        report.cells("faults.not_number", name, pd.Series(np.isinf(numbers)), given)
    else:
        text = _text(given)
        plain = text.str.normalize("NFKC").str.replace(r"(?<=\d),(?=\d{3}(?:\D|$))", "", regex=True)
        if column.control:
            plain = _limits(plain, column)
        unsaid = plain.str.lower().isin(UNSAID) & (not column.required)
        if bool(unsaid.any()):
            detail = {"layer": report.layer, "file": PurePath(report.file).name, "column": name}
            report.notes.append(Note("study.unsaid", {**detail, "count": int(unsaid.sum())}))
            text, plain = text.mask(unsaid), plain.mask(unsaid)
        numbers = pd.to_numeric(plain, errors="coerce").astype("float64")
        numbers = numbers.mask(np.isinf(numbers))
        report.cells("faults.not_number", name, text.notna() & numbers.isna(), given)
    if column.share:
        numbers = _shares(numbers, given, name, report)
    if column.least is not None:
        low = numbers < column.least
        if column.least == 0:
            report.cells("faults.negative", name, low, given)
        else:
            report.cells("faults.too_small", name, low, given, least=column.least)
    if column.kind == "int":
        report.cells("faults.not_whole", name, numbers.notna() & (numbers != numbers.round()), given)
        if bool((numbers.notna() & (numbers == numbers.round()) & (numbers.abs() < 2**53)).all()):
            return numbers.astype("int64")
    return numbers


def _limits(plain: pd.Series, column: Column) -> pd.Series:
    """Return controls as plans write them as bare numbers; a percentage of a share as that share.

    Examples
    --------
    >>> ratio = Column("far", "float", control=True)
    >>> _limits(pd.Series(["≤2.5", "1.0-1.8", "不大于24米", "n", None], dtype="str"), ratio).tolist()
    ['2.5', '1.8', '24', 'n', nan]
    >>> _limits(pd.Series(["≥35%", "0.5%"], dtype="str"), Column("green_ratio", "float", share=True)).tolist()
    ['0.35', '0.005']
    """
    parts = plain.str.extract(f"^{LIMITED.pattern}$")
    percent = (parts[1] == "%") & column.share
    shares = pd.to_numeric(parts[0]) / 100
    bare = parts[0].mask(percent, shares.map("{:.10g}".format))
    return bare.where(parts[0].notna() & ((parts[1] != "%") | column.share), plain).astype("str")


def _shares(numbers: pd.Series, given: pd.Series, name: str, report: _Report) -> pd.Series:
    """Return shares from 0 to 1: what is above 1 was written in percent; above 100 is reported."""
    report.cells("faults.not_share", name, numbers > 100, given)
    percent = (numbers > 1) & (numbers <= 100)
    if bool(percent.any()):
        detail = {"layer": report.layer, "file": PurePath(report.file).name, "column": name}
        report.notes.append(Note("study.percent", {**detail, "count": int(percent.sum())}))
    return numbers.mask(percent, numbers / 100)


def _boolean(given: pd.Series, column: Column, name: str, report: _Report) -> pd.Series:
    """Return yes and no, in the words of either language; a column's own words win over those of all."""
    if pd.api.types.is_bool_dtype(given):
        words = given.astype("boolean")
    else:
        text = _text(given).str.lower()
        words = pd.Series(pd.NA, index=given.index, dtype="boolean")
        words[text.isin(TRUE_WORDS)] = True
        words[text.isin(FALSE_WORDS)] = False
        words[text.isin(column.choices.get("true", ()))] = True
        words[text.isin(column.choices.get("false", ()))] = False
        report.cells("faults.not_bool", name, text.notna() & words.isna(), given)
    return words if bool(words.isna().any()) else words.astype(bool)


def _choice(text: pd.Series, column: Column, name: str, report: _Report) -> pd.Series:
    """Return the product's value for each name of a choice; report what is none of them."""
    lookup = {alias.lower(): value for value, names in column.choices.items() for alias in (value, *names)}
    chosen = text.str.lower().map(lookup).astype("str")
    wrong = text.notna() & chosen.isna()
    first = wrong & ~text.where(wrong).duplicated()
    spoken = "、".join("／".join(names) or value for value, names in column.choices.items())
    report.cells("faults.unknown_choice", name, first, text, choices=", ".join(column.choices), spoken=spoken)
    return chosen
