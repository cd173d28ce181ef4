"""What a popup says: the columns of each layer, how each is written, and the names of coded values."""

from __future__ import annotations

import re
from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from ..layers.words import Language, catalogue, say
from . import formats, style
from .pack import plain
from .quotes import Coverage, class_name, file_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd

    from ..layers.findings import Findings

FIELDS: dict[str, tuple[tuple[str, str], ...]] = {
    "rings": (
        ("policy", "policy"),
        ("area_m2", "area"),
        ("people", "count"),
        ("elders_60", "count"),
        ("households", "count"),
        ("compounds", "count"),
        ("projects", "count"),
    ),
    "districts": (
        ("area_m2", "area"),
        ("people", "count"),
        ("elders_60", "count"),
        ("households", "count"),
        ("compounds", "count"),
    ),
    "compounds": (
        ("people", "count"),
        ("elders_60", "count"),
        ("households", "count"),
        ("year_built", "plain"),
        ("floor_area_m2", "floor_area"),
        ("storeys", "count"),
        ("tenure", "tenure"),
        ("walled", "bool"),
        ("ring_id", "ring"),
        ("district_id", "district"),
    ),
    "parcels": (
        ("land_use", "text"),
        ("use_group", "use"),
        ("far", "decimal"),
        ("density", "percent"),
        ("height_m", "metres"),
        ("area_m2", "area"),
        ("ring_id", "ring"),
    ),
    "projects": (
        ("kind", "kind"),
        ("way", "way"),
        ("stage", "stage"),
        ("year", "plain"),
        ("tenure", "tenure"),
        ("area_m2", "area"),
        ("households", "count"),
        ("households_after", "count"),
        ("floor_area_m2", "floor_area"),
        ("floor_area_after_m2", "floor_area"),
        ("people_before", "count"),
        ("people_after", "count"),
        ("ring_id", "ring"),
        ("against_policy", "bool"),
    ),
    "facilities": (
        ("facility_class", "class"),
        ("capacity", "count"),
        ("floor_area_m2", "floor_area"),
        ("status", "status"),
        ("source", "file"),
        ("access_m", "metres"),
        ("snap", "snap"),
    ),
    "candidates": (
        ("facility_class", "class"),
        ("kind", "kind"),
        ("area_m2", "area"),
        ("floor_area_m2", "floor_area"),
        ("tenure", "tenure"),
        ("land_use", "text"),
        ("source", "candidate_source"),
        ("fits", "bool"),
        ("reason", "reason"),
        ("floor_fits_m2", "floor_area"),
        ("capacity_fits", "count"),
    ),
    "sites": (
        ("facility_class", "class"),
        ("carries", "classes"),
        ("rank", "plain"),
        ("phase", "plain"),
        ("weight", "measure"),
        ("added", "count"),
        ("only_here", "count"),
        ("runner_up", "candidate"),
        ("runner_up_loses", "count"),
        ("people_added", "count"),
        ("elders_added", "count"),
        ("served", "count"),
        ("kind", "kind"),
        ("ring_id", "ring"),
        ("area_m2", "area"),
        ("floor_area_m2", "floor_area"),
        ("capacity", "count"),
        ("cost_yuan", "count"),
        ("needs_rezoning", "bool"),
        ("needs_approval", "bool"),
    ),
}
"""Columns a popup shows for each layer, with how each is written: a kind of number, or whose texts name the values."""
CAUTIONS = {"facilities": "edge_cut_facility", "sites": "edge_cut_facility"}
"""Layers whose popups warn where the end of the streets data may hide people."""
_NUMBERS = {*formats.NUMBER_FORMATS, *formats.scales("zh")}


