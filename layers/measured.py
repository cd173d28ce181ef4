"""What is counted beside coverage: provision, access, equity, sensitivity, indicators; the same groups and walks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import shapely

from .access import access_of
from .equity import equity_table
from .groups import group_of_points
from .indicator_reach import Reaches, places_of
from .indicators import Asked, indicator_table
from .provision import kinds_by_place, provision_table, stock_of
from .sensitivity import sensitivity_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd
    import pandas as pd

    from ..gis.snap import Positions
    from .facilities import FoundFacilities
    from .groups import Areas
    from .residents import Groups, Residents, Walks
    from .standards import Standard
    from .study import Note, Study
    from .walks import Walk


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that the tables are counted from.

    Parameters
    ----------
    study, standard
        Settings and rules.
    areas, groups
        What is summed by.
    walk, residents, demand
        Who walks from where; pieces of land follow the homes.
    facilities
        Frame, positions, and the classes that the source holds.
    walks
        Facility class → walks.
    found, asked
        The facilities as they were found, those of other standards too, and the indicators wanted.
    """

    study: Study
    standard: Standard
    areas: Areas
    groups: Sequence[Groups]
    walk: Walk
    residents: Residents
    demand: Positions
    facilities: tuple[gpd.GeoDataFrame, Positions, frozenset[str]]
    walks: Mapping[str, Walks]
    found: FoundFacilities
    asked: tuple[Asked, ...]


def measured(case: Case) -> tuple[dict[str, pd.DataFrame], tuple[Note, ...]]:
    """Return the tables of a study that are counted from its walks, and notes of them."""
    frame, positions, with_data = case.facilities
    rules, residents = case.standard.rules, case.residents
    area = case.study.area.union_all()
    shapely.prepare(area)
    points = frame.geometry.to_numpy()
    inside = shapely.intersects(area, points)
    placed = {kind.kind: group_of_points(points, case.areas, kind, inside) for kind in kinds_by_place(case.groups)}
    stock = stock_of(frame, with_data, placed)
    supply = case.study.settings.access.supply
    access = access_of(case.walk, residents, case.demand, case.groups, rules, case.facilities, supply=supply)
    by_kind = {kind.kind: kind for kind in case.groups}
    places = places_of(case.walk, case.found, positions)
    reaches = Reaches(case.walk, residents, case.demand, places, rules, case.walks)
    tables = {
        "provision": provision_table(case.standard, stock, residents, case.groups),
        "access": access.table,
        "equity": equity_table(residents, by_kind, rules, case.walks, access.values),
        "sensitivity": sensitivity_table(case.walk, residents, case.demand, rules, case.walks, (frame, positions)),
        "indicators": indicator_table(case.asked, reaches, residents, case.groups),
    }
    return tables, access.notes
