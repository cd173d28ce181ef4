"""Rows without coordinates, or with NaN in them: left out and logged while they are few, refused when they are many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.gis.errors import InputError
from lifecircle.layers.load import load_study
from lifecircle.layers.reading import How
from lifecircle.layers.repair import UNPLACED_SHARE, mend
from lifecircle.layers.sample import write_sample
from lifecircle.layers.tables import place_rows

if TYPE_CHECKING:
    from pathlib import Path

    from lifecircle.layers.study import Study
    from lifecircle.layers.table import Shape

CRS = "EPSG:4547"


def _layer(kind: Shape, count: int) -> gpd.GeoDataFrame:
    points = shapely.points(np.arange(count) * 50.0, 0.0)
    made = {
        "Point": points,
        "LineString": shapely.linestrings([[(20.0 * k, 0.0), (20.0 * k + 9, 5.0)] for k in range(count)]),
        "Polygon": shapely.buffer(points, 9.0),
    }
    return gpd.GeoDataFrame({"people": np.arange(count)}, geometry=made[kind], crs=CRS)


def _spoilt(shape: shapely.Geometry) -> shapely.Geometry:
    """Return a geometry with one coordinate that is NaN."""
    points = shapely.get_coordinates(shape)
    points[len(points) // 2, 1] = np.nan
    with np.errstate(invalid="ignore"):
        return shapely.set_coordinates(shapely.from_wkb(shapely.to_wkb(shape)), points)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["Point", "LineString", "Polygon"]), st.integers(1, 60), st.data())
def test_few_are_left_out_by_name_and_many_are_refused(kind: Shape, count: int, data: st.DataObject) -> None:
    rows = sorted(data.draw(st.sets(st.integers(0, count - 1), max_size=count)))
    frame = _layer(kind, count).drop(columns="people")
    shapes = np.asarray(frame.geometry.to_numpy(), dtype=object)
    empties = set(rows[::2])
    for row in rows:
        shapes[row] = None if row in empties else _spoilt(shapes[row])
    frame = frame.set_geometry(gpd.GeoSeries(shapes, crs=CRS))
    labels = pd.Series([f"F{n}" for n in range(count)])
    mended = mend(frame, (kind,), layer="l", file="f", rows=labels)
    assert dict(zip(mended.repairs["feature"], mended.repairs["what"], strict=True)) == {
        f"F{row}": "empty" if row in empties else "no_number" for row in rows
    }
    assert len(mended.frame) == count - len(rows)
    least = 0 if kind == "Polygon" else 1
    codes = {fault.code for fault in mended.faults} - {"faults.layer_empty"}
    assert codes == ({"faults.unplaced"} if len(rows) > max(least, UNPLACED_SHARE * count) else set())
    assert sum(int(str(note.detail["count"])) for note in mended.notes) == len(rows)


def test_lost_people_are_said_and_too_many_are_refused() -> None:
    frame = _layer("Polygon", 40)
    shapes = np.asarray(frame.geometry.to_numpy(), dtype=object)
    shapes[3] = _spoilt(shapes[3])
    frame = frame.set_geometry(gpd.GeoSeries(shapes, crs=CRS))
    rows = pd.Series(range(1, 41))
    few = mend(frame, ("Polygon",), layer="compounds", file="c.shp", rows=rows)
    assert not few.faults
    assert [note.detail["lost"] for note in few.notes if note.code == "study.unplaced_counted"] == ["people 3"]
    many = mend(frame.assign(people=np.where(frame.index == 3, 900, 10)), ("Polygon",), layer="c", file="c", rows=rows)
    assert [fault.code for fault in many.faults] == ["faults.unplaced"]


@pytest.mark.parametrize("word", ["NaN", "", "null", "不详", "-"])
def test_words_for_not_known_are_no_coordinates(word: str, tmp_path: Path) -> None:
    two = pd.DataFrame({"lon": ["117.1", word], "lat": ["30.5", "30.6"]}, dtype="str")
    placed = place_rows(two, tmp_path / "a.csv", How())
    assert shapely.is_missing(placed.geometry.to_numpy()).tolist() == [False, True]
    pair = pd.DataFrame({"location": ["117.1,30.5", f"{word},{word}" if word else ""]}, dtype="str")
    placed = place_rows(pair, tmp_path / "a.csv", How())
    assert shapely.is_missing(placed.geometry.to_numpy()).tolist() == [False, True]


@pytest.mark.parametrize("cell", ["117.1", "abc", "117.1,abc", "inf,30"])
def test_coordinates_that_are_said_wrongly_stay_errors(cell: str, tmp_path: Path) -> None:
    table = pd.DataFrame({"location": ["117.1,30.5", cell]}, dtype="str")
    with pytest.raises(InputError) as caught:
        place_rows(table, tmp_path / "a.csv", How())
    assert [(fault.code, fault.row, fault.value) for fault in caught.value.faults] == [("faults.not_number", 2, cell)]


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> tuple[Study, Study]:
    """The study of a city in which each layer has a row with NaN, and of the same city without these rows."""
    return tuple(_study(tmp_path_factory.mktemp(name), left_out=name == "without") for name in ("nan", "without"))  # type: ignore[return-value]


LAYERS = {"compounds": "compounds.gpkg", "gates": "compounds.gpkg", "buildings": "compounds.gpkg"}
ROW = 7


def _study(folder: Path, *, left_out: bool) -> Study:
    path = write_sample(folder, people=20_000, seed=4)
    for layer, name in LAYERS.items():
        frame = gpd.read_file(folder / name, layer=layer)
        shapes = np.asarray(frame.geometry.to_numpy(), dtype=object)
        shapes[ROW] = _spoilt(shapes[ROW])
        frame = frame.set_geometry(gpd.GeoSeries(shapes, crs=frame.crs))
        with np.errstate(invalid="ignore"):
            (frame.drop(index=ROW) if left_out else frame).to_file(folder / name, layer=layer)
    table = pd.read_csv(folder / "facilities.csv", dtype="str")
    column = next(name for name in table.columns if name.lower() in {"lon", "lng", "经度", "x"})
    table.loc[ROW, column] = "NaN"
    (table.drop(index=ROW) if left_out else table).to_csv(folder / "facilities.csv", index=False)
    return load_study(path)


def test_every_layer_reads_as_if_the_rows_were_not_there(studies: tuple[Study, Study]) -> None:
    spoilt, clean = studies
    for name in (*LAYERS, "facilities"):
        left, right = spoilt.layers[name], clean.layers[name]
        assert len(left) == len(right)
        assert shapely.equals(left.geometry.to_numpy(), right.geometry.to_numpy()).all()
        logged = spoilt.repairs[(spoilt.repairs["layer"] == name) & spoilt.repairs["what"].isin(["empty", "no_number"])]
        assert len(logged) == 1
        assert {str(note.detail["count"]) for note in spoilt.notes if note.detail.get("layer") == name} >= {"1"}
    assert {note.code for note in spoilt.notes} >= {"study.nan_dropped", "study.geometry_dropped"}
