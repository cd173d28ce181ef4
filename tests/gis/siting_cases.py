"""Small instances of siting, drawn and made up, and what exhaustive search needs: shared by the tests of all models."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

import networkx as nx
import numpy as np
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import shortest_path

from lifecircle.gis.siting_check import Fixed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path


def sparse(cost: np.ndarray) -> csr_array:
    """Return a dense matrix of walks as a reach; infinite is out of reach."""
    row, column = np.nonzero(np.isfinite(cost))
    return csr_array((cost[row, column], (row, column)), shape=cost.shape)


def whole_numbers(draw: st.DrawFn, count: int, most: int) -> np.ndarray:
    """Draw whole numbers from 0 to the most."""
    return np.array(draw(st.lists(st.integers(0, most), min_size=count, max_size=count)), dtype=np.int64)


@dataclass(frozen=True)
class Walks:
    """A small instance of walks, dense: infinite where out of reach."""

    cost: np.ndarray
    weight: np.ndarray
    tie: np.ndarray
    fixed: Fixed
    sites: int

    @property
    def reach(self) -> csr_array:
        return sparse(self.cost)

    def walks(self, chosen: Sequence[int]) -> np.ndarray:
        """Return the walk of each row to the nearest of the chosen and existing columns."""
        return self.cost[:, [*self.fixed.existing, *chosen]].min(axis=1, initial=np.inf)

    def free(self, chosen: Sequence[int] = ()) -> list[int]:
        """Return the columns that could still be chosen."""
        shut = {*self.fixed.existing, *self.fixed.barred, *chosen}
        return [column for column in range(self.cost.shape[1]) if column not in shut]

    def choices(self) -> list[tuple[int, ...]]:
        """Return every choice of as many sites as asked for."""
        return [one for one in combinations(self.free(), self.sites) if set(self.fixed.must) <= set(one)]


@st.composite
def walks(draw: st.DrawFn, *, rows: int = 8, columns: int = 7, near: int = 3, fixed: bool = True) -> Walks:
    """Draw a small instance of walks; ``near`` of them are within reach for each one that is not."""
    n, m = draw(st.integers(1, rows)), draw(st.integers(1, columns))
    entry = st.one_of(*[st.integers(0, 9).map(float)] * near, st.just(np.inf))
    cost = np.array(draw(st.lists(entry, min_size=n * m, max_size=n * m))).reshape(n, m)
    weight, tie = whole_numbers(draw, n, 5), whole_numbers(draw, n, 3)
    weight[draw(st.integers(0, n - 1))] += 1
    letters = "fffemb" if fixed else "f"
    kinds = ["f", *draw(st.lists(st.sampled_from(letters), min_size=m - 1, max_size=m - 1))]
    named = [[place for place, kind in enumerate(kinds) if kind == letter] for letter in "emb"]
    sites = draw(st.integers(max(1, len(named[1])), sum(kind in "fm" for kind in kinds)))
    return Walks(cost, weight, tie, Fixed(*named), sites)


def shuffled(random: object, count: int) -> list[int]:
    """Return the numbers from 0 in the order of a random generator of hypothesis."""
    order = list(range(count))
    random.shuffle(order)  # type: ignore[attr-defined]
    return order


@dataclass(frozen=True)
class Covering:
    """A small covering problem, dense; the second weight is of the same people, so no more than the first."""

    matrix: np.ndarray
    weight: np.ndarray
    tie: np.ndarray
    covered: np.ndarray

    @property
    def reach(self) -> csr_array:
        return csr_array(self.matrix)

    @property
    def columns(self) -> int:
        return int(self.matrix.shape[1])

    def hit(self, chosen: Sequence[int] | np.ndarray) -> np.ndarray:
        """Return the rows newly covered by the chosen."""
        return self.matrix[:, list(chosen)].any(axis=1) & ~self.covered

    def covers(self, chosen: Sequence[int] | np.ndarray) -> int:
        """Return the weight newly covered by the chosen."""
        return int(self.weight[self.hit(chosen)].sum())

    def both(self, chosen: Sequence[int] | np.ndarray) -> tuple[int, int]:
        """Return both weights newly covered by the chosen."""
        return self.covers(chosen), int(self.tie[self.hit(chosen)].sum())

    def mixed(self, rows: list[int], columns: list[int]) -> Covering:
        """Return the problem with its rows and columns in another order."""
        return Covering(self.matrix[np.ix_(rows, columns)], self.weight[rows], self.tie[rows], self.covered[rows])


@st.composite
def coverings(draw: st.DrawFn, *, rows: int = 8, columns: int = 7) -> Covering:
    """Draw a small covering problem."""
    n, m = draw(st.integers(1, rows)), draw(st.integers(1, columns))
    matrix = np.array(draw(st.lists(st.booleans(), min_size=n * m, max_size=n * m))).reshape(n, m)
    weight = whole_numbers(draw, n, 9)
    weight[draw(st.integers(0, n - 1))] += 1
    covered = np.array(draw(st.lists(st.sampled_from([False, False, True]), min_size=n, max_size=n)))
    return Covering(matrix, weight, np.minimum(whole_numbers(draw, n, 9), weight), covered)


def subsets(columns: Sequence[int], most: int | None = None) -> Iterator[tuple[int, ...]]:
    """Yield every choice of the columns, of the given size at most."""
    for size in range((len(columns) if most is None else min(most, len(columns))) + 1):
        yield from combinations(columns, size)


def most_placed(matrix: np.ndarray, weight: np.ndarray, places: Mapping[int, int]) -> int:
    """Return how many people can have a place, by a flow of networkx."""
    graph = nx.DiGraph()
    graph.add_nodes_from(["begin", "end"])
    for row, people in enumerate(weight.tolist()):
        graph.add_edge("begin", ("row", row), capacity=people)
        for column in places:
            if matrix[row, column]:
                graph.add_edge(("row", row), ("site", column))
    for column, room in places.items():
        graph.add_edge(("site", column), "end", capacity=room)
    return int(nx.maximum_flow_value(graph, "begin", "end"))


def town(demand: int, sites: int, *, seed: int, limit: float = np.inf) -> tuple[csr_array, np.ndarray]:
    """Return a reach of straight walks in a square of 3 km, and weights."""
    random = np.random.default_rng(seed)
    people, lots = random.uniform(0, 3000, (demand, 2)), random.uniform(0, 3000, (sites, 2))
    cost = np.hypot(*(people[:, None] - lots[None]).transpose(2, 0, 1))
    return sparse(np.where(cost <= limit, cost, np.inf)), random.integers(1, 120, demand)


def read_graph(path: Path) -> tuple[csr_array, int]:
    """Return the walks between all nodes of an instance of OR-Library, and how many sites it asks for."""
    nodes, edges, sites, *rest = map(int, path.read_text(encoding="ascii").split())
    graph = np.zeros((nodes, nodes))
    for a, b, length in np.array(rest).reshape(edges, 3):
        graph[a - 1, b - 1] = graph[b - 1, a - 1] = length
    return sparse(shortest_path(csr_array(graph), directed=False)), sites


def published(path: Path) -> dict[str, int]:
    """Return the published values of the instances by name."""
    words = path.read_text(encoding="ascii").split()
    pairs = [pair for pair in pairwise(words) if pair[0].startswith("pmed") and pair[1].isdigit()]
    return {name: int(value) for name, value in pairs}
