"""The peers of the walking engine, of catchments and of siting, run in the environment of `requirements.txt`."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from worker import serve, wkb

if TYPE_CHECKING:
    from worker import Contender, Prepared

FAR = 1e6
"""What stands for out of reach where a dense matrix is wanted, in metres."""
ROWS_AT_ONCE = 20
"""Rows of scipy's dense answer made at a time: few enough to stay near the processor."""


def _graph(folder: Path) -> dict[str, Any]:
    """Return the arrays of the graph that all contenders of a job share."""
    with np.load(folder / "graph.npz") as arrays:
        return dict(arrays)


def _matrix(graph: dict[str, Any]) -> Any:  # noqa: ANN401  scipy's
    """Return the graph as a symmetric sparse matrix, the shortest of parallel edges, in the index type of csgraph."""
    sparse: Any = import_module("scipy.sparse")
    a, b, n = graph["a"].astype(np.int64), graph["b"].astype(np.int64), graph["xy"].shape[0]
    tail, head, length = np.concatenate([a, b]), np.concatenate([b, a]), np.tile(graph["length"], 2)
    order = np.lexsort((length, head, tail))
    tail, head, length = tail[order], head[order], length[order]
    first = np.concatenate([[True], (np.diff(tail) != 0) | (np.diff(head) != 0)])
    matrix = sparse.csr_matrix((length[first], (tail[first], head[first])), shape=(n, n))
    matrix.indices, matrix.indptr = matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)
    return matrix


def scipy_nearest(folder: Path) -> Prepared:
    """Multi-source search on the bare matrix."""
    csgraph: Any = import_module("scipy.sparse.csgraph")
    graph = _graph(folder)
    matrix, limit = _matrix(graph), float(graph["limit"])
    run = partial(csgraph.dijkstra, matrix, indices=graph["sites"], min_only=True, limit=limit)
    return run, lambda cost: {"cost": cost}


def scipy_catchments(folder: Path) -> Prepared:
    """Search from each source; the dense rows are taken down to what was reached."""
    csgraph: Any = import_module("scipy.sparse.csgraph")
    graph = _graph(folder)
    matrix, limit, sources = _matrix(graph), float(graph["limit"]), graph["sources"]

    def run() -> list[tuple[Any, Any, Any]]:
        found = []
        for first in range(0, sources.size, ROWS_AT_ONCE):
            rows = csgraph.dijkstra(matrix, indices=sources[first : first + ROWS_AT_ONCE], limit=limit)
            source, node = np.nonzero(rows < np.inf)
            found.append((source + first, node, rows[source, node]))
        return found

    def arrays(found: list[tuple[Any, Any, Any]]) -> dict[str, Any]:
        source, node, cost = (np.concatenate(columns) for columns in zip(*found, strict=True))
        return {"source": source, "node": node, "cost": cost}

    return run, arrays


def _pandana(graph: dict[str, Any]) -> Any:  # noqa: ANN401  pandana's
    """Return a network of pandana."""
    pandas, pandana = import_module("pandas"), import_module("pandana")
    x, y = (pandas.Series(column) for column in graph["xy"].T)
    ends = (pandas.Series(graph["a"].astype(np.int64)), pandas.Series(graph["b"].astype(np.int64)))
    return pandana.Network(x, y, *ends, pandas.DataFrame({"length": graph["length"]}), twoway=True)


def pandana_build(folder: Path) -> Prepared:
    """Pandana's preparation: the contraction hierarchy."""
    return partial(_pandana, _graph(folder)), lambda _: {}


def pandana_nearest(folder: Path) -> Prepared:
    """Pandana's query for the nearest site, with its number."""
    graph = _graph(folder)
    network, limit = _pandana(graph), float(graph["limit"])
    x, y = graph["xy"][graph["sites"]].T
    pandas: Any = import_module("pandas")

    def run() -> Any:  # noqa: ANN401  a table
        network.set_pois("sites", limit, 1, pandas.Series(x), pandas.Series(y))
        return network.nearest_pois(limit, "sites", num_pois=1, include_poi_ids=True)

    return run, lambda table: {"cost": table[1].to_numpy(), "site": table["poi1"].fillna(-1).to_numpy().astype(int)}


def pandana_catchments(folder: Path) -> Prepared:
    """Pandana's query for the nodes in range of each source."""
    graph = _graph(folder)
    network, limit, sources = _pandana(graph), float(graph["limit"]), graph["sources"].tolist()

    def arrays(table: Any) -> dict[str, Any]:  # noqa: ANN401  a table
        row = {node: k for k, node in enumerate(sources)}
        source = np.array([row[node] for node in table["source"].tolist()])
        return {"source": source, "node": table["destination"].to_numpy(), "cost": table["length"].to_numpy()}

    return lambda: network.nodes_in_range(sources, limit), arrays


