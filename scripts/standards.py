"""``lifecircle standards``: list the planning standards, show one, and compare two."""

from __future__ import annotations

import csv
import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from lifecircle.cli.options import LanguageOption, language_of, reporting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lifecircle.layers.standards import Difference, Standard
    from lifecircle.layers.words import Language as LanguageName

FULL_WIDTH = 100_000
"""Columns of a table that is not for a terminal: a file or a pipe takes whole lines."""
SHOWN = ("name", "circle", "required", "limit", "building_m2", "land_m2", "figures", "clause", "confidence")
"""Columns of the table on screen; ``--csv`` has more."""

app = typer.Typer(
    name="standards",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Standards: list the planning standards, show one with its clauses and confidence, compare two.",
    epilog="Examples: lifecircle standards list | lifecircle standards show gb50180-2018 | "
    "lifecircle standards diff gb50180-2018 tdt1062-2021",
)

StandardArgument = Annotated[str, typer.Argument(help="The key of a standard that ships, or the path of a TOML file.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print as JSON, everything in it.")]
CsvOption = Annotated[bool, typer.Option("--csv", help="Print as CSV.")]


@app.command("list")
def list_standards(*, as_json: JsonOption = False, as_csv: CsvOption = False, language: LanguageOption = None) -> None:
    """List: the standards that ship, with how many of their values carry each confidence.

    Examples: lifecircle standards list  |  lifecircle standards list --csv > standards.csv
    """
    spoken = language_of(language)
    with reporting(spoken):
        from lifecircle.layers.standards import confidence_counts, load_standard, shipped_standards

        _one_format(spoken, as_json, as_csv)
        rows = [
            {
                "standard": standard.key,
                "title": getattr(standard, spoken),
                "edition": standard.edition,
                "extends": ", ".join(standard.extends),
                "rules": len(standard.rules),
                "unmeasured": len(standard.unmeasured),
                "indicators": len(standard.indicators),
                **confidence_counts(standard),
            }
            for standard in map(load_standard, shipped_standards())
        ]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    elif as_csv:
        _print_csv(list(rows[0]), rows)
    else:
        _print_table(list(rows[0]), rows, spoken)


@app.command("show")
def show(
    standard: StandardArgument,
    *,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
    as_toml: Annotated[
        bool, typer.Option("--toml", help="Print a local standard that extends it, to fill in.")
    ] = False,
    language: LanguageOption = None,
) -> None:
    """Show: every rule of a standard with its limit, areas, figures, clause and confidence.

    Examples: lifecircle standards show gb50180-2018  |  lifecircle standards show gb50180-2018 --toml > local.toml

    Exit code 0, or 2 when the standard is unknown or faulty; all faults of a file are told at once.
    """
    spoken = language_of(language)
    with reporting(spoken):
        from lifecircle.layers.standards import as_data, load_standard, rule_rows, template

        _one_format(spoken, as_json, as_csv, as_toml)
        found = load_standard(standard)
        if as_json:
            typer.echo(json.dumps(as_data(found), ensure_ascii=False, indent=2))
        elif as_toml:
            typer.echo(template(found, standard, spoken), nl=False)
        elif as_csv:
            rows = rule_rows(found, spoken)
            _print_csv(list(rows[0]) if rows else [], rows)
        else:
            _print_standard(found, spoken)


@app.command("diff")
def diff(
    before: StandardArgument,
    after: StandardArgument,
    *,
    as_json: JsonOption = False,
    as_csv: CsvOption = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 1 when the two differ.")] = False,
    language: LanguageOption = None,
) -> None:
    """Diff: what the second standard adds to, removes from and changes in the first, field by field.

    Examples: lifecircle standards diff gb50180-2018 local.toml  |  lifecircle standards diff A B --csv > changes.csv
    """
    spoken = language_of(language)
    with reporting(spoken):
        from lifecircle.layers.standards import differences, load_standard

        _one_format(spoken, as_json, as_csv)
        found = differences(load_standard(before), load_standard(after))
    rows = [_difference(one, spoken, plain=as_json or as_csv) for one in found]
    columns = ["change", "kind", "key", "name", "field", "before", "after"]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    elif as_csv:
        _print_csv(columns, rows)
    elif rows:
        _print_table(columns, rows, spoken)
    else:
        from lifecircle.layers.words import say

        typer.echo(say("standards.no_difference", spoken))
    if rows and exit_code:
        raise typer.Exit(1)


def _one_format(language: LanguageName, *wanted: bool) -> None:
    """Stop when two formats are asked for at once."""
    from lifecircle.layers.words import say

    if sum(wanted) > 1:
        raise typer.BadParameter(say("standards.one_format", language))


def _difference(one: Difference, language: LanguageName, *, plain: bool) -> dict[str, object]:
    """Return a difference as a row; codes where a program reads it, words where a person does."""
    from lifecircle.layers.words import say

    return {
        "change": one.change if plain else say(f"standards.change_{one.change}", language),
        "kind": one.kind if plain else say(f"standards.kind_{one.kind}", language),
        "key": one.key,
        "name": getattr(one, language),
        "field": one.field,
        "before": one.before,
        "after": one.after,
    }


