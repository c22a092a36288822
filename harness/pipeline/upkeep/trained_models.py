"""Whether the models that a sweep trained stay once their cells are finished, as its file says under ``keep``."""

from __future__ import annotations

from harness.pipeline.builder import PlannedCell
from harness.pipeline.graph import closure
from harness.pipeline.planned_sweep import PlannedSweep
from harness.pipeline.upkeep.collect_garbage import Choice, collect_garbage


def release_models(plan: PlannedSweep) -> dict[str, int]:
    """Take the models that `plan` does not keep out of its workspace; ``{"artefacts", "bytes"}`` that went.

    With ``last`` those stay that no other training of their cell started from or learned from. What an unfinished cell
    of any known sweep needs stays.
    """
    if plan.sweep.keep == "all":
        return {"artefacts": 0, "bytes": 0}
    trained = {key for key, stage in plan.stages.items() if stage.trains}
    last = {key for cell in plan.cells for key in _last(cell)} if plan.sweep.keep == "last" else set()
    report = collect_garbage(plan.workspace, Choice(only=frozenset(trained - last)))
    return {name: report["goes"][name] * report["removed"] for name in ("artefacts", "bytes")}


def _last(cell: PlannedCell) -> set[str]:
    """Keys of the trainings behind the run of a cell on which no other of them rests."""
    trainings = [stage for stage in closure([cell.run]).values() if stage.trains]
    lower = {key for stage in trainings for key in closure(stage.inputs())}
    return {stage.key for stage in trainings} - lower
