"""How many threads a stage computes with. The last bits of sums depend on it, so it depends neither on the cores of a
machine nor on how many stages run side by side."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from harness._lazy import lazy
from harness.device import HELD_THREADS, THREADS, threads

threadpoolctl = lazy("threadpoolctl")
torch = lazy("torch")


@contextmanager
def stage_threads(number: int | None = None) -> Iterator[None]:
    """NumPy and torch compute with so many threads here, or as many as people said; as before afterwards."""
    count, before = number or threads(), os.environ.get(THREADS)
    # For libraries that load inside.
    os.environ[THREADS] = str(count)
    if before is None:
        os.environ[HELD_THREADS] = THREADS
    own = torch.get_num_threads() if "torch" in sys.modules else None
    try:
        with threadpoolctl.threadpool_limits(count):
            if own is not None:
                torch.set_num_threads(count)
            yield
    finally:
        if before is None:
            for name in (THREADS, HELD_THREADS):
                os.environ.pop(name, None)
        if own is not None:
            torch.set_num_threads(own)
