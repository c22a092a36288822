"""How much disk a sweep and its workspace take."""

from __future__ import annotations

from typing import Any

from harness.pipeline.planned_sweep import PlannedSweep
from harness.pipeline.store import Store
from harness.pipeline.upkeep.garbage_table import size_text
from harness.pipeline.upkeep.holdings import artefact_bytes, folder_bytes


def disk_use(plan: PlannedSweep, store: Store) -> dict[str, Any]:
    """``{"workspace_bytes", "sweep_bytes", "trained_bytes"}``: all that lies in the workspace, the artefacts of the
    sweep that are there, and those of its trainings alone."""
    kept = artefact_bytes(store.root)
    sizes = {stage: kept.get(f"{stage.kind}/{stage.key}", 0) for stage in plan.stages.values() if store.has(stage)}
    others = (folder for folder in plan.workspace.path.glob("*") if folder != store.root)
    return {
        "workspace_bytes": sum(kept.values()) + sum(map(folder_bytes, others)),
        "sweep_bytes": sum(sizes.values()),
        "trained_bytes": sum(size for stage, size in sizes.items() if stage.trains),
    }


def disk_text(use: dict[str, Any]) -> str:
    """A line for people."""
    trained = f" ({size_text(use['trained_bytes'])} in trained models)" if use["trained_bytes"] else ""
    whole, own = size_text(use["workspace_bytes"]), size_text(use["sweep_bytes"])
    return f"disk: workspace {whole}, this sweep {own}{trained}; what may go: harness gc --dry-run"
