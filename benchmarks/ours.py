"""The walking engine's side of each race, run by `engine.py`."""

from __future__ import annotations

import os
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyproj
import shapely
from scipy.sparse import csr_array, csr_matrix
from worker import serve, wkb

from lifecircle.gis.catchment import gaussian, luo_qi, three_step, two_step
from lifecircle.gis.circles import service_circle, site_circles
from lifecircle.gis.median_search import Effort
from lifecircle.gis.network import WalkNetwork, network_from_lines, network_from_osm
from lifecircle.gis.osm import OsmWays
from lifecircle.gis.pcentre import p_centre
from lifecircle.gis.pmedian import p_median
from lifecircle.gis.reach import nearest, node_costs, reach
from lifecircle.gis.siting import CoverModel, max_cover
from lifecircle.gis.snap import Positions
from lifecircle.gis.walkers import WALKERS
from lifecircle.layers.streets import network_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from worker import Contender, Prepared

    from lifecircle.gis.siting import Siting
    from lifecircle.layers.study import Study

METRES = pyproj.CRS("EPSG:4547")
ADULT = WALKERS["adult"]


def load(folder: Path) -> dict[str, Any]:
    """Return the arrays of the graph that all contenders of a job share."""
    with np.load(folder / "graph.npz") as arrays:
        return dict(arrays)


def streets(graph: dict[str, Any]) -> WalkNetwork:
    """Return the walk network of a graph of straight edges, joined by its node numbers."""
    node = np.column_stack([graph["a"], graph["b"]]).ravel().astype(np.int64)
    count = graph["a"].size
    start = 2 * np.arange(count + 1, dtype=np.int64)
    ways = OsmWays(
        np.arange(count, dtype=np.int64), start, node, graph["xy"][node], [{"highway": "residential"}] * count, {}
    )
    return network_from_osm(ways, crs=METRES)


def at_nodes(network: WalkNetwork, xy: NDArray[np.float64]) -> Positions:
    """Return the positions of places that are vertices of the network."""
    places, first = np.unique(network.coords[:, 0] + 1j * network.coords[:, 1], return_index=True)
    vertex = first[np.searchsorted(places, xy[:, 0] + 1j * xy[:, 1])]
    edge = np.searchsorted(network.coord_start, vertex, side="right") - 1
    count = xy.shape[0]
    return Positions(np.arange(count), edge.astype(np.int32), network.coord_along[vertex], np.zeros(count), count)


def build(folder: Path) -> Prepared:
    """Make the network from the graph's arrays: what pandana's build is compared with, for information."""
    graph = load(folder)
    return partial(streets, graph), lambda _: {}


def nearest_site(folder: Path) -> Prepared:
    """Find the nearest site of every node of the graph, with its number."""
    graph = load(folder)
    network = streets(graph)
    sites, everyone = at_nodes(network, graph["xy"][graph["sites"]]), at_nodes(network, graph["xy"])
    run = partial(nearest, network, sites=sites, demand=everyone, limit=float(graph["limit"]))
    return run, lambda found: {"cost": found.cost, "site": found.site}


def nearest_bare(folder: Path) -> Prepared:
    """Find the cost to the nearest site at the nodes of the contracted network only."""
    graph = load(folder)
    network = streets(graph)
    sites = at_nodes(network, graph["xy"][graph["sites"]])
    return partial(node_costs, network, sites, limit=float(graph["limit"])), lambda cost: {"cost": cost}


def catchments(folder: Path, workers: int | None = None) -> Prepared:
    """Find the nodes within the limit of each source, with the costs."""
    graph = load(folder)
    network = streets(graph)
    sources, everyone = at_nodes(network, graph["xy"][graph["sources"]]), at_nodes(network, graph["xy"])
    run = partial(reach, network, demand=everyone, sites=sources, limit=float(graph["limit"]), workers=workers)

    def arrays(found: Any) -> dict[str, Any]:  # noqa: ANN401  a Reach
        pairs = found.matrix.tocsc()
        source = np.repeat(np.arange(sources.count), np.diff(pairs.indptr))
        return {"source": source, "node": pairs.indices, "cost": pairs.data}

    return run, arrays


