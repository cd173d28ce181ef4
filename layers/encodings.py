"""Which encoding a text file or a shapefile is in: what is stated, then UTF-8, then GB18030, decided on the bytes."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..gis.errors import Fault, InputError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

CANDIDATES: tuple[str, ...] = ("utf-8", "gb18030")
"""Tried in this order: Chinese text in GB18030 is practically never valid UTF-8, while the reverse happens."""

_CHINESE_CODE_PAGES = frozenset(
    {"936", "cp936", "gbk", "gb2312", "gb18030", "ansi 936", "euc-cn", "hz-gb-2312", "chinese"}
)


def codec_of(name: str) -> str | None:
    """Return Python's codec for how files name an encoding; None when there is none. All Chinese ones read as GB18030.

    Examples
    --------
    >>> codec_of("936"), codec_of("UTF-8"), codec_of("1252"), codec_of("no such")
    ('gb18030', 'utf-8', 'cp1252', None)
    """
    plain = name.strip().lower()
    if plain in _CHINESE_CODE_PAGES:
        return "gb18030"
    number = plain.removeprefix("ansi ").removeprefix("oem ").removeprefix("windows-").removeprefix("cp")
    for guess in (plain, f"cp{number}", f"iso{number}" if number.startswith("8859") else plain):
        try:
            return codecs.lookup(guess).name
        except LookupError:
            continue
    return None


def decode_text(data: bytes, *, file: str, encoding: str | None = None) -> tuple[str, str]:
    """Decode a whole text file and say in which encoding it was.

    Parameters
    ----------
    data
        The file's bytes.
    file
        Its name, for the fault.
    encoding
        What the study states; nothing else is tried then.

    Raises
    ------
    InputError
        When the stated encoding is unknown, or no candidate decodes every byte.

    Examples
    --------
    >>> decode_text("名称".encode("gbk"), file="a.csv")
    ('名称', 'gb18030')
    """
    candidates = CANDIDATES if encoding is None else (_stated(encoding, file),)
    for candidate in candidates:
        try:
            return data.decode(candidate).removeprefix("\ufeff"), candidate
        except UnicodeDecodeError:
            continue
    message = f"{file} is in none of {', '.join(candidates)}"
    raise InputError(message, Fault("faults.encoding", file=file, detail={"tried": ", ".join(candidates)}))


def _stated(encoding: str, file: str) -> str:
    """Return the codec of an encoding that the user stated."""
    codec = codec_of(encoding)
    if codec is None:
        message = f"unknown encoding {encoding!r}"
        raise InputError(message, Fault("faults.encoding_unknown", file=file, value=encoding))
    return codec


@dataclass(frozen=True, slots=True)
class DbfText:
    """The text of a shapefile's table as bytes: field names, and the distinct values of its text fields."""

    names: tuple[bytes, ...]
    values: tuple[bytes, ...]

    def fits(self, codec: str) -> bool:
        """Tell whether every name and value decodes; a last character cut by the field's width is forgiven."""
        return all(decode_cut(text, codec) is not None for text in (*self.names, *self.values))


def decode_cut(text: bytes, codec: str) -> str | None:
    """Decode bytes whose last character may be cut off by a field's width; None when they are not in that encoding.

    Examples
    --------
    >>> decode_cut("名称".encode()[:5], "utf-8"), decode_cut("名称".encode("gbk"), "utf-8")
    ('名', None)
    """
    decoder = codecs.getincrementaldecoder(codec)("strict")
    try:
        return decoder.decode(text, final=False)
    except UnicodeDecodeError:
        return None


def dbf_text(path: Path) -> DbfText:
    """Read names and text values of a .dbf as bytes, the whole table.

    Raises
    ------
    InputError
        When the file is no dBase table.
    """
    data = path.read_bytes()
    head, width = int.from_bytes(data[8:10], "little"), int.from_bytes(data[10:12], "little")
    if len(data) < 33 or head < 33 or width < 1 or head > len(data):
        message = f"not a dBase table: {path}"
        raise InputError(message, Fault("faults.unreadable", file=str(path), detail={"reason": "dbf"}))
    rows = min(int.from_bytes(data[4:8], "little"), (len(data) - head) // width)
    table = np.frombuffer(data, dtype=np.uint8, count=rows * width, offset=head).reshape(rows, width)
    names: list[bytes] = []
    values: set[bytes] = set()
    start = 1
    for field in range(32, head - 1, 32):
        if data[field : field + 1] == b"\r":
            break
        names.append(data[field : field + 11].split(b"\0")[0])
        kind, length = data[field + 11 : field + 12], data[field + 16]
        if kind == b"C":
            cells = np.ascontiguousarray(table[:, start : start + length])
            values.update(bytes(cell).strip(b" \0") for cell in set(map(bytes, cells)))
        start += length
    return DbfText(tuple(names), tuple(values))


def shapefile_encoding(path: Path, *, encoding: str | None = None) -> tuple[str, str]:
    """Decide the encoding of a shapefile's table, and say by what: ``stated``, ``cpg`` or ``bytes``.

    Parameters
    ----------
    path
        The .shp; .dbf and .cpg beside it are looked at.
    encoding
        What the study states, which counts first.

    Raises
    ------
    InputError
        When no candidate decodes the whole table.
    """
    if encoding is not None:
        return _stated(encoding, str(path)), "stated"
    table = beside(path, ".dbf")
    if table is None:
        return "utf-8", "bytes"
    text = dbf_text(table)
    stated = beside(path, ".cpg")
    codec = codec_of(stated.read_text(encoding="latin-1")) if stated is not None else None
    if codec is not None and text.fits(codec):
        return codec, "cpg"
    for candidate in CANDIDATES:
        if text.fits(candidate):
            return candidate, "bytes"
    message = f"{table} is in none of {', '.join(CANDIDATES)}"
    raise InputError(message, Fault("faults.encoding", file=str(table), detail={"tried": ", ".join(CANDIDATES)}))


def beside(path: Path, suffix: str) -> Path | None:
    """Return the file of the same name with another suffix, in small or capital letters, if there is one."""
    found = (path.with_suffix(ending) for ending in (suffix, suffix.upper()))
    return next((file for file in found if file.is_file()), None)


def redecode(texts: Iterable[object], codec: str) -> list[object]:
    """Return texts that were read byte for byte (as Latin-1) in their true encoding; what is no text stays.

    Examples
    --------
    >>> redecode(["名称".encode("gbk").decode("latin-1"), None], "gb18030")
    ['名称', None]
    """
    known: dict[str, str] = {}
    out: list[object] = []
    for text in texts:
        if isinstance(text, str):
            if text not in known:
                data = text.encode("latin-1", errors="replace")
                cut = decode_cut(data, codec)
                known[text] = cut if cut is not None else data.decode(codec, errors="replace")
            out.append(known[text])
        else:
            out.append(text)
    return out
