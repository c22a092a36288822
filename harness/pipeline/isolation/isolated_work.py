"""Which process a stage runs in: those of plug-ins in one of their own, all others here, or in workers where several
run at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from harness.llm.endpoints.endpoint import ENDPOINTS
from harness.llm.endpoints.endpoint_desk import DeskAddress
from harness.llm.endpoints.server_pool import ServerPool
from harness.pipeline.isolation.plugin_classes import plugin_classes
from harness.pipeline.isolation.stage_process import GRACE, StageProcess, packed
from harness.pipeline.isolation.stage_work import StageContext, StageMeasure, work
from harness.plugins import Plugin
from harness.stage import Stage


@dataclass
class IsolatedWork:
    """Runs stages; safe for threads. `timeout` is the most seconds that one in which a plug-in works may take, None for
    any.

    With `has_workers`, stages without plug-ins run in processes that start with the first of them and serve until
    `close`.
    """

    timeout: float | None = None
    has_workers: bool = False
    closed: Callable[[Stage], tuple[Path, ...]] = lambda stage: ()
    """Files that a stage in which a plug-in works cannot open."""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _busy: set[StageProcess] = field(default_factory=set)
    _idle: dict[bool, list[StageProcess]] = field(default_factory=lambda: {False: [], True: []})
    """Of stages that wait for others, and of those that compute, which have loaded more."""
    _closed: bool = False

    def __call__(self, stage: Stage, draft: Path, context: StageContext) -> StageMeasure:
        classes = plugin_classes(stage)
        is_isolated = (bool(classes) or self.has_workers) and not any(kind.__module__ == "__main__" for kind in classes)
        order = (
            packed(stage, draft, context, self.closed(stage) if classes else (), _desk(stage)) if is_isolated else None
        )
        if order is None:
            return work(stage, draft, context)
        computes = stage.resources.cpu > 0
        child = self._taken(computes, tuple(kind.__module__ for kind in classes if issubclass(kind, Plugin)), classes)
        try:
            return child.run(order, context, classes, self.timeout if classes else None)
        finally:
            self._release(child, self._idle[computes] if not classes else None)

    def close(self) -> None:
        """End all processes: those at work are asked to leave in order first, and have some seconds for it. No stage
        runs from then on."""
        with self._lock:
            self._closed = True
            busy, idle = list(self._busy), [*self._idle[False], *self._idle[True]]
        for child in busy:
            child.interrupt()
        end = time.monotonic() + GRACE
        try:
            for child in busy:
                child.end(max(0.0, end - time.monotonic()))
            for child in idle:
                child.close()
        finally:
            # However impatient a person is.
            for child in busy:
                child.end()

    def _taken(self, computes: bool, modules: tuple[str, ...], classes: tuple[type, ...]) -> StageProcess:
        with self._lock:
            if self._closed:
                raise RuntimeError("the sweep ends")
            idle = [] if classes else self._idle[computes]
            child = idle.pop() if idle else StageProcess(modules)
            self._busy.add(child)
        return child

    def _release(self, child: StageProcess, idle: list[StageProcess] | None) -> None:
        with self._lock:
            self._busy.discard(child)
            is_kept = idle is not None and not self._closed and child.is_idle
            if is_kept and idle is not None:
                idle.append(child)
        if not is_kept:
            child.close()


def _desk(stage: Stage) -> DeskAddress | None:
    """Where a child borrows the servers of this process that `stage` asks."""
    endpoints = ENDPOINTS.get()
    return endpoints.desk if stage.resources.server and isinstance(endpoints, ServerPool) else None
