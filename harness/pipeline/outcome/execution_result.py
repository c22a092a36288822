"""What a sweep's execution came to, stage by stage."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.pipeline.outcome.stage_fault import StageFault
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
