"""The compounds' own figures of people against the totals of sub-districts: what was changed, where they disagree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..gis.errors import Fault
from .columns import floats, texts
from .study import Note

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from .study import Study

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

DIFFERS_SHARE = 0.10
"""Compounds and a sub-district that differ by more than this share of the sub-district's people are warned of."""


def compound_people(study: Study) -> Floats | None:
    """Return the people of each compound, as stated or by its households; NaN where neither is known."""
    compounds = study.layers.get("compounds")
    if compounds is None or compounds.empty:
        return None
    people = floats(compounds, "people")
    households = floats(compounds, "households") * study.settings.people.persons_per_household
    return np.where(np.isnan(people), households, people)


def changed_note(compounds: gpd.GeoDataFrame, stated: Floats, compound: Ints, people: Ints) -> Note | None:
    """Return how many compounds count other people than they state, and by how much at most; `None` without homes.

    Parameters
    ----------
    compounds
        The layer, for names.
    stated
        float64 [n], people of each compound; NaN where unknown.
    compound, people
        int64 [homes], the compound of each home (-1 for none) and the people counted in it.

    Examples
    --------
    >>> import geopandas as gpd
    >>> frame = gpd.GeoDataFrame({"name": ["a", "b"]}, geometry=[None, None])
    >>> note = changed_note(frame, np.array([10.0, 5.0]), np.array([0, 0, 1]), np.array([4, 9, 5]))
    >>> note.code, note.detail["count"], note.detail["most"], note.detail["name"]
    ('demand.ledger_changed', 1, 3, 'a')
    """
    has_homes = np.bincount(compound[compound >= 0], minlength=len(stated)) > 0
    compared = np.isfinite(stated) & has_homes
    if not compared.any():
        return None
    counted = np.bincount(compound[compound >= 0], people[compound >= 0], minlength=len(stated))
    off = np.where(compared, np.abs(counted - np.floor(np.where(compared, stated, 0) + 0.5)), 0)
    changed = int((off >= 1).sum())
    if not changed:
        return Note("demand.ledger_kept", {"all": int(compared.sum())})
    worst = int(np.argmax(off))
    detail = {
        "count": changed,
        "all": int(compared.sum()),
        "most": int(off[worst]),
        "name": _name(compounds, "compound_id", worst),
        "stated": round(float(stated[worst])),
        "counted": int(counted[worst]),
    }
    return Note("demand.ledger_changed", detail)


def differing(districts: gpd.GeoDataFrame, totals: Floats, in_compounds: Floats, elsewhere: Floats) -> list[Fault]:
    """Return a warning for each sub-district whose compounds do not fit its people.

    They do not fit when the people of the compounds alone exceed the sub-district's by more than `DIFFERS_SHARE`, or
    when they and those estimated outside compounds together fall short of it by more.

    Parameters
    ----------
    districts
        The layer, for names.
    totals
        float64 [n], people each sub-district states; NaN where unknown.
    in_compounds, elsewhere
        float64 [n], people its compounds state, and people estimated outside them.

    Examples
    --------
    >>> import geopandas as gpd
    >>> frame = gpd.GeoDataFrame({"name": ["a", "b", "c"]}, geometry=[None] * 3)
    >>> for fault in differing(frame, np.full(3, 100.0), np.array([120.0, 60, 60]), np.array([0.0, 35, 0])):
    ...     print(fault)
    demand.ledger_differs (layer=compounds, name=a, ledger=120, stated=100, percent=20)
    demand.ledger_differs (layer=compounds, name=c, ledger=60, stated=100, percent=40)
    """
    over, short = in_compounds - totals, totals - in_compounds - elsewhere
    off = np.maximum(over, short)
    return [
        Fault(
            "demand.ledger_differs",
            layer="compounds",
            detail={
                "name": _name(districts, "district_id", row),
                "ledger": round(float(in_compounds[row] + (elsewhere[row] if short[row] > 0 else 0))),
                "stated": round(float(totals[row])),
                "percent": round(100 * float(off[row] / totals[row])),
            },
            blocks=False,
        )
        for row in np.flatnonzero((totals > 0) & (in_compounds > 0) & (off > DIFFERS_SHARE * totals)).tolist()
    ]


def _name(frame: gpd.GeoDataFrame, column: str, row: int) -> str:
    """Return the name of a row; its id, else its number, where it has none."""
    return texts(frame, "name")[row] or texts(frame, column)[row] or str(row + 1)
