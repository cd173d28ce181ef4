"""Rules of zoning: verdicts with their row and share, a city's own file, and every fault of it at once."""

from __future__ import annotations

import contextlib
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.gis.errors import InputError, MissingFileError
from lifecircle.layers.compatibility import compatibility_from, load_compatibility
from lifecircle.layers.facility_words import vocabulary
from lifecircle.layers.named import named_faults
from lifecircle.layers.settings import StudySettings
from lifecircle.layers.words import LANGUAGES, explain, say
from lifecircle.layers.zoning import land_uses

CODES = ["R2", "R22", "A6", "A33", "B1", "B3", "M1", "M3", "G1", "S4", "0702", "080701", "0901", "16", "1401", "E2"]
CLASSES = ["elderly_day_care", "elderly_home", "food_market", "kindergarten", "primary_school", "cinema"]


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(CODES), st.integers(1, 9)), min_size=1, max_size=3),
    st.sampled_from(CLASSES),
    st.booleans(),
)
def test_a_judgement_holds_together(parts: list[tuple[str, int]], facility: str, vacated: bool) -> None:  # noqa: FBT001
    table = load_compatibility()
    whole = sum(weight for _, weight in parts)
    text = "/".join(f"{code} {100 * weight / whole:.6f}%" for code, weight in parts)
    found = table.judge(text, facility, vacated=vacated)
    assert table.verdict(text, facility, vacated=vacated) == found.verdict
    assert 0 <= found.share <= 1
    assert (found.share == 1) == (found.verdict == "allowed")
    assert (found.share > 0) == (found.verdict in {"allowed", "share"})
    own = [table.judge(use.code, facility, vacated=vacated) for use in land_uses(text)]
    shared = sum(use.share * one.share for use, one in zip(land_uses(text), own, strict=True) if one.verdict == "share")
    alone = sum(use.share for use, one in zip(land_uses(text), own, strict=True) if one.verdict == "allowed")
    if found.verdict == "share":
        assert found.share == pytest.approx(alone + min(shared, table.share_most))
    assert found.confidence == max(one.confidence for one in own)
    if not vacated:
        order = {"forbidden": 0, "rezoning": 0, "share": 1, "allowed": 2}
        assert order[table.verdict(text, facility, vacated=True)] >= order[found.verdict], "a reuse never forbids more"


def test_no_share_is_above_what_all_may_take() -> None:
    table = load_compatibility()
    shares = [row.share_most for listed in table.rows.values() for row in listed if row.verdict in ("share", "vacated")]
    assert shares
    assert all(0 < share <= table.share_most for share in shares)
    assert table.conflicts.keys() >= {"far_above", "use_not_zoned", "grows_where_less_is_wanted"}


def test_many_places_are_judged_as_one_by_one() -> None:
    table = load_compatibility()
    uses: list[object] = ["R2", "A6", None, "B1/G1", math.nan, "R2"]
    gone = [False, True, False, True, False, False]
    frame = table.judged(uses, "elderly_home", vacated=gone)
    for row, (use, away) in enumerate(zip(uses, gone, strict=True)):
        one = table.judge(use, "elderly_home", vacated=away)
        assert frame["verdict"][row] == one.verdict
        assert frame["confidence"][row] == one.confidence
        assert frame["share"][row] == pytest.approx(one.share, nan_ok=True)
    assert frame["clause"].notna().all()
    assert table.judged([], "elderly_home").empty


