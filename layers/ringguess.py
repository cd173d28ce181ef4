"""Which rings the named lines of a layer may bound: a first proposal for study.toml, to be looked at by the user."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .ringlines import enclosed

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd

_SIDES = re.compile(r"[东南西北]|\b(north|south|east|west)(ern)?\b", re.IGNORECASE)
_LARGEST_GROUP = 40


@dataclass(frozen=True, slots=True)
class GuessedRing:
    """A ring that lines enclose: what its lines have in common, their names, and its size."""

    stem: str
    names: tuple[str, ...]
    area_m2: float


def stem_of(name: str) -> str:
    """Return a name without the side of the city it is on, so that the four parts of a ring road are one.

    Examples
    --------
    >>> stem_of("二环南路"), stem_of("East Ring Road"), stem_of("北")
    ('二环路', 'Ring Road', '北')
    """
    return " ".join(_SIDES.sub("", name).split()) or name


def guess_rings(lines: gpd.GeoDataFrame) -> tuple[GuessedRing, ...]:
    """Return the rings that named lines close, from the smallest.

    Lines whose names differ only in the side of the city are tried together; those that do not close are tried as one
    last ring.

    Parameters
    ----------
    lines
        With ``name``, in a metric CRS.
    """
    named = lines[lines["name"].notna() & ~lines.geometry.is_empty & lines.geometry.notna()]
    groups: dict[str, dict[str, None]] = {}
    for name in sorted(str(name) for name in named["name"]):
        groups.setdefault(stem_of(name), {})[name] = None
    closed: list[GuessedRing] = []
    left: list[str] = []
    for stem, names in groups.items():
        ring = _ring(named, stem, tuple(names))
        if ring is None:
            left += names
        else:
            closed.append(ring)
    if 1 < len(left) <= _LARGEST_GROUP:
        last = _ring(named, stem_of(_longest(groups, left)), tuple(left))
        closed += [last] if last is not None else []
    return tuple(sorted(closed, key=lambda ring: ring.area_m2))


def _longest(groups: dict[str, dict[str, None]], left: Sequence[str]) -> str:
    """Return a name of the group that has most of the names left."""
    return max(left, key=lambda name: (len(groups[stem_of(name)]), name))


def _ring(lines: gpd.GeoDataFrame, stem: str, names: tuple[str, ...]) -> GuessedRing | None:
    """Return the ring that these lines enclose, if they do."""
    if len(names) > _LARGEST_GROUP:
        return None
    shapes = [lines.geometry.to_numpy()[(lines["name"] == name).to_numpy()] for name in names]
    shape, _ = enclosed(shapes)
    return None if shape is None or shape.area == 0 else GuessedRing(stem, names, float(shape.area))
