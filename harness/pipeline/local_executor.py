"""The local executor: the stages of a graph on this machine, one after another or several at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from harness.ledger.call_ledger import SweepLedger
from harness.llm.endpoints.endpoint import using_endpoints
from harness.pipeline.graph import Queue
from harness.pipeline.isolation.isolated_work import IsolatedWork
from harness.pipeline.isolation.stage_work import work
from harness.pipeline.jobs.capacity import Capacity
from harness.pipeline.jobs.crew import Crew, Tell
from harness.pipeline.jobs.executor import Executor
from harness.pipeline.jobs.in_process import InProcess
from harness.pipeline.jobs.sweep_servers import SweepServers
from harness.pipeline.jobs.urgency import Urgency
from harness.pipeline.jobs.workers import Workers
from harness.pipeline.live.observer import Observer
from harness.pipeline.outcome.execution_result import ExecutionResult
from harness.pipeline.run_stage import run_stage
from harness.pipeline.store import Manifest, Store
from harness.pipeline.workspace_folder import WorkspaceFolder
from harness.stage import Stage


@dataclass
class LocalExecutor(Executor):
    """Up to `jobs` stages at once. `isolation` has processes of its own for what may not run in this one; without it
    everything does."""

    workspace: WorkspaceFolder
    store: Store
    ledger: SweepLedger
    observer: Observer
    isolation: IsolatedWork | None = None
    ended: Callable[[ExecutionResult], None] = lambda outcome: None
    fail_fast: bool = False
    jobs: int = 1

    def crew(self, waiting: Mapping[str, Stage]) -> Crew:
        servers = SweepServers()
        make = partial(self._make, servers)
        if not self._at_once(waiting):
            return InProcess(make, servers)
        if self.isolation is not None:
            self.isolation.has_workers = True
        return Workers(make, Capacity(self.jobs), self.isolation, servers)

    def queue(self, waiting: dict[str, Stage]) -> Queue:
        if not self._at_once(waiting):
            return Queue(waiting)
        return Queue(waiting, Urgency(waiting, self.store.past_seconds(), self.jobs))

    def _at_once(self, waiting: Mapping[str, Stage]) -> bool:
        return min(self.jobs, len(waiting)) > 1

    def _make(self, servers: SweepServers, stage: Stage, tell: Tell) -> Manifest | None:
        def progress(done: int, total: int, unit: str) -> None:
            tell(stage, done, total, unit)

        with using_endpoints(servers.pool):
            return run_stage(stage, self.store, self.ledger, self.workspace.cache(), progress, self.isolation or work)
