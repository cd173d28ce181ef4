"""The instances of siting.py: made-up squares and cities, real points that are all candidates, OR-Library's graphs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from engine import data
from scipy.sparse import csr_array
from scipy.sparse.csgraph import shortest_path
from scipy.spatial import cKDTree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SEED = 20260101
REACH_M = 1000.0
AT_ONCE = 500
"""Candidates whose pairs are looked for at a time."""
UNIFORM_M, CLUSTERED_M = 47_000.0, 60_000.0
"""Sides of the made-up cities of 10,000 candidates: some 14 and 25 million pairs; smaller ones are as dense."""


@dataclass(frozen=True, slots=True)
class Square:
    """Demand and candidates at random in a square, and what the ratio to the peer must reach."""

    title: str
    demand: int
    candidates: int
    sites: int
    side_m: float
    limit_m: float
    least: float

    def scaled(self, scale: float) -> Square:
        """Return an instance of a share of the size, as dense."""
        demand, candidates = round(self.demand * scale), round(self.candidates * scale)
        sites = max(2, round(self.sites * scale))
        return Square(self.title, demand, candidates, sites, self.side_m * scale**0.5, self.limit_m, self.least)

    def __str__(self) -> str:
        """Say what it is and how large."""
        return f"{self.title} {self.demand:,} × {self.candidates:,}, p = {self.sites}"


SQUARES = {
    "p_median": Square("p-median", 1000, 200, 10, 5000.0, np.inf, 20.0),
    "max_cover": Square("maximal covering", 20_000, 1000, 20, 10_000.0, 1000.0, 30.0),
}


@dataclass(frozen=True, slots=True)
class Points:
    """Real points that are all demand and candidates; ``share`` sets the reach: mean catchment × sites / points."""

    title: str
    points: Callable[[], Floats]
    count: int
    sites: int
    share: float


def write(folder: Path, reach: csr_array, people: NDArray[np.int64], sites: int, **more: object) -> int:
    """Write an instance for the contenders of both sides; return the number of stored pairs."""
    arrays: dict[str, Any] = {"indptr": reach.indptr, "indices": reach.indices, "people": people} | more
    if reach.dtype != np.bool_:
        arrays["walk"] = reach.data
    np.savez(folder / "graph.npz", candidates=reach.shape[1], sites=sites, **arrays)
    return int(reach.nnz)


def square(job: Square) -> tuple[csr_array, NDArray[np.int64]]:
    """Return the walks within the limit and made-up people."""
    random = np.random.default_rng(SEED)
    homes = random.uniform(0.0, job.side_m, (job.demand, 2))
    lots = random.uniform(0.0, job.side_m, (job.candidates, 2))
    walk = np.hypot(homes[:, :1] - lots[:, 0], homes[:, 1:] - lots[:, 1])
    row, column = np.nonzero(walk <= job.limit_m)
    return csr_array((walk[row, column], (row, column)), shape=walk.shape), random.integers(1, 120, job.demand)


def _shanghai() -> Floats:
    """Return the places of medical facilities and schools of Shanghai, in metres."""
    import pandas as pd  # noqa: PLC0415  needed by these jobs only

    files = [data("poi_shanghai", f"shanghai_{kind}.csv") for kind in ("hospital", "school")]
    columns = [pd.read_csv(file)[["lon", "lat"]].apply(pd.to_numeric, errors="coerce").dropna() for file in files]
    lonlat = np.unique(np.concatenate([column.to_numpy() for column in columns]), axis=0)
    return (lonlat - [121.4, 31.2]) * [95_500.0, 111_000.0]


def _wuhan() -> Floats:
    """Return the middles of Wuhan's streets, in whole metres."""
    import geopandas as gpd  # noqa: PLC0415  needed by these jobs only

    middle = gpd.read_parquet(data("networks", "wuhan_8989_simplified.parquet")).geometry.centroid
    return np.unique(np.round(np.column_stack([middle.x, middle.y])), axis=0)


