"""What a plan by phases is given, checked: all faults together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from .errors import Fault
from .money import as_units, check_budget, gathered, refuse
from .packed import common_scale, fits_exactly
from .siting_answer import Case
from .siting_check import as_csr
from .siting_cover_check import check_cover, check_sites
from .siting_reduce import pattern

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Ints: TypeAlias = NDArray[np.int64]
    Floats: TypeAlias = NDArray[np.float64]
    Bools: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a plan by phases, as given.

    Parameters
    ----------
    phases, budgets
        New sites, or money, of each phase; one of the two.
    year_weights
        By how much what is covered after each phase counts; 1 each unless given.
    must, barred
        Candidates that are built, in some phase or in the phase given, and that are not built.
    """

    phases: Sequence[int] | None = None
    budgets: Sequence[float] | None = None
    year_weights: Sequence[float] | None = None
    must: Sequence[int] | Mapping[int, int] = ()
    barred: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Checked:
    """A plan by phases, checked.

    Parameters
    ----------
    case
        The covering problem.
    size, limit
        float64 [candidates] and [phases], whole numbers: 1 for each site and how many, or units of cost.
    years, unit
        What each phase counts as whole numbers, and what one of them is worth.
    built
        int64 [candidates], the phase in which it must be built, `ANY` in any, `FREE` where it need not be.
    out
        bool [candidates], barred.
    """

    case: Case
    size: Floats
    limit: Floats
    years: list[int]
    unit: float
    built: Ints
    out: Bools


FREE, ANY = -2, -1


def check_phased(
    reach: Any,  # noqa: ANN401  scipy's sparse matrices and arrays have no common type
    weights: ArrayLike,
    asked: Asked,
    *,
    covered: ArrayLike | None,
    tie_weights: ArrayLike | None,
    site_costs: ArrayLike | None,
) -> Checked:
    """Return the checked plan, or report all that is wrong together.

    Raises
    ------
    InputError
        All faults together; a fault of one phase has its number, from 0, as ``row``.
    InfeasibleError
        When there are no candidates.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> check_phased(csr_array(np.eye(2)), [1, 1], Asked(), covered=None, tie_weights=None, site_costs=None)
    Traceback (most recent call last):
    ...
    lifecircle.gis.errors.InputError: the sites cannot be chosen: gis.siting_phases
    """
    faults: list[Fault] = []
    matrix = as_csr(reach)
    candidates = int(matrix.shape[1])
    parts: tuple[Ints, Ints, Bools, Floats] | None = None
    with gathered(faults):
        parts = check_cover(matrix, weights, tie_weights=tie_weights, covered=covered, site_costs=site_costs)
    counts = _counts(asked, faults)
    into = out = np.zeros(candidates, dtype=np.bool_)
    sites = sum(counts) if counts else max(1, candidates - len(set(asked.barred)))  # money is no limit to their number
    with gathered(faults):
        into, out = check_sites(sites, list(asked.must), asked.barred, candidates)
    number = len(counts if counts is not None else asked.budgets if asked.budgets is not None else ())
    scaled = common_scale(_years(asked, number, faults))
    if scaled is None:
        faults.append(Fault("gis.siting_decimals", column="year_weights"))
    built = _built(asked.must, number, candidates, faults)
    size, limit = np.ones(candidates), np.array(counts or [], dtype=np.float64)
    if asked.phases is None and asked.budgets is not None and number:
        if site_costs is None:
            faults.append(Fault("gis.siting_budget_costs", column="site_costs"))
        elif parts is not None:
            size, limit = _money(asked.budgets, parts[3], ~out, faults)
    refuse(faults)
    assert parts is not None  # noqa: S101  refused above
    assert scaled is not None  # noqa: S101  refused above
    years, unit = scaled
    fixed = np.bincount(built[built >= 0], size[built >= 0], minlength=number)
    dear = into & (size > limit.max())
    for phase in np.flatnonzero(fixed > limit):
        here = built == phase
        asked_for = int(here.sum()) if counts else float(parts[3][here].sum())
        faults.append(Fault("gis.siting_must_phases", row=int(phase), column="must", value=asked_for))
    faults += [Fault("gis.siting_must_phases", column="must", value=int(one)) for one in np.flatnonzero(dear)]
    if not fits_exactly(sum(years) * int((parts[0] + parts[1]).sum())):
        faults.append(Fault("gis.siting_decimals", column="year_weights"))
    refuse(faults)
    return Checked(Case(matrix, pattern(matrix).tocsc(), *parts), size, limit, years, float(unit), built, out)


def _counts(asked: Asked, faults: list[Fault]) -> list[int] | None:
    """Return the new sites of each phase, None for a plan by budgets or where they are broken."""
    if (asked.phases is None) == (asked.budgets is None):
        faults.append(Fault("gis.siting_phases"))
        return None
    given = asked.phases if asked.phases is not None else asked.budgets
    if given is not None and not len(given):
        faults.append(Fault("gis.siting_phase_none"))
        return None
    if asked.phases is None:
        return None
    broken = False
    for phase, one in enumerate(asked.phases):
        plain = float(one)
        if not np.isfinite(plain) or plain != np.floor(plain):
            faults.append(Fault("gis.siting_whole", row=phase, column="phases", value=plain))
            broken = True
        elif plain < 1:
            faults.append(Fault("gis.siting_phase_sites", row=phase, column="phases", value=int(plain)))
            broken = True
    return None if broken else [int(one) for one in asked.phases]


def _years(asked: Asked, number: int, faults: list[Fault]) -> list[float]:
    """Return what each phase counts."""
    if asked.year_weights is None or not number:
        return [1.0] * max(number, 1)
    years = [float(one) for one in asked.year_weights]
    if len(years) != number:
        faults.append(Fault("gis.siting_shape", column="year_weights", value=len(years), detail={"wanted": number}))
        return [1.0]
    bad = [phase for phase, one in enumerate(years) if not (np.isfinite(one) and one > 0)]
    faults.extend(Fault("gis.siting_year_weight", row=one, column="year_weights", value=years[one]) for one in bad)
    return [1.0] if bad else years


def _built(must: Sequence[int] | Mapping[int, int], number: int, candidates: int, faults: list[Fault]) -> Ints:
    """Return the phase in which each candidate must be built."""
    built = np.full(candidates, FREE, dtype=np.int64)
    for one in must:
        if one != int(one) or not 0 <= one < candidates:
            continue  # named already
        phase = must[one] if isinstance(must, Mapping) else ANY
        if phase != ANY and (phase != int(phase) or not 0 <= phase < number):
            faults.append(Fault("gis.siting_phase", column="must", value=phase, detail={"phases": number}))
            continue
        built[int(one)] = int(phase)
    return built


def _money(budgets: Sequence[float], costs: Floats, usable: Bools, faults: list[Fault]) -> tuple[Floats, Floats]:
    """Return costs and budgets in whole units, or add what is wrong with the budgets."""
    known, limits = len(faults), []
    size = np.zeros(len(costs))
    for phase, budget in enumerate(budgets):
        faults.extend(replace(fault, row=phase) for fault in check_budget(float(budget), costs, usable))
        if len(faults) == known:
            units, most = as_units(costs, float(budget))
            size = units.astype(np.float64)
            limits.append(float(most))
    return size, np.array(limits)
