"""One sweep from its file to its board: run what is missing, publish every cell as it is finished, say what failed."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from harness.ledger.call_ledger import SweepLedger
from harness.numerics.active_numerics import using_numerics
from harness.pipeline.cluster.ray_executor import RayExecutor
from harness.pipeline.cluster.ray_session import RaySession
from harness.pipeline.diagnosis.preflight import check_plan
from harness.pipeline.isolation.child_work import LedgerTerms
from harness.pipeline.isolation.isolated_work import IsolatedWork
from harness.pipeline.jobs.capacity import default_jobs
from harness.pipeline.jobs.executor import Executor
from harness.pipeline.labels.failed_labels import ask_again, failed_labels, failed_labels_text
from harness.pipeline.live.journal import Journal
from harness.pipeline.live.live_view import view
from harness.pipeline.live.observer import Observer, ObserverGroup
from harness.pipeline.local_executor import LocalExecutor
from harness.pipeline.outcome.execution_result import ExecutionResult
from harness.pipeline.outcome.sweep_failures import CellFailure, cell_failures, failure_text, trace_failures
from harness.pipeline.plan_report import ledger_report
from harness.pipeline.planned_sweep import PlannedSweep
from harness.pipeline.publish.answer_sources import answer_notices
from harness.pipeline.publish.publisher import Publisher
from harness.pipeline.publish.unknown_costs import unrecorded
from harness.pipeline.store import Store
from harness.text import clock, counted


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
    missing_results: list[CellFailure]
    missing_traces: list[CellFailure]

    @property
    def failures(self) -> dict[str, list[str]]:
        """reason -> labels of the cells that miss their result because of it"""
        return {failure.reason: failure.cells for failure in self.missing_results}

    def __repr__(self) -> str:
        cells = self.summary["cells"]
        return f"SweepResult({cells['done']} of {cells['total']} cells done, results={str(self.results)!r})"

    def text(self) -> str:
        """What failed and why, then what was done, for people."""
        done, stages, paid = self.summary["cells"], self.summary["stages"], self.summary["llm"]
        counts = (
            f"{done['done']:,} of {counted(done['total'], 'cell')} done ({done['cached']:,} before), "
            f"{done['failed']:,} failed; {counted(stages['run'], 'stage')} ran, "
            f"{stages['cached']:,} {'was' if stages['cached'] == 1 else 'were'} done before; "
            f"LLM: {counted(paid['calls'], 'call')}, {paid['usd']:.2f} USD; "
            f"{clock(self.summary['seconds'])}"
        )
        folder = "" if self.results == Path("results") else f" --results {self.results}"
        where = (
            f"runs: {self.results}/   look closer: harness board{folder}   in the browser: harness dashboard{folder}"
        )
        notices = [f"notice: {notice}" for notice in self.summary["notices"]]
        failed = [failure_text(failure, "result") for failure in self.missing_results]
        traces = [failure_text(failure, "trace") for failure in self.missing_traces]
        return "\n".join([*notices, *failed, *traces, *failed_labels_text(self.summary["labels"]), counts, where])


class SweepInterrupted(KeyboardInterrupt):
    """A person or a signal ended a sweep; the message says what is there and how to go on."""


ExecutorName = Literal["local", "ray"]
"""Where stages run: on this machine, or on a cluster."""
_Place = tuple[SweepLedger, Callable[..., Executor]]
"""The ledger of a sweep, and what makes its executor."""


@dataclass(frozen=True)
class SweepOptions:
    """How a sweep runs, beside what its file says."""

    max_cost: float | None = None
    """The most USD that all runs of the sweep together may pay."""
    max_cost_workspace: float | None = None
    """The most that all sweeps of the workspace may pay."""
    retry_failed: bool = False
    """Whether labels without an answer are asked for again first."""
    fail_fast: bool = False
    """Whether no stage starts after the first failure."""
    jobs: int | None = 1
    """The most stages that compute at once; None for as many as the machine allows."""
    executor: ExecutorName = "local"
    address: str = "auto"
    """Of the Ray cluster."""


def run_sweep(plan: PlannedSweep, results: Path, observer: Observer | None, options: SweepOptions) -> SweepResult:
    """Run what is missing of `plan` and publish every cell as it is finished; without an `observer` progress is drawn
    on standard error. Raises UserError before anything runs when its inputs are wrong, SweepInterrupted."""
    begun, workspace, store = time.perf_counter(), plan.workspace, plan.workspace.store
    check_plan(plan, results, plan.waiting_in(store), store)
    before = sum(store.has(cell.evaluate) for cell in plan.cells)
    for one in plan.unplanned:
        workspace.failures.note(one.key, "plan", str(one.cell), one.fault)
    with using_numerics(plan.numerics), _PLACES[options.executor](plan, options) as (ledger, executor_of):
        publisher, again = Publisher(plan, store, ledger, results), ExecutionResult()
        watcher = _watcher(plan, store, observer)
        executor = executor_of(workspace, store, ledger, watcher, ended=publisher.follow, fail_fast=options.fail_fast)
        try:
            if options.retry_failed:
                again = ask_again(plan.stages.values(), store, executor)
            if lacking := unrecorded(plan, store, results):
                again.ran += executor.execute(lacking).ran
            publisher.publish_finished(again)
            outcome = executor.execute(plan.finals)
        except KeyboardInterrupt as error:
            publisher.save()
            raise SweepInterrupted(_interruption(plan, publisher, results)) from error
        finally:
            watcher.close()
        outcome.ran += again.ran
        publisher.finish(outcome)
        summary: dict[str, Any] = {"llm": asdict(ledger.paid), "account": _account(plan, ledger)}
    failures, untraced = cell_failures(plan, outcome, publisher.faults), trace_failures(plan, outcome)
    failures += [CellFailure(reason) for reason in set(again.failed.values()) - {one.reason for one in failures}]
    summary |= _summary(plan, outcome, store, failures, untraced)
    summary["cells"] |= {"cached": before}
    summary |= {"seconds": round(plan.planning_seconds + time.perf_counter() - begun, 3), "results": str(results)}
    folders = [folder for _, folder in sorted(publisher.folders.items())]
    return SweepResult(summary, results, folders, failures, untraced)


@contextmanager
def _on_this_machine(plan: PlannedSweep, options: SweepOptions) -> Iterator[_Place]:
    work = IsolatedWork(plan.sweep.timeout, closed=plan.closed_to)
    with closing(_terms(plan, options).ledger()) as ledger, closing(work) as isolation:
        yield ledger, partial(LocalExecutor, isolation=isolation, jobs=options.jobs or default_jobs())


@contextmanager
def _on_cluster(plan: PlannedSweep, options: SweepOptions) -> Iterator[_Place]:
    with closing(RaySession(options.address, plan.workspace, _terms(plan, options))) as session:
        yield session.ledger, partial(RayExecutor, session=session, jobs=options.jobs, timeout=plan.sweep.timeout)


_PLACES: Mapping[ExecutorName, Callable[[PlannedSweep, SweepOptions], AbstractContextManager[_Place]]] = {
    "local": _on_this_machine,
    "ray": _on_cluster,
}


def _terms(plan: PlannedSweep, options: SweepOptions) -> LedgerTerms:
    limit = options.max_cost if options.max_cost is not None else plan.sweep.max_cost
    since = time.time() if options.retry_failed else 0.0
    return LedgerTerms(plan.workspace.ledger_file, plan.account, limit, options.max_cost_workspace, since)


def _watcher(plan: PlannedSweep, store: Store, observer: Observer | None) -> ObserverGroup:
    """Whoever watches, and the journal."""
    past, ends = store.past_seconds(), [(str(cell.cell), cell.evaluate) for cell in plan.cells]
    traces = [cell.trace for cell in plan.cells if cell.trace is not None]
    journal = Journal(plan.workspace.journal_folder, plan.sweep.source.path, ends, past, traces)
    return ObserverGroup(observer if observer is not None else view(past), journal)


def _interruption(plan: PlannedSweep, publisher: Publisher, results: Path) -> str:
    total, done = len(plan.cells) + len(plan.unplanned), len(publisher.folders)
    return (
        f"{done:,} of {counted(total, 'cell')} {'is' if done == 1 else 'are'} on the board "
        f"({results}/), and every finished stage is kept; the same command goes on where it stopped"
    )


def _account(plan: PlannedSweep, ledger: SweepLedger) -> dict[str, Any] | None:
    # A disk that filled up is no reason to lose the rest of the report.
    with suppress(sqlite3.Error):
        return ledger_report(plan, ledger)
    return None


def _summary(
    plan: PlannedSweep,
    outcome: ExecutionResult,
    store: Store,
    failures: list[CellFailure],
    untraced: list[CellFailure],
) -> dict[str, Any]:
    total, failed = len(plan.cells) + len(plan.unplanned), sum(len(one.cells) for one in failures)
    traces = sum(cell.trace is not None for cell in plan.cells)
    return {
        "cells": {"total": total, "done": total - failed, "failed": failed},
        "traces": {"total": traces, "failed": sum(len(one.cells) for one in untraced)},
        "stages": _stage_counts(outcome, len(plan.stages)),
        "labels": failed_labels(plan.stages.values(), store),
        "notices": [
            *map(str, plan.sweep.source.notices),
            *plan.collection_notices,
            *answer_notices(plan.stages.values(), store),
        ],
        "collections": plan.collection_reports(),
        "failures": [one.as_json() for one in failures],
        "failed_traces": [one.as_json() for one in untraced],
    }


def _stage_counts(outcome: ExecutionResult, total: int) -> dict[str, int]:
    run, failed = len(outcome.ran), len(outcome.failed)
    return {"run": run, "cached": total - run - failed - len(outcome.skipped) - len(outcome.stopped), "failed": failed}
