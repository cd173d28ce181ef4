"""The appendix of the report on the quality of the data: repairs, merges, coordinates, what could not be placed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..layers.words import layer_name
from .formats import NOTHING
from .quotes import label, text
from .report import Block, Column, Desk, Heading, Paragraph, Table, refer
from .sections_plan import more, number

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    import pandas as pd

ROWS_MOST = 12
"""Rows of each list; the workbook has them all."""
COORDINATES = ("datum.", "local.")
"""How the codes of notes begin that are on coordinates."""


def about_coordinates(code: object) -> bool:
    """Tell whether a note is on coordinates, which the appendix tells of.

    Examples
    --------
    >>> about_coordinates("datum.shifted"), about_coordinates("zoning.overlap_removed")
    (True, False)
    """
    return str(code).startswith(COORDINATES)


def quality(desk: Desk) -> list[Block]:
    """Return what was repaired, merged, moved and not placed, with the first rows of each list."""
    from .sections import sentence  # noqa: PLC0415  that module lists this section

    tables = desk.findings.tables
    repairs, merges, snapping = tables["repairs"], tables["merges"], tables["snapping"]
    placed = snapping["status"].value_counts()
    off = snapping[snapping["status"] != "on_street"]
    blocks: list[Block] = [
        Heading(desk.say("quality")),
        desk.body(
            "quality_intro",
            repairs=number(desk, len(repairs)),
            merges=number(desk, len(merges)),
            placed=number(desk, int(placed.get("on_street", 0))),
            off=number(desk, len(off)),
        ),
    ]
    moved = [sentence(desk, note) for note in desk.findings.manifest["notes"] if about_coordinates(note["code"])]
    if moved:
        blocks += [desk.body("quality_coordinates"), *(Paragraph(said, "bullet") for said in moved)]
    blocks += _listed(desk, "repairs", repairs, _repair_cells)
    doubtful_first = merges.sort_values("distance_m", ascending=False, kind="stable")
    blocks += _listed(desk, "merges", doubtful_first, _merge_cells)
    return blocks


_HEADS: Mapping[str, tuple[tuple[str, bool, float], ...]] = {
    "repairs": (
        ("col_layer", False, 1.0),
        ("col_file", False, 1.6),
        ("col_feature", False, 1.4),
        ("col_what", False, 1.4),
        ("col_area_before", True, 1.0),
        ("col_area_after", True, 1.0),
    ),
    "merges": (
        ("col_class", False, 1.6),
        ("col_kept", False, 2.0),
        ("col_dropped", False, 2.0),
        ("col_distance", True, 0.8),
        ("col_why", False, 1.4),
    ),
}


def _listed(desk: Desk, name: str, frame: pd.DataFrame, cells: Any) -> list[Block]:  # noqa: ANN401  a function of a row
    """Return the first rows of a list as a table, and where the others are."""
    if not len(frame):
        return []
    columns = tuple(Column(desk.say(head), numeric, width) for head, numeric, width in _HEADS[name])
    rows = tuple(cells(desk, row) for row in frame.head(ROWS_MOST).to_dict("records"))
    table = Table(name, desk.say(f"{name}_caption"), columns, rows)
    return [desk.body(f"{name}_intro", table=refer("table", name)), table, *more(desk, len(frame) - ROWS_MOST)]


def _repair_cells(desk: Desk, row: Mapping[str, object]) -> tuple[str, ...]:
    name = layer_name(text(row["layer"]), desk.language)
    return (
        name[:1].upper() + name[1:],
        text(row["file"]).replace("\\", "/").rsplit("/", 1)[-1] or NOTHING,
        text(row["feature"]) or NOTHING,
        label("repair", row["what"], desk.language),
        number(desk, row["area_before_m2"]),
        number(desk, row["area_after_m2"]),
    )


def _merge_cells(desk: Desk, row: Mapping[str, object]) -> tuple[str, ...]:
    return (
        desk.name(text(row["facility_class"]), short=True),
        text(row["kept_name"]) or text(row["kept"]) or NOTHING,
        text(row["dropped_name"]) or text(row["dropped"]) or NOTHING,
        number(desk, row["distance_m"], "tenth"),
        label("merge", row["why"], desk.language),
    )


__all__ = ["about_coordinates", "quality"]
