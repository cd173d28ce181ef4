"""The section of the report on rings and renewal projects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .formats import NOTHING, format_limit, format_number
from .quotes import known, label, text
from .report import Block, Column, Desk, Heading, Paragraph, Table, refer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from .quotes import Quote

PROJECTS_MOST = 60
NAMES_MOST = 6
"""Projects named in a sentence."""
RINGS_ACROSS = 5
"""Up to so many rings stand side by side in a table."""
LEAST = "≥ "
"""Before a sum of which some parts are unknown."""


def number(desk: Desk, value: object, kind: str = "count", *, factor: float = 1.0) -> str:
    """Return a cell's number as text; a dash where the cell is empty."""
    found = known(value)
    return format_number(None if found is None else found * factor, kind, desk.language)


def limit_cell(desk: Desk, quote: Quote | None) -> str:
    """Return the limit that a figure rests on, with the letter that says how sure it is; a dash where it has none."""
    return NOTHING if quote is None else desk.sure(format_limit(quote.limit, quote.unit, desk.language), quote)


def total(desk: Desk, values: Iterable[object], kind: str = "count", *, factor: float = 1.0) -> str:
    """Return the sum of a column as text; marked as a lower bound where cells are empty."""
    found = [known(value) for value in values]
    there = [value for value in found if value is not None]
    if not there:
        return NOTHING
    said = format_number(sum(there) * factor, kind, desk.language)
    return at_least(said) if len(there) < len(found) else said


def at_least(said: str) -> str:
    """Return a number marked as a lower bound; a dash stays one."""
    return said if said == NOTHING or said.startswith(LEAST) else f"{LEAST}{said}"


def rings(desk: Desk) -> list[Block]:
    """Return rings and projects, with totals."""
    blocks: list[Block] = [Heading(desk.say("rings"))]
    if desk.rings:
        blocks.append(desk.body("rings_intro", table=refer("table", "rings"), figure=refer("figure", "location")))
        blocks.append(_rings_table(desk))
    else:
        blocks.append(desk.body("rings_none", figure=refer("figure", "location")))
    blocks.append(desk.figure("location"))
    blocks.extend(_projects(desk))
    return blocks


def _rings_table(desk: Desk) -> Table:
    frame = desk.findings.layers["rings"].sort_values("order")
    compounds = "col_cells" if desk.cells else "col_compounds"
    counts = {
        "people": "col_people",
        "elders_60": "col_elders",
        "households": "col_households",
        "compounds": compounds,
        "projects": "col_projects",
    }
    columns = [Column(desk.say("col_ring"), width=1.8), Column(desk.say("col_policy"), width=1.1)]
    columns += [Column(desk.say(name), numeric=True) for name in ("col_area_km2", *counts.values())]
    rows = [
        (
            text(ring["name"]),
            label("policy", ring["policy"], desk.language),
            number(desk, ring["area_m2"], "decimal", factor=1e-6),
            *(number(desk, ring[name]) for name in counts),
        )
        for _, ring in frame.iterrows()
    ]
    area = total(desk, frame["area_m2"], "decimal", factor=1e-6)
    rows.append((desk.say("total"), "", area, *(total(desk, frame[name]) for name in counts)))
    return Table("rings", desk.say("rings_caption"), tuple(columns), tuple(rows), total=True)


def _projects(desk: Desk) -> list[Block]:
    frame = desk.findings.layers["projects"]
    if not len(frame):
        return [desk.body("projects_none")]
    blocks: list[Block] = [
        desk.body(
            "projects_intro",
            count=len(frame),
            table=refer("table", "projects_by_ring"),
            list=refer("table", "projects"),
        )
    ]
    against = frame[[known(value) == 1.0 for value in frame["against_policy"]]]
    if len(against):
        said = {"count": len(against), "list": refer("table", "projects")}
        if len(against) <= NAMES_MOST:
            names = desk.join(text(name) for name in against["name"])
            blocks.append(desk.body("projects_against", **said, names=names))
        else:
            blocks.append(desk.body("projects_against_many", **said))
    return [*blocks, _projects_by_ring(desk), *_project_list(desk, frame)]


