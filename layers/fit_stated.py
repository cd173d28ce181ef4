"""How well layers fit the streets and the area as their datum is stated, and doubts of what is stated."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from ..gis.chinese import in_china
from ..gis.crs import DATUMS, SHIFTED, as_crs, transform
from ..gis.errors import Fault, InputError
from .fit import cores, ground_of, middles_of, sample_of
from .gather import Fit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from .fit import Reference
    from .gather import Read, Work

    Floats = NDArray[np.float64]
    Shapes = NDArray[np.object_]

LEAST_DOUBTED = 40
"""Features from which on a stated datum can be doubted."""
DOUBT_RATIO = 0.6
"""It is doubted when another brings the middle feature to less than this share of its distance from the streets …"""
DOUBT_M = 8.0
"""… and by so much at least, …"""
DOUBT_SHARE = 0.65
"""… and brings so large a share of the features nearer and not clearly more of them onto the streets; or …"""
ON_STREET_M, OFF_RATIO, OFF_SPREADS = 5.0, 0.8, 2.0
"""… when it brings the middle one to less than this share of its distance, and takes features off the middle of the
streets: so many fewer lie within these metres that it is beyond so many standard deviations of chance; or, …"""
CROSSED_RATIO, CROSSED_LEAST = 3.0, 0.08
"""… of areas, when streets run through so many times more than with the other, and through so large a share of them."""
INSIDE_STATED, INSIDE_BETTER = 0.9, 0.98
"""… or, where a small study tells more by its border than by its streets, when so few features lie in the area as
stated and so many with the other, which also brings the middle one nearer; or …"""
TIED, TIED_RATIO, TIED_MORE = 4.0, 1.4, 3.0
"""… when its tie to the streets is so many standard deviations beyond that of random shifts, so many times the
strongest of these, and so much beyond the tie as stated."""
SETTLED = 6.0
"""A stated datum with so strong a tie to the streets is not doubted."""
BESIDE_STREETS_M = 300.0
"""Features farther from all streets, stated as they are, say nothing of their datum."""

MOST_WAYS = 500_000
"""Ways of OSM extracts beyond which their streets are not read once more to compare layers with them."""
STILL_BESIDE = 0.9
"""Share of the features that another datum must leave beside the streets: off the map nothing is run through."""

BANDS_M = (0.0, 3.0, 6.0, 10.0, 15.0, 22.0, 32.0, 50.0, 80.0, 130.0, BESIDE_STREETS_M)
"""Distances from the streets that are counted apart."""
RINGS_M, TURNS = (250.0, 400.0, 600.0, 900.0, 1300.0), 12
"""Lengths of the random shifts, each in so many directions."""
OTHER_M, LEAST_SHIFTS = 120.0, 12
"""Shifts so close to another datum do not count, and fewer than so many others say nothing."""
LEAST_SPREAD = 1.0
"""What the ties of random shifts are taken to differ by at least."""

_APART = frozenset({"area", "streets", "ring_lines", "barriers", "districts", "rings"})
"""Layers that need not keep off the streets."""


def add_fits(work: Work, reads: Mapping[str, Sequence[Read]], reference: Reference | None) -> None:
    """Put into each file's row how well it fits as stated: the middle distance from the streets, the share inside.

    Parameters
    ----------
    work
        Whose rows are completed, those of the area left out.
    reads
        The files as read.
    reference
        Streets and area; None where there is neither.
    """
    if reference is None:
        return
    for layer, parts in reads.items():
        for read in parts:
            if layer != "area" and read.row is not None:
                fit = _fit(layer, read, reference)
                work.rows[read.row] = replace(work.rows[read.row], fit=fit)


def _fit(layer: str, read: Read, reference: Reference) -> Fit | None:
    """Return how well a file fits as stated; None where none of it has a place."""
    frame = read.reading.frame
    sample = gpd.GeoDataFrame(geometry=sample_of(frame), crs=frame.crs)
    if sample.empty:
        return None
    moved = transform(sample, read.system or read.section.datum, reference.crs).geometry.to_numpy()
    moved = moved[np.isfinite(shapely.bounds(moved)).all(axis=1)]
    if not len(moved):
        return None
    at = middles_of(moved)
    median_m = None
    if layer != "streets" and len(reference.streets):
        median_m = round(float(np.median(reference.from_streets_m(at))), 1)
    inside = None
    if reference.area is not None:
        shapely.prepare(reference.area)
        inside = round(float(shapely.intersects(reference.area, at).mean()), 4)
    return Fit(len(moved), median_m, inside)


def reference_of(work: Work, reads: Mapping[str, Sequence[Read]], *, always: bool) -> Reference | None:
    """Return the ground to compare the layers with; None where there is none, or no need of it.

    Parameters
    ----------
    work, reads
        The study as read.
    always
        Whether it is wanted also where no datum can be doubted.
    """
    many = sum(ground.ways for ground in work.grounds.values()) > MOST_WAYS
    if not always and (many or not _asked(reads)):
        return None
    return ground_of(work, reads, without="streets" if many else "none")


def _asked(reads: Mapping[str, Sequence[Read]]) -> list[tuple[str, Read]]:
    """Return the files whose datum can be doubted."""
    return [
        (layer, read)
        for layer, parts in reads.items()
        for read in parts
        if layer not in _APART
        and not read.reading.osm
        and read.system is None
        and len(read.reading.frame) >= LEAST_DOUBTED
        and (read.section.datum is not None or read.reading.frame.crs is not None)
    ]


def doubts(reads: Mapping[str, Sequence[Read]], reference: Reference | None) -> list[Fault]:
    """Return a warning for each file in China whose stated datum fits the streets much worse than another would.

    Points and areas are compared with the streets as stated and as WGS 84, GCJ-02 and BD-09, and the best of these is
    named. Only clear evidence counts: at least `LEAST_DOUBTED` features beside streets, the middle one much nearer,
    areas that streets run through as stated and not otherwise, or a tie to the streets beyond all that random shifts
    of the layer show.

    Parameters
    ----------
    reads
        The files as read.
    reference
        Streets and area; None where there is neither.
    """
    if reference is None or not len(reference.streets) or not _is_chinese(reference):
        return []
    found = (_doubt(layer, read, reference) for layer, read in _asked(reads))
    return [fault for fault in found if fault is not None]


def _is_chinese(reference: Reference) -> bool:
    """Whether the ground lies where maps are shifted."""
    west, south, east, north = shapely.total_bounds(reference.streets).tolist()
    middle = shapely.points([[(west + east) / 2, (south + north) / 2]])
    degrees = gpd.GeoSeries(middle, crs=reference.crs).to_crs("EPSG:4326")
    return bool(in_china(shapely.get_coordinates(degrees.to_numpy()))[0])


def _doubt(layer: str, read: Read, reference: Reference) -> Fault | None:
    """Return a warning where another datum fits one file much better than the one stated: the best of all."""
    stated = read.section.datum.strip().lower() if read.section.datum is not None else ""
    if stated == "bd09mc":
        return None
    frame = read.reading.frame
    sample = gpd.GeoDataFrame(geometry=sample_of(frame), crs=frame.crs)
    try:
        if stated and stated not in DATUMS:
            sample = sample.set_crs(as_crs(read.section.datum), allow_override=True)
        now = transform(sample, read.section.datum, reference.crs).geometry.to_numpy()
        others = {
            name: transform(sample, name, reference.crs).geometry.to_numpy()
            for name in ("wgs84", "gcj02", "bd09")
            if name != stated and not (name == "wgs84" and stated not in SHIFTED)
        }
    except InputError:  # the layer's own fault says why
        return None
    sound = np.isfinite([shapely.bounds(shapes).sum(axis=1) for shapes in (now, *others.values())]).all(axis=0)
    found = best_of(now[sound], {name: shapes[sound] for name, shapes in others.items()}, reference)
    if found is None:
        return None
    code, detail = found
    stated = read.section.datum or as_crs(frame.crs).name
    return Fault(code, read.section.path, layer, detail={"stated": stated, **detail}, blocks=False)


def best_of(now: Shapes, others: Mapping[str, Shapes], reference: Reference) -> tuple[str, dict[str, object]] | None:
    """Return what makes a stated place doubtful, with the name of the best other one; None where nothing does.

    Parameters
    ----------
    now
        Features as stated, in the metres of the reference.
    others
        The same features by other datums.
    reference
        The streets.
    """
    close = {
        name: reference.from_streets_m(middles_of(shapes)) <= BESIDE_STREETS_M
        for name, shapes in {"": now, **others}.items()
    }
    beside = close.pop("")
    if max(beside.sum(), *(part.sum() for part in close.values())) < LEAST_DOUBTED:
        return None
    spots = {name: _Spots.of(shapes) for name, shapes in {"": now, **others}.items()}
    tie = _tie_at("", spots, reference)
    if tie is not None and beside.mean() >= STILL_BESIDE and tie.is_clear(SETTLED):
        return None
    found: list[tuple[float, str, dict[str, object]]] = []
    for name, other in others.items():
        tie = _tie_at(name, spots, reference) if close[name].mean() >= STILL_BESIDE else None
        clear = _clear(now, other, beside, close[name], reference)
        if clear is not None and tie is not None and tie.here < tie.stated:
            clear = None
        if clear is None and tie is not None and tie.is_clear(TIED) and tie.here >= tie.stated + TIED_MORE:
            clear = "datum.doubtful_tied", {"points": len(now), **_medians(now, other, reference)}
        if clear is not None:
            found.append((tie.here if tie is not None else 0.0, clear[0], {**clear[1], "write": name}))
    if not found:
        return None
    _, code, detail = max(found, key=lambda one: one[0])
    return code, detail


def _clear(
    now: Shapes, other: Shapes, beside: NDArray[np.bool_], still: NDArray[np.bool_], reference: Reference
) -> tuple[str, dict[str, object]] | None:
    """Return what distances, crossings and the border say against the stated place, where they are clear."""
    count: dict[str, object] = {"points": int(beside.sum())}
    areas = bool((shapely.get_dimensions(now) == 2).all())
    if beside.sum() >= LEAST_DOUBTED and still[beside].mean() >= STILL_BESIDE:
        judge = _crossing if areas else _distance
        detail = judge(now[beside], other[beside], reference)
        if detail is not None:
            return ("datum.doubtful_crossed" if areas else "datum.doubtful"), {**count, **detail}
    detail = None if areas else _outside(now, other, reference)
    return None if detail is None else ("datum.doubtful", {"points": len(now), **detail})


def _medians(now: Shapes, other: Shapes, reference: Reference) -> dict[str, object]:
    """Return the middle distances from the streets as stated and otherwise."""
    stated, better = (float(np.median(reference.from_streets_m(middles_of(shapes)))) for shapes in (now, other))
    return {"stated_m": round(stated, 1), "better_m": round(better, 1)}


def _distance(now: Shapes, other: Shapes, reference: Reference) -> dict[str, object] | None:
    """Return the middle distances from the streets where they are clear evidence."""
    before, after = reference.from_streets_m(middles_of(now)), reference.from_streets_m(middles_of(other))
    stated, better = float(np.median(before)), float(np.median(after))
    on_before, on_after = float((before < ON_STREET_M).mean()), float((after < ON_STREET_M).mean())
    nearer = better <= DOUBT_RATIO * stated and stated - better >= DOUBT_M and (after < before).mean() >= DOUBT_SHARE
    middle = (on_before + on_after) / 2
    spread = float(np.sqrt(max(2 * middle * (1 - middle) / len(now), 1e-12)))
    off = better <= OFF_RATIO * stated and on_before - on_after >= OFF_SPREADS * spread
    clear = (nearer and on_after - on_before <= spread) or off
    return {"stated_m": round(stated, 1), "better_m": round(better, 1)} if clear else None


def _outside(now: Shapes, other: Shapes, reference: Reference) -> dict[str, object] | None:
    """Return the middle distances where features leave the study area as stated, and all lie in it otherwise."""
    if reference.area is None:
        return None
    inside_now, inside_other = (
        float(shapely.intersects(reference.area, middles_of(shapes)).mean()) for shapes in (now, other)
    )
    medians = _medians(now, other, reference)
    nearer = float(str(medians["better_m"])) < float(str(medians["stated_m"]))
    return medians if inside_now <= INSIDE_STATED and inside_other >= INSIDE_BETTER and nearer else None


def _crossing(now: Shapes, other: Shapes, reference: Reference) -> dict[str, object] | None:
    """Return the shares of areas that streets run through where they are clear evidence."""
    stated, better = float(reference.crossed(now).mean()), float(reference.crossed(other).mean())
    clear = stated >= CROSSED_LEAST and stated >= CROSSED_RATIO * better and better < CROSSED_LEAST
    return {"stated_percent": round(100 * stated), "better_percent": round(100 * better)} if clear else None


@dataclass(frozen=True, slots=True)
class _Spots:
    """Where features are: their middles and, of areas, what lies within their rim."""

    middles: Shapes
    cores: Shapes | None

    @classmethod
    def of(cls, shapes: Shapes) -> _Spots:
        """Return where shapes are."""
        areas = bool((shapely.get_dimensions(shapes) == 2).all())
        return cls(middles_of(shapes), cores(shapes) if areas else None)

    def counts(self, reference: Reference, step: Floats) -> Floats:
        """Return how many shifted features lie in each band of distance, those that a street runs through apart."""
        apart = reference.from_streets_m(_shifted(self.middles, step))
        crossed = np.zeros(len(apart), dtype=np.bool_)
        if self.cores is not None:
            crossed = reference.touched(_shifted(self.cores, step))
        banded = [np.histogram(apart[part], BANDS_M)[0] for part in (crossed, ~crossed)]
        return np.concatenate(banded).astype(np.float64)


def _shifted(shapes: Shapes, step: Floats) -> Shapes:
    """Return shapes moved by a step in metres."""
    return np.asarray(shapely.transform(shapes, lambda points: points + step), dtype=object)


@dataclass(frozen=True, slots=True)
class _Tie:
    """How strong the tie between features and streets is, in standard deviations of the ties of random shifts."""

    here: float
    stated: float
    """As stated; zero where too few features are beside the streets so."""
    most: float
    """The strongest of the random shifts."""

    def is_clear(self, least: float) -> bool:
        """Whether the tie here is beyond chance."""
        return self.here >= max(least, TIED_RATIO * self.most)


def _tie_at(name: str, spots: Mapping[str, _Spots], reference: Reference) -> _Tie | None:
    """Return the tie at one datum, beside that as stated; None where too few shifts stay beside the streets.

    The tie is the likelihood ratio (G) of the bands' counts against those of the random shifts together: how unlike
    chance the features lie about the streets, whether nearer or farther.
    """
    here = spots[name]
    to_others = np.array([_step(here, other) for key, other in spots.items() if key != name])
    turns = 2 * np.pi * np.arange(TURNS) / TURNS
    rings = [
        [radius * np.cos(turns + place / 5), radius * np.sin(turns + place / 5)] for place, radius in enumerate(RINGS_M)
    ]
    shifts = np.concatenate([np.transpose(ring) for ring in rings])
    shifts = shifts[(np.hypot(*(shifts[:, None] - to_others[None]).T) >= OTHER_M).all(axis=0)]
    drawn = np.array([here.counts(reference, step) for step in shifts])
    drawn = drawn[drawn.sum(axis=1) >= STILL_BESIDE * len(here.middles)]
    if len(drawn) < LEAST_SHIFTS:
        return None
    together = drawn.sum(axis=0)
    chance = np.array([_g(counts, together - counts) for counts in drawn])
    spread = max(float(chance.std()), LEAST_SPREAD)
    still = np.zeros(2)
    now = spots[""].counts(reference, still)
    ties = _g(here.counts(reference, still), together), _g(now, together), chance.max()
    at, stated, most = ((float(tie) - float(chance.mean())) / spread for tie in ties)
    stated = stated if now.sum() >= STILL_BESIDE * len(here.middles) else 0.0  # those left are of one corner
    return _Tie(at, stated, most)


def _step(here: _Spots, there: _Spots) -> Floats:
    """Return the middle step from one place of the features to another."""
    steps = shapely.get_coordinates(there.middles) - shapely.get_coordinates(here.middles)
    return np.asarray(np.median(steps, axis=0), dtype=np.float64)


def _g(counts: Floats, background: Floats) -> float:
    """Return the likelihood ratio of counts against the shares of a background, half a feature added to each."""
    shares = (background + 0.5) / (background + 0.5).sum()
    expected = np.maximum(counts.sum(), 1.0) * shares
    filled = counts > 0
    return float(2.0 * np.sum(counts[filled] * np.log(counts[filled] / expected[filled])))
