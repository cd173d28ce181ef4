"""The balance of land adds up to the square metre in every ring and sub-district, now and planned."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.layers.files import read_source
from lifecircle.layers.findings import TABLES
from lifecircle.layers.land_balance import Cells, areas_by_use, cells_of, find_balance, zoning_balance
from lifecircle.layers.rings import rings_of
from lifecircle.layers.sample import make_city
from lifecircle.layers.words import LANGUAGES, say
from lifecircle.layers.zoned import verdict_table, zoned
from lifecircle.layers.zoning import find_parcels, group_names, land_uses

if TYPE_CHECKING:
    from lifecircle.layers.study import Study

    from .conftest import MakeStudy

CRS_M = "EPSG:4548"
SIDE_M = 4000.0
NO_PROJECTS = gpd.GeoDataFrame({"planned_use": []}, geometry=[], crs=CRS_M)

squares = st.tuples(st.integers(-5, 38), st.integers(-5, 38), st.integers(1, 25), st.integers(1, 25))
uses = st.sampled_from(["R2", "B1 33%/R2 67%", "0702+0901+1401", "?", "", "M1", "空闲地"])
parcel_rows = st.lists(st.tuples(squares, uses, uses), max_size=7)


def square(at: tuple[int, int, int, int]) -> shapely.Polygon:
    """Return a rectangle whose corners are no whole metres."""
    x, y, width, height = at
    return shapely.box(x * 100.37, y * 100.71, x * 100.37 + width * 99.13, y * 100.71 + height * 101.9)


def study_of(
    make_study: MakeStudy,
    rows: list[tuple[tuple[int, int, int, int], str, str]],
    districts: list[tuple[int, int, int, int]],
    *,
    land_use: str = "planned",
    **more: gpd.GeoDataFrame,
) -> Study:
    layers = {
        "rings": gpd.GeoDataFrame({"name": ["内"]}, geometry=[shapely.Point(2000, 2000).buffer(907.3)], crs=CRS_M),
        **more,
    }
    if rows:
        columns = {"land_use": [use for _, use, _ in rows], "land_use_now": [now for *_, now in rows]}
        layers["parcels"] = gpd.GeoDataFrame(columns, geometry=[square(at) for at, *_ in rows], crs=CRS_M)
    if districts:
        named = {"district_id": [f"D{row}" for row in range(len(districts))], "name": "街"}
        layers["districts"] = gpd.GeoDataFrame(named, geometry=[square(at) for at in districts], crs=CRS_M)
    return make_study(layers, settings={"zoning": {"land_use": land_use}})


@settings(deadline=None, max_examples=40)
@given(parcel_rows, st.lists(squares, max_size=4))
def test_it_adds_up_to_the_square_metre_everywhere(
    make_study: MakeStudy,
    rows: list[tuple[tuple[int, int, int, int], str, str]],
    districts: list[tuple[int, int, int, int]],
) -> None:
    study = study_of(make_study, rows, districts)
    rings = rings_of(study)
    cells = cells_of(rings, study.layers.get("districts"))
    parcels = find_parcels(study, rings).frame
    assert cells.area_m2.sum() == round(rings.geometry.area.sum())
    assert shapely.area(cells.shapes).sum() == pytest.approx(SIDE_M**2, abs=2.0 * len(cells.shapes))
    assert cells.area_m2.dtype == np.int64
    whole = areas_by_use(parcels.geometry.to_numpy(), parcels["land_use"].fillna("").tolist(), cells)
    assert (whole >= 0).all()
    assert whole.sum(axis=1).tolist() == cells.area_m2.tolist()
    assert_near(whole, parcels, cells)
    table = find_balance(study, parcels, NO_PROJECTS, cells, rings).table
    assert list(table.columns) == list(TABLES["land_balance"])
    balance = zoning_balance(parcels, rings, cells)
    assert balance["area_m2"].sum() == cells.area_m2.sum()
    if not len(parcels):
        assert table.empty
        return
    for _, when in table.groupby("when"):
        assert when["area_m2"].sum() == cells.area_m2.sum()
        by_cell = when.groupby(["ring_id", "district_id"], dropna=False)["share"].sum()
        assert by_cell.to_numpy() == pytest.approx(1.0)
        by_ring = when.groupby("ring_id")["area_m2"].sum()
        assert by_ring.to_dict() == balance.groupby("ring_id")["area_m2"].sum().to_dict()
    planned = table[table["when"] == "planned"].groupby(["ring_id", "use_group"])["area_m2"].sum()
    assert planned.to_dict() == balance.set_index(["ring_id", "use_group"])["area_m2"].to_dict()


def assert_near(whole: np.ndarray, parcels: gpd.GeoDataFrame, cells: Cells) -> None:  # type: ignore[type-arg]
    """Hold each figure against the geometry: the piece is rounded, and the use in it."""
    for cell, shape in enumerate(cells.shapes):
        exact = dict.fromkeys(group_names(), 0.0)
        for polygon, use in zip(parcels.geometry, parcels["land_use"].fillna(""), strict=True):
            for part in land_uses(use):
                exact[part.group] += shapely.intersection(polygon, shape).area * part.share
        exact["none"] += max(shape.area - sum(exact.values()), 0.0)
        assert np.abs(whole[cell] - np.array(list(exact.values()))).max() < 2.0


@settings(deadline=None, max_examples=25)
@given(parcel_rows, squares)
def test_what_does_not_change_keeps_its_figure(
    make_study: MakeStudy, rows: list[tuple[tuple[int, int, int, int], str, str]], district: tuple[int, int, int, int]
) -> None:
    same = [(at, use, use if row % 2 else "G1") for row, (at, use, _) in enumerate(rows, 1)]
    study = study_of(make_study, [*same, ((0, 0, 3, 3), "R2", "R2")], [district])
    rings = rings_of(study)
    parcels = find_parcels(study, rings).frame
    table = find_balance(study, parcels, NO_PROJECTS, cells_of(rings, study.layers["districts"]), rings).table
    pivot = table.pivot_table(
        index=["ring_id", "use_group"], columns="when", values="area_m2", aggfunc="sum", fill_value=0, observed=True
    )
    none = pivot[pivot.index.get_level_values("use_group") == "none"]
    assert (none["now"] == none["planned"]).all()
    assert pivot["now"].sum() == pivot["planned"].sum()


def test_present_uses_with_projects_over_them_are_the_plan(make_study: MakeStudy) -> None:
    rows = [((0, 0, 10, 10), "M1", ""), ((20, 20, 10, 10), "G1", "")]
    project = gpd.GeoDataFrame({"planned_use": ["R2"]}, geometry=[shapely.box(0, 0, 500, 500)], crs=CRS_M)
    study = study_of(make_study, rows, [], land_use="now")
    rings = rings_of(study)
    parcels = find_parcels(study, rings).frame
    found = find_balance(study, parcels, project, cells_of(rings), rings)
    sums = found.table.groupby(["when", "use_group"])["area_m2"].sum()
    assert sums["planned", "residential"] == 250_000
    assert sums["now", "industrial"] - sums["planned", "industrial"] == 250_000
    assert sums["now", "green"] == sums["planned", "green"]
    assert ("now", "residential") not in sums.index
    assert [note.code for note in found.notes] == ["zoning.balance_now"]
    alone = find_balance(study, parcels, NO_PROJECTS, cells_of(rings), rings)
    assert set(alone.table["when"]) == {"now"}
    assert [note.code for note in alone.notes] == ["zoning.balance_now_only"]


def test_notes_say_which_columns_were_read(make_study: MakeStudy) -> None:
    expected = {("R2", "M1"): "balance_whole", ("R2", ""): "balance_planned_only"}
    for (planned, now), code in expected.items():
        study = study_of(make_study, [((0, 0, 5, 5), planned, now)], [])
        rings = rings_of(study)
        found = find_balance(study, find_parcels(study, rings).frame, NO_PROJECTS, cells_of(rings), rings)
        assert [note.code for note in found.notes] == [f"zoning.{code}"]
        assert all(say(note.code, language, **note.detail) for note in found.notes for language in LANGUAGES)
    both = study_of(make_study, [((0, 0, 5, 5), "R2", "M1"), ((9, 9, 5, 5), "R2", "")], [])
    rings = rings_of(both)
    found = find_balance(both, find_parcels(both, rings).frame, NO_PROJECTS, cells_of(rings), rings)
    assert [dict(note.detail) for note in found.notes] == [{"count": 1}]
    unknown = found.table[(found.table["when"] == "now") & (found.table["use_group"] == "unknown")]
    assert unknown["area_m2"].sum() == pytest.approx(square((9, 9, 5, 5)).area, abs=1)


def test_districts_that_overlap_count_ground_once() -> None:
    rings = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1000, 1000)], crs=CRS_M)
    districts = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 600, 1000), shapely.box(400, 0, 1000, 1000)], crs=CRS_M)
    cells = cells_of(rings, districts)
    assert (cells.district.tolist(), cells.area_m2.tolist()) == ([0, 1], [600_000, 400_000])


@pytest.fixture(scope="module")
def city() -> dict[str, gpd.GeoDataFrame]:
    return dict(make_city(people=20_000, seed=3).layers)


def test_a_made_up_city_adds_up(make_study: MakeStudy, city: dict[str, gpd.GeoDataFrame]) -> None:
    study = made(make_study, city)
    rings = rings_of(study)
    found = zoned(study, rings, find_parcels(study, rings).frame, NO_PROJECTS)
    for _, when in found.tables["land_balance"].groupby("when"):
        assert when["area_m2"].sum() == round(rings.geometry.area.sum())
    assert set(found.tables["land_balance"]["when"]) == {"now", "planned"}
    assert found.tables["conflicts"].empty
    for note in found.notes:
        assert all(say(note.code, language, **note.detail) for language in LANGUAGES)


def made(make_study: MakeStudy, city: dict[str, gpd.GeoDataFrame]) -> Study:
    """Return a study of the made-up city in its own CRS."""
    kept = {name: city[name] for name in ("parcels", "districts")}
    study = make_study(kept)
    area = gpd.GeoDataFrame({"name": ["样"]}, geometry=[city["area"].union_all()], crs=city["area"].crs)
    return type(study)(
        settings=study.settings,
        folder=Path(),
        crs=area.crs,
        area=area,
        layers=kept,
        rasters={},
        osm=(),
        sources=(),
    )


def test_land_of_a_real_city_adds_up(make_study: MakeStudy, places: Path) -> None:
    frame = read_source(places / "parcels" / "urban_villages_bj_sh_gz.geojson").frame.to_crs("EPSG:32650")
    shapes = frame.geometry[frame.geometry.is_valid & (frame.geometry.geom_type != "Point")].head(400)
    values = (["R2", "R2/B1", "B1 30%/R2 70%", "M1", "0702"] * len(shapes))[: len(shapes)]
    west, south, east, north = shapes.total_bounds
    rings = gpd.GeoDataFrame(geometry=[shapely.box(west, south, east, north)], crs=frame.crs)
    parcels = gpd.GeoDataFrame({"land_use": values}, geometry=shapes.to_numpy(), crs=frame.crs)
    study = make_study({"parcels": parcels})
    clean = find_parcels(study, rings).frame
    cells = cells_of(rings)
    whole = areas_by_use(clean.geometry.to_numpy(), clean["land_use"].tolist(), cells)
    assert whole.sum() == cells.area_m2.sum() == round(rings.geometry.area.iloc[0])
    known = whole[0, : group_names().index("none")].sum()
    assert known == pytest.approx(clean.geometry.area.sum(), abs=2)


def test_verdicts_of_candidates_name_their_rows() -> None:
    from lifecircle.layers.compatibility import load_compatibility  # noqa: PLC0415

    rules = load_compatibility()
    tried = pd.DataFrame(
        {
            "site_id": ["a", "b", "c", "d", "a"],
            "kind": ["idle_land", "vacated_factory", "idle_land", "vacated_factory", "idle_land"],
            "land_use": ["M1", "M1", "R2/B1", "R2", "M1"],
            "facility_class": ["food_market"] * 4 + ["elderly_home"],
        }
    )
    table = verdict_table(tried, rules)
    assert list(table.columns) == list(TABLES["land_verdicts"])
    assert table["sites"].sum() == len(tried)
    for _, row in table.iterrows():
        judged = rules.judge(row["land_use"], row["facility_class"], vacated=row["vacated"])
        assert (row["verdict"], row["confidence"]) == (judged.verdict, judged.confidence)
    market = table[table["facility_class"] == "food_market"].set_index(["land_use", "vacated"])
    assert market.loc[("M1", True), "verdict"] == "share"
    assert market.loc[("M1", False), "verdict"] == "rezoning"
    assert ("R2", True) not in market.index, "a reuse that changes nothing is no row of its own"
    assert verdict_table(tried.head(0), rules).empty
