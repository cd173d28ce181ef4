"""Candidates: land and buildings tried for each facility class, refusals with reasons; else points along streets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from .candidate_checks import REASONS
from .candidate_places import Ground, known_places
from .candidate_sizes import place_area
from .candidate_sources import column_of, places_of, street_points
from .candidate_tests import Tester
from .compatibility import compatibility_of
from .findings import LAYERS, TABLES
from .site_rules import load_rules
from .study import Note

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from ..gis.network import WalkNetwork
    from .candidate_places import Places
    from .candidate_tests import Tried
    from .facilities import FoundFacilities
    from .site_rules import SiteRules
    from .standards import Rule, Standard
    from .study import Study

EXTRA: tuple[str, ...] = ("zoning", "preferred")
"""Columns of the frame beside those of the findings."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Places that were tried for facility classes.

    Parameters
    ----------
    frame
        A row for each place and class: the columns of ``LAYERS["candidates"]``, ``zoning`` (a verdict of
        `lifecircle.layers.compatibility.Verdict`), ``preferred`` (its ring's policy asks for such places first; they
        stand first) and the geometry. ``reason`` holds the names of `REASONS` that speak against it, joined by ";",
        None where it fits.
    notes
        What was assumed or could not be tested.
    refusals
        ``TABLES["refusals"]``: a row for each place, class and thing that speaks against it.
    """

    frame: gpd.GeoDataFrame
    notes: tuple[Note, ...]
    refusals: pd.DataFrame

    def fitting(self, facility_class: str) -> gpd.GeoDataFrame:
        """Return the places that fit a class, in the order of the frame, index 0…n-1."""
        rows = (self.frame["facility_class"] == facility_class) & self.frame["fits"].astype(bool)
        return self.frame[rows].reset_index(drop=True)


def candidates_of(
    study: Study,
    standard: Standard,
    network: WalkNetwork,
    *,
    classes: Iterable[str] | None = None,
    facilities: FoundFacilities | None = None,
    rings: gpd.GeoDataFrame | None = None,
) -> Candidates:
    """Try every place of a study for every facility class that new sites are looked for.

    Places are the land layer's plots and buildings (without one, parcels that lie idle now), the parcels of renewal
    projects, and facilities that may be extended, each for its own class. Where there are none, and for a class that
    none of them fits, points along the streets stand in, and a note says so. What is not known of a place refuses it
    only where its size is the question; any other test that could not be made is counted in a note.

    Parameters
    ----------
    study
        Its layers ``land``, ``projects``, ``facilities``, ``parcels``, ``hazard``, ``protection``, its terrain, and
        ``[siting] site_rules``.
    standard
        Its rules say how large a facility must be.
    network
        The streets.
    classes
        Facility classes to try: those of ``[[siting.wish]]``, else those the standard marks ``sited``, when not given.
    facilities
        Classed facilities, for distances and extensions; rules about them are not tested without.
    rings
        As `lifecircle.layers.rings.rings_of` returns them; no ring refuses anything without.

    Returns
    -------
    Candidates
        Equal for any order of the study's rows.

    Raises
    ------
    KeyError
        For a class that the standard does not have.
    InputError
        When ``site_rules`` names a file that cannot be used.
    """
    names = classes_sited(study, standard) if classes is None else tuple(classes)
    rules = [standard.rule(name) for name in names]
    notes: list[Note] = []
    ground = Ground(study, network, rings, site_rules_of(study), compatibility_of(study))
    notes += _rings_unknown(ground)
    tester = Tester(ground, facilities)
    table = places_of(study, None if facilities is None else facilities.frame, notes)
    parts: list[_Part] = []
    without = [rule.facility_class for rule in rules]
    if len(table) and rules:
        parts += _tried(known_places(table, ground, notes), rules, tester)
        fitting = {part.rule.facility_class for part in parts if part.frame["fits"].any()}
        without = [name for name in without if name not in fitting]
    if without:
        points = street_points(study, network)
        code = "gaps.note_streets_for" if parts else "gaps.note_streets"
        spacing = study.settings.siting.street_spacing_m
        notes.append(Note(code, {"spacing_m": spacing, "count": len(points), "classes": ";".join(without)}))
        parts += _tried(
            known_places(points, ground, []), [rule for rule in rules if rule.facility_class in without], tester
        )
    notes += [*_untested(parts, ground.rules), *_usual_capacity(parts)]
    return Candidates(_frame(parts, study), tuple(notes), _refusals(parts))


def site_rules_of(study: Study) -> SiteRules:
    """Return the site rules of a study: those that ship, with the entries of its own file.

    Raises
    ------
    MissingFileError, InputError
        As `lifecircle.layers.site_rules.load_rules`.
    """
    named = study.settings.siting.site_rules
    return load_rules(None if named is None else study.folder / named)


def classes_sited(study: Study, standard: Standard) -> tuple[str, ...]:
    """Return the facility classes that new sites are looked for: those wished for, else those the standard marks."""
    wished = tuple(dict.fromkeys(wish.facility_class for wish in study.settings.siting.wish))
    return wished or tuple(rule.facility_class for rule in standard.rules if rule.sited)


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """The places tried for one class: rows of the frame, refusals, and what could not be tested."""

    rule: Rule
    frame: gpd.GeoDataFrame
    refusals: pd.DataFrame
    untested: dict[str, int]


def _tried(places: Places, rules: Sequence[Rule], tester: Tester) -> list[_Part]:
    """Return the places tried for each rule; a facility to be extended for its own class only."""
    only = column_of(places.table, "only_class")
    named = told_apart(column_of(places.table, "name"))
    parts = []
    for rule in rules:
        tried = tester.tried(places, rule)
        rows = np.flatnonzero(pd.isna(only) | np.isin(only, rule.classes))
        parts.append(_Part(rule, *_rows(places, rule, tried, named, rows), tried.untested))
    return parts


def _rows(
    places: Places, rule: Rule, tried: Tried, named: NDArray[np.object_], rows: NDArray[np.int64]
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Return some places tried for a class as rows of the findings' layer, and the refusals among them."""
    ids = column_of(places.table, "site_id")
    refused: list[pd.DataFrame] = []
    reasons: list[list[str]] = [[] for _ in range(len(places))]
    for check in tried.checks:
        hit = rows[check.against[rows]]
        for row in hit.tolist():
            if check.reason not in reasons[row]:
                reasons[row].append(check.reason)
        columns = {
            "site_id": ids[hit],
            "name": named[hit],
            "facility_class": rule.facility_class,
            "reason": check.reason,
            "measured": check.measured[hit],
            "needed": check.needed[hit],
            "unit": check.unit or None,
            **{name: getattr(check, name)[hit] for name in ("what", "clause", "clause_en", "confidence")},
            "_place": hit,
        }
        refused.append(pd.DataFrame(columns))
    listed = pd.Series([";".join(reasons[row]) or None for row in rows.tolist()], dtype=object)
    frame = gpd.GeoDataFrame(
        {
            "site_id": ids[rows],
            "name": named[rows],
            **{name: column_of(places.table, name)[rows] for name in ("kind", "tenure", "source")},
            "area_m2": places.land_m2[rows],
            "floor_area_m2": places.floor_m2[rows],
            "land_use": places.land_use[rows],
            "facility_class": rule.facility_class,
            "fits": listed.isna().to_numpy(),
            "reason": listed,
            "frontage_m": places.frontage_m[rows],
            "slope_percent": places.slope_percent[rows],
            **{str(name): values.to_numpy()[rows] for name, values in tried.columns.items()},
            "_place": rows,
        },
        geometry=places.shapes[rows],
        crs=places.table.crs,
    )
    return frame, pd.concat(refused, ignore_index=True)


