"""The view of a running sweep: one live table on a terminal, one line an event elsewhere."""

from __future__ import annotations

import sys
import time

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from harness.ledger.ledger import Ledger
from harness.pipeline.live.observer import Observer
from harness.pipeline.live.tally import Tally
from harness.stage import Stage
from harness.text import clock, counted


def rest_text(skipped: list[Stage]) -> str:
    """How many stages cannot be made without the failed one."""
    return f"{counted(len(skipped), 'stage')} {'rests' if len(skipped) == 1 else 'rest'} on it"


class TallyView(Observer):
    """Counts what happens; `past` are mean seconds of each kind of stage before this sweep."""

    def __init__(self, past: dict[str, float]) -> None:
        self.tally = Tally()
        self._past = past

    def planned(self, waiting: list[Stage], cached: int, ledger: Ledger) -> None:
        self.tally.plan(stage.kind for stage in waiting)

    def finished(self, stage: Stage, seconds: float) -> None:
        self.tally.finish(stage.kind, seconds)

    def cached(self, stage: Stage) -> None:
        self.tally.finish(stage.kind)

    def failed(self, stage: Stage, reason: str, skipped: list[Stage]) -> None:
        self.tally.fail(one.kind for one in [stage, *skipped])

    @property
    def _remaining(self) -> float | None:
        return self.tally.remaining(self._past)


class LineView(TallyView):
    """One line a finished stage, on standard error; for logs and pipes."""

    _last = 0.0

    def planned(self, waiting: list[Stage], cached: int, ledger: Ledger) -> None:
        super().planned(waiting, cached, ledger)
        self._say(f"{counted(len(waiting), 'stage')} to run, {cached:,} done before")

    def started(self, stage: Stage) -> None:
        self._last = time.monotonic()

    def progress(self, done: int, total: int, unit: str) -> None:
        if time.monotonic() - self._last > 30:
            self._last = time.monotonic()
            self._say(f"  ... {done:,} of {total:,} {unit}")

    def finished(self, stage: Stage, seconds: float) -> None:
        super().finished(stage, seconds)
        rest = self._remaining
        eta = f", about {clock(rest)} to go" if rest else ""
        self._say(f"[{self.tally.ended}/{self.tally.total.total()}] {stage.kind} {stage.label}: {clock(seconds)}{eta}")

    def failed(self, stage: Stage, reason: str, skipped: list[Stage]) -> None:
        super().failed(stage, reason, skipped)
        self._say(f"FAILED {stage.kind} {stage.label}: {reason} ({rest_text(skipped)})")

    @staticmethod
    def _say(text: str) -> None:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


class TableView(TallyView):
    """A table that redraws in place: a row a kind of stage, what runs now, labels paid for, time to go."""

    def __init__(self, past: dict[str, float]) -> None:
        super().__init__(past)
        self._ledger: Ledger | None = None
        self._before = 0
        self._running: Stage | None = None
        self._inside = ""
        self._begun = time.monotonic()
        self._console = Console(stderr=True)
        self._live = Live(console=self._console, refresh_per_second=4, transient=True, get_renderable=self._draw)

    def planned(self, waiting: list[Stage], cached: int, ledger: Ledger) -> None:
        super().planned(waiting, cached, ledger)
        self._before, self._ledger = cached, ledger
        if waiting:
            self._live.start()

    def started(self, stage: Stage) -> None:
        self._running, self._inside = stage, ""

    def progress(self, done: int, total: int, unit: str) -> None:
        self._inside = f"{done:,} of {total:,} {unit}"

    def failed(self, stage: Stage, reason: str, skipped: list[Stage]) -> None:
        super().failed(stage, reason, skipped)
        self._console.print(
            f"[red]failed[/red] {escape(f'{stage.kind} {stage.label}: {reason}')} ({rest_text(skipped)})"
        )

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
        rest = self._remaining
        parts = [
            f"{clock(time.monotonic() - self._begun)} gone",
            f"about {clock(rest)} to go" if rest is not None else "time to go unknown",
            f"{counted(self._before, 'stage')} done before",
        ]
        if self._ledger is not None:
            paid = self._ledger.paid
            parts.append(
                f"LLM: {counted(paid.calls, 'call')}, {paid.input_tokens + paid.output_tokens:,} tokens, "
                f"{paid.usd:.2f} USD"
            )
        return " · ".join(parts)


def view(past: dict[str, float]) -> Observer:
    """The live table when standard error is a terminal, lines otherwise."""
    return TableView(past) if sys.stderr.isatty() else LineView(past)
