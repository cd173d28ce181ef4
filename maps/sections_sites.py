"""The section of the report on proposed sites: whom each adds, why not the next lot, how far from the best."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..layers.siting_choice import COVERING
from .formats import NOTHING, format_limit
from .quotes import known, label, served, text
from .report import Block, Column, Desk, Heading, Paragraph, Table, refer
from .sections_basis import basis
from .sections_plan import number

if TYPE_CHECKING:
    import pandas as pd

TOLD = 3
"""So many sites of a class are told in sentences."""
UNREACHED_MOST = 12
"""Rows of the table of people whom no candidate reaches."""
FAR = ("p_median", "p_centre")
"""Models that look farther than the limit."""
JOINT = ("together", "combined")


def sites(desk: Desk) -> list[Block]:
    """Return the proposed sites with the proof that no choice is better, or how much better one could be."""
    siting = desk.findings.tables["siting"]
    blocks: list[Block] = [Heading(desk.say("sites"))]
    if not len(siting):
        return [*blocks, desk.body("sites_none")]
    blocks += [desk.body("sites_intro", table=refer("table", "siting")), _siting_table(desk), *basis(desk)]
    for place, (_, row) in enumerate(siting.iterrows()):
        earlier = bool(place) and model_of(row) not in JOINT
        blocks += [Paragraph(paragraph) for paragraph in _said(desk, row, earlier=earlier)]
        if str(row["facility_class"]) not in {str(key) for key in siting["facility_class"].iloc[:place]}:
            blocks.extend(_sites_of(desk, row))
            blocks.extend(_curve(desk, row))
    blocks.extend(_unreached(desk))
    if desk.has_figure("sites"):
        blocks += [desk.body("sites_map", figure=refer("figure", "sites")), desk.figure("sites")]
    return blocks


def model_of(row: pd.Series[str]) -> str:
    """Return the model of a wish; findings that name none were made by maximal covering."""
    return text(row.get("model")) or "max_cover"


def measured(desk: Desk, row: pd.Series[str], value: object) -> str:
    """Return an objective or a bound with its unit: people, sites or yuan, metres or minutes."""
    model, found = model_of(row), known(value)
    if found is None:
        return NOTHING
    if model == "set_cover":
        priced = known(row.get("spent_yuan")) is not None
        return desk.say("unit_yuan" if priced else "unit_sites", count=number(desk, found))
    unit = _unit(desk, str(row["facility_class"]))
    if model == "p_centre":
        return format_limit(found, unit, desk.language)
    if model == "p_median":
        return desk.say("unit_mean", walk=_each(desk, row, found))
    return number(desk, found)


def _each(desk: Desk, row: pd.Series[str], walks: float) -> str:
    """Return a sum of walks as the mean of those whose walk is known."""
    key = str(row["facility_class"])
    quote = desk.coverage.city(key, str(row["weight"]))
    people = quote.covered + quote.uncovered if quote is not None else known(row["total"])
    return format_limit(walks / people if people else None, _unit(desk, key), desk.language)


def _unit(desk: Desk, key: str) -> str:
    """Return in what a class's walks are counted."""
    quotes = desk.coverage.each(key)
    return quotes[0].unit if quotes else "m"


