"""How a source is to be read and what comes of it: shared by the readers of all kinds of file."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..gis.errors import Fault, InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import geopandas as gpd

    from .study import Note
    from .table import Shape

UNPACKED_MOST, UNPACKED_RATIO = 1 << 28, 200
"""An archive that unpacks to more bytes than this, and to more than so many times its size, is refused."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What came out of one file.

    Parameters
    ----------
    frame
        Features in the file's own CRS; ``crs`` is None where the file states none.
    encoding
        Of its text, where that was in question.
    osm
        Whether it is an OSM extract.
    notes, warnings
        What the reader did or said.
    """

    frame: gpd.GeoDataFrame
    encoding: str | None = None
    osm: bool = False
    notes: tuple[Note, ...] = ()
    warnings: tuple[Fault, ...] = ()
    sha256: str | None = None
    """Of its content, where there is no file to take it from."""


@dataclass(frozen=True, slots=True)
class How:
    """How to read a file, beside its path: layer inside it, encoding, coordinate columns, OSM tags, shapes wanted."""

    layer: str | None = None
    layers: tuple[str, ...] = ()
    """Layers of a drawing to take; all where none is named."""
    prefer: str | None = None
    """Name of the layer to take where a file holds several and none is stated."""
    encoding: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    tags: Sequence[str] = ()
    shapes: Sequence[Shape] = ("Point", "LineString", "Polygon")


def unreadable(path: Path, error: Exception) -> InputError:
    """Return the error for a file that its reader refuses."""
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    reason = " ".join(said.split())[:200] or type(error).__name__
    message = f"cannot read {path}: {reason}"
    return InputError(message, Fault("faults.unreadable", file=str(path), detail={"reason": reason}))


def refuse_archive(path: Path) -> None:
    """Raise where a file that is a zip archive is none, or would unpack to far more than files of its kind do.

    Raises
    ------
    InputError
        As said.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(part.file_size for part in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError) as error:
        raise unreadable(path, error) from error
    if unpacked > max(UNPACKED_MOST, UNPACKED_RATIO * path.stat().st_size):
        message = f"{path} would unpack to {unpacked} bytes"
        detail = {"megabytes": round(unpacked / 1e6)}
        raise InputError(message, Fault("files.unpacks", file=str(path), detail=detail))


def refuse_entities(path: Path) -> None:
    """Raise where an XML file declares a document type: that is how a small file unfolds without end or reads others.

    Raises
    ------
    InputError
        As said.
    """
    with path.open("rb") as file:
        head = file.read(1 << 20).replace(b"\0", b"").upper()
    if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
        message = f"{path} declares a document type"
        raise InputError(message, Fault("files.entities", file=str(path)))
