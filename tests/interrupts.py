"""Processes that heed an interruption, however the tests themselves were started."""

from __future__ import annotations

import signal


def heed_interrupts() -> None:
    """For `preexec_fn`: a shell that starts the suite in the background has its children ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
