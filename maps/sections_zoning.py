"""The section of the report on land: the balance of uses, conflicts of projects, what may stand on candidate land."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ..layers.words import say
from .formats import NOTHING, format_number
from .quotes import label, text
from .report import Block, Column, Desk, Heading, Paragraph, Table, refer
from .sections_plan import RINGS_ACROSS, more, number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    import pandas as pd

    from ..layers.words import Language

DISTRICTS_MOST = 30
CONFLICTS_MOST = 40
VERDICTS_MOST = 60
HECTARES = 1e-4
WHENS = ("now", "planned")
BUNDLES: dict[str, tuple[str, ...]] = {
    "homes": ("residential",),
    "services": ("community", "public"),
    "commercial": ("commercial",),
    "industry": ("industrial", "storage"),
    "green": ("green",),
    "traffic": ("transport", "utility"),
    "other": ("special", "reserved", "water", "vacant", "rural", "unknown"),
    "none": ("none",),
}
"""Uses that share a column where rings or sub-districts are the rows."""
CHANGED = 0.10
"""From this share on a figure of a project goes against its ring; below it another figure does."""
AREAS_SAID = ("planned_m2", "allowed_m2", "relaxed_m2")
RATIOS_SAID = ("planned_far", "allowed_far")
HEIGHTS_SAID = ("planned_m", "allowed_m")


def land(desk: Desk) -> list[Block]:
    """Return the section on land; nothing where the study has neither parcels nor conflicts."""
    tables = desk.findings.tables
    blocks = [*_balance(desk, tables["land_balance"]), *_conflicts(desk, tables["conflicts"])]
    blocks += _verdicts(desk, tables["land_verdicts"]) if len(desk.findings.layers["parcels"]) else []
    return [Heading(_said(desk, "title")), *blocks] if blocks else []


def _said(desk: Desk, key: str, /, **parameters: object) -> str:
    return say(f"land.{key}", desk.language, **parameters)


def _balance(desk: Desk, frame: pd.DataFrame) -> list[Block]:
    """Return the balance of land: of the whole, by ring and by sub-district."""
    if not len(frame):
        return []
    whens = [when for when in WHENS if (frame["when"] == when).any()]
    first = frame[frame["when"] == whens[0]]
    drawn = desk.has_figure("zoning")
    tables = [_by_area(desk, frame, "ring", whens)] if desk.rings else []
    if frame["district_id"].notna().any():
        tables.append(_by_area(desk, frame, "district", whens))
    whole = number(desk, first["area_m2"].sum(), "decimal", factor=HECTARES)
    when = {} if len(whens) > 1 else {"when": label("when", whens[0], desk.language)}
    key = "balance_both" if len(whens) > 1 else "balance_one"
    intro = [_said(desk, key, table=refer("table", "land_balance"), total=whole, **when)]
    intro += [_said(desk, f"balance_{table.key}", table=refer("table", table.key)) for table in tables]
    intro += [_said(desk, "balance_figure", figure=refer("figure", "zoning"))] if drawn else []
    names = frame["district_id"].nunique(dropna=False)
    return [
        Heading(_said(desk, "balance_title"), level=2),
        Paragraph(_said(desk, "sentences").join(intro)),
        _whole(desk, frame, whens),
        *([desk.figure("zoning")] if drawn else []),
        *tables,
        *more(desk, names - DISTRICTS_MOST),
    ]


def _whole(desk: Desk, frame: pd.DataFrame, whens: list[str]) -> Table:
    """Return the balance table of the whole study area: area and share of each use."""
    sums = frame.groupby(["when", "use_group"])["area_m2"].sum()
    whole = {when: sums[when].sum() for when in whens}
    columns = [Column(_said(desk, "col_land_use"), width=1.8)]
    for when in whens:
        columns += [Column(_said(desk, f"col_{when}{end}"), numeric=True) for end in ("", "_share")]
    rows = []
    for use in _ordered(frame):
        cells = [label("use", use, desk.language)]
        for when in whens:
            area = int(sums.get((when, use), 0))
            share = number(desk, area / whole[when], "percent") if area else NOTHING
            cells += [number(desk, area, "decimal", factor=HECTARES) if area else NOTHING, share]
        rows.append(tuple(cells))
    last = [desk.say("total")]
    for when in whens:
        last += [number(desk, whole[when], "decimal", factor=HECTARES), number(desk, 1.0, "percent")]
    note = _said(desk, "none_note") if (frame["use_group"] == "none").any() else ""
    caption = _said(desk, "balance_caption")
    return Table("land_balance", caption, tuple(columns), (*rows, tuple(last)), total=True, note=note)


def _ordered(frame: pd.DataFrame) -> list[str]:
    """Return the uses that have ground, in the order of the bundles."""
    there = set(frame["use_group"])
    return [use for uses in BUNDLES.values() for use in uses if use in there]


def _by_area(desk: Desk, frame: pd.DataFrame, kind: str, whens: list[str]) -> Table:
    """Return hectares by ring or sub-district: few rings side by side, else uses side by side, some in one column."""
    names = _names(desk, kind)
    key = frame[f"{kind}_id"].map(text)
    ids = sorted(set(key), key=lambda one: (one not in names, [*names].index(one) if one in names else 0))
    caption = _said(desk, f"{kind}s_caption")
    note = _said(desk, "rings_note") if len(whens) > 1 else ""
    heads = [names.get(one) or _said(desk, f"no_{kind}") for one in ids]
    if kind == "ring" and len(ids) <= RINGS_ACROSS:
        uses = _ordered(frame)
        rows = [
            (
                label("use", use, desk.language),
                *(_cell(desk, frame[(frame["use_group"] == use) & (key == one)], whens) for one in ids),
            )
            for use in uses
        ]
        rows.append((desk.say("total"), *(_cell(desk, frame[key == one], whens) for one in ids)))
        columns = (Column(_said(desk, "col_land_use"), width=1.6), *(Column(head, numeric=True) for head in heads))
        return Table("land_rings", caption, columns, tuple(rows), total=True, note=note)
    shown = [name for name, uses in BUNDLES.items() if frame["use_group"].isin(uses).any()]
    first = desk.say("col_ring") if kind == "ring" else _said(desk, "col_district")
    columns = (
        Column(first, width=1.5),
        *(Column(_said(desk, f"bundle_{name}"), numeric=True) for name in shown),
        Column(desk.say("total"), numeric=True),
    )
    parts = [frame["use_group"].isin(BUNDLES[name]) for name in shown]
    rows = [
        (
            head,
            *(_cell(desk, frame[(key == one) & part], whens, "tenth") for part in parts),
            _cell(desk, frame[key == one], whens, "tenth"),
        )
        for one, head in list(zip(ids, heads, strict=True))[:DISTRICTS_MOST]
    ]
    sums = (*(_cell(desk, frame[part], whens, "tenth") for part in parts), _cell(desk, frame, whens, "tenth"))
    rows.append((desk.say("total"), *sums))
    return Table(f"land_{kind}s", caption, columns, tuple(rows), total=True, note=note)


def _names(desk: Desk, kind: str) -> dict[str, str]:
    """Return the names of rings in their order, or of sub-districts, by id."""
    layer = desk.findings.layers[f"{kind}s"]
    layer = layer.sort_values("order") if kind == "ring" and "order" in layer else layer
    return {text(one): text(name) for one, name in zip(layer[f"{kind}_id"], layer["name"], strict=True)}


def _cell(desk: Desk, rows: pd.DataFrame, whens: list[str], kind: str = "decimal") -> str:
    """Return hectares now and planned, one figure where they are alike."""
    areas = [int(rows.loc[rows["when"] == when, "area_m2"].sum()) for when in whens]
    said = [number(desk, area, kind, factor=HECTARES) if area else NOTHING for area in areas]
    if len(said) == 1 or said[0] == said[1]:
        return said[0]
    return _said(desk, "arrow", now=said[0], planned=said[1])


def _conflicts(desk: Desk, frame: pd.DataFrame) -> list[Block]:
    """Return the conflicts of projects with their zone and ring."""
    if not len(desk.findings.layers["projects"]):
        return []
    heading = Heading(_said(desk, "conflicts_title"), level=2)
    if not len(frame):
        return [heading, Paragraph(_said(desk, "conflicts_none"))]
    counts = frame["kind"].value_counts()
    kinds = desk.join(
        _said(desk, "conflicts_kind", kind=label("kind", kind, desk.language), count=count)
        for kind, count in counts.items()
    )
    said = {"count": frame["project_id"].nunique(), "rows": len(frame), "kinds": kinds}
    intro = Paragraph(_said(desk, "conflicts_intro", **said, table=refer("table", "conflicts")))
    columns = (
        Column(desk.say("col_project"), width=1.6),
        *([Column(desk.say("col_ring"), width=0.9)] if desk.rings else []),
        Column(_said(desk, "col_conflict"), width=1.2),
        Column(_said(desk, "col_what"), width=3.0),
        Column(_said(desk, "col_clause"), width=2.2),
    )
    rings = _names(desk, "ring")
    shown = frame.head(CONFLICTS_MOST)
    repeated = shown["project_id"].eq(shown["project_id"].shift()).tolist()
    rows = tuple(
        (
            "" if again else text(row["name"]),
            *(("" if again else rings.get(text(row["ring_id"]), NOTHING),) if desk.rings else ()),
            label("conflict", row["code"], desk.language),
            conflict_said(row["code"], row["detail"], desk.language),
            _sure(desk, row["clause" if desk.language == "zh" else "clause_en"], row["confidence"]),
        )
        for again, (_, row) in zip(repeated, shown.iterrows(), strict=True)
    )
    table = Table("conflicts", _said(desk, "conflicts_caption"), columns, rows)
    return [heading, intro, table, *more(desk, len(frame) - CONFLICTS_MOST)]


def _sure(desk: Desk, said: object, confidence: object) -> str:
    return _said(desk, "sure", said=text(said), confidence=text(confidence))


def conflict_said(code: object, detail: object, language: Language) -> str:
    """Return what is at odds in a conflict as a sentence.

    Parameters
    ----------
    code, detail
        Of a row of the findings' table ``conflicts``.
    language
        Of the sentence.

    Examples
    --------
    >>> conflict_said("height_above", '{"planned_m": 66.0, "allowed_m": 54.0}', "en")
    "a height of 66 m is planned, the parcels' limit is 54 m"
    >>> conflict_said("homes_not_zoned", '{"households": 695.0, "zoned": "public", "share": 1.0}', "zh")
    '拆除后新建 695 户住宅，但用地内没有规划居住用地（公共管理与公共服务用地占 100.0%）'
    """
    given: Mapping[str, Any] = json.loads(str(detail))
    said: dict[str, object] = dict(given)
    kinds = {
        **dict.fromkeys((*AREAS_SAID, "households"), "count"),
        **dict.fromkeys((*RATIOS_SAID, "hectares"), "decimal"),
        **dict.fromkeys(HEIGHTS_SAID, "plain"),
        "share": "percent",
    }
    said |= {name: format_number(given[name], kind, language) for name, kind in kinds.items() if name in given}
    for name, kind in (("zoned", "use"), ("policy", "policy"), ("kind", "kind")):
        if name in given:
            said[name] = label(kind, given[name], language).lower()  # inside a sentence
    if "relaxed_m2" in given:
        named = given.get("relaxation" if language == "zh" else "relaxation_en")
        key = "conflicts.exceeds_relaxed" if named is None else "conflicts.fits_relaxed"
        said["relaxed"] = say(key, language, relaxation=named, relaxed_m2=said["relaxed_m2"])
    if "floor_area_after_m2" in given:
        said["grown"] = _grown(given, language)
    return say(f"conflicts.{text(code)}", language, **said)


def _grown(given: Mapping[str, Any], language: Language) -> str:
    """Return the change of the figure that goes against the ring's policy: floor area, else households, else people."""
    for key, before, after in (
        ("grown_floor", "floor_area_m2", "floor_area_after_m2"),
        ("grown_homes", "households", "households_after"),
    ):
        was, will = given[before], given[after]
        if was is None or will is None or abs(will - was) <= CHANGED * was:
            continue
        change = f"{format_number((will - was) / was, 'percent', language)}" if was else ""
        signed = f"+{change}" if will > was else change
        figures = {name: format_number(value, "count", language) for name, value in (("before", was), ("after", will))}
        return say(
            f"conflicts.{key}", language, **figures, change=signed if was else say("conflicts.change_new", language)
        )
    return say("conflicts.grown_people", language)


