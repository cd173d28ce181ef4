"""Drawings (DXF): closed lines as polygons, texts inside them as their columns, blocks as points.

GDAL reads the entities, blocks unfolded and arcs as short chords. The rest is done here: the encoding, decided on the
whole file's bytes (newer drawings are UTF-8 whatever code page they state), units, lines that meet, texts.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely

from ..gis.errors import Fault, InputError
from .cadshapes import Texts, labelled, outlines, texts_of
from .encodings import decode_text
from .reading import Reading, unreadable
from .study import Note

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .reading import How

LAYER = "cad_layer"
"""Column with the CAD layer of a feature: usable in ``keep`` and ``columns``."""

TEXT, BLOCK = "cad_text", "cad_block"

UNITS: dict[int, tuple[str, float]] = {
    1: ("in", 0.0254),
    2: ("ft", 0.3048),
    3: ("mi", 1609.344),
    4: ("mm", 0.001),
    5: ("cm", 0.01),
    6: ("m", 1.0),
    7: ("km", 1000.0),
    14: ("dm", 0.1),
}
"""$INSUNITS of the header: what one unit of the drawing is, and how many metres."""

GRID_MOST = 2e7
"""No coordinate of a grid in metres is larger, zone prefix included only in eastings of eight digits."""

EXTENT_MOST_M, EXTENT_LEAST_M = 300_000.0, 100.0
"""Extents that a drawing of a city may have."""

SHOWN = 3
"""How many loose ends are named."""


@dataclass(frozen=True, slots=True)
class _Drawing:
    """Entities of the model space, and where blocks were inserted."""

    entities: pd.DataFrame
    """``layer``, ``kind``, ``text``, ``style``, ``geometry``."""
    inserts: pd.DataFrame
    """``layer``, ``block``, ``values`` (tag → text), ``geometry``."""
    codec: str


def read_drawing(path: Path, how: How) -> Reading:
    """Read a DXF drawing as features of the kinds that a layer may hold.

    * Layers of **polygons**: closed lines, lines and arcs whose ends meet within 0.1 m, circles, hatches. A line within
      another of its CAD layer is cut out of it, so that ground counts once. Texts and block attributes inside
      become columns: a column for each CAD layer of texts or each tag; ``key: value`` lines a column each. Points are
      taken too where the layer may hold them: blocks and points outside every polygon.
    * Layers of **lines**: lines as they are.
    * Layers of **points**: inserted blocks with their attributes, else points, else texts.

    The column ``cad_layer`` holds the CAD layer.

    Parameters
    ----------
    path
        The drawing.
    how
        ``layers`` names the CAD layers of the features; texts are taken from all.

    Raises
    ------
    InputError
        When it is no DXF, a CAD layer is not there, its units are not metres, or nothing of the kind is in it.
    """
    data = path.read_bytes()
    _refuse_other_kinds(data, path)
    text, codec = decode_text(data, file=str(path), encoding=how.encoding)
    # Of another encoding GDAL recodes texts but not the names of blocks and tags.
    drawing = _entities(path if codec == "utf-8" else text.encode(), path, codec)
    faults = _unit_faults(data, drawing, path)
    wanted, named = _wanted(drawing, how, path)
    try:
        frame, more = _features(drawing, wanted, how, path)
    except shapely.errors.GEOSException as error:  # coordinates that no geometry can have
        raise unreadable(path, error) from error
    if frame.empty:
        message = f"{path} holds nothing of the kind"
        raise InputError(message, Fault("files.cad_nothing", file=str(path), detail=_kinds_found(drawing, wanted)))
    several = sorted(set(frame[LAYER])) if not named else []
    if len(several) > 1:
        counts = Counter(frame[LAYER])
        listed = ", ".join(f"{name} ({counts[name]})" for name in several)
        faults.append(Fault("files.cad_layers", file=str(path), detail={"names": listed}, blocks=False))
    note = Note("study.encoding", {"file": path.name, "encoding": drawing.codec, "by": "bytes"})
    return Reading(frame, drawing.codec, notes=(note,), warnings=(*faults, *more))


def _refuse_other_kinds(data: bytes, path: Path) -> None:
    """Raise for a DWG under another name and for a binary DXF."""
    if re.match(rb"AC10\d\d", data[:6]):
        message = f"{path} is a DWG"
        raise InputError(message, Fault("files.instead_dwg", file=str(path)))
    if data.startswith(b"AutoCAD Binary DXF"):
        message = f"{path} is a binary DXF"
        raise InputError(message, Fault("files.cad_binary", file=str(path)))


@contextmanager
def _gdal(**options: str) -> Iterator[None]:
    """Set options of GDAL for a while."""
    pyogrio.set_gdal_config_options(options)
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options(dict.fromkeys(options))


def _read(source: Path | bytes, path: Path, sql: str | None) -> pd.DataFrame:
    """Read the entities layer with GDAL."""
    stated = {"sql": sql, "sql_dialect": "OGRSQL"} if sql else {"layer": "entities"}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # entities that have no place on a map: solids, viewports
            return pd.DataFrame(pyogrio.read_dataframe(source, **stated))
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pyogrio.errors.FeatureError) as error:
        raise unreadable(path, error) from error
    except (UnicodeDecodeError, shapely.errors.GEOSException, ValueError, RuntimeError, KeyError, OSError) as error:
        raise unreadable(path, error) from error


def _entities(source: Path | bytes, path: Path, codec: str) -> _Drawing:
    """Read the entities of the model space, blocks unfolded, and once more the blocks as such."""
    with _gdal(DXF_ENCODING="UTF-8", OGR_ARC_STEPSIZE="1", DXF_MERGE_BLOCK_GEOMETRIES="FALSE"):
        flat = _read(source, path, "SELECT *, OGR_STYLE FROM entities")
        folded = pd.DataFrame()
        if flat["SubClasses"].astype("str").str.contains("BlockReference|AcDbAttribute").any():
            with _gdal(DXF_INLINE_BLOCKS="FALSE"):
                folded = _read(source, path, None)
    flat = flat[(flat["PaperSpace"].fillna(0) != 1) & flat["geometry"].notna()]
    texts = flat["Text"].where(~flat["SubClasses"].astype("str").str.contains("Hatch"))
    entities = pd.DataFrame(
        {
            "layer": flat["Layer"].fillna("0").astype("str"),
            "kind": flat["SubClasses"].astype("str"),
            "text": texts,
            "style": flat["OGR_STYLE"],
            "geometry": shapely.force_2d(flat["geometry"].to_numpy()),
        }
    )
    if folded.empty or "BlockName" not in folded.columns:
        inserts = pd.DataFrame({"layer": [], "block": [], "values": [], "geometry": []})
    else:
        folded = folded[(folded["PaperSpace"].fillna(0) != 1) & folded["BlockName"].notna()]
        inserts = pd.DataFrame(
            {
                "layer": folded["Layer"].fillna("0").astype("str"),
                "block": folded["BlockName"].astype("str"),
                "values": [_tags(pairs) for pairs in folded["BlockAttributes"]],
                "geometry": shapely.force_2d(folded["geometry"].to_numpy()),
            }
        )
        if inserts["values"].map(bool).any():  # the same texts come once as attributes of their block
            entities = entities[~entities["kind"].str.contains("AcDbAttribute")]
    return _Drawing(entities.reset_index(drop=True), inserts.reset_index(drop=True), codec)


def _tags(pairs: object) -> dict[str, str]:
    """Return the attributes of a block, which GDAL gives as "tag value"."""
    listed = pairs if isinstance(pairs, (list, np.ndarray)) else []
    split = (str(pair).partition(" ") for pair in listed)
    return {tag: value.strip() for tag, _, value in split if tag and value.strip()}


def _unit_faults(data: bytes, drawing: _Drawing, path: Path) -> list[Fault]:
    """Judge the units of a drawing by its header and its extent: a fault where it is not in metres.

    Many templates state millimetres although planners draw in metres, so what is stated counts only where the
    coordinates can be it.
    """
    stated = re.search(rb"\$INSUNITS\s+70\s+(\d+)", data)
    name, metres = UNITS.get(int(stated[1]) if stated else 0, ("", 1.0))
    shapes = drawing.entities["geometry"].to_numpy()
    if name in ("", "m") or not len(shapes):
        return []
    west, south, east, north = shapely.total_bounds(shapes)
    if not np.isfinite([west, south, east, north]).all():
        return []
    across = max(east - west, north - south)
    fits = EXTENT_LEAST_M <= across <= EXTENT_MOST_M and abs(north) < GRID_MOST
    detail = {"unit": name, "factor": f"{metres:g}", "across": round(across)}
    if fits and across * metres < EXTENT_LEAST_M:
        return [Fault("files.cad_units_header", file=str(path), detail=detail, blocks=False)]
    message = f"{path} is drawn in {name}"
    raise InputError(message, Fault("files.cad_units", file=str(path), detail=detail))


def _wanted(drawing: _Drawing, how: How, path: Path) -> tuple[frozenset[str], bool]:
    """Return the CAD layers of the features, and whether they were named.

    Raises
    ------
    InputError
        When one is not there.
    """
    present = sorted({*drawing.entities["layer"], *drawing.inserts["layer"]})
    names = how.layers or ((how.layer,) if how.layer is not None else ())
    by_name = {name.casefold().strip(): name for name in present}
    missing = [name for name in names if name.casefold().strip() not in by_name]
    if missing:
        message = f"{path} has no CAD layer {missing[0]!r}"
        detail = {"names": ", ".join(present)}
        listed = (Fault("faults.sublayer_missing", file=str(path), value=name, detail=detail) for name in missing)
        raise InputError(message, *listed)
    return (frozenset(by_name[name.casefold().strip()] for name in names) or frozenset(present)), bool(names)


def _features(drawing: _Drawing, wanted: frozenset[str], how: How, path: Path) -> tuple[gpd.GeoDataFrame, list[Fault]]:
    """Return the features of the kinds that a layer may hold, and what the user should know of the drawing."""
    entities = drawing.entities[drawing.entities["layer"].isin(wanted)]
    texts = texts_of(drawing.entities, drawing.inserts)
    if "Polygon" not in how.shapes:
        return (_lines(entities), []) if "LineString" in how.shapes else (_points(drawing, wanted, texts), [])
    if tuple(how.shapes) == ("LineString", "Polygon"):
        hatches = entities[shapely.get_dimensions(entities["geometry"].to_numpy()) == 2]
        filled = gpd.GeoDataFrame({LAYER: hatches["layer"].to_numpy()}, geometry=hatches["geometry"].to_numpy())
        return gpd.GeoDataFrame(pd.concat([_lines(entities), filled], ignore_index=True)), []
    found = outlines(entities)
    frame, placed, holes = labelled(found, texts, LAYER)
    faults = []
    if found.loose:
        shown = "; ".join(f"({x:.1f}, {y:.1f})" for x, y in found.ends[:SHOWN])
        detail = {"count": found.loose, "ends": shown}
        faults.append(Fault("files.cad_open", file=str(path), detail=detail, blocks=False))
    if holes:
        faults.append(Fault("files.cad_holes", file=str(path), detail={"count": holes}, blocks=False))
    stray = int((~placed).sum()) if len(frame) else 0
    if stray:
        faults.append(Fault("files.cad_texts", file=str(path), detail={"count": stray}, blocks=False))
    if "Point" in how.shapes:
        frame = _with_points(frame, _points(drawing, wanted, texts))
    if frame.empty and "LineString" in how.shapes:
        return _lines(entities), faults
    return frame, faults


def _with_points(polygons: gpd.GeoDataFrame, points: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return polygons and the points outside them."""
    if polygons.empty or points.empty:
        return points if polygons.empty else polygons
    inside = shapely.STRtree(polygons.geometry.to_numpy()).query(points.geometry.to_numpy(), predicate="intersects")[0]
    outside = points[~np.isin(np.arange(len(points)), inside)]
    return gpd.GeoDataFrame(pd.concat([polygons, outside], ignore_index=True)) if len(outside) else polygons


