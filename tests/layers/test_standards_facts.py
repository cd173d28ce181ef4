"""Every value of the standards that ship equals the collected facts, and none is surer than its fact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from lifecircle.layers.standards import LivingCircle, load_standard

if TYPE_CHECKING:
    from pathlib import Path

GB = load_standard("gb50180-2018")


@pytest.fixture
def facts(places: Path) -> dict[str, Any]:
    path = places.parent / "facts" / "standards.yaml"
    if not path.is_file():
        pytest.skip(f"the collected facts are not at {path}")
    loaded: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


def no_surer(ours: str | None, fact: str | None) -> bool:
    """Whether a confidence is not above the fact's: A is the highest letter."""
    return ours is None or (fact is not None and ours >= fact[0])


def bounds(fact: dict[str, float | None] | None) -> tuple[float | None, float | None]:
    return (None, None) if fact is None else (fact["min"], fact["max"])


def bare(name: str) -> str:
    return name.replace("（", "(").replace("）", ")").replace("、", "、")


def test_the_facilities_of_gb50180_are_those_of_the_facts(facts: dict[str, Any]) -> None:
    rows = {row["key"]: row for row in facts["gb50180_facilities"]}
    five = rows.pop("bus_stop_5")
    assert {rule.facility_class for rule in GB.all_rules} == set(rows)
    for rule in GB.all_rules:
        row = rows[rule.facility_class]
        radius, sure = row["service_radius_m"], row["confidence"]
        if radius is None and rule.limit_m is not None:
            assert "GB 50180" not in rule.clause, "a limit that is not of this standard names its own clause"
            assert "GB 50180" in rule.note_zh
        else:
            assert rule.limit_m == radius
            assert rule.confidence == (sure["radius"] or sure["required_flag"])
        assert bare(rule.zh) == bare(row["zh"])
        assert rule.circle == row["level_min"]
        assert rule.also_circles == (
            (row["also_required_at_level_min"],) if "also_required_at_level_min" in row else ()
        )
        assert rule.required == (row["required"] == "required")
        assert (rule.building_m2_least, rule.building_m2_most) == bounds(row["building_area_m2"])
        assert (rule.land_m2_least, rule.land_m2_most) == bounds(row["land_area_m2"])
        assert rule.confidence_areas == sure["areas"]
        assert (rule.served_people_least, rule.served_people_most) == bounds(
            row["population_per_facility"] and {key: row["population_per_facility"][key] for key in ("min", "max")}
        )
    stop = GB.rule("bus_stop")
    assert (stop.optional_circles, stop.limit_m) == ((five["level_min"],), five["service_radius_m"])


def test_the_circles_of_gb50180_are_those_of_the_facts(facts: dict[str, Any]) -> None:
    for circle, row in zip(GB.circles, facts["living_circles"], strict=True):
        assert circle.minutes == row["minutes"]
        assert circle.zh == row["zh"]
        assert (circle.walk_m_least, circle.walk_m_most) == bounds(row["walk_m"])
        assert (circle.people_least, circle.people_most) == bounds(row["population"])
        assert (circle.dwellings_least, circle.dwellings_most) == bounds(row["dwellings"])
        assert (circle.land_ha_least, circle.land_ha_most) == bounds(row["land_ha"])
        assert circle.confidence_land == row["land_ha"]["confidence"]
        assert circle.bounded_by_zh == row["bounded_by"]
        assert no_surer(circle.confidence, row["confidence"])
        green = {(one.metric, one.per, one.category): one.least for one in circle.figures}
        fact = row["public_green"]
        if circle.minutes:
            assert green["green_m2", "person", "green"] == fact["m2_per_person"]
            assert green["green_m2", "facility", "park"] == fact["park_min_ha"] * 10_000
            assert green["width_m", "facility", "park"] == fact["park_min_width_m"]
        else:
            assert green["green_m2", "person", "green"] == fact["m2_per_person_new"]
            assert green["green_m2", "person", "green_old"] == fact["m2_per_person_old"]
            assert green["width_m", "facility", "green"] == fact["min_width_m"]


