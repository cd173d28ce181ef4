"""How far everybody walks: demand, facilities and candidates on the network, and the nearest facility of each class."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from ..gis.circles import service_circle
from ..gis.reach import edge_cut, nearest, walking_costs
from ..gis.snap import FAR_FROM_STREET, Positions, Snapped, snap
from ..gis.walls import walled_off
from .facility_counts import counted_now
from .residents import Residents, Walks, no_data
from .sizes import sizes_of
from .streets import walkers_of
from .study import Note

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import geopandas as gpd
    from numpy.typing import NDArray

    from ..gis.network import WalkNetwork
    from ..gis.walkers import Walker
    from .standards import Rule
    from .study import Study

CIRCLE_LIMIT_M: dict[int, float] = {5: 300.0, 10: 500.0, 15: 1000.0}
"""Walking metres of the living circles, GB 50180-2018 2.0.2 to 2.0.5 (the upper end where a range is given)."""


WIDE_LIMIT_M = 3000.0
"""How far the nearest facility is looked for first; who finds none so near is looked after by a search without end."""


@dataclass(frozen=True, slots=True)
class Walk:
    """Who walks where: the network, the walker, and how far a point may be from a street.

    Parameters
    ----------
    network
        The streets, walls taken as the study's policy says.
    walker
        The study's walker.
    snap_limit_m
        Longest straight walk from a point to its street.
    usable
        bool[m], the streets that the walker may use: nobody in a wheelchair comes out onto stairs.
    """

    network: WalkNetwork
    walker: Walker
    snap_limit_m: float
    usable: NDArray[np.bool_]

    def limit(self, rule: Rule) -> float:
        """Return a rule's limit in the walker's unit."""
        return self.walker.limit(rule.walk_m or 0.0, rule.walk_minutes)

    def place(self, points: gpd.GeoSeries, *, arriving: bool = False) -> Snapped:
        """Return where points come to the street; ``arriving`` where people walk to them."""
        return self.place_xy(xy_of(points), arriving=arriving)

    def place_xy(self, xy: NDArray[np.float64], *, arriving: bool = False) -> Snapped:
        """Return where coordinates, float64 [n, 2], come to the street."""
        return snap(self.network, xy, limit_m=self.snap_limit_m, usable=self.usable, arriving=arriving)

    def place_doors(self, doors: NDArray[np.object_], owner: NDArray[np.int64], count: int) -> Snapped:
        """Return where the doors of facilities come to the street, each facility by all of its doors.

        Parameters
        ----------
        doors, owner
            Points, object [k], and the row of the facility that each belongs to, int64 [k].
        count
            Number of facilities.
        """
        xy = shapely.get_coordinates(doors) if len(doors) else np.zeros((0, 2))
        limit_m, usable = self.snap_limit_m, self.usable
        return snap(self.network, xy, owner=owner, count=count, limit_m=limit_m, usable=usable, arriving=True)


def xy_of(points: gpd.GeoSeries) -> NDArray[np.float64]:
    """Return float64 [n, 2], the coordinates of points."""
    xy: NDArray[np.float64] = shapely.get_coordinates(points.to_numpy())
    return xy


def walk_of(study: Study, network: WalkNetwork) -> Walk:
    """Return the walk of a study; its walker is one of those that ship or of its own."""
    walker = walkers_of(study)[study.settings.study.walker]
    return Walk(network, walker, study.settings.study.snap_limit_m, walking_costs(network, walker).usable)


def some(positions: Positions, rows: NDArray[np.bool_]) -> Positions:
    """Return the positions of some objects, renumbered in their order.

    Parameters
    ----------
    positions
        Of ``positions.count`` objects.
    rows
        bool[count], the objects wanted.

    Examples
    --------
    >>> two = Positions(np.array([0, 1]), np.array([4, 5], np.int32), np.array([1.0, 2.0]), np.array([0.0, 0.0]), 2)
    >>> one = some(two, np.array([False, True]))
    >>> one.owner.tolist(), one.edge.tolist(), one.count
    ([0], [5], 1)
    """
    keep = rows[positions.owner]
    number = np.cumsum(rows) - 1
    return Positions(
        owner=number[positions.owner[keep]].astype(np.int64),
        edge=positions.edge[keep],
        offset_m=positions.offset_m[keep],
        access_m=positions.access_m[keep],
        count=int(rows.sum()),
    )


def walks_of(
    walk: Walk,
    residents: Residents,
    demand: Positions,
    rules: Iterable[Rule],
    facilities: tuple[gpd.GeoDataFrame, Positions, frozenset[str]],
) -> dict[str, Walks]:
    """Return for each rule how far everybody's nearest facility is.

    Parameters
    ----------
    walk
        Network and walker.
    residents, demand
        The demand points and where they stand.
    rules
        Rules with a limit.
    facilities
        The frame (``facility_id``, ``name``, ``facility_class``, ``status``), its positions, and the classes that the
        source holds. Only facilities that exist, or count as if they did, are walked to.

    Returns
    -------
    dict
        Facility class → walks.
    """
    frame, positions, with_data = facilities
    exists = counted_now(frame)
    found: dict[str, Walks] = {}
    for rule in rules:
        limit = walk.limit(rule)
        if with_data.isdisjoint(rule.classes):
            found[rule.facility_class] = no_data(residents, limit=limit, unit=walk.walker.unit)
            continue
        rows = exists & frame["facility_class"].isin(rule.classes).to_numpy()
        cost, site = _nearest(walk, some(positions, rows), demand, limit)
        of_class = frame[rows]
        large, sure = _sized(walk, rule, demand, (frame, positions, rows), cost)
        found[rule.facility_class] = Walks(
            has_data=True,
            limit=limit,
            unit=walk.walker.unit,
            cost=cost,
            site=site,
            site_ids=of_class["facility_id"].tolist(),
            site_names=of_class["name"].fillna("").tolist(),
            site_xy=xy_of(of_class.geometry),
            large_cost=large,
            sure_cost=sure,
        )
    return found


def _nearest(
    walk: Walk, sites: Positions, demand: Positions, limit: float
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return each demand point's walk to the nearest site and that site, however far; inf and -1 where no way leads.

    Nearly everybody is served by a search that ends early and so goes over a large city tile by tile. Another one goes
    on to the last street, for those alone whom the first has left.
    """
    wide = max(limit, float(walk.walker.cost(np.array([WIDE_LIMIT_M]))[0]))
    first = nearest(walk.network, sites=sites, demand=demand, limit=wide, walker=walk.walker)
    on_street = np.bincount(demand.owner, minlength=demand.count) > 0
    left = on_street & ~np.isfinite(first.cost)
    if not left.any() or not sites.edge.size:
        return first.cost, first.site
    far = nearest(walk.network, sites=sites, demand=some(demand, left), limit=np.inf, walker=walk.walker)
    cost, site = first.cost.copy(), first.site.copy()
    cost[left], site[left] = far.cost, far.site
    return cost, site