def _said(desk: Desk, row: pd.Series[str], *, earlier: bool) -> list[str]:
    """Return what was asked of a class, what was found, and how far that is from the best."""
    model = model_of(row)
    counts = {name: number(desk, row[name]) for name in ("candidates", "chosen", "total")}
    first = desk.say(
        "siting_paragraph_earlier" if earlier else "siting_paragraph",
        name=desk.name(str(row["facility_class"])),
        group=label("measure", row["weight"], desk.language),
        proof=_proof(desk, row, earlier=earlier),
        **counts,
        before=number(desk, row["covered_before"]),
        after=number(desk, row["covered_after"]),
    )
    far = known(desk.findings.manifest["settings"].get("siting", {}).get("walk_most_m"))
    beyond = {"far": format_limit(far, "m", desk.language)} if model in FAR else {}
    more = [] if model == "max_cover" else [desk.say(f"siting_model_{model}", **beyond)]
    if known(row.get("budget_yuan")) is not None:
        spent, budget = (number(desk, row[name]) for name in ("spent_yuan", "budget_yuan"))
        more.append(desk.say("siting_budget", spent=spent, budget=budget))
    elif known(row.get("spent_yuan")) is not None:
        more.append(desk.say("siting_cost", spent=number(desk, row["spent_yuan"])))
    if text(row.get("worst_group")) and known(row.get("worst_rate")) is not None:
        rate = number(desk, row["worst_rate"], "percent")
        more.append(desk.say("siting_worst", name=text(row["worst_group"]), rate=rate))
    return [desk.say("sentence_gap").join([first, *more])]


def _proof(desk: Desk, row: pd.Series[str], *, earlier: bool) -> str:
    """Return how far the answer is from the best possible."""
    model, status = model_of(row), str(row["status"])
    if status in {"all_covered", "unreachable"}:
        return desk.say(f"proof_{status}")
    if model not in COVERING:
        proven = "optimal" if status == "optimal" else "open"
        values = (known(row[name]) or 0.0 for name in ("objective", "bound"))
        shown = _each if model == "p_median" else measured
        found, bound = (shown(desk, row, value) for value in values)
        return desk.say(f"proof_{model}_{proven}", found=found, bound=bound)
    key = (
        "proof_optimal" if status == "optimal" else "proof_within_gap" if status == "within_gap" else "proof_time_limit"
    )
    gain = number(desk, (known(row["bound"]) or 0.0) - (known(row["objective"]) or 0.0))
    if model in JOINT:
        return desk.say(f"{key}_joint", gap=number(desk, row["gap"], "percent"))
    return desk.say(f"{key}_earlier" if earlier else key, gain=gain)


def _siting_table(desk: Desk) -> Table:
    frame = desk.findings.tables["siting"]
    named = any(model_of(row) != "max_cover" for _, row in frame.iterrows())
    lost = bool((frame["unreachable"].fillna(0) > 0).any()) if "unreachable" in frame.columns else False
    counts = ("wanted", "candidates", "chosen", "before", "after", "objective", "bound")
    fields = ("wanted", "candidates", "chosen", "covered_before", "covered_after")
    columns = [Column(desk.say("col_class"), width=2.2), Column(desk.say("col_weight"), width=1.6)]
    columns += [Column(desk.say("col_model"), width=1.5)] if named else []
    columns += [
        Column(desk.say(f"col_{name}"), numeric=True, width=0.7 if name in counts[:3] else 1.0) for name in counts
    ]
    columns += [Column(desk.say("col_gap"), numeric=True, width=0.8), Column(desk.say("col_status"), width=1.2)]
    columns += [Column(desk.say("col_unreachable"), numeric=True, width=1.0)] if lost else []
    rows = tuple(
        (
            desk.name(str(row["facility_class"])),
            served(row["weight"], desk.language),
            *((label("model", model_of(row), desk.language),) if named else ()),
            *(number(desk, row[name]) for name in fields),
            *(measured(desk, row, row[name]) for name in ("objective", "bound")),
            number(desk, row["gap"], "percent"),
            desk.say(f"solver_{row['status']}"),
            *((number(desk, row["unreachable"]),) if lost else ()),
        )
        for _, row in frame.iterrows()
    )
    return Table("siting", desk.say("siting_caption"), tuple(columns), rows)


