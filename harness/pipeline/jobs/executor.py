"""The one loop over the stages of a graph, whoever carries them out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence

from harness.ledger.call_ledger import SweepLedger
from harness.pipeline.graph import Queue, closure, missing
from harness.pipeline.isolation.plugin_classes import suspects
from harness.pipeline.isolation.stage_process import StageProcessError
from harness.pipeline.jobs.crew import Crew, Made
from harness.pipeline.live.observer import Observer
from harness.pipeline.outcome.execution_result import ExecutionResult
from harness.pipeline.outcome.stage_fault import StageFault
from harness.pipeline.store import Store
from harness.pipeline.workspace_folder import WorkspaceFolder
from harness.stage import Stage


class Executor(ABC):
    """Runs what is missing, keeps going past failures, remembers them in the workspace.

    `ended` hears what came so far after each stage. With `fail_fast` no stage starts after the first failure.
    """

    workspace: WorkspaceFolder
    store: Store
    ledger: SweepLedger
    observer: Observer
    ended: Callable[[ExecutionResult], None]
    fail_fast: bool

    @abstractmethod
    def crew(self, waiting: Mapping[str, Stage]) -> Crew:
        """Who makes the stages that are `waiting`."""

    @abstractmethod
    def queue(self, waiting: dict[str, Stage]) -> Queue:
        """The stages that are `waiting`, in the order in which they go."""

    def execute(self, finals: Sequence[Stage]) -> ExecutionResult:
        """Make every artefact that `finals`, the last stages of a plan's cells, need."""
        waiting = missing(finals, self.store, verify=True)
        self.observer.planned(list(waiting.values()), len(closure(finals)) - len(waiting), self.ledger)
        outcome = ExecutionResult()
        if waiting:
            queue = self.queue(waiting)
            with self.crew(waiting) as crew:
                self._run(queue, crew, outcome)
        return outcome

    def _run(self, queue: Queue, crew: Crew, outcome: ExecutionResult) -> None:
        while True:
            if outcome.stopped:
                crew.withdraw()
            else:
                crew.start(queue, self.observer)
            if not crew.running:
                return
            self._settle(*crew.wait(self.observer), queue, outcome)

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
