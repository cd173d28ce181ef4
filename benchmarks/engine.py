"""The walking engine against its peers: the same graph, places and limit for both sides, in one run, as ratios.

Example: python benchmarks/engine.py --jobs nearest catchments --runs 5
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyproj
import shapely
from growth import growth
from ours import ADULT, read_extract
from race import HERE, Result, Row, race, seconds, table
from record import record

if TYPE_CHECKING:
    from collections.abc import Callable

SEED = 20260101
LIMIT_M = 1000.0
SAMPLE = 25
"""Places that the slowest peers are asked for; their time is scaled up to all."""
EXTRACTS = (("nanjing_gulou_2021.osm", 4549), ("beijing_cau.osm", 4548), ("porto_alegre.osm.pbf", 32722))
LAS_PALMAS, LAS_PALMAS_EPSG = "las_palmas_20230221.osm.pbf", 32628


def data(*parts: str) -> Path:
    """Return the path of a real data set: below the variable LIFECIRCLE_PLACES or beside the checkout.

    Raises
    ------
    FileNotFoundError
        When it is not there.
    """
    path = Path(os.environ.get("LIFECIRCLE_PLACES", HERE.parent.parent / "shared" / "data")).joinpath(*parts)
    if not path.is_file():
        message = f"{path.name} is not there; set LIFECIRCLE_PLACES to the folder of the real data"
        raise FileNotFoundError(message)
    return path


def wuhan(folder: Path) -> dict[str, Any]:
    """Write the streets of Wuhan as a graph with its 400 sites and 2,000 sources."""
    import geopandas as gpd  # noqa: PLC0415  needed by two jobs only

    lines = gpd.read_parquet(data("networks", "wuhan_8989_original.parquet")).geometry.to_numpy()
    ends = np.stack([shapely.get_coordinates(shapely.get_point(lines, at)) for at in (0, -1)], axis=1)
    keys = np.rint(ends.reshape(-1, 2) * 1000).astype(np.int64)
    _, first, node = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    xy = ends.reshape(-1, 2)[first]
    a, b = node.reshape(-1, 2).T
    random = np.random.default_rng(SEED)
    sites, sources = (np.sort(random.choice(xy.shape[0], size, replace=False)) for size in (400, 2000))
    random.shuffle(sources)
    graph = {"xy": xy, "a": a, "b": b, "length": np.hypot(*(xy[a] - xy[b]).T), "sites": sites, "sources": sources}
    graph |= {"limit": np.array(LIMIT_M), "sample": np.array(SAMPLE)}
    np.savez(folder / "graph.npz", **graph)
    return graph


def _difference(ours: Any, theirs: Any) -> str:  # noqa: ANN401  arrays
    """Return a sentence on how far two arrays of costs are apart, those of nothing reached being infinite."""
    both = np.isfinite(ours) & np.isfinite(theirs)
    other = int((np.isfinite(ours) != np.isfinite(theirs)).sum())
    most = float(np.abs(ours[both] - theirs[both]).max(initial=0.0))
    return f"{int(both.sum()):,} costs, {other:,} reached on one side only, most apart {most:.1e} m"


def nearest_job(folder: Path, runs: int) -> tuple[list[Row], list[str]]:
    """Nearest of 400 sites for all nodes."""
    graph = wuhan(folder)
    names = ("ours.nearest", "ours.nearest_bare", "ours.build")
    peers = ("peers.scipy_nearest", "peers.pandana_nearest", "peers.pandana_build")
    done = race(folder, [*names, *peers], runs=runs)
    ours, bare, built = (done[name] for name in names)
    scipy, pandana, hierarchy = (done[name] for name in peers)
    job = f"nearest of 400 sites for all {graph['xy'].shape[0]:,} nodes"
    rows = [
        Row(job, ours.median, "pandana, query", pandana.median, 15, pandana.failed),
        Row(job, ours.median, "pandana, build + query", hierarchy.median + pandana.median, 300, hierarchy.failed),
        Row(
            f"{job}, our build counted too",
            built.median + ours.median,
            "pandana, build + query",
            hierarchy.median + pandana.median,
            None,
            hierarchy.failed,
        ),
        Row(job, ours.median, "scipy, bare search", scipy.median, 1, scipy.failed),
        Row("the same at the crossings only", bare.median, "scipy, bare search, all nodes", scipy.median, None),
    ]
    checks = []
    if scipy.answer:
        checks.append(f"nearest, scipy: {_difference(ours.answer['cost'], scipy.answer['cost'])}")
    if pandana.answer:
        # pandana says the limit itself where nothing is within it.
        cost = np.where(pandana.answer["site"] >= 0, pandana.answer["cost"], np.inf)
        checks.append(f"nearest, pandana: {_difference(ours.answer['cost'], cost)}")
    return rows, checks


def _pairs(answer: dict[str, Any], nodes: int) -> tuple[Any, Any]:
    """Return sorted numbers of (source, node) pairs and their costs."""
    key = answer["source"].astype(np.int64) * nodes + answer["node"].astype(np.int64)
    order = np.argsort(key)
    return key[order], answer["cost"][order]


def _compared(ours: Result, theirs: Result, nodes: int) -> str:
    """Return a sentence on how far two sets of catchments are apart."""
    (own, cost), (other, price) = _pairs(dict(ours.answer), nodes), _pairs(dict(theirs.answer), nodes)
    _, i, j = np.intersect1d(own, other, return_indices=True)
    most = float(np.abs(cost[i] - price[j]).max(initial=0.0))
    lone = own.size + other.size - 2 * i.size
    return f"{i.size:,} pairs, {lone:,} on one side only, most apart {most:.1e} m"


def catchments_job(folder: Path, runs: int) -> tuple[list[Row], list[str]]:
    """2,000 catchments of 1,000 m."""
    graph = wuhan(folder)
    nodes, scale = graph["xy"].shape[0], graph["sources"].size / SAMPLE
    names = ("ours.catchments", "ours.catchments_1")
    peers = ("peers.pandana_catchments", "peers.scipy_catchments", "peers.networkx_catchments")
    done = race(folder, [*names, *peers], runs=runs)
    ours, one = (done[name] for name in names)
    pandana, scipy, networkx = (done[name] for name in peers)
    job = "2,000 catchments of 1,000 m"
    rows = [
        Row(job, ours.median, "pandana, nodes_in_range", pandana.median, 25, pandana.failed),
        Row(job, ours.median, "scipy, dijkstra with limit", scipy.median, 6, scipy.failed),
        Row(f"{job}, one thread", one.median, "scipy, dijkstra with limit", scipy.median, None, scipy.failed),
        Row(
            job,
            ours.median,
            f"networkx, ego_graph ({SAMPLE} × {scale:g})",
            networkx.median * scale,
            80,
            networkx.failed,
        ),
    ]
    checks = [
        f"catchments, {name}: {_compared(ours, peer, nodes)}"
        for name, peer in (("one thread", one), ("scipy", scipy), ("pandana", pandana))
        if peer.answer
    ]
    if networkx.answer:
        source = ours.answer["source"]
        counts = np.bincount(source[source < SAMPLE], minlength=SAMPLE)
        apart = int(np.abs(counts - networkx.answer["count"]).sum())
        checks.append(
            f"catchments, networkx: {int(counts.sum()):,} nodes of {SAMPLE} sources, {apart} on one side only"
        )
    return rows, checks


def polygons_job(folder: Path, runs: int) -> tuple[list[Row], list[str]]:
    """1,000 fifteen-minute polygons of Las Palmas."""
    extract = data("osm", LAS_PALMAS)
    network = read_extract(extract, LAS_PALMAS_EPSG)
    random = np.random.default_rng(SEED)
    sources = random.choice(np.flatnonzero(network.component == 0), 1000, replace=False)
    places = network.node_xy[sources]
    to_degrees = pyproj.Transformer.from_crs(LAS_PALMAS_EPSG, 4326, always_xy=True)
    a, b = network.edge_nodes.T
    graph = {"xy": network.node_xy, "a": a, "b": b, "length": network.edge_length_m, "sources": sources}
    graph |= {"start": network.coord_start, "coords": network.coords, "places": places}
    graph |= {"lonlat": np.column_stack(to_degrees.transform(*places.T)), "epsg": np.array(LAS_PALMAS_EPSG)}
    graph |= {"extract": np.array(str(extract)), "pbf": np.array(str(extract)), "seconds": np.array(900.0)}
    graph |= {"speed_mps": np.array(ADULT.speed_mps), "width_m": np.array(25.0), "sample": np.array(SAMPLE)}
    np.savez(folder / "graph.npz", **graph)
    names = ("ours.polygons", "ours.polygons_1", "ours.extract_pbf")
    peers = ("valhalla_polygons", "valhalla_polygons_2", "valhalla_tiles", "osmnx_polygons")
    done = race(folder, [*names, *(f"peers.{name}" for name in peers)], runs=runs)
    ours, one, built = (done[name] for name in names)
    valhalla, both, tiles, osmnx = (done[f"peers.{name}"] for name in peers)
    job, scale = "1,000 fifteen-minute polygons, Las Palmas", places.shape[0] / SAMPLE
    rows = [
        Row(job, ours.median, "Valhalla, as its binding answers", valhalla.median, 5, valhalla.failed),
        Row(f"{job}, one thread", one.median, "Valhalla, as its binding answers", valhalla.median, 5, valhalla.failed),
        Row(job, ours.median, "Valhalla, two threads", both.median, None, both.failed),
        Row(
            f"{job}, from the extract on",
            built.median + ours.median,
            "Valhalla with its tiles",
            tiles.median + valhalla.median,
            None,
            tiles.failed,
        ),
        Row(job, ours.median, f"OSMnx recipe ({SAMPLE} × {scale:g})", osmnx.median * scale, 100, osmnx.failed),
    ]
    checks = []
    own = _shapes(ours)
    checks.append(f"polygons: {int(shapely.is_valid(own).sum()):,} of {own.size:,} valid")
    if valhalla.answer:
        theirs = shapely.transform(
            shapely.make_valid(_shapes(valhalla)),
            lambda xy: np.column_stack(to_degrees.transform(xy[:, 0], xy[:, 1], direction="INVERSE")),
        )
        checks.append(f"polygons, Valhalla: {_overlap(own, theirs)}")
    if osmnx.answer:
        checks.append(f"polygons, OSMnx recipe: {_overlap(own[:SAMPLE], _shapes(osmnx))}")
    return rows, checks


def _shapes(result: Result) -> Any:  # noqa: ANN401  array of geometries
    """Return the geometries of an answer."""
    return shapely.from_wkb(result.answer["wkb"].item().decode("ascii").split("\n"))


def _overlap(ours: Any, theirs: Any) -> str:  # noqa: ANN401  arrays of geometries
    """Return a sentence on the ground two sets of polygons share, their holes filled: recipes differ in them."""
    ours, theirs = (shapely.union_all(_filled(shapes), axis=1) for shapes in (ours, theirs))
    common, all_of = (function(ours, theirs) for function in (shapely.intersection, shapely.union))
    return f"{shapely.area(common).sum() / shapely.area(all_of).sum():.0%} of the ground in common, holes filled"


def _filled(shapes: Any) -> Any:  # noqa: ANN401  arrays of geometries
    """Return the parts of each shape without holes, as a row of a rectangular array."""
    parts, row = shapely.get_parts(shapes, return_index=True)
    solid = shapely.get_dimensions(parts) == 2
    parts, row = parts[solid], row[solid]
    count = np.bincount(row, minlength=shapes.size)
    square = np.full((shapes.size, int(count.max(initial=1))), None, dtype=object)
    square[row, np.arange(row.size) - np.repeat(np.cumsum(count) - count, count)] = shapely.polygons(
        shapely.get_exterior_ring(parts)
    )
    return square


def _both_forms(path: Path, folder: Path) -> tuple[Path, Path]:
    """Return an extract as XML and as PBF, converted where it is not."""
    import osmium  # noqa: PLC0415  needed by one job only

    name = path.name.removesuffix(".pbf").removesuffix(".osm")
    xml, pbf = folder / f"{name}.osm", folder / f"{name}.osm.pbf"
    for target in (xml, pbf):
        with osmium.SimpleWriter(str(target), overwrite=True) as writer:
            for thing in osmium.FileProcessor(str(path)):
                writer.add(thing)
    return xml, pbf


def extract_job(folder: Path, runs: int) -> tuple[list[Row], list[str]]:
    """From an extract to a network."""
    rows, checks = [], []
    for name, epsg in EXTRACTS:
        xml, pbf = _both_forms(data("osm", name), folder)
        graph: dict[str, Any] = {"xml": np.array(str(xml)), "pbf": np.array(str(pbf)), "epsg": np.array(epsg)}
        np.savez(folder / "graph.npz", **graph)
        peers = ("peers.osmnx_extract", "peers.pyrosm_graph", "peers.pyrosm_extract")
        done = race(folder, ("ours.extract_xml", "ours.extract_pbf", *peers), runs=runs)
        from_xml, from_pbf, osmnx, pyrosm, tables = done.values()
        place = name.split(".")[0]
        rows += [
            Row(f"XML to network, {place}", from_xml.median, "OSMnx, graph_from_xml", osmnx.median, 5, osmnx.failed),
            Row(f"PBF to network, {place}", from_pbf.median, "pyrosm, to a graph", pyrosm.median, 1, pyrosm.failed),
            Row(f"PBF to network, {place}", from_pbf.median, "pyrosm, tables without a graph", tables.median, None),
        ]
        nodes = [int(found.answer["nodes"]) for found in (from_xml, osmnx, pyrosm) if found.answer]
        checks.append(f"extract, {place}: nodes of ours, OSMnx (all ways) and pyrosm: {nodes}")
    return rows, checks


JOBS: dict[str, Callable[[Path, int], tuple[list[Row], list[str]]]] = {
    "nearest": nearest_job,
    "catchments": catchments_job,
    "polygons": polygons_job,
    "extract": extract_job,
}


def main() -> None:
    """Run the jobs asked for and print one table, what was compared, and the growth."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", nargs="+", choices=[*JOBS, "growth"], default=[*JOBS, "growth"])
    parser.add_argument("--runs", type=int, default=5, help="timed rounds after a warm-up")
    parser.add_argument("--nodes", type=int, nargs="+", default=[100_000, 300_000, 1_000_000], help="sizes for growth")
    parser.add_argument("--record", action="store_true", help="write the results into README.md beside this file")
    asked = parser.parse_args()
    rows: list[Row] = []
    notes: list[str] = []
    for name in (job for job in asked.jobs if job in JOBS):
        with tempfile.TemporaryDirectory() as folder:
            try:
                found, checks = JOBS[name](Path(folder), asked.runs)
            except FileNotFoundError as error:
                notes.append(f"{name}: skipped, {error}")
                continue
        rows += found
        notes += checks
        print(*(" | ".join(row.cells()) for row in found), sep="\n", flush=True)
    parts = []
    if rows:
        heads = ("job", "lifecircle", "peer", "its time", "ratio", "must reach")
        parts.append(table(heads, [row.cells() for row in rows]))
    parts.append("\n".join(f"* {note}" for note in notes))
    if "growth" in asked.jobs:
        parts.append(table(*growth(asked.nodes, min(asked.runs, 3), SEED, seconds)))
    page = "\n\n".join(part for part in parts if part)
    print("", page, sep="\n")
    if asked.record:
        record("engine", page)


if __name__ == "__main__":
    main()
