"""The facilities of a study: their classes, one record a facility, what was merged, and what no class fits."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from .columns import floats, labels, texts
from .facility_classes import class_of_amap, class_of_label, class_of_name, class_of_tags, fold, vocabulary
from .study import Note

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from .facility_classes import Found
    from .standards import Rule, Standard
    from .study import Study

COLUMNS = ("facility_id", "name", "facility_class", "capacity", "floor_area_m2", "status", "source")
"""Columns of `lifecircle.layers.findings.LAYERS` that are known before the network is."""

UNNAMED_M = 25.0
"""A record without a name and a named one of its class this near are one facility."""
BOTH_UNNAMED_M = 15.0
"""Two records of one class without names this near are one facility."""
FILLED = ("name", "capacity", "floor_area_m2", "land_area_m2", "year")
"""What a merged record takes from the others where it has none."""
PEOPLE_A_RECORD = 50_000
"""Fewer records than one for so many people are likelier gaps in the source than in the city: one 15-minute circle has
50,000 to 100,000 people (GB 50180-2018, 3.0.4) and is to have every required class."""
SHOWN_LABELS = 8
"""How many unknown class labels a note names; the rest is counted."""


@dataclass(frozen=True, slots=True)
class FoundFacilities:
    """The facilities of a study, and how they came about.

    Parameters
    ----------
    frame
        One point a facility and class: `COLUMNS`, ``land_area_m2``, ``year``, ``confidence`` of the class, geometry. A
        place that serves as two classes has two rows.
    merges
        One row a record that was merged away: kept, dropped, facility_class, distance_m, names of both.
    with_data
        Classes that the source holds at all, built or not: any other class is "no data", not zero.
    notes
        What was unknown, merged or uncertain.
    """

    frame: gpd.GeoDataFrame
    merges: pd.DataFrame
    with_data: frozenset[str]
    notes: tuple[Note, ...]


def facilities_of(study: Study, standard: Standard) -> gpd.GeoDataFrame:
    """Return the facilities of a study as points; `find_facilities` tells also what was merged and unknown."""
    return find_facilities(study, standard).frame


def classes_with_data(facilities: gpd.GeoDataFrame) -> frozenset[str]:
    """Return the classes that a frame of facilities holds, whatever their status."""
    return frozenset(facilities["facility_class"])


def find_facilities(study: Study, standard: Standard) -> FoundFacilities:
    """Return the facilities of a study, classed, placed and merged.

    Rows whose class the standard does not measure are counted in a note and left out. Polygons are placed at a point
    inside them; the land of a polygon that is not a building is kept. A study without facilities has none.

    Parameters
    ----------
    study
        Its layer ``facilities`` is read.
    standard
        Gives names of classes and says which are measured.
    """
    raw = study.layers.get("facilities")
    if raw is None or raw.empty:
        empty = _frame(gpd.GeoDataFrame(geometry=[], crs=study.crs), study, [])
        return FoundFacilities(empty, _merge_table([]), frozenset(), (Note("facilities.none"),))
    open_to_all = raw[~_closed_to_public(raw)]
    found = classify(open_to_all, standard)
    notes = _notes(open_to_all, found, standard, hidden=len(raw) - len(open_to_all))
    rows = _frame(open_to_all, study, found)
    measured = rows[rows["facility_class"].isin(standard.counted)].reset_index(drop=True)
    kept, merges = merge_duplicates(measured)
    if len(merges):
        notes.append(Note("facilities.merged", {"count": len(merges)}))
    points = kept.set_geometry(gpd.GeoSeries(shapely.point_on_surface(kept.geometry.to_numpy()), crs=study.crs))
    planned = Counter(str(status) for status in points["status"] if status in {"building", "planned"})
    if planned:
        notes.append(Note("facilities.not_yet", {"building": planned["building"], "planned": planned["planned"]}))
    return FoundFacilities(points, merges, classes_with_data(points), tuple(notes))


def few_recorded(facilities: pd.DataFrame, rules: Iterable[Rule], people: int) -> dict[str, int]:
    """Return required classes with fewer than one existing record for `PEOPLE_A_RECORD` people, and how many each has.

    A class without any record is "no data" and not among them.

    Examples
    --------
    >>> from lifecircle.layers.standards import load_standard
    >>> rules = load_standard("gb50180-2018").rules
    >>> one = pd.DataFrame({"facility_class": ["elderly_day_care"], "status": ["existing"]})
    >>> few_recorded(one, rules, 380_000), few_recorded(one, rules, 50_000)
    ({'elderly_day_care': 1}, {})
    """
    held = facilities["facility_class"].value_counts()
    existing = facilities.loc[facilities["status"] == "existing", "facility_class"].value_counts()
    required = dict.fromkeys(rule.facility_class for rule in rules if rule.required and rule.facility_class in held)
    counts = {key: int(existing.get(key, 0)) for key in required}
    return {key: count for key, count in counts.items() if count * PEOPLE_A_RECORD < people}


def few_notes(few: Mapping[str, int]) -> tuple[Note, ...]:
    """Say which classes have so few records that the source is doubtful; nothing where none has."""
    labels = ", ".join(f"{key} ({count})" for key, count in few.items())
    detail = {"count": len(few), "labels": labels, "people": f"{PEOPLE_A_RECORD:,}"}
    return (Note("facilities.few_records", detail),) if few else ()


def classify(rows: pd.DataFrame, standard: Standard | None = None) -> list[Found]:
    """Return the classes of each row: by its class column, else by its tags, else by its name.

    Parameters
    ----------
    rows
        With any of ``facility_class``, ``name``, ``land_area_m2`` and the keys of OSM as columns; the ground of
        polygons counts where ``geometry`` is there.
    standard
        Its names of classes are understood too.

    Returns
    -------
    list
        For each row its classes with their confidence, the main one first, empty when none fits.

    Examples
    --------
    >>> classify(pd.DataFrame({"facility_class": ["菜市场", "加油站"], "name": ["", "南门站"]}))
    [(('food_market', 'high'),), ()]
    >>> classify(pd.DataFrame({"name": ["南门小学"], "amenity": ["school"]}))
    [(('primary_school', 'high'),)]
    """
    names = texts(rows, "name")
    stated = texts(rows, "facility_class")
    keys = [key for key in vocabulary().keys if key in rows.columns]
    tags = [texts(rows, key) for key in keys]
    lands = _land(rows)
    known = _names_of(standard) if standard is not None else {}
    labelled: dict[str, str | None] = {}
    result: list[Found] = []
    for row, (name, label) in enumerate(zip(names, stated, strict=True)):
        land = None if np.isnan(lands[row]) else float(lands[row])
        if label and label not in labelled:
            labelled[label] = class_of_label(label, known)
        own = {key: column[row] for key, column in zip(keys, tags, strict=True) if column[row]}
        direct = labelled.get(label)
        if direct is not None:
            found: Found = ((direct, "high"),)
        elif ";" in label or "；" in label:
            found = class_of_amap(label, name, land_area_m2=land)
        else:
            found = class_of_tags(own, name, land_area_m2=land) or _from_words(label, name, tagged=bool(own))
        result.append(found)
    return result


def _from_words(label: str, name: str, *, tagged: bool) -> Found:
    """Return the class that a free label speaks of, else the name; tags that say another thing outweigh the name."""
    by_label = class_of_name(label) if label else None
    if by_label is not None:
        return ((by_label, "medium"),)
    by_name = class_of_name(name) if name and not tagged else None
    return ((by_name, "low"),) if by_name is not None else ()


def merge_duplicates(facilities: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Merge records of one facility: same class and status, near each other, and names that do not contradict.

    Names agree when one holds the other after brackets and punctuation are gone; a record without a name joins a named
    one only very near. The named, larger, fuller record stays and takes what it lacks from the others.

    Parameters
    ----------
    facilities
        With ``facility_id``, ``name``, ``facility_class``, ``status``, ``capacity``, ``floor_area_m2``,
        ``land_area_m2``, ``year``.

    Returns
    -------
    tuple
        The facilities left, index 0…n-1, and a table of merges.
    """
    geometries = facilities.geometry.to_numpy()
    names = [_bare(text) for text in texts(facilities, "name")]
    head = np.arange(len(facilities))
    spoken = list(names)
    for (key, _), rows in facilities.reset_index(drop=True).groupby(["facility_class", "status"], sort=True):
        members = rows.index.to_numpy(dtype=np.int64)
        reach = vocabulary().classes[str(key)].merge_m if str(key) in vocabulary().classes else 0.0
        for distance, one, other in _pairs(geometries, members, reach):
            first, second = _head(head, one), _head(head, other)
            if first != second and _same_name(spoken[first], spoken[second], distance):
                low, high = min(first, second), max(first, second)
                head[high] = low
                spoken[low] = max(spoken[first], spoken[second], key=len)
    heads = np.array([_head(head, row) for row in range(len(head))], dtype=np.int64)
    return _joined(facilities, heads)


