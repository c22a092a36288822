"""The end of the process: threads that a plug-in or a library started, and that never end, do not keep it."""

from __future__ import annotations

import os
import sys
import threading

_PATIENCE = 5.0
"""Seconds that threads have to end once the command is done."""


def limit_end(code: int) -> None:
    """From now on the process waits for its threads for some seconds at most, and ends with `code` then."""
    timer = threading.Timer(_PATIENCE, _end, (code,))
    timer.daemon = True
    timer.start()


def _end(code: int) -> None:
    frame = sys._current_frames().get(threading.main_thread().ident or 0)
    while frame is not None and frame.f_back is not None:
        frame = frame.f_back
    # Whoever called the command line in a process of their own goes on there, and nobody waits.
    if frame is not None and frame.f_code.co_filename == threading.__file__:
        os._exit(code)