POINTS = {
    "sh2713_50": Points("Shanghai's facilities", _shanghai, 2713, 50, 1.5),
    "sh2713_100": Points("Shanghai's facilities", _shanghai, 2713, 100, 1.5),
    "wu7730_50": Points("Wuhan's streets", _wuhan, 7730, 50, 1.0),
    "wu7730_100": Points("Wuhan's streets", _wuhan, 7730, 100, 1.2),
}


def all_candidates(job: Points, scale: float) -> tuple[csr_array, NDArray[np.int64], int]:
    """Return which points are within a reach of each other, made-up people, and the number of sites."""
    random = np.random.default_rng(1)
    places, count = job.points(), round(job.count * scale)
    places = places[random.choice(len(places), count, replace=False)]
    people = np.maximum(1, np.round(random.lognormal(5.5, 0.9, count))).astype(np.int64)
    sites = max(2, round(job.sites * scale))
    tree, low, high = cKDTree(places), 1.0, 50_000.0
    for _ in range(30):
        middle = (low + high) / 2
        more = tree.query_ball_point(places, middle, return_length=True).mean() * sites > job.share * count
        low, high = (low, middle) if more else (middle, high)
    return pairs(places, places, high), people, sites


def pairs(homes: Floats, lots: Floats, limit_m: float) -> csr_array:
    """Return which homes are within the limit of which lots, as the crow flies."""
    tree = cKDTree(homes)
    rows, columns = [], []
    for first in range(0, len(lots), AT_ONCE):
        near = cKDTree(lots[first : first + AT_ONCE]).sparse_distance_matrix(tree, limit_m, output_type="ndarray")
        rows.append(near["j"].astype(np.int32))
        columns.append((near["i"] + first).astype(np.int32))
    row, column = np.concatenate(rows), np.concatenate(columns)
    return csr_array((np.ones(len(row), dtype=np.bool_), (row, column)), shape=(len(homes), len(lots)))


def city(demand: int, kind: str) -> tuple[csr_array, NDArray[np.int64], int]:
    """Return the reach of a made-up city with a candidate for a hundred demand points, its people, and p."""
    random = np.random.default_rng(1)
    candidates = demand // 100
    grown = np.sqrt(candidates / 10_000)
    if kind == "uniform":
        homes, lots = (random.uniform(0.0, UNIFORM_M * grown, (count, 2)) for count in (demand, candidates))
        people = random.integers(1, 60, demand)
    else:
        towns = max(20, candidates // 40)
        centre, size = random.uniform(0.0, CLUSTERED_M * grown, (towns, 2)), random.pareto(1.5, towns) + 0.3
        width = 700.0 + 1500.0 * np.sqrt(size / size.max())
        homes, lots = (
            centre[town] + random.normal(0.0, 1.0, (len(town), 2)) * width[town, None]
            for town in (random.choice(towns, count, p=size / size.sum()) for count in (demand, candidates))
        )
        people = np.maximum(1, np.round(random.lognormal(3.0, 0.8, demand))).astype(np.int64)
    return pairs(homes, lots, REACH_M), people, max(2, candidates // 100)


def or_library(number: int) -> tuple[csr_array, int]:
    """Return the walks between all nodes of an OR-Library graph, and how many sites it asks for."""
    path = data("locopt", f"pmed{number}.txt")
    nodes, edges, sites, *rest = map(int, path.read_text(encoding="ascii").split())
    graph = np.zeros((nodes, nodes))
    for a, b, length in np.array(rest).reshape(edges, 3):  # in turn: the last of repeated edges counts
        graph[a - 1, b - 1] = graph[b - 1, a - 1] = length
    walks = shortest_path(csr_array(graph), directed=False)
    row, column = np.nonzero(np.isfinite(walks))
    return csr_array((walks[row, column], (row, column)), shape=walks.shape), sites


def published(model: str) -> dict[int, int]:
    """Return the published optima of OR-Library's graphs for ``p_median`` or ``p_centre``."""
    name = {"p_median": "pmedopt_pmedian.txt", "p_centre": "pmedopt_pcenter.txt"}[model]
    lines = [line.split() for line in data("locopt", name).read_text(encoding="ascii").splitlines()]
    found = (line for line in lines if len(line) == 2 and line[0].startswith("pmed"))
    return {int(name.removeprefix("pmed")): int(value) for name, value in found}
