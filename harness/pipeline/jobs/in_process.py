"""One stage after another, in this thread."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Self

from harness.pipeline.graph import Queue
from harness.pipeline.jobs.crew import Made, Tell
from harness.pipeline.jobs.sweep_servers import SweepServers
from harness.pipeline.live.observer import Observer
from harness.pipeline.store import Manifest
from harness.stage import Stage


class InProcess:
    """`make` makes the artefact of a stage and tells its progress; `servers` are what stages ask."""

    def __init__(self, make: Callable[[Stage, Tell], Manifest | None], servers: SweepServers) -> None:
        self._make, self._servers = make, servers
        self.running: dict[str, Stage] = {}

    def start(self, queue: Queue, observer: Observer) -> None:
        if not self.running and (ready := self._servers.ready(queue)):
            self._servers.make_room(ready[0])
            self.running[ready[0].key] = ready[0]
            observer.started(ready[0])

    def wait(self, observer: Observer) -> tuple[Stage, Made]:
        _, stage = self.running.popitem()
        # It runs when it is asked what it came to, so that what it raises is raised there.
        return stage, partial(self._make, stage, observer.progress)

    def withdraw(self) -> None:
        """What it has taken has begun."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._servers.close()
