"""What facilities count for: places estimated from floor area on request, and which of those to come count."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np

from .columns import floats, labels, texts
from .facility_words import vocabulary
from .study import Note

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from .study import Study

STAGES = {
    "existing": ("existing",),
    "building": ("existing", "building"),
    "planned": ("existing", "building", "planned"),
}
"""What ``[facilities] count`` takes in."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Facilities with a column more, and what is to be said of it."""

    frame: gpd.GeoDataFrame
    notes: tuple[Note, ...] = ()


def counted_now(facilities: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell which facilities are walked to: those of the column ``counts``, existing ones where it is absent."""
    if "counts" in facilities.columns:
        return np.asarray(facilities["counts"].to_numpy(dtype=np.bool_))
    return np.asarray((facilities["status"] == "existing").to_numpy(), dtype=np.bool_)


def count_facilities(facilities: gpd.GeoDataFrame, study: Study) -> Counted:
    """Return facilities with ``counts``: existing ones, and those to come as far as ``[facilities]`` takes them in.

    Those under construction or planned count when their status is taken in and, where ``until`` states a year, when
    their own year is known and not later. None ever counts unless study.toml says so.

    Parameters
    ----------
    facilities
        With ``status`` and ``year``.
    study
        Its section ``[facilities]``.
    """
    settings = study.settings.facilities
    status = np.array(texts(facilities, "status"), dtype=object)
    taken = np.isin(status, STAGES[settings.count])
    coming = taken & (status != "existing")
    year = floats(facilities, "year")
    if settings.until is not None:
        late = coming & ~(year <= settings.until)
        taken &= ~late
    frame = gpd.GeoDataFrame(facilities.assign(counts=taken))
    to_come = Counter(str(one) for one in status if one in {"building", "planned"})
    if not to_come:
        return Counted(frame)
    detail: dict[str, object] = {"building": to_come["building"], "planned": to_come["planned"]}
    if settings.count == "existing":
        return Counted(frame, (Note("facilities.not_yet", detail),))
    in_time = taken & coming
    detail |= {"counted": int(in_time.sum()), "left": to_come.total() - int(in_time.sum())}
    if settings.until is None:
        return Counted(frame, (Note("facilities.counted_to_come", detail),))
    undated = int((coming & np.isnan(year)).sum())
    detail |= {"year": str(settings.until), "undated": undated}
    return Counted(frame, (Note("facilities.counted_until", detail),))


def estimate_capacity(facilities: gpd.GeoDataFrame, *, asked: bool) -> Counted:
    """Return facilities with ``capacity_from``, and where asked with places estimated from floor area.

    A capacity that is stated stays. Where it is not, floor area over the floor area of one place of its class (the
    vocabulary's ``[place.CLASS]``), rounded down; classes without such a rule stay unknown.

    Parameters
    ----------
    facilities
        With ``facility_class``, ``capacity``, ``floor_area_m2``.
    asked
        Whether ``[facilities] estimate_capacity`` is set.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = {"facility_class": ["elderly_home"] * 2, "capacity": [40.0, None], "floor_area_m2": [900.0, 3600.0]}
    >>> found = estimate_capacity(gpd.GeoDataFrame(pd.DataFrame(rows), geometry=[None, None]), asked=True)
    >>> found.frame["capacity"].tolist(), found.frame["capacity_from"].tolist()
    ([40.0, 102.0], ['stated', 'estimated'])
    """
    capacity, floor = floats(facilities, "capacity"), floats(facilities, "floor_area_m2")
    classes = texts(facilities, "facility_class")
    known = vocabulary().classes
    rules = [known[key].place if key in known else None for key in classes]
    m2 = np.array([rule.m2 if rule is not None else np.nan for rule in rules], dtype=np.float64)
    missing = np.isnan(capacity)
    guessed = missing & (floor > 0) & np.isfinite(m2) & asked
    value = np.where(guessed, np.floor(np.divide(floor, m2, out=np.zeros(len(m2)), where=guessed)), capacity)
    came = np.where(guessed, "estimated", np.where(missing, "", "stated")).tolist()
    frame = gpd.GeoDataFrame(facilities.assign(capacity=value, capacity_from=labels(came).to_numpy()))
    if not guessed.any():
        return Counted(frame)
    notes = []
    for key, count in sorted(Counter(key for key, is_one in zip(classes, guessed, strict=True) if is_one).items()):
        rule = known[key].place
        if rule is not None:
            detail = {
                "count": count,
                "labels": key,
                "m2": rule.m2,
                "source": rule.source,
                "confidence": rule.confidence,
            }
            notes.append(Note("facilities.capacity_estimated", detail))
    return Counted(frame, tuple(notes))
