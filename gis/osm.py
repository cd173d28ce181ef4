"""Who may walk on an OSM way: a table of tag rules with a reason each, and the walkable lines of an extract."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import shapely

from .noding import Lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Tags: TypeAlias = Mapping[str, str]
Verdict: TypeAlias = Literal["walk", "private", "never"]
"""``private``: for those who live there; walked by everybody only when all compounds are taken as open."""

ANY = frozenset({"*"})
FOOT_YES = frozenset({"yes", "designated", "permissive", "official", "public", "destination"})
SIDEWALK_YES = frozenset({"both", "left", "right", "yes"})
FAST = frozenset({"trunk", "trunk_link"})
WALKED = frozenset(
    {
        *("footway", "path", "pedestrian", "living_street", "residential", "service", "steps", "track", "corridor"),
        *("crossing", "platform", "elevator", "unclassified", "road", "tertiary", "tertiary_link", "secondary"),
        *("secondary_link", "primary", "primary_link", "bridleway"),
    }
)
ROADS = frozenset(
    {
        *("unclassified", "road", "residential", "service", "tertiary", "tertiary_link", "secondary"),
        *("secondary_link", "primary", "primary_link"),
    }
)
RAMPED = frozenset({"yes", "designated", "limited"})
"""Values of ``ramp:wheelchair`` and ``wheelchair`` that make steps passable on wheels."""
NOT_BUILT = frozenset(
    {"construction", "proposed", "planned", "abandoned", "razed", "demolished", "disused", "removed", "no"}
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the legality table: when every tag named has one of its values, this is the verdict.

    Parameters
    ----------
    reason
        Short name of the rule, kept in the audit.
    verdict
        What it says.
    when
        Tag → values that match; ``"*"`` matches any value.
    unless
        Tag → values; the rule is passed over when any of these matches.
    """

    reason: str
    verdict: Verdict
    when: Mapping[str, frozenset[str]]
    unless: Mapping[str, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))

    def matches(self, tags: Tags) -> bool:
        """Return whether the rule speaks about a way with these tags."""

        def has(key: str, values: frozenset[str]) -> bool:
            value = tags.get(key)
            return value is not None and (values is ANY or value in values)

        return all(has(*item) for item in self.when.items()) and not any(has(*item) for item in self.unless.items())


LEGALITY: tuple[Rule, ...] = (
    Rule("not_built", "never", {"highway": NOT_BUILT}),
    Rule("motorway", "never", {"highway": frozenset({"motorway", "motorway_link"})}),
    Rule("motorroad", "never", {"motorroad": frozenset({"yes"})}),
    Rule("expressway", "never", {"expressway": frozenset({"yes"}), "highway": FAST}),
    Rule(
        "not_for_feet",
        "never",
        {"highway": frozenset({"bus_guideway", "busway", "raceway", "escape", "rest_area", "services"})},
    ),
    Rule("ferry", "never", {"route": frozenset({"ferry"})}),
    Rule("foot_forbidden", "never", {"foot": frozenset({"no"})}),
    Rule("foot_beside", "never", {"foot": frozenset({"use_sidepath"})}),
    Rule("foot_private", "private", {"foot": frozenset({"private", "residents", "customers", "delivery"})}),
    Rule("foot_allowed", "walk", {"foot": FOOT_YES, "highway": ANY}),
    Rule("access_forbidden", "never", {"access": frozenset({"no", "military", "emergency"})}),
    Rule("access_private", "private", {"access": frozenset({"private", "residents", "permit"})}),
    Rule("trunk_with_sidewalk", "walk", {"highway": FAST, "sidewalk": SIDEWALK_YES}),
    Rule("trunk_with_sidewalk", "walk", {"highway": FAST, "sidewalk:both": SIDEWALK_YES}),
    Rule("trunk_with_sidewalk", "walk", {"highway": FAST, "sidewalk:left": SIDEWALK_YES}),
    Rule("trunk_with_sidewalk", "walk", {"highway": FAST, "sidewalk:right": SIDEWALK_YES}),
    Rule("trunk_sidewalk_apart", "never", {"highway": FAST, "sidewalk": frozenset({"separate"})}),
    Rule("trunk_without_sidewalk", "never", {"highway": FAST}),
    Rule("cycleway_shared", "walk", {"highway": frozenset({"cycleway"}), "segregated": frozenset({"yes", "no"})}),
    Rule("cycleway", "never", {"highway": frozenset({"cycleway"})}),
    Rule("sidewalk_apart", "walk", {"highway": ROADS, "sidewalk": frozenset({"separate"})}),
    Rule("without_sidewalk", "walk", {"highway": ROADS, "sidewalk": frozenset({"no", "none"})}),
    Rule("lift", "walk", {"highway": frozenset({"elevator"})}),
    Rule("walked_class", "walk", {"highway": WALKED}),
    Rule("platform", "walk", {"railway": frozenset({"platform"})}),
    Rule("platform", "walk", {"public_transport": frozenset({"platform"})}),
    Rule("unknown_class", "never", {}),
)
"""First match decides. Sources: OSM wiki "OSM tags for routing/Access restrictions" (China follows the worldwide
defaults) and "Key:foot", "Key:sidewalk", "Key:expressway"; CJJ 37 (expressways 快速路 carry no pedestrians). A road
whose sidewalk is drawn apart is still walked: such sidewalks are seldom joined to every side street and door."""

