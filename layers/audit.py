"""What is wrong with a study and what was read: the content of ``lifecircle check``."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from .contracts import CONTRACTS
from .headings import guess_columns
from .load import examine
from .named import ring_faults
from .study import no_repairs
from .words import candidates_of, explain, say

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd

    from ..gis.errors import Fault
    from .gather import Row
    from .study import Note
    from .words import Language


@dataclass(frozen=True, slots=True)
class Audit:
    """All faults of a study, a row for each of its files, and what was assumed or mended."""

    faults: tuple[Fault, ...]
    rows: tuple[Row, ...]
    notes: tuple[Note, ...]
    repairs: pd.DataFrame = field(default_factory=no_repairs)
    """What was changed of geometries: columns of `lifecircle.layers.study.REPAIRS`."""

    @property
    def blocked(self) -> bool:
        """Whether a fault forbids to plan with the study."""
        return any(fault.blocks for fault in self.faults)

    def as_data(self, language: Language) -> dict[str, object]:
        """Return the audit as plain data for JSON: each fault with its code, its place and its text."""
        return {
            "blocked": self.blocked,
            "faults": [
                {
                    "code": fault.code,
                    "blocks": fault.blocks,
                    "file": fault.file,
                    "layer": fault.layer,
                    "row": fault.row,
                    "column": fault.column,
                    "value": None if fault.value is None else str(fault.value),
                    "text": explain(fault, language),
                    "candidates": [dict(candidate.detail) for candidate in candidates_of(fault)],
                }
                for fault in self.faults
            ],
            "files": [
                {
                    "layer": row.layer,
                    "file": row.file,
                    "rows_in": row.rows_in,
                    "rows_kept": row.rows_kept,
                    "datum": row.datum,
                    "encoding": row.encoding,
                    "columns": dict(row.columns),
                    "unused": list(row.unused),
                    "proposed": guesses(row),
                    "fit": None if row.fit is None else asdict(row.fit),
                }
                for row in self.rows
            ],
            "repairs": self.repairs.to_dict("records"),
            "notes": [say(note.code, language, **note.detail) for note in self.notes],
        }


def guesses(row: Row) -> dict[str, str]:
    """Return columns of a file that may be the product's, for the user to judge: product column → file column."""
    if row.layer not in CONTRACTS or not row.unused:
        return {}
    return guess_columns(row.unused, CONTRACTS[row.layer], found=row.columns)


def audit(path: Path | str, *, progress: Callable[[str], None] | None = None) -> Audit:
    """Read all inputs of a study and return every fault of them at once.

    Parameters
    ----------
    path
        A study.toml, or the folder that holds one.
    progress
        Called with the name of each layer before it is read.

    Raises
    ------
    InputError
        When study.toml itself cannot be read, so that no layer can be looked at.
    """
    examined = examine(path, progress=progress, fits=True)
    study = examined.study
    if study is not None and study.osm and "ring_lines" not in study.layers:
        return Audit((*examined.faults, *ring_faults(study)), examined.rows, examined.notes, examined.repairs)
    return Audit(examined.faults, examined.rows, examined.notes, examined.repairs)