def _networkx(graph: dict[str, Any], weight: np.ndarray[Any, Any], kind: str = "Graph") -> Any:  # noqa: ANN401
    """Return the graph as networkx knows it."""
    network = getattr(import_module("networkx"), kind)()
    network.add_nodes_from(range(graph["xy"].shape[0]))
    pairs = zip(graph["a"].tolist(), graph["b"].tolist(), weight.tolist(), strict=True)
    for row, (a, b, cost) in enumerate(pairs):
        if kind == "MultiDiGraph":
            network.add_edge(a, b, weight=cost, row=row)
            network.add_edge(b, a, weight=cost, row=row)
        elif not network.has_edge(a, b) or network[a][b]["weight"] > cost:
            network.add_edge(a, b, weight=cost)
    return network


def networkx_catchments(folder: Path) -> Prepared:
    """Take networkx's ego_graph of the first sources, as many as ``sample`` says."""
    graph = _graph(folder)
    network, limit = _networkx(graph, graph["length"]), float(graph["limit"])
    sources = graph["sources"][: int(graph["sample"])].tolist()
    ego_graph = import_module("networkx").ego_graph

    def run() -> list[Any]:
        return [ego_graph(network, source, radius=limit, distance="weight") for source in sources]

    return run, lambda egos: {"count": np.array([len(ego) for ego in egos])}


def osmnx_polygons(folder: Path) -> Prepared:
    """Follow the isoline recipe of OSMnx: ego_graph by minutes, edges buffered, union; of the first places only."""
    shapely: Any = import_module("shapely")
    graph = _graph(folder)
    network = _networkx(graph, graph["length"] / float(graph["speed_mps"]), "MultiDiGraph")
    start, coords, width = graph["start"], graph["coords"], float(graph["width_m"])
    lines = shapely.linestrings(coords, indices=np.repeat(np.arange(start.size - 1), np.diff(start)))
    sources = graph["sources"][: int(graph["sample"])].tolist()
    seconds = float(graph["seconds"])
    ego_graph = import_module("networkx").ego_graph

    def polygon(source: int) -> Any:  # noqa: ANN401  a geometry
        ego = ego_graph(network, source, radius=seconds, distance="weight")
        edges = lines[sorted({row for _, _, row in ego.edges(data="row")})]
        places = shapely.points(graph["xy"][sorted(ego.nodes)])
        return shapely.union_all(shapely.buffer(np.concatenate([edges, places]), width))

    return lambda: [polygon(source) for source in sources], lambda found: {"wkb": wkb(np.array(found))}


def _valhalla_tiles(folder: Path, extract: Path) -> Path:
    """Build Valhalla's tiles of an extract; return the configuration that names them."""
    valhalla: Any = import_module("valhalla")
    tiles = folder / "valhalla"
    tiles.mkdir(exist_ok=True)
    config = import_module("valhalla.config").get_config(tile_extract="", tile_dir=str(tiles), verbose=False)
    path = folder / "valhalla.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    name = "valhalla_build_tiles" + (".exe" if sys.platform == "win32" else "")
    build = Path(valhalla.__file__).parent / "bin" / name
    subprocess.run([str(build), "-c", str(path), str(extract)], check=True, capture_output=True)
    return path


def valhalla_tiles(folder: Path) -> Prepared:
    """Valhalla's preparation: its tiles."""
    extract = Path(str(_graph(folder)["extract"]))
    return partial(_valhalla_tiles, folder, extract), lambda _: {}


def valhalla_polygons(folder: Path, threads: int) -> Prepared:
    """Valhalla's isochrones on foot, one request a place, as its binding answers; an actor for each thread."""
    graph = _graph(folder)
    own = folder / f"tiles_{threads}"
    own.mkdir(exist_ok=True)
    config = str(_valhalla_tiles(own, Path(str(graph["extract"]))))
    valhalla: Any = import_module("valhalla")
    actors = [valhalla.Actor(config) for _ in range(threads)]
    options = {"pedestrian": {"walking_speed": float(graph["speed_mps"]) * 3.6}}
    contours = [{"time": float(graph["seconds"]) / 60}]
    requests = [
        {"locations": [{"lon": lon, "lat": lat}], "costing": "pedestrian", "costing_options": options}
        | {"contours": contours, "polygons": True}
        for lon, lat in graph["lonlat"].tolist()
    ]

    def some(k: int) -> list[Any]:
        return [actors[k].isochrone(request) for request in requests[k::threads]]

    def run() -> list[Any]:
        if threads == 1:
            return some(0)
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(some, range(threads)))

    def arrays(found: list[Any]) -> dict[str, Any]:
        shapely: Any = import_module("shapely")
        if threads > 1:
            return {}
        shapes = [json.dumps(answer["features"][0]["geometry"]) for answer in found]
        return {"wkb": wkb(shapely.from_geojson(shapes))}

    return run, arrays


