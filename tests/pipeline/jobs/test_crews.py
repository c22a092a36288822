"""What every crew keeps, whether stages run here in turn, in workers of this machine, or on a cluster."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from harness.ledger.ledger import Ledger
from harness.pipeline.cluster.ray_executor import RayExecutor
from harness.pipeline.cluster.ray_session import RaySession
from harness.pipeline.isolation.child_work import LedgerTerms
from harness.pipeline.isolation.isolated_work import IsolatedWork
from harness.pipeline.live.observer import Observer
from harness.pipeline.local_executor import LocalExecutor
from harness.pipeline.outcome.execution_result import ExecutionResult
from harness.pipeline.workspace import Workspace
from harness.stage import Stage
from tests.pipeline.slow_sweep import Slow
from tests.pipeline.toys import Broken, Number, Sum
from tests.pipeline.two_nodes import TwoNodes

pytestmark = pytest.mark.slow

Execute = Callable[..., ExecutionResult]


class Log(Observer):
    """What was told, in order."""

    def __init__(self, interrupts: bool = False) -> None:
        self.events: list[tuple[str, Stage]] = []
        self.steps: list[tuple[Stage, int, int, str]] = []
        self._interrupts = interrupts

    def started(self, stage: Stage) -> None:
        self.events.append(("started", stage))

    def progress(self, stage: Stage, done: int, total: int, unit: str) -> None:
        self.events.append(("progress", stage))
        self.steps.append((stage, done, total, unit))
        if self._interrupts:
            raise KeyboardInterrupt

    def finished(self, stage: Stage, seconds: float) -> None:
        self.events.append(("ended", stage))

    def failed(self, stage: Stage, reason: str, skipped: list[Stage]) -> None:
        self.events.append(("ended", stage))

    def places(self, event: str) -> dict[str, int]:
        found = {stage.key: place for place, (name, stage) in enumerate(self.events) if name == event}
        assert len(found) == sum(name == event for name, _ in self.events), f"{event} was told twice of a stage"
        return found


@pytest.fixture(params=["in turn", "workers", pytest.param("ray", marks=pytest.mark.ray)])
def execute(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Execute]:
    """Runs stages in the workspace of the test's folder."""
    home = Workspace(tmp_path)
    if request.param != "ray":
        jobs = 1 if request.param == "in turn" else 2

        def locally(finals: list[Stage], log: Log, fail_fast: bool = False) -> ExecutionResult:
            with closing(Ledger(home.ledger_file)) as ledger, closing(IsolatedWork()) as isolation:
                executor = LocalExecutor(home, home.store, ledger, log, isolation, fail_fast=fail_fast, jobs=jobs)
                return executor.execute(finals)

        yield locally
        return
    two_nodes: TwoNodes = request.getfixturevalue("two_nodes")
    terms = LedgerTerms(home.ledger_file, "toys", None, None, 0.0)
    with closing(RaySession(two_nodes.address, home, terms)) as session:

        def on_cluster(finals: list[Stage], log: Log, fail_fast: bool = False) -> ExecutionResult:
            executor = RayExecutor(home, home.store, session.ledger, log, session, fail_fast=fail_fast)
            return executor.execute(finals)

        yield on_cluster


def test_inputs_end_before_what_reads_them_starts_and_nothing_starts_twice(execute: Execute, tmp_path: Path) -> None:
    numbers = [Number(value) for value in range(4)]
    sums = [Sum((numbers[0], numbers[1])), Sum((numbers[2], numbers[3]))]
    last, log = Sum(tuple(sums)), Log()
    result = execute([last, sums[1]], log)

    started, ended = log.places("started"), log.places("ended")
    assert len(started) == 7 and started.keys() == ended.keys() == set(result.ran)
    assert all(ended[needed.key] < started[stage.key] for stage in (*sums, last) for needed in stage.inputs())
    store = Workspace(tmp_path).store
    assert (store.read(last) / "value.txt").read_text() == "6"
    assert execute([last], Log()).ran == []


def test_a_failure_takes_what_rests_on_it_and_nothing_else(execute: Execute) -> None:
    broken = Broken(Number(1))
    lost, fine = Sum((broken,)), Sum((Number(2),))
    result = execute([lost, fine], Log())

    assert "RuntimeError: the teacher is out" in result.failed[broken.key] and fine.key in result.ran
    assert result.skipped == {lost.key: broken.key} and result.cause(lost) == result.failed[broken.key]
    assert "toys.py" in result.faults[broken.key].traceback


def test_progress_names_its_stage_while_it_runs(execute: Execute) -> None:
    slow, other, log = Slow(20, Number(1)), Sum((Number(2),)), Log()
    execute([slow, other], log)
    started, ended = log.places("started"), log.places("ended")

    assert {(stage.kind, total, unit) for stage, _, total, unit in log.steps} == {
        ("slow", 20, "steps"),
        ("sum", 1, "sums"),
    }
    progress = [(place, stage) for place, (name, stage) in enumerate(log.events) if name == "progress"]
    assert all(started[stage.key] < place < ended[stage.key] for place, stage in progress)


def test_with_fail_fast_nothing_starts_after_the_first_failure(execute: Execute) -> None:
    finals = [Sum((Broken(Number(1)),)), *(Slow(40, Sum((Number(2), Number(value)))) for value in range(3, 9))]
    log = Log()
    result = execute(finals, log, True)
    failed = max(place for place, (name, stage) in enumerate(log.events) if (name, stage.kind) == ("ended", "broken"))

    assert all(name != "started" for name, _ in log.events[failed:])
    assert log.places("started").keys() == log.places("ended").keys()
    assert result.stopped and not result.stopped.intersection(result.ran)


def test_an_interruption_ends_what_runs_and_the_same_goes_on(execute: Execute, tmp_path: Path) -> None:
    # Stages depend on their fields alone, so one that is left half is made like any other afterwards.
    number = Number(1)
    with pytest.raises(KeyboardInterrupt):
        execute([Slow(12_000, number)], Log(interrupts=True))
    store, end = Workspace(tmp_path).store, time.monotonic() + 30
    while store.is_locked(Slow(12_000, number)):
        assert time.monotonic() < end
        time.sleep(0.05)
    assert store.has(number) and not list((tmp_path / "store" / "slow").glob(".*"))
    assert len(execute([Sum((number, Number(2)))], Log()).ran) == 2
