"""From tasks to rankings: what the ledger holds is replayed, everything else is asked with many requests in flight.

An answer is in the ledger before anything is made of it, so whatever kills the process loses the requests in flight and no more.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from harness.labelling.asking import Asking, Request
from harness.labelling.ranking import Ranking
from harness.labelling.strategies.base import Reply
from harness.teachers.base import Task
from harness.teachers.chat.backend import Backend
from harness.teachers.chat.flight import Flight
from harness.teachers.chat.running import Running

if TYPE_CHECKING:
    from harness.labelling.ledger import Ledger
    from harness.stage import Progress

_CHUNK = 200
"""Tasks replayed at once."""


@dataclass
class Driver:
    """Drives the sessions of one teacher.

    `key` names a request in the ledger; `open` gives the backend and is called only when something must be asked; `price` gives
    the most that a request can cost, in USD. `missed` remembers replies that were no answer, so that one process pays for them once.
    """

    asking: Asking
    model: str
    key: Callable[[Request], str]
    open: Callable[[], AbstractAsyncContextManager[Backend]]
    price: Callable[[Request], float]
    asks: int = 1
    """How often a request that brings no answer at all is sent; empty answers, which are mostly mishaps, at least three times."""
    missed: dict[str, Reply] = field(default_factory=dict)

    def label(self, tasks: Sequence[Task], ledger: Ledger, progress: Progress) -> Iterator[Ranking]:
        """A ranking for every task, in their order."""
        rankings = [one.ranking for one in self.replay(tasks, ledger)]
        waiting = [number for number, ranking in enumerate(rankings) if ranking is None]
        done = len(rankings) - len(waiting)
        progress(done, len(rankings), "queries")
        if waiting:

            def finished(number: int, ranking: Ranking) -> None:
                nonlocal done
                rankings[number], done = ranking, done + 1
                progress(done, len(rankings), "queries")

            asyncio.run(Flight(self, ledger, finished).finish((number, tasks[number]) for number in waiting))
        for ranking in rankings:
            assert ranking is not None
            yield ranking

    def replay(self, tasks: Iterable[Task], ledger: Ledger) -> Iterator[Running]:
        """Every task as far as the ledger carries it."""
        left = iter(tasks)
        while chunk := list(islice(left, _CHUNK)):
            with _uncollected():
                running = [Running(task, self.asking.session(task)) for task in chunk]
                for one in running:
                    one.advance(None)
                ready = running
                while ready := [one for one in ready if one.ranking is None]:
                    ready = self._replayed(ready, ledger)
            yield from running

    def _replayed(self, running: Sequence[Running], ledger: Ledger) -> list[Running]:
        """Those of `running` whose present round the ledger held whole, one round further."""
        keys = [[self.key(request) for request in one.requests] for one in running]
        held = ledger.get_many(key for some in keys for key in some)
        ahead = []
        for one, wanted in zip(running, keys, strict=True):
            for number, key in enumerate(wanted):
                if key in held:
                    one.replies[number] = one.requests[number].read(held[key].response, False)
                elif key in self.missed:
                    one.replies[number] = self.missed[key]
            if len(one.replies) == len(one.requests):
                one.advance([one.replies[number] for number in range(len(one.requests))])
                ahead.append(one)
        return ahead


@contextmanager
def _uncollected() -> Iterator[None]:
    """Replaying makes millions of objects that live shortly and form no cycles; the collector would walk over them again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
