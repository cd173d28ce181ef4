"""What study.toml calls by name: the standard, the walker, classes, values, ring lines; each name must be known."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from ..gis.errors import Fault, InputError
from ..gis.walkers import WALKERS
from .compatibility import compatibility_from
from .contracts import AREA, CONTRACTS
from .facility_classes import class_of_label
from .facility_words import vocabulary
from .gather import sections_of
from .ringlines import enclosed_areas
from .site_rules import load_rules
from .standards import load_standard, shipped_standards
from .table import FALSE_WORDS, TRUE_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from .settings import LayerSection, StudySettings
    from .standards import Standard
    from .study import Study
    from .table import Column

STUDY_FILE = "study.toml"


def named_faults(settings: StudySettings, folder: Path) -> list[Fault]:
    """Return a fault for each name in study.toml that nothing has: file, key, value, close names and what there is.

    Parameters
    ----------
    settings
        The study.toml as read.
    folder
        Where it lies; the path of a standard starts there.

    Examples
    --------
    >>> from pathlib import Path
    >>> from lifecircle.layers.settings import StudySettings
    >>> stated = {"study": {"name": "甲", "walker": "runner"}, "layers": {}}
    >>> print(*named_faults(StudySettings.model_validate(stated), Path()))
    faults.name_unknown (file=study.toml, value=runner, setting=study.walker, known=standard, adult, elderly, frail, \
wheelchair)
    """
    faults = []
    walker = settings.study.walker
    walkers = (*WALKERS, *settings.walkers)
    if walker not in walkers:
        faults.append(unknown("study.walker", walker, walkers))
    standard, missing = standard_named(settings.study.standard, folder)
    faults += missing
    for named in settings.study.indicators:
        faults += standard_named(named, folder, "study.indicators")[1]
    faults += _rules_faults(settings.zoning.rules, folder)
    classes = _classes(standard)
    faults += _site_rule_faults(settings.siting.site_rules, folder, classes)
    if standard is not None:
        of_standard = [*standard.classes, *(rule.facility_class for rule in standard.unmeasured)]
        faults += [
            unknown(f"siting.wish[{number}].facility_class", wish.facility_class, of_standard)
            for number, wish in enumerate(settings.siting.wish, start=1)
            if wish.facility_class not in of_standard
        ]
    for layer, sections in sections_of(settings).items():
        for number, section in enumerate(sections, start=1):
            head = layer if layer == "area" else f"layers.{layer}"
            key = f"{head}[{number}]" if len(sections) > 1 else head
            faults += _value_faults(layer, section, f"{key}.values", classes)
    return faults


def unknown(setting: str, value: str, known: Iterable[str]) -> Fault:
    """Return the fault for a name that is not known: with the nearest ones, where some are near."""
    names = list(dict.fromkeys(known))
    near = difflib.get_close_matches(value, names, n=3, cutoff=0.5)
    detail = {"setting": setting, "known": ", ".join(names)}
    if near:
        return Fault("faults.name_unknown_near", STUDY_FILE, value=value, detail={**detail, "near": ", ".join(near)})
    return Fault("faults.name_unknown", STUDY_FILE, value=value, detail=detail)


def standard_named(named: str, folder: Path, setting: str = "study.standard") -> tuple[Standard | None, list[Fault]]:
    """Return the standard that a study names, or the faults of it.

    Parameters
    ----------
    named
        Its key, or the path of a TOML file.
    folder
        Where the study's paths start.
    setting
        The key of study.toml that names it.
    """
    is_file = named.endswith(".toml")
    if not is_file and named not in shipped_standards():
        return None, [unknown(setting, named, shipped_standards())]
    try:
        return load_standard(folder / named if is_file else named), []
    except InputError as error:
        return None, list(error.faults)


def _rules_faults(named: str | None, folder: Path) -> list[Fault]:
    """Return what is wrong with the file of zoning rules that a study names."""
    if named is None:
        return []
    try:
        compatibility_from(folder / named)
    except InputError as error:
        return list(error.faults)
    return []


def _classes(standard: Standard | None) -> frozenset[str]:
    """Return all classes that a facility may have."""
    own = () if standard is None else (*standard.classes, *(rule.facility_class for rule in standard.unmeasured))
    return frozenset((*vocabulary().classes, *own))


def _site_rule_faults(named: str | None, folder: Path, classes: frozenset[str]) -> list[Fault]:
    """Return what is wrong with the file of site rules that a study names, names that mean nothing among it."""
    if named is None:
        return []
    try:
        return load_rules(folder / named).name_faults(named, classes)
    except InputError as error:
        return list(error.faults)


def _value_faults(layer: str, section: LayerSection, key: str, classes: frozenset[str]) -> list[Fault]:
    """Return the faults of a section's ``values``: columns that the layer has not, and targets that mean nothing."""
    columns = (
        {column.name: column for column in (AREA if layer == "area" else CONTRACTS[layer]).columns}
        if (layer in CONTRACTS or layer == "area")
        else {}
    )
    faults = []
    for name, pairs in section.values.items():
        if name not in columns:
            faults.append(unknown(key, name, columns))
            continue
        for target in dict.fromkeys(pairs.values()):
            known = _targets(columns[name], classes)
            lacks = known is not None and target.strip().lower() not in known[1]
            is_label = name == "facility_class" and class_of_label(target) is not None
            if known is not None and lacks and not is_label:
                faults.append(unknown(f"{key}.{name}", target, known[0]))
    return faults


def _targets(column: Column, classes: frozenset[str]) -> tuple[list[str], frozenset[str]] | None:
    """Return the targets to offer for a column and all that are understood, in lower case; None where all are."""
    if column.name == "facility_class":
        return sorted(classes), frozenset(classes)
    if column.kind == "choice":
        understood = [*column.choices, *(name for names in column.choices.values() for name in names)]
        return list(column.choices), frozenset(name.lower() for name in understood)
    if column.kind == "bool":
        own = (name for names in column.choices.values() for name in names)
        return ["true", "false"], frozenset((*TRUE_WORDS, *FALSE_WORDS, *own))
    return None


def ring_faults(study: Study) -> list[Fault]:
    """Return what is wrong with the rings of study.toml: bad patterns, names that no line has, lines that do not close.

    Rings that a polygon layer gives are not drawn from lines, and have none.
    """
    sections = study.settings.rings.ring
    if not sections or "rings" in study.layers:
        return []
    try:
        enclosed_areas(study, sections)
    except InputError as error:
        return list(error.faults)
    return []
