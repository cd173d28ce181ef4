"""What the files of a folder are: which layer each may be, by its name, its geometry and its columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import openpyxl
import shapely

from ..gis.chinese import in_china
from ..gis.crs import as_crs, to_crs
from ..gis.errors import Fault, InputError, MissingFileError
from .cad import LAYER as CAD_LAYER
from .contracts import AREA, CONTRACTS
from .files import PARQUET, RASTER, TABLE, VECTOR, list_layers, read_source
from .graphml import GRAPHML
from .headings import propose_columns, propose_values
from .osmfile import is_osm
from .osmlayers import is_tagged
from .reading import How

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import geopandas as gpd

    from .table import Contract, Shape

KEYWORDS: dict[str, tuple[str, ...]] = {
    "zones": ("zones", "分析单元", "统计单元", "片区", "网格"),
    "area": (
        "boundary",
        "boundaries",
        "study_area",
        "studyarea",
        "outline",
        "extent",
        "边界",
        "范围",
        "市界",
        "区界",
        "area",
    ),
    "rings": ("rings", "ring", "圈层"),
    "ring_lines": ("ring_lines", "ringlines", "ring_roads", "环路", "环线"),
    "districts": ("subdistrict", "district", "township", "admin", "街道办", "街道", "乡镇", "行政区"),
    "compounds": ("compound", "neighbourhood", "neighborhood", "小区", "居住区", "社区", "community"),
    "gates": ("gates", "gate", "大门", "出入口"),
    "streets": ("streets", "street", "roads", "road", "highway", "network", "道路", "路网", "步行"),
    "barriers": ("barrier", "rivers", "river", "water", "railway", "河流", "水系", "铁路"),
    "facilities": (
        "facilities",
        "facility",
        "poi",
        "school",
        "hospital",
        "设施",
        "公服",
        "学校",
        "医院",
        "养老",
        "幼儿园",
    ),
    "parcels": ("parcels", "parcel", "zoning", "land_use", "landuse", "地块", "用地", "控规"),
    "projects": ("projects", "project", "renewal", "项目", "更新", "棚改", "改造"),
    "hazard": ("hazard", "flood", "landslide", "灾害", "隐患", "淹没", "内涝", "危险源"),
    "protection": ("protection", "heritage", "redline", "红线", "紫线", "文物保护", "保护区", "保护范围", "控制线"),
    "land": ("idle_land", "idle", "vacant", "land", "闲置", "空地", "低效"),
    "buildings": ("buildings", "building", "footprint", "建筑", "房屋"),
    "population": ("population", "people", "worldpop", "pop", "人口", "census", "hexgrid"),
    "dem": ("dem", "elevation", "srtm", "terrain", "高程", "地形"),
}
"""Words in the name of a file or of a layer inside it that tell what it is."""

_KEYWORD_POINTS, _REQUIRED_POINTS, _COLUMN_POINTS, _COMMON_POINTS = 4.0, 2.0, 1.0, 0.1
_LEAST_POINTS = 1.0
_COMMON = frozenset({"name", "kind", "year"})
_OF_KML = frozenset({"id", "tessellate", "extrude", "visibility", "drawOrder", "altitudeMode"})
"""Fields that GDAL gives of every KML and that say nothing of its features; the others only where they do."""
_SPOKEN_SHARE = 0.5
"""Share of a CAD layer's features that have texts the product reads, from which on the layer is taken."""


RESULTS = ("findings.gpkg", "manifest.json")
"""Files by which a folder that an earlier plan wrote is known."""
OF_RESULTS = "init.unused_results"
"""Why such a folder is not used."""


@dataclass(frozen=True, slots=True)
class Found:
    """One layer that was found in a file.

    Parameters
    ----------
    path
        The file.
    sublayer
        Layer or sheet inside it, where it has several.
    layer
        The product's layer it was taken for; None when it is like none, and ``reason`` says why.
    columns
        The product's columns and the file's, as far as they were recognised.
    fields
        All columns of the file.
    states_crs
        Whether the file states its CRS.
    bounds
        In degrees where that can be known (west, south, east, north); of a table without datum, as written.
    reason
        Text key of why it is not used.
    lacks
        Required columns that were not recognised.
    meanings, unknown_values
        Per choice column the product's value proposed for the file's, and the file's values that resemble none.
    """

    path: Path
    sublayer: str | None = None
    layer: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    fields: tuple[str, ...] = ()
    states_crs: bool = True
    bounds: tuple[float, float, float, float] | None = None
    reason: str | None = None
    lacks: tuple[str, ...] = ()
    meanings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    unknown_values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    points: float = 0.0
    """How well it fits the layer."""
    tagged: bool = False
    """Whether its columns are those of features taken from OSM."""
    cad_layers: tuple[str, ...] = ()
    """Of a drawing: the CAD layers to take, where others hold nothing of the kind."""


