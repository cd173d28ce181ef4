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

_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks: Excel saves "Unicode text" as UTF-16."""

_GBK_DRIVER = 0x4D
"""Language driver in the head of a dBase table that means code page 936."""

LEAST_SIGNS, COMMON_SHARE, SURE_SHARE = 8, 0.5, 0.8
"""From so many Chinese characters on a text is judged by the share that is in daily use: below the first share it is
doubtful, from the second on it is surely Chinese."""

_CHINESE_CODE_PAGES = frozenset(
    {"936", "cp936", "gbk", "gb2312", "gb18030", "ansi 936", "euc-cn", "hz-gb-2312", "chinese"}
)


def codec_of(name: str) -> str | None:
    """Return Python's codec for how files name an encoding; None when there is none. All Chinese ones read as GB18030.

    Examples
    --------
    >>> codec_of("936"), codec_of("UTF-8"), codec_of("1252"), codec_of("88591"), codec_of("no such")
    ('gb18030', 'utf-8', 'cp1252', 'iso8859-1', None)
    """
    plain = name.strip().lower()
    if plain in _CHINESE_CODE_PAGES:
        return "gb18030"
    number = plain.removeprefix("ansi ").removeprefix("oem ").removeprefix("windows-").removeprefix("cp")
    for guess in (plain, f"cp{number}", f"iso8859-{number[4:].strip(' -')}" if number.startswith("8859") else plain):
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
    marked = next((codec for mark, codec in _MARKS if data.startswith(mark)), None)
    candidates = (_stated(encoding, file),) if encoding is not None else (marked,) if marked else CANDIDATES
    for candidate in candidates:
        try:
            return data.decode(candidate).removeprefix("\ufeff"), candidate
        except UnicodeDecodeError:
            continue
    message = f"{file} is in none of {', '.join(candidates)}"
    raise InputError(message, Fault("faults.encoding", file=file, detail={"tried": ", ".join(candidates)}))


def common_share(text: str) -> tuple[float, int]:
    """Return the share of a text's characters beyond ASCII that are Chinese ones of daily use, and how many there are.

    Daily use is level 1 of GB 2312, 3755 characters, with Chinese punctuation. What was decoded by the wrong table has
    few of them.

    Examples
    --------
    >>> common_share("展览路街道"), common_share("展览路街道办".encode().decode("gb18030"))[0] < 0.5
    ((1.0, 5), True)
    """
    signs = [sign for sign in text if ord(sign) > 0x7F]
    common = 0
    for sign in signs:
        data = sign.encode("gb2312", errors="ignore")
        common += len(data) == 2 and (0xB0 <= data[0] <= 0xD7 or 0xA1 <= data[0] <= 0xA3)
    return (common / len(signs) if signs else 1.0), len(signs)


def doubts(text: str, codec: str, file: str) -> list[Fault]:
    """Return a warning where a text decoded as Chinese hardly reads like any."""
    share, count = common_share(text)
    if codec == "gb18030" and count >= LEAST_SIGNS and share < COMMON_SHARE:
        sample = next((word for word in text.split() if not word.isascii()), "")[:12]
        return [Fault("files.encoding_doubtful", file=file, value=sample, detail={"encoding": codec}, blocks=False)]
    return []


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
    driver: int = 0
    """Language driver of the table's head."""

    def fits(self, codec: str) -> bool:
        """Tell whether every name and value decodes; a last character cut by the field's width is forgiven."""
        return all(decode_cut(text, codec) is not None for text in (*self.names, *self.values))

    def decoded(self, codec: str) -> str:
        """Return all that is not ASCII, decoded, one word a line."""
        words = (text for text in (*self.names, *self.values) if not text.isascii())
        return "\n".join(decode_cut(text, codec) or "" for text in sorted(words))


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
    return DbfText(tuple(names), tuple(values), data[29])


@dataclass(frozen=True, slots=True)
class FoundText:
    """The encoding of a shapefile's table, and by what it was decided: ``stated``, ``cpg`` or ``bytes``."""

    codec: str
    by: str
    overruled: str | None = None
    """What the .cpg says, where the bytes say otherwise."""
    text: str = ""
    """All that is not ASCII, decoded."""

    def doubts(self, file: str) -> list[Fault]:
        """Return warnings: a .cpg that is wrong, a text that hardly reads like one."""
        found = doubts(self.text, self.codec, file)
        if self.overruled is not None:
            detail = {"encoding": self.codec}
            found.append(Fault("files.cpg_wrong", file=file, value=self.overruled, detail=detail, blocks=False))
        return found


def shapefile_text(path: Path, *, encoding: str | None = None) -> FoundText:
    """Decide the encoding of a shapefile's table on all its bytes.

    What the study states counts first. Then the .cpg, unless the bytes speak against it: it does not decode them all,
    or they are UTF-8 with Chinese in it (which text of another encoding practically never is), or it names a Western
    code page (which decodes anything) and the text is Chinese of daily use in GB18030. Then UTF-8, then GB18030.

    Parameters
    ----------
    path
        The .shp; .dbf and .cpg beside it are looked at.
    encoding
        What the study states.

    Raises
    ------
    InputError
        When no candidate decodes the whole table.
    """
    if encoding is not None:
        return FoundText(_stated(encoding, str(path)), "stated")
    table = beside(path, ".dbf")
    if table is None:
        return FoundText("utf-8", "bytes")
    text = dbf_text(table)
    stated = beside(path, ".cpg")
    said = stated.read_text(encoding="latin-1").strip()[:40] if stated is not None else None
    codec = codec_of(said) if said is not None else None
    if codec is not None and text.fits(codec) and not _spoken_against(text, codec):
        return FoundText(codec, "cpg", text=text.decoded(codec))
    for candidate in _candidates(text):
        if text.fits(candidate):
            wrong = said if codec is not None and candidate != codec else None
            return FoundText(candidate, "bytes", wrong, text.decoded(candidate))
    message = f"{table} is in none of {', '.join(CANDIDATES)}"
    raise InputError(message, Fault("faults.encoding", file=str(table), detail={"tried": ", ".join(CANDIDATES)}))


def _candidates(text: DbfText) -> tuple[str, ...]:
    """Return what to try: GB18030 first where the table's head names it and UTF-8 would give no Chinese."""
    if text.driver == _GBK_DRIVER and text.fits("utf-8") and not _chinese_utf8(text):
        return CANDIDATES[::-1]
    return CANDIDATES


def _chinese_utf8(text: DbfText) -> bool:
    """Tell whether a table is UTF-8 with characters of three bytes, as Chinese ones have."""
    return text.fits("utf-8") and any(ord(sign) > 0x7FF for sign in text.decoded("utf-8"))


def _spoken_against(text: DbfText, codec: str) -> bool:
    """Tell whether the bytes of a table cannot be what its .cpg says, although that decodes them."""
    if codec != "utf-8" and _chinese_utf8(text):
        return True
    western = codec.startswith(("cp125", "cp437", "cp850", "iso8859", "latin"))
    if not western or not text.fits("gb18030"):
        return False
    share, count = common_share(text.decoded("gb18030"))
    return count > 1 and share >= SURE_SHARE


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
