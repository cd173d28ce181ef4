"""Number formats are exact and honest; colours keep apart; marks are stable."""

from __future__ import annotations

import itertools
import math
import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecircle.layers import contracts
from lifecircle.layers.words import LANGUAGES, Language
from lifecircle.maps import formats, style

LANGUAGE = st.sampled_from(LANGUAGES)
FINITE = st.floats(min_value=-1e12, max_value=1e12, allow_nan=False)


def number(text: str) -> Fraction:
    """Value of a written number, whatever stands around it."""
    found = re.search(r"-?[\d,]+(\.\d+)?", text)
    assert found is not None, text
    return Fraction(found[0].replace(",", ""))


@given(FINITE, st.sampled_from(sorted(formats.NUMBER_FORMATS)), LANGUAGE)
def test_a_written_number_is_within_half_a_step_of_the_value(value: float, kind: str, language: Language) -> None:
    form = formats.NUMBER_FORMATS[kind]
    if form.share:
        return
    shown = number(formats.format_number(value, kind, language))
    exact = Fraction(value * form.factor)
    assert abs(shown - exact) <= Fraction(1, 2 * 10**form.digits)


@given(st.floats(min_value=0, max_value=1), LANGUAGE)
def test_a_rate_is_never_called_all_or_nothing_when_it_is_not(rate: float, language: Language) -> None:
    text = formats.format_number(rate, "percent", language)
    assert (text == "100.0%") == (rate == 1.0)
    assert (text == "0.0%") == (rate == 0.0)


@given(st.lists(st.floats(min_value=0, max_value=1), min_size=2, max_size=20))
def test_rates_are_written_in_their_order(rates: list[float]) -> None:
    shown = [number(formats.format_number(rate, "percent", "en")) for rate in sorted(rates)]
    assert shown == sorted(shown)


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_not_known_is_a_dash(value: float | None, language: Language) -> None:
    for kind in formats.NUMBER_FORMATS:
        assert formats.format_number(value, kind, language) == formats.NOTHING
    writers = (formats.format_people, formats.format_area, formats.format_floor_area, formats.format_length)
    assert {write(value, language) for write in writers} == {formats.NOTHING}


def test_halves_are_rounded_up_and_zero_has_no_sign() -> None:
    assert [formats.format_number(value, "count", "en") for value in (0.5, 1.5, 2.5, -0.2)] == ["1", "2", "3", "0"]


@given(st.floats(min_value=0, max_value=1e11), st.sampled_from(["area", "floor_area", "length"]), LANGUAGE)
def test_every_size_has_a_unit(value: float, scale: str, language: Language) -> None:
    write = {"area": formats.format_area, "floor_area": formats.format_floor_area, "length": formats.format_length}[
        scale
    ]
    text = write(value, language)
    assert re.fullmatch(r"[\d,]+(\.\d+)? \S+( \S+)?", text), text


def test_dates() -> None:
    for month in range(1, 13):
        assert formats.format_date(f"2026-{month:02d}-09", "zh") == f"2026年{month}月9日"
    assert formats.format_date(None, "zh") == formats.NOTHING
    assert formats.format_date("2026年春", "zh") == "2026年春"


def luminance(color: str) -> float:
    """Relative luminance by WCAG 2.1."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio by WCAG 2.1."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_more_lacking_is_darker() -> None:
    steps = [luminance(fill) for fill in style.MISSING_FILLS[1:]]
    assert all(before > after * 1.15 for before, after in itertools.pairwise(steps))
    assert len(style.MISSING_FILLS) == len(style.MISSING_CUTS) == len(style.missing_labels("zh"))


def test_words_can_be_read() -> None:
    for color in (style.INK, style.MUTED, style.ACCENT, style.GOOD, style.LACKING_TEXT):
        assert contrast(color, style.PAPER) >= 4.5, color


def test_marks_stand_out_from_the_ground_and_from_each_other() -> None:
    keys = [
        "elderly_day_care",
        "community_health_station",
        "kindergarten",
        "food_market",
        "culture_station",
        "small_sports_ground",
    ]
    marks = style.class_marks([*keys, "elderly_home", "own_1", "own_2"])
    assert len(set(marks.values())) == len(marks)
    for mark in marks.values():
        assert contrast(mark.color, style.LAND) >= 3.0, mark
        assert mark.marker


@given(st.lists(st.text(min_size=1, max_size=8), unique=True, max_size=12))
def test_a_known_class_looks_the_same_in_every_study(others: list[str]) -> None:
    alone = style.class_marks(["kindergarten"])["kindergarten"]
    assert style.class_marks([*others, "kindergarten"])["kindergarten"] == alone
    assert style.class_marks(["td_kindergarten"])["td_kindergarten"] == alone


@given(st.integers(min_value=0, max_value=60))
def test_the_steps_of_lacking_follow_their_cuts(count: int) -> None:
    step = style.missing_step(count)
    assert style.MISSING_CUTS[step] <= count
    assert step + 1 == len(style.MISSING_CUTS) or count < style.MISSING_CUTS[step + 1]


def test_every_coded_value_that_is_coloured_has_its_colour() -> None:
    assert set(style.WAY_FILLS) == set(contracts.WAYS)
    assert set(style.KIND_FILLS) == set(contracts.PROJECT_KINDS)
    assert set(style.STATUS_FILLS) == {"present", "partial", "too_small", "too_far", "unknown", "no_data"}
    assert set(map(style.street_tier, ("primary", "tertiary", "residential", "steps", ""))) <= set(style.LOOKS)


@pytest.mark.parametrize(
    ("code", "group"),
    [("R22", "residential"), ("b1", "commercial"), ("0701", "residential"), ("", "other"), (None, "other")],
)
def test_land_use_codes_find_their_colour(code: str | None, group: str) -> None:
    assert style.use_fill(code) == style.USE_FILLS[group]


@given(st.lists(st.integers(min_value=0, max_value=40) | st.just(math.nan), max_size=60))
def test_the_steps_of_a_study_rise_from_none_and_have_colours(counts: list[float]) -> None:
    cuts = style.missing_cuts(counts)
    assert cuts[:2] == (0, 1)
    assert list(cuts) == sorted(set(cuts))
    assert len(cuts) <= len(style.MISSING_FILLS)
    assert len(style.missing_labels("zh", cuts)) == len(cuts)
