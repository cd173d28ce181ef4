"""Two standards side by side: what one adds to, removes from and changes in the other, field by field."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from .merge import figure_key
from .write import range_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .model import Standard

Kind: TypeAlias = Literal["rule", "circle", "indicator"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference of a standard from another.

    Parameters
    ----------
    change
        ``added``, ``removed`` or ``changed``.
    kind, key
        What it is in: a rule by its facility class, a circle by its minutes, an indicator by its key.
    zh, en
        The names of that.
    field
        Of what changed; a field of a figure is ``figure building_m2/1000_people least``, a figure that came or went
        is named without a field. Empty where all of it did.
    before, after
        The values; ``None`` where there is none.
    """

    change: Literal["added", "removed", "changed"]
    kind: Kind
    key: str
    zh: str
    en: str
    field: str = ""
    before: object = None
    after: object = None


def differences(before: Standard, after: Standard) -> list[Difference]:
    """Return what ``after`` has otherwise than ``before``: rules first, then circles, then indicators.

    A standard does not differ from itself, and the differences of two standards the other way round are the same ones
    with added and removed, before and after exchanged.

    Examples
    --------
    >>> from lifecircle.layers.standards import load_standard
    >>> found = differences(load_standard("gb50180-2018"), load_standard("tdt1062-2021"))
    >>> [(one.before, one.after) for one in found if (one.key, one.field) == ("community_health_station", "limit_m")]
    [(300.0, 500.0)]
    """
    found: list[Difference] = []
    for kind, old, new in zip(("rule", "circle", "indicator"), _tables(before), _tables(after), strict=True):
        for key in dict.fromkeys([*old, *new]):
            found += _of_one(kind, key, old.get(key), new.get(key))  # type: ignore[arg-type]
    return found


def _tables(standard: Standard) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return rules, circles and indicators by key."""
    return (
        {rule.facility_class: rule for rule in standard.all_rules},
        {str(circle.minutes): circle for circle in standard.circles},
        {indicator.key: indicator for indicator in standard.indicators},
    )


def _of_one(kind: Kind, key: str, old: Any, new: Any) -> list[Difference]:  # noqa: ANN401  any of the three dataclasses
    """Return how one rule, circle or indicator differs."""
    shown = new or old
    named = {"kind": kind, "key": key, "zh": shown.zh, "en": shown.en}
    if old is None or new is None:
        return [Difference(change="added" if old is None else "removed", **named)]
    before, after = asdict(old), asdict(new)
    figures = [{figure_key(figure): figure for figure in one.pop("figures", ())} for one in (before, after)]
    for figure in dict.fromkeys([*figures[0], *figures[1]]):
        ours, theirs = (of_one.get(figure) for of_one in figures)
        if ours is not None and theirs is not None:
            before |= _fields(figure, ours)
            after |= _fields(figure, theirs)
        else:
            before[f"figure {figure}"], after[f"figure {figure}"] = _value(ours), _value(theirs)
    return [
        Difference(change="changed", **named, field=field, before=before[field], after=after[field])
        for field in before
        if before[field] != after[field]
    ]


def _fields(key: str, figure: Mapping[str, Any]) -> dict[str, object]:
    """Return the fields of a figure, each named with the figure's key."""
    return {f"figure {key} {field}": value for field, value in figure.items()}


def _value(figure: Mapping[str, Any] | None) -> str | None:
    """Return what a figure asks for with its confidence, ``None`` for no figure."""
    if figure is None:
        return None
    return f"{range_text(figure['least'], figure['most'])} [{figure['confidence']}]"
