"""One facility from many records: node, polygon, entrances and a second source merged, each merge a row to undo."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from .columns import texts
from .facility_names import LIKE, NEAR_LIKE, NEAR_SHARE, contradict, likeness, spoken
from .facility_words import vocabulary

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from .facility_names import Spoken

    Geometries = NDArray[np.object_]

UNNAMED_M = 25.0
"""A record without a name and a named one of its class this near are one facility."""
BOTH_UNNAMED_M = 15.0
"""Two records of one class without names this near are one facility."""
FILLED = ("name", "capacity", "floor_area_m2", "land_area_m2", "year")
"""What a merged record takes from the others where it has none."""
COLUMNS = ("kept", "dropped", "facility_class", "distance_m", "kept_name", "dropped_name", "likeness", "why")
"""Columns of the table of merges; ``why`` is one of `REASONS`."""
REASONS = ("same_name", "like_name", "no_name", "by_hand")


@dataclass(frozen=True, slots=True)
class ByHand:
    """What the user says of records: pairs of rows to keep apart, and pairs to merge."""

    apart: frozenset[tuple[int, int]] = frozenset()
    together: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Merged:
    """Facilities after their duplicates were merged.

    Parameters
    ----------
    kept
        One row a facility, index 0…n-1.
    merges
        One row a record merged away, `COLUMNS`.
    doors
        Points where people come in: object [k].
    door_owner
        int64 [k], row in ``kept`` of each door, ascending; every facility has at least one.
    """

    kept: gpd.GeoDataFrame
    merges: pd.DataFrame
    doors: Geometries
    door_owner: NDArray[np.int64]


@dataclass(slots=True)
class _Clusters:
    """Records that are one facility so far: the head of each, and the names within."""

    head: list[int]
    names: list[Spoken]
    members: dict[int, list[int]] = field(default_factory=dict)
    why: dict[int, str] = field(default_factory=dict)
    """Record → why it was first joined to another."""

    def find(self, row: int) -> int:
        """Return the row that stands for a row's cluster."""
        while self.head[row] != row:
            self.head[row] = self.head[self.head[row]]
            row = self.head[row]
        return row

    def of(self, row: int) -> list[int]:
        """Return the members of a head's cluster."""
        return self.members.get(row, [row])

    def may_join(self, one: int, other: int, why: str, apart: frozenset[tuple[int, int]]) -> bool:
        """Tell whether no two records of two clusters contradict or are to be kept apart.

        A record without a name must not tie two of different names together.
        """
        pairs = [(a, b) for a in self.of(one) for b in self.of(other)]
        if any((min(pair), max(pair)) in apart or contradict(*(self.names[row] for row in pair)) for pair in pairs):
            return False
        named = [pair for pair in pairs if all(self.names[row].core for row in pair)]
        return why != "no_name" or all(likeness(self.names[a], self.names[b]) >= LIKE for a, b in named)

    def join(self, one: int, other: int, why: str) -> None:
        """Make the clusters of two records one."""
        self.why.setdefault(one, why)
        self.why.setdefault(other, why)
        first, second = self.find(one), self.find(other)
        low, high = min(first, second), max(first, second)
        self.members[low] = sorted([*self.of(low), *self.of(high)])
        self.members.pop(high, None)
        self.head[high] = low


def merge_duplicates(facilities: gpd.GeoDataFrame, by_hand: ByHand | None = None) -> Merged:
    """Merge the records of one facility: same class and status, near each other, and names that do not contradict.

    Names are compared by `lifecircle.layers.facility_names.likeness`: other numbers and other branches are other
    facilities. Names that are alike but not the same must be nearer; a record without a name, or whose name only says
    its class, joins another only very near. The named, larger, fuller record stays and takes what it lacks from the
    others. Records named after a gate become doors of their facility; a facility whose own record is a point has that
    as a door too, a polygon only where no gate is known.

    Parameters
    ----------
    facilities
        With ``facility_id``, ``name``, ``facility_class``, ``status``, ``capacity``, ``floor_area_m2``,
        ``land_area_m2``, ``year``.
    by_hand
        Pairs of rows that the user keeps apart or merges.

    Examples
    --------
    >>> import geopandas as gpd
    >>> names = ["幸福里社区菜市场", "幸福里菜市场(东门)", "幸福里第二菜市场"]
    >>> rows = {"facility_id": ["a", "b", "c"], "name": names, "facility_class": "food_market", "status": "existing"}
    >>> rows |= {"capacity": np.nan, "floor_area_m2": np.nan, "land_area_m2": np.nan, "year": np.nan}
    >>> points = gpd.points_from_xy([0, 40, 50], [0, 0, 0])
    >>> found = merge_duplicates(gpd.GeoDataFrame(rows, geometry=points, crs="EPSG:4547"))
    >>> found.kept["facility_id"].tolist(), found.merges["dropped"].tolist(), found.door_owner.tolist()
    (['a', 'c'], ['b'], [0, 0, 1])
    """
    hand = by_hand or ByHand()
    facilities = facilities.reset_index(drop=True)
    shapes = facilities.geometry.to_numpy()
    classes = texts(facilities, "facility_class")
    names = [spoken(name, key) for name, key in zip(texts(facilities, "name"), classes, strict=True)]
    clusters = _Clusters(list(range(len(facilities))), names)
    for one, other in hand.together:
        if clusters.find(one) != clusters.find(other):
            clusters.join(one, other, "by_hand")
    known = vocabulary().classes
    for (key, _), rows in facilities.groupby(["facility_class", "status"], sort=True):
        reach = known[str(key)].merge_m if str(key) in known else 0.0
        for distance, one, other in _pairs(shapes, rows.index.to_numpy(dtype=np.int64), reach):
            why = _same(names[one], names[other], distance, reach)
            first, second = clusters.find(one), clusters.find(other)
            if why and first != second and clusters.may_join(first, second, why, hand.apart):
                clusters.join(one, other, why)
    return _joined(facilities, clusters)