def _sites_of(desk: Desk, row: pd.Series[str]) -> list[Block]:
    """Return the sites of a class: those that count most in sentences, all in a table."""
    key = str(row["facility_class"])
    frame = desk.findings.tables["sites"]
    frame = frame[frame["facility_class"] == key].sort_values("rank", kind="stable")
    if not len(frame):
        return []
    blocks: list[Block] = [Paragraph(_told(desk, row, site)) for _, site in frame.head(TOLD).iterrows()]
    blocks.append(Paragraph(desk.say("sites_refer", name=desk.name(key), table=refer("table", f"sites_{key}"))))
    for column, words in (("needs_rezoning", "sites_rezoning"), ("needs_approval", "sites_approval")):
        marked = frame[[known(value) == 1.0 for value in frame[column]]] if column in frame.columns else frame.head(0)
        if len(marked):
            names = desk.join(_site_name(site) for _, site in marked.iterrows())
            blocks.append(desk.body(words, count=len(marked), names=names))
    return [*blocks, _sites_table(desk, row, frame)]


def _site_name(site: pd.Series[str]) -> str:
    return text(site["name"]) or text(site["site_id"])


def _told(desk: Desk, row: pd.Series[str], site: pd.Series[str]) -> str:
    """Return one site in a planner's words: whom it adds, whom only it serves, and why not the next lot."""
    said = desk.say(
        "site_told",
        rank=number(desk, site["rank"]),
        name=_site_name(site),
        added=number(desk, site["added"]),
        group=served(site["weight"], desk.language),
        only=number(desk, site["only_here"]),
    )
    other = runner_up(desk, text(site["runner_up"]))
    model = model_of(row)
    if not other:
        return desk.say("sentence_gap").join([said, desk.say("site_told_alone")])
    loses = known(site["runner_up_loses"])
    if loses is None:
        return said
    kind = model if model in {"set_cover", "p_median", "p_centre", "capacitated", "phased"} else "cover"
    priced = kind == "set_cover" and known(row.get("spent_yuan")) is not None
    unit = _unit(desk, str(row["facility_class"]))
    by_walk = {
        "p_centre": lambda: format_limit(loses, unit, desk.language),
        "p_median": lambda: _each(desk, row, loses),
    }
    shown = by_walk[kind]() if kind in by_walk else number(desk, loses)
    words = desk.say(f"site_told_{'cost' if priced else kind}", other=other, loses=shown)
    return desk.say("sentence_gap").join([said, words if loses else desk.say("site_told_equal", other=other)])


def _sites_table(desk: Desk, row: pd.Series[str], frame: pd.DataFrame) -> Table:
    """Return all sites of a class; columns without a value are left out."""
    key, layers = str(row["facility_class"]), desk.findings.layers
    rings = dict(zip(layers["rings"]["ring_id"], layers["rings"]["name"], strict=True)) if desk.rings else {}
    elders = desk.coverage.city(key, "elders_60")
    weight = str(frame["weight"].iloc[0])
    others = {"people": "people_added"}
    others |= {"elders_60": "elders_added"} if elders is not None and elders.total else {}
    counted = [("added", weight), *((column, group) for group, column in others.items() if group != weight)]
    asked = [name for name in MORE if name != "capacity" or model_of(row) == "capacitated"]
    more = [name for name in asked if name in frame.columns and frame[name].notna().any()]
    shared = "carries" in frame.columns and any(";" in text(value) for value in frame["carries"])
    floor = bool(frame["floor_area_m2"].notna().any())
    columns = [
        Column(desk.say("col_rank"), numeric=True, width=0.6),
        Column(desk.say("col_site"), width=2.2),
        Column(desk.say("col_kind"), width=1.2),
        *([Column(desk.say("col_ring"), width=1.3)] if rings else []),
        Column(desk.say("col_area_m2"), numeric=True),
        *([Column(desk.say("col_floor_m2"), numeric=True)] if floor else []),
        *(Column(desk.say(f"col_{name}"), numeric=True, width=0.9) for name in more),
        *([Column(desk.say("col_carries"), width=1.5)] if shared else []),
        *(Column(desk.say("col_added", group=served(group, desk.language)), numeric=True) for _, group in counted),
        Column(desk.say("col_only_here"), numeric=True, width=0.9),
        Column(desk.say("col_rezoning"), width=0.8),
        Column(desk.say("col_runner_up"), width=1.3),
        Column(desk.say("col_loss"), numeric=True, width=0.9),
    ]
    rows = []
    for _, site in frame.iterrows():
        rezoning = known(site["needs_rezoning"])
        rows.append(
            (
                number(desk, site["rank"]),
                _site_name(site),
                label("kind", site["kind"], desk.language),
                *((text(rings.get(site["ring_id"])) or NOTHING,) if rings else ()),
                number(desk, site["area_m2"]),
                *((number(desk, site["floor_area_m2"]),) if floor else ()),
                *(number(desk, site[name], factor=by) for name, by in MORE.items() if name in more),
                *((_carried(desk, site["carries"]),) if shared else ()),
                *(number(desk, site[name]) for name in (*(column for column, _ in counted), "only_here")),
                NOTHING if rezoning is None else desk.say("yes" if rezoning else "no"),
                runner_up(desk, text(site["runner_up"])) or NOTHING,
                number(desk, site["runner_up_loses"]),
            )
        )
    caption = desk.say("sites_caption", name=desk.name(key))
    note = desk.say("sites_note", group=served(weight, desk.language), loss=desk.say(f"loss_{_loss(row)}"))
    return Table(f"sites_{key}", caption, tuple(columns), tuple(rows), note=note)


