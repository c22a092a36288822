"""Servers that the harness starts: they answer, and nothing of them is left however things end. The server is a small
script."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.errors import UserError, UserErrors
from harness.labelling.labels.teacher import Candidate, Task
from harness.ledger.ledger import Ledger
from harness.llm.backend import Backend, Completion, FatalProviderError, RequestFailed
from harness.llm.batched_engine import Batched
from harness.llm.servers import ManagedServer
from harness.progress import silent
from harness.teachers.make import teacher_from
from tests.llm.openai_server import Server, serving

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
TASKS = [
    Task(f"q{number}", f"query {number}", tuple(Candidate(f"d{place}", f"rank {3 - place}") for place in range(3)))
    for number in range(4)
]

_FAKE = """#!{python}
import json, os, re, signal, subprocess, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
mode = os.environ.get("FAKE", "")
starts = os.environ.get("STARTS")
if starts:
    with open(starts, "a") as file:
        print(os.getpid(), file=file)
# A helper in a session of its own, as engines start them, that nobody but its ancestors knows.
if mode != "dies":
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", os.environ["MARK"]], start_new_session=True)
if mode in ("hangs", "stubborn"):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("fake server", sys.argv, flush=True)
if mode == "dies":
    print("no memory for that", flush=True)
    sys.exit(3)
if mode == "hangs":
    time.sleep(600)
port = int(sys.argv[sys.argv.index("--port") + 1])
name = sys.argv[sys.argv.index("--served-model-name") + 1]

class Handler(BaseHTTPRequestHandler):
    def log_message(self, *args): pass
    def say(self, data):
        body = json.dumps(data).encode()
        self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        self.say({{}} if self.path == "/health" else {{"data": [{{"id": name}}]}})
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers["Authorization"] != "Bearer " + os.environ["VLLM_API_KEY"]:
            self.send_response(401); self.send_header("Content-Length", "0"); self.end_headers()
            return
        is_first = starts and open(starts).read().count("\\n") == 1
        if mode == "dies later" or (mode == "dies once" and is_first):
            print("out of luck", flush=True); os._exit(1)
        if mode == "slow":
            time.sleep(600)
        text = " > ".join(f"[{{n}}]" for n in (3, 2, 1))
        self.say({{"id": "x", "choices": [{{"message": {{"content": text}}, "finish_reason": "stop"}}],
                  "usage": {{"prompt_tokens": 7, "completion_tokens": 3}}, "asked": asked["model"]}})

ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""


@pytest.fixture
def mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What every process of this test's server carries in its command line."""
    monkeypatch.setenv("MARK", str(tmp_path / "mark"))
    return str(tmp_path)


@pytest.fixture
def fake(tmp_path: Path, mark: str) -> Path:
    script = tmp_path / "bin" / "vllm"
    script.parent.mkdir()
    script.write_text(_FAKE.format(python=sys.executable))
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return script


def left(mark: str) -> list[list[str]]:
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or []
        if (
            any(mark in word for word in words)
            and process.info["status"] != psutil.STATUS_ZOMBIE
            and process.pid != os.getpid()
        ):
            found.append(words)
    return found


def wait_until(true: Callable[[], object], seconds: float = 30) -> bool:
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.05)
    return bool(true())


def make(tiny_chat: Path, fake: Path, **settings: Any) -> Any:
    return teacher_from(
        {
            "kind": "vllm",
            "model": str(tiny_chat),
            "command": str(fake),
            "startup_timeout": 60,
            "attempts": 2,
            **settings,
        }
    )


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where servers' folders are made; stubborn ones are waited for a moment only."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr("harness.llm.server_process.Server.grace", 0.5)
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


@pytest.mark.parametrize("guided", [False, True])
def test_a_server_is_started_asked_and_gone(
    tiny: Path, fake: Path, mark: str, logs: Path, ledger: Ledger, guided: bool
) -> None:
    found = list(make(tiny, fake, guided=guided).label(TASKS, ledger, silent))
    assert [ranking.ranked for ranking in found] == [("d2", "d1", "d0")] * 4
    assert (ledger.paid.calls, ledger.paid.input_tokens) == (4, 28)
    assert left(mark) == []
    assert list(logs.iterdir()) == [], "the log of a labelling that went well is not kept"


