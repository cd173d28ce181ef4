"""Standards in a whole plan: minutes, classes that count for each other, and what is listed and not walked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lifecircle.layers.load import load_study
from lifecircle.layers.plan import find
from lifecircle.layers.sample import write_sample
from lifecircle.layers.standards import load_standard, metres_of_minutes

if TYPE_CHECKING:
    from pathlib import Path

    from lifecircle.layers.findings import Findings


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("standards") / "city", people=20_000, seed=5)


def planned(city: Path, standard: str, walker: str = "standard") -> Findings:
    """Plan the city by a standard, with nothing wished for."""
    text = city.read_text(encoding="utf-8").split("[[siting.wish]]")[0]
    text = text.replace('standard = "gb50180-2018"', f'standard = "{standard}"')
    text = text.replace('walker = "standard"', f'walker = "{walker}"')
    path = city.with_name(f"{standard}-{walker}.toml".replace("/", "_"))
    path.write_text(text, encoding="utf-8")
    return find(load_study(path))


@pytest.mark.parametrize("walker", ["standard", "elderly"])
def test_minutes_are_walked_and_classes_count_for_each_other(city: Path, walker: str) -> None:
    standard, findings = load_standard("tdt1063-2021"), planned(city, "tdt1063-2021", walker)
    table = findings.tables["coverage"]
    whole = table[(table["group_kind"] == "city") & (table["measure"] == "people")].set_index("facility_class")
    assert set(whole.index) == set(standard.classes), "what is listed only has no coverage"
    assert (whole["covered"] + whole["uncovered"] + whole["unknown"] == whole["total"]).all()
    for rule in standard.rules:
        row = whole.loc[rule.facility_class]
        assert (row["confidence"], row["clause"]) == (rule.confidence, rule.clause)
        if rule.limit_minutes is not None:
            expected = metres_of_minutes(rule.limit_minutes) if walker == "standard" else rule.limit_minutes * 60
            assert row["limit"] == expected
    facilities = findings.layers["facilities"]
    existing = facilities.loc[facilities["status"] == "existing", "facility_class"].value_counts()
    counted = findings.tables["facilities_by_class"].set_index("facility_class")
    for rule in standard.rules:
        found = counted.loc[rule.facility_class]
        assert found["existing"] + found["outside"] == existing.reindex(list(rule.classes)).sum()
    assert set(facilities["facility_class"]) <= set(standard.counted)
    named = {**findings.manifest["classes"], **findings.manifest["class_names"]}
    assert set(facilities["facility_class"]) <= set(named), "every class on the map has a name"


def test_more_classes_that_count_never_cover_fewer(city: Path) -> None:
    (city.parent / "own.toml").write_text(
        '[standard]\nkey="own"\nzh="a"\nen="a"\nedition="1"\nclause="c"\nextends="gb50180-2018"\n'
        'keep=["elderly_day_care"]\n[rule.any_care]\nzh="b"\ncircle=5\nlimit_m=300\nrequired=true\ngroup="elders_60"\n'
        'met_by=["elderly_day_care", "elderly_home"]\n',
        encoding="utf-8",
    )
    table = planned(city, "own.toml").tables["coverage"]
    counts = table.pivot(
        index=["group_kind", "group_id", "measure"], columns="facility_class", values="covered"
    ).dropna()
    assert (counts["any_care"] >= counts["elderly_day_care"]).all()
    assert counts["any_care"].sum() > counts["elderly_day_care"].sum()


@pytest.mark.parametrize("key", ["complete-community-2020", "mohurd-checkup"])
def test_a_standard_of_few_or_no_sites_can_be_planned_with(city: Path, key: str) -> None:
    findings, standard = planned(city, key), load_standard(key)
    assert set(findings.tables["coverage"]["facility_class"]) == set(standard.classes)
    missing = findings.tables["missing"].drop_duplicates("facility_class").set_index("facility_class")
    assert missing["confidence"].to_dict() == {rule.facility_class: rule.confidence for rule in standard.rules}
    assert set(findings.tables["sites"]["facility_class"]) <= {
        rule.facility_class for rule in standard.rules if rule.sited
    }