def osmnx_extract(folder: Path) -> Prepared:
    """OSMnx's graph of an XML extract, simplified; all its parts kept."""
    path = str(_graph(folder)["xml"])
    graph_from_xml = import_module("osmnx").graph_from_xml
    return partial(graph_from_xml, path, simplify=True, retain_all=True), lambda graph: {"nodes": np.array(len(graph))}


def pyrosm_extract(folder: Path) -> Prepared:
    """Read pyrosm's tables of nodes and walkable edges of a PBF extract: no graph yet."""
    path = str(_graph(folder)["pbf"])
    pyrosm: Any = import_module("pyrosm")

    def run() -> Any:  # noqa: ANN401  two tables
        return pyrosm.OSM(path).get_network("walking", nodes=True)

    return run, lambda tables: {"nodes": np.array(len(tables[0]))}


def pyrosm_graph(folder: Path) -> Prepared:
    """Make pyrosm's graph for networkx of a PBF extract."""
    path = str(_graph(folder)["pbf"])
    pyrosm: Any = import_module("pyrosm")

    def run() -> Any:  # noqa: ANN401  a graph
        reader = pyrosm.OSM(path)
        nodes, edges = reader.get_network("walking", nodes=True)
        return reader.to_graph(nodes, edges, graph_type="networkx")

    return run, lambda graph: {"nodes": np.array(len(graph))}


def access(folder: Path, *, method: str) -> Prepared:
    """Share the supply of sites among the demand within the limit of them, by PySAL's access."""
    pandas: Any = import_module("pandas")
    fca: Any = import_module("access.fca")
    weights: Any = import_module("access.weights")
    pairs = _graph(folder)
    limit, width = float(pairs["limit"]), float(pairs["width"])
    costs = pandas.DataFrame({"origin": pairs["origin"], "dest": pairs["dest"], "cost": pairs["cost"]})
    people = pandas.DataFrame({"demand": pairs["people"]}, index=pandas.RangeIndex(pairs["people"].size, name="geoid"))
    supply = pandas.DataFrame({"supply": pairs["supply"]}, index=pandas.RangeIndex(pairs["supply"].size, name="geoid"))
    thirds = {limit / 3: 1.0, limit * 2 / 3: 0.68, limit: 0.22}
    weight = {"2sfca": None, "e2sfca_steps": weights.step_fn(thirds)}.get(method, weights.gaussian(width))
    share = fca.three_stage_fca if method == "3sfca" else fca.two_stage_fca
    run = partial(
        share, people, supply, costs, limit, demand_index=True, supply_index=True, weight_fn=weight, normalize=False
    )
    return run, lambda found: {"access": found.reindex(people.index).fillna(0.0).to_numpy()}


def spopt(folder: Path, *, model: str) -> Prepared:
    """PySAL spopt: the model built from a dense matrix, then given to its solver, each timed apart."""
    locate, pulp = import_module("spopt.locate"), import_module("pulp")
    data = _graph(folder)
    people, count, limit = data["people"], int(data["sites"]), float(data["peer_seconds"])
    walks = np.full((people.size, int(data["candidates"])), FAR)
    walks[np.repeat(np.arange(people.size), np.diff(data["indptr"])), data["indices"]] = data["walk"]
    solver = {"highs": pulp.HiGHS, "cbc": pulp.PULP_CBC_CMD}[str(data["solver"])]

    def run() -> dict[str, Any]:
        start = time.perf_counter()
        if model == "p_median":
            built = locate.PMedian.from_cost_matrix(walks, people, p_facilities=count)
        else:
            built = locate.MCLP.from_cost_matrix(walks, people, float(data["limit"]), p_facilities=count)
        ready = time.perf_counter()
        left = limit - (ready - start)
        solved = left > 0
        if solved:
            try:
                built.solve(solver(msg=False, timeLimit=left), results=False)
            except RuntimeError:  # no answer within the time
                solved = False
        end = time.perf_counter()
        chosen = [j for j, variable in enumerate(built.fac_vars) if solved and (variable.value() or 0.0) > 0.5]
        return {"built": ready - start, "solved": end - ready, "late": end - start >= 0.99 * limit, "sites": chosen}

    def arrays(found: dict[str, Any]) -> dict[str, Any]:
        near = walks[:, found["sites"]].min(axis=1, initial=FAR)
        if not found["sites"]:
            value = np.nan
        else:
            value = (near * people).sum() if model == "p_median" else people[near <= data["limit"]].sum()
        return found | {"value": float(value)}

    return run, arrays


