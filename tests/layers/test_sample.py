"""The made-up city: what it must hold, sums that agree, the same again for the same seed, and files that read back."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from geopandas.testing import assert_geodataframe_equal

from lifecircle.gis.errors import InputError, OutputError
from lifecircle.layers.contracts import AGE_COLUMNS, CONTRACTS
from lifecircle.layers.load import examine
from lifecircle.layers.sample import City, make_city, write_sample
from lifecircle.layers.sample_facilities import SUPPLY
from lifecircle.layers.settings import StudySettings

if TYPE_CHECKING:
    from pathlib import Path

TOWN = 20_000


@pytest.fixture(scope="module")
def city() -> City:
    return make_city()


@pytest.fixture(scope="module")
def town() -> City:
    return make_city(people=TOWN, seed=7)


@pytest.fixture(scope="module")
def town_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("样例 城市"), people=TOWN, seed=7).parent


@pytest.mark.parametrize(("people", "seed"), [(TOWN, 1), (77_777, 3), (300_000, 1), (1_000_000, 2)])
def test_people_add_up_exactly_everywhere(people: int, seed: int) -> None:
    city = make_city(people=people, seed=seed)
    assert int(city.layers["compounds"]["people"].sum()) == people
    assert int(city.layers["districts"]["people"].sum()) == people
    assert city.population[0].sum() == people


@pytest.mark.parametrize(("people", "seed"), [(77_777, 3), (300_000, 1), (300_000, 2)])
def test_the_real_projects_stand_on_ground_that_can_carry_them(people: int, seed: int) -> None:
    layers = make_city(people=people, seed=seed).layers
    projects, compounds = layers["projects"].iloc[:3], layers["compounds"]
    assert projects["households"].tolist() == [375, 866, 381]
    assert projects["floor_area_m2"].tolist() == [91_200.0, 361_700.0, 91_600.0]
    assert (projects["floor_area_m2"] / projects.area <= 3.0).all()
    inside = shapely.STRtree(compounds.geometry.centroid.to_numpy()).query(
        projects.geometry.to_numpy(), predicate="intersects"
    )
    live = np.bincount(inside[0], weights=compounds["people"].to_numpy()[inside[1]], minlength=3)
    assert live == pytest.approx(projects["households"].to_numpy(dtype=np.float64) * 2.6, rel=0.15)
    assert (projects.geom_type == "Polygon").all()
    assert not projects.intersects(layers["projects"].geometry.iloc[3:].union_all()).any()


def test_age_groups_fit_into_people_and_into_each_other(city: City) -> None:
    districts = city.layers["districts"]
    assert (districts["elders_80"] <= districts["elders_65"]).all()
    assert (districts["elders_65"] <= districts["elders_60"]).all()
    parts = districts[["elders_60", "children_0_3", "children_3_6", "children_6_12"]].sum(axis=1)
    assert (parts < districts["people"]).all()
    assert all(np.issubdtype(districts[column].dtype, np.integer) for column in AGE_COLUMNS)
    share = districts["elders_60"].sum() / districts["people"].sum()
    assert 0.12 < share < 0.30


def test_every_district_holds_the_people_of_its_compounds(city: City) -> None:
    compounds, districts = city.layers["compounds"], city.layers["districts"].to_crs(city.layers["compounds"].crs)
    inside = shapely.STRtree(districts.geometry.to_numpy()).query(
        compounds.geometry.centroid.to_numpy(), predicate="within"
    )
    assert np.array_equal(inside[0], np.arange(len(compounds)))
    for column in ("people", "households"):
        sums = np.bincount(inside[1], weights=compounds[column], minlength=len(districts))
        assert np.array_equal(sums, districts[column])


def test_sub_districts_cover_the_area_without_gap_or_overlap(city: City) -> None:
    area = city.layers["area"].geometry.iloc[0]
    districts = city.layers["districts"].geometry.to_numpy()
    assert shapely.coverage_is_valid(districts)
    assert shapely.area(districts).sum() == pytest.approx(area.area, rel=1e-9)


def test_the_same_seed_gives_the_same_city_and_another_seed_another(town: City) -> None:
    again, other = make_city(people=TOWN, seed=7), make_city(people=TOWN, seed=8)
    for name, layer in town.layers.items():
        assert_geodataframe_equal(layer, again.layers[name])
    pd.testing.assert_frame_equal(town.facilities, again.facilities)
    assert np.array_equal(town.terrain[0], again.terrain[0])
    assert not town.layers["streets"].geometry.iloc[0].equals(other.layers["streets"].geometry.iloc[0])


def test_the_same_city_is_the_same_bytes(town_folder: Path, tmp_path: Path) -> None:
    write_sample(tmp_path, people=TOWN, seed=7)
    names = sorted(entry.name for entry in tmp_path.iterdir())
    assert names == sorted(entry.name for entry in town_folder.iterdir())
    for name in names:
        assert (tmp_path / name).read_bytes() == (town_folder / name).read_bytes(), name


@pytest.mark.parametrize("layer", sorted(set(CONTRACTS) - {"rings", "population", "barriers", "facilities", "zones"}))
def test_tables_hold_the_columns_of_their_contract(city: City, layer: str) -> None:
    columns = set(city.layers[layer].columns)
    own = {column.name for column in CONTRACTS[layer].columns}
    optional = {
        "streets": {"access", "oneway_foot"},
        "land": {"cost_yuan"},
        "buildings": {"people", "dwellings", "residential_m2"},
        "districts": {"borough"},
    }.get(layer, set())
    assert own - columns <= optional
    ids = [column.name for column in CONTRACTS[layer].columns if column.kind == "id"]
    assert all(city.layers[layer][name].is_unique for name in ids)
    assert city.layers[layer].geometry.is_valid.all()


def test_files_read_back_by_the_users_own_door_without_a_fault(town: City, town_folder: Path) -> None:
    examined = examine(town_folder / "study.toml")
    assert [str(fault) for fault in examined.faults] == []
    study = examined.study
    assert study is not None
    assert study.settings.study.made_up
    assert "虚构" in study.settings.study.name
    for layer in ("compounds", "gates", "streets", "parcels", "projects", "districts", "buildings", "ring_lines"):
        assert len(study.layers[layer]) == len(town.layers[layer]), layer
    assert len(study.layers["facilities"]) == len(town.facilities)
    assert study.layers["compounds"]["people"].sum() == TOWN
    assert set(study.layers["compounds"]["tenure"].dropna()) <= {
        "state",
        "collective",
        "public_housing",
        "work_unit",
        "mixed",
    }
    moved = shapely.get_coordinates(study.layers["facilities"].geometry.to_numpy())
    assert np.abs(moved - town.facilities[["x", "y"]].to_numpy()).max() < 0.01


def test_rasters_keep_people_and_show_hills_in_the_south(city: City, town_folder: Path) -> None:
    with rasterio.open(town_folder / "population.tif") as source:
        assert source.read(1, masked=True).astype(np.float64).sum() == TOWN
        assert source.crs.to_epsg() == 4548
    height = city.terrain[0]
    third = len(height) // 3
    assert height[-third:].max() > height[:third].max() + 100


def test_study_toml_is_what_the_settings_accept(town_folder: Path) -> None:
    text = (town_folder / "study.toml").read_text(encoding="utf-8")
    settings = StudySettings.model_validate(tomllib.loads(text))
    assert {wish.facility_class for wish in settings.siting.wish} == {"elderly_day_care", "elderly_home", "food_market"}
    assert [ring.policy for ring in settings.rings.ring] == ["keep", "subtract", "multiply"]
    assert "虚构" in text.splitlines()[0]


def test_language_reaches_the_study_but_names_stay(tmp_path: Path) -> None:
    study = write_sample(tmp_path, people=TOWN, language="en")
    settings = StudySettings.model_validate(tomllib.loads(study.read_text(encoding="utf-8")))
    assert settings.study.language == "en"
    assert "made up" in settings.study.name


def test_facilities_are_of_many_classes_and_some_are_missing_on_purpose(city: City) -> None:
    facilities = city.facilities
    assert set(facilities["facility_class"]) == set(SUPPLY)
    assert not {"gym", "recycling_point", "bus_terminal"} & set(SUPPLY)
    homes = facilities[facilities["facility_class"].isin(["elderly_day_care", "elderly_home", "kindergarten"])]
    assert 0.03 < homes["capacity"].isna().mean() < 0.35
    assert set(facilities["status"]) == {"现状", "在建", "规划", "停用"}


def test_facilities_are_denser_and_older_inside_than_in_new_districts(city: City) -> None:
    care = city.facilities[city.facilities["facility_class"] == "elderly_day_care"]
    middle = city.layers["area"].geometry.iloc[0].centroid
    distance = np.hypot(care["x"] - middle.x, care["y"] - middle.y)
    near, far = care[distance < 1500], care[distance > 2400]
    assert near["year"].median() < far["year"].median()
    grid, west, north = city.population
    row, column = np.nonzero(grid)
    away = np.hypot(west + (column + 0.5) * 100 - middle.x, north - (row + 0.5) * 100 - middle.y)
    people = grid[row, column]
    assert len(near) / people[away < 1500].sum() > 1.5 * len(far) / people[away > 2400].sum()


@pytest.mark.parametrize(
    ("people", "seed"), [(19_999, 1), (20_000_001, 1), (300_000, -1)], ids=["too few", "too many", "seed"]
)
def test_impossible_cities_are_refused(people: int, seed: int, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        write_sample(tmp_path / "new", people=people, seed=seed)
    assert caught.value.faults
    assert not (tmp_path / "new").exists()


def test_a_place_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(OutputError):
        write_sample(blocked / "city", people=TOWN)
