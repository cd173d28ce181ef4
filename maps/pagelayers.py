"""What the map page holds: for each layer of the findings its packed data, look, legend and place in the tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import shapely

from ..layers.siting_choice import COVERING
from . import style
from .limits import confidence_of, limits_said, rule_basis
from .pack import degrees, pack_points, pack_shapes, plain
from .pagefields import FIELDS, Names, dataset, tell
from .pageground import ground
from .pagetree import Content, area_item, group, line_item, mark_item
from .quotes import circle_label, known

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd

    from ..layers.findings import Findings

CIRCLE_TOLERANCE_M, AREA_TOLERANCE_M = 5.0, 0.5
"""How far a drawn line may lie from the found one; circles are pictures, people are not counted on them."""

ORDER = (
    "rings",
    "districts",
    "parcels",
    "compounds",
    "projects",
    "circles",
    "candidates",
    "gaps",
    "facilities",
    "sites",
)
"""From the ground up: what is drawn later lies on top."""
STATUSES = ("present", "partial", "too_far", "unknown", "no_data", "too_small")
"""Whether a neighbourhood has a class; the page keeps places in this list."""
GAP_STATUSES = ("too_far", "unknown")
"""Whether a person lacks a class, likewise."""


def page_content(findings: Findings, names: Names) -> Content:
    """Return everything the page draws, packed.

    Parameters
    ----------
    findings
        What was found; layers that are empty are left out of the tree.
    names
        Names in the page's language.
    """
    content = Content()
    plan = [*_rings(content, findings, names), *_districts(content, findings, names)]
    plan += [*_parcels(content, findings, names), *_projects(content, findings, names)]
    proposals = [*_sites(content, findings, names), *_candidates(content, findings, names)]
    content.tree = [
        *group(tell("group_proposals", names), proposals, folded=False),
        *group(tell(f"group_{names.homes}", names), _compounds(content, findings, names), folded=False),
        *group(tell("group_gaps", names), _gaps(content, findings, names)),
        *group(tell("group_facilities", names), _facilities(content, findings, names)),
        *group(tell("group_circles", names), _circles(content, findings, names)),
        *group(tell("group_plan", names), plan, folded=False),
        *group(tell("group_base", names), ground(content, findings, names), folded=False),
    ]
    return content


def _rings(content: Content, findings: Findings, names: Names) -> list[dict[str, Any]]:
    frame = findings.layers["rings"].sort_values("order", kind="stable").reset_index(drop=True)
    if frame.empty:
        return []
    shapes = pack_shapes(degrees(frame, simplify_m=AREA_TOLERANCE_M), kind="polygon")
    data = dataset(frame, "rings", names, shapes)
    data["columns"]["fill"] = [style.ring_fill(int(order)) for order in frame["order"]]
    if len(frame) == 1:  # a single ring is the whole area: its fill and name would say nothing
        data["columns"]["fill"] = [None]
    else:
        places = pack_points(degrees(_label_points(frame)))
        data["labels"] = {"shapes": places, "texts": data["columns"]["title"], "style": "ring"}
    content.datasets["rings"] = data
    label = tell("layer_rings", names)
    legend = [
        area_item(title, fill, "rings") | {"opacity": style.RING_OPACITY}
        for title, fill in zip(data["columns"]["title"], data["columns"]["fill"], strict=True)
    ]
    return [
        content.add(
            "rings",
            label=label,
            dataset="rings",
            draw="area",
            look="rings",
            opacity=style.RING_OPACITY,
            order=ORDER.index("rings"),
            shown=True,
            legend=legend,
        )
    ]


def _label_points(rings: gpd.GeoDataFrame) -> gpd.GeoSeries:
    """Return where each ring's name stands: on one line due north of the middle, so that the names read as a list.

    A ring that the line does not cross has its name anywhere inside.
    """
    middle = shapely.centroid(rings.geometry.iloc[0])
    north = shapely.LineString([(middle.x, middle.y), (middle.x, max(rings.total_bounds[3], middle.y) + 1.0)])
    places = []
    for area in rings.geometry:
        crossed = [line for line in shapely.get_parts(shapely.intersection(area, north)) if line.length > 0]
        longest = max(crossed, key=lambda line: line.length, default=None)
        places.append(shapely.point_on_surface(area) if longest is None else longest.interpolate(0.5, normalized=True))
    return type(rings.geometry)(places, crs=rings.crs)


def _districts(content: Content, findings: Findings, names: Names) -> list[dict[str, Any]]:
    frame = findings.layers["districts"]
    if frame.empty:
        return []
    data = dataset(frame, "districts", names, pack_shapes(degrees(frame, simplify_m=AREA_TOLERANCE_M), kind="polygon"))
    places = frame.geometry.representative_point()
    data["labels"] = {"shapes": pack_points(degrees(places)), "texts": data["columns"]["title"], "style": "district"}
    content.datasets["districts"] = data
    label = tell("layer_districts", names)
    return [
        content.add(
            "districts",
            label=label,
            dataset="districts",
            draw="area",
            look="districts",
            order=ORDER.index("districts"),
            legend=[line_item(label, "districts")],
        )
    ]


def _filled(
    content: Content, frame: gpd.GeoDataFrame, layer: str, names: Names, *, column: str, fills: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Add an area layer filled by the values of a column; the legend holds the values that occur."""
    if frame.empty:
        return []
    data = dataset(frame, layer, names, pack_shapes(degrees(frame, simplify_m=AREA_TOLERANCE_M), kind="polygon"))
    kind = dict(FIELDS[layer])[column]
    values = [str(value) if isinstance(value, str) else "" for value in frame[column]]
    data["columns"]["fill"] = [fills.get(value, style.UNKNOWN) for value in values]
    content.datasets[layer] = data
    present = set(values)
    legend = [
        area_item(str(names.of_value(kind, value)), fill, layer) for value, fill in fills.items() if value in present
    ]
    if not present <= set(fills):
        legend.append(area_item(tell("other_or_unknown", names), style.UNKNOWN, layer))
    label = tell(f"layer_{layer}", names)
    return [
        content.add(layer, label=label, dataset=layer, draw="area", look=layer, order=ORDER.index(layer), legend=legend)
    ]


