"""What happens in a running sweep, handed to whoever wants to show it."""

from __future__ import annotations

from harness.ledger.call_ledger import CallLedger
from harness.stage import Stage


class Observer:
    """Receives the events of one sweep, in order, from one thread; several stages may run at once. What a class does
    not take up passes unseen."""

    def planned(self, waiting: list[Stage], cached: int, ledger: CallLedger) -> None:
        """Stages that are `waiting` will be made; `cached` are there already."""

    def started(self, stage: Stage) -> None:
        """It runs from now on."""

    def progress(self, stage: Stage, done: int, total: int, unit: str) -> None:
        """How far a running stage is."""

    def finished(self, stage: Stage, seconds: float) -> None:
        """It is made."""

    def cached(self, stage: Stage) -> None:
        """Another process made it in the meantime."""

    def failed(self, stage: Stage, reason: str, skipped: list[Stage]) -> None:
        """It is not made, nor is what rests on it."""

    def close(self) -> None:
        """Leave the screen as it was; called at the end, however it came."""


class NullObserver(Observer):
    """Shows nothing."""


class ObserverGroup(Observer):
    """Hands every event on to each of some observers."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def _hand_on(self, event: str, *details: object) -> None:
        for observer in self._observers:
            getattr(observer, event)(*details)

    def planned(self, waiting: list[Stage], cached: int, ledger: CallLedger) -> None:
        self._hand_on("planned", waiting, cached, ledger)

    def started(self, stage: Stage) -> None:
        self._hand_on("started", stage)

    def progress(self, stage: Stage, done: int, total: int, unit: str) -> None:
        self._hand_on("progress", stage, done, total, unit)

    def finished(self, stage: Stage, seconds: float) -> None:
        self._hand_on("finished", stage, seconds)

    def cached(self, stage: Stage) -> None:
        self._hand_on("cached", stage)

    def failed(self, stage: Stage, reason: str, skipped: list[Stage]) -> None:
        self._hand_on("failed", stage, reason, skipped)

    def close(self) -> None:
        self._hand_on("close")
