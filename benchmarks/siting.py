"""The choice of sites: against PySAL spopt and HiGHS in one run, on a million people, as what-ifs, at known optima.

Example: python benchmarks/siting.py --jobs p_median points --points sh2713_100
"""

from __future__ import annotations

import argparse
import math
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import siting_made as made
from race import Result, race, seconds, table
from record import record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Job: TypeAlias = Callable[[argparse.Namespace], str]

CLOSE, LP_CLOSE = 1e-6, 1e-7
"""How far values may be apart that count as the same, and what interior point may be off by, of the value."""
OFF = 0.0005
"""How far below the best known value an answer in a minute may be."""
LONG_S, CITY_S = 600.0, 600.0
CITY_GAP, CITY_MB, CITY_GROWTH = 0.01, 4000.0, 1.1
WHAT_IF = 20.0
WHAT_IFS = ("max_cover", "sh2713_100")
SOLVERS = {"highs": "HiGHS", "cbc": "CBC"}
PERCENT = (
    "percent are of our bound: no answer can be above 100 %, so one above 99.95 % is within 0.05 % of any published"
    " one; 'not proven': nothing better was found in this run"
)


def met(*, reached: bool) -> str:
    """Return how a row says whether it reaches what it must."""
    return "yes" if reached else "**no**"


def share(value: float, of: float) -> str:
    """Return a value in percent of a bound."""
    return "none" if not math.isfinite(value) else f"{value / of:.3%}"


def _run(folder: Path, name: str, *, most: int = 0) -> Result:
    """Run a contender alone: once, or a warm-up and then ``most`` times."""
    return race(folder, (name,), runs=most, once=() if most else (name,))[name]


def _page(heads: Sequence[str], lines: Sequence[Sequence[str]], notes: Iterable[str]) -> str:
    """Return a table with its notes."""
    return table(heads, lines) + "\n\n" + "\n".join(f"* {note}" for note in notes)


def _against_spopt(name: str, asked: argparse.Namespace) -> tuple[tuple[str, ...], str]:
    """Race one square instance; return its line, and what the two answers are worth."""
    job = made.SQUARES[name].scaled(asked.scale)
    ours_is, peer = f"ours.{name}", f"peers.spopt_{name}"
    with tempfile.TemporaryDirectory() as folder:
        limits = {"limit": job.limit_m, "peer_seconds": asked.peer_seconds, "solver": asked.solver}
        made.write(Path(folder), *made.square(job), job.sites, **limits)
        ours, theirs = race(Path(folder), (ours_is, peer), runs=asked.runs, once=(peer,)).values()
    value, proven = float(ours.answer["value"]), bool(ours.answer["proven"])
    note, peer = f"{job}: {value:,.0f}, {'proven' if proven else '**not proven**'}", f"spopt, {SOLVERS[asked.solver]}"
    needed = f"≥ {job.least:g} ×, proven: "
    if theirs.failed:
        cells = (str(job), seconds(ours.median), peer, f"could not run: {theirs.failed}", "", "", needed + "**no**")
        return cells, note
    built, solved, other = (float(theirs.answer[key]) for key in ("built", "solved", "value"))
    late, ratio = bool(theirs.answer["late"]), (built + solved) / ours.median
    worse = (value - other if name == "p_median" else other - value) > CLOSE * max(value, 1.0)
    same = math.isnan(other) or abs(value - other) <= CLOSE * max(value, 1.0)
    note += "; spopt has no answer" if math.isnan(other) else f"; spopt {other:,.0f}"
    note += (", stopped at the limit" if late else "") + ("" if same else f", {other / value - 1:+.4%}")
    least = "at least " if late else ""
    verdict = met(reached=ratio >= job.least and proven and not worse)
    solving = least + seconds(solved) if built < asked.peer_seconds else "not begun"
    times = (seconds(built), solving, f"{least}{ratio:,.{0 if ratio >= 100 else 1}f} ×")
    return (str(job), seconds(ours.median), peer, *times, needed + verdict), note


def against_spopt(asked: argparse.Namespace) -> str:
    """Build and solve the same instances on both sides."""
    found = [_against_spopt(name, asked) for name in made.SQUARES if name in asked.jobs]
    heads = ("job", "lifecircle, build + solve", "peer", "its building", "its solving", "ratio", "must reach")
    return _page(heads, [line for line, _ in found], [note for _, note in found])