def _parcels(content: Content, findings: Findings, names: Names) -> list[dict[str, Any]]:
    return _filled(content, findings.layers["parcels"], "parcels", names, column="use_group", fills=style.USE_FILLS)


def _projects(content: Content, findings: Findings, names: Names) -> list[dict[str, Any]]:
    return _filled(content, findings.layers["projects"], "projects", names, column="way", fills=style.WAY_FILLS)


def _compounds(content: Content, findings: Findings, names: Names) -> list[dict[str, Any]]:
    """Add the neighbourhoods, coloured by how many classes they lack or by whether they have one class."""
    frame = findings.layers["compounds"].reset_index(drop=True)
    if frame.empty:
        return []
    data = dataset(frame, "compounds", names, pack_shapes(degrees(frame, simplify_m=AREA_TOLERANCE_M), kind="polygon"))
    rows = _missing_rows(findings, frame, names)
    data["missing"] = rows
    cuts = style.missing_cuts(frame["missing_count"].dropna().astype(float))
    steps = [-1 if pd.isna(count) else style.missing_step(float(count), cuts) for count in frame["missing_count"]]
    fills = {"": [step if step >= 0 else len(style.MISSING_FILLS) for step in steps]}
    for place, key in enumerate(names.classes):
        worst = _worst_status(rows, place, len(frame))
        if worst is not None:
            fills[key] = worst
    data["fills"] = fills
    content.datasets["compounds"] = data
    data["noun"] = tell(f"noun_{names.homes}", names)
    label = tell(f"layer_{names.homes}", names)
    palette = [*style.MISSING_FILLS, style.UNKNOWN]
    statuses = [style.STATUS_FILLS[status] for status in STATUSES]
    labels = style.missing_labels(names.language, cuts)[: max(steps, default=0) + 1]
    by_count = [area_item(text, fill, "compounds") for text, fill in zip(labels, palette, strict=False)]
    if -1 in steps:
        by_count.append(area_item(tell("unknown", names), style.UNKNOWN, "compounds"))
    modes = [{"key": "", "label": tell("mode_count", names), "palette": palette, "legend": by_count}]
    for key in names.classes:
        if key in fills:
            used = set(fills[key])
            items = [
                area_item(str(names.of_value("missing", status)), style.STATUS_FILLS[status], "compounds")
                for status in style.STATUS_FILLS
                if STATUSES.index(status) in used
            ]
            note = _limit_note(findings, names, key)
            modes.append({"key": key, "label": names.short(key), "palette": statuses, "legend": items, "note": note})
    return [
        content.add(
            "compounds",
            label=label,
            dataset="compounds",
            draw="area",
            look="compounds",
            order=ORDER.index("compounds"),
            shown=True,
            modes=modes,
        )
    ]


