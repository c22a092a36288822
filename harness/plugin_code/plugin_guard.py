"""Code of plug-ins that runs in the process of a command (it loads, it plans, it is checked) has a limit of time there,
and cannot end the process.

In the main thread a timer interrupts it, time and again where it swallows that. What Python cannot interrupt, a loop in
C, is ended together with the process by faulthandler, which writes where it was. In other threads there is no limit.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType, TracebackType
from typing import NoReturn

_AGAIN = 2.0
"""Seconds between two interruptions."""
_GRACE = 20.0
"""Seconds between the first interruption and the end of the process."""
_guarded: set[int] = set()
"""Threads that are inside."""


class _Stop(BaseException):
    """Ends what is inside with `error`; not an Exception, which plug-ins may swallow."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


@contextmanager
def plugin_guard(seconds: float) -> Iterator[None]:
    """Inside, code of a plug-in has so many seconds. Raises TimeoutError where it takes longer, RuntimeError where it
    calls ``os._exit``; whatever else it raises passes through. Another working directory is left again. Inside another
    guard that one holds."""
    thread = threading.get_ident()
    if thread in _guarded:
        yield
        return
    _guarded.add(thread)
    try:
        with _same_folder(), _no_exit(), _timer(seconds):
            yield
    except _Stop as stop:
        raise stop.error.with_traceback(_outside(stop.__traceback__)) from None
    finally:
        _guarded.discard(thread)


def _outside(trace: TracebackType | None) -> TracebackType | None:
    """The traceback without the frames of this module at its end, which are where the plug-in was stopped."""
    steps = []
    while trace is not None:
        steps.append(trace)
        trace = trace.tb_next
    while steps and steps[-1].tb_frame.f_code.co_filename == __file__:
        steps.pop()
    rest: TracebackType | None = None
    for step in reversed(steps):
        rest = TracebackType(rest, step.tb_frame, step.tb_lasti, step.tb_lineno)
    return rest


@contextmanager
def _same_folder() -> Iterator[None]:
    """Paths that people gave are relative to where they were."""
    before = os.open(".", os.O_RDONLY)
    try:
        yield
    finally:
        os.fchdir(before)
        os.close(before)


@contextmanager
def _no_exit() -> Iterator[None]:
    """``os._exit`` stops the plug-in alone; in processes that it forks it is as ever."""
    before, process = os._exit, os.getpid()

    def leave(status: int) -> NoReturn:
        if os.getpid() == process:
            raise _Stop(RuntimeError(f"it called os._exit({status!r}), which would have ended the command"))
        before(status)

    os._exit = leave
    try:
        yield
    finally:
        os._exit = before


@contextmanager
def _timer(limit: float) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise _Stop(TimeoutError(f"it ran longer than the timeout of {limit:g} s"))

    handler, (rest, interval) = signal.signal(signal.SIGALRM, stop), signal.setitimer(signal.ITIMER_REAL, limit, _AGAIN)
    # Standard error may be something that is no file, in a notebook for example.
    with suppress(AttributeError, OSError, ValueError):
        faulthandler.dump_traceback_later(limit + _GRACE, exit=True, file=sys.__stderr__ or sys.stderr)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        faulthandler.cancel_dump_traceback_later()
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, rest, interval)
