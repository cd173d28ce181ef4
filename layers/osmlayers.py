"""What OSM tags say in the columns of the product's layers: storeys, kinds of barrier, kinds of idle land, gates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import geopandas as gpd

FACILITY_TAGS: tuple[str, ...] = (
    "amenity",
    "shop",
    "healthcare",
    "social_facility",
    "leisure",
    "office=government|social_facility|association|ngo|employment_agency",
    "community_centre",
    "railway=station|subway_entrance|tram_stop|halt",
    "highway=bus_stop",
    "public_transport=station",
    "tourism=museum|gallery",
    "club",
)
"""Features that may be a facility of a standard; which class each is, the facilities' own rules decide."""

BUILDING_TAGS: tuple[str, ...] = ("building",)
COMPOUND_TAGS: tuple[str, ...] = ("landuse=residential",)
BARRIER_TAGS: tuple[str, ...] = (
    "railway=rail|light_rail|narrow_gauge",
    "waterway=river|canal|riverbank",
    "natural=water",
)
_ROOMY = (
    "school|college|university|kindergarten|hospital|clinic|doctors|social_facility|community_centre|library|theatre|"
    "cinema|nightclub|restaurant|cafe|bar|pub|fast_food|bank|marketplace|police|fire_station|post_office|townhall|"
    "courthouse|prison|place_of_worship|arts_centre|conference_centre|fuel|car_wash|bus_station"
)
"""Amenities that were a building or ground of their own: a telephone box that is out of use is no site."""
LAND_TAGS: tuple[str, ...] = (
    "landuse=brownfield|greenfield|vacant",
    *(
        f"{gone}:{tag}"
        for gone in ("disused", "abandoned")
        for tag in ("building", "landuse", "shop", "office", "craft", "industrial", f"amenity={_ROOMY}")
    ),
    "disused:man_made=works",
    "abandoned:man_made=works",
    "disused:leisure=sports_centre|sports_hall|fitness_centre|stadium",
    "disused:tourism=hotel|hostel|guest_house|motel|museum",
    "disused=yes",
    "abandoned=yes",
    "building=abandoned|disused|vacant",
    "shop=vacant",
    "office=vacant",
    "vacant=yes",
)
NOT_LAND: dict[str, frozenset[str]] = {
    "railway": frozenset(),
    "highway": frozenset(),
    "waterway": frozenset(),
    "barrier": frozenset(),
    "natural": frozenset(),
    "landuse": frozenset({"construction", "quarry", "landfill", "railway", "reservoir"}),
    "leisure": frozenset({"swimming_pool", "pitch", "track", "slipway"}),
}
"""What is out of use and yet no place for a facility: keys with the values meant, none for any value."""
GATE_TAGS: tuple[str, ...] = ("barrier=gate|lift_gate|swing_gate|kissing_gate|entrance",)

TAGS: dict[str, tuple[str, ...]] = {
    "facilities": FACILITY_TAGS,
    "buildings": BUILDING_TAGS,
    "compounds": COMPOUND_TAGS,
    "barriers": BARRIER_TAGS,
    "land": LAND_TAGS,
    "gates": GATE_TAGS,
}
"""Tags that make each layer of a study that has nothing but an OSM extract."""


def is_tagged(names: Iterable[object]) -> bool:
    """Tell whether columns are those of features taken from OSM, so that tags stand for the product's columns.

    Examples
    --------
    >>> is_tagged(["osm_type", "osm_id", "amenity"]), is_tagged(["name", "amenity"])
    (True, False)
    """
    return {"osm_type", "osm_id"} <= set(names)


def in_product_columns(frame: gpd.GeoDataFrame, layer: str) -> gpd.GeoDataFrame:
    """Give the features of an OSM extract the columns that tags can fill: id, name, storeys, kind.

    Numbers that mappers wrote as text (``"3;4"``, ``"ca. 20"``) become missing, as unknown; nothing else is guessed.

    Parameters
    ----------
    frame
        As `lifecircle.layers.osmfile.osm_features` returns it.
    layer
        A layer of `lifecircle.layers.contracts.CONTRACTS`.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import Point
    >>> tags = {"osm_type": ["way", "way"], "osm_id": [7, 8], "building": ["yes"] * 2, "building:levels": ["6", "6;7"]}
    >>> houses = gpd.GeoDataFrame(tags, geometry=[Point(0, 0), Point(1, 1)], crs="EPSG:4326")
    >>> in_product_columns(houses, "buildings")[["building_id", "use", "storeys"]].to_numpy().tolist()
    [['w7', 'yes', 6.0], ['w8', 'yes', nan]]
    """
    out = frame.copy()
    if "name:zh" in out:
        out["name"] = out["name:zh"].where(out["name:zh"].notna(), _column(out, "name"))
    fill = _FILL.get(layer)
    if fill is not None:
        out = fill(out)
    name = _ID.get(layer)
    if name is not None:
        out[name] = out["osm_type"].str[:1] + out["osm_id"].astype("str")
    return out


