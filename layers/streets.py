"""Streets of a study: the walk network from OSM extracts or a line layer, with walls, gates and the terrain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from ..gis.crs import from_degrees
from ..gis.edges import EDGE_OF_DATA_M
from ..gis.errors import Fault, InputError
from ..gis.graphs import ends_of, one_value
from ..gis.network import WalkNetwork, network_from_lines, network_from_osm
from ..gis.osm import WALKED, OsmWays
from ..gis.scale import ground_scale
from ..gis.walls import Gates
from .osmstreets import extent_of, osm_gates, osm_walls, osm_ways
from .study import Note
from .terrain import terrain

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    from numpy.typing import NDArray

    from ..gis.edges import Heights
    from ..gis.walls import Policy
    from .study import Study

STREET_NAMES: dict[str, str] = {
    **dict.fromkeys(("高速公路", "高速", "快速路", "城市快速路", "expressway", "freeway", "highway"), "motorway"),
    **dict.fromkeys(("国道", "主干路", "主干道", "城市主干路", "arterial"), "primary"),
    **dict.fromkeys(("省道", "次干路", "次干道", "城市次干路", "collector"), "secondary"),
    **dict.fromkeys(("县道", "支路", "城市支路"), "tertiary"),
    **dict.fromkeys(("街巷", "巷道", "巷", "胡同", "里弄", "居住区道路", "local"), "residential"),
    **dict.fromkeys(("内部道路", "小区道路", "小区内部路", "其他道路", "乡道"), "service"),
    **dict.fromkeys(("人行道", "步道", "步行道", "绿道", "人行天桥", "天桥", "地下通道", "sidewalk"), "footway"),
    **dict.fromkeys(("步行街", "广场"), "pedestrian"),
    **dict.fromkeys(("台阶", "梯道", "stairs"), "steps"),
    **dict.fromkeys(("自行车道", "非机动车道"), "cycleway"),
    **dict.fromkeys(("机耕路", "土路"), "track"),
}
"""How planners' files call streets → the OSM class whose rules apply; others are taken as OSM classes as they are."""
UNNAMED_CLASS = "unclassified"
"""Class of a line that states none: open to walkers, and said in the notes."""


@dataclass(frozen=True, slots=True, eq=False)
class Streets:
    """The walk network of a study and what the reader should know about it.

    Parameters
    ----------
    network
        The streets. Its zones are the rows of the study's compounds layer; zones beyond are walls found in OSM.
    notes
        What was assumed.
    warnings
        What may be wrong with the streets, walls and gates.
    """

    network: WalkNetwork
    notes: tuple[Note, ...]
    warnings: tuple[Fault, ...]


def _column(frame: gpd.GeoDataFrame, name: str) -> pd.Series[Any] | None:
    """Return a column, or nothing where the layer lacks it."""
    return frame[name] if name in frame.columns else None


def _flags(frame: gpd.GeoDataFrame, name: str, *, default: bool) -> NDArray[np.bool_]:
    """Return a yes/no column as bool, with a default where it is missing or empty."""
    column = _column(frame, name)
    if column is None:
        return np.full(len(frame), default)
    flags: NDArray[np.bool_] = column.astype("boolean").fillna(value=default).to_numpy(dtype=bool)
    return flags


def street_class(name: object) -> str:
    """Return the OSM class for what a file calls a street; ``unclassified`` where it says nothing.

    Examples
    --------
    >>> street_class("次干路"), street_class("Footway "), street_class(None), street_class("['path', 'steps']")
    ('secondary', 'footway', 'unclassified', 'steps')
    """
    text = one_value("highway", name).strip().lower() if isinstance(name, str) else ""
    return STREET_NAMES.get(text, text) or UNNAMED_CLASS


def _walls_of(study: Study) -> tuple[NDArray[np.object_] | None, Gates]:
    """Return the compounds' walls (``None`` for those without one) and the gates of the study's layers."""
    compounds, gates = study.layers.get("compounds"), study.layers.get("gates")
    if compounds is None:
        return None, Gates.none()
    walled = _flags(compounds, "walled", default=False)
    polygons = np.full(len(compounds), None, dtype=object)
    polygons[walled] = compounds.geometry.to_numpy()[walled]
    if gates is None or not len(gates):
        return polygons, Gates.none()
    rows = {str(name): row for row, name in enumerate(compounds["compound_id"])} if "compound_id" in compounds else {}
    owners = _column(gates, "compound_id")
    zone = np.full(len(gates), -1) if owners is None else np.array([rows.get(str(name), -1) for name in owners])
    passes = _column(gates, "passes")
    public = (
        np.zeros(len(gates), dtype=bool)
        if passes is None
        else (passes == "all").fillna(value=False).to_numpy(dtype=bool)
    )
    xy = shapely.get_coordinates(shapely.centroid(gates.geometry.to_numpy()))
    return polygons, Gates(xy, _flags(gates, "open", default=True), public, zone.astype(np.int32))


