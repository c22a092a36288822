"""How much of this machine the stages that run side by side may take together."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from harness import device
from harness.device import Resources
from harness.stage import Stage

_JOB = 2.0
"""GiB that a job is thought to need where nobody says how many there are to be."""
_ASKER = 0.25
"""GiB that a further stage takes which asks a server of ours."""
_CGROUP = Path("/sys/fs/cgroup")


def default_jobs() -> int:
    """As many as cores and free memory allow, each with its threads; 1 where there is a GPU, which one stage fills."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    most = min(cores // device.threads(), int(free_memory() / _JOB))
    return 1 if gpus() else max(1, most)


def free_memory() -> float:
    """GiB that this process and its children may still take."""
    free = psutil.virtual_memory().available
    with suppress(OSError, ValueError):
        # ValueError: the limit is "max".
        limit, used = (int((_CGROUP / f"memory.{name}").read_text()) for name in ("max", "current"))
        free = min(free, limit - used)
    return float(max(0, free)) / 2**30


def _together(stages: Iterable[Resources]) -> list[Resources]:
    """What each takes beside those before it: a server counts with the first that asks it."""
    found: list[Resources] = []
    for one in stages:
        is_shared = bool(one.server) and any(other.server == one.server for other in found)
        found.append(asker(one) if is_shared else one)
    return found


def asker(resources: Resources) -> Resources:
    """What a stage takes beside the server that it asks."""
    return resources._replace(cpu=0.0, memory=_ASKER, gpu=0.0)


def gpus() -> int:
    """Those that this process may use."""
    return len(device.devices()) if device.has_driver() and device.device().type == "cuda" else 0


@dataclass
class Capacity:
    """What `jobs` stages share. One that asks for more than there is runs alone."""

    jobs: int
    memory: float = field(default_factory=free_memory)
    gpus: int = field(default_factory=gpus)
    _taken: dict[str, Resources] = field(default_factory=dict)

    def fits(self, stage: Stage) -> bool:
        """Whether it may start beside those that run."""
        if not self._taken:
            return True
        taken = _together([*self._taken.values(), stage.resources])
        wanted = taken[-1]
        slots = Counter(slot for one in taken for slot in one.slots)
        return (
            # What takes no core need not wait for one.
            (wanted.cpu == 0 or sum(one.cpu for one in taken) <= self.jobs)
            and sum(one.memory for one in taken) <= self.memory
            and (wanted.gpu == 0 or self.gpus == 0 or sum(one.gpu for one in taken) <= self.gpus)
            and all(slots[slot] <= self.jobs for slot in wanted.slots)
        )

    def take(self, stage: Stage) -> None:
        """It runs."""
        self._taken[stage.key] = stage.resources

    def release(self, stage: Stage) -> None:
        """It has ended."""
        self._taken.pop(stage.key)
