"""The local executor: one stage after another on this machine, each using all its cores."""

from __future__ import annotations

import json
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import UserError
from harness.ledger.ledger import Ledger
from harness.pipeline.graph import Queue, missing
from harness.pipeline.live.observer import Observer
from harness.pipeline.run_stage import run_stage
from harness.pipeline.store import Store
from harness.stage import Stage


@dataclass
class ExecutionResult:
    """What a sweep's execution came to. `failed` maps the key of each failed stage to its reason; `lost` maps what rested on one to it."""

    ran: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    def cause(self, stage: Stage) -> str | None:
        """Why the artefact of `stage` is not there, or None."""
        return self.failed.get(self.skipped.get(stage.key, stage.key))


@dataclass
class LocalExecutor:
    """Runs what is missing, keeps going past failures, remembers them in the workspace."""

    workspace: Path
    store: Store
    ledger: Ledger
    observer: Observer

    def execute(self, finals: Sequence[Stage], total: int) -> ExecutionResult:
        """Make every artefact that `finals` need; `total` is the number of distinct stages behind the sweep."""
        waiting = missing(finals, self.store, verify=True)
        self.observer.planned(list(waiting.values()), total - len(waiting), self.ledger)
        queue, outcome = Queue(waiting), ExecutionResult()
        while ready := queue.ready():
            self._one(ready[0], queue, outcome)
        return outcome

    def _one(self, stage: Stage, queue: Queue, outcome: ExecutionResult) -> None:
        self.observer.started(stage)
        try:
            manifest = run_stage(stage, self.store, self.ledger, self.workspace / "cache", self.observer.progress)
        except Exception as error:
            reason = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
            lost = queue.drop(stage)
            outcome.failed[stage.key] = reason
            outcome.skipped.update({other.key: stage.key for other in lost})
            note_failure(self.workspace, stage, reason, traceback.format_exc())
            self.observer.failed(stage, reason, lost)
            return
        queue.done(stage)
        forget_failure(self.workspace, stage)
        if manifest is None:
            self.observer.cached(stage)
        else:
            outcome.ran.append(stage.key)
            self.observer.finished(stage, manifest["seconds"])


def _failure_file(workspace: Path, stage: Stage) -> Path:
    return workspace / "failures" / f"{stage.key}.json"


def note_failure(workspace: Path, stage: Stage, reason: str, trace: str) -> None:
    """Keep a stage's reason and traceback until it succeeds."""
    file = _failure_file(workspace, stage)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        json.dumps({"kind": stage.kind, "label": stage.label, "reason": reason, "traceback": trace}, indent=1), encoding="utf-8"
    )


def forget_failure(workspace: Path, stage: Stage) -> None:
    """Drop what was kept of an earlier failure."""
    _failure_file(workspace, stage).unlink(missing_ok=True)


def past_failure(workspace: Path, stage: Stage) -> str | None:
    """Why the stage failed last time, if it did."""
    file = _failure_file(workspace, stage)
    return str(json.loads(file.read_text(encoding="utf-8"))["reason"]) if file.is_file() else None