LEGAL_KEYS: tuple[str, ...] = tuple(sorted({key for rule in LEGALITY for key in (*rule.when, *rule.unless)}))

GATE_BARRIERS = frozenset(
    {
        "gate",
        "entrance",
        "lift_gate",
        "swing_gate",
        "sliding_gate",
        "kissing_gate",
        "hampshire_gate",
        "turnstile",
        "sally_port",
        "wicket_gate",
        "full-height_turnstile",
    }
)
WALL_BARRIERS = frozenset({"wall", "fence", "city_wall", "hedge"})
MOST_ENTRIES = 24
"""Entries of one ring of a square between which it is crossed."""
LEAST_WALLED_M2 = 2000.0
"""A closed wall around less is a garden, a pitch or a substation, not a compound."""
PRIVATE = frozenset({"private", "residents", "permit", "customers"})


def legality(tags: Tags) -> Rule:
    """Return the rule that decides whether one may walk on a way.

    Parameters
    ----------
    tags
        The way's tags.

    Examples
    --------
    >>> [legality({"highway": h}).verdict for h in ("footway", "motorway", "trunk", "cycleway")]
    ['walk', 'never', 'never', 'never']
    >>> legality({"highway": "trunk", "sidewalk": "both"}).reason, legality({}).reason
    ('trunk_with_sidewalk', 'unknown_class')
    """
    return _decide(tuple((key, tags[key]) for key in LEGAL_KEYS if key in tags))


@cache
def _decide(tags: tuple[tuple[str, str], ...]) -> Rule:
    """Return the first rule that matches; ways of one city share few combinations of the tags that count."""
    known = dict(tags)
    return next(rule for rule in LEGALITY if rule.matches(known))


@dataclass(frozen=True, slots=True, eq=False)
class OsmWays:
    """Ways of an extract as arrays, before anything is decided.

    Parameters
    ----------
    way_id
        int64[w].
    start
        int64[w + 1], where each way's vertices begin in ``node`` and ``xy``.
    node
        int64[k], OSM node ids.
    xy
        float64[k, 2] in metres; NaN where the extract lacks the node.
    tags
        One mapping a way.
    node_tags
        Tags of the nodes that matter for walking: barriers, entrances, signals.
    holes
        Of closed ways around squares: row → rows of the closed ways around what nobody crosses in it.
    """

    way_id: NDArray[np.int64]
    start: NDArray[np.int64]
    node: NDArray[np.int64]
    xy: NDArray[np.float64]
    tags: Sequence[Tags]
    node_tags: Mapping[int, Tags]
    holes: Mapping[int, Sequence[int]] = field(default_factory=lambda: MappingProxyType({}))


def _directions(tags: Tags) -> tuple[bool, bool]:
    """Return whether one may walk along and against a way: ``oneway:foot`` counts, ``oneway`` is for vehicles."""
    one_way = tags.get("oneway:foot", "")
    ahead = one_way != "-1" and tags.get("foot:forward") != "no"
    back = one_way not in {"yes", "true", "1"} and tags.get("foot:backward") != "no"
    return ahead, back


