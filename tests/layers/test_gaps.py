"""Coverage and the missing list: totals that add up, against a plain count written out by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.gis.errors import InputError
from lifecircle.layers.findings import LAYERS, TABLES
from lifecircle.layers.gaps import (
    Groups,
    Residents,
    Walks,
    coverage_table,
    gap_rows,
    missing_by_compound,
    missing_table,
    no_data,
)

COMPOUNDS = 4


@dataclass(frozen=True)
class Rule:
    facility_class: str
    walk_m: float | None = 300.0
    required: bool = True
    group: str = "people"
    circle: int = 5
    clause: str = "B.0.3"
    confidence: str = "B"


def kinds(residents: Residents) -> list[Groups]:
    count = len(residents)
    ring = np.where(np.arange(count) % 3 == 2, -1, np.arange(count) % 2)
    return [
        Groups("city", ["city"], ["All"], np.zeros(count, dtype=np.int64), np.zeros(COMPOUNDS, dtype=np.int64)),
        Groups("ring", ["r0", "r1"], ["In", "Out"], ring, np.array([0, 1, -1, 0])),
        Groups("compound", list("abcd"), list("ABCD"), residents.compound, np.arange(COMPOUNDS)),
    ]


def frame() -> pd.DataFrame:
    return pd.DataFrame({"compound_id": list("abcd"), "name": list("ABCD"), "ring_id": "r0", "district_id": None})


@st.composite
def towns(draw: st.DrawFn) -> tuple[Residents, Walks]:
    count = draw(st.integers(1, 12))
    whole = st.integers(0, 50)

    def ints(values: st.SearchStrategy[int]) -> np.ndarray:
        return np.array(draw(st.lists(values, min_size=count, max_size=count)), dtype=np.int64)

    cost = np.array(
        draw(st.lists(st.sampled_from([0.0, 299.9, 300.0, 300.1, 900.0, np.inf]), min_size=count, max_size=count))
    )
    after = np.array(draw(st.lists(st.sampled_from([10.0, 300.0, 301.0, np.inf]), min_size=count, max_size=count)))
    residents = Residents(
        demand_id=[f"d{row}" for row in range(count)],
        xy=np.column_stack([np.arange(count) * 100.0, np.zeros(count)]),
        counts={"people": ints(whole), "elders_60": ints(whole)},
        compound=ints(st.integers(-1, COMPOUNDS - 1)),
        known=ints(st.integers(0, 1)).astype(bool),
    )
    site = np.where(np.isfinite(cost), 0, -1)
    walks = Walks(
        has_data=draw(st.booleans()),
        limit=300.0,
        unit="m",
        cost=cost,
        site=site,
        site_ids=["f0"],
        site_names=["Market"],
        site_xy=np.zeros((1, 2)),
        after_cost=after,
    )
    return residents, walks


@settings(deadline=None)
@given(towns())
def test_every_row_adds_up_and_nothing_gets_worse(town: tuple[Residents, Walks]) -> None:
    residents, walks = town
    table = coverage_table(residents, kinds(residents), [Rule("food_market")], {"food_market": walks})
    assert tuple(table.columns) == TABLES["coverage"]
    assert (table["covered"] + table["uncovered"] + table["unknown"] == table["total"]).all()
    assert (table[["total", "covered", "uncovered", "unknown", "after_covered"]] >= 0).all(axis=None)
    assert (table["after_covered"] >= table["covered"]).all()
    assert all(table[name].dtype == np.int64 for name in ("total", "covered", "uncovered", "unknown", "after_covered"))
    shown = table.dropna(subset=["rate", "after_rate", "buffer_rate"])
    assert ((shown["rate"] >= 0) & (shown["rate"] <= shown["after_rate"]) & (shown["after_rate"] <= 1)).all()
    assert shown["buffer_rate"].between(0, 1).all()


@settings(deadline=None)
@given(towns())
def test_counts_equal_a_plain_loop(town: tuple[Residents, Walks]) -> None:
    residents, walks = town
    table = coverage_table(residents, kinds(residents), [Rule("food_market")], {"food_market": walks})
    for kind in kinds(residents):
        for index, name in enumerate(kind.ids):
            counted = {"covered": 0, "uncovered": 0, "unknown": 0}
            for row in range(len(residents)):
                if kind.of_demand[row] != index:
                    continue
                sure = residents.known[row] and walks.has_data
                status = "unknown" if not sure else "covered" if walks.cost[row] <= 300 else "uncovered"
                counted[status] += int(residents.counts["people"][row])
            row = table[
                (table["group_kind"] == kind.kind) & (table["group_id"] == name) & (table["measure"] == "people")
            ]
            assert row[["covered", "uncovered", "unknown"]].to_dict("records") == [counted]


@settings(deadline=None)
@given(towns())
def test_compounds_are_counted_as_the_missing_list_says(town: tuple[Residents, Walks]) -> None:
    residents, walks = town
    rules, found = [Rule("food_market")], {"food_market": walks}
    table = coverage_table(residents, kinds(residents), rules, found)
    city = table[(table["group_kind"] == "city") & (table["measure"] == "compounds")].iloc[0]
    missing = missing_table(residents, frame(), rules, found)
    assert tuple(missing.columns) == TABLES["missing"]
    status = missing["status"].value_counts()
    assert city["total"] == COMPOUNDS
    assert city["covered"] == status.get("present", 0) + status.get("partial", 0)
    assert city["uncovered"] == status.get("too_far", 0)
    assert city["unknown"] == status.get("no_data", 0) + status.get("unknown", 0)
    sure = missing[missing["status"].isin(["present", "partial", "too_far"])]
    walk, longest = sure["walk"].fillna(np.inf), sure["walk_longest"].fillna(np.inf)
    assert ((sure["status"] == "too_far") == (walk > sure["limit"])).all()
    assert ((sure["status"] == "present") == (longest <= sure["limit"])).all()
    assert (walk <= longest).all()
    assert (sure["nearest_id"].isna() == sure["walk"].isna()).all()
    unsure = missing.drop(sure.index)
    assert unsure[["people_lacking", "elders_60_lacking", "walk", "walk_longest"]].isna().all(axis=None)
    affected = int(sure["people_lacking"].sum())
    gaps = gap_rows(residents, rules, found, crs="EPSG:4548")
    assert tuple(gaps.columns) == (*LAYERS["gaps"], "geometry")
    in_compounds = gaps["demand_id"].isin([f"d{row}" for row in np.flatnonzero(residents.compound >= 0)])
    assert int(gaps[(gaps["status"] == "too_far") & in_compounds]["people"].sum()) == affected


@settings(deadline=None)
@given(towns())
def test_too_small_needs_a_size_that_is_known(town: tuple[Residents, Walks]) -> None:
    residents, walks = town
    rules = [Rule("food_market")]
    people, known = residents.counts["people"], residents.known
    # Every second place has only small ones near, every third one that is known to be large.
    rows = np.arange(len(residents))
    large = np.where(rows % 2 == 0, walks.cost, np.inf)
    sure = np.where(rows % 6 == 0, walks.cost, np.inf)
    plain = missing_table(residents, frame(), rules, {"food_market": walks})
    sized = replace(walks, large_cost=large, sure_cost=sure)
    found = missing_table(residents, frame(), rules, {"food_market": sized})
    same = [name for name in found.columns if name not in {"status", "size_known", "people_too_small"}]
    pd.testing.assert_frame_equal(found[same], plain[same])
    assert plain[["size_known", "people_too_small"]].isna().all(axis=None)
    changed = found["status"] != plain["status"]
    assert set(found.loc[changed, "status"]) <= {"too_small"}
    assert set(plain.loc[changed, "status"]) <= {"present", "partial"}
    for number, row in enumerate(found.itertuples()):
        here = (residents.compound == number) & known & (people > 0)
        if not walks.has_data or not here.any():
            assert row.size_known is row.people_too_small is pd.NA
            continue
        near, fits, told = (int(people[here & (cost <= 300)].sum()) for cost in (walks.cost, large, sure))
        whole = int(people[here].sum())
        assert row.people_too_small == near - fits
        assert (row.status == "too_small") == (2 * near >= whole > 2 * fits)
        if 2 * near < whole:
            assert row.size_known is pd.NA
        else:
            assert row.size_known == (row.status == "too_small" or 2 * told >= whole)


@settings(deadline=None)
@given(towns())
def test_the_missing_list_counts_who_lives_there_and_who_is_beyond(town: tuple[Residents, Walks]) -> None:
    residents, walks = town
    rules, found = [Rule("food_market")], {"food_market": walks}
    missing = missing_table(residents, frame(), rules, found).set_index("compound_id")
    coverage = coverage_table(residents, kinds(residents), rules, found)
    coverage = coverage[coverage["group_kind"] == "compound"]
    for measure in ("people", "elders_60"):
        counted = coverage[coverage["measure"] == measure].set_index("group_id")
        assert (missing[measure] == counted["total"]).all()
        lacking = missing[f"{measure}_lacking"].dropna()
        assert (lacking == counted["uncovered"].reindex(lacking.index)).all()
    known = missing["people"] - coverage[coverage["measure"] == "people"].set_index("group_id")["unknown"]
    for row, beyond, people in zip(missing["status"], missing["people_lacking"], known, strict=True):
        if row == "present":
            assert beyond == 0
        elif row == "partial":
            assert 0 < 2 * beyond <= people
        elif row == "too_far":
            assert 2 * beyond > people
    assert missing[["households", "households_lacking"]].isna().all(axis=None)


def town() -> Residents:
    return Residents(
        demand_id=["d0", "d1", "d2"],
        xy=np.array([[0.0, 0.0], [250.0, 0.0], [900.0, 0.0]]),
        counts={"people": np.array([100, 50, 30]), "elders_60": np.array([20, 20, 10])},
        compound=np.array([0, 0, 1]),
        known=np.array([True, True, False]),
    )


def market(residents: Residents) -> Walks:
    cost = np.array([200.0, 420.0, np.inf])
    site = np.array([0, 0, -1])
    return Walks(
        has_data=True,
        limit=300.0,
        unit="m",
        cost=cost[: len(residents)],
        site=site,
        site_ids=["f7"],
        site_names=["市场"],
        site_xy=np.array([[0.0, 0.0]]),
    )


def test_the_missing_list_tells_of_the_middle_resident_and_of_the_last() -> None:
    missing = missing_table(town(), frame(), [Rule("food_market")], {"food_market": market(town())})
    first = missing.iloc[0]
    told = ["status", "nearest_id", "nearest_name", "walk", "walk_longest"]
    assert first[told].tolist() == ["partial", "f7", "市场", 200.0, 420.0]
    assert first[["people", "elders_60", "people_lacking", "elders_60_lacking"]].tolist() == [150, 40, 50, 20]
    assert first["households"] is first["households_lacking"] is pd.NA
    assert missing["status"].tolist() == ["partial", "unknown", "unknown", "unknown"]
    assert missing["people"].tolist() == [150, 30, 0, 0]
    assert missing.loc[1:, ["people_lacking", "nearest_id", "walk", "walk_longest"]].isna().all(axis=None)


def test_a_class_without_data_is_unknown_and_not_nought_percent() -> None:
    residents = town()
    walks = {"food_market": no_data(residents, limit=300.0, unit="m")}
    table = coverage_table(residents, kinds(residents), [Rule("food_market")], walks)
    assert set(table["status"]) == {"no_data"}
    assert (table["unknown"] == table["total"]).all()
    assert table["rate"].isna().all()
    assert set(missing_table(residents, frame(), [Rule("food_market")], walks)["status"]) == {"no_data"}
    assert gap_rows(residents, [Rule("food_market")], walks, crs="EPSG:4548").empty


def test_data_but_nothing_in_reach_is_nought_percent() -> None:
    residents = town()
    reached = market(residents)
    nobody = Walks(
        has_data=True,
        limit=300.0,
        unit="m",
        cost=np.full(3, np.inf),
        site=np.full(3, -1),
        site_ids=reached.site_ids,
        site_names=reached.site_names,
        site_xy=reached.site_xy,
    )
    table = coverage_table(residents, kinds(residents), [Rule("food_market")], {"food_market": nobody})
    city = table[(table["group_kind"] == "city") & (table["measure"] == "people")].iloc[0]
    assert (city["status"], city["covered"], city["uncovered"], city["unknown"], city["rate"]) == (
        "ok",
        0,
        150,
        30,
        0.0,
    )
    assert city["buffer_rate"] == 1.0  # both known points lie within 300 m as the crow flies


def test_rules_without_a_limit_and_unknown_measures_have_no_rows() -> None:
    residents = town()
    table = coverage_table(residents, kinds(residents), [Rule("bank", walk_m=None)], {"bank": market(residents)})
    assert table.empty
    assert tuple(table.columns) == TABLES["coverage"]
    table = coverage_table(residents, kinds(residents), [Rule("food_market")], {"food_market": market(residents)})
    assert set(table["measure"]) == {"people", "elders_60", "compounds"}


def test_missing_by_compound_lists_required_classes() -> None:
    rules = [Rule("food_market"), Rule("gym", required=False), Rule("clinic"), Rule("school")]
    walks = {rule.facility_class: market(town()) for rule in rules}
    walks["clinic"] = replace(walks["clinic"], limit=100.0)
    listed = missing_by_compound(missing_table(town(), frame(), rules, walks), frame())
    assert listed["missing"].tolist() == ["clinic", "", "", ""]
    assert listed["missing_count"].tolist() == [1, 0, 0, 0]
    assert listed["partial"].tolist() == ["food_market;school", "", "", ""]
    assert listed["partial_count"].tolist() == [2, 0, 0, 0]


def test_wrong_lengths_are_reported_together() -> None:
    residents = town()
    wrong = Residents(
        residents.demand_id, residents.xy[:2], {"people": np.array([1])}, residents.compound, residents.known
    )
    with pytest.raises(InputError) as caught:
        coverage_table(wrong, [], [], {})
    assert [fault.column for fault in caught.value.faults] == ["xy", "people"]
    nobody = Residents(residents.demand_id, residents.xy, {}, residents.compound, residents.known)
    with pytest.raises(InputError, match="people is needed"):
        coverage_table(nobody, [], [], {})