def written(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_text(text, encoding=encoding)
    return path


def test_a_city_replaces_rows_of_one_class_and_keeps_the_rest(tmp_path: Path) -> None:
    text = (
        "设施类别,判定,用地性质,兼容比例,可信度,依据\n"
        "菜市场,按比例兼容,R2、070102,10%,A,某市规定第8条\n"
        "菜市场,允许,B1,,A,某市规定第8条\n"
        "food_market,禁止,A6,,B,某市规定第9条\n"
    )
    for encoding in ("utf-8-sig", "gb18030"):
        table = compatibility_from(written(tmp_path, "rules.csv", text, encoding))
        found = table.judge("r2", "food_market")
        assert (found.verdict, found.share, found.confidence) == ("share", 0.1, "A")
        assert found.rows[0] is not None
        assert (found.rows[0].clause, found.rows[0].place) == ("某市规定第8条", 2)
        assert table.verdict("A6", "food_market") == "forbidden"
        assert table.verdict("16", "food_market") == "rezoning", "what the city's rows do not list needs rezoning"
        shipped = load_compatibility()
        assert table.rows["elderly_home"] == shipped.rows["elderly_home"]
        assert table.rows[""] == shipped.rows[""]
        assert table.source is not None
        assert table.source.endswith("rules.csv")


def test_a_city_replaces_groups_relaxations_and_remainders(tmp_path: Path) -> None:
    text = """
[table]
zh = "某市兼容表"
share_most = 0.3
relaxation = "city"
[relaxation.city]
zh = "某市放宽"
clause = "某市办法第三条"
confidence = "A"
far_factor = 1.5
[small_remainder]
housing_m2 = 4000
other_m2 = 2000
clause = "某市规定"
[[row]]
facility = "机构养老"
verdict = "share"
land_use = ["商业用地"]
confidence = "A"
[conflict.far_above]
clause = "某市技术规定"
"""
    table = compatibility_from(written(tmp_path, "rules.toml", text))
    assert table.judge("B1", "nursing_care_home").share == 0.3
    assert table.verdict("A6", "elderly_home") == "rezoning"
    assert table.verdict("A6", "elderly_day_care") == load_compatibility().verdict("A6", "elderly_day_care")
    assert (table.relaxation.far_factor, table.relaxation.clause) == (1.5, "某市办法第三条")
    assert "renewal" in table.relaxations
    assert table.small_remainder.other_m2 == 2000
    assert table.conflicts["far_above"].clause == "某市技术规定"
    assert table.conflicts["height_above"] == load_compatibility().conflicts["height_above"]


def test_the_shipped_file_read_as_a_citys_says_the_same(tmp_path: Path) -> None:
    source = Path(__file__).parents[2] / "layers" / "standards" / "compatibility.toml"
    table = compatibility_from(written(tmp_path, "own.toml", source.read_text(encoding="utf-8")))
    shipped = load_compatibility()
    for facility in vocabulary().classes:
        for code in CODES:
            assert table.verdict(code, facility) == shipped.verdict(code, facility)
    assert (table.relaxation, table.accepts, table.conflicts) == (
        shipped.relaxation,
        shipped.accepts,
        shipped.conflicts,
    )


@pytest.mark.parametrize(
    ("name", "text", "faults"),
    [
        (
            "a.csv",
            """facility,verdict,land_use,share_most,confidence
food_markt,allowed,B1,,
food_market,maybe,B1,,
food_market,share,乱码,0.2,
food_market,share,杂乱,150%,
food_market,share,R3,0.9,
food_market,forbidden,G1,0.2,
food_market,allowed,B1,,Z
,allowed,B1,,
菜市场,share,A6,,
food_market,forbidden,A6,,
""",
            [
                ("zoning.rules_choice", 3, "verdict", "maybe"),
                ("zoning.rules_bound", 5, "share_most", "150%"),
                ("zoning.rules_code", 5, "land_use", "杂乱"),
                ("zoning.rules_choice", 8, "confidence", "Z"),
                ("zoning.rules_missing_key", 9, "facility", None),
                ("zoning.rules_facility", 2, "facility", "food_markt"),
                ("zoning.rules_code", 4, "land_use", "乱码"),
                ("zoning.rules_share_above", 6, "share_most", 0.9),
                ("zoning.rules_share_idle", 7, "share_most", 0.2),
                ("zoning.rules_twice", 11, "land_use", "A6"),
            ],
        ),
        ("c.csv", "设施,用地性质\n菜市场,B1\n", [("zoning.rules_column", None, "verdict", None)]),
        ("d.csv", "facility,verdict,land_use\n", [("zoning.rules_empty", None, None, None)]),
        ("e.toml", "row = [", [("zoning.rules_toml", None, None, None)]),
        ("f.shp", "", [("zoning.rules_format", None, None, None)]),
        (
            "g.toml",
            """
[table]
relaxation = "none"
default_group = "x"
[conflict.no]
clause = "c"
[accepts]
forest = ["green"]
[group.one]
zh = "一"
classes = ["gym"]
[group.two]
zh = "二"
classes = ["gym"]
""",
            [
                ("zoning.rules_two_groups", "group.two", "classes", "gym"),
                ("zoning.rules_name", "table", "relaxation", "none"),
                ("zoning.rules_name", "accepts", "forest", "forest"),
                ("zoning.rules_name", "conflict", "no", "no"),
                ("zoning.rules_name", "table", "default_group", "x"),
            ],
        ),
        (
            "h.toml",
            """
[table]
share_mos = 0.2
[[row]]
facility = "gym"
verdict = "allowed"
land_use = "R2"
[[row]]
facility = "gim"
verdict = "allowed"
land_use = ["R2"]
[relaxation.x]
zh = "x"
clause = "c"
far_factor = 0.5
""",
            [
                ("zoning.rules_unknown_key", "table", "share_mos", 0.2),
                ("zoning.rules_value", "row.1", "land_use", "R2"),
                ("zoning.rules_bound", "relaxation.x", "far_factor", 0.5),
                ("zoning.rules_facility", 2, "facility", "gim"),
            ],
        ),
    ],
)
def test_every_fault_of_a_file_is_told_with_its_place(
    tmp_path: Path, name: str, text: str, faults: list[tuple[str, object, object, object]]
) -> None:
    with pytest.raises(InputError) as caught:
        compatibility_from(written(tmp_path, name, text))
    assert [(one.code, one.row, one.column, one.value) for one in caught.value.faults] == faults
    for one in caught.value.faults:
        assert one.file == str(tmp_path / name)
        assert all(explain(one, language) for language in LANGUAGES)


def test_a_study_that_names_a_file_hears_of_its_faults(tmp_path: Path) -> None:
    stated = {"study": {"name": "甲"}, "layers": {}, "zoning": {"rules": "none.csv"}}
    faults = named_faults(StudySettings.model_validate(stated), tmp_path)
    assert [one.code for one in faults] == ["zoning.rules_missing"]
    with pytest.raises(MissingFileError):
        compatibility_from(tmp_path / "none.csv")
    assert all(say("zoning.rules_missing", language) for language in LANGUAGES)


pieces = st.sampled_from(
    [
        "row = 3\n",
        "row = [1, 2]\n",
        '[[row]]\nfacility = ["gym"]\n',
        '[[row]]\nfacility = "gym"\nverdict = "share"\nland_use = ["R2"]\nshare_most = nan\n',
        '[[row]]\nfacility = "gym"\nverdict = "forbidden"\nland_use = []\n',
        "table = 1\n",
        "[table]\nshare_most = -1\nstorey_m = inf\n",
        "group = 1\n",
        "[group]\nx = 2\n",
        '[group.y]\nzh = ""\nclasses = [""]\n',
        "[small_remainder]\nhousing_m2 = -5\n",
        "[accepts]\nresidential = 3\n",
        "[relaxation]\nrenewal = []\n",
        "[conflict.far_above]\n",
    ]
)


@settings(deadline=None, max_examples=60)
@given(st.lists(pieces, min_size=1, max_size=4, unique=True))
def test_no_malformed_file_is_read_or_breaks(tmp_path_factory: pytest.TempPathFactory, parts: list[str]) -> None:
    ordered = sorted(parts, key=lambda part: part.startswith("["))  # keys of the file before its tables
    path = written(tmp_path_factory.mktemp("rules"), "rules.toml", "".join(ordered))
    with pytest.raises(InputError) as caught:
        compatibility_from(path)
    assert caught.value.faults
    for one in caught.value.faults:
        assert all(explain(one, language) for language in LANGUAGES)


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=60))
def test_any_table_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    body = "facility,verdict,land_use\n" + text.encode("utf-8", "ignore").decode()
    path = written(tmp_path_factory.mktemp("rules"), "rules.csv", body)
    with contextlib.suppress(InputError):  # and nothing else is raised
        compatibility_from(path)
