"""The records of facilities as rows: class, id, land and status of each, before duplicates are merged."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from .columns import floats, labels, texts
from .facility_classes import class_of_label, class_of_name, class_of_poi, class_of_tags, doubted, is_part, is_poi_class
from .facility_words import fold, vocabulary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from .facility_words import Found
    from .standards import Standard
    from .study import Study


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
    parts = parts_of_others(rows)
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
        elif parts[row]:
            found = ()
        elif is_poi_class(label):
            found = doubted(class_of_poi(label, name, land_area_m2=land), name)
        else:
            found = class_of_tags(own, name, land_area_m2=land) or _from_words(label, name, tagged=bool(own))
        result.append(found)
    return result


def parts_of_others(rows: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell which records of map services and OSM are only parts of a place, by their names: wards, gatehouses.

    What a planner's own list calls by a class is taken as it is.
    """
    stated = texts(rows, "facility_class")
    said = [not label or is_poi_class(label) for label in stated]
    return np.array(
        [own and is_part(name) for own, name in zip(said, texts(rows, "name"), strict=True)], dtype=np.bool_
    )


def _from_words(label: str, name: str, *, tagged: bool) -> Found:
    """Return the class that a free label speaks of, else the name; tags that say another thing outweigh the name."""
    by_label = class_of_name(label) if label else None
    if by_label is not None:
        return ((by_label, "medium"),)
    by_name = class_of_name(name) if name and not tagged else None
    return ((by_name, "low"),) if by_name is not None else ()


def facility_rows(raw: gpd.GeoDataFrame, study: Study, found: Sequence[Found]) -> gpd.GeoDataFrame:
    """Return one row for each record and class, with the columns of the findings."""
    rows = [(row, key, sure, number) for row, classes in enumerate(found) for number, (key, sure) in enumerate(classes)]
    source_row = np.array([row for row, *_ in rows], dtype=np.int64)
    base = raw.iloc[source_row]
    ids = record_ids(raw)
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


def record_ids(raw: gpd.GeoDataFrame) -> list[str]:
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


def closed_to_public(raw: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell which records of OSM nobody from outside may use, or are no longer in use."""
    private = np.array([text in {"private", "no"} for text in texts(raw, "access")], dtype=np.bool_)
    for key in ("disused", "abandoned"):
        private |= np.array([text not in {"", "no"} for text in texts(raw, key)], dtype=np.bool_)
    return private


def _names_of(standard: Standard) -> Mapping[str, str]:
    """Return the standard's own names of its classes, folded and also without what stands in brackets."""
    names: dict[str, str] = {}
    for rule in (*standard.rules, *standard.unmeasured):
        for text in (rule.zh, rule.en, rule.short_zh, rule.short_en, rule.facility_class):
            names.setdefault(fold(text), rule.facility_class)
            names.setdefault(re.sub(r"\(.*?\)", "", fold(text)), rule.facility_class)
    for rule in (*standard.rules, *standard.unmeasured):  # examples in brackets: 社区商业网点（便利店、药店等）
        for example in re.findall(r"\((.*?)\)", fold(rule.zh)):
            for word in re.split("[、,]", example.removesuffix("等")):
                names.setdefault(word, rule.facility_class)
    return names


def _land(rows: pd.DataFrame) -> NDArray[np.float64]:
    """Return the land of each row in m²: as stated, else the ground of a polygon that is not a building, else NaN."""
    land = floats(rows, "land_area_m2")
    if "geometry" in rows.columns:
        ground = shapely.area(np.asarray(rows["geometry"], dtype=object))
        building = np.array([text not in {"", "no"} for text in texts(rows, "building")], dtype=np.bool_)
        land = np.where(np.isnan(land) & (ground > 0) & ~building, ground, land)
    return land
