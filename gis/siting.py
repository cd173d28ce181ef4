"""Where best: the sites that bring the most people within reach, with a proof of how good the answer is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .median_search import Effort
from .siting_answer import Siting, Status
from .siting_model import CoverModel

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["CoverModel", "Siting", "Status", "max_cover"]


def max_cover(
    reach: Any,  # noqa: ANN401  scipy's sparse matrices and arrays have no common type
    weights: ArrayLike,
    *,
    sites: int,
    covered: ArrayLike | None = None,
    tie_weights: ArrayLike | None = None,
    seconds: float = 60.0,
    gap: float = 0.0,
) -> Siting:
    """Choose sites that bring the most weight within reach, counting what is covered already once.

    Parameters
    ----------
    reach
        Sparse [demand, candidates]; a stored entry, a zero cost too, means within the limit. In a bool matrix only
        True counts.
    weights
        int64 [demand], people or another group; whole and not negative.
    sites
        How many may be chosen.
    covered
        bool [demand], within reach of an existing facility.
    tie_weights
        int64 [demand], for example elders: among equal choices the one that covers more, then lower indices.
    seconds
        Time for the proof.
    gap
        Relative gap at which the proof may stop.

    Returns
    -------
    Siting

    Raises
    ------
    InputError
        For missing, negative or broken weights, no weight at all, fewer than 1 or more sites than candidates, shapes
        that differ; all faults together.
    InfeasibleError
        When there are no candidates.

    Notes
    -----
    Maximal covering location problem: Church, R. & ReVelle, C. (1974), Papers of the Regional Science Association 32.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.sparse import csr_array
    >>> reach = csr_array(np.array([[1, 1, 0], [0, 1, 0], [0, 0, 1]], dtype=bool))
    >>> print(max_cover(reach, [10, 20, 25], sites=1))
    1 sites cover 30 more, at most 30 are possible (optimal)
    >>> max_cover(reach, [10, 20, 25], sites=2).chosen.tolist()
    [1, 2]
    """
    model = CoverModel(reach, weights, covered=covered, tie_weights=tie_weights, sites=sites)
    return model.solve(sites=sites, effort=Effort(seconds=seconds, gap=gap))
