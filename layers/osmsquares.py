"""Squares in OSM files that are mapped as relations: their outlines as ways, with what nobody crosses in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from .osmread import nodes_of, read_objects

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from .osmread import Relation

Ways: TypeAlias = "dict[int, tuple[str, dict[str, str]]]"
"""Way id → nodes as `read_objects` gives them, and tags. Outlines of relations have negative ids."""

RINGS_OF_RELATION = 1000


def add_squares(path: Path, relations: Iterable[Relation], ways: Ways) -> dict[int, list[int]]:
    """Add the outlines of a file's square relations to the ways; return outline → outlines inside it.

    Relations that the file holds in part only are passed over where a ring does not close.

    Raises
    ------
    InputError
        When the file cannot be read as OSM.
    """
    squares = [relation for relation in relations if "highway" in relation.tags]
    wanted = {way for square in squares for _, way in square.ways}
    if not wanted:
        return {}
    found = read_objects(path, ways=wanted).ways
    members = list(found)
    ids, _, counts = nodes_of([found[way][0] for way in members])
    refs = {way: part.tolist() for way, part in zip(members, np.split(ids, np.cumsum(counts)[:-1]), strict=True)}
    holes: dict[int, list[int]] = {}
    for square in squares:
        first = -square.number * RINGS_OF_RELATION
        inner = [way for role, way in square.ways if role == "inner"]
        outer = [way for role, way in square.ways if role != "inner"]
        inside = _added(ways, first - RINGS_OF_RELATION // 2, {}, rings(refs, inner))
        for outline in _added(ways, first, {**square.tags, "area": "yes"}, rings(refs, outer)):
            holes[outline] = inside
    return holes


def _added(ways: Ways, first: int, tags: dict[str, str], found: list[list[int]]) -> list[int]:
    """Add rings to the ways under ids that follow on downwards; return these ids."""
    ids = [first - place for place in range(len(found))]
    texts = [",".join(f"n{node}xy" for node in ring) for ring in found]
    ways.update({way: (text, tags) for way, text in zip(ids, texts, strict=True)})
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
