"""``lifecircle fetch``: a study of a named place from OpenStreetMap's servers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lifecircle.cli.options import LanguageOption, language_of, reporting


def fetch(
    place: Annotated[str, typer.Argument(help="A place that OpenStreetMap knows, such as 济南市历下区. 地名。")],
    *,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder of the study; named as the place.", show_default=False)
    ] = None,
    overpass_url: Annotated[
        str | None, typer.Option(envvar="LIFECIRCLE_OVERPASS_URL", help="Overpass server.", show_default=False)
    ] = None,
    nominatim_url: Annotated[
        str | None, typer.Option(envvar="LIFECIRCLE_NOMINATIM_URL", help="Nominatim server.", show_default=False)
    ] = None,
    timeout_s: Annotated[float, typer.Option("--timeout", min=1.0, help="Seconds to wait for one answer.")] = 180.0,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a study.toml that is there.")] = False,
    language: LanguageOption = None,
) -> None:
    """Fetch: make a study of a place with OSMnx, from Nominatim (boundary) and Overpass (streets, facilities, …).

    Examples: lifecircle fetch 济南市历下区  |  lifecircle fetch "Girona, Spain" --out girona --language en

    Exit code 0 when the study is written; 2 when the place is unknown or a server does not answer, and nothing is.
    """
    spoken = language_of(language)
    with reporting(spoken):
        from lifecircle.layers import fetch as fetching
        from lifecircle.layers.words import say

        servers = fetching.Servers(overpass_url, nominatim_url, timeout_s)
        folder = out or Path("".join("_" if sign in '\\/:*?"<>|' else sign for sign in place).strip() or "study")
        made = fetching.fetch(
            place,
            out=folder,
            servers=servers,
            language=spoken,
            force=force,
            progress=lambda key: typer.echo(f"· {say(key, spoken)}", err=True),
        )
        typer.echo(say("init.written", spoken, path=made.path))
        for layer, path in made.used:
            typer.echo(f"  {say('init.used', spoken, layer=layer, file=path.name)}")
        typer.echo(say("init.next", spoken, path=made.path))


if __name__ == "__main__":
    typer.run(fetch)
