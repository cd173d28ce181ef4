"""What forced candidates leave open: the columns still free, and the rows still without a site."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from .siting_reduce import Traced, pattern, traced

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from .siting_answer import Case

    Ints: TypeAlias = NDArray[np.int64]
    Bools: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Opened:
    """A covering problem without its forced candidates.

    Parameters
    ----------
    case
        The problem as given.
    into, out
        bool [candidates], forced in and out.
    met
        bool [demand], covered by what exists or by what is forced in.
    free
        int64 [k], the candidates that may be chosen beside the forced ones.
    cover
        csr_array int8 [demand, k] of ones, over those.
    """

    case: Case
    into: Bools
    out: Bools
    met: Bools
    free: Ints
    cover: csr_array

    @property
    def forced(self) -> Ints:
        """Return the candidates forced in."""
        return np.flatnonzero(self.into).astype(np.int64)

    @property
    def base(self) -> int:
        """Return the weight that the forced candidates cover newly."""
        return int(self.case.left[self.met].sum())

    def reduced(self) -> Traced:
        """Return the reduced problem; its candidates are places in ``free``."""
        case = self.case
        return traced(self.cover, np.where(self.met, 0, case.weight), np.where(self.met, 0, case.tie), keep=~self.met)


def opened(case: Case, into: Bools, out: Bools) -> Opened:
    """Return what is left to choose beside forced candidates.

    Parameters
    ----------
    case
        A maximal covering problem.
    into, out
        bool [candidates], forced in and out.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> from lifecircle.gis.siting_answer import Case
    >>> matrix = csr_array(np.array([[1, 1, 0], [0, 1, 1]], dtype=np.int8))
    >>> one, no = np.ones(2, dtype=np.int64), np.zeros(2, dtype=bool)
    >>> case = Case(matrix, matrix.tocsc(), one, one, no, np.zeros(3))
    >>> left = opened(case, np.array([True, False, False]), np.array([False, True, False]))
    >>> left.free.tolist(), left.met.tolist(), left.base
    ([2], [True, False], 1)
    """
    met = case.done | case.reached_by(np.flatnonzero(into).astype(np.int64))
    free = np.flatnonzero(~into & ~out).astype(np.int64)
    cover = pattern(case.matrix)
    return Opened(case, into, out, met, free, cover if len(free) == cover.shape[1] else cover[:, free])