MORE = {"phase": 1.0, "cost_yuan": 1e-4, "capacity": 1.0}
"""Columns of the sites that not all findings know, and what they are shown times."""


def _loss(row: pd.Series[str]) -> str:
    """Return in what the loss by a runner-up is counted."""
    model = model_of(row)
    return model if model in {"set_cover", "p_median", "p_centre", "capacitated", "phased"} else "cover"


def _carried(desk: Desk, classes: object) -> str:
    """Return the classes of a combined centre by name."""
    return desk.join(desk.name(key, short=True) for key in text(classes).split(";") if key) or NOTHING


def runner_up(desk: Desk, name: str) -> str:
    """Return the name of a stand-in, that of the candidate where its id is given."""
    frame = desk.findings.layers["candidates"]
    names = frame.loc[frame["site_id"] == name, "name"]
    return (text(names.iloc[0]) if len(names) else "") or name


def _curve(desk: Desk, row: pd.Series[str]) -> list[Block]:
    """Return how many people each further site (or sum) reaches, with the knee named."""
    key = str(row["facility_class"])
    frame = desk.findings.tables["curve"]
    frame = frame[frame["facility_class"] == key] if len(frame) else frame
    if len(frame) <= 1:
        return []
    priced = bool(frame["cost_yuan"].notna().any())
    knee = frame[[known(value) == 1.0 for value in frame["knee"]]]
    table = refer("table", f"curve_{key}")
    blocks: list[Block] = [desk.body("curve_intro", name=desk.name(key), table=table)]
    if len(knee):
        at = knee.iloc[0]
        last = frame.iloc[-1]
        numbers = {name: number(desk, at[name]) for name in ("sites", "covered")}
        share = (known(at["covered"]) or 0.0) / (known(last["covered"]) or 1.0)
        more = {"share": number(desk, share, "percent"), "last": number(desk, last["sites"])}
        blocks.append(desk.body("curve_knee", **numbers, **more))
    columns = [
        Column(desk.say("col_sites"), numeric=True, width=0.8),
        *([Column(desk.say("col_cost_yuan"), numeric=True)] if priced else []),
        Column(desk.say("col_curve_covered"), numeric=True),
        Column(desk.say("col_curve_more"), numeric=True),
        Column(desk.say("col_curve_bound"), numeric=True),
        Column(desk.say("col_knee"), width=0.8),
    ]
    rows, before = [], 0.0
    for _, point in frame.iterrows():
        covered = known(point["covered"]) or 0.0
        rows.append(
            (
                number(desk, point["sites"]),
                *((number(desk, point["cost_yuan"], factor=1e-4),) if priced else ()),
                number(desk, covered),
                number(desk, covered - before),
                number(desk, point["bound"]),
                desk.say("knee_here") if known(point["knee"]) == 1.0 else "",
            )
        )
        before = covered
    caption = desk.say("curve_caption", name=desk.name(key))
    return [*blocks, Table(f"curve_{key}", caption, tuple(columns), tuple(rows), note=desk.say("curve_note"))]


