"""The numerics of the work at hand: of the sweep that is planned, of the stage that runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from harness.numerics.numerics_class import Numerics

_ACTIVE: ContextVar[Numerics | None] = ContextVar("numerics", default=None)


def active_numerics() -> Numerics | None:
    """What was resolved for the work at hand; None outside of any."""
    return _ACTIVE.get()


@contextmanager
def using_numerics(numerics: Numerics) -> Iterator[None]:
    """Stages and teachers that are made inside are of `numerics`, and models compute so; other threads do not."""
    token = _ACTIVE.set(numerics)
    try:
        yield
    finally:
        _ACTIVE.reset(token)
