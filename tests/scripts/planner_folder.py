"""The made-up city written twice: clean, and as a planner's folder holds it.

The clean folder is GeoPackages in the working CRS with the product's own column names. The planner's folder is
shapefiles in GBK without a .cpg and with names cut to ten bytes, a drawing in a zone with its number, an Excel list of
Amap in GCJ-02, a ledger with the northing in X, a table of sub-districts in GB18030, rasters; each in another CRS.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import ezdxf
import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import rasterio
import shapely
from pyproj import Transformer
from rasterio.transform import Affine

from lifecircle.layers.sample import make_city
from lifecircle.layers.sample_facilities import SUPPLY
from lifecircle.layers.sample_files import COLUMNS

if TYPE_CHECKING:
    from pathlib import Path

    from lifecircle.layers.sample import City

WORKING, DEGREES = "EPSG:4548", "EPSG:4490"
ZONE_39, ZONE_20, ZONE_38 = "EPSG:4527", "EPSG:4498", "EPSG:4547"
"""Three degrees with number, six degrees with number, three degrees on the meridian next door without one."""

AMAP: dict[str, str] = {
    "elderly_day_care": "医疗保健服务;医疗保健服务场所;医疗保健服务场所",
    "elderly_home": "政府机构及社会团体;社会团体;社会团体",
    "nursing_care_home": "医疗保健服务;综合医院;综合医院",
    "food_market": "购物服务;综合市场;农副产品市场",
    "community_health_station": "医疗保健服务;诊所;诊所",
    "community_health_centre": "医疗保健服务;综合医院;卫生院",
    "outpatient": "医疗保健服务;诊所;诊所",
    "kindergarten": "科教文化服务;学校;幼儿园",
    "nursery": "科教文化服务;学校;幼儿园",
    "primary_school": "科教文化服务;学校;小学",
    "junior_middle_school": "科教文化服务;学校;中学",
    "community_service_station": "政府机构及社会团体;政府机关;乡镇以下级政府及事业单位",
    "subdistrict_office": "政府机构及社会团体;政府机关;乡镇级政府及事业单位",
    "police_station": "政府机构及社会团体;公检法机构;公安警察",
    "culture_station": "科教文化服务;文化宫;文化宫",
    "culture_centre": "科教文化服务;文化宫;文化宫",
    "mall": "购物服务;商场;普通商场",
    "restaurant": "餐饮服务;中餐厅;中餐厅",
    "community_canteen": "餐饮服务;中餐厅;中餐厅",
    "bank": "160100",
    "telecom": "生活服务;电讯营业厅;电讯营业厅",
    "post_office": "070400",
    "bus_stop": "150700",
    "community_retail": "购物服务;便民商店/便利店;便民商店/便利店",
    "public_toilet": "200300",
    "parcel_point": "生活服务;物流速递;物流速递",
    "outdoor_fitness_ground": "体育休闲服务;运动场馆;户外健身场所",
}
"""Class → what Amap calls such places; what it does not tell apart stands in the bureau's ledger."""


@dataclass(frozen=True, slots=True)
class Twice:
    """The two folders' study.toml, and the city that both hold."""

    clean: Path
    planner: Path
    city: City


def gcj(lon: float, lat: float) -> tuple[float, float]:
    """Shift WGS 84 to GCJ-02, as published; written out here so that the product's own is not its judge."""
    x, y = lon - 105.0, lat - 35.0
    waves = 20 * math.sin(6 * x * math.pi) + 20 * math.sin(2 * x * math.pi)
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x))
    north += (waves + 20 * math.sin(y * math.pi) + 40 * math.sin(y / 3 * math.pi)) * 2 / 3
    north += (160 * math.sin(y / 12 * math.pi) + 320 * math.sin(y * math.pi / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x))
    east += (waves + 20 * math.sin(x * math.pi) + 40 * math.sin(x / 3 * math.pi)) * 2 / 3
    east += (150 * math.sin(x / 12 * math.pi) + 300 * math.sin(x / 30 * math.pi)) * 2 / 3
    squared = 0.00669342162296594323
    magic = 1 - squared * math.sin(math.radians(lat)) ** 2
    north = north * 180 / (6378245.0 * (1 - squared) / (magic * math.sqrt(magic)) * math.pi)
    east = east * 180 / (6378245.0 / math.sqrt(magic) * math.cos(math.radians(lat)) * math.pi)
    return lon + east, lat + north


