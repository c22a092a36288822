"""How much disk a sweep and its workspace take."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from harness.pipeline.planned_sweep import PlannedSweep
from harness.pipeline.store import Store
from harness.pipeline.upkeep.collect_garbage import workspace_parts
from harness.pipeline.upkeep.garbage_table import size_text
from harness.pipeline.upkeep.holdings import folder_bytes


def disk_use(plan: PlannedSweep, store: Store) -> dict[str, Any]:
    """``{"workspace_bytes", "sweep_bytes", "trained_bytes"}``: all that lies in the workspace, the artefacts of the
    sweep that are there, and those of its trainings alone."""
    there = {stage: store.place(stage) for stage in plan.stages.values() if store.has(stage)}
    return {
        "workspace_bytes": sum(workspace_parts(plan.workspace).values()),
        "sweep_bytes": _bytes(there.values()),
        "trained_bytes": _bytes(place for stage, place in there.items() if stage.trains),
    }


def _bytes(places: Iterable[Path]) -> int:
    return sum(map(folder_bytes, places))


def disk_text(use: dict[str, Any]) -> str:
    """A line for people."""
    trained = f" ({size_text(use['trained_bytes'])} in trained models)" if use["trained_bytes"] else ""
    whole, own = size_text(use["workspace_bytes"]), size_text(use["sweep_bytes"])
    return f"disk: workspace {whole}, this sweep {own}{trained}; what may go: harness gc --dry-run"
