"""OSM files read in one pass: what streets need of ways, nodes and relations, by osmium's own line format.

The reader is compiled; asking it for every tag and node of every way from Python is not what it is fast at. So it
writes the few objects wanted as lines of text (OPL), which are taken apart here.
"""

from __future__ import annotations

import gc
import re
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..gis.errors import Fault, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from numpy.typing import NDArray

NOT_A_PLACE = 999.0
WAYS_AT_ONCE = 10_000
OPL = "opl,locations_on_ways=true,add_metadata=none"
NODES_APART = {ord("n"): None, ord("x"): " ", ord("y"): " ", ord(","): " "}


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation: id, tags, and its ways as (role, id)."""

    number: int
    tags: dict[str, str]
    ways: list[tuple[str, int]]


@dataclass(slots=True)
class Objects:
    """What a file holds of the objects asked for.

    Parameters
    ----------
    ways
        Way id → its nodes as OPL writes them (``n7x8.1y50.2,n9xy``: the second one's place is not known) and tags.
    nodes
        Node id → tags, longitude, latitude; those with a place only.
    relations
        Multipolygons.
    place_of
        Longitude and latitude of any node of the file; nothing where it lacks the node.
    box
        Bounds that the file states, if it does: west, south, east, north.
    """

    ways: dict[int, tuple[str, dict[str, str]]] = field(default_factory=dict)
    nodes: dict[int, tuple[dict[str, str], float, float]] = field(default_factory=dict)
    relations: list[Relation] = field(default_factory=list)
    place_of: Callable[[int], tuple[float, float] | None] = lambda _: None
    box: tuple[float, float, float, float] | None = None


def unreadable(path: Path, error: Exception) -> InputError:
    """Return the error for a file that is not OSM, or broken off."""
    message = f"{path} cannot be read as OSM: {error}"
    return InputError(
        message, Fault("streets.osm_unreadable", file=str(path), layer="streets", detail={"error": str(error)})
    )


def read_objects(path: Path, keys: Collection[str] = (), *, ways: Collection[int] | None = None) -> Objects:
    """Return the ways, nodes and multipolygons of a file that have one of the keys; or the ways asked for by id.

    Raises
    ------
    InputError
        When the file cannot be read as OSM.
    """
    import osmium  # noqa: PLC0415  slow to load, needed for OSM input only

    kinds = osmium.osm.NODE | osmium.osm.WAY | (osmium.osm.RELATION if ways is None else osmium.osm.NOTHING)
    found = Objects()
    try:
        passed = osmium.FileProcessor(str(path), kinds).with_locations()
        if ways is None:
            passed = passed.with_filter(osmium.filter.KeyFilter(*keys))
        else:
            passed = passed.with_filter(osmium.filter.EntityFilter(osmium.osm.WAY))
            passed = passed.with_filter(osmium.filter.IdFilter(ways))
        stated = passed.header.box()
        with tempfile.TemporaryDirectory() as folder:
            lines = Path(folder) / "found.opl"
            with osmium.SimpleWriter(osmium.io.File(str(lines), OPL)) as writer:
                add = writer.add
                for thing in passed:
                    add(thing)
            with lines.open(encoding="utf-8") as text, _nothing_collected():
                _take(text, found)
    except (RuntimeError, osmium.InvalidLocationError) as error:
        raise unreadable(path, error) from error
    found.place_of = _looked_up(passed.node_location_storage)
    if stated.valid():
        south_west, north_east = stated.bottom_left, stated.top_right
        found.box = (south_west.lon, south_west.lat, north_east.lon, north_east.lat)
    return found


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Pause the collection of garbage: it would go through all tags read so far again and again, and find none."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _looked_up(storage: Any) -> Callable[[int], tuple[float, float] | None]:  # noqa: ANN401  osmium's index
    """Return how to find the place of a node in an index."""

    def place_of(node: int) -> tuple[float, float] | None:
        try:
            place = storage.get(node)
        except KeyError:
            return None
        return (place.lon, place.lat) if place.valid() else None

    return place_of


def _take(text: Iterator[str], found: Objects) -> None:
    """Add the objects that lines of OPL tell of."""
    for line in text:
        # The kind and id, T and the tags, then N and the nodes, M and the members, or x and y.
        head, tagged, rest = line.rstrip("\n").split(" ", 2)
        kind, number, tags = head[0], int(head[1:]), tags_of(tagged[1:])
        if kind == "w":
            found.ways[number] = (rest[1:], tags)
        elif kind == "n":
            x, y = rest.split(" ")
            if len(x) > 1:
                found.nodes[number] = (tags, float(x[1:]), float(y[1:]))
        elif tags.get("type") == "multipolygon" and len(rest) > 1:
            members = [member.split("@") for member in rest[1:].split(",")]
            ways = [(_plain(role), int(member[1:])) for member, role in members if member[0] == "w"]
            found.relations.append(Relation(number, tags, ways))


def tags_of(text: str) -> dict[str, str]:
    """Return the tags that OPL writes as ``key=value,key=value``.

    Examples
    --------
    >>> tags_of("highway=steps,name=Rua%20%do%20%Sol"), tags_of("")
    ({'highway': 'steps', 'name': 'Rua do Sol'}, {})
    """
    if not text:
        return {}
    # A blank parts nothing, so it may be put back at once; it is what names are full of.
    text = text.replace("%20%", " ")
    pairs = (pair.partition("=")[::2] for pair in text.split(","))
    if "%" in text:
        return {_plain(key): _plain(value) for key, value in pairs}
    return dict(pairs)


def _plain(text: str) -> str:
    """Return text with OPL's codes (``%20%`` is a blank) as the characters they stand for."""
    return re.sub("%([0-9a-f]+)%", lambda code: chr(int(code[1], 16)), text) if "%" in text else text


def nodes_of(fields: list[str]) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Return the nodes of ways as OPL writes them: ids, longitude and latitude (NaN: not known), number by way.

    Examples
    --------
    >>> nodes_of(["n7x8.1y50.2,n9xy", "n12345678901x0y0"])
    (array([          7,           9, 12345678901]), array([[ 8.1, 50.2],
           [ nan,  nan],
           [ 0. ,  0. ]]), array([2, 1]))
    """
    counts = np.array([nodes.count("n") for nodes in fields], dtype=np.int64)
    ids, places = np.empty(int(counts.sum()), dtype=np.int64), np.empty((int(counts.sum()), 2))
    filled = 0
    # Some at a time: the text of a province in several forms at once would be most of the memory needed.
    for first in range(0, len(fields), WAYS_AT_ONCE):
        text = ",".join(nodes for nodes in fields[first : first + WAYS_AT_ONCE] if nodes)
        text = text.replace("xy", f"x{NOT_A_PLACE}y{NOT_A_PLACE}").translate(NODES_APART)
        # Ids stay below 2^53, so that they are exact as floating point numbers.
        numbers = np.fromstring(text, sep=" ").reshape(-1, 3)
        ids[filled : filled + len(numbers)] = numbers[:, 0]
        places[filled : filled + len(numbers)] = numbers[:, 1:]
        filled += len(numbers)
    places[places[:, 0] == NOT_A_PLACE] = np.nan
    return ids, places, counts
