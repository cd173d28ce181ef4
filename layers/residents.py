"""Who lives where, how they are grouped, how far their facilities are: the arrays that gaps are counted from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

import numpy as np

from ..gis.errors import Fault, InputError
from .findings import MEASURES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]


class RuleLike(Protocol):
    """What is read of a `lifecircle.layers.standards.Rule`."""

    @property
    def facility_class(self) -> str:
        """Key of the class."""

    @property
    def circle(self) -> int:
        """Minutes: 5, 10 or 15."""

    @property
    def walk_m(self) -> float | None:
        """Walking metres, or those that its minutes stand for; None where no walk is measured."""

    @property
    def required(self) -> bool:
        """Whether every circle must have one."""

    @property
    def group(self) -> str:
        """For whom it is, one of `MEASURES`."""

    @property
    def clause(self) -> str:
        """Where the standard says it."""

    @property
    def confidence(self) -> str:
        """How sure the value is: A to D."""


@dataclass(frozen=True, slots=True)
class Residents:
    """Demand points as arrays, one row each.

    Parameters
    ----------
    demand_id
        Ids, in the order of all arrays.
    xy
        float64 [n, 2], metric.
    counts
        Measure of `MEASURES` → int64 [n]. ``people`` is always there; a measure that is not known is absent, not zero.
    compound
        int64 [n], row of the compound, -1 for none.
    known
        bool [n], False where the point could not be put on the street network: its walk is unknown.
    homes
        How many rows are places where people live; pieces of residential land follow them. All are where not given.
    """

    demand_id: Sequence[str]
    xy: Floats
    counts: Mapping[str, Ints]
    compound: Ints
    known: Bools
    homes: int | None = None

    def __len__(self) -> int:
        """Return the number of demand points."""
        return len(self.known)

    @property
    def lived_in(self) -> Bools:
        """The rows where people live, bool [n]."""
        return np.arange(len(self)) < (len(self) if self.homes is None else self.homes)

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures that are known, in the order of `MEASURES`."""
        return tuple(measure for measure in MEASURES if measure in self.counts)

    @property
    def weights(self) -> Ints:
        """int64 [n, measures]."""
        return np.column_stack([np.asarray(self.counts[measure], dtype=np.int64) for measure in self.measures])


@dataclass(frozen=True, slots=True)
class Groups:
    """One kind of group: the city, boroughs, rings, districts, zones, compounds or projects.

    Parameters
    ----------
    kind
        One of `lifecircle.layers.findings.GROUPS`.
    ids, names
        One for each group.
    of_demand
        int64 [demand points], index of the group, -1 for none.
    of_compound
        int64 [compounds], index of the group that the compound counts in, -1 for none. For kind ``compound`` it is
        ``arange``.
    """

    kind: str
    ids: Sequence[str]
    names: Sequence[str]
    of_demand: Ints
    of_compound: Ints


@dataclass(frozen=True, slots=True)
class Walks:
    """What the searches found for one facility class.

    Parameters
    ----------
    has_data
        False when the source holds nothing that could be of the class: then nothing is known about it.
    limit
        The rule's limit in ``unit``.
    unit
        ``m`` for the standard walker, ``s`` for walkers with a speed.
    cost
        float64 [demand points], walk to the nearest facility in ``unit``, however far; inf where no way leads to any,
        and for points off the network.
    site
        int64 [demand points], row of that facility in ``site_ids``, -1 for none.
    site_ids, site_names, site_xy
        The class's facilities.
    after_cost
        float64 [demand points], walk to the nearest *proposed* site; None where nothing is proposed.
    after_alone
        True where facilities are to be closed: ``after_cost`` then holds the walks to what stays open, too.
    large_cost, sure_cost
        float64 [demand points], walk to the nearest facility that is not known to be too small, and to the nearest one
        that is known to be large enough, right as far as the limit; None where the rule asks for no size.
    """

    has_data: bool
    limit: float
    unit: Literal["m", "s"]
    cost: Floats
    site: Ints
    site_ids: Sequence[str]
    site_names: Sequence[str]
    site_xy: Floats
    after_cost: Floats | None = None
    after_alone: bool = False
    large_cost: Floats | None = None
    sure_cost: Floats | None = None


def no_data(residents: Residents, *, limit: float, unit: Literal["m", "s"]) -> Walks:
    """Return the walks of a class that the source holds no data of.

    Examples
    --------
    >>> someone = Residents(["d"], np.zeros((1, 2)), {"people": np.array([5])}, np.array([0]), np.array([True]))
    >>> no_data(someone, limit=300.0, unit="m").has_data
    False
    """
    count = len(residents)
    cost, site = np.full(count, np.inf), np.full(count, -1, dtype=np.int64)
    return Walks(
        has_data=False,
        limit=limit,
        unit=unit,
        cost=cost,
        site=site,
        site_ids=(),
        site_names=(),
        site_xy=np.zeros((0, 2)),
    )


def check_lengths(residents: Residents, groups: Sequence[Groups], walks: Mapping[str, Walks]) -> None:
    """Refuse residents without people, and arrays of other lengths."""
    if "people" not in residents.counts:
        message = "the measure people is needed"
        raise InputError(message, Fault("gaps.no_people"))
    lengths = {
        "xy": len(residents.xy),
        "compound": len(residents.compound),
        **{measure: len(values) for measure, values in residents.counts.items()},
        **{f"groups {kind.kind}": len(kind.of_demand) for kind in groups},
        **{f"walks {name}": len(walk.cost) for name, walk in walks.items()},
    }
    wrong = [name for name, length in lengths.items() if length != len(residents)]
    if wrong:
        message = f"{', '.join(wrong)} have another length than the {len(residents)} demand points"
        raise InputError(message, *(Fault("gaps.length", column=name, value=lengths[name]) for name in wrong))
