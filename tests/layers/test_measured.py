"""Access, equity and sensitivity on a made-up city: they add up with coverage, and never contradict it."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from lifecircle.layers.findings import TABLES, Findings
from lifecircle.layers.load import load_study
from lifecircle.layers.plan import find
from lifecircle.layers.sample import write_sample

PEOPLE = 20_000


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    """A city with zones of the user's own, some of which overlap, and boroughs."""
    folder = tmp_path_factory.mktemp("city")
    file = write_sample(folder, people=PEOPLE, seed=5)
    west, south, east, north = gpd.read_file(folder / "base.gpkg", layer="area").total_bounds.tolist()
    middle = (west + east) / 2
    shapes = [shapely.box(west, south, middle, north), shapely.box(middle - (middle - west) / 9, south, east, north)]
    gpd.GeoDataFrame({"name": ["西片", "东片"]}, geometry=shapes, crs="EPSG:4490").to_file(folder / "zones.gpkg")
    districts = gpd.read_file(folder / "base.gpkg", layer="districts")
    districts["所属区"] = ["甲区" if row % 2 else "乙区" for row in range(len(districts))]
    districts.to_file(folder / "districts.gpkg")
    text = file.read_text(encoding="utf-8")
    head, tail = text.split("[layers.districts]\n", 1)
    tail = tail.replace('path = "base.gpkg"\nlayer = "districts"\n', 'path = "districts.gpkg"\n', 1)
    tail = tail.replace("columns = {", 'columns = { borough = "所属区",', 1)
    zones = '[layers.zones]\npath = "zones.gpkg"\ncolumns = { name = "name" }\n\n'
    file.write_text(f"{head}{zones}[layers.districts]\n{tail}", encoding="utf-8")
    return find(load_study(file))


def of_city(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["group_kind"] == "city"]


def test_every_group_adds_up_for_every_measure(findings: Findings) -> None:
    coverage = findings.tables["coverage"]
    assert set(coverage["group_kind"]) == {"city", "borough", "ring", "district", "zone", "compound", "project"}
    assert (coverage["covered"] + coverage["uncovered"] + coverage["unknown"] == coverage["total"]).all()
    assert "residential_m2" in set(coverage["measure"])
    keys, counts = ["facility_class", "circle", "measure"], ["total", "covered", "uncovered", "unknown"]
    city = of_city(coverage).set_index(keys)[counts].sort_index()
    for kind in ("ring", "zone", "borough", "district"):
        parts = coverage[coverage["group_kind"] == kind].groupby(keys)[counts].sum().sort_index()
        for measure in ("people", "residential_m2"):
            one, all_of = (frame.xs(measure, level="measure") for frame in (parts, city))
            if kind in {"ring", "zone"} or (one["total"] == all_of["total"]).all():
                pd.testing.assert_frame_equal(one, all_of, check_dtype=False)
            assert (one <= all_of).all(axis=None)


def test_boroughs_are_their_sub_districts(findings: Findings) -> None:
    coverage = findings.tables["coverage"]
    keys, counts = ["facility_class", "circle", "measure"], ["total", "covered", "uncovered", "unknown"]
    parts = [
        coverage[coverage["group_kind"] == kind].groupby(keys)[counts].sum().sort_index()
        for kind in ("borough", "district")
    ]
    pd.testing.assert_frame_equal(*parts)


def test_residential_land_is_that_of_the_parcels(findings: Findings) -> None:
    parcels, area = findings.layers["parcels"], findings.layers["area"].geometry.iloc[0]
    pure = parcels[(parcels["use_group"] == "residential") & ~parcels["land_use"].str.contains("/")]
    mixed = parcels[parcels["land_use"].str.contains("/")]
    least = shapely.area(shapely.intersection(pure.geometry.to_numpy(), area)).sum()
    most = least + mixed.area.sum()
    land = of_city(findings.tables["coverage"]).query("measure == 'residential_m2'")["total"]
    assert (land == land.iloc[0]).all()
    assert least - 1 <= land.iloc[0] <= most + 1


def test_zones_have_what_coverage_counts_in_them(findings: Findings) -> None:
    zones, coverage = findings.layers["zones"], findings.tables["coverage"]
    counted = coverage[(coverage["group_kind"] == "zone") & (coverage["measure"] == "people")]
    first = counted.drop_duplicates("group_id").set_index("group_id")["total"]
    assert (zones.set_index("zone_id")["people"] == first).all()
    assert zones["people"].sum() == PEOPLE
    assert "coverage.zones_overlap" in {note["code"] for note in findings.manifest["notes"]}


