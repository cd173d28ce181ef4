"""What several classes on shared land are given, checked: all faults of all classes together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from .errors import Fault, InfeasibleError
from .money import gathered, refuse
from .packed import common_scale, fits_exactly, loosened
from .siting_answer import Case
from .siting_check import LARGEST, as_csr
from .siting_cover_check import check_cover, check_sites
from .siting_reduce import pattern

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from .several import ClassProblem

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class CheckedClass:
    """One class, checked.

    Parameters
    ----------
    case
        Its covering problem.
    sites, factor
        How many may be chosen, and by how much each of its weights counts, as a whole number.
    plot
        int64 [candidates], the plot of each as a place in the sorted land ids of all classes.
    need
        float64 [candidates], what each takes of its plot.
    into, out
        bool [candidates], forced in, and not to be chosen, for lack of floor area too.
    """

    case: Case
    sites: int
    factor: int
    plot: Ints
    need: Floats
    into: Bools
    out: Bools


@dataclass(frozen=True, slots=True)
class Checked:
    """All classes, checked.

    Parameters
    ----------
    classes
        By name, in the order given.
    land, room
        int64 [plots] ids, sorted, and float64 [plots], what each has room for, to rounding.
    unit
        What a joint weight of 1 is worth.
    """

    classes: dict[str, CheckedClass]
    land: Ints
    room: Floats
    unit: float


@dataclass(slots=True)
class _Raw:
    """A class while it is checked."""

    case: Case
    land: Ints
    floor: Floats | None
    into: Bools
    out: Bools


def check_several(
    problems: Mapping[str, ClassProblem], *, combined: bool, land_floor_m2: Mapping[int, float] | None
) -> Checked:
    """Return the checked classes, or report all that is wrong together.

    Parameters
    ----------
    problems, combined, land_floor_m2
        As for `several.cover_several`.

    Raises
    ------
    InputError
        All faults together; a fault of one class has its name as ``layer``.
    InfeasibleError
        When a class has no candidates, and nothing else is wrong.

    Examples
    --------
    >>> check_several({}, combined=False, land_floor_m2=None)
    Traceback (most recent call last):
    ...
    lifecircle.gis.errors.InputError: the sites cannot be chosen: gis.siting_no_classes
    """
    faults: list[Fault] = [] if problems else [Fault("gis.siting_no_classes")]
    if combined and land_floor_m2 is None:
        faults.append(Fault("gis.siting_floor_missing", column="land_floor_m2"))
    raw: dict[str, _Raw | None] = {}
    barren: list[Fault] = []
    for name, problem in problems.items():
        own: list[Fault] = []
        try:
            one = _check_class(problem, own)
        except InfeasibleError as error:
            barren.extend(replace(fault, layer=name) for fault in error.faults)
            continue
        if land_floor_m2 is not None and problem.floor_m2 is None:
            own.append(Fault("gis.siting_floor_need", column="floor_m2"))
        faults.extend(replace(fault, layer=name) for fault in own)
        raw[name] = one
    if not faults and barren:
        message = f"there are no candidates to choose from: {', '.join(str(fault.layer) for fault in barren)}"
        raise InfeasibleError(message, *barren)
    faults += barren
    scaled = common_scale([float(one.priority) for one in problems.values()]) if not faults else None
    if not faults and scaled is None:
        faults.append(Fault("gis.siting_decimals", column="priority"))
    refuse(faults)
    assert scaled is not None  # noqa: S101  refused above
    checked = _joined(problems, {name: one for name, one in raw.items() if one}, scaled[0], combined, land_floor_m2)
    return replace(checked, unit=float(scaled[1]))


def whole_number(value: float, name: str, faults: list[Fault], *, row: int | None = None) -> bool:
    """Say whether a number is whole, or add to the faults that it is not."""
    plain = float(value)
    if np.isfinite(plain) and plain == np.floor(plain):
        return True
    faults.append(Fault("gis.siting_whole", row=row, column=name, value=plain))
    return False


def _check_class(problem: ClassProblem, faults: list[Fault]) -> _Raw | None:
    """Return a class as arrays, None where something is wrong with it."""
    with gathered(faults):
        matrix = as_csr(problem.reach)
    if faults:
        return None
    candidates = int(matrix.shape[1])
    priority = float(problem.priority)
    if not (np.isfinite(priority) and priority > 0):
        faults.append(Fault("gis.siting_priority", column="priority", value=priority))
    parts: tuple[Ints, Ints, Bools, Floats] | None = None
    with gathered(faults):
        parts = check_cover(
            matrix,
            problem.weights,
            tie_weights=problem.tie_weights,
            covered=problem.covered,
            site_costs=problem.site_costs,
        )
    into = out = np.zeros(candidates, dtype=np.bool_)
    if whole_number(problem.sites, "sites", faults):
        with gathered(faults):
            into, out = check_sites(int(problem.sites), problem.must, problem.barred, candidates)
    land = _land_ids(problem.land, candidates, faults)
    floor = _areas(problem.floor_m2, candidates, faults)
    if faults or parts is None:
        return None
    case = Case(matrix, pattern(matrix).tocsc(), *parts)
    return _Raw(case, land, floor, into, out)


def _land_ids(land: ArrayLike, candidates: int, faults: list[Fault]) -> Ints:
    """Return whole land ids of 0 or more, or add what is wrong to the faults."""
    ids = np.asarray(land)
    if ids.shape != (candidates,):
        faults.append(Fault("gis.siting_shape", column="land", value=ids.size, detail={"wanted": candidates}))
        return np.zeros(candidates, dtype=np.int64)
    plain = ids.astype(np.float64)
    bad = np.flatnonzero(~(np.isfinite(plain) & (plain >= 0) & (plain == np.floor(plain)) & (plain < LARGEST)))
    if len(bad):
        row = int(bad[0])
        faults.append(Fault("gis.siting_land", row=row, column="land", value=plain[row], detail={"count": len(bad)}))
        return np.zeros(candidates, dtype=np.int64)
    return ids.astype(np.int64)


def _areas(floor: ArrayLike | None, candidates: int, faults: list[Fault]) -> Floats | None:
    """Return the floor area each candidate needs, one number for all or one each."""
    if floor is None:
        return None
    areas = np.asarray(floor, dtype=np.float64)
    if areas.shape not in {(), (candidates,)}:
        faults.append(Fault("gis.siting_shape", column="floor_m2", value=areas.size, detail={"wanted": candidates}))
        return None
    areas = np.broadcast_to(areas, (candidates,)).astype(np.float64)
    bad = np.flatnonzero(~(np.isfinite(areas) & (areas >= 0)))
    if len(bad):
        row = int(bad[0])
        detail = {"count": len(bad)}
        faults.append(Fault("gis.siting_floor", row=row, column="floor_m2", value=float(areas[row]), detail=detail))
        return None
    return areas


def _joined(
    problems: Mapping[str, ClassProblem],
    raw: dict[str, _Raw],
    factors: list[int],
    combined: bool,  # noqa: FBT001  as given
    land_floor_m2: Mapping[int, float] | None,
) -> Checked:
    """Return the classes with their plots, and refuse what the land cannot hold."""
    faults: list[Fault] = []
    land = np.unique(np.concatenate([one.land for one in raw.values()]))
    floors = None if land_floor_m2 is None else _land_floors(land, land_floor_m2, faults)
    refuse(faults)
    room = loosened(floors) if combined and floors is not None else np.ones(len(land))
    classes = {}
    taken = np.zeros(len(land))
    for (name, one), factor in zip(raw.items(), factors, strict=True):
        plot = np.searchsorted(land, one.land).astype(np.int64)
        need, out = np.ones(len(plot)), one.out
        if floors is not None and one.floor is not None:
            out = out | (one.floor > loosened(floors)[plot])
            if combined:
                need = one.floor
            if out.all():
                widest = float(floors[plot[~one.out]].max())
                needed = float(one.floor[~one.out].min())
                detail = {"needed": f"{needed:.15g}", "largest": f"{widest:.15g}"}
                faults.append(Fault("gis.siting_floor_small", layer=name, value=widest, detail=detail))
        np.add.at(taken, plot[one.into], need[one.into])
        faults.extend(
            Fault("gis.siting_must_land", layer=name, column="must", value=int(candidate))
            for candidate in np.flatnonzero(one.into & out)
        )
        sites = int(problems[name].sites)
        classes[name] = CheckedClass(one.case, sites, factor, plot, need, one.into, out)
    faults.extend(Fault("gis.siting_must_room", column="land", value=int(one)) for one in land[taken > room])
    total = sum(one.factor * int((one.case.weight + one.case.tie).sum()) for one in classes.values())
    if not fits_exactly(total):
        faults.append(Fault("gis.siting_decimals", column="priority"))
    refuse(faults)
    return Checked(classes, land, room, 1.0)


def _land_floors(land: Ints, land_floor_m2: Mapping[int, float], faults: list[Fault]) -> Floats:
    """Return the floor area of each plot, or add what is wrong to the faults."""
    floors = np.array([float(land_floor_m2.get(one, np.nan)) for one in land.tolist()], dtype=np.float64)
    missing = [one for one in land.tolist() if one not in land_floor_m2]
    if missing:
        detail = {"count": len(missing)}
        faults.append(Fault("gis.siting_floor_unknown", column="land_floor_m2", value=missing[0], detail=detail))
    known = np.array([one in land_floor_m2 for one in land.tolist()], dtype=np.bool_)
    bad = np.flatnonzero(known & ~(np.isfinite(floors) & (floors >= 0)))
    if len(bad):
        row, detail = int(land[bad[0]]), {"count": len(bad)}
        value = float(floors[bad[0]])
        faults.append(Fault("gis.siting_floor", row=row, column="land_floor_m2", value=value, detail=detail))
    return floors
