"""``lifecircle check``: audit all inputs of a study and report all faults at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lifecircle.cli.options import LanguageOption, language_of, reporting

if TYPE_CHECKING:
    from lifecircle.layers.audit import Audit
    from lifecircle.layers.gather import Row
    from lifecircle.layers.words import Language as LanguageName


FULL_WIDTH = 100_000
"""Columns of a table that is not for a terminal: a file or a pipe takes whole lines."""


def check(
    study: Annotated[Path, typer.Argument(help="A study.toml, or its folder.")] = Path("study.toml"),
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the audit as JSON.")] = False,
    language: LanguageOption = None,
) -> None:
    """Check: read every input of a study and report all faults of all layers at once.

    Examples: lifecircle check study.toml  |  lifecircle check study.toml --json > audit.json

    Exit code 0 when the study can be planned, 1 when something blocks, 2 when study.toml itself cannot be read.
    """
    place = study / "study.toml" if study.is_dir() else study
    spoken = language_of(language, place)
    with reporting(spoken):
        from lifecircle.layers.audit import audit

        found = audit(place)
        if as_json:
            typer.echo(json.dumps(found.as_data(spoken), ensure_ascii=False, indent=2))
        else:
            _print(found, spoken)
    if found.blocked:
        raise typer.Exit(1)


def _print(found: Audit, language: LanguageName) -> None:
    """Print the table of files, then notes, then faults, then the verdict."""
    from rich.console import Console
    from rich.table import Table

    from lifecircle.layers.words import explain, layer_name, say, say_note

    console = Console(highlight=False)
    heads = ("layer", "file", "rows_in", "rows_kept", "datum", "from_streets", "inside")
    if not console.is_terminal:
        console.width = FULL_WIDTH
    table = Table()
    for head in heads:
        table.add_column(say(f"check.{head}", language), overflow="fold")
    for row in found.rows:
        layer, file = layer_name(row.layer, language), row.file
        cells = (layer, file, row.rows_in, row.rows_kept, row.datum, *_fit_cells(row))
        table.add_row(*(str(cell).replace("[", r"\[") for cell in cells))
    if found.rows:
        console.print(table)
    for line in (*_column_lines(found, language), *_repair_lines(found, language)):
        typer.echo(f"· {line}")
    for note in found.notes:
        typer.echo(f"· {say_note(note.code, note.detail, language)}")
    for fault in found.faults:
        key = "check.blocks" if fault.blocks else "check.minds"
        typer.echo(say(key, language, text=explain(fault, language)))
    blocking = sum(fault.blocks for fault in found.faults)
    typer.echo(say("check.bad", language, count=blocking) if blocking else say("check.good", language))


def _fit_cells(row: Row) -> tuple[str, str]:
    """Return how far the middle feature of a file is from the streets, and how many lie in the area."""
    median_m, inside = (None, None) if row.fit is None else (row.fit.median_m, row.fit.inside)
    metres = "" if median_m is None else f"{median_m:,.1f} m" if median_m < 1000 else f"{median_m / 1000:,.1f} km"
    return metres, "" if inside is None else f"{inside:.0%}"


def _column_lines(found: Audit, language: LanguageName) -> list[str]:
    """Return how each file's columns are understood, which are not used, and which of these may be the product's."""
    from lifecircle.layers.audit import guesses
    from lifecircle.layers.scaffold import quoted
    from lifecircle.layers.words import layer_name, say

    lines = []
    for row in found.rows:
        where = {"layer": layer_name(row.layer, language), "file": Path(row.file).name}
        renamed = ", ".join(f"{name}={source}" for name, source in row.columns.items() if name != source)
        if renamed:
            lines.append(say("check.renamed", language, **where, pairs=renamed))
        if row.unused:
            lines.append(say("check.unused", language, **where, fields=", ".join(row.unused)))
        pairs = ", ".join(f"{name} = {quoted(source)}" for name, source in guesses(row).items())
        if pairs:
            lines.append(say("check.guess", language, **where, pairs=pairs))
    return lines


def _repair_lines(found: Audit, language: LanguageName) -> list[str]:
    """Return how many geometries of each file were mended, by what was done; the rows are in the JSON."""
    from lifecircle.layers.words import layer_name, say

    lines = []
    for (layer, file), rows in found.repairs.groupby(["layer", "file"], sort=False):
        counts = rows["what"].value_counts(sort=False)
        kinds = (
            say("check.repair_kind", language, kind=say(f"files.repair_{what}", language), count=count)
            for what, count in counts.items()
        )
        listed = say("faults.file_and", language).join(kinds)
        where = {"layer": layer_name(str(layer), language), "file": Path(str(file)).name}
        lines.append(say("check.repairs", language, **where, count=len(rows), kinds=listed))
    return lines


if __name__ == "__main__":
    typer.run(check)
