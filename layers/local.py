"""``[local.NAME]``: the local coordinate systems of a study, from control points or from parameters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..gis.crs import DATUMS, as_crs, require_metric
from ..gis.errors import Fault, InputError
from ..gis.local import PARAMETERS, LocalFit, LocalSystem, fit_local, named_parameters
from .encodings import decode_text
from .study import Note

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray
    from pyproj import CRS

    from .settings import LocalSection

PLACES: Mapping[str, tuple[str, ...]] = {
    "x": ("x", "local_x", "x_local", "local_east", "源东", "独立坐标y", "地方y"),
    "y": ("y", "local_y", "y_local", "local_north", "源北", "独立坐标x", "地方x"),
    "east": ("east", "easting", "e", "东坐标", "东"),
    "north": ("north", "northing", "n", "北坐标", "北"),
    "name": ("name", "point", "id", "点名", "点号", "编号"),
}
"""Columns of a table of control points, where ``columns`` does not name them."""

SCALE_LIMITS = (0.99, 1.01)
"""Beyond these a similarity does not turn metres into metres."""


@dataclass(frozen=True, slots=True)
class Local:
    """A local system of a study."""

    name: str
    system: LocalSystem
    fit: LocalFit | None = None
    """What the control points say of it; None where parameters were given."""
    points: tuple[str, ...] = ()
    """Names of the control points, or their numbers."""

    def as_data(self) -> dict[str, object]:
        """Return the system as plain values, for the manifest: parameters, and how far each control point is off."""
        system = self.system
        data: dict[str, object] = {
            "method": system.method,
            "crs": system.crs.to_string(),
            "parameters": dict(system.parameters),
            "origin_m": list(system.origin_m),
        }
        if system.base is not None:
            data["base"] = system.base.to_string()
        if self.fit is not None:
            data["rms_m"] = round(self.fit.rms_m, 4)
            data["residuals"] = [
                {"point": point, "east_m": round(east, 4), "north_m": round(north, 4)}
                for point, (east, north) in zip(self.points, self.fit.residuals_m.tolist(), strict=True)
            ]
        return data

    def notes(self) -> tuple[Note, ...]:
        """Return what the reader of the findings should know of it."""
        if self.fit is None:
            return (Note("local.given", {"name": self.name, "crs": self.system.crs.name}),)
        off = self.fit.lengths_m
        detail = {
            "name": self.name,
            "crs": self.system.crs.name,
            "count": len(off),
            "rms_m": round(self.fit.rms_m, 3),
            "most_m": round(float(off.max()), 3),
            "worst": self.points[int(off.argmax())],
        }
        return (Note("local.fitted", detail),)


@dataclass(frozen=True, slots=True)
class _Controls:
    """Control points as given: in the local system, in the known one, and their names."""

    local: NDArray[np.float64]
    known: NDArray[np.float64]
    names: tuple[str, ...]


def read_local(sections: Mapping[str, LocalSection], folder: Path) -> tuple[dict[str, Local], list[Fault]]:
    """Return the local systems of a study by name, and what is wrong with those that cannot be used.

    Parameters
    ----------
    sections
        ``[local.NAME]`` of study.toml.
    folder
        Where study.toml lies; paths of control points start there.
    """
    found: dict[str, Local] = {}
    faults: list[Fault] = []
    for name, section in sections.items():
        key = f"local.{name}"
        if name.strip().lower() in DATUMS or ":" in name:
            faults.append(Fault("local.name_taken", "study.toml", column=key, value=name))
            continue
        try:
            found[name] = _local(name, section, folder)
        except InputError as error:
            file = section.points if isinstance(section.points, str) else "study.toml"
            faults += [replace(fault, file=fault.file or file, layer=None, column=key) for fault in error.faults]
            continue
        fit = found[name].fit
        if fit is not None and not fit.checked:
            detail = {"count": len(fit.residuals_m)}
            faults.append(Fault("local.unchecked", "study.toml", column=key, detail=detail, blocks=False))
    return found, faults


def _local(name: str, section: LocalSection, folder: Path) -> Local:
    """Return one local system.

    Raises
    ------
    InputError
        When the CRS cannot be used, both or neither of points and parameters are given, the parameters are not those
        of the method, or the control points do not fit.
    """
    crs = require_metric(as_crs(section.crs), name)
    base = None if section.base is None else require_metric(as_crs(section.base), name)
    if (section.points is None) == (not section.parameters):
        message = f"local.{name} needs either points or parameters"
        raise InputError(message, Fault("local.points_or_parameters"))
    if section.points is None:
        return Local(name, _given(section, crs, base))
    controls = _controls(section, folder)
    try:
        fit = fit_local(
            controls.local, controls.known, method=section.method, crs=crs, limit_m=section.limit_m, base=base
        )
    except InputError as error:
        named = [
            replace(fault, row=controls.names[fault.row - 1]) if isinstance(fault.row, int) else fault
            for fault in error.faults
        ]
        raise InputError(str(error), *named) from error
    _require_metres(fit)
    return Local(name, fit.system, fit, controls.names)


def _given(section: LocalSection, crs: CRS, base: CRS | None) -> LocalSystem:
    """Return the system of parameters that were given."""
    unknown = named_parameters(section.method, section.parameters)
    known = PARAMETERS[section.method]
    needed = {"similarity": ("east", "north"), "affine": known, "seven": ("dx", "dy", "dz")}[section.method]
    missing = [name for name in needed if name not in section.parameters]
    if unknown or missing:
        message = f"parameters {', '.join([*unknown, *missing])} are unknown or missing"
        detail = {"wrong": ", ".join([*unknown, *missing]), "known": ", ".join(known)}
        raise InputError(message, Fault("local.parameters", detail=detail))
    if section.method == "seven" and base is None:
        message = "seven parameters need a base"
        raise InputError(message, Fault("local.base_missing"))
    return LocalSystem(crs, section.method, dict(section.parameters), base=base)


def _require_metres(fit: LocalFit) -> None:
    """Refuse a fit that stretches: feet, kilometres, or pairs of another kind."""
    scale = fit.system.parameters.get("scale", 1.0)
    if not SCALE_LIMITS[0] <= scale <= SCALE_LIMITS[1]:
        message = f"the fit has a scale of {scale:.6g}"
        raise InputError(message, Fault("local.scale", detail={"scale": f"{scale:.6g}"}))


def _controls(section: LocalSection, folder: Path) -> _Controls:
    """Return the control points of study.toml or of the table that it names."""
    if isinstance(section.points, str):
        return _table(folder / section.points, section.columns)
    rows = np.asarray(section.points, dtype=np.float64).reshape(-1, 4)
    names = tuple(str(number + 1) for number in range(len(rows)))
    return _finite(rows, names)


def _table(path: Path, columns: Mapping[str, str]) -> _Controls:
    """Return the control points of a CSV or Excel table."""
    if not path.is_file():
        message = f"no such file: {path}"
        raise InputError(message, Fault("faults.file_missing"))
    try:
        if path.suffix.lower() in (".xlsx", ".xlsm"):
            table = pd.read_excel(path, dtype="str")
        else:
            import io  # noqa: PLC0415  with the branch that needs it

            text, _ = decode_text(path.read_bytes(), file=str(path))
            table = pd.read_csv(io.StringIO(text), sep=None, engine="python", dtype="str", skipinitialspace=True)
    except InputError:
        raise
    except Exception as error:  # the readers raise whatever their parts raise on a broken file
        message = f"cannot read {path}"
        reason = " ".join(str(error).split())[:200]
        raise InputError(message, Fault("faults.unreadable", detail={"reason": reason})) from error
    table.columns = pd.Index([str(name).strip() for name in table.columns])
    lower = {name.lower(): name for name in reversed(list(table.columns))}
    found = {
        part: columns.get(part) or next((lower[name] for name in names if name in lower), None)
        for part, names in PLACES.items()
    }
    missing = [part for part in ("x", "y", "east", "north") if found[part] not in table.columns]
    if missing:
        message = f"{path} lacks the columns {', '.join(missing)}"
        detail = {"missing": ", ".join(missing), "columns": ", ".join(table.columns)}
        raise InputError(message, Fault("local.columns", detail=detail))
    numbers = [pd.to_numeric(table[found[part]], errors="coerce") for part in ("x", "y", "east", "north")]
    rows = np.column_stack([column.to_numpy(dtype="float64", na_value=np.nan) for column in numbers])
    named = found["name"]
    names = table[named].astype("str").tolist() if named in table.columns else range(1, len(rows) + 1)
    return _finite(rows, tuple(map(str, names)))


def _finite(rows: NDArray[np.float64], names: tuple[str, ...]) -> _Controls:
    """Return control points after refusing those that are no numbers."""
    wrong = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if len(wrong):
        message = f"{len(wrong)} control points are not four numbers"
        raise InputError(message, *(Fault("local.not_numbers", row=names[row]) for row in wrong[:5]))
    return _Controls(rows[:, :2], rows[:, 2:], names)
