"""Stages that run side by side, each waited for by a thread; what happens is told on the caller's thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread
from typing import Self

from harness.pipeline.graph import Queue
from harness.pipeline.isolation.isolated_work import IsolatedWork
from harness.pipeline.isolation.stage_process import GRACE
from harness.pipeline.jobs.capacity import Capacity
from harness.pipeline.jobs.crew import Made, Tell
from harness.pipeline.jobs.sweep_servers import SweepServers
from harness.pipeline.live.observer import Observer
from harness.pipeline.store import Manifest
from harness.stage import Stage


class Workers:
    """Starts what is ready and fits. `make` makes the artefact of a stage, on a thread, and hears of its progress;
    `servers` are what stages ask."""

    def __init__(
        self,
        make: Callable[[Stage, Tell], Manifest | None],
        capacity: Capacity,
        isolation: IsolatedWork | None,
        servers: SweepServers,
    ) -> None:
        self._make, self._capacity, self._isolation, self._servers = make, capacity, isolation, servers
        self._happened: SimpleQueue[Callable[[], tuple[Stage, Made] | None]] = SimpleQueue()
        self._threads: dict[str, Thread] = {}
        self.running: dict[str, Stage] = {}

    def start(self, queue: Queue, observer: Observer) -> None:
        for stage in self._servers.ready(queue):
            if stage.key not in self.running and self._capacity.fits(stage):
                self._servers.make_room(stage)
                self._capacity.take(stage)
                self.running[stage.key] = stage
                observer.started(stage)
                self._submit(stage, observer.progress)

    def _submit(self, stage: Stage, progress: Tell) -> None:
        outcome = Future[Manifest | None]()

        def tell(*how: object) -> None:
            self._happened.put(lambda: progress(*how))  # type: ignore[arg-type]

        def run() -> None:
            try:
                outcome.set_result(self._make(stage, tell))
            except BaseException as error:
                outcome.set_exception(error)
            self._happened.put(lambda: (stage, outcome.result))

        # One that waits for a lock of another sweep must not hold up the end of this one.
        self._threads[stage.key] = Thread(target=run, name=f"stage {stage.key[:12]}", daemon=True)
        self._threads[stage.key].start()

    def wait(self, observer: Observer) -> tuple[Stage, Made]:
        while (ended := self._happened.get()()) is None:
            continue
        stage, _ = ended
        self._threads.pop(stage.key).join()
        self._capacity.release(self.running.pop(stage.key))
        return ended

    def withdraw(self) -> None:
        """What it has taken has begun."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: type[BaseException] | None, *details: object) -> None:
        try:
            if error is not None and self._isolation is not None:
                # First the processes: the threads wait for them, and then take their drafts away.
                self._isolation.close()
        finally:
            self._servers.close()
        if error is not None and self._isolation is not None:
            for thread in self._threads.values():
                thread.join(GRACE)
