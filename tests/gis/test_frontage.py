"""Street frontage: sides that face a street, whichever way the outline is drawn."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import affinity

from lifecircle.gis.frontage import PIECE_M, frontage_m

SOUTH = shapely.LineString([(-200, -10), (300, -10)])
EAST = shapely.LineString([(50, -200), (50, 300)])
PLOT = shapely.box(0, 0, 40, 30)


@given(st.floats(0.0, 360.0), st.booleans())
@settings(max_examples=40, deadline=None)
def test_a_corner_plot_has_both_sides_however_it_is_turned_and_drawn(turn: float, backwards: bool) -> None:  # noqa: FBT001  hypothesis draws it
    plot, *streets = (affinity.rotate(shape, turn, origin=(0, 0)) for shape in (PLOT, SOUTH, EAST))
    drawn = shapely.reverse(plot) if backwards else plot
    assert frontage_m([drawn], streets, within_m=15)[0] == pytest.approx(70.0, abs=2 * PIECE_M)


def test_near_and_far_sides() -> None:
    assert frontage_m([PLOT], [SOUTH], within_m=15)[0] == pytest.approx(40.0)
    assert frontage_m([PLOT], [SOUTH], within_m=9)[0] == 0.0
    assert frontage_m([PLOT], [SOUTH], within_m=60)[0] == pytest.approx(40.0)  # the far side looks away
    assert frontage_m([PLOT], np.array([], dtype=object), within_m=15)[0] == 0.0
    assert np.isnan(frontage_m([shapely.Point(0, 0), None], [SOUTH], within_m=15)).all()


@given(st.floats(1.0, 40.0), st.floats(1.0, 40.0), st.floats(-180.0, 180.0))
@settings(max_examples=40, deadline=None)
def test_more_streets_and_a_wider_view_never_take_frontage_away(near: float, more: float, turn: float) -> None:
    one = frontage_m([PLOT], [SOUTH], within_m=near)[0]
    other = affinity.rotate(EAST, turn, origin=(45, 5))
    assert frontage_m([PLOT], [SOUTH], within_m=near + more)[0] >= one
    assert frontage_m([PLOT], [SOUTH, other], within_m=near)[0] >= one
    assert one <= shapely.length(PLOT)
