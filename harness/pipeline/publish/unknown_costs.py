"""What cards could not tell of half a workspace: stages whose artefacts were deleted by hand, though what rests on
them is there."""

from __future__ import annotations

from pathlib import Path

from harness.pipeline.builder import PlannedCell
from harness.pipeline.graph import closure
from harness.pipeline.planned_sweep import PlannedSweep
from harness.pipeline.publish.card_builder import run_tag
from harness.pipeline.store import Store
from harness.published.result_folder import slug
from harness.stage import Stage


def unrecorded(plan: PlannedSweep, store: Store, results: Path) -> list[Stage]:
    """Stages behind finished cells that are still to be published of which it is not known what they took: without
    them a card would leave out their costs. What gc took out is known."""
    if all(map(store.is_recorded, plan.stages.values())):
        return []
    finished = [cell for cell in plan.cells if store.has(cell.evaluate) and not _is_published(cell, results)]
    return [stage for stage in closure(cell.evaluate for cell in finished).values() if not store.is_recorded(stage)]


def _is_published(cell: PlannedCell, results: Path) -> bool:
    return (results / slug(cell.inputs.collection.name) / run_tag(cell)).is_dir()
