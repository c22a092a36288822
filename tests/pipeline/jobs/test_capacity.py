"""Which stages may run side by side, and which of those that are ready goes first."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from harness.device import Resources
from harness.errors import UserError
from harness.pipeline.isolation.stage_threads import threads
from harness.pipeline.jobs import capacity
from harness.pipeline.jobs.capacity import Capacity, default_jobs
from harness.stage import Context, Stage


@dataclass(frozen=True, eq=False)
class Taking(Stage):
    """Takes so much of the machine."""

    kind: ClassVar[str] = "taking"
    name: str
    takes: tuple[float, float, float] = (1.0, 1.0, 0.0)
    services: tuple[str, ...] = ()

    @property
    def resources(self) -> Resources:
        return Resources(*self.takes, self.services)

    def run(self, out: Path, context: Context) -> None:
        (out / "empty").touch()


def test_cores_memory_and_accelerators_bound_what_runs_side_by_side() -> None:
    room = Capacity(jobs=2, memory=10, gpus=1)
    room.take(Taking("first", (1, 6, 0.5)))
    assert room.fits(Taking("beside", (1, 4, 0.5)))
    assert not room.fits(Taking("too large", (1, 5, 0)))
    assert not room.fits(Taking("no share left", (1, 1, 0.75)))
    room.take(second := Taking("second"))
    assert not room.fits(Taking("third"))
    room.release(second)
    assert room.fits(Taking("third"))


def test_what_is_larger_than_the_machine_runs_alone() -> None:
    room, large = Capacity(jobs=2, memory=10, gpus=0), Taking("large", (1, 64, 1))
    assert room.fits(large)
    room.take(large)
    assert not room.fits(Taking("small"))


def test_stages_that_wait_for_a_service_run_beside_full_cores_as_many_as_it_serves() -> None:
    room = Capacity(jobs=1, memory=10, gpus=0)
    room.take(Taking("computes"))
    room.take(Taking("asks", (0, 0.25, 0), ("openai",)))
    assert not room.fits(Taking("asks the same", (0, 0.25, 0), ("openai",)))
    assert room.fits(Taking("asks another", (0, 0.25, 0), ("anthropic",)))
    assert not room.fits(Taking("computes too"))


@pytest.mark.parametrize(("cores", "gib", "told", "jobs"), [(2, 16, None, 2), (1, 16, None, 1), (8, 3, None, 1)])
def test_jobs_are_as_many_as_cores_and_memory_allow(
    cores: int, gib: float, told: str | None, jobs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(capacity, "free_memory", lambda: gib)
    monkeypatch.setattr(capacity, "gpus", lambda: 0)
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(cores)))
    assert default_jobs() == jobs
    monkeypatch.setattr(capacity, "gpus", lambda: 1)
    assert default_jobs() == 1


def test_stages_with_more_threads_are_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity, "free_memory", lambda: 64.0)
    monkeypatch.setattr(capacity, "gpus", lambda: 0)
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(8)))
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    assert (threads(), default_jobs()) == (4, 2)
    monkeypatch.setenv("OMP_NUM_THREADS", "all")
    with pytest.raises(UserError, match="OMP_NUM_THREADS is 'all'"):
        threads()
