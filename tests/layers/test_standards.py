"""Standards: what ships, what a rule means, inheritance by key, differences, faults of a file all at once."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lifecircle.gis.errors import InputError, MissingFileError
from lifecircle.layers.findings import MEASURES
from lifecircle.layers.standards import (
    Rule,
    Standard,
    as_data,
    confidence_counts,
    differences,
    figure_text,
    load_standard,
    metres_of_minutes,
    rule_rows,
    shipped_standards,
    template,
)
from lifecircle.layers.words import catalogue, explain, say

if TYPE_CHECKING:
    from lifecircle.layers.words import Language

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
HEAD = '[standard]\nkey="a"\nzh="a"\nen="a"\nedition="1"\nclause="c"\n'
CHILD = HEAD + 'extends="gb50180-2018"\n'
GB = load_standard("gb50180-2018")


def put(folder: Path, text: str, name: str = "a.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def faults_of(path: Path) -> set[tuple[str, str | None, str | None]]:
    with pytest.raises(InputError) as caught:
        load_standard(path)
    assert all(explain(fault, language) for fault in caught.value.faults for language in ("zh", "en"))
    return {(fault.code, None if fault.row is None else str(fault.row), fault.column) for fault in caught.value.faults}


@pytest.fixture
def local(tmp_path: Path) -> Path:
    return put(tmp_path, LOCAL, "local.toml")


@pytest.mark.parametrize("key", shipped_standards())
def test_a_shipped_standard_is_complete(key: str) -> None:
    standard = load_standard(key)
    assert standard.key == key
    assert standard.rules, "a standard that nobody can be measured by cannot be planned with"
    assert len({rule.facility_class for rule in standard.all_rules}) == len(standard.all_rules)
    assert standard.source_zh
    assert standard.source_en
    for rule in standard.all_rules:
        assert rule.clause
        assert rule.clause_en
        assert set(rule.confidences) <= set("ABC"), "nothing that ships is an assumption"
        assert rule.short_zh
        assert rule.short_en
        assert (rule.building_m2_least or 0) <= (rule.building_m2_most or float("inf"))
        assert (rule.confidence_areas is not None) == ((rule.building_m2_least or rule.land_m2_least) is not None)
        assert rule.confidence != "A" or rule.walk_m is None or rule.source, f"{rule.facility_class} was read nowhere"
        assert bool(rule.note_zh) == bool(rule.note_en)
    assert all(rule.walk_m is not None and rule.walk_m > 0 for rule in standard.rules)
    assert all(rule.circle > 0 for rule in standard.rules), "nobody walks a circle of no minutes"
    assert all(figure.source for figure in figures_of(standard) if figure.confidence == "A")
    assert sum(confidence_counts(standard).values()) > len(standard.all_rules) - 1


def figures_of(standard: Standard) -> list[Any]:
    owners = (*standard.all_rules, *standard.circles)
    return [figure for owner in owners for figure in owner.figures]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_figure_that_ships_can_be_said(language: Language) -> None:
    said = [figure_text(figure, language) for key in shipped_standards() for figure in figures_of(load_standard(key))]
    assert all(said)
    assert all("㊀" not in text for text in said)


def test_only_standards_are_standards() -> None:
    assert shipped_standards() == (
        "complete-community-2020",
        "convenience-2021",
        "gb50180-2018",
        "gb50437-2007",
        "mohurd-checkup",
        "tdt1062-2021",
        "tdt1063-2021",
    )


# --- what a rule means ---


def test_the_classes_of_elderly_care_and_markets_are_sited() -> None:
    sited = {rule.facility_class: rule for rule in GB.rules if rule.sited}
    assert {"elderly_day_care", "food_market"} <= set(sited)
    assert sited["elderly_day_care"].limit_m == 300
    assert sited["elderly_day_care"].group == "elders_60"
    assert sited["food_market"].limit_m == 500


@given(st.floats(0, 60), st.floats(0, 60))
def test_more_minutes_are_never_fewer_metres(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert metres_of_minutes(low) <= metres_of_minutes(high)


def test_minutes_stand_for_the_walks_of_the_circles() -> None:
    for circle in GB.circles:
        if circle.minutes:
            assert metres_of_minutes(circle.minutes) == circle.walk_m_most


def test_one_class_in_two_circles_with_two_limits_has_two_keys(tmp_path: Path) -> None:
    text = (
        CHILD
        + '[rule.market_near]\nzh="五分钟菜店"\ncircle=5\nlimit_m=200\nrequired=false\ngroup="people"\n'
        + 'met_by=["food_market"]\n'
    )
    standard = load_standard(put(tmp_path, text))
    near, far = standard.rule("market_near"), standard.rule("food_market")
    assert (near.circle, near.limit_m, far.circle, far.limit_m) == (5, 200, 10, 500)
    assert near.classes == far.classes == ("food_market",)
    assert "market_near" in standard.classes
    assert "market_near" not in standard.counted, "no facility is of the key: it is met by another class"


def test_minutes_without_metres_are_walked(tmp_path: Path) -> None:
    text = HEAD + '[rule.library]\nzh="图书馆"\ncircle=10\nlimit_minutes=8\nrequired=true\ngroup="people"\n'
    (rule,) = load_standard(put(tmp_path, text)).rules
    assert (rule.limit_m, rule.walk_m, rule.walk_minutes) == (None, 420.0, 8)


def test_a_radius_that_nobody_walks_is_listed_and_not_measured() -> None:
    station = GB.rule("refuse_collection_station")
    assert (station.limit_m, station.walk_m) == (400, None)
    assert station in GB.unmeasured


# --- inheritance ---


def test_a_local_standard_changes_what_it_names_and_keeps_the_rest(local: Path) -> None:
    standard = load_standard(local)
    assert standard.extends == ("gb50180-2018",)
    assert set(GB.classes) - set(standard.classes) == {"mall"}
    kindergarten = standard.rule("kindergarten")
    assert (kindergarten.limit_m, kindergarten.confidence, kindergarten.clause) == (500, "A", "本市规定 第7条")
    assert kindergarten.note_zh == "", "a note about the old limit must not stand beside the new one"
    assert kindergarten.source == "", "nor where the old limit was read"
    assert kindergarten.group == "children_3_6"
    assert standard.rule("elderly_day_care") == GB.rule("elderly_day_care")


def test_a_limit_without_confidence_is_an_assumption(local: Path) -> None:
    school = load_standard(local).rule("primary_school")
    assert (school.limit_m, school.confidence, school.clause) == (600, "D", "本市规定 第3条")


def test_what_does_not_touch_the_limit_keeps_its_clause(local: Path) -> None:
    bank = load_standard(local).rule("bank")
    assert not bank.required
    assert bank.clause == GB.rule("bank").clause


def test_a_limit_in_minutes_replaces_one_in_metres(tmp_path: Path) -> None:
    rule = load_standard(put(tmp_path, CHILD + "[rule.food_market]\nlimit_minutes=8\n")).rule("food_market")
    assert (rule.limit_m, rule.limit_minutes, rule.confidence) == (None, 8, "D")


def test_a_file_may_extend_a_file_beside_it(local: Path) -> None:
    put(local.parent, '[standard]\nkey="x"\nzh="区"\nen="x"\nedition="1"\nclause="c"\nextends="local.toml"\n', "d.toml")
    standard = load_standard(local.parent / "d.toml")
    assert standard.extends == ("local", "gb50180-2018")
    assert standard.rule("kindergarten").limit_m == 500


def test_a_figure_replaces_the_one_of_its_key_and_leaves_the_others(tmp_path: Path) -> None:
    text = (
        CHILD
        + '[[rule.food_market.figure]]\nmetric="building_m2"\nper="1000_people"\nleast=90\n'
        + '[[rule.food_market.figure]]\nmetric="car_stalls"\nper="100_building_m2"\nleast=0.5\nconfidence="A"\n'
        + '[rule.mall]\ndrop_figures=["bike_stalls/100_building_m2"]\n'
    )
    standard = load_standard(put(tmp_path, text))
    figures = {one.metric: one for one in standard.rule("food_market").figures}
    assert {metric: one.least for metric, one in figures.items()} == {
        "car_stalls": 0.5,
        "bike_stalls": 7.5,
        "building_m2": 90,
    }
    assert [figures[name].confidence for name in ("car_stalls", "bike_stalls", "building_m2")] == ["A", "B", "D"]
    assert [figures[name].clause for name in ("bike_stalls", "building_m2")] == ["GB 50180-2018 表5.0.5", "c"]
    assert [one.metric for one in standard.rule("mall").figures] == ["car_stalls"]
    assert standard.rule("food_market").limit_m == 500, "a figure does not touch the limit"


def test_values_can_be_unset_and_rules_kept(tmp_path: Path) -> None:
    text = CHILD + 'keep=["elderly_home", "kindergarten"]\n[rule.elderly_home]\nunset=["limit_m", "land_m2"]\n'
    standard = load_standard(put(tmp_path, text))
    assert {rule.facility_class for rule in standard.all_rules} == {"elderly_home", "kindergarten"}
    home = standard.rule("elderly_home")
    assert (home.walk_m, home.land_m2_least, home.building_m2_least) == (None, None, 7000)
    assert home in standard.unmeasured
    assert standard.circles == GB.circles


CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "limit_m": st.integers(50, 3000),
        "required": st.booleans(),
        "circle": st.sampled_from([5, 10, 15]),
        "confidence": st.sampled_from("ABCD"),
        "building_m2": st.lists(st.integers(1, 9000), min_size=1, max_size=2).map(sorted),
        "zh": st.just("新名"),
    },
)
LOCALS = st.dictionaries(st.sampled_from(sorted(GB.classes)), CHANGES, max_size=4)


def written(changes: dict[str, dict[str, object]], extends: str = "gb50180-2018", drop: tuple[str, ...] = ()) -> str:
    tables = "".join(
        f"[rule.{key}]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in table.items())
        for key, table in changes.items()
    )
    return HEAD + f'extends = "{extends}"\ndrop = {json.dumps(list(drop))}\n{tables}'


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=LOCALS)
def test_the_algebra_of_inheritance(tmp_path: Path, changes: dict[str, dict[str, object]]) -> None:
    once = load_standard(put(tmp_path, written(changes), "once.toml"))
    put(tmp_path, written(changes, "once.toml"), "twice.toml")
    twice = load_standard(tmp_path / "twice.toml")
    assert {rule.facility_class: rule for rule in twice.all_rules} == {
        rule.facility_class: rule for rule in once.all_rules
    }, "the same change twice is the change once"
    assert {rule.facility_class for rule in once.all_rules} == {rule.facility_class for rule in GB.all_rules}
    for rule in once.all_rules:
        table = changes.get(rule.facility_class)
        if not table:
            assert rule == GB.rule(rule.facility_class)
        elif "limit_m" in table:
            assert rule.limit_m == table["limit_m"]
            assert rule.confidence == table.get("confidence", "D")
    gone = tuple(changes)
    dropped = load_standard(put(tmp_path, written({}, "once.toml", gone), "dropped.toml"))
    assert not {rule.facility_class for rule in dropped.all_rules} & set(gone)
    assert {one.key for one in differences(GB, once)} <= set(changes)


def test_dropping_and_adding_again_forgets_what_was_inherited(tmp_path: Path) -> None:
    text = (
        HEAD
        + 'extends="gb50180-2018"\ndrop=["mall"]\n[rule.mall]\nzh="商场"\ncircle=15\nrequired=false\ngroup="people"\n'
    )
    mall = load_standard(put(tmp_path, text)).rule("mall")
    assert (mall.limit_m, mall.building_m2_least, mall.figures, mall.confidence) == (None, None, (), "D")


@pytest.mark.parametrize("key", shipped_standards())
def test_an_empty_child_is_its_parent(tmp_path: Path, key: str) -> None:
    parent, child = load_standard(key), load_standard(put(tmp_path, written({}, key)))
    assert differences(parent, child) == []
    assert child.extends == (key, *parent.extends)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("key", shipped_standards())
def test_a_template_changes_nothing_until_it_is_filled_in(tmp_path: Path, key: str, language: Language) -> None:
    parent = load_standard(key)
    text = template(parent, key, language)
    assert differences(parent, load_standard(put(tmp_path, text))) == []
    head, body = text.split("drop = []\n")
    tables = body.replace("\n# ", "\n").replace("\n#\n", "\n\n")
    child = load_standard(put(tmp_path, f"{head}drop = []\n{tables}"))
    for mine, theirs in zip(child.all_rules, parent.all_rules, strict=True):
        assert _values(mine) == _values(theirs)
        assert [one.least for one in mine.figures] == [one.least for one in theirs.figures]
        assert mine.confidence == "D" or mine.limit_m is mine.limit_minutes is None, "stated anew, not taken over"


def _values(rule: Rule) -> tuple[object, ...]:
    plain = ("facility_class", "zh", "circle", "also_circles", "limit_m", "limit_minutes", "required", "measured")
    areas = ("building_m2_least", "building_m2_most", "land_m2_least", "land_m2_most", "met_by", "land", "group")
    return tuple(getattr(rule, name) for name in (*plain, *areas))


def test_the_example_of_the_documentation_is_a_standard(tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "standards.md").read_text(encoding="utf-8")
    standard = load_standard(put(tmp_path, page.split("```toml\n")[1].split("```")[0]))
    assert standard.extends == ("gb50180-2018",)
    market, near = standard.rule("food_market"), standard.rule("market_near")
    assert (market.building_m2_least, market.confidence_areas, market.limit_m) == (600, "A", 500)
    assert near.classes == ("food_market",)
    assert all(f"`{key}`" in page for key in shipped_standards())


# --- differences, data ---


def test_a_standard_does_not_differ_from_itself_and_differences_turn_round() -> None:
    for one in shipped_standards():
        assert differences(load_standard(one), load_standard(one)) == []
    turned = {"added": "removed", "removed": "added", "changed": "changed"}
    there = differences(GB, load_standard("tdt1062-2021"))
    back = differences(load_standard("tdt1062-2021"), GB)
    assert {(one.change, one.kind, one.key, one.field, str(one.before), str(one.after)) for one in there} == {
        (turned[one.change], one.kind, one.key, one.field, str(one.after), str(one.before)) for one in back
    }


@pytest.mark.parametrize("key", shipped_standards())
def test_data_holds_every_rule_and_is_json(key: str) -> None:
    standard = load_standard(key)
    data = json.loads(json.dumps(as_data(standard)))
    assert len(data["rules"]) + len(data["unmeasured"]) == len(standard.all_rules)
    assert sum(data["confidence"].values()) == sum(confidence_counts(standard).values())
    for language in ("zh", "en"):
        rows = rule_rows(standard, language)  # type: ignore[arg-type]
        assert [row["facility_class"] for row in rows] == [rule.facility_class for rule in standard.all_rules]
        assert all(row["clause"] and row["confidence"] for row in rows)


# --- faults ---


def test_a_rule_of_a_new_class_needs_its_keys(tmp_path: Path) -> None:
    path = put(tmp_path, HEAD + '[rule.library]\nzh="图书馆"\nlimit_m=900\n[rule.cinema]\nzh="影院"\n')
    assert faults_of(path) == {
        ("standards.missing_key", name, key)
        for name in ("library", "cinema")
        for key in ("circle", "required", "group")
    }


def test_all_faults_of_a_file_come_together(tmp_path: Path) -> None:
    text = "[rule.library]\nlimt_m=900\ncircle=7\n[rule.cinema]\nlimit_m=-1\nbuilding_m2=[9,3]\n"
    path = put(tmp_path, HEAD + text + '[[circle.5.figure]]\nmetric="people"\nper="1000_people"\n[circle.20]\nzh="x"\n')
    assert {column for _, _, column in faults_of(path)} >= {"limt_m", "circle", "limit_m", "building_m2", "metric"}


def test_what_inheritance_cannot_do_comes_together(tmp_path: Path) -> None:
    text = CHILD + (
        'drop=["zoo", "circle.7"]\nkeep=["cinema", "mall"]\n'
        '[rule.mall]\nunset=["limit_minutes"]\ndrop_figures=["land_m2/person"]\n[rule.zoo]\nlimit_m=3\n'
        '[indicator.x]\nzh="x"\nmeasure="people"\nformula_zh="x"\nrules=["bank"]\n'
    )
    found = faults_of(put(tmp_path, text))
    assert {code for code, _, _ in found} == {
        "standards.unknown_drop",
        "standards.unknown_unset",
        "standards.unknown_rule",
        "standards.missing_key",
    }
    assert len(found) >= 6


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("not = [toml", "standards.not_toml"),
        ("a = " + "[" * 5000, "standards.not_toml"),
        (HEAD + 'extends="a.toml"\n', "standards.extends_loop"),
        (HEAD + 'extends="../{folder}/a.toml"\n', "standards.extends_loop"),
        (CHILD + 'drop=["zoo"]\n', "standards.unknown_drop"),
        ('[standard]\nkey="a"\n', "standards.missing_key"),
        (HEAD + '[[rule.x.figure]]\nmetric="places"\nper="place"\n', "standards.bad_value"),
        (HEAD + '[rule.x]\nlimit_m="abc"\n', "standards.bad_number"),
        (HEAD + "[rule.x]\nlimit_m=-5\n", "standards.bad_above"),
        (HEAD + '[rule.x]\nconfidence="Z"\n', "standards.bad_choice"),
        (HEAD + '[rule.x]\nrequired="maybe"\n', "standards.bad_boolean"),
        (HEAD + "[rule.x]\nzh=5\n", "standards.bad_text"),
    ],
)
def test_a_file_that_cannot_be_right_is_refused(tmp_path: Path, text: str, code: str) -> None:
    found = faults_of(put(tmp_path, text.replace("{folder}", tmp_path.name)))
    assert {one for one, _, _ in found} == {code}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    table=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["zh", "limit_m", "figure", "x"]), inner)
        ),
        max_leaves=6,
    ),
    where=st.sampled_from(["rule", "circle", "indicator", "rule.bank", "circle.5", "indicator.x"]),
)
def test_any_table_is_read_or_refused_with_its_faults(tmp_path: Path, table: object, where: str) -> None:
    value = _inline(table)
    line = "" if value is None else f"[{where}]\nzh = {value}\n[rule.mall]\nlimit_m = {value}\n"
    path = put(tmp_path, CHILD + line)
    refused: InputError | None = None
    try:
        load_standard(path)
    except InputError as error:
        refused = error
    assert refused is None or refused.faults


def _inline(value: object) -> str | None:
    """Return a value as TOML, or nothing where TOML has no such value."""
    if value is None:
        return None
    if isinstance(value, dict):
        parts = [(key, _inline(one)) for key, one in value.items()]
        return "{" + ", ".join(f"{key} = {text}" for key, text in parts if text is not None) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(text for text in map(_inline, value) if text is not None) + "]"
    if isinstance(value, str):
        return json.dumps(value.encode("ascii", "ignore").decode()).replace("\x7f", "")
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    try:
        tomllib.loads(f"a = {text}")
    except tomllib.TOMLDecodeError:
        return None
    return text


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(LOCAL.encode("gb18030"))
    with pytest.raises(InputError, match="UTF-8"):
        load_standard(path)


def test_a_file_of_a_windows_editor_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(b"\xef\xbb\xbf" + LOCAL.replace("\n", "\r\n").encode())
    assert load_standard(path).key == "local"


def test_an_unknown_standard_names_those_that_ship() -> None:
    with pytest.raises(MissingFileError) as caught:
        load_standard("gb-1")
    assert "gb50180-2018" in explain(caught.value.faults[0], "en")


def test_the_words_for_confidence_are_there() -> None:
    assert {f"standards.confidence_{letter}" for letter in "ABCD"} <= set(catalogue())


@pytest.mark.parametrize("key", ["gb50180-2018", "tdt1062-2021", "complete-community-2020"])
def test_a_nursery_is_for_children_under_three(key: str) -> None:
    rule = load_standard(key).rule("nursery")
    assert rule.group == "children_0_3"


def test_the_groups_of_every_standard_are_counted() -> None:
    for key in shipped_standards():
        assert {rule.group for rule in load_standard(key).all_rules} <= set(MEASURES)
    assert all(say(f"values.measure_{measure}", language) for measure in MEASURES for language in ("zh", "en"))
