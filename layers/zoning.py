"""Zoning: land-use codes of both systems made clean and set side by side, and parcels without overlaps."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import geopandas as gpd
import pandas as pd
import shapely

from ..gis.areal import share_by_area
from .columns import floats, labels, picked, texts
from .study import Note
from .zones import without_overlaps

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .study import Study
    from .words import Language

System: TypeAlias = Literal["gb", "ls"]

COLUMNS = (
    "parcel_id",
    "land_use",
    "land_use_gb",
    "land_use_ls",
    "use_group",
    "land_use_now",
    "use_group_now",
    "far",
    "density",
    "height_m",
    "green_ratio",
    "area_m2",
    "ring_id",
)
"""Columns of the findings' layer ``parcels``."""

CONTROLS = ("far", "density", "height_m", "green_ratio")
"""The controls of a parcel."""
NO_ZONING = "none"
"""Use group of the ground that no parcel covers."""
UNKNOWN = "unknown"
"""Use group of a parcel whose code says nothing."""
LEAST_SHARE = 1e-6
"""Shares of a mixed parcel that differ by less are equal."""
SHOWN_CODES = 8

_SEPARATORS = re.compile(r"[/+、,，;；&|\\]|(?<=\D)[和与](?=\D)|(?<=[%)])\s+(?=[A-Z\d])|(?<=\d)\s+(?=[A-Z])")
_CODE = re.compile(r"(?<![A-Z\d])([A-Z])(X)?(\d{0,3})(?![A-Z\d.])|(?<!\d)(\d{1,8})(?![\d.%])")
_SHARE = re.compile(r"(\d+(?:\.\d+)?)\s*%")


@dataclass(frozen=True, slots=True)
class LandUse:
    """One use of a parcel and the share of it that it takes.

    Parameters
    ----------
    code
        Of GB 50137-2011 (letters) or of the land and sea classification (digits); empty when nothing was understood.
    system
        ``gb`` or ``ls``; ``None`` when nothing was understood.
    group
        Key of the group it is balanced in.
    share
        0 to 1; the shares of one parcel add up to 1.
    """

    code: str
    system: System | None
    group: str
    share: float


