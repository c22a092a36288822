"""Standard output holds what a command was asked for, and nothing else: whatever plug-ins, libraries and processes
print meanwhile goes to standard error."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

_streams: list[TextIO] = []


def output() -> TextIO:
    """Where a command writes what it was asked for."""
    return _streams[-1] if _streams else sys.stdout


@contextmanager
def diverted() -> Iterator[None]:
    """Inside, only `output()` leads to standard output."""
    before = sys.stdout
    number = 1 if before is sys.__stdout__ else None
    with _duplicate(before, number) as stream:
        _streams.append(stream)
        sys.stdout = sys.stderr
        try:
            yield
            stream.flush()
        finally:
            _streams.pop()
            sys.stdout = before


@contextmanager
def _duplicate(before: TextIO, number: int | None) -> Iterator[TextIO]:
    """A stream of its own to where the descriptor leads, which leads to standard error meanwhile: C code and children
    know no other name for it. The stream itself where it is none of the process's."""
    before.flush()
    if number is None:
        yield before
        return
    stream = os.fdopen(os.dup(number), "w", encoding=before.encoding, errors=before.errors)
    os.dup2(2, number)
    try:
        yield stream
    finally:
        os.dup2(stream.fileno(), number)
        # A reader that went away is told of by the flush before.
        with suppress(OSError):
            stream.close()
