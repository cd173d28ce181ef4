"""Growth: time and memory of each job on made-up cities of more and more nodes, each in a process of its own."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from race import Result, race

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SPACING_M = 90.0
JITTER_M = 25.0
MISSING = 0.1
WAY_NODES = 20
WEST, SOUTH, DEGREES_PER_M = 114.0, 30.0, 9e-6
JOBS = {
    "grown_lines": "lines to network, joined where they meet",
    "extract_pbf": "PBF to network",
    "nearest": "nearest of a site for 200 nodes, all nodes",
    "catchments": "a catchment of 1,000 m for 40 nodes",
    "grown_polygons": "a fifteen-minute polygon for 100 nodes",
    "grown_class": "the ground within 1,000 m of a site for 200 nodes",
}


def made_up_city(nodes: int, seed: int) -> dict[str, Any]:
    """Return a crooked grid of streets with a tenth missing, and sites and sources in proportion to its size."""
    side = math.isqrt(nodes)
    random = np.random.default_rng(seed)
    column, row = np.meshgrid(np.arange(side), np.arange(side))
    xy = np.column_stack([column.ravel(), row.ravel()]) * SPACING_M + random.uniform(-JITTER_M, JITTER_M, (side**2, 2))
    number = np.arange(side**2).reshape(side, side)
    a = np.concatenate([number[:, :-1].ravel(), number[:-1].T.ravel()])
    b = np.concatenate([number[:, 1:].ravel(), number[1:].T.ravel()])
    kept = random.random(a.size) >= MISSING
    a, b = a[kept], b[kept]
    pick = {name: random.choice(side**2, side**2 // share, replace=False) for name, share in SHARES.items()}
    limits = {"limit": np.array(1000.0)}
    return {"xy": xy, "a": a, "b": b, "length": np.hypot(*(xy[a] - xy[b]).T)} | pick | limits


SHARES = {"sites": 200, "sources": 40, "places": 100}


def write_extract(graph: dict[str, Any], path: Path) -> None:
    """Write the streets as an OSM extract: ways of up to twenty nodes."""
    import osmium  # noqa: PLC0415  needed here only
    from osmium.osm import mutable  # noqa: PLC0415

    lonlat = (np.array([WEST, SOUTH]) + graph["xy"] * DEGREES_PER_M).tolist()
    a, b = graph["a"], graph["b"]
    breaks = np.flatnonzero((a[1:] != b[:-1]) | (np.arange(1, a.size) % WAY_NODES == 0)) + 1
    with osmium.SimpleWriter(str(path), overwrite=True) as writer:
        for node, place in enumerate(lonlat):
            writer.add_node(mutable.Node(id=node + 1, location=tuple(place), tags={}))
        for way, edges in enumerate(np.split(np.arange(a.size), breaks)):
            nodes = [int(a[edges[0]]) + 1, *(b[edges] + 1).tolist()]
            writer.add_way(mutable.Way(id=way + 1, nodes=nodes, tags={"highway": "residential"}))


def _measure(nodes: int, runs: int, seed: int) -> dict[str, Result]:
    """Return what each job took on a city of a size; one process after another, so that each has its own memory."""
    found = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        graph = made_up_city(nodes, seed)
        write_extract(graph, folder / "city.osm.pbf")
        graph |= {"pbf": np.array(str(folder / "city.osm.pbf")), "epsg": np.array(4547)}
        np.savez(folder / "graph.npz", **graph)
        for job in JOBS:
            found[job] = race(folder, [f"ours.{job}"], runs=runs)[f"ours.{job}"]
            print(f"{nodes:,} nodes, {job}: {found[job].median:.2f} s, {found[job].peak_mb:,.0f} MB", flush=True)
    return found


def growth(
    sizes: Sequence[int], runs: int, seed: int, said: Callable[[float], str]
) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return the head and the lines of the table of growth."""
    measured = [_measure(nodes, runs, seed) for nodes in sizes]
    lines = []
    for job, words in JOBS.items():
        results = [found[job] for found in measured]
        cells = [result.failed or f"{said(result.median)}, {result.peak_mb:,.0f} MB" for result in results]
        exponents = [
            math.log(getattr(results[-1], what) / getattr(results[0], what)) / math.log(sizes[-1] / sizes[0])
            if results[-1].seconds and results[0].seconds and len(sizes) > 1
            else math.nan
            for what in ("median", "peak_mb")
        ]
        met = "yes" if max(exponents) <= 1.1 and results[-1].peak_mb <= 1500 else "**no**"
        lines.append((words, *cells, *(f"n^{exponent:.2f}" for exponent in exponents), met))
    sized = tuple(f"{nodes:,} nodes" for nodes in sizes)
    return ("job, in proportion to the city", *sized, "time", "memory", "≤ n^1.1 and ≤ 1.5 GB"), lines
