"""Residential land in pieces: every square metre once, in whole numbers, whatever cuts it."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.affinity import rotate

from lifecircle.layers.landpieces import MEASURE, PIECE_M, cut_by, in_cells, land_of, with_land
from lifecircle.layers.residents import Residents

CRS = "EPSG:4548"
AREA = shapely.box(0, 0, 1000, 800)
RINGS = np.array([shapely.box(0, 0, 430, 800), shapely.box(430, 0, 1000, 800)])
EMPTY = np.array([], dtype=object)


def parcels(*rows: tuple[str, shapely.Polygon]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"parcel_id": [f"P{row}" for row in range(len(rows))], "land_use": [row[0] for row in rows]},
        geometry=[row[1] for row in rows],
        crs=CRS,
    )


def homes(*shapes: shapely.Polygon, kind: str = "compound") -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"kind": [kind] * len(shapes)}, geometry=list(shapes), crs=CRS)


def zones(**more: np.ndarray) -> dict[str, np.ndarray]:
    return {"ring": RINGS, **more, "compound": more.get("compound", EMPTY)}


@st.composite
def plots(draw: st.DrawFn) -> shapely.Polygon:
    west, south = draw(st.integers(-100, 900)), draw(st.integers(-100, 700))
    wide, high = draw(st.integers(3, 300)), draw(st.integers(3, 300))
    turn = draw(st.integers(0, 89))
    return rotate(shapely.box(west, south, west + wide, south + high), turn)


@settings(deadline=None, max_examples=40)
@given(plots(), st.lists(plots(), max_size=3), st.sampled_from(["R2", "R2 70% B1 30%", "R21/R22"]))
def test_each_square_metre_is_in_one_piece(plot: shapely.Polygon, cutters: list[shapely.Polygon], use: str) -> None:
    own = shapely.intersection(plot, AREA).area
    share = {"R2": 1.0, "R2 70% B1 30%": 0.7, "R21/R22": 0.5}[use]
    found = land_of(parcels((use, plot)), homes(), zones(zone=np.array(cutters, dtype=object)))
    assert found.m2.sum() == round(own * share) or own * share % 1 == pytest.approx(0.5, abs=1e-6)
    assert (found.m2 > 0).all()
    assert (found.m2 <= PIECE_M**2 + 1).all()
    if not len(found):
        return
    points = shapely.points(found.xy)
    assert shapely.distance(points, plot).max() < 1e-6
    for kind, areas in (("ring", RINGS), ("zone", np.array(cutters, dtype=object))):
        for number, area in enumerate(areas):
            before = shapely.union_all(areas[:number]) if number else shapely.Polygon()
            exact = shapely.intersection(plot, AREA).intersection(area).difference(before).area * share
            pieces = found.groups[kind] == number
            assert found.m2[pieces].sum() == pytest.approx(exact, abs=max(2.0, float(pieces.sum())))
            if pieces.any():
                assert shapely.distance(points[pieces], area).max() < 1e-6


def test_a_parcel_that_a_ring_line_cuts_is_shared_by_area() -> None:
    found = land_of(
        parcels(("R2", shapely.box(400, 100, 500, 200)), ("B1", shapely.box(0, 0, 90, 90))), homes(), zones()
    )
    by_ring = [int(found.m2[found.groups["ring"] == ring].sum()) for ring in (0, 1)]
    assert by_ring == [3000, 7000]
    assert found.notes == ()


def test_land_beyond_the_area_does_not_count() -> None:
    found = land_of(parcels(("07", shapely.box(900, 0, 1100, 100))), homes(), zones())
    assert found.m2.sum() == 10_000


def test_compounds_stand_for_parcels_where_no_parcel_is_residential() -> None:
    compounds = homes(shapely.box(0, 0, 100, 100), shapely.box(50, 0, 150, 100))
    found = land_of(
        parcels(("B1", shapely.box(0, 0, 900, 700))), compounds, zones(compound=compounds.geometry.to_numpy())
    )
    assert found.m2.sum() == 15_000
    assert [note.code for note in found.notes] == ["coverage.land_from_compounds"]
    assert [int(found.m2[found.groups["compound"] == row].sum()) for row in (0, 1)] == [10_000, 5_000]


def test_without_parcels_and_compounds_the_land_is_unknown_and_no_measure() -> None:
    found = land_of(parcels(), homes(shapely.box(0, 0, 400, 400), kind="cell"), zones())
    assert len(found) == 0
    assert [note.code for note in found.notes] == ["coverage.land_unknown"]
    one = Residents(["d"], np.zeros((1, 2)), {"people": np.array([5])}, np.array([0]), np.array([True]))
    assert MEASURE not in with_land(one, found, np.zeros(0, dtype=bool)).measures


def test_land_follows_the_homes_and_nobody_lives_on_it() -> None:
    land = land_of(parcels(("R2", shapely.box(0, 0, 100, 100))), homes(), zones())
    one = Residents(["d"], np.zeros((1, 2)), {"people": np.array([5])}, np.array([0]), np.array([True]))
    both = with_land(one, land, np.ones(len(land), dtype=bool))
    assert len(both) == 1 + len(land)
    assert both.measures == ("people", MEASURE)
    assert both.weights.sum(axis=0).tolist() == [5, 10_000]
    assert both.lived_in.tolist() == [True] + [False] * len(land)
    assert len(set(both.demand_id)) == len(both)


@settings(deadline=None, max_examples=40)
@given(st.lists(plots(), min_size=1, max_size=4), st.lists(plots(), max_size=3))
def test_cuts_keep_the_area(shapes: list[shapely.Polygon], cutters: list[shapely.Polygon]) -> None:
    given_shapes = np.array(shapes, dtype=object)
    apart = np.array([cutters[0]], dtype=object) if cutters else EMPTY
    part, row, zone = cut_by(given_shapes, apart, rest=True)
    kept = np.bincount(row, shapely.area(part), minlength=len(shapes))
    assert kept == pytest.approx(shapely.area(given_shapes), rel=1e-9, abs=1e-3)
    inside = np.bincount(row[zone >= 0], shapely.area(part)[zone >= 0], minlength=len(shapes))
    exact = [shapely.intersection(shape, apart[0]).area if len(apart) else 0.0 for shape in shapes]
    assert inside == pytest.approx(exact, rel=1e-9, abs=1e-3)
    cells, of = in_cells(given_shapes)
    kept = np.bincount(of, shapely.area(cells), minlength=len(shapes))
    assert kept == pytest.approx(shapely.area(given_shapes), rel=1e-9, abs=1e-3)
    assert shapely.area(cells).max() <= PIECE_M**2 + 1e-6


def test_nothing_to_cut() -> None:
    part, row, zone = cut_by(EMPTY, RINGS, rest=True)
    assert len(part) == len(row) == len(zone) == 0
    assert len(in_cells(EMPTY)[0]) == 0
    assert isinstance(land_of(parcels(), homes(), zones()).groups["ring"], np.ndarray)
    assert pd.Series(land_of(parcels(), homes(), zones()).m2).sum() == 0
