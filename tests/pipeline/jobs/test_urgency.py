"""What goes first where several stages run at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest

from harness.device import Resources
from harness.pipeline.graph import Queue, closure
from harness.pipeline.jobs.urgency import Urgency, path_seconds
from harness.stage import Stage
from tests.pipeline.toys import Number, Sum

PAST = {"number": 1.0, "sum": 5.0, "asked": 5.0}


@dataclass(frozen=True, eq=False)
class Asked(Sum):
    """Waits for others and takes no core."""

    kind: ClassVar[str] = "asked"

    @property
    def resources(self) -> Resources:
        return Resources(cpu=0.0)


def chain(start: int, length: int) -> Stage:
    """The last stage of `length` sums, one after another."""
    last: Stage = Number(start)
    for _ in range(length):
        last = Sum((last,))
    return last


def queue_of(finals: list[Stage], jobs: int) -> Queue:
    waiting = closure(finals)
    return Queue(waiting, Urgency(waiting, PAST, jobs))


def test_a_way_to_the_end_that_lasts_longer_than_all_other_work_goes_first() -> None:
    long, short = Number(1), Number(2)
    last = Sum((long,))
    waiting = {one.key: one for one in (short, Sum((short,)), long, last, Sum((last,)))}
    seconds = path_seconds(waiting, PAST)
    assert (seconds[long.key], seconds[short.key], seconds[last.key]) == (11.0, 6.0, 10.0)
    # All work is 17 seconds: 8.5 for each of two.
    assert Queue(waiting, Urgency(waiting, PAST, 2)).ready() == [long, short]
    assert Queue(waiting, Urgency(waiting, PAST, 1)).ready() == Queue(waiting).ready() == [short, long]


def test_what_leads_to_a_service_goes_first() -> None:
    asked = Number(7)
    queue = queue_of([chain(start, 2) for start in range(6)] + [Asked((asked,))], jobs=2)
    assert queue.ready()[0] is asked


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_half_way_half_of_the_cells_are_done(jobs: int) -> None:
    cells = [chain(start, 3) for start in range(12)]
    queue = queue_of(cells, jobs)
    total = len(queue.waiting)
    while len(queue.waiting) > total / 2:
        for stage in queue.ready()[:jobs]:
            queue.done(stage)
    assert 4 <= sum(cell.key not in queue.waiting for cell in cells) <= 6


def test_a_long_chain_that_comes_last_does_not_end_last() -> None:
    """Steps of two jobs: 8 cells of 2 stages and one of 8 stages are 24 stages, 12 steps at the least."""
    queue, steps = queue_of([*(chain(start, 1) for start in range(8)), chain(99, 7)], jobs=2), 0
    while queue.waiting:
        for stage in queue.ready()[:2]:
            queue.done(stage)
        steps += 1
    assert steps <= 13
