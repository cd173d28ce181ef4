"""Age groups from columns of single years and five-year bands: 60-64岁 … 85岁及以上 make 60 and over."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..gis.errors import Fault
from .headings import DIGITS, number_of
from .study import Note

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

GROUPS: dict[str, tuple[int, int | None]] = {
    "elders_60": (60, None),
    "elders_65": (65, None),
    "elders_80": (80, None),
    "children_0_3": (0, 3),
    "children_3_6": (3, 6),
    "children_6_12": (6, 12),
}
"""Age groups: from this age to below that one; 0 to 3 are children who are not yet three."""

SHOWN_ROWS = 5

_NUMERAL = re.compile(f"[{''.join(DIGITS)}十]+")
_BAND = re.compile(r"(?:age_?|pop_?)?(\d{1,3})(?:岁)?(?:-|~|至|到|_)(\d{1,3})(?:周岁|岁)?")
_OVER = re.compile(r"(?:age_?|pop_?)?(\d{1,3})(?:周岁|岁)?(?:及|和)?(?:以上|plus|\+)|(?:age_?|pop_?)(\d{2,3})_?over")
_SINGLE = re.compile(r"(\d{1,3})(?:周岁|岁)")
_SEX = re.compile(r"[(_\-·]?(男性|女性|男|女|male|female|m|f|小计|合计|计)[)]?$")
_PEOPLE = re.compile(r"(人口数|人口|人数|人|\(人\)|数)$")


@dataclass(frozen=True, slots=True)
class Band:
    """A column of an age band: from this age to below that one (``None`` for no end), and of which sex ("": both)."""

    least: int
    below: int | None
    sex: str


def band_of(column: str) -> Band | None:
    """Read the age band that a column's name states, `None` where it states none.

    ``60-64岁`` is from 60 to below 65, as census tables are headed; ``60岁以上`` includes 60.

    Examples
    --------
    >>> band_of("60-64岁"), band_of("八十五岁及以上（男）"), band_of("3岁"), band_of("总人口")
    (Band(least=60, below=65, sex=''), Band(least=85, below=None, sex='男'), Band(least=3, below=4, sex=''), None)
    """
    text = re.sub(r"\s+|含", "", unicodedata.normalize("NFKC", column)).lower().replace("—", "-").replace("–", "-")
    if not re.search(r"岁|age|pop|\d[-_~]\d|\d\+", text):
        return None
    text = _NUMERAL.sub(lambda found: str(number_of(found[0])), text)
    text = _PEOPLE.sub("", text)
    sexed = _SEX.search(text)
    sex = "" if sexed is None or sexed[1] in {"小计", "合计", "计"} else sexed[1][0]
    text = _PEOPLE.sub("", text[: sexed.start()] if sexed is not None else text).rstrip("(_-")
    if over := _OVER.fullmatch(text):
        return Band(int(over[1] or over[2]), None, sex)
    if band := _BAND.fullmatch(text):
        least, most = int(band[1]), int(band[2])
        return Band(least, most + 1, sex) if least <= most else None
    if single := _SINGLE.fullmatch(text):
        return Band(int(single[1]), int(single[1]) + 1, sex)
    return None


def with_age_groups(table: pd.DataFrame, taken: Iterable[str] = ()) -> tuple[pd.DataFrame, tuple[Note, ...]]:
    """Return a table with the age groups that its bands add up to, and what was summed.

    A group is summed where bands cover its ages without a gap; of several coverings the one of the fewest bands counts.
    A band that ends elsewhere than a children's group is shared by its years, and said. Groups that the table states
    already stay as they are, and a group whose ages are not covered stays unknown.

    Parameters
    ----------
    table
        With columns of bands; texts with thousands separators are read.
    taken
        Groups that the table states itself.

    Examples
    --------
    >>> bands = pd.DataFrame({"60-64岁": [5], "65-79岁": ["1,004"], "80岁以上": [2], "0-4岁": [10]})
    >>> found, notes = with_age_groups(bands)
    >>> found[["elders_60", "elders_65", "elders_80", "children_0_3"]].iloc[0].tolist()
    [1011.0, 1006.0, 2.0, 6.0]
    >>> [note.code for note in notes]
    ['demand.bands_summed', 'demand.bands_shared']
    """
    bands = _bands(table)
    if len(bands) < 2:
        return table, ()
    stated = set(taken)
    summed: list[str] = []
    shared: list[str] = []
    columns: dict[str, Floats] = {}
    for group, (least, below) in GROUPS.items():
        if group in stated:
            continue
        covering = _covering(bands, least, below)
        if covering is None and below is not None:
            covering = _covering(bands, least, below, cut=True)
        if covering is None:
            continue
        columns[group] = sum((share * bands[span] for span, share in covering), np.zeros(len(table)))
        whole = all(share == 1 for _, share in covering)
        (summed if whole else shared).append(group)
    notes = [Note("demand.bands_summed", {"groups": ", ".join(summed)})] if summed else []
    notes += [Note("demand.bands_shared", {"groups": ", ".join(shared)})] if shared else []
    return table.assign(**columns), tuple(notes)


def _bands(table: pd.DataFrame) -> dict[tuple[int, int | None], Floats]:
    """Return the counts by band: of both sexes where stated, else the sum of the sexes."""
    both: dict[tuple[int, int | None], Floats] = {}
    of_sex: dict[tuple[int, int | None], list[Floats]] = {}
    for place, name in enumerate(table.columns):
        band = band_of(str(name))
        if band is None:
            continue
        values = table.iloc[:, place]
        span = (band.least, band.below)
        if band.sex:
            of_sex.setdefault(span, []).append(_numbers(values))
        else:
            both.setdefault(span, _numbers(values))
    sums = {span: np.asarray(np.sum(parts, axis=0)) for span, parts in of_sex.items() if len(parts) == 2}
    return {**sums, **both}


def _numbers(values: pd.Series) -> Floats:
    """Return numbers, thousands separators read, NaN where there is none."""
    if pd.api.types.is_numeric_dtype(values):
        return values.to_numpy(dtype=np.float64, na_value=np.nan)
    plain = values.astype("str").str.normalize("NFKC").str.replace(",", "").str.strip()
    return pd.to_numeric(plain, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)


def _covering(
    bands: Mapping[tuple[int, int | None], Floats], least: int, below: int | None, *, cut: bool = False
) -> list[tuple[tuple[int, int | None], float]] | None:
    """Return the fewest bands that cover some ages without gap or overlap, each with its share.

    With ``cut`` bands may begin before and end behind, and count by their years inside.
    """
    open_end = 200
    end = open_end if below is None else below
    usable = []
    for span in bands:
        low, high = span[0], open_end if span[1] is None else span[1]
        inside = min(high, end) - max(low, least)
        if inside > 0 and (cut or (low >= least and high <= end)) and (span[1] is not None or not cut):
            usable.append((max(low, least), min(high, end), span, inside / (high - low)))
    best: dict[int, list[tuple[tuple[int, int | None], float]]] = {least: []}
    for low, high, span, share in sorted(usable, key=lambda part: (part[0], -part[1])):
        if low in best:
            chain = [*best[low], (span, share)]
            if high not in best or len(chain) < len(best[high]):
                best[high] = chain
    if below is None and open_end not in best:
        return None
    return best.get(end) or None


def age_faults(table: pd.DataFrame, *, file: str, layer: str, names: list[str]) -> list[Fault]:
    """Return a warning for each row whose age groups cannot be: 80+ ≤ 65+ ≤ 60+ ≤ people, children with them too.

    Parameters
    ----------
    table
        With any of ``people`` and the age groups.
    file, layer
        For the fault.
    names
        What each row is called.

    Examples
    --------
    >>> rows = pd.DataFrame({"people": [100, 100], "elders_60": [20, 20], "elders_80": [30, 5]})
    >>> print(*age_faults(rows, file="人口.csv", layer="districts", names=["甲", "乙"]))
    demand.ages_disagree (file=人口.csv, layer=districts, row=甲, column=elders_80, value=30, other=elders_60, most=20)
    """
    chain = [name for name in ("people", "elders_60", "elders_65", "elders_80") if name in table.columns]
    numbers = {name: _numbers(table[name]) for name in chain}
    pairs = [(inner, outer, numbers[inner], numbers[outer]) for outer, inner in pairwise(chain)]
    apart = [name for name in ("elders_60", "children_0_3", "children_3_6", "children_6_12") if name in table.columns]
    if "people" in chain and len(apart) > 1:
        together = np.sum([np.nan_to_num(_numbers(table[name])) for name in apart], axis=0)
        pairs.append(("+".join(apart), "people", together, numbers["people"]))
    faults = []
    for inner, outer, part, whole in pairs:
        for row in np.flatnonzero(part > whole * (1 + 1e-9))[:SHOWN_ROWS].tolist():
            detail = {"other": outer, "most": round(float(whole[row]))}
            value = round(float(part[row]))
            fault = Fault("demand.ages_disagree", file, layer, names[row], inner, value, detail, blocks=False)
            faults.append(fault)
    return faults
