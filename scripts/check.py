"""``lifecircle check``: audit all inputs of a study and report all faults at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lifecircle.cli.options import LanguageOption, language_of, reporting

if TYPE_CHECKING:
    from lifecircle.layers.audit import Audit
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
    heads = ("layer", "file", "rows_in", "rows_kept", "datum", "encoding", "columns")
    if not console.is_terminal:
        console.width = FULL_WIDTH
    table = Table()
    for head in heads:
        table.add_column(say(f"check.{head}", language), overflow="fold")
    for row in found.rows:
        renamed = ", ".join(f"{name}={source}" for name, source in row.columns.items() if name != source)
        layer, file = layer_name(row.layer, language), row.file
        cells = (layer, file, row.rows_in, row.rows_kept, row.datum, row.encoding or "", renamed)
        table.add_row(*(str(cell).replace("[", r"\[") for cell in cells))
    if found.rows:
        console.print(table)
    for row in found.rows:
        if row.unused:
            detail = {"file": Path(row.file).name, "fields": ", ".join(row.unused)}
            typer.echo(f"· {say('check.unused', language, layer=layer_name(row.layer, language), **detail)}")
    for note in found.notes:
        typer.echo(f"· {say_note(note.code, note.detail, language)}")
    for fault in found.faults:
        key = "check.blocks" if fault.blocks else "check.minds"
        typer.echo(say(key, language, text=explain(fault, language)))
    blocking = sum(fault.blocks for fault in found.faults)
    typer.echo(say("check.bad", language, count=blocking) if blocking else say("check.good", language))


if __name__ == "__main__":
    typer.run(check)
