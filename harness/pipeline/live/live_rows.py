"""The tables of a sweep that is followed: stages by kind, stages that run, what failed, cells. All from the story its
journal tells."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from harness.pipeline.live.sweep_state import SweepState, Work
from harness.pipeline.outcome.failures import Failures


class KindRow(NamedTuple):
    """Stages of one kind. `total` counts all of them, `cached` those that were there before; `rest` those that rest on
    a failed one."""

    kind: str
    total: int
    cached: int
    done: int
    running: int
    failed: int
    rest: int
    waiting: int
    seconds: float


class RunningRow(NamedTuple):
    """A stage that runs, for `seconds`; what it said of its progress, units a second, and seconds to go, None where not
    known."""

    stage: str
    seconds: float
    done: int | None
    total: int | None
    unit: str
    rate: float | None
    left: float | None


class FailureRow(NamedTuple):
    """A stage that failed, how many stages and cells miss because of it, and where its traceback lies."""

    stage: str
    reason: str
    stages: int
    cells: int
    trace: str


class CellRow(NamedTuple):
    """A cell: done, failed or waiting, with the reason."""

    cell: str
    state: str
    reason: str


def kinds(story: SweepState) -> tuple[KindRow, ...]:
    """Every kind of stage of the sweep, those of stages that were there before first."""
    tally = story.tally
    running = Counter(story.stages[key].kind for key in story.running)
    failed = Counter(story.stages[key].kind for key in story.failed)
    rest = Counter(story.stages[key].kind for key in story.skipped)
    rows = []
    for kind in dict.fromkeys([*story.cached, *tally.total]):
        asked, done = tally.total[kind], tally.done[kind]
        waiting = asked - done - running[kind] - failed[kind] - rest[kind]
        counts = (done, running[kind], failed[kind], rest[kind], waiting)
        rows.append(KindRow(kind, asked + story.cached[kind], story.cached[kind], *counts, float(tally.seconds[kind])))
    return tuple(rows)


def running(story: SweepState, now: float) -> tuple[RunningRow, ...]:
    """What runs at the time `now` (seconds since 1970), or ran when the last line was written."""
    return tuple(_row(story, key, work, now) for key, work in story.running.items())


def _row(story: SweepState, key: str, work: Work, now: float) -> RunningRow:
    stage, seconds = story.stages[key], now - work.since
    mean = story.tally.mean(stage.kind, story.head["past"])
    rest = max(mean - seconds, 0.0) if mean is not None else None
    if work.first is None or work.last is None:
        return RunningRow(str(stage), seconds, None, None, "", None, rest)
    first, last = work.first, work.last
    rate = (last.done - first.done) / (last.at - first.at) if last.at > first.at and last.done > first.done else None
    if rate is not None:
        rest = max((last.total - last.done) / rate - (now - last.at), 0.0)
    return RunningRow(str(stage), seconds, last.done, last.total, last.unit, rate, rest)


def left(story: SweepState, running: tuple[RunningRow, ...]) -> float | None:
    """Seconds to go; as many stages as run now are thought to run side by side. None while that of a kind is not
    known."""
    parts = [row.left for row in running]
    for kind in kinds(story):
        if kind.waiting:
            mean = story.tally.mean(kind.kind, story.head["past"])
            parts.append(None if mean is None else mean * kind.waiting)
    known = [part for part in parts if part is not None]
    return sum(known) / max(len(running), 1) if len(known) == len(parts) else None


def failures(story: SweepState, traces: Failures) -> tuple[FailureRow, ...]:
    """Every stage that failed, in the order of failing."""
    stages = Counter(story.skipped.values())
    without = Counter(cause for _, key in story.head["cells"] if (cause := _cause(story, key)))
    return tuple(
        FailureRow(str(story.stages[key]), reason, stages[key], without[key], str(traces.file(key)))
        for key, reason in story.failed.items()
    )


def _cause(story: SweepState, key: str) -> str | None:
    """The failed stage that a cell's last stage rests on, itself included."""
    return key if key in story.failed else story.skipped.get(key)


def cells(story: SweepState) -> tuple[CellRow, ...]:
    """Every cell, in the order of the sweep file."""
    rows = []
    for name, key in story.head["cells"]:
        cause = _cause(story, key)
        if cause is not None:
            rows.append(CellRow(name, "failed", f"{story.stages[cause]}: {story.failed[cause]}"))
        else:
            done = key not in story.stages or key in story.done
            rows.append(CellRow(name, "done" if done else "waiting", ""))
    return tuple(rows)