def _print_standard(standard: Standard, language: LanguageName) -> None:
    """Print a standard for a reader: its name and source, circles, rules, indicators, what the letters mean."""
    from lifecircle.layers.standards import rule_rows
    from lifecircle.layers.words import say

    typer.echo(getattr(standard, language))
    if source := getattr(standard, f"source_{language}"):
        typer.echo(source)
    if standard.circles:
        typer.echo(f"\n{say('standards.circles', language)}")
        _print_table(*_circles(standard, language), language)
    typer.echo(f"\n{say('standards.rules', language)}")
    walked = {rule.facility_class for rule in standard.rules}
    rows = [_shown(row, language, walked=row["facility_class"] in walked) for row in rule_rows(standard, language)]
    _print_table(["facility_class", *SHOWN], rows, language)
    if standard.indicators:
        typer.echo(f"\n{say('standards.indicators', language)}")
        _print_table(*_indicators(standard, language), language)
    typer.echo()
    for letter in "ABCD":
        typer.echo(say(f"standards.confidence_{letter}", language))


def _shown(row: Mapping[str, object], language: LanguageName, *, walked: bool) -> dict[str, object]:
    """Return a row of the table of rules as a reader wants it: one limit, yes and no, both confidences."""
    from lifecircle.layers.words import say

    metres, minutes = row["limit_m"], row["limit_minutes"]
    parts = [say("standards.metres", language, metres=f"{metres:g}")] if metres is not None else []
    parts += [say("standards.minutes", language, minutes=f"{minutes:g}")] if minutes is not None else []
    limit = " / ".join(parts)
    if limit and not walked:
        limit = say("standards.not_walked", language, limit=limit)
    sure = [str(row[name]) for name in ("confidence", "confidence_areas") if row[name] is not None]
    return {
        **row,
        "circle": row["circle"] or say("standards.block", language),
        "required": say("standards.yes" if row["required"] else "standards.no", language),
        "limit": limit,
        "confidence": " / ".join(sure),
    }


def _circles(standard: Standard, language: LanguageName) -> tuple[list[str], list[dict[str, object]]]:
    """Return the columns and rows of the table of circles: a row for the circle, one for each of its figures."""
    from lifecircle.layers.standards import figure_name, range_text
    from lifecircle.layers.words import say

    clause = "clause" if language == "zh" else "clause_en"
    rows: list[dict[str, object]] = []
    for circle in standard.circles:
        own = (
            ("walk", circle.walk_m_least, circle.walk_m_most, circle.confidence_walk),
            ("people", circle.people_least, circle.people_most, circle.confidence),
            ("dwellings", circle.dwellings_least, circle.dwellings_most, circle.confidence),
            ("land_ha", circle.land_ha_least, circle.land_ha_most, circle.confidence_land),
        )
        name = getattr(circle, language)
        rows += [
            {
                "name": name,
                "figure": say(f"standards.{key}", language),
                "value": range_text(least, most),
                "clause": getattr(circle, clause),
                "confidence": sure,
            }
            for key, least, most, sure in own
            if least is not None
        ]
        rows += [
            {
                "name": name,
                "figure": figure_name(figure, language),
                "value": range_text(figure.least, figure.most),
                "clause": getattr(figure, clause),
                "confidence": figure.confidence,
            }
            for figure in circle.figures
        ]
    return ["name", "figure", "value", "clause", "confidence"], rows


def _indicators(standard: Standard, language: LanguageName) -> tuple[list[str], list[dict[str, object]]]:
    """Return the columns and rows of the table of indicators."""
    rows: list[dict[str, object]] = [
        {
            "title": getattr(one, language),
            "formula": getattr(one, f"formula_{language}"),
            "target": "" if one.target is None else f"≥{one.target:.0%}",
            "clause": one.clause if language == "zh" else one.clause_en,
            "confidence": one.confidence,
        }
        for one in standard.indicators
    ]
    return ["title", "formula", "target", "clause", "confidence"], rows


def _print_csv(columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> None:
    """Print rows as CSV with the columns' keys as header."""
    writer = csv.DictWriter(sys.stdout, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(
        {key: "; ".join(map(str, value)) if isinstance(value, tuple) else value for key, value in row.items()}
        for row in rows
    )


def _print_table(columns: Sequence[str], rows: Sequence[Mapping[str, object]], language: LanguageName) -> None:
    """Print rows as a table with the columns named in words."""
    from rich.console import Console
    from rich.table import Table

    from lifecircle.layers.words import catalogue, say

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = FULL_WIDTH
    table = Table()
    for column in columns:
        key = f"standards.col_{column}"
        table.add_column(say(key, language) if key in catalogue() else column, overflow="fold")
    for row in rows:
        cells = ("" if row[column] is None else str(row[column]) for column in columns)
        table.add_row(*(cell.replace("[", r"\[") for cell in cells))
    console.print(table)


if __name__ == "__main__":
    app()