def test_one_that_ignores_the_gentle_signal_is_killed(
    tiny: Path, fake: Path, mark: str, logs: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE", "stubborn")
    assert len(list(make(tiny, fake).label(TASKS, ledger, silent))) == 4
    assert left(mark) == []


def test_one_that_dies_at_the_start_says_its_last_words(
    tiny: Path, fake: Path, mark: str, logs: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE", "dies")
    with pytest.raises(UserError, match=r"exit status 3[\s\S]*no memory for that") as caught:
        list(make(tiny, fake).label(TASKS, ledger, silent))
    (log,) = logs.glob("*/server.log")
    assert str(log) in str(caught.value.remedy)
    assert left(mark) == []


def test_one_that_never_gets_ready_is_given_up(
    tiny: Path, fake: Path, mark: str, logs: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE", "hangs")
    with pytest.raises(UserError, match=r"not ready after 1 s[\s\S]*fake server"):
        list(make(tiny, fake, startup_timeout=1).label(TASKS, ledger, silent))
    assert left(mark) == []


def test_one_that_dies_under_way_is_not_asked_for_minutes(
    tiny: Path, fake: Path, mark: str, logs: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE", "dies later")
    start = time.monotonic()
    with pytest.raises(FatalProviderError, match=r"ended while it was asked[\s\S]*out of luck"):
        list(make(tiny, fake, attempts=10).label(TASKS, ledger, silent))
    assert time.monotonic() - start < 40
    assert left(mark) == []


_HARNESS = """
import signal
import sys
# As in a terminal: a shell starts what it puts in the background with the interrupt ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
from pathlib import Path
from harness.ledger.ledger import Ledger
from harness.llm import server_process
from tests.llm.test_server_process import TASKS, make, silent
server_process.Server.grace = 0.5
list(make(Path(sys.argv[1]), Path(sys.argv[2])).label(TASKS, Ledger(Path(sys.argv[3])), silent))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("mode", ["slow", "hangs"])
def test_nothing_outlives_a_harness_that_is_ended(
    tiny: Path,
    fake: Path,
    mark: str,
    tmp_path: Path,
    logs: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
    mode: str,
) -> None:
    monkeypatch.setenv("FAKE", mode)
    monkeypatch.setenv("TMPDIR", str(logs))
    words = [sys.executable, "-c", _HARNESS, str(tiny), str(fake), str(tmp_path / "ledger")]
    harness = subprocess.Popen(words, cwd=ROOT, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        # The harness itself, the watchdog, the server and its helper.
        assert wait_until(lambda: len(left(mark)) >= 4, 60)
        time.sleep(0.5)
        os.kill(harness.pid, number)
        assert harness.wait(60) != 0
        assert wait_until(lambda: not left(mark)), left(mark)
    finally:
        harness.kill()


def test_nothing_outlives_a_killed_watchdog_but_what_left_its_family(
    tiny: Path, fake: Path, mark: str, logs: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    teacher = make(tiny, fake)

    async def killed() -> None:
        async with teacher.open():
            (watchdog,) = [one for one in psutil.Process().children() if "_watchdog.py" in " ".join(one.cmdline())]
            watchdog.kill()
            assert await asyncio.to_thread(wait_until, lambda: not [words for words in left(mark) if "serve" in words])

    asyncio.run(killed())
    for process in psutil.process_iter(["cmdline"]):
        if os.environ["MARK"] in (process.info["cmdline"] or []):
            process.kill()


def test_one_that_dies_once_is_started_anew_and_asked_again(
    tiny: Path, fake: Path, mark: str, tmp_path: Path, logs: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE", "dies once")
    monkeypatch.setenv("STARTS", str(tmp_path / "starts"))
    found = list(make(tiny, fake, attempts=1).label(TASKS, ledger, silent))
    assert [ranking.verdict for ranking in found] == ["ok"] * 4
    assert len((tmp_path / "starts").read_text().splitlines()) == 2 and left(mark) == []
    assert "out of luck" in next(logs.glob("*/server.log")).read_text(), "the log of the one that died is there"


def test_what_is_missing_is_said(tiny: Path, tmp_path: Path, ledger: Ledger) -> None:
    with pytest.raises(UserError, match=r"there is no command[\s\S]*pip install 'distil-harness\[vllm\]'"):
        list(make(tiny, Path("absent-vllm")).label(TASKS, ledger, silent))
    with pytest.raises(UserError, match="bin/absent"):
        list(
            teacher_from({"kind": "vllm", "model": str(tiny), "command": "bin/absent"}, tmp_path).label(
                TASKS, ledger, silent
            )
        )
    with pytest.raises(UserErrors, match="belong together"):
        make(tiny, Path("vllm"), mode="url")


def test_the_engine_says_what_is_missing(tiny: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(UserError, match=r"does not import[\s\S]*distil-harness\[vllm\]"):
        list(make(tiny, Path("vllm"), mode="engine").label(TASKS, ledger, silent))


def test_a_running_server_is_used_and_left_alone(ledger: Ledger) -> None:
    with serving(Server()) as running:
        where = running.url.removesuffix("/v1")
        with pytest.raises(UserError, match="no OpenAI-compatible server"):
            list(teacher_from({"kind": "vllm", "model": "m", "url": where + "/absent"}).label(TASKS, ledger, silent))
    with pytest.raises(UserError, match="no OpenAI-compatible server"):
        list(teacher_from({"kind": "vllm", "model": "m", "url": where}).label(TASKS, ledger, silent))


def test_identity_is_what_can_change_an_answer(tiny: Path) -> None:
    def identity(**settings: Any) -> str:
        return make(tiny, Path("vllm"), **settings).identity  # type: ignore[no-any-return]

    same = {
        "command": "other",
        "port": 9,
        "tensor_parallel": 2,
        "gpu_memory_utilization": 0.5,
        "extra_args": ["--x"],
        "mode": "engine",
    }
    assert identity(**same) == identity()
    others = [
        {"dtype": "float32"},
        {"quantization": "fp8"},
        {"max_model_len": 9},
        {"guided": True},
        {"temperature": 1.0},
        {"url": "http://x"},
    ]
    assert len({identity(), *(identity(**other) for other in others)}) == 7


class Doubling:
    """An engine that remembers its batches."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.closed = False

    def complete(self, requests: list[Any]) -> list[Completion]:
        time.sleep(0.02)
        self.batches.append(len(requests))
        if "bad" in requests:
            raise UserError("cannot")
        if "long" in requests:
            raise RequestFailed("too long", reason="too long")
        return [Completion(str(request) * 2) for request in requests]

    def close(self) -> None:
        self.closed = True


async def _all(backend: Backend, asked: list[Any]) -> list[Any]:
    return await asyncio.gather(*(backend.complete(one) for one in asked), return_exceptions=True)


def test_batches_gather_what_waits_and_keep_the_order() -> None:
    engine = Doubling()

    async def run() -> list[Any]:
        async with Batched(lambda: engine, 4) as backend:
            return await _all(backend, list("abcdefghij"))

    assert [one.text for one in asyncio.run(run())] == [letter * 2 for letter in "abcdefghij"]
    assert engine.batches == [4, 4, 2]
    assert engine.closed


def test_a_failing_batch_fails_alone_and_the_engine_is_closed() -> None:
    engine = Doubling()

    async def run() -> list[Any]:
        async with Batched(lambda: engine, 2) as backend:
            return await _all(backend, ["a", "bad", "c"])

    first, bad, last = asyncio.run(run())
    assert isinstance(first, UserError) and isinstance(bad, UserError)
    assert last.text == "cc"
    assert engine.closed


def test_one_prompt_that_does_not_fit_fails_alone() -> None:
    engine = Doubling()

    async def run() -> list[Any]:
        async with Batched(lambda: engine, 3) as backend:
            return await _all(backend, ["a", "long", "c"])

    first, failed, last = asyncio.run(run())
    assert (first.text, last.text) == ("aa", "cc")
    assert isinstance(failed, RequestFailed) and failed.reason == "too long"


def test_leaving_while_requests_wait_closes_the_engine() -> None:
    engine = Doubling()

    async def run() -> None:
        async with Batched(lambda: engine, 1) as backend:
            waiting = asyncio.gather(*(backend.complete(one) for one in "abc"), return_exceptions=True)  # type: ignore[arg-type]
            await asyncio.sleep(0.01)
            raise KeyError
        assert await waiting

    with pytest.raises(KeyError):
        asyncio.run(run())
    assert engine.closed


def test_an_engine_that_does_not_load_is_an_error() -> None:
    def load() -> Doubling:
        raise UserError("no memory")

    async def run() -> None:
        async with Batched(load, 1):
            raise AssertionError

    with pytest.raises(UserError, match="no memory"):
        asyncio.run(run())


def test_served_is_a_backend(tiny: Path, fake: Path, logs: Path) -> None:
    backend = make(tiny, fake, concurrency=7).open()
    assert isinstance(backend, ManagedServer)
    assert backend.concurrency == 7
