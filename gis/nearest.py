"""The nearest of many sites, by one search from all of them at once, kept up to date when sites come or go."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from . import kernels, kernels_update
from .costs import STANDARD, Costs, Placed, order_by, place, walking_costs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .network import WalkNetwork
    from .snap import Positions
    from .walkers import Walker

ROWS_A_THREAD = 20_000
"""So many positions at least are worth a thread of their own."""
TILE_LIMITS = 12
LEAST_TILE_M = 10_000.0
"""Tiles of a search are this many limits wide, and no less than this many metres."""


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """What a search leaves behind, so that it can go on from there.

    ``label`` and ``source`` are float64[n] and int64[n]: the cost of walking from every node to its nearest site, and
    that site. A node's seeds are the costs of walking from it to the sites on its own edges.
    """

    network: WalkNetwork
    walker: Walker
    costs: Costs
    limit: float
    sites: Positions
    asked: Placed
    label: NDArray[np.float64]
    source: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Nearest:
    """The nearest site of each demand.

    Parameters
    ----------
    cost
        float64[n], inf where none is within the limit.
    site
        int64[n], -1 where none is.
    """

    cost: NDArray[np.float64]
    site: NDArray[np.int64]
    _search: _Search = field(repr=False)

    def with_sites_added(self, sites: Positions) -> Nearest:
        """Return the nearest sites with more to choose from, their numbers following on; only what changes is searched.

        Equal to the bit to a fresh search from all of them.

        Examples
        --------
        >>> import shapely
        >>> from pyproj import CRS
        >>> from lifecircle.gis.network import network_from_lines
        >>> from lifecircle.gis.snap import snap
        >>> lines = [shapely.LineString([(0, 0), (900, 0)])]
        >>> street = network_from_lines(lines, crs=CRS("EPSG:4547"), highway=["footway"])
        >>> places = [snap(street, np.array([[x, 0.0]])).positions for x in (100.0, 600.0, 500.0)]
        >>> one = nearest(street, sites=places[0], demand=places[2], limit=500)
        >>> two = one.with_sites_added(places[1])
        >>> one.cost.tolist(), two.cost.tolist(), two.site.tolist()
        ([400.0], [100.0], [1])
        >>> two.with_sites_removed(np.array([1])).cost.tolist()
        [400.0]
        """
        before = self._search
        label, source = before.label.copy(), before.source.copy()
        after = replace(before, sites=before.sites.plus(sites), label=label, source=source)
        node, cost, owner = _seeds(before.network, before.costs, sites, before.walker)
        seeds = node, cost, owner + before.sites.count
        arcs = before.network.indptr, before.network.arc_node, before.costs.into, before.costs.wait
        changed, old_label, old_source = kernels_update.spread(*arcs, *seeds, before.limit, label, source)
        lost = kernels_update.unsupported(*arcs, changed, old_label, old_source, label, source)
        return self._updated(after, np.concatenate([changed, _mend(after, lost)]), sites.edge)

    def with_sites_removed(self, rows: NDArray[np.int64]) -> Nearest:
        """Return the nearest sites without some; the others keep their numbers. Only what changes is searched.

        Equal to the bit to a fresh search from the others.

        Parameters
        ----------
        rows
            int64, numbers of the sites that go.
        """
        before = self._search
        gone = np.zeros(before.sites.count, dtype=bool)
        gone[np.asarray(rows, dtype=np.int64)] = True
        found = before.source >= 0
        lost = np.flatnonzero(found & gone[np.where(found, before.source, 0)]) if gone.size else np.zeros(0, np.int64)
        after = replace(
            before, sites=before.sites.without(gone), label=before.label.copy(), source=before.source.copy()
        )
        return self._updated(after, _mend(after, lost.astype(np.int32)), before.sites.edge[gone[before.sites.owner]])

    def _updated(self, search: _Search, changed: NDArray[np.int32], edges: NDArray[np.int32]) -> Nearest:
        """Return the answers of a search of which some nodes' labels, and the sites on some edges, are other ones."""
        node = np.zeros(search.label.size, dtype=bool)
        node[changed] = True
        ends = search.network.edge_nodes
        touched = node[ends[:, 0]] | node[ends[:, 1]]
        touched[edges] = True
        owner = np.zeros(self.cost.size, dtype=bool)
        owner[search.asked.owner[touched[search.asked.edge]]] = True
        rows = owner[search.asked.owner]
        cost, site = _answers(search, search.asked.some(rows), self.cost.size)
        return Nearest(np.where(owner, cost, self.cost), np.where(owner, site, self.site), search)

    def edge_cut(self) -> NDArray[np.bool_]:
        """Return which demand may have a nearer site where the data end: that is nearer than the one found."""
        search = self._search
        rim = to_the_rim(search.network, search.costs, search.asked, self.cost.size, limit=search.limit, coming=False)
        return rim < self.cost


