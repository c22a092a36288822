"""The executor of a cluster: the same loop, with stages as tasks of Ray."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from harness.ledger.call_ledger import SweepLedger
from harness.pipeline.cluster.ray_crew import RayCrew
from harness.pipeline.cluster.ray_session import RaySession
from harness.pipeline.graph import Queue
from harness.pipeline.jobs.crew import Crew
from harness.pipeline.jobs.executor import Executor
from harness.pipeline.jobs.urgency import Urgency
from harness.pipeline.live.observer import Observer
from harness.pipeline.outcome.execution_result import ExecutionResult
from harness.pipeline.store import Store
from harness.pipeline.workspace_folder import WorkspaceFolder
from harness.stage import Stage


@dataclass
class RayExecutor(Executor):
    """As many stages at once as the cluster has room for; `jobs` and `timeout` as in `RayCrew`."""

    workspace: WorkspaceFolder
    store: Store
    ledger: SweepLedger
    observer: Observer
    session: RaySession
    ended: Callable[[ExecutionResult], None] = lambda outcome: None
    fail_fast: bool = False
    jobs: int | None = None
    timeout: float | None = None

    def crew(self, waiting: Mapping[str, Stage]) -> Crew:
        session = self.session
        reference = session.share(dict(waiting))
        return RayCrew(reference, session.keeper, session.size, self.store, self.ledger, self.jobs, self.timeout)

    def queue(self, waiting: dict[str, Stage]) -> Queue:
        return Queue(waiting, Urgency(waiting, self.store.past_seconds(), self.jobs or self.session.size.cores))
