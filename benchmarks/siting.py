"""Siting against PySAL spopt: build and solve the same instances on both sides, in one run, as ratios.

Example: python benchmarks/siting.py --jobs p_median
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from race import Row, race, table
from record import record

SEED = 20260101
CLOSE = 1e-6


@dataclass(frozen=True, slots=True)
class Job:
    """An instance: demand and candidates at random in a square, and what the ratio must reach."""

    title: str
    demand: int
    candidates: int
    sites: int
    side_m: float
    limit_m: float
    least: float


JOBS = {
    "p_median": Job("p-median 1,000 × 200, p = 10", 1000, 200, 10, 5000.0, np.inf, 20.0),
    "max_cover": Job("maximal covering 20,000 × 1,000, p = 20", 20_000, 1000, 20, 10_000.0, 1000.0, 30.0),
}


def write_instance(folder: Path, job: Job) -> None:
    """Write made-up people, and the walks to the candidates within the limit, by row."""
    random = np.random.default_rng(SEED)
    homes = random.uniform(0.0, job.side_m, (job.demand, 2))
    lots = random.uniform(0.0, job.side_m, (job.candidates, 2))
    walk = np.hypot(homes[:, :1] - lots[:, 0], homes[:, 1:] - lots[:, 1])
    row, column = np.nonzero(walk <= job.limit_m)
    np.savez(
        folder / "graph.npz",
        row=row,
        column=column,
        walk=walk[row, column],
        people=random.integers(1, 120, job.demand),
        candidates=job.candidates,
        sites=job.sites,
        limit=job.limit_m,
    )


def main() -> None:
    """Print one table, and what the answers of the two sides are worth."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", nargs="+", choices=list(JOBS), default=list(JOBS))
    parser.add_argument("--runs", type=int, default=3, help="timed rounds of ours after a warm-up; spopt runs once")
    parser.add_argument("--record", action="store_true", help="write the results into README.md beside this file")
    asked = parser.parse_args()
    rows, notes = [], []
    for name in asked.jobs:
        job, peer = JOBS[name], f"peers.spopt_{name}"
        with tempfile.TemporaryDirectory() as folder:
            write_instance(Path(folder), job)
            ours, theirs = race(Path(folder), (f"ours.{name}", peer), runs=asked.runs, once=(peer,)).values()
        rows.append(Row(job.title, ours.median, "spopt", theirs.median, job.least, theirs.failed))
        value, proven = float(ours.answer["value"]), bool(ours.answer["proven"])
        note = f"{job.title}: {value:,.0f}, {'proven' if proven else '**not proven**'}"
        if theirs.answer:
            other = float(theirs.answer["value"])
            same = abs(value - other) <= CLOSE * max(value, 1.0)
            note += f"; spopt {other:,.0f}, {'the same' if same else f'{other / value - 1:+.4%}'}"
        notes.append(note)
    heads = ("job", "lifecircle", "peer", "its time", "ratio", "must reach")
    page = table(heads, [row.cells() for row in rows]) + "\n\n" + "\n".join(f"* {note}" for note in notes)
    print(page)
    if asked.record:
        record("siting", page)


if __name__ == "__main__":
    main()