class Names:
    """Names of classes, rings, districts and coded values in the page's language."""

    def __init__(self, findings: Findings, language: Language) -> None:
        self._findings = findings
        self.language: Language = language
        self.rules: Mapping[str, Mapping[str, Any]] = findings.manifest["classes"]
        found = (findings.layers[layer]["facility_class"] for layer in ("facilities", "circles", "gaps", "sites"))
        self.classes = list(dict.fromkeys([*self.rules, *(str(key) for column in found for key in column.unique())]))
        self.marks = style.class_marks(self.classes)
        stems = {key: re.sub(r"\s*[（(][^（()）]*[)）]$", "", self.of_class(key)) for key in self.classes}
        clear = {stem for stem, count in Counter(stems.values()).items() if count == 1 and stem}
        self._short = {key: stem if stem in clear else self.of_class(key) for key, stem in stems.items()}
        self._places = {
            kind: dict(zip(findings.layers[f"{kind}s"][f"{kind}_id"], findings.layers[f"{kind}s"]["name"], strict=True))
            for kind in ("ring", "district")
        }
        candidates = findings.layers["candidates"]
        self._places["candidate"] = dict(zip(candidates["site_id"], candidates["name"], strict=True))

    @cached_property
    def coverage(self) -> Coverage:
        """Return the table of coverage, read once."""
        return Coverage(self._findings)

    @property
    def homes(self) -> str:
        """Return what people live in here: ``compounds``, or ``cells`` where a grid stands for them."""
        kinds = self._findings.layers["compounds"]["kind"]
        return "cells" if len(kinds) and bool((kinds == "cell").all()) else "compounds"

    def of_class(self, key: str) -> str:
        """Return a facility class's name, the key itself where the manifest does not know it."""
        return class_name(self._findings, key, self.language)

    def short(self, key: str) -> str:
        """Return a class's name without the brackets at its end, unless two classes would be called the same."""
        return self._short[key]

    def of_value(self, kind: str, value: object) -> str | None:
        """Return a coded value's name; a value without one as it stands."""
        if value is None or pd.isna(value):  # type: ignore[call-overload]
            return None
        text = str(value)
        if kind in self._places:
            return str(self._places[kind].get(value) or text)
        if kind in ("class", "bool"):
            return self.of_class(text) if kind == "class" else say("map.yes" if value else "map.no", self.language)
        if kind == "reason":
            joint = say("faults.join", self.language)
            return joint.join(self._named(f"reason_{part}", part) for part in text.split(";"))
        if kind == "classes" and ";" not in text:  # one of a single class is called that above
            return None
        several = say("report.join", self.language).join(self._short.get(key, key) for key in text.split(";"))
        plainly = {"text": text, "file": file_name(text), "classes": several}
        return plainly.get(kind) or self._named(f"{kind}_{text}", text)

    def _named(self, key: str, otherwise: str) -> str:
        return say(f"values.{key}", self.language) if f"values.{key}" in catalogue() else otherwise


def tell(name: str, names: Names, **parameters: object) -> str:
    """Return a text of ``map.toml`` in the page's language."""
    return say(f"map.{name}", names.language, **parameters)


def _columns(frame: pd.DataFrame, layer: str, names: Names) -> tuple[dict[str, list[Any]], list[dict[str, str]]]:
    """Return the columns a popup needs and how each is written; columns without any value are left out."""
    columns: dict[str, list[Any]] = {}
    fields = []
    for column, kind in FIELDS[layer]:
        values = [plain(v) if kind in _NUMBERS else names.of_value(kind, v) for v in frame[column]]
        if any(value is not None for value in values):
            columns[column] = values
            label = f"field_{layer}_{column}" if f"map.field_{layer}_{column}" in catalogue() else f"field_{column}"
            fields.append({"key": column, "label": tell(label, names), "format": kind if kind in _NUMBERS else "text"})
    return columns, fields


def dataset(frame: gpd.GeoDataFrame, layer: str, names: Names, shapes: dict[str, Any]) -> dict[str, Any]:
    """Return a layer's packed shapes, columns and the title of each feature."""
    columns, fields = _columns(frame, layer, names)
    title = frame["name"] if "name" in frame else frame.iloc[:, 0]
    spare = frame.iloc[:, 0].astype(str)
    columns["title"] = [
        str(name) if isinstance(name, str) and name else key for name, key in zip(title, spare, strict=True)
    ]
    if layer in CAUTIONS:
        words = tell(CAUTIONS[layer], names)
        columns["caution"] = [words if value is True or value == 1 else None for value in frame["edge_cut"]]
    return {"shapes": shapes, "columns": columns, "fields": fields, "noun": tell(f"noun_{layer}", names)}
