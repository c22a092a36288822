"""What a case measures, and how it takes time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Ratio:
    """Seconds of the same work, ours and the peer's; `ratio` above 1 means that ours is faster."""

    name: str
    work: str
    peer: str
    ours_seconds: float
    peer_seconds: float

    @property
    def ratio(self) -> float:
        return self.peer_seconds / self.ours_seconds


def seconds(work: Callable[[], object], times: int = 3) -> float:
    """The fastest of a few runs: what the machine can do when nobody disturbs it."""
    found = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return min(found)