def _points_line(title: str, limit: float, told: dict[str, Result], best: float, least_bound: float) -> tuple[str, ...]:
    """Return the line of one answer on points that are all candidates, in percent of its own bound."""
    ours, relaxed, alone = told["ours.cover"], told["peers.highs_relaxed"], told["peers.highs"]
    value, bound = float(ours.answer["value"]), float(ours.answer["bound"])
    lp = float(relaxed.answer.get("value", math.nan))
    other, top = (float(alone.answer.get(key, math.nan)) for key in ("value", "bound"))
    greedy = float(told["ours.greedy"].answer["value"])
    tight = not bound > lp * (1 + LP_CLOSE) and not math.isnan(lp)
    ahead = not math.isnan(other) and value >= max(other, greedy)
    off = "yes" if value >= (1 - OFF) * least_bound else ("not proven" if value >= (1 - OFF) * best else "**no**")
    verdicts = f"bound ≤ LP's: {met(reached=tight)}; ≥ HiGHS, greedy: {met(reached=ahead)}; ≤ {OFF:.2%} off: {off}"
    of_bound = (share(value, bound), f"{(bound - value) / bound:.3%}", f"{share(lp, bound)}, {seconds(relaxed.median)}")
    peers = (f"{share(other, bound)}, its bound {share(top, bound)}", share(greedy, bound))
    return (title, f"{limit:g} s", f"{value:,.0f}", f"{bound:,.0f}", *of_bound, *peers, verdicts)


def points(asked: argparse.Namespace) -> str:
    """Cover real points that are all candidates, ours and HiGHS alone within the same limit."""
    lines, notes = [], []
    for name in asked.points:
        job = made.POINTS[name]
        found = []
        with tempfile.TemporaryDirectory() as folder:
            reached, people, sites = made.all_candidates(job, asked.scale)
            for limit in (asked.seconds, LONG_S)[: 1 + asked.long]:
                limits = {"seconds": limit, "gap": 0.0, "peer_seconds": asked.peer_seconds}
                stored = made.write(Path(folder), reached, people, sites, **limits)
                contenders = ("ours.cover", "ours.greedy", "peers.highs_relaxed", "peers.highs")
                found.append((limit, {one: _run(Path(folder), one) for one in contenders}))
        title = f"{job.title}, {len(people):,} points, p = {sites}"
        values = [
            float(told[one].answer.get("value", 0.0)) for _, told in found for one in ("ours.cover", "peers.highs")
        ]
        bound = min(float(told["ours.cover"].answer["bound"]) for _, told in found)
        lines += [_points_line(title, limit, told, np.nanmax(values), bound) for limit, told in found]
        took = ", ".join(f"ours {told['ours.cover'].median:.1f} s" for _, told in found)
        notes.append(f"{title}: {stored:,} stored pairs; {took}; HiGHS {found[0][1]['peers.highs'].median:.1f} s")
        if asked.long:
            first, last = (told["ours.cover"].answer for _, told in found)
            tighter = f"bound {int(first['bound']):,} to {int(last['bound']):,}"
            notes.append(f"{title}: value {int(first['value']):,} to {int(last['value']):,}, {tighter}")
    notes.append(PERCENT)
    heads = ("all points are candidates", "limit", "lifecircle", "bound", "value", "gap", "LP relaxation, its time")
    return _page((*heads, "HiGHS alone", "greedy", "must reach"), lines, notes)


def _exponent(told: list[tuple[int, Result]]) -> float:
    """Return by which power of the stored pairs the time grows, by least squares."""
    if len(told) < 2:
        return math.nan
    stored, took = np.log([pairs for pairs, _ in told]), np.log([result.median for _, result in told])
    return float(np.polyfit(stored, took, 1)[0])


def city(asked: argparse.Namespace) -> str:
    """Cover made-up cities of more and more people, each in a process of its own."""
    lines = []
    for kind in ("uniform", "clustered"):
        told = []
        for demand in asked.sizes:
            with tempfile.TemporaryDirectory() as folder:
                reached, people, sites = made.city(demand, kind)
                limits = {"seconds": CITY_S, "gap": CITY_GAP}
                stored, shape = made.write(Path(folder), reached, people, sites, **limits), reached.shape
                del reached
                result = _run(Path(folder), "ours.cover")
            told.append((stored, result))
            value, bound = float(result.answer["value"]), float(result.answer["bound"])
            gap = (bound - value) / bound
            verdict = met(reached=gap <= CITY_GAP and result.peak_mb <= CITY_MB)
            title = f"{kind}, {shape[0]:,} × {shape[1]:,}, p = {sites}"
            cells = (f"{stored:,}", seconds(result.median), f"{result.peak_mb:,.0f} MB", f"{gap:.3%}")
            lines.append((title, *cells, f"gap ≤ 1 %, ≤ 4 GB: {verdict}"))
            print(" | ".join(lines[-1]), flush=True)
        power = _exponent(told)
        linear = f"linear, ≤ pairs^{CITY_GROWTH:g}: {met(reached=power <= CITY_GROWTH)}"
        lines.append((f"{kind}, growth", "", f"pairs^{power:.2f}", "", "", linear))
    heads = ("city, 1 km", "stored pairs", "build + solve", "peak memory", "gap", "must reach")
    return _page(heads, lines, ["one run each; the peak holds the reach that is given too"])


