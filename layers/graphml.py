"""GraphML files of OSMnx: a street graph as a line layer whose lines name their end nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

import defusedxml.ElementTree as SafeTree
import geopandas as gpd
import numpy as np
from defusedxml.common import DefusedXmlException

from ..gis.errors import Fault, InputError
from ..gis.graphs import StreetGraph, street_graph

if TYPE_CHECKING:
    from pathlib import Path
    from xml.etree.ElementTree import Element

GRAPHML = (".graphml",)
_SPACE = "{http://graphml.graphdrawing.org/xmlns}"


def read_graphml(path: Path) -> StreetGraph:
    """Return the street graph of a GraphML file.

    Entities are refused. Lengths that the file states are not walked: they are measured.

    Raises
    ------
    InputError
        When the file is no GraphML, is broken off, or has nodes without coordinates.
    """
    names: dict[str, str] = {}
    graph: dict[str, object] = {}
    nodes: list[tuple[str, dict[str, object]]] = []
    edges: list[tuple[str, str, dict[str, object]]] = []
    try:
        for _, part in SafeTree.iterparse(path, events=("end",), forbid_dtd=True):
            kind = part.tag.removeprefix(_SPACE)
            if kind == "key":
                names[part.get("id", "")] = part.get("attr.name", "")
            elif kind == "node":
                nodes.append((part.get("id", ""), _data(part, names)))
                part.clear()
            elif kind == "edge":
                edges.append((part.get("source", ""), part.get("target", ""), _data(part, names)))
                part.clear()
            elif kind == "graph":
                graph = _data(part, names)
    except (ParseError, DefusedXmlException, UnicodeError, ValueError, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        message = f"cannot read {path}: {reason}"
        raise InputError(message, Fault("faults.unreadable", file=str(path), detail={"reason": reason})) from error
    if not nodes:
        reason = "no nodes"
        message = f"cannot read {path} as GraphML: {reason}"
        raise InputError(message, Fault("faults.unreadable", file=str(path), detail={"reason": reason}))
    return street_graph(nodes, edges, graph.get("crs"))


def _data(part: Element, names: dict[str, str]) -> dict[str, object]:
    """Return the attributes of a graph, node or edge."""
    return {names.get(data.get("key", ""), ""): data.text for data in part if data.tag.removeprefix(_SPACE) == "data"}


def graphml_frame(path: Path) -> gpd.GeoDataFrame:
    """Return the edges of a GraphML file as a line layer: tags as columns, and end nodes ``u`` and ``v``.

    Lengths that edges without a line state stand in ``stated_m``.

    Raises
    ------
    InputError
        As `read_graphml`.
    """
    graph = read_graphml(path)
    keys = sorted({key for tags in graph.tags for key in tags})
    columns = {key: np.array([tags.get(key) for tags in graph.tags], dtype=object) for key in keys}
    # A viaduct is a bridge too: as columns these two say yes or no.
    for key in {"bridge", "tunnel"} & columns.keys():
        columns[key] = np.array([tags.get(key, "no") != "no" for tags in graph.tags], dtype=bool)
    ends = {"u": graph.ends[:, 0], "v": graph.ends[:, 1]}
    if np.isfinite(graph.stated_m).any():
        columns["stated_m"] = graph.stated_m
    return gpd.GeoDataFrame({**ends, **columns}, geometry=graph.lines, crs=graph.crs)
