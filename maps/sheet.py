"""Print maps, A4 landscape: rings and projects, zoning, what is lacking, service circles, proposed sites.

Each sheet is drawn once and saved as PNG, SVG and PDF. Streets and water come as one image that all sheets share; text
and all else stay vectors, but for layers of many thousand features. Same findings, same bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..layers.words import Language, say
from .fonts import drawing_with, font_for
from .formats import format_date
from .paper import MAP_MM, Paper
from .quotes import (
    class_name,
    crs_label,
    file_name,
    has_cells,
    has_rings,
    in_metres,
    language_of,
    nature_of_data,
    served,
    sited_classes,
    text,
    walker_label,
)
from .scenes import OVERVIEW_MOST, Scenes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from matplotlib.figure import Figure

    from ..gis.errors import Fault
    from ..layers.findings import Findings

FORMATS = ("png", "svg", "pdf")
DPI = 200
IMPORTANT = ("elderly_day_care", "elderly_home", "food_market")
"""Classes that get a sheet of their own where no sites were looked for."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A sheet that the findings give rise to, not yet drawn.

    Parameters
    ----------
    key
        ``location``, ``zoning``, ``missing``, ``class_<key>``, ``overview_<n>``, ``sites``.
    title
        In the language of the sheets.
    classes
        Facility classes that it shows, where it is about some.
    """

    key: str
    title: str
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet on disk.

    Parameters
    ----------
    key, title
        As planned.
    paths
        The files by format.
    faults
        What the reader should know of the drawing: characters that the font lacks.
    """

    key: str
    title: str
    paths: dict[str, Path]
    faults: tuple[Fault, ...] = ()


def plan_sheets(findings: Findings, language: Language) -> list[Plan]:
    """Return the sheets that the findings give rise to, in the order of the report.

    A layer that is empty gives no sheet: no zoning map without parcels, no map of sites where none is proposed.
    """
    layers = findings.layers
    shown = ("rings" if has_rings(findings) else "") + ("projects" if len(layers["projects"]) else "")
    plans = [Plan("location", say(f"sheet.title_location_{shown or 'plain'}", language))]
    if len(layers["parcels"]):
        plans.append(Plan("zoning", say("sheet.title_zoning", language)))
    if len(layers["compounds"]):
        plans.append(
            Plan("missing", say("sheet.title_missing_cell" if has_cells(findings) else "sheet.title_missing", language))
        )
    classes = list(findings.manifest["classes"])
    own = sited_classes(findings) or [key for key in IMPORTANT if key in classes]
    for key in own:
        title = say("sheet.title_class", language, name=class_name(findings, key, language))
        plans.append(Plan(f"class_{key}", title, (key,)))
    plans.extend(_overviews([key for key in classes if key not in own], language))
    if len(layers["sites"]):
        plans.append(Plan("sites", say("sheet.title_sites", language)))
    return plans


