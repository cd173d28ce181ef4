"""The interactive map: one HTML file made with folium that holds everything it shows and never asks the network."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from dataclasses import asdict
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, cast

import folium
from branca.element import Element

from ..gis.crs import GCJ_NAME
from ..layers.output import whole_folder
from ..layers.words import Language, catalogue, layer_name, say
from . import formats, style
from .inline import LEAFLET_CSS, LEAFLET_JS, OWN, inline
from .limits import confidence_of, limits_said, rule_basis
from .pack import WGS84, script_json, squeeze
from .pagecoverage import coverage_rows, measures_offered
from .pagefields import Names
from .pagelayers import GAP_STATUSES, STATUSES, page_content
from .quotes import crs_label, file_name, in_metres, language_of, nature_of_data, walker_label

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from branca.element import Figure

    from ..layers.findings import Findings
    from .pagetree import Content

SCRIPTS = (
    "format.js",
    "data.js",
    "dom.js",
    "shapes.js",
    "layers.js",
    "legend.js",
    "popup.js",
    "tree.js",
    "search.js",
    "panel.js",
    "page.js",
)
"""Own scripts in the order they run."""
TOTALS = (("people", "people"), ("elders_60", "people"), ("households", "people"), ("compounds", "count"))


def write_page(findings: Findings, path: Path, *, language: Language | None = None) -> Path:
    """Write the interactive map of a study as one HTML file that opens from disk without a network.

    Parameters
    ----------
    findings
        What to show.
    path
        The file to write; its folder is made where it does not exist. An older file is replaced only by a whole one.
    language
        Of the page; the study's own where it is not given.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    OutputError
        When the file cannot be written, or the page would need a file from the network.
    """
    text = render_page(findings, language=language)
    with whole_folder(path.parent) as folder:
        (folder / path.name).write_text(text, encoding="utf-8", newline="\n")
    return path


def render_page(findings: Findings, *, language: Language | None = None) -> str:
    """Return the page that `write_page` writes; the same text for the same findings."""
    spoken = language_of(findings, language)
    names = Names(findings, spoken)
    content = page_content(findings, names)
    west, south, east, north = _bounds(findings)
    map_ = folium.Map(
        location=((south + north) / 2, (west + east) / 2),
        zoom_start=12,
        tiles=None,
        zoom_control=False,
        attributionControl=False,
        zoomSnap=0.5,
        zoomDelta=0.5,
        maxZoom=19,
        minZoom=8,
    )
    map_._id = "page"  # noqa: SLF001  folium draws a new random id for every run; the same findings give the same page
    map_.default_js = [("leaflet", LEAFLET_JS)]
    map_.default_css = [("leaflet_css", LEAFLET_CSS)]
    figure = cast("Figure", map_.get_root())
    figure.title = html.escape(str(findings.manifest["study"]["name"]))
    figure.header.add_child(Element(f"<style>{_variables()}</style>"), name="variables")
    figure.header.add_child(Element(f'<link rel="stylesheet" href="{OWN}page.css"/>'), name="page_css")
    figure.html.add_child(
        Element(f"<noscript>{html.escape(say('map.page_no_script', spoken))}</noscript>"), name="no_script"
    )
    for name in SCRIPTS:
        figure.html.add_child(Element(f'<script src="{OWN}{name}"></script>'), name=name)
    figure.script.add_child(Element(f"lifecircle.start(() => {map_.get_name()});"), name="zz_start")
    page = inline(figure.render())
    page = page.replace("<html>", f'<html lang="{"zh-CN" if spoken == "zh" else "en"}">', 1)
    page = page.replace("<head>", f'<head>\n<meta http-equiv="Content-Security-Policy" content="{_policy(page)}">', 1)
    config = _config(findings, names, content, (west, south, east, north))
    return page.replace("<body>", "<body>\n" + "\n".join(_data_elements(config, content)) + "\n", 1)


def _policy(page: str) -> str:
    """Return what the browser is allowed: to run the scripts that are in the page now, and to fetch nothing at all."""
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii") for script in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in hashes)
    rest = "style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"
    return f"default-src 'none'; script-src {allowed}; {rest}"


def _variables() -> str:
    """Return the colours and fonts of the style as CSS variables."""
    fonts = ", ".join(family if family == "sans-serif" else f'"{family}"' for family in style.FONTS)
    variables = {
        "ink": style.INK,
        "muted": style.MUTED,
        "rule": style.RULE,
        "accent": style.ACCENT,
        "good": style.GOOD,
        "good-light": style.GOOD_AFTER,
        "lacking": style.LACKING_TEXT,
        "paper": style.PAPER,
        "land": style.LAND,
        "fonts": fonts,
    }
    return ":root {" + " ".join(f"--{name}: {value};" for name, value in variables.items()) + "}"


def _data_elements(config: Mapping[str, Any], content: Content) -> list[str]:
    """Return the elements that hold the page's data; nothing in them can end the element early."""
    packed = [
        f'<script type="application/gzip" id="data-{name}">{squeeze(data)}</script>'
        for name, data in content.datasets.items()
    ]
    return [f'<script type="application/json" id="lifecircle-page">{script_json(config)}</script>', *packed]


