"""A real vLLM with the bundled model, in an environment of its own: run by ``make test-vllm``."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.labelling.labels.teacher import Teacher
from harness.ledger.ledger import Ledger
from harness.llm.server_process import Server
from harness.progress import silent
from harness.teachers.make import teacher_from
from tests.teachers.tiny import make_tasks

ROOT = Path(__file__).parents[2]
COMMAND = ROOT / ".venv-vllm" / "bin" / "vllm"
pytestmark = [
    pytest.mark.vllm,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(
        not COMMAND.exists(), reason="vLLM is not installed here (make test-vllm installs it into .venv-vllm)"
    ),
]
SERVER = {"command": str(COMMAND), "dtype": "bfloat16", "max_model_len": 2048, "extra_args": ["--enforce-eager"]}
TASKS = make_tasks(4, 12, 16)
WAYS = ["listwise", "sliding", "blocks", "pairwise", "setwise", "pointwise"]


@pytest.fixture(autouse=True)
def _little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")


def make(way: str = "listwise", **settings: Any) -> Teacher:
    ask = {"strategy": way, "max_passage_words": 30}
    return teacher_from({"kind": "vllm", "ask": ask, **settings})


def left(before: set[int]) -> list[str]:
    """Processes of vLLM that were not there before."""
    found = []
    for process in psutil.process_iter(["cmdline", "name"]):
        words = " ".join([process.info["name"] or "", *(process.info["cmdline"] or [])])
        if process.pid not in before and (str(COMMAND.parent) in words or "VLLM" in words):
            found.append(words)
    return found


@pytest.fixture
def before() -> set[int]:
    return set(psutil.pids())


def test_guided_permutations_in_a_server_of_our_own(tmp_path: Path, before: set[int]) -> None:
    ledger = Ledger(tmp_path / "ledger")
    teacher = make(**SERVER, guided=True)
    expected = teacher.estimate(TASKS, ledger)
    found = list(teacher.label(TASKS, ledger, silent))
    assert [ranking.verdict for ranking in found] == ["ok"] * 4
    assert (expected.calls, expected.input_tokens) == (ledger.paid.calls, ledger.paid.input_tokens)
    assert left(before) == []


@pytest.fixture(scope="module")
def running() -> Iterator[str]:
    """A server started by somebody else, without the logits processor."""
    import asyncio

    teacher = make(**SERVER)
    os.environ["VLLM_CPU_KVCACHE_SPACE"] = "1"
    settings: Any = teacher.settings
    server = Server(settings.launch(teacher.weights, teacher._folder, "smollm2", ROOT, False))  # type: ignore[attr-defined]
    asyncio.run(server.start())
    try:
        yield server.url
    finally:
        server.stop()


@pytest.mark.parametrize("guided", [True, False])
@pytest.mark.parametrize("way", WAYS)
def test_every_way_of_asking_a_running_server(running: str, tmp_path: Path, way: str, guided: bool) -> None:
    tasks = make_tasks(2, 5, 8)
    found = list(
        make(way, model="smollm2", url=running, guided=guided).label(tasks, Ledger(tmp_path / "ledger"), silent)
    )
    assert len(found) == 2
    if guided:
        assert {ranking.verdict for ranking in found} == {"ok"}


def test_the_form_alone_for_long_lists_of_a_running_server(running: str, tmp_path: Path) -> None:
    found = list(make(model="smollm2", url=running, guided=True).label(TASKS[:2], Ledger(tmp_path / "ledger"), silent))
    for ranking in found:
        assert set(ranking.reason.split(", ")) <= {"", "repetition", "missing"}


_HARNESS = """
import signal
import sys
# As in a terminal: a shell starts what it puts in the background with the interrupt ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
from pathlib import Path
from harness.ledger.ledger import Ledger
from tests.teachers.test_vllm import SERVER, TASKS, make, silent
list(make(**SERVER).label(TASKS * 50, Ledger(Path(sys.argv[1])), silent))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_nothing_outlives_a_harness_that_is_ended(tmp_path: Path, before: set[int], number: signal.Signals) -> None:
    words = [sys.executable, "-c", _HARNESS, str(tmp_path / "ledger")]
    harness = subprocess.Popen(words, cwd=ROOT, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        end = time.monotonic() + 300
        while not any("EngineCore" in words for words in left(before)) and time.monotonic() < end:
            time.sleep(0.5)
        assert any("EngineCore" in words for words in left(before))
        os.kill(harness.pid, number)
        assert harness.wait(60) != 0
        end = time.monotonic() + 60
        while left(before) and time.monotonic() < end:
            time.sleep(0.5)
        assert left(before) == []
    finally:
        harness.kill()


@pytest.mark.parametrize(("dtype", "near"), [("float32", 1e-2), ("bfloat16", 1.5)])
def test_likelihoods_are_those_of_torch(tmp_path: Path, before: set[int], dtype: str, near: float) -> None:
    tasks = make_tasks(3, 4, 6)
    expected = list(
        teacher_from({"kind": "likelihood", "precision": "fp32"}).label(tasks, Ledger(tmp_path / "torch"), silent)
    )
    teacher, ledger = teacher_from({"kind": "vllm-likelihood", **SERVER, "dtype": dtype}), Ledger(tmp_path / "vllm")
    planned = teacher.estimate(tasks, ledger)
    found = list(teacher.label(tasks, ledger, silent))
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.scores is not None and theirs.scores is not None
        right = dict(zip(theirs.ranked, theirs.scores, strict=True))
        differences = [abs(score - right[id]) for id, score in zip(ours.ranked, ours.scores, strict=True)]
        print(dtype, max(differences), right)
        assert max(differences) < near
    assert (planned.calls, planned.input_tokens) == (ledger.paid.calls, ledger.paid.input_tokens)
    assert left(before) == []