def _limit_note(findings: Findings, names: Names, key: str) -> str:
    """Return the limit of a class, where it stands and how sure it is; empty where it was not counted."""
    basis = rule_basis(findings, key, names.language)
    limits = limits_said(findings, names.coverage, key, names.language)
    return tell("mode_basis", names, limit=limits, basis=basis) if limits and basis else limits or basis


def _missing_rows(findings: Findings, compounds: pd.DataFrame, names: Names) -> dict[str, list[Any]]:
    """Return for each neighbourhood and class whether it is there and what is nearest, by places in the lists."""
    table = findings.tables["missing"]
    place = pd.Series(range(len(compounds)), index=compounds["compound_id"])
    table = table[table["compound_id"].isin(place.index) & table["facility_class"].isin(names.classes)]
    several = bool(table.duplicated(["compound_id", "facility_class"]).any())  # a class required in two circles
    return {
        "compound": [int(value) for value in place[table["compound_id"]]],
        "class": [names.classes.index(key) for key in table["facility_class"]],
        "status": [STATUSES.index(status) for status in table["status"]],
        "nearest": [
            tell("none_yet", names) if to_come is True else value if isinstance(value, str) else None
            for value, to_come in zip(table["nearest_name"].tolist(), table["none_yet"].tolist(), strict=True)
        ],
        "walk": [plain(value, digits=2) for value in table["walk"].astype(float)],
        "longest": [plain(value, digits=2) for value in table["walk_longest"].astype(float)],
        "lacking": [plain(value) for value in table["people_lacking"]],
        "unit": [str(unit) for unit in table["unit"]],
        "limit": [plain(value) for value in table["limit"].astype(float)],
        "small": [plain(value) if known(value) else None for value in table["people_too_small"]],
        "sizeless": [int(known(value) == 0.0) for value in table["size_known"]],
        **({"circle": [int(circle) for circle in table["circle"]]} if several else {}),
    }


def _worst_status(rows: Mapping[str, Sequence[Any]], place: int, count: int) -> list[int] | None:
    """Return each neighbourhood's worst status of a class over its circles, ``None`` where the class has no row."""
    severity = {
        STATUSES.index(status): rank
        for rank, status in enumerate(("present", "no_data", "unknown", "partial", "too_small", "too_far"))
    }
    worst: dict[int, int] = {}
    for compound, key, status in zip(rows["compound"], rows["class"], rows["status"], strict=True):
        if key == place and severity[status] >= severity[worst.get(compound, 0)]:
            worst[compound] = status
    return [worst.get(row, STATUSES.index("unknown")) for row in range(count)] if worst else None