def _unreached(desk: Desk) -> list[Block]:
    """Return whom no candidate reaches, by class, ring and district, and why."""
    frame = desk.findings.tables["unreachable"]
    if not len(frame):
        return []
    layers = desk.findings.layers
    names = {
        kind: dict(zip(layers[f"{kind}s"][f"{kind}_id"], layers[f"{kind}s"]["name"], strict=True))
        for kind in ("ring", "district")
    }
    shown = [kind for kind in ("ring", "district") if names[kind] and frame[f"{kind}_id"].notna().any()]
    keys = ["facility_class", *(f"{kind}_id" for kind in shown)]
    frame = frame.assign(reason=frame["reason"].map(text), **{key: frame[key].map(text) for key in keys})
    order = list(desk.findings.tables["siting"]["facility_class"])
    grouped = [
        (key if isinstance(key, tuple) else (key,), part) for key, part in frame.groupby(keys, sort=True, dropna=False)
    ]
    grouped.sort(key=lambda pair: -int(pair[1]["people"].sum()))
    columns = [
        Column(desk.say("col_class"), width=2.0),
        *(Column(desk.say(f"col_{kind}"), width=1.4) for kind in shown),
        Column(desk.say("col_people"), numeric=True, width=0.9),
        Column(desk.say("col_unreached_where"), width=2.4),
        Column(desk.say("col_reason"), width=2.6),
    ]
    rows = []
    for key, part in grouped[:UNREACHED_MOST]:
        rows.append(
            (
                desk.name(str(key[0]), short=True),
                *(text(names[kind].get(value)) or NOTHING for kind, value in zip(shown, key[1:], strict=True)),
                number(desk, part["people"].sum()),
                _places(desk, part),
                _reasons(desk, part),
            )
        )
    sums = frame.groupby("facility_class")["people"].sum()
    listed = desk.join(
        desk.say("unreached_item", name=desk.name(key), people=number(desk, sums[key]))
        for key in dict.fromkeys(order)
        if key in sums.index
    )
    blocks: list[Block] = [desk.body("unreached_intro", list=listed, table=refer("table", "unreached"))]
    left = len(grouped) - UNREACHED_MOST
    note = desk.say("unreached_more", count=left) if left > 0 else desk.say("unreached_note")
    return [*blocks, Table("unreached", desk.say("unreached_caption"), tuple(columns), tuple(rows), note=note)]


def _places(desk: Desk, part: pd.DataFrame) -> str:
    """Return the neighbourhoods with the most such people."""
    best = part.sort_values("people", ascending=False, kind="stable")
    names = [text(name) for name in best["name"] if text(name)]
    said = desk.join(names[:TOLD])
    return desk.say("names_more", names=said, count=len(names)) if len(names) > TOLD else said or NOTHING


def _reasons(desk: Desk, part: pd.DataFrame) -> str:
    """Return why the places near them were refused, for the most people first."""
    counts: dict[str, int] = {}
    for reasons, people in zip(part["reason"], part["people"], strict=True):
        for reason in str(reasons).split(";")[:TOLD]:
            counts[reason] = counts.get(reason, 0) + int(people)
    best = sorted((reason for reason in counts if reason), key=lambda reason: (-counts[reason], reason))[:TOLD]
    return desk.join(label("reason", reason, desk.language) for reason in best) or NOTHING


__all__ = ["measured", "model_of", "sites"]
