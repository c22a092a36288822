"""The view of a running sweep: one live table on a terminal, one line an event elsewhere."""

from __future__ import annotations

import sys
import time

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from harness.ledger.call_ledger import CallLedger
from harness.pipeline.live.observer import Observer
from harness.pipeline.live.tally import Tally
from harness.stage import Stage
from harness.text import clock, counted


def rest_text(skipped: list[Stage]) -> str:
    """How many stages cannot be made without the failed one."""
    return f"{counted(len(skipped), 'stage')} {'rests' if len(skipped) == 1 else 'rest'} on it"


class TallyView(Observer):
    """Counts what happens; `past` are mean seconds of each kind of stage before this sweep."""

    _at_once = 1

    def __init__(self, past: dict[str, float]) -> None:
        self.tally = Tally()
        self.running: dict[str, Stage] = {}
        self._past = past

    def planned(self, waiting: list[Stage], cached: int, ledger: CallLedger) -> None:
        self.tally.plan(stage.kind for stage in waiting)

    def started(self, stage: Stage) -> None:
        self.running[stage.key] = stage

    def finished(self, stage: Stage, seconds: float) -> None:
        self._ended(stage)
        self.tally.finish(stage.kind, seconds)

    def cached(self, stage: Stage) -> None:
        self._ended(stage)
        self.tally.finish(stage.kind)

    def failed(self, stage: Stage, reason: str, skipped: list[Stage]) -> None:
        self._ended(stage)
        self.tally.fail(one.kind for one in [stage, *skipped])

    def _ended(self, stage: Stage) -> None:
        self._at_once = len(self.running)
        self.running.pop(stage.key, None)

    @property
    def _remaining(self) -> float | None:
        """Seconds to go, if as many stages run side by side as did when the last one ended."""
        rest = self.tally.remaining(self._past)
        return None if rest is None else rest / max(self._at_once, 1)


class LineView(TallyView):
    """One line a finished stage, on standard error; for logs and pipes."""

    def __init__(self, past: dict[str, float]) -> None:
        super().__init__(past)
        self._last: dict[str, float] = {}

    def planned(self, waiting: list[Stage], cached: int, ledger: CallLedger) -> None:
        super().planned(waiting, cached, ledger)
        self._say(f"{counted(len(waiting), 'stage')} to run, {cached:,} done before")

    def started(self, stage: Stage) -> None:
        super().started(stage)
        self._last[stage.key] = time.monotonic()

    def progress(self, stage: Stage, done: int, total: int, unit: str) -> None:
        if time.monotonic() - self._last[stage.key] > 30:
            self._last[stage.key] = time.monotonic()
            which = f"{stage.kind} {stage.label}: " if len(self.running) > 1 else ""
            self._say(f"  ... {which}{done:,} of {total:,} {unit}")

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
        self._ledger: CallLedger | None = None
        self._before = 0
        self._inside: dict[str, str] = {}
        self._begun = time.monotonic()
        self._console = Console(stderr=True)
        self._live = Live(console=self._console, refresh_per_second=4, transient=True, get_renderable=self._draw)

    def planned(self, waiting: list[Stage], cached: int, ledger: CallLedger) -> None:
        super().planned(waiting, cached, ledger)
        self._before, self._ledger = cached, ledger
        if waiting:
            self._live.start()

    def progress(self, stage: Stage, done: int, total: int, unit: str) -> None:
        self._inside[stage.key] = f"{done:,} of {total:,} {unit}"

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
        # Drawn from a thread of its own while stages begin and end.
        running = list(self.running.values())
        kinds = {stage.kind for stage in running}
        for kind, total in self.tally.total.items():
            mark = "▸ " if kind in kinds else "  "
            failed = str(self.tally.failed[kind] or "")
            table.add_row(mark + kind, str(self.tally.done[kind]), str(total), failed, clock(self.tally.seconds[kind]))
        now = [Text(f"{one.kind} {one.label}  {self._inside.get(one.key, '')}", style="bold") for one in running]
        return Group(table, *now, Text(self._summary(), style="dim"))

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