def _facilities(content: Content, findings: Findings, names: Names) -> list[dict[str, Any]]:
    frame = findings.layers["facilities"]
    if frame.empty:
        return []
    data = dataset(frame, "facilities", names, pack_points(degrees(frame)))
    data["columns"]["class"] = [names.classes.index(key) for key in frame["facility_class"]]
    content.datasets["facilities"] = data
    present = set(data["columns"]["class"])
    return [
        content.add(
            f"facilities:{key}",
            label=names.short(key),
            dataset="facilities",
            where={"class": place},
            draw="mark",
            mark={"shape": names.marks[key].shape, "color": names.marks[key].color},
            order=ORDER.index("facilities"),
            legend=[mark_item(names.short(key), names.marks[key])],
        )
        for place, key in enumerate(names.classes)
        if place in present
    ]


def _circles(content: Content, findings: Findings, names: Names) -> list[dict[str, Any]]:
    """Add the service circles: a node for each class, below it one layer for each walking time."""
    frame = findings.layers["circles"].sort_values("minutes", ascending=False, kind="stable").reset_index(drop=True)
    frame = frame[~(frame.geometry.is_empty | frame.geometry.isna())].reset_index(drop=True)
    if frame.empty:
        return []
    content.datasets["circles"] = {
        "shapes": pack_shapes(degrees(frame, simplify_m=CIRCLE_TOLERANCE_M), kind="polygon"),
        "columns": {
            "class": [names.classes.index(key) for key in frame["facility_class"]],
            "minutes": [int(minutes) for minutes in frame["minutes"]],
        },
        "fields": [],
        "noun": "",
    }
    nodes: list[dict[str, Any]] = []
    for place, key in enumerate(names.classes):
        own = frame[frame["facility_class"] == key].sort_values("minutes", kind="stable")
        layers = []
        limits = {(quote.limit, quote.unit) for quote in names.coverage.each(key)}
        basis = rule_basis(findings, key, names.language)
        for minutes, limit, unit in zip(
            own["minutes"].astype(int), own["limit"].astype(float), own["unit"], strict=True
        ):
            label = circle_label(findings, minutes, limit, str(unit), names.language)
            own_limit = (limit, unit) in limits
            if own_limit:
                sure = confidence_of(findings, key)
                label = tell("circle_limit_sure" if sure else "circle_limit", names, label=label, confidence=sure)
            color = names.marks[key].color
            opacity = style.CIRCLE_OPACITY.get(minutes, min(style.CIRCLE_OPACITY.values()))
            item = {
                "symbol": "area",
                "label": f"{names.short(key)} {label}",
                "fill": color,
                "opacity": opacity,
                "line": color,
            }
            if own_limit and basis:
                item["note"] = tell("circle_basis", names, basis=basis)
            layers.append(
                content.add(
                    f"circles:{key}:{minutes}",
                    label=label,
                    dataset="circles",
                    where={"class": place, "minutes": minutes},
                    draw="circle",
                    color=color,
                    opacity=opacity,
                    order=ORDER.index("circles"),
                    legend=[item],
                )
            )
        nodes += group(names.short(key), layers)
    return nodes