_ID: dict[str, str] = {
    "facilities": "facility_id",
    "buildings": "building_id",
    "compounds": "compound_id",
    "land": "site_id",
    "gates": "gate_id",
    "districts": "district_id",
    "parcels": "parcel_id",
    "projects": "project_id",
    "rings": "ring_id",
}


def _column(frame: gpd.GeoDataFrame, key: str) -> pd.Series:
    """Return a tag's column, all missing where no feature has the tag."""
    return frame[key] if key in frame else pd.Series(None, index=frame.index, dtype="str")


def _plain_number(texts: pd.Series) -> pd.Series:
    """Return numbers of texts that are nothing but a number that is not negative."""
    numbers = pd.to_numeric(texts, errors="coerce").astype("float64")
    return numbers.where((numbers >= 0) & np.isfinite(numbers))


def _buildings(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    frame["use"] = _column(frame, "building")
    frame["storeys"] = _plain_number(_column(frame, "building:levels"))
    return frame


def _facilities(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    if "capacity" in frame:
        frame["capacity"] = _plain_number(frame["capacity"])
    return frame


def _barriers(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Name the kind of barrier; what runs in a tunnel or culvert bars nobody's way."""
    hidden = _column(frame, "tunnel").notna() & (_column(frame, "tunnel") != "no")
    railway, wall = _column(frame, "railway").notna(), _column(frame, "barrier").notna()
    water = _column(frame, "water")
    river = _column(frame, "waterway").notna() | water.isin(["river", "canal", "stream", "ditch", "drain"])
    chosen = [railway.to_numpy(), wall.to_numpy(), river.to_numpy()]
    frame["kind"] = np.select(chosen, ["railway", "wall", "river"], default="water")
    return frame[~hidden]


def _land(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Name the kind of land; building sites, old railways and the like are none."""
    unfit = pd.Series(data=False, index=frame.index)
    for key, values in NOT_LAND.items():
        column = _column(frame, key)
        unfit |= column.isin(values) if values else column.notna()
    frame = frame[~unfit].copy()
    use = _column(frame, "landuse")
    was = [_column(frame, f"{gone}:landuse") for gone in ("disused", "abandoned")]
    made = [_column(frame, f"{gone}:{key}") for gone in ("disused", "abandoned") for key in ("industrial", "man_made")]
    building = (_column(frame, "building").notna() & (_column(frame, "building") != "no")).to_numpy()
    factory = (was[0].eq("industrial") | was[1].eq("industrial")).to_numpy(dtype=bool)
    for column in made:
        factory = factory | column.notna().to_numpy()
    emptied = (was[0].notna() | was[1].notna()).to_numpy()
    choices = [(use == "brownfield").to_numpy(), use.isin(["greenfield", "vacant"]).to_numpy(), factory & ~building]
    kinds = ["cleared_site", "idle_land", "vacated_factory", "idle_land"]
    frame["kind"] = np.select([*choices, emptied & ~building], kinds, default="vacant_building")
    return frame


def _gates(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    access = _column(frame, "access")
    frame["open"] = ~access.isin(["no"])
    frame["passes"] = np.where(
        access.isin(["private", "residents", "permit", "permissive_residents"]), "residents", "all"
    )
    return frame


def _streets(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Give streets their level and flags; an unreadable level is 0, the ground."""
    level = pd.to_numeric(_column(frame, "layer"), errors="coerce").fillna(0.0)
    frame["level"] = level.where(level == level.round(), 0.0).astype("int64")
    for name in ("bridge", "tunnel"):
        value = _column(frame, name)
        frame[name] = (value.notna() & ~value.isin(["no"])).to_numpy()
    frame["oneway_foot"] = _column(frame, "oneway:foot").isin(["yes"]).to_numpy()
    return frame


_FILL: dict[str, Callable[[gpd.GeoDataFrame], gpd.GeoDataFrame]] = {
    "buildings": _buildings,
    "facilities": _facilities,
    "barriers": _barriers,
    "land": _land,
    "gates": _gates,
    "streets": _streets,
}