def survey(sources: Sequence[Path]) -> tuple[Found, ...]:
    """Look at files and folders and say what each layer in them may be.

    Parameters
    ----------
    sources
        Files, or folders whose files (and those of their folders) are looked at.

    Returns
    -------
    tuple of Found
        In the order of the sources and of their names. OSM extracts and rasters are among them.

    Raises
    ------
    MissingFileError
        When a source does not exist.
    """
    missing = [Fault("faults.file_missing", file=str(source)) for source in sources if not source.exists()]
    if missing:
        message = f"no such file: {missing[0].file}"
        raise MissingFileError(message, *missing)
    files: dict[Path, None] = {}
    results: dict[Path, None] = {}
    for source in sources:
        inside, skipped = _files_in(source)
        files.update(dict.fromkeys(inside))
        results.update(dict.fromkeys(skipped))
    looked = [found for file in files for found in _look(file)]
    return (*looked, *(Found(folder, reason=OF_RESULTS) for folder in results))


def _files_in(source: Path) -> tuple[list[Path], list[Path]]:
    """Return the data files of a folder and of its folders, or the file itself; and the folders of results left out."""
    if source.is_file() or source.suffix.lower() == ".gdb":
        return [source], []
    kinds = (*VECTOR, *TABLE, *PARQUET, *RASTER, *GRAPHML)
    results = [
        path.parent
        for path in sorted(source.rglob(RESULTS[0]))
        if all((path.parent / name).is_file() for name in RESULTS)
    ]
    out = []
    for path in sorted(source.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(source).parts)
        inside = any(parent.suffix.lower() == ".gdb" or parent in results for parent in path.parents)
        if not hidden and not inside and (path.suffix.lower() in kinds or is_osm(path)):
            out.append(path)
    return out, results


def _look(path: Path) -> list[Found]:
    """Look into one file."""
    if is_osm(path):
        return [Found(path, layer="streets")]
    if path.suffix.lower() in RASTER:
        names = {name: _keyword_length(path.stem, name) for name in ("dem", "population")}
        best = max(names, key=lambda name: names[name])
        return [Found(path, layer=best) if names[best] else Found(path, reason="init.unused_raster")]
    try:
        return [_guess(path, sublayer) for sublayer in _sublayers(path)]
    except InputError:
        return [Found(path, reason="init.unused_unreadable")]


def _sublayers(path: Path) -> list[str | None]:
    """Return the names of a file's layers or sheets; one None where it has just one."""
    suffix = path.suffix.lower()
    names: list[str | None] = [None]
    if suffix in VECTOR:
        names = [name for name, spatial in list_layers(path) if spatial]
    elif suffix in (".xlsx", ".xlsm"):
        try:
            book = openpyxl.load_workbook(path, read_only=True)
            names = list(book.sheetnames)
            book.close()
        except Exception as error:  # a broken archive raises whatever its reader raises
            message = f"cannot read {path}"
            raise InputError(message, Fault("faults.unreadable", file=str(path))) from error
    return names if len(names) > 1 else [None]


def _frames(path: Path, sublayer: str | None) -> Iterator[gpd.GeoDataFrame]:
    """Yield the features of a layer; of a drawing its polygons, its lines and its points, as far as it has them."""
    if path.suffix.lower() != ".dxf":
        yield read_source(path, How(layer=sublayer)).frame
        return
    kinds: tuple[Shape, ...] = ("Polygon", "LineString", "Point")
    errors = []
    for kind in kinds:
        try:
            yield read_source(path, How(shapes=(kind,))).frame
        except InputError as error:
            errors.append(error)
    if len(errors) == len(kinds):
        raise errors[0]


def _guess(path: Path, sublayer: str | None) -> Found:
    """Say what one layer of a file may be."""
    try:
        guessed = [_guess_of(path, sublayer, frame) for frame in _frames(path, sublayer)]
    except InputError as error:
        no_place = any(fault.code == "faults.no_coordinates" for fault in error.faults)
        return Found(path, sublayer, reason="init.unused_no_place" if no_place else "init.unused_unreadable")
    return max(guessed, key=lambda found: (found.reason is None, found.points))


