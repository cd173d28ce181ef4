"""The keys of ``[zoning]`` in study.toml."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class ZoningSection(BaseModel):
    """``[zoning]``: the rules of what may stand where, and what the parcels' land use says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rules: str | None = None
    """A file of the city's own rules (.toml, .csv, .xlsx); what it leaves out stands as in those that ship."""
    land_use: Literal["planned", "now"] = "planned"
    """Whether ``land_use`` of the parcels is the planned use or the present one."""
