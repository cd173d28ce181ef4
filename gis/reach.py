"""Reach: who walks to which site, how far; exact from position on an edge to position on an edge."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.sparse import csc_matrix

from . import kernels
from .costs import STANDARD, Costs, edge_ways, neighbours_first, order_by, place, walking_costs
from .errors import Fault, TooLargeError
from .nearest import Nearest, edge_cut, nearest, node_costs, to_the_rim

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

    from .network import WalkNetwork
    from .snap import Positions
    from .walkers import Walker

__all__ = ["Costs", "Nearest", "Reach", "edge_cut", "nearest", "node_costs", "reach", "walking_costs"]

BYTES_PER_PAIR = 48
"""Memory of one (demand, site) pair while the matrix is being made: both orders at once."""
PROBES = 32
"""Sites tried before a run to estimate its size."""


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


def free_memory() -> int | None:
    """Return bytes of memory that are free now, where the system says so."""
    try:
        return int(os.sysconf("SC_AVPHYS_PAGES")) * int(os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, ValueError, OSError):
        return None


def reach(
    network: WalkNetwork,
    *,
    demand: Positions,
    sites: Positions,
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
    turn, place_of = neighbours_first(sites, network.edge_length_m.size)
    by_site, site_start = order_by(place_of[sites.owner], sites.count)
    placed = place(network, costs, sites, walker, by_site, coming=True)
    by_edge, demand_start = order_by(demand.edge, network.edge_length_m.size)
    asked = place(network, costs, demand, walker, by_edge, coming=False)
    placed_where, asked_where = placed.where(network, costs), asked.where(network, costs)
    fixed = (
        network.indptr,
        network.arc_node,
        network.arc_edge,
        network.arc_side,
        costs.into,
        costs.wait,
        network.edge_nodes,
        edge_ways(costs),
    )

    def block(first: int, last: int) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]:
        found: tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]] = kernels.reach_block(
            *fixed,
            site_start,
            placed.edge,
            placed_where,
            first,
            last,
            demand_start,
            asked.owner,
            asked_where,
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
    matrix = _matrix(blocks, turn, demand.count)
    return Reach(
        matrix,
        float(limit),
        walker.unit,
        np.isfinite(to_the_rim(network, costs, asked, demand.count, limit=limit, coming=False)),
        np.isfinite(to_the_rim(network, costs, placed, sites.count, limit=limit, coming=True)),
    )


def _matrix(
    blocks: list[tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]], turn: NDArray[np.int64], rows: int
) -> csr_matrix[np.float64]:
    """Return the costs as a matrix; blocks hold its columns (how many entries, rows, costs) in the order ``turn``."""
    counts = np.zeros(turn.size, dtype=np.int64)
    bounds = np.concatenate([[0], np.cumsum([block[0].size for block in blocks])]).astype(np.int64)
    for block, first, last in zip(blocks, bounds[:-1], bounds[1:], strict=True):
        counts[turn[first:last]] = block[0]
    start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    row, cost = np.empty(int(start[-1]), np.int32), np.empty(int(start[-1]))
    for block, first, last in zip(blocks, bounds[:-1], bounds[1:], strict=True):
        kernels.put_columns(turn[first:last], *block, start, row, cost)
    return csc_matrix((cost, row, start), shape=(rows, turn.size)).tocsr()


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