CATEGORIES = {
    "total": "total",
    "A_public": "public",
    "B_commercial": "commercial",
    "S_transport": "transport",
    "R_community": "community",
}


def test_table_5_0_3_is_that_of_the_facts(facts: dict[str, Any]) -> None:
    table = facts["per_thousand_control_m2"]
    for circle, level in zip(GB.circles, ("c15", "c10", "c5", "block"), strict=True):
        ours = {(one.category, one.metric): [one.least, one.most] for one in circle.figures if one.per == "1000_people"}
        theirs = {
            (CATEGORIES[category], f"{metric}_m2"): values
            for category, metrics in table[level].items()
            for metric, values in (metrics or {}).items()
            if values is not None
        }
        assert ours == theirs
        assert {one.confidence for one in circle.figures if one.per == "1000_people"} == {table["confidence"]}


@pytest.mark.parametrize("metric", ["land_m2", "building_m2"])
@pytest.mark.parametrize("circle", [circle for circle in GB.circles if circle.minutes], ids=lambda c: str(c.minutes))
def test_the_categories_of_table_5_0_3_add_up_to_its_totals(circle: LivingCircle, metric: str) -> None:
    rows = [one for one in circle.figures if one.per == "1000_people" and one.metric == metric]
    total = next(one for one in rows if one.category == "total")
    parts = [one for one in rows if one.category != "total"]
    assert sum(one.least or 0 for one in parts) == total.least
    assert sum(one.most or 0 for one in parts) == total.most


def test_parking_is_that_of_the_facts(facts: dict[str, Any]) -> None:
    named = {"health_centre": "community_health_centre"}
    for key, stalls in facts["parking_per_100m2_building"].items():
        if isinstance(stalls, dict):
            found = {one.metric: one.least for one in GB.rule(named.get(key, key)).figures}
            assert found == {"car_stalls": stalls["car"], "bike_stalls": stalls["bike"]}


OWN_KEYS = {
    "td_elderly_school": "community_school",
    "td_park": "community_park",
    "td_pocket_park": "pocket_park",
    "td_shelter": "emergency_shelter",
    "td_micro_fire": "micro_fire_station",
    "td_jobs": "job_space",
    "td_heritage": "local_character",
}


def test_the_elements_of_tdt1062_are_those_of_the_facts(facts: dict[str, Any]) -> None:
    standard = load_standard("tdt1062-2021")
    by_name = {bare(rule.zh): rule for rule in standard.all_rules}
    assert len(by_name) == len(facts["tdt1062_elements"])
    for row in facts["tdt1062_elements"]:
        rule = by_name[bare(row["zh"])]
        assert rule.facility_class == OWN_KEYS.get(row["key"], rule.facility_class)
        assert rule.limit_m == row["service_radius_m"]
        assert rule.circle == {"15": 15, "5-10": 10}[row["level"]]
        assert rule.required == (row["element_type"] == "basic")
        assert (rule.building_m2_least, rule.building_m2_most) == bounds(row["building_area_m2"])
        assert (rule.land_m2_least, rule.land_m2_most) == bounds(row["land_area_m2"])
        assert all(no_surer(letter, row["confidence"]) for letter in rule.confidences)
        assert rule.clause == "TD/T 1062-2021 附录A"
        people = row["population_per_facility"]
        stated = [float(part) for part in people.split("-")] if people and people[0].isdigit() else [None, None]
        assert [rule.served_people_least, rule.served_people_most] == stated
        assert not rule.figures
        assert not rule.also_circles


