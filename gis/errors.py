"""Every error of lifecircle: one root, each child also the builtin that callers already catch.

An error carries its faults as data (a code, where it happened, the offending value), so that the command line can say
the same thing in the user's language and all faults of an input can be reported together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_NOTHING: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with an input: what (a code of the text catalogue), where, and the value found.

    Parameters
    ----------
    code
        Key of the text that explains the fault and its mend, for example ``"faults.file_missing"``.
    file, layer, row, column
        Where it is; ``None`` where it does not apply. ``row`` is what a user can find again: an id or a row number.
    value
        The offending value, as read.
    detail
        What else the text needs.
    blocks
        False for something a user may want to mend although the work can go on.

    Examples
    --------
    >>> print(Fault("faults.negative", layer="compounds", row=7, column="households", value=-3))
    faults.negative (layer=compounds, row=7, column=households, value=-3)
    """

    code: str
    file: str | None = None
    layer: str | None = None
    row: int | str | None = None
    column: str | None = None
    value: object = None
    detail: Mapping[str, object] = field(default_factory=lambda: _NOTHING)
    blocks: bool = True

    def __str__(self) -> str:
        """Say the fault without a language: its code and where it is."""
        named = [(name, getattr(self, name)) for name in ("file", "layer", "row", "column", "value")]
        where = [f"{name}={value}" for name, value in [*named, *self.detail.items()] if value is not None]
        return f"{self.code} ({', '.join(where)})" if where else self.code


class LifecircleError(Exception):
    """Root of all errors that lifecircle raises on purpose.

    Parameters
    ----------
    message
        One English sentence for callers of the Python interface.
    faults
        The same as data; the command line prints these in the user's language. Empty where the message says all.

    Examples
    --------
    >>> raise InputError("households are negative", Fault("faults.negative", layer="compounds", row=7))
    Traceback (most recent call last):
    ...
    lifecircle.gis.errors.InputError: households are negative
    """

    def __init__(self, message: str, *faults: Fault) -> None:
        super().__init__(message)
        self.faults = faults


class InputError(LifecircleError, ValueError):
    """Something given by the user cannot be right; carries all faults that were found."""


class CrsError(InputError):
    """A coordinate reference system is missing, geographic where metres are needed, or differs from its partner's."""


class MissingFileError(InputError, FileNotFoundError):
    """A file that was named does not exist or cannot be opened."""


class OutputError(LifecircleError, OSError):
    """A result cannot be written where it was asked for."""


class TooLargeError(LifecircleError, MemoryError):
    """The run would need more memory than the machine has; nothing was started."""


class FetchError(LifecircleError, ConnectionError):
    """A service on the network did not answer, or answered with what cannot be used."""


class InfeasibleError(LifecircleError, ValueError):
    """No choice of sites can satisfy what was asked; the faults say which demand makes it so."""


class SolverError(LifecircleError, RuntimeError):
    """The solver ended without an answer that can be trusted."""