_BY_RING = (
    ("projects", "col_projects", "count", 1.0),
    ("area_m2", "col_area_ha", "decimal", 1e-4),
    ("households", "col_households", "count", 1.0),
    ("floor_area_m2", "col_floor_10k", "decimal", 1e-4),
    ("people_before", "col_people_before", "count", 1.0),
    ("people_after", "col_people_after", "count", 1.0),
)
_UNKNOWN = {
    "households": "households_unknown",
    "floor_area_m2": "floor_area_unknown",
    "people_before": "people_before_unknown",
    "people_after": "people_after_unknown",
}
"""Columns that count the projects of a row which state no value."""


def _projects_by_ring(desk: Desk) -> Table:
    frame = desk.findings.tables["projects_by_ring"]
    named = desk.rings
    columns = [Column(desk.say("col_ring"), width=1.5)] if named else []
    columns += [Column(desk.say("col_kind"), width=1.3), Column(desk.say("col_way"), width=0.7)]
    columns += [Column(desk.say(name), numeric=True) for _, name, _, _ in _BY_RING]
    rows = []
    for _, row in frame.iterrows():
        first = (text(row["ring_name"]) or NOTHING,) if named else ()
        codes = (label("kind", row["kind"], desk.language), label("way", row["way"], desk.language))
        cells = [number(desk, row[name], kind, factor=by) for name, _, kind, by in _BY_RING]
        marked = zip(_BY_RING, cells, strict=True)
        rows.append(
            (*first, *codes, *(at_least(said) if row.get(_UNKNOWN.get(of[0]), 0) else said for of, said in marked))
        )
    sums = [total(desk, frame[name], kind, factor=by) for name, _, kind, by in _BY_RING]
    lacks = [bool(frame[_UNKNOWN[name]].sum()) if name in _UNKNOWN else False for name, *_ in _BY_RING]
    sums = [at_least(said) if lack else said for said, lack in zip(sums, lacks, strict=True)]
    blank = ("",) * (len(columns) - len(sums) - 1)
    rows.append((desk.say("total"), *blank, *sums))
    note = desk.say("partial_note") if any(value.startswith("≥") for value in sums) else ""
    caption = desk.say("projects_by_ring_caption")
    return Table("projects_by_ring", caption, tuple(columns), tuple(rows), total=True, note=note)


def _project_list(desk: Desk, frame: pd.DataFrame) -> list[Block]:
    ring_names = dict(zip(desk.findings.layers["rings"]["ring_id"], desk.findings.layers["rings"]["name"], strict=True))
    columns = (
        Column(desk.say("col_rank"), numeric=True, width=0.5),
        Column(desk.say("col_project"), width=2.4),
        Column(desk.say("col_kind"), width=1.3),
        Column(desk.say("col_way"), width=0.7),
        Column(desk.say("col_stage"), width=1.0),
        Column(desk.say("col_year"), numeric=True, width=0.8),
        *([Column(desk.say("col_ring"), width=1.4)] if desk.rings else []),
        Column(desk.say("col_area_ha"), numeric=True),
        Column(desk.say("col_households"), numeric=True),
        *([Column(desk.say("col_against"), width=1.0)] if desk.rings else []),
    )
    rows = tuple(
        (
            str(place),
            text(row["name"]),
            label("kind", row["kind"], desk.language),
            label("way", row["way"], desk.language),
            label("stage", row["stage"], desk.language),
            number(desk, row["year"], "plain"),
            *((text(ring_names.get(row["ring_id"])) or NOTHING,) if desk.rings else ()),
            number(desk, row["area_m2"], "decimal", factor=1e-4),
            number(desk, row["households"]),
            *((_policy_said(desk, row["against_policy"]),) if desk.rings else ()),
        )
        for place, (_, row) in enumerate(frame.head(PROJECTS_MOST).iterrows(), 1)
    )
    return [Table("projects", desk.say("projects_caption"), columns, rows), *more(desk, len(frame) - PROJECTS_MOST)]


def _policy_said(desk: Desk, against: object) -> str:
    return desk.say("against_yes") if known(against) == 1.0 else ""


def more(desk: Desk, count: int) -> Sequence[Block]:
    """Return a note on how many rows were left to the workbook; nothing where none was."""
    return [Paragraph(desk.say("continued", count=count), "note")] if count > 0 else []
