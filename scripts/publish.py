"""``lifecircle publish``: findings on disk into a PostGIS database, for colleagues and their GIS."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  typer reads the annotations when the command runs
from typing import TYPE_CHECKING, Annotated

import typer

from lifecircle.cli.options import LanguageOption, language_of, reporting

if TYPE_CHECKING:
    from lifecircle.layers.findings import Findings
    from lifecircle.layers.words import Language as LanguageName

SchemaOption = Annotated[str, typer.Option("--schema", help="Schema of the database; made if needed. 模式。")]


def publish(
    folder: Annotated[Path, typer.Argument(help="The folder that 'lifecircle plan' wrote.")],
    url: Annotated[str, typer.Argument(help="postgresql://user@host:port/database")],
    *,
    schema: SchemaOption = "lifecircle",
    language: LanguageOption = None,
) -> None:
    """Publish: write findings into PostGIS, all layers and tables in one transaction.

    Example: lifecircle publish results postgresql://planner@dbserver/city --schema plan_2026

    The password is best left to PGPASSWORD, PGPASSFILE or ~/.pgpass: others can see what stands on a command line.
    Exit code 0 when all is written, 2 when the folder or the database is not as it should be (nothing is changed then).
    """
    spoken = language_of(language)
    with reporting(spoken):
        from lifecircle.layers.store import load

        typer.echo(published(load(folder), url, schema, spoken))


def published(findings: Findings, url: str, schema: str, language: LanguageName) -> str:
    """Write findings into a schema and return the sentence that says so."""
    from lifecircle.layers.postgis import Database
    from lifecircle.layers.postgiswrite import write_findings
    from lifecircle.layers.words import say

    where = Database.of(url)
    counts = write_findings(findings, where, schema)
    written = {"url": where.url, "schema": schema, "tables": len(counts), "rows": f"{sum(counts.values()):,}"}
    return say("postgis.written", language, **written)


def check_database(url: str, schema: str) -> None:
    """Raise before a long run where its findings could not be written into the database."""
    from lifecircle.layers.postgis import Database
    from lifecircle.layers.postgiswrite import check_target

    check_target(Database.of(url), schema)


def publish_after(findings: Findings, folder: Path, place: tuple[str, str], language: LanguageName) -> None:
    """Write findings into a database after they are on disk; where that fails, say that these are whole."""
    from lifecircle.gis.errors import LifecircleError
    from lifecircle.layers.dburl import without_password
    from lifecircle.layers.words import say

    with reporting(language):
        try:
            typer.echo(published(findings, *place, language))
        except LifecircleError:
            shown = {"folder": str(folder), "url": without_password(place[0])[0]}
            typer.echo(say("postgis.kept", language, **shown), err=True)
            raise


if __name__ == "__main__":
    typer.run(publish)
