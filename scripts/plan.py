"""``lifecircle plan``: from a study (or the built-in city) to findings, map, sheets and report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lifecircle.cli.options import LanguageOption, OutOption, language_of, progress, reporting
from lifecircle.cli.publish import SchemaOption, check_database, publish_after

if TYPE_CHECKING:
    from lifecircle.gis.errors import Fault
    from lifecircle.layers.findings import Findings
    from lifecircle.layers.steps import Steps
    from lifecircle.layers.words import Language as LanguageName

STEPS = 14
"""How many steps a run announces; see ``layers/texts/steps.toml``."""


def plan(
    study: Annotated[
        Path | None, typer.Argument(help="A study.toml; the built-in city where it is left out.", show_default=False)
    ] = None,
    *,
    out: OutOption = Path("out"),
    language: LanguageOption = None,
    timings: Annotated[bool, typer.Option("--timings", help="Print where time and memory went.")] = False,
    only_findings: Annotated[bool, typer.Option("--only-findings", help="No map, sheets or report.")] = False,
    surfaces: Annotated[
        bool, typer.Option("--surfaces", help="Also GeoTIFFs of the walk from everywhere to each class. 步行距离栅格。")
    ] = False,
    postgis: Annotated[
        str | None,
        typer.Option("--postgis", help="Also write the findings into this database, postgresql://… 写入数据库。"),
    ] = None,
    schema: SchemaOption = "lifecircle",
) -> None:
    """Plan: rings, projects, service circles, gaps, sites, map and report, in one go.

    Example: lifecircle plan study.toml --out results --timings

    Exit code 0 when all is written, 2 when an input is wrong (nothing is written then).
    """
    from lifecircle.layers.steps import Steps

    spoken = language_of(language, study)
    with reporting(spoken), progress(spoken, STEPS) as announce:
        steps = Steps(announce)
        if postgis is not None:
            check_database(postgis, schema)
        source = study if study is not None else _built_in_city(out, spoken, steps)
        findings, faults = _run(source, out, spoken, steps, only_findings=only_findings, surfaces=surfaces)
    print_faults(faults, spoken)
    for line in _summary(findings, out, spoken, drawn=not only_findings):
        typer.echo(line)
    if postgis is not None:
        publish_after(findings, out, (postgis, schema), spoken)
    if timings:
        _print_timings(steps, spoken)


def _built_in_city(out: Path, language: LanguageName, steps: Steps) -> Path:
    """Write the built-in city beside the results and return its study.toml."""
    from lifecircle.layers.output import whole_folder
    from lifecircle.layers.sample import write_sample

    with steps.step("steps.sample"), whole_folder(out) as folder:
        write_sample(folder / "sample-city", language=language)
    return out / "sample-city" / "study.toml"


def _run(
    study: Path, out: Path, language: LanguageName, steps: Steps, *, only_findings: bool, surfaces: bool
) -> tuple[Findings, tuple[Fault, ...]]:
    """Compute the findings and write all results, whole or not at all; return also what the sheets could not show."""
    from lifecircle.layers.load import load_study
    from lifecircle.layers.output import whole_folder
    from lifecircle.layers.plan import find
    from lifecircle.layers.store import save, save_timings

    with whole_folder(out) as folder:
        with steps.step("steps.read"):
            loaded = load_study(study)
        findings = find(loaded, steps=steps, surfaces=folder / "surfaces" if surfaces else None)
        with steps.step("steps.findings"):
            save(findings, folder)
        faults = () if only_findings else draw(findings, folder, language, steps)
        save_timings(steps, folder, findings.tables["siting"])
    return findings, faults


def draw(findings: Findings, folder: Path, language: LanguageName, steps: Steps) -> tuple[Fault, ...]:
    """Write the map, the sheets, the report and the workbook, and the styles that QGIS opens the findings with.

    Returns what the reader should know of the sheets: characters that their font lacks.
    """
    from lifecircle.layers.store import GEOPACKAGE
    from lifecircle.maps.page import write_page
    from lifecircle.maps.qgis import write_styles
    from lifecircle.maps.report import report_of
    from lifecircle.maps.sheet import write_sheets
    from lifecircle.maps.word import write_word
    from lifecircle.maps.workbook import write_workbook

    with steps.step("steps.map"):
        write_page(findings, folder / "map.html", language=language)
        write_styles(findings, folder / GEOPACKAGE, language=language)
    with steps.step("steps.sheets"):
        (folder / "sheets").mkdir()
        sheets = write_sheets(findings, folder / "sheets", language=language)
    with steps.step("steps.report"):
        write_word(report_of(findings, language), sheets, folder / "report.docx")
        write_workbook(findings, folder / "tables.xlsx", language=language)
    return tuple(fault for sheet in sheets for fault in sheet.faults)


def print_faults(faults: tuple[Fault, ...], language: LanguageName) -> None:
    """Print on stderr what did not stop the plan but should be known."""
    from lifecircle.layers.words import explain, say

    for fault in faults:
        typer.echo(say("cli.warning", language, text=explain(fault, language)), err=True)


def _summary(findings: Findings, out: Path, language: LanguageName, *, drawn: bool) -> list[str]:
    """Return the closing lines."""
    from lifecircle.maps.summary import summary_lines

    return summary_lines(findings, out, language, drawn=drawn)


def _print_timings(steps: Steps, language: LanguageName) -> None:
    """Print seconds and peak memory by step, to stdout, as a table that pipes."""
    from lifecircle.layers.words import say

    head = [say(f"cli.{name}", language) for name in ("step", "seconds", "peak_mb")]
    typer.echo("\t".join(head))
    for key, seconds in steps.seconds.items():
        peak = steps.peak_mb[key]
        typer.echo(f"{say(key, language)}\t{seconds:.2f}\t{'' if peak is None else f'{peak:.0f}'}")
    typer.echo(f"{say('cli.total', language)}\t{sum(steps.seconds.values()):.2f}\t")


if __name__ == "__main__":
    typer.run(plan)
