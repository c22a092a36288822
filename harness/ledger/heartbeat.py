"""Signs of life of a process that asks, for machines that share its ledger and cannot see it."""

from __future__ import annotations

import sqlite3
import threading
import weakref
from contextlib import suppress
from typing import Protocol

from harness.errors import UserError
from harness.ledger.asker import BEAT


class Renewable(Protocol):
    """What has signs of life to give."""

    def renew(self) -> None: ...


class Heartbeat:
    """Renews in a thread of its own, from `start` until `stop`, or until what it renews is gone."""

    def __init__(self, renewable: Renewable) -> None:
        self._renewable = weakref.ref(renewable)
        self._stopped = threading.Event()

    def start(self) -> None:
        """Begin; after a fork it begins anew."""
        self._stopped = threading.Event()
        beats = threading.Thread(target=_beat, args=(self._renewable, self._stopped), name="heartbeat", daemon=True)
        beats.start()

    def stop(self) -> None:
        """End."""
        self._stopped.set()


def _beat(renewable: weakref.ref[Renewable], stopped: threading.Event) -> None:
    while not stopped.wait(BEAT):
        if (found := renewable()) is None:
            return
        # A busy or full disk: the next beat may do better.
        with suppress(sqlite3.Error, UserError, OSError):
            found.renew()
        del found
