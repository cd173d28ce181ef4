"""The steps of a long run: announced to whoever shows progress, measured for whoever asks where the time went."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def peak_memory_mb() -> float | None:
    """Return the largest memory this process has used so far in MB; ``None`` where the system does not tell."""
    if sys.platform == "win32":
        return None
    import resource  # noqa: PLC0415  not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)


class Steps:
    """Announces each step of a run and keeps its seconds and the peak of memory after it.

    Parameters
    ----------
    listener
        Called with the step's text key when it starts, and with ``None`` when all is done.

    Examples
    --------
    >>> heard = []
    >>> steps = Steps(heard.append)
    >>> with steps.step("steps.network"):
    ...     pass
    >>> heard, list(steps.seconds)
    (['steps.network'], ['steps.network'])
    """

    def __init__(self, listener: Callable[[str], None] | None = None) -> None:
        self.seconds: dict[str, float] = {}
        self.peak_mb: dict[str, float | None] = {}
        self._listener = listener

    @contextmanager
    def step(self, key: str) -> Iterator[None]:
        """Announce a step, and measure what happens inside; the same key adds up."""
        if self._listener is not None:
            self._listener(key)
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[key] = self.seconds.get(key, 0.0) + time.perf_counter() - start
            self.peak_mb[key] = peak_memory_mb()
