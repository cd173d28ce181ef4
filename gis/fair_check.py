"""What fair covering is given, checked: the groups, and the least share of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from .errors import Fault, InfeasibleError, InputError
from .siting_answer import Case
from .siting_check import as_csr, check_limits
from .siting_cover_check import check_cover, check_sites
from .siting_open import Opened, opened
from .siting_reduce import pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    Ints: TypeAlias = NDArray[np.int64]

Share: TypeAlias = float | Fraction
"""A decimal counts as it is written: 0.8 is eight tenths."""
Least: TypeAlias = Share | Mapping[int, Share]


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups of demand that have people.

    Parameters
    ----------
    number
        int64 [G], what the groups are called, rising.
    of
        int64 [demand], the place of each row's group in ``number``; G for rows without a group.
    people, before
        int64 [G], weight of the group, and what of it is covered already.
    """

    number: Ints
    of: Ints
    people: Ints
    before: Ints


@dataclass(frozen=True, slots=True)
class FairCase:
    """A checked problem.

    Parameters
    ----------
    left
        What the forced candidates leave open.
    groups
        The groups, what is covered by forced candidates not counted.
    sites
        How many may be chosen, forced ones among them.
    least
        The least share of each group.
    """

    left: Opened
    groups: Groups
    sites: int
    least: tuple[Fraction, ...]

    @property
    def have(self) -> Ints:
        """Return the weight of each group that is covered by what exists or is forced in."""
        return sums_of_groups(self.groups, np.where(self.left.met, self.left.case.weight, 0))


def sums_of_groups(groups: Groups, weight: Ints) -> Ints:
    """Return the weight of each group."""
    sums = np.zeros(len(groups.number) + 1, dtype=np.int64)
    np.add.at(sums, groups.of, weight)
    return sums[:-1]


def check_fair(
    reach: Any,  # noqa: ANN401  scipy's sparse matrices and arrays have no common type
    weights: ArrayLike,
    groups: ArrayLike,
    *,
    least: Least,
    sites: int,
    forced: tuple[Sequence[int], Sequence[int]],
    limits: tuple[float, float],
    others: Mapping[str, ArrayLike | None],
) -> FairCase:
    """Return the problem, or report all that is wrong with it together.

    Parameters
    ----------
    reach, weights, sites
        As of `siting.max_cover`.
    groups
        int64 [demand], -1 for none.
    least
        A share of every group, or of some by their numbers; the others have none.
    forced
        Candidates that must be, and that must not be chosen.
    limits
        Seconds and gap.
    others
        ``covered``, ``tie_weights`` and ``site_costs``, where they are given.

    Raises
    ------
    InputError
        All faults together.
    InfeasibleError
        When there are no candidates.
    """
    check_limits(*limits)
    matrix = as_csr(reach)
    faults: list[Fault] = []
    number = _numbers(groups, matrix.shape[0], faults)
    known = np.unique(number[number >= 0])
    shares = _shares(least, known, faults)
    into, out = _together(faults, lambda: check_sites(sites, *forced, matrix.shape[1])) or (None, None)
    if not len(known) and not faults:
        faults.append(Fault("gis.fair_no_groups", column="groups"))
    checked = _together(faults, lambda: check_cover(matrix, weights, **others))  # type: ignore[arg-type]
    if faults or checked is None or into is None or out is None:
        message = f"the sites cannot be chosen: {'; '.join(str(fault) for fault in faults)}"
        raise InputError(message, *faults)
    weight, tie, done, costs = checked
    left = opened(Case(matrix, pattern(matrix).tocsc(), weight, tie, done, costs), into, out)
    people = np.zeros(len(known), dtype=np.int64)
    place = np.where(number >= 0, np.searchsorted(known, number), len(known))
    np.add.at(people, place[number >= 0], weight[number >= 0])
    peopled = np.flatnonzero(people > 0)
    if not len(peopled):
        message = "nobody lives in any of the groups"
        raise InputError(message, Fault("gis.fair_no_groups", column="groups"))
    again = np.full(len(known) + 1, len(peopled), dtype=np.int64)
    again[peopled] = np.arange(len(peopled))
    named = Groups(known[peopled], again[place], people[peopled], people[peopled])
    before = sums_of_groups(named, np.where(done, weight, 0))
    named = Groups(named.number, named.of, named.people, before)
    return FairCase(left, named, sites, tuple(shares.get(int(one), Fraction(0)) for one in named.number))


def _together(faults: list[Fault], checking: Callable[[], Any]) -> Any:  # noqa: ANN401  what each check returns
    """Return what a check returns, or add its faults to the others."""
    try:
        return checking()
    except InfeasibleError:
        raise
    except InputError as error:
        faults.extend(fault for fault in error.faults if fault not in faults)
        return None


def _numbers(groups: ArrayLike, demand: int, faults: list[Fault]) -> Ints:
    """Return the group of each row, or add what is wrong to the faults."""
    none = np.full(demand, -1, dtype=np.int64)
    given = np.asarray(groups)
    if given.shape != (demand,):
        faults.append(Fault("gis.siting_shape", column="groups", value=given.size, detail={"wanted": demand}))
        return none
    if given.dtype.kind not in "iufb":
        faults.append(Fault("gis.fair_groups", column="groups", value=str(given.dtype), detail={"count": demand}))
        return none
    plain = given.astype(np.float64)
    bad = np.flatnonzero(~(np.isfinite(plain) & (plain >= -1) & (plain == np.floor(plain))))
    if len(bad):
        row, detail = int(bad[0]), {"count": len(bad)}
        faults.append(Fault("gis.fair_groups", row=row, column="groups", value=float(plain[row]), detail=detail))
        return none
    return given.astype(np.int64)


def _shares(least: Least, known: Ints, faults: list[Fault]) -> dict[int, Fraction]:
    """Return the least share of groups, or add what is wrong to the faults."""
    asked: Mapping[int, Share] = least if isinstance(least, Mapping) else {int(one): least for one in known}
    if not isinstance(least, Mapping) and _share(least) is None:
        faults.append(Fault("gis.fair_least", column="least", value=least))
        return {}
    shares = {}
    for group, value in asked.items():
        share = _share(value)
        if group not in known:
            faults.append(Fault("gis.fair_no_group", column="least", value=group))
        elif share is None:
            faults.append(Fault("gis.fair_least_of", column="least", value=value, detail={"group": group}))
        else:
            shares[int(group)] = share
    return shares


def _share(value: object) -> Fraction | None:
    """Return a share as the decimal it is written as, None where it is none."""
    try:
        share = value if isinstance(value, Fraction) else Fraction(str(value))
    except ValueError:  # not a number
        return None
    return share if 0 <= share <= 1 else None
