"""One contender of a race in a process of its own: prepares once, then runs whenever it is asked to, timed inside.

Spoken over standard input and output, one JSON object a line: ``{"ready": …}`` when prepared; for each line ``run`` the
seconds of one run; for ``save`` the answer's arrays go to a file and the peak memory is told. Needs numpy only, so
that it works in the environment of the peers as in that of the project.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Prepared: TypeAlias = "tuple[Callable[[], Any], Callable[[Any], Mapping[str, Any]]]"
"""What to time, and how its answer becomes arrays to compare."""
Contender: TypeAlias = "Callable[[Path], Prepared]"
"""Given the folder with the job's data, everything that is not timed."""


def forget_peak() -> None:
    """Start the count of the peak memory anew, where the system can."""
    gc.collect()
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return


def peak_mb() -> float:
    """Return the largest memory since `forget_peak` in MB; since the start where the system cannot forget it."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024 / 1e6
    except (OSError, StopIteration):
        import resource  # noqa: PLC0415  not on Windows

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6


def wkb(shapes: Any) -> Any:  # noqa: ANN401  arrays of geometries; arrays of bytes
    """Return geometries as one string of bytes, a line each, which any version of numpy can save."""
    shapely: Any = import_module("shapely")
    return np.array("\n".join(shapely.to_wkb(shapes, hex=True)).encode("ascii"))


def serve(contenders: Mapping[str, Contender]) -> None:
    """Prepare the contender named first on the command line with the folder named second, then obey."""
    # Libraries print what they like: it must not come between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(**values: object) -> None:
        answers.write(json.dumps(values) + "\n")
        answers.flush()

    name, folder = sys.argv[1], Path(sys.argv[2])
    start = time.perf_counter()
    run, arrays = contenders[name](folder)
    say(ready=time.perf_counter() - start)
    answer: Any = None
    forget_peak()
    for line in sys.stdin:
        order = line.strip()
        if order == "run":
            answer = None
            start = time.perf_counter()
            answer = run()
            say(seconds=time.perf_counter() - start)
        elif order == "save":
            peak = peak_mb()
            np.savez(folder / f"{name}.npz", **arrays(answer))
            say(peak_mb=peak)
