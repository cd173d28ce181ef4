"""Where what is missing should go: for each wish the best sites among the candidates, with bound, gap and reasons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from ..gis.errors import Fault, InfeasibleError, SolverError
from .offers import nearest_of, pick
from .proposal_rows import joined, site_rows, siting_row, table_of, unreachable_rows
from .siting_case import case_of
from .siting_features import curve_rows
from .siting_models import check_far, choose
from .siting_together import choose_together
from .study import Note
from .wishes import wished

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

    from .offers import Kept
    from .settings import SitingSection, WishSection
    from .siting_case import Case
    from .siting_choice import Choice

_NOBODY = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Proposals:
    """Proposed sites of all classes.

    Parameters
    ----------
    sites
        Columns of ``LAYERS["sites"]`` and a point each, class by class, in the order of people added.
    siting, curve, unreachable
        The tables of the findings of those names.
    after
        Facility class → float64 [demand], walk to the nearest proposed site.
    closed
        Classes of which facilities are to be closed: their ``after`` holds the walks to what stays open, too.
    notes
        What was assumed or could not be done.
    warnings
        Why a wish has no answer.
    """

    sites: gpd.GeoDataFrame
    siting: pd.DataFrame
    curve: pd.DataFrame
    unreachable: pd.DataFrame
    after: Mapping[str, NDArray[np.float64]]
    closed: frozenset[str]
    notes: tuple[Note, ...]
    warnings: tuple[Fault, ...]


def propose(kept: Kept, siting: SitingSection, sited: Sequence[str], *, strict: bool = False) -> Proposals:
    """Return the best sites for each wish, one wish after the other; a site that is taken is not offered again.

    Demand that existing facilities cover is taken out first. A class with no data in the source gets no sites: nobody
    knows who is covered already.

    Parameters
    ----------
    kept
        People and offers.
    siting
        Wishes, time and gap.
    sited
        Classes that sites are looked for when nothing is wished for.
    strict
        Raise where a wish has no answer, instead of a warning.

    Raises
    ------
    InputError
        For settings that cannot be honoured by what is kept.
    InfeasibleError
        With ``strict``, where a wish has no answer.
    """
    wishes, asked = wished(siting, sited)
    notes, warnings = list(asked), list[Fault]()
    if siting.together is None:
        solved, carries = _one_by_one(kept, siting, wishes, notes, warnings, strict=strict)
    else:
        solved, carries = _all_at_once(kept, siting, wishes, notes, warnings, strict=strict)
    rows = [site_rows(case, choice, kept, own) for (case, choice), own in zip(solved, carries, strict=True)]
    notes += [_closed_note(case, choice) for case, choice in solved if _closes(choice)]
    curved = [case for case, choice in solved if _curved(case, choice)]
    return Proposals(
        sites=joined(rows, kept.crs),
        siting=table_of("siting", [siting_row(case, choice, kept) for case, choice in solved]),
        curve=table_of("curve", [row for case in curved for row in curve_rows(case, siting)]),
        unreachable=table_of("unreachable", [row for case, _ in solved for row in unreachable_rows(case, kept)]),
        after=_after(solved),
        closed=frozenset(case.offer.facility_class for case, choice in solved if _closes(choice)),
        notes=tuple(notes),
        warnings=tuple(warnings),
    )


Solved: TypeAlias = "tuple[list[tuple[Case, Choice]], Sequence[list[str] | None]]"
"""Wishes with their answers, and for each the classes that its sites carry, where that is more than its own."""


def _one_by_one(
    kept: Kept,
    siting: SitingSection,
    wishes: Sequence[WishSection],
    notes: list[Note],
    warnings: list[Fault],
    *,
    strict: bool,
) -> Solved:
    """Answer one wish after the other; a site that is taken is not offered again."""
    taken: frozenset[str] = frozenset()
    solved: list[tuple[Case, Choice]] = []
    for wish in wishes:
        case = _case(kept, wish, (taken, _after(solved)), notes)
        if case is None:
            continue
        try:
            choice = choose(case, siting, kept)
        except (InfeasibleError, SolverError) as error:
            if strict or not error.faults:
                raise
            notes.append(Note("proposals.no_answer", {"facility_class": wish.facility_class}))
            warnings += error.faults
            continue
        solved.append((case, choice))
        taken |= {case.site_ids[site] for site in choice.chosen.tolist()}
    return solved, [None] * len(solved)


def _all_at_once(
    kept: Kept,
    siting: SitingSection,
    wishes: Sequence[WishSection],
    notes: list[Note],
    warnings: list[Fault],
    *,
    strict: bool,
) -> Solved:
    """Answer all wishes at once on the land that they share."""
    cases = [case for wish in wishes if (case := _case(kept, wish, (frozenset(), {}), notes)) is not None]
    if not cases:
        return [], []
    try:
        return choose_together(cases, siting)
    except (InfeasibleError, SolverError) as error:
        if strict or not error.faults:
            raise
        named = ", ".join(case.wish.facility_class for case in cases)
        notes.append(Note("proposals.no_answer", {"facility_class": named}))
        warnings += error.faults
        return [], []


def _curved(case: Case, choice: Choice) -> bool:
    """Tell whether a wish gets a curve: plain maximal covering and budgets do, unless it wants none."""
    return case.wish.model in ("max_cover", "budgeted") and choice.model is None and case.wish.curve != 0


def _case(
    kept: Kept, wish: WishSection, earlier: tuple[frozenset[str], Mapping[str, NDArray[np.float64]]], notes: list[Note]
) -> Case | None:
    """Return a wish made ready, or nothing with a note that says why; ``earlier``: sites taken, and walks to them."""
    named = {"facility_class": wish.facility_class}
    offer = kept.offers.get(wish.facility_class)
    if offer is None:
        notes.append(Note("proposals.no_rule", named))
        return None
    if not offer.has_data:
        notes.append(Note("proposals.no_data", named))
        return None
    measure = wish.weight or offer.group
    if not kept.residents.counts.get(measure, _NOBODY).any():
        notes.append(Note("proposals.weight_unknown", {**named, "measure": measure}))
        measure = "people"
    case = case_of(kept, wish, measure, earlier[0], earlier[1].get(wish.facility_class))
    if not len(case.fits):
        notes.append(Note("proposals.no_candidates", named))
        return None
    if wish.sites is not None and len(case.fits) < wish.sites:
        notes.append(Note("proposals.few_candidates", {**named, "wanted": wish.sites, "fits": len(case.fits)}))
    check_far(case)
    return case


def _after(solved: Sequence[tuple[Case, Choice]]) -> dict[str, NDArray[np.float64]]:
    """Return for each class everybody's walk to the nearest site proposed for it."""
    walks: dict[str, NDArray[np.float64]] = {}
    for case, choice in solved:
        offer = case.offer
        walk = nearest_of(pick(offer.reach, columns=case.fits[choice.chosen]))
        if choice.closed is not None and _closes(choice):
            stays = np.setdiff1d(np.arange(len(offer.stand)), choice.closed)
            walk = np.minimum(walk, nearest_of(pick(offer.stand_reach, columns=stays)))
        earlier = walks.get(offer.facility_class)
        walks[offer.facility_class] = walk if earlier is None else np.minimum(earlier, walk)
    return walks


def _closed_note(case: Case, choice: Choice) -> Note:
    """Name the facilities that are closed for the sites of a wish."""
    stand = case.offer.stand.iloc[choice.closed] if choice.closed is not None else case.offer.stand.head(0)
    names = [str(name) or str(key) for name, key in zip(stand["name"], stand["facility_id"], strict=True)]
    detail = {"facility_class": case.offer.facility_class, "count": len(names), "names": ", ".join(names)}
    return Note("proposals.closed", detail)


def _closes(choice: Choice) -> bool:
    """Tell whether something that stands is to be closed."""
    return choice.closed is not None and len(choice.closed) > 0
