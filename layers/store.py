"""Findings on disk: one GeoPackage, one manifest, three tables; and back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio

from ..gis.errors import Fault, InputError, MissingFileError
from .findings import LAYERS, TABLES, Findings, empty_table
from .offerstore import save_kept
from .output import write_csv

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .steps import Steps

GEOPACKAGE = "findings.gpkg"
MANIFEST = "manifest.json"
TIMINGS = "timings.json"
SOLVER = "siting_wishes"
"""Key of the timings that holds the solver's seconds of each row of the table ``siting``."""
CSV_TABLES = (
    "coverage",
    "missing",
    "provision",
    "access",
    "equity",
    "sensitivity",
    "indicators",
    "sites",
    "siting",
    "curve",
    "unreachable",
    "refusals",
    "zoning",
    "land_balance",
    "land_verdicts",
    "conflicts",
    "repairs",
    "merges",
)
FIXED_TIME = "2000-01-01T00:00:00.000Z"
"""Written as the GeoPackage's time of change, so that the same findings give the same bytes."""


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Give columns of mixed objects one type that the file format has: yes/no, or text."""
    plain = frame.copy()
    for name in plain.columns:
        column = plain[name]
        if column.dtype == object:
            kinds = {type(value) for value in column.dropna()}
            plain[name] = column.astype("boolean" if kinds == {bool} else "str").where(column.notna(), None)
    return plain


def _without_clock(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table without the seconds a solver took: they differ from run to run and stand with the timings."""
    return table.assign(seconds=np.nan) if "seconds" in table.columns else table


def save(findings: Findings, folder: Path) -> None:
    """Write findings into an existing folder: ``findings.gpkg``, ``manifest.json``, CSV tables, what siting needs.

    Layers and tables are all in the one GeoPackage; the CSV files repeat `CSV_TABLES` for people without a GIS. Nothing
    in them depends on the clock, so the same input gives the same bytes.
    """
    path = folder / GEOPACKAGE
    tables = {name: _without_clock(findings.tables[name]) for name in TABLES}
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": FIXED_TIME})
    try:
        for name in LAYERS:
            layer = findings.layers[name]
            kind = None if len(layer) else "Unknown"
            pyogrio.write_dataframe(
                _plain(layer),
                path,
                layer=name,
                driver="GPKG",
                append=path.exists(),
                geometry_type=kind,
                promote_to_multi=False,
            )
        for name, table in tables.items():
            if name not in LAYERS:
                pyogrio.write_dataframe(_plain(table), path, layer=name, driver="GPKG", append=True)
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})
    manifest = findings.manifest
    if findings.kept is not None:
        manifest = {**manifest, "siting": save_kept(findings.kept, folder)}
    _write_json(manifest, folder / MANIFEST)
    for name in CSV_TABLES:
        write_csv(tables[name], folder / f"{name}.csv")


def save_timings(steps: Steps, folder: Path, siting: pd.DataFrame | None = None) -> None:
    """Write seconds and peak memory by step: the one file of the results that differs from run to run.

    Of ``siting``, the table of that name, the seconds that each wish took are written beside them.
    """
    rows: dict[str, object] = {
        key: {"seconds": round(steps.seconds[key], 3), "peak_mb": steps.peak_mb[key]} for key in steps.seconds
    }
    if siting is not None and len(siting):
        rows[SOLVER] = [round(float(value), 3) for value in siting["seconds"]]
    _write_json(rows, folder / TIMINGS)


def _solver_seconds(folder: Path, siting: pd.DataFrame) -> pd.DataFrame:
    """Return the table of wishes with the seconds that each took, where the timings are there and are theirs."""
    try:
        found = json.loads((folder / TIMINGS).read_text(encoding="utf-8")).get(SOLVER, [])
    except (OSError, ValueError, AttributeError):
        return siting
    if not isinstance(found, list) or len(found) != len(siting):
        return siting
    return pd.DataFrame(siting.assign(seconds=np.array(found, dtype=np.float64)))


def _write_json(content: object, path: Path) -> None:
    """Write JSON that a person can read and a comparison can trust."""
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1, sort_keys=False) + "\n", encoding="utf-8")


def _stored(path: Path) -> set[str]:
    """Return the names of what a GeoPackage of findings holds."""
    try:
        return {str(name) for name, _ in pyogrio.list_layers(path)}
    except (pyogrio.errors.DataSourceError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path}", Fault("output.findings_damaged", file=str(path))) from error


def _read(path: Path, name: str) -> pd.DataFrame:
    """Read one layer or table of the findings."""
    try:
        frame: pd.DataFrame = pyogrio.read_dataframe(path, layer=name)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pyogrio.errors.FeatureError) as error:
        raise InputError(f"cannot read {path}", Fault("output.findings_damaged", file=str(path))) from error
    return frame


def _with_columns(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return a frame with every column of today's findings; those that an older version did not have hold nothing."""
    new = {name: pd.Series(None, index=frame.index, dtype=object) for name in columns if name not in frame.columns}
    if not new:
        return frame
    shape = ["geometry"] if "geometry" in frame.columns else []
    return frame.assign(**new)[[*columns, *(name for name in frame.columns if name not in (*columns, *shape)), *shape]]


def load(folder: Path) -> Findings:
    """Read findings back from a folder that `save` wrote.

    Findings of an older version are read too: tables that it did not make are empty, columns that it did not have hold
    nothing.

    Raises
    ------
    MissingFileError
        When the folder holds no findings.
    InputError
        When they cannot be read, or lack a layer: then the study must be planned again.
    """
    path = folder / GEOPACKAGE
    if not path.is_file() or not (folder / MANIFEST).is_file():
        fault = Fault("output.no_findings", file=str(folder))
        raise MissingFileError(f"no findings in {folder}", fault)
    stored = _stored(path)
    lacking = [name for name in LAYERS if name not in stored]
    if lacking:
        detail = {"layers": ", ".join(lacking)}
        raise InputError(
            f"{path} lacks {detail['layers']}", Fault("output.findings_old", file=str(path), detail=detail)
        )
    layers = {name: gpd.GeoDataFrame(_with_columns(_read(path, name), LAYERS[name])) for name in LAYERS}
    tables = {
        name: _with_columns(_read(path, name), TABLES[name]) if name in stored else empty_table(name)
        for name in TABLES
        if name not in LAYERS
    }
    tables["sites"] = pd.DataFrame(layers["sites"].drop(columns="geometry"))
    tables["siting"] = _solver_seconds(folder, tables["siting"])
    manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return Findings(layers=layers, tables=tables, manifest=manifest)
