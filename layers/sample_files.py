"""The made-up city as a planner's folder: GeoPackages with Chinese columns, a CSV, two rasters, a study.toml."""

from __future__ import annotations

import csv
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from .output import whole_folder
from .sample_facilities import SUPPLY
from .sample_people import CELL_M
from .sample_plan import CRS, REFERENCE_PEOPLE
from .words import say

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import geopandas as gpd

    from .sample import City
    from .sample_plan import Floats
    from .words import Language

DEGREES = "EPSG:4490"
"""CGCS2000 longitude and latitude: the datum of the base layers."""

NODATA = -9999.0
ARROW_ROWS = 20_000
"""From so many rows on, writing through Arrow pays."""

COLUMNS: dict[str, dict[str, str]] = {
    "area": {"name": "名称"},
    "ring_lines": {"name": "路名"},
    "districts": {
        "district_id": "街道代码",
        "name": "街道名称",
        "people": "常住人口",
        "households": "户数",
        "elders_60": "六十岁以上",
        "elders_65": "六十五岁以上",
        "elders_80": "八十岁以上",
        "children_0_3": "零至三岁",
        "children_3_6": "三至六岁",
        "children_6_12": "六至十二岁",
    },
    "compounds": {
        "compound_id": "小区代码",
        "name": "小区名称",
        "year_built": "建成年份",
        "households": "户数",
        "people": "人口",
        "floor_area_m2": "总建筑面积",
        "storeys": "主要层数",
        "tenure": "土地权属",
        "walled": "是否封闭管理",
        "expropriation": "列入征收",
    },
    "gates": {"gate_id": "大门编号", "compound_id": "小区代码", "open": "是否开放", "passes": "通行对象"},
    "streets": {
        "highway": "道路等级",
        "name": "路名",
        "level": "层",
        "foot": "步行",
        "sidewalk": "人行道",
        "bridge": "桥梁",
        "tunnel": "隧道",
    },
    "water": {"kind": "类型", "name": "名称"},
    "railways": {"kind": "类型", "name": "名称"},
    "parcels": {
        "parcel_id": "地块编号",
        "land_use": "规划用地代码",
        "land_use_now": "现状用地代码",
        "far": "容积率",
        "density": "建筑密度",
        "height_m": "建筑限高",
        "green_ratio": "绿地率",
    },
    "projects": {
        "project_id": "项目编号",
        "name": "项目名称",
        "kind": "项目类型",
        "way": "更新方式",
        "stage": "项目阶段",
        "households": "涉及户数",
        "floor_area_m2": "现状建筑面积",
        "households_after": "规划户数",
        "floor_area_after_m2": "规划建筑面积",
        "planned_use": "规划用途",
        "height_after_m": "规划建筑高度",
        "year": "计划年份",
        "tenure": "权属",
        "remark": "备注",
    },
    "land": {
        "site_id": "地块编号",
        "name": "名称",
        "kind": "资源类型",
        "area_m2": "用地面积",
        "floor_area_m2": "可用建筑面积",
        "tenure": "权属",
        "land_use": "规划用地性质",
        "on_hold": "暂缓",
    },
    "hazard": {"zone_id": "隐患编号", "name": "名称", "kind": "灾害类型"},
    "protection": {"zone_id": "保护区编号", "name": "名称", "kind": "保护类型"},
    "buildings": {"building_id": "建筑编号", "use": "用途", "storeys": "层数", "floor_area_m2": "建筑面积"},
    "facilities": {
        "facility_id": "设施编号",
        "name": "设施名称",
        "facility_class": "设施类别",
        "capacity": "规模",
        "floor_area_m2": "建筑面积",
        "land_area_m2": "用地面积",
        "status": "建设状态",
        "year": "建成年份",
        "extendable": "可扩建",
        "lon": "经度",
        "lat": "纬度",
    },
}
"""Product column → column in the files, by table."""

PLACES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "area": (("area", "base.gpkg", DEGREES),),
    "ring_lines": (("ring_lines", "base.gpkg", DEGREES),),
    "districts": (("districts", "base.gpkg", DEGREES),),
    "barriers": (("water", "base.gpkg", DEGREES), ("railways", "base.gpkg", DEGREES)),
    "streets": (("streets", "streets.gpkg", CRS),),
    "compounds": (("compounds", "compounds.gpkg", CRS),),
    "gates": (("gates", "compounds.gpkg", CRS),),
    "buildings": (("buildings", "compounds.gpkg", CRS),),
    "parcels": (("parcels", "planning.gpkg", CRS),),
    "projects": (("projects", "planning.gpkg", CRS),),
    "land": (("land", "planning.gpkg", CRS), ("empty_buildings", "planning.gpkg", CRS)),
    "hazard": (("hazard", "planning.gpkg", CRS),),
    "protection": (("protection", "planning.gpkg", CRS),),
}
"""Layer of study.toml → its tables: name, file, CRS."""

RINGS = (
    ("core_ring", ("护城[东南西北]路",), "keep"),
    ("second_ring", ("二环[东南西北]路",), "subtract"),
    ("outer_ring", ("绕城[东南北]路", "西环铁路"), "multiply"),
)
WISHES = (
    ("elderly_day_care", 8, 100, "elders_60"),
    ("elderly_home", 3, 40, "elders_60"),
    ("food_market", 6, 80, "people"),
)
"""Class, sites at 300,000 people, most sites, whom to reach."""


def columns_of(table: str) -> dict[str, str]:
    """Return product column → file column of a table."""
    return COLUMNS["land" if table == "empty_buildings" else table]


