"""The manifest of findings: what was read, how it was set, what was assumed, and the totals that must add up."""

from __future__ import annotations

import datetime as dt
import platform
from importlib.metadata import version
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from ..gis.crs import crs_label
from .contracts import AGE_COLUMNS
from .standards import class_names
from .words import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import geopandas as gpd
    import pandas as pd

    from ..gis.errors import Fault
    from ..gis.walkers import Walker
    from .standards import Standard
    from .study import Note, Study

VERSIONS_OF = ("lifecircle", "geopandas", "shapely", "pyproj", "pyogrio", "numpy", "scipy", "numba", "highspy")


def manifest_of(
    study: Study,
    standard: Standard,
    layers: Mapping[str, gpd.GeoDataFrame],
    tables: Mapping[str, pd.DataFrame],
    *,
    walker: Walker,
    gates: str,
    notes: Iterable[Note],
    warnings: Iterable[Fault],
) -> dict[str, Any]:
    """Return the manifest: plain values only, the same for the same input on the same day.

    Parameters
    ----------
    study, standard
        What was computed from.
    layers, tables
        The findings, for their totals and row counts.
    walker
        Who walks: says the unit of every limit and walk.
    gates
        How walls were taken: gated, open or residents.
    notes, warnings
        Of the computation; those of reading the study are put before them.
    """
    settings = study.settings
    sites = set(tables["siting"]["facility_class"])
    return {
        "study": _study_said(study, standard, walker, gates),
        "totals": _totals(layers),
        "attribution": attribution(study),
        "classes": _classes_said(standard, sites),
        "class_names": {
            key: names
            for key in standard.counted
            if key not in standard.classes and (names := class_names(key)) is not None
        },
        "notes": [_said(note.code, note.detail) for note in (*study.notes, *notes)],
        "warnings": [_warned(fault) for fault in (*study.warnings, *warnings)],
        "sources": [
            {
                "layer": source.layer,
                "file": _near(source.file, study.folder),
                "sha256": source.sha256,
                "rows_in": source.rows_in,
                "rows_kept": source.rows_kept,
                "datum": source.datum,
                "maker": source.maker,
                "licence": source.licence,
            }
            for source in study.sources
        ],
        "local": {name: local.as_data() for name, local in study.local.items()},
        "rows": {name: len(frame) for name, frame in {**layers, **tables}.items()},
        "settings": settings.model_dump(mode="json", exclude_none=True),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in VERSIONS_OF}},
    }


def _study_said(study: Study, standard: Standard, walker: Walker, gates: str) -> dict[str, Any]:
    """Return what was studied, by what, and how people walk."""
    settings = study.settings
    return {
        "name": settings.study.name,
        "language": settings.study.language,
        "made_up": settings.study.made_up,
        "date": (settings.study.date or dt.datetime.now(tz=dt.UTC).date()).isoformat(),
        "map_approval": settings.study.map_approval,
        "crs": crs_label(study.crs),
        "datum": study.crs.geodetic_crs.name if study.crs.geodetic_crs is not None else None,
        "walker": walker.name,
        "walker_speed_mps": walker.speed_mps,
        "walker_unit": walker.unit,
        "gates": gates,
        "standard": standard.key,
    }


def _classes_said(standard: Standard, sites: set[str]) -> dict[str, dict[str, Any]]:
    """Return the rules of the standard by class: names, limit, areas, where they stand and how sure they are."""
    return {
        rule.facility_class: {
            **{language: getattr(rule, language) for language in LANGUAGES},
            **{f"short_{language}": getattr(rule, f"short_{language}") for language in LANGUAGES},
            "circle": rule.circle,
            "limit_m": rule.limit_m,
            "limit_minutes": rule.limit_minutes,
            "walk_m": rule.walk_m,
            "met_by": list(rule.met_by),
            "source": rule.source,
            "required": rule.required,
            "group": rule.group,
            "building_m2_least": rule.building_m2_least,
            "land_m2_least": rule.land_m2_least,
            "confidence_areas": rule.confidence_areas,
            "clause": rule.clause,
            "clause_en": rule.clause_en,
            "confidence": rule.confidence,
            "sited": rule.facility_class in sites,
        }
        for rule in standard.rules
    }


def _near(file: str, folder: Path) -> str:
    """Return a path from where study.toml lies, for a file that lies below it; any other as it was written."""
    path = PurePath(file)
    inside = path.is_absolute() and path.is_relative_to(folder.absolute())
    return path.relative_to(folder.absolute()).as_posix() if inside else file


def attribution(study: Study) -> list[str]:
    """Return the sentences that every map must carry: each maker with its licence, once."""
    said = []
    for source in study.sources:
        if source.maker:
            sentence = f"{source.maker} ({source.licence})" if source.licence else source.maker
            if sentence not in said:
                said.append(sentence)
    return said


def _totals(layers: Mapping[str, gpd.GeoDataFrame]) -> dict[str, int | None]:
    """Return the totals of the city; ``None`` where a group is not known."""
    demand = layers["demand"]
    totals: dict[str, int | None] = {
        name: int(demand[name].sum()) if demand[name].notna().all() else None
        for name in ("people", *AGE_COLUMNS, "households")
    }
    counted = ("compounds", "facilities", "projects", "sites")
    return {**totals, **{name: len(layers[name]) for name in counted}}


def plain_note(note: Note) -> dict[str, Any]:
    """Return a note as the manifest holds it."""
    return _said(note.code, note.detail)


def plain_fault(fault: Fault) -> dict[str, Any]:
    """Return a fault that does not block as the manifest holds it."""
    return _warned(fault)


def _said(code: str, detail: Mapping[str, object]) -> dict[str, Any]:
    """Return a note as plain values."""
    return {"code": code, "detail": {name: _plain(value) for name, value in detail.items()}}


def _warned(fault: Fault) -> dict[str, Any]:
    """Return a fault that does not block as plain values."""
    where = {name: getattr(fault, name) for name in ("file", "layer", "row", "column", "value")}
    found = {name: _plain(value) for name, value in where.items() if value is not None}
    return {"code": fault.code, "detail": {**found, **{name: _plain(value) for name, value in fault.detail.items()}}}


def _plain(value: object) -> object:
    """Return a value that JSON holds."""
    if hasattr(value, "item"):
        return value.item()
    return value if isinstance(value, str | int | float | bool | None) else str(value)
