"""Site rules: what ships is whole, a city's file replaces entry by entry, every fault of it is told at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lifecircle.gis.errors import InputError, MissingFileError
from lifecircle.layers.contracts import POLICIES
from lifecircle.layers.facility_words import vocabulary
from lifecircle.layers.named import named_faults
from lifecircle.layers.settings import StudySettings
from lifecircle.layers.site_rules import default_rules, load_rules
from lifecircle.layers.words import LANGUAGES, explain

if TYPE_CHECKING:
    from pathlib import Path


def written(folder: Path, text: str) -> Path:
    path = folder / "rules.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_rule_that_ships_says_where_it_stands_and_how_sure_it_is() -> None:
    rules = default_rules()
    tables = (rules.need, rules.slope, rules.policy, rules.zone, rules.distance)
    for entry in (rules, *(entry for table in tables for entry in table.values())):
        assert entry.clause
        assert entry.clause_en
        assert entry.confidence in "ABCD"
    assert set(rules.policy) <= set(POLICIES)
    assert rules.name_faults("", frozenset(vocabulary().classes)) == []


def test_a_metre_that_no_clause_states_is_an_assumption() -> None:
    for rule in default_rules().distance.values():
        assert rule.confidence == "D" or "未给数值" not in rule.clause


def test_a_citys_entry_replaces_and_the_rest_stays(tmp_path: Path) -> None:
    text = "street_within_m = 30\n[distance.market_school_gate]\nmetres = 50\n[need.gym]\nfrontage_m = 9\n"
    rules, shipped = load_rules(written(tmp_path, text)), default_rules()
    assert (rules.street_within_m, rules.drive_within_m) == (30.0, shipped.drive_within_m)
    gate, before = rules.distance["market_school_gate"], shipped.distance["market_school_gate"]
    assert (gate.metres, gate.classes, gate.clause, gate.confidence) == (50.0, before.classes, "rules.toml", "A")
    assert (rules.need_of("gym").frontage_m, rules.need_of("gym").deep_m) == (9.0, shipped.need["default"].deep_m)
    assert rules.need_of("food_market") == shipped.need_of("food_market")
    kept = load_rules(written(tmp_path, '[slope.default]\nmost_percent = 8\nclause = "本市 3.2"\nconfidence = "B"\n'))
    assert (kept.slope["default"].clause, kept.slope["default"].confidence) == ("本市 3.2", "B")


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("[need.gym]\nacross_m = -1\ndeep_m = 0\n", ["need.gym.across_m", "need.gym.deep_m"]),
        ('[distance.new]\nclasses = ["gym"]\n', ["distance.new.of", "distance.new.what", "distance.new.metres"]),
        ("[zone.hazard]\nshare_most = 2\n", ["zone.hazard.share_most"]),
        ("streets_within_m = 9\n", ["streets_within_m"]),
        ('need = "none"\n', ["need"]),
    ],
)
def test_every_wrong_value_is_told_at_once(tmp_path: Path, text: str, settings: list[str]) -> None:
    with pytest.raises(InputError) as error:
        load_rules(written(tmp_path, text))
    assert [fault.detail["setting"] for fault in error.value.faults] == settings
    for fault in error.value.faults:
        assert all(explain(fault, language) for language in LANGUAGES)


def test_a_missing_file_and_broken_toml(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError):
        load_rules(tmp_path / "none.toml")
    with pytest.raises(InputError):
        load_rules(written(tmp_path, "[need"))


def test_a_study_is_told_of_names_that_mean_nothing(tmp_path: Path) -> None:
    stated: dict[str, Any] = {"study": {"name": "t"}, "layers": {}, "siting": {"site_rules": "rules.toml"}}
    settings = StudySettings.model_validate(stated)
    written(tmp_path, '[need.food_markt]\nfrontage_m = 3\n[policy.keeep]\nprefers = ["idle_land", "idle"]\n')
    faults = named_faults(settings, tmp_path)
    assert [(fault.detail["setting"], fault.value) for fault in faults] == [
        ("need", "food_markt"),
        ("policy", "keeep"),
        ("policy.keeep.prefers", "idle"),
    ]
    (tmp_path / "rules.toml").unlink()
    assert [fault.code for fault in named_faults(settings, tmp_path)] == ["faults.file_missing"]
