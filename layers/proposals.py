"""Where what is missing should go: for each wish the best sites among the candidates, with bound, gap and reasons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from ..gis.coverage import within
from ..gis.reach import reach
from ..gis.siting import Siting, max_cover
from .findings import LAYERS, TABLES
from .settings import WishSection
from .study import Note
from .walks import some, with_proposed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray
    from scipy.sparse import csc_matrix

    from ..gis.snap import Positions
    from .residents import Residents, Walks
    from .settings import SitingSection
    from .standards import Rule
    from .walks import Walk

_NOBODY = np.zeros(0, dtype=np.int64)
SITES_UNASKED = 5
"""How many sites of each class are proposed when the study wishes for none: a first look, said in the notes."""


@dataclass(frozen=True, slots=True)
class Proposals:
    """Proposed sites of all classes.

    Parameters
    ----------
    sites
        Columns of ``LAYERS["sites"]`` and a point each, class by class, in the order of people added.
    siting
        Columns of ``TABLES["siting"]``: one row a wish.
    walks
        Facility class → its walks, those of sited classes with the walk to the proposed sites.
    notes
        What was assumed or could not be done.
    """

    sites: gpd.GeoDataFrame
    siting: pd.DataFrame
    walks: dict[str, Walks]
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class _Case:
    """One wish with what it needs: rule, weight, candidates and who they reach."""

    wish: WishSection
    rule: Rule
    measure: str
    candidates: gpd.GeoDataFrame
    positions: Positions
    columns: csc_matrix[np.float64]
    covered: NDArray[np.bool_]
    site_cut: NDArray[np.bool_]


def wishes_of(siting: SitingSection, rules: Iterable[Rule]) -> tuple[tuple[WishSection, ...], tuple[Note, ...]]:
    """Return what is wished for: the study's wishes, else a few sites of each class that the standard sites."""
    if siting.wish:
        return tuple(siting.wish), ()
    sited = [rule.facility_class for rule in rules if rule.sited]
    wishes = tuple(WishSection(facility_class=name, sites=SITES_UNASKED) for name in sited)
    return wishes, (Note("proposals.unasked", {"sites": SITES_UNASKED}),)


def propose(
    walk: Walk,
    residents: Residents,
    demand: Positions,
    rules: Sequence[Rule],
    walks: dict[str, Walks],
    candidates: tuple[gpd.GeoDataFrame, Positions],
    siting: SitingSection,
) -> Proposals:
    """Return the best sites for each wish, one wish after the other; a site that is taken is not offered again.

    Demand that existing facilities cover is taken out first. A class with no data in the source gets no sites: nobody
    knows who is covered already.

    Parameters
    ----------
    walk
        Network and walker.
    residents, demand
        Who lives where, and their positions.
    rules
        Rules with a limit, in the order of the standard.
    walks
        What exists, by class.
    candidates
        Frame with columns of ``LAYERS["candidates"]`` and ``ring_id``, a row for each site and class, and positions.
    siting
        Wishes, time and gap.
    """
    wishes, asked = wishes_of(siting, rules)
    notes = list(asked)
    by_class = {rule.facility_class: rule for rule in rules}
    found = dict(walks)
    taken: set[str] = set()
    frames: list[gpd.GeoDataFrame] = []
    rows: list[dict[str, object]] = []
    for wish in wishes:
        case = _case(wish, by_class, (walk, residents, demand), found, candidates, taken, notes)
        if case is None:
            continue
        answer = _solve(case, residents, siting)
        chosen = np.zeros(len(case.candidates), dtype=bool)
        chosen[answer.chosen] = True
        found[wish.facility_class] = with_proposed(
            walk, found[wish.facility_class], demand, some(case.positions, chosen)
        )
        taken |= set(case.candidates["site_id"].to_numpy()[answer.chosen])
        frames.append(_site_rows(case, answer, residents))
        rows.append(_siting_row(case, answer, residents, found[wish.facility_class]))
    return Proposals(
        _joined(frames, candidates[0]), pd.DataFrame(rows, columns=list(TABLES["siting"])), found, tuple(notes)
    )


def _case(
    wish: WishSection,
    rules: dict[str, Rule],
    people: tuple[Walk, Residents, Positions],
    walks: dict[str, Walks],
    candidates: tuple[gpd.GeoDataFrame, Positions],
    taken: set[str],
    notes: list[Note],
) -> _Case | None:
    """Return a wish made ready, or nothing with a note that says why."""
    walk, residents, demand = people
    frame, positions = candidates
    named = {"facility_class": wish.facility_class}
    rule = rules.get(wish.facility_class)
    if rule is None:
        notes.append(Note("proposals.no_rule", named))
        return None
    if not walks[wish.facility_class].has_data:
        notes.append(Note("proposals.no_data", named))
        return None
    free = ~frame["site_id"].isin(taken).to_numpy()
    on_street = np.zeros(len(frame), dtype=bool)
    on_street[positions.owner] = True
    usable = (
        (frame["facility_class"] == wish.facility_class).to_numpy()
        & frame["fits"].to_numpy(dtype=bool)
        & free
        & on_street
    )
    if not usable.any():
        notes.append(Note("proposals.no_candidates", named))
        return None
    if usable.sum() < wish.sites:
        notes.append(Note("proposals.few_candidates", {**named, "wanted": wish.sites, "fits": int(usable.sum())}))
    measure = wish.weight or rule.group
    if not residents.counts.get(measure, _NOBODY).any():
        notes.append(Note("proposals.weight_unknown", {**named, "measure": measure}))
        measure = "people"
    places = some(positions, usable)
    homes = residents.lived_in
    reached = reach(walk.network, demand=some(demand, homes), sites=places, limit=walk.limit(rule), walker=walk.walker)
    covered = within(walks[wish.facility_class].cost[homes], walk.limit(rule))
    fitting = frame[usable].reset_index(drop=True)
    return _Case(wish, rule, measure, fitting, places, reached.matrix.tocsc(), covered, reached.site_cut)


