"""What a first study.toml can propose beyond names and columns: datums by their fit, tables to join, CAD layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..gis.errors import InputError
from .contracts import CONTRACTS
from .files import TABLE, read_source
from .joined import join_table
from .load import candidates_by_file
from .reading import How
from .settings import JoinSection, StudySettings
from .tables import plain_table
from .words import candidates_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from ..gis.errors import Fault
    from .survey import Found
    from .table import Contract

NO_PLACE = "init.unused_no_place"
"""Why a table without coordinates stands for no layer of its own."""
JOINED = ("districts", "compounds", "buildings", "parcels", "projects")
"""Layers whose figures often stand in a table of their own, in the order they are tried."""
JOINED_SHARE = 0.5
"""Share of a layer's features that a table must name to be proposed for it."""


@dataclass(frozen=True, slots=True)
class Joining:
    """A table proposed for a layer's file, and how many of its features it names."""

    table: Found
    count: int


def datums_by_fit(settings: StudySettings, folder: Path) -> Mapping[tuple[str, str], tuple[Fault, ...]]:
    """Return by layer and path what coordinates may be of which no file states the datum, best fit first.

    Nothing is decided by it: the lines are proposed to the user, who knows where the file comes from.
    """
    try:
        asked = candidates_by_file(settings, folder)
    except InputError:  # whatever it is, `lifecircle check` says it
        return {}
    return {(str(fault.layer), str(fault.file)): candidates_of(fault) for fault in asked}


def tables_to_join(chosen: Mapping[str, Sequence[Found]], left: Sequence[Found]) -> dict[int, Joining]:
    """Return tables without coordinates whose rows name the features of a layer, by the ``id`` of that layer's file.

    Parameters
    ----------
    chosen
        The files used, by layer.
    left
        The files that are not used.
    """
    found: dict[int, Joining] = {}
    for table in left:
        if table.reason != NO_PLACE or table.path.suffix.lower() not in TABLE:
            continue
        try:
            rows, _ = plain_table(table.path, How(layer=table.sublayer))
        except InputError:
            continue
        best: tuple[float, int, Found] | None = None
        for layer in JOINED:
            for part in chosen.get(layer, ()):
                share, count = _named_by(part, CONTRACTS[layer], rows)
                if id(part) not in found and share >= JOINED_SHARE and (best is None or share > best[0]):
                    best = share, count, part
        if best is not None:
            found[id(best[2])] = Joining(table, best[1])
    return found


def _named_by(part: Found, contract: Contract, rows: pd.DataFrame) -> tuple[float, int]:
    """Return the share and number of a file's features that a table names and has figures of; 0 where it has none."""
    how = How(layer=part.sublayer, layers=part.cad_layers, shapes=contract.shapes)
    try:
        frame = read_source(part.path, how).frame
    except InputError:
        return 0.0, 0
    joined = join_table(frame, rows, contract, JoinSection(path=part.path.name), part.columns)
    new = [name for name in joined.frame.columns if name not in frame.columns]
    if not new or any(fault.blocks for fault in joined.faults):
        return 0.0, 0
    count = int(joined.frame[new].notna().any(axis=1).sum())
    return count / max(len(frame), 1), count
