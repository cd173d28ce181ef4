"""Groups: each point, piece of land and neighbourhood in at most one area of a kind; boroughs are sums."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lifecircle.layers.demand import Demand
from lifecircle.layers.groups import areas_of, counted_zones, group_of_points, groups_of
from lifecircle.layers.landpieces import land_of
from lifecircle.layers.sizes import sizes_of
from lifecircle.layers.standards import load_standard

if TYPE_CHECKING:
    from collections.abc import Callable

    from lifecircle.layers.study import Study

    MakeStudy = Callable[..., Study]

CRS_M = "EPSG:4548"
HALVES = [shapely.box(0, 0, 2000, 4000), shapely.box(2000, 0, 4000, 4000)]


def frame(shapes: list[shapely.Geometry], **columns: list[object]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=CRS_M)


def demand() -> Demand:
    xy = [(500, 500), (1900, 500), (2100, 500), (3500, 3500)]
    points = frame(
        [shapely.Point(*at) for at in xy],
        people=[10, 20, 30, 40],
        elders_60=[1, 2, 3, 4],
        households=[5, 5, 5, 5],
        ring_id=["R1", "R1", "R2", "R2"],
        district_id=["d1", "d1", "d2", None],
    )
    homes = frame(
        [shapely.box(400, 400, 600, 600), shapely.box(1800, 400, 2200, 600)],
        compound_id=["c1", "c2"],
        name=["甲", "乙"],
        kind=["compound", "compound"],
    )
    return Demand(points, ("people", "elders_60", "households"), homes, np.array([0, 1, 1, -1]), ())


def study_with(make_study: MakeStudy, *, boroughs: list[object] | None) -> Study:
    thirds = [shapely.box(0, 0, 2000, 4000), shapely.box(2000, 0, 3000, 4000), shapely.box(3000, 0, 4000, 3000)]
    districts = frame(thirds, district_id=["d1", "d2", "d3"], name=["一街道", "二街道", "三街道"])
    if boroughs is not None:
        districts["borough"] = boroughs
    zones = frame([shapely.box(0, 0, 2050, 1000), shapely.box(1950, 0, 4000, 1000)], name=["西", None])
    return make_study({"districts": districts, "zones": zones})


def test_each_point_is_in_one_area_of_a_kind_and_land_follows(make_study: MakeStudy) -> None:
    study = study_with(make_study, boroughs=["东区", "东区", None])
    rings = frame(list(HALVES), ring_id=["R1", "R2"], name=["内", "外"])
    people, projects = demand(), frame([], project_id=[], name=[])
    areas = areas_of(study, rings, people, projects)
    assert [note.code for note in areas.notes] == ["coverage.zones_overlap"]
    parcels = frame([shapely.box(1900, 0, 2100, 100)], land_use=["R2"])
    land = land_of(parcels, people.neighbourhoods, areas.polygons)
    groups = {kind.kind: kind for kind in groups_of("甲市", areas, people, land)}
    assert [*groups] == ["city", "ring", "borough", "district", "zone", "compound"]
    first = {kind: found.of_demand[:4].tolist() for kind, found in groups.items()}
    assert first == {
        "city": [0, 0, 0, 0],
        "ring": [0, 0, 1, 1],
        "borough": [0, 0, 0, -1],
        "district": [0, 0, 1, -1],
        "zone": [0, 0, 1, -1],
        "compound": [0, 1, 1, -1],
    }
    assert {len(found.of_demand) for found in groups.values()} == {4 + len(land)}
    assert groups["zone"].ids == ["Z1", "Z2"]
    assert list(groups["zone"].names) == ["西", "Z2"]
    assert land.m2.sum() == 20_000
    by_zone = [int(land.m2[land.groups["zone"] == zone].sum()) for zone in (0, 1)]
    assert by_zone == [15_000, 5_000]  # the first keeps the strip that both claim
    zones = counted_zones(areas, list(groups.values()), people)
    assert zones is not None
    assert zones["people"].tolist() == [30, 30]
    assert zones["compounds"].tolist() == [2, 0]


def test_facilities_stand_in_the_groups_that_hold_them(make_study: MakeStudy) -> None:
    study = study_with(make_study, boroughs=["东区", None, "西区"])
    people = demand()
    areas = areas_of(study, frame(list(HALVES), ring_id=["R1", "R2"], name=["内", "外"]), people, frame([]))
    land = land_of(frame([], land_use=[]), people.neighbourhoods, areas.polygons)
    groups = {kind.kind: kind for kind in groups_of("甲市", areas, people, land)}
    places = shapely.points([[100.0, 100.0], [2500.0, 100.0], [3500.0, 100.0], [9000.0, 0.0]])
    inside = np.array([True, True, True, False])
    found = {kind: group_of_points(places, areas, groups[kind], inside).tolist() for kind in groups}
    assert found["city"] == [0, 0, 0, -1]
    assert found["ring"] == [0, 1, 1, -1]
    assert found["district"] == [0, 1, 2, -1]
    assert found["borough"] == [0, -1, 1, -1]
    assert found["zone"] == [0, 1, 1, -1]


def test_a_study_without_boroughs_and_zones_has_none(make_study: MakeStudy) -> None:
    people = demand()
    areas = areas_of(make_study(), frame(list(HALVES), ring_id=["R1", "R2"], name=["内", "外"]), people, frame([]))
    land = land_of(frame([], land_use=[]), people.neighbourhoods, areas.polygons)
    groups = groups_of("甲市", areas, people, land)
    assert [kind.kind for kind in groups] == ["city", "ring", "compound"]
    assert counted_zones(areas, groups, people) is None


def test_sizes_are_compared_only_where_they_are_known() -> None:
    rule = load_standard("gb50180-2018").rule("kindergarten")
    rows = pd.DataFrame({"floor_area_m2": [3150.0, 3149.0, None, 9999.0], "land_area_m2": [5240.0, None, None, 10.0]})
    found = sizes_of(rule, rows)
    assert found is not None
    assert found.small.tolist() == [False, True, False, True]
    assert found.sure.tolist() == [True, False, False, False]
    assert sizes_of(load_standard("gb50180-2018").rule("post_office"), rows) is None