def _frame(parts: Sequence[_Part], study: Study) -> gpd.GeoDataFrame:
    """Return all rows, preferred places first, then place by place in the order of the rules."""
    columns = [*LAYERS["candidates"], *EXTRA]
    if not parts:
        empty = {name: pd.Series(dtype=object) for name in columns}
        return gpd.GeoDataFrame(empty, geometry=gpd.GeoSeries([], crs=study.crs), crs=study.crs)
    numbered = [part.frame.assign(_rule=rule, _street=_on_street(part)) for rule, part in enumerate(parts)]
    whole = pd.concat(numbered, ignore_index=True)
    whole = whole.assign(_later=~whole["preferred"].to_numpy(dtype=np.bool_))
    whole = whole.sort_values(["_street", "_later", "_place", "_rule"], kind="stable", ignore_index=True)
    return gpd.GeoDataFrame(whole[[*columns, "geometry"]], geometry="geometry", crs=study.crs)


def _on_street(part: _Part) -> NDArray[np.bool_]:
    """Tell which rows are points along streets; they follow all places."""
    return np.asarray((part.frame["source"] == "street").to_numpy(), dtype=np.bool_)


def _refusals(parts: Sequence[_Part]) -> pd.DataFrame:
    """Return the refusals of all classes, class by class, place by place, in the order of the reasons."""
    order = {reason: number for number, reason in enumerate(REASONS)}
    frames = []
    for part in parts:
        sort = [part.refusals["_place"], part.refusals["reason"].map(order)]
        by = np.lexsort((sort[1].to_numpy(dtype=np.int64), sort[0].to_numpy(dtype=np.int64)))
        frames.append(part.refusals.iloc[by])
    columns = list(TABLES["refusals"])
    filled = [frame for frame in frames if len(frame)]
    if not filled:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in columns})
    return pd.concat(filled, ignore_index=True)[columns]


