"""One sweep from its file to its board: plan, run what is missing, publish what is finished, say what failed."""

from __future__ import annotations

import time
from collections import defaultdict
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.labelling.labels.label_stage import Labels
from harness.ledger.ledger import Ledger
from harness.pipeline.labels.failed_labels import ask_again, failed_labels, failed_labels_text
from harness.pipeline.live.journal import Journal
from harness.pipeline.live.live_view import view
from harness.pipeline.live.observer import Observer, ObserverGroup
from harness.pipeline.local_executor import ExecutionResult, LocalExecutor
from harness.pipeline.plan_report import ledger_report
from harness.pipeline.planned_sweep import PlannedSweep
from harness.pipeline.publish.answer_sources import answer_notices
from harness.pipeline.publish.cache import PublishedCache
from harness.pipeline.publish.card_builder import publish_cell
from harness.pipeline.publish.labelling_time import LabellingTime
from harness.pipeline.store import Store
from harness.text import clock


@dataclass
class SweepResult:
    """What came of a sweep: what `harness sweep --json` prints, the published folders, the failures.

    >>> import harness
    >>> plan = harness.Workspace("workspace").plan("configs/smoke.yaml", overrides=["methods=[bm25]"])
    >>> result = plan.run("new-results")
    >>> result.summary["cells"], result.failures
    ({'total': 1, 'done': 1, 'failed': 0, 'cached': 0}, {})
    >>> [folder.as_posix() for folder in result.published]
    ['new-results/semanlink-arxiv/bm25-...']
    """

    summary: dict[str, Any]
    results: Path
    published: list[Path]
    failures: dict[str, list[str]]
    """reason -> labels of the cells that miss their result because of it"""

    def __repr__(self) -> str:
        cells = self.summary["cells"]
        return f"SweepResult({cells['done']} of {cells['total']} cells done, results={str(self.results)!r})"

    def text(self) -> str:
        """What failed and why, then what was done, for people."""
        done, stages, paid = self.summary["cells"], self.summary["stages"], self.summary["llm"]
        counts = (
            f"{done['done']} of {done['total']} cells done ({done['cached']} before), {done['failed']} failed; "
            f"{stages['run']} stages ran, "
            f"{stages['cached']} were done before; LLM: {paid['calls']:,} calls, {paid['usd']:.2f} USD; "
            f"{clock(self.summary['seconds'])}"
        )
        where = (
            f"runs: {self.results}/   look closer: harness board --results {self.results}   in the browser: "
            "harness dashboard"
        )
        notices = [f"notice: {notice}" for notice in self.summary["notices"]]
        failed = [_failure(reason, cells, "result") for reason, cells in self.failures.items()]
        traces = [_failure(one["reason"], one["cells"], "trace") for one in self.summary["failed_traces"]]
        return "\n".join([*notices, *failed, *traces, *failed_labels_text(self.summary["labels"]), counts, where])


def _failure(reason: str, cells: list[str], what: str) -> str:
    if not cells:
        return f"failed: {reason}\n  the labels stay as they were"
    shown = ", ".join(cells[:4]) + (" ..." if len(cells) > 4 else "")
    return f"failed: {reason}\n  {len(cells)} cells miss their {what}: {shown}"


def run_sweep(
    plan: PlannedSweep,
    results: Path,
    max_cost: float | None = None,
    observer: Observer | None = None,
    retry_failed: bool = False,
    max_cost_workspace: float | None = None,
) -> SweepResult:
    """Run what is missing of `plan` and publish what is finished; with `retry_failed`, ask again for labels without an
    answer first. Raises UserError before anything runs when its inputs are wrong.

    `max_cost` is the most USD that all runs of the sweep together may pay, `max_cost_workspace` all sweeps here.
    """
    begun = time.perf_counter()
    workspace, cells, store = plan.workspace, plan.cells, plan.workspace.store
    plan.waiting_in(store)
    before = sum(store.has(cell.evaluate) for cell in cells)
    past, ends = store.past_seconds(), [(str(cell.cell), cell.evaluate) for cell in cells]
    traces = [cell.trace for cell in cells if cell.trace is not None]
    journal = Journal(workspace.journal_folder, plan.sweep.source.path, ends, past, traces)
    watcher = ObserverGroup(observer if observer is not None else view(past), journal)
    with closing(Ledger(workspace.ledger_file)) as ledger:
        ledger.account, ledger.workspace_limit = plan.account, max_cost_workspace
        ledger.limit = max_cost if max_cost is not None else plan.sweep.max_cost
        executor, again = LocalExecutor(workspace, store, ledger, watcher), ExecutionResult()
        try:
            if retry_failed:
                ledger.given_up_since = time.time()
                again = ask_again(plan.stages.values(), store, executor)
            outcome = executor.execute(plan.finals)
        finally:
            watcher.close()
        outcome.ran += again.ran
        published, failures = _publish(plan, outcome, store, ledger, results)
        failures |= {reason: [] for reason in again.failed.values() if reason not in failures}
        account = ledger_report(plan, ledger)
    without = _without_trace(plan, outcome)
    summary = {
        "cells": {"total": len(cells), "done": len(published), "failed": len(cells) - len(published), "cached": before},
        "traces": {"total": len(traces), "failed": sum(map(len, without.values()))},
        "stages": _stage_counts(outcome, len(plan.stages)),
        "llm": asdict(ledger.paid),
        "account": account,
        "labels": failed_labels(plan.stages.values(), store),
        "seconds": round(plan.planning_seconds + time.perf_counter() - begun, 3),
        "results": str(results),
        "notices": [
            *map(str, plan.sweep.source.notices),
            *plan.collection_notices,
            *answer_notices(plan.stages.values(), store),
        ],
        "collections": plan.collection_reports(),
        "failures": [{"reason": reason, "cells": labels} for reason, labels in failures.items()],
        "failed_traces": [{"reason": reason, "cells": labels} for reason, labels in without.items()],
    }
    return SweepResult(summary, results, published, failures)


def _stage_counts(outcome: ExecutionResult, total: int) -> dict[str, int]:
    run, failed, lost = len(outcome.ran), len(outcome.failed), len(outcome.skipped)
    return {"run": run, "cached": total - run - failed - lost, "failed": failed}


def _without_trace(plan: PlannedSweep, outcome: ExecutionResult) -> dict[str, list[str]]:
    """Cells that have a result and no trace, by the reason."""
    failures: dict[str, list[str]] = defaultdict(list)
    for cell in plan.cells:
        if cell.trace is not None and outcome.cause(cell.evaluate) is None and (why := outcome.cause(cell.trace)):
            failures[why].append(str(cell.cell))
    return dict(failures)


def _publish(
    plan: PlannedSweep, outcome: ExecutionResult, store: Store, ledger: Ledger, results: Path
) -> tuple[list[Path], dict[str, list[str]]]:
    published: list[Path] = []
    failures: dict[str, list[str]] = defaultdict(list)
    cache = PublishedCache(plan.workspace.cache("published.json"))
    computed = frozenset(outcome.ran)
    labelled = [stage for stage in plan.stages.values() if isinstance(stage, Labels) and store.has(stage)]
    times = LabellingTime(labelled, store, ledger, plan.workspace.cache("labelling-seconds.json"))
    for cell in plan.cells:
        reason = outcome.cause(cell.evaluate)
        if reason is None:
            published.append(publish_cell(cell, store, results, plan.sweep, cache, times, computed))
        else:
            failures[reason].append(str(cell.cell))
    cache.save()
    return published, dict(failures)
