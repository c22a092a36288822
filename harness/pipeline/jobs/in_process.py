"""One stage after another, in this thread."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Self

from harness.pipeline.graph import Queue
from harness.pipeline.jobs.crew import Made, Tell
from harness.pipeline.live.observer import Observer
from harness.pipeline.store import Manifest
from harness.stage import Stage


class InProcess:
    """`make` makes the artefact of a stage and tells its progress."""

    def __init__(self, make: Callable[[Stage, Tell], Manifest | None]) -> None:
        self._make = make
        self.running: dict[str, Stage] = {}

    def start(self, queue: Queue, observer: Observer) -> None:
        if not self.running and (ready := queue.ready()):
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
        return