def _same(one: Spoken, other: Spoken, distance: float, reach: float) -> str:
    """Return why two records are one facility at this distance, empty where they are not."""
    if not one.core or not other.core:
        near = BOTH_UNNAMED_M if not one.core and not other.core else UNNAMED_M
        return "no_name" if distance <= min(near, reach) else ""
    like = likeness(one, other)
    if like < LIKE or (like < NEAR_LIKE and distance > reach * NEAR_SHARE):
        return ""
    return "same_name" if like >= 1 else "like_name"


def _pairs(shapes: Geometries, members: NDArray[np.int64], reach: float) -> list[tuple[float, int, int]]:
    """Return pairs of members within reach of each other, nearest first."""
    if reach <= 0 or len(members) < 2:
        return []
    own = shapes[members]
    one, other = shapely.STRtree(own).query(own, predicate="dwithin", distance=reach)
    once = one < other
    one, other = one[once], other[once]
    distance = shapely.distance(own[one], own[other])
    order = np.lexsort((other, one, distance))
    return [(float(distance[k]), int(members[one[k]]), int(members[other[k]])) for k in order]


def _joined(facilities: gpd.GeoDataFrame, clusters: _Clusters) -> Merged:
    """Return one row a cluster, filled from its members, the table of those merged away, and the doors."""
    shapes = facilities.geometry.to_numpy()
    area = shapely.area(shapes)
    names = clusters.names
    filled = {column: facilities[column].tolist() for column in FILLED}
    keep: list[int] = [
        row for row in range(len(facilities)) if clusters.find(row) == row and row not in clusters.members
    ]
    gates: dict[int, list[int]] = {}
    rows: list[dict[str, object]] = []
    for members in clusters.members.values():
        base = max(
            members,
            key=lambda m: (not names[m].gate, bool(names[m].core), area[m], text_of(filled["capacity"][m]) != "", -m),
        )
        keep.append(base)
        gates[base] = [member for member in members if names[member].gate]
        rows += [_merge_row(facilities, clusters, base, member) for member in members if member != base]
        for member in members:
            for values in filled.values():
                if text_of(values[base]) == "":
                    values[base] = values[member]
    keep.sort()
    left = facilities.copy()
    for column, values in filled.items():
        left[column] = pd.Series(values, index=left.index).astype(facilities[column].dtype)
    doors: list[object] = []
    owner: list[int] = []
    for number, base in enumerate(keep):
        own = [shapes[gate] for gate in gates.get(base, []) if gate != base]
        if not own or area[base] == 0:
            own.append(shapes[base])
        doors += own
        owner += [number] * len(own)
    points = shapely.point_on_surface(np.array([*doors, None], dtype=object)[:-1])
    merges = pd.DataFrame(rows, columns=list(COLUMNS))
    kept: gpd.GeoDataFrame = left.iloc[keep].reset_index(drop=True)
    return Merged(kept, merges, np.asarray(points, dtype=object), np.array(owner, dtype=np.int64))


def _merge_row(facilities: gpd.GeoDataFrame, clusters: _Clusters, base: int, member: int) -> dict[str, object]:
    """Return the row of a record merged away, against the record that stays."""
    like = likeness(clusters.names[base], clusters.names[member])
    return {
        "kept": facilities["facility_id"].iloc[base],
        "dropped": facilities["facility_id"].iloc[member],
        "facility_class": facilities["facility_class"].iloc[base],
        "distance_m": _distance(facilities.geometry.to_numpy(), base, member),
        "kept_name": text_of(facilities["name"].iloc[base]),
        "dropped_name": text_of(facilities["name"].iloc[member]),
        "likeness": like if clusters.names[base].core and clusters.names[member].core else np.nan,
        "why": clusters.why[member],
    }


def _distance(shapes: Geometries, one: int, other: int) -> float:
    return float(shapely.distance(shapes[one], shapes[other]))


def text_of(value: object) -> str:
    """Return a value as text, empty where there is none."""
    missing = value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value))
    return "" if missing else str(value).strip()