def ungcj(lon: float, lat: float) -> tuple[float, float]:
    """Undo `gcj`."""
    x, y = lon, lat
    for _ in range(20):
        east, north = gcj(x, y)
        x, y = x + lon - east, y + lat - north
    return x, y


def at_amap_places(facilities: pd.DataFrame) -> pd.DataFrame:
    """Return facilities where Amap has them: the positions are those of its six decimals.

    Amap's list is where they were found, so that both folders hold the same places and not the same within 6 cm.
    """
    back = Transformer.from_crs(WORKING, "EPSG:4326", always_xy=True)
    there = Transformer.from_crs("EPSG:4326", WORKING, always_xy=True)
    out = facilities.reset_index(drop=True)
    shifted = [gcj(*back.transform(x, y)) for x, y in zip(out["x"], out["y"], strict=True)]
    out["gcj"] = [(round(lon, 6), round(lat, 6)) for lon, lat in shifted]
    placed = [there.transform(*ungcj(*pair)) for pair in out["gcj"]]
    return out.assign(x=[x for x, _ in placed], y=[y for _, y in placed])


def write_twice(folder: Path, *, people: int = 20_000, seed: int = 1) -> Twice:
    """Write the city into two folders below a folder."""
    city = make_city(people=people, seed=seed)
    layers = {**city.layers, "compounds": city.layers["compounds"].drop(columns=["people", "households"])}
    city = replace(city, layers=layers, facilities=at_amap_places(city.facilities))
    clean, planner = folder / "clean", folder / "老城区数据 2025"
    clean.mkdir(parents=True)
    planner.mkdir()
    _write_clean(city, clean)
    _write_planner(city, planner)
    return Twice(clean / "study.toml", planner / "study.toml", city)


# --- clean -----------------------------------------------------------------------------------------------------------

RINGS = """
[rings]
rest_name = "其他建成区"
[[rings.ring]]
name = "历史城区"
bounded_by = ["护城[东南西北]路"]
policy = "keep"
[[rings.ring]]
name = "二环以内"
bounded_by = ["二环[东南西北]路"]
policy = "subtract"
[[rings.ring]]
name = "中心城区"
bounded_by = ["绕城[东南北]路", "西环铁路"]
policy = "multiply"
[[siting.wish]]
facility_class = "elderly_day_care"
sites = 2
[[siting.wish]]
facility_class = "food_market"
sites = 1
"""
HEAD = """
[study]
name = "老城区"
made_up = true
date = 2026-01-01
"""


def _write_clean(city: City, folder: Path) -> None:
    """Write GeoPackages in the working CRS with the product's own names."""
    lines = [HEAD]
    tables = {name: [name] for name in city.layers if name not in ("water", "railways", "empty_buildings")}
    for layer, parts in (tables | {"barriers": ["water", "railways"], "land": ["land", "empty_buildings"]}).items():
        for part in parts:
            city.layers[part].to_file(folder / f"{part}.gpkg", layer=part)
            head = "[area]" if layer == "area" else f"[[layers.{layer}]]" if len(parts) > 1 else f"[layers.{layer}]"
            lines += [head, f'path = "{part}.gpkg"']
    points = shapely.points(city.facilities[["x", "y"]].to_numpy())
    frame = gpd.GeoDataFrame(city.facilities.drop(columns=["x", "y", "gcj"]), geometry=points, crs=WORKING)
    frame.to_file(folder / "facilities.gpkg")
    lines += ["[layers.facilities]", 'path = "facilities.gpkg"']
    _write_raster(city.population, 100.0, folder / "population.tif", WORKING)
    _write_raster(city.terrain, city.terrain_cell_m, folder / "dem.tif", WORKING)
    lines += ["[layers.population]", 'path = "population.tif"', "[layers.dem]", 'path = "dem.tif"']
    (folder / "study.toml").write_text("\n".join([*lines, RINGS]), encoding="utf-8")


def _write_raster(grid: tuple[Any, float, float], cell_m: float, path: Path, crs: str, shift: float = 0.0) -> None:
    """Write a grid, its western edge shifted by the number of a zone."""
    values, west, north = grid
    profile = {"driver": "GTiff", "height": values.shape[0], "width": values.shape[1], "count": 1, "dtype": "float64"}
    place = Affine(cell_m, 0.0, west + shift, 0.0, -cell_m, north)
    with rasterio.open(path, "w", **profile, crs=crs, transform=place, nodata=-9999.0) as target:
        target.write(values, 1)


# --- a planner's folder ----------------------------------------------------------------------------------------------

