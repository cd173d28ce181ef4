"""Provision: sums of what is known against what is needed; unknown is not zero, and no data is not a shortfall."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.layers.findings import TABLES
from lifecircle.layers.provision import BASE_OF, needs_of, provision_table, stock_of
from lifecircle.layers.residents import Groups, Residents
from lifecircle.layers.standards import Figure, Rule, Standard, load_standard, shipped_standards

FIGURES = (
    Figure("building_m2", "1000_people", 50.0, None, "甲 3.1", "A 3.1", "B"),
    Figure("places", "100_elders_60", 4.0, 6.0, "甲 3.2", "A 3.2", "C"),
    Figure("building_m2", "facility", 750.0, None, "甲 3.3", "A 3.3", "B"),
)


def standard_of(*figures: Figure, served: float | None = None) -> Standard:
    rule = Rule(
        *("elderly_day_care", "日间照料中心", "Elderly day care", "日间照料", "Day care"),
        circle=5,
        limit_m=300.0,
        required=True,
        group="elders_60",
        clause="甲 1",
        clause_en="A 1",
        confidence="B",
        figures=figures,
        served_people_most=served,
    )
    return Standard("a", "甲", "A", "2026", (rule,))


def people(counts: dict[str, list[int]]) -> Residents:
    count = len(counts["people"])
    values = {name: np.array(value, dtype=np.int64) for name, value in counts.items()}
    none = np.full(count, -1, dtype=np.int64)
    return Residents(
        [f"d{row}" for row in range(count)], np.zeros((count, 2)), values, none, np.ones(count, dtype=np.bool_)
    )


def kinds(count: int) -> list[Groups]:
    nothing = np.zeros(0, dtype=np.int64)
    return [
        Groups("city", ["city"], ["甲市"], np.zeros(count, dtype=np.int64), nothing),
        Groups("ring", ["r0", "r1"], ["内", "外"], np.arange(count) % 2, nothing),
        Groups("compound", ["c"], ["丙"], np.zeros(count, dtype=np.int64), nothing),
    ]


def facilities(rows: list[tuple[float, float, str]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["floor_area_m2", "capacity", "status"])
    return frame.assign(facility_class="elderly_day_care", land_area_m2=np.nan)


KNOWN = st.one_of(st.just(float("nan")), st.integers(0, 900).map(float))


@settings(deadline=None)
@given(
    st.lists(st.tuples(KNOWN, KNOWN, st.sampled_from(["existing", "planned"])), max_size=8),
    st.lists(st.integers(0, 5000), min_size=2, max_size=6),
)
def test_rows_add_up_and_their_status_follows(rows: list[tuple[float, float, str]], counts: list[int]) -> None:
    frame, residents = facilities(rows), people({"people": counts, "elders_60": [count // 5 for count in counts]})
    ring = np.arange(len(frame)) % 2
    held = frozenset(frame["facility_class"])
    stock = stock_of(frame, held, {"city": np.zeros(len(frame), dtype=np.int64), "ring": ring})
    table = provision_table(standard_of(*FIGURES), stock, residents, kinds(len(counts)))
    assert tuple(table.columns) == TABLES["provision"]
    assert set(table["group_kind"]) == {"city", "ring"}
    assert set(table["metric"]) == {"building_m2", "places"}
    exists = (frame["status"] == "existing").to_numpy()
    for row in table.itertuples():
        inside = exists & (
            np.ones(len(frame), dtype=bool) if row.group_kind == "city" else ring == int(row.group_id[1])
        )
        values = frame["floor_area_m2" if row.metric == "building_m2" else "capacity"][inside]
        assert (row.facilities, row.size_unknown) == (len(values), int(values.isna().sum()))
        unit = BASE_OF[row.per][1]
        assert row.needed == pytest.approx(row.least * row.base / unit)
        if not held:
            assert row.status == "no_data"
            assert np.isnan(row.existing)
            assert np.isnan(row.shortfall)
            continue
        assert row.existing == pytest.approx(values.sum())
        assert row.shortfall == pytest.approx(max(0.0, row.needed - row.existing))
        enough, sure = row.existing >= row.needed, row.size_unknown == 0
        assert row.status == ("enough" if enough else "short" if sure else "unknown")
    if held:
        for metric, own in table.groupby("metric"):
            city, rings = (own[own["group_kind"] == kind] for kind in ("city", "ring"))
            for name in ("facilities", "size_unknown", "existing", "needed", "base"):
                assert rings[name].sum() == pytest.approx(city[name].iloc[0]), (metric, name)


def test_who_is_not_counted_has_no_need_that_is_known() -> None:
    frame = facilities([(900.0, 30.0, "existing")])
    stock = stock_of(frame, frozenset(frame["facility_class"]), {"city": np.zeros(1, dtype=np.int64)})
    table = provision_table(standard_of(*FIGURES), stock, people({"people": [1000]}), kinds(1)[:1])
    beds = table[table["metric"] == "places"].iloc[0]
    assert beds["base"] is pd.NA
    assert beds["status"] == "unknown"
    assert np.isnan(beds["needed"])
    floor = table[table["metric"] == "building_m2"].iloc[0]
    assert (floor["status"], floor["existing_per"], floor["needed"]) == ("enough", 900.0, 50.0)


def test_people_a_facility_serves_at_most_ask_for_a_number_of_them() -> None:
    needs = needs_of(standard_of(*FIGURES, served=5000.0))
    assert [(need.figure.metric, need.basis) for need in needs] == [
        ("building_m2", "stated"),
        ("places", "stated"),
        ("count", "derived"),
    ]
    frame = facilities([(np.nan, np.nan, "existing")] * 2)
    stock = stock_of(frame, frozenset(frame["facility_class"]), {"city": np.zeros(2, dtype=np.int64)})
    table = provision_table(standard_of(served=5000.0), stock, people({"people": [15_000]}), kinds(1)[:1])
    row = table.iloc[0]
    assert (row["facilities"], row["existing"], row["size_unknown"]) == (2, 2.0, 0)
    assert row["needed"] == pytest.approx(3.0)
    assert (row["status"], row["basis"]) == ("short", "derived")


@pytest.mark.parametrize(
    ("inhabitants", "status", "shortfall"), [(2_499, "few_people", 0.0), (2_500, "short", 0.5), (0, "enough", 0.0)]
)
def test_a_few_people_are_not_asked_for_a_facility_of_their_own(
    inhabitants: int, status: str, shortfall: float
) -> None:
    frame = facilities([(np.nan, np.nan, "existing")]).iloc[:0]
    nothing = np.zeros(0, dtype=np.int64)
    stock = stock_of(frame, frozenset({"elderly_day_care"}), {"city": nothing})
    table = provision_table(standard_of(served=5000.0), stock, people({"people": [inhabitants]}), kinds(1)[:1])
    assert table["status"].tolist() == [status]
    assert table["shortfall"].tolist() == pytest.approx([shortfall])
    assert table["needed"].tolist() == pytest.approx([inhabitants / 5000])


@pytest.mark.parametrize("key", shipped_standards())
def test_every_figure_of_a_shipped_standard_has_its_clause(key: str) -> None:
    for need in needs_of(load_standard(key)):
        assert need.figure.least is not None
        assert need.figure.clause
        assert need.figure.confidence in "ABCD"
        assert need.classes