def read_extract(path: Path, epsg: int) -> WalkNetwork:
    """Return the walk network of an extract as a study gets it: read, projected, judged, walled, joined, contracted."""
    study = SimpleNamespace(
        rasters={},
        osm=(path,),
        crs=pyproj.CRS.from_epsg(epsg),
        layers={},
        settings=SimpleNamespace(study=SimpleNamespace(gates="open")),
    )
    return network_of(cast("Study", study)).network


def extract(folder: Path, kind: str) -> Prepared:
    """Make the network of an XML or PBF extract."""
    graph = load(folder)
    path, epsg = Path(str(graph[kind])), int(graph["epsg"])
    return partial(read_extract, path, epsg), lambda network: {"nodes": np.array(network.node_xy.shape[0])}


def polygons(folder: Path, workers: int | None = None) -> Prepared:
    """Draw the ground within fifteen minutes of each place."""
    graph = load(folder)
    network = read_extract(Path(str(graph["extract"])), int(graph["epsg"]))
    sites = at_nodes(network, graph["places"])
    limits = [float(graph["seconds"])]
    run = partial(site_circles, network, sites, limits=limits, walker=ADULT, workers=workers)
    return run, lambda found: {"wkb": wkb(np.array([shapes[0] for shapes in found], dtype=object))}


def grown_lines(folder: Path) -> Prepared:
    """Make the network of a made-up city from a layer of lines, joined where they meet."""
    graph = load(folder)
    ends = np.stack([graph["xy"][graph["a"]], graph["xy"][graph["b"]]], axis=1)
    lines = shapely.linestrings(ends)
    classes = ["residential"] * lines.size
    return partial(network_from_lines, lines, crs=METRES, highway=classes), lambda _: {}


def grown_polygons(folder: Path) -> Prepared:
    """Draw the ground within fifteen minutes of each place of a made-up city."""
    graph = load(folder)
    network = streets(graph)
    sites = at_nodes(network, graph["xy"][graph["places"]])
    return partial(site_circles, network, sites, limits=[900.0], walker=ADULT), lambda _: {}


def grown_class(folder: Path) -> Prepared:
    """Draw the ground within the limit of any site of a made-up city, dissolved."""
    graph = load(folder)
    network = streets(graph)
    sites = at_nodes(network, graph["xy"][graph["sites"]])
    return partial(service_circle, network, sites, limits=[float(graph["limit"])]), lambda _: {}


def access(folder: Path, *, method: str) -> Prepared:
    """Share the supply of sites among the demand within the limit of them."""
    pairs = load(folder)
    shape = (pairs["people"].size, pairs["supply"].size)
    matrix = csr_matrix((pairs["cost"], (pairs["origin"], pairs["dest"])), shape=shape)
    reached = SimpleNamespace(matrix=matrix)
    width, limit = float(pairs["width"]), float(pairs["limit"])
    methods = {
        "2sfca": partial(two_step, reached, pairs["supply"], pairs["people"]),
        "e2sfca": partial(two_step, reached, pairs["supply"], pairs["people"], decay=gaussian(width)),
        "e2sfca_steps": partial(two_step, reached, pairs["supply"], pairs["people"], decay=luo_qi(limit)),
        "3sfca": partial(three_step, reached, pairs["supply"], pairs["people"], decay=gaussian(width)),
    }
    return methods[method], lambda found: {"access": found}


def siting_case(folder: Path) -> tuple[csr_array, dict[str, Any]]:
    """Return the sparse reach of a siting job, and its arrays."""
    data = load(folder)
    shape = (data["people"].size, int(data["candidates"]))
    values = data["walk"] if "walk" in data else np.ones(data["indices"].size, dtype=np.bool_)
    return csr_array((values, data["indices"], data["indptr"]), shape=shape), data


def siting(folder: Path, *, model: str) -> Prepared:
    """Choose sites: from the sparse walks to the proven answer."""
    walks, data = siting_case(folder)
    models: dict[str, Callable[..., Any]] = {"p_median": p_median, "p_centre": p_centre, "max_cover": max_cover}
    run = partial(models[model], walks, data["people"], sites=int(data["sites"]))
    return run, lambda found: {"value": found.objective, "proven": found.status == "optimal", "sites": found.chosen}


