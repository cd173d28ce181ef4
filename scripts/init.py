"""``lifecircle init``: a commented study.toml from a folder or files."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  typer reads the annotations when the command runs
from typing import TYPE_CHECKING, Annotated

import typer

from lifecircle.cli.options import Language, LanguageOption, reporting

if TYPE_CHECKING:
    from lifecircle.layers.words import Language as LanguageName

SHOWN_UNUSED = 12
"""How many unused files are named on screen; study.toml names all."""


def init(
    sources: Annotated[list[Path], typer.Argument(help="A folder of data, or files. 数据文件夹或若干文件。")],
    *,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="Folder of study.toml; the data folder, else the working folder.", show_default=False
        ),
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="Name of the study. 名称。", show_default=False)] = None,
    datum: Annotated[
        str | None,
        typer.Option(
            "--datum",
            help="Datum of files that state none: wgs84, gcj02, bd09, bd09mc, cgcs2000, EPSG:n.",
            show_default=False,
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a study.toml that is there.")] = False,
    language: LanguageOption = None,
) -> None:
    """Start a study: look at the files and write a commented study.toml.

    Examples: lifecircle init 济南数据/  |  lifecircle init city.osm.pbf boundary.geojson people.csv --language en

    Exit code 0 when it is written, 2 when a file is missing or none holds streets.
    """
    spoken: LanguageName = "en" if language is Language.en else "zh"
    with reporting(spoken):
        from lifecircle.layers import scaffold
        from lifecircle.layers.survey import OF_RESULTS
        from lifecircle.layers.words import say

        made = scaffold.init(sources, out=out, name=name, language=spoken, datum=datum, force=force)
        typer.echo(say("init.written", spoken, path=made.path))
        for layer, path in made.used:
            typer.echo(f"  {say('init.used', spoken, layer=layer, file=path.name)}")
        for layer, file, columns in made.unmatched:
            typer.echo(say("init.unmatched", spoken, layer=layer, file=file, fields=", ".join(columns)))
        for part in made.unused:
            if part.reason == OF_RESULTS:
                typer.echo(say("init.skipped", spoken, folder=part.path))
        if made.unused:
            typer.echo(f"  {say('init.not_used', spoken, count=len(made.unused))}")
            listed = [part for part in made.unused if part.reason != OF_RESULTS]
            for part in listed[:SHOWN_UNUSED]:
                inside = part.path.name if part.sublayer is None else f"{part.path.name} / {part.sublayer}"
                reason = say(part.reason or "init.unused_second", spoken, lacks=", ".join(part.lacks))
                typer.echo(f"  - {say('init.not_used_line', spoken, part=inside, reason=reason)}")
            if len(listed) > SHOWN_UNUSED:
                typer.echo(f"  - {say('cli.and_more', spoken, count=len(listed) - SHOWN_UNUSED)}")
        for question in made.questions:
            typer.echo(say("init.question", spoken, text=question))
        typer.echo(say("init.next", spoken, path=made.path))


if __name__ == "__main__":
    typer.run(init)
