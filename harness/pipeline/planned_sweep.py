"""A sweep as it stands in a workspace: its cells, the stages behind them, and which of these are still to be made."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from harness.collections.collection import Collection
from harness.collections.parse import parse_source
from harness.collections.prepared import PreparedCollection
from harness.config.sweep_file import SweepFile
from harness.device import current_numerics
from harness.labelling.labels.teacher import Teacher
from harness.numerics.numerics_class import Numerics
from harness.pipeline.builder import Builder, PlannedCell, UnplannedCell
from harness.pipeline.graph import closure, missing
from harness.pipeline.isolation.blind_collection import hidden_splits
from harness.pipeline.pool_sizes import check_draws
from harness.pipeline.store import Store
from harness.pipeline.workspace_folder import WorkspaceFolder
from harness.stage import Stage
from harness.text import counted


@dataclass(frozen=True)
class PlannedSweep:
    """What everything that is done with a sweep starts from; made once, by `of`."""

    sweep: SweepFile
    workspace: WorkspaceFolder
    teachers: Mapping[str, Teacher]
    """By the names that the sweep gives them; its reader too."""
    cells: tuple[PlannedCell, ...]
    planning_seconds: float
    unplanned: tuple[UnplannedCell, ...] = ()
    """Cells whose methods failed when they were asked for their stages."""
    numerics: Numerics = field(default_factory=current_numerics)
    """What was resolved for all that computes."""

    @classmethod
    def of(cls, sweep: SweepFile, workspace: WorkspaceFolder) -> Self:
        """`sweep` in `workspace`. Prepares its collections, runs nothing. Raises UserError on missing collections,
        models and the like."""
        begun = time.perf_counter()
        builder = Builder(sweep, workspace)
        cells = tuple(builder.cells())
        seconds = time.perf_counter() - begun
        return cls(sweep, workspace, builder.teachers, cells, seconds, tuple(builder.unplanned), builder.numerics)

    def __repr__(self) -> str:
        counts = counted(len(self.cells), "cell"), counted(len(self.stages), "stage"), f"{len(self.waiting):,} to run"
        return f"{type(self).__name__}({self.sweep.name!r}, {', '.join(counts)})"

    @property
    def account(self) -> str:
        """Under which name the ledger counts what this sweep pays, in all its runs: its file as seen from the
        workspace, so that both may move together, whatever is overridden."""
        source = self.sweep.source
        if source.command:
            return f"{source.path.name} {source.sha256}"
        return Path(os.path.relpath(source.path.resolve(), self.workspace.path.resolve())).as_posix()

    @property
    def finals(self) -> list[Stage]:
        """The last stages of all cells: those of their results, then those of their traces."""
        traces = (cell.trace for cell in self.cells if cell.trace is not None)
        return [*(cell.evaluate for cell in self.cells), *traces]

    @property
    def collections(self) -> list[Collection]:
        """The collections of the cells, each once, in the order of the sweep."""
        found = (cell.inputs.collection for cell in self.cells)
        return list({(one.content_hash, one.drop_identical): one for one in found}.values())

    @property
    def collection_notices(self) -> list[str]:
        """What people must know of the data of its collections, one line a kind."""
        return [f"collection '{one.name}': {line}" for one in self.collections for line in one.report.notices()]

    def collection_reports(self) -> list[dict[str, Any]]:
        """``[{"name", "content_hash", "drop_identical", "warnings": [{"message", "count", "examples"}]}]``; warnings
        also of what was only arranged."""
        split = self.sweep.evaluate.split
        return [
            {
                "name": one.name,
                "content_hash": one.split_hash(split),
                "drop_identical": one.drop_identical,
                "warnings": one.report.to_json(),
            }
            for one in self.collections
        ]

    @cached_property
    def stages(self) -> dict[str, Stage]:
        """Every stage of the sweep by key, each after those that it reads."""
        return closure(self.finals)

    def closed_to(self, stage: Stage) -> tuple[Path, ...]:
        """Files that code of a plug-in must not open in `stage`: where runs rest on it, what these are rated by."""
        return self._closed_files.get(stage.key, ())

    @cached_property
    def _closed_files(self) -> dict[str, tuple[Path, ...]]:
        closed: dict[str, tuple[Path, ...]] = {}
        for cell in self.cells:
            files = self._rating_files(cell)
            for key in closure([cell.run]):
                closed[key] = tuple(dict.fromkeys((*closed.get(key, ()), *files)))
        return closed

    def _rating_files(self, cell: PlannedCell) -> list[Path]:
        found = cell.inputs.collection
        assert isinstance(found, PreparedCollection)
        open_files = parse_source(cell.cell.collection, self.sweep.source.path.parent).judgment_files()
        splits = hidden_splits(self.sweep) & set(found.splits)
        prepared = [file for split in splits for file in found.judgment_files(split)]
        return prepared + [open_files[split] for split in splits if split in open_files]

    @property
    def waiting(self) -> dict[str, Stage]:
        """Those of `stages` that are to be made, as the workspace is now. Raises UserError where a budget is larger
        than its pool."""
        return self.waiting_in(self.workspace.store)

    def waiting_in(self, store: Store) -> dict[str, Stage]:
        """The same in a store that is open already."""
        waiting = missing(self.finals, store)
        names = {cell.inputs.pool.key: cell.inputs.collection.name for cell in self.cells}
        check_draws(waiting.values(), store, self.sweep.source, names)
        return waiting
