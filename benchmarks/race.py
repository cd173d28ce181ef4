"""Races: contenders in processes of their own, run in turns, timed inside; and the environment of the peers."""

from __future__ import annotations

import hashlib
import json
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HERE = Path(__file__).resolve().parent
PEERS = HERE.parent / "build" / "peers"
PINS = HERE / "requirements.txt"
NAMES = ("access", "highspy", "networkx", "osmnx", "pandana", "pyrosm", "pyvalhalla-weekly", "scipy", "spopt")


def peers_python() -> Path:
    """Return the interpreter of the peers' environment, made and filled where that was not done yet.

    Where the pinned set cannot be installed as a whole, each peer is tried on its own; one that cannot be installed
    is told by its own row.
    """
    python = PEERS / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    done, state = PEERS / ".installed", hashlib.sha256(PINS.read_bytes()).hexdigest()
    if done.is_file() and done.read_text(encoding="ascii") == state:
        return python
    print("installing the peers into build/peers …", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(PEERS)], check=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if subprocess.run([*install, "-r", str(PINS)], check=False).returncode:
        pins = [line for line in PINS.read_text(encoding="utf-8").splitlines() if line.split("==")[0] in NAMES]
        for pin in [*pins, "pandas", "geopandas", "shapely"]:
            subprocess.run([*install, pin, "-c", str(PINS)], check=False)
    done.write_text(state, encoding="ascii")
    return python


@dataclass(frozen=True, slots=True)
class Result:
    """What a contender did: seconds of each run, peak memory in MB, its answer's arrays; or why it could not."""

    seconds: tuple[float, ...] = ()
    prepared: float = 0.0
    peak_mb: float = 0.0
    answer: Mapping[str, Any] = field(default_factory=dict)
    failed: str = ""

    @property
    def median(self) -> float:
        """Return the median of the runs in seconds; NaN when there is none."""
        return statistics.median(self.seconds) if self.seconds else float("nan")


class _Worker:
    """A contender's process."""

    def __init__(self, python: Path, script: str, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder
        self._log = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115  closed by close()
        command = [str(python), str(HERE / script), name, str(folder)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            encoding="utf-8",
            cwd=folder,  # Valhalla leaves a file where it is run
        )
        self.seconds: list[float] = []
        self.failed = ""
        self.prepared = float(self.hear().get("ready", 0.0))

    def hear(self) -> dict[str, Any]:
        """Return the next answer; nothing once the process has died."""
        line = self._process.stdout.readline() if self._process.stdout else ""
        if line:
            answer: dict[str, Any] = json.loads(line)
            return answer
        self._log.seek(0)
        told = self._log.read().strip().splitlines()
        self.failed = told[-1] if told else f"ended with {self._process.wait()}"
        return {}

    def ask(self, order: str) -> dict[str, Any]:
        """Give an order and return the answer."""
        if self.failed or self._process.stdin is None:
            return {}
        try:
            self._process.stdin.write(order + "\n")
            self._process.stdin.flush()
        except OSError:
            return self.hear()
        return self.hear()

    def close(self) -> None:
        """End the process."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()
        self._log.close()


def race(folder: Path, names: Sequence[str], *, runs: int, once: Sequence[str] = ()) -> dict[str, Result]:
    """Run contenders in turns: one warm-up each, then ``runs`` rounds; those of ``once`` run once without a warm-up.

    Names with ``ours.`` run in this environment, with ``peers.`` in that of the peers.

    Raises
    ------
    RuntimeError
        When one of ours fails; a peer that fails says so in its result.
    """
    with ExitStack() as stack:
        workers = []
        for name in names:
            script, contender = name.split(".")
            python = Path(sys.executable) if script == "ours" else peers_python()
            workers.append(_Worker(python, f"{script}.py", contender, folder))
            stack.callback(workers[-1].close)
        for turn in range(runs + 1):
            for name, worker in zip(names, workers, strict=True):
                if name in once and turn:
                    continue
                told = worker.ask("run")
                if told and (turn or name in once):
                    worker.seconds.append(float(told["seconds"]))
        results = {}
        for name, worker in zip(names, workers, strict=True):
            told = worker.ask("save")
            answer: dict[str, Any] = {}
            if told:
                with np.load(folder / f"{worker.name}.npz") as arrays:
                    answer = dict(arrays)
            peak = float(told.get("peak_mb", 0.0))
            if worker.failed and name.startswith("ours."):
                message = f"{name}: {worker.failed}"
                raise RuntimeError(message)
            results[name] = Result(tuple(worker.seconds), worker.prepared, peak, answer, worker.failed)
    return results


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: a job, our seconds, the peer and its seconds, the ratio it must reach."""

    job: str
    ours: float
    peer: str
    theirs: float
    least: float | None = None
    failed: str = ""

    def cells(self) -> tuple[str, ...]:
        """Return the cells of the line."""
        needed = "" if self.least is None else f"≥ {self.least:g} ×"
        if self.failed:
            return (self.job, seconds(self.ours), self.peer, "could not run: " + self.failed, "", needed)
        ratio = self.theirs / self.ours
        digits = 0 if ratio >= 100 else 1
        met = "" if self.least is None else (" yes" if ratio >= self.least else " **no**")
        return (self.job, seconds(self.ours), self.peer, seconds(self.theirs), f"{ratio:,.{digits}f} ×", needed + met)


def seconds(value: float) -> str:
    """Return seconds as a reader wants them.

    Examples
    --------
    >>> seconds(0.00831), seconds(12.345)
    ('8.3 ms', '12.35 s')
    """
    return f"{value * 1e3:,.1f} ms" if value < 1 else f"{value:,.2f} s"


def table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    rows = [heads, ["---"] * len(heads), *lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)
