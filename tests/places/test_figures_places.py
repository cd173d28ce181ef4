"""Streets of four real places and who stands on them, as small figures; a change must be meant, and looked at.

The figures are kept in ``figures.json``. Where they change, the test leaves a map and the new figures in
``build/places`` (or the folder that LIFECIRCLE_PICTURES names) and says so; after a look at the map the new figures
replace the old ones.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyproj
import pytest
import shapely
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from lifecircle.gis.snap import Snapped, snap
from lifecircle.layers.osmfile import osm_features
from lifecircle.layers.streets import network_of

if TYPE_CHECKING:
    from lifecircle.gis.network import WalkNetwork
    from lifecircle.layers.study import Study

pytestmark = pytest.mark.places

KEPT = Path(__file__).with_name("figures.json")
PICTURES = Path(os.environ.get("LIFECIRCLE_PICTURES", Path(__file__).parents[2] / "build" / "places"))
PLACES = {
    "las_palmas": ("las_palmas_20230221.osm.pbf", 32628),
    "nanjing": ("nanjing_gulou_2021.osm", 4549),
    "porto_alegre": ("porto_alegre.osm.pbf", 32722),
    "beijing": ("beijing_cau.osm", 4548),
}
FEW_BUILDINGS = 100
GRID_M = 200.0
M2_PER_PERSON = 35.0
STOREYS = 3


def streets_of(path: Path, epsg: int) -> WalkNetwork:
    """Return the walk network as a plan of the extract would have it."""
    study = SimpleNamespace(
        rasters={},
        osm=(path,),
        crs=pyproj.CRS.from_epsg(epsg),
        layers={},
        settings=SimpleNamespace(study=SimpleNamespace(gates="auto")),
    )
    return network_of(cast("Study", study)).network


def homes_of(path: Path, network: WalkNetwork) -> tuple[np.ndarray, np.ndarray]:
    """Return where people live and how many: by ground in buildings, on a grid where the extract has none."""
    buildings = osm_features(path, ("building",), ("Polygon",)).to_crs(network.crs)
    if len(buildings) >= FEW_BUILDINGS:
        people = np.rint(buildings.area.to_numpy() * STOREYS / M2_PER_PERSON).astype(np.int64)
        return shapely.get_coordinates(buildings.representative_point().to_numpy()), people
    hull = shapely.convex_hull(shapely.multipoints(network.node_xy))
    west, south, east, north = shapely.bounds(hull)
    x, y = np.meshgrid(np.arange(west, east, GRID_M), np.arange(south, north, GRID_M))
    xy = np.column_stack([x.ravel(), y.ravel()])
    xy = xy[shapely.contains_xy(hull, xy)]
    return xy, np.ones(len(xy), dtype=np.int64)


def figures_of(network: WalkNetwork, homes: Snapped, people: np.ndarray) -> dict[str, Any]:
    """Return what is kept of a place."""
    kilometres = np.bincount(network.edge_class, weights=network.edge_length_m, minlength=len(network.classes)) / 1000
    on = homes.component >= 0
    parts = np.bincount(homes.component[on], weights=people[on], minlength=network.component_length_m.size)
    near = np.nanquantile(homes.access_m, [0.5, 0.9, 0.99]).round(1).tolist()
    return {
        "kilometres": round(float(network.edge_length_m.sum()) / 1000, 1),
        "kilometres_by_class": {
            name: round(float(length), 1) for name, length in zip(network.classes, kilometres, strict=True)
        },
        "components": int(network.component_length_m.size),
        "kilometres_by_component": (network.component_length_m[:5] / 1000).round(1).tolist(),
        "people": int(people.sum()),
        "people_by_component": parts[:5].astype(int).tolist(),
        "people_far_from_street": int(people[~on].sum()),
        "snap_m_50_90_99": near,
        "points": {name: int((homes.status == name).sum()) for name in sorted(set(homes.status.tolist()))},
    }


def picture(network: WalkNetwork, homes: Snapped, xy: np.ndarray, path: Path) -> None:
    """Draw streets (islands red), and the homes that came to no street (orange) or to an island only (violet)."""
    figure = Figure(figsize=(12, 12), dpi=130)
    axes = figure.add_axes((0, 0, 1, 1))
    lines = [shapely.get_coordinates(line) for line in network.edge_lines()]
    island = network.edge_component > 0
    for rows, color, width in ((~island, "#7a7a7a", 0.4), (island, "#d62728", 0.8)):
        axes.add_collection(LineCollection([lines[k] for k in np.flatnonzero(rows)], colors=color, linewidths=width))
    for status, color in (("far_from_street", "#ff7f0e"), ("other_component", "#9467bd")):
        axes.scatter(*xy[homes.status == status].T, s=3, c=color)
    axes.set_aspect("equal")
    axes.autoscale_view()
    axes.set_axis_off()
    FigureCanvasAgg(figure).print_png(str(path))


def differences(kept: Any, found: Any, where: str = "") -> list[str]:  # noqa: ANN401  JSON
    """Return what changed by more than 2 in a thousand (and 2 of whatever is counted)."""
    if isinstance(kept, list) and isinstance(found, list):
        kept, found = (dict(enumerate(each)) for each in (kept, found))
    if isinstance(kept, dict) and isinstance(found, dict):
        keys = sorted({*kept, *found})
        return [line for key in keys for line in differences(kept.get(key), found.get(key), f"{where}/{key}")]
    numbers = isinstance(kept, int | float) and isinstance(found, int | float)
    if numbers and abs(kept - found) <= 0.002 * abs(kept) + (2 if isinstance(kept, int) else 0.11):
        return []
    return [f"{where}: {kept} was kept, {found} was found"]


@pytest.mark.parametrize("place", PLACES)
def test_streets_and_who_stands_on_them(places: Path, place: str) -> None:
    name, epsg = PLACES[place]
    path = places / "osm" / name
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    network = streets_of(path, epsg)
    xy, people = homes_of(path, network)
    homes = snap(network, xy)
    found = figures_of(network, homes, people)
    assert sum(found["points"].values()) == len(xy)
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.is_file() else {}
    changed = differences(kept.get(place, {}), found)
    if changed:
        PICTURES.mkdir(parents=True, exist_ok=True)
        picture(network, homes, xy, PICTURES / f"{place}.png")
        text = json.dumps(found, indent=1, ensure_ascii=False)
        (PICTURES / f"{place}.json").write_text(text, encoding="utf-8")
        pytest.fail("\n".join([*changed, f"map: {PICTURES / place}.png, new figures: {PICTURES / place}.json"]))


def test_a_change_is_found_drawn_and_said(places: Path, tmp_path: Path) -> None:
    path = places / "osm" / PLACES["beijing"][0]
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    network = streets_of(path, PLACES["beijing"][1])
    xy, people = homes_of(path, network)
    homes = snap(network, xy)
    found = figures_of(network, homes, people)
    other = {**found, "components": found["components"] + 9, "people": -1}
    assert [line.split(":")[0] for line in differences(other, found)] == ["/components", "/people"]
    assert differences({}, found)
    assert differences(found, found) == []
    picture(network, homes, xy, tmp_path / "beijing.png")
    assert (tmp_path / "beijing.png").stat().st_size > 10_000
