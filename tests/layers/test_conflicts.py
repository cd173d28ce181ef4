"""Conflicts: each kind is found where it is, none where it is not, and nothing is said of what is not known."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.layers.compatibility import load_compatibility
from lifecircle.layers.conflicts import CONTROL_TOLERANCE, KINDS, FoundConflicts, conflicts_of
from lifecircle.layers.findings import TABLES
from lifecircle.layers.projects import against
from lifecircle.layers.rings import rings_of
from lifecircle.layers.words import LANGUAGES, catalogue, say
from lifecircle.layers.zoning import find_parcels
from lifecircle.maps.sections_zoning import conflict_said

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .conftest import MakeStudy

CRS_M = "EPSG:4548"
GROUND = shapely.box(0, 0, 100, 100)
PLAIN: dict[str, Any] = {
    "project_id": "X1",
    "name": "项目",
    "kind": "shantytown",
    "way": "demolish",
    "planned_use": None,
    "height_after_m": np.nan,
    "floor_area_m2": 10_000.0,
    "floor_area_after_m2": np.nan,
    "households": np.nan,
    "households_after": np.nan,
    "ring_id": "R1",
    "against_reason": None,
}
ZONE: dict[str, Any] = {"land_use": "R2", "far": 2.0, "density": 0.3, "height_m": 54.0, "green_ratio": 0.35}


def found(
    make_study: MakeStudy,
    project: dict[str, Any],
    zones: Sequence[tuple[dict[str, Any], shapely.Polygon]] = (({}, GROUND),),
    policy: str = "none",
) -> FoundConflicts:
    """Return the conflicts of one project on some parcels."""
    rows = [{**ZONE, **zone} for zone, _ in zones]
    layer = gpd.GeoDataFrame(rows, geometry=[shape for _, shape in zones], crs=CRS_M)
    study = make_study({"parcels": layer} if rows else {})
    rings = rings_of(study).assign(policy=policy)
    projects = gpd.GeoDataFrame([{**PLAIN, **project}], geometry=[GROUND], crs=CRS_M)
    return conflicts_of(projects, find_parcels(study, rings).frame, rings, load_compatibility())


def codes(result: FoundConflicts) -> list[str]:
    return [str(code) for code in result.table["code"]]


LEFT, RIGHT = shapely.box(0, 0, 50, 100), shapely.box(50, 0, 100, 100)


@pytest.mark.parametrize(
    ("planned", "zones", "conflict"),
    [
        ("R2", ["R2", "R2"], False),
        ("二类居住用地", ["070102", "ｒ２"], False),
        ("R2", ["R2", "G1"], True),
        ("R2/G1", ["R2", "G1"], False),
        ("R22", ["R2", "B1"], False),
        ("R2", ["R22", "R22"], True),
        ("R2 50%/B1 50%", ["R2", "R2"], True),
        ("R2/B1", ["R2", "R2"], False),
        ("R2", ["16", "16"], False),
        ("R2", ["??", "乱码"], False),
        ("??", ["G1", "G1"], False),
        (None, ["B1", "B1"], False),
    ],
)
def test_planned_use_against_the_zone(
    make_study: MakeStudy,
    planned: str | None,
    zones: list[str],
    conflict: bool,  # noqa: FBT001
) -> None:
    ground = [({"land_use": use}, shape) for use, shape in zip(zones, (LEFT, RIGHT), strict=True)]
    result = found(make_study, {"planned_use": planned}, ground)
    assert codes(result) == (["use_not_zoned"] if conflict else [])


def test_homes_where_no_ground_is_zoned_for_homes(make_study: MakeStudy) -> None:
    homes = {"households_after": 120.0}
    parks = [({"land_use": "G1"}, LEFT), ({"land_use": "A33"}, RIGHT)]
    assert codes(found(make_study, homes, parks)) == ["homes_not_zoned"]
    assert codes(found(make_study, {**homes, "way": "convert"}, parks)) == []
    assert codes(found(make_study, homes, [({"land_use": "R2"}, LEFT), ({"land_use": "A33"}, RIGHT)])) == []
    assert codes(found(make_study, homes, parks[:1])) == [], "half of the ground says nothing"


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from([0.5, 1.0, 2.5, None]), st.integers(1, 9)), min_size=1, max_size=3),
    st.integers(0, 60_000),
)
def test_floor_area_is_above_the_ratio_exactly_when_it_is(
    make_study: MakeStudy, strips: list[tuple[float | None, int]], after: int
) -> None:
    edges = np.cumsum([0, *(width for _, width in strips)]) / sum(width for _, width in strips) * 100
    free = {"density": None, "height_m": None, "green_ratio": None}
    zones = [
        ({**free, "far": far}, shapely.box(edges[row], 0, edges[row + 1], 100)) for row, (far, _) in enumerate(strips)
    ]
    result = found(make_study, {"floor_area_after_m2": float(after)}, zones)
    allowed = sum(zone["far"] * shape.area for zone, shape in zones if zone["far"] is not None)
    silent = sum(shape.area for zone, shape in zones if zone["far"] is None)
    if silent > 1000 + 1e-6:
        assert codes(result) == []
        assert [note.code for note in result.notes] == (["conflicts.unjudged"] if after else [])
        return
    limit = allowed * (1 + silent / (10_000 - silent)) * (1 + CONTROL_TOLERANCE)
    assert codes(result) == (["far_above"] if after > limit else [])
    if after > limit:
        detail = json.loads(result.table["detail"][0])
        relaxed = load_compatibility().relaxation.far_factor * detail["allowed_m2"]
        assert detail["relaxed_m2"] == pytest.approx(relaxed)
        assert ("relaxation" in detail) == (after <= relaxed * (1 + CONTROL_TOLERANCE))


def test_form_binds_where_the_ratio_does_not(make_study: MakeStudy) -> None:
    low = [({"far": 3.0, "density": 0.3, "height_m": 12.0}, GROUND)]
    result = found(make_study, {"floor_area_after_m2": 20_000.0}, low)
    assert codes(result) == ["form_above"]
    assert json.loads(result.table["detail"][0])["allowed_m2"] == 0.3 * 10_000 * 4
    assert codes(found(make_study, {"floor_area_after_m2": 12_000.0}, low)) == []


def test_what_stands_and_does_not_grow_is_not_against_its_zone(make_study: MakeStudy) -> None:
    stays = {"floor_area_m2": 90_000.0, "floor_area_after_m2": 90_000.0}
    assert codes(found(make_study, {**stays, "way": "keep"})) == []
    assert codes(found(make_study, {**stays, "way": "convert"})) == []
    assert codes(found(make_study, {**stays, "way": "demolish"})) == ["far_above", "form_above"]
    assert codes(found(make_study, {"floor_area_after_m2": 91_000.0, "way": "convert"})) == ["far_above", "form_above"]


def test_height_is_held_against_the_highest_limit(make_study: MakeStudy) -> None:
    zones = [({"height_m": 24.0}, LEFT), ({"height_m": 54.0}, RIGHT)]
    assert codes(found(make_study, {"height_after_m": 54.0}, zones)) == []
    assert codes(found(make_study, {"height_after_m": 60.0}, zones)) == ["height_above"]
    unknown = [({"height_m": None}, LEFT), ({"height_m": 24.0}, RIGHT)]
    assert codes(found(make_study, {"height_after_m": 60.0}, unknown)) == []


def test_nothing_is_said_without_parcels(make_study: MakeStudy) -> None:
    full = {"planned_use": "R2", "floor_area_after_m2": 1e6, "height_after_m": 300.0, "households_after": 9.0}
    result = found(make_study, full, ())
    assert result.table.empty
    assert list(result.table.columns) == list(TABLES["conflicts"])
    assert result.notes == ()


def test_the_ring_is_told_as_the_projects_say(make_study: MakeStudy) -> None:
    for code, kind in KINDS.items():
        if kind == "ring":
            result = found(make_study, {"against_reason": code, "floor_area_after_m2": 12_000.0}, (), "subtract")
            assert codes(result) == [code]
            assert json.loads(result.table["detail"][0])["policy"] == "subtract"
    assert against("keep", "", kind="shantytown") == "clears_where_kept"
    assert against("keep", "convert", kind="shantytown") is None
    assert against("keep", "", kind="historic") is None


def test_each_conflict_has_clause_confidence_and_a_sentence(make_study: MakeStudy) -> None:
    rules = load_compatibility()
    assert rules.conflicts.keys() == KINDS.keys()
    everything = {
        "planned_use": "B1",
        "floor_area_after_m2": 60_000.0,
        "height_after_m": 99.0,
        "against_reason": "grows_where_less_is_wanted",
    }
    more, less = ({"against_reason": f"{name}_wanted"} for name in ("grows_where_less_is", "shrinks_where_more_is"))
    results = [
        found(make_study, everything, policy="subtract"),
        found(make_study, {**less, "floor_area_after_m2": 0.0}, (), "multiply"),
        found(make_study, {**more, "floor_area_m2": 0.0, "floor_area_after_m2": 5.0}),
        found(make_study, {**more, "households": 10.0, "households_after": 20.0}),
        found(make_study, more),
        found(make_study, {"against_reason": "demolishes_where_kept"}, (), "keep"),
        found(make_study, {"against_reason": "clears_where_kept", "way": None}, (), "keep"),
        found(make_study, {"households_after": 5.0}, [({"land_use": "G1"}, GROUND)]),
    ]
    seen = set()
    for result in results:
        for _, row in result.table.iterrows():
            seen.add(row["code"])
            assert row["kind"] == KINDS[row["code"]]
            assert row["clause"]
            assert row["clause_en"]
            assert row["confidence"] in {"A", "B", "C", "D"}
            for language in LANGUAGES:
                said = conflict_said(row["code"], row["detail"], language)
                assert said
                assert "None" not in said
                assert "nan" not in said
                assert say(f"values.conflict_{row['code']}", language)
    assert seen == KINDS.keys()
    assert {f"values.kind_{kind}" for kind in KINDS.values()} <= catalogue().keys()
