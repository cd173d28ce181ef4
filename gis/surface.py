"""Surfaces: the walk to the nearest site from every cell of a grid, as if somebody lived in the middle of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from .costs import STANDARD
from .nearest import nearest
from .snap import Positions, snap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from pyproj import CRS

    from .network import WalkNetwork
    from .walkers import Walker

CELL_M = 20.0
WIDTH_M = 25.0
"""A cell farther than this from every street has no value: half the width that service circles give to streets."""
AT_ONCE = 500_000
"""Cells worked on at a time, to bound the memory."""


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """A grid of walks, north up.

    Parameters
    ----------
    cost
        float32[rows, columns], metres or seconds; NaN beyond the limit and away from streets.
    west, north
        Place of the upper left corner, metres.
    cell_m
        Side of a cell.
    crs
        As the network's.
    unit
        ``m`` or ``s``.
    """

    cost: NDArray[np.float32]
    west: float
    north: float
    cell_m: float
    crs: CRS
    unit: Literal["m", "s"]

    def bands(self, limits: Sequence[float]) -> NDArray[np.uint8]:
        """Return uint8[rows, columns]: 1 within the least limit, 2 within the next, … and 0 beyond all (``<=``).

        Examples
        --------
        >>> from pyproj import CRS
        >>> row = Surface(np.array([[300, 301, 900, np.nan]], np.float32), 0.0, 0.0, 20.0, CRS("EPSG:4547"), "m")
        >>> row.bands([1000, 300, 500]).tolist()
        [[1, 2, 3, 0]]
        """
        rising = np.sort(np.asarray(limits, dtype=np.float32))
        band = np.searchsorted(rising, self.cost, side="left") + 1
        return np.where(band <= rising.size, band, 0).astype(np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Cells on the streets: where the middle of each comes to them, row by row from the north west.

    Parameters
    ----------
    cells
        Positions of ``rows * columns`` objects; a cell away from streets has none.
    rows, columns
        Size of the grid.
    west, north, cell_m
        As in `Surface`.
    """

    cells: Positions
    rows: int
    columns: int
    west: float
    north: float
    cell_m: float


def grid_of(
    network: WalkNetwork,
    *,
    bounds: tuple[float, float, float, float] | None = None,
    cell_m: float = CELL_M,
    width_m: float = WIDTH_M,
    usable: NDArray[np.bool_] | None = None,
) -> Grid:
    """Return the cells that surfaces of a network are made of.

    Parameters
    ----------
    network
        The streets.
    bounds
        West, south, east, north in metres; those of the network when not given. Cells' corners lie on multiples of
        their side, so that grids of one study fit each other.
    cell_m
        Side of a cell.
    width_m
        How far from a street cells count.
    usable
        bool[m], the streets that count; all when not given.
    """
    if bounds is None:
        low, high = network.coords.min(axis=0) - width_m, network.coords.max(axis=0) + width_m
        bounds = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
    west, south = float(np.floor(bounds[0] / cell_m) * cell_m), float(np.floor(bounds[1] / cell_m) * cell_m)
    columns, rows = int(np.ceil((bounds[2] - west) / cell_m)), int(np.ceil((bounds[3] - south) / cell_m))
    north = south + rows * cell_m
    x = west + (np.arange(columns) + 0.5) * cell_m
    step = max(1, AT_ONCE // max(1, columns))
    cells = Positions(np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0), np.zeros(0), 0)
    for first in range(0, rows, step):
        y = north - (np.arange(first, min(first + step, rows)) + 0.5) * cell_m
        middle = np.column_stack([np.tile(x, y.size), np.repeat(y, columns)])
        cells = cells.plus(snap(network, middle, count=len(middle), limit_m=width_m, usable=usable).positions)
    return Grid(cells, rows, columns, west, north, float(cell_m))


def surface(network: WalkNetwork, *, grid: Grid, sites: Positions, limit: float, walker: Walker = STANDARD) -> Surface:
    """Return the walk to the nearest site from the middle of every cell, counted as it is for people.

    Parameters
    ----------
    network
        The streets.
    grid
        The cells, from `grid_of`; one grid serves many surfaces.
    sites
        Where the sites stand on the streets.
    limit
        In the walker's unit; cells beyond it have no value.
    walker
        Who walks.

    Examples
    --------
    >>> import shapely
    >>> from pyproj import CRS
    >>> from lifecircle.gis.network import network_from_lines
    >>> street = network_from_lines([shapely.LineString([(0, 10), (80, 10)])], crs=CRS("EPSG:4547"), highway=["path"])
    >>> site = snap(street, np.array([[0.0, 10.0]])).positions
    >>> grid = grid_of(street, bounds=(0, 0, 80, 40), width_m=5)
    >>> surface(street, grid=grid, sites=site, limit=60).cost.tolist()
    [[nan, nan, nan, nan], [10.0, 30.0, 50.0, nan]]
    """
    found = nearest(network, sites=sites, demand=grid.cells, limit=limit, walker=walker).cost
    cost = np.where(np.isfinite(found), found, np.nan).astype(np.float32).reshape(grid.rows, grid.columns)
    return Surface(cost, grid.west, grid.north, grid.cell_m, network.crs, walker.unit)
