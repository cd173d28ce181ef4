"""Styles for QGIS, inside the findings' GeoPackage: every layer opens coloured and labelled as on the maps."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pandas as pd
import pyogrio

from ..layers.store import FIXED_TIME
from ..layers.words import Language, say
from . import style

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ..layers.findings import Findings

TABLE = "layer_styles"
"""The table in which QGIS keeps a GeoPackage's styles."""
_MM_PER_PX = 0.26
_FULL = 255


def write_styles(findings: Findings, geopackage: Path, *, language: Language) -> None:
    """Add a default style for each layer of the findings to their GeoPackage.

    Written as the table ``layer_styles`` that QGIS reads when it opens a layer (QML of QGIS 3).
    """
    rows = [
        {
            "f_table_catalog": "",
            "f_table_schema": "",
            "f_table_name": name,
            "f_geometry_column": "geom",
            "styleName": name,
            "styleQML": qml,
            "styleSLD": "",
            "useAsDefault": True,
            "description": name,
            "owner": "",
            "ui": "",
            "update_time": FIXED_TIME,
        }
        for name, qml in _documents(findings, language).items()
    ]
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": FIXED_TIME})
    try:
        pyogrio.write_dataframe(
            pd.DataFrame(rows), geopackage, layer=TABLE, driver="GPKG", append=True, layer_options={"FID": "id"}
        )
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


def _documents(findings: Findings, language: Language) -> dict[str, str]:
    """Return the QML text of each layer."""
    classes = findings.manifest["classes"]
    marks = style.class_marks(classes)
    by_class = [(key, entry[language], marks[key]) for key, entry in classes.items()]
    rings = findings.layers["rings"]
    documents = {
        "area": _single(_area(style.LOOKS["area"])),
        "rings": _categories(
            "order",
            [
                (
                    str(order),
                    name,
                    _area(style.Look(line=style.LOOKS["rings"].line, fill=style.ring_fill(int(order)), opacity=0.5)),
                )
                for order, name in zip(rings["order"], rings["name"], strict=True)
            ],
            label="name",
        ),
        "districts": _single(_area(style.LOOKS["districts"]), label="name"),
        "zones": _single(_area(style.LOOKS["districts"]), label="name"),
        "compounds": _ranges("missing_count", _missing_steps(findings, language)),
        "parcels": _categories(
            "use_group",
            [(use, say(f"values.use_{use}", language), _area(_filled(fill))) for use, fill in style.USE_FILLS.items()],
        ),
        "projects": _categories(
            "way",
            [
                (way, say(f"values.way_{way}", language), _area(_filled(fill, 0.35)))
                for way, fill in style.WAY_FILLS.items()
            ],
            label="name",
        ),
        "facilities": _categories("facility_class", [(key, name, _mark(mark, 2.4)) for key, name, mark in by_class]),
        "demand": _single(_mark(style.Mark("circle", style.MUTED), 0.8)),
        "circles": _categories(
            "facility_class",
            [(key, name, _area(_filled(mark.color, 0.2, line=mark.color))) for key, name, mark in by_class],
        ),
        "gaps": _categories(
            "facility_class", [(key, name, _mark(style.Mark("circle", style.GAP), 1.6)) for key, name, _ in by_class]
        ),
        "sites": _categories(
            "facility_class",
            [(key, name, _mark(style.Mark("star", style.SITE), 5.0)) for key, name, _ in by_class],
            label="name",
        ),
        "candidates": _single(_area(style.LOOKS["candidates"])),
        "streets": _single(_line(style.LOOKS["street_minor"])),
        "barriers": _single(_line(style.LOOKS["river"])),
    }
    return {name: documents[name] for name in documents if name in findings.layers}


def _filled(fill: str, opacity: float = 0.8, *, line: str | None = None) -> style.Look:
    """Return the look of an area with a fill."""
    return style.Look(line=line or style.PAPER, width_px=0.7, fill=fill, opacity=opacity)


def _missing_steps(findings: Findings, language: Language) -> list[tuple[float, float, str, ET.Element]]:
    """Return the classes of `compounds` by how much they lack: from, to, label, symbol."""
    cuts = style.missing_cuts(findings.layers["compounds"]["missing_count"].dropna().astype(float))
    ends = [*cuts[1:], 1000]
    return [
        (low - 0.5, high - 0.5, label, _area(_filled(fill)))
        for low, high, label, fill in zip(
            cuts, ends, style.missing_labels(language, cuts), style.MISSING_FILLS, strict=False
        )
    ]


def _rgba(color: str | None, opacity: float = 1.0) -> str:
    """Return a colour as QGIS writes it."""
    if color is None:
        return "0,0,0,0"
    red, green, blue = (int(color[start : start + 2], 16) for start in (1, 3, 5))
    return f"{red},{green},{blue},{round(opacity * _FULL)}"


