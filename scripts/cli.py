"""The command ``lifecircle`` and its commands. Heavy imports live inside the commands, so that help is quick."""

from __future__ import annotations

from typing import Annotated

import typer

from lifecircle.cli import check, fetch, init, plan, publish, sample, site, standards

app = typer.Typer(
    name="lifecircle",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="生活圈规划. Plan urban renewal on foot: rings, projects, service circles, gaps and the best sites.",
    epilog="First steps: 'lifecircle plan' plans the built-in city; 'lifecircle init FOLDER' starts your own study.",
)
app.command("plan")(plan.plan)
app.command("sample")(sample.sample)
app.command("init")(init.init)
app.command("check")(check.check)
app.command("fetch")(fetch.fetch)
app.command("site")(site.site)
app.command("publish")(publish.publish)
app.add_typer(standards.app)


def _version(*, wanted: bool) -> None:
    """Print the version and stop."""
    if wanted:
        from importlib.metadata import version

        typer.echo(f"lifecircle {version('lifecircle')}")
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=lambda value: _version(wanted=value), is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Hold what all commands share."""


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
