"""One stage of a sweep, by its key: for whoever mends it, and for engines that order stages themselves."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from harness.errors import UserError
from harness.ledger.ledger import Ledger
from harness.pipeline.isolation.isolated_work import IsolatedWork
from harness.pipeline.live.observer import NullObserver
from harness.pipeline.local_executor import LocalExecutor
from harness.pipeline.planned_sweep import PlannedSweep
from harness.stage import Stage
from harness.text import counted


def stage_rows(plan: PlannedSweep) -> list[dict[str, Any]]:
    """``[{"key", "kind", "label", "inputs", "state"}]`` of every stage of the sweep, each after those that it reads;
    the state is done, running, failed, ready or waiting (for inputs)."""
    store, failures = plan.workspace.store, plan.workspace.failures

    def state(stage: Stage) -> str:
        if store.has(stage):
            return "done"
        if store.is_locked(stage):
            return "running"
        if failures.reason(stage.key) is not None:
            return "failed"
        return "ready" if all(store.has(needed) for needed in stage.inputs()) else "waiting"

    return [
        {
            "key": stage.key,
            "kind": stage.kind,
            "label": stage.label,
            "inputs": [needed.key for needed in stage.inputs()],
            "state": state(stage),
        }
        for stage in plan.stages.values()
    ]


def run_single_stage(plan: PlannedSweep, key: str, max_cost: float | None = None) -> dict[str, Any]:
    """Make the artefact of the stage whose key begins with `key`, and nothing else.

    ``{"key", "kind", "label", "state": done, cached or failed, "seconds", "folder", "reason", "traceback"}``. Raises
    UserError where there is no such stage, or one that it reads is not made.
    """
    stage, workspace, store = _found(plan, key), plan.workspace, plan.workspace.store
    if lacking := [needed for needed in stage.inputs() if not store.has(needed)]:
        names = ", ".join(f"{one.key[:12]} ({one.kind} {one.label})".replace(" )", ")") for one in lacking)
        raise UserError(
            f"the stage {stage.key[:12]} reads {counted(len(lacking), 'stage')} not made yet: {names}",
            remedy="make those first, in the same way",
        )
    was_there = store.has(stage)
    isolated = IsolatedWork(plan.sweep.timeout, closed=plan.closed_to)
    with closing(Ledger(workspace.ledger_file)) as ledger, closing(isolated) as isolation:
        ledger.account, ledger.limit = plan.account, max_cost if max_cost is not None else plan.sweep.max_cost
        outcome = LocalExecutor(workspace, store, ledger, NullObserver(), isolation).execute([stage])
    fault, ran = outcome.faults.get(stage.key), stage.key in outcome.ran
    return {
        "key": stage.key,
        "kind": stage.kind,
        "label": stage.label,
        "state": "failed" if fault else "cached" if was_there or not ran else "done",
        "seconds": store.manifest(stage)["seconds"] if ran else None,
        "folder": str(store.place(stage)) if fault is None else None,
        "reason": fault and fault.reason,
        "traceback": fault and str(workspace.failures.file(stage.key)),
    }


def _found(plan: PlannedSweep, prefix: str) -> Stage:
    found = [stage for key, stage in plan.stages.items() if key.startswith(prefix)]
    if len(found) == 1:
        return found[0]
    remedy = "harness stage --sweep FILE lists the stages with their keys"
    if not found:
        raise UserError(f"no stage of the sweep has a key that begins with '{prefix}'", remedy=remedy)
    raise UserError(f"the keys of {counted(len(found), 'stage')} begin with '{prefix}'", remedy="give more of it")