def _rings_unknown(ground: Ground) -> list[Note]:
    """Return a note of the rings that the site rules name and the study has not."""
    known = set() if ground.rings is None else set(ground.rings["name"])
    strange = [name for name in ground.rules.ring if name not in known]
    return [Note("candidates.ring_unknown", {"names": "、".join(strange)})] if strange else []


def _untested(parts: Sequence[_Part], rules: SiteRules) -> list[Note]:
    """Return a note for each check that could not be made: how many places, for which classes."""
    counts: dict[str, int] = {}
    classes: dict[str, list[str]] = {}
    for part in parts:
        for key, count in part.untested.items():
            counts[key] = max(counts.get(key, 0), count)
            classes.setdefault(key, []).append(part.rule.facility_class)
    notes = []
    for key, count in counts.items():
        detail: dict[str, object] = {"count": count, "classes": ";".join(dict.fromkeys(classes[key]))}
        wanted = rules.distance.get(key)
        if wanted is None:
            notes.append(Note(f"candidates.untested_{key}", detail))
        else:
            detail |= {"what": ";".join(wanted.what)}
            notes.append(Note("candidates.untested_distance", detail))
    return notes


def _usual_capacity(parts: Sequence[_Part]) -> list[Note]:
    """Return a note for each class whose places were counted by a figure that is not the standard's."""
    notes = []
    for key, part in {part.rule.facility_class: part for part in parts}.items():
        area = place_area(part.rule)
        if not area.stated and part.frame["capacity_fits"].notna().any():
            detail = {"labels": key, "m2": area.floor_m2, "source": area.source, "confidence": area.confidence}
            notes.append(Note("candidates.capacity_usual", detail))
    return notes


def told_apart(names: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return names in which those that several places share are numbered in their order; missing ones stay missing.

    Examples
    --------
    >>> told_apart(np.array(["cleared site", "school", "cleared site", None], dtype=object)).tolist()
    ['cleared site 1', 'school', 'cleared site 2', None]
    """
    frame = pd.Series(names, dtype=object)
    named = frame.where(frame.notna(), None)
    shared = frame.notna() & frame.duplicated(keep=False)
    number = frame.groupby(frame, dropna=False).cumcount() + 1
    return np.array(
        [f"{name} {place}" if many else name for name, place, many in zip(named, number, shared, strict=True)],
        dtype=object,
    )


__all__ = ["REASONS", "Candidates", "candidates_of", "classes_sited", "site_rules_of", "street_points", "told_apart"]
