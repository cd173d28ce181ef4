"""Offers: all that siting needs of a class once everybody's walks are known, so that it can be asked again and again.

An `Offer` holds the places that were tried for a class, whom each of them reaches, and what stands already; `Kept`
holds the offers of all classes with the people they are for. A plan makes them; `lifecircle.layers.offerstore` writes
and reads them; `lifecircle.layers.proposals` chooses among them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
import shapely
from scipy.sparse import csr_array

from ..gis.coverage import within
from ..gis.reach import edge_cut, reach
from .columns import floats, texts
from .facility_words import vocabulary
from .walks import some

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray
    from pyproj import CRS

    from ..gis.snap import Positions
    from .residents import Groups, Residents, Walks
    from .settings import SitingSection
    from .standards import Rule
    from .walks import Walk

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]

TEXTS: tuple[str, ...] = (
    "site_id",
    "name",
    "kind",
    "ring_id",
    "tenure",
    "land_use",
    "zoning",
    "source",
    "reason",
)
NUMBERS: tuple[str, ...] = (
    "area_m2",
    "floor_area_m2",
    "floor_fits_m2",
    "floor_relaxed_m2",
    "capacity_fits",
    "cost_yuan",
    "x",
    "y",
)
FLAGS: tuple[str, ...] = ("fits", "needs_approval", "edge_cut")
"""Columns of the places of an offer: texts (empty where unknown), numbers (NaN), flags (1, 0, -1 where unknown)."""
STAND_TEXTS: tuple[str, ...] = ("facility_id", "name")
STAND_NUMBERS: tuple[str, ...] = ("capacity", "floor_area_m2")
"""Columns of what stands already."""
FAR_PAIRS = 4_000_000
"""Up to so many pairs of demand and place, walks are kept as far as ``[siting] walk_most_m``, for any model."""
FAR_MODELS = ("p_median", "p_centre")
"""Models that look beyond the limit of a class."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a class may be given.

    Parameters
    ----------
    facility_class, group
        Key of the class, and whom it is for.
    limit, unit
        Its longest walk, in ``m`` or ``s``.
    farthest
        Up to how long a walk ``reach`` and ``stand_reach`` know, at least ``limit``.
    has_data
        False where the source holds no facility of the class: nobody knows who is covered.
    floor_m2_least
        Floor area that the standard asks of one facility; NaN where it asks for none.
    m2_per_place
        Floor area of a place (bed, seat, stall) by which a capacity is estimated; NaN where none is known.
    cost
        float64 [demand], walk to the nearest facility that stands; infinite where no way leads to any.
    places
        A row for each place tried that lies at a street: the columns `TEXTS`, `NUMBERS` and `FLAGS`.
    reach
        csr_array float64 [demand, places] of walks.
    stand, stand_reach
        What stands already: the columns `STAND_TEXTS` and `STAND_NUMBERS`; and walks, [demand, facilities].
    """

    facility_class: str
    group: str
    limit: float
    unit: Literal["m", "s"]
    farthest: float
    has_data: bool
    floor_m2_least: float
    m2_per_place: float
    cost: Floats
    places: pd.DataFrame
    reach: csr_array
    stand: pd.DataFrame
    stand_reach: csr_array

    @property
    def covered(self) -> Bools:
        """Who is within the limit of what stands, bool [demand]."""
        return within(self.cost, self.limit)


@dataclass(frozen=True, slots=True)
class Kept:
    """The offers of all classes that new sites are looked for, and the people they are for.

    Parameters
    ----------
    residents
        Demand points, pieces of land after them.
    groups
        As coverage is counted for.
    offers
        Facility class → offer, in the order in which sites are looked for where nobody wishes.
    crs
        Of the places' ``x`` and ``y``.
    """

    residents: Residents
    groups: Sequence[Groups]
    offers: Mapping[str, Offer]
    crs: CRS


def pick(matrix: csr_array, *, columns: NDArray[np.int64] | None = None, limit: float | None = None) -> csr_array:
    """Return some columns of a matrix of walks, and only walks within a limit; stored zeros stay.

    Examples
    --------
    >>> walks = csr_array((np.array([0.0, 7.0, 3.0]), np.array([0, 1, 1]), np.array([0, 2, 3])), shape=(2, 2))
    >>> pick(walks, limit=5).nnz, pick(walks, columns=np.array([1])).toarray().ravel().tolist()
    (2, [7.0, 3.0])
    """
    if columns is not None:
        number = np.full(matrix.shape[1], -1, dtype=np.int64)
        number[columns] = np.arange(len(columns))
        column, shape = number[matrix.indices], (matrix.shape[0], len(columns))
    else:
        column, shape = matrix.indices.astype(np.int64), matrix.shape
    stay = column >= 0 if limit is None else (column >= 0) & (matrix.data <= limit)
    start = np.concatenate([[0], np.cumsum(stay)])[matrix.indptr]
    picked: csr_array = csr_array((matrix.data[stay], column[stay], start), shape=shape)
    picked.sort_indices()
    return picked


def beside(first: csr_array, second: csr_array) -> csr_array:
    """Return two matrices of walks of the same demand side by side; stored zeros stay."""
    rows = [np.repeat(np.arange(one.shape[0]), np.diff(one.indptr)) for one in (first, second)]
    row, data = np.concatenate(rows), np.concatenate([first.data, second.data])
    column = np.concatenate([first.indices.astype(np.int64), second.indices.astype(np.int64) + first.shape[1]])
    order = np.lexsort((column, row))
    start = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=first.shape[0]))])
    shape = (first.shape[0], first.shape[1] + second.shape[1])
    joined: csr_array = csr_array((data[order], column[order], start), shape=shape)
    return joined


def offers_of(
    walk: Walk,
    people: tuple[Residents, Positions],
    rules: Iterable[Rule],
    walks: Mapping[str, Walks],
    facilities: tuple[gpd.GeoDataFrame, Positions],
    candidates: tuple[gpd.GeoDataFrame, Positions],
    siting: SitingSection,
    *,
    classes: Iterable[str],
) -> dict[str, Offer]:
    """Return the offer of every class that new sites are looked for.

    Parameters
    ----------
    walk
        Network and walker.
    people
        Who lives where, and their positions.
    rules
        Rules of the standard.
    walks
        What stands, by class.
    facilities, candidates
        Frames with positions; the candidates are a row for each place and class with the columns of
        ``LAYERS["candidates"]``, ``ring_id``, ``zoning`` and, where known, ``cost_yuan``.
    siting
        Says how far to look.
    classes
        Those that new sites are looked for; the ones without a walk in the standard get no offer.
    """
    frame, positions = candidates
    on_street = np.zeros(len(frame), dtype=bool)
    on_street[positions.owner] = True
    offers = {}
    by_class = {rule.facility_class: rule for rule in rules if rule.walk_m is not None}
    for name in dict.fromkeys(classes):
        rule = by_class.get(name)
        if rule is None:
            continue
        rows = on_street & (frame["facility_class"] == name).to_numpy()
        offers[name] = _offer(walk, people, rule, walks[name], facilities, (frame, positions, rows), siting)
    return offers


def _offer(
    walk: Walk,
    people: tuple[Residents, Positions],
    rule: Rule,
    walks: Walks,
    facilities: tuple[gpd.GeoDataFrame, Positions],
    candidates: tuple[gpd.GeoDataFrame, Positions, Bools],
    siting: SitingSection,
) -> Offer:
    """Return the offer of one class."""
    residents, demand = people
    frame, positions, rows = candidates
    limit = walk.limit(rule)
    far = float(walk.walker.cost(np.array([siting.walk_most_m]))[0])
    asked = any(wish.facility_class == rule.facility_class and wish.model in FAR_MODELS for wish in siting.wish)
    farthest = max(limit, far) if asked or len(residents) * int(rows.sum()) <= FAR_PAIRS else limit
    spots = some(positions, rows)
    stand, stand_at = facilities
    here = stand["facility_id"].isin(list(walks.site_ids)).to_numpy() & stand["facility_class"].isin(rule.classes)
    stands = some(stand_at, np.asarray(here, dtype=np.bool_))
    words = vocabulary().classes.get(rule.facility_class)
    return Offer(
        facility_class=rule.facility_class,
        group=rule.group,
        limit=limit,
        unit=walk.walker.unit,
        farthest=farthest,
        has_data=walks.has_data,
        floor_m2_least=np.nan if rule.building_m2_least is None else rule.building_m2_least,
        m2_per_place=words.place.m2 if words is not None and words.place is not None else np.nan,
        cost=walks.cost,
        places=_places(frame[rows], edge_cut(walk.network, spots, limit=limit, walker=walk.walker, coming=True)),
        reach=_reach(walk, demand, spots, farthest),
        stand=tidy(stand[here], STAND_TEXTS, STAND_NUMBERS),
        stand_reach=_reach(walk, demand, stands, farthest),
    )


def _reach(walk: Walk, demand: Positions, sites: Positions, limit: float) -> csr_array:
    """Return walks from demand to sites."""
    if not sites.count:
        none: csr_array = csr_array((demand.count, 0), dtype=np.float64)
        return none
    found: csr_array = csr_array(
        reach(walk.network, demand=demand, sites=sites, limit=limit, walker=walk.walker).matrix
    )
    return found


def _places(frame: gpd.GeoDataFrame, cut: Bools) -> pd.DataFrame:
    """Return the places of a class as plain columns."""
    points = shapely.get_coordinates(frame.geometry.representative_point().to_numpy())
    table = tidy(frame, TEXTS, tuple(name for name in NUMBERS if name not in "xy"))
    flags = {name: _flag(frame, name) for name in FLAGS if name != "edge_cut"}
    return table.assign(x=points[:, 0], y=points[:, 1], **flags, edge_cut=cut.astype(np.int8))[
        [*TEXTS, *NUMBERS, *FLAGS]
    ]


def tidy(frame: pd.DataFrame, text_columns: Sequence[str], number_columns: Sequence[str]) -> pd.DataFrame:
    """Return columns as texts (empty where missing) and numbers (NaN where missing), rows numbered from 0."""
    columns: dict[str, object] = {name: pd.Series(texts(frame, name), dtype=object) for name in text_columns}
    columns |= {name: pd.Series(floats(frame, name), dtype=np.float64) for name in number_columns}
    return pd.DataFrame(columns)


def _flag(frame: pd.DataFrame, name: str) -> NDArray[np.int8]:
    """Return a column of yes and no as 1 and 0, -1 where it is absent or missing."""
    if name not in frame.columns:
        return np.full(len(frame), -1, dtype=np.int8)
    return np.array([-1 if pd.isna(value) else int(bool(value)) for value in frame[name]], dtype=np.int8)


def nearest_of(matrix: csr_array) -> Floats:
    """Return each row's least walk, infinite where there is none.

    Examples
    --------
    >>> nearest_of(csr_array(np.array([[3.0, 2.0], [0.0, 0.0]]))).tolist()
    [2.0, inf]
    """
    least = np.full(matrix.shape[0], np.inf)
    np.minimum.at(least, np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr)), matrix.data)
    return least
