"""The planning basis of proposed sites: what a facility needs at least, and why other places were refused."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ..layers.candidates import REASONS
from .formats import NOTHING
from .quotes import label, text
from .report import Block, Column, Desk, Table, refer
from .sections_plan import number

if TYPE_CHECKING:
    import pandas as pd


def basis(desk: Desk) -> list[Block]:
    """Return what the classes that sites were looked for need, and how many candidates were refused and why."""
    classes = list(dict.fromkeys(map(str, desk.findings.tables["siting"]["facility_class"])))
    blocks: list[Block] = [desk.body("basis_intro", table=refer("table", "basis")), _needs(desk, classes)]
    tried = desk.findings.layers["candidates"]
    tried = tried[tried["facility_class"].isin(classes)]
    told = bool(len(desk.findings.tables["refusals"]))  # the section on candidates lists them with their figures
    if len(tried) and not told and not tried["fits"].astype(bool).all():
        blocks += [desk.body("refusals_intro", table=refer("table", "refusals")), _refusals(desk, classes, tried)]
    return blocks


def _needs(desk: Desk, classes: list[str]) -> Table:
    """Return the least land and floor area of each class, with where it stands and how sure it is."""
    columns = (
        Column(desk.say("col_class"), width=2.4),
        Column(desk.say("col_land_least"), numeric=True, width=1.1),
        Column(desk.say("col_building_least"), numeric=True, width=1.1),
        Column(desk.say("col_clause"), width=2.2),
        Column(desk.say("col_confidence"), width=0.7),
    )
    rows = []
    for key in classes:
        rule = desk.classes[key]
        rows.append(
            (
                desk.name(key),
                number(desk, rule.get("land_m2_least")),
                number(desk, rule.get("building_m2_least")),
                text(rule.get(f"clause_{desk.language}")) or text(rule.get("clause")) or NOTHING,
                text(rule.get("confidence_areas")) or NOTHING,
            )
        )
    return Table("basis", desk.say("basis_caption"), columns, tuple(rows), note=desk.say("basis_note"))


def _refusals(desk: Desk, classes: list[str], tried: pd.DataFrame) -> Table:
    """Return for each class how many candidates were looked at, fit, and were refused for each reason."""
    counts = {
        key: Counter(
            reason
            for reasons in tried.loc[(tried["facility_class"] == key) & ~tried["fits"].astype(bool), "reason"]
            for reason in text(reasons).split(";")
            if reason
        )
        for key in classes
    }
    named = {reason for count in counts.values() for reason in count}
    reasons = [*(reason for reason in REASONS if reason in named), *sorted(named.difference(REASONS))]
    columns = (
        Column(desk.say("col_class"), width=2.2),
        Column(desk.say("col_tried"), numeric=True, width=0.7),
        Column(desk.say("col_fits"), numeric=True, width=0.7),
        *(Column(label("reason", reason, desk.language), numeric=True) for reason in reasons),
    )
    rows = []
    for key in classes:
        own = tried[tried["facility_class"] == key]
        fits = int(own["fits"].astype(bool).sum())
        refused = (number(desk, counts[key][reason]) for reason in reasons)
        rows.append((desk.name(key, short=True), number(desk, len(own)), number(desk, fits), *refused))
    return Table("refusals", desk.say("refusals_caption"), columns, tuple(rows), note=desk.say("refusals_note"))


__all__ = ["basis"]