def _pairs(geometries: NDArray[np.object_], members: NDArray[np.int64], reach: float) -> list[tuple[float, int, int]]:
    """Return pairs of members within reach of each other, nearest first."""
    if reach <= 0 or len(members) < 2:
        return []
    own = geometries[members]
    one, other = shapely.STRtree(own).query(own, predicate="dwithin", distance=reach)
    once = one < other
    one, other = one[once], other[once]
    distance = shapely.distance(own[one], own[other])
    order = np.lexsort((other, one, distance))
    return [(float(distance[k]), int(members[one[k]]), int(members[other[k]])) for k in order]


def _head(head: NDArray[np.int64], row: int) -> int:
    """Return the row that stands for a row's cluster."""
    while head[row] != row:
        head[row] = head[head[row]]
        row = int(head[row])
    return row


def _same_name(one: str, other: str, distance: float) -> bool:
    """Tell whether two names may be one facility's at this distance."""
    if not one and not other:
        return distance <= BOTH_UNNAMED_M
    if not one or not other:
        return distance <= UNNAMED_M
    short, long = sorted((one, other), key=len)
    return short == long or (len(short) >= 3 and short in long)


def _joined(facilities: gpd.GeoDataFrame, heads: NDArray[np.int64]) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Return one row a cluster, filled from its members, and the table of those merged away."""
    single = np.bincount(heads, minlength=len(heads))[heads] == 1 if len(heads) else np.zeros(0, dtype=np.bool_)
    keep = list(np.flatnonzero(single).tolist())
    filled = {column: facilities[column].tolist() for column in FILLED}
    merges: list[dict[str, object]] = []
    area = shapely.area(facilities.geometry.to_numpy())
    for cluster in np.unique(heads[~single]).tolist():
        members = np.flatnonzero(heads == cluster).tolist()
        base = max(
            members, key=lambda m: (_text(filled["name"][m]) != "", area[m], _text(filled["capacity"][m]) != "", -m)
        )
        keep.append(base)
        for member in (m for m in members if m != base):
            merges.append(_merge_row(facilities, base, member))
            for values in filled.values():
                if _text(values[base]) == "":
                    values[base] = values[member]
    left = facilities.copy()
    for column, values in filled.items():
        left[column] = pd.Series(values, index=left.index).astype(facilities[column].dtype)
    return left.iloc[sorted(keep)].reset_index(drop=True), _merge_table(merges)


def _merge_row(facilities: gpd.GeoDataFrame, base: int, member: int) -> dict[str, object]:
    one, other = facilities.iloc[base], facilities.iloc[member]
    return {
        "kept": one["facility_id"],
        "dropped": other["facility_id"],
        "facility_class": one["facility_class"],
        "distance_m": float(shapely.distance(one.geometry, other.geometry)),
        "kept_name": _text(one["name"]),
        "dropped_name": _text(other["name"]),
    }


def _merge_table(rows: list[dict[str, object]]) -> pd.DataFrame:
    columns = ["kept", "dropped", "facility_class", "distance_m", "kept_name", "dropped_name"]
    return pd.DataFrame(rows, columns=columns)


def _frame(raw: gpd.GeoDataFrame, study: Study, found: Sequence[Found]) -> gpd.GeoDataFrame:
    """Return one row for each record and class, with the columns of the findings."""
    rows = [(row, key, sure, number) for row, classes in enumerate(found) for number, (key, sure) in enumerate(classes)]
    source_row = np.array([row for row, *_ in rows], dtype=np.int64)
    base = raw.iloc[source_row]
    ids = _ids(raw)
    sources = {source.file for source in study.sources if source.layer == "facilities"}
    makers = texts(base, "source")
    single = next(iter(sources)) if len(sources) == 1 else ""
    status = texts(base, "status")
    columns: dict[str, object] = {
        "facility_id": [ids[row] if number == 0 else f"{ids[row]}:{key}" for row, key, _, number in rows],
        "name": labels(texts(base, "name")),
        "facility_class": labels([key for _, key, _, _ in rows]),
        "capacity": floats(base, "capacity"),
        "floor_area_m2": floats(base, "floor_area_m2"),
        "status": labels([own or "existing" for own in status]),
        "source": labels([maker or single for maker in makers]),
        "land_area_m2": _land(base),
        "year": pd.Series(floats(base, "year")).astype("Int64"),
        "confidence": labels([sure for _, _, sure, _ in rows]),
    }
    return gpd.GeoDataFrame(columns, geometry=base.geometry.to_numpy(), crs=study.crs)


def _ids(raw: gpd.GeoDataFrame) -> list[str]:
    """Return an id for each record: its own, the OSM object's, or its number; repeated ones get a number behind."""
    given = texts(raw, "facility_id")
    kinds, numbers = texts(raw, "osm_type"), texts(raw, "osm_id")
    seen: Counter[str] = Counter()
    ids = []
    for row, own in enumerate(given):
        osm = f"{kinds[row][:1]}{numbers[row]}" if kinds[row] and numbers[row] else ""
        name = own or osm or f"F{row + 1:05d}"
        seen[name] += 1
        ids.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return ids