def what_if(asked: argparse.Namespace) -> str:
    """Compare one more what-if with the first solve, and its answer with one from nothing."""
    lines = []
    for name in WHAT_IFS:
        with tempfile.TemporaryDirectory() as folder:
            if name in made.POINTS:
                reached, people, sites = made.all_candidates(made.POINTS[name], asked.scale)
                title = f"{made.POINTS[name].title}, {len(people):,} points, p = {sites}"
            else:
                job = made.SQUARES[name].scaled(asked.scale)
                (reached, people), sites, title = made.square(job), job.sites, str(job)
            limits = {"what_ifs": asked.what_ifs, "seconds": asked.seconds, "fresh_seconds": asked.fresh_seconds}
            made.write(Path(folder), reached, people, sites, **limits)
            told: dict[str, Any] = dict(_run(Path(folder), "ours.what_if").answer)
        value, bound, fresh = told["values"].astype(float).T
        first, median = float(told["first"]), float(np.median(told["took"]))
        lost = 1 - value / fresh
        proven = f"{int(told['fresh_proven'].sum())} of {len(fresh)}"
        verdict = f"≥ {WHAT_IF:g} × {met(reached=first / median >= WHAT_IF)}"
        apart = (f"{np.median(lost):.3%}, {lost.max():.3%}", f"{np.median(1 - value / bound):.3%}", proven)
        lines.append((title, seconds(first), seconds(median), f"{first / median:,.1f} ×", *apart, verdict))
    below = "below a fresh solve: median, most"
    heads = ("what-if", "first solve", "what-if, median", "ratio", below, "its own gap, median", "fresh ones proven")
    note = (
        f"{asked.what_ifs} what-ifs: half bar a chosen site, half force another one in; below 0 the what-if is better"
    )
    more = f"a fresh solve begins at nothing and has {asked.fresh_seconds:g} s"
    return _page((*heads, "must reach"), lines, [note, more])


def or_library(asked: argparse.Namespace) -> str:
    """Solve OR-Library's graphs by both models and compare with the published optima."""
    lines = []
    models = {"p_median": "p-median", "p_centre": "p-centre"}
    best = {model: made.published(model) for model in models}
    for number in asked.numbers:
        walks, sites = made.or_library(number)
        with tempfile.TemporaryDirectory() as folder:
            made.write(Path(folder), walks, np.ones(walks.shape[0], dtype=np.int64), sites)
            for model, title in models.items():
                told = _run(Path(folder), f"ours.{model}", most=1)
                value, proven = float(told.answer["value"]), bool(told.answer["proven"])
                optimum = best[model][number]
                reached = abs(value - optimum) <= CLOSE * optimum
                size = f"pmed{number}, {walks.shape[0]} nodes, p = {sites}"
                cells = (f"{value:,.0f}", f"{optimum:,}", "yes" if proven else "no", seconds(told.median))
                lines.append((f"{title}, {size}", *cells, f"optimum, proven: {met(reached=reached and proven)}"))
    lines.sort(key=lambda line: line[0].partition(",")[0], reverse=True)
    return _page(("OR-Library", "lifecircle", "published", "proven", "time", "must reach"), lines, [])


JOBS: dict[str, Job] = {
    "p_median": against_spopt,
    "max_cover": against_spopt,
    "points": points,
    "city": city,
    "what_if": what_if,
    "or_library": or_library,
}


def _asked() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--jobs", nargs="+", choices=list(JOBS), default=list(JOBS))
    add("--runs", type=int, default=3, help="timed rounds of ours after a warm-up; spopt runs once")
    add("--solver", choices=list(SOLVERS), default="highs", help="what spopt solves with")
    add("--peer-seconds", type=float, default=900.0, help="the limit of spopt; beyond it a row says 'at least'")
    add("--seconds", type=float, default=60.0, help="the limit on points, of ours and of HiGHS alone")
    add("--long", action="store_true", help=f"points again with {LONG_S:g} s")
    add("--points", nargs="+", choices=list(made.POINTS), default=list(made.POINTS))
    add("--sizes", nargs="+", type=int, default=[100_000, 300_000, 1_000_000], help="demand points of the cities")
    add("--what-ifs", type=int, default=20)
    add("--fresh-seconds", type=float, default=20.0, help="the limit of each fresh solve beside a what-if")
    add("--numbers", nargs="+", type=int, default=list(range(1, 11)), help="graphs of OR-Library")
    add("--scale", type=float, default=1.0, help="a share of the size of squares and points, for a quick look")
    add("--record", action="store_true", help="write the results into README.md beside this file")
    asked = parser.parse_args()
    if asked.record and asked.scale != 1:
        parser.error("only the whole sizes are recorded")
    return asked


def main() -> None:
    """Print the tables, one after another; a job without its data is named as skipped."""
    asked = _asked()
    parts = []
    for job in dict.fromkeys(JOBS[name] for name in asked.jobs):
        try:
            parts.append(job(asked))
        except FileNotFoundError as error:
            parts.append(f"* {job.__name__}: skipped, {error}")
        print(parts[-1], end="\n\n", flush=True)
    if asked.record:
        record("siting", "\n\n".join(parts))


if __name__ == "__main__":
    main()
