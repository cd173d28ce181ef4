"""Projects against their zone and their ring: use, floor area, form and height, and the ring's policy."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd
import shapely

from ..gis.areal import share_by_area
from .columns import floats, texts
from .controls import fits_under, relaxed
from .findings import TABLES
from .study import Note
from .zoning import UNKNOWN, clean_code, land_uses

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    from numpy.typing import NDArray

    from .rulebook import Compatibility

    Floats: TypeAlias = NDArray[np.float64]
    Row: TypeAlias = dict[str, object]
    Detail: TypeAlias = dict[str, object]

KINDS: dict[str, str] = {
    "use_not_zoned": "use",
    "homes_not_zoned": "use",
    "far_above": "far",
    "form_above": "form",
    "height_above": "height",
    "demolishes_where_kept": "ring",
    "clears_where_kept": "ring",
    "grows_where_less_is_wanted": "ring",
    "shrinks_where_more_is_wanted": "ring",
}
"""Code of a conflict → its kind."""
USE_TOLERANCE = 0.10
"""Ground of a project that is zoned otherwise, up to this share of it, is its edge or a lane."""
CONTROL_TOLERANCE = 0.01
"""By so much a project may be above a control before it is said: figures of projects are rounded."""
UNKNOWN_MOST = 0.10
"""Share of a project's ground whose control is not stated, up to which the rest speaks for all of it."""
COVERED_LEAST = 0.5
"""Share of a project's ground that parcels must cover before its floor area is judged."""


SHARES_STATED = "%"
"""Sign of a mixed use whose shares are stated."""
GROWN = ("floor_area_m2", "floor_area_after_m2", "households", "households_after")
"""Figures of a project that a ring's policy is about."""


@dataclass(frozen=True, slots=True)
class FoundConflicts:
    """Conflicts of a study's projects: the findings' table ``conflicts``, and how many could not be judged."""

    table: pd.DataFrame
    notes: tuple[Note, ...]


def conflicts_of(
    projects: gpd.GeoDataFrame, parcels: gpd.GeoDataFrame, rings: gpd.GeoDataFrame, rules: Compatibility
) -> FoundConflicts:
    """Return where projects go against the zone of their ground or the policy of their ring.

    * ``use``: more than a tenth of the ground is zoned for uses that the planned use (``planned_use``) does not have
      and that do not accept it; or homes are to be built where no ground is zoned for homes.
    * ``far``, ``form``: the floor area afterwards is more than the parcels' floor-area ratios allow, or more than their
      density, green ratio and height do. Nothing is said where a tenth of the ground states no such control, nor of
      projects that keep what stands.
    * ``height``: the height afterwards is above the highest limit of any parcel of the ground.
    * ``ring``: as `lifecircle.layers.projects.against`.

    Parameters
    ----------
    projects
        As `lifecircle.layers.projects.find_projects` returns them, with ``against_reason``.
    parcels
        As `lifecircle.layers.zoning.parcels_of` returns them.
    rings
        With ``ring_id`` and ``policy``.
    rules
        Which uses accept which, the relaxation, and the clause of each conflict.

    Returns
    -------
    FoundConflicts
        ``detail`` is JSON with what the text ``conflicts.<code>`` names.
    """
    ground = _Ground.under(projects, parcels, rules)
    policy = dict(zip(texts(rings, "ring_id"), texts(rings, "policy"), strict=True))
    rows: list[Row] = []
    unjudged = 0
    for project in range(len(projects)):
        bulk = ground.bulk(project)
        unjudged += bulk is None
        found = [*ground.use(project), *(bulk or ()), *ground.height(project), *_ring(projects, project, policy)]
        rows += [_row(projects, project, code, detail, rules) for code, detail in found]
    notes = (Note("conflicts.unjudged", {"count": unjudged}),) if unjudged and len(parcels) else ()
    return FoundConflicts(pd.DataFrame(rows, columns=list(TABLES["conflicts"])), notes)


def _row(projects: pd.DataFrame, project: int, code: str, detail: Detail, rules: Compatibility) -> Row:
    """Return a conflict as a row of the table."""
    stated = rules.conflicts[code]
    return {
        "project_id": projects["project_id"].iloc[project],
        "name": projects["name"].iloc[project],
        "kind": KINDS[code],
        "code": code,
        "ring_id": projects["ring_id"].iloc[project],
        "detail": json.dumps(detail, ensure_ascii=False),
        "clause": stated.clause,
        "clause_en": stated.clause_en,
        "confidence": stated.confidence,
    }