def _present_runs(
    ways: OsmWays, rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the runs of at least two present vertices of the ways: vertex indices, run starts, way row, cut nodes."""
    counts = np.diff(ways.start)[rows]
    first = np.repeat(ways.start[rows] - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
    vertex = first + np.arange(counts.sum())
    row = np.repeat(rows, counts)
    present = np.isfinite(ways.xy[vertex]).all(axis=1)
    joined = np.zeros(vertex.size, dtype=bool)
    joined[1:] = (row[1:] == row[:-1]) & present[1:] & present[:-1]
    run = np.cumsum(~joined) - 1
    length = np.bincount(run, minlength=1) if run.size else np.zeros(0, dtype=np.int64)
    missing_beside = np.zeros(vertex.size, dtype=bool)
    missing_beside[1:] |= (row[1:] == row[:-1]) & ~present[:-1]
    missing_beside[:-1] |= (row[1:] == row[:-1]) & ~present[1:]
    cut = np.unique(ways.node[vertex[missing_beside & present]])
    kept = present & (length[run] >= 2) if run.size else present
    run_kept, run_counts = np.unique(run[kept], return_counts=True)
    start = np.concatenate([[0], np.cumsum(run_counts)]).astype(np.int64)
    first_of_run = np.flatnonzero(~joined)
    way_row = row[first_of_run[run_kept]] if run_kept.size else np.zeros(0, dtype=np.int64)
    return vertex[kept], start, way_row, cut


def _squares(ways: OsmWays, rows: list[int], degree: Mapping[int, int]) -> list[tuple[int, int, int]]:
    """Return the walks across squares: (way row, vertex, vertex) for pairs of entries that see each other."""
    walks: list[tuple[int, int, int]] = []
    for row in rows:
        low, high = int(ways.start[row]), int(ways.start[row + 1]) - 1
        if high - low < 3 or ways.node[low] != ways.node[high] or not np.isfinite(ways.xy[low:high]).all():
            continue
        entries = [*_entries(ways, row, degree, least=2)]
        rim = len(entries)
        for hole in ways.holes.get(row, ()):
            # What nobody crosses is no street itself: one way that ends there makes an entry.
            entries += _entries(ways, hole, degree, least=1)
        pairs = [
            (a, b)
            for i, a in enumerate(entries)
            for j, b in enumerate(entries[i + 1 :], i + 1)
            if j >= rim or 1 < b - a < high - low - 1
        ]
        if not pairs:
            continue
        square = shapely.buffer(_ground_of(ways, row), 0.01)
        lines = shapely.linestrings(ways.xy[np.array(pairs)])
        inside = shapely.covers(square, lines)
        walks.extend((row, a, b) for (a, b), seen in zip(pairs, inside, strict=True) if seen)
    return walks


def _entries(ways: OsmWays, row: int, degree: Mapping[int, int], *, least: int) -> list[int]:
    """Return the vertices of a ring at which other ways meet it, the first ones only."""
    ring = range(int(ways.start[row]), int(ways.start[row + 1]) - 1)
    met = [v for v in ring if degree.get(int(ways.node[v]), 0) >= least and np.isfinite(ways.xy[v]).all()]
    return met[:MOST_ENTRIES]


def _ground_of(ways: OsmWays, row: int) -> shapely.Geometry:
    """Return the ground of a square: inside its outline, less what nobody crosses."""
    outlines = [ways.xy[ways.start[each] : ways.start[each + 1]] for each in (row, *ways.holes.get(row, ()))]
    whole, *holes = (shapely.make_valid(shapely.Polygon(xy)) for xy in outlines if np.isfinite(xy).all())
    return shapely.difference(whole, shapely.union_all(holes)) if holes else whole


def _degrees(ways: OsmWays, vertex: NDArray[np.int64]) -> dict[int, int]:
    """Return how often each node stands in walked ways, where it is more than once or stands in a square's hole."""
    ids, counts = np.unique(ways.node[vertex], return_counts=True)
    holes = [ways.node[ways.start[row] : ways.start[row + 1]] for row in sorted({*chain(*ways.holes.values())})]
    busy = (counts > 1) | np.isin(ids, np.concatenate([np.zeros(0, np.int64), *holes]))
    return dict(zip(ids[busy].tolist(), counts[busy].tolist(), strict=True))


def walkable(ways: OsmWays, *, policy: str = "gated") -> tuple[Lines, dict[str, int]]:
    """Return the lines of an extract that one may walk on, and how many ways each rule decided.

    Squares (``area=yes``) are crossed between the points where other ways meet them. A way that runs into nodes the
    extract lacks is kept as far as it is known, and its last known node is marked as the data's edge. Nodes with
    ``barrier`` and ``access=no`` or ``foot=no`` part the way unless the policy is ``open``; those marked private do
    not: who lives behind them has the key.

    Parameters
    ----------
    ways
        The extract's ways.
    policy
        ``open`` takes private ways and closed gates as open to everybody; else private ways are marked as such.

    Examples
    --------
    >>> ways = OsmWays(np.array([7]), np.array([0, 3]), np.array([1, 2, 3]), np.array([[0.0, 0], [9, 0], [np.nan, 0]]),
    ...                [{"highway": "footway"}], {})
    >>> lines, decided = walkable(ways)
    >>> lines.node.tolist(), lines.cut.tolist(), decided
    ([1, 2], [2], {'walked_class': 1})
    """
    rules = [legality(tags) for tags in ways.tags]
    decided: dict[str, int] = {}
    for rule in rules:
        decided[rule.reason] = decided.get(rule.reason, 0) + 1
    rows = np.array([row for row, rule in enumerate(rules) if rule.verdict != "never"], dtype=np.int64)
    vertex, start, way_row, cut = _present_runs(ways, rows)
    areas = [
        int(row) for row in rows if ways.tags[row].get("area") == "yes" or ways.tags[row].get("highway") == "platform"
    ]
    squares = _squares(ways, areas, _degrees(ways, vertex)) if areas else []
    if squares:
        pairs = np.array([walk[1:] for walk in squares], dtype=np.int64)
        vertex = np.concatenate([vertex, pairs.ravel()])
        start = np.concatenate([start, start[-1] + 2 * np.arange(1, len(squares) + 1)])
        way_row = np.concatenate([way_row, np.array([walk[0] for walk in squares], dtype=np.int64)])
    private = np.array([rules[row].verdict == "private" for row in way_row.tolist()], dtype=bool) & (policy != "open")
    return _as_lines(ways, vertex, start, way_row, cut, private, closed=policy != "open"), decided


def _as_lines(
    ways: OsmWays,
    vertex: NDArray[np.int64],
    start: NDArray[np.int64],
    way_row: NDArray[np.int64],
    cut: NDArray[np.int64],
    private: NDArray[np.bool_],
    *,
    closed: bool,
) -> Lines:
    """Return stretches of ways as lines with what their tags say; ``closed`` where barriers part them."""
    names = [ways.tags[row].get("highway", "platform") for row in way_row.tolist()]
    classes, klass = np.unique(np.array(names, dtype=str), return_inverse=True)
    directions = np.array([_directions(ways.tags[row]) for row in way_row.tolist()], dtype=bool).reshape(-1, 2)
    spans = [any(ways.tags[row].get(key, "no") != "no" for key in ("bridge", "tunnel")) for row in way_row.tolist()]
    return Lines(
        xy=ways.xy[vertex],
        start=start,
        node=ways.node[vertex],
        klass=klass.astype(np.int16),
        classes=tuple(classes.tolist()),
        forward=directions[:, 0].copy(),
        backward=directions[:, 1].copy(),
        steps=np.array([_is_stairs(ways.tags[row]) for row in way_row.tolist()], dtype=bool),
        spans=np.array(spans, dtype=bool),
        zone=np.full(way_row.size, -1, dtype=np.int32),
        private=private,
        cut=cut,
        signals=_nodes(ways.node_tags, _is_signal),
        lifts=_nodes(ways.node_tags, _is_lift),
        blocked=_nodes(ways.node_tags, _is_closed) if closed else np.zeros(0, dtype=np.int64),
    )


def _nodes(node_tags: Mapping[int, Tags], wanted: Callable[[Tags], bool]) -> NDArray[np.int64]:
    """Return the sorted ids of the nodes whose tags are wanted."""
    return np.array(sorted(node for node, tags in node_tags.items() if wanted(tags)), dtype=np.int64)


def _is_stairs(tags: Tags) -> bool:
    """Return whether a way is stairs that nobody passes on wheels; stairs with such a ramp are walked as the ramp."""
    return tags.get("highway") == "steps" and not (
        tags.get("ramp:wheelchair") in RAMPED or tags.get("wheelchair") in RAMPED
    )


def _is_lift(tags: Tags) -> bool:
    """Return whether one waits for a lift at the node."""
    return tags.get("highway") == "elevator"


def _is_signal(tags: Tags) -> bool:
    """Return whether one waits for signals at the node."""
    return (
        tags.get("crossing") == "traffic_signals"
        or tags.get("crossing:signals") == "yes"
        or tags.get("highway") == "traffic_signals"
    )


def _is_closed(tags: Tags) -> bool:
    """Return whether a barrier at the node lets nobody through on foot."""
    foot = tags.get("foot")
    return "barrier" in tags and (foot == "no" or (tags.get("access") == "no" and foot not in FOOT_YES))
