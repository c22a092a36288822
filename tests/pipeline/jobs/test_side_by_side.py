"""Several stages at once: the same bits, labels beside training, and what happens when a worker or the sweep is
ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.pipeline.live.follower import Follower, SweepReport
from harness.pipeline.workspace import Workspace
from harness.published.result_folder import run_folders
from tests.interrupts import heed_interrupts
from tests.llm.openai_server import Server, serving

pytestmark = [pytest.mark.models, pytest.mark.slow]

ROOT = Path(__file__).parents[3]
SWEEP = """
collections: [semanlink-arxiv]
students: {{retriever: {{static: bundled:bert-tiny}}, ranker: bundled:bert-tiny}}
candidates: {{engine: bm25s, depth: 5, training_queries: [train, titles]}}
teachers:
  gpt: {{kind: litellm, model: openai/gpt-4.1-mini, api_base: "{url}", price: {{input: 1, output: 1}}, timeout: 3000}}
methods: [bm25, {{method: supervised, epochs: 1}}, {{method: direct, epochs: 1}}]
budgets: [4, 8]
evaluate: {{metrics: [nDCG@10], trace: false}}
"""


def harness(home: Path, *arguments: str) -> list[str]:
    (home / "cache").mkdir(exist_ok=True)
    return [sys.executable, "-m", "harness", *arguments]


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "HARNESS_CACHE": str(home / "cache"), "OPENAI_API_KEY": "sk-test"}


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        harness(home, *arguments), cwd=home, env=environment(home), capture_output=True, text=True, check=False
    )


def swept(home: Path) -> dict[str, Any]:
    done = run(home, "sweep", "sweep.yaml", "--jobs", "2", "--json")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@contextmanager
def waiting(home: Path, server: Server) -> Iterator[subprocess.Popen[str]]:
    """A sweep whose two label stages wait for the server and whose four other cells are done; its processes are gone
    at the end."""
    (home / "sweep.yaml").write_text(SWEEP.format(url=server.url))
    command = harness(home, "sweep", "sweep.yaml", "--jobs", "2", "--json")
    sweep = subprocess.Popen(
        command,
        preexec_fn=heed_interrupts,
        cwd=home,
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until(lambda: server.in_flight > 0 and len(list(run_folders(home / "results"))) == 3, sweep)
        family = psutil.Process(sweep.pid).children(recursive=True)
        yield sweep
        until(lambda: not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in family), None)
    finally:
        with suppress(ProcessLookupError):
            sweep.kill()
        sweep.communicate()


def until(holds: Callable[[], bool], sweep: subprocess.Popen[str] | None) -> None:
    deadline = time.monotonic() + 240
    while not holds():
        assert time.monotonic() < deadline and (sweep is None or sweep.poll() is None)
        time.sleep(0.1)


def report(home: Path) -> SweepReport:
    return Follower(Workspace(home / "workspace").journals[0]).read()


def hashes(workspace: Path) -> dict[str, str]:
    """Of every artefact's files, by their place."""
    found = {}
    for manifest in sorted((workspace / "store").glob("*/*/artefact.json")):
        for name, described in json.loads(manifest.read_text())["files"].items():
            found[f"{manifest.parent.parent.name}/{manifest.parent.name}/{name}"] = described["sha256"]
    return found


def test_one_job_and_two_give_the_same_bits(tmp_path: Path) -> None:
    for jobs in ("1", "2"):
        done = run(
            tmp_path,
            *("sweep", str(ROOT / "configs/smoke.yaml"), "--jobs", jobs, "--json"),
            *("--workspace", f"workspace{jobs}", "--results", f"results{jobs}"),
        )
        assert json.loads(done.stdout)["cells"] == {"total": 8, "done": 8, "failed": 0, "cached": 0}
    one, two = hashes(tmp_path / "workspace1"), hashes(tmp_path / "workspace2")
    assert len(one) > 100 and one == two


def test_labels_wait_beside_training_and_an_interruption_loses_nothing(tmp_path: Path) -> None:
    with serving(Server(latency=3000)) as server:
        with waiting(tmp_path, server) as sweep:
            # Training, search and evaluation ended while both label stages wait for their first answers.
            status = json.loads(run(tmp_path, "status", "sweep.yaml", "--json").stdout)
            assert status["stages"]["running"] == 2
            assert [row.stage.partition(",")[0] for row in report(tmp_path).running] == ["labels litellm"] * 2
            sweep.send_signal(signal.SIGINT)
            told, _ = sweep.communicate(timeout=60)
            assert sweep.returncode == 130 and "3 of 5 cells are on the board" in json.loads(told)["error"]["what"]
        server.latency = 0
        again = swept(tmp_path)
        assert again["cells"] == {"total": 5, "done": 5, "failed": 0, "cached": 3}
        assert max(server.answered.values()) == 1, "an answer was paid for twice"
        assert again["llm"]["calls"] == len(server.answered)


def test_workers_go_with_a_sweep_that_is_killed(tmp_path: Path) -> None:
    with serving(Server(latency=3000)) as server:
        with waiting(tmp_path, server) as sweep:
            sweep.kill()
        server.latency = 0
        assert swept(tmp_path)["cells"] == {"total": 5, "done": 5, "failed": 0, "cached": 3}
        assert max(server.answered.values()) == 1


def test_a_worker_that_dies_fails_its_stage_alone(tmp_path: Path) -> None:
    with serving(Server(latency=3000)) as server, waiting(tmp_path, server) as sweep:
        port = int(server.url.rpartition(":")[2].partition("/")[0])
        askers = [
            one
            for one in psutil.Process(sweep.pid).children(recursive=True)
            if any(link.raddr and link.raddr.port == port for link in one.net_connections())
        ]
        server.latency = 0
        askers[0].kill()
        told, _ = sweep.communicate(timeout=120)
        found = json.loads(told)
        assert sweep.returncode == 1 and (found["cells"]["done"], found["stages"]["failed"]) == (4, 1)
        assert "its process was killed by SIGKILL (out of memory?)" in found["failures"][0]["reason"]