def _compiled() -> None:
    """Have the kernels of maximal covering ready, by a small problem that is not quite easy."""
    places = np.random.default_rng(0).uniform(0.0, 1.0, (300, 2))
    near = np.hypot(*(places[:, None] - places).transpose(2, 0, 1)) < 0.1
    model = CoverModel(csr_array(near), np.arange(1, 301))
    chosen = model.solve(sites=12, effort=Effort(seconds=2.0)).chosen
    model.what_if(barred=chosen[:1].tolist())


def cover(folder: Path) -> Prepared:
    """Choose sites by maximal covering within the seconds or the gap of the job."""
    reached, data = siting_case(folder)
    sites, effort = int(data["sites"]), Effort(seconds=float(data["seconds"]), gap=float(data["gap"]))
    _compiled()

    def run() -> Siting:
        return CoverModel(reached, data["people"], sites=sites).solve(sites=sites, effort=effort)

    return run, lambda found: {"value": found.objective, "bound": found.bound, "proven": found.status == "optimal"}


def greedy(folder: Path) -> Prepared:
    """Take the candidate that adds most, again and again: nothing of ours, what a plain script does."""
    reached, data = siting_case(folder)
    whole = csr_array(reached).astype(np.int64)
    columns, rows = whole.tocsc(), csr_array(whole.T)

    def run() -> int:
        left = data["people"].copy()
        for _ in range(int(data["sites"])):
            best = int(np.argmax(rows @ left))
            left[columns.indices[columns.indptr[best] : columns.indptr[best + 1]]] = 0
        return int(data["people"].sum() - left.sum())

    return run, lambda value: {"value": value}


def what_if(folder: Path) -> Prepared:
    """Solve, ask what changes with sites forced in or out, then solve each of these from nothing."""
    reached, data = siting_case(folder)
    people, sites, count = data["people"], int(data["sites"]), int(data["what_ifs"])
    _compiled()

    def run() -> dict[str, Any]:
        start = time.perf_counter()
        model = CoverModel(reached, people, sites=sites)
        first = model.solve(sites=sites, effort=Effort(seconds=float(data["seconds"])))
        lasted = time.perf_counter() - start
        random = np.random.default_rng(0)
        others = np.setdiff1d(np.arange(reached.shape[1]), first.chosen)
        out = [{"barred": [int(site)]} for site in random.permutation(first.chosen)[: count // 2]]
        into = [{"must": [int(site)]} for site in random.permutation(others)[: count - len(out)]]
        took, asked = [], []
        for change in out + into:
            start = time.perf_counter()
            asked.append(model.what_if(**change))
            took.append(time.perf_counter() - start)
        effort = Effort(seconds=float(data["fresh_seconds"]))
        anew = [CoverModel(reached, people).solve(sites=sites, effort=effort, **change) for change in out + into]
        values = np.array([[one.objective, one.bound, other.objective] for one, other in zip(asked, anew, strict=True)])
        proven = np.array([other.status == "optimal" for other in anew])
        return {"first": lasted, "first_gap": first.gap, "took": took, "values": values, "fresh_proven": proven}

    return run, lambda found: found


CONTENDERS: dict[str, Contender] = {
    "build": build,
    "nearest": nearest_site,
    "nearest_bare": nearest_bare,
    "catchments": catchments,
    "catchments_1": partial(catchments, workers=1),
    "extract_xml": partial(extract, kind="xml"),
    "extract_pbf": partial(extract, kind="pbf"),
    "polygons": polygons,
    "polygons_1": partial(polygons, workers=1),
    **{f"access_{method}": partial(access, method=method) for method in ("2sfca", "e2sfca", "e2sfca_steps", "3sfca")},
    **{model: partial(siting, model=model) for model in ("p_median", "p_centre", "max_cover")},
    "cover": cover,
    "greedy": greedy,
    "what_if": what_if,
    "grown_lines": grown_lines,
    "grown_polygons": grown_polygons,
    "grown_class": grown_class,
}

if __name__ == "__main__":
    # Threads of number libraries would only stand in the way of those of the kernels.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    serve(CONTENDERS)