def _bounds(findings: Findings) -> tuple[float, float, float, float]:
    """Return west, south, east and north of the study area in degrees, or of whatever is there where it has none."""
    frames = (findings.layers[name] for name in ("area", "rings", "compounds", "demand", "streets"))
    frame = next(frame for frame in frames if not frame.empty)
    west, south, east, north = (float(value) for value in frame.geometry.to_crs(WGS84).total_bounds)
    return west, south, east, north


def _config(
    findings: Findings, names: Names, content: Content, bounds: tuple[float, float, float, float]
) -> dict[str, Any]:
    """Return what the page's scripts need besides the data: texts, looks, layers, the summary."""
    spoken = names.language
    texts = {
        key.removeprefix("map.page_"): value[spoken]
        for key, value in catalogue().items()
        if key.startswith("map.page_")
    }
    texts["search"] = texts[f"search_{names.homes}"]
    kinds = {
        kind: asdict(form) | {"unit": say(form.unit, spoken) if form.unit else ""}
        for kind, form in formats.NUMBER_FORMATS.items()
    }
    return {
        "language": spoken,
        "texts": texts,
        "formats": kinds,
        "scales": formats.scales(spoken),
        "walk_kinds": formats.WALK_KINDS,
        "nothing": formats.NOTHING,
        "looks": {name: asdict(look) for name, look in style.LOOKS.items()},
        "ink": style.INK,
        "accent": style.ACCENT,
        "classes": [
            {
                "key": key,
                "name": names.short(key),
                "basis": rule_basis(findings, key, spoken),
                "sure": confidence_of(findings, key),
            }
            for key in names.classes
        ],
        "statuses": [str(names.of_value("missing", status)) for status in STATUSES],
        "status_fills": [style.STATUS_FILLS[status] for status in STATUSES],
        "gap_statuses": [str(names.of_value("gap", status)) for status in GAP_STATUSES],
        "bounds": bounds,
        "layers": content.layers,
        "tree": content.tree,
        "study": _study(findings, spoken),
        "sources": _sources(findings, spoken),
        "attribution": _attribution(findings, spoken),
        "totals": _totals(findings, names),
        "people_shown": _people_shown(findings),
        "coverage": coverage_rows(findings, names),
        "measures": measures_offered(names),
        "sites": _sites(findings, names),
    }


def _study(findings: Findings, language: Language) -> dict[str, Any]:
    """Return the title block."""
    study = findings.manifest["study"]
    lines = [formats.format_date(study.get("date"), language)]
    if study.get("standard"):
        lines.append(say("map.by_standard", language, standard=PurePath(str(study["standard"])).stem.upper()))
    if not in_metres(findings):
        lines.append(say("map.walker_line", language, walker=walker_label(findings, language)))
    nature = nature_of_data(findings)
    if nature.startswith("estimated"):
        lines.append(say(f"map.{nature}", language))
    return {
        "name": str(study["name"]),
        "lines": lines,
        "made_up": say("map.made_up", language) if study.get("made_up") else None,
    }


