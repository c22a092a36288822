"""Who carries stages out: in turn, in workers of this machine, or on a cluster. The executor's loop is one for all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from harness.pipeline.graph import Queue
from harness.pipeline.live.observer import Observer
from harness.pipeline.store import Manifest
from harness.stage import Stage

Tell = Callable[[Stage, int, int, str], None]
Made = Callable[[], Manifest | None]
"""What a stage came to: its manifest, None where another process made it; raises what it raised."""


class Crew(AbstractContextManager["Crew"], Protocol):
    """Takes stages and gives them back ended. Everything is told to the observer on the thread of whoever waits.

    Left with an error, it ends what runs first.
    """

    @property
    def running(self) -> Mapping[str, Stage]:
        """What it has taken and not given back, by key."""
        ...

    def start(self, queue: Queue, observer: Observer) -> None:
        """Take the stages of `queue` that are ready and have room, best first; none twice."""
        ...

    def wait(self, observer: Observer) -> tuple[Stage, Made]:
        """The next stage that ends; what others say meanwhile is told."""
        ...

    def withdraw(self) -> None:
        """Give up what was taken and has not begun."""
        ...
