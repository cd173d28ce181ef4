"""The section of the report on coverage: limits, three measures beside the straight line, rings and sub-districts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .formats import NOTHING, format_limit, format_number, format_points
from .limits import minutes_taken, standard_limit_m
from .quotes import Quote, existing_label, in_metres, known, label, served, text, walker_label
from .report import Block, Column, Desk, Heading, Table, refer
from .sections_plan import limit_cell, more, number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    import pandas as pd

DISTRICTS_MOST = 40
INDICATORS_MOST = 20
LOWEST = 3


def _rate(desk: Desk, quote: Quote | None) -> str:
    return NOTHING if quote is None or quote.no_data else format_number(quote.rate, "percent", desk.language)


def coverage(desk: Desk) -> list[Block]:
    """Return limits, coverage of the study area by class, then of rings and sub-districts for the key classes."""
    blocks: list[Block] = [
        Heading(desk.say("coverage")),
        desk.body(
            "coverage_intro",
            count=len(desk.classes),
            rules=refer("table", "rules"),
            table=refer("table", "coverage"),
        ),
        *([] if in_metres(desk.findings) else [_walker_paragraph(desk)]),
        desk.body("measures_intro", table=refer("table", "coverage"), units=desk.units()),
        _rules_table(desk),
        *_indicators(desk),
    ]
    lowest = desk.lowest(LOWEST)
    if lowest:
        uncovered = desk.join(number(desk, quote.uncovered) for _, quote in lowest)
        names = desk.join(desk.headed(key, quote.circle, short=True) for key, quote in lowest)
        blocks.append(
            desk.body(
                "coverage_lowest" if len(lowest) > 1 else "coverage_lowest_one", lowest=names, uncovered=uncovered
            )
        )
    silent = desk.without_data()
    if silent:
        names = desk.join(desk.name(key) for key in silent)
        blocks.append(desk.body("coverage_no_data", count=len(silent), names=names))
    blocks.extend(_class_sentences(desk))
    overviews = [plan.key for plan in desk.plans if plan.key.startswith("overview_")]
    if overviews:
        blocks.append(desk.body("coverage_overview", figures=desk.join(refer("figure", key) for key in overviews)))
    blocks.extend(_by_group(desk, "ring"))
    blocks.extend(_by_group(desk, "district"))
    blocks.append(_coverage_table(desk))
    blocks.extend(desk.figure(plan.key) for plan in desk.plans if plan.key.startswith(("class_", "overview_")))
    return blocks


def _walker_paragraph(desk: Desk) -> Block:
    """Say that walks are counted as time, and where the limits come from."""
    walker = walker_label(desk.findings, desk.language)
    return desk.body("coverage_walker", walker=walker, rules=refer("table", "rules"))


def _rules_table(desk: Desk) -> Table:
    timed = not in_metres(desk.findings)
    columns = (
        Column(desk.say("col_class"), width=2.5),
        Column(desk.say("col_circle"), width=0.3),
        Column(desk.say("col_required"), width=0.3),
        Column(desk.say("col_limit_standard" if timed else "col_limit"), numeric=True, width=0.3),
        *([Column(desk.say("col_limit_used"), numeric=True, width=0.3)] if timed else []),
        Column(desk.say("col_clause"), width=2.8),
        Column(desk.say("col_confidence"), width=0.3),
        Column(desk.say("col_existing"), numeric=True, width=0.3),
    )
    silent = set(desk.without_data())
    rows = []
    for key, rule in desk.classes.items():
        count = desk.say("no_data") if key in silent else existing_label(desk.findings, key, desk.language)
        quotes: list[Quote | None] = [*desk.coverage.each(key)]
        for quote in quotes or [None]:
            circle = rule.get("circle") if quote is None else quote.circle
            required = rule["required"] if quote is None else quote.required
            rows.append(
                (
                    desk.name(key),
                    desk.say("circle", minutes=circle) if circle else NOTHING,
                    desk.say("yes" if required else "no"),
                    *_limits(desk, key, quote, timed=timed),
                    text(rule.get(f"clause_{desk.language}")) or text(rule.get("clause")) or NOTHING,
                    text(rule.get("confidence")) or NOTHING,
                    count,
                )
            )
    note = desk.say("confidence_note")
    taken = minutes_taken(desk.findings, desk.language)
    if taken:
        note = desk.say("rules_minutes_note", list=taken) + desk.say("sentence_gap") + note
    if timed:
        walker = walker_label(desk.findings, desk.language)
        note = desk.say("rules_walker_note", walker=walker) + desk.say("sentence_gap") + note
    return Table("rules", desk.say("rules_caption"), columns, tuple(rows), note=note)


def _limits(desk: Desk, key: str, quote: Quote | None, *, timed: bool) -> tuple[str, ...]:
    """Return the limit of the standard in metres and, where walks are timed, the limit that was counted with."""
    if quote is None:
        metres = known(desk.classes[key].get("limit_m"))
    else:
        metres = quote.limit if quote.unit == "m" else standard_limit_m(desk.findings, key, quote.circle)
    standard = desk.say("no_limit") if metres is None else format_limit(metres, "m", desk.language)
    minutes = known(desk.classes[key].get("limit_minutes"))
    if minutes is not None and known(desk.classes[key].get("limit_m")) is None:
        stated = format_limit(minutes * 60.0, "s", desk.language)
        standard = stated if timed or metres is None else desk.say("limit_of_minutes", metres=standard, minutes=stated)
    used = NOTHING if quote is None else format_limit(quote.limit, quote.unit, desk.language)
    return (standard, used) if timed else (standard,)


def _coverage_table(desk: Desk) -> Table:
    """Return what each class covers of whom it is for, then by each measure and by the straight line beside them."""
    columns = (
        Column(desk.say("col_class"), width=5.0),
        Column(desk.say("col_limit_sure"), width=1.3),
        Column(desk.say("col_weight"), width=1.2),
        Column(desk.say("col_all"), numeric=True, width=0.7),
        Column(desk.say("col_covered"), numeric=True, width=0.7),
        Column(desk.say("col_uncovered"), numeric=True, width=0.7),
        Column(desk.say("col_unknown"), numeric=True, width=0.7),
        Column(desk.say("col_rate"), numeric=True, width=0.7),
        Column(desk.say("col_measure_people"), numeric=True, width=0.7),
        Column(desk.say("col_measure_land"), numeric=True, width=0.7),
        Column(desk.say("col_measure_cells" if desk.cells else "col_measure_compounds"), numeric=True, width=0.7),
        Column(desk.say("col_buffer"), numeric=True, width=0.7),
        Column(desk.say("col_buffer_more"), numeric=True, width=0.7),
    )
    few = set(desk.doubtful())
    rows = []
    for key in desk.classes:
        for quote in desk.coverage.each(key):
            name = desk.title(key, quote.circle)
            rows.append(
                (
                    desk.say("doubtful_class", name=name) if key in few else name,
                    limit_cell(desk, quote),
                    served(desk.coverage.headline(key), desk.language),
                    number(desk, quote.total),
                    *_coverage_cells(desk, quote),
                    *_measure_cells(desk, key, quote.circle),
                )
            )
    timed = "" if in_metres(desk.findings) else "_walker"
    notes = (desk.say(f"coverage_note{timed}"), desk.say(f"measures_note{timed}"))
    note = desk.say("sentence_gap").join(notes)
    return Table("coverage", desk.say("coverage_caption"), columns, tuple(rows), note=note, wide=True)


def _coverage_cells(desk: Desk, quote: Quote) -> tuple[str, ...]:
    """Return the figures of a row of coverage, dashes where the sources are silent."""
    if quote.no_data:
        return (NOTHING, NOTHING, number(desk, quote.unknown), desk.say("no_data"))
    return (
        *(number(desk, value) for value in (quote.covered, quote.uncovered, quote.unknown)),
        _rate(desk, quote),
    )


def _measure_cells(desk: Desk, key: str, circle: int) -> tuple[str, ...]:
    """Return the rate of each measure, the straight line and its surplus in points; dashes where nobody knows."""
    people = desk.coverage.city(key, "people", circle=circle)
    if people is None or people.no_data:
        return (NOTHING,) * 5
    others = (desk.coverage.city(key, measure, circle=circle) for measure in ("residential_m2", "compounds"))
    return (
        _rate(desk, people),
        *(_rate(desk, quote) for quote in others),
        format_number(people.buffer_rate, "percent", desk.language),
        format_points(people.buffer_rate, people.rate, desk.language),
    )


def _indicators(desk: Desk) -> list[Block]:
    """Return the indicators that standards define themselves, for the study area: a table a standard."""
    table = desk.findings.tables.get("indicators")
    own = None if table is None else table[table["group_kind"] == "city"]
    if own is None or not len(own):
        return []
    counted = own[own["status"] != "no_data"]
    blocks: list[Block] = []
    for place, (_, of) in enumerate(counted.groupby("standard", sort=False), 1):
        blocks += _indicators_of(desk, f"indicators_{place}", of)
    tables = desk.join(refer("table", block.key) for block in blocks if isinstance(block, Table))
    silent = number(desk, len(own) - len(counted))
    said = desk.body("indicators_intro" if tables else "indicators_none", tables=tables, silent=silent)
    return [said, *blocks]


def _indicators_of(desk: Desk, key: str, frame: pd.DataFrame) -> list[Block]:
    """Return the indicators of one standard; columns of targets and verdicts only where it has a target."""
    targets = bool(frame["target"].notna().any())
    columns = (
        Column(desk.say("col_indicator"), width=2.4),
        Column(desk.say("head_measure"), width=1.0),
        Column(desk.say("col_basis"), width=1.9),
        Column(desk.say("col_value"), numeric=True, width=0.8),
        *([Column(desk.say("col_target"), numeric=True, width=0.8)] if targets else []),
        *([Column(desk.say("col_verdict"), width=1.0)] if targets else []),
        Column(desk.say("col_clause_sure"), width=1.6),
    )
    shown = frame.head(INDICATORS_MOST).to_dict("records")
    rows = tuple(_indicator_cells(desk, row, targets=targets) for row in shown)
    name = _worded(desk, shown[0], "standard_name") or text(shown[0]["standard"]).upper()
    caption = desk.say("indicators_caption", standard=name)
    note = desk.say("indicators_note", formulas=_formulas(desk, shown))
    return [Table(key, caption, columns, rows, note=note), *more(desk, len(frame) - INDICATORS_MOST)]


def _formulas(desk: Desk, rows: Sequence[Mapping[Any, Any]]) -> str:
    """Return how indicators are computed, in words; those that are computed alike together."""
    named: dict[str, list[str]] = {}
    for row in rows:
        named.setdefault(_worded(desk, row, "formula"), []).append(_worded(desk, row, "name"))
    if len(named) == 1:
        return next(iter(named))
    said = [desk.say("indicators_formula", names=desk.join(names), formula=of) for of, names in named.items()]
    return desk.say("indicators_between").join(said)


def _worded(desk: Desk, row: Mapping[Any, Any], column: str) -> str:
    """Return a text of a row in the report's language, in Chinese where it has no other."""
    return (text(row[f"{column}_en"]) if desk.language == "en" else "") or text(row[column])