def _lines(entities: pd.DataFrame) -> gpd.GeoDataFrame:
    """Return lines as they are."""
    lines = entities[shapely.get_dimensions(entities["geometry"].to_numpy()) == 1]
    return gpd.GeoDataFrame({LAYER: lines["layer"].to_numpy()}, geometry=lines["geometry"].to_numpy())


def _points(drawing: _Drawing, wanted: frozenset[str], texts: Texts) -> gpd.GeoDataFrame:
    """Return inserted blocks with their attributes, else points, else texts."""
    inserts = drawing.inserts[drawing.inserts["layer"].isin(wanted)]
    if len(inserts):
        tags = sorted({tag for values in inserts["values"] for tag in values})
        columns = {tag: [values.get(tag) for values in inserts["values"]] for tag in tags}
        columns |= {LAYER: list(inserts["layer"]), BLOCK: list(inserts["block"])}
        return gpd.GeoDataFrame(columns, geometry=inserts["geometry"].to_numpy())
    entities = drawing.entities[drawing.entities["layer"].isin(wanted) & drawing.entities["text"].isna()]
    points = entities[shapely.get_type_id(entities["geometry"].to_numpy()) == 0]
    if len(points):
        return gpd.GeoDataFrame({LAYER: points["layer"].to_numpy()}, geometry=points["geometry"].to_numpy())
    rows = np.flatnonzero(np.isin(texts.source, sorted(wanted)))
    spoken = {LAYER: texts.source[rows], TEXT: texts.text[rows]}
    return gpd.GeoDataFrame(spoken, geometry=texts.anchor[rows])


def _kinds_found(drawing: _Drawing, wanted: frozenset[str]) -> dict[str, object]:
    """Return what the wanted CAD layers hold, for the fault that says that it is not what is needed."""
    entities = drawing.entities[drawing.entities["layer"].isin(wanted)]
    dimensions = shapely.get_dimensions(entities["geometry"].to_numpy())
    return {
        "lines": int((dimensions == 1).sum()),
        "texts": int(entities["text"].notna().sum()),
        "blocks": int(drawing.inserts["layer"].isin(wanted).sum()),
    }
