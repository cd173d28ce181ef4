"""The vocabulary of facility classes: how they are called in OSM, on Amap and Baidu, in planners' lists and in names.

It is data: ``layers/standards/facility_classes.toml`` and ``poi_classes.toml``.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

Sureness: TypeAlias = Literal["high", "medium", "low"]
Found: TypeAlias = tuple[tuple[str, Sureness], ...]
"""Classes of one record, the main one first; empty when none fits."""


INITIALS = re.compile(r"\b(\w)\.\s?(?=\w\b)")
"""Initials with points, which patterns know without: C.E.I.P."""


@dataclass(frozen=True, slots=True)
class PlaceRule:
    """How many places (beds, seats, stalls) a floor area is estimated to hold.

    Parameters
    ----------
    unit
        ``beds``, ``places``, ``pupils`` or ``stalls``.
    m2
        Floor area of the whole building for one place.
    source
        Where the figure stands.
    confidence
        A read, B about 90 % sure, C 60-85 % sure, D an assumption.
    """

    unit: str
    m2: float
    source: str
    confidence: str


@dataclass(frozen=True, slots=True)
class ClassWords:
    """How one facility class is called.

    Parameters
    ----------
    names
        What a class column may say, folded as `fold` does.
    zh, latin
        Patterns of a facility's name in Chinese and in languages of Latin script.
    not_zh, not_latin
        Patterns of names that those must not cover.
    merge_m
        Records of this class and one name within this many metres are one facility.
    area_m2
        Least land, where the class is told by the size of the ground.
    place
        How a capacity is estimated from floor area, ``None`` where no rule is known.
    """

    names: frozenset[str]
    zh: re.Pattern[str] | None
    latin: re.Pattern[str] | None
    not_zh: re.Pattern[str] | None
    not_latin: re.Pattern[str] | None
    merge_m: float
    area_m2: float | None
    place: PlaceRule | None

    def covers(self, name: str) -> bool:
        """Tell whether a facility's name speaks of this class."""
        chinese = self.zh is not None and self.zh.search(name) is not None
        if chinese and not (self.not_zh and self.not_zh.search(name)):
            return True
        spelt = INITIALS.sub(r"\1", name)
        latin = self.latin is not None and self.latin.search(spelt) is not None
        return latin and not (self.not_latin and self.not_latin.search(spelt))


@dataclass(frozen=True, slots=True)
class Evidence:
    """One line of the vocabulary: tags, or a map service's string or code, and the classes it may stand for.

    Parameters
    ----------
    tags
        OSM key → accepted values (empty: any, but not for the first key); empty for other lines.
    starts
        Beginning of a class string of Amap or Baidu; empty for OSM lines.
    codes
        Beginnings of Amap's six-digit codes that say the same.
    classes
        Classes that the name may decide between.
    otherwise
        The class when the name does not tell; ``None`` for none.
    otherwise_third
        Third levels of an Amap string for which ``otherwise`` holds; empty for all. A code has none, so it must be
        stated as far as it holds.
    unless
        Names for which it does not.
    confidence
        Of ``otherwise``; a name that tells is ``high``.
    silent
        Of ``otherwise`` where the record has a name and it does not tell.
    also, also_confidence
        Classes that the same place may serve as well.
    by_area
        Whether the land decides between the classes.
    several
        Whether a name may tell several classes at once (a school of nine years); else the first that it tells counts.
    """

    tags: Mapping[str, frozenset[str]]
    starts: str
    codes: tuple[str, ...]
    classes: tuple[str, ...]
    otherwise: str | None
    otherwise_third: frozenset[str]
    unless: re.Pattern[str] | None
    confidence: Sureness
    silent: Sureness
    also: tuple[str, ...]
    also_confidence: Sureness
    by_area: bool
    several: bool

    def fits(self, tags: Mapping[str, str]) -> bool:
        """Tell whether a record's tags hold all of this line's; ``a;b`` counts as both values."""
        for key, accepted in self.tags.items():
            value = tags.get(key)
            if value is None or (accepted and accepted.isdisjoint(part.strip() for part in value.split(";"))):
                return False
        return True

    def says(self, text: str) -> bool:
        """Tell whether one part of a map service's class, a string or a code, is this line's."""
        if text.isdigit():
            return any(text.startswith(code) for code in self.codes)
        return bool(self.starts) and text.startswith(self.starts)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All classes, and the lines of OSM, Amap and Baidu in the order they are tried."""

    classes: Mapping[str, ClassWords]
    osm: tuple[Evidence, ...]
    amap: tuple[Evidence, ...]
    baidu: tuple[Evidence, ...]
    part: re.Pattern[str]
    """Names of what is only a part of a place: a ward, a laboratory, a gatehouse, a parking place."""
    by_tag: Mapping[tuple[str, str], tuple[tuple[int, Evidence], ...]]
    """OSM lines by the first tag they need, with their position."""

    def line_for(self, tags: Mapping[str, str]) -> Evidence | None:
        """Return the first OSM line that a record's tags fit, `None` when they speak of no facility."""
        fitting = [
            pair
            for key, value in tags.items()
            for part in value.split(";")
            for pair in self.by_tag.get((key, part.strip()), ())
            if pair[1].fits(tags)
        ]
        return min(fitting, key=lambda pair: pair[0])[1] if fitting else None

    @property
    def keys(self) -> tuple[str, ...]:
        """OSM keys that any line reads."""
        return tuple(sorted({key for line in self.osm for key in line.tags}))


