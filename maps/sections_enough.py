"""The sections of the report on whether facilities suffice, and how evenly walks and supply are spread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .formats import NOTHING, format_limit, format_number, format_walk
from .limits import with_confidence
from .quotes import known, label, provision_name, records, served, text
from .report import Block, Column, Desk, Heading, Table, refer
from .sections_plan import RINGS_ACROSS, more, number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    import pandas as pd

ROWS_MOST = 24
"""Rows of one table of these sections; the workbook has them all."""
FOCUS_MOST = 12
"""Classes in the tables of evenness and sensitivity."""
ACCESS_METHOD = "2sfca"
STEPS = (0.8, 1.0, 1.2)
OWN, SHORTEST, LONGEST = 1.0, 0.8, 1.2


def focus(desk: Desk) -> list[str]:
    """Return the classes that tables of evenness and sensitivity show: those sited, then the least covered."""
    chosen = [*desk.key_classes(), *(key for key, _ in desk.lowest(FOCUS_MOST))]
    first = set(list(dict.fromkeys(chosen))[:FOCUS_MOST])
    return [key for key in desk.classes if key in first]


# -- enough, not only near


def enough(desk: Desk) -> list[Block]:
    """Return what stands in the study area for so many people against the standard, and which rings are short."""
    table = desk.findings.tables["provision"]
    city = table[table["group_kind"] == "city"]
    if not len(city):
        return []
    counts = city["status"].replace("few_people", "enough").value_counts()
    stated = city["basis"] == "stated"
    shown = city[stated | city["status"].isin(["short", "unknown"])]
    blocks: list[Block] = [
        Heading(desk.say("enough")),
        desk.body(
            "enough_intro",
            all=number(desk, len(city)),
            **{name: number(desk, int(counts.get(name, 0))) for name in ("enough", "short", "unknown", "no_data")},
        ),
    ]
    if not len(shown):
        return [*blocks, desk.body("enough_all")]
    blocks += [
        desk.body("enough_table", table=refer("table", "provision")),
        _provision_table(desk, shown.head(ROWS_MOST)),
        *more(desk, len(shown) - ROWS_MOST),
    ]
    return [*blocks, *_provision_by_ring(desk, table)]


def _provision_table(desk: Desk, frame: pd.DataFrame) -> Table:
    """Return one row a figure: what the standard asks for, what there is, and the verdict in words.

    Where all figures are against the same (a thousand people), the heads say so; else each row does.
    """
    pers = [label("per", per, desk.language) for per in dict.fromkeys(frame["per"])]
    heads = [desk.say("col_figure_least"), desk.say("col_figure_now")]
    if len(pers) == 1:
        heads = [desk.say("head_of_unit", head=head, unit=desk.say("figure_unit", per=pers[0])) for head in heads]
    columns = (
        Column(desk.say("col_figure"), width=2.6),
        *([] if len(pers) == 1 else [Column(desk.say("col_figure_unit"), width=0.9)]),
        Column(heads[0], numeric=True, width=1.0),
        Column(heads[1], numeric=True, width=0.9),
        Column(desk.say("col_needed"), numeric=True, width=0.9),
        Column(desk.say("col_stock"), numeric=True, width=0.9),
        Column(desk.say("col_shortfall_of"), numeric=True, width=0.9),
        Column(desk.say("col_size_unknown"), numeric=True, width=0.8),
        Column(desk.say("col_verdict"), width=1.2),
        Column(desk.say("col_clause_sure"), width=2.2),
    )
    rows = tuple(_provision_cells(desk, row, unit=len(pers) > 1) for row in frame.to_dict("records"))
    return Table("provision", desk.say("provision_caption"), columns, rows, note=desk.say("provision_note"))


def _provision_cells(desk: Desk, row: Mapping[Any, Any], *, unit: bool) -> tuple[str, ...]:
    fine = "tenth" if row["metric"] == "count" else "count"
    ratio = _ratio_kind(row)
    least, most = (number(desk, row[name], ratio) for name in ("least", "most"))
    unknown, status = known(row["size_unknown"]) or 0.0, text(row["status"])
    silent = _all_unstated(row)
    shortfall = NOTHING if silent else number(desk, row["shortfall"], fine)
    facilities = number(desk, row["facilities"])
    clause = text(row["clause_en"] if desk.language == "en" else row["clause"]) or text(row["clause"]) or NOTHING
    return (
        _figure_name(desk, row["facility_class"], row["metric"]),
        *((desk.say("figure_unit", per=label("per", row["per"], desk.language)),) if unit else ()),
        least if most == NOTHING else f"{least}–{most}",
        NOTHING if silent else number(desk, row["existing_per"], ratio),
        number(desk, row["needed"], fine),
        NOTHING if silent else number(desk, row["existing"], fine),
        desk.say("at_most", value=shortfall) if status == "unknown" and shortfall != NOTHING else shortfall,
        desk.say("share_of", part=number(desk, unknown), all=facilities),
        _verdict(desk, row),
        desk.say("clause_sure", clause=clause, confidence=text(row["confidence"]) or NOTHING),
    )  # fmt: skip


def _all_unstated(row: Mapping[Any, Any]) -> bool:
    """Tell whether there are facilities and none of them states its size: their sum of zero says nothing."""
    facilities = known(row["facilities"]) or 0.0
    return facilities > 0 and known(row["size_unknown"]) == facilities


def _figure_name(desk: Desk, key: object, metric: object) -> str:
    """Return what a figure is of and in which unit its amounts are."""
    name = provision_name(desk.findings, key, desk.language)
    return desk.say("figure_of", name=name, metric=label("metric", metric, desk.language))


def _ratio_kind(row: Mapping[Any, Any]) -> str:
    """Return how a figure per so many people is written: small ones with more digits."""
    return "count" if (known(row["least"]) or 0.0) >= 10 else "decimal"


def _verdict(desk: Desk, row: Mapping[Any, Any]) -> str:
    """Return whether it suffices, in words; marked where the figure follows from the people one facility serves."""
    said = label("provision", row["status"], desk.language)
    return desk.say("derived", status=said) if row["basis"] == "derived" else said


def _provision_by_ring(desk: Desk, table: pd.DataFrame) -> list[Block]:
    """Return by ring how much is short of each figure that the standard states; nothing where no ring is short."""
    rings = desk.findings.layers["rings"].sort_values("order")
    own = table[(table["group_kind"] == "ring") & (table["basis"] == "stated")]
    own = own[own.groupby(["facility_class", "metric", "per"])["status"].transform(_any_short)]
    if not desk.rings or not len(own) or len(rings) > RINGS_ACROSS:
        return []
    cells = {
        (row["facility_class"], row["metric"], row["per"], text(row["group_id"])): _short_cell(desk, row)
        for row in own.to_dict("records")
    }
    figures = list(dict.fromkeys(key[:3] for key in cells))
    names = ("facility_class", "metric", "per")
    sure = {tuple(row[name] for name in names): text(row["confidence"]) for row in own.to_dict("records")}
    columns = (
        Column(desk.say("col_figure"), width=2.6),
        *(Column(text(name), numeric=True) for name in rings["name"]),
    )
    rows = tuple(
        (
            with_confidence(_figure_name(desk, key, metric), sure[key, metric, per], desk.language),
            *(cells.get((key, metric, per, text(ring)), NOTHING) for ring in rings["ring_id"]),
        )
        for key, metric, per in figures[:ROWS_MOST]
    )
    caption = desk.say("provision_ring_caption")
    found = Table("provision_ring", caption, columns, rows, note=desk.say("provision_ring_note"))
    return [
        desk.body("provision_ring_intro", table=refer("table", "provision_ring")),
        found,
        *more(desk, len(figures) - ROWS_MOST),
    ]


def _any_short(status: pd.Series[Any]) -> bool:
    return bool(status.isin(["short", "unknown"]).any())


def _short_cell(desk: Desk, row: Mapping[Any, Any]) -> str:
    """Return how much is short in one ring, or the verdict where nothing is."""
    if row["status"] in {"short", "unknown"} and known(row["shortfall"]) and not _all_unstated(row):
        said = number(desk, row["shortfall"], "tenth" if row["metric"] == "count" else "count")
        return desk.say("at_most", value=said) if row["status"] == "unknown" else said
    return label("provision", row["status"], desk.language)


# -- how evenly


def fairness(desk: Desk) -> list[Block]:
    """Return access by ring, evenness, elders against all, and how far the results hang on limit and walker."""
    parts = [*_access(desk), *_evenness(desk), *_sensitivity(desk)]
    return [Heading(desk.say("fairness")), *parts] if parts else []


def _access(desk: Desk) -> list[Block]:
    """Return what is left for each when all who are near share the supply."""
    table = desk.findings.tables["access"]
    own = table[(table["method"] == ACCESS_METHOD) & (table["status"] == "ok")]
    city = own[own["group_kind"] == "city"]
    silent = table[(table["group_kind"] == "city") & (table["status"] == "no_supply")]["facility_class"]
    names = list(dict.fromkeys(desk.name(str(key), short=True) for key in silent))
    unstated: list[Block] = [desk.body("access_silent", count=len(names), names=desk.join(names))] if names else []
    if not len(city):
        return unstated
    rings = desk.findings.layers["rings"].sort_values("order") if desk.rings else desk.findings.layers["rings"][:0]
    rings = rings if len(rings) <= RINGS_ACROSS else rings[:0]
    by_ring = {
        (row["facility_class"], row["circle"], text(row["group_id"])): row["mean_per_1000"]
        for row in own[own["group_kind"] == "ring"].to_dict("records")
    }
    columns = (
        Column(desk.say("col_class"), width=2.0),
        Column(desk.say("col_weight"), width=1.1),
        Column(desk.say("col_mean_city"), numeric=True, width=0.9),
        *(Column(text(name), numeric=True, width=0.9) for name in rings["name"]),
        Column(desk.say("col_without"), numeric=True, width=0.9),
        Column(desk.say("col_share_without"), numeric=True, width=0.6),
        Column(desk.say("col_unknown_partly"), numeric=True, width=0.8),
        Column(desk.say("col_supply_unknown"), numeric=True, width=0.8),
    )
    rows = tuple(
        (
            _title_sure(desk, row),
            served(row["measure"], desk.language),
            number(desk, row["mean_per_1000"], "tenth"),
            *(
                number(desk, by_ring.get((row["facility_class"], row["circle"], text(ring))), "tenth")
                for ring in rings["ring_id"]
            ),
            number(desk, row["without"]),
            number(desk, row["share_without"], "percent"),
            desk.say("share_of", part=number(desk, row["unknown"]), all=number(desk, row["partly_unknown"])),
            desk.say("share_of", part=number(desk, row["supply_unknown"]), all=number(desk, row["facilities"])),
        )
        for row in city.head(ROWS_MOST).to_dict("records")
    )
    return [
        desk.body("access_intro", table=refer("table", "access")),
        Table(
            "access",
            desk.say("access_caption", supply=label("metric", city["supply"].iloc[0], desk.language)),
            columns,
            rows,
            note=desk.say("access_note"),
        ),
        *more(desk, len(city) - ROWS_MOST),
        *unstated,
    ]


def _evenness(desk: Desk) -> list[Block]:
    """Return Gini, Theil and elders against all of the walk to the nearest facility, class by class."""
    table = desk.findings.tables["equity"]
    chosen = set(focus(desk))
    own = table[(table["group_kind"] == "city") & (table["value"] == "walk")]
    shown = own[own["facility_class"].isin(chosen)]
    people = shown[shown["measure"] == "people"]
    if not len(people):
        return []
    elders = {
        (row["facility_class"], row["circle"]): row for row in shown[shown["measure"] == "elders_60"].to_dict("records")
    }
    columns = [
        Column(desk.say("col_class"), width=2.4),
        Column(desk.say("col_walk_mean"), numeric=True),
        *([Column(desk.say("col_walk_elders"), numeric=True)] if elders else []),
        *([Column(desk.say("col_against_all"), numeric=True)] if elders else []),
        Column(desk.say("col_gini"), numeric=True, width=0.8),
        Column(desk.say("col_theil"), numeric=True, width=0.8),
        *([Column(desk.say("col_theil_between"), numeric=True, width=0.8)] if desk.rings else []),
        *([Column(desk.say("col_theil_within"), numeric=True, width=0.8)] if desk.rings else []),
    ]
    rows = []
    for row in people.to_dict("records"):
        old = elders.get((row["facility_class"], row["circle"]))
        parts = ("gini", "theil", *(("theil_between", "theil_within") if desk.rings else ()))
        beside = () if not elders else (_mean(desk, old), number(desk, (old or {}).get("against_all"), "decimal"))
        rows.append(
            (
                desk.title(row["facility_class"], row["circle"], short=True),
                _mean(desk, row),
                *beside,
                *(NOTHING if _mostly_beyond(row) else number(desk, row[name], "index") for name in parts),
            )
        )
    note = desk.say("equity_note")
    return [
        desk.body("equity_intro", table=refer("table", "equity")),
        desk.bullet("equity_gini"),
        desk.bullet("equity_theil" if desk.rings else "equity_theil_one"),
        *([desk.bullet("equity_elders")] if elders else []),
        Table("equity", desk.say("equity_caption"), tuple(columns), tuple(rows), note=note),
        *_rest(desk, own, chosen),
    ]


def _mostly_beyond(row: Mapping[Any, Any]) -> bool:
    """Tell whether no way leads more than half of them to any, so that indices of the others' walks say little."""
    return 2.0 * (known(row["beyond"]) or 0.0) > (known(row["people"]) or 0.0)