def test_the_complete_community_is_that_of_the_facts(facts: dict[str, Any]) -> None:
    standard = load_standard("complete-community-2020")
    named = {
        "service_station": "community_service_station",
        "elderly_service_station": "elderly_day_care",
        "health_station": "community_health_station",
        "parcel": "parcel_point",
        "other_retail": "community_retail",
        "activity_ground": "outdoor_fitness_ground",
        "public_green": "pocket_park",
    }
    items = {named.get(item["key"], item["key"]): item for item in facts["complete_community_2020"]["items"]}
    assert {rule.facility_class for rule in standard.all_rules} == set(items)
    for rule in standard.all_rules:
        item = items[rule.facility_class]
        assert rule.building_m2_least == item.get("building_min")
        assert rule.land_m2_least == item.get("land_min", item.get("land_min_new"))
        assert no_surer(rule.confidence_areas, item["confidence"])
        assert (rule.limit_m, rule.limit_minutes, rule.confidence) == (None, 10, "B")
    service = facts["per_hundred_households"][0]
    (figure,) = standard.rule("community_service_station").figures
    assert (figure.metric, figure.per) == ("building_m2", "100_households")
    assert (figure.least, figure.better, figure.confidence) == (
        service["m2"],
        service["stretch_m2"],
        service["confidence"],
    )


def test_elderly_beds_are_those_of_the_facts(facts: dict[str, Any]) -> None:
    standard, beds = load_standard("gb50437-2007"), facts["elderly_beds"]
    figures = {(one.metric, one.per): one for one in standard.rule("elderly_home").figures}
    assert figures["places", "1000_elders_60"].least == beds["per_1000_elderly"]
    assert set(figures["places", "1000_elders_60"].classes) == {"elderly_home", "nursing_care_home"}
    assert figures["building_m2", "place"].least == beds["building_m2_per_bed_min"]
    land = figures["land_m2", "place"]
    assert [land.least, land.most] == beds["land_m2_per_bed"]
    assert figures["places", "facility"].least == beds["min_beds"]
    assert figures["land_m2", "person"].least == beds["land_m2_per_person_min"]
    assert {one.confidence for one in figures.values()} == {beds["confidence"]}
    care = [one.least for one in standard.rule("elderly_day_care").figures]
    assert care == [row["building_m2"] for row in facts["day_care_classes"]]


def test_the_minutes_of_tdt1063_are_those_of_the_facts(facts: dict[str, Any]) -> None:
    standard = load_standard("tdt1063-2021")
    row = next(row for row in facts["coverage_indicators"] if row["key"] == "area_cover")
    named = {
        "primary": "primary_school",
        "junior": "junior_middle_school",
        "elderly_community": "elderly_day_care",
        "health_community": "community_health_centre",
        "culture": "culture_centre",
        "sport": "sports_facility",
        "football": "football_ground",
        "market": "food_market",
        "park_square": "park_square",
    }
    for fact, key in named.items():
        rule = standard.rule(key)
        assert rule.limit_minutes == float(row["examples"][fact].split()[0])
        assert rule.limit_m is None
        assert no_surer(rule.confidence, row["confidence"])
    assert f"{standard.rule('metro_station').limit_m:g}" == row["examples"]["metro"].split()[0]
    assert not standard.rule("district_hospital").measured, "a straight buffer is not a walk"
    assert {one.measure for one in standard.indicators} == {"residential_m2"}
    assert {rule for one in standard.indicators for rule in one.rules} == {
        rule.facility_class for rule in standard.all_rules
    }


def test_the_city_health_check_has_the_indicators_of_the_facts(facts: dict[str, Any]) -> None:
    ours = {one.zh.replace("（", "(").replace("）", ")"): one for one in load_standard("mohurd-checkup").indicators}
    for row in facts["coverage_indicators"]:
        if row["key"] != "area_cover":
            mine = next(
                one for name, one in ours.items() if name.removeprefix("城市") == row["zh"].removeprefix("城市")
            )
            assert no_surer(mine.confidence, row.get("confidence") or "A")
            assert (mine.target is not None) == ("target" in row)