def _sized(
    walk: Walk,
    rule: Rule,
    demand: Positions,
    facilities: tuple[gpd.GeoDataFrame, Positions, NDArray[np.bool_]],
    cost: NDArray[np.float64],
) -> tuple[NDArray[np.float64] | None, NDArray[np.float64] | None]:
    """Return the walks to the nearest facility not known to be too small, and to the nearest known to be large enough.

    What needs no search of its own is not searched for.
    """
    frame, positions, rows = facilities
    sizes = sizes_of(rule, frame)
    if sizes is None:
        return None, None
    searched = {rows.tobytes(): cost}
    costs = []
    for wanted in (rows & ~sizes.small, rows & sizes.sure):
        key = wanted.tobytes()
        if key not in searched and wanted.any():
            sites = some(positions, wanted)
            found = nearest(walk.network, sites=sites, demand=demand, limit=walk.limit(rule), walker=walk.walker)
            searched[key] = found.cost
        costs.append(searched.get(key, np.full(len(cost), np.inf)))
    return costs[0], costs[1]


def with_proposed(walk: Walk, walks: Walks, demand: Positions, sites: Positions) -> Walks:
    """Return the walks of a class with the walk to its proposed sites beside them."""
    search = nearest(walk.network, sites=sites, demand=demand, limit=walks.limit, walker=walk.walker)
    return replace(walks, after_cost=search.cost)


def no_way_notes(residents: Residents, walks: Mapping[str, Walks]) -> tuple[Note, ...]:
    """Say why some have no nearest facility: there is none yet, or no way leads to any; nothing where all have one.

    Parameters
    ----------
    residents
        The demand points; who is off the street network is not among them.
    walks
        Result of `walks_of`; classes without data are not among them either.
    """
    people = np.where(residents.known & residents.lived_in, np.asarray(residents.counts["people"], dtype=np.int64), 0)
    cut = {key: people * ~np.isfinite(found.cost) for key, found in walks.items() if found.has_data}
    to_come = [key for key, lost in cut.items() if lost.any() and not len(walks[key].site_ids)]
    apart = {key: lost for key, lost in cut.items() if lost.any() and key not in to_come}
    notes = [Note("facilities.none_yet", {"labels": ", ".join(to_come)})] if to_come else []
    if apart:
        anybody = int(people[np.any([lost > 0 for lost in apart.values()], axis=0)].sum())
        labels = ", ".join(f"{key} ({lost.sum():,})" for key, lost in apart.items())
        notes.append(Note("streets.no_way", {"people": f"{anybody:,}", "labels": labels}))
    return tuple(notes)


def circle_limits(walk: Walk, rule: Rule) -> dict[int, float]:
    """Return the limits of a class's service circles in the walker's unit, by their minutes; the shortest first.

    The living circles of 5, 10 and 15 minutes, and the rule's own limit where it is none of theirs: 800 m to a metro
    station lie between the 500 m of 10 minutes and the 1,000 m of 15, and count as 13.

    Parameters
    ----------
    walk
        Who walks.
    rule
        The rule of the class.
    """
    limits = {minutes: walk.walker.limit(limit_m, minutes) for minutes, limit_m in CIRCLE_LIMIT_M.items()}
    own = walk.limit(rule)
    if own <= 0.0 or own in limits.values():
        return limits
    # Beyond the last circle its pace goes on.
    known, beyond = [0.0, *limits.values(), 10 * max(limits.values())], [0.0, *limits, 10.0 * max(limits)]
    between = int(np.interp(own, known, beyond))
    limits[between if between not in limits else between + 1] = own
    return dict(sorted(limits.items()))