def _attribution(findings: Findings, language: Language) -> list[str]:
    """Return what must stand on the map: makers and licences, the map approval number, the datum of its coordinates."""
    study = findings.manifest["study"]
    approval = study.get("map_approval")
    sentences = [str(sentence) for sentence in findings.manifest["attribution"]]
    datum = GCJ_NAME if study.get("datum") == GCJ_NAME else "WGS 84"
    tags = [say("map.coordinates", language, datum=datum)]
    return [*sentences, *([say("map.approval", language, number=approval)] if approval else []), *tags]


def _sources(findings: Findings, language: Language) -> list[str]:
    """Return one line a source: layer, file, maker, licence, and the datum in words."""
    lines = []
    for source in findings.manifest["sources"]:
        parts = [file_name(source.get("file")), source.get("maker"), source.get("licence")]
        datum = source.get("datum")
        if datum:
            parts.append(say("map.coordinates", language, datum=crs_label(datum, language)))
        layer = layer_name(str(source["layer"]), language)
        what = say("map.dot", language).join(str(part) for part in parts if part)
        lines.append(say("map.source", language, layer=layer[:1].upper() + layer[1:], what=what))
    return lines


def _totals(findings: Findings, names: Names) -> list[dict[str, str]]:
    """Return the headline figures; what is unknown is a dash."""
    language = names.language
    totals = findings.manifest["totals"]
    shown = []
    for name, kind in TOTALS:
        value = totals.get(name)
        text = (
            formats.format_people(value, language) if kind == "people" else formats.format_number(value, kind, language)
        )
        label = f"map.total_{names.homes if name == 'compounds' else name}"
        shown.append({"label": say(label, language), "value": text})
    return shown


def _people_shown(findings: Findings) -> float:
    """Return the people of a large dot: nine gaps in ten have no more."""
    people = findings.layers["gaps"]["people"]
    return max(1.0, float(people.quantile(0.9))) if len(people) else 1.0


def _sites(findings: Findings, names: Names) -> list[dict[str, Any]]:
    """Return the proposed sites by class, each with what the siting proved."""
    spoken = names.language
    frame = findings.layers["sites"].reset_index(drop=True)
    siting = findings.tables["siting"].set_index("facility_class")
    groups = []
    for key in [key for key in names.classes if (frame["facility_class"] == key).any()]:
        own = frame[frame["facility_class"] == key].sort_values("rank", kind="stable")
        row = siting.loc[key] if key in siting.index else None
        proof = ""
        if row is not None:
            proof = say(
                "map.proof" if float(row["gap"]) > 0 else "map.proof_best",
                spoken,
                before=formats.format_people(float(row["covered_before"]), spoken),
                after=formats.format_people(float(row["covered_after"]), spoken),
                group=say(f"values.measure_{row['weight']}", spoken),
                gap=formats.format_number(float(row["gap"]), "percent", spoken),
            )
            limits = limits_said(findings, names.coverage, key, spoken)
            proof = say("map.proof_limit", spoken, proof=proof, limit=limits) if limits else proof
        items = [
            {
                "row": int(index),
                "rank": int(site["rank"]),
                "name": str(site["name"] or site["site_id"]),
                "kind": names.of_value("kind", site["kind"]) or "",
                "added": say(
                    "map.added",
                    spoken,
                    people=formats.format_people(float(site["added"]), spoken),
                    group=say(f"values.measure_{site['weight']}", spoken),
                ),
            }
            for index, site in own.iterrows()
        ]
        groups.append({"key": key, "name": names.short(key), "proof": proof, "sites": items})
    return groups
