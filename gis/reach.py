"""Reach: who walks to which site, how far; exact from position on an edge to position on an edge."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.sparse import csc_matrix

from . import kernels
from .edges import read_only
from .errors import Fault, TooLargeError
from .walkers import WALKERS, Walker, tobler

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

    from .network import WalkNetwork
    from .snap import Positions

STANDARD = WALKERS["standard"]
BYTES_PER_PAIR = 48
"""Memory of one (demand, site) pair while the matrix is being made: both orders at once."""
PROBES = 32
"""Sites tried before a run to estimate its size."""


@dataclass(frozen=True, slots=True, eq=False)
class Costs:
    """What walking a network costs one walker.

    Parameters
    ----------
    ahead, back
        float64[k], from the edge's first node to each vertex, and from each vertex back to the first node.
    edge_ahead, edge_back
        float64[m], whole edges; inf where the walker may not go.
    out, into
        float64[2m] by arc: leaving the arc's node along it, and coming to that node along it.
    wait
        float64[n], on leaving a node.
    """

    ahead: NDArray[np.float64]
    back: NDArray[np.float64]
    edge_ahead: NDArray[np.float64]
    edge_back: NDArray[np.float64]
    out: NDArray[np.float64]
    into: NDArray[np.float64]
    wait: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Nearest:
    """The nearest site of each demand: float64[n] cost (inf: none within the limit) and int64[n] site (-1)."""

    cost: NDArray[np.float64]
    site: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """Which demand reaches which site within a limit.

    Parameters
    ----------
    matrix
        csr_matrix (demand × sites) of costs, rows sorted by site; a stored 0 is a walk of no length.
    limit, unit
        The limit in metres (``m``) or seconds (``s``); ``<=`` is within.
    demand_cut, site_cut
        bool: the walk of that length touches the edge of the data, so more may be within reach than is known.
    """

    matrix: csr_matrix[np.float64]
    limit: float
    unit: Literal["m", "s"]
    demand_cut: NDArray[np.bool_]
    site_cut: NDArray[np.bool_]


def walking_costs(network: WalkNetwork, walker: Walker = STANDARD) -> Costs:
    """Return what walking each edge costs a walker, in each direction.

    Metres for a walker without a speed. Otherwise seconds: metres over speed, over Tobler's factor of the slope
    in the direction walked, over ``steps_factor`` on steps. Edges that a walker cannot use (steps, too steep) cost inf.

    Parameters
    ----------
    network, walker
        Who walks where.
    """
    start, along = network.coord_start, network.coord_along
    first, last = start[:-1], start[1:] - 1
    usable = np.ones(network.edge_length_m.size, dtype=bool)
    if walker.speed_mps is None:
        ahead = back = along
    else:
        run = np.diff(along, prepend=0.0)
        run[first] = 0.0
        slope = np.zeros(run.size)
        if walker.slope and network.coord_height.size:
            rise = np.diff(network.coord_height, prepend=0.0)
            slope[run > 0] = rise[run > 0] / run[run > 0]
        if walker.max_slope is not None:
            steep = np.abs(np.nan_to_num(slope)) > walker.max_slope
            usable &= ~np.logical_or.reduceat(steep, first)
        edge = np.repeat(np.arange(usable.size), np.diff(start))
        speed = walker.speed_mps * np.where(network.edge_steps, walker.steps_factor, 1.0)[edge]
        ahead = kernels.running_sums(run / (speed * tobler(slope)), start)
        back = kernels.running_sums(run / (speed * tobler(-slope)), start)
    if not walker.steps:
        usable &= ~network.edge_steps
    edge_ahead = np.where(usable & network.edge_forward, ahead[last], np.inf)
    edge_back = np.where(usable & network.edge_backward, back[last], np.inf)
    from_first = network.arc_side == 0
    out = np.where(from_first, edge_ahead[network.arc_edge], edge_back[network.arc_edge])
    into = np.where(from_first, edge_back[network.arc_edge], edge_ahead[network.arc_edge])
    seconds = 0.0 if walker.speed_mps is None else walker.signal_seconds
    return Costs(ahead, back, edge_ahead, edge_back, out, into, np.where(network.signal, seconds, 0.0))


@dataclass(frozen=True, slots=True, eq=False)
class _Placed:
    """Positions as the kernels need them: ``where`` as `kernels.place` returns it, walking to the ends or from them."""

    owner: NDArray[np.int64]
    edge: NDArray[np.int32]
    where: NDArray[np.float64]


def _place(
    network: WalkNetwork,
    costs: Costs,
    positions: Positions,
    walker: Walker,
    order: NDArray[np.int64] | None = None,
    *,
    coming: bool,
) -> _Placed:
    """Return positions in an order, with the costs of walking to their edge's ends, or (``coming``) from there."""
    edge = positions.edge.astype(np.int32, copy=False)
    offset = positions.offset_m.astype(np.float64, copy=False)
    if walker.speed_mps is None:
        ahead = back = offset
    else:
        ahead = network.along_edges(edge, offset, network.coord_along, costs.ahead)
        back = network.along_edges(edge, offset, network.coord_along, costs.back)
    access = walker.cost(positions.access_m.astype(np.float64, copy=False))
    rows = np.arange(edge.size) if order is None else order
    arrays = (rows, edge, offset, ahead, back, access, network.edge_length_m, costs.edge_ahead, costs.edge_back)
    where = kernels.place(coming, *(read_only(array) for array in arrays))
    return _Placed(positions.owner[rows].astype(np.int64), edge[rows], where)


