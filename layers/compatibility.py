"""What may stand where: land-use codes against facility classes, from a table that a city replaces."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Literal, TypeAlias

from .zoning import land_uses

if TYPE_CHECKING:
    from collections.abc import Mapping

Verdict: TypeAlias = Literal["allowed", "share", "rezoning", "forbidden", "unknown"]
"""May stand as it is; may take a share of the floor area; only after rezoning; never; the land's use is not stated."""

DEFAULT_GROUP = "community"
"""The group of facility classes that the table does not name."""


@dataclass(frozen=True, slots=True)
class GroupRules:
    """Codes by verdict for one group of facility classes; the longest matching code decides."""

    allowed: tuple[str, ...]
    share: tuple[str, ...]
    vacated: tuple[str, ...]
    forbidden: tuple[str, ...]

    def of_code(self, code: str, *, vacated: bool) -> Verdict:
        """Return the verdict for one code."""
        best: Verdict = "rezoning"
        longest = 0
        lists: list[tuple[Verdict, tuple[str, ...]]] = [
            ("allowed", self.allowed),
            ("share", self.share + (self.vacated if vacated else ())),
            ("forbidden", self.forbidden),
        ]
        for verdict, codes in lists:
            for one in codes:
                if code.startswith(one) and len(one) > longest:
                    best, longest = verdict, len(one)
        return best


@dataclass(frozen=True, slots=True)
class Compatibility:
    """The table: groups of facility classes, tenures refused.

    Parameters
    ----------
    groups
        Facility class → its group's rules.
    default
        For facility classes that the table does not name.
    refused_tenures
        Values of the column ``tenure``.
    share_most
        Largest share of a building's floor area that shared uses may take.
    """

    groups: Mapping[str, GroupRules]
    default: GroupRules
    refused_tenures: frozenset[str]
    share_most: float

    def verdict(self, land_use: object, facility_class: str, *, vacated: bool = False) -> Verdict:
        """Tell whether a facility class may stand on land of a use.

        Land of mixed use is allowed where all of its uses are, and takes a share where one of them does.

        Parameters
        ----------
        land_use
            A value that `lifecircle.layers.zoning.land_uses` understands; anything else is unknown.
        facility_class
            The product's class.
        vacated
            True for a vacated factory or an empty building, which may be reused.

        Examples
        --------
        >>> table = load_compatibility()
        >>> table.verdict("R22", "elderly_day_care"), table.verdict("r2／b1", "food_market")
        ('allowed', 'share')
        >>> table.verdict("M1", "food_market"), table.verdict("M1", "food_market", vacated=True)
        ('rezoning', 'share')
        >>> table.verdict("公园绿地", "elderly_home"), table.verdict(None, "elderly_home")
        ('forbidden', 'unknown')
        """
        rules = self.groups.get(facility_class, self.default)
        uses = land_uses(land_use) if isinstance(land_use, str) else ()
        found: set[Verdict] = {rules.of_code(use.code, vacated=vacated) for use in uses if use.code}
        if not found:
            return "unknown"
        if len(found) == 1:
            return found.pop()
        for verdict in ("allowed", "share"):
            if verdict in found:
                return "share"
        return "rezoning"


@cache
def load_compatibility() -> Compatibility:
    """Return the table that ships with the product.

    Examples
    --------
    >>> sorted(load_compatibility().refused_tenures)
    ['private']
    """
    text = files(__package__).joinpath("standards", "compatibility.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    kinds = ("allowed", "share", "vacated", "forbidden")
    rules = {name: GroupRules(*(tuple(group[kind]) for kind in kinds)) for name, group in table["group"].items()}
    groups = {facility: rules[name] for name, group in table["group"].items() for facility in group["classes"]}
    return Compatibility(
        groups=groups,
        default=rules[DEFAULT_GROUP],
        refused_tenures=frozenset(table["refused_tenures"]),
        share_most=float(table["share_most"]),
    )
