"""What may stand where: the rules of zoning that ship, or those with what a city's own file replaces."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from .rulebook import Clause, Compatibility, Judgement, Row, Verdict
from .rulebook_read import read_rules, shipped_rules

if TYPE_CHECKING:
    from pathlib import Path

    from .study import Study


@cache
def load_compatibility() -> Compatibility:
    """Return the rules that ship with the product.

    Examples
    --------
    >>> sorted(load_compatibility().refused_tenures), load_compatibility().relaxation.name
    (['private'], 'renewal')
    """
    return shipped_rules()


def compatibility_from(path: Path) -> Compatibility:
    """Return the rules with what a city's own file replaces.

    Parameters
    ----------
    path
        A .toml file in the form of ``layers/standards/compatibility.toml``, or a .csv or .xlsx table of its rows.

    Raises
    ------
    MissingFileError, InputError
        With all faults of the file: row, column, value.
    """
    return read_rules(path)


def compatibility_of(study: Study) -> Compatibility:
    """Return the rules of a study: those of the file that ``[zoning] rules`` names, else those that ship.

    Raises
    ------
    MissingFileError, InputError
        As `compatibility_from`.
    """
    named = study.settings.zoning.rules
    return load_compatibility() if named is None else compatibility_from(study.folder / named)


__all__ = [
    "Clause",
    "Compatibility",
    "Judgement",
    "Row",
    "Verdict",
    "compatibility_from",
    "compatibility_of",
    "load_compatibility",
]
