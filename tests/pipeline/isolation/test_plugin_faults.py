"""A plug-in that does wrong fails its own cells, with method, settings, file and line; all others are on the board."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from harness.leaderboard.board import load_board
from tests.baselines.small import write_collection

pytestmark = [pytest.mark.models, pytest.mark.slow]

SOURCE = Path(__file__).with_name("faulty_method.py")
FAILING = {
    "raises": ("LookupError: no such embedding", 'raise LookupError("no such embedding")'),
    "exits": ("SystemExit: 3", "sys.exit(3)"),
    "leaves": ("exit code 7", "def run(self, out"),
    "dies": ("killed by SIGSEGV", "ctypes.string_at(0)"),
    "loops": ("longer than the timeout of 4.0 s", "time.sleep(0.1)"),
    "no-run": ("there is no run", "def run(self, out"),
    "opens-judgments": ("it opens 'data/qrels/test.tsv', which holds what its run is rated by", ".read_text()"),
    "links-judgments": ("it opens 'data/qrels/test.tsv', which holds what its run is rated by", "os.link("),
    "opens-prepared": ("judgments.arrow', which holds what its run is rated by", 'judgments("test")'),
    "pipes": ("it wrote 'pipe', which is neither a file nor a folder", "def run(self, out"),
    "links": ("it wrote 'models', which is neither a file nor a folder", "def run(self, out"),
    "odd-name": ("it wrote a file with the name '\\udcff'", "def run(self, out"),
    "removes": ("the folder that it was given to write to is gone", "def run(self, out"),
    "foreign-documents": ("holds no document of the collection; it has 'xd0'", "def run(self, out"),
    "foreign-queries": ("holds none of the judged queries; it has 'xtest0-0'", "def run(self, out"),
    "plan-raises": ("KeyError: 'retriever'", 'raise KeyError("retriever")'),
    "plan-exits": ("SystemExit: 5", "sys.exit(5)"),
    "plan-loops": ("TimeoutError: it ran longer than the timeout of 4 s", "time.sleep(0.01)"),
    "plan-swallows": ("TimeoutError: it ran longer than the timeout of 4 s", ""),
    "plan-leaves": ("it called os._exit(6), which would have ended", "os._exit(6)"),
    "plan-ends": ("GeneratorExit: no more, which would have ended the sweep", "raise GeneratorExit"),
    "plan-is-speechless": ("Speechless: (what it says cannot be read: LookupError)", "raise Speechless"),
    "bad-kind": ("the kind of Escaping is '../../outside'", "def run(self, inputs"),
    "returns-none": ("returned None", "def run(self, inputs"),
    "plan-of-0.1": ("no attribute 'draw'; `draw` is `subset` since 0.2", "inputs.draw()"),
    "reads-judgments": ("reads the judgments of the split 'test'", 'inputs.collection.judgments("test")'),
}
"""By fault, what is said of it, and the line that is named."""
WORKING = (
    "plan-moves",
    "plan-starts-thread",
    "opens-training-judgments",
    "none",
    "prints",
    "plan-prints",
    "some-foreign",
    "constant",
)
FLAGS = {
    "some-foreign": "its run holds 1 document that the collection does not have",
    "constant": "its run gives all documents of a query the same score, so that their ids decide",
}


def harness(home: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own, in the folder `home`."""
    known = {**os.environ, "HARNESS_CACHE": str(home / "cache"), **environment}
    command = [sys.executable, "-m", "harness", *arguments]
    return subprocess.run(command, cwd=home, env=known, capture_output=True, text=True, check=False)


def write_sweep(home: Path, faults: tuple[str, ...], **keys: Any) -> Path:
    """A sweep of the faulty method over twelve documents."""
    content = {
        "collections": [{"folder": "data"}],
        "students": {"retriever": {"static": "bundled:bert-tiny"}, "ranker": "bundled:bert-tiny"},
        "methods": ["bm25", {"method": "faulty", "fault": list(faults)}],
        "evaluate": {"metrics": ["nDCG@10"]},
        "plugins": ["plugged_in.py"],
        **keys,
    }
    write_collection(home / "data")
    (home / "plugged_in.py").write_text(SOURCE.read_text())
    (home / "sweep.yaml").write_text(json.dumps(content))
    return home / "sweep.yaml"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faults")
    write_sweep(folder, (*FAILING, *WORKING), timeout=4)
    return folder


@pytest.fixture(scope="module")
def swept(home: Path) -> subprocess.CompletedProcess[str]:
    return harness(home, "sweep", "sweep.yaml", "--json")