def _seeds(
    network: WalkNetwork, costs: Costs, sites: Positions, walker: Walker
) -> tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.int64]]:
    """Return what sites offer the ends of their edges: node, cost, site."""
    placed = place(network, costs, sites, walker, coming=True)
    node = network.edge_nodes[placed.edge].ravel().astype(np.int32)
    where = placed.where(network, costs)
    cost = (where[:, 5:6] + where[:, 3:5]).ravel()
    return node, cost, np.repeat(placed.owner, 2)


def _mend(search: _Search, lost: NDArray[np.int32]) -> NDArray[np.int32]:
    """Find the labels of some nodes anew, in place; return them and what else changed."""
    if lost.size == 0:
        return lost
    network, costs = search.network, search.costs
    search.label[lost], search.source[lost] = np.inf, -1
    near = kernels_update.offers(
        network.indptr, network.arc_node, costs.out, costs.wait, lost, search.label, search.source
    )
    node, cost, owner = _seeds(network, costs, search.sites, search.walker)
    empty = np.zeros(search.label.size, dtype=bool)
    empty[lost] = True
    own = empty[node]
    changed, _, _ = kernels_update.spread(
        network.indptr,
        network.arc_node,
        costs.into,
        costs.wait,
        np.concatenate([near[0], node[own]]),
        np.concatenate([near[1], cost[own]]),
        np.concatenate([near[2], owner[own]]),
        search.limit,
        search.label,
        search.source,
    )
    return np.concatenate([lost, changed])


