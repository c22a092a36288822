"""From tasks to rankings: what the ledger holds is replayed, everything else is asked with many requests in flight.

An answer is in the ledger before anything is made of it, so whatever kills the process loses the requests in flight and
no more.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field
from itertools import chain, islice

from harness.labelling.labels.failure_guard import FailureGuard
from harness.labelling.labels.ranking import Ranking
from harness.labelling.labels.teacher import Task
from harness.labelling.prompting.prompter import Prompter, Request
from harness.labelling.strategies.strategy import ParsedResponse
from harness.ledger.call_ledger import CallLedger
from harness.llm.answers.paid_call import reply_given_up
from harness.llm.backend import Backend
from harness.llm.in_flight import InFlight
from harness.llm.pricing.tariff import Tariff
from harness.llm.task_state import TaskState
from harness.llm.wire.answer_tally import AnswerTally
from harness.progress import Progress

_SMALL, _LARGE = 4, 200
"""Tasks replayed at once: few while requests are in flight, which wait meanwhile, many where the ledger holds
everything."""


@dataclass
class Scheduler:
    """Drives the sessions of one teacher.

    `key` names a request in the ledger; `open` gives the backend and is called only when something must be asked;
    `tariff` says what that may cost, `answered` is called with the ledger for each new answer. `misses` remembers
    replies that were no answer, so that one process pays for them once.
    """

    asking: Prompter
    model: str
    key: Callable[[Request], str]
    open: Callable[[], AbstractAsyncContextManager[Backend]]
    tariff: Tariff
    answered: Callable[[CallLedger], None]
    asks: int = 1
    """How often a request that brings no answer at all is sent; empty answers, which are mostly mishaps, at least three
    times."""
    tolerate: float = 0.05
    """Share of the queries that may fail before all stops."""
    misses: dict[str, ParsedResponse] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.tally = AnswerTally(self.model)
        """What was noticed over the answers of the last labelling."""

    def label(self, tasks: Sequence[Task], ledger: CallLedger, progress: Progress) -> Iterator[Ranking]:
        """A ranking for every task, in their order."""
        rankings: list[Ranking | None] = [None] * len(tasks)
        done = 0

        def finished(number: int, ranking: Ranking) -> None:
            nonlocal done
            rankings[number], done = ranking, done + 1
            progress(done, len(rankings), "queries")

        self.tally = AnswerTally(self.model)
        guard = FailureGuard(self.tolerate, len(tasks))
        waiting = self._waiting(tasks, ledger, finished, guard)
        if (first := next(waiting, None)) is not None:
            self.tariff.check(ledger.left())
            # What the ledger holds of later tasks is replayed while the requests of earlier ones are in flight.
            flight = InFlight(
                self.model,
                self.key,
                self.open,
                self.tariff,
                self.answered,
                self.asks,
                self.misses,
                ledger,
                finished,
                self.tally,
                guard,
            )
            asyncio.run(flight.finish(chain([first], waiting)))
        for ranking in rankings:
            assert ranking is not None
            yield ranking

    def _waiting(
        self,
        tasks: Sequence[Task],
        ledger: CallLedger,
        finished: Callable[[int, Ranking], None],
        guard: FailureGuard,
    ) -> Iterator[tuple[int, TaskState]]:
        for number, one in enumerate(self.replay(tasks, ledger)):
            if one.ranking is None:
                yield number, one
            else:
                guard.count(one.failure)
                finished(number, one.ranking)

    def replay(self, tasks: Iterable[Task], ledger: CallLedger) -> Iterator[TaskState]:
        """Every task as far as the ledger carries it."""
        left, chunk = iter(tasks), _SMALL
        while batch := list(islice(left, chunk)):
            with _uncollected():
                running = [TaskState(task, self.asking.session(task)) for task in batch]
                for one in running:
                    one.advance(None)
                ready = running
                while ready := [one for one in ready if one.ranking is None]:
                    ready = self._replayed(ready, ledger)
            chunk = _LARGE if all(one.ranking is not None for one in running) else _SMALL
            yield from running

    def _replayed(self, running: Sequence[TaskState], ledger: CallLedger) -> list[TaskState]:
        """Those of `running` whose present round the ledger held whole, one round further."""
        keys = [[self.key(request) for request in one.requests] for one in running]
        wanted = {key for some in keys for key in some}
        given_up = ledger.given_up(wanted)
        held = ledger.get_many(wanted - given_up.keys())
        ahead = []
        for one, of_round in zip(running, keys, strict=True):
            for number, key in enumerate(of_round):
                if key in held:
                    self.tally.add_cached(one.requests[number].messages, held[key].input_tokens)
                    one.replies[number] = one.requests[number].read(held[key].response, False)
                elif key in given_up:
                    one.replies[number], failure = reply_given_up(one.requests[number], given_up[key])
                    one.failures += [failure] if failure is not None else []
                elif key in self.misses:
                    one.replies[number] = self.misses[key]
            if len(one.replies) == len(one.requests):
                one.advance([one.replies[number] for number in range(len(one.requests))])
                ahead.append(one)
        return ahead


@contextmanager
def _uncollected() -> Iterator[None]:
    """Replaying makes millions of objects that live shortly and form no cycles; the collector would walk over them
    again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