def _closed_to_public(raw: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell which records of OSM nobody from outside may use, or are no longer in use."""
    private = np.array([text in {"private", "no"} for text in texts(raw, "access")], dtype=np.bool_)
    for key in ("disused", "abandoned"):
        private |= np.array([text not in {"", "no"} for text in texts(raw, key)], dtype=np.bool_)
    return private


def _notes(raw: pd.DataFrame, found: Sequence[Found], standard: Standard, *, hidden: int) -> list[Note]:
    """Return what a reader must know of how the classes came about."""
    missed = [row for row, classes in enumerate(found) if not classes]
    unknown, others = _unclassed(raw.iloc[missed])
    beside = Counter(key for classes in found for key, _ in classes if key not in standard.counted)
    unsure = Counter(key for classes in found for key, sure in classes if sure == "low" and key in standard.counted)
    notes = [Note("facilities.closed_to_public", {"count": hidden})] if hidden else []
    kinds = (("unknown_class", unknown), ("other_features", others), ("not_measured", beside), ("unsure_class", unsure))
    for code, counts in kinds:
        if counts:
            shown = ", ".join(f"{label} ({count})" for label, count in counts.most_common(SHOWN_LABELS))
            if len(counts) > SHOWN_LABELS:
                shown += f" … (+{len(counts) - SHOWN_LABELS})"
            notes.append(Note(f"facilities.{code}", {"count": counts.total(), "labels": shown}))
    return notes


def _unclassed(rows: pd.DataFrame) -> tuple[Counter[str], Counter[str]]:
    """Return what records without a class call themselves: possible facilities, and OSM features of other kinds."""
    unknown: Counter[str] = Counter()
    others: Counter[str] = Counter()
    keys = [key for key in vocabulary().keys if key in rows.columns]
    columns = [texts(rows, key) for key in keys]
    for row, label in enumerate(texts(rows, "facility_class")):
        tags = {key: column[row] for key, column in zip(keys, columns, strict=True) if column[row]}
        said = label or next((f"{key}={value}" for key, value in tags.items()), "?")
        speaks = bool(label) or not tags or vocabulary().line_for(tags) is not None
        (unknown if speaks else others)[said] += 1
    return unknown, others


def _names_of(standard: Standard) -> Mapping[str, str]:
    """Return the standard's own names of its classes, folded and also without what stands in brackets."""
    names: dict[str, str] = {}
    for rule in (*standard.rules, *standard.unmeasured):
        for text in (rule.zh, rule.en, rule.short_zh, rule.short_en, rule.facility_class):
            names.setdefault(fold(text), rule.facility_class)
            names.setdefault(re.sub(r"\(.*?\)", "", fold(text)), rule.facility_class)
    return names


def _land(rows: pd.DataFrame) -> NDArray[np.float64]:
    """Return the land of each row in m²: as stated, else the ground of a polygon that is not a building, else NaN."""
    land = floats(rows, "land_area_m2")
    if "geometry" in rows.columns:
        ground = shapely.area(np.asarray(rows["geometry"], dtype=object))
        building = np.array([text not in {"", "no"} for text in texts(rows, "building")], dtype=np.bool_)
        land = np.where(np.isnan(land) & (ground > 0) & ~building, ground, land)
    return land


def _text(value: object) -> str:
    """Return a value as text, empty where there is none."""
    missing = value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value))
    return "" if missing else str(value).strip()


def _bare(name: str) -> str:
    """Return a name as it is compared: folded, without brackets and punctuation."""
    return re.sub(r"[\W_]+", "", re.sub(r"\(.*?\)", "", fold(name)))
