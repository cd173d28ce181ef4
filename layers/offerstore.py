"""Offers on disk: a folder beside the findings, plain arrays without pickles, and hashes that tell stale ones."""

from __future__ import annotations

import hashlib
import io
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pyproj import CRS
from scipy.sparse import csr_array, load_npz, save_npz

from ..gis.errors import Fault, InputError, MissingFileError
from .offers import FLAGS, NUMBERS, STAND_NUMBERS, STAND_TEXTS, TEXTS, Kept, Offer
from .residents import Groups, Residents

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FOLDER = "siting"
PEOPLE = "people.npz"
FORMAT = 1
"""Of the files; others are refused."""


def save_kept(kept: Kept, folder: Path) -> dict[str, Any]:
    """Write what siting needs into ``folder / "siting"`` and return what the manifest says of it.

    The same offers give the same bytes.
    """
    place = folder / FOLDER
    place.mkdir()
    _write(place / PEOPLE, _people(kept))
    classes = []
    for number, offer in enumerate(kept.offers.values(), start=1):
        stem = f"{number:02d}"
        _write(place / f"{stem}.npz", _arrays(offer))
        for name, matrix in (("reach", offer.reach), ("stand", offer.stand_reach)):
            save_npz(place / f"{stem}-{name}.npz", matrix)
        classes.append(
            {
                "facility_class": offer.facility_class,
                "file": stem,
                "group": offer.group,
                "limit": offer.limit,
                "farthest": offer.farthest,
                "unit": offer.unit,
                "has_data": offer.has_data,
                "floor_m2_least": _plain(offer.floor_m2_least),
                "m2_per_place": _plain(offer.m2_per_place),
            }
        )
    files = {path.name: _hash(path) for path in sorted(place.iterdir())}
    return {"format": FORMAT, "homes": kept.residents.homes, "classes": classes, "files": files}


def load_kept(folder: Path, manifest: Mapping[str, Any]) -> Kept:
    """Read what siting needs, as a plan left it.

    Parameters
    ----------
    folder
        The folder of the findings.
    manifest
        Theirs.

    Raises
    ------
    MissingFileError
        Where the findings are older than this step, or a file is gone.
    InputError
        Where a file is not the one that these findings were written with.
    """
    said = manifest.get("siting")
    if not said:
        message = f"{folder} holds findings without what siting needs"
        raise MissingFileError(message, Fault("siting.not_kept", file=str(folder)))
    if said.get("format") != FORMAT:
        message = f"{folder} was written by another version"
        raise InputError(message, Fault("siting.other_format", file=str(folder), detail={"given": said.get("format")}))
    place = folder / FOLDER
    faults = []
    for name, digest in said["files"].items():
        path = place / name
        if not path.is_file():
            faults.append(Fault("siting.file_gone", file=str(path)))
        elif _hash(path) != digest:
            faults.append(Fault("siting.stale", file=str(path)))
    if faults:
        message = f"{len(faults)} file(s) of {place} do not belong to these findings: {faults[0]}"
        raise InputError(message, *faults)
    people = _read(place / PEOPLE)
    offers = {one["facility_class"]: _offer(place, one) for one in said["classes"]}
    crs = CRS.from_wkt(str(people["crs"][0]))
    return Kept(_residents(people, said["homes"]), _groups(people), offers, crs)


def _plain(value: float) -> float | None:
    """Return a number that JSON holds."""
    return None if np.isnan(value) else value