def _rest(desk: Desk, frame: pd.DataFrame, chosen: set[str]) -> Sequence[Block]:
    """Return a note on the classes that the workbook tells of."""
    return more(desk, frame.loc[~frame["facility_class"].isin(chosen), "facility_class"].nunique())


def _mean(desk: Desk, row: Mapping[Any, Any] | None) -> str:
    """Return a mean walk, of those whom a way leads to any."""
    if row is None or known(row["mean"]) is None:
        return NOTHING
    return format_walk(float(row["mean"]), text(row["unit"]), desk.language)


def _sensitivity(desk: Desk) -> list[Block]:
    """Return the rate with limits a fifth shorter and longer, and with other walkers."""
    table = desk.findings.tables["sensitivity"]
    chosen = set(focus(desk))
    shown = table[table["facility_class"].isin(chosen)]
    if not len(shown):
        return []
    own = text(shown["walker"].iloc[0])
    others = [name for name in dict.fromkeys(map(str, shown["walker"])) if name != own]
    cases = [*((own, step) for step in STEPS), *((name, OWN) for name in others)]
    rates = {
        (row["facility_class"], row["circle"], row["walker"], round(float(row["factor"]), 3)): row
        for row in shown.to_dict("records")
    }
    columns = (
        Column(desk.say("col_class"), width=2.4),
        Column(desk.say("col_weight"), width=1.2),
        Column(desk.say("col_limit_sure"), width=1.1),
        *(Column(desk.say(f"col_limit_{name}"), numeric=True, width=0.8) for name in ("shorter", "own", "longer")),
        *(Column(label_of_walker(desk, name), numeric=True, width=0.8) for name in others),
    )
    rows = []
    for key, circle in dict.fromkeys((row.facility_class, row.circle) for row in records(shown)):
        base = rates[key, circle, own, OWN]
        cells = (rates.get((key, circle, *case)) for case in cases)
        rows.append(
            (
                desk.title(key, circle, short=True),
                served(base["measure"], desk.language),
                _limit_said(desk, base),
                *(
                    NOTHING if row is None else format_number(known(row["rate"]), "percent", desk.language)
                    for row in cells
                ),
            )
        )
    intro = desk.body("sensitivity_intro", table=refer("table", "sensitivity"))
    note = desk.say("sensitivity_note")
    found = Table("sensitivity", desk.say("sensitivity_caption"), columns, tuple(rows), note=note)
    return [intro, found, *_rest(desk, table, chosen)]


def _title_sure(desk: Desk, row: Mapping[Any, Any]) -> str:
    """Return the name of a class with the letter that says how sure its limit is."""
    title = desk.title(row["facility_class"], row["circle"], short=True)
    return with_confidence(title, text(row["confidence"]), desk.language)


def _limit_said(desk: Desk, row: Mapping[Any, Any]) -> str:
    """Return the limit of a row with the letter that says how sure it is."""
    limit = format_limit(known(row["limit"]), text(row["unit"]), desk.language)
    return with_confidence(limit, text(row["confidence"]), desk.language)


def label_of_walker(desk: Desk, name: str) -> str:
    """Return who walks, as the head of a column."""
    return (
        desk.say("col_walker_standard")
        if name == "standard"
        else desk.say("col_walker", walker=desk.say(f"walker_{name}"))
    )


__all__ = ["enough", "fairness"]
