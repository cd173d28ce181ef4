"""One wish made ready for a model: weights, who is covered, the candidates that fit, what each costs and holds."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..gis.coverage import within
from ..gis.errors import Fault, InputError
from .offers import pick

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from .offers import Kept, Offer
    from .settings import WishSection

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

NAMED = 5
"""So many ids are named in the sentence of an error."""


@dataclass(frozen=True, slots=True)
class Case:
    """A wish with what its model needs; rows are the places where people live.

    Parameters
    ----------
    wish, offer
        What is wanted, and what there is.
    measure
        The group that is to be reached.
    fits
        int64 [candidates], rows of ``offer.places`` that may be chosen.
    reach
        csr_array [homes, candidates] of walks within the limit.
    weights, tie
        int64 [homes], of the group, and of whom ties go to.
    covered, known
        bool [homes], within the limit of what stands; and with a walk that is known at all.
    must
        int64, candidates that are chosen whatever they bring.
    barred
        int64, rows of ``offer.places`` that are not chosen on request; they are no candidates.
    """

    wish: WishSection
    offer: Offer
    measure: str
    fits: Ints
    reach: csr_array
    weights: Ints
    tie: Ints
    covered: Bools
    known: Bools
    must: Ints
    barred: Ints

    @property
    def homes(self) -> int:
        """Return the number of places where people live."""
        return len(self.weights)

    @property
    def site_ids(self) -> list[str]:
        """Return the ids of the candidates."""
        return [str(name) for name in self.offer.places["site_id"].to_numpy()[self.fits]]

    @property
    def site_names(self) -> list[str]:
        """Return the names of the candidates, ids where they have none."""
        names = self.offer.places["name"].to_numpy()[self.fits]
        return [str(name) or one for name, one in zip(names, self.site_ids, strict=True)]


def case_of(kept: Kept, wish: WishSection, measure: str, taken: frozenset[str], near: Floats | None = None) -> Case:
    """Return a wish made ready.

    Parameters
    ----------
    kept
        People and offers.
    wish
        Of a class that there is an offer for.
    measure
        A group that is known.
    taken
        Ids of sites that carry something else already.
    near
        float64 [demand], walk to sites that were proposed for the class before.

    Raises
    ------
    InputError
        For ids of ``must`` and ``bar`` that are no candidates, and of ``must`` that do not fit or are taken.
    """
    offer, residents = kept.offers[wish.facility_class], kept.residents
    places = offer.places
    free = ~places["site_id"].isin(list(taken)).to_numpy()
    usable = (places["fits"].to_numpy() == 1) & free
    must, barred = _fixed(wish, offer, usable, taken)
    usable[barred] = False
    fits = np.flatnonzero(usable).astype(np.int64)
    homes = residents.lived_in
    tie = "people" if measure == "elders_60" or "elders_60" not in residents.counts else "elders_60"
    covered = offer.covered if near is None else offer.covered | within(near, offer.limit)
    return Case(
        wish=wish,
        offer=offer,
        measure=measure,
        fits=fits,
        reach=rows_of(pick(offer.reach, columns=fits, limit=offer.limit), int(homes.sum())),
        weights=np.asarray(residents.counts[measure], dtype=np.int64)[homes],
        tie=np.asarray(residents.counts[tie], dtype=np.int64)[homes],
        covered=covered[homes],
        known=residents.known[homes],
        must=np.searchsorted(fits, must).astype(np.int64),
        barred=barred,
    )


def rows_of(matrix: csr_array, count: int) -> csr_array:
    """Return the first rows of a matrix; stored zeros stay."""
    ends = matrix.indptr[: count + 1]
    return type(matrix)((matrix.data[: ends[-1]], matrix.indices[: ends[-1]], ends), shape=(count, matrix.shape[1]))


def _fixed(wish: WishSection, offer: Offer, usable: Bools, taken: frozenset[str]) -> tuple[Ints, Ints]:
    """Return the rows of ``must`` and ``bar`` among the places, or say all that is wrong with them."""
    faults: list[Fault] = []
    found: dict[str, list[int]] = {"must": [], "bar": []}
    for key, asked in (("must", wish.must), ("bar", wish.bar)):
        for name in asked:
            row = row_of(offer.places, "site_id", name)
            where = {"facility_class": wish.facility_class, "setting": key}
            if row is None:
                faults.append(_unknown(offer.places["site_id"].tolist(), name, where))
            elif key == "must" and not usable[row]:
                reason = "taken" if str(offer.places["site_id"][row]) in taken else str(offer.places["reason"][row])
                faults.append(Fault("siting.must_unfit", detail={**where, "given": name, "reasons": reason}))
            else:
                found[key].append(row)
    both = sorted({*found["must"]} & {*found["bar"]})
    faults += [
        Fault(
            "siting.must_barred", detail={"facility_class": wish.facility_class, "given": offer.places["site_id"][row]}
        )
        for row in both
    ]
    if faults:
        message = f"{wish.facility_class}: {'; '.join(map(str, faults))}"
        raise InputError(message, *faults)
    return np.array(sorted({*found["must"]}), dtype=np.int64), np.array(sorted({*found["bar"]}), dtype=np.int64)


def stand_rows(offer: Offer, asked: Sequence[str], setting: str) -> Ints:
    """Return the rows of facilities that stand, by id or by a name that only one of them has.

    Raises
    ------
    InputError
        For those that are not among them.
    """
    rows, faults = [], []
    for name in asked:
        row = row_of(offer.stand, "facility_id", name)
        if row is None:
            where = {"facility_class": offer.facility_class, "setting": setting}
            faults.append(_unknown(offer.stand["facility_id"].tolist(), name, where))
        else:
            rows.append(row)
    if faults:
        message = f"{offer.facility_class}: {'; '.join(map(str, faults))}"
        raise InputError(message, *faults)
    return np.array(sorted(set(rows)), dtype=np.int64)


def left_open(case: Case, closed: Ints) -> Bools:
    """Return who is within the limit of what stands when some of it is closed, bool [homes]."""
    open_rows = np.setdiff1d(np.arange(len(case.offer.stand)), closed)
    walks = rows_of(pick(case.offer.stand_reach, columns=open_rows, limit=case.offer.limit), case.homes)
    return np.asarray(np.diff(walks.indptr) > 0, dtype=np.bool_)


def row_of(table: pd.DataFrame, key: str, name: str) -> int | None:
    """Return the row of an id, or of a name that one row alone has; None where there is none."""
    for column in (key, "name"):
        rows = np.flatnonzero((table[column] == name).to_numpy())
        if len(rows) == 1 or (len(rows) and column == key):
            return int(rows[0])
    return None


def _unknown(known: Sequence[str], name: str, where: Mapping[str, object]) -> Fault:
    """Return the fault of an id that is not there."""
    near = difflib.get_close_matches(name, [str(one) for one in known], n=1)
    code = "siting.id_unknown_near" if near else "siting.id_unknown"
    return Fault(code, detail={"given": name, **where, **({"near": near[0]} if near else {})})


def costs_of(case: Case, *, needed: bool) -> Floats | None:
    """Return what each candidate costs in yuan: what its land states, else what the wish says.

    Parameters
    ----------
    case
        The wish.
    needed
        Whether every candidate must have a cost; else ``None`` where one has none.

    Raises
    ------
    InputError
        When one has none, where they are needed.
    """
    wish, places = case.wish, case.offer.places
    costs = places["cost_yuan"].to_numpy(dtype=np.float64)[case.fits].copy()
    if wish.cost_yuan is not None:
        costs = np.where(np.isnan(costs), wish.cost_yuan, costs)
    if wish.cost_yuan_per_m2 is not None:
        least = case.offer.floor_m2_least
        floor = np.full(len(costs), least) if not np.isnan(least) else floors_of(case)
        costs = np.where(np.isnan(costs), wish.cost_yuan_per_m2 * floor, costs)
    lacks = np.flatnonzero(np.isnan(costs))
    if not len(lacks):
        return costs
    if needed:
        raise _lacking("siting.cost_unknown", case, lacks)
    return None


def floors_of(case: Case) -> Floats:
    """Return the floor area of each candidate: its own, else what fits under the controls; NaN where not known."""
    places = case.offer.places
    own, built = (places[name].to_numpy(dtype=np.float64)[case.fits] for name in ("floor_area_m2", "floor_fits_m2"))
    return np.where(np.isnan(own), built, own)


def capacities_of(case: Case) -> Floats:
    """Return how many places each candidate would have; NaN where neither floor area nor m² a place is known."""
    m2 = case.wish.m2_per_place
    if m2 is None:
        fits = case.offer.places["capacity_fits"].to_numpy(dtype=np.float64)[case.fits]
        return np.where(np.isnan(fits), np.floor(floors_of(case) / case.offer.m2_per_place), fits)
    return np.floor(floors_of(case) / m2)


def room_of(case: Case) -> tuple[Ints, Ints]:
    """Return for how many people there is room at what stands, and at each candidate.

    Raises
    ------
    InputError
        Where it is not known: nobody's places are guessed.
    """
    wish, offer = case.wish, case.offer
    stand = offer.stand["capacity"].to_numpy(dtype=np.float64).copy()
    if wish.places_unknown is not None:
        stand = np.where(np.isnan(stand), wish.places_unknown, stand)
    new = capacities_of(case)
    faults: list[Fault] = []
    lacks = np.flatnonzero(np.isnan(stand))
    if len(lacks):
        ids = offer.stand["facility_id"].to_numpy()[lacks].tolist()
        faults.append(_named("siting.stand_unknown", offer.facility_class, ids))
    lacks = np.flatnonzero(np.isnan(new))
    if len(lacks):
        faults.append(_named("siting.places_unknown", offer.facility_class, [case.site_ids[row] for row in lacks]))
    if faults:
        message = f"{offer.facility_class}: {'; '.join(map(str, faults))}"
        raise InputError(message, *faults)
    each = 1000.0 / wish.places_per_1000 if wish.places_per_1000 is not None else 1.0
    return np.floor(stand * each).astype(np.int64), np.floor(new * each).astype(np.int64)


def _lacking(code: str, case: Case, rows: Ints) -> InputError:
    """Return the error of candidates that lack a figure."""
    fault = _named(code, case.offer.facility_class, [case.site_ids[row] for row in rows])
    return InputError(f"{case.offer.facility_class}: {fault}", fault)


def _named(code: str, facility_class: str, ids: Sequence[object]) -> Fault:
    """Return a fault that names some ids and counts all."""
    named = ", ".join(str(one) for one in ids[:NAMED]) + (" …" if len(ids) > NAMED else "")
    return Fault(code, detail={"given": len(ids), "facility_class": facility_class, "named": named})