def _join_gates(*gates: Gates) -> Gates:
    """Return several sets of gates as one."""
    return Gates(
        np.vstack([some.xy for some in gates]),
        np.concatenate([some.open for some in gates]),
        np.concatenate([some.public for some in gates]),
        np.concatenate([some.zone for some in gates]),
    )


def _policy(study: Study, gates: Gates, walls: NDArray[np.object_] | None) -> Policy:
    """Return how walls count: as the study says, or ``gated`` where walls and gates are known."""
    stated = study.settings.study.gates
    if stated != "auto":
        return stated
    return "gated" if walls is not None and gates.xy.shape[0] else "open"


def network_of(study: Study) -> Streets:
    """Return the walk network of a study, with what was assumed and what may be wrong.

    From the OSM extracts that the streets layer names, else from the layer ``streets``. Walls are those of the
    compounds marked ``walled`` and, with OSM, closed walls and fences; gates those of the layer ``gates`` and of OSM.

    Raises
    ------
    InputError
        When the study has no streets, or none that one may walk on.
    """
    heights = terrain(study.rasters["dem"], study.crs) if "dem" in study.rasters else None
    if study.osm:
        return _from_osm(study, heights)
    if "streets" not in study.layers:
        message = "the study has no streets; name a line layer or an OSM extract under [layers.streets]"
        raise InputError(message, Fault("streets.none", layer="streets"))
    return _from_layer(study, study.layers["streets"], heights)


def _from_osm(study: Study, heights: Heights | None) -> Streets:
    """Return the walk network of OSM extracts."""
    extract = osm_ways(study.osm)
    to_metres = from_degrees(study.crs)
    xy = np.full(extract.lonlat.shape, np.nan)
    known = np.isfinite(extract.lonlat).all(axis=1)
    xy[known] = np.column_stack(to_metres.transform(*extract.lonlat[known].T))
    walls, gates = _walls_of(study)
    count = 0 if walls is None else walls.size
    found, entries = osm_walls(extract, xy, count)
    everything = found if walls is None else np.concatenate([walls, found])
    gates = _join_gates(gates, entries, osm_gates(extract, to_metres) if count else Gates.none())
    policy = _policy(study, gates, everything)
    ways = OsmWays(extract.way_id, extract.start, extract.node, xy, extract.tags, extract.node_tags, extract.holes)
    network = network_from_osm(
        ways,
        crs=study.crs,
        walls=everything,
        gates=gates,
        policy=policy,
        heights=heights,
        extent=extent_of(extract.box, to_metres),
        scale=ground_scale(study.crs),
    )
    notes = [Note("streets.from_osm", {"km": f"{network.edge_length_m.sum() / 1000:,.1f}"})]
    missing = int((~known).sum())
    if missing:
        notes.append(Note("streets.clipped", {"nodes": f"{missing:,}"}))
    return _report(study, network, notes)


def _from_layer(study: Study, streets: gpd.GeoDataFrame, heights: Heights | None) -> Streets:
    """Return the walk network of a line layer."""
    column = _column(streets, "highway")
    classes = [UNNAMED_CLASS] * len(streets) if column is None else [street_class(name) for name in column]
    tags: list[dict[str, str]] = [{} for _ in classes]
    for key in ("foot", "sidewalk", "access"):
        values = _column(streets, key)
        if values is not None:
            for row, value in enumerate(values.where(values.notna(), "").astype(str).str.strip().str.lower()):
                if value:
                    tags[row][key] = value
    levels = _column(streets, "level")
    bridge, tunnel = _flags(streets, "bridge", default=False), _flags(streets, "tunnel", default=False)
    level = np.zeros(len(streets), dtype=np.int64) if levels is None else levels.fillna(0).to_numpy(dtype=np.int64)
    level = np.where((level == 0) & tunnel, -1, np.where((level == 0) & bridge, 1, level))
    walls, gates = _walls_of(study)
    ends = _graph_ends(streets)
    network = network_from_lines(
        streets.geometry.to_numpy(),
        crs=study.crs,
        highway=classes,
        level=level,
        spans=bridge | tunnel,
        one_way=_flags(streets, "oneway_foot", default=False),
        tags=tags,
        ends=ends,
        walls=walls,
        gates=gates,
        policy=_policy(study, gates, walls),
        heights=heights,
        extent=_clipped_to(study, streets),
        # A graph was measured in degrees; a drawing is taken as it is drawn.
        scale=None if ends is None else ground_scale(study.crs),
    )
    code = "streets.from_layer" if ends is None else "streets.from_graph"
    notes = [Note(code, {"km": f"{network.edge_length_m.sum() / 1000:,.1f}"})]
    notes += _straightened(streets)
    unnamed = sum(name == UNNAMED_CLASS for name in classes)
    if unnamed:
        notes.append(Note("streets.class_unknown", {"rows": f"{unnamed:,}"}))
    strange = sorted({name for name in classes if name not in KNOWN_CLASSES})
    warnings = [
        Fault("streets.class_strange", layer="streets", column="highway", value=name, blocks=False) for name in strange
    ]
    done = _report(study, network, notes)
    return Streets(done.network, done.notes, (*warnings, *done.warnings))


