"""How stages end on a cluster that end badly: each is told with its reason, and all others go on."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from harness.pipeline.cluster import ray_session
from harness.pipeline.cluster.node_facts import node_facts
from harness.pipeline.cluster.ray_executor import RayExecutor
from harness.pipeline.cluster.ray_session import RaySession
from harness.pipeline.isolation.child_work import LedgerTerms
from harness.pipeline.live.observer import NullObserver
from harness.pipeline.workspace import Workspace
from harness.stage import Context, Stage
from tests.pipeline.slow_sweep import Slow
from tests.pipeline.toys import Number
from tests.pipeline.two_nodes import TwoNodes

pytestmark = [pytest.mark.ray, pytest.mark.slow]


@dataclass(frozen=True, eq=False)
class Dying(Stage):
    """Its process dies as often as `times` says; each time leaves a mark in `marks`."""

    kind: ClassVar[str] = "dying"
    marks: str
    times: int

    def run(self, out: Path, context: Context) -> None:
        before = len(list(Path(self.marks).iterdir()))
        (Path(self.marks) / str(before)).touch()
        if before < self.times:
            os.kill(os.getpid(), signal.SIGKILL)
        (out / "value.txt").write_text("1")


@dataclass(frozen=True, eq=False)
class Leaving(Stage):
    """Ends the process in order."""

    kind: ClassVar[str] = "leaving"

    def run(self, out: Path, context: Context) -> None:
        raise SystemExit(3)


@pytest.fixture
def home(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")


@pytest.fixture
def session(two_nodes: TwoNodes, home: Workspace) -> Iterator[RaySession]:
    terms = LedgerTerms(home.ledger_file, "toys", None, None, 0.0)
    with closing(RaySession(two_nodes.address, home, terms)) as session:
        yield session


def executor(home: Workspace, session: RaySession, timeout: float | None = None) -> RayExecutor:
    return RayExecutor(home, home.store, session.ledger, NullObserver(), session, timeout=timeout)


def test_a_stage_whose_worker_dies_is_run_again_up_to_three_times(
    home: Workspace, session: RaySession, tmp_path: Path
) -> None:
    stages = []
    for times in (1, 9):
        (marks := tmp_path / str(times)).mkdir()
        stages.append(Dying(str(marks), times))
    result = executor(home, session).execute([*stages, Number(1)])

    assert len(result.ran) == 2 and result.failed.keys() == {stages[1].key}
    assert "its worker ended before the stage was done, and so did 3 more" in result.failed[stages[1].key]
    assert [len(list(Path(stage.marks).iterdir())) for stage in stages] == [2, 4]


def test_a_plug_in_that_loops_or_leaves_fails_its_own_stage(home: Workspace, session: RaySession) -> None:
    slow, leaving = Slow(12_000, Number(1)), Leaving()
    result = executor(home, session, timeout=3.0).execute([slow, leaving, Number(2)])

    assert "it ran longer than the timeout of" in result.failed[slow.key]
    assert "SystemExit: 3" in result.failed[leaving.key] and len(result.ran) == 2


def test_a_worker_with_another_torch_runs_nothing_and_says_so(
    home: Workspace, session: RaySession, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its nodes were like this machine when the session began; this is one that came later.
    facts = {**node_facts(), "torch": "2.0.0"}
    monkeypatch.setattr(ray_session, "node_facts", lambda: facts)
    result = executor(home, session).execute([Number(1)])

    (reason,) = result.failed.values()
    assert f"differs from where the sweep was planned: torch {node_facts()['torch']} (not 2.0.0)" in reason
