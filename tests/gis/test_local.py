"""Local systems: what was put in comes out, residuals are those of the least squares, and bad points are refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS

from lifecircle.gis.crs import to_crs
from lifecircle.gis.errors import CrsError
from lifecircle.gis.local import PARAMETERS, LocalSystem, fit_local

TOWN = CRS("EPSG:4548")
OLD = CRS("EPSG:2436")
RANDOM = np.random.default_rng(3)
POINTS = np.column_stack([RANDOM.uniform(0, 20_000, 9), RANDOM.uniform(0, 30_000, 9)])
PLANE = POINTS + np.array([490_000.0, 4_040_000.0])
SEVEN = {"dx": 15.8, "dy": -154.4, "dz": -82.3, "rx_sec": 0.5, "ry_sec": -0.3, "rz_sec": 1.2, "scale_ppm": -3.0}


@settings(deadline=None, max_examples=50)
@given(
    st.floats(-1e6, 1e6), st.floats(0, 5e6), st.floats(-600_000, 600_000), st.floats(0.9995, 1.0005), st.integers(0, 99)
)
def test_a_similarity_is_found_again(east: float, north: float, angle: float, scale: float, seed: int) -> None:
    true = LocalSystem(TOWN, "similarity", {"east": east, "north": north, "angle_sec": angle, "scale": scale})
    local = np.random.default_rng(seed).uniform(-30_000, 30_000, (5, 2))
    fit = fit_local(local, true.move(local), method="similarity", crs=TOWN, limit_m=0.01)
    assert fit.lengths_m.max() < 1e-5
    assert fit.system.parameters["scale"] == pytest.approx(scale, abs=1e-9)
    elsewhere = np.array([[12_345.0, -9_876.0]])
    assert np.abs(fit.system.move(elsewhere) - true.move(elsewhere)).max() < 1e-4


def test_an_affine_map_is_found_again_and_a_similarity_is_one() -> None:
    parameters = {"east": 5e5, "north": 4e6, "xx": 1.0002, "xy": 0.01, "yx": -0.02, "yy": 0.9999}
    true = LocalSystem(TOWN, "affine", parameters)
    fit = fit_local(POINTS, true.move(POINTS), method="affine", crs=TOWN, limit_m=0.01)
    assert fit.lengths_m.max() < 1e-5
    found = fit.system.parameters
    assert [found[name] for name in ("xx", "xy", "yx", "yy")] == pytest.approx(
        [parameters[name] for name in ("xx", "xy", "yx", "yy")], abs=1e-9
    )


def test_seven_parameters_move_between_ellipsoids_and_are_found_again() -> None:
    true = LocalSystem(TOWN, "seven", SEVEN, base=OLD)
    known = true.move(PLANE)
    shift = np.hypot(*(known - PLANE).T)
    assert ((shift > 50) & (shift < 200)).all()
    fit = fit_local(PLANE, known, method="seven", crs=TOWN, limit_m=0.05, base=OLD)
    assert fit.lengths_m.max() < 5e-3  # heights are left out
    middle = PLANE.mean(axis=0, keepdims=True)
    assert np.abs(fit.system.move(middle) - true.move(middle)).max() < 5e-3
    none = LocalSystem(TOWN, "seven", dict.fromkeys(("dx", "dy", "dz"), 0.0), base=TOWN)
    assert np.abs(none.move(PLANE) - PLANE).max() < 1e-6


def test_rotations_are_those_of_the_position_vector() -> None:
    # EPSG method 9606 by PROJ, on geocentric coordinates.
    from pyproj import Transformer  # noqa: PLC0415

    from lifecircle.gis.local import _geocentric  # noqa: PLC0415

    helmert = (
        "+proj=helmert +convention=position_vector +x=15.8 +y=-154.4 +z=-82.3 +rx=0.5 +ry=-0.3 +rz=1.2 +s=-3 +exact"
    )
    expected = np.column_stack(Transformer.from_pipeline(helmert).transform(*_geocentric(OLD, PLANE).T))
    moved = LocalSystem(TOWN, "seven", SEVEN, base=OLD).move(PLANE)
    at_height = _geocentric(TOWN, moved)
    up = at_height / np.linalg.norm(at_height, axis=1, keepdims=True)
    across = (expected - at_height) - ((expected - at_height) * up).sum(axis=1, keepdims=True) * up
    # The height that comes out is left out; seen from above, both are one place but for the slope of the vertical.
    assert np.linalg.norm(across, axis=1).max() < 0.5
    assert set(PARAMETERS["seven"]) == set(SEVEN)


@pytest.mark.parametrize("method", ["similarity", "affine", "seven"])
def test_noise_is_left_in_the_residuals_and_no_other_fit_is_better(method: str) -> None:
    noisy = PLANE + np.random.default_rng(4).normal(0, 0.1, PLANE.shape)
    fit = fit_local(PLANE, noisy, method=method, crs=TOWN, limit_m=1.0, base=TOWN)  # type: ignore[arg-type]
    assert 0.01 < fit.rms_m < 0.3
    assert np.abs(fit.residuals_m.mean(axis=0)).max() < 1e-3
    still = PLANE - noisy
    assert fit.rms_m <= np.sqrt((still**2).sum(axis=1).mean()) + 1e-6
    assert fit.checked


def test_a_point_beyond_the_limit_is_named() -> None:
    wrong = PLANE.copy()
    wrong[6, 0] += 40.0
    with pytest.raises(CrsError) as caught:
        fit_local(POINTS, wrong, method="similarity", crs=TOWN, limit_m=0.5)
    (fault,) = caught.value.faults
    assert (fault.code, fault.row) == ("local.beyond_limit", 7)


def test_surveyors_axes_are_recognised() -> None:
    with pytest.raises(CrsError) as caught:
        fit_local(POINTS[:, ::-1], PLANE, method="similarity", crs=TOWN, limit_m=0.5)
    assert caught.value.faults[0].code == "local.swapped"


@pytest.mark.parametrize(
    ("points", "method", "code"),
    [
        (POINTS[:1], "similarity", "local.too_few"),
        (POINTS[:2], "affine", "local.too_few"),
        (np.column_stack([np.arange(5) * 1000.0, np.arange(5) * 500.0]), "affine", "local.on_a_line"),
        (np.column_stack([np.arange(5) * 1000.0, np.arange(5) * 500.0]), "seven", "local.on_a_line"),
        (np.zeros((4, 2)), "similarity", "local.on_a_line"),
        (POINTS, "seven", "local.base_missing"),
    ],
)
def test_points_that_fix_nothing_are_refused(points: np.ndarray, method: str, code: str) -> None:
    with pytest.raises(CrsError) as caught:
        fit_local(points, points, method=method, crs=TOWN, limit_m=0.5)  # type: ignore[arg-type]
    assert caught.value.faults[0].code == code


def test_two_points_leave_nothing_to_check() -> None:
    fit = fit_local(POINTS[:2], PLANE[:2], method="similarity", crs=TOWN, limit_m=0.5)
    assert not fit.checked


def test_a_local_system_is_a_source_of_geometries() -> None:
    import shapely  # noqa: PLC0415

    town = LocalSystem(TOWN, "similarity", {"east": 490_000.0, "north": 4_040_000.0})
    moved = to_crs(shapely.LineString(POINTS), town, TOWN)
    assert np.abs(shapely.get_coordinates(moved) - PLANE).max() < 1e-6
