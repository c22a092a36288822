"""What a sweep's journal tells so far: its lines folded into how far every stage and every cell is."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from harness.pipeline.live.tally import Tally
from harness.text import clock, counted

Event = dict[str, Any]
_LOG = 200
"""Lines of the log that are kept."""


class Known(NamedTuple):
    """A stage as the journal names it."""

    kind: str
    label: str

    def __str__(self) -> str:
        return f"{self.kind} {self.label}".strip()


class Step(NamedTuple):
    """How far a running stage was at a time (seconds since 1970)."""

    at: float
    done: int
    total: int
    unit: str

    def goes_on(self, before: Step) -> bool:
        """False where another phase of the stage has begun: it counts something else, or from the start."""
        return (self.total, self.unit) == (before.total, before.unit) and self.done >= before.done


@dataclass
class Work:
    """A running stage: since when, and the first and the last that it said of its progress."""

    since: float
    first: Step | None = None
    last: Step | None = None


@dataclass
class SweepState:
    """Everything the lines taken so far say."""

    head: Event = field(default_factory=dict)
    begun: float = 0.0
    last: float = 0.0
    """When the last line was written."""
    closed: bool = False
    stages: dict[str, Known] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)
    cached: Counter[str] = field(default_factory=Counter)
    running: dict[str, Work] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)
    """Reasons by key."""
    skipped: dict[str, str] = field(default_factory=dict)
    """Key of a stage that could not be made -> the failed one that it rests on."""
    llm: tuple[int, int, int, float] = (0, 0, 0, 0.0)
    """Calls, input tokens, output tokens, USD."""
    log: list[tuple[float, str]] = field(default_factory=list)

    def apply(self, event: Event) -> None:
        """Add one line; one of a kind that this version does not know changes nothing but the time of the last."""
        self.last = float(event["at"])
        calls, read, written, usd = event.get("llm", self.llm)
        self.llm = int(calls), int(read), int(written), float(usd)
        if (take := _HANDLERS.get(event["event"])) is not None:
            take(self, event)

    def _say(self, text: str) -> None:
        self.log = [*self.log[1 - _LOG :], (self.last, text)]

    def _planned(self, event: Event) -> None:
        # Labels that are asked again are planned first, on their own.
        self.head, self.begun = event, self.begun or self.last
        stages = {key: Known(kind, label) for key, kind, label in event["stages"]}
        self.stages |= stages
        self.tally.plan(stage.kind for stage in stages.values())
        self.cached = Counter(event["cached"])
        self._say(f"{counted(len(stages), 'stage')} to run, {self.cached.total():,} done before")

    def _started(self, event: Event) -> None:
        self.running[event["stage"]] = Work(self.last)

    def _progress(self, event: Event) -> None:
        work = self.running.setdefault(event["stage"], Work(self.last))
        step = Step(self.last, event["done"], event["total"], event["unit"])
        if work.last is None or not step.goes_on(work.last):
            work.first = step
        work.last = step

    def _finished(self, event: Event) -> None:
        self._is_there(event["stage"], event["seconds"], clock(event["seconds"]))

    def _cached(self, event: Event) -> None:
        self._is_there(event["stage"], 0.0, "made by another sweep meanwhile")

    def _failed(self, event: Event) -> None:
        stage = self._ended(event["stage"])
        self.failed[event["stage"]] = event["reason"]
        self.skipped.update(dict.fromkeys(event["lost"], event["stage"]))
        self.tally.fail(self.stages[key].kind for key in [event["stage"], *event["lost"]])
        self._say(f"FAILED {stage}: {event['reason']} ({counted(len(event['lost']), 'stage')} without input)")

    def _closed(self, event: Event) -> None:
        self.closed = True

    def _is_there(self, key: str, seconds: float, text: str) -> None:
        stage = self._ended(key)
        self.done.add(key)
        self.tally.finish(stage.kind, seconds)
        self._say(f"[{self.tally.ended}/{len(self.stages)}] {stage}: {text}")

    def _ended(self, key: str) -> Known:
        self.running.pop(key, None)
        return self.stages[key]


_HANDLERS = {
    "planned": SweepState._planned,
    "started": SweepState._started,
    "progress": SweepState._progress,
    "finished": SweepState._finished,
    "cached": SweepState._cached,
    "failed": SweepState._failed,
    "closed": SweepState._closed,
}
"""What each event does."""