def circles_of(
    walk: Walk, sites: Positions, barriers: NDArray[np.object_] | None, rule: Rule
) -> list[tuple[int, float, shapely.Geometry]]:
    """Return the service circles of a class: minutes, limit in the walker's unit, polygon.

    They lap over no barrier, and over no walled compound that is not reached.
    """
    limits = circle_limits(walk, rule)
    circles = service_circle(walk.network, sites, limits=list(limits.values()), walker=walk.walker, barriers=barriers)
    doors = walk.network.positions_xy(sites.edge, sites.offset_m)
    shapes = [walled_off(walk.network.walls, circle, doors) for circle in circles]
    return [(minutes, limit, shape) for (minutes, limit), shape in zip(limits.items(), shapes, strict=True)]


def snap_rows(network: WalkNetwork, layer: str, ids: pd.Series, snapped: Snapped) -> pd.DataFrame:
    """Return the audit of snapping: one row a point, with the street it came to and why."""
    classes = np.asarray([*network.classes, None], dtype=object)
    on_edge = snapped.edge >= 0
    kind = np.full(len(snapped.edge), len(classes) - 1)
    kind[on_edge] = network.edge_class[snapped.edge[on_edge]]
    return pd.DataFrame(
        {
            "layer": layer,
            "id": ids.to_numpy(),
            "status": snapped.status.astype(object),
            "access_m": snapped.access_m,
            "highway": classes[kind],
            "component": snapped.component.astype(np.int64),
        }
    )


def edge_cuts(
    walk: Walk, demand: Positions, rules: Iterable[Rule], people: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], tuple[Note, ...]]:
    """Return which demand has the end of the streets data within the longest walk of the rules, and a note of it.

    Parameters
    ----------
    walk, demand
        Who walks, and where they start.
    rules
        Rules with a limit.
    people
        int64 by demand point, for the note.
    """
    limit = max(map(walk.limit, rules), default=0.0)
    cut = edge_cut(walk.network, demand, limit=limit, walker=walk.walker)
    if not people[cut].sum():
        return cut, ()
    far = {"limit": f"{limit:,.0f}"} if walk.walker.unit == "m" else {"minutes": f"{limit / 60:,.0f}"}
    return cut, (Note(f"streets.edge_cut_{walk.walker.unit}", {"people": f"{people[cut].sum():,}", **far}),)


def arrivals_cut(walk: Walk, positions: Positions, classes: pd.Series, rules: Iterable[Rule]) -> NDArray[np.bool_]:
    """Return to which places people may walk from where the streets data end, within their class's limit.

    More people than are known may come to them. False for classes without a limit.

    Parameters
    ----------
    walk, positions
        Who walks, and where the places stand.
    classes
        Facility class of each place.
    rules
        Rules with a limit.
    """
    limits: dict[float, set[str]] = {}
    for rule in rules:
        limits.setdefault(walk.limit(rule), set()).update({rule.facility_class, *rule.classes})
    cut = np.zeros(positions.count, dtype=bool)
    for limit, names in limits.items():
        rows = classes.isin(names).to_numpy()
        if rows.any():
            near = edge_cut(walk.network, some(positions, rows), limit=limit, walker=walk.walker, coming=True)
            cut[rows] |= near
    return cut


def known_walks(snapped: Snapped) -> NDArray[np.bool_]:
    """Return which points came to a street: of the others nothing is known."""
    return np.asarray(snapped.status != FAR_FROM_STREET)


def component_rows(
    network: WalkNetwork, demand: Snapped, people: NDArray[np.int64], facilities: Snapped
) -> pd.DataFrame:
    """Return each connected part of the network with its length, and the people and facilities on it."""
    parts = network.components()
    count = len(parts.length_m)

    def on(snapped: Snapped, weights: NDArray[np.int64]) -> NDArray[np.int64]:
        there = snapped.component >= 0
        return np.bincount(snapped.component[there], weights=weights[there], minlength=count).astype(np.int64)

    return pd.DataFrame(
        {
            "component": np.arange(count),
            "length_m": parts.length_m,
            "people": on(demand, people),
            "facilities": on(facilities, np.ones(len(facilities.status), dtype=np.int64)),
        }
    )


def boundaries(barriers: Mapping[str, gpd.GeoDataFrame], *kinds: str) -> NDArray[np.object_] | None:
    """Return what a service circle must not lap over: the barriers of some kinds, ``None`` where there are none."""
    layer = barriers.get("barriers")
    if layer is None or layer.empty:
        return None
    shapes: NDArray[np.object_] = layer.geometry.to_numpy()[layer["kind"].isin(kinds).to_numpy()]
    return shapes if len(shapes) else None
