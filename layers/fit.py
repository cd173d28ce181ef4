"""How well a layer fits the streets and the study area, for each coordinate system that its coordinates may be in."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from ..gis.crs import DATUMS, as_crs, transform, working_crs
from ..gis.errors import Fault, InputError
from ..gis.zones import Guess, guesses
from .gather import OLD_SURVEYS, move_to
from .osmfile import osm_features

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray
    from pyproj import CRS

    from .gather import Read, Work

    Floats = NDArray[np.float64]
    Shapes = NDArray[np.object_]

ASKED = frozenset(
    {
        "faults.datum_missing",
        "faults.degrees_declared_metric",
        "faults.metres_declared_degrees",
        "faults.axes_swapped",
        "faults.far_away",
        "faults.far_away_swapped",
        "faults.none_in_area",
        "datum.looks_zone",
        "datum.looks_plain",
        "datum.looks_web",
        "datum.looks_degrees",
        "datum.looks_swapped",
        "datum.off_the_map",
    }
)
"""Faults that a list of candidates answers."""

SAMPLE = 400
"""Features of a layer that are looked at."""
NEAR_M = 50_000.0
"""Candidates farther from the study are not told, unless there is no other."""
TOLD, TOLD_FAR = 6, 3

NAMES: Mapping[str, str] = {
    "wgs84": "WGS 84 / CGCS2000, GPS, OSM",
    "gcj02": "GCJ-02, Amap, Tencent",
    "bd09": "BD-09, Baidu",
    "bd09mc": "Baidu Mercator",
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A coordinate system that a layer may be in, and how well the layer would fit."""

    guess: Guess
    against: str
    """What the distance is from: ``streets``, ``area`` or ``nothing``."""
    median_m: float = float("inf")
    inside: float = 0.0
    """Share of the features inside the study area, or the hull of the streets where there is none."""
    crossed: float | None = None
    """Of areas: the share that streets run through."""

    @property
    def misfit_m(self) -> float:
        """What candidates are put in order by: the distance, and a kilometre for all features outside or run through.

        Old surveys come after CGCS2000 where both fit: without control points they differ by metres that nobody knows.
        """
        misfit = self.median_m + 1000.0 * (1.0 - self.inside) + 1000.0 * (self.crossed or 0.0)
        return 1.3 * misfit + 30.0 if self._is_old else misfit

    @property
    def _is_old(self) -> bool:
        """Whether it is of a survey before CGCS2000."""
        if self.guess.datum in DATUMS:
            return False
        base = as_crs(self.guess.datum).geodetic_crs
        return base is not None and base.name in OLD_SURVEYS

    def as_fault(self) -> Fault:
        """Return the candidate as a line to print: what to write, and how well it fits."""
        written = f'datum = "{self.guess.datum}"' + (', axes = "north_east"' if self.guess.swapped else "")
        name = NAMES.get(self.guess.datum) or as_crs(self.guess.datum).name
        detail: dict[str, object] = {"datum": self.guess.datum, "swapped": self.guess.swapped}
        if self.against != "nothing":
            metres = round(self.median_m, 1) if self.median_m < 1000 else round(self.median_m)
            detail |= {"median_m": metres, "percent": round(100 * self.inside)}
        code = f"datum.at_{self.against}"
        if self.crossed is not None:
            detail["crossed_percent"] = round(100 * self.crossed)
            code += "_crossed"
        return Fault(code, detail={**detail, "write": written, "name": name}, blocks=False)


