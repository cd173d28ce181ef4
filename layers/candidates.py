"""Candidates: land and buildings that may carry a facility, each refusal with its reason; else points along streets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from ..gis.snap import FAR_FROM_STREET, snap
from .columns import floats
from .compatibility import load_compatibility
from .findings import LAYERS
from .study import Note

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from ..gis.network import WalkNetwork
    from .standards import Rule, Standard
    from .study import Study

    Floats: TypeAlias = NDArray[np.float64]
    Ints: TypeAlias = NDArray[np.int64]
    Bools: TypeAlias = NDArray[np.bool_]

FAR_UNKNOWN = 1.0
"""Floor-area ratio where no parcel says it: low, so that no site is promised too much."""
BUILDING_KINDS = ("public_building", "vacant_building")
"""Kinds that are a building: their floor area counts, not the land."""
VACATED_KINDS = ("vacated_factory", "vacant_building")
"""Kinds whose old use is gone: they may be reused."""
STREET_POINT = "street_point"
PROBES = 4
"""Places tried along a street for each spacing."""

REASONS: tuple[str, ...] = (
    "outside_area",
    "on_hold",
    "tenure",
    "land_use",
    "size_unknown",
    "too_small_building",
    "too_small_land",
    "no_street",
)
"""Why a candidate is refused for a class, as ``reason`` lists them; texts are ``values.reason_<name>``."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Places that were tried for facility classes.

    Parameters
    ----------
    frame
        A row for each place and class: the columns of ``LAYERS["candidates"]``, ``zoning`` (a verdict of
        `lifecircle.layers.compatibility.Verdict`) and the geometry. ``reason`` holds the names of `REASONS` that speak
        against it, joined by ";", None where it fits.
    notes
        What was assumed.
    """

    frame: gpd.GeoDataFrame
    notes: tuple[Note, ...]

    def fitting(self, facility_class: str) -> gpd.GeoDataFrame:
        """Return the places that fit a class, in the order of the layer, index 0…n-1."""
        rows = (self.frame["facility_class"] == facility_class) & self.frame["fits"].astype(bool)
        return self.frame[rows].reset_index(drop=True)


@dataclass(frozen=True, slots=True)
class _Places:
    """The places as arrays, one row each; whatever does not depend on the class is judged here.

    ``buildable_m2`` is the floor area a new building could have.
    """

    table: gpd.GeoDataFrame
    land_use: NDArray[np.object_]
    land_m2: Floats
    floor_m2: Floats
    buildable_m2: Floats
    building: Bools
    vacated: Bools
    street: Bools
    against: dict[str, Bools]


def candidates_of(
    study: Study, standard: Standard, network: WalkNetwork, *, classes: Iterable[str] | None = None
) -> Candidates:
    """Try every idle plot and building of a study for every facility class that new sites are looked for.

    Where the study has no land layer, and for a class that none of its land fits, points along the streets stand in,
    and a note says so.

    Parameters
    ----------
    study
        Its layer ``land`` holds the places; ``parcels``, where given, the land use and the floor-area ratio.
    standard
        Its rules say how large a facility must be.
    network
        The streets: a place too far from all of them cannot be reached.
    classes
        Facility classes to try: those of ``[[siting.wish]]``, else those the standard marks ``sited``, when not given.

    Returns
    -------
    Candidates

    Raises
    ------
    KeyError
        For a class that the standard does not have.
    """
    rules = [standard.rule(name) for name in classes_sited(study, standard)] if classes is None else []
    rules += [standard.rule(name) for name in classes or ()]
    notes: list[Note] = []
    land = study.layers.get("land")
    frames = []
    without = [rule.facility_class for rule in rules]
    if land is not None and len(land) and rules:
        tried = _tried(_places(study, land, network, notes), rules)
        frames.append(tried)
        fitting = set(tried.loc[tried["fits"], "facility_class"])
        without = [name for name in without if name not in fitting]
    if without:
        points = street_points(study, network)
        code = "gaps.note_streets_for" if frames else "gaps.note_streets"
        spacing = study.settings.siting.street_spacing_m
        detail = {"spacing_m": spacing, "count": len(points), "classes": ";".join(without)}
        notes.append(Note(code, detail))
        frames.append(_tried(_places(study, points, network, []), [standard.rule(name) for name in without]))
    columns = [*LAYERS["candidates"], "zoning"]
    whole = (
        pd.concat(frames, ignore_index=True) if frames else pd.DataFrame({name: [] for name in [*columns, "geometry"]})
    )
    frame = gpd.GeoDataFrame(whole.reindex(columns=[*columns, "geometry"]), geometry="geometry", crs=study.crs)
    return Candidates(frame, tuple(notes))


def classes_sited(study: Study, standard: Standard) -> tuple[str, ...]:
    """Return the facility classes that new sites are looked for: those wished for, else those the standard marks."""
    wished = tuple(dict.fromkeys(wish.facility_class for wish in study.settings.siting.wish))
    return wished or tuple(rule.facility_class for rule in standard.rules if rule.sited)


def street_points(study: Study, network: WalkNetwork) -> gpd.GeoDataFrame:
    """Return points along the streets of the study area, no two nearer to each other than the settings' spacing.

    Streets inside sealed compounds, stairs and streets that the main network does not reach carry none. Edges are
    taken in their order, so the same network gives the same points.
    """
    spacing_m = study.settings.siting.street_spacing_m
    xy = _along(network, spacing_m / PROBES)
    xy = xy[_inside(study, xy)]
    kept = xy[_spread(xy, spacing_m)]
    count = len(kept)
    table = {
        "site_id": [f"S{number:05d}" for number in range(1, count + 1)],
        "name": pd.Series([None] * count, dtype=object),
        "kind": STREET_POINT,
    }
    return gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(kept[:, 0], kept[:, 1]), crs=network.crs)


def _along(network: WalkNetwork, step_m: float) -> Floats:
    """Return points on the streets that may carry a facility, evenly along each edge, its middle where it is short."""
    main = network.component[network.edge_nodes[:, 0]] == 0
    edges = np.flatnonzero(main & (network.edge_zone < 0) & ~network.edge_steps & ~network.edge_private)
    lines = np.asarray(shapely.linestrings(network.coords, indices=_owner(network)), dtype=object)[edges]
    parts = np.maximum(np.floor(network.edge_length_m[edges] / step_m), 1).astype(np.int64)
    line = np.repeat(np.arange(len(edges)), parts)
    position = np.arange(len(line)) - np.repeat(np.cumsum(parts) - parts, parts)
    share = (position + 0.5) / parts[line]
    points = shapely.line_interpolate_point(lines[line], share, normalized=True)
    return np.asarray(shapely.get_coordinates(points), dtype=np.float64)


def _owner(network: WalkNetwork) -> Ints:
    """Return the edge of each vertex."""
    return np.repeat(np.arange(len(network.edge_length_m)), np.diff(network.coord_start))


def _spread(xy: Floats, spacing_m: float) -> Ints:
    """Return rows such that kept points are at least a spacing apart and each other point has a kept one nearer."""
    if not len(xy):
        return np.zeros(0, dtype=np.int64)
    tree = cKDTree(xy)
    free = np.ones(len(xy), dtype=np.bool_)
    kept = []
    for row in range(len(xy)):
        if free[row]:
            kept.append(row)
            free[tree.query_ball_point(xy[row], np.nextafter(spacing_m, 0))] = False
    return np.array(kept, dtype=np.int64)


def _places(study: Study, land: gpd.GeoDataFrame, network: WalkNetwork, notes: list[Note]) -> _Places:
    """Return the places with what is known of them, judged for what holds whatever the class."""
    table = land.reset_index(drop=True)
    points = shapely.point_on_surface(table.geometry.to_numpy())
    kind = _column(table, "kind")
    outline_m2 = shapely.area(table.geometry.to_numpy())
    outline_m2 = np.where(outline_m2 > 0, outline_m2, np.nan)
    land_m2 = np.where(np.isnan(floats(table, "area_m2")), outline_m2, floats(table, "area_m2"))
    building = np.isin(kind, BUILDING_KINDS)
    floor_m2 = floats(table, "floor_area_m2")
    floor_m2 = np.where(building & np.isnan(floor_m2), outline_m2, floor_m2)  # one storey at least
    parcel_use, far = _parcels(study, points)
    own_use = _column(table, "land_use")
    street = kind == STREET_POINT
    assumed = int((np.isnan(far) & ~building & ~street & np.isnan(floor_m2)).sum())
    if assumed:
        notes.append(Note("gaps.note_far_unknown", {"count": assumed, "far": FAR_UNKNOWN}))
    return _Places(
        table=table,
        land_use=np.where(pd.isna(own_use), parcel_use, own_use),
        land_m2=land_m2,
        floor_m2=floor_m2,
        buildable_m2=land_m2 * np.where(np.isnan(far), FAR_UNKNOWN, far),
        building=building,
        vacated=np.isin(kind, VACATED_KINDS),
        street=street,
        against=_against(study, table, points, network),
    )


def _against(
    study: Study, table: gpd.GeoDataFrame, points: NDArray[np.object_], network: WalkNetwork
) -> dict[str, Bools]:
    """Return what speaks against a place whatever the class."""
    xy = shapely.get_coordinates(points)
    snapped = snap(network, xy, limit_m=study.settings.study.snap_limit_m)
    on_hold = pd.Series(_column(table, "on_hold")).astype("boolean").fillna(value=False)
    return {
        "outside_area": ~_inside(study, xy),
        "on_hold": on_hold.to_numpy(dtype=np.bool_),
        "tenure": np.isin(_column(table, "tenure"), list(load_compatibility().refused_tenures)),
        "no_street": np.asarray(snapped.status == FAR_FROM_STREET, dtype=np.bool_),
    }


def _parcels(study: Study, points: NDArray[np.object_]) -> tuple[NDArray[np.object_], Floats]:
    """Return land use and floor-area ratio of the parcel each point lies in, None and NaN where none does."""
    use = np.full(len(points), None, dtype=object)
    far = np.full(len(points), np.nan)
    parcels = study.layers.get("parcels")
    if parcels is None or parcels.empty:
        return use, far
    point, parcel = parcels.sindex.query(points, predicate="within")
    order = np.lexsort((-parcel, point))  # the last written is the first parcel
    use[point[order]] = _column(parcels, "land_use")[parcel[order]]
    far[point[order]] = floats(parcels, "far")[parcel[order]]
    return use, far


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


def _tried(places: _Places, rules: Sequence[Rule]) -> gpd.GeoDataFrame:
    """Return a row for each place and rule, place by place."""
    frames = []
    for position, rule in enumerate(rules):
        zoning, against = _judged(places, rule)
        listed = [";".join(name for name in REASONS if against[name][row]) for row in range(len(places.table))]
        frame = gpd.GeoDataFrame(
            {
                "site_id": _column(places.table, "site_id"),
                "name": told_apart(_column(places.table, "name")),
                "kind": _column(places.table, "kind"),
                "area_m2": places.land_m2,
                "floor_area_m2": places.floor_m2,
                "tenure": _column(places.table, "tenure"),
                "land_use": places.land_use,
                "facility_class": rule.facility_class,
                "fits": [not reasons for reasons in listed],
                "reason": pd.Series([reasons or None for reasons in listed], dtype=object),
                "zoning": zoning,
                "_place": range(len(listed)),
                "_rule": position,
            },
            geometry=places.table.geometry.to_numpy(),
            crs=places.table.crs,
        )
        frames.append(frame)
    whole = pd.concat(frames, ignore_index=True).sort_values(["_place", "_rule"], kind="stable", ignore_index=True)
    return gpd.GeoDataFrame(whole.drop(columns=["_place", "_rule"]), crs=places.table.crs)


def _judged(places: _Places, rule: Rule) -> tuple[NDArray[np.object_], dict[str, Bools]]:
    """Return the zoning verdict of each place for a class, and all that speaks against it."""
    table = load_compatibility()
    pairs = zip(places.land_use, places.vacated, strict=True)
    zoning = np.array(
        [table.verdict(use, rule.facility_class, vacated=bool(gone)) for use, gone in pairs], dtype=object
    )
    none = np.zeros(len(zoning), dtype=np.bool_)
    against = {**dict.fromkeys(REASONS, none), **places.against, "land_use": zoning == "forbidden"}
    if rule.building_m2_least is not None:
        shared = (zoning == "share") & ~places.building  # a new building mostly serves the use of its land
        built = places.buildable_m2 * np.where(shared, table.share_most, 1.0)
        floor = np.where(np.isnan(places.floor_m2), built, places.floor_m2)
        against["size_unknown"] = np.isnan(floor) & ~places.street
        against["too_small_building"] = floor < rule.building_m2_least
    if rule.land_m2_least is not None and (rule.land != "shared" or rule.building_m2_least is None):
        housed = places.building & (rule.land != "own_required") & (rule.building_m2_least is not None)
        needed = ~housed & ~places.street
        against["size_unknown"] = against["size_unknown"] | (needed & np.isnan(places.land_m2))
        against["too_small_land"] = needed & (places.land_m2 < rule.land_m2_least)
    return zoning, against


def _inside(study: Study, xy: Floats) -> Bools:
    """Tell which positions lie in the study area."""
    area = study.area.geometry.union_all()
    shapely.prepare(area)
    return np.asarray(shapely.contains_xy(area, xy), dtype=np.bool_)


def _column(table: pd.DataFrame, name: str) -> NDArray[np.object_]:
    """Return a column as objects, None where it is missing or empty."""
    if name not in table.columns:
        return np.full(len(table), None, dtype=object)
    values: NDArray[np.object_] = table[name].astype(object).to_numpy(dtype=object, copy=True)
    values[pd.isna(values)] = None
    return values
