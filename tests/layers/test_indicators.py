"""Indicators: equal to counts by hand on a tiny study, to a plain loop, to coverage and to the missing list."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.gis.coverage import Tally
from lifecircle.gis.errors import InputError
from lifecircle.layers.findings import TABLES, Findings
from lifecircle.layers.indicators import asked_of, each, either, verdicts
from lifecircle.layers.load import load_study
from lifecircle.layers.plan import find
from lifecircle.layers.sample import write_sample
from lifecircle.layers.standards import load_standard

if TYPE_CHECKING:
    from pathlib import Path

COUNTS = ["total", "covered", "uncovered", "unknown"]
E0, N0 = 500_000.0, 4_400_000.0
"""Corner of the tiny study in EPSG:4548."""

TINY = """
[study]
name = "小城"
crs = "EPSG:4548"
date = 2026-11-22
{more}

[area]
path = "city.gpkg"
layer = "area"

[layers.streets]
path = "city.gpkg"
layer = "streets"

[layers.parcels]
path = "city.gpkg"
layer = "parcels"

[layers.compounds]
path = "city.gpkg"
layer = "compounds"

[layers.facilities]
path = "city.gpkg"
layer = "facilities"
"""


def square(x: float, width: float, *, y: float = 10.0, height: float = 40.0) -> shapely.Polygon:
    return shapely.box(E0 + x, N0 + y, E0 + x + width, N0 + y + height)


def tiny(folder: Path, places: list[dict[str, object]], more: str = "") -> Findings:
    """Find a city of one straight street of 2 km: housing along it as three compounds of 100, 200 and 300 people."""
    homes = [square(0, 200), square(600, 200), square(1700, 100)]
    street = shapely.LineString([(E0 - 50, N0), (E0 + 2050, N0)])
    layers = {
        "area": gpd.GeoDataFrame({"name": ["小城"]}, geometry=[square(-100, 2200, y=-900, height=1800)]),
        "streets": gpd.GeoDataFrame({"highway": ["residential"]}, geometry=[street]),
        "parcels": gpd.GeoDataFrame({"parcel_id": ["P1", "P2", "P3"], "land_use": "R2"}, geometry=homes),
        "compounds": gpd.GeoDataFrame(
            {"compound_id": ["C1", "C2", "C3"], "name": list("甲乙丙"), "people": [100, 200, 300], "households": 40},
            geometry=homes,
        ),
        "facilities": gpd.GeoDataFrame(places),
    }
    for name, layer in layers.items():
        layer.set_crs("EPSG:4548").to_file(folder / "city.gpkg", layer=name)
    file = folder / "study.toml"
    file.write_text(TINY.format(more=more), encoding="utf-8")
    return find(load_study(file))


def place(kind: str, x: float, **more: object) -> dict[str, object]:
    return {"facility_class": kind, "name": f"{kind}{x:g}", "geometry": shapely.Point(E0 + x, N0 + 5), **more}


def of_city(findings: Findings, key: str) -> pd.Series:
    table = findings.tables["indicators"]
    return table[(table["group_kind"] == "city") & (table["indicator"] == key)].iloc[0]


def test_values_are_those_counted_by_hand(tmp_path: Path) -> None:
    park = {"facility_class": "community_park", "name": "公园", "geometry": square(850, 100, height=60)}
    places = [
        place("primary_school", 100),
        place("elderly_day_care", 100),
        place("football_ground", 1750),
        park,
        place("community_park", 1790),
    ]
    findings = tiny(tmp_path, places)
    table = findings.tables["indicators"]
    assert tuple(table.columns) == TABLES["indicators"]
    assert (table.loc[table["total"].notna(), COUNTS[1:]].sum(axis=1) == table["total"].dropna()).all()
    # Parcels of 200 × 40, 200 × 40 and 100 × 40 m². The second begins at x = 600, more than 500 m from x = 100.
    school = of_city(findings, "primary_school_cover")
    assert school[COUNTS].tolist() == [20_000, 8_000, 12_000, 0]
    assert (school["numerator"], school["denominator"], school["value"]) == (8_000, 20_000, 0.4)
    assert (school["basis"], school["limit"], school["facilities"], school["status"]) == ("walk", 500.0, 1, "no_target")
    # A class that the study's own standard does not measure is found all the same: the third parcel, within 1000 m.
    ball = of_city(findings, "football_ground_cover")
    assert ball[COUNTS].tolist() == [20_000, 4_000, 16_000, 0]
    # A park of 6000 m² from x = 850 to 950 reaches 500 m around its ground: the second parcel. The other park states no
    # area: what only it may reach is unknown, and four fifths can no longer be reached.
    green = of_city(findings, "park_cover")
    assert green[COUNTS].tolist() == [20_000, 8_000, 8_000, 4_000]
    assert (green["value"], green["target"], green["basis"]) == (0.5, 0.8, "radius")
    assert green["status"] == "not_met"
    # Neighbourhoods by the standard of complete communities: within 500 m of day care is the first of three.
    station, failing = of_city(findings, "elderly_station_share"), of_city(findings, "unmet_elderly")
    assert station[COUNTS].tolist() == [3, 1, 2, 0]
    assert station["value"] == pytest.approx(1 / 3)
    assert (failing["value"], failing["numerator"]) == (2, 2)
    assert pd.isna(failing["denominator"])
    # Most classes of a complete community have no data here, but day care alone fails two, and the first is open.
    whole = of_city(findings, "complete_community_share")
    assert whole[COUNTS].tolist() == [3, 0, 2, 1]
    assert whole["status"] == "no_data"
    assert np.isnan(whole["value"])
    kindergarten = of_city(findings, "inclusive_kindergarten")
    assert pd.isna(kindergarten["total"])
    assert kindergarten["status"] == "no_data"
    assert of_city(findings, "metro_station_cover")[COUNTS].tolist() == [20_000, 0, 0, 20_000]
    assert set(findings.layers["facilities"]["facility_class"]) == {
        "primary_school",
        "elderly_day_care",
        "community_park",
    } & set(load_standard("gb50180-2018").counted), "what only indicators count is not among the study's facilities"


def test_a_radius_is_straight_whoever_walks(tmp_path: Path) -> None:
    park = {"facility_class": "community_park", "name": "公园", "geometry": square(850, 100, height=60)}
    findings = tiny(tmp_path, [place("primary_school", 100), park], 'walker = "elderly"')
    school, green = of_city(findings, "primary_school_cover"), of_city(findings, "park_cover")
    assert (school["limit"], school["unit"]) == (600.0, "s")
    assert school[COUNTS].tolist() == [20_000, 8_000, 12_000, 0]
    assert green["unit"] == "m"
    assert green[COUNTS].tolist() == [20_000, 8_000, 12_000, 0]
    assert green["status"] == "not_met"


def test_the_study_says_whose_indicators_are_counted(tmp_path: Path) -> None:
    places = [place("primary_school", 100)]
    (tmp_path / "none").mkdir()
    assert tiny(tmp_path / "none", places, "indicators = []").tables["indicators"].empty
    (tmp_path / "own").mkdir()
    own = tiny(tmp_path / "own", places, 'standard = "tdt1063-2021"\nindicators = ["tdt1063-2021"]')
    table = own.tables["indicators"]
    assert table["standard"].unique().tolist() == ["tdt1063-2021"]
    assert not table.duplicated(["indicator", "group_kind", "group_id"]).any()
    (tmp_path / "wrong").mkdir()
    with pytest.raises(InputError) as caught:
        tiny(tmp_path / "wrong", places, 'indicators = ["tdt1063"]')
    assert [fault.detail["setting"] for fault in caught.value.faults] == ["study.indicators"]


def test_a_standard_that_neighbourhoods_are_to_meet_is_one_that_ships(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    head = (
        '[standard]\nkey="a"\nzh="甲"\nen="A"\nedition="1"\nclause="1"\n\n[indicator.x]\nzh="x"\nmeasure="compounds"\n'
    )
    file.write_text(f'{head}formula_zh="x"\nmeets="nowhere"\n', encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_standard(file)
    assert [(fault.code, fault.column) for fault in caught.value.faults] == [("standards.bad_value", "meets")]
    file.write_text(
        f'{head}formula_zh="x"\nmeets="complete-community-2020"\nmeets_rules=["bank", "nursery"]\n', encoding="utf-8"
    )
    with pytest.raises(InputError) as caught:
        load_standard(file)
    assert [fault.value for fault in caught.value.faults] == ["bank"]
    file.write_text(f'{head}formula_zh="x"\nmeets="complete-community-2020"\n', encoding="utf-8")
    met = load_standard("complete-community-2020").rules
    assert asked_of(load_standard(file))[0].rules == tuple(rule for rule in met if rule.required)


def made_city(folder: Path, standard: str) -> Findings:
    file = write_sample(folder, people=20_000, seed=5)
    text = file.read_text(encoding="utf-8")
    assert 'standard = "gb50180-2018"' in text
    text = text.replace('standard = "gb50180-2018"', f'standard = "{standard}"').split("[[siting.wish]]", 1)[0]
    file.write_text(text, encoding="utf-8")
    return find(load_study(file))


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    """A city by the standard whose indicators are of walks."""
    return made_city(tmp_path_factory.mktemp("walked"), "tdt1063-2021")


@pytest.fixture(scope="module")
def met(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    """A city by the standard that neighbourhoods are to meet."""
    return made_city(tmp_path_factory.mktemp("met"), "complete-community-2020")


@pytest.mark.parametrize("name", ["walked", "met"])
def test_parts_add_up_to_the_city(name: str, request: pytest.FixtureRequest) -> None:
    table = request.getfixturevalue(name).tables["indicators"]
    assert (table["total"] == table[COUNTS[1:]].sum(axis=1)).loc[table["total"].notna()].all()
    city = table[table["group_kind"] == "city"].set_index("indicator")[COUNTS].dropna()
    rings = table[table["group_kind"] == "ring"].groupby("indicator")[COUNTS].sum().reindex(city.index)
    pd.testing.assert_frame_equal(rings, city, check_dtype=False)
    shown = table.dropna(subset=["value"])
    shares = shown[shown["measure"] != "count"]
    assert (shares["value"] == shares["numerator"].astype(float) / shares["denominator"].astype(float)).all()
    assert (shown["measure"] == "count").sum() == (shown["value"] == shown["numerator"])[
        shown["measure"] == "count"
    ].sum()


def test_indicators_of_walks_are_coverage_of_land(walked: Findings) -> None:
    coverage = walked.tables["coverage"].query("measure == 'residential_m2'")
    own = {rule.key: rule.rules[0] for rule in load_standard("tdt1063-2021").indicators}
    table = walked.tables["indicators"].query("standard == 'tdt1063-2021' and basis == 'walk'")
    keys = ["facility_class", "group_kind", "group_id"]
    table = table.assign(facility_class=table["indicator"].map(own)).set_index(keys)[COUNTS]
    same = coverage.set_index(keys)[COUNTS].reindex(table.index)
    pd.testing.assert_frame_equal(table, same, check_dtype=False)


def test_neighbourhoods_that_meet_a_standard_are_those_of_the_missing_list(met: Findings) -> None:
    missing = met.tables["missing"]
    wanted = {"retail_share": ["supermarket", "parcel_point", "community_retail"]}
    wanted |= {"elderly_station_share": ["elderly_day_care"]}
    wanted |= {"complete_community_share": missing.loc[missing["required"], "facility_class"].unique().tolist()}
    table = met.tables["indicators"].query("group_kind == 'city'").set_index("indicator")
    for key, classes in wanted.items():
        statuses = missing[missing["facility_class"].isin(classes)].groupby("compound_id")["status"].agg(set)
        good = sum(one <= {"present", "partial"} for one in statuses)
        lost = sum(bool(one & {"too_far", "too_small"}) for one in statuses)
        assert table.loc[key, COUNTS].tolist() == [len(statuses), good, lost, len(statuses) - good - lost]


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from([True, False, None]), min_size=3, max_size=3), min_size=1, max_size=4))
def test_any_and_all_are_those_of_every_way_to_fill_the_unknown(rows: list[list[bool | None]]) -> None:
    hits = [np.array([value is True for value in row]) for row in rows]
    known = [np.array([value is not None for value in row]) for row in rows]
    any_hit, any_known = either(hits, known)
    all_hit, all_known = each(hits, known)
    for place_ in range(3):
        values = [row[place_] for row in rows]
        least = [value is True for value in values]
        most = [value is not False for value in values]
        assert any_known[place_] == (any(least) == any(most))
        assert all_known[place_] == (all(least) == all(most))
        assert not any_known[place_] or any_hit[place_] == any(least)
        assert not all_known[place_] or all_hit[place_] == all(least)


@settings(deadline=None)
@given(
    st.sampled_from([0.1, 0.3, 0.7, 0.8, 0.85, 1.0]),
    st.lists(st.tuples(*[st.integers(0, 40)] * 3), min_size=1, max_size=6),
)
def test_a_verdict_holds_whatever_the_unknown_are(target: float, rows: list[tuple[int, int, int]]) -> None:
    covered, uncovered, unknown = (np.array(column, dtype=np.int64)[:, None] for column in zip(*rows, strict=True))
    found = verdicts(target, Tally(covered + uncovered + unknown, covered, uncovered, unknown))
    for (hit, miss, open_), said in zip(rows, found, strict=True):
        if hit + miss == 0:
            assert said == "unknown"
            continue
        share = Fraction(str(target)) * (hit + miss + open_)
        ways = {hit + more >= share for more in range(open_ + 1)}
        assert said == ("unknown" if len(ways) > 1 else "met" if ways == {True} else "not_met")
