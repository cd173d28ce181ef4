"""Floating catchments against PySAL access: the same 300,000 pairs for both sides, in one run, as ratios.

Example: python benchmarks/floating.py --runs 3
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from race import Row, race, table
from record import record

SEED = 20260101
METHODS = {
    "2sfca": "2SFCA",
    "e2sfca": "E2SFCA, Gaussian decay",
    "e2sfca_steps": "E2SFCA, stepped decay",
    "3sfca": "3SFCA, Gaussian decay",
}
LEAST = 10.0
LIMIT_M, WIDTH_M = 1000.0, 400.0
CLOSE = 1e-9


def write_pairs(folder: Path, pairs: int) -> None:
    """Write made-up demand, sites and the walks between them: about 30 sites for each place of demand."""
    random = np.random.default_rng(SEED)
    demand, sites = pairs // 30, pairs // 300
    key = np.sort(random.choice(demand * sites, pairs, replace=False))
    np.savez(
        folder / "graph.npz",
        origin=key // sites,
        dest=key % sites,
        cost=random.uniform(0.0, LIMIT_M, pairs),
        people=random.integers(1, 120, demand).astype(float),
        supply=random.integers(5, 200, sites).astype(float),
        limit=LIMIT_M,
        width=WIDTH_M,
    )


def main() -> None:
    """Print one table, and how far the answers of the two sides are apart."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=300_000)
    parser.add_argument("--runs", type=int, default=3, help="timed rounds after a warm-up")
    parser.add_argument("--record", action="store_true", help="write the results into README.md beside this file")
    asked = parser.parse_args()
    rows, notes = [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_pairs(folder, asked.pairs)
        for method, title in METHODS.items():
            done = race(folder, (f"ours.access_{method}", f"peers.access_{method}"), runs=asked.runs)
            ours, theirs = done.values()
            job = f"{title}, {asked.pairs:,} pairs"
            rows.append(Row(job, ours.median, "PySAL access", theirs.median, LEAST, theirs.failed))
            if theirs.answer:
                apart = np.abs(ours.answer["access"] - theirs.answer["access"]) / theirs.answer["access"].clip(1e-300)
                most = float(apart.max())
                notes.append(f"{title}: most apart {most:.1e} of the value" + ("" if most <= CLOSE else " **too far**"))
    heads = ("job", "lifecircle", "peer", "its time", "ratio", "must reach")
    page = table(heads, [row.cells() for row in rows]) + "\n\n" + "\n".join(f"* {note}" for note in notes)
    print(page)
    if asked.record:
        record("floating", page)


if __name__ == "__main__":
    main()
