"""Wishes: what is wanted of siting, and which settings each model reads. What a model does not read is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..gis.errors import Fault
from .settings import SitingSection, WishSection
from .study import Note

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .standards import Rule

SITES_UNASKED = 5
"""How many sites of each class are proposed when the study wishes for none: a first look, said in the notes."""
COSTS = ("cost_yuan", "cost_yuan_per_m2")
ALWAYS = ("facility_class", "model", "weight", "must", "bar")
FEATURES: dict[str, tuple[str, ...]] = {
    "close": ("close", "closings"),
    "least": ("least", "groups"),
    "worst_first": ("worst_first", "groups"),
    "phases": ("phases",),
    "phase_yuan": ("phase_yuan", *COSTS),
    "curve": ("curve",),
}
"""What maximal covering can do besides; the first key asks for it, the others say how."""
EXCLUSIVE = ("close", "least", "worst_first", "phases", "phase_yuan")
"""Of those at most one at a time."""
READS: dict[str, tuple[str, ...]] = {
    "max_cover": ("sites", *COSTS, *(key for keys in FEATURES.values() for key in keys)),
    "set_cover": COSTS,
    "p_median": ("sites", *COSTS),
    "p_centre": ("sites",),
    "capacitated": ("sites", "m2_per_place", "places_per_1000", "places_unknown"),
    "budgeted": ("budget_yuan", *COSTS, "sites"),
}
"""Keys that each model reads besides `ALWAYS`."""
NEEDS: dict[str, tuple[str, ...]] = {
    "max_cover": ("sites",),
    "p_median": ("sites",),
    "p_centre": ("sites",),
    "capacitated": ("sites",),
    "budgeted": ("budget_yuan",),
}
"""Keys that a model cannot do without."""
TOGETHER = ("sites", "must", "bar", *COSTS)
"""What a wish may say where all are chosen together."""


def wishes_of(siting: SitingSection, rules: Iterable[Rule]) -> tuple[tuple[WishSection, ...], tuple[Note, ...]]:
    """Return what is wished for: the study's wishes, else a few sites of each class that the standard sites."""
    return wished(siting, [rule.facility_class for rule in rules if rule.sited])


def wished(siting: SitingSection, sited: Sequence[str]) -> tuple[tuple[WishSection, ...], tuple[Note, ...]]:
    """Return the wishes; where there are none, a few sites of each class named, with a note that says so.

    Examples
    --------
    >>> wishes, notes = wished(SitingSection(), ["food_market"])
    >>> wishes[0].facility_class, wishes[0].sites, notes[0].code
    ('food_market', 5, 'proposals.unasked')
    """
    if siting.wish:
        return tuple(siting.wish), ()
    wishes = tuple(WishSection(facility_class=name, sites=SITES_UNASKED) for name in sited)
    return wishes, (Note("proposals.unasked", {"sites": SITES_UNASKED}),)


def check_wishes(siting: SitingSection, file: str | None = None) -> list[Fault]:
    """Return what cannot be honoured of the wishes: keys that the model does not read, lacks, or that contradict.

    Parameters
    ----------
    siting
        The section.
    file
        Where it was read.

    Examples
    --------
    >>> wish = WishSection(facility_class="food_market", model="set_cover", sites=3)
    >>> print(*check_wishes(SitingSection(wish=[wish])))
    siting.key_unused (given=3, setting=siting.wish[1].sites, model=set_cover, reads=cost_yuan, cost_yuan_per_m2)
    """
    faults = []
    for place, wish in enumerate(siting.wish, start=1):
        faults += _check_wish(wish, f"siting.wish[{place}]", file, together=siting.together is not None)
    if siting.together is not None:
        faults += _twice(siting, file)
    return faults


def _check_wish(wish: WishSection, where: str, file: str | None, *, together: bool) -> list[Fault]:
    """Return what cannot be honoured of one wish."""
    stated = _stated(wish)
    reads = (*ALWAYS, *READS[wish.model])
    told = {"model": wish.model, "reads": ", ".join(READS[wish.model])}
    faults = [
        Fault(
            "siting.key_unused",
            file,
            detail={"given": value, "setting": f"{where}.{key}", **told},
        )
        for key, value in stated.items()
        if key not in reads
    ]
    needs = () if "phases" in stated or "phase_yuan" in stated else NEEDS.get(wish.model, ())
    faults += [
        Fault("siting.key_needed", file, detail={"setting": f"{where}.{key}", "model": wish.model})
        for key in needs
        if key not in stated
    ]
    if "cost_yuan" in stated and "cost_yuan_per_m2" in stated:
        faults.append(_contradict(where, file, *COSTS))
    faults += _check_features(stated, where, file)
    if together:
        allowed = {"facility_class", "model", "weight", *TOGETHER}
        wrong = [key for key in stated if key not in allowed or (key == "model" and wish.model != "max_cover")]
        faults += [_contradict(where, file, key, "siting.together") for key in wrong]
    return faults


def _check_features(stated: dict[str, Any], where: str, file: str | None) -> list[Fault]:
    """Return what contradicts among the features of maximal covering."""
    asked = [key for key in EXCLUSIVE if key in stated]
    faults = [_contradict(where, file, asked[0], other) for other in asked[1:]]
    if "sites" in stated:
        faults += [_contradict(where, file, "sites", key) for key in ("phases", "phase_yuan") if key in stated]
    helpers = {"closings": ("close",), "groups": ("least", "worst_first")}
    for key, askers in helpers.items():
        if key in stated and not any(asker in stated for asker in askers):
            detail = {"given": stated[key], "setting": f"{where}.{key}", "needs": " / ".join(askers)}
            faults.append(Fault("siting.key_alone", file, detail=detail))
    return faults


def _contradict(where: str, file: str | None, first: str, second: str) -> Fault:
    """Return the fault of two keys that cannot both be honoured."""
    shown = second if "." in second else f"{where}.{second}"
    return Fault("siting.keys_contradict", file, detail={"first": f"{where}.{first}", "second": shown})


def _twice(siting: SitingSection, file: str | None) -> list[Fault]:
    """Return classes that are wished for more than once where all are chosen together."""
    names = [wish.facility_class for wish in siting.wish]
    return [
        Fault("siting.class_twice", file, detail={"given": name, "setting": "siting.together"})
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]


def _stated(wish: WishSection) -> dict[str, Any]:
    """Return the keys of a wish that say something other than nothing."""
    return {key: value for key, value in wish.model_dump(exclude_defaults=True).items() if value not in (None, [], "")}
