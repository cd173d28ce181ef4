"""Siting asked again on findings that stand: changed wishes in, the same findings with other sites out.

Nothing of the city is read again: who reaches which place is kept beside the findings. What follows from the sites is
counted anew (sites, siting, curve, people out of reach, coverage afterwards, totals, notes); all else stays as it is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pydantic import ValidationError

from ..gis.errors import Fault, InputError
from .config import read_toml, settings_faults
from .findings import Findings
from .gaps import coverage_table
from .manifest import plain_fault, plain_note
from .proposals import propose
from .residents import Walks
from .settings import SitingSection, WishSection
from .wishes import ALWAYS, NEEDS, READS, check_wishes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from .offers import Kept, Offer
    from .proposals import Proposals

PLANNED = ("walk_most_m", "street_spacing_m")
"""Settings that a plan has used up: they cannot be changed afterwards."""
KEYS = ["facility_class", "group_kind", "group_id", "measure"]
LISTS = ("must", "bar", "close")
"""Keys that are added to."""
NOTES = "proposals."
"""Notes of siting begin so."""


def settings_of(manifest: Mapping[str, Any]) -> SitingSection:
    """Return the wishes that the findings were made with."""
    return SitingSection.model_validate(manifest["settings"].get("siting", {}))


def resite(findings: Findings, kept: Kept, siting: SitingSection, *, file: str | None = None) -> Findings:
    """Return the findings with the sites that other wishes lead to.

    Parameters
    ----------
    findings
        As a plan made them, or this function.
    kept
        What siting needs; `lifecircle.layers.offerstore.load_kept` reads it.
    siting
        The wishes.
    file
        Where they were read, for what is wrong with them.

    Raises
    ------
    InputError
        For wishes that cannot be honoured, all faults together; for classes that the plan did not look for sites of.
    InfeasibleError
        Where a wish has no answer.
    """
    faults = [*check_wishes(siting, file), *_beyond(findings.manifest, kept, siting, file)]
    if faults:
        message = f"the wishes cannot be honoured: {'; '.join(map(str, faults))}"
        raise InputError(message, *faults)
    sited = [name for name in findings.manifest["classes"] if name in kept.offers]
    proposals = propose(kept, siting, sited, strict=True)
    layers = {**findings.layers, "sites": proposals.sites}
    tables = {
        **findings.tables,
        "sites": pd.DataFrame(proposals.sites.drop(columns="geometry")),
        "siting": proposals.siting,
        "curve": proposals.curve,
        "unreachable": proposals.unreachable,
        "coverage": coverage_afterwards(findings.tables["coverage"], kept, proposals),
    }
    manifest = _manifest(findings.manifest, siting, proposals, layers, tables)
    return Findings(layers=layers, tables=tables, manifest=manifest, kept=kept)


def _beyond(manifest: Mapping[str, Any], kept: Kept, siting: SitingSection, file: str | None) -> list[Fault]:
    """Return what the findings hold nothing for."""
    known = ", ".join(kept.offers)
    faults = [
        Fault("siting.class_not_kept", file, detail={"given": wish.facility_class, "known": known})
        for wish in siting.wish
        if wish.facility_class not in kept.offers
    ]
    was = settings_of(manifest)
    for name in PLANNED:
        now, then = getattr(siting, name), getattr(was, name)
        if now != then:
            detail = {"setting": f"siting.{name}", "given": now, "was": then}
            faults.append(Fault("siting.needs_plan", file, detail=detail))
    return faults


def coverage_afterwards(coverage: pd.DataFrame, kept: Kept, proposals: Proposals) -> pd.DataFrame:
    """Return the coverage with the columns of what is reached afterwards counted anew.

    Parameters
    ----------
    coverage
        The table of the findings.
    kept, proposals
        People and offers, and the sites.
    """
    rows = [row for name, offer in kept.offers.items() for row in [_counted(kept, offer, proposals, name)] if len(row)]
    table = coverage.copy()
    after = table["after_covered"].to_numpy(dtype=np.int64, copy=True)
    if rows:
        counted = pd.concat(rows, ignore_index=True).set_index(KEYS)["after_covered"]
        own = table["facility_class"].isin(list(kept.offers)).to_numpy()
        found = counted.reindex(pd.MultiIndex.from_frame(table.loc[own, KEYS].astype(str)))
        after[own] = found.to_numpy(dtype=np.int64)
    known = (table["covered"] + table["uncovered"]).to_numpy(dtype=np.float64)
    rate = np.divide(after, known, out=np.full(len(after), np.nan), where=known > 0)
    return table.assign(after_covered=after, after_rate=rate)


def _counted(kept: Kept, offer: Offer, proposals: Proposals, name: str) -> pd.DataFrame:
    """Return the coverage of one class, of which only what is reached afterwards is read."""
    nobody = np.full(len(offer.cost), -1, dtype=np.int64)
    walks = Walks(
        has_data=offer.has_data,
        limit=offer.limit,
        unit=offer.unit,
        cost=offer.cost,
        site=nobody,
        site_ids=(),
        site_names=(),
        site_xy=np.zeros((0, 2)),
        after_cost=proposals.after.get(name),
        after_alone=name in proposals.closed,
    )
    return coverage_table(kept.residents, kept.groups, [_Counted(name, offer.group)], {name: walks})


class _Counted:
    """A class as the table of coverage reads it: what it says of the standard is not used here."""

    circle, walk_m, required, clause, confidence = 0, 0.0, True, "", ""

    def __init__(self, facility_class: str, group: str) -> None:
        self.facility_class, self.group = facility_class, group


def _manifest(
    manifest: Mapping[str, Any],
    siting: SitingSection,
    proposals: Proposals,
    layers: Mapping[str, Any],
    tables: Mapping[str, pd.DataFrame],
) -> dict[str, Any]:
    """Return the manifest with what follows from the sites."""
    sited = set(tables["siting"]["facility_class"])
    notes = [note for note in manifest["notes"] if not note["code"].startswith(NOTES)]
    changed: dict[str, Any] = {
        "totals": {**manifest["totals"], "sites": len(layers["sites"])},
        "classes": {key: {**rule, "sited": key in sited} for key, rule in manifest["classes"].items()},
        "notes": [*notes, *map(plain_note, proposals.notes)],
        "warnings": [*_others(manifest), *map(plain_fault, proposals.warnings)],
        "rows": {name: len(frame) for name, frame in {**layers, **tables}.items()},
        "settings": {**manifest["settings"], "siting": siting.model_dump(mode="json", exclude_none=True)},
    }
    return {**manifest, **changed}


def _others(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the warnings that are not of siting."""
    return [one for one in manifest["warnings"] if not one["code"].startswith(("gis.siting_", "siting."))]