@contextmanager
def _fixed_clock() -> Iterator[None]:
    """Keep GDAL from writing the time of day into GeoPackages, so that the same city is the same file."""
    from pyogrio import get_gdal_config_option, set_gdal_config_options  # noqa: PLC0415  slow to import

    before = get_gdal_config_option("OGR_CURRENT_DATE")
    set_gdal_config_options({"OGR_CURRENT_DATE": "2026-01-01T00:00:00.000Z"})
    try:
        yield
    finally:
        set_gdal_config_options({"OGR_CURRENT_DATE": before})


def _write_table(frame: gpd.GeoDataFrame, table: str, path: Path, crs: str) -> None:
    named = frame.rename(columns=columns_of(table))
    named = named if crs == CRS else named.to_crs(crs)
    arrow = len(named) >= ARROW_ROWS
    named.to_file(path, layer=table, driver="GPKG", engine="pyogrio", use_arrow=arrow)


def _write_facilities(city: City, path: Path) -> None:
    """Write the facilities as a bureau would keep them: a spreadsheet with WGS 84 longitude and latitude."""
    from pyproj import Transformer  # noqa: PLC0415  slow to import

    frame = city.facilities.copy()
    lon, lat = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True).transform(frame.pop("x"), frame.pop("y"))
    frame["lon"], frame["lat"] = np.round(lon, 8), np.round(lat, 8)
    frame["facility_class"] = frame["facility_class"].map({key: supply.zh for key, supply in SUPPLY.items()})
    frame.rename(columns=columns_of("facilities")).to_csv(
        path, index=False, encoding="utf-8-sig", quoting=csv.QUOTE_MINIMAL, lineterminator="\n"
    )


def _write_raster(grid: tuple[Floats, float, float], cell_m: float, path: Path, unit: str) -> None:
    import rasterio  # noqa: PLC0415  slow to import
    from rasterio.transform import Affine  # noqa: PLC0415

    values, west, north = grid
    profile = {
        "driver": "GTiff",
        "height": values.shape[0],
        "width": values.shape[1],
        "count": 1,
        "dtype": "float32",
        "crs": CRS,
        "transform": Affine(cell_m, 0.0, west, 0.0, -cell_m, north),
        "nodata": NODATA,
        "compress": "deflate",
        "tiled": True,
        "blockxsize": 256,
        "blockysize": 256,
    }
    with rasterio.open(path, "w", **profile) as target:
        target.write(values.astype(np.float32), 1)
        target.set_band_description(1, unit)


def _table(pairs: dict[str, str]) -> str:
    return "{ " + ", ".join(f'{key} = "{value}"' for key, value in pairs.items()) + " }"


def _section(layer: str, table: str, file: str, maker: str, *, several: bool) -> list[str]:
    """Return the lines of one source of a layer."""
    head = f"[area]" if layer == "area" else (f"[[layers.{layer}]]" if several else f"[layers.{layer}]")  # noqa: F541
    return [
        head,
        f'path = "{file}"',
        f'layer = "{table}"',
        f'source = "{maker}"',
        f"columns = {_table({key: value for key, value in columns_of(table).items() if key != 'remark'})}",
        "",
    ]


def study_text(city: City, language: Language) -> str:
    """Return the study.toml of a city."""
    maker = say("sample.maker", language)
    lines = [
        f"# {say('sample.header', language, people=city.people, seed=city.seed)}",
        f"# {say('sample.header_anqing', language)}",
        "",
        "[study]",
        f'name = "{say("sample.study_name", language)}"',
        f'language = "{language}"',
        "made_up = true",
        "date = 2026-01-01",
        'standard = "gb50180-2018"',
        'walker = "standard"',
        'gates = "auto"',
        "",
    ]
    for layer, tables in PLACES.items():
        for table, file, _ in tables:
            lines += _section(layer, table, file, maker, several=len(tables) > 1)
    lines += [
        "[layers.facilities]",
        'path = "facilities.csv"',
        'datum = "wgs84"',
        f'source = "{maker}"',
        f"columns = {_table(COLUMNS['facilities'])}",
        "",
        "[layers.facilities.values.facility_class]",
        *(f'"{supply.zh}" = "{key}"' for key, supply in SUPPLY.items()),
        "",
    ]
    for layer, file in (("population", "population.tif"), ("dem", "dem.tif")):
        lines += [f"[layers.{layer}]", f'path = "{file}"', f'source = "{maker}"', ""]
    lines += ["[rings]", f'rest_name = "{say("sample.rest_ring", language)}"', 'rest_policy = "multiply"', ""]
    for key, bounds, policy in RINGS:
        quoted = ", ".join(f'"{bound}"' for bound in bounds)
        name = say(f"sample.{key}", language)
        lines += ["[[rings.ring]]", f'name = "{name}"', f"bounded_by = [{quoted}]", f'policy = "{policy}"', ""]
    for key, sites, most, weight in WISHES:
        wanted = int(np.clip(round(sites * city.people / REFERENCE_PEOPLE), 1, most))
        lines += ["[[siting.wish]]", f'facility_class = "{key}"', f"sites = {wanted}", f'weight = "{weight}"', ""]
    return "\n".join(lines)


def write_city(city: City, folder: Path, language: Language) -> Path:
    """Write all files of a city into a folder and return the path of study.toml; nothing half-written is left.

    Raises
    ------
    OutputError
        When the folder cannot be written.
    """
    with whole_folder(folder) as place, _fixed_clock():
        for tables in PLACES.values():
            for table, file, crs in tables:
                _write_table(city.layers[table], table, place / file, crs)
        _write_facilities(city, place / "facilities.csv")
        _write_raster(city.population, CELL_M, place / "population.tif", "people per cell")
        _write_raster(city.terrain, city.terrain_cell_m, place / "dem.tif", "metres above sea level")
        (place / "study.toml").write_text(study_text(city, language), encoding="utf-8")
    return folder / "study.toml"
