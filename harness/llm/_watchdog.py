"""Runs a server's command and sees to its end, however the harness ends. A script of its own: ``python _watchdog.py
GRACE COMMAND ...``.

Standard input is a pipe whose other end only the harness holds. When it closes (the harness is done, was interrupted,
or was killed), the command and all that it started are ended, first gently. When the command ends by itself, so does
this. It is two processes: the first only waits for the second, which does all this when the first is killed, too.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

_TURN = 0.25
"""Seconds between two looks at the command."""
_LAST = 10.0
"""Seconds for what was killed to be gone."""
_SET_PDEATHSIG, _SET_CHILD_SUBREAPER = 1, 36


def main(grace: float, command: list[str]) -> int:
    """Give the command `grace` seconds to end once it is told to. Returns its own exit status where it ended by itself,
    else 0."""
    harness = os.getpid()
    if watchdog := os.fork():
        # What kills this process, as engines kill the children of their workers, does not reach the watchdog.
        return os.waitstatus_to_exitcode(os.waitpid(watchdog, 0)[1])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(0))
    # What outlives its parent becomes a child of this process, and is found.
    _prctl(_SET_CHILD_SUBREAPER, 1)
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=_die_with_watchdog)
    try:
        while child.poll() is None:
            if select.select([0], [], [], _TURN)[0] or os.getppid() != harness:
                return 0
        return child.returncode
    finally:
        _end(child, grace)


def _end(child: subprocess.Popen[bytes], grace: float) -> None:
    _end_group(child, signal.SIGTERM, grace)
    _end_group(child, signal.SIGKILL, _LAST)


def _end_group(child: subprocess.Popen[bytes], number: signal.Signals, seconds: float) -> None:
    """Signal the command's group, and whatever of it comes to be this process's own child as its parents end."""
    with contextlib.suppress(OSError):
        os.killpg(child.pid, number)
    told = {child.pid}
    end = time.monotonic() + seconds
    while time.monotonic() < end and (child.poll() is None or _children()):
        for one in set(_children()) - told:
            told.add(one)
            with contextlib.suppress(OSError):
                os.kill(one, number)
        _reap(child)
        time.sleep(0.02)


def _children() -> list[int]:
    with contextlib.suppress(OSError):
        return [int(one) for one in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]
    return []


def _reap(child: subprocess.Popen[bytes]) -> None:
    child.poll()
    with contextlib.suppress(OSError):
        for one in _children():
            if one != child.pid:
                os.waitpid(one, os.WNOHANG)


def _die_with_watchdog() -> None:
    _prctl(_SET_PDEATHSIG, signal.SIGTERM)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), sys.argv[2:]))
