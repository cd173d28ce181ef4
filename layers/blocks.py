"""Tables made of blocks of columns: quicker than frames that are joined, where there are thousands of small ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Block: TypeAlias = "dict[str, Any]"
"""Column → array, or one value that fills the block."""


def stacked(blocks: Sequence[Block], names: Sequence[str]) -> pd.DataFrame:
    """Return blocks of columns one below the other as one frame; single values fill their block.

    Examples
    --------
    >>> stacked([{"a": np.array([1, 2]), "b": "x"}, {"a": np.array([3]), "b": "y"}], ["a", "b"]).to_numpy().tolist()
    [[1, 'x'], [2, 'x'], [3, 'y']]
    """
    columns: dict[str, list[NDArray[Any]]] = {name: [] for name in names}
    for block in blocks:
        count = max((len(value) for value in block.values() if isinstance(value, np.ndarray)), default=0)
        for name in names:
            value = block[name]
            if not isinstance(value, np.ndarray):
                value = np.full(count, value, dtype=object if isinstance(value, str) else None)
            columns[name].append(value)
    if not blocks:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in names})
    return pd.DataFrame({name: np.concatenate(values) for name, values in columns.items()})
