"""``lifecircle site``: other sites on findings that stand, without reading the city again."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path  # noqa: TC003  typer reads the annotations when the command runs
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lifecircle.cli.options import LanguageOption, language_of, progress, reporting
from lifecircle.cli.plan import draw, print_faults

if TYPE_CHECKING:
    from lifecircle.gis.errors import Fault
    from lifecircle.layers.findings import Findings
    from lifecircle.layers.settings import SitingSection
    from lifecircle.layers.steps import Steps
    from lifecircle.layers.words import Language as LanguageName

STEPS = 6
"""How many steps a run announces."""


class Model(StrEnum):
    """Models that sites are chosen by."""

    max_cover = "max_cover"
    set_cover = "set_cover"
    p_median = "p_median"
    p_centre = "p_centre"
    capacitated = "capacitated"
    budgeted = "budgeted"


def site(  # noqa: PLR0913  one option for each thing that a planner may want otherwise
    folder: Annotated[Path, typer.Argument(help="The folder that 'lifecircle plan' wrote.", show_default=False)],
    *,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Another folder for the results; else the same. 输出文件夹。")
    ] = None,
    wishes: Annotated[
        Path | None, typer.Option("--wishes", help="A TOML file whose [siting] replaces the plan's. 选址需求文件。")
    ] = None,
    facility_class: Annotated[
        str | None, typer.Option("--class", help="The class that the following options are about. 设施类。")
    ] = None,
    model: Annotated[Model | None, typer.Option("--model", help="What the sites are to be best at. 模型。")] = None,
    sites: Annotated[int | None, typer.Option("--sites", min=1, help="How many. 处数。")] = None,
    budget: Annotated[float | None, typer.Option("--budget", help="Yuan, of the model budgeted. 预算（元）。")] = None,
    cost: Annotated[
        float | None, typer.Option("--cost", help="Yuan for a site whose land states none. 单处造价（元）。")
    ] = None,
    cost_per_m2: Annotated[
        float | None, typer.Option("--cost-per-m2", help="Instead, yuan a m². 每平方米造价。")
    ] = None,
    must: Annotated[
        list[str] | None, typer.Option("--must", help="Id of a candidate that is chosen; may be repeated. 必选。")
    ] = None,
    bar: Annotated[
        list[str] | None, typer.Option("--bar", help="Id of a candidate that is not; may be repeated. 不选。")
    ] = None,
    close: Annotated[
        list[str] | None, typer.Option("--close", help="Id of a facility that may be closed; may be repeated. 可关闭。")
    ] = None,
    least: Annotated[
        float | None,
        typer.Option("--least", min=0.0, max=1.0, help="Least share of each ring reached. 各圈层最低覆盖率。"),
    ] = None,
    worst_first: Annotated[
        bool, typer.Option("--worst-first", help="The worst-off ring first. 最差圈层优先。")
    ] = False,
    seconds: Annotated[
        float | None, typer.Option("--seconds", help="Longest time for each wish. 求解时限（秒）。")
    ] = None,
    only_findings: Annotated[bool, typer.Option("--only-findings", help="No map, sheets or report.")] = False,
    language: LanguageOption = None,
) -> None:
    """Site: choose sites again on findings that stand, with other wishes; map, sheets, report and tables follow.

    Example: lifecircle site out --class food_market --sites 8 --bar L00007 --out out-8-markets

    Nothing of the city is read again. Options about one class change its wish and leave the others as they are; --must,
    --bar and --close add to it. Exit code 0 when all is written, 2 when a wish cannot be honoured or has no answer, or
    the folder is not whole (nothing is written then).
    """
    from lifecircle.layers.steps import Steps

    said: dict[str, Any] = {
        "model": None if model is None else model.value,
        "sites": sites,
        "budget_yuan": budget,
        "cost_yuan": cost,
        "cost_yuan_per_m2": cost_per_m2,
        "must": must or None,
        "bar": bar or None,
        "close": close or None,
        "least": least,
        "worst_first": True if worst_first else None,
    }
    target = folder if out is None else out
    spoken = _spoken(language, folder)
    with reporting(spoken), progress(spoken, STEPS) as announce:
        _check_place(folder, target, drawn=not only_findings)
        steps = Steps(announce)
        from lifecircle.layers.resite import changed, read_wishes
        from lifecircle.layers.store import load

        with steps.step("steps.read"):
            found = load(folder)
        siting = _siting(found, read_wishes(wishes) if wishes is not None else None, seconds)
        siting = changed(siting, facility_class, said)
        file = None if wishes is None else str(wishes)
        findings, faults = _run(found, siting, (folder, target), spoken, steps, file=file, drawn=not only_findings)
    print_faults(faults, spoken)
    from lifecircle.maps.summary import summary_lines

    for line in summary_lines(findings, target, spoken, drawn=not only_findings):
        typer.echo(line)


def _spoken(language: Any, folder: Path) -> LanguageName:  # noqa: ANN401  the option's own type
    """Return the language to speak: what was asked for, else that of the findings."""
    import json

    if language is None:
        try:
            named = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["study"]["language"]
        except (OSError, ValueError, KeyError, TypeError):
            return language_of(None)
        if named in {"zh", "en"}:
            return "en" if named == "en" else "zh"
    return language_of(language)


def _check_place(folder: Path, target: Path, *, drawn: bool) -> None:
    """Refuse to leave a map and a report that show other sites than the findings beside them.

    Raises
    ------
    OutputError
        Then.
    """
    from lifecircle.gis.errors import Fault, OutputError

    left = [name for name in ("map.html", "report.docx", "tables.xlsx") if (target / name).exists()]
    if not drawn and left and target.resolve() == folder.resolve():
        message = f"{', '.join(left)} in {target} would show other sites than the findings"
        raise OutputError(message, Fault("siting.left_behind", file=str(target), detail={"names": ", ".join(left)}))


def _siting(found: Findings, wishes: SitingSection | None, seconds: float | None) -> SitingSection:
    """Return the wishes: those of a file, else the plan's; with another limit of time where one is asked for."""
    from lifecircle.layers.resite import settings_of, with_seconds

    siting = settings_of(found.manifest) if wishes is None else wishes
    return siting if seconds is None else with_seconds(siting, seconds)


def _run(
    found: Findings,
    siting: SitingSection,
    folders: tuple[Path, Path],
    language: LanguageName,
    steps: Steps,
    *,
    file: str | None,
    drawn: bool,
) -> tuple[Findings, tuple[Fault, ...]]:
    """Choose the sites and write all results, whole or not at all; return also what the sheets could not show."""
    from lifecircle.layers.offerstore import load_kept
    from lifecircle.layers.output import whole_folder
    from lifecircle.layers.resite import resite
    from lifecircle.layers.store import save, save_timings

    source, target = folders
    with steps.step("steps.siting"):
        findings = resite(found, load_kept(source, found.manifest), siting, file=file)
    with whole_folder(target) as folder:
        with steps.step("steps.findings"):
            save(findings, folder)
        faults = draw(findings, folder, language, steps) if drawn else ()
        save_timings(steps, folder, findings.tables["siting"])
    return findings, faults


if __name__ == "__main__":
    typer.run(site)
