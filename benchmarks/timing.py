"""How a side takes time, and the peak memory of its process."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Seconds, and what the work gave."""
    start = time.perf_counter()
    value = work()
    return time.perf_counter() - start, value


def fastest(work: Callable[[], T], times: int = 3) -> tuple[float, T]:
    """The fewest seconds of a few runs, and what the last one gave: what the machine can do when nobody disturbs it."""
    seconds, value = timed(work)
    for _ in range(times - 1):
        again, value = timed(work)
        seconds = min(seconds, again)
    return seconds, value


def peak_mb() -> float:
    """Most resident memory that this process ever held, in MiB."""
    try:
        # The kernel's ru_maxrss of a child begins with what its parent held.
        status = Path("/proc/self/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
