"""The local executor: one stage after another on this machine, each using all its cores."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.errors import UserError
from harness.ledger.ledger import Ledger
from harness.masking import masked
from harness.pipeline.graph import Queue, closure, missing
from harness.pipeline.live.observer import Observer
from harness.pipeline.run_stage import run_stage
from harness.pipeline.store import Store
from harness.pipeline.workspace_folder import WorkspaceFolder
from harness.stage import Stage


@dataclass
class ExecutionResult:
    """What a sweep's execution came to. `failed` maps the key of each failed stage to its reason; `skipped` maps what
    rested on one to it."""

    ran: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    def cause(self, stage: Stage) -> str | None:
        """Why the artefact of `stage` is not there, or None."""
        return self.failed.get(self.skipped.get(stage.key, stage.key))


@dataclass
class LocalExecutor:
    """Runs what is missing, keeps going past failures, remembers them in the workspace."""

    workspace: WorkspaceFolder
    store: Store
    ledger: Ledger
    observer: Observer

    def execute(self, finals: Sequence[Stage]) -> ExecutionResult:
        """Make every artefact that `finals`, the last stages of a plan's cells, need."""
        waiting = missing(finals, self.store, verify=True)
        self.observer.planned(list(waiting.values()), len(closure(finals)) - len(waiting), self.ledger)
        queue, outcome = Queue(waiting), ExecutionResult()
        while ready := queue.ready():
            self._one(ready[0], queue, outcome)
        return outcome

    def _one(self, stage: Stage, queue: Queue, outcome: ExecutionResult) -> None:
        self.observer.started(stage)
        try:
            manifest = run_stage(stage, self.store, self.ledger, self.workspace.cache(), self.observer.progress)
        except Exception as error:
            # What a provider or a library says may repeat a key.
            reason = masked(str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}")
            lost = queue.drop(stage)
            outcome.failed[stage.key] = reason
            outcome.skipped.update({other.key: stage.key for other in lost})
            self.workspace.failures.note(stage, reason, masked(traceback.format_exc()))
            self.observer.failed(stage, reason, lost)
            return
        queue.done(stage)
        self.workspace.failures.forget(stage)
        if manifest is None:
            self.observer.cached(stage)
        else:
            outcome.ran.append(stage.key)
            self.observer.finished(stage, manifest["seconds"])