def test_bad_cells_fail_and_all_others_are_on_the_board(home: Path, swept: subprocess.CompletedProcess[str]) -> None:
    told = json.loads(swept.stdout)
    assert swept.returncode == 1
    counts = {"total": 1 + len(FAILING) + len(WORKING), "done": 1 + len(WORKING), "failed": len(FAILING), "cached": 0}
    assert told["cells"] == counts
    assert len(load_board(home / "results").as_json()["rows"]) == 1 + len(WORKING)


@pytest.mark.parametrize("fault", FAILING)
def test_a_failure_names_method_settings_file_line_and_traceback(
    fault: str, home: Path, swept: subprocess.CompletedProcess[str]
) -> None:
    words, code = FAILING[fault]
    (failure,) = (one for one in json.loads(swept.stdout)["failures"] if f"data faulty fault={fault}" in one["cells"])
    lines = (home / "plugged_in.py").read_text().splitlines()
    assert words in failure["reason"]
    assert failure["settings"] == [f'faulty {{"fault": "{fault}"}}']
    assert failure["file"] == str(home / "plugged_in.py") and code in lines[failure["line"] - 1]
    assert f"plugged_in.py:{failure['line']}" in failure["reason"]
    assert "Traceback" in json.loads((home / failure["traceback"]).read_text())["traceback"] or fault in (
        "leaves",
        "dies",
        "loops",
    )


def test_what_plug_ins_print_goes_to_standard_error(swept: subprocess.CompletedProcess[str]) -> None:
    json.loads(swept.stdout)
    for noise in ("noise of a stage", "noise below Python", "noise of planning"):
        assert noise in swept.stderr


def test_what_a_board_must_know_of_a_plug_ins_run_is_flagged(
    home: Path, swept: subprocess.CompletedProcess[str]
) -> None:
    rows = {row["variant"] or row["method"]: row["flags"] for row in load_board(home / "results").as_json()["rows"]}
    for variant, flags in rows.items():
        assert ("plug-in not checked: faulty" in flags) == (variant != "bm25")
        for fault, flag in FLAGS.items():
            assert (flag in flags) == variant.endswith(f"={fault}"), (variant, flags)


def test_a_second_run_tries_the_failed_ones_only(home: Path, swept: subprocess.CompletedProcess[str]) -> None:
    told = json.loads(harness(home, "sweep", "sweep.yaml", "--json").stdout)
    assert told["stages"]["run"] == 0 and told["cells"]["failed"] == len(FAILING)
    assert told["cells"]["cached"] == 1 + len(WORKING)


def test_status_shows_tracebacks_when_asked(home: Path, swept: subprocess.CompletedProcess[str]) -> None:
    plain, full = (harness(home, "status", "sweep.yaml", *more).stdout for more in ((), ("--why",)))
    assert "Traceback (most recent call last)" not in plain
    assert 'raise LookupError("no such embedding")' in full and 'raise KeyError("retriever")' in full


def test_a_plan_says_each_reason_once_on_one_line(home: Path) -> None:
    methods = "methods=[bm25, {method: faulty, fault: [plan-raises, plan-raises-too]}]"
    told = harness(home, "plan", "sweep.yaml", "--set", methods).stdout
    (notice,) = (line for line in told.splitlines() if line.startswith("notice: "))
    assert "2 cells (data faulty fault=plan-raises, data faulty fault=plan-raises-too) cannot be planned: " in notice
    assert "KeyError: 'retriever'" in notice and "plugged_in.py:" in notice


def test_fail_fast_stops_at_the_first_failure(tmp_path: Path) -> None:
    write_sweep(tmp_path, ("raises", "none"))
    done = harness(tmp_path, "sweep", "sweep.yaml", "--fail-fast", "--jobs", "1", "--json")
    told = json.loads(done.stdout)
    assert done.returncode == 1 and told["cells"]["done"] == 1 and told["stages"]["failed"] == 1
    reasons = {cell: one["reason"] for one in told["failures"] for cell in one["cells"]}
    assert "--fail-fast" in reasons["data faulty fault=none"] and "LookupError" in reasons["data faulty fault=raises"]


def test_a_plug_in_that_loops_goes_when_its_sweep_is_killed(tmp_path: Path) -> None:
    write_sweep(tmp_path, ("loops",), methods=["bm25", {"method": "faulty", "fault": "loops", "label": "loop"}])
    sweep = subprocess.Popen(
        [sys.executable, "-m", "harness", "sweep", "sweep.yaml", "--jobs", "1"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert sweep.stderr is not None
    deadline = time.monotonic() + 120
    while not (drafts := list((tmp_path / "workspace/store/faulty").glob(".*"))) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert drafts
    time.sleep(1)
    sweep.kill()
    # The end of the stream comes when nobody holds it any more: neither the sweep nor a child.
    sweep.communicate(timeout=60)
    assert len(load_board(tmp_path / "results").as_json()["rows"]) == 1
