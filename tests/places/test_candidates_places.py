"""Candidates of a real place from its OSM tags: brownfields and empty buildings, tried, some fit, the rest say why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lifecircle.layers.candidates import candidates_of
from lifecircle.layers.facilities import find_facilities
from lifecircle.layers.load import load_study
from lifecircle.layers.rings import rings_of
from lifecircle.layers.scaffold import init
from lifecircle.layers.standards import load_standard
from lifecircle.layers.streets import network_of

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.places
CLASSES = ("elderly_day_care", "elderly_home", "food_market")


def test_las_palmas_has_brownfields_and_empty_buildings(places: Path, tmp_path: Path) -> None:
    extract = places / "osm" / "las_palmas_20230221.osm.pbf"
    if not extract.is_file():
        pytest.skip(f"{extract} is not there")
    study = load_study(init([extract], out=tmp_path).path)
    standard = load_standard("gb50180-2018")
    around = {"facilities": find_facilities(study, standard), "rings": rings_of(study)}
    found = candidates_of(study, standard, network_of(study).network, classes=CLASSES, **around)
    frame = found.frame
    assert set(frame["source"]) == {"osm"}
    assert {"cleared_site", "vacant_building", "idle_land"} <= set(frame["kind"])
    assert frame["site_id"].nunique() * len(CLASSES) == len(frame)
    assert 100 < frame["site_id"].nunique() < 300
    for name in CLASSES:
        fits = found.fitting(name)
        assert 0 < len(fits) < frame["site_id"].nunique()
        assert (fits["floor_fits_m2"] >= standard.rule(name).building_m2_least).all()
    refused = frame[~frame["fits"]]
    listed = found.refusals.groupby("facility_class")["site_id"].nunique()
    assert (listed == refused.groupby("facility_class").size()).all()
    assert {"shape", "size_unknown", "too_small_building", "distance"} <= set(found.refusals["reason"])
    near = found.refusals[found.refusals["reason"] == "distance"]
    assert (near["measured"] < near["needed"]).all()
    codes = {note.code for note in found.notes}
    assert {"candidates.untested_hazard", "candidates.untested_slope", "gaps.note_far_unknown"} <= codes
