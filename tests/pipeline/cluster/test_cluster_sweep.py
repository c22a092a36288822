"""Sweeps on two nodes: the same bits as here, whoever dies meanwhile, and no answer paid for twice."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.pipeline.cluster.graph_pickle import dump_stages
from harness.pipeline.live.observer import NullObserver
from harness.pipeline.sweep import SweepResult
from harness.pipeline.workspace import Workspace
from harness.stage import Stage
from tests.llm.openai_server import Server, serving
from tests.pipeline.jobs.test_side_by_side import SWEEP, hashes
from tests.pipeline.two_nodes import TwoNodes

pytestmark = [pytest.mark.ray, pytest.mark.models, pytest.mark.slow]

DIRECT = "methods=[{method: direct, epochs: 1}]"
SECRET = "sk-nobody-else-knows-this"
SMOKE = Path(__file__).parents[3] / "configs" / "smoke.yaml"
SMALL = ("budgets=[20]", "methods=[bm25, zero-shot, {method: direct, epochs: 1}, {method: supervised, epochs: 1}]")


class At(NullObserver):
    """Does something once, when `holds` of a stage that has ended, or (`in_progress`) of one that runs."""

    def __init__(self, holds: Callable[[Stage], bool], do: Callable[[], object], in_progress: bool = False) -> None:
        self.done = False
        self._holds, self._do, self._in_progress = holds, do, in_progress

    def finished(self, stage: Stage, seconds: float) -> None:
        self._look(stage, not self._in_progress)

    def progress(self, stage: Stage, done: int, total: int, unit: str) -> None:
        self._look(stage, self._in_progress and done < total)

    def _look(self, stage: Stage, counts: bool) -> None:
        if counts and not self.done and self._holds(stage):
            self.done = True
            self._do()


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Hashes of what the sweep makes on this machine alone."""
    home = tmp_path_factory.mktemp("here")
    result = Workspace(home / "workspace").plan(SMOKE, SMALL).run(home / "results", observer=NullObserver())
    assert result.failures == {}
    return hashes(home / "workspace")


def swept(home: Path, two_nodes: TwoNodes, observer: NullObserver | None = None) -> SweepResult:
    plan = Workspace(home / "workspace").plan(SMOKE, SMALL)
    return plan.run(
        home / "results", jobs=None, executor="ray", address=two_nodes.address, observer=observer or NullObserver()
    )


def test_two_nodes_give_the_same_bits_as_this_machine(
    two_nodes: TwoNodes, tmp_path: Path, here: dict[str, str]
) -> None:
    result = swept(tmp_path, two_nodes)
    assert result.summary["cells"] == {"total": 4, "done": 4, "failed": 0, "cached": 0}
    assert len(here) > 50 and hashes(tmp_path / "workspace") == here
    # Nothing is left to do on either executor, and both say so.
    assert swept(tmp_path, two_nodes).summary["stages"]["run"] == 0


def test_a_node_that_is_lost_loses_nothing_but_time(two_nodes: TwoNodes, tmp_path: Path, here: dict[str, str]) -> None:
    ended: list[Stage] = []
    observer = At(lambda stage: ended.append(stage) or len(ended) == 10, two_nodes.lose)  # type: ignore[func-returns-value]
    try:
        result = swept(tmp_path, two_nodes, observer)
    finally:
        two_nodes.complete()
    assert observer.done and result.failures == {}
    assert hashes(tmp_path / "workspace") == here


def labelled(home: Path, server: Server, two_nodes: TwoNodes, observer: NullObserver, cap: float = 1.0) -> SweepResult:
    """The two label stages of a sweep run at once, and share half of their questions."""
    (home / "sweep.yaml").write_text(SWEEP.format(url=server.url))
    plan = Workspace(home / "workspace").plan(home / "sweep.yaml", [DIRECT])
    return plan.run(
        home / "results", max_cost=cap, jobs=None, executor="ray", address=two_nodes.address, observer=observer
    )


@pytest.mark.parametrize("victim", ["Keeper", "labels litellm, 8 queries, resample 0"])
def test_whoever_is_killed_while_labels_are_asked_no_answer_is_lost_or_paid_twice(
    victim: str, two_nodes: TwoNodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    killed: list[int] = []

    def kill() -> None:
        for process in two_nodes.workers(victim):
            killed.append(process.pid)
            process.kill()

    with serving(Server(latency=0.5)) as server:
        result = labelled(tmp_path, server, two_nodes, At(lambda stage: stage.kind == "labels", kill, True))
        assert killed and result.failures == {} and result.summary["cells"]["done"] == 2
        # What a worker had in flight when it died may have been billed, and is asked again; nothing else is.
        twice = sum(server.answered.values()) - len(server.answered)
        assert twice == 0 or (victim != "Keeper" and twice <= 8)
        with Workspace(tmp_path / "workspace") as workspace:
            assert len(workspace.ledger) == len(server.answered)
            assert workspace.ledger.balance(None).reserved == 0 and workspace.ledger.under_way(None) == 0


def test_two_sweeps_of_one_workspace_make_and_ask_everything_once(
    two_nodes: TwoNodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    with serving(Server(latency=0.3)) as server:
        (tmp_path / "sweep.yaml").write_text(SWEEP.format(url=server.url))
        options = (
            "--workspace",
            str(tmp_path / "workspace"),
            "--results",
            str(tmp_path / "others"),
            "--json",
            "--set",
            DIRECT,
        )
        command = [sys.executable, "-m", "harness", "sweep", str(tmp_path / "sweep.yaml"), *options]
        with subprocess.Popen(
            [*command, "--executor", "ray", "--address", two_nodes.address], stdout=subprocess.PIPE, text=True
        ) as other:
            result = labelled(tmp_path, server, two_nodes, NullObserver())
            told, _ = other.communicate(timeout=240)
        assert other.returncode == 0 and result.failures == {}
        both = json.loads(told)["stages"]["run"] + result.summary["stages"]["run"]
        assert both == len(list((tmp_path / "workspace" / "store").glob("*/*/artefact.json")))
        assert set(server.answered.values()) == {1}
        assert json.loads(told)["llm"]["calls"] + result.summary["llm"]["calls"] == len(server.answered)
        # The key of the provider is nowhere but in the environment.
        logs = [one for one in two_nodes.logs.rglob("*") if one.is_file()]
        assert logs and not [one for one in logs if SECRET.encode() in one.read_bytes()]
        plan = Workspace(tmp_path / "workspace").plan(tmp_path / "sweep.yaml", [DIRECT])
        assert SECRET.encode() not in dump_stages(plan.stages)


def test_two_label_stages_at_once_keep_one_cap(
    two_nodes: TwoNodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    with serving(Server(latency=0.1)) as server:
        result = labelled(tmp_path, server, two_nodes, NullObserver(), cap=0.004)
        bill = sum(read + written for read, written in server.bill) / 1e6
        assert 0 < bill <= 0.004 and result.summary["cells"]["failed"] == 2
        assert any("--max-cost" in reason for reason in result.failures)
        assert set(server.answered.values()) == {1}
