"""Pairs without a score: the labels of their queries have failed, and too many of these stop the labelling."""

from __future__ import annotations

from collections.abc import Container, Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING

from harness.labelling.labels.failure_guard import FailureGuard, QueryFailure
from harness.labelling.labels.teacher import Task
from harness.ledger.given_up import GivenUp
from harness.teachers.likelihood._pairs import Pair, TextPairs
from harness.teachers.likelihood._scorer import ScoreFailure

if TYPE_CHECKING:
    from harness.ledger.call_ledger import CallLedger


class PairFailures:
    """Counts queries as they are done: with their first pair that has no score, or with their last score. `held` are
    the keys that need not be scored; `failed` those of pairs without a score, filled here and in the ledger."""

    def __init__(
        self,
        tasks: Sequence[Task],
        pairs: TextPairs,
        held: Container[str],
        failed: MutableMapping[str, GivenUp],
        tolerate: float,
    ) -> None:
        self._tasks, self._pairs, self._failed = tasks, pairs, failed
        self._guard, self._new = FailureGuard(tolerate, len(tasks)), list[str]()
        self._waiting: dict[int, set[Pair]] = {}
        self._tasks_of: dict[Pair, list[int]] = {}
        for number, asked in enumerate(pairs.by_task):
            keys = [pairs.keys[pair] for pair in asked]
            lacking = next((failed[key] for key in keys if key in failed), None)
            missing = {pair for pair, key in zip(asked, keys, strict=True) if key not in held}
            if lacking is not None or not missing:
                self._guard.count(None if lacking is None else self._failure(number, lacking))
                continue
            self._waiting[number] = missing
            for pair in missing:
                self._tasks_of.setdefault(pair, []).append(number)

    def settle(self, chunk: Sequence[Pair], failed: Mapping[int, ScoreFailure], ledger: CallLedger) -> None:
        """The pairs of `chunk` were scored, but for those at the places `failed`. Raises UserError when no other is to
        be asked; what failed may then be asked anew."""
        for place, pair in enumerate(chunk):
            lacking = None
            if (why := failed.get(place)) is not None:
                key = self._pairs.keys[pair]
                lacking = self._failed[key] = GivenUp(key, why.reason, why.message)
                ledger.release(key, gives_up=lacking)
                self._new.append(key)
            for number in self._tasks_of.get(pair, ()):
                self._count(number, pair, lacking, ledger)

    def _count(self, number: int, pair: Pair, lacking: GivenUp | None, ledger: CallLedger) -> None:
        if (missing := self._waiting.get(number)) is None:
            return
        missing.discard(pair)
        if missing and lacking is None:
            return
        del self._waiting[number]
        stop = self._guard.settle(None if lacking is None else self._failure(number, lacking))
        if stop is not None:
            ledger.withdraw_given_up(self._new)
            raise stop

    def _failure(self, number: int, why: GivenUp) -> QueryFailure:
        return QueryFailure(self._tasks[number].query, 1.0, why.response)