def _verdicts(desk: Desk, frame: pd.DataFrame) -> list[Block]:
    """Return what may stand on the candidates' land, by class, and the row of the rules behind it."""
    if not len(frame):
        return []
    share_all = number(desk, frame["share_all"].max(), "percent")
    columns = (
        Column(_said(desk, "col_class"), width=1.8),
        Column(_said(desk, "col_land_use"), width=1.4),
        Column(_said(desk, "col_verdict"), width=1.8),
        Column(_said(desk, "col_share"), numeric=True, width=0.8),
        Column(_said(desk, "col_sites"), numeric=True, width=0.8),
        Column(_said(desk, "col_rule"), width=1.4),
    )
    shown = frame.head(VERDICTS_MOST)
    before = ""
    rows = []
    for _, row in shown.iterrows():
        name = desk.name(text(row["facility_class"]))
        rule = text(row["rule"]) or _said(desk, "rule_none")
        rows.append(
            (
                "" if name == before else name,
                _use_said(desk, row),
                label("zoning", row["verdict"], desk.language),
                number(desk, row["share_most"], "percent") if row["verdict"] == "share" else "",
                number(desk, row["sites"]),
                _sure(desk, rule, row["confidence"]),
            )
        )
        before = name
    clauses = _clauses(shown["clause" if desk.language == "zh" else "clause_en"])
    note = _said(desk, "verdicts_clauses", clauses="; ".join(clauses)) if clauses else ""
    table = Table("land_verdicts", _said(desk, "verdicts_caption"), columns, tuple(rows), note=note)
    intro = _said(desk, "verdicts_intro", table=refer("table", "land_verdicts"), all=share_all)
    heading = Heading(_said(desk, "verdicts_title"), level=2)
    return [heading, Paragraph(intro), table, *more(desk, len(frame) - VERDICTS_MOST)]


def _use_said(desk: Desk, row: pd.Series) -> str:
    """Return a land use as the table writes it; whether the place was vacated is said."""
    use = text(row["land_use"]) or label("use", "unknown", desk.language)
    return _said(desk, "vacated", use=use) if bool(row["vacated"]) else use


def _clauses(given: Iterable[object]) -> list[str]:
    """Return the clauses of some rows, each once."""
    return list(dict.fromkeys(part for one in given for part in text(one).split("; ") if part))