def _straightened(streets: gpd.GeoDataFrame) -> list[Note]:
    """Return a note of the edges of a graph that state a length, have no line, and are shorter when taken straight."""
    stated = _column(streets, "stated_m")
    if stated is None:
        return []
    metres = stated.to_numpy(dtype=np.float64)
    straight = shapely.length(streets.geometry.to_numpy())
    # What rounding and the projection leave is no bend.
    bent = metres > 1.01 * straight + 1.0
    if not bent.any():
        return []
    more = f"{(metres[bent] - straight[bent]).sum() / 1000:,.1f}"
    return [Note("streets.graph_straight", {"edges": f"{int(bent.sum()):,}", "km": more})]


def _graph_ends(streets: gpd.GeoDataFrame) -> NDArray[np.int64] | None:
    """Return int64[l, 2], the end nodes that a line layer names in ``u`` and ``v`` as OSMnx does; None without them.

    They count only where lines with one node really meet there.
    """
    shapes = streets.geometry.to_numpy()
    if not {"u", "v"} <= {*streets.columns} or not len(streets) or streets[["u", "v"]].isna().any(axis=None):
        return None
    if not (shapely.get_type_id(shapes) == shapely.GeometryType.LINESTRING).all() or shapely.is_empty(shapes).any():
        return None
    number = pd.factorize(pd.concat([streets["u"], streets["v"]]).astype(str))[0].astype(np.int64)
    return ends_of(shapes, *number.reshape(2, -1))


KNOWN_CLASSES: frozenset[str] = WALKED | {
    UNNAMED_CLASS,
    "motorway",
    "motorway_link",
    "trunk",
    "trunk_link",
    "cycleway",
    "construction",
    "proposed",
}


def _clipped_to(study: Study, streets: gpd.GeoDataFrame) -> shapely.Geometry | None:
    """Return the study area when the streets were cut off at its border; else nothing, and their own hull counts."""
    most_beyond = 0.005
    area = shapely.union_all(study.area.geometry.to_numpy())
    wide = shapely.buffer(area, EDGE_OF_DATA_M)
    shapely.prepare(wide)
    beyond = ~shapely.intersects(wide, shapely.points(shapely.get_coordinates(streets.geometry.to_numpy())))
    return area if beyond.mean() <= most_beyond else None


def _report(study: Study, network: WalkNetwork, notes: list[Note]) -> Streets:
    """Return the network with notes on walls and slopes, and a warning for each walled compound left open."""
    walls = network.walls
    compounds = study.layers.get("compounds")
    known = 0 if compounds is None else len(compounds)
    warnings: list[Fault] = []
    for zone in walls.gateless.tolist():
        if compounds is not None and zone < known:
            name = compounds["compound_id"].iloc[zone] if "compound_id" in compounds else zone
            warnings.append(Fault("streets.no_gate", layer="compounds", row=str(name), blocks=False))
    beyond = int((walls.gateless >= known).sum())
    if beyond:
        notes.append(Note("streets.osm_walls_open", {"walls": f"{beyond:,}"}))
    gates = study.layers.get("gates")
    given = 0 if gates is None or compounds is None else len(gates)
    for row in walls.unused_gates[walls.unused_gates < given].tolist():
        name = gates["gate_id"].iloc[row] if gates is not None and "gate_id" in gates else row
        warnings.append(Fault("streets.gate_unused", layer="gates", row=str(name), blocks=False))
    passed = walls.gates.open & (walls.gates.zone >= 0)
    counts = {"walls": f"{int(walls.sealed.sum()):,}", "gates": f"{int(passed.sum()):,}"}
    notes.append(Note(f"streets.policy_{walls.policy}", counts))
    private = float(network.edge_length_m[network.edge_private & (network.edge_component == 0)].sum())
    if private:
        notes.append(Note("streets.private", {"km": f"{private / 1000:,.1f}"}))
    if network.component_length_m.size > 1:
        rest = float(network.component_length_m[1:].sum())
        notes.append(
            Note(
                "streets.islands", {"islands": f"{network.component_length_m.size - 1:,}", "km": f"{rest / 1000:,.1f}"}
            )
        )
    return Streets(network, tuple(notes), tuple(warnings))


def walkers_of(study: Study) -> Mapping[str, Any]:
    """Return the walkers a study may name: those that ship and its own."""
    from ..gis.walkers import WALKERS, Walker  # noqa: PLC0415

    own = {name: Walker(name=name, **section.model_dump()) for name, section in study.settings.walkers.items()}
    return {**WALKERS, **own}