def _ring(projects: pd.DataFrame, project: int, policy: Mapping[str, str]) -> list[tuple[str, Detail]]:
    """Return how a project goes against the policy of its ring."""
    code = texts(projects, "against_reason")[project]
    if not code:
        return []
    row = projects.iloc[project]
    detail: Detail = {
        "policy": policy[str(row["ring_id"])],
        "kind": _given(row["kind"]),
        "way": _given(row["way"]),
        **{name: _figure(row[name]) for name in GROWN},
    }
    return [(code, detail)]


def _given(value: object) -> str | None:
    return None if pd.isna(value) else str(value)  # type: ignore[call-overload]


def _figure(value: object) -> float | None:
    """Return a number as JSON has it, None where it is missing."""
    return None if pd.isna(value) else float(value)  # type: ignore[call-overload, arg-type]


@dataclass(frozen=True, slots=True)
class _Piece:
    """The ground of a project in one parcel: m², its use, and the controls on it."""

    area_m2: float
    land_use: str
    far: float
    density: float
    height_m: float
    green: float


@dataclass(frozen=True, slots=True)
class _Ground:
    """What lies below each project."""

    projects: pd.DataFrame
    area_m2: Floats
    pieces: tuple[tuple[_Piece, ...], ...]
    rules: Compatibility

    @classmethod
    def under(cls, projects: gpd.GeoDataFrame, parcels: gpd.GeoDataFrame, rules: Compatibility) -> _Ground:
        """Cut the projects by the parcels."""
        shapes = projects.geometry.to_numpy()
        overlaps = share_by_area(shapes, parcels.geometry.to_numpy())
        uses = texts(parcels, "land_use")
        far, density, height, green = (floats(parcels, name) for name in ("far", "density", "height_m", "green_ratio"))
        pieces: list[list[_Piece]] = [[] for _ in range(len(projects))]
        for project, parcel, area in zip(overlaps.polygon, overlaps.zone, overlaps.area_m2, strict=True):
            piece = _Piece(
                float(area), uses[parcel], far[parcel], density[parcel], height[parcel], min(green[parcel], 1.0)
            )
            pieces[project].append(piece)
        return cls(projects, shapely.area(shapes), tuple(tuple(own) for own in pieces), rules)

    def use(self, project: int) -> list[tuple[str, Detail]]:
        """Return whether the ground is zoned for other uses than the planned one, or for no homes at all."""
        zoned: dict[str, float] = {}
        for piece in self.pieces[project]:
            for use in land_uses(piece.land_use):
                zoned[use.group] = zoned.get(use.group, 0.0) + piece.area_m2 * use.share
        known = {group: area for group, area in zoned.items() if group != UNKNOWN}
        stated = texts(self.projects, "planned_use")[project]
        planned = {use.group: use.share for use in land_uses(stated) if use.code}
        if planned:
            return self._otherwise(project, stated, known)
        homes = floats(self.projects, "households_after")[project]
        builds = texts(self.projects, "way")[project] == "demolish" and homes > 0
        whole = self.area_m2[project]
        if not builds or sum(known.values()) < (1 - UNKNOWN_MOST) * whole:
            return []
        fit = sum(area for group, area in known.items() if self._accepts(group, "residential"))
        if fit > USE_TOLERANCE * whole:
            return []
        return [("homes_not_zoned", {"households": homes, **_largest(known, whole)})]

    def _otherwise(self, project: int, stated: str, known: dict[str, float]) -> list[tuple[str, Detail]]:
        """Return whether ground is zoned for none of the planned uses, or too little of it for one of them."""
        whole = self.area_m2[project]
        uses = land_uses(stated)
        groups = {use.group for use in uses}
        other = {group: area for group, area in known.items() if not any(self._accepts(group, use) for use in groups)}
        misfit = sum(other.values())
        if SHARES_STATED in stated:
            free = max(whole - sum(known.values()), 0.0)  # ground of unknown use may be zoned for anything
            room = {
                use: free + sum(area for group, area in known.items() if self._accepts(group, use)) for use in groups
            }
            misfit = max(misfit, sum(max(use.share * whole - room[use.group], 0.0) for use in uses))
        if misfit <= USE_TOLERANCE * whole:
            return []
        detail: Detail = {"planned": clean_code(stated), "hectares": misfit / 1e4, "share": misfit / whole}
        return [("use_not_zoned", detail | {"zoned": _largest(other or known, whole)["zoned"]})]

    def _accepts(self, zone: str, use: str) -> bool:
        """Tell whether land zoned for a group of uses takes another one."""
        return zone == use or use in self.rules.accepts.get(zone, ())

    def bulk(self, project: int) -> list[tuple[str, Detail]] | None:
        """Return whether more floor area is planned than fits; None where the controls are not known well enough."""
        after, before = (floats(self.projects, name)[project] for name in ("floor_area_after_m2", "floor_area_m2"))
        stays = texts(self.projects, "way")[project] in ("keep", "convert") and after <= before
        if np.isnan(after) or after == 0 or stays:
            return []
        pieces, whole = self.pieces[project], self.area_m2[project]
        if sum(piece.area_m2 for piece in pieces) < COVERED_LEAST * whole:
            return None
        ratio = self._allowed(project, far=True)
        form = self._allowed(project, far=False)
        if ratio is None and form is None:
            return None
        relaxation = self.rules.relaxation
        found: list[tuple[str, Detail]] = []
        for code, allowed in (("far_above", ratio), ("form_above", form)):
            if allowed is not None and after > allowed[0] * (1 + CONTROL_TOLERANCE):
                fits = after <= allowed[1] * (1 + CONTROL_TOLERANCE)
                detail: Detail = {"planned_m2": after, "allowed_m2": allowed[0], "relaxed_m2": allowed[1]}
                detail |= {"planned_far": after / whole, "allowed_far": allowed[0] / whole}
                names = {"relaxation": relaxation.zh, "relaxation_en": relaxation.en} if fits else {}
                found.append((code, detail | names))
        return found

    def _allowed(self, project: int, *, far: bool) -> tuple[float, float] | None:
        """Return the floor area that fits on the ground as its controls are stated, and relaxed; None where unknown.

        Ground whose controls are not stated, as long as it is little, counts as the rest does; ground without a parcel
        (lanes, streets) carries nothing.
        """
        pieces = self.pieces[project]
        missing = np.full(len(pieces), np.nan)
        land = np.array([piece.area_m2 for piece in pieces])
        homes = np.array([land_uses(piece.land_use)[0].group == "residential" for piece in pieces], dtype=np.bool_)
        controls = {
            "far": np.array([piece.far for piece in pieces]) if far else missing,
            "density": missing if far else np.array([piece.density for piece in pieces]),
            "height_m": missing if far else np.array([piece.height_m for piece in pieces]),
            "green": missing if far else np.array([piece.green for piece in pieces]),
            "storey_m": np.where(homes, self.rules.home_storey_m, self.rules.storey_m),
        }
        stated = fits_under(land, **controls)["floor_m2"].to_numpy()
        wider = relaxed(land, self.rules.relaxation, **controls)["floor_m2"].to_numpy()
        known = ~np.isnan(stated)
        unknown_m2 = land[~known].sum()
        if not known.any() or unknown_m2 > UNKNOWN_MOST * self.area_m2[project]:
            return None
        more = 1 + unknown_m2 / land[known].sum()
        return float(stated[known].sum() * more), float(wider[known].sum() * more)

    def height(self, project: int) -> list[tuple[str, Detail]]:
        """Return whether the planned height is above every limit of the ground."""
        planned = floats(self.projects, "height_after_m")[project]
        own = [piece for piece in self.pieces[project] if piece.area_m2 > USE_TOLERANCE * self.area_m2[project]]
        limits = [piece.height_m for piece in own]
        if np.isnan(planned) or not limits or np.isnan(limits).any():
            return []
        most = float(max(limits))
        if planned <= most * (1 + CONTROL_TOLERANCE):
            return []
        return [("height_above", {"planned_m": planned, "allowed_m": most})]


def _largest(areas: Mapping[str, float], whole: float) -> Detail:
    """Return the use that takes the most of the ground and its share."""
    group = max(areas, key=lambda name: (areas[name], name))
    return {"zoned": group, "share": areas[group] / whole}