STUDY = (
    HEAD
    + """
[area]
path = "研究范围.kml"
[layers.ring_lines]
path = "环线.shp"
[layers.districts]
path = "街道界线.shp"
datum = "cgcs2000"
join = { path = "七普街道人口.csv" }
[[layers.barriers]]
path = "水系.shp"
[[layers.barriers]]
path = "铁路.fgb"
[layers.streets]
path = "道路中心线.shp"
datum = "EPSG:4498"
[layers.compounds]
path = "小区.shp"
[layers.gates]
path = "小区大门.shp"
[layers.buildings]
path = "建筑.shp"
datum = "EPSG:4547"
[layers.parcels]
path = "控规地块.dxf"
layer = "地块线"
datum = "EPSG:4527"
[layers.projects]
path = "更新项目.shp"
[[layers.land]]
path = "闲置用地.shp"
[[layers.land]]
path = "闲置建筑.shp"
[layers.hazard]
path = "灾害隐患.shp"
[layers.protection]
path = "文物保护.shp"
[[layers.facilities]]
path = "高德POI.xlsx"
datum = "gcj02"
[[layers.facilities]]
path = "设施台账.csv"
datum = "EPSG:4527"
axes = "north_east"
[layers.population]
path = "人口栅格.tif"
[layers.dem]
path = "高程.tif"
"""
    + RINGS
)
"""Says only what cannot be guessed: the datum of what states none, the CAD layer, the order of axes."""


def _write_planner(city: City, folder: Path) -> None:
    """Write the city as a planner has it."""
    layers = city.layers
    _named(layers["area"], "area").to_crs("EPSG:4326").to_file(folder / "研究范围.kml", driver="KML")
    _write_shape(layers["ring_lines"], "ring_lines", folder / "环线.shp", WORKING)
    _write_shape(layers["water"], "water", folder / "水系.shp", DEGREES)
    _named(layers["railways"], "railways").to_crs(DEGREES).to_file(folder / "铁路.fgb", driver="FlatGeobuf")
    _write_shape(layers["streets"], "streets", folder / "道路中心线.shp", ZONE_20, stated=False)
    _write_shape(layers["compounds"], "compounds", folder / "小区.shp", DEGREES)
    _write_shape(layers["gates"], "gates", folder / "小区大门.shp", DEGREES)
    _write_shape(layers["buildings"], "buildings", folder / "建筑.shp", ZONE_38, stated=False)
    _write_shape(layers["projects"], "projects", folder / "更新项目.shp", WORKING)
    _write_shape(layers["land"], "land", folder / "闲置用地.shp", DEGREES)
    _write_shape(layers["empty_buildings"], "land", folder / "闲置建筑.shp", DEGREES)
    _write_districts(layers["districts"], folder)
    _write_drawing(layers["parcels"], folder / "控规地块.dxf")
    for layer, name in (("hazard", "灾害隐患"), ("protection", "文物保护")):
        _write_shape(layers[layer], layer, folder / f"{name}.shp", DEGREES)
    ledger = (city.facilities["status"] != "现状") | ~city.facilities["facility_class"].isin(list(AMAP))
    _write_amap(city.facilities[~ledger], folder / "高德POI.xlsx")
    _write_ledger(city.facilities[ledger], folder / "设施台账.csv")
    _write_raster(city.population, 100.0, folder / "人口栅格.tif", ZONE_39, 39e6)
    _write_raster(city.terrain, city.terrain_cell_m, folder / "高程.tif", WORKING)
    (folder / "study.toml").write_text(STUDY, encoding="utf-8")
    (folder / "说明.txt").write_bytes("数据由各处室提供，请勿外传。\r\n".encode("gb18030"))


def _named(frame: gpd.GeoDataFrame, table: str) -> gpd.GeoDataFrame:
    """Return a layer with Chinese column names, yes and no in Chinese."""
    out = frame.copy()
    for name in out.columns:
        if name != "geometry" and pd.api.types.is_bool_dtype(out[name]):
            out[name] = out[name].map({True: "是", False: "否"})
    return out.rename(columns=COLUMNS[table])


def _write_shape(frame: gpd.GeoDataFrame, table: str, path: Path, crs: str, *, stated: bool = True) -> None:
    """Write a shapefile in GBK as ArcGIS 10 does in Chinese: nothing says the encoding, names are cut to ten bytes."""
    named = _named(frame, table).to_crs(crs)
    cut = {name: name.encode("gbk")[:10].decode("gbk", "ignore") for name in named.columns if name != "geometry"}
    named.rename(columns=cut).to_file(path, encoding="GBK")
    path.with_suffix(".cpg").unlink()
    data = bytearray(path.with_suffix(".dbf").read_bytes())
    data[29] = 0  # the code page that the table itself may state
    path.with_suffix(".dbf").write_bytes(bytes(data))
    if not stated:
        path.with_suffix(".prj").unlink()


