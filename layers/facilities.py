"""The facilities of a study: their classes, one record a facility, what was merged, and what no class fits."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ..gis.errors import InputError
from .columns import texts
from .duplicates import COLUMNS as MERGE_COLUMNS
from .duplicates import merge_duplicates
from .facility_counts import count_facilities, counted_now, estimate_capacity
from .facility_hand import facility_faults, hand_pairs
from .facility_rows import classify, closed_to_public, facility_rows, parts_of_others
from .facility_words import vocabulary
from .study import Note

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from .facility_words import Found
    from .standards import Rule, Standard
    from .study import Study

COLUMNS = ("facility_id", "name", "facility_class", "capacity", "floor_area_m2", "status", "source")
"""Columns of `lifecircle.layers.findings.LAYERS` that are known before the network is."""

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
        One point a facility and class: `COLUMNS`, ``land_area_m2``, ``year``, ``confidence`` of the class,
        ``capacity_from`` (stated, estimated, missing), ``counts`` (whether it is walked to, as ``[facilities]`` says),
        geometry. A place that serves as two classes has two rows.
    merges
        One row a record that was merged away: `lifecircle.layers.duplicates.COLUMNS`.
    with_data
        Classes that the source holds at all, built or not: any other class is "no data", not zero.
    notes
        What was unknown, merged or uncertain.
    doors, door_owner
        Points where people come in, object [k], and the row of ``frame`` that each belongs to, int64 [k].
    shapes
        The facilities as they were drawn, points or grounds, object [n].
    beside
        Facilities of classes that only indicators count, where any were asked for.
    """

    frame: gpd.GeoDataFrame
    merges: pd.DataFrame
    with_data: frozenset[str]
    notes: tuple[Note, ...]
    doors: NDArray[np.object_] = field(default_factory=lambda: np.array([], dtype=object))
    door_owner: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    shapes: NDArray[np.object_] = field(default_factory=lambda: np.array([], dtype=object))
    beside: FoundFacilities | None = None


def facilities_of(study: Study, standard: Standard) -> gpd.GeoDataFrame:
    """Return the facilities of a study as points; `find_facilities` tells also what was merged and unknown."""
    return find_facilities(study, standard).frame


def classes_with_data(facilities: gpd.GeoDataFrame) -> frozenset[str]:
    """Return the classes that a frame of facilities holds, whatever their status."""
    return frozenset(facilities["facility_class"])


def find_facilities(study: Study, standard: Standard, *, beside: frozenset[str] = frozenset()) -> FoundFacilities:
    """Return the facilities of a study, classed, placed and merged.

    Rows whose class the standard does not measure are counted in a note and left out, and so are parts of other places
    (a ward, a gatehouse). Polygons are placed at a point inside them; the land of a polygon that is not a building is
    kept. A study without facilities has none.

    Parameters
    ----------
    study
        Its layer ``facilities`` is read, and its section ``[facilities]``.
    standard
        Gives names of classes and says which are measured.
    beside
        Further classes, whose facilities are kept apart in ``beside`` of the result.

    Raises
    ------
    InputError
        When ``[facilities]`` names facilities that are not there.
    """
    raw = study.layers.get("facilities")
    faults = facility_faults(study)
    if faults:
        message = f"[facilities] of study.toml has {len(faults)} fault(s): {faults[0]}"
        raise InputError(message, *faults)
    if raw is None or raw.empty:
        empty = count_facilities(facility_rows(gpd.GeoDataFrame(geometry=[], crs=study.crs), study, []), study)
        merges = pd.DataFrame(columns=list(MERGE_COLUMNS))
        plain = estimate_capacity(empty.frame, asked=False).frame
        return FoundFacilities(plain, merges, frozenset(), (Note("facilities.none"),))
    closed = closed_to_public(raw)
    found = classify(raw, standard)
    found = [() if shut else classes for shut, classes in zip(closed.tolist(), found, strict=True)]
    notes = _notes(raw, found, standard, closed)
    rows = facility_rows(raw, study, found)
    own = _kept(rows, frozenset(standard.counted), study)
    others = beside - frozenset(standard.counted)
    return replace(own, notes=(*notes, *own.notes), beside=_kept(rows, others, study) if others else None)


def _kept(rows: gpd.GeoDataFrame, classes: frozenset[str], study: Study) -> FoundFacilities:
    """Return the facilities of some classes, one a place."""
    measured = rows[rows["facility_class"].isin(classes)].reset_index(drop=True)
    settings = study.settings.facilities
    merged = merge_duplicates(measured, hand_pairs(measured, settings))
    notes = (Note("facilities.merged", {"count": len(merged.merges)}),) if len(merged.merges) else ()
    kept = merged.kept
    shapes = kept.geometry.to_numpy()
    kept = kept.set_geometry(gpd.GeoSeries(shapely.point_on_surface(shapes), crs=study.crs))
    sized = estimate_capacity(kept, asked=settings.estimate_capacity)
    counted = count_facilities(sized.frame, study)
    return FoundFacilities(
        frame=counted.frame,
        merges=merged.merges,
        with_data=classes_with_data(counted.frame),
        notes=(*notes, *sized.notes, *counted.notes),
        doors=merged.doors,
        door_owner=merged.door_owner,
        shapes=shapes,
    )


def few_recorded(facilities: pd.DataFrame, rules: Iterable[Rule], people: int) -> dict[str, int]:
    """Return required classes with fewer than one record that counts for `PEOPLE_A_RECORD` people, with their number.

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
    existing = facilities.loc[counted_now(facilities), "facility_class"].value_counts()
    required = dict.fromkeys(rule.facility_class for rule in rules if rule.required and rule.facility_class in held)
    counts = {key: int(existing.get(key, 0)) for key in required}
    return {key: count for key, count in counts.items() if count * PEOPLE_A_RECORD < people}


def few_notes(few: Mapping[str, int]) -> tuple[Note, ...]:
    """Say which classes have so few records that the source is doubtful; nothing where none has."""
    labels = ", ".join(f"{key} ({count})" for key, count in few.items())
    detail = {"count": len(few), "labels": labels, "people": f"{PEOPLE_A_RECORD:,}"}
    return (Note("facilities.few_records", detail),) if few else ()


def _notes(raw: pd.DataFrame, found: Sequence[Found], standard: Standard, closed: NDArray[np.bool_]) -> list[Note]:
    """Return what a reader must know of how the classes came about."""
    part = parts_of_others(raw) & ~closed
    missed = [row for row, classes in enumerate(found) if not classes and not closed[row] and not part[row]]
    unknown, others = _unclassed(raw.iloc[missed])
    counted = frozenset(standard.counted)
    uncounted = (classes for classes in found if counted.isdisjoint(key for key, _ in classes))
    beside = Counter(key for classes in uncounted for key, _ in classes[:1])
    unsure = Counter(key for classes in found for key, sure in classes if sure == "low" and key in standard.counted)
    notes = [Note("facilities.closed_to_public", {"count": int(closed.sum())})] if closed.any() else []
    if part.any():
        example = next(name for name, is_one in zip(texts(raw, "name"), part.tolist(), strict=True) if is_one)
        notes.append(Note("facilities.parts", {"count": int(part.sum()), "name": example}))
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
