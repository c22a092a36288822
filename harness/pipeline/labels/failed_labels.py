"""Labels without an answer: how many a sweep has, and why; and asking for them once more.

A label that failed is kept like any other, and what rests on the labels is keyed by how they were asked. So when a
later answer changes them, everything in the store that rests on them is set aside, to be made anew.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from harness.labelling.labels.label_stage import RANKINGS, SUMMARY, Labels
from harness.labelling.prompting.prompter import NO_ANSWER
from harness.pipeline.budgets import largest_budgets
from harness.pipeline.jobs.executor import Executor
from harness.pipeline.outcome.execution_result import ExecutionResult
from harness.pipeline.store import Store
from harness.qa.answer_stages import READINGS, Read
from harness.stage import Stage
from harness.text import counted

Asking = Labels | Read
"""Stages whose artefacts hold what a teacher, or a reader, was asked."""


def failed_labels(stages: Iterable[Stage], store: Store) -> dict[str, Any]:
    """``{"queries", "failed", "reasons"}`` of the made labels of a sweep, the largest budget of each draw; why labels
    failed is not known of older ones."""
    made = largest_budgets(stage for stage in stages if isinstance(stage, Labels) and store.has(stage))
    summaries = [_summary(stage, store) for stage in made]
    reasons = Counter[str]()
    for summary in summaries:
        reasons.update(summary.get("failed", {}))
    return {
        "queries": sum(summary["queries"] for summary in summaries),
        "failed": sum(summary["verdicts"]["failed"] for summary in summaries),
        "reasons": dict(reasons.most_common()),
    }


def failed_labels_text(counts: dict[str, Any]) -> list[str]:
    """A line for people; none where no label failed."""
    if not counts["failed"]:
        return []
    why = ", ".join(f"{reason} {number:,}" for reason, number in counts["reasons"].items())
    again = "; --retry-failed asks once more for those without an answer" if {*counts["reasons"]} & {*NO_ANSWER} else ""
    failed = f"{counts['failed']:,} of {counted(counts['queries'], 'query')} failed{f' ({why})' if why else ''}"
    return [f"labels: {failed}; training leaves them out{again}"]


def ask_again(stages: Iterable[Stage], store: Store, executor: Executor) -> ExecutionResult:
    """Make those of `stages` anew that lack answers, and set aside what rests on those that came out otherwise.

    One that cannot be made now stays as it was. One that is not there though something rests on it was being asked
    again when that was interrupted.
    """
    every = list(stages)
    asking = [stage for stage in every if isinstance(stage, Labels | Read)]
    before = {
        stage: (_hash(stage, store), store.set_aside(stage))
        for stage in asking
        if store.has(stage) and _lacks_answers(stage, store)
    }
    read = {needed.key for stage in every if store.has(stage) for needed in stage.inputs()}
    interrupted = [stage for stage in asking if stage.key in read and stage not in before and not store.has(stage)]
    if not before and not interrupted:
        return ExecutionResult()
    outcome = executor.execute([*before, *interrupted])
    changed = {stage.key for stage in interrupted if store.has(stage)}
    for stage, (content, aside) in before.items():
        if not store.has(stage):
            store.restore(stage, aside)
        elif _hash(stage, store) != content:
            changed.add(stage.key)
    store.set_aside_resting_on(changed)
    return outcome


def _lacks_answers(stage: Asking, store: Store) -> bool:
    summary = _summary(stage, store)
    reasons = summary["reasons"] if isinstance(stage, Labels) else summary["failed"]
    return any({*reason.split(", ")} & {*NO_ANSWER} for reason in reasons)


def _summary(stage: Asking, store: Store) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((store.place(stage) / SUMMARY).read_text(encoding="utf-8"))
    return found


def _hash(stage: Asking, store: Store) -> str:
    file = Path(RANKINGS if isinstance(stage, Labels) else READINGS)
    return str(store.manifest(stage)["files"][file.name]["sha256"])
