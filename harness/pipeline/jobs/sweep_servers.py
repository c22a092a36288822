"""The servers that stages of a sweep ask: started at the first that needs one, stopped after the last."""

from __future__ import annotations

from harness.device import Resources
from harness.llm.endpoints.server_pool import ServerPool
from harness.pipeline.graph import Queue
from harness.pipeline.jobs.capacity import free_memory, gpus
from harness.stage import Stage


class SweepServers:
    """Those of one execution; this process has them, and lends them to its workers."""

    def __init__(self) -> None:
        self.pool = ServerPool()
        self._marks: dict[str, str] = {}

    def ready(self, queue: Queue) -> list[Stage]:
        """Stages that can start, those first that ask a server which runs where another one would stop it; servers
        that no stage of `queue` needs any more are stopped."""
        self.pool.need({self._mark(stage) for stage in queue.waiting.values()})
        running, ready = self.pool.marks, queue.ready()
        if not running or not any(self._is_in_the_way(stage.resources) for stage in ready):
            return ready
        return sorted(ready, key=lambda stage: self._mark(stage) not in running)

    def _mark(self, stage: Stage) -> str:
        """Of the server that it asks."""
        if stage.key not in self._marks:
            self._marks[stage.key] = stage.resources.server
        return self._marks[stage.key]

    def make_room(self, stage: Stage) -> None:
        """Stop servers that nobody asks at the moment where `stage` has no room beside them; they are started again
        when they are needed."""
        if self.pool.marks and self._is_in_the_way(stage.resources):
            self.pool.stop_idle(but=stage.resources.server)

    def close(self) -> None:
        """Stop all, at whatever they are."""
        self.pool.close()

    def _is_in_the_way(self, wanted: Resources) -> bool:
        # A server takes what there is of the GPU.
        return (wanted.gpu > 0 and gpus() > 0) or wanted.memory > free_memory()
