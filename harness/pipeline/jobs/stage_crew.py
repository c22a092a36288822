"""Stages that run side by side, each waited for by a thread; what happens is told on the caller's thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Self

from harness.pipeline.graph import Queue
from harness.pipeline.isolation.isolated_work import IsolatedWork
from harness.pipeline.jobs.capacity import Capacity
from harness.pipeline.store import Manifest
from harness.stage import Stage

Tell = Callable[[Stage, int, int, str], None]
Made = Callable[[], Manifest | None]
"""What a stage came to: its manifest, None where another process made it; raises what it raised."""


class StageCrew:
    """Starts what is ready and fits. `make` makes the artefact of a stage, on a thread, and hears of its progress."""

    def __init__(
        self, make: Callable[[Stage, Tell], Manifest | None], capacity: Capacity, isolation: IsolatedWork | None
    ) -> None:
        self._make, self._capacity, self._isolation = make, capacity, isolation
        self._happened: SimpleQueue[Callable[[], tuple[Stage, Made] | None]] = SimpleQueue()
        self._threads = ThreadPoolExecutor(2**10, thread_name_prefix="stage")
        self.running: dict[str, Stage] = {}

    def start(self, queue: Queue, started: Callable[[Stage], None], progress: Tell) -> None:
        """Start the stages of `queue` that are ready and fit, best first."""
        for stage in queue.ready():
            if stage.key not in self.running and self._capacity.fits(stage):
                self._capacity.take(stage)
                self.running[stage.key] = stage
                started(stage)
                self._submit(stage, progress)

    def _submit(self, stage: Stage, progress: Tell) -> None:
        def tell(*how: object) -> None:
            self._happened.put(lambda: progress(*how))  # type: ignore[arg-type]

        def ended(outcome: Future[Manifest | None]) -> None:
            self._happened.put(lambda: (stage, outcome.result))

        self._threads.submit(self._make, stage, tell).add_done_callback(ended)

    def wait(self) -> tuple[Stage, Made]:
        """The next stage that ends; progress of others is told meanwhile."""
        while (ended := self._happened.get()()) is None:
            continue
        stage, _ = ended
        self._capacity.release(self.running.pop(stage.key))
        return ended

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: type[BaseException] | None, *details: object) -> None:
        # First the processes: the threads wait for them.
        if error is not None and self._isolation is not None:
            self._isolation.close()
        self._threads.shutdown()
