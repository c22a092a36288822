"""What ends a sweep costs no finished cell: each is published when its last stages are done."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.leaderboard.board import load_board
from harness.pipeline.workspace import Workspace
from harness.published.result_folder import read_card, run_folders
from tests.baselines.small import write_collection
from tests.interrupts import heed_interrupts
from tests.pipeline.isolation.faulty_method import Faulty

pytestmark = [pytest.mark.models, pytest.mark.slow]

SLOW = """
    def run(self, out, context):
        import time
        if self.fault.startswith("slow"):
            time.sleep(600)
        self.rank(out)

    def rank(self, out):"""


def write_sweep(home: Path) -> None:
    """Two cells that are done at once, then one that takes ten minutes."""
    source = Path(sys.modules[Faulty.__module__].__file__ or "").read_text()
    (home / "slow_one.py").write_text(source.replace("\n    def run(self, out: Path, context: Any) -> None:", SLOW))
    content = {
        "collections": [{"folder": "data"}],
        "students": {"retriever": {"static": "bundled:bert-tiny"}, "ranker": "bundled:bert-tiny"},
        "methods": ["bm25", {"method": "faulty", "fault": ["none", "slow", "slower"]}],
        "evaluate": {"metrics": ["nDCG@10"]},
        "plugins": ["slow_one.py"],
    }
    write_collection(home / "data")
    (home / "sweep.yaml").write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("number", "code", "words"),
    [
        (signal.SIGINT, 130, "2 of 4 cells are on the board (results/)"),
        (signal.SIGTERM, 143, "the same command goes on where it stopped"),
        (signal.SIGKILL, -9, None),
    ],
)
def test_a_sweep_that_is_ended_leaves_what_is_done(number: int, code: int, words: str | None, tmp_path: Path) -> None:
    write_sweep(tmp_path)
    sweep = subprocess.Popen(
        [sys.executable, "-m", "harness", "sweep", "sweep.yaml", "--jobs", "1"],
        preexec_fn=heed_interrupts,
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while len(list(run_folders(tmp_path / "results"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(1)
    os.kill(sweep.pid, number)
    _, told = sweep.communicate(timeout=180)
    assert sweep.returncode == code
    last = told.strip().splitlines()[-1]
    assert words is None or (words in last and "Traceback" not in told)
    rows = load_board(tmp_path / "results").as_json()["rows"]
    assert len(rows) == 2 and {row["method"] for row in rows} == {"bm25", "faulty"}


def test_with_json_an_interruption_is_one_document(tmp_path: Path) -> None:
    write_sweep(tmp_path)
    command = [sys.executable, "-m", "harness", "sweep", "sweep.yaml", "--json", "--jobs", "1"]
    sweep = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    deadline = time.monotonic() + 120
    while len(list(run_folders(tmp_path / "results"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    sweep.terminate()
    told, _ = sweep.communicate(timeout=180)
    assert sweep.returncode == 143 and "2 of 4 cells are on the board" in json.loads(told)["error"]["what"]


def test_a_folder_of_results_that_cannot_be_written_to_loses_nothing_else(tmp_path: Path) -> None:
    write_collection(tmp_path / "data")
    (tmp_path / "sweep.yaml").write_text(
        "collections: [{folder: data}]\n"
        "students: {retriever: {static: bundled:bert-tiny}, ranker: bundled:bert-tiny}\n"
        "methods: [bm25, {method: zero-shot}]\n"
    )
    # The name of the collection's folder is taken by a file at first.
    results = tmp_path / "results"
    results.mkdir()
    (results / "data").write_text("")
    plan = Workspace(tmp_path / "workspace").plan(tmp_path / "sweep.yaml")
    lost = plan.run(results)
    assert lost.summary["cells"]["failed"] == 2 and lost.summary["stages"]["failed"] == 0
    assert all("its result cannot be written" in reason for reason in lost.failures)
    (results / "data").unlink()
    again = Workspace(tmp_path / "workspace").plan(tmp_path / "sweep.yaml").run(results)
    assert again.summary["cells"]["done"] == 2 and again.summary["stages"]["run"] == 0
    assert {read_card(folder).method.name for folder in again.published} == {"bm25", "zero-shot"}
