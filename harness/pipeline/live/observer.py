"""What happens in a running sweep, told to whoever wants to show it."""

from __future__ import annotations

from typing import Protocol

from harness.ledger.ledger import Ledger
from harness.stage import Stage


class Observer(Protocol):
    """Receives the events of one sweep, in order, from one thread."""

    def planned(self, waiting: list[Stage], cached: int, ledger: Ledger) -> None: ...
    def started(self, stage: Stage) -> None: ...
    def progress(self, done: int, total: int, unit: str) -> None: ...
    def finished(self, stage: Stage, seconds: float) -> None: ...
    def cached(self, stage: Stage) -> None:
        """Another process made it in the meantime."""
        ...

    def failed(self, stage: Stage, reason: str, skipped: list[Stage]) -> None: ...
    def close(self) -> None:
        """Leave the screen as it was; called at the end, however it came."""
        ...


class NullObserver:
    """Shows nothing."""

    def planned(self, waiting: list[Stage], cached: int, ledger: Ledger) -> None:
        pass

    def started(self, stage: Stage) -> None:
        pass

    def progress(self, done: int, total: int, unit: str) -> None:
        pass

    def finished(self, stage: Stage, seconds: float) -> None:
        pass

    def cached(self, stage: Stage) -> None:
        pass

    def failed(self, stage: Stage, reason: str, skipped: list[Stage]) -> None:
        pass

    def close(self) -> None:
        pass


class ObserverGroup:
    """Tells every one of some observers."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def planned(self, waiting: list[Stage], cached: int, ledger: Ledger) -> None:
        for one in self._observers:
            one.planned(waiting, cached, ledger)

    def started(self, stage: Stage) -> None:
        for one in self._observers:
            one.started(stage)

    def progress(self, done: int, total: int, unit: str) -> None:
        for one in self._observers:
            one.progress(done, total, unit)

    def finished(self, stage: Stage, seconds: float) -> None:
        for one in self._observers:
            one.finished(stage, seconds)

    def cached(self, stage: Stage) -> None:
        for one in self._observers:
            one.cached(stage)

    def failed(self, stage: Stage, reason: str, skipped: list[Stage]) -> None:
        for one in self._observers:
            one.failed(stage, reason, skipped)

    def close(self) -> None:
        for one in self._observers:
            one.close()
