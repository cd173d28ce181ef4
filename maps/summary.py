"""The closing summary on screen: a few lines that say what was found and where it lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..layers.words import Language, say
from .formats import format_number, format_people
from .limits import metres_for_minutes, with_confidence
from .quotes import (
    Coverage,
    class_name,
    classes_in_state,
    headed,
    in_metres,
    required_classes,
    served,
    units_name,
    walker_label,
)

if TYPE_CHECKING:
    from pathlib import Path

    from ..layers.findings import Findings

SHOWN_RATES = 6
"""How many classes the coverage line names: the sited ones first, then by the order of the standard."""


def summary_lines(findings: Findings, out: Path, language: Language, *, drawn: bool = True) -> list[str]:
    """Return the closing lines: the place, coverage, what lacks, the sites, and where the results lie.

    Parameters
    ----------
    findings
        What was found.
    out
        The folder of the results.
    language
        Of the lines.
    drawn
        Whether map and report were written; else the folder of the findings is named.
    """
    written = (("map", "map.html"), ("report", "report.docx")) if drawn else (("findings", ""),)
    return [
        _place(findings, language),
        _rates(findings, language),
        _missing(findings, language),
        _sites(findings, language),
        *(say(f"cli.summary_{what}", language, path=out / name) for what, name in written),
    ]


def _place(findings: Findings, language: Language) -> str:
    """Say who lives here and what was read."""
    totals = findings.manifest["totals"]
    elders = totals.get("elders_60")
    known = {} if elders is None else {"elders": _people(elders, language)}
    return say(
        "cli.summary_people" if known else "cli.summary_people_only",
        language,
        **known,
        name=findings.manifest["study"]["name"],
        people=_people(totals["people"], language),
        compounds=format_number(len(findings.layers["compounds"]), "count", language),
        units=units_name(findings, language),
        rings=len(findings.layers["rings"]),
        projects=len(findings.layers["projects"]),
    )


def _rates(findings: Findings, language: Language) -> str:
    """Name the rates of the sited classes, then of the others, as far as a line holds."""
    classes, coverage = findings.manifest["classes"], Coverage(findings)
    quotes = [(key, quote) for key in classes for quote in coverage.each(key)]
    found = [(key, quote) for key, quote in quotes if quote.rate is not None and not quote.no_data]
    shown = []
    for key, quote in sorted(found, key=lambda pair: not classes[pair[0]]["sited"])[:SHOWN_RATES]:
        name = class_name(findings, key, language, short=True)
        name = headed(name, quote.circle, coverage.circles(key), coverage.headline(key), language)
        rate = format_number(quote.rate, "percent", language)
        shown.append(
            say("cli.summary_rate", language, name=name, rate=with_confidence(rate, quote.confidence, language))
        )
    said = "cli.summary_coverage" if in_metres(findings) else "cli.summary_coverage_walker"
    rates = say(said, language, rates=_join(shown, language), walker=walker_label(findings, language))
    taken = dict.fromkeys(metres_for_minutes(findings, key, language) for key in classes)
    return say("map.dot", language).join([rates, *filter(None, taken)])


def _missing(findings: Findings, language: Language) -> str:
    """Count the neighbourhoods that lack something, and name the required classes with no data."""
    compounds = findings.layers["compounds"]
    counts = compounds["missing_count"]
    required = required_classes(findings)
    silent = [key for key in classes_in_state(findings, "no_data") if key in required]
    partial = int(((counts == 0) & (compounds["partial_count"] > 0)).sum())
    small = int((compounds["too_small_count"] > 0).sum())
    said = {"partly": partial, "small": small}
    clauses = {
        name: say(f"cli.summary_{name}", language, count=format_number(count, "count", language)) if count else ""
        for name, count in said.items()
    }
    return say(
        "cli.summary_missing" if silent else "cli.summary_missing_all_known",
        language,
        **clauses,
        lacking=format_number(int((counts > 0).sum()), "count", language),
        all=format_number(len(compounds), "count", language),
        units=units_name(findings, language),
        middle=format_number(float(counts.median()) if len(counts) else 0.0, "count", language),
        required=len(required),
        count=len(silent),
        no_data=_join([class_name(findings, key, language, short=True) for key in silent], language),
    )


def _sites(findings: Findings, language: Language) -> str:
    """Name what is proposed for each class, and how far from the best it can be."""
    shown = [
        say(
            "cli.summary_site" if row["gap"] > 0 else "cli.summary_site_optimal",
            language,
            name=class_name(findings, str(row["facility_class"]), language, short=True),
            group=served(row["weight"], language),
            chosen=row["chosen"],
            added=_people(row["covered_after"] - row["covered_before"], language),
            gap=format_number(row["gap"], "percent", language),
        )
        for row in findings.tables["siting"].to_dict("records")
    ]
    return say("cli.summary_sites", language, sites=_join(shown, language))


def _people(value: float, language: Language) -> str:
    """Return a number of people with its word, which stands next to 万 and apart from a digit."""
    said = format_people(value, language)
    return say("cli.summary_counted" if said[-1].isdigit() else "cli.summary_counted_large", language, people=said)


def _join(parts: list[str], language: Language) -> str:
    """Join parts as the language does; say so where there are none."""
    return say("cli.list_mark", language).join(parts) if parts else say("cli.summary_no_sites", language)