@dataclass(slots=True)
class Reference:
    """The ground that layers are compared with: streets and area in metres."""

    crs: CRS
    streets: Shapes
    area: shapely.Geometry | None
    tree: shapely.STRtree = field(init=False)

    def __post_init__(self) -> None:
        """Put the streets into a tree."""
        self.tree = shapely.STRtree(self.streets)

    def ground(self) -> shapely.Geometry | None:
        """Return the area, or the hull of the streets."""
        if self.area is not None:
            return self.area
        return shapely.MultiPoint(shapely.get_coordinates(self.streets)).convex_hull if len(self.streets) else None

    def from_streets_m(self, shapes: Shapes) -> Floats:
        """Return how far each shape is from the nearest street."""
        _, apart = self.tree.query_nearest(shapes, return_distance=True, all_matches=False)
        return np.asarray(apart, dtype=np.float64)

    def crossed(self, shapes: Shapes) -> NDArray[np.bool_]:
        """Tell which areas a street runs through, by more than a tenth of their width."""
        return self.touched(cores(shapes))

    def touched(self, shapes: Shapes) -> NDArray[np.bool_]:
        """Tell which shapes a street touches."""
        hit, _ = self.tree.query(shapes, predicate="intersects")
        found = np.zeros(len(shapes), dtype=np.bool_)
        found[hit] = True
        return found


def cores(shapes: Shapes) -> Shapes:
    """Return areas without their rim of a tenth of their width."""
    return np.asarray(shapely.buffer(shapes, -0.1 * np.sqrt(shapely.area(shapes))), dtype=object)


def with_candidates(work: Work, reads: Mapping[str, Sequence[Read]]) -> None:
    """Add to each fault about a datum what the layer's coordinates may be, the best fit first.

    Parameters
    ----------
    work
        Whose faults are answered; they stay in their order.
    reads
        The files as read.
    """
    by_file = {(layer, read.section.path): read for layer, parts in reads.items() for read in parts}
    references: dict[str, Reference | None] = {}
    for place, fault in enumerate(work.faults):
        read = by_file.get((str(fault.layer), str(fault.file)))
        if fault.code not in ASKED or read is None:
            continue
        layer = str(fault.layer)
        kind = layer if layer in ("area", "streets") else "other"
        if kind not in references:
            references[kind] = ground_of(work, reads, without=kind)
        found = candidates(layer, read, references[kind])
        if found:
            lines = tuple(one.as_fault() for one in found)
            detail = {**fault.detail, "candidates": lines}
            if "likely" in fault.detail and found[0].median_m <= NEAR_M:  # what the range says, confirmed by the ground
                detail |= {"write": found[0].guess.datum, "likely": lines[0].detail["name"]}
            work.faults[place] = replace(fault, detail=detail)


def candidates(layer: str, read: Read, reference: Reference | None) -> tuple[Candidate, ...]:
    """Return what a file's coordinates may be by their range, the best fit to the ground first.

    Parameters
    ----------
    layer
        What the file is of; an area is judged by the streets in it.
    read
        The file as read.
    reference
        Streets and area; None where there is neither.
    """
    sample = sample_of(read.reading.frame)
    points = shapely.get_coordinates(sample)
    points = points[np.isfinite(points).all(axis=1)]
    if not len(points):
        return ()
    x, y = np.median(points, axis=0).tolist()
    found = [_candidate(layer, sample, guess, reference) for guess in guesses(x, y)]
    if reference is None or reference.ground() is None:
        return tuple(found[: 2 * TOLD])
    found.sort(key=lambda one: one.misfit_m)
    near = [one for one in found if one.median_m <= NEAR_M]
    return tuple(near[:TOLD] or [one for one in found if np.isfinite(one.median_m)][:TOLD_FAR])


def sample_of(frame: gpd.GeoDataFrame) -> Shapes:
    """Return features spread evenly over the file's rows."""
    shapes = np.asarray(frame.geometry.array, dtype=object)
    shapes = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    points, owner = shapely.get_coordinates(shapes, return_index=True)
    broken = np.bincount(owner, ~np.isfinite(points).all(axis=1), minlength=len(shapes)) > 0
    shapes = shapes[~broken]
    return np.asarray(
        shapes[np.unique(np.linspace(0, len(shapes) - 1, min(SAMPLE, len(shapes))).astype(int))], dtype=object
    )


