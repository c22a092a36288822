"""What labelling and reading would still cost: every query once per teacher, however many budgets and resamples ask for
it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from harness.labelling.labels.label_stage import Labels
from harness.labelling.labels.teacher import Cost, Task, Teacher
from harness.ledger.call_ledger import CallLedger
from harness.pipeline.budgets import largest_budgets, same_calls
from harness.pipeline.store import Store
from harness.qa.answer_stages import Read
from harness.stage import Stage


def labelling_cost(
    stages: Iterable[Stage], names: Mapping[str, Teacher], store: Store, ledger: CallLedger
) -> dict[str, Any]:
    """Calls, tokens and USD that the waiting `Labels` and `Read` stages would pay: in all, and under ``teachers`` by
    the names in `names`.

    Exact where it is known what is asked (the candidates, or the documents that queries are written for); before that,
    one list a query is assumed and ``exact`` is false.
    """
    waiting = list(stages)
    labels = [stage for stage in waiting if isinstance(stage, Labels)]
    reads = [stage for stage in waiting if isinstance(stage, Read)]
    parts = {
        name: _cost([stage for stage in labels if stage.teacher.billed_as is teacher], store, ledger)
        + _reader_cost([stage for stage in reads if stage.reader.billed_as is teacher], store, ledger)
        for name, teacher in names.items()
    }
    total = sum(parts.values(), Cost())
    return asdict(total) | {"teachers": [{"name": name, **asdict(cost)} for name, cost in parts.items() if cost.calls]}


def _cost(waiting: Sequence[Labels], store: Store, ledger: CallLedger) -> Cost:
    """What one teacher would be paid."""
    known: dict[str, tuple[Teacher, dict[str, Task]]] = {}
    unknown: list[Labels] = []
    for stage in waiting:
        if not all(store.has(needed) for needed in stage.task_inputs):
            unknown.append(stage)
            continue
        _, tasks = known.setdefault(same_calls(stage), (stage.teacher, {}))
        tasks.update((task.query, task) for task in _tasks(stage, store))
    guessed = sum(
        (stage.teacher.guess(stage.asked, stage.depth) for stage in largest_budgets(unknown, same_calls)), Cost()
    )
    return sum((teacher.estimate(list(tasks.values()), ledger) for teacher, tasks in known.values()), guessed)


def _tasks(stage: Labels, store: Store) -> list[Task]:
    for needed in stage.task_inputs:
        store.read(needed)
    return stage.tasks(store.place(stage.subset.pool), store.place(stage.candidates))


def _reader_cost(waiting: Sequence[Read], store: Store, ledger: CallLedger) -> Cost:
    """What one reader would be paid; runs that show it the same passages share their calls."""
    if not waiting:
        return Cost()
    known = [task for stage in waiting if store.has(stage.source) for task in stage.tasks(store.read(stage.source))]
    unknown = [
        stage.reader.guess(len(stage.gold.answers), stage.passages) for stage in waiting if not store.has(stage.source)
    ]
    return sum(unknown, waiting[0].reader.estimate(known, ledger))
