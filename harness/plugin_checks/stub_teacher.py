"""The teacher that methods are checked with: it orders by shared words, and may fail. And an ear for what any teacher
is asked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from harness.labelling.labels.ranking import Ranking
from harness.labelling.labels.teacher import Task, Teacher
from harness.plugins import Settings
from harness.stage import digest

if TYPE_CHECKING:
    from harness.ledger.call_ledger import CallLedger
    from harness.progress import Progress

EVERY = 4
"""A teacher that fails gives no answer to every so manieth query; any teacher leaves the last candidate of as many
unplaced."""


class StubTeacherSettings(Settings):
    """How it answers."""

    scored: bool = False
    failing: bool = False


class StubTeacher(Teacher):
    """Orders by shared words, ties by a hash. `scored` adds log-likelihoods, as a white box does, and changes no
    order."""

    name = "contracts"
    summary = "the teacher of the contract checks: orders by shared words"
    teacher_type = "simulated"
    Settings = StubTeacherSettings

    def __init__(self, settings: StubTeacherSettings) -> None:
        super().__init__(settings)
        self._how = settings

    @property
    def identity(self) -> str:
        return digest([self.name, self._how])

    def label(self, tasks: Sequence[Task], ledger: CallLedger, progress: Progress) -> Iterator[Ranking]:
        return (self._ranking(task) for task in tasks)

    def _ranking(self, task: Task) -> Ranking:
        scores = {candidate.id: _score(task, candidate.text, candidate.id) for candidate in task.candidates}
        order = tuple(sorted(scores, key=lambda id: (-scores[id], id)))
        fate = int.from_bytes(hashlib.sha256(task.query.encode()).digest()[:2]) % EVERY
        if self._how.failing and fate == 0:
            return Ranking(task.query, (), order, "failed", "empty")
        told = tuple(scores[id] for id in order) if self._how.scored else None
        if fate == 1 and len(order) > 2:
            return Ranking(task.query, order[:-1], order[-1:], "partial", "unplaced", scores=told)
        return Ranking(task.query, order, scores=told)


def _score(task: Task, text: str, document: str) -> float:
    """A made-up log-likelihood: shared words, and less than one word's worth of noise."""
    shared = len(set(task.text.split()) & set(text.split()))
    noise = int.from_bytes(hashlib.sha256(f"{task.query}\0{document}".encode()).digest()[:4]) / 2**32
    return shared + 0.9 * noise - 9.0


@contextmanager
def record_questions(teacher: Teacher | None) -> Iterator[list[str]]:
    """Ids of the queries that teachers of its class are asked about meanwhile, copies that a stage makes for itself
    included."""
    asked: list[str] = []
    if teacher is None:
        yield asked
        return
    kind = type(teacher)
    own, label = "label" in vars(kind), kind.label

    def listening(self: Teacher, tasks: Sequence[Task], ledger: CallLedger, progress: Progress) -> Iterator[Ranking]:
        asked.extend(task.query for task in tasks)
        return label(self, tasks, ledger, progress)

    kind.label = listening  # type: ignore[method-assign]
    try:
        yield asked
    finally:
        if own:
            kind.label = label  # type: ignore[method-assign]
        else:
            del kind.label