def _hash(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(path: Path, arrays: Mapping[str, np.ndarray[Any, Any]]) -> None:
    """Write arrays without pickles and without a clock; texts as fixed-width Unicode."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.asanyarray(array), allow_pickle=False)
            packed.writestr(zipfile.ZipInfo(f"{name}.npy"), buffer.getvalue(), zipfile.ZIP_DEFLATED)


def _read(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    """Read arrays back."""
    with np.load(path, allow_pickle=False) as packed:
        return {name: packed[name] for name in packed.files}


def _people(kept: Kept) -> dict[str, np.ndarray[Any, Any]]:
    """Return residents and groups as arrays."""
    residents = kept.residents
    arrays: dict[str, np.ndarray[Any, Any]] = {
        "crs": _strings([kept.crs.to_wkt()]),
        "demand_id": _strings(list(residents.demand_id)),
        "xy": residents.xy,
        "compound": residents.compound,
        "known": residents.known,
        **{f"count-{name}": np.asarray(values, dtype=np.int64) for name, values in residents.counts.items()},
        "kinds": _strings([groups.kind for groups in kept.groups]),
    }
    for groups in kept.groups:
        arrays[f"ids-{groups.kind}"] = _strings(list(groups.ids))
        arrays[f"names-{groups.kind}"] = _strings(list(groups.names))
        arrays[f"demand-{groups.kind}"] = groups.of_demand
        arrays[f"compound-{groups.kind}"] = groups.of_compound
    return arrays


def _residents(people: Mapping[str, np.ndarray[Any, Any]], homes: int | None) -> Residents:
    """Return residents as they were."""
    counts = {name.removeprefix("count-"): values for name, values in people.items() if name.startswith("count-")}
    return Residents(
        people["demand_id"].tolist(), people["xy"], counts, people["compound"], people["known"], homes=homes
    )


def _groups(people: Mapping[str, np.ndarray[Any, Any]]) -> list[Groups]:
    """Return groups as they were."""
    return [
        Groups(
            kind,
            people[f"ids-{kind}"].tolist(),
            people[f"names-{kind}"].tolist(),
            people[f"demand-{kind}"],
            people[f"compound-{kind}"],
        )
        for kind in people["kinds"].tolist()
    ]


def _strings(values: list[Any]) -> np.ndarray[Any, Any]:
    """Return texts as a fixed-width array; missing ones are empty."""
    return np.array(["" if value is None or value != value else str(value) for value in values], dtype=np.str_)  # noqa: PLR0124  NaN


def _arrays(offer: Offer) -> dict[str, np.ndarray[Any, Any]]:
    """Return the tables of an offer as arrays."""
    return {
        "cost": offer.cost,
        **{f"places-{name}": _strings(offer.places[name].tolist()) for name in TEXTS},
        **{f"places-{name}": offer.places[name].to_numpy() for name in (*NUMBERS, *FLAGS)},
        **{f"stand-{name}": _strings(offer.stand[name].tolist()) for name in STAND_TEXTS},
        **{f"stand-{name}": offer.stand[name].to_numpy() for name in STAND_NUMBERS},
    }


def _offer(place: Path, said: Mapping[str, Any]) -> Offer:
    """Return an offer as it was."""
    arrays = _read(place / f"{said['file']}.npz")
    sizes = {name: np.nan if said[name] is None else float(said[name]) for name in ("floor_m2_least", "m2_per_place")}
    return Offer(
        facility_class=said["facility_class"],
        group=said["group"],
        limit=float(said["limit"]),
        unit=said["unit"],
        farthest=float(said["farthest"]),
        has_data=said["has_data"],
        **sizes,
        cost=arrays["cost"],
        places=_table(arrays, "places", TEXTS, (*NUMBERS, *FLAGS)),
        reach=csr_array(load_npz(place / f"{said['file']}-reach.npz")),
        stand=_table(arrays, "stand", STAND_TEXTS, STAND_NUMBERS),
        stand_reach=csr_array(load_npz(place / f"{said['file']}-stand.npz")),
    )


def _table(
    arrays: Mapping[str, np.ndarray[Any, Any]], head: str, text_columns: tuple[str, ...], others: tuple[str, ...]
) -> pd.DataFrame:
    """Return a table of an offer."""
    columns: dict[str, Any] = {
        name: pd.Series(arrays[f"{head}-{name}"].tolist(), dtype=object) for name in text_columns
    }
    return pd.DataFrame(columns | {name: arrays[f"{head}-{name}"] for name in others})
