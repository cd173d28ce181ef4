"""Stated datums: each file says how well it fits, every wrong one of a shifted layer is found, no right one doubted."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pytest
import shapely
from typer.testing import CliRunner

from lifecircle.cli.cli import app
from lifecircle.gis.crs import moved_points, transform
from lifecircle.layers.audit import audit
from lifecircle.layers.fit import Reference
from lifecircle.layers.fit_stated import best_of
from lifecircle.layers.sample import make_city
from lifecircle.layers.sample_files import write_city

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from lifecircle.layers.sample import City

SHIFTS = ("wgs84", "gcj02", "bd09")


@pytest.fixture(scope="module", params=[20_000, 60_000])
def city(request: pytest.FixtureRequest) -> City:
    return make_city(people=request.param, seed=3)


@pytest.fixture(scope="module")
def small() -> City:
    return make_city(people=20_000, seed=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, small: City) -> Path:
    return write_city(small, tmp_path_factory.mktemp("made_up") / "city", "en").parent


def _shift(degrees: NDArray[np.float64], true: str) -> NDArray[np.float64]:
    if true == "wgs84":
        return degrees
    return moved_points(degrees, "EPSG:4326", true)


def streets_of(city: City) -> Reference:
    streets = city.layers["streets"]
    return Reference(streets.crs, streets.geometry.to_numpy(), city.layers["area"].geometry.iloc[0])


def shapes_of(city: City, layer: str) -> gpd.GeoSeries:
    crs = city.layers["streets"].crs
    if layer == "facilities":
        return gpd.GeoSeries(shapely.points(city.facilities[["x", "y"]].to_numpy()), crs=crs)
    return city.layers[layer].geometry


@pytest.mark.parametrize("layer", ["facilities", "compounds"])
def test_every_wrong_pair_is_found_and_the_true_datum_named(city: City, layer: str) -> None:
    reference, given = streets_of(city), shapes_of(city, layer)
    degrees = given.to_crs("EPSG:4326").to_numpy()
    for true in SHIFTS:
        shifted = shapely.transform(degrees, lambda xy, true=true: _shift(xy, true))  # type: ignore[misc]
        frame = gpd.GeoDataFrame(geometry=shifted)
        at = {name: transform(frame, name, reference.crs).geometry.to_numpy() for name in SHIFTS}
        for stated in SHIFTS:
            found = best_of(at[stated], {name: at[name] for name in SHIFTS if name != stated}, reference)
            assert (None if found is None else found[1]["write"]) == (None if stated == true else true)


def test_no_right_place_is_doubted_whatever_it_is_compared_with(small: City) -> None:
    reference, random = streets_of(small), np.random.default_rng(4)
    layers = [shapes_of(small, layer).to_numpy() for layer in ("facilities", "compounds", "gates")]
    for trial in range(60):
        shapes = layers[trial % len(layers)]
        some = shapes[random.permutation(len(shapes))[: random.integers(40, len(shapes) + 1)]]
        angles, metres = random.uniform(0, 2 * np.pi, 2), random.uniform(250, 1300, 2)
        steps = np.column_stack([metres * np.cos(angles), metres * np.sin(angles)])
        others = {
            str(place): shapely.transform(some, lambda points, step=step: points + step)  # type: ignore[misc]
            for place, step in enumerate(steps)
        }
        assert best_of(some, others, reference) is None


def test_features_strewn_by_chance_are_not_doubted(small: City) -> None:
    reference, random = streets_of(small), np.random.default_rng(5)
    west, south, east, north = reference.area.bounds if reference.area is not None else (0, 0, 0, 0)
    for _ in range(10):
        strewn = shapely.points(random.uniform([west, south], [east, north], (150, 2)))
        others = {
            name: shapely.transform(strewn, lambda points, step=step: points + step)  # type: ignore[misc]
            for name, step in (("gcj02", [480.0, -260.0]), ("bd09", [-600.0, 550.0]))
        }
        found = best_of(strewn, others, reference)
        assert found is None or found[0] != "datum.doubtful_tied"


def test_each_file_says_how_well_it_fits(folder: Path, small: City) -> None:
    rows = {(row.layer, row.file): row for row in audit(folder).rows}
    reference = streets_of(small)
    (row,) = [row for (layer, _), row in rows.items() if layer == "facilities"]
    assert row.fit is not None
    places = shapes_of(small, "facilities").to_numpy()
    assert row.fit.features == len(places)
    assert row.fit.median_m == pytest.approx(float(np.median(reference.from_streets_m(places))), abs=0.2)
    assert row.fit.inside == pytest.approx(float(shapely.intersects(reference.area, places).mean()), abs=0.01)
    for (layer, _), other in rows.items():
        if layer in ("area", "population", "dem"):
            assert other.fit is None
        elif layer == "streets":
            assert other.fit is not None
            assert other.fit.median_m is None
        else:
            assert other.fit is not None
            assert other.fit.median_m is not None


def test_the_fit_is_on_screen_and_in_the_json_and_a_doubt_blocks_nothing(folder: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    shutil.copytree(folder, wrong)
    text = (wrong / "study.toml").read_text(encoding="utf-8")
    (wrong / "study.toml").write_text(text.replace('datum = "wgs84"', 'datum = "gcj02"'), encoding="utf-8")
    runner = CliRunner()
    shown = runner.invoke(app, ["check", str(wrong / "study.toml"), "--language", "en"])
    assert shown.exit_code == 0, shown.output
    assert "from streets" in shown.output
    assert "inside area" in shown.output
    data = json.loads(runner.invoke(app, ["check", str(wrong), "--json"]).stdout)
    assert not data["blocked"]
    (fault,) = [fault for fault in data["faults"] if fault["code"].startswith("datum.doubtful")]
    assert fault["layer"] == "facilities"
    assert "wgs84" in fault["text"]
    (row,) = [row for row in data["files"] if row["layer"] == "facilities"]
    assert row["fit"]["median_m"] > 10
    assert 0 < row["fit"]["inside"] <= 1