def labels_of(
    network: WalkNetwork, costs: Costs, sites: Positions, *, limit: float, walker: Walker
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return float64[n] and int64[n], the cost of walking from every node to the nearest site, and that site.

    ``costs`` is what `walking_costs` says; inf and -1 beyond the limit.
    """
    node, cost, owner = _seeds(network, costs, sites, walker)
    limit_m = limit if walker.speed_mps is None else limit * walker.speed_mps
    order, group_start = _in_tiles(network.node_xy[node], limit_m)
    labels: tuple[NDArray[np.float64], NDArray[np.int64]] = kernels.label_nodes(
        network.indptr,
        network.arc_node,
        costs.into,
        costs.wait,
        node[order],
        cost[order],
        owner[order],
        group_start,
        float(limit),
    )
    return labels


def _in_tiles(xy: NDArray[np.float64], limit_m: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the order of places by square tiles, and where each tile begins in it; one tile where they are few.

    A search that goes over a large city tile by tile stays within the processor's own memory. Tiles are many times as
    wide as the limit, so that little is searched twice.
    """
    order = np.arange(xy.shape[0])
    if order.size and np.isfinite(limit_m):
        tile = np.floor((xy - xy.min(axis=0)) / max(TILE_LIMITS * limit_m, LEAST_TILE_M)).astype(np.int64)
        key = tile[:, 0] * (tile[:, 1].max() + 1) + tile[:, 1]
        order = np.argsort(key, kind="stable")
        return order, np.concatenate([[0], np.flatnonzero(np.diff(key[order])) + 1, [order.size]])
    return order, np.array([0, order.size])


def node_costs(
    network: WalkNetwork, sites: Positions, *, limit: float, walker: Walker = STANDARD
) -> NDArray[np.float64]:
    """Return float64[n], the cost of walking from every node to the nearest site; inf beyond the limit."""
    return labels_of(network, walking_costs(network, walker), sites, limit=limit, walker=walker)[0]


def _answers(search: _Search, asked: Placed, count: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return cost and site of each of ``count`` objects that stand at the positions asked for."""
    network, costs = search.network, search.costs
    order, site_start = order_by(search.sites.edge, network.edge_length_m.size)
    sites = place(network, costs, search.sites, search.walker, order, coming=True)
    return _least(
        network,
        costs,
        (search.label, search.source),
        asked,
        count,
        (site_start, sites.where(network, costs), sites.owner),
        search.limit,
    )


@cache
def _threads() -> ThreadPoolExecutor:
    """Return threads that are kept: to begin one takes as long as thousands of answers."""
    if hasattr(os, "register_at_fork"):  # a forked process has none of them
        os.register_at_fork(after_in_child=_threads.cache_clear)
    return ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="nearest")


def _least(
    network: WalkNetwork,
    costs: Costs,
    labels: tuple[NDArray[np.float64], NDArray[np.int64]],
    asked: Placed,
    count: int,
    sites: tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]],
    limit: float,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return each object's least cost and its site, from the labels of nodes and the sites on the same edge.

    ``sites`` are where those of each edge begin, what `Placed.where` says of them, and their numbers. Objects are
    looked at by several threads, each of which has objects of its own.
    """
    best, chosen = np.full(count, np.inf), np.full(count, -1, dtype=np.int64)
    leaving = labels[0] + costs.wait
    has_site = (sites[0][1:] > sites[0][:-1]).view(np.int8)

    def rows(begin: int, end: int) -> None:
        kernels.nearest_of_labels(
            asked.coming,
            leaving,
            labels[1],
            network.edge_nodes,
            costs.edge_ahead,
            costs.edge_back,
            network.edge_length_m,
            asked.owner,
            asked.edge,
            asked.offset,
            asked.ahead,
            asked.back,
            asked.access,
            begin,
            end,
            has_site,
            *sites,
            limit,
            best,
            chosen,
        )

    size = asked.owner.size
    parts = min(os.cpu_count() or 1, size // ROWS_A_THREAD)
    if parts < 2 or (asked.owner[1:] < asked.owner[:-1]).any():
        rows(0, size)
        return best, chosen
    cuts = np.searchsorted(asked.owner, asked.owner[np.arange(1, parts) * (size // parts)]).tolist()
    rest = [_threads().submit(rows, begin, end) for begin, end in zip(cuts, [*cuts[1:], size], strict=True)]
    rows(0, cuts[0])
    for part in rest:
        part.result()
    return best, chosen


def nearest(
    network: WalkNetwork, *, sites: Positions, demand: Positions, limit: float, walker: Walker = STANDARD
) -> Nearest:
    """Return the nearest site of each demand and the cost of walking to it, by one search from all sites at once.

    Both straight walks to the street are counted. ``<=`` the limit, unrounded; ties go to the lower site.

    Parameters
    ----------
    network
        The streets.
    sites, demand
        Where they stand; people walk from demand to site.
    limit
        In the walker's unit.
    walker
        Who walks.

    Examples
    --------
    >>> import shapely
    >>> from pyproj import CRS
    >>> from lifecircle.gis.network import network_from_lines
    >>> from lifecircle.gis.snap import snap
    >>> street = network_from_lines([shapely.LineString([(0, 0), (900, 0)])], crs=CRS("EPSG:4547"), highway=["footway"])
    >>> sites = snap(street, np.array([[100.0, 0.0], [600.0, 0.0]])).positions
    >>> demand = snap(street, np.array([[350.0, 10.0], [850.0, 0.0], [899.0, 0.0]])).positions
    >>> found = nearest(street, sites=sites, demand=demand, limit=260)
    >>> found.cost.tolist(), found.site.tolist()
    ([260.0, 250.0, inf], [0, 1, -1])
    """
    costs = walking_costs(network, walker)
    label, source = labels_of(network, costs, sites, limit=limit, walker=walker)
    asked = place(network, costs, demand, walker, coming=False)
    search = _Search(network, walker, costs, float(limit), sites, asked, label, source)
    return Nearest(*_answers(search, asked, demand.count), search)


def to_the_rim(
    network: WalkNetwork, costs: Costs, placed: Placed, count: int, *, limit: float, coming: bool
) -> NDArray[np.float64]:
    """Return float64[count], the cost of walking to where the data end or (``coming``) from there; inf beyond."""
    rim = np.flatnonzero(network.boundary).astype(np.int32)
    if rim.size == 0 or placed.edge.size == 0:
        return np.full(count, np.inf)
    label, source = kernels.label_nodes(
        network.indptr,
        network.arc_node,
        costs.out if coming else costs.into,
        costs.wait,
        rim,
        np.zeros(rim.size),
        np.zeros(rim.size, np.int64),
        np.array([0, rim.size]),
        float(limit),
    )
    # As to sites at nodes: none stand on the edges.
    none = np.zeros(network.edge_length_m.size + 1, np.int64), np.zeros((0, 6)), np.zeros(0, np.int64)
    return _least(network, costs, (label, source), placed, count, none, float(limit))[0]


def edge_cut(
    network: WalkNetwork, positions: Positions, *, limit: float, walker: Walker = STANDARD, coming: bool = False
) -> NDArray[np.bool_]:
    """Return which objects are within a walk of where the data end, so that more may be near than is known.

    Parameters
    ----------
    network, positions
        The streets, and where the objects stand on them.
    limit
        In the walker's unit.
    walker
        Who walks.
    coming
        The walk is from there to the objects, not from them.

    Examples
    --------
    >>> import shapely
    >>> from pyproj import CRS
    >>> from lifecircle.gis.network import network_from_lines
    >>> from lifecircle.gis.snap import snap
    >>> street = network_from_lines([shapely.LineString([(0, 0), (900, 0)])], crs=CRS("EPSG:4547"), highway=["footway"])
    >>> edge_cut(street, snap(street, np.array([[100.0, 0.0], [500.0, 0.0]])).positions, limit=300).tolist()
    [True, False]
    """
    costs = walking_costs(network, walker)
    placed = place(network, costs, positions, walker, coming=coming)
    return np.isfinite(to_the_rim(network, costs, placed, positions.count, limit=limit, coming=coming))
