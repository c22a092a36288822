"""Replaying paid calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from benchmarks.case import Case, Goal, Timed, within
from benchmarks.timing import timed

_A_SECOND = 20_000
"""Cached answers."""

if TYPE_CHECKING:
    from harness.llm.chat_teacher import ChatTeacher


class ReplayingLedger(Case):
    """A fully cached labelling of nine windows a query, parse included."""

    name: ClassVar[str] = "replaying the ledger"
    rounds: ClassVar[tuple[int, int]] = (1, 2)

    @property
    def queries(self) -> int:
        """Each has nine windows."""
        return 1_000 if self.quick else 10_000

    def work(self) -> str:
        return f"{self.queries:,} queries, {9 * self.queries:,} calls"

    def prepare(self) -> None:
        from benchmarks.windows import pay, tasks_of
        from harness.ledger.ledger import Ledger

        assert pay(_teacher(), tasks_of(self.queries, 100), Ledger(self.folder / "ledger.sqlite")) == 9 * self.queries

    def ours(self) -> Timed:
        from benchmarks.windows import tasks_of
        from harness.ledger.ledger import Ledger
        from harness.progress import silent

        tasks, teacher, ledger = tasks_of(self.queries, 100), _teacher(), Ledger(self.folder / "ledger.sqlite")
        seconds, rankings = timed(lambda: list(teacher.label(tasks, ledger, silent)))
        assert all(ranking.verdict == "ok" for ranking in rankings)
        return Timed(seconds)

    def limits(self) -> tuple[Goal, ...]:
        return (within(9 * self.queries / _A_SECOND),)


def _teacher() -> ChatTeacher:
    from benchmarks.windows import chat_teacher

    return chat_teacher(ask={"strategy": "sliding", "max_passage_words": 120})
