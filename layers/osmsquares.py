"""Squares in OSM files that are mapped as relations: their outlines as ways, with what nobody crosses in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from ..gis.errors import Fault, InputError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

Ways: TypeAlias = "dict[int, tuple[list[int], dict[str, str]]]"
"""Way id → nodes and tags. Outlines of relations have negative ids."""

RINGS_OF_RELATION = 1000


def unreadable(path: Path, error: Exception) -> InputError:
    """Return the error for a file that is not OSM, or broken off."""
    message = f"{path} cannot be read as OSM: {error}"
    return InputError(
        message, Fault("streets.osm_unreadable", file=str(path), layer="streets", detail={"error": str(error)})
    )


def read_squares(path: Path, ways: Ways) -> dict[int, list[int]]:
    """Add the outlines of a file's square relations to the ways; return outline → outlines inside it.

    Relations that the file holds in part only are passed over where a ring does not close.

    Raises
    ------
    InputError
        When the file cannot be read as OSM.
    """
    import osmium  # noqa: PLC0415  slow to load, needed for OSM input only

    squares: list[tuple[int, dict[str, str], list[int], list[int]]] = []
    refs: dict[int, list[int]] = {}
    try:
        relation: Any  # the reader's types do not say which objects come
        found = osmium.FileProcessor(str(path), osmium.osm.RELATION).with_filter(osmium.filter.KeyFilter("highway"))
        for relation in found:
            tags = {tag.k: tag.v for tag in relation.tags}
            if tags.get("type") == "multipolygon":
                members = [(member.role, member.ref) for member in relation.members if member.type == "w"]
                outer = [ref for role, ref in members if role != "inner"]
                squares.append((relation.id, tags, outer, [ref for role, ref in members if role == "inner"]))
        wanted = {ref for _, _, outer, inner in squares for ref in (*outer, *inner)}
        if wanted:
            way: Any
            for way in osmium.FileProcessor(str(path), osmium.osm.WAY).with_filter(osmium.filter.IdFilter(wanted)):
                refs[way.id] = [node.ref for node in way.nodes]
    except RuntimeError as error:
        raise unreadable(path, error) from error
    holes: dict[int, list[int]] = {}
    for number, tags, outer, inner in squares:
        first = -number * RINGS_OF_RELATION
        inside = _added(ways, first - RINGS_OF_RELATION // 2, {}, rings(refs, inner))
        for outline in _added(ways, first, {**tags, "area": "yes"}, rings(refs, outer)):
            holes[outline] = inside
    return holes


def _added(ways: Ways, first: int, tags: dict[str, str], found: list[list[int]]) -> list[int]:
    """Add rings to the ways under ids that follow on downwards; return these ids."""
    ids = [first - place for place in range(len(found))]
    ways.update({way: (ring, tags) for way, ring in zip(ids, found, strict=True)})
    return ids


def rings(refs: dict[int, list[int]], members: Iterable[int]) -> list[list[int]]:
    """Return the closed rings that member ways make end to end; what does not close is left out.

    Examples
    --------
    >>> rings({1: [10, 11, 12], 2: [10, 13, 12], 3: [20, 21, 22, 20], 4: [30, 31]}, [1, 2, 3, 4])
    [[10, 11, 12, 13, 10], [20, 21, 22, 20]]
    """
    left = [refs[way] for way in members if len(refs.get(way, ())) > 1]
    closed: list[list[int]] = []
    while left:
        ring = list(left.pop(0))
        while ring[0] != ring[-1]:
            more = next((k for k, part in enumerate(left) if ring[-1] in {part[0], part[-1]}), None)
            if more is None:
                break
            part = left.pop(more)
            ring += part[1:] if part[0] == ring[-1] else part[-2::-1]
        if ring[0] == ring[-1] and len(ring) > 3:
            closed.append(ring)
    return closed
