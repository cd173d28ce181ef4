"""The closing summary on screen: six lines that say what was found and where it lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..layers.words import Language, say
from .quotes import in_metres, titled, walker_label
from .style import format_number, format_people

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    import pandas as pd

    from ..layers.findings import Findings

SHOWN_RATES = 6
"""How many classes the coverage line names: the sited ones first, then by the order of the standard."""


def summary_lines(findings: Findings, out: Path, language: Language) -> list[str]:
    """Return six lines: the place, coverage, what lacks, the sites, and where map and report lie."""
    return [
        _place(findings, language),
        _rates(findings, language),
        _missing(findings, language),
        _sites(findings, language),
        say("cli.summary_map", language, path=out / "map.html"),
        say("cli.summary_report", language, report=out / "report.docx"),
    ]


def _place(findings: Findings, language: Language) -> str:
    """Say who lives here and what was read."""
    totals = findings.manifest["totals"]
    elders = totals.get("elders_60")
    known = {} if elders is None else {"elders": format_people(elders, language)}
    return say(
        "cli.summary_people" if known else "cli.summary_people_only",
        language,
        **known,
        name=findings.manifest["study"]["name"],
        people=format_people(totals["people"], language),
        compounds=format_number(len(findings.layers["compounds"]), "count", language),
        rings=len(findings.layers["rings"]),
        projects=len(findings.layers["projects"]),
    )


def _city_rows(findings: Findings) -> pd.DataFrame:
    """Return the coverage rows of the whole city, for the group each class is for."""
    coverage = findings.tables["coverage"]
    groups = {key: entry["group"] for key, entry in findings.manifest["classes"].items()}
    of_city = coverage["group_kind"] == "city"
    return coverage[of_city & (coverage["measure"] == coverage["facility_class"].map(groups))]


def _rates(findings: Findings, language: Language) -> str:
    """Name the rates of the sited classes, then of the others, as far as a line holds."""
    classes = findings.manifest["classes"]
    rows = _city_rows(findings)
    rows = rows[(rows["status"] == "ok") & rows["rate"].notna()]
    circles = rows.groupby("facility_class")["circle"].unique()
    order = {key: (not entry["sited"], place) for place, (key, entry) in enumerate(classes.items())}
    rows = rows.sort_values("facility_class", key=lambda keys: keys.map(order)).head(SHOWN_RATES)
    shown = []
    for key, circle, rate in zip(rows["facility_class"], rows["circle"], rows["rate"], strict=True):
        name = titled(_short(classes[key], language), circle, circles[key], language)
        shown.append(f"{name} {format_number(rate, 'percent', language)}")
    said = "cli.summary_coverage" if in_metres(findings) else "cli.summary_coverage_walker"
    return say(said, language, rates=_join(shown, language), walker=walker_label(findings, language))


def _missing(findings: Findings, language: Language) -> str:
    """Count the neighbourhoods that lack something, and name the classes with no data."""
    classes = findings.manifest["classes"]
    counts = findings.layers["compounds"]["missing_count"]
    required = sum(bool(entry["required"]) for entry in classes.values())
    by_class = findings.tables["facilities_by_class"]
    silent = [
        _short(classes[key], language)
        for key in by_class.loc[by_class["status"] == "no_data", "facility_class"]
        if key in classes
    ]
    return say(
        "cli.summary_missing",
        language,
        lacking=format_number(int((counts > 0).sum()), "count", language),
        middle=format_number(float(counts.median()) if len(counts) else 0.0, "count", language),
        required=required,
        no_data=_join(silent, language),
    )


def _sites(findings: Findings, language: Language) -> str:
    """Name what is proposed for each class, and how far from the best it can be."""
    classes = findings.manifest["classes"]
    shown = [
        say(
            "cli.summary_site" if row["gap"] > 0 else "cli.summary_site_optimal",
            language,
            name=_short(classes[row["facility_class"]], language),
            chosen=row["chosen"],
            added=format_people(row["covered_after"] - row["covered_before"], language),
            gap=format_number(row["gap"], "percent", language),
        )
        for row in findings.tables["siting"].to_dict("records")
    ]
    return say("cli.summary_sites", language, sites=_join(shown, language))


def _short(entry: Mapping[str, Any], language: Language) -> str:
    """Return a class's short name, its full one where it has none."""
    return str(entry.get(f"short_{language}") or entry[language])


def _join(parts: list[str], language: Language) -> str:
    """Join parts as the language does; say so where there are none."""
    return say("cli.list_mark", language).join(parts) if parts else say("cli.summary_no_sites", language)