def _indicator_cells(desk: Desk, row: Mapping[Any, Any], *, targets: bool) -> tuple[str, ...]:
    """Return what is counted, how, the value, and where it stands."""
    limit = known(row["limit"])
    basis = label("basis", row["basis"], desk.language)
    if limit is not None and row["basis"] != "meets":
        said = format_limit(limit, text(row["unit"]), desk.language)
        basis = desk.say("head_of_unit", head=basis, unit=said)
    kind = "count" if row["measure"] == "count" else "percent"
    name = _worded(desk, row, "name")
    clause = _worded(desk, row, "clause").replace(name, "").strip(" ,，") or NOTHING
    verdict = (number(desk, row["target"], kind), label("indicator", row["status"], desk.language)) if targets else ()
    return (
        name or text(row["indicator"]),
        label("measured", row["measure"], desk.language),
        basis,
        number(desk, row["value"], kind),
        *verdict,
        desk.say("clause_sure", clause=clause, confidence=text(row["confidence"]) or NOTHING),
    )


def _class_sentences(desk: Desk) -> Iterable[Block]:
    """Give a sentence on each class that has a sheet of its own."""
    for plan in desk.plans:
        if not plan.key.startswith("class_"):
            continue
        key = plan.classes[0]
        quote = desk.coverage.city(key)
        reference = refer("figure", plan.key)
        if quote is None or quote.no_data:
            name = "coverage_class_no_limit" if quote is None else "coverage_class_no_data"
            yield desk.body(name, name=desk.name(key), figure=reference)
            continue
        for quote in desk.coverage.each(key):
            yield desk.body(
                "coverage_class",
                name=desk.headed(key, quote.circle, short=True),
                existing=existing_label(desk.findings, key, desk.language),
                covered=number(desk, quote.covered),
                rate=desk.sure(_rate(desk, quote), quote),
                uncovered=number(desk, quote.uncovered),
                figure=reference,
            )


