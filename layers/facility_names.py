"""Names of facilities as they are compared: what tells one place from another, and what is only manner of speaking."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from .facility_words import fold, vocabulary
from .headings import number_of

LIKE = 0.8
"""Names that are less alike than this are of two places."""
NEAR_LIKE = 0.95
"""Names less alike than this must be nearer: within `NEAR_SHARE` of the distance at which a class is merged."""
NEAR_SHARE = 0.6
LEAST_RATIO = 0.85
LEAST_RATIO_LENGTH = 4
LEAST_LATIN = 4
"""So many letters a Latin core needs to stand for a name that holds it; Chinese needs `LEAST_CHINESE`."""
LEAST_CHINESE = 2

_GATE = re.compile(
    r"(?:[东西南北]{1,2}|正|后|前|侧|主|第?[一二三四五六七八九十\d]+号?|[a-z]\d?)?(?:大门|门|出入口|入口|出口)"
    r"|[a-z\d]+号?口|(?:(?:north|south|east|west|main|rear)(?:gate|entrance))|(?:gate|entrance|entrada)[a-z\d]?"
)
_GATE_END = re.compile(
    r"[-·]?(?:(?:[东西南北]{1,2}|正|后|侧|主|第?[一二三四五六七八九十\d]+号|[a-z]\d?)(?:大门|门|出入口|入口|出口)"
    r"|(?<=站)(?:[a-z]\d?|[一二三四五六七八九十\d]+号)(?:口|出口|入口|出入口)|出入口)$"
)
_BRANCH_END = re.compile(r"[-—·]([^-—·]+(?:店|部|校区|院区|分院|分园|分校|园区|网点|支行|点))$")
_BRACKET = re.compile(r"\(([^()]*)\)")
_PREFIX = re.compile(
    r"^(?:[^\d市区县]{2,3}(?<![菜超集城夜门都])市(?!场))?(?:[^\d市区县]{1,4}(?<![社小校地园业院])[区县])?"
)
_GENERIC = re.compile(r"社区|街道|有限责任公司|股份有限公司|有限公司|公司|民办|公办|私立|市立|中国")
_LATIN_GENERIC = re.compile(r"\b(?:de|del|la|el|las|los|da|do|the|of|centro|center|centre|colegio|escuela|mercado)\b")
_NUMERAL = re.compile(r"\d+|[〇零一二三四五六七八九十两]+")
_SIDES = frozenset("东西南北大小新老上下前后左右")


@dataclass(frozen=True, slots=True)
class Spoken:
    """A name taken apart.

    Parameters
    ----------
    bare
        Without gate, brackets and punctuation.
    core
        Without administrative prefix, manner of speaking and the noun of its class as well; empty for a name that only
        says what kind of place it is.
    noun
        The noun of its class that it was spoken with.
    branch
        What stands in brackets or behind a dash and is no gate: a branch, a campus.
    numbers
        The numbers in ``bare``, sorted.
    gate
        Whether the name is that of an entrance.
    """

    bare: str
    core: str
    noun: str
    branch: str
    numbers: tuple[int, ...]
    gate: bool


@lru_cache(maxsize=65536)
def spoken(name: str, facility_class: str) -> Spoken:
    """Take a name apart.

    Examples
    --------
    >>> one = spoken("幸福里菜市场(东门)", "food_market")
    >>> one.core, one.noun, one.gate, spoken("济南市市中区舜玉路第二小学", "primary_school").numbers
    ('幸福里', '菜市场', True, (2,))
    >>> spoken("漱玉平民大药房(舜玉路店)", "community_retail").branch, spoken("菜市场", "food_market").core
    ('舜玉路店', '')
    """
    text = fold_words(name)
    inside = [part.replace(" ", "") for part in _BRACKET.findall(text)]
    main = _BRACKET.sub("", text)
    gate = any(_GATE.fullmatch(part) for part in inside)
    cut = _GATE_END.sub("", main.replace(" ", "")) if _chinese(main) else main
    if _chinese(main) and len(cut) < len(main.replace(" ", "")) and len(cut) >= 3:
        main, gate = cut, True
    branches = [
        part for part in inside if part and not _GATE.fullmatch(part) and class_noun(part, facility_class) != part
    ]
    behind = _BRANCH_END.search(main)
    if behind is not None and behind.start() > 1:
        branches.append(behind[1])
        main = main[: behind.start()]
    noun = class_noun(main, facility_class)
    bare = _plain(main)
    core = main if not _chinese(main) else _prefixless(main)
    core = _plain(_LATIN_GENERIC.sub(" ", _GENERIC.sub("", core.replace(noun, "", 1) if noun else core)))
    return Spoken(bare, core, _plain(noun), "|".join(sorted(branches)), _numbers(bare), gate)


def fold_words(name: str) -> str:
    """Return a name in half width and lower case; spaces stay where they part Latin words."""
    words = " ".join(part for part in (fold(word) for word in name.split()) if part)
    return words if not _chinese(words) else words.replace(" ", "")


def class_noun(text: str, facility_class: str) -> str:
    """Return the noun by which a text speaks of a class, empty where it does not."""
    words = vocabulary().classes.get(facility_class)
    for pattern in (words.zh, words.latin) if words is not None else ():
        found = pattern.search(text) if pattern is not None else None
        if found is not None:
            return found[0]
    return ""


def contradict(one: Spoken, other: Spoken) -> bool:
    """Tell whether two names cannot be of one place: other numbers, or two branches.

    Examples
    --------
    >>> names = [spoken(name, "primary_school") for name in ("南门小学", "南门第二小学", "南门小学(东校区)")]
    >>> contradict(names[0], names[1]), contradict(names[0], names[2])
    (True, False)
    """
    if not one.core or not other.core:
        return False
    return one.numbers != other.numbers or (bool(one.branch) and bool(other.branch) and one.branch != other.branch)


def likeness(one: Spoken, other: Spoken) -> float:
    """Return how alike two names are, 0 to 1; 0 for names that contradict, or where one has no core.

    1 for the same name; 0.9 where one states a branch and the other none; 0.85 where the core is the same and the noun
    another; 0.8 to 1 where one core holds the other; else the share of letters in common (Ratcliff and Obershelp) where
    that is `LEAST_RATIO` or more.

    Examples
    --------
    >>> names = [spoken(name, "food_market") for name in ("幸福里社区菜市场", "幸福里菜市场(东门)", "平安里菜市场")]
    >>> likeness(names[0], names[1]), likeness(names[0], names[2])
    (1.0, 0.0)
    """
    if not one.core or not other.core or contradict(one, other):
        return 0.0
    if one.bare == other.bare or one.core == other.core:
        same = 1.0 if one.noun == other.noun else 0.85
        return same if one.branch == other.branch else min(same, 0.9)
    short, long = sorted((one.core, other.core), key=len)
    least = LEAST_CHINESE if _chinese(short) else LEAST_LATIN
    if len(short) >= least and short in long:
        rest = long.replace(short, "", 1)
        return 0.0 if set(rest) <= _SIDES else LIKE + (1 - LIKE) * len(short) / len(long)
    if len(short) < LEAST_RATIO_LENGTH or _sides(short) != _sides(long):
        return 0.0
    ratio = SequenceMatcher(None, short, long, autojunk=False).ratio()
    return ratio if ratio >= LEAST_RATIO else 0.0


def _sides(text: str) -> Counter[str]:
    return Counter(sign for sign in text if sign in _SIDES)


def _chinese(text: str) -> bool:
    return any("\u4e00" <= sign <= "\u9fff" for sign in text)


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", text)


def _prefixless(main: str) -> str:
    """Return a Chinese name without the city and district it begins with, where enough is left."""
    rest = _PREFIX.sub("", main, count=1)
    return rest if len(rest) >= 3 else main


def _numbers(text: str) -> tuple[int, ...]:
    """Return the numbers in a text, sorted; Chinese numerals count."""
    return tuple(sorted(int(part) if part.isdigit() else number_of(part) for part in _NUMERAL.findall(text)))
