"""The section of the report on candidates: how many of which source fit each class, and why the others do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..layers.candidate_checks import REASONS
from ..layers.candidate_sources import SOURCES
from ..layers.words import catalogue, say
from .formats import NOTHING, format_number
from .quotes import label, text
from .report import Block, Column, Desk, Heading, Paragraph, Table, refer
from .sections_plan import number

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..layers.words import Language

NEAR_MOST = 12
"""Places listed that only one thing speaks against."""
LARGE = 1000.0
"""From here on figures are shown whole."""
KEYS = ["site_id", "facility_class", "reason"]


def candidates(desk: Desk) -> list[Block]:
    """Return the section on candidates; nothing where points along streets are all there is."""
    frame = pd.DataFrame(desk.findings.layers["candidates"].drop(columns="geometry"))
    on_street = (frame["source"] == "street").to_numpy(dtype=bool)
    places, streets = frame[~on_street], frame[on_street]
    if not len(places):
        return []
    refusals = desk.findings.tables["refusals"]
    refusals = refusals[~refusals["site_id"].isin(streets["site_id"])]
    blocks: list[Block] = [Heading(_said(desk, "title"))]
    said = [_said(desk, "intro", table=refer("table", "candidates"), **_counts(desk, places))]
    if len(refusals):
        said.append(_said(desk, "intro_refused", refusals=refer("table", "refusals")))
    if len(streets):
        names = desk.join(desk.name(key, short=True) for key in dict.fromkeys(map(str, streets["facility_class"])))
        count = number(desk, streets["site_id"].nunique())
        said.append(_said(desk, "intro_streets", classes=names, count=count))
    blocks += [Paragraph(desk.say("sentence_gap").join(said)), _fitting(desk, places)]
    if len(refusals):
        blocks += [_reasons(desk, refusals), *_nearest(desk, refusals)]
    return blocks


def _said(desk: Desk, key: str, /, **parameters: object) -> str:
    return say(f"candidates.{key}", desk.language, **parameters)


def _counts(desk: Desk, places: pd.DataFrame) -> dict[str, str]:
    """Return how many places there are, and how many of each source."""
    once = places.drop_duplicates("site_id")
    counts = once["source"].value_counts()
    parts = [
        _said(desk, "source_count", source=label("candidate_source", name, desk.language), count=int(counts[name]))
        for name in SOURCES
        if name in counts
    ]
    return {"places": number(desk, len(once)), "sources": desk.join(parts)}


def _fitting(desk: Desk, places: pd.DataFrame) -> Table:
    """Return how many places were tried for each class and how many fit."""
    columns = (
        Column(_said(desk, "col_class"), width=2.4),
        *(Column(_said(desk, f"col_{name}"), numeric=True) for name in ("tried", "fit", "approval", "refused")),
    )
    rows = []
    for key in dict.fromkeys(map(str, places["facility_class"])):
        own = places[places["facility_class"] == key]
        fits = own["fits"].to_numpy(dtype=bool)
        asked = own["needs_approval"].astype("boolean").fillna(value=False).to_numpy(dtype=bool)
        counts = (len(own), int(fits.sum()), int((fits & asked).sum()), int((~fits).sum()))
        rows.append((desk.name(key), *(number(desk, count) for count in counts)))
    return Table("candidates", _said(desk, "fitting_caption"), columns, tuple(rows))


def _reasons(desk: Desk, refusals: pd.DataFrame) -> Table:
    """Return how many places each reason refuses for each class, with the least sure of its clauses."""
    classes = list(dict.fromkeys(map(str, refusals["facility_class"])))
    once = refusals.drop_duplicates(KEYS)
    counts = once.pivot_table(index="reason", columns="facility_class", values="site_id", aggfunc="size", fill_value=0)
    sure = refusals.groupby("reason")["confidence"].max()
    columns = (
        Column(_said(desk, "col_reason"), width=3.0),
        *(Column(desk.name(key, short=True), numeric=True) for key in classes),
        Column(_said(desk, "col_confidence"), width=0.8),
    )
    rows = tuple(
        (
            label("reason", reason, desk.language),
            *(number(desk, counts.loc[reason, key]) for key in classes),
            text(sure.get(reason)) or NOTHING,
        )
        for reason in REASONS
        if reason in counts.index
    )
    return Table("refusals", _said(desk, "refusals_caption"), columns, rows, note=_said(desk, "refusals_note"))


def _nearest(desk: Desk, refusals: pd.DataFrame) -> list[Block]:
    """Return the places that one thing alone speaks against, by how little they miss it."""
    alone = refusals[~refusals.duplicated(["site_id", "facility_class"], keep=False)]
    measured, needed = (alone[name].to_numpy(dtype=np.float64) for name in ("measured", "needed"))
    short = np.abs(measured - needed) / np.where(needed > 0, needed, np.nan)
    alone = alone.assign(_short=short)[np.isfinite(short)]
    if not len(alone):
        return []
    alone = alone.sort_values(["_short", "site_id", "facility_class"], kind="stable").head(NEAR_MOST)
    columns = (
        Column(_said(desk, "col_site"), width=2.0),
        Column(_said(desk, "col_class"), width=1.6),
        Column(_said(desk, "col_reason"), width=1.8),
        Column(_said(desk, "col_measured"), numeric=True),
        Column(_said(desk, "col_needed"), numeric=True),
        Column(_said(desk, "col_confidence"), width=0.8),
    )
    rows = tuple(
        (
            text(row["name"]) or text(row["site_id"]),
            desk.name(str(row["facility_class"]), short=True),
            label("reason", row["reason"], desk.language),
            figure(row["measured"], text(row["unit"]), desk.language),
            figure(row["needed"], text(row["unit"]), desk.language),
            text(row["confidence"]) or NOTHING,
        )
        for _, row in alone.iterrows()
    )
    return [
        Paragraph(_said(desk, "near_intro", table=refer("table", "refusals_near"))),
        Table("refusals_near", _said(desk, "near_caption"), columns, rows),
    ]


def figure(value: float, unit: str, language: Language) -> str:
    """Return what was measured or is needed with its unit; a dash where there is no figure.

    Examples
    --------
    >>> figure(11.44, "m", "en"), figure(1242.6, "m2", "zh"), figure(float("nan"), "m", "en")
    ('11.44 m', '1,243 平方米', '—')
    """
    if not np.isfinite(value):
        return NOTHING
    kind = "decimal" if abs(value) < LARGE and unit != "places" and value != round(value) else "count"
    said = format_number(value, kind, language)
    return f"{said}%" if unit == "percent" else f"{said} {label('refusal_unit', unit, language)}"


def of_candidates(table: str, language: Language) -> dict[str, Callable[[Any], str]]:
    """Return what turns the codes in the workbook's sheets on candidates into names, by column."""

    def reasons(value: object) -> str:
        return say("report.join", language).join(label("reason", part, language) for part in text(value).split(";"))

    def source(value: object) -> str:
        return label("candidate_source", value, language)

    if table == "candidates":
        return {"reason": reasons, "source": source}
    return {
        "reason": reasons,
        "unit": lambda value: label("refusal_unit", value, language),
        "what": lambda value: _thing(text(value), language),
    }


def _thing(value: str, language: Language) -> str:
    """Return the name of what stands in the way: of a tenure or a stage its name, anything else as it stands."""
    for kind in ("tenure", "stage"):
        if f"values.{kind}_{value}" in catalogue():
            return label(kind, value, language)
    return value
