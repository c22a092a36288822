"""Losses on a few numbers gain nothing from threads, and lose much where other work has the cores."""

from __future__ import annotations

from tests.threads import one_thread  # noqa: F401