def _order(key: NDArray[np.integer], count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the order of rows by a key 0…count-1, and int64[count + 1]: where each key begins in that order."""
    order, start = kernels.order_by(read_only(key.astype(np.int64, copy=False)), count)
    return order, start


def _edge_ways(costs: Costs) -> NDArray[np.int8]:
    """Return int8[m]: 1 where an edge can be walked ahead, plus 2 where back."""
    ahead, back = np.isfinite(costs.edge_ahead), np.isfinite(costs.edge_back)
    return ahead.astype(np.int8) + 2 * back.astype(np.int8)


def _labels(
    network: WalkNetwork, costs: Costs, sites: _Placed, limit: float
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return for every node the cost of walking from it to the nearest site, and that site."""
    node = network.edge_nodes[sites.edge].ravel().astype(np.int32)
    cost = (sites.where[:, 5:6] + sites.where[:, 3:5]).ravel()
    labels: tuple[NDArray[np.float64], NDArray[np.int64]] = kernels.label_nodes(
        network.indptr, network.arc_node, costs.into, costs.wait, node, cost, np.repeat(sites.owner, 2), float(limit)
    )
    return labels


def node_costs(
    network: WalkNetwork, sites: Positions, *, limit: float, walker: Walker = STANDARD
) -> NDArray[np.float64]:
    """Return float64[n], the cost of walking from every node to the nearest site; inf beyond the limit."""
    return labels_of(network, walking_costs(network, walker), sites, limit=limit, walker=walker)


def labels_of(
    network: WalkNetwork, costs: Costs, sites: Positions, *, limit: float, walker: Walker
) -> NDArray[np.float64]:
    """Return `node_costs` from what `walking_costs` said: for many searches by one walker."""
    return _labels(network, costs, _place(network, costs, sites, walker, coming=True), limit)[0]


def nearest(
    network: WalkNetwork, sites: Positions, demand: Positions, *, limit: float, walker: Walker = STANDARD
) -> Nearest:
    """Return the nearest site of each demand and the cost of walking to it, by one search from all sites at once.

    Both straight walks to the street are counted. ``<=`` the limit, unrounded; ties go to the lower site.

    Parameters
    ----------
    network
        The streets.
    sites, demand
        Where they stand.
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
    >>> found = nearest(street, sites, demand, limit=260)
    >>> found.cost.tolist(), found.site.tolist()
    ([260.0, 250.0, inf], [0, 1, -1])
    """
    costs = walking_costs(network, walker)
    order, site_start = _order(sites.edge, network.edge_length_m.size)
    placed = _place(network, costs, sites, walker, order, coming=True)
    label, source = _labels(network, costs, placed, limit)
    asked = _place(network, costs, demand, walker, coming=False)
    cost, site = kernels.nearest_of_labels(
        label,
        source,
        costs.wait,
        network.edge_nodes,
        _edge_ways(costs),
        asked.edge,
        asked.where,
        asked.owner,
        demand.count,
        site_start,
        placed.where,
        placed.owner,
        float(limit),
    )
    return Nearest(cost, site)


def _touches_boundary(
    network: WalkNetwork, costs: Costs, placed: _Placed, count: int, *, limit: float, coming: bool
) -> NDArray[np.bool_]:
    """Return which objects are within the limit of where the data end, walking to it or (``coming``) from it."""
    rim = np.flatnonzero(network.boundary).astype(np.int32)
    flagged = np.zeros(count, dtype=bool)
    if rim.size == 0 or placed.edge.size == 0:
        return flagged
    arcs = costs.out if coming else costs.into
    label, _ = kernels.label_nodes(
        network.indptr,
        network.arc_node,
        arcs,
        costs.wait,
        rim,
        np.zeros(rim.size),
        np.zeros(rim.size, np.int64),
        float(limit),
    )
    cost = (label + costs.wait)[network.edge_nodes[placed.edge]] + placed.where[:, 3:5] + placed.where[:, 5:6]
    flagged[placed.owner[(cost <= limit).any(axis=1)]] = True
    return flagged


def free_memory() -> int | None:
    """Return bytes of memory that are free now, where the system says so."""
    try:
        return int(os.sysconf("SC_AVPHYS_PAGES")) * int(os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, ValueError, OSError):
        return None


def reach(
    network: WalkNetwork,
    demand: Positions,
    sites: Positions,
    *,
    limit: float,
    walker: Walker = STANDARD,
    workers: int | None = None,
) -> Reach:
    """Return which demand reaches which site within a limit, and at what cost.

    One cut-off search a site, against the direction of walking, spread over threads; the result does not depend on
    their number. The costs equal those of `nearest` to the bit.

    Parameters
    ----------
    network
        The streets.
    demand, sites
        Where they stand; people walk from demand to site.
    limit
        In the walker's unit; ``<=`` is within.
    walker
        Who walks.
    workers
        Threads; all processors when not given.

    Raises
    ------
    TooLargeError
        When the answer would not fit into memory, estimated from a sample of sites.
    """
    costs = walking_costs(network, walker)
    by_site, site_start = _order(sites.owner, sites.count)
    placed = _place(network, costs, sites, walker, by_site, coming=True)
    by_edge, demand_start = _order(demand.edge, network.edge_length_m.size)
    asked = _place(network, costs, demand, walker, by_edge, coming=False)
    fixed = (
        network.indptr,
        network.arc_node,
        network.arc_edge,
        network.arc_side,
        costs.into,
        costs.wait,
        network.edge_nodes,
        _edge_ways(costs),
    )

    def block(first: int, last: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        found: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]] = kernels.reach_block(
            *fixed,
            site_start,
            placed.edge,
            placed.where,
            first,
            last,
            demand_start,
            asked.owner,
            asked.where,
            demand.count,
            float(limit),
        )
        return found

    threads = max(1, workers if workers is not None else (os.cpu_count() or 1))
    if sites.count > 4 * PROBES:
        probes = np.linspace(0, sites.count - 1, PROBES).astype(np.int64).tolist()
        pairs = sum(block(site, site + 1)[1].size for site in probes) / PROBES * sites.count
        _check_size(pairs)
    bounds = np.unique(np.linspace(0, sites.count, 4 * threads + 1).astype(np.int64)).tolist()
    with ThreadPoolExecutor(threads) as pool:
        blocks = list(pool.map(block, bounds[:-1], bounds[1:]))
    counts = np.concatenate([part[0] for part in blocks] or [np.zeros(0, np.int64)])
    rows = np.concatenate([part[1] for part in blocks] or [np.zeros(0, np.int64)])
    data = np.concatenate([part[2] for part in blocks] or [np.zeros(0)])
    indptr = np.concatenate([[0], np.cumsum(counts)])
    matrix = csc_matrix((data, rows, indptr), shape=(demand.count, sites.count)).tocsr()
    return Reach(
        matrix,
        float(limit),
        walker.unit,
        _touches_boundary(network, costs, asked, demand.count, limit=limit, coming=False),
        _touches_boundary(network, costs, placed, sites.count, limit=limit, coming=True),
    )


def _check_size(pairs: float) -> None:
    """Refuse an answer that would not fit into the memory that is free."""
    free, needed = free_memory(), pairs * BYTES_PER_PAIR
    if free is not None and needed > free:
        message = (
            f"about {pairs:,.0f} pairs of demand and site need {needed / 1e9:.1f} GB; {free / 1e9:.1f} GB are free"
        )
        fault = Fault(
            "gis.reach_too_large",
            detail={"pairs": f"{pairs:,.0f}", "needed": f"{needed / 1e9:.1f}", "free": f"{free / 1e9:.1f}"},
        )
        raise TooLargeError(message, fault)