def _write_districts(districts: gpd.GeoDataFrame, folder: Path) -> None:
    """Write borders with names, and the census as the statistics bureau's table: GB18030, totals, other spellings."""
    _write_shape(
        districts[["district_id", "name", "geometry"]], "districts", folder / "街道界线.shp", DEGREES, stated=False
    )
    table = pd.DataFrame(districts.drop(columns=["geometry", "district_id"])).iloc[::-1]
    total = table.drop(columns="name").sum().to_frame().T.assign(name="合计")
    table = pd.concat([total, table.assign(name=table["name"] + "办事处")])
    for name in table.columns.drop("name"):
        table[name] = [f"{int(value):,}" for value in table[name]]
    data = table.rename(columns=COLUMNS["districts"]).to_csv(index=False, lineterminator="\r\n")
    (folder / "七普街道人口.csv").write_bytes(data.encode("gb18030"))


def _write_drawing(parcels: gpd.GeoDataFrame, path: Path) -> None:
    """Write the parcels as a drawing in zone 39 with its number: closed lines, a text of each kind inside, a frame."""
    document = ezdxf.new("R2000", setup=True)
    document.encoding = "gbk"
    document.header["$INSUNITS"] = 4  # as the template has it, though all is drawn in metres
    space = document.modelspace()
    moved = parcels.to_crs(ZONE_39)
    names = COLUMNS["parcels"]
    for row in moved.itertuples(index=False):
        space.add_lwpolyline(list(row.geometry.exterior.coords)[:-1], close=True, dxfattribs={"layer": "地块线"})
        at = shapely.maximum_inscribed_circle(row.geometry)
        x, y = at.coords[0]
        height = at.length / 20
        for line, (name, column) in enumerate(names.items()):
            value = getattr(row, name)
            if pd.notna(value):
                text = space.add_text(str(value), height=height, dxfattribs={"layer": column})
                text.set_placement((x - height, y + (3 - line) * 1.3 * height))
    west, south, east, north = moved.total_bounds
    frame = [(west - 50, south - 50), (east + 50, south - 50), (east + 50, north + 50), (west - 50, north + 50)]
    space.add_lwpolyline(frame, close=True, dxfattribs={"layer": "图框"})
    space.add_text("控制性详细规划图", height=20, dxfattribs={"layer": "图名"}).set_placement((west, north + 60))
    document.saveas(path)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"ANSI_1252", b"ANSI_936"))


def _write_amap(facilities: pd.DataFrame, path: Path) -> None:
    """Write an export of Amap: titles above the header, "lon,lat" in one column, everything text."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "POI"
    sheet.append(["老城区公共服务设施POI"])
    sheet.append(["来源：高德开放平台", None, None, "2025年12月"])
    sheet.append([])
    header = ["序号", "设施编号", "名称", "type", "地址", "location", "规模", "建筑面积", "用地面积", "建成年份"]
    sheet.append(header)
    for number, row in enumerate(facilities.itertuples(index=False), start=1):
        lon, lat = row.gcj
        sizes = (row.capacity, row.floor_area_m2, row.land_area_m2)
        texts = [None if pd.isna(size) else f"{size:g}" for size in sizes]
        place = f"{lon:.6f},{lat:.6f}"
        kind = AMAP[row.facility_class]
        sheet.append([str(number), row.facility_id, row.name, kind, "某路", place, *texts, str(row.year)])
    book.save(path)


def _write_ledger(facilities: pd.DataFrame, path: Path) -> None:
    """Write the bureau's ledger: GB18030, X to the north as surveyors write it, Y with the number of the zone."""
    east, north = Transformer.from_crs(WORKING, ZONE_39, always_xy=True).transform(facilities["x"], facilities["y"])
    table = facilities.drop(columns=["x", "y", "gcj"]).rename(columns=COLUMNS["facilities"])
    table["设施类别"] = table["设施类别"].map({key: supply.zh for key, supply in SUPPLY.items()})
    table["X坐标"] = [f"{value:.4f}" for value in np.asarray(north)]
    table["Y坐标"] = [f"{value:.4f}" for value in np.asarray(east)]
    path.write_bytes(table.to_csv(index=False, lineterminator="\r\n").encode("gb18030"))