def _guess_of(path: Path, sublayer: str | None, frame: gpd.GeoDataFrame) -> Found:
    """Say what the features of one layer of a file may be."""
    if path.suffix.lower() in (".kml", ".kmz"):
        frame = frame.drop(columns=[name for name in frame.columns if name in _OF_KML or frame[name].isna().all()])
    fields = tuple(str(name) for name in frame.columns if name != frame.geometry.name)
    if frame.empty:
        return Found(path, sublayer, fields=fields, reason="init.unused_empty")
    scores = {name: _points(contract, path, sublayer, frame, fields) for name, contract in _all_contracts().items()}
    layer = max(scores, key=lambda name: scores[name])
    bounds = _bounds(frame)
    if scores[layer] < _LEAST_POINTS:
        stated = frame.crs is not None
        return Found(path, sublayer, fields=fields, states_crs=stated, bounds=bounds, reason="init.unused_unknown")
    contract = _all_contracts()[layer]
    columns = propose_columns(list(fields), contract)
    tagged = is_tagged(fields)
    forgiven = {"facility_class"} if tagged else set[str]()
    required = (column.name for column in contract.columns if column.required)
    lacks = tuple(name for name in required if name not in columns and name not in forgiven)
    values, unknown = _values(frame, contract, columns)
    return Found(
        path,
        sublayer,
        layer,
        columns,
        fields,
        frame.crs is not None,
        bounds,
        reason="init.unused_lacks" if lacks else None,
        lacks=lacks,
        meanings=values,
        unknown_values=unknown,
        points=scores[layer],
        tagged=tagged,
        cad_layers=layers_with_words(frame, columns),
    )


def layers_with_words(frame: gpd.GeoDataFrame, columns: Mapping[str, str]) -> tuple[str, ...]:
    """Return the CAD layers of a drawing whose features mostly have texts that the product reads; none where all do.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import box
    >>> drawn = {"cad_layer": ["parcels", "frame"], "use": ["R2", None]}
    >>> layers_with_words(gpd.GeoDataFrame(drawn, geometry=[box(0, 0, 1, 1)] * 2), {"land_use": "use"})
    ('parcels',)
    """
    if CAD_LAYER not in frame.columns or not columns:
        return ()
    spoken = frame[list(columns.values())].notna().any(axis=1)
    share = spoken.groupby(frame[CAD_LAYER]).mean()
    kept = tuple(str(name) for name in share.index[share >= _SPOKEN_SHARE])
    return kept if len(kept) < len(share) else ()


def _values(
    frame: gpd.GeoDataFrame, contract: Contract, columns: Mapping[str, str]
) -> tuple[dict[str, dict[str, str]], dict[str, tuple[str, ...]]]:
    """Return for each choice what is proposed for the file's values that it does not know, and what is left."""
    values: dict[str, dict[str, str]] = {}
    unknown: dict[str, tuple[str, ...]] = {}
    for column in contract.columns:
        if column.kind != "choice" or column.name not in columns:
            continue
        given = frame[columns[column.name]].dropna().astype("str").str.strip()
        proposed, left = propose_values([text for text in given.unique() if text], column.choices)
        if proposed:
            values[column.name] = proposed
        if left:
            unknown[column.name] = tuple(left)
    return values, unknown


def _all_contracts() -> dict[str, Contract]:
    """Return the contracts of all layers that are features, the area among them."""
    return {"area": AREA, **CONTRACTS}


def _keyword_length(name: str, layer: str) -> int:
    """Return the length of the longest word in a name that tells of a layer, 0 for none."""
    lower = name.lower()
    return max((len(word.encode()) for word in KEYWORDS[layer] if word in lower), default=0)


def _points(
    contract: Contract, path: Path, sublayer: str | None, frame: gpd.GeoDataFrame, fields: tuple[str, ...]
) -> float:
    """Score how well a frame fits a layer: words in its names, columns recognised; impossible shapes score nothing."""
    kinds = {str(kind).removeprefix("Multi") for kind in frame.geom_type.dropna().unique()}
    if not kinds <= set(contract.shapes):
        return 0.0
    longest = {name: _keyword_length(sublayer or path.stem, name) for name in KEYWORDS}
    points = 0.0
    if longest[contract.layer] and longest[contract.layer] == max(longest.values()):
        points += _KEYWORD_POINTS
    found = propose_columns(list(fields), contract)
    for column in contract.columns:
        if column.name in found:
            common = column.kind == "id" or column.name in _COMMON
            points += _COMMON_POINTS if common else _REQUIRED_POINTS if column.required else _COLUMN_POINTS
        elif column.required:
            points -= _COLUMN_POINTS
    if contract.layer == "area" and len(frame) == 1:
        points += _LEAST_POINTS
    return points


def _bounds(frame: gpd.GeoDataFrame) -> tuple[float, float, float, float]:
    """Return the bounds of a frame, in degrees where its CRS is known."""
    outline = shapely.box(*frame.total_bounds)
    if frame.crs is not None:
        outline = to_crs(outline, as_crs(frame.crs), "EPSG:4326")
    west, south, east, north = outline.bounds
    return west, south, east, north


def outside_china(bounds: tuple[float, float, float, float]) -> bool:
    """Tell whether bounds are in degrees and wholly where no map is shifted, so that a bare lon/lat can only be WGS 84.

    Examples
    --------
    >>> outside_china((-51.3, -30.2, -51.1, -29.9)), outside_china((116.9, 36.6, 117.1, 36.7))
    (True, False)
    """
    west, south, east, north = bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        return False
    corners = shapely.get_coordinates(shapely.box(west, south, east, north))
    return not bool(in_china(corners).any())