def _symbol(kind: str, layer: str, options: dict[str, str]) -> ET.Element:
    """Return a symbol of one layer."""
    symbol = ET.Element("symbol", type=kind, name="0", alpha="1", clip_to_extent="1", force_rhr="0")
    inner = ET.SubElement(symbol, "layer", {"class": layer, "enabled": "1", "locked": "0", "pass": "0"})
    box = ET.SubElement(inner, "Option", type="Map")
    for name, value in options.items():
        ET.SubElement(box, "Option", type="QString", name=name, value=value)
    return symbol


def _area(look: style.Look) -> ET.Element:
    """Return a polygon symbol."""
    return _symbol(
        "fill",
        "SimpleFill",
        {
            "color": _rgba(look.fill, look.opacity),
            "style": "solid" if look.fill else "no",
            "outline_color": _rgba(look.line),
            "outline_style": "no" if look.line is None else "dash" if look.dash else "solid",
            "outline_width": f"{look.width_px * _MM_PER_PX:.2f}",
            "outline_width_unit": "MM",
        },
    )


def _line(look: style.Look) -> ET.Element:
    """Return a line symbol."""
    return _symbol(
        "line",
        "SimpleLine",
        {
            "line_color": _rgba(look.line),
            "line_style": "dash" if look.dash else "solid",
            "line_width": f"{look.width_px * _MM_PER_PX:.2f}",
            "line_width_unit": "MM",
        },
    )


_QGIS_SHAPES: dict[style.Shape, str] = {
    "circle": "circle",
    "square": "square",
    "triangle": "triangle",
    "diamond": "diamond",
    "pentagon": "pentagon",
    "cross": "cross_fill",
    "star": "star",
    "down": "triangle",
}


def _mark(mark: style.Mark, size_mm: float) -> ET.Element:
    """Return a point symbol."""
    return _symbol(
        "marker",
        "SimpleMarker",
        {
            "name": _QGIS_SHAPES[mark.shape],
            "angle": "180" if mark.shape == "down" else "0",
            "color": _rgba(mark.color),
            "outline_color": _rgba(style.PAPER),
            "outline_width": "0.2",
            "size": f"{size_mm:.1f}",
            "size_unit": "MM",
        },
    )


def _document(renderer: ET.Element, label: str | None) -> str:
    """Return the whole QML: the renderer, and labels from a column where one is named."""
    root = ET.Element(
        "qgis", version="3.22.0", styleCategories="Symbology|Labeling", labelsEnabled="1" if label else "0"
    )
    root.append(renderer)
    if label:
        labeling = ET.SubElement(root, "labeling", type="simple")
        settings = ET.SubElement(labeling, "settings", calloutType="simple")
        text = ET.SubElement(
            settings,
            "text-style",
            fieldName=label,
            isExpression="0",
            fontFamily=style.FONTS[0],
            fontSize="9",
            fontSizeUnit="Point",
            textColor=_rgba(style.INK),
        )
        ET.SubElement(
            text, "text-buffer", bufferDraw="1", bufferSize="0.8", bufferSizeUnits="MM", bufferColor=_rgba(style.PAPER)
        )
    return ET.tostring(root, encoding="unicode")


def _renderer(kind: str, symbols: Iterable[ET.Element], **attributes: str) -> ET.Element:
    """Return a renderer with its symbols numbered."""
    fixed = {"type": kind, "enableorderby": "0", "forceraster": "0", "symbollevels": "0"}
    renderer = ET.Element("renderer-v2", {**fixed, **attributes})
    box = ET.SubElement(renderer, "symbols")
    for number, symbol in enumerate(symbols):
        symbol.set("name", str(number))
        box.append(symbol)
    return renderer


def _single(symbol: ET.Element, *, label: str | None = None) -> str:
    """Return the QML of a layer with one symbol."""
    return _document(_renderer("singleSymbol", [symbol]), label)


def _categories(column: str, entries: list[tuple[str, str, ET.Element]], *, label: str | None = None) -> str:
    """Return the QML of a layer with one symbol for each value: value, text, symbol."""
    renderer = _renderer("categorizedSymbol", (symbol for _, _, symbol in entries), attr=column)
    box = ET.SubElement(renderer, "categories")
    for number, (value, text, _) in enumerate(entries):
        ET.SubElement(box, "category", value=value, label=text, symbol=str(number), render="true")
    return _document(renderer, label)


def _ranges(column: str, entries: list[tuple[float, float, str, ET.Element]]) -> str:
    """Return the QML of a layer with one symbol for each range: from, to, text, symbol."""
    renderer = _renderer(
        "graduatedSymbol", (symbol for *_, symbol in entries), attr=column, graduatedMethod="GraduatedColor"
    )
    box = ET.SubElement(renderer, "ranges")
    for number, (low, high, text, _) in enumerate(entries):
        ET.SubElement(box, "range", lower=f"{low}", upper=f"{high}", label=text, symbol=str(number), render="true")
    return _document(renderer, None)