def _solve(case: _Case, residents: Residents, siting: SitingSection) -> Siting:
    """Return the answer to a wish; ties go to more elders, then to the lower candidate."""
    tie = "people" if case.measure == "elders_60" or "elders_60" not in residents.counts else "elders_60"
    return max_cover(
        case.columns,
        residents.counts[case.measure][residents.lived_in],
        sites=min(case.wish.sites, len(case.candidates)),
        covered=case.covered,
        tie_weights=residents.counts[tie][residents.lived_in],
        seconds=siting.seconds,
        gap=siting.gap,
    )


def _site_rows(case: _Case, answer: Siting, residents: Residents) -> gpd.GeoDataFrame:
    """Return the chosen sites of a wish with what each adds and its runner-up."""
    chosen = case.candidates.iloc[answer.chosen].reset_index(drop=True)
    names = np.array([*case.candidates["name"], None], dtype=object)
    has_runner_up = answer.runner_up >= 0
    added = {measure: _added(case, answer, residents, measure) for measure in ("people", "elders_60")}
    columns = {
        "site_id": chosen["site_id"],
        "facility_class": case.wish.facility_class,
        "rank": np.arange(1, len(chosen) + 1),
        "name": chosen["name"],
        "kind": chosen["kind"],
        "ring_id": chosen["ring_id"],
        "area_m2": chosen["area_m2"],
        "floor_area_m2": chosen["floor_area_m2"],
        "weight": case.measure,
        "added": answer.added,
        "people_added": added["people"],
        "elders_added": added["elders_60"],
        "served": answer.served,
        "only_here": answer.only_here,
        "needs_rezoning": (chosen["zoning"] == "rezoning").astype("boolean").where(chosen["zoning"] != "unknown"),
        "runner_up": names[answer.runner_up],
        "runner_up_loses": pd.Series(answer.runner_up_loses, dtype="Int64").where(has_runner_up),
        "edge_cut": case.site_cut[answer.chosen],
    }
    points = chosen.geometry.representative_point()
    frame = gpd.GeoDataFrame(columns, geometry=points, crs=case.candidates.crs)
    return gpd.GeoDataFrame(frame.reindex(columns=[*LAYERS["sites"], "geometry"]))


def _added(case: _Case, answer: Siting, residents: Residents, measure: str) -> pd.Series:
    """Return how many of a group each site newly covers at its step; NA where the group is not known."""
    if measure not in residents.counts:
        return pd.Series(pd.NA, index=range(len(answer.chosen)), dtype="Int64")
    weights = residents.counts[measure][residents.lived_in]
    left = ~case.covered
    added = []
    for site in answer.chosen.tolist():
        here = case.columns.indices[case.columns.indptr[site] : case.columns.indptr[site + 1]]
        new = here[left[here]]
        added.append(int(weights[new].sum()))
        left[new] = False
    return pd.Series(added, dtype="Int64")


def _siting_row(case: _Case, answer: Siting, residents: Residents, walks: Walks) -> dict[str, object]:
    """Return the row of a wish: what was asked, what was found, how good it is."""
    weights = residents.counts[case.measure]
    before = int(weights[within(walks.cost, walks.limit)].sum())
    return {
        "facility_class": case.wish.facility_class,
        "weight": case.measure,
        "wanted": case.wish.sites,
        "chosen": len(answer.chosen),
        "candidates": len(case.candidates),
        "total": int(weights.sum()),
        "covered_before": before,
        "covered_after": before + answer.objective,
        "objective": answer.objective,
        "bound": answer.bound,
        "gap": answer.gap,
        "status": answer.status,
    }


def _joined(frames: list[gpd.GeoDataFrame], like: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the sites of all wishes, an empty frame with the right columns where there are none."""
    filled = [frame for frame in frames if len(frame)]
    if not filled:
        columns = {name: pd.Series(dtype=object) for name in LAYERS["sites"]}
        return gpd.GeoDataFrame(columns, geometry=gpd.GeoSeries([], crs=like.crs), crs=like.crs)
    joined = pd.concat(filled, ignore_index=True)
    return gpd.GeoDataFrame(joined, geometry="geometry", crs=like.crs)