def _pattern(text: object) -> re.Pattern[str] | None:
    return re.compile(str(text), re.IGNORECASE) if text else None


def fold(text: str) -> str:
    """Return a class label as it is compared: full width to half, lower case, no spaces.

    Examples
    --------
    >>> fold("Ｆood Market（新）")
    'foodmarket(新)'
    """
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).casefold()


def _tags(text: str) -> dict[str, frozenset[str]]:
    pairs = (part.partition("=") for part in text.split("&"))
    return {key: frozenset(value.split("|")) if equals else frozenset() for key, equals, value in pairs}


def _evidence(table: Mapping[str, object]) -> Evidence:
    unless = "|".join(str(table[key]) for key in ("unless_zh", "unless_latin") if key in table)
    return Evidence(
        tags=_tags(str(table["tags"])) if "tags" in table else {},
        starts=str(table.get("starts", "")),
        codes=tuple(table.get("codes", ())),  # type: ignore[arg-type]
        classes=tuple(table["classes"]),  # type: ignore[arg-type]
        otherwise=str(table["otherwise"]) if "otherwise" in table else None,
        otherwise_third=frozenset(table.get("otherwise_third", ())),  # type: ignore[call-overload]
        unless=_pattern(unless),
        confidence=table["confidence"],  # type: ignore[arg-type]
        silent=table.get("silent", table["confidence"]),  # type: ignore[arg-type]
        also=tuple(table.get("also", ())),  # type: ignore[arg-type]
        also_confidence=table.get("also_confidence", "low"),  # type: ignore[arg-type]
        by_area=bool(table.get("by_area", False)),
        several=bool(table.get("several", False)),
    )


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath("standards", name).read_text(encoding="utf-8"))


@cache
def vocabulary() -> Vocabulary:
    """Return the vocabulary that ships with lifecircle.

    Examples
    --------
    >>> vocabulary().classes["food_market"].covers("西市菜市场")
    True
    """
    data = {**_read("facility_classes.toml"), **_read("poi_classes.toml")}
    classes = {
        name: ClassWords(
            names=frozenset(fold(word) for word in (*table["names"], name)),
            zh=_pattern(table.get("zh")),
            latin=_pattern(table.get("latin")),
            not_zh=_pattern(table.get("not_zh")),
            not_latin=_pattern(table.get("not_latin")),
            merge_m=float(table["merge_m"]),
            area_m2=float(table["area_m2"]) if "area_m2" in table else None,
            place=PlaceRule(**data["place"][name]) if name in data["place"] else None,
        )
        for name, table in data["class"].items()
    }
    osm = tuple(map(_evidence, data["osm"]))
    by_tag: dict[tuple[str, str], tuple[tuple[int, Evidence], ...]] = {}
    for position, line in enumerate(osm):
        key, values = next(iter(line.tags.items()))
        for value in sorted(values):
            by_tag[key, value] = (*by_tag.get((key, value), ()), (position, line))
    amap, baidu = (tuple(map(_evidence, data[name])) for name in ("amap", "baidu"))
    return Vocabulary(classes, osm, amap, baidu, re.compile("|".join(data["part"]["zh"])), by_tag)