def _cover_model(data: dict[str, Any], *, whole: bool) -> Any:  # noqa: ANN401  HiGHS's
    """Return maximal covering as it stands in the textbook: a column a candidate, then a column and a row a demand."""
    highspy: Any = import_module("highspy")
    rows, candidates = data["people"].size, int(data["candidates"])
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = candidates + rows, rows + 1
    model.sense_ = highspy.ObjSense.kMaximize
    model.col_cost_ = np.concatenate([np.zeros(candidates), data["people"].astype(float)])
    model.col_lower_, model.col_upper_ = np.zeros(candidates + rows), np.ones(candidates + rows)
    model.row_lower_ = np.full(rows + 1, -highspy.kHighsInf)
    model.row_upper_ = np.append(np.zeros(rows), float(data["sites"]))
    if whole:
        kinds = highspy.HighsVarType
        model.integrality_ = [kinds.kInteger] * candidates + [kinds.kContinuous] * rows
    own = data["indptr"][1:]
    index = np.concatenate([np.insert(data["indices"], own, candidates + np.arange(rows)), np.arange(candidates)])
    value = np.concatenate([np.insert(np.full(data["indices"].size, -1.0), own, 1.0), np.ones(candidates)])
    starts = data["indptr"] + np.arange(rows + 1)
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = np.append(starts, index.size).astype(np.int32)
    model.a_matrix_.index_, model.a_matrix_.value_ = index.astype(np.int32), value
    return model


def highs(folder: Path, *, relaxed: bool) -> Prepared:
    """HiGHS alone on maximal covering; or the linear relaxation by its interior point, without crossover."""
    highspy: Any = import_module("highspy")
    data = _graph(folder)
    options: dict[str, Any] = {"output_flag": False, "time_limit": float(data["seconds"]), "mip_rel_gap": 0.0}
    if relaxed:
        options |= {"solver": "ipm", "run_crossover": "off", "time_limit": float(data["peer_seconds"])}

    def run() -> Any:  # noqa: ANN401  a solver
        solver = highspy.Highs()
        for name, value in options.items():
            solver.setOptionValue(name, value)
        solver.passModel(_cover_model(data, whole=not relaxed))
        solver.run()
        return solver

    def arrays(solver: Any) -> dict[str, Any]:  # noqa: ANN401  as above
        info, candidates = solver.getInfo(), int(data["candidates"])
        if relaxed:
            # Without crossover the status stays unknown. A feasible answer is never above the relaxation's optimum.
            met = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
            late = solver.getModelStatus() == highspy.HighsModelStatus.kTimeLimit
            return {"value": info.objective_function_value if met and not late else np.nan}
        opened = np.asarray(solver.getSolution().col_value)[:candidates] > 0.5
        if opened.size < candidates:
            return {"value": np.nan, "bound": info.mip_dual_bound}
        row = np.repeat(np.arange(data["people"].size), np.diff(data["indptr"]))
        met = np.bincount(row, opened[data["indices"]], data["people"].size) > 0
        return {"value": float(data["people"][met].sum()), "bound": info.mip_dual_bound}

    return run, arrays


CONTENDERS: dict[str, Contender] = {
    "scipy_nearest": scipy_nearest,
    "scipy_catchments": scipy_catchments,
    "pandana_build": pandana_build,
    "pandana_nearest": pandana_nearest,
    "pandana_catchments": pandana_catchments,
    "networkx_catchments": networkx_catchments,
    "valhalla_tiles": valhalla_tiles,
    "valhalla_polygons": partial(valhalla_polygons, threads=1),
    "valhalla_polygons_2": partial(valhalla_polygons, threads=2),
    "osmnx_polygons": osmnx_polygons,
    "osmnx_extract": osmnx_extract,
    "pyrosm_extract": pyrosm_extract,
    "pyrosm_graph": pyrosm_graph,
    **{f"spopt_{model}": partial(spopt, model=model) for model in ("p_median", "max_cover")},
    "highs": partial(highs, relaxed=False),
    "highs_relaxed": partial(highs, relaxed=True),
    **{f"access_{method}": partial(access, method=method) for method in ("2sfca", "e2sfca", "e2sfca_steps", "3sfca")},
}

if __name__ == "__main__":
    serve(CONTENDERS)