@cache
def _data() -> dict[str, Any]:
    text = files(__package__).joinpath("standards", "land_use.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def _codes() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    """Return the tables of codes: system → code → its names and group."""
    return {key: table for key, table in _data().items() if key in {"gb", "ls", "group"}}


@cache
def _words() -> Mapping[str, str]:
    """Return the names of uses, in Chinese without 用地 and in English capitals, to their codes."""
    data = _data()
    words: dict[str, str] = dict(data["word"])
    for system in ("ls", "gb"):
        for code, entry in data[system].items():
            words[entry["zh"].removesuffix("用地")] = code
            words[entry["en"].upper()] = code
    return words


@cache
def land_uses(text: str) -> tuple[LandUse, ...]:
    """Return the uses that a land-use value names, with their shares.

    Understands both code systems in any width and case, codes of 1990, digits that lost their leading zero in a
    spreadsheet, names in Chinese, codes with names beside them, and several uses joined by ``/``, ``+``, ``、``, ``,``.
    Shares count where the value states them for all uses; else all are equal.

    Parameters
    ----------
    text
        The value of a land-use column.

    Returns
    -------
    tuple
        The largest share first; one use of group ``unknown`` when nothing was understood.

    Examples
    --------
    >>> [(use.code, use.group, use.share) for use in land_uses("ｒ2／b1")]
    [('R2', 'residential', 0.5), ('B1', 'commercial', 0.5)]
    >>> [(use.code, use.share) for use in land_uses("0901(30%)+070102(70%)")]
    [('070102', 0.7), ('0901', 0.3)]
    >>> land_uses("70102")[0].code, land_uses("社会福利用地")[0].code, land_uses("C2")[0].code, land_uses("?")[0].group
    ('070102', 'A6', 'B1', 'unknown')
    """
    plain = unicodedata.normalize("NFKC", text).upper().strip()
    found: list[tuple[str, System]] = []
    stated: list[float] = []
    for part in _SEPARATORS.split(plain):
        use = _one(part)
        if use is not None:
            found.append(use)
            share = _SHARE.search(part)
            stated.append(float(share[1]) if share else 0.0)
    if not found:
        return (LandUse("", None, UNKNOWN, 1.0),)
    weights = stated if all(stated) else [1.0] * len(found)
    total = sum(weights)
    uses = [
        LandUse(code, system, group_of(code, system), weight / total)
        for (code, system), weight in zip(found, weights, strict=True)
    ]
    return tuple(sorted(uses, key=lambda use: -use.share))


def _one(part: str) -> tuple[str, System] | None:
    """Return the code of a part of a value that names one use."""
    codes = _codes()
    bare = _SHARE.sub("", part)
    for letter, any_class, digits, number in _CODE.findall(bare):
        if letter:
            code = f"{letter}2{digits}" if any_class else f"{letter}{digits}"
            code = str(_data()["old"].get(code, code))
            if code[0].isdigit() or code[0] in codes["gb"]:
                return code, "ls" if code[0].isdigit() else "gb"
        elif number:
            padded = number if len(number) % 2 == 0 else f"0{number}"
            if padded[:2] in codes["ls"]:
                return padded, "ls"
    name = re.sub(r"[\s()（）:：%\d.]", "", bare).removesuffix("用地")
    named = _words().get(name) or _words().get(bare.strip())
    return None if named is None else (named, "ls" if named[0].isdigit() else "gb")


def group_of(code: str, system: System) -> str:
    """Return the group of a code: its own, or that of the longest known code it begins with.

    Examples
    --------
    >>> group_of("R22", "gb"), group_of("A51", "gb"), group_of("120701", "ls")
    ('community', 'public', 'transport')
    """
    known = _codes()[system]
    for length in range(len(code), 0, -1):
        if code[:length] in known:
            return known[code[:length]]["group"]
    return UNKNOWN


def use_group(text: str) -> str:
    """Return the group of a land-use value; of its largest share when it is mixed.

    Examples
    --------
    >>> use_group("B1/R2"), use_group("1401"), use_group("")
    ('commercial', 'green', 'unknown')
    """
    return land_uses(text)[0].group


def other_code(code: str, system: System) -> str | None:
    """Return the code of the other system that says the same, where there is one.

    Examples
    --------
    >>> other_code("A6", "gb"), other_code("080701", "ls"), other_code("16", "ls")
    ('0807', 'A6', None)
    """
    known = _codes()[system]
    for length in range(len(code), 0, -1):
        if code[:length] in known:
            return known[code[:length]].get("ls" if system == "gb" else "gb")
    return None


def clean_code(text: str) -> str:
    """Return a land-use value as the product writes it: codes, joined by ``/``, with shares where they are not equal.

    Examples
    --------
    >>> clean_code("r2＋b1"), clean_code("R2 70% B1 30%"), clean_code("住宅用地"), clean_code("nonsense")
    ('R2/B1', 'R2 70%/B1 30%', 'R', '')
    """
    uses = land_uses(text)
    if not uses[0].code:
        return ""
    equal = max(use.share for use in uses) - min(use.share for use in uses) < LEAST_SHARE
    return "/".join(use.code if equal else f"{use.code} {100 * use.share:g}%" for use in uses)


def coded(text: str, system: System) -> str:
    """Return a land-use value in the codes of one system, joined by ``/``; empty where a use has no code of it.

    Examples
    --------
    >>> coded("r2/b1", "ls"), coded("070102 70%/0901 30%", "gb"), coded("16", "gb"), coded("R2", "gb")
    ('070102/0901', 'R2 70%/B1 30%', '', 'R2')
    """
    uses = land_uses(text)
    codes = [
        use.code if use.system == system else None if use.system is None else other_code(use.code, use.system)
        for use in uses
    ]
    if not all(codes):
        return ""
    equal = max(use.share for use in uses) - min(use.share for use in uses) < LEAST_SHARE
    pairs = zip(codes, uses, strict=True)
    return "/".join(str(code) if equal else f"{code} {100 * use.share:g}%" for code, use in pairs)


def group_name(group: str, language: Language) -> str:
    """Return a use group's name in a language.

    Examples
    --------
    >>> group_name("green", "zh"), group_name("none", "en")
    ('绿地与开敞空间', 'No zoning')
    """
    return _codes()["group"][group][language]


def group_names() -> tuple[str, ...]:
    """Return the use groups that land is balanced in, in the order they are listed.

    Examples
    --------
    >>> group_names()[:3]
    ('residential', 'community', 'public')
    """
    return tuple(_codes()["group"])


@dataclass(frozen=True, slots=True)
class FoundParcels:
    """The parcels of a study with clean codes and no overlaps, and what was mended.

    Parameters
    ----------
    frame
        `COLUMNS` and geometry; whole parcels, also where the border of the area cuts them.
    notes
        Codes that were not understood, overlaps removed.
    """

    frame: gpd.GeoDataFrame
    notes: tuple[Note, ...]


def parcels_of(study: Study, rings: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the zoning parcels of a study; `find_parcels` tells also what was mended."""
    return find_parcels(study, rings).frame


def find_parcels(study: Study, rings: gpd.GeoDataFrame) -> FoundParcels:
    """Return the zoning parcels of a study: codes cleaned, overlaps removed, each with the ring that holds most of it.

    Parameters
    ----------
    study
        Its layer ``parcels``; none gives an empty frame.
    rings
        As `lifecircle.layers.rings.rings_of` returns them.
    """
    raw = study.layers.get("parcels")
    if raw is None or raw.empty:
        empty: dict[str, object] = {name: pd.Series(dtype="str") for name in COLUMNS}
        for name in (*CONTROLS, "area_m2"):
            empty[name] = pd.Series(dtype="float64")
        return FoundParcels(gpd.GeoDataFrame(empty, geometry=[], crs=study.crs), ())
    notes: list[Note] = []
    shapes, shared = without_overlaps(raw.geometry.to_numpy())
    if shared > 1.0:
        notes.append(Note("zoning.overlap_removed", {"hectares": round(shared / 1e4, 2)}))
    given, now = texts(raw, "land_use"), texts(raw, "land_use_now")
    codes = [clean_code(value) for value in given]
    strange = pd.Series([value for value, code in zip(given, codes, strict=True) if not code], dtype="str")
    if len(strange):
        counts = strange.value_counts().head(SHOWN_CODES)
        shown = ", ".join(f"{value or '-'} ({count})" for value, count in counts.items())
        notes.append(Note("zoning.unknown_code", {"count": len(strange), "codes": shown}))
    frame = gpd.GeoDataFrame(
        {
            "parcel_id": labels([own or f"P{row:05d}" for row, own in enumerate(texts(raw, "parcel_id"), start=1)]),
            "land_use": labels([code or value for code, value in zip(codes, given, strict=True)]),
            "land_use_gb": labels([coded(value, "gb") for value in given]),
            "land_use_ls": labels([coded(value, "ls") for value in given]),
            "use_group": labels([use_group(value) for value in given]),
            "land_use_now": labels([clean_code(value) or value for value in now]),
            "use_group_now": labels([use_group(value) if value else "" for value in now]),
            **{name: floats(raw, name) for name in CONTROLS},
            "area_m2": shapely.area(shapes),
        },
        geometry=shapes,
        crs=study.crs,
    )
    frame = frame[~frame.geometry.is_empty].reset_index(drop=True)
    largest = share_by_area(frame.geometry.to_numpy(), rings.geometry.to_numpy()).largest()
    frame["ring_id"] = picked(rings, "ring_id", largest)
    return FoundParcels(frame[[*COLUMNS, "geometry"]], tuple(notes))
