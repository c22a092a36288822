"""What labelling would still cost: every query once per teacher, however many budgets and resamples ask for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from harness.labelling.ledger import Ledger
from harness.labelling.stages import Labels
from harness.labelling.teacher import Cost, Task, Teacher
from harness.pipeline.store import Store
from harness.stage import Stage


def labelling_cost(stages: Iterable[Stage], names: Mapping[str, Teacher], store: Store, ledger: Ledger) -> dict[str, Any]:
    """Calls, tokens and USD that the waiting `Labels` stages would pay: in all, and under ``teachers`` by the names in `names`.

    Exact where candidates are known already; before that, one list a query is assumed and ``exact`` is false.
    """
    waiting = [stage for stage in stages if isinstance(stage, Labels)]
    of = {name: [stage for stage in waiting if stage.teacher.principal is teacher] for name, teacher in names.items()}
    parts = {name: _cost(asked, store, ledger) for name, asked in of.items()}
    total = sum(parts.values(), Cost())
    return asdict(total) | {"teachers": [{"name": name, **asdict(cost)} for name, cost in parts.items() if cost.calls]}


def _cost(waiting: Sequence[Labels], store: Store, ledger: Ledger) -> Cost:
    """What one teacher would be paid."""
    known: dict[str, tuple[Teacher, dict[str, Task]]] = {}
    unknown: list[Labels] = []
    for stage in waiting:
        if not (store.has(stage.draw.pool) and store.has(stage.candidates)):
            unknown.append(stage)
            continue
        _, tasks = known.setdefault(f"{stage.teacher.identity} {stage.candidates.key} {stage.depth}", (stage.teacher, {}))
        tasks.update((task.query, task) for task in stage.tasks(store.read(stage.draw.pool), store.read(stage.candidates)))
    guessed = sum((stage.teacher.guess(stage.draw.size, stage.depth) for stage in _largest(unknown)), Cost())
    return sum((teacher.estimate(list(tasks.values()), ledger) for teacher, tasks in known.values()), guessed)


def _largest(stages: Iterable[Labels]) -> list[Labels]:
    best: dict[str, Labels] = {}
    for stage in stages:
        mark = f"{stage.teacher.identity} {stage.candidates.key} {stage.draw.resample}"
        if mark not in best or stage.draw.size > best[mark].draw.size:
            best[mark] = stage
    return list(best.values())
