"""A made-up city of any size: the default input, the tests and the benchmarks; plainly labelled as made up.

It has what makes walking distances hard: a river with few bridges, a railway, an old core of fine lanes, ring roads
with an expressway that nobody may walk on, walled compounds with gates, hills, new districts with wide blocks and few
services. It is written as ordinary files and read back by the code that reads a user's files.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..gis.errors import Fault, InputError
from .sample_blocks import cut
from .sample_facilities import make_facilities
from .sample_files import write_city
from .sample_lots import make_lots
from .sample_map import (
    make_area_and_districts,
    make_barriers,
    make_buildings,
    make_compounds,
    make_gates,
    make_ring_lines,
    make_streets,
    name_stems,
)
from .sample_people import cell_polygons, make_houses, make_residents, population_grid, terrain_grid
from .sample_plan import LEAST_PEOPLE, MOST_PEOPLE, make_plan
from .sample_projects import make_buildings_to_let, make_land, make_parcels, make_projects
from .sample_streets import make_lanes
from .sample_zones import make_hazards, make_protections

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from .sample_plan import Floats
    from .words import Language


@dataclass(frozen=True, slots=True)
class City:
    """A made-up city in memory: tables with the product's column names, two grids with their west and north edge.

    Parameters
    ----------
    people, seed
        As asked for.
    layers
        Tables in CGCS2000 zone coordinates: area, ring_lines, districts, compounds, gates, streets, water, railways,
        parcels, projects, land, empty_buildings, hazard, protection, buildings.
    facilities
        Rows with ``x`` and ``y`` on the ground.
    population, terrain
        Grid (row 0 in the north), west edge, north edge; people per cell of 100 m, and metres above sea level.
    terrain_cell_m
        Cell size of the terrain.
    """

    people: int
    seed: int
    layers: dict[str, gpd.GeoDataFrame]
    facilities: pd.DataFrame
    population: tuple[Floats, float, float]
    terrain: tuple[Floats, float, float]
    terrain_cell_m: float


def _refuse_bad_size(people: int, seed: int) -> None:
    """Raise `InputError` when there is no such city."""
    faults = []
    if not LEAST_PEOPLE <= people <= MOST_PEOPLE:
        faults.append(Fault("sample.people_range", value=people, detail={"least": LEAST_PEOPLE, "most": MOST_PEOPLE}))
    if seed < 0:
        faults.append(Fault("sample.seed_negative", value=seed))
    if faults:
        message = f"a made-up city has {LEAST_PEOPLE} to {MOST_PEOPLE} people and a seed of 0 or more"
        raise InputError(message, *faults)


def make_city(*, people: int = 300_000, seed: int = 1) -> City:
    """Return the made-up city of so many people.

    Parameters
    ----------
    people
        20,000 to 20,000,000; the sum over compounds, sub-districts and the population grid is exactly this.
    seed
        Same seed, same city.

    Raises
    ------
    InputError
        When ``people`` is out of range or the seed is negative.

    Examples
    --------
    >>> city = make_city(people=20_000)
    >>> int(city.layers["compounds"]["people"].sum()), int(city.layers["districts"]["people"].sum())
    (20000, 20000)
    """
    _refuse_bad_size(people, seed)
    plan = make_plan(people, seed)
    streets = cut(plan)
    lots = make_lots(plan, streets)
    lanes = make_lanes(plan, streets, lots)
    houses = make_houses(plan, streets, lots)
    residents = make_residents(plan, lots, houses)
    compounds = make_compounds(plan, streets, lots, lanes, residents)
    stems = name_stems(plan, streets, lots, compounds, residents)
    by_lot = np.zeros((3, len(lots.block)))
    by_lot[:, residents.lot] = residents.people, residents.households, residents.floor_area_m2
    area, districts = make_area_and_districts(plan, streets, lots, residents)
    water, railways = make_barriers(plan)
    terrain_cell_m = 30.0 if people <= 2_000_000 else 90.0
    return City(
        people=people,
        seed=seed,
        layers={
            "area": area,
            "ring_lines": make_ring_lines(plan),
            "districts": districts,
            "compounds": compounds,
            "gates": make_gates(plan, streets, lots, lanes, residents),
            "streets": make_streets(plan, streets, lots, lanes),
            "water": water,
            "railways": railways,
            "parcels": make_parcels(plan, streets, lots, cell_polygons(plan)),
            "projects": make_projects(plan, streets, lots, by_lot, stems),
            "land": make_land(plan, streets, lots, stems),
            "hazard": make_hazards(water),
            "protection": make_protections(plan, streets, lots),
            "empty_buildings": make_buildings_to_let(plan, streets, lots, stems),
            "buildings": make_buildings(houses),
        },
        facilities=make_facilities(plan, streets, lots, by_lot[0], stems),
        population=population_grid(houses),
        terrain=terrain_grid(plan, terrain_cell_m),
        terrain_cell_m=terrain_cell_m,
    )


def write_sample(folder: str | Path, *, people: int = 300_000, seed: int = 1, language: Language = "zh") -> Path:
    """Write the made-up city as a planner's folder and return the path of its study.toml.

    Parameters
    ----------
    folder
        Made if it does not exist; files of the same names are replaced.
    people, seed
        Of `make_city`.
    language
        In which results of the study are to be written; names and columns in the files are Chinese in both.

    Raises
    ------
    InputError
        When ``people`` or ``seed`` are out of range.
    OutputError
        When the folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_sample(folder, people=20_000).name
    'study.toml'
    """
    return write_city(make_city(people=people, seed=seed), Path(folder), language)
