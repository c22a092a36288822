"""The local executor: the stages of a graph on this machine, one after another or several at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from harness.ledger.ledger import Ledger
from harness.pipeline.graph import Queue, closure, missing, path_seconds
from harness.pipeline.isolation.isolated_work import IsolatedWork
from harness.pipeline.isolation.plugin_classes import suspects
from harness.pipeline.isolation.stage_process import StageProcessError
from harness.pipeline.isolation.stage_work import work
from harness.pipeline.jobs.capacity import Capacity
from harness.pipeline.jobs.stage_crew import Made, StageCrew, Tell
from harness.pipeline.live.observer import Observer
from harness.pipeline.outcome.stage_fault import StageFault
from harness.pipeline.run_stage import run_stage
from harness.pipeline.store import Manifest, Store
from harness.pipeline.workspace_folder import WorkspaceFolder
from harness.stage import Stage


@dataclass
class ExecutionResult:
    """What a sweep's execution came to. `failed` maps the key of each failed stage to its reason; `skipped` maps what
    rested on one to it."""

    ran: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    faults: dict[str, StageFault] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    stopped: set[str] = field(default_factory=set)
    """Stages that were left after the first failure, where that is the last."""

    def cause(self, stage: Stage) -> str | None:
        """Why the artefact of `stage` is not there, or None."""
        if stage.key in self.stopped:
            return "not run: another stage failed, and --fail-fast stops there"
        return self.failed.get(self.failure(stage) or "")

    def failure(self, stage: Stage) -> str | None:
        """The key of the failed stage that the artefact of `stage` misses, its own included; None where it is there."""
        key = self.skipped.get(stage.key, stage.key)
        return key if key in self.failed else None


@dataclass
class LocalExecutor:
    """Runs what is missing, up to `jobs` stages at once, keeps going past failures, remembers them in the workspace.

    `isolation` has processes of its own for what may not run in this one; without it everything does. `ended` hears
    what came so far after each stage. With `fail_fast` no stage starts after the first failure.
    """

    workspace: WorkspaceFolder
    store: Store
    ledger: Ledger
    observer: Observer
    isolation: IsolatedWork | None = None
    ended: Callable[[ExecutionResult], None] = lambda outcome: None
    fail_fast: bool = False
    jobs: int = 1

    def execute(self, finals: Sequence[Stage]) -> ExecutionResult:
        """Make every artefact that `finals`, the last stages of a plan's cells, need."""
        waiting = missing(finals, self.store, verify=True)
        self.observer.planned(list(waiting.values()), len(closure(finals)) - len(waiting), self.ledger)
        outcome = ExecutionResult()
        if min(self.jobs, len(waiting)) > 1:
            self._side_by_side(Queue(waiting, path_seconds(waiting, self.store.past_seconds())), outcome)
        else:
            self._in_turn(Queue(waiting), outcome)
        return outcome

    def _in_turn(self, queue: Queue, outcome: ExecutionResult) -> None:
        while not outcome.stopped and (ready := queue.ready()):
            self.observer.started(ready[0])
            self._settle(ready[0], partial(self._make, ready[0], self.observer.progress), queue, outcome)

    def _side_by_side(self, queue: Queue, outcome: ExecutionResult) -> None:
        if self.isolation is not None:
            self.isolation.has_workers = True
        with StageCrew(self._make, Capacity(self.jobs), self.isolation) as crew:
            while True:
                if not outcome.stopped:
                    crew.start(queue, self.observer.started, self.observer.progress)
                if not crew.running:
                    break
                self._settle(*crew.wait(), queue, outcome)

    def _make(self, stage: Stage, tell: Tell) -> Manifest | None:
        def progress(done: int, total: int, unit: str) -> None:
            tell(stage, done, total, unit)

        return run_stage(stage, self.store, self.ledger, self.workspace.cache(), progress, self.isolation or work)

    def _settle(self, stage: Stage, result: Made, queue: Queue, outcome: ExecutionResult) -> None:
        """Take the stage, which has run, out of the queue, and tell what came of it."""
        try:
            manifest = result()
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            self._fail(stage, _fault(stage, error).masked(), queue, outcome)
        else:
            queue.done(stage)
            outcome.stopped.discard(stage.key)
            self.workspace.failures.forget(stage.key)
            if manifest is None:
                self.observer.cached(stage)
            else:
                outcome.ran.append(stage.key)
                self.observer.finished(stage, manifest["seconds"])
        self.ended(outcome)

    def _fail(self, stage: Stage, fault: StageFault, queue: Queue, outcome: ExecutionResult) -> None:
        gone = queue.drop(stage)
        outcome.failed[stage.key], outcome.faults[stage.key] = fault.reason, fault
        outcome.skipped.update({other.key: stage.key for other in gone})
        outcome.stopped.difference_update([stage.key, *(other.key for other in gone)])
        if self.fail_fast:
            outcome.stopped.update(queue.waiting)
        self.workspace.failures.note(stage.key, stage.kind, stage.label, fault)
        self.observer.failed(stage, fault.reason, gone)


def _fault(stage: Stage, error: BaseException) -> StageFault:
    """What `error` says. Where no plug-in works in the stage, one that made what it reads may be at fault."""
    return error.fault if isinstance(error, StageProcessError) else StageFault.of(error, suspects(stage))
