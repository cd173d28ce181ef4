"""What zoning says of a study: the balance of land, conflicts of projects, and what may stand where."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from .candidate_sources import VACATED_KINDS
from .columns import labels, texts
from .compatibility import compatibility_of
from .conflicts import conflicts_of
from .findings import TABLES
from .land_balance import cells_of, find_balance, zoning_balance
from .study import Note
from .zoning import clean_code

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd

    from .rulebook import Compatibility
    from .study import Study


@dataclass(frozen=True, slots=True)
class FoundZoning:
    """The findings' tables ``zoning``, ``land_balance`` and ``conflicts``, and what was assumed."""

    tables: Mapping[str, pd.DataFrame]
    notes: tuple[Note, ...]


def zoned(study: Study, rings: gpd.GeoDataFrame, parcels: gpd.GeoDataFrame, projects: gpd.GeoDataFrame) -> FoundZoning:
    """Return the balance of land by ring and sub-district, and the conflicts of projects.

    Parameters
    ----------
    study
        Its ``[zoning]`` and its sub-districts.
    rings, parcels, projects
        As they were found.
    """
    rules = compatibility_of(study)
    cells = cells_of(rings, study.layers.get("districts"))
    balance = find_balance(study, parcels, projects, cells, rings)
    conflicts = conflicts_of(projects, parcels, rings, rules)
    own = () if rules.source is None else (Note("zoning.own_rules", {"file": PurePath(rules.source).name}),)
    tables = {
        "zoning": zoning_balance(parcels, rings, cells),
        "land_balance": balance.table,
        "conflicts": conflicts.table,
    }
    return FoundZoning(tables, (*own, *balance.notes, *conflicts.notes))


def verdict_table(candidates: pd.DataFrame, rules: Compatibility) -> pd.DataFrame:
    """Return what may stand on the land of the candidates: a row for each class and land use, with the rule behind it.

    Vacated places stand apart only where that changes what the rules say.

    Parameters
    ----------
    candidates
        With ``site_id``, ``kind``, ``land_use`` and ``facility_class``.
    rules
        The study's.

    Examples
    --------
    >>> from lifecircle.layers.compatibility import load_compatibility
    >>> tried = pd.DataFrame({"site_id": ["a", "b"], "kind": "idle_land", "land_use": ["r2", "R2"],
    ...     "facility_class": "elderly_home"})
    >>> verdict_table(tried, load_compatibility())[["land_use", "verdict", "share_most", "share_all", "sites", "rule"]]
      land_use verdict  share_most  share_all  sites rule
    0       R2   share         0.2        0.4      2   R2
    """
    plain = pd.DataFrame(
        {
            "facility_class": texts(candidates, "facility_class"),
            "land_use": [clean_code(value) for value in texts(candidates, "land_use")],
            "vacated": np.isin(candidates["kind"].to_numpy(dtype=object), VACATED_KINDS),
            "site_id": texts(candidates, "site_id"),
        }
    )
    pairs = zip(plain["land_use"], plain["facility_class"], strict=True)
    differs = [rules.verdict(use, name, vacated=True) != rules.verdict(use, name) for use, name in pairs]
    plain["vacated"] &= np.array(differs, dtype=np.bool_)
    rows = plain.groupby(["facility_class", "land_use", "vacated"], sort=False)["site_id"].nunique().reset_index()
    frames = []
    for name, group in rows.groupby("facility_class", sort=False):
        own = group.sort_values(["land_use", "vacated"], ignore_index=True)
        judged = rules.judged(own["land_use"].tolist(), str(name), vacated=own["vacated"].tolist())
        judged = judged.rename(columns={"share": "share_most"}).assign(share_all=rules.share_most)
        frames.append(pd.concat([own.rename(columns={"site_id": "sites"}), judged], axis=1))
    if not frames:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in TABLES["land_verdicts"]})
    table = pd.concat(frames, ignore_index=True)
    return table.assign(land_use=labels(table["land_use"].tolist()))[list(TABLES["land_verdicts"])]
