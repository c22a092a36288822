"""Teachers that are no LLM: placebos that know nothing of relevance, and an oracle that knows everything."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from harness.labelling.labels.ranking import Ranking
from harness.labelling.labels.teacher import Task, Teacher
from harness.plugins import Settings
from harness.stage import digest

if TYPE_CHECKING:
    from harness.ledger.call_ledger import CallLedger
    from harness.progress import Progress


class FirstStage(Teacher):
    """The candidates as the first stage ordered them."""

    name = "first-stage"
    summary = "placebo: the first stage's own order"
    teacher_type = "placebo"
    is_free = True

    @property
    def identity(self) -> str:
        return digest([self.name])

    def label(self, tasks: Sequence[Task], ledger: CallLedger, progress: Progress) -> Iterator[Ranking]:
        for task in tasks:
            yield Ranking(task.query, tuple(candidate.id for candidate in task.candidates))


class ShuffledSettings(Settings):
    """Which of the random orders."""

    seed: int = Field(0, description="another seed gives another order")


class Shuffled(Teacher):
    """A random order that depends on seed, query and documents only: two lists that share documents order them
    alike."""

    name = "shuffled"
    summary = "placebo: a random order"
    teacher_type = "placebo"
    is_free = True
    Settings = ShuffledSettings

    def __init__(self, settings: ShuffledSettings, base: Path = Path()) -> None:
        super().__init__(settings, base)
        self._seed = settings.seed

    @property
    def identity(self) -> str:
        return digest([self.name, self._seed])

    def label(self, tasks: Sequence[Task], ledger: CallLedger, progress: Progress) -> Iterator[Ranking]:
        for task in tasks:
            ids = (candidate.id for candidate in task.candidates)
            yield Ranking(task.query, tuple(sorted(ids, key=lambda id: self._place(task.query, id))))

    def _place(self, query: str, document: str) -> bytes:
        return hashlib.sha256(f"{self._seed}\0{query}\0{document}".encode()).digest()


class Oracle(Teacher):
    """Relevant candidates by falling grade, the first stage's order within one grade; all others in the unordered
    tail."""

    name = "oracle"
    summary = "upper bound: orders by the human judgments"
    teacher_type = "oracle"
    is_free = True
    needs = ("gold labels",)

    @property
    def identity(self) -> str:
        return digest([self.name])

    def label(self, tasks: Sequence[Task], ledger: CallLedger, progress: Progress) -> Iterator[Ranking]:
        return map(_by_grade, tasks)


def _by_grade(task: Task) -> Ranking:
    assert task.gold is not None, "the oracle was asked without gold labels"
    ids = [candidate.id for candidate in task.candidates]
    grades = {id: task.gold.get(id, 0) for id in ids}
    ordered = tuple(sorted((id for id in ids if grades[id] > 0), key=lambda id: -grades[id]))
    tail = tuple(id for id in ids if grades[id] <= 0)
    if not ordered:
        return Ranking(task.query, (), tail, "failed", "no relevant candidate")
    return Ranking(task.query, ordered, tail)
