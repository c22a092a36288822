"""What failed in a sweep, by its reason: which cells miss something, with which method and settings, in which line of a
plug-in, and where the traceback lies."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.config.cells import Cell
from harness.pipeline.builder import PlannedCell, UnplannedCell
from harness.pipeline.outcome.execution_result import ExecutionResult
from harness.pipeline.outcome.stage_fault import StageFault
from harness.pipeline.planned_sweep import PlannedSweep
from harness.stage import Stage
from harness.text import counted

_MOST = 4
"""Cells of one failure that are named."""


@dataclass
class CellFailure:
    """Cells that miss a result, or a trace, for one reason."""

    reason: str
    fault: StageFault | None = None
    """None where nothing of the cells' own failed."""
    traceback: str = ""
    """The file that holds it."""
    cells: list[str] = field(default_factory=list)
    settings: list[str] = field(default_factory=list)
    """Methods of the cells with their settings, each once."""

    def add(self, cell: Cell) -> None:
        """This one misses it too."""
        self.cells.append(str(cell))
        given = cell.settings.model_dump(mode="json", exclude_defaults=True)
        method = f"{cell.method.name} {json.dumps(given, ensure_ascii=False)}" if given else cell.method.name
        if method not in self.settings:
            self.settings.append(method)

    def as_json(self) -> dict[str, Any]:
        """``{"reason", "cells", "settings", "file", "line", "traceback"}``."""
        return {
            "reason": self.reason,
            "cells": self.cells,
            "settings": self.settings,
            "file": self.fault and self.fault.file,
            "line": self.fault and self.fault.line,
            "traceback": self.traceback or None,
        }


def cell_failures(
    plan: PlannedSweep, outcome: ExecutionResult, unwritten: Mapping[int, StageFault]
) -> list[CellFailure]:
    """Cells without a result; `unwritten` says of which the result folder could not be written, by their number."""
    found: dict[str, CellFailure] = {}
    for number, cell in enumerate(plan.cells):
        if (failure := _failure(plan, outcome, cell.evaluate)) is not None:
            found.setdefault(failure.reason, failure).add(cell.cell)
        elif number in unwritten:
            reason = f"its result cannot be written: {unwritten[number].reason}"
            found.setdefault(reason, CellFailure(reason)).add(cell.cell)
    for one in plan.unplanned:
        file = str(plan.workspace.failures.file(one.key))
        found.setdefault(one.fault.reason, CellFailure(one.fault.reason, one.fault, file)).add(one.cell)
    return list(found.values())


def trace_failures(plan: PlannedSweep, outcome: ExecutionResult) -> list[CellFailure]:
    """Cells that have a result and no trace."""
    found: dict[str, CellFailure] = {}
    for cell in _traced(plan.cells):
        if outcome.cause(cell.evaluate) is None and (failure := _failure(plan, outcome, cell.trace)) is not None:
            found.setdefault(failure.reason, failure).add(cell.cell)
    return list(found.values())


def failure_text(failure: CellFailure, what: str) -> str:
    """One for people; `what` is what its cells miss."""
    lines = [f"failed: {failure.reason}"]
    if not failure.cells:
        return f"{lines[0]}\n  the labels stay as they were"
    verb = "misses its" if len(failure.cells) == 1 else "miss their"
    lines.append(f"  {counted(len(failure.cells), 'cell')} {verb} {what}: {_some(failure.cells, ', ')}")
    if failure.fault is not None and failure.fault.file is not None:
        lines.append(f"  with the method {_some(failure.settings, '; ')}")
    if failure.traceback:
        lines.append(f"  traceback: {failure.traceback}; `harness status FILE --why` shows it")
    return "\n".join(lines)


def unplanned_notices(unplanned: Iterable[UnplannedCell]) -> list[str]:
    """A line for each reason for which cells could not be planned."""
    cells: dict[str, list[str]] = {}
    for one in unplanned:
        cells.setdefault(one.fault.reason, []).append(str(one.cell))
    return [f"{_cells(names)} cannot be planned: {reason}" for reason, names in cells.items()]


def _cells(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{counted(len(names), 'cell')} ({_some(names, ', ')})"


def _some(names: list[str], between: str) -> str:
    return between.join(names[:_MOST]) + " ..." * (len(names) > _MOST)


def _traced(cells: Iterable[PlannedCell]) -> Iterable[Any]:
    return (cell for cell in cells if cell.trace is not None)


def _failure(plan: PlannedSweep, outcome: ExecutionResult, final: Stage) -> CellFailure | None:
    reason, key = outcome.cause(final), outcome.failure(final)
    if reason is None:
        return None
    if key is None or final.key in outcome.stopped:
        return CellFailure(reason)
    return CellFailure(reason, outcome.faults.get(key), str(plan.workspace.failures.file(key)))
