"""What the user says of single facilities in study.toml: records to keep apart, and records to merge."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from ..gis.errors import Fault
from .columns import texts
from .duplicates import ByHand
from .facility_rows import record_ids

if TYPE_CHECKING:
    import geopandas as gpd

    from .settings import FacilitiesSection
    from .study import Study

STUDY_FILE = "study.toml"


def facility_faults(study: Study) -> list[Fault]:
    """Return a fault for each id in ``[facilities]`` that no facility has, and each pair both merged and kept apart.

    An id is that of a record, as the findings show it; ``ID:class`` names one class of a place that serves as two.

    Parameters
    ----------
    study
        Its layer ``facilities`` and its section ``[facilities]``.
    """
    settings = study.settings.facilities
    groups = [("keep_apart", number, ids) for number, ids in enumerate(settings.keep_apart, start=1)]
    groups += [("merge", number, ids) for number, ids in enumerate(settings.merge, start=1)]
    if not groups:
        return []
    layer = study.layers.get("facilities")
    known = frozenset(record_ids(layer)) if layer is not None else frozenset[str]()
    faults = [
        Fault(
            "facilities.id_unknown",
            STUDY_FILE,
            "facilities",
            value=one,
            detail={"setting": f"facilities.{key}[{number}]"},
        )
        for key, number, ids in groups
        for one in ids
        if one not in known and one.rpartition(":")[0] not in known
    ]
    apart = {frozenset(pair) for ids in settings.keep_apart for pair in combinations(ids, 2)}
    for number, ids in enumerate(settings.merge, start=1):
        both = next((pair for pair in combinations(ids, 2) if frozenset(pair) in apart), None)
        if both is not None:
            detail = {"setting": f"facilities.merge[{number}]", "one": both[0], "other": both[1]}
            faults.append(Fault("facilities.id_both", STUDY_FILE, "facilities", detail=detail))
    return faults


def hand_pairs(facilities: gpd.GeoDataFrame, settings: FacilitiesSection) -> ByHand:
    """Return the pairs of rows that ``[facilities]`` keeps apart and merges, within each class.

    Parameters
    ----------
    facilities
        With ``facility_id`` and ``facility_class``, index 0…n-1; ids that are not among them are of facilities
        that are not measured, and have nothing to merge.
    settings
        The section.
    """
    rows: dict[tuple[str, str], list[int]] = {}
    for row, (own, key) in enumerate(
        zip(texts(facilities, "facility_id"), texts(facilities, "facility_class"), strict=True)
    ):
        record = own.removesuffix(f":{key}")
        for name in {own, record, f"{record}:{key}"}:
            rows.setdefault((name, key), []).append(row)
    classes = sorted({key for _, key in rows})

    def pairs(groups: list[list[str]]) -> list[tuple[int, int]]:
        found = []
        for ids in groups:
            for key in classes:
                own = sorted({row for one in ids for row in rows.get((one, key), [])})
                found += list(combinations(own, 2))
        return found

    return ByHand(frozenset(pairs(settings.keep_apart)), tuple(pairs(settings.merge)))
