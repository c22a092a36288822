"""The local executor: one stage after another on this machine, each using all its cores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from harness.ledger.ledger import Ledger
from harness.pipeline.graph import Queue, closure, missing
from harness.pipeline.isolation.plugin_classes import plugin_classes
from harness.pipeline.isolation.plugin_process import PluginStageError
from harness.pipeline.isolation.stage_work import work
from harness.pipeline.live.observer import Observer
from harness.pipeline.outcome.stage_fault import StageFault
from harness.pipeline.run_stage import Work, run_stage
from harness.pipeline.store import Store
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
    """Runs what is missing, keeps going past failures, remembers them in the workspace.

    `work` runs a stage, `ended` hears what came so far after each one; with `fail_fast` the first failure is the last.
    """

    workspace: WorkspaceFolder
    store: Store
    ledger: Ledger
    observer: Observer
    work: Work = work
    ended: Callable[[ExecutionResult], None] = lambda outcome: None
    fail_fast: bool = False

    def execute(self, finals: Sequence[Stage]) -> ExecutionResult:
        """Make every artefact that `finals`, the last stages of a plan's cells, need."""
        waiting = missing(finals, self.store, verify=True)
        self.observer.planned(list(waiting.values()), len(closure(finals)) - len(waiting), self.ledger)
        queue, outcome = Queue(waiting), ExecutionResult()
        while ready := queue.ready():
            self._one(ready[0], queue, outcome)
            self.ended(outcome)
            if outcome.failed and self.fail_fast:
                outcome.stopped.update(queue.waiting)
                break
        return outcome

    def _one(self, stage: Stage, queue: Queue, outcome: ExecutionResult) -> None:
        self.observer.started(stage)
        try:
            manifest = run_stage(
                stage, self.store, self.ledger, self.workspace.cache(), self.observer.progress, self.work
            )
        except (Exception, SystemExit) as error:
            fault = _fault(stage, error).masked()
            gone = queue.drop(stage)
            outcome.failed[stage.key], outcome.faults[stage.key] = fault.reason, fault
            outcome.skipped.update({other.key: stage.key for other in gone})
            self.workspace.failures.note(stage.key, stage.kind, stage.label, fault)
            self.observer.failed(stage, fault.reason, gone)
            return
        queue.done(stage)
        self.workspace.failures.forget(stage.key)
        if manifest is None:
            self.observer.cached(stage)
        else:
            outcome.ran.append(stage.key)
            self.observer.finished(stage, manifest["seconds"])


def _fault(stage: Stage, error: BaseException) -> StageFault:
    """What `error` says. Where no plug-in works in the stage, one that made what it reads may be at fault."""
    if isinstance(error, PluginStageError):
        return error.fault
    makers = (kind for needed in stage.inputs() for kind in plugin_classes(needed))
    return StageFault.of(error, plugin_classes(stage) or tuple(makers))
