"""What is done to a layer before it is checked: tables joined, age bands summed, class levels put together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..gis.errors import InputError
from .agebands import age_faults, with_age_groups
from .columns import texts
from .contracts import AGE_COLUMNS
from .gather import named_columns, record
from .headings import propose_columns
from .joined import join_table
from .reading import How
from .study import Note
from .tables import plain_table

if TYPE_CHECKING:
    import geopandas as gpd

    from .gather import Work
    from .settings import LayerSection
    from .table import Contract

LEVELS = (
    ("大类", "中类", "小类"),
    ("一级分类", "二级分类", "三级分类"),
    ("一级类", "二级类", "三级类"),
    ("bigtype", "midtype", "smalltype"),
)
"""Columns that map services' downloads keep the three levels of a class in."""

NO_DATUM = "-"


def prepare(work: Work, contract: Contract, section: LayerSection, frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return a layer with the columns that its file only implies.

    Parameters
    ----------
    work
        Gets notes, faults and sources.
    contract
        Of the layer.
    section
        What study.toml says of it.
    frame
        The layer as read.
    """
    if section.join is not None:
        path = work.path(section.join)
        try:
            table, encoding = plain_table(path, How(layer=section.join.layer, encoding=section.join.encoding))
        except InputError as error:
            work.faults += [replace(fault, file=section.join.path, layer=contract.layer) for fault in error.faults]
            return frame
        joined = join_table(frame, table, contract, section.join, named_columns(section))
        frame = joined.frame
        work.faults += joined.faults
        work.notes += joined.notes
        work.joined[contract.layer, section.path] = section.join.path, joined.columns
        rows = len(table), len(table)
        record(work, contract.layer, section.join, path, rows, NO_DATUM, encoding=encoding, columns=joined.columns)
    if contract.layer == "facilities":
        frame = _levels_joined(frame, contract, section)
    if any(column.name in AGE_COLUMNS for column in contract.columns):
        frame = _ages(work, contract, section, frame)
    return frame


def _ages(work: Work, contract: Contract, section: LayerSection, frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return a layer with the age groups of its bands; groups that cannot be are pointed out."""
    stated = named_columns(section)
    present = [str(name) for name in frame.columns if name != frame.geometry.name]
    found = stated | propose_columns(
        [name for name in present if name not in stated.values()], contract, skip=set(stated)
    )
    table, notes = with_age_groups(frame, [name for name in AGE_COLUMNS if name in found])
    work.notes += [Note(note.code, {"layer": contract.layer, **note.detail}) for note in notes]
    known = {name: found.get(name, name) for name in ("people", *AGE_COLUMNS)}
    view = table.drop(columns=frame.geometry.name)
    view = view[[source for source in known.values() if source in view.columns]]
    view = view.rename(columns={source: name for name, source in known.items()})
    names = texts(frame, found.get("name") or found.get("district_id") or "")
    names = [name or str(row) for row, name in enumerate(names, start=1)]
    faults = age_faults(view, file=section.path, layer=contract.layer, names=names)
    work.faults += [work.of_table(fault, section) for fault in faults]
    return frame.assign(
        **{name: table[name] for name in AGE_COLUMNS if name in table.columns and name not in frame.columns}
    )


def _levels_joined(frame: gpd.GeoDataFrame, contract: Contract, section: LayerSection) -> gpd.GeoDataFrame:
    """Return facilities with the three levels of their class in one column, where no other column states the class."""
    lower = {str(name).strip().lower(): str(name) for name in frame.columns}
    levels = next((names for names in LEVELS if all(name in lower for name in names)), None)
    if levels is None or "facility_class" in section.columns:
        return frame
    if "facility_class" in propose_columns([name for name in map(str, frame.columns) if name not in lower], contract):
        return frame
    parts = [texts(frame, lower[name]) for name in levels]
    return frame.assign(facility_class=[";".join(part for part in row if part) for row in zip(*parts, strict=True)])