def _overviews(classes: Sequence[str], language: Language) -> list[Plan]:
    """Share classes out evenly over as few sheets of small maps as hold them."""
    parts = -(-len(classes) // OVERVIEW_MOST)
    plans = []
    for part in range(parts):
        share = tuple(classes[part * len(classes) // parts : (part + 1) * len(classes) // parts])
        name = "sheet.title_overview" if parts == 1 else "sheet.title_overview_part"
        plans.append(Plan(f"overview_{part + 1}", say(name, language, part=part + 1, parts=parts), share))
    return plans


def source_lines(findings: Findings, language: Language) -> list[str]:
    """Return what stands under every map and figure: sources, attribution, CRS, date, walker, map approval number."""
    study = findings.manifest["study"]
    makers = list(
        dict.fromkeys(
            text(source.get("maker")) or file_name(source.get("file")) for source in findings.manifest["sources"]
        )
    )
    join = say("sheet.join", language)
    lines = [say("sheet.footer_sources", language, sources=join.join(makers))] if makers else []
    attribution = [str(words) for words in findings.manifest["attribution"] if words not in makers]
    if attribution:
        said = say("sheet.semicolon", language).join(attribution)
        lines.append(say("sheet.footer_attribution", language, attribution=said))
    number = study.get("map_approval")
    approval = say("sheet.approval", language, number=number) if number else ""
    date = format_date(study.get("date"), language)
    said = "" if in_metres(findings) else say("map.walker_line", language, walker=walker_label(findings, language))
    frame = say(
        "sheet.footer_frame", language, crs=crs_label(study["crs"], language), date=date, walker=said, approval=approval
    )
    return [*lines, re.sub(r"(　　|    )\1+", r"\1", frame).rstrip()]


def write_sheets(
    findings: Findings, folder: Path, *, language: Language | None = None, formats: Sequence[str] = FORMATS
) -> list[Sheet]:
    """Draw all maps of the findings into an existing folder.

    Parameters
    ----------
    findings
        What to draw.
    folder
        Where the files go, named ``01_location.png`` and so on.
    language
        Of the texts; the study's where it is not given.
    formats
        Endings of the files, of ``png``, ``svg``, ``pdf``.

    Returns
    -------
    list of Sheet
        In the order of the report.
    """
    chosen = language_of(findings, language)
    plans = plan_sheets(findings, chosen)
    words = list(_words(findings, plans, chosen))
    font = font_for(words)
    faults = font.lacking(words)
    study = findings.manifest["study"]
    sheets = []
    with drawing_with(font):
        scenes = Scenes(findings, chosen, font)
        for place, plan in enumerate(plans, 1):
            paper = Paper(font, chosen)
            made_up = bool(study.get("made_up"))
            subtitle = say("sheet.of_study", chosen, name=study["name"], date=format_date(study.get("date"), chosen))
            badge = say(f"sheet.{nature_of_data(findings)}", chosen)
            paper.head(plan.title, subtitle, badge, made_up=made_up)
            paper.foot(source_lines(findings, chosen))
            scenes.draw(paper, plan.key, plan.classes)
            stem = f"{place:02d}_{re.sub(r'[^0-9A-Za-z_-]', '_', plan.key)}"
            paths = {ending: folder / f"{stem}.{ending}" for ending in formats}
            for ending, path in paths.items():
                _save(paper.figure, path, ending, f"{study['name']} — {plan.title}")
            sheets.append(Sheet(plan.key, plan.title, paths, faults if place == 1 else ()))
    return sheets


def _words(findings: Findings, plans: Sequence[Plan], language: Language) -> Iterable[str]:
    """Give everything that may be written on the sheets, to learn which characters the font needs."""
    yield from (plan.title for plan in plans)
    yield from source_lines(findings, language)
    yield text(findings.manifest["study"]["name"])
    yield walker_label(findings, language)
    for key, rule in findings.manifest["classes"].items():
        yield class_name(findings, key, language)
        yield served(rule["group"], language)
    for layer, column in (
        ("area", "name"),
        ("rings", "name"),
        ("districts", "name"),
        ("projects", "name"),
        ("projects", "kind"),
        ("parcels", "use_group"),
        ("sites", "name"),
        ("sites", "site_id"),
    ):
        yield from map(text, findings.layers[layer][column].unique())


def _save(figure: Figure, path: Path, ending: str, title: str) -> None:
    """Save a figure with nothing in the file that depends on the clock or the machine."""
    metadata: dict[str, dict[str, str | None]] = {
        "png": {"Title": title, "Software": "lifecircle"},
        "svg": {"Title": title, "Date": None, "Creator": "lifecircle"},
        "pdf": {"Title": title, "Creator": "lifecircle", "Producer": None, "CreationDate": None},
    }
    for axes in figure.axes:
        for image in axes.images:  # vector formats hold the base map as it is; a PNG has it fitted to its pixels
            image.set_interpolation("antialiased" if ending == "png" else "none")
    figure.savefig(path, format=ending, dpi=DPI, metadata=metadata[ending])


__all__ = ["FORMATS", "MAP_MM", "Plan", "Sheet", "plan_sheets", "source_lines", "write_sheets"]
