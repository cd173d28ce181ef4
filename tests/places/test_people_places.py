"""People of real places: totals stay to the person, a raster and the zones of it agree, offices match sub-districts."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from pyproj import CRS

from lifecircle.gis.areal import raster_to_points, raster_to_zones
from lifecircle.layers.contracts import CONTRACTS
from lifecircle.layers.demand import demand_of
from lifecircle.layers.joined import join_table
from lifecircle.layers.settings import JoinSection, StudySettings
from lifecircle.layers.study import Study

pytestmark = pytest.mark.places

BEIJING_PEOPLE = 20_755_648
BEIJING_SUBDISTRICTS = 331
PORTO_ALEGRE_PEOPLE = 812_935
HELSINKI_PEOPLE = 71_724


def study_of(
    area: shapely.Geometry,
    crs: str,
    layers: dict[str, gpd.GeoDataFrame],
    *,
    rasters: dict[str, Path] | None = None,
    people: dict[str, object] | None = None,
) -> Study:
    settings = {"study": {"name": "试"}, "layers": {}, "people": people or {}}
    frame = gpd.GeoDataFrame({"name": ["试"]}, geometry=[area], crs=crs)
    return Study(
        settings=StudySettings.model_validate(settings),
        folder=Path(),
        crs=CRS.from_user_input(crs),
        area=frame,
        layers=layers,
        rasters=rasters or {},
        osm=(),
        sources=(),
    )


def of_file(path: Path) -> Path:
    if not path.exists():
        pytest.skip(f"{path} is not there")
    return path


@pytest.fixture(scope="module")
def beijing(places: Path) -> gpd.GeoDataFrame:
    folder = places / "boundaries" / "beijing_subdistricts"
    frame = gpd.read_file(of_file(folder / "beijing.shp"), encoding="utf-8").to_crs("EPSG:4548")
    people = np.load(of_file(folder / "worldpop.npy"), allow_pickle=True)[:, 0].astype(float)
    return frame.assign(
        district_id=[f"B{row:03d}" for row in range(len(frame))], name=frame["乡"].astype("str"), people=people
    )[["district_id", "name", "县", "people", "geometry"]]


def test_beijing_sub_districts_keep_their_people(beijing: gpd.GeoDataFrame) -> None:
    assert len(beijing) == BEIJING_SUBDISTRICTS
    assert beijing["people"].sum() == pytest.approx(BEIJING_PEOPLE, abs=1)
    area = shapely.box(*beijing.total_bounds)
    inner = beijing[beijing.area < 2e7].reset_index(drop=True)
    elders = inner.assign(elders_60=np.floor(inner["people"] * 0.213))
    demand = demand_of(study_of(area, "EPSG:4548", {"districts": elders}))
    assert demand.points["people"].sum() == np.floor(inner["people"] + 0.5).sum()
    share = demand.points["elders_60"].sum() / demand.points["people"].sum()
    assert share == pytest.approx(0.213, abs=1e-4)
    gathered = demand_of(study_of(area, "EPSG:4548", {"districts": elders}, people={"places": "grid", "grid_m": 1000}))
    assert len(gathered.points) < 0.3 * len(demand.points)
    assert gathered.points["people"].sum() == demand.points["people"].sum()


def test_beijing_offices_match_their_sub_districts(places: Path, beijing: gpd.GeoDataFrame) -> None:
    """The list of names of another year: most match, those that do not are listed and none is taken for another."""
    table = pd.read_csv(of_file(places / "admin" / "streets.csv"), dtype="str")
    table = table[table["cityCode"] == "1101"].reset_index(drop=True)
    table = table.assign(街道=table["name"].str.replace("街道$", "街道办事处", regex=True), 常住人口=table["code"])
    stated = JoinSection(path="streets.csv", by="name", columns={"name": "街道", "people": "常住人口"})
    found = join_table(beijing.drop(columns="people"), table, CONTRACTS["districts"], stated, {"name": "name"})
    matched = found.frame["people"].notna()
    assert matched.mean() > 0.85
    given = table.set_index("code").loc[found.frame.loc[matched, "people"], "name"].reset_index(drop=True)
    alike = [own[:2] == other[:2] for own, other in zip(beijing.loc[matched, "name"], given, strict=True)]
    assert np.mean(alike) == 1
    assert any(fault.code == "faults.join_left" for fault in found.faults)


def test_a_raster_and_its_zones_keep_their_sum(places: Path) -> None:
    path, crs = of_file(places / "population" / "worldpop_pointe_noire_100m.tif"), CRS.from_epsg(32732)
    with rasterio.open(path) as raster:
        whole = shapely.box(*raster.bounds)
        held = raster.read(1, masked=True).astype(float).sum()
    area = gpd.GeoSeries([whole], crs=4326).to_crs(crs).iloc[0].buffer(500)
    west, south, east, north = area.bounds
    edges_x, edges_y = np.linspace(west, east, 7), np.linspace(south, north, 6)
    zones = np.array(
        [
            shapely.box(edges_x[i], edges_y[j], edges_x[i + 1], edges_y[j + 1])
            for i in range(len(edges_x) - 1)
            for j in range(len(edges_y) - 1)
        ],
        dtype=object,
    )
    zones = shapely.intersection(zones, area)
    by_zone = raster_to_zones(path, zones, crs)
    assert np.sum(by_zone.values) == pytest.approx(held, rel=1e-6)
    rng = np.random.default_rng(8)
    xy = np.column_stack([rng.uniform(west, east, 4000), rng.uniform(south, north, 4000)])
    spread = raster_to_points(path, xy, crs, area=area, weights=rng.uniform(1, 9, 4000), spill_m=300)
    assert np.sum(spread.values) + spread.lost == pytest.approx(held, rel=1e-6)
    homes = gpd.GeoDataFrame(
        {"use": ["residential"] * 4000, "storeys": rng.integers(1, 6, 4000).astype(float)},
        geometry=list(shapely.box(xy[:, 0], xy[:, 1], xy[:, 0] + 15, xy[:, 1] + 12)),
        crs=crs,
    )
    alone = demand_of(study_of(area, "EPSG:32732", {"buildings": homes}, rasters={"population": path}))
    assert alone.points["people"].sum() == round(held)
    assert "demand.cells_without_homes" in {note.code for note in alone.notes}
    districts = gpd.GeoDataFrame(
        {
            "district_id": [str(row) for row in range(len(zones))],
            "name": [str(row) for row in range(len(zones))],
            "people": by_zone.values,  # noqa: PD011  not pandas
        },
        geometry=list(zones),
        crs=crs,
    )
    layers = {"buildings": homes, "districts": districts}
    pinned = demand_of(study_of(area, "EPSG:32732", layers, rasters={"population": path}))
    assert pinned.points["people"].sum() == np.floor(districts["people"] + 0.5).sum()
    sums = pinned.points.groupby("district_id")["people"].sum()
    stated = dict(zip(districts["district_id"], np.floor(districts["people"] + 0.5), strict=True))
    assert all(stated[key] == people for key, people in sums.items())


def test_cells_of_porto_alegre_and_helsinki_keep_their_people(places: Path) -> None:
    table = pd.read_csv(of_file(places / "population" / "porto_alegre_hexgrid.csv"))
    points = gpd.GeoDataFrame(
        {"people": table["population"].astype(float)}, geometry=gpd.points_from_xy(table["lon"], table["lat"]), crs=4326
    ).to_crs("EPSG:32722")
    area = shapely.box(*points.total_bounds).buffer(10)
    demand = demand_of(study_of(area, "EPSG:32722", {"population": points}))
    assert demand.points["people"].sum() == PORTO_ALEGRE_PEOPLE
    cells = gpd.read_file(of_file(places / "population" / "helsinki_population_grid_2020.gpkg")).to_crs("EPSG:3067")
    cells = cells.assign(people=cells["population"].astype(float))[["people", "geometry"]]
    area = shapely.box(*cells.total_bounds).buffer(10)
    demand = demand_of(study_of(area, "EPSG:3067", {"population": cells}))
    assert demand.points["people"].sum() == HELSINKI_PEOPLE
