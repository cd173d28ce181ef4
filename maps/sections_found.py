"""The sections of the report on what neighbourhoods lack, and on proposed sites and their proof."""

from __future__ import annotations

from .formats import NOTHING
from .quotes import (
    known,
    label,
    served,
    text,
)
from .report import STATES, Block, Column, Desk, Heading, Paragraph, Table, refer
from .sections_basis import basis
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


def sites(desk: Desk) -> list[Block]:
    """Return the proposed sites with the proof that no choice is better, or how much better one could be."""
    siting = desk.findings.tables["siting"]
    blocks: list[Block] = [Heading(desk.say("sites"))]
    if not len(siting):
        return [*blocks, desk.body("sites_none")]
    blocks += [desk.body("sites_intro", table=refer("table", "siting")), _siting_table(desk), *basis(desk)]
    for place, (_, row) in enumerate(siting.iterrows()):
        key = str(row["facility_class"])
        earlier = "_earlier" if place else ""
        status = str(row["status"])
        proof_key = f"proof_{status}" if status in {"optimal", "all_covered"} else "proof_time_limit"
        proof_key += earlier if status != "all_covered" else ""
        gain = number(desk, float(row["bound"]) - float(row["objective"]))
        blocks.append(
            desk.body(
                f"siting_paragraph{earlier}",
                name=desk.name(key),
                group=label("measure", row["weight"], desk.language),
                proof=desk.say(proof_key, gain=gain),
                **{name: number(desk, row[name]) for name in ("candidates", "chosen", "total")},
                before=number(desk, row["covered_before"]),
                after=number(desk, row["covered_after"]),
            )
        )
        blocks.extend(_sites_of(desk, key))
    if desk.has_figure("sites"):
        blocks += [desk.body("sites_map", figure=refer("figure", "sites")), desk.figure("sites")]
    return blocks


def _siting_table(desk: Desk) -> Table:
    counts = ("wanted", "candidates", "chosen", "before", "after", "objective", "bound")
    fields = ("wanted", "candidates", "chosen", "covered_before", "covered_after", "objective", "bound")
    columns = [Column(desk.say("col_class"), width=2.2), Column(desk.say("col_weight"), width=1.6)]
    columns += [
        Column(desk.say(f"col_{name}"), numeric=True, width=0.7 if name in counts[:3] else 1.0) for name in counts
    ]
    columns += [Column(desk.say("col_gap"), numeric=True, width=0.8), Column(desk.say("col_status"), width=1.2)]
    rows = tuple(
        (
            desk.name(str(row["facility_class"])),
            served(row["weight"], desk.language),
            *(number(desk, row[name]) for name in fields),
            number(desk, row["gap"], "percent"),
            desk.say(f"solver_{row['status']}"),
        )
        for _, row in desk.findings.tables["siting"].iterrows()
    )
    return Table("siting", desk.say("siting_caption"), tuple(columns), rows)


def _sites_of(desk: Desk, key: str) -> list[Block]:
    frame = desk.findings.tables["sites"]
    frame = frame[frame["facility_class"] == key].sort_values("rank")
    if not len(frame):
        return []
    layers = desk.findings.layers
    rings = dict(zip(layers["rings"]["ring_id"], layers["rings"]["name"], strict=True)) if desk.rings else {}
    elders = desk.coverage.city(key, "elders_60")
    weight = str(frame["weight"].iloc[0])
    others = {"people": "people_added"}
    others |= {"elders_60": "elders_added"} if elders is not None and elders.total else {}
    counted = [("added", weight), *((column, group) for group, column in others.items() if group != weight)]
    floor = bool(frame["floor_area_m2"].notna().any())
    columns = [
        Column(desk.say("col_rank"), numeric=True, width=0.6),
        Column(desk.say("col_site"), width=2.2),
        Column(desk.say("col_kind"), width=1.2),
        *([Column(desk.say("col_ring"), width=1.3)] if rings else []),
        Column(desk.say("col_area_m2"), numeric=True),
        *([Column(desk.say("col_floor_m2"), numeric=True)] if floor else []),
        *(Column(desk.say("col_added", group=served(group, desk.language)), numeric=True) for _, group in counted),
        Column(desk.say("col_only_here"), numeric=True, width=0.9),
        Column(desk.say("col_rezoning"), width=0.8),
        Column(desk.say("col_runner_up"), width=1.1),
        Column(desk.say("col_loss"), numeric=True, width=0.9),
    ]
    rows = []
    for _, site in frame.iterrows():
        rezoning = known(site["needs_rezoning"])
        rows.append(
            (
                number(desk, site["rank"]),
                text(site["name"]) or text(site["site_id"]),
                label("kind", site["kind"], desk.language),
                *((text(rings.get(site["ring_id"])) or NOTHING,) if rings else ()),
                number(desk, site["area_m2"]),
                *((number(desk, site["floor_area_m2"]),) if floor else ()),
                *(number(desk, site[name]) for name in (*(column for column, _ in counted), "only_here")),
                NOTHING if rezoning is None else desk.say("yes" if rezoning else "no"),
                _site_name(desk, text(site["runner_up"])) or NOTHING,
                number(desk, site["runner_up_loses"]),
            )
        )
    caption = desk.say("sites_caption", name=desk.name(key))
    blocks: list[Block] = [
        Paragraph(desk.say("sites_refer", name=desk.name(key), table=refer("table", f"sites_{key}")))
    ]
    rezoned = frame[[known(value) == 1.0 for value in frame["needs_rezoning"]]]
    if len(rezoned):
        names = desk.join(text(row["name"]) or text(row["site_id"]) for _, row in rezoned.iterrows())
        blocks.append(desk.body("sites_rezoning", count=len(rezoned), names=names))
    note = desk.say("sites_note", group=served(weight, desk.language))
    return [*blocks, Table(f"sites_{key}", caption, tuple(columns), tuple(rows), note=note)]


def _site_name(desk: Desk, site_id: str) -> str:
    """Return the name of a candidate; its id where it has none."""
    frame = desk.findings.layers["candidates"]
    names = frame.loc[frame["site_id"] == site_id, "name"]
    return (text(names.iloc[0]) if len(names) else "") or site_id


__all__ = ["lacking", "sites"]
