"""A search that goes over the city tile by tile finds what one search finds; costs are computed once a walker."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS

from lifecircle.gis.network import WalkNetwork, network_from_lines
from lifecircle.gis.reach import nearest, node_costs, walking_costs
from lifecircle.gis.snap import snap
from lifecircle.gis.walkers import WALKERS

SEARCH = import_module("lifecircle.gis.nearest")


def crooked_grid(side: int, seed: int) -> WalkNetwork:
    """A grid of streets of 100 m, some missing, whole numbers so that walks are often equally long."""
    random = np.random.default_rng(seed)
    lines = [
        shapely.LineString([(100 * i, 100 * j), (100 * (i + (not up)), 100 * (j + up))])
        for i in range(side)
        for j in range(side)
        for up in (False, True)
        if random.random() < 0.85
    ]
    return network_from_lines(lines, crs=CRS("EPSG:4547"), highway=["footway"] * len(lines))


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(1, 12), st.sampled_from([150.0, 400.0, 1000.0]), st.sampled_from([60, 250]))
def test_tiles_do_not_change_the_answer(seed: int, sites: int, limit: float, tile_m: int) -> None:
    network = crooked_grid(9, seed)
    random = np.random.default_rng(seed)
    places, homes = (random.integers(0, 18, (count, 2)) * 50.0 for count in (sites, 60))
    at, living = snap(network, places).positions, snap(network, homes).positions
    whole = nearest(network, sites=at, demand=living, limit=limit)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SEARCH, "TILE_LIMITS", 0)
        patch.setattr(SEARCH, "LEAST_TILE_M", tile_m)
        tiled = nearest(network, sites=at, demand=living, limit=limit)
        costs = node_costs(network, at, limit=limit)
        changed = nearest(network, sites=at, demand=living, limit=limit).with_sites_removed(np.array([0]))
    assert np.array_equal(whole.cost, tiled.cost)
    assert np.array_equal(whole.site, tiled.site)
    assert np.array_equal(costs, node_costs(network, at, limit=limit))
    assert np.array_equal(changed.cost, whole.with_sites_removed(np.array([0])).cost)


def test_costs_are_computed_once_a_walker_and_cannot_be_changed() -> None:
    network = crooked_grid(4, 1)
    costs = walking_costs(network, WALKERS["elderly"])
    assert walking_costs(network, WALKERS["elderly"]) is costs
    assert walking_costs(network, WALKERS["adult"]) is not costs
    assert walking_costs(crooked_grid(4, 1), WALKERS["elderly"]) is not costs
    with pytest.raises(ValueError, match="read-only"):
        costs.edge_ahead[0] = 0.0
