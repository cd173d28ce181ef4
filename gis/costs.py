"""What walking costs a walker: every edge both ways, and positions on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from . import kernels
from .edges import read_only
from .walkers import WALKERS, Walker, tobler

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .network import WalkNetwork
    from .snap import Positions

STANDARD = WALKERS["standard"]

_KEPT: WeakKeyDictionary[WalkNetwork, dict[Walker, Costs]] = WeakKeyDictionary()
"""The costs already computed: a study asks for those of one walker dozens of times."""


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

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Return bool[m], the edges that the walker may use at all."""
        return np.isfinite(self.edge_ahead) | np.isfinite(self.edge_back)


def walking_costs(network: WalkNetwork, walker: Walker = STANDARD) -> Costs:
    """Return what walking each edge costs a walker, in each direction.

    Metres for a walker without a speed. Otherwise seconds: metres over speed, over Tobler's factor of the slope
    in the direction walked, over ``steps_factor`` on steps; a lift takes ``lift_seconds``, whether it is drawn as a
    point or as a way. Edges that a walker cannot use (steps, too steep) cost inf.

    Parameters
    ----------
    network, walker
        Who walks where. What was computed for a network is kept as long as the network.
    """
    kept = _KEPT.setdefault(network, {})
    if walker not in kept:
        kept[walker] = _walking_costs(network, walker)
    return kept[walker]


def _walking_costs(network: WalkNetwork, walker: Walker) -> Costs:
    """Return what walking each edge costs a walker, computed."""
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
        ride = _rides(network, run, edge) * walker.lift_seconds
        ahead = kernels.running_sums(run / (speed * tobler(slope)) + ride, start)
        back = kernels.running_sums(run / (speed * tobler(-slope)) + ride, start)
    if not walker.steps:
        usable &= ~network.edge_steps
    edge_ahead = np.where(usable & network.edge_forward, ahead[last], np.inf)
    edge_back = np.where(usable & network.edge_backward, back[last], np.inf)
    from_first = network.arc_side == 0
    out = np.where(from_first, edge_ahead[network.arc_edge], edge_back[network.arc_edge])
    into = np.where(from_first, edge_back[network.arc_edge], edge_ahead[network.arc_edge])
    wait = np.zeros(network.node_xy.shape[0])
    if walker.speed_mps is not None:
        wait = walker.signal_seconds * network.signal + walker.lift_seconds * network.lift
    return Costs(*(read_only(values) for values in (ahead, back, edge_ahead, edge_back, out, into, wait)))


def _rides(network: WalkNetwork, run: NDArray[np.float64], edge: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return float64[k], the share of its lift that each step along an edge is; 0 where the edge is no lift."""
    if "elevator" not in network.classes:
        return np.zeros(run.size)
    length, last = network.edge_length_m[edge], network.coord_start[1:] - 1
    share = run / np.where(length > 0, length, 1.0)
    share[last] = np.where(network.edge_length_m > 0, share[last], 1.0)
    return np.where(network.edge_class[edge] == network.classes.index("elevator"), share, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """Positions with what walking along their edge costs: from its first node (``ahead``) and back to it.

    People walk from there to the edge's ends, or, ``coming``, from the ends to there.
    """

    owner: NDArray[np.int64]
    edge: NDArray[np.int32]
    offset: NDArray[np.float64]
    ahead: NDArray[np.float64]
    back: NDArray[np.float64]
    access: NDArray[np.float64]
    coming: bool

    def some(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Placed:
        """Return the positions wanted, in their order."""
        return Placed(
            read_only(self.owner[rows]),
            read_only(self.edge[rows]),
            read_only(self.offset[rows]),
            read_only(self.ahead[rows]),
            read_only(self.back[rows]),
            read_only(self.access[rows]),
            coming=self.coming,
        )

    def where(self, network: WalkNetwork, costs: Costs) -> NDArray[np.float64]:
        """Return float64[k, 6]: offset, cost ahead, cost back, costs at the edge's two ends, access."""
        own = (self.edge, self.offset, self.ahead, self.back, self.access)
        edges = (read_only(network.edge_length_m), costs.edge_ahead, costs.edge_back)
        found: NDArray[np.float64] = kernels.place(self.coming, *own, *edges)
        return found


def place(
    network: WalkNetwork,
    costs: Costs,
    positions: Positions,
    walker: Walker,
    order: NDArray[np.int64] | None = None,
    *,
    coming: bool,
) -> Placed:
    """Return positions, in an order if one is given, with the costs of walking along their edges."""
    edge = positions.edge.astype(np.int32, copy=False)
    offset = positions.offset_m.astype(np.float64, copy=False)
    if walker.speed_mps is None:
        ahead = back = offset
    else:
        ahead = network.along_edges(edge, offset, network.coord_along, costs.ahead)
        back = network.along_edges(edge, offset, network.coord_along, costs.back)
    access = walker.cost(positions.access_m.astype(np.float64, copy=False))
    owner = positions.owner.astype(np.int64, copy=False)
    placed = Placed(
        read_only(owner),
        read_only(edge),
        read_only(offset),
        read_only(ahead),
        read_only(back),
        read_only(access),
        coming=coming,
    )
    return placed if order is None else placed.some(order)


def order_by(key: NDArray[np.integer], count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the order of rows by a key 0…count-1, and int64[count + 1]: where each key begins in that order."""
    order, start = kernels.order_by(read_only(key.astype(np.int64, copy=False)), count)
    return order, start


def neighbours_first(positions: Positions, edges: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the objects in the order of their edges, and the place of each object in it.

    Searches from neighbours one after another go over the same streets, which the processor then still holds.

    Parameters
    ----------
    positions
        Where the objects stand.
    edges
        Number of edges of the network.
    """
    edge = np.zeros(positions.count, dtype=np.int64)
    edge[positions.owner] = positions.edge
    turn, _ = order_by(edge, edges)
    place_of = np.empty(turn.size, dtype=np.int64)
    place_of[turn] = np.arange(turn.size)
    return turn, place_of


def edge_ways(costs: Costs) -> NDArray[np.int8]:
    """Return int8[m]: 1 where an edge can be walked ahead, plus 2 where back."""
    ahead, back = np.isfinite(costs.edge_ahead), np.isfinite(costs.edge_back)
    return ahead.astype(np.int8) + 2 * back.astype(np.int8)
