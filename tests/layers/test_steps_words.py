"""Steps add up and are announced; texts are found, filled in and never missing."""

from __future__ import annotations

import pytest

from lifecircle.gis.errors import Fault, InputError
from lifecircle.layers.contracts import CONTRACTS
from lifecircle.layers.steps import Steps
from lifecircle.layers.words import catalogue, explain, explain_error, say, say_note


def test_the_same_step_adds_up_and_a_failing_step_is_measured_too() -> None:
    heard: list[str] = []
    steps = Steps(heard.append)
    for _ in range(2):
        with steps.step("steps.reach"):
            pass
    with pytest.raises(ValueError, match="inside"), steps.step("steps.siting"):
        raise ValueError("inside")
    assert heard == ["steps.reach", "steps.reach", "steps.siting"]
    assert list(steps.seconds) == ["steps.reach", "steps.siting"]
    assert all(seconds >= 0 for seconds in steps.seconds.values())


def test_a_fault_is_told_with_its_place_and_value_in_both_languages() -> None:
    fault = Fault("faults.negative", file="a.gpkg", layer="compounds", row=7, column="households", value=-3)
    for language, where, layer in (("zh", "第 7 行", "小区图层"), ("en", "row 7", "layer compounds")):
        line = explain(fault, language)  # type: ignore[arg-type]
        assert where in line
        assert all(part in line for part in ("a.gpkg", layer, "households", "-3"))


def test_an_error_without_faults_is_told_by_its_message() -> None:
    assert explain_error(InputError("plain"), "zh") == ["plain"]
    two = InputError("two", Fault("faults.negative", row=1), Fault("faults.negative", row=2))
    assert len(explain_error(two, "en")) == 2


def test_braces_in_a_value_are_text_and_not_a_template() -> None:
    line = explain(Fault("faults.negative", layer="{0.__class__}", value="{evil}"), "en")
    assert "{0.__class__}" in line
    assert "{evil}" in line


def test_a_key_that_is_not_there_is_an_error() -> None:
    assert "faults.no_such_key" not in catalogue()
    with pytest.raises(KeyError):
        say("faults.no_such_key", "en")


def test_layers_are_called_by_name_and_numbers_have_separators() -> None:
    fault = Fault("demand.ledger_differs", layer="compounds", blocks=False,
                  detail={"name": "东街", "ledger": 13506, "stated": 300000, "percent": 95})  # fmt: skip
    assert explain(fault, "zh").startswith("小区图层：东街：小区台账合计 13,506 人，街道统计 300,000 人")
    assert explain(fault, "en").startswith("layer compounds: 东街: compounds add up to 13,506 people")
    assert say_note("demand.outside_districts", {"people": 1506}, "zh") == "街道范围以外另估算 1,506 人。"
    assert set(CONTRACTS) <= {key.removeprefix("values.layer_") for key in catalogue()}
