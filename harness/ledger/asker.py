"""Who asks: a process, told from all others, and whether it is still alive."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

import psutil

LEASE, BEAT = 300.0, 60.0
"""Seconds for which an asker is believed alive where it cannot be looked at, and between two of its signs of life."""
_SAME_START = 5.0
"""Seconds by which two looks at the start of one process may differ: the system's clock is set now and then."""


class Asker(NamedTuple):
    """A process that claims calls. `until` (seconds since 1970) counts for other machines only."""

    host: str
    pid: int
    since: float
    until: float

    def is_alive(self, now: float) -> bool:
        """Whether its claims hold: on this machine as long as the process runs, elsewhere until its lease ends."""
        if self.host != host():
            return self.until > now
        with suppress(psutil.Error):
            process = psutil.Process(self.pid)
            is_same = abs(process.create_time() - self.since) < _SAME_START
            return bool(is_same and process.status() != psutil.STATUS_ZOMBIE)
        return False


def this_process(now: float) -> Asker:
    """The process that calls, with a fresh lease."""
    return Asker(host(), os.getpid(), psutil.Process().create_time(), now + LEASE)


@cache
def host() -> str:
    """This machine, and on it the space in which process numbers mean something: containers have their own."""
    with suppress(OSError):
        return f"{socket.gethostname()} {Path('/proc/self/ns/pid').readlink()}"
    return socket.gethostname()