def _candidate(layer: str, sample: Shapes, guess: Guess, reference: Reference | None) -> Candidate:
    """Return how well a sample of a file would fit as what it is guessed to be."""
    ground = None if reference is None else reference.ground()
    if reference is None or ground is None:
        return Candidate(guess, "nothing")
    against = "streets" if len(reference.streets) else "area"
    shapes = shapely.transform(sample, lambda xy: xy[:, ::-1]) if guess.swapped else sample
    try:
        moved = transform(gpd.GeoDataFrame(geometry=shapes), guess.datum, reference.crs).geometry.to_numpy()
    except InputError:
        return Candidate(guess, against)
    moved = moved[np.isfinite(shapely.bounds(moved)).all(axis=1)]
    if not len(moved):
        return Candidate(guess, against)
    if layer == "area":
        return _area_candidate(guess, moved, reference)
    at = middles_of(moved)
    inside = float(shapely.intersects(ground, at).mean())
    apart = shapely.distance(ground, at)
    crossed = None
    if against == "streets" and np.median(apart) <= NEAR_M:
        apart = reference.from_streets_m(at)
        if bool((shapely.get_dimensions(moved) == 2).all()):
            crossed = float(reference.crossed(moved).mean())
    return Candidate(guess, against, float(np.median(apart)), inside, crossed)


def _area_candidate(guess: Guess, moved: Shapes, reference: Reference) -> Candidate:
    """Return how well an area would fit: by how far streets lie from it, and how many in it."""
    if not len(reference.streets):
        return Candidate(guess, "nothing")
    outline = shapely.union_all(shapely.make_valid(moved))
    streets = middles_of(reference.streets[:: max(1, len(reference.streets) // SAMPLE)])
    apart = shapely.distance(outline, streets)
    return Candidate(guess, "streets", float(np.median(apart)), float((apart == 0).mean()))


def middles_of(shapes: Shapes) -> Shapes:
    """Return a point in the middle of each shape."""
    lines = shapely.get_dimensions(shapes) == 1
    simple = lines & (shapely.get_type_id(shapes) == 1)
    middles = shapely.point_on_surface(shapes)
    middles[simple] = shapely.line_interpolate_point(shapes[simple], 0.5, normalized=True)
    return np.asarray(middles, dtype=object)


def ground_of(work: Work, reads: Mapping[str, Sequence[Read]], *, without: str) -> Reference | None:
    """Return the ground in metres, without the layer that is to be judged; None where nothing of it is known."""
    streets = [] if without == "streets" else list(_streets(work, reads))
    outlines = [] if without == "area" else [_in_degrees("area", read) for read in reads.get("area", ())]
    areas = [shapely.union_all(shapely.make_valid(part)) for part in outlines if len(part)]
    lines = np.concatenate([*streets, np.zeros(0, dtype=object)])
    shapes = areas or lines
    bounds = shapely.total_bounds(np.asarray(shapes, dtype=object)) if len(shapes) else np.full(4, np.nan)
    if not np.isfinite(bounds).all():
        return None
    west, south, east, north = bounds.tolist()
    crs = working_crs((west, south, east, north))
    both = gpd.GeoSeries([*lines, *areas], crs="EPSG:4326").to_crs(crs).to_numpy()
    area = shapely.union_all(both[len(lines) :]) if areas else None
    return Reference(crs, both[: len(lines)], area)


def _streets(work: Work, reads: Mapping[str, Sequence[Read]]) -> Iterable[Shapes]:
    """Yield the streets of each file in degrees."""
    for read in reads.get("streets", ()):
        yield _in_degrees("streets", read)
    for path in work.grounds:
        try:
            lines = osm_features(path, ["highway"], ("LineString",)).geometry.to_numpy()
        except InputError:  # its own fault says why
            continue
        yield np.asarray(lines[~shapely.is_empty(lines)], dtype=object)


def _in_degrees(layer: str, read: Read) -> Shapes:
    """Return a file's shapes in WGS 84 degrees; none where its own datum is in doubt."""
    try:
        shapes = move_to(layer, read, as_crs("EPSG:4326")).geometry.to_numpy()
    except InputError:
        return np.zeros(0, dtype=object)
    sound = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    sound[sound] &= np.isfinite(shapely.bounds(shapes[sound])).all(axis=1)
    return np.asarray(shapes[sound], dtype=object)
