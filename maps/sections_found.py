"""The sections of the report on what neighbourhoods lack, and on proposed sites and their proof."""

from __future__ import annotations

from .formats import NOTHING
from .quotes import (
    known,
    text,
)
from .report import STATES, Block, Column, Desk, Heading, Table, refer
from .sections_plan import limit_cell, more, number

LACKING_MOST = 20
CLASSES_MOST = 6
"""Classes named in one cell; the number beside it and the workbook tell of all."""


def lacking(desk: Desk) -> list[Block]:
    """Return what neighbourhoods lack: by class, and those that lack most."""
    if not desk.has_figure("missing"):
        return []
    blocks: list[Block] = [Heading(desk.say("lacking_cell" if desk.cells else "lacking"))]
    if desk.cells:
        blocks.append(desk.body("lacking_cell_note"))
    ranked = desk.lacking()
    if not len(ranked):
        return [*blocks, desk.body("lacking_none", units=desk.units()), desk.figure("missing")]
    blocks.append(
        desk.body(
            "lacking_intro",
            units=desk.units(),
            classes=refer("table", "lacking_classes"),
            figure=refer("figure", "missing"),
            table=refer("table", "lacking"),
            most=min(LACKING_MOST, len(ranked)),
        )
    )
    return [
        *blocks,
        _lacking_classes(desk),
        desk.figure("missing"),
        _lacking_table(desk),
        *more(desk, len(ranked) - LACKING_MOST),
    ]


def _lacking_classes(desk: Desk) -> Table:
    """Return how many neighbourhoods have each required class, for all or for a part of their people, or lack it."""
    columns = (
        Column(desk.say("col_class"), width=4.5),
        Column(desk.say("col_limit_sure"), width=1.2),
        *(Column(desk.say(f"col_{state}"), numeric=True, width=0.8) for state in STATES),
    )
    states = desk.states()
    missing = desk.findings.tables["missing"]
    to_come = set(missing.loc[[known(value) == 1.0 for value in missing["none_yet"]], "facility_class"])
    rows = []
    for key in desk.with_data(required=True):
        for circle in desk.coverage.circles(key):
            counts = states.get((key, circle))
            if counts is not None:
                limit = limit_cell(desk, desk.coverage.city(key, circle=circle))
                title = desk.title(key, circle)
                title = desk.say("none_yet_class", name=title) if key in to_come else title
                rows.append((title, limit, *(number(desk, count) for count in counts)))
    caption = desk.say("lacking_classes_caption", units=desk.units())
    return Table("lacking_classes", caption[:1].upper() + caption[1:], columns, tuple(rows))


def _lacking_table(desk: Desk) -> Table:
    layers = desk.findings.layers
    names = {
        kind: dict(zip(layers[f"{kind}s"][f"{kind}_id"], layers[f"{kind}s"]["name"], strict=True))
        for kind in ("ring", "district")
    }
    shown = [kind for kind in names if len(names[kind]) > 1]
    dated = bool(layers["compounds"]["year_built"].notna().any())
    small = bool(layers["compounds"]["too_small_count"].gt(0).any())
    columns = [
        Column(desk.say("col_cell" if desk.cells else "col_compound"), width=1.3),
        *(Column(desk.say(f"col_{kind}"), width=1.0) for kind in shown),
        *([Column(desk.say("col_year_built"), numeric=True, width=0.4)] if dated else []),
        Column(desk.say("col_people"), numeric=True, width=0.4),
        Column(desk.say("col_shortfall"), numeric=True, width=0.4),
        Column(desk.say("col_missing_count"), numeric=True, width=0.4),
        Column(desk.say("col_partial_count"), numeric=True, width=0.4),
        *([Column(desk.say("col_too_small_count"), numeric=True, width=0.4)] if small else []),
        Column(desk.say("col_missing"), width=6.0),
    ]
    rows = []
    for _, row in desk.lacking().head(LACKING_MOST).iterrows():
        lacked = [desk.name(key, short=True) for key in text(row["missing"]).split(";") if key]
        classes = desk.join(lacked[:CLASSES_MOST])
        if len(lacked) > CLASSES_MOST:
            classes = desk.say("and_more", names=classes, count=len(lacked))
        rows.append(
            (
                text(row["name"]) or text(row["compound_id"]),
                *(text(names[kind].get(row[f"{kind}_id"])) or NOTHING for kind in shown),
                *((number(desk, row["year_built"], "plain"),) if dated else ()),
                number(desk, row["people"]),
                number(desk, row["shortfall"]),
                number(desk, row["missing_count"]),
                number(desk, row["partial_count"]),
                *((number(desk, row["too_small_count"]),) if small else ()),
                classes or NOTHING,
            )
        )
    return Table("lacking", desk.say("lacking_caption", units=desk.units()), tuple(columns), tuple(rows), wide=True)


__all__ = ["lacking"]
