"""One sweep from its file to its board: plan, run what is missing, publish what is finished, say what failed."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.config.load import load_sweep
from harness.labelling.labels.label_stage import Labels
from harness.ledger.ledger import Ledger
from harness.pipeline.graph import closure, missing
from harness.pipeline.live.journal import Journal
from harness.pipeline.live.live_view import view
from harness.pipeline.live.observer import Observer, ObserverGroup
from harness.pipeline.local_executor import ExecutionResult, LocalExecutor
from harness.pipeline.plan import Builder, PlannedCell, check_draws
from harness.pipeline.publish.cache import PublishedCache
from harness.pipeline.publish.card_builder import publish_cell
from harness.pipeline.publish.labelling_time import LabellingTime
from harness.pipeline.store import Store
from harness.text import clock


@dataclass
class SweepResult:
    """What came of a sweep: the JSON summary of DESIGN, the published folders, the failures."""

    summary: dict[str, Any]
    results: Path
    published: list[Path]
    failures: dict[str, list[str]]
    """reason -> labels of the cells that miss their result because of it"""

    def text(self) -> str:
        """What failed and why, then what was done, for people."""
        done, stages, paid = self.summary["cells"], self.summary["stages"], self.summary["llm"]
        counts = (
            f"{done['done']} of {done['total']} cells done ({done['cached']} before), {done['failed']} failed; {stages['run']} stages ran, "
            f"{stages['cached']} were done before; LLM: {paid['calls']:,} calls, {paid['usd']:.2f} USD; {clock(self.summary['seconds'])}"
        )
        where = f"runs: {self.results}/   look closer: harness board --results {self.results}   in the browser: harness dashboard"
        return "\n".join([*(_failure(reason, cells) for reason, cells in self.failures.items()), counts, where])


def _failure(reason: str, cells: list[str]) -> str:
    shown = ", ".join(cells[:4]) + (" ..." if len(cells) > 4 else "")
    return f"failed: {reason}\n  {len(cells)} cells miss their result: {shown}"


def run_sweep(
    file: Path,
    overrides: Sequence[str],
    workspace: Path,
    results: Path,
    max_cost: float | None = None,
    observer: Observer | None = None,
) -> SweepResult:
    """Run the sweep of `file`. Raises UserError before anything runs when the file or its inputs are wrong."""
    begun = time.perf_counter()
    sweep = load_sweep(file, overrides)
    builder = Builder(sweep, workspace)
    store = Store(workspace)
    ledger = Ledger(workspace / "ledger.sqlite")
    cells = builder.cells()
    stages = closure(cell.evaluate for cell in cells)
    check_draws(missing((cell.evaluate for cell in cells), store).values(), store)
    before = sum(store.has(cell.evaluate) for cell in cells)
    past, ends = past_seconds(store), [(str(cell.cell), cell.evaluate) for cell in cells]
    watcher = ObserverGroup(observer if observer is not None else view(past), Journal(workspace, file, ends, past))
    ledger.limit = max_cost if max_cost is not None else sweep.max_cost
    try:
        outcome = LocalExecutor(workspace, store, ledger, watcher).execute([cell.evaluate for cell in cells], len(stages))
    finally:
        watcher.close()
    published, failures = _publish(cells, outcome, store, ledger, results, builder)
    summary = {
        "cells": {"total": len(cells), "done": len(published), "failed": len(cells) - len(published), "cached": before},
        "stages": _stage_counts(outcome, len(stages)),
        "llm": asdict(ledger.paid),
        "seconds": round(time.perf_counter() - begun, 3),
        "results": str(results),
        "failures": [{"reason": reason, "cells": labels} for reason, labels in failures.items()],
    }
    return SweepResult(summary, results, published, failures)


def _stage_counts(outcome: ExecutionResult, total: int) -> dict[str, int]:
    run, failed, lost = len(outcome.ran), len(outcome.failed), len(outcome.skipped)
    return {"run": run, "cached": total - run - failed - lost, "failed": failed}


def _publish(
    cells: list[PlannedCell], outcome: ExecutionResult, store: Store, ledger: Ledger, results: Path, builder: Builder
) -> tuple[list[Path], dict[str, list[str]]]:
    published: list[Path] = []
    failures: dict[str, list[str]] = defaultdict(list)
    remembered = PublishedCache(builder.workspace / "cache" / "published.json")
    made = frozenset(outcome.ran)
    labelled = [stage for stage in closure(cell.evaluate for cell in cells).values() if isinstance(stage, Labels) and store.has(stage)]
    times = LabellingTime(labelled, store, ledger, builder.workspace / "cache" / "labelling-seconds.json")
    for cell in cells:
        reason = outcome.cause(cell.evaluate)
        if reason is None:
            published.append(publish_cell(cell, store, results, builder.sweep, remembered, times, made))
        else:
            failures[reason].append(str(cell.cell))
    remembered.save()
    return published, dict(failures)


def past_seconds(store: Store) -> dict[str, float]:
    """Mean seconds of each kind of stage in this workspace, from a few recent artefacts; what the first guess of the time to go uses."""

    found: dict[str, float] = {}
    for kind in store.root.glob("*") if store.root.is_dir() else ():
        manifests = [file for file, _ in zip(kind.glob("[0-9a-f]*/artefact.json"), range(8), strict=False)]
        seconds = [json.loads(file.read_text(encoding="utf-8"))["seconds"] for file in manifests]
        if seconds:
            found[kind.name] = sum(seconds) / len(seconds)
    return found
