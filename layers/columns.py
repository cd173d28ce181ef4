"""Columns of tables as arrays, where a column may be absent and a value missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray


def floats(frame: pd.DataFrame, column: str) -> NDArray[np.float64]:
    """Return a column as numbers, NaN where it is absent, missing or no number.

    Examples
    --------
    >>> floats(pd.DataFrame({"a": ["1", None, "x"]}), "a").tolist(), floats(pd.DataFrame({"a": [1]}), "b").tolist()
    ([1.0, nan, nan], [nan])
    """
    if column not in frame.columns:
        return np.full(len(frame), np.nan)
    return pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)


def texts(frame: pd.DataFrame, column: str) -> list[str]:
    """Return a column as texts without spaces around them, empty where it is absent or missing.

    Examples
    --------
    >>> texts(pd.DataFrame({"a": [" x", None, 7]}), "a"), texts(pd.DataFrame({"a": [1]}), "b")
    (['x', '', '7'], [''])
    """
    if column not in frame.columns:
        return [""] * len(frame)
    return [
        "" if missing else str(value).strip()
        for value, missing in zip(frame[column], frame[column].isna(), strict=True)
    ]


def labels(values: list[str]) -> pd.Series[str]:
    """Return texts as a column whose empty values are missing.

    Examples
    --------
    >>> labels(["a", ""]).isna().tolist()
    [False, True]
    """
    return pd.Series([value or None for value in values], dtype="str")


def picked(frame: pd.DataFrame, column: str, row: NDArray[np.int64]) -> pd.Series[str]:
    """Return a column's texts at some rows, missing where the row is -1; a frame without the column is numbered from 1.

    Examples
    --------
    >>> picked(pd.DataFrame({"a": ["x", "y"]}), "a", np.array([1, -1])).tolist()
    ['y', nan]
    """
    given = texts(frame, column) if column in frame.columns else [str(number) for number in range(1, len(frame) + 1)]
    return labels([given[position] if position >= 0 else "" for position in row.tolist()])
