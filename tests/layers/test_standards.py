"""Standards: what ships, inheritance by key, faults of a file all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from lifecircle.gis.errors import InputError, MissingFileError
from lifecircle.layers.findings import MEASURES
from lifecircle.layers.standards import load_standard, shipped_standards
from lifecircle.layers.words import catalogue, explain, say

if TYPE_CHECKING:
    from pathlib import Path

LOCAL = """
[standard]
key = "local"
zh = "本市标准"
en = "Local standard"
edition = "2026"
extends = "gb50180-2018"
clause = "本市规定 第3条"
drop = ["mall"]

[rule.kindergarten]
limit_m = 500
confidence = "A"
clause = "本市规定 第7条"

[rule.primary_school]
limit_m = 600

[rule.bank]
required = false
"""


@pytest.fixture
def local(tmp_path: Path) -> Path:
    path = tmp_path / "local.toml"
    path.write_text(LOCAL, encoding="utf-8")
    return path


@pytest.mark.parametrize("key", shipped_standards())
def test_a_shipped_standard_is_complete(key: str) -> None:
    standard = load_standard(key)
    assert standard.key == key
    assert len(set(standard.classes)) == len(standard.classes)
    for rule in (*standard.rules, *standard.unmeasured):
        assert rule.clause
        assert rule.clause_en
        assert rule.confidence in "ABCD"
        assert rule.short_zh
        assert rule.short_en
        assert (rule.building_m2_least or 0) <= (rule.building_m2_most or float("inf"))
    assert all(rule.limit_m is not None and rule.limit_m > 0 for rule in standard.rules)


def test_only_standards_are_standards() -> None:
    assert shipped_standards() == ("gb50180-2018", "tdt1062-2021")


def test_values_are_those_of_the_collected_facts(places: Path) -> None:
    facts = places.parent / "facts" / "standards.yaml"
    if not facts.is_file():
        pytest.skip(f"the collected facts are not at {facts}")
    rows = {row["key"]: row for row in yaml.safe_load(facts.read_text(encoding="utf-8"))["gb50180_facilities"]}
    standard = load_standard("gb50180-2018")
    for rule in standard.rules:
        row = rows[rule.facility_class]
        radius = row["service_radius_m"]
        if radius is None:
            assert "GB 50180" not in rule.clause, "a limit that is not of this standard names its own clause"
            assert "GB 50180" in rule.note_zh
        else:
            assert rule.limit_m == radius
            assert rule.confidence == row["confidence"]["radius"]
        assert rule.circle == row["level_min"]
        assert rule.required == (row["required"] == "required")
        assert rule.building_m2_least == (row["building_area_m2"] or {}).get("min")
        assert rule.land_m2_least == (row["land_area_m2"] or {}).get("min")


def test_the_classes_of_elderly_care_and_markets_are_sited() -> None:
    sited = {rule.facility_class: rule for rule in load_standard("gb50180-2018").rules if rule.sited}
    assert {"elderly_day_care", "food_market"} <= set(sited)
    assert sited["elderly_day_care"].limit_m == 300
    assert sited["elderly_day_care"].group == "elders_60"
    assert sited["food_market"].limit_m == 500


def test_a_local_standard_changes_what_it_names_and_keeps_the_rest(local: Path) -> None:
    standard, parent = load_standard(local), load_standard("gb50180-2018")
    assert standard.extends == ("gb50180-2018",)
    assert set(parent.classes) - set(standard.classes) == {"mall"}
    kindergarten = standard.rule("kindergarten")
    assert (kindergarten.limit_m, kindergarten.confidence, kindergarten.clause) == (500, "A", "本市规定 第7条")
    assert kindergarten.note_zh == "", "a note about the old limit must not stand beside the new one"
    assert kindergarten.group == "children_3_6"
    assert standard.rule("elderly_day_care") == parent.rule("elderly_day_care")


def test_a_limit_without_confidence_is_an_assumption(local: Path) -> None:
    school = load_standard(local).rule("primary_school")
    assert (school.limit_m, school.confidence, school.clause) == (600, "D", "本市规定 第3条")


def test_what_does_not_touch_the_limit_keeps_its_clause(local: Path) -> None:
    bank = load_standard(local).rule("bank")
    assert not bank.required
    assert bank.clause == load_standard("gb50180-2018").rule("bank").clause


def test_a_file_may_extend_a_file_beside_it(local: Path) -> None:
    text = '[standard]\nkey="x"\nzh="区"\nen="x"\nedition="1"\nclause="c"\nextends="local.toml"\n'
    (local.parent / "district.toml").write_text(text, encoding="utf-8")
    standard = load_standard(local.parent / "district.toml")
    assert standard.extends == ("local", "gb50180-2018")
    assert standard.rule("kindergarten").limit_m == 500


def test_a_rule_of_a_new_class_needs_its_keys(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    head = '[standard]\nkey="a"\nzh="a"\nen="a"\nedition="1"\nclause="c"\n'
    path.write_text(head + '[rule.library]\nzh="图书馆"\nlimit_m=900\n[rule.cinema]\nzh="影院"\n', encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_standard(path)
    assert {(fault.row, fault.column) for fault in caught.value.faults} == {
        (name, key) for name in ("library", "cinema") for key in ("circle", "required", "group")
    }


def test_all_faults_of_a_file_come_together(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    head = '[standard]\nkey="a"\nzh="a"\nen="a"\nedition="1"\nclause="c"\n'
    path.write_text(head + "[rule.library]\nlimt_m=900\ncircle=7\n[rule.cinema]\nlimit_m=-1\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_standard(path)
    assert {fault.column for fault in caught.value.faults} == {"limt_m", "circle", "limit_m"}
    for language in ("zh", "en"):
        assert all(explain(fault, language) for fault in caught.value.faults)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("not = [toml", "standards.not_toml"),
        ('[standard]\nkey="a"\nzh="a"\nen="a"\nedition="1"\nclause="c"\nextends="a.toml"\n', "standards.extends_loop"),
        (
            '[standard]\nkey="a"\nzh="a"\nen="a"\nedition="1"\nclause="c"\nextends="gb50180-2018"\ndrop=["zoo"]\n',
            "standards.unknown_drop",
        ),
        ('[standard]\nkey="a"\n', "standards.missing_key"),
    ],
)
def test_a_file_that_cannot_be_right_is_refused(tmp_path: Path, text: str, code: str) -> None:
    path = tmp_path / "a.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_standard(path)
    assert {fault.code for fault in caught.value.faults} == {code}
    assert all(explain(fault, "zh") for fault in caught.value.faults)


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(LOCAL.encode("gb18030"))
    with pytest.raises(InputError, match="UTF-8"):
        load_standard(path)


def test_an_unknown_standard_names_those_that_ship() -> None:
    with pytest.raises(MissingFileError) as caught:
        load_standard("gb-1")
    assert "gb50180-2018" in explain(caught.value.faults[0], "en")


def test_the_words_for_confidence_are_there() -> None:
    assert {f"standards.confidence_{letter}" for letter in "ABCD"} <= set(catalogue())


@pytest.mark.parametrize("key", ["gb50180-2018", "tdt1062-2021"])
def test_a_nursery_is_for_children_under_three(key: str) -> None:
    rule = next(rule for rule in load_standard(key).rules if rule.facility_class == "nursery")
    assert rule.group == "children_0_3"
    assert {rule.group for rule in load_standard(key).rules} <= set(MEASURES)
    assert all(say(f"values.measure_{measure}", language) for measure in MEASURES for language in ("zh", "en"))
