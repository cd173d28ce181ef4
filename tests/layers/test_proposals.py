"""Proposals: every setting of a wish is honoured or refused, and the answers keep the laws of covering."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lifecircle.gis.errors import InfeasibleError, InputError
from lifecircle.layers.load import load_study
from lifecircle.layers.plan import find
from lifecircle.layers.proposals import Proposals, propose
from lifecircle.layers.sample import write_sample
from lifecircle.layers.settings import SitingSection
from lifecircle.layers.wishes import check_wishes

if TYPE_CHECKING:
    import pandas as pd

    from lifecircle.layers.offers import Kept

MARKET, DAY_CARE = "food_market", "elderly_day_care"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """What siting needs of a small made-up city."""
    study = write_sample(tmp_path_factory.mktemp("city"), people=20_000, seed=3)
    found = find(load_study(study)).kept
    assert found is not None
    return found


def asked(kept: Kept, *wishes: dict[str, Any], **siting: str) -> Proposals:
    """Proposals for some wishes."""
    full = [{"facility_class": MARKET, **wish} for wish in wishes]
    section = SitingSection.model_validate({"wish": full, **siting})
    assert not check_wishes(section)
    return propose(kept, section, [], strict=True)


def row(found: Proposals, place: int = 0) -> pd.Series[Any]:
    return found.siting.iloc[place]


def test_steps_add_up_and_the_bound_is_never_below(kept: Kept) -> None:
    last = 0
    for sites in (1, 2, 3, 4):
        found = asked(kept, {"sites": sites})
        one = row(found)
        assert found.sites["added"].sum() == one["objective"] == one["covered_after"] - one["covered_before"]
        assert last <= one["objective"] <= one["bound"]
        assert (found.sites["only_here"] <= found.sites["served"]).all()
        last = one["objective"]


def test_the_curve_holds_the_answer_and_never_falls(kept: Kept) -> None:
    found = asked(kept, {"sites": 3})
    curve = found.curve
    assert curve["covered"].is_monotonic_increasing
    assert (curve["covered"] <= curve["bound"]).all()
    assert curve.set_index("sites")["covered"][3] == row(found)["objective"]
    assert curve["knee"].sum() <= 1
    assert not len(asked(kept, {"sites": 3, "curve": 0}).curve)


def test_whom_no_candidate_reaches_is_counted_with_a_reason(kept: Kept) -> None:
    found = asked(kept, {"model": "set_cover"})
    one = row(found)
    assert one["covered_after"] + one["unreachable"] == one["total"]
    assert found.unreachable["people"].sum() == one["unreachable"]
    assert (found.unreachable["reason"].str.len() > 0).all()


def test_phases_are_nested_and_each_has_its_sites(kept: Kept) -> None:
    found = asked(kept, {"phases": [1, 2]})
    assert found.sites["phase"].tolist() == [1, 2, 2]
    money = asked(kept, {"phase_yuan": [1e6, 1e6], "cost_yuan": 1e6})
    assert money.sites["phase"].tolist() == [1, 2]
    assert row(money)["spent_yuan"] == 2e6


def test_a_budget_is_kept_and_more_money_never_covers_less(kept: Kept) -> None:
    last = 0
    for budget in (4e6, 8e6, 12e6):
        one = row(asked(kept, {"model": "budgeted", "budget_yuan": budget, "cost_yuan_per_m2": 5000.0}))
        assert one["spent_yuan"] <= budget
        assert one["objective"] >= last
        last = one["objective"]


def test_closing_frees_sites_and_never_covers_less_than_keeping(kept: Kept) -> None:
    names = kept.offers[MARKET].stand["facility_id"].tolist()
    plain, closing = asked(kept, {"sites": 1}), asked(kept, {"sites": 1, "close": names, "closings": 2})
    assert row(closing)["covered_after"] >= row(plain)["covered_after"]
    assert len(closing.sites) <= 3
    assert MARKET in closing.closed
    told = next(note for note in closing.notes if note.code == "proposals.closed")
    assert told.detail["count"] == len(str(told.detail["names"]).split(", ")) <= 2


def test_fairness_lifts_the_worst_group_or_names_it(kept: Kept) -> None:
    plain, fair = asked(kept, {"sites": 3}), asked(kept, {"sites": 3, "worst_first": True})
    assert row(fair)["worst_rate"] >= row(plain)["worst_rate"]
    assert row(fair)["objective"] <= row(plain)["objective"]
    rings = next(groups for groups in kept.groups if groups.kind == "ring")
    with pytest.raises(InfeasibleError) as raised:
        asked(kept, {"sites": 3, "least": 0.95})
    assert {fault.detail["group"] for fault in raised.value.faults} <= set(rings.names)


@pytest.mark.parametrize("together", ["one_use", "combined"])
def test_classes_together_share_the_land(kept: Kept, together: str) -> None:
    wishes = {"sites": 2}, {"facility_class": DAY_CARE, "sites": 2}
    apart, joint = asked(kept, *wishes), asked(kept, *wishes, together=together)
    assert joint.siting["objective"].sum() >= apart.siting["objective"].sum()
    assert (joint.siting["objective"] <= joint.siting["bound"]).all()
    if together == "one_use":
        assert joint.sites["site_id"].is_unique
    for _, site in joint.sites.iterrows():
        same = joint.sites[joint.sites["site_id"] == site["site_id"]]
        assert set(str(site["carries"]).split(";")) == set(same["facility_class"])


def test_walks_are_shorter_with_more_sites(kept: Kept) -> None:
    for model in ("p_median", "p_centre"):
        few, many = (row(asked(kept, {"model": model, "sites": sites})) for sites in (4, 6))
        assert many["bound"] <= many["objective"] <= few["objective"]


def test_places_that_nobody_stated_are_not_guessed(kept: Kept) -> None:
    wish = {"facility_class": DAY_CARE, "model": "capacitated", "sites": 2, "places_per_1000": 30.0}
    unknown = np.isnan(kept.offers[DAY_CARE].stand["capacity"].to_numpy(dtype=np.float64))
    assert unknown.any()
    with pytest.raises(InputError, match=r"siting\.stand_unknown"):
        asked(kept, wish)
    few, many = (row(asked(kept, {**wish, "places_unknown": places})) for places in (0, 50))
    assert many["objective"] <= few["objective"]


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "unread": ({"model": "p_centre", "sites": 1, "cost_yuan": 5.0}, "siting.key_unused"),
    "missing": ({"model": "budgeted", "cost_yuan": 5.0}, "siting.key_needed"),
    "alone": ({"sites": 1, "closings": 1}, "siting.key_alone"),
    "two features": ({"sites": 1, "close": ["F"], "worst_first": True}, "siting.keys_contradict"),
    "two costs": ({"sites": 1, "cost_yuan": 5.0, "cost_yuan_per_m2": 5.0}, "siting.keys_contradict"),
    "sites and phases": ({"sites": 1, "phases": [1]}, "siting.keys_contradict"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_honoured_is_named(case: str) -> None:
    wish, code = REFUSED[case]
    section = SitingSection.model_validate({"wish": [{"facility_class": MARKET, **wish}]})
    assert code in {fault.code for fault in check_wishes(section)}


def test_together_refuses_what_one_class_alone_would_be_asked() -> None:
    wishes = [{"facility_class": MARKET, "sites": 1}, {"facility_class": MARKET, "sites": 1, "least": 0.1}]
    section = SitingSection.model_validate({"wish": wishes, "together": "one_use"})
    assert {fault.code for fault in check_wishes(section)} == {"siting.class_twice", "siting.keys_contradict"}
