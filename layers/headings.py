"""How planners' files call things: their column names and values, brought to one spelling and matched to a contract."""

from __future__ import annotations

import difflib
import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from .table import Column, Contract

DIGITS = {"〇": 0, "零": 0, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
SHAPEFILE_BYTES = 10
"""Length to which a shapefile cuts the names of its columns."""

LIKE = 0.75
"""Likeness of names from which on a column is offered to the user."""

_NUMERAL = re.compile(f"[{''.join(DIGITS)}十]+")
_OWN_UNITS: dict[str, frozenset[str]] = {
    "_m2": frozenset({"m2", "m^2", "sqm", "平方米", "平米", "平方"}),
    "_m": frozenset({"m", "米"}),
}
_COUNT_UNITS = frozenset({"人", "户", "层", "年", "人数", "户数", "个", "处", "床", "张"})
_CODES = re.compile("(代码|编码|编号|代号|序号|号码|id|code|no)$")
_RANGE = re.compile(r"(?<=\d)岁?(?:至|到|~|～|—|–|－|_)(?=\d)")
_OF_PEOPLE = re.compile("(常住|户籍)?(老年人口|老年人|老人|儿童|幼儿|婴幼儿|人口|人数|数量|数)$")
_SPACES = re.compile(r"[\s_\-·.]+")
_ENDS = ("项目", "改造", "阶段", "状态", "用地", "土地", "类型", "性质", "导向", "政策", "类", "中", "的")
_BEGINNINGS = ("已经", "正在", "已", "正")
_DENIALS = ("未", "不", "非", "无", "没", "待", "拟", "暂", "not ", "un")


def number_of(numeral: str) -> int:
    """Read a Chinese numeral below one hundred.

    Examples
    --------
    >>> number_of("六十五"), number_of("十二"), number_of("零"), number_of("八十")
    (65, 12, 0, 80)
    """
    tens, ten, ones = numeral.partition("十")
    if not ten:
        return int("".join(str(DIGITS[sign]) for sign in numeral))
    return 10 * DIGITS.get(tens, 1) + DIGITS.get(ones, 0)


def folded(name: str, column: Column) -> str:
    """Bring the name of a column to one spelling, as far as the kind of column allows.

    Full width, letter case and spaces never matter. Brackets fall away only where they hold the unit that the product
    uses: 万人 in brackets is another unit, so the name stays apart. Words for an identifier are one word for
    identifiers, 是否 falls away for yes and no, and ages are written in digits.

    Examples
    --------
    >>> from lifecircle.layers.contracts import CONTRACTS
    >>> people = CONTRACTS["districts"]
    >>> folded("六十五周岁及以上人口", people.column("elders_65")), folded("６５岁以上", people.column("elders_65"))
    ('65岁以上', '65岁以上')
    >>> folded("三至六岁", people.column("children_3_6")), folded("总人口（万人）", people.column("people"))
    ('3-6岁', '总人口(万人)')
    >>> folded("是否封闭管理", CONTRACTS["compounds"].column("walled"))
    '封闭管理'
    """
    text = unicodedata.normalize("NFKC", name).strip().lower()
    text = _without_unit(text, column)
    if "岁" in text:
        return _age(text)
    text = _SPACES.sub("", text)
    if column.kind == "id" or column.name.endswith("_id"):
        bare = _CODES.sub("", text)
        return f"{bare}编号" if bare else text
    return text.removeprefix("是否") if column.kind == "bool" else text


def _without_unit(text: str, column: Column) -> str:
    """Return a name without a bracket that holds the product's own unit of that column."""
    match = re.fullmatch(r"(.+?)\s*[(\[/]\s*([^()\[\]/]+?)\s*[)\]]?", text)
    if match is None:
        return text
    units = next((units for end, units in _OWN_UNITS.items() if column.name.endswith(end)), frozenset[str]())
    if column.kind in ("int", "float") and not units:
        units = _COUNT_UNITS
    return match[1] if match[2] in units else text


def _age(text: str) -> str:
    """Return the name of an age group in digits, ``60岁以上`` or ``3-6岁``."""
    text = _NUMERAL.sub(lambda match: str(number_of(match[0])), text)
    text = _RANGE.sub("-", text).replace("周岁", "岁").replace("含", "")
    text = re.sub(r"\s+|及(?=以|$)", "", text)
    while (shorter := _OF_PEOPLE.sub("", text)) != text and "岁" in shorter:
        text = shorter
    return text.removesuffix("的")


def propose_columns(present: Sequence[str], contract: Contract, *, skip: set[str] | None = None) -> dict[str, str]:
    """Propose the file's column for each column of a contract, by the names that columns go by in planners' files.

    The product's own names come first, then the other names in the contract's order, letter case ignored; then names
    that a shapefile cut to ten bytes; last other spellings (`folded`) and cut ones of these. Each column of the file is
    proposed once; of two columns that an uncertain spelling fits alike neither is proposed.

    Examples
    --------
    >>> from lifecircle.layers.contracts import CONTRACTS
    >>> propose_columns(["小区名称", "总户数", "备注"], CONTRACTS["compounds"])
    {'name': '小区名称', 'households': '总户数'}
    >>> propose_columns(["街道代码", "八十周岁及以上", "面积"], CONTRACTS["districts"])
    {'district_id': '街道代码', 'elders_80': '八十周岁及以上'}
    """
    wanted = [column for column in contract.columns if column.name not in (skip or set())]
    found = _in_order(list(present), wanted)
    for same in (_spelt_alike, _cut_alike):
        free = [name for name in present if name not in found.values()]
        found |= _unambiguous(free, [column for column in wanted if column.name not in found], same)
    return {column.name: found[column.name] for column in wanted if column.name in found}


def _in_order(present: Sequence[str], wanted: Sequence[Column]) -> dict[str, str]:
    """Match names as they stand: the product's, the contract's other names in their order, and those cut short."""
    free = dict.fromkeys(present)
    lower = {name.strip().lower(): name for name in reversed(present)}
    found: dict[str, str] = {}
    for names in (lambda column: (column.name,), lambda column: column.also, _cut_names):
        for column in wanted:
            if column.name in found:
                continue
            for name in names(column):
                source = lower.get(name.lower())
                if source is not None and source in free:
                    found[column.name] = source
                    del free[source]
                    break
    return found


def _cut_names(column: Column) -> list[str]:
    """Return how a shapefile's ten bytes cut the names of a column, in GB18030 and in UTF-8."""
    cut: list[str] = []
    for name in (column.name, *column.also):
        for encoding in ("gb18030", "utf-8"):
            data = name.encode(encoding)
            if len(data) > SHAPEFILE_BYTES:
                cut.append(data[:SHAPEFILE_BYTES].decode(encoding, errors="ignore"))
    return cut


def cut_from(name: str, column: Column) -> str | None:
    """Return the name that a file's column name is the beginning of, where a shapefile's ten bytes cut it.

    Examples
    --------
    >>> from lifecircle.layers.contracts import CONTRACTS
    >>> walled = CONTRACTS["compounds"].column("walled")
    >>> cut_from("是否封闭管", walled), cut_from("封闭", walled)
    ('是否封闭管理', None)
    """
    known = (column.name, *column.also)
    plain = name.strip().lower()
    if plain in {whole.lower() for whole in known}:
        return None
    if name in _cut_names(column):
        return next(whole for whole in known if whole.startswith(name))
    if _cut_alike(name, column):
        start = folded(name, column)
        return next(whole for whole in known if folded(whole, column).startswith(start))
    return None


def guess_columns(unused: Sequence[str], contract: Contract, *, found: Iterable[str]) -> dict[str, str]:
    """Return columns of a file that may be the product's although their names are other: for the user to judge.

    Examples
    --------
    >>> from lifecircle.layers.contracts import CONTRACTS
    >>> guess_columns(["小区户数合计", "备注"], CONTRACTS["compounds"], found=["name"])
    {'households': '小区户数合计'}
    """
    have = set(found)
    pairs = []
    for column in contract.columns:
        if column.name in have or column.kind == "id" or column.name.endswith("_id"):
            continue
        for name in unused:
            likeness = max((_likeness(folded(name, column), folded(known, column)) for known in column.also), default=0)
            pairs.append((-likeness, column.name, name))
    guessed: dict[str, str] = {}
    for likeness, column_name, name in sorted(pairs):
        if -likeness >= LIKE and column_name not in guessed and name not in guessed.values():
            guessed[column_name] = name
    return guessed


def _likeness(name: str, known: str) -> float:
    """Return how much of the shorter of two names stands in the longer, 0 to 1; single characters tell nothing."""
    short, long = sorted((name, known), key=len)
    if len(short) < 2:
        return 0.0
    match = difflib.SequenceMatcher(None, short, long, autojunk=False)
    inside = sum(block.size for block in match.get_matching_blocks() if block.size > 1)
    return inside / len(short) if name.isascii() == known.isascii() else 0.0


def _unambiguous(free: Sequence[str], wanted: Sequence[Column], same: Callable[[str, Column], bool]) -> dict[str, str]:
    """Match where one name fits one column only, and no other name fits that column."""
    fits = {name: [column.name for column in wanted if same(name, column)] for name in free}
    single = {name: columns[0] for name, columns in fits.items() if len(columns) == 1}
    claimed = [column for columns in fits.values() for column in columns]
    return {column: name for name, column in single.items() if claimed.count(column) == 1}


def _spelt_alike(name: str, column: Column) -> bool:
    """Tell whether a name is one of a column's in another spelling."""
    return folded(name, column) in {folded(known, column) for known in (column.name, *column.also)}


def _cut_alike(name: str, column: Column) -> bool:
    """Tell whether a name of ten bytes may be the beginning of one of a column's in another spelling."""
    sizes = {len(name.encode("gb18030", errors="replace")), len(name.encode("utf-8", errors="replace"))}
    if name.isascii() or not sizes & {SHAPEFILE_BYTES, SHAPEFILE_BYTES - 1}:
        return False
    start = folded(name, column)
    whole = {folded(known, column) for known in (column.name, *column.also)}
    return len(start) > 1 and start not in whole and any(known.startswith(start) for known in whole)


def propose_values(given: Iterable[str], choices: Mapping[str, Sequence[str]]) -> tuple[dict[str, str], list[str]]:
    """Propose the product's value for each value of a file that the contract does not know by name.

    A value is proposed when it is one choice's in another spelling, or when words of just one choice stand in it and
    nothing in it denies them.

    Parameters
    ----------
    given
        The file's values.
    choices
        The product's value → the names it goes by.

    Returns
    -------
    tuple
        What is proposed, and the values that resemble none or more than one.

    Examples
    --------
    >>> stages = {"done": ("完成",), "build": ("施工",), "other": ("其他",)}
    >>> propose_values(["已完成", "施工中", "未完成", "其他"], stages)
    ({'已完成': 'done', '施工中': 'build'}, ['未完成'])
    """
    names = {value: {value.lower(), *(name.lower() for name in also)} for value, also in choices.items()}
    known = {name for spelt in names.values() for name in spelt}
    proposed: dict[str, str] = {}
    unknown: list[str] = []
    for text in dict.fromkeys(given):
        if text.strip().lower() in known:
            continue
        bare = _bare(text)
        fits = {value for value, spelt in names.items() if bare in {_bare(name) for name in spelt}}
        if not fits and not any(denial in text.lower() for denial in _DENIALS):
            inside = {name: value for value, spelt in names.items() for name in spelt if len(name) > 1 and name in bare}
            longest = max(map(len, inside), default=0)
            fits = {value for name, value in inside.items() if len(name) == longest}
        if len(fits) == 1:
            proposed[text] = fits.pop()
        else:
            unknown.append(text)
    return proposed, unknown


def _bare(text: str) -> str:
    """Return a value without what may stand before or after its word."""
    text = _SPACES.sub("", unicodedata.normalize("NFKC", text).lower())
    text = re.sub(r"\(.*?\)$", "", text) or text
    for beginning in _BEGINNINGS:
        if len(text) > len(beginning) + 1:
            text = text.removeprefix(beginning)
    for end in _ENDS:
        if len(text) > len(end):
            text = text.removesuffix(end)
    return text