def test_access_shares_out_the_supply_and_leaves_none_where_nothing_is_near(findings: Findings) -> None:
    access, coverage = findings.tables["access"], findings.tables["coverage"]
    assert tuple(access.columns) == TABLES["access"]
    assert set(access["status"]) <= {"ok", "no_supply", "no_data"}
    known = access[access["status"] == "ok"]
    assert set(known["method"]) == {"2sfca", "e2sfca", "e2sfca_steps", "3sfca"}
    assert (known["without"] + known["unknown"] <= known["total"]).all()
    assert known["share_without"].dropna().between(0, 1).all()
    facilities = findings.layers["facilities"]
    for row in of_city(known).itertuples():
        own = facilities[(facilities["facility_class"] == row.facility_class) & (facilities["status"] == "existing")]
        handed = row.mean_per_1000 * (row.total - row.unknown) / 1000
        assert handed <= own["capacity"].sum() * (1 + 1e-9)
        assert own["capacity"].isna().sum() == row.supply_unknown
        covered = of_city(coverage).query("facility_class == @row.facility_class and measure == @row.measure").iloc[0]
        assert row.without == covered["uncovered"]
        assert row.unknown >= covered["unknown"]
        if not row.supply_unknown:
            assert row.unknown == covered["unknown"]
    silent = access[access["status"] != "ok"]
    assert silent["mean_per_1000"].isna().all()
    assert set(silent["group_kind"]) <= {"city"}


def test_equity_splits_between_and_within_the_rings(findings: Findings) -> None:
    equity = findings.tables["equity"]
    assert tuple(equity.columns) == TABLES["equity"]
    assert set(equity["value"]) == {"walk", "access"}
    assert set(equity["measure"]) == {"people", "elders_60"}
    city = of_city(equity)
    assert (city["theil_between"] + city["theil_within"]).to_numpy() == pytest.approx(city["theil"].to_numpy())
    assert equity["gini"].dropna().between(0, 1).all()
    everybody = city[city["measure"] == "people"]
    assert everybody["against_all"].dropna().to_numpy() == pytest.approx(1.0)
    rings = equity[equity["group_kind"] == "ring"]
    keys = ["facility_class", "circle", "value", "measure"]
    whole = rings.assign(held=rings["mean"].fillna(0) * rings["people"]).groupby(keys)[["held", "people"]].sum()
    both = city.set_index(keys).join(whole.rename(columns={"people": "of_rings"}))
    assert (both["people"] == both["of_rings"]).all()
    assert (both["held"] / both["people"]).to_numpy() == pytest.approx(both["mean"].to_numpy())


def test_sensitivity_agrees_with_coverage_and_rises_with_the_limit(findings: Findings) -> None:
    table, coverage = findings.tables["sensitivity"], of_city(findings.tables["coverage"])
    assert tuple(table.columns) == TABLES["sensitivity"]
    assert (table["covered"] + table["uncovered"] + table["unknown"] == table["total"]).all()
    assert set(table["walker"]) == {"standard", "adult", "elderly"}
    for (_, _), rows in table.groupby(["facility_class", "walker"]):
        assert rows["factor"].tolist() == [0.8, 1.0, 1.2]
        assert rows["covered"].is_monotonic_increasing
    own = table[(table["walker"] == "standard") & (table["factor"] == 1.0)]
    assert (own["change"] == 0).all()
    for row in own.itertuples():
        same = coverage[(coverage["facility_class"] == row.facility_class) & (coverage["measure"] == row.measure)].iloc[
            0
        ]
        assert (row.covered, row.uncovered, row.unknown) == (same["covered"], same["uncovered"], same["unknown"])
    by_walker = table[table["factor"] == 1.0].pivot_table(index="facility_class", columns="walker", values="covered")
    assert (by_walker["elderly"] <= by_walker["adult"]).all()


def test_provision_counts_each_facility_of_the_area_once(findings: Findings) -> None:
    table, facilities = findings.tables["provision"], findings.layers["facilities"]
    area = findings.layers["area"].geometry.iloc[0]
    existing = facilities[(facilities["status"] == "existing") & facilities.intersects(area)]
    counts = existing["facility_class"].value_counts()
    own = of_city(table)[~of_city(table)["facility_class"].str.startswith("circle_")]
    for row in own.itertuples():
        assert row.facilities == counts.get(row.facility_class, 0)
    rings = table[table["group_kind"] == "ring"].groupby(["facility_class", "metric", "per"])["facilities"].sum()
    city = of_city(table).groupby(["facility_class", "metric", "per"])["facilities"].sum()
    assert (rings == city.reindex(rings.index)).all()
    assert set(table["status"]) <= {"enough", "short", "unknown", "no_data", "few_people"}
    assert np.isfinite(table["needed"].dropna()).all()


def test_too_small_is_only_what_is_known_to_be(findings: Findings) -> None:
    missing, facilities = findings.tables["missing"], findings.layers["facilities"]
    small = missing[missing["status"] == "too_small"]
    assert (small["walk"] <= small["limit"]).all()
    assert small["size_known"].all()
    assert (2 * small["people_too_small"] + 2 * small["people_lacking"] > small["people"] - 1).all()
    least = findings.manifest["classes"]
    for row in small.itertuples():
        rule = least[row.facility_class]
        own = facilities[facilities["facility_id"] == row.nearest_id].iloc[0]
        floor, land = rule["building_m2_least"], rule["land_m2_least"]
        assert (floor is not None and own["floor_area_m2"] < floor) or (land is not None and own["land_area_m2"] < land)
    asked = missing[missing["status"].isin(["present", "partial"])]
    sized = asked["facility_class"].map(lambda key: least[key]["building_m2_least"] is not None)
    assert asked.loc[sized, "size_known"].notna().all()
