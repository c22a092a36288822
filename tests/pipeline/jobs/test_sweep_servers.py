"""Label stages of one model ask one server a sweep, in turn or side by side; nothing of it outlives the sweep. The
server is a small script."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import psutil
import pytest

from harness.device import Resources
from harness.ledger.ledger import Ledger
from harness.llm.endpoints.endpoint import ENDPOINTS
from harness.llm.endpoints.server_launch import ServerLaunch
from harness.pipeline.graph import Queue
from harness.pipeline.isolation.isolated_work import IsolatedWork
from harness.pipeline.jobs import sweep_servers
from harness.pipeline.jobs.sweep_servers import SweepServers
from harness.pipeline.live.observer import Observer
from harness.pipeline.local_executor import LocalExecutor
from harness.pipeline.outcome.execution_result import ExecutionResult
from harness.pipeline.workspace import Workspace
from harness.stage import Context, Stage
from tests.baselines.small import write_collection
from tests.interrupts import heed_interrupts
from tests.llm.test_server_process import ROOT, fake, left, logs, mark, wait_until
from tests.teachers.conftest import tiny

__all__ = ["fake", "logs", "mark", "tiny"]
pytestmark = pytest.mark.slow

Starts = Callable[[], list[int]]


@pytest.fixture
def starts(tmp_path: Path, mark: str, logs: Path, monkeypatch: pytest.MonkeyPatch) -> Starts:
    """Processes of servers, in the order in which they were started."""
    file = tmp_path / "starts"
    monkeypatch.setenv("STARTS", str(file))
    return lambda: [int(line) for line in file.read_text().splitlines()] if file.exists() else []


@pytest.fixture
def sweep(tmp_path: Path, fake: Path, tiny: Path) -> Path:
    """Ten label stages of one model, each with answers of its own."""
    write_collection(tmp_path / "data")
    teacher = {"kind": "vllm", "model": str(tiny), "command": str(fake), "startup_timeout": 60}
    content = {
        "collections": [{"folder": "data"}],
        "students": {"retriever": {"static": "bundled:bert-tiny"}},
        "candidates": {"engine": "bm25s", "depth": 3, "training_queries": ["train"]},
        "teachers": {f"t{n}": {**teacher, "temperature": n / 10} for n in range(10)},
        "methods": [{"method": "direct", "epochs": 1}],
        "budgets": [2],
        "evaluate": {"metrics": ["nDCG@10"], "trace": False},
    }
    file = tmp_path / "sweep.yaml"
    file.write_text(json.dumps(content))
    return file


class AfterLabels(Observer):
    """Does something when so many label stages have ended."""

    def __init__(self, number: int, do: Callable[[], object]) -> None:
        self._rest, self._do = number, do

    def finished(self, stage: Stage, seconds: float) -> None:
        if stage.kind == "labels":
            self._rest -= 1
            if self._rest == 0:
                self._do()


def execute(sweep: Path, jobs: int, observer: Observer) -> ExecutionResult:
    """The sweep's label stages alone."""
    home = Workspace(sweep.parent / "workspace")
    stages = {(one := cell.inputs.labels()).key: one for cell in home.plan(sweep).cells}
    assert len(stages) == 10
    with closing(Ledger(home.ledger_file)) as ledger, closing(IsolatedWork()) as isolation:
        return LocalExecutor(home, home.store, ledger, observer, isolation, jobs=jobs).execute(list(stages.values()))


@pytest.mark.models
@pytest.mark.parametrize("jobs", [1, 2])
def test_ten_label_stages_of_a_model_start_one_server(sweep: Path, starts: Starts, mark: str, jobs: int) -> None:
    result = execute(sweep, jobs, Observer())
    assert not result.failed and len(starts()) == 1
    assert left(mark) == []
    assert len(Ledger(sweep.parent / "workspace" / "ledger.sqlite")) == 20, "all of them asked"


