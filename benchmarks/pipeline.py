"""Time and memory of the whole plan on made-up cities: computing against reading and drawing, in the same run.

Example: python benchmarks/pipeline.py 300000 1000000
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

GROUPS = {
    "read": ("steps.read",),
    "compute": (
        "steps.groups",
        "steps.people",
        "steps.network",
        "steps.snapping",
        "steps.reach",
        "steps.circles",
        "steps.coverage",
        "steps.siting",
    ),
    "write": ("steps.findings",),
    "draw": ("steps.map", "steps.sheets", "steps.report"),
}


def run(people: int) -> tuple[dict[str, float], float]:
    """Plan a made-up city in a process of its own; return seconds by group and the peak memory in MB."""
    with tempfile.TemporaryDirectory() as folder:
        city, out = Path(folder) / "city", Path(folder) / "out"
        command = [sys.executable, "-m", "lifecircle.cli.cli"]
        subprocess.run([*command, "sample", str(city), "--people", str(people)], check=True, capture_output=True)
        subprocess.run([*command, "plan", str(city / "study.toml"), "--out", str(out)], check=True, capture_output=True)
        steps = json.loads((out / "timings.json").read_text(encoding="utf-8"))
        sizes = {path.name: path.stat().st_size for path in out.iterdir() if path.is_file()}
    seconds = {group: sum(steps[step]["seconds"] for step in names if step in steps) for group, names in GROUPS.items()}
    for step, measured in steps.items():
        print(f"    {step.removeprefix('steps.'):<12}{measured['seconds']:>8.2f} s{measured['peak_mb']:>10.0f} MB")
    print(f"    map.html {sizes['map.html'] / 1e6:.2f} MB")
    return seconds, max(step["peak_mb"] for step in steps.values())


def main(sizes: list[int]) -> None:
    """Print one block a size: seconds by group, the ratio that must not exceed 1, the peak of memory."""
    for people in sizes:
        print(f"{people:,} people")
        seconds, peak_mb = run(people)
        ratio = seconds["compute"] / (seconds["read"] + seconds["draw"])
        print("  " + ", ".join(f"{group} {value:.1f} s" for group, value in seconds.items()))
        print(f"  computing ÷ (reading + drawing) = {ratio:.2f}; peak memory {peak_mb / 1e3:.2f} GB")


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [300_000, 1_000_000])
