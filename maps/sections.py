"""The sections of the report that frame it: summary, data and assumptions, method and limits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..gis.errors import Fault
from ..layers.words import catalogue, explain, layer_name, say, say_note
from .formats import format_area, format_number
from .paper import shortened
from .quotes import crs_label, file_name, in_metres, known, label, sited_classes, text, walker_label
from .report import Block, Column, Desk, Heading, Paragraph, Table, refer
from .sections_candidates import candidates
from .sections_coverage import coverage
from .sections_enough import enough, fairness
from .sections_found import lacking
from .sections_plan import rings
from .sections_quality import about_coordinates, quality
from .sections_sites import sites
from .sections_zoning import land

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

WARNINGS_MOST = 12
FILE_NAME_EM = 13.0
"""Width of a file name in the table of sources; a longer one loses its middle, the workbook has it whole."""
FIRST_ALIKE = 5
"""From this column of the table of sources on, one that says the same of every source is said once, below it."""
LOWEST = 3
_FAULT_PARTS = ("file", "layer", "row", "column", "value")


def summary(desk: Desk) -> list[Block]:
    """Return the summary: six sentences, each with a pointer to where it is shown."""
    points = [_size(desk), _rings(desk), _lowest(desk), _elders(desk), _lacking(desk), _sites(desk)]
    note = desk.say("summary_confidence", rules=refer("table", "rules"))
    bullets = [Paragraph(point, "bullet") for point in points]
    return [Heading(desk.say("summary"), numbered=False), *bullets, Paragraph(note, "note")]


def _size(desk: Desk) -> str:
    totals = desk.findings.manifest["totals"]
    area = desk.findings.layers["area"].geometry.area.sum()
    count = {name: format_number(known(totals.get(name)), "count", desk.language) for name in totals}
    elders = totals.get("elders_60")
    said = desk.say("summary_elders", elders=count["elders_60"]) if elders else ""
    return desk.say(
        "summary_size",
        area=format_area(area, desk.language),
        people=count["people"],
        elders=said,
        households=count.get("households", "—"),
        compounds=format_number(len(desk.findings.layers["compounds"]), "count", desk.language),
        units=desk.units(),
    )


def _rings(desk: Desk) -> str:
    layers = desk.findings.layers
    projects = len(layers["projects"])
    if not desk.rings:
        return desk.say(
            "summary_projects" if projects else "summary_no_rings",
            projects=projects,
            figure=refer("figure", "location"),
        )
    return desk.say(
        "summary_rings",
        rings=len(layers["rings"]),
        projects=projects,
        table=refer("table", "rings"),
        figure=refer("figure", "location"),
    )


def _lowest(desk: Desk) -> str:
    """Name the required classes that cover the fewest, and how many have no data."""
    ranked = desk.lowest(LOWEST)
    if not ranked:
        return desk.say("summary_none_required")
    required = desk.required()
    items = [
        desk.say(
            "summary_lowest_item",
            name=desk.headed(key, quote.circle, short=True),
            rate=desk.sure(format_number(quote.rate, "percent", desk.language), quote),
        )
        for key, quote in ranked
    ]
    said = desk.say(
        "summary_lowest",
        required=len(required),
        count=len([key for key in required if key in desk.with_data()]),
        lowest=desk.join(items),
        table=refer("table", "coverage"),
    )
    silent = [key for key in desk.without_data() if key in required]
    names = desk.join(desk.name(key, short=True) for key in silent)
    return said + (desk.say("summary_no_data", count=len(silent), names=names) if silent else "")


def _elders(desk: Desk) -> str:
    """Say how elders reach what is for them."""
    own = [key for key in desk.with_data() if desk.classes[key].get("group") == "elders_60"]
    if not own:
        return desk.say("summary_elders_no_class")
    quote = desk.coverage.city(own[0], "elders_60")
    if quote is None or not quote.total:
        return desk.say("summary_elders_unknown")
    return desk.say(
        "summary_elders_line",
        name=desk.name(own[0]),
        rate=desk.sure(format_number(quote.rate, "percent", desk.language), quote),
        uncovered=format_number(quote.uncovered, "count", desk.language),
    )


def _lacking(desk: Desk) -> str:
    ranked = desk.lacking()
    if not len(ranked):
        return desk.say("summary_missing_none", units=desk.units())
    first = ranked.iloc[0]
    partly = int((ranked["missing_count"] == 0).sum())
    return desk.say(
        "summary_missing",
        count=format_number(int((ranked["missing_count"] > 0).sum()), "count", desk.language),
        partly=desk.say("summary_partly", count=format_number(partly, "count", desk.language)) if partly else "",
        all=format_number(len(desk.findings.layers["compounds"]), "count", desk.language),
        units=desk.units(),
        table=refer("table", "lacking"),
        name=text(first["name"]) or text(first["compound_id"]),
        people=format_number(known(first["people"]), "count", desk.language),
        shortfall=format_number(int(first["shortfall"]), "count", desk.language),
    )


def _sites(desk: Desk) -> str:
    sites_found = desk.findings.layers["sites"]
    items = []
    for key in sited_classes(desk.findings):
        count = int((sites_found["facility_class"] == key).sum())
        quote = desk.coverage.city(key)
        if not count:
            continue
        if quote is None or quote.rate is None or quote.after_rate is None:
            items.append(desk.say("summary_sites_item_only", name=desk.name(key), count=count))
            continue
        before, after = (format_number(rate, "percent", desk.language) for rate in (quote.rate, quote.after_rate))
        after = desk.sure(after, quote)
        name = desk.headed(key, quote.circle, short=True)
        items.append(desk.say("summary_sites_item", name=name, count=count, before=before, after=after))
    if not items:
        return desk.say("summary_sites_none")
    return desk.say(
        "summary_sites",
        count=len(sites_found),
        classes=desk.say("list_end").join(items),
        table=refer("table", "siting"),
        figure=refer("figure", "sites"),
    )


def data(desk: Desk) -> list[Block]:
    """Return where the data come from, what was assumed, and what should be looked at."""
    manifest = desk.findings.manifest
    blocks: list[Block] = [Heading(desk.say("data")), desk.body("data_intro", table=refer("table", "sources"))]
    if manifest["study"].get("made_up"):
        blocks.append(desk.body("data_made_up_line"))
    blocks.append(_sources(desk))
    demand = desk.findings.layers["demand"]
    unknown = int((demand["snap"] != "on_street").sum())
    counts = {
        name: format_number(value, "count", desk.language)
        for name, value in (("all", len(demand)), ("unknown", unknown))
    }
    blocks.append(desk.body("data_snapping" if unknown else "data_snapped", **counts))
    notes = [sentence(desk, note) for note in manifest["notes"] if not about_coordinates(note["code"])]
    blocks.append(desk.body("notes_intro" if notes else "notes_none"))
    blocks.extend(Paragraph(note, "bullet") for note in notes)
    warnings = list(dict.fromkeys(warning(desk, fault) for fault in manifest["warnings"]))
    if warnings:
        blocks.append(desk.body("warnings_intro"))
        blocks.extend(Paragraph(said, "bullet") for said in warnings[:WARNINGS_MOST])
    if len(warnings) > WARNINGS_MOST:
        blocks.append(desk.bullet("warnings_more", count=len(warnings) - WARNINGS_MOST))
    return blocks


def _sources(desk: Desk) -> Table:
    head = (
        ("col_layer", False, 1.1),
        ("col_file", False, 2.1),
        ("col_check", False, 1.2),
        ("col_rows_in", True, 0.9),
        ("col_rows_kept", True, 0.9),
        ("col_datum", False, 2.0),
        ("col_maker", False, 1.6),
        ("col_licence", False, 1.2),
    )
    rows = [
        (
            _layer_name(desk, text(source["layer"])),
            shortened(file_name(source["file"]), FILE_NAME_EM),
            text(source["sha256"])[:8],
            format_number(known(source["rows_in"]), "count", desk.language),
            format_number(known(source["rows_kept"]), "count", desk.language),
            crs_label(source["datum"], desk.language),
            text(source.get("maker")) or "—",
            text(source.get("licence")) or "—",
        )
        for source in desk.findings.manifest["sources"]
    ]
    shown = [place for place in range(len(head)) if not rows or any(row[place] != "—" for row in rows)]
    alike = [
        place for place in shown if place >= FIRST_ALIKE and len(rows) > 1 and len({row[place] for row in rows}) == 1
    ]
    columns = tuple(
        Column(desk.say(name), numeric, width) for name, numeric, width in (head[p] for p in shown if p not in alike)
    )
    kept = tuple(tuple(row[place] for place in shown if place not in alike) for row in rows)
    said = (desk.say("sources_alike", head=desk.say(head[place][0]), value=rows[0][place]) for place in alike)
    return Table("sources", desk.say("sources_caption"), columns, kept, note=desk.say("list_end").join(said))


def _layer_name(desk: Desk, layer: str) -> str:
    name = layer_name(layer, desk.language)
    return name[:1].upper() + name[1:]


def sentence(desk: Desk, note: Mapping[str, Any]) -> str:
    """Return a note of the findings as a sentence; its bare code where the catalogue does not know it."""
    code = str(note["code"])
    if code not in catalogue():
        return code
    detail = {name: _named(desk, value) for name, value in dict(note.get("detail") or {}).items()}
    return say_note(code, detail, desk.language)


def _named(desk: Desk, value: object) -> object:
    """Return a detail of a note with the keys of classes and groups in it replaced by their names."""
    if not isinstance(value, str):
        return value

    def name(match: re.Match[str]) -> str:
        key = match[0]
        if key in desk.classes:
            return desk.name(key, short=True)
        kind = next((kind for kind in ("measure", "class") if f"values.{kind}_{key}" in catalogue()), None)
        return key if kind is None else label(kind, key, desk.language)

    # Tags as OSM writes them (shop=bank) are names of the source and stay.
    return re.sub(r"(?<![\w=:/.])[a-z]+(?:_[a-z0-9]+)*(?![\w=:/.])", name, value)


def warning(desk: Desk, fault: Mapping[str, Any]) -> str:
    """Return a warning of the findings as a sentence with its place."""
    code = str(fault["code"])
    if code not in catalogue():
        return code
    detail = dict(fault.get("detail") or {})
    parts = {name: fault.get(name, detail.pop(name, None)) for name in _FAULT_PARTS}
    parts["file"] = file_name(parts["file"]) or None
    return explain(Fault(code, **parts, detail=detail, blocks=False), desk.language)


def method(desk: Desk) -> list[Block]:
    """Return how the figures were made and what they cannot say."""
    study = desk.findings.manifest["study"]
    gates = label_of(desk, "gates", study.get("gates"))
    return [
        Heading(desk.say("method")),
        desk.bullet("method_network"),
        desk.bullet("method_gates", gates=gates),
        desk.bullet(
            "method_walker" if in_metres(desk.findings) else "method_walker_timed",
            walker=walker_label(desk.findings, desk.language),
        ),
        desk.bullet("method_count"),
        *([desk.bullet("method_siting")] if len(desk.findings.tables["siting"]) else []),
        desk.bullet("method_limits_people"),
        desk.bullet("method_limits_data"),
        desk.bullet("method_limits_capacity"),
        desk.bullet("method_limits_standard", rules=refer("table", "rules")),
    ]


def label_of(desk: Desk, kind: str, value: object) -> str:
    """Return the name of a setting of the study; the user's own word where the catalogue has none."""
    key = f"report.{kind}_{text(value)}"
    return say(key, desk.language) if key in catalogue() else label(kind, value, desk.language)


SECTIONS: tuple[Callable[[Desk], list[Block]], ...] = (
    summary,
    data,
    rings,
    land,
    coverage,
    lacking,
    enough,
    fairness,
    candidates,
    sites,
    method,
    quality,
)
"""The report in order."""
