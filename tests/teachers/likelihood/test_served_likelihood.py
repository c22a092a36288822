"""Likelihoods out of a server of our own, which here is a small script: what it cannot score fails one query."""

from __future__ import annotations

import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.errors import UserError
from harness.labelling.labels.teacher import Candidate, Task, Teacher
from harness.ledger.ledger import Ledger
from harness.ledger.views import MeteredLedger
from harness.progress import silent
from harness.teachers.make import teacher_from
from tests.teachers.conftest import ledger, tiny

__all__ = ["ledger", "tiny"]
pytestmark = [pytest.mark.slow, pytest.mark.models]

_FAKE = """#!{python}
import json, os, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
mode = os.environ.get("FAKE", "")

class Handler(BaseHTTPRequestHandler):
    def log_message(self, *args): pass
    def say(self, data, status=200):
        body = json.dumps(data).encode()
        self.send_response(status); self.send_header("Content-Length", str(len(body))); self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        self.say({{}})
    def do_POST(self):
        tokens = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["prompt"]
        with open(os.environ["ASKED"], "a") as asked:
            print(len(tokens), file=asked)
        is_long = len(tokens) > int(os.environ["MOST"])
        if mode == "wrong key":
            return self.say({{"message": "who are you"}}, 401)
        if mode == "all" or (is_long and mode == "long"):
            return self.say({{"message": "This model's maximum context length is 8 tokens."}}, 400)
        if is_long and mode == "broken":
            return self.say({{"message": "oops"}}, 500)
        if is_long and mode == "empty":
            return self.say({{"choices": [{{"prompt_logprobs": [None]}}]}})
        found = [None, *({{str(token): {{"logprob": -1.0 / token}}}} for token in tokens[1:])]
        self.say({{"choices": [{{"prompt_logprobs": found}}]}})

ThreadingHTTPServer.request_queue_size = 128
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])), Handler).serve_forever()
"""
SHORT, LONG = "cats", "cats and dogs and all that people keep at home"


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the server writes a line a request."""
    monkeypatch.setenv("ASKED", str(tmp_path / "asked"))
    monkeypatch.setattr("harness.llm.retry_rules._FIRST", 0.001)
    return tmp_path / "asked"


@pytest.fixture
def teacher(tmp_path: Path, tiny: Path, asked: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    script = tmp_path / "vllm"
    script.write_text(_FAKE.format(python=sys.executable))
    script.chmod(script.stat().st_mode | stat.S_IXUSR)

    def make(mode: str = "long", **settings: Any) -> Teacher:
        monkeypatch.setenv("FAKE", mode)
        spec = {"kind": "vllm-likelihood", "model": str(tiny), "command": str(script), "startup_timeout": 60}
        made = teacher_from({**spec, "attempts": 2, "concurrency": 4, **settings})
        pairs = made._pair_tokens.pairs(tasks(2, {1}))  # type: ignore[attr-defined]
        lengths = sorted(pairs.tokens(pair) for pair in pairs.keys)
        monkeypatch.setenv("MOST", str(lengths[len(lengths) // 2 - 1]))
        return made

    return make


def tasks(count: int, long: set[int]) -> list[Task]:
    return [
        Task(f"q{n}", f"{LONG if n in long else SHORT} {n}", tuple(Candidate(f"d{n}-{i}", "ab"[i]) for i in range(2)))
        for n in range(count)
    ]


@pytest.mark.parametrize(("mode", "reason"), [("long", "too long"), ("broken", "no answer"), ("empty", "no answer")])
def test_a_request_that_fails_is_the_label_of_its_query(
    mode: str, reason: str, teacher: Any, ledger: Ledger, asked: Path
) -> None:
    made = teacher(mode)
    found = list(made.label(tasks(4, {2}), ledger, silent))
    assert [ranking.verdict for ranking in found] == ["ok", "ok", "failed", "ok"]
    assert found[2].reason == reason and found[2].raw and found[2].unranked == ("d2-0", "d2-1")
    assert len(ledger) == 6, "what was scored is kept"

    before = len(asked.read_text().splitlines())
    assert list(made.label(tasks(4, {2}), MeteredLedger(ledger), silent)) == found
    assert made.estimate(tasks(4, {2}), ledger).calls == 0
    assert len(asked.read_text().splitlines()) == before, "what failed is not asked again"
    ledger.given_up_since = float("inf")
    assert [one.verdict for one in made.label(tasks(4, {2}), ledger, silent)] == ["ok", "ok", "failed", "ok"]
    assert len(asked.read_text().splitlines()) > before, "unless that is wished"


def test_what_fails_for_all_stops_early_and_is_asked_anew(teacher: Any, ledger: Ledger, asked: Path) -> None:
    made = teacher("all", on_failure={"tolerate": 0.9})
    with pytest.raises(UserError, match=r"20 queries in a row could not be answered.*maximum context"):
        list(made.label(tasks(60, set()), ledger, silent))
    assert len(ledger) == 0 and ledger.given_up(made._pair_tokens.pairs(tasks(60, set())).keys.values()) == {}
    with pytest.raises(UserError, match=r"more than on_failure\.tolerate: 0\.05 accepts"):
        list(teacher("long").label(tasks(40, set(range(0, 40, 2))), ledger, silent))
    assert teacher("all", on_failure={"tolerate": 0.9}).identity == teacher("all").identity


def test_what_concerns_the_server_stops_at_once(teacher: Any, ledger: Ledger) -> None:
    with pytest.raises(UserError, match="who are you"):
        list(teacher("wrong key").label(tasks(4, set()), ledger, silent))