@pytest.mark.models
@pytest.mark.parametrize("jobs", [1, 2])
def test_one_that_is_killed_between_stages_is_started_again(
    sweep: Path, starts: Starts, mark: str, jobs: int, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        result = execute(sweep, jobs, AfterLabels(3, lambda: psutil.Process(starts()[0]).kill()))
    assert not result.failed and len(starts()) == 2
    assert "a new one is started; its log is" in caplog.text
    assert left(mark) == []


@pytest.mark.models
@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_of_the_sweep_leaves_nothing(sweep: Path, starts: Starts, mark: str, jobs: int) -> None:
    def fail() -> None:
        assert left(mark), "it waits for the next stage"
        raise KeyError("an observer")

    with pytest.raises(KeyError, match="an observer"):
        execute(sweep, jobs, AfterLabels(2, fail))
    assert len(starts()) == 1 and left(mark) == []


@pytest.mark.models
@pytest.mark.parametrize(
    ("number", "code", "jobs"),
    [(signal.SIGINT, 130, 2), (signal.SIGTERM, 143, 1), (signal.SIGTERM, 143, 2), (signal.SIGKILL, -9, 2)],
)
def test_a_sweep_that_is_ended_leaves_nothing(
    sweep: Path, starts: Starts, mark: str, monkeypatch: pytest.MonkeyPatch, number: int, code: int, jobs: int
) -> None:
    monkeypatch.setenv("FAKE", "slow")
    command = [sys.executable, "-m", "harness", "sweep", "sweep.yaml", "--jobs", str(jobs)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(sweep.parent / "tmp")}
    process = subprocess.Popen(
        command,
        preexec_fn=heed_interrupts,
        cwd=sweep.parent,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert wait_until(lambda: len(starts()) == 1 and len(left(mark)) >= 3, 200)
        os.kill(process.pid, number)
        assert process.wait(60) == code
        assert wait_until(lambda: not left(mark)), left(mark)
    finally:
        process.kill()
        process.wait()
    assert len(starts()) == 1


@dataclass(frozen=True, eq=False)
class Asking(Stage):
    """Asks a server and notes which one it was."""

    kind: ClassVar[str] = "asking"
    launch: ServerLaunch
    number: int
    needs: tuple[Stage, ...] = ()

    @property
    def priority(self) -> int:
        return -self.number

    @property
    def resources(self) -> Resources:
        return Resources(gpu=1.0, server=self.launch.mark)

    def run(self, out: Path, context: Context) -> None:
        endpoints = ENDPOINTS.get()
        assert endpoints is not None
        (out / "url.txt").write_text(endpoints.borrow(self.launch).url)
        endpoints.give_back(self.launch)


@dataclass(frozen=True, eq=False)
class Training(Stage):
    """Wants a GPU for itself."""

    kind: ClassVar[str] = "training"
    after: tuple[Stage, ...]

    @property
    def resources(self) -> Resources:
        return Resources(gpu=0.5)

    def run(self, out: Path, context: Context) -> None:
        (out / "empty").touch()


def launch(fake: Path, name: str) -> ServerLaunch:
    words = (str(fake), "serve", "--port", "{port}", "--served-model-name", name)
    return ServerLaunch(name, name, words, timeout=60, key_variable="VLLM_API_KEY")


def run(finals: list[Stage], folder: Path) -> None:
    home = Workspace(folder / "workspace")
    with closing(Ledger(home.ledger_file)) as ledger:
        assert not LocalExecutor(home, home.store, ledger, Observer()).execute(finals).failed


def test_stages_of_a_server_that_runs_go_first_where_another_would_stop_it(
    tmp_path: Path, fake: Path, starts: Starts, mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep_servers, "gpus", lambda: 1)
    one, other = launch(fake, "one"), launch(fake, "other")
    run([Asking(which, number) for number in range(3) for which in (one, other)], tmp_path)
    assert len(starts()) == 2 and left(mark) == []


@pytest.mark.parametrize(("gpus", "number"), [(0, 1), (1, 2)])
def test_a_server_makes_room_on_a_gpu(
    tmp_path: Path, fake: Path, starts: Starts, mark: str, monkeypatch: pytest.MonkeyPatch, gpus: int, number: int
) -> None:
    monkeypatch.setattr(sweep_servers, "gpus", lambda: gpus)
    first = Asking(launch(fake, "one"), 0)
    run([Asking(launch(fake, "one"), 1, (Training((first,)),))], tmp_path)
    assert len(starts()) == number and left(mark) == []


def test_a_server_is_stopped_when_no_stage_needs_it(tmp_path: Path, fake: Path, starts: Starts, mark: str) -> None:
    servers, asking = SweepServers(), Asking(launch(fake, "one"), 0)
    last = Training((asking,))
    queue = Queue({asking.key: asking, last.key: last})
    with closing(servers):
        assert servers.ready(queue) == [asking]
        servers.pool.borrow(asking.launch)
        servers.pool.give_back(asking.launch)
        assert servers.pool.marks == {"one"} and left(mark), "its stage has not ended"
        queue.done(asking)
        assert servers.ready(queue) == [last]
        assert servers.pool.marks == frozenset() and left(mark) == []
