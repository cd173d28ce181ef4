"""Zones by the range of their coordinates: every zone of China is among its guesses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS, Transformer

from lifecircle.gis.crs import as_crs
from lifecircle.gis.zones import contradiction, guesses, kind_of, meridian_of

FIRST = {"CGCS2000": (4513, 4534, 4491), "Xian 1980": (2349, 2370, 2327), "Beijing 1954": (2401, 2422, 21413)}


@pytest.mark.parametrize("survey", FIRST)
@settings(deadline=None, max_examples=60)
@given(step=st.integers(0, 20), beside=st.floats(-1.4, 1.4), lat=st.floats(18.5, 53.0), swapped=st.booleans())
def test_every_zone_is_guessed_from_its_coordinates(
    survey: str, step: int, beside: float, lat: float, *, swapped: bool
) -> None:
    zone_3, meridian_3, zone_6 = FIRST[survey]
    for code in (zone_3 + step, meridian_3 + step, zone_6 + min(step // 2, 10)):
        crs = as_crs(f"EPSG:{code}")
        meridian = meridian_of(crs)
        assert meridian is not None
        x, y = Transformer.from_crs(crs.geodetic_crs, crs, always_xy=True).transform(meridian + beside, lat)
        found = guesses(y, x) if swapped else guesses(x, y)
        assert (f"EPSG:{code}", swapped) in {(guess.datum, guess.swapped) for guess in found}
        assert contradiction(crs, [[x, y]]) is None
        against = contradiction(crs, [[y, x]])
        assert against is not None
        assert against.swapped


@pytest.mark.parametrize(
    ("stated", "x", "y", "looks", "swapped"),
    [
        (4548, 39_500_000, 4_057_670, "EPSG:4527", False),
        (4527, 500_000, 4_057_670, "EPSG:4548", False),
        (4526, 39_500_000, 4_057_670, "EPSG:4527", False),
        (4548, 4_057_670, 500_000, "EPSG:4548", True),
        (4548, 4_057_670, 39_500_000, "EPSG:4527", True),
        (4548, 20_500_000, 4_057_670, "EPSG:4498", False),
        (3857, 500_000, 4_057_670, "EPSG:4534", False),
    ],
)
def test_what_coordinates_look_like(stated: int, x: float, y: float, looks: str, *, swapped: bool) -> None:
    found = contradiction(as_crs(f"EPSG:{stated}"), [[x, y]])
    assert found is not None
    assert (found.datum, found.swapped) == (looks, swapped)


@pytest.mark.parametrize(
    ("code", "lon", "lat"),
    [
        (32628, -15.4, 28.1),
        (3067, 25.0, 60.2),
        (2180, 19.0, 52.0),
        (27700, -0.1, 51.5),
        (2193, 174.8, -36.8),
        (28355, 145.0, -37.8),
        (5179, 127.0, 37.5),
        (31468, 11.6, 48.1),
        (2326, 114.17, 22.3),
        (3857, 2.35, 48.85),
        (28992, 4.9, 52.4),
        (32722, -51.2, -30.0),
        (2154, 2.35, 48.85),
        (3414, 103.8, 1.3),
    ],
)
def test_grids_of_other_countries_contradict_nothing(code: int, lon: float, lat: float) -> None:
    crs = CRS(f"EPSG:{code}")
    x, y = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(lon, lat)
    assert contradiction(crs, [[x, y]]) is None


def test_kinds_and_nothing() -> None:
    assert kind_of(CRS('LOCAL_CS["CAD",UNIT["metre",1]]')) == ("other", None)
    assert kind_of(as_crs("EPSG:3857"))[0] == "web"
    assert guesses(np.nan, 1.0) == ()
    assert guesses(1e12, 1e12) == ()
    assert contradiction(as_crs("EPSG:4548"), np.zeros((0, 2))) is None
    assert [guess.datum for guess in guesses(117.0, 36.6)] == ["wgs84", "gcj02", "bd09"]
