"""Figures of a study that can be read but not be true: densities, years, people on a piece of ground, walls."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..gis.errors import Fault
from .areaunits import area_unit_faults

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    from .gather import Row

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

OLDEST_YEAR = 1500
MOST_FAR = 25.0
"""Floor area ratio beyond which no plot in the world's densest centres goes."""
MOST_PER_GROUND_M2 = 0.5
"""People a square metre of ground; dense quarters of towers have a tenth of it."""
MOST_PER_FLOOR_M2 = 1.0
SHOWN = 5


def plausible_faults(
    layers: Mapping[str, gpd.GeoDataFrame], rows: Sequence[Row], blocked: Container[str] = ()
) -> list[Fault]:
    """Return what cannot be true in checked layers: a warning each, and a fault where people would be wrong by orders.

    Parameters
    ----------
    layers
        Checked layers in metres.
    rows
        The files they came from, for the names of files and columns.
    blocked
        Layers that could not be read.
    """
    found = _Finder(layers, rows)
    found.where("parcels", "density", lambda values: values > 1, "density_over", blocks=False)
    found.where("parcels", "far", lambda values: values > MOST_FAR, "far_over", blocks=False, most=MOST_FAR)
    latest = dt.datetime.now(tz=dt.UTC).year + 1
    for layer, column in (("compounds", "year_built"), ("facilities", "year")):
        late = latest if layer == "compounds" else latest + 20
        found.where(
            layer,
            column,
            lambda values, late=late: (values > late) | (values < OLDEST_YEAR),  # type: ignore[misc]
            "year_odd",
            blocks=False,
            oldest=str(OLDEST_YEAR),
            latest=str(late),
        )
    for layer in ("compounds", "districts", "buildings", "population"):
        found.crowded(layer)
    return [*found.faults, *_without_walls(layers, unread="compounds" in blocked), *area_unit_faults(layers, rows)]


class _Finder:
    """Gathers faults of cells, the first few of a column by name and the rest as a number."""

    def __init__(self, layers: Mapping[str, gpd.GeoDataFrame], rows: Sequence[Row]) -> None:
        self.layers = layers
        self.rows = rows
        self.faults: list[Fault] = []

    def where(
        self, layer: str, column: str, wrong: Callable[[Floats], Flags], code: str, *, blocks: bool, **detail: object
    ) -> None:
        """Report the cells of a column for which a test holds."""
        frame = self.layers.get(layer)
        if frame is None or column not in frame.columns:
            return
        values = pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype="float64", na_value=np.nan)
        self._cells(layer, column, wrong(values), values, f"faults.{code}", blocks=blocks, **detail)

    def crowded(self, layer: str) -> None:
        """Report people that neither the ground nor the floors of a place can hold; points have no ground."""
        frame = self.layers.get(layer)
        if frame is None or "people" not in frame.columns:
            return
        people = pd.to_numeric(frame["people"], errors="coerce").to_numpy(dtype="float64", na_value=np.nan)
        ground = frame.geometry.area.to_numpy()
        storeys = np.ones(len(frame))
        if layer == "buildings" and "storeys" in frame.columns:
            stated = pd.to_numeric(frame["storeys"], errors="coerce").to_numpy(dtype="float64", na_value=np.nan)
            storeys = np.fmax(stated, 1.0)
        most = MOST_PER_GROUND_M2 * ground * storeys
        over = (ground > 0) & (people > most)
        limit = "faults.people_over_ground"
        self._cells(layer, "people", over, people, limit, blocks=True, most=MOST_PER_GROUND_M2)
        if "floor_area_m2" not in frame.columns:
            return
        floor = pd.to_numeric(frame["floor_area_m2"], errors="coerce").to_numpy(dtype="float64", na_value=np.nan)
        tight = (floor > 0) & (people > MOST_PER_FLOOR_M2 * floor) & ~over
        limit = "faults.people_over_floor"
        self._cells(layer, "people", tight, people, limit, blocks=True, most=MOST_PER_FLOOR_M2)

    def _cells(
        self,
        layer: str,
        column: str,
        wrong: Flags,
        values: Floats,
        code: str,
        *,
        blocks: bool,
        **detail: object,
    ) -> None:
        """Report cells by the id of their row."""
        frame = self.layers[layer]
        own = [row for row in self.rows if row.layer == layer]
        # What a table joined to the layer states is looked for in the table.
        row = next((row for row in own if row.columns.get(column, column) != column), own[-1] if own else None)
        file = None if row is None else row.file
        called = column if row is None else row.columns.get(column, column)
        ids = next((frame[name] for name in frame.columns if str(name).endswith("_id")), None)
        places = np.flatnonzero(wrong)
        for place in places[:SHOWN]:
            label = int(place) + 1 if ids is None or pd.isna(ids.iloc[place]) else str(ids.iloc[place])
            self.faults.append(Fault(code, file, layer, label, called, f"{values[place]:.10g}", detail, blocks))
        if len(places) > SHOWN:
            more = {"count": len(places) - SHOWN}
            self.faults.append(Fault("faults.and_more", file, layer, column=called, detail=more, blocks=blocks))


def _without_walls(layers: Mapping[str, gpd.GeoDataFrame], *, unread: bool) -> list[Fault]:
    """Return a warning where gates are given but no compound is walled, so that no gate has a wall to be in.

    Of compounds that could not be read, which has a fault of its own, nothing is known.
    """
    gates, compounds = layers.get("gates"), layers.get("compounds")
    if gates is None or gates.empty or (compounds is None and unread):
        return []
    if compounds is None or "walled" not in compounds.columns:
        return [Fault("faults.gates_no_walled_column", layer="gates", blocks=False)]
    if not compounds["walled"].fillna(value=False).astype(bool).any():
        return [Fault("faults.gates_none_walled", layer="gates", blocks=False)]
    return []