def _by_group(desk: Desk, kind: str) -> Iterable[Block]:
    """Give the key classes by ring or sub-district: rate and people not covered."""
    groups = desk.coverage.groups(kind)
    classes = [(key, circle) for key in desk.key_classes() for circle in desk.coverage.circles(key)]
    if not classes or len(groups) < 2:
        return
    columns = [Column(desk.say(f"col_{kind}"), width=1.6), Column(desk.say("col_people"), numeric=True)]
    for key, circle in classes:
        short = desk.headed(key, circle, short=True)
        columns.append(Column(desk.say("col_class_rate", name=short), numeric=True, width=1.2))
        columns.append(Column(desk.say("col_class_uncovered", name=short), numeric=True, width=1.2))
    rows = []
    for group, name in [*groups[:DISTRICTS_MOST], ("", desk.say("total"))]:
        at = (kind, group) if group else ("city", desk.coverage.groups("city")[0][0])
        quotes = [desk.coverage.group(key, *at, circle=circle) for key, circle in classes]
        first = desk.coverage.group(classes[0][0], *at, "people", circle=classes[0][1])
        cells = [name or group, NOTHING if first is None else number(desk, first.total)]
        for quote in quotes:
            silent = quote is None or quote.no_data
            cells += [_rate(desk, quote), NOTHING if silent or quote is None else number(desk, quote.uncovered)]
        rows.append(tuple(cells))
    yield desk.body(f"by_{kind}_intro", table=refer("table", f"by_{kind}"))
    yield Table(f"by_{kind}", desk.say(f"by_{kind}_caption"), tuple(columns), tuple(rows), total=True)
    yield from more(desk, len(groups) - DISTRICTS_MOST)


__all__ = ["coverage"]