def _gaps(content: Content, findings: Findings, names: Names) -> list[dict[str, Any]]:
    """Add who lacks what: dots sized by people, each place packed once whatever it lacks."""
    frame = findings.layers["gaps"]
    if frame.empty:
        return []
    places = frame.drop_duplicates("demand_id")
    place = pd.Series(range(len(places)), index=places["demand_id"])
    demand = findings.layers["demand"].set_index("demand_id").reindex(places["demand_id"])
    compound_names = dict(
        zip(findings.layers["compounds"]["compound_id"], findings.layers["compounds"]["name"], strict=True)
    )
    content.datasets["gaps"] = {
        "shapes": pack_points(degrees(places)),
        "columns": {
            "title": [plain(compound_names.get(key)) for key in demand["compound_id"]],
            "elders_60": [plain(value) for value in demand["elders_60"]],
        },
        "rows": {
            "place": [int(value) for value in place[frame["demand_id"]]],
            "class": [names.classes.index(key) for key in frame["facility_class"]],
            "status": [GAP_STATUSES.index(status) for status in frame["status"]],
            "people": [plain(value) for value in frame["people"]],
            "group": [plain(value) for value in frame["group_people"]],
            "walk": [plain(value, digits=2) for value in frame["walk"].astype(float)],
            "limit": [plain(value) for value in frame["limit"].astype(float)],
            "unit": [str(unit) for unit in frame["unit"]],
        },
        "fields": [],
        "noun": tell("noun_gaps", names),
    }
    present = set(content.datasets["gaps"]["rows"]["class"])
    legend = [
        {"symbol": "dot", "label": str(names.of_value("gap", "too_far")), "look": "gaps"},
        {"symbol": "dot", "label": str(names.of_value("gap", "unknown")), "look": "gaps_unknown"},
        {"symbol": "sizes", "label": tell("gap_size", names), "look": "gaps"},
    ]
    return [
        content.add(
            f"gaps:{key}",
            label=names.short(key),
            dataset="gaps",
            row_where={"class": index},
            draw="gap",
            order=ORDER.index("gaps"),
            legend=legend,
            note=_limit_note(findings, names, key),
        )
        for index, key in enumerate(names.classes)
        if index in present
    ]


def _candidates(content: Content, findings: Findings, names: Names) -> list[dict[str, Any]]:
    """Add land and buildings that may carry a facility, as marks; a chosen one shows its outline."""
    frame = findings.layers["candidates"]
    if frame.empty:
        return []
    shapes = degrees(frame)
    data = dataset(frame, "candidates", names, pack_points(shapes))
    data["outlines"] = pack_shapes(shapes, kind="polygon")
    fits = frame["fits"].astype(bool)
    data["columns"]["class"] = [str(key) for key in frame["facility_class"]]
    data["columns"]["color"] = [style.CANDIDATE if good else style.CANDIDATE_UNFIT for good in fits]
    content.datasets["candidates"] = data
    diamond = style.Mark("diamond", style.CANDIDATE)
    legend = [
        mark_item(tell("candidate_fits", names), diamond),
        mark_item(tell("candidate_unfit", names), style.Mark("diamond", style.CANDIDATE_UNFIT)),
    ]
    layers = [
        content.add(
            f"candidates:{key}",
            label=names.short(key),
            dataset="candidates",
            where={"class": key},
            draw="mark",
            mark={"shape": diamond.shape, "color": diamond.color},
            order=ORDER.index("candidates"),
            legend=legend,
        )
        for key in dict.fromkeys(data["columns"]["class"])
    ]
    return group(tell("layer_candidates", names), layers)


def counted_in_people(findings: Findings) -> gpd.GeoDataFrame:
    """Return the proposed sites; what a stand-in loses is left out where it is not counted in people covered."""
    frame, siting = findings.layers["sites"], findings.tables["siting"]
    covering = siting["model"].isna() | siting["model"].isin(COVERING)
    others = set(siting.loc[~covering, "facility_class"])
    shown = frame.copy()
    shown["runner_up_loses"] = frame["runner_up_loses"].where(~frame["facility_class"].isin(others))
    return shown


def _sites(content: Content, findings: Findings, names: Names) -> list[dict[str, Any]]:
    """Add the proposed sites, one layer a class, drawn as numbered pins."""
    frame = counted_in_people(findings)
    if frame.empty:
        return []
    data = dataset(frame, "sites", names, pack_points(degrees(frame)))
    data["columns"]["class"] = [str(key) for key in frame["facility_class"]]
    content.datasets["sites"] = data
    layers = []
    for key in dict.fromkeys(data["columns"]["class"]):
        item = {"symbol": "pin", "label": names.short(key), "color": names.marks[key].color}
        layers.append(
            content.add(
                f"sites:{key}",
                label=names.short(key),
                dataset="sites",
                where={"class": key},
                draw="pin",
                color=names.marks[key].color,
                order=ORDER.index("sites"),
                shown=True,
                legend=[item],
            )
        )
    return group(tell("layer_sites", names), layers, folded=False)
