"""Stages that a command about labels rests on, made where the workspace lacks them; no teacher is asked."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

from harness.errors import UserError
from harness.ledger.ledger import Ledger
from harness.pipeline.graph import closure
from harness.pipeline.live.observer import NullObserver
from harness.pipeline.local_executor import LocalExecutor
from harness.pipeline.planned_sweep import PlannedSweep
from harness.stage import Stage


def ensure_stages(stages: Sequence[Stage], plan: PlannedSweep, problem: str) -> None:
    """Raises UserError with `problem` and the reasons where one of `stages` cannot be made."""
    store = plan.workspace.store
    if all(store.has(stage) for stage in stages):
        return
    with closing(Ledger(plan.workspace.ledger_file)) as ledger:
        ledger.account = plan.account
        outcome = LocalExecutor(plan.workspace, store, ledger, NullObserver()).execute(list(stages))
    reasons = {why for stage in closure(stages).values() if (why := outcome.cause(stage))}
    if reasons:
        raise UserError(f"{problem}: {'; '.join(sorted(reasons))}", file=plan.sweep.source.path)
