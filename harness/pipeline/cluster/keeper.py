"""The one process of a cluster that has the ledger's file open, and through which workers say how far they are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

from harness.ledger.asker import Asker
from harness.ledger.calls import Usage
from harness.ledger.serving_ledger import ServingLedger
from harness.llm.pace.shared_pace import MinuteRates, PaceBook, Turn
from harness.pipeline.isolation.child_work import LedgerTerms

Order = Callable[[ServingLedger], Any]


class KeeperReply(NamedTuple):
    """What an order came to: a value, or what it raised."""

    value: Any = None
    error: Exception | None = None

    def result(self) -> Any:
        """The value. Raises the error."""
        if self.error is not None:
            raise self.error
        return self.value


class StageNews(NamedTuple):
    """What a worker says of a stage: that it has begun, or (with `total`) how far it is."""

    key: str
    attempt: str
    """Tells the tries of one stage apart."""
    paid: Usage = Usage()
    """By this try so far."""
    done: int = 0
    total: int = -1
    unit: str = ""


class Keeper:
    """An actor; its methods run one after another. It may die and come back at any moment: what counts is in the file,
    and whoever asked asks again."""

    def __init__(self, terms: LedgerTerms, sweep: str) -> None:
        self._ledger = ServingLedger(terms.path, sweep)
        terms.apply(self._ledger)
        self._pace = PaceBook()
        self._news: list[StageNews] = []
        self._is_news = asyncio.Event()

    async def serve(self, asker: Asker, order: Order) -> KeeperReply:
        """Carry out an order that may be carried out twice."""
        return _answer(lambda: self._ledger.serve(asker, order))

    async def serve_once(self, asker: Asker, order: Order, receipt: str) -> KeeperReply:
        """Carry out an order that adds something, once a receipt."""
        return _answer(lambda: self._ledger.serve_once(asker, order, receipt))

    async def turn(self, service: str, rates: MinuteRates, tokens: int) -> Turn:
        """When a request may start, as all workers ask."""
        return self._pace.turn(service, rates, tokens)

    async def complained(self, service: str, age: float, retry_after: float | None) -> Turn:
        """A provider wants less, from all workers."""
        return self._pace.complained(service, age, retry_after)

    async def tell(self, news: StageNews) -> None:
        """Hand on what a worker says."""
        self._news.append(news)
        self._is_news.set()

    async def news(self) -> list[StageNews]:
        """What was told since the last time; waits until there is something."""
        await self._is_news.wait()
        self._is_news.clear()
        found, self._news = self._news, []
        return found


def _answer(work: Callable[[], Any]) -> KeeperReply:
    try:
        return KeeperReply(work())
    except Exception as error:
        # Raised across processes it would be dressed up with the trace of this one.
        return KeeperReply(error=error)
