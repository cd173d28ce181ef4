"""Distances that a site must keep: from school gates, fast roads, heavy industry; straight or along the streets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd
import shapely

from ..gis.crs import to_crs
from ..gis.nearest import nearest
from ..gis.snap import snap
from .columns import texts
from .osmfile import Wanted, osm_layers
from .streets import street_class
from .zoning import land_uses

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from ..gis.network import WalkNetwork
    from ..gis.snap import Positions
    from .facilities import FoundFacilities
    from .site_rules import DistanceRule
    from .study import Study

    Floats: TypeAlias = NDArray[np.float64]
    Geometries: TypeAlias = NDArray[np.object_]

OSM_DATUM = "EPSG:4326"


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """What sites must keep away from is looked for here.

    Parameters
    ----------
    study
        Its parcels and streets.
    network
        For walks to a door.
    facilities
        Classed facilities with their doors; ``None`` where nobody looked.
    """

    study: Study
    network: WalkNetwork
    facilities: FoundFacilities | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Things:
    """What a rule keeps away from: shapes (doors, grounds, centre lines) and what each is called."""

    shapes: Geometries
    names: NDArray[np.object_]


@dataclass(frozen=True, slots=True, eq=False)
class Distances:
    """How near places come to the things of a rule.

    Parameters
    ----------
    metres
        float64 [n]; infinite where nothing is nearer than the rule asks, NaN where the place has no walk to any street.
    nearest
        object [n], the name of the nearest thing; None where none is near or it has no name.
    """

    metres: Floats
    nearest: NDArray[np.object_]


def things_of(rule: DistanceRule, around: Surroundings) -> Things | None:
    """Return what a rule keeps away from; ``None`` where the study holds no data of that kind, so nobody knows.

    Facilities that are closed do not count, those under construction or planned do. Of parcels the present use counts,
    the planned one where none is stated. Streets in tunnels do not count.
    """
    if rule.of == "facility":
        return _facilities(rule.what, around.facilities)
    if rule.of == "use":
        return _parcels(rule.what, around.study)
    return _streets(rule.what, around.study)


def distances_to(
    rule: DistanceRule,
    things: Things,
    places: Geometries,
    *,
    network: WalkNetwork | None = None,
    positions: Positions | None = None,
) -> Distances:
    """Return how near each place comes to the things of a rule, up to the rule's distance.

    Parameters
    ----------
    rule
        Its ``how`` says what is measured.
    things
        As `things_of` returns them.
    places
        object [n], outlines or points.
    network, positions
        Of the places, for rules along the streets.

    Examples
    --------
    >>> from lifecircle.layers.site_rules import default_rules
    >>> rule = default_rules().distance["market_school_gate"]
    >>> gate = Things(np.array([shapely.Point(0, 0)]), np.array(["school"], dtype=object))
    >>> found = distances_to(rule, gate, np.array([shapely.box(12, 0, 30, 9), shapely.Point(25, 0)]))
    >>> found.metres.tolist(), found.nearest.tolist()
    ([12.0, inf], ['school', None])
    """
    metres = np.full(len(places), np.inf)
    which = np.full(len(places), -1, dtype=np.int64)
    if not len(things.shapes) or not len(places):
        pass
    elif rule.how == "network" and network is not None and positions is not None:
        doors = snap(network, shapely.get_coordinates(shapely.centroid(things.shapes)), arriving=True)
        walk = nearest(network, sites=doors.positions, demand=positions, limit=rule.metres)
        metres, which = walk.cost.copy(), walk.site.copy()
        nowhere = np.setdiff1d(np.arange(len(places)), positions.owner)
        metres[nowhere] = np.nan
    else:
        tree = shapely.STRtree(things.shapes)
        found, apart = tree.query_nearest(places, max_distance=rule.metres, return_distance=True)
        order = np.lexsort((-found[1], found[0]))  # the last written is the lowest of equals
        metres[found[0][order]] = apart[order]
        which[found[0][order]] = found[1][order]
    near = np.full(len(places), None, dtype=object)
    near[which >= 0] = things.names[which[which >= 0]]
    return Distances(metres, near)


def _facilities(classes: Iterable[str], found: FoundFacilities | None) -> Things | None:
    """Return the doors of facilities of some classes; ``None`` where the study has none of any of them."""
    if found is None:
        return None
    frame = found.frame
    wanted = np.isin(np.array(texts(frame, "facility_class"), dtype=object), list(classes))
    if not wanted.any():
        return None
    wanted &= np.array(texts(frame, "status"), dtype=object) != "closed"
    names = np.array([name or None for name in texts(frame, "name")], dtype=object)
    if len(found.doors):
        own = wanted[found.door_owner]
        return Things(np.asarray(found.doors, dtype=object)[own], names[found.door_owner[own]])
    return Things(frame.geometry.to_numpy()[wanted], names[wanted])


def _parcels(codes: Iterable[str], study: Study) -> Things | None:
    """Return the parcels of some uses, present where stated, else planned."""
    parcels = study.layers.get("parcels")
    if parcels is None or parcels.empty:
        return None
    beginnings = tuple(codes)
    now, planned = texts(parcels, "land_use_now"), texts(parcels, "land_use")
    values = [present or later for present, later in zip(now, planned, strict=True)]
    hit = {value: any(use.code.startswith(beginnings) for use in land_uses(value)) for value in set(values) if value}
    rows = np.array([hit.get(value, False) for value in values], dtype=np.bool_)
    names = np.array(values, dtype=object)
    return Things(parcels.geometry.to_numpy()[rows], names[rows])


def _streets(classes: Iterable[str], study: Study) -> Things | None:
    """Return streets of some classes on the ground, of the line layer or of the OSM extracts."""
    wanted = tuple(classes)
    layer = study.layers.get("streets")
    if layer is not None:
        column = layer["highway"] if "highway" in layer.columns else pd.Series([None] * len(layer), dtype=object)
        rows = np.array([street_class(value) in wanted for value in column], dtype=np.bool_)
        if "tunnel" in layer.columns:
            rows &= ~layer["tunnel"].astype("boolean").fillna(value=False).to_numpy(dtype=np.bool_)
        return Things(layer.geometry.to_numpy()[rows], _named(texts(layer, "name"), rows))
    if not study.osm:
        return None
    shapes, names = [], []
    for path in study.osm:
        ask = Wanted((f"highway={'|'.join(wanted)}",), ("LineString",), ("highway", "name", "tunnel"))
        frame = osm_layers(path, [ask])[0]
        above = np.array([text in ("", "no") for text in texts(frame, "tunnel")], dtype=np.bool_)
        lines = frame.geometry.to_numpy()[above]
        shapes.append(np.asarray(to_crs(lines, OSM_DATUM, study.crs), dtype=object).reshape(-1))
        names.append(_named(texts(frame, "name"), above))
    return Things(np.concatenate(shapes), np.concatenate(names))


def _named(names: list[str], rows: NDArray[np.bool_]) -> NDArray[np.object_]:
    """Return some of the names, None for empty ones."""
    return np.array([name or None for name in names], dtype=object)[rows]
