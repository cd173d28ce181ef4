"""The whole plan on a small made-up city: same input same output, totals that add up in every table, after ≥ before."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import shapely

from lifecircle.layers.findings import LAYERS, TABLES, Findings
from lifecircle.layers.load import load_study
from lifecircle.layers.plan import find
from lifecircle.layers.sample import write_sample
from lifecircle.layers.steps import Steps
from lifecircle.layers.store import save
from lifecircle.layers.words import catalogue, say

if TYPE_CHECKING:
    from pathlib import Path

PEOPLE = 20_000


@pytest.fixture(scope="module")
def study_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("city"), people=PEOPLE, seed=3)


@pytest.fixture(scope="module")
def findings(study_file: Path) -> Findings:
    return find(load_study(study_file))


def varied(study_file: Path, **settings: str) -> Path:
    """A copy of study.toml, beside it, with other values under [study]."""
    text = study_file.read_text(encoding="utf-8")
    for key, value in settings.items():
        text = re.sub(rf"(?m)^{key} *=.*\n", "", text).replace("[study]\n", f'[study]\n{key} = "{value}"\n', 1)
    copy = study_file.with_name(f"{'-'.join(settings.values())}.toml")
    copy.write_text(text, encoding="utf-8")
    return copy


def test_every_layer_and_table_has_its_columns_and_the_study_crs(findings: Findings) -> None:
    for name, columns in LAYERS.items():
        frame = findings.layers[name]
        assert [*frame.columns] == [*columns, "geometry"], name
        assert frame.crs == findings.layers["area"].crs, name
    for name, columns in TABLES.items():
        assert [*findings.tables[name].columns] == [*(columns or LAYERS[name])], name


def test_same_input_same_bytes(study_file: Path, findings: Findings, tmp_path: Path) -> None:
    for name, found in (("a", findings), ("b", find(load_study(study_file)))):
        (tmp_path / name).mkdir()
        save(found, tmp_path / name)
    files = [path for path in sorted((tmp_path / "a").rglob("*")) if path.is_file()]
    assert any(path.parent.name == "siting" for path in files)
    for file in files:
        assert file.read_bytes() == (tmp_path / "b" / file.relative_to(tmp_path / "a")).read_bytes(), file.name


def test_people_are_whole_and_the_same_in_every_layer(findings: Findings) -> None:
    assert findings.manifest["totals"]["people"] == PEOPLE
    for layer in ("demand", "rings", "districts"):
        assert findings.layers[layer]["people"].sum() == PEOPLE, layer
    of_city = findings.tables["coverage"].query("group_kind == 'city' and measure == 'people'")
    assert (of_city["total"] == PEOPLE).all()
    assert findings.tables["components"]["people"].sum() <= PEOPLE


def test_covered_uncovered_and_unknown_are_the_total_in_every_group(findings: Findings) -> None:
    coverage = findings.tables["coverage"]
    parts = coverage[["covered", "uncovered", "unknown"]]
    assert (parts >= 0).all().all()
    assert (parts.sum(axis=1) == coverage["total"]).all()
    sure = coverage["covered"] + coverage["uncovered"]
    expected = (coverage["covered"] / sure).where(sure > 0)
    np.testing.assert_array_equal(coverage["rate"], expected)


def test_groups_are_sums_of_their_parts(findings: Findings) -> None:
    coverage = findings.tables["coverage"]
    counts = ["total", "covered", "uncovered", "unknown", "after_covered"]
    keys = ["facility_class", "measure"]
    city = coverage[coverage["group_kind"] == "city"].set_index(keys)[counts]
    for kind in ("ring", "district"):
        parts = coverage[coverage["group_kind"] == kind].groupby(keys)[counts].sum()
        pd.testing.assert_frame_equal(parts.sort_index(), city.sort_index(), check_dtype=False)


def test_proposed_sites_never_take_coverage_away_and_add_what_they_say(findings: Findings) -> None:
    coverage, siting = findings.tables["coverage"], findings.tables["siting"]
    known = coverage[coverage["status"] == "ok"]
    assert (known["after_covered"] >= known["covered"]).all()
    assert len(siting)
    for row in siting.itertuples():
        of_class = coverage[
            (coverage["group_kind"] == "city")
            & (coverage["facility_class"] == row.facility_class)
            & (coverage["measure"] == row.weight)
        ].iloc[0]
        assert of_class["covered"] == row.covered_before
        assert of_class["after_covered"] == row.covered_after
        sites = findings.layers["sites"]
        assert sites.loc[sites["facility_class"] == row.facility_class, "added"].sum() == row.objective
        assert row.bound >= row.objective


def test_a_site_carries_one_use(findings: Findings) -> None:
    assert findings.layers["sites"]["site_id"].is_unique


def test_the_missing_list_and_coverage_of_compounds_agree(findings: Findings) -> None:
    coverage, missing = findings.tables["coverage"], findings.tables["missing"]
    whole = coverage[(coverage["group_kind"] == "city") & (coverage["measure"] == "compounds")].set_index(
        "facility_class"
    )
    by_status = missing.pivot_table(index="facility_class", columns="status", aggfunc="size", fill_value=0)
    whole = whole.reindex(by_status.index)
    near = by_status.reindex(columns=["present", "partial", "too_small"], fill_value=0).sum(axis=1)
    assert (near == whole["covered"]).all()
    assert (by_status["too_far"] == whole["uncovered"]).all()
    sure = missing[missing["status"].isin(["present", "partial", "too_small", "too_far"])]
    walk, longest = sure["walk"].fillna(np.inf), sure["walk_longest"].fillna(np.inf)
    assert ((sure["status"] == "too_far") == (walk > sure["limit"])).all()
    large = sure["status"] != "too_small"
    assert ((sure["status"] == "present") == (longest <= sure["limit"]))[large].all()


def test_the_missing_list_counts_the_people_of_its_neighbourhoods(findings: Findings) -> None:
    missing, compounds = findings.tables["missing"], findings.layers["compounds"].set_index("compound_id")
    assert (missing["people"] == compounds["people"].reindex(missing["compound_id"]).to_numpy()).all()
    assert (missing["people_lacking"].fillna(0) <= missing["people"]).all()
    for status, name in (("too_far", "missing"), ("partial", "partial"), ("too_small", "too_small")):
        listed = missing[(missing["status"] == status) & missing["required"]]
        counted = listed.groupby("compound_id").size().reindex(compounds.index, fill_value=0)
        assert (compounds[f"{name}_count"] == counted).all()


def test_a_class_without_data_is_unknown_for_everybody_and_has_no_rate(findings: Findings) -> None:
    coverage = findings.tables["coverage"]
    silent = coverage[coverage["status"] == "no_data"]
    assert len(silent), "the made-up city leaves some class out on purpose"
    assert (silent["unknown"] == silent["total"]).all()
    assert silent["rate"].isna().all()
    shown = set(findings.layers["facilities"]["facility_class"])
    assert shown.isdisjoint(silent["facility_class"])


def test_circles_are_nested_valid_and_never_straight_line_buffers(findings: Findings) -> None:
    circles = findings.layers["circles"].set_index(["facility_class", "minutes"]).geometry
    facilities = findings.layers["facilities"].query("status == 'existing'")
    for name in sorted({key for key, _ in circles.index}):
        five, ten, fifteen = (circles[name, minutes] for minutes in (5, 10, 15))
        assert all(shape.is_valid for shape in (five, ten, fifteen)), name
        assert five.difference(ten).area < 1e-6 * ten.area
        assert ten.difference(fifteen).area < 1e-6 * fifteen.area
        straight = facilities[facilities["facility_class"] == name].buffer(1000.0 + 25.0).union_all()
        assert fifteen.area < 0.95 * straight.area, name


def test_circles_stop_at_walls_none_of_whose_gates_they_reach(study_file: Path, findings: Findings) -> None:
    layers = load_study(study_file).layers
    homes, gates = layers["compounds"].query("walled"), layers["gates"].query("open")
    assert len(homes) > 10
    doors = {
        key: shapely.multipoints(shapely.get_coordinates(own.geometry)) for key, own in gates.groupby("compound_id")
    }
    facilities = findings.layers["facilities"]
    outside = entered = 0
    for circle in findings.layers["circles"].itertuples():
        sites = facilities[facilities["facility_class"] == circle.facility_class].union_all()
        for key, ground in zip(homes["compound_id"], homes.geometry, strict=True):
            if key not in doors or not circle.geometry.intersects(ground.buffer(5.0)):
                continue
            inside = circle.geometry.intersection(ground.buffer(-1.0)).area > 1.0
            entered += inside
            outside += not inside
            # A wall stands a little beside its gates.
            assert not inside or doors[key].distance(circle.geometry) < 5.0 or sites.intersects(ground), key
    assert entered > 10
    assert outside > 10


def test_the_circle_that_counts_for_a_class_is_there(findings: Findings) -> None:
    circles = findings.layers["circles"]
    coverage = findings.tables["coverage"].query("group_kind == 'city' and measure == 'people' and status == 'ok'")
    limits = {key: frame["limit"].tolist() for key, frame in circles.groupby("facility_class")}
    for row in coverage.itertuples():
        if row.facility_class in limits:
            assert row.limit in limits[row.facility_class], row.facility_class
    own = circles[~circles["minutes"].isin([5, 10, 15])]
    assert set(own["facility_class"]) == {"metro_station", "police_station"} & set(circles["facility_class"])
    assert set(own["minutes"]) <= {13}
    for name in own["facility_class"]:
        areas = circles[circles["facility_class"] == name].sort_values("limit")["area_m2"]
        assert areas.is_monotonic_increasing


def test_rings_and_land_use_cover_the_area_once(findings: Findings) -> None:
    area_m2 = float(findings.layers["area"].area.iloc[0])
    rings = findings.layers["rings"]
    assert rings.area.sum() == pytest.approx(area_m2, rel=1e-6)
    shapes = rings.geometry.to_numpy()
    for i in range(len(shapes)):
        for j in range(i):
            assert shapely.intersection(shapes[i], shapes[j]).area < 1.0
    assert findings.tables["zoning"]["area_m2"].sum() == pytest.approx(area_m2, rel=1e-6)


def test_projects_add_up_by_ring(findings: Findings) -> None:
    projects, by_ring = findings.layers["projects"], findings.tables["projects_by_ring"]
    assert by_ring["projects"].sum() == len(projects)
    assert by_ring["households"].sum() == projects["households"].sum()
    assert by_ring["people_before"].sum() == projects["people_before"].sum()
    anqing = projects[projects["year"] == 2016]
    assert anqing["households"].sum() == 1622
    assert anqing["floor_area_m2"].sum() == pytest.approx(544_500)


def test_every_note_and_warning_can_be_said_in_both_languages(findings: Findings) -> None:
    assert findings.manifest["notes"]
    for note in (*findings.manifest["notes"], *findings.manifest["warnings"]):
        assert note["code"] in catalogue()
        for language in ("zh", "en"):
            assert say(note["code"], language, **note["detail"])


def test_walls_make_walks_longer_and_never_shorter(study_file: Path, findings: Findings) -> None:
    free = (
        find(load_study(varied(study_file, gates="open")))
        .tables["coverage"]
        .query("group_kind == 'city' and measure == 'people'")
    )
    walled = findings.tables["coverage"].query("group_kind == 'city' and measure == 'people'")
    assert (free["covered"].to_numpy() >= walled["covered"].to_numpy()).all()
    assert free["covered"].sum() > walled["covered"].sum()


def test_an_elderly_walker_reaches_less_than_the_standard_metres_in_fifteen_minutes(
    study_file: Path, findings: Findings
) -> None:
    found = find(load_study(varied(study_file, walker="elderly"))).tables["coverage"]
    assert set(found["unit"]) == {"s"}
    fifteen = "group_kind == 'city' and measure == 'people' and circle == 15"
    metres = findings.tables["coverage"].query(f"{fifteen} and limit == 1000")
    seconds = found.query(fifteen).set_index("facility_class").loc[metres["facility_class"]]
    assert (seconds["covered"].to_numpy() <= metres["covered"].to_numpy()).all()
    assert seconds["covered"].sum() < metres["covered"].sum()


def test_steps_are_told_in_the_order_of_the_texts(study_file: Path) -> None:
    heard: list[str] = []
    find(load_study(study_file), steps=Steps(heard.append))
    order = [key for key in catalogue() if key.startswith("steps.")]
    assert heard == [key for key in order if key in heard]


def test_people_near_the_end_of_the_streets_are_flagged_and_counted(findings: Findings) -> None:
    demand = findings.layers["demand"]
    assert demand["edge_cut"].dtype == bool
    said = [note["detail"] for note in findings.manifest["notes"] if note["code"].startswith("streets.edge_cut")]
    people = int(demand.loc[demand["edge_cut"], "people"].sum())
    assert [detail["people"] for detail in said] == ([f"{people:,}"] if people else [])
    for layer in ("facilities", "sites"):
        flags = findings.layers[layer]["edge_cut"]
        assert flags.dtype == bool
        assert not flags.all(), layer
    # What may be walked to from where the data end lies no farther from there than its class's limit, straight.
    limits = {rule["facility_class"]: rule["limit"] for rule in findings.tables["coverage"].to_dict("records")}
    border = shapely.boundary(shapely.convex_hull(findings.layers["streets"].union_all()))
    facilities = findings.layers["facilities"]
    away = shapely.distance(border, facilities.geometry.to_numpy())
    limit = facilities["facility_class"].map(limits).fillna(0.0).to_numpy(dtype=float)
    assert (away <= limit + 50.0)[facilities["edge_cut"].to_numpy()].all()


def test_land_is_balanced_and_conflicts_of_every_kind_are_told(findings: Findings) -> None:
    balance = findings.tables["land_balance"]
    whole = findings.layers["area"].geometry.area.sum()
    for _, when in balance.groupby("when"):
        assert abs(when["area_m2"].sum() - whole) <= 1
    planned = balance[balance["when"] == "planned"].groupby(["ring_id", "use_group"])["area_m2"].sum()
    assert planned.to_dict() == findings.tables["zoning"].set_index(["ring_id", "use_group"])["area_m2"].to_dict()
    assert set(balance["district_id"]) == set(findings.layers["districts"]["district_id"])
    conflicts = findings.tables["conflicts"]
    assert {"use", "far", "height", "ring"} <= set(conflicts["kind"]) <= {"use", "far", "form", "height", "ring"}
    projects = findings.layers["projects"].set_index("project_id")
    against = set(conflicts.loc[conflicts["kind"] == "ring", "project_id"])
    assert against == set(projects.index[projects["against_policy"].astype(bool)])
    verdicts = findings.tables["land_verdicts"]
    tried = findings.layers["candidates"].groupby("facility_class")["site_id"].nunique()
    assert verdicts.groupby("facility_class")["sites"].sum().to_dict() == tried.to_dict()
