"""Findings on disk: one GeoPackage, one manifest, three tables; and back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
import pyogrio

from ..gis.errors import Fault, MissingFileError
from .findings import LAYERS, TABLES, Findings
from .output import write_csv

if TYPE_CHECKING:
    from pathlib import Path

    from .steps import Steps

GEOPACKAGE = "findings.gpkg"
MANIFEST = "manifest.json"
TIMINGS = "timings.json"
CSV_TABLES = (
    "coverage",
    "missing",
    "provision",
    "access",
    "equity",
    "sensitivity",
    "indicators",
    "sites",
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


def save(findings: Findings, folder: Path) -> None:
    """Write findings into an existing folder: ``findings.gpkg``, ``manifest.json`` and the CSV tables.

    Layers and tables are all in the one GeoPackage; the CSV files repeat `CSV_TABLES` for people without a GIS. Nothing
    in them depends on the clock, so the same input gives the same bytes.
    """
    path = folder / GEOPACKAGE
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
        for name in TABLES:
            if name not in LAYERS:
                pyogrio.write_dataframe(_plain(findings.tables[name]), path, layer=name, driver="GPKG", append=True)
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})
    _write_json(findings.manifest, folder / MANIFEST)
    for name in CSV_TABLES:
        write_csv(findings.tables[name], folder / f"{name}.csv")


def save_timings(steps: Steps, folder: Path) -> None:
    """Write seconds and peak memory by step: the one file of the results that differs from run to run."""
    rows = {key: {"seconds": round(steps.seconds[key], 3), "peak_mb": steps.peak_mb[key]} for key in steps.seconds}
    _write_json(rows, folder / TIMINGS)


def _write_json(content: object, path: Path) -> None:
    """Write JSON that a person can read and a comparison can trust."""
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1, sort_keys=False) + "\n", encoding="utf-8")


def load(folder: Path) -> Findings:
    """Read findings back from a folder that `save` wrote.

    Raises
    ------
    MissingFileError
        When the folder holds no findings.
    """
    path = folder / GEOPACKAGE
    if not path.is_file() or not (folder / MANIFEST).is_file():
        fault = Fault("output.no_findings", file=str(folder))
        raise MissingFileError(f"no findings in {folder}", fault)
    layers: dict[str, gpd.GeoDataFrame] = {}
    for name in LAYERS:
        layers[name] = gpd.GeoDataFrame(pyogrio.read_dataframe(path, layer=name))
    tables = {name: pyogrio.read_dataframe(path, layer=name) for name in TABLES if name not in LAYERS}
    tables["sites"] = pd.DataFrame(layers["sites"].drop(columns="geometry"))
    manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return Findings(layers=layers, tables=tables, manifest=manifest)
