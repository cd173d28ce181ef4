"""What class a facility is of, with a confidence: from a class column, OSM tags, Amap's strings, or its name.

The vocabulary is data: ``layers/standards/facility_classes.toml``.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Sureness: TypeAlias = Literal["high", "medium", "low"]
Found: TypeAlias = tuple[tuple[str, Sureness], ...]
"""Classes of one record, the main one first; empty when none fits."""


_INITIALS = re.compile(r"\b(\w)\.\s?(?=\w\b)")
"""Initials with points, which patterns know without: C.E.I.P."""


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
    """

    names: frozenset[str]
    zh: re.Pattern[str] | None
    latin: re.Pattern[str] | None
    not_zh: re.Pattern[str] | None
    not_latin: re.Pattern[str] | None
    merge_m: float
    area_m2: float | None

    def covers(self, name: str) -> bool:
        """Tell whether a facility's name speaks of this class."""
        chinese = self.zh is not None and self.zh.search(name) is not None
        if chinese and not (self.not_zh and self.not_zh.search(name)):
            return True
        spelt = _INITIALS.sub(r"\1", name)
        latin = self.latin is not None and self.latin.search(spelt) is not None
        return latin and not (self.not_latin and self.not_latin.search(spelt))


@dataclass(frozen=True, slots=True)
class Evidence:
    """One line of the vocabulary: tags or an Amap string, and the classes it may stand for.

    Parameters
    ----------
    tags
        OSM key → accepted values (empty: any, but not for the first key); empty for Amap lines.
    starts
        Beginning of an Amap class string; empty for OSM lines.
    classes
        Classes that the name may decide between.
    otherwise
        The class when the name does not tell; ``None`` for none.
    otherwise_third
        Third levels of an Amap string for which ``otherwise`` holds; empty for all.
    unless
        Names for which it does not.
    confidence
        Of ``otherwise``; a name that tells is ``high``.
    also, also_confidence
        Classes that the same place may serve as well.
    by_area
        Whether the land decides between the classes.
    several
        Whether a name may tell several classes at once (a school of nine years); else the first that it tells counts.
    """

    tags: Mapping[str, frozenset[str]]
    starts: str
    classes: tuple[str, ...]
    otherwise: str | None
    otherwise_third: frozenset[str]
    unless: re.Pattern[str] | None
    confidence: Sureness
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


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All classes, and the OSM and Amap lines in the order they are tried."""

    classes: Mapping[str, ClassWords]
    osm: tuple[Evidence, ...]
    amap: tuple[Evidence, ...]
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
        classes=tuple(table["classes"]),  # type: ignore[arg-type]
        otherwise=str(table["otherwise"]) if "otherwise" in table else None,
        otherwise_third=frozenset(table.get("otherwise_third", ())),  # type: ignore[call-overload]
        unless=_pattern(unless),
        confidence=table["confidence"],  # type: ignore[arg-type]
        also=tuple(table.get("also", ())),  # type: ignore[arg-type]
        also_confidence=table.get("also_confidence", "low"),  # type: ignore[arg-type]
        by_area=bool(table.get("by_area", False)),
        several=bool(table.get("several", False)),
    )


@cache
def vocabulary() -> Vocabulary:
    """Return the vocabulary that ships with lifecircle.

    Examples
    --------
    >>> vocabulary().classes["food_market"].covers("西市菜市场")
    True
    """
    text = files(__package__).joinpath("standards", "facility_classes.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text)
    classes = {
        name: ClassWords(
            names=frozenset(fold(word) for word in (*table["names"], name)),
            zh=_pattern(table.get("zh")),
            latin=_pattern(table.get("latin")),
            not_zh=_pattern(table.get("not_zh")),
            not_latin=_pattern(table.get("not_latin")),
            merge_m=float(table["merge_m"]),
            area_m2=float(table["area_m2"]) if "area_m2" in table else None,
        )
        for name, table in data["class"].items()
    }
    osm = tuple(map(_evidence, data["osm"]))
    by_tag: dict[tuple[str, str], tuple[tuple[int, Evidence], ...]] = {}
    for position, line in enumerate(osm):
        key, values = next(iter(line.tags.items()))
        for value in sorted(values):
            by_tag[key, value] = (*by_tag.get((key, value), ()), (position, line))
    return Vocabulary(classes, osm, tuple(map(_evidence, data["amap"])), by_tag)


def osm_filters(classes: Iterable[str]) -> list[str]:
    """Return the tag filters (``key=one|other``) that find facilities of some classes in an OSM extract.

    Examples
    --------
    >>> osm_filters(["food_market", "kindergarten"])
    ['amenity=childcare|kindergarten|marketplace|school', 'shop=supermarket']
    """
    wanted = set(classes)
    values: dict[str, set[str]] = {}
    for line in vocabulary().osm:
        if wanted.isdisjoint((*line.classes, *line.also, line.otherwise or "")):
            continue
        key = next(iter(line.tags))
        values.setdefault(key, set()).update(line.tags[key])
    return [f"{key}={'|'.join(sorted(values[key]))}" for key in sorted(values)]


def class_of_label(label: str, names: Mapping[str, str] | None = None) -> str | None:
    """Return the class that a class column's value names, whole: a product key, or a usual or standard name.

    Parameters
    ----------
    label
        The value.
    names
        More names, folded, to classes; those of the standard in use.

    Examples
    --------
    >>> class_of_label("elderly_day_care"), class_of_label("菜市场"), class_of_label("火车站")
    ('elderly_day_care', 'food_market', None)
    """
    folded = fold(label)
    bare = re.sub(r"\(.*?\)", "", folded)
    for candidate in (folded, bare):
        if names and candidate in names:
            return names[candidate]
        for name, words in vocabulary().classes.items():
            if candidate in words.names:
                return name
    return None


def class_of_tags(tags: Mapping[str, str], name: str = "", *, land_area_m2: float | None = None) -> Found:
    """Return the classes of an OSM object from its tags, its name and the size of its ground.

    Examples
    --------
    >>> class_of_tags({"amenity": "school"}, "芳草地小学")
    (('primary_school', 'high'),)
    >>> class_of_tags({"shop": "supermarket"})
    (('community_retail', 'high'), ('food_market', 'medium'))
    >>> class_of_tags({"leisure": "pitch"}, land_area_m2=2000.0)
    (('medium_multisport_ground', 'medium'),)
    >>> class_of_tags({"shop": "shoes"})
    ()
    """
    line = vocabulary().line_for(tags)
    return () if line is None else _decide(line, name, "", land_area_m2)


def class_of_amap(text: str, name: str = "", *, land_area_m2: float | None = None) -> Found:
    """Return the classes of an Amap record from its three-level string (several are joined by ``|``) and its name.

    Examples
    --------
    >>> class_of_amap("医疗保健服务;综合医院;综合医院", "二里沟社区卫生服务中心")
    (('community_health_centre', 'high'),)
    >>> class_of_amap("医疗保健服务;综合医院;三级甲等医院", "长征医院")
    (('outpatient', 'medium'),)
    """
    for part in text.replace("；", ";").split("|"):
        levels = part.strip()
        for line in vocabulary().amap:
            if levels.startswith(line.starts):
                found = _decide(line, name, levels.rpartition(";")[2], land_area_m2)
                if found:
                    return found
                break
    return ()


def class_of_name(name: str) -> str | None:
    """Return the class that a facility's name alone speaks of; the first of the vocabulary where several do.

    Examples
    --------
    >>> class_of_name("舜玉路社区日间照料中心"), class_of_name("解放阁")
    ('elderly_day_care', None)
    """
    for key, words in vocabulary().classes.items():
        if words.covers(name):
            return key
    return None


def _decide(line: Evidence, name: str, third: str, land_area_m2: float | None) -> Found:
    """Return the classes that one line of evidence and a name come to."""
    classes = vocabulary().classes
    if line.by_area and land_area_m2 is not None:
        sizes = [(classes[key].area_m2 or 0.0, key) for key in line.classes]
        fitting = [pair for pair in sizes if pair[0] <= land_area_m2]
        return ((max(fitting)[1], line.confidence),) if fitting else ()
    told = [key for key in line.classes if name and classes[key].covers(name)]
    found: list[tuple[str, Sureness]] = [(key, "high") for key in (told if line.several else told[:1])]
    general = line.otherwise is not None and (not line.otherwise_third or third in line.otherwise_third)
    if not found and general and not (line.unless and line.unless.search(_INITIALS.sub(r"\1", name))):
        found = [(str(line.otherwise), line.confidence)]
    return tuple(found) + tuple((key, line.also_confidence) for key in line.also if found)
