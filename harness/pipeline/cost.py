"""What labelling would still cost: every query once per teacher, however many budgets and resamples ask for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from harness.labelling.ledger import Ledger
from harness.labelling.stages import Labels
from harness.pipeline.store import Store
from harness.stage import Stage
from harness.teachers.base import Cost, Task, Teacher


def labelling_cost(stages: Iterable[Stage], store: Store, ledger: Ledger) -> dict[str, Any]:
    """Calls, tokens and USD that the waiting `Labels` stages would pay.

    Exact where candidates are known already; before that, one list a query is assumed and ``exact`` is false.
    """
    waiting = [stage for stage in stages if isinstance(stage, Labels)]
    known: dict[str, tuple[Teacher, dict[str, Task]]] = {}
    guessed = Cost()
    for stage in waiting:
        if store.has(stage.draw.pool) and store.has(stage.candidates):
            _, tasks = known.setdefault(f"{stage.teacher.identity} {stage.candidates.key} {stage.depth}", (stage.teacher, {}))
            tasks.update((task.query, task) for task in stage.tasks(store.read(stage.draw.pool), store.read(stage.candidates)))
    for stage in _largest(stage for stage in waiting if not (store.has(stage.draw.pool) and store.has(stage.candidates))):
        guessed += stage.teacher.guess(stage.draw.size, stage.depth)
    total = guessed
    for teacher, tasks in known.values():
        total += teacher.estimate(list(tasks.values()), ledger)
    return {
        "calls": total.calls,
        "input_tokens": total.input_tokens,
        "output_tokens": total.output_tokens,
        "usd": total.usd,
        "exact": total.exact,
    }


def _largest(stages: Iterable[Labels]) -> list[Labels]:
    best: dict[str, Labels] = {}
    for stage in stages:
        mark = f"{stage.teacher.identity} {stage.candidates.key} {stage.draw.resample}"
        if mark not in best or stage.draw.size > best[mark].draw.size:
            best[mark] = stage
    return list(best.values())
