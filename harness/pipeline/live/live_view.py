"""The view of a running sweep: one live table on a terminal, one line an event elsewhere."""

from __future__ import annotations

import sys
import time
from collections import Counter
from dataclasses import dataclass, field

from rich.console import Console, Group
from rich.live import Live as RichLive
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from harness.ledger.ledger import Ledger
from harness.pipeline.live.observer import NullObserver, Observer
from harness.stage import Stage
from harness.text import clock


@dataclass
class Tally:
    """How far a sweep is: stages by kind and state, and the time they took."""

    total: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    seconds: Counter[str] = field(default_factory=Counter)
    cached: int = 0

    def finish(self, kind: str, seconds: float) -> None:
        self.done[kind] += 1
        self.seconds[kind] += seconds  # type: ignore[assignment]  # Counter adds floats as well

    @property
    def ended(self) -> int:
        return self.done.total() + self.failed.total()

    def remaining(self, past: dict[str, float]) -> float | None:
        """Seconds still to go, from the mean time of each kind here or in `past`; None while a waiting kind has no known time."""
        rest = 0.0
        for kind, total in self.total.items():
            waiting = total - self.done[kind] - self.failed[kind]
            mean = self.mean(kind, past)
            if waiting and mean is None:
                return None
            rest += waiting * (mean or 0.0)
        return rest

    def mean(self, kind: str, past: dict[str, float]) -> float | None:
        """Mean seconds of a kind of stage, here or else in `past`."""
        return self.seconds[kind] / self.done[kind] if self.done[kind] else past.get(kind)


class LineView(NullObserver):
    """One line a finished stage, on standard error; for logs and pipes."""

    def __init__(self, past: dict[str, float]) -> None:
        self.tally = Tally()
        self.past = past
        self._last = 0.0

    def planned(self, waiting: list[Stage], cached: int, ledger: Ledger) -> None:
        self.tally.total.update(stage.kind for stage in waiting)
        self.tally.cached = cached
        self._say(f"{len(waiting)} stages to run, {cached} done before")

    def started(self, stage: Stage) -> None:
        self._last = time.monotonic()

    def progress(self, done: int, total: int, unit: str) -> None:
        if time.monotonic() - self._last > 30:
            self._last = time.monotonic()
            self._say(f"  ... {done:,} of {total:,} {unit}")

    def finished(self, stage: Stage, seconds: float) -> None:
        self.tally.finish(stage.kind, seconds)
        rest = self.tally.remaining(self.past)
        eta = f", about {clock(rest)} to go" if rest else ""
        self._say(f"[{self.tally.ended}/{self.tally.total.total()}] {stage.kind} {stage.label}: {clock(seconds)}{eta}")

    def cached(self, stage: Stage) -> None:
        self.tally.finish(stage.kind, 0.0)

    def failed(self, stage: Stage, reason: str, skipped: list[Stage]) -> None:
        self.tally.failed.update([stage.kind, *(other.kind for other in skipped)])
        self._say(f"FAILED {stage.kind} {stage.label}: {reason} ({len(skipped)} stages rest on it)")

    @staticmethod
    def _say(text: str) -> None:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


class Live(NullObserver):
    """A table that redraws in place: a row a kind of stage, what runs now, labels paid for, time to go."""

    def __init__(self, past: dict[str, float]) -> None:

        self.tally = Tally()
        self.past = past
        self._ledger: Ledger | None = None
        self._running: Stage | None = None
        self._inside = ""
        self._begun = time.monotonic()
        self._console = Console(stderr=True)
        self._live = RichLive(console=self._console, refresh_per_second=4, transient=True, get_renderable=self._draw)

    def planned(self, waiting: list[Stage], cached: int, ledger: Ledger) -> None:
        self.tally.total.update(stage.kind for stage in waiting)
        self.tally.cached = cached
        self._ledger = ledger
        if waiting:
            self._live.start()

    def started(self, stage: Stage) -> None:
        self._running, self._inside = stage, ""

    def progress(self, done: int, total: int, unit: str) -> None:
        self._inside = f"{done:,} of {total:,} {unit}"

    def finished(self, stage: Stage, seconds: float) -> None:
        self.tally.finish(stage.kind, seconds)

    def cached(self, stage: Stage) -> None:
        self.tally.finish(stage.kind, 0.0)

    def failed(self, stage: Stage, reason: str, skipped: list[Stage]) -> None:

        self.tally.failed.update([stage.kind, *(other.kind for other in skipped)])
        self._console.print(f"[red]failed[/red] {escape(f'{stage.kind} {stage.label}: {reason}')} ({len(skipped)} stages rest on it)")

    def close(self) -> None:
        self._live.stop()

    def _draw(self) -> Group:

        table = Table("stage", box=None, pad_edge=False)
        for title in ("done", "of", "failed", "time"):
            table.add_column(title, justify="right")
        for kind, total in self.tally.total.items():
            mark = "▸ " if self._running is not None and kind == self._running.kind else "  "
            failed = str(self.tally.failed[kind] or "")
            table.add_row(mark + kind, str(self.tally.done[kind]), str(total), failed, clock(self.tally.seconds[kind]))
        now = f"{self._running.kind} {self._running.label}  {self._inside}" if self._running is not None else ""
        return Group(table, Text(now, style="bold"), Text(self._summary(), style="dim"))

    def _summary(self) -> str:
        rest = self.tally.remaining(self.past)
        parts = [
            f"{clock(time.monotonic() - self._begun)} gone",
            f"about {clock(rest)} to go" if rest is not None else "time to go unknown",
        ]
        parts.append(f"{self.tally.cached} stages done before")
        if self._ledger is not None:
            paid = self._ledger.paid
            parts.append(f"LLM: {paid.calls:,} calls, {paid.input_tokens + paid.output_tokens:,} tokens, {paid.usd:.2f} USD")
        return " · ".join(parts)


def view(past: dict[str, float]) -> Observer:
    """The live table when standard error is a terminal, lines otherwise."""
    return Live(past) if sys.stderr.isatty() else LineView(past)