def changed(siting: SitingSection, facility_class: str | None, changes: Mapping[str, Any]) -> SitingSection:
    """Return the wishes with some settings of one class changed; a class that had no wish gets one.

    Without a class and with one wish alone, that wish is changed. Another model forgets what only the old one reads.

    Parameters
    ----------
    siting
        The wishes as they were.
    facility_class
        Whose wish.
    changes
        Keys of `WishSection`; those that are ``None`` or empty are left as they are, lists are added to.

    Raises
    ------
    InputError
        When it is not said whose wish is changed.
    """
    stated = {key: value for key, value in changes.items() if value is not None and value != []}
    if not stated and facility_class is None:
        return siting
    wishes = list(siting.wish)
    rows = [row for row, wish in enumerate(wishes) if wish.facility_class == facility_class]
    if facility_class is None and len(wishes) == 1:
        rows = [0]
    elif facility_class is None:
        options = ", ".join(f"--{key.replace('_', '-')}" for key in stated)
        message = f"{options} must say of which facility class"
        raise InputError(message, Fault("siting.no_wish_named", detail={"option": options}))
    wishes = [_changed(wishes[row], stated) if row in rows else wishes[row] for row in range(len(wishes))]
    if not rows:
        wishes.append(_wish({"facility_class": facility_class, **stated}))
    return siting.model_copy(update={"wish": wishes})


def _changed(wish: WishSection, stated: Mapping[str, Any]) -> WishSection:
    """Return a wish with some settings changed."""
    was = wish.model_dump(exclude_defaults=True)
    if stated.get("model", wish.model) != wish.model:
        model = str(stated["model"])
        reads = {*ALWAYS, *READS[model]} - ({"sites"} - {*NEEDS.get(model, ())})
        was = {key: value for key, value in was.items() if key in reads}
    for key, value in stated.items():
        was[key] = list(dict.fromkeys([*was.get(key, []), *value])) if key in LISTS else value
    return _wish(was)


def _wish(stated: Mapping[str, Any]) -> WishSection:
    """Return a wish of some keys.

    Raises
    ------
    InputError
        When a value cannot be.
    """
    raw = {"siting": {"wish": [dict(stated)]}}
    return _validated(raw["siting"], None).wish[0]


def with_seconds(siting: SitingSection, seconds: float) -> SitingSection:
    """Return the wishes with another limit of time for each.

    Raises
    ------
    InputError
        When it is not above 0.
    """
    return _validated({**siting.model_dump(exclude_defaults=True), "seconds": seconds}, None)


def read_wishes(path: Path) -> SitingSection:
    """Read the section ``[siting]`` of a TOML file, a study.toml or one that holds nothing else.

    Raises
    ------
    MissingFileError
        When the file does not exist.
    InputError
        When it is not TOML, holds no such section, or with a fault for each key and value that is wrong.
    """
    raw = read_toml(path)
    if not isinstance(raw.get("siting"), dict):
        message = f"{path} holds no [siting]"
        raise InputError(message, Fault("siting.no_siting", file=str(path)))
    return _validated(raw["siting"], str(path))


def _validated(section: Mapping[str, Any], file: str | None) -> SitingSection:
    """Return a section that was read, or say all that is wrong with it."""
    try:
        return SitingSection.model_validate(section)
    except ValidationError as error:
        errors = error.errors(include_url=False)
        for one in errors:
            one["loc"] = ("siting", *one["loc"])
        faults = settings_faults(errors, {"siting": section}, file or "")
        faults = faults if file else [_without_file(fault) for fault in faults]
        message = f"[siting] has {len(faults)} fault(s): {faults[0]}"
        raise InputError(message, *faults) from error


def _without_file(fault: Fault) -> Fault:
    """Return a fault of what stood in no file."""
    return replace(fault, file=None)
