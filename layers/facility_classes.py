"""What class a facility is of, with a confidence: from a class column, OSM tags, a map service's class, or its name."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from .facility_words import INITIALS, Evidence, Found, Sureness, fold, vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_CODES = re.compile(r"\s*\d{5,6}(\s*\|\s*\d{5,6})*\s*")


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
    (('community_retail', 'high'), ('food_market', 'medium'), ('supermarket', 'medium'))
    >>> class_of_tags({"leisure": "pitch"}, land_area_m2=2000.0)
    (('medium_multisport_ground', 'medium'),)
    >>> class_of_tags({"leisure": "pitch", "sport": "soccer"}, land_area_m2=2000.0)
    (('medium_multisport_ground', 'medium'), ('football_ground', 'high'))
    >>> class_of_tags({"shop": "shoes"})
    ()
    """
    line = vocabulary().line_for(tags)
    return () if line is None else _decide(line, name, "", land_area_m2)


def is_poi_class(label: str) -> bool:
    """Tell whether a class column's value is one of a map service: levels joined by ``;``, or codes of six digits.

    Examples
    --------
    >>> is_poi_class("购物服务;综合市场;农副产品市场"), is_poi_class("60703|060705"), is_poi_class("菜市场")
    (True, True, False)
    """
    return ";" in label or "；" in label or _CODES.fullmatch(label) is not None


def class_of_poi(text: str, name: str = "", *, land_area_m2: float | None = None) -> Found:
    """Return the classes of a record of Amap or Baidu from its class and its name.

    The class is Amap's three-level string or its six-digit code (a zero at the front that a spreadsheet lost is put
    back), or Baidu's two-level string; several are joined by ``|`` and the first that is known counts.

    Examples
    --------
    >>> class_of_poi("医疗保健服务;综合医院;综合医院", "二里沟社区卫生服务中心")
    (('community_health_centre', 'high'),)
    >>> class_of_poi("医疗保健服务;综合医院;三级甲等医院", "长征医院")
    (('outpatient', 'medium'),)
    >>> class_of_poi("141204"), class_of_poi("60703|170000"), class_of_poi("购物;集市", "西市")
    ((('kindergarten', 'high'),), (('food_market', 'high'),), (('food_market', 'medium'),))
    """
    words = vocabulary()
    for part in text.replace("；", ";").split("|"):
        levels = part.strip()
        levels = levels.zfill(6) if levels.isdigit() else levels
        for line in (*words.amap, *words.baidu):
            if line.says(levels):
                found = _decide(line, name, levels.rpartition(";")[2], land_area_m2)
                if found:
                    return found
                break
    return ()


def is_part(name: str) -> bool:
    """Tell whether a name is that of a part of a place, which is no facility of its own.

    Examples
    --------
    >>> [is_part(name) for name in ("第六人民医院急诊楼", "骨密度（儿童医院）", "第六人民医院", "门诊部(儿童医院)")]
    [True, True, False, False]
    """
    whole = unicodedata.normalize("NFKC", name).strip()
    return any(vocabulary().part.search(text) is not None for text in (whole, _unbracketed(name)))


def doubted(found: Found, name: str) -> Found:
    """Return classes as uncertain where the name speaks of another class, and of none of these.

    Examples
    --------
    >>> doubted((("kindergarten", "high"),), "文庙路小学"), doubted((("kindergarten", "high"),), "文庙路幼儿园")
    ((('kindergarten', 'low'),), (('kindergarten', 'high'),))
    """
    words = vocabulary().classes
    if not found or not name or any(words[key].covers(name) for key, _ in found):
        return found
    other = class_of_name(_unbracketed(name))
    return found if other is None else tuple((key, "low") for key, _ in found)


def _unbracketed(name: str) -> str:
    return re.sub(r"\(.*?\)", "", unicodedata.normalize("NFKC", name)).strip()


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
        also = tuple((key, line.also_confidence) for key in line.also)
        return ((max(fitting)[1], line.confidence), *also) if fitting else ()
    told = [key for key in line.classes if name and classes[key].covers(name)]
    found: list[tuple[str, Sureness]] = [(key, "high") for key in (told if line.several else told[:1])]
    told_third = not line.otherwise_third or third in line.otherwise_third
    general = line.otherwise is not None and told_third
    if not found and general and not (line.unless and line.unless.search(INITIALS.sub(r"\1", name))):
        found = [(str(line.otherwise), line.silent if name else line.confidence)]
    return tuple(found) + tuple((key, line.also_confidence) for key in line.also if found)
